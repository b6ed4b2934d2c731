"""Reverse-mode automatic differentiation: the file to read first.

While a program computes, every operation leaves a node behind. The node knows how to turn the gradient of its output
into the gradients of its inputs, and which nodes made those inputs. `backward` walks the nodes from the loss to the
leaves and applies the chain rule once at each.

    x = tensor([3.], requires_grad=True)        leaf x                        leaf x
    y = x * x                                      \\\\                           ^^  grad·x + grad·x
    z = y.exp()                                    Mul                          Mul
                                                    |    forward: values         ^   grad·z
                                                   Exp   flow down              Exp
                                                    |                            ^   1
                                                    z    backward: gradients     z
                                                         flow up

Four things make up the whole:

1. `Operation`  a node, and the recipe of one operation: `forward` on plain arrays, `backward` beside it.
2. `Operation.apply`  runs the forward recipe and links the new node to the nodes of its inputs.
3. `walk`  visits the nodes, newest first, adds up what arrives at each, and passes on what its `backward` gives.
4. `AccumulateGrad`  the node that stands for a leaf: what arrives there goes into `leaf.grad`.

Why newest first? A node may only run once *all* gradients have arrived at it. In `a = 1; b = a + a; c = b + b` the
node of `b` is reached twice; if it ran at the first arrival, `a` would get half its gradient. A node is created after
everything that it depends on, so to run nodes in falling order of creation is a topological order, with no sort.

Names follow PyTorch's (`grad_fn`, `next_functions`, `save_for_backward`, `saved_tensors`, `needs_input_grad`).
Source: Baydin et al. 2018, "Automatic Differentiation in Machine Learning: a Survey"; PyTorch, "Autograd mechanics".
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Any, ClassVar

import numpy as np

from . import storage
from .ops.sums import total
from .storage import Latest, clock

Array = np.ndarray
Edge = tuple["Operation", int]  # the node that made a value, and which of its outputs the value was


# ---------------------------------------------------------------------------------------------------------------------
# Modes
# ---------------------------------------------------------------------------------------------------------------------


class _Mode(threading.local):
    """What the current thread records. The attributes of the class are each thread's first values."""

    grad = True
    inference = False
    anomaly = False
    check_nan = True
    anomalies: ClassVar[int] = 0  # how often anomalies were asked for in any thread: while never, nobody looks


_mode = _Mode()


def is_grad_enabled() -> bool:
    """Whether operations of this thread are being recorded."""
    return _mode.grad


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside `inference_mode`."""
    return _mode.inference


class _ModeContext(contextlib.ContextDecorator):
    """A context manager and decorator that sets attributes of the thread's mode and puts them back."""

    settings: Any  # the attributes to set, by name

    def __enter__(self) -> None:
        # A stack, as one object may be entered again inside itself (a decorated function that calls itself).
        stack = self.__dict__.setdefault("_before", [])
        stack.append({name: getattr(_mode, name) for name in self.settings})
        _mode.__dict__.update(self.settings)

    def __exit__(self, *error: object) -> None:
        _mode.__dict__.update(self.__dict__["_before"].pop())

    def __call__(self, func: Callable) -> Callable:  # type: ignore[override]
        import inspect

        if inspect.isgeneratorfunction(func):
            # The mode must hold while the generator's body runs and not while it waits.
            @functools.wraps(func)
            def generator(*args: Any, **kwargs: Any) -> Any:
                iterator = func(*args, **kwargs)
                while True:
                    with self:
                        try:
                            item = next(iterator)
                        except StopIteration as stop:
                            return stop.value
                    yield item

            return generator
        return super().__call__(func)


class _Switch(_ModeContext):
    """`no_grad` may be used as `no_grad()` and, as a decorator, as plain `no_grad`."""

    def __new__(cls, func: Callable | None = None) -> Any:
        switch = super().__new__(cls)
        return switch(func) if func is not None else switch


class no_grad(_Switch):
    """Operations inside are not recorded. PyTorch: torch.no_grad."""

    settings = {"grad": False}  # noqa: RUF012


class enable_grad(_Switch):
    """Operations inside are recorded, also within `no_grad`. PyTorch: torch.enable_grad."""

    settings = {"grad": True}  # noqa: RUF012


class set_grad_enabled(_ModeContext):
    """Record or not, from the call on; as a context manager, until its end. PyTorch: torch.set_grad_enabled."""

    def __init__(self, mode: bool) -> None:
        self.settings = {"grad": bool(mode)}
        self._before = [{"grad": _mode.grad}]
        _mode.grad = bool(mode)

    def __enter__(self) -> None:
        _mode.grad = self.settings["grad"]
        if not self._before:  # entered a second time
            self._before.append({"grad": not self.settings["grad"]})

    def __call__(self, func: Callable) -> Callable:  # type: ignore[override]
        _mode.__dict__.update(self._before[-1])  # as a decorator it has no effect outside the function
        mode = self.settings["grad"]

        @functools.wraps(func)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with set_grad_enabled(mode):
                return func(*args, **kwargs)

        return wrapped


