"""Sums of squares of normal variables."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from . import constraints
from .gamma import Gamma
from .utils import require_value

__all__ = ["Chi2"]


class Chi2(Gamma):
    """The sum of the squares of df standard normal variables: Gamma(df / 2, 1 / 2). PyTorch: torch.distributions.Chi2."""

    arg_constraints = {"df": constraints.positive}  # noqa: RUF012

    def __init__(self, df: Tensor | float, validate_args: bool | None = None) -> None:
        require_value(df, "Chi2()", "df")
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    def _constraints(self) -> dict[str, Any]:
        return Gamma.arg_constraints

    @property
    def df(self) -> Tensor:
        return self.concentration * 2
