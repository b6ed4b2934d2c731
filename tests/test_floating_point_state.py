"""1/0 is inf in silence, whatever the program says of its own arrays; and the program's own code keeps what it said."""

import inspect
import math
import threading
import warnings
from dataclasses import replace

import numpy as np
import pytest

import minigrad
from minigrad import nn, optim
from minigrad.autograd.modes import current
from parity.agreement import MINIGRAD, Example, Tally, _Backward, run_form
from parity.case import CASES
from parity.cases import FAMILIES
from parity.inputs import Input, Seeded

assert FAMILIES  # importing them fills the table
INF, NAN = float("inf"), float("nan")


class Strict:
    """Floating-point errors raise, and warnings too."""

    def __enter__(self):
        self.warnings = warnings.catch_warnings()
        self.warnings.__enter__()
        warnings.simplefilter("error", RuntimeWarning)
        self.state = np.errstate(all="raise")
        self.state.__enter__()

    def __exit__(self, *error):
        assert set(np.geterr().values()) == {"raise"}, "the engine left its own state behind"
        self.state.__exit__(*error)
        self.warnings.__exit__(*error)


def everything(case, seed):
    """Outputs, gradients and second derivatives of one drawn call, as bytes."""
    example = Example(case, Seeded(seed), Tally())
    with minigrad.use_kernels(example.position):
        run = run_form(MINIGRAD, case, example.form, example.call, seed=example.seed)
        if run.error is not None:
            return type(run.error).__name__, str(run.error)
        found = [x for _, x in run.outputs if isinstance(x, minigrad.Tensor)]
        places = [i for i, (_, x) in enumerate(run.outputs) if isinstance(x, minigrad.Tensor) and x.requires_grad]
        if places and case.gradient:
            cotangents = [
                example.draw.cotangent(tuple(run.outputs[i][1].shape), MINIGRAD.dtype(run.outputs[i][1]))
                for i in places
            ]
            back = _Backward(run, places, cotangents)
            found += back.gradients(create_graph=False)
            if case.second:
                recorded = [g for g in back.gradients(create_graph=True) if g is not None and g.requires_grad]
                ones = [Input.of(np.ones(g.array.shape, g.array.dtype), False) for g in recorded]
                found += back.second(recorded, ones) if recorded else []
    return [None if x is None else x.array.tobytes() for x in found]


# What a case draws when numbers are extreme: overflow, 0/0, 1/0, and numbers too small to be normal.
EXTREME = ("special", "large", "ties", "tiny")


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@pytest.mark.parametrize("family", sorted({case.family for case in CASES.values()}))
def test_every_case_gives_the_same_under_strict_settings(family):
    for case in (c for c in CASES.values() if c.family == family):
        extreme = replace(case, modes=EXTREME)
        for seed in range(3):
            for c in (case, extreme):
                expected = everything(c, seed)
                with Strict():
                    got = everything(c, seed)
                assert got == expected, f"{case.name}, seed {seed}"


