"""The decorators of all compiled loops, `kernel` and `inline`, and the list of the kernels."""

from __future__ import annotations

import functools
import importlib
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit as _njit
from numba.core import event

from ..threads import apart, compiling
from .cache import Store, config
from .disk import sources

if config.DISABLE_JIT:
    raise ImportError("Numba's compiler is switched off (NUMBA_DISABLE_JIT)")

njit: Any = _njit  # whose declared arguments lack some that it takes
Room = np.ndarray  # memory that a kernel works in, as an argument: nobody reads it afterwards
KERNELS: dict[str, Kernel] = {}  # by "file.name": those of the files imported so far
PATIENCE = 1.0  # seconds of compiling after which a kernel says so


def all_kernels() -> dict[str, Kernel]:
    """The kernels of every file of this folder, by "file.name"."""
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        importlib.import_module(f"{__package__}.{path.stem}")
    return {name: kernel for name, kernel in KERNELS.items() if kernel.__module__.startswith(f"{__package__}.")}


class Kernel:
    """A function compiled at its first call with arguments of new types. Says so if compiling takes over a second."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        dispatcher = njit(nogil=True, error_model="numpy", fastmath={"contract"}, no_cfunc_wrapper=True)(function)
        file = Path(function.__code__.co_filename)
        dispatcher._cache = Store(self.name, file, sources(file))
        self.dispatcher = dispatcher
        self._known: set[tuple[Any, ...]] = set()
        self.used = False
        KERNELS[self.name] = self

    def __call__(self, *args: Any) -> Any:
        key = tuple((a.dtype.char, a.ndim, a.flags.num) if type(a) is np.ndarray else type(a) for a in args)
        if key not in self._known:
            apart(self._compile, key, args)  # an interrupt would leave Numba's compiler as it is then
        return self.dispatcher(*args)

    def _compile(self, key: tuple[Any, ...], args: tuple[Any, ...]) -> None:
        """Have it compiled, or loaded from disk, for arguments of these types."""
        with compiling, event.install_listener("numba:compile", _Announcement(self)):
            self.dispatcher.compile(tuple(self.dispatcher.typeof_pyval(a) for a in args))
            self._known.add(key)
            self.used = True


class _Announcement(event.Listener):
    """Says that a kernel is being compiled, if that lasts. Numba tells when it begins: not where its cache has the types."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def on_start(self, event: Any) -> None:
        if event.data["dispatcher"] is self.kernel.dispatcher:
            self.timer = threading.Timer(PATIENCE, self.say)
            self.timer.daemon = True
            self.timer.start()

    def on_end(self, event: Any) -> None:
        if event.data["dispatcher"] is self.kernel.dispatcher:
            self.timer.cancel()

    def say(self) -> None:
        print(
            f"minigrad: compiling {self.kernel.name}, once on this machine "
            "(`python -m minigrad.kernels warm` compiles all)",
            file=sys.stderr,
        )


def kernel(function: Callable[..., Any]) -> Kernel:
    """Compile: without Python's lock, kept on disk, a·b + c in one rounding, no Python errors for division by zero."""
    return Kernel(function)


def called(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """The decorator of a function for kernels to call, with options of Numba's.

    It cannot be called from Python: what converts its arguments would take longer to compile than it does.
    """
    return njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, **options)


def inline(function: Callable[..., Any]) -> Any:
    """A small function for kernels to call: it becomes part of the loop that calls it."""
    return called(forceinline=True, fastmath={"contract"})(function)
