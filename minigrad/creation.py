"""Making tensors from data, of one value, and in sequence."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from . import dtypes
from .autograd.variable import Variable, wrap
from .device import require_cpu
from .dtypes import element
from .equal_steps import equal_steps
from .foreign import said
from .geometry import Geometry, look
from .ops.operands import Number
from .quiet import quiet
from .size import Size
from .tensor_options import (
    NOT_GIVEN,
    DataOptions,
    FormatOptions,
    LayoutOptions,
    PinnedDataOptions,
    TensorOptions,
    flag,
    leaf,
    read,
    read_like,
    read_size,
    unset,
)

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = [
    "arange",
    "as_tensor",
    "asarray",
    "empty",
    "empty_like",
    "empty_strided",
    "eye",
    "from_dlpack",
    "from_numpy",
    "frombuffer",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "range",
    "scalar_tensor",
    "tensor",
    "tril_indices",
    "triu_indices",
    "zeros",
    "zeros_like",
]  # fmt: skip


# -- from data


_OF_PYTHON = {bool, int, float, list, tuple}


def _leftmost(data: Any) -> Any:
    while isinstance(data, list | tuple) and data:
        data = data[0]
    return data


def _holds_text(data: Any) -> bool:
    return isinstance(data, str) or (isinstance(data, list | tuple) and any(map(_holds_text, data)))


def _plain(data: Any) -> Any:
    """Nested lists in which tensors have become Python numbers: PyTorch takes those of one element, whatever their shape."""
    if isinstance(data, Variable):
        if data.array.size != 1:
            raise ValueError(
                f"only one element tensors can be converted to Python scalars, and this one has shape {list(data.array.shape)}; "
                "join tensors with torch.stack or torch.cat"
            )
        return data.array.item()
    return [_plain(x) for x in data] if isinstance(data, list | tuple) else data


def _types(data: list[Any] | tuple[Any, ...]) -> set[type]:
    """The classes of all that is in nested lists, the inner lists' among them."""
    types = set(map(type, data))
    if any(issubclass(t, list | tuple) for t in types):
        types.update(*(_types(x) for x in data if isinstance(x, list | tuple)))
    return types


def _is_number(t: type) -> bool:
    """Whether tensors can be made of lists of what is of this class, and each has a type of its own to be promoted."""
    return issubclass(t, bool | int | float | list | tuple | np.ndarray | Variable) or (
        issubclass(t, np.generic) and np.dtype(t).kind in "biuf"
    )


def _promoted(data: Any) -> np.dtype:
    """The type to which PyTorch promotes all that is in nested lists: tensors and NumPy's numbers have their own, Python's the
    default one of floats, int64 and bool."""
    if isinstance(data, list | tuple):
        return functools.reduce(dtypes.promote_numpy, map(_promoted, data)) if data else dtypes.default_numpy()
    if isinstance(data, Variable | np.ndarray | np.generic):
        found = (data.array if isinstance(data, Variable) else data).dtype
        dtypes.from_numpy(found)  # TypeError for a type that minigrad has not
        return found
    return dtypes.scalar_numpy(data)


def _check_numbers(array: np.ndarray, typed: bool) -> None:
    """Of an array of objects, that they are numbers. Errors: TypeError where it is known of which type they should be."""
    for x in array.flat if array.dtype == object else ():
        if not isinstance(x, bool | int | float):
            said = f"{type(x).__name__}; tensors hold numbers"
            raise (
                TypeError(f"must be real number, not {said}")
                if typed
                else RuntimeError(f"Could not infer dtype of {said}")
            )


