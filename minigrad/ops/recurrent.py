"""Recurrent layers: one step applied along a sequence, its output fed back to it. One operation per layer and direction.

    x[0]      x[1]      x[2]            x[t] = W_ih · input[t] + b_ih + b_hh, of all times in one product before
      │         │         │
      ▼         ▼         ▼             the state (h, and c of an LSTM) goes from step to step
    step ──▶  step ──▶  step ──▶ last state
      │         │         │
      ▼         ▼         ▼
     h[1]      h[2]      h[3]           the outputs

Backward the walk goes the other way: each step turns the gradient of its state into those of its gates, and one product with
W_hh takes that on to the step before. The weights' gradient is one product of all steps at the end.

Sequences of different lengths lie as in a `PackedSequence`, longest first: x is then two-dimensional, the rows of step 0, then
those of step 1, ..., and `sizes` says how many sequences still run at each step: they are the first ones. A sequence that has ended
keeps its state; walked in reverse, one that has not begun keeps its first.

(b_hh is part of x, but for a GRU: there one of its gates multiplies W_hh h + b_hh. A cell of one step has it where it belongs.)

The compiled forms: kernels/recurrent.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.fused import Fused, size
from ..autograd.variable import Array
from .exponential import logistic, sigmoid
from .join import cat
from .linear import linear
from .mask import keep
from .piecewise import relu
from .shape import forget_base
from .trigonometry import tanh

if TYPE_CHECKING:
    from ..tensor import Tensor

Sizes = Sequence[int] | None


# -- one step


def rnn_step(x: Any, h: Any, w_hh: Any, b_hh: Any = None, activation: str = "tanh") -> Any:
    """One step of a plain network, x being W_ih·input + b_ih: h' = tanh(x + W_hh h + b_hh), or relu. Elman 1990."""
    return (tanh if activation == "tanh" else relu)(x + linear(h, w_hh, b_hh))


def lstm_step(x: Any, h: Any, c: Any, w_hh: Any, b_hh: Any = None, w_hr: Any = None) -> tuple[Any, Any]:
    """One step of long short-term memory; x and W_hh hold the input, forget, cell and output gate in this order.

    c' = f·c + i·g,  h' = o·tanh(c'), with w_hr W_hr h'. Hochreiter & Schmidhuber 1997; Gers et al. 2000 (the forget gate);
    Sak et al. 2014 (W_hr).
    """
    i, f, g, o = (x + linear(h, w_hh, b_hh)).chunk(4, -1)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    h = sigmoid(o) * tanh(c)
    return (h if w_hr is None else linear(h, w_hr)), c


def gru_step(x: Any, h: Any, w_hh: Any, b_hh: Any) -> Any:
    """One step of a gated recurrent unit; x and W_hh hold the reset, update and new gate in this order.

    h' = (1 - z)·n + z·h. Cho et al. 2014; r gates W_hn h after the product, as in PyTorch.
    """
    xr, xz, xn = x.chunk(3, -1)
    hr, hz, hn = linear(h, w_hh, b_hh).chunk(3, -1)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    n = tanh(xn + r * hn)
    return (h - n) * z + n


# -- the walk along a sequence


def steps(x: Any, h: Any, sizes: Sizes, reverse: bool) -> list[tuple[slice, int]]:
    """In the order of the walk: which rows of x.reshape(-1, width) a step has, and how many sequences run."""
    if sizes is None:
        length, n = x.shape[:2]
        sizes = (n,) * length
    if not sizes or max(sizes) != h.shape[0]:
        raise ValueError(f"recurrent: {tuple(x.shape)} inputs do not go with a state of shape {tuple(h.shape)}")
    found, start = [], 0
    for n in sizes:
        found.append((slice(start, start + n), n))
        start += n
    return found[::-1] if reverse else found