BIG = minigrad.tensor([1e300, -1e300, 1e-300], dtype=minigrad.float64)
ALL = minigrad.tensor([3e38, 1e-38, NAN, INF, -INF, 0.0])
OTHERS = {
    "tensor": lambda: minigrad.tensor([1e300, 1e-300]),
    "tensor of integers": lambda: minigrad.tensor([1e-300, 9e18], dtype=minigrad.int64),
    "Tensor": lambda: minigrad.Tensor([1e300]),
    "as_tensor": lambda: minigrad.as_tensor(np.array([1e300]), dtype=minigrad.float32),
    "new_tensor": lambda: ALL.new_tensor([1e300]),
    "full": lambda: minigrad.full((2,), 1e-300),
    "full_like": lambda: minigrad.full_like(ALL, 1e-300),
    "new_full": lambda: ALL.new_full((2,), 1e-300),
    "arange": lambda: minigrad.arange(0, 1e300, 1e299),
    "linspace": lambda: minigrad.linspace(-3e38, 3e38, 5),
    "logspace": lambda: minigrad.logspace(0, 400, 5),
    "float": lambda: BIG.float(),
    "half": lambda: ALL.half(),
    "integers": lambda: [ALL.to(d) for d in (minigrad.int64, minigrad.int32, minigrad.uint8, minigrad.bool)],
    "fill_": lambda: [ALL.clone().fill_(math.inf), ALL.clone().fill_(1e38)],
    "setitem": lambda: [ALL.clone().__setitem__(0, 1e300), ALL.clone().__setitem__(slice(0, 3), BIG)],
    "copy_": lambda: ALL[:3].clone().copy_(BIG),
    "in place": lambda: [ALL.clone().add_(3e38), ALL[:3].clone().add_(BIG), ALL.clone().div_(0)],
    "compared": lambda: [ALL < 1e300, ALL < ALL * 0, minigrad.isclose(ALL, ALL * 2), minigrad.allclose(ALL, ALL)],
    "printed": lambda: [repr(ALL), repr(BIG), str(ALL.half())],
    "random": lambda: [minigrad.randn(1000), minigrad.empty(100).log_normal_(0, 100), minigrad.empty(99).cauchy_()],
    "sampled": lambda: minigrad.multinomial(minigrad.tensor([1e-40, 1e38, 1.0]), 2),
    "layers": lambda: [
        nn.Linear(3, 4)(minigrad.full((2, 3), 3e38)),
        nn.LSTM(3, 4)(minigrad.full((2, 1, 3), 3e38)),
        nn.BatchNorm1d(2)(minigrad.tensor([[3e38, 1e-38], [1e38, 0.0]])),
    ],
    "initialized": lambda: [nn.init.orthogonal_(minigrad.empty(3, 3)), nn.init.trunc_normal_(minigrad.empty(30, 3))],
    "jacobian": lambda: minigrad.autograd.functional.jacobian(lambda x: x.log(), minigrad.zeros(2)),
    "gradcheck": lambda: minigrad.autograd.gradcheck(
        lambda x: x.log(), minigrad.ones(2, dtype=minigrad.float64, requires_grad=True)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_operation(name):
    with Strict():
        OTHERS[name]()


REFUSED = {
    "tensor of integers": lambda: minigrad.tensor([1e300], dtype=minigrad.int64),
    "tensor of integers, nan": lambda: minigrad.tensor([NAN], dtype=minigrad.int64),
    "full": lambda: minigrad.full((2,), 1e300),
    "full_like": lambda: minigrad.full_like(ALL, 1e300),
    "new_full": lambda: ALL.new_full((2,), 1e300),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused(name):
    """With PyTorch's error, not NumPy's."""
    with Strict(), pytest.raises(RuntimeError, match="value cannot be converted to type minigrad.* without overflow"):
        REFUSED[name]()


OPTIMIZERS = [
    cls for cls in vars(optim).values()
    if inspect.isclass(cls) and issubclass(cls, optim.Optimizer) and cls is not optim.Optimizer
]  # fmt: skip


@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_optimizers(cls):
    with Strict():
        p = nn.Parameter(minigrad.tensor([1e-30, 1e30, 0.0, 1.0]))
        optimizer = cls([p], lr=0.1)
        for g in ([1e-30, 1e38, 0.0, 1.0], [1e-38] * 4, [3e38] * 4, [INF, NAN, 0.0, 1.0]):
            p.grad = minigrad.tensor(g)
            nn.utils.clip_grad_norm_([p], 1e9)
            optimizer.step(lambda g=g: minigrad.tensor(g).sum()) if cls is optim.LBFGS else optimizer.step()


def test_code_of_the_program_keeps_its_state():
    """Hooks, a Function of its own, a closure, and what follows an error see the state that the program has set."""
    seen = []

    def look(*args):
        seen.append(np.geterr()["divide"])

    class Own(minigrad.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            look()
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            look()
            return grad * 2

    for setting in ("raise", "ignore", "warn"):
        with np.errstate(divide=setting):
            seen.clear()
            leaf = minigrad.ones(2, requires_grad=True)
            leaf.register_hook(look)
            leaf.register_post_accumulate_grad_hook(look)
            inner = Own.apply(leaf)
            inner.register_hook(look)
            inner.grad_fn.register_hook(look)
            inner.grad_fn.register_prehook(look)
            inner.sum().backward()
            optim.SGD([leaf], 0.1).step(look)
            with pytest.raises(RuntimeError):
                minigrad.ones(3) @ minigrad.ones(4)
            look()
            assert seen == [setting] * 9


def test_threads_have_each_their_own():
    found = []

    def work():
        with np.errstate(all="raise"):
            found.append((1 / minigrad.zeros(2)).tolist())
            found.append(np.geterr()["divide"])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found.count([INF, INF]) == found.count("raise") == 3
    assert current.run_quietly(lambda: np.geterr()["divide"]) == "ignore"
