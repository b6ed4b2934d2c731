"""Indexing: reading and writing elements by position, by list, by mask. Gradients add up where an element was read twice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import inplace, kernels
from ..autograd.graph import Operation
from ..autograd.variable import Array, Variable, wrap
from ..public import public
from .choice import where
from .operands import cast
from .shape import Slice, expand, normalize_dim

if TYPE_CHECKING:
    from ..tensor import Tensor


# -- x[key]


def _array_of(index: Any) -> Array:
    array = index.array if isinstance(index, Variable) else np.asarray(index)
    if array.size == 0 and array.dtype.kind == "f" and not isinstance(index, Variable):
        array = array.astype(np.int64)  # an empty list
    if array.dtype.kind not in "iub" or array.dtype == np.dtype(object):
        raise IndexError(f"tensors used as indices must be long, int, byte or bool tensors, got {array.dtype}")
    return array.astype(bool) if array.dtype == np.uint8 else array  # PyTorch reads byte tensors as masks


def plain_key(key: Any) -> tuple[Any, bool]:
    """The key as NumPy takes it, and whether it is made of ints, slices, None and Ellipsis only (then x[key] is a view)."""
    if isinstance(key, list) and any(
        isinstance(k, slice | list | tuple | Variable | np.ndarray | type(None)) for k in key
    ):
        key = tuple(key)
    parts, basic = [], True
    for k in key if isinstance(key, tuple) else (key,):
        if isinstance(k, slice):
            if k.step is not None and int(k.step) <= 0:
                raise ValueError("step must be greater than zero; use x.flip(dim) to go backwards")
            if any(isinstance(v, Variable) for v in (k.start, k.stop, k.step)):
                k = slice(*(None if v is None else int(v) for v in (k.start, k.stop, k.step)))
        elif isinstance(k, bool | np.bool_):
            k, basic = np.asarray(bool(k)), False
        elif isinstance(k, int) or k is None or k is Ellipsis:
            pass
        elif isinstance(k, np.integer):
            k = int(k)
        elif isinstance(k, Variable) and k.array.ndim == 0 and k.array.dtype.kind in "iu":
            k = int(k.array)
        elif isinstance(k, Variable | np.ndarray | list | tuple | range):
            k, basic = _array_of(list(k) if isinstance(k, range) else k), False
        else:
            error = IndexError if isinstance(k, float) else TypeError
            raise error(
                "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
                f"{type(k).__name__})"
            )
        parts.append(k)
    return tuple(parts), basic


def _ints_first(key: tuple) -> tuple[tuple, tuple]:
    """A key with both ints and tensors as two keys, one after the other: first all that is a view, then the tensors.

    PyTorch reads keys so. NumPy counts an int as one more index array, and so puts x[0, :, [1, 2]]'s dimensions in
    another order.
    """
    first: list[Any] = []
    then: list[Any] = []
    for k in key:
        if isinstance(k, np.ndarray):
            first += [slice(None)] * (k.ndim if k.dtype.kind == "b" else 1)
            then.append(k)
        elif isinstance(k, int):
            first.append(k)
        else:
            first.append(k)
            then.append(Ellipsis if k is Ellipsis else slice(None))
    return tuple(first), tuple(then)


def _is_mixed(key: tuple) -> bool:
    return len(key) > 1 and any(isinstance(k, int) for k in key)


def _index_error(error: IndexError, shape: tuple[int, ...]) -> IndexError:
    text = str(error)
    if not shape and "too many" in text:
        text = "invalid index of a 0-dim tensor. Use `tensor.item()` in Python"
    return IndexError(f"{text} (the tensor has shape {list(shape)})")


class Index(Operation):
    """out = x[key] with tensors or lists in the key.  dx = grad added at those places: twice where an element was read twice"""

    @staticmethod
    def forward(ctx: Any, x: Array, key: Any) -> Array:
        ctx.key, ctx.shape = key, x.shape
        return np.asarray(x[key], order="C")

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return PutAdd.apply(grad, ctx.key, ctx.shape), None


class PutAdd(Operation):
    """out = zeros of `shape`, with x added at key.  dx = grad[key]"""

    @staticmethod
    def forward(ctx: Any, x: Any, key: Any, shape: tuple[int, ...]) -> Array:
        ctx.key = key
        out = np.zeros(shape, x.dtype)
        if len(key) == 1 and key[0].ndim == 1 and key[0].dtype.kind == "i" and x.ndim > 1:
            add_rows(out, key[0], x)
        elif len(key) == 1 and key[0].dtype.kind == "b":
            out[key] = x  # a mask names each place once
        else:
            np.add.at(out, key, x)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return Index.apply(grad, ctx.key), None, None


def add_rows(out: Array, indices: Array, rows: Array) -> None:
    """out[indices[i]] += rows[i] for every i: the gradient of reading rows."""
    if rows.ndim == 2 and kernels.wanted(rows):
        from ..kernels import scatter

        scatter.add_rows(out, indices, rows)
    else:
        np.add.at(out, indices, rows)


def getitem(input: Any, key: Any) -> Any:
    """`input[key]`: ints, slices, None, Ellipsis (a view); masks, integer tensors, lists (a copy). PyTorch: Tensor.__getitem__."""
    if type(key) is int:
        n = input.array.shape[0] if input.array.ndim else 0
        if not -n <= key < n:
            if not input.array.ndim:
                raise IndexError(
                    "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
                    "0-dim tensor to a number"
                )
            raise IndexError(f"index {key} is out of bounds for dimension 0 with size {n}")
        return Slice.apply(input, key)
    plain, basic = plain_key(key)
    try:
        if basic:
            return Slice.apply(input, plain)
        if _is_mixed(plain):
            first, plain = _ints_first(plain)
            input = Slice.apply(input, first)
        return Index.apply(input, plain)
    except IndexError as error:
        raise _index_error(error, input.array.shape) from None


class SetIndex(Operation):
    """out = x with `value` at key.  dx = grad with 0 at key, dvalue = grad[key]"""

    @staticmethod
    def forward(ctx: Any, x: Array, value: Array, key: Any) -> Array:
        ctx.key, ctx.value_shape = key, value.shape
        out = x.copy()
        out[key] = value
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        dx = dvalue = None
        if ctx.needs_input_grad[0]:
            zero = np.zeros((), grad.dtype) if isinstance(grad, np.ndarray) else wrap(np.zeros((), grad.array.dtype))
            dx = SetIndex.apply(grad, zero, ctx.key)
        if ctx.needs_input_grad[1]:
            dvalue = Slice.apply(grad, ctx.key) if _is_basic(ctx.key) else Index.apply(grad, ctx.key)
            # a value may have more leading 1s than the place it was put into
            extra = len(ctx.value_shape) - len(dvalue.shape)
            if extra > 0:
                dvalue = dvalue.reshape((1,) * extra + tuple(dvalue.shape))
        return dx, dvalue, None

    @classmethod
    def name(cls) -> str:
        return "CopySlices"


def _is_basic(key: tuple) -> bool:
    return not any(isinstance(k, np.ndarray) for k in key)


def setitem(self: Any, key: Any, value: Any) -> None:
    """`self[key] = value`, broadcast and converted to self's type. PyTorch: Tensor.__setitem__."""
    plain, basic = plain_key(key)
    if isinstance(value, str):
        raise TypeError(f"can't assign a str to a tensor of {self.dtype}")
    if not isinstance(value, Variable):
        value = wrap(np.asarray(value, dtype=self.array.dtype))
    inplace.check(self, changes_graph=self.requires_grad or value.requires_grad)
    value = cast(value, self.array.dtype)
    try:
        first, then = _ints_first(plain) if not basic and _is_mixed(plain) else ((), plain)
        if self.requires_grad or value.requires_grad:
            if first:
                value = SetIndex.apply(Slice.apply(self, first), value, then)
            inplace.write_back(self, SetIndex.apply(self, value, first or then))
        else:
            target = self.array[first] if first else self.array
            target[then] = value.array
            inplace.storage.mark_written(self.array)
    except IndexError as error:
        raise _index_error(error, self.array.shape) from None
    except ValueError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(value.array.shape)} cannot be broadcast to indexing result of shape "
            f"{list(self.array[plain].shape)}"
        ) from None


