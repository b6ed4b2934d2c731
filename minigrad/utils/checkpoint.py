"""Memory for time: a part of a program whose inner values are not kept for the backward pass, but computed again then.

PyTorch: torch.utils.checkpoint. Source: Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost".

The part runs once and is recorded as usual. Then its nodes are let go, and one node takes their place, with edges to
what they led to outside: parameters, inputs, whatever the function sees. In the backward pass the function runs again,
under the random state of the first time, and the walk goes through the new nodes as far as those edges.

With use_reentrant=True, the older way, the part runs unrecorded, and the backward pass starts another one inside itself,
which adds to the parameters' `.grad`: so it serves `backward()` alone, and only if an input requires grad.
"""

from __future__ import annotations

import contextlib
import operator
import warnings
from collections.abc import Callable, Iterable, Sequence, Sized
from typing import Any

from .. import autograd, missing, random
from ..autograd.function import Function
from ..autograd.graph import Operation, walk
from ..autograd.modes import current, enable_grad, is_grad_enabled, no_grad
from ..autograd.node import Node
from ..autograd.targets import Targets
from ..autograd.variable import Edge, Variable
from ..foreign import said
from ..quiet import as_outside
from ..sampling import get_rng_state, set_rng_state
from ..size import has_parts
from ..storage import clock, find

__all__ = ["CheckpointError", "CheckpointFunction", "checkpoint", "checkpoint_sequential", "noop_context_fn"]


class CheckpointError(RuntimeError):
    """The function did not do the same when it ran again."""


def noop_context_fn() -> tuple[Any, Any]:
    """The contexts in which the function runs the first time and again: none."""
    return contextlib.nullcontext(), contextlib.nullcontext()


def checkpoint(
    function: Callable, *args: Any, use_reentrant: bool | None = None, context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default", debug: bool = False, early_stop: bool = True, **kwargs: Any,
) -> Any:  # fmt: skip
    """function(*args, **kwargs), whose inner values are computed again in the backward pass.

    preserve_rng_state (True): the second run draws the random numbers of the first. context_fn gives the contexts of the
    first and of the later runs. determinism_check: "default" compares shapes and dtypes of the results, "none" does not.
    early_stop: a truth; here the function always runs to its end. PyTorch: torch.utils.checkpoint.checkpoint.
    """
    if not callable(function):
        raise TypeError(f"checkpoint(): argument 'function' must be callable, not {said(function)}")
    if use_reentrant is None:
        _warn("checkpoint", stacklevel=3)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check should be one of ['default', 'none'], but got {determinism_check}")
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        if context_fn is not noop_context_fn or debug:
            raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
        return CheckpointFunction.apply(function, preserve, *args)
    missing.refuse("checkpoint", debug=debug)
    first, again = context_fn()
    if not is_grad_enabled():
        with first:
            return function(*args, **kwargs)
    bool(early_stop)  # RuntimeError of a tensor of several elements, which PyTorch's backward pass comes to
    call = _Call(function, args, kwargs, get_rng_state() if preserve else None, again, determinism_check != "none")
    with first:
        outputs = function(*args, **kwargs)
    return call.replace(outputs)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """The functions (or the layers of a Sequential), one after the other, in segments each of which is a `checkpoint`.

    The last segment is kept as it is: its values are needed first. PyTorch: torch.utils.checkpoint.checkpoint_sequential.
    """
    if use_reentrant is None:
        _warn("checkpoint_sequential", stacklevel=3)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if not hasattr(functions, "children") and not (isinstance(functions, Sized) and has_parts(functions)):
        raise TypeError(
            f"checkpoint_sequential(): argument 'functions' must be a Sequential or a list of functions, not {type(functions).__name__}"
        )
    layers = list(functions.children()) if hasattr(functions, "children") else list(functions)
    try:
        segments = operator.index(segments)
    except TypeError:
        raise TypeError(f"checkpoint_sequential(): argument 'segments' must be int, not {said(segments)}") from None
    if not segments:
        raise ZeroDivisionError("checkpoint_sequential(): argument 'segments' must not be 0")
    size = len(layers) // segments
    if not size:
        raise ValueError(f"checkpoint_sequential(): {len(layers)} functions cannot be cut into {segments} segments")
    for layer in layers:
        if not callable(layer):
            raise TypeError(f"checkpoint_sequential(): in argument 'functions' there is one that is {said(layer)}")

    def run(part: Sequence[Callable]) -> Callable:
        def forward(x: Any) -> Any:
            for layer in part:
                x = layer(x)
            return x

        return forward

    done = 0
    for start in range(0, size * (segments - 1), size):
        done = start + size
        input = checkpoint(run(layers[start:done]), input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return run(layers[done:])(input)


def _warn(name: str, stacklevel: int) -> None:
    warnings.warn(
        f"torch.utils.checkpoint.{name}: the use_reentrant parameter should be passed explicitly. use_reentrant=False is "
        "recommended, but if you need to preserve the current default behavior, you can pass use_reentrant=True.",
        stacklevel=stacklevel,
    )


# -- one node in place of many


class _Call:
    """A call that can be run again, and the time before it."""

    def __init__(
        self, function: Callable, args: tuple, kwargs: dict[str, Any], state: Any, context: Any, compared: bool
    ) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs
        self.state, self.context, self.compared = state, context, compared
        self.since = next(clock)

    def replace(self, outputs: Any) -> Any:
        """The outputs, made by one node."""
        made = [x for x in _tensors(outputs) if _inner(x._edge, self.since)]
        if not made:
            return outputs
        node = Recompute()
        node.call = self
        node._saved = (self,)
        node._edges = _edges_out_of([x._edge for x in made], self.since)
        node._outputs = tuple((x.array.shape, x.array.dtype) for x in made)
        node.sequence_nr = next(clock)
        for i, x in enumerate(made):
            x._edge = (node, i)
        return outputs

    def again(self) -> tuple[list[Any], int]:
        """The tensors that the function gives when it runs again, and the time before that."""
        for x in _tensors([self.args, self.kwargs]):
            record = find(x.array)
            if record is not None and record.written > self.since:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an inplace operation: an "
                    "input of a checkpoint was changed, and the function would not compute the same again"
                )
        since = next(clock)
        with random.fork_rng(enabled=self.state is not None), enable_grad(), self.context:
            if self.state is not None:
                set_rng_state(self.state)
            outputs = as_outside(lambda: self.function(*self.args, **self.kwargs))
        return [x for x in _tensors(outputs) if _inner(x._edge, since)], since


