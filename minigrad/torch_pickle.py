"""The pickles in files of torch.save: read without running anything that they name.

A pickle is a small program: it may name any function of any module and call it, and it may set attributes of what it named.
Here it can name only what `_allowed` lists, which builds tensors, containers and plain values; it can set nothing but the
attributes of an `OrderedDict` that it made and the content of NumPy's arrays; and it can ask for no more memory than the
file has bytes: what it calls takes plain values alone, and copies no more elements than that. Python's own reader in C is
not used, as it makes room for as many values as a pickle says it has.
"""

from __future__ import annotations

import codecs
import io
import math
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

_ELEMENTS = {d.numpy for d in dtypes.ALL if d.numpy is not None}


def shown(value: Any) -> str:
    """A value of a file for a message: short, whatever it is. The text of lists in lists can be longer than all memory."""
    if isinstance(value, str | bytes):
        return repr(value[:80])
    if isinstance(value, int) and value.bit_length() > 200:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, tuple | list) and len(value) <= 8 and all(isinstance(n, int | float) for n in value):
        return f"({', '.join(map(shown, value))})"
    return str(value) if value is None or isinstance(value, int | float) else f"a {type(value).__name__}"


def _is_true(flag: Any) -> bool:
    if not isinstance(flag, bool | int):
        raise ValueError(f"{shown(flag)} where True or False is wanted")
    return bool(flag)


def _tensor(memory: Memory, offset: int, size: tuple, stride: tuple, requires_grad: bool = False, *_: Any) -> Any:
    """`torch._utils._rebuild_tensor_v2`: a view of a block of memory."""
    if type(memory) is not np.ndarray or memory.ndim != 1 or memory.dtype not in _ELEMENTS:
        raise ValueError(f"a tensor in {shown(memory)}, which is no block of memory")
    if not (isinstance(size, tuple | list) and isinstance(stride, tuple | list)):
        raise ValueError(f"a tensor of shape {shown(size)}, stride {shown(stride)}")
    tensor: Any = wrap(window(memory, offset, size, stride))
    return tensor.requires_grad_(_is_true(requires_grad))


def _tensor_of_type(
    memory: Memory, offset: int, size: tuple, stride: tuple, requires_grad: bool, hooks: Any, dtype: Any, *_: Any
) -> Any:
    """`torch._utils._rebuild_tensor_v3`: the memory is bytes of `dtype`."""
    if type(memory) is not np.ndarray or memory.dtype != np.uint8:
        raise ValueError(f"a tensor in {shown(memory)}, which is no block of bytes")
    return _tensor(memory.view(dtypes.to_numpy(dtype)), offset, size, stride, requires_grad)


def _parameter(data: Any, requires_grad: bool, hooks: Any = None, state: Any = None) -> Any:
    """`torch._utils._rebuild_parameter` and `_rebuild_parameter_with_state`."""
    return _with_attributes(Parameter(data, _is_true(requires_grad)), state)


def _of_type(rebuild: Callable, kind: Any, args: tuple, state: Any) -> Any:
    """`torch._tensor._rebuild_from_type_v2`: a tensor with attributes of the user's."""
    if not isinstance(rebuild, _Name) or not rebuild.makes_tensors or type(args) is not tuple:
        raise ValueError(f"it makes a tensor by {shown(rebuild)}")
    return _with_attributes(rebuild(*args), state)


def _with_attributes(tensor: Any, state: Any) -> Any:
    if not isinstance(state or {}, dict):
        raise ValueError(f"it gives a tensor {shown(state)} for its attributes")
    for name, value in (state or {}).items():
        if name in ("_is_buffer", "persistent", "_is_param"):  # the marks by which PyTorch knows its buffers
            continue
        if not (isinstance(name, str) and name.isidentifier()) or name.startswith("_") or hasattr(Tensor, name):
            raise ValueError(f"it sets the attribute {shown(name)} of a tensor")
        setattr(tensor, name, value)
    return tensor


