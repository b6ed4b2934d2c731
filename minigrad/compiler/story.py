"""What runs, told: the fused and the compiled form as text, what each statement costs, and a picture of memory over the step."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from .. import quiet
from ..autograd.modes import current
from ..counted import counted
from ..random import default_generator
from .fuse import Fused, Step
from .loops import LANES, Loops
from .program import KINDS, Line, Var
from .tapes import LOOP, MINUS_AT, OPS, PICK, Tape, source_of
from .text import assigned, definition
from .written import printed

_REPEATS = 5
_PARTS = (
    "", "sum of all elements of", "largest of each row of", "sum of each row of", "of each row the element, of", "", "check the range of", "check the labels",
)  # fmt: skip
_SHOWN = 40  # lines of a table


def lines_told(lines: list[Line]) -> str:
    """ "lines 3 to 6, 9" """
    numbers = sorted({nr for line in lines for nr in line.numbers()})
    runs: list[list[int]] = []
    for n in numbers:
        if runs and runs[-1][1] == n - 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    told = ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in runs)
    return ("line " if len(numbers) == 1 else "lines ") + told if told else "results"


# -- the fused form


def fused_text(fused: Fused, name: str) -> str:
    """The fused program with its loops written out, as they are meant: arrays in loops are seen flat."""
    head = [
        "# What runs. In a loop x[i] is element i of x seen flat; a name without [i] is held in the loop alone and never in memory.",
        f"# Memory that stays from call to call: {', '.join(f'{v.name} {_shape(v)}' for v, *_ in fused.planned) or 'none'}",
        f"def {name}({', '.join(v.name for v in fused.inputs)}, *, {', '.join(v.name for v in fused.outs)}):",
        "    # (what stands after * is written into)",
    ]
    body: list[str] = []
    for step in fused.steps:
        if step.kind == "loop":
            body += [
                f"    # {step.text.partition('(')[0]}, {lines_told(step.lines)}",
                *(f"    {t}" for t in _loops(step)),
            ]
        else:
            body += [f"    {part}  # {lines_told(step.lines)}" for part in step.text.split("; ")]
    return "\n".join([*head, *body]) + "\n"


def _loops(step: Step) -> list[str]:
    """The lines of a tape as loops over elements."""
    tape: Tape = step.tape
    text: list[str] = []
    size = None
    for line in step.lines:
        by_element = line.kind == "elementwise"
        if not by_element:
            if not line.more.get("one") or line.out in tape.operands:
                text.append(assigned(line))
            size = None
            continue
        n = math.prod(line.out.shape)
        if size != n and n > 1:
            text.append(f"for i in range({n}):")
        size = n
        operands = [_element(v, line.out, tape) for v in line.inputs]
        place = f"{line.out.name}[{'i' if n > 1 else '0'}]" if line.out in tape.operands else line.out.name
        text.append(f"{'    ' if n > 1 else ''}{place} = {line.text.format(*operands)}")
    return text


def _element(v: Var, out: Var, tape: Tape) -> str:
    root, inner, count = source_of(v, out.shape)
    if root.line is not None and root.line.more.get("one"):
        return "1"
    if root not in tape.operands:
        return root.name
    if count == 1:
        return f"{root.name}[0]"
    if (inner, count) == (1, math.prod(out.shape)):
        return f"{root.name}[i]"
    where = "i" if inner == 1 else f"i // {inner}"
    return (
        f"{root.name}[{where}]"
        if inner * count == math.prod(out.shape)
        else f"{root.name}[{f'({where})' if inner > 1 else where} % {count}]"
    )


def loops_text(loops: Loops, name: str) -> str:
    """The lines of a small network's step in the loops over rows that run them."""
    p = loops.p
    text = [
        f"# What runs: one compiled function. Each loop goes over the {loops.n} rows in blocks of {LANES}, and does its lines for one block",
        "# after the other; a sum over rows is ready when its loop is, and so a line that needs it stands in the next.",
        f"def {name}({', '.join(v.name for v in p.inputs)}):",
    ]
    for level in range(max(loops.level.values()) + 1):
        for line in p.lines:
            if line.kind == "elementwise" and line.out not in loops.rows and loops.level[line.out] == level:
                text.append(f"    {assigned(line)}  # {lines_told([line])}")
        mine = [
            line for line in p.lines
            if line.kind != "view" and not line.more.get("one") and loops._runs_at(line) == level and loops._in_loop(line)
        ]  # fmt: skip
        if mine:
            text.append(f"    for rows in range(0, {loops.n}, {LANES}):")
            for line in mine:
                late = line.kind in ("rows", "all") or (line.kind == "dot" and line.out not in loops.rows)
                said = assigned(line).replace(" = ", " += ", 1) if late else assigned(line)
                text.append(f"        {said}  # {lines_told([line])}")
    return "\n".join(text) + "\n"


# -- the compiled form


