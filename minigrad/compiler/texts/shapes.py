"""Operations that look at elements in another shape, take parts of them, join them or write into them, as NumPy."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ...autograd.views import AsStrided, CopySlices, PartOf
from ...geometry import Geometry
from ...ops.along import Gather, IndexSelect
from ...ops.arrange import Flip, Roll, Tile
from ...ops.cumulative import CumProd, CumSum, LogCumSumExp, RunningExtreme, RunningLeast
from ...ops.diagonals import Diagonal, PutDiagonal, Triangle
from ...ops.index import AddAt, Index, SetIndex
from ...ops.join import Cat, Stack
from ...ops.pad import Pad
from ...ops.parts import Narrow, NewDim, PutSlice, Select, Slice, Split, Unbind, Whole, Windows
from ...ops.shape import (
    Expand,
    MatrixTranspose,
    Permute,
    Reshape,
    Squeeze,
    SqueezeDim,
    SqueezeDims,
    Transpose,
    Unsqueeze,
)
from ...ops.tables import Embedding, ScaledGradient
from ..program import Var
from ..written import Both, Call, NoText, by_settings, key_text, text

# -- the same elements in another shape


@by_settings(Reshape, Squeeze, SqueezeDim, SqueezeDims, Unsqueeze)
def _reshape(c: Call) -> Both:
    return f"out = x.reshape({c.out.shape!r})", f"dx = g.reshape({c.x.shape!r})"


@by_settings(Permute)
def _permute(c: Call) -> Both:
    back = tuple(int(i) for i in np.argsort(c.dims))
    return f"out = x.transpose({tuple(c.dims)!r})", f"dx = g.transpose({back!r})"


@by_settings(Transpose, MatrixTranspose)
def _transpose(c: Call) -> Both:
    return ("out = x.swapaxes(dim0, dim1)", "dx = g.swapaxes(dim0, dim1)") if c.x.shape else ("out = x[...]", "dx = g")


@by_settings(Expand)
def _expand(c: Call) -> Both:
    return f"out = np.broadcast_to(x, {c.out.shape!r})", "dx = g"  # (summed down to x's shape where gradients meet)


@by_settings(Slice, Select, NewDim, Whole, Narrow, Split, Unbind)
def _slice(c: Call) -> Both:
    key = key_text(c.key)
    return f"out = x[{key}]", f"dx = put(g, np.s_[{key}], {c.x.shape!r})"


@by_settings(PutSlice)
def _put_slice(c: Call) -> Both:
    key = key_text(c.key)
    return f"out = put(x, np.s_[{key}], shape)", f"dx = g[{key}]"


@by_settings(Diagonal)
def _diagonal(c: Call) -> Both:
    rows, columns = c.x.shape[c.dim1], c.x.shape[c.dim2]
    offset = max(-rows, min(c.offset, columns))
    return (
        f"out = x.diagonal({offset}, dim1, dim2)",
        f"dx = put_diagonal(g, {offset}, dim1, dim2, {c.x.shape!r})",
    )


text(
    PutDiagonal,
    "out = put_diagonal(x, offset, dim1, dim2, shape)",
    "dx = g.diagonal(offset, dim1, dim2)",
)


@by_settings(Triangle)
def _triangle(c: Call) -> Both:
    name = "tril" if c.lower else "triu"
    return f"out = np.{name}(x, diagonal)", f"dx = np.{name}(g, diagonal)"


@by_settings(Windows)
def _windows(c: Call) -> Both:
    if not c.x.shape:
        raise NoText
    return (
        f"out = windows(x, {c.dim}, {c.size}, {c.step})",
        f"dx = add_windows(g, {c.dim}, {c.step}, {c.x.shape!r})",
    )


# -- any places of the memory: views after something was written into what they look at


@by_settings(AsStrided, PartOf)
def _as_strided(c: Call) -> Both:
    base, view = c.base, c.view
    places = _places(base, view)
    return (
        f"out = x.reshape(-1)[{places}].reshape({c.out.shape!r})",
        f"dx = put_add(g.reshape(-1), ({places},), ({math.prod(base.shape)},)).reshape({c.x.shape!r})",
    )


@by_settings(CopySlices)
def _copy_slices(c: Call) -> Both:
    places = _places(c.base, c.view)
    n, shape = math.prod(c.view.shape), c.view.shape
    return (
        (
            f"out = replaced(x.reshape(-1), {places}, value.reshape(-1)).reshape({c.x.shape!r})",
            f"dx = replaced(g.reshape(-1), {places}, 0).reshape({c.x.shape!r})\n"
            f"dvalue = g.reshape(-1)[{places}].reshape({shape!r})",
        )
        if n
        else ("out = x", "dx = g\ndvalue = np.zeros_like(value)")
    )


def _places(base: Geometry, view: Geometry) -> str:
    """Which elements of the base, numbered row by row, the view looks at: a slice if they are evenly apart, else a list."""
    if base.may_repeat() or 0 in base.shape:
        raise NoText
    memory = {int(m): i for i, m in enumerate(_numbers(base).reshape(-1))}
    found = [memory.get(int(m)) for m in _numbers(view).reshape(-1)]
    if None in found or len(found) > 256:
        raise NoText
    places: Any = found
    steps = {b - a for a, b in itertools.pairwise(places)}
    if len(steps) <= 1 and min(steps, default=1) > 0:
        step = min(steps, default=1)
        return f"slice({places[0]}, {places[-1] + 1}{f', {step}' if step > 1 else ''})"
    return f"np.array({places!r})"


def _numbers(place: Geometry) -> Any:
    """The numbers of the elements of memory."""
    grid = np.full(place.shape, place.offset, np.int64)
    for i, (n, stride) in enumerate(zip(place.shape, place.strides, strict=True)):
        grid += (np.arange(n) * stride).reshape((-1,) + (1,) * (len(place.shape) - 1 - i))
    return grid


# -- copies in another order


@by_settings(Flip)
def _flip(c: Call) -> Both:
    axes = tuple(c.dims)
    return (f"out = np.flip(x, {axes!r})", f"dx = np.flip(g, {axes!r})") if c.x.shape else ("out = x", "dx = g")


@by_settings(Roll)
def _roll(c: Call) -> Both:
    back = tuple(-s for s in c.shifts)
    return f"out = np.roll(x, {tuple(c.shifts)!r}, {tuple(c.dims)!r})", f"dx = np.roll(g, {back!r}, {tuple(c.dims)!r})"


@by_settings(Tile)
def _tile(c: Call) -> Both:
    shape = (1,) * (len(c.repeats) - len(c.x.shape)) + c.x.shape
    paired = tuple(n for pair in zip(c.repeats, shape, strict=True) for n in pair)
    axes = tuple(range(0, len(paired), 2))
    return (
        f"out = np.tile(x, {tuple(c.repeats)!r})",
        f"dx = g.reshape({paired!r}).sum({axes!r})",
    )


@by_settings(Cat)
def _cat(c: Call) -> Both:
    names = [f"tensors_{i}" for i in range(len(c.tensors))]
    before, start, rows = ":, " * c.dim, 0, []
    for name, x in zip(names, c.tensors, strict=True):
        n = x.shape[c.dim]
        rows.append(f"d{name} = g[{before}{start}:{start + n}]")
        start += n
    return f"out = np.concatenate([{', '.join(names)}], dim)", "\n".join(rows)


@by_settings(Stack)
def _stack(c: Call) -> Both:
    names = [f"tensors_{i}" for i in range(len(c.tensors))]
    rows = [f"d{name} = g[{':, ' * c.dim}{i}]" for i, name in enumerate(names)]
    return f"out = np.stack([{', '.join(names)}], dim)", "\n".join(rows)


@by_settings(Pad)
def _pad(c: Call) -> Both:
    if not c.x.shape:
        return "out = x", "dx = g"
    inside = ", ".join(f"{lo}:{lo + n}" for n, (lo, _) in zip(c.x.shape, c.pairs, strict=True))
    if any(p < 0 for pair in c.pairs for p in pair):
        raise NoText
    return f"out = np.pad(x, {tuple(c.pairs)!r}, constant_values=value)", f"dx = g[{inside}]"


# -- by index


def _key(c: Call, key: Any) -> str:
    """The key of an index, whose arrays are names of the text from now on."""
    parts = []
    for i, k in enumerate(key):
        if isinstance(k, Var):
            c._names_of_arrays[f"key_{i}"] = k
            parts.append(f"key_{i}")
        else:
            parts.append(k)
    return key_text(tuple(parts))


@by_settings(Index, Gather)
def _index(c: Call) -> Both:
    key = _key(c, c.key)
    return f"out = x[{key}]", f"dx = put_add(g, np.s_[{key}], {c.x.shape!r})"


@by_settings(AddAt)
def _add_at(c: Call) -> Both:
    key = _key(c, c.key)
    return f"out = added(x, np.s_[{key}], value)", f"dx = g\ndvalue = g[{key}]"


@by_settings(IndexSelect)
def _index_select(c: Call) -> Both:
    before = ":, " * c.dim
    return f"out = x[{before}index]", f"dx = put_add(g, np.s_[{before}index], {c.x.shape!r})"


@by_settings(SetIndex)
def _set_index(c: Call) -> Both:
    key = _key(c, c.key)
    return f"out = replaced(x, np.s_[{key}], value)", f"dx = replaced(g, np.s_[{key}], 0)\ndvalue = g[{key}]"


@by_settings(Embedding)
def _embedding(c: Call) -> Both:
    padding = "" if c.padding_idx is None else "\ndweight = replaced(dweight, padding_idx, 0)"
    whole = f"dweight = put_add(g, index, {c.weight.shape!r})"
    if padding:
        return (
            "out = weight[index]",
            f"all_rows = put_add(g, index, {c.weight.shape!r})\ndweight = replaced(all_rows, padding_idx, 0)",
        )
    return "out = weight[index]", whole


text(ScaledGradient, "out = x.copy()", "dx = g * scale")

# -- running sums, products and extremes


@by_settings(CumSum)
def _cumsum(c: Call) -> Both:
    if not c.x.shape:
        return "out = x.copy()", "dx = g"
    return "out = np.cumsum(x, axis)", "dx = np.flip(np.cumsum(np.flip(g, axis), axis), axis)"


@by_settings(CumProd)
def _cumprod(c: Call) -> Both:
    return "out = np.cumprod(x, axis)", "dx = cumprod_back(g, x, axis)"


text(
    LogCumSumExp,
    "out = np.logaddexp.accumulate(x, axis)",
    "dx = logcumsumexp_back(g, x, out, axis)",
)


@by_settings(RunningExtreme, RunningLeast)
def _running(c: Call) -> Both:
    raise NoText
