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

All of these lie where `frame` says, a list of addresses in this order, after that of the registers of this thread. Then come
the first and the last part to run, and of a loop the elements (0: all). A function of one address needs nothing of Numba's
when it has become machine code: native.py keeps that on the disk, and runs it in the next process without Numba.
"""

from __future__ import annotations

import math
import re
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
from numba.core import types
from numba.core.caching import NullCache
from numba.extending import intrinsic

from .compiled import called
from .step import log1p_float32, log_float32
from .vector import exp_float32, exp_float64, full_width, tanh_float32, tanh_float64

# Kinds of parts and operations are numbered as in minigrad/compiler/tapes.py (LOOP ..., OPS).


def _memory_of(kind: Any) -> Any:
    """A function for loops: the memory at an address, as elements of a type."""
    pointer = types.CPointer(kind)

    def memory(context, address):
        def code(context, builder, signature, args):
            return builder.inttoptr(args[0], context.get_value_type(pointer))

        return pointer(types.int64), code

    return intrinsic(memory)


_ints, _reals32, _reals64 = _memory_of(types.int64), _memory_of(types.float32), _memory_of(types.float64)


def _bare(function: Any) -> Any:
    return called()(function)


def _apart(function: Any) -> Any:
    """A loop that stays a function of its own: a compiler's time grows faster than what it is given."""
    return called(inline="never")(function)


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
        chosen, other = c[b], d[b]  # (both are read: a loop in which one of them may be is not made of vectors)
        y[b] = chosen if a[b] != 0 else other


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
def _select(sign: int, y: Any, a: Any, c: Any, d: Any, e: Any, lanes: int) -> None:  # (both are read, as in `_choose`)
    if sign == 20:
        for b in range(lanes):
            chosen, other = d[b], e[b]
            y[b] = chosen if a[b] < c[b] else other
    elif sign == 21:
        for b in range(lanes):
            chosen, other = d[b], e[b]
            y[b] = chosen if a[b] <= c[b] else other
    elif sign == 22:
        for b in range(lanes):
            chosen, other = d[b], e[b]
            y[b] = chosen if a[b] > c[b] else other
    elif sign == 23:
        for b in range(lanes):
            chosen, other = d[b], e[b]
            y[b] = chosen if a[b] >= c[b] else other
    elif sign == 24:
        for b in range(lanes):
            chosen, other = d[b], e[b]
            y[b] = chosen if a[b] == c[b] else other
    else:
        for b in range(lanes):
            chosen, other = d[b], e[b]
            y[b] = chosen if a[b] != c[b] else other


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


def _follow(address: int) -> int:
    """Run parts first to last; of a loop the elements begin to end (0: all). 1 where a check does not hold, else 0."""
    full_width()
    frame = _ints(address)
    here, code, parts, place, stride = frame[0], _ints(frame[1]), _ints(frame[2]), _ints(frame[3]), _ints(frame[4])
    limits, numbers, halves = _reals(frame[5]), _reals(frame[6]), _ints(frame[7])
    first, last, begin, end = frame[8], frame[9], frame[10], frame[11]
    zero, one = numbers[0], numbers[1]
    left = _reals(frame[6] + 2 * _SIZE)
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
                    y = _reals(place[k] + s * stride[k] + (here if stride[k] == 0 else 0))
                    if op == 1:  # spread: element (i // inner) % count of a small array
                        x = _reals(place[ka])
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
                    a = _reals(place[ka] + s * stride[ka] + (here if stride[ka] == 0 else 0))
                    if op < 18 and op != 3 and op != 4 and op != 5 and op != 6 and op != 7 and op != 8:
                        _of_one(op, y, a, lanes)
                        continue
                    c = _reals(place[kb] + s * stride[kb] + (here if stride[kb] == 0 else 0))
                    if op == 19:
                        _choose(y, a, c, _reals(place[kc] + s * stride[kc] + (here if stride[kc] == 0 else 0)), lanes)
                    elif op < 9:
                        _of_two(op, y, a, c, lanes)
                    elif op == 18:
                        _power(y, a, c, lanes)
                    elif op == 26:  # the fourth operand and the sign lie where a spread has its numbers
                        d = _reals(place[kc] + s * stride[kc] + (here if stride[kc] == 0 else 0))
                        kd = code[c0 + 5]
                        e = _reals(place[kd] + s * stride[kd] + (here if stride[kd] == 0 else 0))
                        _select(code[c0 + 6], y, a, c, d, e, lanes)
                    else:
                        _compare(op, y, a, c, lanes, zero, one)
            continue
        x = _reals(place[i0])
        y = _reals(place[i1])
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
            t = _ints(place[block])
            for r in range(n):
                y[r] = x[r * m + t[r]]
        elif what == 5:  # MINUS_AT: from x[r, t[r]] the amount
            t = _ints(place[block])
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
            t = _ints(place[i0])
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


