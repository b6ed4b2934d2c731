"""Checks exercise 1."""

import ast
import inspect
import textwrap
from typing import Any

from curriculum.check import Wrong, near, parts, tensor
from curriculum.engine import torch


def _standardize(solution: dict[str, Any]) -> None:
    rows = [[1.0, 10.0, 3.0], [2.0, 30.0, 3.0], [6.0, 20.0, 3.0], [7.0, 80.0, 3.0]]
    x = torch.tensor(rows)
    found = solution["standardize"](x)
    if x.tolist() != rows:
        raise Wrong("x itself was changed: `x -= ...` writes into it, `x - ...` makes a new tensor.")
    tensor(found, "The result", tuple(x.shape), "that of x.")
    if torch.isnan(found[:, 2]).any():
        raise Wrong("The column of equal numbers gave NaN, which is 0 / 0: divide by 1 where the deviation is 0.")
    mean = found.mean(dim=0)
    if not near(mean, torch.zeros(3), 1e-5):
        raise Wrong(f"The columns' means are {mean.tolist()}, not 0: take the mean over dim=0, down the rows.")
    deviation = (found[:, :2] ** 2).mean(dim=0).sqrt()
    if near(deviation, torch.full((2,), (3 / 4) ** 0.5)):
        raise Wrong("You divided by the number of rows minus 1 (that is what .std() does unless told): use the mean.")
    if not near(deviation, torch.ones(2)):
        raise Wrong(f"The first two columns' deviations are {deviation.tolist()}, not 1.")
    if not near(found[:, 2], torch.zeros(4), 1e-6):
        raise Wrong("The column of equal numbers is not 0.")
    centred = x - x.mean(dim=0)
    wanted = centred[:, :2] / (centred[:, :2] ** 2).mean(dim=0).sqrt()
    if not near(found[:, :2], wanted):
        raise Wrong("Mean and deviation are right, the numbers are not: the order of the rows and the signs must stay.")

    small = torch.tensor([[1e-4, 5.0], [2e-4, 6.0], [3e-4, 7.0]])
    deviation = (solution["standardize"](small) ** 2).mean(dim=0).sqrt()
    if not near(deviation, torch.ones(2), 1e-2):
        raise Wrong(
            f"A column of small numbers (1e-4, 2e-4, 3e-4) gets the deviation {deviation[0].item():.3f}, not 1: divide by the "
            "deviation itself, and by 1 only where it is 0."
        )
    tree = ast.parse(textwrap.dedent(inspect.getsource(solution["standardize"])))
    if any(isinstance(node, ast.For | ast.While | ast.ListComp | ast.GeneratorExp) for node in ast.walk(tree)):
        raise Wrong("The numbers are right. Now without a loop: operations over dim=0 work on all columns at once.")


def _predictions(solution: dict[str, Any]) -> None:
    found = parts(solution["predictions"](), "predictions", "1, 2, 3, 4, 5, 6")
    a = torch.arange(12).view(3, 4)
    wanted: list[Any] = [tuple(a.sum(dim=0).shape), tuple((a @ a.T).unsqueeze(1).shape)]
    wanted += [a[1:, ::2].sum().item(), a.T.reshape(12)[4].item()]
    b = a.T
    b[3, 0] = 50
    wanted.append(a.max().item())
    a = torch.arange(12).view(3, 4)
    c = a[a > 6]
    c[0] = 50
    wanted.append(a.max().item())
    hints = (
        "dim names what disappears.",
        "(3, 4) times (4, 3), and then a dimension of size 1 at place 1.",
        "Which rows does 1: take, and which columns ::2? Write the table down.",
        "Write the transposed table down, and read its rows one after another, from place 0 on.",
        "Is a.T a view or a copy? Then b[3, 0] is which number of a?",
        "Can a rule of start and steps describe what a mask picks? If not, is c a view or a copy?",
    )
    for number, (answer, right, hint) in enumerate(zip(found, wanted, hints, strict=True), start=1):
        if isinstance(answer, bool) or type(answer) is not type(right):
            kind = "a tuple" if isinstance(right, tuple) else "a whole number"
            raise Wrong(f"Answer {number} is a {type(answer).__name__}, wanted is {kind}.")
        if answer != right:
            raise Wrong(f"Answer {number} is not {answer}. {hint}")


def _framed(solution: dict[str, Any]) -> None:
    framed = solution["framed"]
    for n, ink in ((2, 16.0), (3, 5.0)):
        pictures = torch.arange(64.0 * n).reshape(n, 8, 8)
        kept = pictures.clone()
        found = tensor(framed(pictures, ink), "The result", (n, 8, 8), "that of the pictures.")
        wanted = torch.full((n, 8, 8), ink)
        wanted[:, 1:7, 1:7] = kept[:, 1:7, 1:7]
        if not torch.equal(pictures, kept):
            raise Wrong(
                "The caller's own pictures have a frame now. Is `result` a second block of numbers, or a second way of reading the first?"
            )
        if not near(found, wanted):
            raise Wrong(
                "The frame, or what is inside it, is not right: rows and columns 0 and 7 hold ink, the rest is as it was."
            )
        found[:] = -1
        if not torch.equal(pictures, kept):
            raise Wrong("The result still shares its numbers with the caller's pictures.")
    turned = torch.arange(128.0).reshape(8, 8, 2).permute(2, 0, 1)  # a view whose numbers do not lie in order
    kept = turned.clone()
    framed(turned, 1.0)
    if not torch.equal(turned, kept):
        raise Wrong("Pictures that are themselves a view, from permute, are changed.")


CHECKS = {"columns of like size": _standardize, "six predictions": _predictions, "a frame": _framed}
