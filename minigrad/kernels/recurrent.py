"""Recurrent layers: the whole walk along a sequence in one loop, on the tile of gemm.py.

    each thread:  some of the sequences, and for them alone, step by step (no thread waits for another)
        some steps at once:  x · W_ihᵀ          tiles
        each step:  h · W_hhᵀ                   tiles; W lies in panels as wide as a tile, and stays in the second cache
                    gates, new state            a formula over each row (lanes.py)

Backward the same the other way: the gates' gradients of a step row by row, then dh = d · W in tiles. What concerns all steps
at once (the gradients by weights, biases and inputs) follows in tiles too, shared by rows of the result. One or two sequences are
walked by one thread, and a second one has half of each product, if it is there (beside.py). No sum depends on the number of threads:
each is one thread's, in the same order.

The NumPy twin (ops/recurrent.py) calls BLAS and a dozen functions at every step, and BLAS divides each small product among its
threads, which have to meet at its end. Where no gradient is wanted, nothing is kept for one.

Rows of what is kept, and of the state, are padded to whole vectors; what lies there is never used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.variable import Array
from ..ops import recurrent
from ..ops.recurrent import Sizes, steps
from ..threads import get_num_threads
from . import split
from .beside import ask, close, come, done, meet, new_hand, serve
from .compiled import Room, inline, kernel
from .gemm import TALL, VECTOR_BYTES, _tile, move, tall_tile, transpose
from .lanes import Lanes, choose, over_rows, sigmoid, tanh
from .vector import full_width

RELU, TANH, LSTM, GRU = range(4)  # kinds of step
_PARTS = {RELU: 1, TANH: 1, LSTM: 4, GRU: 3}  # rows of W for each number of the state
_FEW = 2  # sequences that take wide panels: a tile of so few rows needs more columns to be busy
_LARGE = 1 << 16  # numbers of a W_hh of whose product with so few a second thread takes over the half
_NOWHERE = np.empty(0, np.int64)  # where no helper is
_TOGETHER = 64  # rows of inputs that are multiplied by W_ih at once
_ROWS = 8 * TALL[0]  # of a product that stays in the second cache
_STEPS = 256  # whose products are summed in registers before they are added to the others

_eight_rows, _four_rows, _two_rows, _one_row = (_tile(rows, TALL[1]) for rows in (8, 4, 2, 1))
_WIDE = 2 * TALL[1]  # vectors of a wide panel
_two_rows_wide, _one_row_wide = _tile(2, _WIDE), _tile(1, _WIDE)


@kernel
def _pack(w: Array, rows: int, columns: int, turned: bool, across: int, panels: Array) -> None:
    """A matrix w (rows, columns), or with `turned` its transpose, in panels of `across` columns, each row by row."""
    lanes = VECTOR_BYTES // w.itemsize
    if turned:
        for j in range(0, rows, lanes):
            to = j // across * across * columns + j % across
            for k in range(0, columns, lanes):
                transpose(
                    w, j * columns + k, columns, min(lanes, rows - j), min(lanes, columns - k), panels, to + k * across,
                    across,
                )  # fmt: skip
    else:
        for j in range(0, columns, across):
            for k in range(rows):
                n = min(across, columns - j)
                move(w, k * columns + j, 0, n, panels, j * rows + k * across, n, w.dtype.type(-0.0))


@inline
def _tiles(
    a: Any, a0: Any, a_row: Any, a_k: Any, rows: Any, b: Any, b0: Any, across: Any, depth: Any, c: Any, c0: Any, c_row: Any, add: Any
) -> None:  # fmt: skip
    """c (+)= a · b for one panel b. No tile is higher than there are rows left: nothing beyond them is read or written."""
    i = 0
    while i < rows and across > TALL[1] * (VECTOR_BYTES // c.itemsize):
        if rows - i >= 2:
            _two_rows_wide(a, a0 + i * a_row, a_row, a_k, b, b0, across, depth, c, c0 + i * c_row, c_row, add)
            i += 2
        else:
            _one_row_wide(a, a0 + i * a_row, a_row, a_k, b, b0, across, depth, c, c0 + i * c_row, c_row, add)
            i += 1
    while i < rows:
        left, from_, to = rows - i, a0 + i * a_row, c0 + i * c_row
        if left >= TALL[0]:
            tall_tile(a, from_, a_row, a_k, b, b0, across, depth, c, to, c_row, add)
            i += TALL[0]
        elif TALL[0] > 8 and left >= 8:
            _eight_rows(a, from_, a_row, a_k, b, b0, across, depth, c, to, c_row, add)
            i += 8
        elif left >= 4:
            _four_rows(a, from_, a_row, a_k, b, b0, across, depth, c, to, c_row, add)
            i += 4
        elif left >= 2:
            _two_rows(a, from_, a_row, a_k, b, b0, across, depth, c, to, c_row, add)
            i += 2
        else:
            _one_row(a, from_, a_row, a_k, b, b0, across, depth, c, to, c_row, add)
            i += 1


@inline
def _product(
    a: Any,
    a0: Any,
    depth: Any,
    a_row: Any,
    rows: Any,
    b: Any,
    across: Any,
    begin: Any,
    columns: Any,
    c: Any,
    c_row: Any,
) -> None:
    """c = a · b from the column `begin` on, with which a panel begins.

    Row i of a begins at a0 + i · a_row, b (depth, columns) is in panels, c (rows, c_row) has whole panels' room.
    """
    for j in range(begin, columns, across):
        _tiles(a, a0, a_row, 1, rows, b, j * depth, across, depth, c, j, c_row, False)


# -- a product of few rows: a step's h · W_hh may be shared with a second thread (beside.py), which has the latter half of the panels


@inline
def _half(columns: Any, across: Any) -> Any:
    return (columns + across - 1) // across // 2 * across


@inline
def _with_helper(
    hand: Any, part: Any, a: Any, a0: Any, depth: Any, a_row: Any, rows: Any, b: Any, across: Any, columns: Any, c: Any, c_row: Any
) -> None:  # fmt: skip
    """c = a · b, the half of it by a helper if there is one."""
    helped = hand.size > 0 and ask(hand, part, a0, rows)
    _product(a, a0, depth, a_row, rows, b, across, 0, _half(columns, across) if helped else columns, c, c_row)
    if helped:
        meet(hand)


@kernel
def _help(
    hand: Room, a: Array, b: Array, c: Room, sizes: tuple[int, int, int, int, int], more_a: Array, more_b: Array, more_c: Room,
    more_sizes: tuple[int, int, int, int, int],
) -> None:  # fmt: skip
    """Halves of two products c = a · b, as they are asked for: of the first as part 2, of the second as part 3.

    sizes: the columns of a panel, depth, how far a's rows lie apart, columns, how far c's rows lie apart.
    """
    full_width()
    there = come(hand)
    while there:
        part = serve(hand)
        there = part > 0
        if there:
            x, y, z = (a, b, c) if part == 2 else (more_a, more_b, more_c)
            across, depth, a_row, columns, c_row = sizes if part == 2 else more_sizes
            _product(x, hand[8], depth, a_row, hand[9], y, across, _half(columns, across), columns, z, c_row)
            done(hand)


# -- the steps, as formulas: a list of vectors for each argument, one for each of its parts


def _lstm(x: list[Lanes], y: list[Lanes], b: list[Lanes], c: list[Lanes], h: list[Lanes]) -> list[Lanes]:
    """The new cell and output; and to keep: the gates, the cell before, tanh of that after, the state before."""
    i, f, g, o = ((x[k] + b[k]) + y[k] for k in range(4))
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    cell = f * c[0] + i * g
    bounded = tanh(cell)
    return [cell, o * bounded, i, f, g, o, c[0], bounded, h[0]]


def _gru(x: list[Lanes], y: list[Lanes], b: list[Lanes], b_hh: list[Lanes], h: list[Lanes]) -> list[Lanes]:
    """The new state; and to keep: the gates, what the reset gate multiplies, the state before."""
    x_r, x_z, x_n = (x[k] + b[k] for k in range(3))
    y_r, y_z, y_n = (y[k] + b_hh[k] for k in range(3))
    r, z = sigmoid(x_r + y_r), sigmoid(x_z + y_z)
    n = tanh(x_n + r * y_n)
    return [(h[0] - n) * z + n, r, z, n, y_n, h[0]]


def _plain(bounded: Callable[[Lanes], Lanes]) -> Callable[..., list[Lanes]]:
    def step(x: list[Lanes], y: list[Lanes], b: list[Lanes], h: list[Lanes]) -> list[Lanes]:
        """The new state; and to keep: the same, and the state before."""
        new = bounded((x[0] + b[0]) + y[0])
        return [new, new, h[0]]

    return step


def _relu(x: Lanes) -> Lanes:
    return choose(x <= 0, 0.0, x)  # a nan stays


def _only(n: int, formula: Callable[..., list[Lanes]]) -> Callable[..., list[Lanes]]:
    """The first n results of a formula: without what is kept for the backward pass."""
    return lambda *inputs: formula(*inputs)[:n]


_lstm_kept, _lstm_alone = (
    over_rows(_lstm, (4, 4, 4, 1, 1), (1, 1, 4, 1, 1, 1)), over_rows(_only(2, _lstm), (4, 4, 4, 1, 1), (1, 1))
)  # fmt: skip
_gru_kept, _gru_alone = (
    over_rows(_gru, (3, 3, 3, 3, 1), (1, 3, 1, 1)), over_rows(_only(1, _gru), (3, 3, 3, 3, 1), (1,))
)  # fmt: skip
_tanh_kept, _tanh_alone = (
    over_rows(_plain(tanh), (1, 1, 1, 1), (1, 1, 1)), over_rows(_only(1, _plain(tanh)), (1, 1, 1, 1), (1,))
)  # fmt: skip
_relu_kept, _relu_alone = (
    over_rows(_plain(_relu), (1, 1, 1, 1), (1, 1, 1)), over_rows(_only(1, _plain(_relu)), (1, 1, 1, 1), (1,))
)  # fmt: skip


@inline
def _rows(source: Any, at: Any, source_row: Any, rows: Any, count: Any, to: Any, to_at: Any, to_row: Any) -> None:
    """Copy `count` numbers of each row."""
    zero = source.dtype.type(-0.0)  # which also added to -0 changes nothing
    if count == source_row == to_row:
        move(source, at, 0, rows * count, to, to_at, rows * count, zero)
    else:
        for r in range(rows):
            move(source, at + r * source_row, 0, count, to, to_at + r * to_row, count, zero)


@kernel
def _forward(
    kind: int, widths: tuple[int, int, int, int], x: Array, w_ih: Array, w_hh: Array, bias: Array, bias_hh: Array, outputs: Array,
    last: Array, last_cell: Array, before: Array, gates: Array, kept: Array, bounded: Array, starts: Array, sizes: Array,
    hand: Room, entered: Room, given: Room, state: Room, product: Room, start: int, stop: int,
) -> None:  # fmt: skip
    """Sequences start to stop: step t has the rows from starts[t] on, of sizes[t] sequences. All arrays are flat.

    widths: of a row of x, of a row of h, the rows of W for each number of h, the columns of a panel. Without `gates` nothing
    is kept. hand: where a helper may be, or empty.
    """
    full_width()
    n_inputs, width, parts, across = widths
    lanes = VECTOR_BYTES // x.itemsize
    padded, line = (width + lanes - 1) // lanes * lanes, (parts * width + across - 1) // across * across
    most, n_steps = stop - start, sizes.size
    together = entered.size // (most * n_inputs)
    cell = np.zeros(most * padded if kind == LSTM else 0, x.dtype)
    _rows(last, start * width, width, most, width, state, 0, padded)
    if kind == LSTM:
        _rows(last_cell, start * width, width, most, width, cell, 0, padded)
    keeping = gates.size > 0
    for first in range(0, n_steps, together):
        rows = 0
        for t in range(first, min(first + together, n_steps)):
            n = max(0, min(sizes[t], stop) - start)
            _rows(x, (starts[t] + start) * n_inputs, n_inputs, n, n_inputs, entered, rows * n_inputs, n_inputs)
            rows += n
        _with_helper(hand, 2, entered, 0, n_inputs, n_inputs, rows, w_ih, across, parts * width, given, line)
        here = 0
        for t in range(first, min(first + together, n_steps)):
            n = min(sizes[t], stop) - start
            if n <= 0:
                continue
            at = starts[t] + start
            _with_helper(hand, 3, state, 0, width, padded, n, w_hh, across, parts * width, product, line)
            keep = at * padded
            if kind == LSTM and keeping:
                _lstm_kept(
                    n, width, (given, product, bias, cell, state, cell, state, gates, kept, bounded, before),
                    (here, 0, 0, 0, 0, 0, 0, 4 * keep, keep, keep, keep),
                    (line, line, 0, padded, padded, padded, padded, 4 * padded, padded, padded, padded),
                    (width, width, width, 0, 0, 0, 0, padded, 0, 0, 0),
                )  # fmt: skip
            elif kind == LSTM:
                _lstm_alone(
                    n, width, (given, product, bias, cell, state, cell, state), (here, 0, 0, 0, 0, 0, 0),
                    (line, line, 0, padded, padded, padded, padded), (width, width, width, 0, 0, 0, 0),
                )  # fmt: skip
            elif kind == GRU and keeping:
                _gru_kept(
                    n, width, (given, product, bias, bias_hh, state, state, gates, kept, before),
                    (here, 0, 0, 0, 0, 0, 3 * keep, keep, keep),
                    (line, line, 0, 0, padded, padded, 3 * padded, padded, padded),
                    (width, width, width, width, 0, 0, padded, 0, 0),
                )  # fmt: skip
            elif kind == GRU:
                _gru_alone(
                    n, width, (given, product, bias, bias_hh, state, state), (here, 0, 0, 0, 0, 0),
                    (line, line, 0, 0, padded, padded), (width, width, width, width, 0, 0),
                )  # fmt: skip
            elif keeping:
                arrays = given, product, bias, state, state, gates, before
                places, strides = (here, 0, 0, 0, 0, keep, keep), (line, line, 0, padded, padded, padded, padded)
                one = 0, 0, 0, 0, 0, 0, 0
                if kind == TANH:
                    _tanh_kept(n, width, arrays, places, strides, one)
                else:
                    _relu_kept(n, width, arrays, places, strides, one)
            else:
                few = given, product, bias, state, state
                begins, lines, single = (here, 0, 0, 0, 0), (line, line, 0, padded, padded), (0, 0, 0, 0, 0)
                if kind == TANH:
                    _tanh_alone(n, width, few, begins, lines, single)
                else:
                    _relu_alone(n, width, few, begins, lines, single)
            _rows(state, 0, padded, n, width, outputs, at * width, width)
            here += n * line
    if hand.size:
        close(hand)
    _rows(state, 0, padded, most, width, last, start * width, width)
    if kind == LSTM:
        _rows(cell, 0, padded, most, width, last_cell, start * width, width)


# -- backward


def _lstm_back(
    gates: list[Lanes], c: list[Lanes], bounded: list[Lanes], y: list[Lanes], grad: list[Lanes], by_cell: list[Lanes]
) -> list[Lanes]:
    """The gradients of the four gates' sums; and of the cell before, from that of the cell after."""
    i, f, g, o = gates
    by_h = y[0] + grad[0]
    cell = by_cell[0] + by_h * o * (1.0 - bounded[0] * bounded[0])
    return [
        cell * g * (i * (1.0 - i)), cell * c[0] * (f * (1.0 - f)), cell * i * (1.0 - g * g),
        by_h * bounded[0] * (o * (1.0 - o)), cell * f,
    ]  # fmt: skip


