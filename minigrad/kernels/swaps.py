"""The swaps of a random permutation, one after the other. The twin in Python is `swapped` of random.py."""

from __future__ import annotations

import numpy as np

from ..autograd.variable import Array
from .compiled import kernel


@kernel
def _swaps(order: Array, drawn: Array) -> None:
    for i in range(drawn.size):
        # Both have 32 bits, and a division of such takes a third of the time.
        j = i + np.int64(np.uint32(drawn[i]) % np.uint32(order.size - i))
        first = order[i]
        order[i] = order[j]
        order[j] = first


def swapped(drawn: Array) -> Array:
    """The numbers 0 to n - 1 after n - 1 swaps: for i = 0, 1, ..., of the elements at i and i + drawn[i] % (n - i)."""
    order = np.arange(len(drawn) + 1)
    _swaps(order, drawn)
    return order
