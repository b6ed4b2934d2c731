"""The fused form of a compiled step: few calls in place of many lines, the same numbers, and no new memory."""

import gc
import math
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import minigrad as mg
from minigrad.autograd.graph import Operation
from minigrad.compiler.tapes import pattern

nn, F = mg.nn, mg.nn.functional


def mlp(optimizer=lambda p: mg.optim.Adam(p, lr=1e-3), width=96, dtype=mg.float32):
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(80, width), nn.ReLU(), nn.Linear(width, 64), nn.Tanh(), nn.Linear(64, 10)).to(dtype)
    x, y = mg.randn(32, 80, dtype=dtype), mg.randint(0, 10, (32,))
    chosen = optimizer(model.parameters())

    def step():
        chosen.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        chosen.step()
        return loss

    return step, model, y, chosen


def fused(step):
    """The step's last program, which must have a fused form."""
    ready = [r for r in step._ready if r.program is not None][-1]
    assert ready.fused is not None, step.explain()
    return ready


def compare(make, calls=6, dtype=mg.float32, rtol=None, between=None):
    """The same steps eagerly and compiled: losses, parameters and gradients within rounding. The compiled step."""
    rtol = rtol or (2e-5 if dtype is mg.float32 else 1e-12)
    (eager, first, *a), (compiled, second, *b) = make(), make()
    compiled = mg.compile(compiled)
    for k in range(calls):
        if between is not None:
            between(k, first, *a)
            between(k, second, *b)
        assert np.allclose(eager().array, compiled().array, rtol=rtol, atol=rtol), k
        for p, q in zip(first.parameters(), second.parameters(), strict=True):
            assert np.allclose(p.array, q.array, rtol=rtol, atol=rtol), k
            assert (p.grad is None) is (q.grad is None)
            if p.grad is not None:
                assert np.allclose(p.grad.array, q.grad.array, rtol=rtol, atol=rtol), k
    return compiled


