"""Decompositions of matrices, by LAPACK through NumPy, of a matrix or of each of a batch; and what follows from them.

Each is a `Function`: its backward is written in tensors, so second derivatives follow from it. T is the transpose; the
formulas hold where singular values or eigenvalues differ from one another, and where the factors are determined by them.

Sources: M. Giles, "Collected Matrix Derivative Results for Forward and Reverse Mode Algorithmic Differentiation" (2008);
I. Murray, "Differentiation of the Cholesky decomposition" (2016); S. Walter and L. Lehmann, "Algorithmic Differentiation
of Linear Algebra Functions" (2010); G. Golub and V. Pereyra, "The Differentiation of Pseudo-Inverses" (1973).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import dtypes
from ..autograd.function import Function
from ..autograd.modes import is_grad_enabled
from ..autograd.variable import Array, wrap
from ..public import public
from .checks import require_tensor, type_name
from .choice import where
from .diagonals import diag_embed, tril, triu
from .exponential import log
from .join import cat
from .matrix import matmul

if TYPE_CHECKING:
    from ..tensor import Tensor


class LinAlgError(RuntimeError):
    """A matrix that has no inverse, or no such decomposition. PyTorch: torch.linalg.LinAlgError."""


class SVD(NamedTuple):
    """A = U diag(S) Vᵀ."""

    U: Any
    S: Any
    V: Any


class QR(NamedTuple):
    """A = Q R."""

    Q: Any
    R: Any


class SignLogAbsDet(NamedTuple):
    """det A = sign · exp(logabsdet)."""

    sign: Any
    logabsdet: Any


class TriangularSolve(NamedTuple):
    """The solution, and the matrix."""

    solution: Any
    cloned_coefficient: Any


# -- checks of arguments


def require_matrix(A: Any, function: str, argument: str = "A", square: bool = False) -> None:
    """Errors unless A is a matrix (or a batch) of float32 or float64, and square if asked for."""
    name = function.rpartition(".")[2]
    require_tensor(A, f"linalg_{name}" if function.startswith("linalg") else name, argument)
    shape = A.array.shape
    if len(shape) < 2:
        raise RuntimeError(f"{function}: The input tensor {argument} must have at least 2 dimensions.")
    if square and shape[-1] != shape[-2]:
        raise RuntimeError(
            f"{function}: {argument} must be batches of square matrices, but they are {shape[-2]} by {shape[-1]} matrices"
        )
    require_real(A, function)


def require_real(A: Any, function: str) -> None:
    """RuntimeError unless A is of float32 or float64."""
    if A.array.dtype.kind != "f":
        raise RuntimeError(f"{function}: Expected a floating point or complex tensor as input. Got {type_name(A)}")
    if A.array.dtype.itemsize < 4:
        raise RuntimeError(f"{function}: Low precision dtypes not supported. Got {type_name(A)}")


def lapack(function: str, problem: str, compute: Any, *arrays: Array, **options: Any) -> Any:
    """What NumPy computes of the arrays; its LinAlgError becomes PyTorch's."""
    try:
        return compute(*arrays, **options)
    except np.linalg.LinAlgError:
        raise LinAlgError(f"{function}: {problem}") from None


class _Decomposition(Function):
    """A Function whose node is called as in PyTorch."""

    @classmethod
    def name(cls) -> str:
        return f"Linalg{cls.__name__}Backward0"


def _eye(A: Any, n: int) -> Any:
    return wrap(np.eye(n, dtype=A.array.dtype))


def _divide(x: Any, by: Any) -> Any:
    """x / by, and 0 where x is 0: a difference of equal singular values does no harm where nothing depends on it."""
    return where(x == 0, x, x / where(by == 0, wrap(np.zeros((), by.array.dtype)), by))


# -- solving


class SolveEx(_Decomposition):
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


class InvEx(_Decomposition):
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


class SolveTriangular(_Decomposition):
    """A X = B with A of one triangle, by substitution.  dB = A⁻ᵀ dX, dA = the triangle of -dB Xᵀ"""

    @staticmethod
    def forward(ctx: Any, A: Any, B: Any, upper: bool, unitriangular: bool) -> Any:
        a, n = A.array, A.array.shape[-1]
        shape = np.broadcast_shapes(a.shape[:-2], B.array.shape[:-2])
        x = np.broadcast_to(B.array, (*shape, *B.array.shape[-2:])).copy()
        with np.errstate(all="ignore"):
            for i in range(n - 1, -1, -1) if upper else range(n):
                known = slice(i + 1, n) if upper else slice(0, i)
                x[..., i : i + 1, :] -= a[..., i : i + 1, known] @ x[..., known, :]
                if not unitriangular:
                    x[..., i : i + 1, :] /= a[..., i : i + 1, i : i + 1]
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