def compiled_text(fused: Fused) -> str:
    """The statements as they are run, and each tape's instructions as the compiled loop follows them."""
    text = [fused.text.rstrip()]
    for step in fused.steps:
        if step.kind != "loop":
            continue
        tape: Tape = step.tape
        names = {row: v.name for v, row in tape.operands.items()}
        free = 0
        for row, value in tape.registers:
            if value is None:
                names[row], free = f"r{free}", free + 1
            else:
                names[row] = f"{value:g}"
        block = max([p[5] for p in tape.parts if p[0] == LOOP] or [0])
        text += [
            "",
            f"# {step.text.partition('(')[0]}, {tape.dtype.name}: followed by minigrad/kernels/tape.py; r0, r1 ... hold a block of {block} elements",
        ]
        for part in tape.parts:
            kind, first, last, n, m, more = part
            if kind == MINUS_AT:
                text.append(f"#   from {names[first]} take away {names[last]}, in each row at the label {names[more]}")
            elif kind != LOOP:
                labels = f" at the label {names[more]}" if kind == PICK else ""
                text.append(
                    f"#   {names[last]} <- {_PARTS[kind]} {names[first]}{labels} ({n}{f' x {m}' if m > 1 else ''})"
                )
            if kind != LOOP:
                continue
            text.append(f"#   {n} elements, a block at a time:")
            for at, (op, out, a, b, c, inner, count) in enumerate(tape.code[first:last], first):
                if OPS[op] == "spread":
                    where = "0" if count == 1 else f"(i // {inner}) % {count}" if inner > 1 else f"i % {count}"
                    once = "  (for the first block: it is the same in all)" if at < m else ""
                    text.append(f"#     {names[out]} = {names[a]}[{where}]{once}")
                    continue
                if OPS[op] == "select":
                    text.append(
                        f"#     {names[out]} = where {names[a]} {OPS[count]} {names[b]}: {names[c]}, else {names[inner]}"
                    )
                    continue
                used = [a, b, c][: 3 if OPS[op] == "where" else 1 if 9 <= op <= 17 or op in (0, 2) else 2]
                text.append(f"#     {names[out]} = {OPS[op]} {' '.join(names[k] for k in used)}")
    return "\n".join(text) + "\n"


# -- what it costs


def measure(steps: list[tuple[str, Any]], space: dict[str, Any]) -> list[float]:
    """Seconds of each statement, the best of a few runs of all, on arrays in `space`. The random stream stays where it is."""
    codes = [compile(text, "<a statement>", "exec") for text, _ in steps]
    best = [math.inf] * len(codes)
    state, before, outside = default_generator.get_state(), current.recording, quiet.state()
    try:
        current.recording = False
        quiet.enter(outside)
        for _ in range(_REPEATS):
            for i, code in enumerate(codes):
                start = time.perf_counter()
                exec(code, space)
                best[i] = min(best[i], time.perf_counter() - start)
    finally:
        default_generator.set_state(state)
        current.recording = before
        quiet.put_back(outside)
    return best


def costs(rows: list[tuple[str, str, str]], seconds: list[float]) -> list[str]:
    """A table: microseconds, a bar, the lines, the statement, and why."""
    whole = max(sum(seconds), 1e-12)
    order = sorted(range(len(rows)), key=lambda i: -seconds[i])[:_SHOWN]
    text = []
    for i in sorted(order):
        lines, statement, why = rows[i]
        bar = "#" * round(20 * seconds[i] / whole)
        text.append(
            f"      {seconds[i] * 1e6:9.1f} us  {bar:<20}  {lines:<16}  {_short(statement, 60):<60}  {why}".rstrip()
        )
    if len(order) < len(rows):
        rest = sum(s for i, s in enumerate(seconds) if i not in set(order))
        text.append(f"      {rest * 1e6:9.1f} us  {'':<20}  {len(rows) - len(order)} others")
    return text


def _short(text: str, n: int) -> str:
    return text if len(text) <= n else text[: n - 3] + "..."


def fused_rows(fused: Fused) -> list[tuple[str, str, str]]:
    """What is told of each statement of the fused form."""
    rows = []
    for i, step in enumerate(fused.steps):
        if step.kind == "loop":
            names = [line.out.name for line in step.lines if line.out in step.tape.operands]
            following = fused.steps[i + 1] if i + 1 < len(fused.steps) else None
            why = f"one loop: {len(step.lines)} line{'s' * (len(step.lines) > 1)}, each from elements that are at hand"
            if following is not None:
                why += f"; it ends where {'a product' if following.kind == 'dot' else following.lines[0].note or 'a call'} needs the whole"
            rows.append((lines_told(step.lines), f"{step.text.partition('(')[0]} -> {', '.join(names)}", why))
        elif step.kind == "dot":
            rows.append((lines_told(step.lines), step.text, "BLAS, into memory that stays"))
        else:
            line = step.lines[0]
            why = "the operation's own code" if line.kind in ("call", "whole") else "NumPy: no loop for it"
            if "joined" in line.more:
                why = f"{line.note}, two in one pass over memory"
            rows.append((lines_told(step.lines), step.text, why))
    return rows


