"""Order: sorting, the largest few, the median. Values carry gradients to where they came from; indices carry none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.fused import at_hand, compiled_form, size
from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, Variable, wrap
from ..foreign import said
from ..public import public
from ..selection import first_of_order, in_order, place_of_rank
from .along import gather, picked
from .arithmetic import lerp
from .choice import where
from .dims import normalize_dim
from .extremes import ValuesIndices, of_scalar, pick

if TYPE_CHECKING:
    from ..tensor import Tensor


def _require_numbers(name: str, input: Operand) -> None:
    if input.array.dtype.kind == "b":
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for 'Bool'")


def _along(name: str, input: Operand, dim: int) -> int:
    if not isinstance(input, Variable):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {said(input)}")
    return normalize_dim(dim, input.array.ndim)


@public
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True) -> ValuesIndices:
    """Values in order along dim, and where they were; equal values keep their order. PyTorch: torch.sort."""
    dim = _along("sort", input, dim)
    if input.array.ndim == 0:
        return of_scalar(input)
    order = in_order(input.array, dim, descending)
    return ValuesIndices(picked(input, order, dim), wrap(order))


@public
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The indices that sort along dim. PyTorch: torch.argsort."""
    return sort(input.detach(), dim, descending).indices


@public
def msort(input: Tensor) -> Tensor:
    """Values in order along dimension 0. PyTorch: torch.msort."""
    return sort(input, 0).values


@public
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> ValuesIndices:
    """The k largest (or smallest) values along dim, in order, and where they were.

    Among equal values this takes the first; which ones PyTorch takes is unspecified. PyTorch: torch.topk.
    """
    dim = _along("topk", input, dim)
    if input.array.dtype.kind == "b":
        raise NotImplementedError("topk does not support bool dtypes on CPU; convert the tensor with .int() first")
    n = input.array.shape[dim] if input.array.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError(f"selected index k out of range: k = {k}, and dimension {dim} has {n} entries")
    if input.array.ndim == 0:
        return of_scalar(input)
    last = dim == input.array.ndim - 1
    rows = input.array if last else np.moveaxis(input.array, dim, -1)
    rows = np.ascontiguousarray(rows)
    few = k > 0 and k * k <= max(1 << 10, 4 * n)  # k ln n times one of them is put in its place among the others
    work = size(rows) * (64 if at_hand() else 4) if few and (n < 1 << 15 or n < rows.size) else 0
    find = compiled_form("first.first_of_order", work) or first_of_order
    order = find(rows.reshape(math.prod(rows.shape[:-1]), n), k, largest)
    order = order.reshape(*rows.shape[:-1], k)
    if not last:
        order = np.ascontiguousarray(np.moveaxis(order, -1, dim))
    return ValuesIndices(picked(input, order, dim), wrap(order))


@public
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> ValuesIndices:
    """The k-th smallest value along dim (k from 1), and where it was. PyTorch: torch.kthvalue."""
    dim = _along("kthvalue", input, dim)
    if input.array.dtype.kind == "b":
        raise NotImplementedError("\"kthvalue_cpu\" not implemented for 'Bool'; convert the tensor with .int() first")
    n = input.array.shape[dim] if input.array.ndim else 1
    if not 1 <= k <= n:
        raise RuntimeError(
            f"kthvalue(): selected number k out of range for dimension {dim}: k = {k}, and it has {n} entries"
        )
    return _at_rank(input, np.full(_one(input.array.shape, dim), k - 1), dim, keepdim)


def _at_rank(input: Operand, rank: Array, dim: int, keepdim: bool) -> ValuesIndices:
    """The value of the given rank along dim; `rank` has size 1 there."""
    if input.array.ndim == 0:
        return of_scalar(input)
    places = place_of_rank(input.array, rank, dim)
    return ValuesIndices(
        pick(input, places, dim, keepdim), wrap(places if keepdim else np.asarray(places.squeeze(dim)))
    )


def _one(shape: tuple[int, ...], dim: int) -> tuple[int, ...]:
    return tuple(1 if i == dim else n for i, n in enumerate(shape))


class Middle(Operation):
    """out = a value that x has, found before.  grad is shared evenly by the elements that equal it (of nan: all nan)"""

    grad_fn_name = "MedianBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, value: Array) -> Array:
        ctx.ties = np.asarray((x == value) | ((x != x) & (value != value)))
        return value

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        ties = wrap(ctx.ties) if isinstance(grad, Variable) else ctx.ties
        return where(ties, grad / max(int(ctx.ties.sum()), 1), 0.0), None


class NanMiddle(Middle):
    """Middle, of what is not nan"""

    grad_fn_name = "NanmedianBackward0"


