"""Sizes and dimensions as a call names them: read, checked, counted from the front. PyTorch's errors where it has them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..autograd.variable import Operand, Variable
from ..tensor_options import whole


def normalize_dim(dim: Any, ndim: int) -> int:
    """`dim` counted from the front; IndexError if there is none such."""
    if not hasattr(dim, "__index__"):
        raise TypeError(f"argument 'dim' must be int, not {type(dim).__name__}")
    dim, n = dim.__index__(), ndim or 1  # a tensor without dimensions takes dim 0 and -1
    if not -n <= dim < n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim % n


def normalize_dims(dims: Any, ndim: int) -> tuple[int, ...]:
    """Several dims counted from the front; RuntimeError if one appears twice."""
    dims = tuple(normalize_dim(d, ndim) for d in ((dims,) if hasattr(dims, "__index__") else dims))
    if len(set(dims)) != len(dims):
        raise RuntimeError(
            f"dim {next(d for d in dims if dims.count(d) > 1)} appears multiple times in the list of dims"
        )
    return dims


def sizes(args: tuple[Any, ...], function: str, argument: str) -> tuple[int, ...]:
    """The numbers in `f(x, 2, 3)` or `f(x, (2, 3))`; function, argument: what they are called, for messages."""
    if len(args) == 1 and isinstance(args[0], list | tuple):
        args = tuple(args[0])
    found = tuple([n if n.__class__ is int else whole(n) for n in args])
    if None in found:
        wrong = type(args[found.index(None)]).__name__
        raise TypeError(f"{function}(): argument '{argument}' must be tuple of ints, but found element of type {wrong}")
    return found  # type: ignore[return-value]  # no None is left


def infer_shape(shape: tuple[int, ...], size: int) -> tuple[int, ...]:
    """`shape` with its -1 filled in, for `size` elements."""
    if shape.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    if any(n < -1 for n in shape):
        raise RuntimeError(f"invalid shape dimension {next(n for n in shape if n < -1)} in {list(shape)}")
    known = math.prod(n for n in shape if n != -1)
    if -1 in shape:
        if known == 0:
            raise RuntimeError(
                f"cannot reshape tensor of {size} elements into shape {list(shape)} because the unspecified dimension size "
                "-1 can be any value and is ambiguous"
                if size == 0
                else f"shape '{list(shape)}' is invalid for input of size {size}"
            )
        if size % known == 0:
            return tuple(size // known if n == -1 else n for n in shape)
    elif known == size:
        return shape
    raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {size}")


def shape_of(x: Operand) -> tuple[int, ...]:
    """The shape of a tensor or an array."""
    return x.array.shape if isinstance(x, Variable) else x.shape


def as_sequence(tensors: tuple[Any, ...]) -> Sequence[Any]:
    """The tensors in `f(x, y)` or `f((x, y))`."""
    return tensors[0] if len(tensors) == 1 and not isinstance(tensors[0], Variable) else tensors
