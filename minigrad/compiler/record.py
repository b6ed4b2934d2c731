"""One call of a step, watched: which operations ran, in which order, on what; and whether a program can stand for it.

Nothing is watched at other times: `Recording` puts its own in the place of a few functions of the engine while the call
runs (for this thread), and takes it away again. What it notes:

    Ran        an operation's forward: the class of the form that ran, its inputs, its output
    Backward   a node of the walk: the gradient that went in, the gradients that came out
    Fitted     a gradient summed down to its input's shape
    Added      two gradients that met
    Arrived    a gradient that came to a leaf
    Cleared    `zero_grad`
    Drawn      numbers from the random stream
    Clipped    `clip_grad_norm_`, `clip_grad_value_`
    Wrote      a change in place of a tensor that is there from call to call
    Made       a tensor of numbers that the step's code says
    Updated    an optimizer's step
    Scheduled  a scheduler's
    Seen       running statistics, read as constants

What makes it sound is that every array must be *known*: an argument, a tensor that the step's own names lead to, or the
result of one of the above. An array from anywhere else, a value that is read into Python, memory that is written otherwise:
each stops the recording, with a reason, and the step runs eagerly.
"""

from __future__ import annotations

import linecache
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

import numpy as np

from .. import creation, dtypes, inplace, quiet, storage
from ..autograd import differentiate, hooks, variable
from ..autograd.fit import as_gradient, as_tuple, fit, fit_count
from ..autograd.function import Function
from ..autograd.graph import AccumulateGrad, Operation
from ..autograd.modes import current
from ..autograd.variable import Array, Variable
from ..autograd.views import CopySlices, Overwritten, PartOf
from ..geometry import geometry
from ..nn import module as nn_module
from ..nn import norm as nn_norm
from ..nn.utils import clip_grad
from ..ops.along import Gather
from ..ops.index import Index
from ..ops.pool import AvgPool
from ..optim import optimizer as optim_optimizer
from ..optim.lr_base import LRScheduler
from ..optim.lr_plateau import ReduceLROnPlateau
from ..optim.optimizer import Optimizer
from ..random import Generator, default_generator
from ..tensor import Tensor
from ..threads import Turn
from .looks import only_looks

ops_batch_norm: Any = sys.modules["minigrad.ops.batch_norm"]  # (the package has the function under this name)
ops_along: Any = sys.modules["minigrad.ops.along"]
ops_keys: Any = sys.modules["minigrad.ops.keys"]
ops_extremes: Any = sys.modules["minigrad.ops.extremes"]
ops_operands: Any = sys.modules["minigrad.ops.operands"]
ops_order: Any = sys.modules["minigrad.ops.order"]
ops_comparison: Any = sys.modules["minigrad.ops.comparison"]
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_READERS = "<the reader of"


def of_engine(filename: str) -> bool:
    """Whether code of this file is minigrad's own."""
    return filename.startswith((_PACKAGE, _READERS))


class NotCompiled(RuntimeError):
    """fullgraph=True, and the step cannot be written as a program."""


class Value:
    """An array of the step, wherever it came from."""

    __slots__ = ("array", "dtype", "entry", "name", "nr", "shape", "tensor")

    def __init__(self, array: Array, entry: Any = None, tensor: Any = None) -> None:
        self.array: Any = array  # (held until the recording is read: its id stands for it)
        self.shape, self.dtype = array.shape, array.dtype
        self.entry = entry  # what made it; None of what was there before
        self.tensor = tensor  # of what was there before: the tensor
        self.name = ""  # of the program's text
        self.nr = -1


STALE: Any = object()  # in the place of a Value: the memory was written since, by another tensor that shows it


@dataclass(eq=False)
class Ran:
    form: Any
    node: Any  # the context of this call; None where no gradient is wanted
    needs: tuple[bool, ...]
    inputs: list[Any]  # Values, and Python values
    out: Value
    line: str
    settings: dict[str, Any] = field(default_factory=dict)  # what forward kept, other than arrays


@dataclass(eq=False)
class Backward:
    of: Ran
    grad: Value
    results: list[Value | None]


@dataclass(eq=False)
class Fitted:
    value: Value
    out: Value
    of: Ran | None


@dataclass(eq=False)
class Added:
    a: Value
    b: Value
    out: Value


@dataclass(eq=False)
class Ones:
    out: Value


@dataclass(eq=False)
class Arrived:
    leaf: Any
    value: Value


@dataclass(eq=False)
class Looked:
    leaf: Any  # whose gradient was looked at


@dataclass(eq=False)
class Cleared:
    leaf: Any


@dataclass(eq=False)
class Drawn:
    method: str
    args: tuple[Any, ...]
    out: Value


@dataclass(eq=False)
class Made:
    """A tensor of numbers that the step's code says (`zeros(3)`, `tensor([1, 2])`): the same at each call."""

    text: str
    out: Value


@dataclass(eq=False)
class Found:
    """What was found by the values of an array and has no gradient: the order of its elements, or these in another type."""

    text: str
    value: Value
    out: Value


@dataclass(eq=False)
class Compared:
    ufunc: Any
    a: Any
    b: Any
    out: Value


@dataclass(eq=False)
class Clipped:
    leaves: list[Any]
    max_norm: float
    out: Value


@dataclass(eq=False)
class ClippedByValue:
    leaves: list[Any]
    value: float


@dataclass(eq=False)
class Wrote:
    leaf: Any
    value: Value


@dataclass(eq=False)
class Counted:
    counter: Any  # of batch norm: the number of batches


@dataclass(eq=False)
class Moved:
    """Running statistics that went towards those of the batch."""

    running: tuple[Any, Any]
    momentum: float
    moments: Any  # where the operation leaves them
    factor: float  # of the variance: n / (n - 1)


