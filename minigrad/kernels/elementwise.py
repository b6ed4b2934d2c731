"""Activations, forward and backward, in one pass over memory each.

    for each element:  read x (and grad) -> a straight line of arithmetic (vector.py) -> write out

NumPy makes a pass for each operator, and a large array is slower to read and write than to compute with. Here it is one
pass forward and one backward, which computes the curve of an activation anew rather than reading it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.variable import Array, Variable
from ..ops import activation, piecewise, special
from . import split
from .compiled import inline, kernel
from .vector import erf_float32, exp_nonpositive_float32, full_width, tanh_float32

_HALF, _ONE, _DENSITY, _MINUS_HALF, _THREE = (np.float32(v) for v in (0.5, 1.0, math.sqrt(0.5 / math.pi), -0.5, 3.0))
_ROOT, _CUBE = np.float32(math.sqrt(2 / math.pi)), np.float32(0.044715)


# e^(y²) erfc(y) as a polynomial in t = 1 / (1 + y / 2), to 2.5e-8 of its value for y from 0 to 9.4
_T10, _T9, _T8, _T7, _T6, _T5, _T4, _T3, _T2, _T1, _T0 = (
    np.float32(c)
    for c in (
        0.03721225555750627, -0.26414342027407495, 0.7766310981650784, -1.162276733154565, 0.8629015873191769,
        -0.36001774011393023, 0.3290326163930889, 0.2117326965668172, 0.28725412089343266, 0.2816572897482672,
        1.6228903408614567e-05,
    )
)  # fmt: skip
_HALF_ROOT_HALF = np.float32(0.5 * math.sqrt(0.5))


@inline
def _normal(x: Any) -> Any:
    """Φ(x) and e^(-x²/2): the tail erfc(|x| / √2) / 2 is the second times a polynomial, so one exponential serves both."""
    e = exp_nonpositive_float32(_MINUS_HALF * x * x)
    t = _ONE / (_ONE + _HALF_ROOT_HALF * abs(x))
    p = ((((((((_T10 * t + _T9) * t + _T8) * t + _T7) * t + _T6) * t + _T5) * t + _T4) * t + _T3) * t + _T2) * t + _T1
    tail = _HALF * e * (p * t + _T0)
    return (_ONE - tail if x > 0 else tail), e


@kernel
def relu(x: Array, out: Array) -> None:
    zero = x.dtype.type(0)
    for i in range(x.size):
        out[i] = zero if x[i] < zero else x[i]  # a nan stays, and -0


@kernel
def relu_backward(y: Array, grad: Array, out: Array) -> None:
    zero = grad.dtype.type(0)
    for i in range(y.size):
        out[i] = zero if y[i] <= zero else grad[i]


class Relu(piecewise.Relu):
    """The compiled form of ops.piecewise.Relu: the same comparison, over several threads."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        out = run(relu, x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        if isinstance(grad, Variable):
            return piecewise.Relu.backward(ctx, grad)
        (out,) = ctx.saved_tensors
        return run(relu_backward, out, grad)


@kernel
def erf(x: Array, out: Array) -> None:
    full_width()
    for i in range(x.size):
        out[i] = erf_float32(x[i])


@kernel
def gelu(x: Array, out: Array) -> None:
    full_width()
    for i in range(x.size):
        phi, _ = _normal(x[i])
        out[i] = x[i] * phi


@kernel
def gelu_backward(x: Array, grad: Array, out: Array) -> None:
    full_width()
    for i in range(x.size):
        phi, e = _normal(x[i])
        out[i] = grad[i] * (phi + x[i] * (_DENSITY * e))


@kernel
def gelu_tanh(x: Array, out: Array) -> None:
    full_width()
    for i in range(x.size):
        u = _ROOT * (x[i] + _CUBE * (x[i] * x[i] * x[i]))
        out[i] = _HALF * x[i] * (_ONE + tanh_float32(u))


@kernel
def gelu_tanh_backward(x: Array, grad: Array, out: Array) -> None:
    full_width()
    for i in range(x.size):
        square = x[i] * x[i]
        t = tanh_float32(_ROOT * (x[i] + _CUBE * (square * x[i])))
        slope = _ROOT * (_ONE + _THREE * _CUBE * square)
        out[i] = grad[i] * (_HALF * (_ONE + t) + _HALF * x[i] * ((_ONE - t * t) * slope))


class Gelu(activation.Gelu):
    """The compiled form of ops.activation.Gelu, of float32 alone: it saves x, and computes the curve anew."""

    @staticmethod
    def forward(ctx: Any, x: Array, approximate: str) -> Array:
        ctx.save_for_backward(x)
        ctx.approximate = approximate
        return run(gelu_tanh if approximate == "tanh" else gelu, x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return run(gelu_tanh_backward if ctx.approximate == "tanh" else gelu_backward, x, grad), None


def run(loop: Any, *arrays: Array) -> Array:
    """The loop over the elements of arrays of one shape and dtype; a fresh array."""
    flat = [np.ascontiguousarray(a).reshape(-1) for a in arrays]
    out = np.empty(arrays[0].shape, arrays[0].dtype)
    to = out.reshape(-1)
    split(to.size, to.size, lambda a, b: loop(*(part[a:b] for part in (*flat, to))))
    return out


class Erf(special.Erf):
    """The compiled form of Erf in ops/special.py."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return run(erf, x)
