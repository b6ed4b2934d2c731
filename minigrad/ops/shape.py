"""The same elements in another shape: reshaped, their dimensions in another order, or seen several times. All views."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, Variable, wrap
from ..public import public
from ..size import Size
from .checks import require_tensor
from .dims import as_sequence, infer_shape, normalize_dim, normalize_dims, shape_of, sizes

if TYPE_CHECKING:
    from ..tensor import Tensor


def forget_base(view: Tensor) -> Tensor:
    """The same tensor, no longer known as a view: for results whose viewed tensor nobody else holds.

    `reshape` of a product that was computed a line before shares its memory with no tensor of the user's. With the base
    forgotten the result may be changed in place like any other.
    """
    view._base = None
    return view


# -- another shape


class Reshape(Operation):
    """out = the elements of x, in order, in another shape.  dx = grad in the shape of x"""

    grad_fn_name = "ViewBackward0"
    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, shape: tuple[int, ...]) -> Array:
        ctx.shape = x.shape
        return x.reshape(shape)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad.reshape(ctx.shape), None


class Squeeze(Reshape):
    """A `Reshape` that takes dimensions of size 1 away."""

    grad_fn_name = "SqueezeBackward0"


class SqueezeDim(Reshape):
    """A `Reshape` that takes one dimension of size 1 away."""

    grad_fn_name = "SqueezeBackward1"


class SqueezeDims(Reshape):
    """A `Reshape` that takes certain dimensions of size 1 away."""

    grad_fn_name = "SqueezeBackward2"


class Unsqueeze(Reshape):
    """A `Reshape` that puts a dimension of size 1 in."""

    grad_fn_name = "UnsqueezeBackward0"


@public
def reshape(input: Tensor, *shape: int | Sequence[int]) -> Tensor:
    """The elements in another shape (one entry may be -1); a view where memory allows. PyTorch: torch.reshape."""
    return Reshape.apply(input, infer_shape(sizes(shape, "reshape", "shape"), input.array.size))


def view(input: Tensor, *size: int | Sequence[int] | dtypes.dtype) -> Tensor:
    """As `reshape`, but never a copy: RuntimeError where the memory does not allow a view. PyTorch: torch.Tensor.view."""
    if len(size) == 1 and isinstance(size[0], dtypes.dtype):
        return wrap(input.array.view(dtypes.to_numpy(size[0])))
    new = infer_shape(sizes(size, "view", "size"), input.array.size)
    try:
        np.reshape(input.array, new, copy=False)
    except ValueError:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        ) from None
    return Reshape.apply(input, new)


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """A view in the shape of other."""
    return view(input, other.array.shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """The elements in the shape of other."""
    return reshape(input, other.array.shape)


@public
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions start_dim to end_dim joined into one. PyTorch: torch.flatten."""
    shape = input.array.shape
    if not shape:
        normalize_dim(start_dim, 0), normalize_dim(end_dim, 0)
        return reshape(input, 1)
    first, last = normalize_dim(start_dim, len(shape)), normalize_dim(end_dim, len(shape))
    if first > last:
        raise RuntimeError(
            f"flatten() has invalid args: start_dim cannot come after end_dim, got {start_dim} and {end_dim}"
        )
    if first == last:
        return input
    return Reshape.apply(input, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


@public
def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension: a view of input, or of a copy in which they lie in order. PyTorch: torch.ravel."""
    return reshape(input.contiguous(), -1)


@public
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Dimension `dim` split into `sizes` (one may be -1). PyTorch: torch.unflatten."""
    shape = input.array.shape
    dim = normalize_dim(dim, len(shape))
    given = tuple(sizes)
    try:
        parts = infer_shape(given, shape[dim])
    except RuntimeError:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(given)} don't multiply up to the size of dim {dim} ({shape[dim]}) in the input tensor"
        ) from None
    return Reshape.apply(input, (*shape[:dim], *parts, *shape[dim + 1 :]))


