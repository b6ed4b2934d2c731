"""Checks exercise 8."""

import math
from typing import Any

from curriculum.check import Wrong
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    cross_entropy = solution["cross_entropy"]
    zs, ys = [-1.5, 0.3, 2.0, -0.7], [0.0, 1.0, 0.0, 1.0]
    each = [math.log1p(math.exp(-z if y else z)) for z, y in zip(zs, ys, strict=True)]
    wanted = sum(each) / len(each)
    z = torch.tensor(zs, requires_grad=True)
    loss = cross_entropy(z, torch.tensor(ys))
    if tuple(getattr(loss, "shape", (0,))) != ():
        raise Wrong("The loss must be one number, a tensor of shape (): take the mean over the samples.")
    found = loss.item()
    if abs(found - sum(each)) < 1e-4:
        raise Wrong("That is the sum over the samples: take the mean.")
    if abs(found + wanted) < 1e-4:
        raise Wrong("The sign is turned: a loss is the negative logarithm of the likelihood.")
    flipped = sum(math.log1p(math.exp(z if y else -z)) for z, y in zip(zs, ys, strict=True)) / len(zs)
    if abs(found - flipped) < 1e-4:
        raise Wrong("The classes are swapped: y belongs to log p, 1 - y to log(1 - p).")
    if abs(found - wanted) > 1e-4:
        raise Wrong(f"The loss is {found:.5f}, wanted is {wanted:.5f}. Work one sample out by hand and compare.")
    large = cross_entropy(torch.tensor([1000.0, -1000.0]), torch.tensor([0.0, 1.0])).item()
    if not abs(large - 1000) < 1:
        raise Wrong(f"For logits of 1000 and -1000, both wrong, the loss is {large}, wanted is 1000: exp overflows.")
    loss.backward()
    if z.grad is None:
        raise Wrong("No gradient reaches z: use the tensor's own operations, no float() or item().")