class inference_mode(_ModeContext):
    """`no_grad` by another name here: minigrad has no further bookkeeping to save. PyTorch: torch.inference_mode."""

    def __new__(cls, mode: bool | Callable = True) -> Any:
        context = super().__new__(cls)
        if callable(mode):
            context.settings = {"grad": False, "inference": True}
            return context(mode)
        return context

    def __init__(self, mode: bool = True) -> None:
        self.settings = {"grad": False, "inference": True} if mode else {"grad": True, "inference": False}


class detect_anomaly(_ModeContext):
    """Find the operation that made the first NaN of a backward pass.

    Inside, every operation remembers the line of the program that called it. When a gradient turns NaN, the walk
    stops with the operation's name and that line. Slow. PyTorch: torch.autograd.detect_anomaly.
    """

    def __init__(self, check_nan: bool = True) -> None:
        _Mode.anomalies += 1
        self.settings = {"anomaly": True, "check_nan": check_nan}


class set_detect_anomaly(detect_anomaly):
    """`detect_anomaly` that can be switched by a value. PyTorch: torch.autograd.set_detect_anomaly."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        _Mode.anomalies += 1
        self.settings = {"anomaly": bool(mode), "check_nan": check_nan}
        self._before = [{"anomaly": _mode.anomaly, "check_nan": _mode.check_nan}]
        _mode.__dict__.update(self.settings)

    def __enter__(self) -> None:
        if not self._before:
            super().__enter__()


# ---------------------------------------------------------------------------------------------------------------------
# What the graph knows of a tensor
# ---------------------------------------------------------------------------------------------------------------------


class Variable:
    """Values, gradient, and the place in the graph. `Tensor` adds the operators and methods.

    The attributes below are defaults in the class, so that a new tensor costs one assignment.
    """

    array: Array  # the values
    _edge: Edge | None = None  # the node that made the values; None for a leaf
    _requires_grad: bool = False  # of a leaf, by the user's wish
    _grad: Any = None
    _accumulator: Callable[[], AccumulateGrad | None] = staticmethod(lambda: None)  # weak: the node holds the leaf
    _base: Any = None  # of a recorded view: the tensor that it looks into
    _own_write: int = 0  # the time when an in-place operation last gave this tensor its values
    _hooks: dict[int, Callable] | None = None  # of a leaf
    _post_hooks: dict[int, Callable] | None = None
    _retains_grad: bool = False

    def _gradient_edge(self) -> Edge | None:
        """Where a gradient of this tensor goes: to the node that made it, or into the leaf."""
        if self._edge is not None:
            if self._edge[0].sequence_nr < Latest.regraphed:
                self._check_still_true(self._edge[0])
            return self._edge
        return self._leaf_edge() if self._requires_grad else None

    def _leaf_edge(self) -> Edge:
        node = self._accumulator()
        if node is None:
            node = AccumulateGrad(self)
            self._accumulator = weakref.ref(node)
        return (node, 0)

    def _check_still_true(self, node: Operation) -> None:
        """A recorded in-place change through *another* tensor makes this one's history untrue."""
        record = storage.find(self.array)
        if record is not None and record.regraphed > max(node.sequence_nr, self._own_write):
            raise RuntimeError(
                f"this tensor (shape {self.array.shape}, made by {node.name()}) shares memory with a tensor that was "
                "changed in place afterwards, so its history no longer tells its values; minigrad does not rewrite the "
                "history of views. Use the out-of-place operation (y = x.add(1) for x.add_(1)) or clone() first."
            )


_tensor_type: type[Variable] = Variable
_new = object.__new__  # quicker than to look it up in the class for each tensor


def register_tensor_type(cls: type[Variable]) -> None:
    """Called once by `tensor.py`, which stands above this file: what `apply` wraps arrays in."""
    global _tensor_type
    _tensor_type = cls


def wrap(array: Array) -> Any:
    """A tensor around an array, without history."""
    tensor = _new(_tensor_type)
    tensor.array = array
    return tensor


def wrap_recorded(array: Array, edge: Edge) -> Any:
    """A tensor around an array that `edge` made."""
    tensor = wrap(array)
    tensor._edge = edge
    return tensor


# ---------------------------------------------------------------------------------------------------------------------
# 1 and 2. Operations
# ---------------------------------------------------------------------------------------------------------------------


def _stack() -> list[str]:
    """The lines that led to the operation being recorded, for detect_anomaly."""
    import traceback  # here, since only detect_anomaly needs it

    return traceback.format_stack()[:-2]


