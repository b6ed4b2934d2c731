"""Distributions: samples from the same stream, densities, moments, entropies, divergences, and their gradients."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..case import REDUCED, Call, Tolerance, call, family, op, resolve
from ..inputs import LAYOUTS, Domain, Draw, Input

family("distributions")

PLACE, SCALE = Domain(-2.0, 2.0), Domain(0.3, 3.0)
CHANCE = Domain(0.05, 0.95)
# PyTorch's trigamma, in the gradients of entropies, is right to 1.2e-9 only.
LARGE = Tolerance(
    "distribution", 1e-8, 8, False, "a logarithm of a density, from sums of logarithms of gamma functions"
)
SHAPES = ((), (3,), (2, 3))
SAMPLES = ((), (2,), (2, 1))


def laid(d: Draw, values: Any, grad: bool = True) -> Input:
    return d.lay(np.asarray(values).astype(d.dtype), grad, d.choice([n for n in LAYOUTS if n != "broadcast"]))


def simplex(d: Draw, n: int = 4, shape: tuple[int, ...] | None = None) -> Input:
    return laid(d, d.rng.uniform(0.2, 1.0, (*(d.choice(SHAPES) if shape is None else shape), n)))


def place_and_scale(d: Draw) -> tuple[Input, ...]:
    shape = d.choice(SHAPES)
    return d.tensor(shape, PLACE), d.tensor(shape, SCALE)


def positive(d: Draw) -> tuple[Input, ...]:
    return (d.tensor(d.choice(SHAPES), SCALE),)


def two_positive(d: Draw) -> tuple[Input, ...]:
    shape = d.choice(SHAPES)
    return d.tensor(shape, SCALE), d.tensor(shape, SCALE)


def answer(fn: Callable[[], Any]) -> Any:
    """What a question gives, or that it has no answer."""
    try:
        return fn()
    except NotImplementedError:
        return "no answer"


MOMENTS = ("mean", "variance", "stddev", "mode")


def described(p: Any, sample_shape: tuple[int, ...], questions: Iterable[str], batch: bool = True) -> dict[str, Any]:
    """All that is asked of a distribution."""
    x = p.sample(sample_shape)
    found: dict[str, Any] = {
        "batch": tuple(p.batch_shape),
        "event": tuple(p.event_shape),
        "sample": x,
        "flow": bool(p.has_rsample),
    }
    found["log_prob"] = p.log_prob(x)
    for name in questions:
        if name in ("cdf", "log_prob"):
            found[name] = answer(functools.partial(lambda n: getattr(p, n)(x), name))
        elif name == "icdf":
            found[name] = answer(lambda: p.icdf(p.cdf(x).detach()))
        elif name == "rsample":
            found[name] = p.rsample(sample_shape)
        elif name == "support":
            found[name] = p.support.check(x)
        elif name in ("entropy", "perplexity", "enumerate_support"):
            found[name] = answer(getattr(p, name))
        else:
            found[name] = answer(functools.partial(getattr, p, name))
    if batch:
        wide = p.expand((2, *p.batch_shape))
        found["wide"] = tuple(wide.batch_shape), wide.log_prob(x if not sample_shape else x[0]), wide.sample().shape
    return found


def distribution(
    name: str, draw: Callable[[Draw], tuple[Any, ...]], questions: str = "", named: Any = (), **options: Any
) -> None:
    """The case of a class: of its parameters, positional or by a name of `named`, and what is asked besides the moments."""
    names = tuple(questions.split())

    def drawn(d: Draw) -> Call:
        parameters = draw(d)
        keys = d.choice(named) if named else ()
        return call(dict(zip(keys, parameters, strict=True)) if keys else parameters, d.choice(SAMPLES))

    def run(torch: Any, parameters: Any, sample_shape: tuple[int, ...]) -> Any:
        made = resolve(torch.distributions, name)
        p = made(**parameters) if isinstance(parameters, dict) else made(*parameters)
        return described(p, sample_shape, (*MOMENTS, "support", *names))

    options.setdefault("second", False)
    op(f"distributions.{name}", drawn, run, tolerance=LARGE, seeds=True, float32=False, modes=("normal",), **options)


FLOW = "entropy cdf icdf rsample"
distribution("Normal", place_and_scale, FLOW, second=True)
distribution("LogNormal", place_and_scale, "entropy cdf icdf rsample")
distribution("Laplace", place_and_scale, FLOW)
distribution("Cauchy", place_and_scale, FLOW)
distribution("Gumbel", place_and_scale, FLOW)
distribution("HalfNormal", positive, FLOW)
distribution("HalfCauchy", positive, FLOW)
distribution("Exponential", positive, FLOW)
distribution("Uniform", lambda d: (d.tensor((3,), Domain(-2.0, 0.0)), d.tensor((3,), Domain(0.5, 2.0))), FLOW)
distribution("Gamma", two_positive, "entropy")
distribution("Chi2", positive, "entropy df")
distribution("Beta", two_positive, "entropy")
distribution("Dirichlet", lambda d: (laid(d, d.rng.uniform(0.3, 3.0, (*d.choice(SHAPES), 3))),), "entropy")
distribution(
    "StudentT",
    lambda d: (d.tensor((3,), Domain(2.5, 6.0), grad=d.flag()), d.tensor((3,), PLACE), d.tensor((3,), SCALE)),
    "entropy",
)
YES = (("probs",), ("logits",))
distribution(
    "Bernoulli", lambda d: (d.tensor(d.choice(SHAPES), CHANCE),), "entropy enumerate_support probs logits", YES
)
distribution("Geometric", lambda d: (d.tensor(d.choice(SHAPES), CHANCE),), "entropy", YES)
distribution(
    "Binomial",
    lambda d: (d.integer(1, 30), d.tensor(d.choice(SHAPES), CHANCE)),
    "entropy enumerate_support",
    (("total_count", "probs"), ("total_count", "logits")),
)
distribution("Poisson", lambda d: (d.tensor(d.choice(SHAPES), Domain(0.2, 20.0)),))
distribution("Categorical", lambda d: (simplex(d),), "entropy enumerate_support perplexity probs logits", YES)
distribution("OneHotCategorical", lambda d: (simplex(d),), "entropy enumerate_support probs logits", YES)
distribution("OneHotCategoricalStraightThrough", lambda d: (simplex(d),), "rsample", YES)
distribution(
    "Multinomial",
    lambda d: (d.integer(1, 6), simplex(d)),
    "entropy",
    (("total_count", "probs"), ("total_count", "logits")),
)
distribution(
    "RelaxedBernoulli",
    lambda d: (d.tensor((), SCALE), d.tensor((3,), CHANCE)),
    "rsample",
    (("temperature", "probs"), ("temperature", "logits")),
)
distribution(
    "RelaxedOneHotCategorical",
    lambda d: (d.tensor((), SCALE), simplex(d, shape=(2,))),
    "rsample",
    (("temperature", "probs"), ("temperature", "logits")),
)
distribution(
    "relaxed_bernoulli.LogitRelaxedBernoulli",
    lambda d: (d.tensor((), SCALE), d.tensor((3,), CHANCE)),
    "rsample",
    (("temperature", "probs"), ("temperature", "logits")),
)
distribution(
    "relaxed_categorical.ExpRelaxedCategorical",
    lambda d: (d.tensor((), SCALE), simplex(d, shape=(2,))),
    "rsample",
    (("temperature", "probs"), ("temperature", "logits")),
)


def gaussian(d: Draw) -> tuple[Input, Input]:
    n = d.integer(1, 3)
    shape = d.choice(((), (2,)))
    L = np.tril(d.rng.normal(size=(*shape, n, n)) * 0.3) + np.eye(n)
    return d.tensor(d.choice(((n,), (*shape, n))), PLACE), laid(d, L @ L.swapaxes(-1, -2))


distribution(
    "MultivariateNormal",
    gaussian,
    "entropy rsample covariance_matrix precision_matrix scale_tril",
    (("loc", "covariance_matrix"), ("loc", "precision_matrix")),
)


# -- others

MANY = Domain(1.2, 4.0)


def two_above_one(d: Draw) -> tuple[Input, ...]:
    shape = d.choice(SHAPES)
    return d.tensor(shape, MANY), d.tensor(shape, MANY)


distribution("Pareto", two_above_one, FLOW)
distribution("Weibull", two_above_one, FLOW)
distribution("Kumaraswamy", two_positive, "entropy rsample cdf")
distribution("InverseGamma", two_above_one, "entropy concentration rate")
distribution("LogisticNormal", lambda d: (d.tensor((2, 3), PLACE), d.tensor((2, 3), SCALE)), "rsample loc scale")
distribution("FisherSnedecor", lambda d: (d.tensor((3,), Domain(0.5, 6.0)), d.tensor((3,), Domain(0.5, 8.0))))


def _excesses(torch: Any, loc: Any, scale: Any, concentration: Any, sample_shape: Any) -> Any:
    """In the default type, as PyTorch compares the concentration with a 0 of it and refuses others."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        p = torch.distributions.GeneralizedPareto(loc, scale, concentration)
        found = described(p, sample_shape, (*MOMENTS, "support", "entropy", "cdf", "icdf", "rsample"))
        return found | {"survival": p.log_survival_function(found["sample"])}
    finally:
        torch.set_default_dtype(before)


