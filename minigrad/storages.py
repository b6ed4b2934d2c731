"""The memory behind tensors as an object, for programs that ask: `x.untyped_storage()` as bytes, `x.storage()` as elements.

Tensors that share memory have equal storages. What is written into one is written into all, and noticed as an in-place change
(`storage.py`). `set_` makes a tensor look elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes, storage
from .autograd.variable import Array, Variable
from .device import device
from .foreign import said
from .geometry import Geometry, geometry, look, memory, row_major
from .tensor_options import NOT_GIVEN
from .warn import warn

if TYPE_CHECKING:
    from .tensor import Tensor


class _Storage:
    """A row of elements: what the two kinds share."""

    is_cuda = is_sparse = False

    def __init__(self, memory: Array) -> None:
        self._memory = memory

    @property
    def device(self) -> device:
        return device("cpu")

    def size(self) -> int:
        """How many elements."""
        return self._memory.size

    def __len__(self) -> int:
        return self._memory.size

    def nbytes(self) -> int:
        """How many bytes."""
        return self._memory.nbytes

    def element_size(self) -> int:
        """Bytes of one element."""
        return self._memory.itemsize

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self._memory.ctypes.data

    def tolist(self) -> list[Any]:
        """The elements as Python numbers."""
        return self._memory.tolist()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._memory.tolist())

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return type(self)(self._memory[key])
        return self._memory[key].item()

    def __setitem__(self, key: Any, value: Any) -> None:
        self._memory[key] = value._memory if isinstance(value, _Storage) else value
        storage.mark_written(self._memory)

    def fill_(self, value: Any) -> Any:
        """Give all elements this value."""
        self[:] = value
        return self

    def copy_(self, source: Any, non_blocking: bool | None = None) -> Any:
        """Take the elements of another."""
        self[:] = source
        return self

    def clone(self) -> Any:
        """A copy."""
        return type(self)(self._memory.copy())

    def cpu(self) -> Any:
        """Itself."""
        return self

    def is_shared(self) -> bool:
        """False: there is one process."""
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Storage) and (self.data_ptr(), self.nbytes()) == (other.data_ptr(), other.nbytes())

    def __hash__(self) -> int:
        return self.data_ptr()

    def __repr__(self) -> str:
        lines = [f" {x}" for x in self._memory.tolist()] or [" "]
        return "\n".join([*lines, f"[minigrad.storage.{self._named()} of size {self.size()}]"])

    def _named(self) -> str:
        return f"{type(self).__name__}(device=cpu)"


class UntypedStorage(_Storage):
    """Memory as bytes. PyTorch: torch.UntypedStorage."""

    def __init__(self, memory: Array | int = 0) -> None:
        super().__init__(np.zeros(memory, np.uint8) if isinstance(memory, int) else memory)

    def untyped(self) -> UntypedStorage:
        """Itself."""
        return self


class TypedStorage(_Storage):
    """Memory as elements of a type. PyTorch: torch.TypedStorage."""

    @property
    def dtype(self) -> dtypes.dtype:
        return dtypes.from_numpy(self._memory.dtype)

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return UntypedStorage(self._memory.view(np.uint8))

    def _named(self) -> str:
        return f"TypedStorage(dtype={self.dtype}, device=cpu)"


def of(x: Tensor) -> TypedStorage:
    """All the memory that the tensor looks at, as elements of its type. PyTorch: torch.Tensor.storage."""
    warn(
        "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the only storage class. This "
        "should only matter to you if you are using storages directly.  To access UntypedStorage directly, use "
        "tensor.untyped_storage() instead of tensor.storage()"
    )
    return TypedStorage(memory(x.array))


def bytes_of(x: Tensor) -> UntypedStorage:
    """All the memory that the tensor looks at, as bytes. PyTorch: torch.Tensor.untyped_storage."""
    return UntypedStorage(memory(x.array).view(np.uint8))


def offset(x: Tensor) -> int:
    """Where in its memory the first element lies, in elements. PyTorch: torch.Tensor.storage_offset."""
    return geometry(x.array).offset


def is_set_to(x: Tensor, tensor: Tensor) -> bool:
    """Whether both look at the same elements of the same memory in the same order. PyTorch: torch.Tensor.is_set_to."""
    a, b = x.array, tensor.array
    return storage.owner(a) is storage.owner(b) and geometry(a) == geometry(b)


def set_(
    x: Tensor, source: Any = NOT_GIVEN, storage_offset: int | None = None, size: Sequence[int] | None = None, stride: Sequence[int] | None = None
) -> Tensor:  # fmt: skip
    """Let the tensor look at the memory of another, or of a storage, from this offset on in this shape. It forgets its own.

    The offset is counted from the first element of a tensor, whose elements must lie in order and without gaps.
    PyTorch: torch.Tensor.set_.
    """
    if (source is NOT_GIVEN or size is None) and (storage_offset, size, stride) != (None, None, None):
        raise TypeError(
            "set_() received an invalid combination of arguments: storage_offset and stride go with a source and a size"
        )
    if size is not None and storage_offset is None:
        raise TypeError('set_() missing 1 required positional arguments: "storage_offset"')
    storage_offset = storage_offset or 0
    if x.requires_grad:
        raise RuntimeError(
            "set_: a tensor that requires grad cannot be made to look at other memory; detach it first"
            if x.grad_fn is not None
            else "a leaf Variable that requires grad is being used in an in-place operation."
        )
    if source is NOT_GIVEN:
        x.array = np.empty(0, x.array.dtype)
        return x
    if isinstance(source, Variable):
        if source.array.dtype != x.array.dtype:
            raise RuntimeError(
                f"Could not set tensor of type {x.dtype} to a tensor of type {dtypes.from_numpy(source.array.dtype)}"
            )
        if size is None:
            x.array = source.array[...]
            return x
        if not source.array.flags.c_contiguous:
            raise RuntimeError("set_: a tensor whose memory is to be used must be contiguous: source.contiguous()")
        flat = memory(source.array)
        storage_offset += geometry(source.array).offset
    elif isinstance(source, _Storage):
        if isinstance(source, TypedStorage) and source.dtype != x.dtype:
            raise RuntimeError(f"Could not set tensor of type {x.dtype} to a storage of type {source.dtype}")
        flat = source._memory.view(x.array.dtype)
    else:
        raise TypeError(f"set_(): argument 'source' must be Tensor or Storage, not {said(source)}")
    shape = (flat.size,) if size is None else tuple(size)
    strides = row_major(shape).strides if stride is None else tuple(stride)
    place = Geometry(shape, strides, storage_offset)
    if len(shape) != len(strides) or min((*shape, *strides, storage_offset, 0)) < 0:
        raise RuntimeError(
            f"set_: sizes {list(shape)}, strides {list(strides)} and offset {storage_offset} do not fit together"
        )
    low, high = place.span()
    if math.prod(shape) and (low < 0 or high > flat.size):
        raise RuntimeError(
            f"setStorage: sizes {list(shape)}, strides {list(strides)}, storage offset {storage_offset} are out of bounds for "
            f"storage of size {flat.nbytes}"
        )
    x.array = look(flat, place)
    return x
