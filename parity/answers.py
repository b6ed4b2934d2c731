"""What `parity.check` finds out: an `Answer` for each engine, and the `Report` that is made of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .differences import Numeric
from .engines import Engine
from .trace import Traced


@dataclass
class Report:
    """The answer. It is true if the gradient is right at these inputs; printed, it says what was compared and found.

    Of a function that detaches, or rounds, both engines give the same gradient, which is as right as any and not the derivative of its
    values: it is true then, and its first line says so.
    """

    ok: bool
    against: str
    lines: list[str] = field(default_factory=list)
    wrong: tuple[int | str, tuple[int, ...]] | None = None  # the first input whose derivative is wrong, and the element
    script: str = ""  # shows it without parity
    departs: str = (
        ""  # "gradient" or "second derivative": in both engines the same, and not the derivative of the values
    )
    refused: bool = False  # there is no gradient: the backward pass raises
    second: bool = False  # the gradient is right, and its own derivative wrong

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        head = f"The gradient is right at these inputs, held against {self.against}."
        if self.departs:
            head = (
                f"Both engines compute the same gradient, but the {self.departs} is NOT the derivative of the function's values, as "
                "the note says: right only if that is meant."
            )
        if not self.ok:
            what = "gradient is right, its derivative (the second) is" if self.second else "gradient is"
            head = f"The {what} WRONG, held against {self.against}."
        if self.refused:
            head = "The gradient is WRONG: there is none, as the backward pass raises an error."
        shown = ["", "The same in a script without parity:", "", self.script] if self.script else []
        return "\n".join([head, *(f"  {line}" for line in self.lines), *shown])

    __repr__ = __str__


@dataclass
class Answer:
    """What one engine's run came to."""

    engine: Engine
    traced: Traced
    cotangents: list[np.ndarray]
    values: list[np.ndarray]
    gradients: list[np.ndarray] = field(default_factory=list)
    second: list[np.ndarray] | None = None
    spread: list[np.ndarray] = field(default_factory=list)  # by how much rounding of the inputs changes the gradients
    spread2: list[np.ndarray] = field(default_factory=list)
    first: Numeric | None = None
    numeric2: Numeric | None = None
    handwritten: bool = False
    refused: str = ""  # by the backward pass
    twice: str = ""  # why there is no second derivative to compare
    unrecorded: bool = False  # the gradients do not depend on anything that autograd recorded
    notes: list[str] = field(default_factory=list)
    single: list[str] = field(default_factory=list)  # what is wrong in float32
    single_told: str = ""

    @property
    def name(self) -> str:
        return self.engine.name

    @property
    def right(self) -> bool:
        """By differences."""
        return all(n is None or n.right for n in (self.first, self.numeric2)) and not self.refused
