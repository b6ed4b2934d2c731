"""`backward` and `grad`: from the tensors of a program to a walk over its graph, and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..foreign import said
from ..warn import warn
from . import multi_hooks
from .graph import gradient_edge, walk
from .modes import current, set_grad_enabled
from .node import GradientEdge
from .targets import Targets
from .variable import Edge, Variable, wrap

_OUTPUTS = (Variable, GradientEdge)  # for isinstance: a tuple is quicker than a union


def backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
    grad_variables: Any = None, inputs: Any = None,
) -> None:  # fmt: skip
    """Add the gradient of `tensors` to the `.grad` of every leaf (or of `inputs` only). PyTorch: torch.autograd.backward.

    tensors: a tensor or several (or GradientEdges); grad_tensors: for each the gradient of what follows it, of its shape
    (None for a scalar: 1); grad_variables: its old name. create_graph records the backward pass, so that it can be
    differentiated again.
    """
    if grad_variables is not None:
        warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning)
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only use "
                "`grad_tensors`."
            )
        grad_tensors = grad_variables
    outputs = _as_sequence(tensors)
    roots, gradients = _roots(outputs, _gradients_for(outputs, grad_tensors), create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        if multi_hooks.REGISTERED:
            multi_hooks.begin(roots, None)
        walk(roots, gradients, retain_graph=keep, create_graph=create_graph)
        return
    leaves, _ = _inputs(inputs, "backward")
    edges = _target_edges(leaves)
    targets = Targets(edges, roots, accumulate=True, keep=keep)
    _walk_to(targets, roots, gradients, keep, create_graph)
    with set_grad_enabled(create_graph):
        for tensor, edge in zip(leaves, edges, strict=True):
            if edge[0].variable is None and edge in targets.found:
                gradient = targets.found[edge]
                gradient = gradient if create_graph else wrap(gradient.copy())
                tensor._grad = gradient if tensor._grad is None else tensor._grad + gradient


def _walk_to(targets: Targets, roots: list[Edge], gradients: list[Any], retain_graph: bool, create_graph: bool) -> None:
    if multi_hooks.REGISTERED:
        multi_hooks.begin(roots, targets)
    before, current.accumulating = current.accumulating, False
    try:
        walk(roots, gradients, retain_graph=retain_graph, create_graph=create_graph, targets=targets)
    finally:
        current.accumulating = before


def grad(
    outputs: Any, inputs: Any, grad_outputs: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
    only_inputs: bool = True, allow_unused: bool | None = None, is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> Any:  # fmt: skip
    """The gradients of `outputs` by `inputs`, returned and not accumulated. PyTorch: torch.autograd.grad.

    A tuple, one for each of `inputs` (a tensor, GradientEdge or several; of a dict a dict). An input that the outputs do
    not depend on raises, unless allow_unused (None for it) or materialize_grads (zeros). is_grads_batched: grad_outputs
    have a dimension more in front, and so have the results; each row is a backward pass of its own here. only_inputs is
    an old argument without effect.
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    if not only_inputs:
        warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for other "
            "parts of the graph, please use torch.autograd.backward.",
            FutureWarning,
        )
    outputs = _as_sequence(outputs)
    wanted, names = _inputs(inputs, "grad")
    given = _gradients_for(outputs, grad_outputs)
    keep = create_graph if retain_graph is None else retain_graph
    if is_grads_batched:
        found = _gradients_by_row(outputs, wanted, given, keep, create_graph)
    else:
        found = _gradients(outputs, wanted, given, keep, create_graph)
    results: list[Any] = []
    for i, (x, gradient) in enumerate(zip(wanted, found, strict=True)):
        if gradient is None and materialize_grads:
            if isinstance(x, GradientEdge):
                raise RuntimeError("materialize_grads cannot be used when the given input is a GradientEdge")
            gradient = wrap(np.zeros_like(x.array))
            gradient._requires_grad = create_graph
        elif gradient is None and not allow_unused:
            raise RuntimeError(
                f"The differentiated Tensor at index {i} appears to not have been used in the graph. Set "
                "allow_unused=True if this is the desired behavior."
            )
        results.append(gradient)
    return tuple(results) if names is None else dict(zip(names, results, strict=True))


def _gradients(outputs: tuple, inputs: tuple, given: tuple, retain_graph: bool, create_graph: bool) -> list[Any]:
    """By input its gradient, None where there is none."""
    roots, gradients = _roots(outputs, given, create_graph)
    edges = _target_edges(inputs)
    targets = Targets(edges, roots, accumulate=False)
    _walk_to(targets, roots, gradients, retain_graph, create_graph)
    results: list[Any] = []
    taken: set[int] = set()
    for edge in edges:
        gradient = targets.found.get(edge)
        if gradient is not None and not isinstance(gradient, Variable):
            # No two results, and no result and somebody else's array, share memory.
            shared = gradient.base is not None or id(gradient) in taken or any(gradient is g for g in gradients)
            gradient = gradient.copy() if shared else gradient
            taken.add(id(gradient))
            gradient = wrap(gradient)
        results.append(gradient)
    return results


