"""A run of small instructions over arrays, a block of elements at a time: what minigrad/compiler/tapes.py writes runs here.

A compiler needs seconds for a function of a thousand lines, and each program would pay them. Here the loop is compiled once
on a machine, and what differs from program to program is a table of numbers that it follows:

    for each block of up to 256 elements:
        for each instruction:             out ← op(a, b, c), for all elements of the block

A block stays in the first cache, so that of a chain of operations only the arrays at its ends pass through memory, and the
cost of choosing an operation is shared by the elements of a block. Nothing is contracted or reordered: + - · / √ give NumPy's
bits, and so do the sums, which are added in NumPy's order; exp, log and tanh are those of the other kernels.

    code    a row for each instruction: op, out, a, b, c, and two numbers
    parts   a row for each loop (or sum, or check): its kind, its instructions, its sizes. Of a loop those before the fifth
            number run for its first block alone: what they put into registers is the same for all
    place   where each operand begins: an address
    stride  the bytes from one element to the next; 0 of a register, which holds a block, and lies in `work`
    limits  of a check, by part
    numbers 0, 1, and room for the sums of 64 halves; halves: room for where they lie

All of these lie where `frame` says, a list of addresses in this order: an array costs more to hand to a compiled loop than
an instruction takes.
"""

from __future__ import annotations

import math
from pathlib import Path
from types import FunctionType
from typing import Any

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic

from ..threads import apart, compiling
from .cache import Store
from .compiled import _sources
from .step import log1p_float32, log_float32
from .vector import exp_float32, exp_float64, full_width, tanh_float32, tanh_float64

# Kinds of parts and operations are numbered as in minigrad/compiler/tapes.py (LOOP ..., OPS).


def _memory_at(context, address, like):
    """The memory at an address, as elements of the type of `like`."""
    kind = types.CPointer(like.dtype)

    def code(context, builder, signature, args):
        return builder.inttoptr(args[0], context.get_value_type(kind))

    return kind(types.int64, like), code


_at: Any = intrinsic(_memory_at)


def _bare(function: Any) -> Any:
    return numba.njit(error_model="numpy")(function)


def _apart(function: Any) -> Any:
    """A loop that stays a function of its own: a compiler's time grows faster than what it is given."""
    return numba.njit(error_model="numpy", inline="never")(function)


@_bare
def _eight(x: Any, start: int, n: int) -> Any:
    """Σ x[start : start + n] for n ≤ 128, in NumPy's order: eight sums side by side."""
    if n < 8:
        out = x[start]
        for i in range(1, n):
            out += x[start + i]
        return out
    a, b, c, d = x[start], x[start + 1], x[start + 2], x[start + 3]
    e, f, g, h = x[start + 4], x[start + 5], x[start + 6], x[start + 7]
    whole = n - n % 8
    for i in range(start + 8, start + whole, 8):
        a += x[i]
        b += x[i + 1]
        c += x[i + 2]
        d += x[i + 3]
        e += x[i + 4]
        f += x[i + 5]
        g += x[i + 6]
        h += x[i + 7]
    out = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for i in range(start + whole, start + n):
        out += x[i]
    return out


@_apart
def _pairwise(x: Any, start: int, n: int, halves: Any, left: Any) -> Any:  # (halves: pairs, one after the other)
    """Σ x[start : start + n] in NumPy's order: what is longer than 128 in two halves, each like the whole.

    By depth: halves holds where the right half lies and how long it is (0: it is done), left the sum of the left one.
    """
    depth = 0
    while True:
        while n > 128:  # down the left side
            half = n // 2
            half -= half % 8
            halves[2 * depth] = start + half
            halves[2 * depth + 1] = n - half
            depth += 1
            n = half
        value = _eight(x, start, n)
        while depth > 0 and halves[2 * depth - 1] == 0:  # both halves are known
            depth -= 1
            value = left[depth] + value
        if depth == 0:
            return value
        left[depth - 1] = value
        start = halves[2 * depth - 2]
        n = halves[2 * depth - 1]
        halves[2 * depth - 1] = 0


