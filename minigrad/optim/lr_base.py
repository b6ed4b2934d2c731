"""What all learning rate schedules share: the epoch, the rates at the start, the warnings, saving and loading."""

from __future__ import annotations

import functools
import types
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..autograd.variable import Variable, wrap
from ..nn.values import array_of
from ..warn import warn
from .optimizer import Optimizer


def set_value(group: dict[str, Any], name: str, value: Any) -> None:
    """Give a setting its value; a tensor stays the same tensor."""
    if isinstance(group[name], Variable):
        group[name].fill_(value.squeeze() if isinstance(value, Variable) else value)  # type: ignore[attr-defined]
    else:
        group[name] = value


def copied(value: Any) -> Any:
    """A value that nothing else changes: a tensor is copied."""
    return value.clone() if isinstance(value, Variable) else value  # type: ignore[attr-defined]


def values_of(optimizer: Any, name: str) -> list[Any]:
    """A setting of all groups; tensors are copied."""
    return [copied(group[name]) for group in optimizer.param_groups]


def for_each_group(name: str, optimizer: Any, value: Any) -> list[Any]:
    """An argument that is one value for all groups, or a list with one for each."""
    n = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        value = [value] * n
    if len(value) != n:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, param_groups has {n}."
        )
    return [copied(v) for v in value]


def _own(value: Any) -> Any:
    """A loaded value; tensors of another engine become minigrad's."""
    if type(value) is list:
        return [_own(v) for v in value]
    array = None if isinstance(value, Variable) else array_of(value)
    return value if array is None else wrap(array.copy())


def power(base: float, exponent: float) -> float:
    """base to the power of exponent. OverflowError, with both, where that is larger than the largest float."""
    try:
        return base**exponent
    except OverflowError:
        raise OverflowError(f"the learning rate overflows: {base} to the power of {exponent} is no float") from None


def require_divisor(schedule: Any, number: float, what: str) -> None:
    """ZeroDivisionError where a schedule comes to divide by a setting that is 0."""
    if number == 0:
        raise ZeroDivisionError(f"{type(schedule).__name__}: {what} must not be 0 at epoch {schedule.last_epoch}")


def require_optimizer(optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def _note_steps(optimizer: Any) -> None:
    """Have the optimizer note that it has stepped, for the warning of `LRScheduler.step`."""
    if hasattr(optimizer.step, "_wrapped_by_lr_sched"):
        return
    step, owner = optimizer.step.__func__, weakref.ref(optimizer)

    @functools.wraps(step)
    def noting(*args: Any, **kwargs: Any) -> Any:
        optimizer: Any = owner()
        optimizer._opt_called = True
        return step(optimizer, *args, **kwargs)

    noting._wrapped_by_lr_sched = True  # type: ignore[attr-defined]
    optimizer.step = noting


EPOCH_GIVEN = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler: the schedules that change the last rate then go on from it."
)


class LRScheduler:
    """Sets `group["lr"]` of every group at each `step()`, once an epoch or once a batch, after `optimizer.step()`.

    A subclass gives `get_lr()`, the rates at `self.last_epoch`. Most compute the next rate from the current one (so that
    several can be chained), not from the first. last_epoch: of a run that is resumed; its optimizer must have loaded its
    state, and goes on with the rates that it has. PyTorch: torch.optim.lr_scheduler.LRScheduler.
    """

    _get_lr_called_within_step = False
    _is_initial = False  # in the step that making the schedule takes

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        require_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with last_epoch >= 0: "
                    "load the optimizer's state first, or leave last_epoch out for a new run"
                )
        self.base_lrs = values_of(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        _note_steps(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        """The step to the first epoch, which making the schedule takes."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_lr(self) -> list[Any]:
        """The rates of all groups at this epoch; what was set last is `get_last_lr()`."""
        raise NotImplementedError

    def get_last_lr(self) -> list[Any]:
        """The rates that were set last."""
        return self._last_lr

    def _warn_outside_step(self) -> None:
        """`get_lr` gives the next rates from the current ones: right within a step alone."""
        if not self._get_lr_called_within_step:
            text = "To get the last learning rate computed by the scheduler, please use `get_last_lr()`."
            warn(text)

    @contextmanager
    def _within_step(self) -> Iterator[None]:
        self._get_lr_called_within_step = True
        try:
            yield
        finally:
            self._get_lr_called_within_step = False

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next epoch's rates (or, deprecated, to those of `epoch`)."""
        if self._step_count == 1:
            text = ""
            if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
                text = (
                    "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. "
                    "Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`."
                )
            elif not getattr(self.optimizer, "_opt_called", False):
                text = (
                    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. You should call them in the opposite "
                    "order: `optimizer.step()` before `lr_scheduler.step()`. Failure to do this will result in skipping the "
                    "first value of the learning rate schedule."
                )
            if text:
                warn(text)
        self._step_count += 1
        if epoch is not None:
            warn(EPOCH_GIVEN)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        """Set the rates of the next epoch, or of `epoch`."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        closed = getattr(self, "_get_closed_form_lr", None)
        with self._within_step():
            rates = self.get_lr() if epoch is None or closed is None else closed()
        self._set_rates(rates)

    def _set_rates(self, rates: Sequence[Any]) -> None:
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            set_value(group, "lr", lr)
        self._last_lr = values_of(self.optimizer, "lr")

    def _rates(self) -> list[Any]:
        """The current rates."""
        return values_of(self.optimizer, "lr")

    def _times(self, factor: float) -> list[Any]:
        """The current rates times a factor."""
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer."""
        return {k: v for k, v in self.__dict__.items() if k != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave, here or in PyTorch."""
        self.__dict__.update({name: _own(value) for name, value in state_dict.items()})


class _LRScheduler(LRScheduler):
    """The name that `LRScheduler` once had."""


def state_of(function: Callable | None) -> dict[str, Any] | None:
    """What is saved of a user's function: of an object that is called its attributes, of a plain function nothing."""
    if function is None or isinstance(function, types.FunctionType):
        return None
    return vars(function).copy()
