"""QR, singular values, and eigenvalues of symmetric matrices. ᵀ is the transpose.

The formulas hold where singular values or eigenvalues differ from one another, and where the factors are determined by them.

Sources: M. Giles, "Collected Matrix Derivative Results for Forward and Reverse Mode Algorithmic Differentiation" (2008); S. Walter
and L. Lehmann, "Algorithmic Differentiation of Linear Algebra Functions" (2010)."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..autograd.fused import wants_gradient
from ..autograd.variable import Array, wrap
from ..public import public
from .diagonals import diag_embed, triu
from .join import cat
from .lapack import Decomposition, LinAlgError, divide, eye_like, lapack, require_matrix
from .solving import SolveTriangular

if TYPE_CHECKING:
    from ..tensor import Tensor


class SVD(NamedTuple):
    """A = U diag(S) Vᵀ."""

    U: Any
    S: Any
    V: Any


class QR(NamedTuple):
    """A = Q R."""

    Q: Any
    R: Any


def _zeros_like(x: Any) -> Any:
    return wrap(np.zeros(x.array.shape, x.array.dtype))


# -- QR


class Qr(Decomposition):
    """A = Q R, A with no more columns than rows.  dA = (dQ + Q S) R⁻ᵀ, S = M + Mᵀ with its diagonal halved, where
    M = the upper triangle of dR Rᵀ - Qᵀ dQ

    Source: Walter and Lehmann 2010, section 3.1.
    """

    @staticmethod
    def forward(ctx: Any, A: Any) -> Any:
        Q, R = (wrap(x) for x in np.linalg.qr(A.array))
        ctx.save_for_backward(Q, R)
        return Q, R

    @staticmethod
    def backward(ctx: Any, dQ: Any, dR: Any) -> Any:
        Q, R = ctx.saved_tensors
        M = triu(dR @ R.mT - Q.mT @ dQ)
        S = M + triu(M, 1).mT
        return SolveTriangular.apply(R, (dQ + Q @ S).mT, True, False).mT


class QrWithoutDerivative(Decomposition):
    """A = Q R, Q with as many columns as rows, or left out ("r"): then R alone does not tell the derivative"""

    @staticmethod
    def forward(ctx: Any, A: Any, mode: str) -> Any:
        ctx.mode = mode
        if mode == "r":
            return wrap(np.empty(0, A.array.dtype)), wrap(np.asarray(np.linalg.qr(A.array, mode="r")))
        Q, R = np.linalg.qr(A.array, mode="complete")
        return wrap(Q), wrap(R)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        if ctx.mode == "r":
            raise RuntimeError(
                "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, "
                "mode='reduced') if you are going to require gradients."
            )
        raise RuntimeError(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols; use mode='reduced'"
        )


def qr_of(A: Any, mode: str) -> QR:
    """The decomposition in a mode of linalg.qr."""
    m, n = A.array.shape[-2:]
    if mode == "r" or (mode == "complete" and m > n):
        return QR(*QrWithoutDerivative.apply(A, mode))
    if m >= n:
        return QR(*Qr.apply(A))
    Q, R = Qr.apply(A[..., :m])  # the first columns give Q; the others are seen from it
    return QR(Q, cat([R, Q.mT @ A[..., m:]], -1))


@public
def qr(input: Tensor, some: bool = True) -> QR:
    """A = Q R with orthonormal columns of Q and an upper triangular R; some=False makes Q square. PyTorch: torch.qr."""
    require_matrix(input, "linalg.qr")
    warnings.warn(
        "torch.qr is deprecated in favor of torch.linalg.qr and will be removed in a future PyTorch release.",
        UserWarning,
        stacklevel=2,
    )
    return qr_of(input, "reduced" if some else "complete")


# -- singular values


def plain_svd(a: Array, **options: Any) -> Any:
    problem = "The algorithm failed to converge because the input matrix contained non-finite values."
    if a.size and not np.isfinite(a).all():
        raise LinAlgError(f"linalg.svd: {problem}")
    return lapack("linalg.svd", problem, np.linalg.svd, a, **options)


class Svd(Decomposition):
    """A = U diag(S) Vh, S falling.  With Eⱼₖ = Sₖ² - Sⱼ² and skew X = X - Xᵀ,
    dA = U ((skew(Uᵀ dU) / E) S + S (skew(Vᵀ dV) / E) + diag(dS)) Vᵀ + (I - U Uᵀ) dU S⁻¹ Vᵀ + U S⁻¹ dVᵀ (I - V Vᵀ)

    Source: Giles 3.2; Townsend 2016, "Differentiating the Singular Value Decomposition".
    """

    @staticmethod
    def forward(ctx: Any, A: Any) -> Any:
        U, S, Vh = (wrap(x) for x in plain_svd(A.array, full_matrices=False))
        ctx.save_for_backward(U, S, Vh)
        ctx.set_materialize_grads(False)
        return U, S, Vh

    @staticmethod
    def backward(ctx: Any, dU: Any, dS: Any, dVh: Any) -> Any:
        U, S, Vh = ctx.saved_tensors
        if dU is None and dVh is None:  # E does no harm then, whatever S is
            return (U * dS.unsqueeze(-2)) @ Vh
        dU, dS, dVh = (_zeros_like(x) if g is None else g for g, x in ((dU, U), (dS, S), (dVh, Vh)))
        m, k, n = U.array.shape[-2], S.array.shape[-1], Vh.array.shape[-1]
        E = (S * S).unsqueeze(-2) - (S * S).unsqueeze(-1) + eye_like(S, k)
        row, column = S.unsqueeze(-2), S.unsqueeze(-1)
        u, v = U.mT @ dU, Vh @ dVh.mT
        inner = divide(u - u.mT, E) * row + column * divide(v - v.mT, E) + diag_embed(dS)
        dA = U @ inner @ Vh
        if m > k:
            dA = dA + divide(dU - U @ u, row) @ Vh
        if n > k:
            dA = dA + U @ divide(dVh - v.mT @ Vh, column)
        return dA


def svdvals_of(A: Any) -> Any:
    """S alone. Where its gradient is wanted, U and V are computed as well: dA = U diag(dS) Vᵀ."""
    return Svd.apply(A)[1] if wants_gradient(A) else wrap(plain_svd(A.array, compute_uv=False))


def svd_of(A: Any, full_matrices: bool) -> tuple[Any, Any, Any]:
    """U, S, Vh. In the full form gradients flow through the singular vectors that belong to singular values."""
    m, n = A.array.shape[-2:]
    if not full_matrices or m == n:
        return Svd.apply(A)
    U, S, Vh = Svd.apply(A)
    rest_u, _, rest_v = plain_svd(A.array, full_matrices=True)
    k = min(m, n)
    if m > n:
        return cat([U, wrap(rest_u[..., k:])], -1), S, Vh
    return U, S, cat([Vh, wrap(rest_v[..., k:, :])], -2)


@public
def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> SVD:
    """A = U diag(S) Vᵀ; V, not its transpose, comes back. PyTorch: torch.svd.

    some=False makes U and V square; without compute_uv they are zeros.
    """
    require_matrix(input, "linalg.svd")
    if not compute_uv:
        *batch, m, n = input.array.shape
        zeros = (wrap(np.zeros((*batch, k, k), input.array.dtype)) for k in (m, n))
        return SVD(next(zeros), svdvals_of(input), next(zeros))
    U, S, Vh = svd_of(input, not some)
    return SVD(U, S, Vh.mT)


# -- eigenvalues of symmetric matrices


class Eigh(Decomposition):
    """A = V diag(w) Vᵀ of a symmetric A, w rising.  dA = V (diag(dw) + ½ skew(Vᵀ dV) / E) Vᵀ, Eⱼₖ = wₖ - wⱼ

    Source: Giles 3.1, made symmetric as A is.
    """

    @staticmethod
    def forward(ctx: Any, A: Any, UPLO: str) -> Any:
        if A.array.size and not np.isfinite(A.array).all():
            w, V = (np.full(s, np.nan, A.array.dtype) for s in (A.array.shape[:-1], A.array.shape))
        else:
            problem = "The algorithm failed to converge."
            w, V = lapack("linalg.eigh", problem, np.linalg.eigh, A.array, UPLO=UPLO)
        results = wrap(w), wrap(V)
        ctx.save_for_backward(*results)
        ctx.set_materialize_grads(False)
        return results

    @staticmethod
    def backward(ctx: Any, dw: Any, dV: Any) -> Any:
        w, V = ctx.saved_tensors
        if dV is None:
            return (V * dw.unsqueeze(-2)) @ V.mT, None
        dw = _zeros_like(w) if dw is None else dw
        diagonal = eye_like(w, w.array.shape[-1])
        E = w.unsqueeze(-2) - w.unsqueeze(-1) + diagonal
        turn = V.mT @ dV
        inner = divide((turn - turn.mT) * 0.5, E) + diag_embed(dw)
        return V @ inner @ V.mT, None


def eigvalsh_of(A: Any, UPLO: str) -> Any:
    """w alone. dA = V diag(dw) Vᵀ"""
    return Eigh.apply(A, UPLO)[0]