@_apart
def _of_two(op: int, y: Any, a: Any, c: Any, lanes: int) -> None:
    if op == 3:
        for b in range(lanes):
            y[b] = a[b] + c[b]
    elif op == 4:
        for b in range(lanes):
            y[b] = a[b] - c[b]
    elif op == 5:
        for b in range(lanes):
            y[b] = a[b] * c[b]
    elif op == 6:
        for b in range(lanes):
            y[b] = a[b] / c[b]
    elif op == 7:
        for b in range(lanes):
            y[b] = a[b] if (a[b] > c[b]) | (a[b] != a[b]) else c[b]  # of 0 and -0 the second, as NumPy
    else:
        for b in range(lanes):
            y[b] = a[b] if (a[b] < c[b]) | (a[b] != a[b]) else c[b]


@_apart
def _choose(y: Any, a: Any, c: Any, d: Any, lanes: int) -> None:
    for b in range(lanes):
        y[b] = c[b] if a[b] != 0 else d[b]


@_apart
def _power(y: Any, a: Any, c: Any, lanes: int) -> None:
    for b in range(lanes):
        y[b] = a[b] ** c[b]


@_apart
def _compare(op: int, y: Any, a: Any, c: Any, lanes: int, zero: Any, one: Any) -> None:
    for b in range(lanes):
        if op == 20:
            holds = a[b] < c[b]
        elif op == 21:
            holds = a[b] <= c[b]
        elif op == 22:
            holds = a[b] > c[b]
        elif op == 23:
            holds = a[b] >= c[b]
        elif op == 24:
            holds = a[b] == c[b]
        else:
            holds = a[b] != c[b]
        y[b] = one if holds else zero


@_apart
def _select(sign: int, y: Any, a: Any, c: Any, d: Any, e: Any, lanes: int) -> None:
    if sign == 20:
        for b in range(lanes):
            y[b] = d[b] if a[b] < c[b] else e[b]
    elif sign == 21:
        for b in range(lanes):
            y[b] = d[b] if a[b] <= c[b] else e[b]
    elif sign == 22:
        for b in range(lanes):
            y[b] = d[b] if a[b] > c[b] else e[b]
    elif sign == 23:
        for b in range(lanes):
            y[b] = d[b] if a[b] >= c[b] else e[b]
    elif sign == 24:
        for b in range(lanes):
            y[b] = d[b] if a[b] == c[b] else e[b]
    else:
        for b in range(lanes):
            y[b] = d[b] if a[b] != c[b] else e[b]


def _of_one(op: int, y: Any, a: Any, lanes: int) -> None:
    if op == 0:
        for b in range(lanes):
            y[b] = a[b]
    elif op == 2:
        for b in range(lanes):
            y[b] = -a[b]
    elif op == 9:
        for b in range(lanes):
            y[b] = abs(a[b])
    elif op == 10:
        for b in range(lanes):
            y[b] = np.sqrt(a[b])
    elif op == 11:
        for b in range(lanes):
            y[b] = _exp(a[b])
    elif op == 12:
        for b in range(lanes):
            y[b] = _log(a[b])
    elif op == 13:
        for b in range(lanes):
            y[b] = _log1p(a[b])
    elif op == 14:
        for b in range(lanes):
            y[b] = math.expm1(a[b])
    elif op == 15:
        for b in range(lanes):
            y[b] = _tanh(a[b])
    elif op == 16:
        for b in range(lanes):
            y[b] = math.sin(a[b])
    else:
        for b in range(lanes):
            y[b] = math.cos(a[b])


