"""The graph as text: a line for each node, from the loss to the leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .reading import Graph, Item
from .record import walked
from .tensors import brief

MOST = 400  # lines


def text(loss: Any, *, names: Mapping[str, Any] | None = None) -> str:
    """The graph behind a tensor: operation, name, shape, value or its range, gradient or - where there is none.

    loss: a tensor, or a function without arguments that computes one (it is run with everything kept). The gradients are those
    that `loss.backward()` gives; `.grad` of the leaves is not touched. A node that is used again is drawn once, and named where it
    returns.

        print(viz.text(loss, names=locals()))
    """
    graph = walked(loss, names)
    rows: list[tuple[str, ...]] = [("operation", "name", "shape", "value", "gradient")]
    numbers: dict[Item, int] = {}
    stack: list[tuple[Item, str, str]] = [(graph.top, "", "")]
    while stack and len(rows) <= MOST:
        item, lead, below = stack.pop()
        again = item in numbers
        numbers.setdefault(item, len(numbers) + 1)
        module = f"[{item.module}]" if item.module.isdecimal() else item.module  # a Sequential's 1 is no name: net[1]
        name = item.name or module or ("" if item.kind == "op" else item.kind)
        label = f"{lead}{numbers[item]} {item.op}"
        if again:
            rows.append((label, name, "", "(above)", ""))
            continue
        shape = "x".join(map(str, item.shapes[0])) or "one"
        gradient = "" if item.kind == "constant" else brief(item.grad)
        rows.append((label, name, shape, brief(item.value), gradient))
        parts = [part.item for part in item.inputs if part.item is not None]
        for i, part in reversed(list(enumerate(parts))):
            last = i == len(parts) - 1
            stack.append((part, below + ("└ " if last else "├ "), below + ("  " if last else "│ ")))
    widths = [max(len(_clean(row[k])) for row in rows) for k in range(5)]
    lines = [
        "  ".join(_clean(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    if stack:
        lines.append(f"... and more: {len(graph.items)} nodes in all")
    lines += [f"! {item.title}: {trouble}" for item in graph.items for trouble in item.trouble]
    return "\n".join(_clean(line) for line in lines + _notes(graph))


def _notes(graph: Graph) -> list[str]:
    return [f"note: {note}" for note in graph.notes]


def _clean(cell: str) -> str:
    """Without line breaks and control characters, which a name may hold."""
    return "".join(c if c.isprintable() else " " for c in cell)
