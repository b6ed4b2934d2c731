"""Lengths, distances and directions: norms of vectors, of differences of vectors, and angles between them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand
from ..public import public
from ..sums import total
from .arithmetic import abs, sign
from .axes import Dims, axes_of, kept_shape
from .checks import require_tensor, type_name
from .choice import clamp, where
from .dims import normalize_dim
from .extremes import Extreme
from .operands import broadcast_error, cast, promote
from .reduce import sum

if TYPE_CHECKING:
    from ..tensor import Tensor


class Norm2(Operation):
    """out = √Σ x².  dx = grad · x / out, 0 where out is 0"""

    grad_fn_name = "LinalgVectorNormBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, axes: tuple[int, ...], keepdim: bool) -> Array:
        out = np.asarray(np.sqrt(total(x * x, axes, keepdim)))
        ctx.save_for_backward(x, out)
        ctx.axes = axes
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, out = ctx.saved_tensors
        kept = kept_shape(tuple(x.shape), ctx.axes)
        out = out.reshape(kept)
        return grad.reshape(kept) * (x * where(out == 0, 0.0, 1 / out)), None, None


class _PNorm(Operation):
    """out = (Σ |x|ᵖ)^(1/p).  dx = grad · sign(x) |x|ᵖ⁻¹ / outᵖ⁻¹, 0 where out is 0"""

    grad_fn_name = "LinalgVectorNormBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, p: float, axes: tuple[int, ...], keepdim: bool) -> Array:
        out = np.asarray(np.power(total(np.power(np.abs(x), p), axes, keepdim), 1 / p))
        ctx.save_for_backward(x, out)
        ctx.p, ctx.axes = p, axes
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, out = ctx.saved_tensors
        p, kept = ctx.p, kept_shape(tuple(x.shape), ctx.axes)
        out, grad = out.reshape(kept), grad.reshape(kept)
        if p < 1:  # |x|ᵖ⁻¹ is infinite at 0, where PyTorch takes 0
            slope = where(x == 0, 0.0, sign(x) * abs(x) ** (p - 1))
            return slope * (grad * out ** (1 - p)), None, None, None
        scale = where(out == 0, 0.0, grad / out ** (p - 1))
        return sign(x) * abs(x) ** (p - 1) * scale, None, None, None


@public
def norm(
    input: Tensor, p: float | str | None = "fro", dim: Dims = None, keepdim: bool = False,
    dtype: dtypes.dtype | None = None,
) -> Tensor:  # fmt: skip
    """The p-norm (Σ |x|ᵖ)^(1/p) over dim (all elements, if None); "fro" is 2. PyTorch: torch.norm."""
    require_tensor(input, "norm")
    if dtype is not None:
        input = cast(input, dtypes.to_numpy(dtype))
    if input.array.dtype.kind != "f":
        raise RuntimeError(
            f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {input.dtype}"
        )
    if p is None or p == "fro":
        p = 2
    if isinstance(p, str):
        raise NotImplementedError(f"norm: p={p!r} is not supported; give a number, inf, -inf or 'fro'")
    axes = axes_of(dim, input.array.ndim)
    if p == 2:
        return Norm2.apply(input, axes, keepdim)
    if p == 1:
        return sum(abs(input), axes, keepdim) if axes else abs(input)
    if p == math.inf:
        return Extreme.apply(abs(input), axes, keepdim, True)
    if p == -math.inf:
        return Extreme.apply(abs(input), axes, keepdim, False)
    if p == 0:
        return sum(where(input != 0, input * 0.0 + 1.0, input * 0.0), axes, keepdim)
    return _PNorm.apply(input, float(p), axes, keepdim)


@public
def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of input - other. PyTorch: torch.dist."""
    return norm(input - other, p)


class AtLeast(Operation):
    """out = max(x, low).  dx = grad, below low too: PyTorch clamps a copy without recording it"""

    @staticmethod
    def forward(ctx: Any, x: Array, low: float) -> Array:
        return np.maximum(x, low)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad, None


def at_least(x: Operand, low: float) -> Any:
    """x held at low or above, with the gradient of x."""
    return AtLeast.apply(x, low)


@public("minigrad", "functional")
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Σ x1 · x2 / (|x1| · |x2|) along dim; a length below eps counts as eps. PyTorch: torch.nn.functional.cosine_similarity."""
    if not eps >= 0:
        raise RuntimeError(f"cosine_similarity(): eps must be non-negative, got: {eps}")
    a, b = promote(x1, x2)
    if a.array.dtype.kind != "f":
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {type_name(a)}")
    try:
        shape = np.broadcast_shapes(a.array.shape, b.array.shape)
    except ValueError:
        raise broadcast_error(a, b) from None
    dim = normalize_dim(dim, len(shape))
    a, b = a.expand(shape), b.expand(shape)
    length_a = at_least(norm(a, 2, dim, True), eps)
    length_b = at_least(norm(b, 2, dim, True), eps)
    return ((a / length_a) * (b / length_b)).sum(dim)


@public("minigrad", "functional")
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """|x1 - x2 + eps|ₚ along the last dimension. PyTorch: torch.nn.functional.pairwise_distance."""
    return norm(x1 - x2 + eps, p, -1, keepdim)


@public("functional")
def normalize(input: Tensor, p: float = 2.0, dim: Dims = 1, eps: float = 1e-12, out: Any = None) -> Tensor:
    """input / max(|input|ₚ, eps) along dim. PyTorch: torch.nn.functional.normalize."""
    if out is not None:
        raise NotImplementedError("normalize: out= is not supported; assign the result instead")
    return input / clamp(norm(input, p, dim, True), min=eps)


@public(same="x1 x2", floats="x1 x2")
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0) -> Tensor:
    """The p-norm distance of each row of x1 (.., n, d) to each of x2 (.., m, d): (.., n, m). PyTorch: torch.cdist."""
    for name, x in (("X1", x1), ("X2", x2)):
        if x.array.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.array.ndim}D")
    if x1.array.shape[-1] != x2.array.shape[-1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {x1.array.shape[-1]} X2: {x2.array.shape[-1]}"
        )
    if not p >= 0:
        raise RuntimeError(f"cdist only supports non-negative p values, got {p}")
    return norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p, -1)
