"""Sums, products, means and extremes, norms, products of matrices, and softmax, as NumPy."""

from __future__ import annotations

import math

from ...ops.contraction import Einsum
from ...ops.distances import MaxNorm, Norm2, _PNorm
from ...ops.extremes import Extreme
from ...ops.linear import Linear
from ...ops.matrix import Bmm, Dot, MatMul, MatVec
from ...ops.order import Middle, NanMiddle
from ...ops.reduce import LogSumExp, Mean, NanAsZero, Prod, Std, StdMean, Sum, Var
from ...ops.softmax import LogSoftmax, Softmax
from .. import program
from ..written import Both, Call, by_settings, elements, text


def _over(c: Call) -> str:
    """The arguments of a reduction over the call's axes."""
    every = len(c.axes) == len(c.x.shape)
    return (
        f"{'None' if every else repr(c.axes)}, keepdims={bool(c.keepdim)}"
        if c.keepdim
        else ("" if every else repr(c.axes))
    )


def _spread(c: Call, what: str) -> str:
    return f"spread({what}, {tuple(c.axes)!r}, {c.x.shape!r})"


def _kept(x: program.Var, axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(1 if i in axes else n for i, n in enumerate(x.shape))


def _count(x: program.Var, axes: tuple[int, ...]) -> int:
    return math.prod(x.shape[a] for a in axes)


@by_settings(Sum)
def _sum(c: Call) -> Both:
    if not c.axes:
        return "out = x.copy()", "dx = g"
    return f"out = x.sum({_over(c)})", f"dx = {_spread(c, 'g')}"


@by_settings(Mean)
def _mean(c: Call) -> Both:
    if not c.axes:
        return "out = x.copy()", "dx = g"
    return f"out = x.mean({_over(c)})", f"dx = {_spread(c, f'g / {_count(c.x, c.axes) or 1}')}"


text(NanAsZero, "out = np.where(x == x, x, 0)", "dx = np.where(x == x, g, 0)")


def _slope(freedom: float) -> str:
    """Of a variance of so many degrees of freedom: 2 / (n - correction)."""
    return f"2 / {freedom:g}" if freedom else "np.inf"


@by_settings(Var)
def _var(c: Call) -> Both:
    kept, freedom = _kept(c.x, c.axes), _count(c.x, c.axes) - c.correction
    return (
        f"centred = x - x.mean({tuple(c.axes)!r}, keepdims=True)\n"
        f"out = (centred * centred).sum({tuple(c.axes)!r}, keepdims={bool(c.keepdim)}) / np.float64({max(freedom, 0)!r})"
        f"{'.astype(np.float32)' if c.x.dtype.name == 'float32' else ''}",
        f"dx = g.reshape({kept!r}) * ({_slope(freedom)} * centred)",
    )


@by_settings(Std, StdMean)
def _std(c: Call) -> Both:
    kept, freedom = _kept(c.x, c.axes), _count(c.x, c.axes) - c.correction
    return (
        f"centred = x - x.mean({tuple(c.axes)!r}, keepdims=True)\n"
        f"out = np.sqrt((centred * centred).sum({tuple(c.axes)!r}, keepdims={bool(c.keepdim)}) / np.float64({max(freedom, 0)!r}))"
        f"{'.astype(np.float32)' if c.x.dtype.name == 'float32' else ''}",
        "of_variance = np.where(out == 0, 0, g / (2 * out))\n"
        f"dx = of_variance.reshape({kept!r}) * ({_slope(freedom)} * centred)",
    )


@by_settings(Prod)
def _prod(c: Call) -> Both:
    kept = _kept(c.x, (c.axis,))
    return (
        f"out = np.multiply.reduce(x, {c.axis}, keepdims={bool(c.keepdim)})",
        f"dx = g.reshape({kept!r}) * others(x, axis)",
    )


@by_settings(LogSumExp)
def _logsumexp(c: Call) -> Both:
    axes, kept = tuple(c.axes), _kept(c.x, c.axes)
    return (
        f"largest = np.maximum.reduce(x, {axes!r}, keepdims=True)\n"
        "largest = np.where(np.isinf(largest), 0, largest)\n"
        f"out = (np.log(np.exp(x - largest).sum({axes!r}, keepdims=True)) + largest).reshape({c.out.shape!r})",
        f"dx = g.reshape({kept!r}) * np.exp(x - out.reshape({kept!r}))",
    )


@by_settings(Extreme)
def _extreme(c: Call) -> Both:
    axes, kept = tuple(c.axes), _kept(c.x, c.axes)
    name = "maximum" if c.largest else "minimum"
    ties = f"(x == out.reshape({kept!r}))"
    if getattr(c, "nan_ties", False):
        ties = f"({ties} | (np.isnan(x) & np.isnan(out)))"
    return (
        f"out = np.{name}.reduce(x, {axes!r}, keepdims={bool(c.keepdim)})",
        f"ties = {ties}  # those that share the gradient\n"
        f"dx = g.reshape({kept!r}) * (ties / ties.sum({axes!r}, keepdims=True)).astype(np.{c.x.dtype.name})",
    )


text(
    (Middle, NanMiddle),
    "out = value",
    "ties = (x == value) | (np.isnan(x) & np.isnan(value))  # those that share the gradient\ndx = np.where(ties, g / ties.sum(), 0)",
)


@by_settings(Norm2)
def _norm2(c: Call) -> Both:
    axes, kept = tuple(c.axes), _kept(c.x, c.axes)
    over = f"{axes!r}, keepdims={bool(c.keepdim)}"
    forward = f"out = np.sqrt((x * x).sum({over}))"
    if elements(c.out) == elements(c.x):
        forward = f"out = np.abs(x).reshape({c.out.shape!r})"
    return forward, (
        f"length = out.reshape({kept!r})\n"
        f"dx = g.reshape({kept!r}) * np.where(length == 0, 0, x / np.where(length == 0, 1, length))"
    )


@by_settings(_PNorm)
def _pnorm(c: Call) -> Both:
    axes, kept = tuple(c.axes), _kept(c.x, c.axes)
    p = float(c.p)
    forward = f"out = np.power(np.power(np.abs(x), {p!r}).sum({axes!r}, keepdims={bool(c.keepdim)}), {1 / p!r})"
    if elements(c.out) == elements(c.x):
        forward = f"out = np.abs(x).reshape({c.out.shape!r})"
    if p < 1:
        return forward, (
            f"slope = np.where(x == 0, 0, np.sign(x) * np.power(np.abs(x), {p - 1!r}))\n"
            f"dx = slope * (g.reshape({kept!r}) * np.power(out.reshape({kept!r}), {1 - p!r}))"
        )
    return forward, (
        f"length = out.reshape({kept!r})\n"
        f"scale = np.where(length == 0, 0, g.reshape({kept!r}) / np.power(length, {p - 1!r}))\n"
        f"dx = np.sign(x) * np.power(np.abs(x), {p - 1!r}) * scale"
    )


@by_settings(MaxNorm)
def _maxnorm(c: Call) -> Both:
    axes, kept = tuple(c.axes), _kept(c.x, c.axes)
    name = "maximum" if c.largest else "minimum"
    count = f" / np.maximum(reached.sum({axes!r}, keepdims=True), 1)" if c.shared else ""
    return f"out = np.{name}.reduce(np.abs(x), {axes!r}, keepdims={bool(c.keepdim)})", (
        f"reached = np.abs(x) == out.reshape({kept!r})\n"
        f"dx = g.reshape({kept!r}) * (np.where(reached, np.sign(x), 0){count}).astype(np.{c.x.dtype.name})"
    )


# -- products of matrices


@by_settings(Dot)
def _dot(c: Call) -> Both:
    return "out = np.dot(a, b)", "da = g * b\ndb = g * a"


@by_settings(MatMul, Bmm)
def _matmul(c: Call) -> Both:
    db = "db = np.matmul(a.swapaxes(-1, -2), g)"
    if len(c.a.shape) > 2 and len(c.b.shape) == 2:
        db = f"db = np.dot(a.reshape({(-1, c.a.shape[-1])!r}).T, g.reshape({(-1, c.b.shape[-1])!r}))"
        if 0 in c.a.shape or 0 in c.b.shape:
            db = f"db = np.zeros({c.b.shape!r}, np.{c.b.dtype.name})"
    return "out = np.matmul(a, b)", f"da = np.matmul(g, b.swapaxes(-1, -2))\n{db}"


@by_settings(MatVec)
def _matvec(c: Call) -> Both:
    rows = math.prod(c.a.shape[:-1])
    return (
        "out = np.matmul(a, b)",
        f"da = g[..., None] * b\ndb = np.dot(a.reshape({(rows, c.a.shape[-1])!r}).T, g.reshape({rows}))",
    )


@by_settings(Linear)
def _linear(c: Call) -> Both:
    plus = "" if c.bias is None else " + bias"
    if len(c.x.shape) == 2:
        return f"out = np.dot(x, weight.T){plus}", "dx = np.dot(g, weight)\ndweight = np.dot(g.T, x)\ndbias = g.sum(0)"
    rows = math.prod(c.x.shape[:-1])
    x, g = f"x.reshape({(rows, c.x.shape[-1])!r})", f"g.reshape({(rows, c.out.shape[-1])!r})"
    return f"out = np.matmul(x, weight.T){plus}", (
        f"dx = np.matmul(g, weight)\ndweight = np.dot({g}.T, {x})\ndbias = {g}.sum(0)"
    )


@by_settings(Einsum)
def _einsum(c: Call) -> Both:
    names = [f"operands_{i}" for i in range(len(c.operands))]
    forward = f"out = np.einsum('{','.join(c.terms)}->{c.target}', {', '.join(names)})"
    rows = []
    for i, (name, term, x) in enumerate(zip(names, c.terms, c.operands, strict=True)):
        others = [n for j, n in enumerate(names) if j != i]
        other_terms = [t for j, t in enumerate(c.terms) if j != i]
        known = set(c.target).union(*other_terms)
        present = "".join(letter for letter in term if letter in known)
        made = f"np.einsum('{','.join((c.target, *other_terms))}->{present}', {', '.join(('g', *others))})"
        if present != term:
            axes = tuple(k for k, letter in enumerate(term) if letter not in known)
            made = f"spread({made}, {axes!r}, {x.shape!r})"
        rows.append(f"d{name} = {made}")
    return forward, "\n".join(rows)


# -- softmax


@by_settings(Softmax)
def _softmax(c: Call) -> Both:
    return (
        f"e = np.exp(x - np.maximum.reduce(x, {c.dim}, keepdims=True))\nout = e / e.sum({c.dim}, keepdims=True)",
        f"dx = out * (g - (g * out).sum({c.dim}, keepdims=True))",
    )


@by_settings(LogSoftmax)
def _log_softmax(c: Call) -> Both:
    return (
        f"shifted = x - np.maximum.reduce(x, {c.dim}, keepdims=True)\n"
        f"out = shifted - np.log(np.exp(shifted).sum({c.dim}, keepdims=True))",
        f"dx = g - np.exp(out) * g.sum({c.dim}, keepdims=True)",
    )
