"""Recurrent layers: the whole walk along a sequence in one loop, on the tile of gemm.py.

    each thread:  some of the sequences, and for them alone, step by step (no thread ever waits for another)
        product = h · Wᵀ                      tiles; W is turned over once before, and stays in the second cache
        each sequence:  gates, new state      a straight line of arithmetic for each row

Backward the same the other way: the gates' gradients of a step row by row, then dh = d · W in tiles. What concerns all steps
at once (the weights' gradients) is left to BLAS. The NumPy twin (ops/recurrent.py) calls BLAS and a dozen functions at every
step, and BLAS divides each small product among its threads, which have to meet at its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.variable import Array
from ..ops import recurrent
from ..ops.recurrent import Sizes, steps, weight_gradient
from . import split
from .compiled import inline, kernel
from .gemm import TALL, VECTOR_BYTES, WIDE, tall_tile, wide_tile
from .vector import exp, full_width, tanh

RELU, TANH, LSTM, GRU = range(4)  # kinds of step
_SPARE = max(TALL[0], WIDE[0])  # rows beyond the last that a tile may touch
_FEW = 2  # sequences for which a tile is too large
_SEQUENCES = 6  # that are worth a thread: a tile computes as many rows in any case


@inline
def _product(a: Any, depth: Any, rows: Any, b: Any, b_row: Any, columns: Any, c: Any) -> None:
    """c = a · b, a (rows, depth) and c (rows, b_row) with room for spare rows, b (depth, b_row) with room for spare columns."""
    tall, wide = TALL[1] * (VECTOR_BYTES // c.itemsize), WIDE[1] * (VECTOR_BYTES // c.itemsize)
    in_tall = (rows + TALL[0] - 1) // TALL[0] * ((columns + tall - 1) // tall)
    in_wide = (rows + WIDE[0] - 1) // WIDE[0] * ((columns + wide - 1) // wide)
    if in_tall <= in_wide:  # a tile takes about as long in either shape
        for j in range(0, columns, tall):
            for i in range(0, rows, TALL[0]):
                tall_tile(a, i * depth, depth, 1, b, j, b_row, depth, c, i * b_row + j, b_row, False)
    else:
        for j in range(0, columns, wide):
            for i in range(0, rows, WIDE[0]):
                wide_tile(a, i * depth, depth, 1, b, j, b_row, depth, c, i * b_row + j, b_row, False)


@inline
def _few_products(a: Any, depth: Any, rows: Any, b: Any, b_row: Any, columns: Any, c: Any) -> None:
    """As `_product`, for one row or two, of which a tile would be nearly empty: four rows of b at a time are added to c."""
    for i in range(rows):
        to, by = c[i * b_row : i * b_row + columns], a[i * depth : (i + 1) * depth]
        for j in range(columns):
            to[j] = 0
        whole = depth // 4 * 4
        for k in range(0, whole, 4):
            b0, b1 = b[k * b_row :], b[(k + 1) * b_row :]
            b2, b3 = b[(k + 2) * b_row :], b[(k + 3) * b_row :]
            a0, a1, a2, a3 = by[k], by[k + 1], by[k + 2], by[k + 3]
            for j in range(columns):
                to[j] += (a0 * b0[j] + a1 * b1[j]) + (a2 * b2[j] + a3 * b3[j])
        for k in range(whole, depth):
            b0, a0 = b[k * b_row :], by[k]
            for j in range(columns):
                to[j] += a0 * b0[j]


@inline
def _sigmoid(row: Any, first: Any, last: Any) -> None:
    part = row[first:last]
    one = part.dtype.type(1)
    for k in range(part.size):
        part[k] = one / (one + exp(-part[k]))


@inline
def _tanh(row: Any, first: Any, last: Any) -> None:
    part = row[first:last]
    for k in range(part.size):
        part[k] = tanh(part[k])


@inline
def _lstm_row(g: Any, cell: Any, kept: Any, bounded: Any, out: Any) -> None:
    """From the four gates' sums g and the cell: the new cell and output. kept: the cell before, bounded: tanh of that after."""
    n = cell.size
    _sigmoid(g, 0, 2 * n)
    _tanh(g, 2 * n, 3 * n)
    _sigmoid(g, 3 * n, 4 * n)
    i, f, new, o = g[:n], g[n : 2 * n], g[2 * n : 3 * n], g[3 * n :]
    for k in range(n):
        kept[k] = cell[k]
    for k in range(n):
        cell[k] = f[k] * cell[k] + i[k] * new[k]
    for k in range(n):
        bounded[k] = tanh(cell[k])
    for k in range(n):
        out[k] = o[k] * bounded[k]


