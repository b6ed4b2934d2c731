"""Tensors that a module owns."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.variable import Variable
from ..tensor import Tensor


class Parameter(Tensor):
    """A tensor that a module registers as its parameter when it is assigned as an attribute. PyTorch: torch.nn.Parameter."""

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        self = super().__new__(cls)
        if data is None:
            self.array = np.empty(0, dtypes.default_numpy())
        elif isinstance(data, Variable):
            self.array = data.array[...]  # the same memory; the graph tells tensors apart by their array objects
        else:
            raise TypeError(f"Parameter needs a Tensor, got {type(data).__name__}; make one with torch.tensor(...)")
        self.requires_grad_(requires_grad)
        return self

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        pass  # __new__ has done it

    def __deepcopy__(self, memo: dict) -> Parameter:
        """A copy of the values; the gradient stays behind, as in PyTorch."""
        if id(self) in memo:
            return memo[id(self)]
        grad, self._grad = self._grad, None
        try:
            return super().__deepcopy__(memo)  # type: ignore[return-value]
        finally:
            self._grad = grad

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that a module registers as a buffer when it is assigned as an attribute. PyTorch: torch.nn.Buffer."""

    persistent: bool

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Buffer:
        self = super().__new__(cls)
        self.array = data.array[...] if isinstance(data, Variable) else np.empty(0, dtypes.default_numpy())
        self.persistent = persistent
        return self

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        pass
