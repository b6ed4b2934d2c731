"""Functions of places: a tensor without dimensions stands for a vector of one element wherever PyTorch reads it so."""

import contextlib
import itertools

import numpy as np
import pytest
import torch

import minigrad

X = {"number": 2.5, "one": [2.5], "vector": [2.5, -1.0, 4.0], "matrix": [[2.5, -1.0], [0.5, 3.0], [1.0, 7.0]]}
INDEX = {"number": 0, "one": [0], "several": [0, 0], "matrix": [[0, 0]]}
SRC = {"number": 7.0, "one": [7.0], "several": [7.0, 9.0], "matrix": [[7.0, 9.0]]}
REDUCES = ("sum", "prod", "mean", "amax", "amin")

CALLS = {
    "gather": lambda t, x, i, s: t.gather(x, 0, i),
    "scatter": lambda t, x, i, s: x.scatter(0, i, s),
    "scatter value": lambda t, x, i, s: x.scatter(0, i, 5.0),
    "scatter add": lambda t, x, i, s: x.scatter(0, i, s, reduce="add"),
    "scatter multiply": lambda t, x, i, s: x.scatter(0, i, 5.0, reduce="multiply"),
    "scatter_": lambda t, x, i, s: (x * 1).scatter_(0, i, s),
    "scatter_add": lambda t, x, i, s: x.scatter_add(-1, i, s),
    "scatter_add_": lambda t, x, i, s: (x * 1).scatter_add_(0, i, s),
    **{
        f"scatter_reduce {r} {own}": lambda t, x, i, s, r=r, own=own: x.scatter_reduce(0, i, s, r, include_self=own)
        for r in REDUCES
        for own in (True, False)
    },
    "scatter_reduce_": lambda t, x, i, s: (x * 1).scatter_reduce_(0, i, s, "sum"),
    "index_add": lambda t, x, i, s: x.index_add(0, i, s),
    "index_add_": lambda t, x, i, s: (x * 1).index_add_(0, i, s),
    "index_copy": lambda t, x, i, s: x.index_copy(0, i, s),
    "index_fill": lambda t, x, i, s: x.index_fill(0, i, 3.0),
    "index_fill tensor": lambda t, x, i, s: x.index_fill(0, i, s),
    "index_select": lambda t, x, i, s: x.index_select(0, i),
    "index_reduce": lambda t, x, i, s: x.index_reduce(0, i, s, "amax"),
    "take": lambda t, x, i, s: x.take(i),
    "put": lambda t, x, i, s: x.put(i, s),
    "put accumulate": lambda t, x, i, s: x.put(i, s, accumulate=True),
    "take_along_dim": lambda t, x, i, s: x.take_along_dim(i, 0),
    "take_along_dim of all": lambda t, x, i, s: x.take_along_dim(i),
    "index_put": lambda t, x, i, s: x.index_put((i,), s),
    "index_put accumulate": lambda t, x, i, s: x.index_put((i,), s, accumulate=True),
    "masked_scatter": lambda t, x, i, s: x.masked_scatter(i == 0, s),
    "masked_fill": lambda t, x, i, s: x.masked_fill(i == 0, s),
    "getitem": lambda t, x, i, s: x[i],
    "cummax": lambda t, x, i, s: x.cummax(0)[0],
    "sort": lambda t, x, i, s: x.sort(0)[0],
    "topk": lambda t, x, i, s: x.topk(1, 0)[0],
    "kthvalue": lambda t, x, i, s: x.kthvalue(1, 0)[0],
    "unfold": lambda t, x, i, s: x.unfold(0, 1, 1),
    "narrow": lambda t, x, i, s: x.narrow(0, 0, 1),
    "roll": lambda t, x, i, s: x.roll(1, 0),
    "flip": lambda t, x, i, s: x.flip(0),
    "cumsum": lambda t, x, i, s: x.cumsum(0),
    "diff": lambda t, x, i, s: x.diff(dim=0),
    "logcumsumexp": lambda t, x, i, s: x.logcumsumexp(0),
    "cat": lambda t, x, i, s: t.cat([x, s]),
    "repeat_interleave": lambda t, x, i, s: x.repeat_interleave(i + 1),
}


@pytest.mark.parametrize("name", CALLS)
def test_every_rank_of_each_argument(name):
    """Values and gradients; what PyTorch refuses is refused."""
    for kinds in itertools.product(X, INDEX, SRC):
        found = []
        for t in (torch, minigrad):
            x = t.tensor(X[kinds[0]], dtype=t.float64, requires_grad=True)
            s = t.tensor(SRC[kinds[2]], dtype=t.float64, requires_grad="tensor" not in name and name != "masked_fill")
            try:
                y = CALLS[name](t, x, t.tensor(INDEX[kinds[1]]), s)
                found.append([y.detach().numpy()])
            except (RuntimeError, IndexError, TypeError, ValueError) as error:
                found.append(f"{type(error).__name__}: {error}")
                continue
            with contextlib.suppress(
                NotImplementedError, RuntimeError
            ):  # PyTorch's backward pass stumbles over some of them
                grads = t.autograd.grad(y, [x, s], t.ones_like(y), allow_unused=True) if s.requires_grad else ()
                found[-1] += [g.numpy() for g in grads if g is not None]
        theirs, ours = found
        if isinstance(theirs, str):
            assert isinstance(ours, str), f"{kinds}: PyTorch {theirs}, minigrad {ours}"
            continue
        assert not isinstance(ours, str), f"{kinds}: PyTorch {theirs}, minigrad {ours}"
        if "prod" in name and np.size(INDEX[kinds[1]]) != np.size(SRC[kinds[2]]):
            theirs = theirs[:1]  # PyTorch's gradient takes a source that is larger than its index for one of its size
        assert len(theirs) in (1, len(ours)), kinds
        for a, b in zip(theirs, ours, strict=False):
            assert a.shape == b.shape, f"{kinds}: PyTorch {a}, minigrad {b}"
            np.testing.assert_array_equal(a, b, str(kinds))
