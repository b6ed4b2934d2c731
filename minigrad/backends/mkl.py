"""Intel's BLAS, in PyTorch's builds; NumPy brings its own here. PyTorch: torch.backends.mkl."""

from __future__ import annotations

import sys

from .settings import Switches

sys.modules[__name__].__class__ = Switches


def is_available() -> bool:
    """False: `minigrad.show_config()` says which BLAS there is."""
    return False
