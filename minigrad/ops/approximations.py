"""The values of special functions on arrays, in NumPy alone: erf, erfc, its inverse, ln Γ and its derivatives.

erf and erfc follow W. J. Cody, "Rational Chebyshev Approximations for the Error Function" (Math. Comp. 23, 1969): three
quotients of polynomials, for |x| ≤ 0.46875, up to 4, and above. Accurate to about 1e-16 relative.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.variable import Array

_SQRT_PI = math.sqrt(math.pi)
_BLOCK = 1 << 13  # elements whose intermediate results stay in the second cache


def _in_blocks(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """The function, which makes many passes over an array, on one block of it after the other."""

    @functools.wraps(function)
    def of(x: Array) -> Array:
        if x.size <= 2 * _BLOCK or not x.flags.c_contiguous:
            return function(x)
        flat, out = x.reshape(-1), np.empty(x.size, x.dtype)
        for i in range(0, x.size, _BLOCK):
            out[i : i + _BLOCK] = function(flat[i : i + _BLOCK])
        return out.reshape(x.shape)

    return of


# Cody's coefficients, by rising power.
_ERF_P = (
    3209.377589138469472562, 377.4852376853020208137, 113.8641541510501556495, 3.161123743870565596947,
    0.1857777061846031526730,
)  # fmt: skip
_ERF_Q = (2844.236833439170622273, 1282.616526077372275645, 244.0246379344441733056, 23.60129095234412093499, 1.0)
_ERFC_P = (
    1230.33935479799725272, 2051.07837782607146532, 1712.04761263407058314, 881.952221241769090411, 298.635138197400131132,
    66.1191906371416294775, 8.88314979438837594118, 0.564188496988670089180, 2.15311535474403846343e-8,
)  # fmt: skip
_ERFC_Q = (
    1230.33935480374942043, 3439.36767414372163696, 4362.61909014324715820, 3290.79923573345962678, 1621.38957456669018874,
    537.181101862009857509, 117.693950891312499305, 15.7449261107098347253, 1.0,
)  # fmt: skip
_FAR_P = (
    6.58749161529837803157e-4, 1.60837851487422766278e-2, 1.25781726111229246204e-1, 3.60344899949804439429e-1,
    3.05326634961232344035e-1, 1.63153871373020978498e-2,
)  # fmt: skip
_FAR_Q = (
    2.33520497626869185443e-3, 6.05183413124413191178e-2, 5.27905102951428412248e-1, 1.87295284992346047209, 2.56852019228982242072, 1.0,
)  # fmt: skip


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    """Σ cᵢ xⁱ by Horner's rule."""
    out = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        out *= x
        out += c
    return out


def _scaled_tail(y: Array) -> Array:
    """e^(y²) erfc(y) for y > 0.46875."""
    near = y <= 4.0
    z = np.where(near, y, 4.0)
    quotient = _polynomial(_ERFC_P, z) / _polynomial(_ERFC_Q, z)
    if not near.all():
        z = np.where(near, 4.0, y)
        inverse_square = 1.0 / (z * z)
        far = inverse_square * _polynomial(_FAR_P, inverse_square) / _polynomial(_FAR_Q, inverse_square)
        quotient = np.where(near, quotient, (1.0 / _SQRT_PI - far) / z)
    return quotient


def _erfc_tail(y: Array) -> Array:
    """erfc(y) for y > 0.46875."""
    # exp(-y²) with y² split, so that the rounding of y² is not magnified by the exponential
    head = np.trunc(y * 16.0) / 16.0
    return np.exp(-head * head) * np.exp(-(y - head) * (y + head)) * _scaled_tail(y)


# erf(x) = tanh(x · p(x²)): p by rising power, fitted here for the least relative error of the tanh, 1e-7, for |x| ≤ 4.2.
_TANH_P = (
    1.1283792743391676, 0.10276905756409944, -1.9183584345098246e-4, -6.197801661417019e-4, 8.76356705990496e-5,
    -5.668215086474815e-6, 1.418379566211062e-7,
)  # fmt: skip


