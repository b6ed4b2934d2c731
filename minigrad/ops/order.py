"""Order: sorting, the largest few, the median. Values carry gradients to where they came from; indices carry none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import Array, Operand, Variable, wrap
from ..public import public
from .along import gather
from .dims import normalize_dim
from .extremes import ValuesIndices, of_scalar, pick

if TYPE_CHECKING:
    from ..tensor import Tensor


def _order(x: Array, dim: int, descending: bool) -> Array:
    """The stable order along dim; nan counts as the largest value."""
    if not descending:
        return np.argsort(x, dim, kind="stable")
    # Stable from large to small: sort the reversed array and turn the result around.
    backwards = np.flip(x, dim)
    order = np.argsort(backwards, dim, kind="stable")
    return np.ascontiguousarray(x.shape[dim] - 1 - np.flip(order, dim))


def _along(name: str, input: Operand, dim: int) -> int:
    if not isinstance(input, Variable):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    return normalize_dim(dim, input.array.ndim)


@public
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True) -> ValuesIndices:
    """Values in order along dim, and where they were; equal values keep their order. PyTorch: torch.sort."""
    dim = _along("sort", input, dim)
    if input.array.ndim == 0:
        return of_scalar(input)
    order = _order(input.array, dim, descending)
    return ValuesIndices(gather(input, dim, wrap(order)), wrap(order))


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
    order = _order(input.array, dim, largest)
    order = np.ascontiguousarray(order[(*(slice(None),) * dim, slice(k))])
    return ValuesIndices(gather(input, dim, wrap(order)), wrap(order))


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
    return _at_rank(input, np.asarray(k - 1), dim, keepdim)


def _at_rank(input: Operand, rank: Array, dim: int, keepdim: bool) -> ValuesIndices:
    """The value of the given rank along dim."""
    if input.array.ndim == 0:
        return of_scalar(input)
    order = np.argsort(input.array, dim, kind="stable")
    places = np.take_along_axis(order, np.broadcast_to(rank, _one(input.array.shape, dim)), dim)
    return ValuesIndices(
        pick(input, places, dim, keepdim), wrap(places if keepdim else np.asarray(places.squeeze(dim)))
    )


def _one(shape: tuple[int, ...], dim: int) -> tuple[int, ...]:
    return tuple(1 if i == dim else n for i, n in enumerate(shape))


@public
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle value (of two, the lower); along dim with its index. nan if there is one. PyTorch: torch.median."""
    if input.array.dtype.kind == "b":
        raise NotImplementedError("\"median_out\" not implemented for 'Bool'; convert the tensor with .int() first")
    if dim is None:
        if keepdim:
            raise TypeError('median() missing 1 required positional arguments: "dim"')
        if input.array.size == 0:
            return wrap(np.asarray(np.nan, input.array.dtype))
        return median(input.reshape(-1), 0).values
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
            return wrap(np.asarray(np.nan, input.array.dtype))
        return nanmedian(input.reshape(-1), 0).values
    dim = _along("nanmedian", input, dim)
    if input.array.ndim == 0:
        return of_scalar(input)
    present = (~np.isnan(input.array)).sum(dim, keepdims=True)
    return _at_rank(input, np.maximum(present - 1, 0) // 2, dim, keepdim)


@public
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> ValuesIndices:
    """The most frequent value along dim (the smallest of several), and the last place where it is. PyTorch: torch.mode."""
    dim = _along("mode", input, dim)
    if input.array.ndim == 0:
        return of_scalar(input)

    if input.array.shape[dim] == 0:
        raise IndexError(f"mode(): Expected reduction dim {dim} to have non-zero size.")
    if not input.array.size:
        empty = input.sum(dim, keepdim)
        return ValuesIndices(empty, wrap(np.zeros(empty.array.shape, np.int64)))

    def place(row: Array) -> int:
        values, counts = np.unique(row, return_counts=True)
        return int(np.flatnonzero(row == values[counts.argmax()])[-1])

    places = np.apply_along_axis(place, dim, input.array)
    kept = np.expand_dims(places, dim).astype(np.int64)
    return ValuesIndices(pick(input, kept, dim, keepdim), wrap(kept if keepdim else places.astype(np.int64)))


@public(floats="input")
def quantile(
    input: Tensor, q: float | Tensor, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """The values below which fractions q of the elements lie, interpolated between neighbours. PyTorch: torch.quantile."""
    if interpolation != "linear":
        raise NotImplementedError(
            f"quantile: interpolation={interpolation!r} is not supported by minigrad; there is 'linear'"
        )
    fractions = q.array if isinstance(q, Variable) else np.asarray(q, input.array.dtype)
    if fractions.ndim > 1:
        raise RuntimeError(f"quantile() q must be a scalar or 1D tensor, got {fractions.ndim} dimensions")
    if fractions.dtype != input.array.dtype:
        raise RuntimeError(f"quantile() q tensor must be same dtype as the input tensor, got {fractions.dtype}")
    if not ((fractions >= 0) & (fractions <= 1)).all():
        raise RuntimeError("quantile() q values must be in the range [0, 1]")
    ndim = input.array.ndim
    if input.array.dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise RuntimeError("quantile() input tensor must be either float or double dtype")
    if not input.array.size:
        raise RuntimeError("quantile() input tensor must be non-empty")
    if not ndim and dim is not None:
        normalize_dim(dim, 0)
        dim = None
    x = input.reshape(-1) if dim is None else input.movedim(dim, -1)
    ordered = sort(x, -1).values
    n = ordered.array.shape[-1]
    place = fractions.reshape(-1) * (n - 1)
    low = np.floor(place).astype(np.int64)
    share = wrap((place - low).astype(input.array.dtype))
    a = ordered.index_select(-1, wrap(low))
    b = ordered.index_select(-1, wrap(np.minimum(low + 1, n - 1)))
    out = (a + share * (b - a)).movedim(-1, 0)
    if keepdim:
        out = out.reshape(-1, *(1,) * ndim) if dim is None else out.unsqueeze(1 + normalize_dim(dim, ndim))
    return out if fractions.ndim else out.squeeze(0)
