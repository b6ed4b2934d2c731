r"""What happens to the history of y when something is written into y[0]?

A view is a tensor that looks at the memory of another, its base. Memory is written in place; histories are not: the node
that made y stays what it is, and so do all nodes that used y before. What a write changes is which node y *stands for*:

    y = a * 2                     y ── Mul                     as it was: y stands for the node that multiplied
    v = y[0]                      v ── Select ── Mul

    v.mul_(w)                     y ── CopySlices ── Mul       y is now "what Mul gave, with the product in place of y[0]"
                                           \── Mul' ── AsStrided ── Mul
                                                \── w          the product is one of w and of this part of the old y

                                  v ── AsStrided ── CopySlices v is a part of the new y

In words, and the same for every view, whether slice, transpose, diagonal or view of a view:

1. The operation runs as always, on this part of the old base, and leaves its node: Mul'. Its result is copied into v's memory.
                                                                               (`before_change`)
2. The *base* gets a new node, `CopySlices`: its gradient is cut in two. What lies under the view is the gradient of the new
   values; the rest, with zeros where the view is, that of the old base.       (`record_write`)
3. Every view of the base, v too, tells the old story now: its edge leads to nodes that computed other values. A view does
   not know of writes through other tensors, so it asks when it is used next: if its memory was written since its edge was
   set, it becomes a part of the base as the base is now, a new `AsStrided`.   (`renew`)

So nothing has to be found or told at the moment of the write, and a base need not know its views. What they must remember
is where they look: `_base` (always the tensor at the root: a view of a view looks at the same memory), and their own array,
whose place in that memory NumPy knows (geometry.py). Of a base without history views are views, too: `x = zeros(3); v = x[0]`,
then `x[1] = w` makes x depend on w, and v is from then on a part of that x.

Some views must not be changed where it would be recorded, as it would not be clear what is meant (`refusal`): one of several
that an operation gave at once (`unbind`), one made under `no_grad` and written outside, one that a `Function` gave, and one
of a leaf that requires grad, whose values are the user's. Whether what *other* nodes saved was overwritten is another
question: storage.py and node.py answer it.

PyTorch does the same. Source: PyTorch, notes "View + Inplace detection" in torch/csrc/autograd/variable.h; CopySlices.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .. import storage
from ..geometry import Geometry, geometry, look, memory
from ..storage import clock
from .graph import Operation, gradient_edge
from .modes import current
from .variable import Array, Edge, wrap, wrap_recorded

# -- the three operations. All of them are linear, so each is the others' derivative.


class AsStrided(Operation):
    """out = what the geometry `view` sees of the memory of x, whose own is `base`.  dx = grad added where out looked"""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, base: Geometry, view: Geometry) -> Array:
        ctx.base, ctx.view = base, view
        return look(memory(x), view)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        if ctx.base.may_repeat():  # elements of x that are one element of memory share its gradient
            times = np.maximum(
                TakeStrided.forward(None, np.ones(ctx.base.shape, ctx._out_dtype), ctx.base, ctx.view), 1
            )
            grad = grad / (times if isinstance(grad, Array) else wrap(times))
        return PutStrided.apply(grad, ctx.view, ctx.base), None, None


class PartOf(AsStrided):
    """`AsStrided` of values that may lie elsewhere than as `base` says, as in a written-out step."""

    grad_fn_name = "AsStridedBackward0"
    is_view = False

    @staticmethod
    def forward(ctx: Any, x: Array, base: Geometry, view: Geometry) -> Array:
        ctx.base, ctx.view = base, view
        return look(*_laid(x, base, view))


class PutStrided(Operation):
    """out = zeros of the geometry `base`, with x added where `view` looks.  dx = what `view` sees of grad"""

    @staticmethod
    def forward(ctx: Any, x: Array, view: Geometry, base: Geometry) -> Array:
        ctx.view, ctx.base = view, base
        (first, last), (begin, end) = base.span(), view.span()
        low = min(first, begin)
        flat = _added(x, view.moved(-low), max(last, end) - low)
        return look(flat, base.moved(-low))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return TakeStrided.apply(grad, ctx.base, ctx.view), None, None


class TakeStrided(Operation):
    """out = what `view` sees of zeros to which x was added as `base` says.  dx = grad added where out looked"""

    @staticmethod
    def forward(ctx: Any, x: Array, base: Geometry, view: Geometry) -> Array:
        if ctx is not None:
            ctx.base, ctx.view = base, view
        return look(*_laid(x, base, view)).copy()

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return PutStrided.apply(grad, ctx.view, ctx.base), None, None


def _laid(x: Array, base: Geometry, view: Geometry) -> tuple[Array, Geometry]:
    """Memory in which x lies as `base` says, and where `view` is in it."""
    here = geometry(x)
    (first, last), (begin, end) = base.span(), view.span()
    if here.strides == base.strides and first <= begin and end <= last and base.is_dense():  # x lies so itself
        return memory(x), view.moved(here.offset - base.offset)
    low = min(first, begin)
    return _added(x, base.moved(-low), max(last, end) - low), view.moved(-low)


def _added(x: Array, place: Geometry, size: int) -> Array:
    """Memory of `size` zeros, to which x was added at its place."""
    flat = np.zeros(size, x.dtype)
    if place.may_repeat():
        np.add.at(flat, look(np.arange(size), place), x)
    else:
        look(flat, place)[...] = x
    return flat


class CopySlices(Operation):
    """out = x, whose geometry is `base`, with `value` where `view` looks.  dx = grad with 0 there, dvalue = grad there"""

    grad_fn_name = "CopySlices"

    @staticmethod
    def forward(ctx: Any, x: Array, value: Array, base: Geometry, view: Geometry) -> Array:
        ctx.base, ctx.view = base, view
        first, last = base.span()
        flat = np.zeros(last - first, x.dtype)
        out = look(flat, base.moved(-first))
        out[...] = x
        look(flat, view.moved(-first))[...] = value
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        dx = dvalue = None
        if ctx.needs_input_grad[0]:
            zero: Any = np.zeros((), grad.dtype) if isinstance(grad, Array) else wrap(np.zeros((), grad.array.dtype))
            dx = CopySlices.apply(grad, zero, ctx.base, ctx.view)
        if ctx.needs_input_grad[1]:
            dvalue = TakeStrided.apply(grad, ctx.base, ctx.view)
        return dx, dvalue, None, None


class Overwritten(Operation):
    """out = value, where x was: all of it was overwritten.  dx = 0, dvalue = grad"""

    grad_fn_name = "CopyBackwards"

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        zeros: Any = np.zeros(ctx._out_shape, ctx._out_dtype)
        return zeros if isinstance(grad, Array) else wrap(zeros), grad


@functools.cache
def _overwritten(name: str) -> type[Overwritten]:
    """The class of nodes of this name: PyTorch has one for each operation that overwrites."""
    return type(name, (Overwritten,), {"grad_fn_name": name, "__module__": __name__})


# -- the history of a write, and of a view after it


def record_write(x: Any, values: Edge | None, constant: str | None = None) -> None:
    """The values of x were overwritten (`storage.mark_written`): `values` leads to the history of the new ones, None to none.

    constant: the name of x's new node, where the new values were not computed from the old ones.
    """
    base = x if x._base is None else x._base
    if base is not x:
        shape = geometry(base.array)
        node = _linked(CopySlices(), base, gradient_edge(base), values)
        node.base, node.view = shape, geometry(x.array)
    elif constant is not None:
        node = _linked(_overwritten(constant)(), x, gradient_edge(x), values)
    else:
        _move(x, values)
        return
    _move(base, (node, 0))
    if base is not x:
        x._renew()


def _linked(node: Any, out: Any, *edges: Edge | None) -> Any:
    """The node as if `apply` had made it, with `out` as its output."""
    node._edges, node.needs_input_grad = edges, tuple(edge is not None for edge in edges)
    node.sequence_nr = next(clock)
    node._out_shape, node._out_dtype = out.array.shape, out.array.dtype
    return node


def _move(x: Any, edge: Edge | None) -> None:
    """Give x another edge. Hooks stay with the old values, whose gradients they saw; `retain_grad` goes with the tensor."""
    old, x._edge = x._edge, edge
    if x._retains_grad and old is not None and edge is not None and old[0]._hooks:
        for key, (output_nr, hook) in list(old[0]._hooks.items()):
            if output_nr == old[1] and getattr(hook, "is_last", False) and hook.tensor() is x:
                if edge[0]._hooks is None:
                    edge[0]._hooks = {}
                edge[0]._hooks[key] = (edge[1], old[0]._hooks.pop(key)[1])


def renew(view: Any) -> None:
    """If the memory of a view was written since its edge was set: make it a part of its base as that is now."""
    if storage.Latest.recorded <= view._edge_since:
        return
    record = storage.find(view.array)
    base = view._base
    if record is None or record.recorded <= view._edge_since:
        return
    if storage.owner(base.array) is not storage.owner(view.array):
        return  # `.data = ...` gave one of the two another memory
    edge = gradient_edge(base)
    if edge is None:
        return
    if view._restricted is not None:
        raise RuntimeError(refusal(view, "its base or another view of its base has been modified inplace"))
    view._edge_since = record.recorded
    _move(view, (_part_of(view, base, edge), 0))


def _part_of(view: Any, base: Any, edge: Edge | None) -> Any:
    """A node that makes the view of a base, whose own history `edge` leads to."""
    node = _linked(AsStrided(), view, edge)
    node.base, node.view = geometry(base.array), geometry(view.array)
    return node


def before_change(view: Any) -> Any:
    """What an in-place operation on a view computes from: a part of its base, as the view will be one.

    So the gradient goes from the change to the base at once. Hooks on the view see what was computed from it before.
    """
    edge = gradient_edge(view._base) if view._base is not None and current.recording else None
    if edge is None:
        return view
    return wrap_recorded(view.array[...], (_part_of(view, view._base, edge), 0))


def restrict(view: Any, x: Any, reason: str) -> None:
    """Note that `view` looks at the memory of x, and must not be changed in place for this reason."""
    view._base = x if x._base is None else x._base
    view._edge_since = next(clock)
    view._restricted = reason


# -- what is refused

NO_GRAD = "no_grad"
INFERENCE = "inference_mode"
SEVERAL = "several"
FUNCTION = "Function"

_REASONS = {
    NO_GRAD: "It was made under no_grad: whether the change is meant to be recorded is not clear. Make the view and change it "
    "both inside the no_grad block, or both outside.",
    INFERENCE: "It was made under inference_mode. Make the view and change it both inside that block, or both outside.",
    SEVERAL: "It is one of several views that one operation gave (unbind, split, chunk, iteration), and such views must not "
    "be modified inplace. Take the part by indexing, or use the out-of-place operation.",
    FUNCTION: "It was made inside a custom Function (or is an input that was returned as it is), whose backward a change in "
    "place would pass by. Give back a clone.",
}


def refusal(view: Any, change: str) -> str:
    """The text of the error for a view that must not be changed."""
    maker = f"Output {view.output_nr} of {view._edge[0].name()}" if view._edge is not None else "This tensor"
    return f"{maker} is a view and {change}. {_REASONS[view._restricted]}"


def check_change(x: Any, recorded: bool) -> None:
    """RuntimeError where PyTorch forbids an in-place change that is recorded (`recorded`: as the new values have a history)."""
    if not (recorded or x.requires_grad or (x._base is not None and x._base._requires_grad)):
        return
    if x._base is not None:
        if x._restricted is not None:
            raise RuntimeError(refusal(x, "is being modified inplace"))
        if (x.requires_grad or x._base._requires_grad) and x._base._edge is None:
            raise RuntimeError(
                "a view of a leaf Variable that requires grad is being used in an in-place operation. Update parameters "
                "inside `with torch.no_grad():`, or use the out-of-place operation."
            )
    if x.requires_grad and x.is_leaf:
        raise RuntimeError(
            "a leaf Variable that requires grad is being used in an in-place operation. Update parameters inside "
            "`with torch.no_grad():`, or use the out-of-place operation."
        )
