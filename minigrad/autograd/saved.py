"""`saved_tensors_hooks`: functions of the user's between what an operation saves and what its backward pass gets.

Inside, each array (or tensor of a `Function`) that `save_for_backward` kept is given to `pack_hook`, and what that returns is kept
in its place: on a disk, in another type, or counted. When the backward pass asks, `unpack_hook` makes a tensor of it again.
A node that is packed has no `_saved` but `_packed`, so others pay nothing. What is saved are minigrad's values, which are not
always PyTorch's: of hooks that give back what they got the gradients are the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ..foreign import said
from ..quiet import as_outside
from .graph import gradient_edge
from .modes import Asked, current
from .variable import Array, Edge, Variable, wrap, wrap_recorded


class Packed(NamedTuple):
    """One saved value. kind: "array", "tensor" or "output" of a `Function`, or "other", which is kept as it is. place: of an
    array its number in the node's `_ids` (None: a constant), of a tensor its edge, of an output its number."""

    kind: str
    held: Any
    place: Any
    unpack: Callable[[Any], Any]


class saved_tensors_hooks:
    """Give what operations save to `pack_hook`, and what it returned to `unpack_hook`. PyTorch: torch.autograd.graph.saved_tensors_hooks.

    Errors: RuntimeError inside `disable_saved_tensors_hooks`.
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self) -> None:
        if current.no_saved_hooks is not None:
            raise RuntimeError(current.no_saved_hooks)
        Asked.operations = True
        current.saved_hooks = (*current.saved_hooks, self)

    def __exit__(self, *error: object) -> None:
        current.saved_hooks = current.saved_hooks[:-1]

    def pack(self, node: Any) -> None:
        """Give what a node has just saved to the hook."""
        if not node._saved:
            return
        before, current.saved_hooks = current.saved_hooks, ()  # what the hook itself computes is not packed
        try:
            node._packed = PackedValues(_packed(node, value, self.pack_hook, self.unpack_hook) for value in node._saved)
        finally:
            current.saved_hooks = before
        node._saved = None


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Refuse `saved_tensors_hooks` inside, with this message. PyTorch: torch.autograd.graph.disable_saved_tensors_hooks."""
    before, current.no_saved_hooks = current.no_saved_hooks, error_message
    if current.saved_hooks:
        current.no_saved_hooks = before
        raise RuntimeError(error_message)
    try:
        yield
    finally:
        current.no_saved_hooks = before


def _packed(node: Any, value: Any, pack_hook: Callable, unpack_hook: Callable) -> Packed:
    if isinstance(value, Array):
        place = node._ids.index(id(value)) if id(value) in node._ids else None
        return Packed("array", as_outside(pack_hook, wrap(value)), place, unpack_hook)
    if isinstance(value, Variable):
        return Packed("tensor", as_outside(pack_hook, wrap(value.array)), gradient_edge(value), unpack_hook)
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], Array):
        return Packed("output", as_outside(pack_hook, wrap(value[0])), value[1], unpack_hook)
    return Packed("other", value, None, unpack_hook)


class PackedValues(tuple[Packed, ...]):
    """All that a node saved."""

    __slots__ = ()

    def unpacked(self, node: Any) -> Any:
        """The `saved_tensors` of the node: its values are there for as long as they are read."""
        ids, saved = list(node._ids), []
        for packed in self:
            if packed.kind == "other":
                saved.append(packed.held)
                continue
            found = as_outside(packed.unpack, packed.held)
            if not isinstance(found, Variable):
                raise TypeError(
                    f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {said(found)}"
                )
            array = found.array
            if packed.kind == "array":
                if packed.place is not None:
                    ids[packed.place] = id(array)  # at its place in the graph, for a second derivative
                saved.append(array)
            elif packed.kind == "output":
                saved.append((array, packed.place))
            else:
                edge: Edge | None = packed.place
                saved.append(found if edge is None else wrap_recorded(array, edge))
        own = node._ids
        node._saved, node._ids = tuple(saved), ids
        try:
            return node.saved_tensors
        finally:
            node._saved, node._ids = None, own
