"""The pseudo-inverse, powers and the exponential of a matrix.

Sources: G. Golub and V. Pereyra, "The Differentiation of Pseudo-Inverses" (1973); N. Higham, "The Scaling and Squaring
Method for the Matrix Exponential Revisited" (2005); R. Mathias, "A chain rule for matrix functions" (1996)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.variable import Array, wrap
from ..public import public
from ..quiet import quiet
from .checks import require_tensor
from .choice import where
from .decompositions import plain_svd
from .join import cat
from .lapack import Decomposition, eye_like, require_matrix
from .matrix import matmul
from .solving import inverse

if TYPE_CHECKING:
    from ..tensor import Tensor


# -- the pseudo-inverse, powers and the exponential


class Pinv(Decomposition):
    """P = A⁺.  dA = -Pᵀ dP Pᵀ + (I - A P) dPᵀ P Pᵀ + Pᵀ P dPᵀ (I - P A) (Golub and Pereyra 1973)"""

    @staticmethod
    def forward(ctx: Any, A: Any, threshold: Array, hermitian: bool, relative: Array) -> Any:
        a = A.array
        if hermitian:
            w, v = np.linalg.eigh(a)
            u, s, vh = v, w, v.swapaxes(-1, -2)
        else:
            u, s, vh = plain_svd(a, full_matrices=False)
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
        across, along = eye_like(A, m) - A @ P, eye_like(A, n) - P @ A
        dA = -(P.mT @ grad @ P.mT) + across @ grad.mT @ P @ P.mT + P.mT @ P @ grad.mT @ along
        return dA, None, None, None

    grad_fn_name = "LinalgPinvBackward0"


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
    if not -(2**63) <= n < 2**63:
        raise OverflowError(f"linalg_matrix_power(): argument 'n' (position 2) must fit 64 bits, but is {n}")
    if n == 0:
        return where(
            wrap(np.ones(shape, bool)), eye_like(input, shape[-1]), input
        )  # known to depend on A, with derivative 0
    if n < 0:
        input, n = inverse(input), -n
    elif n == 1:
        return input.clone()
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


@quiet
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


class MatrixExp(Decomposition):
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