_exp: Any = exp_float32  # those of the type that is compiled, see `made`
_tanh: Any = tanh_float32
_log: Any = log_float32
_log1p: Any = log1p_float32
_reals: Any = _reals32
_real: Any = np.float32
_SIZE = 4  # bytes of a number


def _adam(address: int) -> int:
    """Elements begin to end of all parameters' steps of Adam. See compiler/fast.py for what lies where the frame says:

    place a row p, g, m, v for each parameter; ends of the parameters, laid out one after the other; numbers a row for each.
    """
    full_width()
    frame = _ints(address)
    place, ends, numbers = _ints(frame[0]), _ints(frame[1]), _reals64(frame[2])
    count, begin, end = frame[3], frame[4], frame[5]
    start = 0
    for k in range(count):
        a, b = max(begin, start) - start, min(end, ends[k]) - start
        start = ends[k]
        if a >= b:
            continue
        p, g, m, v = _reals(place[4 * k]), _reals(place[4 * k + 1]), _reals(place[4 * k + 2]), _reals(place[4 * k + 3])
        row = 7 * k
        w, b2, c2 = _real(numbers[row]), _real(numbers[row + 1]), _real(numbers[row + 2])
        e, s, shrink, extra = (
            _real(numbers[row + 3]),
            _real(numbers[row + 4]),
            _real(numbers[row + 5]),
            _real(numbers[row + 6]),
        )
        for i in range(a, b):
            old = p[i] * shrink
            grad = g[i] + old * extra if extra != 0 else g[i]  # (an infinite parameter times 0 is nan)
            mean = m[i] + (grad - m[i]) * w
            square = v[i] * b2 + grad * grad * c2
            m[i] = mean
            v[i] = square
            p[i] = old - mean / (np.sqrt(square) + e) * s
    return 0


# -- machine code


class Made(NamedTuple):
    """A function as machine code: its name in it, and what it calls besides."""

    symbol: str
    content: bytes
    calls: list[str]


class _Taker(NullCache):
    """What Numba gives its compiled code to, to be kept."""

    made: Made

    def save_overload(self, sig: Any, data: Any) -> None:
        text = data.library.get_llvm_str()
        _, _, (content, _) = data.library.serialize_using_object_code()
        calls = re.findall(r'^declare [^@\n]*@"?([\w.$]+)"?\(', text, re.MULTILINE)
        self.made = Made(data.fndesc.llvm_func_name, content, [c for c in calls if not c.startswith("llvm.")])


def made(function: str, double: bool) -> Made:
    """The machine code of `_follow` or `_adam` for one type."""
    names = {
        "_exp": (exp_float32, exp_float64), "_tanh": (tanh_float32, tanh_float64), "_log": (log_float32, _bare(_log64)),
        "_log1p": (log1p_float32, _bare(_log1p64)), "_reals": (_reals32, _reals64), "_real": (np.float32, np.float64),
        "_SIZE": (4, 8),
    }  # fmt: skip
    space = globals() | {name: pair[double] for name, pair in names.items()}
    space["_of_one"] = _apart(FunctionType(_of_one.__code__, space, "of_one"))
    code = {"follow": _follow, "adam": _adam}[function].__code__
    whole = FunctionType(code, space, f"{function}{64 if double else 32}")
    dispatcher: Any = called(nogil=True)(whole)
    taker = dispatcher._cache = _Taker()
    dispatcher.compile((types.int64,))
    return taker.made
