"""Norms of vectors and matrices, and what is told from singular values: rank and condition."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.variable import Variable, wrap
from ..ops import cat, where
from ..ops.axes import Dims
from ..ops.checks import require_tensor
from ..ops.decompositions import eigvalsh_of, svdvals_of
from ..ops.distances import vector_norm as _vector_norm
from ..ops.lapack import LinAlgError, require_matrix
from ..ops.matrix_functions import default_rtol
from ..ops.matrix_norms import matrix_norm
from ..ops.operands import broadcast
from ..ops.solving import inverse

if TYPE_CHECKING:
    from ..tensor import Tensor


__all__ = ["cond", "matrix_norm", "matrix_rank", "norm", "vector_norm"]


def vector_norm(
    x: Tensor, ord: float = 2, dim: Dims = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None
) -> Tensor:
    """(Σ |x|ᵖ)^(1/p) over dim, or over all elements. PyTorch: torch.linalg.vector_norm."""
    require_tensor(x, "linalg_vector_norm", "x")
    if isinstance(ord, str):
        raise TypeError("linalg_vector_norm(): argument 'ord' (position 2) must be Number, not str")
    return _vector_norm(x, ord, dim, keepdim, dtype)


def norm(
    A: Tensor,
    ord: float | str | None = None,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    dtype: dtypes.dtype | None = None,
) -> Tensor:
    """A vector norm, or for two dimensions a matrix norm. PyTorch: torch.linalg.norm."""
    require_tensor(A, "linalg_norm", "A")
    if isinstance(dim, tuple | list) and len(dim) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dim)}")
    if ord is not None and dim is None and A.dim() not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {A.dim()}D."
        )
    two = A.dim() == 2 if dim is None else isinstance(dim, tuple | list) and len(dim) == 2
    if isinstance(ord, str) or (ord is not None and two):
        return matrix_norm(A, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)  # type: ignore[arg-type]
    return vector_norm(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


def _threshold(x: Any, d: Any) -> Any:
    """A number or a tensor as an array that compares with the singular values of a batch."""
    return np.asarray(getattr(x, "array", x), d)[..., None]


def tolerances(A: Any, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """How small a singular value is to count as 0, absolutely and relative to the largest."""
    d = A.array.dtype
    numbers = [isinstance(x, int | float) or not x.array.ndim for x in (atol, rtol) if x is not None]
    if len(set(numbers)) == 2:
        raise TypeError("atol and rtol must both be numbers, or both be tensors of a number for each matrix")
    for x in (atol, rtol):
        if isinstance(x, Variable) and x.array.ndim:
            broadcast(x.array.shape, A.array.shape[:-2])
    if rtol is None:
        given = atol is not None and bool(np.any(np.asarray(getattr(atol, "array", atol)) > 0))
        rtol = 0.0 if given else default_rtol(A)
    return _threshold(0.0 if atol is None else atol, d), _threshold(rtol, d)


def matrix_rank(
    A: Tensor, tol: Tensor | float | None = None, hermitian: bool = False, *, atol: Tensor | float | None = None,
    rtol: Tensor | float | None = None,
) -> Tensor:  # fmt: skip
    """How many singular values are above max(atol, rtol · the largest): whole numbers (..). PyTorch: torch.linalg.matrix_rank."""
    require_tensor(A, "linalg_matrix_rank", "input")
    if tol is not None and (atol is not None or rtol is not None):
        raise TypeError("linalg_matrix_rank(): give tol (the old name of atol), or atol and rtol, not both")
    if A.array.ndim < 2:
        raise RuntimeError("torch.linalg.matrix_rank: The input tensor input must have at least 2 dimensions.")
    require_matrix(A, "linalg.matrix_rank", square=hermitian)
    low, part = tolerances(A, tol if atol is None else atol, 0.0 if tol is not None and rtol is None else rtol)
    values = (eigvalsh_of(A.detach(), "L").abs() if hermitian else svdvals_of(A.detach())).array
    limit = np.maximum(low, part * values.max(-1, keepdims=True, initial=0))
    return wrap(np.asarray((values > limit).sum(-1), np.int64))


def cond(A: Tensor, p: float | str | None = None) -> Tensor:
    """By how much solving may magnify an error: |A| · |A⁻¹| in the norm p, by default ratio of singular values.

    inf for a matrix without inverse. PyTorch: torch.linalg.cond.
    """
    require_matrix(A, "linalg.cond", square=p not in (None, 2, -2))
    if p in (None, 2, -2, "nuc") and A.array.dtype == np.float16:
        raise NotImplementedError(
            "\"linalg_svd_cpu\" not implemented for 'Half'; convert the tensor with .float() first"
        )
    if not A.array.size:  # a matrix without elements: NumPy knows no condition of it, PyTorch says 0
        return wrap(np.zeros(A.array.shape[:-2], A.array.dtype))
    if p in (None, 2, -2):
        values = svdvals_of(A)
        first, last = values[..., 0], values[..., -1]
        return last / first if p == -2 else first / last
    if p == "nuc":
        values = svdvals_of(A)
        return values.sum(-1) * (1 / values).sum(-1)
    if A.array.ndim == 2:
        try:
            return matrix_norm(A, p) * matrix_norm(inverse(A), p)
        except LinAlgError:
            return matrix_norm(A, p) * 0 + math.inf
    flat = A.reshape(-1, *A.array.shape[-2:])
    each = [cond(matrix, p).reshape(1) for matrix in flat.unbind(0)]
    return where(A.isnan().any(-1).any(-1), math.nan, cat(each).reshape(A.array.shape[:-2]))
