"""Checks exercise 9."""

import math
from typing import Any

from curriculum.check import Wrong, ask, near, tensor
from curriculum.engine import torch

BY_HAND = (
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "nll_loss", "soft_margin_loss",
    "multilabel_soft_margin_loss", "logsigmoid", "softplus",
)  # fmt: skip


def check(solution: dict[str, Any]) -> None:
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
