"""Normalization, convolution, pooling, attention and recurrent layers, as NumPy."""

from __future__ import annotations

import math

from ...ops.attention import ScaledDotProductAttention
from ...ops.batch_norm import NativeBatchNorm, NormalizeBy
from ...ops.conv import Convolution, TransposedConvolution
from ...ops.norm import NativeGroupNorm, NativeLayerNorm, Normalize, RmsNorm
from ...ops.patches import Unfold
from ...ops.pool import AvgPool, MaxPool
from ...ops.recurrent import GruLayer, LstmLayer, Part, RnnLayer
from ...ops.windows import out_sizes
from ..program import Var
from ..written import Both, Call, NoText, by_settings

# -- normalization


def _normalized(c: Call, w: str, b: str, down: str) -> Both:
    """x shifted and scaled; w, b: the parameters as they broadcast to x, "" where there are none; down: what sums to their shape."""
    axes = tuple(c.axes)
    scaled = f"normalized * {w}" if w else "normalized"
    forward = f"""
        centred = x - x.mean({axes!r}, keepdims=True)
        scale = 1 / np.sqrt((centred * centred).mean({axes!r}, keepdims=True) + {c.eps!r})
        normalized = centred * scale
        out = {scaled}{f" + {b}" if b else ""}"""
    backward = f"""
        h = {f"g * {w}" if w else "g"}
        mean_h = h.mean({axes!r}, keepdims=True)
        mean_hx = (h * normalized).mean({axes!r}, keepdims=True)
        dx = (h - mean_h - normalized * mean_hx) * scale"""
    if w:
        backward += f"\n        dw = {down.format('g * normalized')}"
    if b:
        backward += f"\n        db = {down.format('g')}"
    return forward, backward


@by_settings(Normalize, NativeLayerNorm, NativeGroupNorm)
def _layer_norm(c: Call) -> Both:
    down = "{}"
    if c._form.__module__.startswith("minigrad.kernels."):  # its compiled form sums over the samples itself
        down = "({}).sum(" + repr(tuple(i for i in range(len(c.x.shape)) if i not in c.axes)) + ")"
    return _normalized(c, "w" if c.w is not None else "", "b" if c.b is not None else "", down)


@by_settings(NativeBatchNorm)
def _batch_norm(c: Call) -> Both:
    shape = (-1,) + (1,) * (len(c.x.shape) - 2)
    over = tuple(i for i in range(len(c.x.shape)) if i != 1)
    down = "({}).sum(" + repr(over) + ")"
    reshaped = [None if p is None else f"{n}.reshape({shape!r})" for n, p in (("w", c.w), ("b", c.b))]
    return _normalized(c, reshaped[0] or "", reshaped[1] or "", down)


@by_settings(NormalizeBy)
def _normalize_by(c: Call) -> Both:
    w, b = (" * w" if c.w is not None else ""), (" + b" if c.b is not None else "")
    rows = [f"dx = g * scale{w}"]
    if w:
        rows.append("dw = g * normalized")
    if b:
        rows.append("db = g")
    return (
        f"scale = 1 / np.sqrt(var + {c.eps!r})\nnormalized = (x - mean) * scale\nout = normalized{w}{b}",
        "\n".join(rows),
    )


@by_settings(RmsNorm)
def _rms_norm(c: Call) -> Both:
    axes, w = tuple(c.axes), " * w" if c.w is not None else ""
    return (
        f"scale = 1 / np.sqrt((x * x).mean({axes!r}, keepdims=True) + {c.eps!r})\nnormalized = x * scale\nout = normalized{w}",
        f"h = g{w}\ndx = (h - normalized * (h * normalized).mean({axes!r}, keepdims=True)) * scale"
        + ("\ndw = g * normalized" if w else ""),
    )


# -- windows: convolution and pooling


def _padding(x: Var, pads: tuple[tuple[int, int], ...], value: str = "") -> str:
    if not any(map(any, pads)):
        return "x"
    if any(p < 0 for pair in pads for p in pair):
        raise NoText
    around = ((0, 0),) * (len(x.shape) - len(pads)) + tuple((int(lo), int(hi)) for lo, hi in pads)
    return f"np.pad(x, {around!r}{f', constant_values={value}' if value else ''})"


def _padded_shape(x: Var, pads: tuple[tuple[int, int], ...]) -> tuple[int, ...]:
    rank = len(pads)
    return (*x.shape[:-rank], *(n + lo + hi for n, (lo, hi) in zip(x.shape[-rank:], pads, strict=True)))


def _unpadded(what: str, x: Var, pads: tuple[tuple[int, int], ...]) -> str:
    if not any(map(any, pads)):
        return what
    inside = ", ".join(f"{lo}:{lo + n}" for n, (lo, _) in zip(x.shape[-len(pads) :], pads, strict=True))
    return f"{what}[..., {inside}]"


