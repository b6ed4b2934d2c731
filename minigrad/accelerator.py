"""What programs ask of an accelerator, whatever its kind: there is none. PyTorch: torch.accelerator."""

from __future__ import annotations

from typing import Any, NoReturn

from . import missing

__all__ = [
    "current_accelerator", "current_device_index", "current_stream", "device_count", "empty_cache", "is_available",
    "memory_allocated", "set_device_index", "synchronize",
]  # fmt: skip


def is_available() -> bool:
    """False: minigrad computes on the CPU."""
    return False


def device_count() -> int:
    """0: minigrad computes on the CPU."""
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """None: there is no accelerator."""
    return None


def _none() -> NoReturn:
    raise RuntimeError("Cannot access accelerator device when none is available: minigrad computes on the CPU only.")


def current_device_index() -> NoReturn:
    """RuntimeError: there is no accelerator."""
    _none()


def set_device_index(device: Any, /) -> NoReturn:
    """RuntimeError: there is no accelerator."""
    _none()


def current_stream(device: Any = None, /) -> NoReturn:
    """RuntimeError: there is no accelerator."""
    _none()


def synchronize(device: Any = None, /) -> NoReturn:
    """RuntimeError: there is no accelerator."""
    _none()


def empty_cache() -> NoReturn:
    """RuntimeError: there is no accelerator."""
    _none()


def memory_allocated(device: Any = None, /) -> NoReturn:
    """RuntimeError: there is no accelerator."""
    _none()


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
