"""Checks exercise 15."""

from typing import Any

from curriculum.check import Wrong, ask, number, parts, tensor
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    x, y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 3.0, 5.0])

    def loss_of(weights: dict[str, Any]) -> Any:
        return ((weights["slope"] * x + weights["offset"] - y) ** 2).mean()

    weights = {"slope": torch.tensor(0.5), "offset": torch.tensor(-1.0)}
    first, before = dict(weights), {name: w.item() for name, w in weights.items()}
    loss, new = parts(solution["sgd_step"](loss_of, weights, 0.1), "sgd_step", "the loss, the new weights")
    if not isinstance(new, dict):
        raise Wrong(f"The new weights are a {type(new).__name__}, wanted is a dictionary like the one that came in.")
    if not isinstance(loss, torch.Tensor) or loss.numel() != 1:
        number(loss, "The loss")
    elif loss.requires_grad:
        raise Wrong("The loss that is returned hangs on the graph: return its number, loss.item().")
    if weights.keys() != first.keys() or any(weights[name] is not w for name, w in first.items()):
        raise Wrong("The dictionary that came in was changed: return a new one.")
    if any(w.item() != before[name] for name, w in weights.items()):
        raise Wrong("A tensor that came in was changed in place: compute w - lr * g, which is new.")
    if any(w.requires_grad or w.grad is not None for w in weights.values()):
        raise Wrong("A tensor that came in requires a gradient now, or holds one: differentiate copies.")
    if abs(float(loss) - loss_of(weights).item()) > 1e-5:
        raise Wrong(
            f"The loss is {float(loss):.4f}, wanted is {loss_of(weights).item():.4f}, that of the weights that came in."
        )
    error = weights["slope"] * x + weights["offset"] - y
    wanted = {"slope": 0.5 - 0.1 * 2 * (error * x).mean().item(), "offset": -1.0 - 0.1 * 2 * error.mean().item()}
    for name, value in wanted.items():
        if name not in new:
            raise Wrong(f"The new weights lack {name!r}.")
        tensor(new[name], f"The new {name}", ())
        if abs(new[name].item() - (2 * before[name] - value)) < 1e-5:
            raise Wrong("The step goes uphill: subtract the gradient.")
        if abs(new[name].item() - value) > 1e-5:
            raise Wrong(f"The new {name} is {new[name].item():.4f}, wanted is {value:.4f}: w - lr * gradient.")
        if new[name].requires_grad:
            raise Wrong("The new weights hang on the graph of this step: detach them, or every step's graph is kept.")
    if new.keys() != weights.keys():
        raise Wrong(f"The new weights are called {sorted(new)}, wanted is {sorted(weights)}.")
    if abs(solution["sgd_step"](loss_of, weights, 0.0)[1]["slope"].item() - 0.5) > 1e-6:
        raise Wrong("With lr = 0 the weights must stay: take the lr that the call gives.")
    other = {"factor": torch.tensor([2.0, -1.0])}
    _, moved = ask(solution["sgd_step"], lambda w: (w["factor"] ** 3).sum(), other, 0.5)
    if moved["factor"].tolist() != [-4.0, -2.5]:
        raise Wrong(
            "With other weights, of other names and shapes, the step is wrong: go through the dictionary that comes in."
        )
    _, again = solution["sgd_step"](loss_of, weights, 0.1)
    if any(again[name].item() != new[name].item() for name in new):
        raise Wrong("The same input gave another answer the second time: a pure function keeps nothing.")