@by_settings(Convolution)
def _convolution(c: Call) -> Both:
    rank, groups = len(c.stride), c.groups
    kernel, at = tuple(c.w.shape[2:]), ("xyz"[:rank], "ijk"[:rank])
    out, inner = at
    settings = f"{kernel!r}, {tuple(c.stride)!r}, {tuple(c.dilation)!r}"
    n, o = c.x.shape[0], c.w.shape[0]
    bias = f" + b.reshape({(-1,) + (1,) * rank!r})" if c.b is not None else ""
    shape = _padded_shape(c.x, c.pads)
    if groups == 1:
        seen = f"seen = windows_of({_padding(c.x, c.pads)}, {settings})  # what each place of the output sees"
        forward = f"{seen}\nout = np.einsum('nc{out}{inner},oc{inner}->no{out}', seen, w, optimize=True){bias}"
        spread = f"np.einsum('no{out},oc{inner}->nc{out}{inner}', g, w, optimize=True)"
        dw = f"dw = np.einsum('no{out},nc{out}{inner}->oc{inner}', g, seen, optimize=True)"
    else:
        split = f".reshape({(n, groups, -1, *c.out.shape[2:], *kernel)!r})"
        filters = f"w.reshape({(groups, o // groups, *c.w.shape[1:])!r})"
        by_group = f"g.reshape({(n, groups, o // groups, *c.out.shape[2:])!r})"
        forward = (
            f"seen = windows_of({_padding(c.x, c.pads)}, {settings}){split}  # what each place of the output sees\n"
            f"out = np.einsum('nqc{out}{inner},qoc{inner}->nqo{out}', seen, {filters}, optimize=True).reshape({c.out.shape!r}){bias}"
        )
        whole = (n, c.x.shape[1], *c.out.shape[2:], *kernel)
        spread = f"np.einsum('nqo{out},qoc{inner}->nqc{out}{inner}', {by_group}, {filters}, optimize=True).reshape({whole!r})"
        dw = f"dw = np.einsum('nqo{out},nqc{out}{inner}->qoc{inner}', {by_group}, seen, optimize=True).reshape({c.w.shape!r})"
    added = f"add_windows_of({spread}, {shape!r}, {tuple(c.stride)!r}, {tuple(c.dilation)!r})"
    return forward, (f"dx = {_unpadded(added, c.x, c.pads)}\n{dw}\ndb = g.sum({(0, *range(2, 2 + rank))!r})")


@by_settings(TransposedConvolution)
def _transposed_convolution(c: Call) -> Both:
    rank = len(c.stride)
    if c.groups != 1 or any(p < 0 for pair in c.pads for p in pair):
        raise NoText
    out, inner = "xyz"[:rank], "ijk"[:rank]
    kernel = tuple(c.w.shape[2:])
    shape = _padded_shape(c.out, c.pads)
    bias = f" + b.reshape({(-1,) + (1,) * rank!r})" if c.b is not None else ""
    added = (
        f"add_windows_of(np.einsum('nc{out},co{inner}->no{out}{inner}', x, w, optimize=True), {shape!r}, {tuple(c.stride)!r}, "
        f"{tuple(c.dilation)!r})"
    )
    padded = _padding(c.out, c.pads).replace("(x,", "(g,") if any(map(any, c.pads)) else "g"
    return f"out = {_unpadded(added, c.out, c.pads)}{bias}", (
        f"seen = windows_of({padded}, {kernel!r}, {tuple(c.stride)!r}, {tuple(c.dilation)!r})[:, :, {', '.join(f':{m}' for m in c.x.shape[2:])}]\n"
        f"dx = np.einsum('no{out}{inner},co{inner}->nc{out}', seen, w, optimize=True)\n"
        f"dw = np.einsum('no{out}{inner},nc{out}->co{inner}', seen, x, optimize=True)\n"
        f"db = g.sum({(0, *range(2, 2 + rank))!r})"
    )


@by_settings(MaxPool)
def _max_pool(c: Call) -> Both:
    kernel = tuple(c.kernel)
    flat = f"{(*c.out.shape, math.prod(kernel))!r}"
    settings = f"{kernel!r}, {tuple(c.stride)!r}, {tuple(c.dilation)!r}"
    forward = f"""
        seen = windows_of({_padding(c.x, c.pads, "-np.inf")}, {settings}).reshape({flat})
        winner = seen.argmax(-1)[..., None]  # the first of several that are equal
        out = np.take_along_axis(seen, winner, -1)[..., 0]"""
    whole = (*c.out.shape, *kernel)
    spread = f"np.where(winner == np.arange({math.prod(kernel)}), g[..., None], 0).reshape({whole!r})"
    added = f"add_windows_of({spread}, {_padded_shape(c.x, c.pads)!r}, {tuple(c.stride)!r}, {tuple(c.dilation)!r})"
    return forward, f"dx = {_unpadded(added, c.x, c.pads)}"


@by_settings(AvgPool)
def _avg_pool(c: Call) -> Both:
    rank, kernel = len(c.kernel), tuple(c.kernel)
    ones, last = (1,) * rank, tuple(range(-rank, 0))
    forward = (
        f"out = windows_of({_padding(c.x, c.pads)}, {kernel!r}, {tuple(c.stride)!r}, {ones!r}).sum({last!r}) / divisor"
    )
    each = f"spread_windows(g / divisor, {kernel!r})"
    added = f"add_windows_of({each}, {_padded_shape(c.x, c.pads)!r}, {tuple(c.stride)!r}, {ones!r})"
    return forward, f"dx = {_unpadded(added, c.x, c.pads)}"


