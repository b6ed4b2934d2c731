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
PROCESSOR = llvm.get_host_cpu_name()  # LLVM's name of its kind: "znver4", "sapphirerapids" ...
# Accumulators, one vector of b for each column, and a spread a: all must have a register.
WIDE = (8, 3) if _COUNT == 32 else (4, 3)  # rows, vectors: for few rows
TALL = (12, 2) if _COUNT == 32 else (6, 2)  # for few columns
PAIRED_ROWS = 11 if _COUNT == 32 else 5  # of `paired_tile`: few rows too many for 16, 32, 64 ... filters


def _tile(rows: int, vectors: int) -> Any:
    """tile(a, a0, a_row, a_k, b, b0, b_k, depth, c, c0, c_row, add), on flat arrays: where each begins, and its strides.

    a_row, a_k and b_k may be tables of offsets instead: a[i, k] lies at a0 + a_row[i] + a_k[k], b[k, j] at b0 + b_k[k] + j.
    """

    def tile(context, a, a0, a_row, a_k, b, b0, b_k, depth, c, c0, c_row, add):
        def code(context, builder, signature, args):
            _, a0, _, _, _, b0, _, depth, _, c0, c_row, add = args
            a, b, c = (context.make_array(signature.args[i])(context, builder, args[i]).data for i in (0, 4, 8))
            number = a.type.pointee
            lanes = VECTOR_BYTES // signature.args[0].dtype.bitwidth * 8
            vector = ir.VectorType(number, lanes)
            size = signature.args[0].dtype.bitwidth // 8
            integer = a0.type

            def at(base: Any, *offsets: Any) -> Any:
                total = offsets[0]
                for further in offsets[1:]:
                    total = builder.add(total, further)
                return builder.gep(base, [total], inbounds=True)

            def as_vector(pointer: Any) -> Any:
                return builder.bitcast(pointer, vector.as_pointer())

            places = [
                [as_vector(at(c, c0, builder.mul(c_row, integer(i)), integer(j * lanes))) for j in range(vectors)]
                for i in range(rows)
            ]
            sums = [[cgutils.alloca_once_value(builder, ir.Constant(vector, None)) for _ in row] for row in places]

            def offset(position: int, i: Any) -> Any:
                """Where row i begins: by a stride, or by a table of offsets."""
                if isinstance(signature.args[position], types.Array):
                    table = context.make_array(signature.args[position])(context, builder, args[position]).data
                    return builder.load(builder.gep(table, [i], inbounds=True))
                return builder.mul(args[position], i)

            a_rows = [at(a, a0, offset(2, integer(i))) for i in range(rows)]
            b_row = at(b, b0)
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), None)
            with cgutils.for_range(builder, depth, intp=integer) as loop:
                a_at, b_at = offset(3, loop.index), offset(6, loop.index)
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
        a_row, a_k, b_k = (x if isinstance(x, types.Array) else n for x in (a_row, a_k, b_k))
        return types.void(a, n, a_row, a_k, b, n, b_k, n, c, n, n, types.boolean), code

    return intrinsic(tile)


wide_tile = _tile(*WIDE)
tall_tile = _tile(*TALL)


