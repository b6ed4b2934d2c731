"""Operations that a program calls, as lines of NumPy for who reads it (`source()`).

What runs is the operation's own code, which is quick; what is printed says the same in NumPy alone, up to rounding. The texts
stand in texts/, one entry for each operation, forward and backward side by side:

    text(Maximum, "out = np.maximum(a, b)", '''
        half = np.where(a == b, g / 2, g)  # at a tie half to each
        da = np.where(a < b, 0, half)
        db = np.where(a > b, 0, half)''')

    a, b         the parameters of the operation's `forward`, arrays and settings; of several (`*tensors`) tensors_0, tensors_1 ...
    out          the output
    g            its gradient
    da, db       the gradients of the inputs; what is not wanted is left out
    others       names of the text's own; those of the forward text are there in the backward one too
    # ...        a formula, which is printed at the line's end

Where the text depends on settings or shapes, the entry is a function of the `Call` that gives both texts. The functions of NumPy
that are called by several texts are in helpers.py, and printed with a program that calls them.
"""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..quiet import quiet
from .helpers import SPACE
from .program import BACKWARD, FORWARD, Line, Program, Var, number

Both = tuple[str, str]
TEXTS: dict[Any, Callable[[Call], Both]] = {}


class NoText(Exception):
    """The text does not serve these settings: the operation is printed as a call."""


class Call:
    """An operation that a program calls: `call.x`, `call.axes` ... are its inputs, by the names of `forward`'s parameters."""

    def __init__(self, form: Any, inputs: list[Any], needs: tuple[bool, ...], out: Var) -> None:
        self._form, self._inputs, self._needs, self._out = form, inputs, needs, out
        self._names = _parameters(form, len(inputs))
        self._plain: dict[str, Any] = {}  # by name, also of several under one name
        for name, x in zip(self._names, inputs, strict=True):
            self._plain[name] = x
            stem = name.rpartition("_")[0]
            if name[-1].isdigit() and stem:
                self._plain[stem] = (*self._plain.get(stem, ()), x)
        self._names_of_arrays: dict[str, Any] = {}  # that the text gives to arrays inside of a setting, as in a key
        self._names_of_lines: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_plain"][name]
        except KeyError:
            raise AttributeError(name) from None

    def wants(self, name: str) -> bool:
        """Whether the gradient by this input is wanted."""
        return self._needs[self._names.index(name)]

    @property
    def out(self) -> Var:
        return self._out


def _parameters(form: Any, n: int) -> list[str]:
    """The names of the inputs of an operation's `forward`; of a compiled form those of the form that has a text."""
    names: list[str] = []
    named = next((cls for cls in form.__mro__ if cls in TEXTS), form)
    for parameter in list(inspect.signature(named.forward).parameters.values())[1:]:
        if parameter.kind is parameter.VAR_POSITIONAL:
            names += [f"{parameter.name}_{i}" for i in range(n - len(names))]
        else:
            names.append(parameter.name)
    return names[:n]


def text(classes: Any, forward: str, backward: str) -> None:
    """Enter the texts of an operation, or of several that have the same."""
    for cls in classes if isinstance(classes, tuple) else (classes,):
        TEXTS[cls] = lambda call: (forward, backward)


def by_settings(*classes: Any) -> Any:
    """Enter a function of the call, which gives both texts. A decorator."""

    def enter(function: Callable[[Call], Both]) -> Callable[[Call], Both]:
        for cls in classes:
            TEXTS[cls] = function
        return function

    return enter


def entry_of(form: Any) -> Callable[[Call], Both] | None:
    """The entry of an operation: its own, or that of the class whose forward and backward it has or compiles."""
    for cls in form.__mro__:
        if cls in TEXTS:
            same = cls.forward is form.forward and cls.backward is form.backward
            return TEXTS[cls] if same or form.__module__.startswith("minigrad.kernels.") else None
    return None


# -- from texts to lines


def printed(p: Program) -> list[Line]:
    """The lines that are printed, numbered: calls as the lines that their texts give, without what nobody reads."""
    if p.printed is None:
        p.printed = _live(p, _expanded(p))
        for line in p.lines:
            line.nr = 0
        for i, line in enumerate((line for line in p.printed if line.kind != "draw"), 1):
            line.nr = i
    return p.printed


def _expanded(p: Program) -> list[Line]:
    found: dict[Line, list[Line]] = {}
    for line in p.lines:  # a call whose backward has no text is printed as a call forward too
        if line.kind == "call":
            forward = line if line.of is None else line.of
            try:
                found[line] = _written(p, line)
            except NoText:
                found.pop(forward, None)
                found[line] = [line]
                forward.more["no text"] = True
    lines: list[Line] = []
    for line in p.lines:
        forward = line if line.of is None else line.of
        instead = found.get(line, [line]) if not (line.kind == "call" and "no text" in forward.more) else [line]
        if instead != [line]:
            line.more["written"] = instead
        lines += instead
    return lines


def _live(p: Program, lines: list[Line]) -> list[Line]:
    wanted, kept = set(p.kept), []
    for line in reversed(lines):
        results = [line.out, *(v for v in line.outs if v is not None)]
        if line.kind == "check" or any(v in wanted for v in results):
            kept.append(line)
            wanted.update(line.inputs)
            wanted.update(line.more.get("after", ()))
    return kept[::-1]


