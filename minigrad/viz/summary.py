"""What is kept of a tensor while a training is watched: its range, its mean and spread, and a histogram."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.variable import Array
from ..quiet import quiet

BINS = 24
SORTED = 1 << 16  # elements that are sorted into bins: of more than twice as many every second, third, ...


def plain(x: Any) -> Any:
    """A number as JSON has it, with seven digits; what is not finite as text."""
    x = float(x)
    if not math.isfinite(x):
        return "nan" if math.isnan(x) else "inf" if x > 0 else "-inf"
    x = float(f"{x:.7g}")
    return int(x) if x == int(x) and abs(x) < 1e15 else x


def real(x: Array) -> Array:
    """The elements in a row, as a type that sums well: complex ones as their two parts."""
    x = np.ascontiguousarray(x).reshape(-1)
    if x.dtype.kind == "c":
        x = x.view(x.real.dtype)
    return x if x.dtype in (np.float32, np.float64) else x.astype(np.float32 if x.dtype.itemsize < 4 else np.float64)


@quiet
def norm(x: Array) -> float:
    """The root of the sum of squares."""
    x = real(x)
    squares = float(np.dot(x, x))
    if math.isfinite(squares) and squares > 1e-30:
        return math.sqrt(squares)
    largest = float(np.abs(x).max(initial=0))  # the squares overflow or vanish in the tensor's own type
    if largest == 0 or not math.isfinite(largest):
        return largest
    x = x.astype(np.float64) / largest
    return largest * math.sqrt(float(np.dot(x, x)))


@quiet
def summary(x: Array) -> dict[str, Any]:
    """n elements, lo and hi, mean, std, and k: how many lie in each of 24 bins from lo to hi.

    bad: how many are NaN or infinite; the rest tells of the others. every: the bins hold every so-manieth element only.
    """
    x = real(x)
    told: dict[str, Any] = {"n": int(x.size)}
    if not math.isfinite(float(x.sum())):  # (also where the sum overflows)
        finite = x[np.isfinite(x)]
        if finite.size < x.size:
            told["bad"] = int(x.size - finite.size)
        x = finite
    if not x.size:
        return told
    lo, hi = float(x.min()), float(x.max())
    mean = float(x.mean(dtype=np.float64))
    spread = math.sqrt(max(0.0, float(np.mean(np.square(x - x.dtype.type(mean)), dtype=np.float64))))
    told |= {"lo": plain(lo), "hi": plain(hi), "mean": plain(mean), "std": plain(spread)}
    every = max(1, x.size // SORTED)
    if every > 1:
        told["every"] = every
        x = x[::every]
    told["k"] = histogram(x, lo, hi)
    return told


def histogram(x: Array, lo: float, hi: float) -> list[int]:
    """How many elements lie in each bin; all in the middle one where they are equal."""
    scale = BINS / (hi - lo) if hi > lo else 0.0
    if not math.isfinite(scale) or scale == 0.0:  # equal, or as near to it as numbers come; or wider than they reach
        share = np.where(x > lo / 2 + hi / 2, BINS - 1, 0) if hi / 2 - lo / 2 > 1 else np.full(x.shape, BINS // 2)
        return [int(k) for k in np.bincount(share, minlength=BINS)]
    places = np.minimum(((x.astype(np.float64) - lo) * scale).astype(np.int64), BINS - 1)
    return [int(k) for k in np.bincount(np.maximum(places, 0), minlength=BINS)]


def silent(out: Array) -> tuple[int, int] | None:
    """(units whose output is the same for every row of the batch, units): a ReLU that is 0 for all, a sigmoid that is at its end.

    A unit is an element of the rows of an (N, units) output, a channel of an (N, C, H, W) one. None for a batch of one row.
    """
    if out.ndim < 2 or out.dtype.kind != "f" or out.shape[0] < 2 or not out.size:
        return None
    rows = out if out.ndim == 2 else np.moveaxis(out, 1, -1) if out.ndim >= 4 else out
    rows = rows.reshape(-1, rows.shape[-1])
    return int(np.count_nonzero((rows == rows[:1]).all(axis=0))), int(rows.shape[1])
