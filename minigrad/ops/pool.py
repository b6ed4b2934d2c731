"""Pooling: one value for each window."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..autograd.fused import Fused, size
from ..autograd.variable import Array, Operand, Variable, wrap
from ..public import public
from .along import gather
from .checks import type_name
from .matrix import matmul
from .pad import pad as pad_tensor
from .windows import IntOrInts, Ints, Key, Pairs, at, inside, pad_zeros, tuple_of

if TYPE_CHECKING:
    from ..tensor import Tensor


Target: TypeAlias = int | Sequence[int | None]  # an adaptive pool's output size; None keeps that of the input


def _out_sizes(spatial: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool) -> Ints:
    """How many windows; with ceil_mode also one that begins inside and ends beyond."""
    sizes = []
    for n, k, s, p, d in zip(spatial, kernel, stride, padding, dilation, strict=True):
        room = n + 2 * p - d * (k - 1) - 1
        out = (-(-room // s) if ceil_mode else room // s) + 1
        if ceil_mode and (out - 1) * s >= n + p:  # the last window must begin inside the input or its left padding
            out -= 1
        sizes.append(out)
    return tuple(sizes)


def _pads(spatial: Ints, out: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints) -> Pairs:
    """Padding such that exactly `out` windows fit."""
    return tuple(
        (p, max((o - 1) * s + d * (k - 1) + 1 - n - p, 0))
        for n, o, k, s, p, d in zip(spatial, out, kernel, stride, padding, dilation, strict=True)
    )


def _seen(x: Operand, out: Ints, kernel: Ints, stride: Ints, dilation: Ints) -> Operand:
    """The windows of a padded tensor, the elements of each in one last dimension: (.., *out, kernel)."""
    rank = len(kernel)
    key: list[Any] = [slice(None)] * (x.dim() - rank)
    for d, (o, k, s, dil) in enumerate(zip(out, kernel, stride, dilation, strict=True)):
        places = np.arange(o)[:, None] * s + np.arange(k) * dil
        shape = [1] * (2 * rank)
        shape[d], shape[rank + d] = places.shape
        key.append(wrap(places.reshape(shape)))
    return x[tuple(key)].flatten(-rank)


def max_windows(x: Array, kernel: Ints, stride: Ints, dilation: Ints, pads: Pairs, out: Ints) -> tuple[Array, Array]:
    """The largest of each window, and which of its elements that was (numbered in order). A nan wins.

    One pass over all windows at once for each element of the kernel, keeping the best so far.
    """
    low = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    x = pad_zeros(x, pads, low)
    lead = x.shape[: -len(kernel)]
    best = np.empty((*lead, *out), x.dtype)
    winner = np.zeros((*lead, *out), np.int16)
    for i, place in enumerate(itertools.product(*(range(k) for k in kernel))):
        candidate = x[at(place, out, stride, dilation)]
        if i == 0:
            best[...] = candidate
            continue
        better = candidate > best
        if x.dtype.kind == "f":
            better |= np.isnan(candidate) & ~np.isnan(best)
        np.copyto(best, candidate, where=better)
        winner[better] = i
    return best, winner


def spread_to_winner(
    grad: Array, winner: Array, shape: Ints, kernel: Ints, stride: Ints, dilation: Ints, pads: Pairs, out: Ints
) -> Array:
    """Zeros of `shape` with each window's gradient added at its winner."""
    rank = len(kernel)
    padded = (*shape[:-rank], *(n + lo + hi for n, (lo, hi) in zip(shape[-rank:], pads, strict=True)))
    total = np.zeros(padded, grad.dtype)
    for i, place in enumerate(itertools.product(*(range(k) for k in kernel))):
        total[at(place, out, stride, dilation)] += grad * (winner == i)
    return np.ascontiguousarray(total[inside(shape[-rank:], pads)])


def _winner_indices(
    winner: Array, shape: Ints, kernel: Ints, stride: Ints, dilation: Ints, pads: Pairs, out: Ints
) -> Array:
    """Each winner's index in the flattened spatial dimensions."""
    rank = len(kernel)
    index = np.zeros(winner.shape, np.int64)
    for d, offset in enumerate(np.unravel_index(winner.astype(np.int64), kernel)):
        start = (np.arange(out[d]) * stride[d] - pads[d][0]).reshape(-1, *(1,) * (rank - 1 - d))
        index = index * shape[d - rank] + start + offset * dilation[d]
    return index


