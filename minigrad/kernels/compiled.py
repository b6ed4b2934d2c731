"""The decorator of all kernels."""

from __future__ import annotations

import functools
import hashlib
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np

KERNELS: dict[str, Kernel] = {}  # by "file.name", for `python -m minigrad.kernels warm`


@functools.cache
def _sources() -> str:
    """A digest of all files of this folder."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class Kernel:
    """A function compiled at its first call with arguments of new types. Says so if that takes over a second."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        dispatcher: Any = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})(function)
        # Numba keeps a compiled loop while its own file is unchanged; it is made of the other files here too.
        dispatcher._cache._cache_file._source_stamp = _sources()
        self.dispatcher = dispatcher
        self._known: set[tuple[Any, ...]] = set()
        self._lock = threading.Lock()
        self.used = False
        KERNELS[self.name] = self

    def __call__(self, *args: Any) -> Any:
        key = tuple((a.dtype.char, a.ndim, a.flags.c_contiguous) if type(a) is np.ndarray else type(a) for a in args)
        if key not in self._known:
            with self._lock:
                timer = threading.Timer(1.0, self._announce)
                timer.daemon = True
                timer.start()
                try:
                    result = self.dispatcher(*args)
                finally:
                    timer.cancel()
                self._known.add(key)
                self.used = True
            return result
        return self.dispatcher(*args)

    def _announce(self) -> None:
        print(
            f"minigrad: compiling {self.name}, once on this machine (`python -m minigrad.kernels warm` compiles all)",
            file=sys.stderr,
        )


def kernel(function: Callable[..., Any]) -> Kernel:
    """Compile: without Python's lock, kept on disk, a·b + c in one rounding, no Python errors for division by zero."""
    return Kernel(function)


def inline(function: Callable[..., Any]) -> Any:
    """A small function for kernels to call: it becomes part of the loop that calls it."""
    return numba.njit(forceinline=True, error_model="numpy", fastmath={"contract"})(function)
