"""Orthogonal polynomials, by the recurrences that define them: pₖ₊₁ from pₖ and pₖ₋₁.

The degree is a number or a tensor, rounded down; below 0, and from 2**63 on, the result is 0. Without a gradient, as in PyTorch. Source: Abramowitz
and Stegun 1964, 22.7. PyTorch: torch.special.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .autograd.variable import Array, Operand, Variable, wrap
from .creation import scalar_tensor
from .ops.operands import Number, broadcast, promote, to_float
from .quiet import quiet

_HIGHEST = 1_000_000
_NO_DEGREE = 2.0**63  # and above: to PyTorch, which counts in 64 bits, it is below 0


def _values(first: Array, second: Array, step: Callable[[int, Array, Array], Array], n: Array) -> Array:
    """pₙ of each element. first, second: p₀ and p₁; step(k, pₖ, pₖ₋₁): pₖ₊₁."""
    if n.max(initial=0) > _HIGHEST:
        raise NotImplementedError(f"degrees above {_HIGHEST} are not supported by minigrad, got {n.max()}")
    before, now = first, second
    out = np.where(n < 0, 0, np.where(n < 1, before, now))
    for k in range(1, int(n.max(initial=0))):
        before, now = now, step(k, now, before)
        out = np.where(n > k, now, out)
    return out


def _polynomial(
    name: str, symbol: str, start: Callable[[Array], Array], step: Callable[[Array, int, Array, Array], Array],
    limited: bool = False,
) -> Callable[[Any, Any], Any]:  # fmt: skip
    """A function of torch.special: start(x) is p₁, step(x, k, pₖ, pₖ₋₁) is pₖ₊₁. limited: nan above
    degree 512 (128 in float32), as in PyTorch."""

    @quiet
    def function(x: Operand | Number, n: Operand | Number) -> Any:
        if not isinstance(x, Variable) and not isinstance(n, Variable):
            raise TypeError(f"special_{name}(): one of the arguments must be a Tensor")
        if not isinstance(n, Variable):
            n = min(n, _NO_DEGREE)
        tensors = promote(*(v if isinstance(v, Variable) else scalar_tensor(v) for v in (x, n)))
        broadcast(*(v.array.shape for v in tensors))
        if tensors[0].array.dtype == np.float16:
            raise NotImplementedError(
                f"\"{name}_cpu\" not implemented for 'Half'; convert the tensor with .float() first"
            )
        at, degree = np.broadcast_arrays(*(to_float(v).array for v in tensors))
        degree = np.where(np.isnan(degree) | (degree >= _NO_DEGREE), -1, np.trunc(degree))
        above = degree > (128 if at.dtype == np.float32 else 512) if limited else np.zeros(degree.shape, bool)
        wide = np.where(above, 0, degree)
        out = _values(np.ones_like(at), start(at), lambda k, now, before: step(at, k, now, before), wide)
        return wrap(np.asarray(np.where(above, np.nan, out), at.dtype))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{symbol} of degree n at x. Without a gradient. PyTorch: torch.special.{name}."
    return function


def _twice(x: Array, k: int, now: Array, before: Array) -> Array:
    return (x + x) * now - before


def _shifted(x: Array, k: int, now: Array, before: Array) -> Array:
    y = x + x - 1
    return (y + y) * now - before


chebyshev_polynomial_t = _polynomial("chebyshev_polynomial_t", "Tₙ", lambda x: x, _twice)
chebyshev_polynomial_u = _polynomial("chebyshev_polynomial_u", "Uₙ", lambda x: x + x, _twice)
chebyshev_polynomial_v = _polynomial("chebyshev_polynomial_v", "Vₙ", lambda x: x + x - 1, _twice)
chebyshev_polynomial_w = _polynomial("chebyshev_polynomial_w", "Wₙ", lambda x: x + x + 1, _twice)
shifted_chebyshev_polynomial_t = _polynomial(
    "shifted_chebyshev_polynomial_t", "Tₙ(2x - 1)", lambda x: x + x - 1, _shifted
)
shifted_chebyshev_polynomial_u = _polynomial(
    "shifted_chebyshev_polynomial_u", "Uₙ(2x - 1)", lambda x: 2 * (x + x - 1), _shifted
)
shifted_chebyshev_polynomial_v = _polynomial(
    "shifted_chebyshev_polynomial_v", "Vₙ(2x - 1)", lambda x: 2 * (x + x - 1) - 1, _shifted
)
shifted_chebyshev_polynomial_w = _polynomial(
    "shifted_chebyshev_polynomial_w", "Wₙ(2x - 1)", lambda x: 2 * (x + x - 1) + 1, _shifted
)
hermite_polynomial_h = _polynomial(
    "hermite_polynomial_h",
    "Hermite's Hₙ",
    lambda x: x + x,
    lambda x, k, now, before: (x + x) * now - 2 * k * before,
    limited=True,
)
hermite_polynomial_he = _polynomial(
    "hermite_polynomial_he",
    "Hermite's Heₙ",
    lambda x: x,
    lambda x, k, now, before: x * now - k * before,
    limited=True,
)
laguerre_polynomial_l = _polynomial(
    "laguerre_polynomial_l", "Laguerre's Lₙ", lambda x: 1 - x,
    lambda x, k, now, before: ((2 * k + 1 - x) * now - k * before) / (k + 1),
)  # fmt: skip
legendre_polynomial_p = _polynomial(
    "legendre_polynomial_p", "Legendre's Pₙ", lambda x: x,
    lambda x, k, now, before: ((2 * k + 1) * x * now - k * before) / (k + 1),
)  # fmt: skip
