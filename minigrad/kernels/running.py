"""The largest or smallest element so far and where it stands, in one pass. The NumPy twin is in ops/cumulative.py."""

from __future__ import annotations

import math

import numpy as np

from ..autograd.variable import Array
from . import split
from .compiled import kernel


@kernel
def _running_row(x: Array, values: Array, places: Array, largest: bool) -> None:
    """x (outer, n, 1), along n."""
    for o in range(x.shape[0]):
        best, place = x[o, 0, 0], 0
        for i in range(x.shape[1]):
            value = x[o, i, 0]
            # Nearly always the first comparison decides. A nan compares with nothing: neither the new one nor one that is the best.
            if not (value < best if largest else value > best) and (value == best or value != value or best == best):
                best, place = value, i
            values[o, i, 0], places[o, i, 0] = best, place


@kernel
def _running(x: Array, values: Array, places: Array, largest: bool) -> None:
    """x (outer, n, inner), along n."""
    for o in range(x.shape[0]):
        values[o, 0] = x[o, 0]
        places[o, 0] = 0
        for i in range(1, x.shape[1]):
            for j in range(x.shape[2]):
                value, best = x[o, i, j], values[o, i - 1, j]
                takes = (value >= best if largest else value <= best) or value != value
                values[o, i, j] = value if takes else best
                places[o, i, j] = i if takes else places[o, i - 1, j]


def running(x: Array, dim: int, largest: bool) -> tuple[Array, Array]:
    """See ops.cumulative.running."""
    values, places = np.empty(x.shape, x.dtype), np.empty(x.shape, np.int64)
    if x.size:
        outer, inner = math.prod(x.shape[:dim]), math.prod(x.shape[dim + 1 :])
        arrays = [a.reshape(outer, x.shape[dim], inner) for a in (np.ascontiguousarray(x), values, places)]
        loop = _running_row if inner == 1 else _running
        split(outer, x.size, lambda a, b: loop(*(part[a:b] for part in arrays), largest))
    return values, places
