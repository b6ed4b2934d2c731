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
    Called     a function of the engine that is called as a whole (whole.py)

What makes it sound is that every array must be *known*: an argument, a tensor that the step's own names lead to, or the
result of one of the above. An array from anywhere else, a value that is read into Python, memory that is written otherwise:
each stops the recording, with a reason, and the step runs eagerly.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

import numpy as np

from .. import quiet, storage
from ..autograd import hooks, variable
from ..autograd.fit import as_gradient, as_tuple, fit, fit_count
from ..autograd.graph import AccumulateGrad
from ..autograd.modes import current
from ..autograd.variable import Array, Variable
from ..nn import norm as nn_norm
from ..ops.along import Gather
from ..ops.index import Index
from ..ops.pool import AvgPool
from ..optim.lr_plateau import ReduceLROnPlateau
from ..random import default_generator
from ..threads import Turn
from .changes import Changes
from .entries import (
    STALE,
    Added,
    Arrived,
    Backward,
    Cleared,
    Clipped,
    ClippedByValue,
    Compared,
    Counted,
    Drawn,
    Fitted,
    Found,
    Looked,
    Made,
    Moved,
    Ones,
    Ran,
    Scheduled,
    Seen,
    Updated,
    Value,
    constant_text,
)
from .frames import line_of_program
from .looks import only_looks
from .names import called
from .places import DRAWS, put, take_away
from .whole import Wholes


class NotCompiled(RuntimeError):
    """fullgraph=True, and the step cannot be written as a program."""


# Reasons that may be gone at a later call.
HOOK_ON_NODE, HOOK_ON_LEAF = "a hook on a node or a tensor", "a hook on a leaf"
ANOMALY, HISTORY = "detect_anomaly", "a tensor with a history from outside of the step"
MAY_PASS = frozenset((HOOK_ON_NODE, HOOK_ON_LEAF, ANOMALY, HISTORY))

_BATCH_NORM = nn_norm._BatchNorm.forward.__code__
_turn = Turn()  # one call is recorded at a time


