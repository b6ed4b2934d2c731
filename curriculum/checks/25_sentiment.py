"""Checks exercise 25."""

from typing import Any

from curriculum.check import Wrong
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    layer_norm, stop_at = solution["layer_norm"], solution["stop_at"]
    torch.manual_seed(1)
    x, weight, bias = 3 + 2 * torch.randn(4, 5, 6), torch.rand(6) + 0.5, torch.randn(6)
    found = layer_norm(x, weight, bias)

    def near(other: Any, tolerance: float = 1e-4) -> bool:
        return tuple(found.shape) == tuple(other.shape) and (found - other).abs().max().item() < tolerance

    plain = torch.nn.functional.layer_norm(x, (6,))
    if near(plain):
        raise Wrong("The scale and the shift are missing: times weight, plus bias.")
    if near((x - x.mean()) / x.std() * weight + bias, 0.05):
        raise Wrong("Each vector has a mean of its own: over dim=-1, with keepdim=True.")
    unbiased = (x - x.mean(dim=-1, keepdim=True)) / x.std(dim=-1, keepdim=True) * weight + bias
    if near(unbiased, 1e-3):
        raise Wrong("The variance here is the mean of the squares, divided by n, not by n - 1.")
    if not near(plain * weight + bias):
        raise Wrong("Subtract each vector's mean, divide by the root of its variance plus eps, then weight and bias.")
    flat = layer_norm(torch.ones(1, 6), weight, bias)
    if bool(torch.isnan(flat).any()):
        raise Wrong("Where all numbers are equal the variance is 0: add eps before the root.")

    if tuple(stop_at([3.0, 2.0, 1.0], 2)) != (2, 2):
        raise Wrong("While the loss falls there is no reason to stop: for [3, 2, 1] the answer is (2, 2).")
    answer = tuple(stop_at([3.0, 1.0, 2.0, 1.5, 0.5], 2))
    if answer == (2, 1):
        raise Wrong(
            "For [3, 1, 2, 1.5, 0.5] and patience 2 it stops an epoch too early: two epochs without a new best."
        )
    if answer == (4, 4):
        raise Wrong(
            "For [3, 1, 2, 1.5, 0.5] and patience 2: compare with the best loss so far, not with the one before."
        )
    if answer != (3, 1):
        raise Wrong(f"For [3, 1, 2, 1.5, 0.5] and patience 2 the answer is (3, 1); it is {answer}.")
