"""An operation's rule in symbols, read from where it is written once: the docstring of its class.

"out = a · b.  da = grad · b, db = grad · a" gives the formula of the output and one for each input.
"""

from __future__ import annotations

import functools
import inspect
import re
from dataclasses import dataclass, field
from typing import Any

_NAME = r"[A-Za-z_]\w*"


@dataclass(frozen=True)
class Rule:
    """out: the formula forward. d: by input, the formula of its gradient, "" where the docstring has none."""

    out: str = ""
    d: dict[str, str] = field(default_factory=dict)
    text: str = ""  # the whole docstring


@functools.cache
def input_names(cls: Any, n: int) -> tuple[str, ...]:
    """What `forward` calls its inputs."""
    try:
        parameters = list(inspect.signature(cls.forward).parameters.values())
    except (TypeError, ValueError, AttributeError):
        parameters = []
    names: list[str] = []
    for p in parameters[1:]:
        if p.kind is p.VAR_POSITIONAL:
            names += [f"{p.name}[{i}]" for i in range(n - len(names))]
        else:
            names.append(p.name)
    return tuple((names + [f"x{i}" for i in range(len(names), n)])[:n])


@functools.cache
def rule(cls: Any) -> Rule:
    """The rule of an operation's class; of a subclass without one that of the class it derives from."""
    first = ""
    for base in cls.__mro__:
        doc = base.__dict__.get("__doc__") or ""
        if base.__qualname__ in ("Operation", "Node", "Function", "Fused", "object", "FunctionCtx"):
            break
        doc = inspect.cleandoc(doc)
        first = first or doc
        if re.search(r"\bout(\[[^\]]*\])? =|\bf\(d\) =|\bd\w+(\[[^\]]*\])? =", doc):
            return _read(doc)
    return Rule(text=first)


def _read(doc: str) -> Rule:
    text = re.sub(r"\s*\n\s*\n\s*", "\n", doc)
    flat = re.sub(r"(?<!\n)\n(?!\n)", "  ", text)
    out = ""
    found = re.search(r"\bout((?:\[[^\]]*\])? = .*?)(?=\.?\s\s|\.\s*$|$|;|\.\s+[A-Z]|: [a-z]|, as )", flat)
    if found:
        out = "out" + found.group(1).rstrip(", ")
    d: dict[str, str] = {}
    for found in re.finditer(
        rf"(?<![\w·])d({_NAME})(\[[^\]]*\])? = (.*?)(?=\.\s|\.$|$|,\s+d{_NAME}(?:\[[^\]]*\])? =|;\s|\s\s(?!d\w+ =)|\s\sd{_NAME})",
        flat,
    ):
        d.setdefault(found.group(1), (found.group(2) or "") + " = " + found.group(3).strip().rstrip(","))
    return Rule(out, d, doc)


def formulas(cls: type, inputs: list[tuple[str, bool]]) -> list[str]:
    """By input (its name, and whether it wants a gradient) the formula of its gradient, "" where none is written."""
    d = rule(cls).d
    result = [f"d{name}{d[name]}" if name in d else "" for name, _ in inputs]
    if not any(result) and d:  # the docstring uses other letters, in the same order (W for weight)
        for i, letter in zip(range(len(inputs)), d, strict=False):
            result[i] = f"d{letter}{d[letter]}"
    for i, (name, _) in enumerate(inputs):  # ... or begins with the same letter
        if not result[i]:
            found = next((k for k in d if k.lower() == name[:1].lower() and not _taken(k, inputs)), None)
            if found is not None:
                result[i] = f"d{found}{d[found]}"
    return result


def _taken(letter: str, inputs: list[tuple[str, bool]]) -> bool:
    return any(letter == name for name, _ in inputs)


def is_elementwise(cls: type, shapes: list[tuple[int, ...]], out: tuple[int, ...]) -> bool:
    """Whether each element of the output depends on the one element of each input that broadcasting puts there."""
    if all(all(n == 1 for n in shape) for shape in (*shapes, out)):
        return True
    module = next((base.__module__ for base in cls.__mro__ if ".ops." in base.__module__), "").rpartition(".")[2]
    return module in _ELEMENTWISE


_ELEMENTWISE = {
    "arithmetic", "exponential", "power", "trigonometry", "activation", "piecewise", "rounding", "special", "choice", "dropout", "gamma_values", "bessel"
}  # fmt: skip


def letters(item: Any) -> dict[str, Any] | None:
    """How the elements of a step's tensors belong together, by a letter for each dimension, as in einsum.

    {"out": "no", "ins": ["ni", "oi", "o"], "sum": true}: out[n, o] is made of x[n, :] and W[o, :]. "_" is a dimension of
    size 1 that was stretched. sum: products that are added up.
    """
    out = item.shapes[0]
    ins: list[Any] = [part.item.shapes[part.output_nr] if part.item is not None else None for part in item.inputs]
    alphabet = "ijklmnpqrs"
    if len(out) > 8 or item.node is None:
        return None
    if item.op == "Linear" and ins[0] is not None and len(ins[0]) >= 1:
        rows = alphabet[: len(ins[0]) - 1]
        return {"out": rows + "o", "ins": [rows + "k", "ok", "o"], "sum": True, "names": ["x", "W", "b"]}
    if (
        item.op == "MatMul"
        and ins[0] is not None
        and ins[1] is not None
        and len(ins[0]) == len(ins[1]) == len(out) >= 2
    ):
        batch = alphabet[: len(out) - 2]
        names = [_stretched(batch + "xz", ins[0], 2), _stretched(batch + "zy", ins[1], 2)]
        return {"out": batch + "xy", "ins": names, "sum": True, "names": ["a", "b"]}
    tensors = [s for s in ins if s is not None]
    if is_elementwise(type(item.node), tensors, out) and all(len(s) <= len(out) for s in tensors):
        own = alphabet[: len(out)]
        stretched: list[str | None] = []
        for shape in ins:
            part = own[len(own) - len(shape) :] if shape is not None else None
            stretched.append(
                None
                if part is None or shape is None
                else "".join("_" if n == 1 and out[len(out) - len(shape) + j] != 1 else c for j, (c, n) in enumerate(zip(part, shape, strict=True)))
            )  # fmt: skip
        return {"out": own, "ins": stretched, "sum": False, "elementwise": True}
    return None


def _stretched(names: str, shape: tuple[int, ...], keep: int) -> str:
    return "".join(
        "_" if n == 1 and i < len(shape) - keep else c for i, (c, n) in enumerate(zip(names, shape, strict=True))
    )
