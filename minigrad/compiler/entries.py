"""What a recorded call is made of: values, and what was done with them, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..autograd.variable import Array


class Entry:
    """What was done. `at`: the line of the program that did it; `op`: what it calls, by its public name."""

    at = ""
    op = ""


class Value:
    """An array of the step, wherever it came from."""

    __slots__ = ("array", "dtype", "entry", "name", "nr", "shape", "tensor")

    def __init__(self, array: Array, entry: Any = None, tensor: Any = None) -> None:
        self.array: Any = array  # (held until the recording is read: its id stands for it)
        self.shape, self.dtype = array.shape, array.dtype
        self.entry = entry  # what made it; None of what was there before
        self.tensor = tensor  # of what was there before: the tensor
        self.name = ""  # of the program's text
        self.nr = -1


STALE: Any = object()  # in the place of a Value: the memory was written since, by another tensor that shows it


@dataclass(eq=False)
class Ran(Entry):
    form: Any
    node: Any  # the context of this call; None where no gradient is wanted
    needs: tuple[bool, ...]
    inputs: list[Any]  # Values, and Python values
    out: Value
    settings: dict[str, Any] = field(default_factory=dict)  # what forward kept, other than arrays


@dataclass(eq=False)
class Backward(Entry):
    of: Ran
    grad: Value
    results: list[Value | None]


@dataclass(eq=False)
class Fitted(Entry):
    value: Value
    out: Value
    of: Ran | None


@dataclass(eq=False)
class Added(Entry):
    a: Value
    b: Value
    out: Value


@dataclass(eq=False)
class Ones(Entry):
    out: Value


@dataclass(eq=False)
class Arrived(Entry):
    leaf: Any
    value: Value


@dataclass(eq=False)
class Looked(Entry):
    leaf: Any  # whose gradient was looked at


@dataclass(eq=False)
class Cleared(Entry):
    leaf: Any


@dataclass(eq=False)
class Drawn(Entry):
    method: str
    args: tuple[Any, ...]
    out: Value


@dataclass(eq=False)
class Made(Entry):
    """A tensor of numbers that the step's code says (`zeros(3)`, `tensor([1, 2])`): the same at each call."""

    text: str
    out: Value


@dataclass(eq=False)
class Found(Entry):
    """What was found by the values of an array and has no gradient: the order of its elements, or these in another type."""

    text: str
    value: Value
    out: Value


@dataclass(eq=False)
class Called(Entry):
    """A function of the engine that is called as a whole (whole.py): its arguments, with Values in the place of tensors."""

    function: Any
    name: str
    args: list[Any]
    named: dict[str, Any]
    outs: list[Value]
    draws: bool  # whether it draws from the random stream


@dataclass(eq=False)
class Compared(Entry):
    ufunc: Any
    a: Any
    b: Any
    out: Value


@dataclass(eq=False)
class Clipped(Entry):
    leaves: list[Any]
    max_norm: float
    out: Value


@dataclass(eq=False)
class ClippedByValue(Entry):
    leaves: list[Any]
    value: float


@dataclass(eq=False)
class Wrote(Entry):
    leaf: Any
    value: Value


@dataclass(eq=False)
class Counted(Entry):
    counter: Any  # of batch norm: the number of batches


@dataclass(eq=False)
class Moved(Entry):
    """Running statistics that went towards those of the batch."""

    running: tuple[Any, Any]
    momentum: float
    moments: Any  # where the operation leaves them
    factor: float  # of the variance: n / (n - 1)


@dataclass(eq=False)
class Updated(Entry):
    optimizer: Any


@dataclass(eq=False)
class Scheduled(Entry):
    scheduler: Any
    measure: Value | None  # of one that looks at how well it goes


@dataclass(eq=False)
class Seen(Entry):
    """The values of a tensor in another shape, as they were then."""

    value: Value
    out: Value


_FEW = 256  # numbers of a constant that are written one by one


def constant_text(array: Array) -> str | None:
    """NumPy that makes this array; None of many numbers without a pattern."""
    dtype = f"np.{array.dtype.name if array.dtype != bool else 'bool'}"
    if array.size and np.isfinite(array).all() and (array == array.flat[0]).all() and array.ndim:
        value = array.flat[0].item()
        if value == 0 and not np.signbit(array).any():
            return f"np.zeros({array.shape!r}, {dtype})"
        return f"np.full({array.shape!r}, {value!r}, {dtype})"
    if array.ndim == 1 and array.dtype.kind in "iu" and array.size > 2:
        first, step = int(array[0]), int(array[1]) - int(array[0])
        if step and np.array_equal(array, np.arange(array.size) * step + first):
            return f"np.arange({first}, {first + step * array.size}, {step}, {dtype})"
    if array.size > _FEW:
        return None
    numbers = repr(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    return f"np.array({numbers}, {dtype})" if array.size else f"np.zeros({array.shape!r}, {dtype})"