@public
def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
    """A copy with `values` at `indices` (added there, if accumulate). PyTorch: torch.index_put."""
    plain, _ = plain_key(tuple(indices))
    if accumulate:
        target = input.array[plain].shape
        return input + PutAdd.apply(expand(values, target), plain, input.array.shape)
    return SetIndex.apply(input, cast(values, input.array.dtype), plain)


# -- along one dimension


def _index_tensor(name: str, index: Any, shape: tuple[int, ...] | None = None) -> Array:
    if not isinstance(index, Variable):
        raise TypeError(f"{name}(): argument 'index' must be Tensor, not {type(index).__name__}")
    if index.array.dtype not in (np.dtype(np.int64), np.dtype(np.int32)):
        raise RuntimeError(f"{name}(): Expected dtype int32 or int64 for index, got {index.array.dtype}")
    return index.array


def _check_range(index: Array, n: int, dim: int) -> None:
    if index.size and (index.min() < 0 or index.max() >= n):
        wrong = index[(index < 0) | (index >= n)].flat[0]
        raise RuntimeError(f"index {wrong} is out of bounds for dimension {dim} with size {n}")


def _along(index: Array, dim: int) -> tuple[Array, ...]:
    """The key that reads x[i₀, ..., index[i], ..., iₙ]: the grid of index's places with `index` itself at `dim`."""
    grid = np.ogrid[tuple(slice(n) for n in index.shape)]
    return tuple(index if i == dim else g for i, g in enumerate(grid))


