"""Draws that take as many numbers of the stream as they need: gamma, Dirichlet, Poisson and binomial, as PyTorch takes them.

Each number is proposed and rejected until one is accepted, so the elements are drawn one after the other, in a loop: as
many outputs of the stream are used up as in PyTorch, and the same numbers come out. u is a uniform number of two outputs, z
a normal one (`random.py`).

Sources: G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables" (2000); W. Hoermann, "The
transformed rejection method for generating Poisson random variables" (1993) and "The generation of binomial random
variates" (1993); L. Devroye, "Non-Uniform Random Variate Generation" (1986).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import random
from .autograd.graph import Operation
from .autograd.variable import Array
from .ops.checks import refuse_type, require_floating, require_tensor, type_name
from .ops.operands import Flat
from .pathwise import BetaSlope, GammaSlope
from .random import Generator

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["binomial", "poisson"]

# PyTorch writes these as float32.
_THIRD, _SQUEEZE = float(np.float32(1) / np.float32(3)), float(np.float32(0.0331))


def _sources(generator: Generator | None) -> tuple[Callable[[], float], Callable[[], float]]:
    stream = random.default_generator if generator is None else generator
    return lambda: float(stream._u53(1)[0]), lambda: float(stream._paired_normals(1)[0])


def _each(draw: Callable[..., float], d: np.dtype, *arrays: Array) -> Array:
    """`draw` of each element, in the order of their indices."""
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    parameters = zip(*(np.broadcast_to(a, shape).ravel().tolist() for a in arrays), strict=True)
    return np.array([draw(*p) for p in parameters], d).reshape(shape)


def _gamma(alpha: float, wide: bool, u: Callable[[], float], z: Callable[[], float]) -> float:
    """A gamma variable of rate 1: d v, where v = (1 + c z)³ is accepted by u. wide: alpha is of float64."""
    scale = 1.0
    if alpha < 1:
        if alpha == 0:
            return 0.0
        power = 1 / alpha if wide else float(np.float32(1) / np.float32(alpha))
        scale = (1 - u()) ** power
        alpha = alpha + 1 if wide else float(np.float32(alpha) + np.float32(1))
    d = alpha - _THIRD if wide else float(np.float32(alpha) - np.float32(_THIRD))
    c = 1 / math.sqrt(9 * d)
    while True:
        x = z()
        y = 1 + c * x
        while y <= 0:
            x = z()
            y = 1 + c * x
        v = y * y * y
        chance, square = 1 - u(), x * x
        if chance < 1 - _SQUEEZE * square * square:
            return scale * d * v
        if math.log(chance) < 0.5 * square + d * (1 - v + math.log(v)):
            return scale * d * v


class StandardGamma(Operation):
    """out = a draw of the gamma distribution of each shape alpha, of rate 1.  dalpha = grad · ∂out/∂alpha (pathwise.py)"""

    grad_fn_name = "StandardGammaBackward0"

    @staticmethod
    def forward(ctx: Any, alpha: Array, generator: Generator | None) -> Array:
        u, z = _sources(generator)
        d = alpha.dtype
        out = np.maximum(_each(lambda a: _gamma(a, d == np.float64, u, z), d, alpha), np.finfo(d).tiny)
        ctx.save_for_backward(alpha, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        alpha, out = ctx.saved_tensors
        return grad * GammaSlope.apply(alpha, out), None


def standard_gamma(alpha: Tensor, generator: Generator | None = None) -> Tensor:
    """Gamma variables of rate 1, of the shapes alpha. PyTorch: torch._standard_gamma."""
    require_floating(alpha, "gamma_cpu")
    refuse_type("gamma_cpu", np.float16, alpha)
    return StandardGamma.apply(alpha, generator)


class StandardDirichlet(Operation):
    """out = gamma variables, drawn in float64, over their sum along the last dimension.
    dalpha = (grad - Σ out · grad) · ∂out/∂alpha / (1 - out), each out as a beta variable beside the rest (pathwise.py)
    """

    grad_fn_name = "DirichletBackward"

    @staticmethod
    def forward(ctx: Any, alpha: Array, generator: Generator | None) -> Array:
        u, z = _sources(generator)
        wide = np.maximum(
            _each(lambda a: _gamma(a, True, u, z), np.dtype(np.float64), alpha), np.finfo(np.float64).tiny
        )
        d = alpha.dtype.type
        out = (wide / wide.sum(-1, keepdims=True)).astype(alpha.dtype)
        out = np.clip(out, np.finfo(d).tiny, np.nextafter(d(1), d(0)))
        ctx.save_for_backward(alpha, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        alpha, out = ctx.saved_tensors
        total = alpha.sum((-1,)).reshape((*alpha.shape[:-1], 1))
        slope = BetaSlope.apply(out, alpha, total + alpha * 0) / (1 - out)
        mean = (out * grad).sum((-1,)).reshape((*alpha.shape[:-1], 1))
        return slope * (grad - mean), None


def standard_dirichlet(alpha: Tensor, generator: Generator | None = None) -> Tensor:
    """Points of the simplex with these concentrations. PyTorch: torch._sample_dirichlet."""
    require_floating(alpha, "dirichlet")
    refuse_type("dirichlet", np.float16, alpha)
    return StandardDirichlet.apply(alpha, generator)


def _poisson(rate: float, u: Callable[[], float]) -> float:
    """Hoermann's PTRS from a rate of 10 on; below, Knuth's: how many uniform numbers multiply to more than e^-rate."""
    if not rate >= 0:
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    if rate >= 2.0**63:  # where PyTorch's count passes the largest integer, and comes out negative
        raise RuntimeError("invalid Poisson rate, expected rate to be less than 2**63, that its counts fit 64 bits")
    if rate == 0:
        return 0.0
    if rate < 10:
        limit, product, count = math.exp(-rate), u(), 0
        while product > limit:
            product, count = product * u(), count + 1
        return float(count)
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    box = 0.9277 - 3.6224 / (b - 2)
    while True:
        x, v = u() - 0.5, u()
        us = 0.5 - abs(x)
        k = math.floor((2 * a / us + b) * x + rate + 0.43) if us else -1
        if us >= 0.07 and v <= box:
            return float(k)
        if k < 0 or (us < 0.013 and v > us):
            continue
        left = math.log(v) + math.log(inverse_alpha) - math.log(a / (us * us) + b)
        if left <= -rate + k * math.log(rate) - math.lgamma(k + 1):
            return float(k)


class Poisson(Flat):
    """out = the numbers that were drawn.  d rate = 0"""


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """A Poisson variable of each rate. PyTorch: torch.poisson."""
    require_tensor(input, "poisson")
    if input.array.dtype.kind != "f":
        raise NotImplementedError(f"\"poisson_cpu\" not implemented for '{type_name(input)}'; give a floating dtype")
    u, _ = _sources(generator)
    return Poisson.apply(_each(lambda rate: _poisson(rate, u), input.array.dtype, input.array), input)


def _stirling_rest(k: float) -> float:
    """ln k! less Stirling's approximation of it."""
    return math.lgamma(k + 1) - (0.5 * math.log(2 * math.pi) + (k + 0.5) * math.log(k + 1) - (k + 1))