def _paired_tile(context, a, a_at, b, b_at, runs, begin, end, depth, c, c_at):
    """c[i, j] += Σ_(r, k) a[i, runs[r, 0], k] · b[j, runs[r, 1 + j], k],  i < PAIRED_ROWS,  j < 2,  begin <= r < end,  k < depth

    c[i, 0] and c[i, 1] are a vector each. The sum is one of several runs, and where each begins is looked up in a table.
    a[i, r, k] lies at a_at[0] + r · a_at[1] + i · a_at[2] + k · a_at[3], b[j, r, k] at b_at[j] + r · b_at[2] + k · b_at[3],
    c[i, j] at c_at[j] + i · c_at[2].
    """

    def code(context, builder, signature, args):
        a, b, runs, c = (context.make_array(signature.args[i])(context, builder, args[i]).data for i in (0, 2, 4, 8))
        size = signature.args[0].dtype.bitwidth // 8
        vector = ir.VectorType(a.type.pointee, VECTOR_BYTES // size)
        a0, a_run, a_row, a_k = cgutils.unpack_tuple(builder, args[1])
        *b_starts, b_run, b_k = cgutils.unpack_tuple(builder, args[3])
        *c_starts, c_row = cgutils.unpack_tuple(builder, args[9])
        integer = a0.type

        def moved(base: Any, place: Any, by: Any) -> Any:
            return builder.gep(base, [builder.mul(place, by)], inbounds=True)

        def as_vector(pointer: Any) -> Any:
            return builder.bitcast(pointer, vector.as_pointer())

        sums = [
            [cgutils.alloca_once_value(builder, ir.Constant(vector, None)) for _ in range(2)]
            for _ in range(PAIRED_ROWS)
        ]
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), None)
        with cgutils.for_range_slice(builder, args[5], args[6], integer(1), intp=integer) as (r, _):
            entry = [
                builder.load(builder.gep(runs, [builder.add(builder.mul(r, integer(3)), integer(i))])) for i in range(3)
            ]
            a_start = moved(builder.gep(a, [a0]), entry[0], a_run)
            b_start = [moved(builder.gep(b, [b_starts[j]]), entry[1 + j], b_run) for j in range(2)]
            with cgutils.for_range(builder, args[7], intp=integer) as loop:
                a_now = moved(a_start, loop.index, a_k)
                columns = [builder.load(as_vector(moved(b_start[j], loop.index, b_k)), align=size) for j in range(2)]
                for i in range(PAIRED_ROWS):
                    value = builder.load(moved(a_now, integer(i), a_row), align=size)
                    spread = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.IntType(32)(0))
                    spread = builder.shuffle_vector(spread, ir.Constant(vector, ir.Undefined), zeros)
                    for j in range(2):
                        product = builder.fmul(spread, columns[j], flags=("contract",))
                        builder.store(builder.fadd(builder.load(sums[i][j]), product, flags=("contract",)), sums[i][j])
        for i in range(PAIRED_ROWS):
            for j in range(2):
                target = as_vector(moved(builder.gep(c, [c_starts[j]]), integer(i), c_row))
                builder.store(
                    builder.fadd(builder.load(target, align=size), builder.load(sums[i][j])), target, align=size
                )
        return context.get_dummy_value()

    n = types.intp
    four, three = types.UniTuple(n, 4), types.UniTuple(n, 3)
    return types.void(a, four, b, four, runs, n, n, n, c, three), code


paired_tile: Any = intrinsic(_paired_tile)


def _masked(builder: Any, name: str, result: Any, *args: Any) -> Any:
    kind = ir.FunctionType(result, [a.type for a in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)


class _Masked:
    """Loads and stores of some lanes of a vector: memory that is masked off is not touched."""

    def __init__(self, context: Any, builder: Any, number: Any, size: int) -> None:
        self.builder, self.integer, self.size = builder, context.get_value_type(types.intp), size
        self.lanes = VECTOR_BYTES // size
        self.vector, self.places = ir.VectorType(number, self.lanes), ir.VectorType(self.integer, self.lanes)
        self.number = ir.Constant(self.places, list(range(self.lanes)))  # each lane's own
        self.kind, self.align = f"v{self.lanes}f{8 * size}.p0", ir.IntType(32)(size)

    def spread(self, value: Any) -> Any:
        kind = ir.VectorType(value.type, self.lanes)
        first = self.builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.IntType(32)(0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), None)
        return self.builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), zeros)

    def _at(self, base: Any, place: Any) -> Any:
        return self.builder.bitcast(self.builder.gep(base, [place]), self.vector.as_pointer())

    def load(self, base: Any, place: Any, mask: Any) -> Any:
        zero, name = ir.Constant(self.vector, None), f"llvm.masked.load.{self.kind}"
        return _masked(self.builder, name, self.vector, self._at(base, place), self.align, mask, zero)

    def load_all(self, base: Any, place: Any) -> Any:
        return self.builder.load(self._at(base, place), align=self.size)

    def store_all(self, value: Any, base: Any, place: Any) -> None:
        self.builder.store(value, self._at(base, place), align=self.size)

    def store(self, value: Any, base: Any, place: Any, mask: Any) -> None:
        name = f"llvm.masked.store.{self.kind}"
        _masked(self.builder, name, ir.VoidType(), value, self._at(base, place), self.align, mask)