# -- NumPy's arrays and scalars


def _numpy_type(name: str, *_: Any) -> np.dtype:
    """`numpy.dtype`, of numbers and text; a copy, whose byte order the pickle sets next."""
    if not isinstance(name, str) or not re.fullmatch(r"[<>|=]?[biufcSU][0-9]{1,4}|[<>|=]?M8|[<>|=]?m8", name):
        raise ValueError(f"it holds an array of type {shown(name)}")
    return np.dtype(name, copy=True)  # type: ignore[call-overload]


def _numpy_scalar(kind: np.dtype, raw: bytes) -> Any:
    """`numpy._core.multiarray.scalar`"""
    if not isinstance(kind, np.dtype) or type(raw) is not bytes or kind.hasobject or len(raw) != kind.itemsize:
        raise ValueError(f"a number of type {shown(kind)} in {shown(raw)}")
    return np.frombuffer(raw, kind)[0]


def _empty_array(*_: Any) -> np.ndarray:
    """`numpy._core.multiarray._reconstruct`: an array that the pickle fills next."""
    return np.empty(0, np.int8)


def _array_of_bytes(raw: bytes, kind: np.dtype, shape: tuple, order: str) -> np.ndarray:
    """`numpy._core.numeric._frombuffer`"""
    if not isinstance(kind, np.dtype) or type(raw) not in (bytes, bytearray) or order not in ("C", "F"):
        raise ValueError(f"an array of type {shown(kind)} in {shown(raw)}")
    return np.frombuffer(raw, kind).reshape(shape, order=order).copy()  # type: ignore[call-overload]


def _fill(made: Any, state: Any) -> None:
    """What a pickle may set of an object after making it."""
    if type(made) is OrderedDict and type(state) is dict:
        vars(made).update(state)
    elif type(made) is np.ndarray:
        _fill_array(made, state)
    elif isinstance(made, np.dtype):
        _fill_type(made, state)
    elif state is not None:
        raise ValueError(f"it sets attributes of a {type(made).__name__}")


def _fill_array(made: np.ndarray, state: Any) -> None:
    """Shape, type and content of an array; only of one that has no content yet, since others may look at what it has."""
    _, shape, kind, columns_first, raw = state
    if made.size or not isinstance(kind, np.dtype) or kind.hasobject or type(raw) is not bytes:
        raise ValueError(f"it fills an array of {made.size} elements with {shown(raw)} of type {shown(kind)}")
    if type(shape) is not tuple or len(shape) > 64 or any(type(n) is not int or n < 0 for n in shape):
        raise ValueError(f"it holds an array of shape {shown(shape)}")
    if len(raw) != math.prod(shape) * kind.itemsize:
        raise ValueError(f"an array of shape {shown(shape)} and type {kind} in {len(raw)} bytes")
    made.__setstate__((1, shape, kind, _is_true(columns_first), raw))  # type: ignore[arg-type]


def _fill_type(made: np.dtype, state: Any) -> None:
    """The byte order of a type, and the unit of a time; all else must be as it is: flags could make addresses of numbers."""
    now = made.__reduce__()[2]  # type: ignore[index]
    plain = type(state) is tuple and len(state) == len(now) and state[1] in ("<", ">", "=", "|")
    if not plain or (state[0], *state[2:8]) != (now[0], *now[2:8]):
        raise ValueError("it holds an array of several fields, or of a type of its own")
    if len(state) > 8:
        fields, (unit, *numbers) = state[8]
        if fields not in (None, {}) or type(unit) is not bytes or any(type(n) is not int for n in numbers):
            raise ValueError("it holds times of a unit of its own")
    made.__setstate__(state)  # type: ignore[attr-defined]


# -- what may be named


def _encoded(text: str, encoding: str = "latin1") -> bytes:
    """`_codecs.encode`: how bytes are written in PyTorch's pickles."""
    if not (isinstance(text, str) and isinstance(encoding, str)) or codecs.lookup(encoding).name != "iso8859-1":
        raise ValueError(f"it encodes text as {shown(encoding)}")
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


