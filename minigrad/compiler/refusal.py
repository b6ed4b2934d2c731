"""Why a program did not run on the values of a call: which line of it refuses them, and what it says."""

from __future__ import annotations

from typing import Any

from .. import quiet
from ..autograd.modes import current
from ..random import default_generator
from .program import Line, Program, Refused
from .text import assigned


def why(program: Program, arrays: list[Any], space: dict[str, Any], error: BaseException | None) -> tuple[str, bool]:
    """The reason, for people, and whether it is an error that the operation itself raises.

    The lines are run one by one with NumPy, on the values of the inputs, until one raises; nothing else changes. `error`:
    what the compiled form raised, which is told where no line of the program raises by itself.
    """
    space = space | {v.name: a for v, a in zip(program.inputs, arrays, strict=True)}
    state, before, outside = default_generator.get_state(), current.recording, quiet.state()
    try:
        current.recording = False
        quiet.enter(outside)
        for line in program.lines:
            try:
                exec(assigned(line), space)
            except Refused:
                return f"{line.note} refuses the values of {line.inputs[0].name}{_where(line)}", False
            except Exception as raised:
                return f"{line.note} raises {type(raised).__name__}: {raised}{_where(line)}", True
    finally:
        current.recording = before
        quiet.put_back(outside)
        default_generator.set_state(state)
    told = "" if error is None else f" ({type(error).__name__}: {error})"
    return f"the compiled form fails where the lines of the program do not{told}", False


def _where(line: Line) -> str:
    """The line of the user's program, in brackets."""
    at = (line if line.of is None else line.of).more.get("at", "")
    return f" ({at})" if at else ""
