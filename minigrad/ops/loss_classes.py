"""Losses of classification: of the probabilities (or scores) of several classes, one of which was wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.fused import Fused, size
from ..autograd.variable import Array, Operand
from ..autograd.whole_backward import WholeBackward
from ..public import public
from .checks import require_floating, require_tensor, type_name
from .loss_reduction import reduced, reduction_name, require_no_grad
from .softmax import log_softmax

if TYPE_CHECKING:
    from ..tensor import Tensor


class ClassTargets:
    """Class indices (N, d1, ...) beside an input (N, C, d1, ...): where they point, what they weigh, which to ignore."""

    def __init__(self, shape: tuple[int, ...], target: Array, weight: Array | None, ignore_index: int) -> None:
        target = target.astype(np.int64, copy=False)
        outside = target.view(np.uint64) >= shape[1]  # a negative index is a huge one, unsigned
        self.ignored: Array | None = None
        if 0 <= ignore_index < shape[1] or np.count_nonzero(outside):  # quicker than any()
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
        if reduction == "mean":  # of no weight at all it is nan, also where smoothing leaves a loss to divide
            if losses.dtype == np.float16 and self.total:
                return (np.add.reduce(losses, None, np.float32) / self.total).astype(np.float16)
            return np.add.reduce(losses, None) / self.total if self.total else np.asarray(np.nan, losses.dtype)
        return reduced(losses, reduction)

    def of_each(self, grad: Array, reduction: str) -> Any:
        """The gradient of each target's loss."""
        if reduction == "mean":
            grad = grad / self.total  # all ignored: the mean of nothing is nan, but its gradient is 0, as in PyTorch
        return grad if self.ignored is None else np.where(self.ignored, grad.dtype.type(0), grad)


def _check_classes(input: Operand, target: Operand, weight: Operand | None) -> None:
    """Errors where input (N, C, d1, ...) and class indices (N, d1, ...) do not fit together."""
    x, t = input.array, target.array
    if x.ndim > 1 and (t.ndim == 0 or x.shape[0] != t.shape[0]) and not (x.ndim == 2 and t.ndim > 1):
        given = t.shape[0] if t.ndim else 1
        raise ValueError(f"Expected input batch_size ({x.shape[0]}) to match target batch_size ({given}).")
    if t.dtype not in (np.int64, np.uint8):
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {type_name(t)}; class indices are int64 (target.long())"
        )
    if x.ndim > 2 and t.dtype != np.int64:
        raise RuntimeError(
            f"expected scalar type Long but found {type_name(t)}; class indices are int64 (target.long())"
        )
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
        require_no_grad("nll_loss_forward", weight=weight)


def _class_loss(op: type[Fused], input: Operand, target: Operand, weight: Operand | None, *arguments: Any) -> Any:
    """`op` on a batch; a single row (C,) is a batch of one."""
    if input.array.ndim > 1:
        return op.apply(input, target, weight, *arguments)
    loss = op.apply(input.unsqueeze(0), target.reshape((1,)), weight, *arguments)
    return loss.reshape(()) if loss.ndim else loss


