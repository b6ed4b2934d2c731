"""Normal vectors whose covariance is a few directions and noise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..creation import eye
from ..linalg import cholesky
from ..ops import diag_embed, log
from ..size import Size
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution
from .multivariate_normal import half_log_det, mahalanobis
from .normal import standard_normal
from .utils import lazy_property

__all__ = ["LowRankMultivariateNormal"]


class LowRankMultivariateNormal(Distribution):
    """Normal vectors (.., n) of covariance W Wᵀ + diag(D), W = cov_factor (.., n, m), D = cov_diag (.., n).

    The inverse is Woodbury's, through K = I + Wᵀ D⁻¹ W (.., m, m). PyTorch: torch.distributions.LowRankMultivariateNormal.
    """

    arg_constraints = {  # noqa: RUF012
        "loc": constraints.real_vector, "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }  # fmt: skip
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        n = loc.shape[-1:]
        if cov_factor.dim() < 2:
            raise ValueError("cov_factor must be at least two-dimensional, with optional leading batch dimensions")
        if cov_factor.shape[-2:-1] != n:
            raise ValueError(f"cov_factor must be a batch of matrices with shape {n[0]} x m")
        if not cov_factor.shape[-1]:
            raise IndexError(
                "cov_factor must have a column; a covariance that is diagonal alone is Independent(Normal(...), 1)"
            )
        if cov_diag.shape[-1:] != n:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {n}")
        self._factor, self._diagonal = cov_factor, cov_diag
        shapes = loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1]
        try:
            batch = Size(np.broadcast_shapes(*shapes))
        except ValueError:
            raise ValueError(f"Incompatible batch shapes: loc, cov_factor and cov_diag have {shapes}") from None
        self.loc = loc.expand((*batch, *n))
        self.cov_factor = cov_factor.expand((*batch, *cov_factor.shape[-2:]))
        self.cov_diag = cov_diag.expand((*batch, *n))
        scaled = cov_factor.mT / cov_diag.unsqueeze(-2)
        self._capacitance_tril = cholesky(scaled @ cov_factor + eye(cov_factor.shape[-1], dtype=cov_factor.dtype))
        super().__init__(batch, n, validate_args=validate_args)

    def _wide(self, x: Tensor) -> Tensor:
        return x.expand((*self._batch_shape, *self._event_shape, *self._event_shape))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        return self._wide(self._factor @ self._factor.mT + diag_embed(self._diagonal))

    @lazy_property
    def scale_tril(self) -> Tensor:
        return cholesky(self.covariance_matrix)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        scaled = self._factor.mT / self._diagonal.unsqueeze(-2)
        part = scaled.mT @ scaled.cholesky_solve(self._capacitance_tril)
        return self._wide(diag_embed(self._diagonal.reciprocal()) - part)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return (self._factor.pow(2).sum(-1) + self._diagonal).expand((*self._batch_shape, *self._event_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        few = standard_normal((*shape[:-1], self.cov_factor.shape[-1]), self.loc)
        noise = standard_normal(shape, self.loc)
        return self.loc + (self._factor @ few.unsqueeze(-1)).squeeze(-1) + self._diagonal.sqrt() * noise

    @property
    def _log_det(self) -> Tensor:
        return 2 * half_log_det(self._capacitance_tril) + log(self._diagonal).sum(-1)

    def log_prob(self, value: Tensor | float) -> Tensor:
        self._validate_sample(value)
        x = value - self.loc
        along = (self._factor.mT @ (x / self._diagonal).unsqueeze(-1)).squeeze(-1)
        distance = (x.pow(2) / self._diagonal).sum(-1) - mahalanobis(self._capacitance_tril, along)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + self._log_det + distance)

    def entropy(self) -> Tensor:
        H = 0.5 * (self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._log_det)
        return H.expand(self._batch_shape) if self._batch_shape else H
