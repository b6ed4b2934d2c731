"""Functions of NumPy that several texts call: printed with a program that calls them, and read on their own."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

HELPERS = {
    "require": '''def require(holds):
    """What the operation checks: it raises where this does not hold."""
    if not holds:
        raise ValueError("the operation refuses these values")
''',
    "minus_at": '''def minus_at(x, i, j, amount):
    """x, with amount taken away at x[i, j]."""
    x[i, j] -= amount
    return x
''',
    "total": '''def total(x, axes):
    """The sum over axes."""
    return np.add.reduce(x, axes)
''',
    "spread": '''def spread(x, axes, shape):
    """x, which has not got the axes of this shape (or has them with size 1), seen in it: each element many times."""
    return np.broadcast_to(x.reshape([1 if i in axes else n for i, n in enumerate(shape)]), shape)
''',
    "put": '''def put(x, key, shape):
    """Zeros of this shape, with x at key."""
    out = np.zeros(shape, np.result_type(x))
    out[key] = x
    return out
''',
    "put_add": '''def put_add(x, key, shape):
    """Zeros of this shape, with x added at key: several times where key names a place several times."""
    out = np.zeros(shape, np.result_type(x))
    np.add.at(out, key, x)
    return out
''',
    "added": '''def added(x, key, value):
    """x, with value added at key: several times where key names a place several times."""
    out = np.array(x)
    np.add.at(out, key, value)
    return out
''',
    "replaced": '''def replaced(x, key, value):
    """x, with value at key."""
    out = np.array(x)
    out[key] = value
    return out
''',
    "erf": '''def erf(x):
    """2/√π ∫ exp(-t²) from 0 to x: its Taylor series up to 2.5, and beyond a continued fraction."""
    a = np.minimum(np.abs(np.asarray(x, np.float64)), 30)
    square, near = a * a, np.minimum(a, 2.5)
    term = series = near
    for n in range(1, 90):  # series = Σ 2ⁿ x^(2n + 1) / (1 · 3 · 5 ... (2n + 1)), times exp(-x²)
        term = term * (2 * near * near) / (2 * n + 1)
        series = series + term
    far = np.maximum(a, 2.5)
    fraction = far
    for n in range(60, 0, -1):  # 1 - erf x = exp(-x²) / √π / (x + (1/2) / (x + 1 / (x + (3/2) / (x + ...
        fraction = far + n / 2 / fraction
    low = 2 / np.pi**0.5 * np.exp(-near * near) * series
    high = 1 - np.exp(-square) / np.pi**0.5 / fraction
    return (np.sign(x) * np.where(a < 2.5, low, high)).astype(np.result_type(x))
''',
    "in_order": '''def in_order(x, dim, descending):
    """The places of the elements in order along dim; of equal ones the first comes first, and nan is the largest."""
    if not descending:
        return np.argsort(x, dim, kind="stable")
    return x.shape[dim] - 1 - np.flip(np.argsort(np.flip(x, dim), dim, kind="stable"), dim)
''',
    "place_of": '''def place_of(x, find, dim, keepdims):
    """Where the largest (np.argmax) or smallest (np.argmin) is along dim: the first of several."""
    return np.asarray(find(x, dim, keepdims=keepdims))
''',
    "put_diagonal": '''def put_diagonal(x, offset, dim1, dim2, shape):
    """Zeros of this shape, with x on a diagonal of two dimensions."""
    out = np.zeros(shape, np.result_type(x))
    place = out.diagonal(offset, dim1, dim2)
    place.flags.writeable = True
    place[...] = x
    return out
''',
    "windows": '''def windows(x, dim, size, step):
    """Windows of so many entries along a dimension, `step` apart; what is in a window comes last."""
    seen = np.lib.stride_tricks.sliding_window_view(x, size, dim)
    return seen[(slice(None),) * dim + (slice(None, None, step),)]
''',
    "add_windows": '''def add_windows(g, dim, step, shape):
    """Zeros of this shape, with each window added where it was cut out."""
    out = np.zeros(shape, g.dtype)
    for i in range(g.shape[-1]):
        places = slice(i, i + step * (g.shape[dim] - 1) + 1, step)
        out[(slice(None),) * dim + (places,)] += g[..., i]
    return out
''',
    "cumprod_back": '''def cumprod_back(g, x, axis):
    """The gradient of running products: from the last on, s[k] = g[k] + x[k + 1] s[k + 1], times the product before k."""
    g, x = np.moveaxis(g, axis, 0), np.moveaxis(x, axis, 0)
    s, before = g.copy(), np.ones_like(x)
    for k in range(len(g) - 2, -1, -1):
        s[k] += x[k + 1] * s[k + 1]
    np.multiply.accumulate(x[:-1], 0, out=before[1:])
    return np.moveaxis(before * s, 0, axis)
''',
    "logcumsumexp_back": '''def logcumsumexp_back(g, x, out, axis):
    """The gradient of running sums of exponentials, x in and ln of them out: Σ g[i] exp(x[j] - out[i]) over i >= j."""
    g, x, out = (np.moveaxis(a, axis, 0) for a in (g, x, out))
    dx = np.zeros_like(x)
    for i in range(len(g)):
        dx[: i + 1] += g[i] * np.exp(x[: i + 1] - out[i])
    return np.moveaxis(dx, 0, axis)
''',
    "windows_of": '''def windows_of(x, kernel, stride, dilation):
    """What each place of the output sees of images x (.., *spatial): (.., *out, *kernel), a view."""
    n = len(kernel)
    reach = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation))
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, tuple(range(-n, 0)))
    return seen[(..., *(slice(None, None, s) for s in (*stride, *dilation)))]
''',
    "add_windows_of": '''def add_windows_of(g, shape, stride, dilation):
    """Zeros of this shape, with g (.., *out, *kernel) added up where `windows_of` looked."""
    n, out = len(stride), np.zeros(shape, g.dtype)
    for place in np.ndindex(g.shape[-n:]):
        at = [slice(p * d, p * d + s * (m - 1) + 1, s) for p, d, s, m in zip(place, dilation, stride, g.shape[-2 * n : -n])]
        out[(..., *at)] += g[(..., *place)]
    return out
''',
    "spread_windows": '''def spread_windows(g, kernel):
    """g (.., *out), the same for each element of a window: (.., *out, *kernel)."""
    return np.broadcast_to(g[(..., *(None,) * len(kernel))], (*g.shape, *kernel))
''',
    "sigmoid_of": '''def sigmoid_of(x):
    """1 / (1 + exp(-x))"""
    return 1 / (1 + np.exp(-x))
''',
    "rnn": '''def rnn(x, w, h, activation, reverse=False):
    """h' = tanh(x[t] + W h) (or relu) along a sequence x (T, N, H): all outputs and the last h, in one row."""
    out = np.empty(x.shape, x.dtype)
    for t in range(len(x))[:: -1 if reverse else 1]:
        a = x[t] + np.dot(h, w.T)
        h = out[t] = np.tanh(a) if activation == "tanh" else np.maximum(a, 0)
    return np.concatenate([out.reshape(-1), h.reshape(-1)])
