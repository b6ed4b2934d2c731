"""Checks of arguments that several families of functions share, in PyTorch's words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.variable import Array, Variable
from ..errors import WrongObject
from ..foreign import said


def type_name(x: Any) -> str:
    """What PyTorch's messages call the dtype of a tensor or array: Float, Long, ..."""
    return dtypes.cxx_name(getattr(x, "array", x).dtype)


def require_room(shape: Sequence[int], itemsize: int) -> None:
    """RuntimeError for an array of more bytes than can be numbered. (Of what there is not, NumPy raises MemoryError.)"""
    if math.prod(shape) * itemsize >= 2**63:
        raise RuntimeError(f"Storage size calculation overflowed with sizes={list(shape)}")


def require_tensor(x: Any, function: str, argument: str = "input", position: int = 1) -> None:
    """WrongObject unless x is a tensor (or an array, in a backward formula)."""
    if not isinstance(x, Array):
        require_argument(x, function, argument, position)


def require_argument(x: Any, function: str, argument: str = "input", position: int = 1) -> None:
    """WrongObject unless x is a tensor: of what a program gives to a module, an array is none."""
    if not isinstance(x, Variable):
        raise WrongObject(f"{function}(): argument '{argument}' (position {position}) must be Tensor, not {said(x)}")


def require_floating(x: Any, function: str, kernel: str | None = None, position: int = 1) -> None:
    """TypeError unless x is a tensor, NotImplementedError (as in PyTorch) unless its elements are floats."""
    array = x.array if isinstance(x, Variable) else x
    if not isinstance(array, Array):
        require_tensor(x, function, position=position)
    if array.dtype.kind != "f":
        raise NotImplementedError(
            f"\"{kernel or function}\" not implemented for '{type_name(array)}'; convert the tensor with .float() first"
        )


def refuse_type(kernel: str, d: np.dtype | type, *operands: Any) -> None:
    """NotImplementedError where elements are of NumPy type `d`, for which PyTorch has no such kernel."""
    for x in operands:
        if isinstance(x, Variable) and x.array.dtype == d:
            raise NotImplementedError(
                f"\"{kernel}\" not implemented for '{type_name(x)}'; convert the tensor with .float() first"
            )
