"""Names under which PyTorch has once more, or nearly, what stands elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import Operand, wrap
from ..public import public
from .arithmetic import sub
from .mask import nothing
from .masked import nonzero
from .matrix_norms import norm
from .operands import Number, to_float
from .pad import pad as _pad
from .parts import chunk, narrow, split, split_with_sizes
from .rule import Rule
from .shape import forget_base

if TYPE_CHECKING:
    from ..tensor import Tensor


class Angle(Rule, out=lambda x: np.where(x < 0, np.pi, np.where(np.isnan(x), x, 0)).astype(x.dtype), dx=nothing):
    """out = 0 for x ≥ 0, π for x < 0.  dx = 0"""


@public
def angle(input: Operand) -> Tensor:
    """The angle of a real number: 0, π for those below 0, nan for nan. PyTorch: torch.angle."""
    return Angle.apply(to_float(input))


@public(fits="alpha")
def rsub(input: Operand, other: Operand | Number, *, alpha: Number = 1) -> Tensor:
    """other - alpha · input. PyTorch: torch.rsub."""
    return sub(other, input, alpha=alpha)


@public
def narrow_copy(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """A copy of `narrow(input, dim, start, length)`. PyTorch: torch.narrow_copy."""
    return narrow(input, dim, start, length).clone()


@public
def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> Any:
    """`chunk`, whose parts may be changed in place one by one: views that forget it. PyTorch: torch.unsafe_chunk."""
    return tuple(map(forget_base, chunk(input, chunks, dim)))


@public
def unsafe_split(input: Tensor, split_size: int, dim: int = 0) -> Any:
    """`split`, whose parts may be changed in place one by one: views that forget it. PyTorch: torch.unsafe_split."""
    return tuple(map(forget_base, split(input, split_size, dim)))


@public
def unsafe_split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> Any:
    """`split_with_sizes`, whose parts may be changed in place one by one: views that forget it. PyTorch: torch.unsafe_split_with_sizes."""
    return tuple(map(forget_base, split_with_sizes(input, split_sizes, dim)))


@public
def constant_pad_nd(input: Tensor, pad: Sequence[int], value: float = 0) -> Tensor:
    """nn.functional.pad with a constant. PyTorch: torch.constant_pad_nd."""
    return _pad(input, pad, "constant", value)


@public
def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """The first `size` rows of `nonzero`; where there are fewer, rows of fill_value. PyTorch: torch.nonzero_static."""
    if size < 0:
        raise RuntimeError(f"nonzero_static: 'size' must be an non-negative integer, got {size}")
    found = nonzero(input).array[:size]
    rest = np.full((size - len(found), input.array.ndim), fill_value, np.int64)
    return wrap(np.concatenate([found, rest]))


@public
def frobenius_norm(input: Tensor, dim: int | Sequence[int], keepdim: bool = False) -> Tensor:
    """The root of the sum of squares over dim. PyTorch: torch.frobenius_norm."""
    return norm(input, 2, dim, keepdim)