def _erf_float32(x: Array) -> Array:
    """erf to 2.3 units in the last place of float32, quicker than by Cody's quotients, as tanh runs vectorised."""
    out = _polynomial(_TANH_P, np.asarray(np.minimum(x * x, np.float32(17.0))))  # beyond it tanh has long been 1
    out *= x
    return np.tanh(out, out=out)


def erf(x: Array) -> Array:
    """2/√π ∫₀ˣ e^(-t²) dt, in the type of x."""
    if x.dtype == np.float32:
        return _erf_float32(x)
    wide = np.asarray(x, np.float64)
    y = np.abs(wide)
    small = y <= 0.477  # a little beyond Cody's bound, to where erf is 1/2: below it 1 - erfc would lose a bit
    square = np.where(small, wide * wide, 0.0)
    out = wide * _polynomial(_ERF_P, square) / _polynomial(_ERF_Q, square)
    if not small.all():
        tail = 1.0 - _erfc_tail(np.where(small, 1.0, np.minimum(y, 27.0)))
        out = np.where(small, out, np.copysign(tail, wide))
        out = np.where(np.isnan(wide), np.nan, out)
    return np.asarray(out, x.dtype)


@_in_blocks
def erfc(x: Array) -> Array:
    """1 - erf(x), without cancellation for large x, in the type of x."""
    wide = np.asarray(x, np.float64)
    out = np.empty_like(wide)
    small = np.abs(wide) <= 0.46875
    if small.any():
        near = wide[small]
        square = near * near
        out[small] = 1.0 - near * _polynomial(_ERF_P, square) / _polynomial(_ERF_Q, square)
    if not small.all():
        far = wide[~small]
        y = np.abs(far)
        tail = np.where(y > 27.0, 0.0, _erfc_tail(np.minimum(y, 27.0)))
        out[~small] = np.where(far < 0, 2.0 - tail, tail)
    return np.asarray(out, x.dtype)


def erfcx(x: Array) -> Array:
    """e^(x²) erfc(x): no number of x > 0 makes it 0."""
    wide = np.asarray(x, np.float64)
    y = np.abs(wide)
    small = y <= 0.46875
    near = np.where(small, wide, 0.0)
    tail = _scaled_tail(np.where(small, 1.0, y))
    out = np.where(small, np.exp(near * near) * erfc(near), np.where(wide < 0, 2 * np.exp(wide * wide) - tail, tail))
    return np.asarray(np.where(np.isnan(wide), np.nan, out), x.dtype)


# Wichura's coefficients, by rising power: of the middle, of the tails, and of what lies far out.
_MIDDLE_P = (
    3.3871328727963666080, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
    4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
)  # fmt: skip
_MIDDLE_Q = (
    1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
    3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3,
)  # fmt: skip
_TAIL_P = (
    1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
    1.27045825245236838258, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
)  # fmt: skip
_TAIL_Q = (
    1.0, 2.05319162663775882187, 1.67638483018380384940, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
    1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
)  # fmt: skip
_OUT_P = (
    6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 2.96560571828504891230e-1,
    2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
)  # fmt: skip
_OUT_Q = (
    1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4,
    1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
)  # fmt: skip


@_in_blocks
def erfinv(x: Array) -> Array:
    """The y with erf(y) = x, from the normal distribution's quantile z at (1 + x) / 2: y = z / √2."""
    wide = np.asarray(x, np.float64)
    return np.asarray(_quantile(0.5 * wide, 0.5 * (1.0 - np.abs(wide))) * math.sqrt(0.5), x.dtype)


@_in_blocks
def ndtri(p: Array) -> Array:
    """The z below which a standard normal variable is with probability p, also where p is tiny."""
    wide = np.asarray(p, np.float64)
    return np.asarray(_quantile(wide - 0.5, np.minimum(wide, 1.0 - wide)), p.dtype)


