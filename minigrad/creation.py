"""Making tensors from data, of one value, and in sequence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes
from .autograd.variable import Variable, wrap
from .device import require_cpu

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = [
    "arange",
    "as_tensor",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "from_numpy",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "scalar_tensor",
    "tensor",
    "tril_indices",
    "triu_indices",
    "zeros",
    "zeros_like",
]


# -- from data


def _leftmost(data: Any) -> Any:
    while isinstance(data, list | tuple) and data:
        data = data[0]
    return data


def _plain(data: Any) -> Any:
    """Nested lists in which tensors have become Python values."""
    if isinstance(data, Variable):
        return data.array.tolist()
    return [_plain(x) for x in data] if isinstance(data, list | tuple) else data


def _to_array(data: Any, dtype: Any) -> np.ndarray:
    """A new array of `data`, in `dtype` or, for None, the type that PyTorch would give it."""
    if isinstance(data, Variable):
        array = data.array.copy()
    else:
        first = _leftmost(data)
        if isinstance(first, str) and not isinstance(data, str):
            raise ValueError("too many dimensions 'str'; tensors hold numbers")
        if isinstance(data, str):
            raise TypeError("new(): invalid data type 'str'; tensors hold numbers")
        try:
            array = np.array(_plain(data) if isinstance(first, Variable) else data)
        except ValueError as error:
            if "inhomogeneous" not in str(error) and "sequence" not in str(error):
                raise
            raise ValueError(f"expected sequences of equal lengths at every depth: {error}") from None
        if array.dtype == object:  # tensors somewhere behind the first element, or something that is no number
            array = np.array(_plain(data))
            if array.dtype == object:
                raise RuntimeError(f"Could not infer dtype of {type(first).__name__}; tensors hold numbers")
        is_python = not isinstance(data if array.size == 0 else first, np.ndarray | np.generic)
        if dtype is None and is_python and (array.size == 0 or array.dtype == np.float64):
            array = array.astype(dtypes.default_numpy())
    if dtype is not None:
        d = dtypes.to_numpy(dtype)
        if array.dtype.kind == "i" and d.kind in "iu" and not isinstance(data, np.ndarray | np.generic | Variable):
            limits = np.iinfo(d)
            if array.size and (array.max() > limits.max or array.min() < -limits.max - 1):
                raise RuntimeError(f"value cannot be converted to type {dtypes.from_numpy(d)} without overflow")
        return array.astype(d, copy=False)
    dtypes.from_numpy(array.dtype)  # TypeError for a type that minigrad has not
    return array


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A new leaf with a copy of `data` (numbers, nested lists, arrays, tensors).

    Python floats become the default float type, ints int64; arrays keep their type. PyTorch: torch.tensor.
    """
    require_cpu(device)
    return _leaf(_to_array(data, dtype), requires_grad)


def _leaf(array: np.ndarray, requires_grad: bool) -> Tensor:
    result = wrap(array)
    if requires_grad:
        if array.dtype.kind != "f":
            raise RuntimeError(
                f"Only Tensors of floating point and complex dtype can require gradients, got {result.dtype}; give "
                "floats, or dtype=float32"
            )
        result._requires_grad = True
    return result


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor of `data`, sharing memory (and history) where no conversion is needed. PyTorch: torch.as_tensor."""
    require_cpu(device)
    if isinstance(data, np.ndarray):
        data = from_numpy(data)
    if isinstance(data, Variable):
        return data if dtype is None else data.to(dtype)  # type: ignore[attr-defined, return-value]
    return wrap(_to_array(data, dtype))


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of `obj`, sharing memory where it may; copy=True always copies. PyTorch: torch.asarray."""
    result = tensor(obj, dtype=dtype) if copy else as_tensor(obj, dtype, device)
    return result.requires_grad_(requires_grad) if requires_grad else result


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A tensor that shares the array's memory. PyTorch: torch.from_numpy."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    dtypes.from_numpy(ndarray.dtype)
    if any(s < 0 for s in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array with array.copy().)"
        )
    return wrap(ndarray[...])  # an array object of its own, by which the graph tells tensors apart


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor that shares the memory of another library's (anything with `__dlpack__`). PyTorch: torch.from_dlpack."""
    if not hasattr(ext_tensor, "__dlpack__"):
        raise TypeError(f"from_dlpack needs an object with __dlpack__, got {type(ext_tensor).__name__}")
    return wrap(np.from_dlpack(ext_tensor))


