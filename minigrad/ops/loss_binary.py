"""Losses of binary classification: of the probability of yes, or of its logit, where yes or no was wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.fused import Fused
from ..autograd.graph import Operation
from ..autograd.variable import Array
from ..dtypes import constant
from ..public import public
from .activation import logsigmoid
from .checks import require_floating, type_name
from .choice import clamp
from .exponential import log
from .loss_reduction import of_each, reduced, reduction_name, require_no_grad
from .mask import choose
from .operands import broadcast_error, broadcast_into, cast, promote

if TYPE_CHECKING:
    from ..tensor import Tensor


class BinaryCrossEntropy(Operation):
    """out = -w · (t · ln p + (1 - t) · ln(1 - p)), reduced; the logarithms are held at -100 or above

    dp = grad · w · (p - t) / max(p · (1 - p), 1e-12),  dt = grad · w · (ln(1 - p) - ln p)
    """

    EPSILON = float(np.float32(1e-12))  # PyTorch keeps it as a float32

    @staticmethod
    def forward(ctx: Any, p: Array, t: Array, weight: Array | None, reduction: str) -> Array:
        ctx.save_for_backward(p, t, weight)
        ctx.count, ctx.reduction = p.size, reduction
        one, least = constant(1, t.dtype), constant(-100, p.dtype)
        losses = (t - one) * np.maximum(np.log1p(-p), least) - t * np.maximum(np.log(p), least)
        return reduced(losses if weight is None else losses * weight, reduction)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        p, t, weight = ctx.saved_tensors
        to_p, to_t, _, _ = ctx.needs_input_grad
        grad = of_each(grad, ctx.count, ctx.reduction)
        if weight is not None:
            grad = grad * weight
        dp = dt = None
        if to_p:
            variance = p * (1 - p)
            held = np.maximum(variance, ctx.EPSILON) if isinstance(p, Array) else clamp(variance, ctx.EPSILON)
            dp = grad * ((p - t) / held)
        if to_t:
            dt = grad * (log(1 - p) - log(p))
        return dp, dt, None, None


@public("functional")
def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """-(target · ln input + (1 - target) · ln(1 - input)), for probabilities; logarithms are held at -100 or above.

    PyTorch: torch.nn.functional.binary_cross_entropy.
    """
    reduction = reduction_name(reduction, size_average, reduce)
    if target.array.shape != input.array.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
    for other in (target, weight):
        if other is not None and other.array.dtype != input.array.dtype:
            raise RuntimeError(f"Found dtype {type_name(other)} but expected {type_name(input)}; convert it with .to()")
    require_floating(input, "binary_cross_entropy")
    require_no_grad("binary_cross_entropy", weight=weight)
    for name, x in (("input", input.array), ("target", target.array)):
        if not _from_0_to_1(x):
            raise RuntimeError(
                f"all elements of {name} should be between 0 and 1; apply sigmoid, or use the _with_logits form"
            )
    weights = None
    if weight is not None:
        try:
            weights = np.broadcast_to(weight.array, input.array.shape)
        except ValueError:
            raise RuntimeError(
                f"weight of shape {list(weight.shape)} does not broadcast to the input's {list(input.shape)}"
            ) from None
    return BinaryCrossEntropy.apply(input, target, weights, reduction)


_BITS: dict[int, type[np.unsignedinteger]] = {2: np.uint16, 4: np.uint32, 8: np.uint64}
_ONE = {size: int(np.ones(1, f"f{size}").view(bits)[0]) for size, bits in _BITS.items()}


def _from_0_to_1(x: Array) -> bool:
    """Whether all elements are (a nan is not).

    One pass over their bits, read as whole numbers, shows it: 0 is 0 there, larger floats are larger numbers, and
    whatever is negative (the sign is the highest bit) or nan lies above them all.
    """
    if not x.size or np.maximum.reduce(x.view(_BITS[x.itemsize]), None) <= _ONE[x.itemsize]:
        return True
    return bool(np.minimum.reduce(x, None) >= 0 and np.maximum.reduce(x, None) <= 1)  # -0 is


class BinaryCrossEntropyWithLogits(Fused):
    """out = w · ((1 - t) · x + m · ln(1 + e⁻ˣ)), m = 1 + (pos_weight - 1) · t, reduced

    dx = grad · w · ((1 - t) - m · σ(-x)),  dt = grad · w · ((pos_weight - 1) · ln(1 + e⁻ˣ) - x).
    It is `binary_cross_entropy` of σ(x), without the overflow.
    """

    @staticmethod
    def definition(x: Any, t: Any, weight: Any, pos_weight: Any, reduction: str) -> Any:
        m = 1 if pos_weight is None else 1 + (pos_weight - 1) * t
        losses = (1 - t) * x - m * logsigmoid(x)
        return reduced(losses if weight is None else losses * weight, reduction)

    @staticmethod
    def forward(ctx: Any, x: Array, t: Array, weight: Array | None, pos_weight: Array | None, reduction: str) -> Array:
        z = np.asarray(np.abs(x))
        np.negative(z, out=z)
        np.exp(z, out=z)  # e^-|x|
        ctx.save_for_backward(x, t, z, weight, pos_weight)
        ctx.reduction = reduction
        softplus = np.asarray(np.log1p(z))
        softplus -= np.minimum(x, 0)  # ln(1 + e^-x)
        if pos_weight is not None:
            softplus = softplus * (1 + (pos_weight - 1) * t)
        losses = np.asarray((1 - t) * x + softplus)
        if weight is not None:
            losses = losses * weight
        ctx.count = losses.size
        return reduced(losses, reduction)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, t, z, weight, pos_weight = ctx.saved_tensors
        to_x, to_t, _, _, _ = ctx.needs_input_grad
        grad = of_each(grad, ctx.count, ctx.reduction)
        if weight is not None:
            grad = grad * weight
        dx = dt = None
        if to_x:
            sigmoid = choose(x >= 0, z, 1.0) / (1 + z)  # σ(-x)
            dx = (1 - t) - (sigmoid if pos_weight is None else (1 + (pos_weight - 1) * t) * sigmoid)
            dx = dx * grad
        if to_t:
            dt = -x if pos_weight is None else (pos_weight - 1) * (np.log1p(z) - np.minimum(x, 0)) - x
            dt = dt * grad
        return dx, dt, None, None, None


@public("functional")
def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """`binary_cross_entropy` of sigmoid(input), stable for large inputs. pos_weight multiplies the part of the positives.

    PyTorch: torch.nn.functional.binary_cross_entropy_with_logits.
    """
    reduction = reduction_name(reduction, size_average, reduce)
    if target.array.shape != input.array.shape:
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    require_floating(input, "binary_cross_entropy_with_logits", "log_sigmoid_cpu")
    if target.array.dtype.kind != "f":
        raise RuntimeError(
            f"result type {type_name(input)} can't be cast to the desired output type {type_name(target)}; convert the "
            "target with .float()"
        )
    require_no_grad("binary_cross_entropy_with_logits", weight=weight, pos_weight=pos_weight)
    input, target = promote(input, target)
    weight, pos_weight = (None if x is None else cast(x, input.array.dtype) for x in (weight, pos_weight))
    broadcast_into(input.array.shape, *(x.array.shape for x in (weight, pos_weight) if x is not None))
    try:
        return BinaryCrossEntropyWithLogits.apply(input, target, weight, pos_weight, reduction)
    except ValueError:
        raise broadcast_error(input, weight if weight is not None else pos_weight) from None


@public("functional")
def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The mean over classes (the last dimension) of `binary_cross_entropy_with_logits`.

    PyTorch: torch.nn.functional.multilabel_soft_margin_loss.
    """
    reduction = reduction_name(reduction, size_average, reduce)
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        losses = losses * weight
    return reduced(losses.sum(-1) / input.shape[-1], reduction)
