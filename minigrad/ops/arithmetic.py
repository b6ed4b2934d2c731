"""Sums, products, quotients and remainders, element by element, with broadcasting; sign and absolute value.

Gradients here have the shape of the *output*; where an input was broadcast, the walk sums them down (`unbroadcast`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, Variable, wrap
from ..public import public
from ..tensor_options import copied
from .mask import nothing
from .operands import Number, array_of, binary, not_for_bool, promote, to_float
from .rule import Rule

if TYPE_CHECKING:
    from ..tensor import Tensor


# -- sums and differences


class Add(Operation):
    """out = a + b.  da = grad, db = grad"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:
        return a + b

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad, grad


@public(fits="alpha")
def add(input: Operand | Number, other: Operand | Number, *, alpha: Number = 1) -> Tensor:
    """input + alpha · other, broadcast. PyTorch: torch.add."""
    if alpha.__class__ is int and alpha == 1:
        return binary(Add, input, other)
    _check_alpha(input, other, alpha)
    if _truths(input) and _truths(other):  # alpha is a truth too
        alpha = bool(alpha)
    return binary(Add, input, _scaled(other, alpha))


def _truths(x: Operand) -> bool:
    return isinstance(x, Variable) and x.array.dtype.kind == "b"


def _check_alpha(input: Operand, other: Operand, alpha: Number) -> None:
    """RuntimeError for a fraction of integers, which PyTorch would cut, and for True of anything but truths."""
    letters = {
        x.array.dtype.kind if isinstance(x, Variable) else "f" if isinstance(x, float) else "i" for x in (input, other)
    }
    if isinstance(alpha, bool) and letters != {"b"}:
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if isinstance(alpha, float) and "f" not in letters:
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")


def _scaled(other: Operand, alpha: Number) -> Any:
    return mul(other, alpha) if isinstance(other, Variable) else other * alpha


class Sub(Operation):
    """out = a - b.  da = grad, db = -grad"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:
        return a - b

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad, (-grad if ctx.needs_input_grad[1] else None)


@public(also="subtract", fits="alpha")
def sub(input: Operand | Number, other: Operand | Number, *, alpha: Number = 1) -> Tensor:
    """input - alpha · other, broadcast; not for booleans. PyTorch: torch.sub."""
    a, b = input, other
    for x in (a, b):
        if isinstance(x, bool) or (isinstance(x, Variable) and x.array.dtype.kind == "b"):
            raise RuntimeError(
                "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a "
                "mask, use the `~` or `logical_not()` operator instead."
            )
    if alpha.__class__ is not int or alpha != 1:
        _check_alpha(input, other, alpha)
        b = _scaled(other, alpha)
    return binary(Sub, a, b)


def rsub(input: Operand, other: Operand) -> Tensor:
    """other - input."""
    return sub(other, input)


class Neg(Rule, out=np.negative, dx=lambda grad: -grad):
    """out = -x.  dx = -grad"""


@public(also="negative")
def neg(input: Operand) -> Tensor:
    """-input; not for booleans. PyTorch: torch.neg."""
    if isinstance(input, Variable) and input.array.dtype.kind == "b":
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use "
            "the `~` or `logical_not()` operator instead."
        )
    return Neg.apply(input)


@public
def positive(input: Operand) -> Tensor:
    """input itself. PyTorch: torch.positive."""
    if isinstance(input, Variable) and input.array.dtype.kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


class Clone(Operation):
    """out = x, copied; with an order given, into memory of that order.  dx = grad"""

    @staticmethod
    def forward(ctx: Any, x: Array, order: Any = None) -> Array:
        return x.copy() if order is None and x.flags.c_contiguous else copied("clone", x, order)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return (grad, None)[: len(ctx.needs_input_grad)]


@public
def clone(input: Operand, *, memory_format: Any = None) -> Tensor:
    """A copy in memory of its own, by default in the order of input's. PyTorch: torch.clone."""
    return Clone.apply(input) if memory_format is None else Clone.apply(input, memory_format)


# -- products and quotients


