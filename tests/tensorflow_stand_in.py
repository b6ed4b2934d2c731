"""The few names of TensorFlow that a lesson uses, with TensorFlow's signatures and manners, over PyTorch.

Not TensorFlow: it shows that the lesson's lines run, with which shapes, and what they compute. What it refuses, TensorFlow
refuses too: another dtype, an `assign_sub` that would broadcast, a gradient of what the tape did not see, a tape asked twice.
"""

import contextlib
from types import SimpleNamespace

import numpy as np
import torch

_tapes: list["GradientTape"] = []


class Tensor:
    """An EagerTensor: it never changes, and meets others of its dtype only."""

    def __init__(self, value: torch.Tensor) -> None:
        self.value = value

    def _with(self, other: object, function):
        return Tensor(function(self.value, _like(other, self.value)))

    def __add__(self, other):
        return self._with(other, torch.add)

    def __sub__(self, other):
        return self._with(other, torch.sub)

    def __mul__(self, other):
        return self._with(other, torch.mul)

    def __truediv__(self, other):
        return self._with(other, torch.div)

    def __matmul__(self, other):
        return self._with(other, torch.matmul)

    def __pow__(self, other):
        return self._with(other, torch.pow)

    def __neg__(self):
        return Tensor(-self.value)

    def __rsub__(self, other):
        return Tensor(_like(other, self.value) - self.value)

    def __rmul__(self, other):
        return Tensor(_like(other, self.value) * self.value)

    def __float__(self) -> float:
        return self.value.item()

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)


class Variable(Tensor):
    """A tensor that changes, and that every tape watches."""

    def __init__(self, initial_value: np.ndarray) -> None:
        self.value = torch.tensor(initial_value).requires_grad_()

    def assign_sub(self, delta: Tensor) -> "Variable":
        if delta.shape != self.shape:
            raise ValueError(f"assign_sub: shapes {self.shape} and {delta.shape} differ")
        with torch.no_grad():
            self.value -= _like(delta, self.value)
        return self


class GradientTape:
    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> "GradientTape":
        _tapes.append(self)
        return self

    def __exit__(self, *_) -> None:
        _tapes.remove(self)

    def gradient(self, target: Tensor, sources: dict[str, Variable]) -> dict[str, Tensor]:
        """Of the same structure as `sources`."""
        if self.asked:
            raise RuntimeError("A non-persistent GradientTape can only be used to compute one set of gradients")
        self.asked = True
        slopes = torch.autograd.grad(target.value, [v.value for v in sources.values()])
        return {name: Tensor(slope) for name, slope in zip(sources, slopes, strict=True)}


def _like(other: object, value: torch.Tensor) -> torch.Tensor:
    """A number takes the tensor's dtype; a tensor must have it."""
    if not isinstance(other, Tensor):
        return torch.tensor(other, dtype=value.dtype)
    if other.value.dtype != value.dtype:
        raise TypeError(f"expected a tensor of {value.dtype}, got {other.value.dtype}")
    return other.value


def _recorded(function):
    """An operation: recorded inside of a tape, and else not."""

    def call(*arguments):
        with contextlib.nullcontext() if _tapes else torch.no_grad():
            return Tensor(function(*arguments))

    return call


def constant(value: np.ndarray) -> Tensor:
    return Tensor(torch.tensor(value))


zeros_like = _recorded(lambda input: torch.zeros_like(input.value))
transpose = _recorded(lambda a: a.value.permute(*reversed(range(a.value.ndim))))
squeeze = _recorded(lambda input, axis: input.value.squeeze(axis) if input.shape[axis] == 1 else 1 / 0)
maximum = _recorded(lambda x, y: torch.maximum(x.value, _like(y, x.value)))
reduce_mean = _recorded(lambda input: input.value.mean())
sigmoid = _recorded(lambda x: torch.sigmoid(x.value))
sqrt = _recorded(lambda x: torch.sqrt(x.value))
nn = SimpleNamespace(relu=_recorded(lambda features: torch.relu(features.value)))
math = SimpleNamespace(log=_recorded(lambda x: torch.log(x.value)))
