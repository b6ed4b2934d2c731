"""Checks exercise 6."""

from itertools import pairwise
from typing import Any

from curriculum.check import Wrong
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    for sizes in ([3, 2], [64, 32, 10], [2, 4, 1], [5, 5, 5, 5]):
        model = torch.nn.Sequential(*(torch.nn.Linear(m, n) for m, n in pairwise(sizes)))
        wanted = sum(p.numel() for p in model.parameters())
        found = solution["count"](sizes)
        if found == sum(m * n for m, n in pairwise(sizes)):
            raise Wrong(f"count({sizes}) gives {found}: those are the weights. Every output has a bias too.")
        if found != wanted:
            raise Wrong(f"count({sizes}) gives {found}, wanted is {wanted}: n (m + 1) for each layer from m to n.")

    first, second, x = torch.nn.Linear(3, 5), torch.nn.Linear(5, 2), torch.randn(7, 3)
    merged = solution["merge"](first, second)
    if not isinstance(merged, torch.nn.Linear):
        raise Wrong(f"merge() returned a {type(merged).__name__}, wanted is one nn.Linear.")
    if tuple(merged.weight.shape) != (2, 3):
        raise Wrong(
            f"The merged weight has shape {tuple(merged.weight.shape)}, wanted is (2, 3): second.weight @ first.weight."
        )
    with torch.no_grad():
        wanted = second(first(x))
        if (merged(x) - wanted).abs().max().item() < 1e-5:
            return
        if (x @ merged.weight.T - x @ (second.weight @ first.weight).T).abs().max().item() > 1e-5:
            raise Wrong("The merged weight is not second.weight @ first.weight.")
    raise Wrong(
        "The weight is right, the bias is not: the first layer's bias passes through the second layer's weight."
    )
