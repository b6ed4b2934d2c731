"""`minigrad.compile`: the same numbers as eager, to the bit, whatever changes between two calls; and eager where it must be."""

import threading

import numpy as np
import pytest

import minigrad as mg

nn, F = mg.nn, mg.nn.functional


@pytest.fixture(autouse=True)
def line_by_line(request, monkeypatch):
    """Most tests look at the program that NumPy runs line by line, which gives eager's bits; `compiled` ones at the loop."""
    monkeypatch.setattr("minigrad.compiler.part.CALLS_BEFORE_LOOPS", 0)  # a small network's loop at once
    with mg.use_kernels("fastest" if "compiled" in request.fixturenames else "numpy"):
        yield


@pytest.fixture
def compiled():
    """The compiled form: equal to eager up to rounding."""


def bits(x):
    return None if x is None else np.array(x.array)


def same(a, b):
    return (a is None) is (b is None) and (a is None or (a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)))


class Pair:
    """One program twice, eager and compiled, from the same seed. make() gives the step and the tensors to compare."""

    def __init__(self, make, **options):
        self.sides = []
        for compiled in (False, True):
            mg.manual_seed(0)
            step, tensors, *rest = make()
            run = mg.compile(step, **options) if compiled else step
            self.sides.append((run, tensors, rest, mg.get_rng_state()))
        self.compiled = self.sides[1][0]

    def calls(self, n, *arguments, between=None):
        """n calls of each side; between(tensors, rest) changes something before each call."""
        found = []
        for k, (run, tensors, rest, state) in enumerate(self.sides):
            mg.set_rng_state(state)
            results = []
            for _ in range(n):
                if between is not None:
                    between(tensors, rest)
                out = run(
                    *[
                        a.detach().clone().requires_grad_(a.requires_grad) if isinstance(a, mg.Tensor) else a
                        for a in arguments
                    ]
                )
                results.append((bits(out), [bits(t) for t in tensors], [bits(t.grad) for t in tensors]))
            self.sides[k] = (run, tensors, rest, mg.get_rng_state())
            found.append(results)
        for a, b in zip(*found, strict=True):
            assert same(a[0], b[0])
            assert all(map(same, a[1], b[1])), "tensors"
            assert all(map(same, a[2], b[2])), "gradients"
        return self

    def ran(self):
        """How many calls a program served."""
        return sum(ready.calls for ready in self.compiled._ready)


def small(optimizer=lambda p: mg.optim.Adam(p, lr=0.01)):
    def make():
        model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1), nn.Sigmoid())
        adam = optimizer(model.parameters())

        def train_step(x, y):
            adam.zero_grad()
            out = model(x)
            loss = F.binary_cross_entropy(out, y)
            loss.backward()
            adam.step()
            return loss

        return train_step, list(model.parameters()), model, adam

    return make


X = mg.randn(80, 2)
Y = (X.sum(1, keepdim=True) > 0).float()


def test_a_hundred_steps_are_those_of_eager_to_the_bit():
    pair = Pair(small()).calls(100, X, Y)
    assert pair.ran() == 98


def test_the_printed_source_runs_with_numpy_alone_and_gives_the_same_gradients():
    pair = Pair(small()).calls(4, X, Y)
    source = pair.compiled.source()
    assert len(source.splitlines()) < 60
    assert all(
        word in source for word in ("# forward", "# backward", "# update", "of line", "(80, 4)", "model.0.weight")
    )
    run, parameters, (model, adam), _ = pair.sides[1]
    names = [name for name, _ in model.named_parameters()]
    given = {f"model.{name}".replace(".", "_"): bits(p) for name, p in model.named_parameters()}
    space = {}
    exec(source, space)
    loss, gradients = space["train_step"](x=bits(X), y=bits(Y), **given)
    assert float(run(X, Y)) == loss
    for name, p in zip(names, parameters, strict=True):
        assert np.array_equal(gradients[f"model.{name}"], bits(p.grad))
    before = {name: given[f"model.{name}".replace(".", "_")] for name in names}
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in before.values()]
    for p, g, (m, v) in zip(before.values(), gradients.values(), moments, strict=True):
        space["update"](p, g, m, v, 1)  # Adam's first step, by hand
        assert np.isfinite(p).all()


