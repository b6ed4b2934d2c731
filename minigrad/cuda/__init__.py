"""What programs ask `torch.cuda` before they choose a device. The answer here is always: there is none.

Questions are answered as PyTorch answers them on a machine without CUDA; what would use a GPU raises PyTorch's
AssertionError, or RuntimeError for streams and events.
"""

from __future__ import annotations

from typing import Any, NoReturn

from .. import dtypes, missing
from ..legacy import tensor_type
from . import amp

__all__ = [
    "BFloat16Tensor", "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "Event", "FloatTensor", "HalfTensor",
    "IntTensor", "LongTensor", "ShortTensor", "Stream", "amp", "current_device", "current_stream", "device_count",
    "empty_cache", "get_arch_list", "get_device_capability", "get_device_name", "get_device_properties", "get_rng_state_all",
    "init", "initial_seed", "ipc_collect", "is_available", "is_bf16_supported", "is_initialized", "is_tf32_supported",
    "manual_seed", "manual_seed_all", "max_memory_allocated", "max_memory_reserved", "mem_get_info", "memory_allocated",
    "memory_reserved", "memory_stats", "reset_peak_memory_stats", "seed", "seed_all", "set_device", "set_rng_state_all",
    "synchronize",
]  # fmt: skip

FloatTensor, DoubleTensor = tensor_type(dtypes.float32, True), tensor_type(dtypes.float64, True)
HalfTensor, BFloat16Tensor = tensor_type(dtypes.float16, True), tensor_type(dtypes.bfloat16, True)
LongTensor, IntTensor = tensor_type(dtypes.int64, True), tensor_type(dtypes.int32, True)
ShortTensor, CharTensor = tensor_type(dtypes.int16, True), tensor_type(dtypes.int8, True)
ByteTensor, BoolTensor = tensor_type(dtypes.uint8, True), tensor_type(dtypes.bool_, True)


def _no_gpu(name: str) -> NoReturn:
    raise AssertionError(
        f"minigrad computes on the CPU only; ask torch.cuda.is_available() before torch.cuda.{name}() (Torch not compiled "
        "with CUDA enabled)"
    )


def is_available() -> bool:
    """False: minigrad computes on the CPU."""
    return False


def is_initialized() -> bool:
    """False: there is nothing to initialize."""
    return False


def device_count() -> int:
    """0: minigrad computes on the CPU."""
    return 0


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False: minigrad computes in float32 and float64."""
    return False


def is_tf32_supported() -> bool:
    """False: minigrad computes in float32 and float64."""
    return False


def get_arch_list() -> list[str]:
    """[]: there are no GPUs to have an architecture."""
    return []


def manual_seed(seed: int) -> None:
    """Nothing to seed; as in PyTorch, no error without a GPU."""


def manual_seed_all(seed: int) -> None:
    """Nothing to seed; as in PyTorch, no error without a GPU."""


def seed() -> None:
    """Nothing to seed; as in PyTorch, no error without a GPU."""


def seed_all() -> None:
    """Nothing to seed; as in PyTorch, no error without a GPU."""


def get_rng_state_all() -> list[Any]:
    """[]: there are no generators on GPUs."""
    return []


def set_rng_state_all(new_states: Any) -> None:
    """Nothing to set; states of GPUs' generators are refused."""
    if list(new_states):
        _no_gpu("set_rng_state_all")


def empty_cache() -> None:
    """Nothing to empty; as in PyTorch, no error without a GPU."""


def memory_allocated(device: Any = None) -> int:
    """0: there is no GPU memory."""
    return 0


def max_memory_allocated(device: Any = None) -> int:
    """0: there is no GPU memory."""
    return 0


def memory_reserved(device: Any = None) -> int:
    """0: there is no GPU memory."""
    return 0


def max_memory_reserved(device: Any = None) -> int:
    """0: there is no GPU memory."""
    return 0


def memory_stats(device: Any = None) -> dict[str, Any]:
    """{}: there is no GPU memory."""
    return {}


def init() -> NoReturn:
    """AssertionError: there is no GPU."""
    _no_gpu("init")


def current_device() -> NoReturn:
    """AssertionError: there is no GPU."""
    _no_gpu("current_device")


def set_device(device: Any) -> NoReturn:
    """AssertionError: there is no GPU."""
    _no_gpu("set_device")


def get_device_name(device: Any = None) -> NoReturn:
    """AssertionError: there is no GPU."""
    _no_gpu("get_device_name")


def get_device_properties(device: Any = None) -> NoReturn:
    """AssertionError: there is no GPU."""
    _no_gpu("get_device_properties")


def get_device_capability(device: Any = None) -> NoReturn:
    """AssertionError: there is no GPU."""
    _no_gpu("get_device_capability")


def mem_get_info(device: Any = None) -> NoReturn:
    """AssertionError: there is no GPU."""
    _no_gpu("mem_get_info")


def reset_peak_memory_stats(device: Any = None) -> NoReturn:
    """AssertionError: there is no GPU."""
    _no_gpu("reset_peak_memory_stats")


def initial_seed() -> NoReturn:
    """AssertionError: there is no GPU."""
    _no_gpu("initial_seed")


def ipc_collect() -> NoReturn:
    """AssertionError: there is no GPU."""
    _no_gpu("ipc_collect")


def synchronize(device: Any = None) -> NoReturn:
    """AssertionError: there is no GPU to wait for."""
    _no_gpu("synchronize")


def current_stream(device: Any = None) -> NoReturn:
    """AssertionError: there is no GPU."""
    _no_gpu("current_stream")


class Stream:
    """A queue of a GPU's work: RuntimeError, there is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("torch.cuda.Stream requires CUDA support; minigrad computes on the CPU only")


class Event:
    """A mark in a queue of a GPU's work: RuntimeError, there is none. Measure times with time.perf_counter()."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(
            "torch.cuda.Event requires CUDA support; minigrad computes on the CPU only: measure with time.perf_counter()"
        )


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
