"""Recurrent layers' compiled loops: the formulas over whole vectors, every height of a tile, what is kept and what is not."""

import contextlib
import threading

import mpmath
import numpy as np
import pytest
import torch

import minigrad
from minigrad import kernels
from minigrad.kernels import beside, compiled, lanes
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


@contextlib.contextmanager
def with_threads(n):
    before = minigrad.get_num_threads()
    minigrad.set_num_threads(n)
    try:
        yield
    finally:
        minigrad.set_num_threads(before)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_tiles_of_every_height(kind, count, monkeypatch):
    monkeypatch.setattr(kernels, "_PER_THREAD", 1)
    with with_threads(count), minigrad.use_kernels("compiled"):
        found = [everything(minigrad, kind, size) for size in SIZES]
    for size, all_found in zip(SIZES, found, strict=True):
        for ours, theirs in zip(all_found, everything(torch, kind, size), strict=True):
            assert ours.shape == theirs.shape
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12, err_msg=f"{kind} {size}")


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_of_threads_changes_no_bit(kind, monkeypatch):
    monkeypatch.setattr(kernels, "_PER_THREAD", 1)
    for n in (1, 2, 3, 5, 26, 33):
        found = []
        for count in (1, 2, 3):
            with with_threads(count), minigrad.use_kernels("compiled"):
                found.append(everything(minigrad, kind, (5, n, 6, 20)))
        for more in found[1:]:
            assert all(np.array_equal(a, b) for a, b in zip(found[0], more, strict=True)), n


FORMS = {
    "plain": {},
    "both directions, two layers": {"bidirectional": True, "num_layers": 2},
    "no bias": {"bias": False},
}


def of_lengths(t, kind, lengths, settings, dtype):
    """Outputs, last states and all gradients of a packed batch, the same numbers in both engines."""
    rng = np.random.default_rng(2)

    def drawn(*shape):
        return t.tensor((rng.standard_normal(shape) * 0.3).astype(dtype))

    nonlinearity = {"tanh": {}, "relu": {"nonlinearity": "relu"}}.get(kind)
    layer = (t.nn.RNN if nonlinearity is not None else getattr(t.nn, kind))(7, 19, **settings, **(nonlinearity or {}))
    for p in layer.parameters():
        p.data = drawn(*p.shape)
    x = drawn(max(lengths), len(lengths), 7).requires_grad_()
    packed = t.nn.utils.rnn.pack_padded_sequence(x, t.tensor(lengths))
    out, end = layer(packed)
    results = [out.data, *(end if isinstance(end, tuple) else (end,))]
    t.autograd.backward(results, [drawn(*r.shape) for r in results])
    return [np.asarray(v.detach()) for v in (*results, x.grad, *(p.grad for p in layer.parameters()))]


