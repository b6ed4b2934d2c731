"""Element types, PyTorch's names for them, and the rules by which two types meet.

NumPy does the arithmetic, but where two types meet PyTorch decides differently from NumPy:

* an integer tensor and a float give the *default* float type (float32), not float64;
* a Python number never widens a tensor of its own category (``int8 + 1`` stays ``int8``);
* neither does a tensor without dimensions (``float32[3] + float64[]`` stays ``float32``).

Source: PyTorch, "Type promotion" (torch.Tensor attributes, ``torch.result_type``).
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .foreign import said

if TYPE_CHECKING:
    from .tensor import Tensor

_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2}  # by NumPy's letter for the kind: bool < integer < float


@functools.lru_cache(maxsize=128)
def constant(value: float, d: np.dtype) -> np.ndarray:
    """A number as an array without dimensions, for arithmetic with arrays of the same type; not to be written to.

    The result is the same to the bit as with the number itself, which NumPy has to make such an array of at every call: of a
    small operation that is half of the time.
    """
    array = np.array(value, d)
    array.flags.writeable = False
    return array


class dtype:
    """An element type: a NumPy dtype under PyTorch's name. Compare with ``is`` or ``==``.

    cxx_name: what PyTorch's messages call it ("Long"); with "Tensor" behind it the name of the tensor's type, with
    "Storage" that of its memory in a file of torch.save. safetensors: its name in a safetensors file ("I64").
    """

    __slots__ = ("category", "cxx_name", "is_floating_point", "is_signed", "itemsize", "name", "numpy", "safetensors")

    def __init__(self, name: str, numpy_type: Any, itemsize: int, cxx_name: str, safetensors: str) -> None:
        self.name, self.cxx_name, self.safetensors = name, cxx_name, safetensors
        self.numpy: np.dtype | None = np.dtype(numpy_type) if numpy_type is not None else None
        self.itemsize = itemsize
        kind = "f" if self.numpy is None else self.numpy.kind
        self.is_floating_point = kind == "f"
        self.is_signed = kind in "fi"
        self.category = _CATEGORY[kind]

    @property
    def is_complex(self) -> bool:
        return False

    def __repr__(self) -> str:
        return f"minigrad.{self.name}"

    def __reduce__(self) -> str:
        return "bool_" if self.name == "bool" else self.name  # unpickled as the one object of that name here


# The table of types: PyTorch's name, NumPy's type, bytes, the name in PyTorch's C++, the code in safetensors files.
float64 = dtype("float64", np.float64, 8, "Double", "F64")
float32 = dtype("float32", np.float32, 4, "Float", "F32")
float16 = dtype("float16", np.float16, 2, "Half", "F16")
bfloat16 = dtype("bfloat16", None, 2, "BFloat16", "BF16")  # NumPy has none: it is read from files and converted
int64 = dtype("int64", np.int64, 8, "Long", "I64")
int32 = dtype("int32", np.int32, 4, "Int", "I32")
int16 = dtype("int16", np.int16, 2, "Short", "I16")
int8 = dtype("int8", np.int8, 1, "Char", "I8")
uint8 = dtype("uint8", np.uint8, 1, "Byte", "U8")
# minigrad.bool: the package gives it, and `float`, `int`, ..., their short names
bool_ = dtype("bool", np.bool_, 1, "Bool", "BOOL")

ALL = (float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8, bool_)
_FROM_NUMPY = {d.numpy: d for d in ALL if d.numpy is not None}

_BY_PYTHON_TYPE = {float: np.dtype(np.float64), int: np.dtype(np.int64), bool: np.dtype(np.bool_)}

_default = float32
_default_numpy = np.dtype(np.float32)


def set_default_dtype(d: dtype) -> None:
    """Make ``d`` the type of tensors made from Python floats. PyTorch: torch.set_default_dtype."""
    global _default, _default_numpy
    if d not in (float32, float64):
        raise TypeError(f"set_default_dtype: only float32 and float64 are supported as the default type, got {d}")
    assert d.numpy is not None
    _default, _default_numpy = d, d.numpy


def get_default_dtype() -> dtype:
    """The type of tensors made from Python floats: ``float32`` unless it was changed."""
    return _default


def default_numpy() -> np.dtype:
    """The default float type as NumPy's dtype."""
    return _default_numpy


def from_numpy(d: np.dtype) -> dtype:
    """The minigrad dtype of a NumPy dtype; TypeError where there is none."""
    try:
        return _FROM_NUMPY[d]
    except KeyError:
        names = ", ".join(x.name for x in _FROM_NUMPY.values())
        raise TypeError(
            f"can't convert np.ndarray of type {d}. The only supported types are: {names}; convert it with .astype first."
        ) from None


