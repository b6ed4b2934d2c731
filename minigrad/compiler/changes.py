"""Changes in place, recorded: of what the step made, of views of it, and of tensors that are there from call to call.

A program has no changes in place. What was written is a new value of the program, which the tensor's array stands for from then
on; where a view was written, it is `CopySlices` of the old value and the new part. Other tensors that show this memory are
stale: a view is looked at anew when it is used next (`PartOf`), as the engine does it too (autograd/views.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes, storage
from ..autograd.modes import current
from ..autograd.variable import Array
from ..autograd.views import CopySlices, Overwritten, PartOf
from ..geometry import geometry
from .entries import STALE, Made, Ran, Value, Wrote, constant_text


class Changes:
    """The part of a `Recording` that notes them."""

    known: dict[int, Any]
    values: dict[int, Any]
    ran: dict[Any, Ran]
    entries: list[Any]
    others: list[Any]
    replaced: list[Any]
    leaf_of: dict[int, Any]
    gradients: list[Any]
    reason: str | None
    busy: Any
    stop: Any
    made: Any
    note: Any
    value_of: Any
    _inside: Any
    _arrays: Any

    def changed(self, original: Any, x: Any, result: Any, args: tuple, kwargs: dict) -> Any:
        """An in-place operation's end: x takes the values of `result`, and so does what else shows this memory."""
        if not self.busy():
            return original(x, result, *args, **kwargs)
        new = None if result is x or len(args) > 1 else self.value_of(result, "a change in place")
        return self._change(x, new, lambda: original(x, result, *args, **kwargs))

    def filled(self, original: Any, x: Any, value: Any, name: str) -> Any:
        """`fill_` and `zero_`: x takes one value everywhere."""
        if not self.busy():
            return original(x, value, name)
        array = x.__dict__["array"]
        numbers = np.full(array.shape, dtypes.element(value, array.dtype), array.dtype)
        entry = Made(constant_text(numbers) or "", None)  # type: ignore[arg-type]
        entry.out = self.made(numbers, entry)
        self.note(entry)
        return self._change(x, entry.out, lambda: original(x, value, name))

    def _change(self, x: Any, new: Any, change: Callable[[], Any]) -> Any:
        """What `change` does, which gives x the values of `new`."""
        part = x._base is not None
        base = x._base if part else x
        array = base.__dict__["array"]
        old, leaf = self.values.get(id(array)), self.leaf_of.get(id(array))
        if old is STALE or (old is None and id(base) in self.known):
            old = self.value_of(base, "a change in place")
        if old is not None and old.entry is None and leaf is None and old.tensor is not None:
            leaf = old.tensor if _same_place(old.tensor.__dict__["array"], array) else None
        problem = self._unchangeable(x, part, array, old, new, leaf)
        if problem is not None:
            self.stop(problem)
        before = base._edge
        out = self._inside(change)
        if self.reason is not None:
            return out
        edge = base._edge
        node = edge[0] if edge is not None and edge is not before else None
        if leaf is not None and node is not None:
            self.stop("a change in place of a tensor that is there from call to call, which is recorded for backward")
            return out
        if part:
            self._rewrote(array, CopySlices, node, [old, new, geometry(array), geometry(x.__dict__["array"])])
        elif isinstance(node, Overwritten):
            self._rewrote(array, Overwritten, node, [old, new])
        else:
            self.replaced.append(old)
            self.values[id(array)] = new
            self.others.append(array)
        same: tuple[Any, ...] = (array,)
        if leaf is not None:
            same = (array, leaf.__dict__["array"])
            for a in same:
                self.leaf_of[id(a)], self.values[id(a)] = leaf, self.values[id(array)]
                self.others.append(a)
            self.note(Wrote(leaf, self.values[id(array)]))
        self._others_are_stale(same)
        return out

    def _unchangeable(self, x: Any, part: bool, array: Any, old: Any, new: Any, leaf: Any) -> str | None:
        """Why a change in place cannot be written out; None if it can."""
        if old is None or (old.entry is None and leaf is None):  # (a Value is found by the array's id, and is held)
            return "a change in place of memory that the step did not make itself"
        if any(storage.owner(array) is storage.owner(g) for g in self.gradients):
            return "a change in place of a gradient"
        if not isinstance(new, Value):
            return "a change in place that does not go by an operation"
        if new.shape != x.__dict__["array"].shape or new.dtype != old.dtype:
            return "a change in place to another type"
        if not part and not array.flags.c_contiguous and leaf is None:
            return "a change in place of what does not lie row by row"
        if part and storage.owner(array) is not storage.owner(x.__dict__["array"]):
            return "a change in place of a view of other memory"
        return None

    def _rewrote(self, array: Any, form: Any, node: Any, inputs: list[Any]) -> None:
        """The memory of a tensor was written: its array stands for what this operation gives."""
        needs = () if node is None else node.needs_input_grad
        entry = Ran(form, node, needs, inputs, None)  # type: ignore[arg-type]
        self.replaced.append(inputs[0])
        entry.out = self.made(array, entry)
        if node is not None:
            self.ran[node] = entry
        self.note(entry)

    def _others_are_stale(self, written: tuple[Any, ...]) -> None:
        """What else shows the memory of these arrays: views, which are looked at anew when they are used next, and other tensors."""
        owner = storage.owner(written[0])
        for a in self._arrays():
            if storage.owner(a) is owner and id(a) in self.values and not any(a is b for b in written):
                value = self.values[id(a)]
                if isinstance(value, Value):
                    self.replaced.append(value)
                self.others.append(a)
                self.values[id(a)] = STALE

    def _renewed(self, x: Any, what: str) -> Any:
        """The Value of a view after something was written into the memory that it shows: a part of its base as that is now."""
        array, base = x.__dict__["array"], x._base
        whole: Any = None if base is None else base.__dict__["array"]
        value = None if base is None else self.values.get(id(whole))
        if value is None and base is not None and id(base) in self.known:
            value = self.value_of(base, what)
        if not isinstance(value, Value) or storage.owner(whole) is not storage.owner(array):
            self.stop(f"{what} reads memory that was changed in place by another tensor's name")
            return None
        if current.recording:
            self._inside(x._renew)
        node = x._edge[0] if x._edge is not None and x._edge[0] not in self.ran else None
        return self._looked_at(x, node, value, whole)

    def _looked_at(self, x: Any, node: Any, value: Value, whole: Any) -> Value:
        """x as a part of what `value` is."""
        array = x.__dict__["array"]
        needs = () if node is None else node.needs_input_grad
        entry = Ran(PartOf, node, needs, [value, geometry(whole), geometry(array)], None)  # type: ignore[arg-type]
        entry.out = self.made(array, entry)
        if node is not None:
            self.ran[node] = entry
        self.note(entry)
        return entry.out

    def before_change(self, original: Any, view: Any) -> Any:
        """What an in-place operation on a view computes from: a part of its base."""
        out = self._inside(original, view)
        if self.busy() and out is not view:
            base = view._base.__dict__["array"]
            value = self.value_of(view._base, "a change in place")
            if isinstance(value, Value):
                self._looked_at(out, out._edge[0], value, base)
        return out


def _same_place(a: Array, b: Array) -> bool:
    """Whether two arrays are the same elements of memory in the same order."""
    return a is b or (
        (a.shape, a.strides, a.dtype) == (b.shape, b.strides, b.dtype)
        and a.__array_interface__["data"][0] == b.__array_interface__["data"][0]
        and storage.owner(a) is storage.owner(b)
    )
