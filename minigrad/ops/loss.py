"""Losses: how far predictions are from what was wanted, as one number to be made small.

`reduction` says what becomes of the losses of the elements (or rows): "mean" of them (the default), "sum", or "none".
`size_average` and `reduce` are PyTorch's old spelling of it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import kernels
from ..autograd.fused import Fused
from ..autograd.graph import Operation
from ..autograd.modes import no_grad
from ..autograd.variable import Array, Variable, wrap
from ..public import public
from .arithmetic import sub as subtract
from .checks import reduction_name, require_floating, require_tensor, type_name
from .choice import clamp, minimum, where
from .dims import normalize_dim
from .exponential import exp, log, log1p
from .mask import choose
from .operands import broadcast_error, cast, promote
from .reduce import norm
from .softmax import log_softmax

if TYPE_CHECKING:
    from ..tensor import Tensor


def reduced(losses: Any, reduction: str) -> Any:
    """The losses themselves, their sum or their mean. For arrays and tensors."""
    if reduction == "none":
        return losses
    if isinstance(losses, Variable):
        return losses.sum() if reduction == "sum" else losses.mean()  # type: ignore[attr-defined]
    total = np.add.reduce(losses, None)
    return total if reduction == "sum" else total / losses.size


def _spread(grad: Array, count: int, reduction: str) -> Any:
    """The gradient of each of `count` losses, from that of the reduced loss; it broadcasts to their shape."""
    return grad / count if reduction == "mean" else grad


def _same_size(input: Any, target: Any) -> None:
    if target.array.shape != input.array.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will "
            "likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=3,
        )


# -- of differences: regression


class _DifferenceLoss(Fused):
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
        dx = ctx.slope(d, ctx.parameter, _spread(grad, d.size, ctx.reduction))
        return dx if to_x else None, -dx if to_target else None, None, None


class MseLoss(_DifferenceLoss):
    """f(d) = d²,  f'(d) = 2d"""

    @staticmethod
    def definition(x: Any, target: Any, reduction: str, _: float) -> Any:
        return reduced((x - target) ** 2, reduction)

    @staticmethod
    def value(d: Array, _: float) -> Array:
        return d * d

    @staticmethod
    def slope(d: Array, _: float, grad: Any) -> Array:
        return d * (2 * grad)


class L1Loss(_DifferenceLoss):
    """f(d) = |d|,  f'(d) = sign d, 0 at 0"""

    @staticmethod
    def definition(x: Any, target: Any, reduction: str, _: float) -> Any:
        return reduced((x - target).abs(), reduction)

    @staticmethod
    def value(d: Array, _: float) -> Array:
        return np.abs(d)

    @staticmethod
    def slope(d: Array, _: float, grad: Any) -> Array:
        return np.subtract(d > 0, d < 0, dtype=d.dtype) * grad


class HuberLoss(_DifferenceLoss):
    """f(d) = d²/2 where |d| < delta, else delta · (|d| - delta/2),  f'(d) = d held within ±delta"""

    @staticmethod
    def definition(x: Any, target: Any, reduction: str, delta: float) -> Any:
        d = x - target
        return reduced(where(d.abs() < delta, 0.5 * d**2, delta * (d.abs() - 0.5 * delta)), reduction)

    @staticmethod
    def value(d: Array, delta: float) -> Array:
        size = np.abs(d)
        inner = np.minimum(size, delta)
        return inner * (size - 0.5 * inner)

    @staticmethod
    def slope(d: Array, delta: float, grad: Any) -> Array:
        return np.clip(d, -delta, delta) * grad


class SmoothL1Loss(_DifferenceLoss):
    """f(d) = d² / (2 beta) where |d| < beta, else |d| - beta/2,  f'(d) = d / beta held within ±1"""

    @staticmethod
    def definition(x: Any, target: Any, reduction: str, beta: float) -> Any:
        d = x - target
        return reduced(where(d.abs() < beta, 0.5 * d**2 / beta, d.abs() - 0.5 * beta), reduction)

    @staticmethod
    def value(d: Array, beta: float) -> Array:
        return HuberLoss.value(d, beta) / beta

    @staticmethod
    def slope(d: Array, beta: float, grad: Any) -> Array:
        return np.clip(d / beta, -1, 1) * grad


