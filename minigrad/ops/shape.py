"""Shape: other views of the same elements, and copies that repeat, join or turn them. Gradients go back the same way."""

from __future__ import annotations

import builtins
import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array, Variable, wrap
from ..public import public
from .operands import cast

if TYPE_CHECKING:
    from ..tensor import Tensor


# -- arguments


def sole(view: Any) -> Any:
    """A view whose memory nobody else can reach, since the viewed tensor was made a line before: a tensor of its own.

    It may then be changed in place like any other.
    """
    view._base = None
    return view


def normalize_dim(dim: Any, ndim: int) -> int:
    """`dim` counted from the front; IndexError if there is none such."""
    if not hasattr(dim, "__index__"):
        raise TypeError(f"argument 'dim' must be int, not {type(dim).__name__}")
    dim, n = dim.__index__(), ndim or 1  # a tensor without dimensions takes dim 0 and -1
    if not -n <= dim < n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim % n


def normalize_dims(dims: Any, ndim: int) -> tuple[int, ...]:
    """Several dims counted from the front; RuntimeError if one appears twice."""
    dims = tuple(normalize_dim(d, ndim) for d in ((dims,) if hasattr(dims, "__index__") else dims))
    if len(set(dims)) != len(dims):
        raise RuntimeError(
            f"dim {next(d for d in dims if dims.count(d) > 1)} appears multiple times in the list of dims"
        )
    return dims


def sizes(args: tuple) -> tuple[int, ...]:
    """The numbers in `f(x, 2, 3)` or `f(x, (2, 3))`."""
    if len(args) == 1 and not hasattr(args[0], "__index__"):
        args = tuple(args[0])
    elif len(args) == 1 and isinstance(args[0], Variable) and args[0].array.ndim:
        args = tuple(args[0].array.tolist())
    for n in args:
        if not hasattr(n, "__index__"):
            raise TypeError(f"sizes and dims must be ints, got {type(n).__name__}")
    return tuple(n.__index__() for n in args)


def _shape(x: Any) -> tuple[int, ...]:
    return x.array.shape if isinstance(x, Variable) else x.shape


def infer_shape(shape: tuple[int, ...], size: int) -> tuple[int, ...]:
    """`shape` with its -1 filled in, for `size` elements."""
    if shape.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    if any(n < -1 for n in shape):
        raise RuntimeError(f"invalid shape dimension {next(n for n in shape if n < -1)} in {list(shape)}")
    known = math.prod(n for n in shape if n != -1)
    if -1 in shape:
        if known == 0:
            raise RuntimeError(
                f"cannot reshape tensor of {size} elements into shape {list(shape)} because the unspecified dimension size "
                "-1 can be any value and is ambiguous"
                if size == 0
                else f"shape '{list(shape)}' is invalid for input of size {size}"
            )
        if size % known == 0:
            return tuple(size // known if n == -1 else n for n in shape)
    elif known == size:
        return shape
    raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {size}")


# -- the same elements in another shape


class Reshape(Operation):
    """out = the elements of x, in order, in another shape.  dx = grad in the shape of x"""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, shape: tuple[int, ...]) -> Array:
        ctx.shape = x.shape
        return x.reshape(shape)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad.reshape(ctx.shape), None

    @classmethod
    def name(cls) -> str:
        return "ViewBackward0"


@public
def reshape(input: Any, *shape: Any) -> Tensor:
    """The elements in another shape (one entry may be -1); a view where memory allows. PyTorch: torch.reshape."""
    return Reshape.apply(input, infer_shape(sizes(shape), input.array.size))


def view(input: Any, *shape: Any) -> Tensor:
    """As `reshape`, but never a copy: RuntimeError where the memory does not allow a view. PyTorch: torch.Tensor.view."""
    from ..dtypes import dtype, to_numpy

    if len(shape) == 1 and isinstance(shape[0], dtype):
        return wrap(input.array.view(to_numpy(shape[0])))
    new = infer_shape(sizes(shape), input.array.size)
    try:
        np.reshape(input.array, new, copy=False)
    except ValueError:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        ) from None
    return Reshape.apply(input, new)


def view_as(input: Any, other: Any) -> Tensor:
    """A view in the shape of other."""
    return view(input, other.array.shape)


def reshape_as(input: Any, other: Any) -> Tensor:
    """The elements in the shape of other."""
    return reshape(input, other.array.shape)


