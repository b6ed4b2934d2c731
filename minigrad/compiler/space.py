"""What the text of a program calls: operations, draws, checks."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..autograd.fit import as_tuple
from ..autograd.fused import Fused as FusedOperation
from ..autograd.graph import Operation
from ..autograd.variable import Array, Variable, wrap
from ..geometry import Geometry
from ..ops.extremes import place_of
from ..random import default_generator
from ..selection import in_order
from ..sums import total
from .program import Refused


def run(form: Any, needs: tuple[bool, ...], *inputs: Any) -> tuple[Array, Any]:
    """An operation's own forward on arrays: its output, and what it keeps for backward."""
    needs = needs or (False,) * len(inputs)
    if issubclass(
        form, FusedOperation
    ):  # (NumPy's form may have run when it was recorded, until a compiled one was there)
        form = form.again(inputs, needs)
    context = form()
    context.needs_input_grad = needs
    out = form.forward(context, *inputs)
    return (out if out.__class__ is Array else context.as_array(out)), context


def back(context: Any, grad: Any, n: int) -> tuple[Any, ...]:
    """An operation's own backward on arrays: a gradient for each input."""
    return tuple(as_tuple(context.run_backward(np.asarray(grad)))[:n])


def draw(method: str, *args: Any) -> Array:
    """Numbers from the random stream."""
    return getattr(default_generator, method)(*args)


def require(holds: Any) -> None:
    if not holds:
        raise Refused


def called(
    function: Any, shapes: tuple[tuple[tuple[int, ...], str], ...], *args: Any, **named: Any
) -> tuple[Array, ...]:
    """What a function of tensors gives, by arrays. Refused where it is of other shapes than it was."""

    def tensors(x: Any) -> Any:
        if x.__class__ is Array:
            return wrap(x)
        return type(x)(map(tensors, x)) if type(x) in (list, tuple) else x

    given = function(*map(tensors, args), **{key: tensors(x) for key, x in named.items()})
    arrays = tuple(x.array if isinstance(x, Variable) else x for x in (given if isinstance(given, tuple) else (given,)))
    if tuple((a.shape, a.dtype.name) for a in arrays) != shapes:
        raise Refused
    return arrays


def minus_at(x: Array, i: Array, j: Array, amount: Any) -> Array:
    x[i, j] -= amount
    return x


SPACE = {
    "np": np,
    "run": run,
    "back": back,
    "draw": draw,
    "called": called,
    "require": require,
    "minus_at": minus_at,
    "total": total,
    "Geometry": Geometry,
    "in_order": in_order,
    "place_of": place_of,
    "inf": np.inf,
    "nan": np.nan,
}


class Gone(Operation):
    """The node of a tensor that a program made: the graph behind it was walked inside the step, and is not there."""

    def run_backward(self, gradient: Any) -> Any:
        raise RuntimeError(
            "Trying to backward through the graph a second time: it was walked inside the compiled step, which keeps no graph. "
            "Call backward once inside the step, or take it outside of minigrad.compile."
        )


@functools.cache
def gone(name: str) -> type[Gone]:
    return type("Gone", (Gone,), {"grad_fn_name": name})
