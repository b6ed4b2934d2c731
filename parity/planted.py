"""Special values planted in a case's inputs, and what of the comparison with PyTorch they change.

One kind of value (`VALUES`) stands in one place of one input, in a row of it, or everywhere (`WHERE`); or one place of the
cotangent holds nan, an infinity or 0 (`SLOPES`). Each is compared in each form that the case's operations have (`forms`).

    for text in differences(CASES["softmax"]):
        print(text)

Nan and each infinity are told apart, and of functions of one element the zeros' signs too. (The sign of a sum that is 0 depends
on the order of its parts, and a definition is written to be read.) Two things are not asked of sums: whether
those of huge numbers overflow where PyTorch's do, which depends on the order too; and, only in the families `COMPOSED`, whose parts
are compared in others, which of nan and the infinities comes out, as inf - inf comes up in one order and not in the other.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import numpy as np

from .agreement import Example, Mismatch, Tally, inputs_of, mapped, run_form
from .case import Case, Tolerance
from .engines import MINIGRAD
from .inputs import Input, Seeded


def value(kind: str, dtype: Any) -> float:
    """The number of this kind in this dtype."""
    info = np.finfo(dtype)
    return {
        "nan": math.nan,
        "inf": math.inf,
        "-inf": -math.inf,
        "denormal": float(info.tiny) / 64,
        "huge": float(info.max) * 0.75,
        "tiny": float(info.tiny) * 4,
        "-0": -0.0,
    }[kind]


VALUES = ("nan", "inf", "-inf", "denormal", "huge", "tiny", "-0")
WHERE = ("one", "row", "all")
COMPOSED = ("module", "distributions", "func", "autograd", "linalg")
SLOPES = {"nan": math.nan, "inf": math.inf, "0": 0.0}


@dataclass(frozen=True)
class Plan:
    """What is planted: a kind of value and where, or a kind of cotangent."""

    kind: str = ""
    where: str = "one"
    slope: str = ""

    def __str__(self) -> str:
        return f"{self.kind} in {self.where}" if self.kind else f"slope {self.slope}"


PLANS = (*itertools.starmap(Plan, itertools.product(VALUES, WHERE)), *(Plan(slope=slope) for slope in SLOPES))


def part_of(turn: int) -> tuple[Plan, ...]:
    """A third of the plans: each kind of value in one of the places, and one kind of cotangent, which change from turn to turn."""
    kinds = (Plan(kind, WHERE[(turn + i) % len(WHERE)]) for i, kind in enumerate(VALUES))
    return (*kinds, Plan(slope=tuple(SLOPES)[turn % len(SLOPES)]))


def plant(array: np.ndarray, number: float, where: str, rng: np.random.Generator) -> None:
    """Write a number into one place of an array, into a row or everywhere."""
    if not array.size:
        return
    if where == "all" or array.ndim == 0:
        array[...] = number
        return
    at: tuple[Any, ...] = tuple(int(rng.integers(0, n)) for n in array.shape)
    array[(*at[:-1], slice(None)) if where == "row" else at] = number


def planted(x: Input, number: float, where: str, rng: np.random.Generator) -> Input:
    """An input with a number planted."""
    buffer = x.buffer.copy()
    plant(x.view(buffer), number, where, rng)
    return replace(x, buffer=buffer)


class _OfType(Seeded):
    """A seeded source whose second decision, that on the dtype (see `Example`), is taken."""

    def __init__(self, seed: int, dtype: str) -> None:
        super().__init__(seed)
        self.dtype, self.decisions = dtype, 0

    def integer(self, low: int, high: int) -> int:
        self.decisions += 1
        drawn = super().integer(low, high)
        return 9 * (self.dtype == "float32") if self.decisions == 2 and (low, high) == (0, 9) else drawn


class Planted(Example):
    """An example with special values in its inputs, or in its cotangents."""

    def __init__(self, case: Case, seed: int, position: str, dtype: str, plan: Plan) -> None:
        self.plan, self.rng = plan, np.random.default_rng(seed)
        super().__init__(
            replace(case, modes=("normal",), layouts=False, cancels=None), _OfType(seed, dtype), Tally(), position
        )
        self.second = False
        self.floats = [x for x in self.inputs if x.dtype.kind == "f" and x.buffer.size]
        if plan.kind and self.floats:
            self._plant(self.floats[seed % len(self.floats)])
        if not case.tolerance.per_element and not case.strict:  # what else goes into a sum is of order 1
            self.floor, self.floor32 = max(self.floor, 0.1), 1.0
        # No number is measured against less than the smallest that has all its digits.
        self.floor32 = max(self.floor32, float(np.finfo(np.float32).tiny))

    def _plant(self, chosen: Input) -> None:
        changed = planted(chosen, value(self.plan.kind, chosen.dtype), self.plan.where, self.rng)

        def change(x: Any) -> Any:
            return changed if x is chosen else x

        self.call = replace(self.call, args=mapped(self.call.args, change), kwargs=mapped(self.call.kwargs, change))
        self.inputs = inputs_of(self.call)
        finite = [a[np.isfinite(a)] for a in (x.array for x in self.inputs) if a.dtype.kind == "f"]
        size = max((float(np.abs(a).max(initial=0.0)) for a in finite), default=1.0)
        self.floor32 = min(1.0, size or 1.0)
        self.floor = 0.0 if self.case.strict else self.floor32 / 10

    def check(self) -> None:
        slope = self.plan.slope
        if not slope:
            super().check()
            return
        draw = self.draw.cotangent

        def cotangent(shape: tuple[int, ...], dtype: str) -> Input:
            drawn = draw(shape, dtype)
            return planted(drawn, SLOPES[slope], "one", self.rng) if drawn.dtype.kind == "f" else drawn

        with mock.patch.object(self.draw, "cotangent", cotangent):
            super().check()

    def describe(self) -> str:
        return f"<{self.plan}, {self.draw.dtype}> {super().describe()}"

    def _compare_arrays(
        self,
        kind: str,
        name: str,
        got: np.ndarray,
        expected: np.ndarray,
        truth: np.ndarray | None,
        tolerance: Tolerance,
    ) -> None:
        summed = not tolerance.per_element or self.position == "definition"  # also in a composition's gradients
        if expected.dtype.kind == "f" and summed:
            same = np.zeros(expected.shape, bool)
            if self.case.family in COMPOSED:
                same |= ~np.isfinite(got) & ~np.isfinite(expected)
            if self.plan.kind == "huge":
                same |= ~np.isfinite(expected)
            got = np.where(same, expected, got)
        super()._compare_arrays(kind, name, got, expected, truth, tolerance)
        if expected.dtype.kind == "f" and tolerance.per_element and self.position != "definition":
            opposite = (got == 0) & (expected == 0) & (np.signbit(got) != np.signbit(expected))
            if opposite.any():
                place = tuple(np.argwhere(opposite)[0].tolist())
                self.fail(f"{name} at {place}: {got[place]!r}, expected {expected[place]!r}: the sign of 0")


def forms(case: Case) -> tuple[str, ...]:
    """The forms in which a case's operations come: "fastest" where all have one form only."""
    from minigrad.autograd.fused import Fused

    met: set[Any] = set()
    apply = vars(Fused)["apply"].__func__

    def note(cls: Any, *inputs: Any) -> Any:
        met.add(cls)
        return apply(cls, *inputs)

    with mock.patch.object(Fused, "apply", classmethod(note)), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(3):
            example = Example(case, Seeded(seed), Tally(), "fastest")
            run_form(MINIGRAD, case, example.form, example.call)
    if not met:
        return ("fastest",)
    return ("definition", "numpy", "compiled") if any(cls.compiled for cls in met) else ("definition", "numpy")


def differences(
    case: Case,
    seeds: range = range(1),
    turn: int | None = None,
    dtypes: tuple[str, ...] = ("float64", "float32"),
) -> Iterator[tuple[str, str]]:
    """(what was planted, what differs then) for each comparison of a case that fails.

    By all plans, or with a turn by `part_of(turn)` in the first form and dtype, `part_of(turn + 1)` in the second, ...
    """
    runs = itertools.product(forms(case), dtypes if case.float32 else ("float64",))
    for i, (position, dtype) in enumerate(runs):
        plans = PLANS if turn is None else part_of(turn + i)
        for plan, seed in itertools.product(plans, seeds):
            example = Planted(case, seed, position, dtype, plan)
            if not example.floats:
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    example.check()
            except Mismatch as mismatch:
                yield plan.kind or "slope", str(mismatch)
