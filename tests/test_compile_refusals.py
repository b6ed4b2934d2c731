"""A compiled step whose program cannot run: it says so, names the line, and tries again when the reason may be gone."""

import warnings

import numpy as np
import pytest
from minigrad.nn.modules.module import register_module_forward_hook

import minigrad as mg
import minigrad.nn.functional as F
from minigrad import nn
from minigrad.compiler.record import NotCompiled


def ready(step):
    return [r for r in step._ready if r.program is not None]


# What refuses values: (the step of w and x, values that it takes, values that it refuses, the exception of eager or None)
def bce(w, x):
    loss = F.binary_cross_entropy(w * x, x.detach())
    return loss * 1


def labels(w, x):
    loss = F.cross_entropy((w * 1).reshape(2, 2), x)
    return loss * 1


REFUSING = [
    (bce, mg.float32, [0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 1.4], RuntimeError),
    (labels, mg.int64, [0, 1], [0, -100], None),
    (labels, mg.int64, [0, 1], [0, 2], IndexError),
]


@pytest.mark.parametrize("position", ["fastest", "numpy"])
@pytest.mark.parametrize(("function", "dtype", "good", "bad", "raises"), REFUSING)
def test_refused_values_are_told_once_and_with_the_line(function, dtype, good, bad, raises, position):
    w = mg.full((4,), 0.5, requires_grad=True)
    good, bad = mg.tensor(good, dtype=dtype), mg.tensor(bad, dtype=dtype)
    line = f"test_compile_refusals.py:{function.__code__.co_firstlineno + 1}"

    def step(x):
        w.grad = None
        out = function(w, x)
        out.sum().backward()
        return out.detach() * 1

    def outcome(run, x):
        try:
            return run(x).tolist(), w.grad.tolist()
        except Exception as error:
            return type(error), str(error)

    with mg.use_kernels(position):
        compiled = mg.compile(step)
        for _ in range(3):
            compiled(good)
        assert ready(compiled), compiled.explain()
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            found = [outcome(compiled, bad) for _ in range(3)]
        assert found == [outcome(step, bad)] * 3
        assert outcome(compiled, good) == outcome(step, good)
        assert line in compiled.explain()
        if raises is None:
            assert [str(w.message) for w in seen if line in str(w.message)] == [str(seen[0].message)]
        else:
            assert issubclass(found[0][0], raises)
        strict = mg.compile(step, fullgraph=True)
        for _ in range(3):
            strict(good)
        with pytest.raises(RuntimeError if raises is None else (NotCompiled, raises)) as told:
            strict(bad)
        assert not isinstance(told.value, NotCompiled) or line in str(told.value)


def test_an_error_in_the_compiled_form_is_never_silent():
    w = mg.ones(4, requires_grad=True)

    def step(x):
        w.grad = None
        loss = (w * x).exp().sum()
        loss.backward()
        return loss

    for strict in (False, True):
        compiled = mg.compile(step, fullgraph=strict)
        x = mg.ones(4)
        for _ in range(3):
            compiled(x)
        run = ready(compiled)[0].fast.run

        def broken(*arrays):
            raise ValueError("a fault of the compiled form")

        run.function = broken
        if strict:
            with pytest.raises(NotCompiled, match="a fault of the compiled form"):
                compiled(x)
        else:
            with pytest.warns(UserWarning, match="ran eagerly: .*a fault of the compiled form"):
                out = compiled(x)
            assert out.item() == step(x).item()
            assert "a fault of the compiled form" in compiled.explain()


def test_more_shapes_than_it_writes_programs_for_are_told():
    compiled = mg.compile(lambda x: x * 2)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for n in range(1, 14):
            compiled(mg.ones(n))
    assert ["programs were written" in str(w.message) for w in seen] == [True]


# -- reasons that may be gone later

MODEL = nn.Linear(2, 2)
WEIGHT = mg.ones(2, requires_grad=True)


def of_all_modules():
    return register_module_forward_hook(lambda module, args, out: None)


def of_a_module():
    return MODEL.register_forward_hook(lambda module, args, out: None)


def of_a_leaf():
    return WEIGHT.register_hook(lambda gradient: None)


def after_a_leaf():
    return WEIGHT.register_post_accumulate_grad_hook(lambda leaf: None)


class Anomaly:
    def __init__(self):
        self.mode = mg.autograd.detect_anomaly(check_nan=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.mode.__enter__()

    def remove(self):
        self.mode.__exit__(None, None, None)


@pytest.mark.parametrize("when", ["first", "later"])
@pytest.mark.parametrize("put", [of_all_modules, of_a_module, of_a_leaf, after_a_leaf, Anomaly])
def test_it_is_compiled_when_the_reason_is_gone(put, when):
    def step(x):
        WEIGHT.grad = None
        MODEL.zero_grad()
        loss = (MODEL(x) * WEIGHT).sum()
        loss.backward()
        return loss

    WEIGHT.grad = None  # (the first call is to begin as the others do)
    MODEL.zero_grad()
    compiled, x = mg.compile(step), mg.ones(1, 2)
    if when == "later":
        for _ in range(3):
            compiled(x)
        assert ready(compiled)[0].calls == 1
    handle = put()
    for _ in range(3):
        assert compiled(x).item() == step(x).item()
    handle.remove()
    for _ in range(64):
        assert np.isclose(compiled(x).item(), step(x).item(), rtol=1e-6)
    assert ready(compiled), compiled.explain()
    assert max(r.calls for r in ready(compiled)) > 10


# -- a raise in backward


@pytest.mark.parametrize("hooked", [False, True])
@pytest.mark.parametrize("compiled", [False, True])
def test_leaves_whose_gradients_are_complete_have_them_after_an_error(engine, compiled, hooked):
    """As in PyTorch, where a leaf runs as soon as its gradient is complete."""
    a, b, c = (engine.ones(3, requires_grad=True) for _ in range(3))

    def step():
        early = a * b  # the leaves are used first before the node that raises
        bad = (c * 1).exp()
        out = (a * b).sum() + (bad * 2).sum() + (b * c).sum()
        bad.mul_(2)
        out.backward()
        return early

    if hooked:
        c.register_post_accumulate_grad_hook(lambda leaf: None)
    run = engine.compile(step) if compiled and engine is mg else step
    for _ in range(2):
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            run()
    found = [None if t.grad is None else t.grad.tolist() for t in (a, b, c)]
    assert found == [[2.0] * 3, [4.0] * 3, None]


@pytest.fixture(params=["minigrad", "torch"])
def engine(request):
    return pytest.importorskip(request.param)


# -- operations that once ran eagerly


@pytest.mark.parametrize("position", ["fastest", "numpy"])
@pytest.mark.parametrize("bounds", [(-0.5, 0.5), (None, 0.5), (-0.5, None), (0, 1), (1.0, -1.0)])
def test_clamp_is_written(bounds, position):
    x = mg.tensor([-2.0, -0.5, -0.0, 0.3, 0.5, float("nan"), float("inf")])
    w = mg.ones(7, requires_grad=True)

    def step():
        w.grad = None
        out = (w * x).clamp(*bounds)
        (out * out).sum().backward()
        return out.detach() * 1

    expected = step().array.tobytes(), w.grad.array.tobytes()
    with mg.use_kernels(position):
        compiled = mg.compile(step, fullgraph=True)
        for _ in range(4):
            out = compiled()
            assert (out.array.tobytes(), w.grad.array.tobytes()) == expected
    assert ready(compiled)[0].calls == 2
    if position == "numpy":
        assert "run(" not in compiled.source()
