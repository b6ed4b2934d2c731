"""Images and volumes read at places between their elements: `grid_sample`. The NumPy twin is in ops/sampling_grid.py.

Of a block of places the elements and weights are found once, for all channels; then each channel's elements are read in turn,
which lie near each other. Where several are read for a place, a 0 stands behind the last of each channel, which is read for
what lies outside; and behind all gradients lies a place for each image to which what goes outside is added. The threads
share the images: two never add to the same element.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.variable import Array
from ..ops import sampling_grid
from . import split
from .compiled import inline, kernel
from .vector import multiply_add

_BLOCK = 128  # places
_APART = 32  # elements between those to which what goes outside is added: each thread has lines of its own
_ZEROS, _BORDER, _REFLECTION = range(3)


# What follows is written without branches, which would be guessed wrongly where places lie anywhere.


@inline
def _inside(place: Any, n: Any, padding: Any, corners: Any) -> Any:
    """A place led back inside, and how it moves with the place: 1, -1 where it is mirrored, 0 beyond the edge."""
    real = type(place)
    turn, zero, last = real(1), real(0), real(n - 1)
    if padding == _REFLECTION:
        low, span = (zero, last) if corners else (real(-0.5), real(n))
        if span == 0:
            place, turn = place * zero, zero
        else:
            distance = place - low
            turn = real(-1) if distance < 0 else real(1)
            turns = np.floor(np.abs(distance) / span)
            turns = turns if turns - turns == 0 else zero  # (not where it is infinite, or no number)
            rest = distance * turn - turns * span
            even = turns - real(2) * np.floor(turns * real(0.5)) == 0
            place = rest + low if even else span - rest + low
            turn = turn if even else -turn
    if padding != _ZEROS:
        turn = turn if (place > 0) & (place < last) else zero
        place = place if place > 0 else zero  # nan too
        place = place if place < last else last
    return place, turn


@inline
def _element(place: Any, n: Any) -> Any:
    """The element at a rounded place; -1 for one outside, or what is no number."""
    real = type(place)
    return np.int32(place if (place >= real(0)) & (place <= real(n - 1)) else real(-1))


@inline
def _weight(share: Any, k: Any) -> Any:
    """The weight of the k-th of four elements by Keys's cubic (ops/interpolate.py), and its slope by the share."""
    real = type(share)
    a, sign = real(-0.75), real(1 if k < 2 else -1)
    x = share + real(1 - k) if k < 2 else real(k - 1) - share
    if k == 1 or k == 2:
        return ((a + real(2)) * x - (a + real(3))) * x * x + real(1), sign * (
            (real(3) * (a + real(2)) * x - real(2) * (a + real(3))) * x
        )
    return ((x - real(5)) * x + real(8)) * x * a - real(4) * a, sign * (((real(3) * x - real(10)) * x + real(8)) * a)


@inline
def _along(points: Any, n: Any, taps: Any, padding: Any, corners: Any, at: Any, weights: Any, slopes: Any) -> None:
    """Of the points from -1 to 1 along a side of n elements: which are read, -1 for one outside, their weights, how they move."""
    one = points.dtype.type(1)
    scale = ((n - 1) if corners else n) / 2.0
    slope = type(one)(scale)
    places, turns = weights[taps - 1], slopes[taps - 1]  # which are written last
    for q in range(points.size):
        places[q] = multiply_add(np.float64(points[q] + one), scale, 0.0 if corners else -0.5)
        turns[q] = slope
    if taps < 4 and padding == _BORDER:
        for q in range(points.size):
            places[q], turn = _inside(places[q], n, _BORDER, corners)
            turns[q] *= turn
    elif taps < 4 and padding == _REFLECTION:
        for q in range(points.size):
            places[q], turn = _inside(places[q], n, _REFLECTION, corners)
            turns[q] *= turn
    if taps == 1:
        for q in range(points.size):
            at[0, q] = _element(np.rint(places[q]), n)
            weights[0, q], slopes[0, q] = one, 0
    elif taps == 2:
        for q in range(points.size):
            low, turn = np.floor(places[q]), turns[q]
            share = places[q] - low
            at[0, q], at[1, q] = _element(low, n), _element(low + one, n)
            weights[0, q], weights[1, q] = one - share, share
            slopes[0, q], slopes[1, q] = -turn, turn
    else:
        for k in range(4):
            for q in range(points.size):
                low = np.floor(places[q])
                weights[k, q], by = _weight(places[q] - low, k)
                slopes[k, q] = by * slope
                at[k, q] = _element(np.rint(_inside(low + type(one)(k - 1), n, padding, corners)[0]), n)


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
                before, behind = ones[d, k, q], at[t, q]
                at[t, q] = behind + stride * before if (before >= 0) & (behind >= 0) else -1
                weights[t, q] *= one_weights[d, k, q]
        if rank == 3:  # (of an image PyTorch multiplies what is outside, 0, by the weight, which may be nan)
            for q in range(count):
                weights[t, q] = weights[t, q] if at[t, q] >= 0 else 0
        for q in range(count):
            at[t, q] = at[t, q] if at[t, q] >= 0 else elements


