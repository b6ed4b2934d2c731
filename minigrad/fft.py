"""Of Fourier transforms what is real: the frequencies, and their order. PyTorch: torch.fft.

The transforms themselves give complex numbers, which minigrad has not: `numpy.fft.rfft(x.numpy())` computes them, without
a gradient.
"""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from . import dtypes, missing
from .ops import roll
from .ops.checks import require_tensor
from .tensor import Tensor
from .tensor_options import TensorOptions, leaf, read

__all__ = ["fftfreq", "fftshift", "ifftshift", "rfftfreq"]


def fftfreq(n: int, d: float = 1.0, **options: Unpack[TensorOptions]) -> Tensor:
    """[0, 1, ..., (n - 1) / 2, -n / 2, ..., -1] / (d n): the frequencies of a transform of n samples. PyTorch: same name."""
    kind, requires_grad = read("fft_fftfreq", options, dtypes.default_numpy())
    values = np.concatenate([np.arange((n - 1) // 2 + 1), np.arange(-(n // 2), 0)])
    return leaf((values * (1.0 / (n * d))).astype(kind), requires_grad)


def rfftfreq(n: int, d: float = 1.0, **options: Unpack[TensorOptions]) -> Tensor:
    """[0, 1, ..., n / 2] / (d n): the frequencies of a transform of n real samples. PyTorch: same name."""
    kind, requires_grad = read("fft_rfftfreq", options, dtypes.default_numpy())
    return leaf((np.arange(n // 2 + 1) * (1.0 / (n * d))).astype(kind), requires_grad)


def _dims(input: Tensor, dim: Any) -> tuple[int, ...]:
    if dim is None:
        return tuple(range(input.dim()))
    return (dim,) if isinstance(dim, int) else tuple(dim)


def fftshift(input: Tensor, dim: Any = None) -> Tensor:
    """The frequency 0 in the middle: each dimension (all, if None) rolled by half its length. PyTorch: same name."""
    require_tensor(input, "fft_fftshift")
    dims = _dims(input, dim)
    return roll(input, tuple(input.shape[k] // 2 for k in dims), dims)


def ifftshift(input: Tensor, dim: Any = None) -> Tensor:
    """Back from `fftshift`. PyTorch: same name."""
    require_tensor(input, "fft_ifftshift")
    dims = _dims(input, dim)
    return roll(input, tuple((input.shape[k] + 1) // 2 for k in dims), dims)


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