def _difference_loss(op: type[Fused], kernel: str, input: Any, target: Any, reduction: str, parameter: float) -> Any:
    x, y = promote(input, target)
    require_floating(x, kernel)
    try:
        return op.apply(x, y, reduction, parameter)
    except ValueError:
        raise broadcast_error(x, y) from None


def _weighted(losses: Any, weight: Any, input: Any, reduction: str, mean: Callable[[Any], Any]) -> Any:
    if weight.array.shape != input.array.shape:
        raise ValueError(
            f"Weights and input must have the same size, got {list(weight.shape)} and {list(input.shape)}."
        )
    losses = losses * weight
    return mean(losses) if reduction == "mean" else reduced(losses, reduction)


@public("functional")
def mse_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean", weight: Any = None
) -> Tensor:
    """(input - target)². With weight, the mean is Σ weight · loss / Σ weight. PyTorch: torch.nn.functional.mse_loss."""
    reduction = reduction_name(reduction, size_average, reduce)
    _same_size(input, target)
    if weight is None:
        return _difference_loss(MseLoss, "mse_cpu", input, target, reduction, 0.0)
    losses = _difference_loss(MseLoss, "mse_cpu", input, target, "none", 0.0)
    return _weighted(losses, weight, input, reduction, lambda x: x.sum() / weight.sum())


@public("functional")
def l1_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean", weight: Any = None
) -> Tensor:
    """|input - target|. With weight, the mean is Σ weight · loss / Σ weight. PyTorch: torch.nn.functional.l1_loss."""
    reduction = reduction_name(reduction, size_average, reduce)
    _same_size(input, target)
    if weight is not None:
        losses = subtract(input, target).abs()
        return _weighted(losses, weight, input, reduction, lambda x: x.sum() / weight.sum())
    if input.array.dtype.kind != "f" and target.array.dtype.kind != "f":
        return reduced(subtract(input, target).abs(), reduction)
    return _difference_loss(L1Loss, "l1_cpu", input, target, reduction, 0.0)


@public("functional")
def smooth_l1_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    """(input - target)² / (2 beta) where they differ by less than beta, else |input - target| - beta/2.

    beta = 0 is `l1_loss`. PyTorch: torch.nn.functional.smooth_l1_loss. Source: Girshick 2015, "Fast R-CNN".
    """
    reduction = reduction_name(reduction, size_average, reduce)
    _same_size(input, target)
    if beta == 0:
        return _difference_loss(L1Loss, "l1_cpu", input, target, reduction, 0.0)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}.")
    return _difference_loss(SmoothL1Loss, "smooth_l1_cpu", input, target, reduction, beta)


@public("functional")
def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Tensor:
    """(input - target)² / 2 where they differ by less than delta, else delta · (|input - target| - delta/2).

    PyTorch: torch.nn.functional.huber_loss. Source: Huber 1964, "Robust Estimation of a Location Parameter".
    """
    reduction = reduction_name(reduction)
    _same_size(input, target)
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, got {delta}.")
    require_floating(input, "huber_loss", "huber_cpu")
    target = cast(target, input.array.dtype)
    if weight is None:
        return _difference_loss(HuberLoss, "huber_cpu", input, target, reduction, delta)
    losses = _difference_loss(HuberLoss, "huber_cpu", input, target, "none", delta)
    return _weighted(losses, weight, input, reduction, lambda x: x.mean())


# -- of probabilities of yes and no


class BinaryCrossEntropy(Operation):
    """out = -w · (t · ln p + (1 - t) · ln(1 - p)), reduced; the logarithms are held at -100 or above

    dp = grad · w · (p - t) / max(p · (1 - p), 1e-12),  dt = grad · w · (ln(1 - p) - ln p)
    """

    EPSILON = float(np.float32(1e-12))  # PyTorch keeps it as a float32

    @staticmethod
    def forward(ctx: Any, p: Array, t: Array, weight: Array | None, reduction: str) -> Array:
        ctx.save_for_backward(p, t)
        ctx.weight, ctx.reduction = weight, reduction
        losses = (t - 1) * np.maximum(np.log1p(-p), -100) - t * np.maximum(np.log(p), -100)
        return reduced(losses if weight is None else losses * weight, reduction)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        p, t = ctx.saved_tensors
        to_p, to_t, _, _ = ctx.needs_input_grad
        grad = _spread(grad, p.size if isinstance(p, Array) else p.numel(), ctx.reduction)
        if ctx.weight is not None:
            grad = grad * (ctx.weight if isinstance(p, Array) else wrap(ctx.weight))
        dp = grad * ((p - t) / clamp_array(p * (1 - p), BinaryCrossEntropy.EPSILON)) if to_p else None
        dt = grad * (log(1 - p) - log(p)) if to_t else None
        return dp, dt, None, None


