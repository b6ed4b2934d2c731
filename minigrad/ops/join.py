"""Tensors joined: along a dimension, along a new one, or as the coordinates of a grid."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.graph import Operation
from ..autograd.variable import Array, Variable, wrap
from ..foreign import said
from ..public import public
from ..tensor_options import channels_last, suggested
from .along import index_select
from .checks import require_room
from .dims import as_sequence, normalize_dim
from .operands import cast
from .parts import slice_of
from .shape import atleast_1d, atleast_2d, expand, forget_base, reshape, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor


def _joined(name: str, tensors: Any) -> list[Any]:
    """The tensors in their common type; TypeError or RuntimeError in PyTorch's words."""
    if isinstance(tensors, Variable) or not isinstance(tensors, list | tuple):
        if isinstance(tensors, Variable):
            raise TypeError(f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor")
        tensors = list(tensors)
    for i, x in enumerate(tensors):
        if not isinstance(x, Variable):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {said(x)}")
    if not tensors:
        error = ValueError if name == "torch.cat" else RuntimeError
        raise error(f"{name} expects a non-empty TensorList")
    first = tensors[0].array.dtype
    if all(x.array.dtype == first for x in tensors):
        return list(tensors)
    d = first
    for x in tensors[1:]:
        d = dtypes.promote_numpy(d, x.array.dtype)
    return [cast(x, d) for x in tensors]


class Cat(Operation):
    """out = the tensors joined along a dimension.  grad is cut where they were joined"""

    @staticmethod
    def forward(ctx: Any, dim: int, *tensors: Array) -> Array:
        ctx.dim, ctx.lengths = dim, [x.shape[dim] for x in tensors]
        out = np.concatenate(tensors, dim)
        if out.flags.c_contiguous or all(suggested(x) is channels_last for x in tensors):
            return out
        return out.copy()

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        parts, start, before = [], 0, (slice(None),) * ctx.dim
        for needed, n in zip(ctx.needs_input_grad[1:], ctx.lengths, strict=True):
            parts.append(slice_of(grad, (*before, slice(start, start + n))) if needed else None)
            start += n
        return None, *parts


@public(also=("concat", "concatenate"))
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Joined along an existing dimension; the others must agree. PyTorch: torch.cat."""
    tensors = _joined("torch.cat", tensors)
    # PyTorch lets empty vectors pass beside tensors of any shape
    real = [x for x in tensors if x.array.shape != (0,)] or tensors[:1]
    ndim = real[0].array.ndim
    real = tensors if ndim == 1 else real
    if ndim == 0:
        raise RuntimeError("zero-dimensional tensor (at position 0) cannot be concatenated")
    dim = normalize_dim(dim, ndim)
    shape = real[0].array.shape
    for i, x in enumerate(real):
        other = x.array.shape
        if len(other) != ndim:
            raise RuntimeError(f"Tensors must have same number of dimensions: got {ndim} and {len(other)}")
        for d in range(ndim):
            if d != dim and other[d] != shape[d]:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {dim}. Expected size {shape[d]} but got size {other[d]} "
                    f"for tensor number {i} in the list."
                )
    return Cat.apply(dim, *real)


class Stack(Operation):
    """out = the tensors along a new dimension.  each gets its entry of grad"""

    @staticmethod
    def forward(ctx: Any, dim: int, *tensors: Array) -> Array:
        ctx.dim = dim
        return np.asarray(np.stack(tensors, dim), order="C")

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        before = (slice(None),) * ctx.dim
        return None, *(
            slice_of(grad, (*before, i)) if needed else None for i, needed in enumerate(ctx.needs_input_grad[1:])
        )


@public
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Along a new dimension at `dim`; all shapes must be equal. PyTorch: torch.stack."""
    tensors = _joined("stack", tensors)
    shape = tensors[0].array.shape
    for i, x in enumerate(tensors):
        if x.array.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and {list(x.array.shape)} at entry {i}"
            )
    return Stack.apply(normalize_dim(dim, len(shape) + 1), *tensors)


@public
def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined along dimension 1 (0 for vectors). PyTorch: torch.hstack."""
    parts = [atleast_1d(x) for x in _joined("hstack", tensors)]
    return cat(parts, 0 if parts[0].array.ndim == 1 else 1)


@public(also="row_stack")
def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined along dimension 0, vectors as rows. PyTorch: torch.vstack."""
    return cat([atleast_2d(x) for x in _joined("vstack", tensors)], 0)


@public
def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined along dimension 2. PyTorch: torch.dstack."""
    return cat([unsqueeze(atleast_2d(x), 2) if x.array.ndim < 3 else x for x in _joined("dstack", tensors)], 2)


@public
def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined along dimension 1, vectors as columns. PyTorch: torch.column_stack."""
    return cat([x if x.array.ndim > 1 else reshape(x, x.array.size, 1) for x in _joined("column_stack", tensors)], 1)


@public(same="tensors")
def meshgrid(*tensors: Tensor, indexing: str = "ij") -> tuple[Tensor, ...]:
    """For vectors, the coordinates of the grid they span, each in the grid's shape. PyTorch: torch.meshgrid."""
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    if not as_sequence(tensors):
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    for x in as_sequence(tensors):
        if x.array.ndim > 1:
            raise RuntimeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {list(x.array.shape)}"
            )
    vectors = [reshape(x, -1) for x in as_sequence(tensors)]
    if indexing == "xy" and len(vectors) > 1:
        vectors[0], vectors[1] = vectors[1], vectors[0]
    shape = tuple(x.array.size for x in vectors)
    n = len(vectors)
    grids = [expand(reshape(x, *(-1 if j == i else 1 for j in range(n))), shape) for i, x in enumerate(vectors)]
    if indexing == "xy" and n > 1:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


@public(same="tensors")
def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All choices of an element of each vector, a row each. PyTorch: torch.cartesian_prod."""
    for x in tensors:
        if x.array.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(x.array.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    return stack([reshape(g, -1) for g in meshgrid(*tensors)], -1)


@public
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of r elements of a vector, a row each. PyTorch: torch.combinations."""
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if input.array.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.array.shape)}")
    require_room((input.array.size ** min(r, 64),), 8)  # PyTorch tries them all; more than that are not counted
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = np.array(list(choose(range(input.array.size), r)), np.int64).reshape(-1, r)
    return forget_base(reshape(index_select(input, 0, wrap(rows.reshape(-1))), rows.shape))


@public
def block_diag(*tensors: Tensor) -> Tensor:
    """Matrices (vectors as rows) along the diagonal of one of zeros. PyTorch: torch.block_diag."""
    blocks = [atleast_2d(x) for x in as_sequence(tensors)]
    for i, x in enumerate(blocks):
        if x.array.ndim > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {i} has {x.array.ndim} dimensions"
            )
    if not blocks:
        return wrap(np.empty((1, 0), dtypes.default_numpy()))
    left, rows = 0, []
    width = int(np.sum([x.array.shape[1] for x in blocks]))
    for x in blocks:
        height, n = x.array.shape
        parts = [np.zeros((height, k), x.array.dtype) for k in (left, width - left - n)]
        rows.append(cat([wrap(parts[0]), x, wrap(parts[1])], 1))
        left += n
    return cat(rows, 0)