OPTIMIZERS = {
    "Adam": lambda p: mg.optim.Adam(p, lr=1e-3),
    "Adam, decay": lambda p: mg.optim.Adam(p, lr=1e-3, weight_decay=0.1),
    "AdamW": lambda p: mg.optim.AdamW(p, lr=1e-3, weight_decay=0.1),
    "amsgrad": lambda p: mg.optim.Adam(p, lr=1e-3, amsgrad=True),
    "two groups": lambda p: mg.optim.AdamW(
        [{"params": (q := list(p))[:2], "lr": 1e-2}, {"params": q[2:], "weight_decay": 0.2}], lr=1e-3
    ),
    "SGD": lambda p: mg.optim.SGD(p, lr=0.1, momentum=0.9),
    "RMSprop": lambda p: mg.optim.RMSprop(p, lr=1e-3),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", [mg.float32, mg.float64], ids=str)
def test_a_network_is_trained_as_eagerly(name, dtype):
    step = compare(lambda: mlp(OPTIMIZERS[name], dtype=dtype), 6, dtype)
    assert fused(step).calls == 4


def test_adam_s_states_are_those_of_eager_and_can_be_taken_up_by_either():
    (eager, _, _, a), (step, _, _, b) = mlp(), mlp()
    compiled = mg.compile(step)
    for k in range(9):
        eager()
        compiled() if k not in (4, 6) else step()  # eager steps between compiled ones
    for p, q in zip(a.param_groups[0]["params"], b.param_groups[0]["params"], strict=True):
        assert float(a.state[p]["step"]) == float(b.state[q]["step"]) == 9
        for name in ("exp_avg", "exp_avg_sq"):
            assert np.allclose(a.state[p][name].array, b.state[q][name].array, rtol=1e-4, atol=1e-9)


def test_settings_that_change_between_calls_are_read():
    def between(k, model, y, optimizer):
        optimizer.param_groups[0]["lr"] = 1e-3 * (k + 1)
        if k == 4:
            optimizer.param_groups[0]["weight_decay"] = 0.3
        if k == 5:
            optimizer.load_state_dict(optimizer.state_dict())

    compare(mlp, 8, between=between)


def test_a_chain_of_a_thousand_operations_is_one_loop_with_eager_s_bits():
    def make():
        x, w = mg.full((1,), 1.001, requires_grad=True), mg.full((1,), 0.9991, requires_grad=True)

        def step():
            x.grad = w.grad = None
            h = x
            for _ in range(500):
                h = h * w + x
            h.backward()
            return w.grad

        return step, x, w

    (eager, x, _), (step, a, _) = make(), make()
    step = mg.compile(step)
    for _ in range(4):
        assert np.array_equal(eager().array, step().array)
        assert np.array_equal(x.grad.array, a.grad.array)
    assert [s.kind for s in fused(step).fused.steps] == ["loop"]


@pytest.mark.parametrize("shape", [(1,), (3,), (7, 5), (300,), (33, 129), (400, 400)])
@pytest.mark.parametrize("dtype", [mg.float32, mg.float64], ids=str)
def test_arithmetic_and_sums_have_eager_s_bits(shape, dtype):
    """Of + - * / sqrt, comparisons and sums of all: in NumPy's order, whatever the size, and whoever shares the loop."""
    mg.manual_seed(1)
    x = (mg.rand(shape, dtype=dtype) + 0.5).requires_grad_()
    w = (mg.rand(shape[-1:], dtype=dtype) + 0.5).requires_grad_()
    c = (mg.rand((*shape[:-1], 1), dtype=dtype) + 0.5).requires_grad_()

    def step():
        x.grad = w.grad = c.grad = None
        h = mg.relu(x * w - c) / (x.sqrt() + 1) - 2 * x
        loss = (h * h / c).sum()
        loss.backward()
        return loss

    compiled = mg.compile(step)
    with mg.use_kernels("numpy"):
        expected = step().array.copy(), [t.grad.array.copy() for t in (x, w, c)]
    for _ in range(4):
        loss = compiled()
    assert fused(compiled).calls == 2
    assert np.array_equal(loss.array, expected[0])
    for t, g in zip((x, w, c), expected[1], strict=True):
        assert np.array_equal(t.grad.array, g)


def test_nothing_is_allocated_after_the_second_call():
    step, model, _, _ = mlp(width=256)
    step = mg.compile(step)
    for _ in range(4):
        step()
    made = fused(step).fast.made
    tracemalloc.start()
    try:
        step()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(3):
            step()
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < 8_000, peak  # Python's own objects; the smallest activation has 8,192 bytes
    assert fused(step).fast.made == made
    assert sum(p.array.nbytes for p in model.parameters()) > 100_000


def test_a_gradient_that_is_held_outside_is_not_written_again():
    step, model, _, _ = mlp()
    step = mg.compile(step)
    for _ in range(4):
        step()
    held = model[0].weight.grad
    array = held.array
    before = array.copy()
    step()
    assert np.array_equal(held.array, before)
    assert model[0].weight.grad is not held
    inner = model[2].weight.grad.array  # the array alone
    before = inner.copy()
    step()
    step()
    assert np.array_equal(inner, before)


def test_values_that_are_refused_raise_as_eagerly_and_change_nothing():
    step, model, y, _ = mlp()
    step = mg.compile(step)
    for _ in range(5):
        step()
    grads = [p.grad.array.copy() for p in model.parameters()]
    weights = [p.array.copy() for p in model.parameters()]
    held = [p.grad for p in model.parameters()]
    y.array[3] = 10
    with pytest.raises(IndexError):
        step()
    assert all(np.array_equal(p.array, w) for p, w in zip(model.parameters(), weights, strict=True))
    assert all(np.array_equal(g.array, b) for g, b in zip(held, grads, strict=True))
    y.array[3] = 9
    assert np.isfinite(float(step()))


def test_other_programs_fused():
    """Dropout's draws, batch norm's statistics, clipping, gradients that add up, several results."""

    def make(training=True):
        mg.manual_seed(0)
        model = nn.Sequential(nn.Linear(20, 300), nn.BatchNorm1d(300), nn.ReLU(), nn.Dropout(0.2), nn.Linear(300, 3))
        sgd = mg.optim.SGD(model.parameters(), lr=0.01)
        x, y = mg.randn(64, 20), mg.randn(64, 3)

        def step():
            sgd.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            sgd.step()
            return loss

        return step, model

    results = []
    for compiled in (False, True):
        step, model = make()
        run = mg.compile(step) if compiled else step
        results.append([float(run()) for _ in range(8)] + [float(model[1].running_var.sum())])
    assert np.allclose(*results, rtol=1e-4)


def test_a_softmax_attention_and_layers_that_are_called_are_part_of_it():
    def make():
        mg.manual_seed(0)
        model = nn.Sequential(nn.Linear(40, 120), nn.GELU(), nn.LayerNorm(120), nn.Linear(120, 40))
        adam = mg.optim.AdamW(model.parameters(), lr=1e-3)
        x = mg.randn(16, 12, 40)

        def step():
            adam.zero_grad()
            h = model(x)
            a = mg.softmax(h @ h.transpose(1, 2) * 0.1, -1)
            loss = ((a @ h - x) ** 2).mean()
            loss.backward()
            adam.step()
            return loss

        return step, model

    step = compare(make)
    assert fused(step).calls == 4


def test_an_operation_that_gives_a_number_of_numpy_s_hands_it_on():
    """Of 0-dimensional arrays NumPy's functions give scalars, whose memory is another one whenever it is asked for."""
    b = mg.tensor(-1.1, dtype=mg.float64, requires_grad=True)

    def step():
        b.grad = None
        loss = length(b) + mg.relu(b) * b + b.abs() * 2
        loss.backward()
        return loss

    def length(b):
        return mg.hypot(b, b + 3)

    run = mg.compile(step)
    for k in range(6):
        b.array[...] -= 0.1 * k
        found = float(run()), float(b.grad)
        expected = float(step()), float(b.grad)
        assert np.allclose(found, expected, rtol=1e-14)
    assert fused(run).calls == 4


def test_two_threads_give_what_one_gives():
    x = mg.randn(700, 500).requires_grad_()

    def step():
        x.grad = None
        ((x * 2 - 1) * x / (x * x + 1)).sum().backward()
        return x.grad

    found = []
    for n in (1, 2):
        before = mg.get_num_threads()
        mg.set_num_threads(n)
        try:
            run = mg.compile(step)
            found += [np.array(run().array) for _ in range(4)]
        finally:
            mg.set_num_threads(before)
    assert all(np.array_equal(found[0], g) for g in found)


@pytest.mark.parametrize(
    ("shape", "target", "expected"),
    [((5,), (3, 5), (1, 5)), ((3, 1), (3, 5), (5, 3)), ((), (3, 5), (1, 1)), ((4, 1, 1), (2, 4, 3, 3), (9, 4)), ((3, 5), (3, 5), (1, 15))],
)  # fmt: skip
def test_how_a_broadcast_array_is_read(shape, target, expected):
    inner, count = pattern(shape, target)
    assert (inner, count) == expected
    x = np.arange(int(np.prod(shape))).reshape(shape)
    flat = x.ravel()[(np.arange(int(np.prod(target))) // inner) % count]
    assert np.array_equal(flat.reshape(target), np.broadcast_to(x, target))


def test_the_fused_source_shows_loops_and_the_compiled_one_their_instructions():
    step, *_ = mlp()
    step = mg.compile(step)
    for _ in range(4):
        step()
    text = step.source("fused")
    compile(text, "<fused>", "exec")  # it is Python
    assert "np.dot(x, model_0_weight.T, out=linear_product)  # line 1" in text
    assert "for i in range(3072):\n        linear = linear_product[i] + model_0_bias[i % 96]\n" in text
    assert "relu[i] = np.maximum(0, linear)" in text
    text = step.source("compiled")
    compile(text, "<compiled>", "exec")
    assert "np.dot(x, model_0_weight.T, out=linear_product)" in text
    assert "#     relu = maximum 0 r1" in text
    for form in ("fused", "compiled"):
        with mg.use_kernels("numpy"):
            plain = mg.compile(mlp()[0])
            for _ in range(3):
                plain()
            with pytest.raises(RuntimeError, match=f"no {form} form: compiled loops are switched off"):
                plain.source(form)


def test_a_small_network_s_fused_source_shows_the_loops_over_rows():
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    x, y = mg.randn(200, 2), mg.randn(200, 1)

    def step():
        model.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        return loss

    run = mg.compile(step, mode="max-autotune")
    for _ in range(3):
        run()
    text = run.source("fused")
    compile(text, "<fused>", "exec")
    assert "for rows in range(0, 200, 64):" in text
    assert "d_model_0_weight += np.dot(" in text
    assert "all lines in one loop: " in run.explain()


def test_explain_tells_what_each_statement_costs_and_where_memory_is_shared():
    step, model, _, _ = mlp()
    step = mg.compile(step)
    for _ in range(4):
        step()
    weights = [p.array.copy() for p in model.parameters()]
    grads = [p.grad.array.copy() for p in model.parameters()]
    state = mg.get_rng_state()
    told = step.explain()
    ready = fused(step)
    assert told.count(" us  ") == len(ready.fused.steps)
    assert all(
        word in told
        for word in ("BLAS, into memory that stays", "lines 1 to 2", "it ends where a product needs the whole")
    )
    assert f"memory that stays: {len(ready.fused.planned)} values in {len(ready.fused.memories)} pieces" in told
    assert all(np.array_equal(p.array, w) for p, w in zip(model.parameters(), weights, strict=True))
    assert all(np.array_equal(p.grad.array, g) for p, g in zip(model.parameters(), grads, strict=True))
    assert np.array_equal(state.array, mg.get_rng_state().array)


def test_values_that_share_memory_do_not_live_at_the_same_time():
    mg.manual_seed(0)
    model = nn.Sequential(*[m for _ in range(6) for m in (nn.Linear(64, 64), nn.Tanh())])
    x = mg.randn(128, 64)

    def step():
        model.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        return loss

    run = mg.compile(step)
    for _ in range(3):
        run()
    plan = fused(run).fused
    assert len(plan.memories) < len(plan.planned)
    for i, (_, memory, start, end) in enumerate(plan.planned):
        assert all(m != memory or b < start or a > end for _, m, a, b in plan.planned[:i])


def test_a_small_network_s_loop_is_compiled_when_it_has_run_often(monkeypatch, tmp_path):
    """At the same call at the second time, when it lies on the disk: the two forms differ by rounding."""
    pytest.importorskip("minigrad.kernels.step")
    monkeypatch.setattr("minigrad.compiler.part.CALLS_BEFORE_LOOPS", 5)

    def make():
        mg.manual_seed(0)
        model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
        adam = mg.optim.Adam(model.parameters(), lr=0.01)
        x, y = mg.randn(70, 2), mg.randn(70, 1)

        def step():
            adam.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            adam.step()
            return loss

        return step, model

    run = compare(make, 12)
    ready = run._ready[-1]
    assert ready.loops is not None and ready.calls == 10  # noqa: PT018  two sides of one thing
    losses = []
    for _ in range(2):
        run = mg.compile(make()[0])
        losses.append([run().item() for _ in range(12)])
        again = mg.compile(make()[0])
        for _ in range(6):
            again()
        assert again._ready[-1].loops is None
    assert losses[0] == losses[1]
    run = mg.compile(make()[0], mode="max-autotune")
    for _ in range(3):
        run()
    assert run._ready[-1].loops is not None


@pytest.mark.parametrize("mode", ["default", "max-autotune"])
def test_the_sign_of_zero_is_eager_s(mode):
    """Where two are equal `maximum` gives the second: of 0 and -0 one sees which."""
    x = mg.tensor([0.0, -0.0, 1.0, -1.0, float("nan"), float("inf"), -float("inf"), -1e-45] * 9, requires_grad=True)
    w = mg.full((72,), 2.0, requires_grad=True)

    def step():
        x.grad = w.grad = None
        y = F.relu(x * w * 0.5)
        (y * w).sum().backward()
        return y

    def bits(y):
        return [a.numpy().view(np.int32).tolist() for a in (y.detach(), x.grad, w.grad)]

    expected = bits(step())
    compiled = mg.compile(step, mode=mode)
    for _ in range(4):
        assert bits(compiled()) == expected
    assert compiled._ready[-1].calls >= 2


def test_the_cache_of_written_steps_keeps_the_last_used_and_touches_no_other_file(tmp_path):
    cache = pytest.importorskip("minigrad.kernels.cache")
    store = cache.Store("step.0", tmp_path / "step.py", "", at_most=3)
    names = [f"step.{i:020x}-{i:016x}.kernel" for i in range(6)]
    others = [
        "step.mine.kernel",
        "rows.softmax-0123456789abcdef.kernel",
        "notes.txt",
        f"step.{1:020x}-{1:016x}.kernel.part",
    ]
    for i, name in enumerate([*names, *others]):
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (1000 + i, 1000 + i))
    os.utime(tmp_path / names[0], (5000, 5000))  # it was used again
    store._tidy(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {names[0], names[4], names[5], *others}


def test_a_written_step_is_read_back_from_the_disk(tmp_path):
    """In a process of its own: nothing is compiled there that the first has compiled."""
    code = r"""
from minigrad.kernels import step
text = "def step(i0, W, o0):\n    full_width()\n    for b in range(4):\n        o0[b] = exp(i0[b]) * R(2)\n    return 0\n"
import numpy as np
a = np.ones(4, np.float32)
f = step.build(text, False)
f(a, a.reshape(2, 2), a.copy())
print(sum(f.stats.cache_hits.values()), sum(f.stats.cache_misses.values()))
"""
    told = [
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}, capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(2)
    ]  # fmt: skip
    assert told == [["0", "1"], ["1", "0"]]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0,)])
