"""The values of the incomplete gamma functions and of Hurwitz' zeta, in NumPy alone."""

from __future__ import annotations

import math

import numpy as np

from ..autograd.variable import Array
from .approximations import lgamma

# B₂ₖ / (2k)!, k = 1, 2, ...
_BERNOULLI = (
    1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600, -3617 / 10670622842880000,
    43867 / 5109094217170944000, -174611 / 802857662698291200000,
)  # fmt: skip


def _zeta(s: Array, q: Array) -> Array:
    """Σ (q + k)⁻ˢ for s > 1, q > 0: ten terms, then the formula of Euler and Maclaurin."""
    out = np.zeros_like(q)
    for k in range(10):
        out = out + (q + k) ** -s
    a = q + 10
    last = a**-s
    out = out + last * (a / (s - 1) + 0.5)
    factor = s * last / a
    for k, b in enumerate(_BERNOULLI):
        out = out + b * factor
        factor = factor * (s + 2 * k + 1) * (s + 2 * k + 2) / (a * a)
    return out


def zeta(s: Array, q: Array) -> Array:
    """Hurwitz' ζ(s, q) = Σ (q + k)⁻ˢ: inf at s = 1 and for q = 0, -1, ..., nan for s < 1, and for q < 0 and s no whole number."""
    d = np.result_type(s, q)
    s, q = (np.asarray(x, np.float64) for x in np.broadcast_arrays(s, q))
    regular = (s > 1) & np.isfinite(s) & np.isfinite(q)
    size = np.where(regular, s, 2.0)
    place = np.where(regular & (q > 0), q, 1.0)
    out = _zeta(size, place)
    negative = regular & (q < 0) & (q != np.floor(q)) & (s == np.floor(s))
    if negative.any():  # the terms below 0 are those of |q| down to its fraction r
        p = np.where(negative, -q, 0.5)
        r = p - np.floor(p)
        below = np.where(size % 2 == 0, 1.0, -1.0) * (_zeta(size, r) - _zeta(size, p + 1))
        out = np.where(negative, _zeta(size, 1 - r) + below, out)
    unknown = (q < 0) & ~negative | ~regular
    out = np.where(unknown, np.where(np.isposinf(s) & (q == 1), 1.0, np.nan), out)
    pole = (s == 1) | ((q <= 0) & (q == np.floor(q)) & ~(s < 1))
    return np.asarray(np.where(pole, np.inf, out), d)


# -- the incomplete gamma functions

_LARGE = 100.0  # from here on Γ(a, x) is integrated around its peak


def igamma(a: Array, x: Array) -> Array:
    """P(a, x) = 1/Γ(a) ∫ from 0 to x of tᵃ⁻¹ e⁻ᵗ dt."""
    return _both(a, x)[0]


def igammac(a: Array, x: Array) -> Array:
    """Q(a, x) = 1 - P(a, x)."""
    return _both(a, x)[1]


def _both(a: Array, x: Array) -> tuple[Array, Array]:
    d = np.result_type(a, x)
    a, x = (np.asarray(v, np.float64) for v in np.broadcast_arrays(a, x))
    inside = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
    p, q = np.zeros_like(x), np.ones_like(x)  # as at x = 0
    large = inside & (a > _LARGE)
    series = inside & ~large & (x < a + 1)
    for where, compute in ((large, _integral), (series, _by_series), (inside & ~large & ~series, _by_fraction)):
        if where.any():
            p[where], q[where] = compute(a[where], x[where])
    whole = (a >= 0) & np.isposinf(x) & np.isfinite(a) | (a == 0) & (x > 0)
    p, q = np.where(whole, 1.0, p), np.where(whole, 0.0, q)
    nothing = np.isnan(a) | np.isnan(x) | (a < 0) | (x < 0) | (a == 0) & (x == 0) | np.isposinf(a) & np.isposinf(x)
    return np.asarray(np.where(nothing, np.nan, p), d), np.asarray(np.where(nothing, np.nan, q), d)


def _peak(a: Array, x: Array) -> Array:
    """xᵃ e⁻ˣ / Γ(a)."""
    return np.exp(a * np.log(x) - x - lgamma(a))


def _by_series(a: Array, x: Array) -> tuple[Array, Array]:
    """P = xᵃ e⁻ˣ / Γ(a) · Σ xᵏ / (a (a + 1) ... (a + k)). Source: Abramowitz and Stegun 1964, 6.5.29."""
    term = 1 / a
    out, k = term, 0
    while (np.abs(term) > 1e-17 * out).any():
        k += 1
        term = term * x / (a + k)
        out = out + term
    p = _peak(a, x) * out
    # For small a and x, where P is near 1, 1 - P would cancel: Q = 1 - xᵃ / Γ(a + 1) + xᵃ / Γ(a) Σ over k > 0 of (-x)ᵏ / (k! (a + k))
    few, rest = np.ones_like(x), np.zeros_like(x)
    z = np.minimum(x, 1.5)
    for k in range(1, 30):
        few = few * -z / k
        rest = rest + few / (a + k)
    own = -np.expm1(a * np.log(x) - lgamma(a + 1)) - np.exp(a * np.log(x) - lgamma(a)) * rest
    return p, np.where((x <= 1.5) & (a <= 1.0), own, 1 - p)


def _by_fraction(a: Array, x: Array) -> tuple[Array, Array]:
    """Q = xᵃ e⁻ˣ / Γ(a) · 1/(x + 1 - a - 1 (1 - a)/(x + 3 - a - ...)), by Lentz' method. Source: the same, 6.5.31."""
    b = x + 1 - a
    c, d = np.full_like(x, 1e300), 1 / b
    out, change, k = d, np.zeros_like(x), 0
    while (np.abs(change - 1) > 1e-16).any() and k < 2000:
        k += 1
        b = b + 2
        d = 1 / (-k * (k - a) * d + b)
        c = b - k * (k - a) / c
        change = c * d
        out = out * change
    q = _peak(a, x) * out
    return 1 - q, q


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)


def _excess(u: Array) -> Array:
    """u - ln(1 + u), without cancellation."""
    near = np.where(np.abs(u) < 0.3, u, 0.0)
    out = np.zeros_like(u)
    for k in range(34, 1, -1):
        out = (1 / k if k % 2 == 0 else -1 / k) + near * out
    return np.where(np.abs(u) < 0.3, near * near * out, u - np.log1p(np.maximum(u, -1 + 1e-300)))


def _integral(a: Array, x: Array) -> tuple[Array, Array]:
    """For large a, by Gauss' rule over the part of the peak of tᵃ⁻¹ e⁻ᵗ on the side of x; Γ(a) by Stirling's series."""
    top = a - 1
    width = np.sqrt(top)
    upper = x > top
    end = np.where(
        upper, np.maximum(top + 11 * width, x + 8 * width), np.maximum(np.minimum(top - 11 * width, x - 8 * width), 0)
    )
    low, high = np.minimum(x, end), np.maximum(x, end)
    middle, half = (low + high) / 2, (high - low) / 2
    total = np.zeros_like(x)
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        total = total + weight * np.exp(-top * _excess((middle - top + half * node) / top))
    stirling = 1 / (12 * top) - 1 / (360 * top**3) + 1 / (1260 * top**5)
    part = total * half / np.sqrt(2 * math.pi * top) * np.exp(-stirling)
    return np.where(upper, 1 - part, part), np.where(upper, part, 1 - part)
