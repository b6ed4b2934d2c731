"""How far to go along a direction: the line search of L-BFGS.

The strong Wolfe conditions ask of a length t that the loss f has fallen enough, and that the slope has flattened:

    f(t) ≤ f(0) + c₁ t f'(0)      |f'(t)| ≤ -c₂ f'(0)

First t grows until an interval must hold such a length, then the interval is narrowed; new lengths come from the cubic through
both ends. Nocedal & Wright 2006, "Numerical Optimization", algorithms 3.5 and 3.6, with the safeguards of PyTorch's
torch.optim.LBFGS, whose lengths these are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..autograd.variable import Array


class _Point(NamedTuple):
    """A length with the loss there, the gradient, and the slope along the direction."""

    t: Any
    loss: float
    grad: Array
    slope: Any


def strong_wolfe(
    at: Callable[[Any], tuple[float, Array]], t: Any, d: Array, loss: float, grad: Array, slope: Any, *,
    c1: float = 1e-4, c2: float = 0.9, smallest: float = 1e-9, max_evaluations: int = 25,
) -> tuple[float, Array, Any, int]:  # fmt: skip
    """Loss and gradient at the length found, the length, and how often the loss was computed.

    at(t): loss and gradient at the length t along d; loss, grad, slope: at 0.
    """
    start = previous = _Point(0, loss, grad.copy(), slope)
    used = 0

    def point(t: Any) -> _Point:
        nonlocal used
        used += 1
        loss, grad = at(t)
        return _Point(t, loss, grad, grad.dot(d))

    def fallen(p: _Point) -> bool:
        return p.loss <= loss + c1 * p.t * slope

    new = point(t)
    rounds, ends, done = 0, None, False
    while rounds < max_evaluations:
        if not fallen(new) or (rounds > 1 and new.loss >= previous.loss):
            ends = [previous, new]
            break
        if abs(new.slope) <= -c2 * slope:
            ends, done = [new, new], True
            break
        if new.slope >= 0:
            ends = [previous, new]
            break
        bounds = new.t + 0.01 * (new.t - previous.t), new.t * 10
        t = _lowest_of_cubic(previous, new, bounds)
        previous, new = new, point(t)
        rounds += 1
    if ends is None:
        ends = [start, new]

    low = 0 if ends[0].loss <= ends[1].loss else 1
    stuck = False  # the last length was very near an end
    while not done and rounds < max_evaluations:
        first, last = min(e.t for e in ends), max(e.t for e in ends)
        if abs(ends[1].t - ends[0].t) * abs(d).max() < smallest:
            break
        t = _lowest_of_cubic(ends[0], ends[1])
        margin = 0.1 * (last - first)
        if min(last - t, t - first) < margin:
            if stuck or t >= last or t <= first:
                t = last - margin if abs(t - last) < abs(t - first) else first + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        new = point(t)
        rounds += 1
        if not fallen(new) or new.loss >= ends[low].loss:
            ends[1 - low] = new
            low = 0 if ends[0].loss <= ends[1].loss else 1
        else:
            if abs(new.slope) <= -c2 * slope:
                done = True
            elif new.slope * (ends[1 - low].t - ends[low].t) >= 0:
                ends[1 - low] = ends[low]
            ends[low] = new
    best = ends[low]
    return best.loss, best.grad, best.t, used


def _lowest_of_cubic(a: _Point, b: _Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """Where the cubic with both points' losses and slopes is lowest, within bounds (by default between the points)."""
    left, right = bounds if bounds is not None else (min(a.t, b.t), max(a.t, b.t))
    mean = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = mean**2 - a.slope * b.slope
    if not square >= 0:
        return (left + right) / 2.0
    root = np.sqrt(square)
    if a.t > b.t:
        a, b = b, a
    t = b.t - (b.t - a.t) * ((b.slope + root - mean) / (b.slope - a.slope + 2 * root))
    return min(max(t, left), right)
