"""Does a case call what it claims to cover, and would the comparison notice if that were wrong?

Each name that a case covers is *spoiled* while the case runs on drawn inputs: minigrad's function computes, and something
else comes back. The comparison with PyTorch must then fail on some draw. If it does not, the case never calls the name, or
throws the result away, or looks only at what no fault would change. Spoiled are, one after the other,

    value       a number moves, a truth is turned round, a tensor holds other values, an object can no longer be used
    part k      the same of one part alone, where a tuple comes back
    gradient    the values stay and their gradient is another, where what came back has one; or the inputs' gradient is
    nothing     nothing is done and None comes back, where what came back has no other value (None, a handle, a generator)

Only calls from outside minigrad are spoiled. `nn.Linear` calls `linear` too, and a case of the module must not count as
one of the function.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minigrad.autograd import Function
from minigrad.autograd.variable import wrap

from .agreement import Mismatch, check_example
from .case import CASES, Case, resolve
from .engines import MINIGRAD
from .inputs import Seeded
from .public import public

MACHINERY = ("minigrad.", "parity.agreement.", "parity.engines.")  # whose calls are not the case's

# Of a fresh array's values nothing is known, so a case can compare its shape and dtype only.
WITHOUT_VALUES = {"empty", "empty_like", "empty_strided", "Tensor.new_empty", "Tensor.new_empty_strided"}
# PyTorch has no derivative of these ("derivative for aten::floor_divide is not implemented"); minigrad has the one that
# follows from the definition, and nothing to be compared with.
# The two of fusion give parameters, whose history begins with them.
WITHOUT_GRADIENT = {
    "nn.utils.fuse_conv_bn_weights", "nn.utils.fuse_linear_bn_weights",
    "floor_divide", "Tensor.floor_divide", "Tensor.__floordiv__", "Tensor.__rfloordiv__", "Tensor.__rmod__",
}  # fmt: skip


class Spoiled(Exception):
    """A spoiled object was used."""


@dataclass
class Calls:
    """What happened to a name while a case ran."""

    count: int = 0
    silent: bool = False  # nothing that can be spoiled came back
    parts: int = 0  # of the longest tuple that came back
    differentiable: bool = False  # a tensor with a gradient came back

    def add(self, other: Calls) -> None:
        self.count += other.count
        self.silent |= other.silent
        self.parts = max(self.parts, other.parts)
        self.differentiable |= other.differentiable


# -- other results


class _WrongGradient(Function):
    """x ↦ x, with the gradient 2 dy + ½."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad * 2 + 0.5


class _WrongValues(Function):
    """Other values, with the gradient of x ↦ x."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return wrap(_other_array(x.array))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad


def _other_array(x: np.ndarray) -> np.ndarray:
    """Other values of the same shape and dtype."""
    if x.dtype.kind == "b":
        return ~x
    if x.dtype.kind == "f":
        with np.errstate(all="ignore"):
            return np.where(np.isfinite(x), x * 1.5 + 0.25, 0.375).astype(x.dtype)
    return (x + 1).astype(x.dtype)


def _other_tensor(x: Any, values: bool = True) -> Any:
    if not values:
        return wrap(np.zeros((*x.array.shape, 2), x.array.dtype))
    if not x.requires_grad:
        return wrap(_other_array(x.array))
    # The gradient stays right: a case that looks at nothing else must not be saved by it.
    tensor = _WrongValues.apply(x)
    return tensor if tensor.requires_grad else tensor.requires_grad_()


def other(x: Any, values: bool = True) -> Any:
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
        parts = [other(part, values) for part in x]
        if not x:
            return [0]
        return NotImplemented if any(part is NotImplemented for part in parts) else _built(x, parts)
    if isinstance(x, dict) and x:
        return {key: other(value, values) for key, value in x.items()}
    if hasattr(x, "__next__"):
        return (other(part, values) for part in x)
    return NotImplemented


def _built(like: Any, parts: list) -> Any:
    return type(like)(*parts) if hasattr(like, "_fields") else type(like)(parts)


def _with_wrong_gradient(x: Any, calls: Calls) -> Any:
    """The same values with another gradient."""
    if isinstance(x, MINIGRAD.Tensor) and x.requires_grad:
        calls.differentiable = True
        return _WrongGradient.apply(x)
    if type(x) in (tuple, list) or hasattr(x, "_fields"):
        return _built(x, [_with_wrong_gradient(part, calls) for part in x])
    return x


# -- the spoiling of one name


def _from_outside() -> bool:
    """Whether the caller of the spoiled function is the case."""
    name = sys._getframe(2).f_globals.get("__name__", "")
    return not f"{name}.".startswith(MACHINERY)


def _function(original: Callable[..., Any], calls: Calls, fault: str | int, values: bool = True) -> Callable[..., Any]:
    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not _from_outside():
            return original(*args, **kwargs)
        calls.count += 1
        if fault == "nothing":
            return None
        if fault == "gradient":
            return _with_wrong_gradient(original(*args, **kwargs), calls)
        if fault == "input gradient":
            return original(*(_with_wrong_gradient(a, calls) for a in args), **kwargs)
        before = [a.array.copy() if isinstance(a, MINIGRAD.Tensor) else None for a in args]
        result = original(*args, **kwargs)
        for a, old in zip(args, before, strict=True):
            if result is a and isinstance(a, MINIGRAD.Tensor):  # in place, or there was nothing to do
                if old is None or np.array_equal(a.array, old, equal_nan=a.array.dtype.kind == "f"):
                    return _other_tensor(a, values)
                np.copyto(a.array, _other_array(a.array))
                return result
        if isinstance(result, tuple) and not isinstance(result, MINIGRAD.module.Size):
            calls.parts = max(calls.parts, len(result))
        if isinstance(fault, int):
            if not isinstance(result, tuple) or fault >= len(result):
                return result
            parts = list(result)
            parts[fault] = other(parts[fault], values)
            return result if parts[fault] is NotImplemented else _built(result, parts)
        changed = other(result, values)
        if changed is NotImplemented:
            calls.silent = True
            return result
        return changed

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
    return type(cls)(
        f"Spoiled{cls.__name__}", (cls,), dict.fromkeys([*special, "__getattribute__", "__setattr__"], use)
    )


def _constructor(cls: type, original: Callable[..., Any], calls: Calls) -> Callable[..., Any]:
    """`__init__` of objects that cannot be used: of this class, or of a class that the case derives from it."""

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        if original is not object.__init__:  # (of a tuple it takes no arguments: `__new__` has them)
            original(self, *args, **kwargs)
        kind = type(self)
        own = kind is cls or (issubclass(kind, cls) and not f"{kind.__module__}.".startswith("minigrad."))
        if own and _from_outside():
            calls.count += 1
            object.__setattr__(self, "__class__", _broken(kind))

    return init


@contextmanager
def _set(target: Any, name: str, value: Any) -> Iterator[None]:
    """An attribute has another value in here."""
    inherited = name not in vars(target)
    own = vars(target).get(name)
    setattr(target, name, value)
    try:
        yield
    finally:
        if inherited:
            delattr(target, name)
        else:
            setattr(target, name, own)


@contextmanager
def spoiling(path: str, fault: str | int = "value") -> Iterator[Calls]:
    """minigrad with this public name spoiled: "value", "gradient", "input gradient", "nothing", or a part's number."""
    calls = Calls()
    place, _, name = path.rpartition(".")
    target = resolve(MINIGRAD.module, place) if place else MINIGRAD.module
    found = getattr(target, name)
    spoil = functools.partial(_function, calls=calls, fault=fault, values=path not in WITHOUT_VALUES)
    changed: Any
    if isinstance(found, type) and issubclass(found, Function):  # never made, but applied
        target, name, changed = found, "apply", classmethod(spoil(vars(Function)["apply"].__func__))
    elif isinstance(found, type):
        target, name, changed = found, "__init__", _constructor(found, found.__init__, calls)  # type: ignore[misc]
    elif isinstance(target, type):
        held = next(vars(c)[name] for c in target.__mro__ if name in vars(c))
        if callable(held):
            changed = spoil(found)
        elif hasattr(held, "__get__"):  # a property or a slot
            changed = property(spoil(lambda self: held.__get__(self, type(self))), getattr(held, "__set__", None))
        else:  # an attribute of the instances, with a default in the class
            changed = property(
                spoil(lambda self: vars(self).get(name, held)), lambda self, new: vars(self).update({name: new})
            )
    else:
        changed = spoil(found)
    with _set(target, name, changed):
        yield calls


