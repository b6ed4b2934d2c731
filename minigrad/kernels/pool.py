"""Max pooling, forward and backward; and with ReLU before it, in the same pass.

    for each image and channel (a plane, which stays in the cache):
        for each row of windows:  for each of the kh x kw elements:  keep the larger, in all windows of the row at once

The NumPy twin (ops/pool.py) does the same over the whole batch, which leaves the cache each time. Padding is never read.

Nearly all windows are 2 x 2, side by side. A row of them is few vectors, and what is left over at its end would take as long as the
rest: so these are computed in whole vectors, of which what lies beyond the row is masked off.

max(x, 0) before the pooling: each element is raised to `floor` when it is read, so the winners are the same and so is the
sign of zero; a window whose largest element is not above 0 lets no gradient through, and has no winner (-1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from ..autograd.variable import Array
from ..ops.pool import MaxPool as NumpyMaxPool
from ..ops.windows import Ints, Pairs
from . import split
from .compiled import inline, kernel
from .gemm import _Masked, _masked

Pair = tuple[int, int]
_SHORT, _INDEX = ir.IntType(16), ir.IntType(32)


class _Row:
    """Vectors of a row of 2 x 2 windows while a kernel is compiled: from window i on, as many as there are lanes."""

    def __init__(self, context: Any, builder: Any, like: Any, i: Any, count: Any) -> None:
        self.v = _Masked(context, builder, context.get_value_type(like.dtype), like.dtype.bitwidth // 8)
        self.builder, self.lanes = builder, self.v.lanes
        left = builder.sub(count, i)
        self.windows = builder.icmp_signed("<", self.v.number, self.v.spread(left))
        twice = builder.mul(left, self.v.integer(2))
        self.elements = [
            builder.icmp_signed("<", self.v.number, self.v.spread(builder.sub(twice, self.v.integer(n * self.lanes))))
            for n in range(2)
        ]

    def pattern(self, places: list[int]) -> Any:
        return ir.Constant(ir.VectorType(_INDEX, len(places)), places)

    def zero(self) -> Any:
        return ir.Constant(self.v.vector, None)

    def shorts(self, value: int) -> Any:
        return ir.Constant(ir.VectorType(_SHORT, self.lanes), [value] * self.lanes)

    def place_of_shorts(self, base: Any, place: Any) -> Any:
        return self.builder.bitcast(self.builder.gep(base, [place]), self.shorts(0).type.as_pointer())


def _data(context: Any, builder: Any, signature: Any, args: Any, *which: int) -> list[Any]:
    return [context.make_array(signature.args[i])(context, builder, args[i]).data for i in which]


def _larger_of_pairs(context, x, source, pitch, best, winner, to, count, floor, limit):
    """Windows of two elements in each of the rows at `source` and `pitch` after it: the largest, and which that is.

    floor: what smaller elements count as. limit: a window of which nothing is larger has no winner (nan: each has one).
    """

    def code(context, builder, signature, args):
        _, source, pitch, _, _, to, count, floor, limit = args
        data, largest_at, winner_at = _data(context, builder, signature, args, 0, 3, 4)
        integer = context.get_value_type(types.intp)
        step = integer(_Masked(context, builder, floor.type, x.dtype.bitwidth // 8).lanes)
        with cgutils.for_range_slice(builder, integer(0), count, step, intp=integer) as (i, _):
            row = _Row(context, builder, x, i, count)
            lowest, bound = row.v.spread(floor), row.v.spread(limit)
            largest = place = None
            for a in range(2):
                begin = builder.add(builder.add(source, builder.mul(pitch, integer(a))), builder.mul(i, integer(2)))
                halves = [
                    row.v.load(data, builder.add(begin, integer(n * row.lanes)), row.elements[n]) for n in range(2)
                ]
                for b in range(2):
                    value = builder.shuffle_vector(*halves, row.pattern([2 * lane + b for lane in range(row.lanes)]))
                    value = builder.select(builder.fcmp_ordered("<", value, lowest), lowest, value)
                    if largest is None:
                        largest, place = value, row.shorts(0)
                        continue
                    better = builder.or_(
                        builder.fcmp_ordered(">", value, largest), builder.fcmp_unordered("uno", value, value)
                    )
                    largest = builder.select(better, value, largest)
                    place = builder.select(better, row.shorts(2 * a + b), place)
            place = builder.select(builder.fcmp_ordered("<=", largest, bound), row.shorts(-1), place)
            at = builder.add(to, i)
            row.v.store(largest, largest_at, at, row.windows)
            name, align = f"llvm.masked.store.v{row.lanes}i16.p0", _INDEX(2)
            _masked(builder, name, ir.VoidType(), place, row.place_of_shorts(winner_at, at), align, row.windows)
        return context.get_dummy_value()

    n = types.intp
    return types.void(x, n, n, best, winner, n, n, x.dtype, x.dtype), code


def _spread_to_pairs(context, grad, winner, source, count, dx, to, pitch):
    """The other way: each window's gradient at its winner, 0 at its other elements."""

    def code(context, builder, signature, args):
        _, _, source, count, _, to, pitch = args
        grads, winner_at, target = _data(context, builder, signature, args, 0, 1, 4)
        integer = context.get_value_type(types.intp)
        step = integer(_Masked(context, builder, grads.type.pointee, grad.dtype.bitwidth // 8).lanes)
        with cgutils.for_range_slice(builder, integer(0), count, step, intp=integer) as (i, _):
            row = _Row(context, builder, grad, i, count)
            at = builder.add(source, i)
            value = builder.fadd(row.v.load(grads, at, row.windows), row.zero())  # (a sum: of -0 it is 0)
            name, kind = f"llvm.masked.load.v{row.lanes}i16.p0", row.shorts(0).type
            place = _masked(
                builder, name, kind, row.place_of_shorts(winner_at, at), _INDEX(2), row.windows, row.shorts(0)
            )
            for a in range(2):
                two = [
                    builder.select(builder.icmp_signed("==", place, row.shorts(2 * a + b)), value, row.zero())
                    for b in range(2)
                ]
                begin = builder.add(builder.add(to, builder.mul(pitch, integer(a))), builder.mul(i, integer(2)))
                for half in range(2):
                    lanes = range(half * row.lanes // 2, (half + 1) * row.lanes // 2)
                    mixed = builder.shuffle_vector(
                        *two, row.pattern([lane + b * row.lanes for lane in lanes for b in range(2)])
                    )
                    row.v.store(mixed, target, builder.add(begin, integer(half * row.lanes)), row.elements[half])
        return context.get_dummy_value()

    n = types.intp
    return types.void(grad, winner, n, n, dx, n, n), code


larger_of_pairs: Any = intrinsic(_larger_of_pairs)
spread_to_pairs: Any = intrinsic(_spread_to_pairs)


@inline
def _in_pairs(inner: Any, outer: Any, size: Any, stride: Any, dilation: Any, pad: Any) -> bool:
    """Whether windows (as many as outer is large) are 2 x 2, side by side in a row, and all within inner."""
    low = (outer[0] - 1) * stride[0] + dilation[0] < inner[0] and outer[1] * 2 <= inner[1]
    return size == (2, 2) and stride[1] == 2 and dilation[1] == 1 and pad == (0, 0) and low


@inline
def keep_larger(value: Any, k: Any, largest: Any, place: Any, j: Any) -> None:
    old, before = largest[j], place[j]
    better = (before < 0) | (value > old) | (value != value)
    largest[j] = value if better else old
    place[j] = k if better else before


@kernel
def _forward(
    x: Array, best: Array, winner: Array, size: Pair, stride: Pair, dilation: Pair, pad: Pair, rectified: bool
) -> None:
    height, width = x.shape[1], x.shape[2]
    rows, n = best.shape[1], best.shape[2]
    number = x.dtype.type
    floor, limit = number(0 if rectified else -np.inf), number(0 if rectified else np.nan)
    pairs = _in_pairs((height, width), (rows, n), size, stride, dilation, pad)
    flat_x, flat_best, flat_winner = x.reshape(-1), best.reshape(-1), winner.reshape(-1)
    for p in range(x.shape[0]):
        for i in range(rows):
            if pairs:
                source, to = (p * height + i * stride[0]) * width, (p * rows + i) * n
                larger_of_pairs(flat_x, source, dilation[0] * width, flat_best, flat_winner, to, n, floor, limit)
                continue
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
                            keep_larger(floor if row[j * 2] < floor else row[j * 2], k, to, at, j)
                    else:
                        for j in range(count):
                            value = row[j * stride[1]]
                            keep_larger(floor if value < floor else value, k, to, at, j)
            if rectified:
                for j in range(n):
                    place[j] = -1 if largest[j] <= limit else place[j]


@kernel
def _backward(grad: Array, winner: Array, dx: Array, size: Pair, stride: Pair, dilation: Pair, pad: Pair) -> None:
    height, width = dx.shape[1], dx.shape[2]
    rows, n = grad.shape[1], grad.shape[2]
    pairs = _in_pairs((height, width), (rows, n), size, stride, dilation, pad) and stride[0] > dilation[0]
    every = pairs and stride[0] == 2 and height == 2 * rows and width == 2 * n  # there is nothing between them
    flat_grad, flat_winner, flat = grad.reshape(-1), winner.reshape(-1), dx.reshape(-1)
    for p in range(dx.shape[0]):
        if not every:
            dx[p] = 0
        for i in range(rows):
            if pairs:
                source, to = (p * rows + i) * n, (p * height + i * stride[0]) * width
                spread_to_pairs(flat_grad, flat_winner, source, n, flat, to, dilation[0] * width)
                continue
            for j in range(n):
                if winner[p, i, j] < 0:
                    continue
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


def max_pool(
    x: Array, kernel: Ints, stride: Ints, dilation: Ints, pads: Pairs, out: Ints, rectified: bool = False
) -> tuple[Array, Array]:
    """The largest of each window, and which of its elements that was (numbered in order). A nan wins.

    rectified: of max(x, 0); where that is 0 in a whole window, which then has no gradient, the number is -1.
    """
    rank = len(kernel)
    best, winner = np.empty((*x.shape[:-rank], *out), x.dtype), np.empty((*x.shape[:-rank], *out), np.int16)
    planes, values, places = _planes(x, rank), _planes(best, rank), _planes(winner, rank)
    setting = _pair(kernel, 1), _pair(stride, 1), _pair(dilation, 1), _pair(tuple(low for low, _ in pads), 0)
    split(len(planes), x.size, lambda a, b: _forward(planes[a:b], values[a:b], places[a:b], *setting, rectified))
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
    def forward(
        ctx: Any, x: Array, kernel: Ints, stride: Ints, dilation: Ints, pads: Pairs, out: Ints, rectified: bool = False
    ) -> Array:
        ctx.setting = x.shape, kernel, stride, dilation, pads
        values, ctx.winner = max_pool(x, kernel, stride, dilation, pads, out, rectified)
        return values

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        return max_pool_backward(grad, ctx.winner, *ctx.setting), *(None,) * 5
