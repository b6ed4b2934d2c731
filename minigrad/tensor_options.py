"""What a program may say of a new tensor, read in one place: size, dtype, layout, device, requires_grad, pin_memory,
memory_format; and of a tensor that is converted: also non_blocking and copy.

minigrad has one device, the CPU, one layout, the strided one, and no pinned memory. Each of PyTorch's arguments is obeyed,
or refused by its name; none is ignored. Source: PyTorch, "Tensor Attributes"; c10::TensorOptions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import numpy as np

from . import dtypes, memory_order
from .autograd import inference
from .autograd.modes import current
from .autograd.variable import Array, Variable, wrap
from .device import require_cpu
from .foreign import said

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


class FactoryOptions(TypedDict, total=False):
    """What is said of a module's parameters and buffers."""

    dtype: Any
    device: Any


class DataOptions(FactoryOptions, total=False):
    """What is said of a tensor that `new_tensor` makes from data."""

    requires_grad: bool


class PinnedDataOptions(DataOptions, total=False):
    """What is said of a tensor that `tensor` makes from data."""

    pin_memory: bool


class LayoutOptions(DataOptions, total=False):
    """What is said of a tensor that `range` makes."""

    layout: Any


class TensorOptions(FactoryOptions, total=False):
    """What is said of a new tensor."""

    requires_grad: bool | None
    pin_memory: bool | None
    layout: Any


class FormatOptions(TensorOptions, total=False):
    """What is said of a new tensor whose memory another one gives the order of, or that is only memory."""

    memory_format: Any


class ConversionOptions(FactoryOptions, total=False):
    """What is said of a tensor that is made from another by `to`."""

    non_blocking: bool
    copy: bool
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
    allowed = kind.__optional_keys__  # type: ignore[attr-defined]  # every TypedDict has them
    for name, value in options.items():
        if name not in allowed:
            raise TypeError(f"{function}() got an unexpected keyword argument '{name}'")
        if name == "dtype":
            if value is not None:
                d = _dtype(function, value)
        elif name == "device":
            require_cpu(value, function)
        # memory_format is read where the memory is made; only functions that take all of these take None for False
        elif name == "memory_format" or (value is None and {"layout", "pin_memory"} <= allowed):
            continue
        elif name == "requires_grad":
            requires_grad = flag(function, name, value)
        elif name == "pin_memory":
            if flag(function, name, value):
                raise RuntimeError(
                    f"{function}(): pin_memory=True requires a CUDA or other accelerator backend, and minigrad computes on "
                    "the CPU only; leave it out, or give pin_memory=torch.cuda.is_available() (here it is not)"
                )
        elif name != "layout":
            flag(function, name, value)
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


def flag(function: str, name: str, value: Any) -> bool:
    """True or False, and nothing that only counts as such."""
    if not isinstance(value, bool):
        raise TypeError(f"{function}(): argument '{name}' must be bool, not {type(value).__name__}; give True or False")
    return value


def factory_options(module: Any, device: Any, dtype: Any) -> FactoryOptions:
    """What a module says of its parameters and buffers, for the functions that make them; checked, whether it has any."""
    if device is None and dtype is None:
        return {}
    read(type(module).__name__, {"device": device, "dtype": dtype}, None, FactoryOptions)
    return {"dtype": dtype}


def read_to(args: tuple, kwargs: Mapping[str, Any]) -> tuple[np.dtype | None, Any, bool]:
    """What a call of `to` asks for: the dtype (None: as it is), the memory format and whether to copy in any case.

    args and kwargs: `to(device, dtype, non_blocking, copy)`, `to(dtype, non_blocking, copy)` or `to(other, non_blocking,
    copy)`, and memory_format. Errors: TypeError and RuntimeError as of `read`.
    """
    if len(args) == 1 and not kwargs:  # most calls
        (only,) = args
        if isinstance(only, dtypes.dtype):
            return dtypes.to_numpy(only), None, False
        if isinstance(only, str):
            require_cpu(only, "to")
            return None, None, False
    options = dict(kwargs)
    other = options.pop("other", None)
    names: tuple[str, ...] = ("non_blocking", "copy")
    if args and isinstance(args[0], Variable):
        other, args = args[0], args[1:]
    elif args and isinstance(args[0], dtypes.dtype | type):
        names = ("dtype", *names)
    else:
        names = ("device", "dtype", *names)
    unknown = options.keys() - {*names, "memory_format"}
    if unknown:
        raise TypeError(f"to() got an unexpected keyword argument '{min(unknown)}'")
    if len(args) > len(names):
        raise TypeError(f"to() takes at most {len(names)} positional arguments here, but {len(args)} were given")
    for name, value in zip(names, args, strict=False):
        if name in options:
            raise TypeError(f"to() got multiple values for argument '{name}'")
        options[name] = value
    d: np.dtype | None
    d, _ = read("to", options, None, ConversionOptions)
    if other is not None:
        if not isinstance(other, Variable):
            raise TypeError(f"to(): argument 'other' must be Tensor, not {said(other)}")
        d = other.array.dtype
    order = options.get("memory_format")
    if order is not None:
        _check_format("to", order)
    return d, order, options.get("copy", False)


def read_like(function: str, input: Any, options: Mapping[str, Any]) -> tuple[Array, bool]:
    """Of a tensor "like" input: its array, not set to anything yet, and requires_grad."""
    if not options and isinstance(input, Variable):
        return memory_order.empty_like(input.array), False
    pattern, requires_grad = read_pattern(function, input, options)
    return (memory_order.empty_like(pattern) if pattern is input.array else pattern), requires_grad


