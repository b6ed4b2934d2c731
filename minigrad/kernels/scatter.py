"""Entries and elements read and added up by index: the gradient of an embedding, `index_add`, `gather`, `scatter_add`.

    add_entries   for each index, in order:  out[:, index[j]] += x[:, j], one vector addition
    add_along     for each element, in order:  out[i, index[i, j, k], k] += x[i, j, k]
    read_entries  out[:, j] = x[:, index[j]]
    read_along    out[i, j, k] = x[i, index[i, j, k], k]

Arrays have three dimensions: what is before the one that is indexed, that one, and what follows. The threads share what
is before or what follows, never the indices: two never add to the same element, and the order of the additions, so the
rounding, does not depend on their number. The indices have been looked at: they lie within the array.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.variable import Array
from ..ops.at import from_front
from ..ops.index import AddRows as NumpyAddRows
from ..ops.tables import Embedding as NumpyEmbedding
from ..threads import get_num_threads
from . import split
from .compiled import kernel


@kernel
def _add_entries(out: Array, index: Array, x: Array, i0: int, i1: int, k0: int, k1: int) -> None:
    for i in range(i0, i1):
        if out.shape[2] == 1:
            place, source = out[i, :, 0], x[i, :, 0]
            for j in range(index.size):
                place[np.uintp(index[j])] += source[j]
        else:
            for j in range(index.size):
                to, row = out[i, np.uintp(index[j]), k0:k1], x[i, j, k0:k1]
                for k in range(row.size):
                    to[k] += row[k]


@kernel
def _add_along(out: Array, index: Array, x: Array, i0: int, i1: int, k0: int, k1: int) -> None:
    for i in range(i0, i1):
        if index.shape[2] == 1:
            to, places, source = out[i, :, 0], index[i, :, 0], x[i, :, 0]
            for j in range(places.size):
                to[np.uintp(places[j])] += source[j]
        else:
            for j in range(index.shape[1]):
                for k in range(k0, k1):
                    out[i, np.uintp(index[i, j, k]), k] += x[i, j, k]


@kernel
def _read_entries(x: Array, index: Array, out: Array, start: int, stop: int) -> None:
    for i in range(x.shape[0]):
        for j in range(start, stop):
            row, to = x[i, np.uintp(index[j])], out[i, j]
            for k in range(row.size):
                to[k] = row[k]


@kernel
def _read_along(x: Array, index: Array, out: Array, i0: int, i1: int, k0: int, k1: int) -> None:
    for i in range(i0, i1):
        if index.shape[2] == 1:
            row, places, to = x[i, :, 0], index[i, :, 0], out[i, :, 0]
            for j in range(places.size):
                to[j] = row[np.uintp(places[j])]
        else:
            for j in range(index.shape[1]):
                for k in range(k0, k1):
                    out[i, j, k] = x[i, np.uintp(index[i, j, k]), k]


def _share(shape: tuple[int, ...], run: Callable[[int, int, int, int], object]) -> None:
    """run(i0, i1, k0, k1) over an array of this shape (a, m, b), the threads sharing a, or b where there is little of a."""
    a, m, b = shape
    if a >= min(get_num_threads(), b):
        split(a, a * m * b, lambda start, stop: run(start, stop, 0, b))
    else:
        split(b, a * m * b, lambda start, stop: run(0, a, start, stop))


def _ready(index: Array) -> Array:
    return np.ascontiguousarray(index, np.int64)


def add_entries(out: Array, index: Array, x: Array) -> None:
    """out[:, index[j]] += x[:, j]: out (a, n, b), x (a, m, b), index (m,) of integers from 0 to n - 1."""
    index, x = _ready(index), np.ascontiguousarray(x)
    _share(x.shape, lambda *part: _add_entries(out, index, x, *part))


def add_along(out: Array, index: Array, x: Array) -> None:
    """out[i, index[i, j, k], k] += x[i, j, k]: out (at least a, n, at least b), index (from 0 to n - 1) and x (a, m, b)."""
    index, x = _ready(index), np.ascontiguousarray(x)
    _share(x.shape, lambda *part: _add_along(out, index, x, *part))


def read_along(x: Array, index: Array) -> Array:
    """x[i, index[i, j, k], k] of shape (a, m, b): x (at least a, n, at least b), index (a, m, b) from 0 to n - 1."""
    index, out = _ready(index), np.empty(index.shape, x.dtype)
    source, to = _bits(x), _bits(out)
    _share(index.shape, lambda *part: _read_along(source, index, to, *part))
    return out


def read_entries(x: Array, index: Array) -> Array:
    """x[:, index] of shape (a, m, b): x (a, n, b), index (m,) of integers from 0 to n - 1."""
    index, out = _ready(index), np.empty((x.shape[0], index.size, x.shape[2]), x.dtype)
    source, to = _bits(x), _bits(out)
    split(index.size, out.size, lambda start, stop: _read_entries(source, index, to, start, stop))
    return out


def _bits(x: Array) -> Array:
    """An array of elements of 4 or 8 bytes as whole numbers: what is only moved needs no loop for each type."""
    return x.view(f"u{x.itemsize}")


def add_flat(out: Array, places: Array, x: Array) -> None:
    """np.add.at of vectors: out[places[i]] += x[i], places from 0 to n - 1. One thread does it: two could meet in an element."""
    add_entries(out.reshape(1, -1, 1), places, x.reshape(1, -1, 1))


def _add_rows(out: Array, index: Array, rows: Array) -> None:
    """out[index[i]] += rows[i]: out (n, m), rows (k, m), index (k,) of integers from -n to n - 1; else IndexError."""
    places = from_front(index, len(out))
    if places is None:
        raise IndexError(f"an index from {index.min()} to {index.max()} is out of bounds for {len(out)} rows")
    add_entries(out[None], places, rows[None])


class AddRows(NumpyAddRows):
    """The compiled form of its namesake in ops/index.py."""

    @staticmethod
    def forward(ctx: Any, x: Array, index: Array, n: int) -> Array:
        ctx.index = index
        out = np.zeros((n, x.shape[1]), x.dtype)
        _add_rows(out, index, x)
        return out


class Embedding(NumpyEmbedding):
    """The compiled form of its namesake in ops/tables.py: rows are read by NumPy, the gradient is added up by the loop above."""

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        dweight = np.zeros(ctx.shape, grad.dtype)
        _add_rows(dweight, ctx.index.reshape(-1), grad.reshape(-1, ctx.shape[1]))
        if ctx.padding_idx is not None:
            dweight[ctx.padding_idx] = 0
        return dweight, None, None