class Recording(Changes, Wholes):
    """What one call did. `known`: by id the tensors that the step's names and arguments lead to."""

    def __init__(self, known: dict[int, Any]) -> None:
        Wholes.__init__(self)
        self.known = known
        self.entries: list[Any] = []
        self.values: dict[int, Value] = {}  # by id of the array
        self.ran: dict[Any, Ran] = {}  # by node
        self.reason: str | None = None
        self.strict = False  # stopping raises
        self.where = ""
        self.passes = False  # whether the reason may be gone at a later call
        self.returned = ""  # the line that gave the step's result
        self.captured: dict[int, Value] = {}  # by id of the tensor
        self.names: dict[int, str] = {}  # by id of an array: what the program calls it
        self.entry_grads = {id(t): t._grad is None for t in known.values() if isinstance(t, Variable)}
        self._thread = threading.get_ident()
        self._deep = 0  # inside something that is noted as one
        self.others: list[Any] = []  # arrays whose ids stand for a Value, besides the Value's own
        self.leaf_of: dict[
            int, Any
        ] = {}  # by id of an array, the tensor that is there from call to call, and was written
        self.gradients: list[Any] = []  # arrays of leaves' gradients
        self.replaced: list[Value] = []  # what arrays stood for before they were written
        self.moved_arrays: dict[int, Any] = {}  # by id, the memory of running statistics that were moved
        self.given = False  # whether backward was called with a gradient
        self.apart = False  # inside of what is done anew at each call
        self.retained: set[Any] = set()  # nodes that kept what they saved
        self._leaving: Any = ()  # of a backward pass: the edges of the node that runs
        self._norm: Any = None  # what get_total_norm gave last

    # -- what is known

    def stop(self, reason: str, where: str = "", passes: bool = False) -> None:
        """No program can stand for this call. The first reason is kept, with the line of the user's program.

        What a reason says of the engine it says by the public name of what the line calls: see `op`.
        """
        if self.reason is None:
            self.reason, self.where = reason, where or line_of_program()
            self.passes = passes or reason in MAY_PASS
            if self.strict:
                raise NotCompiled(f"minigrad.compile(fullgraph=True): {reason} ({self.where})")

    def note(self, entry: Any) -> None:
        """An entry, with the line of the program that it comes from."""
        entry.at, entry.op = line_of_program(), called()
        self.entries.append(entry)

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
                self.stop(f"{called() or what} reads running statistics after they were moved")
                return None
            value = self.values.get(id(array))
            if value is STALE:
                return self._renewed(x, what)
            if value is not None:
                return value
            if id(x) in self.known:
                value = self.values[id(array)] = self.captured[id(x)] = Value(array, None, x)
                return value
            value = self._reshaped(array) if x._edge is None and x._base is None else None  # (wrapped anew)
            if value is None:
                self.stop(self._unknown(what))
            return value
        if isinstance(x, Array):
            value = self.values.get(id(x)) or self._reshaped(x)
            if value is None or value is STALE:
                self.stop(self._unknown(what))
            return value
        if isinstance(x, int | float) and type(x) not in (bool, int, float) and not isinstance(x, np.generic):
            self.stop(f"{called() or what} of a number that is a {type(x).__name__}")
        if isinstance(x, tuple) and any(isinstance(part, Array) for part in x):  # (a key: x[:, index])
            return tuple(self.value_of(part, what) if isinstance(part, Array) else part for part in x)
        if isinstance(x, tuple | list):  # (a NumPy scalar is a constant: who makes one of values has been stopped)
            for part in x:
                if isinstance(part, Variable | Array):
                    self.stop(f"{called() or what} reads tensors inside a {type(x).__name__}")
        return x

    def _unknown(self, what: str) -> str:
        return f"{called() or what} reads a tensor of which it is not known how it was made"

    def constant(self, array: Array) -> None:
        """An array that the engine made of shapes and numbers alone: the same at each call."""
        text = constant_text(array)
        if id(array) not in self.values and text is not None:
            entry = Made(text, None)  # type: ignore[arg-type]
            entry.out = self.made(array, entry)
            self.note(entry)

    def _is_new(self, array: Array) -> bool:
        """Whether an array is none that is known, nor shows the memory of one."""
        owner = storage.owner(array)
        return all(storage.owner(a) is not owner for a in self._arrays())

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
                self.note(entry)
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
                if max(k.shape, default=1) == k.size and (k.reshape(-1) == range(k.size)).all() and self._is_new(k):
                    self.constant(k)  # the places of a grid, and no places that happen to be the same
        elif issubclass(cls, AvgPool):
            self.constant(inputs[-1])  # how many elements each window has
        elif issubclass(cls, Index) and any(isinstance(k, Array) and k.dtype == bool for k in inputs[1]):
            self.stop(f"{called()} of a mask, which gives as many elements as the mask's values say")
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
            self.stop(f"{called() or name} did not give a tensor")
            return out
        node = None if out._edge is None else out._edge[0]
        array = out.__dict__["array"]
        if id(array) in self.values:
            self.stop(f"{called() or name} gave memory that is another tensor's")
        entry = Ran(cls, node, () if node is None else node.needs_input_grad, noted, None)  # type: ignore[arg-type]
        entry.out = self.made(array, entry)
        if node is not None:
            self.ran[node] = entry
            entry.settings = {
                k: v
                for k, v in vars(node).items()
                if not k.startswith("_") and isinstance(v, int | float | str | tuple | bool)
            }
        self.note(entry)
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
                return f"a backward pass through {node.name()}, which ran before the step or is not recorded"
            elif node._outputs is not None:
                return f"a backward pass through {node.name()}, which has several outputs"
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
                self.note(begin)
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
                        self.note(fit_)
                    gradient = fitted
                so_far = arrived.get(target)
                if so_far is None:
                    heappush(heap, (-(target.sequence_nr if turns is None else turns[target]), target))
                    arrived[target] = gradient
                else:
                    total = as_gradient(so_far + gradient)
                    sum_ = Added(self.values[id(so_far)], self.values[id(gradient)], None)  # type: ignore[arg-type]
                    sum_.out = self.made(total, sum_)
                    self.note(sum_)
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
                self.note(Arrived(node.variable, self.values[id(grad)]))
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
            self.note(entry)
            gradients = outs
            if retain_graph:
                self.retained.add(node)
            else:
                self.retained.discard(node)
                node.release()

    def _gradient_is(self, leaf: Any, value: Value | None) -> None:
        """What `leaf.grad` holds is this; None: something that is not known, as after it was clipped."""
        array = leaf._grad.__dict__["array"]
        self.gradients.append(array)
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
            name = called()
            self.stop(f"{what}{f' by {name}' if name else ''}, which is not recorded")

    def function(self, cls: Any, args: tuple, kwargs: dict) -> None:
        """`Function.apply`: of the program's own, or of the engine's, whose derivative is made of tensors."""
        if not self.busy():
            return
        if not cls.__module__.startswith("minigrad."):
            self.stop(f"{cls.__qualname__}.apply, a torch.autograd.Function of the program's own")
        elif current.recording and any(
            isinstance(x, Variable) and _requires_grad(x) for x in (*args, *kwargs.values())
        ):
            self.stop(f"{called()}, whose derivative is not written out")
        elif not self.take_whole():
            self.stop(f"{called()}, which is not written out")

    def drawn(self, name: str, method: Callable[..., Any], generator: Any, args: tuple, kwargs: dict) -> Any:
        self.whole_draws(generator is default_generator)
        if not self.busy():
            return method(generator, *args, **kwargs)
        if generator is not default_generator or name not in DRAWS:
            of = "by" if generator is default_generator else "from a generator of the program's own by"
            self.stop(f"numbers drawn {of} {called() or name}")
            return method(generator, *args, **kwargs)
        self._deep += 1
        try:
            out = method(generator, *args, **kwargs)
        finally:
            self._deep -= 1
        if kwargs or any(isinstance(a, Array | Variable) for a in args):
            self.stop(f"numbers drawn by {called()}, whose settings are tensors")
            return out
        entry = Drawn(name, args, None)  # type: ignore[arg-type]
        entry.out = self.made(out, entry)
        self.note(entry)
        return out

    def cleared(self, original: Any, tensors: list[Any], set_to_none: bool) -> None:
        for p in tensors if self.busy() else ():
            if id(p) not in self.known:
                self.stop("zero_grad of a tensor that the step's names do not lead to")
            elif not set_to_none and p._grad is not None:
                self.stop("zero_grad(set_to_none=False)")
            self.note(Cleared(p))
        self._inside(original, tensors, set_to_none)

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
            self.note(Updated(optimizer))
            if id(optimizer) not in self.known:
                self.stop("a step of an optimizer that the step's names do not lead to")
        self._inside(original, optimizer)
        if self.busy():
            for group in optimizer.param_groups:  # (some take their decay into the gradient)
                for p in group["params"]:
                    if p._grad is not None:
                        self._gradient_is(p, None)
                    self._read_anew(p)

    def _read_anew(self, leaf: Any) -> None:
        """An optimizer moved it: what it is from now on is another value, and so is what views of it show."""
        array = leaf.__dict__["array"]
        self._others_are_stale((array,))
        old = self.values.pop(id(array), None)
        if isinstance(old, Value):
            self.replaced.append(old)

    def scheduled(self, original: Any, scheduler: Any, args: tuple, kwargs: dict) -> None:
        if not self.mine():
            original(scheduler, *args, **kwargs)
            return
        if self.busy():
            measures = isinstance(scheduler, ReduceLROnPlateau) and len(args) == 1 and isinstance(args[0], Variable)
            measure = self.value_of(args[0], "a scheduler's step") if measures else None
            self.note(Scheduled(scheduler, measure))
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
            self.note(entry)
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
        self.note(entry)

    def found(self, original: Any, text: str, x: Any, *args: Any) -> Any:
        """Places that are found by values: sort, max along a dimension and their like."""
        if not self.busy():
            return original(x, *args)
        value = self.value_of(x, original.__name__)
        out = self._inside(original, x, *args)
        if isinstance(value, Value):
            entry = Found(text, value, None)  # type: ignore[arg-type]
            entry.out = self.made(out, entry)
            self.note(entry)
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
            self.note(entry)
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
            self.stop(f"{called() or ufunc.__name__} of different types")
            return out
        entry = Compared(ufunc, noted[0], noted[1], None)  # type: ignore[arg-type]
        entry.out = self.made(out.__dict__["array"], entry)
        self.note(entry)
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
                self.note(entry)

    def clipped_by_value(self, original: Any, parameters: list[Any], value: Any) -> None:
        self._inside(original, parameters, value)
        if self.busy():
            if type(value) not in (int, float):
                self.stop("clip_grad_value_ to what is not a number")
            elif any(id(p) not in self.known for p in parameters):
                self.stop("clip_grad_value_ of a tensor that the step's names do not lead to")
            for p in parameters:
                self._gradient_is(p, None)
            self.note(ClippedByValue(parameters, value))

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
            self.note(Moved((running_mean, running_var), momentum, moments, n / (n - 1)))

    def look(self, x: Any) -> Any:
        """`tensor.array` is read: by code that looks at its shape only, or knows what it does, or by any other."""
        if self.busy():
            frame = sys._getframe(2)
            if frame.f_code is _BATCH_NORM:
                if frame.f_locals["self"].momentum is None or id(x) not in self.known:
                    self.stop("batch norm with momentum=None")
                self.note(Counted(x))
                owner = storage.owner(x.__dict__["array"])
                self.moved_arrays[id(owner)] = owner
            elif not only_looks(frame.f_code, frame.f_lasti) and not self.take_whole():
                self.stop(f"{called() or 'the step'} reads a tensor's values in a way that is not written out")
        return x.__dict__["array"]

    def get_grad(self, original: Any, x: Any) -> Any:
        """`w.grad` is read: a branch may depend on whether there is one."""
        if self.busy() and id(x) in self.known:
            self.note(Looked(x))
        return self._inside(original, x)

    def set_grad(self, original: Any, x: Any, value: Any) -> None:
        if self.busy():
            if value is None and id(x) in self.known:
                self.note(Cleared(x))
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
            self.gradients,
            self.replaced,
            self.entries,
            self.values,
            self.ran,
            self.captured,
            self.others,
            self.moved_arrays,
            self.retained,
            self.open,
        ):
            held.clear()

    def __enter__(self) -> Recording:
        put(self)
        return self

    def __exit__(self, *error: object) -> None:
        take_away()


def _requires_grad(x: Any) -> bool:
    return x._edge is not None or x._requires_grad or (x._base is not None and x._base._edge is not None)


def _is_list_of_numbers(x: Any) -> bool:
    return isinstance(x, list | tuple) and all(isinstance(n, bool | int) or _is_list_of_numbers(n) for n in x)