@public
def triangular_solve(
    input: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> TriangularSolve:
    """X with A X = input (Aᵀ X = input, if transpose), and A. PyTorch: torch.triangular_solve."""
    require_matrix(input, "triangular_solve", "b")
    require_matrix(A, "triangular_solve", square=True)
    kept = triu(A) if upper else tril(A)
    solution = SolveTriangular.apply(A.mT if transpose else A, input, upper != transpose, unitriangular)
    return TriangularSolve(solution, kept.clone() if kept is A else A.clone())


# -- determinants


def _cofactors(a: Array) -> Array:
    """det(a) a⁻ᵀ, also of singular matrices: with a = U diag(s) Vᵀ, det U det V · U diag(Π of the other s) Vᵀ."""
    n = a.shape[-1]
    u, s, vh = np.linalg.svd(a)
    others = np.where(np.eye(n, dtype=bool), 1.0, s[..., None, :]).prod(-1).astype(a.dtype)
    signs = np.linalg.det(u) * np.linalg.det(vh)
    return (u * (np.round(signs)[..., None] * others)[..., None, :]) @ vh


class Det(_Decomposition):
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


class Slogdet(_Decomposition):
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


class CholeskyEx(_Decomposition):
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


def _factor(a: Array) -> Array:
    try:
        return np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        pass
    for place in np.ndindex(a.shape[:-2]):
        for order in range(1, a.shape[-1] + 1):
            if not np.linalg.eigvalsh(a[place][:order, :order]).min() > 0:
                batch = f"(Batch element {np.ravel_multi_index(place, a.shape[:-2])}): " if place else ""
                raise LinAlgError(
                    f"linalg.cholesky: {batch}The factorization could not be completed because the input is not "
                    f"positive-definite (the leading minor of order {order} is not positive-definite)."
                )
    raise LinAlgError("linalg.cholesky: the input is not positive-definite, to rounding")


@public
def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """L with A = L Lᵀ (or, if upper, Lᵀ) of a positive-definite matrix, of which one triangle is read.

    PyTorch: torch.cholesky.
    """
    require_matrix(input, "linalg.cholesky", square=True)
    return CholeskyEx.apply(input.mT).mT if upper else CholeskyEx.apply(input)


class CholeskySolve(_Decomposition):
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

    @classmethod
    def name(cls) -> str:
        return "CholeskySolveBackward0"


@public
def cholesky_solve(input: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """X with L Lᵀ X = input (Lᵀ L, if upper). PyTorch: torch.cholesky_solve."""
    for x, name in ((input, "b"), (L, "u")):
        require_tensor(x, "cholesky_solve", "L" if name == "u" else "input")
        if x.array.ndim < 2:
            raise RuntimeError(f"{name} should have at least 2 dimensions, but has {x.array.ndim} dimensions instead")
    require_matrix(L, "cholesky_solve", "L", square=True)
    return CholeskySolve.apply(input, L, upper)


@public
def cholesky_inverse(input: Tensor, upper: bool = False) -> Tensor:
    """(L Lᵀ)⁻¹ of a triangular L ((Lᵀ L)⁻¹, if upper). PyTorch: torch.cholesky_inverse."""
    require_matrix(input, "cholesky_inverse", square=True)
    return CholeskySolve.apply(_eye(input, input.array.shape[-1]), input, upper)


# -- QR


class Qr(_Decomposition):
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


def qr_of(A: Any, mode: str) -> QR:
    """The decomposition in a mode of linalg.qr."""
    m, n = A.array.shape[-2:]
    if mode == "complete" and m > n:
        if A.requires_grad and is_grad_enabled():
            raise RuntimeError(
                "The QR decomposition is not differentiable when mode='complete' and nrows > ncols; use mode='reduced'"
            )
        return QR(*(wrap(x) for x in np.linalg.qr(A.array, mode="complete")))
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


class Svd(_Decomposition):
    """A = U diag(S) Vh, S falling.  With Eⱼₖ = Sₖ² - Sⱼ² and skew X = X - Xᵀ,
    dA = U ((skew(Uᵀ dU) / E) S + S (skew(Vᵀ dV) / E) + diag(dS)) Vᵀ + (I - U Uᵀ) dU S⁻¹ Vᵀ + U S⁻¹ dVᵀ (I - V Vᵀ)

    Source: Giles 3.2; Townsend 2016, "Differentiating the Singular Value Decomposition".
    """

    @staticmethod
    def forward(ctx: Any, A: Any) -> Any:
        U, S, Vh = (wrap(x) for x in _svd(A.array, full_matrices=False))
        ctx.save_for_backward(U, S, Vh)
        return U, S, Vh

    @staticmethod
    def backward(ctx: Any, dU: Any, dS: Any, dVh: Any) -> Any:
        U, S, Vh = ctx.saved_tensors
        m, k, n = U.array.shape[-2], S.array.shape[-1], Vh.array.shape[-1]
        E = (S * S).unsqueeze(-2) - (S * S).unsqueeze(-1) + _eye(S, k)
        row, column = S.unsqueeze(-2), S.unsqueeze(-1)
        u, v = U.mT @ dU, Vh @ dVh.mT
        inner = _divide(u - u.mT, E) * row + column * _divide(v - v.mT, E) + diag_embed(dS)
        dA = U @ inner @ Vh
        if m > k:
            dA = dA + _divide(dU - U @ u, row) @ Vh
        if n > k:
            dA = dA + U @ _divide(dVh - v.mT @ Vh, column)
        return dA


def _svd(a: Array, **options: Any) -> Any:
    problem = "The algorithm failed to converge because the input matrix contained non-finite values."
    if a.size and not np.isfinite(a).all():
        raise LinAlgError(f"linalg.svd: {problem}")
    return lapack("linalg.svd", problem, np.linalg.svd, a, **options)


class Svdvals(_Decomposition):
    """S, the singular values of A.  dA = U diag(dS) Vᵀ"""

    @staticmethod
    def forward(ctx: Any, A: Any) -> Any:
        ctx.save_for_backward(A)
        return wrap(_svd(A.array, compute_uv=False))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (A,) = ctx.saved_tensors
        U, _, Vh = Svd.apply(A)
        return (U * grad.unsqueeze(-2)) @ Vh

    @classmethod
    def name(cls) -> str:
        return "LinalgSvdBackward0"


def svd_of(A: Any, full_matrices: bool) -> tuple[Any, Any, Any]:
    """U, S, Vh. In the full form gradients flow through the singular vectors that belong to singular values."""
    m, n = A.array.shape[-2:]
    if not full_matrices or m == n:
        return Svd.apply(A)
    U, S, Vh = Svd.apply(A)
    rest_u, _, rest_v = _svd(A.array, full_matrices=True)
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
        return SVD(next(zeros), Svdvals.apply(input), next(zeros))
    U, S, Vh = svd_of(input, not some)
    return SVD(U, S, Vh.mT)


# -- eigenvalues of symmetric matrices


class Eigh(_Decomposition):
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
        return results

    @staticmethod
    def backward(ctx: Any, dw: Any, dV: Any) -> Any:
        w, V = ctx.saved_tensors
        diagonal = _eye(w, w.array.shape[-1])
        E = w.unsqueeze(-2) - w.unsqueeze(-1) + diagonal
        turn = V.mT @ dV
        inner = _divide((turn - turn.mT) * 0.5, E) + diag_embed(dw)
        return V @ inner @ V.mT, None


class Eigvalsh(_Decomposition):
    """w, the eigenvalues of a symmetric A.  dA = V diag(dw) Vᵀ"""

    @staticmethod
    def forward(ctx: Any, A: Any, UPLO: str) -> Any:
        ctx.save_for_backward(A)
        ctx.UPLO = UPLO
        with_vectors: Any = Eigh.forward
        return with_vectors(Eigh(), A, UPLO)[0]

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (A,) = ctx.saved_tensors
        _, V = Eigh.apply(A, ctx.UPLO)
        return (V * grad.unsqueeze(-2)) @ V.mT, None

    @classmethod
    def name(cls) -> str:
        return "LinalgEighBackward0"


# -- the pseudo-inverse, powers and the exponential


class Pinv(_Decomposition):
    """P = A⁺.  dA = -Pᵀ dP Pᵀ + (I - A P) dPᵀ P Pᵀ + Pᵀ P dPᵀ (I - P A) (Golub and Pereyra 1973)"""

    @staticmethod
    def forward(ctx: Any, A: Any, threshold: Array, hermitian: bool, relative: Array) -> Any:
        a = A.array
        if hermitian:
            w, v = np.linalg.eigh(a)
            u, s, vh = v, w, v.swapaxes(-1, -2)
        else:
            u, s, vh = _svd(a, full_matrices=False)
        size = np.abs(s)
        limit = np.maximum(threshold, relative * size.max(-1, keepdims=True, initial=0))
        kept = size > limit
        inverse = np.where(kept, 1 / np.where(kept, s, 1), 0).astype(a.dtype)
        P = wrap((vh.swapaxes(-1, -2) * inverse[..., None, :]) @ u.swapaxes(-1, -2))
        ctx.save_for_backward(A, P)
        return P

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        A, P = ctx.saved_tensors
        m, n = A.array.shape[-2:]
        across, along = _eye(A, m) - A @ P, _eye(A, n) - P @ A
        dA = -(P.mT @ grad @ P.mT) + across @ grad.mT @ P @ P.mT + P.mT @ P @ grad.mT @ along
        return dA, None, None, None

    @classmethod
    def name(cls) -> str:
        return "LinalgPinvBackward0"


@public
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The Moore-Penrose pseudo-inverse; singular values below rcond times the largest count as 0. PyTorch: torch.pinverse."""
    require_matrix(input, "linalg.pinv")
    return Pinv.apply(input, np.zeros((), input.array.dtype), False, np.asarray(rcond, input.array.dtype))


@public
def matrix_power(input: Tensor, n: int) -> Tensor:
    """A to a whole power, by squaring; a negative one is of the inverse. PyTorch: torch.matrix_power."""
    if not isinstance(n, int) or isinstance(n, bool):
        raise TypeError(f"linalg_matrix_power(): argument 'n' (position 2) must be int, not {type(n).__name__}")
    require_tensor(input, "linalg_matrix_power", "A")
    shape = input.array.shape
    if len(shape) < 2:
        raise RuntimeError("linalg.matrix_power: The input tensor A must have at least 2 dimensions.")
    if shape[-1] != shape[-2]:
        raise RuntimeError(
            f"linalg.matrix_power: A must be batches of square matrices, but they are {shape[-2]} by {shape[-1]} matrices"
        )
    if n == 0:
        return where(
            wrap(np.ones(shape, bool)), _eye(input, shape[-1]), input
        )  # known to depend on A, with derivative 0
    if n < 0:
        input, n = inverse(input), -n
    out: Any = None
    while n:
        if n & 1:
            out = input if out is None else matmul(out, input)
        n >>= 1
        input = matmul(input, input) if n else input
    return out


_PADE = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0, 10559470521600.0,
    670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip


def _expm(a: Array) -> Array:
    """eᴬ by the Padé approximant of degree 13 of A / 2ˢ, squared s times. Source: Higham 2005."""
    norm = np.abs(a).sum(-2).max(initial=0.0)
    squarings = max(0, int(np.ceil(np.log2(norm / 5.37))) if np.isfinite(norm) and norm > 0 else 0)
    x = a / a.dtype.type(2**squarings)
    one, x2 = np.eye(a.shape[-1], dtype=a.dtype), x @ x
    b = [a.dtype.type(c / _PADE[0]) for c in _PADE]
    powers = [one, x2, x2 @ x2]
    powers.append(powers[2] @ x2)
    high_u = powers[3] @ (b[13] * powers[3] + b[11] * powers[2] + b[9] * x2)
    u = x @ (high_u + b[7] * powers[3] + b[5] * powers[2] + b[3] * x2 + b[1] * one)
    high_v = powers[3] @ (b[12] * powers[3] + b[10] * powers[2] + b[8] * x2)
    v = high_v + b[6] * powers[3] + b[4] * powers[2] + b[2] * x2 + b[0] * one
    out = np.linalg.solve(v - u, v + u)
    for _ in range(squarings):
        out = out @ out
    return out


class MatrixExp(_Decomposition):
    """out = eᴬ.  dA = the upper right block of exp of [[Aᵀ, grad], [0, Aᵀ]] (Mathias 1996)"""

    @staticmethod
    def forward(ctx: Any, A: Any) -> Any:
        ctx.save_for_backward(A)
        return wrap(_expm(A.array))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (A,) = ctx.saved_tensors
        n = A.array.shape[-1]
        below = cat([A * 0, A.mT], -1)
        return MatrixExp.apply(cat([cat([A.mT, grad], -1), below], -2))[..., :n, n:]


@public
def matrix_exp(input: Tensor) -> Tensor:
    """1 + A + A²/2 + A³/6 + ... of a square matrix. PyTorch: torch.matrix_exp."""
    require_matrix(input, "linalg.matrix_exp", square=True)
    return MatrixExp.apply(input)


def default_rtol(A: Any) -> float:
    """max(rows, columns) · eps: below this part of the largest singular value one counts as 0."""
    return max(A.array.shape[-2:]) * dtypes.finfo(dtypes.from_numpy(A.array.dtype)).eps
