"""Checks of arguments that several families of functions share, in PyTorch's words."""

from __future__ import annotations

import warnings
from typing import Any

from .. import dtypes
from ..autograd.variable import Array, Variable


def type_name(x: Any) -> str:
    """What PyTorch's messages call the dtype of a tensor or array: Float, Long, ..."""
    return dtypes.cxx_name(getattr(x, "array", x).dtype)


def require_tensor(x: Any, function: str, argument: str = "input", position: int = 1) -> None:
    """TypeError unless x is a tensor (or an array, in a backward formula)."""
    if not isinstance(x, Variable) and not isinstance(x, Array):
        raise TypeError(
            f"{function}(): argument '{argument}' (position {position}) must be Tensor, not {type(x).__name__}"
        )


def require_floating(x: Any, function: str, kernel: str | None = None, position: int = 1) -> None:
    """TypeError unless x is a tensor, NotImplementedError (as in PyTorch) unless its elements are floats."""
    array = x.array if isinstance(x, Variable) else x
    if not isinstance(array, Array):
        require_tensor(x, function, position=position)
    if array.dtype.kind != "f":
        raise NotImplementedError(
            f"\"{kernel or function}\" not implemented for '{type_name(array)}'; convert the tensor with .float() first"
        )


def reduction_name(reduction: str, size_average: bool | None = None, reduce: bool | None = None) -> str:
    """The reduction of a loss: "none", "mean" or "sum"; from the old arguments, with PyTorch's warning, if one is given."""
    if size_average is not None or reduce is not None:
        wanted = size_average is None or size_average
        reduction = "none" if reduce is False else "mean" if wanted else "sum"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            stacklevel=3,
        )
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction; use 'none', 'mean' or 'sum'")
    return reduction
