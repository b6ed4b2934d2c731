"""Tensors that a module owns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.variable import Variable, wrap
from ..device import require_cpu
from ..foreign import said
from ..ops.checks import require_room
from ..tensor import Tensor
from ..tensor_options import read_to


class Parameter(Tensor):
    """A tensor that a module registers as its parameter when it is assigned as an attribute. PyTorch: torch.nn.Parameter."""

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        self = super().__new__(cls)
        if data is None:
            self.array = np.empty(0, dtypes.default_numpy())
        elif isinstance(data, Variable):
            self.array = data.array[...]  # the same memory; the graph tells tensors apart by their array objects
        else:
            raise TypeError(f"Parameter needs a Tensor, got {said(data)}; make one with torch.tensor(...)")
        self.requires_grad_(requires_grad)
        return self

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        pass  # __new__ has done it

    def change(self, how: Callable[[Any], Any]) -> None:
        """Other values, of another dtype for instance, in the same object; its gradient too."""
        self.array = how(wrap(self.array)).array
        if self._grad is not None:
            self._grad = how(wrap(self._grad.array))

    def __deepcopy__(self, memo: dict) -> Parameter:
        """A copy of the values; the gradient stays behind, as in PyTorch."""
        if id(self) in memo:
            return memo[id(self)]
        grad, self._grad = self._grad, None
        try:
            return super().__deepcopy__(memo)  # type: ignore[return-value]
        finally:
            self._grad = grad

    def _copied(self, memo: dict) -> np.ndarray:
        """Memory of its own, as in PyTorch: a copied parameter shares it with no copy of a view of it."""
        return self.array.copy(order="K")

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that a module registers as a buffer when it is assigned as an attribute. PyTorch: torch.nn.Buffer."""

    persistent: bool

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Buffer:
        if data is not None and not isinstance(data, Tensor):
            raise TypeError(f"Buffer(): argument 'data' must be Tensor or None, not {said(data)}")
        self = super().__new__(cls)
        self.array = np.empty(0, dtypes.default_numpy()) if data is None else data.array[...]
        self._requires_grad = data is not None and data.requires_grad
        self.persistent = persistent
        return self

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        pass


class UninitializedTensorMixin(Tensor):
    """A parameter or buffer of a lazy layer before its first input: it has a dtype, but no shape and no values."""

    cls_to_become: type[Tensor] = Tensor
    _numpy_dtype: np.dtype

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        require_cpu(device)
        self = Tensor.__new__(cls)
        self._numpy_dtype = dtypes.default_numpy() if dtype is None else dtypes.to_numpy(dtype)
        if requires_grad and self._numpy_dtype.kind != "f":
            raise RuntimeError(f"Only Tensors of floating point and complex dtype can require gradients, got {dtype}")
        self._requires_grad = requires_grad
        return self

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass  # __new__ has done it

    @property
    def array(self) -> Any:  # type: ignore[override]
        raise ValueError(
            f"Attempted to use an uninitialized parameter (a {type(self).__name__} of a lazy module). Call the module with an "
            "input first: that tells its shape"
        )

    @property
    def shape(self) -> Any:
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` "
            "when trying to load an uninitialized parameter into an initialized one. Call `forward` to initialize the "
            "parameters before accessing their attributes."
        )

    @property
    def dtype(self) -> dtypes.dtype:
        return dtypes.from_numpy(self._numpy_dtype)

    def is_floating_point(self) -> bool:
        return self._numpy_dtype.kind == "f"

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become an ordinary parameter or buffer of this shape, its values not set to anything."""
        require_cpu(device)
        if negative := [n for n in shape if n < 0]:
            raise RuntimeError(f"Trying to create tensor with negative dimension {negative[0]}: {list(shape)}")
        require_room(shape, self._numpy_dtype.itemsize)
        try:
            array = np.empty(tuple(shape), self._numpy_dtype if dtype is None else dtypes.to_numpy(dtype))
        except MemoryError as error:
            raise RuntimeError(f"there is not so much memory: {error}") from None
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        self.array = array  # type: ignore[misc]

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Of another dtype once it has values."""
        d, _, _ = read_to(args, kwargs)
        self._numpy_dtype = self._numpy_dtype if d is None else d
        return self

    def change(self, how: Callable[[Any], Any]) -> None:
        self._numpy_dtype = how(wrap(np.empty(0, self._numpy_dtype))).array.dtype

    def detach(self) -> Any:
        """Itself: it is part of no graph."""
        return self

    def __deepcopy__(self, memo: dict) -> Any:
        made = memo[id(self)] = type(self)(self._requires_grad, None, self.dtype)
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self._requires_grad, None, self.dtype)

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return f"<{type(self).__name__}>"


def is_lazy(x: Any) -> bool:
    """Whether this is a parameter or buffer that still waits for its shape."""
    return isinstance(x, UninitializedTensorMixin)


class UninitializedParameter(UninitializedTensorMixin, Parameter):  # type: ignore[misc]  # both have a __repr__
    """A parameter that waits for its shape. PyTorch: torch.nn.parameter.UninitializedParameter."""

    cls_to_become = Parameter


class UninitializedBuffer(UninitializedTensorMixin):
    """A buffer that waits for its shape. PyTorch: torch.nn.parameter.UninitializedBuffer."""

    def __new__(
        cls, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> Any:
        self = super().__new__(cls, requires_grad, device, dtype)
        self.persistent = persistent
        return self
