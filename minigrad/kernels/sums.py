"""Sums and maxima of a row, in as many lanes as a vector has: in one running sum each addition would wait for the last."""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .compiled import called, inline
from .gemm import VECTOR_BYTES

# Flags of their own: the terms may be taken in any order, and a sum of zeros may have either sign. None that takes numbers
# for finite: the result of an operation that was promised none and gets a nan may be anything.
_any_order = called(fastmath={"contract", "reassoc", "nsz"})
_BYTES = min(
    VECTOR_BYTES, 32
)  # of a vector; wider ones would have LLVM widen the loops around too, which costs short rows


def _larger(builder: Any, value: Any, largest: Any) -> Any:
    """value if it is larger, else what was the largest, as it is with a nan: one instruction, for numbers or vectors."""
    return builder.select(builder.fcmp_ordered(">", value, largest), value, largest)


def _lanes_max(n_chains: int) -> Any:
    """The largest of a row that fills a vector at least, in n_chains running maxima: each waits for its last comparison only.

    The last vectors overlap: whether a number is met once or twice is the same.
    """

    def largest_lane(context, row):
        def code(context, builder, signature, args):
            kind = signature.args[0]
            array = context.make_array(kind)(context, builder, args[0])
            size = kind.dtype.bitwidth // 8
            lanes = _BYTES // size
            vector = ir.VectorType(array.data.type.pointee, lanes)
            n = builder.extract_value(array.shape, 0)
            integer = n.type
            last = builder.sub(n, integer(lanes))
            start = ir.Constant(vector, [-math.inf] * lanes)
            chains = [cgutils.alloca_once_value(builder, start) for _ in range(n_chains)]
            step = integer(lanes * n_chains)
            with cgutils.for_range_slice(builder, integer(0), n, step, intp=integer) as (i, _):
                for k, largest in enumerate(chains):
                    place = builder.add(i, integer(k * lanes))
                    place = builder.select(builder.icmp_signed("<", place, last), place, last)
                    pointer = builder.bitcast(builder.gep(array.data, [place], inbounds=True), vector.as_pointer())
                    value = builder.load(pointer, align=size)
                    builder.store(_larger(builder, value, builder.load(largest)), largest)
            found = builder.load(chains[0])
            for largest in chains[1:]:
                found = _larger(builder, builder.load(largest), found)
            while lanes > 1:  # the upper half against the lower
                lanes //= 2
                halves = [
                    ir.Constant(ir.VectorType(ir.IntType(32), lanes), list(range(at, at + lanes))) for at in (0, lanes)
                ]
                lower, upper = (builder.shuffle_vector(found, found, half) for half in halves)
                found = _larger(builder, upper, lower)
            return builder.extract_element(found, ir.IntType(32)(0))

        return row.dtype(types.Array(row.dtype, 1, "C")), code

    return intrinsic(largest_lane)


_in_one_chain, _in_four_chains = _lanes_max(1), _lanes_max(4)


@inline
def row_max(row: Any) -> Any:
    """The largest number of a contiguous row, -inf if there is none. A nan is passed over: it shows in the row's sum."""
    lanes = _BYTES // row.itemsize
    if row.size >= 8 * lanes:
        return _in_four_chains(row)
    if row.size >= lanes:
        return _in_one_chain(row)
    largest = row.dtype.type(-math.inf)
    for j in range(row.size):
        largest = row[j] if row[j] > largest else largest
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
