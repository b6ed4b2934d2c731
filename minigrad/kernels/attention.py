"""Scaled dot-product attention, a block of queries and a block of keys at a time: no (queries x keys) array is ever made.

    out = softmax(scale · q · kᵀ + mask) · v

                 keys ─▶                         for each block of queries:
          ┌──────┬──────┬──────                      for each block of keys:
    que-  │ S, P │ S, P │  ...                           S = q · kᵀ + mask          (tiles of gemm.py)
    ries  ├──────┼──────┤                                new largest m' = max(m, S) of each row
     │    │      │      │                                P = exp(S - m')
     ▼    └──────┴──────┴──────                          sum = sum · exp(m - m') + P's,  acc = acc · exp(m - m') + P · v
                                                     out = acc / sum;  m and 1 / sum are kept

The running maximum and sum make the softmax right without seeing the row as a whole: what was summed under an older
maximum is scaled down when a larger one comes. Backward makes S and P again from q, k and what was kept, block by block:
with D = Σ P · dP = Σ grad · out by row,

    P = exp(S - m) / sum,  dP = grad · vᵀ,  dS = P · (dP - D),  dv += Pᵀ · grad,  dk += dSᵀ · q,  dq += dS · k

The blocks stay in the second cache; memory grows with the length and not with its square. Source: Milakov and Gimelshein
2018, "Online normalizer calculation for softmax"; Dao et al. 2022, "FlashAttention".
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.variable import Array
from ..ops.attention import ScaledDotProductAttention as NumpyAttention
from . import split
from .compiled import inline, kernel
from .gemm import TALL, VECTOR_BYTES, move, tall_tile, transpose
from .sums import row_dot, row_max, row_sum
from .vector import exp_nonpositive

QUERIES, KEYS = TALL[0] * 11, 128  # in a block


@inline
def _product(
    a: Any, a_row: Any, a_k: Any, rows: Any, b: Any, b_k: Any, columns: Any, depth: Any, c: Any, c_row: Any, add: Any
) -> None:
    """c (+)= a · b in tiles; the last ones may go beyond rows and columns, for which all three have room."""
    wide = TALL[1] * (VECTOR_BYTES // c.itemsize)
    for j in range(0, columns, wide):
        for i in range(0, rows, TALL[0]):
            tall_tile(a, i * a_row, a_row, a_k, b, j, b_k, depth, c, i * c_row + j, c_row, add)


@inline
def _rows(x: Any, at: Any, stride: Any, rows: Any, columns: Any, to: Any, to_row: Any) -> None:
    """Copy rows into a scratch."""
    for i in range(rows):
        move(x, at + i * stride, 0, columns, to, i * to_row, columns, x.dtype.type(0))


@inline
def _turned(x: Any, at: Any, stride: Any, rows: Any, columns: Any, to: Any, to_row: Any) -> None:
    """Copy rows into a scratch as columns."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, rows, lanes):
        for j in range(0, columns, lanes):
            transpose(
                x, at + i * stride + j, stride, min(lanes, rows - i), min(lanes, columns - j), to, j * to_row + i, to_row
            )  # fmt: skip


@inline
def _scores(
    scaled: Any, keys: Any, wide: Any, scores: Any, first: Any, n: Any, rows: Any, j: Any, count: Any, mask: Any, mask_at: Any,
    mask_row: Any, mask_column: Any, causal: Any,
) -> None:  # fmt: skip
    """Scores of queries first, first + 1 ... with keys j, j + 1 ..., masked."""
    _product(scaled, wide, 1, rows, keys, KEYS, count, n, scores, KEYS, False)
    minus_infinity = scores.dtype.type(-math.inf)
    for r in range(rows):
        row = scores[r * KEYS : r * KEYS + count]
        if mask.size:
            base = mask_at + (first + r) * mask_row + j * mask_column
            if mask_column == 1:
                added = mask[base : base + count]
                for i in range(count):
                    row[i] += added[i]
            else:
                for i in range(count):
                    row[i] += mask[base]
        if causal and j + count > first + r + 1:
            for i in range(max(0, first + r + 1 - j), count):
                row[i] = minus_infinity


