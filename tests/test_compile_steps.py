"""Steps as programs write them, compiled: masks as arguments, several losses, operations after an optimizer's step.

Each is made twice, eager and compiled, and called with the same arguments: results, parameters, gradients and buffers agree.
"""

import copy
import functools

import numpy as np
import pytest

import minigrad as mg
import minigrad.nn.functional as F
from minigrad import nn, optim

CALLS = 6
STEPS = {}  # by name: a function that gives a step, a function that gives arguments, and what the step may change


def step_of(make):
    STEPS[make.__name__] = make
    return make


def numbers(*shape):
    return lambda: (mg.randn(*shape),)


def leaf(*shape):
    return mg.randn(*shape, requires_grad=True)


def of_w(function, args):
    """The step of a leaf w: forward, and backward from the sum."""
    w = leaf(4, 4)

    def step(*given):
        w.grad = None
        loss = function(w, *given)
        loss.backward()
        return loss

    return step, args, [w]


def with_mask():
    return mg.randn(4, 4), mg.randn(4, 4) > 0


def with_masks():
    return mg.randn(4, 4), mg.randn(4, 4) > 0, mg.randn(4, 4) > 0


def values(tree):
    """All numbers of a result, in order."""
    if isinstance(tree, mg.Tensor):
        return [np.array(tree.detach().numpy())]
    if isinstance(tree, dict):
        return [a for x in tree.values() for a in values(x)]
    if isinstance(tree, list | tuple):
        return [a for x in tree for a in values(x)]
    return [] if tree is None else [np.asarray(tree)]


def state(things):
    """The tensors of what a step may change, and their gradients."""
    found = []
    for x in things:
        tensors = [x] if isinstance(x, mg.Tensor) else [*x.parameters(), *x.buffers()]
        for t in tensors:
            found += [np.array(t.detach().numpy()), *([] if t.grad is None else [np.array(t.grad.numpy())])]
    return found


def outcomes(make, compiled):
    mg.manual_seed(3)
    step, args, things = make()
    run = mg.compile(step) if compiled else step
    found = []
    kept = []  # (results are kept, as a loop does that draws its losses afterwards)
    for k in range(CALLS):
        mg.manual_seed(100 + k)
        kept.append(run(*args()))
        found.append((values(kept[-1]), state(things)))
    found.append(([a for x in kept for a in values(x)], []))
    return found, run


def compare(make):
    eager, _ = outcomes(make, False)
    compiled, run = outcomes(make, True)
    for k, (a, b) in enumerate(zip(eager, compiled, strict=True)):
        for x, y in zip(a, b, strict=True):
            assert len(x) == len(y), f"call {k}"
            for p, q in zip(x, y, strict=True):
                assert (p.shape, p.dtype) == (q.shape, q.dtype), f"call {k}"
                assert np.allclose(p, q, rtol=1e-5, atol=1e-6, equal_nan=True), f"call {k}: {p} and {q}"
    return run


# -- masks as arguments


@step_of
def masked_fill():
    return of_w(lambda w, x, m: (x * w).masked_fill(m, 0.5).sum(), with_mask)


@step_of
def where():
    return of_w(lambda w, x, m: mg.where(m, x * w, x).pow(2).sum(), with_mask)


@step_of
def loss_times_mask():
    return of_w(lambda w, x, m: ((x * w) ** 2 * m).sum() / m.sum(), with_mask)


@step_of
def not_mask():
    return of_w(lambda w, x, m: (x * w).masked_fill(~m, 0.0).pow(2).sum(), with_mask)


@step_of
def two_masks():
    return of_w(lambda w, x, m, n: (x * w).masked_fill((m & n) | ~m ^ n, 0.0).pow(2).sum(), with_masks)


@step_of
def logic_of_masks():
    return of_w(lambda w, x, m, n: mg.where(mg.logical_or(m, n) & mg.logical_not(n), w, x).pow(2).sum(), with_masks)


@step_of
def attention_mask():
    w = leaf(2, 4, 4)

    def step(x, m):
        w.grad = None
        loss = F.scaled_dot_product_attention(x * w, x, x, attn_mask=m).pow(2).sum()
        loss.backward()
        return loss

    return step, lambda: (mg.randn(2, 4, 4), (mg.randn(4, 4) > 0) | mg.eye(4).bool()), [w]


