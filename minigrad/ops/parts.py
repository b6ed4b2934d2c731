"""Parts of a tensor: slices, entries and pieces along a dimension, all of them views."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.graph import Operation
from ..autograd.modes import current
from ..autograd.variable import Array, Operand, Variable
from ..autograd.views import SEVERAL, AsStrided, PutStrided
from ..geometry import Geometry, geometry, look, memory, row_major
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


class Select(Slice):
    """A `Slice` whose last step takes one entry of a dimension."""

    grad_fn_name = "SelectBackward0"


class NewDim(Slice):
    """A `Slice` whose last step is a new dimension."""

    grad_fn_name = "UnsqueezeBackward0"


class Whole(Slice):
    """A `Slice` that leaves out nothing."""

    grad_fn_name = "AliasBackward0"


class Narrow(Slice):
    """A `Slice` along one dimension, as `narrow` gives it."""

    grad_fn_name = "SliceBackward0"


class Split(Slice):
    """A `Slice` that is one of several, as `split` gives them."""

    grad_fn_name = "SplitBackward0"


class Unbind(Slice):
    """A `Slice` that is one of several, as `unbind` gives them."""

    grad_fn_name = "UnbindBackward0"


def slice_of(x: Operand, key: Any) -> Any:
    """x[key] for a key of slices, ints, None and Ellipsis: a view."""
    if not current.recording:
        return Slice.apply(x, key)
    return _last_step(key, x.shape).apply(x, key)


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


_STEPS = {int: Select, slice: Slice, type(None): NewDim}


def _last_step(key: Any, shape: tuple[int, ...]) -> type[Slice]:
    """PyTorch goes through a key part by part, a node each: the kind of the last, of a key that fits the shape."""
    if type(key) is not tuple:
        return Whole if key is Ellipsis else _STEPS.get(type(key), Select)
    if not key:
        return Whole
    if type(key[-1]) is int:
        return Select
    last: type[Slice] = Whole
    dim = 0
    for k in key:
        if k is Ellipsis:
            dim += len(shape) - sum(isinstance(k, int | slice) for k in key)
        elif k is None:
            last = NewDim
        else:
            n = shape[dim] if dim < len(shape) else 0
            if not (isinstance(k, slice) and len(key) > 1 and k.indices(n) == (0, n, 1)):  # (which does nothing)
                last = _STEPS.get(type(k), Select)
            dim += 1
    return last


@public
def narrow(input: Tensor, dim: int, start: int | Tensor, length: int) -> Tensor:
    """`length` entries of dimension dim, from start on: a view. PyTorch: torch.narrow."""
    n_dims = input.array.ndim
    if n_dims == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    dim = normalize_dim(dim, n_dims)
    if isinstance(start, Variable) and (start.array.ndim or start.array.dtype.kind not in "iu"):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    start, n = int(start), input.array.shape[dim]
    if length < 0:
        raise RuntimeError(f"narrow(): length must be non-negative, got {length}.")
    if not -n <= start <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {start})")
    start = start + n if start < 0 else start
    if start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return Narrow.apply(input, (*(slice(None),) * dim, slice(start, start + length)))


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
    return Select.apply(input, (*(slice(None),) * dim, int(index)))


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
        if any(length < 0 for length in lengths):
            raise RuntimeError(f"split_with_sizes expects split_sizes have only non-negative entries, got {lengths}")
    starts = np.cumsum([0, *lengths]).tolist()
    before = (slice(None),) * dim
    return _several(Split, tensor, ((*before, slice(i, i + n)) for i, n in zip(starts, lengths, strict=False)))


def _several(kind: type[Slice], x: Tensor, keys: Iterable[Any]) -> tuple[Tensor, ...]:
    """x at each of the keys. Views that one operation gives must not be changed in place where that is recorded."""
    found = tuple(kind.apply(x, key) for key in keys)
    for view in found:
        view._restricted = SEVERAL
    return found


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
        indices_or_sections = [i * (n // parts) + min(i, n % parts) for i in range(1, parts)]
    elif isinstance(indices_or_sections, Variable):
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
    before = (slice(None),) * dim
    return _several(Unbind, input, ((*before, i) for i in range(input.array.shape[dim])))


@public
def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Views of the given sizes. PyTorch: torch.split_with_sizes."""
    return split(input, split_sizes, dim)


