"""Does a case call what it claims to cover, and would the comparison notice if that were wrong?

Each name that a case covers is *spoiled* while the case runs on drawn inputs: minigrad's function computes, and something
else comes back. A number moves, a truth is turned round, a tensor holds other values; an object can no longer be used; and
where nothing comes back, nothing is done. The comparison with PyTorch must then fail on some draw. If it does not, the
case never calls the name, or throws the result away, or looks only at what no fault would change.

Only calls from outside minigrad are spoiled. `nn.Linear` calls `linear` too, and a case of the module must not count as
one of the function.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from minigrad.autograd import wrap

from .agreement import Mismatch, check_example
from .case import Case, resolve
from .engines import MINIGRAD
from .inputs import Seeded
from .public import public

MACHINERY = ("minigrad.", "parity.agreement", "parity.engines")  # whose calls are not the case's

# Of a fresh array's values nothing is known, so a case can compare its shape and dtype only.
WITHOUT_VALUES = {"empty", "empty_like", "Tensor.new_empty"}


class Spoiled(Exception):
    """A spoiled object was used."""


@dataclass
class Calls:
    """What happened to a name while a case ran."""

    count: int = 0
    silent: bool = False  # nothing that can be spoiled came back


# -- other results


def _other_array(x: np.ndarray) -> np.ndarray:
    if x.dtype.kind == "b":
        return ~x
    if x.dtype.kind == "f":
        with np.errstate(all="ignore"):
            return np.where(np.isfinite(x), x * 1.5 + 0.25, 0.375).astype(x.dtype)
    return (x + 1).astype(x.dtype)


def _other_tensor(x: Any, values: bool) -> Any:
    if not values:
        return wrap(np.zeros((*x.array.shape, 2), x.array.dtype))
    tensor = wrap(_other_array(x.array))
    return tensor.requires_grad_() if x.requires_grad else tensor


def spoiled(x: Any, values: bool = True) -> Any:
    """Something else of the same kind; NotImplemented where there is no such thing."""
    engine = MINIGRAD.module
    if isinstance(x, MINIGRAD.Tensor):
        return _other_tensor(x, values)
    if isinstance(x, bool):
        return not x
    if isinstance(x, int | float):
        return x * 1.5 + 0.25 if isinstance(x, float) else x + 1
    if isinstance(x, str):
        return x + "?"
    if isinstance(x, np.ndarray | np.generic):
        return _other_array(np.asarray(x))
    if isinstance(x, engine.dtype):
        return engine.int16 if x is engine.float16 else engine.float16
    if isinstance(x, engine.Size):
        return engine.Size([*(n + 1 for n in x), 7])
    if isinstance(x, tuple | list):
        parts = [spoiled(part, values) for part in x]
        if not x or any(part is NotImplemented for part in parts):
            return NotImplemented if x else [0]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    if isinstance(x, dict) and x:
        return {key: spoiled(value, values) for key, value in x.items()}
    if hasattr(x, "__next__"):
        return (spoiled(part, values) for part in x)
    return NotImplemented


# -- the spoiling of one name


def _from_outside() -> bool:
    """Whether the caller of the spoiled function is the case."""
    name = sys._getframe(2).f_globals.get("__name__", "")
    return not f"{name}.".startswith(MACHINERY)


def _function(original: Callable[..., Any], calls: Calls, skip: bool, values: bool) -> Callable[..., Any]:
    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not _from_outside():
            return original(*args, **kwargs)
        calls.count += 1
        if skip:
            return None
        before = [a.array.copy() if isinstance(a, MINIGRAD.Tensor) else None for a in args]
        result = original(*args, **kwargs)
        for a, old in zip(args, before, strict=True):
            if result is a and isinstance(a, MINIGRAD.Tensor):  # in place, or nothing was to do
                if np.array_equal(a.array, old, equal_nan=a.array.dtype.kind == "f"):
                    return _other_tensor(a, values)
                np.copyto(a.array, _other_array(a.array))
                return result
        other = spoiled(result, values)
        if other is NotImplemented:
            calls.silent = True
            return result
        return other

    return wrapper


def _broken(cls: type) -> type:
    """A class whose instances raise on every use."""

    def use(self: Any, *_: Any, **__: Any) -> Any:
        raise Spoiled(f"an object of {cls.__name__} was used")

    kept = {"__init__", "__new__", "__class__", "__del__", "__getattribute__", "__setattr__", "__delattr__", "__init_subclass__",
            "__subclasshook__", "__class_getitem__", "__dict__", "__doc__", "__module__", "__weakref__", "__slots__", "__hash__",
            "__annotations__", "__abstractmethods__", "__orig_bases__", "__parameters__", "__setstate__"}  # fmt: skip
    special = {n for c in cls.__mro__[:-1] for n in vars(c) if n.startswith("__") and n.endswith("__")} - kept
    special = {n for n in special if callable(getattr(cls, n, None))}
    return type(cls)(f"Spoiled{cls.__name__}", (cls,), dict.fromkeys([*special, "__getattribute__", "__setattr__"], use))


def _constructor(cls: type, original: Callable[..., Any], calls: Calls) -> Callable[..., Any]:
    broken = _broken(cls)

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        kind = type(self)
        own = kind is cls or (issubclass(kind, cls) and not f"{kind.__module__}.".startswith("minigrad."))
        if not own or not _from_outside():
            return
        calls.count += 1
        object.__setattr__(self, "__class__", broken if kind is cls else _broken(kind))

    return init


@contextmanager
def _set(target: Any, name: str, value: Any) -> Iterator[None]:
    """An attribute has another value in here."""
    own = vars(target).get(name)
    setattr(target, name, value)
    try:
        yield
    finally:
        if own is None:
            delattr(target, name)
        else:
            setattr(target, name, own)


@contextmanager
def spoiling(path: str, skip: bool = False) -> Iterator[Calls]:
    """minigrad with this public name spoiled; skip: calls do nothing and return None."""
    calls = Calls()
    place, _, name = path.rpartition(".")
    target = resolve(MINIGRAD.module, place) if place else MINIGRAD.module
    value = getattr(target, name)
    values = path not in WITHOUT_VALUES
    if isinstance(value, type):
        if issubclass(value, MINIGRAD.module.autograd.Function):  # never made, but applied
            with _set(value, "apply", classmethod(_function(value.apply.__func__, calls, skip, values))):
                yield calls
            return
        with _set(value, "__init__", _constructor(value, value.__init__, calls)):  # type: ignore[misc]
            yield calls
        return
    static = next((vars(c)[name] for c in getattr(target, "__mro__", ()) if name in vars(c)), None)
    if static is not None and not callable(static) and hasattr(static, "__get__"):  # a property or a slot
        get = _function(lambda self: static.__get__(self, type(self)), calls, skip, values)
        put = getattr(static, "__set__", None)
        with _set(target, name, property(get, None if put is None else lambda self, new: put(self, new))):
            yield calls
        return
    if isinstance(target, type) and not callable(static):  # an attribute of instances, with a default in the class
        get = _function(lambda self: vars(self).get(name, static), calls, skip, values)
        with _set(target, name, property(get, lambda self, new: vars(self).update({name: new}))):
            yield calls
        return
    with _set(target, name, _function(value, calls, skip, values)):
        yield calls


# -- the check of a case


def claimed(case: Case) -> list[str]:
    """The public names that a case says it covers; if it says none, the function of which it is a variant: add of add.alpha."""
    names = public()
    found = sorted(n for n in case.covers if n in names)
    if found:
        return found
    base = case.name
    while base and base not in names:
        base = base.rpartition(".")[0]
    return [base] if base else []


def _noticed(case: Case, path: str, examples: int, skip: bool) -> tuple[bool, Calls]:
    """Whether the comparison fails while this name is spoiled."""
    total = Calls()
    for seed in range(examples):
        engine = MINIGRAD.module
        # A spoiled switch may stay where it is: what is set in here is set back.
        with engine.inference_mode(False), engine.enable_grad(), spoiling(path, skip) as calls:
            try:
                check_example(case, Seeded(5000 + seed))
            except (Mismatch, Spoiled) as error:
                if not calls.count:
                    raise AssertionError(f"{case.name} fails without a fault: {error}") from error
                return True, calls
            finally:
                total.count += calls.count
                total.silent |= calls.silent
    return False, total


def idle(case: Case, examples: int = 40) -> dict[str, str]:
    """The names that a case claims in vain, and why."""
    found = {}
    labels = {form.label: form for form in case.forms}
    for path in claimed(case):
        tried = replace(case, forms=[labels[path]]) if path in labels else case
        noticed, calls = _noticed(tried, path, examples, skip=False)
        if not noticed and calls.silent:
            noticed, calls = _noticed(tried, path, examples, skip=True)
        if not noticed:
            found[path] = "it is called, and no wrong result would be noticed" if calls.count else "it is never called"
    return found
