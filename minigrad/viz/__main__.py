"""python -m minigrad.viz                    the backward page of a small network, to begin with
python -m minigrad.viz program.py         runs a program of yours and writes the page of its variable `loss`
"""

from __future__ import annotations

import argparse
import os
import runpy
import sys
from pathlib import Path
from typing import Any

import minigrad

from ..autograd.variable import Variable
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


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m minigrad.viz", description="Write the backward page of a program.")
    parser.add_argument(
        "program", nargs="?", help="a Python file that computes a loss with minigrad; a small example if left out"
    )
    parser.add_argument("--name", default="loss", help="the variable from which the backward pass begins (loss)")
    parser.add_argument("-o", "--output", default="backward.html", help="the file to write (backward.html)")
    parser.add_argument("--text", action="store_true", help="print the graph instead")
    given = parser.parse_args(arguments)
    if given.program is not None and not Path(given.program).is_file():
        parser.error(f"there is no file {given.program}")
    with recording():
        if given.program is None:
            variables = example()
        else:
            sys.path.insert(0, os.path.dirname(os.path.abspath(given.program)))
            variables = runpy.run_path(given.program, run_name="__main__")
    loss = variables.get(given.name)
    if not isinstance(loss, Variable):
        tensors = [name for name, value in variables.items() if isinstance(value, Variable)]
        parser.error(
            f"the program has no tensor {given.name!r} when it ends; it has {', '.join(tensors) or 'none'} (--name)"
        )
    if given.text:
        print(text(loss, names=variables))
    else:
        print(
            f"{page(loss, given.output, names=variables)}: open it in a browser; → is the next step, ? lists the keys"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
