"""Pooling: one value for each window."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.fused import Fused, size
from ..autograd.variable import Array, Operand, wrap
from ..autograd.whole_backward import WholeBackward, read_whole
from ..public import public
from .along import gather
from .at import flat_key
from .checks import require_floating, type_name
from .operands import array_of, cast
from .pad import pad as pad_tensor
from .windows import IntOrInts, Ints, Pairs, at, inside, pad_zeros, tuple_of

if TYPE_CHECKING:
    from ..tensor import Tensor


MOST = 1 << 15  # elements of a window that int16 can number


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


def _within_reach(
    spatial: Ints, out: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints
) -> tuple[Ints, Pairs]:
    """The kernel without the elements that lie beside the input in every window, and the padding that holds such windows.

    Of a kernel of 100 over 4 elements those are nearly all, and each would cost a pass over the windows, and padding.
    """
    kernels, paddings = [], []
    for n, o, k, s, p, d in zip(spatial, out, kernel, stride, padding, dilation, strict=True):
        before = max((p - (o - 1) * s) // d, 0)  # of the last window, which begins furthest to the right
        kernels.append(min(k, (n + p - 1) // d + 1) - before)  # (the first window ends furthest to the left)
        paddings.append(p - before * d)
    return tuple(kernels), _pads(spatial, out, tuple(kernels), stride, tuple(paddings), dilation)


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
    """The largest of each window, and which of its elements that was (numbered in order). The last nan wins.

    One pass over all windows at once for each element of the kernel, keeping the best so far.
    """
    low = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    shape = x.shape[-len(kernel) :]
    x = pad_zeros(x, pads, low)
    lead = x.shape[: -len(kernel)]
    best = np.empty((*lead, *out), x.dtype)
    winner = np.zeros((*lead, *out), np.int16 if math.prod(kernel) <= MOST else np.int64)
    for i, place in enumerate(itertools.product(*(range(k) for k in kernel))):
        candidate = x[at(place, out, stride, dilation)]
        if i == 0:
            best[...] = candidate
            continue
        better = candidate > best
        if x.dtype.kind == "f":
            better |= np.isnan(candidate)
        np.copyto(best, candidate, where=better)
        winner[better] = i
    lost = best == low if any(map(any, pads)) else best[:0]
    if lost.any():  # nothing was better than the padding: then the first element that is none
        there = pad_zeros(np.ones(shape, bool), pads)
        first = np.zeros(out, np.int16)
        for i, place in reversed(list(enumerate(itertools.product(*(range(k) for k in kernel))))):
            first[there[at(place, out, stride, dilation)]] = i
        np.copyto(winner, first, where=lost)
    return best, winner


def spread_to_winner(
    grad: Array, winner: Array, shape: Ints, kernel: Ints, stride: Ints, dilation: Ints, pads: Pairs, out: Ints
) -> Array:
    """Zeros of `shape` with each window's gradient added at its winner, one window after the other."""
    lead, spatial = shape[: -len(kernel)], shape[-len(kernel) :]
    padded = tuple(n + lo + hi for n, (lo, hi) in zip(spatial, pads, strict=True))
    total = np.zeros((*lead, *padded), grad.dtype)
    index = _flat_grid(kernel, dilation, padded).reshape(-1)[winner].reshape(-1, *out)
    index += _flat_grid(out, stride, padded)
    index += np.arange(0, total.size, math.prod(padded)).reshape(-1, *(1,) * len(out))
    np.add.at(total.reshape(-1), index.reshape(-1), np.ascontiguousarray(grad).reshape(-1))
    return np.ascontiguousarray(total[inside(spatial, pads)])


def _flat_grid(counts: Ints, steps: Ints, shape: Ints) -> Array:
    """Where in the flattened array of `shape` the places lie that are so many, and so far apart, along each dimension."""
    return flat_key(np.ix_(*(np.arange(n) * s for n, s in zip(counts, steps, strict=True))), shape)


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


def check_rank(name: str, rank: int, x: Array) -> None:
    if x.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(f"{name}: Expected {rank + 1}D or {rank + 2}D input tensor, but got {list(x.shape)}")


def check_filled(name: str, dims: int, x: Array) -> None:
    """The last dims must not be empty; the batch may be."""
    if 0 in x.shape[-dims:]:
        raise RuntimeError(
            f"{name}(): Expected input's non-batch dimensions to have positive length, but input has a shape of {list(x.shape)}"
        )


def _geometry(
    name: str, rank: int, x: Array, kernel_size: IntOrInts, stride: IntOrInts | None, padding: IntOrInts, dilation: IntOrInts,
    ceil_mode: bool,
) -> tuple[Ints, Ints, Ints, Ints, Ints]:  # fmt: skip
    """Kernel, stride, margins and dilation by dimension, and how many windows there are."""
    check_rank(name, rank, x)
    check_filled(name, rank + 1, x)
    kernel = tuple_of(kernel_size, rank, "kernel_size")
    steps = kernel if stride is None or stride in ((), []) else tuple_of(stride, rank, "stride")
    margins, dilations = tuple_of(padding, rank, "padding"), tuple_of(dilation, rank, "dilation")
    if max(map(abs, (*kernel, *steps, *margins, *dilations))) >= 2**31:
        raise RuntimeError(
            f"value cannot be converted to type int without overflow: kernel_size={kernel}, stride={steps}, padding={margins}, "
            f"dilation={dilations}"
        )
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
    return kernel, steps, margins, dilations, out


