"""A script of a few lines that shows a wrong gradient, without parity and without Hypothesis."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def _function(fn: Callable[..., Any]) -> tuple[list[str], str]:
    """Lines that bring the function in, and the name by which it is called then."""
    name, module = getattr(fn, "__qualname__", ""), getattr(fn, "__module__", None)
    if module not in (None, "__main__", "builtins") and name.isidentifier():
        return [f"from {module} import {name}"], name
    try:
        source = textwrap.dedent(inspect.getsource(fn)).rstrip()
    except (OSError, TypeError):
        source = ""
    if source.startswith("def ") and name:
        return [source], getattr(fn, "__name__", "fn")
    shown = [f"#   {line}" for line in source.splitlines()] if source else []
    return ["# Bring your function in here, under the name fn:", *shown], "fn"


def script(
    fn: Callable[..., Any], engines: Sequence[str], takes_engine: bool, inputs: Sequence[Any], differentiable: Sequence[int],
    cotangents: Sequence[np.ndarray], place: int, index: tuple[int, ...],
) -> str:  # fmt: skip
    """The script. It prints the gradient by element `index` of input `place` in each engine, and by central differences.

    engines: modules in which the function runs; inputs: arrays and other arguments; differentiable: which of them carry
    gradients; cotangents: what the outputs were weighted with.
    """
    brought, name = _function(fn)
    arguments = []
    for i, x in enumerate(inputs):
        if isinstance(x, np.ndarray):
            grad = ", requires_grad=True" if i in differentiable else ""
            arguments.append(f"        engine.tensor({x.tolist()!r}, dtype=engine.{x.dtype}{grad}),")
        else:
            arguments.append(f"        {x!r},")
    weights = [f"    {c.tolist()!r}," for c in cotangents]
    call = f"{name}(engine, *inputs)" if takes_engine else f"{name}(*inputs)"
    key = ", ".join(map(str, index)) or "..."
    return "\n".join([
        *(f"import {engine}" for engine in engines), "", *brought, "", "weights = [  # of the outputs", *weights, "]", "", "",
        "def make_inputs(engine):", "    return [", *arguments, "    ]", "", "", "def value(engine, inputs):",
        f"    outputs = {call}",
        "    outputs = outputs if isinstance(outputs, (tuple, list)) else [outputs]",
        "    return sum((y * engine.tensor(w, dtype=y.dtype)).sum() for y, w in zip(outputs, weights))", "", "",
        f"for engine in [{', '.join(engines)}]:",
        "    inputs = make_inputs(engine)",
        "    value(engine, inputs).backward()",
        f"    print(engine.__name__, 'backward:   ', inputs[{place}].grad[{key}].item())",
        "    found, h = [], 1e-5",
        "    for step in (h, -h):",
        "        moved = make_inputs(engine)",
        f"        moved[{place}].data[{key}] += step",
        "        found.append(value(engine, moved).item())",
        "    print(engine.__name__, 'differences:', (found[0] - found[1]) / (2 * h))",
        "",
    ])  # fmt: skip