@inline
def _gru_row(g: Any, y: Any, h: Any, kept: Any, out: Any) -> None:
    """From x of the three gates in g, and y = W h + b: the new state. kept: y of the new gate."""
    n = h.size
    rz, new, last = g[: 2 * n], g[2 * n :], y[2 * n : 3 * n]
    for k in range(2 * n):
        rz[k] += y[k]
    _sigmoid(g, 0, 2 * n)
    for k in range(n):
        kept[k] = last[k]
    for k in range(n):
        new[k] += rz[k] * last[k]
    _tanh(g, 2 * n, 3 * n)
    z = g[n : 2 * n]
    for k in range(n):
        out[k] = (h[k] - new[k]) * z[k] + new[k]


@inline
def _copy(source: Any, to: Any) -> None:
    """to[:] = source, which as an assignment compiles for seconds: it could fail, with a message that names the shapes."""
    for k in range(source.size):
        to[k] = source[k]


@kernel
def _forward(
    kind: int, x: Array, w: Array, w_row: int, bias: Array, outputs: Array, last: Array, cell: Array, before: Array, gates: Array,
    kept: Array, bounded: Array, starts: Array, sizes: Array, start: int, stop: int,
) -> None:  # fmt: skip
    """Sequences start to stop: step t has the rows from starts[t] on, of sizes[t] sequences."""
    full_width()
    n_gates, width = x.shape[1], last.shape[1]
    state = np.zeros((stop - start + _SPARE) * width, x.dtype)
    product = np.zeros((stop - start + _SPARE) * w_row, x.dtype)
    zero = x.dtype.type(0)
    for r in range(stop - start):
        _copy(last[start + r], state[r * width : (r + 1) * width])
    for t in range(sizes.size):
        n = min(sizes[t], stop) - start
        if n <= 0:
            continue
        if n <= _FEW:
            _few_products(state, width, n, w, w_row, n_gates, product)
        else:
            _product(state, width, n, w, w_row, n_gates, product)
        for r in range(n):
            at = starts[t] + start + r
            y, h = product[r * w_row : r * w_row + n_gates], state[r * width : (r + 1) * width]
            g, out, given = gates[at], outputs[at], x[at]
            _copy(h, before[at])
            if kind == GRU:
                for k in range(n_gates):
                    g[k] = given[k]
                if bias.size:
                    for k in range(n_gates):
                        y[k] += bias[k]
                _gru_row(g, y, h, kept[at], out)
            else:
                for k in range(n_gates):
                    g[k] = given[k] + y[k]
                if kind == LSTM:
                    _lstm_row(g, cell[start + r], kept[at], bounded[at], out)
                else:
                    if kind == TANH:
                        _tanh(g, 0, n_gates)
                    else:
                        for k in range(n_gates):
                            g[k] = zero if g[k] <= zero else g[k]  # a nan stays
                    _copy(g, out)
            for k in range(width):
                h[k] = out[k]
    for r in range(stop - start):
        _copy(state[r * width : (r + 1) * width], last[start + r])


@inline
def _lstm_row_back(g: Any, d: Any, by_h: Any, by_cell: Any, kept: Any, bounded: Any) -> None:
    """The gradients d of the four gates' sums; by_cell: that of the cell after, which becomes that of the cell before."""
    n = by_cell.size
    one = g.dtype.type(1)
    i, f, new, o = g[:n], g[n : 2 * n], g[2 * n : 3 * n], g[3 * n :]
    di, df, dnew, do = d[:n], d[n : 2 * n], d[2 * n : 3 * n], d[3 * n :]
    for k in range(n):
        by_cell[k] += by_h[k] * o[k] * (one - bounded[k] * bounded[k])
    for k in range(n):
        do[k] = by_h[k] * bounded[k] * (o[k] * (one - o[k]))
    for k in range(n):
        di[k] = by_cell[k] * new[k] * (i[k] * (one - i[k]))
    for k in range(n):
        dnew[k] = by_cell[k] * i[k] * (one - new[k] * new[k])
    for k in range(n):
        df[k] = by_cell[k] * kept[k] * (f[k] * (one - f[k]))
    for k in range(n):
        by_cell[k] *= f[k]


