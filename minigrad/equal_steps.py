"""Numbers at equal distances, rounded as PyTorch rounds them."""

from __future__ import annotations

from typing import Any

import numpy as np


def wide(d: np.dtype) -> Any:
    """A type in which a product and a sum of numbers of type d are rounded once, as by a fused multiply-add (FMA)."""
    return np.longdouble if d == np.float64 else np.float64


def equal_steps(start: float, end: float, steps: int, d: np.dtype) -> np.ndarray:
    """`steps` numbers from start to end, both included, from both ends towards the middle, so that the last value is `end` exactly.

    PyTorch multiplies and adds with one rounding (FMA); so does this, in a wider type.
    """
    if d.kind in "iu":
        start, end = int(start), int(end)
    work = d if d.kind == "f" else np.dtype(np.float64)
    once = wide(work)
    if steps == 1:
        return np.array([start]).astype(d)
    first, last = work.type(start), work.type(end)
    step = once((last - first) / work.type(max(steps - 1, 1)))
    index = np.arange(steps)
    half = steps // 2
    values = np.empty(steps, work)
    values[:half] = once(first) + step * index[:half]
    values[half:] = once(last) - step * index[: steps - half][::-1]
    return values.astype(d)