def _quantile(q: Array, share: Array) -> Array:
    """The normal distribution's quantile at 1/2 + q, beyond which on q's side lies `share`: ±inf where that is 0, nan below.

    Source: M. J. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution" (1988), its PPND16.
    """
    out = np.empty_like(q)
    middle = np.abs(q) <= 0.425
    if middle.any():
        near = q[middle]
        r = 0.180625 - near * near
        out[middle] = near * _polynomial(_MIDDLE_P, r) / _polynomial(_MIDDLE_Q, r)
    if not middle.all():
        r = np.sqrt(-np.log(share[~middle]))
        tail = np.minimum(r, 5.0) - 1.6
        z = _polynomial(_TAIL_P, tail) / _polynomial(_TAIL_Q, tail)
        if (r > 5.0).any():
            beyond = np.clip(r, 5.0, 40.0) - 5.0
            z = np.where(r > 5.0, _polynomial(_OUT_P, beyond) / _polynomial(_OUT_Q, beyond), z)
        out[~middle] = np.copysign(np.where(share[~middle] == 0, np.inf, z), q[~middle])
    return out


# ζ(k) - 1 for k = 2, 3, ...: ln Γ(2 + t) = (1 - γ) t + Σ (-1)ᵏ (ζ(k) - 1) tᵏ / k for |t| < 2
_ZETA = (
    0.6449340668482264, 0.2020569031595943, 0.08232323371113819, 0.03692775514336993, 0.01734306198444914,
    0.008349277381922827, 0.00407735619794434, 0.002008392826082214, 0.0009945751278180853, 0.0004941886041194646,
    0.0002460865533080483, 0.0001227133475784891, 6.124813505870483e-05, 3.058823630702049e-05, 1.528225940865187e-05,
    7.637197637899762e-06, 3.81729326499984e-06, 1.908212716553939e-06, 9.539620338727962e-07, 4.769329867878065e-07,
    2.384505027277329e-07, 1.192199259653111e-07, 5.960818905125948e-08, 2.980350351465228e-08, 1.490155482836505e-08,
)  # fmt: skip
_NEAR_TWO = (0.0, 1 - 0.5772156649015329, *(z * (-1) ** k / k for k, z in enumerate(_ZETA, 2)))
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)


@_in_blocks
def lgamma(x: Array) -> Array:
    """ln |Γ(x)|: its power series at 2 for x within [0.5, 3.5], else Stirling's series for x raised to x ≥ 8; reflected below 0.

    Source: Abramowitz and Stegun 1964, 6.1.17, 6.1.33 and 6.1.41.
    """
    wide = np.asarray(x, np.float64)
    negative = np.asarray(wide < 0.5)
    y = np.where(negative, 1.0 - wide, wide)
    out = np.empty_like(y)
    far_off = y > 3.5
    if not far_off.all():
        out[~far_off] = _near_two(y[~far_off])
    if far_off.any():
        out[far_off] = _stirling(y[far_off])
    if negative.any():
        below = wide[negative]
        whole = np.round(below)
        reflected = np.log(math.pi / np.abs(np.sin(math.pi * (below - whole)))) - out[negative]
        # Γ(x) = Γ(1 + x) / x: next to 0, 1 - x has lost the digits of x
        tiny = np.abs(below) < 0.25
        if tiny.any():
            reflected[tiny] = _near_zero(below[tiny])
        reflected[below == whole] = np.inf
        out[negative] = reflected
    out[np.isinf(wide)] = np.inf
    return np.asarray(out, x.dtype)


def _near_two(y: Array) -> Array:
    """ln Γ(y) for y within [0.5, 3.5] (and nan): Γ(1 + t) = Γ(2 + t) / (1 + t) and Γ(3 + t) = Γ(2 + t) (2 + t)."""
    below, above = y < 1.5, y > 2.5
    t = y - np.where(below, 1.0, np.where(above, 3.0, 2.0))
    out = _polynomial(_NEAR_TWO, t)
    if below.any():
        out[below] -= np.log1p(t[below])
    if above.any():
        out[above] += np.log(2.0 + t[above])
    return out


def _stirling(y: Array) -> Array:
    """ln Γ(y) for y > 3.5."""
    z, factor = y.copy(), np.ones_like(y)
    for _ in range(5):
        low = z < 8
        if not low.any():
            break
        factor = np.where(low, factor * z, factor)
        z = np.where(low, z + 1.0, z)
    out = (z - 0.5) * (np.log(z) - 1.0) + (0.5 * math.log(2 * math.pi) - 0.5)
    return out + _polynomial(_STIRLING, 1.0 / (z * z)) / z - np.log(factor)