class Gather(Operation):
    """out[i, j, ...] = x[i, index[i, j, ...], ...] for dim 1.  dx = grad added at the same places"""

    @staticmethod
    def forward(ctx: Any, x: Array, key: Any) -> Array:
        ctx.key, ctx.shape = key, x.shape
        return x[key]

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return ScatterAddAt.apply(grad, ctx.key, ctx.shape), None


class ScatterAddAt(Operation):
    """out = zeros of `shape` with x added at key.  dx = grad[key]"""

    @staticmethod
    def forward(ctx: Any, x: Any, key: Any, shape: tuple[int, ...]) -> Array:
        ctx.key = key
        out = np.zeros(shape, x.dtype)
        np.add.at(out, key, x)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return Gather.apply(grad, ctx.key), None, None


def _gather_key(name: str, input: Any, dim: int, index: Any) -> tuple[Array, ...]:
    places = _index_tensor(name, index)
    ndim = input.array.ndim
    if places.ndim != ndim and not (ndim == 0 or places.ndim == 0):
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    dim = normalize_dim(dim, ndim)
    for i, (n, m) in enumerate(zip(places.shape, input.array.shape, strict=False)):
        if i != dim and n > m:
            raise RuntimeError(
                f"Size does not match at dimension {i} expected index {list(places.shape)} to be no larger than self "
                f"{list(input.array.shape)} apart from dimension {dim}"
            )
    _check_range(places, input.array.shape[dim] if ndim else 1, dim)
    return _along(places, dim)


@public
def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Tensor:
    """For each place in index, the element of input there, but with index's value along dim. PyTorch: torch.gather."""
    if input.array.ndim == 0 or (isinstance(index, Variable) and index.array.ndim == 0):
        _gather_key("gather", input, dim, index)  # the checks
        if input.array.ndim == 0:
            return expand(input.reshape(-1), index.array.shape if index.array.ndim else (1,)).reshape(index.array.shape)
        return Gather.apply(input, (index.array,)).reshape(())
    return Gather.apply(input, _gather_key("gather", input, dim, index))


