"""Lines of a compiled step that run as one: the bits of eager, nan and the sign of zero included; and where they must stay apart."""

import itertools
import operator
from unittest import mock

import numpy as np
import pytest

import minigrad as mg
from minigrad.autograd.fused import use_kernels
from minigrad.compiler.joined import RectifiedMaxPool

F = mg.nn.functional
SPECIAL = [0.0, -0.0, -1.0, float("nan"), 1.0, -float("inf"), float("inf"), -1e-45, 1e-45]
POOLS = [
    (F.max_pool2d, {"kernel_size": 2}),
    (F.max_pool2d, {"kernel_size": 2, "ceil_mode": True}),
    (F.max_pool2d, {"kernel_size": 2, "stride": (3, 2)}),
    (F.max_pool2d, {"kernel_size": 2, "stride": (3, 2), "dilation": (2, 1)}),
    (F.max_pool2d, {"kernel_size": 2, "stride": 1}),
    (F.max_pool2d, {"kernel_size": 3, "stride": 2, "padding": 1}),
    (F.max_pool2d, {"kernel_size": (2, 3), "stride": (2, 3), "dilation": (1, 2)}),
    (F.max_pool1d, {"kernel_size": 2}),
]  # fmt: skip


def special(shape, dtype, seed=0):
    """Small whole numbers, so that many are equal, and every special value beside every other one."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-3, 3, shape).astype(dtype)
    pairs = np.array(list(itertools.product(SPECIAL, repeat=2)), dtype)
    x.reshape(-1)[: pairs.size] = pairs.reshape(-1)
    return x


def bits(t):
    return t.detach().numpy().tobytes()


def ready(step):
    return [r for r in step._ready if r.program is not None][-1]


def calls(step):
    """The operations that the step's fused form calls forward."""
    return [
        line.text.partition(",")[0] for s in ready(step).fused.steps for line in s.lines if line.text.startswith("run(")
    ]


@pytest.mark.parametrize(("pool", "setting"), POOLS, ids=lambda x: str(x) if isinstance(x, dict) else "")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", ["compiled", "fastest"])
def test_relu_and_pooling_in_one_pass_have_eager_s_bits(pool, setting, dtype, form):
    """Of windows of every kind, and with gradients of every kind: also -0, inf and nan."""
    for size in (2, 3, 12, 24), (1, 2, 25, 37), (3, 1, 9, 70):
        _check(pool, setting, dtype, size[1:] if pool is F.max_pool1d else size, form)


def _check(pool, setting, dtype, size, form):
    x = mg.from_numpy(special(size, dtype)).requires_grad_()
    w = mg.full((1,), 1.0, dtype=x.dtype, requires_grad=True)
    with use_kernels(form):
        out = pool(F.relu(x * w), **setting)
        g = mg.from_numpy(special(tuple(out.shape), dtype, 1) if out.numel() > 200 else np.ones(out.shape, dtype))

        def step():
            x.grad = w.grad = None
            out = pool(F.relu(x * w), **setting)
            (out * g).sum().backward()
            return out

        expected = bits(step()), bits(x.grad), bits(w.grad)
        compiled = mg.compile(step)
        for _ in range(4):
            assert (bits(compiled()), bits(x.grad), bits(w.grad)) == expected
    assert ready(compiled).calls == 2
    assert "run(RectifiedMaxPool" in calls(compiled)


def test_relu_and_pooling_under_no_grad_are_one_pass_too():
    x = mg.from_numpy(special((2, 3, 12, 24), np.float32))

    @mg.compile
    def step(x):
        with mg.no_grad():
            return F.max_pool2d(F.relu(x), 2)

    for _ in range(4):
        assert bits(step(x)) == bits(F.max_pool2d(F.relu(x), 2))
    assert calls(step) == ["run(RectifiedMaxPool"]


APART = {
    "relu is read by another line": lambda x: (h := F.relu(x)).sum() + F.max_pool2d(h, 2).sum(),
    "relu is pooled twice": lambda x: F.max_pool2d(h := F.relu(x), 2).sum() + F.max_pool2d(h, 3).sum(),
    "pooling comes first": lambda x: F.relu(F.max_pool2d(x, 2)).sum(),
    "another activation": lambda x: F.max_pool2d(F.leaky_relu(x), 2).sum(),
    "the mean": lambda x: F.avg_pool2d(F.relu(x), 2).sum(),
}


@pytest.mark.parametrize("name", APART)
def test_lines_that_are_not_of_one_pass_stay_apart(name):
    x = mg.from_numpy(special((2, 3, 12, 24), np.float32)).requires_grad_()

    def step():
        x.grad = None
        loss = APART[name](x)
        loss.backward()
        return loss

    expected = bits(step()), bits(x.grad)
    compiled = mg.compile(step)
    for _ in range(4):
        assert (bits(compiled()), bits(x.grad)) == expected
    assert "run(RectifiedMaxPool" not in calls(compiled)


def test_relu_that_leaves_the_step_is_not_lost_in_the_pass():
    x = mg.from_numpy(special((2, 3, 12, 24), np.float32)).requires_grad_()

    def step():
        x.grad = None
        h = F.relu(x)
        F.max_pool2d(h, 2).sum().backward()
        return h.detach()

    compiled = mg.compile(step)
    for _ in range(4):
        assert bits(compiled()) == bits(F.relu(x))
    assert "run(RectifiedMaxPool" not in calls(compiled)


def test_it_takes_the_form_that_eager_would_take_then(monkeypatch):
    """NumPy's while the loop is not worth compiling, and the compiled one afterwards: with the same bits."""
    pytest.importorskip("numba")
    from minigrad.autograd import fused
    from minigrad.kernels import pool

    monkeypatch.setattr(fused, "COMPILING", 1 << 60)
    monkeypatch.setattr(fused, "_kept", operator.not_)  # (of a name: no)
    largest = mock.Mock(wraps=pool.max_pool)
    monkeypatch.setattr(pool, "max_pool", largest)
    x = mg.from_numpy(special((8, 16, 20, 24), np.float32)).requires_grad_()

    def step():
        x.grad = None
        F.max_pool2d(F.relu(x), 2).sum().backward()
        return x.grad

    compiled, found = mg.compile(step), []
    for k in range(6):
        if k == 4:
            assert largest.call_count == 0
            monkeypatch.setitem(fused._done_by_numpy, "pool.MaxPool", 1 << 61)
        found.append(bits(compiled()))
    assert largest.call_count == 2
    assert ready(compiled).calls == 4
    assert len(set(found)) == 1


def test_its_lines_are_told_and_its_source_is_that_of_the_program():
    x = mg.from_numpy(special((2, 3, 12, 24), np.float32)).requires_grad_()

    def step():
        x.grad = None
        F.max_pool2d(F.relu(x), 2).sum().backward()
        return x.grad

    compiled = mg.compile(step)
    for _ in range(3):
        compiled()
    assert RectifiedMaxPool.__qualname__ not in compiled.source()
    assert "np.maximum(0, x)" in compiled.source()
    assert "run(RectifiedMaxPool, " in compiled.source("fused")
    told = compiled.explain()
    assert "run(RectifiedMaxPool, " in told
    assert "two in one pass" in told
