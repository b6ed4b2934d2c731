"""Adaptive pooling: as many windows as the output has places, from ⌊i n / m⌋ to ⌈(i + 1) n / m⌉ in each dimension."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..autograd.variable import Array, Variable, wrap
from ..autograd.whole_backward import read_whole
from ..foreign import said
from ..public import public
from .along import gather, index_select
from .checks import require_room, type_name
from .choice import where
from .operands import cast
from .pool import check_filled, check_rank
from .windows import Ints

if TYPE_CHECKING:
    from ..tensor import Tensor

Target: TypeAlias = int | Sequence[int | None]  # the output's size; None keeps that of the input


def _target(name: str, rank: int, input: Tensor, output_size: Target, filled: int) -> tuple[Ints, Ints]:
    """The spatial dimensions of the input, after checks, and those of the output."""
    if not isinstance(input, Variable):
        raise TypeError(f"{name}(): argument 'input' must be Tensor, not {said(input)}")
    check_rank(name, rank, input.array)
    check_filled(name, filled, input.array)
    sizes = (output_size,) * rank if isinstance(output_size, int | np.integer) else tuple(output_size)
    if len(sizes) != rank:
        raise RuntimeError(f"{name}: output_size must have {rank} numbers, got {list(sizes)}")
    if rank == 1 and None in sizes:
        raise TypeError(f"{name}(): argument 'output_size' must be tuple of ints, but found element of type NoneType")
    spatial = input.array.shape[-rank:]
    target = tuple(n if m is None else int(m) for n, m in zip(spatial, sizes, strict=True))
    if any(m < 0 for m in target):
        raise RuntimeError(
            f"{name}: elements of output_size must be greater than or equal to 0, but got {list(target)}"
        )
    require_room((*input.array.shape[:-rank], *target), input.array.dtype.itemsize)
    return spatial, target


def _check_sizes_fit(rank: int, input: Tensor, output_size: Target) -> None:
    """ValueError where a list of sizes is as long as the input's shape. (PyTorch looks in its Python code, of 2d and 3d.)"""
    if rank > 1 and isinstance(output_size, list | tuple) and input.array.ndim <= len(output_size):
        raise ValueError(f"Input dimension should be at least {len(output_size) + 1}")


def _bounds(n: int, m: int) -> tuple[Array, Array]:
    """Where the m windows over n places begin and end."""
    i = np.arange(m)
    return i * n // m, -(-(i + 1) * n // m)


