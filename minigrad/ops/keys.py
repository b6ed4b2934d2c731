"""What may stand between the brackets of x[...], made ready for NumPy and read as PyTorch reads it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import Array, Variable
from ..foreign import said

_INDICES = tuple(map(np.dtype, (np.int64, np.int32, np.uint8, np.bool_)))


def _array_of(index: Any) -> Array:
    """A tensor, array or list in a key as an array of ints or bools."""
    array = index.array if isinstance(index, Variable) else np.asarray(index)
    if array.size == 0 and array.dtype.kind == "f" and not isinstance(index, Variable):
        array = array.astype(np.int64)  # an empty list
    check_index_type(array.dtype)
    return array.astype(bool) if array.dtype == np.uint8 else array  # PyTorch reads byte tensors as masks


def check_index_type(dtype: np.dtype) -> None:
    """IndexError where a tensor has elements that are no indices."""
    if dtype not in _INDICES:
        raise IndexError(f"tensors used as indices must be long, int, byte or bool tensors, got {dtype}")


def plain_key(key: Any) -> tuple[Any, bool]:
    """The key as NumPy takes it, and whether it is made of ints, slices, None and Ellipsis only (then x[key] is a view)."""
    if isinstance(key, list) and any(
        isinstance(k, slice | list | tuple | Variable | np.ndarray | type(None)) for k in key
    ):
        key = tuple(key)
    parts: list[Any] = []
    basic = True
    for k in key if isinstance(key, tuple) else (key,):
        if isinstance(k, slice):
            if k.step is not None and int(k.step) <= 0:
                raise ValueError("step must be greater than zero; use x.flip(dim) to go backwards")
            if any(isinstance(v, Variable) for v in (k.start, k.stop, k.step)):
                k = slice(*(None if v is None else int(v) for v in (k.start, k.stop, k.step)))
        elif isinstance(k, bool | np.bool_):
            k, basic = np.asarray(bool(k)), False
        elif k is Ellipsis:
            if any(part is Ellipsis for part in parts):
                continue  # all dimensions are taken
        elif isinstance(k, int) or k is None:
            pass
        elif isinstance(k, np.integer):
            k = int(k)
        elif isinstance(k, Variable) and k.array.ndim == 0 and k.array.dtype.kind in "iu" and k.array.dtype != np.uint8:
            k = int(k.array)
        elif isinstance(k, Variable | np.ndarray | list | tuple | range):
            k, basic = _array_of(list(k) if isinstance(k, range) else k), False
        else:
            error = TypeError if isinstance(k, str) else IndexError
            raise error(
                "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
                f"{said(k)})"
            )
        parts.append(k)
    return tuple(parts), basic


def is_mixed(key: tuple[Any, ...]) -> bool:
    """Whether ints stand beside other things (see `ints_first`)."""
    return len(key) > 1 and any(isinstance(k, int) for k in key)


def ints_first(key: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """A key with both ints and tensors as two keys, one after the other: first all that is a view, then the tensors.

    PyTorch reads keys so. NumPy counts an int as one more index array, and so puts x[0, :, [1, 2]]'s dimensions in
    another order.
    """
    first: list[Any] = []
    then: list[Any] = []
    for k in key:
        if isinstance(k, np.ndarray):
            first += [slice(None)] * (k.ndim if k.dtype.kind == "b" else 1)
            then.append(k)
        elif isinstance(k, int):
            first.append(k)
        else:
            first.append(k)
            then.append(Ellipsis if k is Ellipsis else slice(None))
    return tuple(first), tuple(then)


def is_basic(key: tuple[Any, ...]) -> bool:
    """Whether a key that `plain_key` gave holds no array, so that x[key] is a view."""
    return not any(isinstance(k, np.ndarray) for k in key)


def index_error(error: IndexError, shape: tuple[int, ...], key: tuple[Any, ...] = ()) -> IndexError:
    """NumPy's error in PyTorch's words, with the shape of the tensor that was asked."""
    text = str(error)
    if not shape:
        text = (
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
            "0-dim tensor to a number"
        )
    elif "too many indices" in text:
        text = f"too many indices for tensor of dimension {len(shape)}"
    elif "boolean index did not match" in text:
        masks = [list(k.shape) for k in key if isinstance(k, np.ndarray) and k.dtype.kind == "b"]
        text = f"The shape of the mask {masks[0] if masks else []} does not match the shape of the indexed tensor {list(shape)}"
    elif "could not be broadcast" in text:
        shapes = ", ".join(str(list(k.shape)) for k in key if isinstance(k, np.ndarray))
        text = f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}"
    return IndexError(f"{text} (the tensor has shape {list(shape)})")


def index_tensor(name: str, index: Any, only_int64: bool = False) -> Array:
    """The array of a tensor of indices; TypeError or RuntimeError for anything else."""
    if not isinstance(index, Variable):
        raise TypeError(f"{name}(): argument 'index' must be Tensor, not {said(index)}")
    if index.array.dtype not in (np.dtype(np.int64), np.dtype(np.int32)):
        raise RuntimeError(f"{name}(): Expected dtype int32 or int64 for index, got {index.array.dtype}")
    if only_int64 and index.array.dtype != np.int64:
        raise RuntimeError(
            f"{name}(): Expected dtype int64 for index, got {index.array.dtype}; convert it with .long()"
        )
    return index.array
