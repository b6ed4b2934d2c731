"""Recurrent layers' compiled loops: the formulas over whole vectors, every height of a tile, what is kept and what is not."""

import mpmath
import numpy as np
import pytest
import torch

import minigrad
from minigrad import kernels
from minigrad.kernels import compiled, lanes
from minigrad.kernels import recurrent as loops

# -- exponentials of whole vectors

_sigmoid, _tanh, _exp = (
    lanes.over_rows(lambda x, f=f: [f(x[0])], (1,), (1,)) for f in (lanes.sigmoid, lanes.tanh, lanes.exp_nonpositive)
)


@compiled.kernel
def apply(which, x, out):
    arrays, nought = (x, out), (0, 0)
    if which == 0:
        _sigmoid(1, x.size, arrays, nought, nought, nought)
    elif which == 1:
        _tanh(1, x.size, arrays, nought, nought, nought)
    else:
        _exp(1, x.size, arrays, nought, nought, nought)


def applied(which, x):
    """Of any number of elements: the formula reads and writes whole vectors, to which the array is filled up."""
    padded = np.zeros(-(-x.size // 16) * 16, x.dtype)
    padded[: x.size] = x
    out = np.empty_like(padded)
    apply(which, padded, out)
    return out[: x.size]


EXACT = [lambda x: 1 / (1 + mpmath.exp(-x)), mpmath.tanh, mpmath.exp]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_exponentials_of_vectors(which, dtype):
    """Within three units in the last place, or of the smallest number; over all exponents."""
    rng = np.random.default_rng(0)
    high = 105 if dtype == np.float32 else 750
    tiny = np.exp(rng.uniform(-100 if dtype == np.float32 else -700, np.log(high), 400))
    x = np.concatenate([rng.uniform(-high, high, 600), rng.uniform(-2, 2, 400), tiny, -tiny]).astype(dtype)
    x = -abs(x) if which == 2 else x
    with mpmath.workdps(40):
        exact = [EXACT[which](mpmath.mpf(float(v))) for v in x]
        off = [abs(float(mpmath.mpf(float(y)) - e)) for y, e in zip(applied(which, x), exact, strict=True)]
        one = np.spacing(np.abs(np.array([float(e) for e in exact])).astype(dtype))
    assert np.max(off / one.astype(np.float64)) < 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exponentials_of_special_values(dtype):
    """Of every nan nan, whatever else its bits say; at infinity the limit; the sign of 0 stays."""
    bits, integer = (0x7FC00000, np.uint32) if dtype == np.float32 else (0x7FF8000000000000, np.uint64)
    nans = np.array([bits + extra for extra in (0, 1, 2, 0x7A2, 255)], integer).view(dtype)
    nans = np.concatenate([nans, -nans])
    inf = dtype(np.inf)
    for which in range(3):
        assert np.isnan(applied(which, nans)).all()
    assert applied(0, np.array([-inf, inf, -0.0, 0.0], dtype)).tolist() == [0, 1, 0.5, 0.5]
    out = applied(1, np.array([-inf, inf, -0.0, 0.0], dtype))
    assert out.tolist() == [-1, 1, 0, 0]
    assert np.signbit(out).tolist() == [True, False, True, False]
    assert applied(2, np.array([-inf, -0.0, 0.0], dtype)).tolist() == [0, 1, 1]


# -- the loops

KINDS = {
    "LSTM": lambda t, i, h: t.nn.LSTM(i, h),
    "GRU": lambda t, i, h: t.nn.GRU(i, h),
    "tanh": lambda t, i, h: t.nn.RNN(i, h),
    "relu": lambda t, i, h: t.nn.RNN(i, h, nonlinearity="relu"),
}
# steps, sequences, inputs, hidden: every height of a tile; more rows than are summed at once; panels that are shared by x and h, that
# are full, and wide ones; few sequences, many steps
SIZES = [(3, 27, 5, 17), (3, 1, 40, 33), (3, 2, 3, 64), (2, 7, 32, 32), (90, 4, 3, 5), (2, 200, 2, 3), (70, 1, 2, 3)]


def everything(t, kind, size):
    """Outputs, last states and all gradients of a layer in float64, the same numbers in both engines."""
    steps, n, inputs, hidden = size
    rng = np.random.default_rng(1)

    def drawn(*shape):
        return t.tensor(rng.standard_normal(shape) * 0.3)

    layer = KINDS[kind](t, inputs, hidden).double()
    for p in layer.parameters():
        p.data = drawn(*p.shape)
    x = drawn(steps, n, inputs).requires_grad_()
    states = [drawn(1, n, hidden).requires_grad_() for _ in range(2 if kind == "LSTM" else 1)]
    out, end = layer(x, tuple(states) if kind == "LSTM" else states[0])
    results = [out, *(end if kind == "LSTM" else (end,))]
    t.autograd.backward(results, [drawn(*r.shape) for r in results])
    with t.no_grad():
        results.append(layer(x, tuple(states) if kind == "LSTM" else states[0])[0])
    found = [*results, x.grad, *(s.grad for s in states), *(p.grad for p in layer.parameters())]
    return [np.asarray(v.detach()) for v in found]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_tiles_of_every_height(kind, threads, monkeypatch):
    monkeypatch.setattr(kernels, "_PER_THREAD", 1)
    before = minigrad.get_num_threads()
    minigrad.set_num_threads(threads)
    try:
        for size in SIZES:
            with minigrad.use_kernels("compiled"):
                found = everything(minigrad, kind, size)
            for ours, theirs in zip(found, everything(torch, kind, size), strict=True):
                assert ours.shape == theirs.shape
                np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12, err_msg=f"{kind} {size}")
    finally:
        minigrad.set_num_threads(before)


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_of_threads_changes_no_bit(kind, monkeypatch):
    monkeypatch.setattr(kernels, "_PER_THREAD", 1)
    before, found = minigrad.get_num_threads(), []
    try:
        for threads in (1, 3):
            minigrad.set_num_threads(threads)
            with minigrad.use_kernels("compiled"):
                found.append(everything(minigrad, kind, (5, 26, 6, 20)))
    finally:
        minigrad.set_num_threads(before)
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_kept_where_no_gradient_is_wanted(kind, monkeypatch):
    """Of what the forward loop gets, only outputs and states are as long as the sequence."""
    kept, original = [], loops._forward

    def noted(*args):
        kept.append(sum(a.size for a in args[-8:-4]))  # before, gates, kept, bounded
        return original(*args)

    monkeypatch.setattr(loops, "_forward", noted)
    layer, x = KINDS[kind](minigrad, 3, 4), minigrad.rand(5, 2, 3)
    with minigrad.use_kernels("compiled"):
        with minigrad.no_grad():
            quiet = layer(x)[0]
        assert kept == [0]
        assert layer(x)[0].equal(quiet)
    assert kept[1] > 0


@pytest.mark.parametrize("form", ["definition", "numpy", "compiled"])
@pytest.mark.parametrize("name", ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"])
@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_do_not_fit_are_refused(kind, name, form):
    """A loop that trusted their shapes would read beyond them."""
    layer = KINDS[kind](minigrad, 3, 4)
    setattr(layer, name, minigrad.nn.Parameter(getattr(layer, name).detach()[:-1].clone()))
    with minigrad.use_kernels(form), pytest.raises(RuntimeError):
        layer(minigrad.zeros(5, 2, 3))