def to_numpy(d: Any) -> np.dtype:
    """The NumPy dtype of a minigrad dtype (Python's ``float``, ``int`` and ``bool`` are taken as PyTorch takes them)."""
    if isinstance(d, dtype):
        if d.numpy is None:
            raise TypeError("bfloat16 tensors can be read from files but not computed with; use float32")
        return d.numpy
    if isinstance(d, type) and d in _BY_PYTHON_TYPE:
        return _BY_PYTHON_TYPE[d]
    raise TypeError(f"dtype must be a minigrad.dtype such as minigrad.float32, got {d!r} ({type(d).__name__})")


def cxx_name(d: np.dtype) -> str:
    """What PyTorch's messages call the type of an array: Float, Long, ..."""
    return _FROM_NUMPY[d].cxx_name


def legacy_name(d: np.dtype) -> str:
    """The name that PyTorch's `Tensor.type()` gives to a tensor of this type: FloatTensor, LongTensor, ..."""
    return f"{_FROM_NUMPY[d].cxx_name}Tensor"


def from_legacy_name(name: str) -> dtype:
    """The dtype of a tensor type by its name, as in torch.FloatTensor or what `Tensor.type()` gives."""
    for d in ALL:
        if name in (f"minigrad.{d.cxx_name}Tensor", f"torch.{d.cxx_name}Tensor"):
            return d
    raise ValueError(f"invalid type: '{name}'; give a dtype, for instance minigrad.float32")


def of_type(kind: Any) -> dtype:
    """The dtype that `Tensor.type(kind)` means: a dtype, a tensor type (FloatTensor, ...), or the name of one."""
    if isinstance(kind, str):
        return from_legacy_name(kind)
    if isinstance(kind, type):
        if getattr(kind, "is_cuda", False) is True:
            raise RuntimeError(f"{kind.__module__}.{kind.__name__}: minigrad computes on the CPU only")
        kind = getattr(kind, "dtype", kind)
    if isinstance(kind, dtype):
        return kind
    if isinstance(kind, type):
        raise ValueError(f"invalid type: '{kind.__name__}'; give a dtype, for instance minigrad.float32")
    raise TypeError(f"dtype must be a type, str, or dtype object, not {type(kind).__name__}")


def widened(bits: np.ndarray) -> np.ndarray:
    """bfloat16, which NumPy has not, given as uint16: float32 with the same bits in front and zeros behind."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def promote_numpy(a: np.dtype, b: np.dtype) -> np.dtype:
    """The type in which values of types ``a`` and ``b`` meet, by PyTorch's table."""
    if a == b:
        return a
    ca, cb = _CATEGORY[a.kind], _CATEGORY[b.kind]
    if ca != cb and 2 in (ca, cb):  # a float absorbs integers of any width
        return a if ca == 2 else b
    return np.promote_types(a, b)


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """PyTorch: torch.promote_types."""
    return from_numpy(promote_numpy(to_numpy(type1), to_numpy(type2)))


def result_numpy(a: Any, b: Any) -> np.dtype:
    """The type of ``a op b`` for arrays (their number of dimensions counts) and Python numbers.

    Three ranks: arrays with dimensions, arrays without, Python numbers. A lower rank changes the result only
    where its category (bool < integer < float) is higher. PyTorch: torch.result_type.
    """
    ranked: list[np.dtype | None] = [None, None, None]
    for x in (a, b):
        if isinstance(x, np.ndarray):
            rank, d = (0 if x.ndim else 1), x.dtype
        else:
            rank, d = 2, scalar_numpy(x)
            if isinstance(x, int) and x >= 2**63 and all(d is None or d.kind == "b" for d in ranked):
                raise RuntimeError(f"Promotion for uint64 is not supported, attempted to promote Bool and {x}")
        seen = ranked[rank]
        ranked[rank] = d if seen is None else promote_numpy(seen, d)
    result: np.dtype | None = None
    for d in ranked:
        if d is not None and (result is None or _CATEGORY[d.kind] > _CATEGORY[result.kind]):
            result = d
    assert result is not None
    return result


def can_cast(from_: dtype, to: dtype) -> bool:
    """Whether a result of type `from_` may be written to a tensor of type `to`. PyTorch: torch.can_cast."""
    a, b = to_numpy(from_), to_numpy(to)
    return _CATEGORY[a.kind] <= _CATEGORY[b.kind]