class MaxPool(WholeBackward, Fused):
    """out = the largest element of each window.  grad goes to it (to the first of several that are equal)

    Compiled form: kernels/pool.py.
    """

    grad_fn_name = "MaxPool2DWithIndicesBackward0"
    compiled = "pool.MaxPool"

    @staticmethod
    def definition(x: Operand, kernel: Ints, stride: Ints, dilation: Ints, pads: Pairs, out: Ints) -> Operand:
        _, winner = max_windows(array_of(x), kernel, stride, dilation, pads, out)
        x = pad_tensor(x, [p for pair in reversed(pads) for p in pair], value=-math.inf)
        return _seen(x, out, kernel, stride, dilation).gather(-1, wrap(winner[..., None].astype(np.int64))).squeeze(-1)

    @staticmethod
    def work(x: Array, kernel: Ints, *setting: Any) -> int:
        return size(x) if len(kernel) <= 2 and math.prod(kernel) <= MOST else 0

    @staticmethod
    def same_bits(*inputs: Any) -> bool:
        """Also where windows overlap: both add an element's gradients in the order of the windows."""
        return True

    @staticmethod
    def forward(ctx: Any, x: Array, kernel: Ints, stride: Ints, dilation: Ints, pads: Pairs, out: Ints) -> Array:
        ctx.setting = x.shape, kernel, stride, dilation, pads, out
        values, ctx.winner = max_windows(x, kernel, stride, dilation, pads, out)
        return values

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        return spread_to_winner(grad, ctx.winner, *ctx.setting), *(None,) * 5


@public("minigrad", "functional")
def max_pool1d(
    input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0, dilation: IntOrInts = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest of each window of (N, C, L) or (C, L). PyTorch: torch.nn.functional.max_pool1d."""
    if not return_indices:  # with indices PyTorch takes whole numbers too
        require_floating(input, "max_pool1d")
    return _max_pool("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@public("minigrad", "functional")
def max_pool2d(
    input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0, dilation: IntOrInts = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest of each window of (N, C, H, W) or (C, H, W). PyTorch: torch.nn.functional.max_pool2d."""
    return _max_pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@public("functional")
def max_pool3d(
    input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0, dilation: IntOrInts = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest of each window of (N, C, D, H, W) or (C, D, H, W). PyTorch: torch.nn.functional.max_pool3d."""
    return _max_pool("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def _max_pool(
    name: str, rank: int, input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None, padding: IntOrInts, dilation: IntOrInts,
    ceil_mode: bool, return_indices: bool,
) -> Any:  # fmt: skip
    x = input.array
    if x.dtype.kind == "b":
        raise NotImplementedError(f"\"{name}\" not implemented for 'Bool'; convert the tensor with .float() first")
    kernel, steps, margins, dilations, out = _geometry(name, rank, x, kernel_size, stride, padding, dilation, ceil_mode)
    kernel, pads = _within_reach(x.shape[-rank:], out, kernel, steps, margins, dilations)
    if not return_indices:
        return MaxPool.apply(input, kernel, steps, dilations, pads, out)
    _, winner = max_windows(x, kernel, steps, dilations, pads, out)
    indices = wrap(_winner_indices(winner, x.shape, kernel, steps, dilations, pads, out))
    flat = gather(read_whole(input).flatten(-rank), -1, indices.flatten(-rank))
    return flat.reshape(indices.array.shape), indices


class AvgPool(WholeBackward, Fused):
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


@public("functional")
def avg_pool3d(
    input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0, ceil_mode: bool = False, count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W). PyTorch: torch.nn.functional.avg_pool3d."""
    return _avg_pool(
        "avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
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
    if rank == 3 and x.dtype == np.float16:
        raise NotImplementedError(
            "\"avg_pool3d_out_frame\" not implemented for 'Half'; convert the tensor with .float() first"
        )
    if rank == 2 and x.ndim < 3:  # PyTorch asks for a size that is not there
        raise IndexError(f"Dimension out of range: {name} takes 3D or 4D input, but got {list(x.shape)}")
    if divisor == 0:
        raise RuntimeError("divisor must be not zero")
    if x.dtype == np.float16:  # a sum may not fit where the mean does
        options = kernel_size, stride, padding, ceil_mode, count_include_pad, divisor
        return cast(_avg_pool(name, rank, cast(input, np.dtype(np.float32)), *options), x.dtype)
    kernel, steps, margins, ones, out = _geometry(name, rank, x, kernel_size, stride, padding, 1, ceil_mode)
    if rank == 3 and any(n < k for n, k in zip(x.shape[-3:], kernel, strict=True)):
        raise RuntimeError(f"input image {list(x.shape[-3:])} smaller than kernel size {list(kernel)}")
    if divisor:
        counts = np.asarray(float(divisor))
    else:
        counts = _divisor(x.shape[-rank:], kernel, steps, margins, out, count_include_pad)
    kernel, pads = _within_reach(x.shape[-rank:], out, kernel, steps, margins, ones)
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
