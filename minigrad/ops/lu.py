"""LU: a matrix as rows in another order, times a lower, times an upper triangle; and the reflections of a QR.

NumPy factorizes only to solve, so the elimination stands here. Sources: G. Golub and C. Van Loan, "Matrix Computations", sections
3.4 (elimination with pivots, by blocks) and 5.1 (reflections); F. de Hoog, R. Anderssen and M. Lukas, "Differentiation of matrix
functionals using triangular factorization" (2011)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array, wrap
from ..public import public
from .checks import require_tensor, type_name
from .diagonals import tril, triu
from .join import cat
from .lapack import Decomposition, require_matrix, require_real
from .solving import SolveTriangular

if TYPE_CHECKING:
    from ..tensor import Tensor

_BLOCK = 32  # columns that are eliminated one by one before the rest is changed by a product


class Unpacked(NamedTuple):
    """A = P L U."""

    P: Any
    L: Any
    U: Any


class WithInfo(NamedTuple):
    """L and U in one matrix, the rows that were exchanged, and the first pivot that is 0, or 0."""

    LU: Any
    pivots: Any
    info: Any


class Geqrf(NamedTuple):
    """R above the diagonal and the reflections' vectors below; and their factors."""

    a: Any
    tau: Any


def _eliminate(a: Array) -> tuple[Array, Array, Array]:
    """L and U in one matrix (.., m, n); with which row each was exchanged, counted from 1; the first pivot that is 0, or 0."""
    m, n = a.shape[-2:]
    k, batch = min(m, n), a.shape[:-2]
    lu = a.reshape(math.prod(batch), m, n).copy()
    each = np.arange(len(lu))
    pivots, info = np.empty((len(lu), k), np.int32), np.zeros(len(lu), np.int32)
    for start in range(0, k, _BLOCK):
        stop = min(start + _BLOCK, k)
        for j in range(start, stop):
            largest = np.abs(lu[:, j:, j]).argmax(-1) + j
            pivots[:, j] = largest + 1
            lu[each, largest], lu[:, j] = lu[:, j].copy(), lu[each, largest]
            zero = lu[:, j, j] == 0
            info = np.where(zero & (info == 0), j + 1, info).astype(np.int32)
            lu[:, j + 1 :, j] /= np.where(zero, 1, lu[:, j, j])[:, None]
            lu[:, j + 1 :, j + 1 : stop] -= lu[:, j + 1 :, j, None] * lu[:, j, None, j + 1 : stop]
        if stop < n:
            lower = np.tril(lu[:, start:stop, start:stop], -1) + np.eye(stop - start, dtype=a.dtype)
            lu[:, start:stop, stop:] = np.linalg.solve(lower, lu[:, start:stop, stop:])
            lu[:, stop:, stop:] -= lu[:, stop:, start:stop] @ lu[:, start:stop, stop:]
    return lu.reshape(a.shape), pivots.reshape(*batch, k), info.reshape(batch)


class LuFactorEx(Decomposition):
    """Pᵀ A = L U.  For a square A:  dA = P L⁻ᵀ (the lower triangle of Lᵀ dL, without its diagonal, + the upper of dU Uᵀ) U⁻ᵀ

    L's part below the square takes away L₂ᵀ dL₂ from dU Uᵀ, U's part beside it dU₂ U₂ᵀ from Lᵀ dL; they themselves came of
    A₂ U⁻¹ and L⁻¹ A₂. Source: de Hoog, Anderssen and Lukas 2011.
    """

    @staticmethod
    def forward(ctx: Any, A: Any) -> Any:
        LU, pivots, info = (wrap(np.asarray(x)) for x in _eliminate(A.array))
        ctx.save_for_backward(LU, pivots)
        ctx.mark_non_differentiable(pivots, info)
        return LU, pivots, info

    @staticmethod
    def backward(ctx: Any, grad: Any, *_: Any) -> Any:
        LU, pivots = ctx.saved_tensors
        m, n = LU.array.shape[-2:]
        k = min(m, n)
        L, U = _triangles(LU)
        dL, dU = tril(grad[..., :k], -1), triu(grad[..., :k, :])
        lower = L[..., :k, :].mT @ dL[..., :k, :] - dU[..., k:] @ U[..., k:].mT
        upper = dU[..., :k] @ U[..., :k].mT - L[..., k:, :].mT @ dL[..., k:, :]
        middle = cat([tril(lower, -1) + triu(upper), dU[..., k:]], -1)  # A₁ and what stands beside it, times Lᵀ
        top = SolveTriangular.apply(L[..., :k, :].mT, middle, True, True)
        rows = cat([top[..., :k], dL[..., k:, :]], -2)
        left = SolveTriangular.apply(U[..., :k], rows.mT, True, False).mT
        dA = cat([left, top[..., k:]], -1) if n > k else left
        return _permutation(pivots.array, m, LU.array.dtype) @ dA