''',
    "rnn_back": '''def rnn_back(g, out, x, w, h, activation, reverse=False):
    """The gradients by x, W and the first h: with d = dh' f'(x + W h): dx = d, dh = d W, dW = sum of d^T h."""
    outputs, dx, dw = out[: x.size].reshape(x.shape), np.empty(x.shape, x.dtype), np.zeros_like(w)
    g, dh = g[: x.size].reshape(x.shape), g[x.size :].reshape(h.shape)
    order = range(len(x))[:: -1 if reverse else 1]
    for i, t in reversed(list(enumerate(order))):
        y, before = outputs[t], outputs[order[i - 1]] if i else h
        dx[t] = (g[t] + dh) * (1 - y * y if activation == "tanh" else y > 0)
        dh, dw = np.dot(dx[t], w), dw + np.dot(dx[t].T, before)
    return dx, dw, dh
''',
    "lstm_steps": '''def lstm_steps(x, w, h, c, reverse):
    """What each step of an LSTM has: t, h and c before it, the gates i, f, g, o, c and h after it."""
    steps, n = [], c.shape[1]
    for t in range(len(x))[:: -1 if reverse else 1]:
        a = x[t] + np.dot(h, w.T)
        i, f, o = (sigmoid_of(a[:, k * n : (k + 1) * n]) for k in (0, 1, 3))
        g = np.tanh(a[:, 2 * n : 3 * n])
        new = f * c + i * g
        steps.append((t, h, c, i, f, g, o, new, o * np.tanh(new)))
        h, c = steps[-1][-1], new
    return steps
''',
    "lstm": '''def lstm(x, w, h, c, reverse=False):
    """c' = f c + i g, h' = o tanh(c') along a sequence x (T, N, 4 H): all outputs, the last h and c, in one row."""
    steps = lstm_steps(x, w, h, c, reverse)
    outputs = sorted(((step[0], step[-1]) for step in steps), key=lambda pair: pair[0])
    return np.concatenate([out.reshape(-1) for _, out in outputs] + [steps[-1][-1].reshape(-1), steps[-1][-2].reshape(-1)])
