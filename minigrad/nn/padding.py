"""Padding: what stands around an image or sequence."""

from __future__ import annotations

from typing import Any

from ..ops.checks import require_argument
from ..ops.windows import IntOrInts
from . import functional as F
from .module import Module


class _Pad(Module):
    mode = "constant"
    count = 4

    def __init__(self, padding: IntOrInts) -> None:
        super().__init__()
        self.padding = (padding,) * self.count if isinstance(padding, int) else tuple(padding)

    def forward(self, input: Any) -> Any:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_Pad):
    """Zeros around (.., L)."""

    count = 2


class ZeroPad2d(_Pad):
    """Zeros around (.., H, W)."""


class ZeroPad3d(_Pad):
    """Zeros around (.., D, H, W)."""

    count = 6


class ReflectionPad1d(_Pad):
    """The mirror image around (.., L)."""

    mode, count = "reflect", 2


class ReflectionPad2d(_Pad):
    """The mirror image around (.., H, W)."""

    mode = "reflect"


class ReflectionPad3d(_Pad):
    """The mirror image around (.., D, H, W)."""

    mode, count = "reflect", 6


class ReplicationPad1d(_Pad):
    """The edge repeated around (.., L)."""

    mode, count = "replicate", 2


class ReplicationPad2d(_Pad):
    """The edge repeated around (.., H, W)."""

    mode = "replicate"


class ReplicationPad3d(_Pad):
    """The edge repeated around (.., D, H, W)."""

    mode, count = "replicate", 6


class _CircularPad(_Pad):
    mode = "circular"

    def forward(self, input: Any) -> Any:
        require_argument(input, type(self).__name__)
        rank = self.count // 2 + 1
        if input.dim() not in (rank, rank + 1):
            raise ValueError(f"expected {rank}D or {rank + 1}D input (got {input.dim()}D input)")
        return super().forward(input)


class CircularPad1d(_CircularPad):
    """The other end continued around (.., L)."""

    count = 2


class CircularPad2d(_CircularPad):
    """The other end continued around (.., H, W)."""


class CircularPad3d(_CircularPad):
    """The other end continued around (.., D, H, W)."""

    count = 6


class ConstantPad1d(_Pad):
    """A value around (.., L)."""

    count = 2

    def __init__(self, padding: IntOrInts, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Any) -> Any:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad2d(ConstantPad1d):
    """A value around (.., H, W)."""

    count = 4


class ConstantPad3d(ConstantPad1d):
    """A value around (.., D, H, W)."""

    count = 6
