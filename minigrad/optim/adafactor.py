"""Adafactor: Adam's second moment by its rows and columns alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.variable import Array, wrap
from .optimizer import Optimizer, check_range, count_step, lerp, scalar_state

if TYPE_CHECKING:
    from ..tensor import Tensor


class Adafactor(Optimizer):
    """p ← p - α · u / max(1, rms(u) / d),  u = g / √v̂: the second moment of a matrix from the means of its rows and columns.

        ρ = min(lr, 1 / √t),  α = ρ · max(ε₂, rms(p)),  w = t ^ beta2_decay
        r ← r + w (mean of g² by row - r),  c likewise by column,  v̂ = r c / mean(r)
        (of a vector:  v ← v + w (g² - v),  v̂ = v)

    So a matrix (m, n) keeps m + n numbers. Before the step p ← p (1 - lr · weight_decay). eps: (ε₁, ε₂); ε₁ None is the
    type's smallest step. Shazeer & Stern 2018, "Adafactor". PyTorch: torch.optim.Adafactor.
    """

    _step_numbers = ("step",)

    scales = ()

    def __init__(
        self, params: Any, lr: Tensor | float = 1e-2, beta2_decay: float = -0.8, eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0, weight_decay: float = 0.0, *, foreach: bool | None = None, maximize: bool = False,
    ) -> None:  # fmt: skip
        check_range("learning rate", lr)
        if not beta2_decay <= 0.0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if len(eps) < 2:
            raise IndexError(f"eps must be two numbers, but is: {eps}")
        for i, number in enumerate(eps):
            if number is not None and not number >= 0.0:
                raise ValueError(f"epsilon{i + 1} should be >= 0 but is: {number}")
        if not d >= 1.0:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        check_range("weight_decay value", weight_decay)
        defaults = {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults)

    def update(self, p: Array, grad: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state["step"] = scalar_state(0.0)
            if grad.ndim > 1:
                state["row_var"] = wrap(np.zeros((*grad.shape[:-1], 1), grad.dtype))
                state["col_var"] = wrap(np.zeros((*grad.shape[:-2], 1, grad.shape[-1]), grad.dtype))
            else:
                state["variance"] = wrap(np.zeros_like(grad))
        t = count_step(state)
        if group["maximize"]:
            grad = np.asarray(-grad)
        weight = t ** group["beta2_decay"]
        eps1, eps2 = group["eps"]
        eps1 = float(np.finfo(p.dtype).eps) if eps1 is None else eps1
        alpha = max(eps2, _rms(p)) * min(group["lr"], 1 / math.sqrt(t))
        if group["weight_decay"]:
            p *= 1 - group["lr"] * group["weight_decay"]
        if grad.ndim > 1:
            rows, columns = state["row_var"].array, state["col_var"].array
            lerp(rows, np.mean(grad * grad, axis=-1, keepdims=True), weight)
            lerp(columns, np.mean(grad * grad, axis=-2, keepdims=True), weight)
            estimate = rows @ columns / np.maximum(rows.mean(axis=-2, keepdims=True), dtypes.element(eps1, p.dtype))
        else:
            lerp(state["variance"].array, grad * grad, weight)
            estimate = state["variance"].array
        update = grad / np.sqrt(np.maximum(estimate, dtypes.element(eps1 * eps1, p.dtype)))
        p -= dtypes.element(alpha / max(1.0, _rms(update) / group["d"]), p.dtype) * update


def _rms(x: Array) -> float:
    """The root of the mean square."""
    return float(np.linalg.norm(x.reshape(-1))) / math.sqrt(x.size)
