"""Reading what torch.save wrote: a zip archive with a pickle of the structure and a file for each block of memory.

A pickle is a small program, and may name any function to call. Here it can only name those in `_ALLOWED`, which build
tensors and containers: nothing else of it is run.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import dtypes
from .autograd.variable import wrap
from .nn.parameter import Parameter
from .size import Size

if TYPE_CHECKING:
    import zipfile


class _Memory(NamedTuple):
    """A block of memory that tensors look into; bfloat16 has become float32."""

    values: np.ndarray


def _tensor(memory: _Memory, offset: int, size: tuple, stride: tuple, requires_grad: bool, *_: Any) -> Any:
    """`torch._utils._rebuild_tensor_v2`"""
    values = memory.values
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    if 0 in size:
        array = np.empty(size, values.dtype)
    elif offset < 0 or any(s < 0 for s in stride) or last >= values.size:
        raise ValueError(f"a tensor of shape {tuple(size)} reaches to element {last} of a block of {values.size}")
    else:
        steps = tuple(s * values.itemsize for s in stride)
        array = np.lib.stride_tricks.as_strided(values[offset:], size, steps, writeable=False).copy()
    tensor = wrap(array)
    tensor._requires_grad = bool(requires_grad)
    return tensor


def _parameter(data: Any, requires_grad: bool, *_: Any) -> Any:
    """`torch._utils._rebuild_parameter`"""
    return Parameter(data, requires_grad)


_ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "Size"): Size,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    **{("torch", name := f"{d.cxx_name}Storage"): (name, d) for d in dtypes.ALL},
}


class _Unpickler(pickle.Unpickler):
    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{root}/data.pkl")))
        self.archive, self.root = archive, root
        name = f"{root}/byteorder"
        self.order: Any = ">" if name in archive.namelist() and archive.read(name) == b"big" else "<"
        self.memories: dict[str, _Memory] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise ValueError(
                f"it names {module}.{name}, which is not a tensor or a container; in PyTorch, save the state_dict() and "
                "plain values only"
            )
        known = _ALLOWED[module, name]
        # A pickle may also set attributes of what it names: it gets a function of its own to do that to.
        return (lambda *args: known(*args)) if callable(known) and known is not OrderedDict else known

    def persistent_load(self, pid: Any) -> _Memory:
        """A block of memory by its key."""
        _, (_, kind), key, _, count = pid
        if key not in self.memories:
            stored = kind.numpy or np.dtype(np.uint16)  # bfloat16, which NumPy has not, as its bits
            raw = self.archive.read(f"{self.root}/data/{key}")
            values = np.frombuffer(raw, stored.newbyteorder(self.order), count).astype(stored)
            self.memories[key] = _Memory(dtypes.widened(values) if kind is dtypes.bfloat16 else values)
        return self.memories[key]


def read_zip(data: bytes) -> Any:
    """The tensors, containers and plain values of a file of torch.save."""
    import zipfile  # here, as it takes its time to import

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            roots = [n.removesuffix("/data.pkl") for n in archive.namelist() if n.endswith("/data.pkl")]
            if not roots:
                raise ValueError("a zip archive, but not one of torch.save: it has no data.pkl")
            return _Unpickler(archive, roots[0]).load()
    except (zipfile.BadZipFile, pickle.UnpicklingError) as error:
        raise ValueError(str(error)) from None
