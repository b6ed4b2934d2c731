"""Linear equations: solved exactly, by one triangle, or as nearly as can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..autograd.variable import wrap
from ..ops.checks import require_tensor, type_name
from ..ops.decompositions import svdvals_of
from ..ops.lapack import require_matrix
from ..ops.matrix_functions import Pinv, default_rtol
from ..ops.shape import forget_base
from ..ops.solving import SolveEx, SolveTriangular, inverse
from ..public import tensors
from .norms import matrix_rank, tolerances

if TYPE_CHECKING:
    from ..tensor import Tensor


class LeastSquares(NamedTuple):
    """What `lstsq` gives."""

    solution: Any
    residuals: Any
    rank: Any
    singular_values: Any


def _same_dtype(A: Any, B: Any, function: str) -> None:
    require_tensor(B, f"linalg_{function.rpartition('.')[2]}", "B", 2)
    if A.array.dtype != B.array.dtype:
        raise RuntimeError(
            f"{function}: Expected A and B to have the same dtype, but found A of type {type_name(A)} and B of type "
            f"{type_name(B)} instead"
        )


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X with A X = B (X A = B, if not left): A (.., n, n), B (.., n, k) or a vector (.., n). PyTorch: torch.linalg.solve.

    Errors: LinAlgError where A has no inverse.
    """
    require_matrix(A, "linalg.solve", square=True)
    _same_dtype(A, B, "linalg.solve")
    a, b = A.array, B.array
    if not b.ndim:
        raise RuntimeError("linalg.solve: The input tensor B must have at least 2 dimensions.")
    vector = b.ndim == 1 or (a.ndim - 1 == b.ndim and b.shape == a.shape[:-1])
    if vector:
        B = B.unsqueeze(-1)
        left_, right_ = a.shape, B.array.shape
        if not left:
            raise RuntimeError(
                "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False."
            )
    left_, right_ = a.shape, B.array.shape
    if left_[-1] != right_[-2 if left else -1]:
        equation = "AX = B" if left else "XA = B"
        raise RuntimeError(
            f"linalg.solve: Incompatible shapes of A and B for the equation {equation} ({left_[-2]}x{left_[-1]} and "
            f"{right_[-2]}x{right_[-1]})"
        )
    X = SolveEx.apply(A, B) if left else SolveEx.apply(A.mT, B.mT).mT
    return forget_base(X.squeeze(-1)) if vector else X


