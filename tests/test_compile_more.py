"""Compiled steps that take gradients themselves, step a scheduler, evaluate batch norm, or change tensors in place."""

import numpy as np
import pytest

import minigrad as mg

nn, F = mg.nn, mg.nn.functional


def both(make, calls=7, between=None, position="numpy"):
    """Results of the same step eagerly and compiled, which must be the same to the bit; the compiled step."""
    found, steps = [], []
    with mg.use_kernels(position):
        for compiled in (False, True):
            mg.manual_seed(0)
            step, tensors = make()
            run = mg.compile(step) if compiled else step
            steps.append(run)
            results = []
            for k in range(calls):
                if between is not None:
                    between(k, tensors)
                out = run()
                outs = out if isinstance(out, tuple | list) else (out,)
                results.append(
                    [np.array(t.array) for t in outs] + [np.array(t.array) for t in tensors if isinstance(t, mg.Tensor)]
                )
                results.append(
                    [None if t.grad is None else np.array(t.grad.array) for t in tensors if isinstance(t, mg.Tensor)]
                )
            found.append(results)
    for a, b in zip(*found, strict=True):
        for x, y in zip(a, b, strict=True):
            assert (x is None) is (y is None)
            assert x is None or (
                np.array_equal(x, y) if position == "numpy" else np.allclose(x, y, rtol=1e-4, atol=1e-6)
            )
    return steps[1]


def ran(step):
    return sum(r.calls for r in step._ready)


# -- autograd.grad


def test_gradients_taken_inside_of_the_step():
    def make():
        w, b = mg.randn(4, requires_grad=True), mg.randn(4, requires_grad=True)

        def step():
            h = w * w + b
            loss = (h.sin() * w).sum()
            first, second, inner = mg.autograd.grad(loss, [w, b, h])
            with mg.no_grad():
                norm = (first * first).sum() + second.sum()
            return first * 2, second, inner.tanh(), norm

        return step, [w, b]

    assert ran(both(make)) == 5


def test_gradients_taken_twice_with_a_kept_graph():
    def make():
        w = mg.randn(4, requires_grad=True)

        def step():
            h = w.tanh()
            (first,) = mg.autograd.grad(h.sum(), w, retain_graph=True)
            (second,) = mg.autograd.grad((h * h).sum(), w)
            return first - second

        return step, [w]

    assert ran(both(make)) == 5


def test_a_penalty_by_recorded_gradients_runs_eagerly_with_the_reason():
    def make():
        w = mg.randn(4, requires_grad=True)

        def step():
            w.grad = None
            (first,) = mg.autograd.grad((w**3).sum(), w, create_graph=True)
            (first * first).sum().backward()
            return first.detach()

        return step, [w]

    step = both(make)
    assert ran(step) == 0
    assert "create_graph=True" in step.explain()
    assert "test_compile_more.py" in step.explain()


def test_a_kept_graph_that_leaves_the_step_can_be_walked_again():
    w = mg.randn(3, requires_grad=True)

    def step():
        w.grad = None
        loss = (w * w).sum()
        loss.backward(retain_graph=True)
        return loss

    run = mg.compile(step)
    for _ in range(4):
        loss = run()
        loss.backward()  # eagerly it works: so it must here
        assert np.allclose(w.grad.array, 4 * w.array)


def test_an_input_that_was_not_used_raises_as_eagerly():
    w, v = mg.randn(3, requires_grad=True), mg.randn(3, requires_grad=True)
    run = mg.compile(lambda: mg.autograd.grad((w * 2).sum(), [w, v]))
    for _ in range(4):
        with pytest.raises(RuntimeError, match="appears to not have been used"):
            run()


# -- schedulers

SCHEDULERS = {
    "StepLR": lambda o: mg.optim.lr_scheduler.StepLR(o, 2, 0.5),
    "CosineAnnealingLR": lambda o: mg.optim.lr_scheduler.CosineAnnealingLR(o, 5),
    "ExponentialLR": lambda o: mg.optim.lr_scheduler.ExponentialLR(o, 0.8),
    "LambdaLR": lambda o: mg.optim.lr_scheduler.LambdaLR(o, lambda k: 1 / (k + 1)),
    "OneCycleLR": lambda o: mg.optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=20),
    "ReduceLROnPlateau": lambda o: mg.optim.lr_scheduler.ReduceLROnPlateau(o, patience=1),
}


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("position", ["numpy", "fastest"])
def test_a_scheduler_steps_inside_of_the_step(name, position):
    def make():
        model = nn.Sequential(nn.Linear(3, 70), nn.Tanh(), nn.Linear(70, 1))
        adam = mg.optim.Adam(model.parameters(), lr=0.01)
        scheduler = SCHEDULERS[name](adam)
        x, y = mg.randn(16, 3), mg.randn(16, 1)

        def step():
            adam.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            adam.step()
            if name == "ReduceLROnPlateau":
                scheduler.step(1.0)
            else:
                scheduler.step()
            return loss

        step.scheduler = scheduler
        return step, list(model.parameters())

    step = both(make, 9, position=position)
    assert ran(step) == (0 if name == "ReduceLROnPlateau" else 7), step.explain()


