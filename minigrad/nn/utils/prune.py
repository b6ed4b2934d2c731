"""Pruning: parts of a weight held at zero by a mask. PyTorch: torch.nn.utils.prune.

A pruned `weight` is computed before each call from the parameter `weight_orig` and the buffer `weight_mask`. Pruning it
again looks only at what the mask has left.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import missing
from ...autograd.variable import wrap
from ...creation import ones_like
from ...ops import norm
from ...random import default_generator
from ...signature import publish
from ..module import Module
from .convert_parameters import parameters_to_vector

if TYPE_CHECKING:
    from ...tensor import Tensor


class BasePruningMethod:
    """A way to choose what to prune, and the hook that applies the mask.

    A subclass gives PRUNING_TYPE ("unstructured": elements, "structured": entries of `dim`, "global": it sees the whole
    mask) and `compute_mask(t, default_mask)`: 1 to keep, 0 to prune.
    """

    PRUNING_TYPE = "unstructured"
    _tensor_name: str

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask for a tensor of importances, beginning from `default_mask`."""
        raise NotImplementedError("a pruning method needs a compute_mask(t, default_mask)")

    def apply_mask(self, module: Module) -> Any:
        """The pruned tensor."""
        original = getattr(module, f"{self._tensor_name}_orig")
        return getattr(module, f"{self._tensor_name}_mask").to(original.dtype) * original

    @classmethod
    def apply(cls, module: Module, name: str, *args: Any, importance_scores: Any = None, **kwargs: Any) -> Any:
        """Prune module.name, by the sizes of its elements or by the scores given."""
        method = cls(*args, **kwargs)
        method._tensor_name = name
        original = getattr(module, name)
        scores = original if importance_scores is None else importance_scores
        if scores.shape != original.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module}, got {scores.shape} vs "
                f"{original.shape}"
            )
        before = _find(module, name)
        if before is None:
            mask = method.compute_mask(scores.detach(), ones_like(original).detach())
            del module._parameters[name]
            module.register_parameter(f"{name}_orig", original)
        else:
            mask = method.within(scores.detach(), getattr(module, f"{name}_mask").clone())
            del module._hooks["forward_pre"][before]  # type: ignore[attr-defined]
        module.register_buffer(f"{name}_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def within(self, t: Any, mask: Any) -> Any:
        """The mask after this pruning, of what an earlier mask has left."""
        key: Any
        if self.PRUNING_TYPE == "unstructured":
            key = mask == 1
        elif self.PRUNING_TYPE == "structured":
            if not hasattr(self, "dim"):
                raise AttributeError(
                    'Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.'
                )
            dim = self.dim % t.dim()
            left = mask.array.any(tuple(d for d in range(t.dim()) if d != dim))
            key = (slice(None),) * dim + (wrap(left),)
        elif self.PRUNING_TYPE == "global":
            return self.compute_mask(t, mask)
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {self.PRUNING_TYPE}")
        part = self.compute_mask(t[key], mask[key])
        mask[key] = part.to(mask.dtype)
        return mask

    def prune(self, t: Any, default_mask: Any = None, importance_scores: Any = None) -> Any:
        """A pruned copy of a tensor."""
        scores = t if importance_scores is None else importance_scores
        return t * self.compute_mask(scores, ones_like(t) if default_mask is None else default_mask)

    def remove(self, module: Module) -> None:
        """Make the pruned values the parameter's own."""
        name, weight = self._tensor_name, self.apply_mask(module)
        delattr(module, name)
        original: Any = module._parameters.pop(f"{name}_orig")
        del module._buffers[f"{name}_mask"]
        original.data = weight.detach()
        setattr(module, name, original)

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))


def _find(module: Any, name: str | None = None) -> int | None:
    """The key of the hook that prunes a tensor, or any."""
    for key, (hook, _) in ({} if module._hooks is None else module._hooks["forward_pre"]).items():
        if isinstance(hook, BasePruningMethod) and name in (None, hook._tensor_name):
            return key
    return None


def _amount(amount: Any) -> Any:
    if not isinstance(amount, int | float | np.number):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    if amount < 0 or (not isinstance(amount, int | np.integer) and amount > 1):
        raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")
    return amount


def _count(amount: Any, size: int) -> int:
    """How many of `size` to prune: the number, or that share of them."""
    count = amount if isinstance(amount, int | np.integer) else round(amount * size)
    if count > size:
        raise ValueError(f"amount={count} should be smaller than the number of parameters to prune={size}")
    return int(count)


def _without(mask: Any, places: np.ndarray) -> Any:
    """The mask with 0 at these places of the flattened tensor."""
    out = mask.array.copy()
    out.reshape(-1)[places] = 0
    return wrap(out)


class Identity(BasePruningMethod):
    """Prunes nothing, but makes the mask."""

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        return default_mask