def _near_zero(x: Array) -> Array:
    """ln |Γ(x)| for |x| ≤ 0.25."""
    return _polynomial(_NEAR_TWO, x) - np.log1p(x) - np.log(np.abs(x))


_BERNOULLI = (-1 / 12, 1 / 120, -1 / 252, 1 / 240, -1 / 132, 691 / 32760, -1 / 12)


@_in_blocks
def digamma(x: Array) -> Array:
    """d/dx ln Γ(x): reflected to x > 0, raised to x ≥ 10 by ψ(x) = ψ(x + 1) - 1/x, then the asymptotic series."""
    wide = np.asarray(x, np.float64)
    negative = wide < 0
    pole = (wide <= 0) & (wide == np.round(wide))
    reflection: Any = 0.0
    if negative.any():
        reflection = np.where(negative, np.pi / np.tan(np.pi * (wide - np.round(wide))), 0.0)
    y = np.where(negative, 1.0 - wide, wide)
    out = np.zeros_like(y)
    for _ in range(10):
        low = y < 10
        if not low.any():
            break
        out = np.where(low, out - 1.0 / y, out)
        y = np.where(low, y + 1.0, y)
    inverse_square = 1.0 / (y * y)
    series = inverse_square * _polynomial(_BERNOULLI, inverse_square)
    out = out + np.log(y) - 0.5 / y + series - reflection
    out = np.where(pole, np.where(wide == 0, np.copysign(np.inf, -wide), np.nan), out)
    return np.asarray(np.where(np.isposinf(wide), np.inf, out), x.dtype)


_TRIGAMMA = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)


@_in_blocks
def trigamma(x: Array) -> Array:
    """The second derivative of ln Γ(x): reflected below 1/2, raised to x ≥ 10 by ψ'(x) = ψ'(x + 1) + 1/x², then a series."""
    wide = np.asarray(x, np.float64)
    negative = wide < 0.5
    y = np.where(negative, 1.0 - wide, wide)
    out = np.zeros_like(y)
    for _ in range(10):
        low = y < 10
        if not low.any():
            break
        out = np.where(low, out + 1.0 / (y * y), out)
        y = np.where(low, y + 1.0, y)
    inverse = 1.0 / y
    square = inverse * inverse
    out = out + inverse + 0.5 * square + inverse * square * _polynomial(_TRIGAMMA, square)
    sine = np.sin(np.pi * (wide - np.round(wide)))
    return np.asarray(np.where(negative, (np.pi / sine) ** 2 - out, out), x.dtype)


_TETRAGAMMA = (-1 / 2, 1 / 6, -1 / 6, 3 / 10, -5 / 6, 691 / 210, -35 / 2)


@_in_blocks
def tetragamma(x: Array) -> Array:
    """The third derivative of ln Γ(x): reflected to x > 0, raised to x ≥ 10 by ψ''(x) = ψ''(x + 1) - 2/x³, then a series.

    The series is that of ψ' (-1/x² - 1/x³ - ...), differentiated. Poles are at 0, -1, -2, ...: -inf at 0, nan beyond.
    """
    wide = np.asarray(x, np.float64)
    negative = wide < 0
    y = np.where(negative, 1.0 - wide, wide)
    out = np.zeros_like(y)
    for _ in range(10):
        low = y < 10
        if not low.any():
            break
        out = np.where(low, out - 2.0 / (y * y * y), out)
        y = np.where(low, y + 1.0, y)
    square = 1.0 / (y * y)
    out = out - square - square / y + square * square * _polynomial(_TETRAGAMMA, square)
    angle = np.pi * (wide - np.round(wide))
    reflection = 2 * np.pi**3 / (np.tan(angle) * np.sin(angle) ** 2)  # of π cot πx, twice differentiated
    return np.asarray(np.where(negative, out - reflection, out), x.dtype)
