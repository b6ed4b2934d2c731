"""Batch norm in training: one channel after the other.

    for each channel:  for each image its plane (H W), contiguous: sums -> mean and variance -> write

Sums of a plane run in vector lanes, planes are added in double precision.
"""

from __future__ import annotations

import numpy as np

from . import split
from .compiled import kernel
from .sums import row_dot_centered, row_spread, row_sum

Array = np.ndarray


@kernel
def _moments(x: Array, mean: Array, var: Array, start: int, stop: int) -> None:
    n = x.shape[0] * x.shape[2]
    for c in range(start, stop):
        total = 0.0
        for i in range(x.shape[0]):
            total += row_sum(x[i, c])
        m = x.dtype.type(total / n)
        squares = 0.0
        for i in range(x.shape[0]):
            squares += row_spread(x[i, c], m)
        mean[c], var[c] = m, x.dtype.type(squares / n)


@kernel
def _apply(x: Array, mean: Array, factor: Array, shift: Array, out: Array, start: int, stop: int) -> None:
    for c in range(start, stop):
        m, f, s = mean[c], factor[c], shift[c]
        for i in range(x.shape[0]):
            row, to = x[i, c], out[i, c]
            for j in range(row.size):
                to[j] = (row[j] - m) * f + s


@kernel
def _sums(grad: Array, x: Array, mean: Array, total: Array, felt: Array, start: int, stop: int) -> None:
    for c in range(start, stop):
        a, b = 0.0, 0.0
        for i in range(x.shape[0]):
            a += row_sum(grad[i, c])
            b += row_dot_centered(grad[i, c], x[i, c], mean[c])
        total[c], felt[c] = a, b


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


def moments(x: Array) -> tuple[Array, Array]:
    """The mean and the variance (C,) of x (N, C, positions)."""
    mean, var = np.empty((2, x.shape[1]), x.dtype)
    split(x.shape[1], x.size, lambda a, b: _moments(x, mean, var, a, b))
    return mean, var


def normalize(x: Array, mean: Array, scale: Array, w: Array | None, b: Array | None) -> Array:
    """(x - mean) · scale · w + b, all by channel."""
    factor = scale if w is None else scale * w
    shift = np.zeros_like(mean) if b is None else b
    out = np.empty_like(x)
    split(x.shape[1], x.size, lambda i, j: _apply(x, mean, factor, shift, out, i, j))
    return out


def normalize_backward(grad: Array, x: Array, mean: Array, scale: Array, w: Array | None) -> tuple[Array, Array, Array]:
    """dx, dw, db of `normalize` with the mean and scale of x itself."""
    total, felt = np.empty((2, x.shape[1]))
    split(x.shape[1], x.size, lambda a, b: _sums(grad, x, mean, total, felt, a, b))
    n = x.shape[0] * x.shape[2]
    factor = scale.astype(np.float64) * (1 if w is None else w)
    by_x = (factor * scale * scale * felt / n).astype(x.dtype)
    constant = (factor * total / n).astype(x.dtype)
    by_grad, dx = factor.astype(x.dtype), np.empty_like(x)
    split(x.shape[1], x.size, lambda a, b: _input(grad, x, mean, by_grad, by_x, constant, dx, a, b))
    return dx, (felt * scale).astype(x.dtype), total.astype(x.dtype)
