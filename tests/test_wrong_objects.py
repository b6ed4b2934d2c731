"""An object of another kind than is wanted: refused with PyTorch's class, by an error that was raised on purpose.

PyTorch's functions in Python fall over such an argument when they use it ("'int' object has no attribute 'param_groups'"). Here
it is named where it is read; what PyTorch takes, and be it by chance, is taken.
"""

import itertools
import math

import numpy as np
import pytest
import torch

import minigrad
from parity.fuzz import on_purpose

WRONG = {
    "a number": lambda t: 3, "a fraction": lambda t: 0.5, "None": lambda t: None, "a tuple": lambda t: (1,), "text": lambda t: "a",
    "a type": lambda t: t.float32, "a slice": lambda t: slice(0, 1), "a tensor": lambda t: t.ones(3), "a class": lambda t: object,
    "an array without dimensions": lambda t: np.array(1.0),
}  # fmt: skip


def raised(call, engine):
    """The error of the call; None where it returns."""
    try:
        call(engine)
    except Exception as error:
        return error
    return None


def unlike(call, refused=()):
    """What is wrong with how the call ends in minigrad; empty where all is as it should be. refused: classes of errors with
    which minigrad may refuse what PyTorch takes."""
    theirs, ours = raised(call, torch), raised(call, minigrad)
    if theirs is None and ours is not None and not isinstance(ours, refused):
        return f"PyTorch takes it, minigrad raises {type(ours).__name__}: {ours}"
    if theirs is not None and ours is None:
        return f"PyTorch raises {type(theirs).__name__}: {theirs}; minigrad takes it"
    if theirs is not None and not isinstance(ours, type(theirs)):
        return f"PyTorch raises {type(theirs).__name__}: {theirs}; minigrad {type(ours).__name__}: {ours}"
    if ours is not None and not on_purpose(ours, theirs):
        return f"by chance: {type(ours).__name__}: {ours}"
    return ""


def told(calls, refused=()):
    return [f"{name}: {wrong}" for name, call in calls.items() if (wrong := unlike(call, refused))]


def with_each(call):
    """The call with each of WRONG in the place of x."""
    return {name: lambda t, make=make: call(t, make(t)) for name, make in WRONG.items()}


def sgd(t):
    return t.optim.SGD([t.ones(2)], lr=0.1)


def first(n, x):
    return list(itertools.islice(iter(x), n))


def step(optimizer, times=2):
    """Steps down a parabola; for LBFGS with a closure."""
    (p,) = optimizer.param_groups[0]["params"]

    def loss():
        optimizer.zero_grad()
        value = ((p - 0.3) ** 4).sum()
        value.backward()
        return value

    for _ in range(times):
        optimizer.step(loss)


def epochs(t, name, settings, epoch):
    """Four steps of a schedule, or one to an epoch."""
    optimizer = sgd(t)
    schedule = getattr(t.optim.lr_scheduler, name)(optimizer, *settings)
    for _ in range(4) if epoch is None else ():
        optimizer.step()
        schedule.step()
    if epoch is not None:
        schedule.step(epoch)


