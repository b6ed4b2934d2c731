"""NVIDIA's library of convolutions, which is not used here. PyTorch: torch.backends.cudnn."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .settings import Switches

sys.modules[__name__].__class__ = Switches

enabled, benchmark, deterministic, allow_tf32 = True, False, False, True
benchmark_limit: int | None = None


def is_available() -> bool:
    """False: minigrad computes on the CPU."""
    return False


def version() -> None:
    """None: there is no cuDNN."""
    return None


def is_acceptable(tensor: Any) -> bool:
    """False: no tensor lies on a GPU."""
    return False


@contextmanager
def flags(
    enabled: bool = False, benchmark: bool = False, benchmark_limit: int = 10, deterministic: bool = False,
    allow_tf32: bool = True,
) -> Iterator[None]:  # fmt: skip
    """Set the switches, and put them back at the end. PyTorch: torch.backends.cudnn.flags."""
    here = sys.modules[__name__]
    new = {"enabled": enabled, "benchmark": benchmark, "deterministic": deterministic, "allow_tf32": allow_tf32}
    before = {name: getattr(here, name) for name in new}
    for name, value in new.items():
        setattr(here, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(here, name, value)
