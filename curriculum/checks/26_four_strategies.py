"""Checks exercise 26."""

from typing import Any

from curriculum.check import Wrong
from curriculum.engine import torch

nn = torch.nn


def check(solution: dict[str, Any]) -> None:
    load_matching, rank = solution["load_matching"], solution["rank"]
    torch.manual_seed(1)
    source = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 5), nn.Linear(5, 2))
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 7))
    head = model[1].weight.detach().clone()
    try:
        left = load_matching(model, source.state_dict())
    except NotImplementedError:
        raise
    except (RuntimeError, KeyError) as error:
        raise Wrong(f"An entry of another name or shape must be passed over, not loaded ({str(error)[:90]}).") from None
    if (model[0].weight - source[0].weight).abs().max().item() > 0:
        raise Wrong("Layer 0 has the same names and shapes in both, and was not loaded.")
    if (model[1].weight - head).abs().max().item() > 0:
        raise Wrong("Layer 1 has another shape: it must stay as it was.")
    if left != ["1.bias", "1.weight"]:
        raise Wrong(f"The entries of the model that were not loaded are ['1.bias', '1.weight']; returned was {left}.")

    films = ["b", "a", "b", "a", "c", "b"]
    answer = list(rank(films, [0.9, 0.6, 0.4, 0.7, 1.0, 0.5], 2))
    if "c" in answer:
        raise Wrong("Film c has one review only, and 2 are wanted at least: leave it out.")
    if answer == ["b", "a"]:
        raise Wrong("a has the mean 0.65, b 0.6: the best mean comes first, not the largest sum or the worst film.")
    if answer != ["a", "b"]:
        raise Wrong(f"['a', 'b'] is wanted; it is {answer}.")
    if list(rank(["a", "b"], [0.1, 0.2], 1)) != ["b", "a"]:
        raise Wrong("With one review each, and 1 wanted at least, both films count.")