def test_sums_of_nothing_are_zero(shape):
    w, x = mg.randn(1, requires_grad=True), mg.randn(shape)

    def step():
        w.grad = None
        loss = (x * w).exp().sum() + (x.sum(-1) * w.sum()).sum() + (w * w).sum()
        loss.backward()
        return loss.detach(), w.grad

    run = mg.compile(step)
    with mg.use_kernels("fastest"):
        for _ in range(5):
            (loss, grad), (a, b) = run(), step()
            assert loss.item() == a.item()
            assert grad.item() == b.item()
    assert run._ready[0].calls == 3


@pytest.mark.parametrize("optimizer", ["Adam", "AdamW"])
def test_a_parameter_that_is_infinite_stays_so(optimizer):
    def make():
        mg.manual_seed(0)
        model = nn.Linear(4, 3)
        model.bias.data = mg.tensor([0.0, 1.0, -math.inf])  # a class that is masked out
        chosen, x = getattr(mg.optim, optimizer)(model.parameters(), lr=0.01), mg.randn(8, 4)

        def step():
            chosen.zero_grad()
            loss = (F.softmax(model(x), -1) ** 2).sum()
            loss.backward()
            chosen.step()
            return loss

        return step, model

    with mg.use_kernels("fastest"):
        run = compare(make)
    assert fused(run).calls == 4


