"""`Function`: an operation of the user's own, whose `forward` and `backward` see tensors."""

from __future__ import annotations

import warnings
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

_NONE: frozenset[int] = frozenset()


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
    _non_differentiable: tuple[Any, ...] = ()  # outputs, and
    _dirty: tuple[Any, ...] = ()  # inputs, as `forward` marks them; let go when apply has read them
    setup_context: ClassVar[Callable | None] = None

    @classmethod
    def apply(cls, *inputs: Any) -> Any:
        ctx = cls()
        edges = tuple(gradient_edge(x) if isinstance(x, Variable) else None for x in inputs)
        tracked = current.recording and any(edges)
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
        dirty = constant = _NONE
        if ctx._dirty or ctx._non_differentiable:
            dirty, constant = ctx._changed(inputs, results), frozenset(id(t.array) for t in ctx._non_differentiable)
            ctx._dirty = ctx._non_differentiable = ()
        unrecorded = [] if tracked else list(range(len(results)))
        if tracked:
            ctx.sequence_nr = next(clock)
            arrays = [out.array if isinstance(out, Variable) else None for out in results]
            ctx._outputs = tuple((a.shape, a.dtype) if a is not None else ((), np.dtype(float)) for a in arrays)
            ctx._ids = (*(id(x.array) if isinstance(x, Variable) else 0 for x in inputs), *map(id, arrays))
            for i, (out, array) in enumerate(zip(results, arrays, strict=True)):
                if array is None or array.dtype.kind != "f" or id(array) in constant:
                    unrecorded.append(i)
                    continue
                if id(out) in dirty:
                    _check_recorded_change(out)
                    out._edge, out._own_write = (ctx, i), storage.mark_written(array, recorded=True)
                else:
                    results[i] = wrap_recorded(array, (ctx, i))
            if current.anomaly:
                anomaly.remember_caller(ctx)
        for i in unrecorded:  # an input given back without a record: the same memory, without its history
            out = results[i]
            back = isinstance(out, Variable) and any(out is x for x in inputs)
            if back and (id(out) not in dirty or out.requires_grad):
                results[i] = wrap(out.array[...])
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
        self._non_differentiable = _tensors("mark_non_differentiable", tensors)

    def mark_dirty(self, *tensors: Any) -> None:
        """These inputs are changed in place by `forward` and returned; `apply` raises a RuntimeError where they are not."""
        self._dirty = _tensors("mark_dirty", tensors)

    def _changed(self, inputs: tuple, results: list) -> frozenset[int]:
        """The ids of what is marked as dirty."""
        changed = frozenset(map(id, self._dirty))
        if not changed <= set(map(id, results)):
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as output. The inputs that are "
                "modified inplace must all be outputs of the Function."
            )
        if not changed <= set(map(id, inputs)):
            warnings.warn(
                "ctx.mark_dirty() received a tensor that was not an input. Only input Tensors that have been mutated should "
                "be passed to ctx.mark_dirty().",
                stacklevel=3,
            )
        return changed

    def set_materialize_grads(self, value: bool) -> None:
        """With False, `backward` gets None for an output that was not used, where it would get zeros."""
        if not isinstance(value, bool):
            raise TypeError(f"set_materialize_grads takes True or False, not {type(value).__name__}")
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


def _tensors(function: str, given: tuple) -> tuple:
    for i, x in enumerate(given):
        if not isinstance(x, Variable):
            raise RuntimeError(f"{function} can only accept variables, but argument {i} is of type {type(x).__name__}")
    return given


def _check_recorded_change(x: Any) -> None:
    """RuntimeError where the change of an input cannot be recorded."""
    if x._edge is None and x._requires_grad:
        raise RuntimeError("a leaf Variable that requires grad has been used in an in-place operation.")
    if x._base is not None:
        if x._base._edge is None and x._base._requires_grad:
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
        raise RuntimeError(
            "a Function that changes a view in place is not supported by minigrad: the tensor that it looks at would not "
            "know; give it a clone, or the whole tensor"
        )
