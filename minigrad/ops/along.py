"""Reading and writing along one dimension by tensors of indices: gather, index_select, scatter and their kin."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.graph import Operation
from ..autograd.variable import Array, Variable, wrap
from ..dtypes import element
from ..public import public
from ..tensor_options import NOT_GIVEN
from .at import count_at, grid_key, read_at, read_entries, reduce_at, within
from .choice import where
from .dims import normalize_dim
from .index import AddAt, Index, SetIndex, add_at
from .keys import index_tensor
from .operands import Number, broadcast
from .parts import Slice
from .shape import expand, reshape

if TYPE_CHECKING:
    from ..tensor import Tensor

# -- one index an element


def _check_range(index: Array, n: int, dim: int) -> None:
    if not within(index, n):
        wrong = index[(index < 0) | (index >= n)].flat[0]
        raise RuntimeError(f"index {wrong} is out of bounds for dimension {dim} with size {n}")


def _gather_key(name: str, input: Tensor, dim: int, index: Any) -> tuple[Array, ...]:
    places = index_tensor(name, index)
    ndim = input.array.ndim
    if max(places.ndim, 1) != max(ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    dim = normalize_dim(dim, ndim)
    for i, (n, m) in enumerate(zip(places.shape, input.array.shape, strict=False)):
        if i != dim and n > m:
            raise RuntimeError(
                f"Size does not match at dimension {i} expected index {list(places.shape)} to be no larger than self "
                f"{list(input.array.shape)} apart from dimension {dim}"
            )
    _check_range(places, input.array.shape[dim] if ndim else 1, dim)
    return grid_key(places, dim)


def _without_elements(input: Any, dim: int, index: Any) -> bool:
    """Whether index has no elements: then only `dim` is looked at, neither its type nor its shape. IndexError if there is no `dim`."""
    if not isinstance(index, Variable) or index.array.size:
        return False
    normalize_dim(dim, input.array.ndim)
    return True


class Gather(Index):
    """out[i, j, ...] = x[i, index[i, j, ...], ...] for dim 1.  dx = grad added at the same places"""

    @staticmethod
    def forward(ctx: Any, x: Array, key: tuple[Array, ...]) -> Array:
        ctx.key, ctx.shape = key, x.shape
        return read_at(x, key)


@public
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """For each place in index, the element of input there, but with index's value along dim. PyTorch: torch.gather."""
    if _without_elements(input, dim, index):
        return Gather.apply(input.reshape(-1), (np.zeros(index.array.shape, np.int64),))
    if input.array.ndim == 0 or (isinstance(index, Variable) and index.array.ndim == 0):
        _gather_key("gather", input, dim, index)  # the checks
        if input.array.ndim == 0:
            return expand(input.reshape(-1), index.array.shape if index.array.ndim else (1,)).reshape(index.array.shape)
        return Gather.apply(input, (index.array,)).reshape(())
    return Gather.apply(input, _gather_key("gather", input, dim, index))


def picked(input: Any, places: Array, dim: int) -> Any:
    """As `gather`, by places that were found in the input itself: there is nothing to check."""
    return Gather.apply(input, grid_key(places, dim))


@public
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """As `gather`, with the other dimensions broadcast; flattened for dim=None. PyTorch: torch.take_along_dim."""
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    index_tensor("take_along_dim", indices, True)
    if input.array.ndim != indices.array.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input.array.ndim} dimensions for input, and {indices.array.ndim} dimensions for indices"
        )
    dim = normalize_dim(dim, input.array.ndim)
    shape = list(broadcast(*([*s[:dim], 1, *s[dim + 1 :]] for s in (input.array.shape, indices.array.shape))))
    a, b = shape.copy(), shape.copy()
    a[dim], b[dim] = input.array.shape[dim], indices.array.shape[dim]
    return gather(expand(input, a), dim, expand(indices, b))


@public
def take(input: Tensor, index: Tensor) -> Tensor:
    """Elements of the flattened input, in the shape of index. PyTorch: torch.take."""
    places = index_tensor("take", index, True)
    n = input.array.size
    if places.size and not ((places >= -n) & (places < n)).all():
        raise IndexError(f"take(): index out of range for a tensor of {n} elements")
    return Index.apply(input.reshape(-1), (places % max(n, 1),))


# -- one index a slice


def outside_error(name: str, array: Array) -> type[Exception]:
    """Of which class the error is that an index lies outside: where it selects from no elements it is PyTorch's RuntimeError."""
    return RuntimeError if name == "index_select" and array.ndim > 1 and not array.size else IndexError


