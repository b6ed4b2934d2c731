"""utils.checkpoint: the numbers are those of the function itself, in both engines, and memory is let go."""

import gc
import weakref

import numpy as np
import pytest
import torch
import torch.utils.checkpoint

import minigrad

ENGINES = (torch, minigrad)


def both(program):
    results = []
    for engine in ENGINES:
        engine.manual_seed(0)
        found = [None if x is None else np.asarray(x.tolist()) for x in program(engine)]
        results.append(found)
    for a, b in zip(*results, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-6)
    return results[1]


def network(engine):
    nn = engine.nn
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("preserve", [True, False])
def test_the_same_numbers(reentrant, preserve):
    def program(engine):
        net, x = network(engine), engine.randn(4, 3, requires_grad=True)
        h = x * 2
        for _ in range(2):
            h = engine.utils.checkpoint.checkpoint(net, h, use_reentrant=reentrant, preserve_rng_state=preserve)
        (h * h).sum().backward()
        return [h, x.grad, *(p.grad for p in net.parameters()), engine.randn(3)]

    both(program)


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("segments", [1, 2, 3])
def test_sequential(reentrant, segments):
    def program(engine):
        net, x = network(engine), engine.randn(4, 3, requires_grad=True)
        y = engine.utils.checkpoint.checkpoint_sequential(net, segments, x, use_reentrant=reentrant)
        y.square().sum().backward()
        return [y, x.grad, *(p.grad for p in net.parameters())]

    both(program)


def test_closures_keywords_grad_and_second_derivatives():
    """Everything that the function sees gets its gradient: once, though some of it stands upstream too."""

    def program(engine):
        w = engine.tensor([1.0, 2.0], requires_grad=True)
        v = engine.tensor([0.5, -1.0], requires_grad=True)
        h = (w * v).sin()

        def part(x, *, scale, unused=None):
            return {"a": (x * w * scale).exp() + h, "b": [x * v, 3]}

        out = engine.utils.checkpoint.checkpoint(part, h * 2, scale=v * w, use_reentrant=False)
        y = (out["a"] * out["b"][0]).sum()
        first = engine.autograd.grad(y, (w, v), create_graph=True)
        second = engine.autograd.grad(sum(g.square().sum() for g in first), (w, v), retain_graph=True)
        y.backward()
        return [y, *first, *second, w.grad, v.grad]

    both(program)


def test_errors():
    for engine in ENGINES:
        checkpoint = engine.utils.checkpoint.checkpoint
        x = engine.ones(3, requires_grad=True)
        with pytest.raises(RuntimeError, match="incompatible with"):
            engine.autograd.grad(checkpoint(lambda x: x * 2, x, use_reentrant=True).sum(), x)
        with pytest.raises(ValueError, match="Unexpected keyword"):
            checkpoint(lambda x, k: x * k, x, k=2, use_reentrant=True)
        with pytest.warns(UserWarning, match="use_reentrant parameter should be passed"):
            checkpoint(lambda x: x * 2, x)
        with pytest.warns(UserWarning, match="None of the inputs"):
            checkpoint(lambda x: x * 2, x.detach(), use_reentrant=True)
        calls = []

        def fickle(x, calls=calls):
            calls.append(1)
            return x.exp() if len(calls) == 1 else x[:2].exp()

        with pytest.raises(engine.utils.checkpoint.CheckpointError):
            checkpoint(fickle, x, use_reentrant=False).sum().backward()
        y = checkpoint(lambda x: x.exp(), x, use_reentrant=False).sum()
        y.backward()
        with pytest.raises(RuntimeError, match="second time|already been"):
            y.backward()


def test_the_names_behind():
    def program(engine):
        room = engine.utils.checkpoint
        x = engine.ones(3, requires_grad=True)
        with room.noop_context_fn()[0]:
            y = room.CheckpointFunction.apply(lambda x, k: x.exp() * k, True, x, 3)
        y.sum().backward()
        return y, x.grad

    both(program)


def test_contexts():
    for engine in ENGINES:
        entered = []

        class Noted:
            def __init__(self, name, entered=entered):
                self.name, self.entered = name, entered

            def __enter__(self):
                self.entered.append(self.name)

            def __exit__(self, *error):
                pass

        x = engine.ones(3, requires_grad=True)
        contexts = lambda: (Noted("first"), Noted("again"))  # noqa: E731
        y = engine.utils.checkpoint.checkpoint(lambda x: x.exp(), x, use_reentrant=False, context_fn=contexts)
        assert entered == ["first"]
        y.sum().backward()
        assert entered == ["first", "again"]


@pytest.mark.parametrize("reentrant", [True, False])
def test_inner_values_are_let_go(reentrant):
    inner = []

    def part(x):
        h = x.exp()
        inner.append(weakref.ref(h.array))
        return h * h

    x = minigrad.ones(1000, requires_grad=True)
    y = minigrad.utils.checkpoint.checkpoint(part, x * 1, use_reentrant=reentrant)
    gc.collect()
    assert inner[0]() is None
    y.sum().backward()
    assert len(inner) == 2