op(
    "distributions.GeneralizedPareto",
    lambda d: call(
        d.tensor((3,), PLACE), d.tensor((3,), SCALE),
        d.choice((d.tensor((3,), Domain(-0.9, 0.9)), laid(d, [0.0, 0.3, -0.4]))), d.choice(SAMPLES),
    ),
    _excesses, tolerance=LARGE, seeds=True, float32=False, modes=("normal",), second=False,
)  # fmt: skip
distribution(
    "NegativeBinomial",
    lambda d: (d.tensor((), Domain(0.5, 9.0)), d.tensor(d.choice(SHAPES), CHANCE)),
    "probs logits",
    (("total_count", "probs"), ("total_count", "logits")),
)
distribution(
    "ContinuousBernoulli",
    lambda d: (d.choice((d.tensor(d.choice(SHAPES), CHANCE), laid(d, [0.2, 0.4995, 0.5003]))),),
    "entropy cdf icdf rsample probs logits",
    YES,
)


def few_directions(d: Draw) -> tuple[Input, ...]:
    n, m = d.integer(2, 4), d.integer(1, 2)
    shape = d.choice(((), (2,)))
    return d.tensor((n,), PLACE), d.tensor((*shape, n, m)), d.tensor((n,), SCALE)


distribution(
    "LowRankMultivariateNormal", few_directions, "entropy rsample covariance_matrix precision_matrix scale_tril"
)
distribution("LKJCholesky", lambda d: (d.integer(2, 4), d.tensor(d.choice(((), (3,))), SCALE)))


