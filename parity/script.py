"""A script of a few lines that shows a wrong gradient, without parity and without Hypothesis."""

from __future__ import annotations

import builtins
import contextlib
import inspect
import math
import re
import symtable
import sys
import textwrap
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

CALL = "<the function>"
OWN = frozenset(  # the names of the script itself
    [
        "weights",
        "make_inputs",
        "engine",
        "inputs",
        "value",
        "outputs",
        "y",
        "total",
        "w",
        "gradients",
        "result",
        "gradient",
        "g",
        "found",
        "h",
        "step",
        "moved",
    ]
)
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
    """Lines that bring the function in, with what it reads besides, and the name by which it is called then.

    Of a Function's `apply` the class is the user's, and `apply` the engine's own.
    """
    owner = fn.__self__ if isinstance(fn, types.MethodType | types.BuiltinMethodType) else None
    if isinstance(owner, type) and fn.__name__ == "apply":
        call = f"{owner.__name__}.apply"
        if _importable(owner) or _source(owner).startswith("class "):
            return _with_names(owner, owner.__name__), call
        parts = [p for name in ("forward", "backward") if (p := _source(vars(owner).get(name) or getattr(owner, name)))]
        return [*_needed(owner, {owner.__name__}), *_commented("\n".join(parts), f"class {owner.__name__}")], call
    name = getattr(fn, "__name__", "")
    if _importable(fn) or (_source(fn).startswith("def ") and name):
        return _with_names(fn, name), name
    return [*_needed(fn, {"fn"}), *_commented(_source(fn), "fn")], "fn"


def _with_names(thing: Any, name: str, known: set[str] | None = None) -> list[str]:
    """Lines that bring a function or class in under this name, after what it reads. known: names that are there already."""
    known = set() if known is None else known
    known.add(name)
    if _importable(thing):
        own = thing.__qualname__
        return [f"from {thing.__module__} import {own}" + (f" as {name}" if name != own else "")]
    source = _source(thing)
    if not source.startswith(("def ", "class ", "@")):
        return [f"# Bring in here {name}:", *(f"#   {line}" for line in source.splitlines())]
    renamed = [f"{name} = {thing.__name__}"] if name != thing.__name__ else []
    return [*_needed(thing, known), *source.splitlines(), *renamed]


def _needed(thing: Any, known: set[str]) -> list[str]:
    """Lines for the names that the code of a function or class reads outside of itself: modules, numbers, other functions.

    What cannot be written in a line is named in a remark.
    """
    lines = []
    for name, value in _read(thing).items():
        if name in known:
            continue
        known.add(name)
        if isinstance(value, types.ModuleType):
            lines.append(f"import {value.__name__}" + (f" as {name}" if name != value.__name__ else ""))
        elif isinstance(value, bool | int | str | None) or (isinstance(value, float) and math.isfinite(value)):
            lines.append(f"{name} = {value!r}")
        elif isinstance(value, types.FunctionType | type):
            lines += _with_names(value, name, known)
        else:
            lines.append(f"# Bring in here {name}, a {type(value).__name__}.")
    return lines


def _read(thing: Any) -> dict[str, Any]:
    """By name, what the source of a function or class reads of what stands around it, as far as that has a value."""
    try:
        table = symtable.symtable(_source(thing), "<the function>", "exec")
    except SyntaxError:  # a lambda in the midst of a call
        return {}
    parts = vars(thing).values() if isinstance(thing, type) else [thing]
    functions = [inspect.unwrap(getattr(f, "__func__", f)) for f in parts if callable(f) or hasattr(f, "__func__")]
    space = dict(vars(sys.modules.get(getattr(thing, "__module__", ""), builtins)))
    for function in functions:
        if isinstance(function, types.FunctionType):
            space |= function.__globals__
            for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
                with contextlib.suppress(ValueError):  # (it has no value yet)
                    space[name] = cell.cell_contents
    return {
        name: space[name]
        for name in dict.fromkeys(_outer_names(table))
        if name in space and not hasattr(builtins, name)
    }


def _outer_names(table: symtable.SymbolTable) -> Iterator[str]:
    """The names that a source reads and does not set: of bases and defaults, then within functions and classes."""
    for symbol in table.get_symbols():
        outside = (
            symbol.is_referenced() and not symbol.is_assigned() if table.get_type() == "module" else symbol.is_global()
        )
        if outside:
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _outer_names(inner)


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
    key = ", ".join(map(str, index)) or "..."
    wanted = ", ".join(f"inputs[{i}]" for i in differentiable) + ("," if len(differentiable) == 1 else "")
    value = [
        "def value(engine, inputs):",
        f"    outputs = {CALL}({'engine, ' if takes_engine else ''}*inputs)",
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
    own = "\n".join([
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
    theirs = set(re.findall(r"\w+", "\n".join([*brought, name])))
    for word in OWN & theirs:  # the function's names are the user's, so the script's own give way
        own = re.sub(rf"\b{word}\b", f"{word}_", own)
    imports = [*(f"import {engine}" for engine in engines), *(["import numpy"] if large else [])]
    return "\n".join([*imports, "", *brought, "", own.replace(CALL, name)])
