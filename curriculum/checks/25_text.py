"""Checks exercises 25."""

from typing import Any

from curriculum.check import AUTOGRAD, Wrong, ask, near, tensor
from curriculum.engine import torch


def first(solution: dict[str, Any]) -> None:
    vocabulary, batch, masked_mean = solution["vocabulary"], solution["batch"], solution["masked_mean"]

    numbers = ask(vocabulary, ["a b a c", "a b"], 4)
    if not isinstance(numbers, dict):
        raise Wrong(f"vocabulary returns a dictionary {{word: number}}, not a {type(numbers).__name__}.")
    if not all(type(value) is int for value in numbers.values()):
        raise Wrong(f"The words' numbers are whole numbers; it is {numbers}.")
    if set(numbers.values()) & {0, 1}:
        raise Wrong("0 and 1 are taken, by the padding and by unknown words: begin with 2.")
    if len(numbers) != 2:
        raise Wrong(f"Of size 4, two numbers are taken: there is room for 2 words; there are {len(numbers)}.")
    if numbers != {"a": 2, "b": 3}:
        raise Wrong(f"The commonest word comes first: {{'a': 2, 'b': 3}} is wanted; it is {numbers}.")

    more = vocabulary(["x y", "z y", "z z w"], 10)
    if sorted(more.values()) != [2, 3, 4, 5] or (more["z"], more["y"]) != (2, 3):
        raise Wrong(f"For 'x y', 'z y', 'z z w' there is room for all four words, z is 2 and y is 3; it is {more}.")
    if vocabulary(["Film, film. film"], 9) != {"Film,": 2, "film.": 3, "film": 4}:
        raise Wrong("Words are what text.split() gives, as they are written: 'Film,', 'film.' and 'film' are three.")
    if vocabulary(["a b"], 2) != {}:
        raise Wrong("Of size 2 both numbers are taken: no word has room.")

    try:
        ids = batch(["b a zebra", "a"], numbers)
    except KeyError as error:
        raise Wrong(f"A word that is not in the vocabulary, {error}, must become 1.") from None
    tensor(ids, "batch(texts, numbers)")
    if ids.dtype != torch.int64:
        raise Wrong(f"Word numbers are whole (torch.int64, as an embedding wants them); it is {ids.dtype}.")
    if tuple(ids.shape) != (2, 3):
        raise Wrong(f"All rows get the length of the longest text: (2, 3) is wanted; it is {tuple(ids.shape)}.")
    if ids.tolist() == [[3, 2, 1], [0, 0, 2]]:
        raise Wrong("The padding stands in front: put it behind the end.")
    if ids[1].tolist() == [2, 1, 1]:
        raise Wrong("The padding is 0; 1 means an unknown word.")
    if ids.tolist() != [[3, 2, 1], [2, 0, 0]]:
        raise Wrong(f"[[3, 2, 1], [2, 0, 0]] is wanted; it is {ids.tolist()}.")

    if batch(["a", "b b b b"], {"b": 7}).tolist() != [[1, 0, 0, 0], [7, 7, 7, 7]]:
        raise Wrong("The longest text may stand anywhere, and the numbers are those of the dictionary that comes in.")

    vectors = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [8.0, 9.0]], [[5.0, 6.0], [7.0, 7.0], [7.0, 7.0]]])
    found = tensor(ask(masked_mean, vectors, ids), "masked_mean(vectors, ids)")
    if tuple(found.shape) != (2, 2):
        raise Wrong(f"One vector a text, shape (2, 2), is wanted; it is {tuple(found.shape)}.")
    if (found[1] - vectors[1].mean(dim=0)).abs().max().item() < 1e-5:
        raise Wrong("The padding's vectors are counted too: multiply by the mask before the sum.")
    if (found[1] - vectors[1, 0] / 3).abs().max().item() < 1e-5:
        raise Wrong("Divide by the number of words, the sum of the mask, not by the padded length.")
    if not near(found, torch.tensor([[4.0, 5.0], [5.0, 6.0]]), 1e-5):
        raise Wrong(f"[[4, 5], [5, 6]] is wanted; it is {found.tolist()}.")
    holes = torch.tensor([[4, 0, 9], [0, 0, 5]])
    if not near(masked_mean(vectors, holes), torch.tensor([[4.5, 5.5], [7.0, 7.0]]), 1e-5):
        raise Wrong("The mean goes over the places whose id is not 0, wherever they stand.")


