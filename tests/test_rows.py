"""Reading rows by index: embedding, index_select and x[index] in all forms against PyTorch, with second derivatives."""

import numpy as np
import pytest
import torch

import minigrad
from minigrad.autograd.fused import use_kernels

READ = {
    "embedding": lambda e, w, i: e.nn.functional.embedding(i, w),
    "embedding, padding": lambda e, w, i: e.nn.functional.embedding(i, w, padding_idx=-2),
    "index_select": lambda e, w, i: e.index_select(w, 0, i.reshape(-1)),
    "x[index]": lambda e, w, i: w[i.reshape(-1).long()],
    "x[index], from the end": lambda e, w, i: w[i.reshape(-1).long() - 5],
    "index_add": lambda e, w, i: e.index_add(w, 0, i.reshape(-1), w[i.reshape(-1).long()]),
}


def _results(engine, read, weight, index, seed):
    draw = np.random.default_rng(seed)
    w = engine.tensor(weight, requires_grad=True)
    out = read(engine, w, engine.tensor(index))
    gradient = engine.tensor(draw.normal(size=tuple(out.shape)).astype(weight.dtype), requires_grad=True)
    (plain,) = engine.autograd.grad(out, w, gradient.detach(), retain_graph=True)
    (recorded,) = engine.autograd.grad(out, w, gradient, create_graph=True)
    (second,) = engine.autograd.grad((recorded * engine.tensor(weight)).sum(), gradient)
    return [x.detach().numpy() for x in (out, plain, recorded, second)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", ["definition", "numpy", "compiled"])
@pytest.mark.parametrize("name", READ)
def test_rows_in_all_forms(name, form, dtype):
    for seed, (shape, width, index_type) in enumerate(
        [((), 3, np.int64), ((4,), 1, np.int64), ((2, 3), 7, np.int32), ((9, 2), 130, np.int64)]
    ):
        draw = np.random.default_rng(seed)
        weight = draw.normal(size=(5, width)).astype(dtype)
        weight[0, 0] = np.inf if name != "index_add" else 1.0  # goes nowhere but into its own row
        index = draw.integers(0, 5, shape).astype(index_type)
        expected = _results(torch, READ[name], weight, index, seed)
        with use_kernels(form):
            found = _results(minigrad, READ[name], weight, index, seed)
        for a, b in zip(found, expected, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-5 if dtype == np.float32 else 1e-12, equal_nan=True)


@pytest.mark.parametrize("engine", [minigrad, torch], ids=["minigrad", "torch"])
def test_a_table_may_change_after_it_was_read(engine):
    """The gradient of reading rows needs no values of the table, whichever derivative."""
    w = engine.ones(4, 2, requires_grad=True)
    out = engine.nn.functional.embedding(engine.tensor([1, 3, 1]), w, padding_idx=3)
    with engine.no_grad():
        w.mul_(2)
    given = engine.ones(3, 2, requires_grad=True)
    (dw,) = engine.autograd.grad(out, w, given, create_graph=True)
    assert dw.tolist() == [[0, 0], [2, 2], [0, 0], [0, 0]]
    with engine.no_grad():
        given.mul_(2)
    (second,) = engine.autograd.grad(dw.sum(), given, create_graph=True)
    assert second.tolist() == [[1, 1], [0, 0], [1, 1]]


@pytest.mark.parametrize("form", ["definition", "numpy", "compiled"])
@pytest.mark.parametrize("engine", [minigrad, torch], ids=["minigrad", "torch"])
def test_nothing_read_and_nothing_to_read(engine, form):
    for columns, index in ((0, [0, 2]), (2, [])):
        w = engine.zeros(3, columns, requires_grad=True)
        with use_kernels(form):
            engine.nn.functional.embedding(engine.tensor(index, dtype=engine.int64), w).sum().backward()
        assert w.grad.tolist() == [[0.0] * columns] * 3