@public
def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Tensor:
    """As `gather`, with the other dimensions broadcast; flattened for dim=None. PyTorch: torch.take_along_dim."""
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    dim = normalize_dim(dim, input.array.ndim)
    shape = list(np.broadcast_shapes(*([*s[:dim], 1, *s[dim + 1 :]] for s in (input.array.shape, indices.array.shape))))
    a, b = shape.copy(), shape.copy()
    a[dim], b[dim] = input.array.shape[dim], indices.array.shape[dim]
    return gather(expand(input, a), dim, expand(indices, b))


@public
def take(input: Any, index: Any) -> Tensor:
    """Elements of the flattened input, in the shape of index. PyTorch: torch.take."""
    places = _index_tensor("take", index)
    n = input.array.size
    if places.size and not ((places >= -n) & (places < n)).all():
        raise IndexError(f"take(): index out of range for a tensor of {n} elements")
    return Index.apply(input.reshape(-1), (places % max(n, 1),))


class IndexSelect(Operation):
    """out = the entries `index` of dimension dim.  dx = grad added at those entries"""

    @staticmethod
    def forward(ctx: Any, x: Array, dim: int, index: Array) -> Array:
        ctx.dim, ctx.index, ctx.n = dim, index, x.shape[dim]
        return x.take(index, dim)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return IndexAddZeros.apply(grad, ctx.dim, ctx.index, ctx.n), None, None


class IndexAddZeros(Operation):
    """out = zeros with n entries in dimension dim, x added at the entries `index`.  dx = those entries of grad"""

    @staticmethod
    def forward(ctx: Any, x: Any, dim: int, index: Array, n: int) -> Array:
        ctx.dim, ctx.index = dim, index
        out = np.zeros((*x.shape[:dim], n, *x.shape[dim + 1 :]), x.dtype)
        if dim == 0:
            add_rows(out, index, x)
        else:
            np.add.at(out, (*(slice(None),) * dim, index), x)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return IndexSelect.apply(grad, ctx.dim, ctx.index), None, None, None


def _entries(name: str, input: Any, dim: int, index: Any) -> tuple[int, Array]:
    places = _index_tensor(name, index)
    if places.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, but got dim: {places.ndim}")
    dim = normalize_dim(dim, input.array.ndim)
    n = input.array.shape[dim] if input.array.ndim else 1
    if places.size and (places.min() < 0 or places.max() >= n):
        raise IndexError(f"{name}(): index out of range in self: dimension {dim} has {n} entries, index holds "
                         f"{places.min()} to {places.max()}")  # fmt: skip
    return dim, places.reshape(-1)


@public
def index_select(input: Any, dim: int, index: Any) -> Tensor:
    """The entries `index` (a vector) of dimension dim: a copy. PyTorch: torch.index_select."""
    dim, places = _entries("index_select", input, dim, index)
    if input.array.ndim == 0:
        return input.clone()
    return IndexSelect.apply(input, dim, places)


@public
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Tensor:
    """input with alpha · source added at the entries `index` of dimension dim. PyTorch: torch.index_add."""
    dim, places = _entries("index_add", input, dim, index)
    if source.array.dtype != input.array.dtype:
        raise RuntimeError(
            f"index_add_(): self ({input.dtype}) and source ({source.dtype}) must have the same scalar type"
        )
    return input + IndexAddZeros.apply(source if alpha == 1 else source * alpha, dim, places, input.array.shape[dim])


@public
def index_copy(input: Any, dim: int, index: Any, source: Any) -> Tensor:
    """input with its entries `index` of dimension dim replaced by source. PyTorch: torch.index_copy."""
    dim, places = _entries("index_copy", input, dim, index)
    return SetIndex.apply(input, source, (*(slice(None),) * dim, places))


@public
def index_fill(input: Any, dim: int, index: Any, value: Any) -> Tensor:
    """input with its entries `index` of dimension dim set to value. PyTorch: torch.index_fill."""
    dim, places = _entries("index_fill", input, dim, index)
    value = value if isinstance(value, Variable) else wrap(np.asarray(value, input.array.dtype))
    return SetIndex.apply(input, value, (*(slice(None),) * dim, places))


