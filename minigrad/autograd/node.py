"""What a node of the graph remembers: where it came from, the values it saved, and whether they are still true."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from .. import storage
from ..storage import Latest
from . import replaced
from .hooks import ALL_OUTPUTS, RemovableHandle
from .modes import current
from .variable import Array, Edge, Variable, wrap, wrap_recorded


class Node:
    """One recorded operation. PyTorch: torch.autograd.graph.Node.

    The attributes below are defaults in the class; what `Operation.apply` records is set on the instance.
    """

    _edges: Sequence[Edge | None] = ()  # by input: the node that made it; None where no gradient is wanted
    needs_input_grad: tuple[bool, ...] = ()  # by input, whether its gradient is wanted: `backward` may skip the others
    sequence_nr: int = sys.maxsize  # the time at which it was recorded
    _out_shape: Any = None  # of the output: the shape that its gradient must have
    _out_dtype: Any = None  # and the dtype
    _outputs: tuple[tuple[tuple[int, ...], np.dtype], ...] | None = None  # of a `Function`: those of each output
    variable: Variable | None = None  # of the node that stands for a leaf: the leaf
    _hooks: dict[int, tuple[int, Callable]] | None = None  # (output, hook): called on that output's complete gradient
    _node_hooks: dict[int, Callable] | None = None  # called after this node ran
    is_view: ClassVar[bool] = False  # the output may look into the memory of the first input
    order_of_inputs: ClassVar[Sequence[int] | None] = (
        None  # by input its place in PyTorch's node: see `turns_of_leaves`
    )
    saved_turned: Sequence[int] = ()  # inputs that PyTorch saves as another tensor: see `_now`
    grad_fn_name: ClassVar[str | None] = None  # PyTorch's name of the node, where it is not the class's + "Backward0"

    _saved: tuple[Any, ...] | None = ()
    _packed: Any = None  # in its place where `saved_tensors_hooks` were asked: see saved.py
    _ids: Sequence[int] = ()  # id of each input array, then of each output array: see `saved_tensors`
    _forward_stack: list[str] | None = None  # under detect_anomaly: the stack at the forward call

    # -- saved values

    def save_for_backward(self, *values: Any) -> None:
        """Keep arrays (inputs, or the output) for `backward`. A later in-place change of them is noticed."""
        self._saved = values

    def as_array(self, scalar: Any) -> Array:
        """NumPy gives a scalar where an array without dimensions is meant: the array, also where it was saved."""
        out = np.asarray(scalar)
        self._saved = tuple(out if value is scalar else value for value in self._saved or ())
        return out

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept: arrays in an ordinary backward pass, tensors under `create_graph`."""
        saved = self._saved
        if saved is None:
            if self._packed is not None:
                return self._packed.unpacked(self)
            raise RuntimeError(
                "Trying to backward through the graph a second time (or directly access saved tensors after they have "
                "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
                "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time "
                "or if you need to access saved tensors after calling backward."
            )
        if self.sequence_nr < Latest.written:
            now = saved if self.sequence_nr > Latest.replaced else tuple(map(self._now, saved))
            self.check_not_overwritten([value for value, present in zip(saved, now, strict=True) if value is present])
        if current.__dict__["recording"]:
            return tuple(self._in_the_graph(value) for value in saved)
        if self.sequence_nr < Latest.replaced:
            return tuple(self._now(value) for value in saved)
        return saved

    def _in_the_graph(self, value: Any) -> Any:
        """A saved array as a tensor at its place in the graph: as that input, as this node's output, or as a constant.

        The node keeps no input or output tensors (the inputs' memory should be free to go, and a node that holds its
        own output is a reference cycle), only the ids of their arrays. A saved array is alive, so its id is its own.
        """
        if not isinstance(value, Array):
            return value
        if id(value) in self._ids:
            position = self._ids.index(id(value))
            n_inputs = len(self._edges)
            edge = (self, position - n_inputs) if position >= n_inputs else self._edges[position]
            value = self._now(value)
            leaf: Any = None if edge is None else edge[0].variable
            if leaf is not None and leaf.array is value:
                return leaf
            if edge is not None:
                return wrap_recorded(value, edge)
        return wrap(value)

    def _now(self, value: Any) -> Any:
        """A saved array; of an input that was given others since, by `x.data = ...`, its present one (see replaced.py).

        What PyTorch saves is at times not the input but a view of it: that keeps what it held (`saved_turned`).
        """
        if self.sequence_nr < Latest.replaced and isinstance(value, Array) and not self._keeps():
            ids = self._ids[: len(self._edges)]
            if id(value) in ids and (position := ids.index(id(value))) not in self.saved_turned:
                present = replaced.find(value, self._edges[position])
                if present is not None and present.since > self.sequence_nr:
                    self.check_not_overwritten([value], until=present.since)
                    self.check_not_overwritten([present.array], since=present.since)
                    return present.array
        return value

    def _keeps(self) -> bool:
        """Whether this node saved what it computed on the way: that belongs to the values that it was given, and to no others."""
        return any(isinstance(value, Array) and id(value) not in self._ids for value in self._saved or ())

    def check_not_overwritten(self, values: Sequence[Any], since: int = 0, until: float = math.inf) -> None:
        """RuntimeError if the memory of one of the arrays was written in place after this node was recorded.

        Or after the time `since`; later than `until` it may be.
        """
        for value in values:
            if isinstance(value, Array):
                record = storage.find(value)
                if record is not None and max(self.sequence_nr, since) < record.written < until:
                    raise RuntimeError(
                        "one of the variables needed for gradient computation has been modified by an inplace "
                        f"operation: a tensor of shape {list(value.shape)} saved by {self.name()} is at version "
                        f"{record.version} and was changed after it was saved. Use the out-of-place spelling "
                        "(x = x + 1 for x += 1, x.relu() for x.relu_()), or clone() before the change."
                    )

    def run_backward(self, gradient: Any) -> Any:
        """From the complete gradient of the output (of a `Function` the list by output) to a gradient for each input."""
        raise NotImplementedError

    def release(self) -> None:
        """Drop what was saved, once a backward pass has used it."""
        if self._saved:
            self._saved = None
        elif self._saved is None:
            self._packed = None

    # -- for people who look at the graph

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """By input: the node that made it, and as which of its outputs; (None, 0) where no gradient is wanted."""
        return tuple((None, 0) if edge is None else edge for edge in self._edges)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Give the class of an operation the name that programs which walk over graphs know: `Mul` that of MulBackward0.

        Its `__qualname__` stays, which is what Python shows and pickles.
        """
        super().__init_subclass__(**kwargs)
        if cls.__bases__ != (Node,):  # (`Operation` is none)
            cls.__name__ = cls.grad_fn_name or cls.__name__ + "Backward0"

    def name(self) -> str:
        """The name in `grad_fn=<...>`, such as MulBackward0; of nodes that are no operation's it names the place too."""
        name = type(self).__name__
        return f"torch::autograd::{name}" if name in ("AccumulateGrad", "CopySlices", "CopyBackwards") else name

    @property
    def metadata(self) -> dict:
        """A dict in which a program may keep what it likes."""
        return self.__dict__.setdefault("_metadata", {})

    def register_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(grad_inputs, grad_outputs)` after this node ran; it may return other grad_inputs."""
        if self._node_hooks is None:
            self._node_hooks = {}
        return RemovableHandle(self._node_hooks, hook)

    def register_prehook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(grad_outputs)` before this node runs; it may return other grad_outputs."""
        if self._hooks is None:
            self._hooks = {}
        return RemovableHandle(self._hooks, (ALL_OUTPUTS, hook))

    @property
    def requires_grad(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<{self.name().rpartition('::')[2]} object at {id(self):#x}>"


class GradientEdge(NamedTuple):
    """Where a gradient goes: into a node, as that of one of its outputs. PyTorch: torch.autograd.graph.GradientEdge."""

    node: Node
    output_nr: int
    ownership_token: Any = None  # (the node is alive as long as this names it)
