"""A function's gradients against differences of its values, and its second derivatives against differences of its gradients.

Few elements are held one by one. Of many, all at once along random directions; where one does not agree, it is halved until the
element is found that does not. An element at a kink is left out of the directions then, for it has a slope on either side.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .slopes import Curve, Found, judge, noise_of
from .trace import Refused, Traced, unit

ELEMENTS = 600  # so many are held one by one
SECONDS = 15.0  # unless that would take longer than about this
DIRECTIONS = 4
KINKS = 25  # so many are left out of directions; then a point beside the inputs is looked at
WRONG = 5  # so many wrong elements of one leaf are measured closely

Direction = list[np.ndarray | None]


@dataclass
class Target:
    """What one leaf's derivatives, or those by the slope of one output, came to."""

    name: str
    place: int | str
    got: np.ndarray
    expected: np.ndarray
    looked: int = 0
    wrong: list[tuple[tuple[int, ...], Found]] = field(default_factory=list)
    bad: int = 0  # how many elements differ
    kinks: list[tuple[tuple[int, ...], Found]] = field(default_factory=list)
    untold: list[tuple[tuple[int, ...], Found]] = field(default_factory=list)
    worst: float = 0.0  # relative to the largest element

    @property
    def typical(self) -> float:
        finite = np.abs(self.got[np.isfinite(self.got)])
        return float(finite.max(initial=0.0))


@dataclass
class Numeric:
    """What differences say of derivatives of one order."""

    targets: list[Target]
    directions: int = 0  # 0: each element was looked at
    worst: float = 0.0  # along directions
    beside: bool = False  # the directions went through a point beside the inputs
    untold: str = ""  # why directions said nothing

    @property
    def right(self) -> bool:
        return not any(t.wrong for t in self.targets)

    @property
    def told(self) -> bool:
        """Whether anything was found out."""
        return bool(self.directions and not self.untold) or any(t.looked > len(t.untold) for t in self.targets)

    @property
    def elements(self) -> int:
        return sum(t.got.size for t in self.targets)


class Slopes:
    """Derivatives of one order of a traced function, given and measured."""

    def __init__(
        self, traced: Traced, cotangents: list[np.ndarray], weights: list[np.ndarray] | None, rng: np.random.Generator
    ) -> None:
        """weights: of the gradients, for the second order; None: the first."""
        self.traced, self.cotangents, self.second = traced, cotangents, weights is not None
        self.rng = rng
        self.by = [(x.name, x.place, x.base) for x in traced.leaves]
        if weights is not None:
            slopes = (f"the slope of {traced.names[i]}" for i in traced.recorded)
            self.by += [(name, name, c) for name, c in zip(slopes, cotangents, strict=True)]
        given = weights if weights is not None else cotangents
        self.weights = np.concatenate([w.ravel() for w in given])
        self.given = weights

    def at(self, direction: Direction) -> Callable[[float], np.ndarray]:
        """The function whose derivative is asked for, along a direction through leaves (and cotangents)."""
        traced, n = self.traced, len(self.traced.leaves)
        size = self.weights.size

        def value(t: float) -> np.ndarray:
            traced.move(t, direction[:n])
            try:
                if not self.second:
                    found = traced.vector()
                else:
                    moved = [c if v is None else c + t * v for c, v in zip(self.cotangents, direction[n:], strict=True)]
                    found = np.concatenate([g.ravel() for g in traced.gradients(moved)])
            except Refused:
                raise
            except Exception:
                found = np.full(size, np.nan)  # outside of what the function takes
            finally:
                traced.move()
            return found if found.size == size else np.full(size, np.nan)

        return value

    def derivatives(self) -> list[np.ndarray]:
        if self.given is None:
            return self.traced.gradients(self.cotangents)
        return self.traced.second(self.cotangents, self.given)[0]

    def random(self, masks: list[np.ndarray] | None = None) -> Direction:
        found: Direction = []
        for i, (_, _, base) in enumerate(self.by):
            v = self.rng.normal(size=base.shape) * unit(np.nan_to_num(base))
            found.append(np.where(np.isfinite(base), v if masks is None else v * masks[i], 0.0))
        return found


def held(slopes: Slopes, one_by_one: bool | None = None) -> Numeric:
    """The derivatives against differences. one_by_one: each element (default: if there are not too many)."""
    targets = [
        Target(name, place, got, np.array(got, dtype=float))
        for (name, place, _), got in zip(slopes.by, slopes.derivatives(), strict=True)
    ]
    numeric = Numeric(targets)
    along = slopes.random()
    start = time.perf_counter()
    with np.errstate(all="ignore"):
        noise = noise_of(slopes.at(along), slopes.weights, slopes.traced.dtype, 1.0)
    each = (time.perf_counter() - start) / (16 if slopes.traced.dtype == "float64" else 8)
    if one_by_one is None:
        one_by_one = numeric.elements <= ELEMENTS and numeric.elements * each * 5 <= SECONDS
    if one_by_one:
        for i, target in enumerate(targets):
            _each(slopes, i, target, noise)
    else:
        _along(slopes, numeric, noise, each)
    return numeric


def element(slopes: Slopes, i: int, index: tuple[int, ...], target: Target, noise: float) -> Found:
    """The derivative by one element."""
    base = slopes.by[i][2]
    direction: Direction = [None] * len(slopes.by)
    v = np.zeros(base.shape)
    v[index] = 1.0
    direction[i] = v
    x = abs(float(base[index]))
    curve = Curve(slopes.at(direction), slopes.weights, slopes.traced.dtype, max(1.0, x), x, noise)
    return judge(curve, float(target.got[index]), typical=target.typical)