class Operation:
    """One kind of operation (the class) and one node of the graph (an instance, the `ctx` of PyTorch).

    A subclass gives

        forward(ctx, *inputs)   plain arrays and Python values in, one array out (several only in `Function`);
        backward(ctx, grad)     the gradient of the output in, one gradient an input out (None where there is none).

    `backward` must be written so that it serves arrays and tensors: it gets arrays in an ordinary backward pass and
    tensors under `create_graph=True`, where its own steps are recorded. Operators, indexing, `.sum(dims)`,
    `.reshape(shape)`, `.swapaxes(i, j)` and the functions of `minigrad.ops` serve both. What it reads must be saved by
    `save_for_backward` if it is an input or the output (only so can a second derivative flow into it), and may be an
    attribute of `ctx` where it is a constant (a shape, a mask, an index).

    A gradient may have the shape to which its input was broadcast: `unbroadcast` in the walk sums it.
    """

    _edges: tuple[Edge | None, ...] = ()  # by input: the node that made it; None where no gradient is wanted
    sequence_nr: int = sys.maxsize  # the time at which it was recorded
    _out_shape: Any = None  # of the output: the shape that its gradient must have
    _out_dtype: Any = None  # and the dtype
    _outputs: tuple[tuple[tuple[int, ...], np.dtype], ...] | None = (
        None  # of a `Function`: those of each of its outputs
    )
    _hooks: dict[int, tuple[int, Callable]] | None = None  # (output, hook): called on that output's complete gradient
    _node_hooks: dict[int, Callable] | None = None  # called after this node ran
    is_view: ClassVar[bool] = False  # the output may look into the memory of the first input

    _saved: tuple[Any, ...] | None = ()
    _ids: Sequence[int] = ()  # id of each input array, then of each output array: see `saved_tensors`
    _where: list[str] | None = None  # under detect_anomaly: the stack at the forward call

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Any:
        raise NotImplementedError("an operation needs a forward(ctx, *inputs)")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise NotImplementedError("an operation that is differentiated needs a backward(ctx, grad)")

    @classmethod
    def apply(cls, *inputs: Any) -> Any:
        """Run `forward`; if an input requires grad, link a node to it. Arrays in, array out: then nothing is linked."""
        arrays: list[Any] = []  # what forward gets: the values of the tensors
        edges: list[Edge | None] = []  # where their gradients will go
        ids: list[int] = []  # of these arrays: by them `saved_tensors` knows which input it gives back
        recording = _mode.grad
        regraphed = Latest.regraphed
        tensors = tracked = False
        for x in inputs:
            edge = None
            if isinstance(x, Variable):
                tensors = True
                if recording:
                    edge = x._edge
                    if edge is not None:
                        tracked = True
                        if edge[0].sequence_nr < regraphed:
                            x._check_still_true(edge[0])
                    elif x._requires_grad:
                        tracked = True
                        leaf = x._accumulator()
                        edge = (leaf, 0) if leaf is not None else x._leaf_edge()
                x = x.array
            arrays.append(x)
            edges.append(edge)
            ids.append(id(x))

        ctx = cls()
        if tracked:
            ctx._edges = tuple(edges)  # before forward, which need save only what the wanted gradients need
        out = cls.forward(ctx, *arrays)
        if not tensors:
            return out
        if out.__class__ is not Array:
            out = ctx._as_array(out)
        result = _new(_tensor_type)
        result.array = out
        if tracked:
            ctx.sequence_nr = next(clock)
            ctx._hooks = ctx._node_hooks = ctx._outputs = None  # as in the class, but quicker to read
            ctx._out_shape = out.shape
            ctx._out_dtype = out.dtype
            ids.append(id(out))
            ctx._ids = ids
            result._edge = (ctx, 0)
            if cls.is_view and storage.owner(out) is storage.owner(arrays[0]):
                result._base = inputs[0]._base if inputs[0]._base is not None else inputs[0]
            if _Mode.anomalies and _mode.anomaly:
                ctx._where = _stack()
        return result

    def _as_array(self, scalar: Any) -> Array:
        """NumPy gives a scalar where an array without dimensions is meant: the array, also where it was saved."""
        out = np.asarray(scalar)
        if self._saved:
            self._saved = tuple(out if value is scalar else value for value in self._saved)
        return out

    def save_for_backward(self, *values: Any) -> None:
        """Keep arrays (inputs, or the output) for `backward`. A later in-place change of them is noticed."""
        self._saved = values

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept: arrays in an ordinary backward pass, tensors under `create_graph`."""
        saved = self._saved
        if saved is None:
            raise RuntimeError(
                "Trying to backward through the graph a second time (or directly access saved tensors after they have "
                "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
                "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time "
                "or if you need to access saved tensors after calling backward."
            )
        if self.sequence_nr < Latest.written:
            self._check_not_overwritten(saved)
        if _mode.grad:
            return tuple(self._link(value) for value in saved)
        return saved

    def _link(self, value: Any) -> Any:
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
            if edge is not None and isinstance(edge[0], AccumulateGrad):
                return edge[0].variable
            if edge is not None:
                tensor = wrap_recorded(value, edge)
                tensor._own_write = self.sequence_nr  # its history is true: it was not overwritten after it was saved
                return tensor
        return wrap(value)

    def _check_not_overwritten(self, values: Sequence[Any]) -> None:
        for value in values:
            if isinstance(value, Array):
                record = storage.find(value)
                if record is not None and record.written > self.sequence_nr:
                    raise RuntimeError(
                        "one of the variables needed for gradient computation has been modified by an inplace "
                        f"operation: a tensor of shape {list(value.shape)} saved by {self.name()} is at version "
                        f"{record.version} and was changed after it was saved. Use the out-of-place spelling "
                        "(x = x + 1 for x += 1, x.relu() for x.relu_()), or clone() before the change."
                    )

    @property
    def next_functions(self) -> tuple[tuple[Operation | None, int], ...]:
        """By input: the node that made it, and as which of its outputs; (None, 0) where no gradient is wanted."""
        return tuple((None, 0) if edge is None else edge for edge in self._edges)

    @property
    def needs_input_grad(self) -> tuple[bool, ...]:
        """By input, whether its gradient is wanted: `backward` may skip the others."""
        return tuple(edge is not None for edge in self._edges)

    def run_backward(self, gradient: Any) -> Any:
        """Apply `backward` to the complete gradient of the output: a gradient an input."""
        return self.backward(self, gradient)

    def release(self) -> None:
        """Drop what was saved, once a backward pass has used it."""
        if self._saved:
            self._saved = None

    # -- for people who look at the graph

    @classmethod
    def name(cls) -> str:
        """The name in `grad_fn=<...>`, such as MulBackward0."""
        return cls.__name__ + "Backward0"

    @property
    def metadata(self) -> dict:
        return self.__dict__.setdefault("_metadata", {})

    def register_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(grad_inputs, grad_outputs)` after this node ran; it may return other grad_inputs."""
        if self._node_hooks is None:
            self._node_hooks = {}
        return RemovableHandle(self._node_hooks, hook)

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