def lu_of(A: Any, function: str, pivot: bool = True) -> tuple[Any, Any, Any]:
    """LU, pivots and info of A, after the checks that all names of this factorization share."""
    require_tensor(A, f"linalg_{function.rpartition('.')[2]}", "A")
    if A.array.ndim < 2:
        raise RuntimeError(
            f"{function}: Expected tensor with 2 or more dimensions. Got size: {list(A.array.shape)} instead"
        )
    require_real(A, function)
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    return LuFactorEx.apply(A)


def no_zero_pivot(info: Any, function: str) -> None:
    """LinAlgError's base where a pivot is 0."""
    first = next((int(x) for x in info.array.flat if x), 0)
    if first:
        batch = "" if not info.array.ndim else f"(Batch element {int(np.flatnonzero(info.array)[0])}): "
        raise RuntimeError(
            f"{function}: {batch}U[{first},{first}] is zero and using it on lu_solve would result in a division by zero. If "
            "you still want to perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, "
            "pivot)"
        )


@public
def lu(A: Tensor, pivot: bool = True, get_infos: bool = False) -> Any:
    """L and U of A (.., m, n) in one matrix, and the pivots (.., min(m, n)): row i was exchanged with row pivots[i] - 1.

    get_infos: and which pivot is the first that is 0, or 0. Old: linalg.lu_factor and lu_factor_ex. PyTorch: torch.lu.
    """
    LU, pivots, info = lu_of(A, "torch.lu_factor", pivot)
    return WithInfo(LU, pivots, info) if get_infos else (LU, pivots)


def _triangles(LU: Any) -> tuple[Any, Any]:
    m, n = LU.array.shape[-2:]
    k = min(m, n)
    return tril(LU[..., :k], -1) + wrap(np.eye(m, k, dtype=LU.array.dtype)), triu(LU[..., :k, :])


def _permutation(pivots: Array, m: int, dtype: np.dtype) -> Any:
    """P (.., m, m) with A = P L U."""
    batch, k = pivots.shape[:-1], pivots.shape[-1]
    flat = pivots.reshape(math.prod(batch), k)
    order, each = np.tile(np.arange(m), (len(flat), 1)), np.arange(len(flat))
    for i in range(k):
        other = flat[:, i] - 1
        order[each, other], order[:, i] = order[:, i].copy(), order[each, other]
    P = np.eye(m, dtype=dtype)[order].swapaxes(-1, -2)
    return wrap(np.ascontiguousarray(P).reshape(*batch, m, m))


@public
def lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True) -> Unpacked:
    """P (.., m, m), L (.., m, k) and U (.., k, n), k = min(m, n), of what `linalg.lu_factor` gave; empty what is not asked for.

    PyTorch: torch.lu_unpack.
    """
    if LU_pivots.array.dtype != np.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a tensor of torch.int32 dtype.\nNote: this function is "
            "intended to be used with the output produced by torch.linalg.lu_factor"
        )
    pivots, shape = LU_pivots.array, LU_data.array.shape
    if unpack_pivots and (
        pivots.ndim != len(shape) - 1 or (pivots.size and not 1 <= pivots.min() <= pivots.max() <= shape[-2])
    ):
        raise RuntimeError(
            "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive.Did you properly pass the result of lu_factor?"
        )
    if unpack_pivots and pivots.shape[:-1] != shape[:-2]:
        raise RuntimeError(
            f"lu_unpack(): the pivots are of other matrices: {list(shape)} are factored, and {list(pivots.shape)} are their pivots"
        )
    none = LU_data.reshape(-1)[:0].clone()
    L, U = _triangles(LU_data) if unpack_data else (none, none)
    empty = wrap(np.empty(0, LU_data.array.dtype))
    m = LU_data.array.shape[-2]
    return Unpacked(_permutation(LU_pivots.array, m, LU_data.array.dtype) if unpack_pivots else empty, L, U)


