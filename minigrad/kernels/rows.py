"""Softmax, cross-entropy and layer norm: one row after the other.

    for each row (it stays in the cache):  find its maximum or mean -> sums -> write the row

NumPy makes each of these steps over the whole array, which leaves the cache in between; here memory is read once and
written once. Sums run in as many lanes as a vector has, which also rounds less than one running sum.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.variable import Array
from ..ops.norm import NativeLayerNorm as NumpyLayerNorm
from ..ops.softmax import LogSoftmax as NumpyLogSoftmax
from ..ops.softmax import Softmax as NumpySoftmax
from . import split
from .compiled import kernel
from .sums import row_dot, row_dots_centered, row_max, row_spread, row_sum
from .vector import exp_nonpositive, full_width

BLOCK = 64  # rows whose weight gradients are summed before they are added to those of other rows


@kernel
def exp_rows(x: Array, e: Array, largest: Array, sums: Array) -> None:
    """e = e^(x - its row's largest), and each row's sum."""
    full_width()
    for i in range(len(x)):
        row, to = x[i], e[i]
        m = row_max(row)
        for j in range(row.size):
            to[j] = exp_nonpositive(row[j] - m)
        largest[i] = m
        sums[i] = row_sum(to)


@kernel
def _softmax(x: Array, out: Array) -> None:
    full_width()
    for i in range(len(x)):
        row, to = x[i], out[i]
        m = row_max(row)
        for j in range(row.size):
            to[j] = exp_nonpositive(row[j] - m)
        by = x.dtype.type(1) / row_sum(to)  # (a division takes as long as all else here)
        for j in range(row.size):
            to[j] *= by


@kernel
def _softmax_backward(out: Array, grad: Array, dx: Array) -> None:
    for i in range(len(out)):
        o, g, to = out[i], grad[i], dx[i]
        s = row_dot(o, g)
        for j in range(o.size):
            to[j] = o[j] * (g[j] - s)


class Softmax(NumpySoftmax):
    """The compiled form of ops.softmax.Softmax, along the last dimension: a row at a time."""

    @staticmethod
    def forward(ctx: Any, x: Array, dim: int) -> Array:
        out = over_rows(_softmax, x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return over_rows(_softmax_backward, out, grad), None


@kernel
def _log_softmax(x: Array, out: Array) -> None:
    full_width()
    for i in range(len(x)):
        row, to = x[i], out[i]
        m = row_max(row)
        for j in range(row.size):
            to[j] = exp_nonpositive(row[j] - m)
        s = x.dtype.type(math.log(row_sum(to)))
        for j in range(row.size):
            to[j] = (row[j] - m) - s


@kernel
def _log_softmax_backward(out: Array, grad: Array, dx: Array) -> None:
    full_width()
    for i in range(len(out)):
        o, g, to = out[i], grad[i], dx[i]
        s = row_sum(g)
        for j in range(o.size):
            to[j] = g[j] - exp_nonpositive(o[j]) * s


class LogSoftmax(NumpyLogSoftmax):
    """The compiled form of ops.softmax.LogSoftmax, along the last dimension: a row at a time."""

    @staticmethod
    def forward(ctx: Any, x: Array, dim: int) -> Array:
        out = over_rows(_log_softmax, x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return over_rows(_log_softmax_backward, out, grad), None


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
        rest, squares = row_spread(row, m)
        rest /= n
        m += rest  # of equal numbers the very number
        v = max(squares / n - rest * rest, x.dtype.type(0))
        v += v - v  # nan where it is infinite
        s = x.dtype.type(1) / np.sqrt(v + x.dtype.type(eps))
        mean[i], scale[i] = m, s
        for j in range(row.size):
            to[j] = (row[j] - m) * s * w[j] + b[j]


@kernel
def _layer_norm_backward(
    grad: Array, x: Array, w: Array, mean: Array, scale: Array, dx: Array, dw: Array, db: Array
) -> None:
    """dw and db hold a sum for each BLOCK of rows. dx takes two passes over a row, which stays in the cache; dw and db take
    four rows at a time: they are then read and written once for four, not once for each."""
    rows, n = x.shape
    for i in range(rows):
        row, g, to, m, s = x[i], grad[i], dx[i], mean[i], scale[i]
        sum_h, sum_hx = row_dots_centered(g, w, row, m)
        mean_h, by_x = x.dtype.type(sum_h / n), x.dtype.type(sum_hx * s * s / n)
        for j in range(n):
            to[j] = (g[j] * w[j] - mean_h - (row[j] - m) * by_x) * s
        w_sum, b_sum = dw[i // BLOCK], db[i // BLOCK]
        if i % 4 == 3:
            g0, g1, g2, x0, x1, x2 = grad[i - 3], grad[i - 2], grad[i - 1], x[i - 3], x[i - 2], x[i - 1]
            m0, m1, m2, s0, s1, s2 = mean[i - 3], mean[i - 2], mean[i - 1], scale[i - 3], scale[i - 2], scale[i - 1]
            for j in range(n):
                b_sum[j] += (g0[j] + g1[j]) + (g2[j] + g[j])
            for j in range(n):
                pair = g0[j] * ((x0[j] - m0) * s0) + g1[j] * ((x1[j] - m1) * s1)
                w_sum[j] += pair + (g2[j] * ((x2[j] - m2) * s2) + g[j] * ((row[j] - m) * s))
        elif i >= rows - rows % 4:
            for j in range(n):
                b_sum[j] += g[j]
            for j in range(n):
                w_sum[j] += g[j] * ((row[j] - m) * s)


def as_rows(x: Array) -> Array:
    """(.., n) as (rows, n), contiguous."""
    return np.ascontiguousarray(x).reshape(-1, x.shape[-1])


def over_rows(loop: Any, *arrays: Array) -> Array:
    """loop(*arrays, out) on the rows of arrays of one shape, each thread on its slice of them; a fresh array."""
    rows = [as_rows(a) for a in arrays]
    out = np.empty(arrays[0].shape, arrays[0].dtype)
    to = as_rows(out)
    split(len(to), to.size, lambda a, b: loop(*(part[a:b] for part in (*rows, to))))
    return out


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


class NativeLayerNorm(NumpyLayerNorm):
    """The compiled form of ops.norm.NativeLayerNorm: a row of what is normalized together at a time."""

    @staticmethod
    def forward(ctx: Any, x: Array, w: Array | None, b: Array | None, axes: tuple[int, ...], eps: float) -> Array:
        shape = x.shape[axes[0] :]
        rows = np.ascontiguousarray(x).reshape(-1, math.prod(shape))
        out, (mean, scale) = np.empty_like(rows), np.empty((2, len(rows)), x.dtype)
        factor, shift = as_row(w, rows, 1), as_row(b, rows, 0)
        split(
            len(rows), x.size, lambda i, j: _layer_norm(rows[i:j], factor, shift, eps, out[i:j], mean[i:j], scale[i:j])
        )
        ctx.save_for_backward(x, mean, scale, w)
        ctx.shape = shape
        return out.reshape(x.shape)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        """Each block of rows has its own dw and db, which are added up in pairs: they round less so."""
        x, mean, scale, w = ctx.saved_tensors
        n = math.prod(ctx.shape)
        rows, g = np.ascontiguousarray(x).reshape(-1, n), np.ascontiguousarray(grad).reshape(-1, n)
        dx, factor = np.empty_like(rows), as_row(w, rows, 1)
        blocks = -(-len(rows) // BLOCK)
        dw, db = np.zeros((2, blocks, n), x.dtype)

        def part(first: int, last: int) -> None:
            at = slice(first * BLOCK, last * BLOCK)
            _layer_norm_backward(g[at], rows[at], factor, mean[at], scale[at], dx[at], dw[first:last], db[first:last])

        split(blocks, x.size, part)
        _, to_w, to_b, *_ = ctx.needs_input_grad
        return (
            dx.reshape(x.shape),
            dw.sum(0).reshape(ctx.shape) if to_w else None,
            db.sum(0).reshape(ctx.shape) if to_b else None,
            None,
            None,
        )


def as_row(parameter: Array | None, rows: Array, default: float) -> Array:
    """A parameter as one contiguous row; if there is none, a row of `default`."""
    if parameter is None:
        return np.full(rows.shape[1], default, rows.dtype)
    return np.ascontiguousarray(parameter).reshape(rows.shape[1])
