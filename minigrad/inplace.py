"""In-place operations: the out-of-place twin runs, and its result is written back into the tensor's memory.

The tensor then stands for the new value: it takes over the new node, while the old node, which still has the uses of
the old value above it, stays in the graph. That memory was overwritten is noted (`storage.py`), so a backward pass
that needs the old values raises instead of giving a wrong gradient.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from . import storage
from .autograd import inference
from .autograd.modes import current, is_grad_enabled
from .autograd.variable import Variable, wrap
from .ops.index import SetIndex
from .ops.keys import index_error, ints_first, is_mixed, plain_key
from .ops.operands import cast
from .ops.parts import Slice, slice_of
from .ops.shape import expand
from .quiet import quiet
from .tensor_options import flag


def check(x: Any, changes_graph: bool = True) -> None:
    """RuntimeError where PyTorch forbids an in-place change that is recorded, or where minigrad does not follow it."""
    inference.check_changed(x.array, current.inference)
    if not is_grad_enabled():
        return
    if x._edge is None and x._requires_grad:
        raise RuntimeError(
            "a leaf Variable that requires grad is being used in an in-place operation. Update parameters inside "
            "`with torch.no_grad():`, or use the out-of-place operation."
        )
    if x._base is not None and changes_graph:
        if x._base._edge is None and x._base._requires_grad:
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
        if _slice_key(x) is not None:
            return
        raise RuntimeError(
            "in-place operations on views of tensors that require grad are not supported: the history of the viewed "
            "tensor would have to be rewritten. Change the tensor itself (x[i] = ... for v = x[i]; v.add_(...)), use the "
            "out-of-place operation, or clone() the view first."
        )


def write_back(x: Any, result: Any, since: int | None = None) -> Any:
    """Give `x` the values and the place in the graph of `result`, whose nodes were made after the time `since`."""
    if result.array.shape != x.array.shape:
        raise RuntimeError(
            f"output with shape {list(x.array.shape)} doesn't match the broadcast shape {list(result.array.shape)}"
        )
    if not _can_hold(x.array.dtype, result.array.dtype):
        raise RuntimeError(
            f"result type {result.array.dtype} can't be cast to the desired output type {x.array.dtype}; "
            "convert the tensor first, or use the out-of-place operation"
        )
    recorded = result._edge is not None
    check(x, recorded or x._edge is not None)
    if result.array.dtype != x.array.dtype:
        result = cast(result, x.array.dtype)
    if recorded:
        since = result._edge[0].sequence_nr - 1 if since is None else since
        _keep_old_values(result._edge[0], x, since)
    key = _slice_key(x) if x._base is not None and is_grad_enabled() else None
    if key is not None:
        # v = base[key]; v.add_(1) is base[key] = v + 1: base gets that history, and v is base[key] again
        part, result = result, SetIndex.apply(x._base, result, key)
    _check_writeable(x)
    np.copyto(x.array, result.array if key is None else part.array, casting="unsafe")
    now = storage.mark_written(x.array, recorded=recorded)
    if key is not None:
        base = x._base
        base._edge, base._own_write = result._edge, now
        x._edge, x._own_write = slice_of(base, key)._edge, now
    elif recorded:
        x._edge, x._own_write = result._edge, now
    if x._retains_grad and recorded:  # from now on the gradient of the new values
        x._retains_grad = False
        x.retain_grad()
    return x


def _check_writeable(x: Any) -> None:
    if not x.array.flags.writeable:
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location, or "
            "its memory is read-only. Please clone() the tensor before performing the operation."
        )


def _slice_key(x: Any) -> Any:
    """The key, if x is `base[key]` as indexing made it and neither has changed since; else None."""
    node = x._edge[0] if x._edge is not None else None
    if isinstance(node, Slice) and x._base._edge is not None and node._edges[0] == x._base._edge:
        key = node.key  # type: ignore[attr-defined]
        return key if isinstance(key, tuple) else (key,)
    return None


def _keep_old_values(node: Any, x: Any, since: int) -> None:
    """Give the nodes made after `since` a copy of x's values where they saved them: they are about to be overwritten.

    x.mul_(w) needs the old x for dw = grad · x.
    """
    root = storage.owner(x.array)
    copies: dict[int, Any] = {}
    before: Any = None
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
        if getattr(node, "inputs", None) and any(value is x for value in node.inputs):
            if before is None:
                before = wrap(x.array.copy())
                before._edge = x._edge
            node.inputs = tuple(before if value is x else value for value in node.inputs)


def _can_hold(target: np.dtype, source: np.dtype) -> bool:
    order = {"b": 0, "u": 1, "i": 1, "f": 2}
    return order[source.kind] <= order[target.kind]


def of(function: Callable) -> Callable:
    """The in-place twin of a function of tensors: `x.f_(...)` gives x the values of `f(x, ...)`."""

    @functools.wraps(function)
    def inplace(self: Any, *args: Any, **kwargs: Any) -> Any:
        check(self)
        since = next(storage.clock)
        return write_back(self, function(self, *args, **kwargs), since)

    inplace.__name__ = function.__name__ + "_"
    inplace.__doc__ = f"In place: {function.__doc__}"
    return inplace


def reshaping(function: Callable) -> Callable:
    """The in-place twin of a function that only looks at the memory otherwise: `x.f_(...)` becomes that view."""

    @functools.wraps(function)
    def inplace(self: Any, *args: Any, **kwargs: Any) -> Any:
        check(self)
        result = function(self, *args, **kwargs)
        self.array, self._edge = result.array, result._edge
        return self

    inplace.__name__ = function.__name__ + "_"
    return inplace


def copy_(self: Any, src: Any, non_blocking: bool = False) -> Any:
    """Take the values of src, broadcast and converted. PyTorch: torch.Tensor.copy_."""
    if not isinstance(src, Variable):
        raise TypeError(f"copy_(): argument 'other' must be Tensor, not {type(src).__name__}")
    flag("copy_", "non_blocking", non_blocking)  # there is nothing to wait for
    check(self)
    if self.requires_grad and is_grad_enabled():
        return write_back(self, SetIndex.apply(self, cast(src, self.array.dtype), (Ellipsis,)))
    return write_back(self, expand(cast(src, self.array.dtype), self.array.shape))


@quiet
def fill_(self: Any, value: Any) -> Any:
    """Set every element to value. PyTorch: torch.Tensor.fill_."""
    check(self)
    if isinstance(value, Variable):
        if value.array.ndim:
            raise RuntimeError(
                f"fill_ only supports 0-dimension value tensor but got tensor with {value.array.ndim} dimensions."
            )
        return copy_(self, value)
    if self._edge is not None and is_grad_enabled():  # stays in the graph: the old values get a gradient of zeros
        return copy_(self, wrap(np.asarray(value, self.array.dtype)))
    _check_writeable(self)
    self.array.fill(value)
    storage.mark_written(self.array)
    return self


def zero_(self: Any) -> Any:
    """Set every element to 0. PyTorch: torch.Tensor.zero_."""
    return fill_(self, 0)


@quiet
def setitem(self: Any, key: Any, value: Any) -> None:
    """`self[key] = value`, broadcast and converted to self's type. PyTorch: Tensor.__setitem__."""
    plain, basic = plain_key(key)
    if isinstance(value, str):
        raise TypeError(f"can't assign a str to a tensor of {self.dtype}")
    if not isinstance(value, Variable):
        value = wrap(np.asarray(value, dtype=self.array.dtype))
    check(self, changes_graph=self.requires_grad or value.requires_grad)
    value = cast(value, self.array.dtype)
    try:
        first, then = ints_first(plain) if not basic and is_mixed(plain) else ((), plain)
        if self.requires_grad or value.requires_grad:
            if first:
                value = SetIndex.apply(Slice.apply(self, first), value, then)
            write_back(self, SetIndex.apply(self, value, first or then))
        else:
            target = self.array[first] if first else self.array
            target[then] = value.array
            storage.mark_written(self.array)
    except IndexError as error:
        raise index_error(error, self.array.shape) from None
    except ValueError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(value.array.shape)} cannot be broadcast to indexing result of shape "
            f"{list(self.array[plain].shape)}"
        ) from None
