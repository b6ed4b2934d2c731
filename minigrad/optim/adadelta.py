"""Adadelta: steps in the parameter's own unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import Array, wrap
from ..missing import refuse
from .adam import decay
from .optimizer import Optimizer, check_range, count_step, scalar_state

if TYPE_CHECKING:
    from ..tensor import Tensor


class Adadelta(Optimizer):
    """p ← p - lr · d,  d = √(a + eps) / √(v + eps) · g: the step has the unit of the parameter, so no learning rate is needed.

    v and a are running means of g² and d². Zeiler 2012, "ADADELTA". PyTorch: torch.optim.Adadelta.
    """

    _step_numbers = ("step",)

    def __init__(
        self, params: Any, lr: Tensor | float = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0,
        foreach: bool | None = None, *, capturable: bool = False, maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_range("learning rate", lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_range("epsilon value", eps)
        check_range("weight_decay value", weight_decay)
        refuse("Adadelta", capturable=capturable)
        defaults = {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def update(self, p: Array, grad: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state["step"] = scalar_state(0.0)
            state["square_avg"], state["acc_delta"] = wrap(np.zeros_like(p)), wrap(np.zeros_like(p))
        count_step(state)
        grad = decay(p, grad, group, False)
        rho, eps = group["rho"], group["eps"]
        v, a = state["square_avg"].array, state["acc_delta"].array
        v *= rho
        v += grad * grad * (1 - rho)
        delta = np.sqrt(a + eps) / np.sqrt(v + eps) * grad
        a *= rho
        a += delta * delta * (1 - rho)
        p -= group["lr"] * delta
