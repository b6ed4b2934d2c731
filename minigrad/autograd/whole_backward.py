"""Operations whose backward pass is recorded as one function of the gradient and of all inputs.

The gradient of relu is `grad` where x > 0: it depends on `grad`, and on x only in jumps. Whether it requires grad under
`create_graph=True` is then a question of bookkeeping. PyTorch records the backward pass of such an operation (relu, a pool,
a convolution with its bias, a loss of classes) as one node that has read the inputs, so the gradients require grad
where an input does, and differentiating them by one on which they do not depend gives zeros: a penalty on the gradient of
a network of relus can be differentiated, and adds nothing. A class that derives from `WholeBackward` does the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .fit import as_tuple
from .fused import Alias
from .graph import Operation
from .node import Node
from .variable import Array, Edge, Variable, wrap_recorded


class WholeBackward(Operation):
    """The results of `run_backward` are recorded as functions of all inputs that require grad (with slopes of 0 added)."""

    def run_backward(self, gradient: Any) -> Any:
        if gradient.__class__ is Array:
            return self.backward(self, gradient)
        results = super().run_backward(gradient)
        inputs = [of_edge(edge) for edge in self._edges if edge is not None]
        return tuple(None if g is None else PlusNothing.apply(g, *inputs) for g in as_tuple(results))


class PlusNothing(Operation):
    """out = x, recorded as a function of others too.  dx = grad, zeros for the others"""

    @staticmethod
    def forward(ctx: Any, x: Array, *others: Array) -> Array:
        ctx.shapes = [(other.shape, other.dtype) for other in others]
        return x[...]

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad, *(np.zeros(shape, dtype) for shape, dtype in ctx.shapes)


class Read(WholeBackward, Alias):
    """out = x.  dx = grad, recorded as a function of x: before operations that are one in PyTorch and several here"""


def read_whole(x: Variable) -> Any:
    """x, so that its gradient is recorded as a function of it."""
    return Read.apply(x)


def of_edge(edge: Edge) -> Any:
    """A tensor in the place of the value that the edge leads to; its elements are not those."""
    node, output_nr = edge
    shape, dtype = shape_and_dtype(node, output_nr)
    return wrap_recorded(np.broadcast_to(np.zeros((), dtype), shape), edge)


def shape_and_dtype(node: Node, output_nr: int) -> tuple[tuple[int, ...], Any]:
    return (node._out_shape, node._out_dtype) if node._outputs is None else node._outputs[output_nr]
