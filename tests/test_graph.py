"""The graph itself: depth, reuse, memory, modes, hooks, in-place changes, and what importing costs."""

import gc
import os
import subprocess
import sys
import threading
import time
import tracemalloc
import weakref

import numpy as np
import pytest
import torch

import minigrad
from minigrad.autograd import Operation


def test_chain_of_100_000():
    x = minigrad.tensor(1.0, dtype=minigrad.float64, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.backward()
    assert x.grad.item() == 1.0
    del y  # dropping the graph must not recurse either


def test_60_doublings_take_milliseconds():
    x = minigrad.tensor(1.0, dtype=minigrad.float64, requires_grad=True)
    y = x
    for _ in range(60):
        y = y + y
    start = time.perf_counter()
    y.backward()
    assert time.perf_counter() - start < 0.1
    assert x.grad.item() == 2.0**60


def test_naive_recursion_would_be_wrong():
    """a = 1; b = a + a; c = b + b: each node must run once, after all that arrives at it."""
    a = minigrad.tensor(1.0, requires_grad=True)
    b = a + a
    c = b + b
    c.backward()
    assert a.grad.item() == 4.0


def _train_steps(n):
    minigrad.manual_seed(0)
    model = minigrad.nn.Sequential(minigrad.nn.Linear(2, 4), minigrad.nn.Tanh(), minigrad.nn.Linear(4, 1))
    optimizer = minigrad.optim.Adam(model.parameters(), lr=0.01)
    x, y = minigrad.randn(8, 2), minigrad.randn(8, 1)
    for _ in range(n):
        optimizer.zero_grad()
        loss = minigrad.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        yield


def test_memory_stays_flat_without_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        steps = _train_steps(10_000)
        tracemalloc.start()
        for _ in range(3_000):  # until the interpreter's stores of objects for reuse are full
            next(steps)
        first, _ = tracemalloc.get_traced_memory()
        objects = len(gc.get_objects())
        for _ in steps:
            pass
        last, _ = tracemalloc.get_traced_memory()
        assert last - first < 2_000, f"{last - first} bytes more after 7,000 steps"
        assert len(gc.get_objects()) - objects < 20
    finally:
        tracemalloc.stop()
        gc.enable()


@pytest.mark.parametrize("build", [
    lambda x: (x.exp() * x).sum(),
    lambda x: minigrad.nn.functional.softmax(x, -1).log().sum(),
    lambda x: minigrad.nn.functional.layer_norm(x, x.shape[-1:]).tanh().sum(),
    lambda x: (x @ x.T).relu().mean(),
    lambda x: x.clone().add_(1).mul_(2).sum(),
])  # fmt: skip
def test_graph_is_freed_by_reference_counting(build):
    """No node holds its own output: dropping the result drops the graph at once, without the collector."""
    gc.collect()
    gc.disable()
    try:
        x = minigrad.ones(3, 3, requires_grad=True)
        for run in (lambda y: None, lambda y: y.backward()):
            y = build(x)
            node = weakref.ref(y.grad_fn)
            run(y)
            del y
            assert node() is None
    finally:
        gc.enable()


def test_create_graph_is_freed_too():
    gc.disable()
    try:
        x = minigrad.ones(3, requires_grad=True)
        y = (x**3).sum()
        (g,) = minigrad.autograd.grad(y, x, create_graph=True)
        node = weakref.ref(g.grad_fn)
        del y, g
        assert node() is None
    finally:
        gc.enable()


def test_backward_frees_as_it_goes():
    """After backward without retain_graph, saved arrays are gone although the loss is still there."""
    x = minigrad.ones(1000, requires_grad=True)
    y = x.exp()
    saved = weakref.ref(y.grad_fn._saved[0])
    z = y.sum()
    del y
    z.backward()
    assert saved() is None
    with pytest.raises(RuntimeError, match="retain_graph"):
        z.backward()


def test_retain_graph():
    x = minigrad.ones(3, requires_grad=True)
    y = (x**2).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4.0, 4.0, 4.0]


@pytest.mark.parametrize("engine", [torch, minigrad])
def test_third_derivative(engine):
    x = engine.tensor([0.5, -1.0], dtype=engine.float64, requires_grad=True)
    y = (x.sin() * x.exp()).sum()
    for _ in range(3):
        (y,) = engine.autograd.grad(y.sum(), x, create_graph=True)
    v = np.array([0.5, -1.0])
    # (sin x eˣ)''' = eˣ (2 cos x - 2 sin x)
    np.testing.assert_allclose(y.detach().numpy(), np.exp(v) * 2 * (np.cos(v) - np.sin(v)), rtol=1e-12)


