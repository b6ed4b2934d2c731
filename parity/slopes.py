"""Derivatives measured from values, with an error that is known, and kinks told by their jump.

`Curve` is a function of one number t whose value is an array: f(x + t·v). From its values near t = 0 follow

    central     (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h              fourth order
    one-sided   (-5 f(h) + 8 f(2h) - 3 f(3h)) / 2h, likewise with -h     second order, without f(0)

each at several h. The derivative is the one whose neighbours agree best; their difference, with the function's own noise over h,
is its error. A derivative that was given is wrong only where it is farther away than that. Where the two sides differ, the
function has a kink: there every slope between the two is a subgradient, and right. That is asked of each output for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

# Steps, relative to max(1, |x|), from coarse to fine; of float32 only coarse ones leave something of a difference.
STEPS = {
    "float64": (2e-2, 3e-3, 3e-4, 4e-5, 5e-6, 5e-7, 5e-8),
    "float32": (0.2, 0.1, 0.05, 0.025, 0.0125, 0.006),
}
FIRST = {"float64": 3e-4, "float32": 0.05}
CLOSE = {"float64": 1e-6, "float32": 1e-2}  # relative: what is called equal at least
_LIMIT = 20  # a derivative is wrong if it is farther away than this times the error


@dataclass
class Found:
    """What is known of one derivative: whether the given one is right (None: cannot be told), and what was expected."""

    right: bool | None
    got: float
    low: float
    high: float
    error: float = 0.0
    kind: str = "smooth"  # or "kink", "jump", "infinite", "noise", "undefined"

    @property
    def expected(self) -> float:
        return min(max(self.got, self.low), self.high) if np.isfinite(self.got) else (self.low + self.high) / 2

    @property
    def off(self) -> float:
        return abs(self.got - self.expected) if self.got != self.expected else 0.0


@dataclass
class Curve:
    """f(x + t·v) as a function of t. weights: the derivative of sum(weights · f) is asked for."""

    at: Callable[[float], np.ndarray]
    weights: np.ndarray
    dtype: str
    scale: float = 1.0  # of steps: max(1, |x|)
    small: float = 0.0  # |x| where that is far below 1: steps of its size are tried too
    noise: float = 0.0  # of sum(weights · f)
    fine: bool = False  # only small steps: kinks are near

    def sum(self, values: np.ndarray) -> float:
        return float(np.sum(np.where(self.weights == 0.0, 0.0, self.weights * values)))

    def central(self, h: float) -> float:
        f1, f_1, f2, f_2 = (self.at(t) for t in (h, -h, 2 * h, -2 * h))
        return self.sum(8 * (f1 - f_1) - (f2 - f_2)) / (12 * h)

    def steps(self) -> list[float]:
        steps = [h * self.scale for h in STEPS[self.dtype][-4 if self.fine else 0 :]]
        if 0 < self.small < 0.1 and self.dtype == "float64":
            steps += [h * self.small for h in (2e-2, 3e-3, 3e-4, 4e-5)]
        return sorted(set(steps), reverse=True)

    def side(self, sign: int, size: float) -> tuple[np.ndarray, np.ndarray, float, bool]:
        """On one side: derivative and limit of each output, the derivative's error, and whether it grows without bound.

        Of the steps the finest that noise allows: a kink that lies beside the point is none at it. size: of the derivative.
        """
        steps = self.steps()
        fine = [h for h in steps if 3 * self.noise / h <= 1e-3 * size]
        found = []
        for h in fine[-4:] if len(fine) > 3 else steps:
            s = sign * h
            f1, f2, f3 = self.at(s), self.at(2 * s), self.at(3 * s)
            found.append((h, (-5 * f1 + 8 * f2 - 3 * f3) / (2 * s), 3 * f1 - 3 * f2 + f3))
        slopes = [np.where(self.weights == 0, 0.0, d) for _, d, _ in found]

        def gap(i: int, j: int) -> float:
            return float(np.sum(np.abs(self.weights * (slopes[i] - slopes[j]))))

        errors = []
        for i, (h, _, _) in enumerate(found):
            near = [gap(i, j) for j in (i - 1, i + 1) if 0 <= j < len(found)]
            errors.append(max(near) + 3 * self.noise / h)
        errors = [e if np.isfinite(e) else np.inf for e in errors]
        best = int(np.argmin(errors))
        sizes = [abs(self.sum(d)) for d in slopes]
        last = [x for x in sizes if np.isfinite(x)][-4:]
        grows = len(last) == 4 and all(b > 1.3 * a > 0 for a, b in pairwise(last))
        return slopes[best], np.where(self.weights == 0, 0.0, found[best][2]), errors[best], grows


def noise_of(at: Callable[[float], np.ndarray], weights: np.ndarray, dtype: str, scale: float) -> float:
    """How much of sum(weights · f) is rounding: from fourth differences on one side, which a smooth function has not."""
    spread = size = np.zeros(())
    with np.errstate(all="ignore"):
        for h in (1e-7, 1e-5) if dtype == "float64" else (2e-3,):
            values = np.stack([at(h * scale * k) for k in range(1, 9)])
            differences = np.median(np.abs(np.diff(values, 4, axis=0)), axis=0) / np.sqrt(70.0)
            spread = np.maximum(spread, np.nan_to_num(differences, nan=0.0, posinf=0.0))
            size = np.nan_to_num(np.abs(values[0]), nan=0.0, posinf=0.0)
    eps = float(np.finfo(dtype).eps)
    return float(np.sqrt(np.sum((weights * np.maximum(spread, eps * size)) ** 2)))


def judge(curve: Curve, got: float, magnitude: float = 0.0, typical: float = 0.0, sides: bool = True) -> Found:
    """Whether `got` is the derivative of sum(weights · f) at t = 0. magnitude: of the numbers that were added up to make it;
    typical: of its neighbours, below which an error does not matter. sides: whether a kink is looked for where they differ.
    """
    with np.errstate(all="ignore"):
        return _judge(curve, got, magnitude, typical, sides)


def _judge(curve: Curve, got: float, magnitude: float, typical: float, sides: bool) -> Found:
    close = CLOSE[curve.dtype]
    h = (1e-2 if curve.fine else 1.0) * FIRST[curve.dtype] * curve.scale
    quick = curve.central(h)
    size = max(abs(quick), abs(got), magnitude)
    if abs(quick - got) <= 0.1 * close * size + 10 * curve.noise / h:
        return Found(True, got, quick, quick, curve.noise / h)
    steps = curve.steps()
    found = [curve.central(h) for h in steps]
    errors = []
    for i, h in enumerate(steps):
        near = [abs(found[i] - found[j]) for j in (i - 1, i + 1) if 0 <= j < len(steps)]
        e = max(near) + 3 * curve.noise / h
        errors.append(e if np.isfinite(e) else np.inf)
    best = int(np.argmin(errors))
    middle, error = found[best], errors[best]
    size = max(abs(middle) if np.isfinite(middle) else 0.0, magnitude)
    if (
        np.isfinite(got)
        and abs(middle - got) <= close * max(size, abs(got)) + 10 * error
        and (error <= 1e-2 * max(size, typical))
    ):
        return Found(True, got, middle, middle, error)
    if not sides:
        return Found(None, got, middle, middle, error, "undefined")
    return _sides(curve, got, middle, error, magnitude, typical)


def _sides(curve: Curve, got: float, middle: float, error: float, magnitude: float, typical: float) -> Found:
    """The verdict where a central difference does not agree: a kink, or wrong."""
    close = CLOSE[curve.dtype]
    rough = max(abs(x) if np.isfinite(x) else 0.0 for x in (got, middle, magnitude))
    sides = [curve.side(s, rough) for s in (1, -1)]
    usable = [s for s in sides if np.isfinite(s[2])]
    if not usable:
        return Found(None, got, np.nan, np.nan, np.inf, "undefined")
    if np.isinf(got):
        growing = [s for s in usable if s[3]]
        if growing:
            right = any(np.sign(curve.sum(s[0])) == np.sign(got) for s in growing)
            return Found(
                True if right else None, got, got if right else np.nan, got if right else np.nan, 0.0, "infinite"
            )
    low = high = 0.0
    slopes = [curve.weights * s[0] for s in usable]
    low, high = float(np.minimum.reduce(slopes).sum()), float(np.maximum.reduce(slopes).sum())
    wobble = max(s[2] for s in usable)
    size = max(abs(low), abs(high), magnitude)
    limits = [s[1] for s in usable]
    jump = 0.0
    if len(usable) == 2:
        jump = float(np.sum(np.abs(curve.weights * (limits[0] - limits[1]))))
    given = abs(got) if np.isfinite(got) else 0.0
    jumps = jump > 1e-4 * (size + given) * curve.scale + 100 * curve.noise
    grows = any(s[3] for s in usable)
    if np.isnan(got):
        kind = "infinite" if grows else "jump" if jumps else "smooth"
        return Found(False, got, low, high, wobble, kind)
    tolerance = close * max(size, given) + 10 * wobble
    kink = high - low > 1e-5 * size + _LIMIT * wobble or len(usable) == 1
    if kink or jumps:
        kind = "jump" if jumps else "kink"
        if np.isfinite(got) and low - tolerance <= got <= high + tolerance:
            return Found(True, got, low, high, wobble, kind)
        if grows:
            return Found(None, got, low, high, wobble, "infinite")
        return Found(False, got, low, high, wobble, kind)
    if grows:
        return Found(None, got, low, high, wobble, "infinite")
    if error > wobble:
        middle, error = (low + high) / 2, wobble
    far = abs(got - middle) if np.isfinite(got) else np.inf
    if far <= close * max(size, abs(got)) + _LIMIT * error:
        told = error <= 1e-2 * max(size, typical, 1e-30)
        return Found(True if told or far == 0 else None, got, middle, middle, error, "smooth" if told else "noise")
    return Found(False, got, middle, middle, error)
