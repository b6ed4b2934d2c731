"""Adagrad: steps that shrink with the gradients so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import Array, wrap
from ..dtypes import element
from .adam import decay
from .optimizer import Optimizer, check_range, count_step, scalar_state

if TYPE_CHECKING:
    from ..tensor import Tensor


class Adagrad(Optimizer):
    """p ← p - lr / (1 + (t - 1) lr_decay) · g / (√s + eps),  s ← s + g²: the more a parameter moved, the smaller its steps.

    Duchi et al. 2011, "Adaptive Subgradient Methods". PyTorch: torch.optim.Adagrad.
    """

    _step_numbers = ("step",)

    def __init__(
        self, params: Any, lr: Tensor | float = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *, maximize: bool = False,
        differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        check_range("learning rate", lr)
        check_range("lr_decay value", lr_decay)
        check_range("weight_decay value", weight_decay)
        check_range("initial_accumulator_value value", initial_accumulator_value)
        check_range("epsilon value", eps)
        defaults = {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p] = {
                    "step": scalar_state(0.0),
                    "sum": _started(p.array, group),
                }

    def update(self, p: Array, grad: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state["step"] = scalar_state(0.0)
            state["sum"] = _started(p, group)
        t = count_step(state)
        grad = decay(p, grad, group, False)
        s = state["sum"].array
        s += grad * grad
        p -= group["lr"] / (1 + (t - 1) * group["lr_decay"]) * grad / (np.sqrt(s) + group["eps"])


def _started(p: Array, group: dict[str, Any]) -> Tensor:
    """The sum of squares of a parameter that has made no step. RuntimeError for a number that its type does not hold."""
    return wrap(np.full_like(p, element(group["initial_accumulator_value"], p.dtype)))
