"""What values parameters and variables may have. `constraint.check(x)` is True where x satisfies it.

PyTorch: torch.distributions.constraints.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import linalg
from ..ops import tril

__all__ = [
    "Constraint", "boolean", "corr_cholesky", "dependent", "dependent_property", "greater_than", "greater_than_eq",
    "half_open_interval", "independent", "integer_interval", "interval", "is_dependent", "less_than", "lower_cholesky",
    "lower_triangular", "multinomial", "nonnegative", "nonnegative_integer", "one_hot", "positive", "positive_definite",
    "positive_integer", "real", "real_vector", "simplex", "square", "symmetric", "unit_interval",
]  # fmt: skip


class Constraint:
    """A region of values. event_dim: how many of the last dimensions belong to one value. PyTorch: the same name."""

    is_discrete = False
    event_dim = 0

    def check(self, value: Any) -> Any:
        """Booleans: whether each value lies in the region."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__.strip('_')}()"


class _Dependent(Constraint):
    """A region that depends on other parameters."""

    def __init__(self, *, is_discrete: bool = False, event_dim: int = 0) -> None:
        self.is_discrete, self.event_dim = is_discrete, event_dim

    def __call__(self, *, is_discrete: bool = False, event_dim: int = 0) -> _Dependent:
        return _Dependent(is_discrete=is_discrete, event_dim=event_dim)

    def check(self, value: Any) -> Any:
        raise ValueError("Cannot determine validity of dependent constraint")


def is_dependent(constraint: Constraint) -> bool:
    """Whether a region depends on other parameters. PyTorch: the same name."""
    return isinstance(constraint, _Dependent)


class dependent_property(property, _Dependent):
    """A property that gives a region which depends on other parameters. PyTorch: the same name."""

    def __init__(self, fn: Callable | None = None, *, is_discrete: bool = False, event_dim: int = 0) -> None:
        super().__init__(fn)
        self.is_discrete, self.event_dim = is_discrete, event_dim

    def __call__(self, fn: Callable) -> dependent_property:  # type: ignore[override]
        return dependent_property(fn, is_discrete=self.is_discrete, event_dim=self.event_dim)