def _gru_back(
    gates: list[Lanes], kept: list[Lanes], h: list[Lanes], y: list[Lanes], grad: list[Lanes], carried: list[Lanes]
) -> list[Lanes]:
    """The gradients by x of the three gates; those by W h + b; and what goes to the state before without W."""
    r, z, n = gates
    by_h = (y[0] + carried[0]) + grad[0]
    new = by_h * (1.0 - z) * (1.0 - n * n)
    reset, update = new * kept[0] * (r * (1.0 - r)), by_h * (h[0] - n) * (z * (1.0 - z))
    return [reset, update, new, reset, update, new * r, by_h * z]


def _tanh_back(g: list[Lanes], y: list[Lanes], grad: list[Lanes]) -> list[Lanes]:
    return [(y[0] + grad[0]) * (1.0 - g[0] * g[0])]


def _relu_back(g: list[Lanes], y: list[Lanes], grad: list[Lanes]) -> list[Lanes]:
    return [choose(g[0] <= 0, 0.0, y[0] + grad[0])]


_lstm_before = over_rows(_lstm_back, (4, 1, 1, 1, 1, 1), (4, 1))
_gru_before = over_rows(_gru_back, (3, 1, 1, 1, 1, 1), (3, 3, 1))
_tanh_before, _relu_before = over_rows(_tanh_back, (1, 1, 1), (1,)), over_rows(_relu_back, (1, 1, 1), (1,))


