"""Parts of a tensor: slices, entries and pieces along a dimension, all of them views."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, Variable
from ..public import public
from .dims import normalize_dim

if TYPE_CHECKING:
    from ..tensor import Tensor


class Slice(Operation):
    """out = x[key], a key of slices and ints.  dx = grad put back at its place in zeros"""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, key: Any) -> Array:
        ctx.key, ctx.shape = key, x.shape
        part = x[key]
        if part.__class__ is not Array:  # NumPy copies a single entry out; with an Ellipsis it is a view, too
            part = x[(*key, ...) if isinstance(key, tuple) else (key, ...)]
        return part

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return put_slice(grad, ctx.key, ctx.shape), None


def slice_of(x: Operand, key: Any) -> Any:
    """x[key] for a key of slices, ints, None and Ellipsis: a view."""
    return Slice.apply(x, key)


class PutSlice(Operation):
    """out = zeros of `shape` with x at key.  dx = grad[key]"""

    @staticmethod
    def forward(ctx: Any, x: Array, key: Any, shape: tuple[int, ...]) -> Array:
        ctx.key = key
        out = np.zeros(shape, x.dtype)
        out[key] = x
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return slice_of(grad, ctx.key), None, None


def put_slice(x: Operand, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape` with x at key."""
    return PutSlice.apply(np.asarray(x) if isinstance(x, np.generic) else x, key, shape)


@public
def narrow(input: Tensor, dim: int, start: int | Tensor, length: int) -> Tensor:
    """`length` entries of dimension dim, from start on: a view. PyTorch: torch.narrow."""
    n_dims = input.array.ndim
    if n_dims == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    dim = normalize_dim(dim, n_dims)
    start, n = int(start), input.array.shape[dim]
    if length < 0:
        raise RuntimeError(f"narrow(): length must be non-negative, got {length}.")
    if not -n <= start <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {start})")
    start = start + n if start < 0 else start
    if start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return Slice.apply(input, (*(slice(None),) * dim, slice(start, start + length)))


@public
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """Entry `index` of dimension dim, which goes: a view. PyTorch: torch.select."""
    if input.array.ndim == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = normalize_dim(dim, input.array.ndim)
    n = input.array.shape[dim]
    if not -n <= index < n:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input.array.shape)} at dimension {dim}"
        )
    return Slice.apply(input, (*(slice(None),) * dim, int(index)))


@public
def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Views of `split_size` entries each (the last may be shorter), or of the given sizes. PyTorch: torch.split."""
    if tensor.array.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = normalize_dim(dim, tensor.array.ndim)
    n = tensor.array.shape[dim]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        if size < 0 or (size == 0 and n):
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
        lengths = [min(size, n - i) for i in range(0, n, size)] if n else [0]
    else:
        lengths = [int(s) for s in split_size_or_sections]
        if sum(lengths) != n:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {dim}), but "
                f"got split_sizes={lengths}"
            )
    starts = np.cumsum([0, *lengths]).tolist()
    return tuple(narrow(tensor, dim, start, length) for start, length in zip(starts, lengths, strict=False))


@public
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` views of equal size, the last may be shorter. PyTorch: torch.chunk."""
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    if input.array.ndim == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    n = input.array.shape[normalize_dim(dim, input.array.ndim)]
    if n == 0:
        return split(input, [0] * chunks, dim)
    return split(input, -(-n // chunks), dim)


@public
def tensor_split(input: Tensor, indices_or_sections: int | Sequence[int] | Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Views between the given indices, or n of nearly equal size. PyTorch: torch.tensor_split."""
    if not input.array.ndim:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    dim = normalize_dim(dim, input.array.ndim)
    n = input.array.shape[dim]
    if isinstance(indices_or_sections, int):
        parts = indices_or_sections
        if not 0 < parts < 2**31:
            raise RuntimeError(f"number of sections must be larger than 0 (and below 2³¹), got {parts}")
        lengths = [n // parts + (i < n % parts) for i in range(parts)]
        return split(input, lengths, dim)
    if isinstance(indices_or_sections, Variable):
        if indices_or_sections.array.dtype != np.int64 or indices_or_sections.array.ndim > 1:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor of long, "
                f"but got one of {indices_or_sections.array.dtype} with {indices_or_sections.array.ndim} dimensions"
            )
        if not indices_or_sections.array.ndim:
            return tensor_split(input, int(indices_or_sections.array), dim)
    edges = [0, *(slice(i).indices(n)[1] for i in map(int, indices_or_sections)), n]
    return tuple(narrow(input, dim, a, max(b - a, 0)) for a, b in itertools.pairwise(edges))


@public
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """All entries of dimension dim, which goes: views. PyTorch: torch.unbind."""
    dim = normalize_dim(dim, input.array.ndim)
    if input.array.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return tuple(select(input, dim, i) for i in range(input.array.shape[dim]))
