"""Questions about an object, asked as functions; the tensor's own methods (`x.is_floating_point()`) stand in tensor.py."""

from __future__ import annotations

from typing import Any

from .ops.checks import require_tensor
from .storages import TypedStorage, UntypedStorage
from .tensor import Tensor


def is_tensor(obj: Any, /) -> bool:
    """Whether obj is a tensor. PyTorch: torch.is_tensor."""
    return isinstance(obj, Tensor)


def is_inference(input: Tensor) -> bool:
    """Whether the tensor was made in `inference_mode`. PyTorch: torch.is_inference."""
    return input.is_inference()


def is_storage(obj: Any, /) -> bool:
    """Whether obj is the memory of a tensor, as `x.storage()` gives it. PyTorch: torch.is_storage."""
    return isinstance(obj, TypedStorage | UntypedStorage)


def typename(obj: Any) -> str:
    """The name of an object's type, with its module; of a tensor the name of its legacy type. PyTorch: torch.typename."""
    if isinstance(obj, Tensor):
        return obj.type()
    kind = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(kind, "__module__", None)
    return kind.__qualname__ if module in (None, "builtins", "__builtin__") else f"{module}.{kind.__qualname__}"


def is_floating_point(input: Tensor) -> bool:
    """Whether the tensor has a floating type. PyTorch: torch.is_floating_point."""
    require_tensor(input, "is_floating_point")
    return input.is_floating_point()


def is_complex(input: Tensor) -> bool:
    """False: there are no complex numbers. PyTorch: torch.is_complex."""
    require_tensor(input, "is_complex")
    return input.is_complex()


def is_signed(input: Tensor) -> bool:
    """Whether the tensor's type has negative numbers. PyTorch: torch.is_signed."""
    require_tensor(input, "is_signed")
    return input.is_signed()


def is_nonzero(input: Tensor) -> bool:
    """Whether the one element is other than 0. PyTorch: torch.is_nonzero."""
    require_tensor(input, "is_nonzero")
    return bool(input)


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether the shapes are the same. PyTorch: torch.is_same_size."""
    require_tensor(input, "is_same_size")
    return input.shape == other.shape


def get_device(input: Tensor) -> int:
    """-1, which stands for the CPU. PyTorch: torch.get_device."""
    require_tensor(input, "get_device")
    return -1


def is_conj(input: Tensor) -> bool:
    """False: there are no complex numbers whose conjugation could be put off. PyTorch: torch.is_conj."""
    require_tensor(input, "is_conj")
    return False


def is_neg(input: Tensor) -> bool:
    """False: negations are not put off. PyTorch: torch.is_neg."""
    require_tensor(input, "is_neg")
    return False


def conj(input: Tensor) -> Tensor:
    """The tensor itself: it is real. PyTorch: torch.conj."""
    require_tensor(input, "conj")
    return input


def real(input: Tensor) -> Tensor:
    """The tensor itself: it is real. PyTorch: torch.real."""
    require_tensor(input, "real")
    return input


def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: nothing is put off. PyTorch: torch.resolve_conj."""
    require_tensor(input, "resolve_conj")
    return input


def resolve_neg(input: Tensor) -> Tensor:
    """The tensor itself: nothing is put off. PyTorch: torch.resolve_neg."""
    require_tensor(input, "resolve_neg")
    return input