@quiet
def _to_array(data: Any, d: np.dtype | None) -> np.ndarray:
    """A new array of `data`, in type `d` or, for None, the type that PyTorch would give it."""
    if isinstance(data, Variable):
        array = data.array.copy()
    else:
        first = _leftmost(data)
        if isinstance(first, str) and not isinstance(data, str):
            raise ValueError("too many dimensions 'str'; tensors hold numbers")
        if isinstance(data, str | bytes):
            raise TypeError(f"new(): invalid data type '{type(data).__name__}'; tensors hold numbers")
        types = _types(data) if isinstance(data, list | tuple) else set()
        if not types <= _OF_PYTHON and all(map(_is_number, types)) and d is None:
            d = _promoted(data)
        try:
            array = np.array(_plain(data) if any(issubclass(t, Variable) for t in types) else data)
        except ValueError as error:
            if "inhomogeneous" not in str(error) and "sequence" not in str(error):
                raise
            raise ValueError(f"expected sequences of equal lengths at every depth: {error}") from None
        if array.dtype == object:  # tensors somewhere behind the first element, or something that is no number
            array = np.array(_plain(data))
            _check_numbers(array, d is not None or isinstance(first, np.ndarray))
        if array.dtype.kind in "SUMmV":
            raise TypeError(f"must be real number, not {array.dtype.type.__name__}; tensors hold numbers")
        is_python = not isinstance(data if array.size == 0 else first, np.ndarray | np.generic)
        if is_python and array.dtype.kind in "Ou" and (d is None or d.kind in "iu"):
            raise ValueError(f"Overflow when unpacking long long: {data!r} does not fit 64 bits")
        if array.dtype.kind == "c" and d is not None:
            raise TypeError(f"must be real number, not complex: of {data!r} the imaginary part would be lost")
        if d is None and is_python and (array.size == 0 or array.dtype == np.float64):
            array = array.astype(dtypes.default_numpy())
    if d is not None:
        if array.dtype.kind in "iuf" and d.kind in "iu" and not isinstance(data, np.ndarray | np.generic | Variable):
            limits, whole = np.iinfo(d), np.trunc(array)
            if not ((whole < limits.max + 1) & (whole >= -limits.max - 1)).all():  # (nan is neither)
                raise RuntimeError(f"value cannot be converted to type {dtypes.from_numpy(d)} without overflow")
        return array.astype(d, copy=False)
    dtypes.from_numpy(array.dtype)  # TypeError for a type that minigrad has not
    return array


def tensor(data: Any, **options: Unpack[PinnedDataOptions]) -> Tensor:
    """A new leaf with a copy of `data` (numbers, nested lists, arrays, tensors).

    Python floats become the default float type, ints int64; arrays and tensors keep their type, and a list has the one to which
    all that it holds is promoted. PyTorch: torch.tensor.
    """
    d, requires_grad = read("tensor", options, None, PinnedDataOptions)
    return leaf(_to_array(data, d), requires_grad)


def as_tensor(data: Any, *, dtype: dtypes.dtype | None = None, device: Any = None) -> Tensor:
    """A tensor of `data`, sharing memory (and history) where no conversion is needed. PyTorch: torch.as_tensor."""
    d = None
    if not (dtype is None and device is None):
        d, _ = read("as_tensor", {"dtype": dtype, "device": device}, None)
    if isinstance(data, np.ndarray):
        data = from_numpy(data)
    if isinstance(data, Variable):
        return data if dtype is None else data.to(dtype)  # type: ignore[attr-defined, return-value]
    return wrap(_to_array(data, d))


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool | None = None
) -> Tensor:
    """A tensor of `obj`, sharing memory where it may; copy=True always copies, copy=False never. PyTorch: torch.asarray.

    requires_grad: where it is given, the result (which may be `obj` itself) gets it; else it is as in `obj`. Errors:
    ValueError where copy=False and `obj` has no memory of this type to share.
    """
    d = None
    if not (dtype is None and device is None and requires_grad is None):
        d, _ = read("asarray", {"requires_grad": requires_grad, "dtype": dtype, "device": device}, None)
    if copy is not None and not flag("asarray", "copy", copy):
        if isinstance(obj, np.generic):
            raise RuntimeError("can't alias NumPy scalars. Either remove copy=False or transform it in a ndarray.")
        if not isinstance(obj, np.ndarray | Variable):
            raise ValueError("can't alias arbitrary sequence into a tensor; remove copy=False")
        found = obj.array.dtype if isinstance(obj, Variable) else obj.dtype
        if d is not None and d != found:
            names = [f"'{dtypes.cxx_name(x)}'" for x in (found, d)]
            raise ValueError(f"can't alias tensor with dtype {names[0]} into dtype {names[1]}; remove copy=False")
    result = as_tensor(obj, dtype=dtype)
    if copy and isinstance(obj, np.ndarray | Variable):
        result = result.clone()
    if requires_grad is None:
        return result
    return result.detach() if not (requires_grad or result.is_leaf) else result.requires_grad_(requires_grad)


