"""Drawing of inputs: shapes, layouts, dtypes, values, indices, cotangents.

Everything is decided through one `Source` of integers. `Seeded` takes them from a generator, which is fast; the source in
`strategies.py` takes them from Hypothesis, which can shrink a failure. The elements of an array come in bulk from a
generator whose seed is one such integer, so an example costs few decisions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

Shape = tuple[int, ...]


class Source(Protocol):
    """Where decisions come from."""

    def integer(self, low: int, high: int) -> int:
        """An integer in [low, high]; low is the simplest."""


class Seeded:
    """Decisions from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def integer(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))


@dataclass(frozen=True)
class Domain:
    """The open interval in which a function is tried, and the magnitude up to which it is tried in mode "large"."""

    low: float = -math.inf
    high: float = math.inf
    large: float = 1e4

    def values(self, rng: np.random.Generator, shape: Shape) -> np.ndarray:
        """Numbers of ordinary size."""
        if math.isfinite(self.low) and math.isfinite(self.high):
            return rng.uniform(self.low, self.high, shape)
        z = rng.normal(0.0, 1.5, shape)
        if math.isfinite(self.low):
            return self.low + np.exp(z)
        if math.isfinite(self.high):
            return self.high - np.exp(z)
        return z

    def holds(self, x: Any) -> Any:
        return (x > self.low) & (x < self.high)


REAL = Domain()
POSITIVE = Domain(low=0.0)
MODERATE = Domain(large=30.0)  # for functions that overflow early

# How the values of an example are chosen.
MODES = ("normal", "ties", "kinks", "special", "large", "tiny")
SPECIAL = (math.inf, -math.inf, math.nan, 0.0, -0.0)


@dataclass(frozen=True, eq=False)
class Input:
    """The values of one tensor and how they lie in memory. Strides and offset count elements of `buffer`."""

    buffer: np.ndarray
    shape: Shape
    strides: Shape
    offset: int = 0
    grad: bool = False
    layout: str = "C"

    @staticmethod
    def of(array: Any, grad: bool | None = None) -> Input:
        """The values of an array in C order; floats require grad."""
        array = np.asarray(array)
        return lay_out(array, "C", array.dtype.kind == "f" if grad is None else grad)

    @property
    def array(self) -> np.ndarray:
        return self.view(self.buffer)

    @property
    def dtype(self) -> np.dtype:
        return self.buffer.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def view(self, buffer: np.ndarray) -> np.ndarray:
        """`buffer` seen in this shape and layout."""
        size = buffer.itemsize
        return np.ndarray(self.shape, buffer.dtype, buffer, self.offset * size, [s * size for s in self.strides])

    def describe(self) -> str:
        return f"{self.dtype}{list(self.shape)}{'' if self.layout == 'C' else ' ' + self.layout}"


LAYOUTS = ("C", "transposed", "strided", "offset", "flipped", "broadcast")
KEEPING = LAYOUTS[:-1]  # in which every element stays as drawn