@step_of
def padding_mask():
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, dropout=0.0)

    def step(x, m):
        layer.zero_grad()
        loss = layer(x, src_key_padding_mask=m).pow(2).mean()
        loss.backward()
        return loss

    def args():
        m = mg.randn(2, 3) > 0
        m[:, 0] = False
        return mg.randn(2, 3, 4), m

    return step, args, [layer]


@step_of
def causal_by_a_mask_of_its_own():
    return of_w(
        lambda w, x: (x @ w).masked_fill(~mg.tril(mg.ones(4, 4, dtype=mg.bool)), -1e9).softmax(-1)[:, 0].sum(),
        numbers(4, 4),
    )


@step_of
def not_a_number():
    def args():
        x = mg.randn(4, 4)
        x[0, 0] = float("nan")
        return (x,)

    return of_w(lambda w, x: mg.where(mg.isnan(x), 0.0, x * w).sum(), args)


# -- what is asked depends on shapes alone


@step_of
def contiguous_turned():
    return of_w(lambda w, x: ((x * w).t().contiguous() * w).sum() + (x.t().contiguous() * w).sum(), numbers(4, 4))


@step_of
def length():
    return of_w(lambda w, x: (x * w).sum() / len(x), numbers(4, 4))


@step_of
def largest_few():
    return of_w(
        lambda w, x: (x * w).topk(2).values.sum() + (x * w).topk(3, 0, False).values.pow(2).sum(), numbers(4, 4)
    )


@step_of
def middle_and_most():
    def function(w, x):
        y = x * w
        return (
            y.median()
            + y.median(1).values.sum()
            + y.nanmedian(0).values.sum()
            + y.kthvalue(2, 0).values.sum()
            + y.mode(1).values.sum()
        )

    return of_w(function, numbers(4, 4))


@step_of
def one_hot():
    return of_w(lambda w, t: (F.one_hot(t, 4).float() * w).sum(), lambda: (mg.randint(0, 4, (4,)),))


@step_of
def scattered_number():
    return of_w(lambda w, t: (mg.zeros(4, 4).scatter(1, t, 2.0) * w).sum(), lambda: (mg.randint(0, 4, (4, 1)),))


@step_of
def interpolated():
    return of_w(
        lambda w, x: F.interpolate((x * w)[None, None], scale_factor=2, mode="bilinear").pow(2).sum(), numbers(4, 4)
    )


@step_of
def without_a_gradient():
    def step(x):
        with mg.no_grad():
            s = mg.linalg.svd(x).S
            e = mg.linalg.eigh(x @ x.T)
            return (
                s,
                e.eigenvalues,
                mg.linalg.det(x),
                mg.linalg.inv(x),
                mg.searchsorted(mg.arange(4.0), x),
                x.isfinite().all(),
            )

    return step, numbers(4, 4), []


@step_of
def drawn_by_wholes():
    return of_w(
        lambda w, x: (mg.bernoulli((x * w).sigmoid().detach()) * w).sum() + F.gumbel_softmax(x * w, hard=True)[0, 0],
        numbers(4, 4),
    )


# -- several losses


def two_layers(inputs=4, outputs=2):
    return nn.Sequential(nn.Linear(inputs, 4), nn.Tanh(), nn.Linear(4, outputs))


@step_of
def two_losses_over_one_graph():
    net = two_layers()
    stepper = optim.SGD(net.parameters(), 0.1)

    def step(x):
        stepper.zero_grad()
        y = net(x)
        a, b = y[:, 0].pow(2).mean(), y[:, 1].abs().mean()
        a.backward(retain_graph=True)
        b.backward()
        stepper.step()
        return a, b

    return step, numbers(5, 4), [net]


@step_of
def two_losses_over_two_graphs():
    net = two_layers()
    stepper = optim.Adam(net.parameters(), 0.1)

    def step(x, y):
        stepper.zero_grad()
        a = net(x).pow(2).mean()
        a.backward()
        b = net(y).abs().mean()
        b.backward()
        stepper.step()
        return {"a": a.detach(), "b": b}

    return step, lambda: (mg.randn(5, 4), mg.randn(3, 4)), [net]


