"""Keeping gradients from growing too large. Pascanu et al. 2013. PyTorch: torch.nn.utils.clip_grad_norm_."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import dtypes, storage
from ...autograd.variable import Variable, wrap
from ...foreign import said
from ...geometry import require_own_places
from ...quiet import quiet
from ...warn import warn

if TYPE_CHECKING:
    from ...tensor import Tensor


__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_"]  # as PyTorch's file; nn.utils has the others too


def _parameters(parameters: Tensor | Iterable[Tensor]) -> list[Any]:
    found = [parameters] if isinstance(parameters, Variable) else list(parameters)
    for p in found:
        if not isinstance(p, Variable):
            raise TypeError(f"argument 'parameters' must be a Tensor or an iterable of Tensors, but one is {said(p)}")
    return found


@quiet
def get_total_norm(
    tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:  # fmt: skip
    """The norm of all tensors together, as if they were one vector."""
    arrays = [t.array for t in _parameters(tensors)]
    for a in arrays:
        if a.dtype.kind != "f":
            raise RuntimeError(
                f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {dtypes.cxx_name(a.dtype)}"
            )
    if not arrays:
        return wrap(np.zeros((), np.float32))
    p = float(norm_type)
    norms = np.array([_norm(a, p) for a in arrays], dtype=arrays[0].dtype)
    total = np.asarray(_norm(norms, p), dtype=arrays[0].dtype)
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be clipped. To "
            "disable this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return wrap(total)


def _norm(a: np.ndarray, p: float) -> Any:
    if a.size == 0:
        return 0.0
    if p == math.inf:
        return np.abs(a).max()
    if p == -math.inf:
        return np.abs(a).min()
    if p == 0:
        return np.count_nonzero(a)
    if p == 2:
        flat = a.ravel()
        return np.sqrt(np.dot(flat, flat))
    return np.power(np.power(np.abs(a), p).sum(), 1 / p)


@quiet
def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale all gradients by max_norm / total_norm, where that is below 1."""
    if total_norm.array.ndim:
        raise RuntimeError(
            f"clip_grads_with_norm_(): argument 'total_norm' must be a tensor without dimensions, but its shape is "
            f"{list(total_norm.array.shape)}"
        )
    scale = float(max_norm) / (total_norm.array + 1e-6)
    scale = np.minimum(scale, 1.0)
    for p in _parameters(parameters):
        if p._grad is not None:
            require_own_places(p._grad.array)
            p._grad.array *= p._grad.array.dtype.type(scale)
            storage.mark_written(p._grad.array)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:  # fmt: skip
    """Scale all gradients so that their common norm is at most max_norm. Returns the norm before."""
    parameters = _parameters(parameters)
    grads = [p._grad for p in parameters if p._grad is not None]
    total = get_total_norm(grads, norm_type, error_if_nonfinite)
    clip_grads_with_norm_(parameters, max_norm, total)
    return total


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:  # fmt: skip
    """`clip_grad_norm_` by its old name, with PyTorch's warning."""
    warn("torch.nn.utils.clip_grad_norm is now deprecated in favor of torch.nn.utils.clip_grad_norm_.", FutureWarning)
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Hold each element of each gradient within ±clip_value."""
    clip_values([p for p in _parameters(parameters) if p._grad is not None], clip_value)


def clip_values(parameters: list[Any], clip_value: float) -> None:
    """Hold each element of the gradients, which are all there, within ±clip_value."""
    for p in parameters:
        require_own_places(p._grad.array)
        np.clip(p._grad.array, -clip_value, clip_value, out=p._grad.array)
        storage.mark_written(p._grad.array)