# -- what may change between two calls


def test_another_shape_has_a_program_of_its_own():
    pair = Pair(small()).calls(4, X, Y).calls(4, X[:7], Y[:7]).calls(4, X, Y)
    assert pair.ran() == 2 + 2 + 4


def test_another_type_has_a_program_of_its_own():
    def make():
        w = mg.randn(3, requires_grad=True)
        return (lambda x: (w.double() * x).sum() if x.dtype is mg.float64 else (w * x).sum()), [w]

    with mg.no_grad():
        pair = Pair(make).calls(4, mg.randn(3)).calls(4, mg.randn(3).double())
    assert pair.ran() == 4


def test_the_mode_of_a_module_is_looked_at():
    def make():
        model = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.5), nn.Linear(8, 1))
        sgd = mg.optim.SGD(model.parameters(), lr=0.1)

        def step(x, y):
            sgd.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            sgd.step()
            return loss

        return step, list(model.parameters()), model

    pair = Pair(make).calls(5, X, Y)
    assert pair.ran() == 3
    pair.calls(4, X, Y, between=lambda _, rest: rest[0].eval()).calls(3, X, Y, between=lambda _, rest: rest[0].train())
    assert pair.ran() == 3 + 2 + 3


def test_a_parameter_that_is_replaced_is_noticed():
    pair = Pair(small(lambda p: mg.optim.SGD(p, lr=0.1))).calls(4, X, Y)
    for _, tensors, (model, _), _ in pair.sides:
        model[0].weight = nn.Parameter(mg.ones(4, 2))
        tensors.append(model[0].weight)
    pair.calls(4, X, Y)


def test_changes_in_place_from_outside_are_seen():
    def halve(tensors, _):
        with mg.no_grad():
            tensors[0].mul_(0.5)
            tensors[1].data = tensors[1].data + 1

    pair = Pair(small()).calls(4, X, Y).calls(5, X, Y, between=halve)
    assert pair.ran() == 7


def test_requires_grad_is_looked_at():
    pair = Pair(small(lambda p: mg.optim.SGD(p, lr=0.1))).calls(4, X, Y)
    for _, tensors, _, _ in pair.sides:
        tensors[0].requires_grad_(False)
    pair.calls(4, X, Y)
    for _, tensors, _, _ in pair.sides:
        tensors[0].requires_grad_(True)
    pair.calls(4, X, Y)


def test_a_hook_that_is_added_is_called():
    seen = []
    pair = Pair(small()).calls(4, X, Y)
    for _, tensors, _, _ in pair.sides:
        tensors[0].register_hook(lambda g: seen.append(1) or g * 2)
    pair.calls(3, X, Y)
    assert len(seen) == 6
    assert "hook" in pair.compiled.explain()


def test_the_learning_rate_is_read_at_each_call():
    def slower(_, rest):
        for group in rest[1].param_groups:
            group["lr"] *= 0.9
            group["betas"] = (0.8, 0.99)

    pair = Pair(small()).calls(4, X, Y).calls(6, X, Y, between=slower)
    assert pair.ran() == 8


def test_grad_mode_and_the_form_of_operations_are_looked_at():
    def make():
        w = mg.randn(3, requires_grad=True)
        return (lambda x: F.softmax(w * x, 0)), [w]

    with mg.no_grad():
        pair = Pair(make).calls(4, mg.randn(3))
        assert pair.ran() == 2
        with mg.use_kernels(False):
            pair.calls(3, mg.randn(3))
    pair.calls(1, mg.randn(3))
    assert pair.sides[1][0](mg.randn(3)).requires_grad


def test_values_that_the_step_reads_are_looked_at():
    scale = {"by": 2.0}

    class Settings:
        shift = 1.0

    settings = Settings()

    def make():
        w = mg.ones(3, requires_grad=True)

        def step(x):
            w.grad = None
            loss = (w * x * scale["by"] + settings.shift).sum()
            loss.backward()
            return loss

        return step, [w]

    pair = Pair(make).calls(4, mg.ones(3))
    assert pair.ran() == 2
    scale["by"] = 3.0
    pair.calls(4, mg.ones(3))
    settings.shift = 5.0
    pair.calls(4, mg.ones(3))
    Settings.shift = 7.0
    del settings.shift
    pair.calls(4, mg.ones(3))


