"""Checks the exercises, and says what the mistake probably is."""

import runpy
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .catalog import HERE, Lesson


class Wrong(Exception):
    """The exercise is not solved; the text is a hint."""


def _one_weight(solution: dict[str, Any]) -> None:
    from .engine import torch

    fit_line = solution["fit_line"]
    xs = torch.linspace(-1.0, 1.0, 21)
    ys = 2.0 * xs + 1.0

    def close(values: tuple[float, ...], wanted: tuple[float, ...]) -> bool:
        return all(abs(a - b) < 1e-4 for a, b in zip(values, wanted, strict=True))

    def fitted(steps: int) -> tuple[float, float]:
        found = fit_line(xs, ys, lr=0.1, steps=steps)
        if not isinstance(found, tuple) or len(found) != 2:
            raise Wrong("fit_line must return two tensors, (w, b).")
        return float(found[0]), float(found[1])

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


def _the_graph(solution: dict[str, Any]) -> None:
    Number, backward = solution["Number"], solution["backward"]

    product = Number(3) * Number(5)
    if not isinstance(product, Number) or product.value != 15:
        raise Wrong("Number(3) * Number(5) must be a Number with the value 15.")

    x, y = Number(3), Number(5)
    backward(x * y)
    if (x.grad, y.grad) == (3, 5):
        raise Wrong("The slopes of the product are exchanged: towards x the slope is y, and towards y it is x.")
    if (x.grad, y.grad) == (0, 0):
        raise Wrong("No gradient arrives: the walk must begin with last.grad = 1, since dc/dc = 1.")
    if (x.grad, y.grad) == (1, 1):
        raise Wrong("The slope is left out: a parent receives slope * number.grad.")
    if (x.grad, y.grad) != (5, 3):
        raise Wrong(f"For 3 * 5 the gradients must be 5 and 3; they are {x.grad} and {y.grad}.")

    x = Number(3)
    backward(x * x)
    if x.grad == 3:
        raise Wrong("For x * x only one of the two paths counts: add to .grad (+=), do not replace it (=).")
    if x.grad != 6:
        raise Wrong(f"For x * x at 3 the gradient must be 6; it is {x.grad}.")

    a = Number(1)
    b = a + a
    backward(b + b)
    if a.grad == 6:
        raise Wrong(
            "For a + a, twice, the gradient is 6 instead of 4: b handed its gradient on before it was complete."
        )
    if a.grad != 4:
        raise Wrong(f"For b = a + a, c = b + b the gradient must be 4; it is {a.grad}. Is each number visited once?")

    y = x = Number(1)
    for _ in range(16):
        y = y + y
    visits = 0

    class Counted(tuple):
        def __iter__(self) -> Any:
            nonlocal visits
            visits += 1
            return super().__iter__()

    node = y
    while node.parents:
        node.parents, node = Counted(node.parents), tuple.__getitem__(node.parents, 0)[0]
    backward(y)
    if x.grad != 2**16:
        raise Wrong(f"For sixteen doublings the gradient must be {2**16}; it is {x.grad}.")
    if visits > 1000:
        raise Wrong(
            "The walk takes every path, and there are 2^16 of them: visit each number once (remember which were seen)."
        )


def _digits(solution: dict[str, Any]) -> None:
    from .engine import torch

    cross_entropy = solution["cross_entropy"]
    logits = torch.tensor([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]], requires_grad=True)
    target = torch.tensor([1, 0])
    wanted = torch.nn.functional.cross_entropy(logits, target).item()
    found = cross_entropy(logits, target)
    if found is None or tuple(found.shape) != ():
        raise Wrong("The loss must be one number: a tensor of shape (), the mean over the batch.")

    def near(factor: float) -> bool:
        return bool(abs(found.item() - factor * wanted) < 1e-5)

    if near(2.0):
        raise Wrong("The loss is as many times too large as the batch has rows: take the mean, not the sum.")
    if near(-1.0):
        raise Wrong("The sign is wrong: the loss is minus the logarithm of the probability.")
    if not near(1.0):
        raise Wrong(
            f"For logits {logits.tolist()} and target {target.tolist()} the loss must be {wanted:.6f}; it is {found.item():.6f}. "
            "Take the softmax over the classes, dim=1, and the entry at the target of each row."
        )

    large = cross_entropy(torch.tensor([[1000.0, 0.0], [-1000.0, 0.0]]), torch.tensor([0, 0])).item()
    if not abs(large - 500.0) < 1e-3:
        raise Wrong(
            f"With logits of 1000 the loss must be 500; it is {large}. exp(1000) is infinite and log(0) minus infinity: "
            "subtract each row's largest logit first, and take the logarithm of the sum only."
        )

    if not found.requires_grad:
        raise Wrong("The loss has no graph: stay with torch's operations, without .item(), .numpy() or no_grad().")
    found.backward()
    p = torch.softmax(logits.detach(), dim=1)
    p[torch.arange(2), target] -= 1
    if (logits.grad - p / 2).abs().max().item() > 1e-5:
        raise Wrong("The loss is right but its gradient is not (softmax minus one at the target, over the batch size).")


CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "01_one_weight": _one_weight,
    "02_the_graph": _the_graph,
    "03_digits": _digits,
}


def check(lesson: Lesson, path: Path | None = None) -> tuple[bool, str]:
    """Whether the exercise is solved, and a line that says so or a hint."""
    path = path or HERE / "exercises" / lesson.path.name
    if not path.is_file():
        raise SystemExit(f"There is no file {path}.")
    try:
        CHECKS[lesson.name](runpy.run_path(str(path)))
    except Wrong as hint:
        return False, f"Exercise {lesson.number}: not yet. {hint}"
    except NotImplementedError as error:
        return False, f"Exercise {lesson.number}: nothing written yet in {path} ({error})."
    except KeyError as error:
        return False, f"Exercise {lesson.number}: {error} was not found. Keep the names that the exercise gives."
    except Exception as error:
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        where = f", line {own[-1].lineno}: {own[-1].line}" if own else ""
        advice = _hint(error)
        return False, f"Exercise {lesson.number}: {type(error).__name__} in {path.name}{where}\n{error}{advice}"
    return True, f"Exercise {lesson.number}: solved."


def _hint(error: Exception) -> str:
    if "leaf" in str(error) and "in-place" in str(error):
        return "\nThe update is no part of the formula: write it inside `with torch.no_grad():`."
    if isinstance(error, TypeError) and "NoneType" in str(error):
        return "\nA gradient is None: it appears with backward(), and assigning w = w - ... makes a new tensor without one."
    return ""
