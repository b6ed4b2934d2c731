"""How often each category comes in several draws."""

from __future__ import annotations

from typing import Any

from ..autograd.modes import no_grad
from ..creation import tensor
from ..ops import exp, lgamma, where
from ..tensor import Tensor
from . import constraints
from .binomial import Binomial
from .categorical import OfCategorical
from .utils import broadcast_all

__all__ = ["Multinomial"]


class Multinomial(OfCategorical):
    """Counts of `total_count` draws from a Categorical. PyTorch: torch.distributions.Multinomial."""

    def __init__(
        self, total_count: int = 1, probs: Tensor | None = None, logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        super().__init__(probs, logits, validate_args)
        self._binomial = Binomial(total_count=total_count, probs=self.probs)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = super().expand(batch_shape)
        new._binomial = Binomial(self.total_count, probs=new._categorical.probs)
        return new

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:  # type: ignore[override]
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        sample_shape = (sample_shape,) if isinstance(sample_shape, int) else tuple(sample_shape)
        with no_grad():
            samples = self._categorical.sample((self.total_count, *sample_shape))
            samples = samples.permute((*range(1, samples.dim()), 0))
            counts = samples.new_zeros(self._extended_shape(sample_shape)).scatter_add(-1, samples, samples * 0 + 1)
            return counts.to(self.probs.dtype)

    def log_prob(self, value: Tensor | float) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        ways = lgamma(value.sum(-1) + 1) - lgamma(value + 1).sum(-1)
        held = where((value == 0) & (logits == float("-inf")), 0.0, logits)
        return ways + (held * value).sum(-1)

    def entropy(self) -> Tensor:
        n = tensor(self.total_count)  # PyTorch takes ln n! of a whole number, so in the default float type
        whole = self._categorical.entropy() * n - lgamma(n + 1)
        support = self._binomial.enumerate_support(expand=False)[1:]
        terms = exp(self._binomial.log_prob(support)) * lgamma(support + 1)
        return whole + terms.sum((0, -1))
