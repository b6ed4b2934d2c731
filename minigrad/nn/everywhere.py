"""Hooks on all modules at once: torch.nn.modules.module.register_module_forward_hook and its like.

They run before a module's own. Until one is registered, a call of a module costs nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.hooks import RemovableHandle

__all__ = [
    "register_module_buffer_registration_hook", "register_module_forward_hook", "register_module_forward_pre_hook",
    "register_module_full_backward_hook", "register_module_full_backward_pre_hook", "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]  # fmt: skip

_hooks: dict[str, dict[int, Any]] = {
    kind: {} for kind in ("forward", "forward_pre", "backward", "backward_pre", "buffer", "module", "parameter")
}


class Everywhere:
    """Whether there ever was such a hook."""

    asked = False

    @staticmethod
    def any() -> bool:
        """Whether there is one now."""
        return Everywhere.asked and any(_hooks.values())


def hooks_of(kind: str, own: dict[str, dict[int, Any]] | None) -> tuple[Any, ...]:
    """The hooks of a call: those on all modules, then the module's own."""
    return (*_hooks[kind].values(), *(own[kind].values() if own is not None else ()))


def registered(kind: str, module: Any, name: str, value: Any) -> Any:
    """What a module takes under a name after the hooks on that have seen it."""
    for hook in tuple(_hooks[kind].values()):
        result = hook(module, name, value)
        value = value if result is None else result
    return value


def _register(kind: str, hook: Any) -> RemovableHandle:
    Everywhere.asked = True
    return RemovableHandle(_hooks[kind], hook)


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, args)` before the forward of every module; what it returns, if not None, replaces the arguments."""
    return _register("forward_pre", (hook, False))


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call `hook(module, args, output)` after the forward of every module; what it returns, if not None, replaces the output."""
    if always_call:
        raise NotImplementedError(
            "register_module_forward_hook: always_call=True is not supported; catch the error instead"
        )
    return _register("forward", (hook, with_kwargs))


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, grad_input, grad_output)` when the gradients by a module's inputs are complete."""
    return _register("backward", hook)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, grad_output)` when the gradients of a module's outputs are complete."""
    return _register("backward_pre", hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, name, parameter)` when a module takes a parameter; what it returns, if not None, is taken instead."""
    return _register("parameter", hook)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, name, buffer)` when a module takes a buffer; what it returns, if not None, is taken instead."""
    return _register("buffer", hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, name, submodule)` when a module takes another; what it returns, if not None, is taken instead."""
    return _register("module", hook)
