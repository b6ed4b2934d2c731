"""Images made larger or smaller: interpolation.

Every mode but "area" takes one dimension after the other, and each place of the output as a weighted sum of a few places
of the input: one ("nearest"), two ("linear", "bilinear", "trilinear"), four ("bicubic"), or as many as a smoothing filter
covers (antialias). Places are picked, not multiplied by a matrix: a nan in one place stays there.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import Array, wrap
from ..public import public
from .adaptive_pool import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from .along import index_select
from .checks import require_room, type_name
from .choice import where
from .windows import IntOrInts

if TYPE_CHECKING:
    from ..tensor import Tensor

_RANKS = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}  # the spatial dimensions that a mode needs
_AREA = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}


def _nearest(n: int, m: int, ratio: float, middle: float, rank: int, real: Any) -> Array:
    """Which of n places each of m reads: ⌊(i + middle) · ratio⌋.

    Of images PyTorch reckons in float32, and takes places as they are, or twice, where the sizes say so, whatever the ratio.
    """
    i, real = np.arange(m), np.float32 if rank == 2 else real
    if rank == 2 and middle == 0 and m in (n, 2 * n):
        return i // (m // n)
    return np.minimum(np.floor((i.astype(real) + real(middle)) * real(ratio)), n - 1).astype(np.int64)


def _centers(n: int, m: int, ratio: float, align_corners: bool, real: Any) -> Array:
    """Where the m places of the output lie among the n of the input."""
    i = np.arange(m, dtype=real)
    if align_corners:
        return i * real(n - 1) / real(m - 1) if m > 1 else i
    return real(ratio) * (i + real(0.5)) - real(0.5)


def _linear(n: int, m: int, ratio: float, align_corners: bool, real: Any) -> tuple[Array, Array]:
    """Places (m, 2) and their weights: of the neighbours before and after, by nearness."""
    if n == m:
        return np.stack([np.arange(n)] * 2, 1), np.stack([np.ones(n), np.zeros(n)], 1)
    center = np.maximum(_centers(n, m, ratio, align_corners, real), 0)
    low = np.minimum(center.astype(np.int64), n - 1)
    share = (center - low).clip(0, 1)
    return np.stack([low, np.minimum(low + 1, n - 1)], 1), np.stack([1 - share, share], 1)


def cubic(distance: Any, a: float) -> Any:
    """Keys's cubic: the weight of a point at this distance (0 to 2), 1 at 0, and 0 at 1 and 2. For arrays and tensors.

    Source: Keys 1981, "Cubic Convolution Interpolation for Digital Image Processing".
    """
    x = distance
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((x - 5) * x + 8) * x * a - 4 * a
    return near, far


def _cubic(n: int, m: int, ratio: float, align_corners: bool, real: Any) -> tuple[Array, Array]:
    """Places (m, 4) and their weights by `cubic`; beyond the edge stands the edge."""
    center = _centers(n, m, ratio, align_corners, real)
    low = np.floor(center)
    share = center - low
    weights = [
        cubic(1 + share, -0.75)[1],
        cubic(share, -0.75)[0],
        cubic(1 - share, -0.75)[0],
        cubic(2 - share, -0.75)[1],
    ]
    return (low.astype(np.int64)[:, None] + np.arange(-1, 3)).clip(0, n - 1), np.stack(weights, 1)


def _triangle(x: Array) -> Array:
    return np.maximum(1 - np.abs(x), 0)


def _hump(x: Array) -> Array:
    near, far = cubic(np.abs(x), -0.5)
    return np.where(np.abs(x) < 1, near, np.where(np.abs(x) < 2, far, 0))


def _filtered(
    n: int, m: int, ratio: float, filter: Callable[[Array], Array], radius: int, real: Any
) -> tuple[Array, Array, Array]:
    """Places (m, k), their weights and whether they count: a filter as wide as the output's places lie apart."""
    scale = max(ratio, 1.0)
    support = radius * scale
    center = ratio * (np.arange(m) + 0.5)
    start = np.maximum((center - support + 0.5).astype(np.int64), 0)
    count = np.minimum((center + support + 0.5).astype(np.int64), n) - start
    k = np.arange(max(int(count.max()), 1))
    inside = k < count[:, None]
    weights = np.where(inside, filter((k + start[:, None] - center[:, None] + 0.5) / scale), 0)
    total = weights.sum(1, keepdims=True)
    return (start[:, None] + k).clip(0, n - 1), (weights / np.where(total == 0, 1, total)).astype(real), inside


