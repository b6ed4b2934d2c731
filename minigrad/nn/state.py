"""What a module's state is: its parameters and buffers by name, and what it adds by itself; giving it and taking it over.

A module takes part by its methods `_save_to_state_dict` and `_load_from_state_dict`, which see its own part alone (names with
`prefix` before them) and may be overridden to rename or convert; by `get_extra_state` and `set_extra_state`; and by hooks.
PyTorch: torch.nn.Module.state_dict, load_state_dict.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .. import storage
from ..autograd.hooks import RemovableHandle
from ..autograd.variable import Variable, wrap
from ..geometry import require_own_places
from .parameter import Parameter
from .values import array_of


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` found missing and what it had no place for."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


_EXTRA = "_extra_state"


class State:
    """The part of `Module` that gives and takes its state."""

    _version = 1  # of the state's format; a class that changes the names in its state raises it
    _state_hooks: dict[str, dict[int, Any]] | None = None  # by kind; None until one is registered
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _non_persistent: set[str]

    # -- giving it

    def state_dict(self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """Names and values (sharing memory) of all parameters and persistent buffers.

        keep_vars: the parameters themselves. destination and prefix: where a parent's state is put together.
        """
        if args:
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead: state_dict(destination=..., prefix=..., keep_vars=...)",
                FutureWarning,
                stacklevel=2,
            )
            given = dict(zip(("destination", "prefix", "keep_vars"), args, strict=False))
            destination = given["destination"] if destination is None else destination
            prefix, keep_vars = given.get("prefix", prefix), given.get("keep_vars", keep_vars)
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        about = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = about
        for hook in self._hooks_of("save_pre"):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._hooks_of("save"):
            changed = hook(self, destination, prefix, about)
            if changed is None:
                continue
            if getattr(hook, "_from_public_api", False):
                raise RuntimeError("state_dict post-hook must return None")
            destination = changed
        return destination

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Put this module's own part into `destination`."""
        for table in (self._parameters, self._buffers):
            for name, value in table.items():
                if value is not None and not (table is self._buffers and name in self._non_persistent):
                    destination[prefix + name] = value if keep_vars else value.detach()
        if type(self).get_extra_state is not State.get_extra_state:
            destination[f"{prefix}{_EXTRA}"] = self.get_extra_state()

    def get_extra_state(self) -> Any:
        """What a class keeps in its state beside parameters and buffers; `set_extra_state` takes it back."""
        raise RuntimeError(
            "get_extra_state() is for classes that define it: those that do put more than parameters and buffers into their state"
        )

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` gave."""
        raise RuntimeError(
            "set_extra_state() is for classes that define it: those that do put more than parameters and buffers into their state"
        )

    # -- taking it over

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy values by name into parameters and buffers; the values may be tensors of any engine.

        strict: names that are missing or unknown raise. assign: the tensors themselves become the parameters and buffers.
        No value is changed if anything does not fit.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        metadata = getattr(state_dict, "_metadata", None) or {}
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        undo: list[Callable] = []  # what was changed, should something else not fit

        def load(module: Any, values: Any, prefix: str) -> None:
            about = {**metadata.get(prefix[:-1], {}), "undo": undo}
            if assign:
                about["assign_to_params_buffers"] = True
            module._load_from_state_dict(values, prefix, about, True, missing, unexpected, errors)
            for name, child in module._modules.items():
                if child is not None:
                    inner = f"{prefix}{name}."
                    load(child, {k: v for k, v in values.items() if k.startswith(inner)}, inner)
            told = IncompatibleKeys(missing, unexpected)
            for hook in module._hooks_of("load"):
                if hook(module, told) is not None:
                    raise AssertionError(
                        "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new values: "
                        "change incompatible_keys in place"
                    )

        own = OrderedDict(state_dict)
        if metadata:
            own._metadata = metadata  # type: ignore[attr-defined]
        load(self, own, "")
        if strict:
            for kind, names in (("Unexpected", unexpected), ("Missing", missing)):
                if names:
                    listed = ", ".join(f'"{name}"' for name in names)
                    errors.insert(0, f"{kind} key(s) in state_dict: {listed}. ")
        if errors:
            for take_back in reversed(undo):
                take_back()
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(errors))
        return IncompatibleKeys(missing, unexpected)

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: dict[str, Any], strict: bool, missing_keys: list[str],
        unexpected_keys: list[str], error_msgs: list[str],
    ) -> None:  # fmt: skip
        """Take over this module's own part, the names with `prefix`; what does not fit is added to the three lists."""
        for hook in self._hooks_of("load_pre"):
            hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        persistent = {k: v for k, v in self._buffers.items() if k not in self._non_persistent}
        own = {k: v for k, v in (*self._parameters.items(), *persistent.items()) if v is not None}
        undo = local_metadata.get("undo", [])
        for name, target in own.items():
            key = prefix + name
            if key not in state_dict:
                if strict:
                    missing_keys.append(key)
                continue
            values = array_of(state_dict[key])
            if values is None:
                error_msgs.append(
                    f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from checkpoint '
                    f"but received {type(state_dict[key])}"
                )
                continue
            if target.array.ndim == 0 and values.shape == (1,):  # as numbers were once saved
                values = values.reshape(())
            if values.shape != target.array.shape:
                error_msgs.append(
                    f"size mismatch for {key}: copying a param with shape {_size(values)} from checkpoint, the shape in "
                    f"current model is {_size(target.array)}."
                )
            elif local_metadata.get("assign_to_params_buffers"):
                undo.append(partial(setattr, self, name, target))
                setattr(self, name, _assigned(state_dict[key], values, target))
            elif problem := _unwritable(target.array):
                error_msgs.append(
                    f'While copying the parameter named "{key}", whose dimensions in the model are {_size(target.array)} and whose '
                    f"dimensions in the checkpoint are {_size(values)}, an exception occurred : {problem}."
                )
            else:
                undo.append(partial(np.copyto, target.array, target.array.copy()))
                target.array[...] = values
                storage.mark_written(target.array)
        extra = f"{prefix}{_EXTRA}"
        if type(self).set_extra_state is not State.set_extra_state:
            if extra in state_dict:
                self.set_extra_state(state_dict[extra])
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra:
                    name, dot, _ = key[len(prefix) :].partition(".")
                    if name not in (self._modules if dot else own):
                        unexpected_keys.append(key)

    # -- hooks

    def _hooks_of(self, kind: str) -> list[Any]:
        return list(self._state_hooks[kind].values()) if self._state_hooks is not None else []

    def _register(self, kind: str, hook: Any) -> RemovableHandle:
        if self._state_hooks is None:
            object.__setattr__(self, "_state_hooks", {"save_pre": {}, "save": {}, "load_pre": {}, "load": {}})
            assert self._state_hooks is not None
        return RemovableHandle(self._state_hooks[kind], hook)

    def register_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, prefix, keep_vars)` before the module's part of a state is put together."""
        return self._register("save_pre", hook)

    def register_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata)` after it; the hook may change state_dict in place."""
        hook._from_public_api = True  # type: ignore[attr-defined]
        return self._register("save", hook)

    def _register_state_dict_hook(self, hook: Callable) -> RemovableHandle:
        """The same, but what the hook returns, if not None, replaces the state."""
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was previously public"
            )
        return self._register("save", hook)

    def _register_load_state_dict_pre_hook(self, hook: Callable, with_module: bool = False) -> RemovableHandle:
        """Call `hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)` before the
        module takes its part over, with_module: with the module before all of these."""
        return self._register("load_pre", _WithModule(self, hook) if with_module else hook)

    def register_load_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)` before
        the module takes its part over."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def register_load_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, incompatible_keys)` after the module and those below it have taken over their parts."""
        return self._register("load", hook)


class _WithModule:
    """A hook that is given its module; a copy of the module gives itself."""

    def __init__(self, module: Any, hook: Callable) -> None:
        self.module, self.hook = module, hook

    def __call__(self, *args: Any) -> Any:
        return self.hook(self.module, *args)


def _assigned(given: Any, values: np.ndarray, target: Any) -> Any:
    """The given tensor as what takes the target's place: a parameter where that was one."""
    tensor = given if isinstance(given, Variable) else wrap(values)
    if not isinstance(target, Parameter):
        return tensor
    if not isinstance(tensor, Parameter):
        return Parameter(tensor, target.requires_grad)
    return tensor.requires_grad_(target.requires_grad)


def _unwritable(array: np.ndarray) -> str:
    """What is wrong with the memory of an array that is to be written, as PyTorch puts it; nothing where it is well."""
    try:
        require_own_places(array)
    except RuntimeError as error:
        return str(error.args)
    return ""


def _size(array: np.ndarray) -> str:
    return f"torch.Size({list(array.shape)})"
