"""Sums of many elements that stay accurate: the one place where the engine adds along an axis of any length."""

from __future__ import annotations

import math

import numpy as np

Array = np.ndarray

_GROUP = 32  # elements that are added one after the other
_SMALL = 1024  # arrays of fewer elements are left to NumPy


def total(x: Array, axes: tuple[int, ...], keepdims: bool = False) -> Array:
    """Σ x over `axes`, in the type of x, with a rounding error that grows like log n and not like n.

    NumPy adds in pairs, but only along the axis whose elements are neighbours in memory. Along another it adds one
    after the other: the float32 mean of 100,000 rows is then right to five digits only, and a bias gradient is such a
    sum. There the rows are added in groups of 32, then the groups' sums in groups of 32, and so on.
    float16 is added in float32 and rounded once, as in PyTorch.
    Source: Higham 1993, "The Accuracy of Floating Point Summation".
    """
    half = x.itemsize == 2 and x.dtype == np.float16
    if (x.size < _SMALL and not half) or not axes:
        return np.add.reduce(x, axes, None, None, keepdims)  # type: ignore  # by position: quicker, and not in the stubs
    if half:
        return np.asarray(total(x.astype(np.float32), axes, keepdims)).astype(np.float16)
    fast = _fast_axes(x, axes)
    slow = [a for a in axes if a not in fast]
    if math.prod(x.shape[a] for a in slow) <= _GROUP:
        return np.add.reduce(x, axes, keepdims=keepdims)  # type: ignore[call-overload]  # NumPy takes a bool
    out = np.add.reduce(x, fast, keepdims=True) if fast else x
    for axis in sorted(slow, key=lambda a: -abs(x.strides[a])):
        out = _in_groups(out, axis)
    return out if keepdims else out.reshape([n for a, n in enumerate(x.shape) if a not in axes])


def _fast_axes(x: Array, axes: tuple[int, ...]) -> tuple[int, ...]:
    """Those of `axes` that NumPy runs through as one line of memory, adding in pairs."""
    line: list[int] = []
    for a in sorted(range(x.ndim), key=lambda a: abs(x.strides[a])):
        if x.shape[a] == 1:
            continue
        if a not in axes or (line and x.strides[a] != x.strides[line[-1]] * x.shape[line[-1]]):
            break
        line.append(a)
    return tuple(line)


def _in_groups(x: Array, axis: int) -> Array:
    """Σ x over one axis, which stays as a dimension of 1: element i goes into group i mod m, so that rows stay rows."""
    before = (slice(None),) * axis
    while (n := x.shape[axis]) > _GROUP:
        m = n // _GROUP
        whole = x[(*before, slice(m * _GROUP))]
        parts = np.add.reduce(whole.reshape(*x.shape[:axis], _GROUP, m, *x.shape[axis + 1 :]), axis)
        if m * _GROUP < n:
            parts[(*before, slice(1))] += np.add.reduce(x[(*before, slice(m * _GROUP, n))], axis, keepdims=True)
        x = parts
    return np.add.reduce(x, axis, keepdims=True)
