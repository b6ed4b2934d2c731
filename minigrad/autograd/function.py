"""`Function`: an operation of the user's own, whose `forward` and `backward` see tensors."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NoReturn

import numpy as np

from .. import storage
from ..foreign import is_tensor, said
from ..quiet import as_outside
from ..storage import clock
from . import anomaly, views
from .fit import as_tuple
from .graph import Operation, gradient_edge
from .modes import Asked, current, is_grad_enabled, no_grad
from .variable import Array, Edge, Variable, wrap, wrap_recorded

_NONE: frozenset[int] = frozenset()


class FunctionCtx:
    """What `forward` and `backward` of a `Function` may ask of their `ctx`. PyTorch: torch.autograd.function.FunctionCtx."""

    _materialize = True
    # What `forward` gives to the methods below; let go when `apply` has read it.
    _to_save: tuple[Any, ...] = ()
    _non_differentiable: tuple[Any, ...] = ()
    _dirty: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (inputs, outputs, or others) and None for `backward`. A later in-place change of them is noticed."""
        self._to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep tensors for `jvp`. minigrad has no forward mode, so nothing asks for them."""
        self.saved_for_forward = tensors

    def mark_non_differentiable(self, *args: Any) -> None:
        """These outputs get no gradient."""
        self._non_differentiable = _tensors("mark_non_differentiable", args)

    def mark_dirty(self, *args: Any) -> None:
        """These inputs are changed in place by `forward` and returned; `apply` raises a RuntimeError where they are not."""
        self._dirty = _tensors("mark_dirty", args)

    def set_materialize_grads(self, value: bool) -> None:
        """With False, `backward` gets None for an output that was not used, where it would get zeros."""
        if not isinstance(value, bool):
            raise TypeError(f"set_materialize_grads takes True or False, not {type(value).__name__}")
        self._materialize = value


class Function(FunctionCtx, Operation):
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

    grad_fn_name = (
        "Function"  # (not a node's name: where a subclass gives none, its nodes are called after the subclass)
    )
    generate_vmap_rule = False
    _node_class: ClassVar[type | None] = None  # of each subclass its own: see `_node`
    _others: Sequence[int] = ()  # which inputs were no tensors

    def __init_subclass__(cls, **kwargs: Any) -> None:
        name = cls.__name__
        super().__init_subclass__(**kwargs)
        cls.__name__ = name

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should invoke "
            "them on the class itself. Instantiating an autograd function will raise an error in a future version.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd function "
            f"with static forward method: {type(self).__name__}.apply(...)"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    vjp = backward  # another name for it

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        raise NotImplementedError("minigrad has no forward mode, so a Function's jvp is never called")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run `forward` on the inputs and record it. Inputs given by name take their place among the others."""
        apart = cls.setup_context is not Function.setup_context
        if kwargs or apart:
            args = _in_order(cls.forward, args, kwargs, () if apart else (None,), defaults=apart)
        ctx = cls._node()
        edges = tuple(gradient_edge(x) if isinstance(x, Variable) else None for x in args)
        tracked = current.recording and any(edges)
        ctx._edges, ctx.needs_input_grad = edges, tuple(map(bool, edges))
        ctx._others = [i for i, x in enumerate(args) if not isinstance(x, Variable)]
        with no_grad():
            if apart:
                outputs = cls.forward(*args)
                cls.setup_context(ctx, args, outputs)
            else:
                outputs = cls.forward(ctx, *args)
        single = not isinstance(outputs, tuple)  # of anything else than a tensor nothing is known: it is handed on
        results = [outputs] if single else list(outputs)
        dirty = constant = _NONE
        if ctx._dirty or ctx._non_differentiable:
            dirty, constant = ctx._changed(args, results), frozenset(id(t.array) for t in ctx._non_differentiable)
            ctx._dirty = ctx._non_differentiable = ()
        unrecorded = [] if tracked else list(range(len(results)))
        made: dict[int, int] = {}  # by id of what `forward` returned: which output it became
        if tracked:
            arrays = [out.array if isinstance(out, Variable) else None for out in results]
            ctx._outputs = tuple((a.shape, a.dtype) if a is not None else ((), np.dtype(float)) for a in arrays)
            for i, (out, array) in enumerate(zip(results, arrays, strict=True)):
                if array is None or array.dtype.kind != "f" or id(array) in constant:
                    unrecorded.append(i)
                    continue
                made[id(out)] = i
                if id(out) in dirty:
                    views.check_change(out, recorded=True)
                    storage.mark_written(array, recorded=True)
                    continue
                given_back = any(out is x for x in args)
                if out._edge is not None or out._requires_grad or given_back:
                    results[i] = wrap_recorded(array, (ctx, i))  # it has a place of its own
                else:
                    out._edge = (ctx, i)
                if given_back or out._base is not None:
                    views.restrict(results[i], out, views.SEVERAL if len(results) > 1 else views.FUNCTION)
            ctx.sequence_nr = next(clock)  # (after its own changes: what it saves are the values that they left)
            for i, out in enumerate(results):
                if id(out) in dirty and made.get(id(out)) == i:
                    views.record_write(out, (ctx, i))
            ctx._keep(made)
            if Asked.operations:
                anomaly.watch(ctx)
        ctx._to_save = ()
        for i in unrecorded:  # an input given back without a record: the same memory, without its history
            out = results[i]
            if is_tensor(out):
                raise TypeError(
                    f"{cls.__name__}.forward must compute with minigrad's tensors, and returned a {said(out)}"
                )
            back = isinstance(out, Variable) and any(out is x for x in args)
            if back and (id(out) not in dirty or out.requires_grad):
                results[i] = wrap(out.array[...])
        return results[0] if single else tuple(results)

    @classmethod
    def _node(cls) -> Any:
        """A new node. Its class has the name that people who look at the graph expect: SquareBackward."""
        node_class = cls.__dict__.get("_node_class")
        if node_class is None:
            name = cls.grad_fn_name if cls.grad_fn_name != Function.grad_fn_name else cls.__name__ + "Backward"
            cls._node_class = node_class = type(name, (cls,), {"__module__": cls.__module__})
        return object.__new__(node_class)

    def _keep(self, made: dict[int, int]) -> None:
        """Keep what `forward` saved: tensors as they are, and outputs without their place, which would be a circle."""
        kept: list[Any] = []
        for i, value in enumerate(self._to_save):
            if value is not None and not isinstance(value, Variable):
                raise TypeError(f"save_for_backward can only save variables, but argument {i} is of type {said(value)}")
            kept.append(value if value is None or id(value) not in made else (value.array, made[id(value)]))
        self._saved = tuple(kept)

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors that `save_for_backward` kept, each at its place in the graph: leaves and inputs are themselves."""
        saved = self._saved
        if saved is None:
            return Operation.saved_tensors.__get__(self)  # raises
        if self.sequence_nr < storage.Latest.written:
            self.check_not_overwritten([v[0] if isinstance(v, tuple) else getattr(v, "array", None) for v in saved])
        return tuple(self._output(*v) if isinstance(v, tuple) else v for v in saved)

    def _output(self, array: Array, output_nr: int) -> Any:
        edge: Edge = (self, output_nr)
        return wrap_recorded(array, edge)

    @property
    def saved_variables(self) -> tuple[Any, ...]:
        """The old name of `saved_tensors`."""
        warnings.warn("'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning, stacklevel=2)
        return self.saved_tensors

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

    def run_backward(self, grads: list[Any]) -> Any:
        arrays = not any(isinstance(g, Variable) for g in grads)
        if self._materialize:
            grads = [np.zeros(*meta) if g is None else g for g, meta in zip(grads, self._outputs or (), strict=True)]
        grads = [wrap(g) if isinstance(g, Array) else g for g in grads]
        own_vjp = type(self).vjp is not Function.vjp
        if own_vjp and type(self).backward is not Function.backward:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement one "
                "of them."
            )
        results = as_outside(self.vjp if own_vjp else self.backward, self, *grads)
        results = results if isinstance(results, tuple) else (results,)
        for gradient in results:
            if gradient is not None and not isinstance(gradient, Variable):
                raise RuntimeError(f"expected Variable or None (got {said(gradient)})")
        for i in self._others:
            if i < len(results) and results[i] is not None:
                raise RuntimeError(
                    f"function {self.name()} returned a gradient different from None at position {i + 1}, but the "
                    "corresponding forward input was not a Variable"
                )
        return tuple(g.array if isinstance(g, Variable) else g for g in results) if arrays else results


class InplaceFunction(Function):
    """A `Function` with an attribute `inplace`, as older programs have it. PyTorch: torch.autograd.function.InplaceFunction."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


