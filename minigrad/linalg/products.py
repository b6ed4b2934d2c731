"""Products of matrices and vectors, powers, and views of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ops import cross as _cross
from ..ops import cumprod
from ..ops import diagonal as _diagonal
from ..ops import matrix_exp as _matrix_exp
from ..ops import matrix_power as _matrix_power
from ..ops.checks import type_name
from ..ops.join import cat
from ..ops.matrix import dot, mm
from ..ops.matrix import matmul as _matmul
from ..public import tensors

if TYPE_CHECKING:
    from ..tensor import Tensor


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """input @ other. PyTorch: torch.linalg.matmul."""
    return _matmul(input, other)


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of several matrices (the first and the last may be vectors). PyTorch: torch.linalg.multi_dot."""
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    first, last = tensors[0], tensors[-1]
    for x, name in ((first, "first"), (last, "last")):
        if x.dim() not in (1, 2):
            raise RuntimeError(f"multi_dot(): the {name} tensor must be 1D or 2D but got {x.dim()}D")
    matrices = [first.unsqueeze(0) if first.dim() == 1 else first, *tensors[1:-1]]
    matrices.append(last.unsqueeze(-1) if last.dim() == 1 else last)
    for i, x in enumerate(matrices):
        if x.dim() != 2:
            raise RuntimeError(f"multi_dot(): tensor {i} must be 2D but got {x.dim()}D")
    out = _in_best_order(matrices)
    out = out.squeeze(-1) if last.dim() == 1 else out
    return out.squeeze(0) if first.dim() == 1 else out


def _in_best_order(matrices: list[Any]) -> Any:
    """The product with the fewest multiplications. Source: Cormen et al., "Introduction to Algorithms", section 15.2."""
    n = len(matrices)
    sides = [matrices[0].shape[0], *(x.shape[1] for x in matrices)]
    cost: dict[tuple[int, int], tuple[int, int]] = {(i, i): (0, i) for i in range(n)}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i, j] = min(
                (cost[i, k][0] + cost[k + 1, j][0] + sides[i] * sides[k + 1] * sides[j + 1], k) for k in range(i, j)
            )

    def product(i: int, j: int) -> Any:
        k = cost[i, j][1]
        return matrices[i] if i == j else mm(product(i, k), product(k + 1, j))

    return product(0, n - 1)


def matrix_power(A: Tensor, n: int) -> Tensor:
    """A to a whole power; a negative one is of the inverse. PyTorch: torch.linalg.matrix_power."""
    return _matrix_power(A, n)


def matrix_exp(A: Tensor) -> Tensor:
    """1 + A + A²/2 + A³/6 + ... PyTorch: torch.linalg.matrix_exp."""
    return _matrix_exp(A)


@tensors(same="input other")
def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The cross product of vectors of three along dim. PyTorch: torch.linalg.cross."""
    if input.array.ndim != other.array.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    if input.array.dtype.kind == "b":
        raise NotImplementedError("\"cross\" not implemented for 'Bool'; convert the tensors first, as in x.int()")
    return _cross(input, other, dim)


@tensors(same="x y", floats="x")
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Σ x y along dim, other dimensions broadcast. PyTorch: torch.linalg.vecdot."""
    if x.array.ndim == y.array.ndim == 1:  # PyTorch's product of two vectors, which broadcasts nothing
        return dot(x, y)
    return (x * y).sum(dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonal of each matrix, as a view. PyTorch: torch.linalg.diagonal."""
    return _diagonal(A, offset, dim1, dim2)


def vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """The powers 0, 1, ..., N - 1 of each element, in a row: (.., n) -> (.., n, N). PyTorch: torch.linalg.vander."""
    if x.array.dtype.kind == "b" or x.array.dtype == np.float16:
        raise RuntimeError(
            f"linalg.vander supports floating point, complex, and integer tensors, but got {type_name(x)}"
        )
    n = N if N is not None else x.array.shape[-1] if x.array.ndim else 1
    if n <= 1:
        raise RuntimeError("N must be greater than 1.")
    factors = x.unsqueeze(-1).expand(*x.array.shape, n - 1)
    return cumprod(cat([x.new_ones((*x.array.shape, 1)), factors], -1), -1)
