"""The older names of `amp`, for CUDA: they warn and are switched off, as in PyTorch without CUDA. PyTorch: torch.cuda.amp."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from .. import amp, dtypes, missing

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


def _deprecated(name: str) -> None:
    warnings.warn(
        f"`torch.cuda.amp.{name}(args...)` is deprecated. Please use `torch.amp.{name}('cuda', args...)` instead.",
        FutureWarning,
        stacklevel=3,
    )


class autocast(amp.autocast):
    """`amp.autocast("cuda", ...)`. PyTorch: torch.cuda.amp.autocast."""

    def __init__(self, enabled: bool = True, dtype: dtypes.dtype = dtypes.float16, cache_enabled: bool = True) -> None:
        _deprecated("autocast")
        super().__init__("cuda", dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)


class GradScaler(amp.GradScaler):
    """`amp.GradScaler("cuda", ...)`. PyTorch: torch.cuda.amp.GradScaler."""

    def __init__(
        self, init_scale: float = 65536.0, growth_factor: float = 2.0, backoff_factor: float = 0.5,
        growth_interval: int = 2000, enabled: bool = True,
    ) -> None:  # fmt: skip
        _deprecated("GradScaler")
        super().__init__("cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled)


def custom_fwd(fwd: Callable | None = None, *, cast_inputs: Any = None) -> Callable:
    """The forward of a Function, as it is. PyTorch: torch.cuda.amp.custom_fwd."""
    _deprecated("custom_fwd")
    return functools.partial(amp.custom_fwd, device_type="cuda", cast_inputs=cast_inputs)(fwd)


def custom_bwd(bwd: Callable) -> Callable:
    """The backward of a Function, as it is. PyTorch: torch.cuda.amp.custom_bwd."""
    _deprecated("custom_bwd")
    return amp.custom_bwd(bwd, device_type="cuda")


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