def _entries(name: str, input: Tensor, dim: int, index: Any, whole: bool = False) -> tuple[int, Array]:
    if isinstance(index, Variable) and index.array.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, but got dim: {index.array.ndim}")
    places = index_tensor(name, index, whole)
    dim = normalize_dim(dim, input.array.ndim)
    n = input.array.shape[dim] if input.array.ndim else 1
    if places.size and (places.min() < 0 or places.max() >= n):
        text = (
            f"{name}(): index out of range in self: dimension {dim} has {n} entries, index holds {places.min()} to "
            f"{places.max()}"
        )
        raise outside_error(name, input.array)(text)
    return dim, places.reshape(-1)


def _check_source(name: str, input: Tensor, dim: int, places: Array, source: Tensor) -> None:
    """IndexError unless source has an entry for each place, of the shape of input's entries."""
    found, wanted = source.array.shape, input.array.shape
    if not found and not wanted:
        found, wanted = (1,), (1,)
    if not found:
        if len(places) != 1:
            raise IndexError(f"{name}_(): When source is scalar, index should have one element (got {len(places)})")
        if name == "index_add" or len(wanted) > 1:
            raise RuntimeError(
                f"source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
                f"{list(wanted)} source.shape = []"
            )
        return
    if not wanted and name == "index_copy" and len(found) == 1:
        wanted = (1,)
    error = RuntimeError if name == "index_add" else IndexError
    if len(found) != len(wanted):
        raise error(
            f"{name}_(): When source and destination are not scalars, their dimensionality must match. Source dimensionality "
            f"({len(found)}), destination dimensionality ({len(wanted)})"
        )
    if any(n != m for i, (n, m) in enumerate(zip(found, wanted, strict=True)) if i != dim):
        raise RuntimeError(
            f"{name}_(): the shapes of source {list(found)} and destination {list(wanted)} must be the same but in dimension {dim}"
        )
    if found[dim] != len(places):
        raise error(
            f"{name}_(): Number of indices ({len(places)}) should be equal to source.size(dim) ({found[dim]}), for dim: {dim}"
        )


def _at(dim: int, index: Array) -> tuple[Any, ...]:
    """The key that reads the entries `index` of dimension dim."""
    return (*(slice(None),) * dim, index)


class IndexSelect(Operation):
    """out = the entries `index` of dimension dim.  dx = grad added at those entries"""

    @staticmethod
    def forward(ctx: Any, x: Array, dim: int, index: Array) -> Array:
        ctx.dim, ctx.index, ctx.shape = dim, index, x.shape
        return read_entries(x, dim, index)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return add_at(grad, _at(ctx.dim, ctx.index), ctx.shape), None, None


