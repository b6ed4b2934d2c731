"""Tensors that share memory: when one is changed in place and that is recorded, the others' histories become untrue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import storage
from ..storage import Latest
from .variable import Variable


def check_histories(tensors: Sequence[Any]) -> None:
    """RuntimeError if the node that made one of the tensors no longer tells its values.

    A recorded in-place change through *another* tensor on the same memory gives a tensor values that its node did not
    compute. (Through the tensor itself it gives it a new node: `_own_write` is its time.)
    """
    for x in tensors:
        if not isinstance(x, Variable) or x._edge is None or x._edge[0].sequence_nr > Latest.recorded:
            continue
        node = x._edge[0]
        record = storage.find(x.array)
        if record is not None and record.recorded > max(node.sequence_nr, x._own_write):
            raise RuntimeError(
                f"this tensor (shape {x.array.shape}, made by {node.name()}) shares memory with a tensor that was "
                "changed in place afterwards, so its history no longer tells its values; minigrad does not rewrite the "
                "history of views. Use the out-of-place operation (y = x.add(1) for x.add_(1)) or clone() first."
            )
