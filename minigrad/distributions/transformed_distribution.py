"""Distributions of transformed variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd.modes import no_grad
from ..size import Size
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution
from .independent import Independent, sum_rightmost
from .transforms import ComposeTransform, Transform
from .utils import require_value

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """y = f(x), x of the base distribution: log p(y) = log p(x) - ln |det dy/dx|.

    PyTorch: torch.distributions.TransformedDistribution.
    """

    def __init__(
        self, base_distribution: Distribution, transforms: Transform | Sequence[Transform],
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        if isinstance(transforms, Transform):
            self.transforms: list[Transform] = [transforms]
        elif isinstance(transforms, list):
            if not all(isinstance(t, Transform) for t in transforms):
                raise ValueError("transforms must be a Transform or a list of Transforms")
            self.transforms = transforms
        else:
            raise ValueError(f"transforms must be a Transform or list, but was {transforms}")
        base_shape = base_distribution.batch_shape + base_distribution.event_shape
        whole = ComposeTransform(self.transforms)
        if len(base_shape) < whole.domain.event_dim:
            raise ValueError(
                f"base_distribution needs to have shape with size at least {whole.domain.event_dim}, but got {base_shape}."
            )
        forward = Size(whole.forward_shape(base_shape))
        expanded = Size(whole.inverse_shape(forward))
        base_dims = len(base_distribution.event_shape)
        if base_shape != expanded:
            base_distribution = base_distribution.expand(expanded[: len(expanded) - base_dims])
        more = whole.domain.event_dim - base_dims
        self.base_dist = Independent(base_distribution, more) if more > 0 else base_distribution
        n = whole.codomain.event_dim + max(base_dims - whole.domain.event_dim, 0)
        cut = len(forward) - n
        super().__init__(forward[:cut], forward[cut:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        if self._rebuilt:
            if any(n < 0 for n in batch_shape):  # -1 too, which leaves a size as it is elsewhere
                raise ValueError(
                    f"Attempting to broadcast a dimension with negative length! expand() got {tuple(batch_shape)}"
                )
            return super().expand(batch_shape)
        new = TransformedDistribution.__new__(type(self))
        new.__dict__.update(self.__dict__)
        shape = Size((*batch_shape, *self.event_shape))
        for t in reversed(self.transforms):
            shape = t.inverse_shape(shape)
        new.base_dist = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        new._batch_shape = Size(batch_shape)
        return new

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> Any:  # type: ignore[override]
        if not self.transforms:
            return self.base_dist.support
        support = self.transforms[-1].codomain
        n = len(self.event_shape) - support.event_dim
        return constraints.independent(support, n) if n > 0 else support

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        return self.base_dist.has_rsample

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            return self._through(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self._through(self.base_dist.rsample(sample_shape))

    def _through(self, x: Tensor) -> Tensor:
        for t in self.transforms:
            x = t(x)
        return x

    def log_prob(self, value: Tensor | float) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        y: Any = value
        dims = len(self.event_shape)
        total: Any = 0.0
        for t in reversed(self.transforms):
            x = t.inv(y)
            dims += t.domain.event_dim - t.codomain.event_dim
            total = total - sum_rightmost(t.log_abs_det_jacobian(x, y), dims - t.domain.event_dim)
            y = x
        return total + sum_rightmost(self.base_dist.log_prob(y), dims - len(self.base_dist.event_shape))

    def _monotone(self, value: Tensor | float) -> Any:
        """A probability, turned round where the maps fall."""
        sign: Any = 1
        for t in self.transforms:
            sign = sign * t.sign
        if isinstance(sign, int | float) and sign == 1:
            return value
        require_value(value, f"{type(self).__name__}.icdf()")
        return sign * (value - 0.5) + 0.5

    def cdf(self, value: Tensor | float) -> Tensor:
        x: Any = value
        for t in reversed(self.transforms):
            x = t.inv(x)
        if self._validate_args:  # what the base distribution is asked about: a number may have become a tensor
            self.base_dist._validate_sample(x)
        return self._monotone(self.base_dist.cdf(x))

    def icdf(self, value: Any) -> Tensor:
        return self._through(self.base_dist.icdf(self._monotone(value)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()" if type(self) is TransformedDistribution else super().__repr__()
