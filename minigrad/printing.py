"""How a tensor is shown."""

from __future__ import annotations

from typing import Any


def tensor_repr(x: Any) -> str:
    return f"tensor({x.array!r})"
