"""Apple's GPUs, which are not used here. PyTorch: torch.backends.mps."""

from __future__ import annotations

import sys

from .settings import Switches

sys.modules[__name__].__class__ = Switches


def is_available() -> bool:
    """False: minigrad computes on the CPU."""
    return False


def is_built() -> bool:
    """False: minigrad computes on the CPU."""
    return False