@kernel
def _forward(
    q: Array, k: Array, v: Array, out: Array, at: Array, strides: tuple[int, int, int, int], sizes: tuple[int, int, int, int],
    scale: float, mask: Array, masks: Array, mask_row: int, mask_column: int, noise: Array, causal: bool, kept: Array,
    start: int, stop: int,
) -> None:  # fmt: skip
    """Blocks start to stop: block b is the queries from (b mod blocks) · QUERIES of head b // blocks.

    at: where each head begins in q, k, v, out; strides: from row to row there; sizes: queries, keys, their and the values' length.
    """
    n_queries, n_keys, depth, size = sizes
    lanes = VECTOR_BYTES // q.itemsize
    wide = TALL[1] * lanes
    across, value_across = (depth + wide - 1) // wide * wide, (size + wide - 1) // wide * wide
    scaled = np.zeros((QUERIES + TALL[0]) * across, q.dtype)
    keys = np.zeros(depth * KEYS, q.dtype)
    values = np.zeros(KEYS * value_across, q.dtype)
    scores = np.zeros((QUERIES + TALL[0]) * KEYS, q.dtype)
    total = np.zeros((QUERIES + TALL[0]) * value_across, q.dtype)
    largest, sums = np.empty(QUERIES, q.dtype), np.empty(QUERIES, q.dtype)
    blocks = (n_queries + QUERIES - 1) // QUERIES
    factor = q.dtype.type(scale)
    zero, minus_infinity = q.dtype.type(0), q.dtype.type(-math.inf)
    for block in range(start, stop):
        head = block // blocks
        first = block % blocks * QUERIES
        rows = min(QUERIES, n_queries - first)
        _rows(q, at[0, head] + first * strides[0], strides[0], rows, depth, scaled, across)
        for i in range(rows * across):
            scaled[i] *= factor
        largest[:] = minus_infinity
        sums[:] = 0
        total[:] = 0
        for j in range(0, min(n_keys, first + rows) if causal else n_keys, KEYS):
            count = min(KEYS, n_keys - j)
            _turned(k, at[1, head] + j * strides[1], strides[1], count, depth, keys, KEYS)
            _rows(v, at[2, head] + j * strides[2], strides[2], count, size, values, value_across)
            mask_at = masks[head] if mask.size else 0
            _scores(
                scaled, keys, across, scores, first, depth, rows, j, count, mask, mask_at, mask_row, mask_column, causal
            )
            for r in range(rows):
                row = scores[r * KEYS : r * KEYS + count]
                m = max(largest[r], row_max(row))  # of the numbers: a nan comes into the sum
                if m == minus_infinity:  # no number may be seen so far
                    for i in range(count):
                        row[i] = zero if row[i] == minus_infinity else row[i]
                    sums[r] += row_sum(row)
                    continue
                before = exp_nonpositive(largest[r] - m)
                for i in range(count):
                    row[i] = exp_nonpositive(row[i] - m)
                sums[r] = sums[r] * before + row_sum(row)
                largest[r] = m
                if before != 1:
                    line = total[r * value_across : (r + 1) * value_across]
                    for i in range(value_across):
                        line[i] *= before
                if noise.size:
                    base = (head * n_queries + first + r) * n_keys + j
                    factors = noise[base : base + count]
                    for i in range(count):
                        row[i] *= factors[i]
            _product(scores, KEYS, 1, rows, values, value_across, size, count, total, value_across, True)
        for r in range(rows):
            s = sums[r]
            by = 1 / s if s != 0 else zero
            line = total[r * value_across : (r + 1) * value_across]
            for i in range(size):
                line[i] *= by
            to = at[3, head] + (first + r) * strides[3]
            move(total, r * value_across, 0, size, out, to, size, zero)
            kept[0, head * n_queries + first + r] = largest[r] if s != 0 else zero
            kept[1, head * n_queries + first + r] = by


