"""Special values: nan, infinities, denormals, huge and tiny numbers, -0, in every operation and every form it has.

Two lists, neither written by hand: every case of the table that has a gradient, in each form of its operations (definition,
NumPy, compiled), with such a value in one place, in a row and everywhere, or in one place of the cotangent; and every
compiled loop that an operation may choose, at the sizes around its vectors, tiles, blocks and the size at which it is chosen.
What differs from PyTorch is listed with the reason, and with nothing else.

The short run gives each form and dtype of a case every kind of value in one of the three places, by turns; HYPOTHESIS_PROFILE=deep
gives it all of them. Likewise it gives each size of a compiled loop every other kind of value.
"""

import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import minigrad
from minigrad.autograd.fused import LARGE, Fused
from parity.case import CASES
from parity.cases import FAMILIES
from parity.planted import SLOPES, VALUES, WHERE, differences, plant, value

assert FAMILIES  # importing them fills the table
DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
NAN, INF = float("nan"), float("inf")

# -- every case of the table

NOT_FINITE = ("nan", "inf", "-inf")
SMALL = ("denormal", "tiny")
ANY = (*VALUES, "slope")
PADDING = "the zeros around an image, and between the places of a transposed one, are multiplied too where a weight or slope is no number"
OVERFLOW = "sums and squares of numbers near the largest pass it before they are divided, in one formula or in both"
ACCIDENTS = {
    "what LAPACK makes of numbers that are none, of a matrix that is not quite singular or whose scale is lost": {
        ("nan", "inf", "-inf", "denormal", "tiny"): [
            "cholesky_inverse",
        ],
        ("inf", "-inf", "denormal", "huge", "-0"): [
            "svd", "linalg.svd", "Tensor.svd",
        ],
        ("inf", "-inf", "huge", "-0"): [
            "svd.values", "linalg.svdvals",
        ],
        ("nan", "inf", "-inf", "denormal", "huge", "tiny", "-0"): [
            "linalg.eigh", "linalg.eigh.one_triangle", "linalg.lstsq", "linalg.qr",
            "linalg.cholesky_ex",
        ],
        ("nan", "inf", "-inf", "denormal", "huge", "tiny"): [
            "linalg.eigvalsh",
        ],
        ("inf", "-inf", "huge"): [
            "matrix_exp",
        ],
        ("inf", "-inf"): [
            "linalg.pinv", "pinverse", "linalg.matrix_norm.dims",
        ],
        ("nan", "inf", "-inf"): [
            "linalg.pinv.hermitian",
        ],
        ("inf", "-inf", "denormal", "tiny", "-0"): [
            "linalg.cond",
        ],
        ("nan", "inf", "-inf", "denormal", "huge", "-0"): [
            "linalg.det", "det", "slogdet", "linalg.slogdet",
        ],
        ("inf", "-inf", "denormal", "-0"): [
            "logdet",
        ],
        ("inf", "-inf", "denormal", "huge"): [
            "linalg.solve",
        ],
        ("inf", "-inf", "denormal", "tiny"): [
            "linalg.tensorsolve", "linalg.tensorinv",
        ],
        ("inf", "-inf", "denormal", "huge", "tiny"): [
            "linalg.inv",
        ],
        ("nan", "inf", "-inf", "huge", "slope"): [
            "linalg.householder_product", "orgqr",
        ],
        ("-inf",): [
            "distributions.PositiveDefiniteTransform",
        ],
        ("huge", "tiny", "-0"): [
            "qr", "Tensor.qr",
        ],
        ("huge",): [
            "matrix_exp.second", "linalg.cholesky", "linalg.cholesky.plain",
        ],
        ("denormal", "huge", "tiny", "-0"): [
            "linalg.matrix_exp", "linalg.inv_ex",
        ],
        ("nan", "denormal", "huge", "slope"): [
            "lu", "linalg.lu", "linalg.lu_factor", "linalg.lu_factor_ex", "Tensor.lu", "lu.infos",
        ],
        ("nan", "denormal", "huge"): [
            "lu_unpack",
        ],
        ("inf", "-inf", "denormal"): [
            "lu_solve", "Tensor.lu_solve",
        ],
        ("inf", "-inf", "denormal", "huge", "tiny", "-0"): [
            "linalg.solve_ex",
        ],
        ("nan", "inf", "-inf", "huge"): [
            "ormqr",
        ],
    },
    PADDING: {
        (*NOT_FINITE, "huge", "slope"): [
            "nn.functional.conv1d", "nn.functional.conv2d", "conv2d.batch", "nn.functional.conv_transpose1d",
            "nn.functional.conv_transpose2d", "nn.functional.conv_transpose3d", "conv_transpose2d.batch", "nn.ConvTranspose1d",
            "nn.ConvTranspose2d", "nn.ConvTranspose3d", "nn.functional.grid_sample",
        ],
    },
    OVERFLOW: {
        ("huge",): [
            "nn.functional.glu", "nn.GLU", "nn.GELU", "nn.functional.conv3d", "nn.Conv2d", "nn.Conv3d", "nn.functional.layer_norm",
            "nn.LayerNorm", "nn.functional.group_norm", "nn.GroupNorm", "nn.functional.instance_norm", "nn.InstanceNorm1d",
            "nn.InstanceNorm2d", "nn.InstanceNorm3d", "nn.BatchNorm1d", "nn.BatchNorm2d", "nn.BatchNorm3d",
            "nn.utils.rnn.PackedSequence", "nn.functional.scaled_dot_product_attention.large", "nn.Bilinear",
            "nn.functional.bilinear", "bilinear", "chain_matmul", "xlogy", "special.xlogy", "std_mean", "var_mean",
            "nn.LazyConvTranspose1d", "nn.LazyConvTranspose2d",
        ],
    },
    "a row whose scores are all masked, or infinite: PyTorch's forms give zeros, or nan, or let a nan through that is not seen": {
        (*NOT_FINITE, "huge", "slope"): [
            "nn.functional.scaled_dot_product_attention", "scaled_dot_product_attention.blocks", "nn.MultiheadAttention",
            "nn.TransformerEncoder.padded",
        ],
    },
    "PyTorch's loops for many elements and for few differ: a slope at nan is nan or the slope above, at -0 that of 0 or its opposite": {
        ("nan", "-0"): [
            "nn.functional.celu", "nn.functional.selu", "nn.ELU", "nn.CELU", "nn.functional.hardshrink", "nn.Hardshrink",
            "nn.Hardtanh", "nn.Softshrink", "Tensor.logit_", "Tensor.logit",
        ],
    },
    "PyTorch's loop for float32 makes nan of infinity: inf - inf in its tail; the value is infinity": {
        ("inf",): ["nn.functional.gelu"],
    },
    "0 · nan in PyTorch, where the slope is 0: here what is not chosen adds nothing": {
        ("slope", "nan"): [
            "nn.functional.prelu", "nn.PReLU", "nn.functional.multi_margin_loss", "nn.MultiMarginLoss",
            "nn.functional.multilabel_margin_loss", "nn.MultiLabelMarginLoss",
        ],
    },
    "inf - inf or 0 · inf comes up in one order of the same sums and products and not in the other": {
        (*NOT_FINITE, "huge", "slope"): [
            "func.jacrev", "func.jacfwd", "autograd.functional.jacobian", "prod.dtypes", "nanquantile", "renorm",
            "nn.functional.group_norm", "nn.functional.instance_norm", "nn.functional.binary_cross_entropy_with_logits",
            "nn.BCEWithLogitsLoss", "nn.BCEWithLogitsLoss.weights", "nn.functional.bilinear", "bilinear", "chain_matmul",
            "trapezoid", "nn.functional.gelu", "func.replace_all_batch_norm_modules_",
        ],
    },
    "PyTorch's second derivative of a product divides by what is tiny": {
        ANY: ["func.hessian", "autograd.functional.vhp", "autograd.functional.hvp", "autograd.functional.hessian"],
    },
    "PyTorch's mean beside a variance is nan where the mean alone is infinite": {("inf", "-inf"): ["var_mean", "std_mean"]},
    "the slope of ln ndtr has no end below, where PyTorch's is nan": {
        ("-inf", "slope"): ["special.log_ndtr", "special.log_ndtr.second"],
    },
    "of two zeros PyTorch's loops for many elements and for few take another one": {
        ("-0",): ["maximum", "minimum", "nn.functional.softshrink"],
    },
    "PyTorch's product with a half, before that with the distribution function, passes the largest number": {
        ("huge",): ["nn.functional.gelu"],
    },
    "PyTorch multiplies the slope by 0": {NOT_FINITE: ["nan_to_num"]},
    "PyTorch divides by a power of two that is less than the smallest number": {SMALL: ["frexp"]},
    "which of several equal elements comes first is left open": {
        ANY: ["kthvalue", "kthvalue.long", "topk.long", "quantile.interpolation", "nn.utils.prune"],
    },
    "parameters that are no numbers: PyTorch draws from them, and refuses the values or not": {
        ANY: [
            "distributions.Beta", "distributions.Poisson", "distributions.kl_divergence", "distributions.AffineTransform",
        ],
    },
    "samples of a parameter without end: PyTorch's Poisson counts are negative then, and its infinite matrices positive-definite": {
        ("inf", "huge"): ["distributions.NegativeBinomial", "distributions.Wishart"],
    },
    "a slope of order 1 beside 1 / tiny and -1 / tiny, which cancel: it is lost in one order of the sum and not in the other": {
        ("tiny",): ["distributions.NegativeBinomial"],
    },
    "a variance from the difference of two moments that are almost equal": {("inf", "huge"): ["distributions.Kumaraswamy"]},
    "where |x| is not above the precision, nan included, PyTorch's slope is that at 0; here that of nan is nan": {
        ("nan",): ["special.i1", "special.i1e"],
    },
    "the norm of one number is found without its square, which is 0 or infinite in PyTorch": {
        ("denormal", "tiny", "huge"): ["norm"],
    },
}  # fmt: skip


