"""Checks exercise 22."""

from typing import Any

from curriculum.check import Wrong
from curriculum.engine import torch

nn = torch.nn


def check(solution: dict[str, Any]) -> None:
    freeze, new_head = solution["freeze"], solution["new_head"]
    torch.manual_seed(1)

    model = nn.Sequential(*[nn.Linear(3, 3) for _ in range(12)])
    found = freeze(model, ["1", "6"])
    on = {name for name, p in model.named_parameters() if p.requires_grad}
    wanted = {"1.weight", "1.bias", "6.weight", "6.bias"}
    if on == {name for name, _ in model.named_parameters()}:
        raise Wrong("Nothing is frozen: set parameter.requires_grad to False (no underscore, no call).")
    if not on & wanted and on:
        raise Wrong("It is the other way round: the layers that are named are to be trained, the others frozen.")
    if on - wanted:
        raise Wrong(
            f"{min(on - wanted)} is trained though only layers 1 and 6 were named: compare the whole layer name."
        )
    if on != wanted:
        raise Wrong(f"Layers 1 and 6 must be trained, weight and bias; trained are {sorted(on) or 'none'}.")
    if found is None or {id(p) for p in found} != {id(p) for name, p in model.named_parameters() if name in wanted}:
        raise Wrong("Return the list of those parameters that are trained, and no others: the optimizer gets it.")
    freeze(model, ["0"])
    if not model[0].weight.requires_grad:
        raise Wrong("Layer 0 was frozen before and is to be trained now: set requires_grad for every parameter.")

    other = new_head(model, 7)
    if not isinstance(other, nn.Sequential) or len(other) != len(model):
        raise Wrong("The new model must be an nn.Sequential with as many layers as the old one.")
    if (other[-1].in_features, other[-1].out_features) != (3, 7):
        raise Wrong("The last layer must take what the old one took (in_features) and have one output for each class.")
    if any(a is not b for a, b in zip(list(other)[:-1], list(model)[:-1], strict=True)):
        raise Wrong("The other layers must be the old ones themselves: what they learned is what is transferred.")
    if model[-1].out_features != 3:
        raise Wrong("The old model was changed: make a new nn.Sequential.")
