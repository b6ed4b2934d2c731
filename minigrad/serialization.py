"""Saving and loading: tensors as safetensors, everything around them as JSON in the same file's header.

`save` takes what a training program keeps: a state_dict, or nested containers of tensors and plain values (a checkpoint
with the optimizer's state). `load` gives it back; tensors that shared memory share it again. A safetensors file of any other
program (PyTorch, transformers) loads as a dict of tensors, and so do the tensors and plain values of a file that torch.save
wrote. No code is stored or run, and what a file may make us allocate is bounded by its length: a file from a stranger can do no
harm. A checksum in the header tells a file of ours in which a bit has changed.

The format: 8 bytes with the length of the header, the header (JSON: by name the type, shape and place of each tensor),
the bytes of the tensors. Source: Hugging Face, "safetensors" (the file format); PyTorch: torch.save, torch.load.
"""

from __future__ import annotations

import io
import math
import os
import pickle
import stat
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import dtypes, torch_file
from .autograd.variable import wrap
from .device import require_cpu
from .files import replacing
from .nn.module import Module
from .structure import Description, Refused, Restoration
from .torch_pickle import shown

_STRUCTURE = "minigrad.structure"  # the key of the metadata that holds what is not a tensor

# By the type's name in the file: NumPy's type, for bfloat16 (which NumPy has not) that of its bits.
_STORED = {d.safetensors: d.numpy or np.dtype(np.uint16) for d in dtypes.ALL}
# Types of arrays that no tensor has: NumPy's random state is of uint32.
_STORED_ARRAYS = _STORED | {f"U{8 * n}": np.dtype(f"u{n}") for n in (2, 4, 8)}
_CODES = {d: code for code, d in _STORED_ARRAYS.items() if code != dtypes.bfloat16.safetensors}


# -- saving

# The checksum is that of all bytes of the file, with zeros in its own place. The header is searched for it as written here:
# one that another program has written anew keeps no checksum of ours.
_CHECKSUM = "minigrad.crc32"
_MARK, _UNKNOWN = f'"{_CHECKSUM}": "'.encode(), b"00000000"

_with_checksum = True


def set_crc32_options(compute_crc32: bool) -> None:
    """Whether `save` writes a checksum into the file, as it does unless told otherwise; `load` checks the one that is there.

    PyTorch: torch.serialization.set_crc32_options.
    """
    global _with_checksum
    _with_checksum = bool(compute_crc32)


def get_crc32_options() -> bool:
    """Whether `save` writes a checksum. PyTorch: torch.serialization.get_crc32_options."""
    return _with_checksum


def _header(arrays: dict[str, np.ndarray], structure: Any) -> bytes:
    import json  # here, since few programs that import minigrad save

    checksum = {_CHECKSUM: _UNKNOWN.decode()} if _with_checksum else {}
    entries: dict[str, Any] = {"__metadata__": {"format": "pt", **checksum, _STRUCTURE: json.dumps(structure)}}
    end = 0
    for name, array in arrays.items():
        begin, end = end, end + array.nbytes
        entries[name] = {"dtype": _CODES[array.dtype], "shape": array.shape, "data_offsets": [begin, end]}
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)  # the tensors begin at a multiple of 8 bytes
    return struct.pack("<Q", len(text)) + text


def _bytes_of(array: np.ndarray) -> memoryview:
    """Its elements one after the other, little end first; without a copy where they lie so."""
    ordered = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
    return ordered.reshape(-1).view(np.uint8).data


def _checked(header: bytes, arrays: dict[str, np.ndarray]) -> bytes:
    """The header with the checksum of itself and of the arrays behind it."""
    value = zlib.crc32(header)
    for array in arrays.values():
        value = zlib.crc32(_bytes_of(array), value)
    return header.replace(_MARK + _UNKNOWN, _MARK + f"{value:08x}".encode(), 1)


def _write_all(file: Any, content: Any) -> None:
    """Write all of it, though a raw file or a pipe may take a part at a time."""
    left = memoryview(content)
    while True:
        written = file.write(left)
        if written is None and isinstance(file, io.RawIOBase):
            raise BlockingIOError(f"save: {getattr(file, 'name', file)} takes nothing now; give a file that waits")
        if not isinstance(written, int) or written >= len(left):  # what is no file of Python's returns anything
            return
        left = left[written:]


