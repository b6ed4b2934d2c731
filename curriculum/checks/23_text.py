"""Checks exercise 23."""

from typing import Any

from curriculum.check import Wrong
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    vocabulary, batch, masked_mean = solution["vocabulary"], solution["batch"], solution["masked_mean"]

    numbers = vocabulary(["a b a c", "a b"], 4)
    if set(numbers.values()) & {0, 1}:
        raise Wrong("0 and 1 are taken, by the padding and by unknown words: begin with 2.")
    if len(numbers) != 2:
        raise Wrong(f"Of size 4, two numbers are taken: there is room for 2 words; there are {len(numbers)}.")
    if numbers != {"a": 2, "b": 3}:
        raise Wrong(f"The commonest word comes first: {{'a': 2, 'b': 3}} is wanted; it is {numbers}.")

    try:
        ids = batch(["b a zebra", "a"], numbers)
    except KeyError as error:
        raise Wrong(f"A word that is not in the vocabulary, {error}, must become 1.") from None
    if tuple(ids.shape) != (2, 3):
        raise Wrong(f"All rows get the length of the longest text: (2, 3) is wanted; it is {tuple(ids.shape)}.")
    if ids.tolist() == [[3, 2, 1], [0, 0, 2]]:
        raise Wrong("The padding stands in front: put it behind the end.")
    if ids[1].tolist() == [2, 1, 1]:
        raise Wrong("The padding is 0; 1 means an unknown word.")
    if ids.tolist() != [[3, 2, 1], [2, 0, 0]]:
        raise Wrong(f"[[3, 2, 1], [2, 0, 0]] is wanted; it is {ids.tolist()}.")

    vectors = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [8.0, 9.0]], [[5.0, 6.0], [7.0, 7.0], [7.0, 7.0]]])
    found = masked_mean(vectors, ids)
    if tuple(found.shape) != (2, 2):
        raise Wrong(f"One vector a text, shape (2, 2), is wanted; it is {tuple(found.shape)}.")
    if (found[1] - vectors[1].mean(dim=0)).abs().max().item() < 1e-5:
        raise Wrong("The padding's vectors are counted too: multiply by the mask before the sum.")
    if (found[1] - vectors[1, 0] / 3).abs().max().item() < 1e-5:
        raise Wrong("Divide by the number of words, the sum of the mask, not by the padded length.")
    if (found - torch.tensor([[4.0, 5.0], [5.0, 6.0]])).abs().max().item() > 1e-5:
        raise Wrong(f"[[4, 5], [5, 6]] is wanted; it is {found.tolist()}.")
