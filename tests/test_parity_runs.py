"""compare_runs: programs that agree, that part by rounding, and that part by a planted fault, with step and tensor named."""

import numpy as np
import pytest

from parity import compare_runs
from parity.engines import POSITIONS
from parity.mutants import planted


def mlp(torch, steps=30, optimizer="Adam", **settings):
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 4))
    chosen = getattr(torch.optim, optimizer)(model.parameters(), **({"lr": 0.01} | settings))
    x, y = torch.randn(40, 3), torch.randint(0, 4, (40,))
    for _ in range(steps):
        loss = nn.functional.cross_entropy(model(x), y)
        chosen.zero_grad()
        loss.backward()
        chosen.step()


def cnn(torch):
    torch.manual_seed(1)
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.2), nn.Flatten(),
        nn.Linear(64, 3),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    x, y = torch.randn(20, 1, 8, 8), torch.randint(0, 3, (20,))
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=5, shuffle=True)
    for _ in range(3):
        for xb, yb in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(xb), yb).backward()
            optimizer.step()


@pytest.mark.parametrize("form", POSITIONS)
@pytest.mark.parametrize(("program", "steps"), [(mlp, 30), (cnn, 12)])
def test_programs_agree(program, steps, form):
    found = compare_runs(program, form=form)
    assert found.agree, str(found)
    assert found.steps == steps
    assert found.worst64 < 1e-12
    assert f"agree over {steps} steps" in str(found)
    assert (form in str(found)) == (form != "fastest")


@pytest.mark.parametrize(
    ("fault", "program", "step", "tensor"),
    [
        ("Tanh: derivative forgotten", mlp, 0, "the gradient of 0.weight"),
        ("Linear: bias halved", mlp, 0, "the gradient of 0.bias"),
        ("Adam: no bias correction", mlp, 0, "0.weight after the step"),
        ("random: one output too many a draw", mlp, -1, "0.weight"),
        ("Convolution: sign of the weights' gradient wrong", cnn, 0, "the gradient of 0.weight"),
        ("randperm: in reverse", cnn, 0, "the output of 0 (Conv2d)"),
        ("dropout: what is kept is not scaled up", cnn, 0, "the output of 4 (Dropout)"),
        ("AccumulateGrad: overwrites, where it should add", mlp, None, ""),
    ],
)
def test_a_fault_is_placed(fault, program, step, tensor):
    with planted(fault):
        found = compare_runs(program)
    if step is None:  # gradients are cleared at each step: this program cannot tell
        assert found.agree
        return
    assert found.fault, str(found)
    assert (found.parting64.step, found.parting64.tensor) == (step, tensor)
    assert str(found).startswith("A fault: in float64 too")
    assert compare_runs(lambda torch: mlp(torch, steps=2)).agree  # and it is gone


def test_a_fault_that_shows_late():
    def program(torch):
        torch.manual_seed(0)
        model = torch.nn.Linear(2, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 5)
        x = torch.randn(8, 2)
        for _ in range(12):
            optimizer.zero_grad()
            (model(x) ** 2).mean().backward()
            optimizer.step()
            scheduler.step()

    assert compare_runs(program).agree
    with planted("StepLR: one epoch late"):
        found = compare_runs(program)
    assert (found.parting64.step, found.parting64.tensor) == (5, "weight after the step")


def test_rounding_that_grows_is_told_from_a_fault():
    def program(torch):
        torch.manual_seed(0)
        w = torch.nn.Parameter(torch.full((1,), 0.3))
        optimizer = torch.optim.SGD([w], lr=1.0)
        for _ in range(26):  # the logistic map: an error doubles at each step
            optimizer.zero_grad()
            target = 3.99 * w.detach() * (1 - w.detach())
            ((w - target).exp().log() ** 2 / 2).sum().backward()
            optimizer.step()

    found = compare_runs(program)
    assert not found.fault, str(found)
    assert found.parting is not None
    assert str(found).startswith("Rounding: the engines part at step")
    assert found.worst64 < 1e-6


def test_what_cannot_be_compared_is_told():
    with pytest.raises(ValueError, match="no optimizer step"):
        compare_runs(lambda torch: torch.ones(3).sum())

    def unseeded(torch):
        rng = np.random.default_rng()
        w = torch.nn.Parameter(torch.ones(3))
        optimizer = torch.optim.SGD([w], lr=0.1)
        (w * torch.tensor(rng.normal(size=3))).sum().backward()
        optimizer.step()

    with pytest.raises(ValueError, match="random parts that are not seeded"):
        compare_runs(unseeded)
    with pytest.raises(ValueError, match="float32 or float64, got 'int8'"):
        compare_runs(mlp, dtype="int8")

    def only_in_one(torch):
        mlp(torch, 2)
        torch.no_such_function()

    found = compare_runs(only_in_one)
    assert found.fault
    assert "AttributeError after 2 steps" in str(found)


def test_nothing_stays_behind():
    import torch

    import minigrad

    before = [(e.nn.Module.__call__, e.optim.Optimizer.__init__) for e in (torch, minigrad)]
    compare_runs(lambda torch: mlp(torch, 1))
    assert [(e.nn.Module.__call__, e.optim.Optimizer.__init__) for e in (torch, minigrad)] == before