@public
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle value (of two, the lower); along dim with its index. nan if there is one. PyTorch: torch.median."""
    if input.array.dtype.kind == "b":
        raise NotImplementedError("\"median_out\" not implemented for 'Bool'; convert the tensor with .int() first")
    if dim is None:
        if keepdim:
            raise TypeError('median() missing 1 required positional arguments: "dim"')
        if input.array.size == 0:
            return Middle.apply(input, np.asarray(np.nan, input.array.dtype))
        return Middle.apply(input, median(wrap(input.array.reshape(-1)), 0).values.array)
    dim = _along("median", input, dim)
    x = input.array
    if x.ndim == 0:
        return of_scalar(input)
    if x.shape[dim] == 0:
        raise IndexError(f"median(): Expected reduction dim {dim} to have non-zero size.")
    rank = np.full(_one(x.shape, dim), (x.shape[dim] - 1) // 2)
    if x.dtype.kind == "f":  # nan sorts last: the first nan is at the rank of the number of others
        holes = np.isnan(x).sum(dim, keepdims=True)
        rank = np.where(holes > 0, x.shape[dim] - holes, rank)
    return _at_rank(input, rank, dim, keepdim)


@public
def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle of the values that are not nan. PyTorch: torch.nanmedian."""
    if input.array.dtype.kind == "b":
        raise NotImplementedError("\"median_cpu\" not implemented for 'Bool'; convert the tensor with .int() first")
    if dim is None:
        if keepdim:
            raise TypeError('nanmedian() missing 1 required positional arguments: "dim"')
        if input.array.size == 0:
            return NanMiddle.apply(input, np.asarray(np.nan, input.array.dtype))
        return NanMiddle.apply(input, nanmedian(wrap(input.array.reshape(-1)), 0).values.array)
    dim = _along("nanmedian", input, dim)
    if input.array.ndim == 0:
        return of_scalar(input)
    present = (~np.isnan(input.array)).sum(dim, keepdims=True)
    return _at_rank(input, np.maximum(present - 1, 0) // 2, dim, keepdim)


@public
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> ValuesIndices:
    """The most frequent value along dim (the smallest of several), and the last place where it is. Each nan counts alone.

    PyTorch: torch.mode, where an unstable sort decides on the place of the longer rows, and on all where there is nan.
    """
    dim = _along("mode", input, dim)
    if input.array.ndim == 0:
        return of_scalar(input)

    if input.array.shape[dim] == 0:
        raise IndexError(f"mode(): Expected reduction dim {dim} to have non-zero size.")
    if not input.array.size:
        empty = input.sum(dim, keepdim)
        return ValuesIndices(empty, wrap(np.zeros(empty.array.shape, np.int64)))

    # In order, each run of equal values counted through: the place of the first largest count is the end of its run.
    order = np.moveaxis(in_order(input.array, dim, False), dim, -1)
    rows = np.take_along_axis(np.moveaxis(input.array, dim, -1), order, -1)
    place = np.broadcast_to(np.arange(rows.shape[-1]), rows.shape)
    new = np.ones(rows.shape, bool)
    new[..., 1:] = rows[..., 1:] != rows[..., :-1]
    counts = place - np.maximum.accumulate(np.where(new, place, 0), -1)
    places = np.take_along_axis(order, counts.argmax(-1)[..., None], -1)
    kept = np.ascontiguousarray(np.moveaxis(places, -1, dim))
    return ValuesIndices(pick(input, kept, dim, keepdim), wrap(kept if keepdim else np.asarray(kept.squeeze(dim))))


def _quantile(
    name: str, input: Tensor, q: Any, dim: int | None, keepdim: bool, interpolation: str, skip_nan: bool
) -> Any:
    """The values at fractions q of the way through the sorted elements, nan at the end of them."""
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    if input.array.dtype not in (np.float32, np.float64):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if isinstance(q, Variable) and q.array.dtype != input.array.dtype:
        raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
    fractions = q.array if isinstance(q, Variable) else np.asarray(q, input.array.dtype)
    if fractions.ndim > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
    if input.array.size == 0:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if not ((fractions >= 0) & (fractions <= 1)).all():
        raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    ndim = input.array.ndim
    if not ndim and dim is not None:
        normalize_dim(dim, 0)
        dim = None
    x = input.reshape(-1) if dim is None else input.movedim(dim, -1)
    ordered = sort(x, -1).values
    n: Any = ordered.array.shape[-1]
    last = np.full((*ordered.array.shape[:-1], 1), n - 1)
    missing = np.isnan(ordered.array).sum(-1, keepdims=True)
    if skip_nan:
        last = np.maximum(n - 1 - missing, 0)
    place = fractions.reshape(-1) * last.astype(input.array.dtype)  # (..., number of fractions)
    if not skip_nan:
        place = np.where(missing > 0, np.asarray(n - 1, place.dtype), place)
    if interpolation == "lower":
        place = np.floor(place)
    elif interpolation == "higher":
        place = np.ceil(place)
    elif interpolation == "nearest":
        place = np.round(place)
    low = np.floor(place).astype(np.int64)
    out = gather(ordered, -1, wrap(low))
    if interpolation in ("linear", "midpoint"):
        share = np.full_like(place, 0.5) if interpolation == "midpoint" else place - low
        high = gather(ordered, -1, wrap(np.ceil(place).astype(np.int64)))
        out = lerp(out, high, wrap(share.astype(input.array.dtype)))
    out = out.movedim(-1, 0)
    if keepdim:
        out = out.reshape(-1, *(1,) * ndim) if dim is None else out.unsqueeze(1 + normalize_dim(dim, ndim))
    return out if fractions.ndim else out.squeeze(0)


@public(floats="input")
def quantile(
    input: Tensor, q: float | Tensor, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """The values below which fractions q of the elements lie; nan where there is one. PyTorch: torch.quantile.

    interpolation, where that falls between two elements: "linear" between them, the "lower", the "higher", the "nearest" or
    their "midpoint".
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, skip_nan=False)


@public(floats="input")
def nanquantile(
    input: Tensor, q: float | Tensor, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """As `quantile`, of the elements that are not nan. PyTorch: torch.nanquantile."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, skip_nan=True)
