"""The quotient of two chi-square variables."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..ops import lgamma, log, log1p, where
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution
from .gamma import Gamma
from .utils import broadcast_all

__all__ = ["FisherSnedecor"]


class FisherSnedecor(Distribution):
    """(x / df1) / (y / df2), x and y of Chi2(df1) and Chi2(df2). PyTorch: torch.distributions.FisherSnedecor."""

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}  # noqa: RUF012
    support = constraints.positive
    has_rsample = True
    _rebuilt = True

    def __init__(self, df1: Tensor | float, df2: Tensor | float, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        self._above, self._below = Gamma(self.df1 * 0.5, self.df1), Gamma(self.df2 * 0.5, self.df2)
        super().__init__(self.df1.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        held = where(self.df2 > 2, self.df2, math.nan)
        return held / (held - 2)

    @property
    def mode(self) -> Tensor:
        mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return where(self.df1 > 2, mode, math.nan)

    @property
    def variance(self) -> Tensor:
        held = where(self.df2 > 4, self.df2, math.nan)
        return 2 * held.pow(2) * (self.df1 + held - 2) / (self.df1 * (held - 2).pow(2) * (held - 4))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        x, y = self._above.rsample(sample_shape), self._below.rsample(sample_shape)
        tiny = dtypes.finfo(y.dtype).tiny
        value = x / y.clamp(min=tiny)
        return value.clamp(min=tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        a, b, ratio = self.df1 * 0.5, self.df2 * 0.5, self.df1 / self.df2
        whole = lgamma(a + b) - lgamma(a) - lgamma(b)
        return whole + a * log(ratio) + (a - 1) * log(value) - (a + b) * log1p(ratio * value)
