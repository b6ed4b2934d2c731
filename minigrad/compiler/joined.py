"""Lines that become one in the fused form: what eager does in several passes over memory, one operation does in one.

    relu = np.maximum(0, h); pooled = run(MaxPool, relu)       pooled = run(RectifiedMaxPool, h)
    d_relu = back(pooled, g); d_h = where(relu <= 0, 0, d_relu)    d_h = back(pooled, g)

The numbers are the same to the bit, nan and the sign of zero included.
"""

from __future__ import annotations

import functools
import re
from typing import Any, ClassVar

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array
from ..dtypes import constant
from ..ops.mask import keep
from ..ops.pool import MaxPool
from .emit import RELU, of_x
from .program import Line, Program, Var

_RECTIFIED = of_x(RELU[0])
_SLOPE = "np.where({1} <= 0, 0, {0})"  # of the gradient and the output, whose places in a line are by their first use


class RectifiedMaxPool(Operation):
    """out = the largest element of each window of max(x, 0).  grad goes to it where it is above 0 (or nan)

    In the form of `MaxPool` that eager would run: the compiled one (kernels/pool.py) makes one pass of both.
    """

    pool: ClassVar[Any] = MaxPool  # the form that ran when it was recorded

    @classmethod
    def forward(cls, ctx: Any, x: Array, *setting: Any) -> Array:
        form = cls.pool.again((x, *setting), ctx.needs_input_grad)
        ctx.pooled, ctx.rectified = form(), None
        ctx.pooled.needs_input_grad = ctx.needs_input_grad
        if form is not MaxPool:
            return form.forward(ctx.pooled, x, *setting, rectified=True)
        ctx.rectified = np.maximum(constant(0, x.dtype), x)
        return form.forward(ctx.pooled, ctx.rectified, *setting)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        dx, *rest = ctx.pooled.backward(ctx.pooled, grad)
        return (dx if ctx.rectified is None else keep(dx, ~(ctx.rectified <= 0)), *rest)


@functools.cache
def rectified(pool: Any) -> Any:
    """The operation of both, where this form of `MaxPool` ran."""
    return type(RectifiedMaxPool.__qualname__, (RectifiedMaxPool,), {"pool": pool})


def joined(p: Program) -> list[Line]:
    """The lines of a program, some of them in one."""
    lines = list(p.lines)
    readers = _readers(lines)
    for line in p.lines:
        if line.kind == "elementwise" and line.text == _RECTIFIED and line.out not in p.kept:
            _into_pooling(p, lines, line, readers)
    return lines


def _readers(lines: list[Line]) -> dict[Var, list[Line]]:
    found: dict[Var, list[Line]] = {}
    for line in lines:
        for v in dict.fromkeys([*line.inputs, *line.more.get("after", ())]):
            found.setdefault(v, []).append(line)
    return found


def _into_pooling(p: Program, lines: list[Line], relu: Line, readers: dict[Var, list[Line]]) -> None:
    """ReLU, where max pooling alone reads it; and the backward passes of both."""
    pools = [line for line in readers.get(relu.out, ()) if line.kind == "call" and line.of is None]
    others = [line for line in readers.get(relu.out, ()) if line not in pools]
    if len(pools) != 1 or len(others) > 1 or not _is_pooling(pools[0]):
        return
    (pool,) = pools
    backs = [line for line in lines if line.kind == "call" and line.of is pool]
    if others:
        (slope,) = others
        if slope.kind != "elementwise" or slope.text != _SLOPE or len(backs) != 1:
            return
        (back,) = backs
        (grad, relu_again) = slope.inputs
        if relu_again is not relu.out or back.outs[0] is not grad or readers[grad] != [slope] or grad in p.kept:
            return
        made = Line(
            "call", back.text, back.inputs, slope.out, back.section, f"{back.note} and {slope.note}",
            {**back.more, "joined": [back, slope]}, [slope.out, *back.outs[1:]], back.of,
        )  # fmt: skip
        lines[lines.index(back)] = made
        lines.remove(slope)
    elif backs:
        return
    form = p.bind(RectifiedMaxPool.__qualname__, rectified(pool.more["call"]._form))
    text = re.sub(r"^run\(\w+", f"run({form}", pool.text)
    lines[lines.index(pool)] = Line(
        "call", text, relu.inputs, pool.out, pool.section, f"{relu.note} and {pool.note}",
        {**pool.more, "joined": [relu, pool]}, pool.outs, pool.of,
    )  # fmt: skip
    lines.remove(relu)


def _is_pooling(line: Line) -> bool:
    form = line.more["call"]._form
    return issubclass(form, MaxPool) and len(line.inputs) == 1
