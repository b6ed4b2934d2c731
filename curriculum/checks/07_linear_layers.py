"""Checks exercise 7."""

from itertools import pairwise
from typing import Any

from curriculum.check import Wrong, ask, near, number
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    for sizes in ([3, 2], [64, 32, 10], [2, 4, 1], [5, 5, 5, 5], [7]):
        model = torch.nn.Sequential(*(torch.nn.Linear(m, n) for m, n in pairwise(sizes)))
        wanted = sum(p.numel() for p in model.parameters())
        found = number(ask(solution["count"], list(sizes)), f"count({sizes})")
        if found != wanted and found == sum(m * n for m, n in pairwise(sizes)):
            raise Wrong(f"count({sizes}) gives {found:g}: those are the weights. Every output has a bias too.")
        if found != wanted:
            raise Wrong(f"count({sizes}) gives {found:g}, wanted is {wanted}: n (m + 1) for each layer from m to n.")

    for m, k, n in ((3, 5, 2), (4, 4, 4)):  # squares: nothing but the numbers tells a transposed weight
        first, second, x = torch.nn.Linear(m, k), torch.nn.Linear(k, n), torch.randn(7, m)
        old = [p.detach().clone() for p in (*first.parameters(), *second.parameters())]
        merged = ask(solution["merge"], first, second)
        if not isinstance(merged, torch.nn.Linear):
            raise Wrong(f"merge() returned a {type(merged).__name__}, wanted is one nn.Linear.")
        if any(not near(p, q, 0) for p, q in zip((*first.parameters(), *second.parameters()), old, strict=True)):
            raise Wrong("The layers that came in were changed: make a new one.")
        if tuple(merged.weight.shape) != (n, m):
            raise Wrong(
                f"The merged weight has shape {tuple(merged.weight.shape)}, wanted is ({n}, {m}): second.weight @ first.weight."
            )
        if merged.bias is None:
            raise Wrong("The merged layer needs a bias.")
        if not isinstance(merged.weight, torch.nn.Parameter) or not isinstance(merged.bias, torch.nn.Parameter):
            raise Wrong("weight and bias must stay parameters: write into them (copy_) inside torch.no_grad().")
        with torch.no_grad():
            wanted = second(first(x))
            if near(merged(x), wanted):
                continue
            if not near(merged.weight, second.weight @ first.weight):
                raise Wrong("The merged weight is not second.weight @ first.weight.")
        raise Wrong(
            "The weight is right, the bias is not: the first layer's bias passes through the second layer's weight."
        )
