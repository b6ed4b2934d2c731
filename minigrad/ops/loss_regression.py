"""Losses of regression: of the difference between a predicted and a wanted number."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.fused import Fused
from ..autograd.variable import Array, Operand
from ..public import public
from ..warn import warn
from .arithmetic import sub as subtract
from .checks import require_floating
from .choice import where
from .loss_reduction import of_each, reduced, reduction_name
from .operands import broadcast_error, cast, promote

if TYPE_CHECKING:
    from ..tensor import Tensor


def _same_size(input: Operand, target: Operand) -> None:
    if target.array.shape != input.array.shape:
        warn(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will "
            "likely lead to incorrect results due to broadcasting. Please ensure they have the same size."
        )


def _weighted(losses: Any, weight: Operand, input: Operand, reduction: str, mean: Callable[[Any], Any]) -> Any:
    if weight.array.shape != input.array.shape:
        raise ValueError(
            f"Weights and input must have the same size, got {list(weight.shape)} and {list(input.shape)}."
        )
    losses = losses * weight
    return mean(losses) if reduction == "mean" else reduced(losses, reduction)


class DifferenceLoss(Fused):
    """out = f(x - target), reduced.  dx = grad · f'(x - target), dtarget = -dx"""

    @staticmethod
    def value(d: Array, parameter: float) -> Array:
        """f(d)"""
        raise NotImplementedError

    @staticmethod
    def slope(d: Array, parameter: float, grad: Any) -> Array:
        """f'(d) · grad"""
        raise NotImplementedError

    @staticmethod
    def forward(ctx: Any, x: Array, target: Array, reduction: str, parameter: float) -> Array:
        d = np.asarray(x - target)
        ctx.save_for_backward(d)
        ctx.reduction, ctx.parameter = reduction, parameter
        return reduced(ctx.value(d, parameter), reduction)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (d,) = ctx.saved_tensors
        to_x, to_target, _, _ = ctx.needs_input_grad
        dx = ctx.slope(d, ctx.parameter, of_each(grad, d.size, ctx.reduction))
        return dx if to_x else None, -dx if to_target else None, None, None


def _difference_loss(
    op: type[Fused], kernel: str, input: Operand, target: Operand, reduction: str, parameter: float
) -> Any:
    x, y = promote(input, target)
    require_floating(x, kernel)
    try:
        return op.apply(x, y, reduction, parameter)
    except ValueError:
        raise broadcast_error(x, y) from None


class MseLoss(DifferenceLoss):
    """f(d) = d²,  f'(d) = 2d"""

    @staticmethod
    def definition(x: Any, target: Any, reduction: str, parameter: float) -> Any:
        return reduced((x - target) ** 2, reduction)

    @staticmethod
    def value(d: Array, parameter: float) -> Array:
        return d * d

    @staticmethod
    def slope(d: Array, parameter: float, grad: Any) -> Array:
        return d * (2 * grad)


@public("functional")
def mse_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """(input - target)². With weight, the mean is Σ weight · loss / Σ weight. PyTorch: torch.nn.functional.mse_loss."""
    reduction = reduction_name(reduction, size_average, reduce)
    _same_size(input, target)
    if weight is None:
        return _difference_loss(MseLoss, "mse_cpu", input, target, reduction, 0.0)
    losses = _difference_loss(MseLoss, "mse_cpu", input, target, "none", 0.0)
    return _weighted(losses, weight, input, reduction, lambda x: x.sum() / weight.sum())


class L1Loss(DifferenceLoss):
    """f(d) = |d|,  f'(d) = sign d, 0 at 0"""

    @staticmethod
    def definition(x: Any, target: Any, reduction: str, parameter: float) -> Any:
        return reduced((x - target).abs(), reduction)

    @staticmethod
    def value(d: Array, parameter: float) -> Array:
        return np.abs(d)

    @staticmethod
    def slope(d: Array, parameter: float, grad: Any) -> Array:
        return np.subtract(d > 0, d < 0, dtype=d.dtype) * grad


