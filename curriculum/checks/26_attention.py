"""Checks exercises 26."""

import math
from typing import Any

from curriculum.check import AUTOGRAD, Wrong, ask, near, parts, tensor
from curriculum.engine import torch


def causal(solution: dict[str, Any]) -> None:
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


def cut(solution: dict[str, Any]) -> None:
    split_heads = solution["split_heads"]
    x = torch.arange(2.0 * 3 * 4).reshape(2, 3, 4)  # x[b, l]: four numbers that follow one another
    found = tensor(ask(split_heads, x, 2), "split_heads(x, 2)", (2, 2, 3, 2), "(B, heads, L, width / heads)")
    if near(found, x.reshape(2, 2, 3, 2)):
        raise Wrong(
            "Head 0 of the first text holds [[0, 1], [2, 3], [4, 5]]: word 0 is [0, 1, 2, 3], so its second half belongs to head 1. "
            "Reading on in memory is no exchange of dimensions."
        )
    if near(found, torch.stack([x[:, :, 0::2], x[:, :, 1::2]], dim=1)):
        raise Wrong("Each head has every second number: the h-th piece of a vector is numbers that stand together.")
    wanted = torch.stack([x[:, :, :2], x[:, :, 2:]], dim=1)
    if not near(found, wanted):
        raise Wrong(f"Head 0 of the first text is [[0, 1], [4, 5], [8, 9]]; it is {found[0, 0].tolist()}.")
    x = torch.randn(1, 2, 12, generator=torch.Generator().manual_seed(2))
    for heads in (1, 3, 4):
        if not near(split_heads(x, heads), torch.stack(x.chunk(heads, dim=2), dim=1)):
            raise Wrong(f"For x of shape (1, 2, 12) and {heads} heads it is wrong: take the sizes from x and heads.")


def slopes(solution: dict[str, Any]) -> None:
    attention_gradients = solution["attention_gradients"]
    drawn = torch.Generator().manual_seed(3)
    for length, size in ((4, 9), (3, 2)):
        q, k, v, upstream = (torch.randn(length, size, generator=drawn) for _ in range(4))
        found = parts(ask(attention_gradients, q, k, v, upstream), "attention_gradients", "by q, by k, by v")
        leaves = [t.clone().requires_grad_() for t in (q, k, v)]
        root = math.sqrt(size)
        weights = torch.softmax(leaves[0] @ leaves[1].T / root, dim=-1)
        wanted = torch.autograd.grad((weights @ leaves[2] * upstream).sum(), leaves)
        for name, one in zip("qkv", found, strict=True):
            tensor(one, f"The gradient by {name}", (length, size), f"that of {name}")
        if not near(found[2], wanted[2]):
            raise Wrong(
                "The one by v is wrong: the output is A v, a matrix product, so v gets Aᵀ times what comes back."
            )
        if near(found[0] / root, wanted[0]) or near(found[0], wanted[0] / root):
            raise Wrong("By v it is right; by q the root of d is missing, or there twice.")
        if near(found[0], (weights.detach() * (upstream @ v.T)) @ k / root):
            raise Wrong(
                "Softmax: each row's scores push one another; the mean of the row, weighted by A, is subtracted."
            )
        if not near(found[0], wanted[0]):
            raise Wrong(
                "By v it is right, by q it is not: first by A, then through softmax's slope to the scores, then times k."
            )
        if not near(found[1], wanted[1]):
            raise Wrong("By q and v it is right, by k it is not: k stands transposed in q kᵀ.")


CHECKS = {"attention that does not look ahead": causal, "vectors cut into heads": cut, "attention's gradients": slopes}
BY_HAND = {
    "attention that does not look ahead": ("scaled_dot_product_attention", "multi_head_attention_forward"),
    "attention's gradients": AUTOGRAD,
}
