"""What computed: processor or card, versions, memory."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import torch

try:
    import resource
except ImportError:  # Windows does not tell
    resource = None  # type: ignore[assignment]


def machine(device: str) -> dict[str, str]:
    """What computed, by name and version, and the most memory that was needed: of the GPU since the training began, or of the
    process."""
    facts = {"machine": _cpu(), "python": platform.python_version(), "torch": torch.__version__}
    if device.startswith("cuda"):
        gib = [n / 2**30 for n in (torch.cuda.max_memory_allocated(device), torch.cuda.mem_get_info(device)[1])]
        facts |= {"machine": torch.cuda.get_device_name(device), "memory": f"{gib[0]:.1f} of {gib[1]:.0f} GiB"}
    elif resource is not None:
        unit = 1 if sys.platform == "darwin" else 1024
        facts["memory"] = f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30:.1f} GiB"
    return facts


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        found = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        return f"{found[0]}, {torch.get_num_threads()} threads"
    except (OSError, IndexError):
        return f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads"
