"""Checks exercise 9."""

import math
from typing import Any

from curriculum.check import AUTOGRAD, Wrong, ask, near, number, parts, tensor
from curriculum.engine import torch

LOSSES = (
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "nll_loss", "soft_margin_loss",
    "multilabel_soft_margin_loss", "logsigmoid", "softplus",
)  # fmt: skip


def _cross_entropy(solution: dict[str, Any]) -> None:
    cross_entropy = solution["cross_entropy"]
    zs, ys = [-1.5, 0.3, 2.0, -0.7], [0.0, 1.0, 0.0, 1.0]
    each = [math.log1p(math.exp(-z if y else z)) for z, y in zip(zs, ys, strict=True)]
    wanted = sum(each) / len(each)
    z = torch.tensor(zs, requires_grad=True)
    loss = tensor(ask(cross_entropy, z, torch.tensor(ys)), "The loss")
    if tuple(loss.shape) != ():
        raise Wrong("The loss must be one number, a tensor of shape (): take the mean over the samples.")
    found = loss.item()
    if abs(found - sum(each)) < 1e-4:
        raise Wrong("That is the sum over the samples: take the mean.")
    if abs(found + wanted) < 1e-4:
        raise Wrong("The sign is turned: a loss is the negative logarithm of the likelihood.")
    flipped = sum(math.log1p(math.exp(z if y else -z)) for z, y in zip(zs, ys, strict=True)) / len(zs)
    if abs(found - flipped) < 1e-4:
        raise Wrong("The classes are swapped: y belongs to log p, 1 - y to log(1 - p).")
    if not abs(found - wanted) <= 1e-4:
        raise Wrong(f"The loss is {found:.5f}, wanted is {wanted:.5f}. Work one sample out by hand and compare.")
    for logits, targets, right in (
        ([1000.0, -1000.0], [0.0, 1.0], 1000.0), ([1000.0, -1000.0], [1.0, 0.0], 0.0), ([200.0, 0.0], [0.0, 1.0], 100.3466),
    ):  # fmt: skip
        large = cross_entropy(torch.tensor(logits), torch.tensor(targets)).item()
        if not abs(large - right) < 0.01:
            raise Wrong(
                f"For logits {logits} and targets {targets} the loss is {large}, wanted is {right:g}: exp overflows, or log meets 0."
            )
    sure = cross_entropy(torch.tensor([-15.0]), torch.tensor([0.0])).item()
    if not abs(sure / math.exp(-15) - 1) < 0.05:
        raise Wrong(
            f"At z = -15, y = 0 the loss is {sure:.3g}, wanted is {math.exp(-15):.3g}: 1 + exp(-15) loses its digits; log1p keeps them."
        )
    table = cross_entropy(torch.tensor([[1.0], [-1.0]]), torch.tensor([[1.0], [1.0]]))
    if tuple(table.shape) != () or not abs(table.item() - 0.81326) < 1e-4:
        raise Wrong("Logits and targets of shape (2, 1) must work too: the mean over all of them, with no axis named.")
    if not loss.requires_grad:
        raise Wrong("No gradient reaches z: use the tensor's own operations, no float() or item().")
    loss.backward()
    slope = (torch.sigmoid(z.detach()) - torch.tensor(ys)) / 4
    if z.grad is None or not near(z.grad, slope):
        raise Wrong("The loss is right, its slope is not sigmoid(z) - y over the samples: is a part of it detached?")


def _count_loss(solution: dict[str, Any]) -> None:
    for zs, ks in (([0.5, -1.0, 2.0, 0.0], [1.0, 0.0, 9.0, 3.0]), ([1.5, 0.2], [2.0, 2.0])):
        z, k = torch.tensor(zs), torch.tensor(ks)
        loss, slope = parts(ask(solution["count_loss"], z, k), "count_loss", "loss, slope")
        each = [math.exp(a) - b * a for a, b in zip(zs, ks, strict=True)]
        wanted = sum(each) / len(each)
        found = tensor(loss, "The loss", (), "one number, the mean over the samples").item()
        full = wanted + sum(math.lgamma(b + 1) for b in ks) / len(ks)
        if abs(found - sum(each)) < 1e-4:
            raise Wrong("That is the sum over the samples: take the mean.")
        if abs(found + wanted) < 1e-4:
            raise Wrong("The sign is turned: a loss is the negative logarithm of the likelihood.")
        if abs(found - full) < 1e-4:
            raise Wrong("log(k!) does not depend on z: leave it out.")
        if not abs(found - wanted) < 1e-4:
            raise Wrong(
                f"For z = {zs} and counts {ks} the loss is {found:.4f}, wanted is {wanted:.4f}. Take the logarithm of the probability, "
                "term by term, and put exp(z) in for the rate."
            )
        right = [(math.exp(a) - b) / len(zs) for a, b in zip(zs, ks, strict=True)]
        slope = tensor(slope, "The slope", (len(zs),), "one number for each sample")
        if near(slope, [len(zs) * v for v in right]):
            raise Wrong("That is the slope of the sum: the loss is a mean over the samples.")
        if not near(slope, right):
            raise Wrong(
                "The slope is wrong. It has the same form as the lesson's p - y: what the model expects, minus what came."
            )


def _accuracy(solution: dict[str, Any]) -> None:
    def model(x: Any) -> Any:
        return 2.0 * x

    for xs, ys in (
        ([-1.0, -0.1, 0.1, 0.2, 1.0], [0, 1, 1, 0, 1]),
        ([0.2, 0.1, -3.0], [1, 1, 1]),
        ([-0.2, 0.15], [0, 1]),
    ):
        x, y = torch.tensor(xs).reshape(-1, 1), torch.tensor([float(v) for v in ys]).reshape(-1, 1)
        wanted = sum((a > 0) == (b == 1) for a, b in zip(xs, ys, strict=True)) / len(xs)
        found = number(ask(solution["accuracy"], model, x, y), "The accuracy")
        if abs(found - wanted) > 1e-6:
            raise Wrong(
                f"For logits {[2 * v for v in xs]} and classes {ys} you say {found:.3f}, right is {wanted:.3f}. "
                "Where does the model change its mind: in probabilities, and in logits?"
            )


CHECKS = {"cross_entropy": _cross_entropy, "count_loss": _count_loss, "accuracy": _accuracy}
BY_HAND = {"cross_entropy": LOSSES, "count_loss": ("poisson_nll_loss", "lgamma", *AUTOGRAD)}