@public
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The entries `index` (a vector) of dimension dim: a copy. PyTorch: torch.index_select."""
    if isinstance(index, Variable) and input.array.ndim == 0 and index.array.size != 1 and index.array.ndim == 1:
        normalize_dim(dim, 0)
        raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {index.array.size} value(s)")
    dim, places = _entries("index_select", input, dim, index)
    if input.array.ndim == 0:
        return input.clone()
    return IndexSelect.apply(input, dim, places)


@public(fits="alpha")
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """input with alpha · source added at the entries `index` of dimension dim. PyTorch: torch.index_add."""
    dim, places = _entries("index_add", input, dim, index)
    _check_source("index_add", input, dim, places, source)
    if source.array.dtype != input.array.dtype:
        raise RuntimeError(
            f"index_add_(): self ({input.dtype}) and source ({source.dtype}) must have the same scalar type"
        )
    if not input.array.ndim:
        return _of_vectors(index_add, input, dim, index, source, alpha=alpha)
    # In the type of the elements: of whole numbers a whole one.
    scale = np.asarray(element(alpha, input.array.dtype)).item()
    return AddAt.apply(input, source if alpha == 1 else source * scale, _at(dim, places))


@public(same="input source")
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """input with its entries `index` of dimension dim replaced by source. PyTorch: torch.index_copy."""
    dim, places = _entries("index_copy", input, dim, index, whole=True)
    _check_source("index_copy", input, dim, places, source)
    if not input.array.ndim:
        return _of_vectors(index_copy, input, dim, index, source)
    return SetIndex.apply(input, source, _at(dim, places))


def check_filling(index: Any, value: Any) -> None:
    """RuntimeError or IndexError where value is no single one, or index of another type than int64."""
    if isinstance(value, Variable) and value.array.ndim:
        raise RuntimeError(
            f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.array.ndim} dimension(s)."
        )
    if isinstance(index, Variable) and index.array.dtype != np.int64:
        raise IndexError(f"index_fill_(): Expected dtype int64 for index, got {index.array.dtype}")


@public
def index_fill(input: Tensor, dim: int, index: Tensor, value: Number | Tensor) -> Tensor:
    """input with its entries `index` of dimension dim set to value. PyTorch: torch.index_fill."""
    check_filling(index, value)
    dim = normalize_dim(dim, input.array.ndim)
    if isinstance(index, Variable) and index.array.ndim > 1:
        raise RuntimeError(f"index_fill_(): Index has to be a vector/scalar, got {index.array.ndim} dimensions")
    dim, places = _entries("index_fill", input, dim, index, whole=True)
    if not isinstance(value, Variable):
        value = element(value, input.array.dtype)
    if not input.array.ndim:
        return index_fill(input.reshape(1), dim, index, value).reshape(())
    return SetIndex.apply(input, value, _at(dim, places))


# -- written where gather reads


def _of_vectors(function: Any, input: Tensor, dim: int, index: Any, *more: Any, **named: Any) -> Any:
    """function(input, dim, index, ...), tensors without dimensions read as vectors of one element."""
    given: tuple[Any, ...] = (input, index, *more)
    x, places, *rest = (y.reshape(1) if hasattr(y, "array") and not y.array.ndim else y for y in given)
    out = function(x, dim, places, *rest, **named)
    return out if input.array.ndim else out.reshape(())


def _require_type_of(name: str, input: Tensor, src: Any) -> None:
    if isinstance(src, Variable) and src.array.dtype != input.array.dtype:
        raise RuntimeError(
            f"{name}(): Expected self.dtype to be equal to src.dtype, got {input.dtype} and {dtypes.from_numpy(src.array.dtype)}"
        )


def _untouched(name: str, input: Tensor, src: Any) -> Tensor:
    """input as it is, where the index has no elements."""
    _require_type_of(name, input, src)
    if getattr(src, "requires_grad", False):
        return input + Slice.apply(reshape(src, (-1,)), (slice(0),)).sum()  # of no element of src: its gradient is 0
    return input.clone()


def _of_one_number(shape: tuple[int, ...], number: Any, d: np.dtype) -> Any:
    return wrap(np.full(shape, element(number, d), d))


def _scatter_source(name: str, input: Tensor, index: Tensor, src: Any) -> Tensor:
    """src cut to the shape of index, in input's type."""
    _require_type_of(name, input, src)
    if isinstance(src, Variable):
        if max(index.array.ndim, 1) != max(src.array.ndim, 1):
            raise RuntimeError(f"{name}(): Index tensor must have the same number of dimensions as src tensor")
        if not src.array.ndim and index.array.ndim:
            src = reshape(src, (1,))
        if any(n > m for n, m in zip(index.array.shape, src.array.shape, strict=False)):
            raise RuntimeError(
                f"Expected index {list(index.array.shape)} to be no larger than src {list(src.array.shape)}"
            )
        if index.array.shape == src.array.shape:
            return src
        return Slice.apply(src, tuple(slice(n) for n in index.array.shape))
    return _of_one_number(index.array.shape, src, input.array.dtype)


@public
def scatter(
    input: Tensor, dim: int, index: Tensor, src: Tensor | Number | None = None, *, value: Number | Tensor | None = None,
    reduce: str = NOT_GIVEN,
) -> Tensor:  # fmt: skip
    """input with src (or one value) written at the places that `gather(dim, index)` reads. PyTorch: torch.scatter."""
    if src is not None and value is not None:
        raise TypeError("scatter() received an invalid combination of arguments: 'src' and 'value'; give one")
    if src is None and value is None:
        raise TypeError('scatter() missing 1 required positional arguments: "src" or "value"')
    if _without_elements(input, dim, index) and reduce in (NOT_GIVEN, "add", "multiply"):
        return _untouched("scatter", input, src)
    if not index.array.ndim or not input.array.ndim:
        return _of_vectors(scatter, input, dim, index, src, value=value, reduce=reduce)
    if reduce is not NOT_GIVEN:
        if reduce not in ("add", "multiply"):
            raise RuntimeError(f"reduce argument must be either add or multiply, got {reduce!r}")
        kind = "sum" if reduce == "add" else "prod"
        return scatter_reduce(
            input, dim, index, _scatter_source("scatter", input, index, src if src is not None else value), kind
        )
    key = _gather_key("scatter", input, dim, index)
    return SetIndex.apply(input, _scatter_source("scatter", input, index, value if src is None else src), key)


@public
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """input with src added at the places that `gather(dim, index)` reads. PyTorch: torch.scatter_add."""
    if _without_elements(input, dim, index):
        return _untouched("scatter_add", input, src)
    if not index.array.ndim or not input.array.ndim:
        return _of_vectors(scatter_add, input, dim, index, src)
    key = _gather_key("scatter_add", input, dim, index)
    return AddAt.apply(input, _scatter_source("scatter_add", input, index, src), key)


