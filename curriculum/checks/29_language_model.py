"""Checks exercises 29."""

from typing import Any

from curriculum.check import Wrong, ask, parts, tensor
from curriculum.check import near as close
from curriculum.engine import torch


def first(solution: dict[str, Any]) -> None:
    pieces, next_probabilities = solution["pieces"], solution["next_probabilities"]
    x, y = parts(ask(pieces, 10 * torch.arange(20), [3, 0], 4), "pieces", "x, y")
    tensor(x, "x"), tensor(y, "y")
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

    text = torch.tensor([7, 3, 9, 4, 4, 8])  # its last piece ends with the text
    x, y = pieces(text, [3, 1, 1], 2)
    if x.tolist() != [[4, 4], [3, 9], [3, 9]] or y.tolist() != [[4, 8], [9, 4], [9, 4]]:
        raise Wrong(
            f"From 7 3 9 4 4 8 the pieces of 2 from 3, 1, 1 on are wrong: x = {x.tolist()}, y = {y.tolist()}. Take them from the text by place."
        )

    logits = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(1))
    found = tensor(ask(next_probabilities, logits, 0.5), "next_probabilities(logits, 0.5)")
    if tuple(found.shape) != (2, 3):
        raise Wrong(f"Only the last place tells what follows: the shape must be (2, 3); it is {tuple(found.shape)}.")

    def near(other: Any) -> bool:
        return close(found, other, 1e-5)

    if near(torch.softmax(logits[:, 0] / 0.5, dim=1)):
        raise Wrong("That is what follows the first token: take the last place.")
    if near(torch.softmax(logits[:, -1], dim=1)):
        raise Wrong("The temperature is ignored.")
    if near(torch.softmax(logits[:, -1] * 0.5, dim=1)):
        raise Wrong("Divide by the temperature: a low one must make likely tokens likelier.")
    if not close(found.sum(dim=1), torch.ones(2), 1e-5):
        raise Wrong("Each row must sum to 1: softmax over the tokens, dim=1, after the division.")
    if not near(torch.softmax(logits[:, -1] / 0.5, dim=1)):
        raise Wrong("Softmax of the last place's logits over the temperature is wanted.")
    cold = next_probabilities(torch.tensor([[[0.0, 0.0], [5.0, 4.0]], [[0.0, 0.0], [-800.0, 900.0]]]), 0.01)
    if not close(cold, torch.tensor([[1.0, 0.0], [0.0, 1.0]])):
        raise Wrong(
            f"At temperature 0.01 it is {cold.tolist()}; wanted is [[1, 0], [0, 1]]: exp of large numbers overflows, softmax does not."
        )


def hesitation(solution: dict[str, Any]) -> None:
    perplexity = solution["perplexity"]
    losses = torch.log(torch.tensor([2.0, 8.0]))
    found = tensor(ask(perplexity, losses), "perplexity(losses)", (), "one number")
    if close(found, 5.0):
        raise Wrong(
            "One token among 2 and one among 8 are two choices among 16, as many as two among 4: it is 4, not the mean of 2 and 8."
        )
    if close(found, 16.0):
        raise Wrong(
            "That is for the whole text: a perplexity is by token, so the mean of the losses counts, not the sum."
        )
    if close(found, losses.mean()):
        raise Wrong("That is the loss; the perplexity is e to its power.")
    if not close(found, 4.0):
        raise Wrong(f"For probabilities 1/2 and 1/8 it is 4; it is {found.item():.4g}.")
    if not close(perplexity(torch.log(torch.tensor([3.0, 3.0, 3.0]))), 3.0):
        raise Wrong("Where each token was one among 3 it is 3.")


def likeliest(solution: dict[str, Any]) -> None:
    top_k = solution["top_k"]
    given = torch.tensor([[0.5, 0.1, 0.3, 0.1], [0.05, 0.25, 0.3, 0.4]])
    found = tensor(ask(top_k, given, 2), "top_k(probabilities, 2)", (2, 4), "that of the probabilities")
    if close(found[0], [0.5, 0.0, 0.3, 0.0]):
        raise Wrong("The right ones are kept, and the row's sum is 0.8: what is left must be divided by its sum.")
    if close(found[0], [0.625, 0.0, 0.375, 0.0]) and not close(found[1], [0.0, 0.0, 3 / 7, 4 / 7]):
        raise Wrong("The first row is right and the second is not: each row has likeliest ones, and a sum, of its own.")
    if close(found[0], [0.0, 0.5, 0.0, 0.5]):
        raise Wrong("Those are the unlikeliest.")
    if not close(found, [[0.625, 0.0, 0.375, 0.0], [0.0, 0.0, 3 / 7, 4 / 7]]):
        raise Wrong(f"[[0.625, 0, 0.375, 0], [0, 0, 3/7, 4/7]] is wanted; it is {found.tolist()}.")
    if not close(top_k(given, 4), given):
        raise Wrong("With k = 4, all of them, nothing changes.")
    if not close(top_k(given, 1), [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]):
        raise Wrong("With k = 1 the likeliest gets 1.")


CHECKS = {"the exercises in a text": first, "the perplexity of a text": hesitation, "among the likeliest": likeliest}
