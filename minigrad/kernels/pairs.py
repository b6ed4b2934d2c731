"""Box and Muller's pairs of normal numbers in float32, to the bit. The twin in NumPy is `_box_muller_32` of random.py.

Every line here is one of random.py's, for one element: a multiply-add that PyTorch rounds once is a product in float64, where it is
exact, and a sum, rounded to float32. Nothing in the loop hangs on a branch, so LLVM runs it in vectors.
"""

from __future__ import annotations

import math

import numpy as np

from .. import random
from ..autograd.variable import Array
from .compiled import inline, kernel

_ZERO, _HALF, _ONE, _TWO = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2)
_SQRT_HALF, _LN2_LOW = np.float32(random._SQRT_HALF), np.float32(random._LN2_LOW)
_LN2_HIGH = random._LN2_HIGH
_L0, _L1, _L2, _L3, _L4, _L5, _L6, _L7, _L8 = random._LOG
_TURN, _FOUR_OVER_PI = np.float32(2 * math.pi), np.float32(random._FOUR_OVER_PI)
_P0, _P1, _P2 = random._PI_OVER_4
_S0, _S1, _S2 = random._SIN
_C0, _C1, _C2 = random._COS


@inline
def _fused(y: float, x: float, c: float) -> np.float32:
    return np.float32(np.float64(y) * np.float64(x) + np.float64(c))


@kernel
def _box_muller(mantissa: Array, exponent: Array, turn: Array, cosines: Array, sines: Array) -> None:
    """mantissa and exponent of the first uniform number, turn: the second; all (n)."""
    for i in range(mantissa.size):
        m = mantissa[i]
        small = m < _SQRT_HALF
        f = (m + m if small else m) - _ONE
        e = np.float32(exponent[i]) - (_ONE if small else _ZERO)
        square = f * f
        y = _fused(np.float32(_L0), f, _L1)
        y = _fused(y, f, _L2)
        y = _fused(y, f, _L3)
        y = _fused(y, f, _L4)
        y = _fused(y, f, _L5)
        y = _fused(y, f, _L6)
        y = _fused(y, f, _L7)
        y = _fused(y, f, _L8)
        y = _fused(y * f, square, e * _LN2_LOW) - _HALF * square
        log = _fused(_LN2_HIGH, e, f + y)
        radius = np.float32(math.sqrt(-_TWO * log))

        x = _TURN * turn[i]
        octant = np.int32(x * _FOUR_OVER_PI)
        half_turns = (octant + np.int32(1)) & np.int32(-2)
        steps = np.float64(half_turns)
        d = np.float32(-_P0 * steps + np.float64(x))
        d = np.float32(-_P1 * steps + np.float64(d))
        d = np.float32(-_P2 * steps + np.float64(d))
        square = d * d
        sine = _fused(_fused(np.float32(_S0), square, _S1), square, _S2) * square
        sine = _fused(sine, d, d)
        cosine = _fused(_fused(np.float32(_C0), square, _C1), square, _C2) * square
        cosine = _fused(cosine, square, -_HALF * square) + _ONE
        swap = (half_turns & 2) != 0
        s = cosine if swap else sine
        c = sine if swap else cosine
        s = -s if (half_turns & 4) != 0 else s
        c = -c if ((half_turns + 2) & 4) != 0 else c
        cosines[i] = radius * c
        sines[i] = radius * s


def box_muller(a: Array, b: Array) -> Array:
    """Standard normal numbers (k, 2, 8) of uniform ones a in (0, 1] and b in [0, 1), both float32 and (k, 8)."""
    mantissa, exponent = np.frexp(a)
    pairs = np.empty((2, *a.shape), np.float32)
    _box_muller(mantissa.reshape(-1), exponent.reshape(-1), b.reshape(-1), pairs[0].reshape(-1), pairs[1].reshape(-1))
    return pairs.transpose(1, 0, 2)
