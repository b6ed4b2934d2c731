"""Linear equations, inverses, determinants, and the Cholesky factor. ᵀ is the transpose.

Sources: M. Giles, "Collected Matrix Derivative Results for Forward and Reverse Mode Algorithmic Differentiation" (2008); I. Murray,
"Differentiation of the Cholesky decomposition" (2016)."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..autograd.fused import at_hand, compiled_form, size
from ..autograd.modes import is_grad_enabled
from ..autograd.variable import Array, wrap
from ..public import public
from .checks import require_tensor
from .choice import where
from .diagonals import tril, triu
from .exponential import log
from .lapack import Decomposition, LinAlgError, eye_like, lapack, require_matrix

if TYPE_CHECKING:
    from ..tensor import Tensor


class TriangularSolve(NamedTuple):
    """The solution, and the matrix."""

    solution: Any
    cloned_coefficient: Any


class SignLogAbsDet(NamedTuple):
    """det A = sign · exp(logabsdet)."""

    sign: Any
    logabsdet: Any


# -- solving


class SolveEx(Decomposition):
    """A X = B.  dB = A⁻ᵀ dX, dA = -dB Xᵀ (Giles 2.2.1 and 2.3.1)"""

    @staticmethod
    def forward(ctx: Any, A: Any, B: Any) -> Any:
        X = wrap(lapack("torch.linalg.solve", "The solver failed because the input matrix is singular.",
                        np.linalg.solve, A.array, B.array))  # fmt: skip
        ctx.save_for_backward(A, X)
        return X

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        A, X = ctx.saved_tensors
        dB = SolveEx.apply(A.mT, grad)
        return (-(dB @ X.mT) if ctx.needs_input_grad[0] else None), dB


class InvEx(Decomposition):
    """out = A⁻¹.  dA = -A⁻ᵀ grad A⁻ᵀ (Giles 2.2.3)"""

    @staticmethod
    def forward(ctx: Any, A: Any) -> Any:
        try:
            out = wrap(np.linalg.inv(A.array))
        except np.linalg.LinAlgError:
            raise LinAlgError(
                "linalg.inv: The diagonal element is zero, the inversion could not be completed because the input matrix is "
                "singular."
            ) from None
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return -(out.mT @ grad @ out.mT)


@public
def inverse(input: Tensor) -> Tensor:
    """The inverse of a square matrix. Errors: LinAlgError where there is none. PyTorch: torch.inverse."""
    require_matrix(input, "linalg.inv", square=True)
    return InvEx.apply(input)


_BLOCK = 64  # rows that are found one after the other; what they owe to those before is one product


def _substitute(a: Array, x: Array, upper: bool, unit: bool) -> None:
    """Turn x, the right side (.., n, k), into the solution, row by row. Compiled: kernels/substitution.py."""
    n = a.shape[-1]
    for i in range(n - 1, -1, -1) if upper else range(n):
        known = slice(i + 1, n) if upper else slice(0, i)
        x[..., i : i + 1, :] -= a[..., i : i + 1, known] @ x[..., known, :]
        if not unit:
            x[..., i : i + 1, :] /= a[..., i : i + 1, i : i + 1]


class SolveTriangular(Decomposition):
    """A X = B with A of one triangle, by substitution.  dB = A⁻ᵀ dX, dA = the triangle of -dB Xᵀ"""

    @staticmethod
    def forward(ctx: Any, A: Any, B: Any, upper: bool, unitriangular: bool) -> Any:
        a, n = A.array, A.array.shape[-1]
        shape = np.broadcast_shapes(a.shape[:-2], B.array.shape[:-2])
        x = np.broadcast_to(B.array, (*shape, *B.array.shape[-2:])).copy()
        solve = compiled_form("substitution.substitute", size(x) * (64 if at_hand() else 4)) or _substitute
        with np.errstate(all="ignore"):
            for start in range((n - 1) // _BLOCK * _BLOCK, -1, -_BLOCK) if upper else range(0, n, _BLOCK):
                now = slice(start, min(start + _BLOCK, n))
                known = slice(now.stop, n) if upper else slice(0, start)
                if known.start < known.stop:
                    x[..., now, :] -= a[..., now, known] @ x[..., known, :]
                solve(a[..., now, now], x[..., now, :], upper, unitriangular)
        X = wrap(x)
        ctx.upper, ctx.unit = upper, unitriangular
        ctx.save_for_backward(A, X)
        return X

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        A, X = ctx.saved_tensors
        dB = SolveTriangular.apply(A.mT, grad, not ctx.upper, ctx.unit)
        if not ctx.needs_input_grad[0]:
            return None, dB, None, None
        off = int(ctx.unit)
        dA = -(dB @ X.mT)
        return (triu(dA, off) if ctx.upper else tril(dA, -off)), dB, None, None


@public(same="input A")
def triangular_solve(
    input: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> TriangularSolve:
    """X with A X = input (Aᵀ X = input, if transpose), and A. PyTorch: torch.triangular_solve."""
    require_matrix(input, "triangular_solve", "b")
    require_matrix(A, "triangular_solve", square=True)
    rows, n = input.array.shape[-2], A.array.shape[-1]
    if rows != n:
        raise RuntimeError(
            f"Incompatible matrix sizes for triangular_solve: each A matrix is {n} by {n} but each b matrix is {rows} by "
            f"{input.array.shape[-1]}"
        )
    kept = triu(A) if upper else tril(A)
    solution = SolveTriangular.apply(A.mT if transpose else A, input, upper != transpose, unitriangular)
    return TriangularSolve(solution, kept.clone() if kept is A else A.clone())


# -- determinants


def _cofactors(a: Array) -> Array:
    """det(a) a⁻ᵀ, also of singular matrices: with a = U diag(s) Vᵀ, det U det V · U diag(Π of the other s) Vᵀ."""
    n = a.shape[-1]
    unknown = ~np.isfinite(a).all((-2, -1), keepdims=True)
    if a.size and not unknown.any():
        with contextlib.suppress(np.linalg.LinAlgError):
            inverse = np.linalg.inv(a)
            condition = np.linalg.norm(a, 1, (-2, -1)) * np.linalg.norm(inverse, 1, (-2, -1))
            value = np.linalg.det(a)
            # Far from singular the definition loses no more digits than the singular values do
            if (condition * np.finfo(a.dtype).eps < 1e-4).all() and np.isfinite(1 / value).all():
                return (np.asarray(value)[..., None, None] * inverse.swapaxes(-1, -2)).astype(a.dtype)
    u, s, vh = np.linalg.svd(np.where(unknown, np.eye(n, dtype=a.dtype), a))
    others = np.where(np.eye(n, dtype=bool), 1.0, s[..., None, :]).prod(-1).astype(a.dtype)
    signs = np.linalg.det(u) * np.linalg.det(vh)
    return np.where(unknown, a.dtype.type(math.nan), (u * (np.round(signs)[..., None] * others)[..., None, :]) @ vh)


class Det(Decomposition):
    """out = det A.  dA = grad · det A · A⁻ᵀ (Giles 2.2.4)"""

    @staticmethod
    def forward(ctx: Any, A: Any) -> Any:
        out = wrap(np.asarray(np.linalg.det(A.array), A.array.dtype))
        ctx.save_for_backward(A, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        A, out = ctx.saved_tensors
        grad = grad[..., None, None]
        if not is_grad_enabled():  # no second derivative is asked for
            return grad * wrap(_cofactors(A.array))
        return grad * out[..., None, None] * InvEx.apply(A).mT


@public
def det(input: Tensor) -> Tensor:
    """The determinant: (.., n, n) -> (..). PyTorch: torch.det."""
    require_matrix(input, "linalg.det", square=True)
    return Det.apply(input)


class Slogdet(Decomposition):
    """sign, out = log |det A|.  dA = grad · A⁻ᵀ, inf and nan where A has no inverse; the sign has the derivative 0"""

    @staticmethod
    def forward(ctx: Any, A: Any) -> Any:
        ctx.save_for_backward(A)
        sign, out = (wrap(np.asarray(x, A.array.dtype)) for x in np.linalg.slogdet(A.array))
        return sign, out

    @staticmethod
    def backward(ctx: Any, _: Any, grad: Any) -> Any:
        (A,) = ctx.saved_tensors
        try:
            return grad[..., None, None] * InvEx.apply(A).mT
        except LinAlgError:
            singular = np.linalg.det(A.array)[..., None, None] == 0
            return grad[..., None, None] * wrap(np.where(singular, np.inf, 1.0) * np.sign(_cofactors(A.array)))


@public
def slogdet(input: Tensor) -> SignLogAbsDet:
    """The determinant's sign and the logarithm of its size. PyTorch: torch.slogdet."""
    require_matrix(input, "linalg.slogdet", square=True)
    return SignLogAbsDet(*Slogdet.apply(input))


