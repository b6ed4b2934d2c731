"""`Function`: an operation of the user's own, whose `forward` and `backward` see tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from .. import storage
from ..storage import clock
from . import anomaly
from .fit import as_tuple
from .graph import Operation, gradient_edge
from .modes import current, no_grad
from .variable import Array, Variable, wrap, wrap_recorded


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
        edges = tuple(gradient_edge(x) if isinstance(x, Variable) else None for x in inputs)
        tracked = current.grad and any(edges)
        ctx._edges, ctx.needs_input_grad = edges, tuple(map(bool, edges))
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
                    out._edge, out._own_write = (ctx, i), storage.mark_written(array, recorded=True)
                else:
                    results[i] = wrap_recorded(array, (ctx, i))
            if current.anomaly:
                anomaly.remember_caller(ctx)
        return results[0] if single else tuple(results)

    def save_for_backward(self, *values: Any) -> None:
        """Keep tensors (inputs or outputs) for `backward`."""
        self._saved = tuple(v.array if isinstance(v, Variable) else v for v in values)

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors that `save_for_backward` kept."""
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
        results = as_tuple(self.backward(self, *grads))
        if not arrays:
            return results
        return [g.array if isinstance(g, Variable) else g for g in results]

    @classmethod
    def name(cls) -> str:
        return cls.__name__ + "Backward"
