"""What a program may say of a new tensor, read in one place: size, dtype, layout, device, requires_grad, pin_memory,
memory_format.

minigrad has one device, the CPU, one layout, the strided one, and no pinned memory. Each of PyTorch's arguments is obeyed,
or refused by its name; none is ignored. Source: PyTorch, "Tensor Attributes"; c10::TensorOptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import numpy as np

from . import dtypes, memory_order
from .autograd.variable import Array, Variable, wrap
from .device import require_cpu

if TYPE_CHECKING:
    from .tensor import Tensor


class _Constant:
    """A value that is known by its name. Compare with ``is`` or ``==``."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"minigrad.{self.name}"

    def __reduce__(self) -> str:
        return self.name  # copied and unpickled as the one object of that name here


class layout(_Constant):
    """How a tensor's elements are found in memory. PyTorch: torch.layout."""

    __slots__ = ()


class memory_format(_Constant):
    """In which order a new tensor's elements lie in memory. PyTorch: torch.memory_format."""

    __slots__ = ()


strided = layout("strided")  # element (i, j, ...) lies at i · stride₀ + j · stride₁ + ...
contiguous_format = memory_format("contiguous_format")  # in the order of their indices
preserve_format = memory_format("preserve_format")  # in the order of another tensor's
channels_last = memory_format("channels_last")  # a pixel's channels (dimension 1 of 4) side by side


class DataOptions(TypedDict, total=False):
    """What is said of a tensor that is made from data."""

    dtype: Any
    device: Any
    requires_grad: bool | None
    pin_memory: bool | None


class TensorOptions(DataOptions, total=False):
    """What is said of a new tensor."""

    layout: Any


class FormatOptions(TensorOptions, total=False):
    """What is said of a new tensor whose memory another one gives the order of, or that is only memory."""

    memory_format: Any


D = TypeVar("D", np.dtype, None)


def read(
    function: str, options: Mapping[str, Any], default: D, kind: type = TensorOptions
) -> tuple[np.dtype | D, bool]:
    """The dtype (`default` where none is given) and requires_grad; what minigrad has not is refused.

    function: its name, for messages. kind: the TypedDict of what it takes. Errors: TypeError for an argument or type of
    argument that PyTorch would not take either; RuntimeError for a device or memory that minigrad has not.
    """
    if not options:
        return default, False
    d: np.dtype | D = default
    requires_grad = False
    for name, value in options.items():
        if name not in kind.__optional_keys__:  # type: ignore[attr-defined]  # every TypedDict has them
            raise TypeError(f"{function}() got an unexpected keyword argument '{name}'")
        if value is None or name == "memory_format":  # that one is read where the memory is made
            continue
        if name == "dtype":
            d = _dtype(function, value)
        elif name == "requires_grad":
            requires_grad = _flag(function, name, value)
        elif name == "device":
            require_cpu(value, function)
        elif name == "pin_memory":
            if _flag(function, name, value):
                raise RuntimeError(
                    f"{function}(): pin_memory=True requires a CUDA or other accelerator backend, and minigrad computes on "
                    "the CPU only; leave it out, or give pin_memory=torch.cuda.is_available() (here it is not)"
                )
        elif value is not strided:
            raise TypeError(
                f"{function}(): argument 'layout' must be minigrad.strided, the one layout that minigrad has, not {value!r}"
            )
    return d, requires_grad


def _dtype(function: str, value: Any) -> np.dtype:
    if isinstance(value, dtypes.dtype | type):
        return dtypes.to_numpy(value)
    raise TypeError(
        f"{function}(): argument 'dtype' must be minigrad.dtype, not {type(value).__name__}; give for instance "
        "dtype=minigrad.float32"
    )


def _flag(function: str, name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{function}(): argument '{name}' must be bool, not {type(value).__name__}; give True or False")
    return value


def read_like(function: str, input: Any, options: Mapping[str, Any]) -> tuple[Array, bool]:
    """Of a tensor "like" input: its array, not set to anything yet, and requires_grad."""
    if not isinstance(input, Variable):
        raise TypeError(f"{function}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    if not options:
        return memory_order.empty_like(input.array), False
    d, requires_grad = read(function, options, input.array.dtype, FormatOptions)
    order = options.get("memory_format")
    if order is None or order is preserve_format:
        return memory_order.empty_like(input.array, d), requires_grad
    return unset(function, input.array.shape, d, order), requires_grad


def unset(function: str, shape: tuple[int, ...], d: np.dtype, order: Any) -> Array:
    """An array of this shape and type, its memory in this order and not set to anything."""
    if order is None or order is contiguous_format:
        return np.empty(shape, d)
    if not isinstance(order, memory_format):
        raise TypeError(
            f"{function}(): argument 'memory_format' must be minigrad.memory_format, not {type(order).__name__}; give for "
            "instance minigrad.contiguous_format"
        )
    if order is preserve_format:
        raise RuntimeError(f"{function}(): unsupported memory format Preserve: there is no tensor whose order to keep")
    if len(shape) != 4:
        raise RuntimeError(
            f"{function}(): required rank 4 tensor to use channels_last format, got {len(shape)} dimensions"
        )
    n, channels, height, width = shape
    return np.empty((n, height, width, channels), d).transpose(0, 3, 1, 2)


def read_size(function: str, size: tuple) -> tuple[int, ...]:
    """The shape from `zeros(2, 3)`, `zeros((2, 3))` or `zeros(size)`."""
    if len(size) == 1 and not hasattr(size[0], "__index__"):
        size = tuple(size[0])
    if any(not hasattr(n, "__index__") for n in size):
        kinds = ", ".join(type(n).__name__ for n in size)
        raise TypeError(f"{function}(): argument 'size' must be a tuple of ints, got ({kinds})")
    shape = tuple(n.__index__() for n in size)
    if any(n < 0 for n in shape):
        raise RuntimeError(f"{function}: Dimension size must be non-negative, got {list(shape)}.")
    return shape


def leaf(array: Array, requires_grad: bool) -> Tensor:
    """The new tensor."""
    result = wrap(array)
    if requires_grad:
        if array.dtype.kind != "f":
            raise RuntimeError(
                f"Only Tensors of floating point and complex dtype can require gradients, got {result.dtype}; give "
                "floats, or dtype=float32"
            )
        result._requires_grad = True
    return result