@public
def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Without its dimensions of size 1 (or those of `dim` that have size 1). PyTorch: torch.squeeze."""
    shape = input.array.shape
    chosen = range(len(shape)) if dim is None else normalize_dims(dim, len(shape))
    kind = Squeeze if dim is None else SqueezeDim if isinstance(dim, int) else SqueezeDims
    return kind.apply(input, tuple(n for i, n in enumerate(shape) if n != 1 or i not in chosen))


@public
def unsqueeze(input: Operand, dim: int) -> Tensor:
    """With a dimension of size 1 put in at `dim`. PyTorch: torch.unsqueeze."""
    shape = shape_of(input)
    dim = normalize_dim(dim, len(shape) + 1)
    return Unsqueeze.apply(input, (*shape[:dim], 1, *shape[dim:]))


def without_leading_ones(input: Tensor) -> Tensor:
    """(1, 1, 2, 1) as (2, 1): what `x[key] = value` makes of a value's shape."""
    shape = input.array.shape
    n = next((i for i, side in enumerate(shape) if side != 1), len(shape))
    return reshape(input, shape[n:]) if n else input


@public
def atleast_1d(*tensors: Tensor) -> Any:
    """With at least one dimension. PyTorch: torch.atleast_1d."""
    results = tuple(x if x.array.ndim else reshape(x, 1) for x in as_sequence(tensors))
    return results[0] if len(tensors) == 1 and isinstance(tensors[0], Variable) else results


@public
def atleast_2d(*tensors: Tensor) -> Any:
    """With at least two dimensions, new ones in front. PyTorch: torch.atleast_2d."""
    results = tuple(x if x.array.ndim > 1 else reshape(x, 1, x.array.size) for x in as_sequence(tensors))
    return results[0] if len(tensors) == 1 and isinstance(tensors[0], Variable) else results


@public
def atleast_3d(*tensors: Tensor) -> Any:
    """With at least three dimensions: a vector in the middle, a matrix in front. PyTorch: torch.atleast_3d."""

    def three(x: Tensor) -> Tensor:
        shape = x.array.shape
        return x if len(shape) > 2 else reshape(x, (*shape, 1) if len(shape) == 2 else (1, x.array.size, 1))

    results = tuple(three(x) for x in as_sequence(tensors))
    return results[0] if len(tensors) == 1 and isinstance(tensors[0], Variable) else results


@public
def numel(input: Tensor) -> int:
    """The number of elements. PyTorch: torch.numel."""
    require_tensor(input, "numel")
    return input.array.size


# -- another order of dimensions


class Permute(Operation):
    """out = x with its dimensions in the order `dims`.  dx = grad in the inverse order"""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, dims: tuple[int, ...]) -> Array:
        ctx.dims = dims
        return x.transpose(dims)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        inverse = [0] * len(ctx.dims)
        for i, d in enumerate(ctx.dims):
            inverse[d] = i
        return permute(grad, inverse), None


@public
def permute(input: Operand, *dims: int | Sequence[int]) -> Tensor:
    """The dimensions in the order `dims`. PyTorch: torch.permute."""
    order = sizes(dims, "permute", "dims")
    ndim = input.ndim
    if len(order) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(order)}"
        )
    return Permute.apply(input, normalize_dims(order, ndim))


def T(input: Tensor) -> Tensor:
    """All dimensions in reverse order (`x.T`)."""
    return permute(input, tuple(range(input.array.ndim))[::-1])