class Recompute(Operation):
    """The node of a checkpoint: its backward runs the function again, and walks through what that recorded"""

    grad_fn_name = "CheckpointBackward"
    call: _Call

    def run_backward(self, grads: list[Any]) -> Any:
        if self._saved is None:
            return self.saved_tensors  # raises: the graph was freed
        outputs, since = self.call.again()
        roots = [x._edge for x in outputs]
        same = len(outputs) == len(self._outputs or ())
        if same and self.call.compared:
            same = [(x.array.shape, x.array.dtype) for x in outputs] == list(self._outputs or ())
        if not same or _edges_out_of(roots, since) != self._edges:
            raise CheckpointError(
                "torch.utils.checkpoint: the recomputed values have different metadata, or depend on other tensors, than "
                "during the forward pass: the function must do the same each time"
            )
        wanted = _Until(since, self._edges)
        given = [(edge, g) for edge, g in zip(roots, grads, strict=True) if g is not None]
        walk(
            [edge for edge, _ in given], [g for _, g in given], retain_graph=current.recording,
            create_graph=current.recording, targets=wanted,
        )  # fmt: skip
        return tuple(wanted.found.get(edge) for edge in self._edges)


class _Until(Targets):
    """The targets of a walk that ends at edges out of the part that was recorded `since`."""

    def __init__(self, since: int, edges: Iterable[Edge]) -> None:
        self.since, self.edges = since, set(edges)
        self.found: dict[Edge, Any] = {}

    def leads(self, edge: Edge) -> bool:
        return edge in self.edges or _inner(edge, self.since)

    def keep(self, node: Node, grad: Any) -> bool:
        for i, gradient in enumerate([grad] if node._outputs is None else grad):
            if (node, i) in self.edges and gradient is not None:
                self.found[(node, i)] = gradient
        return _inner((node, 0), self.since)


def _inner(edge: Edge | None, since: int) -> bool:
    """Whether the edge leads to a node that was recorded after `since` (leaves are outside, whenever they were first used)."""
    return edge is not None and edge[0].variable is None and edge[0].sequence_nr > since


def _edges_out_of(roots: Sequence[Edge], since: int) -> tuple[Edge, ...]:
    """The edges from nodes under the roots, recorded after `since`, to what stands outside, in the order of a visit."""
    found: dict[Edge, None] = {}
    seen: set[Node] = set()
    stack = [node for node, _ in reversed(roots)]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        for edge in node._edges:
            if edge is not None and _inner(edge, since):
                stack.append(edge[0])
            elif edge is not None:
                found.setdefault(edge)
    return tuple(found)


def _tensors(x: Any) -> list[Any]:
    """The tensors in lists, tuples and dicts."""
    if isinstance(x, Variable):
        return [x]
    values: Iterable[Any] = x.values() if isinstance(x, dict) else x if isinstance(x, list | tuple) else ()
    return [tensor for value in values for tensor in _tensors(value)]


# -- a backward pass inside a backward pass


class CheckpointFunction(Function):
    """checkpoint(use_reentrant=True). PyTorch: torch.utils.checkpoint.CheckpointFunction."""

    @staticmethod
    def forward(ctx: Any, run_function: Callable, preserve_rng_state: bool, *args: Any) -> Any:
        if not any(isinstance(x, Variable) and x.requires_grad for x in args):  # type: ignore[attr-defined]
            warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=4)
        ctx.run_function = run_function
        ctx.state = get_rng_state() if preserve_rng_state else None
        ctx.others = [None if isinstance(x, Variable) else x for x in args]
        ctx.places = [i for i, x in enumerate(args) if isinstance(x, Variable)]
        ctx.save_for_backward(*(args[i] for i in ctx.places))
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        if not current.accumulating:
            raise RuntimeError(
                "When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or passing an `inputs` "
                "parameter to .backward(). To resolve this error, you can either set use_reentrant=False, or call "
                ".backward() without passing the `inputs` argument."
            )
        inputs = list(ctx.others)
        for place, tensor in zip(ctx.places, ctx.saved_tensors, strict=True):
            inputs[place] = tensor.detach().requires_grad_(tensor.requires_grad)
        with random.fork_rng(enabled=ctx.state is not None), enable_grad():
            if ctx.state is not None:
                set_rng_state(ctx.state)
            outputs = ctx.run_function(*inputs)
        outputs = (outputs,) if isinstance(outputs, Variable) else outputs
        recorded = [
            (out, g)
            for out, g in zip(outputs, grads, strict=True)
            if isinstance(out, Variable) and out.requires_grad  # type: ignore[attr-defined]
        ]
        if not recorded:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        autograd.backward([out for out, _ in recorded], [g for _, g in recorded])
        return (None, None, *(x._grad if isinstance(x, Variable) else None for x in inputs))


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, __all__)
