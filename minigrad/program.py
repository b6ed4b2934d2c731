"""What programs call to choose how PyTorch runs them. minigrad has one way, so nothing changes here: a setting is checked,
and answered as it was set."""

from __future__ import annotations

import warnings
from typing import Any

from . import threads
from .device import device as _device
from .device import require_cpu
from .tensor_options import flag

_settings: dict[str, Any] = {"warn_always": False, "precision": "highest", "deterministic": 0, "interop": None}


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Nothing to change: the same program on the same machine gives the same numbers. PyTorch: same name."""
    flag("use_deterministic_algorithms", "mode", mode)
    _settings["deterministic"] = (
        0 if not mode else 1 if flag("use_deterministic_algorithms", "warn_only", warn_only) else 2
    )


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` was told. PyTorch: same name."""
    return _settings["deterministic"] > 0


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether `use_deterministic_algorithms` was told to warn only. PyTorch: same name."""
    return _settings["deterministic"] == 1


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """0 or "default", 1 or "warn", 2 or "error": nothing changes. PyTorch: torch.set_deterministic_debug_mode."""
    names = ("default", "warn", "error")
    if not isinstance(debug_mode, int | str):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if isinstance(debug_mode, str) and debug_mode not in names:
        raise RuntimeError(
            f"invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got {debug_mode}"
        )
    if isinstance(debug_mode, int) and debug_mode not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    _settings["deterministic"] = names.index(debug_mode) if isinstance(debug_mode, str) else debug_mode


def get_deterministic_debug_mode() -> int:
    """0, 1 or 2, as it was set. PyTorch: torch.get_deterministic_debug_mode."""
    return _settings["deterministic"]


def set_float32_matmul_precision(precision: object) -> None:
    """Nothing to change: float32 is multiplied as float32, the "highest". PyTorch: torch.set_float32_matmul_precision."""
    if not isinstance(precision, str):
        raise RuntimeError(f"set_float32_matmul_precision expects a str, but got {type(precision).__name__}")
    if precision not in ("highest", "high", "medium"):
        warnings.warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the current setFloat32MatmulPrecision call has no "
            "effect.",
            UserWarning,
            stacklevel=2,
        )
        return
    _settings["precision"] = precision


def get_float32_matmul_precision() -> str:
    """As it was set. PyTorch: torch.get_float32_matmul_precision."""
    return _settings["precision"]


def set_warn_always(b: object) -> None:
    """Nothing to change: Python's warning filters decide. PyTorch: torch.set_warn_always."""
    if not isinstance(b, bool):
        raise RuntimeError(f"setWarnOnlyOnce expects a bool, but got {type(b).__name__}")
    _settings["warn_always"] = b


def is_warn_always_enabled() -> bool:
    """As it was set. PyTorch: torch.is_warn_always_enabled."""
    return _settings["warn_always"]


def set_num_interop_threads(n: object) -> None:
    """Nothing to change: operations run one after the other. PyTorch: torch.set_num_interop_threads."""
    if not isinstance(n, int) or isinstance(n, bool):
        raise RuntimeError(f"set_num_interop_threads expects an int, but got {type(n).__name__}")
    if n <= 0:
        raise RuntimeError(f"expected positive number of threads, got {n}")
    _settings["interop"] = n


def get_num_interop_threads() -> int:
    """As it was set; the number of threads where it was not. PyTorch: torch.get_num_interop_threads."""
    return _settings["interop"] or threads.get_num_threads()


def set_default_device(device: Any) -> None:
    """Nothing to change: there is one device, the CPU; others are refused. PyTorch: torch.set_default_device."""
    require_cpu(device, "set_default_device")


def get_default_device() -> _device:
    """The CPU. PyTorch: torch.get_default_device."""
    return _device("cpu")
