"""Checks exercise 13."""

import math
from typing import Any

import numpy as np

from curriculum.check import Wrong


def check(solution: dict[str, Any]) -> None:
    rng = np.random.default_rng(13)
    level = rng.normal(80, 8, 10)  # seeds differ much; the pairs little
    cases = {
        "A": level + 1 + rng.normal(0, 0.3, 10),
        "B": level - 1 + rng.normal(0, 0.3, 10),
        "open": level + rng.normal(0, 2, 10),
    }
    for verdict, a in cases.items():
        d = a - level
        mean, half = d.mean(), 2.262 * d.std(ddof=1) / math.sqrt(10)
        found = solution["compare"](a.tolist(), level.tolist())
        if not isinstance(found, tuple) or len(found) != 3:
            raise Wrong("compare returns three things: mean, half, verdict.")
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
        if found[2] != verdict:
            raise Wrong(f"The interval is {mean:.2f} ± {half:.2f}, so the verdict is {verdict!r}, not {found[2]!r}.")
