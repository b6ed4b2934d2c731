"""Averages of the parameters over training: stochastic weight averaging, and exponential moving averages.

PyTorch: torch.optim.swa_utils. Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better Generalization".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import TYPE_CHECKING, Any

from .. import creation, dtypes
from ..autograd.modes import no_grad
from ..device import require_cpu
from ..nn.module import Module
from ..nn.norm import _BatchNorm
from .lr_base import LRScheduler, for_each_group
from .optimizer import Optimizer

if TYPE_CHECKING:
    pass


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def get_ema_avg_fn(decay: float = 0.999) -> Callable:
    """For `AveragedModel(avg_fn=...)`: average ← decay · average + (1 - decay) · new."""
    _check_decay(decay)

    @no_grad()
    def ema(average: Any, new: Any, count: Any) -> Any:
        return decay * average + (1 - decay) * new

    return ema


def get_swa_avg_fn() -> Callable:
    """For `AveragedModel(avg_fn=...)`: average ← average + (new - average) / (count + 1), the mean of all so far."""

    @no_grad()
    def mean(average: Any, new: Any, count: Any) -> Any:
        return average + (new - average) / (count + 1)

    return mean


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable:
    """As `get_ema_avg_fn`, for `AveragedModel(multi_avg_fn=...)`: takes lists of tensors, and changes the averages in place."""
    _check_decay(decay)

    @no_grad()
    def ema(averages: list[Any], news: list[Any], count: Any) -> None:
        for average, new in zip(averages, news, strict=True):
            if average.is_floating_point():
                average.lerp_(new, 1 - decay)
            else:
                average.copy_(average * decay + new * (1 - decay))

    return ema


def get_swa_multi_avg_fn() -> Callable:
    """As `get_swa_avg_fn`, for `AveragedModel(multi_avg_fn=...)`: takes lists of tensors, and changes the averages in place."""

    @no_grad()
    def mean(averages: list[Any], news: list[Any], count: Any) -> None:
        for average, new in zip(averages, news, strict=True):
            if not average.is_floating_point():
                raise RuntimeError("get_swa_multi_avg_fn: whole numbers have no mean among whole numbers; use avg_fn")
            average.lerp_(new, float(1 / (count + 1)))

    return mean


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's: `update_parameters(model)` adds what they are now.

    avg_fn(average, new, count) gives the new average of one tensor, multi_avg_fn(averages, news, count) changes those of all
    tensors of a type; without either it is the mean. use_buffers: buffers are averaged too, else copied.
    """

    n_averaged: Any

    def __init__(
        self, model: Module, device: Any = None, avg_fn: Callable | None = None, multi_avg_fn: Callable | None = None,
        use_buffers: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        require_cpu(device, "AveragedModel")
        self.module = deepcopy(model)
        self.register_buffer("n_averaged", creation.tensor(0, dtype=dtypes.int64))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Add the model's present parameters to the averages."""
        mine = chain(self.module.parameters(), self.module.buffers()) if self.use_buffers else self.parameters()
        its = chain(model.parameters(), model.buffers()) if self.use_buffers else model.parameters()
        pairs = [(average.detach(), new.detach()) for average, new in zip(mine, its, strict=False)]
        if self.n_averaged == 0:
            for average, new in pairs:
                average.copy_(new)
        elif self.multi_avg_fn is not None:
            for kind in dict.fromkeys(average.dtype for average, _ in pairs):
                alike = [pair for pair in pairs if pair[0].dtype == kind]
                self.multi_avg_fn([a for a, _ in alike], [n for _, n in alike], self.n_averaged)
        else:
            next_average = self.avg_fn or get_swa_avg_fn()
            for average, new in pairs:
                average.copy_(next_average(average, new, self.n_averaged))
        if not self.use_buffers:
            for copy, buffer in zip(self.module.buffers(), model.buffers(), strict=True):
                copy.detach().copy_(buffer.detach())
        self.n_averaged += 1


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Measure the running statistics of all batch norms anew, over all batches of a loader (of pairs: the first of each)."""
    require_cpu(device, "update_bn")
    momenta = {module: module.momentum for module in model.modules() if isinstance(module, _BatchNorm)}
    if not momenta:
        return
    was_training = model.training
    model.train()
    for module in momenta:
        module.reset_running_stats()
        module.momentum = None  # the plain mean of all batches
    for batch in loader:
        model(batch[0] if isinstance(batch, list | tuple) else batch)
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From the present rate to swa_lr over anneal_epochs, along half a cosine or a line, and constant from there."""

    def __init__(
        self, optimizer: Optimizer, swa_lr: Any, anneal_epochs: int = 10, anneal_strategy: str = "cos", last_epoch: int = -1
    ) -> None:  # fmt: skip
        for group, rate in zip(optimizer.param_groups, for_each_group("swa_lr", optimizer, swa_lr), strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        """How much of swa_lr the rate holds after so many steps."""
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        rates = []
        for group in self.optimizer.param_groups:
            target = group["swa_lr"]  # the rate without annealing, from the present mixture of the two
            first = target if before == 1 else (group["lr"] - before * target) / (1 - before)
            rates.append(target * now + first * (1 - now))
        return rates