def from_numpy(ndarray: np.ndarray, /) -> Tensor:
    """A tensor that shares the array's memory. PyTorch: torch.from_numpy."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {said(ndarray)})")
    dtypes.from_numpy(ndarray.dtype)
    if any(s < 0 for s in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array with array.copy().)"
        )
    return wrap(ndarray[...])  # an array object of its own, by which the graph tells tensors apart


def frombuffer(
    buffer: Any, *, dtype: dtypes.dtype, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """A vector on the memory of anything with Python's buffer protocol (bytes, bytearray, array.array ...).

    count: how many elements (-1: all that follow), from `offset` bytes on. PyTorch: torch.frombuffer.
    """
    d, requires_grad = read("frombuffer", {"dtype": dtype, "requires_grad": requires_grad}, np.dtype(np.uint8))
    n = memoryview(buffer).nbytes
    if n == 0 or count == 0:
        raise ValueError(f"both buffer length ({n}) and count ({count}) must not be 0")
    if not 0 <= offset < n:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({n} bytes) - 1"
        )
    if count < 0 and (n - offset) % d.itemsize:
        raise ValueError(
            f"buffer length ({n - offset} bytes) after offset ({offset} bytes) must be a multiple of element size ({d.itemsize})"
        )
    if count > 0 and offset + count * d.itemsize > n:
        raise ValueError(
            f"requested buffer length ({count} * {d.itemsize} bytes) after offset ({offset} bytes) must not be greater than "
            f"actual buffer length ({n} bytes)"
        )
    return leaf(np.frombuffer(buffer, d, count, offset), requires_grad)


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor that shares the memory of another library's (anything with `__dlpack__`). PyTorch: torch.from_dlpack."""
    read("from_dlpack", {"device": device}, None)
    if not hasattr(ext_tensor, "__dlpack__"):
        raise TypeError(f"from_dlpack needs an object with __dlpack__, got {type(ext_tensor).__name__}")
    array = np.from_dlpack(ext_tensor)
    return wrap(array.copy() if copy else array)


def legacy(function: str, d: np.dtype, data: tuple, options: dict[str, Any], any_dtype: bool = False) -> Tensor:
    """What `Tensor(...)`, `FloatTensor(...)` and `x.new(...)` make, in type d.

    (2, 3) or (size=(2, 3)): unset memory of this shape. ([1, 2]): a copy, converted. (tensor): its own memory, of type d, or
    with any_dtype of any. (): no elements. Errors: TypeError for anything else. PyTorch: torch.Tensor's constructors.
    """
    options = dict(options)
    require_cpu(options.pop("device", None), function)
    named = {name: options.pop(name) for name in ("size", "data", "other") if name in options}
    if options or len(named) + (len(data) > 0) > 1:
        raise TypeError(
            f"{function}() received an invalid combination of arguments: {', '.join([*map(repr, data), *named, *options])}; "
            "give sizes, or one sequence, or one tensor, and nothing but device="
        )
    if "size" in named:
        return wrap(np.empty(read_size(function, (), named["size"]), d))
    data = data or tuple(named.values())
    if not data:
        return wrap(np.empty(0, d))
    first = data[0]
    if len(data) == 1 and isinstance(first, Variable):
        if first.array.dtype != d and not any_dtype:
            raise TypeError(
                f"{function}() expected a tensor of {dtypes.from_numpy(d)} and got one of "
                f"{dtypes.from_numpy(first.array.dtype)}; convert it with .type() or .to()"
            )
        return first.view(first.array.shape)  # type: ignore[attr-defined]
    if len(data) == 1 and not isinstance(first, Size):
        is_index = hasattr(first, "__index__") and not isinstance(first, np.ndarray | bool)
        if not is_index and not (isinstance(first, np.ndarray) and first.ndim == 0 and first.dtype.kind in "iu"):
            if isinstance(first, str):
                raise TypeError(f"{function}(): invalid data type 'str'")
            if (
                not hasattr(first, "__getitem__")
                or not hasattr(first, "__len__")
                or isinstance(first, np.generic | dict)
            ):
                raise TypeError(f"{function}(): data must be a sequence (got {type(first).__name__})")
            if _holds_text(first):
                raise TypeError("must be real number, not str")
            return wrap(_to_array(first, d).copy())
    return wrap(np.empty(read_size(function, data), d))


