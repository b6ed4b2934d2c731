"""What programs ask of the MPS device: there is none. PyTorch: torch.mps."""

from __future__ import annotations

from . import missing

__all__ = ["device_count", "is_available", "manual_seed"]


def is_available() -> bool:
    """False: minigrad computes on the CPU."""
    return False


def device_count() -> int:
    """0: minigrad computes on the CPU."""
    return 0


def manual_seed(seed: int) -> None:
    """Nothing to seed; as in PyTorch, no error without such a device."""


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
