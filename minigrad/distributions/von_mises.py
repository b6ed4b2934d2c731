"""Angles."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..autograd.modes import no_grad
from ..creation import zeros
from ..ops import cos, log, where
from ..sampling import rand
from ..special import i0e, i1e
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution
from .utils import broadcast_all

__all__ = ["VonMises"]


class VonMises(Distribution):
    """Density e^(concentration · cos(x - loc)) / (2π I₀(concentration)) of angles. PyTorch: torch.distributions.VonMises.

    PyTorch takes I₀ from a fit that is right to 2e-7; here it is exact. Source of the samples: D. Best and N. Fisher, "Efficient
    simulation of the von Mises distribution" (1979).
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}  # noqa: RUF012
    support = constraints.real

    def __init__(self, loc: Tensor | float, concentration: Tensor | float, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: object = None) -> Any:
        """The same for a larger batch; as in PyTorch, _instance is not looked at."""
        return super().expand(batch_shape)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The circular variance, 1 - I₁ / I₀."""
        return 1 - i1e(self.concentration) / i0e(self.concentration)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with no_grad():
            loc, k = self.loc.to(dtypes.float64), self.concentration.to(dtypes.float64)
            tau = 1 + (1 + 4 * k**2).sqrt()
            rho = (tau - (2 * tau).sqrt()) / (2 * k)
            r = where(k < 1e-5, 1 / k + k, (1 + rho**2) / (2 * rho))
            x, done = zeros(shape, dtype=dtypes.float64), zeros(shape, dtype=dtypes.bool_)
            while not bool(done.all()):
                u1, u2, u3 = rand((3, *shape), dtype=dtypes.float64).unbind()
                z = cos(math.pi * u1)
                f = (1 + r * z) / (r + z)
                c = k * (r - f)
                accepted = (c * (2 - c) - u2 > 0) | (log(c / u2) + 1 - c >= 0)
                x = where(accepted, (u3 - 0.5).sign() * f.acos(), x)
                done = done | accepted
            return ((x + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)

    def log_prob(self, value: Tensor | float) -> Tensor:
        self._validate_sample(value)
        k = self.concentration
        return k * cos(value - self.loc) - math.log(2 * math.pi) - (log(i0e(k)) + k)
