"""Whether operations are recorded: `no_grad`, `enable_grad`, `set_grad_enabled`, `inference_mode`.

The mode belongs to a thread: what one thread switches off, another still records.
"""

from __future__ import annotations

import functools
import inspect
import threading
import warnings
from collections.abc import Callable
from typing import Any

from .. import quiet
from . import inference


class _Mode(threading.local):
    """What the current thread records. The attributes of the class are each thread's first values."""

    recording: bool = True
    inference: bool = False
    anomaly: bool = False  # see anomaly.py
    check_nan: bool = True
    saved_hooks: tuple[Any, ...] = ()  # the innermost last: see saved.py
    no_saved_hooks: str | None = None  # what is said where they are not allowed
    accumulating: bool = (
        True  # a backward pass under way fills `.grad` of all leaves: not autograd.grad, nor with `inputs`
    )

    def __init__(self) -> None:  # once by thread
        self.__dict__.update({name: vars(_Mode)[name] for name in _Mode.__annotations__})
        self.run_quietly = quiet.new_context().run  # run_quietly(function, *args): see quiet.py


class _Asked:
    """Of all threads, ever. Until somebody asks, no operation has to be looked at when it was recorded (anomaly.py)."""

    def __init__(self) -> None:
        self.operations = False


Asked = _Asked()
current = (
    _Mode()
)  # `current.recording`; on hot paths `current.__dict__["recording"]`: of a thread's attributes the quickest


def is_grad_enabled() -> bool:
    """Whether operations of this thread are being recorded. PyTorch: torch.is_grad_enabled."""
    return current.recording


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside `inference_mode`. PyTorch: torch.is_inference_mode_enabled."""
    return current.inference


class ModeContext:
    """A context manager and decorator that sets attributes of the thread's mode and puts them back."""

    settings: Any  # the attributes to set, by name

    def clone(self) -> Any:
        """Another that sets the same. A decorated function takes one for each call: threads must not share what to put back."""
        other = object.__new__(type(self))
        other.settings = self.settings
        return other

    def __enter__(self) -> None:
        # A stack, as one object may be entered again inside itself.
        stack = self.__dict__.setdefault("_before", [])
        before = {name: getattr(current, name) for name in self.settings}
        stack.append(before)
        try:
            current.__dict__.update(self.settings)
        except BaseException:  # an interrupt, just when it was set: Python will not call `__exit__`
            current.__dict__.update(before)
            raise

    def __exit__(self, *error: object) -> None:
        current.__dict__.update(self.__dict__["_before"].pop())

    def __call__(self, func: Callable) -> Callable:
        if inspect.isclass(func):
            warnings.warn(
                "Decorating classes is deprecated and will be disabled in future versions. You should only decorate functions "
                "or methods. To preserve the current behavior of class decoration, you can directly decorate the `__init__` "
                "method and nothing else.",
                FutureWarning,
                stacklevel=2,
            )
        if inspect.isgeneratorfunction(func):
            return _generator(self.clone, func)

        @functools.wraps(func)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return func(*args, **kwargs)

        return wrapped


def _generator(mode: Callable[[], ModeContext], func: Callable) -> Callable:
    """The generator function, whose body runs in the mode. The mode must hold while the body runs and not while it waits,
    so each step enters it: the next value, what is sent or thrown into it, and its end."""

    @functools.wraps(func)
    def generator(*args: Any, **kwargs: Any) -> Any:
        inner = func(*args, **kwargs)
        step, given = inner.send, None  # how the body goes on, and with what
        while True:
            try:
                with mode():
                    item = step(given)
            except StopIteration as stop:
                return stop.value
            try:
                step, given = inner.send, (yield item)
            except GeneratorExit:
                with mode():
                    inner.close()
                raise
            except BaseException as error:
                step, given = inner.throw, error

    return generator


class Setting(ModeContext):
    """A mode that holds from the call on; as a context manager, until its end; as a decorator, inside the function."""

    _entered = True  # (by a clone: it has to look what was before)

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self._before = [{name: getattr(current, name) for name in settings}]
        current.__dict__.update(settings)
        self._entered = False

    def __enter__(self) -> None:
        if self._entered:
            super().__enter__()
        else:
            self._entered = True
            current.__dict__.update(self.settings)

    def __call__(self, func: Callable) -> Callable:
        current.__dict__.update(self._before[-1])
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


class set_grad_enabled(Setting):
    """Record or not, from the call on; as a context manager, until its end. PyTorch: torch.set_grad_enabled."""

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            raise TypeError(
                f"set_grad_enabled(): argument 'enabled' (position 1) must be bool, not {type(mode).__name__}"
            )
        super().__init__({"recording": mode})


class inference_mode(ModeContext):
    """`no_grad`, and what is computed inside stays out of autograd afterwards too. PyTorch: torch.inference_mode.

    Tensors whose memory is made inside are *inference tensors*: operations that are recorded must not save them, and
    outside they are not changed in place. `clone()` outside makes an ordinary tensor of one.
    """

    def __new__(cls, mode: bool | Callable = True) -> Any:
        context = super().__new__(cls)
        if callable(mode):
            context.settings = _INFERENCE
            return context(mode)
        return context

    def __init__(self, mode: bool = True) -> None:
        self.settings = _INFERENCE if mode else {"recording": True, "inference": False}

    def __enter__(self) -> None:
        run = current.run_quietly
        super().__enter__()
        self.__dict__["_before"][-1]["run_quietly"] = run
        plain = getattr(run, "plain", run)
        current.run_quietly = inference.marking(plain) if current.inference else plain
        Asked.operations = True


_INFERENCE = {"recording": False, "inference": True}
