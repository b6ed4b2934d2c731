"""Adam by the largest recent magnitude."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import Array, wrap
from .adam import Moments, decay
from .optimizer import count_step, lerp, scalar_state

if TYPE_CHECKING:
    from ..tensor import Tensor


class Adamax(Moments):
    """Adam with the largest recent magnitude of the gradient in place of the root of its mean square.

    u ← max(β₂ u, |g| + eps),  p ← p - lr / (1 - β₁ᵗ) · m / u. Kingma & Ba 2015, section 7. PyTorch: torch.optim.Adamax.
    """

    def __init__(
        self, params: Any, lr: Tensor | float = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, foreach: bool | None = None, *, maximize: bool = False, differentiable: bool = False,
        capturable: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, foreach=foreach, maximize=maximize, differentiable=differentiable,
            capturable=capturable,
        )  # fmt: skip

    def update(self, p: Array, grad: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state["step"] = scalar_state(0.0)
            state["exp_avg"], state["exp_inf"] = wrap(np.zeros_like(p)), wrap(np.zeros_like(p))
        t = count_step(state)
        beta1, beta2 = group["betas"]
        grad = decay(p, grad, group, False)
        m, u = state["exp_avg"].array, state["exp_inf"].array
        lerp(m, grad, 1 - beta1)
        u *= beta2
        np.maximum(u, np.abs(grad) + group["eps"], out=u)
        p -= group["lr"] / (1 - beta1**t) * m / u
