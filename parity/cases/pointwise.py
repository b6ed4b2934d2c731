"""Functions of one element: exponentials, roots, trigonometry, and activations without parameters."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..case import EXACT, Call, Tolerance, call, family, op
from ..inputs import MODERATE, POSITIVE, REAL, Domain, Draw

family("pointwise")

UNIT = Domain(-0.99, 0.99)
PROBABILITY = Domain(0.01, 0.99)
ABOVE_ONE = Domain(low=1.0)
ABOVE_MINUS_ONE = Domain(low=-1.0)


def two_positive(d: Draw) -> tuple[Any, Any]:
    a, b = d.broadcastable(2)
    return d.tensor(a), d.tensor(b, POSITIVE)


FUNCTIONS = {
    "exp": MODERATE, "exp2": MODERATE, "expm1": MODERATE, "log": POSITIVE, "log2": POSITIVE, "log10": POSITIVE,
    "log1p": ABOVE_MINUS_ONE, "sqrt": POSITIVE, "rsqrt": POSITIVE, "reciprocal": REAL, "sin": REAL, "cos": REAL,
    "tan": Domain(-1.4, 1.4), "asin": UNIT, "acos": UNIT, "atan": REAL, "sinh": MODERATE, "cosh": MODERATE, "tanh": REAL,
    "asinh": REAL, "acosh": ABOVE_ONE, "atanh": UNIT, "erf": REAL, "erfc": REAL, "sigmoid": Domain(large=800.0),
}  # fmt: skip
ALIASES = {
    "asin": ["arcsin"],
    "acos": ["arccos"],
    "atan": ["arctan"],
    "asinh": ["arcsinh"],
    "acosh": ["arccosh"],
    "atanh": ["arctanh"],
}
NO_TINY = ("reciprocal", "rsqrt", "log", "log2", "log10", "sqrt")  # their gradients overflow there
ALSO = {"tanh": ["nn.functional.tanh"], "sigmoid": ["nn.functional.sigmoid"]}


def one(d: Draw, domain: Domain) -> Call:
    return call(d.tensor(domain=domain))


for name, domain in FUNCTIONS.items():
    op(
        name,
        partial(one, domain=domain),
        aliases=ALIASES.get(name, []),
        also=ALSO.get(name, []),
        modes=("normal", "normal", "ties", "special")
        + ("large",) * (domain is not UNIT)
        + ("tiny",) * (name not in NO_TINY),
        kinks=(0.0,) if name in ("sqrt", "log", "reciprocal") else (),
    )
    op(
        f"{name}.integers",
        lambda d: call(d.any_dtype()),
        lambda torch, x, name=name: getattr(torch, name)(x),
        second=False,
        modes=("normal",),
    )

op("atan2", lambda d: call(*d.tensors()), special=False)
op("logaddexp", lambda d: call(*d.tensors()), methods=True, special=False)
op("hypot", lambda d: call(*d.tensors()), modes=("normal",))
op("lerp", lambda d: call(x := d.tensor(), d.like(x), d.choice((0.3, d.like(x)))), modes=("normal", "ties"))
op("clone", lambda d: call(d.tensor()), tolerance=EXACT)
op(
    "nan_to_num",
    lambda d: call(d.tensor(), **d.choice(({}, {"nan": 1.5}, {"posinf": 2.0, "neginf": -3.0}))),
    tolerance=EXACT,
    modes=("special",),
)
op("addcmul", lambda d: call(*d.tensors(3), value=d.number()), modes=("normal",))
op(
    "addcdiv",
    lambda d: call(x := d.tensor(), d.like(x), d.like(x, Domain(0.3, 3.0)), value=d.number()),
    modes=("normal",),
)
op("Tensor.logit", lambda d: call(d.tensor(domain=PROBABILITY)), modes=("normal",), also=["logit"])

# PyTorch's second derivative at 0 is 0/0
op("copysign", lambda d: call(*d.tensors()), modes=("normal", "ties"), special=True, second=False)
op(
    "copysign.second",
    lambda d: call(*d.tensors()),
    lambda torch, a, b: torch.copysign(a, b),
    modes=("normal",),
    layouts=False,
)
op("deg2rad", lambda d: call(d.tensor()))
op("rad2deg", lambda d: call(d.tensor()))
op("lgamma", lambda d: call(d.tensor(domain=Domain(0.1, 20.0))), second=False, modes=("normal",))
op("digamma", lambda d: call(d.tensor(domain=Domain(0.1, 20.0))), gradient=False, modes=("normal",))
TRIGAMMA = Tolerance(
    "trigamma", 1e-9, 4, True, "PyTorch's series for ψ' ends early: it is right to 5e-10, as mpmath says"
)
op(
    "digamma.gradient",
    lambda d: call(d.tensor(domain=Domain(0.1, 20.0)), d.flag()),
    lambda torch, x, method: x.digamma() if method else torch.digamma(x),
    covers=["digamma", "Tensor.digamma"],
    tolerance=TRIGAMMA,
    second=False,
    float32=False,
    modes=("normal",),
)
op("erfinv", lambda d: call(d.tensor(domain=UNIT)), modes=("normal", "tiny"))
op("float_power", lambda d: call(d.tensor(domain=POSITIVE), d.choice((2, 0.5, -1.0))), modes=("normal",))
op("heaviside", lambda d: call(d.tensor(grad=False), d.tensor((), grad=False)), modes=("ties", "special"))
# In float32 its derivative (x cos x - sin x) / x² cancels for small x, differently in each engine.
op("sinc", lambda d: call(d.tensor()), kinks=(0.0,), modes=("normal",), second=False, float32=False)
op("xlogy", lambda d: call(*two_positive(d)), modes=("normal", "ties"))
