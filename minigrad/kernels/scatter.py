"""Rows added up by index: the gradient of an embedding, and of rows that were read by index. And single elements.

    for each index i, in order:  out[index[i]] += rows[i], one vector addition

The threads share the columns, not the rows: two threads never add to the same element, and the order of the additions,
so the rounding, does not depend on their number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import Array
from ..ops.index import AddRows as NumpyAddRows
from ..ops.tables import Embedding as NumpyEmbedding
from . import split
from .compiled import kernel


@kernel
def _add_rows(out: Array, index: Array, rows: Array, start: int, stop: int) -> None:
    for i in range(index.size):
        to, row = out[index[i], start:stop], rows[i, start:stop]
        for j in range(row.size):
            to[j] += row[j]


@kernel
def _add_flat(out: Array, places: Array, x: Array) -> None:
    for i in range(places.size):
        out[places[i]] += x[i]


def add_flat(out: Array, places: Array, x: Array) -> None:
    """np.add.at of vectors: out[places[i]] += x[i], places from 0 to n - 1. One thread does it: two could meet in an element."""
    _add_flat(out, places.astype(np.int64, copy=False), np.ascontiguousarray(x))


def add_rows(out: Array, index: Array, rows: Array) -> None:
    """out[index[i]] += rows[i]: out (n, m), rows (k, m), index (k,) of integers from -n to n - 1."""
    index = np.where(index < 0, index + len(out), index).astype(np.int64, copy=False)
    rows = np.ascontiguousarray(rows)
    split(out.shape[1], rows.size, lambda a, b: _add_rows(out, index, rows, a, b))


class AddRows(NumpyAddRows):
    """The compiled form of its namesake in ops/index.py."""

    @staticmethod
    def forward(ctx: Any, x: Array, index: Array, n: int) -> Array:
        ctx.index = index
        out = np.zeros((n, x.shape[1]), x.dtype)
        add_rows(out, index, x)
        return out


class Embedding(NumpyEmbedding):
    """The compiled form of its namesake in ops/tables.py: rows are read by NumPy, the gradient is added up by the loop above."""

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        dweight = np.zeros(ctx.shape, grad.dtype)
        add_rows(dweight, ctx.index.reshape(-1), grad.reshape(-1, ctx.shape[1]))
        if ctx.padding_idx is not None:
            dweight[ctx.padding_idx] = 0
        return dweight, None, None
