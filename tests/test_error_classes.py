"""Errors are of PyTorch's class, and what PyTorch takes is taken: by kind, each found by the fuzzer."""

import math

import numpy as np
import pytest
from outcomes import ENGINES, outcome


def pooled(t, name, x, options):
    """The pooled values, and the gradient of their sum."""
    given = t.from_numpy(x.copy()).requires_grad_()
    result = getattr(t.nn.functional, name)(given, *options, ceil_mode=True)
    return [result, *t.autograd.grad(result.sum(), given)]


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("max_pool", (3000,)),
        ("max_pool", (3000, 1, 1500)),
        ("max_pool", (7, 3, 3)),
        ("avg_pool", (3000,)),
        ("avg_pool", (3000, 1, 1500)),
        ("avg_pool", (7, 3, 3)),
        ("lp_pool", (2.0, 3000)),
    ],
)
def test_of_a_window_larger_than_its_input_only_what_it_reaches_costs(name, rank, options):
    """A kernel of 3000 a side has 2.7e10 elements: if each were gone through, or padding made for it, this would not end."""
    x = np.random.default_rng(rank).normal(size=(2, 3, *(4, 5, 3)[:rank]))
    theirs, ours = (outcome(lambda t: pooled(t, f"{name}{rank}d", x, options), engine) for engine in ENGINES)
    if isinstance(theirs, type):  # avg_pool3d takes no window larger than the input
        assert ours is theirs
    else:
        for expected, found in zip(theirs, ours, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def ones(t, *shape, dtype="float32"):
    return t.ones(shape, dtype=getattr(t, dtype))


NO_NUMBERS = {
    "None": lambda t: None, "a type": lambda t: t.float32, "bytes": lambda t: b"a", "a dict": lambda t: {}, "a set": lambda t: {1},
    "a class": lambda t: object, "a slice": lambda t: slice(0, 1), "an ellipsis": lambda t: ..., "a layout": lambda t: t.strided,
    "text": lambda t: "a", "a date": lambda t: np.datetime64("2020-01-01"),
}  # fmt: skip
INTO_TENSORS = {
    "tensor": lambda t, x: t.tensor(x),
    "tensor of floats": lambda t, x: t.tensor(x, dtype=t.float32),
    "tensor of integers": lambda t, x: t.tensor(x, dtype=t.int64),
    "tensor of truths": lambda t, x: t.tensor(x, dtype=t.bool),
    "as_tensor": lambda t, x: t.as_tensor(x),
    "new_tensor": lambda t, x: t.ones(2).new_tensor(x),
    "a list with a type": lambda t, x: t.tensor([1.0, x], dtype=t.float32),
    "a list without": lambda t, x: t.tensor([1.0, x]),
    "FloatTensor": lambda t, x: t.FloatTensor([1.0, x]),
    "a density": lambda t, x: t.distributions.Gamma(t.ones(2), t.ones(2)).log_prob(x),
}
ROOM = (2, 3, 4, 5, 3, 2)  # of every number of dimensions the first sizes
MAPS = ("ExpTransform", "SigmoidTransform", "SoftplusTransform", "TanhTransform")
CALLS = {
    **{
        f"{way} of {what}": lambda t, of=of, into=into: into(t, of(t))
        for what, of in NO_NUMBERS.items()
        for way, into in INTO_TENSORS.items()
        if (what, way) != ("a date", "a list without")  # (NumPy's; what stands beside it says which error)
    },
    **{
        f"{name}{rank}d of {n} dimensions": lambda t, name=name, rank=rank, n=n: getattr(
            t.nn.functional, f"{name}{rank}d"
        )(ones(t, *ROOM[:n]), *((2.0, 2) if name == "lp_pool" else (2,)))
        for name in ("avg_pool", "max_pool", "lp_pool", "adaptive_avg_pool", "adaptive_max_pool")
        for rank in (1, 2, 3)
        for n in range(7)
    },
    **{
        f"{name}{rank}d around {n} dimensions": lambda t, name=name, rank=rank, n=n: getattr(t.nn, f"{name}{rank}d")(1)(
            ones(t, *ROOM[:n])
        )
        for name in ("CircularPad", "ReflectionPad", "ReplicationPad", "ZeroPad")
        for rank in (1, 2, 3)
        for n in range(7)
    },
    **{
        f"{n} dimensions to {kind}={size}, {mode}": lambda t, n=n, kind=kind, size=size, mode=mode: (
            t.nn.functional.interpolate(ones(t, *ROOM[:n]), mode=mode, **{kind: size})
        )
        for n in range(7)
        for kind, sizes in {"size": (2, (2,), (2, 2), (2, 2, 2), (2,) * 4), "scale_factor": (2.0, (2.0, 2.0))}.items()
        for size in sizes
        for mode in ("nearest", "bilinear", "area", "none such")
    },
    **{
        f"cross_entropy of {shape} and {target} {d}": lambda t, shape=shape, target=target, d=d: (
            t.nn.functional.cross_entropy(ones(t, *shape), ones(t, *target, dtype=d))
        )
        for shape in ((3,), (2, 3), (2, 3, 4))
        for target in ((), (3,), (2,), (2, 3), (1,))
        for d in ("int64", "int32", "bool", "float64")
        if (shape, d) != ((3,), "float64")
    },
    **{
        f"{name} of batches {a} and {b}": lambda t, name=name, a=a, b=b: getattr(t, name)(
            ones(t, 3, 4), ones(t, *a), ones(t, *b)
        )
        for name in ("addbmm", "baddbmm")
        for a, b in (
            *(((2, 3, 2)[:n], (2, 2, 4)) for n in range(4)),
            *(((2, 3, 2), (2, 2, 4)[:n]) for n in range(4)),
        )
    },
    **{
        f"{name} of {shape}": lambda t, name=name, shape=shape: getattr(t, name)(
            ones(t, 4, 3), 0, t.tensor([0, 1]), ones(t, *shape), *(["prod"] if name == "index_reduce" else [])
        )
        for name in ("index_add", "index_copy", "index_reduce")
        for shape in ((), (2,), (2, 3), (3, 2), (2, 4), (2, 3, 1), (1, 3))
    },
    **{
        f"{name} of {first} and {second} as {what}": lambda t, name=name, first=first, second=second, x=x: getattr(
            t.distributions, name
        )(**({"temperature": t.tensor(0.5)} if name.startswith("Relaxed") else {}), **{first: ones(t, 2), second: x(t)})
        for name in (
            "Bernoulli", "Binomial", "Categorical", "ContinuousBernoulli", "Geometric", "Multinomial", "OneHotCategorical",
            "OneHotCategoricalStraightThrough", "RelaxedBernoulli", "RelaxedOneHotCategorical",
        )
        for first, second in (("probs", "logits"), ("logits", "probs"))
        for what, x in {"a number": lambda t: 1, "text": lambda t: "a", "a tuple": lambda t: (1,), "a type": lambda t: t.int64, "a tensor": lambda t: ones(t, 2)}.items()
    },
    **{
        f"MultivariateNormal with a {second} of {x}": lambda t, second=second, x=x: t.distributions.MultivariateNormal(
            ones(t, 2), t.eye(2), **{second: x}
        )
        for second in ("precision_matrix", "scale_tril")
        for x in (math.nan, "a", (1,))
    },
    **{
        f"the stretch of {name} with {what} for y": lambda t, name=name, x=x: getattr(
            t.distributions, name
        )().log_abs_det_jacobian(t.ones(3), x)
        for name in MAPS
        for what, x in {"None": None, "a list": [None], "text": "a", "a number": 1}.items()
    },
    "the stretch of an affine map": lambda t: t.distributions.AffineTransform(2.0, 3.0).log_abs_det_jacobian(t.ones(3), 5),
    "the stretch of another shape": lambda t: t.distributions.ReshapeTransform((3,), (3, 1)).log_abs_det_jacobian(t.ones(1), 5),
    **{
        f"another shape of {n} elements": lambda t, n=n: t.distributions.ReshapeTransform((3,), (3, 1))(t.ones(n))
        for n in (0, 1, 3, 6)
    },
    **{
        f"the shape of an affine map of {shape}": lambda t, shape=shape: tuple(
            t.distributions.AffineTransform(0.0, t.ones(2)).forward_shape(shape)
        )
        for shape in (3.0, (1.5, 2), ("a",), [[1]], (3, 2), (-1,))
    },
    **{
        f"a correlation of {d}": lambda t, d=d: t.distributions.CorrCholeskyTransform()(ones(t, 2, 3, dtype=d))
        for d in ("int8", "int64", "bool", "float64")
    },
    "VonMises like what is none": lambda t: tuple(
        t.distributions.VonMises(t.tensor(0.5), t.tensor(1.0)).expand((2,), _instance=3).batch_shape
    ),
    **{
        f"no permutation: {x}": lambda t, x=x: t.nn.utils.rnn.invert_permutation(t.tensor(x))
        for x in ([0, 5], [0, -3], [0, -(2**63)], [1, 0])
    },
    **{f"randint up to {high}": lambda t, high=high: t.randint(2, high, (3,)) for high in ((0, 0), [5], 5)},
    **{
        f"{name} of what {parameter} is not": lambda t, name=name, parameter=parameter: getattr(
            t.nn.utils.parametrizations, name
        )(t.nn.Linear(4, 3), parameter)
        for name in ("weight_norm", "spectral_norm", "orthogonal")
        for parameter in ("cpu", "forward", "in_features")
    },
    **{
        f"{name}{rank}d of {n} dimensions to {sizes}": lambda t, name=name, rank=rank, n=n, sizes=sizes: getattr(
            t.nn.functional, f"{name}{rank}d"
        )(ones(t, *ROOM[:n]), sizes[:rank])
        for name in ("adaptive_avg_pool", "adaptive_max_pool")
        for rank in (1, 2, 3)
        for n in range(7)
        for sizes in ((1, 1, 1), (2, 1, 2))
    },
    **{
        f"{name} in place of {shape}, p={p}": lambda t, name=name, shape=shape, p=p: getattr(t, name)(
            t.ones(shape, requires_grad=True), p, True
        )
        for name in ("dropout_", "alpha_dropout_", "feature_dropout_", "feature_alpha_dropout_")
        for shape in ((0, 3, 4), (2, 3, 0), (2, 3, 4))
        for p in (0.5, 0.0, 1.5)
    },
    **{
        f"{name} of what is no module: {x}": lambda t, name=name, x=x: getattr(t.nn.utils.parametrizations, name)(x)
        for name in ("weight_norm", "spectral_norm", "orthogonal")
        for x in ((1,), "a", 3)
    },
    **{
        f"linearize at {x}": lambda t, x=x: t.func.linearize(lambda x: x * x, x)[0]
        for x in (1, 1.5, True, np.float64(1.5))
    },
    **{
        f"CircularPad{rank}d around {x}": lambda t, rank=rank, x=x: getattr(t.nn, f"CircularPad{rank}d")(1)(x)
        for rank in (1, 2, 3)
        for x in (5, None, "a")
    },
    "classes of a number": lambda t: t.nn.AdaptiveLogSoftmaxWithLoss(6, 9, [2, 5])(t.tensor(1.0), t.tensor([1, 2, 3])),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore")
def test_the_call_is_refused_with_pytorchs_class_or_taken(name):
    theirs, ours = (outcome(CALLS[name], engine) for engine in ENGINES)
    if isinstance(theirs, type):
        assert isinstance(ours, type), f"PyTorch raises {theirs.__name__}, minigrad gives {ours}"
        assert issubclass(ours, theirs)
    else:
        assert not isinstance(ours, type), f"PyTorch gives {theirs}, minigrad raises {ours.__name__}"
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