# -- scatter


def _scatter_source(name: str, input: Any, index: Any, src: Any) -> Any:
    """src cut to the shape of index, in input's type."""
    if isinstance(src, Variable):
        if src.array.dtype != input.array.dtype:
            raise RuntimeError(
                f"{name}(): Expected self.dtype to be equal to src.dtype, got {input.dtype} and {src.dtype}"
            )
        if any(n > m for n, m in zip(index.array.shape, src.array.shape, strict=False)):
            raise RuntimeError(
                f"Expected index {list(index.array.shape)} to be no larger than src {list(src.array.shape)}"
            )
        return Slice.apply(src, tuple(slice(n) for n in index.array.shape))
    return wrap(np.full(index.array.shape, src, input.array.dtype))


@public
def scatter(
    input: Any, dim: int, index: Any, src: Any = None, value: Any = None, *, reduce: str | None = None
) -> Tensor:
    """input with src (or one value) written at the places that `gather(dim, index)` reads. PyTorch: torch.scatter."""
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise RuntimeError(f"reduce argument must be either add or multiply, got {reduce!r}")
        kind = "sum" if reduce == "add" else "prod"
        return scatter_reduce(
            input,
            dim,
            index,
            _scatter_source("scatter", input, index, src if src is not None else value),
            kind,
        )
    key = _gather_key("scatter", input, dim, index)
    return SetIndex.apply(input, _scatter_source("scatter", input, index, value if src is None else src), key)


@public
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Tensor:
    """input with src added at the places that `gather(dim, index)` reads. PyTorch: torch.scatter_add."""
    key = _gather_key("scatter_add", input, dim, index)
    return input + ScatterAddAt.apply(_scatter_source("scatter_add", input, index, src), key, input.array.shape)