def _size(shape: tuple = ()) -> Size:
    if not isinstance(shape, tuple | list) or any(type(n) is not int for n in shape):
        raise ValueError(f"it holds the shape {shown(shape)}")
    return Size(shape)


def _text(content: Any = "") -> str:
    """`str`, of no list: the text of lists in lists can be longer than all memory."""
    if not isinstance(content, str | int | float | None):
        raise ValueError(f"it makes text of {shown(content)}")
    return str(content)


def _layout(name: str) -> Any:
    """`torch.serialization._get_layout`"""
    if name != "torch.strided":
        raise ValueError(f"it holds the layout {shown(name)}, which minigrad has not")
    return strided


_BUILTINS = ("builtins", "__builtin__")

# The types of Python's own are immutable; any other function is handed out as a new one each time, which no pickle can spoil.
_ALLOWED: dict[tuple[str, str], Any] = {
    **{(module, t.__name__): t for module in _BUILTINS for t in (set, complex)},
    **{(module, "bytearray"): _bytearray for module in _BUILTINS},
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "Counter"): Counter,
    ("_codecs", "encode"): _encoded,
    ("torch", "Size"): _size,
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
    **{(module, t.__name__): t for module in _BUILTINS for t in (list, dict, frozenset, tuple, int, float, bool)},
    **{(module, "str"): _text for module in _BUILTINS},
    **{(module, "bytes"): _no_bytes for module in _BUILTINS},
    ("__builtin__", "long"): int,  # as protocol 2 names it
    ("__builtin__", "unicode"): _text,
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

    @property
    def makes_tensors(self) -> bool:
        return self._function in (_tensor, _tensor_of_type, _parameter)

    def __call__(self, *args: Any) -> Any:
        if self._function in (Tensor, Parameter, np.ndarray):  # these say of what type something is
            raise ValueError(f"it calls {self._function.__name__}")
        return self._function(*args)


_Reader: Any = pickle._Unpickler  # type: ignore[attr-defined]  # Python's own, written in Python


_PLAIN = (type(None), bool, int, float, complex, str, bytes, bytearray)
_CONTAINERS = (list, tuple, set, frozenset, dict)
_DEEPEST_KEY = 1000  # levels of tuples in a key


