"""Is a gradient right? Compared with central differences, for a function's own check without another engine.

    gradcheck(fn, inputs)      ∂out_j/∂x_i by backward, against (f(x + eps e_i) - f(x - eps e_i)) / 2 eps
    gradgradcheck(fn, inputs)  the same for the function that gives the gradients

Use float64: in float32 the differences drown in rounding. PyTorch: torch.autograd.gradcheck.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import random
from ..missing import refuse
from ..quiet import quiet
from .differentiate import grad
from .variable import Variable, wrap


class GradcheckError(RuntimeError):
    """A gradient that is not what central differences say."""


def _tensors(values: Any) -> tuple[Any, ...]:
    return tuple(values) if isinstance(values, tuple | list) else (values,)


def _floating_outputs(out: Any) -> list[Any]:
    outputs = [x for x in _tensors(out) if isinstance(x, Variable) and x.array.dtype.kind == "f"]
    if not outputs:
        raise ValueError(
            "gradcheck: the function returned no floating-point tensor, so there is nothing to differentiate"
        )
    return outputs


def gradcheck(
    func: Callable, inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3, raise_exception: bool = True,
    nondet_tol: float = 0.0, check_undefined_grad: bool = True, check_grad_dtypes: bool = False,
    check_batched_grad: bool = False, check_batched_forward_grad: bool = False, check_forward_ad: bool = False,
    check_backward_ad: bool = True, fast_mode: bool = False, masked: bool | None = None,
) -> bool:  # fmt: skip
    """Whether the gradients of func(*inputs) by the inputs that require grad agree with central differences.

    Raises GradcheckError (or returns False, with raise_exception=False) and says at which output and input they part.
    """
    if not check_backward_ad and not check_forward_ad:
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    refuse(
        "gradcheck", check_grad_dtypes=check_grad_dtypes, check_batched_grad=check_batched_grad,
        check_batched_forward_grad=check_batched_forward_grad, check_forward_ad=check_forward_ad, masked=masked,
    )  # fmt: skip
    inputs = _tensors(inputs)
    wanted = [x for x in inputs if isinstance(x, Variable) and x.requires_grad]  # type: ignore[attr-defined]
    if not wanted:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have requires_grad=True."
        )
    try:
        _compare(func, inputs, wanted, eps, atol, rtol, nondet_tol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _compare(
    func: Callable, inputs: tuple, wanted: list[Any], eps: float, atol: float, rtol: float, nondet_tol: float
) -> None:
    outputs = _floating_outputs(func(*inputs))
    again = _floating_outputs(func(*inputs))
    for a, b in zip(outputs, again, strict=True):
        if not np.allclose(a.array, b.array, rtol=0, atol=nondet_tol, equal_nan=True):
            raise GradcheckError(
                "gradcheck: two calls with the same inputs gave different outputs: the function has random parts"
            )
    for j, out in enumerate(outputs):
        analytic = [np.zeros((x.array.size, out.array.size)) for x in wanted]
        if out.requires_grad:
            for k in range(out.array.size):
                cotangent = np.zeros_like(out.array)
                cotangent.flat[k] = 1
                gradients = grad(out, wanted, wrap(cotangent), retain_graph=True, allow_unused=True)
                for matrix, g in zip(analytic, gradients, strict=True):
                    if g is not None:
                        matrix[:, k] = g.array.ravel()
        for i, (x, matrix) in enumerate(zip(wanted, analytic, strict=True)):
            numeric = _differences(func, inputs, x, j, eps)
            if not np.allclose(matrix, numeric, rtol=rtol, atol=atol, equal_nan=True):
                raise GradcheckError(
                    f"Jacobian mismatch for output {j} with respect to input {i},\nnumerical:{numeric}\nanalytical:{matrix}\n"
                )


def _differences(func: Callable, inputs: tuple, x: Any, j: int, eps: float) -> np.ndarray:
    """∂out_j/∂x, rows by elements of x, columns by elements of the output."""
    rows = []
    flat = x.array.reshape(-1)
    shared = np.shares_memory(flat, x.array)
    for k in range(x.array.size):
        values = []
        for step in (eps, -eps):
            old = flat[k]
            flat[k] = old + step
            if not shared:
                x.array[...] = flat.reshape(x.array.shape)
            values.append(_floating_outputs(func(*inputs))[j].array.astype(np.float64).ravel().copy())
            flat[k] = old
            if not shared:
                x.array[...] = flat.reshape(x.array.shape)
        rows.append(_slope(values[0], values[1], eps))
    return np.array(rows).reshape(x.array.size, -1)


@quiet
def _slope(above: np.ndarray, below: np.ndarray, eps: float) -> np.ndarray:
    return (above - below) / (2 * eps)


def gradgradcheck(
    func: Callable, inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False, raise_exception: bool = True, nondet_tol: float = 0.0,
    check_undefined_grad: bool = True, check_grad_dtypes: bool = False, check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False, check_rev_over_rev: bool = True, fast_mode: bool = False, masked: bool = False,
) -> bool:  # fmt: skip
    """Whether the second derivatives of func(*inputs) agree with central differences of the first.

    grad_outputs: what the outputs' gradients are taken to be; drawn at random where not given.
    """
    if not check_rev_over_rev and not check_fwd_over_rev:
        raise AssertionError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    refuse(
        "gradgradcheck", check_grad_dtypes=check_grad_dtypes, check_batched_grad=check_batched_grad,
        check_fwd_over_rev=check_fwd_over_rev, masked=masked,
    )  # fmt: skip
    inputs = _tensors(inputs)
    outputs = _floating_outputs(func(*inputs))
    if grad_outputs is None:
        # Drawn from a generator of its own: a check should not move the program's random stream.
        generator = random.Generator().manual_seed(0)
        cotangents = [wrap(generator.normal(x.array.shape, x.array.dtype)) for x in outputs]
        for g in cotangents:
            g.requires_grad_(True)
    else:
        cotangents = list(_tensors(grad_outputs))
    wanted = [i for i, x in enumerate(inputs) if isinstance(x, Variable) and x.requires_grad]  # type: ignore[attr-defined]
    n = len(inputs)

    def first_derivative(*values: Any) -> tuple[Any, ...]:
        out = [x for x in _floating_outputs(func(*values[:n])) if x.requires_grad]
        found = grad(out, [values[i] for i in wanted], list(values[n:]), create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        first_derivative, (*inputs, *cotangents), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
        nondet_tol=nondet_tol,
    )  # fmt: skip