@dataclass(eq=False)
class Updated:
    optimizer: Any


@dataclass(eq=False)
class Scheduled:
    scheduler: Any
    measure: Value | None  # of one that looks at how well it goes


@dataclass(eq=False)
class Seen:
    """The values of a tensor in another shape, as they were then."""

    value: Value
    out: Value


# Reasons that may be gone at a later call.
HOOK_ON_NODE, HOOK_ON_LEAF = "a hook on a node or a tensor", "a hook on a leaf"
ANOMALY, HISTORY = "detect_anomaly", "a tensor with a history from outside of the step"
MAY_PASS = frozenset((HOOK_ON_NODE, HOOK_ON_LEAF, ANOMALY, HISTORY))

_BATCH_NORM = nn_norm._BatchNorm.forward.__code__
_turn = Turn()  # one call is recorded at a time
_DRAWS = ("uniform", "normal", "log_normal", "exponential", "cauchy", "random", "randperm", "dropout_mask", "geometric")
_DRAWS_OF_ARRAYS = ("bernoulli", "multinomial", "seed", "manual_seed", "set_state", "_raw32", "_raw64")


class Recording:
    """What one call did. `known`: by id the tensors that the step's names and arguments lead to."""

    def __init__(self, known: dict[int, Any]) -> None:
        self.known = known
        self.entries: list[Any] = []
        self.values: dict[int, Value] = {}  # by id of the array
        self.ran: dict[Any, Ran] = {}  # by node
        self.reason: str | None = None
        self.strict = False  # stopping raises
        self.where = ""
        self.captured: dict[int, Value] = {}  # by id of the tensor
        self.names: dict[int, str] = {}  # by id of an array: what the program calls it
        self.entry_grads = {id(t): t._grad is None for t in known.values() if isinstance(t, Variable)}
        self._thread = threading.get_ident()
        self._deep = 0  # inside something that is noted as one
        self.others: list[Any] = []  # arrays whose ids stand for a Value, besides the Value's own
        self.leaf_of: dict[
            int, Any
        ] = {}  # by id of an array, the tensor that is there from call to call, and was written
        self.replaced: list[Value] = []  # what arrays stood for before they were written
        self.moved_arrays: dict[int, Any] = {}  # by id, the memory of running statistics that were moved
        self.given = False  # whether backward was called with a gradient
        self.apart = False  # inside of what is done anew at each call
        self.retained: set[Any] = set()  # nodes that kept what they saved
        self._leaving: Any = ()  # of a backward pass: the edges of the node that runs
        self._norm: Any = None  # what get_total_norm gave last

    # -- what is known

    def stop(self, reason: str) -> None:
        """No program can stand for this call. The first reason is kept, with the line of the user's program."""
        if self.reason is None:
            self.reason, self.where = reason, line_of_program()
            if self.strict:
                raise NotCompiled(f"minigrad.compile(fullgraph=True): {reason} ({self.where})")

    def busy(self) -> bool:
        """Whether what happens now is to be noted."""
        return self._deep == 0 and self.mine() and self.reason is None

    def mine(self) -> bool:
        """Whether it is the thread of the call that does something: other threads pass through the recorder's functions too."""
        return threading.get_ident() == self._thread

    def made(self, array: Array, entry: Any = None) -> Value:
        value = self.values[id(array)] = Value(array, entry)
        return value

    def value_of(self, x: Any, what: str) -> Any:
        """The Value of an input; Python values as they are."""
        if isinstance(x, Variable):
            array = x.__dict__["array"]
            if self.moved_arrays and id(storage.owner(array)) in self.moved_arrays:
                self.stop(f"{what} reads running statistics after they were moved")
                return None
            value = self.values.get(id(array))
            if value is STALE:
                return self._renewed(x, what)
            if value is not None:
                return value
            if id(x) in self.known:
                value = self.values[id(array)] = self.captured[id(x)] = Value(array, None, x)
                return value
            self.stop(f"{what} reads a tensor that was made in a way that is not recorded")
            return None
        if isinstance(x, Array):
            value = self.values.get(id(x)) or self._reshaped(x)
            if value is None or value is STALE:
                self.stop(f"{what} reads an array that was made in a way that is not recorded")
            return value
        if isinstance(x, int | float) and type(x) not in (bool, int, float) and not isinstance(x, np.generic):
            self.stop(f"{what} of a number that is a {type(x).__name__}")
        if isinstance(x, tuple) and any(isinstance(part, Array) for part in x):  # (a key: x[:, index])
            return tuple(self.value_of(part, what) if isinstance(part, Array) else part for part in x)
        if isinstance(x, tuple | list):  # (a NumPy scalar is a constant: who makes one of values has been stopped)
            for part in x:
                if isinstance(part, Variable | Array):
                    self.stop(f"{what} reads tensors inside a {type(x).__name__}")
        return x

    def constant(self, array: Array) -> None:
        """An array that the engine made of shapes and numbers alone: the same at each call."""
        text = constant_text(array)
        if id(array) not in self.values and text is not None:
            entry = Made(text, None)  # type: ignore[arg-type]
            entry.out = self.made(array, entry)
            self.entries.append(entry)

    def grid(self, original: Any, index: Array, dim: int) -> tuple[Array, ...]:
        """The key of an index along a dimension, beside which stand the places of a grid."""
        key = self._inside(original, index, dim)
        if self.busy():
            for k in key:
                if k is not index:
                    self.constant(k)
        return key

    def part_of_key(self, original: Any, index: Any) -> Array:
        """What stands between brackets: a list of numbers is a constant."""
        if not self.busy() or not _is_list_of_numbers(index):
            return original(index)
        array = self._inside(original, index)
        self.constant(array)
        return array

    def _reshaped(self, x: Array) -> Any:
        """The Value of an array that shows all of a known array's memory, in its own or another shape; None of any other."""
        for t in self._tensors():
            if t.__dict__["array"] is x:
                return self.value_of(t, "it")
        if not x.flags.c_contiguous or not x.size:
            return None
        owner, place = storage.owner(x), x.__array_interface__["data"][0]
        for a in self._arrays():
            known = self.values.get(id(a))
            if (
                a is not x and a.dtype == x.dtype and a.size == x.size and a.flags.c_contiguous
                and a.__array_interface__["data"][0] == place and storage.owner(a) is owner
            ):  # fmt: skip
                if known is None:
                    known = next((self.value_of(t, "it") for t in self._tensors() if t.__dict__["array"] is a), None)
                if not isinstance(known, Value):
                    return None
                entry = Seen(known, None)  # type: ignore[arg-type]
                entry.out = self.made(x, entry)
                self.entries.append(entry)
                return entry.out
        return None

    def _tensors(self) -> list[Any]:
        """The tensors that are known from before the call."""
        return [t for t in self.known.values() if isinstance(t, Variable)]

    def _arrays(self) -> list[Any]:
        """All arrays that are known."""
        found = [value.array for value in self.values.values() if isinstance(value, Value)] + self.others
        found += [t.__dict__["array"] for t in self._tensors()]
        found += [value.array for value in self.replaced]
        return [a for a in found if a is not None]

    # -- the functions that stand in the engine's place

    def operation(self, apply: Any, cls: Any, inputs: tuple) -> Any:
        if not self.busy() or not any(isinstance(x, Variable) for x in inputs):
            return apply(cls, *inputs)
        name = cls.__qualname__
        if issubclass(cls, Gather):
            for k in inputs[1]:
                if max(k.shape, default=1) == k.size and (k.reshape(-1) == range(k.size)).all():  # the places of a grid
                    self.constant(k)
        elif issubclass(cls, AvgPool):
            self.constant(inputs[-1])  # how many elements each window has
        elif issubclass(cls, Index) and any(isinstance(k, Array) and k.dtype == bool for k in inputs[1]):
            self.stop("elements chosen by a mask, whose number depends on values")
        noted = [self.value_of(x, name) for x in inputs]
        for x in inputs:
            if isinstance(x, Variable) and (x._base is not None or x._edge is not None):
                edge = x._edge
                if edge is not None and edge[0] not in self.ran and edge[0].variable is None:
                    self.stop(HISTORY)
        self._deep += 1
        try:
            out = apply(cls, *inputs)
        finally:
            self._deep -= 1
        if not isinstance(out, Variable):
            self.stop(f"{name} did not give a tensor")
            return out
        node = None if out._edge is None else out._edge[0]
        array = out.__dict__["array"]
        if id(array) in self.values:
            self.stop(f"{name} gave an array that is another tensor's")
        entry = Ran(cls, node, () if node is None else node.needs_input_grad, noted, None, line_of_program())  # type: ignore[arg-type]
        entry.out = self.made(array, entry)
        if node is not None:
            self.ran[node] = entry
            entry.settings = {
                k: v
                for k, v in vars(node).items()
                if not k.startswith("_") and isinstance(v, int | float | str | tuple | bool)
            }
        self.entries.append(entry)
        return out

    def walk(
        self, original: Any, edges: Any, gradients: Any, retain_graph: bool, create_graph: bool, targets: Any
    ) -> None:
        """`graph.walk`, noting each of its steps. Its arithmetic is the same, in the same order."""
        if not self.busy():
            original(edges, gradients, retain_graph=retain_graph, create_graph=create_graph, targets=targets)
            return
        problem = self._unwalkable(edges, gradients, retain_graph, create_graph, targets)
        if problem:
            self.stop(problem)
            original(edges, gradients, retain_graph=retain_graph, create_graph=create_graph, targets=targets)
            return
        before, outside = current.recording, quiet.state()
        arrived: dict[Any, Any] = {}
        self._deep += 1
        try:
            current.recording = False
            quiet.enter(outside)
            self._walk(list(edges), list(gradients), retain_graph, targets, arrived)
        finally:
            if arrived:
                hooks.arrive_where_complete(arrived, self._leaving, targets)
            self._deep -= 1
            current.recording = before
            quiet.put_back(outside)

    def _unwalkable(
        self, edges: Any, gradients: Any, retain_graph: bool, create_graph: bool, targets: Any
    ) -> str | None:
        if create_graph:
            return "a backward pass that is recorded itself (create_graph=True)"
        if targets is not None and targets.accumulate:
            return "backward with inputs="
        if current.anomaly:
            return ANOMALY
        for gradient in gradients:
            if not isinstance(gradient, Array):
                return "backward from a gradient that is no array"
            if id(gradient) not in self.values and (self.given or not (gradient == 1).all()):
                return "backward from a gradient that is not recorded"
        seen, todo = set(), [edge[0] for edge in edges if edge is not None]
        while todo:
            node = todo.pop()
            if node in seen:
                continue
            seen.add(node)
            if node._hooks is not None or node._node_hooks is not None:
                return HOOK_ON_NODE
            if node.variable is not None:
                leaf = node.variable
                if leaf._hooks or leaf._post_hooks:
                    return HOOK_ON_LEAF
                if id(leaf) not in self.known:
                    return "a gradient for a leaf that the step's names do not lead to"
            elif node not in self.ran:
                return f"{node.name()}, which ran before the step or is not recorded"
            elif node._outputs is not None:
                return f"{node.name()}, which has several outputs"
            todo.extend(edge[0] for edge in node._edges if edge is not None)
        return None

    def _walk(
        self, edges: list[Any], gradients: list[Any], retain_graph: bool, targets: Any, arrived: dict[Any, Any]
    ) -> None:
        self._leaving = edges
        turns = hooks.turns_of_leaves(edges) if hooks.Registered.on_leaves else None
        heap: list[tuple[float, Any]] = []
        node: Any = None
        for gradient in gradients:
            if id(gradient) not in self.values:
                begin = Ones(None)  # type: ignore[arg-type]
                begin.out = self.made(gradient, begin)
                self.entries.append(begin)
        while True:
            for i, edge in enumerate(edges):
                gradient = gradients[i]
                if gradient is None or edge is None or (targets is not None and not targets.leads(edge)):
                    continue
                target, _ = edge
                if (
                    gradient.__class__ is not Array
                    or gradient.shape != target._out_shape
                    or gradient.dtype is not target._out_dtype
                ):
                    before = self.values[id(gradient)]
                    fitted = fit(gradient, edge, node, i)
                    if fitted is not gradient:
                        fit_ = Fitted(before, None, self.ran.get(node))  # type: ignore[arg-type]
                        fit_.out = self.made(fitted, fit_)
                        self.entries.append(fit_)
                    gradient = fitted
                so_far = arrived.get(target)
                if so_far is None:
                    heappush(heap, (-(target.sequence_nr if turns is None else turns[target]), target))
                    arrived[target] = gradient
                else:
                    total = as_gradient(so_far + gradient)
                    sum_ = Added(self.values[id(so_far)], self.values[id(gradient)], None)  # type: ignore[arg-type]
                    sum_.out = self.made(total, sum_)
                    self.entries.append(sum_)
                    arrived[target] = total
            if not heap:
                self._found(targets)
                return
            node = heappop(heap)[1]
            grad = arrived.pop(node)
            edges = self._leaving = node._edges
            if targets is not None and not targets.keep(node, grad):
                edges, gradients = [], []
                continue
            if node.variable is not None:
                self.entries.append(Arrived(node.variable, self.values[id(grad)]))
                # a copy: this recording holds the array, and looks at it
                leaf = node.variable
                if leaf._grad is None and leaf._requires_grad:
                    leaf._grad = variable.wrap(grad.copy())
                    self._gradient_is(leaf, self.values[id(grad)])
                else:
                    AccumulateGrad.run_backward(node, grad)
                gradients = []
                continue
            results = as_tuple(node.run_backward(grad))
            if len(results) != len(edges):
                results = tuple(fit_count(node, results))
            noted: list[Any] = []
            outs = list(results)
            for i, g in enumerate(results):
                if g is None or edges[i] is None:
                    noted.append(None)
                    continue
                if not isinstance(g, Array):
                    g = outs[i] = np.asarray(g)
                noted.append(self.values.get(id(g)) or self.made(g))
            of = self.ran[node]
            noted += [None] * (len(of.inputs) - len(noted))  # (nodes of changes in place have no edges for settings)
            entry = Backward(of, self.values[id(grad)], noted)
            for value in noted:
                if value is not None and value.entry is None and value.tensor is None:
                    value.entry = entry
            self.entries.append(entry)
            gradients = outs
            if retain_graph:
                self.retained.add(node)
            else:
                node.release()

    def _gradient_is(self, leaf: Any, value: Value | None) -> None:
        """What `leaf.grad` holds is this; None: something that is not known, as after it was clipped."""
        array = leaf._grad.__dict__["array"]
        if value is None:
            self.values.pop(id(array), None)
        else:
            self.values[id(array)] = value
            self.others.append(array)

    def _found(self, targets: Any) -> None:
        """What was asked for: copies, which the recording knows by the values of which they are copies."""
        for edge, gradient in list(targets.found.items()) if targets is not None else ():
            copy = targets.found[edge] = gradient.copy()
            self.values[id(copy)] = self.values[id(gradient)]
            self.others.append(copy)

    def written(self, what: str) -> None:
        if self.busy():
            self.stop(f"{what}, which is not recorded")

    def drawn(self, name: str, method: Callable[..., Any], generator: Any, args: tuple, kwargs: dict) -> Any:
        if not self.busy():
            return method(generator, *args, **kwargs)
        if generator is not default_generator or name not in _DRAWS:
            self.stop(f"numbers drawn by a generator of the program's own, or by {name}()")
            return method(generator, *args, **kwargs)
        self._deep += 1
        try:
            out = method(generator, *args, **kwargs)
        finally:
            self._deep -= 1
        if kwargs or any(isinstance(a, Array | Variable) for a in args):
            self.stop(f"a draw by {name}() whose settings are arrays")
            return out
        entry = Drawn(name, args, None)  # type: ignore[arg-type]
        entry.out = self.made(out, entry)
        self.entries.append(entry)
        return out

    def cleared(self, original: Any, p: Any, set_to_none: bool) -> None:
        if self.busy():
            if id(p) not in self.known:
                self.stop("zero_grad of a tensor that the step's names do not lead to")
            elif not set_to_none and p._grad is not None:
                self.stop("zero_grad(set_to_none=False)")
            self.entries.append(Cleared(p))
        self._inside(original, p, set_to_none)

    def _inside(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        if not self.mine():
            return function(*args, **kwargs)
        self._deep += 1
        try:
            return function(*args, **kwargs)
        finally:
            self._deep -= 1

    def updated(self, original: Any, optimizer: Any) -> None:
        if self.busy():
            self.entries.append(Updated(optimizer))
            if id(optimizer) not in self.known:
                self.stop("a step of an optimizer that the step's names do not lead to")
        self._inside(original, optimizer)
        if self.busy():
            for group in optimizer.param_groups:  # (some take their decay into the gradient)
                for p in group["params"]:
                    if p._grad is not None:
                        self._gradient_is(p, None)

    def changed(self, original: Any, x: Any, result: Any, args: tuple, kwargs: dict) -> Any:
        """An in-place operation's end: x takes the values of `result`, and so does what else shows this memory."""
        if not self.busy():
            return original(x, result, *args, **kwargs)
        new = None if result is x or len(args) > 1 else self.value_of(result, "a change in place")
        return self._change(x, new, lambda: original(x, result, *args, **kwargs))

    def filled(self, original: Any, x: Any, value: Any, name: str) -> Any:
        """`fill_` and `zero_`: x takes one value everywhere."""
        if not self.busy():
            return original(x, value, name)
        array = x.__dict__["array"]
        numbers = np.full(array.shape, dtypes.element(value, array.dtype), array.dtype)
        entry = Made(constant_text(numbers) or "", None)  # type: ignore[arg-type]
        entry.out = self.made(numbers, entry)
        self.entries.append(entry)
        return self._change(x, entry.out, lambda: original(x, value, name))

    def _change(self, x: Any, new: Any, change: Callable[[], Any]) -> Any:
        """What `change` does, which gives x the values of `new`."""
        part = x._base is not None
        base = x._base if part else x
        array = base.__dict__["array"]
        old, leaf = self.values.get(id(array)), self.leaf_of.get(id(array))
        if old is STALE or (old is None and id(base) in self.known):
            old = self.value_of(base, "a change in place")
        if old is not None and old.entry is None and leaf is None and old.tensor is not None:
            leaf = old.tensor if _same_place(old.tensor.__dict__["array"], array) else None
        problem = self._unchangeable(x, part, array, old, new, leaf)
        if problem is not None:
            self.stop(problem)
        before = base._edge
        out = self._inside(change)
        if self.reason is not None:
            return out
        edge = base._edge
        node = edge[0] if edge is not None and edge is not before else None
        if leaf is not None and node is not None:
            self.stop("a change in place of a tensor that is there from call to call, which is recorded for backward")
            return out
        if part:
            self._rewrote(array, CopySlices, node, [old, new, geometry(array), geometry(x.__dict__["array"])])
        elif isinstance(node, Overwritten):
            self._rewrote(array, Overwritten, node, [old, new])
        else:
            self.replaced.append(old)
            self.values[id(array)] = new
            self.others.append(array)
        same: tuple[Any, ...] = (array,)
        if leaf is not None:
            same = (array, leaf.__dict__["array"])
            for a in same:
                self.leaf_of[id(a)], self.values[id(a)] = leaf, self.values[id(array)]
                self.others.append(a)
            self.entries.append(Wrote(leaf, self.values[id(array)]))
        self._others_are_stale(same)
        return out

    def _unchangeable(self, x: Any, part: bool, array: Any, old: Any, new: Any, leaf: Any) -> str | None:
        """Why a change in place cannot be written out; None if it can."""
        if old is None or (old.entry is None and leaf is None):  # (a Value is found by the array's id, and is held)
            return "a change in place of memory that the step did not make itself"
        if not isinstance(new, Value):
            return "a change in place that does not go by an operation"
        if new.shape != x.__dict__["array"].shape or new.dtype != old.dtype:
            return "a change in place to another type"
        if not part and not array.flags.c_contiguous and leaf is None:
            return "a change in place of what does not lie row by row"
        if part and storage.owner(array) is not storage.owner(x.__dict__["array"]):
            return "a change in place of a view of other memory"
        return None

    def _rewrote(self, array: Any, form: Any, node: Any, inputs: list[Any]) -> None:
        """The memory of a tensor was written: its array stands for what this operation gives."""
        needs = () if node is None else node.needs_input_grad
        entry = Ran(form, node, needs, inputs, None, line_of_program())  # type: ignore[arg-type]
        self.replaced.append(inputs[0])
        entry.out = self.made(array, entry)
        if node is not None:
            self.ran[node] = entry
        self.entries.append(entry)

    def _others_are_stale(self, written: tuple[Any, ...]) -> None:
        """What else shows the memory of these arrays: views, which are looked at anew when they are used next, and other tensors."""
        owner = storage.owner(written[0])
        for a in self._arrays():
            if storage.owner(a) is owner and id(a) in self.values and not any(a is b for b in written):
                value = self.values[id(a)]
                if isinstance(value, Value):
                    self.replaced.append(value)
                self.others.append(a)
                self.values[id(a)] = STALE

    def _renewed(self, x: Any, what: str) -> Any:
        """The Value of a view after something was written into the memory that it shows: a part of its base as that is now."""
        array, base = x.__dict__["array"], x._base
        whole = None if base is None else base.__dict__["array"]
        value = None if base is None else self.values.get(id(whole))
        if not isinstance(value, Value) or storage.owner(whole) is not storage.owner(array):
            self.stop(f"{what} reads memory that was changed in place by another tensor's name")
            return None
        if current.recording:
            self._inside(x._renew)
        node = x._edge[0] if x._edge is not None and x._edge[0] not in self.ran else None
        return self._looked_at(x, node, value, whole)

    def _looked_at(self, x: Any, node: Any, value: Value, whole: Any) -> Value:
        """x as a part of what `value` is."""
        array = x.__dict__["array"]
        needs = () if node is None else node.needs_input_grad
        entry = Ran(PartOf, node, needs, [value, geometry(whole), geometry(array)], None, line_of_program())  # type: ignore[arg-type]
        entry.out = self.made(array, entry)
        if node is not None:
            self.ran[node] = entry
        self.entries.append(entry)
        return entry.out

    def before_change(self, original: Any, view: Any) -> Any:
        """What an in-place operation on a view computes from: a part of its base."""
        out = self._inside(original, view)
        if self.busy() and out is not view:
            base = view._base.__dict__["array"]
            value = self.value_of(view._base, "a change in place")
            if isinstance(value, Value):
                self._looked_at(out, out._edge[0], value, base)
        return out

    def scheduled(self, original: Any, scheduler: Any, args: tuple, kwargs: dict) -> None:
        if not self.mine():
            original(scheduler, *args, **kwargs)
            return
        if self.busy():
            measures = isinstance(scheduler, ReduceLROnPlateau) and len(args) == 1 and isinstance(args[0], Variable)
            measure = self.value_of(args[0], "a scheduler's step") if measures else None
            self.entries.append(Scheduled(scheduler, measure))
            if id(scheduler) not in self.known:
                self.stop("a step of a scheduler that the step's names do not lead to")
            elif (args and not measures) or kwargs:
                self.stop("a scheduler's step of a given epoch, or by a measure that is no tensor")
        self.apart = True  # (its step is taken at each call: whatever that reads, it reads then)
        try:
            self._inside(original, scheduler, *args, **kwargs)
        finally:
            self.apart = False

    def seen(self, original: Any, running: Any, ndim: int) -> Any:
        """Running statistics as constants of this call."""
        if not self.busy():
            return original(running, ndim)
        value = self.value_of(running, "batch_norm")
        out = self._inside(original, running, ndim)
        if value is not None:
            entry = Seen(value, None)  # type: ignore[arg-type]
            entry.out = self.made(out, entry)
            self.entries.append(entry)
        return out

    def data(self, original: Any, x: Any) -> Any:
        """`x.data`: the same memory, which may be written without a record."""
        return self.detached(original, x)

    def detached(self, original: Any, x: Any) -> Any:
        """`x.detach()`: the same values."""
        if not self.busy():
            return original(x)
        value = self.value_of(x, "detach")
        out = self._inside(original, x)
        if value is not None:
            array = out.__dict__["array"]
            self.values[id(array)] = value
            self.others.append(array)
            leaf = self.leaf_of.get(id(x.__dict__["array"]))
            if leaf is not None:
                self.leaf_of[id(array)] = leaf
        return out

    def created(self, made: Any) -> None:
        """What a function that makes tensors of numbers gave."""
        if not isinstance(made, Variable) or not self.busy():
            return
        array = made.__dict__["array"]
        if id(array) in self.values or id(made) in self.known:
            return
        text = constant_text(array)
        if text is None:
            self.stop(f"a tensor of {array.size} numbers that is made anew at each call")
            return
        entry = Made(text, None)  # type: ignore[arg-type]
        entry.out = self.made(array, entry)
        self.entries.append(entry)

    def found(self, original: Any, text: str, x: Any, *args: Any) -> Any:
        """Places that are found by values: sort, max along a dimension and their like."""
        if not self.busy():
            return original(x, *args)
        value = self.value_of(x, original.__name__)
        out = self._inside(original, x, *args)
        if isinstance(value, Value):
            entry = Found(text, value, None)  # type: ignore[arg-type]
            entry.out = self.made(out, entry)
            self.entries.append(entry)
        return out

    def converted(self, original: Any, x: Any, d: Any) -> Any:
        """Elements in another type, without a gradient: truths as numbers, and the like."""
        if not self.busy():
            return original(x, d)
        value = self.value_of(x, "a conversion")
        out = self._inside(original, x, d)
        if isinstance(value, Value):
            entry = Found(f"{{0}}.astype(np.{np.dtype(d).name})", value, None)  # type: ignore[arg-type]
            entry.out = self.made(out.__dict__["array"], entry)
            self.entries.append(entry)
        return out

    def of_numbers(self, original: Any, *args: Any, **kwargs: Any) -> Any:
        """A tensor that the engine makes of numbers, as of one that is written into a tensor."""
        out = self._inside(original, *args, **kwargs)
        self.created(out)
        return out

    def compared(self, original: Any, ufunc: Any, a: Any, b: Any) -> Any:
        """`a < b` and its like."""
        if not self.busy():
            return original(ufunc, a, b)
        noted = [self.value_of(x, ufunc.__name__) for x in (a, b)]
        out = self._inside(original, ufunc, a, b)
        types = {v.dtype for v in noted if isinstance(v, Value)}
        numbers = (int, float) if types and next(iter(types)).kind == "f" else (int,)
        if len(types) != 1 or any(not isinstance(v, Value) and type(v) not in numbers for v in noted):
            self.stop(f"{ufunc.__name__} of different types")
            return out
        entry = Compared(ufunc, noted[0], noted[1], None)  # type: ignore[arg-type]
        entry.out = self.made(out.__dict__["array"], entry)
        self.entries.append(entry)
        return out

    def norm(self, original: Any, args: tuple, kwargs: dict) -> Any:
        """`get_total_norm`, as clip_grad_norm_ calls it."""
        out = self._inside(original, *args, **kwargs)
        if self.mine():
            self._norm = out if args[1:] == (2.0, False) and not kwargs else None
        return out

    def clipped(self, original: Any, parameters: Any, max_norm: Any, total: Any) -> None:
        self._inside(original, parameters, max_norm, total)
        if self.busy():
            if total is not self._norm or type(max_norm) not in (int, float):
                self.stop("clip_grad_norm_ with other settings than max_norm")
            elif any(id(p) not in self.known for p in parameters):
                self.stop("clip_grad_norm_ of a tensor that the step's names do not lead to")
            else:
                leaves = [p for p in parameters if p._grad is not None]
                for p in leaves:
                    self._gradient_is(p, None)
                entry = Clipped(leaves, float(max_norm), None)  # type: ignore[arg-type]
                entry.out = self.made(total.__dict__["array"], entry)
                self.entries.append(entry)

    def clipped_by_value(self, original: Any, parameters: list[Any], value: Any) -> None:
        self._inside(original, parameters, value)
        if self.busy():
            if type(value) not in (int, float):
                self.stop("clip_grad_value_ to what is not a number")
            elif any(id(p) not in self.known for p in parameters):
                self.stop("clip_grad_value_ of a tensor that the step's names do not lead to")
            for p in parameters:
                self._gradient_is(p, None)
            self.entries.append(ClippedByValue(parameters, value))

    def moved(
        self, original: Any, running_mean: Any, running_var: Any, momentum: float, mean: Array, var: Array
    ) -> None:
        self._inside(original, running_mean, running_var, momentum, mean, var)
        if self.busy():
            ran = next(
                (e for e in self.entries if isinstance(e, Ran) and getattr(e.inputs[-1], "mean", None) is mean), None
            )
            if ran is None or id(running_mean) not in self.known or id(running_var) not in self.known:
                self.stop("running statistics that are moved in another way than by batch norm")
                return
            n = ran.inputs[0].array.size // ran.inputs[0].shape[1]
            moments = ran.inputs[-1]
            if not np.array_equal(var, moments.var * (n / (n - 1)), equal_nan=True):
                self.stop("running statistics that are moved in another way than by batch norm")
            for t in (running_mean, running_var):
                owner = storage.owner(t.__dict__["array"])
                self.moved_arrays[id(owner)] = owner
            self.entries.append(Moved((running_mean, running_var), momentum, moments, n / (n - 1)))

    def look(self, x: Any) -> Any:
        """`tensor.array` is read: by code that looks at its shape only, or knows what it does, or by any other."""
        if self.busy():
            frame = sys._getframe(2)
            if frame.f_code is _BATCH_NORM:
                if frame.f_locals["self"].momentum is None or id(x) not in self.known:
                    self.stop("batch norm with momentum=None")
                self.entries.append(Counted(x))
                owner = storage.owner(x.__dict__["array"])
                self.moved_arrays[id(owner)] = owner
            elif not only_looks(frame.f_code, frame.f_lasti):
                self.stop(f"{frame.f_code.co_qualname} reads values of a tensor")
        return x.__dict__["array"]

    def get_grad(self, original: Any, x: Any) -> Any:
        """`w.grad` is read: a branch may depend on whether there is one."""
        if self.busy() and id(x) in self.known:
            self.entries.append(Looked(x))
        return self._inside(original, x)

    def set_grad(self, original: Any, x: Any, value: Any) -> None:
        if self.busy():
            if value is None and id(x) in self.known:
                self.entries.append(Cleared(x))
            else:
                self.stop("a gradient set by the program")
        self._inside(original, x, value)

    # -- in and out

    def forget(self) -> None:
        """The recording has been read: let go of what the call computed. (Entries and their Values hold each other.)"""
        for entry in self.entries:
            for value in vars(entry).values():
                for one in value if isinstance(value, list) else (value,):
                    if isinstance(one, Value):
                        one.entry = one.array = None
        for value in (*self.values.values(), *self.replaced):
            if value is not STALE:
                value.entry = value.array = None
        for held in (
            self.replaced,
            self.entries,
            self.values,
            self.ran,
            self.captured,
            self.others,
            self.moved_arrays,
            self.retained,
        ):
            held.clear()

    def __enter__(self) -> Recording:
        _put(self)
        return self

    def __exit__(self, *error: object) -> None:
        _take_away()


_FEW = 256  # numbers of a constant that are written one by one


def constant_text(array: Array) -> str | None:
    """NumPy that makes this array; None of many numbers without a pattern."""
    dtype = f"np.{array.dtype.name if array.dtype != bool else 'bool'}"
    if array.size and np.isfinite(array).all() and (array == array.flat[0]).all() and array.ndim:
        value = array.flat[0].item()
        if value == 0 and not np.signbit(array).any():
            return f"np.zeros({array.shape!r}, {dtype})"
        return f"np.full({array.shape!r}, {value!r}, {dtype})"
    if array.ndim == 1 and array.dtype.kind in "iu" and array.size > 2:
        first, step = int(array[0]), int(array[1]) - int(array[0])
        if step and np.array_equal(array, np.arange(array.size) * step + first):
            return f"np.arange({first}, {first + step * array.size}, {step}, {dtype})"
    if array.size > _FEW:
        return None
    numbers = repr(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    return f"np.array({numbers}, {dtype})" if array.size else f"np.zeros({array.shape!r}, {dtype})"


def _is_list_of_numbers(x: Any) -> bool:
    return isinstance(x, list | tuple) and all(isinstance(n, bool | int) or _is_list_of_numbers(n) for n in x)


def _same_place(a: Array, b: Array) -> bool:
    """Whether two arrays are the same elements of memory in the same order."""
    return a is b or (
        (a.shape, a.strides, a.dtype) == (b.shape, b.strides, b.dtype)
        and a.__array_interface__["data"][0] == b.__array_interface__["data"][0]
        and storage.owner(a) is storage.owner(b)
    )


def line_of_program() -> str:
    """The line of the program that is running: the innermost outside of minigrad."""
    frame: Any = sys._getframe(1)
    while frame is not None and of_engine(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return ""
    name = frame.f_code.co_filename
    text = linecache.getline(name, frame.f_lineno, frame.f_globals).strip()
    return f"{os.path.basename(name)}:{frame.f_lineno}: {text}"


class _Looked:
    """`Variable.array` while a call is recorded: reading is noted."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def __get__(self, x: Any, cls: Any = None) -> Any:
        if x is None:
            raise AttributeError("array")
        try:
            return self.recording.look(x)
        except KeyError:
            raise AttributeError("array") from None

    def __set__(self, x: Any, array: Any) -> None:
        x.__dict__["array"] = array

    def __delete__(self, x: Any) -> None:
        del x.__dict__["array"]


_saved: list[tuple[Any, str, Any]] = []


def _set(place: Any, name: str, value: Any) -> None:
    _saved.append((place, name, vars(place)[name]))
    setattr(place, name, value)


def _put(r: Recording) -> None:
    """The recorder's functions in the engine's places."""
    apply: Any = Operation.__dict__["apply"].__func__
    _set(Operation, "apply", classmethod(lambda cls, *inputs: r.operation(apply, cls, inputs)))
    function_apply: Any = Function.__dict__["apply"].__func__

    def of_function(cls: Any, *args: Any, **kwargs: Any) -> Any:
        r.written(f"{cls.__qualname__}, a Function of the program's own")
        return function_apply(cls, *args, **kwargs)

    _set(Function, "apply", classmethod(of_function))
    walk = differentiate.walk

    def walked(edges: Any, gradients: Any, *, retain_graph: bool, create_graph: bool, targets: Any = None) -> None:
        r.walk(walk, edges, gradients, retain_graph, create_graph, targets)

    _set(differentiate, "walk", walked)
    gradients_for = differentiate._gradients_for

    def gradients(outputs: Any, given: Any) -> Any:
        found = gradients_for(outputs, given)
        if r.mine():
            r.given = any(g is not None for g in found)
        return found

    _set(differentiate, "_gradients_for", gradients)
    mark_written, mark_replaced = storage.mark_written, storage.mark_replaced

    def marked(array: Any, recorded: bool = False) -> int:
        r.written("a change in place")
        return mark_written(array, recorded)

    def replaced() -> int:
        r.written("a tensor that is given other data")
        return mark_replaced()

    _set(storage, "mark_written", marked)
    _set(storage, "mark_replaced", replaced)
    for place in (optim_optimizer, nn_module):
        clear = vars(place)["clear_gradient"]
        _set(place, "clear_gradient", lambda p, set_to_none=True, clear=clear: r.cleared(clear, p, set_to_none))
    update = Optimizer.__dict__["_update_groups"]
    _set(Optimizer, "_update_groups", lambda self: r.updated(update, self))
    for name in (*_DRAWS, *_DRAWS_OF_ARRAYS):
        method = Generator.__dict__[name]
        _set(Generator, name, _draw(r, name, method))
    detach: Any = Tensor.__dict__["detach"]
    _set(Tensor, "detach", lambda x: r.detached(detach, x))
    data: Any = Tensor.__dict__["data"]
    _set(Tensor, "data", property(lambda x: r.data(data.fget, x), data.fset, data.fdel))
    compare = ops_comparison._compare
    _set(ops_comparison, "_compare", lambda ufunc, a, b: r.compared(compare, ufunc, a, b))
    move = ops_batch_norm._update_running
    _set(ops_batch_norm, "_update_running", lambda *args: r.moved(move, *args))
    back = inplace.write_back
    grid_key, array_of = ops_along.grid_key, ops_keys._array_of
    _set(ops_along, "grid_key", lambda index, dim: r.grid(grid_key, index, dim))
    _set(ops_keys, "_array_of", lambda index: r.part_of_key(array_of, index))
    converted = ops_operands.converted
    _set(ops_operands, "converted", lambda x, d: r.converted(converted, x, d))
    zeros = creation.zeros
    _set(
        creation, "zeros", lambda *args, **kwargs: r.of_numbers(zeros, *args, **kwargs)
    )  # (of the engine's own: first states)
    number = inplace._number
    _set(inplace, "_number", lambda x, value: r.of_numbers(number, x, value))
    fill = inplace._fill
    _set(inplace, "_fill", lambda x, value, name: r.filled(fill, x, value, name))
    before_change = inplace.before_change
    _set(inplace, "before_change", lambda view: r.before_change(before_change, view))
    _set(inplace, "write_back", lambda x, result, *args, **kwargs: r.changed(back, x, result, args, kwargs))
    as_they_are = ops_batch_norm._as_they_are
    _set(ops_batch_norm, "_as_they_are", lambda running, ndim: r.seen(as_they_are, running, ndim))
    schedule: Any = LRScheduler.__dict__["step"]
    _set(LRScheduler, "step", lambda self, *args, **kwargs: r.scheduled(schedule, self, args, kwargs))
    norm, scale = clip_grad.get_total_norm, clip_grad.clip_grads_with_norm_
    _set(clip_grad, "get_total_norm", lambda *args, **kwargs: r.norm(norm, args, kwargs))
    _set(
        clip_grad,
        "clip_grads_with_norm_",
        lambda parameters, max_norm, total: r.clipped(scale, parameters, max_norm, total),
    )
    schedule_by: Any = ReduceLROnPlateau.__dict__["step"]
    _set(ReduceLROnPlateau, "step", lambda self, *args, **kwargs: r.scheduled(schedule_by, self, args, kwargs))
    in_order, place_of = ops_order.in_order, ops_extremes.place_of
    _set(
        ops_order,
        "in_order",
        lambda x, dim, descending: r.found(in_order, f"in_order({{0}}, {dim}, {descending})", x, dim, descending),
    )
    _set(
        ops_extremes,
        "place_of",
        lambda x, find, *args: r.found(
            place_of, f"place_of({{0}}, np.{find.__name__}, {', '.join(map(repr, args))})", x, find, *args
        ),
    )
    by_value = clip_grad.clip_values
    _set(clip_grad, "clip_values", lambda parameters, value: r.clipped_by_value(by_value, parameters, value))
    grad: Any = Tensor.__dict__["grad"]
    _set(
        Tensor,
        "grad",
        property(lambda x: r.get_grad(grad.fget, x), lambda x, value: r.set_grad(grad.fset, x, value), grad.fdel),
    )
    Variable.array = _Looked(r)  # type: ignore[assignment]


def _draw(r: Recording, name: str, method: Any) -> Any:
    return lambda self, *args, **kwargs: r.drawn(name, method, self, args, kwargs)


def _take_away() -> None:
    if "array" in Variable.__dict__:
        del Variable.array
    while _saved:
        place, name, value = _saved.pop()
        setattr(place, name, value)
