"""Activations made of pieces, most of them straight lines: relu and its kin.

Where two pieces meet (relu at 0, hardtanh at its ends, ...) there is no derivative; the value used there is PyTorch's and
is given with each.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.fused import Fused, size
from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, Variable, wrap
from ..autograd.whole_backward import WholeBackward, read_whole
from ..dtypes import constant, element
from ..public import public
from ..random import default_generator
from .checks import require_floating, require_tensor, type_name
from .choice import where
from .mask import choose, keep

if TYPE_CHECKING:
    from ..tensor import Tensor


class Relu(WholeBackward, Fused):
    """out = max(x, 0).  dx = grad where x > 0, else 0 (also at 0)

    Compiled form: kernels/elementwise.py.
    """

    compiled = "elementwise.Relu"
    serves_tensors = True

    @staticmethod
    def work(x: Array) -> int:
        return (size(x) + 7) // 8  # NumPy's loop is as good, but has one thread

    @staticmethod
    def same_bits(x: Array) -> bool:
        return x.flags.c_contiguous

    @staticmethod
    def definition(x: Any) -> Any:
        return where(x <= 0, 0, x)  # not `x > 0`: a nan stays, and lets its gradient through

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        out = np.maximum(constant(0, x.dtype), x)  # of two zeros the second: -0 stays
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return keep(grad, ~(out <= 0))


@public("minigrad", "functional")
def relu(input: Operand) -> Tensor:
    """max(input, 0). PyTorch: torch.nn.functional.relu."""
    if not isinstance(input, Variable):
        require_tensor(input, "relu")
    elif input.array.dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu; convert the tensor first")
    return Relu.apply(input)


@public("functional")
def relu6(input: Tensor) -> Tensor:
    """min(max(input, 0), 6). PyTorch: torch.nn.functional.relu6."""
    return hardtanh(input, 0.0, 6.0)


class Hardtanh(WholeBackward):
    """out = min(max(x, low), high).  dx = grad where low < x < high, else 0 (also at both ends)"""

    @staticmethod
    def forward(ctx: Any, x: Array, low: Any, high: Any) -> Array:
        ctx.save_for_backward(x)
        ctx.low, ctx.high = low, high
        return np.clip(x, low, high)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return keep(grad, ~((x <= ctx.low) | (x >= ctx.high))), None, None


@public("functional", fits="min_val max_val")
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """min(max(input, min_val), max_val). PyTorch: torch.nn.functional.hardtanh."""
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val, got {min_val} and {max_val}")
    require_tensor(input, "hardtanh")
    kind = input.array.dtype.kind
    if kind == "b":
        raise RuntimeError("Bool inputs not supported for hardtanh; convert the tensor first")
    if kind == "u" and min_val < 0:
        raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    if kind != "f":
        min_val, max_val = int(min_val), int(max_val)
    return Hardtanh.apply(input, min_val, max_val)


class LeakyRelu(WholeBackward):
    """out = x where x > 0, else slope · x.  dx = grad where x > 0, else slope · grad (also at 0)"""

    @staticmethod
    def forward(ctx: Any, x: Array, slope: float) -> Array:
        ctx.save_for_backward(x)
        ctx.slope = slope
        if 0 < slope <= 1:
            return np.maximum(x, x * slope)
        return choose(x > 0, x, x * slope)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return choose(x > 0, grad, grad * ctx.slope), None


@public("functional", fits="negative_slope")
def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """input where positive, else negative_slope · input. PyTorch: torch.nn.functional.leaky_relu."""
    require_floating(input, "leaky_relu", "leaky_relu_cpu")
    return LeakyRelu.apply(input, negative_slope)


@public("minigrad", "functional", fits="lower upper")
def rrelu(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Tensor:
    """leaky_relu whose slope is drawn from [lower, upper) for each element ≤ 0; without training, their mean.

    PyTorch: torch.nn.functional.rrelu. Source: Xu et al. 2015, "Empirical Evaluation of Rectified Activations".
    """
    require_floating(input, "rrelu")
    if not (math.isfinite(lower) and math.isfinite(upper)):
        raise RuntimeError(f"rrelu: both bounds must be finite, got {lower} and {upper}")
    if lower > upper:
        raise RuntimeError(f"Lower bound should be less than or equal to the upper bound, got {lower} and {upper}")
    lower, upper = element(lower, input.array.dtype), element(upper, input.array.dtype)
    if not training:
        return LeakyRelu.apply(input, element((lower + upper) / 2, input.array.dtype))
    x = input.array
    if x.dtype == np.float16:
        raise NotImplementedError(
            "\"rrelu_with_noise\" not implemented for 'Half'; convert the tensor with .float() first"
        )
    slopes = np.ones_like(x, order="C")
    negative = x <= 0  # the slopes are drawn for these alone, in order
    slopes[negative] = default_generator.uniform((int(np.count_nonzero(negative)),), np.float64, lower, upper)
    return read_whole(input) * wrap(slopes)


class PreluKernel(Operation):
    """out = x where x > 0, else w · x.  dx = grad where x > 0, else w · grad;  dw = 0 where x > 0, else x · grad"""

    @staticmethod
    def forward(ctx: Any, x: Array, w: Array) -> Array:
        ctx.save_for_backward(x, w)
        return choose(x > 0, x, w * x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, w = ctx.saved_tensors
        dx, dw = ctx.needs_input_grad
        positive = x > 0
        return choose(positive, grad, w * grad) if dx else None, keep(x * grad, ~(x >= 0)) if dw else None


@public("minigrad", "functional")
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """input where positive, else weight · input. weight: a scalar, (1,), or one value a channel (dimension 1).

    PyTorch: torch.nn.functional.prelu. Source: He et al. 2015, "Delving Deep into Rectifiers".
    """
    require_floating(input, "prelu")
    require_tensor(weight, "prelu", "weight", 2)
    x, w = input.array, weight.array
    if x.dtype != w.dtype:
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {type_name(x)} and {type_name(w)}; convert one of them"
        )
    if w.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {w.ndim}")
    if w.size != 1:
        channels = x.shape[1] if x.ndim > 1 else 1
        if w.size != channels:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{w.size} and channel size = {channels}."
            )
    return PreluKernel.apply(input, weight.reshape((1, -1) + (1,) * (x.ndim - 2) if x.ndim > 1 else (1,) * x.ndim))


class Threshold(WholeBackward):
    """out = x where x > threshold, else value.  dx = grad where x > threshold, else 0"""

    @staticmethod
    def forward(ctx: Any, x: Array, threshold: float, value: float) -> Array:
        ctx.save_for_backward(x)
        ctx.threshold = threshold
        if x.dtype.kind == "f":
            return choose(x <= threshold, float(value), x)
        return np.where(x <= threshold, x.dtype.type(value), x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return keep(grad, ~(x <= ctx.threshold)), None, None


@public("minigrad", "functional", fits="threshold value")
def threshold(input: Tensor, threshold: float, value: float) -> Tensor:
    """input where it is above threshold, else value. PyTorch: torch.nn.functional.threshold."""
    require_tensor(input, "threshold")
    if input.array.dtype.kind == "b":
        raise NotImplementedError("\"threshold_cpu\" not implemented for 'Bool'; convert the tensor first")
    return Threshold.apply(input, threshold, element(value, input.array.dtype))


class Hardshrink(WholeBackward):
    """out = x where |x| > lambd, else 0.  dx = grad where |x| > lambd, else 0"""

    @staticmethod
    def forward(ctx: Any, x: Array, lambd: float) -> Array:
        ctx.save_for_backward(x)
        ctx.lambd = lambd
        return keep(x, ~((x >= -lambd) & (x <= lambd)))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return keep(grad, ~((x >= -ctx.lambd) & (x <= ctx.lambd))), None


@public("minigrad", "functional", fits="lambd")
def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """input where |input| > lambd, else 0. PyTorch: torch.nn.functional.hardshrink."""
    require_floating(input, "hardshrink", "hardshrink_cpu")
    return Hardshrink.apply(input, lambd)


class Softshrink(WholeBackward):
    """out = x - lambd where x > lambd, x + lambd where x < -lambd, else 0.  dx = grad where |x| > lambd, else 0"""

    @staticmethod
    def forward(ctx: Any, x: Array, lambd: float) -> Array:
        ctx.save_for_backward(x)
        ctx.lambd = lambd
        return x - np.clip(x, -lambd, lambd)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return keep(grad, ~((x >= -ctx.lambd) & (x <= ctx.lambd))), None


@public("functional", fits="lambd")
def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """input moved by lambd towards 0, and 0 within lambd of it. PyTorch: torch.nn.functional.softshrink."""
    require_floating(input, "softshrink", "softshrink_check")
    if not 0 <= lambd <= float(np.finfo(input.array.dtype).max):
        raise RuntimeError(
            f"lambda must be in range [0, {np.finfo(input.array.dtype).max}] for input dtype {type_name(input)}, but found {lambd}"
        )
    return Softshrink.apply(input, lambd)


class Hardsigmoid(WholeBackward):
    """out = min(max(x + 3, 0), 6) / 6.  dx = grad / 6 where -3 < x < 3, else 0 (also at both ends)"""

    # PyTorch's backward keeps 1/6 as a float32, for float64 tensors too.
    SIXTH = float(np.float32(1 / 6))

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return np.clip(x + 3, 0, 6) / 6

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return keep(grad * Hardsigmoid.SIXTH, (x > -3) & (x < 3))


@public("functional")
def hardsigmoid(input: Tensor) -> Tensor:
    """relu6(input + 3) / 6. PyTorch: torch.nn.functional.hardsigmoid."""
    require_floating(input, "hardsigmoid", "hardsigmoid_cpu")
    return Hardsigmoid.apply(input)


class Hardswish(Operation):
    """out = x · min(max(x + 3, 0), 6) / 6.  dx = 0 where x ≤ -3, grad · (x / 3 + 1/2) where x < 3, grad elsewhere"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return x * np.clip(x + 3, 0, 6) / 6

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        slope = keep(choose(x < 3, x / 3 + 0.5, 1.0), ~(x <= -3))
        return keep(grad * slope, ~(x <= -3))


@public("functional")
def hardswish(input: Tensor) -> Tensor:
    """input · relu6(input + 3) / 6. PyTorch: torch.nn.functional.hardswish. Source: Howard et al. 2019, "MobileNetV3"."""
    require_floating(input, "hardswish", "hardswish_cpu")
    return Hardswish.apply(input)