def new(self: Tensor, *data: Any, **options: Any) -> Tensor:
    """A tensor of this one's type, by sizes or data, as of `Tensor(...)`. PyTorch: torch.Tensor.new."""
    return legacy("new", self.array.dtype, data, options)


def scalar_tensor(s: Number, **options: Unpack[TensorOptions]) -> Tensor:
    """A tensor without dimensions, in the default float type. PyTorch: torch.scalar_tensor."""
    d, requires_grad = read("scalar_tensor", options, dtypes.default_numpy())
    return leaf(np.asarray(element(_number(s), d), d), requires_grad)


# -- of one value


def zeros(*sizes: Any, size: Any = NOT_GIVEN, **options: Unpack[TensorOptions]) -> Tensor:
    """Zeros of shape `size`. PyTorch: torch.zeros."""
    d, requires_grad = read("zeros", options, dtypes.default_numpy())
    return leaf(np.zeros(read_size("zeros", sizes, size), d), requires_grad)


def ones(*sizes: Any, size: Any = NOT_GIVEN, **options: Unpack[TensorOptions]) -> Tensor:
    """Ones of shape `size`. PyTorch: torch.ones."""
    d, requires_grad = read("ones", options, dtypes.default_numpy())
    return leaf(np.ones(read_size("ones", sizes, size), d), requires_grad)


def empty(*sizes: Any, size: Any = NOT_GIVEN, **options: Unpack[FormatOptions]) -> Tensor:
    """Memory of shape `size`, not set to anything. PyTorch: torch.empty."""
    d, requires_grad = read("empty", options, dtypes.default_numpy(), FormatOptions)
    return leaf(unset("empty", read_size("empty", sizes, size), d, options.get("memory_format")), requires_grad)


def empty_strided(size: Sequence[int], stride: Sequence[int], **options: Unpack[TensorOptions]) -> Tensor:
    """Unset memory of shape `size`, whose elements lie `stride` apart by dimension. PyTorch: torch.empty_strided."""
    d, requires_grad = read("empty_strided", options, dtypes.default_numpy())
    return leaf(strided_memory("empty_strided", size, stride, d), requires_grad)


def strided_memory(function: str, size: Sequence[int], stride: Sequence[int], d: np.dtype) -> np.ndarray:
    """An unset array of this shape and these strides."""
    place = Geometry(tuple(size), tuple(stride), 0)
    if len(place.shape) != len(place.strides):
        raise RuntimeError(
            f"{function}: dimensionality of sizes ({len(place.shape)}) must match dimensionality of strides ({len(place.strides)})"
        )
    if min((*place.shape, *place.strides), default=0) < 0:
        raise RuntimeError(f"{function}: sizes and strides must not be negative, got {list(size)} and {list(stride)}")
    return look(np.empty(place.span()[1], d), place)


@quiet
def full(size: Sequence[int], fill_value: Number, **options: Unpack[TensorOptions]) -> Tensor:
    """`fill_value` in shape `size`; its type is the value's where none is given. PyTorch: torch.full."""
    value = _fill_value("full", fill_value)
    d, requires_grad = read("full", options, dtypes.scalar_numpy(value))
    return leaf(np.full(read_size("full", (), size), element(value, d), d), requires_grad)


