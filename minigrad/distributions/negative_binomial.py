"""How many succeed before so many fail."""

from __future__ import annotations

from typing import Any

from ..autograd.modes import no_grad
from ..nn.functional import logsigmoid
from ..ops import exp, lgamma, sigmoid, where
from ..rejection import poisson
from ..tensor import Tensor
from . import constraints
from .bernoulli import set_probs_or_logits
from .distribution import Distribution
from .gamma import Gamma
from .utils import lazy_property, logits_to_probs, probs_to_logits

__all__ = ["NegativeBinomial"]


class NegativeBinomial(Distribution):
    """Successes of probability probs before total_count failures. PyTorch: torch.distributions.NegativeBinomial."""

    arg_constraints = {  # noqa: RUF012
        "total_count": constraints.greater_than_eq(0), "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }  # fmt: skip
    support = constraints.nonnegative_integer

    def __init__(
        self, total_count: Tensor | float, probs: Tensor | None = None, logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        (count,) = set_probs_or_logits(self, probs, logits, total_count)
        given = self.probs if probs is not None else self.logits
        self.total_count = count.to(given.dtype)
        super().__init__(given.shape, validate_args=validate_args)

    @lazy_property
    def logits(self) -> Tensor:
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        return logits_to_probs(self.logits, is_binary=True)

    @property
    def param_shape(self) -> Any:
        return self.total_count.shape

    @property
    def mean(self) -> Tensor:
        return self.total_count * exp(self.logits)

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * exp(self.logits)).floor().clamp(min=0.0)

    @property
    def variance(self) -> Tensor:
        return self.mean / sigmoid(-self.logits)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            rate = Gamma(self.total_count, exp(-self.logits), validate_args=False).sample(sample_shape)
            return poisson(rate)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n, logits = self.total_count, self.logits
        ways = lgamma(n + value) - lgamma(1.0 + value) - lgamma(n)
        ways = where(n + value == 0.0, 0.0, ways)
        return n * logsigmoid(-logits) + value * logsigmoid(logits) + ways