def test_names_of_the_program_do_not_stand_before_those_of_its_text():
    slice, loop_1, ones_8_float32, minus_at = (mg.randn(8, 8, requires_grad=True) for _ in range(4))
    leaves = (slice, loop_1, ones_8_float32, minus_at)

    def step():
        for leaf in leaves:
            leaf.grad = None
        h = F.linear(loop_1 * ones_8_float32[:8], minus_at, slice[0])[1:]
        loss = (h.exp() * h[:, 2:3]).mean()
        loss.backward()
        return loss.detach(), [leaf.grad for leaf in leaves]

    run = mg.compile(step)
    with mg.use_kernels("fastest"):
        for _ in range(4):
            loss, grads = run()
            expected, others = step()
            assert np.allclose(loss.array, expected.array)
            for g, other in zip(grads, others, strict=True):
                assert np.allclose(g.array, other.array, rtol=1e-5, atol=1e-6)
    assert fused(run).calls == 2


def test_a_recorded_call_is_let_go_of_at_once():
    step, *_ = mlp()
    seen = []
    run = mg.compile(step)
    gc.collect()
    gc.disable()
    try:
        for _ in range(4):
            run()
            seen.append(sum(issubclass(type(o), Operation) for o in gc.get_objects()))
    finally:
        gc.enable()
    assert fused(run).calls == 2
    assert seen == [0, 0, 0, 0]