class Mul(Operation):
    """out = a · b.  da = grad · b, db = grad · a"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:
        da, db = ctx.needs_input_grad  # each factor is needed for the other's gradient only
        ctx.save_for_backward(a if db else None, b if da else None)
        return a * b

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        da, db = ctx.needs_input_grad
        return grad * b if da else None, grad * a if db else None


@public(also="multiply")
def mul(input: Operand | Number, other: Operand | Number) -> Tensor:
    """input · other, broadcast. PyTorch: torch.mul."""
    return binary(Mul, input, other)


class Div(Operation):
    """out = a / b.  da = grad / b, db = -grad · a / b²"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:
        ctx.save_for_backward(a if ctx.needs_input_grad[1] else None, b)
        return np.true_divide(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        da, db = ctx.needs_input_grad
        return grad / b if da else None, -grad * ((a / b) / b) if db else None


@public(also="divide")
def div(input: Operand | Number, other: Operand | Number, *, rounding_mode: str | None = None) -> Tensor:
    """input / other, broadcast; integers divide to floats. rounding_mode: None, "trunc" or "floor". PyTorch: torch.div."""
    if rounding_mode == "floor":
        return floor_divide(input, other)
    a, b = promote(input, other) if rounding_mode else (input, other)
    if rounding_mode == "trunc":
        not_for_bool("div_trunc", a, b)
        return _trunc_divide(a, b)
    if rounding_mode is not None:
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    b_is_float = isinstance(b, Variable) and b.array.dtype.kind == "f"
    if isinstance(a, Variable) and a.array.dtype.kind != "f" and not b_is_float:
        a = to_float(a)  # two integers meet in the default float type
    elif isinstance(b, Variable) and not b_is_float and not isinstance(a, Variable):
        b = to_float(b)
    return binary(Div, a, b)


def rdiv(input: Operand, other: Operand) -> Tensor:
    """other / input, as PyTorch computes it: the reciprocal of input, times other."""
    return mul(reciprocal(input), other)


class Reciprocal(Rule, out=np.reciprocal, dx=lambda grad, out: -grad * (out * out)):
    """out = 1 / x.  dx = -grad · out²"""


@public
def reciprocal(input: Operand) -> Tensor:
    """1 / input. PyTorch: torch.reciprocal."""
    return Reciprocal.apply(to_float(input))


# -- of three


class Lerp(Operation):
    """out = a + w · (b - a), for |w| >= 1/2 from the other end: b - (1 - w) · (b - a), so that w = 1 gives b.

    da = grad · (1 - w), db = grad · w, dw = grad · (b - a)
    """

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array, w: Any) -> Array:
        ctx.save_for_backward(*((a, b) if ctx.needs_input_grad[2] else (None, None)), w)
        w = np.asarray(w, a.dtype)
        difference = b - a
        return np.where(np.abs(w) < 0.5, a + w * difference, b - difference * (1 - w))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b, w = ctx.saved_tensors
        return grad * (1 - w), grad * w, grad * (b - a) if ctx.needs_input_grad[2] else None


@public(same="input end", floats="input", fits="weight")
def lerp(input: Operand, end: Operand, weight: Operand | Number) -> Tensor:
    """input + weight · (end - input). PyTorch: torch.lerp."""
    if isinstance(weight, Variable) and weight.array.ndim and weight.array.dtype != input.array.dtype:
        raise RuntimeError(
            f"lerp(): expected dtype {input.dtype} for `weight` but got dtype {dtypes.from_numpy(weight.array.dtype)}"
        )
    return Lerp.apply(input, end, weight)


@public(fits="value")
def addcmul(input: Operand, tensor1: Operand, tensor2: Operand, *, value: Number = 1) -> Tensor:
    """input + value · tensor1 · tensor2. PyTorch: torch.addcmul."""
    if isinstance(value, float) and not any(x.array.dtype.kind == "f" for x in (input, tensor1, tensor2)):
        value = int(value)  # whole numbers stay such
    if not any(x.array.dtype.kind != "b" for x in (input, tensor1, tensor2)):
        raise NotImplementedError(
            "\"addcmul_cpu_out\" not implemented for 'Bool'; convert the tensors with .int() first"
        )
    product = tensor1 * tensor2
    return input + (product if value == 1 else value * product)


@public(fits="value")
def addcdiv(input: Operand, tensor1: Operand, tensor2: Operand, *, value: Number = 1) -> Tensor:
    """input + value · tensor1 / tensor2. PyTorch: torch.addcdiv."""
    if not any(x.array.dtype.kind == "f" for x in (tensor1, tensor2)):
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported; convert tensor1 or tensor2 with .float(), or use "
            "input + value * trunc(tensor1 / tensor2)"
        )
    quotient = tensor1 / tensor2
    return input + (quotient if value == 1 else value * quotient)


# -- division in whole numbers, and what remains


def _floor_quotient(a: Any, b: Any) -> Array:
    """⌊a / b⌋ of arrays and numbers; ±inf where a float is divided by 0, for which NumPy gives nan."""
    out = np.asarray(np.floor_divide(a, b))
    zero = np.asarray(b) == 0
    if out.dtype.kind == "f" and zero.any():
        np.copyto(out, np.true_divide(a, b), where=np.broadcast_to(zero, out.shape), casting="same_kind")
    return out


@public
def true_divide(input: Operand | Number, other: Operand | Number) -> Tensor:
    """input / other, also of two integers. PyTorch: torch.true_divide."""
    return div(input, other)


