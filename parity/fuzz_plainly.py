"""A call of the fuzzer said otherwise: what PyTorch answers when it is asked for the same thing plainly.

Where minigrad takes more than PyTorch does, or keeps what PyTorch overwrites, a reason (fuzz_reasons.py) names the way in which
the call can be said so that both must agree. `holds` makes that call in PyTorch: only if minigrad's answer to the call as it was
is PyTorch's to the plain one is the difference excused. A wrong value in the same call is then still found.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from .engines import TORCH
from .fuzz_kinds import Call, New, Part, T

# (What is computed of whole numbers alone is computed in float32.)
TOLERANCES = {"float64": 1e-9, "float32": 2e-4, "float16": 2e-2, "int64": 1e-6, "int32": 1e-6, "int16": 1e-6, "int8": 1e-6, "uint8": 1e-6, "bool": 1e-6}  # fmt: skip


def _each(x: Any, change: Callable[[Any], Any]) -> Any:
    """The argument with `change` made to each of its parts."""
    if isinstance(x, list | tuple):
        return type(x)(_each(y, change) for y in x)
    if isinstance(x, dict):
        return {k: _each(v, change) for k, v in x.items()}
    if isinstance(x, New):
        return New(_all(x.call, change))
    return change(x)


def _all(call: Call, change: Callable[[Any], Any]) -> Call:
    return replace(
        call,
        args=[_each(a, change) for a in call.args],
        kwargs={k: _each(v, change) for k, v in call.kwargs.items()},
        then=tuple(_each(x, change) for x in call.then),
    )


def _seen(x: T) -> np.ndarray:
    """What the tensor shows: where it is expanded its first row everywhere."""
    return np.broadcast_to(x.values[:1], x.values.shape) if x.memory == "expanded" and x.values.ndim else x.values


def tensors(call: Call) -> list[T]:
    """All tensors of a call, those that its objects are made of too."""
    found: list[T] = []

    def note(x: Any) -> Any:
        if isinstance(x, T):
            found.append(replace(x, values=_seen(x)))
        return x

    _all(call, note)
    return found


# -- the ways to say it


def apart(call: Call) -> Call:
    """No two arguments on one memory, and no out=."""
    held: dict[Any, Any] = {**dict(enumerate(call.args)), **call.kwargs}

    def copied(x: Any) -> Any:
        if not isinstance(x, Part):
            return x
        of = held[x.place]
        values = of.values
        if x.how == "first row" and values.ndim:
            values = values[:1]
        elif x.how == "turned" and values.ndim:
            values = values.swapaxes(0, -1)
        return T(values.copy())

    plain = _all(replace(call, kwargs={k: v for k, v in call.kwargs.items() if k != "out"}), copied)
    return plain


def numbers(call: Call) -> Call:
    """Python's numbers and truths in the place of NumPy's, and of tensors that hold one and want no gradient."""

    def item(x: Any) -> Any:
        return x.item() if isinstance(x, np.generic) else x

    def plain(x: Any) -> Any:
        return x.values.item() if isinstance(x, T) and not x.values.ndim and not x.grad else item(x)

    of_object = bool(call.args) and isinstance(call.args[0], New)
    if (
        call.name.rpartition(".")[2][:1].isupper() or not call.args or of_object
    ):  # what makes an object: its inputs stay tensors
        return replace(_all(call, plain), then=[_each(x, item) for x in call.then])
    n = next((i for i, x in enumerate(call.args) if isinstance(x, T)), 0)  # of a function the first tensor stays one
    rest = _all(replace(call, args=[*call.args[:n], *call.args[n + 1 :]]), plain)
    return replace(rest, args=[*rest.args[:n], _each(call.args[n], item), *rest.args[n:]])


def contiguous(call: Call) -> Call:
    """The elements of each tensor after one another in memory."""
    return _all(call, lambda x: replace(x, values=_seen(x).copy(), memory="") if isinstance(x, T) else x)


def of_one_type(call: Call) -> Call:
    """All numbers in float64."""
    return _all(call, lambda x: replace(x, values=x.values.astype(np.float64)) if isinstance(x, T) and x.values.dtype != bool else x)  # fmt: skip


def floating(call: Call) -> Call:
    """All tensors, those of truths too, in float64."""
    return _all(call, lambda x: replace(x, values=x.values.astype(np.float64)) if isinstance(x, T) else x)


def out_of_place(call: Call) -> Call:
    """The function that writes into a new tensor."""
    kwargs = {k: v for k, v in call.kwargs.items() if k != "inplace"}
    return replace(apart(call), name=call.name.rstrip("_"), kwargs=kwargs)


def by_position(call: Call) -> Call:
    """What is given by a name of minigrad's, or of NumPy's, at its place or under PyTorch's name."""
    from .fuzz_calls import NUMPY_NAMES, parameters

    meant = {theirs: ours for ours, theirs in NUMPY_NAMES.items()} | {"a": "input", "x1": "input"}
    names = parameters(call.name)
    call = replace(call, name=call.name.replace("subtract", "sub"))
    if call.kwargs.get("keepdim") is False and "dim" not in call.kwargs:  # of all dimensions none is kept
        call = replace(call, kwargs={k: v for k, v in call.kwargs.items() if k != "keepdim"})
    kwargs = {meant.get(k, k) if meant.get(k, k) in names else k: v for k, v in call.kwargs.items()}
    args = list(call.args)
    for name in names[len(args) :]:
        if name not in kwargs:
            break
        args.append(kwargs.pop(name))
    return replace(call, args=args, kwargs=kwargs)


