"""The entries of a tensor repeated, cut into windows, turned around or shifted: copies. Gradients go back the same way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.graph import Operation
from ..autograd.variable import Array, Variable, wrap
from ..public import public
from ..sums import total as sum_of
from .along import index_select
from .checks import require_room
from .dims import normalize_dim, normalize_dims, sizes
from .shape import forget_base, reshape, transpose, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor

# -- repeated


class Tile(Operation):
    """out = x repeated `repeats` times along each dimension.  dx = grad summed over the copies"""

    grad_fn_name = "RepeatBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, repeats: tuple[int, ...]) -> Array:
        ctx.repeats, ctx.shape = repeats, (1,) * (len(repeats) - x.ndim) + x.shape
        return np.tile(x, repeats).reshape([n * r for n, r in zip(ctx.shape, repeats, strict=True)])

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        paired = [n for pair in zip(ctx.repeats, ctx.shape, strict=True) for n in pair]  # (r0, n0, r1, n1, ...)
        parts, axes = grad.reshape(tuple(paired)), tuple(range(0, len(paired), 2))
        return (sum_of(parts, axes) if isinstance(parts, Array) else parts.sum(axes)), None


def repeat(input: Tensor, *repeats: int | Sequence[int]) -> Tensor:
    """Copies of the tensor along each dimension, new dimensions in front. PyTorch: torch.Tensor.repeat."""
    counts = sizes(repeats, "repeat", "repeats")
    if len(counts) < input.array.ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    if any(n < 0 for n in counts):
        raise RuntimeError(f"repeats can not be negative, got {list(counts)}")
    return Tile.apply(input, counts) if counts else input.clone()


@public
def tile(input: Tensor, *dims: int | Sequence[int]) -> Tensor:
    """As `repeat`, with 1 for dimensions that are not named. PyTorch: torch.tile."""
    counts = sizes(dims, "tile", "dims")
    return repeat(input, (1,) * (input.array.ndim - len(counts)) + counts)


def _counts(repeats: int | Tensor) -> Array:
    """How often each is repeated. Errors: NotImplementedError for what is not counted with, RuntimeError for less than nothing."""
    counts = repeats.array if isinstance(repeats, Variable) else np.asarray(repeats)
    if counts.dtype not in (np.int32, np.int64):
        raise NotImplementedError(
            f"\"repeat_interleave_cpu\" not implemented for '{dtypes.cxx_name(counts.dtype)}'; give integers"
        )
    if counts.size and counts.min() < 0:
        raise RuntimeError("Repeats must be non-negative")
    require_room(
        (int(counts.sum(dtype=np.float64)),), 8
    )  # whole numbers would start again, and NumPy write outside its memory
    return counts


def _repeated_places(repeats: Tensor, *, output_size: int | None = None) -> Tensor:
    """`repeat_interleave` of counts alone: as often as each of them says, the place at which it stands."""
    counts = _counts(repeats)
    if counts.ndim != 1:
        raise RuntimeError(f"repeat_interleave: of repeats alone a vector is wanted, got {counts.ndim} dimensions")
    if output_size is not None and counts.size and output_size != counts.sum():
        raise RuntimeError(f"repeat_interleave: Invalid output_size, expected {counts.sum()} but got {output_size}")
    return wrap(np.repeat(np.arange(counts.size, dtype=counts.dtype), counts))


_repeated_places.__name__ = "repeat_interleave"  # as it is called, and as its errors say


@public
def repeat_interleave(
    input: Tensor, repeats: int | Tensor, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each element (or slice along dim) repeated `repeats` times in place. PyTorch: torch.repeat_interleave.

    A tensor of counts alone, `repeat_interleave(repeats)`, gives the places instead: [2, 0, 1] is 0, 0, 2.
    """
    if dim is None:
        input, dim = reshape(input, -1), 0
    if input.array.ndim == 0:
        raise IndexError("repeat_interleave(): a tensor without dimensions has no dim along which to repeat")
    dim = normalize_dim(dim, input.array.ndim)
    counts = _counts(repeats)
    if counts.ndim > 1:
        raise RuntimeError(f"repeats must be 0-dim or 1-dim tensor, got {counts.ndim} dimensions")
    if counts.ndim and counts.size not in (1, input.array.shape[dim]):
        raise RuntimeError(
            f"repeats must have the same size as input along dim, got {counts.size} and {input.array.shape[dim]}"
        )
    total = int(counts.sum()) * (input.array.shape[dim] if counts.size == 1 else 1)
    if output_size is not None and output_size != total:
        raise RuntimeError(f"repeat_interleave: Invalid output_size, expected {total} but got {output_size}")
    if counts.ndim == 0:
        expanded = unsqueeze(input, dim + 1).expand(
            *(-1,) * (dim + 1), int(counts), *(-1,) * (input.array.ndim - dim - 1)
        )
        shape = input.array.shape
        return forget_base(expanded.clone().reshape(*shape[:dim], shape[dim] * int(counts), *shape[dim + 1 :]))
    return index_select(input, dim, wrap(np.repeat(np.arange(input.array.shape[dim]), counts.ravel())))