def _follow(frame: Any, work: Any, first: int, last: int, begin: int, end: int) -> int:
    """Run parts[first:last]; of a loop the elements begin to end (0: all). 1 where a check does not hold, else 0."""
    full_width()
    here = frame[0]
    code, parts, place, stride = _at(frame[1], frame), _at(frame[2], frame), _at(frame[3], frame), _at(frame[4], frame)
    limits, numbers, halves = _at(frame[5], work), _at(frame[6], work), _at(frame[7], frame)
    zero, one = numbers[0], numbers[1]
    left = _at(frame[6] + 2 * work.itemsize, work)
    for at in range(first, last):
        row = 6 * at
        what, i0, i1, n, m, block = (
            parts[row],
            parts[row + 1],
            parts[row + 2],
            parts[row + 3],
            parts[row + 4],
            parts[row + 5],
        )
        if what == 0:  # LOOP
            stop = end if end > 0 else n
            s = begin - block
            while s + block < stop:
                s += block
                lanes = block if block < stop - s else stop - s
                for i in range(i0 if s == begin else m, i1):
                    c0 = 7 * i
                    op = code[c0]
                    k, ka, kb, kc = code[c0 + 1], code[c0 + 2], code[c0 + 3], code[c0 + 4]
                    y = _at(place[k] + s * stride[k] + (here if stride[k] == 0 else 0), work)
                    if op == 1:  # spread: element (i // inner) % count of a small array
                        x = _at(place[ka], work)
                        inner, count = code[c0 + 5], code[c0 + 6]
                        if count == 1:
                            value = x[0]
                            for q in range(block if i < m else lanes):
                                y[q] = value
                            continue
                        j, rest, b = (s // inner) % count, inner - s % inner, 0
                        if inner == 1:
                            wanted = block if i < m else lanes
                            while b < wanted:
                                more = count - j if count - j < wanted - b else wanted - b
                                for q in range(more):
                                    y[b + q] = x[j + q]
                                b += more
                                j = 0
                        else:
                            while b < lanes:
                                more = rest if rest < lanes - b else lanes - b
                                value = x[j]
                                for q in range(more):
                                    y[b + q] = value
                                b += more
                                j = 0 if j + 1 == count else j + 1
                                rest = inner
                        continue
                    a = _at(place[ka] + s * stride[ka] + (here if stride[ka] == 0 else 0), work)
                    if op < 18 and op != 3 and op != 4 and op != 5 and op != 6 and op != 7 and op != 8:
                        _of_one(op, y, a, lanes)
                        continue
                    c = _at(place[kb] + s * stride[kb] + (here if stride[kb] == 0 else 0), work)
                    if op == 19:
                        _choose(
                            y, a, c, _at(place[kc] + s * stride[kc] + (here if stride[kc] == 0 else 0), work), lanes
                        )
                    elif op < 9:
                        _of_two(op, y, a, c, lanes)
                    elif op == 18:
                        _power(y, a, c, lanes)
                    elif op == 26:  # the fourth operand and the sign lie where a spread has its numbers
                        d = _at(place[kc] + s * stride[kc] + (here if stride[kc] == 0 else 0), work)
                        kd = code[c0 + 5]
                        e = _at(place[kd] + s * stride[kd] + (here if stride[kd] == 0 else 0), work)
                        _select(code[c0 + 6], y, a, c, d, e, lanes)
                    else:
                        _compare(op, y, a, c, lanes, zero, one)
            continue
        x = _at(place[i0], work)
        y = _at(place[i1], work)
        if what == 1:  # SUM
            y[0] = zero + _pairwise(x, 0, n, halves, left)
        elif what == 2:  # ROW_MAX
            for r in range(n):
                big = x[r * m]
                for j in range(1, m):
                    v = x[r * m + j]
                    big = v if (v > big) | (v != v) else big
                y[r] = big
        elif what == 3:  # ROW_SUM
            for r in range(n):
                y[r] = zero + _pairwise(x, r * m, m, halves, left)
        elif what == 4:  # PICK
            t = _at(place[block], frame)
            for r in range(n):
                y[r] = x[r * m + t[r]]
        elif what == 5:  # MINUS_AT: from x[r, t[r]] the amount
            t = _at(place[block], frame)
            amount = y[0]
            for r in range(n):
                x[r * m + t[r]] -= amount
        elif what == 6:  # WITHIN
            low, high, outside = limits[2 * at], limits[2 * at + 1], np.int32(0)
            for r in range(n):  # (all of them, without a branch, so that it is done in vectors)
                outside |= np.int32(0) if (x[r] >= low) & (x[r] <= high) else np.int32(1)
            if outside != 0:
                return 1
        else:  # LABELS
            t = _at(place[i0], frame)
            wrong = np.int64(0)
            for r in range(n):
                wrong |= np.int64(1) if (t[r] < 0) | (t[r] >= m) else np.int64(0)
            if wrong != 0:
                return 1
    return 0


def _log64(x: Any) -> Any:
    return math.log(x) if x > 0 else (-math.inf if x == 0 else math.nan)


def _log1p64(x: Any) -> Any:
    return math.log1p(x) if x > -1 else (-math.inf if x == -1 else math.nan)


_exp: Any = exp_float32  # those of the type that is compiled, see `_made`
_tanh: Any = tanh_float32
_log: Any = log_float32
_log1p: Any = log1p_float32


def _made(double: bool) -> Any:
    """The loop for one type."""
    names = {
        "_exp": (exp_float32, exp_float64), "_tanh": (tanh_float32, tanh_float64), "_log": (log_float32, _bare(_log64)),
        "_log1p": (log1p_float32, _bare(_log1p64)),
    }  # fmt: skip
    space = globals() | {name: pair[double] for name, pair in names.items()}
    space["_of_one"] = _apart(FunctionType(_of_one.__code__, space, "of_one"))
    function = FunctionType(_follow.__code__, space, f"follow{64 if double else 32}")
    dispatcher: Any = numba.njit(nogil=True, error_model="numpy")(function)
    here = Path(__file__)
    dispatcher._cache = Store(f"tape.{function.__name__}", here, _sources(here))
    return dispatcher


def _adam(
    place: Any, ends: Any, numbers: Any, like: Any, begin: int, end: int
) -> None:  # fmt: skip
    """Elements begin to end of all parameters' steps of Adam. place: a row p, g, m, v for each; numbers: see compiler/fast.py."""
    full_width()
    t = like.dtype.type
    start = 0
    for k in range(ends.size):
        a, b = max(begin, start) - start, min(end, ends[k]) - start
        start = ends[k]
        if a >= b:
            continue
        p, g, m, v = _at(place[k, 0], like), _at(place[k, 1], like), _at(place[k, 2], like), _at(place[k, 3], like)
        w, b2, c2, e, s = t(numbers[k, 0]), t(numbers[k, 1]), t(numbers[k, 2]), t(numbers[k, 3]), t(numbers[k, 4])
        shrink, extra = t(numbers[k, 5]), t(numbers[k, 6])
        for i in range(a, b):
            old = p[i] * shrink
            grad = g[i] + old * extra if extra != 0 else g[i]  # (an infinite parameter times 0 is nan)
            mean = m[i] + (grad - m[i]) * w
            square = v[i] * b2 + grad * grad * c2
            m[i] = mean
            v[i] = square
            p[i] = old - mean / (np.sqrt(square) + e) * s


def _cached(function: Any) -> Any:
    dispatcher: Any = numba.njit(nogil=True, error_model="numpy")(function)
    here = Path(__file__)
    dispatcher._cache = Store(f"tape.{function.__name__}", here, _sources(here))
    return dispatcher


def follow(double: bool) -> Any:
    """The loop for float64 or float32, compiled or taken from the disk."""
    if double not in _ready:
        apart(_prepare, double)
    return _ready[double]


def adam(like: Any) -> Any:
    """Adam over all parameters, in their type."""
    if like.dtype not in _adams:
        apart(_prepare_adam, like)
    return _adams[like.dtype]


_ready: dict[bool, Any] = {}
_adams: dict[Any, Any] = {}


def _prepare(double: bool) -> None:
    kind = np.float64 if double else np.float32
    ints = np.zeros((1, 1), np.int64)
    reals = np.zeros((1, 1), kind)
    args = (ints[0], reals[0], 0, 0, 0, 0)
    with compiling:
        made = _made(double)
        made.compile(tuple(made.typeof_pyval(a) for a in args))
        _ready[double] = made


def _prepare_adam(like: Any) -> None:
    ints = np.zeros((1, 1), np.int64)
    with compiling:
        made = _cached(_adam)
        made.compile(tuple(made.typeof_pyval(a) for a in (ints, ints[0], np.zeros((1, 1)), like, 0, 0)))
        _adams[like.dtype] = made
