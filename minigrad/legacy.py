"""Names of older releases that programs still use: `FloatTensor` and its like, `Variable`, `set_default_tensor_type`.

A tensor type is a dtype in the form of a class: `LongTensor([1, 2])` makes a tensor, `x.type(LongTensor)` converts,
`isinstance(x, LongTensor)` asks. New programs write `tensor(..., dtype=...)`. PyTorch: torch.tensor types.
"""

from __future__ import annotations

import warnings
from typing import Any

from . import autograd, creation, dtypes
from .autograd.variable import Variable as _Variable
from .autograd.variable import wrap
from .foreign import said
from .tensor import Tensor
from .tensor_options import layout, strided

__all__ = [
    "BFloat16Tensor", "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor",
    "LongTensor", "ShortTensor", "set_default_tensor_type",
]  # fmt: skip


class tensortype(type):
    """What FloatTensor, LongTensor, ... are: classes that make tensors of one dtype."""

    dtype: dtypes.dtype
    is_cuda: bool
    is_sparse = False
    layout: layout = strided

    def __call__(cls, *data: Any, **options: Any) -> Tensor:
        """`FloatTensor(2, 3)`: unset memory of this shape; `FloatTensor([1, 2])`: a copy; `FloatTensor(x)`: x's memory.

        Errors: TypeError for a tensor of another dtype, for what is no sequence, and for types of a GPU.
        """
        if cls.is_cuda:
            raise TypeError(f"type torch.cuda.{cls.__name__} not available: minigrad computes on the CPU only")
        return creation.legacy("new", dtypes.to_numpy(cls.dtype), data, options)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype and not cls.is_cuda


def tensor_type(d: dtypes.dtype, is_cuda: bool = False) -> Any:
    """The tensor type of a dtype."""
    place = "minigrad.cuda" if is_cuda else "minigrad"
    text = f"Makes tensors of {d.name}. PyTorch: torch.{'cuda.' if is_cuda else ''}{d.cxx_name}Tensor."
    body = {"dtype": d, "is_cuda": is_cuda, "__module__": place, "__doc__": text}
    return tensortype(f"{d.cxx_name}Tensor", (), body)


FloatTensor, DoubleTensor = tensor_type(dtypes.float32), tensor_type(dtypes.float64)
HalfTensor, BFloat16Tensor = tensor_type(dtypes.float16), tensor_type(dtypes.bfloat16)
LongTensor, IntTensor = tensor_type(dtypes.int64), tensor_type(dtypes.int32)
ShortTensor, CharTensor = tensor_type(dtypes.int16), tensor_type(dtypes.int8)
ByteTensor, BoolTensor = tensor_type(dtypes.uint8), tensor_type(dtypes.bool_)


def set_default_tensor_type(t: Any) -> None:
    """Make the dtype of a tensor type (or of its name) the default. PyTorch: torch.set_default_tensor_type."""
    warnings.warn(
        "torch.set_default_tensor_type() is deprecated as of PyTorch 2.1, please use torch.set_default_dtype() and "
        "torch.set_default_device() as alternatives.",
        UserWarning,
        stacklevel=2,
    )
    if isinstance(t, str):
        d = dtypes.from_legacy_name(t)
    elif isinstance(t, tensortype):
        if t.is_cuda:
            raise TypeError(f"type torch.cuda.{t.__name__} not available: minigrad computes on the CPU only")
        d = t.dtype
    else:
        raise TypeError("invalid type object: only floating-point types are supported as the default type")
    if not d.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    dtypes.set_default_dtype(d)


class _VariableMeta(type):
    def __call__(
        cls, data: Any = None, requires_grad: bool | None = None, volatile: bool | None = None, name: Any = None
    ) -> Tensor:
        if volatile:
            warnings.warn(
                "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.", UserWarning, 2
            )
            if requires_grad:
                raise ValueError("Variable can't be volatile and require_grad at the same time!")
        if data is None:
            data = Tensor()
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {said(data)}")
        return wrap(data.array[...]).requires_grad_(bool(requires_grad))

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, _Variable)


class Variable(metaclass=_VariableMeta):
    """`Variable(x)`: a tensor of the same memory without history; every tensor is one. PyTorch: torch.autograd.Variable."""


autograd.Variable = Variable  # type: ignore[attr-defined]  # there, below the tensors that it makes, it cannot be written
