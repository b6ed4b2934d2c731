"""Where a graph goes wrong, marked at the place where it first shows."""

from __future__ import annotations

import numpy as np

from ..autograd.variable import Array
from .reading import Graph, Item

VANISHED, EXPLODED = 1e-6, 1e6  # a gradient's size by that of the largest, or smallest, on the way to it


def mark(graph: Graph) -> None:
    """Add to `trouble` of the items, and to the notes what has no place in the graph."""
    broken = any(item.trouble for item in graph.items)  # nodes that could not run: then nothing below has a gradient
    for item in graph.items:
        if item.cut:
            item.trouble.append(item.cut)
        for value, word in ((item.value, "nan"), (item.value, "inf")):
            if _has(value, word) and not any(_has(_value(part), word) for part in item.inputs):
                item.trouble.append(f"{word} first shows here, in the value")
        for word in ("nan", "inf"):
            if _has(item.grad, word) and not any(_has(s.source.grad, word) for s in item.arrivals):
                item.trouble.append(f"{word} first shows here, in the gradient")
        if item.is_leaf and item.grad is None and not broken:
            item.trouble.append("no gradient arrived here")
    _along_paths(graph)
    if graph.names is not None:
        inside = {id(item.node.variable) for item in graph.items if item.is_leaf and item.node is not None}
        idle = [name for name, p in graph.names.parameters if id(p) not in inside and p._requires_grad]
        if idle:
            shown = ", ".join(idle[:8]) + (f" and {len(idle) - 8} more" if len(idle) > 8 else "")
            graph.notes.append(f"No gradient reaches these parameters, which this graph does not use: {shown}.")


def _value(part: object) -> Array | None:
    item = getattr(part, "item", None)
    return None if item is None else item.value


def _has(x: Array | None, word: str) -> bool:
    if x is None or x.dtype.kind != "f":
        return False
    return bool((np.isnan(x) if word == "nan" else np.isinf(x)).any())


def size(x: Array | None) -> float | None:
    """The length of a gradient as one vector; None where there is none or it is not finite."""
    if x is None:
        return None
    with np.errstate(all="ignore"):
        norm = float(np.linalg.norm(x.astype(np.float64).ravel()))
    return norm if np.isfinite(norm) else None


def _cancelled(item: Item, own: float) -> bool:
    """Whether a gradient is a sum of many numbers that leaves nothing but their rounding."""
    grad, sources = item.grad, [s.source.grad for s in item.arrivals if s.source.grad is not None]
    if grad is None or grad.dtype.kind != "f" or not sources:
        return False
    added = [g for g in sources if g.size > grad.size]
    return len(added) == len(sources) and own < 256 * float(np.finfo(grad.dtype).eps) * max(
        size(g) or 0.0 for g in added
    )


def _along_paths(graph: Graph) -> None:
    """Vanished or exploded: by the ratio to the largest, or smallest, gradient on a way from the root to here."""
    largest: dict[Item, float] = {}
    smallest: dict[Item, float] = {}
    for item in graph.order:  # those that sent to it have run before
        own = size(item.grad)
        if own is None:
            continue
        above = [s.source for s in item.arrivals if s.source in largest]
        most = max((largest[s] for s in above), default=own)
        least = min((smallest[s] for s in above), default=own)
        if above and own == 0 and any((size(s.grad) or 0) > 0 for s in above):
            item.trouble.append("the gradient is 0 everywhere from here on")
        elif (
            above and 0 < own < VANISHED * most and not any((size(s.grad) or 0) < VANISHED * largest[s] for s in above)
        ):
            item.trouble.append(
                f"the gradient is 0 up to rounding: {own / most:.1e} of the largest on its way, as what was added up here cancels"
                if _cancelled(item, own)
                else f"the gradient vanished: {own / most:.1e} of the largest on its way"
            )
        elif (
            above
            and least > 0
            and own > EXPLODED * least
            and not any((size(s.grad) or 0) > EXPLODED * smallest[s] for s in above)
        ):
            item.trouble.append(f"the gradient exploded: {own / least:.1e} times the smallest on its way")
        largest[item] = max(own, most)
        smallest[item] = min(own, least) if own > 0 else least
