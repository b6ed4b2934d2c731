"""exp, log, tanh and erf written out in arithmetic that a compiler can turn into vector instructions.

A call of the C library's `exp` in a loop stops vectorisation: it takes one element at a time. What follows is a range
reduction to a small interval, a polynomial there (Horner), and the power of two put together from its bits. All branches
are computed and one is selected, so that a loop stays a straight line.

Each function exists for float32 and float64; `exp` picks by type when it is compiled.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, overload

from .compiled import inline


def _bits_of(source: Any, target: Any, llvm_type: Any) -> Any:
    """A function for kernels that reads the bits of a `source` as a `target`."""

    @intrinsic
    def reinterpret(context, x):
        return target(source), lambda context, builder, signature, args: builder.bitcast(args[0], llvm_type)

    return reinterpret


as_float32 = _bits_of(types.int32, types.float32, ir.FloatType())
bits_of_float32 = _bits_of(types.float32, types.int32, ir.IntType(32))
as_float64 = _bits_of(types.int64, types.float64, ir.DoubleType())
bits_of_float64 = _bits_of(types.float64, types.int64, ir.IntType(64))


def horner(coefficients: Any) -> Any:
    """A function for kernels, Σ cᵢ xⁱ, written out: a loop over coefficients would not become part of vectors around it."""

    def polynomial(context, x):
        def code(context, builder, signature, args):
            kind = args[0].type
            *rest, out = (ir.Constant(kind, float(c)) for c in coefficients)
            for c in reversed(rest):
                out = builder.fadd(builder.fmul(out, args[0], flags=("contract",)), c, flags=("contract",))
            return out

        return x(x), code

    return intrinsic(polynomial)


def _f(*values: float) -> tuple[np.float32, ...]:
    return tuple(np.float32(v) for v in values)


def _full_width(context):
    def code(context, builder, signature, args):
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')  # LLVM's, which llvmlite does not list
        return context.get_dummy_value()

    return types.void(), code


# For a kernel to call first: vectors of the full width of AVX-512. By itself LLVM stops at half, which costs loops that
# compute much for each element (exp, tanh) a third of their speed.
full_width: Any = intrinsic(_full_width)


def _multiply_add(context, a, b, c):
    def code(context, builder, signature, args):
        return builder.fma(*args)

    return types.float64(types.float64, types.float64, types.float64), code


multiply_add: Any = intrinsic(_multiply_add)  # a · b + c, rounded once


# -- exp: x = n ln 2 + r, |r| ≤ ln 2 / 2, eˣ = 2ⁿ eʳ. Adding and taking away 1.5 · 2²³ (2⁵²) rounds to a whole number.

_LOG2E_32, _ROUND_32, _ZERO_32 = _f(1 / math.log(2), 1.5 * 2**23, 0.0)
_LN2_HIGH_32, _LN2_LOW_32 = _f(0.693359375, -2.12194440e-4)  # Cody and Waite: n · high is exact
_E7, _E6, _E5, _E4, _E3, _E2, _E1 = _f(1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2, 1)
_LOW_32, _HIGH_32, _INF_32 = _f(-104.0, 89.0, math.inf)


@inline
def exp_float32(x: Any) -> Any:
    c = min(max(x, _LOW_32), _HIGH_32)
    t = c * _LOG2E_32 + _ROUND_32
    n = t - _ROUND_32
    r = (c - n * _LN2_HIGH_32) - n * _LN2_LOW_32
    p = ((((((_E7 * r + _E6) * r + _E5) * r + _E4) * r + _E3) * r + _E2) * r + _E1) * r + _E1
    # 2ⁿ in two factors, for n from -150 (below the normal numbers) to 128 (above the largest)
    k = np.int32(n)
    half = k >> np.int32(1)
    a = as_float32(np.int32((half + np.int32(127)) << np.int32(23)))
    b = as_float32(np.int32((k - half + np.int32(127)) << np.int32(23)))
    out = p * a * b
    return out if x == x else x


# The largest factor is 1 here, so 2ⁿ needs no second factor but a constant: n + 75 is the exponent of a normal number down to
# the smallest denormal. It stands in the low bits of t, and is added to the exponent of the polynomial, fitted for |r| ≤ ln 2 / 2.
_SHIFT_32, _BACK_32 = _f(1.5 * 2**23 + 75, 2.0**-75)
_P6, _P5, _P4, _P3, _P2 = _f(0.00139464578, 0.00836915895, 0.0416662619, 0.166665167, 0.5)
_UNIT_32 = np.float32(1)


@inline
def exp_nonpositive_float32(x: Any) -> Any:
    """eˣ for x ≤ 0, in two thirds of the instructions. (Above 36 it is wrong.)"""
    c = _LOW_32 if x < _LOW_32 else x
    t = c * _LOG2E_32 + _SHIFT_32
    n = t - _SHIFT_32
    r = (c - n * _LN2_HIGH_32) - n * _LN2_LOW_32
    p = (((((_P6 * r + _P5) * r + _P4) * r + _P3) * r + _P2) * r + _UNIT_32) * r + _UNIT_32
    scaled = bits_of_float32(p) + np.int32(bits_of_float32(t) << np.int32(23))
    out = as_float32(np.int32(scaled)) * _BACK_32
    return out if x == x else x


_LOG2E_64, _ROUND_64 = 1 / math.log(2), 1.5 * 2.0**52
_LN2_HIGH_64, _LN2_LOW_64 = 0.693147180369123816490, 1.90821492927058770002e-10
_TAYLOR = tuple(1 / math.factorial(k) for k in range(13, -1, -1))
_T13, _T12, _T11, _T10, _T9, _T8, _T7, _T6, _T5, _T4, _T3, _T2, _T1, _T0 = _TAYLOR


@inline
def exp_float64(x: Any) -> Any:
    c = min(max(x, -746.0), 710.0)
    t = c * _LOG2E_64 + _ROUND_64
    n = t - _ROUND_64
    r = (c - n * _LN2_HIGH_64) - n * _LN2_LOW_64
    p = (((((((_T13 * r + _T12) * r + _T11) * r + _T10) * r + _T9) * r + _T8) * r + _T7) * r + _T6) * r + _T5
    p = ((((p * r + _T4) * r + _T3) * r + _T2) * r + _T1) * r + _T0
    k = np.int64(n)
    half = k >> np.int64(1)
    a = as_float64((half + np.int64(1023)) << np.int64(52))
    b = as_float64((k - half + np.int64(1023)) << np.int64(52))
    out = p * a * b
    return out if x == x else x


def _by_type(name: str, single: Any, double: Any) -> Any:
    """A function for kernels that is `single` for float32 and `double` for float64."""

    def function(x):
        raise NotImplementedError(f"{name} is for kernels")

    def choose(x):
        if x == types.float32:
            return lambda x: single(x)
        return lambda x: double(x)

    function.__name__ = name
    overload(function)(choose)
    return function


exp = _by_type("exp", exp_float32, exp_float64)
exp_nonpositive = _by_type("exp_nonpositive", exp_nonpositive_float32, exp_float64)


# -- log: x = 2ᵏ m, m from √½ to √2, ln m = 2 artanh s, s = (m - 1) / (m + 1). To 2e-12, for positive normal numbers.

_LN2_64, _ROOT_HALF_BITS, _MANTISSA_BITS = math.log(2), 0x3FE6A09E667F3BCD, np.int64(52)


@inline
def log_to_float32(x: Any) -> Any:
    """ln x in double precision, exact enough for a result that is rounded to a float32."""
    k = (bits_of_float64(x) - np.int64(_ROOT_HALF_BITS)) >> _MANTISSA_BITS
    m = as_float64(bits_of_float64(x) - (k << _MANTISSA_BITS))
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = ((((z / 13.0 + 1 / 11) * z + 1 / 9) * z + 1 / 7) * z + 1 / 5) * z + 1 / 3
    return float(k) * _LN2_64 + 2.0 * s * (1.0 + z * p)


# -- tanh: below 0.6 an odd polynomial (1 - 2 / (e²ˣ + 1) would cancel there), above it the formula

_H6, _H5, _H4, _H3, _H2, _H1, _H0 = _f(
    -0.000896543880615448, 0.0033417792785767337, -0.008804699129387337, 0.021862307655426308, -0.053967829594430944,
    0.13333332385724683, -0.33333333329857495,
)  # fmt: skip
_ONE_32, _TWO_32, _HALF_32, _SMALL_32, _FLAT_32 = _f(1, 2, 0.5, 0.6, 10)


@inline
def tanh_float32(x: Any) -> Any:
    y = abs(x)
    z = x * x
    p = (((((_H6 * z + _H5) * z + _H4) * z + _H3) * z + _H2) * z + _H1) * z + _H0
    small = x + x * (z * p)
    large = _ONE_32 - _TWO_32 / (exp_float32(_TWO_32 * min(y, _FLAT_32)) + _ONE_32)
    large = large if x > _ZERO_32 else -large
    out = small if y < _SMALL_32 else large
    return out if (x < _ZERO_32) | (x > _ZERO_32) else x  # -0 and nan as they are


@inline
def tanh_float64(x: Any) -> Any:
    return math.tanh(x)  # the C library's, one element at a time


tanh = _by_type("tanh", tanh_float32, tanh_float64)


# -- erf: below 1 x plus an odd polynomial, above it 1 - e^(-x² - q(x)), where x² + q is -ln erfc

_S7, _S6, _S5, _S4, _S3, _S2, _S1, _S0 = _f(
    -9.667044571486996e-06, 0.00011265959025606609, -0.0008484080405535107, 0.005221031807858023, -0.026865430727670243,
    0.11283782495236845, -0.3761263846802871, 0.1283791670615435,
)  # fmt: skip
_L9, _L8, _L7, _L6, _L5, _L4, _L3, _L2, _L1, _L0 = _f(
    7.582681969725275e-08, -3.321684590731722e-06, 6.22983532516145e-05, -0.0006858366830115038, 0.0050649469202164845,
    -0.027099523293990374, 0.11105501737188005, -0.3690469701834278, 1.1306751441818166, -0.0004163292177097496,
)  # fmt: skip
_END_32 = np.float32(4)


@inline
def erf_float32(x: Any) -> Any:
    y = min(abs(x), _END_32)
    z = x * x
    small = x + x * (((((((_S7 * z + _S6) * z + _S5) * z + _S4) * z + _S3) * z + _S2) * z + _S1) * z + _S0)
    q = ((((((((_L9 * y + _L8) * y + _L7) * y + _L6) * y + _L5) * y + _L4) * y + _L3) * y + _L2) * y + _L1) * y + _L0
    large = _ONE_32 - exp_float32(-(y * y) - q)
    large = large if x > _ZERO_32 else -large
    out = small if y < _ONE_32 else large
    return out if x == x else x
