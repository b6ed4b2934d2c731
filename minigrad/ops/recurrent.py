"""Recurrent layers: one step applied along a sequence, its output fed back to it. One operation per layer and direction.

    x[0]      x[1]      x[2]            first W_ih · x[t] + b_ih + b_hh, of all times in one product
      │         │         │
      ▼         ▼         ▼             the state (h, and c of an LSTM) goes from step to step
    step ──▶  step ──▶  step ──▶ last state
      │         │         │
      ▼         ▼         ▼
     h[1]      h[2]      h[3]           the outputs

Backward the walk goes the other way: each step turns the gradient of its state into those of its gates, and one product with
W_hh takes that on to the step before. The weights' gradients, and that of the input, are one product of all steps at the end.

Sequences of different lengths lie as in a `PackedSequence`, longest first: x is then two-dimensional, the rows of step 0, then
those of step 1, ..., and `sizes` says how many sequences still run at each step: they are the first ones. A sequence that has ended
keeps its state; walked in reverse, one that has not begun keeps its first.

b_ih and b_hh are added up beforehand, but for a GRU: there one of its gates multiplies W_hh h + b_hh. In the formulas below x is
what the input becomes, W_ih x + b.

The compiled forms: kernels/recurrent.py.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.fused import Fused, size
from ..autograd.graph import Operation
from ..autograd.variable import Array
from .exponential import logistic, sigmoid
from .join import cat
from .linear import linear, sum_rows
from .mask import keep
from .matrix import require_same_dtype
from .parts import put_slice
from .piecewise import relu
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

    x: what the inputs have become. The outputs and then the last state, as one flat tensor: see `parts`.
    """
    outputs, rows = [], x.reshape(-1, x.shape[-1])
    for at, n in steps(x, state[0], sizes, reverse):
        new = step(rows[at], *(s[:n] for s in state))
        outputs.append(new[0])
        state = tuple(y if n == s.shape[0] else cat([y, s[n:]]) for y, s in zip(new, state, strict=True))
    if reverse:
        outputs.reverse()
    return cat([part.reshape(-1) for part in (*outputs, *state)])


def both(b_ih: Any, b_hh: Any) -> Any:
    """The sum of two biases that are always added together, which may be missing."""
    return b_ih if b_hh is None else b_hh if b_ih is None else b_ih + b_hh


