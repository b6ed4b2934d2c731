"""Schedules of schedules."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sized
from typing import Any

import numpy as np

from ..autograd.variable import Variable
from ..errors import WrongObject
from ..foreign import said
from .lr_base import LRScheduler, set_value
from .lr_plateau import ReduceLROnPlateau


class _Combined(LRScheduler):
    """Several schedules of one optimizer; their states are part of the state."""

    def _take(self, schedulers: Any, optimizer: Any) -> None:
        name = type(self).__name__
        for i, scheduler in enumerate(schedulers):
            if not hasattr(scheduler, "optimizer"):
                raise TypeError(f"{name} at index {i} should have `optimizer` as its attribute.")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(
                    f"{name} does not support `ReduceLROnPlateau` scheduler as it requires additional kwargs to be specified "
                    f"when calling `step`, but got one at index {i} in the given schedulers sequence."
                )
            if scheduler.optimizer is not optimizer:
                raise ValueError(
                    f"{name} expects all schedulers to belong to the same optimizer, but got scheduler "
                    f"{type(scheduler).__name__} at index {i} has another than the {type(optimizer).__name__} given"
                )
        self._schedulers, self.optimizer = schedulers, optimizer

    def state_dict(self) -> dict[str, Any]:
        state = {k: v for k, v in self.__dict__.items() if k not in ("optimizer", "_schedulers")}
        return {**state, "_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "_schedulers"})
        for i, saved in enumerate(state_dict["_schedulers"]):
            self._schedulers[i].load_state_dict(saved)


class SequentialLR(_Combined):
    """One schedule after the other, changing over at the milestones: each begins then with its own epoch 0."""

    def __init__(self, optimizer: Any, schedulers: Sized, milestones: Sized, last_epoch: int = -1) -> None:
        if len(schedulers) < 1:
            raise ValueError(f"{type(self).__name__} expects at least one scheduler, but got no scheduler.")
        self._take(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone points, but "
                f"got number of schedulers {len(schedulers)} and the number of milestones to be equal to {len(milestones)}"
            )
        changes: Any = milestones
        for milestone in changes:
            if not isinstance(milestone, int | float | np.generic | Variable):
                raise TypeError(f"SequentialLR(): in argument 'milestones' there must be ints, not {said(milestone)}")
        self._milestones: Any = milestones
        self.last_epoch = last_epoch + 1
        # Making the schedules has already moved the rates: begin again, with the first alone.
        for group in optimizer.param_groups:
            set_value(group, "lr", group["initial_lr"])
        _step_back(self)
        first = self._schedulers[bisect_right(changes, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def step(self) -> None:  # type: ignore[override]
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


def _step_back(scheduler: Any) -> None:
    """Undo the epoch that making a schedule took, in all that it is made of."""
    if hasattr(scheduler, "_schedulers"):
        for inner in scheduler._schedulers:
            _step_back(inner)
    elif hasattr(scheduler, "last_epoch"):
        scheduler.last_epoch -= 1


class ChainedScheduler(_Combined):
    """Several schedules that step together, each changing what the one before has set."""

    def __init__(self, schedulers: Sized, optimizer: Any = None) -> None:
        if len(schedulers) < 1:
            raise ValueError(
                f"{type(self).__name__} expects at least one scheduler to be chained, but got no scheduler."
            )
        self._take(schedulers, optimizer or self._optimizer_of(schedulers))
        self._last_lr = self._rates()

    def _optimizer_of(self, schedulers: Any) -> Any:
        """The first schedule's optimizer, of which the others are to be too."""
        first = next(iter(schedulers))
        if not hasattr(first, "optimizer"):
            raise WrongObject(
                f"ChainedScheduler(): in argument 'schedulers' there must be schedules, not {said(first)}"
            )
        return first.optimizer

    def step(self) -> None:  # type: ignore[override]
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._rates()
