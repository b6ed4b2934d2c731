"""Checks exercise 15."""

from typing import Any

from curriculum.check import Wrong, ask, near, number, parts, tensor
from curriculum.engine import torch


def check_step(solution: dict[str, Any]) -> None:
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


def _kept(before: dict[str, list[float]], now: dict[str, Any], what: str) -> None:
    if {name: w.tolist() for name, w in now.items()} != before:
        raise Wrong(f"{what} that came in changed: a pure function makes new ones.")
    if any(w.requires_grad or w.grad is not None for w in now.values()):
        raise Wrong(f"{what} that came in require a gradient now, or hold one: differentiate copies.")


def check_momentum(solution: dict[str, Any]) -> None:
    weights = {"a": torch.tensor([1.0, -2.0]), "b": torch.tensor(0.5)}
    speed = {"a": torch.tensor([0.4, 0.2]), "b": torch.tensor(-1.0)}
    old, old_speed = ({name: w.tolist() for name, w in part.items()} for part in (weights, speed))
    for lr, momentum in ((0.2, 0.9), (0.5, 0.0), (0.02, 0.5)):
        answer = solution["momentum_step"](lambda w: (w["a"] ** 2).sum() * w["b"], weights, speed, lr, momentum)
        loss, new, faster = parts(answer, "momentum_step", "the loss, the new weights, the new speed")
        _kept(old, weights, "The weights")
        _kept(old_speed, speed, "The speeds")
        if abs(float(loss) - 2.5) > 1e-5:
            raise Wrong(f"The loss is {float(loss):.4f}, wanted is 2.5, that of the weights that came in.")
        gradient = {"a": torch.tensor([1.0, -2.0]), "b": torch.tensor(5.0)}
        for what, found in (("weights", new), ("speed", faster)):
            if not isinstance(found, dict) or found.keys() != weights.keys():
                raise Wrong(f"The new {what} must be a dictionary with the names that came in: {sorted(weights)}.")
        for name, g in gradient.items():
            quick = momentum * speed[name] + g
            got, moved = (
                tensor(part[name], f"The new {what} {name!r}", tuple(g.shape))
                for what, part in (("speed", faster), ("weight", new))
            )
            if got.requires_grad or moved.requires_grad:
                raise Wrong(f"What comes out for {name!r} hangs on the graph of this step: detach it.")
            if near(got, momentum * speed[name] + (1 - momentum) * g) and momentum:
                raise Wrong("The speed is no mean: the gradient is added to it whole.")
            if near(got, momentum * speed[name] + lr * g):
                raise Wrong("The learning rate acts on the step, not on what the speed gains.")
            if not near(got, quick, 1e-5):
                raise Wrong(
                    f"The new speed of {name!r} is {got.tolist()}, wanted is {quick.tolist()}: momentum * speed + gradient."
                )
            if near(moved, weights[name] - lr * g) and momentum:
                raise Wrong("The weights move against the new speed, not against the gradient alone.")
            if near(moved, weights[name] - lr * speed[name]):
                raise Wrong("The weights move against the new speed; you took the old one.")
            if not near(moved, weights[name] - lr * quick, 1e-5):
                raise Wrong(
                    f"The new weight {name!r} is {moved.tolist()}, wanted is {(weights[name] - lr * quick).tolist()}."
                )


def check_gradient(solution: dict[str, Any]) -> None:
    transformed = ask(solution["value_and_grad"], lambda w, x: ((w["a"] * x) ** 2).sum())
    if not callable(transformed):
        raise Wrong("value_and_grad must return a function.")
    x = torch.tensor([1.0, 2.0])
    first, second = {"a": torch.tensor([1.0, 1.0])}, {"a": torch.tensor([2.0, -1.0])}
    kept = []
    for number_, (weights, wanted) in enumerate(((first, [2.0, 8.0]), (first, [2.0, 8.0]), (second, [4.0, -8.0]))):
        before = {name: w.tolist() for name, w in weights.items()}
        loss, gradient = parts(transformed(weights, x), "The function that is returned", "the loss, the gradient")
        _kept(before, weights, "The weights")
        if not isinstance(gradient, dict) or gradient.keys() != weights.keys():
            raise Wrong("The gradient must be a dictionary like the weights.")
        slope = tensor(gradient["a"], "The gradient", (2,))
        right = ((weights["a"] * x) ** 2).sum().item()
        told = ("At the first call", "At a second call with the same weights", "At a call with other weights")[number_]
        if abs(number(loss, "The loss") - right) > 1e-5:
            raise Wrong(
                f"{told} the loss is {loss:.3f}, wanted is {right:.3f}. What does the function keep from call to call?"
            )
        if not near(slope, torch.tensor(wanted)):
            raise Wrong(
                f"{told} the gradient is {slope.tolist()}, wanted is {wanted}. What does the function keep from call to call?"
            )
        kept.append((slope, wanted))
    if any(not near(slope, torch.tensor(wanted)) for slope, wanted in kept):
        raise Wrong("A gradient that was returned changed at a later call.")
    other = ask(solution["value_and_grad"], lambda w: w["p"] * w["q"] ** 2)
    loss, gradient = other({"p": torch.tensor(3.0), "q": torch.tensor(2.0)})
    if (
        abs(loss - 12) > 1e-5
        or not near(gradient["p"], torch.tensor(4.0))
        or not near(gradient["q"], torch.tensor(12.0))
    ):
        raise Wrong("With two weights, and no other argument, loss and gradient are wrong.")


CHECKS = {"the step": check_step, "the step with momentum": check_momentum, "the transformation": check_gradient}