def _written(p: Program, line: Line) -> list[Line]:
    """The lines of one call. Errors: NoText."""
    if line.of is None or line.of.kind != "call":
        call: Any = line.more.get("call")
        entry = None if call is None else entry_of(call._form)
        if entry is None:
            raise NoText
        forward, call._backward = entry(call)
        names = dict(zip(call._names, call._inputs, strict=True)) | call._names_of_arrays
        call._names_of_lines = names
        return _lines(p, forward, names, {"out": call._out}, line, FORWARD)
    call = line.of.more.get("call")
    if call is None or "no text" in line.of.more:
        raise NoText
    names = {**call._names_of_lines, "out": call._out, "g": line.inputs[0]}
    targets = {f"d{n}": v for n, v in zip(call._names, line.outs, strict=False)}
    return _lines(p, call._backward, names, targets, line, BACKWARD)


def _lines(
    p: Program, source: str, names: dict[str, Any], targets: dict[str, Any], of: Line, section: str
) -> list[Line]:
    lines: list[Line] = []
    left = {name for name, v in targets.items() if v is not None}
    for row in source.strip().splitlines():
        statement, _, formula = row.partition("  # ")
        target, _, expression = statement.strip().partition(" = ")
        wanted = target.split(", ")
        if len(wanted) == 1 and target in targets and targets[target] is None:
            continue
        template, variables = _template(expression, names)
        outs: list[Var | None] = []
        for name, made in zip(wanted, _shapes(expression, names, wanted, targets), strict=True):
            var = targets.get(name)
            if var is None and name not in targets:
                var = Var(p.name(_spoken(name, names)), *made)
            if var is not None:
                names[name] = var
                left.discard(name)
            outs.append(var)
        first = next((v for v in outs if v is not None), None)
        if first is None:
            continue
        more = {"formula": formula} if formula else {}
        kind = "numpy"
        line = Line(kind, template, variables, first, section, of.note, more, outs if len(outs) > 1 else [], of.of)
        lines.append(line)
    if left:
        raise NoText(f"{of.note}: its text has no {', '.join(sorted(left))}")
    for line in lines:
        line.more["at"] = of.more.get("at", "")
    return lines


def _spoken(name: str, names: dict[str, Any]) -> str:
    """A text's own name as one of the program: `d` before an input's name as in `d_w`."""
    return f"d_{names[name[1:]].name}" if name[0] == "d" and isinstance(names.get(name[1:]), Var) else name


def _template(expression: str, names: dict[str, Any]) -> tuple[str, list[Var]]:
    """The expression with {0}, {1} ... for arrays, and settings as they are."""
    variables: list[Var] = []
    found: list[tuple[int, int, str]] = []
    for node in ast.walk(ast.parse(expression, mode="eval")):
        if isinstance(node, ast.Name) and node.id in names:
            value = names[node.id]
            if isinstance(value, Var):
                if value not in variables:
                    variables.append(value)
                instead = f"{{{variables.index(value)}}}"
            else:
                instead = literal(value)
            assert node.end_col_offset is not None
            found.append((node.col_offset, node.end_col_offset, instead))
    parts, place = [], 0
    source = expression.encode()
    for begin, end, instead in sorted(found):
        parts += [source[place:begin].decode().replace("{", "{{").replace("}", "}}"), instead]
        place = end
    parts.append(source[place:].decode().replace("{", "{{").replace("}", "}}"))
    return "".join(parts), variables


def literal(x: Any) -> str:
    """A setting as it is printed."""
    if isinstance(x, np.generic):
        x = x.item()
    if isinstance(x, bool | str | type(None)):
        return repr(x)
    if isinstance(x, int | float):
        return number(x)
    if isinstance(x, np.dtype):
        return f"np.{x.name}"
    if isinstance(x, tuple | list) and all(isinstance(n, int | float | str | tuple) for n in x):
        inner = ", ".join(literal(n).strip("()") if isinstance(n, int | float) else literal(n) for n in x)
        return f"({inner}{',' if len(x) == 1 else ''})"
    raise NoText


def key_text(key: Any, arrays: Any = None) -> str:
    """What stands between the brackets of x[...]: of (slice(None), 0) it is ":, 0"."""
    parts = []
    for k in key if isinstance(key, tuple) else (key,):
        if k is Ellipsis:
            parts.append("...")
        elif k is None:
            parts.append("None")
        elif isinstance(k, slice):
            ends = ["" if n is None else str(int(n)) for n in (k.start, k.stop)]
            parts.append(":".join(ends) + ("" if k.step in (None, 1) else f":{int(k.step)}"))
        elif isinstance(k, int | np.integer):
            parts.append(str(int(k)))
        elif isinstance(k, str):  # a name of the text
            parts.append(k)
        else:
            raise NoText
    return ", ".join(parts) if parts else "..."


@quiet
def _shapes(expression: str, names: dict[str, Any], wanted: list[str], targets: dict[str, Any]) -> list[Any]:
    """Shape and type of what a statement makes: run on ones, if they are not known."""
    if all(name in targets for name in wanted):
        return [None] * len(wanted)
    values = {n: np.ones(v.shape, v.dtype) if isinstance(v, Var) else v for n, v in names.items()}
    for name, v in values.items():
        if isinstance(names[name], Var) and v.dtype.kind in "iu":
            values[name] = np.zeros_like(v)  # (an index)
    made = eval(expression, {**SPACE, **values})
    several = made if len(wanted) > 1 else [made]
    return [(np.shape(m), np.asarray(m).dtype) for m in several]


def elements(x: Var) -> int:
    return math.prod(x.shape)


__all__ = [
    "TEXTS",
    "Call",
    "NoText",
    "by_settings",
    "elements",
    "entry_of",
    "key_text",
    "literal",
    "printed",
    "text",
]
