"""Jacobians, Hessians, and their products with vectors. PyTorch: torch.autograd.functional.

The one file of this package that stands above ops/: rows of a Jacobian are stacked by a recorded operation.

strict=True raises where something does not depend on an input; otherwise the derivative is zeros. create_graph=True makes
the results differentiable. vectorize changes nothing here: there is one way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..foreign import said
from ..ops.join import stack
from ..ops.shape import view_as
from .differentiate import grad
from .modes import enable_grad
from .variable import Variable, wrap

# -- what all have in common


def _as_tuple(value: Any, what: str, function: str) -> tuple[tuple[Any, ...], bool]:
    """Tensors as a tuple, and whether it was one alone."""
    alone = isinstance(value, Variable)
    values = (value,) if alone else value
    if not isinstance(values, tuple):
        raise TypeError(
            f"The {what} given to {function} must be either a Tensor or a tuple of Tensors but the given {what} has type "
            f"{said(value)}."
        )
    for i, x in enumerate(values):
        if not isinstance(x, Variable):
            raise TypeError(
                f"The {what} given to {function} must be either a Tensor or a tuple of Tensors but the value at index {i} of "
                f"the given {what} has type {said(x)}."
            )
    return values, alone


def _leaves(inputs: Sequence[Any], create_graph: bool) -> tuple[Any, ...]:
    """Tensors of this call's own in place of the inputs; with create_graph gradients flow on to the inputs."""
    made = []
    for x in inputs:
        if create_graph and x.requires_grad:
            made.append(view_as(x, x))
        else:
            made.append(wrap(x.array[...]).requires_grad_())
    return tuple(made)


def _called(func: Callable, inputs: Any, function: str, create_graph: bool) -> tuple[Any, bool, Any, bool]:
    """Own inputs, whether it was one alone; the outputs, and whether it was one alone."""
    values, alone = _as_tuple(inputs, "inputs", function)
    leaves = _leaves(values, create_graph)
    outputs, alone_out = _as_tuple(func(*leaves), "outputs of the user-provided function", function)
    return leaves, alone, outputs, alone_out


def _require_recorded(outputs: Sequence[Any], strict: bool, what: str = "Output") -> None:
    for i, y in enumerate(outputs):
        if strict and not y.requires_grad:
            raise RuntimeError(
                f"{what} {i} of the user-provided function does not require gradients. The outputs must be computed in a "
                "differentiable manner from the input when running in strict mode."
            )


def _gradients(
    outputs: Sequence[Any], inputs: Sequence[Any], v: Sequence[Any] | None, create_graph: bool, strict: bool,
    message: str = "The output of the user-provided function is independent of input {}. This is not allowed in strict mode.",
) -> tuple[Any, ...]:  # fmt: skip
    kept = [i for i, y in enumerate(outputs) if y.requires_grad]
    found: tuple[Any, ...] = (None,) * len(inputs)
    if kept:
        given = None if v is None else [v[i] for i in kept]
        found = grad(
            [outputs[i] for i in kept], inputs, given, retain_graph=True, create_graph=create_graph, allow_unused=True
        )
    results = []
    for i, (g, x) in enumerate(zip(found, inputs, strict=True)):
        if g is None and strict:
            raise RuntimeError(message.format(i))
        results.append(wrap(np.zeros_like(x.array)) if g is None else g)
    return tuple(results)


def _result(values: Sequence[Any], alone: bool, create_graph: bool) -> Any:
    kept = tuple(values) if create_graph else tuple(wrap(v.array) if v.requires_grad else v for v in values)
    return kept[0] if alone else kept


def _vector(v: Any, like: Sequence[Any], alone: bool, function: str, whose: str) -> tuple[Any, ...]:
    """v as a tuple of tensors of these shapes; ones where it is left out and there is one element."""
    if v is None:
        if len(like) != 1 or like[0].array.size != 1:
            raise RuntimeError(f"The vector v can only be None if {whose} a single Tensor with a single element.")
        return (wrap(np.ones_like(like[0].array)),)
    values, _ = _as_tuple(v, "v", function)
    if len(values) != len(like):
        raise RuntimeError(
            f"v is a tuple of invalid length: should be {len(like)} but got {len(values)}."
            if len(like) > 1
            else "The given v should contain a single Tensor."
        )
    for i, (x, y) in enumerate(zip(values, like, strict=True)):
        if x.array.shape != y.array.shape:
            prefix = f"Entry {i} in v" if len(like) > 1 else "v"
            raise RuntimeError(f"{prefix} has invalid size: should be {y.shape} but got {x.shape}.")
    return values


_OUTPUT, _INPUT = "the user-provided function returns", "the input to the user-provided function is"


def _one_value(out: Any, function: str) -> None:
    if not isinstance(out, Variable):
        raise RuntimeError(f"The function given to {function} should return a single Tensor")
    if out.array.size != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {function} should contain a single element")


_INDEPENDENT = (
    "While computing the hessian, found that the jacobian of the user-provided function with respect to input {} is "
    "independent of the input. This is not allowed in strict mode. You should ensure that your function is twice "
    "differentiable."
)


def _refuse_both(function: str, strict: bool, vectorize: bool) -> None:
    if strict and vectorize:
        raise RuntimeError(
            f"torch.autograd.functional.{function}: `strict=True` and `vectorized=True` are not supported together. Please "
            "either set `strict=False` or `vectorize=False`."
        )


# -- whole matrices