def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor without dimensions, in the default float type. PyTorch: torch.scalar_tensor."""
    return tensor(s, dtype=dtype or dtypes.get_default_dtype(), device=device, requires_grad=requires_grad)


# -- of one value


def _shape(name: str, size: tuple) -> tuple[int, ...]:
    """The shape from `zeros(2, 3)`, `zeros((2, 3))` or `zeros(size)`."""
    if len(size) == 1 and not hasattr(size[0], "__index__"):
        size = tuple(size[0])
    if any(not hasattr(n, "__index__") for n in size):
        kinds = ", ".join(type(n).__name__ for n in size)
        raise TypeError(f"{name}(): argument 'size' must be a tuple of ints, got ({kinds})")
    shape = tuple(n.__index__() for n in size)
    if any(n < 0 for n in shape):
        raise RuntimeError(f"{name}: Dimension size must be non-negative, got {list(shape)}.")
    return shape


def _dtype(dtype: Any) -> np.dtype:
    return dtypes.default_numpy() if dtype is None else dtypes.to_numpy(dtype)


def zeros(*size: Any, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of shape `size`. PyTorch: torch.zeros."""
    require_cpu(device)
    return _leaf(np.zeros(_shape("zeros", size), _dtype(dtype)), requires_grad)


def ones(*size: Any, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of shape `size`. PyTorch: torch.ones."""
    require_cpu(device)
    return _leaf(np.ones(_shape("ones", size), _dtype(dtype)), requires_grad)


def empty(
    *size: Any,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Memory of shape `size`, not set to anything. PyTorch: torch.empty."""
    require_cpu(device)
    return _leaf(np.empty(_shape("empty", size), _dtype(dtype)), requires_grad)


def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`fill_value` in shape `size`; its type is the value's where none is given. PyTorch: torch.full."""
    require_cpu(device)
    value = fill_value.array.item() if isinstance(fill_value, Variable) else fill_value
    d = dtypes.to_numpy(dtype) if dtype is not None else dtypes.scalar_numpy(value)
    size = (size,) if hasattr(size, "__index__") else size
    return _leaf(np.full(_shape("full", (size,)), value, d), requires_grad)


def _like(input: Any, dtype: Any) -> np.dtype:
    if not isinstance(input, Variable):
        raise TypeError(f"argument 'input' must be Tensor, not {type(input).__name__}")
    return input.array.dtype if dtype is None else dtypes.to_numpy(dtype)


def zeros_like(
    input: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Zeros in the shape and type of `input`. PyTorch: torch.zeros_like."""
    require_cpu(device)
    d = _like(input, dtype)
    return _leaf(np.zeros_like(input.array, d), requires_grad)


def ones_like(
    input: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Ones in the shape and type of `input`. PyTorch: torch.ones_like."""
    require_cpu(device)
    d = _like(input, dtype)
    return _leaf(np.ones_like(input.array, d), requires_grad)


def empty_like(
    input: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Memory in the shape and type of `input`, not set to anything. PyTorch: torch.empty_like."""
    require_cpu(device)
    d = _like(input, dtype)
    return _leaf(np.empty_like(input.array, d), requires_grad)


def full_like(
    input: Any, fill_value: Any, *, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """`fill_value` in the shape and type of `input`. PyTorch: torch.full_like."""
    require_cpu(device)
    value = fill_value.array.item() if isinstance(fill_value, Variable) else fill_value
    d = _like(input, dtype)
    return _leaf(np.full_like(input.array, value, d), requires_grad)


# -- in sequence


def _number(x: Any) -> Any:
    return x.array.item() if isinstance(x, Variable) else x.item() if isinstance(x, np.generic) else x


def arange(
    start: Any = 0, end: Any = None, step: Any = 1, *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """start, start + step, ... below end; `arange(end)` starts at 0. int64 if all three are ints. PyTorch: torch.arange."""
    require_cpu(device)
    if end is None:
        start, end = 0, start
    start, end, step = _number(start), _number(end), _number(step)
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError(f"upper bound and lower bound inconsistent with step sign: from {start} to {end} by {step}")
    whole = all(isinstance(x, int) for x in (start, end, step))
    d = dtypes.to_numpy(dtype) if dtype is not None else np.dtype(np.int64) if whole else dtypes.default_numpy()
    n = math.ceil((end - start) / step)
    # start + i · step, computed in double (or whole numbers) and rounded once, as PyTorch does.
    index = np.arange(n, dtype=np.int64 if whole else np.float64)
    return _leaf((start + index * step).astype(d), requires_grad)


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` values from start to end, both included, at equal distances. PyTorch: torch.linspace."""
    require_cpu(device)
    if steps < 0:
        raise RuntimeError(f"number of steps must be non-negative, got {steps}")
    return _leaf(_linspace(float(_number(start)), float(_number(end)), steps, _dtype(dtype)), requires_grad)


def _linspace(start: float, end: float, steps: int, d: np.dtype) -> np.ndarray:
    """From both ends towards the middle, so that the last value is `end` exactly.

    PyTorch multiplies and adds with one rounding (FMA); so does this, in a wider type.
    """
    work = d if d.kind == "f" else np.dtype(np.float64)
    wide = np.float64 if work != np.float64 else np.longdouble
    if steps == 1:
        return np.array([start]).astype(d)
    first, last = work.type(start), work.type(end)
    step = wide((last - first) / work.type(max(steps - 1, 1)))
    index = np.arange(steps)
    half = steps // 2
    values = np.empty(steps, work)
    values[:half] = wide(first) + step * index[:half]
    values[half:] = wide(last) - step * index[: steps - half][::-1]
    return values.astype(d)


def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """base to the powers `linspace(start, end, steps)`. PyTorch: torch.logspace."""
    require_cpu(device)
    powers = _linspace(float(_number(start)), float(_number(end)), steps, np.dtype(np.float64))
    return _leaf(np.power(float(base), powers).astype(_dtype(dtype)), requires_grad)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """An n by m matrix (n by n) with ones on its diagonal. PyTorch: torch.eye."""
    require_cpu(device)
    if n < 0 or (m is not None and m < 0):
        raise RuntimeError(f"n and m must be greater or equal to 0, got {n} and {m}")
    return _leaf(np.eye(n, m, dtype=_dtype(dtype)), requires_grad)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The indices (2, n) of the lower triangle of a row by col matrix. PyTorch: torch.tril_indices."""
    require_cpu(device)
    return wrap(np.stack(np.tril_indices(row, offset, col)).astype(dtypes.to_numpy(dtype or dtypes.int64)))


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The indices (2, n) of the upper triangle of a row by col matrix. PyTorch: torch.triu_indices."""
    require_cpu(device)
    return wrap(np.stack(np.triu_indices(row, offset, col)).astype(dtypes.to_numpy(dtype or dtypes.int64)))


# -- methods of a tensor that make others like it


def new_tensor(
    self: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A new leaf with a copy of data, in this tensor's type."""
    return tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


def new_zeros(self: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of shape size, in this tensor's type."""
    return zeros(*size, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


def new_ones(self: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of shape size, in this tensor's type."""
    return ones(*size, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


def new_empty(self: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Unset memory of shape size, in this tensor's type."""
    return empty(*size, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


def new_full(
    self: Tensor,
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """fill_value in shape size, in this tensor's type."""
    return full(size, fill_value, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)