def zeros_like(input: Tensor, **options: Unpack[FormatOptions]) -> Tensor:
    """Zeros in the shape and type of `input`. PyTorch: torch.zeros_like."""
    array, requires_grad = read_like("zeros_like", input, options)
    array[...] = 0
    return leaf(array, requires_grad)


def ones_like(input: Tensor, **options: Unpack[FormatOptions]) -> Tensor:
    """Ones in the shape and type of `input`. PyTorch: torch.ones_like."""
    array, requires_grad = read_like("ones_like", input, options)
    array[...] = 1
    return leaf(array, requires_grad)


def empty_like(input: Tensor, **options: Unpack[FormatOptions]) -> Tensor:
    """Memory in the shape and type of `input`, not set to anything. PyTorch: torch.empty_like."""
    return leaf(*read_like("empty_like", input, options))


@quiet
def full_like(input: Tensor, fill_value: Number, **options: Unpack[FormatOptions]) -> Tensor:
    """`fill_value` in the shape and type of `input`. PyTorch: torch.full_like."""
    array, requires_grad = read_like("full_like", input, options)
    array[...] = element(_fill_value("full_like", fill_value), array.dtype)
    return leaf(array, requires_grad)


# -- in sequence


def _number(x: Any) -> Any:
    return x.array.item() if isinstance(x, Variable) else x.item() if isinstance(x, np.generic) else x


def _given(name: str, x: Any) -> tuple[Any]:
    if x is NOT_GIVEN:
        raise TypeError(f'arange() missing 1 required positional arguments: "{name}"')
    return (x,)


def _start(x: Any) -> Any:
    """A number, or a tensor of one that wants no gradient; TypeError for what is none."""
    if isinstance(x, Variable) and (x.array.ndim or x._requires_grad or x._edge is not None):
        x = None
    if not isinstance(x, int | float | np.generic | Variable):
        raise TypeError(f"arange(): argument 'start' must be Number, not {type(x).__name__}")
    return x


def _fill_value(function: str, x: Any) -> Any:
    value = _number(x)
    if not isinstance(value, bool | int | float):  # NumPy would make NaN of None, and a number of "3"
        raise TypeError(f"{function}(): argument 'fill_value' must be Number, not {type(value).__name__}")
    return value


