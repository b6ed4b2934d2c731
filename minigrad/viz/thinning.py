"""Much in little room: what is kept of a training of any length.

Numbers come at every step, and nobody knows how many steps there will be. So each of the first steps is kept; when the room is
full, every second of what is kept goes, and from then on every second step is kept; then every fourth, and so on. At any
time between half of the room and all of it is in use, evenly over the whole training.
"""

from __future__ import annotations

import math
from typing import Any


class Thinned:
    """Steps and what is kept of them, at most `most`: those that `every` divides."""

    def __init__(self, most: int) -> None:
        self.most, self.every = max(2, most), 1
        self.steps: list[int] = []
        self.kept: list[Any] = []

    def wants(self, step: int) -> bool:
        return step % self.every == 0

    def add(self, step: int, what: Any) -> None:
        self.steps.append(step)
        self.kept.append(what)
        while len(self.steps) > self.most and self.every < 1 << 60:
            self.every *= 2
            stay = [i for i, s in enumerate(self.steps) if s % self.every == 0]
            self.steps, self.kept = [self.steps[i] for i in stay], [self.kept[i] for i in stay]


class Losses:
    """The loss of every step, in at most `most` stretches of equal length: the last of each, the least and the largest.

    So a spike between two points stays in sight. bad: how many of a stretch are NaN or infinite.
    """

    def __init__(self, most: int) -> None:
        self.most, self.every = max(2, most), 1
        self.stretches: list[list[Any]] = []  # [number, step, value, least, largest, bad]

    def add(self, step: int, value: float) -> None:
        finite = math.isfinite(value)
        new = [
            (step - 1) // self.every,
            step,
            value,
            value if finite else None,
            value if finite else None,
            int(not finite),
        ]
        self._put(self.stretches, new)
        while len(self.stretches) > self.most:
            self.every *= 2
            wider: list[list[Any]] = []
            for stretch in self.stretches:
                self._put(wider, [stretch[0] // 2, *stretch[1:]])
            self.stretches = wider

    def amend(self, value: float) -> None:
        """The last step's loss was another one. (Where its stretch has other steps, the range keeps the former.)"""
        last = self.stretches[-1]
        if self.every == 1:
            self.stretches.pop()
        else:
            last[2] = value
        self.add(last[1], value)

    @staticmethod
    def _put(stretches: list[list[Any]], new: list[Any]) -> None:
        if not stretches or stretches[-1][0] != new[0]:
            stretches.append(new)
            return
        last = stretches[-1]
        ends = [v for v in (last[3], new[3]) if v is not None], [v for v in (last[4], new[4]) if v is not None]
        last[1:] = [new[1], new[2], min(ends[0], default=None), max(ends[1], default=None), last[5] + new[5]]
