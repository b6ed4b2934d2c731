"""Values, gradients and second derivatives where functions have edges: 0, ±1, halves, ±inf, nan, and each case's own kinks.

Every differentiable case of the table is drawn with such values planted in half of all places, and compared with PyTorch,
nan and infinities included. What differs is listed below with the reason, and with nothing else.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

import minigrad
from parity.agreement import MINIGRAD, TORCH, Example, Mismatch, Tally, _Backward, run_form
from parity.case import CASES
from parity.cases import FAMILIES
from parity.inputs import Seeded

assert FAMILIES  # importing them fills the table
INF, NAN = float("inf"), float("nan")
PLANTED = {
    "zero": (0.0, -0.0),
    "unit": (0.0, 1.0, -1.0),
    "halves": (0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0),
    "infinite": (0.0, INF, -INF),
    "minus infinity": (-INF, 0.0),
    "nan": (NAN, 0.0, 1.0),
}
NOT_FINITE = ("infinite", "minus infinity", "nan")

# Where PyTorch's answer is an accident, or nobody's, and at which planted values.
ORDER = "inf - inf or 0 · inf comes up in one order of the same sums and products and not in the other"
SECOND = "PyTorch's second derivative is a formula of its own, and takes another branch there than its first"
ACCIDENTS = {
    NOT_FINITE: {
        ORDER: [
            "addcdiv", "bilinear", "nn.functional.bilinear", "nn.Bilinear", "chain_matmul",
            "logcumsumexp", "nn.BCEWithLogitsLoss.weights", "nn.CrossEntropyLoss.soft", "nn.GLU", "nn.functional.glu",
            "nn.functional.layer_norm", "nanquantile", "linalg.vander", "linalg.householder_product", "func.grad",
            "func.grad_and_value", "func.jacrev", "func.jacfwd", "func.hessian", "vmap", "autograd.functional.hessian",
            "autograd.functional.hvp", "lu_solve", "Tensor.lu_solve", "orgqr", "ormqr",
        ],
        "samples of a parameter without end: PyTorch's Poisson counts are negative then, and its infinite matrices positive-definite": [
            "distributions.NegativeBinomial", "distributions.Wishart",
        ],
        "where |x| is not above the precision, nan included, PyTorch's slope is that at 0; here that of nan is nan": [
            "special.i1", "special.i1e",
        ],
        "PyTorch's mean is updated element by element, which makes inf - inf of one infinite element": [
            "std_mean", "var_mean",
        ],
        "PyTorch takes the second derivative of a nan or infinite difference for that of a large one": [
            "nn.functional.huber_loss", "nn.HuberLoss", "nn.HuberLoss.kinks", "nn.functional.smooth_l1_loss",
            "nn.SmoothL1Loss", "nn.SmoothL1Loss.kinks",
        ],
        "the zeros that stand between the elements, or around them, are multiplied too: 0 · inf": [
            "nn.functional.conv_transpose1d", "nn.functional.conv_transpose2d", "nn.functional.conv_transpose3d",
        ],
        "a row of which all is masked, or infinite: PyTorch gives zeros in one of its forms and nan in another": [
            "nn.functional.scaled_dot_product_attention", "nn.functional.scaled_dot_product_attention.large",
            "nn.TransformerEncoder.padded",
        ],
        "PyTorch's sign of nan is nan in this backward pass, and 0 in every other: the gradient of |x| at nan is 0": [
            "pdist",
        ],
        "at -inf, where the slope is infinite, PyTorch's gradient is the exponential of inf - inf": ["special.log_ndtr", "special.log_ndtr.second"],
        "what LAPACK makes of a matrix that is not finite, or that PyTorch reports a bug of its own": ["linalg.lstsq"],
    },
    tuple(PLANTED): {
        SECOND: ["nn.functional.prelu.second", "nn.BCELoss.second"],
        "at -1, -2, ... there is a pole, and PyTorch's sin(πx) is not quite 0 there": ["digamma.gradient", "special.psi"],
        "which of several equal elements an unstable sort, or topk, takes first": [
            "nanquantile", "quantile.interpolation", "nn.utils.prune",
        ],
        "a row of zeros is not scaled and has no second derivative: 0 here, 0 · inf of its norm's in PyTorch": ["renorm"],
        "PyTorch's third derivative of a product of all elements is nan where one is 0; a polynomial's is finite": [
            "func.hessian",
        ],
        "a variance of 0: both refuse it, PyTorch where it factors a matrix, minigrad where it looks at the parameters": [
            "distributions.LowRankMultivariateNormal",
        ],
        "weights of both signs that add up to 0: a mean of weight 0": ["nn.NLLLoss.weight"],
    },
}  # fmt: skip
ALLOWED = {
    (name, planted)
    for sets, reasons in ACCIDENTS.items()
    for names in reasons.values()
    for name in names
    for planted in sets
}


def differences(case, seeds):
    """(planted values, what) of each comparison that fails."""
    planted = PLANTED | ({"own": case.kinks} if case.kinks else {})
    for name, values in planted.items():
        tried = replace(case, modes=("kinks",), kinks=values, float32=False)
        for seed in seeds:
            for second in {False, case.second}:
                example = Example(tried, Seeded(seed), Tally(), "fastest")
                example.second = second
                try:
                    example.check()
                except Mismatch as mismatch:
                    yield name, str(mismatch)


DIFFERENTIABLE = [case for case in CASES.values() if case.gradient]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", sorted({case.family for case in DIFFERENTIABLE}))
def test_edges(family):
    for case in DIFFERENTIABLE:
        if case.family == family:
            for planted, text in differences(case, range(2)):
                assert (case.name, planted) in ALLOWED, f"{planted}: {text}"


# What PyTorch does there is its LAPACK's choice, which differs between processors: the factor of an infinite matrix is
# refused on Intel's, and is nan on AMD's. Listed above for the one, and no difference on the other.
BY_PROCESSOR = {"distributions.LowRankMultivariateNormal"}


def test_what_is_listed_differs():
    """An accident that is none any longer leaves the list."""
    names = {name for reasons in ACCIDENTS.values() for listed in reasons.values() for name in listed}
    assert names >= BY_PROCESSOR
    assert [name for name in sorted(names - BY_PROCESSOR) if not any(differences(CASES[name], range(2)))] == []


@pytest.mark.parametrize("variances", [[0.0, 1.0], [-0.0, 1.0], [0.0, 0.0], [-1.0, 1.0]])
def test_both_refuse_a_variance_that_is_not_positive(variances):
    for engine, errors in (
        (torch, (ValueError, torch.linalg.LinAlgError)),
        (minigrad, (ValueError, minigrad.linalg.LinAlgError)),
    ):
        place, factor = engine.zeros(2), engine.ones(2, 1)
        with pytest.raises(errors):
            engine.distributions.LowRankMultivariateNormal(place, factor, engine.tensor(variances))


def both(program):
    """The result of a program in both engines, which must be the same."""
    results = []
    for engine in (torch, minigrad):
        found = []
        for x in program(engine):
            found.append(None if x is None else np.asarray(x.tolist()))
        results.append(found)
    for a, b in zip(*results, strict=True):
        if a is None or b is None:
            assert a is b
        else:
            np.testing.assert_allclose(b, a, rtol=1e-12)
    return results[1]


@pytest.mark.parametrize("method", ["median", "nanmedian"])
@pytest.mark.parametrize(
    "values", [[3.0, 3.0, 1.0, 1.0], [1.0, 2.0, 2.0, 2.0, 9.0], [NAN, 1.0, NAN], [2.0], [0.0, -0.0]]
)
def test_the_median_of_all_shares_its_gradient_evenly(method, values):
    def program(engine):
        x = engine.tensor(values, requires_grad=True)
        y = getattr(x, method)()
        (g,) = engine.autograd.grad(y * y, x, create_graph=True)
        (h,) = engine.autograd.grad((g * g).sum(), x)
        return y, g, h

    both(program)


@pytest.mark.parametrize("x", [0.3, 2.5, 40.0, -0.5, -3.7, 0.0])
def test_digamma_has_a_second_derivative(x):
    def program(engine):
        v = engine.tensor(x, dtype=engine.float64, requires_grad=True)
        (g,) = engine.autograd.grad(v.digamma(), v, create_graph=True)
        return engine.autograd.grad(g, v)

    both(program)


def test_a_count_has_no_gradient():
    def program(engine):
        x = engine.tensor([0.0, 2.0], requires_grad=True)
        y = x.norm(p=0)
        y.backward()
        return y, x.grad

    assert both(program)[1] is None


@pytest.mark.parametrize("weights", [[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_of_no_weight_is_nan(weights, smoothing):
    def program(engine):
        x = engine.tensor([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]], dtype=engine.float64, requires_grad=True)
        loss = engine.nn.functional.cross_entropy(
            x, engine.tensor([0, 1]), engine.tensor(weights, dtype=engine.float64), label_smoothing=smoothing
        )
        loss.backward()
        return loss, x.grad

    both(program)


# Whose gradients require grad under create_graph where PyTorch's do not, or the other way round, and why.
NOTHING_THERE = "an input without elements, or a result of one element only, has no gradient to speak of"
RECORDED = {
    NOTHING_THERE: [
        "Tensor.__setitem__",
        "Tensor.repeat",
        "cat",
        "as_strided",
        "prod",
        "logcumsumexp",
        "det",
        "linalg.det",
    ],
    "PyTorch multiplies powers that are 0 by a constant, and records it here": ["linalg.vander"],
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", sorted({case.family for case in DIFFERENTIABLE}))
def test_gradients_require_grad_where_pytorchs_do(family):
    """Under create_graph, with a cotangent that requires grad and with one that does not: relu's gradient does in both."""
    allowed = {name for names in RECORDED.values() for name in names}
    for case in DIFFERENTIABLE:
        if case.family != family or not case.second or case.name in allowed:
            continue
        for seed in range(3):
            example = Example(replace(case, float32=False), Seeded(seed), Tally(), "fastest")
            runs = [
                run_form(engine, case, example.form, example.call, None, example.seed) for engine in (TORCH, MINIGRAD)
            ]
            if any(run.error for run in runs):
                continue
            outputs = [i for i, (_, y) in enumerate(runs[0].outputs) if isinstance(y, torch.Tensor) and y.requires_grad]
            shapes = [runs[0].outputs[i][1] for i in outputs]
            cotangents = [example.draw.cotangent(tuple(y.shape), TORCH.dtype(y)) for y in shapes]
            for required in (True, False) if outputs else ():
                found = []
                for run in runs:
                    side = _Backward(run, outputs, cotangents)
                    for cotangent in side.cotangents:
                        cotangent.requires_grad_(required)
                    try:
                        found.append([g if g is None else g.requires_grad for g in side.gradients(create_graph=True)])
                    except NotImplementedError:  # a derivative that PyTorch has not written
                        break
                assert len(found) < 2 or found[0] == found[1], f"{case.name}, cotangent requires grad: {required}"


