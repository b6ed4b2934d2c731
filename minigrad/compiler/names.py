"""What a program calls, by the name that it has there: `torch.linalg.det`, `tensor.item()`, `bool(tensor)`, `x[...]`."""

from __future__ import annotations

import functools
import os
import sys
from types import CodeType, FrameType, FunctionType
from typing import Any

from ..nn.module import Module
from ..optim.lr_base import LRScheduler
from ..optim.optimizer import Optimizer
from ..signature import _readers
from ..tensor import Tensor
from .frames import of_engine

_COMPILER = os.path.dirname(os.path.abspath(__file__)) + os.sep

# Methods that Python calls for what a program writes otherwise.
_WRITTEN = {
    "__bool__": "bool(tensor)", "__float__": "float(tensor)", "__int__": "int(tensor)", "__len__": "len(tensor)",
    "__index__": "a tensor as an index (operator.index)", "__format__": "format(tensor)", "__repr__": "repr(tensor)", "__str__": "str(tensor)",
    "__array__": "numpy.asarray(tensor)", "__contains__": "in tensor", "__iter__": "iter(tensor)", "__getitem__": "x[...]",
    "__setitem__": "x[...] = ...", "__reduce_ex__": "copy or pickle of a tensor", "__deepcopy__": "copy.deepcopy(tensor)",
    "__dlpack__": "tensor.__dlpack__()", "__hash__": "hash(tensor)",
    "__add__": "+", "__radd__": "+", "__sub__": "-", "__rsub__": "-", "__mul__": "*", "__rmul__": "*", "__truediv__": "/",
    "__rtruediv__": "/", "__matmul__": "@", "__rmatmul__": "@", "__pow__": "**", "__rpow__": "**", "__neg__": "-", "__abs__": "abs(tensor)",
    "__and__": "&", "__rand__": "&", "__or__": "|", "__ror__": "|", "__xor__": "^", "__rxor__": "^", "__invert__": "~", "__eq__": "==",
    "__ne__": "!=", "__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">=", "__mod__": "%", "__floordiv__": "//",
    "__lshift__": "<<", "__rshift__": ">>", "__round__": "round(tensor)",
}  # fmt: skip


def method(name: str) -> str:
    """A method of tensors as a program writes it."""
    return _WRITTEN.get(name) or f"tensor.{name}()"


def of_reader(made: Any) -> str:
    """The name of a public function (what a program gets in its place: see signature.py)."""
    kind, _, name = made.__qualname__.rpartition(".")
    if kind == "Tensor":
        return method(name)
    room = made.__module__.replace("minigrad", "torch", 1)
    return f"{room}.{made.__qualname__}" if not any(part.startswith("_") for part in room.split(".")) else name


_ROOMS = ("", ".nn", ".optim", ".optim.lr_scheduler", ".distributions", ".autograd", ".utils.data", ".func")


def of_class(cls: type) -> str:
    """The name of a class: of one of the engine's where a program finds it."""
    if not cls.__module__.startswith("minigrad"):
        return f"{cls.__module__}.{cls.__qualname__}"
    for room in _ROOMS:
        if vars(sys.modules.get(f"minigrad{room}", sys)).get(cls.__name__) is cls:
            return f"torch{room}.{cls.__name__}"
    return cls.__name__


@functools.cache
def _methods() -> dict[CodeType, str]:
    """By code: the methods and properties of tensors that have no reader."""
    found: dict[CodeType, str] = {}
    for cls in Tensor.__mro__:
        for name, value in vars(cls).items():
            if isinstance(value, property) and isinstance(value.fget, FunctionType):
                found.setdefault(value.fget.__code__, f"tensor.{name}")
            elif isinstance(value, FunctionType) and not hasattr(value, "reads") and not value.__closure__:
                found.setdefault(value.__code__, method(name))
    return found


def _of_frame(frame: FrameType) -> tuple[str, bool]:
    """The public name of what runs there, and whether it is a function (of a module or an optimizer something inside says more)."""
    code, table = frame.f_code, frame.f_globals
    if ("_compiled" in table and "_function" in table) or code.co_name == "_unread":
        for made in _readers.values():
            if made.__globals__ is table and not made.__qualname__.endswith("__init__"):
                return of_reader(made), True
        return "", False
    if code in _methods():
        return _methods()[code], True
    if code.co_name == "inplace" and "function" in frame.f_locals:  # (see inplace.of)
        return f"tensor.{frame.f_locals['function'].__name__}_()", True
    owner = frame.f_locals.get("self")
    if isinstance(owner, Module) and of_engine(
        getattr(sys.modules.get(type(owner).__module__), "__file__", None) or ""
    ):
        return f"nn.{type(owner).__name__}", False
    if isinstance(owner, Optimizer | LRScheduler):
        return f"{type(owner).__name__}.step()", False
    if code.co_name == "<module>":  # what is imported when it is used first
        return f"import {table.get('__name__', '').replace('minigrad', 'torch', 1)}", False
    if owner is not None and code.co_name == "__init__" and not type(owner).__name__.startswith("_"):
        return of_class(type(owner)), False
    return ("", False) if code.co_name.startswith(("_", "<")) else (code.co_name, False)


def called() -> str:
    """The public name of what the program's line calls of the engine, as it runs now; "" where it calls nothing.

    Of `net(x)` it is the function that a layer calls, as far as one is public: it says more than the module's name.
    """
    frame: FrameType | None = sys._getframe(1)
    frames: list[FrameType] = []
    while frame is not None and (of_engine(frame.f_code.co_filename)):
        if not frame.f_code.co_filename.startswith(_COMPILER):
            frames.append(frame)
        frame = frame.f_back
    found = ""
    for frame in reversed(frames):
        name, is_function = _of_frame(frame)
        if is_function:
            return name
        found = found or name
    return found
