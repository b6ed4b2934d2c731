"""The graph in the language of Graphviz, for who has its `dot`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .reading import Box, Item
from .record import walked
from .tensors import brief


def dot(loss: Any, *, names: Mapping[str, Any] | None = None) -> str:
    """The graph behind a tensor as DOT text, modules as clusters: `dot -Tsvg` draws it.

    loss, names: as in `text`.
    """
    graph = walked(loss, names)
    lines = ["digraph backward {", '  node [shape=box, style="rounded", fontname="sans-serif"];', "  rankdir=TB;"]
    inner: dict[int | None, list[Item]] = {}
    for item in graph.items:
        inner.setdefault(None if item.box is None else item.box.id, []).append(item)
    boxes: dict[int | None, list[Box]] = {}
    for box in graph.boxes:
        boxes.setdefault(None if box.outer is None else box.outer.id, []).append(box)

    def draw(box: int | None, indent: str) -> None:
        for item in inner.get(box, ()):
            look = {"leaf": ", style=filled", "constant": ", style=dashed"}.get(item.kind, "")
            lines.append(f'{indent}n{item.id} [label="{_label(item)}"{look}];')
        for part in boxes.get(box, ()):
            lines.append(f"{indent}subgraph cluster_{part.id} {{")
            lines.append(f'{indent}  label="{quoted(f"{part.name} {part.type}".strip())}";')
            draw(part.id, indent + "  ")
            lines.append(f"{indent}}}")

    draw(None, "  ")
    for item in graph.items:
        for i, part in enumerate(item.inputs):
            if part.item is not None:
                sent = item.sent[i]
                label = f' [label="{quoted(brief(sent.gradient))}"]' if sent is not None else " [style=dashed]"
                lines.append(f"  n{part.item.id} -> n{item.id}{label};")
    lines += [f"  // {' '.join(note.split())}" for note in graph.notes]
    return "\n".join([*lines, "}"])


def _label(item: Item) -> str:
    lines = [f"{item.name}: {item.op}" if item.name else item.op, "x".join(map(str, item.shapes[0])) or "one"]
    lines.append(f"value {brief(item.value)}")
    if item.kind != "constant":
        lines.append(f"grad {brief(item.grad)}")
    return r"\n".join(quoted(line) for line in lines + item.trouble)


def quoted(text: str) -> str:
    """Text inside DOT's quotation marks."""
    return "".join(c if c.isprintable() else " " for c in text).replace("\\", "\\\\").replace('"', '\\"')
