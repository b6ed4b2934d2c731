"""x[key]: elements read and written by position, list or mask. Gradients add up where an element was read twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd import fused
from ..autograd.fused import Fused
from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, Variable, wrap
from ..foreign import said
from ..public import public
from .at import add_at as add_in_turn
from .at import read_key
from .keys import check_index_type, index_error, ints_first, is_basic, is_mixed, plain_key
from .parts import Select, Slice, slice_of
from .shape import expand

if TYPE_CHECKING:
    from ..tensor import Tensor

# -- read


class Index(Operation):
    """out = x[key] with tensors or lists in the key.  dx = grad added at those places: twice where an element was read twice"""

    @staticmethod
    def forward(ctx: Any, x: Array, key: Any) -> Array:
        ctx.key, ctx.shape = key, x.shape
        return read_key(x, key)

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
        return Select.apply(input, key)
    plain, basic = plain_key(key)
    try:
        if basic:
            return slice_of(input, plain)
        if is_mixed(plain):
            first, plain = ints_first(plain)
            input = Slice.apply(input, first)
        return Index.apply(input, plain)
    except IndexError as error:
        raise index_error(error, input.array.shape, plain) from None


class PutAdd(Operation):
    """out = zeros of `shape`, with x added at key: in turn, where key names a place several times.  dx = grad[key]"""

    @staticmethod
    def forward(ctx: Any, x: Array, key: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
        ctx.key = key
        out = np.zeros(shape, x.dtype)
        add_in_turn(out, key, x)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return Index.apply(grad, ctx.key), None, None


class AddAt(Operation):
    """out = x, with `value` added at key: in turn, where key names a place several times.  dx = grad, dvalue = grad[key]"""

    grad_fn_name = "IndexAddBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, value: Array, key: tuple[Any, ...]) -> Array:
        ctx.key = key
        out = np.array(x, order="C")
        add_in_turn(out, key, value)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad, Index.apply(grad, ctx.key) if ctx.needs_input_grad[1] else None, None


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


def check_put(x: Array, key: tuple[Any, ...], values: Array) -> None:
    """RuntimeError unless x[key] = values is what PyTorch allows: the same type, and a shape that broadcasts to x[key]'s."""
    if values.dtype != x.dtype:
        x[key]  # what is wrong with the key comes first
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {x.dtype} for the destination and "
            f"{values.dtype} for the source."
        )
    if values.ndim:
        shape = np.broadcast_to(np.False_, x.shape)[key].shape
        ends = zip(values.shape[::-1], shape[::-1], strict=False)
        if values.ndim > len(shape) or any(n not in (1, m) for n, m in ends):
            raise RuntimeError(
                f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to indexing result of shape "
                f"{list(shape)}"
            )


class SetIndex(Operation):
    """out = x with `value` at key.  dx = grad with 0 at key, dvalue = grad[key]"""

    grad_fn_name = "IndexPutBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, value: Array, key: Any) -> Array:
        ctx.key = key
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
        return dx, dvalue, None


def put(input: Tensor, key: tuple[Any, ...], values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with `values` at a key that `plain_key` gave (added there, if accumulate)."""
    try:
        check_put(input.array, key, values.array)
        if accumulate:
            shape = input.array[key].shape
            key = tuple(np.asarray(k) if isinstance(k, int) else k for k in key)
            return AddAt.apply(input, expand(values, shape), key)
        return SetIndex.apply(input, values, key)
    except IndexError as error:
        raise index_error(error, input.array.shape, key) from None


@public(same="input values")
def index_put(input: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with `values` at `indices` (added there, if accumulate). PyTorch: torch.index_put."""
    if not isinstance(indices, tuple | list):
        raise TypeError(f"index_put(): argument 'indices' (position 1) must be tuple of Tensors, not {said(indices)}")
    for i, index in enumerate(indices):
        if not isinstance(index, Variable):
            raise TypeError(f"index_put(): expected Tensor as element {i} of indices, but got {said(index)}")
        check_index_type(index.array.dtype)
    if not isinstance(values, Variable):
        raise TypeError(f"index_put(): argument 'values' (position 2) must be Tensor, not {said(values)}")
    if len(indices) == 1 and indices[0].array.dtype == np.uint8 and values.array.size == 1 and not accumulate:  # type: ignore[union-attr]
        raise RuntimeError(
            "index_put(): one value can be put where a boolean mask says so, but the mask is uint8; use mask.bool()"
        )
    return put(input, plain_key(tuple(indices))[0], values, accumulate)