def _wishart(torch: Any, df: Any, A: Any, by: str) -> Any:
    matrix = torch.linalg.cholesky(A) if by == "scale_tril" else A
    p = torch.distributions.Wishart(df, **{by: matrix})
    found = described(p, (2,), (*MOMENTS, "entropy", "covariance_matrix", "precision_matrix", "scale_tril"))
    # PyTorch cannot differentiate its own ("modified by an inplace operation").
    return found | {"rsample": p.rsample((2,)).detach()}


op(
    "distributions.Wishart",
    lambda d: call(d.tensor((), Domain(4.0, 9.0)), gaussian(d)[1], d.choice(("covariance_matrix", "precision_matrix", "scale_tril"))),
    _wishart, tolerance=LARGE, seeds=True, float32=False, modes=("normal",), second=False,
)  # fmt: skip
# PyTorch takes I₀ and I₁ from fits.
FITTED = Tolerance("von Mises", 2e-6, 64, False, "PyTorch's logarithms of Bessel functions are right to 2e-7")


def _angles(torch: Any, loc: Any, concentration: Any, sample_shape: Any) -> Any:
    p = torch.distributions.VonMises(loc, concentration)
    return described(p, sample_shape, (*MOMENTS, "support"))


op("distributions.VonMises", lambda d: call(*place_and_scale(d), d.choice(SAMPLES)), _angles, tolerance=FITTED, seeds=True, float32=False,
   modes=("normal",), second=False)  # fmt: skip


def _by_factor(torch: Any, loc: Any, A: Any) -> Any:
    p = torch.distributions.MultivariateNormal(loc, scale_tril=torch.linalg.cholesky(A))
    return described(p, (2,), ("entropy", "rsample", "covariance_matrix", "variance"))


op("distributions.MultivariateNormal.scale_tril", lambda d: call(*gaussian(d)), _by_factor, tolerance=LARGE, seeds=True, float32=False,
   modes=("normal",), second=False)  # fmt: skip