def memory_picture(fused: Fused) -> list[str]:
    """Each piece of planned memory over the statements of the step, and the values that take turns in it."""
    if not fused.planned:
        return ["    memory: nothing is planned"]
    n = len(fused.steps)
    width = min(n, 60)
    alone = sum(max(math.prod(v.shape), 1) * v.dtype.itemsize for v, *_ in fused.planned)
    in_use = [0] * n
    for v, _, start, end in fused.planned:
        for i in range(start, end + 1):
            in_use[i] += math.prod(v.shape) * v.dtype.itemsize
    text = [
        f"    memory that stays: {len(fused.planned)} values in {len(fused.memories)} pieces, {sum(fused.memories):,} bytes "
        f"({alone:,} if each had its own; at most {max(in_use):,} are in use at once)",
        f"      {'bytes':>12}  statements 1 to {n}",
    ]
    order = sorted(range(len(fused.memories)), key=lambda k: -fused.memories[k])
    for k in order[:_SHOWN]:
        row = ["."] * width
        names = []
        for j, (v, _, start, end) in enumerate(p for p in fused.planned if p[1] == k):
            for i in range(start * width // n, end * width // n + 1):
                row[i] = "#=+*"[j % 4]
            names.append(v.name)
        text.append(f"      {fused.memories[k]:>12,}  |{''.join(row)}|  {_short(', '.join(names), 60)}")
    if len(order) > _SHOWN:
        text.append(f"      {sum(fused.memories[k] for k in order[_SHOWN:]):>12,}  {len(order) - _SHOWN} smaller ones")
    top = max(max(in_use), 1)
    step_ = [max(in_use[i * n // width : max((i + 1) * n // width, i * n // width + 1)]) for i in range(width)]
    text.append(f"      {'in use':>12}  |{''.join(' .:-=+*#'[min(7, round(7 * s / top))] for s in step_)}|")
    return text


def _shape(v: Var) -> str:
    return "(" + ", ".join(map(str, v.shape)) + ("," if len(v.shape) == 1 else "") + ")"


def numpy_rows(lines: list[Line]) -> tuple[list[tuple[str, str, str]], list[tuple[str, Any]]]:
    """Of a program's lines as NumPy runs them: what is told, and what is measured."""
    shown = [line for line in lines if line.kind != "check"]
    return [(lines_told([line]), assigned(line), line.note) for line in shown], [
        (assigned(line), line) for line in shown
    ]


def new_outs(variables: list[Var]) -> list[Any]:
    """Memory for results that are only measured."""
    return [np.empty(v.shape, v.dtype) for v in variables]


# -- one part of a program, told


def source_of_part(part: Any, name: str, form: str) -> str:
    """One part of a program, in one of its forms."""
    if form == "definition":
        return definition(part.program, name)
    if part.loops is None and part.fused is None:
        raise RuntimeError(f"this program has no {form} form: {part.why_not}")
    if part.loops is not None:
        if form == "fused":
            return loops_text(part.loops, name)
        return part.form.text if part.fast is None else part.fast.text
    assert part.fused is not None  # one of the two, or the error above
    return fused_text(part.fused, name) if form == "fused" else compiled_text(part.fused)


def explained(part: Any) -> list[str]:
    """What is told of one part of a program, apart from its costs."""
    printed(part.program)
    kinds: dict[str, int] = {}
    for line in part.program.lines:
        kinds[line.kind] = kinds.get(line.kind, 0) + 1
    told = ", ".join(f"{n} × {KINDS.get(kind, kind)}" for kind, n in kinds.items())
    lines = [f"    {len(part.program.lines)} lines: {told}"]
    if called := sorted({line.note for line in part.program.lines if line.kind in ("call", "whole")}):
        lines.append(f"    run by the operation's own code: {', '.join(called)}")
    if unwritten := sorted({line.note for line in printed(part.program) if line.kind in ("call", "whole")}):
        lines.append(f"    printed as calls, for want of a text: {', '.join(unwritten)}")
    if part.loops is not None:
        form = "one compiled loop over blocks of rows"
    elif part.fused is not None:
        counts = {kind: sum(s.kind == kind for s in part.fused.steps) for kind in ("loop", "dot", "numpy")}
        form = (
            f"{counted(counts['loop'], 'fused loop')}, {counted(counts['dot'], 'product')} and "
            f"{counted(counts['numpy'], 'other call')}"
        )
        if part.later is not None:
            form += f" ({part.what_comes()})"
    else:
        form = f"NumPy, line by line ({part.why_not})"
    return [*lines, f"    run as {form}; ran {counted(part.calls, 'time')}"]