class Fused(Operation):
    """An operation that has two forms: a `definition` composed of other operations, which reads like the textbook, and
    `forward`/`backward` on arrays, which are fast.

    Tests hold the fast form against the definition. Higher derivatives go through the definition, so `backward` need
    serve arrays only. `minigrad.use_kernels(False)` runs every operation on its definition.
    """

    inputs: tuple[Any, ...] | None = None

    @staticmethod
    def definition(*inputs: Any) -> Any:
        raise NotImplementedError("a fused operation needs a definition(*inputs)")

    @classmethod
    def apply(cls, *inputs: Any) -> Any:
        if not kernels_enabled():
            return cls.definition(*inputs)
        result = super().apply(*inputs)
        if isinstance(result, Variable) and result._edge is not None:
            result._edge[0].inputs = inputs  # type: ignore[attr-defined]
        return result

    def run_backward(self, gradient: Any) -> Any:
        if not isinstance(gradient, Variable):
            return self.backward(self, gradient)
        if self.inputs is None:
            self.saved_tensors  # noqa: B018  raises: the graph was freed
        wanted = [i for i, edge in enumerate(self._edges) if edge is not None]
        assert self.inputs is not None
        if self.sequence_nr < Latest.written:
            self._check_not_overwritten([x.array for x in self.inputs if isinstance(x, Variable)])
        with enable_grad():
            # Fresh tensors between the inputs and the definition, so that two equal inputs keep their own gradients.
            inputs = [Alias.apply(x) if i in wanted else x for i, x in enumerate(self.inputs)]
            out = self.definition(*inputs)
            found = grad([out], [inputs[i] for i in wanted], [gradient], create_graph=True, allow_unused=True)
        result: list[Any] = [None] * len(self.inputs)
        for i, g in zip(wanted, found, strict=True):
            result[i] = g
        return result

    def release(self) -> None:
        super().release()
        self.inputs = None


class Alias(Operation):
    """out = x, as a tensor of its own that shares the values.  dx = grad"""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        return x[...]

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad


class _Kernels(threading.local):
    enabled: bool | None = None


_kernels = _Kernels()
_kernels_default = os.environ.get("MINIGRAD_KERNELS") != "0"


def kernels_enabled() -> bool:
    """Whether fused operations take their fast form (see `minigrad.use_kernels`)."""
    enabled = _kernels.enabled
    return _kernels_default if enabled is None else enabled


class use_kernels(contextlib.ContextDecorator):
    """Run fused operations on their fast form (the default) or, with False, on their definitions and NumPy alone.

    Takes effect at the call; as a context manager or decorator, until its end. The environment variable
    ``MINIGRAD_KERNELS=0`` does the same for a whole process.
    """

    def __init__(self, enabled: bool = True) -> None:
        global _kernels_default
        self.enabled = enabled
        self._before: list[bool | None] = []
        self._default = _kernels_default
        _kernels_default = enabled

    def __enter__(self) -> None:
        global _kernels_default
        _kernels_default = self._default  # as a context it holds for this thread, until its end
        self._before.append(_kernels.enabled)
        _kernels.enabled = self.enabled

    def __exit__(self, *error: object) -> None:
        _kernels.enabled = self._before.pop()

    def __call__(self, func: Callable) -> Any:
        global _kernels_default
        _kernels_default = self._default
        return super().__call__(func)


# ---------------------------------------------------------------------------------------------------------------------
# 3. The walk
# ---------------------------------------------------------------------------------------------------------------------


def walk(
    roots: Sequence[tuple[Edge, Any]],
    *,
    retain_graph: bool,
    create_graph: bool,
    targets: Sequence[Edge] = (),
    accumulate: bool = True,
) -> dict[Edge, Any]:
    """Carry gradients from `roots` (edge and gradient) back through the graph.

    With `targets`, only nodes on the way to them run, and the gradients that arrive at them are returned; without
    `accumulate`, none is added to a leaf's `.grad`. Gradients are arrays, or tensors under `create_graph`.
    """
    before, _mode.grad = _mode.grad, create_graph
    try:
        return _walk(roots, retain_graph, targets, accumulate)
    finally:
        _mode.grad = before


