"""Errors are of PyTorch's class, and what PyTorch takes is taken: by kind, each found by the fuzzer."""

import numpy as np
import pytest
import torch

import minigrad

ENGINES = (torch, minigrad)


def told(call, engine):
    """What the call gives, tensors as lists; or the class of its error."""
    engine.manual_seed(0)
    try:
        return listed(call(engine))
    except Exception as error:
        return type(error)


def listed(x):
    if hasattr(x, "detach"):
        return np.asarray(x.detach().numpy()).tolist()
    return [listed(y) for y in x] if isinstance(x, list | tuple) else x


def pooled(t, name, x, options):
    """The pooled values, and the gradient of their sum."""
    given = t.from_numpy(x.copy()).requires_grad_()
    result = getattr(t.nn.functional, name)(given, *options, ceil_mode=True)
    return [result, *t.autograd.grad(result.sum(), given)]


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("max_pool", (3000,)),
        ("max_pool", (3000, 1, 1500)),
        ("max_pool", (7, 3, 3)),
        ("avg_pool", (3000,)),
        ("avg_pool", (3000, 1, 1500)),
        ("avg_pool", (7, 3, 3)),
        ("lp_pool", (2.0, 3000)),
    ],
)
def test_of_a_window_larger_than_its_input_only_what_it_reaches_costs(name, rank, options):
    """A kernel of 3000 a side has 2.7e10 elements: if each were gone through, or padding made for it, this would not end."""
    x = np.random.default_rng(rank).normal(size=(2, 3, *(4, 5, 3)[:rank]))
    theirs, ours = (told(lambda t: pooled(t, f"{name}{rank}d", x, options), engine) for engine in ENGINES)
    if isinstance(theirs, type):  # avg_pool3d takes no window larger than the input
        assert ours is theirs
    else:
        for expected, found in zip(theirs, ours, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