@public
def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """input with src reduced into the places of index: "sum", "mean", "prod", "amax" or "amin".

    include_self: whether input's own element counts too where something goes. PyTorch: torch.scatter_reduce.
    """
    if _without_elements(input, dim, index) and reduce in ("sum", "mean", "prod", "amax", "amin"):
        return _untouched("scatter_reduce", input, src)
    if not index.array.ndim or not input.array.ndim:
        return _of_vectors(scatter_reduce, input, dim, index, src, reduce, include_self=include_self)
    key = _gather_key("scatter_reduce", input, dim, index)
    src = _scatter_source("scatter_reduce", input, index, src)
    counted = not include_self or reduce == "mean"
    touched = count_at(key, input.array.shape) if counted else np.zeros((), np.int64)
    start = input if include_self else where(wrap(touched > 0), False, input)  # False: 0 of any type
    if reduce in ("sum", "mean"):
        total = AddAt.apply(start, src, key)
        if reduce == "sum":
            return total
        count = touched + 1 if include_self else np.maximum(touched, 1)
        count = count.astype(input.array.dtype)
        return total / wrap(count) if input.array.dtype.kind == "f" else wrap(total.array // count)
    if reduce not in ("prod", "amax", "amin"):
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    untouched = None if include_self else touched == 0
    # What is saved of src is a view: its elements stay those of now, also where `src.data` becomes another array.
    src = Slice.apply(src, tuple(slice(n) for n in src.array.shape))
    return (ScatterProd if reduce == "prod" else ScatterExtreme).apply(input, src, key, reduce, untouched)


def _reduced(x: Array, src: Array, key: tuple[Array, ...], reduce: str, untouched: Array | None) -> Array:
    """x with src reduced into the places of key; without x itself there, where `untouched` says which places are not among them."""
    out = np.array(x, order="C")
    if untouched is not None:
        ends = (-math.inf, math.inf) if x.dtype.kind == "f" else (False, True) if x.dtype.kind == "b" else None
        low, high = ends or (np.iinfo(x.dtype).min, np.iinfo(x.dtype).max)
        out[~untouched] = {"prod": 1, "amax": low, "amin": high}[reduce]
    reduce_at({"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}[reduce], out, key, src)
    return out


class ScatterExtreme(Operation):
    """out = the largest (or smallest) of x and of the elements of src that go to its place.

    dx, dsrc = grad where x, or src, is that element, shared evenly between several
    """

    grad_fn_name = "ScatterReduceBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, src: Array, key: Any, reduce: str, untouched: Array | None) -> Array:
        ctx.key, ctx.untouched = key, untouched
        out = _reduced(x, src, key, reduce, untouched)
        ctx.save_for_backward(x, src, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, src, out = (value if isinstance(value, Array) else value.array for value in ctx.saved_tensors)
        is_x, is_src = (x == out).astype(x.dtype), (src == out[ctx.key]).astype(x.dtype)
        count = np.array(is_x, order="C")
        reduce_at(np.add, count, ctx.key, is_src)
        untouched = ctx.untouched
        if not isinstance(grad, Array):
            is_x, is_src, count = wrap(is_x), wrap(is_src), wrap(count)
            untouched = None if untouched is None else wrap(untouched)
        share = grad / count  # (of nan, which equals nothing: nan)
        dx = share * is_x
        dx = dx if untouched is None else where(untouched, dx, 0.0)
        return dx, Index.apply(share, ctx.key) * is_src, None, None, None


class ScatterProd(Operation):
    """out = x times all elements of src that go to its place.  dx, dsrc = grad times the product of all others there"""

    grad_fn_name = "ScatterReduceBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, src: Array, key: Any, reduce: str, untouched: Array | None) -> Array:
        ctx.key, ctx.untouched = key, untouched
        ctx.save_for_backward(x, src)
        return _reduced(x, src, key, reduce, untouched)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, src = ctx.saved_tensors
        key, untouched = ctx.key, ctx.untouched

        def product(x: Any, src: Any) -> Any:
            return ScatterProd.apply(x, src, key, "prod", untouched)

        zero = (src if isinstance(src, Array) else src.array) == 0
        zeros = np.zeros(x.shape, np.int64)
        reduce_at(np.add, zeros, key, zero)
        alone = zero & (zeros[key] == 1)  # the one 0 at its place: the product of the others is not 0 / 0
        ones = np.ones((), x.dtype if isinstance(x, Array) else x.array.dtype)
        where_x = (x if isinstance(x, Array) else x.array) == 0
        if not isinstance(grad, Array):
            zero, alone, where_x, ones = wrap(zero), wrap(alone), wrap(where_x), wrap(ones)
        without = where(where_x, ones, x)
        dx = grad * product(without, src) / without
        if untouched is not None:
            dx = where(untouched if isinstance(grad, Array) else wrap(untouched), dx, 0.0)
        others = Index.apply(grad * product(x, where(alone, ones, src)), key)
        all_of_them = Index.apply(grad * product(x, src), key)  # 0 beside a 0, whose own gradient is not
        dsrc = where(alone, others, all_of_them / where(zero, ones, src))
        return dx, dsrc, None, None, None
