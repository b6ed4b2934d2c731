"""What the processor can do. PyTorch: torch.backends.cpu."""

from __future__ import annotations

import sys

from numpy._core._multiarray_umath import __cpu_features__

from .settings import Switches

sys.modules[__name__].__class__ = Switches


def get_cpu_capability() -> str:
    """The widest vector instructions that NumPy has found: AVX512, AVX2 or DEFAULT. PyTorch: same name."""
    found: dict[str, bool] = __cpu_features__
    return "AVX512" if found.get("AVX512F") else "AVX2" if found.get("AVX2") else "DEFAULT"
