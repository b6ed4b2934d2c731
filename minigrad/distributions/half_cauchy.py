"""Cauchy numbers without their sign."""

from __future__ import annotations

import math
from typing import Any

from ..creation import as_tensor
from ..tensor import Tensor
from .cauchy import Cauchy
from .half import Half

__all__ = ["HalfCauchy"]


class HalfCauchy(Half):
    """|x|, x of Cauchy(0, scale). PyTorch: torch.distributions.HalfCauchy."""

    symmetric = Cauchy

    @property
    def mean(self) -> Tensor:
        return self.scale.new_full(self._extended_shape(), math.inf)

    def log_prob(self, value: Any) -> Tensor:
        """Of anything that becomes a tensor, as in PyTorch."""
        self._validate_sample(value)
        return super().log_prob(as_tensor(value, dtype=self.scale.dtype))

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance
