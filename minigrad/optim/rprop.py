"""Rprop: steps by the sign of the gradient alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import Array, wrap
from ..missing import refuse
from .optimizer import Optimizer, check_range, count_step, scalar_state

if TYPE_CHECKING:
    from ..tensor import Tensor


class Rprop(Optimizer):
    """Steps by the sign of the gradient alone; each parameter's step size grows while the sign stays and shrinks when it flips.

    For full batches. Riedmiller & Braun 1993. PyTorch: torch.optim.Rprop.
    """

    _step_numbers = ("step",)

    def __init__(
        self, params: Any, lr: Tensor | float = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_range("learning rate", lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        refuse("Rprop", capturable=capturable)
        defaults = {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def update(self, p: Array, grad: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state["step"], state["prev"] = scalar_state(0.0), wrap(np.zeros_like(p))
            state["step_size"] = wrap(np.full_like(p, group["lr"]))
        count_step(state)
        if group["maximize"]:
            grad = -grad
        shrink, grow = group["etas"]
        previous, size = state["prev"].array, state["step_size"].array
        agreement = np.sign(grad * previous)
        factor = np.where(agreement > 0, grow, np.where(agreement < 0, shrink, 1.0)).astype(p.dtype)
        size *= factor
        np.clip(size, *group["step_sizes"], out=size)
        grad = np.where(agreement < 0, 0, grad).astype(p.dtype)  # after a flip: wait one step
        p -= np.sign(grad) * size
        previous[...] = grad
