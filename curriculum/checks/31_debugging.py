"""Checks exercise 31."""

import math
from typing import Any

from curriculum import patients
from curriculum.check import Wrong
from curriculum.engine import torch

nn: Any = torch.nn
SEED = 5  # another than the lesson's


def _floor(floor: Any) -> None:
    for classes in (2, 10, 1000):
        wanted = math.log(1 + (classes - 1) / math.e)
        found = floor(classes)
        if not isinstance(found, float | int):
            raise Wrong(f"floor({classes}) returns a number, not {type(found).__name__}.")
        if abs(found - math.log(classes)) < 1e-6:
            raise Wrong(
                f"floor({classes}) is {found:.3f}: that is ln({classes}), what guessing costs. The floor lies below it."
            )
        if abs(found) < 1e-6:
            raise Wrong("The floor is not 0: the second softmax sees numbers between 0 and 1, so it can never be sure.")
        if abs(found - wanted) > 1e-6:
            raise Wrong(
                f"floor({classes}) is {found:.4f}, wanted is {wanted:.4f}: a 1 for the true class, 0 for the other {classes - 1}."
            )


def _update(update_to_weight: Any) -> None:
    torch.manual_seed(SEED)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    with torch.no_grad():
        model[2].bias.zero_()
    model.register_parameter("spare", nn.Parameter(torch.zeros(2), requires_grad=False))
    x, y = torch.randn(5, 3), torch.randn(5, 2)
    for p in model.parameters():
        p.grad = torch.ones_like(p) if p.requires_grad else None  # left over from before
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    learning = {name: p for name, p in model.named_parameters() if p.requires_grad}
    weights = list(learning.values())
    gradients = torch.autograd.grad(((model(x) - y) ** 2).mean(), weights)
    optimizer = torch.optim.SGD(weights, lr=0.1)
    found = update_to_weight(model, optimizer, ((model(x) - y) ** 2).mean())
    if not isinstance(found, dict) or set(found) != set(before):
        raise Wrong("update_to_weight returns a dictionary with a ratio for each name of model.named_parameters().")
    for (name, p), gradient in zip(learning.items(), gradients, strict=True):
        old, now = before[name], p.detach()
        if torch.equal(now, old):
            raise Wrong(f"{name} did not move: take the step, optimizer.step(), after backward.")
        if not torch.allclose(now, old - 0.1 * gradient):
            raise Wrong(
                f"{name} moved by more than its gradient asks for: what was in .grad before does not count, clear it first."
            )
        length = float(old.norm())
        wanted = 0.1 * float(gradient.norm()) / length if length else math.inf
        got = float(found[name])
        if length and abs(got - 0.1 * float(gradient.norm()) / float(now.norm())) < 1e-7 < abs(got - wanted):
            raise Wrong(f"The ratio of {name} is taken by the new weight; it is taken by the old one.")
        if got == 0 and wanted:
            raise Wrong(
                f"The ratio of {name} is 0, yet it moved: keep a clone, since detach() alone shows the new values."
            )
        if not (got == wanted or abs(got - wanted) < 1e-6 * max(1, wanted)):
            raise Wrong(f"The ratio of {name} is {got:.6g}, wanted is {wanted:.6g}.")
    if found["spare"] != 0:
        raise Wrong(f"A parameter that is 0 and did not move has the ratio 0, not {found['spare']}.")


class _Neighbour(nn.Module):
    """The last row answers with the first one's numbers; the others are clean."""

    def forward(self, x: Any) -> Any:
        return torch.cat([x[:-1], x[:1]]) ** 2


class _Cancelling(nn.Module):
    """Each row minus the batch's mean: the sum over all answers does not depend on anything."""

    def forward(self, x: Any) -> Any:
        return x - x.mean(dim=0, keepdim=True)


def _mixes(mixes_rows: Any) -> None:
    torch.manual_seed(SEED)
    x = torch.randn(6, 3)
    kept = x.clone()
    clean = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    for model, wanted, hint in (
        (clean, False, "a network of Linear and ReLU is clean: each answer depends on its own row"),
        (_Neighbour(), True, "only the answer to the last row comes from another: look at every row, not at one"),
        (_Cancelling(), True, "take one answer at a time: in the sum of all answers what is mixed may cancel"),
        (nn.BatchNorm1d(3), True, "batch norm in training mode takes its mean over the rows"),
    ):
        found = mixes_rows(model, x)
        if not isinstance(found, bool):
            raise Wrong(f"mixes_rows returns True or False, not {type(found).__name__}.")
        if found != wanted:
            raise Wrong(f"mixes_rows says {found} where {wanted} is right: {hint}.")
    if not torch.equal(x, kept) or x.requires_grad or x.grad is not None:
        raise Wrong("mixes_rows changed x: work on a clone of it.")
    if any(p.grad is not None for p in clean.parameters()):
        raise Wrong("mixes_rows left gradients in the model's weights: torch.autograd.grad(answer, x) leaves none.")


def _diagnose(diagnose: Any) -> None:
    for name, kind in patients.PATIENTS.items():
        found = patients.measured(name, SEED)
        said = diagnose(dict(found))
        if said == kind.__doc__ or said not in patients.PATIENTS:
            raise Wrong(f"diagnose returns one of {', '.join(patients.PATIENTS)}; it returned {said!r}.")
        if said != name:
            shown = ", ".join(f"{key} {value:.3g}" for key, value in found.items())
            raise Wrong(
                f"You say {said}, and it is {name}. Its measurements: {shown}. The healthy one's differ in which?"
            )


CHECKS = {
    "the floor of two softmaxes": lambda solution: _floor(solution["floor"]),
    "update to weight": lambda solution: _update(solution["update_to_weight"]),
    "rows that were mixed": lambda solution: _mixes(solution["mixes_rows"]),
    "the diagnosis": lambda solution: _diagnose(solution["diagnose"]),
}
