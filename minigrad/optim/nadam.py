"""Adam with Nesterov momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import Array, wrap
from .adam import Moments, decay
from .optimizer import check_range, count_step, scalar_state

if TYPE_CHECKING:
    from ..tensor import Tensor


class NAdam(Moments):
    """Adam with Nesterov momentum, its β₁ warmed up by μₜ = β₁ (1 - 0.96^(t · momentum_decay) / 2).

    Dozat 2016, "Incorporating Nesterov Momentum into Adam". PyTorch: torch.optim.NAdam.
    """

    def __init__(
        self, params: Any, lr: Tensor | float = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False, *,
        foreach: bool | None = None, maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_range("momentum_decay value", momentum_decay)
        super().__init__(
            params, lr, betas, eps, weight_decay, momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay, maximize=maximize, foreach=foreach, capturable=capturable,
            differentiable=differentiable,
        )  # fmt: skip

    def update(self, p: Array, grad: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state["step"], state["mu_product"] = scalar_state(0.0), scalar_state(1.0)
            state["exp_avg"], state["exp_avg_sq"] = wrap(np.zeros_like(p)), wrap(np.zeros_like(p))
        t = count_step(state)
        beta1, beta2 = group["betas"]
        lr, slow = group["lr"], group["momentum_decay"]
        grad = decay(p, grad, group, group["decoupled_weight_decay"])
        mu = beta1 * (1.0 - 0.5 * (0.96 ** (t * slow)))
        mu_next = beta1 * (1.0 - 0.5 * (0.96 ** ((t + 1) * slow)))
        product = state["mu_product"].array
        product *= mu
        m, v = self.moments(grad, state, group)
        scale = np.sqrt(v / (1 - beta2**t)) + group["eps"]
        p -= lr * (1.0 - mu) / (1.0 - float(product)) * grad / scale
        p -= lr * mu_next / (1.0 - float(product) * mu_next) * m / scale
