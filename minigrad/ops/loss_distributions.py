"""Losses of distributions: how little likely what was seen is under the predicted distribution, up to a constant."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array, Variable, wrap
from ..dtypes import element
from ..public import public
from ..warn import warn
from .checks import require_tensor, type_name
from .distances import at_least
from .exponential import exp, log
from .loss_reduction import reduced, reduction_name
from .mask import choose
from .operands import broadcast_error, promote

if TYPE_CHECKING:
    from ..tensor import Tensor


class KlDiv(Operation):
    """out = t · (ln t - x), 0 where t = 0.  dx = -grad · t,  dt = grad · (ln t + 1 - x), nan where t = 0

    (There 0 · ln 0 has the slope -inf from the right and none from the left; PyTorch's 1 is t / t.)
    """

    @staticmethod
    def forward(ctx: Any, x: Array, t: Array) -> Array:
        ctx.save_for_backward(x if ctx.needs_input_grad[1] else None, t)
        return choose(t == 0, 0.0, t * np.log(t)) - t * x

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, t = ctx.saved_tensors
        to_x, to_t = ctx.needs_input_grad
        return -grad * t if to_x else None, grad * (log(t) + t / t - x) if to_t else None


@public("functional")
def kl_div(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", log_target: bool = False,
) -> Tensor:  # fmt: skip
    """target · (ln target - input): the Kullback-Leibler divergence of probabilities, where input holds *logarithms*.

    log_target: target holds logarithms too. reduction "batchmean" (the sum, divided by the first dimension) is the
    divergence of mathematics; "mean" divides by all elements, and warns. PyTorch: torch.nn.functional.kl_div.
    """
    batchmean = reduction == "batchmean" and size_average is None and reduce is None
    if batchmean:
        reduction = "sum"
    elif reduction == "mean" and size_average is None and reduce is None:
        warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides "
            "only by the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the "
            "same as 'batchmean' in the next major release."
        )
    reduction = reduction_name(reduction, size_average, reduce)
    require_tensor(input, "kl_div")
    require_tensor(target, "kl_div", "target", 2)
    if input.array.dtype.kind != "f" or target.array.dtype.kind != "f":
        raise RuntimeError("kl_div: Integral inputs not supported.")
    x, t = promote(input, target)
    if log_target:
        losses = exp(t) * (t - x)
    else:
        try:
            losses = KlDiv.apply(x, t)
        except ValueError:
            raise broadcast_error(x, t) from None
    loss = reduced(losses, reduction)
    return loss / input.array.shape[0] if batchmean and input.array.ndim else loss


@public("functional")
def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, size_average: bool | None = None, eps: float = 1e-8,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """e^input - target · input: the negative log-likelihood of counts, up to a constant; input is the log of the rate.

    log_input=False: input is the rate, input - target · ln(input + eps). full adds Stirling's ln(target!) where target
    > 1. PyTorch: torch.nn.functional.poisson_nll_loss.
    """
    reduction = reduction_name(reduction, size_average, reduce)
    loss = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        stirling = target * log(target) - target + 0.5 * log(2 * math.pi * target)
        loss = loss + stirling.masked_fill(target <= 1, 0.0)
    return reduced(loss, reduction)


@public("functional")
def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: float | Tensor, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """(ln var + (input - target)² / var) / 2: the negative log-likelihood of target under N(input, var), but for a constant.

    var: in the shape of input, or with a last dimension of 1 or none; a number. It is held at eps or above (its gradient
    is not). full adds ln(2π) / 2. PyTorch: torch.nn.functional.gaussian_nll_loss.
    """
    if not isinstance(var, float | Variable):
        raise TypeError(
            f"gaussian_nll_loss(): argument 'var' (position 3) must be Tensor or float, not {type(var).__name__}"
        )
    variance: Tensor = wrap(np.full_like(input.array, var)) if isinstance(var, float) else var
    if var < 0 if isinstance(var, float) else (var.array < 0).any():
        raise ValueError("var has negative entry/entries")
    shape, given = input.array.shape, variance.array.shape
    if given != shape:
        if shape[:-1] == given:
            variance = variance.unsqueeze(-1)
        elif len(shape) != len(given) or sum(v for n, v in zip(shape, given, strict=True) if n != v) != 1:
            raise ValueError(f"var is of incorrect size: {list(given)} for an input of size {list(shape)}")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid; use 'none', 'mean' or 'sum'")
    if variance.array.dtype.kind != "f":
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {type_name(variance)}; convert var to floats"
        )
    variance = at_least(variance, element(eps, variance.array.dtype))
    loss = 0.5 * (log(variance) + (input - target) ** 2 / variance)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduced(loss, reduction)