# -- the check of a case


def claimed(case: Case, names: Collection[str] | None = None) -> list[str]:
    """The public names that a case says it covers; if it says none, the function of which it is a variant: add of add.alpha.

    names: all public names, from one who asks of many cases.
    """
    names = public() if names is None else names
    found = sorted(n for n in case.covers if n in names)
    if found:
        return found
    base = case.name
    while base and base not in names:
        base = base.rpartition(".")[0]
    return [base] if base else []


def _noticed(case: Case, path: str, fault: str | int, examples: int) -> tuple[bool, Calls]:
    """Whether the comparison fails while this name is spoiled."""
    total = Calls()
    engine = MINIGRAD.module
    for seed in range(examples):
        # A spoiled switch may stay where it is: what is set in here is set back.
        with engine.inference_mode(False), engine.enable_grad(), spoiling(path, fault) as calls:
            try:
                check_example(case, Seeded(5000 + seed))
            except (Mismatch, Spoiled) as error:
                if not calls.count:
                    raise AssertionError(f"{case.name} fails without a fault: {error}") from error
                total.add(calls)
                return True, total
        total.add(calls)
        if fault == "gradient" and seed > 10 and not total.differentiable:
            break  # of integers, shapes, settings there is no gradient
    return False, total


def idle(case: Case, examples: int = 40, names: Collection[str] | None = None) -> dict[str, str]:
    """The names that a case claims in vain, and why. names: all public names, as for `claimed`."""
    found = {}
    labels = {form.label: form for form in case.forms}
    for path in claimed(case, names):
        tried = replace(case, forms=[labels[path]]) if path in labels else case
        noticed, calls = _noticed(tried, path, "value", examples)
        if not noticed and calls.silent:
            noticed, calls = _noticed(tried, path, "nothing", examples)
        if not noticed:
            found[path] = "it is called, and no wrong result would be noticed" if calls.count else "it is never called"
            continue
        unseen = [part for part in range(min(calls.parts, 4)) if not _noticed(tried, path, part, examples)[0]]
        if unseen:
            found[path] = f"wrong values in part {unseen[0]} of the result would not be noticed"
            continue
        if path in WITHOUT_GRADIENT or path not in case.covers:  # a variant may be about the values alone
            continue
        if not case.gradient and any(c.gradient and path in c.covers for c in CASES.values()):
            continue
        noticed, calls = _noticed(tried, path, "gradient", examples)
        if calls.differentiable and not noticed:  # behind sign() every gradient becomes 0
            noticed, calls = _noticed(tried, path, "input gradient", examples)
        if calls.differentiable and not noticed:
            found[path] = "a wrong gradient would not be noticed"
    return found
