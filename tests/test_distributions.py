"""Distributions in both engines: regions of values, errors, the random stream in float32, and what minigrad refuses."""

import numpy as np
import pytest
import torch

import minigrad
from minigrad import pathwise

ENGINES = [torch, minigrad]
rng = np.random.default_rng(0)
NUMBERS = [
    rng.normal(size=(3, 3)), np.eye(3)[[2, 0, 1]], np.eye(3), np.round(rng.normal(size=(3, 3)) * 2) / 2, np.full((3, 3), np.nan),
    np.full((3, 3), 1 / 3), np.tril(np.ones((3, 3))), np.tril(rng.normal(size=(3, 3))), np.array([[2.0, 1, 0], [1, 3, 1], [0, 1, 2]]),
    np.array([[1.0, 0, 0], [0.6, 0.8, 0], [0, 0, 1]]), rng.integers(0, 3, (3, 3)).astype(float), -np.ones((3, 3)),
]  # fmt: skip


def test_constraints_of_parts_and_of_matrices():
    numbers = [[-1.0, 2.0, 0.5], [1.0, -2.0, 3.0], [0.0, float("nan"), 1.0]]
    matrices = [[[2.0, 1.0], [1.0, 2.0]], [[1.0, 2.0], [2.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]], [[1.0, 2.0], [0.0, 1.0]]]
    for region, values in (
        (lambda c: c.cat([c.positive, c.real], -1, [1, 2]), numbers),
        (lambda c: c.cat([c.real, c.unit_interval], 0, [1, 2]), numbers),
        (lambda c: c.stack([c.positive, c.real, c.unit_interval], -1), numbers),
        (lambda c: c.stack([c.negative if hasattr(c, "negative") else c.real, c.positive, c.real], 0), numbers),
        (lambda c: c.positive_semidefinite, matrices),
        (lambda c: c.MixtureSameFamilyConstraint(c.positive), numbers),
    ):
        ours, theirs = (region(e.distributions.constraints) for e in (minigrad, torch))
        found, expected = ours.check(minigrad.tensor(values)), theirs.check(torch.tensor(values))
        assert (found.tolist(), found.dtype == minigrad.bool) == (expected.tolist(), True)
        assert (ours.is_discrete, ours.event_dim) == (theirs.is_discrete, theirs.event_dim)


def test_the_registries_stand_in_both_places():
    for e in (minigrad, torch):
        rooms = e.distributions, e.distributions.constraint_registry
        assert rooms[0].biject_to is rooms[1].biject_to
        assert rooms[0].transform_to is rooms[1].transform_to
        registry = rooms[1].ConstraintRegistry()

        class Region(e.distributions.constraints.Constraint):
            pass

        registry.register(Region, lambda region: "found")
        assert registry(Region()) == "found"
        with pytest.raises(NotImplementedError):
            registry(e.distributions.constraints.real)


