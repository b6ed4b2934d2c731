"""Arrays in order: all of them, the first few, the one of a given rank. Equal elements keep their order; nan is the largest.

Only what is wanted is put in order: the rest is told apart by the value on the edge, which a partition finds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray


def _keys(x: Array, descending: bool) -> Array | None:
    """Whole numbers that are in order (from small to large) where the elements along the last dimension are, equal ones included.

    The upper half of each is the element, of 32 bits at most, the lower half its place, `& _PLACE`. So any sort is stable, and
    NumPy sorts numbers several times as fast as it puts places in order. None where that does not fit, or does not pay.
    """
    n = x.shape[-1] if x.ndim else 0
    if x.size < 512 or n >= 1 << 31:
        return None
    if x.dtype.kind == "f" and x.itemsize <= 4:
        bits = (x + x.dtype.type(0)).view(f"i{x.itemsize}")  # -0 becomes 0, its equal
        key = bits ^ (
            (bits >> (8 * x.itemsize - 1)) & np.iinfo(bits.dtype).max
        )  # of a negative number all bits but the sign
        key[np.isnan(x)] = np.iinfo(bits.dtype).max
    elif x.dtype.kind in "bi" and (x.itemsize <= 4 or (x.min() >= -(1 << 31) and x.max() < 1 << 31)):
        key = x
    else:
        return None
    keys = (~key if descending else key).astype(np.int64, order="C")
    keys <<= 32
    keys |= np.arange(n)
    return keys


_PLACE = (1 << 32) - 1


def in_order(x: Array, dim: int, descending: bool) -> Array:
    """The stable order along dim; nan counts as the largest value."""
    keys = _keys(np.moveaxis(x, dim, -1) if x.ndim > 1 else x, descending)
    if keys is not None:
        keys.sort(-1)
        keys &= _PLACE
        return np.ascontiguousarray(np.moveaxis(keys, -1, dim))
    if not descending:
        return np.argsort(x, dim, kind="stable")
    # Stable from large to small: sort the reversed array and turn the result around.
    turned = (*(slice(None),) * (dim % x.ndim), slice(None, None, -1))
    order = x[turned].argsort(dim, kind="stable")
    return np.ascontiguousarray(x.shape[dim] - 1 - order[turned])


def first_of_order(rows: Array, k: int, descending: bool) -> Array:
    """`in_order(rows, 1, descending)[:, :k]`, without putting the rest in order."""
    n = rows.shape[1]
    if 0 < k < n and (len(rows) > 1 or 4 * k > n):
        keys = _keys(rows, descending)
        if keys is not None:
            keys.partition(k - 1, 1)
            first = keys[:, :k].copy()
            first.sort(1)
            first &= _PLACE
            return first
    if k == 0 or 4 * k > n or n < 64 or (rows.dtype.kind == "f" and np.isnan(rows).any()):
        return np.ascontiguousarray(in_order(rows, 1, descending)[:, :k])
    # The k largest are wanted from now on; ~x turns the order of whole numbers and of False and True around.
    keys = rows if descending else -rows if rows.dtype.kind == "f" else ~rows
    if len(rows) == 1:
        places: Array = np.flatnonzero(keys[0] >= _at_most_the_kth(keys[0], k))
        return places[in_order(keys[0, places], 0, True)[:k]].reshape(1, k)
    kth = np.partition(keys, n - k, 1)[:, n - k, None]
    chosen = keys >= kth
    if np.count_nonzero(chosen) > len(rows) * k:  # equal ones on the edge: of these the first
        above = keys > kth
        left = k - above.sum(1, keepdims=True)
        edge = chosen & ~above
        chosen = above | (edge & (edge.cumsum(1) <= left))
    places = np.nonzero(chosen)[1].reshape(len(rows), k)
    return np.take_along_axis(places, in_order(np.take_along_axis(keys, places, 1), 1, True), 1)


def _at_most_the_kth(x: Array, k: int) -> Any:
    """A value that k or some more elements of x reach: where k is small, from the largest of each of many blocks."""
    block = len(x) // (8 * k)
    if block >= 16:
        x = x[: len(x) // block * block].reshape(-1, block).max(1)
    x = x.copy()  # np.partition, without its detours
    x.partition(len(x) - k)
    return x[len(x) - k]


def place_of_rank(x: Array, rank: Array, dim: int) -> Array:
    """Where the element of the given rank stands in the stable order along dim; nan counts as the largest."""
    if (
        x.shape[dim] < 64
        or rank.size == 0
        or (rank.size > 1 and (rank != rank.flat[0]).any())
        or (x.dtype.kind == "f" and np.isnan(x).any())
    ):
        return np.take_along_axis(np.argsort(x, dim, kind="stable"), rank, dim)
    k = int(rank.flat[0])
    value = x.copy(order="K")
    value.partition(k, dim)
    value = value[(*(slice(None),) * dim, slice(k, k + 1))]
    equal = x == value
    before = k - np.count_nonzero(x < value, dim, keepdims=True)  # of those that are equal, the ones that come first
    if np.count_nonzero(before):
        equal = equal.cumsum(dim) > before
    return equal.argmax(dim, keepdims=True)
