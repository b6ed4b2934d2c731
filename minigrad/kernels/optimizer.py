"""Optimizers' updates in one pass over a parameter.

    for each element:  read p, g, m, v -> the update's formula -> write p, m, v

The NumPy twins, which make a pass for each operator, are `Adam._step` of optim/adam.py and `SGD.update` of optim/sgd.py.
"""

from __future__ import annotations

import numpy as np

from ..autograd.variable import Array
from . import split
from .compiled import kernel


@kernel
def _adam(
    p: Array, g: Array, m: Array, v: Array, keep1: float, keep2: float, bias2: float, eps: float, step: float) -> None:  # fmt: skip
    t = p.dtype.type
    b1, b2, c2, root, e, s = t(1 - keep1), t(keep2), t(1 - keep2), t(bias2), t(eps), t(step)
    near, rest = 1 - keep1 < 0.5, t(1 - (1 - keep1))  # as optim.optimizer.lerp
    for i in range(p.size):
        m[i] = m[i] + (g[i] - m[i]) * b1 if near else g[i] - (g[i] - m[i]) * rest
        v[i] = v[i] * b2 + g[i] * g[i] * c2
        p[i] -= s * (m[i] / (np.sqrt(v[i]) / root + e))


def adam(p: Array, g: Array, m: Array, v: Array, betas: tuple[float, float], eps: float, lr: float, t: float) -> None:
    """One step of `Adam._step` (without amsgrad), taken from p, on contiguous arrays of one shape."""
    beta1, beta2 = betas
    flat = [a.reshape(-1) for a in (p, g, m, v)]
    numbers = beta1, beta2, float(np.sqrt(1 - beta2**t)), eps, lr / (1 - beta1**t)
    split(p.size, p.size, lambda a, b: _adam(*(part[a:b] for part in flat), *numbers), in_place=True)


@kernel
def _momentum(p: Array, g: Array, buffer: Array, momentum: float, damp: float, lr: float, nesterov: bool) -> None:
    t = p.dtype.type
    mu, d, s = t(momentum), t(damp), t(lr)
    for i in range(p.size):
        b = buffer[i] * mu + g[i] * d
        buffer[i] = b
        p[i] -= s * (g[i] + mu * b if nesterov else b)


def momentum(p: Array, g: Array, buffer: Array, mu: float, dampening: float, lr: float, nesterov: bool) -> None:
    """`SGD.update` with momentum on contiguous arrays of one shape, after the first step (which fills the buffer)."""
    flat = [a.reshape(-1) for a in (p, g, buffer)]
    numbers = mu, 1 - dampening, lr, nesterov
    split(p.size, p.size, lambda a, b: _momentum(*(part[a:b] for part in flat), *numbers), in_place=True)