@inline
def _gru_row_back(g: Any, dx: Any, d: Any, by_h: Any, h: Any, kept: Any) -> None:
    """The gradients dx by x of the three gates, d by W h + b; by_h: that of the state after, which is multiplied by z."""
    n = by_h.size
    one = g.dtype.type(1)
    r, z, new = g[:n], g[n : 2 * n], g[2 * n :]
    dr, dz, dnew = dx[:n], dx[n : 2 * n], dx[2 * n :]
    for k in range(n):
        dnew[k] = by_h[k] * (one - z[k]) * (one - new[k] * new[k])
    for k in range(n):
        dz[k] = by_h[k] * (h[k] - new[k]) * (z[k] * (one - z[k]))
    for k in range(n):
        dr[k] = dnew[k] * kept[k] * (r[k] * (one - r[k]))
    for k in range(2 * n):
        d[k] = dx[k]
    last = d[2 * n :]
    for k in range(n):
        last[k] = dnew[k] * r[k]
    for k in range(n):
        by_h[k] *= z[k]


@kernel
def _backward(
    kind: int, grad: Array, w: Array, w_row: int, dx: Array, d: Array, dh: Array, dc: Array, before: Array, gates: Array,
    kept: Array, bounded: Array, starts: Array, sizes: Array, start: int, stop: int,
) -> None:  # fmt: skip
    """Sequences start to stop, from the last step to the first. dh, dc: of the last state, and at the end of the first.

    d: the gradients of W h + b; dx: those of x, which differ for a GRU only (else dx is empty).
    """
    full_width()
    n_gates, width = gates.shape[1], dh.shape[1]
    change = np.zeros((stop - start + _SPARE) * n_gates, grad.dtype)
    product = np.zeros((stop - start + _SPARE) * w_row, grad.dtype)
    zero, one = grad.dtype.type(0), grad.dtype.type(1)
    for t in range(sizes.size - 1, -1, -1):
        n = min(sizes[t], stop) - start
        for r in range(n):
            at = starts[t] + start + r
            by_h, given, g, to = dh[start + r], grad[at], gates[at], change[r * n_gates : (r + 1) * n_gates]
            for k in range(width):
                by_h[k] += given[k]
            if kind == LSTM:
                _lstm_row_back(g, to, by_h, dc[start + r], kept[at], bounded[at])
            elif kind == GRU:
                _gru_row_back(g, dx[at], to, by_h, before[at], kept[at])
            elif kind == TANH:
                for k in range(width):
                    to[k] = by_h[k] * (one - g[k] * g[k])
            else:
                for k in range(width):
                    to[k] = zero if g[k] <= zero else by_h[k]
            _copy(to, d[at])
        if n > _FEW:
            _product(change, n_gates, n, w, w_row, width, product)
        elif n > 0:
            _few_products(change, n_gates, n, w, w_row, width, product)
        for r in range(n):
            by_h, y = dh[start + r], product[r * w_row : r * w_row + width]
            for k in range(width):
                by_h[k] = by_h[k] + y[k] if kind == GRU else y[k]


