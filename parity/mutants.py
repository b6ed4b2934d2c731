"""Planted faults, to check the checker: each must be found by the cases that are named with it.

    with planted("mul: gradients swapped"):
        ...                       # minigrad is wrong in here

A fault replaces one function of the engine for as long as the context lasts. They are the mistakes that people make: a sign, a
factor, a forgotten sum, a swapped operand, a dropped term, a wrong tie, a bias correction left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Mutant:
    """A fault: `owner` ("ops.arithmetic:Mul") and the attribute that `replace(original)` takes the place of."""

    owner: str
    attribute: str
    replace: Callable[[Any], Any]
    cases: tuple[str, ...]  # at least one of them must fail


MUTANTS: dict[str, Mutant] = {}


def mutant(name: str, owner: str, attribute: str, replace: Callable[[Any], Any], *cases: str) -> None:
    MUTANTS[name] = Mutant(owner, attribute, replace, cases)


def _resolve(owner: str) -> Any:
    module, _, name = owner.partition(":")
    found: Any = import_module(f"minigrad.{module}" if module else "minigrad")
    return getattr(found, name) if name else found


@contextmanager
def planted(name: str) -> Iterator[None]:
    """minigrad with this fault."""
    fault = MUTANTS[name]
    target = _resolve(fault.owner)
    own = vars(target).get(fault.attribute)
    original = getattr(target, fault.attribute)
    changed = fault.replace(original)
    setattr(target, fault.attribute, staticmethod(changed) if isinstance(own, staticmethod) else changed)
    try:
        yield
    finally:
        if own is None:
            delattr(target, fault.attribute)
        else:
            setattr(target, fault.attribute, own)


# -- how backwards go wrong


def scaled(factor: float) -> Callable[[Any], Any]:
    """All gradients times a factor."""

    def replace(backward: Callable[..., Any]) -> Callable[..., Any]:
        def wrong(ctx: Any, *grads: Any) -> Any:
            return _each(backward(ctx, *grads), lambda g: g * factor)

        return wrong

    return replace


def _each(result: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(result, tuple | list):
        return tuple(None if g is None else change(g) for g in result)
    return None if result is None else change(result)


def swapped(backward: Callable[..., Any]) -> Callable[..., Any]:
    """The first two gradients exchanged."""

    def wrong(ctx: Any, *grads: Any) -> Any:
        a, b, *rest = backward(ctx, *grads)
        return (b, a, *rest)

    return wrong


def second_negated(backward: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(ctx: Any, *grads: Any) -> Any:
        a, b, *rest = backward(ctx, *grads)
        return (a, None if b is None else -b, *rest)

    return wrong


def passed_on(backward: Callable[..., Any]) -> Callable[..., Any]:
    """The gradient of the output as the gradient of the input: the derivative forgotten."""

    def wrong(ctx: Any, grad: Any) -> Any:
        result = backward(ctx, grad)
        return (grad, *[None] * (len(result) - 1)) if isinstance(result, tuple | list) else grad

    return wrong


def with_ones(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Right only for a gradient of ones, the fault that `loss = out.sum()` cannot see."""

    def wrong(ctx: Any, grad: Any) -> Any:
        return backward(ctx, grad * 0 + 1)

    return wrong


def squared_gradient(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Linear no more in the incoming gradient."""

    def wrong(ctx: Any, grad: Any) -> Any:
        return backward(ctx, grad * abs(grad))

    return wrong


def backward_of(operation: str, change: Callable[[Any], Any], fault: str, *cases: str) -> None:
    name = operation.rpartition(":")[2]
    mutant(f"{name}: {fault}", operation, "backward", change, *cases)


A = "ops.arithmetic:"
backward_of(A + "Mul", swapped, "gradients swapped", "mul")
backward_of(A + "Sub", lambda b: lambda ctx, g: (g, g), "sign of the second forgotten", "sub")
backward_of(A + "Div", second_negated, "sign of the second wrong", "div")
backward_of(A + "Pow", scaled(1.001), "a factor 1.001", "pow")
backward_of(A + "Abs", passed_on, "derivative forgotten", "abs")
backward_of(A + "Square", scaled(0.5), "the factor 2 forgotten", "square")
backward_of(A + "Square", with_ones, "incoming gradient ignored", "square")
mutant(
    "Maximum: a tie goes to the first whole", A + "Maximum", "backward",
    lambda b: lambda ctx, g: (g * (ctx.saved_tensors[0] >= ctx.saved_tensors[1]), g * (ctx.saved_tensors[0] < ctx.saved_tensors[1])),
    "maximum",
)  # fmt: skip
mutant(
    "Clamp: no gradient on the bounds", A + "Clamp", "backward",
    lambda b: lambda ctx, g: (g * _inside(ctx), None, None),
    "clamp",
)  # fmt: skip


def _inside(ctx: Any) -> Any:
    (x,) = ctx.saved_tensors
    low, high = -np.inf if ctx.low is None else ctx.low, np.inf if ctx.high is None else ctx.high
    return (x > low) & (x < high)


P = "ops.pointwise:"
backward_of(P + "Exp", passed_on, "derivative forgotten", "exp")
backward_of(P + "Log", scaled(1 + 1e-9), "an error of 1e-9", "log")
backward_of(P + "Sqrt", scaled(2.0), "the factor 2 forgotten", "sqrt")
backward_of(P + "Exp", squared_gradient, "not linear in the gradient", "exp")

# -- the walk


def _no_unbroadcast(original: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(gradient: Any, shape: tuple[int, ...]) -> Any:
        """Takes one row where it should sum them."""
        while len(gradient.shape) > len(shape):
            gradient = gradient[0]
        for i, n in enumerate(shape):
            if n == 1 and gradient.shape[i] != 1:
                gradient = gradient[(slice(None),) * i + (slice(0, 1),)]
        return gradient

    return wrong


mutant("unbroadcast: takes one row, where rows must be added", "autograd", "unbroadcast", _no_unbroadcast, "add", "mul")


def _overwrites(original: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(self: Any, gradient: Any) -> Any:
        self.variable._grad = None
        return original(self, gradient)

    return wrong


mutant("AccumulateGrad: overwrites, where it should add", "autograd:AccumulateGrad", "accumulate", _overwrites, "Tensor.backward")


def _shares(original: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(ctx: Any, grad: Any) -> Any:
        result = original(ctx, grad)
        first = result[0]
        if isinstance(first, np.ndarray) and first.size:
            first *= 1.0000001  # in place: the incoming gradient is somebody else's
        return result

    return wrong


mutant("Add: writes into the incoming gradient", A + "Add", "backward", _shares, "add", "graph.reuse")
