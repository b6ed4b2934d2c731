"""LU, and the names ending in _ex: they tell in `info` of a matrix without inverse or factor, where the others raise.

Where info is not 0 the result holds nan, in PyTorch whatever LAPACK left there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..autograd.variable import wrap
from ..ops import lu_unpack, where
from ..ops.lapack import LinAlgError, eye_like, require_matrix
from ..ops.lu import Unpacked, lu_of, lu_solved, no_zero_pivot
from ..ops.solving import cholesky as _cholesky
from ..ops.solving import leading_minor
from .solving import inv, solve

if TYPE_CHECKING:
    from ..tensor import Tensor


class LUFactor(NamedTuple):
    """L and U in one matrix, and the rows that were exchanged."""

    LU: Any
    pivots: Any


class LUFactorEx(NamedTuple):
    """And the first pivot that is 0, or 0."""

    LU: Any
    pivots: Any
    info: Any


class InverseEx(NamedTuple):
    """A⁻¹, and the first pivot that is 0, or 0."""

    inverse: Any
    info: Any


class SolveEx(NamedTuple):
    """The solution, and the first pivot that is 0, or 0."""

    result: Any
    info: Any


class CholeskyEx(NamedTuple):
    """The factor, and the order of the first leading minor that is not positive-definite, or 0."""

    L: Any
    info: Any


def lu_factor(A: Tensor, *, pivot: bool = True) -> LUFactor:
    """L and U of A (.., m, n) in one matrix, and the pivots: row i was exchanged with row pivots[i] - 1.

    Errors: RuntimeError where a pivot is 0. PyTorch: torch.linalg.lu_factor.
    """
    LU, pivots, info = lu_of(A, "torch.lu_factor", pivot)
    no_zero_pivot(info, "torch.linalg.lu_factor")
    return LUFactor(LU, pivots)


def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> LUFactorEx:
    """`lu_factor`, with the place of the first pivot that is 0 instead of an error. PyTorch: torch.linalg.lu_factor_ex."""
    LU, pivots, info = lu_of(A, "torch.lu_factor", pivot)
    if check_errors:
        no_zero_pivot(info, "torch.linalg.lu_factor_ex")
    return LUFactorEx(LU, pivots, info)


def lu(A: Tensor, *, pivot: bool = True) -> Unpacked:
    """A = P L U: P (.., m, m) exchanges rows, L (.., m, k) is lower, U (.., k, n) upper triangular. PyTorch: torch.linalg.lu."""
    LU, pivots, _ = lu_of(A, "linalg.lu", pivot)
    return lu_unpack(LU, pivots)


def lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False) -> Tensor:
    """X with A X = B (X A = B, if not left; Aᵀ for A, if adjoint), A as `lu_factor` gave it. PyTorch: torch.linalg.lu_solve."""
    return lu_solved(LU, pivots, B, left, adjoint)


def _one_by_one(x: Any, info: Any) -> Any:
    """x where info is 0, nan elsewhere."""
    return where(wrap(info.array.astype(bool)).reshape(*info.array.shape, 1, 1), math.nan, x) if info.array.any() else x


def _regular(A: Any, info: Any) -> Any:
    """A, with the identity in the place of matrices that cannot be factorized."""
    bad = wrap(info.array.astype(bool)).reshape(*info.array.shape, 1, 1)
    return where(bad, eye_like(A, A.array.shape[-1]), A) if info.array.any() else A


def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> SolveEx:
    """`solve`, with the place of the first pivot that is 0 instead of an error. PyTorch: torch.linalg.solve_ex."""
    require_matrix(A, "linalg.solve", square=True)
    _, _, info = lu_of(A.detach(), "linalg.solve")
    if check_errors and info.array.any():
        raise LinAlgError("torch.linalg.solve_ex: The solver failed because the input matrix is singular.")
    X = solve(_regular(A, info), B, left=left)
    vector = X.array.ndim == info.array.ndim + 1
    return SolveEx((_one_by_one(X.unsqueeze(-1), info).squeeze(-1) if vector else _one_by_one(X, info)), info)


def inv_ex(A: Tensor, *, check_errors: bool = False) -> InverseEx:
    """`inv`, with the place of the first pivot that is 0 instead of an error. PyTorch: torch.linalg.inv_ex."""
    require_matrix(A, "linalg.inv", square=True)
    _, _, info = lu_of(A.detach(), "linalg.inv")
    first = next((int(x) for x in info.array.flat if x), 0)
    if check_errors and first:
        raise LinAlgError(
            f"linalg.inv_ex: The diagonal element {first} is zero, the inversion could not be completed because the input "
            "matrix is singular."
        )
    return InverseEx(_one_by_one(inv(_regular(A, info)), info), info)


def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False) -> CholeskyEx:
    """`cholesky`, with the order of the first leading minor that is not positive-definite instead of an error.

    PyTorch: torch.linalg.cholesky_ex.
    """
    require_matrix(A, "linalg.cholesky", square=True)
    batch = A.array.shape[:-2]
    lower = A.array.swapaxes(-1, -2) if upper else A.array
    info = np.array([leading_minor(lower[place]) for place in np.ndindex(batch)], np.int32).reshape(batch)
    if check_errors and info.any():
        raise LinAlgError(
            "linalg.cholesky_ex: The factorization could not be completed because the input is not positive-definite (the "
            f"leading minor of order {info[info > 0].flat[0]} is not positive-definite)."
        )
    info = wrap(info)
    return CholeskyEx(_one_by_one(_cholesky(_regular(A, info), upper), info), info)