''',
    "lstm_back": '''def lstm_back(grad, x, w, h, c, reverse=False):
    """The gradients by x, W and the first h and c: d is that by the four gates before their curves."""
    rows = len(x) * h.size
    by_out, dh, dc = grad[:rows].reshape(len(x), *h.shape), grad[rows : rows + h.size].reshape(h.shape), grad[rows + h.size :].reshape(c.shape)
    dx, dw = np.empty(x.shape, x.dtype), np.zeros_like(w)
    for t, before, cell, i, f, g, o, new, _ in reversed(lstm_steps(x, w, h, c, reverse)):
        dh, bounded = dh + by_out[t], np.tanh(new)
        dc = dc + dh * o * (1 - bounded * bounded)
        d = [dc * g * i * (1 - i), dc * cell * f * (1 - f), dc * i * (1 - g * g), dh * bounded * o * (1 - o)]
        dx[t] = np.concatenate(d, 1)
        dh, dc, dw = np.dot(dx[t], w), dc * f, dw + np.dot(dx[t].T, before)
    return dx, dw, dh, dc
''',
    "gru_steps": '''def gru_steps(x, w, h, b, reverse):
    """What each step of a GRU has: t, h before it, W_n h, the gates r and z, the new values n, and h after it."""
    steps, k = [], h.shape[1]
    for t in range(len(x))[:: -1 if reverse else 1]:
        y = np.dot(h, w.T) + (0 if b is None else b)
        r, z = sigmoid_of(x[t][:, :k] + y[:, :k]), sigmoid_of(x[t][:, k : 2 * k] + y[:, k : 2 * k])
        n = np.tanh(x[t][:, 2 * k :] + r * y[:, 2 * k :])
        steps.append((t, h, y[:, 2 * k :], r, z, n, (1 - z) * n + z * h))
        h = steps[-1][-1]
    return steps
''',
    "gru": '''def gru(x, w, h, b, reverse=False):
    """h' = (1 - z) n + z h along a sequence x (T, N, 3 H): all outputs and the last h, in one row."""
    steps = gru_steps(x, w, h, b, reverse)
    outputs = sorted(((step[0], step[-1]) for step in steps), key=lambda pair: pair[0])
    return np.concatenate([out.reshape(-1) for _, out in outputs] + [steps[-1][-1].reshape(-1)])
''',
    "gru_back": '''def gru_back(grad, x, w, h, b, reverse=False):
    """The gradients by x, W, the first h and b: d is that by W h + b."""
    by_out, dh = grad[: -h.size].reshape(len(x), *h.shape), grad[-h.size :].reshape(h.shape)
    dx, dw, db = np.empty(x.shape, x.dtype), np.zeros_like(w), np.zeros(w.shape[0], w.dtype)
    for t, before, y, r, z, n, _ in reversed(gru_steps(x, w, h, b, reverse)):
        dh = dh + by_out[t]
        by_new = dh * (1 - z) * (1 - n * n)
        by_reset, by_update = by_new * y * r * (1 - r), dh * (before - n) * z * (1 - z)
        dx[t] = np.concatenate([by_reset, by_update, by_new], 1)
        d = np.concatenate([by_reset, by_update, by_new * r], 1)
        dh, dw, db = dh * z + np.dot(d, w), dw + np.dot(d.T, before), db + d.sum(0)
    return dx, dw, dh, db
''',
    "others": '''def others(x, axis):
    """For each element the product of all others along the axis, which also serves where some are 0."""
    x = np.moveaxis(x, axis, 0)
    before, after = np.ones_like(x), np.ones_like(x)
    np.multiply.accumulate(x[:-1], 0, out=before[1:])
    np.multiply.accumulate(x[:0:-1], 0, out=after[-2::-1])
    return np.moveaxis(before * after, 0, axis)
''',
}


def helpers_of(text: str) -> list[str]:
    """The functions that a text calls, and those that they call."""
    called: list[str] = []
    todo = [text]
    while todo:
        source = todo.pop()
        for name in HELPERS:
            if name not in called and re.search(rf"(?<![\w.]){name}\(", source):
                called.append(name)
                todo.append(HELPERS[name])
    return [source for name, source in HELPERS.items() if name in called]


SPACE: dict[str, Any] = {"np": np}
exec("\n".join(HELPERS.values()), SPACE)