def allowed(name):
    """The kinds of values at which this case differs."""
    return {kind for lists in ACCIDENTS.values() for kinds, names in lists.items() if name in names for kind in kinds}


DIFFERENTIABLE = [case for case in CASES.values() if case.gradient]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", sorted({case.family for case in DIFFERENTIABLE}))
def test_cases(family):
    for turn, case in enumerate(DIFFERENTIABLE):
        if case.family == family:
            for kind, text in differences(case, turn=None if DEEP else turn):
                assert kind in allowed(case.name), text


# The order in which a processor's BLAS adds, and whether what it leaves of a matrix of equal elements is above 0: they differ on
# one processor and agree on another.
BY_PROCESSOR = {"linalg.cholesky.plain", "nn.LazyConvTranspose2d"}
LISTED = sorted({name for lists in ACCIDENTS.values() for names in lists.values() for name in names} - BY_PROCESSOR)


@pytest.mark.filterwarnings("ignore")
def test_what_is_listed_differs():
    """An accident that is none any longer leaves the list."""
    assert [name for name in LISTED if not any(differences(CASES[name], range(3)))] == []


# -- compiled loops, at the sizes at which they change


def compiled_names():
    """The compiled forms that operations may take, and those that are asked for by name."""

    def below(cls):
        for c in cls.__subclasses__():
            yield c
            yield from below(c)

    names = {c.compiled for c in below(Fused) if c.compiled and c.__module__.startswith("minigrad.ops")}
    for path in Path(minigrad.__file__).parent.rglob("*.py"):
        names |= set(re.findall(r'compiled_form\("([\w.]+)"', path.read_text()))
    return names