def solve_triangular(A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Tensor:
    """X with A X = B (X A = B, if not left), where only one triangle of A is read. PyTorch: torch.linalg.solve_triangular.

    unitriangular: A's diagonal counts as ones. A zero on the diagonal gives inf and nan.
    """
    require_matrix(A, "linalg.solve_triangular", square=True)
    require_matrix(B, "linalg.solve_triangular", "B")
    _same_dtype(A, B, "linalg.solve_triangular")
    n, rows = A.array.shape[-1], B.array.shape[-2 if left else -1]
    if n != rows:
        raise RuntimeError(
            f"linalg.solve_triangular: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
            f"({n}x{n} and {B.array.shape[-2]}x{B.array.shape[-1]})"
        )
    if left:
        return SolveTriangular.apply(A, B, upper, unitriangular)
    return SolveTriangular.apply(A.mT, B.mT, not upper, unitriangular).mT


def inv(A: Tensor) -> Tensor:
    """A⁻¹. Errors: LinAlgError where there is none. PyTorch: torch.linalg.inv."""
    return inverse(A)


def pinv(
    A: Tensor, rcond: Tensor | float | None = None, hermitian: bool = False, *, atol: Tensor | float | None = None,
    rtol: Tensor | float | None = None,
) -> Tensor:  # fmt: skip
    """A⁺, the Moore-Penrose pseudo-inverse; singular values up to max(atol, rtol · the largest) count as 0.

    PyTorch: torch.linalg.pinv.
    """
    require_matrix(A, "linalg.eigh" if hermitian else "linalg.pinv", square=hermitian)
    if rcond is not None and (atol is not None or rtol is not None):
        raise TypeError("linalg_pinv(): give rcond (the old name of rtol), or atol and rtol, not both")
    low, part = tolerances(A, atol, rcond if rtol is None else rtol)
    return Pinv.apply(A, low, hermitian, part)


def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> LeastSquares:
    """The X with the least |A X - B| (and among these the least |X|): A (.., m, n), B (.., m, k) or (.., m).

    driver: "gelsy" (the default) tells the rank, "gelsd" and "gelss" also the singular values and residuals, "gels", which
    takes A to be of full rank, the residuals. Here all come from the pseudo-inverse. PyTorch: torch.linalg.lstsq.
    """
    require_tensor(A, "linalg_lstsq", "A")
    if A.array.ndim < 2:
        raise RuntimeError("torch.linalg.lstsq: input must have at least 2 dimensions.")
    require_matrix(A, "linalg.lstsq")
    _same_dtype(A, B, "torch.linalg.lstsq")
    driver = "gelsy" if driver is None else driver
    if driver not in ("gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError("torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)")
    a, (m, n) = A.array, A.array.shape[-2:]
    vector = a.ndim - 1 == B.array.ndim and B.array.shape == a.shape[:-1]
    if not vector and a.ndim - 1 == B.array.ndim:
        raise RuntimeError(
            f"torch.linalg.lstsq: vectors B of shape {list(B.array.shape)} do not fit A of shape {list(a.shape)}: {list(a.shape[:-1])} "
            "are wanted (or matrices of as many dimensions as A)"
        )
    if not vector and (B.array.ndim < 2 or not 0 <= a.ndim - B.array.ndim <= 1):
        raise RuntimeError(
            "torch.linalg.lstsq: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1"
        )
    right = B.unsqueeze(-1) if vector else B
    if right.array.shape[-2] != m:
        raise RuntimeError("torch.linalg.lstsq: input.size(-2) should match other.size(-2)")
    part = default_rtol(A) if rcond is None else rcond
    if driver == "gelsy":  # which counts the largest singular value in any case
        part = min(part, float(np.nextafter(a.dtype.type(1), a.dtype.type(0))))
    full = driver == "gels"
    solution = Pinv.apply(A, np.zeros(1, a.dtype), False, np.asarray([0.0 if full else part], a.dtype)) @ right
    none = solution.reshape(-1)[:0].clone()
    ranks = wrap(np.empty(0, np.int64)) if full else matrix_rank(A, rtol=part, atol=0.0)
    if not right.array.size and not full and driver == "gelsy":  # PyTorch does not look at A then
        ranks = ranks * 0
    residuals = none
    if m > n and driver != "gelsy" and (full or bool((ranks.array == n).all())):
        residuals = ((A @ solution - right) ** 2).sum(-2)
    singular = svdvals_of(A.detach()) if driver in ("gelsd", "gelss") else wrap(np.empty(0, a.dtype))
    return LeastSquares(forget_base(solution.squeeze(-1)) if vector else solution, residuals, ranks, singular)


def tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """The inverse of A seen as a map from its last dimensions to its first `ind`. PyTorch: torch.linalg.tensorinv."""
    if ind <= 0:
        raise RuntimeError("Expected a strictly positive integer for 'ind'")
    if ind > A.array.ndim:
        raise RuntimeError(f"tensorinv: ind={ind} is more than A has dimensions, which are {A.array.ndim}")
    first, last = A.array.shape[:ind], A.array.shape[ind:]
    rows, columns = int(np.prod(first)), int(np.prod(last))
    if rows != columns:
        raise RuntimeError(
            f"Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got {columns} "
            f"!= {rows}"
        )
    return forget_base(inverse(A.reshape(rows, columns)).reshape((*last, *first)))


@tensors(same="A B", floats="A")
def tensorsolve(A: Tensor, B: Tensor, dims: Sequence[int] | None = None) -> Tensor:
    """X with tensordot(A, X, X.ndim) = B; the dimensions `dims` of A are moved to its end. PyTorch: torch.linalg.tensorsolve."""
    if dims is not None:
        A = A.movedim(tuple(dims), tuple(range(A.array.ndim - len(dims), A.array.ndim)))
    found = A.array.shape[B.array.ndim :]
    if B.array.size != int(np.prod(found)):
        raise RuntimeError(
            f"Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), got "
            f"{int(np.prod(found))} != {B.array.size}"
        )
    X = SolveEx.apply(A.reshape(B.array.size, -1), B.reshape(-1, 1))
    return forget_base(X.reshape(found))
