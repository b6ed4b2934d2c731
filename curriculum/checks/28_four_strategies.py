"""Checks exercise 28."""

from typing import Any

from curriculum.check import Wrong, near
from curriculum.engine import torch

nn = torch.nn


def check(solution: dict[str, Any]) -> None:
    load_matching, rank = solution["load_matching"], solution["rank"]
    torch.manual_seed(1)
    source = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 5), nn.Linear(5, 2))
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 7))
    head, bias = model[1].weight.detach().clone(), model[1].bias.detach().clone()
    given = source.state_dict()
    try:
        left = load_matching(model, given)
    except NotImplementedError:
        raise
    except (RuntimeError, KeyError) as error:
        raise Wrong(f"An entry of another name or shape must be passed over, not loaded ({str(error)[:90]}).") from None
    if not near(model[0].weight, source[0].weight, 0) or not near(model[0].bias, source[0].bias, 0):
        raise Wrong("Layer 0 has the same names and shapes in both, and was not loaded.")
    if not near(model[1].weight, head, 0) or not near(model[1].bias, bias, 0):
        raise Wrong("Layer 1 has another shape: it must stay as it was.")
    if list(given) != list(source.state_dict()):
        raise Wrong("The weights that came in were changed: leave their dictionary as it is.")
    if isinstance(left, set | tuple):
        raise Wrong(f"A sorted list of names is wanted, not a {type(left).__name__}.")
    with torch.no_grad():
        source[0].weight += 1
    if near(model[0].weight, source[0].weight):
        raise Wrong("The model shares its weights with the source now: copy the numbers (load_state_dict does).")
    if left != ["1.bias", "1.weight"]:
        raise Wrong(f"The entries of the model that were not loaded are ['1.bias', '1.weight']; returned was {left}.")

    twin, normed = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    normed[1].running_mean.fill_(3.0)
    if load_matching(twin, normed.state_dict()) != []:
        raise Wrong("Where all names and shapes agree nothing is left: the list is empty.")
    if twin[1].running_mean.tolist() != [3.0, 3.0]:
        raise Wrong(
            "Buffers (running_mean) belong to the model's entries too: go through state_dict(), not named_parameters()."
        )
    turned = nn.Sequential(nn.Linear(4, 3))
    if load_matching(turned, {"0.weight": torch.zeros(4, 3), "1.weight": torch.zeros(3, 4)}) != ["0.bias", "0.weight"]:
        raise Wrong("(4, 3) is not (3, 4), and another name is another entry: compare name and whole shape.")

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
    if list(rank(["x", "y", "y", "y", "x"], [0.9, 0.2, 0.9, 1.0, 0.4], 2)) != ["y", "x"]:
        raise Wrong(
            "x has the mean 0.65, y 0.7: all of a film's reviews count, not the first, the last or the best one."
        )
    if list(rank(["only"], [0.5], 2)) != []:
        raise Wrong("Where no film has enough reviews the answer is empty.")