@public
def scatter_reduce(input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Tensor:
    """input with src reduced into the places of index: "sum" or "mean" with gradient, "prod", "amax", "amin" without.

    PyTorch: torch.scatter_reduce.
    """
    key = _gather_key("scatter_reduce", input, dim, index)
    src = _scatter_source("scatter_reduce", input, index, src)
    touched = np.zeros(input.array.shape, np.int64)
    np.add.at(touched, key, 1)
    start = input if include_self else where(wrap(touched > 0), input * 0, input)
    if reduce in ("sum", "mean"):
        total = start + ScatterAddAt.apply(src, key, input.array.shape)
        if reduce == "sum":
            return total
        count = touched + 1 if include_self else np.maximum(touched, 1)
        count = count.astype(input.array.dtype)
        return total / wrap(count) if input.array.dtype.kind == "f" else wrap(total.array // count)
    ufuncs = {"prod": (np.multiply, 1), "amax": (np.maximum, -math.inf), "amin": (np.minimum, math.inf)}
    if reduce not in ufuncs:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    if input.requires_grad or src.requires_grad:
        raise NotImplementedError(f"scatter_reduce({reduce!r}) has no gradient in minigrad; 'sum' and 'mean' have one")
    ufunc, neutral = ufuncs[reduce]
    out = input.array.copy()
    if not include_self:
        info = np.finfo(out.dtype) if out.dtype.kind == "f" else np.iinfo(out.dtype)
        out[touched > 0] = 1 if reduce == "prod" else info.min if neutral < 0 else info.max
    ufunc.at(out, key, src.array)
    return wrap(out)


# -- masks


def _mask(name: str, mask: Any) -> Array:
    if not isinstance(mask, Variable):
        raise TypeError(f"{name}(): argument 'mask' must be Tensor, not {type(mask).__name__}")
    if mask.array.dtype.kind != "b":
        raise RuntimeError(
            f"{name} only supports boolean masks, but got dtype {mask.array.dtype}; compare first, as in (x != 0)"
        )
    return mask.array


@public
def masked_fill(input: Any, mask: Any, value: Any) -> Tensor:
    """input with value where mask is True. PyTorch: torch.masked_fill."""
    _mask("masked_fill", mask)
    if isinstance(value, Variable):
        if value.array.ndim:
            raise RuntimeError(
                f"masked_fill only supports a 0-dimensional value tensor, but got tensor with {value.array.ndim} dimension(s)."
            )
    elif input.array.dtype.kind in "iu" and isinstance(value, float):
        value = int(value)
    if not isinstance(value, Variable):
        value = wrap(np.asarray(value, input.array.dtype))
    return where(mask, cast(value, input.array.dtype), input)


@public
def masked_select(input: Any, mask: Any) -> Tensor:
    """The elements where mask is True, in one dimension. PyTorch: torch.masked_select."""
    _mask("masked_select", mask)
    shape = np.broadcast_shapes(input.array.shape, mask.array.shape)
    return Index.apply(expand(input, shape), (np.broadcast_to(mask.array, shape),))


@public
def masked_scatter(input: Any, mask: Any, source: Any) -> Tensor:
    """input with the elements of source, in order, where mask is True. PyTorch: torch.masked_scatter."""
    _mask("masked_scatter", mask)
    shape = np.broadcast_shapes(input.array.shape, mask.array.shape)
    full = np.broadcast_to(mask.array, shape)
    n = int(full.sum())
    if source.array.size < n:
        raise RuntimeError(f"Number of elements of source < number of ones in mask: {source.array.size} < {n}")
    return SetIndex.apply(expand(input, shape), Slice.apply(source.reshape(-1), (slice(n),)), (full,))


# -- where and what (no gradient)


@public
def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """The indices of nonzero elements, a row each (or, as_tuple, a vector a dimension). PyTorch: torch.nonzero."""
    if as_tuple:
        return tuple(wrap(i) for i in np.nonzero(np.atleast_1d(input.array)))
    return wrap(np.argwhere(input.array))


@public
def argwhere(input: Any) -> Tensor:
    """The indices of nonzero elements, a row each. PyTorch: torch.argwhere."""
    return wrap(np.argwhere(input.array))


@public("functional")
def one_hot(tensor: Any, num_classes: int = -1) -> Tensor:
    """For each class index, a vector of num_classes with a 1 there. PyTorch: torch.nn.functional.one_hot."""
    index = tensor.array
    if index.dtype != np.int64:
        raise RuntimeError(f"one_hot is only applicable to index tensor of type LongTensor, got {tensor.dtype}")
    if index.size == 0 and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if index.size and index.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    n = int(index.max()) + 1 if num_classes == -1 else num_classes
    if index.size and index.max() >= n:
        raise RuntimeError(f"Class values must be smaller than num_classes: {int(index.max())} and {n}")
    return wrap((index[..., None] == np.arange(n)).astype(np.int64))


@public
def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Tensor:
    """How often each integer appears (or the sum of its weights). PyTorch: torch.bincount."""
    if input.array.ndim != 1 or (input.array.size and input.array.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    out = np.bincount(input.array, None if weights is None else weights.array, minlength)
    return wrap(out if weights is None or weights.array.dtype == np.float64 else out.astype(weights.array.dtype))


@public
def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of `bins` equal parts of [min, max] (of their range, if both are equal). PyTorch: torch.histc."""
    low, high = (float(min), float(max)) if min != max else (float(input.array.min()), float(input.array.max()))
    if low == high:
        low, high = low - 1, high + 1
    counts, _ = np.histogram(input.array, bins, (low, high))
    return wrap(counts.astype(input.array.dtype))


@public
def unique(
    input: Any,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different values, in order; with their places and counts, if asked for. PyTorch: torch.unique."""
    values, inverse, counts = np.unique(input.array, return_inverse=True, return_counts=True, axis=dim)
    inverse = inverse.reshape(input.array.shape if dim is None else (-1,))
    chosen = [values] + [inverse] * return_inverse + [counts] * return_counts
    results = tuple(wrap(np.asarray(a, dtype=np.int64 if i else a.dtype)) for i, a in enumerate(chosen))
    return results[0] if len(results) == 1 else results


@public
def searchsorted(
    sorted_sequence: Any, input: Any, *, out_int32: bool = False, right: bool = False, side: str | None = None
) -> Any:
    """Where each value would go in a sorted sequence (each row's own, for matrices). PyTorch: torch.searchsorted."""
    right = right or side == "right"
    values = np.asarray(input.array if isinstance(input, Variable) else input)
    sequence = sorted_sequence.array
    kind: Any = "right" if right else "left"
    if sequence.ndim == 1:
        out = np.searchsorted(sequence, values, kind)
    else:
        rows = zip(sequence.reshape(-1, sequence.shape[-1]), values.reshape(-1, values.shape[-1]), strict=True)
        out = np.stack([np.searchsorted(s, v, kind) for s, v in rows]).reshape(values.shape)
    return wrap(np.asarray(out, dtype=np.int32 if out_int32 else np.int64))


@public
def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The bucket of each value between sorted boundaries. PyTorch: torch.bucketize."""
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


@public
def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Which elements are among test_elements. PyTorch: torch.isin."""
    a, b = (x.array if isinstance(x, Variable) else np.asarray(x) for x in (elements, test_elements))
    return wrap(np.asarray(np.isin(a, b, assume_unique=assume_unique, invert=invert)))


# -- rows of a table


class Embedding(Operation):
    """out[i] = weight[index[i]].  dweight[k] = the sum of grad over the places that read row k (0 for padding_idx)"""

    @staticmethod
    def forward(ctx: Any, weight: Array, index: Array, padding_idx: int | None) -> Array:
        ctx.index, ctx.padding_idx, ctx.shape = index, padding_idx, weight.shape
        return weight.take(index, 0)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return EmbeddingGrad.apply(grad, ctx.index, ctx.padding_idx, ctx.shape), None, None


class EmbeddingGrad(Operation):
    """out = zeros of `shape`, with row x[i] added at row index[i], but for padding.  dx = the rows of grad"""

    @staticmethod
    def forward(ctx: Any, x: Any, index: Array, padding_idx: int | None, shape: tuple[int, ...]) -> Array:
        ctx.index, ctx.padding_idx = index, padding_idx
        out = np.zeros(shape, x.dtype)
        add_rows(out, index.reshape(-1), x.reshape(-1, shape[1]))
        if padding_idx is not None:
            out[padding_idx] = 0
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        if ctx.padding_idx is not None:
            key = (ctx.padding_idx,)
            zero = np.zeros((), grad.dtype) if isinstance(grad, np.ndarray) else wrap(np.zeros((), grad.array.dtype))
            grad = SetIndex.apply(grad, zero, key)
        return Embedding.apply(grad, ctx.index, None), None, None, None


@public("functional")
def embedding(
    input: Any, weight: Any, padding_idx: int | None = None, max_norm: float | None = None, norm_type: float = 2.0,
    scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Tensor:  # fmt: skip
    """Rows of `weight` (V, D) by the indices in input (any shape): (*input.shape, D); row padding_idx gets no gradient.

    PyTorch: torch.nn.functional.embedding.
    """
    for name, value in (
        ("max_norm", max_norm),
        ("scale_grad_by_freq", scale_grad_by_freq),
        ("sparse", sparse),
    ):
        if value:
            raise NotImplementedError(f"embedding: {name}={value!r} is not supported by minigrad; leave it out")
    index = _index_tensor("embedding", input)
    if weight.array.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D, got shape {list(weight.array.shape)}")
    n = weight.array.shape[0]
    if index.size and (index.min() < 0 or index.max() >= n):
        raise IndexError(
            f"index out of range in self: the table has {n} rows, the indices go from {index.min()} to {index.max()}"
        )
    if padding_idx is not None:
        if not -n <= padding_idx < n:
            raise AssertionError(f"Padding_idx must be within num_embeddings, got {padding_idx} for {n} rows")
        padding_idx %= n
    return Embedding.apply(weight, index, padding_idx)
