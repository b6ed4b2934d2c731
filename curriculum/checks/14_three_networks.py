"""Checks exercise 14."""

import math
from typing import Any

import numpy as np

from curriculum.check import Wrong, ask, number, parts


def check(solution: dict[str, Any]) -> None:
    rng = np.random.default_rng(13)
    level = rng.normal(80, 8, 10)  # seeds differ much; the pairs little
    cases = [
        ("A", level + 1 + rng.normal(0, 0.3, 10)),
        ("B", level - 1 + rng.normal(0, 0.3, 10)),
        ("open", level + rng.normal(0, 2, 10)),
        ("open", level + np.array([9.0] + 9 * [-0.3])),
        ("open", level + np.array([-9.0] + 9 * [0.2])),
        ("open", level + 0.05 * np.arange(-4, 6)),
        ("A", level + 0.5 + 0.01 * np.arange(10)),
        ("B", level - 0.5 + 0.01 * np.arange(10)),
    ]
    for verdict, a in cases:
        d = a - level
        mean, half = d.mean(), 2.262 * d.std(ddof=1) / math.sqrt(10)
        found = parts(ask(solution["compare"], a.tolist(), level.tolist()), "compare", "mean, half, verdict")
        number(found[0], "mean"), number(found[1], "half")
        if abs(found[0] + mean) < 1e-9:
            raise Wrong("The difference is a - b: above 0 where A is better.")
        if abs(found[0] - mean) > 1e-9:
            raise Wrong(f"The mean difference is {found[0]:.4f}, wanted is {mean:.4f}.")
        if abs(found[1] - 2.262 * math.sqrt(a.var(ddof=1) + level.var(ddof=1)) / math.sqrt(10)) < 1e-6:
            raise Wrong(
                "That is the interval of unpaired samples. Take the deviation of the ten differences: much narrower."
            )
        if abs(found[1] - half * math.sqrt(0.9)) < 1e-9:
            raise Wrong("The deviation of a sample is divided by 9, not by 10: ddof=1.")
        if abs(found[1] - half * math.sqrt(10)) < 1e-6:
            raise Wrong("That is the spread of single differences. The mean of ten varies less: divide by sqrt(10).")
        if abs(found[1] - half) > 1e-9:
            raise Wrong(f"Half the interval's width is {found[1]:.4f}, wanted is {half:.4f}.")
        if not isinstance(found[2], str):
            raise Wrong(f"The verdict is {found[2]!r}; wanted is one of the words 'A', 'B', 'open'.")
        if found[2] != verdict:
            raise Wrong(f"The interval is {mean:.2f} ± {half:.2f}, so the verdict is {verdict!r}, not {found[2]!r}.")
