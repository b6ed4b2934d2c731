"""What a call of the fuzzer consists of, as neither engine's: tensors, constants, objects by the calls that make them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass
class T:
    """A tensor. memory: how its elements lie, see MEMORIES. inner: one that was computed from the leaf, not the leaf.
    given: the gradient that it has, and that it is a parameter."""

    values: np.ndarray
    grad: bool = False
    memory: str = ""
    inner: bool = False
    given: np.ndarray | None = None


@dataclass
class New:
    """An object, by the call that makes it: a module, a distribution, an optimizer, a dataset."""

    call: Call


@dataclass
class Fn:
    """A function of tensors, by its name in `fuzz_objects.FUNCTIONS`."""

    name: str


@dataclass
class Part:
    """A tensor on the memory of the tensor at `place` of the call; how: see PARTS."""

    place: Any
    how: str


@dataclass
class Named:
    """A dtype or another constant, by its name in both engines."""

    name: str


@dataclass
class Made:
    """A generator with this seed."""

    seed: int


@dataclass
class Call:
    """name: a path from the engine's module. how: what was done to a call that is as it should be."""

    name: str
    args: list[Any]
    kwargs: dict[str, Any]
    how: str = "as it is"
    seed: int = 0
    then: Sequence[Any] = ()  # what the function that comes out is called with

    def __str__(self) -> str:
        given = [shown(a) for a in self.args] + [f"{k}={shown(v)}" for k, v in self.kwargs.items()]
        then = f"({', '.join(map(shown, self.then))})" if self.then else ""
        return f"{self.name}({', '.join(given)}){then}"


def shown(x: Any) -> str:
    if isinstance(x, T):
        text = f"{x.values.dtype}{list(x.values.shape)}"
        if x.values.size < 7:
            text += f"={np.array2string(x.values, separator=',', precision=4)}".replace("\n", "").replace(" ", "")
        return text + x.memory[:1].upper() + ("!" if x.grad else "") + ("!" if x.inner else "")
    if isinstance(x, Part):
        return f"<{x.how} of {x.place}>"
    if isinstance(x, Named):
        return x.name
    if isinstance(x, New):
        return str(replace(x.call, then=()))
    if isinstance(x, Fn):
        return x.name
    if isinstance(x, dict):
        return "{" + ", ".join(f"{k!r}: {shown(v)}" for k, v in x.items()) + "}"
    if isinstance(x, list):
        return "[" + ", ".join(map(shown, x)) + "]"
    if isinstance(x, tuple):
        return "(" + ", ".join(map(shown, x)) + ",)"
    text = repr(x)
    return text if len(text) < 60 else text[:60] + "..."
