"""How minigrad runs: threads, kernels, and what it runs on."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

import numpy as np

from . import process
from .autograd.fused import kernels_enabled

_threads = {"count": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1}


def get_num_threads() -> int:
    """How many threads operations may use. PyTorch: torch.get_num_threads."""
    return _threads["count"]


def set_num_threads(n: int) -> None:
    """Let operations use n threads: BLAS's pool, where threadpoolctl is installed to reach it. PyTorch: torch.set_num_threads."""
    if not isinstance(n, int) or n < 1:
        raise RuntimeError(f"set_num_threads expects a positive integer, got {n!r}")
    try:
        import threadpoolctl
    except ImportError:
        if n != _threads["count"]:
            raise RuntimeError(
                "set_num_threads needs the package threadpoolctl to reach NumPy's BLAS (pip install threadpoolctl); or set "
                "OPENBLAS_NUM_THREADS before Python starts"
            ) from None
    else:
        threadpoolctl.threadpool_limits(limits=n, user_api="blas")
    _threads["count"] = n


def show_config() -> None:
    """Print what minigrad runs on: versions, BLAS and its core, threads, whether fused forms are on."""
    print(f"minigrad on Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}")
    try:
        import threadpoolctl

        for pool in threadpoolctl.threadpool_info():
            print(
                f"  {pool['user_api']}: {pool['internal_api']} {pool.get('version')}, core {pool.get('architecture')}, {pool['num_threads']} threads"
            )
    except ImportError:
        print("  BLAS: install threadpoolctl to see which")
    print(f"  freed memory: {'kept for the next arrays' if process.memory_is_kept else 'given back to the system'}")
    if not process.blas_sleeps:
        print("  BLAS: NumPy was imported before minigrad, so BLAS's idle threads keep turning; import minigrad first")
    print(
        f"  fused forms: {'on' if kernels_enabled() else 'off'}; Numba {'loaded' if 'numba' in sys.modules else 'not loaded'}"
    )


def compile(model: Any = None, **options: Any) -> Any:
    """The model itself: minigrad runs a program as it is written. PyTorch: torch.compile."""
    if model is None:
        return lambda f: f
    return model


def is_tensor(obj: Any) -> bool:
    """Whether obj is a tensor. PyTorch: torch.is_tensor."""
    from .tensor import Tensor

    return isinstance(obj, Tensor)


def is_floating_point(input: Any) -> bool:
    """Whether the tensor has a floating type. PyTorch: torch.is_floating_point."""
    return input.is_floating_point()


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Nothing to change: the same program on the same machine gives the same numbers. PyTorch: same name."""