# -- after an optimizer's step


@step_of
def a_look_after_the_step():
    net = two_layers()
    stepper = optim.SGD(net.parameters(), 0.1, momentum=0.9)

    def step(x):
        stepper.zero_grad()
        loss = net(x).pow(2).mean()
        loss.backward()
        stepper.step()
        with mg.no_grad():
            after = net(x).pow(2).mean()
        return loss, after, loss.detach() - after

    return step, numbers(5, 4), [net]


@step_of
def running_mean_of_the_weights():
    net = two_layers()
    mean = copy.deepcopy(net)
    stepper = optim.Adam(net.parameters(), 0.1)

    def step(x):
        stepper.zero_grad()
        loss = net(x).pow(2).mean()
        loss.backward()
        stepper.step()
        with mg.no_grad():
            for e, p in zip(mean.parameters(), net.parameters(), strict=True):
                e.mul_(0.9).add_(p, alpha=1 - 0.9)
        return loss

    return step, numbers(5, 4), [net, mean]


def two_players(last, criterion, stepper):
    maker, judge = (
        two_layers(3, 4),
        nn.Sequential(nn.Linear(4, 4), nn.LeakyReLU(0.2), nn.Dropout(0.1), nn.Linear(4, 1), *last),
    )
    of_maker, of_judge = stepper(maker.parameters()), stepper(judge.parameters())

    def step(real, noise):
        true, false = mg.ones(len(real), 1), mg.zeros(len(real), 1)
        made = maker(noise)
        of_judge.zero_grad()
        first = criterion(judge(real), true) + criterion(judge(made.detach()), false)
        first.backward()
        of_judge.step()
        of_maker.zero_grad()
        second = criterion(judge(made), true)
        second.backward()
        of_maker.step()
        return first.detach(), second.detach(), made.detach().mean()

    return step, lambda: (mg.randn(5, 4), mg.randn(5, 3)), [maker, judge]


@step_of
def two_players_with_logits():
    return two_players((), nn.BCEWithLogitsLoss(), functools.partial(optim.Adam, lr=0.05))


@step_of
def two_players_with_probabilities():
    return two_players((nn.Sigmoid(),), nn.BCELoss(), functools.partial(optim.SGD, lr=0.05))


@step_of
def two_players_of_images():
    maker = nn.Sequential(
        nn.ConvTranspose2d(2, 3, 4, 2, 1, bias=False),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.Conv2d(3, 1, 3, padding=1),
        nn.Tanh(),
    )
    judge = nn.Sequential(
        nn.Conv2d(1, 3, 4, 2, 1, bias=False),
        nn.BatchNorm2d(3),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(3 * 4 * 4, 1),
    )
    of_maker, of_judge = optim.Adam(maker.parameters(), 0.01), optim.Adam(judge.parameters(), 0.01)
    criterion = nn.BCEWithLogitsLoss()

    def step(real, noise):
        made = maker(noise)
        of_judge.zero_grad()
        a = judge(real)
        b = judge(made.detach())
        first = criterion(a, mg.ones_like(a)) + criterion(b, mg.zeros_like(b))
        first.backward()
        of_judge.step()
        of_maker.zero_grad()
        c = judge(made)
        second = criterion(c, mg.ones_like(c))
        second.backward()
        of_maker.step()
        return first, second

    return step, lambda: (mg.randn(3, 1, 8, 8), mg.randn(3, 2, 4, 4)), [maker, judge]


@step_of
def three_steps_and_a_schedule():
    net = two_layers()
    stepper = optim.SGD(net.parameters(), 0.1)
    schedule = optim.lr_scheduler.StepLR(stepper, 2, 0.5)

    def step(x):
        losses = []
        for _ in range(3):
            stepper.zero_grad()
            loss = net(x).pow(2).mean()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 0.5)
            stepper.step()
            losses.append(loss.detach())
        schedule.step()
        return losses

    return step, numbers(5, 4), [net]


