"""Unpooling: the values of a pool put back where they were the largest, zeros elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..public import public
from .along import scatter
from .checks import type_name
from .windows import IntOrInts, Ints

if TYPE_CHECKING:
    from ..tensor import Tensor


def _each(sizes: IntOrInts, rank: int) -> Ints:
    """A size for each dimension; a sequence is one already, also one of the wrong length."""
    return (sizes,) * rank if isinstance(sizes, int) else tuple(sizes)


def _output_size(
    rank: int, input: Tensor, kernel: Ints, stride: Ints, padding: Ints, output_size: Sequence[int] | None
) -> tuple[int, ...]:
    """The size asked for, if a pool of this kind could have come from it; else the least such size.

    As many sizes as the kernel has are taken of the others, as PyTorch does; of stride and padding there may be more.
    """
    n_sizes = len(kernel)
    if min(input.array.ndim, len(stride), len(padding)) < n_sizes:
        raise IndexError(
            f"max_unpool{rank}d: {rank} sizes are wanted of the input, kernel_size, stride and padding, got an input of "
            f"{input.array.ndim} dimensions, {list(kernel)}, {list(stride)} and {list(padding)}"
        )
    spatial = input.array.shape[input.array.ndim - n_sizes :]
    usual = tuple((n - 1) * s + k - 2 * p for n, k, s, p in zip(spatial, kernel, stride, padding, strict=False))
    wanted = usual
    if output_size is not None:
        wanted = tuple(int(n) for n in output_size)
        wanted = wanted[2:] if len(wanted) == n_sizes + 2 else wanted
        if len(wanted) != n_sizes:
            raise ValueError(
                f"output_size should be a sequence containing {n_sizes} or {n_sizes + 2} elements, but it has a length of '{len(wanted)}'"
            )
        for d, (n, m, s) in enumerate(zip(usual, wanted, stride, strict=False)):
            if not n - s < m < n + s:
                raise ValueError(f'invalid output_size "{wanted}" (dim {d} must be between {n - s} and {n + s})')
    if min(wanted, default=0) < 0:
        raise ValueError(
            f"max_unpooling: output_size must contain non-negative spatial dimensions, but got {list(wanted)}"
        )
    if n_sizes != rank:
        raise RuntimeError(f"max_unpool{rank}d: kernel_size must have {rank} elements, but got {list(kernel)}")
    return wanted


def _unpool(
    rank: int, input: Tensor, indices: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None, padding: IntOrInts,
    output_size: Sequence[int] | None,
) -> Tensor:  # fmt: skip
    """out[index of p] = x[p], an index counting in the flattened spatial dimensions."""
    x, index = input.array, indices.array
    name = f"max_unpool{rank}d"
    kernel, margins = _each(kernel_size, rank), _each(padding, rank)
    steps = kernel if stride is None else _each(stride, rank)
    target = _output_size(rank, input, kernel, steps, margins, output_size)
    if index.dtype != np.int64:
        raise RuntimeError(f"elements in indices should be type int64 but got: {indices.dtype}")
    if x.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"Input to {name} should be a {rank + 1}d or {rank + 2}d Tensor, but got {x.ndim} dimensions"
        )
    if x.shape != index.shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(x.shape)}) but got indices tensor with "
            f"shape: {list(index.shape)}"
        )
    if x.dtype.kind != "f":
        raise NotImplementedError(
            f"\"{name}\" not implemented for '{type_name(x)}'; convert the tensor with .float() first"
        )
    if 0 in x.shape[1:]:
        raise RuntimeError(
            f"{name}: Expected input to have non-zero size for non-batch dimensions, but got {list(x.shape)}"
        )
    places = math.prod(target)
    if rank == 3 and min(steps) <= 0:
        raise RuntimeError(f"strides should be greater than zero, but got stride: {list(steps)}")
    if not places:
        return input.flatten(-rank)[..., :0].reshape((*x.shape[:-rank], *target))  # with a history all the same
    if index.size and (index.min() < 0 or index.max() >= places):
        wrong = index[(index < 0) | (index >= places)].flat[0]
        raise RuntimeError(f"Found an invalid max index: {wrong} (output volumes are of size {list(target)})")
    flat = scatter(input.new_zeros((*x.shape[:-rank], places)), -1, indices.flatten(-rank), input.flatten(-rank))
    return flat.unflatten(-1, target)


@public("functional")
def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """What `max_pool1d(..., return_indices=True)` gave for (N, C, L), put back. PyTorch: torch.nn.functional.max_unpool1d."""
    return _unpool(1, input, indices, kernel_size, stride, padding, output_size)


@public("functional")
def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """What `max_pool2d(..., return_indices=True)` gave for (N, C, H, W), put back. PyTorch: torch.nn.functional.max_unpool2d."""
    return _unpool(2, input, indices, kernel_size, stride, padding, output_size)


@public("functional")
def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """What `max_pool3d(..., return_indices=True)` gave for (N, C, D, H, W), put back. PyTorch: torch.nn.functional.max_unpool3d."""
    return _unpool(3, input, indices, kernel_size, stride, padding, output_size)
