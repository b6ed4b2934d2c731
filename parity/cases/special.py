"""torch.special and torch.fft under their own names, and torch.testing."""

from __future__ import annotations

from typing import Any

from ..case import REDUCED, Tolerance, call, family, op
from ..inputs import POSITIVE, Domain, Draw

family("special")

WITHIN = Domain(0.02, 0.98)


def of_one(name: str, domain: Domain, **options: Any) -> None:
    op(f"special.{name}", lambda d: call(d.tensor(domain=domain)), modes=("normal",), **options)


for name, domain in (
    ("erf", Domain()), ("erfc", Domain()), ("erfinv", Domain(-0.95, 0.95)), ("exp2", Domain()), ("expit", Domain()), ("expm1", Domain()),
    ("gammaln", POSITIVE), ("log1p", POSITIVE), ("logit", WITHIN), ("round", Domain()),
    ("sinc", Domain()), ("ndtr", Domain(-6.0, 6.0)), ("ndtri", WITHIN), ("log_ndtr", Domain(-30.0, 6.0)), ("entr", Domain(-0.5, 4.0)),
):  # fmt: skip
    of_one(
        name,
        domain,
        tolerance=REDUCED,
        float32=name not in ("log_ndtr", "ndtri"),
        second=name not in ("gammaln", "log_ndtr"),
    )
# The second derivative of PyTorch's erfcx, 2 x erfcx(x) - 2 / √π, cancels in the lower tail: at -15 it is right to 8e-12, at
# -30 to 1.2e-10 only. minigrad's there: tests/test_special.py.
op(
    "special.log_ndtr.second",
    lambda d: call(d.tensor(domain=Domain(-15.0, 6.0))),
    lambda torch, x: torch.special.log_ndtr(x),
    modes=("normal",),
    tolerance=REDUCED,
    float32=False,
)
# PyTorch's trigamma, the derivative of digamma, is right to 1.2e-9 only.
ROUGH = Tolerance("trigamma", 1e-8, 8, True, "PyTorch's trigamma is right to 1.2e-9")
for name in ("digamma", "psi"):
    op(
        f"special.{name}",
        lambda d: call(d.tensor(domain=Domain(0.2, 8.0))),
        modes=("normal",),
        second=False,
        tolerance=ROUGH,
        float32=False,
    )
op("special.softmax", lambda d: call(d.tensor((2, 3)), d.choice((0, 1))), modes=("normal",), tolerance=REDUCED)
op("special.log_softmax", lambda d: call(d.tensor((2, 3)), d.choice((0, 1))), modes=("normal",), tolerance=REDUCED)
op(
    "special.logsumexp",
    lambda d: call(d.tensor((2, 3)), d.choice((0, 1)), d.flag()),
    modes=("normal",),
    tolerance=REDUCED,
)
op(
    "special.xlogy",
    lambda d: call(d.tensor((2, 3)), d.tensor((3,), POSITIVE)),
    modes=("normal", "ties"),
    tolerance=REDUCED,
)
op(
    "special.xlog1py",
    lambda d: call(d.tensor((2, 3)), d.tensor((3,), POSITIVE)),
    modes=("normal", "ties"),
    tolerance=REDUCED,
)
op("special.polygamma", lambda d: call(d.choice((0, 1)), d.tensor(domain=Domain(0.3, 8.0), grad=False)), modes=("normal",), gradient=False, methods=False, float32=False,
   tolerance=ROUGH)  # fmt: skip
# Of degree 2 and more PyTorch's is right to the last digits.
PLACES = Domain(0.3, 8.0)
op(
    "polygamma",
    lambda d: call(d.integer(2, 5), d.tensor(domain=PLACES)),
    methods=False,
    modes=("normal",),
    tolerance=REDUCED,
)
op(
    "Tensor.polygamma",
    lambda d: call(d.tensor(domain=PLACES), d.integer(2, 5)),
    also=["Tensor.polygamma_"],
    modes=("normal",),
    tolerance=REDUCED,
)
op("special.polygamma.higher", lambda d: call(d.integer(2, 5), d.tensor(domain=PLACES)), lambda torch, n, x: torch.special.polygamma(n, x),
   modes=("normal",), tolerance=REDUCED)  # fmt: skip
op(
    "mvlgamma",
    lambda d: call(d.tensor(domain=Domain(2.0, 6.0)), d.integer(1, 3)),
    modes=("normal",),
    tolerance=REDUCED,
    second=False,
)

# -- the incomplete gamma functions: above a = 20 PyTorch's are right to 1e-9 only (minigrad's there: tests/test_special.py)
for name in ("igamma", "igammac", "special.gammainc", "special.gammaincc"):
    op(
        name,
        lambda d: call(d.tensor((2, 3), Domain(0.1, 15.0), grad=False), d.tensor((3,), Domain(0.05, 25.0))),
        modes=("normal",),
        tolerance=REDUCED,
        methods=not name.startswith("special"),
    )