@pytest.mark.parametrize(
    "function",
    [
        lambda F, x: F.relu(x),
        lambda F, x: F.max_pool1d(x, 2),
        lambda F, x: F.pad(x, (1, 1), mode="reflect"),
        lambda F, x: F.nll_loss(x[0], x[0, :, 0].long().abs() * 0),
    ],
)
def test_a_penalty_on_a_gradient_of_jumps_is_differentiated_and_adds_nothing(function):
    def program(engine):
        x = engine.arange(-4.0, 8.0).reshape(1, 3, 4).requires_grad_()
        (g,) = engine.autograd.grad(function(engine.nn.functional, x).sum(), x, create_graph=True)
        return g, *engine.autograd.grad((g * g).sum(), x)

    both(program)


SEQUENCES = [
    [1.0, 3.0, 3.0, 5.0],
    [5.0, 4.0, 3.0],
    [1.0, NAN, 3.0],
    [NAN],
    [NAN, 1.0, 2.0],
    [1.0, INF],
    [],
    [3, 1, 2, 0, 9, 4],
]
SOUGHT = [0.0, -0.0, 1.0, 2.0, 3.0, 4.0, 9.0, NAN, INF, -INF]


@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("right", [False, True])
def test_places_in_sequences_sorted_or_not(sequence, right):
    def program(engine):
        s, x = (engine.tensor(values, dtype=engine.float64) for values in (sequence, SOUGHT))
        yield engine.searchsorted(s, x, right=right)
        yield engine.bucketize(x, s, right=right)
        yield engine.searchsorted(s, x, right=right, sorter=engine.arange(len(sequence)).flip(0))
        yield engine.searchsorted(engine.stack([s, s.flip(0)]), engine.stack([x, x]), right=right)

    both(program)


