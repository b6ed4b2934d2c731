"""Whether operations are recorded: `no_grad`, `enable_grad`, `set_grad_enabled`, `inference_mode`.

The mode belongs to a thread: what one thread switches off, another still records.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any

from .. import quiet


class _Mode(threading.local):
    """What the current thread records. The attributes of the class are each thread's first values."""

    recording = True
    inference = False
    anomaly = False  # see anomaly.py
    check_nan = True

    def __init__(self) -> None:  # once by thread
        self.run_quietly = quiet.new_context().run  # run_quietly(function, *args): see quiet.py


current = _Mode()


def is_grad_enabled() -> bool:
    """Whether operations of this thread are being recorded. PyTorch: torch.is_grad_enabled."""
    return current.recording


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside `inference_mode`. PyTorch: torch.is_inference_mode_enabled."""
    return current.inference


class ModeContext(contextlib.ContextDecorator):
    """A context manager and decorator that sets attributes of the thread's mode and puts them back."""

    settings: Any  # the attributes to set, by name

    def __enter__(self) -> None:
        # A stack, as one object may be entered again inside itself (a decorated function that calls itself).
        stack = self.__dict__.setdefault("_before", [])
        stack.append({name: getattr(current, name) for name in self.settings})
        current.__dict__.update(self.settings)

    def __exit__(self, *error: object) -> None:
        current.__dict__.update(self.__dict__["_before"].pop())

    def __call__(self, func: Callable) -> Callable:  # type: ignore[override]  # a generator function, too
        if inspect.isgeneratorfunction(func):
            # The mode must hold while the generator's body runs and not while it waits.
            @functools.wraps(func)
            def generator(*args: Any, **kwargs: Any) -> Any:
                iterator = func(*args, **kwargs)
                while True:
                    with self:
                        try:
                            item = next(iterator)
                        except StopIteration as stop:
                            return stop.value
                    yield item

            return generator
        return super().__call__(func)


class _Switch(ModeContext):
    """`no_grad` may be used as `no_grad()` and, as a decorator, as plain `no_grad`."""

    def __new__(cls, func: Callable | None = None) -> Any:
        switch = super().__new__(cls)
        return switch(func) if func is not None else switch


class no_grad(_Switch):
    """Operations inside are not recorded. PyTorch: torch.no_grad."""

    settings = {"recording": False}  # noqa: RUF012


class enable_grad(_Switch):
    """Operations inside are recorded, also within `no_grad`. PyTorch: torch.enable_grad."""

    settings = {"recording": True}  # noqa: RUF012


class set_grad_enabled(ModeContext):
    """Record or not, from the call on; as a context manager, until its end. PyTorch: torch.set_grad_enabled."""

    def __init__(self, mode: bool) -> None:
        self.settings = {"recording": bool(mode)}
        self._before = [{"recording": current.recording}]
        current.recording = bool(mode)

    def __enter__(self) -> None:
        current.recording = self.settings["recording"]
        if not self._before:  # entered a second time
            self._before.append({"recording": not self.settings["recording"]})

    def __call__(self, func: Callable) -> Callable:  # type: ignore[override]
        current.__dict__.update(self._before[-1])  # as a decorator it has no effect outside the function
        enabled = self.settings["recording"]

        @functools.wraps(func)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with set_grad_enabled(enabled):
                return func(*args, **kwargs)

        return wrapped


class inference_mode(ModeContext):
    """`no_grad` by another name here: minigrad has no further bookkeeping to save. PyTorch: torch.inference_mode."""

    def __new__(cls, mode: bool | Callable = True) -> Any:
        context = super().__new__(cls)
        if callable(mode):
            context.settings = {"recording": False, "inference": True}
            return context(mode)
        return context

    def __init__(self, mode: bool = True) -> None:
        self.settings = {"recording": False, "inference": True} if mode else {"recording": True, "inference": False}
