"""The largest singular values, and principal components, by products with a few random vectors.

Source: N. Halko, P. Martinsson and J. Tropp, "Finding structure with randomness" (2011), algorithms 4.4 and 5.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .linalg import qr, svd
from .public import public
from .sampling import randn

if TYPE_CHECKING:
    from .tensor import Tensor


@public
def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """U (.., m, q), S (.., q) and V (.., n, q) with A - M ≈ U diag(S) Vᵀ, from q random vectors and niter turns of the power
    iteration. PyTorch: torch.svd_lowrank."""
    if A.array.ndim < 2:
        raise ValueError(f"svd_lowrank(): expected a matrix or a batch of them, but A has shape {list(A.array.shape)}")
    if M is not None:
        if M.array.dtype != A.array.dtype:
            raise RuntimeError(
                f"svd_lowrank(): expected A and M to have the same dtype, but got: {A.dtype} != {M.dtype}"
            )
        A = A - M
    wide = A.array.shape[-2] < A.array.shape[-1]
    if wide:
        A = A.mT
    Q = qr(A @ randn(A.array.shape[-1], 6 if q is None else q, dtype=A.dtype))[0]
    for _ in range(2 if niter is None else niter):
        Q = qr(A @ qr(A.mT @ Q)[0])[0]
    U, S, Vh = svd(Q.mT @ A, full_matrices=False)
    return (Vh.mT, S, Q @ U) if wide else (Q @ U, S, Vh.mT)


@public
def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """`svd_lowrank` of A (m samples, n features) less the samples' mean: V's columns are the principal directions.

    q: how many, by default min(6, m, n). PyTorch: torch.pca_lowrank.
    """
    if A.array.ndim < 2:
        raise ValueError(f"pca_lowrank(): expected a matrix or a batch of them, but A has shape {list(A.array.shape)}")
    least = min(A.array.shape[-2:])
    q = min(6, least) if q is None else q
    if not 0 <= q <= least:
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={least}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)


__all__ = ["pca_lowrank", "svd_lowrank"]
