"""Convolution as a matrix product whose right-hand matrix is never written down: only the piece that is being multiplied.

All three directions are sums over windows. With a *tap* for each element of the filter (its shift in the image), and
p = (image, row, column) running over all output places of the batch:

    forward, and gradient by input      out[o, p]       = Σ_(channel, tap)  w[o, (channel, tap)] · x[(channel, tap), p]
    gradient by weight                  dw[(channel, tap), o] = Σ_p  x[(channel, tap), p] · grad[p, o]

x[(channel, tap), p] is the image, shifted by the tap. A panel of it (some channels, some hundred places) is put into a
scratch that stays in the second cache, multiplied there by all filters, and overwritten by the next one:

          places p ─▶                                          panel: about DEPTH rows, STRIPS tiles wide
        ┌───────┬───────┬──────                          for each group of filters, one tile high (first cache):
    (c, │ panel │       │              w ┌──────────┐        for each strip of the panel, one tile wide:
     t) ├───────┤       │            o   │          │            tile of gemm.py:  sums += filters · strip
     │  │       │       │            │   └──────────┘    after the last panel of a column: sums + bias go to the output
     ▼  └───────┴───────┴──────      ▼     (c, t) ─▶

Without stride all taps of a channel are one row of memory read from different beginnings, if the rows of the padded image
follow each other: so each channel is copied once, and a table says where row (c, t) begins. The places between the rows
are computed too, and dropped. With a stride, or where images are so small that this would be too many, each row of the
panel is gathered for itself.

The gradient by the input is the same loop: every place of the image sums over the filter's elements that met it, the
output's gradient being the image. With stride s only each s-th element meets a given place, so the places fall into s
classes (s² in two dimensions), each a small convolution without stride. A transposed convolution is that gradient.

A batch of as many images as a vector has lanes takes another road: conv_batch.py.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ..autograd.variable import Array
from ..ops.conv import Convolution as NumpyConvolution
from ..ops.conv import TransposedConvolution as NumpyTransposedConvolution
from ..ops.windows import Ints, Pairs, out_sizes
from ..threads import get_num_threads
from . import conv_batch, split
from .compiled import Room, inline, kernel
from .gemm import TALL, VECTOR_BYTES, WIDE, move, move_even, tall_tile, transpose, wide_tile

Pair = tuple[int, int]

DEPTH = 576  # rows of a panel
STRIPS = 4  # strips of a panel
PLACES = 256  # places that the gradient by the weight sums before it adds them to the others
FILTERS = 512  # filters whose sums are kept beside the panel
_GATHERING = 8.0  # what gathering a vector costs, in multiply-adds of a vector
_TOLERATED = 0.85  # the share of places that must lie in an image and not between its padded rows
_SMALL = 1 << 18  # elements of dw that each thread may have for itself


@inline
def _gather(
    x: Any, height: Any, width: Any, first: Any, channels: Any, image: Any, grid: Any, step: Any, taps: Any, begin: Any,
    end: Any, panel: Any, stride: Any,
) -> None:  # fmt: skip
    """panel[(c, t), p - begin] = channel first + c of x under tap t at place p; 0 outside of the image."""
    n_taps = taps.shape[1]
    for t in range(n_taps):
        p, to = begin, t * stride
        while p < end:  # a run of places in one row of one image
            n, place = divmod(p, grid[0] * grid[1])
            row, column = divmod(place, grid[1])
            count = min(grid[1] - column, end - p)
            y = row * step[0] + taps[0, t]
            left = column * step[1] + taps[1, t]
            low = high = 0
            if 0 <= y < height:
                low = min(count, max(0, -(left // step[1])))
                high = max(low, min(count, (width - 1 - left) // step[1] + 1))
            source, at = n * image + (first * height + y) * width + left, to
            for _ in range(channels):
                if step[1] == 1:
                    move(x, source, low, high, panel, at, count, x.dtype.type(0))
                elif step[1] == 2:
                    move_even(x, source, low, high, panel, at, count)
                else:
                    for i in range(count):
                        panel[at + i] = x[source + i * step[1]] if low <= i < high else 0
                source += height * width
                at += n_taps * stride
            p += count
            to += count


@inline
def _copy(
    x: Any, height: Any, width: Any, base: Any, channels: Any, pitch: Any, above: Any, left: Any, begin: Any, end: Any,
    panel: Any, stride: Any,
) -> None:  # fmt: skip
    """panel[c, q - begin] = element q of the padded image, whose rows are `pitch` long; it begins at (above, left) of x.

    Rows are followed by zeros where they are longer than x's. q may be negative: before the first row.
    """
    q, to = begin, 0
    while q < end:
        row, column = divmod(q, pitch)
        count = min(pitch - column, end - q)
        y, x_left = row + above, column + left
        low = high = 0
        if 0 <= y < height:
            low = min(count, max(0, -x_left))
            high = max(low, min(count, width - x_left))
        source, at = base + y * width + x_left, to
        for _ in range(channels):
            move(x, source, low, high, panel, at, count, x.dtype.type(0))
            source += height * width
            at += stride
        q += count
        to += count


Frame = tuple[int, int, int, int, int, int, int, int, int]


def _frame(x: Array, grid: Pair, taps: Array, pitch: int, columns: int, channels: int) -> Frame:
    """How a panel of `columns` places lies in memory, of `channels` of x (N, C, H, W); what both loops below begin with.

    pitch: the length of a padded image's row where taps are read at their shift; 0 where they are gathered. Then come the
    places in a row of an image, the places that strips are cut of, the first row of the padded image and its first column,
    the shift of the first place, how far the taps reach, the length of a row of the panel, the channels that one holds.
    """
    (above, left), (below, right) = taps.min(1).tolist(), taps.max(1).tolist()
    line = pitch or grid[1]
    together = grid[0] * line * (1 if pitch else len(x))
    reach = (below - above) * pitch + right - left if pitch else 0
    edge = 0 if pitch < grid[1] + right - left else left
    lanes = VECTOR_BYTES // x.itemsize
    at_once = min(channels, max(1, DEPTH // taps.shape[1]))
    return pitch, line, together, above, edge, left - edge, reach, (columns + reach + lanes) // lanes * lanes, at_once


def _row_starts(taps: Array, frame: Frame) -> Array:
    """Where the row of the panel begins that belongs to each channel and tap."""
    pitch, _, _, above, edge, offset, _, stride, at_once = frame
    within = (taps[0] - above) * pitch + taps[1] - edge - offset if pitch else np.arange(taps.shape[1]) * stride
    return ((np.arange(at_once) * (stride if pitch else stride * taps.shape[1]))[:, None] + within).reshape(-1)


# The loops get flat arrays and room to work in: what NumPy makes is not to be compiled.


@kernel
def _convolve(
    x: Array, sizes: tuple[int, int, int], w: Array, w_at: tuple[int, int, int], w_table: Array, bias: Array, out: Array,
    to_sizes: tuple[int, int, int], groups: int, channels: int, filters: int, grid: Pair, step: Pair, taps: Array,
    spread: Pair, shift: Pair, frame: Frame, table: Array, panel: Room,
    sums: Room, tile: tuple[int, int, int], tall: bool, start: int, stop: int,
) -> None:  # fmt: skip
    """Strips start to stop: out[n, o, spread · place + shift] = b[o] + Σ w[o, c, t] · x[n, c, step · place + taps[t]]

    w[o, first + c, t] of a group lies at group · w_at[0] + o · w_at[1] + first · w_at[2] + w_table[c, t] in w.
    sizes: channels, height and width of x, to_sizes: those of out. tile: its height and width, and the filters in `sums`.
    """
    n_taps = taps.shape[1]
    height, width = sizes[1], sizes[2]
    plane, image = height * width, sizes[0] * height * width
    pitch, line, together, above, edge, offset, reach, stride, at_once = frame
    high, wide, at_most = tile
    strips = (together + wide - 1) // wide
    columns = STRIPS * wide
    target = to_sizes[1] * to_sizes[2]
    strip = start
    while strip < stop:
        n, s = divmod(strip, strips)
        next_strip = strip + min(STRIPS, strips - s, stop - strip)
        begin, end = s * wide, min((s + next_strip - strip) * wide, together)
        strip = next_strip
        for group in range(groups):
            for top in range(0, filters, at_most):
                rows = min(at_most, filters - top)
                for first in range(0, channels, at_once):
                    count = min(at_once, channels - first)
                    c = group * channels + first
                    if pitch:
                        base = n * image + c * plane
                        since, until = begin + offset, end + reach + offset
                        _copy(x, height, width, base, count, pitch, above, edge, since, until, panel, stride)
                    else:
                        _gather(
                            x, height, width, c, count, image, grid, step, taps, begin, end, panel, stride
                        )  # fmt: skip
                    for i in range(0, rows, high):
                        a = group * w_at[0] + (top + i) * w_at[1] + first * w_at[2]
                        for j in range(0, end - begin, wide):
                            to = i * columns + j
                            if tall:
                                tall_tile(
                                    w, a, w_at[1], 1, panel, j, table, count * n_taps, sums, to, columns, first > 0
                                )  # fmt: skip
                            else:
                                wide_tile(
                                    w, a, w_at[1], w_table, panel, j, table, count * n_taps, sums, to, columns, first > 0
                                )  # fmt: skip
                p = begin
                while p < end:
                    inner, place = divmod(p, grid[0] * line)
                    row, column = divmod(place, line)
                    run = min(line - column, end - p)
                    count = min(grid[1] - column, run)
                    to = ((n + inner) * to_sizes[0] + group * filters + top) * target
                    to += (row * spread[0] + shift[0]) * to_sizes[2] + column * spread[1] + shift[1]
                    source = p - begin
                    for o in range(rows if count > 0 else 0):
                        b = bias[group * filters + top + o] if bias.size else x.dtype.type(0)
                        if spread[1] == 1:
                            move(sums, source, 0, count, out, to, count, b)
                        else:
                            for i in range(count):
                                out[to + i * spread[1]] = sums[source + i] + b
                        to += target
                        source += columns
                    p += run


@kernel
def _gradient_by_weight(
    x: Array, sizes: tuple[int, int, int], grad: Array, dw: Array, outer: tuple[int, int, int], grid: Pair, step: Pair,
    taps: Array, frame: Frame, table: Array, panel: Room, turned: Room,
    sums: Room, places: int, across: int, group: int, begin: int, end: int, first: int, last: int,
) -> None:  # fmt: skip
    """dw[o, c, t] = Σ x[n, c, step · place + taps[t]] · grad[n, o, place], places begin to end, channels first to last.

    sizes: channels, height and width of x; outer: filters of dw, length of each, filters of grad. `places` are summed in
    `sums`, whose rows are `across` long, before they are added to the others.
    """
    n_taps = taps.shape[1]
    filters, depth, all_filters = outer
    height, width = sizes[1], sizes[2]
    image = sizes[0] * height * width
    lanes = VECTOR_BYTES // x.itemsize
    high, wide = TALL[0], TALL[1] * lanes
    pitch, line, together, above, edge, offset, reach, stride, at_once = frame
    plane = grid[0] * grid[1]
    for c in range(first, last, at_once):
        count = min(at_once, last - c)
        start = begin
        while start < end:
            n, inner = divmod(start, together)
            stop = min(start + places, end, (n + 1) * together)
            p = start
            while p < stop:
                image_of, place = divmod(p, grid[0] * line)
                row, column = divmod(place, line)
                run = min(line - column, stop - p) if pitch else min(plane - place, stop - p)
                inside = max(0, min(grid[1] - column, run)) if pitch else run
                source = (image_of * all_filters + group * filters) * plane + row * grid[1] + column
                to = (p - start) * across
                for i in range(0, inside, lanes):
                    for o in range(0, filters, lanes):
                        transpose(
                          grad, source + o * plane + i, plane, min(lanes, filters - o), min(lanes, inside - i),
                          turned, to + i * across + o, across,
                      )  # fmt: skip
                turned[to + inside * across : to + run * across] = 0
                p += run
            if pitch:
                base, since = n * image + c * height * width, inner + offset
                until = since + stop - start + reach
                _copy(x, height, width, base, count, pitch, above, edge, since, until, panel, stride)
            else:
                _gather(x, height, width, c, count, image, grid, step, taps, start, stop, panel, stride)
            for j in range(0, across, wide):
                for i in range(0, count * n_taps, high):
                    to = i * across + j
                    tall_tile(
                      panel, 0, table[i:], 1, turned, j, across, stop - start, sums, to, across, start > begin
                  )  # fmt: skip
            start = stop
        rows, skipped = count * n_taps, c * n_taps - group * depth
        for i in range(0, rows, lanes):
            for o in range(0, filters, lanes):
                transpose(
                  sums, i * across + o, across, min(lanes, rows - i), min(lanes, filters - o),
                  dw, o * depth + skipped + i, depth,
              )  # fmt: skip


def _plane(shape: Ints) -> Pair:
    """The size of an image of one or two dimensions, as rows and columns."""
    return (shape[0], shape[1]) if len(shape) == 2 else (1, shape[0])


def _images(x: Array) -> Array:
    return np.ascontiguousarray(x).reshape(*x.shape[:2], *_plane(x.shape[2:]))


def _flat(x: Array) -> Array:
    """(a, b, *spatial) as (a, b, places)."""
    return np.ascontiguousarray(x).reshape(*x.shape[:2], -1)


def _run(
    x: Array, w: Array, w_taps: Array, bias: Array | None, out: Array, grid: Pair, step: Pair, taps: Array,
    spread: Pair = (1, 1), shift: Pair = (0, 0),
) -> None:  # fmt: skip
    """`_convolve` over all places, in the shape of tile that wastes least. w: (groups, filters, channels, taps), any strides."""
    groups, filters, channels, _ = w.shape
    lanes = VECTOR_BYTES // x.itemsize
    places = x.shape[0] * math.prod(grid)
    best = math.inf, 0, (0, 0), 0, 0
    # A tall tile has no register left for a table: it takes filters whose elements follow each other.
    in_order = w.flags.c_contiguous and w_taps.size == w.shape[3]
    for tile in (WIDE, TALL) if in_order else (WIDE,):
        for pitch in {0, _pitch(grid, step, taps, x.shape[3])}:
            rows = -(-filters // tile[0]) * tile[0]
            wide = tile[1] * lanes
            strips = x.shape[0] * -(-grid[0] * pitch // wide) if pitch else -(-places // wide)
            cost = strips * tile[1] * (rows / 2 + (0 if pitch else _GATHERING))
            best = min(best, (cost, rows, tile, pitch, strips))
    _, rows, tile, pitch, strips = best
    if rows != filters:  # the last tile reads on
        w = np.concatenate((w, np.zeros((groups, rows - filters, *w.shape[2:]), w.dtype)), 1)
    b = np.empty(0, x.dtype) if bias is None else np.ascontiguousarray(bias)
    group, row, channel, tap = (s // w.itemsize for s in w.strides)
    size = sum((n - 1) * s for n, s in zip(w.shape, w.strides, strict=True)) // w.itemsize + 1
    flat = np.lib.stride_tricks.as_strided(w, (size,), (w.itemsize,))
    high, wide = tile[0], tile[1] * lanes
    frame = _frame(x, grid, taps, pitch, STRIPS * wide, channels)
    stride, at_once = frame[-2:]
    w_table = (np.arange(at_once)[:, None] * channel + w_taps * tap).reshape(-1)
    at_most = FILTERS // high * high
    room = at_once * stride * (1 if pitch else taps.shape[1]), min(rows, at_most) * STRIPS * wide
    filters_at = flat, (group, row, channel), w_table
    target = b, out.reshape(-1), out.shape[1:]
    setting = groups, channels, filters, grid, step, taps, spread, shift, frame, _row_starts(taps, frame)

    def run(start: int, stop: int) -> None:
        panel, sums = (np.zeros(n, x.dtype) for n in room)
        _convolve(
            x.reshape(-1), x.shape[1:], *filters_at, *target, *setting, panel, sums, (high, wide, at_most), tile == TALL, start, stop
        )  # fmt: skip

    split(strips, rows * places * channels * w_taps.size * groups, run)


def _pitch(grid: Pair, step: Pair, taps: Array, width: int) -> int:
    """The row of a padded image in which each tap is a shift; 0 where there is a stride, or one tap only.

    The zeros right of a row are those left of the next one too, where that is shorter than zeros on both sides.
    """
    if step != (1, 1) or taps.shape[1] == 1:
        return 0
    low, high = int(taps[1].min()), int(taps[1].max())
    return min(grid[1] + high - low, max(grid[1], width + max(0, -low, grid[1] + high - width)))


def _taps(kernel: Ints, dilation: Ints, pads: Pairs) -> Array:
    """The shift in rows and columns of each element of the filter."""
    rows, columns = _plane(kernel)
    down, right = (dilation[0], dilation[1]) if len(kernel) == 2 else (1, dilation[0])
    above, left = (pads[0][0], pads[1][0]) if len(kernel) == 2 else (0, pads[0][0])
    return np.array(
        [
            [i * down - above for i in range(rows) for _ in range(columns)],
            [j * right - left for _ in range(rows) for j in range(columns)],
        ]
    )


def _pair(values: Ints) -> Pair:
    return (values[0], values[1]) if len(values) == 2 else (1, values[0])


def forward(x: Array, w: Array, bias: Array | None, stride: Ints, pads: Pairs, dilation: Ints, groups: int) -> Array:
    """x (N, C, *spatial), w (O, C/groups, *kernel) -> (N, O, *out)."""
    out = out_sizes(x.shape[2:], w.shape[2:], stride, pads, dilation)
    result = np.empty((x.shape[0], w.shape[0], *out), x.dtype)
    taps, grid, step = _taps(w.shape[2:], dilation, pads), _plane(out), _pair(stride)
    if conv_batch.suits(x, w.shape, grid, groups):
        conv_batch.convolve(_flat(x), _flat(w), bias, _flat(result), grid, _plane(x.shape[2:]), step, taps, False)
        return result
    filters = np.ascontiguousarray(w).reshape(groups, w.shape[0] // groups, w.shape[1], -1)
    x, to = _images(x), _images(result)
    if _is_product(taps, step):
        grid = 1, math.prod(grid)
        x, to = x.reshape(*x.shape[:2], *grid), to.reshape(*to.shape[:2], *grid)
    _run(x, filters, np.arange(taps.shape[1]), bias, to, grid, step, taps)
    return result


def grad_input(
    grad: Array, w: Array, bias: Array | None, spatial: Ints, stride: Ints, pads: Pairs, dilation: Ints, groups: int
) -> Array:
    """The gradient by x (N, C, *spatial) of `forward`, from the gradient (N, O, *out) of its result, + bias."""
    result = np.empty((grad.shape[0], w.shape[1] * groups, *spatial), grad.dtype)
    taps, steps, size = _taps(w.shape[2:], dilation, pads), _pair(stride), _plane(spatial)
    if conv_batch.suits(grad, w.shape, size, groups, max(steps) > 1):
        out_grid = _plane(grad.shape[2:])
        conv_batch.convolve(_flat(grad), _flat(w), bias, _flat(result), out_grid, size, steps, taps, True)
        return result
    grad, out = _images(grad), _images(result)
    filters = np.ascontiguousarray(w).reshape(groups, w.shape[0] // groups, w.shape[1], -1).swapaxes(1, 2)
    if _is_product(taps, steps):
        size = 1, math.prod(size)
        grad, out = grad.reshape(*grad.shape[:2], *size), out.reshape(*out.shape[:2], *size)
    for shift in itertools.product(range(min(steps[0], size[0])), range(min(steps[1], size[1]))):
        # Of the places shift, shift + stride ..., tap t was met by out[(place - tap) / stride]
        distance = np.array(shift)[:, None] - taps
        chosen = np.flatnonzero((distance % np.array(steps)[:, None] == 0).all(0))
        if not chosen.size:
            rest = out[:, :, shift[0] :: steps[0], shift[1] :: steps[1]]
            rest[...] = 0 if bias is None else bias[:, None, None]
            continue
        grid = -(-(size[0] - shift[0]) // steps[0]), -(-(size[1] - shift[1]) // steps[1])
        shifts = np.ascontiguousarray(distance[:, chosen] // np.array(steps)[:, None])
        _run(grad, filters, chosen, bias, out, grid, (1, 1), shifts, steps, shift)
    return result


def _is_product(taps: Array, step: Pair) -> bool:
    """Whether the windows are the places themselves (1x1): then rows need not be told apart."""
    return taps.shape[1] == 1 and step == (1, 1) and not taps.any()


def grad_weight(grad: Array, x: Array, w_shape: Ints, stride: Ints, pads: Pairs, dilation: Ints, groups: int) -> Array:
    """The gradient by w of `forward`, from the gradient (N, O, *out) of its result."""
    taps, step, grid = _taps(w_shape[2:], dilation, pads), _pair(stride), _plane(grad.shape[2:])
    if conv_batch.suits(x, w_shape, grid, groups):
        dw = conv_batch.gradient_by_weight(_flat(x), _flat(grad), grid, _plane(x.shape[2:]), step, taps)
        return dw.reshape(w_shape)
    channels, filters, n_taps = w_shape[1], w_shape[0] // groups, taps.shape[1]
    grad, x = _images(grad), _images(x)
    if _is_product(taps, step):
        grid = 1, math.prod(grid)
        x = x.reshape(*x.shape[:2], *grid)
    pitch = _pitch(grid, step, taps, x.shape[3])
    if pitch * grid[0] * _TOLERATED > math.prod(grid):
        pitch = 0
    places = x.shape[0] * grid[0] * (pitch or grid[1])
    parts = get_num_threads()
    # Each thread takes some of the channels; or, where dw is small, some of the places and a dw of its own.
    by_places = channels * n_taps * filters < _SMALL and places >= parts * PLACES
    dw = np.empty((parts if by_places else 1, groups, filters, channels * n_taps), x.dtype)
    lanes = VECTOR_BYTES // x.itemsize
    across = -(-filters // (TALL[1] * lanes)) * TALL[1] * lanes
    cut = grid[0] * (pitch or grid[1]) * (1 if pitch else len(x))
    at_a_time = -(-cut // -(-cut // PLACES))
    outer = filters, channels * n_taps, grad.shape[1]

    def sums_of(target: Array, group: int, begin: int, end: int, first: int, last: int) -> None:
        frame = _frame(x, grid, taps, pitch, at_a_time, last - first)
        stride, at_once = frame[-2:]
        rows = at_once * n_taps + TALL[0]  # the last tile reads on
        panel, turned, sums = (np.zeros(n, x.dtype) for n in (rows * stride, at_a_time * across, rows * across))
        table = np.concatenate((_row_starts(taps, frame), np.zeros(TALL[0], np.intp)))
        _gradient_by_weight(
            x.reshape(-1), x.shape[1:], grad.reshape(-1), target.reshape(-1), outer, grid, step, taps, frame, table, panel, turned,
            sums, at_a_time, across, group, begin, end, first, last,
        )  # fmt: skip

    def run(a: int, b: int) -> None:
        for i in range(a, b):
            for group in range(groups):
                offset = group * channels
                if by_places:
                    bounds = places * i // parts, places * (i + 1) // parts, offset, offset + channels
                    target = dw[i, group]
                else:
                    low, high = channels * i // parts, channels * (i + 1) // parts
                    bounds = 0, places, offset + low, offset + high
                    target = dw[0, group]
                if bounds[3] > bounds[2]:
                    sums_of(target, group, *bounds)

    split(parts, places * channels * n_taps * filters * groups, run)
    return dw.reshape(w_shape) if len(dw) == 1 else dw.sum(0).reshape(w_shape)


class Convolution(NumpyConvolution):
    """The compiled form of ops.conv.Convolution: its three directions are those above."""

    convolve = staticmethod(forward)
    grad_input = staticmethod(grad_input)
    grad_weight = staticmethod(grad_weight)


class TransposedConvolution(NumpyTransposedConvolution):
    """The compiled form of ops.conv.TransposedConvolution."""

    convolve = staticmethod(forward)
    grad_input = staticmethod(grad_input)
    grad_weight = staticmethod(grad_weight)
