"""Masks: elements chosen by True and False, and where the nonzero ones are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import Array, Variable, wrap
from ..dtypes import element
from ..foreign import said
from ..public import public
from .choice import where
from .index import Index, SetIndex
from .operands import Number, broadcast, cast
from .parts import Slice
from .shape import expand

if TYPE_CHECKING:
    from ..tensor import Tensor


def _mask(name: str, mask: Any) -> Array:
    if not isinstance(mask, Variable):
        raise TypeError(f"{name}(): argument 'mask' must be Tensor, not {said(mask)}")
    if mask.array.dtype.kind != "b":
        raise RuntimeError(
            f"{name} only supports boolean masks, but got dtype {mask.array.dtype}; compare first, as in (x != 0)"
        )
    return mask.array


@public
def masked_fill(input: Tensor, mask: Tensor, value: Number | Tensor) -> Tensor:
    """input with value where mask is True. PyTorch: torch.masked_fill."""
    _mask("masked_fill", mask)
    if isinstance(value, Variable):
        if value.array.ndim:
            raise RuntimeError(
                f"masked_fill only supports a 0-dimensional value tensor, but got tensor with {value.array.ndim} dimension(s)."
            )
        return where(mask, cast(value, input.array.dtype), input)
    return where(mask, element(value, input.array.dtype), input)


@public
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where mask is True, in one dimension. PyTorch: torch.masked_select."""
    _mask("masked_select", mask)
    shape = broadcast(input.array.shape, mask.array.shape)
    return Index.apply(expand(input, shape), (np.broadcast_to(mask.array, shape),))


@public(same="input source")
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """input with the elements of source, in order, where mask is True. PyTorch: torch.masked_scatter."""
    _mask("masked_scatter", mask)
    shape = broadcast(input.array.shape, mask.array.shape)
    full = np.broadcast_to(mask.array, shape)
    n = int(full.sum())
    if source.array.size < n:
        raise RuntimeError(f"Number of elements of source < number of ones in mask: {source.array.size} < {n}")
    return SetIndex.apply(expand(input, shape), Slice.apply(source.reshape(-1), (slice(n),)), (full,))


@public
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The indices of nonzero elements, a row each (or, as_tuple, a vector a dimension). PyTorch: torch.nonzero."""
    if as_tuple:
        return tuple(wrap(i) for i in np.nonzero(np.atleast_1d(input.array)))
    return wrap(np.argwhere(input.array))


@public
def argwhere(input: Tensor) -> Tensor:
    """The indices of nonzero elements, a row each. PyTorch: torch.argwhere."""
    return wrap(np.argwhere(input.array))