_BITS = {2: np.dtype(np.uint16), 4: np.dtype(np.uint32), 8: np.dtype(np.uint64)}
_ONE = {size: int(np.ones(1, f"f{size}").view(bits)[0]) for size, bits in _BITS.items()}


def _from_0_to_1(x: Array) -> bool:
    """Whether all elements are (a nan is not).

    One pass over their bits, read as whole numbers, shows it: 0 is 0 there, larger floats are larger numbers, and
    whatever is negative (the sign is the highest bit) or nan lies above them all.
    """
    if not x.size or np.maximum.reduce(x.view(_BITS[x.itemsize]), None) <= _ONE[x.itemsize]:
        return True
    return bool(np.minimum.reduce(x, None) >= 0 and np.maximum.reduce(x, None) <= 1)  # -0 is


def clamp_array(x: Any, low: float) -> Any:
    """`x` held at low or above, for arrays and tensors."""
    return clamp(x, low) if isinstance(x, Variable) else np.maximum(x, low)


class BinaryCrossEntropyWithLogits(Fused):
    """out = w · ((1 - t) · x + m · ln(1 + e⁻ˣ)), m = 1 + (pos_weight - 1) · t, reduced

    dx = grad · w · ((1 - t) - m · σ(-x)),  dt = grad · w · ((pos_weight - 1) · ln(1 + e⁻ˣ) - x).
    It is `binary_cross_entropy` of σ(x), without the overflow.
    """

    @staticmethod
    def definition(x: Any, t: Any, weight: Any, pos_weight: Any, reduction: str) -> Any:
        from .activation import logsigmoid

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
        grad = _spread(grad, ctx.count, ctx.reduction)
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


def _no_grad_for(function: str, **arguments: Any) -> None:
    for name, x in arguments.items():
        if isinstance(x, Variable) and x.requires_grad:  # type: ignore[attr-defined]
            raise RuntimeError(
                f"The function '{function}' is not differentiable with respect to argument '{name}'. This input cannot "
                "have requires_grad True."
            )


@public("functional")
def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Tensor:
    """-(target · ln input + (1 - target) · ln(1 - input)), for probabilities; logarithms are held at -100 or above.

    PyTorch: torch.nn.functional.binary_cross_entropy.
    """
    reduction = reduction_name(reduction, size_average, reduce)
    if target.array.shape != input.array.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
    for x in (target, weight):
        if x is not None and x.array.dtype != input.array.dtype:
            raise RuntimeError(f"Found dtype {type_name(x)} but expected {type_name(input)}; convert it with .to()")
    require_floating(input, "binary_cross_entropy")
    _no_grad_for("binary_cross_entropy", weight=weight)
    for name, x in (("input", input.array), ("target", target.array)):
        if not _from_0_to_1(x):
            raise RuntimeError(
                f"all elements of {name} should be between 0 and 1; apply sigmoid, or use the _with_logits form"
            )
    if weight is not None:
        try:
            weight = np.broadcast_to(weight.array, input.array.shape)
        except ValueError:
            raise RuntimeError(
                f"weight of shape {list(weight.shape)} does not broadcast to the input's {list(input.shape)}"
            ) from None
    return BinaryCrossEntropy.apply(input, target, weight, reduction)


@public("functional")
def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
    pos_weight: Any = None,
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
    _no_grad_for("binary_cross_entropy_with_logits", weight=weight, pos_weight=pos_weight)
    input, target = promote(input, target)
    weight, pos_weight = (None if x is None else cast(x, input.array.dtype) for x in (weight, pos_weight))
    try:
        return BinaryCrossEntropyWithLogits.apply(input, target, weight, pos_weight, reduction)
    except ValueError:
        raise broadcast_error(input, weight if weight is not None else pos_weight) from None


# -- of the probabilities of classes


