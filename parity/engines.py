"""The two engines that are compared, and the way of an array into each and back.

A case is one function `fn(torch, ...)`; `torch` is the module of either engine, as minigrad's public face is PyTorch's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import torch

import minigrad
from minigrad.autograd.variable import wrap

from .inputs import Input


@dataclass(frozen=True)
class Engine:
    """One engine: its module, which is passed to a case as `torch`, and conversions from and to NumPy."""

    name: str
    module: ModuleType

    @property
    def Tensor(self) -> type[Any]:
        return self.module.Tensor

    def tensor(self, x: Input, dtype: str | None = None, requires_grad: bool | None = None) -> Any:
        """A tensor with the values and the memory layout of `x`, on a copy of its memory."""
        buffer = x.buffer.copy() if dtype is None else x.buffer.astype(dtype)
        if self.module is torch:
            if any(s < 0 for s in x.strides):  # PyTorch knows no negative strides
                tensor = torch.from_numpy(x.view(buffer).copy(order="C"))
            else:
                tensor = torch.from_numpy(buffer).as_strided(x.shape, x.strides, x.offset)
        else:
            tensor = wrap(x.view(buffer))
        if x.grad if requires_grad is None else requires_grad:
            tensor.requires_grad_()
        return tensor

    def seed(self, seed: int) -> None:
        """Seed what is drawn on the CPU. `torch.manual_seed` says it to every kind of accelerator as well: where there is none it
        keeps that for later, with the stack of calls as text, which takes longer than most comparisons."""
        self.module.default_generator.manual_seed(seed)

    def array(self, tensor: Any) -> np.ndarray:
        """The values of a tensor; the memory is shared where there is any (PyTorch has zeros without memory)."""
        return tensor.array if self.module is minigrad else tensor.numpy(force=True)

    def dtype(self, tensor: Any) -> str:
        """The name of a tensor's dtype, such as "float64"."""
        return str(tensor.dtype).rpartition(".")[2]


MINIGRAD = Engine("minigrad", minigrad)
TORCH = Engine("PyTorch", torch)
ENGINES = (MINIGRAD, TORCH)

POSITIONS = ("fastest", "definition", "numpy", "compiled")  # of minigrad.use_kernels: the forms of fused operations


def named(x: Any) -> str:
    """The type of x as an error names it, with the engine where it is one's: torch.Tensor, minigrad.Tensor, int."""
    cls = type(x)
    package = cls.__module__.partition(".")[0]
    return cls.__name__ if package == "builtins" else f"{package}.{cls.__name__}"


def require_function(fn: Any, asked: str, wanted: str) -> None:
    """TypeError unless fn can be called. asked: the function of parity that was given it; wanted: what that takes."""
    if not callable(fn):
        raise TypeError(f"{asked}() takes {wanted}, not {named(fn)}")


@contextmanager
def default_dtype(name: str) -> Iterator[None]:
    """Both engines make new tensors and modules of this floating type."""
    before = [engine.module.get_default_dtype() for engine in ENGINES]
    for engine in ENGINES:
        engine.module.set_default_dtype(getattr(engine.module, name))
    try:
        yield
    finally:
        for engine, d in zip(ENGINES, before, strict=True):
            engine.module.set_default_dtype(d)