@public
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions start_dim to end_dim joined into one. PyTorch: torch.flatten."""
    shape = input.array.shape
    if not shape:
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
def ravel(input: Any) -> Tensor:
    """All elements in one dimension. PyTorch: torch.ravel."""
    return reshape(input, -1)


@public
def unflatten(input: Any, dim: int, sizes: Any) -> Tensor:
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
def squeeze(input: Any, dim: Any = None) -> Tensor:
    """Without its dimensions of size 1 (or those of `dim` that have size 1). PyTorch: torch.squeeze."""
    shape = input.array.shape
    chosen = range(len(shape)) if dim is None else normalize_dims(dim, len(shape))
    return Reshape.apply(input, tuple(n for i, n in enumerate(shape) if n != 1 or i not in chosen))


@public
def unsqueeze(input: Any, dim: int) -> Tensor:
    """With a dimension of size 1 put in at `dim`. PyTorch: torch.unsqueeze."""
    shape = _shape(input)
    dim = normalize_dim(dim, len(shape) + 1)
    return Reshape.apply(input, (*shape[:dim], 1, *shape[dim:]))


@public
def atleast_1d(*tensors: Any) -> Any:
    """With at least one dimension. PyTorch: torch.atleast_1d."""
    results = tuple(x if x.array.ndim else reshape(x, 1) for x in _sequence(tensors))
    return results[0] if len(tensors) == 1 and isinstance(tensors[0], Variable) else results


@public
def atleast_2d(*tensors: Any) -> Any:
    """With at least two dimensions, new ones in front. PyTorch: torch.atleast_2d."""
    results = tuple(x if x.array.ndim > 1 else reshape(x, 1, x.array.size) for x in _sequence(tensors))
    return results[0] if len(tensors) == 1 and isinstance(tensors[0], Variable) else results


@public
def atleast_3d(*tensors: Any) -> Any:
    """With at least three dimensions: a vector in the middle, a matrix in front. PyTorch: torch.atleast_3d."""

    def three(x: Any) -> Any:
        shape = x.array.shape
        return x if len(shape) > 2 else reshape(x, (*shape, 1) if len(shape) == 2 else (1, x.array.size, 1))

    results = tuple(three(x) for x in _sequence(tensors))
    return results[0] if len(tensors) == 1 and isinstance(tensors[0], Variable) else results


def _sequence(tensors: tuple) -> Sequence[Any]:
    return tensors[0] if len(tensors) == 1 and not isinstance(tensors[0], Variable) else tensors


@public
def numel(input: Any) -> int:
    """The number of elements. PyTorch: torch.numel."""
    return input.array.size


# -- the same elements in another order of dimensions


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


class Transpose(Operation):
    """out = x with two dimensions exchanged.  dx = grad with the same two exchanged"""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, dim0: int, dim1: int) -> Array:
        ctx.dims = dim0, dim1
        return x.swapaxes(dim0, dim1)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad.swapaxes(*ctx.dims), None, None


@public
def permute(input: Any, *dims: Any) -> Tensor:
    """The dimensions in the order `dims`. PyTorch: torch.permute."""
    order = sizes(dims)
    ndim = input.ndim
    if len(order) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(order)}"
        )
    return Permute.apply(input, normalize_dims(order, ndim))


@public(also=("swapaxes", "swapdims"))
def transpose(input: Any, dim0: int, dim1: int) -> Tensor:
    """Dimensions dim0 and dim1 exchanged. PyTorch: torch.transpose."""
    ndim = input.ndim
    dim0, dim1 = normalize_dim(dim0, ndim), normalize_dim(dim1, ndim)
    return Transpose.apply(input, dim0, dim1) if ndim else Reshape.apply(input, ())


@public
def t(input: Any) -> Tensor:
    """The transpose of a matrix (a vector or a number as it is). PyTorch: torch.t."""
    if input.array.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.array.ndim}D")
    return transpose(input, 0, 1) if input.array.ndim == 2 else input


def T(input: Any) -> Tensor:
    """All dimensions in reverse order (`x.T`)."""
    return permute(input, tuple(range(input.array.ndim))[::-1])


def mT(input: Any) -> Tensor:
    """The last two dimensions exchanged (`x.mT`)."""
    if input.array.ndim < 2:
        raise RuntimeError(
            f"tensor.mT is only supported on matrices or batches of matrices. Got {input.array.ndim}-D tensor."
        )
    return transpose(input, -2, -1)


@public
def adjoint(input: Any) -> Tensor:
    """For real tensors the same as `mT`. PyTorch: torch.adjoint."""
    return mT(input)


@public(also="moveaxis")
def movedim(input: Any, source: Any, destination: Any) -> Tensor:
    """Dimensions `source` moved to places `destination`, the others in their order. PyTorch: torch.movedim."""
    ndim = input.array.ndim
    src, dst = normalize_dims(source, ndim), normalize_dims(destination, ndim)
    if len(src) != len(dst):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(src)} dims) should contain the same number of dims "
            f"as destination ({list(dst)} dims)"
        )
    rest = iter(i for i in range(ndim) if i not in src)
    order = [src[dst.index(i)] if i in dst else next(rest) for i in range(ndim)]
    return permute(input, order)


# -- the same elements, seen several times


class Expand(Operation):
    """out = x broadcast to `shape`, without a copy.  dx = grad summed over the copies (by the walk)"""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, shape: tuple[int, ...]) -> Array:
        return np.broadcast_to(x, shape) if x.shape != shape else x[...]

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad, None


def expand(input: Any, *size: Any) -> Tensor:
    """Broadcast to `size` (-1: as it is), a view in which dimensions of size 1 repeat. PyTorch: torch.Tensor.expand."""
    shape = _shape(input)
    new = sizes(size)
    added = len(new) - len(shape)
    if added < 0:
        raise RuntimeError(
            f"expand: the number of sizes provided ({len(new)}) must be greater or equal to the number of dimensions in the "
            f"tensor ({len(shape)})"
        )
    for i, n in enumerate(new):
        old = shape[i - added] if i >= added else None
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


def expand_as(input: Any, other: Any) -> Tensor:
    """Broadcast to the shape of other."""
    return expand(input, other.array.shape)


@public
def broadcast_to(input: Any, size: Any) -> Tensor:
    """Broadcast to `size`. PyTorch: torch.broadcast_to."""
    return expand(input, size)


@public
def broadcast_shapes(*shapes: Any) -> Any:
    """The shape that shapes broadcast to. PyTorch: torch.broadcast_shapes."""
    from ..size import Size

    tuples = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    try:
        return Size(np.broadcast_shapes(*tuples))
    except ValueError:
        raise RuntimeError(
            f"Shape mismatch: objects cannot be broadcast to a single shape: {[list(s) for s in tuples]}"
        ) from None


@public
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """All tensors in the shape that they broadcast to. PyTorch: torch.broadcast_tensors."""
    shape = broadcast_shapes(*(x.array.shape for x in _sequence(tensors)))
    return tuple(expand(x, shape) for x in _sequence(tensors))


class Tile(Operation):
    """out = x repeated `repeats` times along each dimension.  dx = grad summed over the copies"""

    @staticmethod
    def forward(ctx: Any, x: Array, repeats: tuple[int, ...]) -> Array:
        ctx.repeats, ctx.shape = repeats, (1,) * (len(repeats) - x.ndim) + x.shape
        return np.tile(x, repeats).reshape([n * r for n, r in zip(ctx.shape, repeats, strict=True)])

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        paired = [n for pair in zip(ctx.repeats, ctx.shape, strict=True) for n in pair]  # (r0, n0, r1, n1, ...)
        return grad.reshape(tuple(paired)).sum(tuple(range(0, len(paired), 2))), None

    @classmethod
    def name(cls) -> str:
        return "RepeatBackward0"


def repeat(input: Any, *repeats: Any) -> Tensor:
    """Copies of the tensor along each dimension, new dimensions in front. PyTorch: torch.Tensor.repeat."""
    counts = sizes(repeats)
    if len(counts) < input.array.ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    if any(n < 0 for n in counts):
        raise RuntimeError(f"repeats can not be negative, got {list(counts)}")
    return Tile.apply(input, counts) if counts else input.clone()


@public
def tile(input: Any, *dims: Any) -> Tensor:
    """As `repeat`, with 1 for dimensions that are not named. PyTorch: torch.tile."""
    counts = sizes(dims)
    return repeat(input, (1,) * (input.array.ndim - len(counts)) + counts)


@public
def repeat_interleave(input: Any, repeats: Any, dim: int | None = None, *, output_size: int | None = None) -> Tensor:
    """Each element (or slice along dim) repeated `repeats` times in place. PyTorch: torch.repeat_interleave."""
    from .index import index_select

    if dim is None:
        input, dim = reshape(input, -1), 0
    dim = normalize_dim(dim, input.array.ndim)
    counts = repeats.array if isinstance(repeats, Variable) else np.asarray(repeats)
    if counts.ndim and counts.size not in (1, input.array.shape[dim]):
        raise RuntimeError(
            f"repeats must have the same size as input along dim, got {counts.size} and {input.array.shape[dim]}"
        )
    return index_select(
        input,
        dim,
        wrap(np.repeat(np.arange(input.array.shape[dim]), counts.ravel() if counts.ndim else counts)),
    )


# -- parts


class Slice(Operation):
    """out = x[key], a key of slices and ints.  dx = grad put back at its place in zeros"""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, key: Any) -> Array:
        ctx.key, ctx.shape = key, x.shape
        return x[key]

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return put_slice(grad, ctx.key, ctx.shape), None


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


def slice_of(x: Any, key: Any) -> Any:
    """x[key] for a key of slices, ints, None and Ellipsis: a view."""
    return Slice.apply(x, key)


def put_slice(x: Any, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape` with x at key."""
    return PutSlice.apply(np.asarray(x) if isinstance(x, np.generic) else x, key, shape)


