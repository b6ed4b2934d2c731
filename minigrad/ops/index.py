"""x[key]: elements read and written by position, list or mask. Gradients add up where an element was read twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd import fused
from ..autograd.fused import Fused
from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, wrap
from ..public import public
from .keys import index_error, ints_first, is_basic, is_mixed, plain_key
from .operands import cast
from .parts import Slice
from .shape import expand

if TYPE_CHECKING:
    from ..tensor import Tensor

# -- read


class Index(Operation):
    """out = x[key] with tensors or lists in the key.  dx = grad added at those places: twice where an element was read twice"""

    @staticmethod
    def forward(ctx: Any, x: Array, key: Any) -> Array:
        ctx.key, ctx.shape = key, x.shape
        return np.asarray(x[key], order="C")

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return add_at(grad, ctx.key, ctx.shape), None


def getitem(input: Tensor, key: Any) -> Tensor:
    """`input[key]`: ints, slices, None, Ellipsis (a view); masks, integer tensors, lists (a copy). PyTorch: Tensor.__getitem__."""
    if type(key) is int:
        n = input.array.shape[0] if input.array.ndim else 0
        if not -n <= key < n:
            if not input.array.ndim:
                raise IndexError(
                    "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
                    "0-dim tensor to a number"
                )
            raise IndexError(f"index {key} is out of bounds for dimension 0 with size {n}")
        return Slice.apply(input, key)
    plain, basic = plain_key(key)
    try:
        if basic:
            return Slice.apply(input, plain)
        if is_mixed(plain):
            first, plain = ints_first(plain)
            input = Slice.apply(input, first)
        return Index.apply(input, plain)
    except IndexError as error:
        raise index_error(error, input.array.shape) from None


class PutAdd(Operation):
    """out = zeros of `shape`, with x added at key: in turn, where key names a place several times.  dx = grad[key]"""

    @staticmethod
    def forward(ctx: Any, x: Array, key: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
        ctx.key = key
        out = np.zeros(shape, x.dtype)
        if len(key) == 1 and key[0].dtype.kind == "b":
            out[key] = x  # a mask names each place once
        else:
            np.add.at(out, key, x)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return Index.apply(grad, ctx.key), None, None


class AddRows(Fused):
    """out = zeros (n, D), with row x[i] added at row index[i].  dx = grad[index].  Compiled form: kernels/scatter.py"""

    compiled = "scatter.AddRows"

    @staticmethod
    def definition(x: Operand, index: Array, n: int) -> Any:
        return PutAdd.apply(x, (index,), (n, x.shape[1]))

    @staticmethod
    def work(x: Array, index: Array, n: int) -> int:
        return fused.size(x)

    @staticmethod
    def forward(ctx: Any, x: Array, index: Array, n: int) -> Array:
        ctx.index = index
        out = np.zeros((n, x.shape[1]), x.dtype)
        np.add.at(out, index, x)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Operand) -> Any:
        return Index.apply(grad, (ctx.index,)), None, None

    # Linear in x: higher derivatives need no definition, so x may have been changed in place since.
    run_backward = Operation.run_backward


def add_at(x: Operand, key: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """Zeros of `shape` with x added at key: the gradient of reading y[key] from a y of this shape."""
    if len(key) == 1 and len(shape) == 2 and key[0].ndim == 1 and key[0].dtype.kind == "i":
        return AddRows.apply(x, key[0], shape[0])
    return PutAdd.apply(x, key, shape)


# -- written


class SetIndex(Operation):
    """out = x with `value` at key.  dx = grad with 0 at key, dvalue = grad[key]"""

    grad_fn_name = "CopySlices"

    @staticmethod
    def forward(ctx: Any, x: Array, value: Array, key: Any) -> Array:
        ctx.key, ctx.value_shape = key, value.shape
        out = x.copy()
        out[key] = value
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        dx = dvalue = None
        if ctx.needs_input_grad[0]:
            zero = np.zeros((), grad.dtype) if isinstance(grad, np.ndarray) else wrap(np.zeros((), grad.array.dtype))
            dx = SetIndex.apply(grad, zero, ctx.key)
        if ctx.needs_input_grad[1]:
            dvalue = Slice.apply(grad, ctx.key) if is_basic(ctx.key) else Index.apply(grad, ctx.key)
            # a value may have more leading 1s than the place it was put into
            extra = len(ctx.value_shape) - len(dvalue.shape)
            if extra > 0:
                dvalue = dvalue.reshape((1,) * extra + tuple(dvalue.shape))
        return dx, dvalue, None


@public(same="input values")
def index_put(input: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with `values` at `indices` (added there, if accumulate). PyTorch: torch.index_put."""
    plain, _ = plain_key(tuple(indices))
    if accumulate:
        target = input.array[plain].shape
        return input + add_at(expand(values, target), plain, input.array.shape)
    return SetIndex.apply(input, cast(values, input.array.dtype), plain)
