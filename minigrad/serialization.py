"""Saving and loading: tensors as safetensors, everything around them as JSON in the same file's header.

`save` takes what a training program keeps: a state_dict, or nested dicts, lists and tuples of tensors and plain values
(a checkpoint with the optimizer's state). `load` gives it back. A safetensors file of any other program (PyTorch,
transformers) loads as a dict of tensors. No code is stored or run: a file from a stranger can do no harm.

Source: Hugging Face, "safetensors" (the file format); PyTorch: torch.save, torch.load.
"""

from __future__ import annotations

import json
import os
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from .autograd import Variable, wrap
from .device import require_cpu

_STRUCTURE = "minigrad.structure"  # the key of the metadata that holds what is not a tensor


def _safetensors() -> Any:
    try:
        import safetensors
        import safetensors.numpy
    except ImportError:
        raise ImportError("saving and loading need the package safetensors: pip install safetensors") from None
    return safetensors


def _describe(value: Any, path: str, tensors: dict[str, np.ndarray]) -> Any:
    """`value` as JSON; its tensors go into `tensors` under their path."""
    if isinstance(value, Variable):
        tensors[path] = np.ascontiguousarray(value.array)
        return {"tensor": path, "requires_grad": bool(value._requires_grad), "shape": list(value.array.shape)}
    if isinstance(value, np.ndarray):
        tensors[path] = np.ascontiguousarray(value)
        return {"array": path, "shape": list(value.shape)}
    if isinstance(value, dict):
        items = []
        for key, item in value.items():
            if not isinstance(key, str | int | float | bool):
                raise TypeError(f"save: keys must be str or numbers, got {type(key).__name__} at {path or 'the top'}")
            items.append([key, _describe(item, f"{path}.{key}" if path else str(key), tensors)])
        return {"dict": items, "ordered": isinstance(value, OrderedDict)}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_describe(x, f"{path}.{i}" if path else str(i), tensors) for i, x in enumerate(value)]}
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | int | float | bool):
        return {"value": value}
    raise TypeError(
        f"save: cannot save a {type(value).__name__} (at {path or 'the top'}); save a state_dict() and plain values"
    )


def _restore(node: Any, tensors: dict[str, np.ndarray]) -> Any:
    kind, content = next(iter(node.items()))
    if kind in ("tensor", "array"):
        array = tensors[content].reshape(node["shape"])
        if kind == "array":
            return array
        tensor = wrap(array)
        tensor._requires_grad = node["requires_grad"]
        return tensor
    if kind == "dict":
        pairs = ((key, _restore(item, tensors)) for key, item in content)
        return OrderedDict(pairs) if node["ordered"] else dict(pairs)
    if kind == "list":
        return [_restore(item, tensors) for item in content]
    if kind == "tuple":
        return tuple(_restore(item, tensors) for item in content)
    return content


def save(obj: Any, f: Any) -> None:
    """Write `obj` to the path or binary file f. A path is written under another name and renamed: it is whole or not there.

    obj: a state_dict, or nested dicts, lists and tuples of tensors, arrays and plain values; a Module or Optimizer is
    saved by its state_dict(). PyTorch: torch.save.
    """
    safetensors = _safetensors()
    if hasattr(obj, "state_dict"):
        raise TypeError(
            f"save: give {type(obj).__name__}.state_dict(), not the object itself: no code is stored in the file"
        )
    tensors: dict[str, np.ndarray] = {}
    structure = _describe(obj, "", tensors)
    plain = isinstance(obj, dict) and all(isinstance(v, Variable) for v in obj.values())
    names = dict(tensors) if plain else {path or "tensor": array for path, array in tensors.items()}
    if "" in tensors:
        structure["tensor"] = "tensor"
    data = safetensors.numpy.save(names, {_STRUCTURE: json.dumps(structure)})
    if hasattr(f, "write"):
        f.write(data)
        return
    path = Path(f)
    import tempfile  # here, as it takes its time to import

    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


_TYPES = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32, "I16": np.int16,
    "I8": np.int8, "U8": np.uint8, "BOOL": np.bool_,
}  # fmt: skip


def _read(data: bytes, name: str) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The tensors and the metadata of a safetensors file. bfloat16, which NumPy has not, becomes float32, bit by bit."""
    if data[:2] == b"PK" or data[:1] == b"\x80":
        raise RuntimeError(
            f"{name} was written by torch.save, which stores Python objects; in PyTorch, write it with "
            "safetensors.torch.save_file(model.state_dict(), 'model.safetensors') and load that"
        )
    try:
        (length,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + length])
        body = memoryview(data)[8 + length :]
        metadata = header.pop("__metadata__", {})
        arrays = {}
        for key, entry in header.items():
            begin, end = entry["data_offsets"]
            if end > len(body):
                raise ValueError(f"tensor {key} ends at byte {end} of {len(body)}")
            raw = body[begin:end]
            if entry["dtype"] == "BF16":
                values = (np.frombuffer(raw, np.uint16).astype(np.uint32) << 16).view(np.float32)
            elif entry["dtype"] in _TYPES:
                values = np.frombuffer(raw, _TYPES[entry["dtype"]]).copy()
            else:
                raise ValueError(f"tensor {key} has type {entry['dtype']}, which minigrad has not")
            arrays[key] = values.reshape(entry["shape"])
    except (struct.error, ValueError, KeyError, UnicodeDecodeError, TypeError) as error:
        raise RuntimeError(f"{name} is no safetensors file, or it is damaged or cut off ({error})") from None
    return arrays, metadata


def load(f: Any, map_location: Any = None, *, weights_only: bool = True, mmap: bool | None = None) -> Any:
    """What `save` wrote to the path or binary file f; a dict of tensors for other programs' safetensors files.

    PyTorch: torch.load.
    """
    require_cpu(map_location if not callable(map_location) else None)
    name = str(getattr(f, "name", f))
    data = f.read() if hasattr(f, "read") else Path(f).read_bytes()
    arrays, metadata = _read(data, name)
    if _STRUCTURE in metadata:
        return _restore(json.loads(metadata[_STRUCTURE]), arrays)
    return {key: wrap(array) for key, array in arrays.items()}