@public("functional")
def l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """|input - target|. With weight, the mean is Σ weight · loss / Σ weight. PyTorch: torch.nn.functional.l1_loss."""
    reduction = reduction_name(reduction, size_average, reduce)
    _same_size(input, target)
    if "b" in (input.array.dtype.kind, target.array.dtype.kind):
        subtract(input, target)  # raises: PyTorch does not subtract truths
    if weight is not None:
        losses = subtract(input, target).abs()
        return _weighted(losses, weight, input, reduction, lambda x: x.sum() / weight.sum())
    if input.array.dtype.kind != "f" and target.array.dtype.kind != "f":
        return reduced(subtract(input, target).abs(), reduction)
    return _difference_loss(L1Loss, "l1_cpu", input, target, reduction, 0.0)


class SmoothL1Loss(DifferenceLoss):
    """f(d) = d² / (2 beta) where |d| < beta, else |d| - beta/2,  f'(d) = d / beta held within ±1"""

    @staticmethod
    def definition(x: Any, target: Any, reduction: str, beta: float) -> Any:
        d = x - target
        far = d.abs() >= beta
        near = where(far, 0.0, d)  # an infinite d must not be squared: the square's slope is nan where it is not chosen
        return reduced(where(far, d.abs() - 0.5 * beta, 0.5 * near**2 / beta), reduction)

    @staticmethod
    def value(d: Array, beta: float) -> Array:
        size = np.abs(d)
        inner = np.minimum(size, beta)
        return inner / beta * (size - 0.5 * inner)  # a share of at most 1: what is far overflows where |d| does

    @staticmethod
    def slope(d: Array, beta: float, grad: Any) -> Array:
        return np.clip(d / beta, -1, 1) * grad


@public("functional")
def smooth_l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", beta: float = 1.0,
) -> Tensor:  # fmt: skip
    """(input - target)² / (2 beta) where they differ by less than beta, else |input - target| - beta/2.

    beta = 0 is `l1_loss`. PyTorch: torch.nn.functional.smooth_l1_loss. Source: Girshick 2015, "Fast R-CNN".
    """
    reduction = reduction_name(reduction, size_average, reduce)
    _same_size(input, target)
    if beta == 0:
        return _difference_loss(L1Loss, "l1_cpu", input, target, reduction, 0.0)
    if not beta > 0:  # also nan
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}.")
    return _difference_loss(SmoothL1Loss, "smooth_l1_cpu", input, target, reduction, beta)


class HuberLoss(DifferenceLoss):
    """f(d) = d²/2 where |d| < delta, else delta · (|d| - delta/2),  f'(d) = d held within ±delta"""

    @staticmethod
    def definition(x: Any, target: Any, reduction: str, delta: float) -> Any:
        d = x - target
        far = d.abs() >= delta
        near = where(far, 0.0, d)
        return reduced(where(far, delta * (d.abs() - 0.5 * delta), 0.5 * near**2), reduction)

    @staticmethod
    def value(d: Array, delta: float) -> Array:
        size = np.abs(d)
        inner = np.minimum(size, delta)
        return inner * (size - 0.5 * inner)

    @staticmethod
    def slope(d: Array, delta: float, grad: Any) -> Array:
        return np.clip(d, -delta, delta) * grad


@public("functional")
def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """(input - target)² / 2 where they differ by less than delta, else delta · (|input - target| - delta/2).

    PyTorch: torch.nn.functional.huber_loss. Source: Huber 1964, "Robust Estimation of a Location Parameter".
    """
    reduction = reduction_name(reduction)
    _same_size(input, target)
    if not delta > 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, got {delta}.")
    require_floating(input, "huber_loss", "huber_cpu")
    target = cast(target, input.array.dtype)
    if weight is None:
        return _difference_loss(HuberLoss, "huber_cpu", input, target, reduction, delta)
    losses = _difference_loss(HuberLoss, "huber_cpu", input, target, "none", delta)
    return _weighted(losses, weight, input, reduction, lambda x: x.mean())