def _independent(torch: Any, loc: Any, scale: Any, n: int) -> Any:
    D = torch.distributions
    p = D.Independent(D.Normal(loc, scale), n)
    return described(p, (2,), (*MOMENTS, "entropy", "rsample", "support"))


op("distributions.Independent", lambda d: call(d.tensor((2, 3), PLACE), d.tensor((2, 3), SCALE), d.integer(0, 2)), _independent,
   tolerance=LARGE, seeds=True, float32=False, modes=("normal",), second=False)  # fmt: skip


def _mixture(torch: Any, weights: Any, loc: Any, scale: Any, vectors: bool) -> Any:
    D = torch.distributions
    parts = D.Normal(loc, scale)
    if vectors:
        parts = D.Independent(D.Normal(torch.stack([loc, -loc], -1), torch.stack([scale, scale], -1)), 1)
    p = D.MixtureSameFamily(D.Categorical(weights), parts)
    return described(p, (3,), ("mean", "variance", *(() if vectors else ("cdf",))))


op("distributions.MixtureSameFamily", lambda d: call(simplex(d, 3, ()), d.tensor((3,), PLACE), d.tensor((3,), SCALE), d.flag()), _mixture,
   tolerance=LARGE, seeds=True, float32=False, modes=("normal",), second=False)  # fmt: skip

# -- transforms

TRANSFORMS: dict[str, Callable[[Any, Any], Any]] = {
    "ExpTransform": lambda t, a: t.ExpTransform(),
    "AffineTransform": lambda t, a: t.AffineTransform(a, -2.0 * a),
    "SigmoidTransform": lambda t, a: t.SigmoidTransform(cache_size=1),
    "TanhTransform": lambda t, a: t.TanhTransform(),
    "SoftplusTransform": lambda t, a: t.SoftplusTransform(),
    "PowerTransform": lambda t, a: t.ComposeTransform([t.ExpTransform(), t.PowerTransform(a)]),
    "ComposeTransform": lambda t, a: t.ComposeTransform(
        [t.AffineTransform(1.0, 0.5), t.SigmoidTransform(), t.AffineTransform(-1.0, 2.0)]
    ),
    "StickBreakingTransform": lambda t, a: t.StickBreakingTransform(),
    "SoftmaxTransform": lambda t, a: t.SoftmaxTransform(),
    "AbsTransform": lambda t, a: t.AbsTransform(),
    "IndependentTransform": lambda t, a: t.IndependentTransform(t.ExpTransform(), 1),
    "ReshapeTransform": lambda t, a: t.ReshapeTransform((3,), (3, 1)),
    "CorrCholeskyTransform": lambda t, a: t.CorrCholeskyTransform(),
    "LowerCholeskyTransform": lambda t, a: t.LowerCholeskyTransform(),
    "PositiveDefiniteTransform": lambda t, a: t.PositiveDefiniteTransform(),
    "CatTransform": lambda t, a: t.CatTransform([t.ExpTransform(), t.AffineTransform(a, 2.0)], -1, [1, 2]),
    "CatTransform.vectors": lambda t, a: t.CatTransform(
        [t.IndependentTransform(t.ExpTransform(), 1), t.TanhTransform()], 1, [2, 1], cache_size=1
    ),
    "StackTransform": lambda t, a: t.StackTransform(
        [t.ExpTransform(), t.AffineTransform(a, 2.0), t.TanhTransform()], 1
    ),
}
NO_STRETCH = ("SoftmaxTransform", "AbsTransform", "LowerCholeskyTransform", "PositiveDefiniteTransform")


def _transform(torch: Any, x: Any, a: Any, name: str) -> Any:
    t = TRANSFORMS[name](torch.distributions.transforms, a)
    y = t(x)
    found = {
        "y": y,
        "back": t.inv(y),
        "bijective": bool(t.bijective),
        "dims": (t.domain.event_dim, t.codomain.event_dim),
    }
    found["shapes"] = tuple(t.forward_shape(x.shape)), tuple(t.inverse_shape(y.shape)), t == t, t.inv.inv is t
    if name not in NO_STRETCH:
        found["stretch"] = t.log_abs_det_jacobian(x, y)
        found["inverse stretch"] = t.inv.log_abs_det_jacobian(y, x)
    if name in ("ExpTransform", "AffineTransform", "ComposeTransform"):
        found["sign"] = t.sign + 0.0 * a
    return found


