"""Checks exercise 27."""

from typing import Any

from curriculum.check import Wrong
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    pieces, next_probabilities = solution["pieces"], solution["next_probabilities"]
    x, y = pieces(10 * torch.arange(20), [3, 0], 4)
    if tuple(x.shape) != (2, 4) or tuple(y.shape) != (2, 4):
        raise Wrong(f"Both must have the shape (2, 4); they are {tuple(x.shape)} and {tuple(y.shape)}.")
    if x.tolist() != [[30, 40, 50, 60], [0, 10, 20, 30]]:
        raise Wrong(f"x must hold the pieces from 3 and from 0 on; it is {x.tolist()}.")
    if y.tolist() == x.tolist():
        raise Wrong("y is x: the model would learn to copy. y is one place later in the text.")
    if y.tolist() == [[20, 30, 40, 50], [190, 0, 10, 20]] or y.tolist() == torch.roll(x, 1, 1).tolist():
        raise Wrong("y looks back: it must hold what comes after.")
    if y.tolist() == torch.roll(x, -1, 1).tolist():
        raise Wrong("The last number of y comes from the text behind the piece, not from the piece's beginning.")
    if y.tolist() != [[40, 50, 60, 70], [10, 20, 30, 40]]:
        raise Wrong(f"y must hold the pieces one place later; it is {y.tolist()}.")

    logits = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(1))
    found = next_probabilities(logits, 0.5)
    if tuple(found.shape) != (2, 3):
        raise Wrong(f"Only the last place tells what follows: the shape must be (2, 3); it is {tuple(found.shape)}.")

    def near(other: Any) -> bool:
        return bool((found - other).abs().max().item() < 1e-5)

    if near(torch.softmax(logits[:, 0] / 0.5, dim=1)):
        raise Wrong("That is what follows the first token: take the last place.")
    if near(torch.softmax(logits[:, -1], dim=1)):
        raise Wrong("The temperature is ignored.")
    if near(torch.softmax(logits[:, -1] * 0.5, dim=1)):
        raise Wrong("Divide by the temperature: a low one must make likely tokens likelier.")
    if (found.sum(dim=1) - 1).abs().max().item() > 1e-5:
        raise Wrong("Each row must sum to 1: softmax over the tokens, dim=1, after the division.")
    if not near(torch.softmax(logits[:, -1] / 0.5, dim=1)):
        raise Wrong("Softmax of the last place's logits over the temperature is wanted.")