def jacobian(
    func: Callable, inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """∂out/∂input, of shape (*out.shape, *input.shape), for each output and input, a row at a time.

    strategy "forward-mode" is computed in the same way. PyTorch: torch.autograd.functional.jacobian.
    """
    assert strategy in ("forward-mode", "reverse-mode"), (
        'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs than '
        'inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".'
    )
    if strategy == "forward-mode":
        if create_graph:
            raise NotImplementedError(
                'torch.autograd.functional.jacobian: `create_graph=True` and `strategy="forward-mode"` are not supported together'
            )
        if not vectorize:
            raise NotImplementedError(
                "Computing Jacobian using forward-AD or forward-over-reverse Hessian is only implemented for `vectorize=True`."
            )
    _refuse_both("jacobian", strict, vectorize)
    with enable_grad():
        leaves, alone, outputs, alone_out = _called(func, inputs, "jacobian", create_graph)
        _require_recorded(outputs, strict)
        table = []
        for i, y in enumerate(outputs):
            message = f"Output {i} of the user-provided function is independent of input {{}}. This is not allowed in strict mode."
            rows = []
            for k in range(y.array.size):
                one = np.zeros_like(y.array)
                one.flat[k] = 1
                rows.append(_gradients([y], leaves, [wrap(one)], create_graph, strict, message))
            blocks = [
                stack(list(column)).reshape((*y.array.shape, *x.array.shape))
                for column, x in zip(zip(*rows, strict=True), leaves, strict=True)
            ] if rows else [wrap(np.zeros((*y.array.shape, *x.array.shape), x.array.dtype)) for x in leaves]  # fmt: skip
            table.append(_result(blocks, alone, create_graph))
    return table[0] if alone_out else tuple(table)


def hessian(
    func: Callable, inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """The second derivatives of a function of one value, of shape (*input.shape, *input.shape) for each pair of inputs.

    PyTorch: torch.autograd.functional.hessian.
    """
    assert outer_jacobian_strategy in ("forward-mode", "reverse-mode"), (
        'Expected strategy to be either "forward-mode" or "reverse-mode".'
    )
    _refuse_both("hessian", strict, vectorize)
    values, alone = _as_tuple(inputs, "inputs", "hessian")
    if any(not x.array.size for x in values):
        raise RuntimeError("hessian(): an input without elements has no second derivatives to be stacked")

    def first(*leaves: Any) -> Any:
        out = func(*leaves)
        _one_value(out, "hessian")
        _require_recorded([out], strict)
        found = _gradients(
            [out], leaves, None if out.array.ndim == 0 else [wrap(np.ones_like(out.array))], True, strict
        )
        for i, g in enumerate(found):
            if strict and not g.requires_grad:
                raise RuntimeError(_INDEPENDENT.format(i))
        return found[0] if alone else found

    with enable_grad():
        return jacobian(first, values[0] if alone else values, create_graph, strict)


# -- products with vectors


def vjp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(out, v · ∂out/∂input for each input). PyTorch: torch.autograd.functional.vjp."""
    with enable_grad():
        leaves, alone, outputs, alone_out = _called(func, inputs, "vjp", create_graph)
        _require_recorded(outputs, strict)
        along = _vector(v, outputs, alone_out, "vjp", _OUTPUT)
        found = _gradients(outputs, leaves, along, create_graph, strict)
    return _result(outputs, alone_out, create_graph), _result(found, alone, create_graph)


def jvp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(out, ∂out/∂input · v), by two backward passes. PyTorch: torch.autograd.functional.jvp."""
    with enable_grad():
        values, _ = _as_tuple(inputs, "inputs", "jvp")
        along = _vector(v, values, False, "jvp", _INPUT)
        leaves, _, outputs, alone_out = _called(func, inputs, "jvp", create_graph)
        _require_recorded(outputs, strict)
        weights = tuple(wrap(np.zeros_like(y.array)).requires_grad_() for y in outputs)
        first = _gradients(outputs, leaves, weights, True, strict)
        found = _gradients(first, weights, along, create_graph, False)
    return _result(outputs, alone_out, create_graph), _result(found, alone_out, create_graph)


def _first(func: Callable, inputs: Any, function: str, create_graph: bool, strict: bool) -> tuple[Any, bool, Any, Any]:
    """Own inputs, whether it was one alone, the value of the function, and its gradients."""
    values, alone = _as_tuple(inputs, "inputs", function)
    leaves = _leaves(values, create_graph)
    out = func(*leaves)
    _one_value(out, function)
    _require_recorded([out], strict)
    first = _gradients([out], leaves, [wrap(np.ones_like(out.array))], True, strict)
    for i, g in enumerate(first):
        if strict and not g.requires_grad:
            raise RuntimeError(_INDEPENDENT.format(i))
    return leaves, alone, out, first


def vhp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(out, v · Hessian) of a function of one value. PyTorch: torch.autograd.functional.vhp."""
    with enable_grad():
        values, _ = _as_tuple(inputs, "inputs", "vhp")
        along = _vector(v, values, False, "vhp", _INPUT)
        leaves, alone, out, first = _first(func, inputs, "vhp", create_graph, strict)
        found = _gradients(first, leaves, along, create_graph, strict)
    return _result([out], True, create_graph), _result(found, alone, create_graph)


def hvp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(out, Hessian · v) of a function of one value; the Hessian is symmetric. PyTorch: torch.autograd.functional.hvp."""
    with enable_grad():
        values, _ = _as_tuple(inputs, "inputs", "hvp")
        along = _vector(v, values, False, "hvp", _INPUT)
        leaves, alone, out, first = _first(func, inputs, "hvp", create_graph, strict)
        weights = tuple(wrap(np.zeros_like(g.array)).requires_grad_() for g in first)
        double = _gradients(first, leaves, weights, True, strict)
        found = _gradients(double, weights, along, create_graph, strict)
    return _result([out], True, create_graph), _result(found, alone, create_graph)