@pytest.mark.parametrize(
    "settings", [*FORMS.values(), {"proj_size": 5, "bidirectional": True}], ids=[*FORMS, "projected"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_threads_share_sequences_of_any_lengths(kind, settings, monkeypatch):
    """The same bits with any number of threads, and PyTorch's numbers."""
    if "proj_size" in settings and kind != "LSTM":
        return
    monkeypatch.setattr(kernels, "_PER_THREAD", 1)
    rng = np.random.default_rng(3)
    for n in (1, 2, 3, 5, 33):
        lengths = [
            40,
            *sorted(rng.integers(1, 6, n - 1).tolist(), reverse=True),
        ]  # one thread may have a single sequence, another all others
        for dtype in (np.float32, np.float64):
            found = []
            for count in (1, 2, 3):
                with with_threads(count), minigrad.use_kernels("compiled"):
                    found.append(of_lengths(minigrad, kind, lengths, settings, dtype))
            for more in found:
                assert all(np.array_equal(a, b) for a, b in zip(found[0], more, strict=True)), lengths
        for ours, theirs in zip(found[0], of_lengths(torch, kind, lengths, settings, dtype), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12, err_msg=f"{lengths}")


@pytest.mark.parametrize(("n", "count", "most"), [(1, 2, 1), (2, 2, 2), (3, 2, 2), (20, 2, 10), (33, 3, 11), (5, 9, 2)])
def test_each_thread_has_as_many_sequences(n, count, most):
    with with_threads(count):
        bounds = loops._bounds(np.array([n] * 4), loops._threads(n))
    assert bounds[0] == 0
    assert bounds[-1] == n
    assert np.diff(bounds).max() == most


def test_each_thread_has_as_many_steps_of_sequences_of_different_lengths():
    """To within one sequence: of 9 to 1 steps, two threads have the first three, 24, and the others, 21."""
    assert loops._bounds(np.arange(9, 0, -1), 2) == [0, 3, 9]
    assert loops._bounds(np.array([2, 1, 1, 1, 1]), 2) == [0, 1, 2]
    for sizes in ([33, 32, 17, 4, 1], [5, 5, 5, 1]):
        bounds = loops._bounds(np.array(sizes), 3)
        rows = np.diff(np.minimum.outer(sizes, bounds).sum(0))
        assert rows.sum() == sum(sizes)
        assert rows.max() <= sum(sizes) / 3 + len(sizes)


# -- one or two sequences: a second thread helps with the products of each step


def helped(patience, monkeypatch, late=False):
    """Have each walk meet a helper that is there before it begins, or with `late` after its end; the hands of these meetings."""
    hands, new = [], loops.new_hand

    def hand():
        hands.append(new())
        hands[-1][11] = patience
        return hands[-1]

    def side_by_side(rows, elements, run):
        if rows != 2 or not hands or hands[-1][0] != beside.NOBODY:  # another split
            run(0, rows)
            return
        if late:
            run(0, 1)
            run(1, 2)
            return
        helper = threading.Thread(target=run, args=(1, 2), daemon=True)
        helper.start()
        while hands[-1][0] == beside.NOBODY:
            helper.join(0.001)
        run(0, 1)
        helper.join(60)
        assert not helper.is_alive(), "the helper stays"

    monkeypatch.setattr(loops, "new_hand", hand)
    monkeypatch.setattr(loops, "split", side_by_side)
    monkeypatch.setattr(loops, "_LARGE", 1)
    return hands


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_a_helper_changes_no_bit(kind, n, monkeypatch):
    """One that does half of every product, one that leaves at once, and one that comes when all is done."""
    size = 70, n, 6, 90
    with minigrad.use_kernels("compiled"):
        with with_threads(1):
            alone = everything(minigrad, kind, size)
        with with_threads(2):
            for patience, late in ((1 << 60, False), (0, False), (1 << 60, True)):
                with monkeypatch.context() as patch:
                    hands = helped(patience, patch, late)
                    found = everything(minigrad, kind, size)
                assert all(np.array_equal(a, b) for a, b in zip(alone, found, strict=True)), (patience, late)
                assert [hand[0] for hand in hands] == [beside.GONE] * 3  # forward, backward, forward without a gradient
                if late:
                    assert not any(hand[10] for hand in hands)
                elif patience:  # the inputs' products of 64 or fewer steps at once, and each step's
                    at_once = 70 / (64 // n)
                    assert [hand[10] for hand in hands] == [70 + np.ceil(at_once), 70, 70 + np.ceil(at_once)]


def test_a_helper_that_nobody_asks_leaves():
    """So it is where an interrupt came before the walk began."""
    hand, x = beside.new_hand(), np.zeros(64)
    products = (x, x, x, (8, 1, 1, 8, 8)) * 2
    loops._help(hand, *products)
    assert hand[0] == beside.GONE
    loops._help(hand, *products)  # it has been closed
    assert hand[10] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_kept_where_no_gradient_is_wanted(kind, monkeypatch):
    """Of what the forward loop gets, only outputs and states are as long as the sequence."""
    kept, original = [], loops._forward

    def noted(*args):
        kept.append(sum(a.size for a in args[10:14]))  # before, gates, kept, bounded
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
