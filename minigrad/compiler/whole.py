"""Functions of the engine that a program calls as wholes: what they compute from tensors has no gradient and no text.

`isnan(x)`, `~mask`, `one_hot(t, 10)`, a mask turned into numbers to add: such functions read the values of tensors and give
new tensors without a history. Nothing needs to be known of how they do it. What they were given and what they gave is noted,
and the program calls them again. This holds of a function whose results are tensors of shapes that its arguments' shapes
decide, in memory of their own, and which changes nothing; each is looked at when it returns. Of all others it is said why not.
"""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass, field
from types import CodeType, FrameType, FunctionType
from typing import Any

import numpy as np

from .. import storage
from ..autograd.variable import Array, Variable
from ..signature import _readers
from ..tensor_options import memory_format
from .entries import Called, Compared, Found, Made, Ran, Seen
from .frames import of_engine
from .guards import is_plain
from .names import called, of_reader

# Functions of the engine's own that others compute with, by module.
_INNER = {
    "minigrad.ops.order": (
        "first_places", "kth_places", "middle_places", "present_middle_places", "middle_value", "mode_places",
    ),
    "minigrad.ops.softmax": ("gumbel_noise", "one_at_largest"),
    "minigrad.ops.attention": ("numbers_to_add",),
    "minigrad.nn.attention": ("as_floats",),
}  # fmt: skip

_DRAW = frozenset(("gumbel_noise",))  # of these: who draws, and computes with it before it is a tensor

# Whose results have a shape that depends on values.
_OF_NO_FIXED_SHAPE = frozenset((
    "nonzero", "argwhere", "unique", "unique_consecutive", "masked_select", "bincount", "where",
))  # fmt: skip

_VARARGS, _VARKEYWORDS = 0x04, 0x08


@functools.cache
def _functions() -> dict[CodeType, tuple[Any, Any]]:
    """By code: the functions, and what programs get in their place (None of the engine's own)."""
    found: dict[CodeType, tuple[Any, Any]] = {}
    for module, names in _INNER.items():
        for name in names:
            function = vars(sys.modules[module])[name]
            found[function.__code__] = function, None
    for made in _readers.values():
        function = made.reads  # type: ignore[attr-defined]
        if type(function) is FunctionType and not function.__closure__ and not function.__name__.startswith("__"):
            found.setdefault(function.__code__, (function, made))
    return found


@dataclass(eq=False)
class Open:
    """A function of the engine that runs, which may turn out to be one that the program calls as a whole."""

    frame: FrameType
    function: Any
    public: Any
    args: list[Any]
    named: dict[str, Any]
    began: int  # how many entries there were
    versions: list[tuple[Array, int]]
    whole: bool = False
    draws: bool = False
    problems: list[str] = field(default_factory=list)


def _tensors_in(x: Any) -> list[Array]:
    if isinstance(x, Variable):
        return [x.__dict__["array"]]
    if isinstance(x, Array):
        return [x]
    if isinstance(x, list | tuple):
        return [a for part in x for a in _tensors_in(part)]
    return []


def _is_setting(x: Any) -> bool:
    """Whether an argument is a tensor, is told by its value, or is a function of the engine's own."""
    if isinstance(x, list | tuple):
        return all(map(_is_setting, x))
    if isinstance(x, FunctionType):
        return of_engine(x.__code__.co_filename)
    return isinstance(x, Variable | Array | np.dtype | np.generic | memory_format) or type(x) is object or is_plain(x)