# -- what is inside of a step


def test_clipping_schedules_momentum_and_dropout():
    def make():
        model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Dropout(0.25), nn.Linear(16, 3))
        sgd = mg.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        schedule = mg.optim.lr_scheduler.StepLR(sgd, 2)

        def step(x, y):
            sgd.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            sgd.step()
            return loss

        return step, list(model.parameters()), model, schedule

    pair = Pair(make)
    target = mg.randint(0, 3, (80,))
    for _ in range(4):
        pair.calls(3, X, target)
        for _, _, (_, schedule), _ in pair.sides:
            schedule.step()
    assert pair.ran() == 10


def test_running_statistics_of_batch_norm():
    def make():
        model = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
        adam = mg.optim.AdamW(model.parameters(), lr=0.01)

        def step(x, y):
            adam.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            adam.step()
            return loss

        return step, [*model.parameters(), *model.buffers()]

    assert Pair(make).calls(8, X, Y).ran() == 6


def test_gradients_add_up_and_leave():
    def make():
        w = mg.ones(3, requires_grad=True)

        def step(x):
            ((w * x).sum() ** 2 + w.exp().mean()).backward()
            return w.grad

        return step, [w]

    assert Pair(make).calls(8, mg.randn(3)).ran() > 3


def test_a_gradient_is_memory_of_its_own():
    w, v = (mg.ones(3, requires_grad=True) for _ in range(2))

    def step():
        w.grad = v.grad = None
        loss = (w + v).sum()
        loss.backward()
        return loss

    run = mg.compile(step)
    kept = []
    for _ in range(5):
        kept.append((run(), w.grad))
        assert not np.shares_memory(w.grad.array, v.grad.array)
        w.grad.zero_()
    assert len({id(g) for _, g in kept}) == 5
    assert [loss.item() for loss, _ in kept] == [6.0] * 5
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        kept[-1][0].backward()


# -- the compiled form


def close(a, b, bound):
    """Whether two float32 arrays differ by rounding alone, in proportion to the largest of them."""
    return (a is None) is (b is None) and (a is None or np.abs(a - b).max() <= bound * max(np.abs(a).max(), 1e-3))


def beside(make, *arguments, n=8, bound=2e-6):
    """Gradients and results of eager and of the compiled form at the same weights, n times."""
    mg.manual_seed(0)
    step, tensors, *_ = make()
    run = mg.compile(step)
    for _ in range(3):
        run(*arguments)
    assert run._ready[-1].loops is not None, run.explain()
    for k in range(n):
        saved = [bits(t) for t in tensors]
        out, gradients = bits(run(*arguments)), [bits(t.grad) for t in tensors]
        after = [bits(t) for t in tensors]
        for t, v in zip(tensors, saved, strict=True):
            t.array[...] = v
        want = bits(step(*arguments))
        assert close(want, out, bound), k
        assert all(close(bits(t.grad), g, bound) for t, g in zip(tensors, gradients, strict=True)), k
        for t, v in zip(tensors, after, strict=True):
            t.array[...] = v
    return run


def gradients_of(layers, loss):
    """A step without an optimizer."""

    def make():
        model = nn.Sequential(*layers())

        def step(x, y):
            for p in model.parameters():
                p.grad = None
            out = loss(model(x), y)
            out.backward()
            return out

        return step, list(model.parameters())

    return make


LAYERS = {
    "relu": lambda: [nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1)],
    "sigmoid": lambda: [nn.Linear(2, 5, bias=False), nn.Sigmoid(), nn.Linear(5, 1)],
    "wide": lambda: [nn.Linear(2, 33), nn.ReLU(), nn.Linear(33, 21), nn.Tanh(), nn.Linear(21, 1)],
}


@pytest.mark.parametrize(("layers", "rows"), [("relu", 2), ("sigmoid", 64), ("wide", 130)])
def test_the_compiled_form_gives_eager_s_gradients_up_to_rounding(layers, rows, compiled):
    x = mg.randn(rows, 2)
    y = (x[:, :1] > 0).float()
    loss = F.mse_loss if layers != "sigmoid" else F.binary_cross_entropy_with_logits
    beside(gradients_of(LAYERS[layers], loss), x, y)


