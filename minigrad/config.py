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
    print(f"  compiled loops: {_loops()}")


def _loops() -> str:
    """What the compiled loops chose by what the processor is."""
    gemm, batch = (sys.modules.get(f"minigrad.kernels.{name}") for name in ("gemm", "conv_batch"))
    if gemm is None:
        return "not loaded, so nothing has been chosen yet"
    said = (
        f"for {gemm.PROCESSOR}: vectors of {8 * gemm.VECTOR_BYTES} bits, tiles of {gemm.WIDE[0]} x {gemm.WIDE[1]} and "
        f"{gemm.TALL[0]} x {gemm.TALL[1]} vectors"
    )
    return said if batch is None else f"{said}; convolution of a batch with an image in each lane {batch.choice()}"
