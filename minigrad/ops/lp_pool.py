"""Power-average pooling: the p-norm of each window."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..public import public
from .piecewise import relu
from .pool import avg_pool1d, avg_pool2d, avg_pool3d, max_pool1d, max_pool2d, max_pool3d
from .windows import IntOrInts, tuple_of

if TYPE_CHECKING:
    from ..tensor import Tensor


def _lp_pool(
    rank: int, average: Callable[..., Any], largest: Callable[..., Any], input: Tensor, norm_type: float, kernel_size: IntOrInts,
    stride: IntOrInts | None, ceil_mode: bool,
) -> Tensor:  # fmt: skip
    """(Σ xᵖ)^(1/p) of each window, as the mean times how many elements a whole window has; max |x| for p = ∞."""
    if norm_type == 0:
        raise ZeroDivisionError("lp_pool: norm_type must not be 0: the p-norm takes the root of order p")
    if rank > 1 and not isinstance(kernel_size, int) and len(kernel_size) != rank:
        raise ValueError(f"lp_pool{rank}d: kernel_size must be a number or {rank}, got {list(kernel_size)}")
    if norm_type == math.inf:
        return largest(input.abs(), kernel_size, stride, 0, 1, ceil_mode)
    if norm_type == -math.inf:
        return -largest(-input.abs(), kernel_size, stride, 0, 1, ceil_mode)
    mean = average(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    if rank == 1 and not isinstance(kernel_size, int):
        raise TypeError(f"lp_pool1d: kernel_size must be a number, got {list(kernel_size)}")
    count = math.prod(tuple_of(kernel_size, rank, "kernel_size"))
    return (mean.sign() * relu(mean.abs()) * count).pow(1.0 / norm_type)


@public("functional")
def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: IntOrInts, stride: IntOrInts | None = None, ceil_mode: bool = False
) -> Tensor:
    """The p-norm (without |.|: x to the power p, as it is) of each window of (N, C, L). PyTorch: torch.nn.functional.lp_pool1d."""
    return _lp_pool(1, avg_pool1d, max_pool1d, input, norm_type, kernel_size, stride, ceil_mode)


@public("functional")
def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: IntOrInts, stride: IntOrInts | None = None, ceil_mode: bool = False
) -> Tensor:
    """The p-norm (without |.|: x to the power p, as it is) of each window of (N, C, H, W). PyTorch: torch.nn.functional.lp_pool2d."""
    return _lp_pool(2, avg_pool2d, max_pool2d, input, norm_type, kernel_size, stride, ceil_mode)


@public("functional")
def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: IntOrInts, stride: IntOrInts | None = None, ceil_mode: bool = False
) -> Tensor:
    """The p-norm (without |.|: x to the power p, as it is) of each window of (N, C, D, H, W). PyTorch: torch.nn.functional.lp_pool3d."""
    return _lp_pool(3, avg_pool3d, max_pool3d, input, norm_type, kernel_size, stride, ceil_mode)
