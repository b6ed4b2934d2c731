"""Hooks: functions of the user's that see gradients on their way, and may change them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from ..foreign import said
from ..quiet import as_outside
from .variable import Array, Variable, wrap


class RemovableHandle:
    """What registering a hook returns; `remove()` takes the hook off again. Also a context manager."""

    _ids = itertools.count()  # also where two threads register at once, each has its own

    def __init__(self, hooks: dict[int, Any], hook: Any, prepend: bool = False) -> None:
        self.id = next(self._ids)
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


def call_hook(hook: Callable, gradient: Any) -> Any:
    """The gradient after one hook. Hooks see tensors, also where the walk carries arrays."""
    recorded = isinstance(gradient, Variable)
    result = as_outside(hook, gradient if recorded else wrap(gradient))
    if result is None:
        return gradient
    name = getattr(hook, "__name__", type(hook).__name__)
    if not isinstance(result, Variable):
        raise TypeError(f"expected Tensor, but hook '{name}' returned '{said(result)}'")
    if result.array.shape != gradient.shape:
        raise RuntimeError(
            f"hook '{name}' has changed the size of value: got {list(result.array.shape)}, expected {list(gradient.shape)}"
        )
    before = gradient.array if isinstance(gradient, Variable) else gradient
    if result.array.dtype != before.dtype:
        raise RuntimeError(f"hook '{name}' has changed the type of value (was {before.dtype} got {result.array.dtype})")
    return result if recorded else result.array


def call_leaf_hooks(leaf: Variable, gradient: Any) -> Any:
    """The gradient that arrived at a leaf, after the hooks of the leaf."""
    for hook in tuple((leaf._hooks or {}).values()):
        gradient = call_hook(hook, gradient)
    return gradient


def call_post_hooks(leaf: Variable) -> None:
    """The hooks that see a leaf after a gradient was added to its `.grad`."""
    for hook in tuple((leaf._post_hooks or {}).values()):
        as_outside(hook, leaf)


class _Registered:
    """Whether a leaf ever had a hook: if not, nobody sees which of two leaves gets its gradient first."""

    def __init__(self) -> None:
        self.on_leaves = False


Registered = _Registered()


def turns_of_leaves(roots: Sequence[Any]) -> dict[Any, float]:
    """By node its place in a backward pass, as a time: that of a leaf is right after the oldest node that uses it has run.

    That is when its gradient is complete, and when PyTorch runs it; of two leaves of that node the first input comes first.
    (By itself a leaf has the time of its first use, be it in this graph or in another.)
    """
    turns: dict[Any, float] = {}  # at first those of leaves
    seen, stack = set(), [edge[0] for edge in roots if edge is not None]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        for i, edge in enumerate(node._edges):
            if edge is None:
                continue
            if edge[0].variable is None:
                stack.append(edge[0])
            else:
                place = i if node.order_of_inputs is None else node.order_of_inputs[i]
                turns[edge[0]] = min(node.sequence_nr - (place + 1) / 4096, turns.get(edge[0], math.inf))
    return {node: node.sequence_nr for node in seen} | turns


def arrive_where_complete(arrived: dict[Any, Any], edges: Sequence[Any], targets: Any) -> None:
    """After an error in a backward pass: each leaf to which nothing more could come gets the gradient that has arrived.

    PyTorch runs a leaf as soon as its gradient is complete, so there it has it when a later node raises. `edges`: of the node
    that raised. With `targets` nothing goes into leaves.
    """
    if targets is not None and not targets.accumulate:
        return
    seen, stack = set(), [edge[0] for edge in edges if edge is not None]
    stack += [edge[0] for node in arrived for edge in node._edges if edge is not None]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(edge[0] for edge in node._edges if edge is not None)
    for node in [n for n in arrived if n.variable is not None and n not in seen]:
        if targets is None or targets.keep(node, arrived[node]):
            with suppress(Exception):  # of a leaf's hooks: the first error is the one that is raised
                node.run_backward(arrived[node])


ALL_OUTPUTS = -1  # in place of an output's number: the hook sees the gradients of all


def call_output_hooks(node: Any, grad: Any) -> Any:
    """The complete gradient of a node's output (of a `Function` the list by output), after the outputs' hooks."""

    # What `retain_grad` keeps is the gradient after all other hooks of tensors, whenever they were registered.
    def turn(entry: tuple[int, Callable]) -> int:
        return 2 if entry[0] == ALL_OUTPUTS else getattr(entry[1], "is_last", False)

    grads = [grad] if node._outputs is None else grad
    for output_nr, hook in sorted((node._hooks or {}).values(), key=turn):
        if output_nr == ALL_OUTPUTS:
            grads = _changed(hook, (_tensors(grads),), grads)
        elif grads[output_nr] is not None:
            grads[output_nr] = call_hook(hook, grads[output_nr])
    return grads[0] if node._outputs is None else grads


def call_node_hooks(node: Any, results: Sequence[Any], grad: Any) -> Sequence[Any]:
    """The gradients of a node's inputs after the node's own hooks, which see those of its outputs too."""
    grads = [grad] if node._outputs is None else grad
    for hook in tuple(node._node_hooks.values()):
        results = _changed(hook, (_tensors(results), _tensors(grads)), results, grads)
    return results


def _tensors(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(wrap(np.asarray(g)) if isinstance(g, Array | np.generic) else g for g in values)


def _changed(hook: Callable, seen: tuple, values: Sequence[Any], others: Sequence[Any] = ()) -> Sequence[Any]:
    """The gradients after a hook that may give others for all of them."""
    changed = as_outside(hook, *seen)
    if changed is None:
        return values
    changed = changed if isinstance(changed, tuple | list) else (changed,)
    if len(changed) != len(values):
        name = getattr(hook, "__name__", type(hook).__name__)
        raise RuntimeError(
            f"hook '{name}' has returned an incorrect number of values (got {len(changed)}, but expected {len(values)})"
        )
    arrays = not any(isinstance(g, Variable) for g in (*values, *others))
    return [g.array if arrays and isinstance(g, Variable) else g for g in changed]
