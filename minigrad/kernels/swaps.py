"""The swaps of a random permutation, one after the other. The twin in Python is `swapped` of random.py."""

from __future__ import annotations

import numpy as np

from ..autograd.variable import Array
from .compiled import kernel


@kernel
def _swaps(order: Array, step: Array) -> None:
    for i in range(step.size):
        j = i + step[i]
        first = order[i]
        order[i] = order[j]
        order[j] = first


def swapped(step: Array) -> Array:
    """The numbers 0 to n - 1 after n - 1 swaps: for i = 0, 1, ..., of the elements at i and i + step[i]."""
    order = np.arange(len(step) + 1)
    _swaps(order, step)
    return order