def solved_by(LU: Any, pivots: Any, B: Any, left: bool, adjoint: bool) -> Any:
    """X with A X = B, Aᵀ X = B (adjoint) or X A = B (not left), of A = P L U."""
    if not left:
        return solved_by(LU, pivots, B.mT, True, not adjoint).mT
    P = _permutation(pivots.array, LU.array.shape[-2], LU.array.dtype)
    if adjoint:
        return P @ SolveTriangular.apply(LU.mT, SolveTriangular.apply(LU.mT, B, False, False), True, True)
    return SolveTriangular.apply(LU, SolveTriangular.apply(LU, P.mT @ B, False, True), True, False)


def lu_solved(LU: Any, pivots: Any, B: Any, left: bool = True, adjoint: bool = False) -> Any:
    """`solved_by`, after its checks."""
    require_matrix(LU, "linalg.lu_solve", "LU", square=True)
    require_tensor(pivots, "linalg_lu_solve", "pivots", 2)
    if pivots.array.dtype != np.int32:
        raise RuntimeError("linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32")
    require_matrix(B, "linalg.lu_solve", "B")
    n, rows = LU.array.shape[-1], B.array.shape[-2 if left else -1]
    if n != rows:
        raise RuntimeError(
            f"linalg.lu_solve: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} ({n}x{n} and "
            f"{B.array.shape[-2]}x{B.array.shape[-1]})"
        )
    if pivots.array.shape[-1:] == (n,) and pivots.array.shape != LU.array.shape[:-1]:
        raise RuntimeError(
            "linalg.lu_solve: Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
            f"{list(pivots.array.shape)} instead"
        )
    if pivots.array.shape[-1:] != (n,):
        raise RuntimeError("linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix")
    if pivots.array.size and pivots.array.min() < 1:
        raise RuntimeError(
            "Pivots given to lu_solve must all be greater or equal to 1. Did you properly pass the result of lu_factor?"
        )
    if pivots.array.size and pivots.array.max() > n:
        raise RuntimeError(
            "Pivots given to lu_solve must all be smaller or equal to LU.size(-2). Did you properly pass the result of lu_factor?"
        )
    if LU.array.dtype != B.array.dtype:
        raise RuntimeError(
            f"linalg.lu_solve: Expected LU and B to have the same dtype, but got {LU.dtype} and {B.dtype}"
        )
    return solved_by(LU, pivots, B, left, adjoint)


@public
def lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """X with A X = b, A as `linalg.lu_factor` gave it. PyTorch: torch.lu_solve; torch.linalg.lu_solve takes b last."""
    return lu_solved(LU_data, LU_pivots, b)


# -- the reflections of a QR


class GeqrfOp(Decomposition):
    """A = H₁ H₂ ... R, Hᵢ = I - tauᵢ v vᵀ. PyTorch has no derivative either: linalg.qr has"""

    grad_fn_name = "GeqrfBackward0"

    @staticmethod
    def forward(ctx: Any, A: Any) -> Any:
        raw, tau = np.linalg.qr(A.array + 0, mode="raw")  # of -0.0 as of 0.0
        return wrap(np.ascontiguousarray(raw.swapaxes(-1, -2))), wrap(tau)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise NotImplementedError("the derivative for 'geqrf' is not implemented; linalg.qr has one")


@public
def geqrf(input: Tensor) -> Geqrf:
    """A QR as LAPACK keeps it: R, below it the vectors of the reflections, and their factors. PyTorch: torch.geqrf."""
    require_matrix(input, "torch.geqrf", "input")
    return Geqrf(*GeqrfOp.apply(input))


def reflected(A: Any, tau: Any, x: Any, transpose: bool = False) -> Any:
    """H₁ H₂ ... x (transpose: ... H₂ H₁ x), Hᵢ = I - tauᵢ v vᵀ, v the i-th column of A with 1 on the diagonal and 0 above."""
    v = tril(A, -1) + wrap(np.eye(*A.array.shape[-2:], dtype=A.array.dtype))
    k = tau.array.shape[-1]
    x = x if k else x.clone()
    for i in range(k) if transpose else range(k - 1, -1, -1):
        column = v[..., i : i + 1]
        x = x - tau[..., i, None, None] * (column @ (column.mT @ x))
    return x