def test_a_reshape_that_copies_is_done_at_each_call():
    w, b = mg.randn(6, 5, requires_grad=True), mg.randn(4, requires_grad=True)

    def step(x):
        w.grad = b.grad = None
        h = F.linear(x, w).tanh().transpose(0, 2).reshape(6, -1)
        loss = F.softmax(F.linear(h.exp(), h.detach()[:4], b), -1).log().mean() + (h * h).mean()
        loss.backward()
        return loss.detach(), w.grad, b.grad

    run = mg.compile(step)
    with mg.use_kernels("fastest"):
        for _ in range(5):
            x = mg.randn(3, 4, 5)
            for got, expected in zip(run(x), step(x), strict=True):
                assert np.allclose(got.array, expected.array, rtol=1e-4, atol=1e-6)
    assert fused(run).calls == 3


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize(("inner", "outer"), [(0, 3), (3, 0)])
def test_a_layer_without_elements_runs_at_once(inner, outer):
    layer, x = nn.Linear(inner, outer), mg.randn(5, inner)

    def step():
        layer.zero_grad()
        loss = layer(x).tanh().sum()
        loss.backward()
        return loss.detach(), layer.bias.grad

    run = mg.compile(step, mode="max-autotune")
    with mg.use_kernels("fastest"):
        for _ in range(4):
            for got, expected in zip(run(), step(), strict=True):
                assert np.allclose(got.array, expected.array)
    assert run._ready[0].calls == 2