def transform_case(name: str) -> None:
    op(
        f"distributions.{name}",
        lambda d: call(
            d.tensor((2, 3, 3) if "ite" in name or name.startswith("Lower") else (2, 3), PLACE),
            d.tensor((), SCALE),
            name,
        ),
        _transform,
        tolerance=LARGE,
        float32=False,
        modes=("normal",),
        second=False,
    )


for transform in TRANSFORMS:
    transform_case(transform)


def _copula(torch: Any, loc: Any, scale: Any, x: Any) -> Any:
    D = torch.distributions
    t = D.CumulativeDistributionTransform(D.Normal(loc, scale))
    p = D.TransformedDistribution(D.MultivariateNormal(loc, torch.eye(3, dtype=torch.float64)), [t])
    y = t(x)
    return y, t.inv(y), t.log_abs_det_jacobian(x, y), t.with_cache() is t, p.rsample(), p.log_prob(y.detach())


op("distributions.CumulativeDistributionTransform", lambda d: call(d.tensor((3,), PLACE), d.tensor((3,), SCALE), d.tensor((2, 3), PLACE)), _copula,
   tolerance=LARGE, seeds=True, float32=False, modes=("normal",), second=False)  # fmt: skip

# -- constraints, and maps to them

REGIONS: dict[str, Callable[[Any], Any]] = {
    "real": lambda c: c.real,
    "positive": lambda c: c.positive,
    "greater_than": lambda c: c.greater_than(-1.0),
    "greater_than_eq": lambda c: c.greater_than_eq(2),
    "less_than": lambda c: c.less_than(1.5),
    "unit_interval": lambda c: c.unit_interval,
    "interval": lambda c: c.interval(-1.0, 3.0),
    "half_open_interval": lambda c: c.half_open_interval(0.5, 2.0),
    "simplex": lambda c: c.simplex,
    "corr_cholesky": lambda c: c.corr_cholesky,
    "lower_cholesky": lambda c: c.lower_cholesky,
    "positive_definite": lambda c: c.positive_definite,
    "positive_semidefinite": lambda c: c.positive_semidefinite,
    "independent": lambda c: c.independent(c.positive, 1),
    "cat": lambda c: c.cat([c.positive, c.real], -1, [1, 2]),
    "stack": lambda c: c.stack([c.positive, c.real, c.unit_interval], -1),
    "mixture": lambda c: c.MixtureSameFamilyConstraint(c.positive),
    "boolean": lambda c: c.boolean,
    "multinomial": lambda c: c.multinomial(3),
}


def _to_region(torch: Any, x: Any, registry: str, name: str) -> Any:
    region = REGIONS[name](torch.distributions.constraints)
    found = [
        repr(region).partition(" object")[0].rpartition(".")[2], region.event_dim, region.is_discrete, region.check(x),
        region.check(x.round().abs()),
    ]  # fmt: skip
    t = answer(lambda: getattr(torch.distributions, registry)(region))
    if t == "no answer":
        return [*found, t]
    y = t(x)
    return [*found, y, t.inv(y), region.check(y), bool(t.bijective)]


def registry_case(name: str) -> None:
    op(
        f"distributions.{name}",
        lambda d: call(d.tensor((3, 3), PLACE), name, d.choice(list(REGIONS))),
        _to_region,
        tolerance=LARGE,
        float32=False,
        modes=("normal",),
        second=False,
    )


for registry in ("biject_to", "transform_to"):
    registry_case(registry)


def _own_family(torch: Any, a: Any, b: Any, other: Any) -> Any:
    class OwnNormal(torch.distributions.ExponentialFamily):
        arg_constraints: Any = {}  # noqa: RUF012
        _mean_carrier_measure = 0

        def __init__(self, a: Any, b: Any) -> None:
            self.a, self.b = a, b
            super().__init__(a.shape)

        _natural_params = property(lambda self: (self.a, -self.b))

        def _log_normalizer(self, x: Any, y: Any) -> Any:
            return -0.25 * x.pow(2) / y + 0.5 * torch.log(-torch.pi / y)

    p, q = OwnNormal(a, b), OwnNormal(other, b)
    return p.entropy(), torch.distributions.kl_divergence(p, q), isinstance(p, torch.distributions.ExponentialFamily)


op("distributions.ExponentialFamily", lambda d: call(*place_and_scale(d), d.tensor((), PLACE)), _own_family,
   tolerance=LARGE, float32=False, modes=("normal",), second=False)  # fmt: skip


