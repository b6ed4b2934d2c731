"""Images and volumes read at places between their elements: `grid_sample`. The NumPy twin is in ops/sampling_grid.py.

Of a block of places the elements and weights are found once, for all channels; then each channel's elements are read in turn,
which lie near each other. Behind the last element of each channel stands a 0, which is read for what lies outside. The
threads share the images: two never add to the same element.
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
_ZEROS, _BORDER, _REFLECTION = range(3)


@inline
def _inside(place: Any, n: Any, padding: Any, corners: Any) -> Any:
    """A place led back inside, and how it moves with the place: 1, -1 where it is mirrored, 0 beyond the edge."""
    real = type(place)
    turn = real(1)
    if padding == _REFLECTION:
        low, span = (real(0), real(n - 1)) if corners else (real(-0.5), real(n))
        if span == 0:
            place, turn = real(place * real(0)), real(0)
        else:
            distance = real(place - low)
            turn = real(-1) if distance < 0 else real(1)
            turns = np.floor(np.abs(distance) / span)
            if not np.isfinite(turns):
                turns = real(0)
            rest = real(real(distance * turn) - real(turns * span))
            if turns - 2 * np.floor(turns / 2) == 0:
                place = real(rest + low)
            else:
                place, turn = real(real(span - rest) + low), -turn
    if padding != _ZEROS and not (0 < place < n - 1):  # nan too
        turn = real(0)
        place = real(n - 1) if place > 0 else real(0)
    return place, turn


@inline
def _whole(place: Any, n: Any) -> Any:
    """A rounded place as a whole number; what is no number, or far out, lies outside."""
    return int(place) if -2 <= place <= n + 1 else -2


@inline
def _weight(distance: Any) -> Any:
    """Keys's cubic at a distance from 0 to 2 (ops/interpolate.py), and its slope."""
    x, a = distance, type(distance)(-0.75)
    if x <= 1:
        return ((a + 2) * x - (a + 3)) * x * x + 1, (3 * (a + 2) * x - 2 * (a + 3)) * x
    return ((x - 5) * x + 8) * x * a - 4 * a, ((3 * x - 10) * x + 8) * a


@inline
def _along(points: Any, n: Any, taps: Any, padding: Any, corners: Any, at: Any, weights: Any, slopes: Any) -> None:
    """Of the points from -1 to 1 along a side of n elements: which are read, -1 for one outside, their weights, how they move."""
    one = points.dtype.type(1)
    scale = ((n - 1) if corners else n) / 2.0
    for q in range(points.size):
        place = type(one)(multiply_add(np.float64(points[q] + one), scale, 0.0 if corners else -0.5))
        slope = type(one)(scale)
        if taps < 4:
            place, turn = _inside(place, n, padding, corners)
            slope *= turn
        low = np.rint(place) if taps == 1 else np.floor(place)
        share = place - low
        first = _whole(low, n)
        if taps == 1:
            weights[0, q], slopes[0, q] = one, 0
        elif taps == 2:
            weights[0, q], weights[1, q] = one - share, share
            slopes[0, q], slopes[1, q] = -slope, slope
        for k in range(taps):
            i = first + k
            if taps == 4:
                distance, sign = (one * (1 - k) + share, slope) if k < 2 else (one * (k - 1) - share, -slope)
                if k == 0 or k == 3:
                    distance = max(distance, one)
                weight, by = _weight(distance)
                if share != share:
                    weight = by = share
                weights[k, q], slopes[k, q] = weight, by * sign
                i = _whole(np.rint(_inside(type(one)(low + type(one)(k - 1)), n, padding, corners)[0]), n)
            at[k, q] = i if 0 <= i < n else -1


@inline
def _find(points: Any, sides: Any, taps: Any, padding: Any, corners: Any, ones: Any, one_weights: Any, one_slopes: Any,
          at: Any, weights: Any, elements: Any) -> None:  # fmt: skip
    """Of the points (count, rank): the elements that are read (`elements`, where the 0 stands, for one outside), their weights."""
    rank, count = sides.size, points.shape[0]
    for d in range(rank):
        _along(points[:, rank - 1 - d], sides[d], taps, padding, corners, ones[d], one_weights[d], one_slopes[d])
    for t in range(weights.shape[0]):
        last = t % taps
        for q in range(count):
            at[t, q] = ones[rank - 1, last, q]
            weights[t, q] = one_weights[rank - 1, last, q]
        stride, rest = 1, t
        for d in range(rank - 2, -1, -1):
            rest //= taps
            stride *= sides[d + 1]
            k = rest % taps
            for q in range(count):
                at[t, q] = at[t, q] + stride * ones[d, k, q] if at[t, q] >= 0 and ones[d, k, q] >= 0 else -1
                weights[t, q] *= one_weights[d, k, q]
        for q in range(count):
            if at[t, q] < 0:
                at[t, q] = elements
                if rank == 3:  # (of an image PyTorch multiplies what is outside, 0, by the weight, which may be nan)
                    weights[t, q] = 0


