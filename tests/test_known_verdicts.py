"""parity.check and compare_runs on functions and programs of which is known whether they are right: every verdict, where it
points, and that a fault planted into each right one is found."""

import contextlib
import functools

import numpy as np
import pytest
import torch
from known_verdicts import compositions, handwritten, modules, programs
from known_verdicts.table import KNOWN, NONE, PROGRAMS, RIGHT, WRONG

import minigrad
import parity
from parity.agreement import mapped

assert all((compositions, handwritten, modules, programs))


def test_there_are_enough():
    assert len(KNOWN) + len(PROGRAMS) >= 200
    assert sum(k.verdict == WRONG and k.order == 2 for k in KNOWN.values()) >= 15


def told(name, fn=None):
    entry = KNOWN[name]
    try:
        report = parity.check(fn or entry.fn, *entry.inputs)
    except parity.Unanswerable as error:
        return NONE, str(error), None
    return (RIGHT if report else WRONG), str(report), report


@pytest.mark.parametrize("name", KNOWN)
def test_verdict(name):
    entry = KNOWN[name]
    verdict, text, report = told(name)
    assert verdict == entry.verdict, text
    for word in [entry.says] if isinstance(entry.says, str) else entry.says:
        assert word in text
    if verdict == RIGHT:
        departs = "is not the derivative of the values" in text  # in both engines: then its head says so
        assert ("right at these inputs" in text) != departs
        assert ("NOT the derivative of the function's values" in text) == departs
    if verdict == WRONG:
        assert "WRONG" in text
        if entry.order == 2:
            assert "second derivative by" in text
            assert not any(line.strip().startswith("gradient by") and "wrong" in line for line in text.splitlines())
        assert report is None or report.second == text.startswith(
            "The gradient is right, its derivative (the second) is WRONG"
        )
        assert report is None or report.second == (entry.order == 2)
        if entry.at is not None:
            assert report.wrong == entry.at, text


# -- a fault in each right one


def scaling(T, factor, order):
    """The identity, whose gradient (or whose gradient's gradient) is too large by a factor."""

    class Times(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g * factor

    class Fault(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g * factor if order == 1 else Times.apply(g)

    return Fault.apply


def planted(fn, factor, order):
    """The function with every floating output sent through such an identity."""

    def change(y):
        for T in (torch, minigrad):
            if isinstance(y, T.Tensor) and y.requires_grad:
                return scaling(T, factor, order)(y)
        return y

    def faulty(*args):
        result = fn(*args)
        return mapped(tuple(result) if isinstance(result, tuple) else result, change)

    with contextlib.suppress(AttributeError):
        functools.update_wrapper(faulty, fn)
    faulty.__wrapped__ = fn if not isinstance(fn, torch.nn.Module | minigrad.nn.Module) else fn.forward
    return faulty


# Nothing flows back: an empty input, a slope of 0.
NOTHING = {"an empty input", "a norm at 0", "a standard deviation of equals"}
# Double backward is refused aloud, or the second derivative of the outputs' own slope is all there is in float32.
ONCE = {"NumPy inside, once differentiable", "forward rounds to float32", "PyTorch: a reentrant checkpoint"}


PLANTED = [
    (name, order)
    for name, entry in KNOWN.items()
    for order in (1, 2)
    if entry.verdict == RIGHT and name not in NOTHING and not (order == 2 and name in ONCE)
]


@pytest.mark.parametrize(("name", "order"), PLANTED)
def test_a_planted_fault_is_found(name, order):
    entry = KNOWN[name]
    verdict, text, _ = told(name, planted(entry.fn, entry.factor, order))
    assert verdict == WRONG, text
    assert ("second derivative by" if order == 2 else "gradient by") in text


# -- programs


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    program, expected = PROGRAMS[name]
    found = parity.compare_runs(program)
    assert not found.fault, str(found)
    assert str(found).startswith("Rounding" if expected == "rounding" else "The engines agree")
    if name not in ("asks for float32", "rounding that grows, in float32 alone"):
        assert not found.without64, str(found)


@pytest.mark.parametrize("name", [n for n, (_, expected) in PROGRAMS.items() if expected == "agree"])
def test_a_planted_fault_in_a_program_is_found(name, monkeypatch):
    """minigrad's leaves get 1.001 times their gradient; likewise what `autograd.grad` returns."""
    program, _ = PROGRAMS[name]
    leaf = minigrad.autograd.graph.AccumulateGrad
    right, grad = leaf.run_backward, minigrad.autograd.grad
    monkeypatch.setattr(leaf, "run_backward", lambda self, gradient: right(self, gradient * 1.001))
    monkeypatch.setattr(
        minigrad.autograd, "grad", lambda *args, **kwargs: tuple(g * 1.001 for g in grad(*args, **kwargs))
    )
    found = parity.compare_runs(program)
    assert found.fault, str(found)
    assert "the gradient of" in str(found) or "after the step" in str(found)


def test_nothing_is_left_behind():
    """Neither types nor values of what a function holds on to change, nor the engines' own functions."""
    held = {"w": torch.randn(3, 3), "m": minigrad.nn.Linear(3, 2), "v": minigrad.randn(3)}
    before = held["w"].clone(), held["m"].weight.detach().numpy().copy(), held["v"].numpy().copy()
    makers = [
        (T, n, getattr(T, n)) for T in (torch, minigrad) for n in ("tensor", "as_tensor", "from_numpy", "float32")
    ]
    parity.check(lambda x: x @ held["w"], np.ones(3))
    parity.check(lambda x: held["m"](x) * held["v"][:2], np.ones(3))
    after = held["w"], held["m"].weight.detach().numpy(), held["v"].numpy()
    for a, b in zip(before, after, strict=True):
        assert a.dtype == b.dtype
        assert (a == b).all()
    assert all(getattr(T, n) is thing for T, n, thing in makers)
    assert minigrad.ones(2, dtype=minigrad.float32).numpy().dtype == np.float32
    assert torch.get_default_dtype() == torch.float32
