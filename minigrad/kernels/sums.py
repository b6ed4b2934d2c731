"""Sums and maxima of a row, in as many lanes as a vector has: in one running sum each addition would wait for the last."""

from __future__ import annotations

from typing import Any

import numba
from numba.extending import intrinsic

# Flags of their own: the terms may be taken in any order. A nan in a row shows in what is computed from its maximum.
_any_order = numba.njit(error_model="numpy", fastmath={"contract", "reassoc", "nsz"})


def _larger_code(context, a, b):
    """The larger of two floats, neither of them nan: a choice that the compiler may make in any order, so in lanes."""

    def code(context, builder, signature, args):
        flags = ("nnan", "nsz")
        return builder.select(builder.fcmp_ordered(">", *args, flags=flags), *args, flags=flags)

    return a(a, b), code


_larger: Any = intrinsic(_larger_code)


@_any_order
def row_max(row: Any) -> Any:
    largest = row[0]
    for j in range(row.size):
        largest = _larger(largest, row[j])
    return largest


@_any_order
def row_sum(row: Any) -> Any:
    total = row.dtype.type(0)
    for j in range(row.size):
        total += row[j]
    return total


@_any_order
def row_dot(a: Any, b: Any) -> Any:
    """Σ a · b"""
    total = a.dtype.type(0)
    for j in range(a.size):
        total += a[j] * b[j]
    return total


@_any_order
def row_spread(row: Any, mean: Any) -> Any:
    """Σ (row - mean), which is what the rounding of the mean left, and Σ (row - mean)²"""
    zero = row.dtype.type(0)
    rest, squares = zero, zero
    for j in range(row.size):
        d = row[j] - mean
        rest += d
        squares += d * d
    return rest, squares


@_any_order
def row_dot_centered(g: Any, row: Any, mean: Any) -> Any:
    """Σ g · (row - mean)"""
    total = row.dtype.type(0)
    for j in range(row.size):
        total += g[j] * (row[j] - mean)
    return total


@_any_order
def row_dots_centered(a: Any, b: Any, row: Any, mean: Any) -> Any:
    """Σ a · b and Σ a · b · (row - mean)"""
    zero = row.dtype.type(0)
    dot, centered = zero, zero
    for j in range(row.size):
        h = a[j] * b[j]
        dot += h
        centered += h * (row[j] - mean)
    return dot, centered
