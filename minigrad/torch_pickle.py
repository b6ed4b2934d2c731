"""The pickles in files of torch.save: read without running anything that they name.

A pickle is a small program: it may name any function of any module and call it, and it may set attributes of what it named.
Here it can name only what `_allowed` lists, which builds tensors, containers and plain values; it can set nothing but the
attributes of an `OrderedDict` that it made and the content of NumPy's arrays; and it can ask for no more memory than the
file has bytes. Python's own reader in C is not used, as it makes room for as many values as a pickle says it has.
"""

from __future__ import annotations

import codecs
import io
import pickle
import re
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from . import dtypes
from .autograd.variable import wrap
from .device import device
from .nn.parameter import Parameter
from .size import Size
from .structure import Refused, window
from .tensor import Tensor
from .tensor_options import strided

Memory = np.ndarray  # a block of memory that tensors look into; bfloat16 has become float32


def _tensor(memory: Memory, offset: int, size: tuple, stride: tuple, requires_grad: bool = False, *_: Any) -> Any:
    """`torch._utils._rebuild_tensor_v2`: a view of a block of memory."""
    tensor: Any = wrap(window(memory, offset, tuple(size), tuple(stride)))
    return tensor.requires_grad_(bool(requires_grad))


def _tensor_of_type(
    memory: Memory, offset: int, size: tuple, stride: tuple, requires_grad: bool, hooks: Any, dtype: Any, *_: Any
) -> Any:
    """`torch._utils._rebuild_tensor_v3`: the memory is bytes of `dtype`."""
    return _tensor(memory.view(dtypes.to_numpy(dtype)), offset, size, stride, requires_grad)


def _parameter(data: Any, requires_grad: bool, hooks: Any = None, state: Any = None) -> Any:
    """`torch._utils._rebuild_parameter` and `_rebuild_parameter_with_state`."""
    return _with_attributes(Parameter(data, requires_grad), state)


def _of_type(rebuild: Callable, kind: Any, args: tuple, state: Any) -> Any:
    """`torch._tensor._rebuild_from_type_v2`: a tensor with attributes of the user's."""
    return _with_attributes(rebuild(*args), state)


def _with_attributes(tensor: Any, state: Any) -> Any:
    for name, value in (state or {}).items():
        if name in ("_is_buffer", "persistent", "_is_param"):  # the marks by which PyTorch knows its buffers
            continue
        if not (isinstance(name, str) and name.isidentifier()) or name.startswith("_") or hasattr(Tensor, name):
            raise ValueError(f"it sets the attribute {name!r} of a tensor")
        setattr(tensor, name, value)
    return tensor


# -- NumPy's arrays and scalars


def _numpy_type(name: str, *_: Any) -> np.dtype:
    """`numpy.dtype`, of numbers and text; a copy, whose byte order the pickle sets next."""
    if not isinstance(name, str) or not re.fullmatch(r"[<>|=]?[biufcSU][0-9]{1,4}|[<>|=]?M8|[<>|=]?m8", name):
        raise ValueError(f"it holds an array of type {name!r}")
    return np.dtype(name, copy=True)  # type: ignore[call-overload]


def _numpy_scalar(kind: np.dtype, raw: bytes) -> Any:
    """`numpy._core.multiarray.scalar`"""
    if kind.hasobject or len(raw) != kind.itemsize:
        raise ValueError(f"a number of type {kind} in {len(raw)} bytes")
    return np.frombuffer(raw, kind)[0]


def _empty_array(*_: Any) -> np.ndarray:
    """`numpy._core.multiarray._reconstruct`: an array that the pickle fills next."""
    return np.empty(0, np.int8)


def _array_of_bytes(raw: bytes, kind: np.dtype, shape: tuple, order: str) -> np.ndarray:
    """`numpy._core.numeric._frombuffer`"""
    return np.frombuffer(raw, kind).reshape(shape, order=order).copy()  # type: ignore[call-overload]


def _fill(made: Any, state: Any) -> None:
    """What a pickle may set of an object after making it."""
    if type(made) is OrderedDict and isinstance(state, dict):
        vars(made).update(state)
    elif isinstance(made, np.ndarray):
        _, shape, kind, columns_first, raw = state
        if kind.hasobject or not isinstance(raw, bytes) or any(type(n) is not int or n < 0 for n in shape):
            raise ValueError(f"it holds an array of {kind}")
        if len(raw) != int(np.prod(shape, dtype=object)) * kind.itemsize:
            raise ValueError(f"an array of shape {shape} and type {kind} in {len(raw)} bytes")
        made.__setstate__((1, shape, kind, bool(columns_first), raw))  # type: ignore[arg-type]
    elif isinstance(made, np.dtype):
        order = state[1]
        if order not in ("<", ">", "=", "|") or any(part is not None for part in state[2:5]):
            raise ValueError("it holds an array of several fields")
        made.__setstate__(state)  # type: ignore[attr-defined]
    elif state is not None:
        raise ValueError(f"it sets attributes of a {type(made).__name__}")


# -- what may be named


def _encoded(text: str, encoding: str = "latin1") -> bytes:
    """`_codecs.encode`: how bytes are written in PyTorch's pickles."""
    if codecs.lookup(encoding).name != "iso8859-1":
        raise ValueError(f"it encodes text as {encoding}")
    return text.encode("latin1")


def _bytearray(content: Any = b"", *encoding: Any) -> bytearray:
    if isinstance(content, str):
        content = _encoded(content, *encoding)
    if not isinstance(content, bytes | list):  # a number would be a length
        raise ValueError("it makes a bytearray of another length than its own")
    return bytearray(content)


def _no_bytes() -> bytes:
    """How protocol 2 writes b""; a number would be a length."""
    return b""


