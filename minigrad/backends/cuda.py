"""Products of matrices and attention on GPUs, which are not used here. PyTorch: torch.backends.cuda."""

from __future__ import annotations

import sys

from ..tensor_options import flag
from .settings import Switches

sys.modules[__name__].__class__ = Switches

matmul = Switches("minigrad.backends.cuda.matmul", "How GPUs multiply matrices.")
matmul.allow_tf32 = False
matmul.allow_fp16_reduced_precision_reduction = True
matmul.allow_bf16_reduced_precision_reduction = True

_kernels = {"flash": True, "mem_efficient": True, "math": True}


def is_built() -> bool:
    """False: minigrad computes on the CPU."""
    return False


def flash_sdp_enabled() -> bool:
    """As `enable_flash_sdp` set it. PyTorch: same name."""
    return _kernels["flash"]


def enable_flash_sdp(enabled: bool) -> None:
    """Nothing changes: attention is computed in one way. PyTorch: same name."""
    _kernels["flash"] = flag("enable_flash_sdp", "enabled", enabled)


def mem_efficient_sdp_enabled() -> bool:
    """As `enable_mem_efficient_sdp` set it. PyTorch: same name."""
    return _kernels["mem_efficient"]


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Nothing changes: attention is computed in one way. PyTorch: same name."""
    _kernels["mem_efficient"] = flag("enable_mem_efficient_sdp", "enabled", enabled)


def math_sdp_enabled() -> bool:
    """As `enable_math_sdp` set it. PyTorch: same name."""
    return _kernels["math"]


def enable_math_sdp(enabled: bool) -> None:
    """Nothing changes: attention is computed in one way. PyTorch: same name."""
    _kernels["math"] = flag("enable_math_sdp", "enabled", enabled)
