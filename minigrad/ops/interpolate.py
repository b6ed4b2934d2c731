"""Images made larger or smaller: interpolation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..autograd.variable import Array, wrap
from ..missing import refuse
from ..public import public
from .along import index_select
from .checks import type_name
from .matrix import matmul
from .windows import IntOrInts, tuple_of

if TYPE_CHECKING:
    from ..tensor import Tensor


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


@public("functional")
def interpolate(
    input: Tensor, size: IntOrInts | None = None, scale_factor: float | Sequence[float] | None = None, mode: str = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: bool | None = None, antialias: bool = False,
) -> Tensor:  # fmt: skip
    """The spatial dimensions of (N, C, *spatial) to `size`, or times scale_factor: mode "nearest", "linear" or "bilinear".

    PyTorch: torch.nn.functional.interpolate.
    """
    refuse("interpolate", antialias=antialias)
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
    if input.array.dtype.kind != "f" and input.array.dtype != np.uint8:
        raise NotImplementedError(
            f"\"interpolate\" not implemented for '{type_name(input)}'; convert the tensor with .float() first"
        )
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
        assert scale_factor is not None
        factors = tuple(scale_factor) if isinstance(scale_factor, Sequence) else (scale_factor,) * rank
        if len(factors) != rank:
            raise ValueError(
                f"Input and scale_factor must have the same number of spatial dimensions, but got input with spatial dimensions "
                f"of {list(spatial)} and scale_factor of shape {list(factors)}"
            )
        if any(not 0 < n * f < 2**63 for n, f in zip(spatial, factors, strict=True) if n):
            raise RuntimeError(f"Input and output sizes should be greater than 0, but got scale_factor={list(factors)}")
        target = tuple(math.floor(n * f) for n, f in zip(spatial, factors, strict=True))
        scales = [None if recompute_scale_factor else 1 / f for f in factors]
    for d, (n, m) in enumerate(zip(spatial, target, strict=True)):
        scale = scales[d]
        ratio = n / m if scale is None else scale
        if mode == "nearest":
            places = np.minimum(np.floor(np.arange(m) * np.float32(ratio)), n - 1).astype(np.int64)
            input = index_select(input, 2 + d, wrap(places))
        else:
            weights = _linear_weights(n, m, ratio, bool(align_corners)).astype(input.array.dtype)
            input = matmul(input.movedim(2 + d, -1), wrap(np.ascontiguousarray(weights.T))).movedim(-1, 2 + d)
    return input
