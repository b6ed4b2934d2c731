"""Shape: views, joins, splits, repetition. Nothing is computed, so values and gradients are exact."""

from __future__ import annotations

import math
from typing import Any

from ..case import EXACT, REDUCED, Call, call, family, op
from ..inputs import Draw, Input

family("shape")


def factors(d: Draw, n: int) -> list[int]:
    """Sides whose product is n, one of them at times left to be inferred."""
    sides: list[int] = []
    rest = n
    while rest > 1 and len(sides) < 4:
        side = d.choice([k for k in range(1, rest + 1) if rest % k == 0])
        sides.append(side)
        rest //= side
    sides.append(rest)
    if n and d.flag(0.4):
        sides[d.integer(0, len(sides) - 1)] = -1
    return sides


def exact(name: str, draw: Any, fn: Any = None, **options: Any) -> None:
    op(name, draw, fn, tolerance=EXACT, **options)


def to_shape(d: Draw) -> Call:
    x = d.tensor()
    sides = factors(d, math.prod(x.shape))
    return call(x, tuple(sides))


exact("reshape", to_shape)
exact("Tensor.reshape.star", to_shape, lambda torch, x, s: x.reshape(*s))
exact("Tensor.view", lambda d: call(x := d.tensor(layout="C"), tuple(factors(d, math.prod(x.shape)))))
exact(
    "Tensor.view.star",
    lambda d: call(x := d.tensor(layout="C"), factors(d, math.prod(x.shape))),
    lambda torch, x, s: x.view(*s),
)
exact("Tensor.reshape_as", lambda d: call(x := d.tensor(), d.tensor((math.prod(x.shape),))))
exact("Tensor.view_as", lambda d: call(x := d.tensor(layout="C"), d.tensor((math.prod(x.shape),))))


def between(d: Draw) -> Call:
    x = d.tensor()
    if d.flag(0.3):
        return call(x)
    a, b = sorted((d.integer(0, max(x.ndim - 1, 0)), d.integer(0, max(x.ndim - 1, 0))))
    return call(x, a, b - max(x.ndim, 1)) if d.flag() else call(x, start_dim=a, end_dim=b)


exact("flatten", between)
exact("ravel", lambda d: call(d.tensor()))
exact(
    "unflatten", lambda d: call(d.tensor((2, 12, 3)), d.choice((1, -2)), d.choice(((3, 4), (2, -1, 3), (12,), (-1, 6))))
)

exact("transpose", lambda d: call(x := d.tensor(), d.dim(x), d.dim(x)), aliases=["swapaxes", "swapdims"])
exact("t", lambda d: call(d.tensor(max_dims=2)))
exact("Tensor.T", lambda d: call(d.tensor((2, 3))), lambda torch, x: x.T)
exact("Tensor.mT", lambda d: call(d.tensor(min_dims=2)), lambda torch, x: x.mT)


def permuted(d: Draw) -> Call:
    x = d.tensor()
    order = [int(i) for i in d.rng.permutation(x.ndim)]
    return call(x, tuple(i - x.ndim if d.flag(0.3) else i for i in order))


exact("permute", permuted)
exact("Tensor.permute.star", permuted, lambda torch, x, dims: x.permute(*dims) if dims else x)
exact(
    "movedim",
    lambda d: call(d.tensor((2, 3, 4)), *d.choice(((0, 2), (-1, 0), (1, 1), ((0, 1), (2, 0)), ((0, 2), (-1, 1))))),
    aliases=["moveaxis"],
)


def squeezed(d: Draw) -> Call:
    x = d.tensor(tuple(d.choice((1, 1, 2, 3)) for _ in range(d.integer(0, 4))))
    if d.flag():
        return call(x)
    return call(x, d.dim(x)) if d.flag() else call(x, d.dims(x, none=False, single=False))


exact("squeeze", squeezed)
exact("unsqueeze", lambda d: call(x := d.tensor(max_dims=3), d.integer(-x.ndim - 1, x.ndim)))


def expanded(d: Draw) -> tuple[Input, tuple[int, ...]]:
    x = d.tensor(tuple(d.choice((1, 1, 2, 3)) for _ in range(d.integer(0, 3))))
    front = tuple(d.integer(1, 3) for _ in range(d.integer(0, 2)))
    return x, front + tuple(d.choice((n, -1)) if n != 1 else d.integer(0, 4) for n in x.shape)


def expanded_fully(d: Draw) -> tuple[Input, tuple[int, ...]]:
    x, shape = expanded(d)
    added = len(shape) - x.ndim
    return x, tuple(x.shape[i - added] if n == -1 else n for i, n in enumerate(shape))


exact("Tensor.expand", lambda d: call(*expanded(d)))
exact("Tensor.expand.star", lambda d: call(*expanded(d)), lambda torch, x, s: x.expand(*s) if s else x)
exact("Tensor.expand_as", lambda d: call((xs := expanded_fully(d))[0], d.tensor(xs[1])))
exact("broadcast_to", lambda d: call(*expanded_fully(d)))
exact("broadcast_tensors", lambda d: call(*d.tensors(d.integer(1, 3), max_dims=3)))
exact("broadcast_shapes", lambda d: call(*d.broadcastable(3)))
exact("atleast_1d", lambda d: call(d.tensor(max_dims=3)))
exact("atleast_2d", lambda d: call(d.tensor(max_dims=3)))


def repeated(d: Draw) -> Call:
    x = d.tensor(max_dims=3)
    return call(x, *[d.integer(0, 3) for _ in range(x.ndim + d.integer(0, 1))])


def repeated_elements(d: Draw) -> Call:
    x = d.tensor(max_dims=3)
    return call(x, d.integer(0, 3), **({"dim": d.dim(x)} if d.flag() else {}))