def result_type(tensor1: Tensor | float, tensor2: Tensor | float, /) -> dtype:
    """The type of an operation on the two (tensors or numbers). PyTorch: torch.result_type."""
    return from_numpy(result_numpy(getattr(tensor1, "array", tensor1), getattr(tensor2, "array", tensor2)))


def scalar_numpy(x: Any) -> np.dtype:
    """The type of a Python number as a tensor: bool, int64, or the default float."""
    if isinstance(x, bool | np.bool_):
        return _BY_PYTHON_TYPE[bool]
    if isinstance(x, int | np.integer):
        if not -(2**63) <= x < 2**64:
            raise OverflowError(f"the integer {x} does not fit 64 bits; give a float, or a smaller number")
        return _BY_PYTHON_TYPE[int]
    return _default_numpy


def plain(x: float) -> float:
    """A Python number as its own type: of NumPy's float64 and of a program's subclass (an IntEnum, ...) the number that it is.

    NumPy would take an object of a subclass for an array, with a type that widens the other operand.
    """
    return x if type(x) in _BY_PYTHON_TYPE else float.__pos__(x) if isinstance(x, float) else int.__pos__(x)


def wrapped(x: float, d: np.dtype) -> float:
    """A Python integer as a type of fewer bits holds it (-3 is 253 in uint8), where NumPy would raise."""
    return int(np.array(x).astype(d)) if d.kind in "iu" and type(x) is int else x


def element(x: float, d: np.dtype) -> Any:
    """A Python number as an element of type d; RuntimeError where PyTorch says that it does not fit.

    Fractions are cut; a negative integer in an unsigned type is the number that its bits spell. Source: c10::overflows.
    """
    scalar_numpy(x)
    if d.kind == "b":
        return bool(x)
    if d.kind == "f":
        fits = not math.isfinite(x) or abs(x) <= float(np.finfo(d).max)
    else:
        low, high = int(np.iinfo(d).min), int(np.iinfo(d).max)
        if d.kind == "u" and isinstance(x, int):
            low = -high
        fits = low <= x <= high  # never of nan
    if not fits:
        raise RuntimeError(f"value cannot be converted to type {from_numpy(d)} without overflow: {x}")
    return x if d.kind == "f" else wrapped(int(x), d)


class _Info:
    _fields: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={getattr(self, k)}' for k in self._fields)})"


_UNGIVEN: Any = object()  # (None is no type)


def _read_type(name: str, given: Any) -> dtype:
    """A type, or Python's that stands for one. Errors: TypeError for anything else."""
    for python, d in ((float, float64), (int, int64), (bool, bool_)):
        if given is python:
            return d
    if not isinstance(given, dtype):
        raise TypeError(f"{name}(): argument 'type' (position 1) must be minigrad.dtype, not {said(given)}")
    return given


class finfo(_Info):
    """Limits of a floating type: ``bits eps max min tiny smallest_normal resolution``. PyTorch: torch.finfo."""

    _fields = ("resolution", "min", "max", "eps", "smallest_normal", "tiny", "dtype")

    def __init__(self, type: Any = _UNGIVEN) -> None:
        d = _default if type is _UNGIVEN else _read_type("finfo", type)
        if not d.is_floating_point:
            raise TypeError(f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle '{d}'")
        self.dtype = d.name
        if d is bfloat16:  # which NumPy lacks: float32 with 7 bits of fraction in place of 23
            self.bits, self.eps, self.resolution = 16, 2.0**-7, 0.01
            self.max, self.smallest_normal = (2 - 2.0**-7) * 2.0**127, 2.0**-126
            self.min, self.tiny = -self.max, self.smallest_normal
            return
        info = np.finfo(to_numpy(d))
        self.bits = info.bits
        self.eps, self.max, self.min = info.eps.item(), info.max.item(), info.min.item()
        self.smallest_normal = self.tiny = info.smallest_normal.item()
        self.resolution = float(str(info.resolution))


class iinfo(_Info):
    """Limits of an integer type: ``bits max min``. PyTorch: torch.iinfo."""

    _fields = ("min", "max", "dtype")

    def __init__(self, type: Any) -> None:
        d = _read_type("iinfo", type)
        if d.is_floating_point or d is bool_:
            raise TypeError(f"torch.iinfo() requires an integer input type. Use torch.finfo to handle '{d}'")
        info = np.iinfo(to_numpy(d))
        self.bits, self.max, self.min = info.bits, info.max, info.min
        self.dtype = d.name
