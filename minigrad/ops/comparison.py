"""Comparison, tests for special values, logic and bits. Boolean tensors, without gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.modes import current
from ..autograd.variable import Array, Operand, Variable, wrap
from ..foreign import is_tensor
from ..public import public
from .checks import type_name
from .operands import Number, array_of, broadcast, broadcast_error, promote

if TYPE_CHECKING:
    from ..tensor import Tensor


def _compare(ufunc: np.ufunc, input: Operand, other: Operand) -> Any:
    a, b = promote(input, other)
    x, y = array_of(a), array_of(b)
    try:
        return wrap(np.asarray(current.run_quietly(ufunc, x, y)))
    except ValueError:
        raise broadcast_error(a, b) from None


_COMPARABLE = (Variable, int, float, complex, np.generic, np.ndarray)


def operator(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The function as Python's operator: of what is neither tensor nor number it leaves the answer to Python.

    So `x == None` is False, `x != "a"` is True, and `x < None` a TypeError.
    """

    def compare(self: Any, other: Any) -> Any:
        if isinstance(other, _COMPARABLE) or is_tensor(
            other
        ):  # (another engine's tensor is refused, and not just unequal)
            return function(self, other)
        return NotImplemented

    compare.__doc__ = function.__doc__
    return compare


@public
def eq(input: Operand, other: Operand | Number) -> Tensor:
    """input == other, as a boolean tensor. PyTorch: torch.eq."""
    return _compare(np.equal, input, other)


@public(also="not_equal")
def ne(input: Operand, other: Operand | Number) -> Tensor:
    """input != other. PyTorch: torch.ne."""
    return _compare(np.not_equal, input, other)


@public(also="less")
def lt(input: Operand, other: Operand | Number) -> Tensor:
    """input < other. PyTorch: torch.lt."""
    return _compare(np.less, input, other)


@public(also="less_equal")
def le(input: Operand, other: Operand | Number) -> Tensor:
    """input ≤ other. PyTorch: torch.le."""
    return _compare(np.less_equal, input, other)


@public(also="greater")
def gt(input: Operand, other: Operand | Number) -> Tensor:
    """input > other. PyTorch: torch.gt."""
    return _compare(np.greater, input, other)


@public(also="greater_equal")
def ge(input: Operand, other: Operand | Number) -> Tensor:
    """input ≥ other. PyTorch: torch.ge."""
    return _compare(np.greater_equal, input, other)


# -- tests for special values


@public
def isnan(input: Tensor) -> Tensor:
    """True where input is nan. PyTorch: torch.isnan."""
    return wrap(np.asarray(np.isnan(input.array)))


@public
def isinf(input: Tensor) -> Tensor:
    """True where input is ±inf. PyTorch: torch.isinf."""
    return wrap(np.asarray(np.isinf(input.array)))


@public
def isfinite(input: Tensor) -> Tensor:
    """True where input is neither nan nor ±inf. PyTorch: torch.isfinite."""
    return wrap(np.asarray(np.isfinite(input.array)))


@public
def isposinf(input: Tensor) -> Tensor:
    """True where input is +inf. PyTorch: torch.isposinf."""
    return wrap(np.asarray(input.array == np.inf))


@public
def isneginf(input: Tensor) -> Tensor:
    """True where input is -inf. PyTorch: torch.isneginf."""
    return wrap(np.asarray(input.array == -np.inf))


@public
def isreal(input: Tensor) -> Tensor:
    """True everywhere: there are no complex numbers. PyTorch: torch.isreal."""
    return wrap(np.ones(input.array.shape, bool))


# -- equal and nearly equal tensors


@public
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """True where |input - other| ≤ atol + rtol · |other|. PyTorch: torch.isclose."""
    _same_dtype("isclose", input, other)
    for name, value in (("rtol", rtol), ("atol", atol)):
        if not value >= 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {value}")
    broadcast(input.array.shape, other.array.shape)
    return wrap(np.asarray(current.run_quietly(_close, input.array, other.array, rtol, atol, equal_nan)))


