"""A copy with a part replaced: the part that a view would show, or places of an index. The gradient parts likewise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import dtypes
from ..autograd.modes import is_grad_enabled
from ..autograd.variable import wrap
from ..public import public
from .along import scatter_reduce
from .choice import where
from .diagonals import PutDiagonal, diagonal
from .dims import normalize_dim
from .index import AddAt, SetIndex
from .keys import index_tensor
from .operands import cast
from .parts import select
from .shape import expand

if TYPE_CHECKING:
    from ..tensor import Tensor


def _fits(name: str, input: Tensor, src: Tensor, shape: tuple[int, ...]) -> None:
    if input.array.dtype.kind != "f" and is_grad_enabled() and src.requires_grad:
        raise RuntimeError(f"Autograd not support dtype: {dtypes.cxx_name(input.array.dtype)}; detach() src first")
    if src.array.shape != shape:
        raise RuntimeError(
            f"{name}: expected src to have the size of the part, {list(shape)}, got {list(src.array.shape)}"
        )


@public
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """input with src in place of `select(input, dim, index)`. PyTorch: torch.select_scatter."""
    _fits("select_scatter", input, src, select(input, dim, index).array.shape)
    dim = normalize_dim(dim, input.array.ndim)
    return SetIndex.apply(input, src, (*(slice(None),) * dim, int(index)))


@public
def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """input with src in place of the slice start:end:step of dimension dim. PyTorch: torch.slice_scatter."""
    if not input.array.ndim:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    dim = normalize_dim(dim, input.array.ndim)
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    part = slice(start, end, step)
    n = len(range(*part.indices(input.array.shape[dim])))
    _fits("slice_scatter", input, src, (*input.array.shape[:dim], n, *input.array.shape[dim + 1 :]))
    return SetIndex.apply(input, src, (*(slice(None),) * dim, part))


@public
def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """input with src in place of `diagonal(input, offset, dim1, dim2)`. PyTorch: torch.diagonal_scatter."""
    _fits("diagonal_scatter", input, src, diagonal(input, offset, dim1, dim2).array.shape)
    shape, ndim = input.array.shape, input.array.ndim
    place = (offset, normalize_dim(dim1, ndim), normalize_dim(dim2, ndim))
    on = PutDiagonal.apply(np.ones(src.array.shape, bool), *place, shape)
    return where(wrap(on), PutDiagonal.apply(cast(src, input.array.dtype), *place, shape), input)


@public
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """input with source written at (or added to) the places `index` of its flattened elements. PyTorch: torch.put."""
    places = index_tensor("put", index)
    if places.dtype != np.int64:
        raise RuntimeError(f"put_(): Expected a long tensor for index, but got {dtypes.cxx_name(places.dtype)}")
    n = input.array.size
    if source.array.dtype != input.array.dtype:
        raise RuntimeError(f"put_(): self ({input.dtype}) and source ({source.dtype}) must have the same scalar type")
    if source.array.size != places.size:
        raise IndexError(
            f"put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source.array.size}, index.numel() = {places.size}"
        )
    if places.size and not ((places >= -n) & (places < n)).all():
        raise IndexError(f"put_(): index out of range for a tensor of {n} elements")
    key = (places.reshape(-1) % max(n, 1),)
    if accumulate:
        return AddAt.apply(input.reshape(-1), source.reshape(-1), key).reshape(input.array.shape)
    return SetIndex.apply(input.reshape(-1), source.reshape(-1), key).reshape(input.array.shape)


@public(same="input source")
def index_reduce(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """input with source reduced into the entries `index` (a vector) of dimension dim, as `scatter_reduce` does.

    reduce: "prod", "mean", "amax" or "amin". PyTorch: torch.index_reduce.
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    dim = normalize_dim(dim, input.array.ndim)
    if index.array.ndim > 1:
        raise IndexError(f"index_reduce_(): Index is supposed to be a vector, but got dim: {index.array.ndim}")
    if input.array.ndim and not source.array.ndim:
        raise IndexError("index_reduce_(): Dimension out of range: source has no dimensions")
    if source.array.ndim != input.array.ndim:
        raise RuntimeError(
            f"index_reduce_(): self and source must have as many dimensions, got {input.array.ndim} and {source.array.ndim}"
        )
    n = source.array.shape[dim] if source.array.ndim else 1
    if index.array.size != n:
        raise RuntimeError(
            f"index_reduce_(): Number of indices should be equal to source.size(dim): ({n}), got {list(index.array.shape)}"
        )
    if not input.array.ndim:
        return index_reduce(input.reshape(1), dim, index, source.reshape(1), reduce, include_self=include_self).reshape(
            ()
        )
    if index.array.size and not ((index.array >= 0) & (index.array < input.array.shape[dim])).all():
        raise IndexError(f"index_reduce_(): index out of bounds for dimension {dim} with size {input.array.shape[dim]}")
    others = [x.array.shape[:dim] + x.array.shape[dim + 1 :] for x in (input, source)]
    if others[0] != others[1]:
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
            f"{list(input.array.shape)} source.shape = {list(source.array.shape)}"
        )
    places = expand(index.view(-1, *(1,) * (input.array.ndim - 1 - dim)), source.array.shape)
    return scatter_reduce(input, dim, places, source, reduce, include_self=include_self)