_stack: Callable[..., Any]


def register_stack(stack: Callable[..., Any]) -> None:
    """Called once by `tensor.py`, which stands above this package: the recorded operation that joins rows."""
    global _stack
    _stack = stack


def _gradients_by_row(outputs: tuple, inputs: tuple, given: tuple, retain_graph: bool, create_graph: bool) -> list[Any]:
    """`_gradients` for each row of the gradients given, stacked."""
    sizes = [g.array.shape[0] if g.array.ndim else -1 for g in given if g is not None]
    if not sizes:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    if sizes[0] < 1 or len(set(sizes)) > 1:
        raise ValueError(
            f"is_grads_batched: the gradients' first dimensions must be of one size, at least 1; got {sizes}"
        )
    rows = []
    for i in range(sizes[0]):
        row = tuple(None if g is None else g[i] for g in given)
        rows.append(_gradients(outputs, inputs, row, retain_graph or i < sizes[0] - 1, create_graph))
    with set_grad_enabled(create_graph):
        return [None if column[0] is None else _stack(list(column)) for column in zip(*rows, strict=True)]


def _as_sequence(tensors: Any) -> tuple[Any, ...]:
    if isinstance(tensors, _OUTPUTS):
        return (tensors,)
    if not isinstance(tensors, Iterable):
        raise TypeError(f"expected a tensor, or several in a sequence, but got {said(tensors)}")
    return tuple(tensors)


def _inputs(inputs: Any, function: str) -> tuple[tuple[Any, ...], Sequence[Any] | None]:
    """The tensors asked for, and their names where they are given in a dict."""
    if isinstance(inputs, Mapping) and type(inputs) is not dict:
        raise TypeError(
            f"`inputs` argument to `{function}()` must be a dict, not {type(inputs).__name__}. Other Mapping types are not "
            "supported."
        )
    values = tuple(inputs.values()) if isinstance(inputs, dict) else _as_sequence(inputs)
    for x in values:
        if not isinstance(x, _OUTPUTS):
            raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {said(x)}")
    if not values:
        raise RuntimeError(f"`inputs` argument to `{function}()` cannot be empty.")
    return values, tuple(inputs) if isinstance(inputs, dict) else None


def _gradients_for(outputs: Sequence[Any], gradients: Any) -> tuple[Any, ...]:
    for x in outputs:
        if not isinstance(x, _OUTPUTS):
            raise TypeError(f"outputs can be either Tensors or GradientEdges, but got {said(x)}")
    if gradients is None:
        return (None,) * len(outputs)
    gradients = _as_sequence(gradients)
    for i, gradient in enumerate(gradients):
        if gradient is not None and not isinstance(gradient, Variable):
            raise TypeError(f"gradients can be either Tensors or None, but got {said(gradient)} for output {i}")
    if len(gradients) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(gradients)} gradients")
    return gradients


def _edge_of(x: Any) -> Edge | None:
    return (x.node, x.output_nr) if isinstance(x, GradientEdge) else gradient_edge(x)


def _metadata(x: GradientEdge) -> tuple[tuple[int, ...], np.dtype]:
    """The shape and dtype of the output that an edge leads to."""
    node = x.node
    return (node._out_shape, node._out_dtype) if node._outputs is None else node._outputs[x.output_nr]


def _roots(outputs: Sequence[Any], given: Sequence[Any], create_graph: bool) -> tuple[list[Edge], list[Any]]:
    """Pair each output's edge with the gradient to start from; 1 where none is given and the output is a scalar."""
    roots, gradients = [], []
    for i, out in enumerate(outputs):
        gradient = given[i]
        if isinstance(out, Variable):  # (asked first: to find that an object is none of a class takes longer)
            edge, shape, dtype = gradient_edge(out), out.array.shape, out.array.dtype
        else:
            edge = (out.node, out.output_nr)
            shape, dtype = _metadata(out)
        if edge is None:
            raise RuntimeError(f"element {i} of tensors does not require grad and does not have a grad_fn")
        if gradient is None:
            if shape and math.prod(shape) != 1:
                raise RuntimeError(
                    "grad can be implicitly created only for scalar outputs, and this output has shape "
                    f"{list(shape)}. Give backward a gradient of that shape, or reduce with .sum() or .mean()."
                )
            start = np.empty(shape, dtype)
            start.fill(1)
            gradients.append(wrap(start) if create_graph else start)
        else:
            if gradient.array.shape != shape:
                raise RuntimeError(
                    f"Mismatch in shape: grad_output[{i}] has a shape of {list(gradient.array.shape)} and output[{i}] "
                    f"has a shape of {list(shape)}."
                )
            if gradient.array.dtype != dtype:
                gradient = wrap(gradient.array.astype(dtype))
            gradients.append(gradient if create_graph else gradient.array)
        roots.append(edge)
    return roots, gradients


def _target_edges(inputs: Sequence[Any]) -> list[Edge]:
    edges = []
    for x in inputs:
        edge = _edge_of(x)
        if edge is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
        edges.append(edge)
    return edges
