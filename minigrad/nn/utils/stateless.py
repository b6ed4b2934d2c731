"""The old place of `func.functional_call`. PyTorch: torch.nn.utils.stateless."""

from __future__ import annotations

from typing import Any

from ... import missing
from ...func.modules import functional_call as _functional_call
from ...warn import warn
from ..module import Module

__all__ = ["functional_call"]


def functional_call(
    module: Module, parameters_and_buffers: dict[str, Any], args: Any = None, kwargs: dict[str, Any] | None = None, *,
    tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """module(*args, **kwargs) with these tensors, by name, in place of its own. PyTorch: the same name; new: func.functional_call."""
    warn(
        "`torch.nn.utils.stateless.functional_call` is deprecated as of PyTorch 2.0 and will be removed in a future version of "
        "PyTorch. Please use `torch.func.functional_call` instead which is a drop-in replacement.",
        FutureWarning,
    )
    return _functional_call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