def _factors(function: str, A: Any, tau: Any) -> None:
    """RuntimeError unless tau (.., k) has the factors of reflections whose vectors are in A (.., m, n), k ≤ n."""
    require_tensor(tau, function.rpartition(".")[2], "tau", 2)
    a, t = A.array, tau.array
    if t.ndim != a.ndim - 1:
        raise RuntimeError(
            f"{function}: Expected tau to have one dimension less than input, but got tau.ndim equal to {t.ndim} and input.ndim "
            f"is equal to {a.ndim}"
        )
    if t.shape[:-1] != a.shape[:-2]:
        raise RuntimeError(
            f"{function}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got {list(t.shape[:-1])}"
        )
    if t.dtype != a.dtype:
        raise RuntimeError(f"{function}: tau dtype {type_name(tau)} does not match input dtype {type_name(A)}")


@public
def ormqr(input: Tensor, input2: Tensor, input3: Tensor, left: bool = True, transpose: bool = False) -> Tensor:
    """Q other, other = input3, Q = H₁ H₂ ... (m, m) of the reflections that `geqrf` gave, tau = input2; Qᵀ if transpose; other Q if not left.

    input (.., m, k), tau (.., min(m, k)), other (.., m, n), or (.., n, m) if not left. PyTorch: torch.ormqr.
    """
    tau, other = input2, input3
    require_matrix(input, "torch.ormqr", "input")
    _factors("torch.ormqr", input, tau)
    require_matrix(other, "torch.ormqr", "other")
    if other.array.ndim != input.array.ndim:
        raise RuntimeError(
            "torch.ormqr: Expected other to have the same number of dimensions as input, but got other.ndim equal to "
            f"{other.array.ndim} and input.ndim is equal to {input.array.ndim}"
        )
    if other.array.shape[:-2] != input.array.shape[:-2]:
        raise RuntimeError(
            "torch.ormqr: Expected batch dimensions of other to be equal to input.shape[:-2], but got "
            f"{list(other.array.shape[:-2])}"
        )
    side = -2 if left else -1
    if other.array.shape[side] != input.array.shape[-2]:
        raise RuntimeError(f"torch.ormqr: other.shape[{side}] must be equal to input.shape[-2]")
    if tau.array.shape[-1] > input.array.shape[-1]:
        raise RuntimeError("torch.ormqr: tau.shape[-1] must be less than or equal to input.shape[-1]")
    if tau.array.shape[-1] != min(other.array.shape[side], input.array.shape[-1]):
        raise RuntimeError(f"torch.ormqr: tau.shape[-1] must be equal to min(other.shape[{side}], input.shape[-1])")
    if left:
        return reflected(input, tau, other, transpose)
    return reflected(input, tau, other.mT, not transpose).mT


class NoReflections(Operation):
    """out = the first columns of 1, a product of nothing.  It has no gradient: None, not zeros, as in PyTorch"""

    grad_fn_name = "LinalgHouseholderProductBackward0"

    @staticmethod
    def forward(ctx: Any, A: Array, tau: Array) -> Array:
        return np.broadcast_to(np.eye(*A.shape[-2:], dtype=A.dtype), A.shape).copy()

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return None, None


@public
def orgqr(input: Tensor, input2: Tensor) -> Tensor:
    """The first columns of H₁ H₂ ..., tau = input2. PyTorch: torch.orgqr; torch.linalg.householder_product.

    Source: Schreiber and Van Loan 1989 (the product as one matrix).
    """
    tau = input2
    require_matrix(input, "torch.linalg.householder_product", "input")
    _factors("torch.linalg.householder_product", input, tau)
    m, n = input.array.shape[-2:]
    if m < n or tau.array.shape[-1] > n:
        raise RuntimeError(
            "torch.linalg.householder_product: input.shape[-2] must be greater than or equal to input.shape[-1], and that to "
            "tau.shape[-1]"
        )
    if not input.array.size or not tau.array.size:
        return NoReflections.apply(input, tau)
    eye: Any = wrap(np.eye(m, n, dtype=input.array.dtype))
    V, D = (tril(input, -1) + eye)[..., : tau.array.shape[-1]], tau.unsqueeze(-1)
    # Of H₁ H₂ ... = I - V T Vᵀ: T⁻¹ is the upper triangle of Vᵀ V with 1 / tau on the diagonal, so (I + D (Vᵀ V)↗) T = D
    return eye - V @ SolveTriangular.apply(triu(V.mT @ V, 1) * D, V[..., :n, :].mT * D, True, True)
