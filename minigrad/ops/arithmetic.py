"""Arithmetic, comparison and choice between values, element by element, with broadcasting.

Gradients here have the shape of the *output*; where an input was broadcast, the walk sums them down (`unbroadcast`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.graph import Operation
from ..autograd.variable import Array, Variable, wrap
from ..public import public

if TYPE_CHECKING:
    from ..tensor import Tensor


Number = int | float | bool
_NUMBERS = (int, float)  # for isinstance: a tuple is quicker than a union
_OPERANDS = (Variable, np.ndarray, int, float)


# -- types


class Cast(Operation):
    """out = x in another floating type.  dx = grad, cast back (by the walk)"""

    @staticmethod
    def forward(ctx: Any, x: Array, d: np.dtype) -> Array:
        return x.astype(d)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad, None

    @classmethod
    def name(cls) -> str:
        return "ToCopyBackward0"


def cast(x: Any, d: np.dtype) -> Any:
    """`x` with elements of NumPy type `d`; `x` itself if it has them. A gradient flows between floating types."""
    if isinstance(x, np.ndarray):
        return x.astype(d, copy=False)
    if x.array.dtype == d:
        return x
    return Cast.apply(x, d) if d.kind == "f" and x.array.dtype.kind == "f" else wrap(x.array.astype(d))


def as_operand(x: Any, name: str = "other") -> Any:
    """A tensor, an array or a Python number; NumPy scalars become Python numbers; anything else is a TypeError."""
    if isinstance(x, _OPERANDS):
        return float(x) if isinstance(x, np.floating) else x  # np.float64 is a float to Python, but not to NumPy
    if isinstance(x, np.generic):
        return x.item()
    raise TypeError(
        f"argument '{name}' must be Tensor or Number, not {type(x).__name__}; make a tensor of it with tensor(...) first"
    )


def promote(a: Any, b: Any) -> tuple[Any, Any]:
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
    if isinstance(a, np.ndarray):
        a = wrap(a)
    if isinstance(b, np.ndarray):
        b = wrap(b)
    d = dtypes.result_numpy(getattr(a, "array", a), getattr(b, "array", b))
    return (
        cast(a, d) if isinstance(a, Variable) else _wrapped(a, d),
        cast(b, d) if isinstance(b, Variable) else _wrapped(b, d),
    )


def _wrapped(x: Number, d: np.dtype) -> Number:
    """A Python integer as a type of fewer bits holds it (-3 is 253 in uint8), where NumPy would raise."""
    return int(np.array(x).astype(d)) if d.kind in "iu" and type(x) is int else x


def _not_for_bool(name: str, *operands: Any) -> None:
    """NotImplementedError where all operands are booleans, for functions that PyTorch does not define on them."""
    if all(isinstance(x, bool) or (isinstance(x, Variable) and x.array.dtype.kind == "b") for x in operands):
        raise NotImplementedError(f"\"{name}\" not implemented for 'Bool'; convert the tensor first, as in x.int()")


def to_float(x: Any) -> Any:
    """Integers and booleans in the default float type, as mathematical functions take them; floats as they are."""
    if isinstance(x, Variable):
        return x if x.array.dtype.kind == "f" else wrap(x.array.astype(dtypes.default_numpy()))
    if isinstance(x, np.ndarray | np.generic):
        return x  # from a backward formula
    raise TypeError(f"argument 'input' must be Tensor, not {type(x).__name__}")


def broadcast_error(a: Any, b: Any) -> RuntimeError:
    """PyTorch's words for shapes that do not broadcast."""
    sa, sb = np.shape(getattr(a, "array", a)), np.shape(getattr(b, "array", b))
    for i in range(1, min(len(sa), len(sb)) + 1):
        if sa[-i] != sb[-i] and 1 not in (sa[-i], sb[-i]):
            return RuntimeError(
                f"The size of tensor a ({sa[-i]}) must match the size of tensor b ({sb[-i]}) at non-singleton dimension "
                f"{max(len(sa), len(sb)) - i}; the shapes are {list(sa)} and {list(sb)}"
            )
    return RuntimeError(f"the shapes {list(sa)} and {list(sb)} do not broadcast")


