"""Lengths, distances and directions: norms of vectors, of differences of vectors, and angles between them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, Variable, wrap
from ..autograd.whole_backward import WholeBackward
from ..public import public
from ..sums import total
from .along import index_select
from .arithmetic import abs, sign
from .axes import Dims, axes_of, kept_shape
from .checks import require_tensor, type_name
from .choice import clamp, where
from .dims import normalize_dim
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
        if out.size == x.size:  # lengths of single numbers, also where their squares are too large or small
            out = np.abs(x).reshape(out.shape)
        ctx.save_for_backward(x, out)
        ctx.axes = axes
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, out = ctx.saved_tensors
        kept = kept_shape(tuple(x.shape), ctx.axes)
        out = out.reshape(kept)
        return grad.reshape(kept) * where(out == 0, 0.0, x / out), None, None


class _PNorm(Operation):
    """out = (Σ |x|ᵖ)^(1/p).  dx = grad · sign(x) |x|ᵖ⁻¹ / outᵖ⁻¹, 0 where out is 0"""

    grad_fn_name = "LinalgVectorNormBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, p: float, axes: tuple[int, ...], keepdim: bool) -> Array:
        out = np.asarray(np.power(total(np.power(np.abs(x), p), axes, keepdim), 1 / p))
        if out.size == x.size:
            out = np.abs(x).reshape(out.shape)
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


class MaxNorm(WholeBackward):
    """out = the largest (or smallest) |x|.  dx = grad · sign(x), shared evenly (or given to each) by the elements that reach it"""

    grad_fn_name = "LinalgVectorNormBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, axes: tuple[int, ...], keepdim: bool, largest: bool, shared: bool) -> Array:
        ufunc = np.maximum if largest else np.minimum
        out = np.asarray(ufunc.reduce(np.abs(x), axes, keepdims=keepdim))  # type: ignore[call-overload]  # its stubs know no bool
        ctx.axes, ctx.shape = axes, x.shape
        reached = np.abs(x) == out.reshape(kept_shape(x.shape, axes))  # none where there is nan
        count = np.maximum(reached.sum(axes, keepdims=True), 1) if shared else 1
        ctx.slope = np.asarray(np.where(reached, np.sign(x), 0.0) / count, x.dtype)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        slope = wrap(ctx.slope) if isinstance(grad, Variable) else ctx.slope
        return grad.reshape(kept_shape(ctx.shape, ctx.axes)) * slope, None, None, None, None


class Norm0(Operation):
    """out = how many x are not 0.  It has no gradient: None, not zeros, as in PyTorch"""

    grad_fn_name = "LinalgVectorNormBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, axes: tuple[int, ...], keepdim: bool) -> Array:
        return total(np.asarray(x != 0, x.dtype), axes, keepdim)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return None, None, None


def vector_norm(
    input: Tensor, p: float = 2, dim: Dims = None, keepdim: bool = False, dtype: dtypes.dtype | None = None
) -> Tensor:
    """The p-norm (Σ |x|ᵖ)^(1/p) over dim (all elements, if None); of matrices: matrix_norms.py."""
    require_tensor(input, "norm")
    input = in_type(input, dtype, "linalg.vector_norm")
    if isinstance(p, int):
        dtypes.scalar_numpy(p)  # OverflowError beyond 64 bits
    if input.array.dtype == np.float16:  # the powers may not fit where their root does
        return cast(vector_norm(cast(input, np.dtype(np.float32)), p, dim, keepdim), input.array.dtype)
    axes = axes_of(dim, input.array.ndim)
    if p == 2:
        return Norm2.apply(input, axes, keepdim)
    if p == 1:
        return sum(abs(input), axes, keepdim) if axes else abs(input)
    if p in (math.inf, -math.inf):
        return MaxNorm.apply(input, axes, keepdim, p > 0, True)
    if p == 0:
        return Norm0.apply(input, axes, keepdim)
    return _PNorm.apply(input, float(p), axes, keepdim)


def in_type(x: Any, d: dtypes.dtype | None, function: str) -> Any:
    """x in the type d, in which its norm is to be computed; RuntimeError unless both are floating and d is not the narrower one."""
    if x.array.dtype.kind != "f":
        raise RuntimeError(f"{function}: Expected a floating point or complex tensor as input. Got {type_name(x)}")
    if d is None:
        return x
    wanted = dtypes.to_numpy(d)
    if wanted.kind != "f":
        raise RuntimeError(f"{function}: dtype should be floating point or complex, but got {dtypes.cxx_name(wanted)}")
    if dtypes.promote_numpy(x.array.dtype, wanted) != wanted:
        raise RuntimeError(
            f"{function}: the dtype of the input ({type_name(x)}) should be convertible without narrowing to the specified "
            f"dtype ({dtypes.cxx_name(wanted)})"
        )
    return cast(x, wanted)


@public
def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of input - other. PyTorch: torch.dist."""
    return vector_norm(input - other, p)


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
    eps = float(dtypes.element(eps, np.promote_types(a.array.dtype, np.float32)))
    # Of two floating types each is divided by its length in its own, as in PyTorch; only whole numbers are converted before.
    a, b = (x if x.array.dtype.kind == "f" else y for x, y in ((x1, a), (x2, b)))
    parts = []
    for x in (a.expand(shape), b.expand(shape)):
        low = eps if eps <= float(np.finfo(x.array.dtype).max) else math.inf
        parts.append(x / at_least(vector_norm(x, 2, dim, True), low))
    return (parts[0] * parts[1]).sum(dim)


