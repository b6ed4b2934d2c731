"""Formulas that compute whole vectors, for loops that a compiler would not make vectors of by itself.

A loop over a row becomes vectors only where the compiler can show that its arrays do not overlap, and what is left over at the end
of a row it computes one number at a time: of a hundred numbers four, each as slow as sixteen at once. A step of a recurrent
layer reads and writes nine arrays in rows of such lengths. Here the vectors are asked for: a formula is a Python function of `Lanes`,
whose operators write LLVM's instructions while the kernel is compiled, and `over_rows` is the loop around it.

    def formula(x, y):                                   lists, one vector for each part of a row
        return [x[0] * sigmoid(y[0])]

    step = over_rows(formula, (1, 1), (1,))              a function for kernels

The exponentials are those of vector.py, range reduction and polynomial, written down once more because there they are functions of
one number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .gemm import VECTOR_BYTES


class Lanes:
    """A vector of floating numbers (or of their bits, or of truths) in a formula. a · b + c is rounded once."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder, self.value = builder, value

    @property
    def single(self) -> bool:
        """Whether the numbers are float32, not float64."""
        return isinstance(self.value.type.element, ir.FloatType)

    def _like(self, other: Any) -> Any:
        """The other operand: a vector, or a number for all lanes."""
        if isinstance(other, Lanes):
            return other.value
        kind = self.value.type
        return ir.Constant(kind, [other] * kind.count)

    def _made(self, value: Any) -> Lanes:
        return Lanes(self.builder, value)

    def __add__(self, other: Any) -> Lanes:
        return self._made(self.builder.fadd(self.value, self._like(other), flags=("contract",)))

    def __sub__(self, other: Any) -> Lanes:
        return self._made(self.builder.fsub(self.value, self._like(other), flags=("contract",)))

    def __rsub__(self, other: Any) -> Lanes:
        return self._made(self.builder.fsub(self._like(other), self.value, flags=("contract",)))

    def __mul__(self, other: Any) -> Lanes:
        return self._made(self.builder.fmul(self.value, self._like(other), flags=("contract",)))

    def __rtruediv__(self, other: Any) -> Lanes:
        return self._made(self.builder.fdiv(self._like(other), self.value))

    def __truediv__(self, other: Any) -> Lanes:
        return self._made(self.builder.fdiv(self.value, self._like(other)))

    __radd__, __rmul__ = __add__, __mul__

    def __lt__(self, other: Any) -> Lanes:
        return self._made(self.builder.fcmp_ordered("<", self.value, self._like(other)))

    def __le__(self, other: Any) -> Lanes:
        return self._made(self.builder.fcmp_ordered("<=", self.value, self._like(other)))

    def bits(self) -> Lanes:
        """The bits of each number as an integer of its size."""
        integer = ir.IntType(32 if self.single else 64)
        return self._made(self.builder.bitcast(self.value, ir.VectorType(integer, self.value.type.count)))

    def number(self) -> Lanes:
        """What `bits` were of."""
        kind = self.value.type
        element = ir.FloatType() if kind.element.width == 32 else ir.DoubleType()
        return self._made(self.builder.bitcast(self.value, ir.VectorType(element, kind.count)))

    def __and__(self, other: Any) -> Lanes:
        return self._made(self.builder.and_(self.value, self._like(other)))

    def __or__(self, other: Any) -> Lanes:
        return self._made(self.builder.or_(self.value, self._like(other)))

    def shifted(self, by: int) -> Lanes:
        """Integers, by bits to the left."""
        return self._made(self.builder.shl(self.value, self._like(by)))

    def plus(self, other: Lanes) -> Lanes:
        """The sum of integers."""
        return self._made(self.builder.add(self.value, other.value))


def choose(condition: Lanes, a: Any, b: Any) -> Lanes:
    """a where the condition holds, else b; one of them may be a number."""
    like = a if isinstance(a, Lanes) else b
    return like._made(like.builder.select(condition.value, like._like(a), like._like(b)))


def magnitude(x: Lanes) -> Lanes:
    """|x|."""
    return (x.bits() & (2**31 - 1 if x.single else 2**63 - 1)).number()


def signed(y: Lanes, x: Lanes) -> Lanes:
    """y ≥ 0 with the sign of x, also where x is -0."""
    return (y.bits() | (x.bits() & -(2**31 if x.single else 2**63))).number()


def _polynomial(x: Lanes, coefficients: Sequence[float]) -> Lanes:
    """The coefficients begin with that of the highest power."""
    first, *rest = coefficients
    out: Any = first
    for c in rest:
        out = x * out + c
    return out


