"""Images read at places between their elements: `grid_sample`, bilinear. The NumPy twin is in ops/sampling_grid.py.

For each place the four weights are found once, for all channels. The threads share the images: two never add to the same element.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import Array
from ..ops import sampling_grid
from ..ops.sampling_grid import places_of
from . import split
from .compiled import inline, kernel


@inline
def _low(place: Any, n: Any) -> Any:
    """The element at or before a place, as a whole number; what is no number, or far out, lies outside."""
    low = np.floor(place)
    return int(low) if -2 <= low <= n + 1 else -2


@kernel
def _read(x: Array, height: int, width: int, places: Array, out: Array, start: int, stop: int) -> None:
    """x (N, C, H · W), places (N, P, 2), out (N, C, P)."""
    one, zero = x.dtype.type(1), x.dtype.type(0)
    for n in range(start, stop):
        for p in range(places.shape[1]):
            across, down = places[n, p, 0], places[n, p, 1]
            j, i = _low(across, width), _low(down, height)
            u, v = across - np.floor(across), down - np.floor(down)
            left, right = 0 <= j < width, -1 <= j < width - 1
            above, below = 0 <= i < height, -1 <= i < height - 1
            at = np.intp(i * width + j)
            w0, w1, w2, w3 = (one - u) * (one - v), u * (one - v), (one - u) * v, u * v
            for c in range(x.shape[1]):
                a = x[n, c, at] if above and left else zero
                b = x[n, c, at + 1] if above and right else zero
                d = x[n, c, at + width] if below and left else zero
                e = x[n, c, at + width + 1] if below and right else zero
                out[n, c, p] = (a * w0 + b * w1) + (d * w2 + e * w3)


@kernel
def _back(
    x: Array, height: int, width: int, places: Array, grad: Array, dx: Array, dplaces: Array, start: int, stop: int
) -> None:
    """grad (N, C, P); dx, if it has elements, as x, and dplaces as places."""
    one, zero = x.dtype.type(1), x.dtype.type(0)
    for n in range(start, stop):
        for p in range(places.shape[1]):
            across, down = places[n, p, 0], places[n, p, 1]
            j, i = _low(across, width), _low(down, height)
            u, v = across - np.floor(across), down - np.floor(down)
            left, right = 0 <= j < width, -1 <= j < width - 1
            above, below = 0 <= i < height, -1 <= i < height - 1
            at = np.intp(i * width + j)
            w0, w1, w2, w3 = (one - u) * (one - v), u * (one - v), (one - u) * v, u * v
            by_u, by_v = zero, zero
            for c in range(x.shape[1]):
                g = grad[n, c, p]
                a = x[n, c, at] if above and left else zero
                b = x[n, c, at + 1] if above and right else zero
                d = x[n, c, at + width] if below and left else zero
                e = x[n, c, at + width + 1] if below and right else zero
                by_u += g * ((b - a) * (one - v) + (e - d) * v)
                by_v += g * ((d - a) * (one - u) + (e - b) * u)
                if dx.size:
                    if above and left:
                        dx[n, c, at] += g * w0
                    if above and right:
                        dx[n, c, at + 1] += g * w1
                    if below and left:
                        dx[n, c, at + width] += g * w2
                    if below and right:
                        dx[n, c, at + width + 1] += g * w3
            dplaces[n, p, 0], dplaces[n, p, 1] = by_u, by_v


class Bilinear(sampling_grid.Bilinear):
    """The compiled form of ops.sampling_grid.Bilinear."""

    @staticmethod
    def forward(ctx: Any, x: Array, grid: Array, padding_mode: str, corners: bool) -> Array:
        ctx.save_for_backward(x, grid)
        ctx.padding_mode, ctx.corners = padding_mode, corners
        places, _ = places_of(grid, x, padding_mode, corners)
        out = np.empty((*x.shape[:2], places.shape[1]), x.dtype)
        images = np.ascontiguousarray(x).reshape(*x.shape[:2], -1)
        split(len(x), 4 * out.size, lambda a, b: _read(images, *x.shape[2:], places, out, a, b))
        return out.reshape(*x.shape[:2], *grid.shape[1:3])

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        x, grid = ctx.saved_tensors
        places, slopes = places_of(grid, x, ctx.padding_mode, ctx.corners)
        images, given = (np.ascontiguousarray(y).reshape(*x.shape[:2], -1) for y in (x, grad))
        dx = np.zeros(images.shape if ctx.needs_input_grad[0] else (0, 0, 0), x.dtype)
        dplaces = np.empty_like(places)
        split(len(x), 8 * given.size, lambda a, b: _back(images, *x.shape[2:], places, given, dx, dplaces, a, b))
        return dx.reshape(x.shape) if dx.size else None, (dplaces * slopes).reshape(grid.shape), None, None
