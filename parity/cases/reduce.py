"""Reductions over dimensions, cumulative operations, norms."""

from __future__ import annotations

import math
from typing import Any

from ..agreement import DType
from ..case import EXACT, REDUCED, Call, call, family, op
from ..inputs import Draw, Input

family("reduction")


def over_dims(d: Draw, x: Input | None = None, none: bool = True) -> Call:
    """x, dim, keepdim in their several spellings."""
    x = d.tensor() if x is None else x
    if none and d.flag(0.25):
        return call(x)
    return call(x, dim=d.dims(x, none=none), keepdim=d.flag())


def over_dim(d: Draw, x: Input | None = None) -> Call:
    x = d.tensor(min_dims=0, min_side=1) if x is None else x
    return call(x, d.dim(x), keepdim=d.flag()) if d.flag() else call(x, dim=d.dim(x))


def nonempty(d: Draw) -> Input:
    return d.tensor(min_side=1)


REDUCING: dict[str, Any] = {"tolerance": REDUCED}

op("sum", over_dims, special=True, large=True, **REDUCING)
op("mean", over_dims, large=True, **REDUCING)
op(
    "sum.dtypes",
    lambda d: call(d.any_dtype(), **({"dtype": DType(d.choice(("float64", "float32")))} if d.flag() else {})),
    lambda torch, x, **k: torch.sum(x, **k),
    **REDUCING,
)
op(
    "mean.dtypes",
    lambda d: call(d.any_dtype(), **({"dtype": DType("float64")} if d.flag() else {})),
    lambda torch, x, **k: torch.mean(x, **k),
    **REDUCING,
)
op("nansum", over_dims, modes=("special", "normal"), **REDUCING)
op("nanmean", lambda d: over_dims(d, nonempty(d)), modes=("normal",), **REDUCING)


def spread(d: Draw) -> Call:
    x = d.tensor(min_side=2, min_dims=1, max_dims=3)
    kind = d.integer(0, 3)
    extra = ({}, {"correction": d.integer(0, 1)}, {"unbiased": d.flag()}, {"correction": 0})[kind]
    if kind == 2 and d.flag():
        return call(x, **extra)
    return call(x, dim=d.dims(x), keepdim=d.flag(), **extra) if d.flag(0.8) else call(x)


# var and std cancel against the mean: at ties of all elements std has an infinite slope, where rounding decides
SPREAD: dict[str, Any] = {"modes": ("normal", "normal", "large"), "layouts": False, **REDUCING}
for name in ("var", "std", "var_mean", "std_mean"):
    op(name, spread, **SPREAD)

op(
    "prod",
    lambda d: (
        call(x := d.tensor(max_dims=3)) if d.flag() else call(x := d.tensor(max_dims=3), d.dim(x), keepdim=d.flag())
    ),
    modes=("normal", "normal", "ties"),
    **REDUCING,
)
op(
    "prod.dtypes",
    lambda d: call(d.any_dtype(max_dims=2)),
    lambda torch, x: torch.prod(x),
    second=False,
    float32=False,
    modes=("normal",),
    **REDUCING,
)

for name in ("amax", "amin"):
    op(name, lambda d: over_dims(d, nonempty(d)), special=True, strict=True)
op(
    "aminmax",
    lambda d: call(x := nonempty(d), **({"dim": d.dim(x), "keepdim": d.flag()} if d.flag() else {})),
    strict=True,
)

for name in ("max", "min"):
    # With ties PyTorch leaves open which index max(dim) gives for more than one thread; for these sizes it is the first.
    op(name, lambda d: call(nonempty(d)), special=True, strict=True)
    op(f"{name}.dim", over_dim, lambda torch, x, *a, name=name, **k: getattr(torch, name)(x, *a, **k), strict=True)
    op(f"Tensor.{name}.dim", over_dim, lambda torch, x, *a, name=name, **k: getattr(x, name)(*a, **k), strict=True)
    op(
        f"{name}.two",
        lambda d: call(*d.tensors()),
        lambda torch, x, y, name=name: getattr(torch, name)(x, y),
        strict=True,
    )
    op(
        f"{name}.integers",
        lambda d: call(d.integers(min_side=1)),
        lambda torch, x, name=name: getattr(torch, name)(x),
        tolerance=EXACT,
    )

