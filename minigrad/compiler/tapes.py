"""Runs of lines as tapes: instructions that one compiled loop (minigrad/kernels/tape.py) follows, a block of elements at a time.

A tape takes the lines that follow each other and are arithmetic by element, sums of all elements or of rows, or checks. Lines
of one size are one loop, in which a value that nobody else reads never reaches memory; a sum ends a loop.
"""

from __future__ import annotations

import ast
import math
import threading
import weakref
from typing import Any

import numpy as np

from ..kernels import split
from .program import Line, Refused, Var

LOOP, SUM, ROW_MAX, ROW_SUM, PICK, MINUS_AT, WITHIN, LABELS = range(8)
OPS = (
    "copy", "spread", "neg", "add", "sub", "mul", "div", "maximum", "minimum", "abs", "sqrt", "exp", "log", "log1p", "expm1", "tanh", "sin",
    "cos", "power", "where", "<", "<=", ">", ">=", "==", "!=", "select",
)  # fmt: skip
_OP = {name: i for i, name in enumerate(OPS)}
_BLOCK = 256  # elements
_WORK = 1 << 16  # elements of all registers together, in the second cache
_KEPT = 32  # registers of a loop that are filled once
_SEVERAL = 1 << 17  # elements from which threads share a loop
_BINARY: dict[type, str] = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "power"}
_SIGNS: dict[type, str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
_OF_ONE = frozenset(("abs", "sqrt", "exp", "log", "log1p", "expm1", "tanh", "sin", "cos"))
_OF_TWO = frozenset(("maximum", "minimum", "power"))


class Untaped(Exception):
    """The line is not one that a tape serves."""


def pattern(shape: tuple[int, ...], target: tuple[int, ...]) -> tuple[int, int]:
    """(inner, count): element i of the broadcast array is element (i // inner) % count of that of this shape."""
    shape = (1,) * (len(target) - len(shape)) + tuple(shape)
    kept = [i for i, (n, m) in enumerate(zip(shape, target, strict=True)) if m != 1 and n == m]
    if any(n not in (1, m) for n, m in zip(shape, target, strict=True)):
        raise Untaped
    if not kept:
        return 1, 1
    run = range(kept[0], kept[-1] + 1)
    if any(target[i] != 1 and shape[i] == 1 for i in run):
        raise Untaped  # (kept dimensions on both sides of one that is stretched)
    return math.prod(target[kept[-1] + 1 :]), math.prod(shape)


def source_of(v: Var, target: tuple[int, ...]) -> tuple[Var, int, int]:
    """Where the elements of v, broadcast to `target`, lie: a Var that is no view, and the pattern."""
    inner, count = pattern(v.shape, target)
    if v.line is None or v.line.kind != "view":
        return v, inner, count
    whole = (inner, count) == (1, math.prod(target))
    how, base = v.line.more["how"], v.line.inputs[0]
    if how == "reshape" and math.prod(base.shape) == math.prod(v.shape):
        root, i, c = source_of(base, base.shape)
        if c == 1 or (i, c) == (1, math.prod(base.shape)):  # one element, or all in their order
            return root, *((1, 1) if c == 1 else (inner, count))
        if whole:
            return root, i, c
    elif how == "broadcast" and whole:
        root, i, c = source_of(base, base.shape)
        if c == 1:
            return root, 1, 1
        if (i, c) == (1, math.prod(base.shape)):
            return root, *pattern(v.line.more["kept"], target)
    elif how == "broadcast" and math.prod(base.shape) == 1:
        return source_of(base, base.shape)[0], 1, 1
    raise Untaped


def size_of(v: Var) -> int:
    return math.prod(v.shape)


class Tape:
    """Lines as instructions. Made of `lines`; `stored`: which of their results others read, from memory."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)
        self.lines: list[Line] = []
        self.code: list[list[int]] = []
        self.parts: list[list[int]] = []
        self.limits: list[tuple[float, float]] = []
        self.operands: dict[Var, int] = {}  # those in memory: which row of `place`
        self.registers: list[tuple[int, Any]] = []  # row of `place`, and the constant that fills it, or None
        self.rows = 0  # of `place`

    # -- what it serves

    def serves(self, line: Line) -> bool:
        """Whether a tape of this type can hold the line."""
        try:
            self._check(line)
        except Untaped:
            return False
        return True

    def _check(self, line: Line) -> None:
        kind, out = line.kind, line.out
        if kind == "check":
            (x,) = line.inputs
            root, inner, count = source_of(x, x.shape)
            if (inner, count) != (1, size_of(x)) or root.dtype not in (self.dtype, np.int64) or not size_of(x):
                raise Untaped
            if root.dtype == np.int64 and line.more["low"] != 0:
                raise Untaped
            return
        if out.dtype != self.dtype or not size_of(out):
            raise Untaped
        if kind == "elementwise":
            for v in line.inputs:
                if v.dtype != self.dtype:
                    raise Untaped
                source_of(v, out.shape)
            _Instructions(None, line, {}).check()
        elif kind in ("all", "reduce", "pick", "minus_at"):
            for v, dtype in zip(line.inputs, line.more.get("types", (self.dtype,) * 3), strict=False):
                root, inner, count = source_of(v, v.shape)
                if (inner, count) != (1, size_of(v)) or root.dtype != dtype or not size_of(v):
                    raise Untaped  # (a sum begins with its first element: of nothing there is none)
            if kind in ("pick", "minus_at", "reduce") and len(line.inputs[0].shape) < 1:
                raise Untaped
        elif not (line.more.get("one") and kind == "numpy"):
            raise Untaped

    # -- from lines to instructions

    def write(self, lines: list[Line], stored: set[Var]) -> None:
        """Put the lines on the tape."""
        self.lines = lines
        constants = {line.out: 1.0 for line in lines if line.more.get("one")}
        stored = stored | {source_of_any(v) for line in lines if line.kind != "elementwise" for v in line.inputs}
        moved = [line for line in lines if line.out not in constants or line.out in stored]
        loops: list[list[Line]] = []
        for line in moved:
            loop = line.kind == "elementwise" or line.out in constants
            if loop and loops and _is_loop(loops[-1][0], constants) and self._joins(loops[-1], line):
                loops[-1].append(line)
                continue
            loops.append([line])
        self.constant_registers: dict[float, int] = {}
        for lines_ in loops:
            if _is_loop(lines_[0], constants):
                inside = {line.out for line in lines_}
                readers = {source_of_any(v) for line in moved if line not in lines_ for v in line.inputs}
                self._loop(lines_, (stored | readers) & inside, constants)
            else:
                self._single(lines_[0])
        self._finish()

    def _joins(self, loop: list[Line], line: Line) -> bool:
        """Whether a line may run in the loop: it reads what the loop makes element by element."""
        if size_of(loop[0].out) != size_of(line.out):
            return False
        inside = {one.out for one in loop}
        for v in line.inputs:
            root, inner, count = source_of(v, line.out.shape)
            if root in inside and (inner, count) != (1, size_of(line.out)):
                return False
        return True

    def _single(self, line: Line) -> None:
        kind, out = line.kind, line.out
        memory = [self._memory(source_of(v, v.shape)[0]) for v in line.inputs]
        limits = (0.0, 0.0)
        if kind == "check":
            x = line.inputs[0]
            if x.dtype == np.int64:
                part = [LABELS, memory[0], memory[0], size_of(x), int(line.more["high"]) + 1, 0]
            else:
                part = [WITHIN, memory[0], memory[0], size_of(x), 1, 0]
                limits = (line.more["low"], line.more["high"])
        elif kind == "all":
            part = [SUM, memory[0], self._memory(out), size_of(line.inputs[0]), 1, 0]
        elif kind == "reduce":
            n, m = size_of(out), line.inputs[0].shape[-1]
            part = [ROW_MAX if line.more["ufunc"] == "maximum" else ROW_SUM, memory[0], self._memory(out), n, m, 0]
        elif kind == "pick":
            part = [PICK, memory[0], self._memory(out), size_of(out), line.inputs[0].shape[-1], memory[1]]
        else:  # minus_at: what it changes is what it gives
            part = [MINUS_AT, memory[0], memory[2], line.out.shape[0], line.out.shape[-1], memory[1]]
        self.parts.append(part)
        self.limits.append(limits)

    def _row(self) -> int:
        self.rows += 1
        return self.rows - 1

    def _memory(self, v: Var) -> int:
        if v not in self.operands:
            self.operands[v] = self._row()
        return self.operands[v]

    def constant(self, value: float) -> int:
        """A register that holds a number in all its elements."""
        key: Any = repr(float(value))
        if key not in self.constant_registers:
            row = self._row()
            self.registers.append((row, float(value)))
            self.constant_registers[key] = row
        return self.constant_registers[key]

    def _loop(self, lines: list[Line], stored: set[Var], constants: dict[Var, float]) -> None:
        first = len(self.code)
        where: dict[Any, int] = {}  # what lies in which row: by Var, or by Var and pattern
        last: dict[Any, int] = {}
        for key in self._same_in_blocks(lines, constants):  # in registers of their own, filled once
            root, inner, count = key
            where[key] = self._row()
            self.registers.append((where[key], None))
            self.code.append([_OP["spread"], where[key], self._memory(root), 0, 0, inner, count])
        body = len(self.code)
        for i, line in enumerate(lines):
            for v in line.inputs:
                last[source_of(v, line.out.shape)] = i
        self.free: list[int] = []
        used: list[int] = []

        def register() -> int:
            if self.free:
                return self.free.pop()
            row = self._row()
            self.registers.append((row, None))
            used.append(row)
            return row

        for i, line in enumerate(lines):
            out, shape = line.out, line.out.shape
            if out in constants:
                self.code.append([_OP["copy"], self._memory(out), self.constant(1.0), 0, 0, 0, 0])
                continue
            operands: list[int] = []
            keys = [source_of(v, shape) for v in line.inputs]
            for key in keys:
                root, inner, count = key
                if root in constants:
                    operands.append(self.constant(constants[root]))
                elif root in where and (inner, count) == (1, size_of(out)):
                    operands.append(where[root])
                elif (inner, count) == (1, size_of(out)):
                    operands.append(self._memory(root))
                else:
                    if key not in where:
                        where[key] = register()
                        self.code.append([_OP["spread"], where[key], self._memory(root), 0, 0, inner, count])
                    operands.append(where[key])
            place = self._memory(out) if out in stored else register()
            _Instructions(self, line, dict(enumerate(operands)), register).write(place)
            where[out] = place
            for key in dict.fromkeys(keys):
                gone = key if key in where else key[0]
                if last.get(key) == i and gone in where and where[gone] in used and where[gone] != place:
                    self.free.append(where.pop(gone))
            if out not in stored and (out, 1, size_of(out)) not in last:
                self.free.append(where.pop(out))
        self.parts.append([LOOP, first, len(self.code), size_of(lines[0].out), body, 0])
        self.limits.append((0.0, 0.0))

    def _same_in_blocks(self, lines: list[Line], constants: dict[Var, float]) -> list[Any]:
        """What a loop spreads and may be the same in every block: a number, or a short row again and again."""
        found: dict[Any, None] = {}
        for line in lines:
            for v in line.inputs if line.out not in constants else ():
                root, inner, count = key = source_of(v, line.out.shape)
                spread = root not in constants and (inner, count) != (1, size_of(line.out))
                if spread and (count == 1 or (inner == 1 and count <= _BLOCK)):
                    found[key] = None
        return list(found)[:_KEPT]

    def _finish(self) -> None:
        largest = max([p[3] for p in self.parts if p[0] == LOOP] or [1])
        block = min(_BLOCK, max(16, _WORK // max(len(self.registers), 1) // 16 * 16), -(-largest // 16) * 16)
        for part in self.parts:
            if part[0] == LOOP:
                part[5] = block
                spreads = self.code[part[1] : part[4]]
                if part[3] > block and any(block % count for *_, count in spreads):
                    part[4] = part[1]  # each block begins elsewhere in the row: they are filled for each
        itemsize = self.dtype.itemsize
        self.table = np.array(self.code or [[0] * 7], np.int64)
        self.parts_table = np.array(self.parts, np.int64)
        self.limits_table = np.array(self.limits, self.dtype)
        self.place = np.zeros(self.rows, np.int64)
        self.stride = np.full(self.rows, itemsize, np.int64)
        self.work = np.empty(max(len(self.registers), 1) * block, self.dtype)
        for i, (row, value) in enumerate(self.registers):
            self.place[row], self.stride[row] = i * block * itemsize, 0
            if value is not None:
                self.work[i * block : (i + 1) * block] = value
        self.elements = largest
        self.threaded = largest >= _SEVERAL


class Player:
    """A tape ready to run. names of its operands in `known`: those whose memory is planned are set once, others at each call."""

    def __init__(self, tape: Tape, code: Any, given: list[Var], static: dict[Var, Any], results: set[Var]) -> None:
        self.tape, self.code = tape, code
        for v, row in tape.operands.items():
            if v in static:
                tape.place[row] = _address(static[v])
        self.given = given
        self.rows = [tape.operands[v] for v in given]
        self.results = [v in results for v in given]  # of these no reference is kept: who holds them is counted
        self.known: list[Any] = [None] * len(given)
        self.places = [Places() for _ in given]
        self.keep = list(static.values())
        self.local = threading.local()
        self.sums = np.array([0, 1] + [0] * 64, tape.dtype), np.zeros((64, 2), np.int64)
        lie = (tape.work, tape.table, tape.parts_table, tape.place, tape.stride, tape.limits_table, *self.sums)
        self.frame = code.frame([*(_address(a) for a in lie), 0, len(tape.parts), 0, 0])

    def __call__(self, *arrays: Any) -> None:
        known, tape = self.known, self.tape
        for i, a in enumerate(arrays):
            if self.results[i]:
                address = self.places[i].known(a)
                if address:
                    tape.place[self.rows[i]] = address
                    continue
            if a is not known[i]:
                v = self.given[i]
                if (
                    a.__class__ is not np.ndarray
                ):  # a number of NumPy's: asked where it lies, it names memory that is gone
                    a = np.asarray(a)
                if a.shape != v.shape or a.dtype != v.dtype:
                    raise RuntimeError(f"a tape was given {a.shape} {a.dtype} for {v.name}")
                if not a.flags.c_contiguous:
                    if self.results[i]:
                        raise RuntimeError(f"the memory for {v.name} is not in one line")
                    a = np.ascontiguousarray(a)
                if not self.results[i]:
                    known[i] = a  # (held, as its address is)
                    tape.place[self.rows[i]] = _address(a)
                else:
                    tape.place[self.rows[i]] = self.places[i].of(a)
        if self._in_parts() if tape.threaded else self.frame.run():
            raise Refused

    def _in_parts(self) -> int:
        """Large loops are shared among threads; each has registers of its own."""
        tape = self.tape
        for k, part in enumerate(tape.parts):
            if part[0] != LOOP or part[3] < _SEVERAL:
                if self._part(self.frame, k, 0, 0):
                    return 1
                continue

            def run(a: int, b: int, k: int = k) -> None:
                mine = getattr(self.local, "frame", None)
                if mine is None:
                    work = self.local.work = tape.work.copy()
                    mine = self.local.frame = self.code.frame([_address(work), *self.frame.numbers[1:]])
                self._part(mine, k, a, b)

            split(part[3], part[3] * max(1, (part[2] - part[1]) // 2), run, in_place=True)
        return 0

    def _part(self, frame: Any, k: int, begin: int, end: int) -> int:
        frame.numbers[8:] = k, k + 1, begin, end
        return frame.run()


def _address(a: Any) -> int:
    return a.__array_interface__["data"][0]


class Places:
    """Where the arrays lie that stand at one place in turns. They are not held: who holds them is counted (fast.py)."""

    __slots__ = ("addresses", "arrays", "turn")

    def __init__(self) -> None:
        self.arrays: list[Any] = [_nothing, _nothing]
        self.addresses, self.turn = [0, 0], 0

    def known(self, a: Any) -> int:
        """The address of an array that was here before; 0 of another."""
        if self.arrays[0]() is a:
            return self.addresses[0]
        return self.addresses[1] if self.arrays[1]() is a else 0

    def of(self, a: Any) -> int:
        """The address of an array, which is known from now on."""
        turn = self.turn = 1 - self.turn
        self.arrays[turn], self.addresses[turn] = weakref.ref(a), _address(a)
        return self.addresses[turn]


def _nothing() -> None:
    return None


def source_of_any(v: Var) -> Var:
    """What a view looks at."""
    while v.line is not None and v.line.kind == "view":
        v = v.line.inputs[0]
    return v


def _is_loop(line: Line, constants: dict[Var, float]) -> bool:
    return line.kind == "elementwise" or line.out in constants


class _Instructions:
    """The text of a line as instructions."""

    def __init__(self, tape: Any, line: Line, operands: dict[int, int], register: Any = None) -> None:
        self.tape, self.operands, self.register = tape, operands, register
        self.tree = ast.parse(line.formula(), mode="eval").body
        self.temporary: list[int] = []

    def check(self) -> None:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                if not isinstance(node.func, ast.Attribute) or node.func.attr not in _OF_ONE | _OF_TWO | {"where"}:
                    raise Untaped
            elif isinstance(node, ast.BinOp):
                if type(node.op) not in _BINARY:
                    raise Untaped
            elif isinstance(node, ast.UnaryOp):
                if not isinstance(node.op, ast.USub):
                    raise Untaped
            elif isinstance(node, ast.Compare):
                if len(node.ops) != 1 or type(node.ops[0]) not in _SIGNS:
                    raise Untaped
            elif isinstance(node, ast.Constant):
                if type(node.value) not in (int, float):
                    raise Untaped
            elif isinstance(node, ast.Name):
                if node.id != "np" and not node.id.startswith("arg_"):
                    raise Untaped
            elif not isinstance(node, ast.Attribute | ast.operator | ast.unaryop | ast.cmpop | ast.Load):
                raise Untaped

    def write(self, place: int) -> None:
        self._into(self.tree, place)
        self.tape.free += self.temporary

    def _emit(self, op: str, place: int, *operands: int) -> None:
        self.tape.code.append([_OP[op], place, *operands, *([0] * (5 - len(operands)))])

    def _value(self, node: Any) -> int:
        """Where a value lies; computed, if it must be, into a register of its own."""
        number = _number(node)
        if number is not None:
            return self.tape.constant(number)
        if isinstance(node, ast.Name):
            return self.operands[int(node.id[4:])]
        place = self.register()
        self._into(node, place)
        self.temporary.append(place)
        return place

    def _into(self, node: Any, place: int) -> None:
        if isinstance(node, ast.Name) or _number(node) is not None:
            self._emit("copy", place, self._value(node))
        elif isinstance(node, ast.UnaryOp):
            self._emit("neg", place, self._value(node.operand))
        elif isinstance(node, ast.BinOp):
            self._two(_BINARY[type(node.op)], node.left, node.right, place)
        elif isinstance(node, ast.Compare):
            self._emit(_SIGNS[type(node.ops[0])], place, self._value(node.left), self._value(node.comparators[0]))
        elif node.func.attr == "where" and isinstance(node.args[0], ast.Compare):  # in one pass: c if a < b else d
            test, *chosen = node.args
            sign = _OP[_SIGNS[type(test.ops[0])]]
            self._emit("select", place, *(self._value(v) for v in (test.left, test.comparators[0], *chosen)), sign)
        elif len(node.args) == 2:
            self._two(node.func.attr, node.args[0], node.args[1], place)
        else:
            self._emit(node.func.attr, place, *(self._value(a) for a in node.args))

    def _two(self, op: str, a: Any, b: Any, place: int) -> None:
        power = _number(b) if op == "power" else None
        if power == 2:
            x = self._value(a)
            self._emit("mul", place, x, x)
        elif power == 1:
            self._emit("copy", place, self._value(a))
        else:
            self._emit(op, place, self._value(a), self._value(b))


def _number(node: Any) -> float | None:
    value: Any
    if isinstance(node, ast.Constant):
        value = node.value
        return float(value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
        value = node.operand.value
        return -float(value)
    if isinstance(node, ast.Attribute) and node.attr in ("inf", "nan"):
        return float(node.attr)
    return None
