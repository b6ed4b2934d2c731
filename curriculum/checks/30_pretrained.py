"""Checks exercises 30."""

from typing import Any

from curriculum.check import Wrong, ask, near, number, parts, tensor
from curriculum.engine import torch


def joining(solution: dict[str, Any]) -> None:
    learn_joins = solution["learn_joins"]
    counts = {"film": 5, "films": 3, "filter": 2, "mild": 4}
    found = ask(learn_joins, dict(counts), 3)
    if not isinstance(found, list) or not all(isinstance(pair, tuple) and len(pair) == 2 for pair in found):
        raise Wrong(f"A list of pairs of pieces is wanted, such as [('i', 'l'), ...]; it is {found!r}.")
    if found[:1] != [("i", "l")]:
        raise Wrong(
            f"i and l are neighbours 14 times, film 5, films 3, filter 2 and mild 4; the first join was {found[:1]}."
        )
    if found != [("i", "l"), ("f", "il"), ("fil", "m")]:
        raise Wrong(
            f"After i l come f il (10 times) and fil m (8 times): pieces that were joined are one piece; it is {found}."
        )
    if learn_joins({"ba": 1, "ab": 1}, 1) != [("a", "b")]:
        raise Wrong("ab and ba occur equally often: the alphabetically first is taken.")
    if learn_joins({"aaa": 1}, 5) != [("a", "a"), ("aa", "a")]:
        raise Wrong(
            f"aaa: a a from the left gives aa a, then aaa, and nothing is left to join; it is {learn_joins({'aaa': 1}, 5)}."
        )
    if learn_joins({"xy": 9, "zz": 2}, 0) != []:
        raise Wrong("For no joins the list is empty.")
    if learn_joins({"abab": 2, "bb": 3}, 2) != [("a", "b"), ("b", "b")]:
        raise Wrong("In abab the pair a b stands twice, so it counts 2 × 2 = 4; then b b of bb counts 3, and ab ab 2.")


def guessing(solution: dict[str, Any]) -> None:
    guessing_loss = solution["guessing_loss"]
    drawn = torch.Generator().manual_seed(4)
    logits, ids = torch.randn(2, 3, 5, generator=drawn), torch.tensor([[0, 4, 2], [1, 1, 3]])
    hidden = torch.tensor([[False, True, False], [True, False, True]])
    each = -torch.log_softmax(logits, dim=2).gather(2, ids.unsqueeze(2)).squeeze(2)
    found = tensor(ask(guessing_loss, logits, ids, hidden), "guessing_loss(...)", (), "one number")
    if near(found, each.mean()):
        raise Wrong(
            "That is the loss at all places. Where the word was not left out the model sees it, and need only copy: most of the loss "
            "would teach nothing."
        )
    if near(found, each[~hidden].mean()):
        raise Wrong("hidden is True where the word was left out.")
    if near(found, each[hidden].sum()):
        raise Wrong("The mean over the places that were left out is wanted, not the sum.")
    if near(found, (each * hidden).mean()):
        raise Wrong("Divide by how many words were left out, not by all places.")
    if not near(found, each[hidden].mean()):
        raise Wrong(f"{each[hidden].mean().item():.4f} is wanted; it is {found.item():.4f}.")
    one = torch.tensor([[True, False, False], [False, False, False]])
    if not near(guessing_loss(logits, ids, one), each[0, 0]):
        raise Wrong("Where one word was left out, the loss is that word's.")


def products(solution: dict[str, Any]) -> None:
    block_products = solution["block_products"]

    def asked(*sizes: int) -> list[float]:
        found = parts(ask(block_products, *sizes), "block_products", "of the layers, of the maps")
        return [number(part, "A count") for part in found]

    layers, maps = asked(3, 4, 10)
    if (layers, maps) == (72, 432):
        raise Wrong("The layers come first, then the maps.")
    if layers == 3 * 3 * 16 + 2 * 3 * 40:
        raise Wrong("Four linear layers of the attention are wanted: one stands behind the heads.")
    if layers == 4 * 16 + 2 * 40:
        raise Wrong("That is for one word: each of the `length` words goes through the layers.")
    if layers != 432:
        raise Wrong(f"For 3 words, dim 4, hidden 10 the layers take 3 (4 · 16 + 2 · 40) = 432; it is {layers:g}.")
    if maps == 36:
        raise Wrong("That is one product: Q Kᵀ and A V both are as large.")
    if maps != 72:
        raise Wrong(f"For 3 words, dim 4 the maps take 2 · 3 · 3 · 4 = 72, however many heads; it is {maps:g}.")
    for length, dim, hidden in ((512, 768, 3072), (7, 2, 3)):
        wanted = [length * (4 * dim * dim + 2 * dim * hidden), 2 * length * length * dim]
        if asked(length, dim, hidden) != wanted:
            raise Wrong(f"For length {length}, dim {dim}, hidden {hidden} it is {wanted}; all three sizes count.")


CHECKS = {"pieces of words": joining, "guessing left-out words": guessing, "a block's multiplications": products}
