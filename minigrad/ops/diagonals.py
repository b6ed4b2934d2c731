"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array
from ..public import public
from .dims import normalize_dim

if TYPE_CHECKING:
    from ..tensor import Tensor


def _offset(offset: int, rows: int, columns: int) -> int:
    """Of all diagonals that lie outside of the matrix the nearest: NumPy's offsets are small."""
    return max(-rows, min(offset, columns))


class Diagonal(Operation):
    """out = the diagonal of two dimensions, put last.  dx = zeros with grad on that diagonal"""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, offset: int, dim1: int, dim2: int) -> Array:
        ctx.place, ctx.shape = (offset, dim1, dim2), x.shape
        out = x.diagonal(_offset(offset, x.shape[dim1], x.shape[dim2]), dim1, dim2)
        out.flags.writeable = x.flags.writeable
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return PutDiagonal.apply(grad, *ctx.place, ctx.shape), None, None, None


@public
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of dimensions dim1 and dim2 as the last dimension: a view. PyTorch: torch.diagonal."""
    dim1, dim2 = normalize_dim(dim1, input.array.ndim), normalize_dim(dim2, input.array.ndim)
    if dim1 == dim2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return Diagonal.apply(input, offset, dim1, dim2)


@public
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix, or the matrix with a vector on its diagonal. PyTorch: torch.diag."""
    if input.array.ndim == 1:
        return diag_embed(input, diagonal)
    if input.array.ndim == 2:
        return Diagonal.apply(input, diagonal, 0, 1).clone()
    raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.array.ndim}D")


@public
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The matrix with all elements of input on its diagonal. PyTorch: torch.diagflat."""
    return diag(input.reshape(-1), offset)


class PutDiagonal(Operation):
    """out = zeros of `shape` with x on a diagonal.  dx = that diagonal of grad"""

    grad_fn_name = "DiagEmbedBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, offset: int, dim1: int, dim2: int, shape: tuple[int, ...]) -> Array:
        ctx.place = offset, dim1, dim2
        out = np.zeros(shape, x.dtype)
        place = out.diagonal(_offset(offset, shape[dim1], shape[dim2]), dim1, dim2)
        place.flags.writeable = True
        place[...] = x
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return Diagonal.apply(grad, *ctx.place), None, None, None, None


@public
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Zeros with the last dimension on the diagonal of dim1 and dim2. PyTorch: torch.diag_embed."""
    ndim = input.array.ndim + 1
    dim1, dim2 = normalize_dim(dim1, ndim), normalize_dim(dim2, ndim)
    if dim1 == dim2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    side = input.array.shape[-1] + abs(offset)
    rest = iter(input.array.shape[:-1])
    shape = tuple(side if i in (dim1, dim2) else next(rest) for i in range(ndim))
    return PutDiagonal.apply(input, offset, dim1, dim2, shape)


class Triangle(Operation):
    """out = x where the mask of a triangle is True, else 0.  dx = grad there"""

    @staticmethod
    def forward(ctx: Any, x: Array, diagonal: int, lower: bool) -> Array:
        ctx.diagonal, ctx.lower = diagonal, lower
        return np.asarray(np.tril(x, diagonal) if lower else np.triu(x, diagonal), order="C")

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return Triangle.apply(grad, ctx.diagonal, ctx.lower), None, None


@public
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of the last two dimensions, zeros above. PyTorch: torch.tril."""
    if input.array.ndim < 2:
        raise RuntimeError("tril: input tensor must have at least 2 dimensions")
    return Triangle.apply(input, diagonal, True)


@public
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of the last two dimensions, zeros below. PyTorch: torch.triu."""
    if input.array.ndim < 2:
        raise RuntimeError("triu: input tensor must have at least 2 dimensions")
    return Triangle.apply(input, diagonal, False)
