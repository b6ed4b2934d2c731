"""Cholesky factors of random correlation matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.modes import no_grad
from ..creation import arange
from ..errors import InvalidObject
from ..foreign import said
from ..ops import cat, diag_embed, lgamma, log, mvlgamma
from ..ops.checks import require_room
from ..sampling import randn
from ..tensor import Tensor
from . import constraints
from .beta import Beta
from .distribution import Distribution
from .utils import broadcast_all

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """L (.., dim, dim) of correlation matrices L Lᵀ of density ~ det^(concentration - 1). PyTorch: torch.distributions.LKJCholesky.

    Source: D. Lewandowski, D. Kurowicka and H. Joe, "Generating random correlation matrices based on vines and extended onion
    method" (2009), section 3.2.
    """

    arg_constraints = {"concentration": constraints.positive}  # noqa: RUF012
    support = constraints.corr_cholesky

    def __init__(self, dim: int, concentration: Tensor | float = 1.0, validate_args: bool | None = None) -> None:
        if not isinstance(dim, int | float | np.generic | Tensor):
            raise InvalidObject(f"LKJCholesky(): argument 'dim' must be int, not {said(dim)}")
        if dim < 2:
            raise ValueError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        super().__init__(self.concentration.shape, (dim, dim), validate_args=validate_args)
        require_room((dim,), self.concentration.dtype.itemsize)
        try:
            before = arange(dim - 1, dtype=self.concentration.dtype)
        except MemoryError as error:
            raise RuntimeError(f"there is not so much memory: {error}") from None
        before = cat([before.new_zeros((1,)), before])
        size = self.concentration + 0.5 * (dim - 2)
        self._beta = Beta(before + 0.5, size.unsqueeze(-1) - 0.5 * before)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = super().expand(batch_shape)
        new._beta = self._beta.expand((*batch_shape, self.dim))
        return new

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            y = self._beta.sample(sample_shape).unsqueeze(-1)
            normal = randn(self._extended_shape(sample_shape), dtype=y.dtype).tril(-1)
            sphere = normal / normal.norm(dim=-1, keepdim=True)
            sphere[..., 0, :].fill_(0.0)
            w = y.sqrt() * sphere
            tiny = dtypes.finfo(w.dtype).tiny
            return w + diag_embed((1 - (w**2).sum(-1)).clamp(min=tiny).sqrt())

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        order = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - arange(2, self.dim + 1)
        n = self.dim - 1
        alpha = self.concentration + 0.5 * n
        norm = 0.5 * n * math.log(math.pi) + mvlgamma(alpha - 0.5, n) - lgamma(alpha) * n
        return (order * log(diagonal)).sum(-1) - norm
