"""In which order the elements of an array lie in memory, where that is not the order of their indices.

PyTorch makes a tensor "like" another without gaps and in the other's order, and draws random numbers in that order: it is
what decides which number lands where. Source: PyTorch, TensorIterator's reorder_dimensions and infer_dense_strides.
"""

from __future__ import annotations

import numpy as np


def dimensions(array: np.ndarray) -> list[int]:
    """The dimensions from the slowest to the fastest: by stride, and as they are where a stride is 0 and does not tell."""
    found = list(reversed(range(array.ndim)))  # the fastest first
    for i in range(1, array.ndim):  # insertion: a slower one moves behind a faster one
        at = i
        for j in reversed(range(i)):
            a, b = found[j], found[at]
            first, second = array.strides[a], array.strides[b]
            if first == 0 or second == 0:
                continue
            if first < second:
                break
            if first > second or array.shape[a] > array.shape[b]:
                found[j], found[at] = b, a
                at = j
    return found[::-1]


def empty_like(array: np.ndarray, d: np.dtype | None = None) -> np.ndarray:
    """Memory without gaps in the shape and order of `array`, and in its type or type d, not set to anything."""
    if array.flags.c_contiguous:
        return np.empty_like(array, d)
    slow_to_fast = dimensions(array)
    return np.empty([array.shape[i] for i in slow_to_fast], d or array.dtype).transpose(np.argsort(slow_to_fast))
