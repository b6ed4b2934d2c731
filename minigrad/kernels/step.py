"""A whole training step as one loop: what minigrad/compiler/loops.py writes is compiled here, and kept on disk by its content.

The elementary functions are those of vector.py, and the logarithm beside them, so that a loop over the lanes of a block
stays a straight line. A step reads its arrays and writes its results; it holds no memory of its own.
"""

from __future__ import annotations

import hashlib
import math
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numba.np.numpy_support import from_dtype

from ..threads import apart, compiling
from . import vector
from .cache import Store
from .compiled import PATIENCE, called, inline, njit
from .disk import sources, written
from .gemm import _COUNT, VECTOR_BYTES, _tile, transpose
from .vector import as_float32


@intrinsic
def _as_int32(context, x):
    """The bits of a float32 as an int32."""
    return types.int32(types.float32), lambda context, builder, signature, args: builder.bitcast(
        args[0], ir.IntType(32)
    )


# -- ln: x = 2ⁿ (1 + f), √½ ≤ 1 + f < √2, ln x = n ln 2 + ln(1 + f), the latter f - f²/2 + f³ P(f). Cephes' polynomial.

_P = tuple(
    np.float32(c)
    for c in (
        7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
        2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    )
)  # fmt: skip
_P8, _P7, _P6, _P5, _P4, _P3, _P2, _P1, _P0 = _P
_ONE, _HALF, _ZERO, _TWO = np.float32(1), np.float32(0.5), np.float32(0), np.float32(2)
_ROOT_HALF, _LN2_HIGH, _LN2_LOW = np.float32(math.sqrt(0.5)), np.float32(0.693359375), np.float32(-2.12194440e-4)
_INF, _NAN, _TINY, _SCALE, _DOWN = (np.float32(v) for v in (math.inf, math.nan, 1.17549435e-38, 2.0**25, 25))


@inline
def log_float32(x: Any) -> Any:
    small = x < _TINY
    y = x * _SCALE if small else x
    bits: Any = _as_int32(y)  # type: ignore[call-arg]
    n = np.float32((bits >> np.int32(23)) - np.int32(126)) - (_DOWN if small else _ZERO)
    f = as_float32((bits & np.int32(0x007FFFFF)) | np.int32(0x3F000000))  # 1/2 ≤ f < 1
    low = f < _ROOT_HALF
    n = n - (_ONE if low else _ZERO)
    f = (f + f if low else f) - _ONE
    z = f * f
    p = (((((((_P8 * f + _P7) * f + _P6) * f + _P5) * f + _P4) * f + _P3) * f + _P2) * f + _P1) * f + _P0
    out = f + (f * z * p + n * _LN2_LOW - _HALF * z) + n * _LN2_HIGH
    out = out if x < _INF else x  # inf and nan as they are
    out = out if x != _ZERO else -_INF
    return out if not (x < _ZERO) else _NAN


@inline
def log1p_float32(x: Any) -> Any:
    u = _ONE + x
    lost = (u - _ONE) - x  # what rounding 1 + x has added
    out = log_float32(u) - (lost / u if (u > _ZERO) & (u < _INF) else _ZERO)
    return out if x != _ZERO else x


# -- what every step does with blocks. They are compiled with the step that calls them.


def _helper(function: Any) -> Any:
    return called(fastmath={"contract"}, inline="never")(function)


@_helper
def turn(to: Any, x: Any, s: int, lanes: int) -> None:
    """The rows s ... of x side by side."""
    for k in range(to.shape[0]):
        for b in range(lanes):
            to[k, b] = x[s + b, k]


@_helper
def outer(acc: Any, x: Any, y: Any, lanes: int) -> None:
    """To each row of acc, of 16 places, the products of a column of x with one of y: lane b goes to place b mod 16."""
    n = y.shape[0]
    if lanes == 64:
        for j in range(x.shape[0]):
            for k in range(n):
                i = j * n + k
                for p in range(16):
                    acc[i, p] += (
                        x[j, p] * y[k, p]
                        + x[j, p + 16] * y[k, p + 16]
                        + x[j, p + 32] * y[k, p + 32]
                        + x[j, p + 48] * y[k, p + 48]
                    )
        return
    for j in range(x.shape[0]):
        for k in range(n):
            i = j * n + k
            for start in range(0, lanes, 16):
                for p in range(min(16, lanes - start)):
                    acc[i, p] += x[j, start + p] * y[k, start + p]


@_helper
def fold(acc: Any, to: Any) -> None:
    """The lanes of each row of acc added up, in pairs."""
    for j in range(acc.shape[0]):
        n = acc.shape[1] // 2
        while n > 0:
            for b in range(n):
                acc[j, b] += acc[j, b + n]
            n //= 2
        to[j] = acc[j, 0]


@_helper
def adam(p: Any, g: Any, m: Any, v: Any, near: float, keep: float, new: float, eps: float, rate: float) -> None:
    """One step of `Adam._step` in optim/adam.py, which makes the numbers."""
    t = p.dtype.type
    w, b2, c2, e, s = t(near), t(keep), t(new), t(eps), t(rate)
    for i in range(p.size):
        m[i] += (g[i] - m[i]) * w
        v[i] = v[i] * b2 + g[i] * g[i] * c2
        p[i] -= m[i] / (np.sqrt(v[i]) + e) * s


_ROWS, _VECTORS = (8, 2) if _COUNT == 32 else (4, 2)
_tall, _flat = _tile(_ROWS, _VECTORS), _tile(1, _VECTORS)
_BYTES = VECTOR_BYTES


