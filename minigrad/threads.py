"""How many threads operations may use. Imports nothing of minigrad: the compiled loops ask from below."""

from __future__ import annotations

import os

_threads = {"count": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1}


def get_num_threads() -> int:
    """How many threads operations may use. PyTorch: torch.get_num_threads."""
    return _threads["count"]


def set_num_threads(n: object) -> None:
    """Let operations use n threads: BLAS's pool, where threadpoolctl is installed to reach it. PyTorch: torch.set_num_threads."""
    if not isinstance(n, int) or isinstance(n, bool) or n < 1:
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
