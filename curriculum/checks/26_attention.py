"""Checks exercise 26."""

import math
from typing import Any

from curriculum.check import Wrong, ask, near, parts, tensor
from curriculum.engine import torch

BY_HAND = ("scaled_dot_product_attention", "multi_head_attention_forward")


def check(solution: dict[str, Any]) -> None:
    causal_attention = solution["causal_attention"]
    drawn = torch.Generator().manual_seed(1)
    q, k, v = (torch.randn(2, 5, 4, generator=drawn) for _ in range(3))
    output, weights = parts(ask(causal_attention, q, k, v), "causal_attention", "the output, the weights")
    tensor(output, "The output"), tensor(weights, "The weights")
    if tuple(weights.shape) != (2, 5, 5) or tuple(output.shape) != (2, 5, 4):
        raise Wrong(
            f"Shapes (2, 5, 4) and (2, 5, 5) are wanted; they are {tuple(output.shape)}, {tuple(weights.shape)}."
        )
    if torch.isnan(weights).any():
        raise Wrong("Some weights are not numbers: a row without any allowed place. A word may look at itself.")
    ahead = torch.triu(weights, diagonal=1).abs().max().item()
    if torch.tril(weights, diagonal=-1).abs().max().item() == 0:
        raise Wrong("The mask is turned round: place l may look back, not ahead.")
    if ahead > 0:
        raise Wrong(
            f"Place l looks ahead (weight {ahead:.2f}): set the scores beyond l to minus infinity before softmax."
        )
    sums = weights.sum(dim=-1)
    if not near(sums, torch.ones(2, 5), 1e-5):
        raise Wrong("The weights of a row must sum to 1: mask before the softmax (over dim=-1), not after it.")
    scores = q @ k.transpose(-2, -1)
    blocked = ~torch.tril(torch.ones(5, 5, dtype=torch.bool))
    if near(weights, torch.softmax(scores.masked_fill(blocked, -math.inf), dim=-1), 1e-5):
        raise Wrong("The division of the scores by the root of d is missing.")
    wanted = torch.softmax((scores / 2).masked_fill(blocked, -math.inf), dim=-1)
    if not near(weights, wanted, 1e-5):
        raise Wrong("The weights are wrong: softmax of q kᵀ / √d, where d is the last size of q.")
    if not near(output, wanted @ v, 1e-5):
        raise Wrong("The weights are right, the output is not: weights @ v.")
    for shape in ((3, 6), (2, 2, 4, 9)):  # no batch, heads; another d
        q, k, v = (torch.randn(*shape, generator=drawn) for _ in range(3))
        output, weights = causal_attention(q, k, v)
        wanted = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        if not near(output, wanted):
            raise Wrong(
                f"For q, k, v of shape {shape} the output is wrong: take L and d from q's last two sizes, and any sizes before them."
            )
    big = 1000 * torch.ones(1, 3, 4)
    if not near(causal_attention(big, big, big)[1][0, 2], torch.full((3,), 1 / 3)):
        raise Wrong(
            "For large scores the weights are not numbers or wrong: softmax of scores less their largest does not overflow."
        )
    low = -50 * torch.ones(1, 3, 4)
    if causal_attention(low, -low, low)[1][0, 0].tolist() != [1.0, 0.0, 0.0]:
        raise Wrong(
            "Where all scores are very low, a blocked place gets weight: block with minus infinity, not with a number or a product."
        )
