"""What operations accept: tensors and numbers, the type in which they meet, and the errors where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.graph import Operation
from ..autograd.modes import current, is_grad_enabled
from ..autograd.variable import Array, Operand, Variable, wrap
from ..dtypes import wrapped
from ..foreign import class_of, said

Number = int | float | bool
NUMBERS = (int, float)  # for isinstance: a tuple is quicker than a union
_OPERANDS = (Variable, np.ndarray, int, float)


def array_of(x: Operand) -> Any:
    """The values of a tensor; an array or a number as it is."""
    return getattr(x, "array", x)


class Cast(Operation):
    """out = x in another floating type.  dx = grad, cast back (by the walk)"""

    grad_fn_name = "ToCopyBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, d: np.dtype) -> Array:
        return x.astype(d)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad, None


class NotImplemented_(Operation):
    """out = values that were found from the inputs.  There is no derivative, and asking for one says so"""

    grad_fn_name = "NotImplemented"

    @staticmethod
    def forward(ctx: Any, name: str, values: Array, *inputs: Array) -> Array:
        ctx.function = name
        return values

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        raise RuntimeError(f"derivative for aten::{ctx.function} is not implemented")


class Flat(Operation):
    """out = values that were found from the inputs and do not follow them: draws.  dx = 0 of each"""

    @staticmethod
    def forward(ctx: Any, values: Array, *inputs: Array) -> Array:
        ctx.inputs = [(x.shape, x.dtype) for x in inputs]
        return values

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return None, *(wrap(np.zeros(shape, d)) for shape, d in ctx.inputs)


class NoFormula(NotImplemented_):
    """The same of what PyTorch lists without a formula, which is another error to it"""

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        raise NotImplementedError(f"the derivative for '{ctx.function}' is not implemented.")


def undifferentiable(name: str, values: Array, *inputs: Operand, listed: bool = False) -> Any:
    """A tensor of these values, whose backward raises: for functions of which PyTorch has no derivative.

    listed: see `NoFormula`.
    """
    if listed:
        return NoFormula.apply(name, np.asarray(values), *inputs)
    return NotImplemented_.apply(name, np.asarray(values), *inputs)


def cast(x: Operand, d: np.dtype) -> Any:
    """`x` with elements of NumPy type `d`; `x` itself if it has them. A gradient flows between floating types."""
    if isinstance(x, np.ndarray):
        return x.astype(d, copy=False)
    if x.array.dtype == d:
        return x
    return Cast.apply(x, d) if d.kind == "f" and x.array.dtype.kind == "f" else converted(x, d)


def converted(x: Any, d: np.dtype) -> Any:
    """A tensor's elements in a type between which and theirs no gradient flows."""
    return wrap(current.run_quietly(x.array.astype, d))


def as_operand(x: Operand, name: str = "other") -> Any:
    """A tensor, an array or a Python number; NumPy scalars become Python numbers; anything else is a TypeError."""
    if isinstance(x, _OPERANDS):
        return dtypes.plain(x) if isinstance(x, NUMBERS) else x
    if isinstance(x, np.generic):
        return x.item()
    raise TypeError(
        f"argument '{name}' must be Tensor or Number, not {said(x)}{'' if class_of(x) else '; make a tensor of it with tensor(...) first'}"
    )


def promote(a: Operand, b: Operand) -> tuple[Any, Any]:
    """Both operands in the type in which they meet (see `dtypes.result_numpy`); Python numbers stay as they are."""
    if isinstance(a, Variable):
        if isinstance(b, Variable):
            if a.array.dtype == b.array.dtype:
                return a, b
        elif type(b) is float and a.array.dtype.kind == "f":
            return a, b
    elif isinstance(a, np.ndarray) or (isinstance(b, np.ndarray) and not isinstance(b, Variable)):
        return a, b  # arrays from a backward formula: their types were settled by the forward pass
    a, b = as_operand(a, "input"), as_operand(b)
    if isinstance(a, NUMBERS) and isinstance(b, NUMBERS):  # two numbers make a tensor too
        a = np.asarray(a, dtypes.scalar_numpy(a))
    if isinstance(a, np.ndarray):
        a = wrap(a)
    if isinstance(b, np.ndarray):
        b = wrap(b)
    d = dtypes.result_numpy(array_of(a), array_of(b))
    return (
        cast(a, d) if isinstance(a, Variable) else wrapped(a, d),
        cast(b, d) if isinstance(b, Variable) else wrapped(b, d),
    )


