"""Checks exercise 1."""

import ast
import inspect
import textwrap
from typing import Any

from curriculum.check import Wrong, near, tensor
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
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
