"""Which array a tensor holds after `x.data = ...`, for nodes that saved the one before.

PyTorch's node saves the tensor, not what it held: after `w.data = ...` the gradient of w · w is that at the new w. A node of
minigrad saves arrays. So the few that were replaced are listed here, each with the place in the graph of the tensor that held it.
"""

from __future__ import annotations

import weakref
from typing import Any

from .. import storage
from .variable import Array, Edge, Variable


class Present:
    """What a tensor holds now, and since when. (Not the tensor: it holds its node, which holds the array before.)"""

    __slots__ = ("array", "since")

    def __init__(self) -> None:
        self.array: Any = None
        self.since = 0


# By id of an array that was replaced: itself, to tell it from a later one of that id, and which tensors held it: as which output of
# which node (None: of none), and what they hold now. An entry goes when the array does.
_replaced: dict[int, tuple[weakref.ref[Array], list[tuple[weakref.ref[Any] | None, int, Present]]]] = {}


def replace(x: Variable, array: Array) -> None:
    """Give the tensor another array."""
    present = x.__dict__.setdefault("_present", Present())
    old, key = x.array, id(x.array)
    edge: Any = x._edge
    if edge is None and x._requires_grad and (leaf := x._accumulator()) is not None:
        edge = (leaf, 0)
    held = (None, 0) if edge is None else (weakref.ref(edge[0]), edge[1])
    if key not in _replaced or _replaced[key][0]() is not old:
        _replaced[key] = (weakref.ref(old, storage.forgetting(_replaced, key)), [])
    _replaced[key][1].append((*held, present))
    x.array = present.array = array
    present.since = storage.mark_replaced()


def find(array: Array, edge: Edge | None) -> Present | None:
    """What the tensor holds now that held this array, and that `edge` made; None where it was not given another."""
    entry = _replaced.get(id(array))
    if entry is None or entry[0]() is not array:
        return None
    for node, output_nr, present in entry[1]:
        if edge is None if node is None else edge is not None and node() is edge[0] and output_nr == edge[1]:
            return present
    return None
