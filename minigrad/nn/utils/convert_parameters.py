"""All parameters as one vector, and back. PyTorch: torch.nn.utils.parameters_to_vector."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ...autograd.variable import Variable
from ...foreign import said
from ...ops.checks import require_argument
from ...ops.join import cat

if TYPE_CHECKING:
    from ...tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters, one after the other."""
    parameters = list(parameters)
    for p in parameters:
        require_argument(p, "parameters_to_vector", "parameters")
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Any, parameters: Iterable[Tensor]) -> None:
    """Set the parameters from a vector, as `parameters_to_vector` made it."""
    if not isinstance(vec, Variable):
        raise TypeError(f"expected torch.Tensor, but got: {said(vec)}")
    start = 0
    for p in parameters:
        require_argument(p, "vector_to_parameters", "parameters", 2)
        if p.requires_grad and vec.array.dtype.kind != "f":
            raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
        n = p.array.size
        if len(vec.array) < start + n:
            raise RuntimeError(f"shape '{list(p.shape)}' is invalid for input of size {len(vec.array) - start}")
        p.array = vec.array[start : start + n].reshape(p.array.shape)
        start += n
