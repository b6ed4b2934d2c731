"""What the graph knows of a tensor: its values, its gradient, and its place in the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..storage import clock
from ..threads import new_lock
from .modes import current

if TYPE_CHECKING:
    from .node import Node

Array = np.ndarray
Edge = tuple["Node", int]  # the node that made a value, and which of its outputs the value was
Operand: TypeAlias = Any  # a tensor; in the formulas of other operations an array


one_thread = new_lock()  # held while the node of a leaf is looked up or made, and while its gradient is added to


class Variable:
    """Values, gradient, and the place in the graph. `Tensor` adds the operators and methods.

    The attributes below are defaults in the class, so that a new tensor costs one assignment.
    """

    array: Array  # the values
    _edge: Edge | None = None  # the node that made the values; None for a leaf
    _requires_grad: bool = False  # of a leaf, by the user's wish
    _grad: Any = None
    _accumulator: Callable[[], Any] = staticmethod(lambda: None)  # a weak reference to a leaf's AccumulateGrad
    _base: Any = None  # of a view: the tensor whose memory it looks at, which is itself no view; see views.py
    _edge_since: int = 0  # of a view: the time from which `_edge` tells its values
    _of_a_graph: bool = False  # made by `detach` of a tensor with a history: others look at the same memory
    _restricted: str | None = None  # of a view: why it must not be changed in place, if so
    _hooks: dict[int, Callable] | None = None  # of a leaf
    _post_hooks: dict[int, Callable] | None = None
    _retains_grad: bool = False

    def _renew(self) -> None:
        """Of a view: bring `_edge` up to date with what was written into its base. (`Tensor` has it from views.py.)"""


def look_into(view: Any, x: Any, recording: bool) -> None:
    """Note that `view` was made as a view of x (see views.py)."""
    base = view._base = x if x._base is None else x._base
    view._edge_since = next(clock)
    if recording:
        if x._restricted is not None:
            view._restricted = x._restricted
    elif current.inference:
        view._restricted = "inference_mode"
    else:
        view._restricted = "no_grad"
        if base._edge is not None or base._requires_grad:
            view._requires_grad = True  # what is done with it outside of no_grad is recorded, from here on


_tensor_type: type[Variable] = Variable
_new = object.__new__  # quicker than to look it up in the class for each tensor


def register_tensor_type(cls: type[Variable]) -> None:
    """Called once by `tensor.py`, which stands above this package: the class in which arrays are wrapped."""
    global _tensor_type
    _tensor_type = cls


def wrap(array: Array) -> Any:
    """A tensor around an array, without history."""
    tensor = _new(_tensor_type)
    tensor.array = array
    return tensor


def wrap_recorded(array: Array, edge: Edge) -> Any:
    """A tensor around an array that `edge` made."""
    tensor = _new(_tensor_type)
    tensor.array = array
    tensor._edge = edge
    return tensor