def _walk(
    roots: Sequence[tuple[Edge, Any]], retain_graph: bool, targets: Sequence[Edge], accumulate: bool
) -> dict[Edge, Any]:
    found: dict[Edge, Any] = {}
    wanted = _nodes_above(roots, targets) if targets else None
    arrived: dict[Operation, Any] = {}  # by node: the sum of what has arrived; for several outputs a list of such sums
    heap: list[tuple[int, Operation]] = []  # these nodes, the newest on top
    for root, gradient in roots:
        _arrive(root, gradient, arrived, heap)
    del roots, gradient
    anomaly = _mode.anomaly

    while heap:
        node = heappop(heap)[1]
        grad = arrived.pop(node)  # complete: every node that uses this one's output is newer and has run
        if node._hooks is not None:
            grad = _call_hooks(node, grad)
        if wanted is not None:
            for i, gradient in enumerate([grad] if node._outputs is None else grad):
                if (node, i) in targets:
                    found[(node, i)] = gradient
            if node not in wanted:
                continue
            if not accumulate and isinstance(node, AccumulateGrad):
                found[(node, 0)] = node.call_hooks(grad)
                continue

        results = node.run_backward(grad)
        if results.__class__ is not tuple:
            results = tuple(results) if isinstance(results, list | tuple) else (results,)
        if node._node_hooks is not None:
            results = _call_node_hooks(node, results, grad)
        edges = node._edges
        if len(results) != len(edges):
            results = _fit_count(node, results)
        for i, edge in enumerate(edges):
            gradient = results[i]
            if gradient is None or edge is None:
                continue
            target = edge[0]
            if wanted is not None and target not in wanted and edge not in targets:
                continue
            if (
                gradient.__class__ is not Array
                or gradient.shape != target._out_shape
                or gradient.dtype is not target._out_dtype
            ):
                gradient = _fit(gradient, edge, node, i)
            if anomaly:
                _check_nan(gradient, node, i)
            if target._outputs is not None:
                _arrive(edge, gradient, arrived, heap)
            elif target in arrived:  # from here on what `_arrive` does, without the call
                arrived[target] = arrived[target] + gradient
            else:
                arrived[target] = gradient
                heappush(heap, (-target.sequence_nr, target))
        if not retain_graph:
            node.release()
        results = gradient = grad = None  # what has been passed on should not be held: its memory may be reused
    return found


def _arrive(edge: Edge, gradient: Any, arrived: dict[Operation, Any], heap: list[tuple[int, Operation]]) -> None:
    """Add a gradient to what has arrived at a node (for several outputs: at that output), and put the node on the heap."""
    node, output_nr = edge
    if node not in arrived:
        arrived[node] = None if node._outputs is None else [None] * len(node._outputs)
        heappush(heap, (-node.sequence_nr, node))
    before = arrived[node] if node._outputs is None else arrived[node][output_nr]
    total = gradient if before is None else before + gradient
    if node._outputs is None:
        arrived[node] = total
    else:
        arrived[node][output_nr] = total


def _nodes_above(roots: Sequence[tuple[Edge, Any]], targets: Sequence[Edge]) -> set[Operation]:
    """The nodes from which a target can be reached (the targets' own nodes only if they lead to other targets)."""
    target_nodes = {edge[0] for edge in targets}
    oldest = min(node.sequence_nr for node in target_nodes)
    # First all nodes under the roots, then, oldest first, whether one of a node's inputs leads to a target.
    seen: set[Operation] = set()
    stack = [edge[0] for edge, _ in roots]
    while stack:
        node = stack.pop()
        if node in seen or node.sequence_nr < oldest:
            continue
        seen.add(node)
        stack.extend(edge[0] for edge in node._edges if edge is not None)
    wanted: set[Operation] = set()
    for node in sorted(seen, key=lambda n: n.sequence_nr):
        if isinstance(node, AccumulateGrad):
            if node in target_nodes:
                wanted.add(node)
        elif any(edge is not None and (edge[0] in wanted or edge in targets) for edge in node._edges):
            wanted.add(node)
    return wanted


def unbroadcast(gradient: Any, shape: tuple[int, ...]) -> Any:
    """Sum a gradient down to the shape that its input had before it was broadcast.

    Broadcasting copies a value to several places, so the value's gradient is the sum of theirs: over the dimensions
    that were added in front, and over those that were stretched from 1.

        unbroadcast(grad of shape (4, 3, 5), (3, 1)) sums over dimensions 0 and 2
    """
    added = len(gradient.shape) - len(shape)
    stretched = [i + added for i, n in enumerate(shape) if n == 1 and gradient.shape[i + added] != 1]
    dims = (*range(added), *stretched)
    if dims:
        gradient = total(gradient, dims) if isinstance(gradient, Array) else gradient.sum(dims)
    return gradient.reshape(shape)


