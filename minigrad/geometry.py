"""Where the elements of an array lie in its memory, and arrays that look at the same memory.

Arrays share memory where one is a view of the other. `memory` gives all of it as one row of elements; a `Geometry` says which
of them an array has, and in which order: what PyTorch calls storage, storage offset, size and stride.

    x = 0 1 2        memory   0 1 2 3 4 5
        3 4 5        x        shape (2, 3), strides (3, 1), offset 0
                     x[1]     shape (3,),   strides (1,),   offset 3
                     x.T      shape (3, 2), strides (1, 3), offset 0
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import storage


class Geometry(NamedTuple):
    """Element (i, j, ...) is number offset + i · strides[0] + j · strides[1] + ... of the memory."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int

    def span(self) -> tuple[int, int]:
        """The numbers of the lowest element and of the one after the highest."""
        steps = [(n - 1) * s for n, s in zip(self.shape, self.strides, strict=True)]
        if 0 in self.shape:
            return self.offset, self.offset
        return self.offset + sum(s for s in steps if s < 0), self.offset + sum(s for s in steps if s > 0) + 1

    def moved(self, by: int) -> Geometry:
        """The same, `by` elements further on."""
        return self._replace(offset=self.offset + by)

    def may_repeat(self) -> bool:
        """Whether an element of memory may be seen several times: not where each stride passes over all smaller ones."""
        reach = 1
        for stride, n in sorted((abs(s), n) for s, n in zip(self.strides, self.shape, strict=True) if n > 1):
            if stride < reach:
                return True
            reach = stride * n
        return False

    def is_dense(self) -> bool:
        """Whether it has all elements from its lowest to its highest, each once."""
        low, high = self.span()
        return high - low == _size(self.shape) and not self.may_repeat()


def _size(shape: tuple[int, ...]) -> int:
    n = 1
    for side in shape:
        n *= side
    return n


def _address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def memory(array: np.ndarray) -> np.ndarray:
    """All elements of the memory that `array` looks at, in the order in which they lie there: a view of one dimension."""
    root = storage.owner(array)
    flat = root.ravel("K")
    if root.size and not np.may_share_memory(flat, root):  # memory from elsewhere, with gaps
        low, high = np.lib.array_utils.byte_bounds(root)
        corner = root[tuple(slice(-1, None) if s < 0 else slice(0, 1) for s in root.strides)]
        flat = np.lib.stride_tricks.as_strided(corner, ((high - low) // root.itemsize,), (root.itemsize,))
    return flat if flat.dtype == array.dtype else flat.view(array.dtype)


def geometry(array: np.ndarray) -> Geometry:
    """Where the elements of `array` lie in `memory(array)`."""
    size = array.itemsize
    offset = (_address(array) - _address(memory(array))) // size if array.base is not None and array.size else 0
    return Geometry(array.shape, tuple(s // size for s in array.strides), offset)


def row_major(shape: tuple[int, ...]) -> Geometry:
    """An array of this shape whose elements lie in the order of their indices."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return Geometry(shape, tuple(reversed(strides)), 0)


def look(flat: np.ndarray, place: Geometry) -> np.ndarray:
    """The array of this geometry in the memory `flat` (one dimension, without gaps): a view."""
    size = flat.itemsize
    if 0 in place.shape:
        return np.empty(place.shape, flat.dtype)
    out = np.ndarray(place.shape, flat.dtype, flat, place.offset * size, tuple(s * size for s in place.strides))  # type: ignore[arg-type]
    out.flags.writeable = flat.flags.writeable
    return out


def copied_memory(array: np.ndarray, memo: dict) -> np.ndarray:
    """The array in a copy of its memory, with its strides. memo, of `copy.deepcopy`: by memory its copy, which all share
    that looked at the same."""
    root = storage.owner(array)
    key = ("memory", id(root))
    if key not in memo and root is array and array.flags.c_contiguous:  # the plain case: the copy is its own memory
        copied = array.copy()
        memo[key] = memory(copied)
        return copied
    if key not in memo:
        memo[key] = memory(root).copy()
    return look(memo[key].view(array.dtype), geometry(array))


def repeats(array: np.ndarray) -> bool:
    """Whether two places of the array are the same element of memory, as `expand` and overlapping windows make them."""
    if not array.size or array.flags.c_contiguous:
        return False
    place = geometry(array)
    if not place.may_repeat():
        return False
    low, high = place.span()
    if 0 in (s for s, n in zip(place.strides, place.shape, strict=True) if n > 1):
        return True
    return np.unique(look(np.arange(high - low), place.moved(-low))).size < array.size


def require_writable(array: np.ndarray) -> None:
    """RuntimeError where the array's memory may only be read."""
    if not array.flags.writeable:
        raise RuntimeError("the memory of the written-to tensor is read-only; clone() it before the operation")


def require_own_places(array: np.ndarray) -> None:
    """RuntimeError where two elements of an array that is to be written are one in memory, or where it is read-only."""
    require_writable(array)
    if repeats(array):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )


def dim_order(array: np.ndarray) -> tuple[int, ...]:
    """The dimensions from the one with the widest steps to the one with the narrowest; one without steps stays where it is."""
    order = list(range(array.ndim))
    steps = [s if n > 1 else 0 for s, n in zip(array.strides, array.shape, strict=True)]
    for last in range(1, array.ndim):  # sorted by insertion, as some pairs say nothing
        for i in range(last, 0, -1):
            before, after = order[i - 1], order[i]
            a, b = steps[before], steps[after]
            if a and b and a < b:
                order[i - 1], order[i] = after, before
            elif a and b and a > b:
                break
    return tuple(order)


def is_same_place(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether both are the same elements of the same memory, in the same order."""
    return a is b or (storage.owner(a) is storage.owner(b) and geometry(a) == geometry(b))


def overlap_in_part(written: np.ndarray, read: np.ndarray) -> bool:
    """Whether an operation that writes one array while it reads the other would read what it has written.

    Not where both are the same elements in the same order. Where an array has gaps it is not looked into, as in PyTorch.
    Source: PyTorch, at::get_overlap_status.
    """
    if written is read or storage.owner(written) is not storage.owner(read) or not written.size or not read.size:
        return False
    a, b = geometry(written), geometry(read)
    if not a.is_dense() or not b.is_dense():
        return False
    (first, last), (begin, end) = a.span(), b.span()
    if (first, last) == (begin, end):
        if a.shape != b.shape:
            return a.strides != b.strides
        return any(s != t for s, t, n in zip(a.strides, b.strides, a.shape, strict=True) if n > 1)
    return first < end and begin < last
