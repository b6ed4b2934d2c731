"""OpenMP, in PyTorch's builds; minigrad's threads are Numba's. PyTorch: torch.backends.openmp."""

from __future__ import annotations

import sys

from .settings import Switches

sys.modules[__name__].__class__ = Switches


def is_available() -> bool:
    """False: threads are Numba's."""
    return False