@public
def narrow(input: Any, dim: int, start: Any, length: int) -> Tensor:
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
def select(input: Any, dim: int, index: int) -> Tensor:
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
def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of `split_size` entries each (the last may be shorter), or of the given sizes. PyTorch: torch.split."""
    dim = normalize_dim(dim, tensor.array.ndim)
    if tensor.array.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    n = tensor.array.shape[dim]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        if size < 0 or (size == 0 and n):
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
        lengths = [builtins.min(size, n - i) for i in range(0, n, size)] if n else [0]
    else:
        lengths = [int(s) for s in split_size_or_sections]
        if builtins.sum(lengths) != n:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {dim}), but "
                f"got split_sizes={lengths}"
            )
    starts = np.cumsum([0, *lengths]).tolist()
    return tuple(narrow(tensor, dim, start, length) for start, length in zip(starts, lengths, strict=False))


@public
def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
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
def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views between the given indices, or n of nearly equal size. PyTorch: torch.tensor_split."""
    dim = normalize_dim(dim, input.array.ndim)
    n = input.array.shape[dim]
    if isinstance(indices_or_sections, int):
        parts = indices_or_sections
        lengths = [n // parts + (i < n % parts) for i in range(parts)]
        return split(input, lengths, dim)
    edges = [0, *(slice(i).indices(n)[1] for i in map(int, indices_or_sections)), n]
    return tuple(narrow(input, dim, a, builtins.max(b - a, 0)) for a, b in itertools.pairwise(edges))


@public
def unbind(input: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """All entries of dimension dim, which goes: views. PyTorch: torch.unbind."""
    dim = normalize_dim(dim, input.array.ndim)
    if input.array.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return tuple(select(input, dim, i) for i in range(input.array.shape[dim]))


class Diagonal(Operation):
    """out = the diagonal of two dimensions, put last.  dx = zeros with grad on that diagonal"""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, offset: int, dim1: int, dim2: int) -> Array:
        ctx.place, ctx.shape = (offset, dim1, dim2), x.shape
        out = x.diagonal(offset, dim1, dim2)
        out.flags.writeable = x.flags.writeable
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return PutDiagonal.apply(grad, *ctx.place, ctx.shape), None, None, None


class PutDiagonal(Operation):
    """out = zeros of `shape` with x on a diagonal.  dx = that diagonal of grad"""

    @staticmethod
    def forward(ctx: Any, x: Array, offset: int, dim1: int, dim2: int, shape: tuple[int, ...]) -> Array:
        ctx.place = offset, dim1, dim2
        out = np.zeros(shape, x.dtype)
        place = out.diagonal(offset, dim1, dim2)
        place.flags.writeable = True
        place[...] = x
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return Diagonal.apply(grad, *ctx.place), None, None, None, None


@public
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of dimensions dim1 and dim2 as the last dimension: a view. PyTorch: torch.diagonal."""
    dim1, dim2 = normalize_dim(dim1, input.array.ndim), normalize_dim(dim2, input.array.ndim)
    if dim1 == dim2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return Diagonal.apply(input, offset, dim1, dim2)


@public
def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Zeros with the last dimension on the diagonal of dim1 and dim2. PyTorch: torch.diag_embed."""
    ndim = input.array.ndim + 1
    dim1, dim2 = normalize_dim(dim1, ndim), normalize_dim(dim2, ndim)
    if dim1 == dim2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    side = input.array.shape[-1] + builtins.abs(offset)
    rest = iter(input.array.shape[:-1])
    shape = tuple(side if i in (dim1, dim2) else next(rest) for i in range(ndim))
    return PutDiagonal.apply(input, offset, dim1, dim2, shape)


@public
def diag(input: Any, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix, or the matrix with a vector on its diagonal. PyTorch: torch.diag."""
    if input.array.ndim == 1:
        return diag_embed(input, diagonal)
    if input.array.ndim == 2:
        return Diagonal.apply(input, diagonal, 0, 1).clone()
    raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.array.ndim}D")


class Triangle(Operation):
    """out = x where the mask of a triangle is True, else 0.  dx = grad there"""

    @staticmethod
    def forward(ctx: Any, x: Array, diagonal: int, lower: bool) -> Array:
        ctx.diagonal, ctx.lower = diagonal, lower
        return np.tril(x, diagonal) if lower else np.triu(x, diagonal)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return Triangle.apply(grad, ctx.diagonal, ctx.lower), None, None


@public
def tril(input: Any, diagonal: int = 0) -> Tensor:
    """The lower triangle of the last two dimensions, zeros above. PyTorch: torch.tril."""
    if input.array.ndim < 2:
        raise RuntimeError("tril: input tensor must have at least 2 dimensions")
    return Triangle.apply(input, diagonal, True)


@public
def triu(input: Any, diagonal: int = 0) -> Tensor:
    """The upper triangle of the last two dimensions, zeros below. PyTorch: torch.triu."""
    if input.array.ndim < 2:
        raise RuntimeError("triu: input tensor must have at least 2 dimensions")
    return Triangle.apply(input, diagonal, False)


# -- turned


class Flip(Operation):
    """out = x with the order of `dims` reversed.  dx = grad reversed the same way"""

    @staticmethod
    def forward(ctx: Any, x: Array, dims: tuple[int, ...]) -> Array:
        ctx.dims = dims
        return np.flip(x, dims).copy()

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return Flip.apply(grad, ctx.dims), None


class Roll(Operation):
    """out = x shifted along dims, what leaves at one end enters at the other.  dx = grad shifted back"""

    @staticmethod
    def forward(ctx: Any, x: Array, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Array:
        ctx.shifts, ctx.dims = shifts, dims
        return np.roll(x, shifts, dims)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return Roll.apply(grad, tuple(-s for s in ctx.shifts), ctx.dims), None, None


@public
def flip(input: Any, *dims: Any) -> Tensor:
    """The order of `dims` reversed: a copy. PyTorch: torch.flip."""
    return Flip.apply(input, normalize_dims(sizes(dims), input.array.ndim))


@public
def fliplr(input: Any) -> Tensor:
    """Dimension 1 reversed. PyTorch: torch.fliplr."""
    if input.array.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


@public
def flipud(input: Any) -> Tensor:
    """Dimension 0 reversed. PyTorch: torch.flipud."""
    if input.array.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


@public
def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """Turned by k quarter turns from dims[0] towards dims[1]. PyTorch: torch.rot90."""
    first, second = normalize_dims(dims, input.array.ndim)
    k %= 4
    if k == 0:
        return input.clone()
    if k == 2:
        return flip(input, first, second)
    flipped = flip(input, second if k == 1 else first)
    return transpose(flipped, first, second).contiguous()


@public
def roll(input: Any, shifts: Any, dims: Any = None) -> Tensor:
    """Shifted along dims, what leaves at one end enters at the other. PyTorch: torch.roll."""
    by = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    if dims is None or dims == ():
        if len(by) != 1:
            raise RuntimeError(f"shifts and dimensions must align. shifts: {len(by)}, dims:0")
        return reshape(roll(reshape(input, -1), by, 0), input.array.shape)
    along = tuple(normalize_dim(d, input.array.ndim) for d in ((dims,) if isinstance(dims, int) else dims))
    if len(by) != len(along):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(by)}, dims:{len(along)}")
    return Roll.apply(input, by, along)


# -- joined


class Cat(Operation):
    """out = the tensors joined along a dimension.  grad is cut where they were joined"""

    @staticmethod
    def forward(ctx: Any, dim: int, *tensors: Array) -> Array:
        ctx.dim, ctx.lengths = dim, [x.shape[dim] for x in tensors]
        return np.concatenate(tensors, dim)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        parts, start, before = [], 0, (slice(None),) * ctx.dim
        for edge, n in zip(ctx.needs_input_grad[1:], ctx.lengths, strict=True):
            parts.append(slice_of(grad, (*before, slice(start, start + n))) if edge is not None else None)
            start += n
        return None, *parts


class Stack(Operation):
    """out = the tensors along a new dimension.  each gets its entry of grad"""

    @staticmethod
    def forward(ctx: Any, dim: int, *tensors: Array) -> Array:
        ctx.dim = dim
        return np.stack(tensors, dim)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        before = (slice(None),) * ctx.dim
        return None, *(
            slice_of(grad, (*before, i)) if edge is not None else None
            for i, edge in enumerate(ctx.needs_input_grad[1:])
        )


def _joined(name: str, tensors: Any) -> list[Any]:
    """The tensors in their common type; TypeError or RuntimeError in PyTorch's words."""
    if isinstance(tensors, Variable) or not isinstance(tensors, list | tuple):
        if isinstance(tensors, Variable):
            raise TypeError(f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor")
        tensors = list(tensors)
    for i, x in enumerate(tensors):
        if not isinstance(x, Variable):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(x).__name__}")
    if not tensors:
        error = ValueError if name == "torch.cat" else RuntimeError
        raise error(f"{name} expects a non-empty TensorList")
    first = tensors[0].array.dtype
    if all(x.array.dtype == first for x in tensors):
        return list(tensors)
    from ..dtypes import promote_numpy

    d = first
    for x in tensors[1:]:
        d = promote_numpy(d, x.array.dtype)
    return [cast(x, d) for x in tensors]


@public(also=("concat", "concatenate"))
def cat(tensors: Any, dim: int = 0) -> Tensor:
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


@public
def stack(tensors: Any, dim: int = 0) -> Tensor:
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
def hstack(tensors: Any) -> Tensor:
    """Joined along dimension 1 (0 for vectors). PyTorch: torch.hstack."""
    tensors = [atleast_1d(x) for x in tensors]
    return cat(tensors, 0 if tensors[0].array.ndim == 1 else 1)


@public
def vstack(tensors: Any) -> Tensor:
    """Joined along dimension 0, vectors as rows. PyTorch: torch.vstack."""
    return cat([atleast_2d(x) for x in tensors], 0)


@public
def dstack(tensors: Any) -> Tensor:
    """Joined along dimension 2. PyTorch: torch.dstack."""
    return cat([unsqueeze(atleast_2d(x), 2) if x.array.ndim < 3 else x for x in tensors], 2)


@public
def column_stack(tensors: Any) -> Tensor:
    """Joined along dimension 1, vectors as columns. PyTorch: torch.column_stack."""
    return cat([x if x.array.ndim > 1 else reshape(x, x.array.size, 1) for x in tensors], 1)


@public
def cartesian_prod(*tensors: Any) -> Tensor:
    """All choices of an element of each vector, a row each. PyTorch: torch.cartesian_prod."""
    if len(tensors) == 1:
        return tensors[0]
    return stack([reshape(g, -1) for g in meshgrid(*tensors)], -1)


@public
def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of r elements of a vector, a row each. PyTorch: torch.combinations."""
    from .index import index_select

    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = np.array(list(choose(range(input.array.size), r)), np.int64).reshape(-1, r)
    return sole(reshape(index_select(input, 0, wrap(rows.reshape(-1))), rows.shape))


@public
def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """For vectors, the coordinates of the grid they span, each in the grid's shape. PyTorch: torch.meshgrid."""
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    vectors = [reshape(x, -1) for x in _sequence(tensors)]
    if indexing == "xy" and len(vectors) > 1:
        vectors[0], vectors[1] = vectors[1], vectors[0]
    shape = tuple(x.array.size for x in vectors)
    n = len(vectors)
    grids = [expand(reshape(x, *(-1 if j == i else 1 for j in range(n))), shape) for i, x in enumerate(vectors)]
    if indexing == "xy" and n > 1:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


@public("functional")
def unfold(input: Any, dimension: int, size: int, step: int) -> Tensor:
    """Windows of `size` entries along a dimension, `step` apart, as a new last dimension. PyTorch: torch.Tensor.unfold."""
    from .index import index_select

    dim = normalize_dim(dimension, input.array.ndim)
    n = input.array.shape[dim]
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {dim} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    starts = np.arange(0, n - size + 1, step)
    flat = wrap((starts[:, None] + np.arange(size)).ravel())
    windows = unflatten(index_select(input, dim, flat), dim, (len(starts), size))
    return movedim(windows, dim + 1, -1)


# -- other names for the same
