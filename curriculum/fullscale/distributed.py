"""Several processes under torchrun: gloo on CPUs, nccl on GPUs. With one process everything here is a no-op."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce


@contextmanager
def group(device: str) -> Iterator[tuple[int, int]]:
    """Join the group that torchrun names; gives (rank, number of processes)."""
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        yield 0, 1
        return
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield dist.get_rank(), dist.get_world_size()
    finally:
        dist.destroy_process_group()


def processes() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def total(values: list[float], device: str) -> list[float]:
    """The sums of the values over all processes."""
    if processes() == 1:
        return values
    summed = torch.tensor(values, dtype=torch.float64, device=device)
    dist.all_reduce(summed)
    return summed.tolist()


def wait(device: str) -> None:
    """Go on when every process has come here."""
    total([0.0], device)


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalization over the batches of all processes, as one process would do it; for CPUs.

    On GPUs nn.SyncBatchNorm does this; it has no version for CPUs.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or processes() == 1:
            return super().forward(x)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        count = torch.tensor([x.numel() / x.shape[1]], dtype=x.dtype)
        sums = all_reduce(torch.cat([x.sum((0, 2, 3)), (x * x).sum((0, 2, 3)), count]))
        n, channels = sums[-1].detach(), x.shape[1]
        mean = sums[:channels] / n
        var = sums[channels:-1] / n - mean * mean
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean += self.momentum * (mean - self.running_mean)
            self.running_var += self.momentum * (var * n / (n - 1) - self.running_var)
        scale = self.weight * torch.rsqrt(var + self.eps)
        return x * scale[:, None, None] + (self.bias - mean * scale)[:, None, None]


def share_batch_norm(model: nn.Module, device: str) -> nn.Module:
    """Let the model's batch normalizations see the whole batch of all processes."""
    if processes() == 1:
        return model
    if device.startswith("cuda"):
        return nn.SyncBatchNorm.convert_sync_batchnorm(model)
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SharedBatchNorm2d
    return model
