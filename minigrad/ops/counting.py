"""Values counted, found and told apart. None of these has a gradient."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.variable import Array, Operand, Variable, wrap
from ..equal_steps import equal_steps
from ..public import public
from .checks import refuse_type, type_name
from .dims import normalize_dim
from .operands import Number, undifferentiable

if TYPE_CHECKING:
    from ..tensor import Tensor

_LARGEST = 2**63 - 1


@public
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each integer appears (or the sum of its weights). PyTorch: torch.bincount."""
    if input.array.dtype.kind not in "iu":
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{type_name(input)}'; give integers")
    if minlength < 0:
        raise RuntimeError(f"minlength should be >= 0, got {minlength}")
    if input.array.ndim != 1 or (input.array.size and input.array.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if (
        input.array.size and int(input.array.max()) >= _LARGEST
    ):  # one more does not fit, and NumPy writes outside its memory
        raise RuntimeError(f"maximum value of input overflowed, it should be < {_LARGEST} but got {input.array.max()}")
    if weights is None or not input.array.size:
        return wrap(np.bincount(input.array, None, minlength))
    if weights.array.shape != input.array.shape:
        raise RuntimeError(
            f"weights should be 1-d and have the same length as input, got {list(weights.array.shape)} and {list(input.array.shape)}"
        )
    out = np.bincount(input.array, weights.array, minlength)
    return wrap(out.astype(np.float32) if weights.array.dtype == np.float32 else out)


def bin_edges(name: str, x: Array, bins: int, low: float, high: float, half: float) -> Array:
    """The ends of `bins` equal parts of [low, high]; where both are equal, of the range from `half` below to `half` above.

    RuntimeError where there are no such parts.
    """
    if bins <= 0:
        raise RuntimeError(f"{name}: bins must be > 0, but got {bins}")
    if not (np.isfinite(low) and np.isfinite(high)):
        raise RuntimeError(f"{name}: range of [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError(f"{name}: max must be larger than min, but got [{low}, {high}]")
    if low == high:
        low, high = low - half, high + half
    return equal_steps(float(low), float(high), bins + 1, x.dtype)


def extent(x: Array) -> tuple[float, float]:
    """The smallest and the largest element; (0, 0) where there is none."""
    return (float(x.min()), float(x.max())) if x.size else (0.0, 0.0)


@public(floats="input")
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of `bins` equal parts of [min, max] (of their range, if both are equal). PyTorch: torch.histc."""
    for bound in (min, max):
        dtypes.element(bound, input.array.dtype)
    x = input.array.reshape(-1)
    bottom, top = (min, max) if min != max else extent(x)
    edges = bin_edges("torch.histc", x, bins, bottom, top, half=1.0)
    low, high = edges[0], edges[-1]
    x = x[(x >= low) & (x <= high)]
    place = ((x - low) * x.dtype.type(bins) / (high - low)).astype(np.int64)  # which an edge may round to either side
    return wrap(np.bincount(np.minimum(place, bins - 1), minlength=bins).astype(input.array.dtype))


def _run_starts(x: Array) -> Array:
    """Which of the entries of x differ from the one before them. One with a nan differs from every other."""
    new = np.ones(len(x), bool)
    new[1:] = (x[1:] != x[:-1]).reshape(len(x) - 1, -1).any(1) if x.size and len(x) > 1 else False
    return new


@public
def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
    dim: int | None = None,
) -> Any:  # fmt: skip
    """The different values, in order; with their places and counts, if asked for. Each nan is a value of its own.

    PyTorch: torch.unique.
    """
    x = input.array.reshape(-1)
    if dim is not None:
        if not input.array.ndim:
            raise IndexError("unique(): there is no dim to apply to of a tensor without dimensions")
        dim = normalize_dim(dim, input.array.ndim)
        x = np.moveaxis(input.array, dim, 0)
        if not x.size and len(x):
            raise RuntimeError("unique(): there are dimensions of size 0 that are not selected by dim")
    n = len(x)
    order = np.lexsort(x.reshape(n, -1).T[::-1]) if x.size else np.arange(n)  # the first column counts most
    new = _run_starts(x[order])
    starts = np.flatnonzero(new)
    values = x[order[starts]] if dim is None else np.moveaxis(x[order[starts]], 0, dim)
    results = [undifferentiable("unique", np.ascontiguousarray(values), input, listed=True)]
    if return_inverse:
        inverse = np.empty(n, np.int64)
        inverse[order] = np.cumsum(new) - 1
        results.append(wrap(inverse.reshape(input.array.shape if dim is None else (n,))))
    if return_counts:
        results.append(wrap(np.diff(np.append(starts, n))))
    return results[0] if len(results) == 1 else tuple(results)


@public
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """One for each run of equal values (of equal entries of dim); with their places and counts, if asked for.

    PyTorch: torch.unique_consecutive.
    """
    x = input.array.reshape(-1) if dim is None else np.moveaxis(input.array, normalize_dim(dim, input.array.ndim), 0)
    n = len(x)
    new = _run_starts(x)
    starts = np.flatnonzero(new)
    values = x[starts] if dim is None else np.moveaxis(x[starts], 0, normalize_dim(dim, input.array.ndim))
    results = [undifferentiable("unique_consecutive", np.ascontiguousarray(values), input, listed=True)]
    if return_inverse:
        inverse = np.cumsum(new) - 1
        results.append(wrap(inverse.reshape(input.array.shape if dim is None else (n,))))
    if return_counts:
        results.append(wrap(np.diff(np.append(starts, n))))
    return results[0] if len(results) == 1 else tuple(results)


@public
def unravel_index(indices: Tensor, shape: int | Sequence[int]) -> tuple[Tensor, ...]:
    """By dimension the coordinates of places in the flattened elements of `shape`. PyTorch: torch.unravel_index."""
    if indices.array.dtype.kind not in "iu":
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    sizes = (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)
    if any(n < 0 for n in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {sizes}")
    n = math.prod(sizes)
    places = indices.array
    if places.size and (places.min() < -n or places.max() >= n):
        raise ValueError(f"indices of {n} elements lie between {-n} and {n - 1}, got {places.min()} to {places.max()}")
    return tuple(wrap(np.asarray(i)) for i in np.unravel_index(places % max(n, 1), sizes))


def _places(sequence: Array, values: Array, right: bool) -> Array:
    """Where each of the values would go in the sequence, by halving: from the left the first that is not less (right: the
    first that is greater). In a sequence that is not sorted, or has nan, where these very steps lead."""
    if (sequence[1:] >= sequence[:-1]).all() and (sequence[:1] == sequence[:1]).all():
        return np.asarray(np.searchsorted(sequence, values, "right" if right else "left"))
    start, end = np.zeros(values.shape, np.int64), np.full(values.shape, len(sequence))
    while (start < end).any():
        middle = start + (end - start) // 2
        found = sequence[np.minimum(middle, len(sequence) - 1)]
        reached = (found > values) if right else (found >= values)
        end, start = np.where(reached, middle, end), np.where(reached | (start >= end), start, middle + 1)
    return start


@public
def searchsorted(
    sorted_sequence: Tensor,
    input: Operand | Number,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Any:
    """Where each value would go in a sorted sequence (each row's own, for matrices). PyTorch: torch.searchsorted.

    side: "left" or "right", as `right` says; sorter: the indices that sort the sequence, where it is not sorted itself.
    """
    if side not in (None, "left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True"
        )
    right = right or side == "right"
    values = np.asarray(input.array if isinstance(input, Variable) else input)
    sequence = sorted_sequence.array
    refuse_type("searchsorted_out_cpu", np.bool_, sorted_sequence)
    if sorter is not None:
        sequence = _in_the_order_of(sequence, sorter)
    if sequence.ndim == 0:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension"
        )
    if sequence.ndim != 1 and sequence.shape[:-1] != values.shape[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor "
            f"and input value tensor must match, but got {list(sequence.shape)} and {list(values.shape)}"
        )
    if sequence.ndim == 1:
        out = _places(sequence, values, right)
    else:
        out = np.empty(values.shape, np.int64)
        for row in np.ndindex(sequence.shape[:-1]):
            out[row] = _places(sequence[row], values[row], right)
    return wrap(np.asarray(out, dtype=np.int32 if out_int32 else np.int64))


def _in_the_order_of(sequence: Array, sorter: Operand) -> Array:
    if sorter.array.shape != sequence.shape:
        raise RuntimeError(
            "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
            f"{list(sequence.shape)} and got sorter tensor {list(sorter.array.shape)}"
        )
    if sorter.array.dtype != np.int64:
        raise RuntimeError(f"torch.searchsorted(): sorter must be a tensor of long dtype but got dtype {sorter.dtype}")
    if sorter.array.size and not (sorter.array.min() >= 0 and sorter.array.max() < sequence.shape[-1]):
        raise RuntimeError("torch.searchsorted(): sorter index out of range")
    return np.take_along_axis(sequence, sorter.array, -1)


@public
def bucketize(input: Tensor | Number, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The bucket of each value between sorted boundaries. PyTorch: torch.bucketize."""
    if boundaries.array.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.array.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


@public
def isin(
    elements: Operand | Number, test_elements: Operand | Number, *, assume_unique: bool = False, invert: bool = False
) -> Tensor:
    """Which elements are among test_elements. PyTorch: torch.isin."""
    a, b = (x.array if isinstance(x, Variable) else np.asarray(x) for x in (elements, test_elements))
    if not isinstance(elements, Variable) and not isinstance(test_elements, Variable):
        raise TypeError("isin(): one of 'elements' and 'test_elements' must be Tensor, and both are Numbers")
    for x in (a, b):
        if x.dtype.kind == "b":
            raise RuntimeError("Unsupported input type encountered for isin(): Bool; convert it with .int() first")
    return wrap(np.asarray(np.isin(a, b, assume_unique=assume_unique, invert=invert)))