def _transformed(torch: Any, loc: Any, scale: Any, kind: int) -> Any:
    D = torch.distributions
    t = D.transforms
    chains = (
        [t.ExpTransform()],
        [t.AffineTransform(loc, scale), t.SigmoidTransform()],
        [t.TanhTransform(cache_size=1)],
        t.StickBreakingTransform(),
    )
    base = D.Normal(loc, scale)
    if kind == 3:
        base = D.Normal(loc.expand(2, 3), scale)
    p = D.TransformedDistribution(base, chains[kind])
    return described(p, (2,), ("rsample", "support", *(("cdf", "icdf") if kind < 3 else ())), batch=kind < 3)


op("distributions.TransformedDistribution", lambda d: call(d.tensor((3,), PLACE), d.tensor((3,), SCALE), d.integer(0, 3)), _transformed,
   tolerance=LARGE, seeds=True, float32=False, modes=("normal",), second=False)  # fmt: skip
op("distributions.Transform", lambda d: call(d.tensor((2,), PLACE)), lambda torch, x: _of_ones_own(torch, x), tolerance=REDUCED, second=False,
   modes=("normal",))  # fmt: skip


def _of_ones_own(torch: Any, x: Any) -> Any:
    class Cube(torch.distributions.Transform):
        domain = codomain = torch.distributions.constraints.real
        bijective = True
        sign = 1

        def _call(self, x: Any) -> Any:
            return x**3

        def _inverse(self, y: Any) -> Any:
            return y.sign() * y.abs() ** (1 / 3)

        def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
            return (3 * x**2).log()

    cube = Cube()
    return cube(x), cube.inv(cube(x)), cube.log_abs_det_jacobian(x, x), cube.event_dim


def _distribution_of_ones_own(torch: Any, x: Any) -> Any:
    D: Any = torch.distributions

    class Triangle(D.Distribution):  # type: ignore[name-defined]
        arg_constraints = {"width": D.constraints.positive}  # noqa: RUF012
        support = D.constraints.nonnegative

        def __init__(self, width: Any, validate_args: Any = None) -> None:
            self.width = width
            super().__init__(width.shape, validate_args=validate_args)

        def log_prob(self, value: Any) -> Any:
            self._validate_sample(value)
            return (2 * (self.width - value) / self.width**2).log()

    p = Triangle(x)
    try:
        p.log_prob(-x)
    except ValueError:
        return p.log_prob(x / 2), tuple(p.batch_shape), repr(p)[:9]
    return None


op(
    "distributions.Distribution",
    lambda d: call(d.tensor((2,), SCALE)),
    _distribution_of_ones_own,
    tolerance=REDUCED,
    second=False,
    modes=("normal",),
)

# -- divergences


