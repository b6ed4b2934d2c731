"""Where the largest or smallest element so far stands, in one pass. The NumPy twin is in ops/cumulative.py."""

from __future__ import annotations

import numpy as np

from ..autograd.variable import Array
from . import split
from .compiled import kernel


@kernel
def _running_row(x: Array, places: Array, largest: bool) -> None:
    """x (outer, n), along n."""
    for o in range(x.shape[0]):
        best, place = x[o, 0], 0
        for i in range(x.shape[1]):
            value = x[o, i]
            if (value >= best if largest else value <= best) or value != value:
                best, place = value, i
            places[o, i] = place


@kernel
def _running(x: Array, places: Array, largest: bool) -> None:
    """x (outer, n, inner), along n."""
    for o in range(x.shape[0]):
        best = x[o, 0].copy()
        places[o, 0] = 0
        for i in range(1, x.shape[1]):
            for j in range(x.shape[2]):
                value, so_far = x[o, i, j], best[j]
                takes = value >= so_far if largest else value <= so_far
                if takes or value != value:
                    best[j] = value
                    places[o, i, j] = i
                else:  # also where so_far is a nan, which compares with nothing
                    places[o, i, j] = places[o, i - 1, j]


def running_places(x: Array, dim: int, largest: bool) -> Array:
    """See ops.cumulative.running_places."""
    places = np.empty(x.shape, np.int64)
    if x.size:
        outer, inner = int(np.prod(x.shape[:dim])), int(np.prod(x.shape[dim + 1 :]))
        shape = outer, x.shape[dim], inner
        given, found = np.ascontiguousarray(x).reshape(shape), places.reshape(shape)
        loop = _running
        if inner == 1:
            loop, given, found = _running_row, given[:, :, 0], found[:, :, 0]
        split(outer, x.size, lambda a, b: loop(given[a:b], found[a:b], largest))
    return places
