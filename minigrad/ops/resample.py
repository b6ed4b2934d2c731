"""Images made larger, smaller, or into patches: padding, interpolation, unfolding, pixel shuffling."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array, wrap
from ..public import public
from .along import index_select
from .matrix import matmul
from .parts import slice_of
from .shape import permute
from .windows import Pairs, add_windows, out_size, pad_zeros, tuple_of, windows

if TYPE_CHECKING:
    from ..tensor import Tensor


class Pad(Operation):
    """out = x with a constant around it.  dx = the inner part of grad"""

    @staticmethod
    def forward(ctx: Any, x: Array, pairs: Pairs, value: float) -> Array:
        ctx.inside = tuple(slice(lo, lo + n) for n, (lo, _) in zip(x.shape, pairs, strict=True))
        return pad_zeros(x, pairs, value) if x.ndim else x

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return slice_of(grad, ctx.inside), None, None

    @classmethod
    def name(cls) -> str:
        return "ConstantPadNdBackward0"


@public("functional")
def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Tensor:
    """Elements put around: `pad` = (before, after) of the last dimension, then of the one before it, ...; negative cuts.

    mode: "constant" (any dimensions), "reflect", "replicate" or "circular" (spatial dimensions). PyTorch: torch.nn.functional.pad.
    """
    widths = [int(p) for p in pad]
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
        return _pad_by_index(input, pairs, mode, value)
    if any(p < 0 for pair in pairs for p in pair):  # cut first
        for n, (lo, hi) in zip(input.array.shape, pairs, strict=True):
            if n + lo + hi < 0:
                raise RuntimeError(
                    f"The input size {n}, plus negative padding {lo} and {hi}, resulted in a negative output size"
                )
        cut = tuple(slice(max(-lo, 0), n - max(-hi, 0)) for n, (lo, hi) in zip(input.array.shape, pairs, strict=True))
        input = slice_of(input, cut)
    if not any(p > 0 for pair in pairs for p in pair):
        return input.clone()
    return Pad.apply(input, tuple((max(lo, 0), max(hi, 0)) for lo, hi in pairs), value or 0)


def _pad_by_index(input: Any, pairs: list[tuple[int, int]], mode: str, value: Any) -> Any:
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(
            f"Unrecognised padding mode {mode}; there are constant, reflect, replicate and circular"
        )
    if value:
        raise ValueError(f'Padding mode "{mode}" doesn\'t take in value argument')
    for dim, (lo, hi) in enumerate(pairs):
        if not (lo or hi):
            continue
        n = input.array.shape[dim]
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
            places = places % n
        input = index_select(input, dim, wrap(places))
    return input


# -- patches


class Unfold(Operation):
    """out = the patches of (N, C, *spatial) as columns (N, C · kernel, out).  dx = grad folded"""

    @staticmethod
    def forward(ctx: Any, x: Array, kernel: tuple, dilation: tuple, padding: Pairs, stride: tuple) -> Array:
        ctx.setting = x.shape[2:], kernel, dilation, padding, stride
        seen = windows(pad_zeros(x, padding), kernel, stride, dilation)  # (N, C, *out, *kernel)
        r = len(kernel)
        columns = seen.transpose(0, 1, *range(2 + r, 2 + 2 * r), *range(2, 2 + r))
        return columns.reshape(x.shape[0], x.shape[1] * math.prod(kernel), -1)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return Fold.apply(grad, *ctx.setting), None, None, None, None

    @classmethod
    def name(cls) -> str:
        return "Im2ColBackward0"


class Fold(Operation):
    """out = columns added up into images (N, C, *spatial).  dx = grad unfolded"""

    @staticmethod
    def forward(
        ctx: Any, x: Array, spatial: tuple, kernel: tuple, dilation: tuple, padding: Pairs, stride: tuple
    ) -> Array:
        ctx.setting = kernel, dilation, padding, stride
        out = _places(spatial, kernel, dilation, padding, stride)
        padded = tuple(s + lo + hi for s, (lo, hi) in zip(spatial, padding, strict=True))
        values = x.reshape(x.shape[0], -1, *kernel, *out)
        total = add_windows(values, padded, kernel, stride, dilation)
        inside = (..., *(slice(lo, lo + s) for s, (lo, _) in zip(spatial, padding, strict=True)))
        return np.ascontiguousarray(total[inside])

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return Unfold.apply(grad, *ctx.setting), None, None, None, None, None

    @classmethod
    def name(cls) -> str:
        return "Col2ImBackward0"


def _places(spatial: tuple, kernel: tuple, dilation: tuple, padding: Pairs, stride: tuple) -> tuple[int, ...]:
    return tuple(
        out_size(s, k, st, p, d) for s, k, st, p, d in zip(spatial, kernel, stride, padding, dilation, strict=True)
    )


def _patch_setting(kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> tuple:
    return (
        tuple_of(kernel_size, 2, "kernel_size"),
        tuple_of(dilation, 2, "dilation"),
        tuple((p, p) for p in tuple_of(padding, 2, "padding")),
        tuple_of(stride, 2, "stride"),
    )


@public("functional")
def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """The patches of (N, C, H, W) as columns (N, C · kh · kw, places). PyTorch: torch.nn.functional.unfold."""
    kernel, dil, pads, step = _patch_setting(kernel_size, dilation, padding, stride)
    if input.array.ndim < 3:
        raise IndexError(f"unfold expects (N, C, H, W) or (C, H, W), but the input has shape {list(input.array.shape)}")
    if input.array.ndim not in (3, 4):
        raise RuntimeError(f"Expected 3D or 4D (batch mode) tensor for input, but got: {list(input.array.shape)}")
    x = input.unsqueeze(0) if input.array.ndim == 3 else input
    places = _places(x.array.shape[2:], kernel, dil, pads, step)
    if min(places) < 1:
        raise RuntimeError(
            f"Given input with spatial size {tuple(x.array.shape[2:])}, kernel_size={kernel}, dilation={dil}, calculated shape of the "
            f"array of sliding blocks as {places}, but its components must be at least one."
        )
    out = Unfold.apply(x, kernel, dil, pads, step)
    return out.squeeze(0) if input.array.ndim == 3 else out


@public("functional")
def fold(
    input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Columns (N, C · kh · kw, places) added up into images (N, C, *output_size). PyTorch: torch.nn.functional.fold."""
    kernel, dil, pads, step = _patch_setting(kernel_size, dilation, padding, stride)
    spatial = tuple_of(output_size, 2, "output_size")
    x = input.unsqueeze(0) if input.array.ndim == 2 else input
    places = _places(spatial, kernel, dil, pads, step)
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


