"""What a function holds on to besides its arguments: tensors in closures, globals, attributes, modules, bound objects."""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from .engines import ENGINES

_LIBRARIES = (
    frozenset({"torch", "minigrad", "numpy", "parity", "hypothesis", "pytest", "builtins"}) | sys.stdlib_module_names
)
_DEPTH = 8


def captured(fn: Callable[..., Any]) -> dict[str, Any]:
    """The tensors that `fn` reaches besides its arguments, by a name for a reader ("net.weight")."""
    found: dict[str, Any] = {}
    seen: set[int] = set()
    _look(fn, "", found, seen, 0)
    return found


def _look(x: Any, name: str, found: dict[str, Any], seen: set[int], depth: int) -> None:
    if depth > _DEPTH or id(x) in seen or x is None or isinstance(x, str | bytes | int | float):
        return
    seen.add(id(x))
    for engine in ENGINES:
        if isinstance(x, engine.Tensor):
            unique, k = name or "tensor", 2
            while unique in found:
                unique, k = f"{name} ({k})", k + 1
            found[unique] = x
            return
    for part, value in _parts(x):
        _look(value, f"{name}.{part}" if name and part else name or part, found, seen, depth + 1)


def _parts(x: Any) -> Iterator[tuple[str, Any]]:
    """(name, value) of what something consists of or refers to."""
    if isinstance(x, types.FunctionType):
        yield from _of_function(x)
    elif isinstance(x, types.MethodType):
        yield "", x.__self__
        yield "", x.__func__
    elif isinstance(x, staticmethod | classmethod):
        yield "", x.__func__
    elif isinstance(x, property):
        yield "", x.fget
    elif isinstance(x, functools.partial):
        yield "", x.func
        yield from ((str(i), v) for i, v in enumerate(x.args))
        yield from x.keywords.items()
    elif isinstance(x, list | tuple | set | frozenset):
        yield from ((str(i), v) for i, v in enumerate(x))
    elif isinstance(x, dict):
        yield from ((str(k), v) for k, v in list(x.items()))
    elif any(isinstance(x, engine.module.nn.Module) for engine in ENGINES):
        yield from x.named_parameters()
        yield from x.named_buffers()
        for path, module in x.named_modules():
            held = {k: v for k, v in vars(module).items() if not k.startswith("_") and k != "training"}
            yield path, held
            if not _of_library(type(module)):
                yield path, type(module)
    elif isinstance(x, type):
        if not _of_library(x):
            yield from ((k, v) for k, v in list(vars(x).items()) if k not in ("__dict__", "__weakref__", "__doc__"))
            yield from (("", base) for base in x.__bases__)
    elif not isinstance(x, types.ModuleType) and not _of_library(type(x)):
        yield from list(getattr(x, "__dict__", {}).items())
        yield "", type(x)


def _of_library(cls: type) -> bool:
    return (getattr(cls, "__module__", "") or "").partition(".")[0] in _LIBRARIES


def _of_function(fn: types.FunctionType) -> Iterator[tuple[str, Any]]:
    if (
        str(fn.__globals__.get("__name__", "")).partition(".")[0] in _LIBRARIES
    ):  # where it was written, whatever it is called
        return
    for name, cell in zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not filled yet
            continue
    yield from (("", value) for value in fn.__defaults__ or ())
    yield from (fn.__kwdefaults__ or {}).items()
    yield "", inspect.unwrap(fn) if hasattr(fn, "__wrapped__") else None
    names = _names(fn.__code__)
    for name in names:
        value = fn.__globals__.get(name)
        if isinstance(value, types.ModuleType):  # of the user's own: the values in it that the function names
            if value.__name__.partition(".")[0] not in _LIBRARIES and "site-packages" not in (value.__file__ or ""):
                yield from ((f"{name}.{n}", vars(value)[n]) for n in names if n in vars(value))
        elif value is not None:
            yield name, value


def _names(code: types.CodeType) -> list[str]:
    """The global (and attribute) names in a function's code and in the functions inside it."""
    names = list(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names += _names(constant)
    return names
