"""Functions and programs of which is known whether their gradients are right: what parity must say of each.

    known("name", fn, inputs, RIGHT)
    known("name", fn, inputs, WRONG, at=(0, (1,)))         the input and the element that the report must point at
    known("name", fn, inputs, WRONG, order=2)              the gradient is right, its derivative is not
    known("name", fn, inputs, NONE, says="seed")           there is no answer, and why

`forms` enters a Function that is written for PyTorch, for minigrad, and for either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

import minigrad

RIGHT, WRONG, NONE = "right", "wrong", "no answer"


@dataclass
class Known:
    fn: Callable[..., Any]
    inputs: tuple
    verdict: str
    at: tuple[Any, tuple[int, ...]] | None = None
    order: int = 1
    says: str | tuple[str, ...] = ()
    factor: float = 1.001  # a fault of this size, planted into it, must be found


KNOWN: dict[str, Known] = {}
PROGRAMS: dict[str, tuple[Callable[[Any], None], str]] = {}  # and what is to be said: "agree" or "rounding"

X = np.array([0.5, 1.5, -2.0])
M = np.array([[0.3, -1.2, 0.8], [1.1, 0.4, -0.7]])
SQUARE = np.array([[1.2, 0.3, -0.4], [0.2, 1.5, 0.1], [-0.3, 0.6, 0.9]])


def known(name: str, fn: Callable[..., Any], inputs: Any, verdict: str, **more: Any) -> None:
    assert name not in KNOWN, name
    KNOWN[name] = Known(fn, inputs if isinstance(inputs, tuple) else (inputs,), verdict, **more)


def function(T: Any, forward: Callable[..., Any], backward: Callable[..., Any]) -> Callable[..., Any]:
    """The `apply` of a Function for engine T with this forward and backward."""
    made = type("Mine", (T.autograd.Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})
    return made.apply


def forms(
    name: str,
    make: Callable[[Any], Callable[..., Any]],
    inputs: Any,
    verdict: str,
    which: str = "torch minigrad both",
    **more: Any,
) -> None:
    """One entry for a function that `make(T)` gives, in each form."""
    for form in which.split():
        if form == "both":
            known(f"{name}, in both", lambda torch, *x, make=make: make(torch)(*x), inputs, verdict, **more)
        else:
            known(f"{name}, in {form}", make({"torch": torch, "minigrad": minigrad}[form]), inputs, verdict, **more)


def program(name: str, verdict: str = "agree") -> Callable[[Any], Any]:
    def enter(fn: Callable[[Any], None]) -> Callable[[Any], None]:
        PROGRAMS[name] = fn, verdict
        return fn

    return enter
