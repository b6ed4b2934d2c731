"""Activations, softmax, dropout: torch.nn.functional."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import minigrad

from ..case import REDUCED, Call, call, family, op
from ..inputs import REAL, Domain, Draw

family("activation")

F = "nn.functional."
WIDE = Domain(large=100.0)


def activated(d: Draw, options: Callable[[Draw], dict[str, Any]], domain: Domain = REAL) -> Call:
    """A tensor, with and without the optional arguments."""
    x, drawn = d.tensor(domain=domain), options(d)
    return call(x, **(drawn if d.flag() else {}))


# name, kinks, options that are drawn for half the examples
ACTIVATIONS: list[tuple[str, tuple[float, ...], Callable[[Draw], dict[str, Any]]]] = [
    ("relu", (0.0, -0.0), lambda d: {}),
    ("relu6", (0.0, 6.0), lambda d: {}),
    ("leaky_relu", (0.0,), lambda d: {"negative_slope": d.choice((0.1, 0.3, 0.0))}),
    ("elu", (0.0,), lambda d: {"alpha": d.choice((0.5, 2.0))}),
    ("celu", (0.0,), lambda d: {"alpha": d.choice((0.5, 2.0))}),
    ("selu", (0.0,), lambda d: {}),
    ("gelu", (0.0,), lambda d: {"approximate": d.choice(("tanh", "none"))}),
    ("silu", (0.0,), lambda d: {}),
    ("mish", (0.0,), lambda d: {}),
    ("softplus", (0.0, 20.0, 4.0), lambda d: {"beta": d.choice((0.5, 2.0)), "threshold": d.choice((20.0, 2.0))}),
    ("softsign", (0.0,), lambda d: {}),
    ("tanhshrink", (0.0,), lambda d: {}),
    ("softshrink", (0.5, -0.5, 1.0, -1.0), lambda d: {"lambd": d.choice((1.0, 0.25))}),
    ("hardshrink", (0.5, -0.5, 1.0, -1.0), lambda d: {"lambd": d.choice((1.0, 0.25))}),
    ("hardtanh", (-1.0, 1.0, 0.5, -2.0), lambda d: {"min_val": -2.0, "max_val": 0.5}),
    ("hardsigmoid", (-3.0, 3.0), lambda d: {}),
    ("hardswish", (-3.0, 3.0), lambda d: {}),
    ("logsigmoid", (0.0,), lambda d: {}),
    ("threshold", (0.5,), lambda d: {}),
]

for name, kinks, options in ACTIVATIONS:
    if name == "threshold":
        op(F + name, lambda d: call(d.tensor(), 0.5, -1.0), kinks=kinks, also=[name])
        continue
    op(
        F + name,
        partial(activated, options=options, domain=WIDE),
        also=[name] if name in ("relu", "selu", "celu") else [],
        kinks=kinks,
        large=True,
        special=name in ("relu", "leaky_relu", "softsign"),  # of hardtanh's gradient at nan PyTorch has two opinions
    )
    if name in (
        "relu",
        "relu6",
        "leaky_relu",
        "elu",
        "selu",
        "silu",
        "hardtanh",
        "hardswish",
        "hardsigmoid",
        "mish",
        "celu",
    ):
        op(
            f"{F}{name}.inplace",
            partial(activated, options=options),
            lambda torch, x, name=name, **k: getattr(torch.nn.functional, name)(x * 1.5, inplace=True, **k),
            kinks=kinks,
        )


def prelu(d: Draw) -> Call:
    return call(d.tensor(d.choice(((4, 3), (2, 3, 2), (2, 3, 2, 2)))), d.tensor(d.choice(((1,), (3,)))))


# At 0 PyTorch's second derivative takes the other side than its first.
op(F + "prelu", prelu, also=["prelu"], kinks=(0.0,), second=False)
op(F + "prelu.second", prelu, lambda torch, x, w: torch.nn.functional.prelu(x, w), modes=("normal",))
op(F + "glu", lambda d: call(d.tensor((2, 4, 6)), *d.choice(((), (1,), (-1,), (0,)))))
op(F + "rrelu", lambda d: call(d.tensor()), kinks=(0.0,), modes=("normal",), also=["rrelu"])


def along(d: Draw) -> Call:
    x = d.tensor(min_side=1, domain=Domain(large=1e4))
    return call(x, dim=d.dim(x)) if d.flag() else call(x, d.dim(x))


SOFT = ("normal", "normal", "ties", "large", "tiny")
for name in ("softmax", "log_softmax"):
    op(F + name, along, also=[name], modes=SOFT, tolerance=REDUCED)
op(F + "softmin", along, modes=SOFT, tolerance=REDUCED)
op(
    "softmax.mask",
    lambda d: call(d.tensor((3, 4)), d.mask((3, 4), 0.3)),
    lambda torch, x, m: torch.softmax(x.masked_fill(m, float("-inf")), -1),
    tolerance=REDUCED,
)
op(
    F + "normalize",
    lambda d: call(d.tensor((3, 4)), **d.choice(({}, {"dim": 0}, {"p": 1.0}, {"dim": -1, "eps": 0.5}))),
    modes=("normal", "tiny"),
    second=False,  # of tiny inputs it is a difference of terms like 1/x² that cancel: rounding alone is left of it
    tolerance=REDUCED,
)
op(
    "normalize.second",
    lambda d: call(d.tensor((3, 4)), **d.choice(({}, {"dim": 0}, {"dim": -1, "eps": 0.5}))),
    lambda torch, *a, **k: torch.nn.functional.normalize(*a, **k),
    modes=("normal",),
    tolerance=REDUCED,
)
op(
    F + "cosine_similarity",
    lambda d: call(
        *d.choice(((d.tensor((3, 4)), d.tensor((3, 4))), (d.tensor((3, 1, 4)), d.tensor((2, 4))))),
        **d.choice(({}, {"dim": -1})),
    ),
    also=["cosine_similarity"],
    modes=("normal", "tiny"),
    tolerance=REDUCED,
)
op(
    F + "pairwise_distance",
    lambda d: call(d.tensor((3, 4)), d.tensor((3, 4)), **d.choice(({}, {"p": 1.0}))),
    modes=("normal",),
    tolerance=REDUCED,
)

family("dropout")


def dropped(d: Draw) -> Call:
    return call(
        d.tensor(),
        **d.choice(({}, {"p": 0.3}, {"p": 0.0}, {"p": 1.0}, {"training": False}, {"p": 0.75, "training": True})),
    )


for name in ("dropout", "alpha_dropout"):
    op(F + name, dropped, also=[name] if name == "x" else [], modes=("normal",), seeds=True)
op(
    "dropout",
    lambda d: call(d.tensor(), d.choice((0.5, 0.2)), d.flag(0.8)),
    methods=False,
    modes=("normal",),
    seeds=True,
)
op(
    F + "dropout.inplace",
    lambda d: call(d.tensor()),
    lambda torch, x: torch.nn.functional.dropout(x * 2, 0.4, inplace=True),
    modes=("normal",),
    seeds=True,
)
op(F + "dropout1d", lambda d: call(d.tensor((2, 3, 4)), d.choice((0.5, 0.2))), modes=("normal",), seeds=True)
op(F + "dropout2d", lambda d: call(d.tensor((2, 3, 2, 2)), d.choice((0.5, 0.2))), modes=("normal",), seeds=True)
op(
    F + "gumbel_softmax",
    lambda d: call(d.tensor((3, 4)), d.choice((1.0, 0.5)), hard=d.flag()),
    modes=("normal",),
    seeds=True,
    tolerance=REDUCED,
    second=False,
)

for name in ("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout"):
    draws = lambda d: call(d.tensor((2, 3, 4)), d.choice((0.5, 0.2)), d.flag(0.8))  # noqa: E731
    run: dict[str, Any] = {"modes": ("normal",), "seeds": True, "methods": False}
    if name != "dropout":
        op(name, draws, **run)
    op(f"{name}_", draws, lambda torch, x, p, train, name=name: getattr(torch, f"{name}_")(x * 2, p, train), **run)
op(F + "dropout3d", lambda d: call(d.tensor((2, 3, 2, 2, 2)), d.choice((0.5, 0.2))), modes=("normal",), seeds=True)
op(
    F + "feature_alpha_dropout",
    lambda d: call(d.tensor((2, 3, 4)), d.choice((0.5, 0.2)), d.flag()),
    modes=("normal",),
    seeds=True,
)

family("activation")

IN_PLACE: dict[str, tuple[float, ...]] = {
    "relu_": (),
    "leaky_relu_": (0.1,),
    "elu_": (0.5,),
    "celu_": (0.5,),
    "selu_": (),
    "hardtanh_": (-2.0, 0.5),
    "threshold_": (0.5, -1.0),
}


def followed(d: Draw, arguments: tuple[float, ...]) -> Call:
    return call(d.tensor(), *arguments)


for name, arguments in IN_PLACE.items():
    op(
        F + name,
        partial(followed, arguments=arguments),
        lambda torch, x, *a, name=name: getattr(torch.nn.functional, name)(x * 1.5, *a),
    )
    if hasattr(minigrad, name):
        op(
            name,
            partial(followed, arguments=arguments),
            lambda torch, x, *a, name=name: getattr(torch, name)(x * 1.5, *a),
        )
op(
    F + "rrelu_",
    lambda d: call(d.tensor()),
    lambda torch, x: torch.nn.functional.rrelu_(x * 1.5),
    modes=("normal",),
)
op("rrelu_", lambda d: call(d.tensor()), lambda torch, x: torch.rrelu_(x * 1.5), modes=("normal",))