class RandomUnstructured(BasePruningMethod):
    """Prunes elements by chance."""

    def __init__(self, amount: Any) -> None:
        self.amount = _amount(amount)

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        count = _count(self.amount, t.numel())
        if not count:
            return default_mask.clone()
        drawn = default_generator.uniform(t.array.shape, t.array.dtype).reshape(-1)
        return _without(default_mask, np.argsort(-drawn, kind="stable")[:count])


class L1Unstructured(BasePruningMethod):
    """Prunes the elements that are smallest in size."""

    def __init__(self, amount: Any) -> None:
        self.amount = _amount(amount)

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        count = _count(self.amount, t.numel())
        return _without(default_mask, np.argsort(np.abs(t.array).reshape(-1), kind="stable")[:count])


class _Structured(BasePruningMethod):
    PRUNING_TYPE = "structured"
    amount: Any
    dim: int

    def _check(self, t: Any) -> int:
        if t.dim() <= 1:
            raise ValueError(
                f"Structured pruning can only be applied to multidimensional tensors. Found tensor of shape {t.shape} with "
                f"{t.dim()} dims"
            )
        if self.dim >= t.dim():
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        return _count(self.amount, t.shape[self.dim])

    def _keep(self, default_mask: Any, kept: np.ndarray) -> Any:
        shape = [1] * default_mask.dim()
        shape[self.dim] = -1
        return default_mask * wrap(kept.reshape(shape).astype(default_mask.array.dtype))


class RandomStructured(_Structured):
    """Prunes entries of a dimension by chance."""

    def __init__(self, amount: Any, dim: int = -1) -> None:
        self.amount, self.dim = _amount(amount), dim

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        count = self._check(t)
        if not count:
            return default_mask
        drawn = default_generator.uniform((t.shape[self.dim],), np.float32)
        return self._keep(default_mask, drawn > np.sort(drawn)[count - 1])


class LnStructured(_Structured):
    """Prunes the entries of a dimension whose n-norm is smallest."""

    def __init__(self, amount: Any, n: Any, dim: int = -1) -> None:
        self.amount, self.n, self.dim = _amount(amount), n, dim

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        count = self._check(t)
        if not count:
            return default_mask
        sizes = norm(t, self.n, tuple(d for d in range(t.dim()) if d != self.dim % t.dim())).array
        kept = np.zeros(sizes.shape, bool)
        kept[np.argsort(-sizes, kind="stable")[: sizes.size - count]] = True
        return self._keep(default_mask, kept)


class CustomFromMask(BasePruningMethod):
    """Prunes where a given mask is 0."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Any) -> None:
        self.mask = mask

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"default_mask shape {default_mask.shape} must match self.mask shape {self.mask.shape}"
            )
        return default_mask * self.mask.to(default_mask.dtype)


def identity(module: Module, name: str) -> Any:
    """Prune nothing, but make mask and hook."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: float) -> Any:
    """Prune `amount` elements (a number, or a share) by chance."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Module, name: str, amount: float, importance_scores: Any = None) -> Any:
    """Prune the `amount` elements that are smallest in size (or in importance_scores)."""
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: float, dim: int) -> Any:
    """Prune `amount` entries of a dimension by chance."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Module, name: str, amount: float, n: float | str, dim: int, importance_scores: Any = None
) -> Any:
    """Prune the `amount` entries of a dimension whose n-norm is smallest."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Any:
    """Prune where the mask is 0."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[Any], pruning_method: Any, importance_scores: Any = None, **kwargs: Any
) -> None:
    """Prune elements of several parameters, pairs (module, name), as if they were one vector."""
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    parameters = list(parameters)
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            f'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method {pruning_method} of type '
            f"{method.PRUNING_TYPE}"
        )
    tensors = [getattr(module, name) for module, name in parameters]
    importance = parameters_to_vector([scores.get(pair, t) for pair, t in zip(parameters, tensors, strict=True)])
    masks = [
        getattr(module, f"{name}_mask", ones_like(t)) for (module, name), t in zip(parameters, tensors, strict=True)
    ]
    mask = method.within(importance.detach(), parameters_to_vector(masks).detach().clone())
    start = 0
    for (module, name), t in zip(parameters, tensors, strict=True):
        custom_from_mask(module, name, mask[start : start + t.numel()].reshape(t.shape))
        start += t.numel()


def remove(module: Module, name: str) -> Any:
    """Make the pruned values the parameter's own, and take mask and hook away."""
    key = _find(module, name)
    if key is None:
        raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")
    module._hooks["forward_pre"].pop(key)[0].remove(module)
    return module


def is_pruned(module: Module) -> bool:
    """Whether a tensor of this module, or of one below it, is pruned."""
    return any(_find(m) is not None for m in module.modules())


globals().update(publish(globals(), __name__))


def __getattr__(name: str) -> Any:  # loaded on its own, as PyTorch's is
    raise missing.error(__name__, name, globals())
