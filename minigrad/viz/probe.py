"""A model asked, in the midst of its training, without a trace: what it says of the data and of a grid around them."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..autograd.modes import no_grad
from ..autograd.variable import Array, Variable, wrap
from ..foreign import said
from ..nn.module import Module
from ..nn.parameter import is_lazy
from ..random import fork_rng

ROWS = 1000  # of the data that are asked: of more, evenly taken ones
POINTS = 300  # of them that are drawn
SIDE, ALONG = 40, 160  # places of the grid: 40 x 40 in a plane, 160 on a line
CURVES, CLASSES = 4, 30


class Probe:
    """Asks a model at the rows of `x`, with `y` beside, and over their surroundings where rows have one or two numbers.

    kind: "plane", "line" or "" for other inputs. trouble: why there is nothing to be asked any more.
    """

    def __init__(self, model: Module, x: Any = None, y: Any = None) -> None:
        self.model, self.kind, self.trouble = model, "", ""
        self.grid: Array | None = None
        self.ends: list[tuple[float, float]] = []
        self.rows = 0  # of the data that were given
        self.x: tuple[Variable, ...] = ()
        self.y: Array | None = None
        if x is not None:
            given = tuple(x) if isinstance(x, tuple | list) else (x,)
            lengths = {part.array.shape[:1] for part in given if isinstance(part, Variable)}
            if not all(isinstance(part, Variable) for part in given) or len(lengths) != 1 or () in lengths:
                raise TypeError(
                    "viz.watch: data=(x, y) wants tensors of as many rows, x a tensor or a tuple of them, not "
                    + ", ".join(map(said, given))
                )
            self.rows = next(iter(lengths))[0]
            chosen = evenly(self.rows, ROWS)
            self.x = tuple(wrap(part.array[chosen]) for part in given)
            if y is not None:
                if not isinstance(y, Variable) or y.array.shape[:1] != (self.rows,):
                    raise TypeError(f"viz.watch: data=(x, y) wants a tensor y of {self.rows} rows, as x has")
                self.y = y.array[chosen]
            self.surround(self.x[0])

    def surround(self, x: Variable) -> None:
        """Lay the grid around the rows of x, where they have one or two numbers."""
        a = x.array
        if a.ndim != 2 or a.shape[1] not in (1, 2) or a.dtype.kind != "f" or len(self.x) > 1:
            return
        rows = a[np.isfinite(a).all(axis=1)].astype(np.float64)
        if not len(rows):
            return
        low, high = rows.min(0), rows.max(0)
        margin = np.where(high > low, 0.15 * (high - low), 1.0)
        self.ends = [(float(v), float(w)) for v, w in zip(low - margin, high + margin, strict=True)]
        if a.shape[1] == 1:
            grid = np.linspace(*self.ends[0], ALONG)[:, None]
        else:
            across, up = (np.linspace(*ends, SIDE) for ends in self.ends)
            grid = np.stack(np.meshgrid(across, up), -1).reshape(-1, 2)
        self.kind, self.grid = ("line" if a.shape[1] == 1 else "plane"), grid.astype(a.dtype)

    def ask(self) -> dict[str, Any] | None:
        """map, curve, confusion, outputs: what the model says now. None where it cannot be asked."""
        if self.trouble or not (self.x or self.grid is not None) or any(map(is_lazy, self.model.parameters())):
            return None
        told: dict[str, Any] = {}
        try:
            with aside(self.model):
                if self.grid is not None:
                    said = outputs(self.model(wrap(self.grid.copy())), len(self.grid))
                    told["curve" if self.kind == "line" else "map"] = said[:, :CURVES] if self.kind == "line" else said
                if self.y is not None:
                    said = outputs(self.model(*self.x), len(self.x[0].array))
                    told |= compared(said, self.y)
        except Exception as error:  # the model is code of the program, and a picture less is better than no training
            self.trouble = (
                f"The model could not be asked for pictures: {type(error).__name__}: {str(error)[:200]}. It is asked in "
                "evaluation mode, with the rows of data=(x, y)."
            )
            return None
        return told


def evenly(n: int, most: int) -> Any:
    """All of n rows, or as many as `most`, evenly."""
    return slice(None) if n <= most else np.linspace(0, n - 1, most).astype(int)


def outputs(out: Any, rows: int) -> Array:
    """What a model returned as (rows, numbers of each)."""
    if isinstance(out, tuple | list) and out:
        out = out[0]
    if not isinstance(out, Variable):
        raise TypeError(f"it returned {said(out)}, not a tensor")
    a = out.array
    if a.shape[:1] != (rows,) or a.ndim > 2 or a.dtype.kind != "f":
        raise ValueError(f"it returned {list(a.shape)}, and numbers of {rows} rows are wanted")
    return np.array(a.reshape(rows, -1), np.float64)


def classes_of(y: Array, numbers: int) -> Array | None:
    """The class of each row, from 0; None where y holds no classes."""
    if y.ndim == 2 and y.shape[1] == numbers > 1 and y.dtype.kind == "f":
        one_hot = bool(((y == 0) | (y == 1)).all() and (y.sum(1) == 1).all())
        return y.argmax(1) if one_hot else None
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1 or y.dtype.kind == "c":
        return None
    if numbers > 1:
        whole = y.dtype.kind in "iu" and len(y) and y.min() >= 0 and y.max() < numbers <= CLASSES
        return y.astype(np.int64) if whole else None
    values = set(np.unique(y).tolist())
    return (y > 0).astype(np.int64) if values <= {0, 1} or values <= {-1, 1} else None


def compared(said: Array, y: Array) -> dict[str, Any]:
    """The confusion of a classifier: rows are true classes, columns those that were said.

    One number a row says class 1 from 0 on, or where it is a probability from 1/2 on: both are counted, and which holds is known
    when all was seen.
    """
    numbers = said.shape[1]
    true = classes_of(y, numbers)
    if true is None:
        return {}

    def count(chosen: Array) -> list[list[int]]:
        k = max(2, numbers)
        return [[int(n) for n in row] for row in np.bincount(true * k + chosen, minlength=k * k).reshape(k, k)]

    unknown = ~np.isfinite(said).all(1)
    told: dict[str, Any] = {"unknown": int(unknown.sum())} if unknown.any() else {}
    true, said = true[~unknown], said[~unknown]
    if numbers > 1:
        return told | {"confusion": count(said.argmax(1))}
    said = said[:, 0]
    inside = bool(((said >= 0) & (said <= 1)).all())
    return told | {"confusion": count((said > 0) * 1), "confusion_half": count((said > 0.5) * 1), "probability": inside}


@contextlib.contextmanager
def aside(model: Module) -> Iterator[None]:
    """The model in evaluation mode, recording nothing; afterwards it, its buffers and all random streams are as before."""
    modules = list(model.modules())
    kept = [
        (m, dict(m.__dict__), [(own, dict(own)) for own in (m._parameters, m._buffers, m._modules)]) for m in modules
    ]
    buffers = [(b.array, b.array.copy()) for b in model.buffers() if isinstance(b, Variable) and not is_lazy(b)]
    numpy_state, python_state = np.random.get_state(), random.getstate()
    try:
        with fork_rng(), no_grad():
            for m in modules:
                m.__dict__["training"] = False
            yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)
        for array, value in buffers:
            if array.tobytes() != value.tobytes():
                array[...] = value
        for m, attributes, inside in kept:
            for own, entries in [(m.__dict__, attributes), *inside]:
                for name in own.keys() - entries.keys():
                    del own[name]
                own.update(entries)