@step_of
def a_measure_of_the_first_part():
    net = two_layers()
    stepper = optim.SGD(net.parameters(), 0.1)
    schedule = optim.lr_scheduler.ReduceLROnPlateau(stepper, patience=0)

    def step(x):
        stepper.zero_grad()
        loss = net(x).abs().mean()
        loss.backward()
        stepper.step()
        after = net(x).detach().abs().mean()
        schedule.step(loss)
        return after

    return step, numbers(5, 4), [net]


@step_of
def a_view_of_a_weight_from_before():
    net = nn.Linear(4, 4)
    stepper = optim.SGD(net.parameters(), 0.1)

    def step(x):
        turned = net.weight.detach().t()
        stepper.zero_grad()
        loss = net(x).pow(2).mean()
        loss.backward()
        before = (x @ turned).sum()
        stepper.step()
        return before, (x @ net.weight.detach().t()).sum()

    return step, numbers(5, 4), [net]


@pytest.mark.parametrize("position", ["fastest", "numpy"])
@pytest.mark.parametrize("name", STEPS)
def test_the_numbers_are_those_of_eager(name, position):
    with mg.use_kernels(position):
        run = compare(STEPS[name])
    assert any(ready.program is not None for ready in run._ready), run.explain()
    assert "ran eagerly" not in run.explain()
    assert run.source()


SPECIAL = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.0,
    -2.0,
    0.5,
    -0.5,
    float("inf"),
    -float("inf"),
    float("nan"),
    1e-30,
    -1e-30,
    1e30,
    -1e30,
]
EXPONENTS = (-3, -2, -1.5, -1, -0.5, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 4, float("inf"), -float("inf"), float("nan"))


@pytest.mark.parametrize("form", ["fused", "loop", "numpy"])
@pytest.mark.parametrize("exponent", EXPONENTS)
def test_powers_of_special_values_are_eager_s(exponent, form):
    def step(v, s):
        v.grad = None
        power = (v * s) ** exponent
        (power * 1.0).sum().backward()
        return power.detach() * 1.0

    def outcome(run, v, s):
        out = run(v, s)
        return np.array(out.numpy()), np.array(v.grad.numpy())

    for d in (mg.float32, mg.float64):
        v = mg.tensor(SPECIAL, dtype=d, requires_grad=True)

        def bound(s, v=v):
            return step(v, s)

        with mg.use_kernels("numpy" if form == "numpy" else "fastest"):
            run = mg.compile(bound, mode="max-autotune" if form == "loop" else None)
            for scale in (1.0, 1.0, 1.0, -1.0):
                s = mg.full((len(SPECIAL),), scale, dtype=d)
                found = outcome(lambda v, s, run=run: run(s), v, s)
                expected = outcome(lambda v, s: step(v, s), v, s)
                for x, y in zip(found, expected, strict=True):
                    assert np.allclose(x, y, rtol=1e-5 if d is mg.float32 else 1e-12, equal_nan=True), (x, y)
                    zero = (y == 0) & ~np.isnan(y)
                    assert (np.signbit(x) == np.signbit(y))[zero].all(), (x, y)
        assert run._ready[-1].program is not None, run.explain()


@pytest.mark.parametrize("make_stepper", [optim.Adam, functools.partial(optim.SGD, momentum=0.9)])
def test_what_a_later_part_refuses_is_run_eagerly_from_the_start(make_stepper):
    """Labels that only eager serves are met when one optimizer has stepped: that step is taken back, and taken once."""

    def make():
        net = nn.Sequential(nn.Linear(4, 4, bias=False), nn.BatchNorm1d(4), nn.Dropout(0.2), nn.Linear(4, 3))
        first, second = make_stepper(net.parameters(), lr=0.1), make_stepper(net.parameters(), lr=0.05)
        schedule = optim.lr_scheduler.StepLR(first, 2, 0.5)
        labels = iter([[0, 1, 2], [2, 1, 0], [1, 1, 1], [0, -100, 2], [0, 0, 1], [2, -100, 2]])

        def step(x, t):
            first.zero_grad()
            a = net(x).pow(2).mean()
            a.backward()
            first.step()
            schedule.step()
            second.zero_grad()
            b = F.cross_entropy(net(x), t)
            b.backward()
            second.step()
            return a, b

        return step, lambda: (mg.randn(3, 4), mg.tensor(next(labels))), [net]

    with pytest.warns(UserWarning, match="refuses the values of t"):
        run = compare(make)
    (ready,) = run._ready
    assert len(ready.parts) == 2
    assert [part.calls for part in ready.parts] == [4, 2]