def test_constraints_and_what_is_computed_when_asked_for():
    def regions(e):
        c = e.distributions.constraints
        return [
            c.boolean, c.real, c.positive, c.nonnegative, c.unit_interval, c.nonnegative_integer, c.positive_integer, c.simplex,
            c.one_hot, c.real_vector, c.lower_triangular, c.lower_cholesky, c.corr_cholesky, c.symmetric, c.square, c.multinomial(2),
            c.greater_than(1.0), c.greater_than_eq(1.0), c.less_than(1.0), c.interval(-1.0, 1.0), c.half_open_interval(-1.0, 1.0),
            c.integer_interval(0, 1), c.independent(c.positive, 1),
        ]  # fmt: skip

    for ours, theirs in zip(regions(minigrad), regions(torch), strict=True):
        for x in NUMBERS:
            found, expected = ours.check(minigrad.tensor(x)), theirs.check(torch.tensor(x))
            assert found.tolist() == expected.tolist(), (theirs, x)
        assert (ours.event_dim, ours.is_discrete) == (theirs.event_dim, theirs.is_discrete)
        assert repr(ours).partition("(")[0].lower() == repr(theirs).partition("(")[0].lower().replace(
            "integergreaterthan", "integergreaterthan"
        )
    for e in ENGINES:
        c = e.distributions.constraints
        assert bool(c.positive_definite.check(e.tensor(NUMBERS[8]))) is True
        assert bool(c.positive_definite.check(e.tensor(NUMBERS[0]))) is False
        assert c.is_dependent(c.dependent)
        assert not c.is_dependent(c.real)
        assert isinstance(c.real, c.Constraint)
        with pytest.raises(ValueError, match="dependent"):
            c.dependent.check(e.ones(2))

        class Region:
            asked = 0

            @c.dependent_property(is_discrete=True, event_dim=1)
            def support(self):
                return e.distributions.constraints.real  # noqa: B023

            @e.distributions.utils.lazy_property
            def size(self):
                self.asked += 1
                return e.is_grad_enabled()  # noqa: B023

        assert (Region.support.event_dim, Region.support.is_discrete) == (1, True)
        assert Region().support is c.real
        region = Region()
        with e.no_grad():
            assert (region.size, region.size, region.asked) == (True, True, 1)
        same = e.distributions.identity_transform
        assert same is e.distributions.transforms.identity_transform
        x = e.tensor([1.0, 2.0])
        assert same(x) is x
        assert same.inv(x) is x


@pytest.fixture(autouse=True)
def _checked():
    """Arguments are checked, also where another test has brought in torch.compile's machinery, which switches that off."""
    for e in ENGINES:
        e.distributions.Distribution.set_default_validate_args(True)


FAMILIES = {
    "Normal": (0.3, 1.2), "LogNormal": (0.3, 0.5), "Laplace": (0.3, 1.2), "Cauchy": (0.1, 1.0), "Gumbel": (0.1, 2.0), "HalfNormal": (2.0,),
    "HalfCauchy": (2.0,), "Exponential": (0.7,), "Uniform": (-1.0, 2.5), "Gamma": (0.6, 2.0), "Chi2": (3.0,), "Beta": (0.7, 2.0),
    "StudentT": (4.0, 0.5, 2.0), "Bernoulli": (0.3,), "Geometric": (0.3,), "Poisson": (4.0,), "Binomial": (9, 0.4),
}  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("shape", [(), (5,), (20, 3)], ids=str)
def test_numbers_give_the_same_stream_in_the_default_type(name, shape):
    """Parameters that are numbers, float32: the samples, and that the streams stand at the same place afterwards."""

    def drawn(e):
        e.manual_seed(5)
        parameters = FAMILIES[name]
        if name == "Binomial":
            parameters = (9, e.tensor(0.4))
        p = getattr(e.distributions, name)(*parameters)
        return p.sample(shape), p.log_prob(p.sample(shape)), e.rand(3)

    for ours, theirs in zip(drawn(minigrad), drawn(torch), strict=True):
        assert str(ours.dtype).partition(".")[2] == str(theirs.dtype).partition(".")[2]
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=3e-5, atol=2e-6)


