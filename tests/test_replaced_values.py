"""What becomes of a gradient when its inputs are given other values between forward and backward: every case of the table.

Three ways: the input is written in place under `no_grad`; it is given other data, `x.data = ...`, as a leaf; and so as an inner
tensor. Where PyTorch answers, the answer is PyTorch's, or, of the operations of `KEEP` after `x.data = ...`, the gradient at the
values that forward saw: they keep what they computed in place of what they were given. That it is also where PyTorch refuses and
minigrad does not. Never is it a mixture of old and new values that PyTorch does not make.

The short run takes every sixth case; HYPOTHESIS_PROFILE=deep takes all.
"""

import os

import numpy as np
import pytest
import torch

import minigrad
from parity.agreement import DType, Example, Tally, _leaves, mapped
from parity.case import CASES, Result
from parity.cases import FAMILIES
from parity.engines import ENGINES
from parity.inputs import Input, Seeded

assert FAMILIES  # importing them fills the table
DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
WAYS = ("written", "leaf", "inner")

# Fused operations, and those that save what is computed from several inputs.
KEEP = {
    "bilinear", "cdist", "cross", "index_reduce", "linalg.cross", "linalg.householder_product", "nn.BatchNorm1d",
    "nn.CosineSimilarity", "nn.GLU", "nn.GroupNorm", "nn.HuberLoss.kinks", "nn.LayerNorm", "nn.MultiMarginLoss", "nn.RMSNorm",
    "nn.SmoothL1Loss.kinks", "nn.SoftMarginLoss", "nn.functional.batch_norm", "nn.functional.bilinear",
    "nn.functional.embedding_bag", "nn.functional.gelu", "nn.functional.glu", "nn.functional.group_norm",
    "nn.functional.layer_norm", "nn.functional.rms_norm", "nn.functional.soft_margin_loss", "orgqr", "ormqr", "pdist",
    "prod.dtypes", "scaled_dot_product_attention.blocks", "special.log_ndtr", "special.log_ndtr.second",
}  # fmt: skip
REFUSED = {"kron": "PyTorch does not notice the change, and its gradient is that at the new values"}
# Not asked. What is made of many operations, of which PyTorch's are others (on the way there are views, products in another
# order), and what mixes old and new values in PyTorch: logsigmoid saves e^(-|x|) and x.
COMPOSED = (
    "distributions.", "func.", "autograd.functional.", "vmap", "nn.Transformer", "linalg.lstsq", "chain_matmul", "nn.LogSigmoid",
    "nn.functional.logsigmoid", "nn.MultiLabelSoftMarginLoss", "nn.functional.multilabel_soft_margin_loss",
)  # fmt: skip


def chosen():
    names = [
        name
        for name, case in CASES.items()
        if case.gradient and case.reference is None and not name.startswith(COMPOSED)
    ]
    return names if DEEP else names[::6]


def gradients(engine, case, example, way):
    """The gradients of the inputs that want one, after the change; None where there are none, an Exception where they are refused."""
    t, leaves, inputs = engine.module, [], {}

    def given(x):
        if isinstance(x, DType):
            return getattr(t, x.name)
        if not isinstance(x, Input):
            return x
        if id(x) not in inputs:
            leaf = engine.tensor(x)
            inputs[id(x)] = leaf * 1 if way == "inner" and leaf.requires_grad else leaf
            if leaf.requires_grad:
                leaves.append((leaf, inputs[id(x)]))
        return inputs[id(x)]

    args, kwargs = mapped(example.call.args, given), mapped(example.call.kwargs, given)
    t.manual_seed(0)
    try:
        result = example.form.run(t, *args, **kwargs)
        result = result.outputs if isinstance(result, Result) else result
        outputs = [x.sum() for _, x in _leaves(result) if isinstance(x, t.Tensor) and x.requires_grad]
        if not outputs or not leaves:
            return None
        with t.no_grad():
            for _, x in leaves if way != "" else ():
                new = x.detach().flip(tuple(range(x.dim()))).clone()
                if way == "written":
                    x.copy_(new)
                else:
                    x.data = new
        found = t.autograd.grad(sum(outputs), [leaf for leaf, _ in leaves], allow_unused=True)
    except Exception as error:
        return error
    return [None if g is None else g.numpy(force=True) if t is torch else g.numpy() for g in found]


