"""NumPy's answer to 1/0 and to an overflow: here none, whatever the program has set for its own arrays.

PyTorch computes 1/0 = inf and log(-1) = nan in silence. NumPy asks `np.errstate`, which belongs to the program and may
say "raise"; or it warns, and the program may have turned warnings into errors. So whoever enters the engine is given a
state of its own: every operation, every backward pass, and every function marked `@quiet`. Code of the user's own that
the engine calls on the way (hooks, a `Function`, a closure) has the program's state: `as_outside`.

NumPy keeps the state in a context variable. To set it and put it back takes a tenth of a small operation's time; to run
the operation inside a `Context` in which it is set takes a hundredth. `autograd.modes.current.run_quietly` is
that, one by thread (a context is entered by one at a time).
"""

from __future__ import annotations

import contextvars
import functools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np


def _look() -> tuple[contextvars.ContextVar[Any], Any]:
    """NumPy's variable, and its value where no floating-point error is told."""
    with np.errstate(all="ignore"):
        for variable, value in contextvars.copy_context().items():
            if variable.name == "numpy.ufunc.extobj":
                return variable, value
    raise ImportError("minigrad needs a NumPy that keeps np.errstate in a context variable: 2.1 or later")


_variable, QUIET = _look()


class _Outside(threading.local):
    """By thread: the state of the program, while the engine has set its own."""

    state: Any = None


_outside = _Outside()


def new_context() -> contextvars.Context:
    """A context in which no floating-point error is told."""
    context = contextvars.Context()
    context.run(_variable.set, QUIET)
    return context


# The state as it is, and to set it. An interrupt may come after any call, also between setting the state and noting what it was;
# so who sets it looks first, and puts back in a `finally`, in one step:
#
#     before = quiet.state()
#     try:
#         quiet.enter(before)
#         ...
#     finally:
#         quiet.put_back(before)
state: Callable[[], Any] = _variable.get
put_back: Callable[[Any], object] = _variable.set


def enter(before: Any) -> None:
    """Set the engine's state, where `before` is that of the program."""
    if before is not QUIET:
        _outside.state = before
        _variable.set(QUIET)


def quiet(function: Callable) -> Callable:
    """The function, in which no floating-point error is told."""

    @functools.wraps(function)
    def quietly(*args: Any, **kwargs: Any) -> Any:
        before = _variable.get()
        if before is QUIET:
            return function(*args, **kwargs)
        _outside.state = before
        try:
            _variable.set(QUIET)
            return function(*args, **kwargs)
        finally:
            _variable.set(before)

    return quietly


def as_outside(function: Callable, *args: Any) -> Any:
    """function(*args), a function of the user's own, under the program's state."""
    if _outside.state is None or _variable.get() is not QUIET:
        return function(*args)
    try:
        _variable.set(_outside.state)
        return function(*args)
    finally:
        _variable.set(QUIET)
