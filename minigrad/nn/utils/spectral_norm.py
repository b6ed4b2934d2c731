"""A weight divided by its largest singular value, by a hook before each call. PyTorch: torch.nn.utils.spectral_norm.

`nn.utils.parametrizations.spectral_norm` is the newer form of the same.
"""

from __future__ import annotations

from typing import Any

from ... import ops
from ...autograd.modes import no_grad
from ..module import Module
from ..parameter import Parameter, is_lazy
from .norms import as_matrix, direction, out_dim, towards
from .weight_norm import find


class SpectralNorm:
    """The hook: weight = W / (uᵀ W v), where u and v are led towards the first singular vectors of W by the power method,
    some steps at each call in training. Miyato et al. 2018."""

    def __init__(self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.name, self.n_power_iterations, self.dim, self.eps = name, n_power_iterations, dim, eps

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Any:
        """The weight, of the module's `name`_orig, _u and _v."""
        weight, u, v = (getattr(module, self.name + part) for part in ("_orig", "_u", "_v"))
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            for _ in range(self.n_power_iterations):
                v.copy_(towards(matrix.t(), u, self.eps))
                u.copy_(towards(matrix, v, self.eps))
            u, v = u.clone(), v.clone()  # the next call changes them before this one's gradient is asked for
        return weight / ops.dot(u, ops.mv(matrix, v))

    @staticmethod
    def apply(module: Module, name: str, n_power_iterations: int, dim: int, eps: float) -> SpectralNorm:
        """Put the hook on a module."""
        if find(module, SpectralNorm, name) is not None:
            raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
        hook = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `SpectralNorm` can't have uninitialized parameters. Make sure to run the dummy forward "
                "before applying spectral normalization"
            )
        rows, columns = as_matrix(weight, dim).shape
        u, v = direction(weight, rows, eps), direction(weight, columns, eps)
        delattr(module, name)
        module.register_parameter(f"{name}_orig", weight)
        setattr(module, name, weight.detach())
        module.register_buffer(f"{name}_u", u)
        module.register_buffer(f"{name}_v", v)
        module.register_forward_pre_hook(hook)
        return hook

    def remove(self, module: Module) -> None:
        """Leave the weight as it is now, as an ordinary parameter."""
        with no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for part in ("", "_u", "_v", "_orig"):
            delattr(module, self.name + part)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """Keep a parameter's largest singular value at 1. dim: which dimension counts outputs; 0, of transposed convolutions 1."""
    SpectralNorm.apply(module, name, n_power_iterations, out_dim(module) if dim is None else dim, eps)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Any:
    """Take `spectral_norm` off; the weight stays what it is."""
    key = find(module, SpectralNorm, name)
    if key is None:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    module._hooks["forward_pre"].pop(key)[0].remove(module)
    return module
