"""Decompositions under the names and in the forms of torch.linalg. Their derivatives stand in ops/solving.py and ops/decompositions.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..ops import cholesky as _cholesky
from ..ops import orgqr
from ..ops.decompositions import QR, Eigh, eigvalsh_of, qr_of, svd_of, svdvals_of
from ..ops.lapack import require_matrix
from ..ops.solving import Det, SignLogAbsDet, Slogdet
from ..public import tensors

if TYPE_CHECKING:
    from ..tensor import Tensor


class SVDh(NamedTuple):
    """A = U diag(S) Vh."""

    U: Any
    S: Any
    Vh: Any


class Eigen(NamedTuple):
    """A = V diag(eigenvalues) Vᵀ, V the eigenvectors."""

    eigenvalues: Any
    eigenvectors: Any


def det(A: Tensor) -> Tensor:
    """The determinant: (.., n, n) -> (..). PyTorch: torch.linalg.det."""
    require_matrix(A, "linalg.det", square=True)
    return Det.apply(A)


def slogdet(A: Tensor) -> SignLogAbsDet:
    """The determinant's sign and the logarithm of its size. PyTorch: torch.linalg.slogdet."""
    require_matrix(A, "linalg.slogdet", square=True)
    return SignLogAbsDet(*Slogdet.apply(A))


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """L with A = L Lᵀ (or, if upper, Lᵀ) of a positive-definite matrix, of which one triangle is read.

    PyTorch: torch.linalg.cholesky.
    """
    return _cholesky(A, upper)


def qr(A: Tensor, mode: str = "reduced") -> QR:
    """A = Q R; mode "complete": Q square; "r": R alone, without derivative. PyTorch: torch.linalg.qr."""
    require_matrix(A, "linalg.qr")
    if mode not in ("reduced", "r", "complete"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    return qr_of(A, mode)


def _no_driver(function: str, driver: Any) -> None:
    if driver is not None:
        raise RuntimeError(
            f"torch.linalg.{function}: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend."
        )


def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> SVDh:
    """A = U diag(S) Vh, S falling: U (.., m, m), S (.., min(m, n)), Vh (.., n, n), or reduced. PyTorch: torch.linalg.svd."""
    require_matrix(A, "linalg.svd")
    _no_driver("svd", driver)
    return SVDh(*svd_of(A, full_matrices))


def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """The singular values, falling. PyTorch: torch.linalg.svdvals."""
    require_matrix(A, "linalg.svd")
    _no_driver("svd", driver)
    return svdvals_of(A)


def _triangle(UPLO: str) -> str:
    require = UPLO.upper() if isinstance(UPLO, str) else UPLO
    if require not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return require


def eigh(A: Tensor, UPLO: str = "L") -> Eigen:
    """Eigenvalues, rising, and eigenvectors (the columns) of a symmetric matrix, of which the lower ("L") or upper ("U")
    triangle is read. PyTorch: torch.linalg.eigh."""
    require_matrix(A, "linalg.eigh", square=True)
    return Eigen(*Eigh.apply(A, _triangle(UPLO)))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues, rising, of a symmetric matrix. PyTorch: torch.linalg.eigvalsh."""
    require_matrix(A, "linalg.eigh", square=True)
    return eigvalsh_of(A, _triangle(UPLO))


@tensors(same="A tau")
def householder_product(A: Tensor, tau: Tensor) -> Tensor:
    """The first columns of H₁ H₂ ..., Hᵢ = I - tauᵢ v vᵀ, v the i-th column of A with 1 on the diagonal and 0 above.

    A (.., m, n) with m >= n, tau (.., k) with k <= n. Source: Schreiber and Van Loan 1989 (the product as one matrix).
    PyTorch: torch.linalg.householder_product.
    """
    return orgqr(A, tau)
