"""Whole Jacobians and Hessians of functions. PyTorch: torch.autograd.functional.

The one file of this package that stands above ops/: rows of a Jacobian are stacked by a recorded operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..ops.join import stack
from .differentiate import grad
from .modes import enable_grad
from .variable import Variable, wrap


def _inputs(inputs: Any) -> tuple[tuple[Any, ...], bool]:
    single = isinstance(inputs, Variable)
    values = (inputs,) if single else tuple(inputs)
    leaves = []
    for x in values:
        if not isinstance(x, Variable):
            raise TypeError(f"the inputs must be Tensors or a tuple of Tensors, got {type(x).__name__}")
        leaf = wrap(x.array)
        leaf._requires_grad = True
        leaves.append(leaf)
    return tuple(leaves), single


def jacobian(
    func: Callable, inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """∂out/∂input, of shape (*out.shape, *input.shape), for each output and input. PyTorch: torch.autograd.functional.jacobian."""
    if strategy != "reverse-mode":
        raise NotImplementedError(
            f"jacobian: strategy={strategy!r} is not supported by minigrad; there is 'reverse-mode'"
        )
    with enable_grad():
        leaves, single_input = _inputs(inputs)
        if create_graph and isinstance(inputs, Variable) and inputs.requires_grad:  # type: ignore[attr-defined]
            leaves = (inputs,)
        out = func(*leaves)
        single_output = isinstance(out, Variable)
        table = []
        for y in (out,) if single_output else out:
            rows: list[tuple[Any, ...]] = []
            for k in range(y.array.size):
                one = np.zeros_like(y.array)
                one.flat[k] = 1
                found = (
                    grad(y, leaves, wrap(one), retain_graph=True, create_graph=create_graph, allow_unused=True)
                    if y.requires_grad
                    else (None,) * len(leaves)
                )
                rows.append(
                    tuple(wrap(np.zeros_like(x.array)) if g is None else g for g, x in zip(found, leaves, strict=True))
                )
            columns = zip(*rows, strict=True)
            blocks = tuple(
                stack(list(c)).reshape(*y.array.shape, *x.array.shape) for c, x in zip(columns, leaves, strict=True)
            )
            table.append(blocks[0] if single_input else blocks)
    return table[0] if single_output else tuple(table)


def hessian(
    func: Callable, inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """The second derivatives of a function of one value. PyTorch: torch.autograd.functional.hessian."""

    def first(*values: Any) -> Any:
        found = grad(func(*values), values, create_graph=True, allow_unused=True)
        found = tuple(wrap(np.zeros_like(x.array)) if g is None else g for g, x in zip(found, values, strict=True))
        return found[0] if isinstance(inputs, Variable) else found

    return jacobian(first, inputs, create_graph)