# x = n ln 2 + r. Adding `_ROUND` rounds x / ln 2 to the whole number n, which then stands in the low bits: shifted to where the exponent
# is, it makes 2ⁿ. (See vector.py.) For float32 the polynomial of eʳ is fitted for |r| ≤ ln 2 / 2, for float64 it is Taylor's.
_SINGLE = (
    1.5 * 2**23, 23, 127, (0.693359375, -2.12194440e-4),
    (0.00139464578, 0.00836915895, 0.0416662619, 0.166665167, 0.5, 1.0, 1.0),
)  # fmt: skip
_DOUBLE = (
    1.5 * 2.0**52, 52, 1023, (0.693147180369123816490, 1.90821492927058770002e-10),
    tuple(1 / math.factorial(k) for k in range(13, -1, -1)),
)  # fmt: skip


def _reduced(x: Lanes, more: int) -> tuple[Lanes, Lanes]:
    """r, and 2ⁿ⁺ᵐᵒʳᵉ, which must be a normal number."""
    big, mantissa, bias, (high, low), _ = _SINGLE if x.single else _DOUBLE
    shift = big + bias + more
    t = x * (1 / math.log(2)) + shift
    n = t - shift
    return (x - n * high) - n * low, t.bits().shifted(mantissa).number()


def exp_nonpositive(x: Lanes) -> Lanes:
    """eˣ for x ≤ 0; of nan nan."""
    low, more = (-104.0, 64) if x.single else (-746.0, 538)  # below, it is 0 to any rounding
    r, scale = _reduced(choose(x < low, low, x), more)
    return _polynomial(r, (_SINGLE if x.single else _DOUBLE)[-1]) * scale * 2.0**-more


def sigmoid(x: Lanes) -> Lanes:
    """1 / (1 + e⁻ˣ), by e^-|x|, which cannot overflow."""
    e = exp_nonpositive(magnitude(x) * -1.0)
    return choose(x < 0, e, 1.0) / (e + 1.0)


def tanh(x: Lanes) -> Lanes:
    """tanh x; of -0 -0, of nan nan. With m = e^-2|x| - 1, which loses nothing near 0, it is -m / (m + 2)."""
    y = magnitude(x) * -2.0
    r, scale = _reduced(choose(y < -40.0, -40.0, y), 0)
    m = scale * (r * _polynomial(r, (_SINGLE if x.single else _DOUBLE)[-1][:-1])) + (scale - 1.0)
    return signed((0.0 - m) / (m + 2.0), x)


def over_rows(formula: Callable[..., Sequence[Lanes]], inputs: Sequence[int], outputs: Sequence[int]) -> Any:
    """A function for kernels: f(rows, count, arrays, at, by_row, by_part), which applies a formula to `rows` rows of `count` numbers.

    inputs, outputs: of how many parts each input and output consists (an LSTM's gates are four). The formula gets a list of
    vectors for each input, and returns a list of all outputs' parts.

    arrays: flat, the inputs and then the outputs. Of array a, part p of row r begins at at[a] + r · by_row[a] + p · by_part[a], and has
    room for whole vectors: up to count, rounded up to a multiple of the lanes, is read and written. All inputs of a vector
    are read before its outputs are written, so they may lie in the same place.
    """
    parts = (*inputs, *outputs)

    def rowwise(context, rows, count, arrays, at, by_row, by_part):
        def code(context, builder, signature, args):
            rows, count = args[:2]
            kinds, values = list(signature.args[2]), cgutils.unpack_tuple(builder, args[2])
            data = [context.make_array(k)(context, builder, v).data for k, v in zip(kinds, values, strict=True)]
            begins, row_steps, part_steps = (cgutils.unpack_tuple(builder, tupled) for tupled in args[3:])
            lanes = VECTOR_BYTES * 8 // kinds[0].dtype.bitwidth
            vector, integer = ir.VectorType(data[0].type.pointee, lanes), count.type
            align = kinds[0].dtype.bitwidth // 8
            with cgutils.for_range(builder, rows, intp=integer) as row:
                starts = [
                    [
                        builder.add(
                            builder.add(begins[a], builder.mul(row.index, row_steps[a])),
                            builder.mul(part_steps[a], integer(p)),
                        )
                        for p in range(n)
                    ]
                    for a, n in enumerate(parts)
                ]
                with cgutils.for_range_slice(builder, integer(0), count, integer(lanes), intp=integer) as (k, _):

                    def place(a: int, p: int) -> Any:
                        pointer = builder.gep(data[a], [builder.add(starts[a][p], k)], inbounds=True)
                        return builder.bitcast(pointer, vector.as_pointer())

                    read = [
                        [Lanes(builder, builder.load(place(a, p), align=align)) for p in range(n)]
                        for a, n in enumerate(inputs)
                    ]
                    made = formula(*read)
                    to = [(len(inputs) + a, p) for a, n in enumerate(outputs) for p in range(n)]
                    for (a, p), out in zip(to, made, strict=True):
                        builder.store(out.value, place(a, p), align=align)
            return context.get_dummy_value()

        n = types.intp
        each = types.UniTuple(n, len(parts))
        return types.void(n, n, arrays, each, each, each), code

    return intrinsic(rowwise)