def _check_rank(name: str, rank: int, x: Array) -> None:
    if x.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(f"{name}: Expected {rank + 1}D or {rank + 2}D input tensor, but got {list(x.shape)}")


def _geometry(
    name: str, rank: int, x: Array, kernel_size: IntOrInts, stride: IntOrInts | None, padding: IntOrInts, dilation: IntOrInts,
    ceil_mode: bool,
) -> tuple[Ints, Ints, Ints, Ints, Ints, Pairs]:  # fmt: skip
    """Kernel, stride, margins and dilation by dimension, how many windows there are, and the padding that holds them."""
    _check_rank(name, rank, x)
    kernel = tuple_of(kernel_size, rank, "kernel_size")
    steps = kernel if stride is None or stride in ((), []) else tuple_of(stride, rank, "stride")
    margins, dilations = tuple_of(padding, rank, "padding"), tuple_of(dilation, rank, "dilation")
    if min(kernel) <= 0:
        raise RuntimeError(f"kernel size should be greater than zero, but got kernel_size: {kernel}")
    if min(steps) <= 0:
        raise RuntimeError("stride should not be zero")
    if min(dilations) <= 0:
        raise RuntimeError(f"dilation should be greater than zero, but got dilation: {dilations}")
    if any(p < 0 for p in margins):
        raise RuntimeError(f"pad must be non-negative, but got pad: {margins}")
    if any(2 * p > k for p, k in zip(margins, kernel, strict=True)):
        raise RuntimeError(
            f"pad should be at most half of effective kernel size, but got pad={max(margins)}, kernel_size={min(kernel)} and dilation=1"
        )
    spatial = x.shape[-rank:]
    out = _out_sizes(spatial, kernel, steps, margins, dilations, ceil_mode)
    if min(out) < 1:
        raise RuntimeError(
            f"Given input size: {tuple(x.shape[1:])}. Calculated output size: {out}. Output size is too small"
        )
    return kernel, steps, margins, dilations, out, _pads(spatial, out, kernel, steps, margins, dilations)


class MaxPool(Fused):
    """out = the largest element of each window.  grad goes to it (to the first of several that are equal)

    Compiled form: kernels/pool.py.
    """

    grad_fn_name = "MaxPool2DWithIndicesBackward0"
    compiled = "pool.MaxPool"

    @staticmethod
    def definition(x: Operand, kernel: Ints, stride: Ints, dilation: Ints, pads: Pairs, out: Ints) -> Operand:
        x = pad_tensor(x, [p for pair in reversed(pads) for p in pair], value=-math.inf)
        return _seen(x, out, kernel, stride, dilation).max(-1).values

    @staticmethod
    def work(x: Array, *setting: Any) -> int:
        return size(x)

    @staticmethod
    def forward(ctx: Any, x: Array, kernel: Ints, stride: Ints, dilation: Ints, pads: Pairs, out: Ints) -> Array:
        ctx.setting = x.shape, kernel, stride, dilation, pads, out
        values, ctx.winner = max_windows(x, kernel, stride, dilation, pads, out)
        return values

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        return spread_to_winner(grad, ctx.winner, *ctx.setting), *(None,) * 5


