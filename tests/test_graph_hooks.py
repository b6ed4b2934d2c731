"""Hooks on what is saved, and on several gradients at once, as PyTorch's programs use them."""

import numpy as np
import pytest
import torch

import minigrad

ENGINES = (torch, minigrad)


def alike(run):
    theirs, ours = (run(engine) for engine in ENGINES)
    assert len(theirs) == len(ours)
    for a, b in zip(theirs, ours, strict=True):
        if hasattr(a, "detach"):
            np.testing.assert_allclose(b.detach().numpy(), a.detach().numpy(), rtol=1e-5, atol=1e-6)
        else:
            assert b == a


def through_numpy(t):
    """Hooks that keep what is saved as NumPy arrays of their own, and count it."""
    kept = []

    def pack(x):
        kept.append(x.detach().numpy().copy())
        return len(kept) - 1

    return t.autograd.graph.saved_tensors_hooks(pack, lambda i: t.from_numpy(kept[i])), kept


class _Square:
    """The same Function in either engine."""

    @staticmethod
    def of(t):
        class Square(t.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                out = x * x
                ctx.save_for_backward(x, out)
                return out

            @staticmethod
            def backward(ctx, grad):
                x, out = ctx.saved_tensors
                return grad * 2 * x + 0 * out

        return Square


def first(t, x, w):
    (w @ (x.exp() * x).sin()).tanh().sum().backward()
    return [x.grad, w.grad]


def second(t, x, w):
    (gx,) = t.autograd.grad((x.exp() * x).sin().sum(), x, create_graph=True)
    return [gx, *t.autograd.grad((gx**2).sum(), x)]


def second_of_function(t, x, w):
    (gx,) = t.autograd.grad(_Square.of(t).apply(x).sum(), x, create_graph=True)
    return [gx, *t.autograd.grad(gx.sum(), x)]


def layers(t, x, w):
    t.manual_seed(0)
    nn = t.nn
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3), nn.LayerNorm(3))
    t.nn.functional.cross_entropy(net(t.ones(2, 1, 4, 4) * t.arange(4.0)), t.tensor([0, 1])).backward()
    return [p.grad for p in net.parameters()]


@pytest.mark.parametrize("program", [first, second, second_of_function, layers])
def test_gradients_of_what_was_packed(program):
    def run(t):
        x = t.tensor([1.0, 2.0, 3.0], requires_grad=True)
        w = t.tensor([[1.0, 2.0, 3.0], [0.5, 0.1, 0.2]], requires_grad=True)
        hooks, kept = through_numpy(t)
        with hooks:
            found = program(t, x, w)
        assert kept
        return found

    alike(run)


def test_what_is_packed_is_freed_by_the_backward_pass():
    for t in ENGINES:
        x = t.ones(2, requires_grad=True)
        with through_numpy(t)[0]:
            y = (x * x).sum()
        y.backward()
        with pytest.raises(RuntimeError, match="second time"):
            y.backward()


def test_hooks_end_with_their_block_and_can_be_forbidden():
    for t in ENGINES:
        graph = t.autograd.graph
        x = t.ones(2, requires_grad=True)
        hooks, kept = through_numpy(t)
        with hooks:
            pass
        (x * x).sum().backward()
        assert not kept
        with graph.disable_saved_tensors_hooks("not here"), pytest.raises(RuntimeError, match="not here"), hooks:
            pass
        with graph.saved_tensors_hooks(lambda x: x, lambda x: 3):
            y = (x * x).sum()
        with pytest.raises(TypeError, match="expected to be a Tensor"):
            y.backward()


@pytest.mark.parametrize("mode", ["all", "any"])
def test_hooks_on_several_gradients(mode):
    def run(t):
        a, b, c = (t.tensor(x, requires_grad=True) for x in (1.0, 2.0, 3.0))
        d = a * b
        e = d * c
        seen = []

        def see(found):
            seen.append([None if g is None else g.item() for g in found] if isinstance(found, list) else found.item())

        handle = t.autograd.graph.register_multi_grad_hook([a, d, c], see, mode=mode)
        e.backward(retain_graph=True)
        d.backward(retain_graph=True)
        t.autograd.grad(e, [d], retain_graph=True)
        handle.remove()
        e.backward()
        return seen

    alike(run)


def test_mistakes_of_multi_grad_hooks():
    for t in ENGINES:
        register = t.autograd.graph.register_multi_grad_hook
        x = t.ones(1, requires_grad=True)
        with pytest.raises(ValueError, match="mode"):
            register([x], print, mode="some")
        with pytest.raises(AssertionError):
            register([t.ones(1)], print)
        handle = register([x], lambda found: None)
        with pytest.raises(RuntimeError, match="not supported"):
            t.autograd.grad(x.exp().sum(), x)
        handle.remove()


def test_hooks_on_all_modules():
    """In the order in which they run, with those of the modules themselves among them; gone when they are removed."""

    def run(t):
        seen = []
        module = t.nn.modules.module
        t.manual_seed(0)
        net = t.nn.Sequential(t.nn.Linear(2, 3), t.nn.Tanh())
        net[0].register_forward_hook(lambda m, args, out: seen.append("own"))

        def note(kind):
            return lambda m, *rest: seen.append(f"{kind} {type(m).__name__} {len(rest)}")

        handles = [
            module.register_module_forward_pre_hook(note("before")),
            module.register_module_forward_hook(note("after")),
            module.register_module_forward_hook(lambda m, args, kwargs, out: out * 2, with_kwargs=True),
            module.register_module_full_backward_pre_hook(note("backward before")),
            module.register_module_full_backward_hook(note("backward")),
            module.register_module_parameter_registration_hook(
                lambda m, name, value: seen.append(f"{name} {tuple(value.shape)}")
            ),
            module.register_module_buffer_registration_hook(lambda m, name, value: seen.append(name)),
            module.register_module_module_registration_hook(
                lambda m, name, value: seen.append(f"{name} {type(value).__name__}")
            ),
        ]
        x = t.ones(1, 2, requires_grad=True)
        out = net(x)
        out.sum().backward()
        t.nn.Sequential(t.nn.Linear(1, 1), t.nn.BatchNorm1d(1))
        for handle in handles:
            handle.remove()
        return [seen, out, x.grad, net(x)]

    alike(run)