def _blend(input: Tensor, dim: int, places: Array, weights: Array, inside: Array | None = None) -> Tensor:
    """Σ_k weights[:, k] · input[places[:, k]] along dim."""
    shape = (-1, *(1,) * (input.ndim - 1 - dim))
    total: Any = None
    for k in range(places.shape[1]):
        part = index_select(input, dim, wrap(places[:, k].copy())) * wrap(
            weights[:, k].astype(input.array.dtype).reshape(shape)
        )
        if inside is not None and not inside[:, k].all():
            part = where(wrap(inside[:, k].reshape(shape)), part, 0.0)
        total = part if total is None else total + part
    return total


def _is_integer(x: Any) -> bool:
    return isinstance(x, int | np.integer) or (hasattr(x, "__index__") and not isinstance(x, bool))


def _sizes(
    spatial: Sequence[int], size: Any, scale_factor: Any, recompute: bool | None, input: Tensor
) -> tuple[tuple[int, ...], list[float | None]]:
    """The output's size, and by dimension the factor to reckon with (None: the ratio of the sizes)."""
    rank = len(spatial)
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    given = size if size is not None else scale_factor
    for factor in given if isinstance(given, list | tuple) else (given,):
        if isinstance(factor, bool):
            raise TypeError(f"interpolate(): size and scale_factor are numbers, got {given}")
    if isinstance(given, Sequence) and len(given) != rank:
        what = "output size" if size is not None else "scale_factor"
        raise ValueError(
            "Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of "
            f"{list(spatial)} and {what} of {given}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and output size "
            "in (o1, o2, ...,oK) format."
        )
    each = tuple(given) if isinstance(given, Sequence) else (given,) * rank
    if size is not None:
        if not all(map(_is_integer, each)):
            raise TypeError(
                "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, int], but got size with types "
                f"{[type(x) for x in each]}"
            )
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        if not all(-(2**63) <= m < 2**63 for m in each):
            raise TypeError(f"interpolate(): argument 'size' does not fit 64 bits: {list(each)}")
        return tuple(int(m) for m in each), [None] * rank
    factors = [float(f) for f in each]
    if not all(abs(n * f) < 2**63 for n, f in zip(spatial, factors, strict=True)):  # also nan
        raise RuntimeError(f"value cannot be converted to type int64_t without overflow: scale_factor={scale_factor}")
    target = tuple(math.floor(n * f) for n, f in zip(spatial, factors, strict=True))
    return target, [None if recompute else f for f in factors]


def _check(input: Tensor, mode: str, antialias: bool) -> None:
    if mode not in ("nearest", "area", "nearest-exact", *_RANKS):
        raise NotImplementedError(
            "Input Error: Only 3D, 4D and 5D input Tensors supported (got "
            f"{input.ndim}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact (got {mode})"
        )
    if input.ndim in (3, 4, 5) and mode in _RANKS and input.ndim != _RANKS[mode] + 2:
        raise NotImplementedError(f"Got {input.ndim}D input, but {mode} mode needs {_RANKS[mode] + 2}D input")
    if input.ndim not in (3, 4, 5):
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.ndim}D) for the modes: nearest | linear | "
            f"bilinear | bicubic | trilinear | area | nearest-exact (got {mode})"
        )
    if antialias and not (mode in ("bilinear", "bicubic") and input.ndim == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input"
        )
    dtype = input.array.dtype
    if dtype.kind != "f" and not (dtype == np.uint8 and mode.startswith("nearest")):
        raise NotImplementedError(
            f'interpolate: mode="{mode}" is not implemented for {input.dtype}; convert the input to a float type'
        )


