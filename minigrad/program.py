"""What programs call to choose how PyTorch runs them. minigrad has one way, so nothing changes here."""

from __future__ import annotations

from typing import Any

from .tensor_options import flag


def compile(model: Any = None, **options: Any) -> Any:
    """The model itself: minigrad runs a program as it is written. PyTorch: torch.compile."""
    if model is None:
        return lambda f: f
    return model


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Nothing to change: the same program on the same machine gives the same numbers. PyTorch: same name."""
    flag("use_deterministic_algorithms", "mode", mode)
    flag("use_deterministic_algorithms", "warn_only", warn_only)