def test_a_rate_that_the_step_reads_of_its_scheduler_is_not_compiled_in():
    def make():
        w = mg.randn(3, requires_grad=True)
        sgd = mg.optim.SGD([w], lr=0.1)
        scheduler = mg.optim.lr_scheduler.ExponentialLR(sgd, 0.5)

        def step():
            sgd.zero_grad()
            loss = (w * w).sum() * scheduler.get_last_lr()[0] + scheduler.last_epoch
            loss.backward()
            sgd.step()
            scheduler.step()
            return loss

        return step, [w]

    step = both(make)
    assert ran(step) == 0
    assert "scheduler" in step.explain()


# -- batch norm, evaluating


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 5), (2, 4, 3, 3)], ids=str)
@pytest.mark.parametrize("position", ["numpy", "fastest"])
def test_batch_norm_in_evaluation(shape, affine, position):
    def make():
        kind = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d}[len(shape)]
        layer = kind(4, affine=affine)
        layer.running_mean.array[...] = [1, 2, 3, 4]
        layer.running_var.array[...] = [1, 4, 2, 3]
        layer.eval()
        x = mg.randn(shape, requires_grad=True)

        def step():
            x.grad = None
            layer.zero_grad()
            loss = (layer(x) ** 2).sum()
            loss.backward()
            return loss

        return step, [x, layer.running_mean, *layer.parameters()]

    def between(k, tensors):
        tensors[1].array[...] += 0.1 * (k == 4)  # the statistics move between calls
        tensors[0].array[...] *= 1 - 0.1 * k

    assert ran(both(make, 7, between, position)) == 5


def test_a_change_of_mode_between_evaluation_and_training_is_seen():
    def make():
        layer = nn.BatchNorm1d(4)
        x = mg.randn(8, 4)

        def step():
            layer.zero_grad()
            loss = (layer(x) ** 3).sum()
            loss.backward()
            return loss

        step.layer = layer
        return step, [layer.running_mean, layer.running_var, layer]

    def between(k, tensors):
        tensors[-1].train(k % 6 < 3)

    both(make, 18, between)


# -- in place


def in_place(body):
    """A step in which `body` changes tensors that the step made: (h, w) -> a loss."""

    def make():
        w = mg.rand(4, 3).requires_grad_()

        def step():
            w.grad = None
            loss = body(w * 2, w)
            loss.backward()
            return loss

        return step, [w]

    return make


def augmented(h, w):
    h += 1
    h *= w
    h -= 0.5
    h /= w + 1
    return h.sum()


def with_methods(h, w):
    h.add_(w)
    h.mul_(2).sub_(w * w)
    h.relu_()
    return (h * w).sum()


def old_values_are_used(h, w):
    y = h + w  # needs nothing of what h was
    h.add_(1)
    z = h.sin()
    return (h * w).sum() + (z * y).sum()


def of_functions(h, w):
    F.relu(h - 2, inplace=True)
    h.exp_()
    h.clamp_(min=0.5)
    return (h + w).sum()


def twice_by_name(h, w):
    a = h
    a += w
    return (a * h).sum()  # one tensor


def without_recording(h, w):
    with mg.no_grad():
        h.mul_(3)
    return (h * w).sum()


def through_a_view(h, w):
    h[0] = 1
    return (h * w).sum()


def with_a_view(h, w):
    v = h.reshape(-1)
    h += 1
    return (v * v).sum() + w.sum()


def of_a_row(h, w):
    h[1].mul_(2)
    return (h * w).sum()


def to_a_constant(h, w):
    h.zero_()
    return (h + w).sum()


def transposed(h, w):
    t = h.t()
    t += 1
    return (h * w).sum()


def of_a_view_of_a_view(h, w):
    v = h[1:].t()
    v[0, 1] = w[0, 0]
    v[-1].mul_(w[1])
    z = v + w[1:]  # looked at anew
    h.add_(w)
    return (h * w).sum() + (z * z + v * v).sum()


def into_new_memory(h, w):
    table = mg.zeros(3, 3)
    table[0] = h[0] * w[1]
    table[1:, 1] = 2.5
    table[2] += w.mean(0)
    return (table * table).sum() + (h * w).sum()


def by_a_mask(h, w):
    h[h > 1] = 0.5
    h[mg.tensor([0, 2]), mg.tensor([1, 1])] = w[:2, 0]
    h.masked_fill_(h < 0.3, 0.0)
    return (h * w).sum()


def all_of_it(h, w):
    h.copy_(w * w)
    u = h + w
    h.fill_(2.0)
    return (h * w).sum() + (u * u).sum()


