"""What distributions share: parameters that broadcast, probabilities and their logits, attributes computed when asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.modes import enable_grad
from ..creation import scalar_tensor
from ..errors import InvalidObject
from ..foreign import said
from ..ops import clamp, log, log1p, sigmoid, softmax
from ..tensor import Tensor

__all__ = [
    "broadcast_all",
    "clamp_probs",
    "euler_constant",
    "lazy_property",
    "logits_to_probs",
    "probs_to_logits",
]

euler_constant = 0.57721566490153286060


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Numbers and tensors as tensors of one shape. PyTorch: torch.distributions.utils.broadcast_all."""
    if not all(isinstance(v, Tensor | int | float) for v in values):
        given = ", ".join(said(v) for v in values)
        raise ValueError(f"Input arguments must all be instances of Number or torch.Tensor, got {given}")
    dtype = next((v.dtype for v in values if isinstance(v, Tensor)), dtypes.get_default_dtype())
    tensors = [v if isinstance(v, Tensor) else _number(v, dtype) for v in values]
    shape = broadcast_shapes(*(t.shape for t in tensors))
    return tuple(t if t.shape == shape else t.expand(shape) for t in tensors)


def _number(v: float, dtype: dtypes.dtype) -> Tensor:
    """A number as a tensor; one that is too large is infinite, as PyTorch makes it."""
    largest = dtypes.finfo(dtype).max if dtype.is_floating_point else math.inf
    return scalar_tensor(
        math.copysign(math.inf, v) if abs(v) > largest else float(v) if abs(v) >= 2**63 else v, dtype=dtype
    )


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape in which values of these shapes meet. Errors: RuntimeError where they do not."""
    n = max(map(len, shapes), default=0)
    sides = zip(*((1,) * (n - len(s)) + tuple(s) for s in shapes), strict=True)
    out = []
    for column in sides:
        different = {k for k in column if k != 1}
        if len(different) > 1:
            raise RuntimeError(f"the shapes {', '.join(str(list(s)) for s in shapes)} do not broadcast")
        out.append(different.pop() if different else 1)
    return tuple(out)


def require_value(value: Any, function: str, argument: str = "value") -> None:
    """InvalidObject unless value is a tensor or a number, of which densities and the like can be computed."""
    if not isinstance(value, Tensor | int | float | np.generic | np.ndarray):
        raise InvalidObject(f"{function}: argument '{argument}' must be Tensor or float, not {said(value)}")


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities held apart from 0 and 1 by the type's eps. PyTorch: the same name."""
    eps = dtypes.finfo(probs.dtype).eps
    return clamp(probs, min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """ln p, or for the probability of a yes ln (p / (1 - p)). PyTorch: the same name."""
    held = clamp_probs(probs)
    return log(held) - log1p(-held) if is_binary else log(held)


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """softmax, or for a yes or no sigmoid. PyTorch: the same name."""
    return sigmoid(logits) if is_binary else softmax(logits, -1)


class lazy_property:
    """An attribute that is computed when it is first asked for. PyTorch: the same name."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with enable_grad():
            value = self.wrapped(instance)
        instance.__dict__[self.wrapped.__name__] = value
        return value