def _binomial(count: float, p: float, u: Callable[[], float]) -> float:
    """By the waiting times between successes; from 10 expected successes on Hoermann's BTRS. p > ½: by the failures."""
    if not count >= 0 or not 0 <= p <= 1:
        return math.nan if count != count or p != p else 0.0 if count <= 0 or p <= 0 else count
    if count == 0 or p == 0:
        return 0.0
    if p == 1:
        return count
    if p > 0.5:
        return count - _binomial(count, 1 - p, u)
    if count * p < 10:
        log_q, waited, successes = math.log1p(-p), 0.0, 0
        while True:
            first = u()
            wait = math.log(first) / log_q if first else math.inf
            waited += math.ceil(wait) if wait < math.inf else math.inf  # infinite for the smallest p
            if waited > count:
                return float(successes)
            successes += 1
    deviation = math.sqrt(count * p * (1 - p))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c, box, r = count * p + 0.5, 0.92 - 4.2 / b, p / (1 - p)
    alpha = (2.83 + 5.1 / b) * deviation
    m = math.floor((count + 1) * p)
    while True:
        x, v = u() - 0.5, u()
        us = 0.5 - abs(x)
        k = math.floor((2 * a / us + b) * x + c) if us else -1
        if k < 0 or k > count:
            continue
        if us >= 0.07 and v <= box:
            return float(k)
        bound = (
            (m + 0.5) * math.log((m + 1) / (r * (count - m + 1)))
            + (count + 1) * math.log((count - m + 1) / (count - k + 1))
            + (k + 0.5) * math.log(r * (count - k + 1) / (k + 1))
            + _stirling_rest(m) + _stirling_rest(count - m) - _stirling_rest(k) - _stirling_rest(count - k)
        )  # fmt: skip
        if v and math.log(v * alpha / (a / (us * us) + b)) <= bound:
            return float(k)


class Binomial(Operation):
    """out = the numbers that were drawn.  There is no derivative; the result says that it depends on its parameters"""

    grad_fn_name = "NotImplemented"

    @staticmethod
    def forward(ctx: Any, count: Array, prob: Array, drawn: Array) -> Array:
        return drawn

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        raise RuntimeError("derivative for aten::binomial is not implemented")


def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """The number of successes among `count` trials of probability `prob`. PyTorch: torch.binomial."""
    require_tensor(count, "binomial", "count")
    require_tensor(prob, "binomial", "prob", 2)
    for x, name in ((count, "count"), (prob, "prob")):
        if x.array.dtype.kind != "f":
            raise ValueError(f"binomial only supports floating-point dtypes for {name}, got: {type_name(x)}")
    if count.array.dtype != prob.array.dtype:
        raise RuntimeError(
            f"Found dtype {type_name(prob)} but expected {type_name(count)}: binomial takes both in one floating dtype"
        )
    refuse_type("binomial_cpu", np.float16, count)
    try:
        np.broadcast_shapes(count.array.shape, prob.array.shape)
    except ValueError:
        shapes = f"{list(count.array.shape)} and {list(prob.array.shape)}"
        raise RuntimeError(
            f"binomial(): the sizes of count and prob must match, but their shapes are {shapes}"
        ) from None
    u, _ = _sources(generator)
    drawn = _each(lambda n, p: _binomial(n, p, u), count.array.dtype, count.array, prob.array)
    return Binomial.apply(count, prob, drawn)
