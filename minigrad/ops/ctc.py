"""Connectionist temporal classification: the loss of a sequence of labels whose places in time are not known.

The labels, with blanks between and around them, are a chain of states. A path stays, goes one state on, or skips a blank
between different labels; the loss is minus the logarithm of the summed probabilities of all paths. Sums over beginnings
(alpha) and over ends (beta) of paths give it, and its gradient, in time proportional to T · states.
Source: Graves et al. 2006, "Connectionist Temporal Classification".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array, Variable, wrap
from ..public import public
from .checks import type_name
from .choice import where
from .loss_reduction import reduction_name

if TYPE_CHECKING:
    from ..tensor import Tensor


def _before(x: Array, steps: int) -> Array:
    """x moved `steps` states on; what comes in is impossible (-inf)."""
    out = np.full_like(x, -np.inf)
    out[:, steps:] = x[:, : x.shape[1] - steps]
    return out


def _step(x: Array, may_skip: Array) -> Array:
    """log of the summed probabilities of being in a state: from itself, from the one before, from the one before that."""
    return np.logaddexp(np.logaddexp(x, _before(x, 1)), np.where(may_skip, _before(x, 2), -np.inf))


class _Paths:
    """The sums over paths. log_probs (T, N, C), states (N, S): labels and blanks, lengths (N,) of inputs and targets."""

    def __init__(self, log_probs: Array, states: Array, lengths: Array, target_lengths: Array) -> None:
        self.seen = np.take_along_axis(log_probs, states[None], 2)  # (T, N, S): of each state's label
        self.lengths, self.last = lengths, 2 * target_lengths
        differs: Array = np.zeros(states.shape, bool)
        differs[:, 2:] = states[:, 2:] != states[:, :-2]
        self.may_skip = differs

    def alpha(self) -> Array:
        """log of the summed probabilities of all beginnings that end in a state at time t: (T, N, S)."""
        alpha = np.full_like(self.seen, -np.inf)
        for t, here in enumerate(self.seen):
            if t == 0:
                alpha[0, :, :2] = here[:, :2]
            else:
                alpha[t] = _step(alpha[t - 1], self.may_skip) + here
        return alpha

    def beta(self) -> Array:
        """log of the summed probabilities of all ends that begin in a state at time t: (T, N, S)."""
        beta = np.full_like(self.seen, -np.inf)
        state = np.arange(self.seen.shape[2])
        final = (state == self.last[:, None]) | (state == self.last[:, None] - 1)
        skip_to: Array = np.zeros_like(self.may_skip)  # whether the state two further on may be reached
        skip_to[:, :-2] = self.may_skip[:, 2:]
        later: Any = None
        for t in range(len(beta) - 1, -1, -1):
            # the same step on the chain turned round
            after: Array = np.full_like(self.seen[t], -np.inf) if later is None else later
            onward = _step(after[:, ::-1], skip_to[:, ::-1])[:, ::-1]
            onward = np.where((self.lengths - 1 == t)[:, None], np.where(final, 0, -np.inf), onward)
            later = beta[t] = onward + self.seen[t]
        return beta

    def loss(self, alpha: Array) -> Array:
        """Minus the log-probability of all whole paths, (N,)."""
        n = np.arange(len(self.lengths))
        if not len(alpha):
            return np.where(self.last == 0, 0, np.inf).astype(alpha.dtype)
        at_end = alpha[np.maximum(self.lengths - 1, 0), n]
        end, label = at_end[n, self.last], np.where(self.last > 0, at_end[n, np.maximum(self.last - 1, 0)], -np.inf)
        whole = np.where(self.lengths > 0, np.logaddexp(end, label), np.where(self.last == 0, 0, -np.inf))
        return -whole.astype(alpha.dtype)


def _gradient(
    grad: Array, log_probs: Array, loss: Array, paths: _Paths, alpha: Array, states: Array, zero: bool
) -> Array:
    """grad · (p - share of the paths that pass through each label at each time); 0 after the end of a sequence."""
    through = alpha + paths.beta()  # (T, N, S)
    with np.errstate(invalid="ignore"):
        share = np.exp(through + loss[:, None] - paths.seen)
    label = np.zeros_like(log_probs)
    for s in range(states.shape[1]):
        key: Any = (slice(None), np.arange(len(states)), states[:, s])
        label[key] += share[:, :, s]  # (no two of these places are the same)
    out = (np.exp(log_probs) - label) * grad[:, None]
    out[:, np.isinf(loss)] = 0 if zero else np.nan
    out[np.arange(len(out))[:, None] >= paths.lengths] = 0
    return out.astype(log_probs.dtype, copy=False)


class CtcLoss(Operation):
    """out = -log Σ over paths of Π_t p_t(label).  dlog_probs = grad · (p - share of the paths through each label)

    As in PyTorch the gradient has the derivative of the log-softmax in it that made log_probs: passed through that it is right.
    """

    @staticmethod
    def forward(ctx: Any, log_probs: Array, states: Array, lengths: Array, target_lengths: Array, zero: bool) -> Array:
        paths = _Paths(log_probs, states, lengths, target_lengths)
        alpha = paths.alpha()
        loss = paths.loss(alpha)
        ctx.save_for_backward(log_probs)
        ctx.rest = loss, paths, alpha, states, zero
        return loss

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (log_probs,) = ctx.saved_tensors
        if isinstance(grad, Variable):
            return CtcLossGradient.apply(grad, log_probs, *ctx.rest), *(None,) * 4
        return _gradient(grad, log_probs, *ctx.rest), *(None,) * 4


class CtcLossGradient(Operation):
    """The gradient of `CtcLoss`, which has no derivative, as in PyTorch."""

    @staticmethod
    def forward(ctx: Any, grad: Array, log_probs: Array, *rest: Any) -> Array:
        return _gradient(grad, log_probs, *rest)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        raise RuntimeError("derivative for aten::_ctc_loss_backward is not implemented")


@public("functional")
def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Tensor | Sequence[int], target_lengths: Tensor | Sequence[int], blank: int = 0,
    reduction: str = "mean", zero_infinity: bool = False,
) -> Tensor:  # fmt: skip
    """log_probs (T, N, C) or (T, C), from log_softmax; targets (N, S), or all in a row (sum of target_lengths,).

    reduction "mean" divides each loss by its target's length first. zero_infinity: targets that do not fit into their
    input count nothing, instead of inf. PyTorch: torch.nn.functional.ctc_loss.
    """
    reduction = reduction_name(reduction)
    single = log_probs.ndim == 2
    x = log_probs.unsqueeze(1) if single else log_probs
    if x.ndim != 3:
        raise RuntimeError(f"log_probs must be 3-D (T, N, C) or 2-D (T, C), got shape {list(log_probs.shape)}")
    if x.array.dtype not in (np.float32, np.float64):
        raise NotImplementedError(f"\"ctc_loss_cpu\" not implemented for '{type_name(log_probs)}'")
    steps, batch, classes = x.array.shape
    if not x.array.size:
        raise RuntimeError("log_probs tensor must not be empty")
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    lengths, target_length = (
        _lengths("input_lengths", input_lengths, batch),
        _lengths("target_lengths", target_lengths, batch),
    )
    if lengths.max(initial=0) > steps or lengths.min(initial=0) < 0:
        raise RuntimeError(
            f"Expected input_lengths to have value at most {steps}, but got value {lengths.max(initial=0)}"
        )
    if target_length.min(initial=0) < 0:
        raise RuntimeError(f"Expected target_lengths to have value at least 0, but got value {target_length.min()}")
    labels = _labels(targets, target_length, batch, classes)
    states = np.full((batch, 2 * labels.shape[1] + 1), blank, np.int64)
    states[:, 1::2] = labels
    loss = CtcLoss.apply(x, states, lengths, target_length, bool(zero_infinity))
    if zero_infinity:
        loss = where(wrap(np.isinf(loss.array)), 0.0, loss)
    if reduction == "mean":
        return (loss / wrap(np.maximum(target_length, 1).astype(x.array.dtype))).mean()
    if reduction == "sum":
        return loss.sum()
    return loss.squeeze(0) if single else loss


def _lengths(name: str, lengths: Any, batch: int) -> Array:
    array = lengths.array if isinstance(lengths, Variable) else np.asarray(lengths)
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(f"ctc_loss(): {name} must be whole numbers, got {array.dtype}")
    if array.ndim > 1 or array.size != batch:
        raise RuntimeError(f"{name} must be of size batch_size")
    return array.reshape(-1).astype(np.int64)


def _labels(targets: Tensor, lengths: Array, batch: int, classes: int) -> Array:
    """The labels (N, longest), 0 after the end of each."""
    values, longest = targets.array, int(lengths.max(initial=0))
    inside = np.arange(longest) < lengths[:, None]
    labels = np.zeros((batch, longest), np.int64)
    if values.ndim == 1:
        if values.size != lengths.sum():
            raise RuntimeError(
                f"Expected tensor to have size {lengths.sum()} at dimension 0, but got size {values.size} for targets"
            )
        labels[inside] = values
    elif values.ndim == 2:
        if values.shape[0] != batch or values.shape[1] < longest:
            raise RuntimeError(
                f"Expected tensor to have size {batch} and at least {longest}, but got size {list(values.shape)} for targets"
            )
        labels = np.where(inside, values[:, :longest], 0).astype(np.int64)
    else:
        raise RuntimeError(f"targets must be 1-D or 2-D, got shape {list(values.shape)}")
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        raise RuntimeError(f"targets must be labels from 0 to {classes - 1}, got {labels.min()} to {labels.max()}")
    return labels
