"""A script of a few lines that shows a wrong gradient, without parity and without Hypothesis."""

from __future__ import annotations

import inspect
import textwrap
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

LARGE = 500  # elements: what is larger is not written out


def _source(thing: Any) -> str:
    try:
        return textwrap.dedent(inspect.getsource(thing)).rstrip()
    except (OSError, TypeError):
        return ""


def _importable(thing: Any) -> bool:
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", "")
    return module not in (None, "__main__", "builtins") and name.isidentifier()


def _function(fn: Callable[..., Any]) -> tuple[list[str], str]:
    """Lines that bring the function in, and the name by which it is called then.

    Of a Function's `apply` the class is the user's, and `apply` the engine's own.
    """
    owner = fn.__self__ if isinstance(fn, types.MethodType | types.BuiltinMethodType) else None
    if isinstance(owner, type) and fn.__name__ == "apply":
        call = f"{owner.__name__}.apply"
        if _importable(owner):
            return [f"from {owner.__module__} import {owner.__name__}"], call
        source = _source(owner)
        if source.startswith("class "):
            return [source], call
        parts = [p for name in ("forward", "backward") if (p := _source(vars(owner).get(name) or getattr(owner, name)))]
        return _commented("\n".join(parts), f"class {owner.__name__}"), call
    if _importable(fn):
        return [f"from {fn.__module__} import {fn.__qualname__}"], fn.__qualname__
    source = _source(fn)
    if source.startswith("def ") and hasattr(fn, "__name__"):
        return [source], fn.__name__
    return _commented(source, "fn"), "fn"


def _commented(source: str, name: str) -> list[str]:
    what = name if name.startswith("class ") else f"your function, under the name {name}"
    return [f"# Bring in here {what}:", *(f"#   {line}" for line in source.splitlines())]


def _numbers(array: np.ndarray) -> str:
    """An array as it is written in the script."""
    if array.size <= LARGE:
        return repr(array.tolist()).replace("nan", "float('nan')").replace("inf", "float('inf')")
    return f"numpy.zeros({array.shape!r})"


def script(
    fn: Callable[..., Any], engines: Sequence[str], takes_engine: bool, inputs: Sequence[Any], differentiable: Sequence[int],
    cotangents: Sequence[np.ndarray], place: int, index: tuple[int, ...], *, second: bool = False,
) -> str:  # fmt: skip
    """The script. It prints the gradient by element `index` of input `place` in each engine, and by central differences.

    engines: modules in which the function runs; inputs: arrays and other arguments; differentiable: which of them carry
    gradients; cotangents: what the outputs were weighted with; second: the second derivative, of the sum of squares of the
    gradients, in place of the gradient.
    """
    brought, name = _function(fn)
    arguments = []
    for i, x in enumerate(inputs):
        if isinstance(x, np.ndarray):
            grad = ", requires_grad=True" if i in differentiable else ""
            note = "  # yours, in float64" if x.size > LARGE else ""
            arguments.append(f"        engine.tensor({_numbers(x)}, dtype=engine.{x.dtype}{grad}),{note}")
        else:
            arguments.append(f"        {x!r},")
    weights = [
        f"    {_numbers(c) if c.size <= LARGE else f'numpy.random.default_rng(0).normal(size={c.shape!r})'},"
        for c in cotangents
    ]
    large = any(getattr(x, "size", 0) > LARGE for x in [*inputs, *cotangents])
    call = f"{name}(engine, *inputs)" if takes_engine else f"{name}(*inputs)"
    key = ", ".join(map(str, index)) or "..."
    wanted = ", ".join(f"inputs[{i}]" for i in differentiable) + ("," if len(differentiable) == 1 else "")
    value = [
        "def value(engine, inputs):",
        f"    outputs = {call}",
        "    outputs = outputs if isinstance(outputs, (tuple, list)) else [outputs]",
        "    outputs = [y for y in outputs if isinstance(y, engine.Tensor) and y.requires_grad]",
        "    total = sum((y * engine.tensor(w, dtype=y.dtype)).sum() for y, w in zip(outputs, weights))",
    ]
    if second:  # of the gradients' squares: a scalar with a derivative in each engine
        value += [
            f"    gradients = engine.autograd.grad(total, ({wanted}), create_graph=True, allow_unused=True)",
            "    return sum((g * g).sum() for g in gradients if g is not None)",
        ]
    else:
        value.append("    return total")
    backward = [
        "    result = value(engine, inputs)",
        "    if result.requires_grad:",
        "        result.backward()",
        f"    gradient = inputs[{place}].grad",
        f"    print(engine.__name__, 'backward:   ', 0.0 if gradient is None else gradient[{key}].item())",
    ]
    return "\n".join([
        *(f"import {engine}" for engine in engines), *(["import numpy"] if large else []), "", *brought, "",
        "weights = [  # of the outputs", *weights, "]", "", "",
        "def make_inputs(engine):", "    return [", *arguments, "    ]", "", "", *value, "", "",
        f"for engine in [{', '.join(engines)}]:",
        "    inputs = make_inputs(engine)",
        *backward,
        "    found, h = [], 1e-5",
        "    for step in (h, -h):",
        "        moved = make_inputs(engine)",
        f"        moved[{place}].data[{key}] += step",
        "        found.append(value(engine, moved).item())",
        "    print(engine.__name__, 'differences:', (found[0] - found[1]) / (2 * h))",
        "",
    ])  # fmt: skip
