"""Norms of matrices, and `norm`, which takes those or a vector's (distances.py) as its p says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..autograd.variable import Variable
from ..public import public
from .axes import Dims
from .checks import require_tensor
from .decompositions import svdvals_of
from .dims import normalize_dim
from .distances import in_type, vector_norm
from .lapack import require_real

if TYPE_CHECKING:
    from ..tensor import Tensor


@public
def norm(
    input: Tensor, p: float | str | None = "fro", dim: Dims = None, keepdim: bool = False,
    dtype: dtypes.dtype | None = None,
) -> Tensor:  # fmt: skip
    """The p-norm (Σ |x|ᵖ)^(1/p) over dim (all elements, if None); "fro" is 2; "nuc", of matrices, the sum of their singular
    values. PyTorch: torch.norm."""
    require_tensor(input, "norm")
    if isinstance(p, str) and (p != "fro" or (isinstance(dim, tuple | list) and len(dim) > 2)):
        return matrix_norm(input, p, range(input.array.ndim) if dim is None else dim, keepdim, dtype=dtype)  # type: ignore[arg-type]
    return vector_norm(input, 2 if p is None or isinstance(p, str) else p, dim, keepdim, dtype)


def matrix_norm(
    A: Tensor, ord: float | str = "fro", dim: Sequence[int] = (-2, -1), keepdim: bool = False, *,
    dtype: dtypes.dtype | None = None,
) -> Tensor:  # fmt: skip
    """The norm of matrices: "fro" (root of the sum of squares), "nuc" (sum of the singular values), ±2 (the largest or
    smallest of them), ±1 (column sums), ±inf (row sums).

    PyTorch: torch.linalg.matrix_norm.
    """
    if isinstance(A, Variable) and A.array.ndim < 2:
        raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
    require_tensor(A, "linalg_matrix_norm", "A")
    if isinstance(dim, int) or len(dim) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {dim}")
    if ord not in ("fro", "nuc", 2, -2, 1, -1, math.inf, -math.inf):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    row, column = (normalize_dim(d, A.dim()) for d in dim)
    if row == column:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})")
    if ord in (2, -2, "nuc"):  # LAPACK knows no halves
        require_real(A, "linalg.matrix_norm")
    A = in_type(A, dtype, "linalg.matrix_norm")
    if ord == "fro":
        return vector_norm(A, 2, (row, column), keepdim)
    if ord in (2, -2, "nuc"):
        values = svdvals_of(A.movedim((row, column), (-2, -1)))
        out = values.sum(-1) if isinstance(ord, str) else _edge(values, ord > 0)
        return out.unsqueeze(min(row, column)).unsqueeze(max(row, column)) if keepdim else out
    first, second = (row, column) if ord in (1, -1) else (column, row)
    sums = A.abs().sum(first, keepdim=True)
    if ord > 0 and sums.array.shape[second] == 0:  # type: ignore[operator]
        out = sums.sum(second, keepdim=True)
    else:
        out = sums.amax(second, keepdim=True) if ord > 0 else sums.amin(second, keepdim=True)  # type: ignore[operator]
    return out if keepdim else out.squeeze((row, column))


def _edge(values: Any, largest: bool) -> Any:
    return values.amax(-1) if largest else values.amin(-1)