def test_modes_belong_to_threads():
    seen = {}
    entered, leave = threading.Event(), threading.Event()

    def other():
        entered.wait(5)
        seen["grad"] = minigrad.is_grad_enabled()
        seen["recorded"] = (minigrad.ones(1, requires_grad=True) * 2).requires_grad
        leave.set()

    thread = threading.Thread(target=other)
    thread.start()
    with minigrad.no_grad():
        entered.set()
        leave.wait(5)
    thread.join()
    assert seen == {"grad": True, "recorded": True}


def test_threads_back_propagate_side_by_side():
    weight = minigrad.ones(4, dtype=minigrad.float64, requires_grad=True)
    results = [None] * 4

    def work(i):
        x = minigrad.full((4,), float(i + 1), dtype=minigrad.float64)
        for _ in range(200):
            (g,) = minigrad.autograd.grad((weight * x).tanh().sum(), weight)
        results[i] = g.tolist()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    for i, got in enumerate(results):
        np.testing.assert_allclose(got, (i + 1) * (1 - np.tanh(i + 1.0) ** 2) * np.ones(4), rtol=1e-12)


def test_threads_make_one_node_for_a_leaf():
    """Threads that use a leaf for the first time at once find the same node: no gradient goes astray."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    failed = []
    try:
        for _ in range(200):
            weight = minigrad.ones(2, requires_grad=True)
            start = threading.Barrier(4)

            def work(weight=weight, start=start):
                start.wait()
                try:
                    (g,) = minigrad.autograd.grad((weight * 3.0).sum(), weight)
                    assert g.tolist() == [3.0, 3.0]
                except Exception as error:
                    failed.append(error)

            threads = [threading.Thread(target=work) for _ in range(4)]
            [t.start() for t in threads]
            [t.join() for t in threads]
    finally:
        sys.setswitchinterval(interval)
    assert failed == []


@pytest.mark.parametrize("engine", [torch, minigrad])
def test_version_counter(engine):
    x = engine.ones(3, requires_grad=True)
    y = x.exp()
    assert y._version == 0
    z = (y * y).sum()
    y.add_(1)
    assert y._version == 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.backward()


@pytest.mark.parametrize("engine", [torch, minigrad])
def test_in_place_change_that_does_no_harm(engine):
    """add_ needs no old value, so the change after it is allowed."""
    x = engine.ones(3, requires_grad=True)
    y = x * 2
    y.add_(1)
    y += 1
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("engine", [torch, minigrad])
def test_in_place_change_of_data_by_view_is_noticed(engine):
    x = engine.ones(4, requires_grad=True)
    y = x.exp()
    z = y.sin()
    with engine.no_grad():
        y[1:].mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_no_grad_update_leaves_the_leaf_usable():
    w = minigrad.ones(2, requires_grad=True)
    for _ in range(3):
        (w * w).sum().backward()
        with minigrad.no_grad():
            w -= 0.1 * w.grad
            w.grad.zero_()
    np.testing.assert_allclose(w.detach().numpy(), [0.8**3] * 2, rtol=1e-6)


def test_hooks_see_and_change():
    x = minigrad.ones(2, requires_grad=True)
    y = x * 3
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    handle = y.register_hook(lambda g: g * 2)
    y.sum().backward(retain_graph=True)
    handle.remove()
    y.sum().backward()
    assert seen == [[1.0, 1.0], [1.0, 1.0]]
    assert x.grad.tolist() == [9.0, 9.0]


def test_node_hook():
    x = minigrad.ones(2, requires_grad=True)
    y = x * 3
    seen = []
    y.grad_fn.register_hook(
        lambda grad_inputs, grad_outputs: seen.append((grad_inputs[0].tolist(), grad_outputs[0].tolist()))
    )
    y.sum().backward()
    assert seen == [([3.0, 3.0], [1.0, 1.0])]


def test_a_gradient_is_taken_without_copying_only_if_nobody_else_can_see_it():
    kept = []

    class Reshaped(Operation):
        @staticmethod
        def forward(ctx, x, keep):
            ctx.keep = keep
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            whole = np.full(6, 2.0)
            if ctx.keep:
                kept.append(whole)
            else:
                ctx.address = whole.ctypes.data
            return whole.reshape(2, 3), None

    x = minigrad.ones(2, 3, dtype=minigrad.float64, requires_grad=True)
    y = Reshaped.apply(x, False)
    node = y.grad_fn
    y.sum().backward()
    assert x.grad.array.ctypes.data == node.address
    x.grad = None
    Reshaped.apply(x, True).sum().backward()
    assert not np.shares_memory(x.grad.array, kept[0])
    assert x.grad.tolist() == [[2.0] * 3] * 2


def test_graph_can_be_walked():
    x = minigrad.ones(2, requires_grad=True)
    y = (x * 2).sum()
    assert y.grad_fn.name() == "SumBackward0"
    (above, _), *_ = y.grad_fn.next_functions
    assert above.name() == "MulBackward0"
    leaf = above.next_functions[0][0]
    assert leaf.name() == "torch::autograd::AccumulateGrad"
    assert leaf.variable is x
    assert above.next_functions[1] == (None, 0)


def test_names_of_nodes_that_are_no_operations():
    for engine in (torch, minigrad):
        x = engine.ones(2, requires_grad=True)
        y, z = x * 1, x.clone()
        y[0].add_(1)
        z.copy_(y)
        assert (y.grad_fn.name(), z.grad_fn.name()) == ("torch::autograd::CopySlices", "torch::autograd::CopyBackwards")
        assert (type(y.grad_fn).__name__, type(z.grad_fn).__name__) == ("CopySlices", "CopyBackwards")
        assert "grad_fn=<CopySlices>" in repr(y)


@pytest.mark.parametrize("engine", [minigrad, torch], ids=["minigrad", "torch"])
def test_tensors_on_the_same_memory_are_not_taken_for_one_another(engine):
    """d/dp of sum(p t) is t, a constant, also where p and t look into the same memory."""
    t = engine.tensor([2.0, 3.0])
    array = np.array([2.0, 3.0], np.float32)
    for leaf, constant in (
        (engine.nn.Parameter(t), t),
        (engine.from_numpy(array).requires_grad_(), engine.from_numpy(array)),
        (engine.tensor([2.0, 3.0], requires_grad=True),) * 2,
    ):
        other = constant.detach() if constant is leaf else constant
        (gradient,) = engine.autograd.grad((leaf * other).sum(), leaf, create_graph=True)
        assert gradient.tolist() == [2.0, 3.0]
        assert not gradient.requires_grad


@pytest.mark.parametrize("engine", [minigrad, torch], ids=["minigrad", "torch"])
def test_a_detached_factor_is_a_constant_to_higher_derivatives_too(engine):
    x = engine.tensor(3.0, requires_grad=True) * 1.0
    (dx,) = engine.autograd.grad(x * x.detach(), x, create_graph=True)
    assert dx.item() == 3
    assert not dx.requires_grad


@pytest.mark.parametrize("engine", [minigrad, torch], ids=["minigrad", "torch"])
def test_a_function_may_call_what_it_keeps_as_it_likes(engine):
    class Double(engine.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.outputs, ctx.hooks, ctx.edges, ctx.out_shape, ctx.out_dtype, ctx.node_hooks = 1, 2, 3, 4, 5, 6
            ctx.materialize = 7
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            kept = (ctx.outputs, ctx.hooks, ctx.edges, ctx.out_shape, ctx.out_dtype, ctx.node_hooks, ctx.materialize)
            assert kept == (1, 2, 3, 4, 5, 6, 7)
            return grad * 2

    x = engine.ones(2, requires_grad=True)
    Double.apply(x * 3).sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]


def test_detect_anomaly_names_operation_and_line():
    def step():
        x = minigrad.zeros(2, requires_grad=True)
        with pytest.raises(RuntimeError, match=r"SqrtBackward0.*nan"), minigrad.autograd.detect_anomaly():
            y = x.sqrt() * 0  # this line makes the nan
            y.sum().backward()

    with pytest.warns(UserWarning, match="Error detected in SqrtBackward0") as warned:
        step()
    assert "this line makes the nan" in str(warned[-1].message)
    assert [w.filename for w in warned] == [__file__, __file__]  # enabled, and the error


def test_function_that_returns_a_wrong_gradient_is_told():
    class Wrong(minigrad.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a * b

        @staticmethod
        def backward(ctx, grad):
            return grad

    a = minigrad.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="incorrect number of gradients"):
        Wrong.apply(a, a).sum().backward()


@pytest.mark.parametrize("engine", [minigrad, torch], ids=["minigrad", "torch"])
def test_gradients_without_dimensions_are_tensors_like_others(engine):
    """NumPy makes a scalar of the sum of two arrays without dimensions; a gradient must stay an array."""

    def leaf():
        return engine.tensor(3.0, requires_grad=True)

    a = leaf()
    for _ in range(2):
        (a * a + a).backward()
    assert a.grad.item() == 14
    for change in (lambda g: g.zero_(), lambda g: g.mul_(0.5), lambda g: g.fill_(2.0), lambda g: g.add_(1)):
        change(a.grad)
    assert a.grad.item() == 3
    assert type(a.grad.numpy()) is np.ndarray
    b = leaf()
    c = b * 2
    c.retain_grad()
    c.register_hook(lambda g: g.mul_(2))
    (c * c + c).backward()
    c.grad.zero_()
    assert b.grad.item() == 52
    (g,) = engine.autograd.grad(leaf() * b + b * b, b)
    assert g.add_(1).item() == 10
    engine.nn.utils.clip_grad_norm_([b], 1.0)
    assert abs(b.grad.item() - 1) < 1e-6


@pytest.mark.parametrize("engine", [minigrad, torch], ids=["minigrad", "torch"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_function_gets_tensors_where_outputs_without_dimensions_are_used_twice(engine, outputs):
    seen = []

    class Double(engine.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return (x * 2, x * 3)[:outputs] if outputs > 1 else x * 2

        @staticmethod
        def backward(ctx, *grads):
            seen.extend(type(g) for g in grads)
            return sum(g.clone() * k for g, k in zip(grads, (2, 3), strict=False))

    x = engine.tensor(1.0, requires_grad=True)
    out = Double.apply(x)
    y, z = out if outputs > 1 else (out, 0)
    (y * y + y + z).backward()
    assert x.grad.item() == (13 if outputs > 1 else 10)
    assert seen == [engine.Tensor] * outputs


@pytest.mark.parametrize("engine", [minigrad, torch], ids=["minigrad", "torch"])
@pytest.mark.parametrize(("returned", "error", "words"), [
    (lambda engine: 3.0, TypeError, "hook.*float"),
    (lambda engine: engine.ones(3), RuntimeError, "changed the size"),
    (lambda engine: engine.ones(2, dtype=engine.float64), RuntimeError, "changed the type"),
])  # fmt: skip
@pytest.mark.parametrize("of_leaf", [True, False])
def test_a_hook_that_returns_something_else_is_told(engine, returned, error, words, of_leaf):
    x = engine.ones(2, requires_grad=True)
    y = x * 2
    (x if of_leaf else y).register_hook(lambda g: returned(engine))
    with pytest.raises(error, match=words):
        y.sum().backward()


def test_no_two_gradients_share_memory():
    a, b = minigrad.ones(3, requires_grad=True), minigrad.ones(3, requires_grad=True)
    (a + b).sum().backward()
    assert not np.shares_memory(a.grad.array, b.grad.array)
    a.grad.zero_()
    assert b.grad.tolist() == [1.0, 1.0, 1.0]


def test_definitions_agree_with_kernels():
    """use_kernels(False) runs fused operations on their definitions: the same numbers."""
    x = minigrad.randn(6, 8, dtype=minigrad.float64, requires_grad=True)
    results = []
    for enabled in (True, False):
        with minigrad.use_kernels(enabled):
            y = minigrad.nn.functional.gelu(minigrad.nn.functional.layer_norm(x, (8,))).softmax(-1)
            (g,) = minigrad.autograd.grad((y * y).sum(), x)
        results.append((y.detach().numpy(), g.numpy()))
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_every_operation_has_a_forward_and_a_backward():
    """No operation is left half written."""
    kinds = [Operation]
    for kind in kinds:
        kinds += kind.__subclasses__()
    for kind in kinds[1:]:
        if kind.__module__.startswith("minigrad.ops"):
            assert kind.forward is not Operation.forward or kind.__subclasses__(), kind
            assert kind.backward is not Operation.backward or kind.__subclasses__(), kind


# -- importing


def _python(code, **more):
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | more,
    )  # fmt: skip
    return result.stdout.strip()


def test_import_brings_no_heavy_modules():
    loaded = _python(
        "import sys, minigrad; print(*[m for m in ('numba', 'scipy', 'torch', 'matplotlib', 'pandas') if m in sys.modules])"
    )
    assert loaded == ""