@pytest.mark.parametrize(
    "values",
    [[NAN, 1.0, NAN, 1.0, 2.0], [NAN, NAN], [0.0, -0.0, 0.0], [INF, -INF, INF], [], [True, False, True], [3, 1, 1, 2]],
)
def test_each_nan_is_a_value_of_its_own(values):
    def program(engine):
        x = engine.tensor(values)
        for options in ({}, {"return_inverse": True, "return_counts": True}):
            for unique in (engine.unique, engine.unique_consecutive):
                found = unique(x, **options)
                yield from found if options else [found]
        if not any(v != v for v in values):  # (an order of rows with nan is an accident of the sort)
            yield from engine.unique(x, dim=0, return_inverse=True, return_counts=True)

    both(program)


@pytest.mark.parametrize("values", [[0.1, 0.2, 0.3, 0.7, 0.8, 0.9, 1.0], [1.0, 1.0], [], [0.5, NAN, 2.0, -1.0, INF]])
@pytest.mark.parametrize("bins", [1, 3, 7, 10])
def test_bins_end_where_pytorchs_do(values, bins):
    def program(engine):
        x = engine.tensor(values, dtype=engine.float64)
        yield engine.histc(x, bins, 0, 1)
        yield from engine.histogram(x, bins, range=(0.0, 1.0))
        yield from engine.histogram(x, bins, range=(0.0, 1.0), density=True)
        if np.isfinite(values).all():
            yield engine.histc(x, bins)
            yield engine.histc(x, bins, 2, 2)

    both(program)
    for engine in (torch, minigrad):
        for wrong in ({"bins": 0}, {"min": 1, "max": 0}, {"min": 0, "max": INF}, {"min": NAN, "max": 1}):
            with pytest.raises(RuntimeError):
                engine.histc(engine.tensor([1.0]), **wrong)


