"""Arrays read and added to at the places of a key, and the choice of the loop that does it.

Three kinds of key are common, and large ones of them have compiled loops (kernels/scatter.py), which give NumPy's bits:

    x[:, ..., index]            entries of one dimension     embedding, index_select, index_add
    x[grid, ..., index, ...]    elements along one           gather, scatter_add, sort: `grid_key`
    x[i, j, ...]                an index to each dimension

What goes to one place is added in turn, in the order of the key, as PyTorch does.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.fused import LARGE, compiled_form, kernels_position
from ..autograd.variable import Array

_FLAT = 1 << 8  # elements from which NumPy reads and adds faster by one index into the flat array


def within(index: Array, n: int) -> bool:
    """Whether 0 <= index < n for all of its integers: in one pass, for read without a sign a negative one is large."""
    if not index.flags.c_contiguous:  # of an expanded index one of each is enough
        index = index[tuple(slice(None) if stride else slice(1) for stride in index.strides)]
    return not index.size or bool(index.view(f"u{index.itemsize}").max() < n)


def from_front(index: Array, n: int) -> Array | None:
    """An index among n entries with those that count from the end, -1 for the last, as places from 0 on; None if one lies outside."""
    index = index.astype(np.int64, copy=False)
    if within(index, n):
        return index
    index = np.where(index < 0, index + n, index)
    return index if within(index, n) else None


def flat_key(key: tuple[Array, ...], shape: tuple[int, ...]) -> Any:
    """The places of the flat array that `key`, an array of integers from 0 on to each dimension, names in one of this shape."""
    flat = key[0].astype(np.int64, copy=False)
    for k, n in zip(key[1:], shape[1:], strict=True):
        flat = flat * n + k
    return flat


def grid_key(index: Array, dim: int) -> tuple[Array, ...]:
    """The key that reads x[i₀, ..., index[i], ..., iₙ]: the grid of index's places with `index` itself at `dim`."""
    shapes = ((1,) * i + (n,) + (1,) * (index.ndim - i - 1) for i, n in enumerate(index.shape))
    return tuple(index if i == dim else np.arange(s[i]).reshape(s) for i, s in enumerate(shapes))


# -- which kind a key is of


def _large(work: int) -> bool:
    """Whether it is worth looking at a key whether a compiled loop would serve it."""
    return work >= LARGE or kernels_position() == "compiled"


def _entries_of(key: tuple[Any, ...]) -> int | None:
    """The dimension whose entries a key [:, ..., index] names, by a vector of integers; None for another key."""
    *before, index = key
    plain = all(isinstance(k, slice) and k == slice(None) for k in before)
    return (
        len(before) if plain and isinstance(index, np.ndarray) and index.ndim == 1 and index.dtype.kind == "i" else None
    )


def _along(key: tuple[Any, ...], ndim: int) -> tuple[int, Array] | None:
    """The dimension and index of a key that `grid_key` could have given, for an array of ndim dimensions; None for another."""
    if len(key) != ndim or not all(isinstance(k, np.ndarray) and k.dtype.kind == "i" for k in key):
        return None
    shape = np.broadcast_shapes(*(k.shape for k in key))
    if len(shape) != ndim:
        return None
    chosen = [i for i, k in enumerate(key) if ndim == 1 or not _is_grid(k, i, shape)]
    if len(chosen) > 1:
        return None
    dim = chosen[0] if chosen else 0
    return dim, np.broadcast_to(key[dim], shape)


def _is_grid(k: Array, dim: int, shape: tuple[int, ...]) -> bool:
    n = shape[dim]
    return k.shape == (1,) * dim + (n,) + (1,) * (len(shape) - dim - 1) and bool((k.reshape(-1) == np.arange(n)).all())


def _one_for_all(index: Array, dim: int, shape: tuple[int, ...]) -> Array | None:
    """The vector of entries, where an index along dim names whole ones of an array of this shape: it was expanded."""
    others = [i for i, n in enumerate(index.shape) if i != dim and n > 1]
    if any(index.strides[i] for i in others) or any(n != shape[i] for i, n in enumerate(index.shape) if i != dim):
        return None
    return index[tuple(slice(None) if i == dim else 0 for i in range(index.ndim))]


