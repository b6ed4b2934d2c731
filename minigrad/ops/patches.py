"""Images as patches and back: unfolding, folding, pixel shuffling."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array
from ..public import public
from ..tensor_options import contiguous_format
from .shape import permute
from .windows import IntOrInts, Ints, Pairs, add_windows, inside, out_sizes, pad_zeros, tuple_of, windows

if TYPE_CHECKING:
    from ..tensor import Tensor


def _patch_setting(
    kernel_size: IntOrInts, dilation: IntOrInts, padding: IntOrInts, stride: IntOrInts
) -> tuple[Ints, Ints, Pairs, Ints]:
    for what, given in (("kernel_size", kernel_size), ("dilation", dilation), ("padding", padding), ("stride", stride)):
        _both_dimensions(what, given)
    kernel, dilations = tuple_of(kernel_size, 2, "kernel_size"), tuple_of(dilation, 2, "dilation")
    steps, pads = tuple_of(stride, 2, "stride"), tuple_of(padding, 2, "padding")
    for name, values in (("kernel size", kernel), ("dilation", dilations), ("stride", steps)):
        if min(values) <= 0:
            raise RuntimeError(f"{name} should be greater than zero, but got {name}: {values}")
    if min(pads) < 0:
        raise RuntimeError(f"padding should be non-negative, but got padding: {pads}")
    return kernel, dilations, tuple((p, p) for p in pads), steps


def _both_dimensions(name: str, given: IntOrInts) -> None:
    """RuntimeError for a list of one number, which elsewhere stands for both dimensions."""
    if not isinstance(given, int) and len(given) == 1:
        raise RuntimeError(f"It is expected {name} equals to 2, but got size 1")


class Unfold(Operation):
    """out = the patches of (N, C, *spatial) as columns (N, C · kernel, out).  dx = grad folded"""

    grad_fn_name = "Im2ColBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, kernel: Ints, dilation: Ints, padding: Pairs, stride: Ints) -> Array:
        ctx.setting = x.shape[2:], kernel, dilation, padding, stride
        seen = windows(pad_zeros(x, padding), kernel, stride, dilation)  # (N, C, *out, *kernel)
        r = len(kernel)
        columns = seen.transpose(0, 1, *range(2 + r, 2 + 2 * r), *range(2, 2 + r))
        return columns.copy().reshape(x.shape[0], x.shape[1] * math.prod(kernel), math.prod(columns.shape[2 + r :]))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return Fold.apply(grad, *ctx.setting), None, None, None, None


@public("functional", floats="input")
def unfold(
    input: Tensor, kernel_size: IntOrInts, dilation: IntOrInts = 1, padding: IntOrInts = 0, stride: IntOrInts = 1
) -> Tensor:
    """The patches of (N, C, H, W) as columns (N, C · kh · kw, places). PyTorch: torch.nn.functional.unfold."""
    kernel, dil, pads, step = _patch_setting(kernel_size, dilation, padding, stride)
    if input.array.ndim < 3:
        raise IndexError(f"unfold expects (N, C, H, W) or (C, H, W), but the input has shape {list(input.array.shape)}")
    if input.array.ndim not in (3, 4) or 0 in input.array.shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: "
            f"{list(input.array.shape)}"
        )
    x = input.unsqueeze(0) if input.array.ndim == 3 else input
    places = out_sizes(x.array.shape[2:], kernel, step, pads, dil)
    if min(places) < 1:
        raise RuntimeError(
            f"Given input with spatial size {tuple(x.array.shape[2:])}, kernel_size={kernel}, dilation={dil}, calculated shape of the "
            f"array of sliding blocks as {places}, but its components must be at least one."
        )
    out = Unfold.apply(x, kernel, dil, pads, step)
    return out.squeeze(0) if input.array.ndim == 3 else out


class Fold(Operation):
    """out = columns added up into images (N, C, *spatial).  dx = grad unfolded"""

    grad_fn_name = "Col2ImBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, spatial: Ints, kernel: Ints, dilation: Ints, padding: Pairs, stride: Ints) -> Array:
        ctx.setting = kernel, dilation, padding, stride
        out = out_sizes(spatial, kernel, stride, padding, dilation)
        padded = tuple(s + lo + hi for s, (lo, hi) in zip(spatial, padding, strict=True))
        values = x.reshape(x.shape[0], x.shape[1] // math.prod(kernel), *kernel, *out)
        total = add_windows(values, padded, kernel, stride, dilation)
        return np.ascontiguousarray(total[inside(spatial, padding)])

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return Unfold.apply(grad, *ctx.setting), None, None, None, None, None


@public("functional", floats="input")
def fold(
    input: Tensor, output_size: IntOrInts, kernel_size: IntOrInts, dilation: IntOrInts = 1, padding: IntOrInts = 0,
    stride: IntOrInts = 1,
) -> Tensor:  # fmt: skip
    """Columns (N, C · kh · kw, places) added up into images (N, C, *output_size). PyTorch: torch.nn.functional.fold."""
    kernel, dil, pads, step = _patch_setting(kernel_size, dilation, padding, stride)
    _both_dimensions("output_size", output_size)
    spatial = tuple_of(output_size, 2, "output_size")
    x = input.unsqueeze(0) if input.array.ndim == 2 else input
    if x.array.ndim != 3 or 0 in x.array.shape[1:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, but "
            f"got: {list(input.array.shape)}"
        )
    places = out_sizes(spatial, kernel, step, pads, dil)
    if x.array.ndim != 3 or x.array.shape[1] % math.prod(kernel):
        raise RuntimeError(
            f"Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)="
            f"{x.array.shape[1]} and kernel_size={kernel}."
        )
    if x.array.shape[2] != math.prod(places):
        raise RuntimeError(
            f"Given output_size={spatial}, kernel_size={kernel}, dilation={dil}, stride={step}, expected size of input's dimension 2 to "
            f"match the calculated number of sliding blocks {' * '.join(map(str, places))} = {math.prod(places)}, but got "
            f"input.size(2)={x.array.shape[2]}."
        )
    out = Fold.apply(x, spatial, kernel, dil, pads, step)
    return out.squeeze(0) if input.array.ndim == 2 else out


def _check_shuffle(name: str, argument: str, input: Tensor, factor: int) -> None:
    if input.array.ndim < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {input.array.ndim} dimension(s)"
        )
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {argument}, but got {factor}")


@public("minigrad", "functional")
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(.., C r², H, W) to (.., C, H r, W r): channels become pixels. PyTorch: torch.nn.functional.pixel_shuffle."""
    _check_shuffle("pixel_shuffle", "upscale_factor", input, upscale_factor)
    r, (*lead, c, h, w) = upscale_factor, input.array.shape
    if c % (r * r):
        raise RuntimeError(
            f"pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but input.size(-3)={c} is not divisible by {r * r}"
        )
    n = len(lead)
    x = input.reshape(*lead, c // (r * r), r, r, h, w)
    x = permute(x, (*range(n), n, n + 3, n + 1, n + 4, n + 2))
    return x.clone().reshape(*lead, c // (r * r), h * r, w * r)  # (a copy, also where nothing moves)


@public("minigrad", "functional")
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(.., C, H r, W r) to (.., C r², H, W): pixels become channels. PyTorch: torch.nn.functional.pixel_unshuffle."""
    _check_shuffle("pixel_unshuffle", "downscale_factor", input, downscale_factor)
    r, (*lead, c, h, w) = downscale_factor, input.array.shape
    if h % r or w % r:
        raise RuntimeError(
            f"pixel_unshuffle expects height and width to be divisible by downscale_factor, but {h}x{w} is not divisible by {r}"
        )
    n = len(lead)
    x = input.reshape(*lead, c, h // r, r, w // r, r)
    x = permute(x, (*range(n), n, n + 2, n + 4, n + 1, n + 3))
    return x.clone().reshape(*lead, c * r * r, h // r, w // r)


@public("minigrad", "functional")
def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """(N, C, *): the channels of `groups` groups, in turn one of each. PyTorch: torch.nn.functional.channel_shuffle."""
    if input.ndim <= 2:
        raise RuntimeError(
            f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(input.array.shape)}"
        )
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    if input.array.shape[1] % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {input.array.shape[1]} channels and {groups} groups."
        )
    turned = input.unflatten(1, (groups, -1)).transpose(1, 2)
    return turned.clone(memory_format=contiguous_format).flatten(1, 2)  # new memory in any case
