"""Whole numbers: common divisors and multiples, and bits moved to the left and right. None of these has a gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import Array, Operand, Variable, wrap
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
    """The greatest common divisor, not negative; gcd(0, 0) is 0. PyTorch: torch.gcd.

    Of the smallest integer of a type, whose absolute value does not fit, it may be negative, as in PyTorch.
    """
    return wrap(_gcd(*_whole("gcd_cpu", input, other)))


def _gcd(x: Array, y: Array) -> Array:
    out = np.asarray(np.gcd(x, y))
    smallest = np.iinfo(x.dtype).min
    if not smallest:
        return out
    for place in np.argwhere((x == smallest) | (y == smallest)):
        a, b = (int(v[tuple(place)]) for v in (x, y))
        a, b = (v if v == smallest else abs(v) for v in (a, b))
        while a:  # Euclid, with remainders that have the sign of what is divided
            a, b = abs(b) % abs(a) * (-1 if b < 0 else 1), a
        out[tuple(place)] = b
    return out


@public
def lcm(input: Tensor, other: Tensor) -> Tensor:
    """The least common multiple, not negative; 0 where either is 0. PyTorch: torch.lcm.

    One that does not fit is what its last bits spell.
    """
    x, y = _whole("lcm_cpu", input, other)
    divisor = _gcd(x, y)
    d = x.dtype if x.dtype.itemsize >= 4 else np.int32  # C computes with shorter integers in this one
    with np.errstate(all="ignore"):
        whole = x.astype(d) // np.where(divisor == 0, 1, divisor) * y
    return wrap(np.asarray(np.abs(whole).astype(x.dtype)))


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


def rleft_shift(input: Operand, other: Operand | Number) -> Tensor:
    """other · 2^input, for `other << input`."""
    return bitwise_left_shift(other, input)


def rright_shift(input: Operand, other: Operand | Number) -> Tensor:
    """⌊other / 2^input⌋, for `other >> input`."""
    return bitwise_right_shift(other, input)