op(
    "special.zeta",
    lambda d: call(
        d.choice((d.tensor((2, 3), Domain(1.1, 9.0), grad=False), 2.0, 4)), d.tensor((3,), Domain(0.1, 9.0))
    ),
    modes=("normal",),
    tolerance=REDUCED,
)
op(
    "special.zeta.negative",
    lambda d: call(d.integers((3,), 2, 6), d.tensor((3,), Domain(-9.0, 0.0), grad=False)),
    lambda torch, s, q: torch.special.zeta(s, q),
    gradient=False,
    modes=("normal",),
    float32=False,
)
of_one("erfcx", Domain(-5.0, 30.0), tolerance=REDUCED)

# -- Bessel functions

for name in ("i0", "i0e", "i1", "i1e"):
    of_one(name, Domain(-30.0, 30.0), tolerance=REDUCED)
op("i0", lambda d: call(d.tensor(domain=Domain(-30.0, 30.0))), modes=("normal",), tolerance=REDUCED)
for name in ("modified_bessel_i0", "modified_bessel_i1"):
    of_one(name, Domain(-30.0, 30.0), tolerance=REDUCED, gradient=False)
for name in ("modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1"):
    of_one(name, Domain(0.0, 30.0), tolerance=REDUCED, gradient=False)
of_one("spherical_bessel_j0", Domain(-30.0, 30.0), tolerance=REDUCED, gradient=False)
# PyTorch's are right to 1e-6 only: minigrad's are held against these, and their relations (tests/test_special.py) to 1e-13.
COARSE = Tolerance("bessel", 1e-5, 64, False, "PyTorch's J and Y are right to 2e-6 of the largest")
for name in ("bessel_j0", "bessel_j1"):
    of_one(name, Domain(-40.0, 40.0), tolerance=COARSE, gradient=False)
for name in ("bessel_y0", "bessel_y1"):
    of_one(name, Domain(0.1, 40.0), tolerance=COARSE, gradient=False)

# -- polynomials

for name in (
    "chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w", "hermite_polynomial_h",
    "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p", "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v", "shifted_chebyshev_polynomial_w",
):  # fmt: skip
    op(
        f"special.{name}",
        lambda d: call(
            d.choice((d.tensor((2, 3), Domain(-2.0, 2.0)), d.tensor((2, 3), Domain(-1.0, 1.0)))),
            d.choice((d.integers((3,), -1, 9), d.integer(-1, 6), d.tensor((), Domain(0.0, 9.0), grad=False))),
        ),
        modes=("normal",),
        tolerance=REDUCED,
        gradient=False,
        kinks=(-1.0, 0.0, 1.0),
    )
op(
    "special.multigammaln",
    lambda d: call(d.tensor(domain=Domain(2.0, 6.0)), d.integer(1, 3)),
    modes=("normal",),
    tolerance=REDUCED,
    second=False,
)


def frequencies(d: Draw) -> Any:
    return call(d.integer(1, 9), *d.choice(((), (0.25,), (2.0,))))


op("fft.fftfreq", frequencies, gradient=False)
op("fft.rfftfreq", frequencies, gradient=False)
op("fft.fftshift", lambda d: call(d.tensor((4, 5)), *d.choice(((), (0,), ((0, 1),), ((1,),), (-1,)))))
op("fft.ifftshift", lambda d: call(d.tensor((4, 5)), *d.choice(((), (0,), ((0, 1),), ((1,),), (-1,)))))


def _closeness(torch: Any, x: Any, off: float, settings: dict[str, Any]) -> Any:
    """What `assert_close` says of tensors, numbers and nestings that are `off` apart."""
    y = x + off
    pairs = (
        (x, y), ([x, 1.0], [y, 1.0]), ({"a": x}, {"a": y}), (1.0, 1.0 + off), (x, x.reshape(-1)), (x, x.float()), ((x,), (x, x)), ({"a": x}, {"b": x}),
        (x * float("nan"), x * float("nan")), (x, 1.0), (3, 3), (x.long(), x.long() + int(off > 0.5)), (None, None), ("a", "a"), (x.mT, x.mT.contiguous()),
    )  # fmt: skip
    found: list[Any] = []
    for actual, expected in pairs:
        try:
            torch.testing.assert_close(actual, expected, **settings)
            found.append("close")
        except Exception as error:
            lines = str(error).split("\n")
            head = lines[0].partition(":")[0] if isinstance(error, AssertionError) else ""
            found.append((type(error).__name__, head, [x for x in lines if "Mismatched" in x]))
    return found


op(
    "testing.assert_close",
    lambda d: call(
        d.tensor((3, 2), dtype="float64", grad=False),
        d.choice((0.0, 1e-9, 1e-6, 1e-3, 1.0)),
        d.choice(
            (
                {},
                {"rtol": 0.0, "atol": 1e-4},
                {"equal_nan": True},
                {"check_dtype": False},
                {"check_stride": True},
                {"rtol": 0.1, "atol": 0.0},
                {"msg": "no"},
            )
        ),
    ),
    _closeness,
    gradient=False,
    modes=("normal",),
    layouts=False,
    float32=False,
)
