"""`backward` and `grad`: from the tensors of a program to a walk over its graph, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .graph import gradient_edge, walk
from .modes import set_grad_enabled
from .targets import Targets
from .variable import Edge, Variable, wrap


def backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
    inputs: Any = None,
) -> None:  # fmt: skip
    """Add the gradient of `tensors` to the `.grad` of every leaf (or of `inputs` only). PyTorch: torch.autograd.backward.

    tensors: a tensor or several; grad_tensors: for each the gradient of what follows it, of its shape (None for a
    scalar: 1). create_graph records the backward pass, so that it can be differentiated again.
    """
    outputs = _as_sequence(tensors)
    roots, gradients = _roots(outputs, _gradients_for(outputs, grad_tensors), create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        walk(roots, gradients, retain_graph=keep, create_graph=create_graph)
        return
    leaves = _as_sequence(inputs)
    if not leaves:
        raise RuntimeError("'inputs' argument to backward() cannot be empty.")
    edges = _target_edges(leaves)
    targets = Targets(edges, roots, accumulate=True)
    walk(roots, gradients, retain_graph=keep, create_graph=create_graph, targets=targets)
    with set_grad_enabled(create_graph):
        for tensor, edge in zip(leaves, edges, strict=True):
            if edge[0].variable is None and edge in targets.found:
                gradient = targets.found[edge]
                gradient = gradient if create_graph else wrap(gradient.copy())
                tensor._grad = gradient if tensor._grad is None else tensor._grad + gradient


def grad(
    outputs: Any, inputs: Any, grad_outputs: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
    allow_unused: bool | None = None, is_grads_batched: bool = False, materialize_grads: bool = False,
) -> tuple[Any, ...]:  # fmt: skip
    """The gradients of `outputs` by `inputs`, returned and not accumulated. PyTorch: torch.autograd.grad.

    An input that the outputs do not depend on raises, unless allow_unused (None for it) or materialize_grads (zeros).
    """
    if is_grads_batched:
        raise NotImplementedError("is_grads_batched=True is not supported; call grad once for each row of grad_outputs")
    outputs, inputs = _as_sequence(outputs), _as_sequence(inputs)
    roots, gradients = _roots(outputs, _gradients_for(outputs, grad_outputs), create_graph)
    edges = _target_edges(inputs)
    keep = create_graph if retain_graph is None else retain_graph
    targets = Targets(edges, roots, accumulate=False)
    walk(roots, gradients, retain_graph=keep, create_graph=create_graph, targets=targets)
    results: list[Any] = []
    taken: set[int] = set()
    for x, edge in zip(inputs, edges, strict=True):
        gradient = targets.found.get(edge)
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
            shared = gradient.base is not None or id(gradient) in taken or any(gradient is g for g in gradients)
            gradient = gradient.copy() if shared else gradient
            taken.add(id(gradient))
            results.append(wrap(gradient))
    return tuple(results)


def _as_sequence(tensors: Any) -> tuple[Any, ...]:
    return (tensors,) if isinstance(tensors, Variable) else tuple(tensors)


def _gradients_for(outputs: Sequence[Any], gradients: Any) -> tuple[Any, ...]:
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


def _roots(outputs: Sequence[Any], given: Sequence[Any], create_graph: bool) -> tuple[list[Edge], list[Any]]:
    """Pair each output's edge with the gradient to start from; 1 where none is given and the output is a scalar."""
    roots, gradients = [], []
    for i, (out, gradient) in enumerate(zip(outputs, given, strict=True)):
        edge = gradient_edge(out)
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
            if gradient.array.shape != out.array.shape:
                raise RuntimeError(
                    f"Mismatch in shape: grad_output[{i}] has a shape of {list(gradient.array.shape)} and output[{i}] "
                    f"has a shape of {list(out.array.shape)}."
                )
            if gradient.array.dtype != out.array.dtype:
                gradient = wrap(gradient.array.astype(out.array.dtype))
        roots.append(edge)
        gradients.append(gradient if create_graph else gradient.array)
    return roots, gradients


def _target_edges(inputs: Sequence[Any]) -> list[Edge]:
    edges = []
    for x in inputs:
        edge = gradient_edge(x)
        if edge is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
        edges.append(edge)
    return edges
