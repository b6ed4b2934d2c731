"""Excesses over a threshold."""

from __future__ import annotations

import math
from typing import Any

from ..creation import ones_like, zeros_like
from ..ops import expm1, isclose, log, log1p, where
from ..sampling import rand
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution
from .utils import broadcast_all

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """Density (1 + c z)^(-1/c - 1) / scale, z = (x - loc) / scale, c = concentration; e⁻ᶻ / scale for c = 0.

    PyTorch: torch.distributions.GeneralizedPareto.
    """

    arg_constraints = {  # noqa: RUF012
        "loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real,
    }  # fmt: skip
    has_rsample = True

    def __init__(
        self, loc: Tensor | float, scale: Tensor | float, concentration: Tensor | float,
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def _flat(self) -> Tensor:
        """Where the concentration counts as 0."""
        return isclose(self.concentration, zeros_like(self.concentration))

    @property
    def _held(self) -> Tensor:
        return where(self._flat, ones_like(self.concentration), self.concentration)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:  # type: ignore[override]
        upper = where(self.concentration < 0, self.loc - self.scale / self.concentration, math.inf)
        return constraints.interval(self.loc, upper)

    @property
    def mean(self) -> Tensor:
        c = self.concentration
        return where(c < 1, self.loc + self.scale / (1 - where(c < 1, c, 0.5)), math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        c = where(self.concentration < 0.5, self.concentration, 0.25)
        return where(self.concentration < 0.5, self.scale**2 / ((1 - c) ** 2 * (1 - 2 * c)), math.nan)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.icdf(rand(self._extended_shape(sample_shape), dtype=self.loc.dtype))

    def log_prob(self, value: Tensor | float) -> Tensor:
        self._validate_sample(value)
        z, c = (value - self.loc) / self.scale, self._held
        return -log(self.scale) - where(self._flat, z, (1 / c + 1) * log1p(c * z))

    def log_survival_function(self, value: Tensor | float) -> Tensor:
        """ln (1 - cdf)."""
        self._validate_sample(value)
        z, c = (value - self.loc) / self.scale, self._held
        return where(self._flat, -z, -log1p(c * z) / c)

    def log_cdf(self, value: Tensor | float) -> Tensor:
        """ln cdf."""
        return log1p(-self.log_survival_function(value).exp())

    def cdf(self, value: Tensor | float) -> Tensor:
        return self.log_cdf(value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        c, log_ = self._held, log1p(-value)
        return where(self._flat, self.loc - self.scale * log_, self.loc + self.scale * expm1(-c * log_) / c)

    def entropy(self) -> Tensor:
        return (log(self.scale) + self.concentration + 1).expand(self._batch_shape)