SCHEDULES = {
    "LambdaLR": (lambda n: 1.0,), "MultiplicativeLR": (lambda n: 1.0,), "StepLR": (2,), "MultiStepLR": ([2],), "ConstantLR": (), "LinearLR": (),
    "ExponentialLR": (0.5,), "PolynomialLR": (), "CosineAnnealingLR": (5,), "CosineAnnealingWarmRestarts": (5,), "ReduceLROnPlateau": (),
    "CyclicLR": (0.1, 0.2), "OneCycleLR": (0.1, 10), "LRScheduler": (),
}  # fmt: skip
OBJECTS = {
    **{
        f"the optimizer of {name}": lambda t, x, name=name, rest=rest: getattr(t.optim.lr_scheduler, name)(x, *rest)
        for name, rest in SCHEDULES.items()
    },
    "the optimizer of SWALR": lambda t, x: t.optim.swa_utils.SWALR(x, 0.1),
    "the schedules of ChainedScheduler": lambda t, x: t.optim.lr_scheduler.ChainedScheduler(x),
    "the schedules of SequentialLR": lambda t, x: t.optim.lr_scheduler.SequentialLR(sgd(t), x, []),
    "the milestones of SequentialLR": lambda t, x: t.optim.lr_scheduler.SequentialLR(
        o := sgd(t), [t.optim.lr_scheduler.ConstantLR(o)] * 2, x
    ),
    "the group of add_param_group": lambda t, x: sgd(t).add_param_group(x),
    "the parameters of a group": lambda t, x: sgd(t).add_param_group({"params": x} if not isinstance(x, t.Tensor) else {}),
    "pad_packed_sequence": lambda t, x: t.nn.utils.rnn.pad_packed_sequence(x),
    "unpack_sequence": lambda t, x: t.nn.utils.rnn.unpack_sequence(x),
    "pack_sequence": lambda t, x: t.nn.utils.rnn.pack_sequence(x if not isinstance(x, t.Tensor) else 3),
    "invert_permutation": lambda t, x: t.nn.utils.rnn.invert_permutation(x),
    "xlogy_ in place of what is no tensor": lambda t, x: t.xlogy_(x, t.ones(3)),
    "checkpoint": lambda t, x: t.utils.checkpoint.checkpoint(x, t.ones(2), use_reentrant=False),
    "the functions of checkpoint_sequential": lambda t, x: t.utils.checkpoint.checkpoint_sequential(x, 1, t.ones(2), use_reentrant=False),
    "the segments of checkpoint_sequential": lambda t, x: t.utils.checkpoint.checkpoint_sequential(
        [t.sin] * 3, x, t.ones(2), use_reentrant=False
    ),
    "the keywords of functional_call": lambda t, x: t.func.functional_call(t.nn.Tanh(), {}, t.ones(2), x),
    "SequentialSampler": lambda t, x: first(2, t.utils.data.SequentialSampler(x)),
    "RandomSampler": lambda t, x: first(2, t.utils.data.RandomSampler(x)),
    "SubsetRandomSampler": lambda t, x: first(2, t.utils.data.SubsetRandomSampler(x)),
    "BatchSampler": lambda t, x: first(2, t.utils.data.BatchSampler(x, 2, False)),
    "the length of a BatchSampler": lambda t, x: len(t.utils.data.BatchSampler(x, 2, False)),
    "Subset": lambda t, x: len(t.utils.data.Subset([1, 2], x)),
    "ConcatDataset": lambda t, x: t.utils.data.ConcatDataset(x),
    "a part of ConcatDataset": lambda t, x: t.utils.data.ConcatDataset([x]),
    "an index of ConcatDataset": lambda t, x: t.utils.data.ConcatDataset([[1, 2], [3]])[x] if not hasattr(x, "shape") and x != 0.5 else None,
    "StackDataset": lambda t, x: t.utils.data.StackDataset(x),
    "a named part of StackDataset": lambda t, x: t.utils.data.StackDataset(a=x),
    "random_split": lambda t, x: t.utils.data.random_split(x, [1]),
    "DataLoader": lambda t, x: first(1, t.utils.data.DataLoader(x)) if not isinstance(x, str) else None,
    "DataLoader, shuffled": lambda t, x: first(1, t.utils.data.DataLoader(x, shuffle=True)) if not isinstance(x, str) else None,
    "a loader's sampler": lambda t, x: first(1, t.utils.data.DataLoader(range(4), sampler=x)) if x is None or not hasattr(type(x), "__getitem__") else None,
    "the degrees of freedom of Chi2": lambda t, x: t.distributions.Chi2(x),
    "the dimensions of LKJCholesky": lambda t, x: t.distributions.LKJCholesky(x) if not isinstance(x, np.ndarray) else None,
    **{
        f"the {place} of LowRankMultivariateNormal": lambda t, x, place=place: t.distributions.LowRankMultivariateNormal(
            **{"loc": t.ones(2), "cov_factor": t.ones(2, 1), "cov_diag": t.ones(2), place: x}
        )
        for place in ("loc", "cov_factor", "cov_diag")
    },
    **{
        f"the {place} of Wishart": lambda t, x, place=place: t.distributions.Wishart(t.tensor(5.0), **{place: x})
        for place in ("covariance_matrix", "precision_matrix", "scale_tril")
    },
    "the base of TransformedDistribution": lambda t, x: t.distributions.TransformedDistribution(x, t.distributions.ExpTransform()),
    "the base of Independent": lambda t, x: t.distributions.Independent(x, 1),
    "the base of IndependentTransform": lambda t, x: t.distributions.IndependentTransform(x, 1),
    "the distribution of a map": lambda t, x: t.distributions.CumulativeDistributionTransform(x)(t.ones(2)),
    "the maps of CatTransform": lambda t, x: t.distributions.CatTransform(x),
    "the lengths of CatTransform": lambda t, x: t.distributions.CatTransform([t.distributions.ExpTransform()], 0, x),
    "the maps of StackTransform": lambda t, x: t.distributions.StackTransform(x),
    "the parts of ComposeTransform": lambda t, x: t.distributions.ComposeTransform(x, cache_size=1),
    "the shape before ReshapeTransform": lambda t, x: t.distributions.ReshapeTransform(x, (1,)),
    "the shape after ReshapeTransform": lambda t, x: t.distributions.ReshapeTransform((1,), x),
    "cache_size": lambda t, x: t.distributions.AbsTransform(cache_size=x),
    "a shape": lambda t, x: t.Size(x),
    "an index of a shape": lambda t, x: t.ones(2).shape[x] if not isinstance(x, t.Tensor) else None,
}  # fmt: skip


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.filterwarnings("ignore")
def test_what_is_no_such_object_is_refused_by_name(name):
    assert told(with_each(OBJECTS[name])) == []


