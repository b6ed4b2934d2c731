"""What programs ask `torch.cuda` before they choose a device. The answer here is always: there is none."""

from __future__ import annotations

from typing import NoReturn


def is_available() -> bool:
    """False: minigrad computes on the CPU."""
    return False


def device_count() -> int:
    """0: minigrad computes on the CPU."""
    return 0


def is_bf16_supported() -> bool:
    """False: minigrad computes in float32 and float64."""
    return False


def manual_seed(seed: int) -> None:
    """Nothing to seed; as in PyTorch, no error without a GPU."""


def manual_seed_all(seed: int) -> None:
    """Nothing to seed; as in PyTorch, no error without a GPU."""


def empty_cache() -> None:
    """Nothing to empty; as in PyTorch, no error without a GPU."""


def synchronize(device: object = None) -> NoReturn:
    """RuntimeError: there is no GPU to wait for."""
    raise RuntimeError(
        "minigrad computes on the CPU only; ask torch.cuda.is_available() before torch.cuda.synchronize()"
    )