class Part(Operation):
    """out = `shape` of the elements of a flat x from `start` on: one of a layer's results.  dx = grad put back at its place in zeros

    Nobody else holds x, so the result is no view: it may be changed in place like any other.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, start: int, shape: tuple[int, ...]) -> Array:
        ctx.place, ctx.shape = slice(start, start + math.prod(shape)), x.shape
        return x[ctx.place].reshape(shape)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return put_slice(grad.reshape((-1,)), ctx.place, ctx.shape), None, None


def parts(flat: Tensor, x: Tensor, state: tuple[Tensor, ...], alone: bool = False) -> tuple[Tensor, ...]:
    """What a layer gave: the outputs (T, N, H), or (rows, H) of a packed sequence, and the last state.

    alone: it is the only layer, so the state's parts are at once what all layers give: (1, N, H).
    """
    before = (1,) if alone else ()
    shapes = [(*x.shape[:-1], state[0].shape[-1]), *((*before, *s.shape) for s in state)]
    ends = itertools.accumulate(map(math.prod, shapes), initial=0)
    return tuple(Part.apply(flat, start, shape) for start, shape in zip(ends, shapes, strict=False))


def require_weights(x: Any, w_ih: Any, b_ih: Any, w_hh: Any, b_hh: Any, h: Any, rows: int) -> None:
    """RuntimeError where tensors of a layer do not fit each other; rows: of W, the numbers of all gates."""
    for w, name, wanted in ((w_ih, "W_ih", x.shape[-1]), (w_hh, "W_hh", h.shape[-1])):
        if tuple(w.shape) != (rows, wanted):
            raise RuntimeError(
                f"mat1 and mat2 shapes cannot be multiplied: of a recurrent layer {name} should have the shape {[rows, wanted]}, but "
                f"has {list(w.shape)}"
            )
        require_same_dtype(x.array, w.array)
    for b in (b_ih, b_hh):
        if b is not None:
            if tuple(b.shape) != (rows,):
                raise RuntimeError(
                    f"of a recurrent layer a bias should have the shape {[rows]}, but has {list(b.shape)}"
                )
            require_same_dtype(x.array, b.array)


class Recurrent(Fused):
    """What the layers share: x (T, N, I), or (rows, I) with `sizes`; W_ih (G·H, I), b_ih, W_hh (G·H, H), b_hh; h: (N, H)."""

    @staticmethod
    def work(x: Array, w_ih: Array, b_ih: Any, w_hh: Array, *rest: Any) -> int:
        """Of each step and gate a sum of I + H products; and a step of the loop below costs as much as a thousand elements."""
        length = x.shape[0] if x.ndim == 3 else len(rest[-2])
        rows = x.size // max(x.shape[-1], 1)
        return size(x) and rows * len(w_hh) * (1 + (x.shape[-1] + w_hh.shape[1]) // 32) + 1000 * length


def entered(x: Array, w: Array, b: Array | None) -> Array:
    """W x + b of all steps: (rows, G·H)."""
    out = np.dot(x.reshape(-1, x.shape[-1]), w.T)
    if b is not None:
        out += b
    return out


def unpacked(flat: Array, rows: int, *states: Array) -> list[Array]:
    """Of a flat array: the outputs (rows, H), and each part of the last state."""
    first, found = states[0], list[Array]()
    start = rows * first.shape[1]
    found.append(flat[:start].reshape(rows, first.shape[1]))
    for state in states:
        found.append(flat[start : start + state.size].reshape(state.shape))
        start += state.size
    return found


def by_weights(ctx: Any, x: Array, w_ih: Array, by_x: Array, d: Array, before: Array) -> tuple[Array | None, ...]:
    """dx, dW_ih, db_ih, dW_hh, db_hh as far as they are wanted.

    by_x, d: of all steps, the gradients by W_ih x + b_ih and by W_hh h + b_hh, which are the same array but for a GRU; before: the h
    that each started from.
    """
    wanted = ctx.needs_input_grad
    rows = x.reshape(-1, x.shape[-1])
    db_ih = sum_rows(by_x) if wanted[2] or (wanted[4] and d is by_x) else None
    return (
        np.dot(by_x, w_ih).reshape(x.shape) if wanted[0] else None,
        np.dot(by_x.T, rows) if wanted[1] else None,
        db_ih,
        np.dot(d.T, before) if wanted[3] else None,
        (db_ih if d is by_x else sum_rows(d)) if wanted[4] else None,
    )


class RnnLayer(Recurrent):
    """h' = f(x + W h) along a sequence, f tanh or relu.

    With d = dh' · f'(x + W h):  dx = d,  dh = Wᵀ d,  dW = Σ d hᵀ
    """

    compiled = "recurrent.RnnLayer"

    @staticmethod
    def definition(
        x: Any, w_ih: Any, b_ih: Any, w: Any, b_hh: Any, h: Any, activation: str, sizes: Sizes, reverse: bool
    ) -> Any:
        x = linear(x, w_ih, both(b_ih, b_hh))
        return follow(lambda x, h: (rnn_step(x, h, w, None, activation),), x, (h,), sizes, reverse)

    @staticmethod
    def forward(
        ctx: Any, x: Array, w_ih: Array, b_ih: Array | None, w: Array, b_hh: Array | None, h: Array, activation: str,
        sizes: Sizes, reverse: bool,
    ) -> Array:  # fmt: skip
        rows = entered(x, w_ih, both(b_ih, b_hh))
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
        ctx.activation = activation
        ctx.save_for_backward(x, w_ih, w, before, outputs.copy() if any(ctx.needs_input_grad) else None)
        return flat

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        x, w_ih, w, before, outputs = ctx.saved_tensors
        n_states = max(n for _, n in ctx.steps)
        d, dh = unpacked(grad.copy(), len(outputs), np.empty((n_states, w.shape[1]), grad.dtype))
        bounded = ctx.activation == "tanh"
        slope = 1 - outputs * outputs if bounded else ~(outputs <= 0)
        for at, n in reversed(ctx.steps):
            d[at] += dh[:n]
            d[at] = d[at] * slope[at] if bounded else keep(d[at], slope[at])
            dh[:n] = np.dot(d[at], w)
        return *by_weights(ctx, x, w_ih, d, d, before), dh, None, None, None


class LstmLayer(Recurrent):
    """c' = f·c + i·g,  h' = o·tanh(c') along a sequence, with i, f, g, o = σ, σ, tanh, σ of (x + W h); with W_hr, h' = W_hr (o·tanh(c')).

    dc' += dh' · o · (1 - tanh²(c')),  d = (dc'·g·i(1-i), dc'·c·f(1-f), dc'·i·(1-g²), dh'·tanh(c')·o(1-o)),
    dx = d,  dh = Wᵀ d,  dc = dc' · f,  dW = Σ d hᵀ
    """

    compiled = "recurrent.LstmLayer"

    @staticmethod
    def work(x: Array, *rest: Any) -> int:
        return Recurrent.work(x, *rest) if rest[-3] is None else 0  # W_hr

    @staticmethod
    def definition(
        x: Any, w_ih: Any, b_ih: Any, w: Any, b_hh: Any, h: Any, c: Any, w_hr: Any, sizes: Sizes, reverse: bool
    ) -> Any:
        x = linear(x, w_ih, both(b_ih, b_hh))
        return follow(lambda x, h, c: lstm_step(x, h, c, w, None, w_hr), x, (h, c), sizes, reverse)

    @staticmethod
    def forward(
        ctx: Any, x: Array, w_ih: Array, b_ih: Array | None, w: Array, b_hh: Array | None, h: Array, c: Array,
        w_hr: Array | None, sizes: Sizes, reverse: bool,
    ) -> Array:  # fmt: skip
        gates, width = entered(x, w_ih, both(b_ih, b_hh)), c.shape[1]
        ctx.steps = steps(x, h, sizes, reverse)
        flat = np.empty(len(gates) * h.shape[1] + h.size + c.size, x.dtype)
        outputs, last, cell = unpacked(flat, len(gates), h, c)
        last[:], cell[:] = h, c
        before, cells, bounded = (np.empty((len(gates), n), x.dtype) for n in (h.shape[1], width, width))
        i, f, g, o = (gates[:, k * width : (k + 1) * width] for k in range(4))
        for at, n in ctx.steps:
            before[at], cells[at] = last[:n], cell[:n]
            gates[at] += np.dot(last[:n], w.T)
            i[at], f[at], g[at], o[at] = logistic(i[at]), logistic(f[at]), np.tanh(g[at]), logistic(o[at])
            cell[:n] = f[at] * cell[:n] + i[at] * g[at]
            bounded[at] = np.tanh(cell[:n])
            new = o[at] * bounded[at]
            outputs[at] = last[:n] = new if w_hr is None else np.dot(new, w_hr.T)
        ctx.save_for_backward(x, w_ih, w, w_hr, before, gates, cells, bounded)
        return flat

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        x, w_ih, w, w_hr, before, gates, cells, bounded = ctx.saved_tensors
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
        dw_hr = np.dot(outer.T, o * bounded) if ctx.needs_input_grad[7] else None
        return *by_weights(ctx, x, w_ih, d, d, before), dh, dc, dw_hr, None, None


class GruLayer(Recurrent):
    """h' = (1 - z)·n + z·h along a sequence: with y = W h + b,  r, z = σ(x + y),  n = tanh(x + r·y).

    dn = dh'·(1-z)·(1-n²),  dz = dh'·(h-n)·z(1-z),  dr = dn·y·r(1-r),  dx = (dr, dz, dn),
    d = (dr, dz, dn·r),  dh = dh'·z + Wᵀ d,  dW = Σ d hᵀ,  db = Σ d
    """

    compiled = "recurrent.GruLayer"

    @staticmethod
    def definition(x: Any, w_ih: Any, b_ih: Any, w: Any, b: Any, h: Any, sizes: Sizes, reverse: bool) -> Any:
        x = linear(x, w_ih, b_ih)
        return follow(lambda x, h: (gru_step(x, h, w, b),), x, (h,), sizes, reverse)

    @staticmethod
    def forward(
        ctx: Any,
        x: Array,
        w_ih: Array,
        b_ih: Array | None,
        w: Array,
        b: Array | None,
        h: Array,
        sizes: Sizes,
        reverse: bool,
    ) -> Array:
        gates, width = entered(x, w_ih, b_ih), h.shape[1]
        ctx.steps = steps(x, h, sizes, reverse)
        flat = np.empty(len(gates) * width + h.size, x.dtype)
        outputs, last = unpacked(flat, len(gates), h)
        last[:] = h
        before, products = (np.empty((len(gates), width), x.dtype) for _ in range(2))
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
        ctx.save_for_backward(x, w_ih, w, before, gates, products)
        return flat

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        x, w_ih, w, before, gates, products = ctx.saved_tensors
        width = before.shape[1]
        n_states = max(n for _, n in ctx.steps)
        outer, dh = unpacked(grad.copy(), len(gates), np.empty((n_states, width), grad.dtype))
        r, z, new = (gates[:, k * width : (k + 1) * width] for k in range(3))
        by_x, d = np.empty_like(gates), np.empty_like(gates)
        for at, n in reversed(ctx.steps):
            by_h = outer[at]
            by_h += dh[:n]
            by_new = by_h * (1 - z[at]) * (1 - new[at] * new[at])
            by_x[at, :width] = by_new * products[at] * (r[at] * (1 - r[at]))
            by_x[at, width : 2 * width] = by_h * (before[at] - new[at]) * (z[at] * (1 - z[at]))
            by_x[at, 2 * width :] = by_new
            d[at] = by_x[at]
            d[at, 2 * width :] *= r[at]
            dh[:n] = by_h * z[at] + np.dot(d[at], w)
        return *by_weights(ctx, x, w_ih, by_x, d, before), dh, None, None
