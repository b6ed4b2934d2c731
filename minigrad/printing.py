"""How a tensor is shown: PyTorch's layout, so that the same program prints the same lines in both engines.

All elements of a tensor share one format: integers, fixed point with `precision` digits, or scientific where the
magnitudes differ by more than 1000, exceed 1e8 or fall below 1e-4. Above `threshold` elements only the edges appear.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from . import dtypes
from .quiet import quiet

_DEFAULT = {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80, "sci_mode": None}
_PROFILES: dict[str, dict[str, Any]] = {
    "default": _DEFAULT,
    "short": _DEFAULT | {"precision": 2, "edgeitems": 2},
    "full": _DEFAULT | {"threshold": math.inf},
}
options = SimpleNamespace(**_DEFAULT)


def set_printoptions(
    precision: int | None = None, threshold: float | None = None, edgeitems: int | None = None,
    linewidth: int | None = None, profile: str | None = None, sci_mode: bool | None = None,
) -> None:  # fmt: skip
    """Change how tensors are printed: digits, elements before a summary, items at its edges, columns.

    profile: "default", "short" or "full", before the others. PyTorch: torch.set_printoptions.
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"profile must be one of {sorted(_PROFILES)}, got {profile!r}")
        options.__dict__.update(_PROFILES[profile])
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    options.__dict__.update({name: value for name, value in given.items() if value is not None})
    options.sci_mode = sci_mode


class _Format:
    """The one format of all elements of an array."""

    def __init__(self, values: np.ndarray) -> None:
        self.kind = values.dtype.kind
        self.scientific = False
        self.whole = True  # every value is an integer: print "3." for 3.0
        self.width = 1
        if self.kind != "f":
            self.width = max((len(str(v)) for v in values.ravel().tolist()), default=1)
            return
        values = values.astype(np.float64)
        finite = values[np.isfinite(values) & (values != 0)]
        if finite.size == 0:
            self.width = max((len(self._text(v)) for v in values.ravel().tolist() if not math.isfinite(v)), default=1)
            return
        magnitude = np.abs(finite)
        largest, smallest = magnitude.max(), magnitude.min()
        self.whole = bool((finite == np.ceil(finite)).all())
        self.scientific = largest / smallest > 1000 or largest > 1e8 or (not self.whole and smallest < 1e-4)
        if options.sci_mode is not None:
            self.scientific = options.sci_mode
        self.width = max(len(self._text(v)) for v in finite.ravel().tolist())

    def _text(self, value: Any) -> str:
        if self.kind != "f":
            return str(value)
        if self.scientific:
            return f"{value:.{options.precision}e}"
        if self.whole:
            return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"
        return f"{value:.{options.precision}f}"

    def __call__(self, value: Any) -> str:
        return self._text(value).rjust(self.width)


def _body(array: np.ndarray, indent: int, summarize: bool, form: _Format) -> str:
    """The nested brackets of an array whose text begins at column `indent`."""
    if array.ndim == 0:
        return form(array.item())
    edge = options.edgeitems
    cut = summarize and array.shape[0] > 2 * edge
    if array.ndim == 1:
        per_line = max(1, (options.linewidth - indent) // (form.width + 2))
        items = [form(v) for v in (array[:edge] if cut else array).tolist()]
        if cut:
            items += [" ...", *(form(v) for v in array[-edge:].tolist())]
        lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    rows = range(array.shape[0])
    chosen = [*rows[:edge], *rows[-edge:]] if cut else rows
    parts = [_body(array[i], indent + 1, summarize, form) for i in chosen]
    if cut:
        parts.insert(edge, "...")
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(parts) + "]"


def _edges(array: np.ndarray) -> np.ndarray:
    """The elements that a summary shows."""
    for axis, n in enumerate(array.shape):
        if n > 2 * options.edgeitems:
            keep = [*range(options.edgeitems), *range(n - options.edgeitems, n)]
            array = array.take(keep, axis)
    return array


@quiet
def tensor_repr(x: Any) -> str:
    """The text of a tensor: values, then what is not evident from them (dtype, size, grad_fn, requires_grad)."""
    array = x.array
    start = "tensor("
    suffixes = []
    if array.size == 0:
        text = "[]"
        if array.ndim != 1:
            suffixes.append(f"size={tuple(array.shape)}")
    else:
        summarize = array.size > options.threshold
        text = _body(array, len(start), summarize, _Format(_edges(array) if summarize else array))
    evident = [dtypes.default_numpy()] + ([np.dtype(np.int64), np.dtype(np.bool_)] if array.size else [])
    if array.dtype not in evident:
        suffixes.append(f"dtype={dtypes.from_numpy(array.dtype)}")
    if x.grad_fn is not None:
        suffixes.append(f"grad_fn=<{type(x.grad_fn).__name__}>")
    elif x.requires_grad:
        suffixes.append("requires_grad=True")
    text = start + text
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > options.linewidth:
            text += ",\n" + " " * len(start) + suffix
            column = len(start) + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"
