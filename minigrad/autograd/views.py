"""Tensors that share memory: when one is changed in place and that is recorded, the others' histories become untrue."""

from __future__ import annotations

from .. import storage
from .node import Node
from .variable import Variable


def check_history(x: Variable, node: Node) -> None:
    """RuntimeError if `node`, which made x, no longer tells x's values.

    A recorded in-place change through *another* tensor on the same memory gives x values that its node did not
    compute. (Through x itself it gives x a new node: `_own_write` is its time.)
    """
    record = storage.find(x.array)
    if record is not None and record.recorded > max(node.sequence_nr, x._own_write):
        raise RuntimeError(
            f"this tensor (shape {x.array.shape}, made by {node.name()}) shares memory with a tensor that was "
            "changed in place afterwards, so its history no longer tells its values; minigrad does not rewrite the "
            "history of views. Use the out-of-place operation (y = x.add(1) for x.add_(1)) or clone() first."
        )
