"""A program as Python: the function that is run, and the one that is printed."""

from __future__ import annotations

from typing import Any

from .helpers import helpers_of
from .program import BACKWARD, FORWARD, Line, Program, Var
from .updates import update_text
from .written import printed

_LARGE = 1 << 14  # elements from which an array is let go as soon as nobody reads it any more


def run_text(p: Program) -> str:
    """The function that is run: the lines, and what they give."""
    names = ", ".join(v.name for v in p.inputs)
    lines = [f"def program({names}):"]
    last: dict[Var, int] = {}
    for i, line in enumerate(p.lines):
        for v in (*line.inputs, *line.more.get("after", ())):
            last[v] = i
    for i, line in enumerate(p.lines):
        lines.append(f"    {assigned(line)}")
        gone = [
            v
            for v in dict.fromkeys(line.inputs)
            if last[v] == i and v.line is not None and v not in p.kept and _size(v) >= _LARGE
        ]
        if gone:
            lines.append(f"    del {', '.join(v.name for v in gone)}")
    kept = ", ".join(v.name for v in kept_of(p))
    lines.append(f"    return ({kept}{',' if kept else ''})")
    return "\n".join(lines) + "\n"


def kept_of(p: Program) -> list[Var]:
    """What the function gives back, in order."""
    seen = [v for line in p.lines for v in (line.out, *(w for w in line.outs if w is not None)) if v in p.kept]
    return [*dict.fromkeys([*[v for v in p.inputs if v in p.kept], *seen])]


def _size(v: Var) -> int:
    n = 1
    for k in v.shape:
        n *= k
    return n


def assigned(line: Line) -> str:
    """The line as a statement."""
    if line.kind == "check":
        return line.expression()
    if line.outs:
        return f"{', '.join('_' if v is None else v.name for v in line.outs)}, = {line.expression()}"
    if line.kind == "call":
        held = line.more.get("holder")
        return f"{line.out.name}, {f'{held}.context' if held else line.more['context']} = {line.expression()}"
    return f"{line.out.name} = {line.expression()}"


def definition(p: Program, name: str) -> str:
    """The printed program."""
    body: list[str] = []
    lines = printed(p)
    drawn = [line for line in lines if line.kind == "draw"]
    lines = [line for line in lines if line.kind != "draw"]
    calls = sorted({line.note for line in lines if line.kind in ("call", "whole")})
    width = min(84, max([len(assigned(line)) for line in lines] or [0])) + 2
    section = ""
    for line in lines:
        if line.section != section:
            section = line.section
            body.append(f"    # {section}")
        body.append(f"    {assigned(line) + '  ':<{width}}# {_comment(line)}")
    gradients = _gradients(p)
    results = [v.name for v in results_of(p.results)]
    gives = ", ".join(
        [*results, "{" + ", ".join(f"{path!r}: {v.name}" for path, v in gradients) + "}"] if gradients else results
    )
    head = ["import numpy as np", ""]
    if calls:
        head.append(
            f"# Called, and not written out: {', '.join(calls)}. (`run` and `back` call the operation's own code.)"
        )
    for source in helpers_of("\n".join(assigned(line) for line in lines)):
        head += ["", *source.splitlines()]
    body.append(f"    return {gives}")
    read = {v for line in lines for v in line.inputs} | p.kept
    inputs = [v for v in p.inputs if v in read]
    head += ["", f"def {name}({', '.join([*(v.name for v in inputs), *(line.out.name for line in drawn)])}):"]
    for v in inputs:
        known = "" if v.path == v.name else f", the program's {v.path}"
        head.append(f"    # {v.name}: {_shape(v)}{known}")
    for line in drawn:
        head.append(f"    # {line.out.name}: {_shape(line.out)}, drawn anew for each call: {line.more['drawn']}")
    tail = _update(p)
    return "\n".join([*head, *body, *tail]) + "\n"


def _comment(line: Line) -> str:
    if line.section == FORWARD:
        formula = f"  {line.more['formula']}" if "formula" in line.more else ""
        return f"{line.nr:>2}  {_shape(line.out) + '  ' if line.kind != 'check' else ''}{line.note}{formula}"
    told = line.note
    if line.of is not None:
        numbers = [nr for one in line.of.more.get("group", [line.of]) for nr in one.numbers()]
        if numbers:
            low, high = min(numbers), max(numbers)
            told = f"of line{'' if low == high else 's'} {low if low == high else f'{low} to {high}'}: {line.note}"
    formula = f"  {line.more['formula']}" if "formula" in line.more else ""
    return f"{line.nr:>2}  {_shape(line.out)}  {told}{formula}"


def _shape(v: Var) -> str:
    return (
        "("
        + ", ".join(map(str, v.shape))
        + ("," if len(v.shape) == 1 else "")
        + ")"
        + ("" if v.dtype.name == "float32" else f" {v.dtype.name}")
    )


def _gradients(p: Program) -> list[tuple[str, Var]]:
    """The gradients of the leaves, by the names of these: those at the first use of them."""
    found: dict[int, tuple[str, Var]] = {}
    names = p.objects["names of leaves"]
    for effect in p.steps:
        if effect[0] == "grads":
            for key, (kind, what) in effect[1].items():
                var = what if kind == "new" else what[0] if kind == "plus" and len(what) == 1 else None
                if var is not None:
                    found.setdefault(key, (names[key], var))
    return list(found.values())


def results_of(x: Any) -> list[Var]:
    var = getattr(x, "var", None)
    if isinstance(var, Var):
        return [var]
    if isinstance(x, list | tuple):
        return [v for part in x for v in results_of(part)]
    if isinstance(x, dict):
        return [v for part in x.values() for v in results_of(part)]
    return []


def _update(p: Program) -> list[str]:
    """The optimizers' steps, as functions of one parameter."""
    lines: list[str] = []
    for effect in p.steps:
        if effect[0] == "clip":
            lines += ["", "", "# update", "# first, all gradients are scaled so that the norm of all together is at most "
                      f"{effect[2]!r}: g *= min(1, {effect[2]!r} / (norm + 1e-6))"]  # fmt: skip
        if effect[0] == "clip values":
            lines += ["", "", "# update", f"# first, each element of each gradient is held within ±{effect[2]!r}: g = np.clip(g, -{effect[2]!r}, {effect[2]!r})"]  # fmt: skip
        if effect[0] == "write":
            name = next((v.name for v in p.inputs if v.tensor is effect[1]), "a tensor of the program's")
            lines.append(f"# then {name} takes the values of {effect[2].name}")
        if effect[0] == "move":
            lines.append("# (batch norm: running statistics += momentum * (those of the batch - running statistics))")
        if effect[0] == "schedule":
            lines.append(f"# then {type(effect[1]).__name__} sets the rate of the next step")
        if effect[0] != "update":
            continue
        optimizer = effect[1]
        lines += ["", ""] if "# update" not in lines else [""]
        if "# update" not in lines:
            lines.append("# update")
        several = len(optimizer.param_groups) > 1
        names = p.objects["names of leaves"]
        for i, group in enumerate(optimizer.param_groups):
            told = update_text(optimizer, group, f"update_{i + 1}" if several else "update")
            if told is None:
                lines.append(f"# by {type(optimizer).__name__}, whose lines are not written out here")
                break
            if several:
                lines.append(f"# for {', '.join(names.get(id(x), '?') for x in group['params'])}")
            lines += [*told, ""] if several and i + 1 < len(optimizer.param_groups) else told
    return lines


__all__ = ["BACKWARD", "definition", "kept_of", "results_of", "run_text"]