def _fit(gradient: Any, edge: Edge, node: Operation, i: int) -> Any:
    """The gradient in its input's shape and dtype; an error where it cannot have been its gradient."""
    target, output_nr = edge
    shape, dtype = (target._out_shape, target._out_dtype) if target._outputs is None else target._outputs[output_nr]
    if isinstance(gradient, np.generic):
        gradient = np.asarray(gradient)
    if not isinstance(gradient, Array | Variable):
        raise TypeError(
            f"{node.name()} returned a {type(gradient).__name__} as gradient {i}; it must be a tensor or None"
        )
    given = tuple(gradient.shape)  # type: ignore[union-attr]
    if given != shape:
        padded = (1,) * (len(given) - len(shape)) + shape
        if len(padded) != len(given) or any(n != g and n != 1 for n, g in zip(padded, given, strict=True)):
            raise RuntimeError(
                f"Function {node.name()} returned an invalid gradient at index {i} - got {list(given)} but expected "
                f"shape compatible with {list(shape)}"
            )
        gradient = unbroadcast(gradient, shape)
    if isinstance(gradient, Variable):
        if gradient.array.dtype != dtype:
            from .dtypes import from_numpy

            gradient = gradient.to(from_numpy(dtype))  # type: ignore[attr-defined]
    elif gradient.dtype != dtype:
        gradient = gradient.astype(dtype)
    return np.asarray(gradient) if isinstance(gradient, np.generic) else gradient


def _fit_count(node: Operation, results: Sequence[Any]) -> Sequence[Any]:
    """`backward` gives a gradient an input; more are allowed if they are None, as in PyTorch."""
    n = len(node._edges)
    if len(results) < n or any(g is not None for g in results[n:]):
        raise RuntimeError(
            f"function {node.name()} returned an incorrect number of gradients (expected {n}, got {len(results)})"
        )
    return results[:n]


def _check_nan(gradient: Any, node: Operation, i: int) -> None:
    values = gradient.array if isinstance(gradient, Variable) else gradient
    if _mode.check_nan and np.isnan(values).any():
        if node._where is not None:
            print(
                f"minigrad: {node.name()} made the first NaN of this backward pass. Its forward call:\n\n"
                + "".join(node._where),
                file=sys.stderr,
            )
        raise RuntimeError(f"Function '{node.name()}' returned nan values in its {i}th output.")


# ---------------------------------------------------------------------------------------------------------------------
# 4. Leaves
# ---------------------------------------------------------------------------------------------------------------------


class AccumulateGrad(Operation):
    """The node of a leaf that requires grad: adds what arrives to `variable.grad`.

    It is made when an operation first uses the leaf, before that operation's own node, so the walk, which goes from
    new to old, reaches it after every use.
    """

    def __init__(self, variable: Variable) -> None:
        self.variable = variable
        self._out_shape, self._out_dtype = variable.array.shape, variable.array.dtype
        self.sequence_nr = next(clock)

    @classmethod
    def name(cls) -> str:
        return "AccumulateGrad"

    def call_hooks(self, gradient: Any) -> Any:
        for hook in tuple((self.variable._hooks or {}).values()):
            gradient = _apply_hook(hook, gradient)
        return gradient

    def run_backward(self, gradient: Any) -> Any:
        self.accumulate(gradient)
        return ()

    def accumulate(self, gradient: Any) -> None:
        leaf = self.variable
        if leaf._hooks:
            gradient = self.call_hooks(gradient)
        if isinstance(gradient, Variable):  # create_graph: the sum is itself part of a graph
            leaf._grad = gradient if leaf._grad is None else leaf._grad + gradient
        elif leaf._grad is None:
            # Take the array if nobody else holds it, else copy: no two gradients may share memory.
            if sys.getrefcount(gradient) > _UNSHARED or (gradient.base is not None and not _whole_and_own(gradient)):
                gradient = gradient.copy()
            leaf._grad = wrap(gradient)
        elif leaf._grad._edge is None:
            np.add(leaf._grad.array, gradient, out=leaf._grad.array)
            storage.mark_written(leaf._grad.array)
        else:
            leaf._grad = wrap(leaf._grad.array + gradient)
        if leaf._post_hooks:
            for hook in tuple(leaf._post_hooks.values()):
                hook(leaf)


# How many references `accumulate` sees to an array that only the walk holds. Counted, not assumed: it is the
# interpreter's affair.
_UNSHARED = sys.maxsize


def _whole_and_own(view: Array) -> bool:
    """Whether the view shows all of another array, in its order, that nobody holds but the view: a reshaped one does."""
    base = view.base
    return (
        type(base) is Array and base.base is None and base.nbytes == view.nbytes and view.flags.c_contiguous
        and sys.getrefcount(base) <= 3  # the view, `base`, and the argument of getrefcount
    )  # fmt: skip


def _count_references() -> int:
    counts: list[int] = []

    class Probe(AccumulateGrad):
        def accumulate(self, gradient: Any) -> None:
            counts.append(sys.getrefcount(gradient))

    leaf = Variable()
    leaf.array = np.zeros(1)
    node = Probe(leaf)

    class Source(Operation):
        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad + 0.0

    source = Source()
    source._edges, source.sequence_nr = ((node, 0),), next(clock)
    walk([((source, 0), np.ones(1))], retain_graph=False, create_graph=False)
    return counts[0]


# ---------------------------------------------------------------------------------------------------------------------
# Hooks
# ---------------------------------------------------------------------------------------------------------------------


class RemovableHandle:
    """What registering a hook returns; `remove()` takes the hook off again. Also a context manager."""

    _next_id = 0

    def __init__(self, hooks: dict[int, Any], hook: Any, prepend: bool = False) -> None:
        self.id = RemovableHandle._next_id
        RemovableHandle._next_id += 1
        self._hooks = hooks
        hooks[self.id] = hook
        if prepend:
            for key in [k for k in hooks if k != self.id]:
                hooks[key] = hooks.pop(key)

    def remove(self) -> None:
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def _apply_hook(hook: Callable, gradient: Any) -> Any:
    """Hooks see tensors, also where the walk carries arrays."""
    if isinstance(gradient, Variable):
        result = hook(gradient)
        return gradient if result is None else result
    result = hook(wrap(gradient))
    return gradient if result is None else result.array


