"""python -m minigrad.viz                    the backward page of a small network, to begin with
python -m minigrad.viz program.py         runs a program of yours and writes the page of its variable `loss`
"""

from __future__ import annotations

import argparse
import os
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any

import minigrad

from .. import files
from ..autograd.variable import Variable
from ..foreign import said
from .page import page
from .recording import recording
from .text import text


def example() -> dict[str, Any]:
    """A network of 2, 4 and 1 that shall tell points in two corners from those in the others."""
    minigrad.manual_seed(0)
    nn = minigrad.nn
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), nn.Sigmoid())
    x = minigrad.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = minigrad.tensor([[0.0], [1.0], [1.0], [0.0]])
    loss = nn.functional.binary_cross_entropy(model(x), y)
    return {"model": model, "x": x, "y": y, "loss": loss}


class Unusable(Exception):
    """A program of which there is nothing to show; the text says why, in a line, and what to do."""


def run(program: str) -> dict[str, Any]:
    """The variables of a program when it has ended. Errors: Unusable."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(program)))
    try:
        return runpy.run_path(program, run_name="__main__")
    except SystemExit:
        raise Unusable(
            f"{program} ended itself (sys.exit), and its variables are gone: let it come to its last line"
        ) from None
    except SyntaxError as problem:
        line = f", line {problem.lineno}" if problem.lineno else ""
        raise Unusable(f"{program}{line}: {type(problem).__name__}: {problem.msg}") from None
    except Exception as problem:
        own = [frame.lineno for frame in traceback.extract_tb(problem.__traceback__) if _is(frame.filename, program)]
        line = f", line {own[-1]}" if own else ""
        text = " ".join(str(problem).split())
        raise Unusable(
            f"{program}{line}: {type(problem).__name__}: {text} (python {program} shows where it came from)"
        ) from None


def _is(name: str, program: str) -> bool:
    return os.path.abspath(name) == os.path.abspath(program)


def of_name(variables: dict[str, Any], name: str) -> Variable:
    """The tensor of this name. Errors: Unusable."""
    loss = variables.get(name)
    if isinstance(loss, Variable):
        return loss
    tensors = [name for name, value in variables.items() if isinstance(value, Variable)]
    why = f"'s {name!r} is a {said(loss)}" if name in variables else f" has no tensor {name!r} when it ends"
    raise Unusable(f"the program{why}; it has {', '.join(tensors) or 'none'} (--name)")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m minigrad.viz", description="Write the backward page of a program.")
    parser.add_argument(
        "program", nargs="?", help="a Python file that computes a loss with minigrad; a small example if left out"
    )
    parser.add_argument("--name", default="loss", help="the variable from which the backward pass begins (loss)")
    parser.add_argument("-o", "--output", metavar="FILE", help="the file to write (backward.html)")
    parser.add_argument("--text", action="store_true", help="print the graph instead")
    given = parser.parse_args(arguments)
    if given.program is not None and not Path(given.program).is_file():
        parser.error(f"there is no file {given.program}")
    if given.text and given.output is not None:
        parser.error("--output means nothing beside --text, which prints: leave one of them out")
    target = "backward.html" if given.output is None else given.output
    try:
        if not given.text:
            files.require_place(target)
        with recording():
            variables = example() if given.program is None else run(given.program)
        loss = of_name(variables, given.name)
        if given.text:
            print(text(loss, names=variables))
            return 0
        written = page(loss, target, names=variables)
    except (Unusable, files.NotWritten) as problem:
        parser.error(str(problem))
    except OSError as problem:
        parser.error(f"{target} cannot be written: {problem.strerror}")
    except (TypeError, RuntimeError) as problem:  # a tensor of which there is no graph
        parser.error(f"{given.name!r} cannot be shown: {problem}")
    print(f"{written}: open it in a browser; → is the next step, ? lists the keys")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
