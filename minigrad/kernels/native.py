"""Compiled loops that run without Numba: their machine code, kept on disk, which llvmlite alone can load.

Importing Numba and using it for the first time takes 0.6 s, importing llvmlite 0.05. The loops that every compiled step needs
(tape.py) are functions of one address, where all else is found, and read and write memory alone; such a function needs nothing
of Numba's once it is machine code. Where it does not lie on the disk, Numba is imported after all, compiles it, and keeps it
for the next process. It is the same code in both, so no number shows which it was.

    int f(long *result, void **error, long address)     as Numba calls its functions; nothing here raises an error
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib
import importlib.util
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numpy as np

from ..autograd import fused
from ..threads import apart, compiling
from .disk import found, keep, sources

_SOURCE = Path(__file__).with_name("tape.py")
_OTHER_SETTINGS = ("NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS", "NUMBA_THREADING_LAYER")  # that change no code
PATIENCE = 1.0  # seconds of compiling after which it is said
_PROTOTYPE = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64
)  # (lets go of Python's lock)
_loaded: dict[str, Code] = {}  # by name


class Code:
    """A function of one address, as machine code; calls: what it calls besides, of the C library. LookupError if that is missing."""

    def __init__(self, symbol: str, calls: list[str], content: bytes) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)  # (holds the memory of the code)
        if missing := [name for name in calls if not llvm.address_of_symbol(name)]:
            raise LookupError(f"nothing here is called {', '.join(missing)}")  # (LLVM would end the process)
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(content))
        self._engine.finalize_object()
        self.call = _PROTOTYPE(self._engine.get_function_address(symbol))

    def frame(self, numbers: Any) -> Frame:
        """What it is to read at a call."""
        return Frame(self, numbers)


class Frame:
    """A list of addresses and sizes that a function reads, and room for what it gives. For one thread at a time.

    numbers: an array of int64, whose elements may be changed between two calls.
    """

    __slots__ = ("_call", "_error", "_given", "_result", "numbers")

    def __init__(self, code: Code, numbers: Any) -> None:
        self.numbers = np.array(numbers, np.int64)
        self._call, self._result, self._error = code.call, ctypes.c_int64(), ctypes.c_void_p()
        lie = ctypes.addressof(self._result), ctypes.addressof(self._error)
        self._given = (*lie, self.numbers.__array_interface__["data"][0])

    def run(self) -> int:
        """What the function gives."""
        self._call(*self._given)
        return self._result.value


def follow(double: bool) -> Code:
    """The loop that follows a tape, in float64 or float32."""
    return _code("follow", double)


def adam(double: bool) -> Code:
    """Adam over all parameters."""
    return _code("adam", double)


def _code(function: str, double: bool) -> Code:
    name = f"tape.{function}{64 if double else 32}"
    if name not in _loaded:
        apart(_load, name, function, double)  # an interrupt would leave a compiler as it is then
    return _loaded[name]


def _load(name: str, function: str, double: bool) -> None:
    with compiling:
        if name not in _loaded:
            _loaded[name] = _kept(name) or _compiled(name, function, double)


def _kept(name: str) -> Code | None:
    """From the disk."""
    for _, body in found(_SOURCE, *_identity(name)):
        head, _, content = body.partition(b"\n")
        with contextlib.suppress(LookupError):
            return Code(**json.loads(head), content=content)
        importlib.import_module("numba")  # which loads a library of vector functions, if there is one
        with contextlib.suppress(LookupError):
            return Code(**json.loads(head), content=content)
    return None


def _compiled(name: str, function: str, double: bool) -> Code:
    """By Numba, and kept. Errors: ImportError, if that cannot be used (which is said)."""
    timer = threading.Timer(PATIENCE, _say, (name,))
    timer.daemon = True
    timer.start()
    try:
        make = fused._load("tape.made")
        if make is None:
            raise ImportError("Numba cannot be used")
        made = make(function, double)
    finally:
        timer.cancel()
    head = json.dumps({"symbol": made.symbol, "calls": made.calls})
    keep(_SOURCE, *_identity(name), head.encode() + b"\n" + made.content)
    return Code(made.symbol, made.calls, made.content)


def _say(name: str) -> None:
    print(
        f"minigrad: compiling {name}, once on this machine (`python -m minigrad.kernels warm` compiles all)",
        file=sys.stderr,
    )


def _identity(name: str) -> tuple[str, str]:
    """The name of the file, which a later version overwrites, and all that the loop was made from."""
    settings = sorted((k, v) for k, v in os.environ.items() if k.startswith("NUMBA_") and k not in _OTHER_SETTINGS)
    variant = repr(
        (llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), settings)
    )
    file = f"{name}-{hashlib.sha256(variant.encode()).hexdigest()[:16]}.kernel"
    numba = importlib.util.find_spec("numba")  # (asking importlib.metadata for its version takes 50 ms)
    version = Path(numba.origin).with_name("_version.py").read_bytes() if numba is not None and numba.origin else b""
    return file, repr((name, sources(_SOURCE), variant, llvmlite.__version__, version))