def _call_hooks(node: Operation, grad: Any) -> Any:
    # What `retain_grad` keeps is the gradient after all other hooks, whenever they were registered.
    hooks = sorted((node._hooks or {}).values(), key=lambda entry: getattr(entry[1], "is_last", False))
    grads = [grad] if node._outputs is None else grad
    for output_nr, hook in hooks:
        if grads[output_nr] is not None:
            grads[output_nr] = _apply_hook(hook, grads[output_nr])
    return grads[0] if node._outputs is None else grads


def _call_node_hooks(node: Any, results: Sequence[Any], grad: Any) -> Sequence[Any]:
    grads = [grad] if node._outputs is None else grad

    def tensors(values: Sequence[Any]) -> tuple:
        return tuple(wrap(np.asarray(g)) if isinstance(g, Array | np.generic) else g for g in values)

    arrays = not any(isinstance(g, Variable) for g in (*results, *grads))
    for hook in tuple(node._node_hooks.values()):
        changed = hook(tensors(results), tensors(grads))
        if changed is not None:
            changed = changed if isinstance(changed, tuple | list) else (changed,)
            results = [g.array if arrays and isinstance(g, Variable) else g for g in changed]
    return results


# ---------------------------------------------------------------------------------------------------------------------
# The public face: backward, grad, Function
# ---------------------------------------------------------------------------------------------------------------------


def _roots(outputs: Sequence[Any], gradients: Sequence[Any], create_graph: bool) -> list[tuple[Edge, Any]]:
    """Pair each output's edge with the gradient to start from; 1 where none is given and the output is a scalar."""
    roots = []
    for i, (out, gradient) in enumerate(zip(outputs, gradients, strict=True)):
        edge = out._gradient_edge()
        if edge is None:
            raise RuntimeError(f"element {i} of tensors does not require grad and does not have a grad_fn")
        if gradient is None:
            if out.array.size != 1:
                raise RuntimeError(
                    "grad can be implicitly created only for scalar outputs, and this output has shape "
                    f"{list(out.array.shape)}. Give backward a gradient of that shape, or reduce with .sum() or .mean()."
                )
            gradient = wrap(np.array(1, out.array.dtype).reshape(out.array.shape))
        else:
            if not isinstance(gradient, Variable):
                raise TypeError(
                    f"gradients can be either Tensors or None, but got {type(gradient).__name__} for output {i}"
                )
            if gradient.array.shape != out.array.shape:
                raise RuntimeError(
                    f"Mismatch in shape: grad_output[{i}] has a shape of {list(gradient.array.shape)} and output[{i}] "
                    f"has a shape of {list(out.array.shape)}."
                )
            if gradient.array.dtype != out.array.dtype:
                gradient = wrap(gradient.array.astype(out.array.dtype))
        roots.append((edge, gradient if create_graph else gradient.array))
    return roots


def _as_sequence(tensors: Any) -> tuple:
    return (tensors,) if isinstance(tensors, Variable) else tuple(tensors)


def _gradients_for(outputs: Sequence[Any], gradients: Any) -> tuple:
    if gradients is None:
        return (None,) * len(outputs)
    gradients = _as_sequence(gradients)
    for i, gradient in enumerate(gradients):
        if gradient is not None and not isinstance(gradient, Variable):
            raise TypeError(
                f"gradients can be either Tensors or None, but got {type(gradient).__name__} for output {i}"
            )
    if len(gradients) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(gradients)} gradients")
    return gradients


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradient of `tensors` to the `.grad` of every leaf (or of `inputs` only). PyTorch: torch.autograd.backward.

    tensors: a tensor or several; grad_tensors: for each the gradient of what follows it, of its shape (None for a
    scalar: 1). create_graph records the backward pass, so that it can be differentiated again.
    """
    outputs = _as_sequence(tensors)
    roots = _roots(outputs, _gradients_for(outputs, grad_tensors), create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        walk(roots, retain_graph=keep, create_graph=create_graph)
        return
    leaves = _as_sequence(inputs)
    if not leaves:
        raise RuntimeError("'inputs' argument to backward() cannot be empty.")
    edges = _target_edges(leaves)
    found = walk(roots, retain_graph=keep, create_graph=create_graph, targets=edges, accumulate=True)
    with set_grad_enabled(create_graph):
        for tensor, edge in zip(leaves, edges, strict=True):
            if not isinstance(edge[0], AccumulateGrad) and edge in found:
                gradient = found[edge]
                gradient = gradient if create_graph else wrap(gradient.copy())
                tensor._grad = gradient if tensor._grad is None else tensor._grad + gradient


def _target_edges(inputs: Sequence[Any]) -> list[Edge]:
    edges = [x._gradient_edge() for x in inputs]
    if any(edge is None for edge in edges):
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    return edges


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of `outputs` by `inputs`, returned and not accumulated. PyTorch: torch.autograd.grad.

    An input that the outputs do not depend on raises, unless allow_unused (None for it) or materialize_grads (zeros).
    """
    if is_grads_batched:
        raise NotImplementedError("is_grads_batched=True is not supported; call grad once for each row of grad_outputs")
    outputs, inputs = _as_sequence(outputs), _as_sequence(inputs)
    roots = _roots(outputs, _gradients_for(outputs, grad_outputs), create_graph)
    edges = _target_edges(inputs)
    keep = create_graph if retain_graph is None else retain_graph
    found = walk(roots, retain_graph=keep, create_graph=create_graph, targets=edges, accumulate=False)
    results: list[Any] = []
    taken: set[int] = set()
    for x, edge in zip(inputs, edges, strict=True):
        gradient = found.get(edge)
        if gradient is None:
            if not (allow_unused or materialize_grads):
                raise RuntimeError(
                    "One of the differentiated Tensors appears to not have been used in the graph. Set "
                    "allow_unused=True if this is the desired behavior."
                )
            results.append(wrap(np.zeros_like(x.array)) if materialize_grads else None)
        elif isinstance(gradient, Variable):
            results.append(gradient)
        else:
            # No two results, and no result and somebody else's array, share memory.
            shared = gradient.base is not None or id(gradient) in taken or any(gradient is g for _, g in roots)
            gradient = gradient.copy() if shared else gradient
            taken.add(id(gradient))
            results.append(wrap(gradient))
    return tuple(results)


