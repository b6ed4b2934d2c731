"""Numbers between 0 and 1, with a Bernoulli variable's density."""

from __future__ import annotations

import math
from typing import Any

from ..autograd.modes import no_grad
from ..creation import ones_like, zeros_like
from ..foreign import said
from ..nn.functional import binary_cross_entropy_with_logits
from ..ops import log, log1p, where
from ..sampling import rand
from ..tensor import Tensor
from . import constraints
from .bernoulli import set_probs_or_logits
from .exp_family import ExponentialFamily
from .utils import broadcast_all, clamp_probs, lazy_property, logits_to_probs, probs_to_logits

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(ExponentialFamily):
    """Density C pˣ (1 - p)¹⁻ˣ on [0, 1], p = probs. lims: between these values of p Taylor's series stand for the formulas.

    PyTorch: torch.distributions.ContinuousBernoulli. Source: G. Loaiza-Ganem and J. Cunningham 2019.
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}  # noqa: RUF012
    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
        lims: tuple[float, float] = (0.499, 0.501), validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        set_probs_or_logits(self, probs, logits)
        given = self.probs if probs is not None else self.logits
        if probs is not None:
            # Where nobody has said whether to check, a probability outside of [0, 1] is the nearest one inside.
            if validate_args is not None and not bool(constraints.unit_interval.check(self.probs).all()):
                raise ValueError("The parameter probs has invalid values")
            self.probs = clamp_probs(self.probs)
        if not (isinstance(lims, list | tuple) and len(lims) == 2 and all(isinstance(x, int | float) for x in lims)):
            raise TypeError(f"ContinuousBernoulli(): argument 'lims' must be a pair of numbers, not {said(lims)}")
        self._lims = lims
        super().__init__(given.shape, validate_args=validate_args)

    @lazy_property
    def logits(self) -> Tensor:
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    @property
    def param_shape(self) -> Any:
        return (self.probs if "probs" in self.__dict__ else self.logits).shape

    @property
    def _outside(self) -> Tensor:
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    @property
    def _held(self) -> Tensor:
        """The probabilities, away from 1/2."""
        return where(self._outside, self.probs, self._lims[0] * ones_like(self.probs))

    @property
    def _log_norm(self) -> Tensor:
        """ln C = ln (2 artanh(1 - 2p) / (1 - 2p))."""
        p = self._held
        below, above = where(p <= 0.5, p, zeros_like(p)), where(p >= 0.5, p, ones_like(p))
        norm = log((log1p(-p) - log(p)).abs()) - where(p <= 0.5, log1p(-2.0 * below), log(2.0 * above - 1.0))
        x = (self.probs - 0.5).pow(2)
        return where(self._outside, norm, math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x)

    @property
    def mean(self) -> Tensor:
        p, x = self._held, self.probs - 0.5
        near = 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x.pow(2)) * x
        return where(self._outside, p / (2.0 * p - 1.0) + 1.0 / (log1p(-p) - log(p)), near)

    @property
    def variance(self) -> Tensor:
        p, x = self._held, (self.probs - 0.5).pow(2)
        far = p * (p - 1.0) / (1.0 - 2.0 * p).pow(2) + 1.0 / (log1p(-p) - log(p)).pow(2)
        return where(self._outside, far, 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.icdf(rand(self._extended_shape(sample_shape), dtype=self.probs.dtype))

    def log_prob(self, value: Tensor | float) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none") + self._log_norm

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        p = self._held
        far = (p.pow(value) * (1.0 - p).pow(1.0 - value) + p - 1.0) / (2.0 * p - 1.0)
        inside = where(self._outside, far, value)
        return where(value <= 0.0, zeros_like(value), where(value >= 1.0, ones_like(value), inside))

    def icdf(self, value: Tensor | float) -> Tensor:
        p = self._held
        far = (log1p(-p + value * (2.0 * p - 1.0)) - log1p(-p)) / (log(p) - log1p(-p))
        return where(self._outside, far, value)

    def entropy(self) -> Tensor:
        no, yes = log1p(-self.probs), log(self.probs)
        return self.mean * (no - yes) - self._log_norm - no