def families(t, **options):
    """A distribution of each family."""
    d, some, p, eye = t.distributions, t.tensor([1.5, 2.0, 0.7]), t.tensor([0.3, 0.6, 0.1]), t.eye(3)
    two = ("Beta", "Cauchy", "FisherSnedecor", "Gamma", "Gumbel", "InverseGamma", "Kumaraswamy", "Laplace", "LogNormal",
           "LogisticNormal", "Normal", "Pareto", "VonMises", "Weibull")  # fmt: skip
    of_p = (
        "Bernoulli",
        "Categorical",
        "ContinuousBernoulli",
        "Geometric",
        "OneHotCategorical",
        "OneHotCategoricalStraightThrough",
    )
    return {
        **{name: getattr(d, name)(some, some, **options) for name in two},
        **{name: getattr(d, name)(p, **options) for name in of_p},
        **{name: getattr(d, name)(some, **options) for name in ("Chi2", "Dirichlet", "Exponential", "HalfCauchy", "HalfNormal", "Poisson")},
        **{name: getattr(d, name)(t.tensor(1.5), p, **options) for name in ("RelaxedBernoulli", "RelaxedOneHotCategorical")},
        **{name: getattr(d, name)(4, p, **options) for name in ("Binomial", "Multinomial", "NegativeBinomial")},
        "GeneralizedPareto": d.GeneralizedPareto(some, some, p, **options), "StudentT": d.StudentT(some, some, some, **options),
        "Uniform": d.Uniform(some - 1, some, **options), "LKJCholesky": d.LKJCholesky(3, 1.0, **options),
        "Wishart": d.Wishart(t.tensor(5.0), eye, **options), "MultivariateNormal": d.MultivariateNormal(some, eye, **options),
        "LowRankMultivariateNormal": d.LowRankMultivariateNormal(some, t.ones(3, 1), some, **options),
        "Independent": d.Independent(d.Normal(some, some, **options), 1, **options),
        "MixtureSameFamily": d.MixtureSameFamily(d.Categorical(p, **options), d.Normal(some, some, **options), **options),
        **{
            f"Normal through {map_!r}": d.TransformedDistribution(d.Normal(some, some, **options), map_, **options)
            for map_ in ([], [d.ExpTransform(), d.AffineTransform(1.0, 2.0)], [d.TanhTransform()])
        },
    }  # fmt: skip


FAMILIES = {
    validated: {t: families(t, validate_args=validated) for t in (torch, minigrad)} for validated in (True, False)
}


@pytest.mark.parametrize("method", ["log_prob", "cdf", "icdf"])
@pytest.mark.parametrize("validated", FAMILIES)
@pytest.mark.parametrize("name", FAMILIES[True][torch])
@pytest.mark.filterwarnings("ignore")
def test_of_what_is_no_value_there_is_no_density(name, validated, method):
    calls = with_each(lambda t, x: getattr(FAMILIES[validated][t][name], method)(x))
    del calls["an array without dimensions"]  # of which NumPy makes its own number first
    assert told(calls) == []