@_helper
def times(to: Any, x: Any, w: Any, w_row: int, w_k: int, start: Any) -> None:
    """Each column j of `to` is start[j] and those of x weighted with w[j · w_row + k · w_k], in tiles (gemm.py)."""
    n, depth = to.shape[0], x.shape[0]
    y, columns = to.reshape(n * 64), _VECTORS * (_BYTES // x.itemsize)
    source, whole = x.reshape(depth * 64), n // _ROWS * _ROWS
    for j in range(n):
        begin = start[j]
        for b in range(64):
            to[j, b] = begin
    for b in range(0, 64, columns):
        for j in range(0, whole, _ROWS):
            _tall(w, j * w_row, w_row, w_k, source, b, 64, depth, y, j * 64 + b, 64, True)
        for j in range(whole, n):
            _flat(w, j * w_row, w_row, w_k, source, b, 64, depth, y, j * 64 + b, 64, True)


@_helper
def outer_in_tiles(acc: Any, x: Any, y: Any, turned: Any, lanes: int) -> None:
    """To acc[j, k] the sum over lanes of x[j] · y[k]; rows of acc and of `turned`, where y is turned, are padded to tiles."""
    n, m, width = x.shape[0], y.shape[0], acc.shape[1]
    vector = _BYTES // x.itemsize
    a, b, t, c = x.reshape(n * 64), y.reshape(m * 64), turned.reshape(64 * width), acc.reshape(n * width)
    for k in range(0, m, vector):
        for lane in range(0, 64, vector):
            transpose(b, k * 64 + lane, 64, min(vector, m - k), vector, t, lane * width + k, width)
    whole, columns = n // _ROWS * _ROWS, _VECTORS * vector
    for k in range(0, width, columns):
        for j in range(0, whole, _ROWS):
            _tall(a, j * 64, 64, 1, t, k, width, lanes, c, j * width + k, width, True)
        for j in range(whole, n):
            _flat(a, j * 64, 64, 1, t, k, width, lanes, c, j * width + k, width, True)


_FUNCTIONS: dict[str, tuple[Any, Any]] = {
    "exp": (vector.exp_float32, vector.exp_float64),
    "tanh": (vector.tanh_float32, vector.tanh_float64),
    "log": (log_float32, inline(lambda x: math.log(x) if x > 0 else (-math.inf if x == 0 else math.nan))),
    "log1p": (log1p_float32, inline(lambda x: math.log1p(x) if x > -1 else (-math.inf if x == -1 else math.nan))),
    "expm1": (inline(lambda x: np.float32(math.expm1(x))), inline(lambda x: math.expm1(x))),
    "sqrt": (inline(lambda x: np.sqrt(x)), inline(lambda x: np.sqrt(x))),
    "sin": (inline(lambda x: math.sin(x)), inline(lambda x: math.sin(x))),
    "cos": (inline(lambda x: math.cos(x)), inline(lambda x: math.cos(x))),
    "abs": (inline(lambda x: abs(x)), inline(lambda x: abs(x))),
    # Of 0 and -0 the second, as in NumPy.
    "maximum": (inline(lambda a, b: a if (a > b) | (a != a) else b), inline(lambda a, b: a if (a > b) | (a != a) else b)),
    "minimum": (inline(lambda a, b: a if (a < b) | (a != a) else b), inline(lambda a, b: a if (a < b) | (a != a) else b)),
    "where": (inline(lambda c, a, b: a if c else b), inline(lambda c, a, b: a if c else b)),
    "power": (inline(lambda a, b: a**b), inline(lambda a, b: a**b)),
}  # fmt: skip


AT_MOST = 200  # steps on the disk, of about 300 KB each


def build(text: str, double: bool) -> Any:
    """The function `step` of this text, to be called with arrays; compiled at its first call, or taken from the disk."""
    name = written(text)
    # (`__name__`: without a module of its own Numba writes the function to the disk, and cannot read it back)
    space: dict[str, Any] = {
        "__name__": __name__,
        "np": np,
        "R": np.float64 if double else np.float32,
        "full_width": vector.full_width,
    }
    space |= {
        "turn": turn,
        "outer": outer,
        "fold": fold,
        "times": times,
        "adam": adam,
        "outer_in_tiles": outer_in_tiles,
    }
    space |= {name: pair[1 if double else 0] for name, pair in _FUNCTIONS.items()}
    exec(compile(text, f"<step {name}>", "exec"), space)
    dispatcher: Any = njit(nogil=True, error_model="numpy", fastmath={"contract"})(space["step"])
    here = Path(__file__)
    dispatcher._cache = Store(f"step.{name}", here, sources(here) + hashlib.sha256(text.encode()).hexdigest(), AT_MOST)
    return dispatcher


def type_of(kind: Any) -> Any:
    """The type of an argument, from what `ahead.kind_of` says of it."""
    if kind is None:
        return types.float64
    dtype, ndim, layout, writeable, aligned = kind
    return types.Array(from_dtype(np.dtype(dtype)), ndim, layout, readonly=not writeable, aligned=aligned)


def prepare(dispatcher: Any, kinds: list[Any]) -> None:
    """Have it compiled now, or taken from the disk, for arguments of these types. Says so if compiling lasts."""
    apart(_compile, dispatcher, tuple(kinds))


def _compile(dispatcher: Any, kinds: tuple[Any, ...]) -> None:
    timer = threading.Timer(PATIENCE, _say)
    timer.daemon = True
    timer.start()
    try:
        with compiling:
            dispatcher.compile(kinds)
    finally:
        timer.cancel()


def _say() -> None:
    print("minigrad: compiling a step as one loop, once on this machine", file=sys.stderr)
