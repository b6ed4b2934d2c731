"""In-place operations: the out-of-place twin runs, and its result is written back into the tensor's memory.

The tensor then stands for the new value: it takes over the new node, while the old node, which still has the uses of
the old value above it, stays in the graph. Of a view, its base takes part in this: autograd/views.py. That memory was
overwritten is noted (`storage.py`), so a backward pass that needs the old values raises instead of giving a wrong gradient.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from . import dtypes, storage
from .autograd import inference
from .autograd.fit import as_tuple
from .autograd.graph import Operation, gradient_edge
from .autograd.modes import current, is_grad_enabled
from .autograd.variable import Array, Variable, wrap
from .autograd.views import before_change, check_change, record_write
from .foreign import said
from .geometry import is_same_place, overlap_in_part, repeats, require_own_places, require_writable
from .ops.along import check_filling, index_fill
from .ops.index import check_put, getitem, index_put, put
from .ops.keys import index_error, ints_first, plain_key
from .ops.masked import masked_fill
from .ops.operands import Number, cast
from .ops.power import float_power
from .ops.shape import expand, without_leading_ones
from .quiet import quiet
from .tensor_options import flag


def check(x: Any, recorded: bool = False) -> None:
    """RuntimeError where PyTorch forbids an in-place change that is recorded (`recorded`: as its other inputs are)."""
    inference.check_changed(x.array, current.inference)
    if is_grad_enabled():
        check_change(x, recorded)


def check_memory(x: Any, *read: Any, idempotent: bool = False, scattered: bool = False) -> None:
    """RuntimeError where one write would meet another, or a read: elements of x that are one, or that `read` shares in part.

    idempotent: what is written is the same everywhere, so that it does not matter how often. scattered: element i of what is
    read does not go to element i, so that it may not be x itself either.
    """
    (require_writable if idempotent else require_own_places)(x.array)
    for y in read:
        if isinstance(y, Variable) and (
            overlap_in_part(x.array, y.array) or (scattered and y.array.size and is_same_place(x.array, y.array))
        ):
            raise RuntimeError(
                "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
                "memory location. Please clone() the tensor before performing the operation."
            )


def write_back(x: Any, result: Any, since: int | None = None, constant: str | None = None) -> Any:
    """Give `x` the values and the place in the graph of `result`, whose nodes were made after the time `since`.

    constant: the name of x's new node, where its old values had no part in the new ones.
    """
    if result.array.shape != x.array.shape:
        raise RuntimeError(
            f"output with shape {list(x.array.shape)} doesn't match the broadcast shape {list(result.array.shape)}"
        )
    if not _can_hold(x.array.dtype, result.array.dtype):
        raise RuntimeError(
            f"result type {result.array.dtype} can't be cast to the desired output type {x.array.dtype}; "
            "convert the tensor first, or use the out-of-place operation"
        )
    recorded = is_grad_enabled() and (result._edge is not None or result._requires_grad or x.requires_grad)
    check(x, recorded)
    if result.array.dtype != x.array.dtype:
        result = cast(result, x.array.dtype)
    edge = gradient_edge(result) if recorded else None
    if edge is not None and since is not None:
        _keep_old_values(edge[0], x, since)
    if repeats(x.array):  # what was not changed must not overwrite what was
        if recorded and constant is None:
            raise RuntimeError(
                "unsupported operation: more than one element of the written-to tensor refers to a single memory location, "
                "and the change would be recorded. Please clone() the tensor before performing the operation."
            )
        np.copyto(x.array, result.array, casting="unsafe", where=result.array != x.array)
    else:
        np.copyto(x.array, result.array, casting="unsafe")
    _written(x, recorded, edge, constant)
    return x


def in_a_graph(x: Any) -> bool:
    """Whether there may be views of x's memory with a history, which have to look after it when that is written."""
    return x.requires_grad or x._of_a_graph or (x._base is not None and x._base._of_a_graph)


def _written(x: Any, recorded: bool, edge: Any, constant: str | None) -> None:
    """Note that the memory of x was written, and with what history."""
    storage.mark_written(x.array, recorded=recorded or in_a_graph(x))
    if recorded:
        record_write(x, edge, constant)


