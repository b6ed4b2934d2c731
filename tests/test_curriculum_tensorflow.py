"""Lesson 15's road through TensorFlow, walked where TensorFlow is not installed: its own lines, over a stand-in."""

import sys

import numpy as np
import pytest
import tensorflow_stand_in
import torch

from curriculum import catalog

STEPS, RATE = 20, 0.01
EXPERIMENTS = {"2-4-1, BCE": (2, 4, 0.0), "3-5-1, MSE": (3, 5, 0.0), "4-7-1, MSE, L2": (4, 7, 0.01)}


class Record:
    def __init__(self) -> None:
        self.claims: list[tuple[str, str, bool]] = []

    def claim(self, text: str, measured: str, passed: object) -> None:
        self.claims.append((text, measured, bool(passed)))


def lines() -> str:
    """The code of the lesson that names TensorFlow."""
    source = catalog.find("15").path.read_text(encoding="utf-8")
    rows = source.splitlines()
    cells = ["\n".join(rows[c.first - 1 : c.last]) for c in catalog.cells(source) if c.kind == "code"]
    return "\n".join(cell for cell in cells if "tf." in cell or "tensorflow" in cell)


def trained(dtype: torch.dtype) -> tuple[dict, dict]:
    """What the lesson hands over: the weights that each network began with and its data, and its losses in PyTorch."""
    begun, curves = {}, {}
    for kind, (features, hidden, decay) in EXPERIMENTS.items():
        x = torch.randn(50, features, dtype=dtype)
        y = (x[:, 0] * x[:, 1] > 0).to(dtype)
        model = torch.nn.Sequential(
            torch.nn.Linear(features, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 1), torch.nn.Sigmoid()
        ).to(dtype)
        start = {name: w.detach().numpy().copy() for name, w in model.named_parameters()}
        begun[kind] = start, x.numpy(), y.numpy(), decay
        optimizer = torch.optim.Adam(model.parameters(), lr=RATE, weight_decay=decay)
        loss_of = torch.nn.functional.binary_cross_entropy if "BCE" in kind else torch.nn.functional.mse_loss
        losses = []
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = loss_of(model(x).squeeze(1), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        curves[kind] = losses, []
    return begun, curves


def run(module: object, begun: dict, curves: dict, exact: bool, monkeypatch: pytest.MonkeyPatch) -> Record:
    monkeypatch.setitem(sys.modules, "tensorflow", module)  # None: it is not installed
    record = Record()
    space = {"begun": begun, "curves": curves, "record": record, "np": np, "STEPS": STEPS, "LR": RATE, "exact": exact}
    exec(compile(lines(), "lesson 15", "exec"), space)
    return record


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_its_losses_are_those_of_the_other_frameworks(dtype, monkeypatch):
    ((_, measured, passed),) = run(tensorflow_stand_in, *trained(dtype), dtype == torch.float64, monkeypatch).claims
    assert passed, measured


def test_without_it_the_lesson_says_so_and_claims_nothing(monkeypatch, capsys):
    assert run(None, {}, {}, True, monkeypatch).claims == []
    assert "TensorFlow is not installed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("0.9 * m", "0.8 * m"), ("1 - 0.999**t", "1 - 0.99**t"), ("decay * w", "2 * decay * w"), ("w.assign_sub(", "w.assign_sub(2 * ")],
)  # fmt: skip
def test_a_fault_in_its_lines_is_noticed(right, wrong, monkeypatch):
    """So what the stand-in computes is what the lines say."""
    assert right in lines()
    changed = lines().replace(right, wrong)
    monkeypatch.setattr(f"{__name__}.lines", lambda: changed)
    ((_, _, passed),) = run(tensorflow_stand_in, *trained(torch.float64), True, monkeypatch).claims
    assert not passed