@pytest.mark.parametrize(
    "body",
    [
        augmented, with_methods, old_values_are_used, of_functions, twice_by_name, without_recording, through_a_view, with_a_view, of_a_row,
        to_a_constant, transposed, of_a_view_of_a_view, into_new_memory, by_a_mask, all_of_it,
    ],
)  # fmt: skip
@pytest.mark.parametrize("position", ["numpy", "fastest"])
def test_changes_in_place_of_what_the_step_made(body, position):
    step = both(in_place(body), position=position)
    assert ran(step) == 5, step.explain()
    assert "run(" not in step.source()


def of_a_detached_twin(h, w):
    d = h.detach()
    h.add_(1)
    return (h * w).sum() + d.sum()


@pytest.mark.parametrize("body", [of_a_detached_twin])
def test_other_changes_in_place_run_eagerly_with_the_reason_and_the_line(body):
    step = both(in_place(body))
    assert ran(step) == 0
    assert "test_compile_more.py" in step.explain()


def test_changes_in_place_of_arguments_run_eagerly():
    x = mg.arange(3.0)
    expected, run = x.clone(), mg.compile(lambda x: x.add_(1).sum() * 1)
    assert [run(x).item() for _ in range(4)] == [(expected + k).sum().item() for k in range(1, 5)]
    assert ran(run) == 0
    assert "in place" in run.explain()


# -- in place, of what is there from call to call


def by_hand(w, more):
    with mg.no_grad():
        w.sub_(0.1 * w.grad)


def through_data(w, more):
    w.data.mul_(0.9)
    w.data.add_(w.grad, alpha=-0.1)


def a_running_mean(w, more):
    with mg.no_grad():
        more.mul_(0.9).add_(w, alpha=0.1)
        more.clamp_(max=0.6)


def one_from_the_other(w, more):
    with mg.no_grad():
        more.copy_(w)
        w.zero_()
        w.add_(more, alpha=0.5)


@pytest.mark.parametrize("change", [by_hand, through_data, a_running_mean, one_from_the_other])
@pytest.mark.parametrize("position", ["numpy", "fastest"])
def test_changes_in_place_of_parameters_and_buffers(change, position):
    def make():
        w, more = mg.rand(4, 3).requires_grad_(), mg.rand(4, 3)

        def step():
            w.grad = None
            loss = (w * w).tanh().sum() + (more * w).sum()
            loss.backward()
            change(w, more)
            return loss

        return step, [w, more]

    step = both(make, position=position)
    assert ran(step) == 5, step.explain()


def test_a_change_in_place_of_a_parameter_is_seen_by_graphs_outside():
    w = mg.ones(3, requires_grad=True)

    def step():
        with mg.no_grad():
            w.mul_(2)

    run = mg.compile(step)
    for _ in range(3):
        run()
    assert ran(run) == 1
    out = (w * w).sum()
    run()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.backward()


def scaled(w):
    w.grad.mul_(0.5)


def scaled_without_a_record(w):
    with mg.no_grad():
        w.grad.data[0] = 0.0
        w.grad.detach().mul_(0.5)


@pytest.mark.parametrize("change", [scaled, scaled_without_a_record])
def test_a_gradient_that_the_step_changes_is_changed(change):
    def make():
        w = mg.rand(4).requires_grad_()

        def step():
            w.grad = None
            loss = (w * w).sum()
            loss.backward()
            change(w)
            return loss

        return step, [w]

    both(make)


def test_a_gradient_that_was_clipped_is_not_taken_for_what_it_was():
    def make(by):
        def made():
            w = mg.rand(4).requires_grad_()

            def step():
                w.grad = None
                loss = (w * w * 10).sum()
                loss.backward()
                by(w)
                with mg.no_grad():
                    w.sub_(0.1 * w.grad)
                return loss

            return step, [w]

        return made

    for by in (lambda w: nn.utils.clip_grad_norm_([w], 0.5), lambda w: nn.utils.clip_grad_value_([w], 0.5)):
        both(make(by))


def by_measure():
    def make():
        w = mg.rand(4, 3).requires_grad_()
        optimizer = mg.optim.SGD([w], lr=0.5)
        scheduler = mg.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5)

        def step():
            optimizer.zero_grad()
            loss = (w * w).tanh().sum()
            loss.backward()
            nn.utils.clip_grad_value_([w], 0.3)
            optimizer.step()
            scheduler.step(loss)
            return loss

        step.rate = optimizer
        return step, [w]

    return make


@pytest.mark.parametrize("position", ["numpy", "fastest"])
def test_gradients_held_by_value_and_a_scheduler_that_looks_at_the_loss(position):
    rates = []

    def make():
        step, tensors = by_measure()()
        rates.append(step.rate)
        return step, tensors

    step = both(make, 9, position=position)
    assert ran(step) == 7, step.explain()
    assert rates[0].param_groups[0]["lr"] == rates[1].param_groups[0]["lr"] < 0.5
