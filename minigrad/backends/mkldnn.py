"""Intel's library of convolutions, which is not used here. PyTorch: torch.backends.mkldnn."""

from __future__ import annotations

import sys

from .settings import Switches

sys.modules[__name__].__class__ = Switches

enabled, deterministic = True, False
allow_tf32: bool | None = None


def is_available() -> bool:
    """False: convolutions are minigrad's own."""
    return False