def maps(t):
    """A map of each kind."""
    d = t.distributions
    single = [d.AbsTransform(), d.ExpTransform(), d.SigmoidTransform(), d.SoftplusTransform(), d.TanhTransform(), d.SoftmaxTransform(),
              d.StickBreakingTransform(), d.CorrCholeskyTransform(), d.LowerCholeskyTransform(), d.PositiveDefiniteTransform(),
              d.StickBreakingTransform().inv, d.PowerTransform(t.ones(3)), d.AffineTransform(1.0, t.ones(3)), d.AffineTransform(1.0, 2.0)]  # fmt: skip
    several = [d.ReshapeTransform((3,), (3, 1)), d.IndependentTransform(d.ExpTransform(), 1), d.StackTransform([d.ExpTransform()]),
               d.CatTransform([d.ExpTransform()]), d.ComposeTransform([d.ExpTransform(), d.StickBreakingTransform()])]  # fmt: skip
    return single + several


MAPS = {t: maps(t) for t in (torch, minigrad)}
SHAPES = {
    **{f"{x}": lambda t, x=x: x for x in ((), (3,), (2, 2), (1.5,), ("a",), (None,), [3], [3, 3], ((1,),), (math.inf,), (math.nan,), (-5,), (slice(0, 1),),
                                          (2, "a"), ("a", "a"), (None, None), [[1, 2], [3, 4]], {}, "abc")},
    "a size that is a tensor": lambda t: (t.tensor(3),), "a Size": lambda t: t.Size((3, 3)),
}  # fmt: skip


@pytest.mark.parametrize("which", range(len(MAPS[torch])), ids=[repr(m).replace("\n", "") for m in MAPS[torch]])
@pytest.mark.parametrize("method", ["forward_shape", "inverse_shape"])
def test_what_is_no_shape_becomes_none(which, method):
    calls = {**WRONG, **SHAPES}
    if "Affine" in repr(MAPS[torch][which]) or "Power" in repr(MAPS[torch][which]):  # whose shapes are broadcast
        for name in (
            "(1.5,)",
            "(inf,)",
            "(nan,)",
            "a size that is a tensor",
        ):  # PyTorch says that such sizes do not fit
            del calls[name]
    calls = {name: lambda t, make=make: getattr(MAPS[t][which], method)(make(t)) for name, make in calls.items()}
    assert told(calls) == []


@pytest.mark.parametrize("which", range(len(MAPS[torch])), ids=[repr(m).replace("\n", "") for m in MAPS[torch]])
@pytest.mark.filterwarnings("ignore")
def test_a_map_back_is_of_tensors(which):
    calls = with_each(lambda t, x: MAPS[t][which].inv(x))
    del calls["an array without dimensions"]
    assert told(calls, refused=(TypeError,)) == []  # PyTorch takes numbers where the arithmetic does