def same(got, expected):
    return all(
        (a is None) == (b is None) and (a is None or np.allclose(a, b, 1e-7, 1e-9, equal_nan=True))
        for a, b in zip(got, expected, strict=True)
    )


def found(name):
    """(way, what) of each way in which the engines part."""
    case = CASES[name]
    example = next(
        e for seed in range(99) if (e := Example(case, Seeded(seed), Tally(), "fastest")).draw.dtype == "float64"
    )
    before = gradients(ENGINES[0], case, example, "")
    if before is None or isinstance(before, Exception):
        return
    for way in WAYS:
        ours, theirs = (gradients(engine, case, example, way) for engine in ENGINES)
        if isinstance(ours, Exception):
            if not isinstance(theirs, Exception):
                yield way, "refused"
            elif type(ours) is not type(theirs):
                yield way, f"{ours!r}, not {theirs!r}"
        elif isinstance(theirs, Exception):
            if not same(ours, before):
                yield way, "a gradient that is not that of the old values, where PyTorch refuses"
        elif not same(ours, theirs):
            yield way, "kept" if same(ours, before) else "a mixture of old and new values that PyTorch does not make"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", range(8))
def test_other_values_between_forward_and_backward(part):
    for name in chosen()[part::8]:
        for way, what in found(name):
            if what == "refused":
                assert name in REFUSED, (name, way)
            elif what == "kept":
                assert way != "written", name
                assert name in KEEP, way
            else:
                raise AssertionError((name, way, what))


def test_a_tensor_changed_by_what_reads_it_gives_the_gradient_at_its_old_values_also_under_create_graph():
    for name in ("mul_", "addcmul_", "pow_", "xlogy_", "copysign_"):
        expected = None
        for create_graph in (False, True):
            b = minigrad.tensor([1.5, 2.0, 0.3], dtype=minigrad.float64, requires_grad=True)
            v = b.detach()
            getattr(v, name)(*[b] * (2 if name == "addcmul_" else 1))
            (g,) = minigrad.autograd.grad(v.sum(), b, create_graph=create_graph)
            expected = g.tolist() if expected is None else expected
            assert g.tolist() == expected, name


def test_data_of_another_kind_and_data_that_is_written_later():
    for engine in (torch, minigrad):
        w = engine.ones(3, requires_grad=True)
        with pytest.raises(RuntimeError, match="floating point"):
            w.data = engine.ones(3, dtype=engine.int64)
        loss = (w * w).sum()
        new = engine.full((3,), 4.0)
        new.mul_(2)  # before it is w's
        w.data = new
        assert engine.autograd.grad(loss, w, retain_graph=True)[0].tolist() == [16.0] * 3
        with engine.no_grad():
            w.add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()
        a, b = engine.ones(2, requires_grad=True), engine.ones(2, requires_grad=True)
        loss = (a * b).sum()
        a.data = b  # two that share memory are still two
        b.data = engine.full((2,), 7.0)
        assert [g.tolist() for g in engine.autograd.grad(loss, (a, b))] == [[7.0] * 2, [1.0] * 2]


def test_what_no_gradient_needs_may_be_written():
    """A step of the optimizer, and backward again: of one layer the weight is in no gradient."""
    for engine in (torch, minigrad):
        for make, shape in (
            (lambda t: t.nn.Linear(2, 1), (1, 2)),
            (lambda t: t.nn.Bilinear(2, 2, 2), (4, 2)),
            (lambda t: t.nn.GRUCell(2, 3), (4, 2)),
        ):
            module = make(engine)
            x = engine.ones(*shape)
            loss = module(*[x] * (2 if isinstance(module, engine.nn.Bilinear) else 1)).sum()
            loss.backward(retain_graph=True)
            engine.optim.SGD(module.parameters(), 0.1).step()
            loss.backward()