class _Classes:
    """Class indices (N, d1, ...) beside an input (N, C, d1, ...): where they point, what they weigh, which to ignore."""

    def __init__(self, shape: tuple[int, ...], target: Array, weight: Array | None, ignore_index: int) -> None:
        target = target.astype(np.int64, copy=False)
        outside = target.view(np.uint64) >= shape[1]  # a negative index is a huge one, unsigned
        self.ignored: Array | None = None
        if 0 <= ignore_index < shape[1] or outside.any():
            self.ignored = target == ignore_index
            wrong = outside & ~self.ignored
            if wrong.any():
                raise IndexError(
                    f"Target {target[wrong][0]} is out of bounds. The input has {shape[1]} classes: 0 to {shape[1] - 1}."
                )
            target = np.where(self.ignored, 0, target)
        grid = np.ogrid[tuple(map(slice, target.shape))] if target.ndim > 1 else (np.arange(len(target)),)
        self.at = (grid[0], target, *grid[1:])  # x[at] has the shape of target: the entry of each target's class
        self.weights: Any = 1.0  # of each target
        if weight is not None:
            self.weights = weight[target]
            if self.ignored is not None:
                self.weights = self.weights * ~self.ignored
            self.total: Any = np.add.reduce(self.weights, None)
        else:
            self.total = target.size - (0 if self.ignored is None else int(np.count_nonzero(self.ignored)))

    def reduce(self, losses: Array, reduction: str) -> Array:
        """The losses of the targets, reduced; the mean is by the weights of the targets that are not ignored."""
        if self.ignored is not None:
            losses = np.where(self.ignored, losses.dtype.type(0), losses)
        if reduction == "mean":
            return np.add.reduce(losses, None) / self.total
        return reduced(losses, reduction)

    def spread(self, grad: Array, reduction: str) -> Any:
        """The gradient of each target's loss."""
        if reduction == "mean" and not self.total:
            return grad * 0.0  # all ignored: the mean of nothing is nan, its gradient 0, as in PyTorch
        if reduction == "mean":
            grad = grad / self.total
        return grad if self.ignored is None else np.where(self.ignored, grad.dtype.type(0), grad)


