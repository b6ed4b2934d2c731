"""A function's gradients against differences of its values, and its second derivatives against differences of its gradients.

Few elements are held one by one. Of many, all at once along random directions; where one does not agree, it is halved until the
element is found that does not. An element at a kink is left out of the directions then, for it has a slope on either side.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from minigrad.counted import counted

from .slopes import CLOSE, FIRST, Curve, Found, judge, noise_of
from .trace import Refused, Traced, unit

ELEMENTS = 600  # so many are held one by one
SECONDS = 15.0  # unless that would take longer than about this
DIRECTIONS = 4
SAMPLE = 24  # so many elements are held one by one besides directions, half of them where kinks are likely
KINKS = 2  # so many are left out of a direction
BLOCK = 3000  # elements that are moved at once beside the inputs
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
            finite = (np.isfinite(traced.values[i]) for i in traced.recorded)  # by the others nothing is asked
            self.by += [
                (name, name, np.where(f, c, np.nan)) for name, c, f in zip(slopes, cotangents, finite, strict=True)
            ]
        given = weights if weights is not None else cotangents
        self.weights = np.concatenate([w.ravel() for w in given])
        self.given = weights
        # Where a gradient is infinite, it has no weight, and what comes of it is no number.
        self.beside = False
        self.loose = weights is not None and any((w == 0.0).any() for w in weights)

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
        bases = [x.base for x in slopes.traced.leaves]
        try:
            _sample(slopes, numeric, noise)
            if numeric.right:
                _along(slopes, numeric, noise)
        finally:
            for x, base in zip(slopes.traced.leaves, bases, strict=True):
                x.base = base
            slopes.traced.move()
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
    found = judge(curve, float(target.got[index]), typical=target.typical)
    if slopes.second and np.isnan(found.got) and (slopes.loose or found.kind != "smooth"):
        found.right, found.kind = None, "no second"  # the gradient itself jumps or is infinite there
    return found


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
            h = FIRST[slopes.traced.dtype] * float(unit(base[index]))
            with np.errstate(all="ignore"):
                target.expected[index] = curve.central(h)
            got, wanted = float(target.got[index]), float(target.expected[index])
            size = float(np.fmax(abs(wanted), 1e-3 * target.typical))
            target.bad += not abs(got - wanted) <= 10 * CLOSE[slopes.traced.dtype] * size
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


def _sample(slopes: Slopes, numeric: Numeric, noise: float) -> None:
    """Some elements one by one: those whose derivative is no number, whole numbers (there are kinks), and any."""
    for i, target in enumerate(numeric.targets):
        base, got = slopes.by[i][2], target.got
        odd = np.flatnonzero(~np.isfinite(got) & np.isfinite(base))[:3]
        share = max(2, SAMPLE // (2 * len(numeric.targets)))
        whole = np.flatnonzero(np.isfinite(base) & (np.round(base) == base))
        finite = np.flatnonzero(np.isfinite(base))
        some = [slopes.rng.choice(p, min(share, p.size), replace=False) for p in (whole, finite) if p.size]
        chosen: list[int] = np.concatenate([odd, *some]).astype(int).tolist()
        for k in dict.fromkeys(chosen):
            index = tuple(map(int, np.unravel_index(k, base.shape)))
            _note(target, index, element(slopes, i, index, target, noise))


def _along(slopes: Slopes, numeric: Numeric, noise: float) -> None:
    """Along random directions through all leaves; what does not agree is narrowed down.

    Where the function has kinks at many elements, a direction through all of them would cross some, however small the step. Then
    a point beside the inputs is looked at, a block of elements at a time.
    """
    targets = numeric.targets
    masks = [np.isfinite(t.got).astype(float) for t in targets]
    deadline = time.perf_counter() + 2 * SECONDS
    told = False
    if not any(t.kinks for t in targets):
        told = all(_agrees(slopes, numeric, masks, noise, deadline) for _ in range(DIRECTIONS))
        numeric.directions = DIRECTIONS
    if told or not numeric.right:
        return
    numeric.beside = slopes.beside = True
    masks = _beside(slopes, targets)
    places = slopes.rng.permutation(_places(masks))
    parts = [places[k : k + BLOCK] for k in range(0, len(places), BLOCK)]
    numeric.directions, untold = len(parts), 0
    for part in parts:
        untold += not _agrees(slopes, numeric, _masks(targets, part), noise, deadline)
        if not numeric.right:
            return
    if untold:
        numeric.untold = f"in {untold} of {counted(len(parts), 'block')} of elements they do not settle"


def _agrees(slopes: Slopes, numeric: Numeric, masks: list[np.ndarray], noise: float, deadline: float) -> bool:
    """Along one direction, with kinks left out if there are few; a wrong element is noted."""
    targets = numeric.targets
    for _ in range(KINKS + 1):
        found = _direction(slopes, targets, masks, noise)
        if found.right:
            numeric.worst = max(numeric.worst, found.off / max(_size(found), 1e-300))
            return True
        place = _narrow(slopes, targets, masks, noise) if time.perf_counter() < deadline else None
        if place is None:
            continue
        i, index = place
        _note(targets[i], index, element(slopes, i, index, targets[i], noise))
        if targets[i].wrong:
            _others(slopes, targets, masks, noise)
            return False
        masks[i][index] = 0.0
    return False


def _places(masks: list[np.ndarray]) -> np.ndarray:
    """(leaf, flat index) of every element that takes part."""
    return np.concatenate(
        [np.stack([np.full(len(k), i), k], 1) for i, m in enumerate(masks) for k in [np.flatnonzero(m)]]
    )


def _masks(targets: list[Target], places: np.ndarray) -> list[np.ndarray]:
    masks = [np.zeros(t.got.shape) for t in targets]
    for i, mask in enumerate(masks):
        mask.flat[places[places[:, 0] == i, 1]] = 1.0
    return masks


def _beside(slopes: Slopes, targets: list[Target]) -> list[np.ndarray]:
    """Move to a point beside the inputs, where the function has derivatives. Of each leaf, the elements that have one."""
    bases = [x.base for x in slopes.traced.leaves]
    for size in (0.1, 1e-3):
        for x, base in zip(slopes.traced.leaves, bases, strict=True):
            x.base = base + size * slopes.rng.normal(size=base.shape) * unit(np.nan_to_num(base))
        slopes.traced.move()
        found = slopes.derivatives()
        if all(np.isfinite(g).sum() >= np.isfinite(t.got).sum() for g, t in zip(found, targets, strict=True)):
            break
    for target, got in zip(targets, found, strict=True):
        target.got = got
    count = len(slopes.traced.leaves)
    slopes.by = [*((x.name, x.place, x.base) for x in slopes.traced.leaves), *slopes.by[count:]]
    return [np.isfinite(t.got).astype(float) for t in targets]


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
    parts = [
        np.where(m == 0, 0.0, t.got * v) for t, m, v in zip(targets, masks, direction, strict=True) if v is not None
    ]
    got = float(sum(p.sum() for p in parts))
    magnitude = float(np.sqrt(sum((p**2).sum() for p in parts)))
    # What one element of many makes is far less than the whole.
    curve = Curve(slopes.at(direction), slopes.weights, slopes.traced.dtype, 1.0, 0.0, noise, slopes.beside)
    return judge(
        curve, got, 1e-2 * magnitude, sides=False
    )  # between the slopes of many kinks there is room for anything


def _narrow(
    slopes: Slopes, targets: list[Target], masks: list[np.ndarray], noise: float
) -> tuple[int, tuple[int, ...]] | None:
    """An element along which the derivatives do not agree; None if none is found again."""
    places = _places(masks)

    def differs(some: np.ndarray) -> bool:
        only = _masks(targets, some)
        return any(_direction(slopes, targets, only, noise).right is not True for _ in range(2))

    while len(places) > 1:
        half = len(places) // 2
        for some in (places[:half], places[half:]):
            if differs(some):
                places = some
                break
        else:
            return None
    if not len(places):
        return None
    i, k = map(int, places[0])
    return i, tuple(map(int, np.unravel_index(k, masks[i].shape)))
