"""The first few elements of an order, in one pass over each row: `topk` of a small k. The NumPy twin is in selection.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import Array
from . import split
from .compiled import inline, kernel


@inline
def _before(a: Any, b: Any, descending: Any) -> Any:
    """Whether a comes before b, where they are not equal; nan is the largest."""
    return (a > b or (a != a and b == b)) if descending else (a < b or (b != b and a == a))


@kernel
def _first(rows: Array, places: Array, descending: bool) -> None:
    """rows (m, n); places (m, k), in order; best: what was found so far in a row."""
    k = places.shape[1]
    best = np.empty(k, rows.dtype)
    for r in range(rows.shape[0]):
        for i in range(rows.shape[1]):
            value = rows[r, i]
            if i >= k and not _before(value, best[k - 1], descending):
                continue  # nearly always: the first k are soon large
            j = min(i, k - 1)
            while j > 0 and _before(value, best[j - 1], descending):
                best[j], places[r, j] = best[j - 1], places[r, j - 1]
                j -= 1
            best[j], places[r, j] = value, i


def first_of_order(rows: Array, k: int, descending: bool) -> Array:
    """See selection.first_of_order; k > 0."""
    places = np.empty((len(rows), k), np.int64)
    split(len(rows), rows.size, lambda a, b: _first(rows[a:b], places[a:b], descending))
    return places