for name in ("argmax", "argmin"):
    op(
        name,
        lambda d: call(x := nonempty(d)) if d.flag() else over_dim(d),
        tolerance=EXACT,
        modes=("normal", "ties", "special"),
    )

op("median", lambda d: call(d.tensor(d.shape(min_side=1))), tolerance=EXACT)
op(
    "median.dim",
    lambda d: over_dim(d, d.distinct(d.shape(min_side=1))),
    lambda torch, x, *a, **k: torch.median(x, *a, **k),
    tolerance=EXACT,
)

op(
    "logsumexp.empty",
    lambda d: call(d.tensor((2, 0, 3)), d.choice((0, 1, 2))),
    lambda torch, x, dim: torch.logsumexp(x, dim),
    second=False,
    **REDUCING,
)
op("logsumexp", lambda d: over_dims(d, nonempty(d), none=False), modes=("normal", "ties", "large", "tiny"), **REDUCING)


def norms(d: Draw) -> Call:
    p = d.choice((2, 1, 2.0, "fro", math.inf, -math.inf, 3, 0, 0.5, 1.5))
    x = d.tensor(min_side=1, grad=p != 0)  # p = 0 counts: PyTorch gives no gradient at all
    if p == "fro" and d.flag():
        return call(x)
    if d.flag() or p == "fro":
        return call(x, p)
    return call(x, p=p, dim=d.dims(x, none=False), keepdim=d.flag())


op("norm", norms, modes=("normal", "normal", "ties"), kinks=(0.0,), **REDUCING)
op("dist", lambda d: call(x := nonempty(d), d.like(x), d.choice((2, 1, 3))), modes=("normal",), **REDUCING)

for name in ("cumsum", "cumprod"):
    op(name, lambda d: call(x := d.tensor(), d.dim(x)), modes=("normal", "normal", "ties"), **REDUCING)
for name in ("cummax", "cummin"):
    op(name, lambda d: call(x := nonempty(d), d.dim(x)), strict=True)
op("logcumsumexp", lambda d: call(x := nonempty(d), d.dim(x)), modes=("normal", "large"), **REDUCING)
op(
    "cumsum.dtypes",
    lambda d: call(x := d.any_dtype(), d.dim(x)),
    lambda torch, x, dim: torch.cumsum(x, dim),
    second=False,
    **REDUCING,
)

for name in ("any", "all"):
    op(
        name,
        lambda d: (
            call(x := d.mask(probability=d.choice((0.1, 0.5, 0.9))))
            if d.flag()
            else call(x := d.mask(), d.dim(x), keepdim=d.flag())
        ),
        tolerance=EXACT,
    )
    op(
        f"{name}.dtypes",
        lambda d: call(d.any_dtype()),
        lambda torch, x, name=name: getattr(torch, name)(x),
        tolerance=EXACT,
    )
op(
    "count_nonzero",
    lambda d: call(x := d.tensor(), **({"dim": d.dim(x)} if d.flag() else {})),
    tolerance=EXACT,
    modes=("ties",),
)
op(
    "bincount",
    lambda d: call(d.integers((d.integer(0, 12),), 0, 6), **({"minlength": 8} if d.flag() else {})),
    tolerance=EXACT,
)
op(
    "linalg.vector_norm",
    lambda d: call(x := nonempty(d), d.choice((2, 1, math.inf, -math.inf, 3)), dim=d.dims(x), keepdim=d.flag()),
    modes=("normal",),
    **REDUCING,
)
op("linalg.norm", lambda d: call(d.tensor(min_side=1, min_dims=1, max_dims=2)), modes=("normal",), **REDUCING)
op("diff", lambda d: call(x := d.tensor(min_dims=1), **({"n": d.integer(0, 2), "dim": d.dim(x)} if d.flag() else {})))
op("histc", lambda d: call(d.tensor((20,), grad=False), bins=5, min=-2, max=2), tolerance=EXACT, modes=("normal",))
op("linalg.matrix_norm", lambda d: call(d.tensor(min_dims=2, min_side=1)), modes=("normal",), **REDUCING)
op(
    "quantile",
    lambda d: call(
        x := d.distinct(d.shape(min_dims=1, min_side=1)),
        d.choice((0.5, 0.25, 0.9)),
        **d.choice(({}, {"dim": -1}, {"dim": 0, "keepdim": True})),
    ),
    **REDUCING,
)