@public("minigrad", "functional")
def pixel_shuffle(input: Any, upscale_factor: int) -> Tensor:
    """(.., C r², H, W) to (.., C, H r, W r): channels become pixels. PyTorch: torch.nn.functional.pixel_shuffle."""
    r, (*lead, c, h, w) = upscale_factor, input.array.shape
    if c % (r * r):
        raise RuntimeError(
            f"pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but input.size(-3)={c} is not divisible by {r * r}"
        )
    n = len(lead)
    x = input.reshape(*lead, c // (r * r), r, r, h, w)
    x = permute(x, (*range(n), n, n + 3, n + 1, n + 4, n + 2))
    return x.reshape(*lead, c // (r * r), h * r, w * r)


@public("minigrad", "functional")
def pixel_unshuffle(input: Any, downscale_factor: int) -> Tensor:
    """(.., C, H r, W r) to (.., C r², H, W): pixels become channels. PyTorch: torch.nn.functional.pixel_unshuffle."""
    r, (*lead, c, h, w) = downscale_factor, input.array.shape
    if h % r or w % r:
        raise RuntimeError(
            f"pixel_unshuffle expects height and width to be divisible by downscale_factor, but {h}x{w} is not divisible by {r}"
        )
    n = len(lead)
    x = input.reshape(*lead, c, h // r, r, w // r, r)
    x = permute(x, (*range(n), n, n + 2, n + 4, n + 1, n + 3))
    return x.reshape(*lead, c * r * r, h // r, w // r)


# -- sizes


@public("functional")
def interpolate(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None, antialias: bool = False,
) -> Tensor:  # fmt: skip
    """The spatial dimensions of (N, C, *spatial) to `size`, or times scale_factor: mode "nearest", "linear" or "bilinear".

    PyTorch: torch.nn.functional.interpolate.
    """
    if antialias:
        raise NotImplementedError("interpolate: antialias=True is not supported by minigrad; leave it out")
    if mode not in ("nearest", "linear", "bilinear"):
        raise NotImplementedError(
            f"interpolate: mode={mode!r} is not supported by minigrad; there are nearest, linear, bilinear"
        )
    if mode == "nearest" and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    spatial = input.array.shape[2:]
    rank = len(spatial)
    if (size is None) == (scale_factor is None):
        raise ValueError(
            "either size or scale_factor should be defined"
            if size is None
            else "only one of size or scale_factor should be defined"
        )
    scales: list[float | None] = [None] * rank
    if size is not None:
        target = tuple_of(size, rank, "size")
    else:
        factors = tuple(scale_factor) if isinstance(scale_factor, tuple | list) else (scale_factor,) * rank
        target = tuple(math.floor(n * f) for n, f in zip(spatial, factors, strict=True))
        scales = [None if recompute_scale_factor else 1 / f for f in factors]
    for d, (n, m) in enumerate(zip(spatial, target, strict=True)):
        ratio = scales[d] if scales[d] is not None else n / m
        if mode == "nearest":
            places = np.minimum(np.floor(np.arange(m) * np.float32(ratio)), n - 1).astype(np.int64)
            input = index_select(input, 2 + d, wrap(places))
        else:
            weights = _linear_weights(n, m, ratio, bool(align_corners)).astype(input.array.dtype)
            input = matmul(input.movedim(2 + d, -1), wrap(np.ascontiguousarray(weights.T))).movedim(-1, 2 + d)
    return input


def _linear_weights(n: int, m: int, ratio: float, align_corners: bool) -> Array:
    """The matrix (m, n) that interpolates m values between n."""
    i = np.arange(m)
    place = i * ((n - 1) / (m - 1) if m > 1 else 0.0) if align_corners else np.maximum((i + 0.5) * ratio - 0.5, 0)
    low = np.minimum(np.floor(place).astype(np.int64), n - 1)
    high = np.minimum(low + 1, n - 1)
    share = place - low
    weights = np.zeros((m, n))
    np.add.at(weights, (i, low), 1 - share)
    np.add.at(weights, (i, high), share)
    return weights
