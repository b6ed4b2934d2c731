"""Normalization of channels: batch norm, by what a batch or the running statistics say, and instance norm. See norm.py."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import storage
from ..autograd.fused import Fused, size
from ..autograd.variable import Array, Operand, wrap
from ..autograd.whole_backward import WholeBackward
from ..geometry import require_own_places
from ..public import public
from ..quiet import quiet
from .checks import require_floating
from .dims import normalize_dim
from .norm import Normalize, as_float16, as_float32, in_half, parameter_dtypes, scale_and_shift, standardize
from .power import sqrt

if TYPE_CHECKING:
    from ..tensor import Tensor


class Moments:
    """What batch norm found in its input: mean and variance, of shape (C,) or with the other dimensions as 1."""

    mean: Array
    var: Array


class NativeBatchNorm(WholeBackward, Fused):
    """Normalize over all dimensions but the channels (dimension 1), or all but channels and samples; w and b by channel

    moments: gets the mean and the variance, for running statistics.
    Compiled form, over all dimensions but the channels: kernels/channels.py.
    """

    compiled = "channels.NativeBatchNorm"

    @staticmethod
    def work(x: Array, w: Array | None, b: Array | None, axes: tuple[int, ...], eps: float, moments: Moments) -> int:
        return size(x) if x.ndim > 2 and len(axes) == x.ndim - 1 else 0

    @staticmethod
    def definition(x: Any, w: Any, b: Any, axes: tuple[int, ...], eps: float, moments: Moments) -> Any:
        mean = x.mean(axes, True)
        centered = x - mean
        var = (centered * centered).mean(axes, True)
        moments.mean, moments.var = mean.array, var.array
        return scale_and_shift(centered / sqrt(var + eps), by_channel(w, x.ndim), by_channel(b, x.ndim))

    @staticmethod
    def forward(
        ctx: Any, x: Array, w: Array | None, b: Array | None, axes: tuple[int, ...], eps: float, moments: Moments
    ) -> Array:
        normalized, scale, moments.mean, moments.var = standardize(x, axes, eps)
        return Normalize.finish(ctx, normalized, scale, by_channel(w, x.ndim), by_channel(b, x.ndim), axes)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        dx, dw, db, *_ = Normalize.backward(ctx, grad)
        dw, db = (None if d is None else d.squeeze(ctx.axes) for d in (dw, db))
        return dx, dw, db, None, None, None


class NormalizeBy(WholeBackward, Fused):
    """out = (x - mean) / √(var + eps) · w + b with a given mean and variance: batch norm after training

    dx = grad · w / √(var + eps),  dw = grad · (x - mean) / √(var + eps),  db = grad
    """

    grad_fn_name = "NativeBatchNormBackward0"

    @staticmethod
    def definition(x: Any, w: Any, b: Any, mean: Array, var: Array, eps: float) -> Any:
        return scale_and_shift((x - wrap(mean)) / sqrt(wrap(var) + eps), w, b)

    @staticmethod
    def forward(ctx: Any, x: Array, w: Array | None, b: Array | None, mean: Array, var: Array, eps: float) -> Array:
        scale = 1 / np.sqrt(var + eps)
        ctx.save_for_backward(x, w, mean, scale)
        if w is not None:
            scale = scale * w
        out = x * scale
        out += (0 if b is None else b) - mean * scale
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, w, mean, scale = ctx.saved_tensors
        to_x, to_w, to_b, *_ = ctx.needs_input_grad
        dx = grad * (scale if w is None else scale * w) if to_x else None
        dw = grad * ((x - mean) * scale) if to_w else None
        return dx, dw, grad if to_b else None, None, None, None


@public("functional")
@quiet
def batch_norm(
    input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None,
    bias: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Normalize each channel (dimension 1): in training by the batch's mean and variance, else by the running ones.

    In training the running statistics, where given, move towards the batch's by `momentum` (the variance with n - 1 as
    its divisor). PyTorch: torch.nn.functional.batch_norm. Source: Ioffe and Szegedy 2015, "Batch Normalization".
    """
    require_floating(input, "batch_norm")
    x = input.array
    if training and x.ndim < 2:
        normalize_dim(1, x.ndim)  # IndexError: there is no dimension of channels
    if training and math.prod(x.shape[:1] + x.shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {input.shape}")
    if training and eps <= 0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if eps < 0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    return _batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def _batch_norm(
    input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None,
    bias: Tensor | None, training: bool, momentum: float, eps: float,
) -> Tensor:  # fmt: skip
    """The same of any eps: what PyTorch's instance norm asks for where it takes the running statistics."""
    x = input.array
    channels = x.shape[1] if x.ndim > 1 else 0
    if not isinstance(momentum, float | int):
        raise TypeError(f"batch_norm(): argument 'momentum' (position 7) must be float, not {type(momentum).__name__}")
    if not training:
        for name, running in (("running_mean", running_mean), ("running_var", running_var)):
            if running is None:
                raise RuntimeError(f"{name} must be defined in evaluation mode")
    else:
        _both_or_neither(running_mean, running_var)
    _check_channels(channels, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if in_half(input, running_mean, running_var, weight, bias):
        statistics = [as_float32(running) for running in (running_mean, running_var)]
        mean32, var32 = statistics
        out = _batch_norm(
            as_float32(input), mean32, var32, as_float32(weight), as_float32(bias), training, momentum, eps
        )
        _keep(statistics, running_mean, running_var)
        return as_float16(out)
    parameter_dtypes(input, running_mean, running_var, weight, bias)
    if not training:
        assert running_mean is not None  # see above
        assert running_var is not None
        mean, var = _as_they_are(running_mean, x.ndim), _as_they_are(running_var, x.ndim)
        return NormalizeBy.apply(input, by_channel(weight, x.ndim), by_channel(bias, x.ndim), mean, var, eps)
    moments = Moments()
    out = NativeBatchNorm.apply(input, weight, bias, (0, *range(2, x.ndim)), eps, moments)
    if running_mean is not None and running_var is not None and x.size:
        n = x.size // channels
        _update_running(running_mean, running_var, momentum, moments.mean, moments.var * (n / (n - 1)))
    return out


def _as_they_are(running: Tensor, ndim: int) -> Array:
    """Running statistics, to be used as constants. A copy: a later forward pass in training will move them."""
    return by_channel(running.array, ndim).copy()


def _check_channels(count: int, **vectors: Any) -> None:
    for name, x in vectors.items():
        if x is not None and x.array.size != count:
            raise RuntimeError(f"{name} should contain {count} elements not {x.array.size}")


def _both_or_neither(running_mean: Tensor | None, running_var: Tensor | None) -> None:
    if (running_mean is None) != (running_var is None):
        raise ValueError("running_mean and running_var must either both be None or neither be None")


def _keep(statistics: list[Any], *running: Tensor | None) -> None:
    """Running statistics in float16 take the values that were computed in float32."""
    for kept in running:
        if kept is not None:
            require_own_places(kept.array)
    for computed, kept in zip(statistics, running, strict=True):
        if kept is not None and computed is not kept:
            kept.array[...] = computed.array
            storage.mark_written(kept.array)


def _update_running(running_mean: Tensor, running_var: Tensor, momentum: float, mean: Array, var: Array) -> None:
    """running = (1 - momentum) · running + momentum · new, in place.

    RuntimeError where several channels are one number in memory, of which PyTorch keeps what it happens to write last.
    """
    require_own_places(running_mean.array)
    require_own_places(running_var.array)
    for running, new in ((running_mean, mean), (running_var, var)):
        array = running.array
        array *= 1 - momentum
        array += (momentum * new).reshape(array.shape)
        storage.mark_written(array)


@public("functional")
@quiet
def instance_norm(
    input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None, weight: Tensor | None = None,
    bias: Tensor | None = None, use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Normalize each channel of each sample over its positions (or, without use_input_stats, by the running statistics).

    PyTorch: torch.nn.functional.instance_norm. Source: Ulyanov et al. 2016, "Instance Normalization".
    """
    require_floating(input, "instance_norm", "batch_norm")
    x = input.array
    positions = math.prod(x.shape[2:])
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
        return _batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    _both_or_neither(running_mean, running_var)
    if positions == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {input.shape}")
    n, channels = x.shape[:2]
    if weight is not None and not n:
        raise IndexError(
            "instance_norm: a batch of no samples has no first one, for which weight and bias are repeated"
        )
    vectors = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    for name, v in vectors.items():
        if v is not None and v.array.size != channels:
            raise RuntimeError(f"{name} should contain {n * channels} elements not {n * v.array.size}")
    if in_half(input, *vectors.values()):
        statistics = [as_float32(running) for running in (running_mean, running_var)]
        out = instance_norm(
            as_float32(input), *statistics, as_float32(weight), as_float32(bias), use_input_stats, momentum, eps
        )
        _keep(statistics, running_mean, running_var)
        return as_float16(out)
    parameter_dtypes(input, *vectors.values())
    moments = Moments()
    out = NativeBatchNorm.apply(input, weight, bias, tuple(range(2, x.ndim)), eps, moments)
    if running_mean is not None and running_var is not None and x.size:
        unbiased = moments.var * (positions / (positions - 1))
        _update_running(running_mean, running_var, momentum, moments.mean.mean(0), unbiased.mean(0))
    return out


def by_channel(parameter: Operand | None, ndim: int) -> Any:
    """(C,) as (C, 1, ..), so that it broadcasts over the channels of (N, C, ..)."""
    return None if parameter is None else parameter.reshape((-1,) + (1,) * (ndim - 2))
