"""The shape of a tensor."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import Any, SupportsIndex

import numpy as np


def _whole(i: int, n: Any) -> int:
    try:
        return operator.index(n)
    except TypeError:
        raise TypeError(f"Size() takes an iterable of 'int' (item {i} is '{type(n).__name__}')") from None


def has_parts(x: Any) -> bool:
    """Whether x is no array without dimensions, which has the methods of a sequence and refuses to be one."""
    return not isinstance(x, np.ndarray) or x.ndim > 0


class Size(tuple):
    """A tuple of dimensions. PyTorch: torch.Size."""

    __slots__ = ()

    def __new__(cls, sizes: Any = ()) -> Size:
        if not (isinstance(sizes, Iterable) and has_parts(sizes)):
            raise TypeError(f"Size() takes an iterable of 'int', not '{type(sizes).__name__}'")
        made = tuple.__new__(cls, sizes)
        for n in made:
            if n.__class__ is not int:
                return tuple.__new__(cls, (_whole(i, n) for i, n in enumerate(made)))
        return made

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"minigrad.Size({list(self)})"

    def __getitem__(self, index):  # type: ignore[no-untyped-def, override]
        try:
            item = tuple.__getitem__(self, index)
        except IndexError:
            raise IndexError(f"Dimension out of range: of {len(self)} sizes there is none at {index}") from None
        except TypeError:
            raise TypeError(f"the sizes of a shape are counted by int, not {type(index).__name__}") from None
        return Size(item) if isinstance(index, slice) else item

    def __add__(self, other: tuple) -> Size:  # type: ignore[override]
        if not isinstance(other, tuple):
            raise TypeError(f'can only concatenate tuple (not "{type(other).__name__}") to Size')
        return Size(tuple.__add__(self, other))

    def __radd__(self, other: tuple) -> Size:
        return Size(tuple.__add__(other, self))

    def __mul__(self, n: SupportsIndex) -> Size:
        return Size(tuple.__mul__(self, n))

    __rmul__ = __mul__