class NllLoss(Fused):
    """out = -w_t · x_t for the class t of each row, reduced.  dx = -grad · w_t at t, 0 elsewhere"""

    @staticmethod
    def definition(x: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> Any:
        ignored = target == ignore_index
        target = target.long().masked_fill(ignored, 0)
        w = x.detach() * 0 + 1 if weight is None else weight
        w = (w if weight is None else w.reshape((1, -1) + (1,) * (x.ndim - 2)).expand(x.shape)).gather(
            1, target.unsqueeze(1)
        )
        w = w.squeeze(1).masked_fill(ignored, 0.0)
        losses = -w * x.gather(1, target.unsqueeze(1)).squeeze(1).masked_fill(ignored, 0.0)
        return losses.sum() / w.sum() if reduction == "mean" else reduced(losses, reduction)

    @staticmethod
    def forward(ctx: Any, x: Array, target: Array, weight: Array | None, ignore_index: int, reduction: str) -> Array:
        classes = _Classes(x.shape, target, weight, ignore_index)
        ctx.save_for_backward(x)
        ctx.classes, ctx.reduction = classes, reduction
        return classes.reduce(-(x[classes.at] * classes.weights), reduction)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        dx = np.zeros(x.shape, x.dtype)
        dx[ctx.classes.at] = -ctx.classes.spread(grad, ctx.reduction) * ctx.classes.weights
        return dx, None, None, None, None


class CrossEntropyLoss(Fused):
    """out = -w_t · ln p_t for the class t of each row, p = softmax(x) over dimension 1, reduced

    dx = grad · w_t · (p - onehot(t)).  The most used gradient there is: what was predicted, minus what was wanted.
    Label smoothing ε puts (1 - ε) · w_t · onehot(t) + ε / C · w (a little weight on every class) for w_t · onehot(t).
    """

    @staticmethod
    def definition(x: Any, target: Any, weight: Any, ignore_index: int, reduction: str, smoothing: float) -> Any:
        logp = log_softmax(x, 1)
        loss = NllLoss.definition(logp, target, weight, ignore_index, reduction)
        if smoothing == 0:
            return loss
        w = 1 if weight is None else weight.reshape((1, -1) + (1,) * (x.ndim - 2))
        ignored = target == ignore_index
        uniform = -(logp * w).sum(1).masked_fill(ignored, 0.0)
        if reduction == "mean":
            counts = (
                ~ignored if weight is None else weight[target.long().masked_fill(ignored, 0)].masked_fill(ignored, 0.0)
            )
            uniform = uniform.sum() / counts.sum()
        else:
            uniform = reduced(uniform, reduction)
        return (1 - smoothing) * loss + smoothing / x.shape[1] * uniform

    @staticmethod
    def forward(
        ctx: Any, x: Array, target: Array, weight: Array | None, ignore_index: int, reduction: str, smoothing: float
    ) -> Array:
        classes = _Classes(x.shape, target, weight, ignore_index)
        ctx.rows = x.ndim == 2 and not smoothing and kernels.wanted(x)
        if ctx.rows:
            from ..kernels import rows

            e, largest, sums = rows.exponentials(np.ascontiguousarray(x))
            losses = (np.log(sums) - (x[classes.at] - largest)) * classes.weights
            ctx.save_for_backward(e, sums, classes.weights, weight)
            ctx.classes, ctx.reduction, ctx.smoothing = classes, reduction, smoothing
            return classes.reduce(losses, reduction)
        e = x - np.maximum.reduce(x, 1, keepdims=True)
        x_t = e[classes.at]
        if smoothing:
            w = 1 if weight is None else weight.reshape((-1,) + (1,) * (x.ndim - 2))
            total_w = x.shape[1] if weight is None else weight.sum()
            all_x = np.add.reduce(e * w, 1)
        np.exp(e, out=e)
        sums = np.add.reduce(e, 1)
        log_sums = np.log(sums)
        losses = (log_sums - x_t) * classes.weights
        scale = classes.weights  # Σ over classes of the weights in the target's distribution
        if smoothing:
            part = smoothing / x.shape[1]
            losses = losses * (1 - smoothing) + (log_sums * total_w - all_x) * part
            scale = scale * (1 - smoothing) + total_w * part
        ctx.save_for_backward(e, sums, scale, weight)
        ctx.classes, ctx.reduction, ctx.smoothing = classes, reduction, smoothing
        return classes.reduce(losses, reduction)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        e, sums, scale, weight = ctx.saved_tensors
        classes, smoothing = ctx.classes, ctx.smoothing
        grad = classes.spread(grad, ctx.reduction)
        if ctx.rows:
            from ..kernels import rows

            dx = rows.scaled(e, np.asarray(grad * scale / sums, e.dtype))
        else:
            dx = e * np.expand_dims(grad * scale / sums, 1)
        dx[classes.at] -= grad * classes.weights * (1 - smoothing)
        if smoothing:
            part = smoothing / e.shape[1]
            w = part if weight is None else weight.reshape((-1,) + (1,) * (e.ndim - 2)) * part
            dx -= np.expand_dims(np.broadcast_to(grad, sums.shape), 1) * w
        return dx, None, None, None, None, None


def _check_classes(input: Any, target: Any, weight: Any) -> None:
    """Errors where input (N, C, d1, ...) and class indices (N, d1, ...) do not fit together."""
    x, t = input.array, target.array
    if t.dtype not in (np.int64, np.uint8):
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {type_name(t)}; class indices are int64 (target.long())"
        )
    if x.ndim > 1 and (t.ndim == 0 or x.shape[0] != t.shape[0]) and not (x.ndim == 2 and t.ndim > 1):
        given = t.shape[0] if t.ndim else 1
        raise ValueError(f"Expected input batch_size ({x.shape[0]}) to match target batch_size ({given}).")
    if x.ndim <= 2 and t.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if x.ndim == 1 and t.size != 1:
        raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {t.size}")
    if x.ndim > 2 and t.shape != x.shape[:1] + x.shape[2:]:
        if x.ndim == 4:
            raise RuntimeError(f"size mismatch (got input: {list(x.shape)} , target: {list(t.shape)}")
        raise RuntimeError(f"Expected target size {list(x.shape[:1] + x.shape[2:])}, got {list(t.shape)}")
    if weight is not None:
        classes = x.shape[1] if x.ndim > 1 else x.shape[0]
        if weight.array.shape != (classes,):
            raise RuntimeError(
                f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor "
                f"of shape: {list(weight.shape)}"
            )
        if weight.array.dtype != x.dtype:
            raise RuntimeError(f"expected scalar type {type_name(x)} but found {type_name(weight)}")
        _no_grad_for("nll_loss_forward", weight=weight)


