"""Several maps beside each other, and the map by a distribution function. PyTorch: torch.distributions.transforms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from ..errors import WrongObject
from ..foreign import said
from ..ops import cat, stack
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution
from .independent import sum_rightmost
from .transforms import Transform

__all__ = ["CatTransform", "CumulativeDistributionTransform", "StackTransform"]


class Joined(Transform):
    """Maps beside each other along a dimension: `_apart` gives the parts of a tensor, `_together` puts parts together."""

    def __init__(self, tseq: Iterable[Transform], dim: int = 0, cache_size: Any = 0) -> None:
        if not all(isinstance(t, Transform) for t in tseq):
            raise AssertionError("All elements of tseq must be Transform instances")
        super().__init__(cache_size)
        self.transforms = [t.with_cache(cache_size) if cache_size else t for t in tseq]
        self.dim = dim

    @property
    def _length(self) -> int:
        raise NotImplementedError

    def _apart(self, x: Tensor) -> Sequence[Tensor]:
        raise NotImplementedError

    def _together(self, parts: Sequence[Tensor]) -> Tensor:
        raise NotImplementedError

    def _parts(self, x: Tensor, name: str) -> Sequence[Tensor]:
        """The parts of x. Errors: AssertionError where it has no such dimension, or one of another length."""
        if not -x.dim() <= self.dim < x.dim():
            raise AssertionError(f"dim {self.dim} out of range for {name} with {x.dim()} dimensions")
        if x.shape[self.dim] != self._length:
            raise AssertionError(f"{name}.size({self.dim}) = {x.shape[self.dim]} must equal {self._length}")
        return self._apart(x)

    def _call(self, x: Tensor) -> Tensor:
        return self._together([t(part) for t, part in zip(self.transforms, self._parts(x, "x"), strict=True)])

    def _inverse(self, y: Tensor) -> Tensor:
        return self._together([t.inv(part) for t, part in zip(self.transforms, self._parts(y, "y"), strict=True)])

    def _stretches(self, x: Tensor, y: Tensor) -> Iterable[tuple[Transform, Tensor]]:
        """Of each part its map and its ln |det dy/dx|."""
        for t, a, b in zip(self.transforms, self._parts(x, "x"), self._parts(y, "y"), strict=True):
            yield t, t.log_abs_det_jacobian(a, b)

    @property
    def bijective(self) -> bool:  # type: ignore[override]
        return all(t.bijective for t in self.transforms)


class CatTransform(Joined):
    """Maps of parts of `lengths` each (1 each where they are not given), as `torch.cat` puts them together."""

    def __init__(
        self, tseq: Iterable[Transform], dim: int = 0, lengths: Iterable[int] | None = None, cache_size: Any = 0
    ) -> None:
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise AssertionError(f"lengths ({len(self.lengths)}) must match transforms ({len(self.transforms)})")

    @property
    def length(self) -> int:
        return sum(self.lengths)

    _length = length  # type: ignore[assignment]

    @property
    def event_dim(self) -> int:
        return max(t.event_dim for t in self.transforms)

    @constraints.dependent_property
    def domain(self) -> Any:  # type: ignore[override]
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @constraints.dependent_property
    def codomain(self) -> Any:  # type: ignore[override]
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)

    def with_cache(self, cache_size: int = 1) -> Transform:
        if self._cache_size == cache_size:
            return self
        return CatTransform(self.transforms, self.dim, self.lengths, cache_size)

    def _apart(self, x: Any) -> Sequence[Tensor]:
        starts = accumulate(self.lengths, initial=0)
        return [x.narrow(self.dim, start, n) for start, n in zip(starts, self.lengths, strict=False)]

    def _together(self, parts: Sequence[Tensor]) -> Tensor:
        return cat(parts, self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Any:
        stretches = [sum_rightmost(s, self.event_dim - t.event_dim) for t, s in self._stretches(x, y)]
        dim = (self.dim - x.dim() if self.dim >= 0 else self.dim) + self.event_dim
        return cat(stretches, dim) if dim < 0 else sum(stretches)


class StackTransform(Joined):
    """Maps of what stands beside each other, as `torch.stack` puts them together."""

    @property
    def _length(self) -> int:
        return len(self.transforms)

    @constraints.dependent_property
    def domain(self) -> Any:  # type: ignore[override]
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @constraints.dependent_property
    def codomain(self) -> Any:  # type: ignore[override]
        return constraints.stack([t.codomain for t in self.transforms], self.dim)

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self if self._cache_size == cache_size else StackTransform(self.transforms, self.dim, cache_size)

    def _apart(self, x: Tensor) -> Sequence[Tensor]:
        return x.unbind(self.dim)

    def _together(self, parts: Sequence[Tensor]) -> Tensor:
        return stack(parts, self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return stack([s for _, s in self._stretches(x, y)], self.dim)


class CumulativeDistributionTransform(Transform):
    """y = F(x), the distribution function of a distribution: it makes a copula of a vector of variables."""

    bijective = True
    codomain = constraints.unit_interval
    sign = 1  # type: ignore[assignment]

    def __init__(self, distribution: Distribution, cache_size: Any = 0) -> None:
        super().__init__(cache_size)
        self.distribution = distribution

    def _of(self, method: str) -> Any:
        """A member of the distribution, or of what stands in its place."""
        if not hasattr(self.distribution, method):
            raise WrongObject(
                f"CumulativeDistributionTransform(): argument 'distribution' must be Distribution, not {said(self.distribution)}"
            )
        return getattr(self.distribution, method)

    @property
    def domain(self) -> Any:  # type: ignore[override]
        return self._of("support")

    def with_cache(self, cache_size: int = 1) -> Transform:
        if self._cache_size == cache_size:
            return self
        return CumulativeDistributionTransform(self.distribution, cache_size)

    def _call(self, x: Tensor) -> Tensor:
        return self._of("cdf")(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self._of("icdf")(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Any) -> Tensor:
        return self._of("log_prob")(x)