def once_differentiable(fn: Callable) -> Callable:
    """For a `backward` whose own steps are not to be differentiated: it runs unrecorded, and a second derivative raises.

    PyTorch: torch.autograd.function.once_differentiable.
    """

    @functools.wraps(fn)
    def backward(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        with no_grad():
            results = fn(ctx, *args, **kwargs)
        if not is_grad_enabled() or not any(isinstance(x, Variable) and gradient_edge(x) for x in args):
            return results
        leaves = []
        for gradient in as_tuple(results):
            leaf = None if gradient is None else wrap(gradient.array[...])
            if leaf is not None:
                leaf._requires_grad = True
            leaves.append(leaf)
        return _Refused.apply(*leaves)

    return backward


class _Refused(Function):
    """Its inputs, as one output if there is only one; a gradient that arrives here raises."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Any:
        outputs = tuple(None if x is None else wrap(x.array[...]) for x in inputs)
        return outputs[0] if len(outputs) == 1 else outputs

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


def _in_order(forward: Callable, args: tuple, kwargs: dict[str, Any], ctx: tuple, defaults: bool) -> tuple:
    """All inputs by position: those given by name where `forward` has them, and what was left out (`defaults`)."""
    bound = inspect.signature(forward).bind(*ctx, *args, **kwargs)
    if defaults:
        bound.apply_defaults()
    if bound.kwargs:
        raise TypeError(f"{next(iter(bound.kwargs))!r} has no position among the inputs of forward")
    return bound.args[len(ctx) :]


def _tensors(function: str, given: tuple) -> tuple:
    for i, x in enumerate(given):
        if not isinstance(x, Variable):
            raise RuntimeError(f"{function} can only accept variables, but argument {i} is of type {said(x)}")
    return given
