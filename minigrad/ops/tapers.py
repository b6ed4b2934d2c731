"""Windows that fade a signal out at its ends: Hann, Hamming, Blackman, Bartlett, Kaiser.

periodic=True gives the first `window_length` values of a window one longer, as Fourier transforms want it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from .. import dtypes
from ..public import public
from ..tensor_options import NOT_GIVEN, TensorOptions, leaf, read

if TYPE_CHECKING:
    from ..tensor import Tensor


def _window(name: str, length: int, periodic: bool, options: TensorOptions, shape: Any) -> Any:
    """The leaf with `shape(phase)`, phase running from 0 to 1 over the window."""
    d, requires_grad = read(name, options, dtypes.default_numpy())
    if d.kind != "f":
        raise RuntimeError(f"{name} expects floating point dtypes, got: {d}")
    if length < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={length}")
    if length <= 1:
        return leaf(np.ones(length, d), requires_grad)
    steps = length if periodic else length - 1
    return leaf(shape(np.arange(length, dtype=np.float64) / steps).astype(d), requires_grad)


@public
def hann_window(window_length: int, periodic: bool = True, **options: Unpack[TensorOptions]) -> Tensor:
    """½ - ½ cos 2πt, t from 0 to 1: (window_length,). PyTorch: torch.hann_window."""
    return _window("hann_window", window_length, periodic, options, lambda t: 0.5 - 0.5 * np.cos(2 * math.pi * t))


@public
def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = NOT_GIVEN, beta: float = NOT_GIVEN, **options: Unpack[TensorOptions]
) -> Tensor:  # fmt: skip
    """alpha - beta · cos 2πt, t from 0 to 1, by default 0.54 - 0.46 cos: (window_length,). PyTorch: torch.hamming_window."""
    if alpha is NOT_GIVEN and beta is not NOT_GIVEN:
        raise TypeError(
            "hamming_window(): beta needs alpha beside it: hamming_window(window_length, periodic, alpha, beta)"
        )
    alpha, beta = 0.54 if alpha is NOT_GIVEN else alpha, 0.46 if beta is NOT_GIVEN else beta
    return _window("hamming_window", window_length, periodic, options, lambda t: alpha - beta * np.cos(2 * math.pi * t))


@public
def blackman_window(window_length: int, periodic: bool = True, **options: Unpack[TensorOptions]) -> Tensor:
    """0.42 - ½ cos 2πt + 0.08 cos 4πt, t from 0 to 1: (window_length,). PyTorch: torch.blackman_window."""
    return _window(
        "blackman_window", window_length, periodic, options,
        lambda t: np.abs(0.42 - 0.5 * np.cos(2 * math.pi * t) + 0.08 * np.cos(4 * math.pi * t)),
    )  # fmt: skip


@public
def bartlett_window(window_length: int, periodic: bool = True, **options: Unpack[TensorOptions]) -> Tensor:
    """1 - |2t - 1|, a triangle, t from 0 to 1: (window_length,). PyTorch: torch.bartlett_window."""
    return _window("bartlett_window", window_length, periodic, options, lambda t: 1 - np.abs(2 * t - 1))


@public
def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, **options: Unpack[TensorOptions]
) -> Tensor:
    """I₀(beta √(1 - (2t - 1)²)) / I₀(beta), t from 0 to 1: (window_length,). PyTorch: torch.kaiser_window."""
    return _window(
        "kaiser_window", window_length, periodic, options,
        lambda t: np.i0(beta * np.sqrt(np.maximum(1 - (2 * t - 1) ** 2, 0))) / np.i0(beta),
    )  # fmt: skip
