"""Arithmetic, comparison, choice, bits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..case import EXACT, Call, call, family, form_of, op
from ..inputs import POSITIVE, REAL, Domain, Draw, Input

family("arithmetic")

AWAY = Domain(0.3, 4.0)  # away from 0, for divisors


def two(d: Draw, domain: Domain = REAL, other: Domain | None = None, numbers: bool = True) -> tuple[Any, Any]:
    """Two operands that broadcast: tensors, now and then a tensor and a Python number."""
    x, y = d.tensors(2, domain)
    if other is not None:
        y = d.tensor(y.shape, other)
    return x, (d.choice((2, 1, 3, d.number(0.25, 3.0))) if numbers and d.flag(0.15) else y)


def mixed(d: Draw) -> tuple[Any, Any]:
    """Two operands of any dtypes, or one and a Python number: promotion."""
    a, b = d.broadcastable(2, max_dims=3)
    return d.any_dtype(a), (d.choice((2, True, 1.5, -3)) if d.flag(0.3) else d.any_dtype(b))


def operators(name: str, reflected: bool = True, in_place: bool = True) -> tuple[str, ...]:
    """`+`, its reflected and its in-place form."""
    return (f"Tensor.__{name}__", *[f"Tensor.__r{name}__"] * reflected, *[f"Tensor.__i{name}__"] * in_place)


op("add", lambda d: call(*two(d)), also=operators("add"), special=True, large=True)
op("sub", lambda d: call(*two(d)), aliases=["subtract"], also=operators("sub"), special=True, large=True)
op("mul", lambda d: call(*two(d)), aliases=["multiply"], also=operators("mul"), special=True, large=True)
op("div", lambda d: call(*two(d)), aliases=["divide", "true_divide"], also=operators("truediv"), special=True)
op("add.alpha", lambda d: call(*d.tensors(), alpha=d.number()), lambda torch, x, y, alpha: torch.add(x, y, alpha=alpha))
op("sub.alpha", lambda d: call(*d.tensors(), alpha=d.number()), lambda torch, x, y, alpha: torch.sub(x, y, alpha=alpha))

for name in (
    "add",
    "sub",
    "mul",
    "div",
    "pow",
    "floor_divide",
    "remainder",
    "fmod",
    "maximum",
    "minimum",
    "eq",
    "lt",
    "ge",
):
    op(
        f"{name}.mixed",
        lambda d: call(*mixed(d)),
        lambda torch, x, y, name=name: getattr(torch, name)(x, y),
        second=False,
        gradient=name not in ("floor_divide", "pow"),
    )

for mode in ("trunc", "floor"):
    op(
        f"div.{mode}",
        lambda d: call(*two(d, REAL, AWAY)),
        lambda torch, x, y, mode=mode: torch.div(x, y, rounding_mode=mode),
        second=False,
    )

op("floor_divide", lambda d: call(*two(d)), also=("Tensor.__floordiv__", "Tensor.__rfloordiv__"), gradient=False)
op("remainder", lambda d: call(*two(d, REAL, AWAY)), also=["Tensor.__mod__"])
op(
    "remainder.reflected",
    lambda d: call(d.tensor(domain=AWAY), 2.5),
    form_of("Tensor.__rmod__").run,
    covers=["Tensor.__rmod__"],
    gradient=False,
)
op("fmod", lambda d: call(*two(d, REAL, AWAY)))


def powers(d: Draw) -> tuple[Any, Any]:
    kind = d.integer(0, 3)
    x = d.tensor(domain=POSITIVE)
    if kind == 0:
        return d.tensor(), d.choice((2, 3, 1, 0, -1, -2, 2.0, 4))
    if kind == 1:
        return x, d.choice((0.5, 1.5, -0.5, 0.3333, d.number()))
    return tuple(d.tensors(2, POSITIVE))  # type: ignore[return-value]


op("pow", lambda d: call(*powers(d)), also=operators("pow"), large=False, kinks=(0.0, 1.0))
op(
    "pow.number",
    lambda d: call(d.choice((2.0, 0.5, 3, 1, 0.0)), d.tensor()),
    lambda torch, a, x: a**x,
    covers=["Tensor.__rpow__"],
)
op("square", lambda d: call(d.tensor()), special=True, strict=True)

op(
    "neg",
    lambda d: call(d.tensor()),
    aliases=["negative"],
    also=["Tensor.__neg__"],
    special=True,
    large=True,
    strict=True,
)
op("positive", lambda d: call(d.tensor()), also=["Tensor.__pos__"], special=True, strict=True)
op(
    "abs",
    lambda d: call(d.tensor()),
    aliases=["absolute"],
    also=["Tensor.__abs__"],
    kinks=(0.0, -0.0),
    special=True,
    strict=True,
)

HALVES = (0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 0.0, -0.0, 1.0, -1.0)
for name, aliases in (("sign", []), ("floor", []), ("ceil", []), ("trunc", ["fix"]), ("frac", []), ("round", [])):
    op(name, lambda d: call(d.tensor()), aliases=aliases, kinks=HALVES, special=True, strict=True)
    if name != "frac":
        op(
            f"{name}.integers",
            lambda d: call(d.any_dtype()),
            lambda torch, x, name=name: getattr(torch, name)(x),
            second=False,
        )
op(
    "round.decimals",
    lambda d: call(d.tensor(), d.choice((0, 1, 2, -1))),
    lambda torch, x, n: torch.round(x, decimals=n),
)

op("maximum", lambda d: call(*d.tensors()), special=True, strict=True, kinks=(0.0, 1.0))
op("minimum", lambda d: call(*d.tensors()), special=True, strict=True, kinks=(0.0, 1.0))


def bounds(d: Draw) -> dict[str, Any]:
    low, high = d.choice(((-1.0, 1.0), (-1, 1), (0.0, None), (None, 0.5), (1.0, -1.0), (None, 1)))
    return {k: v for k, v in (("min", low), ("max", high)) if v is not None or d.flag()}


def tensor_bounds(d: Draw) -> tuple[Any, dict[str, Any]]:
    x = d.tensor(max_dims=3)
    low, high = d.tensor(d.part(x.shape)), d.tensor(d.part(x.shape))
    return x, d.choice(({"min": low}, {"max": high}, {"min": low, "max": high}))


op("clamp", lambda d: call(d.tensor(), **bounds(d)), aliases=["clip"], kinks=(-1.0, 1.0, 0.0, 0.5), special=True)
op(
    "clamp.tensors",
    lambda d: call((b := tensor_bounds(d))[0], **b[1]),
    lambda torch, x, **k: torch.clamp(x, **k),
    modes=("normal", "ties"),
)
op("clamp.mixed", lambda d: call(d.any_dtype(), **bounds(d)), lambda torch, x, **k: torch.clamp(x, **k), second=False)


def choosing(d: Draw) -> tuple[Any, Any, Any]:
    c, a, b = d.broadcastable(3, max_dims=3)
    x, y = d.tensor(a), d.tensor(b)
    kind = d.integer(0, 5)
    if kind == 4:
        return d.mask(c), d.number(), y
    if kind == 5:
        return d.mask(c), x, 2
    return d.mask(c), x, y


op("where", lambda d: call(*choosing(d)), lambda torch, c, x, y: torch.where(c, x, y), tolerance=EXACT, special=True)
op(
    "where.mixed",
    lambda d: call(d.mask((3, 1)), *mixed(d)),
    lambda torch, c, x, y: torch.where(c, x, y),
    second=False,
    modes=("normal",),
)
op(
    "Tensor.where",
    lambda d: call(*choosing(d)),
    lambda torch, c, x, y: x.where(c, y) if isinstance(x, torch.Tensor) else torch.where(c, x, y),
    tolerance=EXACT,
)

COMPARISONS = {
    "eq": ["eq"],
    "ne": ["ne"],
    "lt": ["less"],
    "le": ["less_equal"],
    "gt": ["greater"],
    "ge": ["greater_equal"],
}


def compared(d: Draw) -> Call:
    """Two operands; the second wants no gradient, which PyTorch makes of zeros where the first is changed in place."""
    a, b = two(d)
    return call(a, replace(b, grad=False) if isinstance(b, Input) else b)


for name, aliases in COMPARISONS.items():
    op(
        name,
        compared,
        aliases=aliases,
        also=[f"Tensor.__{name}__"],
        tolerance=EXACT,
        special=True,
        modes=("ties", "special"),
    )

for name in ("isnan", "isinf", "isfinite"):
    op(name, lambda d: call(d.tensor()), tolerance=EXACT, modes=("special",))
op(
    "isclose",
    lambda d: call(*d.tensors(), **d.choice(({}, {"equal_nan": True}, {"atol": 0.5}, {"rtol": 0.1}))),
    tolerance=EXACT,
    modes=("ties", "special"),
)
op(
    "allclose",
    lambda d: call(*d.tensors(), **d.choice(({}, {"equal_nan": True}, {"atol": 2.0}))),
    tolerance=EXACT,
    modes=("ties", "special"),
)
op("equal", lambda d: call(x := d.tensor(), d.choice((x, d.like(x), d.tensor()))), tolerance=EXACT, modes=("ties",))


def bits(d: Draw) -> tuple[Any, Any]:
    a, b = d.broadcastable(2, max_dims=3)
    kinds = ("bool", "int64", "int32", "uint8")

    def one(shape: Any) -> Any:
        kind = d.choice(kinds)
        return d.mask(shape) if kind == "bool" else d.integers(shape, dtype=kind)

    return one(a), one(b)


for name, operator in (("and", "and"), ("or", "or"), ("xor", "xor")):
    op(f"bitwise_{name}", lambda d: call(*bits(d)), also=operators(operator, in_place=False), tolerance=EXACT)
    op(f"logical_{name}", lambda d: call(*mixed(d)) if d.flag() else call(*bits(d)), lambda torch, x, y, name=name: (
        getattr(torch, f"logical_{name}")(x, y) if isinstance(y, torch.Tensor) else x
    ), tolerance=EXACT)  # fmt: skip
    op(f"Tensor.logical_{name}", lambda d: call(*bits(d)), tolerance=EXACT)
op("bitwise_not", lambda d: call(bits(d)[0]), also=["Tensor.__invert__"], tolerance=EXACT)
op("logical_not", lambda d: call(d.any_dtype()), also=["Tensor.logical_not"], methods=False, tolerance=EXACT)
op("Tensor.logical_not_", lambda d: call(bits(d)[0]), tolerance=EXACT)  # (PyTorch's lets the gradient of a float pass)
