"""Fractional max pooling: windows at random places, about as far apart as the input is larger than the output.

Source: Graham 2014, "Fractional Max-Pooling".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import Array, wrap
from ..autograd.whole_backward import read_whole
from ..public import public
from ..random import default_generator
from .along import gather
from .windows import IntOrInts, Ints, tuple_of

if TYPE_CHECKING:
    from ..tensor import Tensor


def _starts(samples: Array, n: int, out: int, kernel: int) -> Array:
    """Where the windows begin, (N, C, out): ⌊(i + u) α⌋ - ⌊u α⌋, the last at the end. u: samples (N, C) in [0, 1)."""
    starts = np.full((*samples.shape, out), n - kernel, np.int64)
    if out > 1:
        alpha = samples.dtype.type(n - kernel) / samples.dtype.type(out - 1)
        i, u = np.arange(out - 1).astype(samples.dtype), samples[..., None]
        starts[..., :-1] = ((i + u) * alpha).astype(np.int64) - (u * alpha).astype(np.int64)
    return starts


def _sizes(name: str, rank: int, spatial: Ints, output_size: Any, output_ratio: Any) -> Ints:
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    if output_size is not None:
        if not isinstance(output_size, int) and len(output_size) != rank:
            raise RuntimeError(
                f"{name}: output_size must either be a single Int or tuple of {rank} Ints, got {output_size}"
            )
        return tuple_of(output_size, rank, "output_size")
    if rank == 2 and (not isinstance(output_ratio, Sequence) or len(output_ratio) > 2):  # as PyTorch's
        raise TypeError(f"{name}: output_ratio must be a tuple of two numbers, got {output_ratio!r}")
    ratios = (output_ratio,) * rank if isinstance(output_ratio, int | float) else tuple(output_ratio)
    return tuple(int(n * r) for n, r in zip(spatial, ratios, strict=True))


def _fractional(
    rank: int, input: Tensor, kernel_size: IntOrInts, output_size: Any, output_ratio: Any, return_indices: bool, samples: Tensor | None
) -> Any:  # fmt: skip
    name, x = f"fractional_max_pool{rank}d", input.array
    if x.ndim < rank + 1:
        raise IndexError(f"{name}: Expected {rank + 1}D or {rank + 2}D tensor for input, but got: {list(x.shape)}")
    if x.ndim not in (rank + 1, rank + 2) or 0 in x.shape[-rank - 1 :]:
        raise RuntimeError(f"{name}: Expected {rank + 1}D or {rank + 2}D tensor for input, but got: {list(x.shape)}")
    if not isinstance(kernel_size, int) and len(kernel_size) != rank:
        raise RuntimeError(
            f"{name}: kernel_size must either be a single Int or tuple of {rank} Ints, got {kernel_size}"
        )
    kernel, spatial = tuple_of(kernel_size, rank, "kernel_size"), x.shape[-rank:]
    out = _sizes(name, rank, spatial, output_size, output_ratio)
    if min(kernel) <= 0 or min(out) < 0:
        raise RuntimeError(
            f"{name}: kernel_size must be greater than 0 and output_size not negative, got {kernel} and {out}"
        )
    for n, k, m in zip(spatial, kernel, out, strict=True):
        if m + k - 1 > n - (rank == 3):  # (in three dimensions PyTorch wants one place more)
            raise RuntimeError(
                f"{name}: pool size {kernel} too large relative to input size {spatial} for output size {out}"
            )
    batch = x.reshape(len(x) if x.ndim == rank + 2 else 1, *x.shape[-rank - 1 :])
    lead = batch.shape[:2]
    if samples is not None:
        _check_samples(samples.array, batch, rank)
    # One number an image, channel and dimension; the first of them places the last dimension.
    drawn = default_generator.uniform((*lead, rank), x.dtype) if samples is None else samples.array[: lead[0]]
    key: list[Array] = [
        np.arange(lead[0]).reshape(lead[0], *(1,) * (1 + 2 * rank)),
        np.arange(lead[1]).reshape(lead[1], *(1,) * 2 * rank),
    ]
    flat: Any = 0
    for d, (n, k, m) in enumerate(zip(spatial, kernel, out, strict=True)):
        places = _starts(drawn[..., rank - 1 - d if rank == 2 else d], n, m, k)[..., None] + np.arange(
            k
        )  # (N, C, out, kernel)
        shape = [*lead, *(1,) * 2 * rank]
        shape[2 + d], shape[2 + rank + d] = m, k
        places = places.reshape(shape)
        key.append(places)
        flat = flat * n + places
    seen = batch[tuple(key)].reshape(*lead, *out, math.prod(kernel))
    best = seen.argmax(-1)[..., None]
    if (holes := np.isnan(seen)).any():  # the last nan wins
        last = seen.shape[-1] - 1 - holes[..., ::-1].argmax(-1, keepdims=True)
        best = np.where(holes.any(-1, keepdims=True), last, best)
    every = np.broadcast_to(flat, (*lead, *out, *kernel)).reshape(*lead, *out, math.prod(kernel))
    indices = wrap(np.take_along_axis(every, best, -1)[..., 0].reshape(*x.shape[:-rank], *out))
    values = gather(read_whole(input).flatten(-rank), -1, indices.flatten(-rank)).unflatten(-1, out)
    return (values, indices) if return_indices else values


def _check_samples(samples: Array, batch: Array, rank: int) -> None:
    """RuntimeError unless the random numbers are (N or more, C, rank), in the images' type."""
    if samples.dtype != batch.dtype:
        raise RuntimeError("Expect _random_samples to have the same dtype as input")
    if samples.ndim != 3:
        raise RuntimeError(f"Expect _random_samples to have 3 dimensions, got {samples.ndim}")
    n, channels, numbers = samples.shape
    if n < len(batch):
        raise RuntimeError("Expect _random_samples.size(0) no less then input batch size.")
    if channels != batch.shape[1]:
        raise RuntimeError("Expect _random_samples.size(1) equals to input channel size.")
    if numbers != rank:
        raise RuntimeError(f"Expect _random_samples.size(2) equals to {rank}; got {numbers}.")


@public("functional")
def fractional_max_pool2d(
    input: Tensor, kernel_size: IntOrInts, output_size: IntOrInts | None = None, output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False, _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """The largest of windows of (N, C, H, W) at random places, in the size asked for or a ratio of the input's.

    PyTorch: torch.nn.functional.fractional_max_pool2d.
    """
    return _fractional(2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


@public("functional")
def fractional_max_pool3d(
    input: Tensor, kernel_size: IntOrInts, output_size: IntOrInts | None = None, output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False, _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """The largest of windows of (N, C, D, H, W) at random places. PyTorch: torch.nn.functional.fractional_max_pool3d."""
    return _fractional(3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)