@kernel
def _backward(
    kind: int, widths: tuple[int, int, int, int], grad: Array, w: Array, dx: Array, d: Array, dh: Array, dc: Array, before: Array,
    gates: Array, kept: Array, bounded: Array, starts: Array, sizes: Array, hand: Room, by_h: Room, start: int, stop: int,
) -> None:  # fmt: skip
    """Sequences start to stop, from the last step to the first. dh, dc: of the last state, and at the end of the first.

    d: the gradients of W h + b; dx: those of x, which differ for a GRU only (else dx is empty). grad has room for a vector more.
    hand: as in `_forward`.
    """
    full_width()
    _, width, parts, across = widths
    lanes = VECTOR_BYTES // grad.itemsize
    padded, line = (width + lanes - 1) // lanes * lanes, (width + across - 1) // across * across
    most, n_gates = stop - start, parts * width
    change, by_x = (
        np.zeros(most * parts * padded, grad.dtype),
        np.zeros(most * parts * padded if kind == GRU else 0, grad.dtype),
    )
    carried = np.zeros(most * padded, grad.dtype)
    _rows(dh, start * width, width, most, width, by_h, 0, line)
    if kind == LSTM:
        _rows(dc, start * width, width, most, width, carried, 0, padded)
    for t in range(sizes.size - 1, -1, -1):
        n = min(sizes[t], stop) - start
        if n <= 0:
            continue
        at = starts[t] + start
        keep, row = at * padded, parts * padded
        if kind == LSTM:
            _lstm_before(
                n, width, (gates, kept, bounded, by_h, grad, carried, change, carried),
                (4 * keep, keep, keep, 0, at * width, 0, 0, 0), (row, padded, padded, line, width, padded, row, padded),
                (padded, 0, 0, 0, 0, 0, padded, 0),
            )  # fmt: skip
        elif kind == GRU:
            _gru_before(
                n, width, (gates, kept, before, by_h, grad, carried, by_x, change, carried),
                (3 * keep, keep, keep, 0, at * width, 0, 0, 0, 0),
                (row, padded, padded, line, width, padded, row, row, padded), (padded, 0, 0, 0, 0, 0, padded, padded, 0),
            )  # fmt: skip
        elif kind == TANH:
            _tanh_before(
                n, width, (gates, by_h, grad, change), (keep, 0, at * width, 0), (row, line, width, row), (0, 0, 0, 0)
            )
        else:
            _relu_before(
                n, width, (gates, by_h, grad, change), (keep, 0, at * width, 0), (row, line, width, row), (0, 0, 0, 0)
            )
        for part in range(parts):
            _rows(change, part * padded, row, n, width, d, at * n_gates + part * width, n_gates)
            if kind == GRU:
                _rows(by_x, part * padded, row, n, width, dx, at * n_gates + part * width, n_gates)
        _with_helper(hand, 2, d, at * n_gates, n_gates, n_gates, n, w, across, width, by_h, line)
    if hand.size:
        close(hand)
    if kind == GRU:
        for r in range(most):
            for k in range(width):
                by_h[r * line + k] += carried[r * padded + k]
    _rows(by_h, 0, line, most, width, dh, start * width, width)
    if kind == LSTM:
        _rows(carried, 0, padded, most, width, dc, start * width, width)


