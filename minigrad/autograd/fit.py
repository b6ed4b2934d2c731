"""Fitting a gradient to the input that it belongs to: its shape, its dtype, and how many there must be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import from_numpy
from ..foreign import said
from ..geometry import require_own_places
from ..storage import mark_written
from ..sums import total
from .node import Node
from .variable import Array, Edge, Variable


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


def fit(gradient: Any, edge: Edge, node: Node, i: int) -> Any:
    """Gradient `i` of `node` in the shape and dtype of the value at `edge`; an error where it cannot be its gradient."""
    target, output_nr = edge
    shape, dtype = (target._out_shape, target._out_dtype) if target._outputs is None else target._outputs[output_nr]
    if isinstance(gradient, np.generic):
        gradient = np.asarray(gradient)
    if not isinstance(gradient, (Array, Variable)):
        raise TypeError(f"{node.name()} returned a {said(gradient)} as gradient {i}; it must be a tensor or None")
    given = tuple(gradient.shape if isinstance(gradient, Array) else gradient.array.shape)
    if given != shape:
        padded = (1,) * (len(given) - len(shape)) + shape
        if len(padded) != len(given) or any(n != g and n != 1 for n, g in zip(padded, given, strict=True)):
            raise RuntimeError(
                f"Function {node.name()} returned an invalid gradient at index {i} - got {list(given)} but expected "
                f"shape compatible with {list(shape)}"
            )
        gradient = unbroadcast(gradient, shape)
    return _as_dtype(gradient, dtype)


def _as_dtype(gradient: Any, dtype: np.dtype) -> Any:
    if isinstance(gradient, Variable):
        if gradient.array.dtype != dtype:
            return gradient.to(from_numpy(dtype))  # type: ignore[attr-defined]  # a Tensor, which has it
        return gradient
    return np.asarray(gradient, dtype)


def as_gradient(total: Any) -> Any:
    """NumPy makes a scalar of the sum of arrays without dimensions, which could not be changed in place: an array."""
    return np.asarray(total) if isinstance(total, np.generic) else total


def add(a: Any, b: Any) -> Any:
    """The sum of two gradients."""
    return as_gradient(a + b)


def add_into(held: Array, gradient: Array) -> None:
    """held += gradient. RuntimeError where elements of `held` are one in memory, as in a `.grad` that a program gave itself."""
    require_own_places(held)
    np.add(held, gradient, out=held)
    mark_written(held)


def as_tuple(results: Any) -> tuple[Any, ...]:
    """What `backward` returned as a tuple: of one input it may be the gradient itself."""
    if results.__class__ is tuple:
        return results
    return tuple(results) if isinstance(results, (tuple, list)) else (results,)


def fit_count(node: Node, results: Sequence[Any]) -> Sequence[Any]:
    """`backward` gives a gradient for each input; more are allowed if they are None, as in PyTorch."""
    n = len(node._edges)
    if len(results) < n or any(g is not None for g in results[n:]):
        raise RuntimeError(
            f"function {node.name()} returned an incorrect number of gradients (expected {n}, got {len(results)})"
        )
    return results[:n]
