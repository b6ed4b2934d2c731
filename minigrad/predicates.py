"""Questions about an object, asked as functions; the tensor's own methods (`x.is_floating_point()`) stand in tensor.py."""

from __future__ import annotations

from typing import Any

from .tensor import Tensor


def is_tensor(obj: Any) -> bool:
    """Whether obj is a tensor. PyTorch: torch.is_tensor."""
    return isinstance(obj, Tensor)


def is_inference(input: Tensor) -> bool:
    """Whether the tensor was made in `inference_mode`. PyTorch: torch.is_inference."""
    return input.is_inference()


def is_floating_point(input: Tensor) -> bool:
    """Whether the tensor has a floating type. PyTorch: torch.is_floating_point."""
    return input.is_floating_point()


def is_signed(input: Tensor) -> bool:
    """Whether the tensor's type holds negative numbers. PyTorch: torch.is_signed."""
    return input.is_signed()


def is_complex(input: Tensor) -> bool:
    """False: there are no complex numbers. PyTorch: torch.is_complex."""
    return input.is_complex()


def is_nonzero(input: Tensor) -> bool:
    """Whether the one element of a tensor is not 0; RuntimeError for another number of elements. PyTorch: torch.is_nonzero."""
    return bool(input)


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether both tensors have the same shape. PyTorch: torch.is_same_size."""
    return input.array.shape == other.array.shape