def _split_along(name: str, input: Tensor, indices_or_sections: Any, dim: int, least: int) -> tuple[Tensor, ...]:
    """Views of equal size along dim, or between indices, of a tensor of at least so many dimensions."""
    if input.array.ndim < least:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {least} dimension{'s' * (least > 1)}, but got a tensor with "
            f"{input.array.ndim} dimensions!"
        )
    n = input.array.shape[dim]
    if isinstance(indices_or_sections, int) and (indices_or_sections <= 0 or n % indices_or_sections):
        raise RuntimeError(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension {n} is not divisible by "
            f"the split_size {indices_or_sections}!"
        )
    return tensor_split(input, indices_or_sections, dim)


@public
def hsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Views along dimension 1 (0 of a vector): so many equal ones, or between indices. PyTorch: torch.hsplit."""
    return _split_along("hsplit", input, indices_or_sections, 0 if input.array.ndim == 1 else 1, 1)


@public
def vsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Views along dimension 0: so many equal ones, or between indices. PyTorch: torch.vsplit."""
    return _split_along("vsplit", input, indices_or_sections, 0, 2)


@public
def dsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Views along dimension 2: so many equal ones, or between indices. PyTorch: torch.dsplit."""
    return _split_along("dsplit", input, indices_or_sections, 2, 3)


# -- windows that overlap, and any places of the memory


@public
def as_strided(input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> Tensor:
    """The view whose element (i, j, ...) is number storage_offset + i · stride[0] + j · stride[1] + ... of input's memory.

    storage_offset: None for that of input. PyTorch: torch.as_strided.
    """
    own = geometry(input.array)
    if any(abs(n) >= 2**63 for n in (*size, *stride)):
        raise TypeError(f"as_strided(): sizes and strides must fit 64 bits, got {list(size)} and {list(stride)}")
    place = Geometry(tuple(size), tuple(stride), own.offset if storage_offset is None else storage_offset)
    if len(place.shape) != len(place.strides):
        raise RuntimeError("mismatch in length of strides and shape")
    if min(place.shape, default=0) < 0 or min(place.strides, default=0) < 0:
        raise RuntimeError(
            f"as_strided: sizes and strides must not be negative, got {list(place.shape)} and {list(place.strides)}"
        )
    if place.offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {place.offset}")
    if place.span()[1] > memory(input.array).size and 0 not in place.shape:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)} and storage offset {place.offset} are out of bounds for "
            f"a storage of {memory(input.array).size} elements"
        )
    return AsStrided.apply(input, own, place)


class Windows(Operation):
    """out = windows along a dimension, element i of the last dimension of each.  dx = grad added where out looked"""

    grad_fn_name = "UnfoldBackward0"
    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, dim: int, size: int, step: int) -> Array:
        ctx.shape, ctx.windows = x.shape, (dim, size, step)
        return look(memory(x), _windows(geometry(x), dim, size, step))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        whole = row_major(ctx.shape)
        return PutStrided.apply(grad, _windows(whole, *ctx.windows), whole), None, None, None


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Windows of `size` entries along a dimension, `step` apart, as a new last dimension: a view. PyTorch: Tensor.unfold."""
    shape = input.array.shape
    dim = normalize_dim(dimension, len(shape))
    n = shape[dim] if shape else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {dim} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return Windows.apply(input, dim, size, step)


def _windows(x: Geometry, dim: int, size: int, step: int) -> Geometry:
    if not x.shape:
        return Geometry((size,), (1,), x.offset)
    n, stride = x.shape[dim], x.strides[dim]
    shape = (*x.shape[:dim], (n - size) // step + 1, *x.shape[dim + 1 :], size)
    return Geometry(shape, (*x.strides[:dim], stride * step, *x.strides[dim + 1 :], stride), x.offset)
