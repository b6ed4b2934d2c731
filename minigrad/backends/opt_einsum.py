"""A library that orders the products of einsum, which is not used here. PyTorch: torch.backends.opt_einsum."""

from __future__ import annotations

import sys

from .settings import Switches

sys.modules[__name__].__class__ = Switches

enabled = False
strategy: str | None = None


def is_available() -> bool:
    """False: products are taken from left to right."""
    return False