def _close(a: Array, b: Array, rtol: float, atol: float, equal_nan: bool) -> Array:
    """Equal, or a finite distance apart that is allowed: of infinities none is. Whole numbers are compared as floats."""
    equal = a == b
    if equal_nan and a.dtype.kind == "f":
        equal |= np.isnan(a) & np.isnan(b)
    if not (rtol or atol):
        return equal
    if a.dtype.kind != "f":
        a, b = a.astype(dtypes.default_numpy()), b.astype(dtypes.default_numpy())
    distance, allowed = np.abs(a - b), atol + np.abs(rtol * b)
    return equal | (np.isfinite(distance) & (distance <= allowed))


def _same_dtype(name: str, a: Tensor, b: Tensor) -> None:
    if a.array.dtype != b.array.dtype:
        raise RuntimeError(
            f"{name}: expected both tensors of one dtype, got {a.dtype} and {b.dtype}; convert one with .to()"
        )


@public
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether all elements are close (see `isclose`). PyTorch: torch.allclose."""
    return bool(isclose(input, other, rtol, atol, equal_nan).array.all())


@public
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and values. PyTorch: torch.equal."""
    return input.array.shape == other.array.shape and bool(np.array_equal(input.array, other.array))


# -- logic and bits


def _boolean(ufunc: np.ufunc, *operands: Operand) -> Any:
    arrays = [array_of(x) for x in operands]
    try:
        return wrap(np.asarray(ufunc(*arrays)))
    except ValueError:
        raise broadcast_error(*operands) from None


@public
def logical_and(input: Operand, other: Operand) -> Tensor:
    """True where both are nonzero. PyTorch: torch.logical_and."""
    return _boolean(np.logical_and, input, other)


@public
def logical_or(input: Operand, other: Operand) -> Tensor:
    """True where either is nonzero. PyTorch: torch.logical_or."""
    return _boolean(np.logical_or, input, other)


@public
def logical_xor(input: Operand, other: Operand) -> Tensor:
    """True where exactly one is nonzero. PyTorch: torch.logical_xor."""
    return _boolean(np.logical_xor, input, other)


@public
def logical_not(input: Operand) -> Tensor:
    """True where input is zero. PyTorch: torch.logical_not."""
    return _boolean(np.logical_not, input)


def _bitwise(ufunc: np.ufunc, input: Operand, other: Operand) -> Any:
    if isinstance(input, np.ndarray | np.generic) and not isinstance(other, Variable):
        return ufunc(input, other)
    a, b = promote(input, other)
    for x in (a, b):
        if np.asarray(array_of(x)).dtype.kind == "f":
            raise NotImplementedError(
                f'"{ufunc.__name__}" not implemented for floating types; compare first, as in (x != 0)'
            )
    return _boolean(ufunc, a, b)


@public
def bitwise_and(input: Operand | Number, other: Operand | Number) -> Tensor:
    """input & other, bit by bit; `and` of booleans. PyTorch: torch.bitwise_and."""
    return _bitwise(np.bitwise_and, input, other)


@public
def bitwise_or(input: Operand | Number, other: Operand | Number) -> Tensor:
    """input | other, bit by bit; `or` of booleans. PyTorch: torch.bitwise_or."""
    return _bitwise(np.bitwise_or, input, other)


@public
def bitwise_xor(input: Operand | Number, other: Operand | Number) -> Tensor:
    """input ^ other, bit by bit. PyTorch: torch.bitwise_xor."""
    return _bitwise(np.bitwise_xor, input, other)


@public
def bitwise_not(input: Tensor) -> Tensor:
    """~input, bit by bit; `not` of booleans. PyTorch: torch.bitwise_not."""
    if input.array.dtype.kind == "f":
        raise NotImplementedError(f"\"bitwise_not\" not implemented for '{type_name(input)}'; convert the tensor first")
    return _boolean(np.invert, input)


def invert(input: Tensor) -> Tensor:
    """~input."""
    if input.array.dtype.kind == "f":
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return bitwise_not(input)
