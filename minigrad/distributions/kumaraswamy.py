"""Near a beta variable, in closed form."""

from __future__ import annotations

import math
from typing import Any

from ..ops import digamma, exp, lgamma, log, where
from ..tensor import Tensor
from . import constraints
from .transformed_distribution import TransformedDistribution
from .transforms import AffineTransform, PowerTransform
from .uniform import Uniform
from .utils import broadcast_all, euler_constant

__all__ = ["Kumaraswamy"]


class Kumaraswamy(TransformedDistribution):
    """(1 - u^(1/b))^(1/a), u uniform, a = concentration1, b = concentration0. PyTorch: torch.distributions.Kumaraswamy."""

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}  # noqa: RUF012
    support = constraints.unit_interval
    _rebuilt = True

    def __init__(
        self, concentration1: Tensor | float, concentration0: Tensor | float, validate_args: bool | None = None
    ) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        zeros = self.concentration0.detach() * 0
        transforms = [
            PowerTransform(self.concentration0.reciprocal()), AffineTransform(1.0, -1.0),
            PowerTransform(self.concentration1.reciprocal()),
        ]  # fmt: skip
        super().__init__(
            Uniform(zeros, zeros + 1, validate_args=validate_args), transforms, validate_args=validate_args
        )

    def _moment(self, n: int) -> Any:
        """E[xⁿ] = b · B(1 + n/a, b)."""
        b, first = self.concentration0, 1 + n / self.concentration1
        return b * exp(lgamma(first) + lgamma(b) - lgamma(first + b))

    @property
    def mean(self) -> Tensor:
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        """As PyTorch computes it: nan where it is wanted. (((a - 1) / (ab - 1))^(1/a) is right.)"""
        a, b = self.concentration1, self.concentration0
        logarithm = b.reciprocal() * (-b).log1p() - (-b * a).log1p()
        return where((b < 1) | (a < 1), math.nan, logarithm).exp()

    @property
    def variance(self) -> Tensor:
        return self._moment(2) - self.mean.pow(2)

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        return (1 - b.reciprocal()) + (1 - a.reciprocal()) * (digamma(b + 1) + euler_constant) - log(a) - log(b)