@kernel
def _read(
    x: Array, sides: Array, points: Array, taps: int, padding: int, corners: bool, out: Array, start: int, stop: int
) -> None:
    """x (N, C, elements + 1), the last of them 0; points (N, P, rank), out (N, C, P)."""
    rank, real = sides.size, x.dtype
    total = taps**rank
    ones, at = np.empty((3, 4, _BLOCK), np.intp), np.empty((total, _BLOCK), np.intp)
    one_weights, one_slopes = np.empty((3, 4, _BLOCK), real), np.empty((3, 4, _BLOCK), real)
    weights = np.empty((total, _BLOCK), real)
    for n in range(start, stop):
        for first in range(0, points.shape[1], _BLOCK):
            count = min(_BLOCK, points.shape[1] - first)
            _find(points[n, first : first + count], sides, taps, padding, corners, ones, one_weights, one_slopes,
                  at, weights, x.shape[2] - 1)  # fmt: skip
            for c in range(x.shape[1]):
                row, to = x[n, c], out[n, c, first : first + count]
                if total == 1:
                    for q in range(count):
                        to[q] = row[np.uintp(at[0, q])]
                else:
                    for t in range(0, total, 4):
                        a0, a1, a2, a3 = at[t], at[t + 1], at[t + 2], at[t + 3]
                        w0, w1, w2, w3 = weights[t], weights[t + 1], weights[t + 2], weights[t + 3]
                        for q in range(count):
                            v = (row[np.uintp(a0[q])] * w0[q] + row[np.uintp(a1[q])] * w1[q]) + (
                                row[np.uintp(a2[q])] * w2[q] + row[np.uintp(a3[q])] * w3[q]
                            )
                            to[q] = v if t == 0 else to[q] + v


@kernel
def _back(
    x: Array, sides: Array, points: Array, taps: int, padding: int, corners: bool, grad: Array, dx: Array, dpoints: Array,
    start: int, stop: int,
) -> None:  # fmt: skip
    """grad (N, C, P); dx, if it has elements, as x, and dpoints, if it has elements, as points."""
    rank, real, elements = sides.size, x.dtype, x.shape[2] - 1
    total, wanted, by_points = taps**rank, dx.size > 0, dpoints.size > 0
    ones, at = np.empty((3, 4, _BLOCK), np.intp), np.empty((total, _BLOCK), np.intp)
    one_weights, one_slopes = np.empty((3, 4, _BLOCK), real), np.empty((3, 4, _BLOCK), real)
    weights, sums = np.empty((total, _BLOCK), real), np.empty((total, _BLOCK), real)
    for n in range(start, stop):
        for first in range(0, points.shape[1], _BLOCK):
            count = min(_BLOCK, points.shape[1] - first)
            _find(points[n, first : first + count], sides, taps, padding, corners, ones, one_weights, one_slopes,
                  at, weights, elements)  # fmt: skip
            sums[:] = 0
            for c in range(x.shape[1]):
                row, given = x[n, c], grad[n, c, first : first + count]
                to = dx[n, c] if wanted else row  # (then nothing is added)
                for t in range(total):
                    here, w, s = at[t], weights[t], sums[t]
                    if by_points:
                        for q in range(count):
                            s[q] += given[q] * row[np.uintp(here[q])]
                    if wanted:
                        for q in range(count):
                            to[np.uintp(here[q])] += given[q] * w[q]
            for d in range(rank if by_points else 0):
                for q in range(count):
                    total_slope = x.dtype.type(0)
                    for t in range(total):
                        if rank == 3 and at[t, q] == elements:
                            continue
                        slope, rest = sums[t, q], t
                        for e in range(rank - 1, -1, -1):
                            k = rest % taps
                            rest //= taps
                            slope *= one_slopes[e, k, q] if e == d else one_weights[e, k, q]
                        total_slope += slope
                    dpoints[n, first + q, rank - 1 - d] = total_slope


def _with_zero(x: Array) -> Array:
    """Images (N, C, ...) as rows of elements, a 0 behind each."""
    rows = np.zeros((*x.shape[:2], x[0, 0].size + 1), x.dtype)
    rows[..., :-1].reshape(x.shape)[...] = x
    return rows


class _Compiled(sampling_grid.Sample2D):
    @staticmethod
    def forward(ctx: Any, x: Array, grid: Array, mode: str, padding_mode: str, corners: bool) -> Array:
        ctx.save_for_backward(x, grid)
        setting = sampling_grid.TAPS[mode], sampling_grid.PADDINGS.index(padding_mode), corners
        ctx.setting, sides = setting, np.array(x.shape[2:])
        out = np.empty((*x.shape[:2], *grid.shape[1:-1]), x.dtype)
        flat, points = out.reshape(*x.shape[:2], -1), np.ascontiguousarray(grid).reshape(len(grid), -1, sides.size)
        rows, work = _with_zero(x), setting[0] ** sides.size * out.size
        split(len(x), work, lambda a, b: _read(rows, sides, points, *setting, flat, a, b))
        return out

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        x, grid = ctx.saved_tensors
        setting, sides = ctx.setting, np.array(x.shape[2:])
        by_x, by_grid = ctx.needs_input_grad[:2]
        points = np.ascontiguousarray(grid).reshape(len(grid), -1, sides.size)
        given, rows = np.ascontiguousarray(grad).reshape(*grad.shape[:2], -1), _with_zero(x)
        dx = np.zeros(rows.shape if by_x else (0, 0, 0), x.dtype)
        slopes = by_grid and setting[0] > 1  # of the nearest element they are 0
        dpoints = np.zeros(points.shape if slopes else (0, 0, 0), x.dtype)
        work = 2 * setting[0] ** sides.size * given.size
        split(len(x), work, lambda a, b: _back(rows, sides, points, *setting, given, dx, dpoints, a, b))
        dgrid = dpoints.reshape(grid.shape) if slopes else np.zeros_like(grid)
        return (
            np.ascontiguousarray(dx[..., :-1]).reshape(x.shape) if by_x else None, dgrid if by_grid else None, None, None, None
        )  # fmt: skip


class Sample2D(_Compiled):
    """The compiled form of its namesake in ops/sampling_grid.py."""


class Sample3D(_Compiled, sampling_grid.Sample3D):
    """The compiled form of its namesake in ops/sampling_grid.py."""
