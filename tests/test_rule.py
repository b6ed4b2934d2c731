"""Operations told by two facts (ops/rule.py): what they save, what they are called, and their derivatives of both orders."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import minigrad as torch
from minigrad.ops.exponential import Exp, Log
from minigrad.ops.rule import Rule


class Cube(Rule, out=lambda x: x * x * x, dx=lambda grad, x: grad * (3 * x * x)):
    """out = x³.  dx = grad · 3x²"""


def test_a_rule_saves_what_its_derivative_names_and_nothing_else():
    x = torch.tensor([0.5, 2.0], requires_grad=True)
    exp, log, neg, clone = x.exp(), x.log(), -x, x.clone()
    with torch.no_grad():  # so that what was saved comes as arrays
        assert exp.grad_fn.saved_tensors[0] is exp.array
        assert log.grad_fn.saved_tensors[0] is x.array
        assert neg.grad_fn.saved_tensors == clone.grad_fn.saved_tensors == ()


def test_a_rule_has_derivatives_of_every_order():
    x = torch.tensor([0.5, -2.0], dtype=torch.float64, requires_grad=True)
    y = Cube.apply(x)
    assert y.grad_fn.name() == "CubeBackward0"
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x, create_graph=True)
    (third,) = torch.autograd.grad(second.sum(), x)
    np.testing.assert_allclose(first.detach().numpy(), 3 * x.array**2)
    np.testing.assert_allclose(second.detach().numpy(), 6 * x.array)
    np.testing.assert_allclose(third.numpy(), [6, 6])


def test_a_rule_is_a_class_like_any_other():
    assert (Exp.__qualname__, Exp.__module__) == ("Exp", "minigrad.ops.exponential")
    assert Exp.__doc__ == "out = eˣ.  dx = grad · out"
    assert pickle.loads(pickle.dumps(Log)) is Log
    assert Exp.backward.__qualname__ == "Exp.backward"


def test_a_derivative_reads_the_input_or_the_output():
    with pytest.raises(TypeError, match=r"dx of Odd takes \(grad, x\), \(grad, out\) or \(grad\)"):

        class Odd(Rule, out=np.exp, dx=lambda grad, y: grad * y):
            pass


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (5,), (3, 4), (200, 200)])
def test_erf_has_three_forms(dtype, shape):
    values = np.random.default_rng(0).standard_normal(shape) * 2
    found = []
    for form in ("definition", "numpy", "compiled"):
        x = torch.tensor(values, dtype=dtype, requires_grad=True)
        with torch.use_kernels(form):
            y = torch.erf(x if len(shape) < 2 else x.t())
            assert y.grad_fn.name() == "ErfBackward0"
            (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
            (second,) = torch.autograd.grad(first.sum(), x)
        found.append([y.detach().numpy(), first.detach().numpy(), second.numpy()])
        compiled = type(y.grad_fn).__module__ == "minigrad.kernels.elementwise"
        assert compiled == (form == "compiled" and dtype == torch.float32 and values.size > 0)
    rtol = 1e-6 if dtype == torch.float32 else 1e-14
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)
