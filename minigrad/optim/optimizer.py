"""What all optimizers share: parameter groups, state, saving and loading. PyTorch: torch.optim.Optimizer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import numpy as np

from .. import dtypes, storage
from ..autograd.hooks import RemovableHandle
from ..autograd.modes import enable_grad
from ..autograd.variable import Array, Variable, wrap
from ..quiet import quiet


class Optimizer:
    """Holds parameters in groups, each with its own settings, and a state for each parameter.

    params: tensors, (name, tensor) pairs, or dicts with "params" and settings that differ from `defaults`.
    A subclass gives `update(p, grad, state, group)`, which changes the array `p` in place. `foreach` and `fused` only say
    how PyTorch should run, so they are taken and have no effect.
    """

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        if isinstance(params, Variable):
            raise TypeError(
                f"params argument given to the optimizer should be an iterable of Tensors or dicts, but got {type(params).__name__}"
            )
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._scratch: dict[tuple[np.dtype, int], Array] = {}
        self._pre_hooks: dict[int, Callable] = {}
        self._post_hooks: dict[int, Callable] = {}
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._scratch, self._pre_hooks, self._post_hooks = {}, {}, {}

    def __repr__(self) -> str:
        lines = [type(self).__name__ + " ("]
        for i, group in enumerate(self.param_groups):
            lines += [f"Parameter Group {i}"] + [f"    {k}: {group[k]}" for k in sorted(group) if k != "params"]
        return "\n".join(lines) + "\n)"

    # -- groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with settings of their own (a layer that is unfrozen later, say)."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs. Please use a list instead."
            )
        params = [params] if isinstance(params, Variable) else list(params)
        if params and all(isinstance(p, tuple) for p in params):
            param_group["param_names"] = [name for name, _ in params]
            params = [p for _, p in params]
        for p in params:
            if not isinstance(p, Variable):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__}")
            if p._edge is not None:
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            param_group.setdefault(name, default)
        param_group["params"] = params
        taken = {id(p) for group in self.param_groups for p in group["params"]}
        if len({id(p) for p in params}) != len(params):
            raise ValueError("optimizer contains a parameter group with duplicate parameters: give each parameter once")
        if any(id(p) in taken for p in params):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

    # -- a step

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters (or set them to 0): backward passes add to what is there."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p._grad = None
                elif p._grad is not None:
                    p._grad = wrap(np.zeros_like(p.array))

    def step(self, closure: Callable | None = None) -> Any:
        """Change every parameter that has a gradient. closure: computes the loss anew (and is called first)."""
        for hook in tuple(self._pre_hooks.values()):
            hook(self, (closure,), {})
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self._update_groups()
        for hook in tuple(self._post_hooks.values()):
            hook(self, (closure,), {})
        return loss

    @quiet
    def _update_groups(self) -> None:
        for group in self.param_groups:
            self.update_all([p for p in group["params"] if p._grad is not None], self.prepare(group))

    def prepare(self, group: dict[str, Any]) -> dict[str, Any]:
        """The group's settings with the learning rate as a number."""
        lr = group.get("lr")
        return {**group, "lr": lr.array.item()} if isinstance(lr, Variable) else group

    def update_all(self, params: list[Any], group: dict[str, Any]) -> None:
        """Change all of a group's parameters that have a gradient."""
        for p in params:
            self.update(p.array, p._grad.array, self.state[p], group)
            storage.mark_written(p.array)

    def update(self, p: Array, grad: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        raise NotImplementedError

    def scratch(self, like: Array, which: int = 0) -> Array:
        """Memory in the shape of `like`, used again at each parameter and step: fresh memory costs more than the sums."""
        buffer = self._scratch.get((like.dtype, which))
        if buffer is None or buffer.size < like.size:
            largest = max(p.array.size for group in self.param_groups for p in group["params"])
            buffer = self._scratch[like.dtype, which] = np.empty(max(largest, like.size), like.dtype)
        return buffer[: like.size].reshape(like.shape)

    def register_step_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before each step."""
        return RemovableHandle(self._pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after each step."""
        return RemovableHandle(self._post_hooks, hook)

    # -- saving and loading

    def state_dict(self) -> dict[str, Any]:
        """State and settings, parameters named by their number: PyTorch's format, so either engine loads it."""
        number = {id(p): i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        groups = [
            {**{k: v for k, v in group.items() if k != "params"}, "params": [number[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]
        return {"state": {number[id(p)]: s for p, s in self.state.items()}, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave, from minigrad or PyTorch, for parameters in the same order."""
        saved = state_dict["param_groups"]
        if len(saved) != len(self.param_groups):
            raise ValueError(
                f"loaded state dict has a different number of parameter groups: {len(saved)}, the optimizer has "
                f"{len(self.param_groups)}"
            )
        for i, (old, new) in enumerate(zip(saved, self.param_groups, strict=True)):
            if len(old["params"]) != len(new["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of optimizer's group: "
                    f"group {i} has {len(old['params'])} parameters, the optimizer's has {len(new['params'])}"
                )
        numbers = [n for group in saved for n in group["params"]]
        params = [p for group in self.param_groups for p in group["params"]]
        by_number = dict(zip(numbers, params, strict=True))
        self.state = defaultdict(dict)
        for number, values in state_dict["state"].items():
            p = by_number[number]
            self.state[p] = {name: _own(name, value, p) for name, value in values.items()}
        for old, new in zip(saved, self.param_groups, strict=True):
            kept = new["params"]
            new.update({k: deepcopy(v) for k, v in old.items() if k != "params"})
            new["params"] = kept


def _own(name: str, value: Any, p: Variable) -> Any:
    """A copy of a loaded state value; tensors of any engine become minigrad's, in the parameter's type."""
    if isinstance(value, int | float | bool | type(None) | str):
        return value
    array = np.array(value.array if isinstance(value, Variable) else value)
    return wrap(array if name == "step" else array.astype(p.array.dtype))


def scalar_state(value: float) -> Variable:
    """A number kept in the state as a tensor, as PyTorch keeps it (float32 unless the default type is float64)."""
    return wrap(np.array(value, dtype=dtypes.default_numpy()))


def count_step(state: dict[str, Any]) -> float:
    """Count a step of this parameter; the number of steps so far."""
    step = state["step"].array
    step += 1
    return float(step)


def in_one_line(*arrays: Array) -> bool:
    """Whether the elements of each stand in order and without gaps, so that one loop may pass over all of them."""
    return all(array.flags.c_contiguous for array in arrays)


def check_range(name: str, value: Any, low: float = 0.0, high: float | None = None) -> None:
    """ValueError in PyTorch's words unless low ≤ value (< high)."""
    if isinstance(value, Variable):
        return
    if not low <= value or (high is not None and not value < high):
        raise ValueError(f"Invalid {name}: {value}")


def check_betas(betas: Iterable[float]) -> None:
    """ValueError unless 0 ≤ beta < 1 for each."""
    for i, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
