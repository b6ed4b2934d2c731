"""Losses, as NumPy: of each element or row, and then their sum or mean."""

from __future__ import annotations

import math

import numpy as np

from ...ops.loss_binary import BinaryCrossEntropy, BinaryCrossEntropyWithLogits
from ...ops.loss_classes import CrossEntropyLoss, NllLoss
from ...ops.loss_distributions import KlDiv
from ...ops.loss_regression import HuberLoss, L1Loss, MseLoss, SmoothL1Loss
from ..program import Var
from ..written import Both, Call, NoText, by_settings, elements, text


def _reduced(c: Call, losses: str) -> str:
    return f"out = {losses}" if c.reduction == "none" else f"losses = {losses}\nout = losses.{c.reduction}()"


def _of_each(c: Call, count: int) -> str:
    """The statement that makes the gradient of each loss, called `each`."""
    return f"each = g / {count}\n" if c.reduction == "mean" else "each = g\n"


def _count(*shapes: tuple[int, ...]) -> int:
    return math.prod(np.broadcast_shapes(*shapes))


def _difference(value: str, slope: str) -> object:
    def both(c: Call) -> Both:
        def said(t: str) -> str:
            return t.replace("parameter", repr(float(c.parameter)))

        count = _count(c.x.shape, c.target.shape)
        return (
            "difference = x - target\n" + _reduced(c, said(value)),
            f"{_of_each(c, count)}d_difference = {said(slope)} * each\ndx = d_difference\ndtarget = -d_difference",
        )

    return both


by_settings(MseLoss)(_difference("difference * difference", "2 * difference"))
by_settings(L1Loss)(_difference("np.abs(difference)", "np.sign(difference)"))
by_settings(SmoothL1Loss)(
    _difference(
        "np.where(np.abs(difference) < parameter, 0.5 * difference * difference / parameter, np.abs(difference) - 0.5 * parameter)",
        "np.clip(difference / parameter, -1, 1)",
    )
)
by_settings(HuberLoss)(
    _difference(
        "np.where(np.abs(difference) < parameter, 0.5 * difference * difference, parameter * (np.abs(difference) - 0.5 * parameter))",
        "np.clip(difference, -parameter, parameter)",
    )
)


@by_settings(BinaryCrossEntropy)
def _bce(c: Call) -> Both:
    weight = "" if c.weight is None else " * weight"
    losses = f"((t - 1) * np.maximum(np.log1p(-p), -100) - t * np.maximum(np.log(p), -100)){weight}"
    eps = BinaryCrossEntropy.EPSILON
    return _reduced(c, losses), (
        f"{_of_each(c, elements(c.p))}"
        f"dp = each{weight} * ((p - t) / np.maximum(p * (1 - p), {eps!r}))\ndt = each{weight} * (np.log(1 - p) - np.log(p))"
    )


@by_settings(BinaryCrossEntropyWithLogits)
def _bce_logits(c: Call) -> Both:
    weight = "" if c.weight is None else " * weight"
    more = "" if c.pos_weight is None else " * (1 + (pos_weight - 1) * t)"
    parts = [x.shape for x in (c.x, c.t, c.weight, c.pos_weight) if isinstance(x, Var)]
    dt = "-x" if c.pos_weight is None else "(pos_weight - 1) * softplus - x"
    return (
        "softplus = np.log1p(np.exp(-np.abs(x))) - np.minimum(x, 0)  # ln(1 + exp(-x))\n"
        + _reduced(c, f"((1 - t) * x + softplus{more}){weight}"),
        f"{_of_each(c, _count(*parts))}"
        f"dx = each{weight} * ((1 - t) - 1 / (1 + np.exp(x)){more})\ndt = each{weight} * ({dt})",
    )


text(
    KlDiv,
    "out = np.where(t == 0, 0, t * np.log(np.where(t == 0, 1, t))) - t * x",
    "dx = -g * t\ndt = g * (np.log(t) + t / t - x)",
)


def _classes(c: Call) -> tuple[str, str, str]:
    """Statements that say which element of each row is wanted; the weight of each row, and that of all."""
    rank = len(c.x.shape)
    if rank > 2:
        raise NoText
    rows = [f"counted = target != {c.ignore_index}", "wanted = np.where(counted, target, 0)"]
    rows.append(f"rows = np.arange({c.x.shape[0]})")
    rows.append(
        "row_weight = counted * " + (f"np.ones((), np.{c.x.dtype.name})" if c.weight is None else "weight[wanted]")
    )
    return "\n".join(rows), "row_weight", "row_weight.sum()"


@by_settings(NllLoss)
def _nll(c: Call) -> Both:
    rows, weight, whole = _classes(c)
    losses = f"-x[rows, wanted] * {weight}"
    if c.reduction == "none":
        forward = f"out = {losses}"
    else:
        forward = f"losses = {losses}\nout = losses.sum(){f' / {whole}' if c.reduction == 'mean' else ''}"
    each = f"g / {whole}" if c.reduction == "mean" else "g"
    return f"{rows}\n{forward}", f"dx = put(-({each}) * {weight}, np.s_[rows, wanted], {c.x.shape!r})"


@by_settings(CrossEntropyLoss)
def _cross_entropy(c: Call) -> Both:
    rows, weight, whole = _classes(c)
    classes, smooth = c.x.shape[1], float(c.smoothing)
    forward = [
        rows,
        "shifted = x - np.maximum.reduce(x, 1, keepdims=True)",
        "log_p = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))",
    ]
    by_class = f"np.ones({classes}, np.{c.x.dtype.name})" if c.weight is None else "weight"
    if smooth:
        forward.append(
            f"share = put({1 - smooth!r} * {weight}, np.s_[rows, wanted], {c.x.shape!r}) + counted[:, None] * ({smooth / classes!r} * {by_class})  # of each class"
        )
    else:
        forward.append(f"share = put({weight}, np.s_[rows, wanted], {c.x.shape!r})  # of each class")
    losses = "-(share * log_p).sum(1)"
    if c.reduction == "none":
        forward.append(f"out = {losses}")
    else:
        forward.append(f"losses = {losses}")
        forward.append(f"out = losses.sum(){f' / {whole}' if c.reduction == 'mean' else ''}")
    each = f"g / {whole}" if c.reduction == "mean" else "g"
    if c.reduction == "none":
        each = "g[:, None]"
    return (
        "\n".join(forward),
        f"dx = ({each}) * (np.exp(log_p) * share.sum(1, keepdims=True) - share)  # what was predicted, minus what was wanted",
    )
