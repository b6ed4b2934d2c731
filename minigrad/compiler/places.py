"""The recorder's functions in the engine's places, while a call is recorded: one table of what is replaced by what."""

from __future__ import annotations

import sys
from typing import Any

from .. import creation, inplace, storage
from ..autograd import differentiate
from ..autograd.function import Function
from ..autograd.graph import Operation
from ..autograd.variable import Variable
from ..nn import module as nn_module
from ..nn.utils import clip_grad
from ..optim import optimizer as optim_optimizer
from ..optim.lr_base import LRScheduler
from ..optim.lr_plateau import ReduceLROnPlateau
from ..optim.optimizer import Optimizer
from ..random import Generator
from ..tensor import Tensor

# (packages have functions under these names)
ops_batch_norm: Any = sys.modules["minigrad.ops.batch_norm"]
ops_along: Any = sys.modules["minigrad.ops.along"]
ops_keys: Any = sys.modules["minigrad.ops.keys"]
ops_extremes: Any = sys.modules["minigrad.ops.extremes"]
ops_interpolate: Any = sys.modules["minigrad.ops.interpolate"]
ops_operands: Any = sys.modules["minigrad.ops.operands"]
ops_order: Any = sys.modules["minigrad.ops.order"]
ops_comparison: Any = sys.modules["minigrad.ops.comparison"]
DRAWS = ("uniform", "normal", "log_normal", "exponential", "cauchy", "random", "randperm", "dropout_mask", "geometric")
DRAWS_OF_ARRAYS = ("bernoulli", "multinomial", "seed", "manual_seed", "set_state", "_raw32", "_raw64")


class _Looked:
    """`Variable.array` while a call is recorded: reading is noted."""

    def __init__(self, recording: Any) -> None:
        self.recording = recording

    def __get__(self, x: Any, cls: Any = None) -> Any:
        if x is None:
            raise AttributeError("array")
        try:
            return self.recording.look(x)
        except KeyError:
            raise AttributeError("array") from None

    def __set__(self, x: Any, array: Any) -> None:
        x.__dict__["array"] = array

    def __delete__(self, x: Any) -> None:
        del x.__dict__["array"]


_saved: list[tuple[Any, str, Any]] = []


def _set(place: Any, name: str, value: Any) -> None:
    _saved.append((place, name, vars(place)[name]))
    setattr(place, name, value)