def _each(slopes: Slopes, i: int, target: Target, noise: float) -> None:
    base = slopes.by[i][2]
    for index in np.ndindex(base.shape):
        if not np.isfinite(base[index]):
            continue
        if len(target.wrong) >= WRONG:  # enough: of the others only whether they differ
            direction: Direction = [None] * len(slopes.by)
            direction[i] = v = np.zeros(base.shape)
            v[index] = 1.0
            curve = Curve(slopes.at(direction), slopes.weights, slopes.traced.dtype)
            with np.errstate(all="ignore"):
                target.expected[index] = curve.central(3e-4 * max(1.0, abs(base[index])))
            far = abs(target.got[index] - target.expected[index])
            target.bad += not far <= 1e-5 * max(abs(target.expected[index]), 1e-3 * target.typical)
            continue
        _note(target, index, element(slopes, i, index, target, noise))


def _note(target: Target, index: tuple[int, ...], found: Found) -> None:
    target.looked += 1
    if found.right is None:
        target.untold.append((index, found))
        return
    if found.right is False:
        target.wrong.append((index, found))
        target.bad += 1
        target.expected[index] = found.expected
        return
    if found.kind != "smooth":
        target.kinks.append((index, found))
    elif target.typical:
        target.worst = max(target.worst, found.off / target.typical)


def _along(slopes: Slopes, numeric: Numeric, noise: float, each: float) -> None:
    """Along random directions through all leaves; what does not agree is narrowed down."""
    targets = numeric.targets
    numeric.directions = DIRECTIONS
    for i, target in enumerate(targets):  # what is not a number is found without a search
        places = np.argwhere(~np.isfinite(target.got) & np.isfinite(slopes.by[i][2]))
        for place in places[:3]:
            _note(target, tuple(map(int, place)), element(slopes, i, tuple(place), target, noise))
    if not numeric.right:
        return
    masks = [np.isfinite(t.got).astype(float) for t in targets]
    left, deadline = KINKS, time.perf_counter() + 3 * SECONDS
    done = 0
    while done < DIRECTIONS:
        found = _direction(slopes, targets, masks, noise)
        if found.right is True:
            numeric.worst = max(numeric.worst, found.off / max(_size(found), 1e-300))
            done += 1
            continue
        place = _narrow(slopes, targets, masks, noise)
        if place is None:
            if found.right is None:
                numeric.untold = "the differences do not settle: the function is too noisy or has kinks everywhere"
                return
            done += 1  # it did not show again
            continue
        i, index = place
        _note(targets[i], index, element(slopes, i, index, targets[i], noise))
        if targets[i].wrong:
            _others(slopes, targets, masks, noise)
            return
        masks[i][index] = 0.0
        left -= 1
        if left == 0 or time.perf_counter() > deadline:
            if numeric.beside:
                numeric.untold = "the function has kinks at many elements, beside these inputs too"
                return
            numeric.beside, left, deadline = True, KINKS, time.perf_counter() + 3 * SECONDS
            for x in slopes.traced.leaves:
                x.base = x.base + 1e-3 * slopes.rng.normal(size=x.base.shape) * unit(np.nan_to_num(x.base))
            slopes.traced.move()
            for target, got in zip(targets, slopes.derivatives(), strict=True):
                target.got = got
            masks = [np.isfinite(t.got).astype(float) for t in targets]
            slopes.by = [
                *((x.name, x.place, x.base) for x in slopes.traced.leaves),
                *slopes.by[len(slopes.traced.leaves) :],
            ]
            done = 0


def _others(slopes: Slopes, targets: list[Target], masks: list[np.ndarray], noise: float) -> None:
    """After one element was found wrong: whether the other leaves are, each by itself."""
    for i, target in enumerate(targets):
        if not target.wrong:
            only = [m if j == i else np.zeros_like(m) for j, m in enumerate(masks)]
            if _direction(slopes, targets, only, noise).right is False:
                place = _narrow(slopes, targets, only, noise)
                if place is not None:
                    _note(target, place[1], element(slopes, i, place[1], target, noise))


def _size(found: Found) -> float:
    return max(abs(found.got), abs(found.expected))


def _direction(slopes: Slopes, targets: list[Target], masks: list[np.ndarray], noise: float) -> Found:
    direction = slopes.random(masks)
    parts = [np.where(m == 0, 0.0, t.got * v) for t, m, v in zip(targets, masks, direction, strict=True) if v is not None]
    got = float(sum(p.sum() for p in parts))
    magnitude = float(np.sqrt(sum((p**2).sum() for p in parts)))
    # A direction agrees to far less than what one element of many makes.
    found = judge(Curve(slopes.at(direction), slopes.weights, slopes.traced.dtype, 1.0, 0.0, noise), got, 1e-2 * magnitude)
    return found


def _narrow(
    slopes: Slopes, targets: list[Target], masks: list[np.ndarray], noise: float
) -> tuple[int, tuple[int, ...]] | None:
    """An element along which the derivatives do not agree; None if none is found again."""
    places = [(i, k) for i, m in enumerate(masks) for k in np.flatnonzero(m)]

    def differs(some: list[tuple[int, int]]) -> bool:
        only = [np.zeros(m.shape) for m in masks]
        for i, k in some:
            only[i].flat[k] = 1.0
        return any(_direction(slopes, targets, only, noise).right is not True for _ in range(2))

    while len(places) > 1:
        half = len(places) // 2
        for some in (places[:half], places[half:]):
            if differs(some):
                places = some
                break
        else:
            return None
    if not places:
        return None
    i, k = places[0]
    return i, tuple(map(int, np.unravel_index(k, masks[i].shape)))