class Function(Operation):
    """An operation of the user's own, with PyTorch's interface: `forward` and `backward` see tensors.

        class Square(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x

            @staticmethod
            def backward(ctx, grad_output):
                (x,) = ctx.saved_tensors
                return 2 * x * grad_output

        y = Square.apply(x)

    The separate form `forward(*inputs)` with `setup_context(ctx, inputs, output)` works too. PyTorch:
    torch.autograd.Function.
    """

    _materialize = True
    _non_differentiable: tuple[int, ...] = ()
    _dirty: tuple[int, ...] = ()
    setup_context: ClassVar[Callable | None] = None

    @classmethod
    def apply(cls, *inputs: Any) -> Any:
        ctx = cls()
        edges = tuple(x._gradient_edge() if isinstance(x, Variable) else None for x in inputs)
        tracked = _mode.grad and any(edge is not None for edge in edges)
        ctx._edges = edges
        with no_grad():
            if cls.setup_context is None:
                outputs = cls.forward(ctx, *inputs)
            else:
                outputs = cls.forward(*inputs)
                cls.setup_context(ctx, inputs, outputs)
        single = not isinstance(outputs, tuple | list)
        results = [outputs] if single else list(outputs)
        if any(not isinstance(out, Variable) and single for out in results):
            raise TypeError(
                f"{cls.__name__}.forward must return a Tensor or a tuple of Tensors, got {type(outputs).__name__}"
            )
        if tracked:
            ctx.sequence_nr = next(clock)
            arrays = [out.array if isinstance(out, Variable) else None for out in results]
            ctx._outputs = tuple((a.shape, a.dtype) if a is not None else ((), np.dtype(float)) for a in arrays)
            ctx._ids = (*(id(x.array) if isinstance(x, Variable) else 0 for x in inputs), *map(id, arrays))
            for i, (out, array) in enumerate(zip(results, arrays, strict=True)):
                if array is None or array.dtype.kind != "f" or id(array) in ctx._non_differentiable:
                    continue
                if id(out) in ctx._dirty:  # an input that forward changed in place and returned
                    out._edge, out._own_write = (ctx, i), storage.mark_written(array, regraphed=True)
                else:
                    results[i] = wrap_recorded(array, (ctx, i))
            if _mode.anomaly:
                ctx._where = _stack()
        return results[0] if single else tuple(results)

    def save_for_backward(self, *values: Any) -> None:
        """Keep tensors (inputs or outputs) for `backward`."""
        self._saved = tuple(v.array if isinstance(v, Variable) else v for v in values)

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        saved = Operation.saved_tensors.__get__(self)
        return tuple(wrap(v) if isinstance(v, Array) else v for v in saved)

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """These outputs get no gradient."""
        self._non_differentiable = tuple(id(t.array) for t in tensors)

    def mark_dirty(self, *tensors: Any) -> None:
        """These inputs are changed in place by `forward` and returned."""
        self._dirty = tuple(id(t) for t in tensors)

    def set_materialize_grads(self, value: bool) -> None:
        """With False, `backward` gets None for an output that was not used, where it would get zeros."""
        self._materialize = value

    def run_backward(self, grads: list[Any]) -> Any:
        arrays = not any(isinstance(g, Variable) for g in grads)
        if self._materialize:
            grads = [np.zeros(*meta) if g is None else g for g, meta in zip(grads, self._outputs or (), strict=True)]
        grads = [wrap(g) if isinstance(g, Array) else g for g in grads]
        results = self.backward(self, *grads)
        results = results if isinstance(results, tuple | list) else (results,)
        if not arrays:
            return results
        return [g.array if isinstance(g, Variable) else g for g in results]

    @classmethod
    def name(cls) -> str:
        return cls.__name__ + "Backward"


class graph:
    """PyTorch keeps `Node` under torch.autograd.graph."""

    Node = Operation


_UNSHARED = _count_references()
