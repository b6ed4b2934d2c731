"""Checks exercises 28."""

from typing import Any

from curriculum.check import Wrong, ask, near, number, parts
from curriculum.engine import torch

nn: Any = torch.nn


def first(solution: dict[str, Any]) -> None:
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


class Blocks(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
    def __init__(self, depth: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(3, 2)
        self.layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(depth))
        self.last = nn.Linear(2, 2)
        self.lastly = nn.Linear(2, 2)


def freezing(solution: dict[str, Any]) -> None:
    train_only = solution["train_only"]
    for depth, blocks in ((2, [1]), (12, [1]), (12, [10, 2]), (3, [])):
        model = Blocks(depth)
        wanted = sorted(
            f"{part}.{kind}" for part in ("last", *(f"layers.{n}" for n in blocks)) for kind in ("bias", "weight")
        )
        named = ask(train_only, model, blocks)
        learns = sorted(name for name, p in model.named_parameters() if p.requires_grad)
        more = [name for name in learns if name not in wanted]
        if "lastly.weight" in more:
            raise Wrong(
                "The model has a layer `lastly` too, which is not the head: a name that begins alike is another name."
            )
        if more:
            raise Wrong(
                f"Of {depth} blocks {blocks} were to learn, and {more[0]} learns too: read the two names side by side."
            )
        if learns != wanted:
            raise Wrong(
                f"Of {depth} blocks {blocks} were to learn, with the head; {sorted(set(wanted) - set(learns))} is frozen."
            )
        if not isinstance(named, list) or named != wanted:
            raise Wrong(f"Returned are to be the names that learn, as a sorted list: {wanted}; it is {named}.")
        train_only(model, list(range(depth)))
        if not all(p.requires_grad for p in model.layers.parameters()):
            raise Wrong("What was frozen by an earlier call must learn again when it is chosen.")


def sureness(solution: dict[str, Any]) -> None:
    paired = solution["paired"]
    a, b = [0.60, 0.70, 0.80], [0.65, 0.76, 0.84]
    mean, error = (
        number(part, "paired") for part in parts(ask(paired, a, b), "paired", "the mean, its standard error")
    )
    if abs(mean + 0.05) < 1e-6:
        raise Wrong("b is above a, so the mean is positive: b less a.")
    if abs(mean - 0.05) > 1e-6:
        raise Wrong(f"b is above a by 0.05, 0.06 and 0.04, 0.05 on average; it is {mean:.4g}.")
    if abs(error - 0.08) < 0.02:
        raise Wrong(
            "That is the error as if both ways had seeds of their own: good and bad seeds lift and lower both alike. Take differences first."
        )
    if abs(error - 0.01) < 1e-6:
        raise Wrong("That is the standard deviation of one difference: of a mean of n it is smaller.")
    if abs(error - 0.01 / 3**0.5) > 1e-6:
        raise Wrong(
            f"The differences are 0.05, 0.06, 0.04: the standard error is 0.01 / √3 = 0.00577; it is {error:.4g}."
        )
    mean, error = paired([0.5, 0.5, 0.5, 0.5], [0.9, 0.5, 0.9, 0.5])
    if abs(mean - 0.2) > 1e-6 or abs(error - (0.16 / 3) ** 0.5 / 2) > 1e-6:
        raise Wrong(f"For differences 0.4, 0, 0.4, 0 it is 0.2 and 0.115; it is {mean:.3g} and {error:.3g}.")


CHECKS = {
    "load what fits, rank films": first,
    "all but the chosen blocks": freezing,
    "how sure a difference is": sureness,
}