def save(obj: Any, f: Any) -> None:
    """Write `obj` to the path or binary file f. A path is written under another name and renamed: it is whole or not there.

    obj: a state_dict, or nested containers of tensors, arrays and plain values (also sets, named tuples, bytes, dtypes,
    paths, dates). A whole module is kept as the name of its class and its attributes. Of a file that is there, mode and owner
    are kept, and a link is followed. Errors: TypeError for what cannot be saved, files.NotWritten (RuntimeError and OSError)
    where no file can be written. PyTorch: torch.save.
    """
    if hasattr(obj, "state_dict") and not isinstance(obj, Module):
        raise TypeError(
            f"save: give {type(obj).__name__}.state_dict(), not the object itself: no code is stored in the file"
        )
    if not hasattr(f, "write") and not isinstance(f, str | os.PathLike):
        raise AttributeError(f"save: f must be a path or a file that is open for writing, not a {type(f).__name__}")
    if isinstance(f, io.TextIOBase):
        raise TypeError(f"save: {getattr(f, 'name', f)} is open as text; open it in binary mode, with 'wb'")
    try:
        found = Description(obj, _CODES)
        # Widest types first: then each tensor begins at a multiple of its element's size.
        arrays = dict(sorted(found.arrays.items(), key=lambda item: -item[1].itemsize))
        header = _header(arrays, found.root)
    except RecursionError:
        raise RecursionError(
            "save: the containers are nested too deeply; save them flat, in a list or a dict"
        ) from None
    if _with_checksum:
        header = _checked(header, arrays)

    def write(file: Any) -> None:
        _write_all(file, header)
        for array in arrays.values():
            _write_all(file, _bytes_of(array))

    if hasattr(f, "write"):
        write(f)
        return
    with replacing(os.fspath(f)) as file:
        write(file)


# -- loading


class UnpicklingError(RuntimeError, pickle.UnpicklingError, EOFError):
    """What `load` raises at a file that is damaged, or holds what is not loaded.

    PyTorch raises one of the three, by where the damage lies; this is all of them.
    """


# What reading comes to at bytes that are no file of tensors, or a damaged one.
_NOT_READ = (
    struct.error, ValueError, LookupError, AttributeError, TypeError, StopIteration, EOFError, ArithmeticError,
    RuntimeError, MemoryError, AssertionError, zlib.error,
)  # fmt: skip


class _Tensors(Mapping[str, np.ndarray]):
    """The tensors of a safetensors file, each made when it is asked for."""

    def __init__(self, entries: dict[str, Any], body: memoryview) -> None:
        self._entries, self._body = entries, body
        self._made: dict[str, np.ndarray] = {}
        places = []
        for name, entry in entries.items():
            kind, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
            if not all(type(n) is int and n >= 0 for n in (begin, end, *shape)):
                raise ValueError(f"tensor {name:.80} has a size or a place that is no whole number")
            if not begin <= end <= len(body):
                raise ValueError(f"tensor {name:.80} lies at bytes {begin} to {end} of {len(body)}")
            if kind not in _STORED_ARRAYS:
                raise ValueError(f"tensor {name:.80} has the type {shown(kind)}, which minigrad has not")
            if end - begin != math.prod(shape) * _STORED_ARRAYS[kind].itemsize:
                raise ValueError(f"tensor {name:.80} of shape {shown(shape)} has {end - begin} bytes")
            places.append((begin, end))
        reached = 0
        for begin, end in sorted(places):  # one after the other: else a short file could ask for much memory
            if begin != reached:
                raise ValueError(f"a tensor begins at byte {begin}, the one before it ends at {reached}")
            reached = end
        if reached != len(body):
            raise ValueError(f"its tensors take {reached} bytes of {len(body)}")

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._made:
            entry = self._entries[name]
            stored = _STORED_ARRAYS[entry["dtype"]]
            begin, end = entry["data_offsets"]
            flat = np.frombuffer(self._body[begin:end], stored.newbyteorder("<")).astype(stored)
            values = flat.reshape(entry["shape"])
            widen = entry["dtype"] == dtypes.bfloat16.safetensors
            self._made[name] = dtypes.widened(values) if widen else values
        return self._made[name]

    def __iter__(self) -> Any:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def _is_safetensors(data: bytes) -> bool:
    """Whether the first 8 bytes are the length of a header that fits into the file and looks like one."""
    if len(data) < 10:
        return False
    (length,) = struct.unpack("<Q", data[:8])
    return 2 <= length <= len(data) - 8 and data[8:9] == b"{"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; a name that stands twice in it would have two meanings."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in the header")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} stands in the header")


