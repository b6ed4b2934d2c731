"""Checks exercise 2."""

from typing import Any

from curriculum.check import Wrong, ask, parts, tensor
from curriculum.engine import torch

BY_HAND = (
    "SGD",
    "Adam",
    "AdamW",
    "Adagrad",
    "RMSprop",
    "Rprop",
    "ASGD",
    "LBFGS",
    "Adadelta",
    "Adamax",
    "NAdam",
    "RAdam",
    "lstsq",
)


def check(solution: dict[str, Any]) -> None:
    fit_line = solution["fit_line"]
    xs = torch.linspace(-1.0, 1.0, 21)
    ys = 2.0 * xs + 1.0

    def close(values: tuple[float, ...], wanted: tuple[float, ...]) -> bool:
        return all(abs(a - b) < 1e-4 for a, b in zip(values, wanted, strict=True))

    def fitted(steps: int, lr: float = 0.1, targets: Any = ys) -> tuple[float, float]:
        w, b = parts(ask(fit_line, xs, targets, lr=lr, steps=steps), "fit_line", "w, b")
        return tensor(w, "w", ()).item(), tensor(b, "b", ()).item()

    if not close(fitted(0), (0.5, -0.5)):
        raise Wrong("With no steps the weights must be the starting ones, w = 0.5 and b = -0.5.")
    x, y = xs.numpy().astype("float64"), ys.numpy().astype("float64")

    def descend(steps: int, sign: float = -1.0, keep: bool = False, mean: bool = True) -> tuple[float, float]:
        w, b, dw, db = 0.5, -0.5, 0.0, 0.0
        for _ in range(steps):
            error = w * x + b - y
            share = 1 / len(x) if mean else 1.0
            dw = keep * dw + 2 * share * float((error * x).sum())
            db = keep * db + 2 * share * float(error.sum())
            w, b = w + sign * 0.1 * dw, b + sign * 0.1 * db
        return w, b

    one, three = fitted(1), fitted(3)
    if close(one, descend(1, sign=1.0)):
        raise Wrong("The weights walk uphill: the gradient says where the loss grows, so subtract it.")
    if close(one, descend(1, mean=False)):
        raise Wrong(
            "The steps are as many times too long as there are points: take the mean of the squared errors, not the sum."
        )
    if close(one, (0.5, -0.5)):
        raise Wrong(
            "After a step the weights are where they were: change w and b themselves, in place, by lr * gradient."
        )
    if close(one, (descend(1)[0], -0.5)) or close(one, (0.5, descend(1)[1])):
        raise Wrong("Only one of the two weights moves: update both w and b.")
    if close(one, descend(1)) and close(three, descend(3, keep=True)):
        raise Wrong(
            "The first step is right, the later ones are too long: backward() adds to .grad, so clear it after each step."
        )
    if not close(three, descend(3)):
        w, b = descend(3)
        raise Wrong(
            f"After three steps w = {three[0]:.4f} and b = {three[1]:.4f}; wanted are {w:.4f} and {b:.4f}. Compare your loss "
            "with mean((w * x + b - y) ** 2), and your update with w -= lr * w.grad."
        )
    if close(fitted(3, lr=0.02), three):
        raise Wrong("With lr = 0.02 the weights are the same as with 0.1: take the lr that the call gives.")
    if not close(fitted(300, targets=-3.0 * xs + 0.25), (-3.0, 0.25)):
        raise Wrong("It fits y = 2x + 1, and not y = -3x + 0.25: both weights must follow the data that come in.")
    w, b = fit_line(xs, ys)
    if not close((float(w), float(b)), (2.0, 1.0)):
        raise Wrong("Called without lr and steps it must find 2 and 1: keep their defaults, 0.1 and 200.")
    if not close(fitted(3), descend(3)):
        raise Wrong("Called a second time it answers otherwise: begin anew at 0.5 and -0.5 in each call.")
