"""`Distribution`: what all distributions have. PyTorch: torch.distributions.Distribution."""

from __future__ import annotations

import copy
import math
from typing import Any, ClassVar

from ..autograd.modes import no_grad
from ..foreign import refuse, said
from ..ops import exp
from ..signature import add_kind
from ..size import Size
from ..tensor import Tensor
from ..warn import warn
from . import constraints
from .utils import lazy_property

__all__ = ["Distribution"]


class Distribution:
    """A distribution of variables of shape `event_shape`, or a batch of independent ones, `batch_shape` many.

    A subclass names its parameters in `arg_constraints`, keeps each as an attribute, and gives `log_prob` and `sample` or,
    where a gradient flows through a sample, `rsample`. Tensors are of shape (*sample_shape, *batch_shape, *event_shape).
    Errors: ValueError where a parameter or a value lies outside its region, unless validate_args=False.
    """

    has_rsample: Any = False
    has_enumerate_support: Any = False
    arg_constraints: Any = {}  # noqa: RUF012
    support: Any = None
    _validate_args = __debug__
    _rebuilt: ClassVar[bool] = (
        False  # whether an expanded copy is made anew, as it consists of others made of the parameters
    )

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions check their arguments where they are not told."""
        if value not in (True, False):
            raise ValueError("set_default_validate_args takes True or False")
        Distribution._validate_args = value

    def __init__(self, batch_shape: Any = (), event_shape: Any = (), validate_args: bool | None = None) -> None:
        refuse(type(self).__name__, self.__dict__)  # parameters of another engine
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            if not isinstance(validate_args, bool | int):
                raise TypeError(
                    f"{type(self).__name__}(): argument 'validate_args' must be bool, not {type(validate_args).__name__}"
                )
            self._validate_args = validate_args
        if not self._validate_args:
            return
        for name, constraint in self.arg_constraints.items():
            lazy = name not in self.__dict__ and isinstance(getattr(type(self), name), lazy_property)
            if lazy or constraints.is_dependent(constraint):
                continue  # what is computed from the other parameters when it is asked for needs no check
            value = getattr(self, name)
            valid = constraint.check(value)
            if not bool(valid.all()):
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
                    f"{self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
                )

    def _constraints(self) -> dict[str, Any]:
        return self.arg_constraints

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution for a larger batch, whose parameters are views."""
        batch_shape = Size(batch_shape)
        if any(n < -1 for n in batch_shape):
            raise RuntimeError(f"expand(): a batch has no negative sizes, got {tuple(batch_shape)}")
        if self._rebuilt:
            wide = {name: getattr(self, name).expand(batch_shape) for name in self.arg_constraints}
            new = type(self)(**wide, validate_args=False)
            new._validate_args, new._batch_shape = self._validate_args, batch_shape
            return new
        new = copy.copy(self)
        for name in self.__dict__:
            if isinstance(getattr(type(self), name, None), lazy_property) and name not in self._constraints():
                del new.__dict__[name]
        for name, constraint in self._constraints().items():
            if name in self.__dict__:
                value = self.__dict__[name]
                inner = value.shape[value.dim() - constraint.event_dim :]
                new.__dict__[name] = value.expand((*batch_shape, *inner))
        new._batch_shape = batch_shape
        return new

    @property
    def batch_shape(self) -> Size:
        """How many distributions there are, by dimension."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one variable."""
        return self._event_shape

    @property
    def mean(self) -> Tensor:
        """The expected value."""
        raise NotImplementedError(f"{type(self).__name__} has no mean in minigrad")

    @property
    def mode(self) -> Tensor:
        """The value of the greatest density."""
        raise NotImplementedError(f"{self.__class__} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The expected squared distance from the mean."""
        raise NotImplementedError(f"{type(self).__name__} has no variance in minigrad")

    @property
    def stddev(self) -> Tensor:
        """The root of the variance."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Variables that carry no gradient."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Variables through which gradients flow to the parameters."""
        raise NotImplementedError(f"{type(self).__name__} has no rsample: no gradient flows through its samples")

    def sample_n(self, n: int) -> Tensor:
        """n variables. Deprecated: `sample((n,))`."""
        warn("sample_n(n) will be deprecated. Use .sample((n,)) instead.")
        return self.sample(Size((n,)))

    def log_prob(self, value: Any) -> Tensor:
        """The logarithm of the density (or probability) at value: of shape (*sample_shape, *batch_shape)."""
        raise NotImplementedError

    def cdf(self, value: Any) -> Tensor:
        """The probability of variables up to value."""
        raise NotImplementedError(f"{type(self).__name__} has no cdf in minigrad")

    def icdf(self, value: Any) -> Tensor:
        """The value up to which variables lie with this probability."""
        raise NotImplementedError(f"{type(self).__name__} has no icdf in minigrad")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values that a variable can have, along dimension 0."""
        raise NotImplementedError(f"{type(self).__name__} has no support that could be enumerated")

    def entropy(self) -> Tensor:
        """The expected value of -log_prob."""
        raise NotImplementedError(f"{type(self).__name__} has no entropy in minigrad")

    def perplexity(self) -> Tensor:
        """e to the entropy."""
        return exp(self.entropy())

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        if not isinstance(sample_shape, tuple | list):
            raise TypeError(
                f"sample(): argument 'sample_shape' must be a tuple of ints, not {type(sample_shape).__name__}"
            )
        sample = tuple(sample_shape)
        if any(n < 0 for n in sample if isinstance(n, int)):
            raise RuntimeError(f"sample(): a shape has no negative sizes, got {sample}")
        return Size((*sample, *self._batch_shape, *self._event_shape))

    def _enumerated(self, values: Tensor, expand: bool) -> Tensor:
        """Values along dimension 0, for each of the batch."""
        values = values.reshape((-1, *(1,) * len(self._batch_shape)))
        return values.expand((-1, *self._batch_shape)) if expand else values

    def _validate_sample(self, value: Any) -> None:
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ValueError(f"The value argument to log_prob must be a Tensor, not {said(value)}")
        start = value.dim() - len(self._event_shape)
        if value.shape[start:] != self._event_shape:
            raise ValueError(
                f"The right-most size of value must match event_shape: {value.shape} vs {self._event_shape}."
            )
        expected = (*self._batch_shape, *self._event_shape)
        for i, j in zip(reversed(value.shape), reversed(expected), strict=False):
            if i != 1 and j != 1 and i != j:
                raise ValueError(
                    f"Value is not broadcastable with batch_shape+event_shape: {value.shape} vs {Size(expected)}."
                )
        support = self.support
        if support is None or constraints.is_dependent(support):
            return
        valid = support.check(value)
        if not bool(valid.all()):
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the support "
                f"({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def __repr__(self) -> str:
        shown = [name for name in self.arg_constraints if name in self.__dict__]
        texts = (
            f"{name}: {self.__dict__[name] if math.prod(self.__dict__[name].shape) == 1 else self.__dict__[name].size()}"
            for name in shown
        )
        return f"{type(self).__name__}({', '.join(texts)})"


add_kind(Distribution)
