"""Padding: a border of a constant, or of what lies inside, mirrored, repeated or wrapped around."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array, wrap
from ..autograd.whole_backward import read_whole
from ..dtypes import element
from ..public import public
from .along import index_select
from .checks import require_room
from .parts import slice_of
from .windows import Pairs, pad_zeros

if TYPE_CHECKING:
    from ..tensor import Tensor


class Pad(Operation):
    """out = x with a constant around it.  dx = the inner part of grad"""

    grad_fn_name = "ConstantPadNdBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, pairs: Pairs, value: float) -> Array:
        ctx.inside = tuple(slice(lo, lo + n) for n, (lo, _) in zip(x.shape, pairs, strict=True))
        return pad_zeros(x, pairs, value) if x.ndim else x

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return slice_of(grad, ctx.inside), None, None


@public("functional", fits="value")
def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Elements put around: `pad` = (before, after) of the last dimension, then of the one before it, ...; negative cuts.

    mode: "constant" (any dimensions), "reflect", "replicate" or "circular" (spatial dimensions). PyTorch: torch.nn.functional.pad.
    """
    widths = [int(p) for p in pad]
    if any(abs(p) >= 2**63 for p in widths):
        raise TypeError(f"pad(): argument 'pad' does not fit 64 bits: {widths}")
    ndim = input.array.ndim
    if len(widths) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2, got {len(widths)} numbers")
    if len(widths) > 2 * ndim:
        raise RuntimeError(
            f"Padding length should be less than or equal to two times the input dimension but got padding length {len(widths)} "
            f"and input of dimension {ndim}"
        )
    named = list(zip(widths[::2], widths[1::2], strict=True))[::-1]
    pairs = [(0, 0)] * (ndim - len(named)) + named
    if mode != "constant":
        _check_spatial(input, len(named), mode, value)
        sizes = [n + lo + hi for n, (lo, hi) in zip(input.array.shape, pairs, strict=True)]
        if all(n > 0 for n in sizes):
            require_room(sizes, input.array.dtype.itemsize)
        return _pad_by_index(input, pairs, mode)
    if any(p < 0 for pair in pairs for p in pair):  # cut first
        for n, (lo, hi) in zip(input.array.shape, pairs, strict=True):
            if min(n + lo, n + hi, n + lo + hi, n + min(lo, 0) + min(hi, 0)) < 0:
                raise RuntimeError(
                    f"The input size {n}, plus negative padding {lo} and {hi}, resulted in a negative output size"
                )
        cut = tuple(slice(max(-lo, 0), n - max(-hi, 0)) for n, (lo, hi) in zip(input.array.shape, pairs, strict=True))
        input = slice_of(input, cut)
    if not any(p > 0 for pair in pairs for p in pair):
        return input.clone()
    pairs = [(max(lo, 0), max(hi, 0)) for lo, hi in pairs]
    require_room(
        [n + lo + hi for n, (lo, hi) in zip(input.array.shape, pairs, strict=True)], input.array.dtype.itemsize
    )
    return Pad.apply(input, tuple(pairs), element(value, input.array.dtype) if value else 0)


def _check_spatial(input: Tensor, count: int, mode: str, value: float | None) -> None:
    """What is said of the other modes: they pad all spatial dimensions, of a batch or of one."""
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(
            f"Unrecognised padding mode {mode}; there are constant, reflect, replicate and circular"
        )
    if mode != "circular" and input.array.dtype.kind == "b":
        kernel = {"reflect": "reflection", "replicate": "replication"}[mode]
        raise NotImplementedError(
            f"\"{kernel}_pad{count}d\" not implemented for 'Bool'; convert the tensor first, as in x.int()"
        )
    if value:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    shape = input.array.shape
    if count not in (1, 2, 3) or len(shape) not in (count + 1, count + 2):
        raise NotImplementedError(
            f"Padding size {2 * count} is not supported for {len(shape)}D input tensor. Of constant padding any dimensions may be "
            "padded, of other modes all spatial ones: 2 numbers for 2D or 3D inputs, 4 for 3D or 4D, 6 for 4D or 5D"
        )
    if mode != "circular" and 0 in shape[-count - 1 :]:
        raise RuntimeError(
            f"Expected {count + 1}D or {count + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions "
            f"for input, but got: {list(shape)}"
        )


def _pad_by_index(input: Tensor, pairs: list[tuple[int, int]], mode: str) -> Tensor:
    if mode != "circular":
        input = read_whole(input)
    for dim, (lo, hi) in enumerate(pairs):
        if not (lo or hi):
            continue
        n = input.array.shape[dim]
        if n + lo + hi < 1:
            raise RuntimeError(
                f"input of {n} places at dimension {dim} is too small: padding ({lo}, {hi}) leaves {n + lo + hi} of them"
            )
        places = np.arange(-lo, n + hi)
        if mode == "reflect":
            if max(lo, hi) >= n:
                raise RuntimeError(
                    f"Argument #4: Padding size should be less than the corresponding input dimension, but got: padding ({lo}, {hi}) "
                    f"at dimension {dim} of input {list(input.array.shape)}"
                )
            places = np.abs(places)
            places = np.where(places >= n, 2 * (n - 1) - places, places)
        elif mode == "replicate":
            places = places.clip(0, n - 1)
        else:
            if max(lo, hi) > n:
                raise RuntimeError("Padding value causes wrapping around more than once.")
            cut, left = (
                max(-lo, 0),
                n - max(-lo, 0) - max(-hi, 0),
            )  # what is cut off is gone before the rest is repeated
            if left < 1:
                raise RuntimeError(f"padding ({lo}, {hi}) leaves nothing of {n} places at dimension {dim} to repeat")
            places = cut + (places - cut) % left
        input = index_select(input, dim, wrap(places))
    return input if any(map(any, pairs)) else input.clone()
