"""Activations: what stands between the layers of a network and makes it more than one matrix.

Where a function has a kink (relu at 0, hardtanh at its ends, ...) it has no derivative; the value used there is
PyTorch's and is given with each. `inplace=True` writes the result into the input's memory.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import inplace as _inplace
from .. import kernels
from ..autograd.fused import Fused
from ..autograd.graph import Operation
from ..autograd.variable import Array, Variable, wrap
from ..public import public
from ..random import default_generator
from .checks import require_floating, require_tensor, type_name
from .choice import where
from .dims import normalize_dim
from .exponential import exp, sigmoid
from .mask import choose, keep
from .special import erf
from .trigonometry import tanh

if TYPE_CHECKING:
    from ..tensor import Tensor


# -- relu and its kin: piecewise linear


class Relu(Operation):
    """out = max(x, 0).  dx = grad where x > 0, else 0 (also at 0)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.compiled = kernels.wanted(x, x.size // 8)  # NumPy's loop is as good, but has one thread
        if ctx.compiled:
            from ..kernels import elementwise

            out = elementwise.run(elementwise.relu, x)
        else:
            out = np.maximum(x, 0)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        if ctx.compiled and not isinstance(grad, Variable):
            from ..kernels import elementwise

            return elementwise.run(elementwise.relu_backward, out, grad)
        return keep(grad, ~(out <= 0))  # not `out > 0`: a nan lets its gradient through


class Hardtanh(Operation):
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


class LeakyRelu(Operation):
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
        return choose(positive, grad, w * grad) if dx else None, keep(x * grad, ~positive) if dw else None


class Threshold(Operation):
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


class Hardshrink(Operation):
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


class Softshrink(Operation):
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


class Hardsigmoid(Operation):
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


class Hardswish(Operation):
    """out = x · min(max(x + 3, 0), 6) / 6.  dx = 0 where x ≤ -3, grad · (x / 3 + 1/2) where x < 3, grad elsewhere"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return x * np.clip(x + 3, 0, 6) / 6

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return keep(choose(x < 3, grad * (x / 3 + 0.5), grad), ~(x <= -3))


@public("minigrad", "functional")
def relu(input: Any, inplace: bool = False) -> Tensor:
    """max(input, 0). PyTorch: torch.nn.functional.relu."""
    if inplace:
        return relu_(input)
    require_tensor(input, "relu")
    if isinstance(input, Variable) and input.array.dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu; convert the tensor first")
    return Relu.apply(input)


@public("functional")
def relu6(input: Any, inplace: bool = False) -> Tensor:
    """min(max(input, 0), 6). PyTorch: torch.nn.functional.relu6."""
    return hardtanh(input, 0.0, 6.0, inplace)


@public("functional")
def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """min(max(input, min_val), max_val). PyTorch: torch.nn.functional.hardtanh."""
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val, got {min_val} and {max_val}")
    if inplace:
        return hardtanh_(input, min_val, max_val)
    require_tensor(input, "hardtanh")
    kind = input.array.dtype.kind
    if kind == "b":
        raise RuntimeError("Bool inputs not supported for hardtanh; convert the tensor first")
    if kind != "f":
        min_val, max_val = int(min_val), int(max_val)
    return Hardtanh.apply(input, min_val, max_val)


@public("functional")
def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """input where positive, else negative_slope · input. PyTorch: torch.nn.functional.leaky_relu."""
    if inplace:
        return leaky_relu_(input, negative_slope)
    require_floating(input, "leaky_relu", "leaky_relu_cpu")
    return LeakyRelu.apply(input, negative_slope)


@public("minigrad", "functional")
def prelu(input: Any, weight: Any) -> Tensor:
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


@public("minigrad", "functional")
def rrelu(
    input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """leaky_relu whose slope is drawn from [lower, upper) for each element ≤ 0; without training, their mean.

    PyTorch: torch.nn.functional.rrelu. Source: Xu et al. 2015, "Empirical Evaluation of Rectified Activations".
    """
    if inplace:
        return rrelu_(input, lower, upper, training)
    require_floating(input, "rrelu")
    if lower > upper:
        raise RuntimeError(f"Lower bound should be less than or equal to the upper bound, got {lower} and {upper}")
    if not training:
        return LeakyRelu.apply(input, (lower + upper) / 2)
    x = input.array
    slopes = np.ones_like(x, order="C")
    negative = x <= 0  # the slopes are drawn for these alone, in order
    slopes[negative] = default_generator.uniform((np.count_nonzero(negative),), np.float64, lower, upper)
    return input * wrap(slopes)


@public("minigrad", "functional")
def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """input where it is above threshold, else value. PyTorch: torch.nn.functional.threshold."""
    if inplace:
        return threshold_(input, threshold, value)
    require_tensor(input, "threshold")
    if input.array.dtype.kind == "b":
        raise NotImplementedError("\"threshold_cpu\" not implemented for 'Bool'; convert the tensor first")
    return Threshold.apply(input, threshold, value)


@public("minigrad", "functional")
def hardshrink(input: Any, lambd: float = 0.5) -> Tensor:
    """input where |input| > lambd, else 0. PyTorch: torch.nn.functional.hardshrink."""
    require_floating(input, "hardshrink", "hardshrink_cpu")
    return Hardshrink.apply(input, lambd)


@public("functional")
def softshrink(input: Any, lambd: float = 0.5) -> Tensor:
    """input moved by lambd towards 0, and 0 within lambd of it. PyTorch: torch.nn.functional.softshrink."""
    require_floating(input, "softshrink", "softshrink_check")
    if not lambd >= 0:
        raise RuntimeError(f"lambda must be in range [0, inf) for input dtype {type_name(input)}, but found {lambd}")
    return Softshrink.apply(input, lambd)


@public("functional")
def hardsigmoid(input: Any, inplace: bool = False) -> Tensor:
    """relu6(input + 3) / 6. PyTorch: torch.nn.functional.hardsigmoid."""
    if inplace:
        return _hardsigmoid_(input)
    require_floating(input, "hardsigmoid", "hardsigmoid_cpu")
    return Hardsigmoid.apply(input)


@public("functional")
def hardswish(input: Any, inplace: bool = False) -> Tensor:
    """input · relu6(input + 3) / 6. PyTorch: torch.nn.functional.hardswish. Source: Howard et al. 2019, "MobileNetV3"."""
    if inplace:
        return _hardswish_(input)
    require_floating(input, "hardswish", "hardswish_cpu")
    return Hardswish.apply(input)


# -- the exponential linear units


class Elu(Operation):
    """out = scale · x where x > 0, else scale · alpha · (e^(k·x) - 1)

    dx = grad · scale where x > 0, else grad · scale · alpha · k · e^(k·x) (also at 0)
    """

    @staticmethod
    def forward(ctx: Any, x: Array, alpha: float, scale: float, k: float) -> Array:
        ctx.save_for_backward(x)
        ctx.constants = alpha, scale, k
        out = np.asarray(np.minimum(x, 0))
        out *= k
        np.expm1(out, out=out)
        out *= alpha * scale
        positive = np.maximum(x, 0)
        positive *= scale
        out += positive  # one of the two is 0
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        alpha, scale, k = ctx.constants
        slope = exp(keep(x, x < 0) * k) * (alpha * scale * k)  # e^(k·x) alone would overflow where x > 0
        return grad * choose(x <= 0, slope, float(scale)), None, None, None


class Celu(Elu):
    """Elu with k = 1/alpha: its slope is continuous at 0"""


SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


@public("functional")
def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """input where positive, else alpha · (eˣ - 1). PyTorch: torch.nn.functional.elu. Source: Clevert et al. 2015."""
    if inplace:
        return elu_(input, alpha)
    require_floating(input, "elu", "elu_cpu")
    return Elu.apply(input, alpha, 1.0, 1.0)


@public("minigrad", "functional")
def selu(input: Any, inplace: bool = False) -> Tensor:
    """scale · elu(input, alpha) with the constants that keep mean 0 and variance 1 from layer to layer.

    PyTorch: torch.nn.functional.selu. Source: Klambauer et al. 2017, "Self-Normalizing Neural Networks".
    """
    if inplace:
        return selu_(input)
    require_floating(input, "selu", "elu_cpu")
    return Elu.apply(input, SELU_ALPHA, SELU_SCALE, 1.0)


@public("minigrad", "functional")
def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """input where positive, else alpha · (e^(x / alpha) - 1). PyTorch: torch.nn.functional.celu. Source: Barron 2017."""
    if inplace:
        return celu_(input, alpha)
    require_floating(input, "celu", "elu_cpu")
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return Celu.apply(input, alpha, 1.0, 1.0 / alpha)


# -- smooth ones


class Gelu(Fused):
    """out = x · Φ(x), Φ the distribution function of the normal distribution.  dx = grad · (Φ(x) + x · φ(x))

    φ = Φ' is the normal density. approximate="tanh" puts (1 + tanh u) / 2, u = √(2/π) · (x + 0.044715 x³), for Φ.
    """

    ROOT = math.sqrt(2 / math.pi)
    CUBE = 0.044715

    @staticmethod
    def definition(x: Any, approximate: str) -> Any:
        if approximate == "tanh":
            return 0.5 * x * (1 + tanh(Gelu.ROOT * (x + Gelu.CUBE * (x * x * x))))
        return 0.5 * x * (1 + erf(x * math.sqrt(0.5)))

    @staticmethod
    def forward(ctx: Any, x: Array, approximate: str) -> Array:
        ctx.approximate = approximate
        if x.dtype == np.float32 and kernels.wanted(x):
            from ..kernels import elementwise

            ctx.save_for_backward(x, None)
            return elementwise.run(elementwise.gelu_tanh if approximate == "tanh" else elementwise.gelu, x)
        if approximate == "tanh":
            curve = np.asarray(x * x)
            curve *= Gelu.ROOT * Gelu.CUBE
            curve += Gelu.ROOT
            curve *= x
            np.tanh(curve, out=curve)
        else:
            curve = np.asarray(erf(x * math.sqrt(0.5)))
        ctx.save_for_backward(x, curve)  # Φ = (1 + curve) / 2
        out = np.asarray(curve + 1)
        out *= x
        out *= 0.5
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, curve = ctx.saved_tensors
        if curve is None:
            from ..kernels import elementwise

            tanh_form = ctx.approximate == "tanh"
            loop = elementwise.gelu_tanh_backward if tanh_form else elementwise.gelu_backward
            return elementwise.run(loop, x, grad), None
        slope = np.asarray(x * x)
        if ctx.approximate == "tanh":  # φ = (1 - tanh² u) · u' / 2
            slope *= 1.5 * Gelu.ROOT * Gelu.CUBE
            slope += 0.5 * Gelu.ROOT
            slope *= 1 - curve * curve
        else:
            slope *= -0.5
            np.exp(slope, out=slope)
            slope *= math.sqrt(0.5 / math.pi)
        slope *= x
        slope += 0.5 * curve + 0.5
        slope *= grad
        return slope, None


class Silu(Operation):
    """out = x · σ(x).  dx = grad · σ(x) · (1 + x · (1 - σ(x)))"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return x * sigmoid(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        s = sigmoid(x)
        return grad * (s * (1 + x * (1 - s)))


class Mish(Operation):
    """out = x · tanh(s), s = ln(1 + eˣ).  dx = grad · (tanh(s) + x · (1 - tanh²(s)) · σ(x))"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return x * np.tanh(Softplus.values(x))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        t = tanh(softplus(x))
        return grad * (t + x * (1 - t * t) * sigmoid(x))


class Softplus(Operation):
    """out = ln(1 + e^(beta·x)) / beta, or x where beta · x > threshold.  dx = grad · σ(beta · x), or grad there"""

    @staticmethod
    def values(x: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
        z = x * beta
        out = np.log1p(np.exp(np.minimum(z, threshold))) / beta
        return choose(z > threshold, x, out)

    @staticmethod
    def forward(ctx: Any, x: Array, beta: float, threshold: float) -> Array:
        ctx.save_for_backward(x)
        ctx.beta, ctx.threshold = beta, threshold
        return Softplus.values(x, beta, threshold)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        z = x * ctx.beta
        slope = sigmoid(z)
        if isinstance(slope, Variable):  # the second derivative is PyTorch's at the threshold itself: 0
            slope = where(z < ctx.threshold, slope, slope.detach())
        return choose(z > ctx.threshold, grad, grad * slope), None, None


class LogSigmoid(Operation):
    """out = ln σ(x) = min(x, 0) - ln(1 + e^(-|x|)).  dx = grad · σ(-x)"""

    @staticmethod
    def values(x: Array) -> Array:
        return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return LogSigmoid.values(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * sigmoid(-x)


class Glu(Fused):
    """out = a · σ(b), a and b the halves of x along a dimension.  da = grad · σ(b), db = grad · a · σ(b) · (1 - σ(b))"""

    @staticmethod
    def definition(x: Any, dim: int) -> Any:
        half = x.shape[dim] // 2
        return x.narrow(dim, 0, half) * sigmoid(x.narrow(dim, half, half))

    @staticmethod
    def halves(x: Array, dim: int) -> tuple[Array, Array]:
        half = x.shape[dim] // 2
        before = (slice(None),) * dim
        return x[(*before, slice(half))], x[(*before, slice(half, None))]

    @staticmethod
    def forward(ctx: Any, x: Array, dim: int) -> Array:
        a, b = Glu.halves(x, dim)
        gate = sigmoid(b)
        ctx.save_for_backward(x, gate)
        ctx.dim = dim
        return a * gate

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, gate = ctx.saved_tensors
        a, _ = Glu.halves(x, ctx.dim)
        dx = np.empty(x.shape, x.dtype)
        da, db = Glu.halves(dx, ctx.dim)
        np.multiply(grad, gate, out=da)
        np.subtract(1, gate, out=db)
        db *= da
        db *= a
        return dx, None


@public("functional")
def gelu(input: Any, approximate: str = "none") -> Tensor:
    """input · Φ(input), the Gaussian error linear unit; approximate: "none" (exact) or "tanh".

    PyTorch: torch.nn.functional.gelu. Source: Hendrycks and Gimpel 2016, "Gaussian Error Linear Units".
    """
    require_floating(input, "gelu", "GeluKernelImpl")
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"approximate argument must be either none or tanh, got {approximate!r}")
    return Gelu.apply(input, approximate)


@public("functional")
def silu(input: Any, inplace: bool = False) -> Tensor:
    """input · σ(input), also called swish. PyTorch: torch.nn.functional.silu. Source: Elfwing et al. 2017."""
    if inplace:
        return _silu_(input)
    require_floating(input, "silu", "silu_cpu")
    return Silu.apply(input)


@public("functional")
def mish(input: Any, inplace: bool = False) -> Tensor:
    """input · tanh(softplus(input)). PyTorch: torch.nn.functional.mish. Source: Misra 2019."""
    if inplace:
        return _mish_(input)
    require_floating(input, "mish", "mish_cpu")
    return Mish.apply(input)


@public("functional")
def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """ln(1 + e^(beta·x)) / beta, a smooth relu; linear where beta · x > threshold. PyTorch: torch.nn.functional.softplus."""
    require_floating(input, "softplus", "softplus_cpu")
    return Softplus.apply(input, beta, threshold)


@public("functional")
def logsigmoid(input: Any) -> Tensor:
    """ln σ(input). PyTorch: torch.nn.functional.logsigmoid."""
    require_floating(input, "log_sigmoid", "log_sigmoid_cpu")
    return LogSigmoid.apply(input)


@public("functional")
def softsign(input: Any) -> Tensor:
    """input / (1 + |input|). PyTorch: torch.nn.functional.softsign."""
    return input / (input.abs() + 1)


@public("functional")
def tanhshrink(input: Any) -> Tensor:
    """input - tanh(input). PyTorch: torch.nn.functional.tanhshrink."""
    return input - tanh(input)


@public("functional")
def glu(input: Any, dim: int = -1) -> Tensor:
    """a · σ(b), a and b the first and second half of input along dim. Source: Dauphin et al. 2016.

    PyTorch: torch.nn.functional.glu.
    """
    require_floating(input, "glu", "glu_cpu")
    if input.array.ndim == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    dim = normalize_dim(dim, input.array.ndim)
    n = input.array.shape[dim]
    if n % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {n}")
    return Glu.apply(input, dim)


def _twin(function: Any) -> Any:
    @functools.wraps(function)
    def in_place(*args: Any, **kwargs: Any) -> Any:
        return _inplace.of(function)(*args, **kwargs)

    in_place.__name__ = function.__name__ + "_"
    in_place.__doc__ = f"In place: {function.__doc__}"
    return in_place


relu_, celu_, rrelu_, selu_, threshold_ = (
    public("minigrad", "functional")(_twin(f)) for f in (relu, celu, rrelu, selu, threshold)
)
hardtanh_, leaky_relu_, elu_ = (public("functional")(_twin(f)) for f in (hardtanh, leaky_relu, elu))
_silu_, _mish_, _hardsigmoid_, _hardswish_ = (_twin(f) for f in (silu, mish, hardsigmoid, hardswish))
