"""Adam with a rectified start."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import Array, wrap
from .adam import Moments, decay
from .optimizer import count_step, scalar_state

if TYPE_CHECKING:
    from ..tensor import Tensor


class RAdam(Moments):
    """Adam that steps by the plain running mean until the variance of its scale is known well enough (ρₜ > 5).

    Liu et al. 2020, "On the Variance of the Adaptive Learning Rate and Beyond". PyTorch: torch.optim.RAdam.
    """

    scales = ("weight_decay",)

    def __init__(
        self, params: Any, lr: Tensor | float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
        maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, maximize=maximize, foreach=foreach, capturable=capturable,
            decoupled_weight_decay=decoupled_weight_decay, differentiable=differentiable,
        )  # fmt: skip

    def update(self, p: Array, grad: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state["step"] = scalar_state(0.0)
            state["exp_avg"], state["exp_avg_sq"] = wrap(np.zeros_like(p)), wrap(np.zeros_like(p))
        t = count_step(state)
        beta1, beta2 = group["betas"]
        grad = decay(p, grad, group, group["decoupled_weight_decay"])
        m, v = self.moments(grad, state, group)
        correction2 = 1 - beta2**t
        rho_inf = 2 / (1 - beta2) - 1
        rho = rho_inf - 2 * t * beta2**t / correction2
        step = m / (1 - beta1**t) * group["lr"]
        if rho > 5.0:
            rectified = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
            step *= math.sqrt(correction2) / (np.sqrt(v) + group["eps"])
            step *= rectified
        p -= step
