"""Mixed precision, switched off: minigrad computes in the types that a program gives. PyTorch: torch.amp.

On a machine without CUDA PyTorch switches `autocast("cuda")` and `GradScaler("cuda")` off with a warning, and so does
minigrad. What would compute in bfloat16 on the CPU is refused by name.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from . import dtypes, missing
from .device import device
from .tensor import Tensor

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]


class autocast(contextlib.ContextDecorator):
    """Operations inside in half precision: for "cuda" switched off with a warning; for "cpu" only with enabled=False.

    Errors: NotImplementedError where PyTorch would compute in half precision on the CPU. PyTorch: torch.amp.autocast.
    """

    def __init__(
        self,
        device_type: str,
        dtype: dtypes.dtype | None = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.device = device(device_type).type
        half = dtypes.bfloat16 if self.device == "cpu" else dtypes.float16
        self.fast_dtype = half if dtype is None else dtype
        if enabled and self.device == "cuda":
            warnings.warn("CUDA is not available or torch_xla is imported. Disabling autocast.", UserWarning, 2)
        elif enabled and self.device == "cpu" and self.fast_dtype in (dtypes.bfloat16, dtypes.float16):
            raise NotImplementedError(
                f"autocast('cpu', dtype={self.fast_dtype}): minigrad does not compute in half precision; give "
                "enabled=False, or leave it out"
            )
        elif enabled and self.device == "cpu":
            warnings.warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\nCPU Autocast only supports "
                "dtypes of torch.bfloat16, torch.float16 currently.",
                UserWarning,
                2,
            )

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *error: object) -> None:
        return None


def is_autocast_available(device_type: str) -> bool:
    """Whether there is an autocast for such a device: as in PyTorch, for the CPU and for CUDA. PyTorch: same name."""
    return device(device_type).type in ("cpu", "cuda", "mps", "xpu")


def custom_fwd(fwd: Callable | None = None, *, device_type: str, cast_inputs: Any = None) -> Callable:
    """The forward of a Function, as it is: autocast is off. PyTorch: torch.amp.custom_fwd."""
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)
    return fwd


def custom_bwd(bwd: Callable | None = None, *, device_type: str) -> Callable:
    """The backward of a Function, as it is: autocast is off. PyTorch: torch.amp.custom_bwd."""
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    return functools.partial(custom_bwd, device_type=device_type) if bwd is None else bwd


class GradScaler:
    """Scales the loss so that half-precision gradients do not vanish: `scale(loss).backward(); step(opt); update()`.

    For "cuda" it is switched off with a warning, and hands everything through; for "cpu" it scales. A step in which a
    gradient is inf or nan is left out, and the scale is made smaller. PyTorch: torch.amp.GradScaler.
    """

    def __init__(
        self, device: str = "cuda", init_scale: float = 2.0**16, growth_factor: float = 2.0,
        backoff_factor: float = 0.5, growth_interval: int = 2000, enabled: bool = True,
    ) -> None:  # fmt: skip
        if enabled and device == "cuda":
            warnings.warn(
                "torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.", UserWarning, 2
            )
            enabled = False
        self._enabled = enabled
        if enabled:
            assert growth_factor > 1.0, "The growth factor must be > 1.0."
            assert backoff_factor < 1.0, "The backoff factor must be < 1.0."
            self._init_scale, self._scale = init_scale, None
            self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
            self._growth_interval, self._growth_tracker = growth_interval, 0
            self._found: dict[int, bool] = {}  # by optimizer: whether its gradients, once unscaled, hold inf or nan
            self._stepped: set[int] = set()

    _scale: float | None

    def is_enabled(self) -> bool:
        """Whether it scales."""
        return self._enabled

    def scale(self, outputs: Any) -> Any:
        """The tensor, or each of an iterable, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            self._scale = self._init_scale if self._scale is None else self._scale
            return outputs * self._scale
        if isinstance(outputs, Iterable):
            scaled = map(self.scale, outputs)
            return type(outputs)(scaled) if isinstance(outputs, list | tuple) else scaled  # type: ignore[call-arg]
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def _need_scale(self, name: str) -> float:
        assert self._scale is not None, (
            f"Attempted {name} but _scale is None.  This may indicate your script did not use scaler.scale(loss or "
            "outputs) earlier in the iteration."
        )
        return self._scale

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of the optimizer's parameters by the scale, once in a step."""
        if not self._enabled:
            return
        factor = 1.0 / self._need_scale("unscale_")
        if id(optimizer) in self._stepped:
            raise RuntimeError("unscale_() is being called after step().")
        if id(optimizer) in self._found:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        found = False
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad.array[...] *= p.grad.array.dtype.type(factor)
                    found |= not bool(p.grad.isfinite().all())
        self._found[id(optimizer)] = found

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """`optimizer.step()` with unscaled gradients; nothing where one of them is inf or nan."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._need_scale("step")
        if id(optimizer) in self._stepped:
            raise RuntimeError("step() has already been called since the last update().")
        if id(optimizer) not in self._found:
            self.unscale_(optimizer)
        self._stepped.add(id(optimizer))
        return None if self._found[id(optimizer)] else optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """A smaller scale after inf or nan, a larger one after `growth_interval` steps without; or the one given."""
        if not self._enabled:
            return
        scale = self._need_scale("update")
        if new_scale is not None:
            self._scale = float(new_scale)
        else:
            assert self._found, "No inf checks were recorded prior to update."
            if any(self._found.values()):
                self._scale, self._growth_tracker = scale * self._backoff_factor, 0
            elif self._growth_tracker + 1 == self._growth_interval:
                self._scale, self._growth_tracker = scale * self._growth_factor, 0
            else:
                self._growth_tracker += 1
        self._found, self._stepped = {}, set()

    def get_scale(self) -> float:
        """The scale; 1 if it is switched off."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else self._scale

    def get_growth_factor(self) -> float:
        """By what the scale grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set by what the scale grows."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """By what the scale shrinks."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set by what the scale shrinks."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many steps without inf or nan the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set after how many steps the scale grows."""
        self._growth_interval = new_interval

    def state_dict(self) -> dict[str, Any]:
        """What is to be saved; empty if it is switched off."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(), "growth_factor": self._growth_factor, "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval, "_growth_tracker": self._growth_tracker,
        }  # fmt: skip

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state; does nothing if it is switched off."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._init_scale = state_dict["scale"]
        if self._scale is not None:
            self._scale = state_dict["scale"]
        self._growth_factor, self._backoff_factor = state_dict["growth_factor"], state_dict["backoff_factor"]
        self._growth_interval, self._growth_tracker = state_dict["growth_interval"], state_dict["_growth_tracker"]


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """False: autocast is off. PyTorch: torch.is_autocast_enabled."""
    device(device_type)
    return False


def get_autocast_dtype(device_type: str) -> dtypes.dtype:
    """The type in which autocast would compute. PyTorch: torch.get_autocast_dtype."""
    return dtypes.bfloat16 if device(device_type).type == "cpu" else dtypes.float16


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