def _means(input: Tensor, dim: int, m: int) -> Tensor:
    """Means over m windows that cover a dimension. Only what lies in a window is read: a nan stays where it is."""
    n = input.array.shape[dim]
    if n % m == 0:
        return input.unflatten(dim, (m, n // m)).mean(dim)
    start, end = _bounds(n, m)
    places = start[:, None] + np.arange(int((end - start).max()))  # (m, longest window)
    seen = index_select(input, dim, wrap(places.clip(max=n - 1).reshape(-1))).unflatten(dim, places.shape)
    inside = (places < end[:, None]).reshape(*places.shape, *(1,) * (-1 - dim))
    counts = (end - start).reshape(m, *(1,) * (-1 - dim)).astype(input.array.dtype)
    return where(wrap(inside), seen, 0.0).sum(dim) / wrap(counts)


def _adaptive(name: str, rank: int, input: Tensor, output_size: Target) -> Tensor:
    _check_sizes_fit(rank, input, output_size)
    if output_size == 1 if isinstance(output_size, int) else list(output_size) == [1] * rank:
        if rank == 1:
            check_rank(name, rank, input.array)
        return input.mean(tuple(range(-rank, 0)), keepdim=True)  # as PyTorch's: of any rank, also of nothing
    spatial, target = _target(name, rank, input, output_size, rank)
    if input.array.dtype.kind != "f":
        raise NotImplementedError(
            f"\"{name}\" not implemented for '{type_name(input)}'; convert it with .float() first"
        )
    if 0 in target:
        return input.sum(tuple(range(-rank, 0)), keepdim=True).expand(*input.array.shape[:-rank], *target)
    if spatial == target:
        return input.clone()
    if input.array.dtype == np.float16:  # a sum may not fit where the mean does
        return cast(_adaptive(name, rank, cast(input, np.dtype(np.float32)), output_size), input.array.dtype)
    input = read_whole(input)
    for d, (n, m) in enumerate(zip(spatial, target, strict=True)):
        if n != m:
            input = _means(input, d - rank, m)
    return input


def _adaptive_max(name: str, rank: int, input: Tensor, output_size: Target, return_indices: bool) -> Any:
    _check_sizes_fit(rank, input, output_size)
    spatial, target = _target(name, rank, input, output_size, rank + 1)
    if input.array.dtype.kind != "f":
        raise NotImplementedError(
            f"\"{name}\" not implemented for '{type_name(input)}'; convert it with .float() first"
        )
    table: Any = (
        0  # (*target, *window): where in the flat input each window looks; a shorter one looks at its last place again
    )
    for d, (n, m) in enumerate(zip(spatial, target, strict=True)):
        start, end = _bounds(n, m)
        longest = np.arange(int((end - start).max(initial=1)))
        places = np.minimum(start[:, None] + longest, end[:, None] - 1)
        shape = [1] * (2 * rank)
        shape[d], shape[rank + d] = places.shape
        table = table * n + places.reshape(shape)
    table = table.reshape(math.prod(target), math.prod(table.shape[rank:]))
    seen = input.array.reshape(*input.array.shape[:-rank], math.prod(spatial)).take(table, -1)
    best = seen.argmax(-1)
    if seen.dtype.kind == "f" and (holes := np.isnan(seen)).any():  # the last nan wins
        best = np.where(holes.any(-1), seen.shape[-1] - 1 - holes[..., ::-1].argmax(-1), best)
    indices = table[np.arange(len(table)), best].reshape(*input.array.shape[:-rank], *target)
    positions = wrap(indices.reshape(*indices.shape[:-rank], math.prod(target)))
    out = gather(read_whole(input).flatten(-rank), -1, positions).reshape(indices.shape)
    return (out, wrap(indices)) if return_indices else out


@public("functional")
def adaptive_max_pool1d(input: Tensor, output_size: Target, return_indices: bool = False) -> Any:
    """The largest of output_size windows that cover (N, C, L). PyTorch: torch.nn.functional.adaptive_max_pool1d."""
    return _adaptive_max("adaptive_max_pool1d", 1, input, output_size, return_indices)


@public("functional")
def adaptive_max_pool2d(input: Tensor, output_size: Target, return_indices: bool = False) -> Any:
    """The largest of output_size windows that cover (N, C, H, W). PyTorch: torch.nn.functional.adaptive_max_pool2d."""
    return _adaptive_max("adaptive_max_pool2d", 2, input, output_size, return_indices)


@public("functional")
def adaptive_max_pool3d(input: Tensor, output_size: Target, return_indices: bool = False) -> Any:
    """The largest of output_size windows that cover (N, C, D, H, W). PyTorch: torch.nn.functional.adaptive_max_pool3d."""
    return _adaptive_max("adaptive_max_pool3d", 3, input, output_size, return_indices)


@public("minigrad", "functional")
def adaptive_avg_pool1d(input: Tensor, output_size: Target) -> Tensor:
    """Means over output_size windows that cover (N, C, L). PyTorch: torch.nn.functional.adaptive_avg_pool1d."""
    return _adaptive("adaptive_avg_pool1d", 1, input, output_size)


@public("functional")
def adaptive_avg_pool2d(input: Tensor, output_size: Target) -> Tensor:
    """Means over output_size windows that cover (N, C, H, W). PyTorch: torch.nn.functional.adaptive_avg_pool2d."""
    return _adaptive("adaptive_avg_pool2d", 2, input, output_size)


@public("functional")
def adaptive_avg_pool3d(input: Tensor, output_size: Target) -> Tensor:
    """Means over output_size windows that cover (N, C, D, H, W). PyTorch: torch.nn.functional.adaptive_avg_pool3d."""
    return _adaptive("adaptive_avg_pool3d", 3, input, output_size)
