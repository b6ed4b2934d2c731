"""Windows over images: what convolution, pooling and unfolding share.

An array (N, C, *spatial) is seen as windows (N, C, *out, *kernel): `out` places, at each of which lie `kernel` elements,
`dilation` apart, the places `stride` apart. That is a view: NumPy's strides do it, nothing is copied.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from ..autograd.variable import Array

Ints: TypeAlias = tuple[int, ...]
IntOrInts: TypeAlias = int | Sequence[int]  # one number for all spatial dimensions, or one for each
Key: TypeAlias = tuple[Any, ...]  # what an array is indexed by
Pairs: TypeAlias = tuple[tuple[int, int], ...]  # padding before and after, by spatial dimension


def tuple_of(value: Any, n: int, name: str) -> Ints:
    """`value` once for each of n spatial dimensions."""
    if isinstance(value, int | np.integer):
        if abs(int(value)) >= 2**63:
            raise OverflowError(f"{name}={value} does not fit 64 bits")
        return (int(value),) * n
    values = tuple(int(v) for v in value)
    if any(abs(v) >= 2**63 for v in values):
        raise OverflowError(f"{name}={list(values)} does not fit 64 bits")
    if len(values) == 1:
        return values * n
    if len(values) != n:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {n} values, but got {name}={list(values)}"
        )
    return values


def out_size(size: int, kernel: int, stride: int, pads: tuple[int, int], dilation: int) -> int:
    """How many windows fit: ⌊(size + padding - dilation (kernel - 1) - 1) / stride⌋ + 1."""
    return (size + sum(pads) - dilation * (kernel - 1) - 1) // stride + 1


def out_sizes(spatial: Ints, kernel: Ints, stride: Ints, pads: Pairs, dilation: Ints) -> Ints:
    """How many windows fit, by spatial dimension."""
    return tuple(map(out_size, spatial, kernel, stride, pads, dilation))


def pad_zeros(x: Array, pads: Pairs, value: Any = 0) -> Array:
    """x with `value` around its spatial dimensions."""
    if not any(map(any, pads)):
        return x
    n = len(pads)
    if any(hi < 0 for _, hi in pads):  # a negative amount cuts
        x = x[inside(tuple(s + min(hi, 0) for s, (_, hi) in zip(x.shape[-n:], pads, strict=True)), ((0, 0),) * n)]
        pads = tuple((lo, max(hi, 0)) for lo, hi in pads)
    shape = (*x.shape[:-n], *(s + lo + hi for s, (lo, hi) in zip(x.shape[-n:], pads, strict=True)))
    out = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
    out[inside(x.shape[-n:], pads)] = x
    return out


def windows(x: Array, kernel: Ints, stride: Ints, dilation: Ints) -> Array:
    """The windows (.., *out, *kernel) of x (.., *spatial), a view."""
    n = len(kernel)
    spatial, steps = x.shape[-n:], x.strides[-n:]
    out = [out_size(s, k, st, (0, 0), d) for s, k, st, d in zip(spatial, kernel, stride, dilation, strict=True)]
    between_places = [b * s for b, s in zip(steps, stride, strict=True)]
    between_elements = [b * d for b, d in zip(steps, dilation, strict=True)]
    shape, strides = (*x.shape[:-n], *out, *kernel), (*x.strides[:-n], *between_places, *between_elements)
    return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)


def add_windows(values: Array, spatial: Ints, kernel: Ints, stride: Ints, dilation: Ints) -> Array:
    """The transpose of `windows`: values (.., *kernel, *out) added up into (.., *spatial), where windows overlap.

    One strided addition for each element of the kernel, over all windows at once.
    """
    n = len(kernel)
    lead, out = values.shape[: -2 * n], values.shape[-n:]
    total = np.zeros((*lead, *spatial), values.dtype)
    every: Key = (slice(None),) * len(lead)
    for place in itertools.product(*(range(k) for k in kernel)):
        total[at(place, out, stride, dilation)] += values[(*every, *place)]
    return total


def at(place: Ints, out: Ints, stride: Ints, dilation: Ints) -> Key:
    """The key that picks, from every window, its element at `place`."""
    steps = zip(place, out, stride, dilation, strict=True)
    return (..., *(slice(p * d, p * d + (n - 1) * s + 1, s) for p, n, s, d in steps))


def inside(spatial: Ints, pads: Pairs) -> Key:
    """The key that picks, from padded images, what is not padding."""
    return (..., *(slice(lo, lo + n) for n, (lo, _) in zip(spatial, pads, strict=True)))
