"""The schedule that looks at how training goes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, SupportsFloat

import numpy as np

from ..foreign import said
from ..warn import warn
from .lr_base import EPOCH_GIVEN, LRScheduler, require_optimizer, set_value
from .optimizer import Optimizer


class ReduceLROnPlateau(LRScheduler):
    """Times factor when a measure has not improved for more than `patience` steps: `step(measure)`.

    An improvement is one by more than threshold (a share of the best so far with "rel", else a difference); after each
    reduction `cooldown` steps are not counted. PyTorch: torch.optim.lr_scheduler.ReduceLROnPlateau.
    """

    def __init__(
        self, optimizer: Optimizer, mode: str = "min", factor: float = 0.1, patience: float = 10, threshold: float = 1e-4,
        threshold_mode: str = "rel", cooldown: float = 0, min_lr: float | Sequence[float] = 0, eps: float = 1e-8,
    ) -> None:  # fmt: skip
        if factor >= 1.0:
            raise ValueError("Factor should be < 1.0.")
        require_optimizer(optimizer)
        self.factor = factor
        n = len(optimizer.param_groups)
        if isinstance(min_lr, list | tuple):
            if len(min_lr) != n:
                raise ValueError(f"expected {n} min_lrs, got {len(min_lr)}")
            self.default_min_lr, self.min_lrs = None, list(min_lr)
        else:
            self.default_min_lr, self.min_lrs = min_lr, [min_lr] * n
        self.cooldown_counter: float
        self.optimizer, self.patience, self.cooldown, self.eps = optimizer, patience, cooldown, eps
        self.last_epoch = 0
        self._last_lr = self._rates()
        self._choose(mode, threshold, threshold_mode)
        self._reset()

    def _choose(self, mode: str, threshold: float, threshold_mode: str) -> None:
        """What counts as better."""
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode} is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {threshold_mode} is unknown!")
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode

    def _reset(self) -> None:
        self.best, self.cooldown_counter, self.num_bad_epochs = self.mode_worse, 0, 0

    def _is_better(self, a: float, best: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        bar = best * (1.0 + sign * self.threshold) if self.threshold_mode == "rel" else best + sign * self.threshold
        return a > bar if self.mode == "max" else a < bar

    @property
    def in_cooldown(self) -> bool:
        return self.cooldown_counter > 0

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take note of this epoch's measure."""
        current = self._number(metrics)
        if epoch is None:
            epoch = self.last_epoch + 1
        else:
            warn(EPOCH_GIVEN)
        self.last_epoch = epoch
        if self._is_better(current, self.best):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce_lr()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = self._rates()

    @staticmethod
    def _number(metrics: Any) -> float:
        """The measure as a float. Errors: TypeError for what is no number, ValueError for a text that says none."""
        of_numbers = (
            isinstance(metrics, str) or hasattr(type(metrics), "__float__") or hasattr(type(metrics), "__index__")
        )
        if not of_numbers or (isinstance(metrics, np.ndarray) and metrics.size != 1):
            raise TypeError(f"ReduceLROnPlateau.step(): argument 'metrics' must be float, not {said(metrics)}")
        try:
            return float(metrics)
        except ValueError:
            raise ValueError(f"ReduceLROnPlateau.step(): argument 'metrics' must be float, not {metrics!r}") from None

    def _reduce_lr(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):  # groups were added since
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"The number of param groups in the `optimizer` ({len(groups)}) differs from when `ReduceLROnPlateau` was "
                    f"initialized ({len(self.min_lrs)}): bring the `min_lrs` field to the length of the `param_groups`."
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, lowest in zip(groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = max(old * self.factor, lowest)
            if old - new > self.eps:
                set_value(group, "lr", new)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._choose(self.mode, self.threshold, self.threshold_mode)
