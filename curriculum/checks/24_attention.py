"""Checks exercise 24."""

import math
from typing import Any

from curriculum.check import Wrong
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    causal_attention = solution["causal_attention"]
    drawn = torch.Generator().manual_seed(1)
    q, k, v = (torch.randn(2, 5, 4, generator=drawn) for _ in range(3))
    found = causal_attention(q, k, v)
    if not isinstance(found, tuple) or len(found) != 2:
        raise Wrong("Return two things: the output and the weights.")
    output, weights = found
    if tuple(weights.shape) != (2, 5, 5) or tuple(output.shape) != (2, 5, 4):
        raise Wrong(
            f"Shapes (2, 5, 4) and (2, 5, 5) are wanted; they are {tuple(output.shape)}, {tuple(weights.shape)}."
        )
    if bool(torch.isnan(weights).any()):
        raise Wrong("Some weights are not numbers: a row without any allowed place. A word may look at itself.")
    ahead = torch.triu(weights, diagonal=1).abs().max().item()
    if torch.tril(weights, diagonal=-1).abs().max().item() == 0:
        raise Wrong("The mask is turned round: place l may look back, not ahead.")
    if ahead > 0:
        raise Wrong(
            f"Place l looks ahead (weight {ahead:.2f}): set the scores beyond l to minus infinity before softmax."
        )
    sums = weights.sum(dim=-1)
    if (sums - 1).abs().max().item() > 1e-5:
        raise Wrong("The weights of a row must sum to 1: mask before the softmax (over dim=-1), not after it.")
    scores = q @ k.transpose(-2, -1)
    blocked = ~torch.tril(torch.ones(5, 5, dtype=torch.bool))
    if (weights - torch.softmax(scores.masked_fill(blocked, -math.inf), dim=-1)).abs().max().item() < 1e-5:
        raise Wrong("The division of the scores by the root of d is missing.")
    wanted = torch.softmax((scores / 2).masked_fill(blocked, -math.inf), dim=-1)
    if (weights - wanted).abs().max().item() > 1e-5:
        raise Wrong("The weights are wrong: softmax of q kᵀ / √d, where d is the last size of q.")
    if (output - wanted @ v).abs().max().item() > 1e-5:
        raise Wrong("The weights are right, the output is not: weights @ v.")