def _in_three(
    whole: tuple[int, ...], part: tuple[int, ...], dim: int
) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """An array's shape and that of an index along dim, each in three: what is before dim, dim, what follows.

    An index may be smaller than the array in the other dimensions. None where its places before or after dim do not lie
    together then.
    """
    for i in range(len(whole)):
        if whole[i] != part[i] and i not in (0, dim, dim + 1):
            return None
    of_whole, of_part = ((math.prod(s[:dim]), s[dim], math.prod(s[dim + 1 :])) for s in (whole, part))
    return of_whole, of_part


# -- read


def read_key(x: Array, key: Any) -> Array:
    """x[key], contiguous, by any key of NumPy's; IndexError where an index lies outside."""
    if isinstance(key, tuple) and x.flags.c_contiguous and key:
        dim = _entries_of(key)
        if dim is not None and dim < x.ndim and x.size and (places := from_front(key[dim], x.shape[dim])) is not None:
            return read_entries(x, dim, places)
        if _large(_sizes(key)) and (found := _along(key, x.ndim)) is not None and within(found[1], x.shape[found[0]]):
            return _read_along(x, key, *found)
    return np.asarray(x[key], order="C")


def read_entries(x: Array, dim: int, index: Array) -> Array:
    """x[:, ..., index], contiguous: the entries of dimension dim that a vector of integers names, which lie within."""
    rest = math.prod(x.shape[dim + 1 :])
    if x.flags.c_contiguous and rest > 1 and x.dtype.itemsize in (4, 8):
        shape = math.prod(x.shape[:dim]), x.shape[dim], rest
        work = shape[0] * index.size * rest
        form = compiled_form("scatter.read_entries", work, work)
        if form is not None:
            return form(x.reshape(shape), index).reshape(*x.shape[:dim], index.size, *x.shape[dim + 1 :])
    return x.take(index, dim)  # (x[:, index] puts the dimension of index first in memory)


def read_at(x: Array, key: tuple[Array, ...]) -> Array:
    """x[key], contiguous, by a key that `grid_key` gave, whose indices lie within x."""
    if not x.flags.c_contiguous or not x.ndim:
        return np.asarray(x[key], order="C")
    if _large(_sizes(key)) and (found := _along(key, x.ndim)) is not None:
        return _read_along(x, key, *found)
    return x.take(flat_key(key, x.shape))  # in a third of the time of x[key]


def _sizes(key: tuple[Any, ...]) -> int:
    """The elements of the largest index in a key."""
    return max(getattr(k, "size", 0) for k in key)


def _read_along(x: Array, key: tuple[Array, ...], dim: int, index: Array) -> Array:
    """x at the elements that `key`, `grid_key` of an index along dim, names."""
    vector = _one_for_all(index, dim, x.shape)
    if vector is not None:
        return read_entries(x, dim, vector)
    three = _in_three(x.shape, index.shape, dim)
    if three is not None and x.dtype.itemsize in (4, 8):
        form = compiled_form("scatter.read_along", index.size, index.size)
        if form is not None:
            return form(x.reshape(three[0]), index.reshape(three[1])).reshape(index.shape)
    return x.take(flat_key(key, x.shape))


# -- added


def count_at(key: tuple[Array, ...], shape: tuple[int, ...]) -> Array:
    """How often `key`, which `grid_key` gave, of indices that lie within, names each element of an array of this shape."""
    found = _along(key, len(shape))
    vector = None if found is None else _one_for_all(found[1], found[0], shape)
    if found is None or vector is None:
        return np.bincount(flat_key(key, shape).reshape(-1), minlength=math.prod(shape)).reshape(shape)
    dim, n = found[0], shape[found[0]]
    counted = np.bincount(vector, minlength=n).reshape((1,) * dim + (n,) + (1,) * (len(shape) - dim - 1))
    return np.broadcast_to(counted, shape)