def largest(solution: dict[str, Any]) -> None:
    masked_max = solution["masked_max"]
    vectors = torch.tensor([[[-1.0, 2.0], [-3.0, -4.0], [8.0, 9.0]], [[-5.0, -6.0], [7.0, 7.0], [7.0, 7.0]]])
    ids = torch.tensor([[4, 2, 9], [3, 0, 0]])
    found = tensor(ask(masked_max, vectors, ids), "masked_max(vectors, ids)", (2, 2), "one vector a text")
    if near(found[1], [7.0, 7.0]):
        raise Wrong("The padding's vectors are counted: the second text has one word, [-5, -6].")
    if near(found[1], [0.0, 0.0]):
        raise Wrong("A text of one word, [-5, -6], gets [0, 0]: no word of it has a 0. Where does the 0 come from?")
    if not near(found, [[8.0, 9.0], [-5.0, -6.0]]):
        raise Wrong(f"[[8, 9], [-5, -6]] is wanted; it is {found.tolist()}.")
    low = tensor(ask(masked_max, vectors - 1e5, torch.tensor([[0, 5, 0], [0, 0, 6]])), "masked_max", (2, 2))
    if not near(low, [[-100003.0, -100004.0], [-99993.0, -99993.0]], 0.1):
        raise Wrong("Very small numbers lose against what stands at the padding: what is smaller than every number?")


def slopes(solution: dict[str, Any]) -> None:
    table_gradient = solution["table_gradient"]
    upstream = torch.tensor([[[0.3, 1.0], [-0.1, 2.0], [5.0, 5.0]], [[10.0, 20.0], [0.5, 0.25], [9.0, 9.0]]])
    ids = torch.tensor([[3, 3, 0], [1, 3, 0]])
    found = tensor(ask(table_gradient, upstream, ids, 5), "table_gradient(upstream, ids, 5)", (5, 2), "a row a number")
    if found[0].abs().max().item() > 0:
        raise Wrong("Row 0 is the padding's: it must not learn.")
    if near(found[3], [0.5, 0.25]):
        raise Wrong("Token 3 stands at three places, and only the last one counts: its row gets the sum of all.")
    if near(found[3], [0.2, 3.0]):
        raise Wrong("Token 3 stands in both texts: sum over the texts too.")
    if near(found[3], [0.7 / 3, 3.25 / 3]):
        raise Wrong("The sum over the places is wanted, not their mean.")
    if not near(found, [[0, 0], [10, 20], [0, 0], [0.7, 3.25], [0, 0]], 1e-5):
        raise Wrong(f"[[0, 0], [10, 20], [0, 0], [0.7, 3.25], [0, 0]] is wanted; it is {found.tolist()}.")
    drawn = torch.Generator().manual_seed(1)
    upstream, ids = torch.randn(2, 7, 3, generator=drawn), torch.randint(0, 4, (2, 7), generator=drawn)
    wanted = torch.zeros(4, 3)
    for place, number in enumerate(ids.reshape(-1).tolist()):
        wanted[number] += upstream.reshape(-1, 3)[place] * (number != 0)
    if not near(table_gradient(upstream, ids, 4), wanted):
        raise Wrong("For other sizes it is wrong: take them from upstream, ids and size.")


CHECKS = {"vocabulary, padding, mean": first, "the maximum over the words": largest, "the table's gradient": slopes}
BY_HAND = {"the table's gradient": (*AUTOGRAD, "embedding")}