def _move(context, x, source, low, high, y, to, count, plus):
    """y[to + i] = plus + (x[source + i] where low <= i < high, else 0) for i < count. Only what is used of x is read."""

    def code(context, builder, signature, args):
        _, source, low, high, _, to, count, plus = args
        x, y = (context.make_array(signature.args[i])(context, builder, args[i]).data for i in (0, 4))
        v = _Masked(context, builder, x.type.pointee, signature.args[0].dtype.bitwidth // 8)
        short = ir.IntType(32)  # of the lanes' numbers: in 64 bits the masks would take twice the instructions
        numbers = ir.Constant(ir.VectorType(short, v.lanes), list(range(v.lanes)))
        lows, highs, counts = (v.spread(builder.trunc(value, short)) for value in (low, high, count))
        added, step, zero = v.spread(plus), v.integer(v.lanes), v.integer(0)
        with cgutils.for_range_slice(builder, zero, count, step, intp=v.integer) as (i, _):
            lane = builder.add(v.spread(builder.trunc(i, short)), numbers)
            inside = builder.and_(builder.icmp_signed(">=", lane, lows), builder.icmp_signed("<", lane, highs))
            value = builder.fadd(v.load(x, builder.add(source, i), inside), added)
            v.store(value, y, builder.add(to, i), builder.icmp_signed("<", lane, counts))
        return context.get_dummy_value()

    n = types.intp
    return types.void(x, n, n, n, y, n, n, x.dtype), code


move: Any = intrinsic(_move)


def _move_even(context, x, source, low, high, y, to, count):
    """y[to + i] = x[source + 2 i] where low <= i < high, else 0, for i < count: two vectors are read and half of each kept."""

    def code(context, builder, signature, args):
        _, source, low, high, _, to, count = args
        x, y = (context.make_array(signature.args[i])(context, builder, args[i]).data for i in (0, 4))
        v = _Masked(context, builder, x.type.pointee, signature.args[0].dtype.bitwidth // 8)
        two, zero = v.integer(2), v.integer(0)
        lows, counts = v.spread(builder.mul(low, two)), v.spread(count)
        highs = v.spread(builder.sub(builder.mul(high, two), v.integer(1)))
        even = ir.Constant(ir.VectorType(ir.IntType(32), v.lanes), [2 * lane for lane in range(v.lanes)])
        with cgutils.for_range_slice(builder, zero, count, v.integer(v.lanes), intp=v.integer) as (i, _):
            halves = []
            for half in range(2):
                start = builder.add(builder.mul(i, two), v.integer(half * v.lanes))
                lane = builder.add(v.spread(start), v.number)
                inside = builder.and_(builder.icmp_signed(">=", lane, lows), builder.icmp_signed("<", lane, highs))
                halves.append(v.load(x, builder.add(source, start), inside))
            lane = builder.add(v.spread(i), v.number)
            value = builder.shuffle_vector(halves[0], halves[1], even)
            v.store(value, y, builder.add(to, i), builder.icmp_signed("<", lane, counts))
        return context.get_dummy_value()

    n = types.intp
    return types.void(x, n, n, n, y, n, n), code


move_even: Any = intrinsic(_move_even)


def _transpose(context, x, source, x_row, rows, columns, y, to, y_row):
    """y[to + j · y_row + i] = x[source + i · x_row + j] for i < rows, j < columns, both at most the lanes of a vector.

    Rows are interleaved with the rows half a square below, as often as it takes: each time one bit of the row's number
    changes places with one bit of the column's.
    """

    def code(context, builder, signature, args):
        _, source, x_row, rows, columns, _, to, y_row = args
        x, y = (context.make_array(signature.args[i])(context, builder, args[i]).data for i in (0, 5))
        v = _Masked(context, builder, x.type.pointee, signature.args[0].dtype.bitwidth // 8)
        n, half = v.lanes, v.lanes // 2
        none = ir.Constant(ir.VectorType(ir.IntType(1), n), None)

        def mask(i: int, count: Any, others: Any) -> Any:
            inside = builder.icmp_signed("<", v.number, v.spread(others))
            return builder.select(builder.icmp_signed("<", v.integer(i), count), inside, none)

        def pattern(first: int) -> Any:
            indices = [lane + side * n for lane in range(first, first + half) for side in (0, 1)]
            return ir.Constant(ir.VectorType(ir.IntType(32), n), indices)

        def place(start: Any, stride: Any, i: int) -> Any:
            return builder.add(start, builder.mul(stride, v.integer(i)))

        def turned(square: list[Any]) -> list[Any]:
            for _ in range(n.bit_length() - 1):
                square = [
                    builder.shuffle_vector(square[i], square[i + half], pattern(first))
                    for i in range(half)
                    for first in (0, half)
                ]
            return square

        whole = builder.and_(*(builder.icmp_signed(">=", count, v.integer(n)) for count in (rows, columns)))
        with builder.if_else(whole) as (full, rest):
            with full:
                square = [v.load_all(x, place(source, x_row, i)) for i in range(n)]
                for j, row in enumerate(turned(square)):
                    v.store_all(row, y, place(to, y_row, j))
            with rest:
                square = [v.load(x, place(source, x_row, i), mask(i, rows, columns)) for i in range(n)]
                for j, row in enumerate(turned(square)):
                    v.store(row, y, place(to, y_row, j), mask(j, columns, rows))
        return context.get_dummy_value()

    n = types.intp
    return types.void(x, n, n, n, n, y, n, n), code


transpose: Any = intrinsic(_transpose)
