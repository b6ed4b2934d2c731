"""Mixtures."""

from __future__ import annotations

from typing import Any

from ..autograd.modes import no_grad
from ..ops import log_softmax, logsumexp
from ..tensor import Tensor
from . import constraints
from .categorical import Categorical
from .distribution import Distribution

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """A component, the last batch dimension of `component_distribution`, is chosen by a Categorical and then drawn from.

    PyTorch: torch.distributions.MixtureSameFamily.
    """

    def __init__(
        self, mixture_distribution: Categorical, component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(" The Mixture distribution needs to be an  instance of torch.distributions.Categorical")
        if not isinstance(component_distribution, Distribution):
            raise ValueError("The Component distribution need to be an instance of torch.distributions.Distribution")
        chosen, batch = mixture_distribution.batch_shape, component_distribution.batch_shape[:-1]
        for a, b in zip(reversed(chosen), reversed(batch), strict=False):
            if a != 1 and b != 1 and a != b:
                raise ValueError(
                    f"`mixture_distribution.batch_shape` ({chosen}) is not compatible with "
                    f"`component_distribution.batch_shape`({batch})"
                )
        if mixture_distribution.param_shape[-1] != component_distribution.batch_shape[-1]:
            raise ValueError(
                f"`mixture_distribution component` ({mixture_distribution.param_shape[-1]}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({component_distribution.batch_shape[-1]})"
            )
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        super().__init__(batch, component_distribution.event_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        mixture, component = self._mixture_distribution, self._component_distribution
        count = mixture.param_shape[-1]
        new = MixtureSameFamily(
            mixture.expand(batch_shape), component.expand((*batch_shape, count)), validate_args=False
        )
        new._validate_args = self._validate_args
        return new

    @property
    def mixture_distribution(self) -> Categorical:
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        return self._component_distribution

    @constraints.dependent_property
    def support(self) -> Any:  # type: ignore[override]
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def _weights(self) -> Tensor:
        probs = self._mixture_distribution.probs
        return probs.reshape((*probs.shape[:-1], probs.shape[-1], *(1,) * len(self._event_shape)))

    @property
    def mean(self) -> Tensor:
        return (self._weights * self._component_distribution.mean).sum(-1 - len(self._event_shape))

    @property
    def variance(self) -> Tensor:
        dim = -1 - len(self._event_shape)
        inside = (self._weights * self._component_distribution.variance).sum(dim)
        between = (self._weights * (self._component_distribution.mean - self.mean.unsqueeze(dim)).pow(2.0)).sum(dim)
        return inside + between

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            n = len(self._event_shape)
            chosen = self._mixture_distribution.sample(sample_shape)
            drawn = self._component_distribution.sample(sample_shape)
            dim = drawn.dim() - n - 1
            index = chosen.reshape((*chosen.shape, *(1,) * (n + 1)))
            index = index.expand((*chosen.shape, 1, *self._event_shape))
            return drawn.gather(dim, index).squeeze(dim)

    def log_prob(self, x: Tensor) -> Tensor:  # type: ignore[override]
        self._validate_sample(x)
        each = self._component_distribution.log_prob(x.unsqueeze(-1 - len(self._event_shape)))
        return logsumexp(each + log_softmax(self._mixture_distribution.logits, -1), -1)

    def cdf(self, x: Tensor) -> Tensor:
        each = self._component_distribution.cdf(x.unsqueeze(-1 - len(self._event_shape)))
        return (each * self._mixture_distribution.probs).sum(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"
