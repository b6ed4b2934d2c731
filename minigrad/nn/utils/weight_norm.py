"""A weight as a length times a direction, by a hook that computes it before each call. PyTorch: torch.nn.utils.weight_norm.

`nn.utils.parametrizations.weight_norm` is the newer form of the same.
"""

from __future__ import annotations

from typing import Any

from ...ops.dims import normalize_dim
from ...warn import warn
from ..module import Module
from ..parameter import Parameter, is_lazy
from .norms import norm_except_dim, weight_of


class WeightNorm:
    """The hook: weight = g · v / |v|, the norm over all dimensions but `dim`. Salimans & Kingma 2016."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.dim = name, -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Any:
        """The weight, of the module's `name`_g and `name`_v."""
        return weight_of(getattr(module, f"{self.name}_v"), getattr(module, f"{self.name}_g"), self.dim)

    @staticmethod
    def apply(module: Module, name: str, dim: int | None) -> WeightNorm:
        """Put the hook on a module."""
        warn(
            "`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.",
            FutureWarning,
        )
        if find(module, WeightNorm, name) is not None:
            raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
        hook = WeightNorm(name, dim)
        weight = getattr(module, name)
        if dim is not None and not is_lazy(weight) and dim != -1:
            normalize_dim(dim, weight.dim())  # IndexError where there is none such
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure to run the dummy forward "
                "before applying weight normalization"
            )
        del module._parameters[name]
        module.register_parameter(f"{name}_g", Parameter(norm_except_dim(weight, hook.dim).detach()))
        module.register_parameter(f"{name}_v", Parameter(weight.detach()))
        setattr(module, name, hook.compute_weight(module))
        module.register_forward_pre_hook(hook)
        return hook

    def remove(self, module: Module) -> None:
        """Leave the weight as it is now, as an ordinary parameter."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        del module._parameters[f"{self.name}_g"], module._parameters[f"{self.name}_v"]
        setattr(module, self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def find(module: Module, kind: type, name: str) -> int | None:
    """The key of the forward pre-hook of this kind for a parameter."""
    table = {} if module._hooks is None else module._hooks["forward_pre"]
    for key, (hook, _) in table.items():
        if isinstance(hook, kind) and hook.name == name:  # type: ignore[attr-defined]
            return key
    return None


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Any:
    """Learn a parameter's lengths `name`_g (one for each entry of dim; None: one in all) and directions `name`_v apart."""
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Any:
    """Take `weight_norm` off; the weight stays what it is."""
    key = find(module, WeightNorm, name)
    if key is None:
        raise ValueError(f"weight_norm of '{name}' not found in {module}")
    module._hooks["forward_pre"].pop(key)[0].remove(module)
    return module