@pytest.mark.parametrize("name", ["var", "std", "var_mean", "std_mean"])
@pytest.mark.parametrize(
    ("shape", "dim", "correction"), [((1, 3), 0, 1), ((3,), None, 3), ((0, 3), 1, 0), ((0,), None, 0)]
)
def test_a_variance_without_degrees_of_freedom_warns(name, shape, dim, correction):
    def program(engine):
        with pytest.warns(UserWarning, match=rf"^{name}\(\): degrees of freedom is <= 0"):
            found = getattr(engine, name)(engine.ones(shape), dim, correction=correction)
        yield from found if isinstance(found, tuple) else [found]

    both(program)


@pytest.mark.parametrize("p", [INF, -INF])
@pytest.mark.parametrize("values", [[NAN, 1.0, 0.0], [-2.0, 2.0, 1.0], [0.0, 0.0], [INF, -INF, 1.0], [3.0]])
def test_gradients_of_the_largest_distance(p, values):
    """A norm shares its gradient among ties and has none at nan; `cdist` and `pdist` give each tie the whole."""

    def program(engine):
        x = engine.tensor(values, dtype=engine.float64, requires_grad=True)
        yield from engine.autograd.grad(x.norm(p), x)
        yield from engine.autograd.grad(engine.nn.functional.pairwise_distance(x[None], -x[None], p).sum(), x)
        if p > 0 and np.isfinite(values).all():
            yield from engine.autograd.grad(engine.cdist(x[None], -x[None], p).sum(), x)
            yield from engine.autograd.grad(engine.pdist(engine.stack([x, -x, 3 * x]), p).sum(), x)

    both(program)


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.5, 0.7, 1.0, -1.0, 2.0, INF, NAN])
def test_lerp_goes_from_the_nearer_end(weight):
    def program(engine):
        a, b = (engine.tensor(v, dtype=engine.float64) for v in ([1.0, 1e16, INF, 0.1], [3.0, 1.0, 2.0, INF]))
        return engine.lerp(a, b, weight), engine.lerp(a, b, engine.full((4,), weight, dtype=engine.float64))

    both(program)


