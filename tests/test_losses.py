"""Losses and reductions in each form of their operations, where forms could part: weights of 0, infinities, odd layouts."""

import itertools
import warnings

import numpy as np
import pytest
import torch

import minigrad

FORMS = ("definition", "numpy", "compiled")
INF = float("inf")


def cross_entropy(engine, x, y, weight, dtype, turned, **options):
    """The loss and the gradient of x, for a gradient of the loss that differs by element."""
    leaf = engine.tensor(x.T if turned else x, dtype=getattr(engine, dtype), requires_grad=True)
    weight = None if weight is None else engine.tensor(weight, dtype=getattr(engine, dtype))
    scores = leaf.t() if turned else leaf
    loss = engine.nn.functional.cross_entropy(scores, engine.tensor(y), weight=weight, **options)
    loss.backward(
        engine.tensor(np.arange(1.0, loss.numel() + 1).reshape(tuple(loss.shape)), dtype=getattr(engine, dtype))
    )
    return loss.detach().numpy(), leaf.grad.numpy()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (4, 1), (3, 7), (6, 33)])
def test_cross_entropy_in_each_form(form, shape):
    rng = np.random.default_rng(0)
    rows, classes = shape
    weights = (None, rng.uniform(0.1, 2, classes), np.r_[0.0, np.ones(classes - 1)])
    options = itertools.product(("mean", "sum", "none"), (-100, 0), (0.0, 0.2), ("float32", "float64"), (False, True))
    for weight, (reduction, ignored, smoothing, dtype, turned) in itertools.product(weights, options):
        x, y = rng.normal(size=shape) * 3, rng.integers(0, classes, rows)
        arguments = {"reduction": reduction, "ignore_index": ignored, "label_smoothing": smoothing}
        expected = cross_entropy(torch, x, y, weight, dtype, turned, **arguments)
        with minigrad.use_kernels(form):
            found = cross_entropy(minigrad, x, y, weight, dtype, turned, **arguments)
        close = {"float32": 3e-6, "float64": 1e-13}[dtype]
        for mine, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(mine, theirs, close, close, err_msg=f"{arguments}, {dtype}, {weight}")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("ignored", [-100, 1])
def test_cross_entropy_where_no_target_has_weight(form, smoothing, ignored):
    """The mean divides by the targets' weights: of none at all it is nan, not the infinity that smoothing alone gives."""
    x, weight = np.array([[1.0, 2.0, 3.0, 0.0], [0.0, 1.0, 0.0, 2.0]]), np.array([0.0, 1.0, 2.0, 0.0])
    for y in ([0, 0], [0, 1]):
        options = {"label_smoothing": smoothing, "ignore_index": ignored}
        expected = cross_entropy(torch, x, np.array(y), weight, "float64", False, **options)
        with minigrad.use_kernels(form):
            found = cross_entropy(minigrad, x, np.array(y), weight, "float64", False, **options)
        for mine, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(mine, theirs, 1e-13, 1e-13)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", [INF, -INF, float("nan"), 1e4])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_cross_entropy_of_extreme_scores(form, value, reduction):
    for at, label in itertools.product(range(3), range(3)):
        x, y = np.array([[0.5, -1.0, 2.0], [1.0, 2.0, 3.0]]), np.array([label, 0])
        x[0, at] = value
        expected = cross_entropy(torch, x, y, None, "float64", False, reduction=reduction)
        with minigrad.use_kernels(form):
            found = cross_entropy(minigrad, x, y, None, "float64", False, reduction=reduction)
        for mine, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(mine, theirs, 1e-13, 1e-13)


def test_the_compiled_form_is_the_node():
    scores, labels = minigrad.zeros(2, 3, requires_grad=True), minigrad.tensor([0, 2])
    nodes = []
    for form in FORMS[1:]:
        with minigrad.use_kernels(form):
            nodes.append(minigrad.nn.functional.cross_entropy(scores, labels).grad_fn)
    assert [type(node).__module__ for node in nodes] == ["minigrad.ops.loss_classes", "minigrad.kernels.cross_entropy"]
    assert nodes[0].name() == nodes[1].name()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n", range(1, 6))
def test_second_derivatives_of_a_product_with_zeros(form, n):
    def derivatives(engine):
        x = engine.tensor([[2.0, 0.0, -3.0, 0.0, 5.0][:n], [1.5, 0.5, -1.0, 2.0, 0.0][:n]], dtype=engine.float64)
        x.requires_grad_(True)
        out = x.prod(1, keepdim=True)
        (first,) = engine.autograd.grad(out.sum(), x, create_graph=True)
        (second,) = engine.autograd.grad((first * first).sum(), x, allow_unused=True)
        return out, first, engine.zeros(2, n) if second is None else second

    with minigrad.use_kernels(form), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for mine, theirs in zip(derivatives(minigrad), derivatives(torch), strict=True):
            np.testing.assert_allclose(mine.detach().numpy(), theirs.detach().numpy(), 1e-14, 1e-14)
