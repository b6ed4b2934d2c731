"""Switches of libraries that PyTorch computes with. Here each can be set and read, and changes nothing.

Each file is one library: its switches with PyTorch's first values, and answers to what programs ask. PyTorch: torch.backends.
"""

from .. import missing
from . import cpu, cuda, cudnn, mkl, mkldnn, mps, openmp, opt_einsum

__all__ = ["cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp", "opt_einsum"]


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
