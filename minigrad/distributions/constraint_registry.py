"""Maps from all numbers to the regions in which parameters and values lie: what a program that optimizes or samples them needs.

    scale = transform_to(Normal.arg_constraints["scale"])(free)        free: any numbers
    x = biject_to(Exponential(rate).support)(free)

`transform_to` gives a map that suits optimizers, `biject_to` one with an inverse and a `log_abs_det_jacobian`. PyTorch:
torch.distributions.constraint_registry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import constraints, joined_transforms, matrix_transforms, transforms

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """By the class of a region the function that makes a map to it."""

    def __init__(self) -> None:
        self._registry: dict[type, Callable[[Any], transforms.Transform]] = {}

    def register(self, constraint: Any, factory: Callable | None = None) -> Callable:
        """Use `factory(constraint)` for regions of this class, or of the class of this one; without it, a decorator."""
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        kind = type(constraint) if isinstance(constraint, constraints.Constraint) else constraint
        if not isinstance(kind, type) or not issubclass(kind, constraints.Constraint):
            raise TypeError(f"Expected constraint to be either a Constraint subclass or instance, but got {constraint}")
        self._registry[kind] = factory
        return factory

    def __call__(self, constraint: Any) -> transforms.Transform:
        """The map to a region. Errors: NotImplementedError where none is registered."""
        factory = self._registry.get(type(constraint))
        if factory is None:
            raise NotImplementedError(f"Cannot transform {type(constraint).__name__} constraints")
        return factory(constraint)


biject_to, transform_to = ConstraintRegistry(), ConstraintRegistry()


def _exp_and(loc: Any, scale: float) -> transforms.Transform:
    return transforms.ComposeTransform([transforms.ExpTransform(), transforms.AffineTransform(loc, scale)])


def _to_interval(c: Any) -> transforms.Transform:
    low, high = c.lower_bound, c.upper_bound
    if isinstance(low, int | float) and isinstance(high, int | float) and low == 0 and high == 1:
        return transforms.SigmoidTransform()
    return transforms.ComposeTransform([transforms.SigmoidTransform(), transforms.AffineTransform(low, high - low)])


def _register(registry: ConstraintRegistry) -> None:
    """What both registries have."""
    registry.register(constraints.real, lambda c: transforms.identity_transform)
    registry.register(
        constraints.independent,
        lambda c: transforms.IndependentTransform(registry(c.base_constraint), c.reinterpreted_batch_ndims),
    )
    for above in (constraints.greater_than, constraints.greater_than_eq):  # (those that begin at 0 too)
        registry.register(above, lambda c: _exp_and(c.lower_bound, 1))
    registry.register(constraints.less_than, lambda c: _exp_and(c.upper_bound, -1))
    for between in (constraints.interval, constraints.half_open_interval):
        registry.register(between, _to_interval)
    registry.register(constraints.corr_cholesky, lambda c: matrix_transforms.CorrCholeskyTransform())
    registry.register(
        constraints.cat,
        lambda c: joined_transforms.CatTransform([registry(part) for part in c.cseq], c.dim, c.lengths),
    )
    registry.register(
        constraints.stack, lambda c: joined_transforms.StackTransform([registry(part) for part in c.cseq], c.dim)
    )


_register(biject_to)
_register(transform_to)
biject_to.register(constraints.simplex, lambda c: transforms.StickBreakingTransform())
transform_to.register(constraints.simplex, lambda c: transforms.SoftmaxTransform())
transform_to.register(constraints.lower_cholesky, lambda c: matrix_transforms.LowerCholeskyTransform())
for _positive in (constraints.positive_definite, constraints.positive_semidefinite):
    transform_to.register(_positive, lambda c: matrix_transforms.PositiveDefiniteTransform())