@quiet
def arange(
    start: Number = NOT_GIVEN, /, end: Number = NOT_GIVEN, step: Number = NOT_GIVEN, **options: Unpack[TensorOptions]
) -> Tensor:
    """start, start + step, ... below end; `arange(end)` starts at 0. int64 if all three are ints. PyTorch: torch.arange."""
    first: Any
    if "start" in options:  # by its name it is never the end
        if start is not NOT_GIVEN:
            raise TypeError("arange() got multiple values for argument 'start'")
        first = options.pop("start")  # type: ignore[typeddict-item]
        return arange(_start(first), *_given("end", end), step, **options)
    first = 0 if start is NOT_GIVEN else start
    last: Any = end
    if end is NOT_GIVEN:
        first, (last,) = 0, _given("end", start)
        if step is not NOT_GIVEN:
            raise TypeError("arange(): a step needs a start and an end: arange(start, end, step)")
    first, last, by = (_number(x) for x in (first, last, 1 if step is NOT_GIVEN else step))
    if not (by > 0 or by < 0):
        raise RuntimeError(f"step must be nonzero, but got {by}")
    if not (math.isfinite(first) and math.isfinite(last)):
        raise RuntimeError(f"unsupported range: {first} -> {last}")
    if (last - first) * by < 0:
        raise RuntimeError(f"upper bound and lower bound inconsistent with step sign: from {first} to {last} by {by}")
    whole = all(isinstance(x, int) for x in (first, last, by))
    for x in (first, last, by):
        element(x, np.dtype(np.int64 if whole else np.float64))
    d, requires_grad = read("arange", options, np.dtype(np.int64) if whole else dtypes.default_numpy())
    n = math.ceil((last - first) / by)
    _not_of_truths("arange", d)
    if (
        d.kind in "iu"
    ):  # in a type of whole numbers the ends and the step are such, and only int64 counts them in its own
        first, last, by = (element(x, np.dtype(np.int64)) for x in (first, last, by))
        if d == np.int64:
            if not by:
                raise ValueError(
                    "arange(): step must be nonzero, and in a type of whole numbers its fraction is cut off"
                )
            n = max(0, -((first - last) // by))
    # first + i · by, computed in double (or whole numbers) and rounded once, as PyTorch does.
    index = np.arange(n, dtype=np.int64 if whole else np.float64)
    return leaf((first + index * by).astype(d), requires_grad)


def range(start: Number = 0, end: Number | None = None, step: Number = 1, **options: Unpack[LayoutOptions]) -> Tensor:
    """start, start + step, ... up to and including end, in a floating type. Deprecated. PyTorch: torch.range."""
    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with "
        "Python's range builtin. Instead, use torch.arange, which produces values in [start, end).",
        stacklevel=2,
    )
    if end is None:
        raise TypeError('range() missing 1 required positional arguments: "end"')
    start, end, step = _number(start), _number(end), _number(step)
    d, requires_grad = read("range", options, dtypes.default_numpy(), LayoutOptions)
    _not_of_truths("range", d)
    if d.kind in "iu" and all(map(math.isfinite, (start, end, step))):  # the elements are counted in that type
        start, end, step = int(start), int(end), int(step)
    if step == 0 or step != step:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    index = np.arange(math.floor((end - start) / step) + 1, dtype=np.float64)
    return leaf((start + index * step).astype(d), requires_grad)


def _not_of_truths(function: str, d: np.dtype) -> None:
    if d.kind == "b":
        raise NotImplementedError(f"\"{function}_cpu\" not implemented for 'Bool'; give another dtype")


def _check_ends(function: str, start: Any, end: Any, d: np.dtype) -> None:
    for x in (start, end):
        if isinstance(x, Variable) and x.array.ndim:
            raise RuntimeError(
                f"{function} only supports 0-dimensional start and end tensors, but got {x.array.ndim} dimension(s)."
            )
        if isinstance(x, int):
            dtypes.scalar_numpy(x)  # OverflowError beyond 64 bits
    _not_of_truths(function, d)


def _check_fit(start: Any, end: Any, steps: int, d: np.dtype) -> None:
    """RuntimeError unless the type d holds the ends that so many steps reach."""
    for x in (start, end)[: max(steps, 0)]:
        element(_number(x), d)


@quiet
def linspace(start: Tensor | Number, end: Tensor | Number, steps: int, **options: Unpack[TensorOptions]) -> Tensor:
    """`steps` values from start to end, both included, at equal distances. PyTorch: torch.linspace."""
    d, requires_grad = read("linspace", options, dtypes.default_numpy())
    _check_ends("linspace", start, end, d)
    if steps < 0:
        raise RuntimeError(f"number of steps must be non-negative, got {steps}")
    _check_fit(start, end, steps, d)
    return leaf(equal_steps(float(_number(start)), float(_number(end)), steps, d), requires_grad)


@quiet
def logspace(
    start: Tensor | Number, end: Tensor | Number, steps: int, base: float = 10.0, **options: Unpack[TensorOptions]
) -> Tensor:
    """base to the powers `linspace(start, end, steps)`. PyTorch: torch.logspace."""
    d, requires_grad = read("logspace", options, dtypes.default_numpy())
    _check_ends("logspace", start, end, d)
    _check_fit(start, end, steps, d)
    powers = equal_steps(float(_number(start)), float(_number(end)), steps, np.dtype(np.float64))
    return leaf(np.power(float(base), powers).astype(d), requires_grad)


def eye(n: int, m: int | None = None, **options: Unpack[TensorOptions]) -> Tensor:
    """An n by m matrix (n by n) with ones on its diagonal. PyTorch: torch.eye."""
    d, requires_grad = read("eye", options, dtypes.default_numpy())
    if n < 0 or (m is not None and m < 0):
        raise RuntimeError(f"n and m must be greater or equal to 0, got {n} and {m}")
    return leaf(np.eye(n, m, dtype=d), requires_grad)


def tril_indices(row: int, col: int, offset: int = 0, **options: Unpack[TensorOptions]) -> Tensor:
    """The indices (2, n) of the lower triangle of a row by col matrix. PyTorch: torch.tril_indices."""
    _check_matrix(row, col, offset)
    return _indices("tril_indices", np.tril_indices(row, offset, col), options)


def triu_indices(row: int, col: int, offset: int = 0, **options: Unpack[TensorOptions]) -> Tensor:
    """The indices (2, n) of the upper triangle of a row by col matrix. PyTorch: torch.triu_indices."""
    _check_matrix(row, col, offset)
    return _indices("triu_indices", np.triu_indices(row, offset, col), options)


def _check_matrix(row: int, col: int, offset: int) -> None:
    for name, n in (("row", row), ("col", col)):
        if not 0 <= n < 2**63:
            raise RuntimeError(f"{name} must be non-negative, got {n}")
    if not -(2**63) <= offset < 2**63:
        raise RuntimeError(f"offset does not fit 64 bits: {offset}")


def _indices(function: str, found: tuple[np.ndarray, ...], options: TensorOptions) -> Tensor:
    d, requires_grad = read(function, options, np.dtype(np.int64))
    if d not in (np.dtype(np.int64), np.dtype(np.int32)):
        raise NotImplementedError(f"\"{function}\" not implemented for '{dtypes.cxx_name(d)}'; give int64 or int32")
    return leaf(np.stack(found).astype(d), requires_grad)


# -- methods of a tensor that make others, in its type where none is given


def new_tensor(self: Tensor, data: Any, **options: Unpack[DataOptions]) -> Tensor:
    """A new leaf with a copy of data, in this tensor's type."""
    d, requires_grad = read("new_tensor", options, self.array.dtype, DataOptions)
    return leaf(_to_array(data, d), requires_grad)


def new_zeros(self: Tensor, *sizes: Any, size: Any = NOT_GIVEN, **options: Unpack[TensorOptions]) -> Tensor:
    """Zeros of shape size, in this tensor's type."""
    d, requires_grad = read("new_zeros", options, self.array.dtype)
    return leaf(np.zeros(read_size("new_zeros", sizes, size), d), requires_grad)


def new_ones(self: Tensor, *sizes: Any, size: Any = NOT_GIVEN, **options: Unpack[TensorOptions]) -> Tensor:
    """Ones of shape size, in this tensor's type."""
    d, requires_grad = read("new_ones", options, self.array.dtype)
    return leaf(np.ones(read_size("new_ones", sizes, size), d), requires_grad)


def new_empty(self: Tensor, *sizes: Any, size: Any = NOT_GIVEN, **options: Unpack[TensorOptions]) -> Tensor:
    """Unset memory of shape size, in this tensor's type."""
    d, requires_grad = read("new_empty", options, self.array.dtype)
    return leaf(np.empty(read_size("new_empty", sizes, size), d), requires_grad)


def new_empty_strided(
    self: Tensor, size: Sequence[int], stride: Sequence[int], **options: Unpack[TensorOptions]
) -> Tensor:
    """Unset memory of shape size, whose elements lie stride apart by dimension, in this tensor's type."""
    d, requires_grad = read("new_empty_strided", options, self.array.dtype)
    return leaf(strided_memory("new_empty_strided", size, stride, d), requires_grad)


@quiet
def new_full(self: Tensor, size: Sequence[int], fill_value: Number, **options: Unpack[TensorOptions]) -> Tensor:
    """fill_value in shape size, in this tensor's type."""
    d, requires_grad = read("new_full", options, self.array.dtype)
    value = element(_fill_value("new_full", fill_value), d)
    return leaf(np.full(read_size("new_full", (), size), value, d), requires_grad)
