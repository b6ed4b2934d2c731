"""A tensor in few bytes: all its numbers where they are few, else a heat map, a histogram, and its range."""

from __future__ import annotations

import base64
import hashlib
import math
from typing import Any

import numpy as np

from .. import quiet
from ..autograd.variable import Array

FEW = 256  # elements whose numbers are written out, to the last digit
ROWS, COLUMNS = 32, 48  # cells of a heat map of more
BINS = 24


def number(x: Any) -> str:
    """A number with four digits: 0.3333, -12, 1.2e-07, nan."""
    x = float(x)
    if not math.isfinite(x):
        return "nan" if math.isnan(x) else "inf" if x > 0 else "-inf"
    if x == int(x) and abs(x) < 1e5:
        return str(int(x))
    text = f"{x:.4g}"
    return text if "e" not in text else text.replace("e-0", "e-").replace("e+0", "e")


def brief(x: Array | None) -> str:
    """The value of one element, all of a few, or the range."""
    if x is None:
        return "-"
    if x.size == 0:
        return "empty"
    if x.size == 1:
        return number(x.reshape(-1)[0])
    if x.size <= 6 and x.ndim == 1:
        return "[" + " ".join(number(v) for v in x) + "]"
    finite = x[np.isfinite(x)] if x.dtype.kind == "f" else x
    if finite.size == 0:
        return "nan" if np.isnan(x).any() else "inf"
    text = f"{number(finite.min())} .. {number(finite.max())}"
    return text if finite.size == x.size else text + f", {x.size - finite.size} not finite"


class Pool:
    """The tensors of a page, each once. `mid`: up to how many elements all are there, as float32 (what that cannot hold as float64);
    `plain`: only ranges."""

    def __init__(self, mid: int, plain: bool = False) -> None:
        self.mid, self.plain = mid, plain
        self.made: list[dict[str, Any]] = []
        self.places: dict[bytes, int] = {}  # by what they hold
        self.seen: dict[int, tuple[Array, int]] = {}  # by id

    def put(self, x: Array | None) -> int | None:
        """The number of the tensor in the pool."""
        if x is None:
            return None
        known = self.seen.get(id(x))
        if known is not None:
            return known[1]
        given, x = x, np.ascontiguousarray(x).reshape(x.shape)
        key = (
            hashlib.blake2b(x.reshape(-1).view(np.uint8).data, digest_size=16).digest()
            + repr((x.shape, x.dtype.str)).encode()
        )
        if key not in self.places:
            self.places[key] = len(self.made)
            self.made.append(self._describe(x))
        self.seen[id(given)] = given, self.places[key]
        return self.places[key]

    @quiet.quiet
    def _describe(self, x: Array) -> dict[str, Any]:
        told: dict[str, Any] = {"s": list(x.shape), "t": str(x.dtype), "n": int(x.size)}
        if x.dtype.kind == "b":
            x = x.astype(np.int8)
        finite = x[np.isfinite(x)] if x.dtype.kind == "f" else x
        if finite.size:
            wide = finite.astype(np.float64)
            told["lo"], told["hi"] = float(finite.min()), float(finite.max())
            if not self.plain:
                told["mean"], told["std"] = float(wide.mean()), float(wide.std())
        if x.size != finite.size:
            told["bad"] = int(x.size - finite.size)
        if x.size <= (4 if self.plain else FEW):
            told["v"] = [_plain(v) for v in x.ravel()]
        elif self.plain:
            pass
        elif x.size <= self.mid:
            short = x.astype("<f4")
            fits = np.array_equal(np.isfinite(short), np.isfinite(x)) and np.array_equal(short != 0, x != 0)
            told["b" if fits else "d"] = base64.b64encode((short if fits else x.astype("<f8")).tobytes()).decode()
        else:
            told["heat"], told["hist"] = _heat(x), _histogram(finite)
        return told


def _plain(v: Any) -> Any:
    """A number as JSON has it: of float32 the shortest text that means it; what is not finite as text."""
    v = v.item() if v.dtype.kind != "f" or v.dtype.itemsize == 8 else float(str(v))
    if isinstance(v, float) and not math.isfinite(v):
        return "nan" if math.isnan(v) else "inf" if v > 0 else "-inf"
    return int(v) if isinstance(v, float) and v == int(v) and abs(v) < 1e15 else v


def _heat(x: Array) -> dict[str, Any]:
    """Means of blocks of the tensor as one matrix, by its last dimension, in 255 steps."""
    matrix = x.reshape(-1, x.shape[-1]) if x.ndim else x.reshape(1, 1)
    if x.ndim == 1:
        matrix = x.reshape(1, -1)
    rows, columns = min(matrix.shape[0], ROWS), min(matrix.shape[1], COLUMNS)
    at_row = np.linspace(0, matrix.shape[0], rows + 1).astype(int)[:-1]
    at_column = np.linspace(0, matrix.shape[1], columns + 1).astype(int)[:-1]
    with np.errstate(all="ignore"):
        sums = np.add.reduceat(np.add.reduceat(matrix.astype(np.float64), at_row, 0), at_column, 1)
        counts = np.diff([*at_row, matrix.shape[0]])[:, None] * np.diff([*at_column, matrix.shape[1]])
        means = np.nan_to_num(sums / counts, nan=0, posinf=0, neginf=0)
    largest = float(np.abs(means).max()) or 1.0
    cells = np.round(means / largest * 127).astype(np.int8)
    block = [math.ceil(matrix.shape[0] / rows), math.ceil(matrix.shape[1] / columns)]
    return {
        "r": rows,
        "c": columns,
        "max": largest,
        "block": block,
        "b": base64.b64encode(cells.tobytes()).decode(),
    }


def _histogram(finite: Array) -> dict[str, Any] | None:
    if not finite.size:
        return None
    lo, hi = float(finite.min()), float(finite.max())
    if lo == hi or not math.isfinite(
        hi - lo
    ):  # all alike: no histogram; of the size of the largest numbers: none can be made
        return None
    counts, _ = np.histogram(finite.astype(np.float64), BINS, (lo, hi))
    return {"lo": lo, "hi": hi, "k": [int(k) for k in counts]}
