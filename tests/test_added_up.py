"""What is added to one place is added in turn, from what stands there on: PyTorch's bits, in every form and by any number of threads."""

import numpy as np
import pytest
import torch

import minigrad
from parity.kernels import split


def values(t, *shape):
    return t.tensor(np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32))


def places(t, n, *shape):
    return t.tensor(np.random.default_rng(sum(shape)).integers(0, n, shape))


# Many summands a place, in each kind of key (minigrad/ops/at.py); of `gather` and its kin also what is read.
PROGRAMS = {
    "scatter_add 0": lambda t, f, i: f(5, 30).scatter_add(0, i(5, 400, 30), f(400, 30)),
    "scatter_add 1": lambda t, f, i: f(30, 5).scatter_add(1, i(5, 30, 400), f(30, 400)),
    "scatter_add of one dimension": lambda t, f, i: f(5).scatter_add(0, i(5, 40_000), f(40_000)),
    "scatter_add, index smaller than input": lambda t, f, i: f(30, 5, 9).scatter_add(1, i(5, 20, 400, 7), f(21, 401, 8)),
    "scatter_add, smaller in a dimension between": (
        lambda t, f, i: f(9, 5, 7, 6).scatter_add(3, i(6, 9, 4, 7, 200), f(9, 4, 7, 200))
    ),
    "scatter_add, expanded index": lambda t, f, i: f(5, 30).scatter_add(0, i(5, 400, 1).expand(-1, 30), f(400, 30)),
    "scatter_add, index expanded elsewhere": (
        lambda t, f, i: f(8, 5, 30).scatter_add(1, i(5, 1, 400, 30).expand(8, -1, -1), f(8, 400, 30))
    ),
    "scatter_add of -0": lambda t, f, i: t.full((3,), -0.0).scatter_add(0, i(2, 2), t.full((2,), -0.0)),
    "scatter_reduce": lambda t, f, i: f(5, 30).scatter_reduce(0, i(5, 400, 30), f(400, 30), "sum"),
    "scatter_reduce mean": (
        lambda t, f, i: f(5, 30).scatter_reduce(0, i(5, 400, 30), f(400, 30), "mean", include_self=False)
    ),
    "index_add 0": lambda t, f, i: f(5, 30).index_add(0, i(5, 400), f(400, 30)),
    "index_add 1": lambda t, f, i: f(3, 5, 30).index_add(1, i(5, 400), f(3, 400, 30)),
    "index_add, last dimension": lambda t, f, i: f(3, 5).index_add(1, i(5, 400), f(3, 400)),
    "index_add of one dimension": lambda t, f, i: f(5).index_add(0, i(5, 40_000), f(40_000)),
    "index_put of rows": lambda t, f, i: f(5, 30).index_put((i(5, 400),), f(400, 30), accumulate=True),
    "index_put of elements": lambda t, f, i: f(5, 30).index_put((i(5, 400), i(30, 400)), f(400), accumulate=True),
    "put": lambda t, f, i: f(5, 30).put(i(150, 400), f(400), accumulate=True),
    "gather": lambda t, f, i: f(5, 30).gather(0, i(5, 4000, 30)),
    "gather, index smaller than input": lambda t, f, i: f(30, 5, 9).gather(1, i(5, 20, 400, 7)),
    "gather, expanded index": lambda t, f, i: f(5, 30).gather(0, i(5, 4000, 1).expand(-1, 30)),
    "gather of whole numbers": lambda t, f, i: i(99, 5, 30).gather(0, i(5, 4000, 30)),
    "gather of booleans": lambda t, f, i: (i(2, 5, 30) > 0).gather(0, i(5, 4000, 30)),
    "index_select 1": lambda t, f, i: f(3, 5, 30).index_select(1, i(5, 4000)),
    "index_select, last dimension": lambda t, f, i: f(3, 5).index_select(1, i(5, 4000)),
    "[:, index]": lambda t, f, i: f(3, 5, 30)[:, i(5, 4000)],
    "[:, index from the end]": lambda t, f, i: f(3, 5, 30)[:, i(5, 4000) - 5],
}  # fmt: skip


def bits(t, program):
    """The result and the gradients by all floats that went into it."""
    leaves = []

    def leaf(*shape):
        leaves.append(values(t, *shape).requires_grad_())
        return leaves[-1]

    out = program(t, leaf, lambda n, *shape: places(t, n, *shape))
    found = [out]
    if leaves:
        shape = tuple(out.shape)
        found += t.autograd.grad(out, leaves, values(t, *shape))
    return [(x.dtype is t.float32, tuple(x.shape), x.detach().numpy().tobytes()) for x in found]


@pytest.mark.parametrize("form", ["numpy", "compiled"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_added_in_turn(name, form):
    program = PROGRAMS[name]
    try:
        expected = bits(torch, program)
    except RuntimeError:  # PyTorch's backward refuses a source of which only a part is used

        def program(t, f, i, whole=PROGRAMS[name]):
            return whole(t, lambda *shape: values(t, *shape), i)

        expected = bits(torch, program)
    with minigrad.use_kernels(form):
        assert bits(minigrad, program) == expected
        with split():
            assert bits(minigrad, program) == expected


READERS = {
    "gather": lambda x, i: x.gather(0, i),
    "gather, expanded": lambda x, i: x.gather(0, i[:, :1].expand(-1, 40)),
    "index_select 0": lambda x, i: x.index_select(0, i[:, 0]),
    "index_select 1": lambda x, i: x.t().contiguous().index_select(1, i[:, 0]),
    "[index]": lambda x, i: x[i[:, 0]],
    "embedding": lambda x, i: minigrad.nn.functional.embedding(i[:, 0], x),
}


@pytest.mark.parametrize("form", ["numpy", "compiled"])
@pytest.mark.parametrize("wrong", [5, -6, 2**40, -(2**40)])
@pytest.mark.parametrize("name", READERS)
def test_an_index_spoilt_before_the_backward_pass_is_refused(name, wrong, form):
    """The graph holds the index itself: a loop that believed it would write elsewhere in memory."""
    x, index = minigrad.zeros(5, 40, requires_grad=True), minigrad.zeros(1000, 40, dtype=minigrad.int64)
    with minigrad.use_kernels(form):
        out = READERS[name](x, index)
        index[7, 0] = wrong
        with pytest.raises(IndexError):
            out.sum().backward()
