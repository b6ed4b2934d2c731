"""A program as few calls: products into planned memory, and all between them as tapes. The fused form of a program.

    np.dot(x, w.T, out=product)                each product goes to BLAS, into memory that is there from call to call
    loop_1(product, b, h)                      the lines up to the next product are one loop (tapes.py)
    ...

Two values whose lives do not overlap share their memory. Results are written into arrays that the caller hands in.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from ..autograd.fused import _load
from .joined import joined
from .program import Line, Program, Var
from .tapes import Player, Tape, source_of_any
from .text import assigned

_PLANNED = (
    "elementwise",
    "dot",
    "rows",
    "all",
    "reduce",
    "pick",
)  # kinds whose result goes into memory that is planned
_NO_LOOP = "there is nothing to fuse: no arithmetic by element, and no product of matrices"


class Unfused(Exception):
    """The program has no fused form; the reason is for people."""


class Step:
    """A statement of the fused program, and the lines that it does."""

    def __init__(self, kind: str, lines: list[Line], text: str = "") -> None:
        self.kind, self.lines, self.text = kind, lines, text
        self.reads: set[Var] = set()
        self.tape: Any = None  # of a loop


class Fused:
    """The fused form. inputs and kept as of `Loops`: what is handed in, and what is written into."""

    def __init__(self, program: Program, space: dict[str, Any]) -> None:
        self.p = program
        self.inputs = list(program.inputs)
        self.lines = self._split(program)
        self.kept, self.outs = list(self.results), list(self.results.values())
        self.steps = self._steps()
        if not any(step.kind in ("loop", "dot") for step in self.steps):
            raise Unfused(_NO_LOOP)
        self.dtype = next(step for step in self.steps if step.kind in ("loop", "dot")).lines[0].out.dtype
        self._plan()
        self._write(space)

    def refuses_late(self) -> bool:
        """Whether a value may be refused when some of the results are written already."""
        outs = set(self.outs)
        written = False
        for step in self.steps:
            if written and (step.kind == "numpy" or any(line.kind == "check" for line in step.lines)):
                return True
            written |= any(line.out in outs for line in step.lines)
        return False

    # -- lines

    def _split(self, p: Program) -> list[Line]:
        """The lines, a product with a bias as two; and copies of what is a result but lies elsewhere."""
        lines: list[Line] = []
        self.results: dict[Var, Var] = {}  # what the program keeps -> what is written for it
        all_lines = joined(p)
        for line in all_lines:
            if line.kind == "dot" and len(line.inputs) == 3:
                a, b, bias = line.inputs
                product = Var(p.name(f"{line.out.name}_product"), line.out.shape, line.out.dtype)
                text = line.text.removesuffix(" + {2}")
                product.line = Line(
                    "dot", text, [a, b], product, line.section, line.note, {**line.more, "written": [line]}, of=line.of
                )
                added = Line(
                    "elementwise",
                    "{0} + {1}",
                    [product, bias],
                    line.out,
                    line.section,
                    line.note,
                    {"written": [line]},
                    of=line.of,
                )
                lines += [product.line, added]
            else:
                lines.append(line)
        for v in p.inputs:
            if v in p.kept:
                lines.append(self._copy(v))
        for line in all_lines:
            for v in (line.out, *(w for w in line.outs if w is not None)):
                if v in p.kept and v not in self.results:
                    if v.line is line and line.kind in _PLANNED:
                        self.results[v] = v
                    else:
                        lines.append(self._copy(v))
        return lines

    def _copy(self, v: Var) -> Line:
        out = Var(self.p.name(f"{v.name}_given"), v.shape, v.dtype)
        self.results[v] = out
        out.line = Line("elementwise", "{0}", [v], out, "update", "a result, in memory of its own")
        return out.line

    # -- statements

    def _steps(self) -> list[Step]:
        steps: list[Step] = []
        pending: list[Line] = []
        tape: Tape | None = None

        def flush() -> None:
            nonlocal tape
            if pending:
                steps.append(Step("loop", list(pending)))
                pending.clear()
            tape = None

        for line in self.lines:
            if line.kind == "view" or line.more.get("fixed"):
                continue
            dtype = line.out.dtype if line.kind != "check" else self._type_of_check(line, tape)
            if dtype is not None and dtype.char in "fd":
                if tape is not None and tape.dtype == dtype and tape.serves(line):
                    pending.append(line)
                    continue
                fresh = Tape(dtype)
                if fresh.serves(line):
                    flush()
                    tape = fresh
                    pending.append(line)
                    continue
            flush()
            planned = line.kind in ("dot", "rows") and line.out.dtype.char in "fd" and line.out.shape != ()
            if planned and line.kind == "dot":
                planned = all(v.dtype == line.out.dtype for v in line.inputs) and math.prod(line.out.shape) > 0
            steps.append(Step("dot" if planned else "numpy", [line]))
        flush()
        for step in steps:
            step.reads = {source_of_any(v) for line in step.lines for v in line.inputs}
            step.reads |= {v for line in step.lines for v in line.more.get("after", ())}
        return steps

    def _type_of_check(self, line: Line, tape: Tape | None) -> Any:
        dtype = line.inputs[0].dtype
        if dtype == np.int64:
            return tape.dtype if tape is not None else np.dtype(np.float32)
        return dtype

    # -- memory

    def _plan(self) -> None:
        """Which memory each value has: planned memory is reused when the last who reads it has run."""
        outs = set(self.results.values())
        alias = {line.out: source_of_any(line.inputs[0]) for line in self.lines if line.kind == "minus_at"}

        def root(v: Var) -> Var:
            v = source_of_any(v)
            while v in alias:
                v = alias[v]
            return v

        self.root = root
        last: dict[Var, int] = {}
        forever: set[Var] = set()
        for i, step in enumerate(self.steps):
            for v in step.reads:
                v = root(v)
                last[v] = i
                if step.kind == "numpy":
                    forever.add(v)  # (who is called may keep it, or give it back)
        self.static: dict[Var, Any] = {}
        self.planned: list[tuple[Var, int, int, int]] = []  # value, memory, from step, to step
        self.memories: list[int] = []  # bytes of each
        slots: list[Any] = []
        free: list[int] = []
        ends: dict[int, list[int]] = {}
        for i, step in enumerate(self.steps):
            if step.kind == "numpy":
                continue
            for v in self._produced(step, i, last, outs):
                if v in outs or v in alias:
                    continue
                end = last.get(v, i)
                nbytes = max(math.prod(v.shape), 1) * v.dtype.itemsize
                fits = [k for k in free if self.memories[k] >= nbytes]
                if fits:
                    k = min(fits, key=lambda k: self.memories[k])
                    if self.memories[k] > 4 * nbytes + 4096:
                        fits = []
                    else:
                        free.remove(k)
                if not fits:
                    k = len(slots)
                    slots.append(np.empty(-(-nbytes // 64) * 64 + 64, np.uint8))
                    self.memories.append(-(-nbytes // 64) * 64)
                begin = -slots[k].__array_interface__["data"][0] % 64
                self.static[v] = slots[k][begin : begin + nbytes].view(v.dtype).reshape(v.shape)
                self.planned.append((v, k, i, end))
                if v not in forever:
                    ends.setdefault(end, []).append(k)
            free += ends.pop(i, [])
        for v in alias:
            if root(v) in self.static:
                self.static[v] = self.static[root(v)]
        for line in self.lines:
            if line.more.get("fixed") or (line.more.get("one") and line.out not in self.static):
                self.static[line.out] = eval(line.text, {"np": np})

    def _produced(self, step: Step, i: int, last: dict[Var, int], outs: set[Var]) -> list[Var]:
        """What of the step's results lies in memory: of a tape, which is written here, only what others read."""
        if step.kind == "dot":
            return [step.lines[0].out]
        made = {line.out for line in step.lines}
        elsewhere = {self.root(v) for other in self.steps if other is not step for v in other.reads}
        step.tape = Tape(self._loop_type(step))
        step.tape.write(step.lines, made & (outs | elsewhere))
        return [v for v in step.tape.operands if v in made]

    # -- text

    def _write(self, space: dict[str, Any]) -> None:
        names = [v.name for v in self.inputs] + [v.name for v in self.outs]
        self.space = {**space, **{k: v for k, v in self.p.objects.items() if k.isidentifier()}}
        for v, array in self.static.items():
            self.space[v.name] = array
        self.ones: dict[tuple[int, Any], str] = {}  # the names of vectors of ones
        outs = set(self.outs)
        body: list[str] = []
        self.statements: list[list[str]] = []  # by step
        views: dict[Var, str] = {}
        last: dict[Var, int] = {}
        for i, step in enumerate(self.steps):
            for v in step.reads:
                last[v] = i
        follow: dict[bool, Any] = {}
        n = 0
        for i, step in enumerate(self.steps):
            line = step.lines[0]
            begin = len(body)
            if step.kind == "loop":
                n += 1
                tape = step.tape
                double = tape.dtype == np.float64
                if double not in follow:
                    load = _load("native.follow")
                    if load is None:
                        raise Unfused("Numba cannot be used")
                    follow[double] = load(double)
                given = [v for v in tape.operands if v not in self.static]
                name = self.p.name(f"loop_{n}")
                self.space[name] = Player(
                    tape, follow[double], given, {v: self.static[v] for v in tape.operands if v in self.static}, outs
                )
                step.text = f"{name}({', '.join(v.name for v in given)})"
            else:
                for v in dict.fromkeys(line.inputs):
                    body += self._view(v, views)
                if step.kind == "dot":
                    step.text = self._product(line)
                else:
                    step.text = assigned(line)
                    if line.out in outs:  # (a copy that no tape serves)
                        step.text = f"np.copyto({line.out.name}, {line.expression()})"
            body.append(step.text)
            self.statements.append(body[begin:])
            if step.kind == "numpy":
                gone = [
                    v.name for v in step.reads
                    if last.get(v) == i and v.line is not None and v not in self.static and v not in outs and math.prod(v.shape) > 1 << 14
                    and not any(source_of_any(w) is v for w in views)
                ]  # fmt: skip
                if gone:
                    body.append(f"del {', '.join(sorted(gone))}")
        self.body = body
        self.text = (
            "\n".join([f"def fused({', '.join(names)}):", *(f"    {b}" for b in body), "    return False"]) + "\n"
        )
        exec(compile(self.text, "<a step, fused>", "exec"), self.space)
        self.function = self.space["fused"]

    def _loop_type(self, step: Step) -> Any:
        for line in step.lines:
            if line.kind != "check":
                return line.out.dtype
            if line.inputs[0].dtype != np.int64:
                return line.inputs[0].dtype
        return np.dtype(np.float32)

    def _view(self, v: Var, views: dict[Var, str]) -> list[str]:
        """The statements that make a view, of what is handed in; that of planned memory is made once."""
        if v.line is None or v.line.kind != "view" or v in views or v.name in self.space:
            return []
        before = self._view(v.line.inputs[0], views)
        base = v.line.inputs[0]
        if base.name in self.space and (base in self.static or source_of_any(base) in self.static):
            made = eval(v.line.expression(), self.space)
            if np.may_share_memory(made, self.space[base.name]):
                self.space[v.name] = made
                return before
            # else NumPy copies, as where what was transposed is given another shape: that is done at each call
        views[v] = v.name
        return [*before, f"{v.name} = {v.line.expression()}"]

    def _product(self, line: Line) -> str:
        if line.kind == "rows":
            length, dtype = line.inputs[0].shape[0], line.out.dtype
            if (length, dtype) not in self.ones:
                self.ones[length, dtype] = self.p.name(f"ones_{length}_{dtype.name}")
            ones = self.ones[length, dtype]
            self.space.setdefault(ones, np.ones(length, dtype))
            return f"np.dot({ones}, {line.inputs[0].name}, out={line.out.name})"
        text, a = line.expression(), line.inputs[0]
        rows, columns = line.out.shape
        if (
            line.more["ta"]
            and a.line is not None
            and a in self.static
            and a.shape[0] <= 256
            and rows >= 32
            and columns >= 128
        ):
            # BLAS reads a small matrix once for each part of a large one: it is quicker turned (with the same bits).
            turned = self.p.name(f"{a.name}_turned")
            self.space[turned] = np.empty(a.shape[::-1], a.dtype)
            text = f"np.copyto({turned}, {a.name}.T); " + text.replace(f"{a.name}.T", turned, 1)
        return re.sub(r"\)$", f", out={line.out.name})", text)
