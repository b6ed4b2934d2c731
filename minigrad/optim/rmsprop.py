"""RMSprop: the gradient by the root of its running mean square."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import Array, wrap
from ..missing import refuse
from .adam import decay
from .optimizer import Optimizer, check_range, count_step, lerp, scalar_state

if TYPE_CHECKING:
    from ..tensor import Tensor


class RMSprop(Optimizer):
    """p ← p - lr · g / (√v + eps),  v ← α v + (1 - α) g²; with centered, v less the square of the running mean.

    With momentum, b ← momentum · b + g / (√v + eps) and p ← p - lr · b. Hinton 2012, lecture 6. PyTorch: torch.optim.RMSprop.
    """

    _step_numbers = ("step",)

    scales = ("lr", "weight_decay", "alpha")

    def __init__(
        self, params: Any, lr: Tensor | float = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0,
        momentum: float = 0, centered: bool = False, capturable: bool = False, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_range("learning rate", lr)
        check_range("epsilon value", eps)
        check_range("momentum value", momentum)
        check_range("weight_decay value", weight_decay)
        check_range("alpha value", alpha)
        refuse("RMSprop", capturable=capturable)
        defaults = {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def update(self, p: Array, grad: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state["step"], state["square_avg"] = scalar_state(0.0), wrap(np.zeros_like(p))
            if group["momentum"] > 0:
                state["momentum_buffer"] = wrap(np.zeros_like(p))
            if group["centered"]:
                state["grad_avg"] = wrap(np.zeros_like(p))
        count_step(state)
        grad = decay(p, grad, group, False)
        v = state["square_avg"].array
        v *= group["alpha"]
        v += grad * grad * (1 - group["alpha"])
        if group["centered"]:
            mean = state["grad_avg"].array
            lerp(mean, grad, 1 - group["alpha"])
            scale = np.sqrt(v - mean * mean)
        else:
            scale = np.sqrt(v)
        scale += group["eps"]
        if group["momentum"] > 0:
            b = state["momentum_buffer"].array
            b *= group["momentum"]
            b += grad / scale
            p -= group["lr"] * b
        else:
            p -= group["lr"] * grad / scale
