"""Of Fourier transforms what is real: the frequencies, and their order. PyTorch: torch.fft.

The transforms themselves give complex numbers, which minigrad has not: `numpy.fft.rfft(x.numpy())` computes them, without
a gradient.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from . import dtypes, missing
from .ops import roll
from .ops.axes import Dims
from .ops.checks import require_room
from .ops.dims import normalize_dim
from .quiet import quiet
from .signature import publish
from .tensor import Tensor
from .tensor_options import TensorOptions, leaf, read

__all__ = ["fftfreq", "fftshift", "ifftshift", "rfftfreq"]


def fftfreq(n: int, d: float = 1.0, **options: Unpack[TensorOptions]) -> Tensor:
    """[0, 1, ..., (n - 1) / 2, -n / 2, ..., -1] / (d n): the frequencies of a transform of n samples. PyTorch: same name."""
    kind, requires_grad = read("fft_fftfreq", options, dtypes.default_numpy())
    _check("fftfreq", kind, n)
    values = np.concatenate([np.arange((n - 1) // 2 + 1), np.arange(-(n // 2), 0)])
    return leaf(_scaled(values, n * d, kind), requires_grad)


def rfftfreq(n: int, d: float = 1.0, **options: Unpack[TensorOptions]) -> Tensor:
    """[0, 1, ..., n / 2] / (d n): the frequencies of a transform of n real samples. PyTorch: same name."""
    kind, requires_grad = read("fft_rfftfreq", options, dtypes.default_numpy())
    _check("rfftfreq", kind, int(n / 2) + 1)
    return leaf(_scaled(np.arange(int(n / 2) + 1), n * d, kind), requires_grad)


def _check(name: str, kind: np.dtype, size: int) -> None:
    if kind.kind != "f":
        raise RuntimeError(f"{name} requires a floating point or complex dtype")
    if size < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {size}: [{size}]")
    require_room((size,), 8)


@quiet
def _scaled(values: np.ndarray, by: float, kind: np.dtype) -> np.ndarray:
    """values / by, also where by is 0."""
    return (values * (np.float64(1) / by)).astype(kind)


def _dims(input: Tensor, dim: Dims) -> tuple[int, ...]:
    if dim is not None and not input.dim():
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    dims = range(input.dim()) if dim is None else (dim,) if isinstance(dim, int) else dim
    return tuple(normalize_dim(d, input.dim()) for d in dims)


def fftshift(input: Tensor, dim: Dims = None) -> Tensor:
    """The frequency 0 in the middle: each dimension (all, if None) rolled by half its length. PyTorch: same name."""
    dims = _dims(input, dim)
    return roll(input, tuple(input.shape[k] // 2 for k in dims), dims)


def ifftshift(input: Tensor, dim: Dims = None) -> Tensor:
    """Back from `fftshift`. PyTorch: same name."""
    dims = _dims(input, dim)
    return roll(input, tuple((input.shape[k] + 1) // 2 for k in dims), dims)


globals().update(publish(globals(), __name__))


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