def _class_loss(op: type[Fused], input: Any, target: Any, weight: Any, *arguments: Any) -> Any:
    """`op` on a batch; a single row (C,) is a batch of one."""
    if input.array.ndim > 1:
        return op.apply(input, target, weight, *arguments)
    loss = op.apply(input.unsqueeze(0), target.reshape((1,)), weight, *arguments)
    return loss.reshape(target.shape) if loss.ndim else loss


@public("functional")
def nll_loss(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, ignore_index: int = -100, reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """-weight · input at the class of each row, for log-probabilities (N, C, d1, ...) and classes (N, d1, ...).

    The mean is Σ weight · loss / Σ weight over rows whose target is not ignore_index. IndexError for a class that is not
    there. PyTorch: torch.nn.functional.nll_loss.
    """
    reduction = reduction_name(reduction, size_average, reduce)
    require_tensor(input, "nll_loss_nd")
    require_tensor(target, "nll_loss_nd", "target", 2)
    if input.array.ndim == 0:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    _check_classes(input, target, weight)
    require_floating(input, "nll_loss", "nll_loss_out_frame")
    return _class_loss(NllLoss, input, target, weight, ignore_index, reduction)


@public("functional")
def cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, ignore_index: int = -100, reduce: Any = None,
    reduction: str = "mean", label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """-ln softmax(input) at each row's class: what classifiers minimise. Give it scores (logits), not probabilities.

    input (N, C, d1, ...) or (C,); target: classes (N, d1, ...) int64, or probabilities in the shape of input; weight (C,).
    The mean is Σ weight · loss / Σ weight over rows whose target is not ignore_index (for probabilities: over rows).
    IndexError for a class that is not there. PyTorch: torch.nn.functional.cross_entropy.
    """
    reduction = reduction_name(reduction, size_average, reduce)
    require_tensor(input, "cross_entropy_loss")
    require_tensor(target, "cross_entropy_loss", "target", 2)
    if label_smoothing > 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    label_smoothing = max(label_smoothing, 0.0)
    if target.array.shape == input.array.shape:
        return _cross_entropy_of_probabilities(input, target, weight, ignore_index, reduction, label_smoothing)
    if input.array.ndim == 0:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    _check_classes(input, target, weight)
    require_floating(input, "cross_entropy", "log_softmax_lastdim_kernel_impl")
    return _class_loss(CrossEntropyLoss, input, target, weight, ignore_index, reduction, label_smoothing)


def _cross_entropy_of_probabilities(
    input: Any, target: Any, weight: Any, ignore_index: int, reduction: str, smoothing: float
) -> Any:
    """-Σ target · weight · ln softmax(input) over classes."""
    if target.array.dtype.kind != "f":
        raise RuntimeError(f"Expected floating point type for target with class probabilities, got {type_name(target)}")
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    dim = 1 if input.array.ndim > 1 else 0
    classes = input.array.shape[dim]
    if weight is not None and weight.array.shape != (classes,):
        raise RuntimeError(
            f"cross_entropy: weight tensor should be defined either for all {classes} classes or no classes but got "
            f"weight tensor of shape: {list(weight.shape)}"
        )
    logp = log_softmax(input, dim)
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    losses = logp * target
    if weight is not None:
        losses = losses * weight.reshape((-1,) + (1,) * max(input.array.ndim - 2, 0))
    losses = -losses.sum(dim)
    return reduced(losses, reduction)


class KlDiv(Operation):
    """out = t · (ln t - x), 0 where t = 0.  dx = -grad · t,  dt = grad · (ln t + 1 - x)"""

    @staticmethod
    def forward(ctx: Any, x: Array, t: Array) -> Array:
        ctx.save_for_backward(x, t)
        return choose(t == 0, 0.0, t * np.log(t)) - t * x

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, t = ctx.saved_tensors
        to_x, to_t = ctx.needs_input_grad
        return -grad * t if to_x else None, grad * (log(t) + 1 - x) if to_t else None


@public("functional")
def kl_div(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """target · (ln target - input): the Kullback-Leibler divergence of probabilities, where input holds *logarithms*.

    log_target: target holds logarithms too. reduction "batchmean" (the sum, divided by the first dimension) is the
    divergence of mathematics; "mean" divides by all elements, and warns. PyTorch: torch.nn.functional.kl_div.
    """
    batchmean = reduction == "batchmean" and size_average is None and reduce is None
    if batchmean:
        reduction = "sum"
    elif reduction == "mean" and size_average is None and reduce is None:
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides "
            "only by the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the "
            "same as 'batchmean' in the next major release.",
            stacklevel=2,
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


# -- likelihoods


@public("functional")
def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, full: bool = False, size_average: Any = None, eps: float = 1e-8,
    reduce: Any = None, reduction: str = "mean",
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
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """(ln var + (input - target)² / var) / 2: the negative log-likelihood of target under N(input, var), but for a constant.

    var: in the shape of input, or with a last dimension of 1 or none; a number. It is held at eps or above (its gradient
    is not). full adds ln(2π) / 2. PyTorch: torch.nn.functional.gaussian_nll_loss.
    """
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = wrap(np.full_like(input.array, var))
    elif (var.array < 0).any():
        raise ValueError("var has negative entry/entries")
    shape, given = input.array.shape, var.array.shape
    if given != shape:
        if shape[:-1] == given:
            var = var.unsqueeze(-1)
        elif len(shape) != len(given) or sum(v for n, v in zip(shape, given, strict=True) if n != v) != 1:
            raise ValueError(f"var is of incorrect size: {list(given)} for an input of size {list(shape)}")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid; use 'none', 'mean' or 'sum'")
    var = _held(var, eps)
    loss = 0.5 * (log(var) + (input - target) ** 2 / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduced(loss, reduction)


def _held(x: Any, low: float) -> Any:
    """x held at low or above, with the gradient of x: what PyTorch gets by clamping a copy behind autograd's back."""
    x = x.clone()
    with no_grad():
        x.clamp_(min=low)
    return x


# -- of margins and similarity


@public("functional")
def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Tensor:
    """input where target is 1, max(0, margin - input) where it is -1. PyTorch: torch.nn.functional.hinge_embedding_loss."""
    reduction = reduction_name(reduction, size_average, reduce)
    far = where(target != 1, clamp(margin - input, min=0), 0.0)
    near = where(target != -1, input, 0.0)
    return reduced(far + near, reduction)


@public("functional")
def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """max(0, -target · (input1 - input2) + margin), target 1 (input1 ranks higher) or -1.

    PyTorch: torch.nn.functional.margin_ranking_loss.
    """
    reduction = reduction_name(reduction, size_average, reduce)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    return reduced(clamp(-target * (input1 - input2) + margin, min=0), reduction)


@public("functional")
def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """1 - cos(input1, input2) where target is 1, max(0, cos - margin) where it is -1.

    input (N, D) and target (N,), or (D,) and (). PyTorch: torch.nn.functional.cosine_embedding_loss.
    """
    reduction = reduction_name(reduction, size_average, reduce)
    dims = target.ndim
    if dims > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if input1.ndim != dims + 1 or input2.ndim != dims + 1:
        raise RuntimeError(
            f"{dims}D target tensor expects {dims + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    epsilon = float(np.float32(1e-12))
    squares1 = (input1 * input1).sum(dims) + epsilon
    squares2 = (input2 * input2).sum(dims) + epsilon
    cos = (input1 * input2).sum(dims) / (squares1 * squares2).sqrt()
    same = where(target == 1, 1 - cos, 0.0)
    different = where(target == -1, clamp(cos - margin, min=0), 0.0)
    return reduced(same + different, reduction)


@public("functional")
def triplet_margin_with_distance_loss(
    anchor: Any, positive: Any, negative: Any, *, distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0, swap: bool = False, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """max(0, margin + d(anchor, positive) - d(anchor, negative)); d: `pairwise_distance`, unless given.

    swap: d(positive, negative) if it is the smaller. PyTorch: torch.nn.functional.triplet_margin_with_distance_loss.
    """
    reduction = reduction_name(reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.ndim}D, positive {positive.ndim}D, and negative {negative.ndim}D inputs"
        )
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(clamp(margin + near - far, min=0), reduction)


@public("functional")
def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2, eps: float = 1e-6, swap: bool = False,
    size_average: Any = None, reduce: Any = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """max(0, margin + |anchor - positive|ₚ - |anchor - negative|ₚ); swap: |positive - negative|ₚ if it is the smaller.

    PyTorch: torch.nn.functional.triplet_margin_loss. Source: Balntas et al. 2016, "Learning local feature descriptors
    with triplets".
    """
    reduction = reduction_name(reduction, size_average, reduce)

    def distance(a: Any, b: Any) -> Any:
        return pairwise_distance(a, b, p, eps)

    return triplet_margin_with_distance_loss(
        anchor, positive, negative, distance_function=distance, margin=margin, swap=swap, reduction=reduction
    )


@public("functional")
def soft_margin_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Tensor:
    """ln(1 + e^(-target · input)), target 1 or -1. It overflows to inf as PyTorch's does; binary_cross_entropy_with_logits
    is the same loss without that. PyTorch: torch.nn.functional.soft_margin_loss.
    """
    reduction = reduction_name(reduction, size_average, reduce)
    require_floating(input, "soft_margin_loss")
    return reduced(log1p(exp(-target * input)), reduction)


@public("functional")
def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, size_average: Any = None,
    reduce: Any = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Σ max(0, margin - x_t + x_j)ᵖ · w_t / C over the classes j other than t; input (N, C) or (C,), p 1 or 2.

    PyTorch: torch.nn.functional.multi_margin_loss.
    """
    from .activation import relu

    reduction = reduction_name(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    require_floating(input, "multi_margin_loss")
    shape = input.array.shape
    if len(shape) not in (1, 2) or shape[-1] == 0:
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(shape)}"
        )
    rows, classes = (shape[0] if len(shape) == 2 else 1), shape[-1]
    t = target.array
    if t.ndim > 1 or t.size != rows:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch "
            f"size). Expected target size [{rows}], but got {list(t.shape)}. Input has shape {list(shape)}."
        )
    if t.dtype != np.int64:
        raise RuntimeError(f"expected scalar type Long but found {type_name(t)}")
    if ((t < 0) | (t >= classes)).any():
        raise RuntimeError(f"target out of range: classes are 0 to {classes - 1}")
    if weight is not None and weight.array.shape != (classes,):
        raise RuntimeError(f"inconsistent weight size, expected {classes} but got {list(weight.shape)}")
    if weight is not None and weight.array.dtype != input.array.dtype:
        raise RuntimeError(f"expected scalar type {type_name(input)} but found {type_name(weight)}")
    x, t = input.reshape((rows, classes)), t.reshape((rows, 1))
    index = wrap(t)
    violation = relu(margin - x.gather(1, index) + x)
    if p == 2:
        violation = violation * violation
    if weight is not None:
        violation = violation * wrap(weight.array[t])
    others = np.arange(classes) != t
    losses = where(wrap(others), violation, 0.0).sum(1) / classes
    return losses.reshape(target.shape) if reduction == "none" else reduced(losses, reduction)


@public("functional")
def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Tensor:
    """The mean over classes (the last dimension) of `binary_cross_entropy_with_logits`.

    PyTorch: torch.nn.functional.multilabel_soft_margin_loss.
    """
    from .activation import logsigmoid

    reduction = reduction_name(reduction, size_average, reduce)
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        losses = losses * weight
    return reduced(losses.sum(-1) / input.shape[-1], reduction)


# -- distances and directions


@public("minigrad", "functional")
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Σ x1 · x2 / (|x1| · |x2|) along dim; a length below eps counts as eps. PyTorch: torch.nn.functional.cosine_similarity."""
    a, b = promote(x1, x2)
    if a.array.dtype.kind != "f":
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {type_name(a)}")
    try:
        shape = np.broadcast_shapes(a.array.shape, b.array.shape)
    except ValueError:
        raise broadcast_error(a, b) from None
    dim = normalize_dim(dim, len(shape))
    a, b = a.expand(shape), b.expand(shape)
    length_a = _held(norm(a, 2, dim, True), eps)
    length_b = _held(norm(b, 2, dim, True), eps)
    return ((a / length_a) * (b / length_b)).sum(dim)


@public("minigrad", "functional")
def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """|x1 - x2 + eps|ₚ along the last dimension. PyTorch: torch.nn.functional.pairwise_distance."""
    return norm(x1 - x2 + eps, p, -1, keepdim)


@public("functional")
def normalize(input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Any = None) -> Tensor:
    """input / max(|input|ₚ, eps) along dim. PyTorch: torch.nn.functional.normalize."""
    if out is not None:
        raise NotImplementedError("normalize: out= is not supported; assign the result instead")
    return input / clamp(norm(input, p, dim, True), min=eps)
