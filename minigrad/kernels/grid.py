"""Images read at places between their elements: `grid_sample`, bilinear. The NumPy twin is in ops/sampling_grid.py.

Of a block of places the elements and shares are found once, for all channels; then each channel's places are read in turn, whose
elements lie near each other. The threads share the images: two never add to the same element.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import Array
from ..ops import sampling_grid
from . import split
from .compiled import inline, kernel
from .vector import multiply_add

_BLOCK = 128  # places


@inline
def _along(point: Any, n: Any, border: Any, corners: Any) -> Any:
    """Where a point from -1 to 1 lies along a side of n elements: place, and how fast it moves with the point."""
    one = type(point)(1)
    scale = ((n - 1) if corners else n) / 2.0
    place = type(point)(multiply_add(np.float64(point + one), scale, 0.0 if corners else -0.5))
    slope = type(point)(scale)
    if border and not (0 < place < n - 1):  # nan too
        slope = type(point)(0)
        place = type(point)(n - 1) if place > 0 else type(point)(0)
    return place, slope


@inline
def _low(place: Any, n: Any) -> Any:
    """The element at or before a place, as a whole number; what is no number, or far out, lies outside."""
    low = np.floor(place)
    return int(low) if -2 <= low <= n + 1 else -2


@inline
def _find(points: Any, start: Any, count: Any, height: Any, width: Any, border: Any, corners: Any, at: Any, inside: Any, shares: Any,
          slopes: Any) -> None:  # fmt: skip
    """Of the points (P, 2) from start on: the upper left element of four, which of them are inside, as bits, and the shares u, v."""
    for q in range(count):
        across, slopes[0, q] = _along(points[start + q, 0], width, border, corners)
        down, slopes[1, q] = _along(points[start + q, 1], height, border, corners)
        j, i = _low(across, width), _low(down, height)
        shares[0, q], shares[1, q] = across - np.floor(across), down - np.floor(down)
        columns = (1 if 0 <= j < width else 0) | (2 if -1 <= j < width - 1 else 0)
        inside[q] = (columns if 0 <= i < height else 0) | (columns << 2 if -1 <= i < height - 1 else 0)
        at[q] = i * width + j


@inline
def _four(row: Any, at: Any, width: Any, inside: Any) -> Any:
    """The four elements from `at` on, 0 for one that is outside."""
    if inside == 15:
        k = np.uintp(at)
        below = k + np.uintp(width)
        return row[k], row[k + np.uintp(1)], row[below], row[below + np.uintp(1)]
    zero = row.dtype.type(0)
    a = row[at] if inside & 1 else zero
    b = row[at + 1] if inside & 2 else zero
    d = row[at + width] if inside & 4 else zero
    e = row[at + width + 1] if inside & 8 else zero
    return a, b, d, e


@kernel
def _read(
    x: Array, height: int, width: int, points: Array, border: bool, corners: bool, out: Array, start: int, stop: int
) -> None:
    """x (N, C, H · W), points (N, P, 2), out (N, C, P)."""
    one = x.dtype.type(1)
    at, inside = np.empty(_BLOCK, np.intp), np.empty(_BLOCK, np.intp)
    shares, slopes, weights = (
        np.empty((2, _BLOCK), x.dtype), np.empty((2, _BLOCK), x.dtype), np.empty((4, _BLOCK), x.dtype)
    )  # fmt: skip
    for n in range(start, stop):
        for first in range(0, points.shape[1], _BLOCK):
            count = min(_BLOCK, points.shape[1] - first)
            _find(points[n], first, count, height, width, border, corners, at, inside, shares, slopes)
            for q in range(count):
                u, v = shares[0, q], shares[1, q]
                weights[0, q], weights[1, q] = (one - u) * (one - v), u * (one - v)
                weights[2, q], weights[3, q] = (one - u) * v, u * v
            for c in range(x.shape[1]):
                row, to = x[n, c], out[n, c, first:]
                for q in range(count):
                    a, b, d, e = _four(row, at[q], width, inside[q])
                    to[q] = (a * weights[0, q] + b * weights[1, q]) + (d * weights[2, q] + e * weights[3, q])


@kernel
def _back(
    x: Array, height: int, width: int, points: Array, border: bool, corners: bool, grad: Array, dx: Array, dpoints: Array,
    start: int, stop: int,
) -> None:  # fmt: skip
    """grad (N, C, P); dx, if it has elements, as x, and dpoints as points."""
    one, wanted = x.dtype.type(1), dx.size > 0
    at, inside = np.empty(_BLOCK, np.intp), np.empty(_BLOCK, np.intp)
    shares, slopes, by = np.empty((2, _BLOCK), x.dtype), np.empty((2, _BLOCK), x.dtype), np.empty((2, _BLOCK), x.dtype)
    for n in range(start, stop):
        for first in range(0, points.shape[1], _BLOCK):
            count = min(_BLOCK, points.shape[1] - first)
            _find(points[n], first, count, height, width, border, corners, at, inside, shares, slopes)
            by[:] = 0
            for c in range(x.shape[1]):
                row, given = x[n, c], grad[n, c, first:]
                to = dx[n, c] if wanted else row  # (then nothing is added)
                for q in range(count):
                    u, v, g, k = shares[0, q], shares[1, q], given[q], at[q]
                    a, b, d, e = _four(row, k, width, inside[q])
                    by[0, q] += g * ((b - a) * (one - v) + (e - d) * v)
                    by[1, q] += g * ((d - a) * (one - u) + (e - b) * u)
                    if wanted:
                        if inside[q] & 1:
                            to[k] += g * ((one - u) * (one - v))
                        if inside[q] & 2:
                            to[k + 1] += g * (u * (one - v))
                        if inside[q] & 4:
                            to[k + width] += g * ((one - u) * v)
                        if inside[q] & 8:
                            to[k + width + 1] += g * (u * v)
            for q in range(count):
                dpoints[n, first + q, 0], dpoints[n, first + q, 1] = by[0, q] * slopes[0, q], by[1, q] * slopes[1, q]


class Bilinear(sampling_grid.Bilinear):
    """The compiled form of ops.sampling_grid.Bilinear."""

    @staticmethod
    def forward(ctx: Any, x: Array, grid: Array, padding_mode: str, corners: bool) -> Array:
        ctx.save_for_backward(x, grid)
        ctx.setting = padding_mode == "border", corners
        out = np.empty((*x.shape[:2], *grid.shape[1:3]), x.dtype)
        flat, points = out.reshape(*x.shape[:2], -1), np.ascontiguousarray(grid).reshape(len(grid), -1, 2)
        images = np.ascontiguousarray(x).reshape(*x.shape[:2], -1)
        split(len(x), 4 * out.size, lambda a, b: _read(images, *x.shape[2:], points, *ctx.setting, flat, a, b))
        return out

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        x, grid = ctx.saved_tensors
        points = np.ascontiguousarray(grid).reshape(len(grid), -1, 2)
        images, given = (np.ascontiguousarray(y).reshape(*x.shape[:2], -1) for y in (x, grad))
        dx = np.zeros(images.shape if ctx.needs_input_grad[0] else (0, 0, 0), x.dtype)
        dpoints, setting = np.empty(points.shape, x.dtype), ctx.setting
        split(len(x), 8 * given.size, lambda a, b: _back(images, *x.shape[2:], points, *setting, given, dx, dpoints, a, b))  # fmt: skip
        return dx.reshape(x.shape) if dx.size else None, dpoints.reshape(grid.shape), None, None