def add_at(out: Array, key: tuple[Any, ...], x: Array) -> None:
    """out[key] += x, in turn where key names a place several times. out: contiguous; x: of the shape of out[key]."""
    work = x.size if out.dtype.char in "fd" else 0
    if len(key) == 1 and isinstance(key[0], np.ndarray) and key[0].dtype.kind == "b":
        out[key] += x  # a mask names each place once
    elif not key:
        out += x
    elif (dim := _entries_of(key)) is not None:
        _add_entries(out, dim, key[dim], x, work)
    elif work and _large(work) and (found := _along(key, out.ndim)) is not None:
        _add_along(out, key, *found, x, work)
    else:
        reduce_at(np.add, out, key, x)


def _add_entries(out: Array, dim: int, index: Array, x: Array, work: int) -> None:
    """Add x at the entries `index` of dimension dim."""
    n, k = out.shape[dim], len(index)
    places = from_front(index, n) if x.shape == (*out.shape[:dim], k, *out.shape[dim + 1 :]) and x.size else None
    if places is not None:  # else NumPy says what is wrong
        add = compiled_form("scatter.add_entries", work, work)
        if add is not None:
            shape = math.prod(out.shape[:dim]), n, math.prod(out.shape[dim + 1 :])
            add(out.reshape(shape), places, x.reshape(shape[0], k, shape[2]))
            return
        if out.ndim > 1 and _added_in_rounds(out, dim, places, x):
            return
    reduce_at(np.add, out, (*(slice(None),) * dim, index), x)


def _added_in_rounds(out: Array, dim: int, index: Array, x: Array) -> bool:
    """Add x at the entries `index` of dimension dim, whole entries at a time; False where that would not pay.

    In round k those places are added that `index` names for the k-th time, so each place gets its summands in turn.
    """
    before, n = (slice(None),) * dim, len(index)
    order = np.argsort(index, kind="stable")
    new = np.flatnonzero(np.diff(index[order], prepend=-1))
    count = np.diff(new, append=n)
    if count.max() * 2000 > x.size + 16000:
        return False
    turn = np.arange(n) - np.repeat(new, count)
    for k in range(count.max()):
        chosen = order[turn == k]
        out[(*before, index[chosen])] += x[(*before, chosen)]
    return True


def _add_along(out: Array, key: tuple[Array, ...], dim: int, index: Array, x: Array, work: int) -> None:
    """Add x at the elements that `key`, `grid_key` of an index along dim, names."""
    vector = _one_for_all(index, dim, out.shape)
    if vector is not None and out.ndim > 1:
        _add_entries(out, dim, vector, x, work)
        return
    three = _in_three(out.shape, index.shape, dim)
    add = (
        compiled_form("scatter.add_along", work, work) if three is not None and within(index, out.shape[dim]) else None
    )
    if three is not None and add is not None:
        add(out.reshape(three[0]), index.reshape(three[1]), x.reshape(three[1]))
        return
    reduce_at(np.add, out, key, x)


def reduce_at(function: Any, out: Array, key: tuple[Any, ...], x: Any) -> None:
    """`function.at(out, key, x)`, out being contiguous: by one index into the flat array where there is one to each dimension.

    NumPy adds by one index some ten times as fast as by several, and a compiled loop (kernels/scatter.py) faster than that.
    """
    shape = out.shape
    if (
        len(key) != len(shape)
        or not key
        or not all(isinstance(k, np.ndarray) and k.dtype.kind == "i" and k.size for k in key)
    ):
        function.at(out, key, x)
        return
    work = key[0].size if function is np.add and out.dtype.char in "fd" else 0
    add = compiled_form("scatter.add_flat", work)
    if add is not None or max(k.size for k in key) > _FLAT:
        found = [from_front(k, n) for k, n in zip(key, shape, strict=True)]
        if all(k is not None for k in found):  # else NumPy says what is wrong
            flat = flat_key(tuple(found), shape)  # type: ignore[arg-type]
            x = np.broadcast_to(np.asarray(x, out.dtype), flat.shape)
            (add or function.at)(out.reshape(-1), flat.reshape(-1), x.reshape(-1))
            return
    function.at(out, key, x)
