"""Saving and loading: tensors as safetensors, everything around them as JSON in the same file's header.

`save` takes what a training program keeps: a state_dict, or nested containers of tensors and plain values (a checkpoint
with the optimizer's state). `load` gives it back; tensors that shared memory share it again. A safetensors file of any other
program (PyTorch, transformers) loads as a dict of tensors, and so do the tensors and plain values of a file that torch.save
wrote. No code is stored or run, and no more memory is taken than the file is long: a file from a stranger can do no harm.

The format: 8 bytes with the length of the header, the header (JSON: by name the type, shape and place of each tensor),
the bytes of the tensors. Source: Hugging Face, "safetensors" (the file format); PyTorch: torch.save, torch.load.
"""

from __future__ import annotations

import math
import pickle
import struct
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

_STRUCTURE = "minigrad.structure"  # the key of the metadata that holds what is not a tensor

# By the type's name in the file: NumPy's type, for bfloat16 (which NumPy has not) that of its bits.
_STORED = {d.safetensors: d.numpy or np.dtype(np.uint16) for d in dtypes.ALL}
# Types of arrays that no tensor has: NumPy's random state is of uint32.
_STORED_ARRAYS = _STORED | {f"U{8 * n}": np.dtype(f"u{n}") for n in (2, 4, 8)}
_CODES = {d: code for code, d in _STORED_ARRAYS.items() if code != dtypes.bfloat16.safetensors}


# -- saving


def _header(arrays: dict[str, np.ndarray], structure: Any) -> bytes:
    import json  # here, since few programs that import minigrad save

    entries: dict[str, Any] = {"__metadata__": {"format": "pt", _STRUCTURE: json.dumps(structure)}}
    end = 0
    for name, array in arrays.items():
        begin, end = end, end + array.nbytes
        entries[name] = {"dtype": _CODES[array.dtype], "shape": array.shape, "data_offsets": [begin, end]}
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)  # the tensors begin at a multiple of 8 bytes
    return struct.pack("<Q", len(text)) + text


def save(obj: Any, f: Any) -> None:
    """Write `obj` to the path or binary file f. A path is written under another name and renamed: it is whole or not there.

    obj: a state_dict, or nested containers of tensors, arrays and plain values (also sets, named tuples, bytes, dtypes,
    paths, dates). A whole module is kept as the name of its class and its attributes. PyTorch: torch.save.
    """
    if hasattr(obj, "state_dict") and not isinstance(obj, Module):
        raise TypeError(
            f"save: give {type(obj).__name__}.state_dict(), not the object itself: no code is stored in the file"
        )
    found = Description(obj, _CODES)
    # Widest types first: then each tensor begins at a multiple of its element's size.
    arrays = dict(sorted(found.arrays.items(), key=lambda item: -item[1].itemsize))

    def write(file: Any) -> None:
        file.write(_header(arrays, found.root))
        for array in arrays.values():
            file.write(array.astype(array.dtype.newbyteorder("<"), order="C", copy=False).tobytes())

    if hasattr(f, "write"):
        write(f)
        return
    with replacing(Path(f)) as file:
        write(file)


# -- loading


class UnpicklingError(RuntimeError, pickle.UnpicklingError):
    """A file holds what is not loaded, or not with weights_only=True. PyTorch's is pickle's own error of this name."""


# What reading comes to at bytes that are no file of tensors, or a damaged one.
_NOT_READ = (
    struct.error, ValueError, LookupError, AttributeError, TypeError, StopIteration, EOFError, ArithmeticError,
    RecursionError, MemoryError, AssertionError, NotImplementedError,
)  # fmt: skip


class _Tensors(Mapping[str, np.ndarray]):
    """The tensors of a safetensors file, each made when it is asked for."""

    def __init__(self, entries: dict[str, Any], body: memoryview) -> None:
        self._entries, self._body = entries, body
        self._made: dict[str, np.ndarray] = {}
        total = 0
        for name, entry in entries.items():
            kind, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
            if not 0 <= begin <= end <= len(body):
                raise ValueError(f"tensor {name} lies at bytes {begin} to {end} of {len(body)}")
            if kind not in _STORED_ARRAYS:
                raise ValueError(f"tensor {name} has the type {kind}, which minigrad has not")
            if end - begin != math.prod(shape) * _STORED_ARRAYS[kind].itemsize or min(shape, default=0) < 0:
                raise ValueError(f"tensor {name} of shape {shape} has {end - begin} bytes")
            total += end - begin
        if total > len(body):  # else a short file could ask for much memory
            raise ValueError(f"its tensors take {total} bytes of {len(body)}: some overlap")

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


def _read(data: bytes, weights_only: bool) -> Any:
    """What a safetensors file holds."""
    import json

    (length,) = struct.unpack("<Q", data[:8])
    if length > len(data) - 8:
        raise ValueError(f"the header has {length} bytes, the file {len(data)}")
    header = json.loads(data[8 : 8 + length])
    if not isinstance(header, dict):
        raise ValueError(f"the header is a {type(header).__name__}")
    metadata = header.pop("__metadata__", {})
    tensors = _Tensors(header, memoryview(data)[8 + length :])
    if _STRUCTURE in metadata:
        return Restoration(json.loads(metadata[_STRUCTURE]), tensors, weights_only).root
    for name, entry in header.items():
        if entry["dtype"] not in _STORED:
            raise ValueError(f"tensor {name} has the type {entry['dtype']}, which minigrad has not")
    return {name: wrap(array) for name, array in tensors.items()}


def load(f: Any, map_location: Any = None, *, weights_only: bool | None = None, mmap: bool | None = None) -> Any:
    """What `save` wrote to the path or binary file f; for other safetensors files a dict of tensors; for a file of
    torch.save its tensors and plain values.

    What a file is is told by its content. bfloat16 becomes float32. map_location must be the CPU. weights_only=False: also
    whole modules that `save` wrote, if their classes are there, and of a file of torch.save NumPy's arrays, paths and dates;
    no code of the file's is run in either case. Errors: RuntimeError for what is damaged, or holds what is neither tensor, container
    nor plain value. PyTorch: torch.load.
    """
    for place in map_location.values() if isinstance(map_location, dict) else (map_location,):
        require_cpu(None if callable(place) else place)
    if mmap:
        raise NotImplementedError("load: mmap=True is not supported; the file is read into memory")
    name = str(getattr(f, "name", f))
    data = f.read() if hasattr(f, "read") else Path(f).read_bytes()
    if isinstance(data, str):
        raise TypeError(f"load: {name} is open as text; open it in binary mode, with 'rb'")
    read: Any = _read
    if not _is_safetensors(data):
        read = torch_file.reader(data) or _read
    try:
        return read(data, weights_only is not False)
    except Refused as error:
        raise UnpicklingError(f"{name} holds more than tensors, containers and plain values: {error}") from None
    except _NOT_READ as error:
        raise RuntimeError(f"{name} is no file of tensors, or it is damaged or cut off ({error})") from None
