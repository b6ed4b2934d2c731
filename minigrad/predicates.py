"""Questions about an object, asked as functions; the tensor's own methods (`x.is_floating_point()`) stand in tensor.py."""

from __future__ import annotations

from typing import Any

from .tensor import Tensor


def is_tensor(obj: Any, /) -> bool:
    """Whether obj is a tensor. PyTorch: torch.is_tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Whether the tensor has a floating type. PyTorch: torch.is_floating_point."""
    return input.is_floating_point()
