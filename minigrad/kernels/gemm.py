"""The tile: a small matrix product whose result stays in the processor's registers. Convolution and attention consist of it.

    c[i, j] (+)= Σ_k a[i, k] · b[k, j]        i < ROWS,  j < VECTORS · lanes,  k < depth

                       b[k]:  one row of VECTORS vectors
                    ┌────────┬────────┬────────┐
        a[0, k] ──▶ │ c[0,0] │ c[0,1] │ c[0,2] │   For each k: load b[k] (VECTORS loads), spread each a[i, k] over a
        a[1, k] ──▶ │ c[1,0] │ c[1,1] │ c[1,2] │   vector (ROWS loads), and do ROWS · VECTORS multiply-adds. All of c is
           ...      │        │        │        │   in registers until k ends, so memory is asked for 11 vectors for every
        a[7, k] ──▶ │ c[7,0] │ c[7,1] │ c[7,2] │   24 multiply-adds, and these can run at the full rate.
                    └────────┴────────┴────────┘

A compiler makes loops of its own out of a product written in Python, so the tile is written in LLVM's language: vectors,
one multiply-add each. Where k and i lie in `a` is free (two strides), so a transposed matrix needs no copy. Source: Goto and van de
Geijn 2008, "Anatomy of High-Performance Matrix Multiplication"; Van Zee and van de Geijn 2015, "BLIS".
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic


def _registers() -> tuple[int, int]:
    """How many bytes a vector register has, and how many registers there are."""
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return 64, 32
    if features.get("avx2"):
        return 32, 16
    return 16, 32 if "aarch64" in llvm.get_process_triple() else 16


VECTOR_BYTES, _COUNT = _registers()
# Accumulators, one vector of b for each column, and a spread a: all must have a register.
WIDE = (8, 3) if _COUNT == 32 else (4, 3)  # rows, vectors: for few rows
TALL = (12, 2) if _COUNT == 32 else (6, 2)  # for few columns


def _tile(rows: int, vectors: int) -> Any:
    """tile(a, a0, a_row, a_k, b, b0, b_k, depth, c, c0, c_row, add), on flat arrays: where each begins, and its strides."""

    def tile(context, a, a0, a_row, a_k, b, b0, b_k, depth, c, c0, c_row, add):
        def code(context, builder, signature, args):
            _, a0, a_row, a_k, _, b0, b_k, depth, _, c0, c_row, add = args
            a, b, c = (context.make_array(signature.args[i])(context, builder, args[i]).data for i in (0, 4, 8))
            number = a.type.pointee
            lanes = VECTOR_BYTES // signature.args[0].dtype.bitwidth * 8
            vector = ir.VectorType(number, lanes)
            size = signature.args[0].dtype.bitwidth // 8
            integer = a0.type

            def at(base: Any, *offsets: Any) -> Any:
                total = offsets[0]
                for offset in offsets[1:]:
                    total = builder.add(total, offset)
                return builder.gep(base, [total], inbounds=True)

            def as_vector(pointer: Any) -> Any:
                return builder.bitcast(pointer, vector.as_pointer())

            places = [
                [as_vector(at(c, c0, builder.mul(c_row, integer(i)), integer(j * lanes))) for j in range(vectors)]
                for i in range(rows)
            ]
            sums = [[cgutils.alloca_once_value(builder, ir.Constant(vector, None)) for _ in row] for row in places]
            a_rows = [at(a, a0, builder.mul(a_row, integer(i))) for i in range(rows)]
            b_row = at(b, b0)
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), None)
            with cgutils.for_range(builder, depth, intp=integer) as loop:
                a_at, b_at = builder.mul(loop.index, a_k), builder.mul(loop.index, b_k)
                columns = [
                    builder.load(as_vector(at(b_row, b_at, integer(j * lanes))), align=size) for j in range(vectors)
                ]
                for i in range(rows):
                    value = builder.load(at(a_rows[i], a_at), align=size)
                    spread = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.IntType(32)(0))
                    spread = builder.shuffle_vector(spread, ir.Constant(vector, ir.Undefined), zeros)
                    for j in range(vectors):
                        product = builder.fmul(spread, columns[j], flags=("contract",))
                        builder.store(builder.fadd(builder.load(sums[i][j]), product, flags=("contract",)), sums[i][j])
            with builder.if_else(add) as (adding, fresh):
                for branch, added in ((adding, True), (fresh, False)):
                    with branch:
                        for row, targets in zip(sums, places, strict=True):
                            for total, target in zip(row, targets, strict=True):
                                value = builder.load(total)
                                if added:  # to a sum of its own, not to a running one: that rounds less
                                    value = builder.fadd(builder.load(target, align=size), value)
                                builder.store(value, target, align=size)
            return context.get_dummy_value()

        n = types.intp
        return types.void(a, n, n, n, b, n, n, n, c, n, n, types.boolean), code

    return intrinsic(tile)


wide_tile = _tile(*WIDE)
tall_tile = _tile(*TALL)


def _masked(builder: Any, name: str, result: Any, *args: Any) -> Any:
    kind = ir.FunctionType(result, [a.type for a in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)


def _move(context, x, source, low, high, y, to, count, plus):
    """y[to + i] = plus + (x[source + i] where low <= i < high, else 0) for i < count. Only what is used of x is read."""

    def code(context, builder, signature, args):
        _, source, low, high, _, to, count, plus = args
        x, y = (context.make_array(signature.args[i])(context, builder, args[i]).data for i in (0, 4))
        size = signature.args[0].dtype.bitwidth // 8
        lanes = VECTOR_BYTES // size
        integer = source.type
        vector, places = ir.VectorType(x.type.pointee, lanes), ir.VectorType(integer, lanes)
        kind = f"v{lanes}f{8 * size}.p0"
        align = ir.IntType(32)(size)

        def spread(value: Any, into: Any) -> Any:
            first = builder.insert_element(ir.Constant(into, ir.Undefined), value, ir.IntType(32)(0))
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), None)
            return builder.shuffle_vector(first, ir.Constant(into, ir.Undefined), zeros)

        lows, highs, counts, added = (
            spread(low, places),
            spread(high, places),
            spread(count, places),
            spread(plus, vector),
        )
        with cgutils.for_range_slice(builder, integer(0), count, integer(lanes), intp=integer) as (i, _):
            lane = builder.add(spread(i, places), ir.Constant(places, list(range(lanes))))
            inside = builder.and_(builder.icmp_signed(">=", lane, lows), builder.icmp_signed("<", lane, highs))
            wanted = builder.icmp_signed("<", lane, counts)
            pointer = builder.bitcast(builder.gep(x, [builder.add(source, i)]), vector.as_pointer())
            value = _masked(
                builder, f"llvm.masked.load.{kind}", vector, pointer, align, inside, ir.Constant(vector, None)
            )
            pointer = builder.bitcast(builder.gep(y, [builder.add(to, i)]), vector.as_pointer())
            value = builder.fadd(value, added)
            _masked(builder, f"llvm.masked.store.{kind}", ir.VoidType(), value, pointer, align, wanted)
        return context.get_dummy_value()

    n = types.intp
    return types.void(x, n, n, n, y, n, n, x.dtype), code


move: Any = intrinsic(_move)