def _pairs(torch: Any, a: Any, b: Any, c: Any, e: Any) -> dict[str, Any]:
    D = torch.distributions
    p, q = a / a.sum(-1, keepdim=True), b / b.sum(-1, keepdim=True)
    chance, other = a / 4, b / 4
    low, high = -a, b
    kl = D.kl_divergence
    covariance = torch.diag_embed(a), torch.diag_embed(b)
    return {
        "Normal": kl(D.Normal(c, a), D.Normal(e, b)),
        "Laplace": kl(D.Laplace(c, a), D.Laplace(e, b)),
        "Normal Laplace": kl(D.Normal(c, a), D.Laplace(e, b)),
        "Laplace Normal": kl(D.Laplace(c, a), D.Normal(e, b)),
        "Bernoulli": kl(D.Bernoulli(chance), D.Bernoulli(other)),
        "Binomial": kl(D.Binomial(3, chance), D.Binomial(3, other)),
        "Categorical": kl(D.Categorical(p), D.Categorical(q)),
        "OneHot": kl(D.OneHotCategorical(p), D.OneHotCategorical(logits=b)),
        "Geometric": kl(D.Geometric(chance), D.Geometric(other)),
        "Poisson": kl(D.Poisson(a), D.Poisson(b)),
        "Exponential": kl(D.Exponential(a), D.Exponential(b)),
        "Exponential Gamma": kl(D.Exponential(a), D.Gamma(b, a)),
        "Exponential Normal": kl(D.Exponential(a), D.Normal(c, b)),
        "Gamma": kl(D.Gamma(a, b), D.Gamma(b, a)),
        "Gamma Exponential": kl(D.Gamma(a, b), D.Exponential(a)),
        "Chi2": kl(D.Chi2(a), D.Chi2(b)),
        "Gumbel": kl(D.Gumbel(c, a), D.Gumbel(e, b)),
        "Beta": kl(D.Beta(a, b), D.Beta(b, a)),
        "Dirichlet": kl(D.Dirichlet(a), D.Dirichlet(b)),
        "Cauchy": kl(D.Cauchy(c, a), D.Cauchy(e, b)),
        "Uniform": kl(D.Uniform(low, high), D.Uniform(low - 1, high + a)),
        "Uniform outside": kl(D.Uniform(low - 1, high), D.Uniform(low, high)),
        "Uniform Normal": kl(D.Uniform(low, high), D.Normal(c, a)),
        "HalfNormal": kl(D.HalfNormal(a), D.HalfNormal(b)),
        "LogNormal": kl(D.LogNormal(c, a), D.LogNormal(e, b)),
        "Independent": kl(D.Independent(D.Normal(c, a), 1), D.Independent(D.Normal(e, b), 1)),
        "Pareto": kl(D.Pareto(a + b, a), D.Pareto(b, c.exp())),
        "Pareto outside": kl(D.Pareto(a, a), D.Pareto(a + b, b)),
        "ContinuousBernoulli": kl(D.ContinuousBernoulli(chance), D.ContinuousBernoulli(other)),
        "LowRank": kl(
            D.LowRankMultivariateNormal(c, a.unsqueeze(-1), b), D.LowRankMultivariateNormal(e, b.unsqueeze(-1), a)
        ),
        "LowRank Multivariate": kl(
            D.LowRankMultivariateNormal(c, a.unsqueeze(-1), b), D.MultivariateNormal(e, covariance[1])
        ),
        "Multivariate LowRank": kl(
            D.MultivariateNormal(e, covariance[1]), D.LowRankMultivariateNormal(c, a.unsqueeze(-1), b)
        ),
        "Multivariate": kl(D.MultivariateNormal(c, covariance[0]), D.MultivariateNormal(e, covariance[1])),
    }


def _two_pairs(d: Draw) -> Call:
    shape = d.choice(((3,), (2, 3)))
    return call(*(d.tensor(shape, Domain(0.3, 3.0)) for _ in range(2)), *(d.tensor(shape, PLACE) for _ in range(2)))


op(
    "distributions.kl_divergence",
    _two_pairs,
    _pairs,
    tolerance=LARGE,
    second=False,
    float32=False,
    modes=("normal",),
)


def _registered(torch: Any, a: Any) -> Any:
    D = torch.distributions

    class Mine(D.Normal):  # type: ignore[name-defined]
        pass

    @D.register_kl(Mine, D.Uniform)
    def half(p: Any, q: Any) -> Any:
        return p.scale / 2

    return D.kl_divergence(Mine(a, a), D.Uniform(0.0, 1.0))


op(
    "distributions.register_kl",
    lambda d: call(d.tensor((2,), SCALE)),
    _registered,
    modes=("normal",),
)

# -- what they share

op("distributions.utils.broadcast_all", lambda d: call(d.tensor((2, 1)), d.tensor((3,)), 2.0), modes=("normal",))
op("distributions.utils.clamp_probs", lambda d: call(d.tensor(domain=Domain(0.0, 1.0))), modes=("normal",))
op(
    "distributions.utils.probs_to_logits",
    lambda d: call(d.tensor((2, 3), CHANCE), *d.choice(((), (True,)))),
    modes=("normal",),
    tolerance=REDUCED,
)
op(
    "distributions.utils.logits_to_probs",
    lambda d: call(d.tensor((2, 3), PLACE), *d.choice(((), (True,)))),
    modes=("normal",),
    tolerance=REDUCED,
)
op(
    "poisson",
    lambda d: call(d.tensor(domain=Domain(0.0, 30.0), grad=False)),
    seeds=True,
    modes=("normal",),
    gradient=False,
    layouts=False,
)
op(
    "binomial",
    lambda d: call(laid(d, d.rng.integers(0, 80, (2, 3)), False), d.tensor((2, 3), Domain(0.0, 1.0), grad=False)),
    seeds=True,
    modes=("normal",),
    gradient=False,
    layouts=False,
)
