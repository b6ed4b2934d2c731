"""May a leaf keep the array that arrives as its gradient, or must it copy it?

No two gradients may share memory: `a.grad.zero_()` must not change `b.grad`. In (a + b).backward() one array arrives
at both leaves. A copy is always right, but for a large weight it is a pass over memory that nobody needs, since mostly
the walk alone holds the array. Python knows: an object's reference count says how many names and containers hold it.

What the count is when only the walk holds the array (its own variables, the arguments on the way here) is the
interpreter's affair and differs between its versions. So it is not assumed but found out, once, at import: `calibrate`
sends an array that nobody else holds through a walk, with ever higher limits, until the leaf keeps it.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .variable import Array, Variable

_unshared = 0  # the count of an array that only the walk holds; with 0 every array is copied


def may_keep(gradient: Array) -> bool:
    """Whether nobody but the walk can see the array, nor the memory that it looks into."""
    return sys.getrefcount(gradient) <= _unshared and (gradient.base is None or _shows_all_of_its_own(gradient))


def _shows_all_of_its_own(view: Array) -> bool:
    """Whether the view shows all of an array that nobody holds but the view, in its order: a reshaped array does."""
    base = view.base
    return (
        type(base) is Array and base.base is None and base.nbytes == view.nbytes and view.flags.c_contiguous
        and sys.getrefcount(base) <= 3  # the view, `base`, and the argument of getrefcount
    )  # fmt: skip


def calibrate(graph: Any) -> None:
    """Find the count by walks of `graph`, the module of that name, which stands above this one."""
    global _unshared
    address: Any = None

    class Source(graph.Operation):
        @staticmethod
        def forward(ctx: Any, x: Array) -> Array:
            return x.copy()

        @staticmethod
        def backward(ctx: Any, grad: Array) -> Array:
            nonlocal address
            fresh = np.ones(1)
            address = fresh.__array_interface__["data"]
            return fresh

    for _unshared in range(1, 32):
        leaf = Variable()
        leaf.array, leaf._requires_grad = np.zeros(1), True
        out = Source.apply(leaf)
        graph.walk([out._edge], [np.ones(1)], retain_graph=False, create_graph=False)
        if leaf._grad.array.__array_interface__["data"] == address:
            return
    _unshared = 0