@kernel
def _read(
    x: Array, sides: Array, points: Array, taps: int, padding: int, corners: bool, out: Array, start: int, stop: int
) -> None:
    """x (N, C, elements), and a 0 behind them where taps > 1; points (N, P, rank), out (N, C, P)."""
    rank, real, elements = sides.size, x.dtype, sides.prod()
    total = taps**rank
    ones, at = np.empty((3, 4, _BLOCK), np.int32), np.empty((total, _BLOCK), np.int32)
    one_weights, one_slopes = np.empty((3, 4, _BLOCK), real), np.empty((3, 4, _BLOCK), real)
    weights = np.empty((total, _BLOCK), real)
    for n in range(start, stop):
        for first in range(0, points.shape[1], _BLOCK):
            count = min(_BLOCK, points.shape[1] - first)
            _find(points[n, first : first + count], sides, taps, padding, corners, ones, one_weights, one_slopes,
                  at, weights, elements)  # fmt: skip
            for c in range(x.shape[1]):
                row, to = x[n, c], out[n, c, first : first + count]
                if total == 1:
                    for q in range(count):
                        here = at[0, q]
                        v = row[np.uintp(here if here < elements else 0)]
                        to[q] = v if here < elements else 0
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
    """grad (N, C, P); dx, if it has elements, N · C · elements and _APART for each image; dpoints, if it has any, as points."""
    rank, real, elements = sides.size, x.dtype, sides.prod()
    channels = x.shape[1]
    total, wanted, by_points = taps**rank, dx.size > 0, dpoints.size > 0
    ones, at = np.empty((3, 4, _BLOCK), np.int32), np.empty((total, _BLOCK), np.int32)
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
                behind = (n * channels + c) * elements
                outside = x.shape[0] * channels * elements + n * _APART - behind
                to = dx[behind:]
                for t in range(total):
                    here, w, s = at[t], weights[t], sums[t]
                    if by_points:
                        for q in range(count):
                            s[q] += given[q] * row[np.uintp(here[q])]
                    if wanted:
                        for q in range(count):
                            i = np.intp(here[q])
                            to[np.uintp(i if i < elements else outside)] += given[q] * w[q]
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


def _rows(x: Array, taps: int) -> Array:
    """Images (N, C, ...) as rows of elements, a 0 behind each where several are read for a place."""
    if taps == 1:
        return np.ascontiguousarray(x).reshape(*x.shape[:2], -1)
    rows = np.empty((*x.shape[:2], math.prod(x.shape[2:]) + 1), x.dtype)
    rows[..., :-1] = x.reshape(*x.shape[:2], -1)
    rows[..., -1] = 0
    return rows


class _Compiled(sampling_grid.Sample2D):
    @staticmethod
    def forward(ctx: Any, x: Array, grid: Array, mode: str, padding_mode: str, corners: bool) -> Array:
        ctx.save_for_backward(x, grid)
        setting = sampling_grid.TAPS[mode], sampling_grid.PADDINGS.index(padding_mode), corners
        ctx.setting, sides = setting, np.array(x.shape[2:])
        out = np.empty((*x.shape[:2], *grid.shape[1:-1]), x.dtype)
        flat, points = out.reshape(*x.shape[:2], -1), np.ascontiguousarray(grid).reshape(len(grid), -1, sides.size)
        rows, work = _rows(x, setting[0]), setting[0] ** sides.size * out.size
        split(len(x), work, lambda a, b: _read(rows, sides, points, *setting, flat, a, b))
        return out

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        x, grid = ctx.saved_tensors
        setting, sides = ctx.setting, np.array(x.shape[2:])
        by_x, by_grid = ctx.needs_input_grad[:2]
        points = np.ascontiguousarray(grid).reshape(len(grid), -1, sides.size)
        given, rows = np.ascontiguousarray(grad).reshape(*grad.shape[:2], -1), _rows(x, setting[0])
        dx = np.zeros(x.size + len(x) * _APART if by_x else 0, x.dtype)
        slopes = by_grid and setting[0] > 1  # of the nearest element they are 0
        dpoints = np.zeros(points.shape if slopes else (0, 0, 0), x.dtype)
        work = 2 * setting[0] ** sides.size * given.size
        split(len(x), work, lambda a, b: _back(rows, sides, points, *setting, given, dx, dpoints, a, b))
        dgrid = dpoints.reshape(grid.shape) if slopes else np.zeros_like(grid)
        return (
            dx[: x.size].reshape(x.shape) if by_x else None, dgrid if by_grid else None, None, None, None
        )  # fmt: skip


class Sample2D(_Compiled):
    """The compiled form of its namesake in ops/sampling_grid.py."""


class Sample3D(_Compiled, sampling_grid.Sample3D):
    """The compiled form of its namesake in ops/sampling_grid.py."""
