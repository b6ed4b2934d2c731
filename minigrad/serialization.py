"""Saving and loading: tensors as safetensors, everything around them as JSON in the same file's header.

`save` takes what a training program keeps: a state_dict, or nested dicts, lists and tuples of tensors and plain values
(a checkpoint with the optimizer's state). `load` gives it back. A safetensors file of any other program (PyTorch,
transformers) loads as a dict of tensors, and so do the tensors and plain values of a file that torch.save wrote. No code
is stored or run: a file from a stranger can do no harm.

The format: 8 bytes with the length of the header, the header (JSON: by name the type, shape and place of each tensor),
the bytes of the tensors. Source: Hugging Face, "safetensors" (the file format); PyTorch: torch.save, torch.load.
"""

from __future__ import annotations

import math
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from . import dtypes, torch_file
from .autograd.variable import Variable, wrap
from .device import require_cpu
from .files import replacing

_STRUCTURE = "minigrad.structure"  # the key of the metadata that holds what is not a tensor

# By the type's name in the file: NumPy's type, for bfloat16 (which NumPy has not) that of its bits.
_STORED = {d.safetensors: d.numpy or np.dtype(np.uint16) for d in dtypes.ALL}
_CODES = {d.numpy: d.safetensors for d in dtypes.ALL if d.numpy is not None}


# -- saving


def _describe(value: Any, path: str, arrays: dict[str, np.ndarray]) -> Any:
    """`value` as JSON; its tensors go into `arrays` under their path."""
    where = path or "the top"
    if isinstance(value, Variable | np.ndarray):
        array = value.array if isinstance(value, Variable) else value
        if array.dtype not in _CODES:
            raise TypeError(
                f"save: cannot save an array of type {array.dtype} (at {where}); convert it with .astype first"
            )
        name = path or "tensor"
        while name in arrays:  # {"a.b": x, "a": {"b": y}} gives one path twice
            name += "'"
        arrays[name] = array
        if isinstance(value, Variable):
            return {"tensor": name, "requires_grad": bool(value._requires_grad)}
        return {"array": name}
    if isinstance(value, dict):
        items = []
        for key, item in value.items():
            if not isinstance(key, str | int | float | bool):
                raise TypeError(f"save: keys must be str or numbers, got {type(key).__name__} at {where}")
            items.append([key, _describe(item, f"{path}.{key}" if path else str(key), arrays)])
        return {"dict": items, "ordered": isinstance(value, OrderedDict)}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_describe(x, f"{path}.{i}" if path else str(i), arrays) for i, x in enumerate(value)]}
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | int | float | bool):
        return {"value": value}
    raise TypeError(f"save: cannot save a {type(value).__name__} (at {where}); save a state_dict() and plain values")


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

    obj: a state_dict, or nested dicts, lists and tuples of tensors, arrays and plain values. PyTorch: torch.save.
    """
    if hasattr(obj, "state_dict"):
        raise TypeError(
            f"save: give {type(obj).__name__}.state_dict(), not the object itself: no code is stored in the file"
        )
    arrays: dict[str, np.ndarray] = {}
    structure = _describe(obj, "", arrays)
    # Widest types first: then each tensor begins at a multiple of its element's size.
    arrays = dict(sorted(arrays.items(), key=lambda item: -item[1].itemsize))

    def write(file: Any) -> None:
        file.write(_header(arrays, structure))
        for array in arrays.values():
            file.write(array.astype(array.dtype.newbyteorder("<"), order="C", copy=False).tobytes())

    if hasattr(f, "write"):
        write(f)
        return
    with replacing(Path(f)) as file:
        write(file)


# -- loading

# What reading comes to at bytes that are no file of tensors, or a damaged one.
_NOT_READ = (struct.error, ValueError, KeyError, IndexError, AttributeError, TypeError, StopIteration, EOFError)


def _restore(node: Any, arrays: dict[str, np.ndarray]) -> Any:
    kind, content = next(iter(node.items()))
    if kind == "array":
        return arrays[content]
    if kind == "tensor":
        tensor = wrap(arrays[content])
        tensor._requires_grad = bool(node["requires_grad"])
        return tensor
    if kind == "dict":
        pairs = ((key, _restore(item, arrays)) for key, item in content)
        return OrderedDict(pairs) if node["ordered"] else dict(pairs)
    if kind == "list":
        return [_restore(item, arrays) for item in content]
    if kind == "tuple":
        return tuple(_restore(item, arrays) for item in content)
    return content


def _read(data: bytes) -> Any:
    """What a safetensors file holds."""
    import json

    (length,) = struct.unpack("<Q", data[:8])
    if length > len(data) - 8:
        raise ValueError(f"the header has {length} bytes, the file {len(data)}")
    header = json.loads(data[8 : 8 + length])
    if not isinstance(header, dict):
        raise ValueError(f"the header is a {type(header).__name__}")
    body = memoryview(data)[8 + length :]
    metadata = header.pop("__metadata__", {})
    arrays = {}
    for name, entry in header.items():
        kind, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not 0 <= begin <= end <= len(body):
            raise ValueError(f"tensor {name} lies at bytes {begin} to {end} of {len(body)}")
        if kind not in _STORED:
            raise ValueError(f"tensor {name} has the type {kind}, which minigrad has not")
        stored = _STORED[kind]
        if end - begin != math.prod(shape) * stored.itemsize:
            raise ValueError(f"tensor {name} of shape {shape} has {end - begin} bytes")
        values = np.frombuffer(body[begin:end], stored.newbyteorder("<")).astype(stored).reshape(shape)
        arrays[name] = dtypes.widened(values) if kind == dtypes.bfloat16.safetensors else values
    if _STRUCTURE in metadata:
        return _restore(json.loads(metadata[_STRUCTURE]), arrays)
    return {name: wrap(array) for name, array in arrays.items()}


def load(f: Any, map_location: Any = None, *, weights_only: bool = True, mmap: bool | None = None) -> Any:
    """What `save` wrote to the path or binary file f; for other safetensors files a dict of tensors; for a file of
    torch.save its tensors and plain values.

    bfloat16 becomes float32. map_location must be the CPU. weights_only=False changes nothing: no code is run in any
    case. PyTorch: torch.load.
    """
    for place in map_location.values() if isinstance(map_location, dict) else (map_location,):
        require_cpu(None if callable(place) else place)
    if mmap:
        raise NotImplementedError("load: mmap=True is not supported; the file is read into memory")
    name = str(getattr(f, "name", f))
    data = f.read() if hasattr(f, "read") else Path(f).read_bytes()
    if data[:2] == b"PK":
        read: Any = torch_file.read_zip
    elif data[:1] == b"\x80":
        raise RuntimeError(
            f"{name} is a pickle; loading one may run any code. If it is a state_dict of PyTorch's before version 1.6, "
            "load it there and write it again with torch.save"
        )
    else:
        read = _read
    try:
        return read(data)
    except _NOT_READ as error:
        raise RuntimeError(f"{name} is no file of tensors, or it is damaged or cut off ({error})") from None
