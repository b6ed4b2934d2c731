"""Initial values of parameters, drawn from PyTorch's stream: the same seed gives the same weights. PyTorch: torch.nn.init."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import random, storage
from ..autograd.modes import no_grad
from ..creation import empty_like
from ..dtypes import element
from ..geometry import require_own_places
from ..random import Generator
from ..warn import warn as _warn

if TYPE_CHECKING:
    from ..tensor import Tensor


def calculate_gain(nonlinearity: str, param: Any = None) -> float:
    """The factor by which a nonlinearity shrinks the standard deviation of its input, undone by the weights before it."""
    gains = {"sigmoid": 1, "tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 3.0 / 4}
    linear = ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
    if nonlinearity in linear:
        return 1
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, int | float):
            raise ValueError(f"negative_slope {param} not a valid number")
        try:
            return math.sqrt(2.0 / (1 + slope**2))
        except OverflowError:
            raise OverflowError(
                f"calculate_gain(): the square of argument 'param', the slope {param}, must be a float"
            ) from None
    if nonlinearity not in gains:
        raise ValueError(
            f"Unsupported nonlinearity {nonlinearity}; known are {', '.join((*gains, 'leaky_relu', *linear))}"
        )
    return gains[nonlinearity]


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many inputs feed one output, and how many outputs one input feeds: weights (out, in, *kernel)."""
    shape = tensor.array.shape
    if len(shape) < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    kernel = math.prod(shape[2:])
    return shape[1] * kernel, shape[0] * kernel


def _even(fans: int) -> float:
    """√(2 / (fan_in + fan_out)). Errors: ZeroDivisionError for weights between nothing and nothing."""
    if not fans:
        raise ZeroDivisionError("argument 'tensor' must have an input or an output: its fan_in + fan_out is 0")
    return math.sqrt(2.0 / fans)


def _write(tensor: Tensor, values: Any) -> Tensor:
    tensor.array[...] = values
    storage.mark_written(tensor.array)
    return tensor


def _write_ones(tensor: Tensor, places: Iterable[tuple[int, ...]]) -> Tensor:
    """1 at these places, 0 elsewhere, one after the other: where elements share memory, a 1 stays."""
    _write(tensor, 0.0)
    for place in places:
        tensor.array[place] = 1
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform in [a, b)."""
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with the given mean and standard deviation."""
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Normal within [a, b], by rejection: of normal draws where enough of them lie inside, else of uniform ones."""
    if not (math.isfinite(mean) and math.isfinite(std)):
        raise ValueError(f"trunc_normal_: mean and std must be finite, got {mean} and {std}")
    if mean < a - 2 * std or mean > b + 2 * std:
        _warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be incorrect."
        )

    def below(x: float) -> float:
        return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0

    share = below((b - mean) / std) - below((a - mean) / std)  # of the values of a normal draw
    d = tensor.array.dtype
    low, high = d.type(element(a, d)), d.type(element(b, d))
    with no_grad():
        if share > 0.3:  # draw again what lies outside
            values = tensor.normal_(mean, std, generator=generator).array.copy()
            while (outside := (values < low) | (values > high)).any():
                values = np.where(outside, empty_like(tensor).normal_(mean, std, generator=generator).array, values)
            return _write(tensor, values)
        # Propose evenly in [a, b], and take each with the ratio of its density to the highest there.
        away = (max(a, min(mean, b)) - mean) / std
        if abs(away) > 1e154:
            raise OverflowError(
                f"trunc_normal_: the mean {mean} is so far from [{a}, {b}] that its density there is no float"
            )
        peak = -0.5 * away**2
        values = np.zeros_like(tensor.array)
        pending = np.ones(values.shape, bool)
        while pending.any():
            proposed = empty_like(tensor).uniform_(a, b, generator=generator)
            values = np.where(pending, proposed.array, values)
            log_density = -0.5 * ((proposed - mean) / std) ** 2 - peak
            accepted = empty_like(tensor).uniform_(generator=generator).log().array <= log_density.array
            pending &= ~accepted
        return _write(tensor, values)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Every element val."""
    number: Any = val
    return _write(tensor, element(number.item() if hasattr(val, "item") else val, tensor.array.dtype))


