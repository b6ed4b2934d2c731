"""Which memory was written in place, and when.

Backpropagation needs the values that an operation saw. If they are overwritten before the backward pass, the
gradient would be silently wrong, so every in-place change is noted here and the walk checks what it reads.

The trick that makes the check nearly free: operations and writes take their numbers from one clock. A value
saved by operation 17 is stale exactly if its memory was written at a time after 17. While no write is younger
than an operation, one comparison settles it.

Tensors that share memory (views) share one record, found by the array that owns the memory.
"""

from __future__ import annotations

import functools
import itertools
import math
import weakref
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .threads import new_lock, others

clock = itertools.count(1)


class Record:
    """The writes to one piece of memory."""

    __slots__ = ("owner", "recorded", "version", "written")

    def __init__(self, owner: weakref.ref[np.ndarray]) -> None:
        self.owner = owner
        self.version = 0  # how many writes
        self.written = 0  # the time of the last one
        self.recorded = 0  # the time of the last one that autograd recorded


_records: dict[int, Record] = {}
_one_thread = new_lock()  # two threads that write must not give `Latest` the older of their times


class _Latest:
    """The time of the latest write anywhere: if it is older than what is asked about, nothing has to be looked up."""

    def __init__(self) -> None:
        self.written = 0
        self.recorded = 0
        self.replaced = 0  # of the latest `x.data = ...`, which counts as a write too


Latest = _Latest()  # (an attribute of an object is read ten times as fast as one of a class)


def owner(array: np.ndarray) -> np.ndarray:
    """The array at the root of a chain of views: it stands for the memory."""
    base = array.base
    while base is not None and isinstance(base, np.ndarray):  # (mostly None, and that is quicker to see)
        array, base = base, base.base
    return array


def find(array: np.ndarray) -> Record | None:
    """The record of the memory that ``array`` looks at; None if it was never written in place."""
    return _records.get(id(owner(array)))


def mark_written(array: np.ndarray, recorded: bool = False) -> int:
    """Note that ``array`` was written in place (``recorded``: and that autograd recorded it). Returns the time."""
    root = owner(array)
    if others():
        with _one_thread:
            return _note(root, recorded)
    return _note(root, recorded)


def forgetting(table: dict[int, Any], key: int) -> Callable[[Any], None]:
    """What a weak reference calls when its object goes: the table forgets the key.

    It holds on to the table itself: as Python ends, the names of modules are gone before the last arrays are. And it is no
    function of Python's: what an interrupt raised in there would be lost, as all errors are that such a call raises.
    """
    return functools.partial(
        table.pop, key
    )  # the reference that it is called with is what pop gives where there is no key


def mark_all_written(arrays: Iterable[np.ndarray]) -> None:
    """Note that all these were written in place (as `mark_written`, at one time)."""
    if others():
        with _one_thread:
            _note_all(arrays)
    else:
        _note_all(arrays)


def _note_all(arrays: Iterable[np.ndarray]) -> None:
    now = next(clock)
    for array in arrays:
        root = owner(array)
        record = _records.get(id(root)) or _new_record(root)
        record.version += 1
        record.written = now
    Latest.written = now


def _new_record(root: np.ndarray) -> Record:
    # The record goes when the memory does, before its id can be used again.
    record = _records[id(root)] = Record(weakref.ref(root, forgetting(_records, id(root))))
    return record


def _note(root: np.ndarray, recorded: bool) -> int:
    record = _records.get(id(root)) or _new_record(root)
    now = next(clock)
    record.version += 1
    record.written = Latest.written = now
    if recorded:
        record.recorded = Latest.recorded = now
    return now


def mark_replaced() -> int:
    """Note that a tensor was given another array. Returns the time."""
    Latest.written = Latest.replaced = now = next(clock)
    return now


def version(array: np.ndarray) -> int:
    """How often the memory that ``array`` looks at was written in place."""
    record = find(array)
    return record.version if record is not None else 0


def resized(old: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """An array of this shape on the same memory, from the place of old's first element on; where it does not suffice, on new
    memory that begins with old's elements."""
    if shape == old.shape:
        return old
    root = owner(old)
    n, size = math.prod(shape), old.itemsize
    start = old.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    if (root.flags.c_contiguous or root.flags.f_contiguous) and start + n * size <= root.nbytes:
        memory = root.reshape(-1, order="A").view(np.uint8)[start : start + n * size]
        return memory.view(old.dtype).reshape(shape)
    new = np.empty(n, old.dtype)
    kept = old.ravel(order="K")[:n]
    new[: kept.size] = kept
    return new.reshape(shape)
