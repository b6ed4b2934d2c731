"""The normal distribution."""

from __future__ import annotations

import math
from typing import Any

from ..autograd.modes import no_grad
from ..ops import erf, erfinv, log
from ..sampling import normal
from ..tensor import Tensor
from .exp_family import ExponentialFamily
from .location_scale import LocationScale

__all__ = ["Normal"]


def standard_normal(shape: Any, like: Tensor) -> Tensor:
    """Standard normal numbers, in the dtype of `like`, taken from the stream as PyTorch's distributions take them."""
    return normal(like.new_zeros(shape), like.new_ones(shape))


class Normal(LocationScale, ExponentialFamily):
    """Density e^(-(x - loc)² / (2 scale²)) / (scale √(2π)). PyTorch: torch.distributions.Normal."""

    @property
    def stddev(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        return self.stddev.pow(2)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return normal(self.loc.expand(shape), self.scale.expand(shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.loc + standard_normal(self._extended_shape(sample_shape), self.loc) * self.scale

    def log_prob(self, value: Tensor | float) -> Tensor:
        self._validate_sample(value)
        return -((value - self.loc) ** 2) / (2 * self.scale**2) - log(self.scale) - math.log(math.sqrt(2 * math.pi))

    def cdf(self, value: Tensor | float) -> Tensor:
        self._validate_sample(value)
        return 0.5 * (1 + erf((value - self.loc) * self.scale.reciprocal() / math.sqrt(2)))

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * erfinv(2 * value - 1) * math.sqrt(2)

    def entropy(self) -> Tensor:
        return 0.5 + 0.5 * math.log(2 * math.pi) + log(self.scale)
