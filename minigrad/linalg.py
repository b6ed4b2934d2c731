"""`torch.linalg`: what minigrad has of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import dtypes, missing
from .ops.axes import Dims
from .ops.distances import norm as _norm
from .ops.matrix import chain_matmul, inverse, matmul

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["inv", "matmul", "matrix_norm", "multi_dot", "norm", "vector_norm"]


def vector_norm(
    x: Tensor, ord: float = 2, dim: Dims = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None
) -> Tensor:
    """(Σ |x|ᵖ)^(1/p) over dim, or over all elements. PyTorch: torch.linalg.vector_norm."""
    return _norm(x, ord, dim, keepdim, dtype)


def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Sequence[int] = (-2, -1), keepdim: bool = False, *,
    dtype: dtypes.dtype | None = None,
) -> Tensor:  # fmt: skip
    """The norm of matrices: "fro" (root of the sum of squares), ±1 (column sums), ±inf (row sums).

    PyTorch: torch.linalg.matrix_norm.
    """
    if ord == "fro":
        return _norm(A, 2, dim, keepdim, dtype)
    if ord in (1, -1, math.inf, -math.inf):
        row, column = (d % A.dim() for d in dim)
        first, second = (row, column) if abs(ord) == 1 else (column, row)
        sums = A.abs().sum(first, keepdim=True)
        out = sums.amax(second, keepdim=True) if ord > 0 else sums.amin(second, keepdim=True)
        return out if keepdim else out.squeeze((row, column))
    raise NotImplementedError(
        f"linalg.matrix_norm: ord={ord!r} needs singular values, which minigrad has not; there is 'fro'"
    )


def norm(
    A: Tensor, ord: Any = None, dim: Dims = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None
) -> Tensor:
    """A vector norm, or for two dimensions a matrix norm. PyTorch: torch.linalg.norm."""
    if ord is not None and ((dim is None and A.dim() == 2) or (isinstance(dim, tuple | list) and len(dim) == 2)):
        return matrix_norm(A, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    return _norm(A, 2 if ord is None else ord, dim, keepdim, dtype)


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of several matrices (the first and the last may be vectors). PyTorch: torch.linalg.multi_dot."""
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    first, last = tensors[0], tensors[-1]
    matrices = [first.unsqueeze(0) if first.dim() == 1 else first, *tensors[1:-1]]
    matrices.append(last.unsqueeze(-1) if last.dim() == 1 else last)
    out = chain_matmul(*matrices)
    out = out.squeeze(-1) if last.dim() == 1 else out
    return out.squeeze(0) if first.dim() == 1 else out


inv = inverse


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