@public("minigrad", "functional")
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """|x1 - x2 + eps|ₚ along the last dimension. PyTorch: torch.nn.functional.pairwise_distance."""
    return vector_norm(x1 - x2 + eps, p, -1, keepdim)


@public("functional")
def normalize(input: Tensor, p: float = 2.0, dim: Dims = 1, eps: float = 1e-12) -> Tensor:
    """input / max(|input|ₚ, eps) along dim. PyTorch: torch.nn.functional.normalize."""
    length = vector_norm(input, p, dim, True)
    return input / clamp(length, min=float(dtypes.element(eps, length.array.dtype)))


class EuclideanDistances(Operation):
    """out[i, j] = √(|a_i|² - 2 a_i·b_j + |b_j|²), of the rows of a and b, by one product.

    With r = grad / out, 0 where out is 0:  da_i = a_i · Σ_j r_ij - Σ_j r_ij b_j,  db_j = b_j · Σ_i r_ij - Σ_i r_ij a_i
    """

    grad_fn_name = "EuclideanDistBackward0"

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        left = np.concatenate([-2 * a, np.vecdot(a, a)[..., None], np.ones_like(a[..., :1])], -1)
        right = np.concatenate([b, np.ones_like(b[..., :1]), np.vecdot(b, b)[..., None]], -1)
        out = left @ right.swapaxes(-1, -2)
        np.maximum(out, 0, out=out)
        np.sqrt(out, out=out)
        ctx.save_for_backward(a, b, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b, out = ctx.saved_tensors
        r = where(out == 0, 0.0, grad / where(out == 0, 1.0, out))
        turned = r.swapaxes(-1, -2)
        by_a = a * r.sum(-1)[..., None] - r @ b
        return by_a, b * turned.sum(-1)[..., None] - turned @ a


class FewDistances(Operation):
    """out[i, j] = √Σ (a_i - b_j)², of the rows of a and b, by their differences: the digits of rows close to each other stay.

    With r = grad / out, 0 where out is 0:  da_i = Σ_j r_ij (a_i - b_j),  db_j = -Σ_i r_ij (a_i - b_j)
    """

    grad_fn_name = "CdistBackward0"

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        apart = a[..., :, None, :] - b[..., None, :, :]
        out = np.sqrt(np.vecdot(apart, apart))
        ctx.save_for_backward(a, b, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b, out = ctx.saved_tensors
        r = where(out == 0, 0.0, grad / where(out == 0, 1.0, out))
        parts = r[..., None] * (a[..., :, None, :] - b[..., None, :, :])
        return parts.sum(-2), -parts.sum(-3)


@public(same="x1 x2", floats="x1 x2")
def cdist(
    x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str | None = "use_mm_for_euclid_dist_if_necessary"
) -> Tensor:
    """The p-norm distance of each row of x1 (.., n, d) to each of x2 (.., m, d): (.., n, m). PyTorch: torch.cdist.

    compute_mode: where p is 2, by a product of matrices, which loses digits where rows are close to each other, if there are more
    than 25 rows ("use_mm_for_euclid_dist_if_necessary"), always ("use_mm_for_euclid_dist") or never
    ("donot_use_mm_for_euclid_dist").
    """
    modes = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")
    if compute_mode is not None and compute_mode not in modes:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    a, b = x1.array, x2.array
    if a.ndim < 2 or b.ndim < 2:
        which, x = ("X1", a) if a.ndim < 2 else ("X2", b)
        raise RuntimeError(f"cdist only supports at least 2D tensors, {which} got: {x.ndim}D")
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {a.shape[-1]} X2: {b.shape[-1]}")
    if not p >= 0:
        raise RuntimeError("cdist only supports non-negative p values")
    many = a.shape[-2] > 25 or b.shape[-2] > 25
    by_product = p == 2 and a.shape[-1] and (compute_mode == modes[1] or (compute_mode in (None, modes[0]) and many))
    if a.dtype == np.float16 and not by_product and a.size and b.size:
        raise NotImplementedError("\"cdist\" not implemented for 'Half'; convert the tensors with .float() first")
    if by_product:
        return EuclideanDistances.apply(x1, x2)
    if p == 2 and a.size and b.size:
        return FewDistances.apply(x1, x2)
    return _distance(x1.unsqueeze(-2) - x2.unsqueeze(-3), p)


def _distance(difference: Operand, p: float) -> Any:
    """The p-norm along the last dimension, as `cdist` and `pdist` differentiate it: of several differences that are the
    largest each has the whole gradient, and how many are not 0 has gradients of 0. p is a number of the elements' type."""
    p = float(np.float64(p).astype(difference.array.dtype))
    if p == math.inf and difference.array.shape[-1]:
        return MaxNorm.apply(difference, (difference.array.ndim - 1,), False, True, False)
    if p == 0:
        return sum(where(difference == difference, abs(sign(difference)), 1.0), -1)
    return vector_norm(difference, p, -1)


@public("minigrad", "functional")
def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The distances of every two of n vectors, (n, m) to (n · (n - 1) / 2,): row 0 to 1, 0 to 2, ... PyTorch: torch.pdist."""
    if input.array.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.array.ndim}D")
    if input.array.dtype.kind != "f":
        raise RuntimeError(f"pdist only supports floating-point dtypes, got {input.dtype}")
    if input.array.dtype == np.float16:
        raise NotImplementedError("\"pdist\" not implemented for 'Half'; convert the tensor with .float() first")
    if not p >= 0:
        raise RuntimeError("pdist only supports non-negative p values")
    first, second = np.triu_indices(len(input.array), 1)
    difference = index_select(input, 0, wrap(first)) - index_select(input, 0, wrap(second))
    return _distance(difference, p)


@public
def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """input with the entries of dimension dim whose p-norm exceeds maxnorm scaled down to it. PyTorch: torch.renorm."""
    if not p > 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if not maxnorm >= 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if input.array.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.array.ndim} dimensions")
    dim = normalize_dim(dim, input.array.ndim)
    others = tuple(i for i in range(input.array.ndim) if i != dim)
    too_long = vector_norm(input.detach(), p, others, True) > maxnorm
    scaled = where(too_long, input, 0.0)  # what stays as it is, nan too, has no part in this
    return where(too_long, scaled * (maxnorm / (vector_norm(scaled, p, others, True) + 1e-7)), input)