class Unpickler(_Reader):
    """One pickle of a stream. storage(arguments): the block of memory that a persistent id names."""

    def __init__(self, stream: io.BytesIO, storage: Callable[[tuple], Memory], weights_only: bool = True) -> None:
        super().__init__(stream)
        self._stream, self._storage, self._weights_only = stream, storage, weights_only
        self._may_copy = len(stream.getbuffer())  # elements, by all calls together
        self._may_hash = 10_000 + 10 * self._may_copy  # elements of tuples that are keys

    def find_class(self, module: str, name: str) -> Any:
        return _named(module, name, self._weights_only)

    def persistent_load(self, pid: Any) -> Memory:
        if (
            type(pid) is not tuple
            or not pid
            or type(pid[0]) not in (str, bytes)
            or pid[0] not in ("storage", b"storage")
        ):
            raise ValueError(f"it refers to {shown(pid)}, which is not a block of memory")
        return self._storage(pid[1:])

    def _call(self, function: Any, args: Any) -> Any:
        """`function(*args)`. What is Python's own gets plain values and containers alone: it would walk through any other."""
        if type(args) is not tuple:
            raise ValueError(f"it calls a function with {shown(args)}")
        for arg in args:
            if isinstance(arg, str | bytes | bytearray | list | tuple | set | frozenset | dict):
                self._may_copy -= len(arg)
        if self._may_copy < 0:
            raise ValueError("it copies more elements than it has bytes")
        if not isinstance(function, _Name):
            made = isinstance(function, type) and issubclass(function, _CONTAINERS)
            kinds = (*_PLAIN, *_CONTAINERS, type) if made else _PLAIN
            if not (callable(function) and all(isinstance(arg, kinds) for arg in args)):
                raise ValueError(f"it calls {shown(function)} with {shown(args)}")
            for arg in args if made else ():
                self._check_members(function, arg)
        return function(*args)

    def _as_key(self, key: Any) -> Any:
        """`key`, if its hash is soon found: that of tuples in tuples of each other takes time and stack without end."""
        waiting = [(key, 1)] if isinstance(key, tuple | frozenset) else []
        while waiting:
            inner, depth = waiting.pop()
            self._may_hash -= len(inner)
            if self._may_hash < 0 or depth > _DEEPEST_KEY:
                raise ValueError("it has keys of too many elements")
            waiting += [(part, depth + 1) for part in inner if isinstance(part, tuple | frozenset)]
        return key

    def _check_members(self, function: Any, arg: Any) -> None:
        """Members of a set are hashed, and so are the first ones of a dict's pairs."""
        if issubclass(function, list | tuple) or not isinstance(arg, list | tuple):
            return
        pairs = issubclass(function, dict) and not issubclass(function, Counter)
        for member in arg:
            if not pairs:
                self._as_key(member)
            elif isinstance(member, list | tuple) and member:
                self._as_key(member[0])
            else:
                raise ValueError(f"it makes a {function.__name__} of {shown(member)}")

    # -- codes that Python's reader would obey with any object

    def _reduce(self) -> None:
        args = self.stack.pop()
        self.stack.append(self._call(self.stack.pop(), args))

    def _build(self) -> None:
        state = self.stack.pop()
        _fill(self.stack[-1], state)

    def _bytes_of_length(self) -> None:
        length = int.from_bytes(self.read(8), "little")
        if length > len(self._stream.getbuffer()):
            raise ValueError(f"it announces {length} bytes")
        self.append(bytearray(self.read(length)))

    def _top(self, kind: type) -> Any:
        """What stands on top of the stack, if it is of that kind: others have methods of the same name."""
        made = self.stack[-1]
        if not isinstance(made, kind):
            raise ValueError(f"it fills a {type(made).__name__} as if it were a {kind.__name__}")
        return made

    def _append(self) -> None:
        value = self.stack.pop()
        self._top(list).append(value)

    def _appends(self) -> None:
        values = self.pop_mark()
        self._top(list).extend(values)

    def _set_item(self) -> None:
        value, key = self.stack.pop(), self._as_key(self.stack.pop())
        self._top(dict)[key] = value

    def _set_items(self) -> None:
        items = self.pop_mark()
        made = self._top(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            made[self._as_key(key)] = value

    def _dict(self) -> None:
        items = self.pop_mark()
        self.append({self._as_key(key): value for key, value in zip(items[::2], items[1::2], strict=True)})

    def _add_items(self) -> None:
        items = self.pop_mark()
        self._top(set).update(map(self._as_key, items))

    def _frozenset(self) -> None:
        members = self.pop_mark()  # after it, the stack is another
        self.append(frozenset(map(self._as_key, members)))

    dispatch: ClassVar = {
        **{code: run for code, run in _Reader.dispatch.items()
           if code not in {c[0] for c in (pickle.EXT1, pickle.EXT2, pickle.EXT4, pickle.INST, pickle.OBJ, pickle.NEWOBJ_EX,
                                          pickle.NEXT_BUFFER, pickle.READONLY_BUFFER)}},
        pickle.REDUCE[0]: _reduce, pickle.NEWOBJ[0]: _reduce, pickle.BUILD[0]: _build, pickle.BYTEARRAY8[0]: _bytes_of_length,
        pickle.APPEND[0]: _append, pickle.APPENDS[0]: _appends, pickle.ADDITEMS[0]: _add_items, pickle.FROZENSET[0]: _frozenset,
        pickle.SETITEM[0]: _set_item, pickle.SETITEMS[0]: _set_items, pickle.DICT[0]: _dict,
    }  # fmt: skip
