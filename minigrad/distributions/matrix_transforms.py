"""Maps to matrices of a kind: triangular, positive definite, of correlations. PyTorch: torch.distributions.transforms."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes, linalg
from ..creation import eye, tril_indices
from ..errors import InvalidObject
from ..nn.functional import pad, softplus
from ..ops import clamp, cumprod, diag_embed, log, log1p, sqrt, tanh, tril
from ..tensor import Tensor
from . import constraints
from .transforms import Transform, last_sizes

__all__ = ["CorrCholeskyTransform", "LowerCholeskyTransform", "PositiveDefiniteTransform"]


class _OfMatrices(Transform):
    """A map from all square matrices."""

    domain = constraints.independent(constraints.real, 2)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self))

    __hash__ = object.__hash__


class LowerCholeskyTransform(_OfMatrices):
    """Square matrices to lower triangular ones with a positive diagonal: what is below it stays, of the diagonal e to it."""

    codomain = constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return tril(x, -1) + diag_embed(x.diagonal(dim1=-2, dim2=-1).exp())

    def _inverse(self, y: Tensor) -> Tensor:
        return tril(y, -1) + diag_embed(y.diagonal(dim1=-2, dim2=-1).log())


class PositiveDefiniteTransform(_OfMatrices):
    """Square matrices to positive definite ones: L Lᵀ, where L is the triangular matrix of `LowerCholeskyTransform`."""

    codomain = constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(linalg.cholesky(y))


def _below(matrix: Tensor, diagonal: int = -1) -> Tensor:
    """The elements of square matrices (..., n, n) below a diagonal, row after row, as vectors."""
    n = matrix.shape[-1]
    if matrix.dim() < 2 or matrix.shape[-2] != n:
        raise IndexError(f"the matrices must be square, but are of the shape {list(matrix.shape)}")
    rows, columns = tril_indices(n, n, diagonal).unbind()
    return matrix[..., rows, columns]


class CorrCholeskyTransform(Transform):
    """Vectors of D (D - 1) / 2 numbers to Cholesky factors of correlation matrices of D rows: each row is of length 1.

        r = tanh x, row after row below the diagonal, on which r = 1
        y[i, j] = r[i, j] · √ of the product over k < j of (1 - r[i, k]²)

    Each element takes its part of the length that those before it have left. Source: Stan Reference Manual, "Cholesky
    factors of correlation matrices".
    """

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        parts = tanh(x)  # (of whole numbers too, in the default type)
        eps = dtypes.finfo(parts.dtype).eps
        parts = clamp(parts, min=-1 + eps, max=1 - eps)
        n = _rows(x.shape[-1])
        rows, columns = tril_indices(n, n, -1).unbind()
        r = parts.new_zeros((*x.shape[:-1], n, n))
        r[..., rows, columns] = parts
        left = cumprod(sqrt(1 - r**2), -1)
        return (r + eye(n, dtype=parts.dtype)) * pad(left[..., :-1], [1, 0], value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        left = pad(1 - (y * y).cumsum(-1)[..., :-1], [1, 0], value=1)
        r = _below(y) / sqrt(_below(left))
        return (log1p(r) - log1p(-r)) / 2

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Of the elements of y below the diagonal."""
        of_lengths = log(_below(1 - (y * y).cumsum(-1), -2)).sum(-1) / 2
        of_tanh = 2 * (math.log(2.0) - x - softplus(-2 * x)).sum(-1)
        return of_lengths + of_tanh

    def forward_shape(self, shape: Any) -> Any:
        (count,) = last_sizes(1, shape)
        n = _rows(count)
        return shape[:-1] + (n, n)  # noqa: RUF005  of a list Python says so

    def inverse_shape(self, shape: Any) -> Any:
        rows, n = last_sizes(2, shape)
        if rows != n:
            raise ValueError("Input is not square")
        return shape[:-2] + (n * (n - 1) // 2,)  # noqa: RUF005


def _rows(count: int) -> int:
    """How many rows have so many elements below the diagonal. Errors: ValueError, OverflowError, where none have."""
    if count == math.inf:
        raise OverflowError("a triangular matrix has no infinite number of elements below its diagonal")
    if not count >= 0:
        raise InvalidObject(f"a triangular matrix has no {count} elements below its diagonal")
    n = round((0.25 + 2 * count) ** 0.5 + 0.5)
    if n * (n - 1) // 2 != count:
        raise ValueError("Input is not a flattened lower-diagonal number")
    return n
