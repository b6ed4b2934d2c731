"""What a comparison of random programs with PyTorch found to be wrong in silence."""

import sys
import threading
import time

import numpy as np
import pytest

import minigrad
import minigrad.nn.functional as F
from minigrad.autograd.fused import kernels_position


def test_an_entry_of_one_dimension_is_a_view() -> None:
    x = minigrad.ones(3)
    x[0].add_(5)
    x.select(0, 1).fill_(4)
    x.unbind()[2].zero_()
    assert x.tolist() == [6, 4, 0]
    w = minigrad.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="view of a leaf"):
        w[0].add_(1)
    y = w * 2
    y[0].mul_(3)
    assert y.tolist() == [6, 2, 2]
    (g,) = minigrad.autograd.grad((y * y).sum(), w, create_graph=True)
    assert g.tolist() == [72, 8, 8]
    assert minigrad.autograd.grad(g.sum(), w)[0].tolist() == [72, 8, 8]


def test_use_kernels_as_a_decorator_leaves_later_calls_alone() -> None:
    before = kernels_position()

    @minigrad.use_kernels(False)
    def position() -> str:
        return kernels_position()

    try:
        minigrad.use_kernels("numpy")
        assert (position(), kernels_position(), position(), kernels_position()) == ("definition", "numpy") * 2
        switch = minigrad.use_kernels(False)
        with switch:
            minigrad.use_kernels(True)
        with switch:
            assert kernels_position() == "definition"
        assert kernels_position() == "fastest"
    finally:
        minigrad.use_kernels(before)


def test_threads_that_switch_leave_the_process_as_it_was() -> None:
    before = kernels_position()
    stop = threading.Event()

    def switch(form: bool | str) -> None:
        while not stop.is_set():
            with minigrad.use_kernels(form):
                pass

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=switch, args=(form,)) for form in (False, "numpy", True)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        stop.set()
        for thread in threads:
            thread.join()
        assert kernels_position() == before
    finally:
        sys.setswitchinterval(interval)
        minigrad.use_kernels(before)


@pytest.mark.parametrize("form", [False, "numpy"])
def test_an_empty_batch_through_a_convolution_and_attention_twice(form: bool | str) -> None:
    with minigrad.use_kernels(form):
        x = minigrad.ones(0, 3, 8, 8, requires_grad=True)
        w = minigrad.ones(2, 3, 3, 3, requires_grad=True)
        gx, gw = minigrad.autograd.grad(F.conv2d(x, w).sum(), [x, w], create_graph=True)
        assert gx.shape == x.shape
        assert not gw.any()
        q = minigrad.ones(1, 1, 0, 4, requires_grad=True)
        out = F.scaled_dot_product_attention(q, q, q, is_causal=True)
        assert minigrad.autograd.grad(out.sum(), q, create_graph=True)[0].shape == q.shape


@pytest.mark.parametrize("form", [False, "numpy"])
@pytest.mark.parametrize("shape", [(), (5,)])
def test_batch_norm_wants_a_dimension_of_channels(form: bool | str, shape: tuple[int, ...]) -> None:
    with minigrad.use_kernels(form), pytest.raises(IndexError):
        F.batch_norm(minigrad.ones(shape), None, None, training=True)


def test_full_wants_a_number() -> None:
    for value in (None, "3"):
        with pytest.raises(TypeError, match="must be Number"):
            minigrad.full((2,), value)
        with pytest.raises(TypeError, match="must be Number"):
            minigrad.full_like(minigrad.ones(2), value)
    assert minigrad.full((2,), np.float32(2)).dtype is minigrad.float32


def test_expanded_memory_is_not_written_in_place() -> None:
    for change in (lambda x: x.add_(1), lambda x: x.uniform_(), lambda x: x.copy_(minigrad.ones(3))):
        with pytest.raises(RuntimeError, match="single memory location"):
            change(minigrad.ones(1).expand(3))
    for change in (lambda x: x.fill_(2), lambda x: x.fill_(2).zero_().add(2)):  # the same everywhere: it may be
        x = minigrad.ones(1)
        assert change(x.expand(3)).tolist() == [2, 2, 2]