def _keep_old_values(node: Any, x: Any, since: int) -> None:
    """Give the nodes made after `since` a copy of x's values where they saved them: they are about to be overwritten.

    x.mul_(w) needs the old x for dw = grad · x.
    """
    root = storage.owner(x.array)
    copies: dict[int, Any] = {}
    before: dict[int, Any] = {}
    nodes, seen = [node], set()
    while nodes:
        node = nodes.pop()
        if node.sequence_nr <= since or node in seen:
            continue
        seen.add(node)
        nodes.extend(edge[0] for edge in node._edges if edge is not None)
        for value in node._saved or ():
            if isinstance(value, np.ndarray) and storage.owner(value) is root and id(value) not in copies:
                copies[id(value)] = value.copy()
        if node._saved:
            node._saved = tuple(copies.get(id(value), value) for value in node._saved)
            node._ids = tuple(id(copies[i]) if i in copies else i for i in node._ids)
        for value in getattr(node, "inputs", None) or ():
            if isinstance(value, Variable) and storage.owner(value.array) is root and id(value) not in before:
                before[id(value)] = wrap(value.array.copy())
                before[id(value)]._edge, before[id(value)]._requires_grad = value._edge, value._requires_grad
        if getattr(node, "inputs", None):
            node.inputs = tuple(before.get(id(value), value) for value in node.inputs)


def _can_hold(target: np.dtype, source: np.dtype) -> bool:
    order = {"b": 0, "u": 1, "i": 1, "f": 2}
    return order[source.kind] <= order[target.kind]


class Unmoved(Operation):
    """out = x, whatever the others are.  dx = grad, d others = 0"""

    @staticmethod
    def forward(ctx: Any, x: Array, *others: Array) -> Array:
        ctx.others = [(y.shape, y.dtype) for y in others]
        return x

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad, *(wrap(np.zeros(shape, d)) for shape, d in ctx.others)


_COMPARISONS = frozenset(("eq", "ne", "lt", "le", "gt", "ge"))


def of(
    function: Callable, reads: bool = True, idempotent: bool = False, scattered: bool = False, before: str = ""
) -> Callable:
    """The in-place twin of a function of tensors: `x.f_(...)` gives x the values of `f(x, ...)`.

    reads: its other inputs must not share part of x's memory. idempotent: x may show the same memory several times.
    scattered: what is read goes elsewhere, see `check_memory`. before: the name of an input that is read before anything is
    written, and may lie anywhere.
    """
    names = function.__code__.co_varnames[1:] if before else ()
    constant = "".join(word.capitalize() for word in function.__name__.split("_")) + "Backward0"

    @functools.wraps(function)
    def inplace(self: Any, *args: Any, **kwargs: Any) -> Any:
        check(self)
        if (d := kwargs.get("dtype")) is not None and dtypes.to_numpy(
            d
        ) != self.array.dtype:  # (`x.cumsum_(0, dtype=d)`)
            raise RuntimeError(
                f"Bad in-place call: input tensor dtype {self.dtype} and output tensor dtype {d} should match"
            )
        read = (*args, *kwargs.values()) if reads else ()
        if before:
            given = (*zip(names, args, strict=False), *kwargs.items())
            read = tuple(y for name, y in given if name != before)
        check_memory(self, *read, idempotent=idempotent, scattered=scattered)
        since = next(storage.clock)
        result = function(before_change(self), *args, **kwargs)
        if result._edge is None and not result._requires_grad:  # (`x.lt_(y)`) the old values get a gradient of zeros
            others: list[Any] = [y for y in read if isinstance(y, Variable)]
            others = [y for y in others if y.requires_grad]
            if others and function.__name__ in _COMPARISONS:  # and so does y
                result = Unmoved.apply(cast(result, self.array.dtype), *others)
            return write_back(self, result, since, constant=constant)
        return write_back(self, result, since)

    inplace.__name__ = function.__name__ + "_"
    inplace.__doc__ = f"In place: {function.__doc__}"
    return inplace