@kernel
def _backward(
    q: Array, k: Array, v: Array, out: Array, grad: Array, dq: Array, dk: Array, dv: Array, at: Array,
    strides: tuple[int, int, int, int, int, int, int, int], sizes: tuple[int, int, int, int], scale: float, mask: Array,
    masks: Array, mask_row: int, mask_column: int, noise: Array, causal: bool, kept: Array, start: int, stop: int,
) -> None:  # fmt: skip
    """Heads start to stop. at and strides: as in `_forward`, for q, k, v, out, grad, dq, dk, dv."""
    n_queries, n_keys, depth, size = sizes
    lanes = VECTOR_BYTES // q.itemsize
    wide, spare = TALL[1] * lanes, TALL[0]
    across, value_across = (depth + wide - 1) // wide * wide, (size + wide - 1) // wide * wide
    scaled = np.zeros((QUERIES + spare) * across, q.dtype)
    gradients = np.zeros((QUERIES + spare) * value_across, q.dtype)
    keys, turned = np.zeros(KEYS * across, q.dtype), np.zeros(depth * KEYS, q.dtype)
    values, outputs = np.zeros(size * KEYS, q.dtype), np.zeros(size * KEYS, q.dtype)
    scores = np.zeros((QUERIES + spare) * KEYS, q.dtype)
    changes = np.zeros((QUERIES + spare) * KEYS, q.dtype)
    by_query = np.zeros((n_queries + spare) * across, q.dtype)
    by_key = np.zeros((KEYS + spare) * across, q.dtype)
    by_value = np.zeros((KEYS + spare) * value_across, q.dtype)
    expected = np.zeros(n_queries, q.dtype)
    factor, zero = q.dtype.type(scale), q.dtype.type(0)
    for head in range(start, stop):
        by_query[:] = 0
        # D is summed in the order of the tile, term by term: where P is 1 in one place, dP - D is 0 and not a rounding.
        expected[:] = 0
        for first in range(0, n_queries if n_keys > KEYS else 0, KEYS):
            rows = min(KEYS, n_queries - first)
            _turned(grad, at[4, head] + first * strides[4], strides[4], rows, size, values, KEYS)
            _turned(out, at[3, head] + first * strides[3], strides[3], rows, size, outputs, KEYS)
            means = expected[first : first + rows]
            for i in range(size):
                a, b = values[i * KEYS : i * KEYS + rows], outputs[i * KEYS : i * KEYS + rows]
                for r in range(rows):
                    means[r] += a[r] * b[r]
        for j in range(0, n_keys, KEYS):
            count = min(KEYS, n_keys - j)
            by_key[:] = 0
            by_value[:] = 0
            _rows(k, at[1, head] + j * strides[1], strides[1], count, depth, keys, across)
            _turned(k, at[1, head] + j * strides[1], strides[1], count, depth, turned, KEYS)
            _turned(v, at[2, head] + j * strides[2], strides[2], count, size, values, KEYS)
            for first in range(j // QUERIES * QUERIES if causal else 0, n_queries, QUERIES):
                rows = min(QUERIES, n_queries - first)
                _rows(q, at[0, head] + first * strides[0], strides[0], rows, depth, scaled, across)
                for i in range(rows * across):
                    scaled[i] *= factor
                _rows(grad, at[4, head] + first * strides[4], strides[4], rows, size, gradients, value_across)
                mask_at = masks[head] if mask.size else 0
                _scores(
                    scaled, turned, across, scores, first, depth, rows, j, count, mask, mask_at, mask_row, mask_column, causal
                )  # fmt: skip
                _product(gradients, value_across, 1, rows, values, KEYS, count, size, changes, KEYS, False)
                for r in range(rows):
                    row, change = scores[r * KEYS : r * KEYS + count], changes[r * KEYS : r * KEYS + count]
                    m, by = kept[0, head * n_queries + first + r], kept[1, head * n_queries + first + r]
                    for i in range(count):
                        row[i] = exp_nonpositive(row[i] - m) * by
                    if noise.size:
                        base = (head * n_queries + first + r) * n_keys + j
                        factors = noise[base : base + count]
                        for i in range(count):
                            change[i] *= factors[i]
                    mean = row_dot(row, change) if n_keys <= KEYS else expected[first + r]
                    for i in range(count):
                        change[i] = row[i] * (change[i] - mean)
                    if noise.size:
                        for i in range(count):
                            row[i] *= factors[i]
                _product(scores, 1, KEYS, count, gradients, value_across, size, rows, by_value, value_across, True)
                _product(changes, 1, KEYS, count, scaled, across, depth, rows, by_key, across, True)
                at_query = by_query[first * across :]
                _product(changes, KEYS, 1, rows, keys, across, depth, count, at_query, across, True)
            for i in range(count):
                move(by_key, i * across, 0, depth, dk, at[6, head] + (j + i) * strides[6], depth, zero)
                move(by_value, i * value_across, 0, size, dv, at[7, head] + (j + i) * strides[7], size, zero)
        for i in range(n_queries * across):
            by_query[i] *= factor
        for i in range(n_queries):
            move(by_query, i * across, 0, depth, dq, at[5, head] + i * strides[5], depth, zero)


def _flat(x: Array) -> tuple[Array, Array, int]:
    """The memory of x (..., rows, columns) as a flat array, where each of its matrices begins, and from row to row."""
    if x.strides[-1] != x.itemsize or min(x.strides) < 0:
        x = np.ascontiguousarray(x)
    steps = [s // x.itemsize for s in x.strides]
    begins = np.zeros(x.shape[:-2], np.intp)
    for d, (n, step) in enumerate(zip(x.shape[:-2], steps[:-2], strict=True)):
        begins += (np.arange(n) * step).reshape(-1, *(1,) * (x.ndim - 3 - d))
    reach = sum((n - 1) * step for n, step in zip(x.shape, steps, strict=True)) + 1
    return np.lib.stride_tricks.as_strided(x, (reach,), (x.itemsize,)), begins.ravel(), steps[-2]


def _like(x: Array, columns: int) -> Array:
    """An empty array (..., rows, columns), its dimensions in the order in memory that x has: heads may lie behind rows."""
    like = np.empty_like(x) if x.shape[-1] == columns and 0 not in x.strides else None
    return like if like is not None and like.strides[-1] == x.itemsize else np.empty((*x.shape[:-1], columns), x.dtype)


def _masks(mask: Array | None, outer: tuple[int, ...], dtype: np.dtype) -> tuple[Array, Array, int, int]:
    """The mask flat, where each head's begins, and its strides (0 where it is broadcast)."""
    if mask is None:
        return np.empty(0, dtype), np.empty(0, np.intp), 0, 0
    mask = np.ascontiguousarray(mask.reshape((1,) * (2 - mask.ndim) + mask.shape))
    rows, columns = mask.shape[-2:]
    begins = (np.arange(mask.size // (rows * columns)) * rows * columns).reshape(mask.shape[:-2])
    begins = np.ascontiguousarray(np.broadcast_to(begins, outer)).ravel()
    return mask.ravel(), begins, columns if rows > 1 else 0, 1 if columns > 1 else 0


def forward(
    q: Array, k: Array, v: Array, mask: Array | None, scale: float, noise: Array | None, causal: bool
) -> tuple[Array, Array]:
    """out (..., L, Ev) of q (..., L, E), k (..., S, E), v (..., S, Ev) and, for `backward`, the largest score and 1 / Σ exp of each query."""
    out = _like(q, v.shape[-1])
    flat, begins, strides = zip(*map(_flat, (q, k, v, out)), strict=True)
    sizes = q.shape[-2], k.shape[-2], q.shape[-1], v.shape[-1]
    heads = len(begins[0])
    kept = np.empty((2, heads * sizes[0]), q.dtype)
    factors = np.empty(0, q.dtype) if noise is None else np.ascontiguousarray(noise).ravel()
    setting = *_masks(mask, q.shape[:-2], q.dtype), factors, causal, kept
    blocks = heads * -(-sizes[0] // QUERIES)
    at = np.array(begins)
    split(blocks, heads * math.prod(sizes[:3]), lambda a, b: _forward(*flat, at, strides, sizes, scale, *setting, a, b))
    return out, kept


def backward(
    q: Array, k: Array, v: Array, out: Array, grad: Array, kept: Array, mask: Array | None, scale: float,
    noise: Array | None, causal: bool,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """The gradients by q, k and v."""
    dq, dk, dv = (_like(x, x.shape[-1]) for x in (q, k, v))
    flat, begins, strides = zip(*map(_flat, (q, k, v, out, grad, dq, dk, dv)), strict=True)
    sizes = q.shape[-2], k.shape[-2], q.shape[-1], v.shape[-1]
    factors = np.empty(0, q.dtype) if noise is None else np.ascontiguousarray(noise).ravel()
    setting = *_masks(mask, q.shape[:-2], q.dtype), factors, causal, kept
    at = np.array(begins)
    heads = len(begins[0])
    split(heads, heads * math.prod(sizes[:3]), lambda a, b: _backward(*flat, at, strides, sizes, scale, *setting, a, b))
    return dq, dk, dv


class ScaledDotProductAttention(NumpyAttention):
    """The compiled form of ops.attention.ScaledDotProductAttention.

    Saved are, beside the inputs, out and each row's maximum and 1 / sum (`row_sums`), from which P is made again in blocks.
    """

    @staticmethod
    def forward(
        ctx: Any, q: Array, k: Array, v: Array, mask: Array | None, scale: float, noise: Array | None, causal: bool
    ) -> Array:
        ctx.setting = scale, noise, causal
        out, ctx.row_sums = forward(q, k, v, mask, scale, noise, causal)
        ctx.save_for_backward(q, k, v, out, mask)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        q, k, v, out, mask = ctx.saved_tensors
        gradients = backward(q, k, v, out, grad, ctx.row_sums, mask, *ctx.setting)
        wanted = ctx.needs_input_grad[:3]
        return *(g if wants else None for g, wants in zip(gradients, wanted, strict=True)), *(None,) * 4
