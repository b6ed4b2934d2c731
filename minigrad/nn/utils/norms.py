"""What the two forms of weight and spectral normalization compute."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...autograd.modes import no_grad
from .. import functional as F
from ..conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d


def norm_except_dim(v: Any, dim: int) -> Any:
    """The norm of v over all dimensions but `dim`, which stay as 1; over all for dim -1."""
    if dim == -1:
        return ops.norm(v)
    return ops.norm(v, 2, tuple(d for d in range(v.dim()) if d != dim % v.dim()), True)


def weight_of(v: Any, g: Any, dim: int) -> Any:
    """g · v / |v|"""
    return v * (g / norm_except_dim(v, dim))


def out_dim(module: Any) -> int:
    """The dimension of a weight that counts a layer's outputs."""
    return 1 if isinstance(module, ConvTranspose1d | ConvTranspose2d | ConvTranspose3d) else 0


def as_matrix(weight: Any, dim: int) -> Any:
    """The weight with `dim` first and all others in one."""
    return weight.movedim(dim, 0).flatten(1)


def towards(matrix: Any, x: Any, eps: float) -> Any:
    """matrix @ x, of length 1: one half of a step of the power method."""
    with no_grad():
        return F.normalize(ops.mv(matrix, x), dim=0, eps=eps)


def direction(like: Any, n: int, eps: float) -> Any:
    """A random vector of length 1, of the weight's dtype."""
    with no_grad():
        return F.normalize(like.new_empty(n).normal_(0, 1), dim=0, eps=eps)
