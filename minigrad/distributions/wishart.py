"""Covariances of normal samples."""

from __future__ import annotations

import math
import warnings
from typing import Any

from ..creation import arange, tril_indices
from ..foreign import refuse
from ..linalg import cholesky, slogdet
from ..ops import cholesky_inverse, cholesky_solve, diag_embed, digamma, mvlgamma, where
from ..ops.operands import broadcast
from ..sampling import randn
from ..size import Size
from ..tensor import Tensor
from . import constraints
from .chi2 import Chi2
from .exp_family import ExponentialFamily
from .multivariate_normal import half_log_det, precision_to_scale_tril
from .utils import broadcast_all, lazy_property

__all__ = ["Wishart"]


class Wishart(ExponentialFamily):
    """Σ x xᵀ (.., p, p) of df normal vectors of this covariance (or its inverse, or its Cholesky factor).

    PyTorch: torch.distributions.Wishart. Source of the samples: Bartlett's decomposition, S. Sawyer, "Wishart Distributions and
    Inverse-Wishart Sampling" (2007).
    """

    arg_constraints = {  # noqa: RUF012
        "covariance_matrix": constraints.positive_definite, "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky, "df": constraints.greater_than(0),
    }  # fmt: skip
    support = constraints.positive_definite
    has_rsample = True

    def __init__(
        self, df: Tensor | float, covariance_matrix: Tensor | None = None, precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None, validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        names = ("covariance_matrix", "precision_matrix", "scale_tril")
        given = [
            (n, x)
            for n, x in zip(names, (covariance_matrix, precision_matrix, scale_tril), strict=True)
            if x is not None
        ]
        refuse("Wishart", dict(given))
        if len(given) != 1:
            raise AssertionError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = given
        if matrix.dim() < 2:
            raise ValueError("scale_tril must be at least two-dimensional, with optional leading batch dimensions")
        (df,) = broadcast_all(df)
        if df.array.dtype.kind == "b":
            raise RuntimeError("Wishart: df is a number of degrees of freedom, not of type bool")
        p = matrix.shape[-1]
        batch = Size(broadcast(df.array.shape, matrix.array.shape[:-2]))
        self.df = df.to(matrix.dtype).expand(batch)
        self.__dict__[name] = matrix.expand((*batch, *matrix.shape[-2:]))
        if bool((self.df <= p - 1).any()):
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {p - 1}.")
        self.arg_constraints = {**{n: Wishart.arg_constraints[n] for n in names}, "df": constraints.greater_than(p - 1)}
        super().__init__(batch, matrix.shape[-2:], validate_args=validate_args)
        if bool((self.df < p).any()):
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for ndim - 1 < df < ndim.",
                stacklevel=2,
            )
        if scale_tril is not None:
            self._unbroadcasted_scale_tril = scale_tril
        else:
            self._unbroadcasted_scale_tril = (
                precision_to_scale_tril(matrix) if covariance_matrix is None else cholesky(matrix)
            )
        self._chi2 = Chi2(self.df.unsqueeze(-1) - arange(p, dtype=matrix.dtype).expand((*batch, p)))

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = super().expand(batch_shape)
        new._chi2 = self._chi2.expand((*batch_shape, self._event_shape[0]))
        return new

    @lazy_property
    def scale_tril(self) -> Tensor:
        return self._unbroadcasted_scale_tril.expand((*self._batch_shape, *self._event_shape))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        L = self._unbroadcasted_scale_tril
        return (L @ L.mT).expand((*self._batch_shape, *self._event_shape))

    @lazy_property
    def precision_matrix(self) -> Tensor:
        return cholesky_inverse(self._unbroadcasted_scale_tril).expand((*self._batch_shape, *self._event_shape))

    @property
    def mean(self) -> Tensor:
        return self.df[..., None, None] * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        factor = self.df - self.covariance_matrix.shape[-1] - 1
        return where(factor <= 0, math.nan, factor)[..., None, None] * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        V = self.covariance_matrix
        diagonal = V.diagonal(dim1=-2, dim2=-1)
        return self.df[..., None, None] * (V.pow(2) + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    def _bartlett(self, sample_shape: tuple[int, ...]) -> Tensor:
        p = self._event_shape[0]
        noise = diag_embed(self._chi2.rsample(sample_shape).sqrt())
        rows, columns = tril_indices(p, p, offset=-1)
        noise[..., rows, columns] = randn((*sample_shape, *self._batch_shape, p * (p - 1) // 2), dtype=noise.dtype)
        L = self._unbroadcasted_scale_tril @ noise
        return L @ L.mT

    def rsample(self, sample_shape: Any = (), max_try_correction: int | None = None) -> Tensor:
        """PyTorch means to draw singular matrices again and draws the others, warning of "Singular sample detected.": here so
        many are drawn, without the warning. max_try_correction: how often at most, by default 10 times, 3 for p > 3."""
        sample_shape = (sample_shape,) if isinstance(sample_shape, int) else tuple(sample_shape)
        tries = (3 if self._event_shape[0] > 3 else 10) if max_try_correction is None else max_try_correction
        sample = self._bartlett(sample_shape)
        again = self._any_of_batch(self.support.check(sample))
        for _ in range(tries):
            if not bool(again.any()):
                break
            fresh = self._bartlett((int(again.sum()),))
            sample = sample.index_put((again,), fresh)
            redo = again.clone()
            redo[again.clone()] = self._any_of_batch(~self.support.check(fresh))
            again = redo
        return sample

    def _any_of_batch(self, x: Tensor) -> Tensor:
        for _ in self._batch_shape:
            x = x.any(-1)
        return x

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        df, p, L = self.df, self._event_shape[0], self._unbroadcasted_scale_tril
        norm = df * (p * math.log(2) / 2 + half_log_det(L)) + mvlgamma(df / 2, p)
        trace = cholesky_solve(value, L).diagonal(dim1=-2, dim2=-1).sum(-1)
        return (df - p - 1) / 2 * slogdet(value).logabsdet - norm - trace / 2

    def entropy(self) -> Tensor:
        df, p = self.df, self._event_shape[0]
        half = df / 2
        slopes: Any = 0.0
        for j in range(p):
            slopes = slopes + digamma(half - j / 2)
        size = p * math.log(2) / 2 + half_log_det(self._unbroadcasted_scale_tril)
        return (p + 1) * size + mvlgamma(half, p) - (df - p - 1) / 2 * slopes + df * p / 2