WRONG = [
    lambda d, t: d.Normal(0.0, -1.0),
    lambda d, t: d.Normal(t([float("nan")]), 1.0),
    lambda d, t: d.Normal("a", 1.0),
    lambda d, t: d.LogNormal(0.0, -1.0),
    lambda d, t: d.HalfNormal(-1.0),
    lambda d, t: d.Uniform(2.0, 1.0),
    lambda d, t: d.Uniform(0.0, 1.0).log_prob(t(2.0)),
    lambda d, t: d.Bernoulli(1.5),
    lambda d, t: d.Bernoulli(),
    lambda d, t: d.Bernoulli(0.5, 0.5),
    lambda d, t: d.Bernoulli(0.5).log_prob(t(0.3)),
    lambda d, t: d.Categorical(t([-1.0, 2.0])),
    lambda d, t: d.Categorical(t(1.0)),
    lambda d, t: d.Categorical(t([0.5, 0.5])).log_prob(t(2)),
    lambda d, t: d.Categorical(t([0.5, 0.5])).log_prob(t([0.0, 1.0, 3.0])),
    lambda d, t: d.OneHotCategorical(t([0.5, 0.5])).log_prob(t([1.0, 1.0])),
    lambda d, t: d.Gamma(-1.0, 1.0),
    lambda d, t: d.Gamma(1.0, 1.0).log_prob(t(-1.0)),
    lambda d, t: d.Beta(1.0, 0.0),
    lambda d, t: d.Dirichlet(t(1.0)),
    lambda d, t: d.Dirichlet(t([1.0, 1.0])).log_prob(t([0.5, 0.6])),
    lambda d, t: d.Exponential(0.0),
    lambda d, t: d.Exponential(1.0).log_prob(t(-1.0)),
    lambda d, t: d.Poisson(-1.0),
    lambda d, t: d.Poisson(1.0).log_prob(t(0.5)),
    lambda d, t: d.Geometric(0.0),
    lambda d, t: d.Binomial(3, t(0.5)).log_prob(t(4.0)),
    lambda d, t: d.Binomial(-1, t(0.5)),
    lambda d, t: d.StudentT(-1.0),
    lambda d, t: d.Chi2(-1.0),
    lambda d, t: d.MultivariateNormal(t([0.0, 0.0])),
    lambda d, t: d.MultivariateNormal(t(0.0), t([[1.0]])),
    lambda d, t: d.MultivariateNormal(t([0.0, 0.0]), t([[1.0, 2.0], [2.0, 1.0]])),
    lambda d, t: d.MultivariateNormal(t([0.0, 0.0]), t([[1.0, 0.0], [0.0, 1.0]])).log_prob(t([1.0, 2.0, 3.0])),
    lambda d, t: d.Independent(d.Normal(t([0.0]), 1.0), 2),
    lambda d, t: d.Normal(t([0.0, 1.0]), 1.0).log_prob(t([0.0, 1.0, 2.0])),
    lambda d, t: d.Normal(0.0, 1.0).log_prob(2.0),
    lambda d, t: d.MixtureSameFamily(d.Normal(0.0, 1.0), d.Normal(t([0.0]), 1.0)),
    lambda d, t: d.MixtureSameFamily(d.Categorical(t([0.5, 0.5])), d.Normal(t([0.0]), 1.0)),
    lambda d, t: d.TransformedDistribution(d.Normal(0.0, 1.0), 3),
    lambda d, t: d.kl_divergence(d.Poisson(1.0), d.Cauchy(0.0, 1.0)),
    lambda d, t: d.Bernoulli(0.5).rsample(),
    lambda d, t: d.Cauchy(0.0, 1.0).expand((2,)).sample((2,)).shape == (2, 2),
    lambda d, t: d.Normal(0.0, -1.0, validate_args=False).scale.item(),
    lambda d, t: repr(d.Normal(t([0.0, 1.0]), 1.0)).replace("minigrad", "torch"),
    lambda d, t: repr(d.Categorical(t([0.25, 0.75]))).replace("minigrad", "torch"),
    lambda d, t: repr(d.Independent(d.Normal(t([0.0, 1.0]), 1.0), 1)).replace("minigrad", "torch"),
]


@pytest.mark.parametrize("k", range(len(WRONG)))
def test_errors_are_of_the_same_class(k):
    """Or of one that is derived from it."""
    outcomes = []
    for e in ENGINES:
        try:
            outcomes.append(WRONG[k](e.distributions, e.tensor))
        except Exception as error:
            outcomes.append(type(error))
    theirs, ours = outcomes
    assert ours == theirs or (isinstance(ours, type) and issubclass(ours, theirs))