ROWS = {
    "layer_norm": lambda F, x: F.layer_norm(x, x.shape[1:]),
    "group_norm": lambda F, x: F.group_norm(x[:, None], 1),
    "instance_norm": lambda F, x: F.instance_norm(x[:, None]),
    "batch_norm": lambda F, x: F.batch_norm(x[None], None, None, training=True),
    "var": lambda F, x: x.var(1),
    "std": lambda F, x: x.std(1),
    "logsumexp": lambda F, x: x.logsumexp(1),
    "softmax": lambda F, x: x.softmax(1),
    "mean": lambda F, x: x.mean(1),
    "norm": lambda F, x: x.norm(dim=1),
    "normalize": lambda F, x: F.normalize(x, dim=1),
    "cosine_similarity": lambda F, x: F.cosine_similarity(x, x.flip(1)),
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("n", [2, 1000, 32768, 1_000_000])
@pytest.mark.parametrize("form", ["numpy", "compiled"])
def test_rows_of_equal_and_of_distant_numbers(name, n, form):
    """float32 against the truth in float64, beside PyTorch's own error there."""
    noise = np.random.default_rng(0).normal(size=(2, n))
    for rows in (np.full((2, n), 0.1), np.full((2, n), 1234.567), noise, noise + 1e3):
        rows = rows.astype(np.float32)
        with minigrad.use_kernels(form):
            ours = ROWS[name](minigrad.nn.functional, minigrad.tensor(rows)).numpy()
        theirs = ROWS[name](torch.nn.functional, torch.tensor(rows)).numpy()
        truth = ROWS[name](torch.nn.functional, torch.tensor(rows.astype(np.float64))).numpy()
        scale = max(np.abs(truth).max(), 1.0 if "norm" in name else 1e-3)
        ours, theirs = (np.abs(found - truth).max() / scale for found in (ours, theirs))
        assert ours <= 4 * theirs + 2e-6, (ours, theirs)


@pytest.mark.parametrize("size", [1e30, 1e-30])
def test_the_deviation_of_numbers_whose_squares_are_no_float32(size):
    def program(engine):
        x = engine.tensor([size, -size, 3 * size], requires_grad=True)
        y = x.std()
        y.backward()
        return y / size, x.grad

    for ours, theirs in zip(program(minigrad), program(torch), strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-6)


def test_layer_norm_of_an_infinite_variance_is_nan():
    for form in ("numpy", "compiled"):
        with minigrad.use_kernels(form):
            x = minigrad.tensor([[1e30, -1e30, 2e30]])
            assert minigrad.nn.functional.layer_norm(x, (3,)).isnan().all()
            assert torch.nn.functional.layer_norm(torch.tensor(x.numpy()), (3,)).isnan().all()


@pytest.mark.parametrize("x", [-4.0, -1.0, 2.0, 5.0])
def test_hardsigmoid_has_a_second_derivative(x):
    """Its first is constant by parts, so the second is 0; PyTorch has none, and says so."""
    v = minigrad.tensor(x, requires_grad=True)
    (g,) = minigrad.autograd.grad(minigrad.nn.functional.hardsigmoid(v), v, create_graph=True)
    assert minigrad.autograd.grad(g + v * 0, v)[0].item() == 0.0
    w = torch.tensor(x, requires_grad=True)
    (h,) = torch.autograd.grad(torch.nn.functional.hardsigmoid(w), w, create_graph=True)
    assert h.item() == pytest.approx(g.item())
    with pytest.raises(RuntimeError, match="not implemented|hardsigmoid"):
        torch.autograd.grad(h + w * 0, w)