def lay_out(values: np.ndarray, layout: str, grad: bool, order: Sequence[int] | None = None) -> Input:
    """`values` in memory in another way. Memory between the elements holds nan (or -99), so a stray read shows.

    "broadcast" repeats the first row along a dimension (stride 0), so there the values change.
    """
    shape, n = values.shape, values.ndim
    garbage: Any = math.nan if values.dtype.kind == "f" else values.dtype.kind == "i" and -99
    if layout == "broadcast" and n and values.size:
        dim = max(range(n), key=lambda i: shape[i])
        first = np.ascontiguousarray(np.take(values, [0], dim))
        strides = [s // values.itemsize for s in first.strides]
        strides[dim] = 0
        return Input(first.ravel(), shape, tuple(strides), 0, grad, layout)
    if layout == "transposed" and n > 1:
        order = tuple(reversed(range(n))) if order is None else tuple(order)
        swapped = np.ascontiguousarray(values.transpose(order))
        inner = [s // values.itemsize for s in swapped.strides]
        strides = [0] * n
        for place, dim in enumerate(order):
            strides[dim] = inner[place]
        return Input(swapped.ravel(), shape, tuple(strides), 0, grad, layout)
    if layout == "strided" and n and values.size:
        wide = np.full((*shape[:-1], shape[-1] * 2), garbage, values.dtype)
        wide[..., ::2] = values
        strides = [s // values.itemsize for s in wide.strides]
        return Input(wide.ravel(), shape, (*strides[:-1], 2), 0, grad, layout)
    flat = np.ascontiguousarray(values).ravel()
    steps = [math.prod(max(k, 1) for k in shape[i + 1 :]) for i in range(n)]
    if layout == "offset":
        return Input(np.concatenate([np.full(3, garbage, values.dtype), flat]), shape, tuple(steps), 3, grad, layout)
    if layout == "flipped" and n and values.size:
        backwards = np.ascontiguousarray(values[..., ::-1]).ravel()
        return Input(backwards, shape, (*steps[:-1], -1), shape[-1] - 1, grad, layout)
    return Input(flat if flat.base is None else flat.copy(), shape, tuple(steps), 0, grad, "C")


@dataclass
class Draw:
    """What a case asks for its inputs. `mode`, `dtype` and `kinks` are set by the runner for a whole example."""

    source: Source
    mode: str = "normal"
    dtype: str = "float64"
    kinks: Sequence[float] = ()
    layouts: bool = True
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.source.integer(0, 2**32 - 1))

    # -- decisions

    def integer(self, low: int, high: int) -> int:
        """An integer in [low, high]."""
        return self.source.integer(low, high)

    def flag(self, probability: float = 0.5) -> bool:
        """True with this probability; False is the simpler."""
        return self.source.integer(0, 99) >= 100 * (1 - probability)

    def choice(self, options: Sequence[Any]) -> Any:
        """One of the options; the first is the simplest."""
        return options[self.source.integer(0, len(options) - 1)]

    def number(self, low: float = -2.0, high: float = 2.0) -> float:
        """A Python number with few digits."""
        return round(float(self.rng.uniform(low, high)), 3)

    # -- shapes

    def shape(self, min_dims: int = 0, max_dims: int = 4, min_side: int = 0, max_side: int = 5) -> Shape:
        """A shape; sides of 1 and, if min_side allows, of 0 come often enough to matter."""
        n = self.integer(min_dims, max_dims)
        sides = []
        for _ in range(n):
            kind = self.integer(0, 11)
            if kind == 11 and min_side == 0:
                sides.append(0)
            elif kind >= 9 and min_side <= 1:
                sides.append(1)
            else:
                sides.append(self.integer(max(2, min_side), max(max_side, 2)))
        return tuple(sides)

    def broadcastable(self, count: int = 2, max_dims: int = 4, min_side: int = 0, max_side: int = 5) -> list[Shape]:
        """Shapes that broadcast together: dimensions of a common shape are dropped in front or set to 1."""
        common = self.shape(0, max_dims, min_side, max_side)
        return [self.part(common) for _ in range(count)]

    def part(self, shape: Shape) -> Shape:
        """A shape that broadcasts to `shape`."""
        kept = shape[self.integer(0, len(shape)) if self.flag(0.3) else 0 :]
        return tuple(1 if self.flag(0.2) else n for n in kept)

    def dim(self, x: Any) -> int:
        """A dimension of x, counted from either end."""
        n = max(len(getattr(x, "shape", x)), 1)
        return self.integer(0, 2 * n - 1) - n if self.flag() else self.integer(0, n - 1)

    def dims(self, x: Any, none: bool = True, single: bool = True) -> Any:
        """None (all), one dimension or several distinct ones."""
        n = len(getattr(x, "shape", x))
        kind = self.integer(0, 3)
        if (kind == 0 and none) or (n == 0 and not single):
            return None if none else ()
        if (kind == 1 and single) or n == 0:
            return self.dim(x)
        chosen = [i for i in range(n) if self.flag()] or [n - 1]
        chosen = [i - n if self.flag(0.3) else i for i in chosen]
        return tuple(reversed(chosen)) if self.flag(0.3) else tuple(chosen)

    # -- arrays

    def values(self, shape: Shape, domain: Domain = REAL) -> np.ndarray:
        """Float64 values for this example's mode, within the domain (special values lie where they like)."""
        rng, mode = self.rng, self.mode
        x = domain.values(rng, shape)
        if mode == "ties":
            # Halves: few distinct values, so maxima tie, differences vanish and integers come up.
            tied = np.round(x * 2) / 2 if math.isinf(domain.high - domain.low) else np.round(x * 4) / 4
            x = np.where(domain.holds(tied), tied, x)
        elif mode == "kinks" and len(self.kinks):
            chosen = rng.choice(np.asarray(self.kinks, float), shape)
            x = np.where(rng.random(shape) < 0.5, chosen, x)
        elif mode == "special":
            x = np.where(rng.random(shape) < 0.3, rng.choice(np.asarray(SPECIAL), shape), x)
        elif mode == "large":
            big = x * domain.large / 3
            x = np.where(domain.holds(big), big, x)
        elif mode == "tiny":
            small = x * 1e-9
            x = np.where(domain.holds(small), small, x)
        return np.asarray(x)

    def tensor(
        self,
        shape: Shape | None = None,
        domain: Domain = REAL,
        grad: bool = True,
        dtype: str | None = None,
        layout: str | None = None,
        **limits: int,
    ) -> Input:
        """A floating tensor. `limits` are those of `shape`."""
        shape = self.shape(**limits) if shape is None else tuple(shape)
        dtype = dtype or self.dtype
        values = self.values(shape, domain)
        with np.errstate(over="ignore"):
            values = values.astype(dtype)
        if dtype == "float32" and math.isfinite(domain.low) and math.isfinite(domain.high):
            # An open interval stays open when rounded.
            with np.errstate(under="ignore"):
                low, high = (
                    np.nextafter(np.float32(domain.low), np.float32(9)),
                    np.nextafter(np.float32(domain.high), np.float32(-9)),
                )
            values = values.clip(low, high) if self.mode != "special" else values
        return self.lay(values, grad and np.dtype(dtype).kind == "f", layout)

    def tensors(self, count: int = 2, domain: Domain = REAL, grad: bool = True, **limits: int) -> list[Input]:
        """Floating tensors that broadcast together; now and then the same one twice."""
        made = [self.tensor(s, domain, grad) for s in self.broadcastable(count, **limits)]
        if count > 1 and self.flag(0.08):
            made[1] = made[0]
        return made

    def like(self, x: Input, domain: Domain = REAL, grad: bool = True) -> Input:
        """Another floating tensor of the shape of x."""
        return self.tensor(x.shape, domain, grad)

    def lay(self, values: np.ndarray, grad: bool, layout: str | None = None) -> Input:
        if layout is None:
            layout = self.choice(LAYOUTS) if self.layouts and self.flag(0.45) else "C"
        order = tuple(self.rng.permutation(values.ndim).tolist()) if layout == "transposed" else None
        return lay_out(values, layout, grad, order)

    def integers(
        self, shape: Shape | None = None, low: int = -5, high: int = 6, dtype: str = "int64", **limits: int
    ) -> Input:
        """Integers in [low, high); unsigned ones from 0."""
        shape = self.shape(**limits) if shape is None else tuple(shape)
        low = max(low, 0) if dtype == "uint8" else low
        return self.lay(self.rng.integers(low, max(high, low + 1), shape).astype(dtype), False)

    def mask(self, shape: Shape | None = None, probability: float = 0.5, **limits: int) -> Input:
        """Booleans."""
        shape = self.shape(**limits) if shape is None else tuple(shape)
        return self.lay(np.asarray(self.rng.random(shape) < probability), False)

    def any_dtype(self, shape: Shape | None = None, domain: Domain = REAL, **limits: int) -> Input:
        """A tensor of any dtype: for functions that take them all."""
        shape = self.shape(**limits) if shape is None else tuple(shape)
        kind = self.choice(("float64", "float32", "int64", "int32", "uint8", "bool"))
        if kind == "bool":
            return self.mask(shape)
        return self.integers(shape, dtype=kind) if kind[0] in "iu" else self.tensor(shape, domain, dtype=kind)

    def distinct(self, shape: Shape, grad: bool = True) -> Input:
        """Values no two of which are equal or near: where the order of ties is left open by PyTorch."""
        n = math.prod(shape)
        values = (self.rng.permutation(n).reshape(shape) * 0.37 - n * 0.17).astype(self.dtype)
        return self.lay(values, grad, self.choice(KEEPING))

    def permutation(self, n: int) -> Input:
        """0 to n - 1 in some order, each once: a function that scatters by it leaves no place as it found it."""
        return self.lay(self.rng.permutation(n), False, self.choice(KEEPING))

    def cotangent(self, shape: Shape, dtype: str) -> Input:
        """A random gradient of an output: never ones, under which half of all faults cancel. At times a broadcast view."""
        values = self.rng.normal(0.0, 1.0, shape).astype(dtype)
        kind = self.rng.integers(0, 10)
        layout = "broadcast" if kind == 0 else "strided" if kind == 1 else "transposed" if kind == 2 else "C"
        return lay_out(values, layout, False)