NUMBERS = {
    "a step that is no number": lambda t: t.arange(0, 1, math.nan),
    **{
        f"{n} indices by weight, {what}": lambda t, n=n, again=again: first(2, t.utils.data.WeightedRandomSampler([0.1, 0.5], n, again))
        for n in (2**61, 2**62, 2**63 - 1, 2**63)
        for what, again in {"again and again": True}.items()
    },
    "batches of 2**63": lambda t: first(1, t.utils.data.BatchSampler([1, 2], 2**63, False)),
    **{
        f"one of none, {shape} along {dim}": lambda t, shape=shape, dim=dim: t.nn.functional.gumbel_softmax(t.ones(shape), 1.0, True, dim=dim)
        for shape, dim in (((0,), 0), ((3, 0), -1), ((0, 3), 0), ((0, 3), 1), ((2, 0, 3), 1))
    },
    **{f"the permutation {x}": lambda t, x=x: t.nn.utils.rnn.invert_permutation(t.tensor(x)) for x in (0, 1, 4, -1, [0, -1], [-2])},
    **{f"a slope of {x}": lambda t, x=x: t.nn.init.calculate_gain("leaky_relu", x) for x in (1e155, -1e300, math.inf, 2**2000)},
    **{f"a share of {x}": lambda t, x=x: t.nn.init.sparse_(t.ones(3, 2), x) for x in (math.nan, math.inf, -math.inf, 0.5)},
    **{f"weights of {shape}": lambda t, shape=shape, name=name: getattr(t.nn.init, name)(t.ones(shape)) for name in ("xavier_normal_", "xavier_uniform_") for shape in ((4, 3, 2, 0), (0, 3), (0, 0))},
    **{
        f"{n} functions in {segments} segments": lambda t, n=n, segments=segments: t.utils.checkpoint.checkpoint_sequential([t.sin] * n, segments, t.ones(2), use_reentrant=False)
        for n in (0, 1, 3)
        for segments in (-3, -1, 0, 1, 2, 5, 2**70)
    },
    **{f"the epoch {x}": lambda t, x=x, n=n: t.optim.lr_scheduler.CosineAnnealingWarmRestarts(sgd(t), 5, n).step(x) for x in (math.nan, math.inf) for n in (1, 2)},
    **{f"a cycle up in {up} and down in {down}": lambda t, up=up, down=down: t.optim.lr_scheduler.CyclicLR(sgd(t), 0.1, 0.2, up, down, cycle_momentum=False) for up in (0, 5, -5) for down in (None, 0, 5)},
    **{
        f"{name} with betas {betas}": lambda t, name=name, betas=betas: step(getattr(t.optim, name)([t.ones(2, requires_grad=True)], betas=betas))
        for name in ("Adam", "AdamW", "Adamax", "NAdam", "RAdam")
        for betas in ((0.8, 0.9), (0.8,), (), (0.8, 0.9, 0.95))
    },
    **{f"Rprop with step_sizes {sizes}": lambda t, sizes=sizes: step(t.optim.Rprop([t.ones(2, requires_grad=True)], step_sizes=sizes)) for sizes in ((1e-6,), (1e-6, 50, 60))},
    **{f"LBFGS with a history of {n}": lambda t, n=n: step(t.optim.LBFGS([t.ones(2, requires_grad=True)], lr=0.1, history_size=n)) for n in (-(2**31), -1, 0, 1)},
    **{
        f"{name}{settings} at epoch {epoch}": lambda t, name=name, settings=settings, epoch=epoch: epochs(t, name, settings, epoch)
        for name, settings in (
            ("ConstantLR", (0, 2)), ("ConstantLR", (0.5, 0)), ("LinearLR", (0.5, 1.0, 0)), ("PolynomialLR", (0,)), ("StepLR", (0,)),
            ("CosineAnnealingLR", (0,)), ("OneCycleLR", (0.1, 10, None, None, 0.1)), ("OneCycleLR", (0.1, 1)),
        )
        for epoch in (None, 1, 3)
    },
    **{f"a measure {x!r}": lambda t, x=x: t.optim.lr_scheduler.ReduceLROnPlateau(sgd(t)).step(x) for x in ("mean", "1.5", None, (1,), 1j, {}, object, np.ones(3))},
    **{f"{x!r} as data": lambda t, x=x: t.utils.data.Subset(x, [0, 1])[0] for x in (2.5, None, {1, 2}, object)},
    **{f"{x!r} as indices": lambda t, x=x: t.utils.data.Subset([1, 2], x)[0] for x in (2.5, None, {1, 2}, object)},
    **{f"dirac_ in {n} groups": lambda t, n=n: t.nn.init.dirac_(t.ones(4, 3, 2), n) for n in (0, 2, 3)},
    "a group without parameters": lambda t: sgd(t).add_param_group({}),
    "a dimension of none": lambda t: t.distributions.StickBreakingTransform()(t.tensor(0.5)),
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.filterwarnings("ignore")
def test_a_number_that_goes_beyond_is_refused_on_purpose(name):
    assert unlike(NUMBERS[name]) == ""


def test_something_with_a_length_is_a_data_set_and_a_sequence_no_optimizer():
    class Four:
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return i

    for t in (torch, minigrad):
        loader = t.utils.data.DataLoader(Four(), batch_size=2)
        assert [batch.tolist() for batch in loader] == [[0, 1], [2, 3]]
        assert t.utils.data.StackDataset(Four(), range(4))[2] == (2, 2)
    with pytest.raises(TypeError, match=r"StepLR\(\): argument 'optimizer' \(position 1\) must be Optimizer, not list"):
        minigrad.optim.lr_scheduler.StepLR([minigrad.ones(2)], 2)