def _binary(op: type[Operation], a: Any, b: Any) -> Any:
    if not (isinstance(a, Variable) and isinstance(b, Variable) and a.array.dtype is b.array.dtype):
        a, b = promote(a, b)
    try:
        return op.apply(a, b)
    except ValueError:
        raise broadcast_error(a, b) from None


# -- arithmetic


class Add(Operation):
    """out = a + b.  da = grad, db = grad"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:
        return a + b

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad, grad


class Sub(Operation):
    """out = a - b.  da = grad, db = -grad"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:
        return a - b

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad, (-grad if ctx.needs_input_grad[1] else None)


class Mul(Operation):
    """out = a · b.  da = grad · b, db = grad · a"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:
        if ctx.needs_input_grad:  # each factor is needed for the other's gradient only
            da, db = ctx.needs_input_grad
            ctx.save_for_backward(a if db else None, b if da else None)
        return a * b

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        da, db = ctx.needs_input_grad
        return grad * b if da else None, grad * a if db else None


class Div(Operation):
    """out = a / b.  da = grad / b, db = -grad · a / b²"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:
        if ctx.needs_input_grad:
            ctx.save_for_backward(a if ctx.needs_input_grad[1] else None, b)
        return np.true_divide(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        da, db = ctx.needs_input_grad
        return grad / b if da else None, -grad * ((a / b) / b) if db else None


class Neg(Operation):
    """out = -x.  dx = -grad"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        return -x

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return -grad


class Pow(Operation):
    """out = aᵇ.  da = grad · b · aᵇ⁻¹ (0 where b = 0), db = grad · aᵇ · ln a (0 where a = 0 and b ≥ 0)"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:
        out = (
            np.power(a, b)
            if np.asarray(a).dtype.kind == "f" or np.asarray(b).dtype.kind == "f"
            else _integer_power(a, b)
        )
        ctx.save_for_backward(a, b, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        from .pointwise import log

        a, b, out = ctx.saved_tensors
        da = db = None
        if ctx.needs_input_grad[0]:
            if not isinstance(b, _NUMBERS):
                da = where(b == 0, 0.0, grad * (b * a ** (b - 1)))
            else:
                da = grad * 0.0 if b == 0 else grad * (b * a ** (b - 1))
        if ctx.needs_input_grad[1]:
            zero = (a == 0) & (b >= 0)
            log_a = float(np.log(a)) if isinstance(a, _NUMBERS) else log(a)
            db = grad * where(zero, 0.0, out * log_a) if not isinstance(zero, bool) else grad * (out * log_a)
        return da, db


def _integer_power(a: Any, b: Any) -> Array:
    """aᵇ in whole numbers: 1/aᵇ is ±1 for a = ±1, else 0 (NumPy refuses negative exponents)."""
    if np.asarray(a).dtype.kind == "b" and np.asarray(b).dtype.kind == "b":
        return np.logical_or(a, np.logical_not(b))
    negative = np.less(b, 0)
    if not np.any(negative):
        return np.power(a, b)
    unit = np.where(np.equal(a, 1), 1, np.where(np.equal(a, -1), np.where(np.mod(b, 2) == 1, -1, 1), 0))
    power = np.power(a, np.maximum(b, 0))
    return np.where(negative, unit, power).astype(power.dtype)


class Abs(Operation):
    """out = |x|.  dx = grad · sign(x), 0 at 0"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return np.abs(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * sign(x)


def _scaled(other: Any, alpha: Number) -> Any:
    return mul(other, alpha) if isinstance(other, Variable) else other * alpha


@public
def add(input: Any, other: Any, *, alpha: Number = 1) -> Tensor:
    """input + alpha · other, broadcast. PyTorch: torch.add."""
    return _binary(Add, input, other if alpha == 1 else _scaled(other, alpha))


@public(also="subtract")
def sub(input: Any, other: Any, *, alpha: Number = 1) -> Tensor:
    """input - alpha · other, broadcast; not for booleans. PyTorch: torch.sub."""
    a, b = input, other if alpha == 1 else mul(other, alpha)
    for x in (a, b):
        if isinstance(x, bool) or (isinstance(x, Variable) and x.array.dtype.kind == "b"):
            raise RuntimeError(
                "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a "
                "mask, use the `~` or `logical_not()` operator instead."
            )
    return _binary(Sub, a, b)


def rsub(input: Any, other: Any) -> Tensor:
    """other - input."""
    return sub(other, input)


@public(also="multiply")
def mul(input: Any, other: Any) -> Tensor:
    """input · other, broadcast. PyTorch: torch.mul."""
    return _binary(Mul, input, other)


@public(also=("divide", "true_divide"))
def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """input / other, broadcast; integers divide to floats. rounding_mode: None, "trunc" or "floor". PyTorch: torch.div."""
    if rounding_mode == "floor":
        return floor_divide(input, other)
    a, b = promote(input, other) if rounding_mode else (input, other)
    if rounding_mode == "trunc":
        return _trunc_divide(a, b)
    if rounding_mode is not None:
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    if (
        isinstance(a, Variable)
        and a.array.dtype.kind != "f"
        and not (isinstance(b, Variable) and b.array.dtype.kind == "f")
    ):
        a = to_float(a)  # two integers meet in the default float type
    elif isinstance(b, Variable) and b.array.dtype.kind != "f" and not isinstance(a, Variable):
        b = to_float(b)
    return _binary(Div, a, b)


def rdiv(input: Any, other: Any) -> Tensor:
    """other / input, as PyTorch computes it: the reciprocal of input, times other."""
    from .pointwise import reciprocal

    return mul(reciprocal(input), other)


@public(also="negative")
def neg(input: Any) -> Tensor:
    """-input; not for booleans. PyTorch: torch.neg."""
    if isinstance(input, Variable) and input.array.dtype.kind == "b":
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use "
            "the `~` or `logical_not()` operator instead."
        )
    return Neg.apply(input)


@public
def positive(input: Any) -> Tensor:
    """input itself. PyTorch: torch.positive."""
    if isinstance(input, Variable) and input.array.dtype.kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


@public
def pow(input: Any, exponent: Any) -> Tensor:
    """input to the power of exponent, broadcast. PyTorch: torch.pow."""
    if isinstance(input, Variable) and isinstance(exponent, Variable):
        _not_for_bool("pow", input, exponent)
    if isinstance(exponent, int) and exponent < 0 and isinstance(input, Variable) and input.array.dtype.kind in "iub":
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    a, b = promote(input, exponent)
    if isinstance(b, _NUMBERS) and b == 2 and isinstance(a, Variable) and a.array.dtype.kind == "f":
        return Square.apply(a)
    if isinstance(b, _NUMBERS) and b == 0.5 and isinstance(a, Variable):
        from .pointwise import sqrt

        return sqrt(a)
    return _binary(Pow, a, b)


def rpow(input: Any, other: Any) -> Tensor:
    """other to the power of input."""
    return pow(other, input)


class Square(Operation):
    """out = x².  dx = grad · 2x"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * (2 * x)

    @classmethod
    def name(cls) -> str:
        return "PowBackward0"


@public
def square(input: Any) -> Tensor:
    """input². PyTorch: torch.square."""
    return pow(input, 2)


@public(also="absolute")
def abs(input: Any) -> Tensor:
    """|input|. PyTorch: torch.abs."""
    _not_for_bool("abs", input)
    return Abs.apply(input)


# -- steps: constant between their jumps, so their gradient is 0


class _Step(Operation):
    """A function that is constant between jumps.  dx = 0"""

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad * 0.0


class Sign(_Step):
    """out = -1, 0 or 1; 0 at nan.  dx = 0"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        if x.dtype.kind == "f":
            return np.where(x == x, np.sign(x), x.dtype.type(0))
        return np.sign(x) if x.dtype.kind != "b" else x.copy()


class Floor(_Step):
    """out = the largest integer ≤ x.  dx = 0"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        return np.floor(x) if x.dtype.kind == "f" else x.copy()


class Ceil(_Step):
    """out = the smallest integer ≥ x.  dx = 0"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        return np.ceil(x) if x.dtype.kind == "f" else x.copy()


class Round(_Step):
    """out = the nearest integer, the even one of two.  dx = 0"""

    @staticmethod
    def forward(ctx: Any, x: Array, decimals: int = 0) -> Array:
        return np.round(x, decimals) if x.dtype.kind == "f" else x.copy()

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return (grad * 0.0,) + (None,) * (len(ctx.needs_input_grad) - 1)


class Trunc(_Step):
    """out = x without its fraction.  dx = 0"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        return np.trunc(x) if x.dtype.kind == "f" else x.copy()


@public
def sign(input: Any) -> Tensor:
    """-1, 0 or 1, by the sign of input (0 at nan). PyTorch: torch.sign."""
    return Sign.apply(input)


@public
def floor(input: Any) -> Tensor:
    """The largest integer ≤ input. PyTorch: torch.floor."""
    _not_for_bool("floor", input)
    return Floor.apply(input)


@public
def ceil(input: Any) -> Tensor:
    """The smallest integer ≥ input. PyTorch: torch.ceil."""
    _not_for_bool("ceil", input)
    return Ceil.apply(input)


@public
def round(input: Any, *, decimals: int = 0) -> Tensor:
    """The nearest integer, halves to even; decimals: digits to keep. PyTorch: torch.round."""
    _not_for_bool("round", input)
    return Round.apply(input, decimals) if decimals else Round.apply(input)


@public(also="fix")
def trunc(input: Any) -> Tensor:
    """input without its fraction. PyTorch: torch.trunc."""
    _not_for_bool("trunc", input)
    return Trunc.apply(input)


@public
def frac(input: Any) -> Tensor:
    """The fraction of input, with its sign. PyTorch: torch.frac."""
    if isinstance(input, Variable) and input.array.dtype.kind != "f":
        raise NotImplementedError(f'"frac" not implemented for {input.dtype}; only floating tensors have a fraction')
    return input - trunc(input)


class FloorDivide(Operation):
    """out = ⌊a / b⌋; no gradient, as in PyTorch's div(rounding_mode="floor"): 0"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:
        return np.floor_divide(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad * 0.0, grad * 0.0


def _zero_division(a: Any, b: Any) -> None:
    arrays = [np.asarray(getattr(x, "array", x)) for x in (a, b)]
    if all(x.dtype.kind in "iub" and x.size for x in arrays) and (arrays[1] == 0).any():
        raise RuntimeError("ZeroDivisionError")


@public
def floor_divide(input: Any, other: Any) -> Tensor:
    """⌊input / other⌋. PyTorch: torch.floor_divide."""
    _not_for_bool("floor_divide", input, other)
    a, b = promote(input, other)
    _zero_division(a, b)
    out = _binary(FloorDivide, a, b)
    quotient = np.asarray(getattr(b, "array", b))
    if out.array.dtype.kind == "f" and (quotient == 0).any():  # NumPy gives nan where PyTorch divides to ±inf
        exact = np.true_divide(getattr(a, "array", a), quotient).astype(out.array.dtype)
        np.copyto(out.array, exact, where=np.broadcast_to(quotient == 0, out.array.shape))
    return out


def rfloor_divide(input: Any, other: Any) -> Tensor:
    """⌊other / input⌋."""
    return floor_divide(other, input)


def _trunc_divide(a: Any, b: Any) -> Any:
    _zero_division(a, b)
    kinds = [np.asarray(getattr(x, "array", x)).dtype.kind for x in (a, b)]
    if "f" in kinds:
        return trunc(_binary(Div, a, b))
    quotient = np.floor_divide(getattr(a, "array", a), getattr(b, "array", b))
    remainder = getattr(a, "array", a) - quotient * getattr(b, "array", b)
    negative = (remainder != 0) & ((np.less(getattr(a, "array", a), 0)) != np.less(getattr(b, "array", b), 0))
    return wrap(np.asarray(quotient + negative).astype(quotient.dtype))


class Remainder(Operation):
    """out = a - b · ⌊a / b⌋, with the sign of b.  da = grad, db = -grad · ⌊a / b⌋"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:
        ctx.save_for_backward(a, b)
        return np.remainder(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        return grad, (-grad * floor(a / b) if ctx.needs_input_grad[1] else None)


class Fmod(Operation):
    """out = a - b · trunc(a / b), with the sign of a.  da = grad, db = -grad · trunc(a / b)"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:
        ctx.save_for_backward(a, b)
        return np.fmod(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        return grad, (-grad * trunc(a / b) if ctx.needs_input_grad[1] else None)


@public
def remainder(input: Any, other: Any) -> Tensor:
    """The remainder of input / other with the sign of other: Python's %. PyTorch: torch.remainder."""
    _not_for_bool("remainder", input, other)
    a, b = promote(input, other)
    _zero_division(a, b)
    return _binary(Remainder, a, b)


def rremainder(input: Any, other: Any) -> Tensor:
    """other % input."""
    return remainder(other, input)


@public
def fmod(input: Any, other: Any) -> Tensor:
    """The remainder of input / other with the sign of input: C's fmod. PyTorch: torch.fmod."""
    _not_for_bool("fmod", input, other)
    a, b = promote(input, other)
    _zero_division(a, b)
    return _binary(Fmod, a, b)


# -- comparison: boolean tensors, without gradient


def _compare(ufunc: np.ufunc, input: Any, other: Any) -> Any:
    a, b = promote(input, other)
    x, y = getattr(a, "array", a), getattr(b, "array", b)
    try:
        return wrap(np.asarray(ufunc(x, y)))
    except ValueError:
        raise broadcast_error(a, b) from None


@public
def eq(input: Any, other: Any) -> Tensor:
    """input == other, as a boolean tensor. PyTorch: torch.eq."""
    return _compare(np.equal, input, other)


@public
def ne(input: Any, other: Any) -> Tensor:
    """input != other. PyTorch: torch.ne."""
    return _compare(np.not_equal, input, other)


@public(also="less")
def lt(input: Any, other: Any) -> Tensor:
    """input < other. PyTorch: torch.lt."""
    return _compare(np.less, input, other)


@public(also="less_equal")
def le(input: Any, other: Any) -> Tensor:
    """input ≤ other. PyTorch: torch.le."""
    return _compare(np.less_equal, input, other)


@public(also="greater")
def gt(input: Any, other: Any) -> Tensor:
    """input > other. PyTorch: torch.gt."""
    return _compare(np.greater, input, other)


@public(also="greater_equal")
def ge(input: Any, other: Any) -> Tensor:
    """input ≥ other. PyTorch: torch.ge."""
    return _compare(np.greater_equal, input, other)


# -- choice


class Where(Operation):
    """out = a where condition, else b.  da = grad where condition, else 0; db the other way round"""

    @staticmethod
    def forward(ctx: Any, condition: Array, a: Any, b: Any) -> Array:
        ctx.condition = condition
        return np.where(condition, a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        condition = ctx.condition if isinstance(grad, np.ndarray | np.generic) else wrap(ctx.condition)
        _, da, db = ctx.needs_input_grad
        return None, where(condition, grad, 0.0) if da else None, where(condition, 0.0, grad) if db else None


@public
def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """input where condition is True, else other; with the condition alone, the indices of its True elements.

    condition: boolean, all three broadcast. The branch not taken gets gradient 0 — but a nan in *its own* backward
    stays nan (0 · nan), as in PyTorch. PyTorch: torch.where.
    """
    if isinstance(condition, np.ndarray | np.generic):
        a, b = getattr(input, "array", input), getattr(other, "array", other)
        like = next((x for x in (a, b) if isinstance(x, np.ndarray | np.generic)), None)
        return np.where(condition, a, b) if like is None else np.where(condition, a, b).astype(like.dtype, copy=False)
    if input is None and other is None:
        return tuple(wrap(i) for i in np.nonzero(condition.array)) if condition.array.ndim else ()
    if not isinstance(condition, Variable):
        raise TypeError(f"where(): argument 'condition' must be Tensor, not {type(condition).__name__}")
    if condition.array.dtype.kind != "b" and condition.array.dtype != np.uint8:
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.array.dtype}; "
            "compare first, as in where(x != 0, a, b)"
        )
    a, b = promote(input, other)
    if not isinstance(a, Variable) and not isinstance(b, Variable):
        a = wrap(np.asarray(a, dtypes.result_numpy(a, b)))
    d = dtypes.result_numpy(getattr(a, "array", a), getattr(b, "array", b))
    a, b = (x if isinstance(x, Variable) else d.type(x) for x in (a, b))
    try:
        return Where.apply(wrap(condition.array.astype(bool, copy=False)), a, b)
    except ValueError:
        raise RuntimeError(
            f"where: the shapes of condition {list(condition.array.shape)}, input {list(np.shape(getattr(a, 'array', a)))} "
            f"and other {list(np.shape(getattr(b, 'array', b)))} do not broadcast"
        ) from None


class Maximum(Operation):
    """out = the larger of a and b (nan if either is).  grad goes to the larger; at a tie half to each"""

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        ctx.save_for_backward(a, b)
        return np.maximum(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        half = where(a == b, grad / 2, grad)
        return where(a < b, 0.0, half), where(a > b, 0.0, half)


class Minimum(Operation):
    """out = the smaller of a and b (nan if either is).  grad goes to the smaller; at a tie half to each"""

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        ctx.save_for_backward(a, b)
        return np.minimum(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        half = where(a == b, grad / 2, grad)
        return where(a > b, 0.0, half), where(a < b, 0.0, half)


def _tensor_arguments(name: str, *named: tuple[str, Any]) -> None:
    for argument, x in named:
        if not isinstance(x, Variable | np.ndarray):
            raise TypeError(f"{name}(): argument '{argument}' must be Tensor, not {type(x).__name__}")


@public
def maximum(input: Any, other: Any) -> Tensor:
    """The larger of two tensors, element by element. PyTorch: torch.maximum."""
    _tensor_arguments("maximum", ("input", input), ("other", other))
    return _binary(Maximum, input, other)


@public
def minimum(input: Any, other: Any) -> Tensor:
    """The smaller of two tensors, element by element. PyTorch: torch.minimum."""
    _tensor_arguments("minimum", ("input", input), ("other", other))
    return _binary(Minimum, input, other)


class Clamp(Operation):
    """out = min(max(x, low), high).  dx = grad where low ≤ x ≤ high (both ends included), else 0"""

    @staticmethod
    def forward(ctx: Any, x: Array, low: Any, high: Any) -> Array:
        ctx.save_for_backward(x)
        ctx.low, ctx.high = low, high
        out = x if low is None else np.maximum(x, low)
        out = out if high is None else np.minimum(out, high)
        return out.astype(x.dtype, copy=False)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        inside = (x == x) if ctx.low is None else (x >= ctx.low)  # a comparison with nan is False: no gradient there
        if ctx.high is not None:
            inside = inside & (x <= ctx.high)
        return where(inside, grad, 0.0), None, None


@public(also="clip")
def clamp(input: Any, min: Any = None, max: Any = None) -> Tensor:
    """input held within [min, max]; each a number, a tensor or None (not both None). PyTorch: torch.clamp."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if isinstance(min, Variable) or isinstance(max, Variable):
        return _clamp_tensors(input, min, max)
    for bound in (min, max):
        if bound is not None and not isinstance(bound, int | float | np.generic):
            raise TypeError(f"clamp(): argument 'min' and 'max' must be Number or Tensor, not {type(bound).__name__}")
        if bound is not None:
            input, _ = promote(input, bound)
    if input.array.dtype.kind in "iu":
        limits = np.iinfo(input.array.dtype)
        for bound in (min, max):
            if bound is not None and (bound > limits.max or (bound < limits.min and limits.min < 0)):
                raise RuntimeError(f"value cannot be converted to type {input.dtype} without overflow: {bound}")
        # PyTorch takes a negative bound of an unsigned type for the number that its bits spell.
        min, max = (None if bound is None else _wrapped(bound, input.array.dtype) for bound in (min, max))
    return Clamp.apply(input, min, max)


class ClampTensors(Operation):
    """out = min(max(x, low), high), by tensors; high where low > high.

    dx = grad where low ≤ x ≤ high; dlow = grad where x < low < high; dhigh = grad where x > high or high < low
    """

    @staticmethod
    def forward(ctx: Any, x: Array, low: Any, high: Any) -> Array:
        ctx.save_for_backward(x, low, high)
        out = x if low is None else np.maximum(x, low)
        return out if high is None else np.minimum(out, high)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, low, high = ctx.saved_tensors
        inside = (x == x) if low is None else (x >= low)
        at_low = at_high = None
        if high is not None:
            inside = inside & (x <= high)
            at_high = (x > high) if low is None else (x > high) | (high < low)
        if low is not None:
            at_low = (x < low) if high is None else (x < low) & (low < high)
        return (
            where(inside, grad, 0.0),
            where(at_low, grad, 0.0) if ctx.needs_input_grad[1] else None,
            where(at_high, grad, 0.0) if ctx.needs_input_grad[2] else None,
        )

    @classmethod
    def name(cls) -> str:
        return "ClampBackward1"


def _clamp_tensors(input: Any, min: Any, max: Any) -> Any:
    low = high = None
    if min is not None:
        input, low = promote(input, min)
    if max is not None:
        input, high = promote(input, max)
        low = promote(low, input)[0] if low is not None else None
    try:
        return ClampTensors.apply(input, low, high)
    except ValueError:
        raise broadcast_error(input, low if low is not None else high) from None


# -- logic and bits


def _boolean(ufunc: np.ufunc, *operands: Any) -> Any:
    arrays = [getattr(x, "array", x) for x in operands]
    try:
        return wrap(np.asarray(ufunc(*arrays)))
    except ValueError:
        raise broadcast_error(*operands) from None


@public
def logical_and(input: Any, other: Any) -> Tensor:
    """True where both are nonzero. PyTorch: torch.logical_and."""
    return _boolean(np.logical_and, input, other)


@public
def logical_or(input: Any, other: Any) -> Tensor:
    """True where either is nonzero. PyTorch: torch.logical_or."""
    return _boolean(np.logical_or, input, other)


@public
def logical_xor(input: Any, other: Any) -> Tensor:
    """True where exactly one is nonzero. PyTorch: torch.logical_xor."""
    return _boolean(np.logical_xor, input, other)


@public
def logical_not(input: Any) -> Tensor:
    """True where input is zero. PyTorch: torch.logical_not."""
    return _boolean(np.logical_not, input)


def _bitwise(ufunc: np.ufunc, input: Any, other: Any) -> Any:
    if isinstance(input, np.ndarray | np.generic) and not isinstance(other, Variable):
        return ufunc(input, other)
    a, b = promote(input, other)
    for x in (a, b):
        if np.asarray(getattr(x, "array", x)).dtype.kind == "f":
            raise NotImplementedError(
                f'"{ufunc.__name__}" not implemented for floating types; compare first, as in (x != 0)'
            )
    return _boolean(ufunc, a, b)


@public
def bitwise_and(input: Any, other: Any) -> Tensor:
    """input & other, bit by bit; `and` of booleans. PyTorch: torch.bitwise_and."""
    return _bitwise(np.bitwise_and, input, other)


@public
def bitwise_or(input: Any, other: Any) -> Tensor:
    """input | other, bit by bit; `or` of booleans. PyTorch: torch.bitwise_or."""
    return _bitwise(np.bitwise_or, input, other)


@public
def bitwise_xor(input: Any, other: Any) -> Tensor:
    """input ^ other, bit by bit. PyTorch: torch.bitwise_xor."""
    return _bitwise(np.bitwise_xor, input, other)


@public
def bitwise_not(input: Any) -> Tensor:
    """~input, bit by bit; `not` of booleans. PyTorch: torch.bitwise_not."""
    if input.array.dtype.kind == "f":
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return _boolean(np.invert, input)


# -- tests for special values


@public
def isnan(input: Any) -> Tensor:
    """True where input is nan. PyTorch: torch.isnan."""
    return wrap(np.asarray(np.isnan(input.array)))


@public
def isinf(input: Any) -> Tensor:
    """True where input is ±inf. PyTorch: torch.isinf."""
    return wrap(np.asarray(np.isinf(input.array)))


@public
def isfinite(input: Any) -> Tensor:
    """True where input is neither nan nor ±inf. PyTorch: torch.isfinite."""
    return wrap(np.asarray(np.isfinite(input.array)))


def _same_dtype(name: str, a: Any, b: Any) -> None:
    if a.array.dtype != b.array.dtype:
        raise RuntimeError(
            f"{name}: expected both tensors of one dtype, got {a.dtype} and {b.dtype}; convert one with .to()"
        )


@public
def isclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """True where |input - other| ≤ atol + rtol · |other|. PyTorch: torch.isclose."""
    _same_dtype("isclose", input, other)
    return wrap(np.asarray(np.isclose(input.array, other.array, rtol, atol, equal_nan)))


@public
def allclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether all elements are close (see `isclose`). PyTorch: torch.allclose."""
    return bool(isclose(input, other, rtol, atol, equal_nan).array.all())


@public
def equal(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape and values. PyTorch: torch.equal."""
    return input.array.shape == other.array.shape and bool(np.array_equal(input.array, other.array))


# -- other names for the same
