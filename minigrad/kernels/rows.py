"""Softmax, cross-entropy and layer norm: one row after the other.

    for each row (it stays in the cache):  find its maximum or mean -> sums -> write the row

NumPy makes each of these steps over the whole array, which leaves the cache in between; here memory is read once and
written once. Sums run in as many lanes as a vector has, which also rounds less than one running sum.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import split
from .compiled import kernel
from .sums import row_dot, row_max, row_spread, row_sum
from .vector import exp

Array = np.ndarray


@kernel
def exp_rows(x: Array, e: Array, largest: Array, sums: Array) -> None:
    """e = e^(x - its row's largest), and each row's sum."""
    for i in range(len(x)):
        row, to = x[i], e[i]
        m = row_max(row)
        for j in range(row.size):
            to[j] = exp(row[j] - m)
        largest[i] = m
        sums[i] = row_sum(to)


@kernel
def _softmax(x: Array, out: Array) -> None:
    for i in range(len(x)):
        row, to = x[i], out[i]
        m = row_max(row)
        for j in range(row.size):
            to[j] = exp(row[j] - m)
        s = row_sum(to)
        for j in range(row.size):
            to[j] /= s


@kernel
def _softmax_backward(out: Array, grad: Array, dx: Array) -> None:
    for i in range(len(out)):
        o, g, to = out[i], grad[i], dx[i]
        s = row_dot(o, g)
        for j in range(o.size):
            to[j] = o[j] * (g[j] - s)


@kernel
def _log_softmax(x: Array, out: Array) -> None:
    for i in range(len(x)):
        row, to = x[i], out[i]
        m = row_max(row)
        for j in range(row.size):
            to[j] = exp(row[j] - m)
        s = x.dtype.type(math.log(row_sum(to)))
        for j in range(row.size):
            to[j] = (row[j] - m) - s


@kernel
def _log_softmax_backward(out: Array, grad: Array, dx: Array) -> None:
    for i in range(len(out)):
        o, g, to = out[i], grad[i], dx[i]
        s = row_sum(g)
        for j in range(o.size):
            to[j] = g[j] - exp(o[j]) * s


@kernel
def scale_rows(x: Array, by: Array, out: Array) -> None:
    for i in range(len(x)):
        s = by[i]
        row, to = x[i], out[i]
        for j in range(row.size):
            to[j] = row[j] * s


@kernel
def _layer_norm(x: Array, w: Array, b: Array, eps: float, out: Array, mean: Array, scale: Array) -> None:
    n = x.dtype.type(x.shape[1])
    for i in range(len(x)):
        row, to = x[i], out[i]
        m = row_sum(row) / n
        s = x.dtype.type(1) / np.sqrt(row_spread(row, m) / n + x.dtype.type(eps))
        mean[i], scale[i] = m, s
        for j in range(row.size):
            to[j] = (row[j] - m) * s * w[j] + b[j]


@kernel
def _layer_norm_backward(
    grad: Array, x: Array, w: Array, mean: Array, scale: Array, dx: Array, dw: Array, db: Array
) -> None:
    n = x.dtype.type(x.shape[1])
    h, normal = np.empty(x.shape[1], x.dtype), np.empty(x.shape[1], x.dtype)
    for i in range(len(x)):
        row, g, to, m, s = x[i], grad[i], dx[i], mean[i], scale[i]
        for j in range(row.size):
            normal[j] = (row[j] - m) * s
            h[j] = g[j] * w[j]
            dw[j] += g[j] * normal[j]
            db[j] += g[j]
        mean_h, felt = row_sum(h) / n, row_dot(h, normal) / n
        for j in range(row.size):
            to[j] = (h[j] - mean_h - normal[j] * felt) * s


def as_rows(x: Array) -> Array:
    """(.., n) as (rows, n), contiguous."""
    return np.ascontiguousarray(x).reshape(-1, x.shape[-1])


def over_rows(loop: Any, *arrays: Array) -> Array:
    """loop(*arrays, out, start, stop) over the rows of arrays of one shape; a fresh array."""
    rows = [as_rows(a) for a in arrays]
    out = np.empty(arrays[0].shape, arrays[0].dtype)
    to = as_rows(out)
    split(len(to), to.size, lambda a, b: loop(*(part[a:b] for part in (*rows, to))))
    return out


def softmax(x: Array) -> Array:
    return over_rows(_softmax, x)


def softmax_backward(out: Array, grad: Array) -> Array:
    return over_rows(_softmax_backward, out, grad)


def log_softmax(x: Array) -> Array:
    return over_rows(_log_softmax, x)


def log_softmax_backward(out: Array, grad: Array) -> Array:
    return over_rows(_log_softmax_backward, out, grad)


def exponentials(x: Array) -> tuple[Array, Array, Array]:
    """e^(x - largest), largest and the sums of the exponentials, by row of x (rows, n)."""
    e, (largest, sums) = np.empty_like(x), np.empty((2, len(x)), x.dtype)
    split(len(x), x.size, lambda a, b: exp_rows(*(part[a:b] for part in (x, e, largest, sums))))
    return e, largest, sums


def scaled(x: Array, by: Array) -> Array:
    """Each row of x (rows, n) times its number."""
    out = np.empty_like(x)
    split(len(x), x.size, lambda a, b: scale_rows(x[a:b], by[a:b], out[a:b]))
    return out


def layer_norm(x: Array, w: Array | None, b: Array | None, n: int, eps: float) -> tuple[Array, Array, Array]:
    """out, and by row of n elements the mean and 1 / √(var + eps)."""
    rows = np.ascontiguousarray(x).reshape(-1, n)
    out, (mean, scale) = np.empty_like(rows), np.empty((2, len(rows)), x.dtype)
    w = np.ones(n, x.dtype) if w is None else w.reshape(n)
    b = np.zeros(n, x.dtype) if b is None else b.reshape(n)
    split(len(rows), x.size, lambda i, j: _layer_norm(rows[i:j], w, b, eps, out[i:j], mean[i:j], scale[i:j]))
    return out.reshape(x.shape), mean, scale


def layer_norm_backward(
    grad: Array, x: Array, w: Array | None, mean: Array, scale: Array, n: int
) -> tuple[Array, Array, Array]:
    """dx, dw, db. Each block of rows has its own dw and db, which are added up in pairs: they round less so."""
    rows, g = np.ascontiguousarray(x).reshape(-1, n), np.ascontiguousarray(grad).reshape(-1, n)
    dx = np.empty_like(rows)
    w = np.ones(n, x.dtype) if w is None else w.reshape(n)
    block = 64
    blocks = -(-len(rows) // block)
    dw, db = np.zeros((2, blocks, n), x.dtype)

    def part(first: int, last: int) -> None:
        for k in range(first, last):
            at = slice(k * block, (k + 1) * block)
            _layer_norm_backward(g[at], rows[at], w, mean[at], scale[at], dx[at], dw[k], db[k])

    split(blocks, x.size, part)
    return dx.reshape(x.shape), dw.sum(0), db.sum(0)
