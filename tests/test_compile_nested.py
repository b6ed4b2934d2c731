"""A compiled function or module within a step that is compiled: as in PyTorch, a part of that step's program."""

import pytest
import torch

import minigrad as mg


def network(engine, compiled):
    engine.manual_seed(0)
    model = engine.nn.Sequential(
        engine.nn.Linear(4, 8), engine.nn.Tanh(), engine.nn.Dropout(0.5), engine.nn.Linear(8, 1)
    )
    return (mg.compile(model) if compiled else model), engine.optim.Adam(model.parameters(), lr=0.1)


def training(engine, compiled, before=0):
    """The losses; of a step that is compiled as a whole, where its model may be by itself too, and have a program already."""
    model, optimizer = network(engine, compiled)
    x = engine.arange(12.0).reshape(3, 4) / 12
    model.eval()
    with engine.no_grad():
        for _ in range(before):
            model(x)
    model.train()

    def step(x):
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    if engine is mg:
        step = mg.compile(step, fullgraph=True)
    losses = [step(x).item() for _ in range(6)]
    if engine is mg:
        assert step.source().count("def ") >= 1
        assert "_orig_mod" not in step.source()
    return losses


@pytest.mark.parametrize("before", [0, 1, 4])
def test_a_compiled_module_in_a_compiled_step(before):
    assert training(mg, True, before) == training(mg, False, before)
    assert training(mg, True, before) == pytest.approx(training(torch, False, before), rel=1e-5)


@pytest.mark.parametrize("before", [0, 1, 4])
@pytest.mark.parametrize("fullgraph", [False, True])
def test_a_compiled_function_in_a_compiled_step(before, fullgraph):
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    scale = [3.0]

    @mg.compile(fullgraph=fullgraph)
    def inner(x):
        return w * x * scale[0]

    @mg.compile(fullgraph=True)
    def outer(x):
        w.grad = None
        (inner(x) + inner(x + 1)).sum().backward()
        return w.grad

    x = mg.tensor([1.0, 5.0])
    with mg.no_grad():
        for _ in range(before):
            inner(x)
    for factor in (
        3.0,
        3.0,
        3.0,
        3.0,
        4.0,
        4.0,
        4.0,
        4.0,
    ):  # what the inner one depends on is a condition of the outer one
        scale[0] = factor
        assert outer(x).tolist() == [3 * factor, 11 * factor]
    assert outer.explain().count("program ") >= 2
    with mg.no_grad():
        assert inner(x).tolist() == [4, 40]


def test_a_step_that_calls_itself():
    @mg.compile(fullgraph=True)
    def power(x, n):
        return x * power(x, n - 1) if n else x

    for _ in range(4):
        assert power(mg.full((2,), 2.0), 3).tolist() == [16, 16]
    assert power.source()


def test_what_changes_of_a_compiled_module_changes_the_step():
    model = mg.nn.Linear(2, 1, bias=False)
    compiled = mg.compile(model)
    step = mg.compile(lambda x: compiled(x).sum())
    x = mg.ones(1, 2)
    for _ in range(3):
        step(x)
    with mg.no_grad():
        model.weight.fill_(2.0)
    assert step(x).item() == 4
    handle = compiled.register_forward_hook(lambda module, args, output: output * 10)
    assert step(x).item() == 40
    handle.remove()
    handle = model.register_forward_hook(lambda module, args, output: output * 100)
    assert step(x).item() == 400
    handle.remove()
    model.weight = mg.nn.Parameter(mg.full((1, 2), 3.0))
    for _ in range(3):
        assert step(x).item() == 6
    compiled._modules["_orig_mod"] = mg.nn.Linear(2, 1, bias=False)
    with mg.no_grad():
        compiled._orig_mod.weight.fill_(0.5)
    assert step(x).item() == compiled(x).sum().item()


@pytest.mark.parametrize("kind", ["function", "module"])
def test_a_reason_names_the_line_within(kind):
    class Net(mg.nn.Module):
        def forward(self, x):
            return x * (2 if x.sum() > 0 else 3)  # the branch

    net = Net()
    inner = mg.compile(net if kind == "module" else lambda x: net(x))
    outer = mg.compile(lambda x: inner(x) + 1)
    for value in (1.0, -1.0, 1.0):
        assert outer(mg.full((2,), value)).tolist() == [value * (2 if value > 0 else 3) + 1] * 2
    assert "the branch" in outer.explain()


@pytest.mark.parametrize("before", [0, 1, 2, 4])
def test_a_program_that_the_inner_one_has_already_is_not_run_in_a_recording(before):
    """It would compute what the recording does not see."""
    inner = mg.compile(lambda x: x * 2, fullgraph=True)
    outer = mg.compile(lambda x: inner(x) + 1, fullgraph=True)
    for k in range(before):
        assert inner(mg.full((3,), float(k))).tolist() == [2 * k] * 3
    for k in range(6):
        assert outer(mg.full((3,), float(k))).tolist() == [2 * k + 1] * 3
    assert "x * 2" in outer.source()
