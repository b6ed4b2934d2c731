"""Keep freed memory in the process: fresh memory is dear.

A step of training frees its arrays and asks for the same ones again. By default the C library gives large ones back to
the system at once, and the system hands out zeroed pages anew, one fault for each 4 KiB: measured here, that is two
thirds of the time of a 16-64-64-1 step on 4,096 rows and three quarters of a layer norm of 1024 x 768. So the C library
is told to keep up to 1 GiB of freed memory at the top of its heap, and to serve arrays up to 32 MiB (the most it allows)
from there. Other libraries in the process profit too. MINIGRAD_KEEP_MEMORY=0 leaves everything as it is.
"""

from __future__ import annotations

import os
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # from glibc's malloc.h
KEPT, LARGEST = 1 << 30, 32 << 20  # bytes


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
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGEST)) and bool(mallopt(_M_TRIM_THRESHOLD, KEPT))
