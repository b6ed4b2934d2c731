"""Checks exercise 4."""

from typing import Any

from curriculum.check import Wrong
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    pairs = [((2, 3), (3,)), ((2, 3), (2, 1)), ((4, 2, 3), (2, 1)), ((2, 3), ()), ((2, 1), (2, 1)), ((2, 3), (2, 3))]
    for large, small in pairs:
        grad = torch.arange(1.0, 1.0 + torch.zeros(large).numel()).reshape(large)
        x = torch.zeros(small, requires_grad=True)
        (x + torch.zeros(large)).backward(grad)
        found = solution["unbroadcast"](grad, small)
        what = f"From {large} to {small}"
        if tuple(found.shape) != small:
            hint = (
                "keep the dimension: keepdim=True"
                if len(found.shape) < len(small)
                else "sum over what shape lacks on the left"
            )
            raise Wrong(f"{what}: the result has shape {tuple(found.shape)}; {hint}.")
        if (found - x.grad).abs().max().item() > 1e-5:
            ratio = (found / x.grad).reshape(-1)
            if ratio[0].item() < 0.9 and (ratio - ratio[0]).abs().max().item() < 1e-5:
                raise Wrong(
                    f"{what}: a fraction of what is wanted. Every use adds its slope: take the sum, not the mean."
                )
            raise Wrong(
                f"{what}: found {found.tolist()}, wanted {x.grad.tolist()}. Missing dimensions stand on the left."
            )
