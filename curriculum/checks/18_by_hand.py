"""Checks exercise 18: parity.check holds the backward against central differences."""

from typing import Any

import numpy as np

import parity
from curriculum.check import Wrong
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    rng = np.random.default_rng(18)

    class CrossEntropy(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, logits: Any, t: Any) -> Any:
            ctx.save_for_backward(logits, t)
            return torch.nn.functional.cross_entropy(logits, t)

        @staticmethod
        def backward(ctx: Any, slope: Any) -> Any:
            return slope * solution["cross_entropy_backward"](*ctx.saved_tensors), None

    logits, t = rng.normal(size=(5, 4)), np.array([3, 0, 1, 1, 2])
    found = solution["cross_entropy_backward"](torch.tensor(logits), torch.tensor(t))
    if tuple(found.shape) != logits.shape:
        raise Wrong(f"The slope at the logits has shape {tuple(found.shape)}, wanted is theirs, {logits.shape}.")
    if abs(found.sum().item()) > 1e-6:
        raise Wrong("A row's slopes do not add up to 0: probabilities given minus those wanted, over dim 1.")
    if not (report := parity.check(CrossEntropy.apply, logits, t)):
        raise Wrong(f"cross_entropy_backward: the loss is a mean over the rows, and each has 1/n of it.\n{report}")

    class BatchNorm(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, z: Any, gamma: Any, beta: Any) -> Any:
            ctx.save_for_backward(z, gamma)
            return gamma * (z - z.mean(dim=0)) / (z.var(dim=0, unbiased=False) + 1e-5) ** 0.5 + beta

        @staticmethod
        def backward(ctx: Any, slope: Any) -> Any:
            return solution["batch_norm_backward"](slope, *ctx.saved_tensors)

    if not (report := parity.check(BatchNorm.apply, rng.normal(size=(6, 3)), rng.normal(size=3), rng.normal(size=3))):
        place = report.wrong[0] if report.wrong else 0
        where = place if isinstance(place, int) else 0
        hint = (
            "z: g = slope gamma; take away its mean, and x̂ times the mean of g x̂; then divide by the deviation.",
            "gamma acted on every row, multiplied by x̂: sum slope x̂ over the rows.",
            "beta acted on every row: sum the slope over the rows.",
        )[where]
        raise Wrong(f"batch_norm_backward, the slope at {hint}\n{report}")
