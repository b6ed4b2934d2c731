"""Indexing, gathering, scattering, sorting."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..case import EXACT, Call, call, family, op
from ..inputs import Draw, Input

family("indexing")


def exact(name: str, draw: Any, fn: Any = None, **options: Any) -> None:
    op(name, draw, fn, tolerance=EXACT, **options)


def basic_index(d: Draw, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Integers, slices, None and Ellipsis."""
    index: list[Any] = []
    for n in shape[: d.integer(0, len(shape))]:
        if n and d.flag(0.3):
            index.append(d.integer(-n, n - 1))
        else:
            a, b = d.integer(-n - 1, n + 1), d.integer(-n - 1, n + 1)
            index.append(slice(*d.choice(((None,), (a, b), (a, None), (None, b, 2), (a, None, 3)))))
    if d.flag(0.3):
        index.insert(d.integer(0, len(index)), None)
    if d.flag(0.3) and Ellipsis not in index:
        index.append(Ellipsis)
    return tuple(index)


def any_index(d: Draw, shape: tuple[int, ...]) -> Any:
    """Every kind that NumPy and PyTorch share, mixed: also integer and boolean tensors, lists."""
    kind = d.integer(0, 5)
    n = len(shape)
    if kind <= 1 or n == 0 or 0 in shape:
        return basic_index(d, shape)
    if kind == 2:
        return d.mask(shape[: d.integer(1, n)])
    index: list[Any] = []
    common = d.shape(0, 2, 1, 3)
    for size in shape:
        which = d.integer(0, 5)
        if which <= 1:
            index.append(d.integers(common if d.flag(0.7) else (1,), -size, size))
        elif which == 2:
            index.append(slice(d.integer(0, size), None))
        elif which == 3:
            index.append(d.integer(-size, size - 1))
        elif which == 4:
            index.append(slice(None))
        else:
            index.append([d.integer(0, size - 1)])
    if d.flag(0.2):
        index.insert(d.integer(0, len(index)), None)
    if kind == 5 and isinstance(index[0], Input):
        return index[0]
    return tuple(index)


def indexed(d: Draw) -> tuple[Input, Any]:
    x = d.tensor(max_dims=4)
    return x, any_index(d, x.shape)


exact("Tensor.__getitem__", lambda d: call(*indexed(d)))
exact("Tensor.__iter__", lambda d: call(d.tensor(min_dims=1)), lambda torch, x: list(x))


def _set(torch: Any, x: Any, index: Any, value: Any) -> Any:
    y = x.clone()
    y[index] = value
    return y


def assignment(d: Draw) -> Call:
    x = d.tensor(max_dims=3)
    index = basic_index(d, x.shape) if d.flag(0.7) or 0 in x.shape or not x.ndim else d.mask(x.shape)
    if d.flag(0.3):
        return call(x, index, d.number())
    if d.flag(0.4):
        return call(x, index, d.tensor(()))
    picked = x.array[tuple(index) if isinstance(index, tuple) else index.array]
    return call(x, index, d.tensor(picked.shape))


exact("Tensor.__setitem__", assignment, _set)
exact(
    "Tensor.__setitem__.tensor",
    lambda d: call(d.tensor((4, 3)), d.lay(d.rng.permutation(4)[:2], False), d.tensor((2, 3))),
    _set,
)


def along(d: Draw, values: bool = False) -> Call:
    """x, dim, index (and values) for gather and scatter: index no larger than x in the other dimensions."""
    x = d.tensor(min_dims=1, max_dims=3, min_side=1)
    dim = d.dim(x)
    where = dim % x.ndim
    shape = tuple(d.integer(0, 4) if i == where and not values else d.integer(1, n) for i, n in enumerate(x.shape))
    index = d.integers(shape, 0, x.shape[where])
    if not values:
        return call(x, dim, index)
    if d.flag(0.3):  # PyTorch's backward refuses values of which only a part is used
        return call(x, dim, index, d.tensor(tuple(n + 1 for n in shape), grad=False))
    return call(x, dim, index, d.tensor(shape))


def unique_along(d: Draw) -> Call:
    """As `along`, each place written once: PyTorch leaves open which of several writes wins."""
    x = d.tensor((4, 3))
    dim = d.choice((0, 1, -1))
    places = (
        d.rng.permuted([[i for _ in range(3)] for i in range(4)], axis=0)[:2]
        if dim == 0
        else d.rng.permuted([list(range(3))] * 4, axis=1)[:, :2]
    )
    index = d.lay(places, False)
    return call(x, dim, index, d.choice((d.tensor(index.shape), d.number())))


exact("gather", along)
exact("scatter", unique_along)
op("scatter_add", lambda d: along(d, values=True))
op(
    "scatter_reduce",
    lambda d: call(*along(d, values=True).args, reduce=d.choice(("sum", "mean")), include_self=d.flag(0.7)),
    modes=("normal",),
)


def scattered(d: Draw, how: str) -> Call:
    return call(*along(d, values=True).args, reduce=how, include_self=d.flag(0.6))


