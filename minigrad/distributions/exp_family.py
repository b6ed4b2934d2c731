"""Distributions with densities e^(⟨t(x), θ⟩ - F(θ) + k(x)). PyTorch: torch.distributions.ExponentialFamily."""

from __future__ import annotations

from typing import Any

from ..autograd import grad
from ..tensor import Tensor
from .distribution import Distribution

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """A family of the user's own that gives F, its log normalizer, gets its entropy from it, by autograd.

    A subclass gives `_natural_params`, the tensors θ, `_log_normalizer(*θ)`, which is F(θ), and `_mean_carrier_measure`,
    which is E[k(x)].

        entropy = F(θ) - ⟨θ, ∇F(θ)⟩ - E[k(x)]

    Source: Nielsen and Nock 2010, "Entropies and cross-entropies of exponential families".
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self) -> Any:
        raise NotImplementedError

    def entropy(self) -> Tensor:
        carrier = self._mean_carrier_measure
        natural = [p.detach().requires_grad_() for p in self._natural_params]
        normalizer = self._log_normalizer(*natural)
        means = grad(normalizer.sum(), natural, create_graph=True)
        result = normalizer - carrier
        for p, mean in zip(natural, means, strict=True):
            result = result - (p * mean).reshape((*self._batch_shape, -1)).sum(-1)
        return result