def test_an_error_after_an_optimizer_s_step_is_eager_s():
    """The operation's own error comes from where it is, with what was done before it: as eager leaves it."""

    def make():
        net = nn.Linear(4, 4)
        stepper = optim.SGD(net.parameters(), 0.1)
        indices = iter([[0, 1], [2, 1], [1, 1], [0, 7]])

        def step(x, i):
            stepper.zero_grad()
            loss = net(x).pow(2).mean()
            loss.backward()
            stepper.step()
            return net(x).detach()[i].sum()

        return step, lambda: (mg.randn(3, 4), mg.tensor(next(indices))), [net]

    found = []
    for compiled in (False, True):
        mg.manual_seed(3)
        step, args, things = make()
        run = mg.compile(step) if compiled else step
        for _ in range(3):
            run(*args())
        with pytest.raises(IndexError) as told:
            run(*args())
        found.append((str(told.value), [a.tolist() for a in state(things)]))
    assert found[0][0] == found[1][0]
    assert np.allclose(found[0][1][0], found[1][1][0], rtol=1e-5)


def test_a_later_part_that_gives_another_shape_is_taken_back():
    """How many columns one_hot has depends on values where it is not told."""

    def make():
        net = nn.Linear(4, 4)
        stepper = optim.Adam(net.parameters(), 0.1)
        labels = iter([[0, 2], [2, 1], [1, 2], [0, 1], [2, 0], [0, 0]])

        def step(x, t):
            stepper.zero_grad()
            loss = net(x).pow(2).mean()
            loss.backward()
            stepper.step()
            return loss, F.one_hot(t) * (net(x).detach().sum() + 1)

        return step, lambda: (mg.randn(3, 4), mg.tensor(next(labels))), [net]

    with pytest.warns(UserWarning, match="one_hot refuses the values of t"):
        run = compare(make)
    assert [part.calls for part in run._ready[0].parts] == [4, 2]


class Trainer:
    def __init__(self):
        self.net = nn.Linear(4, 4)
        self.stepper = optim.SGD(self.net.parameters(), 0.1)
        self.fast = mg.compile(self.step)

    def step(self, x):
        self.stepper.zero_grad()
        loss = self.net(x).pow(2).mean()
        loss.backward()
        self.stepper.step()
        return loss

    decorated = mg.compile(step)

    @staticmethod
    @mg.compile
    def of_no_object(x):
        return x * 2

    @classmethod
    @mg.compile
    def of_the_class(cls, x):
        return x * 2

    def __call__(self, x):
        return self.net(x).detach() * 2


def scaled(a, x, k=1):
    return a * x * k


def without_gradients(x):
    return x * 2


def test_methods_partials_and_what_a_mode_is_put_around_are_compiled():
    trainer, other = Trainer(), Trainer()
    two = mg.tensor(2.0)
    around = [mg.no_grad(), mg.inference_mode(), mg.enable_grad()]
    runs = [
        (trainer.fast, trainer.fast), (trainer.decorated, Trainer.__dict__["decorated"]), (Trainer.of_no_object, Trainer.of_no_object),
        (Trainer.of_the_class, Trainer.__dict__["of_the_class"].__func__), *((c, c) for c in (mg.compile(other),)),
        *((c, c) for c in (mg.compile(functools.partial(scaled, two, k=3)),)),
        *((c, c) for c in (mg.compile(mode(without_gradients)) for mode in around)),
    ]  # fmt: skip
    inner = mg.compile(scaled)
    runs.append((functools.partial(inner, two), inner))
    x = mg.randn(4, 4)
    for call, compiled in runs:
        for _ in range(4):
            call(x)
        assert compiled._ready, compiled.explain()
        assert compiled._ready[-1].calls == 2, compiled.explain()
    before = other.net.weight.clone()
    for _ in range(3):
        other.decorated(x)  # (a program of its own)
    assert [ready.calls for ready in Trainer.__dict__["decorated"]._ready] == [2, 1]
    assert not mg.equal(before, other.net.weight)


