"""`python -m parity fuzz --sweep [--names PREFIX ...]`: each argument of a good call spoilt in every way of a list, without chance.

Of each name the longest call that was learnt, and another one if its arguments are of other kinds, are made once for every
argument and every way: another kind (OTHERS), of a tensor every other element type, and other sizes; of a sequence other elements, one
less, one more; all tensors of the call in another type; an argument too many, one too few, each by its name, each keyword left out, and
each that is not given with a few values. `how` says of each call what was put in the place of what, so that findings of one kind stand
together in the report.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from .fuzz_calls import DTYPES, KEYWORDS, NUMPY_NAMES, X, is_method, parameters, schema_names
from .fuzz_kinds import Call, Fn, Named, New, T, shown

# What may stand in the place of any argument.
OTHERS: list[Any] = [
    None, True, -1, 0, 3, 2**40, 1.5, float("nan"), float("inf"), "nonsense", [1.0, 2.0], [1], (), {}, np.int64(1), Named("float32"), X,
    T(X), T(X[0]), T(X[0].astype(np.int64)), T(X > 1), T(np.array(2.0, np.float32)), T(np.array(2)), T(np.array(True)), T(np.zeros(0, np.float32)),
]  # fmt: skip
ELEMENTS: list[Any] = [None, True, -1, 0, 2**40, 1.5, "nonsense", [1], T(X), T(np.array(2))]
# And of a keyword that is not given.
VALUES: list[Any] = [None, True, 2, -1, 1.5, "nonsense", [1], T(X), T(np.array(2))]
KINDS: list[tuple[Any, str]] = [
    (T, "tensor"), (New, "object"), (Named, "dtype"), (Fn, "function"), (np.ndarray, "array"), (bool, "truth"), (int, "integer"),
    (float, "number"), (str, "word"), (list | tuple, "sequence"), (dict, "dictionary"), (type(None), "None"),
]  # fmt: skip


def kind(x: Any) -> str:
    return next((word for of, word in KINDS if isinstance(x, of)), "other")


def swept(calls: list[Call]) -> Iterator[Call]:
    """Calls, good ones by name, in all ways in which they are spoilt."""
    for _, some in itertools.groupby(sorted(calls, key=lambda c: c.name), key=lambda c: c.name):
        for call in _unlike(list(some)):
            yield from _ways(call)


def _unlike(calls: list[Call]) -> list[Call]:
    """The call with most arguments, and another one with other kinds of them where there is one."""
    calls = sorted(calls, key=lambda c: -len(c.args) - len(c.kwargs))
    kinds = [[kind(x) for x in (*c.args, *c.kwargs.values())] for c in calls]
    return [calls[0], *[c for c, k in zip(calls, kinds, strict=True) if k != kinds[0]][:1]]


def _ways(call: Call) -> Iterator[Call]:
    if call.name.endswith("_"):  # a leaf may not be changed in place
        call = replace(call, args=[replace(x, inner=x.grad) if isinstance(x, T) else x for x in call.args])
    yield replace(call, how="as it is")
    held: dict[Any, Any] = {**dict(enumerate(call.args)), **call.kwargs}
    for place in list(held)[is_method(call.name) :]:
        for what, x in _instead(held[place]):
            yield replace(_with(call, place, x), how=f"{kind(held[place])}: {what}")
    if is_method(call.name) and isinstance(call.args[0], T):
        for what, x in itertools.chain(_types(call.args[0]), _sizes(call.args[0])):
            yield replace(_with(call, 0, x), how=f"its own tensor: {what}")
    yield from _all_types(call)
    yield from _arguments(call)


def _with(call: Call, place: Any, x: Any) -> Call:
    if isinstance(place, int):
        return replace(call, args=[*call.args[:place], x, *call.args[place + 1 :]])
    return replace(call, kwargs={**call.kwargs, place: x})


def _instead(x: Any) -> Iterator[tuple[str, Any]]:
    """What may stand in the place of this argument, and how that is called."""
    for other in OTHERS:
        yield shown(other)[:30], other
    if isinstance(x, T):
        yield from _types(x)
        yield from _sizes(x)
        yield "with the gradient, or without", replace(x, grad=not x.grad)
    if isinstance(x, Named):
        for name in ("float64", "float16", "int64", "int32", "uint8", "bool", "strided", "contiguous_format"):
            yield name, Named(name)
    if isinstance(x, list | tuple) and x:
        make = type(x)
        for other in ELEMENTS:
            yield f"element {shown(other)[:30]}", make((other, *x[1:]))
        yield "an element less", make(x[:-1])
        yield "an element more", make((*x, x[-1]))
        yield "as the other sequence", list(x) if make is tuple else tuple(x)
        if isinstance(x[0], T):
            for what, y in itertools.chain(_types(x[0]), _sizes(x[0])):
                yield f"element {what}", make((y, *x[1:]))


def _types(x: T) -> Iterator[tuple[str, T]]:
    for d in DTYPES:
        if d != x.values.dtype:
            yield np.dtype(d).name, _in_type(x, d)


def _in_type(x: T, d: Any) -> T:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return replace(x, values=x.values.astype(d), grad=x.grad and np.dtype(d).kind == "f", given=None)


def _sizes(x: T) -> Iterator[tuple[str, T]]:
    a = x.values
    changed = {"a dimension more": a.reshape(1, *a.shape), "flat": a.reshape(-1), "one element": a.reshape(-1)[:1],
               "no dimensions": a.reshape(-1)[0] if a.size else np.zeros((), a.dtype)}  # fmt: skip
    if a.ndim:
        changed |= {"a row less": a[:-1], "twice": np.concatenate([a, a]), "no rows": a[:0], "no columns": a[..., :0], "a dimension less": a[0] if len(a) else a, "turned": a.T}  # fmt: skip
    for what, values in changed.items():
        yield what, replace(x, values=np.array(values), given=None)


def _all_types(call: Call) -> Iterator[Call]:
    for d in DTYPES:

        def change(x: Any, d: Any = d) -> Any:
            if isinstance(x, list | tuple):
                return type(x)(map(change, x))
            return _in_type(x, d) if isinstance(x, T) else x

        changed = replace(
            call, args=[change(x) for x in call.args], kwargs={k: change(x) for k, x in call.kwargs.items()}
        )
        yield replace(changed, how=f"all tensors: {np.dtype(d).name}")


def _arguments(call: Call) -> Iterator[Call]:
    """One argument more or less, or by its name."""
    for x in (1, None, T(X)):
        yield replace(call, args=[*call.args, x], how=f"surplus: {shown(x)[:30]}")
    yield replace(call, kwargs={**call.kwargs, "nonsense": 1}, how="unknown keyword")
    for n in range(is_method(call.name), len(call.args)):
        yield replace(call, args=call.args[:n], how="fewer")
    for name in call.kwargs:
        yield replace(call, kwargs={k: x for k, x in call.kwargs.items() if k != name}, how=f"without {name}")
    names = parameters(call.name)
    for i in range(is_method(call.name), min(len(names), len(call.args))):
        named = dict(zip(names[i:], call.args[i:], strict=False))
        yield replace(call, args=call.args[:i], kwargs={**named, **call.kwargs}, how="by name")
        if names[i] in NUMPY_NAMES:
            x = named.pop(names[i])
            yield replace(call, args=call.args[:i], kwargs={NUMPY_NAMES[names[i]]: x, **named, **call.kwargs}, how="by NumPy's name")  # fmt: skip
    given = {*names[: len(call.args)], *call.kwargs}
    own = dict.fromkeys((*parameters(call.name, named=True), *schema_names(call.name)))
    for name in [n for n in own if n not in given and n != "self"]:
        for x in (
            KEYWORDS.get(name, [])
            if name in ("out", "dtype", "layout", "memory_format")
            else [*VALUES, *KEYWORDS.get(name, [])]
        ):
            yield replace(call, kwargs={**call.kwargs, name: x}, how=f"{name}={shown(x)[:30]}")
