"""A module on several GPUs, of which there are none: what programs wrap their models in."""

from __future__ import annotations

from typing import Any

from .module import Module


class DataParallel(Module):
    """A module under the name `module`, called as it is: without GPUs PyTorch's does no more, whatever device_ids say.

    PyTorch: torch.nn.DataParallel.
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.module = module
        self.device_ids: list[int] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)
