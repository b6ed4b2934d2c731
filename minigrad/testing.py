"""Comparing values in tests, with PyTorch's tolerances. PyTorch: torch.testing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from . import missing
from .foreign import said
from .tensor import Tensor

__all__ = ["assert_close"]

_TOLERANCES = {"float64": (1e-7, 1e-7), "float32": (1.3e-6, 1e-5), "float16": (1e-3, 1e-5)}  # relative and absolute


def _default(*dtypes: str) -> tuple[float, float]:
    found = [_TOLERANCES.get(d, (0.0, 0.0)) for d in dtypes]
    return max(r for r, _ in found), max(a for _, a in found)


def assert_close(
    actual: Any, expected: Any, *, allow_subclasses: bool = True, rtol: float | None = None, atol: float | None = None,
    equal_nan: bool = False, check_device: bool = True, check_dtype: bool = True, check_layout: bool = True,
    check_stride: bool = False, msg: str | Callable[[str], str] | None = None,
) -> None:  # fmt: skip
    """AssertionError unless |actual - expected| <= atol + rtol · |expected| everywhere, and shape and dtype are the same.

    Tensors, numbers, arrays, and sequences and mappings of them. Without tolerances: by dtype, rtol 1.3e-6 and atol 1e-5
    for float32, 1e-7 for float64, 0 for integers. msg: a text in place of the message, or a function of it.
    PyTorch: torch.testing.assert_close.
    """
    if (rtol is None) != (atol is None):
        raise ValueError(
            f"Both 'rtol' and 'atol' must be either specified or unspecified, but got no {'rtol' if rtol is None else 'atol'}"
        )
    settings = {
        "allow_subclasses": allow_subclasses, "rtol": rtol, "atol": atol, "equal_nan": equal_nan, "check_dtype": check_dtype,
        "check_stride": check_stride,
    }  # fmt: skip
    text = _difference(actual, expected, settings, "")
    if text is not None:
        raise AssertionError(text if msg is None else msg(text) if callable(msg) else msg)


def _difference(actual: Any, expected: Any, settings: dict[str, Any], where: str) -> str | None:
    """What is different, or None."""
    place = f"\n\nThe failure occurred for item {where}" if where else ""
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        if actual.keys() != expected.keys():
            raise AssertionError(
                f"The keys of the mappings do not match:\nMissing keys in the actual mapping: "
                f"{sorted(expected.keys() - actual.keys())}\nAdditional keys in the actual mapping: "
                f"{sorted(actual.keys() - expected.keys())}{place}"
            )
        return _first(((actual[k], expected[k], k) for k in actual), settings, where)
    if isinstance(actual, Sequence) and isinstance(expected, Sequence) and not isinstance(actual, str):
        if len(actual) != len(expected):
            raise AssertionError(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}{place}")
        triples = ((a, e, i) for i, (a, e) in enumerate(zip(actual, expected, strict=True)))
        return _first(triples, settings, where)
    if actual is None and expected is None:
        return None
    numbers = isinstance(actual, int | float) and isinstance(expected, int | float)
    arrays = [_array(x) for x in (actual, expected)]
    if any(a is None for a in arrays):
        raise TypeError(
            f"No comparison pair was able to handle inputs of type {said(actual)} and {said(expected)}.{place}"
        )
    if not numbers and isinstance(actual, int | float) != isinstance(expected, int | float):
        raise TypeError(
            f"No comparison pair was able to handle inputs of type {said(actual)} and {said(expected)}.{place}"
        )
    if not settings["allow_subclasses"] and type(actual) is not type(expected):
        raise AssertionError(f"The classes of the inputs do not match: {type(actual)} != {type(expected)}")
    text = _of_arrays(arrays[0], arrays[1], settings, numbers)
    return None if text is None else text + place


def _first(triples: Any, settings: dict[str, Any], where: str) -> str | None:
    for a, e, key in triples:
        text = _difference(a, e, settings, f"{where}[{key!r}]")
        if text is not None:
            return text
    return None


def _array(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x.array
    return np.asarray(x) if isinstance(x, np.ndarray | np.generic | int | float) else None


def _of_arrays(a: Any, e: Any, settings: dict[str, Any], numbers: bool) -> str | None:
    if a.shape != e.shape:
        return f"The values for attribute 'shape' do not match: torch.Size({list(a.shape)}) != torch.Size({list(e.shape)})."
    if settings["check_dtype"] and not numbers and a.dtype != e.dtype:
        return f"The values for attribute 'dtype' do not match: torch.{a.dtype} != torch.{e.dtype}."
    if settings["check_stride"] and a.strides != e.strides:
        return f"The values for attribute 'stride()' do not match: {_steps(a)} != {_steps(e)}."
    default = _default(str(a.dtype), str(e.dtype))
    rtol, atol = (default[i] if settings[n] is None else settings[n] for i, n in enumerate(("rtol", "atol")))
    wide = np.float64 if a.dtype.kind == "f" or e.dtype.kind == "f" else object
    x, y = a.astype(wide), e.astype(wide)
    with np.errstate(all="ignore"):
        gap = np.abs(x - y)
        close = (x == y) | (np.isfinite(np.asarray(gap, float)) & (gap <= atol + rtol * np.abs(y)))
        if settings["equal_nan"] and wide is np.float64:
            close = close | (np.isnan(x) & np.isnan(y))
        if bool(np.all(close)):
            return None
        gap = np.where(close, 0, gap).astype(float)
        part = np.where(close, 0, gap / np.abs(y).astype(float))
    if numbers or a.ndim == 0:
        kind = "Scalars" if a.ndim == 0 else "Tensor-likes"
        allowed = (f" (up to {atol} allowed)", f" (up to {rtol} allowed)") if rtol or atol else ("", "")
        head = (
            f"Expected {e.item()} but got {a.item()}."
            if not (rtol or atol)
            else f"{kind} are not close!\n\nExpected {e.item()} but got {a.item()}."
        )
        return f"{head}\nAbsolute difference: {float(gap)}{allowed[0]}\nRelative difference: {float(part)}{allowed[1]}"
    wrong = int(a.size - np.count_nonzero(close))
    at, rel_at = (tuple(map(int, np.unravel_index(int(np.argmax(d)), d.shape))) for d in (gap, part))
    return (
        f"Tensor-likes are not {'close' if rtol or atol else 'equal'}!\n\nMismatched elements: {wrong} / {a.size} "
        f"({wrong / a.size * 100:.1f}%)\nGreatest absolute difference: {gap[at]} at index {at} (up to {atol} allowed)\n"
        f"Greatest relative difference: {part[rel_at]} at index {rel_at} (up to {rtol} allowed)"
    )


def _steps(x: Any) -> tuple[int, ...]:
    return tuple(s // x.itemsize for s in x.strides)


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