def test_a_program_takes_the_compiled_form_of_an_operation_when_eager_would(monkeypatch):
    """Where both forms give the same bits NumPy's runs first, also while the step is recorded; it must not stay for good."""
    fused_forms = pytest.importorskip("minigrad.autograd.fused")
    pool = pytest.importorskip("minigrad.kernels.pool")
    monkeypatch.setattr(fused_forms, "_kept", {}.get)  # nothing lies on the disk
    monkeypatch.setattr(fused_forms, "_done_by_numpy", {})
    monkeypatch.setattr(fused_forms, "COMPILING", 3 * 64 * 1024)  # three calls' elements
    mg.manual_seed(0)
    x, w = mg.randn(4, 16, 32, 32), mg.full((1,), 0.9, requires_grad=True)
    losses = []

    @mg.compile
    def step():
        w.grad = None
        loss = F.max_pool2d(x * w, 2).sum()
        loss.backward()
        return loss

    ran, loop = [], pool.max_pool
    with mg.use_kernels("fastest"):
        for k in range(6):
            if k == 2:  # from here on the program runs
                monkeypatch.setattr(pool, "max_pool", lambda *a: ran.append(len(losses)) or loop(*a))
            losses.append((step().item(), w.grad.item()))
    assert [ready.calls for ready in step._ready] == [4], step.explain()
    assert ran == [3, 4, 5], "the calls whose pooling was a compiled loop"
    assert len(set(losses)) == 1


