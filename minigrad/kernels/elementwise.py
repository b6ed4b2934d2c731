"""Activations, forward and backward, in one pass over memory each.

    for each element:  read x (and grad) -> a straight line of arithmetic (vector.py) -> write out

NumPy makes a pass for each operator, and a large array is slower to read and write than to compute with: the exact GELU
takes nine passes there. Here it is one forward and one backward, which computes the curve anew rather than reading it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import split
from .compiled import kernel
from .vector import erf_float32, exp_float32, tanh_float32

Array = np.ndarray

_HALF, _ONE, _ROOT_HALF, _DENSITY, _MINUS_HALF, _THREE = (
    np.float32(v) for v in (0.5, 1.0, math.sqrt(0.5), math.sqrt(0.5 / math.pi), -0.5, 3.0)
)
_ROOT, _CUBE = np.float32(math.sqrt(2 / math.pi)), np.float32(0.044715)


@kernel
def gelu(x: Array, out: Array) -> None:
    for i in range(x.size):
        out[i] = _HALF * x[i] * (_ONE + erf_float32(x[i] * _ROOT_HALF))


@kernel
def gelu_backward(x: Array, grad: Array, out: Array) -> None:
    for i in range(x.size):
        phi = _HALF * (_ONE + erf_float32(x[i] * _ROOT_HALF))
        out[i] = grad[i] * (phi + x[i] * (_DENSITY * exp_float32(_MINUS_HALF * x[i] * x[i])))


@kernel
def gelu_tanh(x: Array, out: Array) -> None:
    for i in range(x.size):
        u = _ROOT * (x[i] + _CUBE * (x[i] * x[i] * x[i]))
        out[i] = _HALF * x[i] * (_ONE + tanh_float32(u))


@kernel
def gelu_tanh_backward(x: Array, grad: Array, out: Array) -> None:
    for i in range(x.size):
        square = x[i] * x[i]
        t = tanh_float32(_ROOT * (x[i] + _CUBE * (square * x[i])))
        slope = _ROOT * (_ONE + _THREE * _CUBE * square)
        out[i] = grad[i] * (_HALF * (_ONE + t) + _HALF * x[i] * ((_ONE - t * t) * slope))


def run(loop: Any, *arrays: Array) -> Array:
    """The loop over the elements of float32 arrays of one shape; a fresh array."""
    flat = [np.ascontiguousarray(a).reshape(-1) for a in arrays]
    out = np.empty(arrays[0].shape, np.float32)
    to = out.reshape(-1)
    split(to.size, to.size, lambda a, b: loop(*(part[a:b] for part in (*flat, to))))
    return out
