"""A tensor made to hold another number of elements: `resize_`, and `apply_`, `map_`, `map2_` with a function of Python's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import storage
from .tensor_options import contiguous_format, preserve_format, read_size

if TYPE_CHECKING:
    from .tensor import Tensor


def resize_(self: Tensor, *sizes: Any, memory_format: Any = contiguous_format) -> Tensor:
    """Give the tensor this size: its elements in the order of memory, then (if it grows beyond it) uninitialised ones.

    Where the memory suffices it is kept, so a smaller tensor sees a part of it. PyTorch: torch.Tensor.resize_.
    """
    if self.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    if memory_format is preserve_format:
        raise RuntimeError("resize_: unsupported memory format Preserve")
    if memory_format is not contiguous_format:
        raise NotImplementedError(f"resize_: memory_format={memory_format} is not supported by minigrad; leave it out")
    shape = read_size("resize_", sizes)
    if any(n < 0 for n in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension: {list(shape)}")
    self.array = storage.resized(self.array, shape)
    return self


def resize_as_(self: Tensor, the_template: Tensor, *, memory_format: Any = contiguous_format) -> Tensor:
    """Give the tensor the size of another. PyTorch: torch.Tensor.resize_as_."""
    if memory_format is preserve_format:
        memory_format = contiguous_format
    return resize_(self, the_template.array.shape, memory_format=memory_format)


def apply_(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Replace each element x by callable(x), one after the other. PyTorch: torch.Tensor.apply_."""
    if self.requires_grad:
        raise TypeError("Can't call apply_() on Variable that requires grad. Use var.detach().apply_() instead.")
    for place in np.ndindex(self.array.shape):
        self.array[place] = callable(self.array[place].item())
    storage.mark_written(self.array)
    return self


def map_(self: Tensor, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Replace each element x by callable(x, y), y the element of tensor, broadcast. PyTorch: torch.Tensor.map_."""
    if self.requires_grad or tensor.requires_grad:
        raise TypeError("Can't call map_() on Variable that requires grad. Use var.detach().map_() instead.")
    other = np.broadcast_to(tensor.array, self.array.shape)
    for place in np.ndindex(self.array.shape):
        self.array[place] = callable(self.array[place].item(), other[place].item())
    storage.mark_written(self.array)
    return self


def map2_(self: Tensor, x: Tensor, y: Tensor, callable: Callable[[Any, Any, Any], Any]) -> Tensor:
    """Replace each element a by callable(a, b, c), b and c the elements of x and y, broadcast. PyTorch: torch.Tensor.map2_."""
    if self.requires_grad or x.requires_grad or y.requires_grad:
        raise TypeError("Can't call map2_() on Variable that requires grad. Use var.detach().map2_() instead.")
    others = [np.broadcast_to(v.array, self.array.shape) for v in (x, y)]
    for place in np.ndindex(self.array.shape):
        self.array[place] = callable(self.array[place].item(), *(v[place].item() for v in others))
    storage.mark_written(self.array)
    return self