def test_arguments_are_checked_unless_it_is_switched_off():
    for e in ENGINES:
        try:
            e.distributions.Distribution.set_default_validate_args(False)
            assert e.distributions.Normal(0.0, -1.0).scale == -1
        finally:
            e.distributions.Distribution.set_default_validate_args(True)
        with pytest.raises(ValueError, match="scale"):
            e.distributions.Normal(0.0, -1.0)


@pytest.mark.parametrize("name", ["Gamma", "Chi2", "Beta", "Dirichlet", "StudentT"])
def test_gradients_flow_to_the_shape_of_a_gamma_variable(name):
    """PyTorch's are approximations, right to 1.5e-3; minigrad's are exact (below)."""

    def gradient(e):
        e.manual_seed(1)
        a, b = (e.tensor([0.3, 1.0, 4.5, 30.0], dtype=e.float64, requires_grad=True) for _ in range(2))
        parameters = (a, b + 0.5) if name in ("Gamma", "Beta") else (a,)
        x = getattr(e.distributions, name)(*parameters).rsample((50,))
        (x * e.linspace(-1, 2, 4, dtype=e.float64)).sum().backward()
        return a.grad.tolist()

    np.testing.assert_allclose(gradient(minigrad), gradient(torch), rtol=1e-3)


def test_these_gradients_are_exact_where_there_is_a_formula():
    """Beta(a, 1): F = x^a. Gamma(1/2): x = z²/2, and a finite difference of the quantile at a = 1, where F = 1 - e^-x."""
    x, a = rng.random(50), np.exp(rng.normal(size=50) * 2)
    np.testing.assert_allclose(pathwise.BetaSlope.apply(x, a, a + 1), -x * np.log(x) / a, rtol=1e-12)
    # ∂F/∂a at a = 1 is ∫₀ˣ e^-t ln t dt + γ (1 - e^-x), by a sum of 200,000 midpoints on a scale that is finer towards 0
    s = (np.arange(200_000) + 0.5) / 200_000
    for value in (0.1, 1.0, 3.0):
        t = value * s**4
        inner = (np.exp(-t) * np.log(t) * 4 * value * s**3).mean()
        expected = -(inner + np.euler_gamma * (1 - np.exp(-value))) / np.exp(-value)
        assert abs(pathwise.GammaSlope.apply(np.array([1.0]), np.array([value]))[0] - expected) < 1e-8


def test_they_have_no_second_derivative():
    a = minigrad.tensor([1.5], requires_grad=True)
    (g,) = minigrad.autograd.grad(minigrad.distributions.Gamma(a, 1.0).rsample().sum(), a, create_graph=True)
    with pytest.raises(NotImplementedError, match="second"):
        g.sum().backward()


def test_a_policy_gradient_step_is_the_same():
    def weights(e):
        e.manual_seed(3)
        policy = e.nn.Linear(4, 3)
        optimizer = e.optim.SGD(policy.parameters(), lr=0.1)
        for _ in range(5):
            chosen = e.distributions.Categorical(logits=policy(e.randn(16, 4)))
            action = chosen.sample()
            loss = -(chosen.log_prob(action) * (action == 1)).mean() - 0.01 * chosen.entropy().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return policy.weight.detach().numpy()

    np.testing.assert_allclose(weights(minigrad), weights(torch), rtol=1e-5, atol=1e-6)


def test_the_variance_of_student_has_gradients_beside_an_infinite_one():
    """df of 2 is the limit, where the variance's own formula divides by 0."""
    found = []
    for t in (torch, minigrad):
        df = t.tensor([0.5, 2.0, 3.0], dtype=t.float64, requires_grad=True)
        scale = t.tensor([1.5, 0.5, 2.0], dtype=t.float64, requires_grad=True)
        t.distributions.StudentT(df, 0.0, scale).variance.backward(t.ones(3, dtype=t.float64))
        found.append((df.grad.numpy(), scale.grad.numpy()))
    np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-12)
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=1e-12)