class _Independent(Constraint):
    """A region that holds where the base's holds at every place of the last dimensions."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint, self.reinterpreted_batch_ndims = base_constraint, reinterpreted_batch_ndims

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Any) -> Any:
        result = self.base_constraint.check(value)
        if result.dim() < self.reinterpreted_batch_ndims:
            raise ValueError(
                f"Expected value.dim() >= {self.base_constraint.event_dim + self.reinterpreted_batch_ndims} but got "
                f"{value.dim()}"
            )
        kept = result.shape[: result.dim() - self.reinterpreted_batch_ndims]
        return result.reshape((*kept, -1)).all(-1)

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class _Where(Constraint):
    """The numbers for which a condition holds."""

    def __init__(self, name: str, condition: Callable[[Any], Any], is_discrete: bool = False) -> None:
        self.name, self.condition, self.is_discrete = name, condition, is_discrete

    def check(self, value: Any) -> Any:
        return self.condition(value)

    def __repr__(self) -> str:
        return self.name


def _whole(x: Any) -> Any:
    return x % 1 == 0


def greater_than(lower_bound: Any) -> Constraint:
    """Numbers above a bound."""
    return _Bounded(f"GreaterThan(lower_bound={lower_bound})", lambda x: x > lower_bound, lower_bound=lower_bound)


def greater_than_eq(lower_bound: Any) -> Constraint:
    """Numbers from a bound on."""
    return _Bounded(f"GreaterThanEq(lower_bound={lower_bound})", lambda x: x >= lower_bound, lower_bound=lower_bound)


def less_than(upper_bound: Any) -> Constraint:
    """Numbers below a bound."""
    return _Bounded(f"LessThan(upper_bound={upper_bound})", lambda x: x < upper_bound, upper_bound=upper_bound)


def interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """Numbers between two bounds, which belong to them."""
    return _Bounded(
        f"Interval(lower_bound={lower_bound}, upper_bound={upper_bound})",
        lambda x: (x >= lower_bound) & (x <= upper_bound),
        lower_bound=lower_bound, upper_bound=upper_bound,
    )  # fmt: skip


def half_open_interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """Numbers from a lower bound to below an upper."""
    return _Bounded(
        f"HalfOpenInterval(lower_bound={lower_bound}, upper_bound={upper_bound})",
        lambda x: (x >= lower_bound) & (x < upper_bound),
        lower_bound=lower_bound, upper_bound=upper_bound,
    )  # fmt: skip


def integer_interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """Whole numbers between two bounds, which belong to them."""
    return _Bounded(
        f"IntegerInterval(lower_bound={lower_bound}, upper_bound={upper_bound})",
        lambda x: _whole(x) & (x >= lower_bound) & (x <= upper_bound),
        True, lower_bound=lower_bound, upper_bound=upper_bound,
    )  # fmt: skip


class _Bounded(_Where):
    """Numbers with bounds, which can be read."""

    def __init__(self, name: str, condition: Callable[[Any], Any], is_discrete: bool = False, **bounds: Any) -> None:
        super().__init__(name, condition, is_discrete)
        self.__dict__.update(bounds)


class _Simplex(Constraint):
    """Vectors of numbers from 0 on whose sum is 1."""

    event_dim = 1

    def check(self, value: Any) -> Any:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class _OneHot(Constraint):
    """Vectors of zeros and one 1."""

    event_dim = 1
    is_discrete = True

    def check(self, value: Any) -> Any:
        return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)


class multinomial(Constraint):
    """Vectors of whole numbers from 0 on whose sum is at most the number of draws."""

    event_dim = 1
    is_discrete = True

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Any) -> Any:
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)

    def __repr__(self) -> str:
        return "Multinomial()"


class _LowerTriangular(Constraint):
    event_dim = 2

    def check(self, value: Any) -> Any:
        return (tril(value) == value).flatten(-2).all(-1)


class _LowerCholesky(_LowerTriangular):
    """Lower triangular matrices with a positive diagonal."""

    def check(self, value: Any) -> Any:
        return super().check(value) & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)


class _CorrCholesky(_LowerCholesky):
    """And with rows of length 1."""

    def check(self, value: Any) -> Any:
        tolerance = {4: 1.1920928955078125e-07, 8: 2.220446049250313e-16}[value.element_size()] * value.shape[-1] * 10
        return super().check(value) & ((value.norm(dim=-1) - 1).abs() < tolerance).all(-1)


class _Square(Constraint):
    event_dim = 2

    def check(self, value: Any) -> Any:
        same = value.shape[-1] == value.shape[-2]
        return (value == value).flatten(-2).any(-1) | True if same else (value != value).flatten(-2).any(-1) & False


class _Symmetric(_Square):
    def check(self, value: Any) -> Any:
        if value.shape[-1] != value.shape[-2]:
            return super().check(value)
        return ((value - value.mT).abs() <= 1e-6 + 1e-5 * value.mT.abs()).flatten(-2).all(-1)


class _PositiveDefinite(_Symmetric):
    def check(self, value: Any) -> Any:
        symmetric = super().check(value)
        return symmetric & (linalg.eigvalsh(value.detach()) > 0).all(-1) if bool(symmetric.all()) else symmetric


class _Real(Constraint):
    """Numbers that are not nan."""

    def check(self, value: Any) -> Any:
        return value == value


dependent = _Dependent()
independent = _Independent
boolean = _Where("Boolean()", lambda x: (x == 0) | (x == 1), True)
real = _Real()
real_vector = independent(real, 1)
positive = greater_than(0.0)
nonnegative = greater_than_eq(0.0)
unit_interval = interval(0.0, 1.0)
nonnegative_integer = _Where("IntegerGreaterThan(lower_bound=0)", lambda x: _whole(x) & (x >= 0), True)
positive_integer = _Where("IntegerGreaterThan(lower_bound=1)", lambda x: _whole(x) & (x >= 1), True)
simplex, one_hot = _Simplex(), _OneHot()
lower_triangular, lower_cholesky, corr_cholesky = _LowerTriangular(), _LowerCholesky(), _CorrCholesky()
square, symmetric, positive_definite = _Square(), _Symmetric(), _PositiveDefinite()
