"""Axes: the dimensions over which a reduction runs, and what is left of a shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from ..autograd.variable import Operand
from .dims import normalize_dims
from .shape import Expand

Dims: TypeAlias = int | Sequence[int] | None  # over which to reduce: one, several, or (None) all


def axes_of(dim: Dims, ndim: int) -> tuple[int, ...]:
    """The dimensions to reduce: all of them for None and ()."""
    if dim is None or (isinstance(dim, tuple | list) and not dim):
        return tuple(range(ndim))
    axes = normalize_dims(dim, ndim)
    return axes if ndim else ()


def kept_shape(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    """`shape` with 1 for the reduced dimensions."""
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def spread(x: Operand, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """A reduced value (with or without its reduced dimensions) seen again in the shape that was reduced."""
    return Expand.apply(x.reshape(kept_shape(shape, axes)), shape)
