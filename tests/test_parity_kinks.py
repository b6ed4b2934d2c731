"""Kinks and ties: both engines give, exactly, the gradient in the table."""

import numpy as np
import pytest

from parity.case import CASES
from parity.cases import FAMILIES
from parity.cases.activation import ACTIVATIONS
from parity.engines import MINIGRAD, POSITIONS, TORCH
from parity.kinks import JUMP, KINKS, SMOOTH, UNBOUNDED, measured

assert FAMILIES

ONE_ARGUMENT = {f"nn.functional.{name}" for name, *_ in ACTIVATIONS} - {"nn.functional.threshold"}


def gradients(engine, kink):
    torch = engine.module
    xs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in kink.at]
    return [engine.array(g) for g in torch.autograd.grad(kink.fn(torch, *xs).sum(), xs)]


@pytest.mark.parametrize("name", KINKS)
def test_kink_in_pytorch(name):
    same(gradients(TORCH, KINKS[name]), KINKS[name].gradient)


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("name", KINKS)
def test_kink(name, position):
    with MINIGRAD.module.use_kernels(position):
        same(gradients(MINIGRAD, KINKS[name]), KINKS[name].gradient)


def same(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, np.array(b))


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize(
    "name", [n for n, case in CASES.items() if case.kinks and case.family == "activation" and n in ONE_ARGUMENT]
)
def test_breakpoints_of_activations(name, position):
    """At the breakpoints of the case table, value and gradient are equal without any tolerance but rounding's last bit."""
    points = [*CASES[name].kinks, -0.0]
    results = []
    for engine in (MINIGRAD, TORCH):
        torch = engine.module
        x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
        with MINIGRAD.module.use_kernels(position):
            y = getattr(torch.nn.functional, name.rpartition(".")[2])(x)
            (g,) = torch.autograd.grad(y, x, torch.ones_like(y) * 3)
        results.append((engine.array(y), engine.array(g)))
    for got, expected in zip(*results, strict=True):
        np.testing.assert_array_max_ulp(got, expected, maxulp=2)


F = "nn.functional."


@pytest.mark.parametrize(
    ("name", "point", "told"),
    [
        *((F + name, 0.0, SMOOTH) for name in ("gelu", "silu", "mish", "softsign", "tanhshrink", "logsigmoid", "celu")),
        *((F + name, 0.0, JUMP) for name in ("relu", "relu6", "leaky_relu", "elu", "selu", "prelu", "rrelu")),
        (F + "hardswish", 3.0, JUMP),
        (F + "threshold", 0.5, JUMP),
        ("nn.GELU", 0.0, SMOOTH),
        ("nn.ReLU6", 6.0, JUMP),
        ("nn.ReLU6", 3.0, SMOOTH),
        ("abs", 0.0, JUMP),
        ("sign", 0.0, SMOOTH),
        ("maximum", 1.0, JUMP),
        ("clamp", 1.0, JUMP),
        ("norm", 0.0, JUMP),
        *((name, 0.0, UNBOUNDED) for name in ("sqrt", "log", "reciprocal")),
    ],
)
def test_a_planted_point_is_called_a_kink_where_a_jump_is_measured(name, point, told):
    assert measured(CASES[name])[point] == told
