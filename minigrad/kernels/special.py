"""erfc, its inverse and ln |Γ| of one element after the other. The NumPy twins, with formulas and sources, are in ops/approximations.py.

Each element takes its own branch, where NumPy has to take all of them for all elements; both compute in double precision.
What is rounded to float32 needs fewer branches (its tails end early), so all are taken, in vectors.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.variable import Array
from ..ops import approximations as twin
from . import split
from .compiled import inline, kernel
from .vector import exp_float64, full_width, horner, log_to_float32


def _constants(*names: str) -> list[Array]:
    """Coefficients as arrays, which the compiler takes for constants (of tuples it makes a copy at each use)."""
    return [np.array(getattr(twin, name)) for name in names]


_ERF_P, _ERF_Q, _ERFC_P, _ERFC_Q, _FAR_P, _FAR_Q = _constants(
    "_ERF_P", "_ERF_Q", "_ERFC_P", "_ERFC_Q", "_FAR_P", "_FAR_Q"
)
_MIDDLE_P, _MIDDLE_Q, _TAIL_P, _TAIL_Q, _OUT_P, _OUT_Q = _constants(
    "_MIDDLE_P", "_MIDDLE_Q", "_TAIL_P", "_TAIL_Q", "_OUT_P", "_OUT_Q"
)
_NEAR_TWO, _STIRLING = _constants("_NEAR_TWO", "_STIRLING")
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


@inline
def _polynomial(coefficients: Any, x: Any) -> Any:
    """Σ cᵢ xⁱ by Horner's rule."""
    out = coefficients[coefficients.size - 1]
    for i in range(coefficients.size - 2, -1, -1):
        out = out * x + coefficients[np.uint64(i)]
    return out


@kernel
def _erfc(x: Array, out: Array) -> None:
    for i in range(x.size):
        v = float(x[i])
        y = abs(v)
        if y <= 0.46875:
            out[i] = 1.0 - v * _polynomial(_ERF_P, v * v) / _polynomial(_ERF_Q, v * v)
        elif y > 27.0:
            out[i] = 2.0 if v < 0 else 0.0
        else:
            if y <= 4.0:
                scaled = _polynomial(_ERFC_P, y) / _polynomial(_ERFC_Q, y)
            else:
                s = 1.0 / (y * y)
                scaled = (1.0 / math.sqrt(math.pi) - s * _polynomial(_FAR_P, s) / _polynomial(_FAR_Q, s)) / y
            head = np.trunc(y * 16.0) / 16.0
            tail = math.exp(-head * head) * math.exp(-(y - head) * (y + head)) * scaled
            out[i] = 2.0 - tail if v < 0 else tail


# e^(y²) erfc(y) as a polynomial in t = 1 / (1 + y / 2), to 2.5e-8 of its value for y from 0 to 9.4
_scaled = horner(
    (
        1.6228903408614567e-05, 0.2816572897482672, 0.28725412089343266, 0.2117326965668172, 0.3290326163930889,
        -0.36001774011393023, 0.8629015873191769, -1.162276733154565, 0.7766310981650784, -0.26414342027407495,
        0.03721225555750627,
    )
)  # fmt: skip
_middle_p, _middle_q, _tail_p, _tail_q = (horner(c) for c in (_MIDDLE_P, _MIDDLE_Q, _TAIL_P, _TAIL_Q))


@kernel
def _erfc_float32(x: Array, out: Array) -> None:
    full_width()
    for i in range(x.size):
        v = np.float64(x[i])  # (`float` would leave it as it is)
        tail = exp_float64(-v * v) * _scaled(1.0 / (1.0 + 0.5 * abs(v)))
        out[i] = 2.0 - tail if v < 0 else tail


@kernel
def _erfinv_float32(x: Array, out: Array) -> None:
    full_width()
    for i in range(x.size):
        v = np.float64(x[i])
        y = abs(v)
        q = 0.5 * v
        r = 0.180625 - q * q
        middle = q * _middle_p(r) / _middle_q(r)
        far = math.sqrt(-log_to_float32(0.5 * (1.0 - y))) - 1.6  # of the float32 below 1 this is 2.6 at most
        tail = math.copysign(_tail_p(far) / _tail_q(far), v)
        z: Any = middle if y <= 0.85 else tail
        z = z if y < 1.0 else (math.copysign(np.inf, v) if y == 1.0 else np.nan)
        out[i] = z * math.sqrt(0.5)


@kernel
def _erfinv(x: Array, out: Array) -> None:
    for i in range(x.size):
        v = float(x[i])
        if abs(v) <= 0.85:
            q = 0.5 * v
            r = 0.180625 - q * q
            z: Any = q * _polynomial(_MIDDLE_P, r) / _polynomial(_MIDDLE_Q, r)
        elif abs(v) == 1.0:
            z = math.copysign(np.inf, v)
        else:
            r = math.sqrt(-math.log(0.5 * (1.0 - abs(v))))  # nan beyond ±1
            if r > 5.0:
                z = _polynomial(_OUT_P, r - 5.0) / _polynomial(_OUT_Q, r - 5.0)
            else:
                z = _polynomial(_TAIL_P, r - 1.6) / _polynomial(_TAIL_Q, r - 1.6)
            z = math.copysign(z, v)
        out[i] = z * math.sqrt(0.5)


@inline
def _above_half(y: Any) -> Any:
    """ln Γ(y) for y ≥ 0.5 (and nan)."""
    if not y > 3.5:
        if y < 1.5:
            t = y - 1.0
            return _polynomial(_NEAR_TWO, t) - math.log1p(t)
        if y > 2.5:
            t = y - 3.0
            return _polynomial(_NEAR_TWO, t) + math.log(2.0 + t)
        return _polynomial(_NEAR_TWO, y - 2.0)
    z, factor = y, 1.0
    while z < 8.0:
        factor *= z
        z += 1.0
    main = (z - 0.5) * (math.log(z) - 1.0) + (_HALF_LOG_2PI - 0.5)
    return main + _polynomial(_STIRLING, 1.0 / (z * z)) / z - math.log(factor)


@kernel
def _lgamma(x: Array, out: Array) -> None:
    for i in range(x.size):
        v = float(x[i])
        if np.isinf(v):
            out[i] = np.inf
        elif not v < 0.5:
            out[i] = _above_half(v)
        elif v == np.rint(v):
            out[i] = np.inf  # a pole
        elif abs(v) < 0.25:
            out[i] = _polynomial(_NEAR_TWO, v) - math.log1p(v) - math.log(abs(v))
        else:
            out[i] = math.log(math.pi / abs(math.sin(math.pi * (v - np.rint(v))))) - _above_half(1.0 - v)


def _each(loop: Any, x: Array) -> Array:
    out = np.empty(x.shape, x.dtype)
    flat, to = np.ascontiguousarray(x).reshape(-1), out.reshape(-1)
    split(x.size, 8 * x.size, lambda a, b: loop(flat[a:b], to[a:b]))
    return out


def erfc(x: Array) -> Array:
    """See ops.approximations.erfc."""
    return _each(_erfc_float32 if x.dtype == np.float32 else _erfc, x)


def erfinv(x: Array) -> Array:
    """See ops.approximations.erfinv."""
    return _each(_erfinv_float32 if x.dtype == np.float32 else _erfinv, x)


def lgamma(x: Array) -> Array:
    """See ops.approximations.lgamma."""
    return _each(_lgamma, x)