@public
def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant; nan where that is negative. PyTorch: torch.logdet."""
    require_matrix(input, "linalg.slogdet", square=True)
    sign, size = Slogdet.apply(input)
    return where(sign < 0, log(sign), size)


# -- Cholesky


def leading_minor(a: Array) -> int:
    """The order of the first leading minor of a matrix that is not positive-definite; 0 if all are."""
    if _lower(a) is not None:
        return 0
    n = len(a)
    return next((k for k in range(1, n) if not _is_positive(a[:k, :k])), n)


def _is_positive(a: Array) -> bool:
    return bool(np.linalg.eigvalsh(a).min() > 0) if np.isfinite(np.tril(a)).all() else _lower(a) is not None


def _lower(a: Array) -> Array | None:
    """L with A = L Lᵀ; None where some matrix is not positive-definite. LAPACK passes over what is no number: a nan, and an
    infinity below the diagonal, whose square is taken from a number of the diagonal."""
    try:
        L = np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        return None
    return L if np.isfinite(np.tril(a, -1)).all() and not np.isnan(np.diagonal(L, 0, -2, -1)).any() else None


def _factor(a: Array) -> Array:
    if (L := _lower(a)) is not None:
        return L
    place, order = next((p, k) for p in np.ndindex(a.shape[:-2]) if (k := leading_minor(a[p])))
    batch = f"(Batch element {np.ravel_multi_index(place, a.shape[:-2])}): " if place else ""
    raise LinAlgError(
        f"linalg.cholesky: {batch}The factorization could not be completed because the input is not positive-definite "
        f"(the leading minor of order {order} is not positive-definite)."
    )


class CholeskyEx(Decomposition):
    """A = L Lᵀ, L lower triangular.  dA = ½ (L⁻ᵀ (P + Pᵀ) L⁻¹), P = the lower triangle of Lᵀ dL, its diagonal halved

    Source: Murray 2016, equation 8, made symmetric.
    """

    @staticmethod
    def forward(ctx: Any, A: Any) -> Any:
        L = wrap(_factor(A.array))
        ctx.save_for_backward(L)
        return L

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (L,) = ctx.saved_tensors
        P = tril(L.mT @ grad)
        P = P + tril(P, -1).mT
        half = SolveTriangular.apply(L.mT, P, True, False)
        return SolveTriangular.apply(L.mT, half.mT, True, False) * 0.5


@public
def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """L with A = L Lᵀ (or, if upper, Lᵀ) of a positive-definite matrix, of which one triangle is read.

    PyTorch: torch.cholesky.
    """
    require_matrix(input, "linalg.cholesky", square=True)
    return CholeskyEx.apply(input.mT).mT if upper else CholeskyEx.apply(input)


class CholeskySolve(Decomposition):
    """L Lᵀ X = B.  dB = (L Lᵀ)⁻¹ dX, dL = -(dB Xᵀ + X dBᵀ) L; for upper Lᵀ L X = B, and dL = -L (dB Xᵀ + X dBᵀ)"""

    @staticmethod
    def forward(ctx: Any, B: Any, L: Any, upper: bool) -> Any:
        lower = L.mT if upper else L
        X = SolveTriangular.apply(lower.mT, SolveTriangular.apply(lower, B, False, False), True, False)
        ctx.upper = upper
        ctx.save_for_backward(L, X)
        return X

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        L, X = ctx.saved_tensors
        dB = CholeskySolve.apply(grad, L, ctx.upper)
        half = dB @ X.mT
        both = half + half.mT
        return dB, -(L @ both if ctx.upper else both @ L), None

    grad_fn_name = "CholeskySolveBackward0"


@public(same="input input2")
def cholesky_solve(input: Tensor, input2: Tensor, upper: bool = False) -> Tensor:
    """X with L Lᵀ X = input (Lᵀ L, if upper); input2 is the L. PyTorch: torch.cholesky_solve."""
    for x, name in ((input, "b"), (input2, "u")):
        require_tensor(x, "cholesky_solve", "input2" if name == "u" else "input")
        if x.array.ndim < 2:
            raise RuntimeError(f"{name} should have at least 2 dimensions, but has {x.array.ndim} dimensions instead")
    require_matrix(input2, "cholesky_solve", "input2", square=True)
    rows, n = input.array.shape[-2], input2.array.shape[-1]
    if rows != n:
        raise RuntimeError(
            f"Incompatible matrix sizes for cholesky_solve: each A matrix is {n} by {n} but each b matrix is {rows} by "
            f"{input.array.shape[-1]}"
        )
    return CholeskySolve.apply(input, input2, upper)


@public
def cholesky_inverse(input: Tensor, upper: bool = False) -> Tensor:
    """(L Lᵀ)⁻¹ of a triangular L ((Lᵀ L)⁻¹, if upper). PyTorch: torch.cholesky_inverse."""
    require_matrix(input, "cholesky_inverse", square=True)
    zeros = np.argwhere(np.diagonal(input.array, axis1=-2, axis2=-1) == 0)
    if len(zeros):
        batch = "" if input.array.ndim == 2 else f"(Batch element {zeros[0][0]}): "
        raise LinAlgError(
            f"cholesky_inverse: {batch}The diagonal element {zeros[0][-1] + 1} is zero, the inversion could not be completed "
            "because the input matrix is singular."
        )
    return CholeskySolve.apply(eye_like(input, input.array.shape[-1]), input, upper)
