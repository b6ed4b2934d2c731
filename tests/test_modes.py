"""no_grad and its like as decorators, on generators and threads; inference tensors; comparisons with what is no number."""

import copy
import pickle
import threading
import warnings

import pytest
import torch

import minigrad
from minigrad import is_inference

ENGINES = (torch, minigrad)
MODES = {
    "no_grad": lambda engine: engine.no_grad(),
    "enable_grad": lambda engine: engine.enable_grad(),
    "inference_mode": lambda engine: engine.inference_mode(),
    "set_grad_enabled": lambda engine: engine.set_grad_enabled(False),
    "set_grad_enabled(True)": lambda engine: engine.set_grad_enabled(True),
}


def plain(x):
    if isinstance(x, torch.Tensor | minigrad.Tensor):
        return x.tolist()
    return [plain(v) for v in x] if isinstance(x, list | tuple) else x


def both(program, *args):
    """What a program gives in both engines, which must be the same; of an error its class; and the classes of warnings."""
    results = []
    for engine in ENGINES:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                found = plain(program(engine, *args))
            except Exception as error:
                found = type(error).__name__
        assert engine.is_grad_enabled()
        results.append((found, sorted({w.category.__name__ for w in told})))
    assert results[0] == results[1]
    return results[1][0]


def generator(engine, mode):
    """A decorated generator function that notes what it sees, and the notes."""
    seen, on = [], engine.is_grad_enabled

    @MODES[mode](engine)
    def steps():
        try:
            seen.append(["start", on()])
            seen.append([(yield on()), on()])
            try:
                seen.append([(yield "second"), on()])
            except ValueError as error:
                seen.append(["caught", str(error), on()])
                yield "after"
            return "returned", on()
        finally:
            seen.append(["end", on()])

    return steps(), seen


def drive(engine, mode, how):
    steps, seen = generator(engine, mode)
    found = [next(steps), engine.is_grad_enabled()]
    try:
        if how == "send":
            found += [steps.send(5), engine.is_grad_enabled(), steps.send(6)]
        elif how == "throw":
            found += [steps.send(5), steps.throw(ValueError("v")), next(steps)]
        elif how == "throw what is not caught":
            steps.throw(KeyError("k"))
        elif how == "close":
            steps.close()
        elif how == "yield from":
            found += list((lambda: (yield from steps))())
    except StopIteration as stop:
        found.append(stop.value)
    except KeyError:
        found.append("KeyError")
    return found, seen, engine.is_grad_enabled()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("how", ["send", "throw", "throw what is not caught", "close", "yield from"])
def test_generators(mode, how):
    assert isinstance(both(drive, mode, how), list)


@pytest.mark.parametrize("mode", MODES)
def test_decorators(mode):
    def program(engine):
        on = engine.is_grad_enabled

        @MODES[mode](engine)
        def deep(k):
            return [on(), *(deep(k - 1) if k else [])]

        @MODES[mode](engine)
        class Made:
            def __init__(self):
                self.seen = on()

            def later(self):
                return on()

        @MODES[mode](engine)
        def failing():
            raise KeyError

        try:
            failing()
        except KeyError:
            after = on()
        return deep(2), on(), Made().seen, Made().later(), isinstance(Made, type), after

    assert isinstance(both(program), list)


