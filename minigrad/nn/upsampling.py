"""Larger images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..ops.windows import IntOrInts
from . import functional as F
from .module import Module


class Upsample(Module):
    """Larger images, by size or scale_factor."""

    def __init__(
        self, size: IntOrInts | None = None, scale_factor: float | Sequence[float] | None = None, mode: str = "nearest", align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.size, self.mode, self.align_corners = size, mode, align_corners
        self.recompute_scale_factor = recompute_scale_factor
        self.scale_factor: float | tuple[float, ...] | None
        if isinstance(scale_factor, list):
            raise TypeError("scale_factor must be a number or a tuple of numbers, not a list")
        if isinstance(scale_factor, Sequence):
            self.scale_factor = tuple(map(float, scale_factor))
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None

    def forward(self, input: Any) -> Any:
        return F.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        first = f"scale_factor={self.scale_factor}" if self.scale_factor is not None else f"size={self.size}"
        return f"{first}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Larger images, each pixel repeated."""

    def __init__(self, size: IntOrInts | None = None, scale_factor: float | Sequence[float] | None = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Larger images, the corners kept and linear in between."""

    def __init__(self, size: IntOrInts | None = None, scale_factor: float | Sequence[float] | None = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