def read_pattern(function: str, input: Any, options: Mapping[str, Any]) -> tuple[Array, bool]:
    """Of a tensor "like" input: an array of its shape, type and memory order, which may be input's own; and requires_grad."""
    if not isinstance(input, Variable):
        raise TypeError(f"{function}(): argument 'input' (position 1) must be Tensor, not {said(input)}")
    if not options:
        return input.array, False
    d, requires_grad = read(function, options, input.array.dtype, FormatOptions)
    order = options.get("memory_format")
    if order is None or order is preserve_format:
        return memory_order.empty_like(input.array, d), requires_grad
    return unset(function, input.array.shape, d, order), requires_grad


def unset(function: str, shape: tuple[int, ...], d: np.dtype, order: Any) -> Array:
    """An array of this shape and type, its memory in this order and not set to anything."""
    if math.prod(shape) * d.itemsize >= 2**63:
        raise RuntimeError(f"{function}(): Storage size calculation overflowed with sizes={list(shape)}")
    if order is None or order is contiguous_format:
        return np.empty(shape, d)
    _check_format(function, order)
    if order is preserve_format:
        raise RuntimeError(f"{function}(): unsupported memory format Preserve: there is no tensor whose order to keep")
    if len(shape) != 4:
        raise RuntimeError(
            f"{function}(): required rank 4 tensor to use channels_last format, got {len(shape)} dimensions"
        )
    n, channels, height, width = shape
    return np.empty((n, height, width, channels), d).transpose(0, 3, 1, 2)


def _check_format(function: str, order: Any) -> None:
    if not isinstance(order, memory_format):
        raise TypeError(
            f"{function}(): argument 'memory_format' must be minigrad.memory_format, not {type(order).__name__}; give for "
            "instance minigrad.contiguous_format"
        )


def copied(function: str, array: Array, order: Any) -> Array:
    """A copy of the array, without gaps, its memory in this order; in its own for None."""
    if order is contiguous_format:
        return array.copy()
    if order is None or order is preserve_format:
        if array.flags.c_contiguous:
            return array.copy()
        out = memory_order.empty_like(array)
    else:
        out = unset(function, array.shape, array.dtype, order)
    out[...] = array
    return out


def lies_in(function: str, array: Array, order: Any) -> bool:
    """Whether the array's memory has this order, without gaps."""
    if order is contiguous_format:
        return array.flags.c_contiguous
    _check_format(function, order)
    if order is channels_last:
        return array.ndim == 4 and array.transpose(0, 2, 3, 1).flags.c_contiguous
    return array.flags.c_contiguous


def suggested(array: Array) -> memory_format:
    """The order that PyTorch takes an array's memory to be meant in: channels_last where its strides say so, gaps or none.

    Source: c10, is_channels_last_strides_2d.
    """
    if array.ndim != 4 or array.strides[1] == 0 or array.size == 0:
        return contiguous_format
    least = 0
    for i in (1, 3, 2, 0):
        if array.strides[i] < least or (i == 0 and least == array.strides[1]):  # then the order is not told
            return contiguous_format
        least = array.strides[i] * array.shape[i]
    return channels_last


NOT_GIVEN: Any = object()  # in the place of an argument whose default is not None, and for which None is no value


def read_size(function: str, sizes: tuple, size: Any = NOT_GIVEN) -> tuple[int, ...]:
    """The shape from `zeros(2, 3)`, `zeros((2, 3))` or `zeros(size=(2, 3))`."""
    if size is not NOT_GIVEN:
        if sizes:
            raise TypeError(f"{function}() got multiple values for argument 'size'")
        if not isinstance(size, list | tuple):
            raise TypeError(f"{function}(): argument 'size' must be tuple of ints, not {type(size).__name__}")
        sizes = tuple(size)
    elif len(sizes) == 1 and isinstance(sizes[0], list | tuple):
        sizes = tuple(sizes[0])
    elif not sizes:
        raise TypeError(f'{function}() missing 1 required positional arguments: "size"')
    shape: tuple[Any, ...] = tuple([n if n.__class__ is int else whole(n) for n in sizes])
    if None in shape:
        kinds = ", ".join(type(n).__name__ for n in sizes)
        raise TypeError(f"{function}(): argument 'size' must be a tuple of ints, got ({kinds})")
    if shape and min(shape) < 0:
        raise RuntimeError(f"{function}: Dimension size must be non-negative, got {list(shape)}.")
    if shape and max(shape) >= 2**63:
        raise TypeError(f"{function}(): argument 'size' does not fit 64 bits: {list(shape)}")
    return shape


def whole(x: Any) -> int | None:
    """The whole number that an argument stands for: also one without dimensions, array or tensor; None for others."""
    if isinstance(x, int | np.integer) and not isinstance(x, bool):
        return int(x)
    array = x.array if isinstance(x, Variable) else x
    if isinstance(array, np.ndarray) and not array.ndim and array.dtype.kind in "iu":
        return int(array)
    return None


def leaf(array: Array, requires_grad: bool) -> Tensor:
    """The new tensor."""
    result = wrap(array)
    if current.inference:
        inference.mark(array)
    if requires_grad:
        if array.dtype.kind != "f":
            raise RuntimeError(
                f"Only Tensors of floating point and complex dtype can require gradients, got {result.dtype}; give "
                "floats, or dtype=float32"
            )
        result._requires_grad = True
    return result
