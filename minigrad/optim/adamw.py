"""Adam with decoupled weight decay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .adam import Adam

if TYPE_CHECKING:
    from ..tensor import Tensor


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameters directly: p ← p · (1 - lr · weight_decay) before the step.

    Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization". PyTorch: torch.optim.AdamW.
    """

    _decoupled = True

    scales = ("lr",)

    def __init__(
        self, params: Any, lr: Tensor | float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False, foreach: bool | None = None,
        capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
            differentiable=differentiable, fused=fused,
        )  # fmt: skip
