"""Ready-made parametrizations: weight norm, spectral norm, orthogonal matrices. PyTorch: torch.nn.utils.parametrizations."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...autograd.modes import no_grad
from ...autograd.variable import Array, Variable, wrap
from ...creation import eye
from ...ops.dims import normalize_dim
from ...ops.distances import normalize
from ...ops.pad import pad
from ...sampling import randn
from ..module import Module
from .norms import as_matrix, direction, norm_except_dim, out_dim, towards, weight_of
from .parametrize import register_parametrization

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _tensor_of(module: Any, name: str) -> Any:
    weight = getattr(module, name, None)
    if not isinstance(weight, Variable):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


class _WeightNorm(Module):
    """original0: lengths, original1: directions."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Any, weight_v: Any) -> Any:
        return weight_of(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Any) -> tuple[Any, Any]:
        return norm_except_dim(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Any:
    """Learn a parameter's lengths (one for each entry of dim; None: one in all) and directions apart.

    Source: Salimans & Kingma 2016, "Weight Normalization".
    """
    if dim is not None:
        normalize_dim(dim, _tensor_of(module, name).dim())  # IndexError where there is none such
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


class _SpectralNorm(Module):
    """W / (uᵀ W v); u and v go some steps of the power method towards W's first singular vectors at each use in training."""

    def __init__(self, weight: Any, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        n = weight.dim()
        if not -n <= dim < n:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{n}, {n - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim, self.eps = dim % n, eps
        if n > 1:
            self.n_power_iterations = n_power_iterations
            matrix = as_matrix(weight, self.dim)
            self.register_buffer("_u", direction(weight, matrix.shape[0], eps))
            self.register_buffer("_v", direction(weight, matrix.shape[1], eps))
            self._power_method(matrix, 15)

    def _power_method(self, matrix: Any, steps: int) -> None:
        with no_grad():
            for _ in range(steps):
                self._u.copy_(towards(matrix, self._v, self.eps))
                self._v.copy_(towards(matrix.t(), self._u, self.eps))

    def forward(self, weight: Any) -> Any:
        if weight.dim() == 1:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        return weight / ops.dot(self._u.clone(), ops.mv(matrix, self._v.clone()))

    def right_inverse(self, value: Any) -> Any:
        return value


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """Keep a parameter's largest singular value at 1. dim: which dimension counts outputs; 0, of transposed convolutions 1.

    Source: Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks".
    """
    weight = _tensor_of(module, name)
    dim = out_dim(module) if dim is None else dim
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))


def _exponential(a: Any) -> Any:
    """e^A of square matrices: the series at A / 2ˢ, squared s times."""
    size = float(np.abs(a.array).sum(-2).max(initial=0.0))
    halvings = max(0, int(np.ceil(np.log2(size))) + 1) if size > 0 else 0
    a = a / 2**halvings
    term = out = eye(a.shape[-1], dtype=a.dtype)
    for i in range(1, 19):
        term = term @ a / i
        out = out + term
    for _ in range(halvings):
        out = out @ out
    return out


def _reflected(v: Any) -> Any:
    """The first columns of the product of the reflections I - τ v vᵀ, v a column of the matrix below a 1 on the diagonal."""
    n, k = v.shape[-2:]
    below = v.tril(-1)
    tau = 2.0 / (1.0 + (below * below).sum(-2))
    unit = below + eye(n, k, dtype=v.dtype)
    out = eye(n, k, dtype=v.dtype)
    for i in range(k - 1, -1, -1):
        column = unit[..., i : i + 1]
        out = out - tau[..., i, None, None] * column @ (column.mT @ out)
    return out


def _orthogonalized(a: Array) -> Array:
    """Q of A = QR, the diagonal of R positive."""
    q, r = np.linalg.qr(a)
    return q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]


class _Orthogonal(Module):
    """Orthogonal matrices as a function of any: of skew-symmetric ones, or of reflections; times a fixed `base`."""

    base: Any

    def __init__(self, weight: Any, orthogonal_map: str, *, use_trivialization: bool = True) -> None:
        super().__init__()
        self.shape, self.orthogonal_map = weight.shape, orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Any) -> Any:
        wide = X.shape[-2] < X.shape[-1]
        X = X.mT if wide else X
        n, k = X.shape[-2:]
        if self.orthogonal_map == "householder":
            Q = _reflected(X) * X.diagonal(dim1=-2, dim2=-1).detach().trunc().unsqueeze(-2)
        else:
            X = X.tril()
            X = pad(X, (0, n - k)) if n != k else X
            A = X - X.mT
            if self.orthogonal_map == "matrix_exp":
                Q = _exponential(A)
            else:
                one = eye(n, dtype=A.dtype)
                Q = ops.inverse(one - A / 2) @ (one + A / 2)
            Q = Q[..., :k]
        if hasattr(self, "base"):
            Q = self.base @ Q
        return Q.mT if wide else Q

    def right_inverse(self, Q: Any) -> Any:
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {Q.shape}."
            )
        wide = Q.shape[-2] < Q.shape[-1]
        q = Q.array.swapaxes(-1, -2) if wide else Q.array
        n, k = q.shape[-2:]
        if not hasattr(self, "base"):
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                    "use_trivialization=False."
                )
            raw, tau = np.linalg.qr(q, mode="raw")  # (k, n): the transpose
            a = np.ascontiguousarray(raw.swapaxes(-1, -2))
            i = np.arange(k)
            a[..., i, i] = np.where(tau == 0, -1, 1) * np.sign(a[..., i, i])
            return wrap(np.ascontiguousarray(a.swapaxes(-1, -2)) if wide else a)
        if n != k:
            q = np.concatenate([q, randn(*q.shape[:-2], n, n - k, dtype=Q.dtype).array], -1)
        error = np.abs(q.swapaxes(-1, -2) @ q - np.eye(n)).max(initial=0.0)
        if n != k or error > 10.0 * n * np.finfo(q.dtype).eps:
            q = _orthogonalized(q)
        self.base = wrap(np.ascontiguousarray(q).copy())
        return wrap(np.broadcast_to(-np.eye(*Q.shape[-2:], dtype=q.dtype), Q.shape).copy())


def orthogonal(
    module: Any, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Any:
    """Keep a matrix orthogonal (columns of length 1 that stand upright on each other; rows, if it is wide).

    orthogonal_map: "matrix_exp" (default of square matrices) or "cayley" of a skew-symmetric one, or "householder",
    a product of reflections. use_trivialization: times a fixed matrix, which is the value set last. Source: Lezcano-Casado
    2019, "Trivializations for Gradient-Based Optimization on Manifolds".
    """
    weight = _tensor_of(module, name)
    if weight.dim() < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.dim()} dimensions.")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    made = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)