def test_the_compiled_step_with_adam_trains_as_eager_does(compiled):
    losses = []
    for compile_it in (False, True):
        mg.manual_seed(0)
        step, parameters, _, adam = small()()
        run = mg.compile(step) if compile_it else step
        losses.append([run(X, Y).item() for _ in range(60)])
        for group in adam.param_groups:
            group["lr"] = 0.001
        losses[-1] += [run(X, Y).item() for _ in range(20)]
        assert [float(adam.state[p]["step"].array) for p in parameters] == [80.0] * 4
    assert np.abs(np.subtract(*losses)).max() < 1e-5
    assert run._ready[-1].fast.adam
    assert "adam(" in run.source("compiled")
    before = [bits(p) for p in parameters]
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        run(X, Y - 1)
    assert all(map(same, before, [bits(p) for p in parameters]))


def test_gradients_take_no_new_memory_unless_somebody_holds_them(compiled):
    step, parameters, *_ = small()()
    run = mg.compile(step)
    for _ in range(4):
        run(X, Y)
    fast = run._ready[-1].fast
    made = fast.made
    for _ in range(20):
        run(X, Y)
    assert fast.made == made
    held, seen = parameters[0].grad, parameters[1].grad[1:]
    kept = bits(held), bits(seen)
    for _ in range(3):
        run(X, Y)
    assert fast.made == made + 2
    assert same(bits(held), kept[0])
    assert same(bits(seen), kept[1])


# -- what runs eagerly, and says why


def refused(step, word, *arguments, n=4):
    """The step runs as eager does; explain() has the word; fullgraph raises it."""
    compiled = mg.compile(step)
    for _ in range(n):
        compiled(*arguments)
    assert word in compiled.explain(), compiled.explain()
    assert not any(ready.program for ready in compiled._ready)
    with pytest.raises(RuntimeError, match="fullgraph=True"):
        strict = mg.compile(step, fullgraph=True)
        for _ in range(n):
            strict(*arguments)
    return compiled


def test_control_flow_that_depends_on_values():
    w = mg.ones(3, requires_grad=True)

    def step(x):
        loss = (w * x).sum()
        if loss > 0:
            loss = loss * 2
        return loss.detach() * 1

    compiled = refused(step, "branch on a tensor's value", mg.ones(3))
    assert "if loss > 0" in compiled.explain()
    assert [compiled(mg.ones(3) * k).item() for k in (1, -1)] == [6.0, -3.0]


@pytest.mark.parametrize(
    "look",
    [
        lambda t: t.item(),
        float,
        int,
        bool,
        lambda t: t.tolist(),
        lambda t: t.detach().numpy(),
        str,
        lambda t: f"{t:.2f}",
        np.asarray,
    ],
)
def test_values_that_become_python_s(look):
    w = mg.ones(())

    def step(x):
        y = w * x
        look(y)
        return y

    refused(step, "ran eagerly", mg.ones(()))


def test_what_a_step_does_to_the_world():
    seen, counter = [], {"n": 0}

    class Model(nn.Module):
        def forward(self, x):
            self.last = x
            return x * 2

    model = Model()

    def appends(x):
        seen.append(1)
        return x * 2

    def counts(x):
        counter["n"] += 1
        return x * counter["n"]

    def prints(x):
        print("step")
        return x * 2

    def draws(x):
        import random

        return x * random.random()

    refused(appends, "append", mg.ones(3))
    refused(counts, "sets an entry of something that is no tensor", mg.ones(3))
    refused(prints, "print", mg.ones(3))
    refused(lambda x: model(x), "sets the attribute last", mg.ones(3))
    refused(draws, "random", mg.ones(3))
    assert len(seen) == 4  # fullgraph=True raises before
    step = mg.compile(counts)
    counter["n"] = 0
    assert [step(mg.ones(())).item() for _ in range(4)] == [1.0, 2.0, 3.0, 4.0]