def around(*sizes):
    return sorted({n + d for n in sizes for d in (-1, 0, 1) if n + d > 0})


def lanes(engine=None):
    from minigrad.kernels.gemm import VECTOR_BYTES

    return [VECTOR_BYTES // size for size in (4, 8)]


def adam(t, p, g):
    return stepped(t, p, g, lambda p: t.optim.Adam([p], lr=0.1))


def momentum(t, p, g):
    return stepped(t, p, g, lambda p: t.optim.SGD([p], lr=0.1, momentum=0.9))


def stepped(t, p, g, make):
    """Two steps with the gradient g."""
    p = p.detach().clone().requires_grad_()
    optimizer = make(p)
    for _ in range(2):
        p.grad = g.detach().clone()
        optimizer.step()
    return p.detach()


def indices(t, n, top):
    return t.tensor([(7 * i + i // 3) % top for i in range(n)])


def recurrent(kind):
    def program(t, x, *parameters):
        layer = getattr(t.nn, kind)(x.shape[-1], parameters[1].shape[1], dtype=x.dtype)
        for p, given in zip(layer.parameters(), parameters, strict=True):
            p.data = given.detach()
        return layer(x)[0], *(p for p in layer.parameters())

    return program


def rnn_shapes(gates):
    """Sequences and width around a tile's rows and a vector: (steps, sequences, inputs), then the parameters."""
    for sequences, width in ((1, 3), (5, 7), (13, 17)):
        n = gates * width
        yield (4, sequences, 2), (n, 2), (n, width), (n,), (n,)


def row_sizes():
    """A row shorter than a vector, one longer, two, and what is left over behind several."""
    return around(1, *lanes(), *(2 * n for n in lanes()), *(4 * n for n in lanes())) + [257]


def attention_shapes():
    from minigrad.kernels.attention import KEYS, QUERIES

    for queries, keys in ((1, 1), (3, 5), (QUERIES - 1, KEYS + 1), (QUERIES + 1, KEYS), (2, KEYS - 1)):
        yield (2, queries, 3), (2, keys, 3), (2, keys, 5)


def attention(**options):
    return lambda t, q, k, v: t.nn.functional.scaled_dot_product_attention(q, k, v, **options)


def masked(t, q, k, v):
    """Some keys are not seen, and the first query sees none."""
    mask = t.tensor([[j % 3 != 1 and i > 0 for j in range(k.shape[1])] for i in range(q.shape[1])])
    return t.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def image_shapes():
    """Images, channels and filters that leave tiles unfilled, fill them, and go in the lanes of a vector as a batch."""
    for n, c, f, side in ((1, 1, 1, 5), (2, 3, 5, 7), (2, 4, 13, 9), (16, 16, 16, 4), (16, 17, 18, 3)):
        yield (n, c, side, side), (f, c, 3, 3), (f,)


def grids(rank):
    """Images and places: one of each, and channels and places around a vector."""
    for n, channels, side, places in ((1, 1, 1, 1), (2, 3, 5, 7), (1, 9, 8, 17)):
        yield (n, channels, *[side] * rank), (n, *[2] * (rank - 1), places, rank)


def sampled(mode, padding):
    return lambda t, x, grid: t.nn.functional.grid_sample(x, grid, mode, padding, align_corners=False)


def triangle(upper):
    """A solution by a triangular matrix whose diagonal outweighs the rest, so that nothing grows from row to row."""

    def program(t, a, b):
        n = a.shape[0]
        return t.linalg.solve_triangular(a / n + 2 * t.eye(n, dtype=a.dtype), b, upper=upper)

    return program


def triangles():
    """Rows around the block that is solved at a time, and right sides around a vector."""
    from minigrad.ops.solving import _BLOCK

    for n in (1, 5, *around(_BLOCK)):
        for k in (1, 9):
            yield (n, n), (n, k)


def along(t, shape):
    """An index along dimension 1 of three, with 80 places there."""
    return indices(t, shape[0] * 80 * shape[2], shape[1]).reshape(shape[0], 80, shape[2])


def cross_entropy(t, x):
    target = t.tensor([-100 if i == 1 else (3 * i) % x.shape[1] for i in range(x.shape[0])])
    return t.nn.functional.cross_entropy(x, target, reduction="none")


# By compiled form: (what is computed, the shapes of its inputs) ...
PROGRAMS = {
    "elementwise.Relu": lambda: [(lambda t, x: t.relu(x), [((n,),) for n in row_sizes() + around(8 * LARGE)])],
    "elementwise.Gelu": lambda: [
        (lambda t, x: t.nn.functional.gelu(x), [((n,),) for n in row_sizes() + around(LARGE)]),
        (lambda t, x: t.nn.functional.gelu(x, approximate="tanh"), [((n,),) for n in row_sizes()]),
    ],
    "elementwise.Erf": lambda: [(lambda t, x: t.erf(x), [((n,),) for n in row_sizes()])],
    "rows.Softmax": lambda: [
        (lambda t, x: t.softmax(x, -1), [((3, n),) for n in row_sizes()] + [((n // 8, 8),) for n in around(LARGE)])
    ],
    "rows.LogSoftmax": lambda: [
        (lambda t, x: t.log_softmax(x, -1), [((3, n),) for n in row_sizes()] + [((LARGE // 8, 8),)])
    ],
    "cross_entropy.CrossEntropyLoss": lambda: [
        (cross_entropy, [((5, n),) for n in row_sizes() if n > 1] + [((LARGE // 8, 8),)])
    ],
    "rows.NativeLayerNorm": lambda: [
        (
            lambda t, x, w, b: t.nn.functional.layer_norm(x, w.shape, w, b),
            [
                ((r, n), (n,), (n,))
                for r, n in [(3, n) for n in row_sizes() if n > 1] + [(r, 9) for r in (4, 63, 64, 65)]
            ],
        )
    ],
    "channels.NativeBatchNorm": lambda: [
        (
            lambda t, x, w, b: t.nn.functional.batch_norm(x, None, None, w, b, training=True),
            [((4, 3, n), (3,), (3,)) for n in row_sizes()],
        )
    ],
    "pool.MaxPool": lambda: [
        (lambda t, x: t.nn.functional.max_pool2d(x, 2), [((2, 3, n, n),) for n in (2, 5, 16, 17, 33)]),
        (lambda t, x: t.nn.functional.max_pool2d(x, 3, 1, 1), [((2, 3, n, n),) for n in (2, 5, 16, 17)]),
        (lambda t, x: t.nn.functional.max_pool1d(x, 3, 3, 1), [((2, 3, n),) for n in (2, 16, 49)]),
    ],
    "conv.Convolution": lambda: [
        (lambda t, x, w, b: t.conv2d(x, w, b), list(image_shapes())),
        (lambda t, x, w, b: t.conv2d(x, w, b, stride=2, padding=1), list(image_shapes())),
    ],
    "conv.TransposedConvolution": lambda: [
        (
            lambda t, x, w, b: t.conv_transpose2d(x, w, b, stride=2),
            [(x, (x[1], w[0], *w[2:]), b) for x, w, b in image_shapes()],
        )
    ],
    "attention.ScaledDotProductAttention": lambda: [
        (attention(), list(attention_shapes())),
        (attention(is_causal=True), list(attention_shapes())),
        (masked, list(attention_shapes())),
    ],
    "recurrent.RnnLayer": lambda: [(recurrent("RNN"), list(rnn_shapes(1)))],
    "recurrent.LstmLayer": lambda: [(recurrent("LSTM"), list(rnn_shapes(4)))],
    "recurrent.GruLayer": lambda: [(recurrent("GRU"), list(rnn_shapes(3)))],
    # (PyTorch's bilinear "border" and "reflection" read outside of their memory where a place is nan: tests/test_grid_sample.py.)
    "grid.Sample2D": lambda: [
        (sampled(mode, padding), list(grids(2)))
        for mode in ("bilinear", "nearest", "bicubic")
        for padding in ("zeros", "border")
        if (mode, padding) != ("bilinear", "border")
    ],
    "grid.Sample3D": lambda: [
        (sampled(mode, padding), list(grids(3))) for mode in ("bilinear", "nearest") for padding in ("zeros", "border")
    ],
    "substitution.substitute": lambda: [
        (triangle(upper=False), list(triangles())),
        (triangle(upper=True), list(triangles())),
    ],
    "scatter.AddRows": lambda: [(lambda t, x: x[indices(t, 11, x.shape[0])], [((5, n),) for n in row_sizes()])],
    "scatter.Embedding": lambda: [
        (lambda t, w: t.nn.functional.embedding(indices(t, 11, w.shape[0]), w), [((5, n),) for n in row_sizes()])
    ],
    "scatter.add_flat": lambda: [
        (
            lambda t, x: x[indices(t, LARGE // 2, 3), indices(t, LARGE // 2, x.shape[1])],
            [((3, n),) for n in row_sizes()],
        ),
    ],
    "scatter.add_entries": lambda: [
        (lambda t, x: x.take(indices(t, LARGE // 2, x.numel())), [((n,),) for n in row_sizes()]),
        (lambda t, x: x[:, indices(t, 11, x.shape[1])], [((3, 5, n),) for n in row_sizes()]),
        (lambda t, x, y: x.index_add(1, indices(t, 11, x.shape[1]), y), [((3, 5, n), (3, 11, n)) for n in row_sizes()]),
    ],
    "scatter.read_entries": lambda: [
        (lambda t, x: x.index_select(1, indices(t, 11, x.shape[1])), [((3, 5, n),) for n in row_sizes()]),
    ],
    "scatter.add_along": lambda: [
        (lambda t, x: x.gather(1, indices(t, 15_000, x.shape[1]).reshape(3, -1)), [((3, n),) for n in row_sizes()]),
        (lambda t, x, y: x.scatter_add(1, along(t, x.shape), y), [((3, 5, n), (3, 80, n)) for n in (1, 3, 17)]),
    ],
    "scatter.read_along": lambda: [
        (
            lambda t, x: x.gather(0, indices(t, 900 * x.shape[1], 5).reshape(900, -1)),
            [((5, n),) for n in (3, 17)],
        ),
    ],
    "running.running": lambda: [
        (lambda t, x: t.cummax(x, 1)[0], [((3, n),) for n in row_sizes()]),
        (lambda t, x: t.cummin(x, 0)[0], [((7, n),) for n in row_sizes()]),
    ],
    "special.erfc": lambda: [(lambda t, x: t.erfc(x), [((n,),) for n in row_sizes()])],
    "special.erfinv": lambda: [(lambda t, x: t.erfinv(x.tanh()), [((n,),) for n in row_sizes()])],
    "special.lgamma": lambda: [(lambda t, x: t.lgamma(x), [((n,),) for n in row_sizes()])],
    "first.first_of_order": lambda: [  # values alone: PyTorch leaves open which of several equal ones is chosen
        (lambda t, x: t.topk(x.detach(), min(5, x.shape[1]))[0], [((3, n),) for n in row_sizes()]),
        (lambda t, x: t.topk(x.detach(), 2, dim=0, largest=False)[0], [((7, n),) for n in row_sizes()]),
    ],
    "optimizer.adam": lambda: [(adam, [((n,), (n,)) for n in row_sizes() + around(LARGE)])],
    "optimizer.momentum": lambda: [(momentum, [((n,), (n,)) for n in row_sizes() + around(LARGE)])],
    "swaps.swapped": list,  # ... of whole numbers: a permutation
    "pairs.box_muller": list,  # ... of numbers that were drawn
}


def test_every_compiled_form_has_a_program():
    assert set(PROGRAMS) == compiled_names()


def computed(engine, program, arrays, slope):
    """Outputs and the gradients of all inputs that have one."""
    tensors = [engine.tensor(a, requires_grad=True) for a in arrays]
    result = program(engine, *tensors)
    out, *leaves = result if isinstance(result, tuple) else (result,)
    found = [out]
    if out.requires_grad:
        wanted = [tensors[0], *leaves] if leaves else tensors
        cotangent = engine.tensor(slope.reshape(-1)[: out.numel()].reshape(out.shape))
        found += engine.autograd.grad(out, wanted, cotangent)
    return [np.asarray(x.detach().numpy()) for x in found]


def told_apart(got, expected, sums, kind, where):
    """Where two arrays differ. Not by rounding: that is measured elsewhere, here it must only not hide what was planted.

    sums: nan and both infinities count as one, as in parity/planted.py. Of huge numbers what PyTorch makes infinite may be finite.
    """
    a, b = got.astype(np.float64), expected.astype(np.float64)
    lost = np.isfinite(b) & ~np.isfinite(a)
    if sums or kind == "huge":
        other = ~np.isfinite(b) & np.isfinite(a) & (kind != "huge")
    else:
        other = ~np.isfinite(b) & ~((a == b) | (np.isnan(a) & np.isnan(b)))
    finite = np.isfinite(a) & np.isfinite(b)
    a, b = np.where(finite, a, 0.0), np.where(finite, b, 0.0)
    small = kind in ("denormal", "tiny") and where == "all"  # then results are small too, and have few digits
    scale = np.maximum(np.abs(b).max(initial=0.0) if sums else np.abs(b), 0.0 if small else 1.0)
    limit = 1e-2 if small else 1e-3 if expected.dtype == np.float32 else 1e-8
    return lost | other | (np.abs(a - b) > limit * scale + 256 * float(np.finfo(expected.dtype).smallest_subnormal))


ACCIDENTS_OF_LOOPS = {
    "conv.Convolution": {PADDING: ("nan", "inf", "-inf", "slope nan", "slope inf"), OVERFLOW: ("huge",)},
    "conv.TransposedConvolution": {PADDING: ("nan", "inf", "-inf", "slope nan", "slope inf"), OVERFLOW: ("huge",)},
    "attention.ScaledDotProductAttention": {
        OVERFLOW: ("huge",),
        "PyTorch's forms differ in which keys that are not seen a nan reaches; see test_attention_keeps_a_nan": (
            "nan", "inf", "-inf", "slope nan", "slope inf",
        ),
    },
    "grid.Sample2D": {OVERFLOW: ("huge",), "a slope that is a difference of the smallest numbers": ("tiny",)},
    "grid.Sample3D": {
        OVERFLOW: ("huge",),
        PADDING: ("inf", "-inf", "slope nan", "slope inf"),
        "a place that is nan: PyTorch's backward pass takes it to lie outside, its forward pass at the edge": ("nan",),
    },
    "channels.NativeBatchNorm": {OVERFLOW: ("huge",)},
    "rows.NativeLayerNorm": {OVERFLOW: ("huge",)},
    "elementwise.Gelu": {
        "PyTorch's loop for float32 makes nan of infinity: inf - inf in its tail; the value is infinity": ("inf",),
        "a composition's gradients are added, inf - inf, and its slopes multiplied, 0 · inf": ("slope inf", "huge"),
    },
}  # fmt: skip


def mismatches(name, step):
    """(form, dtype, what was planted, which program and shapes) of each comparison that fails.

    With a step of 2 the first shapes meet every other kind of value in each dtype, the next shapes those between, and so on.
    """
    count = 0
    for k, (program, all_shapes) in enumerate(PROGRAMS[name]()):
        sums = name not in ELEMENTWISE
        for turn, shapes in enumerate(all_shapes):
            large = np.prod(shapes[0]) >= LARGE - 1
            for dtype in (np.float32, np.float64):
                for kind in (*VALUES, *(f"slope {s}" for s in SLOPES)):
                    count += 1
                    if (count + turn) % step:
                        continue
                    rng = np.random.default_rng(count)
                    arrays = [rng.normal(size=s).astype(dtype) for s in shapes]
                    slope = rng.normal(size=max(4 * arrays[0].size, 1 << 15)).astype(dtype)
                    where = WHERE[count % 3]
                    if kind in VALUES:
                        plant(arrays[count // 3 % len(arrays)], value(kind, dtype), where, rng)
                    else:
                        slope[rng.integers(0, arrays[0].size)] = SLOPES[kind.split()[1]]
                    expected = computed(torch, program, [torch.from_numpy(a) for a in arrays], torch.from_numpy(slope))
                    for form in ("numpy", "fastest") if large else ("definition", "numpy", "compiled"):
                        with minigrad.use_kernels(form):
                            given = [minigrad.from_numpy(a) for a in arrays]
                            got = computed(minigrad, program, given, minigrad.from_numpy(slope))
                        for i, (a, b) in enumerate(zip(got, expected, strict=True)):
                            wrong = told_apart(a, b, sums or (i > 0 and a.shape != arrays[0].shape), kind, where)
                            if wrong.any():
                                place = tuple(np.argwhere(wrong)[0].tolist())
                                yield (
                                    form, np.dtype(dtype).name, kind,
                                    f"program {k}, {shapes}, {kind} in {where} of {count // 3 % len(arrays)}, result {i} at {place}: "
                                    f"got {a[place]!r}, expected {b[place]!r}",
                                )  # fmt: skip


ELEMENTWISE = ("elementwise.Relu", "elementwise.Gelu", "elementwise.Erf", "pool.MaxPool", "running.running", "optimizer.adam", "optimizer.momentum")  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_loops(name):
    listed = {kind for kinds in ACCIDENTS_OF_LOOPS.get(name, {}).values() for kind in kinds}
    for form, dtype, kind, text in mismatches(name, step=1 if DEEP else 2):
        assert kind in listed, f"{form} {dtype}: {text}"


@pytest.mark.filterwarnings("ignore")
def test_what_is_listed_of_loops_differs():
    for name, reasons in ACCIDENTS_OF_LOOPS.items():
        missing = {kind for kinds in reasons.values() for kind in kinds}
        for _, _, kind, _ in mismatches(name, step=1):
            missing.discard(kind)
            if not missing:
                break
        assert missing == set(), name


# -- where a nan may go

FORMS = pytest.mark.parametrize("form", ["definition", "numpy", "compiled"])
LENGTHS = pytest.mark.parametrize("length", [3, 40, 300])  # one block, and several


def draw(*shape):
    return minigrad.from_numpy(np.random.default_rng(0).normal(size=shape)).requires_grad_()


def spoiled(x, at):
    with minigrad.no_grad():
        x[at] = NAN
    return x


def rows_of_nan(x):
    return np.isnan(x.detach().numpy()).any(-1).nonzero()[-1].tolist()


@FORMS
@LENGTHS
def test_attention_keeps_a_nan(form, length):
    attention = minigrad.nn.functional.scaled_dot_product_attention
    middle, every = length // 2, list(range(length))
    with minigrad.use_kernels(form):
        for causal in (False, True):
            q, k, v = (draw(1, length, 4) for _ in range(3))
            assert rows_of_nan(attention(spoiled(q, (0, middle)), k, v, is_causal=causal)) == [middle]
            q = draw(1, length, 4)
            seen = every[middle:] if causal else every
            assert rows_of_nan(attention(q, spoiled(k, (0, middle, 1)), v, is_causal=causal)) == seen
            out = attention(spoiled(q, slice(None)), draw(1, length, 4), v, is_causal=causal)
            assert rows_of_nan(out) == every
            out.sum().backward()
            assert rows_of_nan(q.grad) == every


@FORMS
@LENGTHS
def test_a_query_that_sees_nothing_gives_0(form, length):
    q, k, v = (draw(1, length, 4) for _ in range(3))
    mask = minigrad.ones(length, length, dtype=minigrad.bool)
    mask[1] = False
    with minigrad.use_kernels(form):
        out = minigrad.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        out.sum().backward()
    assert (out[0, 1] == 0).all()
    assert (out[0, 0] != 0).all()
    assert (q.grad[0, 1] == 0).all()
    assert all(x.grad.isfinite().all() for x in (q, k, v))


@FORMS
@LENGTHS
def test_a_query_whose_scores_are_all_minus_infinity_gives_0(form, length):
    """As in every form of PyTorch's, math and flash."""
    found = []
    for engine in (torch, minigrad):
        q, k, v = (engine.from_numpy(np.abs(np.random.default_rng(i).normal(size=(1, length, 4)))) for i in range(3))
        q[0, 1] = -INF
        with minigrad.use_kernels(form):
            found.append(engine.nn.functional.scaled_dot_product_attention(q, k, v).numpy())
    assert (found[1][0, 1] == 0).all()
    np.testing.assert_allclose(found[1], found[0], 1e-12)


@FORMS
@pytest.mark.parametrize("shape", [(2, 3, 9, 9), (16, 16, 6, 6)])
@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_convolution_spreads_a_nan_over_its_receptive_field_only(form, shape, bad):
    x, w = draw(*shape), draw(5, shape[1], 3, 3)
    with minigrad.no_grad():
        x[1, 2, 4, 3] = bad
    with minigrad.use_kernels(form):
        out = minigrad.conv2d(x, w, padding=1)
        out.sum().backward()
    assert np.argwhere(~np.isfinite(out.detach().numpy()[:, 0])).tolist() == [
        [1, i, j] for i in (3, 4, 5) for j in (2, 3, 4)
    ]
    assert x.grad.isfinite().all()
    assert w.grad[:, [c for c in range(shape[1]) if c != 2]].isfinite().all()


@FORMS
@pytest.mark.parametrize("n", [5, 64, 1000])
def test_batch_norm_keeps_a_nan_in_its_channel(form, n):
    x, clean = draw(4, 3, n), draw(4, 3, n)
    with minigrad.no_grad():
        x[0, 1, 0] = NAN
    with minigrad.use_kernels(form):
        out, wanted = (minigrad.nn.functional.batch_norm(a, None, None, training=True) for a in (x, clean))
        (out * clean.detach()).sum().backward()
    assert out[:, 1].isnan().all()
    assert x.grad[:, 1].isnan().all()
    assert out[:, ::2].equal(wanted[:, ::2])
    assert x.grad[:, ::2].isfinite().all()


@FORMS
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_recurrent_layer_keeps_a_nan_in_its_sequence(form, kind):
    layer = getattr(minigrad.nn, kind)(2, 17, dtype=minigrad.float64)
    x = draw(5, 14, 2)
    with minigrad.use_kernels(form):
        wanted = layer(x)[0].detach()
        with minigrad.no_grad():
            x[2, 7, 0] = NAN
        out = layer(x)[0]
    others = [i for i in range(14) if i != 7]
    assert out[:, others].equal(wanted[:, others])
    assert out[:2].equal(wanted[:2])
    assert out[2:, 7].isnan().all()


@FORMS
@pytest.mark.parametrize("classes", [3, 40])
def test_an_ignored_row_of_nan_reaches_no_other(form, classes):
    for smoothing in (0.0, 0.1):
        x = spoiled(draw(6, classes), 2)
        target = minigrad.tensor([0, 1, -100, 2, 1, 0])
        with minigrad.use_kernels(form):
            loss = minigrad.nn.functional.cross_entropy(x, target, label_smoothing=smoothing)
            loss.backward()
        assert loss.isfinite()
        assert x.grad[[0, 1, 3, 4, 5]].isfinite().all()