@public("functional")
def interpolate(
    input: Tensor, size: IntOrInts | None = None, scale_factor: float | Sequence[float] | None = None, mode: str = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: bool | None = None, antialias: bool = False,
) -> Tensor:  # fmt: skip
    """The spatial dimensions of (N, C, *spatial) to `size`, or times scale_factor.

    mode: "nearest" (as old programs round), "nearest-exact" (as images want it), "linear", "bilinear", "trilinear" (by the
    number of dimensions), "bicubic", or "area" (means). align_corners: the outermost places keep theirs; else the edges.
    recompute_scale_factor: reckon with the sizes' ratio, not with the factor given. antialias: smooth what becomes smaller
    (bilinear, bicubic). PyTorch: torch.nn.functional.interpolate.
    """
    if mode in ("nearest", "area", "nearest-exact") and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    spatial = input.array.shape[2:]
    target, factors = _sizes(
        spatial, size, scale_factor, recompute_scale_factor or (mode == "area" and size is None), input
    )
    _check(input, mode, antialias)
    if input.array.dtype.kind != "f" and input.array.dtype != np.uint8:
        raise NotImplementedError(
            f"\"interpolate\" not implemented for '{type_name(input)}'; convert the tensor with .float() first"
        )
    if min(target) <= 0 or 0 in input.array.shape[1:]:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input {list(input.array.shape)} and output {list(target)}"
        )
    require_room((*input.array.shape[:2], *target), input.array.dtype.itemsize)
    if mode == "area":
        return _AREA[len(spatial)](input, target)
    real = np.float64 if input.array.dtype == np.float64 else np.float32
    corners = bool(align_corners)
    unchanged = True
    for d, (n, m) in enumerate(zip(spatial, target, strict=True)):
        factor = factors[d]
        ratio = n / m if factor is None or factor <= 0 else 1.0 / factor
        if mode.startswith("nearest"):
            places = _nearest(n, m, ratio, 0.5 if mode == "nearest-exact" else 0.0, len(spatial), real)
            input = index_select(input, 2 + d, wrap(places))
        elif antialias:
            if n == m:
                continue
            ratio = (n - 1) / (m - 1) if corners and m > 1 else 0.0 if corners else ratio
            shape = (_triangle, 1) if mode == "bilinear" else (_hump, 2)
            input = _blend(input, 2 + d, *_filtered(n, m, ratio, *shape, real))
        else:
            input = _blend(input, 2 + d, *(_cubic if mode == "bicubic" else _linear)(n, m, ratio, corners, real))
        unchanged = False
    return input.clone() if unchanged else input


@public("functional")
def upsample(
    input: Tensor, size: IntOrInts | None = None, scale_factor: float | Sequence[float] | None = None, mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:  # fmt: skip
    """`interpolate` by its old name, with PyTorch's warning. PyTorch: torch.nn.functional.upsample."""
    _warn_old("upsample", "nn.functional.interpolate")
    return interpolate(input, size, scale_factor, mode, align_corners)


@public("functional")
def upsample_nearest(
    input: Tensor, size: IntOrInts | None = None, scale_factor: float | Sequence[float] | None = None
) -> Tensor:
    """`interpolate(mode="nearest")` by its old name, with PyTorch's warning. PyTorch: torch.nn.functional.upsample_nearest."""
    _warn_old("upsample_nearest", "nn.functional.interpolate")
    return interpolate(input, size, scale_factor, mode="nearest")


@public("functional")
def upsample_bilinear(
    input: Tensor, size: IntOrInts | None = None, scale_factor: float | Sequence[float] | None = None
) -> Tensor:
    """`interpolate(mode="bilinear", align_corners=True)` by its old name, with PyTorch's warning.

    PyTorch: torch.nn.functional.upsample_bilinear.
    """
    _warn_old("upsample_bilinear", "nn.functional.interpolate")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def _warn_old(name: str, new: str) -> None:
    warnings.warn(f"`nn.functional.{name}` is deprecated. Use `{new}` instead.", stacklevel=3)
