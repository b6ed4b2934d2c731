"""How each operation is written: the lines of its forward pass, and those of its backward pass beside them.

The lines are those that the operation itself runs on arrays (minigrad/ops), in the same order, so that the program gives
the same numbers, to the bit. An operation that has no text here is called as it is, and printed as written.py says.

    forward(p, e, *inputs)     adds lines to the program p; gives the Var of the output
    backward(p, e, grad)       gives a Var for each input, None where none is wanted

`e` holds what both need: the inputs, the output, which gradients are wanted, and what forward kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.fused import Alias
from ..autograd.views import Overwritten
from ..ops.arithmetic import Add, Div, Mul, Neg, Reciprocal, Sub
from ..ops.batch_norm import NormalizeBy
from ..ops.choice import Clamp
from ..ops.dropout import Dropout
from ..ops.exponential import Exp, Expm1, Log, Log1p, Sigmoid
from ..ops.linear import Linear
from ..ops.loss_binary import BinaryCrossEntropy, BinaryCrossEntropyWithLogits
from ..ops.loss_classes import CrossEntropyLoss
from ..ops.loss_regression import MseLoss
from ..ops.matrix import MatMul
from ..ops.piecewise import Relu
from ..ops.power import Pow, Sqrt, Square
from ..ops.reduce import Mean, Sum
from ..ops.shape import MatrixTranspose, Reshape, Squeeze, SqueezeDim, SqueezeDims, Transpose, Unsqueeze
from ..ops.softmax import Softmax
from ..ops.trigonometry import Cos, Sin, Tanh
from ..sums import _GROUP, _SMALL, _fast_axes
from .entries import Ran
from .program import Program, Var


class Emitted:
    """One operation as it is written."""

    def __init__(self, ran: Ran, inputs: list[Any]) -> None:
        self.ran, self.inputs = ran, inputs
        self.needs = ran.needs or (False,) * len(inputs)
        self.out: Any = None
        self.writes: Any = None  # the pair of WRITTEN that writes it
        self.name = "h"
        self.kept: dict[str, Any] = {}


class Unwritten(Exception):
    """These inputs are not served by the text: the operation is called."""


RELU = "np.maximum(0, x)", "np.where(out <= 0, 0, g)"

# Of one element: the function of x, and the gradient of x, of g and x or out.
RULES: list[tuple[Any, str, str]] = [
    (Neg, "-x", "-g"),
    (Reciprocal, "1 / x", "-g * (out * out)"),
    (Exp, "np.exp(x)", "g * out"),
    (Expm1, "np.expm1(x)", "g * (out + 1)"),
    (Log, "np.log(x)", "g / x"),
    (Log1p, "np.log1p(x)", "g / (x + 1)"),
    (Sigmoid, "1 / (np.exp(-x) + 1)", "g * (out * (1 - out))"),
    (Square, "x * x", "g * (2 * x)"),
    (Sqrt, "np.sqrt(x)", "g / (2 * out)"),
    (Tanh, "np.tanh(x)", "(1 - out * out) * g"),
    (Sin, "np.sin(x)", "g * np.cos(x)"),
    (Cos, "np.cos(x)", "-g * np.sin(x)"),
    (Relu, *RELU),
]

Forward = Callable[..., Var]
Backward = Callable[..., list[Any]]
WRITTEN: dict[Any, tuple[Forward, Backward]] = {}


def _is_float(*xs: Any) -> bool:
    return all(not isinstance(x, Var) or x.dtype.char in "fd" for x in xs)


# -- of one element


def of_x(text: str) -> str:
    """x as {0}."""
    return re.sub(r"\bx\b", "{0}", text)


def of_gradient(text: str) -> str:
    """g, out and x as {0}, {1} and {2}: words of their own, not letters of others."""
    return re.sub(r"\b(g|out|x)\b", lambda m: {"g": "{0}", "out": "{1}", "x": "{2}"}[m[1]], text)


def _root(v: Any) -> str:
    return v.name if isinstance(v, Var) else "x"


def _one(cls: Any, forward: str, backward: str) -> None:
    def write_forward(p: Program, e: Emitted, x: Any) -> Var:
        if not isinstance(x, Var) or not _is_float(x):
            raise Unwritten
        return p.elementwise(of_x(forward), x, wanted=e.name)

    def write_backward(p: Program, e: Emitted, g: Var) -> list[Any]:
        return [p.elementwise(of_gradient(backward), g, e.out, e.inputs[0], wanted=f"d_{_root(e.inputs[0])}")]

    WRITTEN[cls] = write_forward, write_backward


# -- of two


def _operands(a: Any, b: Any) -> None:
    if not _is_float(a, b) or not (isinstance(a, Var) or isinstance(b, Var)):
        raise Unwritten
    if isinstance(a, Var) and isinstance(b, Var) and a.dtype != b.dtype:
        raise Unwritten
    for x in (a, b):
        if not isinstance(x, Var) and type(x) not in (int, float):
            raise Unwritten


def _binary(cls: Any, forward: str, da: str, db: str) -> None:
    """da, db: texts of {0} the gradient, {1} a, {2} b; "" where it is the gradient itself."""

    def write_forward(p: Program, e: Emitted, a: Any, b: Any) -> Var:
        _operands(a, b)
        return p.elementwise(forward, a, b, wanted=e.name)

    def write_backward(p: Program, e: Emitted, g: Var) -> list[Any]:
        found: list[Any] = []
        for text, x, wanted in zip((da, db), e.inputs, e.needs, strict=True):
            if not wanted:
                found.append(None)
            else:
                found.append(p.elementwise(text, g, *e.inputs, wanted=f"d_{_root(x)}") if text else g)
        return found

    WRITTEN[cls] = write_forward, write_backward


def _power_forward(p: Program, e: Emitted, a: Any, b: Any) -> Var:
    if not isinstance(a, Var) or not _is_float(a) or type(b) not in (int, float) or b == 0:
        raise Unwritten
    return p.elementwise("np.power({0}, {1})", a, b, wanted=e.name)


def _power_backward(p: Program, e: Emitted, g: Var) -> list[Any]:
    a, b = e.inputs
    # (of a single number NumPy takes another power than of an array without dimensions, which it is in the operation)
    base = "{1}" if a.shape else "np.asarray({1})"
    return [p.elementwise(f"{{0}} * ({{2}} * {base} ** {{3}})", g, a, b, b - 1, wanted=f"d_{_root(a)}"), None]


def _clamp_forward(p: Program, e: Emitted, x: Any, low: Any, high: Any) -> Var:
    if not _is_float(x) or any(type(bound) not in (int, float, type(None)) for bound in (low, high)):
        raise Unwritten
    text = "{0}" if low is None else "np.where({0} < {1}, {1}, {0})"  # (so -0 stays, in whatever loop it runs)
    if high is not None:
        text = f"np.where({text} > {{2}}, {{2}}, {text})"
    return p.elementwise(text, x, low, high, wanted=e.name)


def _clamp_backward(p: Program, e: Emitted, g: Var) -> list[Any]:
    x, low, high = e.inputs
    text = "{0}" if high is None else "np.where({1} <= {3}, {0}, 0)"
    text = f"np.where({{1}} {'== {1}' if low is None else '>= {2}'}, {text}, 0)"  # (nan is neither: no gradient there)
    return [p.elementwise(text, g, x, low, high, wanted=f"d_{_root(x)}"), None, None]


# -- matrices


def _dot(p: Program, a: Var, b: Var, ta: bool, tb: bool, wanted: str, bias: Var | None = None) -> Var:
    rows, columns = a.shape[1 if ta else 0], b.shape[0 if tb else 1]
    text = f"np.dot({{0}}{'.T' if ta else ''}, {{1}}{'.T' if tb else ''})"
    inputs = [a, b]
    if bias is not None:
        inputs.append(bias)
        text += " + {2}"
    return p.add("dot", text, inputs, wanted, (rows, columns), a.dtype, ta=ta, tb=tb)


def _linear_forward(p: Program, e: Emitted, x: Any, w: Any, b: Any) -> Var:
    if len(x.shape) != 2 or not _is_float(x, w) or (e.needs[2] and x.shape[0] > 4096):
        raise Unwritten
    return _dot(p, x, w, False, True, e.name, b)


def _linear_backward(p: Program, e: Emitted, g: Var) -> list[Any]:
    x, w, b = e.inputs
    dx, dw, db = e.needs
    found: list[Any] = [None, None, None]
    if dx:
        found[0] = _dot(p, g, w, False, False, f"d_{_root(x)}")
    if dw:
        found[1] = _dot(p, g, x, True, False, f"d_{_root(w)}")
    if db:
        ones = f"np.dot(np.ones({g.shape[0]}, np.{g.dtype.name}), {{0}})"
        found[2] = p.add("rows", ones, [g], f"d_{_root(b)}", g.shape[1:], g.dtype)
    return found


def _matmul_forward(p: Program, e: Emitted, a: Any, b: Any) -> Var:
    if len(a.shape) != 2 or len(b.shape) != 2 or not _is_float(a, b):
        raise Unwritten
    return p.add("dot", "np.matmul({0}, {1})", [a, b], e.name, (a.shape[0], b.shape[1]), a.dtype, ta=False, tb=False)


def _matmul_backward(p: Program, e: Emitted, g: Var) -> list[Any]:
    a, b = e.inputs
    da, db = e.needs
    found: list[Any] = [None, None]
    if da:
        found[0] = p.add("dot", "np.matmul({0}, {1}.T)", [g, b], f"d_{_root(a)}", a.shape, a.dtype, ta=False, tb=True)
    if db:
        found[1] = p.add("dot", "np.matmul({0}.T, {1})", [a, g], f"d_{_root(b)}", b.shape, b.dtype, ta=True, tb=False)
    return found


# -- reductions


def simple_sum(array: Any, axes: tuple[int, ...]) -> bool:
    """Whether `sums.total` of this array is one call of NumPy."""
    if not axes or array.dtype == np.float16:
        return False
    if array.size < _SMALL:
        return True
    slow = [a for a in axes if a not in _fast_axes(array, axes)]
    return math.prod(array.shape[a] for a in slow) <= _GROUP


def reduce_line(p: Program, x: Var, axes: tuple[int, ...], keepdims: bool, wanted: str) -> Var:
    shape_ = tuple(1 if i in axes else n for i, n in enumerate(x.shape) if keepdims or i not in axes)
    text = f"np.add.reduce({{0}}, {axes!r}, keepdims={keepdims})"
    if len(axes) == len(x.shape) and not keepdims:
        return p.add("all", "np.add.reduce({0}, None)", [x], wanted, (), x.dtype)
    if axes == (len(x.shape) - 1,):
        return along_last(p, "add", x, wanted, keepdims)
    return p.add("numpy", text, [x], wanted, shape_, x.dtype)


def _sum_forward(p: Program, e: Emitted, x: Any, axes: tuple[int, ...], keepdim: bool) -> Var:
    if not _is_float(x) or not simple_sum(e.ran.inputs[0].array, axes):
        raise Unwritten
    return reduce_line(p, x, axes, keepdim, e.name)


def spread_line(p: Program, g: Var, x: Var, axes: tuple[int, ...]) -> Var:
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    text = (
        f"np.broadcast_to({{0}}.reshape({kept!r}), {x.shape!r})"
        if kept != g.shape
        else f"np.broadcast_to({{0}}, {x.shape!r})"
    )
    if not g.shape:
        text = f"np.broadcast_to({{0}}, {x.shape!r})"
    return p.add("view", text, [g], f"d_{_root(x)}", x.shape, g.dtype, how="broadcast", kept=kept)


def _sum_backward(p: Program, e: Emitted, g: Var) -> list[Any]:
    x, axes, _ = e.inputs
    return [spread_line(p, g, x, axes), None, None]


def _mean_forward(p: Program, e: Emitted, x: Any, axes: tuple[int, ...], keepdim: bool) -> Var:
    count = math.prod(x.shape[a] for a in axes)
    if not _is_float(x) or not count or not simple_sum(e.ran.inputs[0].array, axes):
        raise Unwritten
    e.kept["count"] = count
    return p.elementwise("{0} / {1}", reduce_line(p, x, axes, keepdim, f"sum_of_{_root(x)}"), count, wanted=e.name)


def _mean_backward(p: Program, e: Emitted, g: Var) -> list[Any]:
    x, axes, _ = e.inputs
    return [spread_line(p, p.elementwise("{0} / {1}", g, e.kept["count"], wanted="g"), x, axes), None, None]


def _normalize_forward(p: Program, e: Emitted, x: Any, w: Any, b: Any, mean: Any, var: Any, eps: float) -> Var:
    if not all(v is None or (isinstance(v, Var) and v.dtype == x.dtype) for v in (w, b, mean, var)) or not _is_float(x):
        raise Unwritten
    scale = e.kept["scale"] = p.elementwise("1 / np.sqrt({0} + {1})", var, eps, wanted="scale")
    if w is not None:
        scale = e.kept["scale_w"] = p.elementwise("{0} * {1}", scale, w, wanted="scale_w")
    scaled = p.elementwise("{0} * {1}", x, scale, wanted="scaled")
    shift = p.elementwise("{0} - {1} * {2}", 0 if b is None else b, mean, scale, wanted="shift")
    return p.elementwise("{0} + {1}", scaled, shift, wanted=e.name)


def _normalize_backward(p: Program, e: Emitted, g: Var) -> list[Any]:
    x, w, b, mean, _, _ = e.inputs
    scale = e.kept.get("scale_w", e.kept["scale"])
    dx = p.elementwise("{0} * {1}", g, scale, wanted=f"d_{_root(x)}") if e.needs[0] else None
    dw = None
    if w is not None and e.needs[1]:
        dw = p.elementwise("{0} * (({1} - {2}) * {3})", g, x, mean, e.kept["scale"], wanted=f"d_{_root(w)}")
    return [dx, dw, g if b is not None and e.needs[2] else None, None, None, None]


# -- another shape


def _reshape_forward(p: Program, e: Emitted, x: Any, shape_: tuple[int, ...]) -> Var:
    return p.add("view", f"{{0}}.reshape({e.ran.out.shape!r})", [x], e.name, e.ran.out.shape, x.dtype, how="reshape")


def _reshape_backward(p: Program, e: Emitted, g: Var) -> list[Any]:
    x = e.inputs[0]
    return [p.add("view", f"{{0}}.reshape({x.shape!r})", [g], f"d_{_root(x)}", x.shape, g.dtype, how="reshape"), None]


def _transpose_forward(p: Program, e: Emitted, x: Any, i: int, j: int) -> Var:
    if not x.shape:
        raise Unwritten
    return p.add("view", f"{{0}}.swapaxes({i}, {j})", [x], e.name, e.ran.out.shape, x.dtype, how="order")


def _transpose_backward(p: Program, e: Emitted, g: Var) -> list[Any]:
    x, i, j = e.inputs
    return [p.add("view", f"{{0}}.swapaxes({i}, {j})", [g], f"d_{_root(x)}", x.shape, g.dtype, how="order"), None, None]


# -- losses


def _losses_reduced(p: Program, losses: Var, reduction: str, name: str) -> Var:
    if reduction == "none":
        return losses
    if not losses.shape:
        raise Unwritten
    total = p.add("all", "np.add.reduce({0}, None)", [losses], "sum_of_losses", (), losses.dtype)
    return total if reduction == "sum" else p.elementwise("{0} / {1}", total, math.prod(losses.shape), wanted=name)


def _of_each(p: Program, g: Var, count: int, reduction: str) -> Var:
    return p.elementwise("{0} / {1}", g, count, wanted="g_of_each") if reduction == "mean" else g


def _bce_forward(p: Program, e: Emitted, prob: Any, t: Any, weight: Any, reduction: str) -> Var:
    if weight is not None or not _is_float(prob, t) or not math.prod(prob.shape) or (len(e.needs) > 1 and e.needs[1]):
        raise Unwritten
    for x in (prob, t):
        p.add("check", "require(0 <= {0}.min() and {0}.max() <= 1)", [x], "ok", (), np.dtype(bool), low=0.0, high=1.0)
    text = "({1} - 1) * np.maximum(np.log1p(-{0}), -100) - {1} * np.maximum(np.log({0}), -100)"
    losses = p.elementwise(text, prob, t, wanted="losses")
    return _losses_reduced(p, losses, reduction, e.name)


def _bce_backward(p: Program, e: Emitted, g: Var) -> list[Any]:
    prob, t, _, reduction = e.inputs
    g = _of_each(p, g, math.prod(prob.shape), reduction)
    eps = BinaryCrossEntropy.EPSILON
    text = "{0} * (({1} - {2}) / np.maximum({1} * (1 - {1}), {3}))"
    dp = p.elementwise(text, g, prob, t, eps, wanted=f"d_{_root(prob)}")
    dp.line.more["formula"] = "dp = (p - t) / (p (1 - p)), the slope of -t ln p - (1 - t) ln(1 - p)"  # type: ignore[union-attr]
    return [dp, None, None, None]


def _bce_logits_forward(p: Program, e: Emitted, x: Any, t: Any, weight: Any, pos_weight: Any, reduction: str) -> Var:
    if weight is not None or pos_weight is not None or not _is_float(x, t) or (len(e.needs) > 1 and e.needs[1]):
        raise Unwritten
    z = e.kept["z"] = p.elementwise("np.exp(-np.abs({0}))", x, wanted="z")
    losses = p.elementwise("(1 - {1}) * {0} + (np.log1p({2}) - np.minimum({0}, 0))", x, t, z, wanted="losses")
    return _losses_reduced(p, losses, reduction, e.name)


def _bce_logits_backward(p: Program, e: Emitted, g: Var) -> list[Any]:
    x, t, _, _, reduction = e.inputs
    g = _of_each(p, g, math.prod(x.shape), reduction)
    text = "((1 - {2}) - np.where({1} >= 0, {3}, 1) / (1 + {3})) * {0}"
    return [p.elementwise(text, g, x, t, e.kept["z"], wanted=f"d_{_root(x)}"), None, None, None, None]


def _mse_forward(p: Program, e: Emitted, x: Any, t: Any, reduction: str, parameter: float) -> Var:
    if not _is_float(x, t) or not isinstance(x, Var) or not isinstance(t, Var):
        raise Unwritten
    d = e.kept["d"] = p.elementwise("{0} - {1}", x, t, wanted="difference")
    return _losses_reduced(p, p.elementwise("{0} * {0}", d, wanted="losses"), reduction, e.name)


def _mse_backward(p: Program, e: Emitted, g: Var) -> list[Any]:
    x, t, reduction, _ = e.inputs
    d = e.kept["d"]
    g = _of_each(p, g, math.prod(d.shape), reduction)
    dx = p.elementwise("{1} * (2 * {0})", g, d, wanted=f"d_{_root(x)}")
    return [
        dx if e.needs[0] else None,
        p.elementwise("-{0}", dx, wanted=f"d_{_root(t)}") if e.needs[1] else None,
        None,
        None,
    ]


def _ce_forward(
    p: Program, e: Emitted, x: Any, t: Any, weight: Any, ignore_index: int, reduction: str, smoothing: float
) -> Var:
    if weight is not None or smoothing or len(x.shape) != 2 or not _is_float(x) or t.dtype != np.int64:
        raise Unwritten
    if 0 <= ignore_index < x.shape[1] or not x.shape[0]:
        raise Unwritten
    n, classes = x.shape
    p.add(
        "check",
        f"require(0 <= {{0}}.min() and {{0}}.max() < {classes})",
        [t],
        "ok",
        (),
        np.dtype(bool),
        low=0,
        high=classes - 1,
    )
    rows = e.kept["rows"] = p.add("numpy", f"np.arange({n})", [], "rows", (n,), np.int64, fixed=True)
    shifted = p.elementwise("{0} - {1}", x, along_last(p, "maximum", x, "largest", True), wanted="shifted")
    power_ = e.kept["e"] = p.elementwise("np.exp({0})", shifted, wanted="e")
    sums = e.kept["sums"] = along_last(p, "add", power_, "sums", False)
    types = {"types": (x.dtype, np.dtype(np.int64), np.dtype(np.int64))}
    picked = p.add("pick", "{0}[{2}, {1}]", [shifted, t, rows], "picked", (n,), x.dtype, **types)
    losses = p.elementwise("np.log({0}) - {1}", sums, picked, wanted="losses")
    return _losses_reduced(p, losses, reduction, e.name)


def along_last(p: Program, ufunc: str, x: Var, wanted: str, keepdims: bool) -> Var:
    """The sum or the largest of each row."""
    shape_ = (*x.shape[:-1], 1) if keepdims else x.shape[:-1]
    text = f"np.{ufunc}.reduce({{0}}, {len(x.shape) - 1}" + (", keepdims=True)" if keepdims else ")")
    return p.add("reduce", text, [x], wanted, shape_, x.dtype, ufunc=ufunc)


def _ce_backward(p: Program, e: Emitted, g: Var) -> list[Any]:
    x, t, _, _, reduction, _ = e.inputs
    g = _of_each(p, g, x.shape[0], reduction)
    power_, sums, rows = e.kept["e"], e.kept["sums"], e.kept["rows"]
    scale = p.elementwise("{0} / {1}", g, sums, wanted="scale")
    column = p.add("view", "{0}[:, None]", [scale], "scale_of_rows", (x.shape[0], 1), x.dtype, how="reshape")
    soft = p.elementwise("{0} * {1}", power_, column, wanted=f"d_{_root(x)}")
    kind = "minus_at" if not g.shape else "numpy"
    types = {"types": (x.dtype, np.dtype(np.int64), x.dtype, np.dtype(np.int64))}
    out = p.add(kind, "minus_at({0}, {3}, {1}, {2})", [soft, t, g, rows], f"d_{_root(x)}", x.shape, x.dtype, **types)
    return [out, None, None, None, None, None]


# -- others


def _softmax_forward(p: Program, e: Emitted, x: Any, dim: int) -> Var:
    if not _is_float(x) or dim != len(x.shape) - 1:
        raise Unwritten
    array = e.ran.inputs[0].array
    if not array.flags.c_contiguous:
        raise Unwritten
    power_ = p.elementwise("np.exp({0} - {1})", x, along_last(p, "maximum", x, "largest", True), wanted="e")
    return p.elementwise("{0} / {1}", power_, along_last(p, "add", power_, "sums", True), wanted=e.name)


def _softmax_backward(p: Program, e: Emitted, g: Var) -> list[Any]:
    x = e.inputs[0]
    text = "({0} - np.vecdot({0}, {1})[..., None]) * {1}"
    return [p.add("numpy", text, [g, e.out], f"d_{_root(x)}", x.shape, x.dtype), None]


def _dropout_forward(p: Program, e: Emitted, x: Any, noise: Any) -> Var:
    if not isinstance(noise, Var):
        raise Unwritten
    return p.elementwise("{0} * {1}", x, noise, wanted=e.name)


def _dropout_backward(p: Program, e: Emitted, g: Var) -> list[Any]:
    x, noise = e.inputs
    return [p.elementwise("{0} * {1}", g, noise, wanted=f"d_{_root(x)}"), None]


def _alias_forward(p: Program, e: Emitted, x: Any) -> Var:
    return p.add("view", "{0}[...]", [x], e.name, x.shape, x.dtype, how="reshape")


def _overwritten_forward(p: Program, e: Emitted, x: Any, value: Any) -> Var:
    return p.add("view", "{0}[...]", [value], e.name, value.shape, value.dtype, how="reshape")


def _overwritten_backward(p: Program, e: Emitted, g: Var) -> list[Any]:
    zeros = p.add("numpy", f"np.zeros({g.shape!r}, np.{g.dtype.name})", [], "nothing", g.shape, g.dtype, fixed=True)
    return [zeros, g]


def _same_gradient(p: Program, e: Emitted, g: Var) -> list[Any]:
    return [g]


for _cls, _forward, _backward in RULES:
    _one(_cls, _forward, _backward)
_binary(Add, "{0} + {1}", "", "")
_binary(Sub, "{0} - {1}", "", "-{0}")
_binary(Mul, "{0} * {1}", "{0} * {2}", "{0} * {1}")
_binary(Div, "{0} / {1}", "{0} / {2}", "-{0} * (({1} / {2}) / {2})")
WRITTEN[Pow] = _power_forward, _power_backward
WRITTEN[Clamp] = _clamp_forward, _clamp_backward
WRITTEN[Linear] = _linear_forward, _linear_backward
WRITTEN[MatMul] = _matmul_forward, _matmul_backward
WRITTEN[NormalizeBy] = _normalize_forward, _normalize_backward
WRITTEN[Sum] = _sum_forward, _sum_backward
WRITTEN[Mean] = _mean_forward, _mean_backward
for _cls in (Reshape, Squeeze, SqueezeDim, SqueezeDims, Unsqueeze):
    WRITTEN[_cls] = _reshape_forward, _reshape_backward
WRITTEN[Transpose] = WRITTEN[MatrixTranspose] = _transpose_forward, _transpose_backward
WRITTEN[BinaryCrossEntropy] = _bce_forward, _bce_backward
WRITTEN[BinaryCrossEntropyWithLogits] = _bce_logits_forward, _bce_logits_backward
WRITTEN[MseLoss] = _mse_forward, _mse_backward
WRITTEN[CrossEntropyLoss] = _ce_forward, _ce_backward
WRITTEN[Softmax] = _softmax_forward, _softmax_backward
WRITTEN[Dropout] = _dropout_forward, _dropout_backward
WRITTEN[Overwritten] = _overwritten_forward, _overwritten_backward
WRITTEN[Alias] = _alias_forward, _same_gradient
