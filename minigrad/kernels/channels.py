"""Batch norm in training: one channel after the other.

    for each channel:  for each image its plane (H W), contiguous: sums -> mean and variance -> write

Sums of a plane run in vector lanes, planes are added in double precision.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import Array
from ..ops.batch_norm import Moments
from ..ops.batch_norm import NativeBatchNorm as NumpyBatchNorm
from . import split
from .compiled import kernel
from .sums import row_dot_centered, row_spread, row_sum


@kernel
def _moments(x: Array, mean: Array, var: Array, start: int, stop: int) -> None:
    n = x.shape[0] * x.shape[2]
    for c in range(start, stop):
        total = 0.0
        for i in range(x.shape[0]):
            total += row_sum(x[i, c])
        m = x.dtype.type(total / n)
        rest, squares = 0.0, 0.0
        for i in range(x.shape[0]):
            left, spread = row_spread(x[i, c], m)
            rest += left
            squares += spread
        rest /= n
        mean[c] = x.dtype.type(m + rest if np.isfinite(rest) else m)  # an infinite mean stays
        var[c] = x.dtype.type(max(squares / n - rest * rest, 0.0))


@kernel
def _apply(x: Array, mean: Array, factor: Array, shift: Array, out: Array, start: int, stop: int) -> None:
    for c in range(start, stop):
        m, f, s = mean[c], factor[c], shift[c]
        for i in range(x.shape[0]):
            row, to = x[i, c], out[i, c]
            for j in range(row.size):
                to[j] = (row[j] - m) * f + s


@kernel
def _sums(grad: Array, x: Array, mean: Array, sum_g: Array, sum_gx: Array, start: int, stop: int) -> None:
    for c in range(start, stop):
        a, b = 0.0, 0.0
        for i in range(x.shape[0]):
            a += row_sum(grad[i, c])
            b += row_dot_centered(grad[i, c], x[i, c], mean[c])
        sum_g[c], sum_gx[c] = a, b


@kernel
def _input(
    grad: Array, x: Array, mean: Array, by_grad: Array, by_x: Array, constant: Array, dx: Array, start: int, stop: int
) -> None:
    for c in range(start, stop):
        m, f, k, d = mean[c], by_grad[c], by_x[c], constant[c]
        for i in range(x.shape[0]):
            g, row, to = grad[i, c], x[i, c], dx[i, c]
            for j in range(row.size):
                to[j] = g[j] * f - (row[j] - m) * k - d


def planes(x: Array) -> Array:
    """(N, C, *spatial) as (N, C, positions), contiguous."""
    return np.ascontiguousarray(x).reshape(x.shape[0], x.shape[1], -1)


class NativeBatchNorm(NumpyBatchNorm):
    """The compiled form of ops.batch_norm.NativeBatchNorm, over all dimensions but the channels: a channel at a time."""

    @staticmethod
    def forward(
        ctx: Any, x: Array, w: Array | None, b: Array | None, axes: tuple[int, ...], eps: float, moments: Moments
    ) -> Array:
        by_channel = planes(x)
        mean, var = np.empty((2, x.shape[1]), x.dtype)
        split(x.shape[1], x.size, lambda i, j: _moments(by_channel, mean, var, i, j))
        moments.mean, moments.var = mean, var
        scale = 1 / np.sqrt(var + x.dtype.type(eps))
        ctx.save_for_backward(x, mean, scale, w)
        factor = scale if w is None else scale * w
        shift = np.zeros_like(mean) if b is None else np.ascontiguousarray(b)
        out = np.empty_like(by_channel)
        split(x.shape[1], x.size, lambda i, j: _apply(by_channel, mean, factor, shift, out, i, j))
        return out.reshape(x.shape)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, mean, scale, w = ctx.saved_tensors
        by_channel, g = planes(x), planes(grad)
        sum_g, sum_gx = np.empty((2, x.shape[1]))
        split(x.shape[1], x.size, lambda i, j: _sums(g, by_channel, mean, sum_g, sum_gx, i, j))
        n = x.size // x.shape[1]
        factor = scale.astype(np.float64) * (1 if w is None else w)
        by_x = (factor * scale * scale * sum_gx / n).astype(x.dtype)
        constant = (factor * sum_g / n).astype(x.dtype)
        by_grad, dx = factor.astype(x.dtype), np.empty_like(by_channel)
        split(x.shape[1], x.size, lambda i, j: _input(g, by_channel, mean, by_grad, by_x, constant, dx, i, j))
        _, to_w, to_b, *_ = ctx.needs_input_grad
        dw = (sum_gx * scale).astype(x.dtype) if to_w else None
        return dx.reshape(x.shape), dw, sum_g.astype(x.dtype) if to_b else None, None, None, None
