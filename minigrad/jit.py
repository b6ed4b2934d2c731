"""TorchScript's names where a program runs the same without it: each gives back what it was given. PyTorch: torch.jit.

A scripted or traced function is here the function itself, which also branches as it did before tracing. Saving and
loading of scripted programs is not there: save a state_dict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from . import missing

__all__ = [
    "Final", "annotate", "export", "ignore", "is_scripting", "is_tracing", "isinstance", "script", "trace", "unused",
]  # fmt: skip

_isinstance = isinstance


def script(obj: Any) -> Any:
    """The function, class or module itself. PyTorch: torch.jit.script."""
    return obj


def trace(func: Any, example_inputs: Any = None, **options: Any) -> Any:
    """The function or module itself; it is called once with the example inputs, as tracing does. PyTorch: torch.jit.trace."""
    known = {"optimize", "check_trace", "check_inputs", "check_tolerance", "strict", "example_kwarg_inputs"}
    unknown = sorted(options.keys() - known)
    if unknown:
        raise TypeError(f"trace() got an unexpected keyword argument '{unknown[0]}'")
    named = options.get("example_kwarg_inputs")
    if example_inputs is None and named is None:
        raise RuntimeError("example_kwarg_inputs should be a dict")
    if named is not None:
        func(**named)
    else:
        func(*(example_inputs if _isinstance(example_inputs, tuple | list) else (example_inputs,)))
    return func


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """The function itself, also as `@ignore(drop=True)`. PyTorch: torch.jit.ignore."""
    return drop if callable(drop) else lambda f: f


def unused(fn: Callable) -> Callable:
    """The function itself. PyTorch: torch.jit.unused."""
    return fn


def export(fn: Callable) -> Callable:
    """The function itself. PyTorch: torch.jit.export."""
    return fn


def annotate(the_type: Any, the_value: Any) -> Any:
    """The value. PyTorch: torch.jit.annotate."""
    return the_value


def isinstance(obj: Any, target_type: Any) -> bool:
    """Python's isinstance. PyTorch: torch.jit.isinstance."""
    return _isinstance(obj, target_type)


def is_scripting() -> bool:
    """False."""
    return False


def is_tracing() -> bool:
    """False."""
    return False


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
