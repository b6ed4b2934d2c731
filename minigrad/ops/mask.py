"""Choosing between values by a mask, fast and exactly.

`np.where` branches at every element, and where the mask has no pattern the processor guesses half of the branches wrong:
a product is much quicker. But the product `grad * mask` itself is wrong where grad is inf or nan (inf · 0 = nan, and a
masked gradient is 0). So these work on the *bits* of the floats, read as integers: a product of bits with a 0/1 mask
keeps or clears them, whatever float they spell.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import Operand, Variable, wrap
from .choice import where

_BITS: dict[int, np.dtype[Any]] = {2: np.dtype(np.int16), 4: np.dtype(np.int32), 8: np.dtype(np.int64)}


def keep(values: Operand, mask: Operand) -> Any:
    """`values` where `mask` is True, else 0. Floating arrays or tensors; the mask is of the same kind."""
    if isinstance(mask, Variable):
        return where(mask, values, 0.0)
    bits = _BITS[values.itemsize]
    out = np.empty(values.shape, values.dtype)
    np.multiply(values.view(bits), mask, out=out.view(bits))
    return out


def nothing(grad: Operand) -> Any:
    """The gradient of what is constant, piece by piece: zeros that have no history, also where grad is inf or nan."""
    return wrap(np.zeros_like(grad.array)) if isinstance(grad, Variable) else np.zeros_like(grad)


def choose(mask: Operand, a: Operand, b: Operand) -> Any:
    """`a` where `mask` is True, else `b`. One of them may be a number."""
    if isinstance(mask, Variable):
        return where(mask, a, b)
    d = (b if type(a) is float else a).dtype  # a NumPy scalar is a float too, and has a dtype
    bits = _BITS[d.itemsize]
    a, b = np.asarray(a, d).view(bits), np.asarray(b, d).view(bits)
    out = np.asarray(a ^ b)  # the bits in which they differ
    out *= mask
    out ^= b
    return out.view(d)
