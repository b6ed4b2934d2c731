"""Rounding. These functions are constant between their jumps, so their gradient is 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, Variable
from ..public import public
from .mask import nothing
from .operands import not_for_bool
from .rule import Rule

if TYPE_CHECKING:
    from ..tensor import Tensor


def _of_floats(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """The function, which integers pass unchanged: they are whole."""
    return lambda x: function(x) if x.dtype.kind == "f" else x.copy()


class Floor(Rule, out=_of_floats(np.floor), dx=nothing):
    """out = the largest integer ≤ x.  dx = 0"""


@public
def floor(input: Operand) -> Tensor:
    """The largest integer ≤ input. PyTorch: torch.floor."""
    not_for_bool("floor", input)
    return Floor.apply(input)


class Ceil(Rule, out=_of_floats(np.ceil), dx=nothing):
    """out = the smallest integer ≥ x.  dx = 0"""


@public
def ceil(input: Operand) -> Tensor:
    """The smallest integer ≥ input. PyTorch: torch.ceil."""
    not_for_bool("ceil", input)
    return Ceil.apply(input)


class Trunc(Rule, out=_of_floats(np.trunc), dx=nothing):
    """out = x without its fraction.  dx = 0"""


@public(also="fix")
def trunc(input: Operand) -> Tensor:
    """input without its fraction. PyTorch: torch.trunc."""
    not_for_bool("trunc", input)
    return Trunc.apply(input)


@public
def frac(input: Tensor) -> Tensor:
    """The fraction of input, with its sign. PyTorch: torch.frac."""
    if isinstance(input, Variable) and input.array.dtype.kind != "f":
        raise NotImplementedError(f'"frac" not implemented for {input.dtype}; only floating tensors have a fraction')
    return input - trunc(input)


class Round(Operation):
    """out = the nearest integer, the even one of two; or the nearest number of so many decimals.  dx = 0"""

    @staticmethod
    def forward(ctx: Any, x: Array, decimals: int) -> Array:
        if decimals and x.dtype == np.float16:  # 10^decimals may not fit
            return np.round(x.astype(np.float32), decimals).astype(x.dtype)
        return np.round(x, decimals) if x.dtype.kind == "f" else x.copy()

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return nothing(grad), None


@public
def round(input: Operand, *, decimals: int | None = None) -> Tensor:
    """The nearest integer, halves to even; decimals: digits to keep. PyTorch: torch.round."""
    not_for_bool("round", input)
    if decimals is not None and input.array.dtype.kind != "f":
        raise NotImplementedError(
            f"\"round_cpu\" not implemented for '{dtypes.cxx_name(input.array.dtype)}'; leave decimals out"
        )
    return Round.apply(input, decimals or 0)
