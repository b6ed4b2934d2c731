"""Normalization: activations are shifted and scaled to mean 0 and variance 1, then by what the network learns.

The four norms differ only in over what the mean and the variance are taken. For x of shape (N, C, H, W):

    batch norm      over N, H, W: one mean a channel
    layer norm      over the last dimensions, as many as normalized_shape has: one mean a sample or token
    group norm      over the channels of a group and H, W: one mean a sample and group
    instance norm   over H, W: one mean a sample and channel
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.fused import Fused, size
from ..autograd.variable import Array, Operand, Variable, wrap
from ..autograd.whole_backward import WholeBackward
from ..public import public
from ..sums import total
from ..warn import warn
from .checks import require_floating, type_name
from .join import cat
from .operands import cast
from .power import sqrt
from .shape import forget_base

if TYPE_CHECKING:
    from ..tensor import Tensor


def _sum(x: Array, axes: tuple[int, ...]) -> Array:
    """The sum over axes, which stay as dimensions of 1."""
    return total(x, axes, True)


def _sum_product(a: Array, b: Array, axes: tuple[int, ...]) -> Array:
    """The sum of a · b over axes, which stay as dimensions of 1. What reaches to the last axis costs no temporary."""
    first = a.ndim
    while first - 1 in axes:
        first -= 1
    if first == a.ndim:
        return _sum(a * b, axes)
    lead = a.shape[:first]
    flat = (*lead, math.prod(a.shape[first:]))
    sums = np.vecdot(a.reshape(flat), b.reshape(flat)).reshape(lead + (1,) * (a.ndim - first))
    rest = tuple(i for i in axes if i < first)
    return _sum(sums, rest) if rest else sums


def _count(x: Array, axes: tuple[int, ...]) -> int:
    """How many elements each sum over axes has."""
    return math.prod(x.shape[i] for i in axes)


def standardize(x: Array, axes: tuple[int, ...], eps: float) -> tuple[Array, Array, Array, Array]:
    """x̂ = (x - mean) · scale, scale = 1 / √(var + eps), mean and var over axes, which stay as dimensions of 1."""
    count = _count(x, axes)
    mean = _sum(x, axes) / count
    normalized = x - mean
    rest = _sum(normalized, axes) / count  # what the mean's rounding left: of equal numbers x̂ is to be 0
    normalized -= rest
    mean = mean + np.where(np.isfinite(rest), rest, x.dtype.type(0))  # an infinite mean stays
    var = _sum_product(normalized, normalized, axes) / count
    scale = 1 / np.sqrt(var + eps)
    normalized *= scale
    return normalized, scale, mean, var


def _varies(w: Array | None, ndim: int, axes: tuple[int, ...]) -> bool:
    """Whether a parameter that broadcasts to ndim dimensions has several values along axes."""
    return w is not None and any(axis >= ndim - w.ndim and w.shape[axis - ndim] != 1 for axis in axes)


def in_half(input: Tensor, *parameters: Any) -> bool:
    """Whether the input is float16 and all parameters are too, or all float32: such layers compute in float32, as sums of
    squares would not fit."""
    if input.array.dtype != np.float16:
        return False
    types = {x.array.dtype for x in parameters if x is not None}
    return len(types) < 2 and types <= {np.dtype(np.float16), np.dtype(np.float32)}


def as_float32(x: Any) -> Any:
    """A float16 tensor as float32; None stays."""
    return None if x is None else cast(x, np.dtype(np.float32))


def as_float16(x: Any) -> Any:
    """And back."""
    return cast(x, np.dtype(np.float16))


def parameter_dtypes(input: Tensor, *parameters: Any) -> None:
    for x in parameters:
        if x is not None and x.array.dtype != input.array.dtype:
            raise RuntimeError(
                f"mixed dtype (CPU): expect parameter to have scalar type of {type_name(input)}, got {type_name(x)}"
            )


def _last_axes(function: str, kernel: str, input: Tensor, normalized_shape: Any, **parameters: Any) -> tuple[int, ...]:
    """The last dimensions of input, which have to be `normalized_shape`; the parameters too."""
    if hasattr(normalized_shape, "__index__"):
        raise TypeError(f"{function}(): argument 'normalized_shape' (position 2) must be tuple of ints, not int")
    require_floating(input, function, kernel)
    wanted, given = tuple(normalized_shape), input.array.shape
    if not wanted:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    for name, x in parameters.items():
        if x is not None and x.array.shape != wanted:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {list(x.shape)} and "
                f"normalized_shape = {list(wanted)}"
            )
    if given[-len(wanted) :] != wanted:
        raise RuntimeError(
            f"Given normalized_shape={list(wanted)}, expected input with shape [*, {', '.join(map(str, wanted))}], but "
            f"got input of size{list(given)}"
        )
    return tuple(range(len(given) - len(wanted), len(given)))


class Normalize(Fused):
    """out = x̂ · w + b,  x̂ = (x - mean) / √(var + eps), mean and variance over `axes`; w and b broadcast

    With h = grad · w, both means again over `axes`:
    dx = (h - mean(h) - x̂ · mean(h · x̂)) / √(var + eps),  dw = grad · x̂,  db = grad.
    The two means are taken away because x̂ does not change with a shift of x, nor with a change of its scale.
    """

    @staticmethod
    def definition(x: Any, w: Any, b: Any, axes: tuple[int, ...], eps: float) -> Any:
        centered = x - x.mean(axes, True)
        var = (centered * centered).mean(axes, True)
        return scale_and_shift(centered / sqrt(var + eps), w, b)

    @staticmethod
    def forward(ctx: Any, x: Array, w: Array | None, b: Array | None, axes: tuple[int, ...], eps: float) -> Array:
        normalized, scale, _, var = standardize(x, axes, eps)
        normalized += var - var  # nan where the variance is infinite
        return Normalize.finish(ctx, normalized, scale, w, b, axes)

    @staticmethod
    def finish(ctx: Any, normalized: Array, scale: Array, w: Any, b: Any, axes: tuple[int, ...]) -> Array:
        """From x̂ to the output, and what `backward` needs."""
        ctx.save_for_backward(normalized, scale, w)
        ctx.axes, ctx.by_element = axes, _varies(w if w is not None else b, normalized.ndim, axes)
        out = normalized.copy() if w is None else normalized * w
        if b is not None:
            out += b
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        normalized, scale, w = ctx.saved_tensors
        axes = ctx.axes
        to_x, to_w, to_b, *_ = ctx.needs_input_grad
        dx = dw = db = None
        if ctx.by_element:
            dw, db = grad * normalized if to_w else None, grad
            if to_x:
                grad = grad if w is None else grad * w
        if to_x or not ctx.by_element:
            count = _count(grad, axes)
            sum_h, sum_hx = _sum(grad, axes), _sum_product(grad, normalized, axes)
            if not ctx.by_element:  # w is one number within each sum: it may wait, and the sums serve dw and db too
                dw, db = sum_hx, sum_h
                scale = scale if w is None else scale * w
        if to_x:
            dx = normalized * (sum_hx / count)
            dx += sum_h / count
            np.subtract(grad, dx, out=dx)
            dx *= scale
        return dx, dw if to_w else None, db if to_b else None, None, None


def scale_and_shift(normalized: Operand, w: Operand | None, b: Operand | None) -> Any:
    """x̂ · w + b, where each may be missing."""
    out = normalized if w is None else normalized * w
    return out if b is None else out + b


class NativeLayerNorm(WholeBackward, Normalize):
    """Normalize over the last dimensions

    Compiled form: kernels/rows.py.
    """

    compiled = "rows.NativeLayerNorm"

    @staticmethod
    def work(x: Array, w: Array | None, b: Array | None, axes: tuple[int, ...], eps: float) -> int:
        return size(x)


@public("minigrad", "functional")
def layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Normalize over the last dimensions, which are `normalized_shape`; weight and bias have that shape.

    PyTorch: torch.nn.functional.layer_norm. Source: Ba et al. 2016, "Layer Normalization".
    """
    axes = _last_axes("layer_norm", "LayerNormKernelImpl", input, normalized_shape, weight=weight, bias=bias)
    if in_half(input, weight, bias):
        return as_float16(layer_norm(as_float32(input), normalized_shape, as_float32(weight), as_float32(bias), eps))
    parameter_dtypes(input, weight, bias)
    return NativeLayerNorm.apply(input, weight, bias, axes, eps)