exact(
    "Tensor.repeat",
    repeated,
    lambda torch, x, *n: x.repeat(*n) if n else x,
)
exact("tile", lambda d: call(x := d.tensor(max_dims=3), tuple(d.integer(1, 3) for _ in range(d.integer(0, 3)))))
exact("repeat_interleave", repeated_elements)
exact(
    "repeat_interleave.tensor",
    lambda d: call(d.tensor((3, 2)), d.integers((3,), 0, 4), dim=0),
    lambda torch, x, n, dim: torch.repeat_interleave(x, n, dim=dim),
)
exact("flip", lambda d: call(x := d.tensor(min_dims=1), d.dims(x, none=False, single=False)))
exact("fliplr", lambda d: call(d.tensor((2, 3))))
exact("flipud", lambda d: call(d.tensor((2, 3))))
exact("rot90", lambda d: call(d.tensor((2, 3, 2)), d.integer(-2, 3), d.choice(([0, 1], [1, 2], [2, 0]))))


def rolled(d: Draw) -> Call:
    x = d.tensor(min_dims=1, min_side=1)
    return call(x, d.integer(-7, 7), **({"dims": d.dim(x)} if d.flag() else {}))


exact("roll", rolled)
exact(
    "roll.many", lambda d: call(d.tensor((2, 3, 4)), (1, -2), (0, 2)), lambda torch, x, s, dims: torch.roll(x, s, dims)
)


def joinable(d: Draw) -> tuple[list[Input], int]:
    shape = list(d.shape(min_dims=1, max_dims=3))
    dim = d.integer(0, len(shape) - 1)
    parts = []
    for _ in range(d.integer(1, 4)):
        shape[dim] = d.integer(0, 3)
        parts.append(d.tensor(tuple(shape)))
    if d.flag(0.2):
        parts.append(parts[0])
    return parts, dim - len(shape) if d.flag(0.3) else dim


exact("cat", lambda d: call(*joinable(d)), aliases=["concat", "concatenate"])
exact(
    "cat.mixed",
    lambda d: call([d.any_dtype((2, 2)), d.any_dtype((2, 2))], 0),
    lambda torch, xs, dim: torch.cat(xs, dim),
)


def stackable(d: Draw) -> Call:
    shape = d.shape(max_dims=3)
    return call([d.tensor(shape) for _ in range(d.integer(1, 3))], d.integer(-len(shape) - 1, len(shape)))


exact("stack", stackable)
for name in ("hstack", "vstack", "dstack"):
    exact(name, lambda d: call([x := d.tensor((2, 2)), d.like(x)]))
exact("meshgrid", lambda d: call(d.tensor((3,)), d.tensor((2,)), indexing=d.choice(("ij", "xy"))))


def sections(d: Draw) -> Call:
    x = d.tensor(min_dims=1, min_side=1)
    dim = d.integer(0, x.ndim - 1)
    n = x.shape[dim]
    cut = d.integer(0, n)
    return call(x, d.choice((1, 2, 3, [cut, n - cut])), dim=d.choice((dim, dim - x.ndim)))


exact("split", sections)
exact("chunk", lambda d: call(x := d.tensor(min_dims=1, min_side=1), d.integer(1, 4), d.dim(x)))
exact("unbind", lambda d: call(x := d.tensor(min_dims=1), d.dim(x)))
exact("tensor_split", lambda d: call(x := d.tensor((5, 3)), d.choice((2, 3, (1, 4))), dim=d.choice((0, 1))))


def narrowed(d: Draw) -> Call:
    x = d.tensor(min_dims=1)
    dim = d.dim(x)
    start = d.integer(0, x.shape[dim])
    return call(x, dim, start, d.integer(0, x.shape[dim] - start))


exact("narrow", narrowed)
exact(
    "select",
    lambda d: call(x := d.tensor(min_dims=1, min_side=1), i := d.dim(x), d.integer(-x.shape[i], x.shape[i] - 1)),
)
exact(
    "diagonal",
    lambda d: (
        call(x := d.tensor(min_dims=2), d.integer(-2, 2))
        if d.flag()
        else call(d.tensor((2, 3, 4)), 1, d.choice((0, -1)), 1)
    ),
)
exact("diag", lambda d: call(d.tensor(min_dims=1, max_dims=2), d.integer(-2, 2)))
exact("diag_embed", lambda d: call(d.tensor(min_dims=1, max_dims=3), d.integer(-1, 1)))
exact("tril", lambda d: call(d.tensor(min_dims=2), d.integer(-3, 3)))
exact("triu", lambda d: call(d.tensor(min_dims=2), d.integer(-3, 3)))
op("trace", lambda d: call(d.tensor(min_dims=2, max_dims=2)), tolerance=REDUCED)


def strided(d: Draw) -> Call:
    """Places in the memory of a tensor, also outside of it and several times."""
    x = d.tensor((3, 7), layout=d.choice(("C", "transposed", "offset")))
    sizes = (d.integer(0, 3), d.integer(1, 3))
    return call(x, sizes, (d.integer(0, 6), d.integer(0, 3)), d.choice((None, 0, 2)))


exact("as_strided", strided)
exact("Tensor.unfold", lambda d: call(d.tensor((3, 7)), d.choice((1, -1)), d.integer(1, 4), d.integer(1, 3)))
exact("Tensor.contiguous", lambda d: call(d.tensor()))
exact("numel", lambda d: call(d.tensor()))
exact("atleast_3d", lambda d: call(d.tensor(max_dims=4)))
exact("column_stack", lambda d: call([d.tensor((2,)), d.tensor((2, 3))]))