@public(also="moveaxis")
def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Dimensions `source` moved to places `destination`, the others in their order. PyTorch: torch.movedim."""
    ndim = input.array.ndim
    if isinstance(source, int) != isinstance(destination, int):
        raise TypeError("movedim(): 'source' and 'destination' must both be int, or both tuples of ints")
    src, dst = normalize_dims(source, ndim), normalize_dims(destination, ndim)
    if len(src) != len(dst):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(src)} dims) should contain the same number of dims "
            f"as destination ({list(dst)} dims)"
        )
    rest = iter(i for i in range(ndim) if i not in src)
    order = [src[dst.index(i)] if i in dst else next(rest) for i in range(ndim)]
    return permute(input, order)


class Transpose(Operation):
    """out = x with two dimensions exchanged.  dx = grad with the same two exchanged"""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, dim0: int, dim1: int) -> Array:
        ctx.dims = dim0, dim1
        return x.swapaxes(dim0, dim1) if x.ndim else x[...]

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad.swapaxes(*ctx.dims) if grad.ndim else grad, None, None


class MatrixTranspose(Transpose):
    """The `Transpose` that `t` gives."""

    grad_fn_name = "TBackward0"


@public(also=("swapaxes", "swapdims"))
def transpose(input: Operand, dim0: int, dim1: int) -> Tensor:
    """Dimensions dim0 and dim1 exchanged. PyTorch: torch.transpose."""
    ndim = input.ndim
    dim0, dim1 = normalize_dim(dim0, ndim), normalize_dim(dim1, ndim)
    return Transpose.apply(input, dim0, dim1)


@public
def t(input: Tensor) -> Tensor:
    """The transpose of a matrix (a vector or a number as it is). PyTorch: torch.t."""
    if input.array.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.array.ndim}D")
    return MatrixTranspose.apply(input, 0, input.array.ndim - 1 if input.array.ndim else 0)


def mT(input: Tensor) -> Tensor:
    """The last two dimensions exchanged (`x.mT`)."""
    if input.array.ndim < 2:
        raise RuntimeError(
            f"tensor.mT is only supported on matrices or batches of matrices. Got {input.array.ndim}-D tensor."
        )
    return transpose(input, -2, -1)


@public
def adjoint(input: Tensor) -> Tensor:
    """For real tensors the same as `mT`. PyTorch: torch.adjoint."""
    return mT(input) if input.array.ndim else input


# -- the same elements, seen several times


class Expand(Operation):
    """out = x broadcast to `shape`, without a copy.  dx = grad summed over the copies (by the walk)"""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, shape: tuple[int, ...]) -> Array:
        if x.shape == shape:
            return x[...]
        out = np.broadcast_to(x, shape)
        out.flags.writeable = x.flags.writeable  # an in-place change of one of its elements changes the element of x
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad, None


def expand(input: Operand, *size: int | Sequence[int]) -> Tensor:
    """Broadcast to `size` (-1: as it is), a view in which dimensions of size 1 repeat. PyTorch: torch.Tensor.expand."""
    shape = shape_of(input)
    new = sizes(size, "expand", "size")
    added = len(new) - len(shape)
    if added < 0:
        raise RuntimeError(
            f"expand: the number of sizes provided ({len(new)}) must be greater or equal to the number of dimensions in the "
            f"tensor ({len(shape)})"
        )
    for i, n in enumerate(new):
        old = shape[i - added] if i >= added else None
        if n < -1:
            raise RuntimeError(f"expand: sizes must not be negative (but for -1: as it is), got {list(new)}")
        if n == -1 and old is None:
            raise RuntimeError(
                f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {i}"
            )
        if n != -1 and old not in (None, 1, n):
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({old}) at non-singleton dimension {i}. "
                f"Target sizes: {list(new)}. Tensor sizes: {list(shape)}"
            )
    return Expand.apply(input, tuple(shape[i - added] if n == -1 else n for i, n in enumerate(new)))


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Broadcast to the shape of other."""
    return expand(input, other.array.shape)


@public
def broadcast_to(input: Tensor, *size: int) -> Tensor:
    """Broadcast to `size`. PyTorch: torch.broadcast_to."""
    return expand(input, *size)


@public
def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that shapes broadcast to. PyTorch: torch.broadcast_shapes."""
    for s in shapes:
        if not isinstance(s, int | list | tuple):
            raise RuntimeError(f"Input shapes should be of type ints, a tuple of ints, or a list of ints, got {s!r}")
    tuples = [(s,) if isinstance(s, int) else sizes((tuple(s),), "broadcast_shapes", "shapes") for s in shapes]
    try:
        return Size(np.broadcast_shapes(*tuples))
    except ValueError:
        raise RuntimeError(
            f"Shape mismatch: objects cannot be broadcast to a single shape: {[list(s) for s in tuples]}"
        ) from None


@public
def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """All tensors in the shape that they broadcast to. PyTorch: torch.broadcast_tensors."""
    shape = broadcast_shapes(*(x.array.shape for x in as_sequence(tensors)))
    return tuple(x if x.array.shape == shape else expand(x, shape) for x in as_sequence(tensors))
