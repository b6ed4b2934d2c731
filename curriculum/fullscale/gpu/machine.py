"""What computes: packages beside requirements.lock, the GPU, what it reaches on a large product."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMED = (
    "torch", "transformers", "tokenizers", "safetensors", "accelerate", "peft", "captum", "datasets", "numpy", "numba", "scikit-learn",
    "pandas", "matplotlib", "tqdm", "rich", "onnx", "onnxruntime", "onnxscript", "starlette", "uvicorn", "pytest", "hypothesis", "triton",
)  # fmt: skip


def packages(lock: Path = Path(__file__).parents[3] / "requirements.lock") -> dict[str, Any]:
    """Which packages are here in the lock's version, which in another, which are missing."""
    wanted: dict[str, str] = {}
    if lock.exists():
        for line in lock.read_text(encoding="utf-8").splitlines():
            if match := re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)", line):
                wanted[match[1].lower()] = match[2]
    same, other, missing = [], [], []
    for name in NAMED:
        try:
            here = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
            continue
        locked = wanted.get(name)
        if locked is None or here.partition("+")[0] == locked.partition("+")[0]:
            same.append(f"{name} {here}")
        else:
            other.append(f"{name} {here}, the lock has {locked}")
    return {"packages": same, "packages_of_other_versions": other, "packages_missing": missing}


def device(name: str) -> dict[str, Any]:
    """The device and the libraries under it."""
    import torch

    from ..machine import machine

    found: dict[str, Any] = {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "cpu": machine("cpu")["machine"],
    }
    if not name.startswith("cuda"):
        return found | {"gpu": None}
    properties = torch.cuda.get_device_properties(name)
    return found | {
        "gpu": properties.name, "memory_gib": round(properties.total_memory / 2**30, 1), "capability": f"{properties.major}.{properties.minor}",
        "multiprocessors": properties.multi_processor_count, "gpus": torch.cuda.device_count(), "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(), "driver": _driver(), "bf16": torch.cuda.is_bf16_supported(including_emulation=False),
    }  # fmt: skip


def _driver() -> str | None:
    """The driver's version, where its tool is there; PyTorch itself needs neither that nor nvcc."""
    try:
        asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.split("\n")[0].strip() or None


def limits(name: str, size: int) -> Iterator[tuple[str, float]]:
    """TFLOP/s of a large product by precision, GB/s of a copy: the fastest of several, by the device's own clock."""
    import torch

    place = torch.device(name)
    cuda = place.type == "cuda"
    kinds = [("bf16", torch.bfloat16), ("fp16", torch.float16), ("fp32", torch.float32)]
    for kind, dtype in kinds if cuda else kinds[::2]:
        a = torch.randn(size, size, device=place, dtype=dtype)
        b = torch.randn_like(a)
        seconds = fastest(lambda a=a, b=b: a @ b, place, 20)  # type: ignore[misc]
        yield f"matrix_tflops_{kind}", round(2 * size**3 / seconds / 1e12, 2)
    source = torch.randn(size * size, device=place)
    target = torch.empty_like(source)
    seconds = fastest(lambda: target.copy_(source), place, 10)
    yield "copy_gb_per_second", round(2 * source.numel() * 4 / seconds / 1e9, 1)


def fastest(work: Any, place: Any, times: int) -> float:
    """Seconds of the fastest of several calls; on a GPU between two events of its stream."""
    import time

    import torch

    found = []
    for _ in range(times):
        if place.type == "cuda":
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            work()
            end.record()
            end.synchronize()
            found.append(begin.elapsed_time(end) / 1000)
        else:
            start = time.perf_counter()
            work()
            found.append(time.perf_counter() - start)
    return min(found)