def follow(step: Callable[..., tuple], x: Any, state: tuple, sizes: Sizes, reverse: bool) -> Any:
    """The definition of a layer: `step(x[t], *state)` gives the next state, whose first part is the output.

    The outputs and then the last state, as one flat tensor: see `parts`.
    """
    outputs, rows = [], x.reshape(-1, x.shape[-1])
    for at, n in steps(x, state[0], sizes, reverse):
        new = step(rows[at], *(s[:n] for s in state))
        outputs.append(new[0])
        state = tuple(y if n == s.shape[0] else cat([y, s[n:]]) for y, s in zip(new, state, strict=True))
    if reverse:
        outputs.reverse()
    return cat([part.reshape(-1) for part in (*outputs, *state)])


def parts(flat: Tensor, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """What a layer gave: the outputs (T, N, H), or (rows, H) of a packed sequence, and the last state."""
    shapes = [(*x.shape[:-1], state[0].shape[-1]), *(tuple(s.shape) for s in state)]
    found, start = [], 0
    for shape in shapes:
        n = int(np.prod(shape))
        found.append(forget_base(flat[start : start + n].reshape(shape)))
        start += n
    return tuple(found)


class Recurrent(Fused):
    """What the layers share. x: (T, N, G·H), or (rows, G·H) with `sizes`; h: (N, H), W_hh (G·H, H)."""

    @staticmethod
    def work(x: Array, w: Array, *rest: Any) -> int:
        """Each element of x is the sum of H products; and a step of the loop below costs as much as a thousand elements."""
        length = x.shape[0] if x.ndim == 3 else len(rest[-2])
        return size(x) and x.size * (1 + w.shape[1] // 32) + 1000 * length


def unpacked(flat: Array, rows: int, *states: Array) -> list[Array]:
    """Of a flat array: the outputs (rows, H), and each part of the last state."""
    first, found = states[0], list[Array]()
    start = rows * first.shape[1]
    found.append(flat[:start].reshape(rows, first.shape[1]))
    for state in states:
        found.append(flat[start : start + state.size].reshape(state.shape))
        start += state.size
    return found


def weight_gradient(ctx: Any, change: Array, before: Array) -> Array | None:
    """dW_hh, given the gradients by W_hh h of all steps, and the h that each started from."""
    return np.dot(change.T, before) if ctx.needs_input_grad[1] else None


class RnnLayer(Recurrent):
    """h' = f(x + W h) along a sequence, f tanh or relu.

    With d = dh' · f'(x + W h):  dx = d,  dh = Wᵀ d,  dW = Σ d hᵀ
    """

    compiled = "recurrent.RnnLayer"

    @staticmethod
    def definition(x: Any, w: Any, h: Any, activation: str, sizes: Sizes, reverse: bool) -> Any:
        return follow(lambda x, h: (rnn_step(x, h, w, None, activation),), x, (h,), sizes, reverse)

    @staticmethod
    def forward(ctx: Any, x: Array, w: Array, h: Array, activation: str, sizes: Sizes, reverse: bool) -> Array:
        rows = x.reshape(-1, x.shape[-1])
        ctx.steps = steps(x, h, sizes, reverse)
        flat = np.empty(len(rows) * h.shape[1] + h.size, x.dtype)
        outputs, last = unpacked(flat, len(rows), h)
        outputs[:] = rows
        last[:] = h
        before = np.empty((len(rows), h.shape[1]), x.dtype)
        for at, n in ctx.steps:
            before[at] = last[:n]
            a = outputs[at]
            a += np.dot(last[:n], w.T)
            if activation == "tanh":
                np.tanh(a, out=a)
            else:
                np.maximum(a, 0, out=a)
            last[:n] = a
        ctx.shape, ctx.activation = x.shape, activation
        ctx.save_for_backward(w, before, outputs.copy() if any(ctx.needs_input_grad) else None)
        return flat

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        w, before, outputs = ctx.saved_tensors
        n_states = max(n for _, n in ctx.steps)
        d, dh = unpacked(grad.copy(), len(outputs), np.empty((n_states, w.shape[1]), grad.dtype))
        bounded = ctx.activation == "tanh"
        slope = 1 - outputs * outputs if bounded else ~(outputs <= 0)
        for at, n in reversed(ctx.steps):
            d[at] += dh[:n]
            d[at] = d[at] * slope[at] if bounded else keep(d[at], slope[at])
            dh[:n] = np.dot(d[at], w)
        return d.reshape(ctx.shape), weight_gradient(ctx, d, before), dh, None, None, None


class LstmLayer(Recurrent):
    """c' = f·c + i·g,  h' = o·tanh(c') along a sequence, with i, f, g, o = σ, σ, tanh, σ of (x + W h); with W_hr, h' = W_hr (o·tanh(c')).

    dc' += dh' · o · (1 - tanh²(c')),  d = (dc'·g·i(1-i), dc'·c·f(1-f), dc'·i·(1-g²), dh'·tanh(c')·o(1-o)),
    dx = d,  dh = Wᵀ d,  dc = dc' · f,  dW = Σ d hᵀ
    """

    compiled = "recurrent.LstmLayer"

    @staticmethod
    def work(x: Array, w: Array, *rest: Any) -> int:
        return Recurrent.work(x, w, *rest) if rest[2] is None else 0  # W_hr

    @staticmethod
    def definition(x: Any, w: Any, h: Any, c: Any, w_hr: Any, sizes: Sizes, reverse: bool) -> Any:
        return follow(lambda x, h, c: lstm_step(x, h, c, w, None, w_hr), x, (h, c), sizes, reverse)

    @staticmethod
    def forward(
        ctx: Any, x: Array, w: Array, h: Array, c: Array, w_hr: Array | None, sizes: Sizes, reverse: bool
    ) -> Array:
        rows, width = x.reshape(-1, x.shape[-1]), c.shape[1]
        ctx.steps = steps(x, h, sizes, reverse)
        flat = np.empty(len(rows) * h.shape[1] + h.size + c.size, x.dtype)
        outputs, last, cell = unpacked(flat, len(rows), h, c)
        gates = rows.copy()
        last[:], cell[:] = h, c
        before, cells, bounded = (np.empty((len(rows), n), x.dtype) for n in (h.shape[1], width, width))
        i, f, g, o = (gates[:, k * width : (k + 1) * width] for k in range(4))
        for at, n in ctx.steps:
            before[at], cells[at] = last[:n], cell[:n]
            gates[at] += np.dot(last[:n], w.T)
            i[at], f[at], g[at], o[at] = logistic(i[at]), logistic(f[at]), np.tanh(g[at]), logistic(o[at])
            cell[:n] = f[at] * cell[:n] + i[at] * g[at]
            bounded[at] = np.tanh(cell[:n])
            new = o[at] * bounded[at]
            outputs[at] = last[:n] = new if w_hr is None else np.dot(new, w_hr.T)
        ctx.shape = x.shape
        ctx.save_for_backward(w, w_hr, before, gates, cells, bounded)
        return flat

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        w, w_hr, before, gates, cells, bounded = ctx.saved_tensors
        width = cells.shape[1]
        n_states = max(n for _, n in ctx.steps)
        states = [np.empty((n_states, k), grad.dtype) for k in (w.shape[1], width)]
        outer, dh, dc = unpacked(grad.copy(), len(gates), *states)
        i, f, g, o = (gates[:, k * width : (k + 1) * width] for k in range(4))
        d = np.empty_like(gates)
        di, df, dg, do = (d[:, k * width : (k + 1) * width] for k in range(4))
        for at, n in reversed(ctx.steps):
            outer[at] += dh[:n]  # of h', before W_hr is undone
            inner = outer[at] if w_hr is None else np.dot(outer[at], w_hr)
            t = bounded[at]
            dc[:n] += inner * o[at] * (1 - t * t)
            di[at] = dc[:n] * g[at] * (i[at] * (1 - i[at]))
            df[at] = dc[:n] * cells[at] * (f[at] * (1 - f[at]))
            dg[at] = dc[:n] * i[at] * (1 - g[at] * g[at])
            do[at] = inner * t * (o[at] * (1 - o[at]))
            dh[:n] = np.dot(d[at], w)
            dc[:n] *= f[at]
        dw_hr = np.dot(outer.T, o * bounded) if ctx.needs_input_grad[4] else None
        return d.reshape(ctx.shape), weight_gradient(ctx, d, before), dh, dc, dw_hr, None, None


class GruLayer(Recurrent):
    """h' = (1 - z)·n + z·h along a sequence: with y = W h + b,  r, z = σ(x + y),  n = tanh(x + r·y).

    dn = dh'·(1-z)·(1-n²),  dz = dh'·(h-n)·z(1-z),  dr = dn·y·r(1-r),  dx = (dr, dz, dn),
    d = (dr, dz, dn·r),  dh = dh'·z + Wᵀ d,  dW = Σ d hᵀ,  db = Σ d
    """

    compiled = "recurrent.GruLayer"

    @staticmethod
    def definition(x: Any, w: Any, h: Any, b: Any, sizes: Sizes, reverse: bool) -> Any:
        return follow(lambda x, h: (gru_step(x, h, w, b),), x, (h,), sizes, reverse)

    @staticmethod
    def forward(ctx: Any, x: Array, w: Array, h: Array, b: Array | None, sizes: Sizes, reverse: bool) -> Array:
        rows, width = x.reshape(-1, x.shape[-1]), h.shape[1]
        ctx.steps = steps(x, h, sizes, reverse)
        flat = np.empty(len(rows) * width + h.size, x.dtype)
        outputs, last = unpacked(flat, len(rows), h)
        gates = rows.copy()
        last[:] = h
        before, products = (np.empty((len(rows), width), x.dtype) for _ in range(2))
        r, z, new = (gates[:, k * width : (k + 1) * width] for k in range(3))
        for at, n in ctx.steps:
            before[at] = last[:n]
            y = np.dot(last[:n], w.T)
            if b is not None:
                y += b
            products[at] = y[:, 2 * width :]
            gates[at, : 2 * width] += y[:, : 2 * width]
            r[at], z[at] = logistic(r[at]), logistic(z[at])
            new[at] = np.tanh(new[at] + r[at] * products[at])
            outputs[at] = last[:n] = (last[:n] - new[at]) * z[at] + new[at]
        ctx.shape = x.shape
        ctx.save_for_backward(w, before, gates, products)
        return flat

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        w, before, gates, products = ctx.saved_tensors
        width = before.shape[1]
        n_states = max(n for _, n in ctx.steps)
        outer, dh = unpacked(grad.copy(), len(gates), np.empty((n_states, width), grad.dtype))
        r, z, new = (gates[:, k * width : (k + 1) * width] for k in range(3))
        dx, d = np.empty_like(gates), np.empty_like(gates)
        for at, n in reversed(ctx.steps):
            by_h = outer[at]
            by_h += dh[:n]
            by_new = by_h * (1 - z[at]) * (1 - new[at] * new[at])
            dx[at, :width] = by_new * products[at] * (r[at] * (1 - r[at]))
            dx[at, width : 2 * width] = by_h * (before[at] - new[at]) * (z[at] * (1 - z[at]))
            dx[at, 2 * width :] = by_new
            d[at] = dx[at]
            d[at, 2 * width :] *= r[at]
            dh[:n] = by_h * z[at] + np.dot(d[at], w)
        db = d.sum(0) if ctx.needs_input_grad[3] else None
        return dx.reshape(ctx.shape), weight_gradient(ctx, d, before), dh, db, None, None