def whole(call: Call) -> Call:
    """All dimensions in the place of none."""
    return _all(replace(call, args=[None if a in ((), []) else a for a in call.args], kwargs={k: None if v in ((), []) else v for k, v in call.kwargs.items()}), lambda x: x) if not any(isinstance(a, np.ndarray) for a in call.args) else call  # fmt: skip


def floats(call: Call) -> Call:
    """Whole numbers of more than 32 bits as floats."""
    return _all(call, lambda x: float(x) if type(x) is int and abs(x) >= 2**31 else x)


def floating_numbers(call: Call) -> Call:
    """Floats in the place of the truths that are given by name, those in tensors without dimensions too."""

    def plain(x: Any) -> Any:
        truth = isinstance(x, bool | np.bool_) or (isinstance(x, T) and not x.values.ndim and x.values.dtype == bool)
        return float(x.values if isinstance(x, T) else x) if truth else x

    return replace(call, kwargs={k: plain(v) for k, v in call.kwargs.items()})


def counted(call: Call) -> Call:
    """0 and 1 in the place of truths."""
    return _all(call, lambda x: int(x) if isinstance(x, bool | np.bool_) else x)


def float64_by_default(call: Call) -> Call:
    """The same call where numbers of no type are of float64."""
    return call


def exact_bessel(call: Call) -> Call:
    """The same call where VonMises takes its Bessel functions from torch.special, which has them to the last digits."""
    return call


def close_in_one_type(call: Call) -> Call:
    """The same call where GeneralizedPareto compares its concentration with a 0 of the concentration's own type."""
    return call


def in_range(call: Call) -> Call:
    """Of numbers that 32 bits do not hold 2 to the power of 100 in their place, whose inverse they hold exactly."""
    return _all(call, lambda x: float(np.copysign(2.0**100, x)) if type(x) is float and 3.4e38 < abs(x) < np.inf else x)


def nearer(call: Call) -> Call:
    """All numbers in float64, also those of modules: that minigrad's float32 answer lies nearer to it than PyTorch's."""
    return of_one_type(call)


def nearer_of_all(call: Call) -> Call:
    """The same as `nearer`, as a part of the largest element of all: of gradients that are 0 but for rounding."""
    return of_one_type(call)


def constant(call: Call) -> Call:
    """No tensor wants a gradient."""
    return _all(call, lambda x: replace(x, grad=False) if isinstance(x, T) else x)


def fewer(call: Call) -> Call:
    """A million in the place of whole numbers of more than 31 bits."""
    return _all(call, lambda x: 10**6 if type(x) is int and x >= 2**31 else x)


def narrowed(call: Call) -> Call:
    """The view in the place of the copy."""
    return replace(call, name=call.name.replace("narrow_copy", "narrow"))


def named_and_constant(call: Call) -> Call:
    """As `by_position`, and no tensor wants a gradient."""
    return constant(by_position(call))


def without_none(call: Call) -> Call:
    """What is None left out, and what stands behind it named."""
    from .fuzz_calls import parameters

    names = parameters(call.name)
    n = next((i for i, a in enumerate(call.args) if a is None), len(call.args))
    named = {names[i]: a for i, a in enumerate(call.args) if i > n and i < len(names)}
    kwargs = {k: v for k, v in {**named, **call.kwargs}.items() if v is not None}
    return replace(call, args=list(call.args[:n]), kwargs=kwargs)


def from_the_front(call: Call) -> Call:
    """Inputs of a derivative that are counted from the back counted from the front."""

    def front(x: Any) -> Any:
        return x + len(call.then) if type(x) is int and x < 0 else x

    kwargs = {k: _each(v, front) if k == "argnums" else v for k, v in call.kwargs.items()}
    return replace(call, args=[*call.args[:1], *(_each(a, front) for a in call.args[1:])], kwargs=kwargs)