for name in ("prod", "amax", "amin"):
    op(
        f"scatter_reduce.{name}",
        partial(scattered, how=name),
        # PyTorch differentiates only where src has the size of index
        lambda torch, x, dim, index, src, **k: torch.scatter_reduce(
            x, dim, index, src[tuple(slice(n) for n in index.shape)], **k
        ),
        modes=("normal", "ties") if name != "prod" else ("normal",),
        layouts=name != "prod",
    )
exact("take_along_dim", lambda d: call(x := d.tensor((3, 4)), d.integers((3, 2), 0, 4), 1))
exact(
    "index_select",
    lambda d: call(x := d.tensor(min_dims=1, min_side=1), i := d.dim(x), d.integers((d.integer(0, 5),), 0, x.shape[i])),
)
op(
    "index_add",
    lambda d: call(
        d.tensor((4, 3)),
        *d.choice(((0, d.integers((5,), 0, 4), d.tensor((5, 3))), (1, d.integers((5,), 0, 3), d.tensor((4, 5))))),
        **d.choice(({}, {"alpha": 0.5})),
    ),
)
exact("index_copy", lambda d: call(d.tensor((4, 3)), 0, d.lay(d.rng.permutation(4)[:2], False), d.tensor((2, 3))))
exact("index_fill", lambda d: call(d.tensor((4, 3)), 1, d.integers((2,), 0, 3), d.number()))
exact("take", lambda d: call(d.tensor((3, 4)), d.integers(d.shape(max_dims=2), -12, 12)))
exact(
    "masked_fill",
    lambda d: call(
        *[(s := d.broadcastable(2, max_dims=3)) and d.tensor(s[0]), d.mask(s[1])],
        d.choice((d.number(), float("-inf"), 0, d.tensor(()))),
    ),
)
exact("masked_select", lambda d: call(d.tensor((s := d.broadcastable(2, max_dims=3))[0]), d.mask(s[1])))
exact("masked_scatter", lambda d: call(d.tensor((3, 4)), d.mask((3, 4)), d.tensor((12,))))


def ordered(d: Draw) -> Input:
    return d.distinct(d.shape(min_side=1))


def topmost(d: Draw) -> Call:
    x = ordered(d)
    return call(x, d.integer(1, min(x.shape, default=1)), **d.choice(({}, {"dim": d.dim(x)}, {"largest": False})))


def to_sort(d: Draw) -> Call:
    x = ordered(d)
    return call(x, **d.choice(({}, {"dim": d.dim(x)}, {"descending": True})))


exact("topk", topmost)
exact("sort", to_sort)
exact(
    "sort.stable",
    lambda d: call(x := d.tensor(min_side=1), dim=d.dim(x), stable=True, descending=d.flag()),
    lambda torch, x, **k: torch.sort(x, **k),
    modes=("ties",),
)
exact("argsort", to_sort)
exact("kthvalue", lambda d: call(x := ordered(d), d.integer(1, min(x.shape, default=1))))


def long_rows(d: Draw) -> Input:
    """Rows so long that only what is wanted of them is put in order."""
    return d.distinct(d.choice(((90,), (2, 70), (70, 2))))


exact(
    "topk.long",
    lambda d: call(x := long_rows(d), d.choice((1, 3, 15)), dim=x.shape.index(max(x.shape)), largest=d.flag()),
    lambda torch, x, k, **options: torch.topk(x, k, **options),
)
exact(
    "kthvalue.long",
    lambda d: call(x := long_rows(d), d.choice((1, 30, 70)), x.shape.index(max(x.shape))),
    lambda torch, x, k, dim: torch.kthvalue(x, k, dim),
)
exact(
    "unique",
    lambda d: call(
        d.integers(), **d.choice(({}, {"return_counts": True}, {"return_inverse": True, "return_counts": True}))
    ),
)
exact(
    "searchsorted",
    lambda d: call(d.lay(np.sort(d.rng.normal(size=6)), False, "C"), d.tensor((3, 2), grad=False), right=d.flag()),
)
exact("nonzero", lambda d: call(d.mask(), **({"as_tuple": True} if d.flag() else {})))
exact("argwhere", lambda d: call(d.mask()))
exact("where.indices", lambda d: call(d.mask(min_dims=1)), lambda torch, c: torch.where(c))
exact("nn.functional.one_hot", lambda d: call(d.integers(None, 0, 4), *d.choice(((), (4,), (6,)))), covers=[])
exact("isin", lambda d: call(d.integers(), d.integers((3,))))
exact(
    "bucketize",
    lambda d: call(d.tensor((3, 2), grad=False), d.lay(np.sort(d.rng.normal(size=6)), False, "C"), right=d.flag()),
)
op(
    "index_put",
    lambda d: call(d.tensor((4, 3)), (d.integers((5,), 0, 4), d.integers((5,), 0, 3)), d.tensor((5,)), accumulate=True),
)
exact("cartesian_prod", lambda d: call(d.tensor((2,)), d.tensor((3,))))
exact("combinations", lambda d: call(d.tensor((4,)), d.choice((2, 3))))
exact("msort", lambda d: call(d.distinct(d.shape(min_dims=1, min_side=1))))
exact("nanmedian", lambda d: call(d.tensor(d.shape(min_side=1))))
exact("mode", lambda d: call(d.integers((3, 5), 0, 3)))