def put(r: Any) -> None:
    """The recorder's functions in the engine's places."""
    apply: Any = Operation.__dict__["apply"].__func__
    _set(Operation, "apply", classmethod(lambda cls, *inputs: r.operation(apply, cls, inputs)))
    function_apply: Any = Function.__dict__["apply"].__func__

    def of_function(cls: Any, *args: Any, **kwargs: Any) -> Any:
        r.function(cls, args, kwargs)
        return function_apply(cls, *args, **kwargs)

    _set(Function, "apply", classmethod(of_function))
    walk = differentiate.walk

    def walked(edges: Any, gradients: Any, *, retain_graph: bool, create_graph: bool, targets: Any = None) -> None:
        r.walk(walk, edges, gradients, retain_graph, create_graph, targets)

    _set(differentiate, "walk", walked)
    gradients_for = differentiate._gradients_for

    def gradients(outputs: Any, given: Any) -> Any:
        found = gradients_for(outputs, given)
        if r.mine():
            r.given = any(g is not None for g in found)
        return found

    _set(differentiate, "_gradients_for", gradients)
    mark_written, mark_replaced = storage.mark_written, storage.mark_replaced

    def marked(array: Any, recorded: bool = False) -> int:
        r.written("a change in place")
        return mark_written(array, recorded)

    def replaced() -> int:
        r.written("a tensor that is given other data")
        return mark_replaced()

    _set(storage, "mark_written", marked)
    _set(storage, "mark_replaced", replaced)
    for place in (optim_optimizer, nn_module):
        clear = vars(place)["clear_gradients"]
        _set(place, "clear_gradients", lambda ps, set_to_none=True, clear=clear: r.cleared(clear, [*ps], set_to_none))
    update = Optimizer.__dict__["_update_groups"]
    _set(Optimizer, "_update_groups", lambda self: r.updated(update, self))
    for name in (*DRAWS, *DRAWS_OF_ARRAYS):
        method = Generator.__dict__[name]
        _set(Generator, name, _draw(r, name, method))
    detach: Any = Tensor.__dict__["detach"]
    _set(Tensor, "detach", lambda x: r.detached(detach, x))
    data: Any = Tensor.__dict__["data"]
    _set(Tensor, "data", property(lambda x: r.data(data.fget, x), data.fset, data.fdel))
    compare = ops_comparison._compare
    _set(ops_comparison, "_compare", lambda ufunc, a, b: r.compared(compare, ufunc, a, b))
    move = ops_batch_norm._update_running
    _set(ops_batch_norm, "_update_running", lambda *args: r.moved(move, *args))
    back = inplace.write_back
    grid_key, array_of = ops_along.grid_key, ops_keys._array_of
    _set(ops_along, "grid_key", lambda index, dim: r.grid(grid_key, index, dim))
    _set(ops_keys, "_array_of", lambda index: r.part_of_key(array_of, index))
    converted = ops_operands.converted
    _set(ops_operands, "converted", lambda x, d: r.converted(converted, x, d))
    zeros = creation.zeros
    _set(
        creation, "zeros", lambda *args, **kwargs: r.of_numbers(zeros, *args, **kwargs)
    )  # (of the engine's own: first states)
    number = inplace._number
    _set(inplace, "_number", lambda x, value: r.of_numbers(number, x, value))
    of_one = ops_along._of_one_number
    _set(ops_along, "_of_one_number", lambda shape, number, d: r.of_numbers(of_one, shape, number, d))
    tables = ops_interpolate.wrap  # of places and shares, which the sizes decide
    _set(ops_interpolate, "wrap", lambda array: r.of_numbers(tables, array))
    fill = inplace._fill
    _set(inplace, "_fill", lambda x, value, name: r.filled(fill, x, value, name))
    before_change = inplace.before_change
    _set(inplace, "before_change", lambda view: r.before_change(before_change, view))
    _set(inplace, "write_back", lambda x, result, *args, **kwargs: r.changed(back, x, result, args, kwargs))
    as_they_are = ops_batch_norm._as_they_are
    _set(ops_batch_norm, "_as_they_are", lambda running, ndim: r.seen(as_they_are, running, ndim))
    schedule: Any = LRScheduler.__dict__["step"]
    _set(LRScheduler, "step", lambda self, *args, **kwargs: r.scheduled(schedule, self, args, kwargs))
    norm, scale = clip_grad.get_total_norm, clip_grad.clip_grads_with_norm_
    _set(clip_grad, "get_total_norm", lambda *args, **kwargs: r.norm(norm, args, kwargs))
    _set(
        clip_grad,
        "clip_grads_with_norm_",
        lambda parameters, max_norm, total: r.clipped(scale, parameters, max_norm, total),
    )
    schedule_by: Any = ReduceLROnPlateau.__dict__["step"]
    _set(ReduceLROnPlateau, "step", lambda self, *args, **kwargs: r.scheduled(schedule_by, self, args, kwargs))
    in_order, place_of = ops_order.in_order, ops_extremes.place_of
    _set(
        ops_order,
        "in_order",
        lambda x, dim, descending: r.found(in_order, f"in_order({{0}}, {dim}, {descending})", x, dim, descending),
    )
    _set(
        ops_extremes,
        "place_of",
        lambda x, find, *args: r.found(
            place_of, f"place_of({{0}}, np.{find.__name__}, {', '.join(map(repr, args))})", x, find, *args
        ),
    )
    by_value = clip_grad.clip_values
    _set(clip_grad, "clip_values", lambda parameters, value: r.clipped_by_value(by_value, parameters, value))
    grad: Any = Tensor.__dict__["grad"]
    _set(
        Tensor,
        "grad",
        property(lambda x: r.get_grad(grad.fget, x), lambda x, value: r.set_grad(grad.fset, x, value), grad.fdel),
    )
    Variable.array = _Looked(r)  # type: ignore[assignment]


def _draw(r: Any, name: str, method: Any) -> Any:
    return lambda self, *args, **kwargs: r.drawn(name, method, self, args, kwargs)


def take_away() -> None:
    if "array" in Variable.__dict__:
        del Variable.array
    while _saved:
        place, name, value = _saved.pop()
        setattr(place, name, value)
