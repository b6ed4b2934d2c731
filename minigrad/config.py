"""What minigrad runs on, for a report of a fault or of a time."""

from __future__ import annotations

import platform
import sys

import numpy as np

from . import process
from .autograd.fused import kernels_position


def show_config() -> None:
    """Print what minigrad runs on: versions, BLAS and its core, threads, which form fused operations take."""
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
    print(f"  fused operations: {kernels_position()}; Numba {'loaded' if 'numba' in sys.modules else 'not loaded'}")
