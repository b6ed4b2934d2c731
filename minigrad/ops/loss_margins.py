"""Losses of margins: what should be apart is pushed until it is, by a margin, and then left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import wrap
from ..autograd.whole_backward import read_whole
from ..dtypes import element
from ..public import public
from .checks import refuse_type, require_floating, type_name
from .choice import clamp, minimum, where
from .distances import pairwise_distance
from .exponential import exp, log1p
from .loss_reduction import reduced, reduction_name, require_no_grad
from .operands import broadcast_into, cast
from .piecewise import relu

if TYPE_CHECKING:
    from ..tensor import Tensor


@public("functional")
def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """input where target is 1, max(0, margin - input) where it is -1. PyTorch: torch.nn.functional.hinge_embedding_loss."""
    reduction = reduction_name(reduction, size_average, reduce)
    if reduction == "mean" and input.array.dtype.kind != "f":
        raise RuntimeError(
            "hinge_embedding_loss(): the mean of whole numbers is none of their type: convert the input with .float(), or "
            f"give another reduction. Got {input.dtype}"
        )
    margin = element(float(margin), input.array.dtype)
    difference = cast(
        margin - input, input.array.dtype
    )  # of whole numbers too: unsigned ones start again at their highest
    far = where(target != 1, clamp(difference, min=0), 0.0)
    near = where(target != -1, input, 0.0)
    return reduced(cast(far + near, input.array.dtype), reduction)


@public("functional")
def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: bool | None = None, reduce: bool | None = None,
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
    return reduced(clamp(-target * (input1 - input2) + float(margin), min=0), reduction)


@public("functional")
def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: bool | None = None, reduce: bool | None = None,
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
def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2, eps: float = 1e-6, swap: bool = False,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
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
def triplet_margin_with_distance_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *, distance_function: Callable[[Any, Any], Any] | None = None,
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
def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Tensor:
    """ln(1 + e^(-target · input)), target 1 or -1. It overflows to inf as PyTorch's does; binary_cross_entropy_with_logits
    is the same loss without that. PyTorch: torch.nn.functional.soft_margin_loss.
    """
    reduction = reduction_name(reduction, size_average, reduce)
    require_floating(input, "soft_margin_loss")
    require_no_grad("soft_margin_loss", target=target)
    broadcast_into(input.array.shape, target.array.shape)
    return reduced(log1p(exp(-(target * input))), reduction)


@public("functional")
def multi_margin_loss(
    input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Σ max(0, margin - x_t + x_j)ᵖ · w_t / C over the classes j other than t; input (N, C) or (C,), p 1 or 2.

    PyTorch: torch.nn.functional.multi_margin_loss.
    """
    reduction = reduction_name(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    require_floating(input, "multi_margin_loss")
    if input.array.dtype == np.float16:
        raise NotImplementedError(
            "\"multi_margin_loss\" not implemented for 'Half'; convert the tensor with .float() first"
        )
    margin = element(margin, input.array.dtype)
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
    x, t = read_whole(input).reshape((rows, classes)), t.reshape((rows, 1))
    index = wrap(t)
    violation = margin - x.gather(1, index) + x
    others = wrap(np.arange(classes) != t)
    violation = where((violation > 0) & others, violation, 0.0)  # (relu would keep a nan)
    if p == 2:
        violation = violation * violation
    if weight is not None:
        violation = violation * wrap(weight.array[t])
    losses = violation.sum(1) / classes
    return losses.reshape(target.shape) if reduction == "none" else reduced(losses, reduction)


@public("functional")
def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Tensor:
    """Σ max(0, 1 - (x_t - x_j)) / C over the target classes t and all others j; input (N, C) or (C,).

    target: the classes of each row, in its first places, then -1. PyTorch: torch.nn.functional.multilabel_margin_loss.
    """
    reduction = reduction_name(reduction, size_average, reduce)
    require_floating(input, "multilabel_margin_loss")
    refuse_type("multilabel_margin_loss_forward_out_frame", np.float16, input)
    shape, t = input.array.shape, target.array
    if len(shape) not in (0, 1, 2) or (shape and shape[-1] == 0):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(shape)}"
        )
    if t.shape != shape and not (t.size == input.array.size and max(t.ndim, len(shape)) <= 1):
        raise RuntimeError(f"inconsistent target size: {list(t.shape)} for input of size: {list(shape)}")
    if t.dtype != np.int64:
        raise RuntimeError(f"expected scalar type Long but found {type_name(t)}")
    classes = shape[-1] if shape else 1
    x, t = read_whole(input).reshape((-1, classes)), t.reshape(-1, classes)
    if t.size and (t.min() < -1 or t.max() >= classes):
        raise RuntimeError("argument #2 'target' is out of range")
    named = np.cumsum(t < 0, 1) == 0  # the places before the first -1
    index = np.where(named, t, 0)
    is_target = np.zeros(t.shape, bool)
    np.put_along_axis(is_target, np.where(named, t, t[:, :1].clip(0)), named[:, :1] | named, 1)
    pairs = wrap(named[:, :, None] & ~is_target[:, None, :])  # (N, target, other)
    chosen = x.gather(1, wrap(index)).unsqueeze(2)
    losses = where(pairs, relu(1 - chosen + x.unsqueeze(1)), 0.0).sum((1, 2)) / classes
    return losses.reshape(shape[:-1]) if reduction == "none" else reduced(losses, reduction)