def ones_(tensor: Tensor) -> Tensor:
    """Every element 1."""
    return _write(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Every element 0."""
    return _write(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix."""
    if tensor.array.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return _write_ones(tensor, [(i, i) for i in range(min(tensor.array.shape))])


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A convolution that passes its input on: 1 in the middle of the kernel from channel i to channel i."""
    shape = tensor.array.shape
    if len(shape) not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if not groups:
        raise ZeroDivisionError("dirac_(): argument 'groups' must not be 0")
    if shape[0] % groups:
        raise ValueError("dim 0 must be divisible by groups")
    per_group = shape[0] // groups
    middle = tuple(n // 2 for n in shape[2:])
    if 0 in shape[2:] and 0 not in shape[:2]:
        raise IndexError(f"a kernel of size {list(shape[2:])} has no middle")
    diagonal = range(min(per_group, shape[1]))
    return _write_ones(tensor, [(g * per_group + i, i, *middle) for g in range(groups) for i in diagonal])


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform in ±gain √(6 / (fan_in + fan_out)): keeps the variance forwards and backwards. Glorot & Bengio 2010."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    std = gain * _even(fan_in + fan_out)
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with standard deviation gain √(2 / (fan_in + fan_out)). Glorot & Bengio 2010."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return normal_(tensor, 0.0, gain * _even(fan_in + fan_out), generator)


def _fan(tensor: Tensor, mode: str) -> int:
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return fan_in if mode.lower() == "fan_in" else fan_out


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    fan = _fan(tensor, mode)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Uniform in ±gain √(3 / fan): keeps the variance through rectifiers. He et al. 2015.

    a: the slope of the leaky rectifier that follows.
    """
    if 0 in tensor.array.shape:
        _warn("Initializing zero-element tensors is a no-op")
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Normal with standard deviation gain / √fan. He et al. 2015."""
    if 0 in tensor.array.shape:
        _warn("Initializing zero-element tensors is a no-op")
        return tensor
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """A (semi-)orthogonal matrix, from the QR decomposition of a normal one. Saxe et al. 2013."""
    shape = tensor.array.shape
    if len(shape) < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if 0 in shape:
        return tensor
    rows, columns = shape[0], math.prod(shape[1:])
    if tensor.array.dtype == np.float16:
        raise NotImplementedError("\"geqrf_cpu\" not implemented for 'Half'; draw in float32 and convert")
    require_own_places(tensor.array)
    flat = (generator or random.default_generator).normal((rows, columns), tensor.array.dtype)
    q, r = np.linalg.qr(flat.T if rows < columns else flat)
    q = q * np.sign(np.diagonal(r))
    return _write(tensor, (q.T if rows < columns else q).reshape(shape) * float(gain))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Normal, with a fraction `sparsity` of each column set to 0. Martens 2010.

    Which are 0 is drawn from the default generator, as in PyTorch, whatever `generator` is given for the others.
    """
    if tensor.array.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.array.shape
    if not math.isfinite(sparsity):
        error = ValueError if math.isnan(sparsity) else OverflowError
        raise error(
            f"sparse_(): argument 'sparsity' must be the fraction of each column that becomes 0, not {sparsity}"
        )
    zeros = math.ceil(sparsity * rows)
    normal_(tensor, 0.0, std, generator)
    for j in range(columns):
        tensor.array[random.default_generator.randperm(rows)[:zeros], j] = 0
    storage.mark_written(tensor.array)
    return tensor


def _by_old_name(fill: Callable[..., Any]) -> Callable[..., Any]:
    """The function without the underscore at its end, as PyTorch had it before 0.4; it warns."""
    old = fill.__name__.removesuffix("_")

    @functools.wraps(fill)
    def filled(*args: Any, **kwargs: Any) -> Any:
        _warn(f"`nn.init.{old}` is now deprecated in favor of `nn.init.{old}_`.", FutureWarning)
        return fill(*args, **kwargs)

    filled.__name__ = old
    return filled


for _fill in (
    uniform_, normal_, constant_, eye_, dirac_, xavier_uniform_, xavier_normal_, kaiming_uniform_, kaiming_normal_,
    orthogonal_, sparse_,
):  # fmt: skip
    globals()[_fill.__name__.removesuffix("_")] = _by_old_name(_fill)
