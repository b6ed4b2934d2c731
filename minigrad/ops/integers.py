"""Whole numbers: common divisors and multiples, and bits moved to the left and right. None of these has a gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import Operand, Variable, wrap
from ..public import public
from .operands import Number, array_of, broadcast_error, promote

if TYPE_CHECKING:
    from ..tensor import Tensor


def _whole(name: str, input: Operand, other: Operand) -> tuple[np.ndarray, np.ndarray]:
    """Both operands as arrays of the integer type in which they meet, broadcast."""
    a, b = promote(input, other)
    kind = next(x for x in (a, b) if isinstance(x, Variable)).array.dtype
    if kind.kind not in "iu":
        raise NotImplementedError(f"\"{name}\" not implemented for '{kind}'; it takes integers")
    try:
        x, y = np.broadcast_arrays(np.asarray(array_of(a), kind), np.asarray(array_of(b), kind))
    except ValueError:
        raise broadcast_error(a, b) from None
    return x, y


@public
def gcd(input: Tensor, other: Tensor) -> Tensor:
    """The greatest common divisor, not negative; gcd(0, 0) is 0. PyTorch: torch.gcd."""
    return wrap(np.asarray(np.gcd(*_whole("gcd_cpu", input, other))))


@public
def lcm(input: Tensor, other: Tensor) -> Tensor:
    """The least common multiple, not negative; 0 where either is 0. PyTorch: torch.lcm."""
    return wrap(np.asarray(np.abs(np.lcm(*_whole("lcm_cpu", input, other)))))


@public
def bitwise_left_shift(input: Operand | Number, other: Operand | Number) -> Tensor:
    """input · 2^other in the bits that its type has; 0 where other is negative or no smaller than their number.

    PyTorch: torch.bitwise_left_shift.
    """
    x, shift = _whole("lshift_cpu", input, other)
    bits = 8 * x.dtype.itemsize
    outside = (shift < 0) | (shift >= bits)
    return wrap(np.asarray(np.where(outside, 0, np.left_shift(x, np.where(outside, 0, shift))), x.dtype))


@public
def bitwise_right_shift(input: Operand | Number, other: Operand | Number) -> Tensor:
    """⌊input / 2^other⌋; where other is negative or too large, what is left when all bits but the sign are gone.

    PyTorch: torch.bitwise_right_shift.
    """
    x, shift = _whole("rshift_cpu", input, other)
    most: Any = 8 * x.dtype.itemsize - (x.dtype.kind == "i")
    shift = np.where((shift < 0) | (shift >= most), most, shift).astype(x.dtype)
    if x.dtype.kind == "u":  # all bits may go: NumPy leaves a shift by their number open
        return wrap(np.asarray(np.where(shift == most, 0, np.right_shift(x, np.minimum(shift, most - 1))), x.dtype))
    return wrap(np.asarray(np.right_shift(x, shift)))
