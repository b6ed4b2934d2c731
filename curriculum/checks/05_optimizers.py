"""Checks exercise 5."""

from typing import Any

from curriculum.check import Wrong
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    def walk(steps: int, sign: float = -1.0, correct: bool = True, square: bool = True) -> float:
        w, m, s = 1.0, 0.0, 0.0
        for t in range(1, steps + 1):
            g = 2.0 * t
            m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * (g * g if square else g)
            a, b = (1 - 0.9**t, 1 - 0.999**t) if correct else (1.0, 1.0)
            w += sign * 0.1 * (m / a) / ((s / b) ** 0.5 + 1e-8)
        return w

    w, m, s = torch.tensor([1.0]), torch.zeros(1), torch.zeros(1)
    for t in range(1, 4):
        w, m, s = solution["adam_step"](w, torch.tensor([2.0 * t]), m, s, t)
    found = w.item()
    if abs(found - walk(3, sign=1.0)) < 1e-4:
        raise Wrong("The weight walks uphill: subtract the step.")
    if abs(found - walk(3, correct=False)) < 1e-4:
        raise Wrong("The first steps are wrong: m and s start at zero; divide by 1 - 0.9**t and 1 - 0.999**t.")
    if abs(found - walk(3, square=False)) < 1e-4:
        raise Wrong("s must be the running mean of the squared gradient, g**2.")
    if abs(found - walk(3)) > 1e-4:
        raise Wrong(f"After three steps the weight is {found:.5f}, wanted is {walk(3):.5f}.")
