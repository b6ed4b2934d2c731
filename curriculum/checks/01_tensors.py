"""Checks exercise 1."""

from typing import Any

from curriculum.check import Wrong
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    rows = [[1.0, 10.0, 3.0], [2.0, 30.0, 3.0], [6.0, 20.0, 3.0], [7.0, 80.0, 3.0]]
    x = torch.tensor(rows)
    found = solution["standardize"](x)
    if x.tolist() != rows:
        raise Wrong("x itself was changed: `x -= ...` writes into it, `x - ...` makes a new tensor.")
    if getattr(found, "shape", None) != x.shape:
        raise Wrong(
            f"The result has shape {tuple(getattr(found, 'shape', ()))}, wanted is that of x, {tuple(x.shape)}."
        )
    if torch.isnan(found[:, 2]).any():
        raise Wrong("The column of equal numbers gave NaN, which is 0 / 0: divide by 1 where the deviation is 0.")
    mean = found.mean(dim=0)
    if mean.abs().max().item() > 1e-5:
        raise Wrong(f"The columns' means are {mean.tolist()}, not 0: take the mean over dim=0, down the rows.")
    deviation = (found[:, :2] ** 2).mean(dim=0).sqrt()
    if (deviation - (3 / 4) ** 0.5).abs().max().item() < 1e-4:
        raise Wrong("You divided by the number of rows minus 1 (that is what .std() does unless told): use the mean.")
    if (deviation - 1).abs().max().item() > 1e-4:
        raise Wrong(f"The first two columns' deviations are {deviation.tolist()}, not 1.")
    if found[:, 2].abs().max().item() > 1e-6:
        raise Wrong("The column of equal numbers is not 0.")
