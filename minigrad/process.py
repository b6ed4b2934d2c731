"""What minigrad asks of the process it runs in: two settings without which the arithmetic waits. Imported before NumPy.

*Freed memory is kept.* A step of training frees its arrays and asks for the same ones again. By default the C library
gives large ones back to the system at once, and the system hands out zeroed pages anew, one fault for each 4 KiB, which can
cost more than the arithmetic; more still where the system looks for huge pages first. So the C library is told to serve
arrays of every size from its heap, and to keep up to 1 GiB of what is freed at the heap's top. MINIGRAD_KEEP_MEMORY=0
leaves everything as it is.

*BLAS's idle threads sleep soon.* After a product OpenBLAS's threads go round waiting for the next one, for about 20 ms by
default, on the core that the next operation would use. They are told to sleep after a quarter of a millisecond. That is
read when NumPy is imported: in a program that imports NumPy first, set OPENBLAS_THREAD_TIMEOUT=20 in the environment. A
value of the user's own is left alone.

What both save: `benchmarks/README.md`, "What was measured on the way".
"""

from __future__ import annotations

import os
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # from glibc's malloc.h
KEPT = 1 << 30  # bytes
TIMEOUT = "20"  # OpenBLAS counts in powers of two of the processor's cycles


def keep_freed_memory() -> bool:
    """Tell glibc's malloc to keep freed memory; whether it was told. A user's own MALLOC_* settings are left alone."""
    if not sys.platform.startswith("linux") or os.environ.get("MINIGRAD_KEEP_MEMORY") == "0":
        return False
    if any(name in os.environ for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")):
        return False
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, KEPT))


def let_blas_sleep() -> bool:
    """Tell OpenBLAS, before NumPy loads it, that its idle threads may sleep; whether it will hear."""
    if "numpy" in sys.modules:
        return "OPENBLAS_THREAD_TIMEOUT" in os.environ
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", TIMEOUT)
    return True


blas_sleeps = let_blas_sleep()
memory_is_kept = keep_freed_memory()