def _padded(w: Array) -> tuple[Array, int]:
    """A matrix flat, with room for the last tile's columns, and its row's length."""
    lanes = VECTOR_BYTES // w.itemsize
    across = TALL[1] * WIDE[1] * lanes
    row = -(-w.shape[1] // across) * across
    out = np.zeros((w.shape[0], row), w.dtype)
    out[:, : w.shape[1]] = w
    return out.reshape(-1), row


def _shared(n: int, elements: int, run: Callable[[int, int], object]) -> None:
    """`run(start, stop)` over n sequences, some to each thread."""
    pieces = max(1, n // _SEQUENCES)
    split(pieces, elements, lambda a, b: run(n * a // pieces, n * b // pieces))


def _forward_of(
    ctx: Any, kind: int, x: Array, w: Array, state: tuple[Array, ...], b: Array | None, sizes: Sizes, reverse: bool
) -> Array:
    """What the forward passes share: the flat output, and in ctx what `_backward_of` reads."""
    rows = np.ascontiguousarray(x.reshape(-1, x.shape[-1]))
    walk = steps(x, state[0], sizes, reverse)
    ctx.walk = np.array([at.start for at, _ in walk]), np.array([n for _, n in walk])
    n, width = state[0].shape
    flat = np.empty(len(rows) * width + sum(s.size for s in state), x.dtype)
    outputs, *last = recurrent.unpacked(flat, len(rows), *state)
    for to, s in zip(last, state, strict=True):
        to[:] = s
    none = np.empty((0, 0), x.dtype)
    before, gates = np.empty((len(rows), width), x.dtype), np.empty_like(rows)
    kept = np.empty_like(before) if kind in (LSTM, GRU) else none
    bounded = np.empty_like(before) if kind == LSTM else none
    cell = last[1] if kind == LSTM else none
    bias = np.empty(0, x.dtype) if b is None else np.ascontiguousarray(b)
    setting = *_padded(w.T), bias, outputs, last[0], cell, before, gates, kept, bounded, *ctx.walk
    ctx.elements, ctx.shape, ctx.kind = rows.size * (1 + width // 32), x.shape, kind
    _shared(n, ctx.elements, lambda start, stop: _forward(kind, rows, *setting, start, stop))
    ctx.save_for_backward(w, before, gates, kept, bounded)
    return flat


def _backward_of(ctx: Any, grad: Array) -> tuple[Any, ...]:
    """dx, dW, dh, and of an LSTM dc, of a GRU db."""
    w, before, gates, kept, bounded = ctx.saved_tensors
    kind, width = ctx.kind, before.shape[1]
    n = int(ctx.walk[1].max())
    states = [np.empty((n, width), grad.dtype)] * (2 if kind == LSTM else 1)
    outer, *last = (part.copy() for part in recurrent.unpacked(np.ascontiguousarray(grad), len(gates), *states))
    none = np.empty((0, 0), grad.dtype)
    d = np.empty_like(gates)
    dx = np.empty_like(gates) if kind == GRU else none
    setting = *_padded(w), dx, d, last[0], last[1] if kind == LSTM else none, before, gates, kept, bounded, *ctx.walk
    _shared(n, 2 * ctx.elements, lambda start, stop: _backward(kind, outer, *setting, start, stop))
    by_bias = (d.sum(0) if ctx.needs_input_grad[3] else None,) if kind == GRU else ()
    return (dx if kind == GRU else d).reshape(ctx.shape), weight_gradient(ctx, d, before), *last, *by_bias


class RnnLayer(recurrent.RnnLayer):
    """The compiled form of ops.recurrent.RnnLayer."""

    @staticmethod
    def forward(ctx: Any, x: Array, w: Array, h: Array, activation: str, sizes: Sizes, reverse: bool) -> Array:
        return _forward_of(ctx, TANH if activation == "tanh" else RELU, x, w, (h,), None, sizes, reverse)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        return *_backward_of(ctx, grad), None, None, None


class LstmLayer(recurrent.LstmLayer):
    """The compiled form of ops.recurrent.LstmLayer, without projection."""

    @staticmethod
    def forward(
        ctx: Any, x: Array, w: Array, h: Array, c: Array, w_hr: Array | None, sizes: Sizes, reverse: bool
    ) -> Array:
        return _forward_of(ctx, LSTM, x, w, (h, c), None, sizes, reverse)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        return *_backward_of(ctx, grad), None, None, None


class GruLayer(recurrent.GruLayer):
    """The compiled form of ops.recurrent.GruLayer."""

    @staticmethod
    def forward(ctx: Any, x: Array, w: Array, h: Array, b: Array | None, sizes: Sizes, reverse: bool) -> Array:
        return _forward_of(ctx, GRU, x, w, (h,), b, sizes, reverse)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        return *_backward_of(ctx, grad), None, None