def test_generators_functions_and_constants_of_the_program_s_own():
    generator = mg.Generator()
    generator.manual_seed(0)

    class Double(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    refused(lambda x: x + mg.randn(3, generator=generator), "ran eagerly", mg.ones(3))
    refused(lambda x: Double.apply(x), "Double", mg.ones(3))
    refused(lambda x: x * mg.empty(3).abs().clamp(0, 1), "whatever lies in memory", mg.ones(3))
    array = np.ones(3, np.float32)
    refused(lambda x: x * mg.tensor(array), "ran eagerly", mg.ones(3))
    compiled = mg.compile(lambda x: x * mg.tensor([1.0, 2.0, 3.0]), fullgraph=True)
    assert [compiled(mg.full((3,), float(k))).tolist() for k in range(4)] == [[k, 2.0 * k, 3.0 * k] for k in range(4)]


def test_a_tensor_with_a_history_goes_in_or_out():
    w = mg.ones(3, requires_grad=True)
    compiled = mg.compile(lambda x: (w * x).sum())
    for _ in range(4):
        w.grad = None
        compiled(mg.ones(3)).backward()
        assert w.grad.tolist() == [1.0, 1.0, 1.0]
    inner = mg.compile(lambda x: (x * 2).sum())
    for _ in range(4):
        w.grad = None
        inner(w * 3).backward()
        assert w.grad.tolist() == [6.0, 6.0, 6.0]


def test_values_that_an_operation_refuses_are_refused():
    pair = Pair(small()).calls(4, X, Y)
    run, parameters, *_ = pair.sides[1]
    before = [bits(p) for p in parameters]
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        run(X, Y + 1)
    assert all(map(same, before, [bits(p) for p in parameters]))


def test_threads_may_call_one_step():
    w = mg.ones(50)
    compiled = mg.compile(lambda x: (w * x).sum())
    found = []

    def work(k):
        for _ in range(50):
            found.append((k, compiled(mg.full((50,), float(k))).item()))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 200
    assert all(value == 50.0 * k for k, value in found)


@pytest.mark.parametrize("fullgraph", [False, True])
def test_a_step_that_another_thread_is_at(fullgraph):
    """Runs eagerly and says so; with fullgraph=True, which promises a program, it waits."""
    inside, go_on = threading.Event(), threading.Event()

    def slow(x):
        inside.set()
        assert go_on.wait(60)
        return x * 2

    def quick(x):
        return x + 1

    slow, quick = mg.compile(slow), mg.compile(quick, fullgraph=fullgraph)
    first = threading.Thread(target=slow, args=(mg.ones(2),))
    first.start()
    assert inside.wait(60)
    found = []
    second = threading.Thread(target=lambda: found.extend(quick(mg.ones(2)).tolist() for _ in range(3)))
    second.start()
    second.join(0.05 if fullgraph else 60)
    assert second.is_alive() == fullgraph
    go_on.set()
    first.join()
    second.join()
    assert found == [[2, 2]] * 3
    told = "ran eagerly: another thread recorded a step at the same time"
    assert (told in quick.explain()) == (not fullgraph)
    for _ in range(3):
        quick(mg.ones(2))
    assert quick.source()


def test_a_step_that_calls_itself_or_another_waits_for_nobody():
    inner = mg.compile(lambda x: x * 2, fullgraph=True)
    outer = mg.compile(lambda x, n: outer(x, n - 1) if n else inner(x) + 1)
    for _ in range(4):
        assert outer(mg.ones(2), 2).tolist() == [3, 3]
    assert "another thread" not in inner.explain() + outer.explain()


def test_the_engine_is_as_before_when_a_step_raises():
    def step(x):
        raise KeyError("mine")

    places = [vars(mg.autograd.graph.Operation)["apply"], mg.storage.mark_written]
    compiled = mg.compile(step)
    for _ in range(2):
        with pytest.raises(KeyError, match="mine"):
            compiled(mg.ones(3))
    assert places == [vars(mg.autograd.graph.Operation)["apply"], mg.storage.mark_written]
    assert "array" not in vars(mg.autograd.variable.Variable)


def test_arguments_of_compile():
    def f(x):
        return x

    assert mg.compile(f, disable=True) is mg.compile(f, backend="eager") is f
    assert mg.compile(fullgraph=True)(f)._fullgraph
    for wrong in ({"mode": "fast"}, {"backend": "nothing"}, {"options": {"a": 1}}, {"options": {}, "mode": "default"}):
        with pytest.raises(RuntimeError):
            mg.compile(f, **wrong)
    with pytest.raises(NotImplementedError, match="dynamic"):
        mg.compile(f, dynamic=True)
    with pytest.raises(RuntimeError):
        mg.compile(3)
    with pytest.raises(RuntimeError, match="no program yet"):
        mg.compile(f).source()
    with pytest.raises(ValueError, match="definition"):
        mg.compile(f).source("other")


def test_what_a_step_reads_of_gradients_optimizers_and_arguments():
    def make():
        w = mg.ones(3, requires_grad=True)

        def step(x):
            loss = (w * x).sum()
            if w.grad is None:
                loss = loss * 3
            loss.backward()
            return loss

        return step, [w]

    pair = Pair(make).calls(5, mg.ones(3))
    for _, (w,), _, _ in pair.sides:
        w.grad = None
    pair.calls(5, mg.ones(3))
    assert pair.ran() > 0
    w = mg.ones(3, requires_grad=True)
    sgd = mg.optim.SGD([w], lr=0.1)
    refused(lambda x: x * sgd.param_groups[0]["lr"], "param_groups", mg.ones(3))

    def grows(x, numbers):
        numbers += [1]
        return x * len(numbers)

    refused(grows, "changes an argument", mg.ones(3), [1, 2])
    refused(lambda x: (x * w).sum().backward(), "an argument gets a gradient", mg.ones(3, requires_grad=True))
    data, out = mg.ones(4, 2), []
    count = mg.compile(lambda x: x * data.shape[0])
    for n in (4, 4, 4, 7, 7, 7):
        data.data = mg.ones(n, 2)
        out.append(count(mg.ones(())).item())
    assert out == [4.0, 4.0, 4.0, 7.0, 7.0, 7.0]


def test_hooks_of_all_optimizers_are_called(compiled):
    step, *_ = small()()
    run = mg.compile(step)
    for _ in range(4):
        run(X, Y)
    seen = []
    handle = mg.optim.optimizer.register_optimizer_step_post_hook(lambda *_: seen.append(1))
    try:
        for _ in range(3):
            run(X, Y)
    finally:
        handle.remove()
    assert len(seen) == 3


OF_ONE_NUMBER = {
    "power": lambda a, b: a**3,
    "fraction of a power": lambda a, b: (a * 1.0) ** 2.5,
    "root": lambda a, b: (a * b) ** -0.5,
    "hyperbola": lambda a, b: b / (a + 1) - a * b,
    "exponential": lambda a, b: (a.exp() + b.log()).sqrt(),
    "waves": lambda a, b: a.sin() * b.cos() + a.tanh(),
    "sigmoid": lambda a, b: (a * b).sigmoid() * a,
    "logarithms": lambda a, b: a.log1p() + b.expm1(),
    "of a sum": lambda a, b: ((a * a.expand(5)).sum() * b) ** 1.5,
    "loss": lambda a, b: F.mse_loss(a.tanh(), b) + F.binary_cross_entropy_with_logits(a, b),
}


@pytest.mark.parametrize("dtype", [mg.float32, mg.float64], ids=str)
@pytest.mark.parametrize("name", OF_ONE_NUMBER)
def test_single_numbers_have_eager_s_bits(name, dtype):
    """Of arrays without dimensions NumPy makes numbers, and some functions of numbers round otherwise than those of arrays."""
    function = OF_ONE_NUMBER[name]

    def make():
        a, b = (mg.tensor(x, dtype=dtype, requires_grad=True) for x in (0.7, 0.3))
        rng = np.random.default_rng(0)

        def step():
            a.grad = b.grad = None
            out = function(a, b)
            out.backward()
            return out

        def between(tensors, rest):
            for t in tensors:
                t.array[...] = rng.uniform(0.05, 0.95)

        return step, [a, b], between

    pair = Pair(make).calls(200, between=lambda tensors, rest: rest[0](tensors, rest))
    assert pair.ran() >= 190, pair.compiled.explain()