PLAINLY: dict[str, Callable[[Call], Call]] = {
    f.__name__: f
    for f in (
        apart, numbers, contiguous, of_one_type, floating, out_of_place, by_position, without_none,
        whole, floats, floating_numbers, float64_by_default, constant, in_range, nearer, nearer_of_all,
        from_the_front, exact_bessel, close_in_one_type, counted,
        named_and_constant, fewer, narrowed,
    )
}  # fmt: skip
# In other types than the call's: results are compared by value, as closely as the narrowest type of the call allows.
_OTHER_TYPES = ("of_one_type", "floating", "floating_numbers", "apart")
_IN_DOUBLES = ("float64_by_default", "nearer", "nearer_of_all")  # float64 is the default type there


# -- what is compared


def _elements(x: Any) -> np.ndarray:
    return x[2].astype(np.float64) if isinstance(x, tuple) else np.asarray(np.nan)


def _near(a: np.ndarray, b: np.ndarray, tolerance: float, but: np.ndarray | None = None) -> bool:
    """Whether all elements are alike, except where `but` is True."""
    if a.shape != b.shape:
        return False
    with np.errstate(all="ignore"):
        finite = np.isfinite(b)
        scale = float(np.abs(b[finite]).max()) if finite.any() else 0.0
        same = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= tolerance * (scale + 1e-3))
    if but is not None and but.shape == same.shape:
        same = same | but
    return bool(same.all())


def _values_alike(ours: list[Any], theirs: list[Any], tolerance: float, but: np.ndarray | None = None) -> bool:
    if len(ours) != len(theirs):
        return False
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(a, tuple) != isinstance(b, tuple):  # a tensor without dimensions may stand for a number
            numbers = [x[2].item() if isinstance(x, tuple) and not x[2].ndim else x for x in (a, b)]
            if not all(isinstance(x, int | float) for x in numbers) or numbers[0] != numbers[1]:
                return False
        elif isinstance(a, tuple) and not _near(_elements(a), _elements(b), tolerance, but):
            return False
    return True


def _distance(found: list[Any], exact: list[Any], of_all: bool = False) -> float:
    """The largest difference, as a part of the largest element of its tensor, or of all."""
    worst = 0.0
    largest = max((float(np.abs(_elements(b)).max()) for b in exact if isinstance(b, tuple) and b[2].size), default=0.0)
    for a, b in zip(found, exact, strict=len(found) == len(exact)):
        if isinstance(a, tuple) != isinstance(b, tuple) or (isinstance(a, tuple) and a[2].shape != b[2].shape):
            return np.inf
        if isinstance(a, tuple) and a[2].size:
            x, y = _elements(a), _elements(b)
            scale = largest if of_all else float(np.abs(y).max())
            worst = max(worst, float(np.abs(x - y).max()) / (scale + 1e-3))
    return worst if worst == worst and len(found) == len(exact) else np.inf


def _tolerance(call: Call) -> float:
    return max((TOLERANCES.get(str(x.values.dtype), 0.0) for x in tensors(call)), default=0.0) or 2e-4


# -- predicates, of the call and what came of it: for what no other call says


def _poles(call: Call, ours: Any, theirs: Any) -> bool:
    """All elements are alike but those at the poles of the gamma function, 0, -1, -2, ..."""
    x = next((t.values for t in tensors(call) if t.values.dtype.kind == "f"), np.zeros(0))
    but = (x <= 0) & (x == np.floor(x))
    tolerance = _tolerance(call)
    return bool(but.any()) and _values_alike(ours.results, theirs.results, tolerance, but) and _values_alike(ours.gradients, theirs.gradients, tolerance, but)  # fmt: skip