@public("minigrad", "functional", floats="input")
def max_pool1d(
    input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0, dilation: IntOrInts = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest of each window of (N, C, L) or (C, L). PyTorch: torch.nn.functional.max_pool1d."""
    return _max_pool("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@public("minigrad", "functional")
def max_pool2d(
    input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0, dilation: IntOrInts = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest of each window of (N, C, H, W) or (C, H, W). PyTorch: torch.nn.functional.max_pool2d."""
    return _max_pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def _max_pool(
    name: str, rank: int, input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None, padding: IntOrInts, dilation: IntOrInts,
    ceil_mode: bool, return_indices: bool,
) -> Any:  # fmt: skip
    x = input.array
    if x.dtype.kind == "b":
        raise NotImplementedError(f"\"{name}\" not implemented for 'Bool'; convert the tensor with .float() first")
    kernel, steps, _, dilations, out, pads = _geometry(name, rank, x, kernel_size, stride, padding, dilation, ceil_mode)
    if not return_indices:
        return MaxPool.apply(input, kernel, steps, dilations, pads, out)
    _, winner = max_windows(x, kernel, steps, dilations, pads, out)
    indices = wrap(_winner_indices(winner, x.shape, kernel, steps, dilations, pads, out))
    flat = gather(input.flatten(-rank), -1, indices.flatten(-rank))
    return flat.reshape(indices.array.shape), indices


class AvgPool(Fused):
    """out = Σ of each window / divisor.  dx = grad / divisor, added up over the windows that an element lies in"""

    grad_fn_name = "AvgPool2DBackward0"

    @staticmethod
    def definition(x: Operand, kernel: Ints, stride: Ints, pads: Pairs, out: Ints, divisor: Array) -> Operand:
        x = pad_tensor(x, [p for pair in reversed(pads) for p in pair])
        return _seen(x, out, kernel, stride, (1,) * len(kernel)).sum(-1) / wrap(divisor.astype(x.array.dtype))

    @staticmethod
    def forward(ctx: Any, x: Array, kernel: Ints, stride: Ints, pads: Pairs, out: Ints, divisor: Array) -> Array:
        ctx.setting = x.shape, kernel, stride, pads, out, divisor
        padded = pad_zeros(x, pads)
        total = np.zeros((*x.shape[: -len(kernel)], *out), x.dtype)
        for place in itertools.product(*(range(k) for k in kernel)):
            total += padded[at(place, out, stride, (1,) * len(kernel))]
        if x.dtype.kind != "f":  # whole numbers are cut towards 0
            return np.trunc(total / divisor).astype(x.dtype)
        total /= divisor
        return total

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        shape, kernel, stride, pads, out, divisor = ctx.setting
        rank = len(kernel)
        share = (grad / divisor).astype(grad.dtype, copy=False)
        padded = (*shape[:-rank], *(n + lo + hi for n, (lo, hi) in zip(shape[-rank:], pads, strict=True)))
        total = np.zeros(padded, grad.dtype)
        for place in itertools.product(*(range(k) for k in kernel)):
            total[at(place, out, stride, (1,) * rank)] += share
        return np.ascontiguousarray(total[inside(shape[-rank:], pads)]), *(None,) * 5


@public("minigrad", "functional")
def avg_pool1d(
    input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """The mean of each window of (N, C, L) or (C, L). PyTorch: torch.nn.functional.avg_pool1d."""
    return _avg_pool("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


@public("functional")
def avg_pool2d(
    input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0, ceil_mode: bool = False, count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """The mean of each window of (N, C, H, W) or (C, H, W). PyTorch: torch.nn.functional.avg_pool2d."""
    return _avg_pool(
        "avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def _avg_pool(
    name: str, rank: int, input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None, padding: IntOrInts, ceil_mode: bool,
    count_include_pad: bool, divisor: int | None,
) -> Tensor:  # fmt: skip
    x = input.array
    if x.dtype.kind != "f" and x.dtype != np.int64:
        raise NotImplementedError(
            f"\"avg_pool2d\" not implemented for '{type_name(x)}'; convert the tensor with .float() first"
        )
    if divisor == 0:
        raise RuntimeError("divisor must be not zero")
    kernel, steps, margins, _, out, pads = _geometry(name, rank, x, kernel_size, stride, padding, 1, ceil_mode)
    if divisor:
        counts = np.asarray(float(divisor))
    else:
        counts = _divisor(x.shape[-rank:], kernel, steps, margins, out, count_include_pad)
    return AvgPool.apply(input, kernel, steps, pads, out, counts.astype(x.dtype))


def _divisor(spatial: Ints, kernel: Ints, stride: Ints, padding: Ints, out: Ints, count_include_pad: bool) -> Array:
    """How many elements each window counts, in the shape of the output."""
    counts: Any = np.ones(())
    for n, k, s, p, o in zip(spatial, kernel, stride, padding, out, strict=True):
        start = np.arange(o) * s - p
        end = np.minimum(start + k, n + p)
        along = end - start if count_include_pad else np.minimum(end, n) - np.maximum(start, 0)
        counts = counts[..., None] * along
    return counts


def _adaptive_weights(n: int, m: int) -> Array:
    """The matrix (m, n) of means: place i takes the mean from ⌊i n / m⌋ to ⌈(i + 1) n / m⌉."""
    weights = np.zeros((m, n))
    for i in range(m):
        start, end = i * n // m, -(-(i + 1) * n // m)
        weights[i, start:end] = 1 / (end - start)
    return weights


def _adaptive_target(name: str, rank: int, input: Tensor, output_size: Target) -> tuple[Ints, Ints]:
    """The spatial dimensions of the input, after checks, and those of the output."""
    if not isinstance(input, Variable):
        raise TypeError(f"{name}(): argument 'input' must be Tensor, not {type(input).__name__}")
    _check_rank(name, rank, input.array)
    sizes = (output_size,) * rank if isinstance(output_size, int) else tuple(output_size)
    spatial = input.array.shape[-rank:]
    if len(sizes) != rank:
        raise RuntimeError(f"{name}: output_size must be {rank}, got {list(sizes)}")
    if any(m is not None and m < 0 for m in sizes):
        raise RuntimeError(
            f"{name}: elements of output_size must be greater than or equal to 0 but received {list(sizes)}"
        )
    if any(m is not None and m >= 2**31 for m in sizes):
        raise RuntimeError(f"{name}: elements of output_size are too large: {list(sizes)}")
    if 0 in input.array.shape[-rank - 1 :]:
        raise RuntimeError(
            f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
            f"{list(input.array.shape)}"
        )
    return spatial, tuple(n if m is None else m for n, m in zip(spatial, sizes, strict=True))


def _adaptive(name: str, rank: int, input: Tensor, output_size: Target) -> Tensor:
    spatial, target = _adaptive_target(name, rank, input, output_size)
    if all(m == 1 for m in target):
        return input.mean(tuple(range(-rank, 0)), keepdim=True)
    for d, (n, m) in enumerate(zip(spatial, target, strict=True)):
        if n != m:
            weights = wrap(np.ascontiguousarray(_adaptive_weights(n, m).T.astype(input.array.dtype)))
            input = matmul(input.movedim(d - rank, -1), weights).movedim(-1, d - rank)
    return input


def _adaptive_max(name: str, rank: int, input: Tensor, output_size: Target, return_indices: bool) -> Any:
    """The largest of each of output_size windows, from ⌊i n / m⌋ to ⌈(i + 1) n / m⌉ in each dimension."""
    spatial, target = _adaptive_target(name, rank, input, output_size)
    bounds = [[(i * n // m, -(-(i + 1) * n // m)) for i in range(m)] for n, m in zip(spatial, target, strict=True)]
    flat = np.arange(math.prod(spatial)).reshape(spatial)
    every: Key = (...,)
    indices = np.empty((*input.array.shape[:-rank], *target), np.int64)
    for place in itertools.product(*(range(m) for m in target)):
        window: Key = tuple(slice(*bounds[d][i]) for d, i in enumerate(place))
        values = input.array[(*every, *window)]
        best = values.reshape(*values.shape[:-rank], math.prod(values.shape[-rank:])).argmax(-1)
        indices[(*every, *place)] = flat[window].ravel()[best]
    positions = wrap(indices.reshape(*indices.shape[:-rank], math.prod(target)))
    out = gather(input.flatten(-rank), -1, positions).reshape(indices.shape)
    return (out, wrap(indices)) if return_indices else out


@public("functional", floats="input")
def adaptive_max_pool1d(input: Tensor, output_size: Target, return_indices: bool = False) -> Any:
    """The largest of output_size windows that cover (N, C, L). PyTorch: torch.nn.functional.adaptive_max_pool1d."""
    return _adaptive_max("adaptive_max_pool1d", 1, input, output_size, return_indices)


@public("functional", floats="input")
def adaptive_max_pool2d(input: Tensor, output_size: Target, return_indices: bool = False) -> Any:
    """The largest of output_size windows that cover (N, C, H, W). PyTorch: torch.nn.functional.adaptive_max_pool2d."""
    return _adaptive_max("adaptive_max_pool2d", 2, input, output_size, return_indices)


@public("minigrad", "functional", floats="input")
def adaptive_avg_pool1d(input: Tensor, output_size: Target) -> Tensor:
    """Means over output_size windows that cover (N, C, L). PyTorch: torch.nn.functional.adaptive_avg_pool1d."""
    return _adaptive("adaptive_avg_pool1d", 1, input, output_size)


@public("functional", floats="input")
def adaptive_avg_pool2d(input: Tensor, output_size: Target) -> Tensor:
    """Means over output_size windows that cover (N, C, H, W). PyTorch: torch.nn.functional.adaptive_avg_pool2d."""
    return _adaptive("adaptive_avg_pool2d", 2, input, output_size)