@by_settings(Unfold)
def _unfold(c: Call) -> Both:
    kernel, out = tuple(c.kernel), out_sizes(c.x.shape[2:], c.kernel, c.stride, c.padding, c.dilation)
    settings = f"{kernel!r}, {tuple(c.stride)!r}, {tuple(c.dilation)!r}"
    shape = (*c.x.shape[:2], *kernel, *out)
    added = (
        f"add_windows_of(g.reshape({shape!r}).transpose((0, 1, 4, 5, 2, 3)), {_padded_shape(c.x, c.padding)!r}, "
        f"{tuple(c.stride)!r}, {tuple(c.dilation)!r})"
    )
    return (
        f"out = windows_of({_padding(c.x, c.padding)}, {settings}).transpose((0, 1, 4, 5, 2, 3)).reshape({c.out.shape!r})",
        f"dx = {_unpadded(added, c.x, c.padding)}",
    )


# -- attention


@by_settings(ScaledDotProductAttention)
def _attention(c: Call) -> Both:
    rows, columns = c.q.shape[-2], c.k.shape[-2]
    forward = [f"scores = np.matmul(q * {float(c.scale)!r}, k.swapaxes(-2, -1))"]
    if c.causal:
        forward.append(
            f"seen_scores = np.where(np.arange({columns}) > np.arange({rows})[:, None], -np.inf, scores)  # no key after the query"
        )
    elif c.mask is not None:
        forward.append("seen_scores = scores + mask")
    last = "scores" if len(forward) == 1 else "seen_scores"
    noisy = "weights" if c.noise is None else "weights * noise"
    forward += [
        f"largest = np.maximum.reduce({last}, -1, keepdims=True)",
        f"e = np.exp({last} - np.where(largest == -np.inf, 0, largest))",
        "sums = e.sum(-1, keepdims=True)",
        "weights = e / np.where(sums == 0, 1, sums)",
        f"out = np.matmul({noisy}, v)",
    ]
    through = "" if c.noise is None else " * noise"
    backward = [
        f"dv = np.matmul(({noisy}).swapaxes(-2, -1), g)",
        f"d_weights = np.matmul(g, v.swapaxes(-2, -1)){through}",
        "d_scores = weights * (d_weights - (d_weights * weights).sum(-1, keepdims=True))",
        f"dq = np.matmul(d_scores, k) * {float(c.scale)!r}",
        f"dk = np.matmul(d_scores.swapaxes(-2, -1), q) * {float(c.scale)!r}",
        "dmask = d_scores",
    ]
    return "\n".join(forward), "\n".join(backward)


# -- recurrent layers


def _of_sequence(c: Call) -> str:
    if c.sizes is not None or len(c.x.shape) != 3:
        raise NoText
    return f", reverse={bool(c.reverse)}"


def _recurrent(c: Call, call: str, back: str, biases: tuple[str, ...]) -> Both:
    """All inputs' products at once, and then the walk along the sequence. biases: those that are added to the products."""
    plus = "".join(f" + {name}" for name in biases if getattr(c, name) is not None)
    rows = c.x.shape[0] * c.x.shape[1]
    forward = f"inputs = np.matmul(x, w_ih.T){plus}  # of all times at once\nout = {call}"
    backward = [
        back,
        "dx = np.matmul(d_inputs, w_ih)",
        f"dw_ih = np.dot(d_inputs.reshape({(rows, c.w_ih.shape[0])!r}).T, x.reshape({(rows, c.x.shape[2])!r}))",
        *(f"d{name} = d_inputs.sum((0, 1))" for name in biases),
    ]
    return forward, "\n".join(backward)


@by_settings(RnnLayer)
def _rnn(c: Call) -> Both:
    more = f"{c.activation!r}{_of_sequence(c)}"
    return _recurrent(
        c, f"rnn(inputs, w, h, {more})", f"d_inputs, dw, dh = rnn_back(g, out, inputs, w, h, {more})", ("b_ih", "b_hh")
    )


@by_settings(LstmLayer)
def _lstm(c: Call) -> Both:
    if c.w_hr is not None:
        raise NoText
    more = _of_sequence(c)
    return _recurrent(
        c,
        f"lstm(inputs, w, h, c{more})",
        f"d_inputs, dw, dh, dc = lstm_back(g, inputs, w, h, c{more})",
        ("b_ih", "b_hh"),
    )


@by_settings(GruLayer)
def _gru(c: Call) -> Both:
    more = _of_sequence(c)
    return _recurrent(
        c, f"gru(inputs, w, h, b{more})", f"d_inputs, dw, dh, db = gru_back(g, inputs, w, h, b{more})", ("b_ih",)
    )


@by_settings(Part)
def _part(c: Call) -> Both:
    places = f"{c.start}:{c.start + math.prod(c.shape)}"
    return f"out = x[{places}].reshape(shape)", f"dx = put(g.reshape(-1), np.s_[{places}], {c.x.shape!r})"
