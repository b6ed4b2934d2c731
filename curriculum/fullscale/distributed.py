"""Several processes under torchrun: gloo on CPUs, nccl on GPUs. With one process everything here is a no-op."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

_PATIENCE = datetime.timedelta(days=7)  # for who waits while the first process tests


@contextmanager
def group(device: str) -> Iterator[tuple[int, int]]:
    """Join the group that torchrun names; gives (rank, number of processes).

    Who has nothing more to do waits for the others: a group that ends under the first process while it still tests takes
    that one with it. Where a process fails, it ends at once, and torchrun ends the others.
    """
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        yield 0, 1
        return
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    patient = dist.new_group(backend="gloo", timeout=_PATIENCE)
    try:
        yield dist.get_rank(), dist.get_world_size()
        dist.barrier(patient)
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


def all_of(value: float, device: str) -> list[int]:
    """The whole number that each process gave, in every process."""
    if processes() == 1:
        return [int(value)]
    given = [0.0] * processes()
    given[dist.get_rank()] = value
    return [int(number) for number in total(given, device)]


def wait(device: str) -> None:
    """Go on when every process has come here."""
    total([0.0], device)


_idle = False


@contextmanager
def idle(is_so: bool) -> Iterator[None]:
    """While this process computes on a sample that is no part of the batch, only so that all take part in every exchange."""
    global _idle
    before, _idle = _idle, is_so
    try:
        yield
    finally:
        _idle = before


class _Sum(torch.autograd.Function):
    """out = the sum of x over all processes.  dx = the sum of grad over all processes"""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        out = x.detach().clone()
        dist.all_reduce(out)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        dx = grads[0].contiguous().clone()
        dist.all_reduce(dx)
        return dx


class SharedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch normalization over the batches of all processes, as one process would do it.

    nn.SyncBatchNorm does this on GPUs, faster; it has no version for CPUs, and cannot leave out the sample of a process that
    is idle. Sums are taken in float32 at least, and the variance from the deviations: E[x²] - E[x]² would lose its digits.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"batch normalization wants (n, channels, ...), this has the shape {tuple(input.shape)}")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        if not self.training or processes() == 1:
            return super().forward(input)
        x = input if input.dtype == torch.float64 else input.float()
        over = [0, *range(2, x.dim())]
        column = (1, -1, *(1,) * (x.dim() - 2))
        share = 0.0 if _idle else 1.0
        count = torch.tensor([share * x.numel() / x.shape[1]], dtype=x.dtype, device=x.device)
        sums = _Sum.apply(torch.cat([share * x.sum(over), count]))
        n = sums[-1].detach()
        if n.item() < 2:
            raise ValueError(f"Expected more than 1 value per channel when training, got input size {input.shape}")
        mean = sums[:-1] / n
        apart = x - mean.reshape(column)
        var = _Sum.apply(share * (apart * apart).sum(over)) / n
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            with torch.no_grad():
                self.num_batches_tracked += 1
                part = 1 / self.num_batches_tracked.item() if self.momentum is None else self.momentum
                self.running_mean += part * (mean - self.running_mean)
                self.running_var += part * (var * n / (n - 1) - self.running_var)
        out = apart * torch.rsqrt(var + self.eps).reshape(column)
        if self.affine:
            out = out * self.weight.reshape(column) + self.bias.reshape(column)
        return out.to(input.dtype)


def share_batch_norm(model: nn.Module, device: str, some_idle: bool) -> nn.Module:
    """Let the model's batch normalizations see the whole batch of all processes, of which some may have no part of it."""
    if processes() == 1:
        return model
    if device.startswith("cuda") and not some_idle:
        return nn.SyncBatchNorm.convert_sync_batchnorm(model)
    for module in model.modules():
        if type(module) in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d):
            module.__class__ = SharedBatchNorm
    return model