# -- what concerns all steps at once


@kernel
def _by_input(d: Array, depth: int, w: Array, across: int, columns: int, out: Array, start: int, stop: int) -> None:
    """Rows start to stop of out = d · w, d (rows, depth), w in panels."""
    line = (columns + across - 1) // across * across
    product = np.empty(_ROWS * line, d.dtype)
    for i in range(start, stop, _ROWS):
        n = min(_ROWS, stop - i)
        _product(d, i * depth, depth, depth, n, w, across, 0, columns, product, line)
        _rows(product, 0, line, n, columns, out, i * columns, columns)


@kernel
def _by_weights(
    d: Array, widths: tuple[int, int, int, int, int], x: Array, h: Array, by_x: Array, by_h: Array, by_bias: Array, start: int,
    stop: int,
) -> None:  # fmt: skip
    """Rows start to stop of by_x = dᵀ · x and by_h = dᵀ · h, and of by_bias = Σ d, each if it has elements.

    widths: of a row of d, of x and of h, and how far the rows of these two lie apart. The rows of x and h stand beside each other
    in the panels, so d is read once for all three.
    """
    n_d, n_x, n_h, x_row, h_row = widths
    n_x, n_h = n_x if by_x.size else 0, n_h if by_h.size else 0
    wide, minus_zero = TALL[1] * (VECTOR_BYTES // d.itemsize), d.dtype.type(-0.0)
    line = (n_x + n_h + wide - 1) // wide * wide
    sums, panels = np.empty((stop - start) * line, d.dtype), np.zeros(_STEPS * line, d.dtype)
    turned = np.zeros(_STEPS * TALL[0] + wide, d.dtype)  # some columns of d, side by side; and room for a panel's width
    one, added = np.ones(1, d.dtype), np.empty(wide, d.dtype)
    for first in range(0, d.size // n_d, _STEPS):
        n = min(_STEPS, d.size // n_d - first)
        for j in range(0, n_x + n_h, wide):
            of_x = max(0, min(wide, n_x - j))
            of_h = min(wide, n_x + n_h - j) - of_x
            for k in range(n):
                at, to = first + k, j * _STEPS + k * wide
                move(x, at * x_row + j, 0, of_x, panels, to, of_x, minus_zero)
                move(h, at * h_row + j + of_x - n_x, 0, of_h, panels, to + of_x, of_h, minus_zero)
        for i in range(start, stop, TALL[0]):
            rows = min(TALL[0], stop - i)
            _rows(d, first * n_d + i, n_d, n, rows, turned, 0, TALL[0])
            for j in range(0, n_x + n_h, wide):
                to = (i - start) * line + j
                _tiles(turned, 0, 1, TALL[0], rows, panels, j * _STEPS, wide, n, sums, to, line, first > 0)
            for j in range(0, rows if by_bias.size else 0, wide):
                _one_row(one, 0, 0, 0, turned, j, TALL[0], n, added, 0, 0, False)
                for k in range(min(wide, rows - j)):
                    by_bias[i + j + k] = added[k] + by_bias[i + j + k] if first else added[k]
    _rows(sums, 0, line, stop - start if n_x else 0, n_x, by_x, start * n_x, n_x)
    _rows(sums, n_x, line, stop - start if n_h else 0, n_h, by_h, start * n_h, n_h)


def _panels(w: Array, turned: bool, across: int) -> Array:
    """A matrix, or its transpose, in panels for `_product`."""
    rows, columns = w.shape
    depth, n = (columns, rows) if turned else (rows, columns)
    out = (np.zeros if n % across else np.empty)(-(-n // across) * across * depth, w.dtype)
    _pack(np.ascontiguousarray(w).reshape(-1), rows, columns, turned, across, out)
    return out


def _threads(n: int) -> int:
    """Among how many threads n sequences are shared. Two alone are not: a tile of one row waits for the second cache."""
    return min(get_num_threads(), (n + 1) // 2)


def _across(n: int, w: Array) -> int:
    """How many columns a panel has, for n sequences."""
    return (_WIDE if n <= _FEW * _threads(n) else TALL[1]) * (VECTOR_BYTES // w.itemsize)


def _bounds(sizes: Array, parts: int) -> list[int]:
    """Where each thread's sequences begin and end: each has as many rows to walk, of however many sequences."""
    n = int(sizes.max())
    if sizes.min() == n:
        return [n * i // parts for i in range(parts + 1)]
    rows = np.minimum.outer(sizes, np.arange(n + 1)).sum(0)  # of the first 0, 1, ..., n sequences
    return np.searchsorted(rows, [rows[-1] * i / parts for i in range(parts + 1)]).tolist()


def _shared(
    sizes: Array, elements: int, w: Array, rooms: Callable[[int], tuple[Room, ...]], walk: Callable[..., object],
    products: Callable[..., tuple[Any, ...]],
) -> None:  # fmt: skip
    """`walk(hand, *rooms(stop - start), start, stop)` over all sequences, some to each thread.

    Where there are too few for that and W_hh is large, one thread walks and another helps with `products(*rooms)`.
    """
    n = int(sizes.max())
    if n <= _FEW and w.size >= _LARGE and get_num_threads() > 1:
        room, hand = rooms(n), new_hand()

        def either(first: int, last: int) -> None:
            if first:
                _help(hand, *products(*room))
            else:
                walk(hand if last == 1 else _NOWHERE, *room, 0, n)

        split(2, elements, either)
        return
    parts = _threads(n)
    bounds = _bounds(sizes, parts)

    def some(first: int, last: int) -> None:
        start, stop = bounds[first], bounds[last]
        if start < stop:
            walk(_NOWHERE, *rooms(stop - start), start, stop)

    split(parts, elements, some)


def _biased(b: Array | None, w: Array) -> Array:
    """A bias with room for a vector more; without one what adds nothing, not even to -0."""
    out = np.full(w.shape[0] + VECTOR_BYTES // w.itemsize, -0.0, w.dtype)
    if b is not None:
        out[: w.shape[0]] = b
    return out


def _forward_of(
    ctx: Any, kind: int, x: Array, w_ih: Array, w_hh: Array, bias: Array | None, bias_hh: Array | None, state: tuple[Array, ...],
    sizes: Sizes, reverse: bool,
) -> Array:  # fmt: skip
    """What the forward passes share: the flat output, and in ctx what `_backward_of` reads."""
    d, (n, width), parts = x.dtype, state[0].shape, _PARTS[kind]
    rows = np.ascontiguousarray(x).reshape(-1)
    n_rows = rows.size // x.shape[-1]
    walk = steps(x, state[0], sizes, reverse)
    ctx.walk = np.array([at.start for at, _ in walk]), np.array([n for _, n in walk])
    flat = np.empty(n_rows * width + sum(s.size for s in state), d)
    outputs, *last = (part.reshape(-1) for part in recurrent.unpacked(flat, n_rows, *state))
    for to, s in zip(last, state, strict=True):
        to[:] = s.reshape(-1)
    lanes = VECTOR_BYTES // d.itemsize
    padded = -(-width // lanes) * lanes
    keeping = n_rows * padded if any(ctx.needs_input_grad) else 0
    before, gates = np.empty(keeping, d), np.empty(parts * keeping, d)
    kept = np.empty(keeping if kind in (LSTM, GRU) else 0, d)
    bounded = np.empty(keeping if kind == LSTM else 0, d)
    widths = x.shape[-1], width, parts, _across(n, w_hh)
    setting = (
        widths, rows, _panels(w_ih, True, widths[3]), _panels(w_hh, True, widths[3]), _biased(bias, w_hh),
        _biased(bias_hh, w_hh), outputs, last[0], last[1] if kind == LSTM else np.empty(0, d), before, gates, kept, bounded,
        *ctx.walk,
    )  # fmt: skip
    ctx.elements = n_rows * parts * width * (1 + (width + x.shape[-1]) // 32)
    ctx.widths, ctx.kind = widths, kind
    n_steps, line = len(walk), -(-parts * width // widths[3]) * widths[3]

    def rooms(n: int) -> tuple[Room, ...]:
        together = max(1, min(n_steps, _TOGETHER // n))
        sizes = together * n * x.shape[-1], together * n * line + lanes, n * padded, n * line + lanes
        return tuple(np.zeros(size, d) for size in sizes)

    def products(entered: Room, given: Room, state: Room, product: Room) -> tuple[Any, ...]:
        return (
            entered, setting[2], given, (widths[3], x.shape[-1], x.shape[-1], parts * width, line),
            state, setting[3], product, (widths[3], width, padded, parts * width, line),
        )  # fmt: skip

    _shared(ctx.walk[1], ctx.elements, w_hh, rooms, lambda *rest: _forward(kind, *setting, *rest), products)
    ctx.save_for_backward(x, w_ih, w_hh, before, gates, kept, bounded)
    return flat


def _backward_of(ctx: Any, grad: Array) -> tuple[Any, ...]:
    """dx, dW_ih, db_ih, dW_hh, db_hh, dh, and of an LSTM dc."""
    x, w_ih, w_hh, before, gates, kept, bounded = ctx.saved_tensors
    kind, (n_inputs, width, parts, across), t = ctx.kind, ctx.widths, grad.dtype
    n, n_rows = int(ctx.walk[1].max()), x.size // n_inputs
    states = [np.empty((n, width), t)] * (2 if kind == LSTM else 1)
    outer, lanes = grad.reshape(-1), VECTOR_BYTES // t.itemsize
    last = [part.copy() for part in recurrent.unpacked(outer, n_rows, *states)[1:]]
    if outer.size < n_rows * width + lanes or not outer.flags.writeable:
        outer = np.append(outer, np.zeros(lanes, t))
    d = np.empty((n_rows, parts * width), t)
    by_x = np.empty_like(d) if kind == GRU else np.empty((0, 0), t)
    dh, dc = last[0].reshape(-1), last[1].reshape(-1) if kind == LSTM else np.empty(0, t)
    setting = (
        ctx.widths, outer, _panels(w_hh, False, across), by_x.reshape(-1), d.reshape(-1), dh, dc, before, gates, kept, bounded,
        *ctx.walk,
    )  # fmt: skip
    line = -(-width // across) * across

    def rooms(n: int) -> tuple[Room, ...]:
        return (np.zeros(n * line + lanes, t),)

    def products(by_h: Room) -> tuple[Any, ...]:
        return (setting[4], setting[2], by_h, (across, parts * width, parts * width, width, line)) * 2

    _shared(ctx.walk[1], 2 * ctx.elements, w_hh, rooms, lambda *rest: _backward(kind, *setting, *rest), products)
    return *_of_all_steps(ctx, x, w_ih, by_x if kind == GRU else d, d, before), *last


def _of_all_steps(ctx: Any, x: Array, w_ih: Array, by_x: Array, d: Array, before: Array) -> tuple[Array | None, ...]:
    """dx, dW_ih, db_ih, dW_hh, db_hh, as `recurrent.by_weights`."""
    wanted, (n_inputs, width, _, across), t = ctx.needs_input_grad, ctx.widths, d.dtype
    n_rows, n_gates = d.shape
    rows = np.ascontiguousarray(x).reshape(-1)
    dx = np.empty(rows.size if wanted[0] else 0, t)
    if wanted[0]:
        w = _panels(w_ih, False, across)
        split(
            n_rows, dx.size * (1 + n_gates // 32),
            lambda start, stop: _by_input(by_x.reshape(-1), n_gates, w, across, n_inputs, dx, start, stop),
        )  # fmt: skip
    dw_ih, dw_hh, db_ih, db_hh = (
        np.empty((n_gates, columns) if need else (0,), t)
        for columns, need in ((n_inputs, wanted[1]), (width, wanted[3]), (1, wanted[2]), (1, wanted[4]))
    )
    none, widths = np.empty(0, t), (n_gates, n_inputs, width, n_inputs, before.size // n_rows)
    if by_x is d:  # then the biases' gradients are one
        db_ih = db_hh = db_ih if wanted[2] else db_hh
        sums = [(d, dw_ih, dw_hh, db_ih)]
    else:
        sums = [(by_x, dw_ih, none, db_ih), (d, none, dw_hh, db_hh)]
    for by, *to in sums:
        if elements := sum(out.size for out in to) * (1 + n_rows // 32):
            setting = by.reshape(-1), widths, rows, before, *(out.reshape(-1) for out in to)

            def some(start: int, stop: int, setting: tuple[Any, ...] = setting) -> None:
                _by_weights(*setting, start * TALL[0], min(stop * TALL[0], n_gates))

            split(-(-n_gates // TALL[0]), elements, some)
    return (
        dx.reshape(x.shape) if wanted[0] else None, dw_ih if wanted[1] else None, db_ih.reshape(-1) if wanted[2] else None,
        dw_hh if wanted[3] else None, db_hh.reshape(-1) if wanted[4] else None,
    )  # fmt: skip


class RnnLayer(recurrent.RnnLayer):
    """The compiled form of ops.recurrent.RnnLayer."""

    @staticmethod
    def forward(
        ctx: Any, x: Array, w_ih: Array, b_ih: Array | None, w_hh: Array, b_hh: Array | None, h: Array, activation: str,
        sizes: Sizes, reverse: bool,
    ) -> Array:  # fmt: skip
        kind = TANH if activation == "tanh" else RELU
        return _forward_of(ctx, kind, x, w_ih, w_hh, recurrent.both(b_ih, b_hh), None, (h,), sizes, reverse)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        return *_backward_of(ctx, grad), None, None, None


class LstmLayer(recurrent.LstmLayer):
    """The compiled form of ops.recurrent.LstmLayer, without projection."""

    @staticmethod
    def forward(
        ctx: Any, x: Array, w_ih: Array, b_ih: Array | None, w_hh: Array, b_hh: Array | None, h: Array, c: Array,
        w_hr: Array | None, sizes: Sizes, reverse: bool,
    ) -> Array:  # fmt: skip
        return _forward_of(ctx, LSTM, x, w_ih, w_hh, recurrent.both(b_ih, b_hh), None, (h, c), sizes, reverse)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        return *_backward_of(ctx, grad), None, None, None


class GruLayer(recurrent.GruLayer):
    """The compiled form of ops.recurrent.GruLayer."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Array,
        w_ih: Array,
        b_ih: Array | None,
        w_hh: Array,
        b_hh: Array | None,
        h: Array,
        sizes: Sizes,
        reverse: bool,
    ) -> Array:
        return _forward_of(ctx, GRU, x, w_ih, w_hh, b_ih, b_hh, (h,), sizes, reverse)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        return *_backward_of(ctx, grad), None, None
