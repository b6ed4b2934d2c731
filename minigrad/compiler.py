"""Nothing is compiled: a program runs as it is written. PyTorch: torch.compiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import missing

__all__ = ["disable", "is_compiling", "is_dynamo_compiling", "reset"]


def is_compiling() -> bool:
    """False."""
    return False


def is_dynamo_compiling() -> bool:
    """False."""
    return False


def reset() -> None:
    """Nothing to forget."""


def disable(fn: Callable | None = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """The function itself. PyTorch: torch.compiler.disable."""
    return (lambda f: f) if fn is None else fn


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
