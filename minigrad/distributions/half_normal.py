"""Normal numbers without their sign."""

from __future__ import annotations

import math

from ..tensor import Tensor
from .half import Half
from .normal import Normal

__all__ = ["HalfNormal"]


class HalfNormal(Half):
    """|x|, x of Normal(0, scale). PyTorch: torch.distributions.HalfNormal."""

    symmetric = Normal

    @property
    def mean(self) -> Tensor:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Tensor:
        return self.scale.pow(2) * (1 - 2 / math.pi)
