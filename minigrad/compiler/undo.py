"""What a step may change, as it was, to be put back: where a program, or fullgraph=True, finds out late that it cannot go on."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import storage
from ..autograd.variable import Array, Variable
from ..optim.optimizer import Optimizer
from ..random import default_generator


class Undo:
    """tensors: their values and gradients. stepping: optimizers and schedulers, with their state and settings.

    tables: lists, dicts and tables of attributes, whose entries are put back, not what these hold.
    """

    def __init__(self, tensors: Any, stepping: Any, tables: Any = ()) -> None:
        self.tensors = [(t, t.array, t.array.copy(), t._grad, _copied(t._grad), t._edge) for t in tensors]
        self.stepping = [(one, dict(one.__dict__)) for one in stepping]
        self.groups: list[tuple[list[Any], list[tuple[dict[str, Any], dict[str, Any]]]]] = []
        self.states: list[tuple[Any, dict[Any, Any]]] = []
        for one, _ in self.stepping:
            if isinstance(one, Optimizer):
                groups = one.param_groups
                self.groups.append((groups, [(group, dict(group)) for group in groups]))
                self.states.append((one.state, {p: _state(state) for p, state in one.state.items()}))
        own = [*(one.__dict__ for one, _ in self.stepping), *tables]
        self.tables = [(table, _shallow(table)) for table in own]
        for table in own[: len(self.stepping)]:  # (a scheduler's lists of rates)
            self.tables += [(x, _shallow(x)) for x in table.values() if type(x) in (list, dict)]
        self.numbers = default_generator.get_state()

    def put_back(self) -> None:
        for table, before in self.tables:
            if type(table) is list:
                table[:] = before
            else:
                table.clear()
                table.update(before)
        for groups, before in self.groups:
            groups[:] = [group for group, _ in before]
            for group, settings in before:
                group.clear()
                group.update(settings)
        for states, kept in self.states:
            states.clear()
            for p, state in kept.items():
                states[p] = {key: x for key, (x, _) in state.items()}
                for x, values in state.values():
                    _fill(x, values)
        for t, array, values, gradient, of_gradient, edge in self.tensors:
            if t.array is not array:
                t.array = array
            t._edge = edge
            _fill(t, values)
            t._grad = gradient
            _fill(gradient, of_gradient)
        default_generator.set_state(self.numbers)


def _state(state: dict[Any, Any]) -> dict[Any, tuple[Any, Any]]:
    """An optimizer's state of one parameter: each entry, and a copy of its values if it is a tensor."""
    return {key: (x, _copied(x)) for key, x in state.items()}


def _copied(x: Any) -> Array | None:
    return x.array.copy() if isinstance(x, Variable) else None


def _fill(x: Any, values: Array | None) -> None:
    if values is not None and not np.array_equal(x.array, values, equal_nan=values.dtype.kind == "f"):
        np.copyto(x.array, values)
        storage.mark_written(x.array)


def _shallow(table: Any) -> Any:
    return list(table) if type(table) is list else dict(table)