repeat_interleave.alone = _repeated_places


# -- turned


class Flip(Operation):
    """out = x with the order of `dims` reversed.  dx = grad reversed the same way"""

    @staticmethod
    def forward(ctx: Any, x: Array, dims: tuple[int, ...]) -> Array:
        ctx.dims = dims
        return np.flip(x, dims).copy() if x.ndim else x.copy()

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return Flip.apply(grad, ctx.dims), None


@public
def flip(input: Tensor, *dims: int | Sequence[int]) -> Tensor:
    """The order of `dims` reversed: a copy. PyTorch: torch.flip."""
    along = normalize_dims(sizes(dims, "flip", "dims"), input.array.ndim)
    return Flip.apply(input, along if input.array.ndim else ())


@public
def fliplr(input: Tensor) -> Tensor:
    """Dimension 1 reversed. PyTorch: torch.fliplr."""
    if input.array.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


@public
def flipud(input: Tensor) -> Tensor:
    """Dimension 0 reversed. PyTorch: torch.flipud."""
    if input.array.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


@public
def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Turned by k quarter turns from dims[0] towards dims[1]. PyTorch: torch.rot90."""
    if input.array.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input.array.ndim}")
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    first, second = normalize_dims(dims, input.array.ndim)
    k %= 4
    if k == 0:
        return input.clone()
    if k == 2:
        return flip(input, first, second)
    flipped = flip(input, second if k == 1 else first)
    return transpose(flipped, first, second).contiguous()


# -- shifted


class Roll(Operation):
    """out = x shifted along dims, what leaves at one end enters at the other.  dx = grad shifted back"""

    @staticmethod
    def forward(ctx: Any, x: Array, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Array:
        ctx.shifts, ctx.dims = shifts, dims
        return np.asarray(np.roll(x, shifts, dims), order="C")

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return Roll.apply(grad, tuple(-s for s in ctx.shifts), ctx.dims), None, None


@public
def roll(input: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """Shifted along dims, what leaves at one end enters at the other. PyTorch: torch.roll."""
    by = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    if dims is None or dims == ():
        if len(by) != 1:
            raise RuntimeError(f"shifts and dimensions must align. shifts: {len(by)}, dims:0")
        return reshape(roll(reshape(input, -1), by, 0), input.array.shape)
    along = tuple(normalize_dim(d, input.array.ndim) for d in ((dims,) if isinstance(dims, int) else dims))
    if along and not input.array.ndim:
        raise IndexError(f"Dimension specified as {along[0]} but tensor has no dimensions")
    if len(by) != len(along):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(by)}, dims:{len(along)}")
    return Roll.apply(input, by, along)
