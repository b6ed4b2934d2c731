"""Equations with a triangular matrix, row by row. The NumPy twin is in ops/solving.py."""

from __future__ import annotations

import numpy as np

from ..autograd.variable import Array
from .compiled import kernel


@kernel
def _substitute(a: Array, x: Array, upper: bool, unit: bool) -> None:
    """a (batch, n, n), x (batch, n, k)."""
    n = x.shape[1]
    for b in range(x.shape[0]):
        for step in range(n):
            i = n - 1 - step if upper else step
            row = x[b, i]
            for j in range(i + 1, n) if upper else range(i):
                factor, known = a[b, i, j], x[b, j]
                for k in range(row.size):
                    row[k] -= factor * known[k]
            if not unit:
                for k in range(row.size):
                    row[k] /= a[b, i, i]


def substitute(a: Array, x: Array, upper: bool, unit: bool) -> None:
    """See ops.solving._substitute."""
    matrices = np.ascontiguousarray(np.broadcast_to(a, (*x.shape[:-2], *a.shape[-2:])))
    solution = np.ascontiguousarray(x)
    _substitute(matrices.reshape(-1, *a.shape[-2:]), solution.reshape(-1, *x.shape[-2:]), upper, unit)
    if solution is not x:
        x[...] = solution