class Wholes:
    """The part of a `Recording` that notes them."""

    entries: list[Any]
    values: dict[int, Any]
    known: dict[int, Any]
    reason: str | None
    _deep: int
    stop: Any
    note: Any
    made: Any
    busy: Any
    mine: Any
    value_of: Any
    _arrays: Any
    _tensors: Any

    def __init__(self) -> None:
        self.open: list[Open] = []

    def opens(self, frame: FrameType) -> None:
        """A function of the engine begins to run."""
        found = _functions().get(frame.f_code)
        if found is None or not self.busy():
            return
        code, local = frame.f_code, frame.f_locals
        n, k = code.co_argcount, code.co_kwonlyargcount
        names = code.co_varnames
        args = [local[name] for name in names[:n]]
        if code.co_flags & _VARARGS:
            args += local[names[n + k]]
        named = {name: local[name] for name in names[n : n + k]}
        if code.co_flags & _VARKEYWORDS:
            named |= local[names[n + k + bool(code.co_flags & _VARARGS)]]
        arrays = _tensors_in([*args, *named.values()])
        versions = [(a, storage.version(a)) for a in arrays]
        self.open.append(Open(frame, *found, args, named, len(self.entries), versions))

    def take_whole(self) -> bool:
        """Values are read: whether the function that does so may be one that is called as a whole."""
        if not self.open:
            return False
        self.open[-1].whole = True
        self._deep += 1  # what it does is noted as one
        return True

    def whole_draws(self, of_default: bool) -> None:
        """Numbers are drawn, perhaps by such a function."""
        if self.open and self.open[-1].function.__name__ in _DRAW and not self.open[-1].whole:
            self.take_whole()
        if self.open and self.open[-1].whole and self.mine():
            self.open[-1].draws = True
            if not of_default:
                self.open[-1].problems.append("draws from a generator of the program's own")

    def closes(self, frame: FrameType, result: Any) -> None:
        """A function of the engine returns."""
        if not self.open or self.open[-1].frame is not frame:
            return
        one = self.open.pop()
        if one.whole:
            self._deep -= 1
        if self.reason is not None or not self.busy() or not (one.whole or self._gives_new(one, result)):
            return
        if not one.whole and not all(self._is_known(a) for a, _ in one.versions):
            return  # (whoever uses what it gave is stopped)
        name = called() if one.public is None else of_reader(one.public)
        problem = self._problem(one, result)
        if problem is not None:
            if not one.whole and one.function.__name__ not in _OF_NO_FIXED_SHAPE:
                return  # (whoever uses what it gave is stopped)
            self.stop(f"{called() or name} {problem}")
            return
        args = self._noted(one.args, name)
        named = {key: self._noted(x, name) for key, x in one.named.items()}
        if self.reason is not None:
            return
        several = not isinstance(result, Variable | Array)
        outs: list[Any] = []
        entry = Called(one.function, name, args, named, outs, one.draws)
        for x in result if several else (result,):
            outs.append(self.made(x if isinstance(x, Array) else x.__dict__["array"], entry))
        self.note(entry)

    def _gives_new(self, one: Open, result: Any) -> bool:
        """Whether a function of tensors gave one that nobody knows: by a way around all that is noted."""
        given = result if isinstance(result, tuple) else (result,)
        return bool(one.versions) and any(
            isinstance(x, Variable) and id(x) not in self.known and id(x.__dict__["array"]) not in self.values
            for x in given
        )

    def _is_known(self, array: Array) -> bool:
        return id(array) in self.values or any(t.__dict__["array"] is array for t in self._tensors())

    def _problem(self, one: Open, result: Any) -> str | None:
        """Why a call cannot be called as a whole; None if it can."""
        if one.function.__name__ in _OF_NO_FIXED_SHAPE:
            return "gives a tensor whose shape depends on values"
        if one.problems:
            return one.problems[0]
        if not all(map(_is_setting, (*one.args, *one.named.values()))):
            return "computes with a tensor's values, and with what is not numbers, in a way that is not written out"
        given = result if isinstance(result, tuple) else (result,)
        if not given or not all(isinstance(x, Variable | Array) for x in given):
            kind = type(result).__name__
            return f"gives {'an' if kind[0] in 'aeiou' else 'a'} {kind} that depends on a tensor's values"
        if any(isinstance(x, Variable) and (x._edge is not None or x._requires_grad) for x in given):
            return "computes with a tensor's values, for a result that requires grad, in a way that is not written out"
        if any(storage.version(a) != n for a, n in one.versions):
            return "changes a tensor in place in a way that is not recorded"
        arrays = [x if isinstance(x, Array) else x.__dict__["array"] for x in given]
        owners = {id(storage.owner(a)) for a in self._arrays()} | {id(storage.owner(a)) for a, _ in one.versions}
        if any(id(storage.owner(a)) in owners for a in arrays) or len(set(map(id, arrays))) < len(arrays):
            return "gives memory that another tensor has, in a way that is not recorded"
        if not all(isinstance(e, Ran | Made | Called | Compared | Found | Seen) for e in self.entries[one.began :]):
            return "does more than it computes"
        return None

    def _noted(self, x: Any, name: str) -> Any:
        """An argument: Values in the place of tensors."""
        if isinstance(x, Variable | Array):
            return self.value_of(x, name)
        if type(x) in (list, tuple):
            return type(x)(self._noted(part, name) for part in x)
        return x