def test_a_number_that_changes_is_named_at_the_limit():
    step = mg.compile(lambda x, rate, k=1: x * rate * k)

    def many():
        for k in range(20):
            step(mg.ones(3), 0.1 * k)

    with pytest.warns(UserWarning, match="rate was another number each time, and .* tensor") as told:
        many()
    assert len(told) == 1
    assert "rate was another number" in step.explain()
    assert "program" not in step.explain().partition("ran eagerly")[0]
    given = mg.compile(lambda x, rate: x * rate)
    for k in range(20):
        assert mg.allclose(given(mg.ones(3), mg.tensor(0.1 * k)), mg.full((3,), 0.1 * k))
    assert given._ready[0].calls == 18


def test_programs_stay_when_another_call_gives_up():
    step = mg.compile(lambda x: x * 2 if len(x) > 2 else x * x.sum().item())
    for n, calls in ((4, 4), (2, 4), (4, 4)):
        for _ in range(calls):
            step(mg.ones(n))
    assert step._ready[0].calls == 6
    assert "ran 6 times" in step.explain()
    assert "tensor.item()" in step.explain()


def test_costs_are_told_of_layers_that_keep_what_backward_needs():
    for net, shape in (
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)), (2, 1, 6, 6)),
        (nn.LSTM(4, 4), (3, 2, 4)),
    ):

        def step(x, net=net):
            net.zero_grad()
            out = net(x)
            loss = (out[0] if isinstance(out, tuple) else out).pow(2).mean()
            loss.backward()
            return loss

        run = mg.compile(step)
        for _ in range(3):
            run(mg.randn(*shape))
        assert "what it costs now" in run.explain()
        assert " us  " in run.explain()


FINDING = {
    "max": lambda y: y.max(1).values, "min": lambda y: y.min(0).values, "argmax": lambda y: y.gather(1, y.argmax(1, keepdim=True)),
    "sort": lambda y: y.sort(1).values[:, 3], "topk": lambda y: y.topk(1, 1).values, "median": lambda y: y[:, :3].median(1).values,
    "kthvalue": lambda y: y.kthvalue(4, 1).values, "mode": lambda y: y.mode(1).values,
    "take_along_dim": lambda y: mg.take_along_dim(y, y.argmax(1, keepdim=True), 1), "index": lambda y: y[mg.arange(4), y.argmax(1)],
    "one index": lambda y: y[y.argmax(1)], "unnamed": lambda y: y.max(1, keepdim=True)[0],
}  # fmt: skip


@pytest.mark.parametrize("find", FINDING.values(), ids=FINDING)
def test_places_that_are_in_order_at_the_recorded_calls_are_no_constants(find):
    """The largest of row i stands at place i when it is recorded, and elsewhere later."""
    w = mg.ones(4, 4, requires_grad=True)

    def step(x):
        w.grad = None
        found = find(x * w)
        loss = (found * mg.arange(1.0, 5.0).reshape(-1, *[1] * (found.ndim - 1))).sum()
        loss.backward()
        return loss

    run = mg.compile(step)
    mg.manual_seed(1)
    for k in range(6):
        x = mg.rand(4, 4) * 0.1 + (mg.eye(4) if k < 3 else mg.eye(4).flip(0) if k < 5 else mg.eye(4).roll(1, 0))
        found, gradient = run(x).item(), w.grad.tolist()
        assert np.allclose(found, step(x).item())
        assert np.allclose(gradient, w.grad.tolist())
    assert run._ready, run.explain()
    assert run._ready[-1].calls == 4, run.explain()


def test_named_tuples_leave_a_step():
    run = mg.compile(lambda x: (x.sort(1), mg.linalg.svd(x)))
    for k in range(4):
        x = mg.randn(3, 3) * (k + 1)
        (order, (u, s, vh)), expected = run(x), x.sort(1)
        assert type(order) is type(expected)
        assert order.indices.tolist() == expected.indices.tolist()
        assert mg.allclose(u @ mg.diag(s) @ vh, x, atol=1e-4)
    assert run._ready[-1].calls == 2
