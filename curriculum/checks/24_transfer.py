"""Checks exercises 24."""

from typing import Any

from curriculum.check import Wrong, ask, near
from curriculum.engine import torch

nn = torch.nn


def _freeze(solution: dict[str, Any]) -> None:
    freeze = solution["freeze"]
    torch.manual_seed(1)

    model = nn.Sequential(*[nn.Linear(3, 3) for _ in range(12)])
    start = [p.detach().clone() for p in model.parameters()]
    found = freeze(model, ["1", "6"])
    if any(not near(p, q, 0) for p, q in zip(model.parameters(), start, strict=True)):
        raise Wrong("The weights themselves were changed: only requires_grad is to be set.")
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
    if not isinstance(found, list) or not all(isinstance(p, nn.Parameter) for p in found):
        raise Wrong(
            "Return the list of the parameters that are trained (not their names, no generator, not None): the optimizer gets it."
        )
    if len(found) != 4 or {id(p) for p in found} != {id(p) for name, p in model.named_parameters() if name in wanted}:
        raise Wrong("Return the list of those parameters that are trained, and no others: the optimizer gets it.")
    freeze(model, ["0"])
    if not model[0].weight.requires_grad:
        raise Wrong("Layer 0 was frozen before and is to be trained now: set requires_grad for every parameter.")
    if model[1].weight.requires_grad:
        raise Wrong("Layer 1 was trained before and is no longer named: it must be frozen now.")
    freeze(model, ["11"])
    if not model[11].bias.requires_grad or model[1].bias.requires_grad:
        raise Wrong("Of the layers 1 and 11 only 11 was named: compare the whole layer name.")
    nested = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), nn.Linear(2, 2))
    if {id(p) for p in freeze(nested, ["0.1"])} != {id(p) for p in nested[0][1].parameters()}:
        raise Wrong(
            'A layer inside another one, "0.1", is named by the whole way to it: its parameters begin with "0.1.".'
        )
    if freeze(model, []) != [] or any(p.requires_grad for p in model.parameters()):
        raise Wrong("With no layer named everything is frozen, and the list is empty.")


def _head(solution: dict[str, Any]) -> None:
    new_head = solution["new_head"]
    torch.manual_seed(1)
    model = nn.Sequential(*[nn.Linear(3, 3) for _ in range(12)])
    other = new_head(model, 7)
    if not isinstance(other, nn.Sequential) or len(other) != len(model):
        raise Wrong("The new model must be an nn.Sequential with as many layers as the old one.")
    if not isinstance(other[-1], nn.Linear) or other[-1] is model[-1]:
        raise Wrong("The last layer must be a fresh nn.Linear.")
    if (other[-1].in_features, other[-1].out_features) != (3, 7):
        raise Wrong("The last layer must take what the old one took (in_features) and have one output for each class.")
    if any(a is not b for a, b in zip(list(other)[:-1], list(model)[:-1], strict=True)):
        raise Wrong("The other layers must be the old ones themselves: what they learned is what is transferred.")
    if model[-1].out_features != 3:
        raise Wrong("The old model was changed: make a new nn.Sequential.")
    if other is model or len(model) != 12:
        raise Wrong("The old model was changed: make a new nn.Sequential.")
    if not other[-1].weight.requires_grad:
        raise Wrong("The fresh layer is to be trained: its parameters require a gradient.")
    wide = new_head(nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 4)), 3)
    if (wide[-1].in_features, wide[-1].out_features) != (6, 3) or len(wide) != 3:
        raise Wrong(
            "For Linear(2, 6), ReLU, Linear(6, 4) and 3 classes the last layer is Linear(6, 3), behind the other two."
        )


def _body(solution: dict[str, Any]) -> None:
    torch.manual_seed(6)
    body = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.5), nn.Linear(6, 5))
    x, y = 2 + torch.randn(40, 4), torch.arange(40).remainder(3)
    body(x)  # so that the running mean is not that of the batch
    body[0].eval()  # a mode of its own
    body[4].weight.requires_grad = False
    modes = [module.training for module in body.modules()]
    wished = [p.requires_grad for p in body.parameters()]
    before = {name: value.detach().clone() for name, value in body.state_dict().items()}
    head = nn.Linear(5, 3)
    begin = [p.detach().clone() for p in head.parameters()]
    losses = ask(solution["train_head"], body, head, x, y, 4)  # at the rate that the exercise gives, 0.1
    if not isinstance(losses, list) or len(losses) != 4:
        raise Wrong("train_head returns the list of the losses, one for each step.")
    moved = [name for name, value in body.state_dict().items() if not torch.equal(value, before[name])]
    if any("running" in name or "num_batches" in name for name in moved):
        raise Wrong(
            f"{moved[0]} of the body changed: it is no parameter, so freezing leaves it alone, and every forward pass in training mode "
            "moves it. In which mode does a frozen body belong?"
        )
    if moved:
        raise Wrong(f"{moved[0]} of the body changed.")
    if [p.requires_grad for p in body.parameters()] != wished:
        raise Wrong(
            "Afterwards the body's parameters do not ask for gradients as before: leave requires_grad, or put it back."
        )
    if [module.training for module in body.modules()] != modes:
        raise Wrong(
            "Afterwards some module of the body is in another mode than before: each may have a mode of its own."
        )
    if any(p.grad is not None for p in body.parameters()):
        raise Wrong("The body has gradients: it is frozen, run it under torch.no_grad().")
    reference = nn.Linear(5, 3)
    with torch.no_grad():
        for p, q in zip(reference.parameters(), begin, strict=True):
            p.copy_(q)
    body.eval()
    features = body(x).detach()
    optimizer = torch.optim.SGD(reference.parameters(), lr=0.1)
    wanted = []
    for _ in range(4):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(reference(features), y)
        loss.backward()
        optimizer.step()
        wanted.append(loss.item())
    if not all(abs(a - b) < 1e-4 for a, b in zip(losses, wanted, strict=True)):
        raise Wrong(
            f"The losses are {[round(v, 4) for v in losses]}, wanted are {[round(v, 4) for v in wanted]}: the head sees what the body "
            "answers in evaluation, without dropout and by the running mean."
        )
    if not all(near(p, q) for p, q in zip(head.parameters(), reference.parameters(), strict=True)):
        raise Wrong("The losses are right, the head's weights are not: it takes a step of gradient descent for each.")
    still = [p.detach().clone() for p in head.parameters()]
    solution["train_head"](body, head, x, y, 2, lr=0.0)
    if not all(near(p, q, 0) for p, q in zip(head.parameters(), still, strict=True)):
        raise Wrong("With lr=0 the head moves: the rate that is given is not the one that is used.")


CHECKS = {"freezing": _freeze, "a new head": _head, "the planted bug": _body}
