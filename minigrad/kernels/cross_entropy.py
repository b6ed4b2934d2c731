"""The compiled form of cross-entropy, on the loops of rows.py: the exponentials of a row forward, their multiple backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops.loss_classes import ClassTargets
from ..ops.loss_classes import CrossEntropyLoss as NumpyCrossEntropyLoss
from .rows import exponentials, scaled

Array = np.ndarray


class CrossEntropyLoss(NumpyCrossEntropyLoss):
    """The compiled form of ops.loss_classes.CrossEntropyLoss, for x of shape (N, C) and no label smoothing.

    out = w_t · (ln Σ e - (x_t - m)), reduced, where e = eˣ⁻ᵐ and m = max x by row.
    dx = e · (grad · w_t / Σ e), less grad · w_t at t
    """

    @staticmethod
    def forward(
        ctx: Any, x: Array, target: Array, weight: Array | None, ignore_index: int, reduction: str, smoothing: float
    ) -> Array:
        targets = ClassTargets(x.shape, target, weight, ignore_index)
        e, largest, sums = exponentials(np.ascontiguousarray(x))
        ctx.save_for_backward(e, sums)
        ctx.targets, ctx.reduction = targets, reduction
        return targets.reduce((np.log(sums) - (x[targets.at] - largest)) * targets.weights, reduction)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        e, sums = ctx.saved_tensors
        targets = ctx.targets
        grad = targets.of_each(grad, ctx.reduction) * targets.weights
        dx = scaled(e, np.asarray(grad / sums, e.dtype))
        dx[targets.at] -= grad
        return dx, None, None, None, None, None