def _path(*parts: str) -> Path:
    return Path(*parts)


def _layout(name: str) -> Any:
    """`torch.serialization._get_layout`"""
    if name != "torch.strided":
        raise ValueError(f"it holds the layout {name}, which minigrad has not")
    return strided


_BUILTINS = ("builtins", "__builtin__")

# The types of Python's own are immutable; any other function is handed out as a new one each time, which no pickle can spoil.
_ALLOWED: dict[tuple[str, str], Any] = {
    **{(module, t.__name__): t for module in _BUILTINS for t in (set, complex)},
    **{(module, "bytearray"): _bytearray for module in _BUILTINS},
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "Counter"): Counter,
    ("_codecs", "encode"): _encoded,
    ("torch", "Size"): Size,
    ("torch", "device"): device,
    ("torch", "Tensor"): Tensor,
    ("torch.serialization", "_get_layout"): _layout,
    ("torch.nn.parameter", "Parameter"): Parameter,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _tensor_of_type,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): _of_type,
    **{("torch", d.name): d for d in dtypes.ALL},
    **{("torch", f"{d.cxx_name}Storage"): d for d in dtypes.ALL},
    ("torch.storage", "UntypedStorage"): None,
}  # fmt: skip

# What PyTorch reads with weights_only=False alone, and is as harmless here.
_MORE: dict[tuple[str, str], Any] = {
    **{(module, t.__name__): t for module in _BUILTINS for t in (list, dict, frozenset, tuple, int, float, str, bool)},
    **{(module, "bytes"): _no_bytes for module in _BUILTINS},
    ("__builtin__", "long"): int,  # as protocol 2 names it
    ("__builtin__", "unicode"): str,
    ("collections", "defaultdict"): defaultdict,
    **{("datetime", t.__name__): t for t in (date, datetime, time, timedelta)},
    **{(module, name): _path for module in ("pathlib", "pathlib._local")
       for name in ("Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath")},
    ("numpy", "dtype"): _numpy_type,
    ("numpy", "ndarray"): np.ndarray,
    **{(f"numpy.{core}.multiarray", "scalar"): _numpy_scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _empty_array for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _array_of_bytes for core in ("core", "_core")},
}  # fmt: skip

_WHY_NOT = {
    "_rebuild_sparse_tensor": "a sparse tensor, which minigrad has not; save x.to_dense() in PyTorch",
    "_rebuild_qtensor": "a quantized tensor, which minigrad has not",
    "Namespace": "not a tensor or a container; save vars(args)",
}


def _named(module: str, name: str, weights_only: bool) -> Any:
    """What a pickle gets for a name; ValueError for one that is not allowed."""
    place = module, name
    if place not in _ALLOWED and (weights_only or place not in _MORE):
        if place in _MORE:
            why = "not a tensor or a container of PyTorch's; pass weights_only=False: no code is run in either case"
        elif module == "torch" and name.lower().startswith("complex"):
            why = "of complex numbers, which minigrad has not"
        else:
            why = _WHY_NOT.get(
                name, "not a tensor or a container; in PyTorch, save the state_dict() and plain values only"
            )
        raise Refused(f"it names {module}.{name}, which is {why}")
    known = _ALLOWED[place] if place in _ALLOWED else _MORE[place]
    harmless = not callable(known) or getattr(known, "__module__", "") in ("builtins", "collections", "datetime")
    return known if harmless else _Name(known)


class _Name:
    """A name that the pickle may call, and do nothing else with."""

    __slots__ = ("_function",)

    def __init__(self, function: Any) -> None:
        self._function = function

    def __call__(self, *args: Any) -> Any:
        if self._function in (Tensor, Parameter, np.ndarray):  # these say of what type something is
            raise ValueError(f"it calls {self._function.__name__}")
        return self._function(*args)


_Reader: Any = pickle._Unpickler  # type: ignore[attr-defined]  # Python's own, written in Python


class Unpickler(_Reader):
    """One pickle of a stream. storage(arguments): the block of memory that a persistent id names."""

    def __init__(self, stream: io.BytesIO, storage: Callable[[tuple], Memory], weights_only: bool = True) -> None:
        super().__init__(stream)
        self._stream, self._storage, self._weights_only = stream, storage, weights_only

    def find_class(self, module: str, name: str) -> Any:
        return _named(module, name, self._weights_only)

    def persistent_load(self, pid: Any) -> Memory:
        if not isinstance(pid, tuple) or pid[0] not in ("storage", b"storage"):
            raise ValueError(f"it refers to {str(pid)[:80]!r}, which is not a block of memory")
        return self._storage(pid[1:])

    def _build(self) -> None:
        state = self.stack.pop()
        _fill(self.stack[-1], state)

    def _new_object(self) -> None:
        args = self.stack.pop()
        self.stack.append(self.stack.pop()(*args))

    def _bytes_of_length(self) -> None:
        length = int.from_bytes(self.read(8), "little")
        if length > len(self._stream.getbuffer()):
            raise ValueError(f"it announces {length} bytes")
        self.append(bytearray(self.read(length)))

    dispatch: ClassVar = {
        **{code: run for code, run in _Reader.dispatch.items()
           if code not in {c[0] for c in (pickle.EXT1, pickle.EXT2, pickle.EXT4, pickle.INST, pickle.OBJ, pickle.NEWOBJ_EX,
                                          pickle.NEXT_BUFFER, pickle.READONLY_BUFFER)}},
        pickle.BUILD[0]: _build,
        pickle.NEWOBJ[0]: _new_object,
        pickle.BYTEARRAY8[0]: _bytes_of_length,
    }  # fmt: skip
