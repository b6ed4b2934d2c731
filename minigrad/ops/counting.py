"""Values counted, found and told apart. None of these has a gradient."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.variable import Operand, Variable, wrap
from ..public import public
from .checks import type_name
from .dims import normalize_dim
from .operands import Number, undifferentiable

if TYPE_CHECKING:
    from ..tensor import Tensor


@public
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each integer appears (or the sum of its weights). PyTorch: torch.bincount."""
    if input.array.dtype.kind not in "iu":
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{type_name(input)}'; give integers")
    if minlength < 0:
        raise RuntimeError(f"minlength should be >= 0, got {minlength}")
    if input.array.ndim != 1 or (input.array.size and input.array.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is None:
        return wrap(np.bincount(input.array, None, minlength))
    if weights.array.shape != input.array.shape:
        raise RuntimeError(
            f"weights should be 1-d and have the same length as input, got {list(weights.array.shape)} and {list(input.array.shape)}"
        )
    out = np.bincount(input.array, weights.array, minlength)
    return wrap(out.astype(np.float32) if weights.array.dtype == np.float32 else out)


@public(floats="input")
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of `bins` equal parts of [min, max] (of their range, if both are equal). PyTorch: torch.histc."""
    for bound in (min, max):
        dtypes.element(bound, input.array.dtype)
    if not min <= max:
        raise RuntimeError(f"torch.histc: max must be larger than min, got min={min} and max={max}")
    if bins <= 0:
        raise RuntimeError(f"torch.histc: bins must be > 0, got {bins}")
    low, high = (float(min), float(max)) if min != max else (float(input.array.min()), float(input.array.max()))
    if low == high:
        low, high = low - 1, high + 1
    counts, _ = np.histogram(input.array, bins, (low, high))
    return wrap(counts.astype(input.array.dtype))


@public
def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
    dim: int | None = None,
) -> Any:  # fmt: skip
    """The different values, in order; with their places and counts, if asked for. PyTorch: torch.unique."""
    if dim is not None:
        dim = normalize_dim(dim, input.array.ndim)
    if dim is not None and not input.array.ndim:
        raise RuntimeError("unique(): there is no dim to apply to of a tensor without dimensions")
    values, inverse, counts = np.unique(input.array, return_inverse=True, return_counts=True, axis=dim)
    inverse = inverse.reshape(input.array.shape if dim is None else (-1,))
    chosen = [values] + [inverse] * return_inverse + [counts] * return_counts
    results = tuple(
        wrap(np.asarray(a, dtype=np.int64)) if i else undifferentiable("unique", a, input) for i, a in enumerate(chosen)
    )
    return results[0] if len(results) == 1 else results


@public
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """One for each run of equal values (of equal entries of dim); with their places and counts, if asked for.

    PyTorch: torch.unique_consecutive.
    """
    x = input.array.reshape(-1) if dim is None else np.moveaxis(input.array, normalize_dim(dim, input.array.ndim), 0)
    n = len(x)
    new = np.ones(n, bool)
    new[1:] = (x[1:] != x[:-1]).any(tuple(range(1, x.ndim))) if x.size else False
    starts = np.flatnonzero(new)
    values = x[starts] if dim is None else np.moveaxis(x[starts], 0, normalize_dim(dim, input.array.ndim))
    results = [wrap(np.ascontiguousarray(values))]
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
        raise ValueError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    sizes = (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)
    if any(n < 0 for n in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {sizes}")
    n = math.prod(sizes)
    places = indices.array
    if places.size and (places.min() < -n or places.max() >= n):
        raise ValueError(f"indices of {n} elements lie between {-n} and {n - 1}, got {places.min()} to {places.max()}")
    return tuple(wrap(np.asarray(i)) for i in np.unravel_index(places % max(n, 1), sizes))


@public
def searchsorted(
    sorted_sequence: Tensor,
    input: Operand | Number,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
) -> Any:
    """Where each value would go in a sorted sequence (each row's own, for matrices). PyTorch: torch.searchsorted."""
    if side not in (None, "left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True"
        )
    right = right or side == "right"
    values = np.asarray(input.array if isinstance(input, Variable) else input)
    sequence = sorted_sequence.array
    kind: Any = "right" if right else "left"
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
        out = np.searchsorted(sequence, values, kind)
    else:
        rows = zip(sequence.reshape(-1, sequence.shape[-1]), values.reshape(-1, values.shape[-1]), strict=True)
        out = np.stack([np.searchsorted(s, v, kind) for s, v in rows]).reshape(values.shape)
    if values.dtype.kind == "f":  # a nan goes behind all: nothing is as large
        out = np.where(np.isnan(values), sequence.shape[-1], out)
    return wrap(np.asarray(out, dtype=np.int32 if out_int32 else np.int64))


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
