"""The CPU, as a program may ask of any device. PyTorch: torch.cpu."""

from __future__ import annotations

from typing import Any

from . import missing

__all__ = ["current_device", "device_count", "is_available", "synchronize"]


def is_available() -> bool:
    """True."""
    return True


def device_count() -> int:
    """1."""
    return 1


def current_device() -> str:
    """ "cpu"."""
    return "cpu"


def synchronize(device: Any = None) -> None:
    """Nothing to wait for: an operation has ended when it returns."""


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