def test_an_operation_is_written_out_also_where_its_compiled_form_ran():
    """The text says what the operation computes; which of two forms with the same bits ran when it was recorded is no matter."""
    pytest.importorskip("minigrad.kernels.elementwise")
    mg.manual_seed(0)
    x, w = mg.randn(64, 64), mg.randn(64, requires_grad=True)

    def step():
        w.grad = None
        loss = F.relu(x * w).sum()
        loss.backward()
        return loss

    sources, found = [], []
    for form in ("numpy", "compiled"):
        run = mg.compile(step)
        with mg.use_kernels(form):
            found += [(run().item(), w.grad.numpy().copy()) for _ in range(4)]
            sources.append(run.source())
    assert sources[0] == sources[1] and "np.maximum(0, " in sources[1]  # noqa: PT018  one thing
    assert all(loss == found[0][0] and np.array_equal(g, found[0][1]) for loss, g in found)


@pytest.mark.parametrize("mode", ["default", "max-autotune"])
def test_a_compiled_step_notes_that_it_wrote_the_parameters(mode):
    """All of them at once: each one's version grows by one, and a gradient that needs the old values is refused."""
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    adam = mg.optim.Adam(model.parameters(), lr=0.01)
    x, y = mg.randn(70, 2), mg.randn(70, 1)

    def step():
        adam.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        adam.step()
        return loss

    run = mg.compile(step, mode=mode)
    for _ in range(4):
        run()
    versions = [p._version for p in model.parameters()]
    outside = [(p * p).sum() for p in model.parameters()]
    run()
    assert run._ready[-1].calls == 3
    assert [p._version - v for p, v in zip(model.parameters(), versions, strict=True)] == [1] * 4
    for loss in outside:
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


READ_WHOLE = {
    "an amount taken away": lambda x, w, y: F.cross_entropy(x * w, y, reduction="sum"),
    "after a log_softmax": lambda x, w, y: F.nll_loss(F.log_softmax(x * w, -1), y, reduction="sum"),
    "a sum of rows": lambda x, w, y: (x + w).sum(),
    "a sum of a row": lambda x, w, y: (x + w[:, :1]).sum(),
    "a product": lambda x, w, y: (x @ w.T).sum(),
    "two losses": lambda x, w, y: F.cross_entropy(x + w, y, reduction="sum") + (x * w).sum(),
}


@pytest.mark.parametrize("name", READ_WHOLE)
@pytest.mark.parametrize("shape", [(4, 3), (160, 130)])
def test_a_gradient_of_one_is_there_for_what_reads_it_from_memory(name, shape):
    """The loss's own gradient is 1: arithmetic has it in a register, but what is no arithmetic reads it where it lies."""
    function = READ_WHOLE[name]

    def make():
        mg.manual_seed(0)
        x, w = (mg.randn(shape).requires_grad_() for _ in range(2))
        y = mg.randint(0, shape[1], shape[:1])

        def step():
            x.grad = w.grad = None
            loss = function(x, w, y)
            loss.backward()
            return loss

        return step, x, w

    (eager, x, w), (step, a, b) = make(), make()
    step = mg.compile(step)
    for _ in range(5):
        assert np.allclose(eager().array, step().array, rtol=2e-5)
        for t, u in ((x, a), (w, b)):
            assert np.allclose(t.grad.array, u.grad.array, rtol=2e-5, atol=2e-5)
    assert fused(step).calls == 3
