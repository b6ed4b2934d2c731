"""What all optimizers share: parameter groups, state, hooks, saving and loading. PyTorch: torch.optim.Optimizer."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any

import numpy as np

from .. import dtypes, storage
from ..autograd.hooks import RemovableHandle
from ..autograd.modes import enable_grad
from ..autograd.variable import Array, Variable, wrap
from ..dtypes import element
from ..foreign import said
from ..geometry import repeats
from ..missing import refuse
from ..nn.values import array_of, clear_gradients
from ..quiet import quiet
from ..signature import add_kind
from ..size import has_parts
from ..warn import warn

# Settings that came later to PyTorch's optimizers: a state that was saved before has them not, and counts as with these.
_ADDED_LATER = {
    "foreach": None, "maximize": False, "capturable": False, "differentiable": False, "fused": None, "amsgrad": False,
    "nesterov": False, "decoupled_weight_decay": False,
}  # fmt: skip

_PAIRS = ("betas", "etas", "step_sizes")  # settings of two numbers each
_PLAIN = frozenset((float, int, bool, str, list, tuple, type(None)))  # the types of most settings: none is a tensor

_pre_hooks_of_all: dict[int, Callable] = {}
_post_hooks_of_all: dict[int, Callable] = {}


def register_optimizer_step_pre_hook(hook: Callable) -> RemovableHandle:
    """Call `hook(optimizer, args, kwargs)` before each step of any optimizer."""
    return RemovableHandle(_pre_hooks_of_all, hook)


def register_optimizer_step_post_hook(hook: Callable) -> RemovableHandle:
    """Call `hook(optimizer, args, kwargs)` after each step of any optimizer."""
    return RemovableHandle(_post_hooks_of_all, hook)


def _with_hooks(step: Callable) -> Callable:
    """A class's `step` between the hooks before and after it."""

    reads = step.__module__.startswith("minigrad.")  # a program's own optimizer may take anything

    @functools.wraps(step)
    def hooked(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if reads and (args or kwargs):
            _check_closure(f"{type(self).__name__}.step()", *args, **kwargs)
        call: tuple[tuple, dict] | None = None  # what hooks see and may replace
        if _pre_hooks_of_all or self._optimizer_step_pre_hooks:
            call = ((self, *args), kwargs)
            for hook in (*_pre_hooks_of_all.values(), *self._optimizer_step_pre_hooks.values()):
                result = hook(self, *call)
                if result is None:
                    continue
                if not (isinstance(result, tuple) and len(result) == 2):
                    raise RuntimeError(
                        f"{step} must return None or a tuple of (new_args, new_kwargs), but got {result}."
                    )
                call = result
        out = step(self, *args, **kwargs) if call is None else step(*call[0], **call[1])
        if _post_hooks_of_all or self._optimizer_step_post_hooks:
            call = call or ((self, *args), kwargs)
            for hook in (*self._optimizer_step_post_hooks.values(), *_post_hooks_of_all.values()):
                hook(self, *call)
        return out

    hooked.hooked = True  # type: ignore[attr-defined]
    return hooked


def _check_closure(step: str, closure: Any = None, *more: Any, **unknown: Any) -> None:
    """TypeError unless a step is given one function at most."""
    if more:
        raise TypeError(f"{step} takes 1 positional arguments but {1 + len(more)} were given")
    if unknown:
        raise TypeError(f"{step} got an unexpected keyword argument '{next(iter(unknown))}'")
    if closure is not None and not callable(closure):
        raise TypeError(f"{step}: argument 'closure' must be callable, not {type(closure).__name__}")


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


required: Any = _Required()  # as a default: each group must give the setting itself


class Optimizer:
    """Holds parameters in groups, each with its own settings, and a state for each parameter.

    params: tensors, (name, tensor) pairs, or dicts with "params" and settings that differ from `defaults`.
    A subclass gives a `step` of its own, or `update(p, grad, state, group)`, which changes the array `p` in place.
    `foreach` and `fused` only say how PyTorch should run, so they are taken and have no effect.
    """

    _optimizer_step_pre_hooks: dict[int, Callable]
    _optimizer_step_post_hooks: dict[int, Callable]
    _optimizer_state_dict_pre_hooks: dict[int, Callable]
    _optimizer_state_dict_post_hooks: dict[int, Callable]
    _optimizer_load_state_dict_pre_hooks: dict[int, Callable]
    _optimizer_load_state_dict_post_hooks: dict[int, Callable]
    _step_numbers: tuple[str, ...] = ()  # what a state of PyTorch's first versions holds as numbers, not as tensors
    scales: tuple[str, ...] = (
        "lr",
        "weight_decay",
    )  # settings that PyTorch multiplies parameters with as numbers of their type

    _repeating: tuple[Any, ...] = ()  # parameters that show an element several times

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        if not isinstance(defaults.get("differentiable", False), bool):
            raise TypeError(f"differentiable must be bool, not {type(defaults['differentiable']).__name__}")
        self._prepare_hooks()
        if isinstance(params, Variable):
            raise TypeError(
                f"params argument given to the optimizer should be an iterable of Tensors or dicts, but got {type(params).__name__}"
            )
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._scratch: dict[tuple[np.dtype, int], Array] = {}
        if not isinstance(params, Iterable):
            raise TypeError(
                f"params argument given to the optimizer should be an iterable of Tensors or dicts, but got {type(params).__name__}"
            )
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)
        if defaults.get("fused"):
            if defaults.get("differentiable"):
                raise RuntimeError("`fused` does not support `differentiable`")
            if defaults.get("foreach"):
                raise RuntimeError("`fused` and `foreach` cannot be `True` together.")

    def _prepare_hooks(self) -> None:
        for kind in ("step_pre", "step_post", "state_dict_pre", "state_dict_post", "load_state_dict_pre",
                     "load_state_dict_post"):  # fmt: skip
            self.__dict__.setdefault(f"_optimizer_{kind}_hooks", {})
        cls: Any = type(self)
        if not getattr(cls.step, "hooked", False):  # also the step that a user's class has of its own
            cls.step = _with_hooks(cls.step)

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._scratch = {}
        self._prepare_hooks()
        for group in self.param_groups:
            for name, value in _ADDED_LATER.items():
                if name in self.defaults:
                    group.setdefault(name, value)
        for values in self.state.values() if self._step_numbers else ():
            for name in self._step_numbers:
                if name in values and not isinstance(values[name], Variable):
                    values[name] = scalar_state(float(values[name]))

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            settings = "".join(f"    {k}: {group[k]}\n" for k in sorted(group) if k != "params")
            lines.append(f"Parameter Group {i}\n{settings}")
        return "\n".join(lines) + ")"

    # -- groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with settings of their own (a layer that is unfrozen later, say)."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        if "params" not in param_group:
            raise KeyError(
                f"add_param_group(): argument 'param_group' must have a key 'params' for the tensors, not only {list(param_group)}"
            )
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs. Please use a list instead."
            )
        if not (isinstance(params, Iterable) and has_parts(params)):
            raise TypeError(f"optimizer can only optimize Tensors, but the params of a group are {said(params)}")
        given = [params] if isinstance(params, Variable) else list(params)
        if any(isinstance(p, tuple) and len(p) != 2 for p in given):
            raise TypeError(
                "optimizer can only optimize Tensors, or (name, Tensor) pairs, but one of the params is another tuple"
            )
        names = [p[0] for p in given if isinstance(p, tuple)]
        params = param_group["params"] = [p[1] if isinstance(p, tuple) else p for p in given]
        if names:
            if len(names) != len(params):
                raise ValueError("all optimizer params should be with/without names. Some param names are missing")
            param_group["param_names"] = names
        for p in params:
            if not isinstance(p, Variable):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {said(p)}")
            if repeats(p.array):
                self._repeating = (*self._repeating, p)
            if not (self.defaults.get("differentiable") or p._edge is None or p._retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        if len({id(p) for p in params}) != len(params):
            warn(
                "optimizer contains a parameter group with duplicate parameters: it takes a step for each time that a "
                "parameter is given"
            )
        for group in self.param_groups:
            if ("param_names" in param_group) != ("param_names" in group):
                kind = "with" if "param_names" in param_group else "without"
                raise ValueError(
                    f"all optimizer param groups should be with/without names. cannot add param group {kind} names to the "
                    "optimizer"
                )
        taken = {id(p) for group in self.param_groups for p in group["params"]}
        if any(id(p) in taken for p in params):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

    # -- a step

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters (or set them to 0): backward passes add to what is there."""
        for group in self.param_groups:
            clear_gradients(group["params"], set_to_none)

    def _refuse_repeating(self) -> None:
        """RuntimeError where a parameter that has a gradient shows an element several times: it would take several steps."""
        if any(p._grad is not None for p in self._repeating):
            raise RuntimeError(
                "unsupported operation: more than one element of a parameter refers to a single memory location, so that a "
                "step would be taken several times. Please clone() the tensor before performing the operation."
            )

    def step(self, closure: Callable | None = None) -> Any:
        """Change every parameter that has a gradient. closure: computes the loss anew (and is called first)."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self._update_groups()
        return loss

    @quiet
    def _update_groups(self) -> None:
        if self._repeating:
            self._refuse_repeating()
        for group in self.param_groups:
            params = [p for p in group["params"] if p._grad is not None]
            for p in params:
                if p.array.dtype.kind != "f":
                    raise RuntimeError(
                        f"result type Float can't be cast to the desired output type {dtypes.cxx_name(p.array.dtype)}: only "
                        "parameters of a floating type can take a step"
                    )
            if group.get("differentiable"):
                self._refuse_differentiable(params)
            settings = self.prepare(group)
            for name in self.scales:
                if abs(settings.get(name, 0)) > 65504:  # the largest number that all floating types hold
                    for p in params:
                        element(
                            settings[name], p.array.dtype
                        )  # RuntimeError for what the parameters' type does not hold
            self.update_all(params, settings)

    def _refuse_differentiable(self, params: list[Any]) -> None:
        """Steps are not recorded. PyTorch records them for parameters that are no leaves, and raises for leaves."""
        if any(p._edge is None and p._requires_grad for p in params):
            raise RuntimeError(
                "a leaf Variable that requires grad is being used in an in-place operation: differentiable=True is for "
                "parameters that are computed, and not supported by minigrad"
            )
        refuse(type(self).__name__, differentiable=True)

    def prepare(self, group: dict[str, Any]) -> dict[str, Any]:
        """The group's settings, those that are tensors as numbers."""
        if not _PLAIN.issuperset(map(type, group.values())):
            group = {k: v.array.item() if isinstance(v, Variable) else v for k, v in group.items()}
        for name in _PAIRS:
            if name in group and len(group[name]) != 2:
                raise ValueError(f"{type(self).__name__}: {name} must be two numbers, not {group[name]}")
        betas = group.get("betas")
        if betas is not None and not _PLAIN.issuperset(map(type, betas)):
            group = {**group, "betas": tuple(b.array.item() if isinstance(b, Variable) else b for b in betas)}
        return group

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

    # -- hooks

    def register_step_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before each step; a tuple that it returns replaces args and kwargs."""
        return RemovableHandle(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after each step."""
        return RemovableHandle(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer)` before the state is given."""
        return RemovableHandle(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` on the state that is given; what it returns, if not None, replaces it."""
        return RemovableHandle(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` on the state to be loaded; what it returns, if not None, replaces it."""
        return RemovableHandle(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer)` after a state was loaded."""
        return RemovableHandle(self._optimizer_load_state_dict_post_hooks, hook, prepend)

    # -- saving and loading

    def state_dict(self) -> dict[str, Any]:
        """State and settings, parameters named by their number: PyTorch's format, so either engine loads it.

        The tensors are those of the optimizer itself: copy (or save) the state to keep it as it is now.
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        number = {id(p): i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        groups = [
            {**{k: v for k, v in group.items() if k != "params"}, "params": [number[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]
        state = {number[id(p)] if isinstance(p, Variable) else p: s for p, s in self.state.items()}
        out: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            changed = hook(self, out)
            out = out if changed is None else changed
        return out

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave, from minigrad or PyTorch, for parameters in the same order.

        Tensors of minigrad are taken as they are where their type is that of the parameter, else converted.
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        saved = [{k: _own(None, deepcopy(v), None) for k, v in group.items()} for group in state_dict["param_groups"]]
        if len(saved) != len(self.param_groups):
            raise ValueError(
                f"loaded state dict has a different number of parameter groups: {len(saved)}, the optimizer has "
                f"{len(self.param_groups)}"
            )
        for i, (new, old) in enumerate(zip(saved, self.param_groups, strict=True)):
            if len(new["params"]) != len(old["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of optimizer's group: "
                    f"group {i} has {len(new['params'])} parameters, the optimizer's has {len(old['params'])}"
                )
        numbers = chain.from_iterable(group["params"] for group in saved)
        params = chain.from_iterable(group["params"] for group in self.param_groups)
        by_number = dict(zip(numbers, params, strict=True))
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for number, values in state_dict["state"].items():
            if number in by_number:
                state[by_number[number]] = _own(None, values, by_number[number])
            else:
                state[number] = values
        for new, old in zip(saved, self.param_groups, strict=True):
            new["params"] = old["params"]
            if "param_names" in old:
                new.setdefault("param_names", old["param_names"])
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)


add_kind(Optimizer)


def _own(name: Any, value: Any, p: Variable | None) -> Any:
    """A loaded state value: tensors of any engine become minigrad's, in the parameter's type but for the count of steps."""
    if isinstance(value, np.ndarray):
        return value.copy()
    array = array_of(value)
    if array is not None:
        if p is None or name == "step" or p.array.dtype.kind != "f" or array.dtype == p.array.dtype:
            return value if isinstance(value, Variable) else wrap(array.copy())
        return wrap(array.astype(p.array.dtype))
    if isinstance(value, dict):
        return {k: _own(k, v, p) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and not hasattr(value, "_fields"):
        return type(value)(_own(None, v, p) for v in value)
    return value


def scalar_state(value: float) -> Variable:
    """A number kept in the state as a tensor, as PyTorch keeps it (float32 unless the default type is float64)."""
    return wrap(np.array(value, dtype=dtypes.default_numpy()))


def count_step(state: dict[str, Any]) -> float:
    """Count a step of this parameter; the number of steps so far."""
    step = state["step"].array
    step += 1
    return float(step)


def lerp(start: Array, end: Array, weight: float) -> None:
    """start ← start + weight · (end - start), counted from the nearer end: a weight of 1 gives `end` itself."""
    if weight < 0.5:
        start += (end - start) * weight
    else:
        start[...] = end - (end - start) * (1 - weight)


def in_one_line(*arrays: Array) -> bool:
    """Whether the elements of each stand in order and without gaps, so that one loop may pass over all of them."""
    return all(array.flags.c_contiguous for array in arrays)


def check_range(name: str, value: Any, low: float = 0.0, high: float | None = None) -> None:
    """ValueError in PyTorch's words unless low ≤ value (< high)."""
    if isinstance(value, Variable):
        if value.array.size != 1:
            raise ValueError(f"Tensor {name.removeprefix('learning ').replace('rate', 'lr')} must be 1-element")
        value = value.array.item()
    if not low <= value or (high is not None and not value < high):
        raise ValueError(f"Invalid {name}: {value}")


def check_betas(betas: Iterable[float]) -> None:
    """ValueError unless 0 ≤ beta < 1 for each, IndexError where there is none to look at."""
    if len(list(betas)) < 2:
        raise IndexError(f"an optimizer's running means need two numbers, got betas={betas}")
    for i, beta in enumerate(betas):
        number = beta.array.item() if isinstance(beta, Variable) else beta
        if not 0.0 <= number < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
