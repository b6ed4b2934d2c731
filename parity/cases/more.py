"""Functions that programs use now and then: whole numbers, parts of floats, integrals, statistics, overlays, tapers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..agreement import DType
from ..case import EXACT, REDUCED, Call, call, family, op
from ..inputs import POSITIVE, Domain, Draw, Input

family("more")


for name in ("gcd", "lcm"):
    op(name, lambda d: call(d.integers((3, 4), -20, 20), d.integers((4,), -20, 20)), tolerance=EXACT)
for name in ("bitwise_left_shift", "bitwise_right_shift"):
    op(
        name,
        lambda d: call(d.integers((3, 4), -50, 50), d.choice((d.integers((4,), -2, 70), 3))),
        tolerance=EXACT,
        also=["Tensor.__lshift__" if "left" in name else "Tensor.__rshift__"],
    )

op("signbit", lambda d: call(d.choice((d.tensor(), d.any_dtype()))), modes=("special", "normal"), tolerance=EXACT)
op("sgn", lambda d: call(d.tensor()), modes=("normal", "special"), kinks=(0.0,))
for name in ("isposinf", "isneginf", "isreal"):
    op(name, lambda d: call(d.choice((d.tensor(), d.any_dtype()))), modes=("special", "normal"), tolerance=EXACT)
op("frexp", lambda d: call(d.tensor()), modes=("normal", "tiny"))
op(
    "ldexp", lambda d: call(d.tensor((3, 2)), d.choice((d.tensor((2,), Domain(-3, 3)), d.integers((2,), 0, 9))))
)  # for negative whole ones PyTorch's gradient is 0: it takes 2ⁿ as a whole number
op("nextafter", lambda d: call(d.tensor((3, 2), grad=False), d.tensor((2,), grad=False)), modes=("normal", "special"))
for name in ("fmax", "fmin"):
    op(name, lambda d: call(*d.tensors()), modes=("normal", "ties", "special"))
for name in ("clamp_min", "clamp_max"):
    op(name, lambda d: call(x := d.tensor(), d.choice((0.5, d.like(x)))), modes=("normal",))

# -- integrals and derivatives


def integrated(d: Draw) -> Call:
    y = d.tensor(min_dims=1, min_side=1)
    dim = d.dim(y)
    kind = d.integer(0, 2)
    x = d.tensor((y.shape[dim],)) if kind == 0 else d.like(y)
    return call(y, dim=dim, dx=d.number()) if kind == 2 else call(y, x, dim=dim)


op("trapezoid", integrated, aliases=["trapz"], methods=False, tolerance=REDUCED)
op("cumulative_trapezoid", integrated, methods=False, tolerance=REDUCED)


def differentiated(d: Draw) -> Call:
    x = d.tensor((d.integer(3, 5), d.integer(4, 5)))
    edges = {"edge_order": d.integer(1, 2)}
    kind = d.integer(0, 2)
    if kind == 0:
        return call(x, **edges)
    if kind == 1:
        return call(x, dim=d.integer(-1, 1), spacing=d.choice((0.5, 2.0)), **edges)
    return call(x, spacing=[0.5, 3.0], dim=(0, 1), **edges)


def at_places(d: Draw) -> Call:
    x = d.tensor((d.integer(3, 5), d.integer(4, 5)))
    steps = [d.tensor((n,), Domain(0.5, 1.5), grad=False) for n in x.shape]
    return call(x, steps, d.integer(1, 2))


op("gradient", differentiated, methods=False, tolerance=REDUCED, modes=("normal",))
op(
    "gradient.places",
    at_places,
    lambda torch, x, steps, order: torch.gradient(
        x, spacing=[s.cumsum(0) for s in steps], dim=(0, 1), edge_order=order
    ),
    tolerance=REDUCED,
    modes=("normal",),
)

# -- statistics


def weighted(d: Draw) -> Call:
    x = d.tensor(d.choice(((4,), (3, 5), (1, 4))))
    n = x.shape[-1]
    weights: dict[str, Any] = {}
    if d.flag():
        weights["fweights"] = d.integers((n,), 1, 4)
    if d.flag():
        weights["aweights"] = d.tensor((n,), POSITIVE, grad=False)
    return call(x, correction=d.integer(0, 1), **weights)


op("cov", weighted, tolerance=REDUCED, modes=("normal",))
op("corrcoef", lambda d: call(d.tensor((3, 6))), tolerance=REDUCED, modes=("normal",), float32=False)


def counted(d: Draw) -> Call:
    x = d.tensor((12,), grad=False)
    kind = d.integer(0, 2)
    extra: dict[str, Any] = {"density": d.flag()}
    if d.flag():
        extra["weight"] = d.tensor((12,), POSITIVE, grad=False)
    if kind == 0:
        return call(x, 5, **extra)
    if kind == 1:
        return call(x, 4, range=(-2.0, 1.5), **extra)
    return call(x, Input.of(np.array([-3.0, -1.0, 0.25, 4.0]), grad=False), **extra)


op("histogram", counted, modes=("normal", "ties"), gradient=False)
op(
    "unique_consecutive",
    lambda d: call(
        d.choice((d.integers((9,), 0, 3), d.integers((4, 2), 0, 2))),
        return_inverse=d.flag(),
        return_counts=d.flag(),
        **d.choice(({}, {"dim": 0})),
    ),
    tolerance=EXACT,
)
op("unravel_index", lambda d: call(d.integers((3, 2), -24, 23), (2, 3, 4)), methods=False, tolerance=EXACT)


def fractions(d: Draw) -> Call:
    x = d.tensor((4, 5))
    q = d.choice((0.3, Input.of(np.array([0.0, 0.25, 0.9]), grad=False)))
    how = {"interpolation": d.choice(("linear", "lower", "higher", "midpoint", "nearest"))}
    return call(x, q, **d.choice(({}, {"dim": d.integer(-2, 1), "keepdim": d.flag()})), **how)


op("nanquantile", fractions, modes=("normal",), layouts=False)
op(
    "quantile.interpolation",
    fractions,
    lambda torch, x, q, **k: torch.quantile(x, q, **k),
    modes=("normal",),
    layouts=False,
)


def with_holes(torch: Any, x: Any, q: Any, **k: Any) -> Any:
    holes = torch.where(x > 1.0, float("nan"), x)
    return torch.nanquantile(holes, q, **k), torch.quantile(holes, q, **k)


op("nanquantile.holes", fractions, with_holes, covers=["nanquantile"], modes=("normal",), gradient=False)

# -- copies with a part replaced


def exact(name: str, draw: Any, fn: Any = None, **options: Any) -> None:
    op(name, draw, fn, tolerance=EXACT, **options)


exact("select_scatter", lambda d: call(d.tensor((3, 4)), d.tensor((3,)), 1, d.integer(-4, 3)))
exact("slice_scatter", lambda d: call(d.tensor((4, 3)), d.tensor((2, 3)), 0, d.choice((0, 1)), 4, 2))
exact("diagonal_scatter", lambda d: call(d.tensor((3, 4)), d.tensor((3,)), d.choice((0, 1))))


def written(d: Draw) -> Call:
    accumulate = d.flag()
    places = d.integers((3,), -6, 5) if accumulate else Input.of(d.rng.permutation(6)[:3])
    return call(d.tensor((2, 3)), places, d.tensor((3,)), accumulate)


op("put", written)


def reduced(d: Draw) -> Call:
    how = d.choice(("prod", "mean", "amax", "amin"))
    x, source = d.tensor((4, 3)), d.tensor((3, 3))
    return call(x, 0, d.integers((3,), 0, 3), source, how, include_self=d.flag())


op("index_reduce", reduced, modes=("normal",), layouts=False)

# -- shape


def pieces(d: Draw, ndim: int) -> Call:
    return call(d.tensor((4, 4, 4)[:ndim]), d.choice((2, [1, 3])))


exact("hsplit", lambda d: pieces(d, d.integer(1, 3)))
exact("vsplit", lambda d: pieces(d, d.integer(2, 3)))
exact("dsplit", lambda d: pieces(d, 3))
exact("split_with_sizes", lambda d: call(d.tensor((4, 3)), [1, 3], 0))
exact("block_diag", lambda d: call(d.tensor((2, 3)), d.tensor((2,)), d.tensor(())), methods=False)
exact("diagflat", lambda d: call(d.tensor(max_dims=2), d.integer(-1, 1)))
op(
    "vander",  # (PyTorch's own cannot be differentiated: it overwrites what its backward needs)
    lambda d: call(
        d.choice((d.tensor((3,), grad=False), d.integers((3,), -3, 3))), **d.choice(({}, {"N": 4, "increasing": True}))
    ),
    methods=False,
)
exact("fill", lambda d: call(d.tensor(), d.number()), methods=False)
exact("detach", lambda d: call(d.tensor()), gradient=False)

# -- distances

op(
    "renorm",
    lambda d: call(d.tensor((3, 4)), d.choice((2, 1)), d.integer(-1, 1), 1.5),
    modes=("normal",),
    tolerance=REDUCED,
)

# -- fading in and out

for name in ("hann_window", "hamming_window", "blackman_window", "bartlett_window"):
    op(name, lambda d: call(d.integer(0, 9), d.flag()), methods=False)
op("kaiser_window", lambda d: call(d.integer(0, 9), d.flag(), dtype=DType("float64")), methods=False)

# -- questions

for name in ("is_signed", "is_complex"):
    exact(name, lambda d: call(d.any_dtype()))
exact("is_nonzero", lambda d: call(d.choice((d.tensor((1,)), d.integers((), 0, 1)))), methods=False)
exact("is_same_size", lambda d: call(d.tensor((2, 3)), d.choice((d.tensor((2, 3)), d.tensor((3, 2))))), methods=False)

# -- in place, under their second names

for name in ("logical_and", "logical_or", "logical_xor"):
    op(f"Tensor.{name}_", lambda d: call(d.integers((3, 4), 0, 1), d.integers((4,), 0, 1)), tolerance=EXACT)
op("Tensor.not_equal_", lambda d: call(d.integers((3, 4), 0, 2), 1), tolerance=EXACT)
op("Tensor.arctan2_", lambda d: call(d.tensor((3, 4)), d.tensor((4,))), modes=("normal",))
op("Tensor.logit_", lambda d: call(d.tensor(domain=Domain(0.01, 0.99))), also=["logit_"], modes=("normal",))


# -- other sizes


def _resized(torch: Any, x: Any, shape: tuple[int, ...], star: bool) -> Any:
    y = x.detach().clone()
    n = y.numel()
    back = y.resize_(*shape) if star else y.resize_(shape)
    return back is y, y.shape, y.reshape(-1)[:n]


exact_resize: dict[str, Any] = {"gradient": False, "tolerance": EXACT}
op(
    "Tensor.resize_",
    lambda d: call(d.tensor((2, 3), layout="C"), d.choice(((3, 2), (2, 2), (4,), (3, 4), (6, 1))), d.flag()),
    _resized,
    **exact_resize,
)
op(
    "Tensor.resize_as_",
    lambda d: call(d.tensor((2, 3), layout="C"), d.tensor((3, 2))),
    lambda torch, x, y: x.detach().clone().resize_as_(y),
    **exact_resize,
)
op(
    "Tensor.apply_",
    lambda d: call(d.tensor((2, 3), grad=False)),
    lambda torch, x: x.clone().apply_(lambda v: v * v + 1),
    gradient=False,
)
op(
    "Tensor.map_",
    lambda d: call(d.tensor((2, 3), grad=False), d.tensor((3,), grad=False)),
    lambda torch, x, y: x.clone().map_(y, lambda a, b: a * b - 1),
    gradient=False,
)
op(
    "Tensor.sum_to_size",
    lambda d: call(d.tensor((2, 3, 4)), *d.choice(((3, 1), (1, 1, 4), (2, 3, 4), (4,)))),
    tolerance=REDUCED,
)
exact("Tensor.swapaxes_", lambda d: call(d.tensor((2, 3)), 0, -1))
exact("Tensor.swapdims_", lambda d: call(d.tensor((2, 3)), 0, -1))


def _buffered(torch: Any, how: dict[str, Any]) -> Any:
    memory = bytearray(range(24))
    x = torch.frombuffer(memory, dtype=torch.int16, **how)
    memory[2] = 99
    return x


exact(
    "frombuffer", lambda d: call(d.choice(({}, {"count": 3}, {"offset": 2, "count": 4}, {"offset": 3}))), fn=_buffered
)


def _ranged(torch: Any, *ends: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.range(*ends)


exact("range", lambda d: call(d.integer(-3, 3), d.number(), d.choice((1, 0.5, -0.25))), fn=_ranged)
exact("zero_", lambda d: call(d.tensor()))