class FloorDivide(Operation):
    """out = ⌊a / b⌋; no gradient, as in PyTorch's div(rounding_mode="floor"): 0"""

    grad_fn_name = "DivBackward2"

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:
        return _floor_quotient(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return nothing(grad), nothing(grad)


class TruncDivide(FloorDivide):
    """out = a / b, its fraction cut off; no gradient: 0"""

    grad_fn_name = "DivBackward2"

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:
        return np.trunc(np.true_divide(a, b))


@public
def floor_divide(input: Operand | Number, other: Operand | Number) -> Tensor:
    """⌊input / other⌋. PyTorch: torch.floor_divide."""
    a, b = _dividend_and_divisor("floor_divide", input, other)
    return binary(FloorDivide, a, b)


def rfloor_divide(input: Operand, other: Operand) -> Tensor:
    """⌊other / input⌋."""
    return floor_divide(other, input)


def _trunc_divide(a: Operand, b: Operand) -> Any:
    _zero_division(a, b)
    kinds = [np.asarray(array_of(x)).dtype.kind for x in (a, b)]
    if "f" in kinds:
        return binary(TruncDivide, a, b)
    quotient = np.floor_divide(array_of(a), array_of(b))
    remainder = array_of(a) - quotient * array_of(b)
    negative = (remainder != 0) & ((np.less(array_of(a), 0)) != np.less(array_of(b), 0))
    return wrap(np.asarray(quotient + negative).astype(quotient.dtype))


def _dividend_and_divisor(name: str, input: Operand, other: Operand) -> tuple[Any, Any]:
    """Both in the type in which they meet, after checks."""
    not_for_bool(name, input, other)
    a, b = promote(input, other)
    _zero_division(a, b)
    return a, b


def _zero_division(a: Operand, b: Operand) -> None:
    arrays = [np.asarray(array_of(x)) for x in (a, b)]
    if all(x.dtype.kind in "iub" and x.size for x in arrays) and (arrays[1] == 0).any():
        raise RuntimeError("ZeroDivisionError")


def _rest(function: Any, rounded: Any, a: Any, b: Any) -> Array:
    """np.fmod (rounded: np.trunc) or np.remainder (np.floor) of a and b, which NumPy finds bit by bit.

    Of float32 numbers float64 gives the same in a few passes, as long as the quotient is below 2²⁸: it tells apart what is a whole
    number and what is not, and a - n · b has no rounding.
    """
    if not (isinstance(a, Array) and isinstance(b, Array) and a.dtype == b.dtype == np.float32):
        return function(a, b)
    wide, by = a.astype(np.float64), b.astype(np.float64)
    turns = rounded(wide / by)
    if not (np.abs(turns) < 2.0**28).all():
        return function(a, b)
    out = np.subtract(wide, turns * by).astype(np.float32)
    return np.copysign(out, a if function is np.fmod else b)


class Remainder(Operation):
    """out = a - b · ⌊a / b⌋, with the sign of b.  da = grad, db = -grad · ⌊a / b⌋"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:
        ctx.save_for_backward(*((a, b) if ctx.needs_input_grad[1] else (None, None)))
        out = _rest(np.remainder, np.floor, a, b)
        if out.dtype.kind == "f" and not out.all():  # 0 has the sign of a
            out = np.where(out == 0, np.copysign(out, a), out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        return grad, (-grad * binary(FloorDivide, a, b) if ctx.needs_input_grad[1] else None)


@public
def remainder(input: Operand | Number, other: Operand | Number) -> Tensor:
    """The remainder of input / other with the sign of other: Python's %. PyTorch: torch.remainder."""
    return binary(Remainder, *_dividend_and_divisor("remainder", input, other))


def rremainder(input: Operand, other: Operand) -> Tensor:
    """other % input."""
    return remainder(other, input)


class Fmod(Operation):
    """out = a - b · trunc(a / b), with the sign of a.  da = grad, db = -grad · trunc(a / b)"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:
        ctx.save_for_backward(*((a, b) if ctx.needs_input_grad[1] else (None, None)))
        return _rest(np.fmod, np.trunc, a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        return grad, (-grad * binary(TruncDivide, a, b) if ctx.needs_input_grad[1] else None)


@public
def fmod(input: Operand, other: Operand | Number) -> Tensor:
    """The remainder of input / other with the sign of input: C's fmod. PyTorch: torch.fmod."""
    return binary(Fmod, *_dividend_and_divisor("fmod", input, other))


# -- sign and size


def _sign(x: Array) -> Array:
    if x.dtype.kind == "f":
        # (np.sign takes one element at a time, and keeps a nan)
        return np.asarray((x > 0).view(np.int8) - (x < 0).view(np.int8)).astype(x.dtype)
    return np.sign(x) if x.dtype.kind != "b" else x.copy()


class Sign(Rule, out=_sign, dx=nothing):
    """out = -1, 0 or 1; 0 at nan.  dx = 0"""


@public(also="sgn")
def sign(input: Operand) -> Tensor:
    """-1, 0 or 1, by the sign of input (0 at nan). PyTorch: torch.sign."""
    return Sign.apply(input)


class Abs(Rule, out=np.abs, dx=lambda grad, x: grad * sign(x)):
    """out = |x|.  dx = grad · sign(x), 0 at 0"""


@public(also="absolute")
def abs(input: Operand) -> Tensor:
    """|input|. PyTorch: torch.abs."""
    not_for_bool("abs", input)
    return Abs.apply(input)