def test_each_call_of_a_decorated_function_puts_back_what_it_found():
    """Two threads that record differently, inside one decorated function at the same time."""
    meet = threading.Barrier(2)
    found = {}

    @minigrad.no_grad()
    def function():
        meet.wait(timeout=10)

    def work(recording):
        with minigrad.set_grad_enabled(recording):
            function()
            found[recording] = minigrad.is_grad_enabled()

    threads = [threading.Thread(target=work, args=(r,)) for r in (True, False)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == {True: True, False: False}


def test_one_object_entered_twice():
    """PyTorch keeps one place for what was before, and leaves recording switched off after this."""
    for make in MODES.values():
        before = minigrad.is_grad_enabled()
        mode = make(minigrad)
        with mode:
            inside = minigrad.is_grad_enabled()
            with mode:
                assert minigrad.is_grad_enabled() == inside
            assert minigrad.is_grad_enabled() == inside
        assert minigrad.is_grad_enabled() == before


def test_switches():
    def program(engine):
        on, inside = engine.is_grad_enabled, engine.is_inference_mode_enabled
        found = [engine.no_grad(lambda: on())(), engine.inference_mode(lambda: [on(), inside()])()]
        function = engine.set_grad_enabled(False)(lambda: on())
        found += [on(), function(), on()]
        with engine.inference_mode():
            with engine.inference_mode(False):
                found.append([on(), inside()])
            with engine.enable_grad():
                found.append([on(), inside(), (engine.ones(2) * 2).requires_grad])
        return found

    assert isinstance(both(program), list)
    assert both(lambda engine: engine.set_grad_enabled("yes")) == "TypeError"
    assert both(lambda engine: engine.set_grad_enabled(1)) == "TypeError"


# -- inference tensors


def inference(engine):
    with engine.inference_mode():
        return engine.ones(2)


W = {engine: engine.tensor([1.0, 2.0], requires_grad=True) for engine in ENGINES}
WITH_INFERENCE = {
    "it": lambda e, x, w: [e.is_inference(x), x.is_inference(), w.is_inference()],
    "times a weight": lambda e, x, w: x * w,
    "plus a weight": lambda e, x, w: (x + w).requires_grad,
    "divided by": lambda e, x, w: w / x,
    "linear": lambda e, x, w: e.nn.functional.linear(x, w.view(1, 2)),
    "without recording": lambda e, x, w: [(x * 2).is_inference(), x.exp().is_inference(), x.clone().is_inference()],
    "views": lambda e, x, w: [v.is_inference() for v in (x.view(2, 1), x[0], x.detach(), x.data, x.float())],
    "in place": lambda e, x, w: x.add_(1),
    "filled": lambda e, x, w: x.fill_(1),
    "an element": lambda e, x, w: x.__setitem__(0, 1),
    "copied to": lambda e, x, w: x.copy_(w.detach()),
    "in place, unrecorded": lambda e, x, w: e.no_grad()(lambda: x.add_(1))(),
    "in place, inside": lambda e, x, w: e.inference_mode()(lambda: x.add_(1))(),
    "requires_grad": lambda e, x, w: x.requires_grad_(),
    "parameter": lambda e, x, w: e.nn.Parameter(x),
    "version": lambda e, x, w: x._version,
    "saved by a Function": lambda e, x, w: saving(e).apply(w, x),
    "copied and pickled": lambda e, x, w: [copy.deepcopy(x).is_inference(), pickle.loads(pickle.dumps(x)).is_inference()],
    "a clone": lambda e, x, w: (x.clone() * w).sum().backward(),
    "a module's": lambda e, x, w: e.inference_mode()(lambda: e.nn.Linear(2, 1)(e.ones(1, 2)).is_inference())(),
    "made inside": lambda e, x, w: e.inference_mode()(
        lambda: [v.is_inference() for v in (e.randn(2), e.arange(3), e.zeros_like(w), e.tensor(1.0), w * 2, w.sum(), w > 0)]
    )(),
    "an ordinary one's views": lambda e, x, w: e.inference_mode()(
        lambda: [v.is_inference() for v in (w.detach(), w.view(2, 1), w[0])]
    )(),
    "an ordinary one, changed inside": lambda e, x, w: [
        e.inference_mode()(lambda b: b.add_(1).is_inference())(w.detach().clone())
    ],
}  # fmt: skip


def saving(engine):
    class Saves(engine.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(b)
            return a * 2

        @staticmethod
        def backward(ctx, grad):
            return grad, None

    return Saves


@pytest.mark.parametrize("name", WITH_INFERENCE)
def test_inference_tensors(name):
    both(lambda engine: WITH_INFERENCE[name](engine, inference(engine), W[engine]))


def test_the_mark_goes_with_the_memory():
    from minigrad.autograd.inference import _marked

    x = inference(minigrad)
    assert is_inference(x)
    assert x.is_inference()
    before = len(_marked)
    del x
    assert len(_marked) == before - 1


# -- comparisons

STRANGE = {
    "None": None, "text": "a", "list": [1.0, 2.0], "tuple": (1.0,), "object": object(), "dict": {}, "type": int,
    "True": True, "float": 1.0, "nan": float("nan"),
}  # fmt: skip


@pytest.mark.parametrize("name", STRANGE)
def test_comparisons(name):
    other = STRANGE[name]
    both(lambda e: [e.tensor([1.0, 2.0]) == other, other == e.tensor([1.0, 2.0]), e.tensor([1.0, 2.0]) != other])
    for compare in ("__lt__", "__le__", "__gt__", "__ge__"):
        operator = {"__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="}[compare]
        both(lambda e, op=operator: eval(f"x {op} y", {"x": e.tensor([1.0, 2.0]), "y": other}))
    both(lambda e: [e.tensor([1.0]) in [other]])
    if name != "tuple" and name != "list":
        both(lambda e: other in e.tensor([1.0, 2.0]))
    both(lambda e: e.eq(e.ones(2), other))
