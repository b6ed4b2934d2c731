"""The written-out step in between recording and text: lines of arithmetic on named arrays.

A `Line` makes one array. Its `text` is the NumPy that makes it, with {0}, {1} ... for its inputs; `kind` says what is known
of it, so that who writes it in another form need not read the text:

    elementwise   each element from the elements of the inputs at its place, broadcast
    dot           a product of two matrices, either of them transposed
    rows          the sum over the rows of a matrix
    all           the sum of all elements
    reduce        the sum or the largest along the last dimension
    pick          of each row the element that an index names
    minus_at      an amount taken away there, in place
    view          the same elements seen in another shape or order
    numpy         other NumPy
    call          an operation's own code, on arrays; how it is printed says written.py
    check         what must hold, or the step is run eagerly
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .helpers import HELPERS

# The kinds of lines, in the words of `explain()`.
KINDS = {
    "elementwise": "element by element", "dot": "matrix product", "rows": "sum over rows", "all": "sum of all elements",
    "reduce": "sum or largest of each row", "pick": "element of each row by index", "minus_at": "change of it",
    "view": "view", "numpy": "other NumPy", "call": "operation called as it is", "check": "check",
}  # fmt: skip

# Names that the texts of lines use, which no array may have: of `x[:2]` the text says `slice(None, 2, None)`.
_OF_TEXTS = ("np", "run", "back", "draw", "slice", "Ellipsis", "Geometry", "inf", "nan", "range", "len", *HELPERS)

FORWARD, BACKWARD, UPDATE = "forward", "backward", "update"


class Refused(Exception):
    """The values do not allow the program: the step runs eagerly, and raises what it raises."""


@dataclass(eq=False)
class Var:
    """A named array of the program."""

    name: str
    shape: tuple[int, ...]
    dtype: Any
    line: Line | None = None  # that makes it; None of an input
    tensor: Any = None  # of an input that is not an argument: the tensor
    argument: int | None = None  # of an argument: which one
    path: str = ""  # of an input: the user's name for it
    strides: tuple[int, ...] = ()


@dataclass(eq=False)
class Line:
    kind: str
    text: str
    inputs: list[Var]
    out: Var
    section: str
    note: str = ""  # what the line is, for a reader: "Linear", or of backward "of line 3: Linear"
    more: dict[str, Any] = field(default_factory=dict)
    outs: list[Var | None] = field(default_factory=list)  # of a call of `backward`: by input
    of: Line | None = None  # of a backward line: the forward line
    nr: int = 0

    def numbers(self) -> list[int]:
        """The numbers of the lines that are printed for it: of a call those of its text, of lines joined those of all."""
        if "joined" in self.more:
            return [n for line in self.more["joined"] for n in line.numbers()]
        return [line.nr for line in self.more.get("written", [self]) if line.nr]

    def expression(self) -> str:
        return self.text.format(*(v.name for v in self.inputs))

    def formula(self) -> str:
        """The text of arithmetic, its inputs named arg_0, arg_1 ...; what matters only to NumPy left out."""
        return self.text.format(*(f"arg_{i}" for i in range(len(self.inputs)))).replace("np.asarray", "")


class Program:
    """The inputs, the lines, and what becomes of the results."""

    def __init__(self) -> None:
        self.inputs: list[Var] = []
        self.lines: list[Line] = []
        self.objects: dict[str, Any] = {}  # what calls name: classes, settings that have no text
        self.section = FORWARD
        self.note = ""
        self.of: Line | None = None
        self._taken: set[str] = set(_OF_TEXTS)
        self.steps: list[
            Any
        ] = []  # effects, in order: ("set", leaf, Var or None), ("update", optimizer), ("clip", ...)
        self.results: Any = None  # the structure of what the step returns, Vars in the place of tensors
        self.kept: set[Var] = set()  # results that leave the program
        self.printed: list[Line] | None = None  # what `written.printed` made of the lines

    def name(self, wanted: str) -> str:
        """A name that nothing has yet."""
        base = re.sub(r"\W+", "_", wanted).strip("_") or "h"
        if base[0].isdigit() or keyword.iskeyword(base):
            base = f"p_{base}"
        name, n = base, 2
        while name in self._taken:
            name, n = f"{base}_{n}", n + 1
        self._taken.add(name)
        return name

    def bind(self, wanted: str, obj: Any) -> str:
        """The name under which calls find an object."""
        for name, other in self.objects.items():
            if other is obj:
                return name
        name = self.name(wanted)
        self.objects[name] = obj
        return name

    def add(
        self, kind: str, text: str, inputs: list[Var], wanted: str, shape: tuple[int, ...], dtype: Any, **more: Any
    ) -> Var:
        out = Var(self.name(wanted), tuple(shape), np.dtype(dtype))
        line = out.line = Line(kind, text, inputs, out, self.section, self.note, more, of=self.of)
        self.lines.append(line)
        return out

    def elementwise(self, text: str, *inputs: Any, wanted: str = "h", dtype: Any = None) -> Var:
        """A line of arithmetic by element. inputs: Vars and numbers; the text names them {0}, {1} ..."""
        variables: list[Var] = []
        places: list[str] = []
        for i, x in enumerate(inputs):
            if f"{{{i}}}" not in text:
                places.append("")  # (a rule need not use all that it is given)
            elif isinstance(x, Var):
                if x not in variables:
                    variables.append(x)
                places.append(f"{{{variables.index(x)}}}")
            else:
                places.append(number(x))
        shape = np.broadcast_shapes(*(v.shape for v in variables))
        found = dtype or np.result_type(*(v.dtype for v in variables))
        return self.add("elementwise", text.format(*places), variables, wanted, shape, found)

    def remove_dead(self) -> None:
        """Lines of which nobody wants the result are dropped."""
        wanted = set(self.kept)
        lines: list[Line] = []
        for line in reversed(self.lines):
            results = [line.out, *(v for v in line.outs if v is not None)]
            if line.kind in ("check", "draw") or any(v in wanted for v in results):
                lines.append(line)
                wanted.update(line.inputs)
                wanted.update(line.more.get("after", ()))
        self.lines = lines[::-1]


def number(x: Any) -> str:
    """A Python number as text."""
    if isinstance(x, float) and (x != x or x in (float("inf"), float("-inf"))):
        return {"inf": "np.inf", "-inf": "-np.inf"}.get(repr(x), "np.nan")
    text = repr(x)
    return f"({text})" if text.startswith("-") else text