def _check(data: bytes, length: int, value: Any) -> None:
    """Compare the file with its checksum, if the header is as we write it."""
    place = data.find(_MARK, 8, 8 + length) + len(_MARK)
    if place < len(_MARK) or data[place : place + 8] != str(value).encode():
        return
    view = memoryview(data)
    found = zlib.crc32(view[place + 8 :], zlib.crc32(_UNKNOWN, zlib.crc32(view[:place])))
    if f"{found:08x}" != value:
        raise ValueError(f"its checksum is {found:08x}, {value} was written: some bytes have changed")


def _read(data: bytes, weights_only: bool) -> Any:
    """What a safetensors file holds."""
    import json

    if len(data) < 8:
        raise ValueError(f"it has {len(data)} bytes")
    (length,) = struct.unpack("<Q", data[:8])
    if length > len(data) - 8:
        raise ValueError(f"the header has {length} bytes, the file {len(data)}")
    header = json.loads(data[8 : 8 + length], object_pairs_hook=_once, parse_constant=_no_number)
    if not isinstance(header, dict):
        raise ValueError(f"the header is a {type(header).__name__}")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise ValueError("the metadata are no texts by name")
    if _CHECKSUM in metadata:
        _check(data, length, metadata[_CHECKSUM])
    tensors = _Tensors(header, memoryview(data)[8 + length :])
    if _STRUCTURE in metadata:
        return Restoration(json.loads(metadata[_STRUCTURE]), tensors, weights_only).root
    for name, entry in header.items():
        if entry["dtype"] not in _STORED:
            raise ValueError(f"tensor {name:.80} has the type {shown(entry['dtype'])}, which minigrad has not")
    return {name: wrap(array) for name, array in tensors.items()}


def _content(f: Any, name: str) -> bytes:
    """All bytes of a path or a file. Errors: UnpicklingError for what is no file, or larger than memory."""
    try:
        if hasattr(f, "read"):
            data = f.read()
        else:
            there = os.stat(f)
            if not (stat.S_ISREG(there.st_mode) or stat.S_ISDIR(there.st_mode)):
                raise UnpicklingError(f"{name} is a device, a pipe or a socket, which may never end; give a file")
            data = Path(f).read_bytes()
    except MemoryError:
        raise UnpicklingError(f"{name} is larger than the memory that is free") from None
    if isinstance(data, str):
        raise TypeError(f"load: {name} is open as text; open it in binary mode, with 'rb'")
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"load: {name}.read() gave a {type(data).__name__}, not bytes")
    return bytes(data)


def _why(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "it asks for more memory than is free"
    if isinstance(error, RecursionError):
        return "its containers are nested too deeply"
    if isinstance(error, EOFError) and not str(error):
        return "it ends too early"
    return str(error)[:500] or type(error).__name__


def load(f: Any, map_location: Any = None, *, weights_only: bool | None = None, mmap: bool | None = None) -> Any:
    """What `save` wrote to the path or binary file f; for other safetensors files a dict of tensors; for a file of
    torch.save its tensors and plain values.

    What a file is is told by its content. bfloat16 becomes float32. map_location must be the CPU. weights_only=False: also
    whole modules that `save` wrote, if their classes are there, and of a file of torch.save NumPy's arrays, paths and dates;
    no code of the file's is run in either case. Errors: UnpicklingError (RuntimeError, pickle.UnpicklingError and EOFError) for what is
    damaged, or holds what is neither tensor, container nor plain value. PyTorch: torch.load.
    """
    for place in map_location.values() if isinstance(map_location, dict) else (map_location,):
        require_cpu(None if callable(place) else place)
    if mmap:
        raise NotImplementedError("load: mmap=True is not supported; the file is read into memory")
    if not hasattr(f, "read") and not isinstance(f, str | os.PathLike):
        raise AttributeError(f"load: f must be a path or a file that is open for reading, not a {type(f).__name__}")
    name = str(getattr(f, "name", "the file given" if hasattr(f, "read") else f))
    data = _content(f, name)
    read: Any = _read
    if not _is_safetensors(data):
        read = torch_file.reader(data) or _read
    try:
        return read(data, weights_only is not False)
    except Refused as error:
        raise UnpicklingError(
            f"{name} holds more than tensors, containers and plain values: {str(error)[:500]}"
        ) from None
    except _NOT_READ as error:
        raise UnpicklingError(
            f"{name} is no file of tensors, or it is damaged or cut off ({_why(error)}); write or fetch it again"
        ) from None