def number_like(x: Number, *operands: Operand | Number) -> Any:
    """A number as a tensor in the floating type of the tensor among the operands."""
    d = next((t.array.dtype for t in operands if isinstance(t, Variable)), dtypes.default_numpy())
    dtypes.scalar_numpy(x)  # OverflowError for a whole number beyond 64 bits
    return wrap(np.asarray(float(x), d if d.kind == "f" else dtypes.default_numpy()))


def scalar_of(x: Any) -> Any:
    """A tensor without dimensions and gradient as the number that it is; anything else as it is."""
    if isinstance(x, Variable) and not x.array.ndim and x._edge is None and not x._requires_grad:
        return x.array.item()
    return x


def to_float(x: Operand) -> Any:
    """Integers and booleans in the default float type, as mathematical functions take them; floats as they are."""
    if isinstance(x, Variable):
        return x if x.array.dtype.kind == "f" else wrap(x.array.astype(dtypes.default_numpy()))
    if isinstance(x, np.ndarray | np.generic):
        return x  # from a backward formula
    raise TypeError(f"argument 'input' must be Tensor, not {said(x)}")


def accumulated(x: Operand, dtype: dtypes.dtype | None) -> Any:
    """x in the type in which sums and products of many elements are taken: the given one; for integers and booleans int64."""
    if dtype is not None:
        d = dtypes.to_numpy(dtype)
        if (
            d.kind != "f"
            and isinstance(x, Variable)
            and is_grad_enabled()
            and (x._edge is not None or x._requires_grad)
        ):
            raise RuntimeError(f"Autograd not support dtype: {dtypes.cxx_name(d)}; detach() the tensor first")
        return cast(x, d)
    return x if x.array.dtype.kind == "f" else cast(x, np.dtype(np.int64))


def not_for_bool(name: str, *operands: Operand) -> None:
    """NotImplementedError where all operands are booleans, for functions that PyTorch does not define on them."""
    if all(isinstance(x, bool) or (isinstance(x, Variable) and x.array.dtype.kind == "b") for x in operands):
        raise NotImplementedError(f"\"{name}\" not implemented for 'Bool'; convert the tensor first, as in x.int()")


def broadcast(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that shapes broadcast to; RuntimeError in PyTorch's words where they do not."""
    try:
        return np.broadcast_shapes(*map(tuple, shapes))
    except ValueError:
        raise broadcast_error(*(np.broadcast_to(0, tuple(s)) for s in shapes[:2])) from None


def broadcast_into(out: Sequence[int], *shapes: Sequence[int]) -> None:
    """RuntimeError where the shapes meet in a larger one than `out`: what PyTorch computes in the memory of its first tensor."""
    met = broadcast(out, *shapes)
    if met != tuple(out):
        raise RuntimeError(f"output with shape {list(out)} doesn't match the broadcast shape {list(met)}")


def broadcast_error(a: Operand, b: Operand) -> RuntimeError:
    """PyTorch's words for shapes that do not broadcast."""
    sa, sb = np.shape(array_of(a)), np.shape(array_of(b))
    for i in range(1, min(len(sa), len(sb)) + 1):
        if sa[-i] != sb[-i] and 1 not in (sa[-i], sb[-i]):
            return RuntimeError(
                f"The size of tensor a ({sa[-i]}) must match the size of tensor b ({sb[-i]}) at non-singleton dimension "
                f"{max(len(sa), len(sb)) - i}; the shapes are {list(sa)} and {list(sb)}"
            )
    return RuntimeError(f"the shapes {list(sa)} and {list(sb)} do not broadcast")


def binary(op: type[Operation], a: Operand, b: Operand) -> Any:
    """`op` of both operands in the type in which they meet."""
    if not (isinstance(a, Variable) and isinstance(b, Variable) and a.array.dtype is b.array.dtype):
        a, b = promote(a, b)
    try:
        return op.apply(a, b)
    except ValueError:
        raise broadcast_error(a, b) from None


def only_float_binary(name: str, op: type[Operation], a: Operand, b: Operand) -> Any:
    """`op` of both operands in the type in which they meet; NotImplementedError where that is not a floating one."""
    a, b = promote(a, b)
    if isinstance(a, Variable) and a.array.dtype.kind != "f":
        raise NotImplementedError(
            f"\"{name}_cpu\" not implemented for '{dtypes.cxx_name(a.array.dtype)}'; convert the tensors with .float() first"
        )
    return binary(op, a, b)


def float_binary(op: type[Operation], a: Operand, b: Operand) -> Any:
    """`op` of both operands in a floating type."""
    a, b = promote(a, b)
    a, b = (to_float(x) if isinstance(x, Variable) else x for x in (a, b))
    try:
        return op.apply(a, b)
    except ValueError:
        raise broadcast_error(a, b) from None
