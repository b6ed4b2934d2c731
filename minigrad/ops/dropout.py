"""Dropout: in training, values are set to 0 at random, and the others grown so that the mean stays.

The masks come from the random stream: one seed, one run. Source: Srivastava et al. 2014, "Dropout: A Simple Way to Prevent
Neural Networks from Overfitting".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..autograd.graph import Operation
from ..autograd.variable import Array, wrap
from ..public import public
from ..random import default_generator, in_order_of
from .activation import SELU_ALPHA, SELU_SCALE
from .checks import require_tensor, type_name

if TYPE_CHECKING:
    from ..tensor import Tensor


class Dropout(Operation):
    """out = x · noise, noise 0 or 1 / (1 - p).  dx = grad · noise"""

    grad_fn_name = "MulBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, noise: Array) -> Array:
        ctx.save_for_backward(noise)
        return x * noise

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (noise,) = ctx.saved_tensors
        return grad * noise, None


@public
def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """input with elements set to 0 with probability p, the others divided by 1 - p; input itself if not train.

    PyTorch: torch.dropout.
    """
    if not _drops("dropout", input, p, train):
        return input
    array = input.array
    return Dropout.apply(input, in_order_of(array, lambda shape: default_generator.dropout_mask(shape, array.dtype, p)))


@public
def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`dropout` of whole channels of an input (N, C, ...). PyTorch: torch.feature_dropout. Source: Tompson et al. 2015."""
    if not _drops("feature_dropout", input, p, train):
        return input
    return Dropout.apply(input, default_generator.dropout_mask(_channels(input.array.shape, p), input.array.dtype, p))


@public
def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Dropout for networks with selu: mean 0 and variance 1 stay. PyTorch: torch.alpha_dropout. Source: Klambauer et al. 2017."""
    if not _drops("alpha_dropout", input, p, train):
        return input
    return _alpha(input, p, input.array.shape)


@public
def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`alpha_dropout` of whole channels. PyTorch: torch.feature_alpha_dropout."""
    if not _drops("feature_alpha_dropout", input, p, train):
        return input
    return _alpha(input, p, _channels(input.array.shape, p))


def check_probability(p: float, error: type[Exception] = RuntimeError) -> None:
    """An error unless 0 ≤ p ≤ 1. nan is let pass where a module is made, and refused where it is called, as in PyTorch."""
    if p < 0 or p > 1 or (p != p and error is RuntimeError):
        raise error(f"dropout probability has to be between 0 and 1, but got {p}")


def _drops(name: str, input: Tensor, p: float, train: bool) -> bool:
    """Whether there is anything to do, after checks."""
    require_tensor(input, name)
    check_probability(p)
    if not train or p == 0 or input.array.size == 0:
        return False
    if input.array.dtype.kind != "f":
        raise RuntimeError(f"result type Float can't be cast to the desired output type {type_name(input)}")
    return True


def _channels(shape: tuple[int, ...], p: float) -> tuple[int, ...]:
    """The shape of a mask with one value a sample and channel; of p = 1, a single value."""
    if p == 1:
        return ()
    if len(shape) < 2:
        raise RuntimeError(f"Feature dropout requires at least 2 dimensions in the input, got {len(shape)}")
    return shape[:2] + (1,) * (len(shape) - 2)


def _alpha(x: Tensor, p: float, shape: tuple[int, ...]) -> Any:
    """Dropped values become selu's lower limit; then all are shifted and scaled so that mean and variance stay."""
    if p == 1:
        return x * 0.0
    low = SELU_ALPHA * SELU_SCALE
    scale = 1 / math.sqrt((low * low * p + 1) * (1 - p))
    d = x.array.dtype
    if shape == x.array.shape:
        kept = in_order_of(x.array, lambda s: default_generator.bernoulli(s, d, 1 - p))
    else:
        kept = default_generator.bernoulli(shape, d, 1 - p)
    shift = (kept - 1) * (low * scale) + low * scale * p
    return Dropout.apply(x, kept * scale) + wrap(shift)
