"""Backward hooks of modules: a module's inputs, and its outputs, pass through one node of the graph that does nothing
but show their gradients to the hooks, all at once. PyTorch: torch.nn.Module.register_full_backward_hook."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from ..autograd.function import Function
from ..autograd.modes import is_grad_enabled
from ..autograd.variable import Variable, wrap


class BackwardHookFunction(Function):
    """Tensors as they are; backwards, what `on_gradients` makes of their gradients."""

    @staticmethod
    def forward(ctx: Any, on_gradients: Callable, materialize: bool, *tensors: Any) -> tuple[Any, ...]:  # type: ignore[override]
        ctx.on_gradients = on_gradients
        ctx.set_materialize_grads(materialize)
        outputs = tuple(wrap(t.array[...]) for t in tensors)
        ctx.mark_non_differentiable(*[o for o, t in zip(outputs, tensors, strict=True) if not t.requires_grad])
        return outputs

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Any, ...]:
        return (None, None, *ctx.on_gradients(grads))


class BackwardHooks:
    """The backward hooks of one call of a module."""

    def __init__(self, module: Any, pre_hooks: Sequence[Callable], hooks: Sequence[Callable]) -> None:
        self.module, self.pre_hooks, self.hooks = module, pre_hooks, hooks
        self.grad_outputs: tuple[Any, ...] | None = None
        self.n_inputs = 0
        self.inputs_recorded = False

    def pass_inputs(self, args: tuple) -> tuple:
        """The arguments, their gradients watched."""
        self.n_inputs = len(args)
        passed = _pass(args, self._on_inputs, materialize=True)
        self.inputs_recorded = passed is not args
        return passed

    def pass_outputs(self, out: Any) -> Any:
        """The module's result, its gradients watched."""
        if not isinstance(out, Variable | tuple):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
                f"{type(out)}",
                stacklevel=4,
            )
            return out
        passed = _pass(out if isinstance(out, tuple) else (out,), self._on_outputs, materialize=False)
        return passed if isinstance(out, tuple) else passed[0]

    def _on_outputs(self, grads: tuple) -> tuple:
        for hook in self.pre_hooks:
            result = hook(self.module, grads)
            if result is not None:
                grads = _replacement(result, grads, "Backward pre hook", "grad_output")
        self.grad_outputs = grads
        if not self.inputs_recorded:
            self._warn_no_inputs()
            nothing = (None,) * self.n_inputs
            for hook in self.hooks:
                result = hook(self.module, nothing, grads)
                if result is not None and any(g is not None for g in result):
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always return None or None for "
                        "all gradients."
                    )
        return grads

    def _on_inputs(self, grads: tuple) -> tuple:
        if self.grad_outputs is None:  # the outputs were of a kind that is not watched
            return grads
        for hook in self.hooks:
            result = hook(self.module, grads, self.grad_outputs)
            if result is not None:
                grads = _replacement(result, grads, "Backward hook", "grad_input")
        return grads

    @staticmethod
    def _warn_no_inputs() -> None:
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module outputs since no inputs "
            "require gradients.",
            stacklevel=2,
        )


def _pass(values: tuple, on_gradients: Callable, materialize: bool) -> tuple:
    """`values` with their tensors passed through a watching node; themselves where nothing is recorded."""
    places = [i for i, v in enumerate(values) if isinstance(v, Variable)]
    tensors = [values[i] for i in places]
    if not is_grad_enabled() or not any(t.requires_grad for t in tensors):
        return values

    def at_their_places(grads: tuple) -> tuple:
        spread: list[Any] = [None] * len(values)
        for i, g in zip(places, grads, strict=True):
            spread[i] = g
        changed = on_gradients(tuple(spread))
        return tuple(changed[i] for i in places)

    passed = list(values)
    for i, t in zip(places, BackwardHookFunction.apply(at_their_places, materialize, *tensors), strict=True):
        passed[i] = t
    return type(values)(*passed) if hasattr(values, "_fields") else tuple(passed)


def _replacement(result: Any, grads: tuple, hook: str, name: str) -> tuple:
    result = result if isinstance(result, tuple) else (result,)
    if len(result) != len(grads):
        raise RuntimeError(f"{hook} returned an invalid number of {name}, got {len(result)}, but expected {len(grads)}")
    return result