def _ties(call: Call, ours: Any, theirs: Any) -> bool:
    """The values are alike, and the indices point at equal elements of the first tensor along one of its dimensions."""
    x = next(iter(tensors(call))).values
    indices = [r[2] for r in (*ours.results, *theirs.results) if isinstance(r, tuple) and r[0] == "int64"]
    values = [r for r in ours.results if not (isinstance(r, tuple) and r[0] == "int64")]
    others = [r for r in theirs.results if not (isinstance(r, tuple) and r[0] == "int64")]
    if x.dtype != np.int64 and not _values_alike(values, others, _tolerance(call)):
        return False
    if not indices:
        return True  # the gradients were told apart: they go to one of equal elements, or to each of them
    if len(indices) != 2 * (len(indices) // 2):
        return False
    for a, b in zip(indices[: len(indices) // 2], indices[len(indices) // 2 :], strict=True):
        if a.shape != b.shape:
            return False
        if (a == b).all():
            continue
        if not any(_point_at_equals(x, a, b, dim) for dim in range(max(x.ndim, 1))):
            return False
    return True


def _point_at_equals(x: np.ndarray, a: np.ndarray, b: np.ndarray, dim: int) -> bool:
    with contextlib.suppress(IndexError, ValueError):
        flat = x.reshape(-1)
        if x.ndim == 0 or (a.ndim < x.ndim and a.ndim == 0):
            return bool(np.array_equal(flat[a], flat[b], equal_nan=x.dtype.kind == "f"))
        if a.ndim == x.ndim - 1:
            a, b = np.expand_dims(a, dim), np.expand_dims(b, dim)
        return bool(np.array_equal(np.take_along_axis(x, a, dim), np.take_along_axis(x, b, dim), equal_nan=x.dtype.kind == "f"))  # fmt: skip
    return False


def _grown(call: Call, ours: Any, theirs: Any) -> bool:
    """Shapes and types are alike, and all elements that were there before: what was added was never written."""
    first = call.args[0]
    n = 0
    if isinstance(first, T):
        n = (first.values[:1] if first.memory == "expanded" and first.values.ndim else first.values).size
    if len(ours.results) != len(theirs.results):
        return False
    for a, b in zip(ours.results, theirs.results, strict=True):
        if not isinstance(a, tuple):
            if a != b:
                return False
            continue
        if a[:2] != b[:2] or a[2].shape != b[2].shape or a[2].size <= n:
            return False
        kept = slice(
            0, n if not first.memory or first.memory == "expanded" else 0
        )  # (after memory with gaps: only in its own order)
        if not np.array_equal(a[2].reshape(-1)[kept], b[2].reshape(-1)[kept], equal_nan=a[2].dtype.kind == "f"):
            return False
    return True


def _flat_gradient(call: Call, ours: Any, theirs: Any) -> bool:
    """minigrad's gradients are zeros, or there are none."""
    return all(not np.any(g[2]) for g in ours.gradients if isinstance(g, tuple))


def _infinite_gradient(call: Call, ours: Any, theirs: Any) -> bool:
    """The results are alike, and minigrad's gradients are infinite, or undefined, wherever they are not PyTorch's."""
    if not _values_alike(ours.results, theirs.results, _tolerance(call)) or len(ours.gradients) != len(theirs.gradients):  # fmt: skip
        return False
    for a, b in zip(ours.gradients, theirs.gradients, strict=True):
        if isinstance(a, tuple) and isinstance(b, tuple) and not _near(_elements(a), _elements(b), _tolerance(call), ~np.isfinite(_elements(a))):  # fmt: skip
            return False
    return True


def _same_results(call: Call, ours: Any, theirs: Any) -> bool:
    """The results are alike; only the gradients are not."""
    return _values_alike(ours.results, theirs.results, _tolerance(call))


def _first_result(call: Call, ours: Any, theirs: Any) -> bool:
    """The first tensor of the results is alike, and the last one but for its shape and its history."""
    a = [r for r in ours.results if isinstance(r, tuple)]
    b = [r for r in theirs.results if isinstance(r, tuple)]
    if len(a) < 2 or len(b) < 2 or not _near(_elements(a[0]), _elements(b[0]), _tolerance(call)):
        return False
    with contextlib.suppress(ValueError):
        wide, other = np.broadcast_arrays(_elements(a[1]), _elements(b[1]))
        return _near(wide, other, _tolerance(call))
    return False


def _blank_target(call: Call, ours: Any, theirs: Any) -> bool:
    """The losses are alike, and a target is the class of the blank, 0 in most calls."""
    made = next((a.call for a in call.args if isinstance(a, New)), call)
    blank = made.kwargs.get("blank", next((a for a in made.args if type(a) is int), 0))
    targets = [x.values for x in tensors(call) if x.values.dtype.kind in "iu"]
    lists = [np.asarray(a) for a in (*call.args, *call.kwargs.values()) if isinstance(a, list | tuple)]
    return any(bool((t == blank).any()) for t in (*targets, *lists)) and _same_results(call, ours, theirs)


def _failed(call: Call, ours: Any, theirs: Any) -> bool:
    """Of the first two results, factors and infos, the infos are alike and not all 0, and so are the factors where they are 0."""
    a, b = ([r[2] for r in o.results if isinstance(r, tuple)][:2] for o in (ours, theirs))
    if len(a) != 2 or len(b) != 2 or a[0].shape != b[0].shape or not np.array_equal(a[1], b[1]) or not a[1].any():
        return False
    there = a[1] == 0
    return _near(a[0][there].astype(np.float64), b[0][there].astype(np.float64), _tolerance(call))


def _empty(call: Call, ours: Any, theirs: Any) -> bool:
    """There are no elements, in either engine."""
    same = len(ours.results) == len(theirs.results)
    return same and not any(r[2].size for r in (*ours.results, *theirs.results) if isinstance(r, tuple))


def _empty_gradients(call: Call, ours: Any, theirs: Any) -> bool:
    """All is alike, but that a tensor without elements has a gradient in one engine and none in the other."""
    if not _values_alike(ours.results, theirs.results, _tolerance(call)) or len(ours.gradients) != len(theirs.gradients):  # fmt: skip
        return False
    for a, b in zip(ours.gradients, theirs.gradients, strict=True):
        if isinstance(a, tuple) and isinstance(b, tuple):
            if not _near(_elements(a), _elements(b), _tolerance(call)):
                return False
        elif any(isinstance(g, tuple) and g[2].size for g in (a, b)):
            return False
    return True


def _unordered(call: Call, ours: Any, theirs: Any) -> bool:
    """The boundaries are not in order; the shapes are alike."""
    given = [x.values for x in tensors(call) if x.values.ndim]
    return any(bool((np.diff(v.astype(np.float64)) < 0).any()) for v in given) and _shapes(call, ours, theirs)


def _shapes(call: Call, ours: Any, theirs: Any) -> bool:
    """Shapes and types are alike."""
    of = [[(r[0], r[2].shape) if isinstance(r, tuple) else r for r in o.results] for o in (ours, theirs)]
    return of[0] == of[1]


def _cofactors(call: Call, ours: Any, theirs: Any) -> bool:
    """The results are alike, and minigrad's gradient of a determinant is a multiple of the matrix of cofactors."""
    x = next(iter(tensors(call))).values.astype(np.float64)
    gradient = next((g[2] for g in ours.gradients if isinstance(g, tuple)), None)
    if gradient is None or x.ndim < 2 or not _same_results(call, ours, theirs):
        return False
    n = x.shape[-1]
    for matrix, found in zip(x.reshape(-1, n, n), gradient.reshape(-1, n, n), strict=True):
        minors = [[(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(matrix, i, 0), j, 1)) for j in range(n)] for i in range(n)]  # fmt: skip
        cofactors = np.asarray(minors)
        size = (cofactors**2).sum()
        times = (found * cofactors).sum() / size if size else 0.0
        if not np.allclose(found, times * cofactors, rtol=1e-4, atol=1e-6):
            return False
    return True


def _finite(call: Call, ours: Any, theirs: Any) -> bool:
    """All elements are alike but those that are nan in one of the two and nan or infinite in the other."""
    if len(ours.results) != len(theirs.results):
        return False
    for a, b in zip([*ours.results, *ours.gradients], [*theirs.results, *theirs.gradients], strict=False):
        if isinstance(a, tuple) and isinstance(b, tuple):
            x, y = _elements(a), _elements(b)
            if x.shape != y.shape or not _near(x, y, _tolerance(call), ~np.isfinite(x) & ~np.isfinite(y)):
                return False
    return True


def _squares(call: Call, ours: Any, theirs: Any) -> bool:
    """The squares of the results are alike, and the gradients to half as many digits: of roots of rounding errors."""
    a, b = ([(*r[:2], _elements(r) ** 2) if isinstance(r, tuple) else r for r in o.results] for o in (ours, theirs))
    close = _tolerance(call)
    return _values_alike(a, b, close) and _values_alike(ours.gradients, theirs.gradients, close**0.5)


def _few_digits(call: Call, ours: Any, theirs: Any) -> bool:
    """Types and shapes are alike, and all values to a hundredth of the largest: of what is left of nearly equal numbers."""
    return _shapes(call, ours, theirs) and _values_alike(ours.results, theirs.results, 1e-2) and _values_alike(ours.gradients, theirs.gradients, 1e-2)  # fmt: skip


def _undefined(call: Call, ours: Any, theirs: Any) -> bool:
    """The results are alike, and the gradients wherever PyTorch's are no nan."""
    if not _same_results(call, ours, theirs) or len(ours.gradients) != len(theirs.gradients):
        return False
    for a, b in zip(ours.gradients, theirs.gradients, strict=True):
        if isinstance(a, tuple) != isinstance(b, tuple):
            return False
        if isinstance(a, tuple) and not _near(_elements(a), _elements(b), _tolerance(call), np.isnan(_elements(b))):
            return False
    return True


def _rounding(call: Call, ours: Any, theirs: Any) -> bool:
    """Of several types: types and shapes are alike, and the values as closely as the narrowest floating one allows. (What is
    computed of whole numbers and truths alone is computed in float32.)"""
    types = {str(x.values.dtype) if x.values.dtype.kind == "f" else "float32" for x in tensors(call)}
    close = max((TOLERANCES[t] for t in types), default=0.0)
    return (
        len(types) > 1
        and _shapes(call, ours, theirs)
        and _values_alike(ours.results, theirs.results, close)
        and _values_alike(ours.gradients, theirs.gradients, close)
    )


def _zeroed(call: Call, ours: Any, theirs: Any) -> bool:
    """The results are alike, and PyTorch's gradients are 0 wherever they are not minigrad's."""
    if not _same_results(call, ours, theirs) or len(ours.gradients) != len(theirs.gradients):
        return False
    for a, b in zip(ours.gradients, theirs.gradients, strict=True):
        if isinstance(a, tuple) != isinstance(b, tuple):
            return False
        if isinstance(a, tuple) and not _near(_elements(a), _elements(b), _tolerance(call), _elements(b) == 0):
            return False
    return True


def _vectors_of_zero(call: Call, ours: Any, theirs: Any) -> bool:
    """The first tensor, A = U diag(S) Vᵀ, has less than full rank, the results are alike, and so are the gradients' parts UᵀGV
    that belong to singular values other than 0, and the singular values of the gradients."""
    A = next(iter(tensors(call))).values.astype(np.float64)
    found = [[_elements(g) for g in o.gradients if isinstance(g, tuple)] for o in (ours, theirs)]
    if A.ndim < 2 or not all(len(f) == 1 and f[0].shape == A.shape for f in found) or not _same_results(call, ours, theirs):  # fmt: skip
        return False
    U, S, Vh = np.linalg.svd(A, full_matrices=False)
    there = 1e-9 * S.max(initial=0.0) < S
    parts = [
        (U.swapaxes(-1, -2) @ f[0] @ Vh.swapaxes(-1, -2)) * there[..., :, None] * there[..., None, :] for f in found
    ]
    sizes = [np.linalg.svd(f[0], compute_uv=False) for f in found]
    close = max(_tolerance(call), 1e-7)
    return not there.all() and _near(parts[0], parts[1], close) and _near(sizes[0], sizes[1], close)


def _beyond_doubles(call: Call, ours: Any, theirs: Any) -> bool:
    """A number n of the call is above 2**53, and results and gradients are alike to 1e-7 of each element, or, where they are
    what is left of terms of the size n ln n, to the rounding of these."""
    numbers = [abs(float(x)) for x in (*call.args, *call.kwargs.values()) if isinstance(x, int | float)]
    n = max(numbers, default=0.0)
    if not 2.0**53 < n < np.inf or len(ours.results) != len(theirs.results):
        return False
    for a, b in zip([*ours.results, *ours.gradients], [*theirs.results, *theirs.gradients], strict=False):
        if isinstance(a, tuple) and isinstance(b, tuple):
            x, y = _elements(a), _elements(b)
            if x.shape != y.shape or not (np.abs(x - y) <= 1e-7 * np.abs(y) + 4e-16 * n * np.log(n)).all():
                return False
    return True


def _rounded_scores(call: Call, ours: Any, theirs: Any) -> bool:
    """Of attention in float32: all is alike but the gradients of query and key, and these to the rounding of the scores' gradients.

    dS = P ∘ (dP - D) with dP = g Vᵀ, and D the mean of dP by P: where P is nearly 1 at one key, dP and D are nearly equal, and
    what is left of them is their rounding, eps |g| |V| for each of V's columns. g is at most 4 or so (a normal number).
    """
    if len(call.args) < 3 or not all(isinstance(x, T) and x.values.dtype == np.float32 for x in call.args[:3]):
        return False
    query, key, value = (np.abs(x.values).max(initial=0.0) for x in call.args[:3])
    rounding = np.finfo(np.float32).eps * 4 * value * call.args[2].values.shape[-1]
    a, b = ([g for g in o.gradients if isinstance(g, tuple)] for o in (ours, theirs))
    if len(a) != len(b) or len(a) != 3 or not _same_results(call, ours, theirs):
        return False
    of_query, of_key = (_apart(a[i : i + 1], b[i : i + 1]) for i in (0, 1))
    return of_query <= rounding * key and of_key <= rounding * query and _values_alike(a[2:], b[2:], _tolerance(call))


def _overflown(call: Call, ours: Any, theirs: Any) -> bool:
    """A number of the call is near the end of the doubles, and the results are alike wherever PyTorch's are finite."""
    given = [x for x in (*call.args, *call.kwargs.values()) if isinstance(x, float)]
    if not any(1e290 < abs(x) < np.inf for x in given) or len(ours.results) != len(theirs.results):
        return False
    for a, b in zip(ours.results, theirs.results, strict=True):
        if isinstance(a, tuple) and isinstance(b, tuple):
            if a[:2] != b[:2] or not _near(_elements(a), _elements(b), _tolerance(call), ~np.isfinite(_elements(b))):
                return False
        elif a != b:
            return False
    return True


def _undefined_here(call: Call, ours: Any, theirs: Any) -> bool:
    """A nan was given, and the results are alike wherever minigrad's are no nan."""
    given = [
        *(x.values for x in tensors(call)),
        *(np.asarray(x) for x in (*call.args, *call.kwargs.values()) if isinstance(x, float)),
    ]
    if not any(np.isnan(x).any() for x in given if x.dtype.kind == "f") or not _shapes(call, ours, theirs):
        return False
    pairs = [
        (_elements(a), _elements(b)) for a, b in zip(ours.results, theirs.results, strict=True) if isinstance(a, tuple)
    ]
    return all(_near(a, b, _tolerance(call), np.isnan(a)) for a, b in pairs)


def _no_elements(call: Call, ours: Any, theirs: Any) -> bool:
    """The results have no elements, in either engine, and no gradient is other than 0."""
    found = [r for o in (ours, theirs) for r in o.results if isinstance(r, tuple)]
    gradients = [g for o in (ours, theirs) for g in o.gradients if isinstance(g, tuple)]
    return (
        _shapes(call, ours, theirs) and not any(r[2].size for r in found) and not any(np.any(g[2]) for g in gradients)
    )


def _dependent_columns(call: Call, ours: Any, theirs: Any) -> bool:
    """Of two answers Q, R: minigrad's Q has orthonormal columns, R ends in 0s on its diagonal in both, and Q R are alike."""
    (q, r), (q2, r2) = ([_elements(x) for x in o.results if isinstance(x, tuple)][:2] for o in (ours, theirs))
    if q.shape != q2.shape or r.shape != r2.shape or q.shape[-1] != r.shape[-2]:
        return False
    size, close = max(float(np.abs(r).max(initial=0.0)), 1e-300), _tolerance(call)
    last = [float(np.abs(np.diagonal(x, axis1=-2, axis2=-1)).min(initial=np.inf)) for x in (r, r2)]
    whole = np.allclose(q.swapaxes(-1, -2) @ q, np.eye(q.shape[-1]), atol=1e-5)
    return whole and max(last) <= 1e-6 * size and _near(q @ r, q2 @ r2, close)


def _low_rank(call: Call, ours: Any, theirs: Any) -> bool:
    """Of two answers U, S, V: S are alike and end in a 0, up to rounding, and the matrices U diag(S) Vᵀ are alike."""
    found = [[_elements(r) for r in o.results if isinstance(r, tuple)] for o in (ours, theirs)]
    if not all(len(f) == 3 and f[0].ndim > 1 for f in found):
        return False
    close = _tolerance(call)
    turned = not call.name.startswith("linalg.")  # linalg.svd gives Vᵀ
    one, other = ((u[..., : s.shape[-1]] * s[..., None, :]) @ (v.swapaxes(-1, -2) if turned else v)[..., : s.shape[-1], :] for u, s, v in found)  # fmt: skip
    zero = all(s.size and (s[..., -1] <= 1e-6 * s[..., 0]).all() for _, s, _ in found)
    return zero and _near(found[0][1], found[1][1], close) and _near(one, other, close)


def _rounded_products(call: Call, ours: Any, theirs: Any) -> bool:
    """All elements are alike to the rounding of products of the first two tensors, and gradients to that of products with g,
    which is 4 at most or so (a normal number)."""
    given = tensors(apart(call))[:2]
    if len(given) < 2 or len({x.values.dtype for x in given}) > 1 or given[0].values.dtype.kind != "f":
        return False
    a, b = (float(np.abs(x.values).max(initial=0.0)) for x in given)
    eps = 4 * float(np.finfo(given[0].values.dtype).eps)
    return _shapes(call, ours, theirs) and _apart(ours.results, theirs.results) <= eps * a * b and _apart(ours.gradients, theirs.gradients) <= eps * 4 * max(a, b)  # fmt: skip


def _apart(found: list[Any], wanted: list[Any]) -> float:
    """The largest difference of two elements; infinity where the shapes are not alike."""
    pairs = [[_elements(r) for r in some if isinstance(r, tuple)] for some in (found, wanted)]
    if [x.shape for x in pairs[0]] != [x.shape for x in pairs[1]]:
        return np.inf
    return max((float(np.abs(x - y).max(initial=0.0)) for x, y in zip(*pairs, strict=True)), default=0.0)


def _singular(call: Call, ours: Any, theirs: Any) -> bool:
    """Both answers are one number, larger than any condition number that the type can tell from infinity."""
    found = [[_elements(r) for r in o.results if isinstance(r, tuple)] for o in (ours, theirs)]
    types = {str(x.values.dtype) for x in tensors(call) if x.values.dtype.kind == "f"}
    large = max((0.1 / float(np.finfo(t).eps) for t in types), default=np.inf)
    return all(len(f) == 1 and f[0].size == 1 and f[0] > large for f in found)


PREDICATES: dict[str, Callable[[Call, Any, Any], bool]] = {
    f.__name__.lstrip("_"): f
    for f in (
        _blank_target, _failed, _poles, _ties, _grown, _flat_gradient, _infinite_gradient, _same_results, _first_result, _finite,
        _empty, _empty_gradients, _unordered, _shapes, _cofactors, _squares, _rounding, _few_digits, _undefined,
        _zeroed, _vectors_of_zero, _beyond_doubles, _rounded_scores,
        _overflown, _undefined_here, _no_elements, _dependent_columns, _low_rank, _singular, _rounded_products,
    )
}  # fmt: skip


@contextlib.contextmanager
def _exact_bessel() -> Iterator[None]:
    """PyTorch's VonMises with ln Iₙ(x) = ln(e⁻ˣ Iₙ(x)) + x of torch.special in the place of its short polynomials."""
    special, home = TORCH.module.special, TORCH.module.distributions.von_mises

    def log_bessel(x: Any, order: int = 0) -> Any:
        return (special.i1e if order else special.i0e)(x).log() + x

    kept, home._log_modified_bessel_fn = home._log_modified_bessel_fn, log_bessel
    try:
        yield
    finally:
        home._log_modified_bessel_fn = kept


@contextlib.contextmanager
def _close_in_one_type() -> Iterator[None]:
    """PyTorch's GeneralizedPareto with an `isclose` that takes its second tensor in the type of the first."""
    home = TORCH.module.distributions.generalized_pareto

    class Torch:
        def __getattr__(self, name: str) -> Any:
            return getattr(TORCH.module, name)

        def isclose(self, a: Any, b: Any) -> Any:
            return TORCH.module.isclose(a, b.to(a.dtype))

    kept, home.torch = home.torch, Torch()
    try:
        yield
    finally:
        home.torch = kept


# Ways in which PyTorch's own code is mended while the call is made, and the call stays as it was.
MENDED: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
    "exact_bessel": _exact_bessel,
    "close_in_one_type": _close_in_one_type,
}


def holds(names: Iterable[str], call: Call, ours: Any, theirs: Any, attempt: Callable[..., Any], alike: Callable[..., bool]) -> list[str]:  # fmt: skip
    """Which of these ways and predicates hold of a call. ours, theirs: what came of it; attempt, alike: see fuzz.py."""
    found = []
    for name in names:
        if name in PREDICATES:
            if PREDICATES[name](call, ours, theirs):
                found.append(name)
            continue
        default = TORCH.module.get_default_dtype()
        try:
            if name in _IN_DOUBLES:
                TORCH.module.set_default_dtype(TORCH.module.float64)
            with MENDED.get(name, contextlib.nullcontext)():
                plain = attempt(TORCH, PLAINLY[name](call))
        except Exception:  # it cannot be said so
            continue
        finally:
            TORCH.module.set_default_dtype(default)
        if plain.error is not None or ours.error is not None:
            continue
        if name in ("nearer", "nearer_of_all"):
            exact, of_all = [*plain.results, *plain.gradients], name == "nearer_of_all"
            errors = [_distance([*o.results, *o.gradients], exact, of_all) for o in (ours, theirs)]
            if errors[0] <= min(errors[1], 1e-2):
                found.append(name)
        elif name in _OTHER_TYPES or (name in MENDED and len({x.values.dtype for x in tensors(call)}) > 1):
            close = _tolerance(call)
            gradients = name == "apart" or _values_alike(ours.gradients, plain.gradients, close)
            if _values_alike(ours.results, plain.results, close) and gradients:
                found.append(name)
        elif alike(_first_of(ours.results), _first_of(plain.results)) and (not plain.gradients or not ours.gradients or alike(ours.gradients, plain.gradients)):  # fmt: skip
            found.append(name)
    return found


def _first_of(results: list[Any]) -> list[Any]:
    """Results without what is told of their history, and of their memory."""
    told = (r for r in results if not (isinstance(r, str) and r.startswith("shared: ")))
    return [(r[0], False, r[2]) if isinstance(r, tuple) else r for r in told]