def reshaping(function: Callable) -> Callable:
    """The in-place twin of a function that only looks at the memory otherwise: `x.f_(...)` becomes that view."""

    @functools.wraps(function)
    def inplace(self: Any, *args: Any, **kwargs: Any) -> Any:
        check(self)
        result = function(self, *args, **kwargs)
        self.array = result.array
        now = storage.mark_written(self.array, recorded=self.requires_grad)
        if is_grad_enabled():
            self._edge, self._edge_since = result._edge, now
        return self

    inplace.__name__ = function.__name__ + "_"
    return inplace


def float_power_(self: Any, exponent: Any) -> Any:
    """In place: self to the power of exponent, computed in float64, which self must be of. PyTorch: torch.Tensor.float_power_."""
    if self.array.dtype != np.float64:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {self.dtype} but the operation's result requires dtype Double"
        )
    return _float_power(self, exponent)


_float_power = of(float_power)


def copy_(self: Any, other: Any, non_blocking: bool = False) -> Any:
    """Take the values of other, broadcast and converted. PyTorch: torch.Tensor.copy_."""
    if isinstance(other, bool | int | float):
        other = _number(self, other)
    if not isinstance(other, Variable):
        raise TypeError(f"copy_(): argument 'other' must be Tensor, not {said(other)}")
    flag("copy_", "non_blocking", non_blocking)  # there is nothing to wait for
    check(self, _has_history(other))
    if other is not self:
        check_memory(self, other)
    elif repeats(self.array):
        storage.mark_written(self.array)
        return self
    return write_back(self, _spread(other, self), constant="CopyBackwards")


def _has_history(x: Any) -> bool:
    return x.requires_grad


def _spread(value: Any, x: Any) -> Any:
    """The value in the type and shape of x."""
    value = cast(value, x.array.dtype)
    return value if value.array.shape == x.array.shape else expand(value, x.array.shape)


@quiet
def fill_(self: Any, value: Any) -> Any:
    """Set every element to value. PyTorch: torch.Tensor.fill_."""
    if isinstance(value, Variable):
        if value.array.ndim:
            raise RuntimeError(
                f"fill_ only supports 0-dimension value tensor but got tensor with {value.array.ndim} dimensions."
            )
        check(self, _has_history(value))
        check_memory(self, idempotent=True)
        return write_back(self, _spread(value, self), constant="FillBackward3")
    if not isinstance(value, bool | int | float | np.number | np.bool_):
        raise TypeError(f"fill_(): argument 'value' must be Number or Tensor, not {said(value)}")
    return _fill(self, value, "FillBackward2")


def zero_(self: Any) -> Any:
    """Set every element to 0. PyTorch: torch.Tensor.zero_."""
    return _fill(self, 0, "ZeroBackward0")


def _fill(x: Any, value: Any, name: str) -> Any:
    check(x)
    check_memory(x, idempotent=True)
    x.array.fill(dtypes.element(value, x.array.dtype))
    _written(x, is_grad_enabled() and x.requires_grad, None, name)
    return x


def overwrite(x: Any, draw: Callable[[], np.ndarray], name: str) -> Any:
    """Give x values that were computed from nothing, such as random numbers. They are drawn when x may be written.

    name: of x's new node.
    """
    check(x)
    check_memory(x)
    x.array[...] = draw()
    _written(x, is_grad_enabled() and x.requires_grad, None, name)
    return x


# -- x[key] = value


