"""Integrals and derivatives of samples: the trapezoidal rule, and central differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import Variable
from ..public import public
from .axes import axes_of
from .checks import refuse_type
from .cumulative import cumsum, diff
from .dims import normalize_dim
from .join import cat
from .operands import not_for_bool, to_float
from .parts import narrow
from .reduce import sum

if TYPE_CHECKING:
    from ..tensor import Tensor


def _trapezoids(name: str, y: Tensor, x: Tensor | None, dx: float | None, dim: int) -> Any:
    """The areas between neighbouring samples along dim: (y₀ + y₁) / 2 times their distance, whole numbers as floats."""
    if any(z is not None and z.array.dtype.kind == "b" for z in (y, x)):
        raise RuntimeError(f"{name}: received a bool input for `x` or `y`, but bool is not supported")
    y, x = to_float(y), None if x is None else to_float(x)
    if x is not None and dx is not None:
        raise TypeError(f"{name}() takes x (the places) or dx (their distance), not both")
    dim = normalize_dim(dim, y.array.ndim)
    if not y.array.ndim:
        raise IndexError(f"{name}() cannot be applied to a 0-dim tensor.")
    n = y.array.shape[dim]
    if n == 0:
        return narrow(y, dim, 0, 0)
    means = (narrow(y, dim, 0, n - 1) + narrow(y, dim, 1, n - 1)) / 2
    if x is None:
        return means * (1 if dx is None else dx)
    if x.array.ndim == 1:
        if x.array.size != n:
            raise RuntimeError(
                f"{name}(): There must be one `x` value for each sample point: x has {x.array.size}, y has {n} along "
                f"dimension {dim}"
            )
        return means * diff(x).reshape(-1, *(1,) * (y.array.ndim - 1 - dim))
    return means * diff(x, dim=dim if x.array.ndim > y.array.ndim else dim - y.array.ndim)


def _counted(y: Tensor, x: Tensor | None, dim: int) -> int:
    """dim of the areas: counted from the front where x has dimensions that y has not (as PyTorch), else from the back."""
    dim = normalize_dim(dim, y.array.ndim)
    return dim if x is not None and x.array.ndim > y.array.ndim else dim - y.array.ndim


@public(also="trapz")
def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1) -> Tensor:
    """∫ y along dim by the trapezoidal rule: samples at the places x, or at equal distances dx (1).

    x: of one dimension, or broadcast with y. PyTorch: torch.trapezoid.
    """
    areas = _trapezoids("trapezoid", y, x, dx, dim)
    if not y.array.shape[dim]:  # as in PyTorch the integral of nothing depends on nothing
        areas = areas.detach()
    return sum(areas, _counted(y, x, dim))


@public
def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1) -> Tensor:
    """As `trapezoid`, the integral up to each sample but the first. PyTorch: torch.cumulative_trapezoid."""
    return cumsum(_trapezoids("cumulative_trapezoid", y, x, dx, dim), _counted(y, x, dim))


def _along(y: Tensor, spacing: Any, dim: int, edge_order: int) -> Tensor:
    """dy/dx along one dimension: central differences of second order, at the ends one-sided ones of `edge_order`."""
    n = y.array.shape[dim]

    def at(start: int, length: int = 1) -> Any:
        return narrow(y, dim, start if start >= 0 else n + start, length)

    if isinstance(spacing, Variable):  # the places of the samples, and in floats how far they are apart
        step = diff(to_float(spacing)).reshape(-1, *(1,) * (y.array.ndim - 1 - dim))
        left, right = narrow(step, 0, 0, n - 2), narrow(step, 0, 1, n - 2)
        inner = (
            -right / (left * (left + right)) * at(0, n - 2)
            + (right - left) / (left * right) * at(1, n - 2)
            + left / (right * (left + right)) * at(2, n - 2)
        )
        ends = [(narrow(step, 0, i, 1), narrow(step, 0, j, 1)) for i, j in ((0, 1 % (n - 1)), (n - 2, max(n - 3, 0)))]
    else:
        inner = (at(2, n - 2) - at(0, n - 2)) / (2 * spacing)
        ends = [(spacing, spacing)] * 2
    results = []
    for sign, (a, b), (i, j, k) in zip((1, -1), ends, ((0, 1, 2), (-1, -2, -3)), strict=True):
        if edge_order == 1:
            results.append((at(j) - at(i)) / a * sign)
        else:
            slope = -(2 * a + b) / (a * (a + b)) * at(i) + (a + b) / (a * b) * at(j) - a / (b * (a + b)) * at(k)
            results.append(slope * sign)
    return cat([results[0], inner, results[1]], dim)


@public
def gradient(
    input: Tensor, *, spacing: float | Tensor | Sequence[Any] = 1, dim: int | Sequence[int] | None = None,
    edge_order: int = 1,
) -> tuple[Tensor, ...]:  # fmt: skip
    """Estimates of ∂input/∂x along each dimension of dim (all, if None), from second-order central differences.

    spacing: the distance of neighbours, for all dimensions or by dimension, or tensors with the places of the samples.
    PyTorch: torch.gradient.
    """
    refuse_type("gradient", np.uint8, input)
    not_for_bool("gradient", input)
    input = to_float(input)
    if dim is not None and not input.array.ndim:
        raise IndexError(f"gradient(): dimension {dim} was asked for, but the tensor has no dimensions")
    dims = axes_of(dim, input.array.ndim)
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    if not isinstance(spacing, int | float | Variable | list | tuple):
        raise TypeError(
            f"gradient(): argument 'spacing' must be a number, a tensor or several, not {type(spacing).__name__}"
        )
    spacings = [spacing] * len(dims) if isinstance(spacing, int | float | Variable) else list(spacing)
    if len(spacings) != len(dims):
        raise RuntimeError(
            f"torch.gradient expected spacing to be unspecified, a scalar or a list of length equal to {len(dims)}, the "
            f"number of dimensions, but got a list of length {len(spacings)}"
        )
    if len({isinstance(given, Variable) for given in spacings}) > 1:
        raise TypeError("gradient(): argument 'spacing' must hold a tensor for each dimension, or a number for each")
    for axis, given in zip(dims, spacings, strict=True):
        if isinstance(given, Variable) and given.array.dtype.kind == "b":
            raise RuntimeError("gradient(): a spacing of bools has no differences; convert it with .int() first")
        n = input.array.shape[axis]
        if n < edge_order + 1:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
        if isinstance(given, Variable) and given.array.shape != (n,):
            raise RuntimeError(
                f"torch.gradient expected each tensor of spacing to hold one place a sample: dimension {axis} has {n}, "
                f"the tensor shape {list(given.array.shape)}"
            )
    return tuple(_along(input, given, axis, edge_order) for axis, given in zip(dims, spacings, strict=True))
