"""Checks exercise 2."""

import math
from typing import Any

from curriculum.check import AUTOGRAD, Wrong, ask, number, parts, tensor
from curriculum.engine import torch

_OPTIMIZERS = (
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


def _line(solution: dict[str, Any]) -> None:
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


def _nudged(solution: dict[str, Any]) -> None:
    nudged_slope = solution["nudged_slope"]

    def cube(x: float) -> float:
        return x**3

    def inverse(x: float) -> float:
        return 1 / x

    for f, name, x, wanted in (
        (cube, "x³", 1.0, 3.0), (cube, "x³", 1000.0, 3e6), (cube, "x³", -30.0, 2700.0), (inverse, "1/x", 0.001, -1e6),
        (inverse, "1/x", -0.01, -1e4), (math.sin, "sin x", 0.0, 1.0), (math.exp, "eˣ", 0.0, 1.0),
    ):  # fmt: skip
        try:
            found = number(nudged_slope(f, x), "nudged_slope")
        except ZeroDivisionError:
            raise Wrong(
                f"At x = {x:g} your step is 0, and nothing divides by it: choose a step for that case."
            ) from None
        if abs(found - wanted) <= 1e-5 * abs(wanted):
            continue
        said = f"Of {name} at x = {x:g} the slope is {wanted:g}; nudged_slope says {found:.9g}."
        if abs(found + wanted) <= 1e-5 * abs(wanted):
            raise Wrong(f"{said} The sign is wrong: a larger x first.")
        if abs(x) < 1:
            raise Wrong(f"{said} The step is large beside x itself, and f is curved there: what should h depend on?")
        hint = "how many digits do x + h and x - h still have in common, and how many does a float keep?"
        raise Wrong(f"{said} Print f(x + h) and f(x - h): {hint}")


def _steps(solution: dict[str, Any]) -> None:
    for values, lr, share in (
        ((1.0, -1.0), 0.25, 0.25), ((1.0, -1.0), 0.1, 0.01), ((2.0, 0.0, -1.0), 0.05, 0.3), ((1.0, -1.0), 0.9, 0.01),
        ((1.0, 1.0), 0.5, 0.001), ((1.0, -1.0), 0.3, 0.9), ((1.0, -1.0), 1.3, 0.5), ((1.0, -1.0), 1.0, 0.5), ((1.0, -1.0), 1e-6, 1e-6),
    ):  # fmt: skip
        xs = torch.tensor(values)
        found = ask_or_none(solution["steps_needed"], xs, lr, share)
        mean = sum(x * x for x in values) / len(values)
        factor = abs(1 - 2 * lr * mean)
        what = f"For xs = {list(values)}, lr = {lr:g}, share = {share:g}"
        if factor >= 1:
            if found is not None:
                raise Wrong(
                    f"{what} the distance is multiplied by {1 - 2 * lr * mean:g} in each step, so it never shrinks: wanted is None, not {found}."
                )
            continue
        if found is None:
            raise Wrong(
                f"{what} it gets there: the distance is multiplied by {1 - 2 * lr * mean:g} in each step. You return None."
            )
        if isinstance(found, bool) or not isinstance(found, int):
            raise Wrong(f"steps_needed returns a {type(found).__name__}, wanted is a whole number (int) or None.")
        wanted = 1 if factor <= share else math.ceil(round(math.log(share) / math.log(factor), 6))
        if found == wanted or (wanted > 1e6 and abs(found - wanted) < 2000):  # the mean of float32 numbers
            continue
        if found == wanted - 1:
            raise Wrong(f"{what} you stop one step too early: after {found} steps it is not near enough. Round up.")
        if found == wanted + 1:
            raise Wrong(f"{what} you count one step too many: after {wanted} it is near enough.")
        once = abs(1 - lr * mean)
        if 0 < once < 1 and found == math.ceil(round(math.log(share) / math.log(once), 6)):
            raise Wrong(f"{what} {wanted} steps are needed, not {found}: the slope of a square has a factor 2.")
        raise Wrong(
            f"{what} {wanted} steps are needed, not {found}. By what is the distance multiplied in each step? Use the mean of x²."
        )


def ask_or_none(function: Any, *arguments: Any) -> Any:
    """As `ask`, where None is an answer."""
    return ask(lambda *given: (function(*given),), *arguments)[0]


CHECKS = {"a line with two weights": _line, "slopes by nudging": _nudged, "how many steps": _steps}
BY_HAND = {"a line with two weights": _OPTIMIZERS, "slopes by nudging": AUTOGRAD}