@quiet
def setitem(self: Any, key: Any, value: Any) -> None:
    """`self[key] = value`, broadcast and converted to self's type. PyTorch: Tensor.__setitem__.

    Where key is made of ints, slices, None and Ellipsis, the value is copied into that view of self; where it holds tensors,
    lists or masks, to the places that they name (`index_put_`), and there the value must have self's type.
    """
    number = not isinstance(value, Variable)
    if number:
        value = _number(self, value)
    if isinstance(key, bool | np.bool_):  # all of it, or nothing
        if not key:
            return
        key = None
    inference.check_changed(self.array, current.inference)
    plain, basic = plain_key(key)
    recorded = is_grad_enabled() and (self.requires_grad or value.requires_grad)
    try:
        if basic:
            first: tuple[Any, ...] = plain
            then: tuple[Any, ...] = (Ellipsis,)
        else:
            first, then = ints_first(plain)
        if recorded:
            whole = all(k is Ellipsis or (not basic and k == slice(None)) for k in first)
            part = self if whole and first else getitem(self, first)
        else:
            part = wrap(self.array[(*first, ...) if Ellipsis not in first else first])
        value = without_leading_ones(value)
        if basic:
            value = _spread(value, part)
        elif number or (
            not value.array.ndim and all(k.dtype.kind == "b" and k.ndim for k in then if isinstance(k, np.ndarray))
        ):
            value = cast(value, self.array.dtype)  # one value everywhere where a mask says so
        if not (basic or value.array.ndim) and any(
            isinstance(k, Variable) and k.array.ndim and k.array.dtype == np.uint8 for k in as_tuple(key)
        ):
            raise RuntimeError(
                "one value can be put where a boolean mask says so, but the mask is uint8; use mask.bool()"
            )
        if recorded:
            check(part, recorded)
        check_memory(part, *([value] if value.array.ndim or basic else []), idempotent=not basic, scattered=not basic)
        if not basic:  # (what has no dimensions is read before)
            check_places(part, [k for k in as_tuple(key) if isinstance(k, Variable) and k.array.ndim], value)
        if recorded:
            if basic:
                write_back(part, value, constant="CopyBackwards")
            else:
                put_(part, then, value)
        else:
            if not basic:
                check_put(part.array, then, value.array)
            part.array[then] = value.array
            storage.mark_written(self.array, recorded=in_a_graph(self))
    except IndexError as error:
        raise index_error(error, self.array.shape, plain) from None


def _number(x: Any, value: Any) -> Any:
    """A Python or NumPy number as a tensor of x's type. Errors: TypeError for anything else that is no tensor."""
    if isinstance(value, complex):
        raise RuntimeError(f"value cannot be converted to type {x.array.dtype} without overflow: it is complex")
    if not isinstance(value, bool | int | float | np.number | np.bool_) or isinstance(value, np.complexfloating):
        raise TypeError(f"can't assign a {said(value)} to a {x.type()}")
    return wrap(np.asarray(value).astype(x.array.dtype))


def check_places(x: Any, indices: Any, value: Any, accumulate: bool = False) -> None:
    """RuntimeError where a tensor of x's own memory names the places of x that are written.

    A mask may be x itself where one value goes to all its places.
    """
    named = [k for k in indices if isinstance(k, Variable)]
    mask = len(named) == 1 and named[0].array.dtype in (np.bool_, np.uint8)
    check_memory(x, *named, idempotent=True, scattered=accumulate or not mask or value.array.size != 1)


_index_fill = of(index_fill, idempotent=True, scattered=True, before="value")


@functools.wraps(_index_fill)
def index_fill_(self: Any, dim: int, index: Any, value: Any) -> Any:
    check_filling(index, value)  # which PyTorch looks at before the memory
    return _index_fill(self, dim, index, value)


put_ = of(put, idempotent=True)
_index_put = of(index_put, idempotent=True, scattered=True)


@functools.wraps(_index_put)
def index_put_(self: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    if isinstance(indices, list | tuple) and isinstance(values, Variable):
        check_places(self, indices, values, accumulate)
    return _index_put(self, indices, values, accumulate)


def fill_diagonal_(self: Any, fill_value: Number, wrap: bool = False) -> Any:
    """Give the main diagonal this value: of more than two equal dimensions the places (i, i, i, ...).

    wrap: of a tall matrix the diagonal begins again below each square and a row. PyTorch: torch.Tensor.fill_diagonal_.
    """
    shape = self.array.shape
    if len(shape) < 2:
        raise RuntimeError("dimensions must larger than 1")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    i = np.arange(shape[0] if wrap and len(shape) == 2 else min(shape))
    if wrap and len(shape) == 2:
        period = i % (shape[1] + 1)
        i, columns = i[period < shape[1]], period[period < shape[1]]
        key: tuple[Any, ...] = (i, columns)
    else:
        key = (i,) * len(shape)
    on = np.zeros(shape, bool)
    on[key] = True
    return _filled(self, _as_tensor(on), fill_value)


_filled = of(masked_fill, reads=False, idempotent=True)
_as_tensor = wrap