class NllLoss(WholeBackward, Fused):
    """out = -w_t · x_t for the class t of each row, reduced.  dx = -grad · w_t at t, 0 elsewhere"""

    @staticmethod
    def definition(x: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> Any:
        target = target.long()
        ignored = target == ignore_index
        target = target.masked_fill(ignored, 0)
        losses = -x.gather(1, target.unsqueeze(1)).squeeze(1).masked_fill(ignored, 0.0)
        w = ~ignored if weight is None else weight[target].masked_fill(ignored, 0.0)
        losses = losses * w
        return losses.sum() / w.sum() if reduction == "mean" else reduced(losses, reduction)

    @staticmethod
    def forward(ctx: Any, x: Array, target: Array, weight: Array | None, ignore_index: int, reduction: str) -> Array:
        ctx.targets = targets = ClassTargets(x.shape, target, weight, ignore_index)
        ctx.save_for_backward(x)
        ctx.reduction = reduction
        return targets.reduce(-(x[targets.at] * targets.weights), reduction)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        dx = np.zeros(x.shape, x.dtype)
        dx[ctx.targets.at] = -ctx.targets.of_each(grad, ctx.reduction) * ctx.targets.weights
        return dx, None, None, None, None


@public("functional")
def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None, ignore_index: int = -100, reduce: bool | None = None,
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


class CrossEntropyLoss(Fused):
    """out = -w_t · ln p_t for the class t of each row, p = softmax(x) over dimension 1, reduced

    dx = grad · w_t · (p - onehot(t)).  The most used gradient there is: what was predicted, minus what was wanted.
    Label smoothing ε puts (1 - ε) · w_t · onehot(t) + ε / C · w (a little weight on every class) for w_t · onehot(t).
    Compiled form: kernels/cross_entropy.py, for an input of two dimensions without smoothing.
    """

    compiled = "cross_entropy.CrossEntropyLoss"

    @staticmethod
    def work(x: Array, target: Array, weight: Array | None, ignore_index: int, reduction: str, smoothing: float) -> int:
        return size(x) if x.ndim == 2 and not smoothing else 0

    @staticmethod
    def definition(x: Any, target: Any, weight: Any, ignore_index: int, reduction: str, smoothing: float) -> Any:
        logp = log_softmax(x, 1)
        loss = NllLoss.definition(logp, target, weight, ignore_index, reduction)
        if smoothing == 0:
            return loss
        target = target.long()
        ignored = target == ignore_index
        w = 1 if weight is None else weight.reshape((1, -1) + (1,) * (x.ndim - 2))
        uniform = -(logp * w).sum(1).masked_fill(ignored, 0.0)
        if reduction == "mean":
            counts = ~ignored if weight is None else weight[target.masked_fill(ignored, 0)].masked_fill(ignored, 0.0)
            uniform = uniform.sum() / counts.sum()
        else:
            uniform = reduced(uniform, reduction)
        return (1 - smoothing) * loss + smoothing / x.shape[1] * uniform

    @staticmethod
    def forward(
        ctx: Any, x: Array, target: Array, weight: Array | None, ignore_index: int, reduction: str, smoothing: float
    ) -> Array:
        targets = ClassTargets(x.shape, target, weight, ignore_index)
        e = x - np.maximum.reduce(x, 1, keepdims=True)
        x_t = e[targets.at]
        if smoothing:
            w = 1 if weight is None else weight.reshape((-1,) + (1,) * (x.ndim - 2))
            total_w = x.shape[1] if weight is None else weight.sum()
            all_x = np.add.reduce(e * w, 1)
        np.exp(e, out=e)
        sums = np.add.reduce(e, 1)
        log_sums = np.log(sums)
        losses = (log_sums - x_t) * targets.weights
        scale = targets.weights  # Σ over classes of the weights in the target's distribution
        if smoothing:
            part = smoothing / x.shape[1]
            losses = losses * (1 - smoothing) + (log_sums * total_w - all_x) * part
            scale = scale * (1 - smoothing) + total_w * part
        ctx.save_for_backward(e, sums, scale, weight)
        ctx.targets, ctx.reduction, ctx.smoothing = targets, reduction, smoothing
        return targets.reduce(losses, reduction)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        e, sums, scale, weight = ctx.saved_tensors
        targets, smoothing = ctx.targets, ctx.smoothing
        grad = targets.of_each(grad, ctx.reduction)
        dx = e * (grad * scale / sums)[:, None]
        dx[targets.at] -= grad * targets.weights * (1 - smoothing)
        if smoothing:
            part = smoothing / e.shape[1]
            w = part if weight is None else weight.reshape((-1,) + (1,) * (e.ndim - 2)) * part
            dx -= np.broadcast_to(grad, sums.shape)[:, None] * w
        return dx, None, None, None, None, None


@public("functional")
def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None, ignore_index: int = -100, reduce: bool | None = None,
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
    label_smoothing = max(0.0, label_smoothing)  # of nan too: PyTorch asks whether it is above 0
    if target.array.shape == input.array.shape:
        return _cross_entropy_of_probabilities(input, target, weight, ignore_index, reduction, label_smoothing)
    if input.array.ndim == 0:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    _check_classes(input, target, weight)
    if label_smoothing and input.array.ndim == 1 and target.array.ndim:
        raise RuntimeError(
            "output with shape [] doesn't match the broadcast shape [1]: the target of one sample is a tensor ()"
        )
    require_floating(input, "cross_entropy", "log_softmax_lastdim_kernel_impl")
    return _class_loss(CrossEntropyLoss, input, target, weight, ignore_index, reduction, label_smoothing)


def _cross_entropy_of_probabilities(
    input: Operand, target: Operand, weight: Operand | None, ignore_index: int, reduction: str, smoothing: float
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
