"""Rows added up by index: the gradient of an embedding.

    for each index i, in order:  out[index[i]] += rows[i], one vector addition

The threads share the columns, not the rows: two threads never add to the same element, and the order of the additions,
so the rounding, does not depend on their number.
"""

from __future__ import annotations

import numpy as np

from . import split
from .compiled import kernel

Array = np.ndarray


@kernel
def _add_rows(out: Array, index: Array, rows: Array, start: int, stop: int) -> None:
    for i in range(index.size):
        to, row = out[index[i], start:stop], rows[i, start:stop]
        for j in range(row.size):
            to[j] += row[j]


def add_rows(out: Array, index: Array, rows: Array) -> None:
    """out[index[i]] += rows[i]: out (n, m), rows (k, m), index (k,) of int64 from -n to n - 1."""
    index = np.where(index < 0, index + len(out), index)
    rows = np.ascontiguousarray(rows)
    split(out.shape[1], rows.size, lambda a, b: _add_rows(out, index, rows, a, b))