class NativeGroupNorm(Normalize):
    """Normalize over a group's channels and positions"""


@public("minigrad", "functional")
def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Normalize each sample over groups of channels (dimension 1) and all positions; weight and bias by channel.

    PyTorch: torch.nn.functional.group_norm. Source: Wu and He 2018, "Group Normalization".
    """
    require_floating(input, "group_norm", "GroupNormKernelImpl")
    shape = input.array.shape
    if len(shape) < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    n, channels = shape[:2]
    if num_groups == 0:
        raise ZeroDivisionError("group_norm: num_groups must be at least 1, got 0")
    if n * channels // num_groups * math.prod(shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {list(shape)}")
    if channels % num_groups:
        raise RuntimeError(
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape {list(shape)} and "
            f"num_groups={num_groups}"
        )
    for name, x in (("weight", weight), ("bias", bias)):
        if x is not None and x.array.shape != (channels,):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of shape "
                f"{list(x.shape)} and input of shape {list(shape)}"
            )
    if in_half(input, weight, bias):
        return as_float16(group_norm(as_float32(input), num_groups, as_float32(weight), as_float32(bias), eps))
    parameter_dtypes(input, weight, bias)
    grouped = (num_groups, channels // num_groups)
    w, b = (None if x is None else x.reshape((*grouped, 1)) for x in (weight, bias))
    x = input.reshape((n, *grouped, math.prod(shape[2:])))
    return forget_base(NativeGroupNorm.apply(x, w, b, (2, 3), eps).reshape(shape))


class RmsNorm(Fused):
    """out = x̂ · w,  x̂ = x / √(mean(x²) + eps) over `axes`.  With h = grad · w:  dx = (h - x̂ · mean(h · x̂)) / √(mean(x²) + eps)"""

    @staticmethod
    def definition(x: Any, w: Any, axes: tuple[int, ...], eps: float) -> Any:
        out = x / sqrt((x * x).mean(axes, True) + eps)
        return out if w is None else out * w

    @staticmethod
    def forward(ctx: Any, x: Array, w: Array | None, axes: tuple[int, ...], eps: float) -> Array:
        scale = 1 / np.sqrt(_sum_product(x, x, axes) / _count(x, axes) + eps)
        normalized = x * scale
        ctx.save_for_backward(normalized, scale, w)
        ctx.axes = axes
        return normalized.copy() if w is None else normalized * w

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        normalized, scale, w = ctx.saved_tensors
        to_x, to_w, _, _ = ctx.needs_input_grad
        dx = None
        if to_x:
            dx = grad.copy() if w is None else grad * w
            dx -= normalized * (_sum_product(dx, normalized, ctx.axes) / _count(dx, ctx.axes))
            dx *= scale
        return dx, grad * normalized if to_w else None, None, None


@public("minigrad", "functional")
def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """input / √(mean(input²) + eps) · weight over the last dimensions, which are `normalized_shape`.

    eps None: the machine epsilon of the dtype. PyTorch: torch.nn.functional.rms_norm. Source: Zhang and Sennrich 2019.
    """
    if isinstance(input, Variable) and not input.array.ndim:
        raise ValueError("Input tensor must have at least 1 dimensions, but got 0")
    axes = _last_axes("rms_norm", "rms_norm", input, normalized_shape, weight=weight)
    d = input.array.dtype
    smallest = float(np.finfo(d).eps) if eps is None else eps
    if weight is not None and weight.array.dtype != d:  # which PyTorch takes here, and only here
        warn(
            f"Mismatch dtype between input and weight: input dtype = {type_name(input)}, weight dtype = {type_name(weight)}, "
            "Cannot dispatch to fused implementation."
        )
        if in_half(input, weight):
            input = cast(input, weight.array.dtype)
        return cast(RmsNorm.apply(input, None, axes, smallest) * weight, d)
    if in_half(input, weight):
        return as_float16(RmsNorm.apply(as_float32(input), as_float32(weight), axes, smallest))
    return RmsNorm.apply(input, weight, axes, smallest)


@public("functional")
def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """input / (k + alpha · mean of input² over `size` neighbouring channels)^beta; zeros beyond the first and last.

    PyTorch: torch.nn.functional.local_response_norm. Source: Krizhevsky et al. 2012 (AlexNet).
    """
    shape = input.shape
    if size <= 0:
        raise RuntimeError(f"kernel size should be greater than zero, but got size: {size}")
    if len(shape) < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {len(shape)} dimensions)")
    if input.numel() == 0:
        return input

    def edge(n: int) -> Tensor:
        return wrap(np.zeros((shape[0], n, *shape[2:]), input.array.dtype))

    if input.array.dtype.kind != "f" and input.array.dtype != np.int64:
        raise NotImplementedError(
            f"\"avg_pool2d\" not implemented for '{type_name(input)}'; convert the tensor with .float() first"
        )
    squares = cat([edge(size // 2), input * input, edge((size - 1) // 2)], 1)
    total = squares.narrow(1, 0, shape[1])
    for i in range(1, size):
        total = total + squares.narrow(1, i, shape[1])
    return input / (total * (alpha / size) + k) ** beta
