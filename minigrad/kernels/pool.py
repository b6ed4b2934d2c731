"""Max pooling, forward and backward.

    for each image and channel (a plane, which stays in the cache):
        for each row of windows:  for each of the kh x kw elements:  keep the larger, in all windows of the row at once

The NumPy twin (ops/pool.py) does the same over the whole batch, which leaves the cache each time. Padding is never read.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import Array
from ..ops.pool import MaxPool as NumpyMaxPool
from ..ops.windows import Ints, Pairs
from . import split
from .compiled import inline, kernel

Pair = tuple[int, int]


@inline
def keep_larger(value: Any, k: Any, largest: Any, place: Any, j: Any) -> None:
    old, before = largest[j], place[j]
    better = (before < 0) | (value > old) | (value != value)
    largest[j] = value if better else old
    place[j] = k if better else before


@kernel
def _forward(x: Array, best: Array, winner: Array, size: Pair, stride: Pair, dilation: Pair, pad: Pair) -> None:
    height, width = x.shape[1], x.shape[2]
    n = best.shape[2]
    for p in range(x.shape[0]):
        for i in range(best.shape[1]):
            largest, place = best[p, i], winner[p, i]
            place[:] = -1
            for a in range(size[0]):
                r = i * stride[0] - pad[0] + a * dilation[0]
                if r < 0 or r >= height:
                    continue
                for b in range(size[1]):
                    shift = b * dilation[1] - pad[1]
                    first = max(0, -(shift // stride[1]))  # the windows whose element b lies inside
                    count = min(n, (width - 1 - shift) // stride[1] + 1) - first
                    if count <= 0:
                        continue
                    row = x[p, r, first * stride[1] + shift :]
                    to, at, k = largest[first:], place[first:], np.int16(a * size[1] + b)
                    if stride[1] == 2:  # the usual case, with a constant that the compiler can use
                        for j in range(count):
                            keep_larger(row[j * 2], k, to, at, j)
                    else:
                        for j in range(count):
                            keep_larger(row[j * stride[1]], k, to, at, j)


@kernel
def _backward(grad: Array, winner: Array, dx: Array, size: Pair, stride: Pair, dilation: Pair, pad: Pair) -> None:
    for p in range(dx.shape[0]):
        dx[p] = 0
        for i in range(grad.shape[1]):
            for j in range(grad.shape[2]):
                a, b = divmod(winner[p, i, j], size[1])
                dx[p, i * stride[0] - pad[0] + a * dilation[0], j * stride[1] - pad[1] + b * dilation[1]] += grad[
                    p, i, j
                ]


def _planes(x: Array, rank: int) -> Array:
    """(.., *spatial) as (planes, H, W), contiguous."""
    height = x.shape[-2] if rank == 2 else 1
    return np.ascontiguousarray(x).reshape(-1, height, x.shape[-1])


def _pair(values: tuple[int, ...], fill: int) -> Pair:
    return (values[0], values[1]) if len(values) == 2 else (fill, values[0])


def max_pool(x: Array, kernel: Ints, stride: Ints, dilation: Ints, pads: Pairs, out: Ints) -> tuple[Array, Array]:
    """The largest of each window, and which of its elements that was (numbered in order). A nan wins."""
    rank = len(kernel)
    best, winner = np.empty((*x.shape[:-rank], *out), x.dtype), np.empty((*x.shape[:-rank], *out), np.int16)
    planes, values, places = _planes(x, rank), _planes(best, rank), _planes(winner, rank)
    setting = _pair(kernel, 1), _pair(stride, 1), _pair(dilation, 1), _pair(tuple(low for low, _ in pads), 0)
    split(len(planes), x.size, lambda a, b: _forward(planes[a:b], values[a:b], places[a:b], *setting))
    return best, winner


def max_pool_backward(
    grad: Array, winner: Array, shape: Ints, kernel: Ints, stride: Ints, dilation: Ints, pads: Pairs
) -> Array:
    """Zeros of `shape` with each window's gradient added at its winner."""
    rank = len(kernel)
    dx = np.empty(shape, grad.dtype)
    planes, grads, places = _planes(dx, rank), _planes(grad, rank), _planes(winner, rank)
    setting = _pair(kernel, 1), _pair(stride, 1), _pair(dilation, 1), _pair(tuple(low for low, _ in pads), 0)
    split(len(planes), dx.size, lambda a, b: _backward(grads[a:b], places[a:b], planes[a:b], *setting))
    return dx


class MaxPool(NumpyMaxPool):
    """The compiled form of ops.pool.MaxPool."""

    @staticmethod
    def forward(ctx: Any, x: Array, kernel: Ints, stride: Ints, dilation: Ints, pads: Pairs, out: Ints) -> Array:
        ctx.setting = x.shape, kernel, stride, dilation, pads
        values, ctx.winner = max_pool(x, kernel, stride, dilation, pads, out)
        return values

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        return max_pool_backward(grad, ctx.winner, *ctx.setting), *(None,) * 5
