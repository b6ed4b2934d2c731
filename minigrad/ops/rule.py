"""Most functions of one element are two facts: the function, and its derivative. `Rule` makes an operation of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.graph import Operation
from ..autograd.variable import Array


class Rule(Operation):
    """An operation of one input, told by its two facts.

        class Exp(Rule, out=np.exp, dx=lambda grad, out: grad * out):
            "out = eˣ.  dx = grad · out"

    out    the function, on an array
    dx     the gradient of the input. The names of its parameters say what it reads: `grad`, the gradient of the output,
           and then `x`, the input, or `out`, the output, or nothing more. Only that is saved.

    For second derivatives dx gets tensors; operators and the functions of `minigrad.ops` serve both.
    """

    def __init_subclass__(cls, *, out: Callable[..., Any], dx: Callable[..., Any]) -> None:
        super().__init_subclass__()
        code: Any = dx.__code__
        parameters = code.co_varnames[: code.co_argcount]
        if parameters not in (("grad", "x"), ("grad", "out"), ("grad",)):
            raise TypeError(
                f"dx of {cls.__qualname__.rpartition('.')[2]} takes (grad, x), (grad, out) or (grad), not {parameters}"
            )
        reads = parameters[1:]

        def forward(ctx: Any, x: Array) -> Array:
            value = out(x)
            if reads:
                ctx.save_for_backward(x if reads == ("x",) else value)
            return value

        def backward(ctx: Any, grad: Any) -> Any:
            return dx(grad, *ctx.saved_tensors) if reads else dx(grad)

        for name, function in (("forward", forward), ("backward", backward)):
            function.__qualname__ = f"{cls.__qualname__}.{name}"
            setattr(cls, name, staticmethod(function))
