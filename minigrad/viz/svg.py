"""The graph as a drawing in SVG, made without any program beside Python."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from html import escape
from importlib import resources
from typing import Any

from .layout import place
from .reading import Item
from .record import walked
from .tensors import brief

MOST = 300  # nodes
_TIP = "\0tip"  # stands for the name of the arrow's tip until it is known; no text of a drawing holds a NUL
WIDTH, HEIGHT, ACROSS, DOWN = 196, 62, 24, 46  # of a node, and the room between them
ROOMY, CLOSE = 25, 27  # characters of a line that fit as they are, and of a value that fit when they are set closer


class Drawing(str):
    """SVG text that a notebook draws inline."""

    def __repr__(self) -> str:
        return f"<drawing of a graph, SVG of {len(self)} characters>"

    def _repr_svg_(self) -> str:
        return str(self)


def svg(loss: Any, *, names: Mapping[str, Any] | None = None) -> Drawing:
    """The graph behind a tensor as SVG text, every node with its value and gradient; a notebook draws it inline.

    loss, names: as in `text`. Of more than 300 nodes those nearest the loss are drawn, and the drawing says so.
    """
    graph = walked(loss, names)
    items = graph.items
    if len(items) > MOST:
        items = items[-MOST:]
        graph.notes.append(
            f"{len(graph.items)} nodes are too many for a drawing: the {MOST} nearest the loss are shown."
        )
    order = _sorted(items)
    number = {item: i for i, item in enumerate(order)}
    edges = [
        (number[part.item], number[item])
        for item in order
        for part in item.inputs
        if part.item in number and part.item is not None
    ]
    places = place(len(order), edges)
    x = [20 + column * (WIDTH + ACROSS) for column, _ in places]
    y = [20 + layer * (HEIGHT + DOWN) for _, layer in places]
    width, height = max(x) + WIDTH + 20, max(y) + HEIGHT + 20
    parts = []
    for item in order:
        arrows = [(i, number[part.item]) for i, part in enumerate(item.inputs) if part.item in number and part.item]
        for rank, (i, a) in enumerate(
            sorted(arrows, key=lambda arrow: x[arrow[1]])
        ):  # side by side, and none crosses another
            b, shift = number[item], (rank - (len(arrows) - 1) / 2) * min(16.0, WIDTH / 2 / len(arrows))
            x1, y1, x2, y2 = x[a] + WIDTH / 2, y[a] + HEIGHT, x[b] + WIDTH / 2 + shift, y[b]
            bend = max(20.0, (y2 - y1) / 2)
            kind = "edge" if item.sent[i] is not None else "edge none"
            parts.append(
                f'<path class="{kind}" marker-end="url(#{_TIP})" d="M{x1:.0f} {y1:.0f} C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f} {x2:.0f} {y2 - 3:.0f}"/>'
            )
    for i, item in enumerate(order):
        parts.append(_drawn(item, x[i], y[i]))
    for i, note in enumerate(graph.notes):
        parts.append(f'<text class="note" x="20" y="{height + 8 + 16 * i:.0f}">{escape(_short(note, 150))}</text>')
    height += 16 * len(graph.notes) + (8 if graph.notes else 0)
    drawn = "".join(parts)
    tip = "tip-" + hashlib.blake2b(drawn.encode(), digest_size=4).hexdigest()  # several drawings may stand in one page
    drawn = drawn.replace(_TIP, tip)
    style = resources.files(__package__).joinpath("assets", "drawing.css").read_text(encoding="utf-8")
    label = escape(f"The graph of {graph.top.title}: {len(graph.items)} nodes", quote=True)
    return Drawing(
        f'<svg xmlns="http://www.w3.org/2000/svg" class="minigrad-graph" role="img" aria-label="{label}" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}"><style>{style}</style>'
        f'<defs><marker id="{tip}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path class="tip" d="M0 0L8 4L0 8z"/></marker></defs><path class="paper" d="M0 0H{width:.0f}V{height:.0f}H0z"/>{drawn}</svg>'
    )


def _sorted(items: list[Item]) -> list[Item]:
    """Inputs before those who use them; constants come late in a graph's list."""
    order: list[Item] = []
    inside, seen = set(items), set()
    for root in items:
        stack: list[tuple[Item, bool]] = [(root, False)]
        while stack:
            item, done = stack.pop()
            if done:
                order.append(item)
            elif item not in seen and item in inside:
                seen.add(item)
                stack.append((item, True))
                stack += [(part.item, False) for part in reversed(item.inputs) if part.item is not None]
    return order


def _drawn(item: Item, x: float, y: float) -> str:
    shape = "x".join(map(str, item.shapes[0])) or "one"
    rows = [("value", brief(item.value))]
    if item.kind != "constant":
        rows.append(("grad", brief(item.grad)))
    title = f"{item.name}: {item.op}" if item.name and item.kind == "op" else item.title
    full = "; ".join([title, shape, *(f"{k} {v}" for k, v in rows), *item.trouble])
    lines = [
        f'<text class="title" x="{x + 10:.0f}" y="{y + 17:.0f}">{escape(_short(title, 23 - min(12, len(shape))))}</text>'
    ]
    lines.append(f'<text class="shape" x="{x + WIDTH - 8:.0f}" y="{y + 17:.0f}">{escape(_short(shape, 12))}</text>')
    for k, (name, value) in enumerate(rows):
        text = f"{name} {_whole_numbers(value)}"
        # Text that is wider than the node is set closer: a number is never cut.
        fitted = f' textLength="{WIDTH - 20}" lengthAdjust="spacingAndGlyphs"' if len(text) > ROOMY else ""
        lines.append(f'<text x="{x + 10:.0f}" y="{y + 36 + 16 * k:.0f}"{fitted}>{escape(text)}</text>')
    mark = f'<text class="trouble" x="{x + WIDTH - 14:.0f}" y="{y + HEIGHT - 8:.0f}">!</text>' if item.trouble else ""
    return (
        f'<g class="{item.kind}"><title>{escape(full)}</title><rect class="body" x="{x:.0f}" y="{y:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="8"/>'
        f"{''.join(lines)}{mark}</g>"
    )


def _whole_numbers(value: str) -> str:
    """The value, or of a long one as many whole numbers from its beginning as there is room for."""
    if len(value) <= CLOSE:
        return value
    if not value.startswith("["):  # a range, and how many are not finite
        return value.split(",")[0] + ", …"
    numbers = value[1:-1].split(" ")
    while len(" ".join(numbers)) > CLOSE - 4:
        numbers.pop()
    return f"[{' '.join(numbers)} …]"


def _short(text: str, most: int) -> str:
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= most else text[: most - 1] + "…"
