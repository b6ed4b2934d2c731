"""Tensors of one engine given to the other: every public name says whose they are and how to convert them, or takes them.

The names and how each is called are parity's (`fuzz_calls.learn`), so a new one is tried here without being named. In the place of each
tensor of a call, also of those that an object is made with and of those that a module or a function is then called with, stands PyTorch's.
"""

import operator
import subprocess
import sys
import warnings
from collections import defaultdict

import numpy as np
import pytest
import torch

import minigrad
import parity
from minigrad import viz
from parity.case import resolve
from parity.engines import MINIGRAD, TORCH
from parity.fuzz import _all_alike, _flat
from parity.fuzz_calls import Built, is_method, learn
from parity.fuzz_kinds import Call
from parity.fuzz_objects import used

CALLS_OF_A_NAME = 2
# What gives another answer for PyTorch's tensors, and is right to.
ANSWERS = {
    "is_tensor": "asks whether it is minigrad's",
    "nn.Identity": "hands on whatever it is given",
    "nn.Identity.forward": "hands on whatever it is given",
}


class Mixed(Built):
    """A call in minigrad whose tensor number `which` is PyTorch's."""

    def __init__(self, call, which):
        self.which, self.count = which, 0
        super().__init__(MINIGRAD, call)

    def _tensor(self, x):
        self.count += 1
        if self.count - 1 == self.which:
            return Built(TORCH, Call("", [x], {})).args[0]
        return super()._tensor(x)


def made(call, which):
    """What comes of the call: the results, or the error; and how many tensors it has."""
    built = None
    minigrad.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            built = Mixed(call, which)
            result = resolve(minigrad, call.name)(*built.args, **built.kwargs)
            result = [result, [used(x, MINIGRAD, built.then, 0) for x in (result, *built.objects)]]
            return _flat(result, MINIGRAD), built.count
        except Exception as error:
            return error, built.count if built else 0


def names_both(error):
    return "minigrad" in str(error) and "PyTorch" in str(error)


@pytest.fixture(scope="module")
def calls():
    found = defaultdict(list)
    for call in learn(CALLS_OF_A_NAME):
        found[call.name].append(call)
    assert len(found) > 900
    return {name: some[:CALLS_OF_A_NAME] for name, some in found.items()}


def test_every_public_name_names_the_engine_of_a_tensor_or_takes_it(calls):
    faults, refused = [], 0
    for name, call in ((name, call) for name, some in calls.items() for call in some):
        plain, count = made(call, None)
        if isinstance(plain, Exception):
            continue
        for which in range(
            is_method(name) and name.startswith("Tensor."), count
        ):  # (before the dot stands a tensor of minigrad)
            found, _ = made(call, which)
            if isinstance(found, Exception):
                refused += 1
                if not names_both(found):
                    faults.append(f"{name}, tensor {which}: {type(found).__name__}: {str(found)[:150]}")
            elif name not in ANSWERS and not _all_alike(found, plain, 1e-6):
                faults.append(f"{name}, tensor {which}: returns {str(found)[:80]} in the place of {str(plain)[:80]}")
    assert not faults, "\n".join(faults)
    assert refused > 1500


# -- what is no call of a public name

T, M = torch.ones(2), minigrad.ones(2)
OPERATORS = [
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and_",
    "or_",
    "xor",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "iadd",
    "isub",
    "imul",
    "itruediv",
    "ipow",
    "ifloordiv",
    "imod",
    "iand",
    "ior",
    "ixor",
    "ilshift",
    "irshift",
    "lshift",
    "rshift",
]


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("first", [torch, minigrad])
def test_operators(name, first):
    second = minigrad if first is torch else torch
    with pytest.raises(TypeError) as error:
        getattr(operator, name)(first.ones(2), second.ones(2))
    assert names_both(error.value)


def written(key, value):
    x = minigrad.ones(2)
    x[key] = value


def assigned(name):
    layer = minigrad.nn.Linear(2, 2)
    setattr(layer, name, torch.nn.Parameter(torch.ones(2, 2)) if name == "weight" else torch.nn.Linear(2, 2))


def watched():
    layer = minigrad.nn.Linear(2, 2)
    with viz.watch(layer, data=(torch.ones(3, 2), torch.ones(3, 1))):
        pass


class Cube(minigrad.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        return g


class Net(minigrad.nn.Module):
    def forward(self, x, scale=None):
        return x.sum() if scale is None else minigrad.relu(x) * scale


LOSS = (torch.ones(2, requires_grad=True) * 2).sum()
CALLS = {
    "a key": lambda: M[torch.tensor(0)],
    "a key in a tuple": lambda: minigrad.ones(2, 2)[:, torch.tensor([0])],
    "written": lambda: written(0, torch.tensor(1.0)),
    "written at": lambda: written(torch.tensor([0]), 1.0),
    "in": lambda: T in M,
    "a gradient": lambda: setattr(minigrad.ones(2, requires_grad=True), "grad", T),
    "data": lambda: setattr(minigrad.ones(2), "data", T),
    "a tensor that requires grad": lambda: minigrad.tensor(torch.ones(2, requires_grad=True)),
    "in a list": lambda: minigrad.stack([M, T]),
    "a type": lambda: minigrad.zeros(2, dtype=torch.float32),
    "a type of a method": lambda: M.to(torch.float64),
    "a device": lambda: minigrad.zeros(2, device=torch.device("cpu")),
    "a generator": lambda: minigrad.randn(2, generator=torch.Generator()),
    "a model": lambda: minigrad.nn.Linear(2, 2)(torch.ones(1, 2)),
    "a program's own model, by name": lambda: Net()(M, scale=T),
    "a recurrent layer": lambda: minigrad.nn.LSTM(2, 3)(torch.ones(4, 1, 2)),
    "a module inside": lambda: minigrad.nn.Sequential(torch.nn.Linear(2, 2)),
    "a module in a list": lambda: minigrad.nn.ModuleList([torch.nn.Linear(2, 2)]),
    "a parameter": lambda: minigrad.nn.Parameter(T),
    "a parameter assigned": lambda: assigned("weight"),
    "parameters": lambda: minigrad.optim.SGD(torch.nn.Linear(2, 2).parameters()),
    "groups of parameters": lambda: minigrad.optim.Adam([{"params": [T]}]),
    "an optimizer": lambda: minigrad.optim.lr_scheduler.StepLR(torch.optim.SGD([torch.ones(2, requires_grad=True)]), 1),
    "clipping": lambda: minigrad.nn.utils.clip_grad_norm_(torch.nn.Linear(2, 2).parameters(), 1.0),
    "batches": lambda: next(iter(minigrad.utils.data.DataLoader([(T, 1)]))),
    "batches of the other's data": lambda: next(
        iter(minigrad.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(4, 2))))
    ),
    "a function of one's own": lambda: Cube.apply(T),
    "a graph": lambda: minigrad.autograd.grad(LOSS, [M]),
    "a transform": lambda: minigrad.func.grad(lambda x: x.sum())(T),
    "a batched function": lambda: minigrad.func.vmap(lambda x: x * 2)(T),
    "compiled": lambda: minigrad.compile(lambda x: minigrad.relu(x))(T),
    "viz.text": lambda: viz.text(LOSS),
    "viz.dot": lambda: viz.dot(LOSS),
    "viz.svg": lambda: viz.svg(LOSS),
    "viz.page of what a function returns": lambda: viz.page(lambda: LOSS),
    "viz.watch": lambda: viz.watch(torch.nn.Linear(2, 2)),
    "viz.watch's data": watched,
    "saved": lambda: minigrad.save({"t": T}, "nowhere"),
    "compared": lambda: minigrad.testing.assert_close(M, T),
    "PyTorch's function": lambda: torch.relu(M),
    "PyTorch's layer": lambda: torch.nn.Linear(2, 2)(minigrad.ones(1, 2)),
    "PyTorch's list": lambda: torch.stack([T, M]),
    "PyTorch's key": lambda: T[minigrad.tensor([0])],
    "a layer of PyTorch's in a model": lambda: setattr(Net(), "inner", torch.nn.Linear(2, 2)),
    "a layer derived from PyTorch's": lambda: setattr(Net(), "inner", type("Own", (torch.nn.Linear,), {})(2, 2)),
    "a loss of PyTorch's in a model": lambda: setattr(Net(), "loss", torch.nn.MSELoss()),
    "a parameter of PyTorch's in a model": lambda: setattr(Net(), "scale", torch.nn.Parameter(T)),
    "a buffer of PyTorch's in a model": lambda: setattr(Net(), "mean", torch.nn.Buffer(T)),
    "a module inserted": lambda: minigrad.nn.Sequential().insert(0, torch.nn.ReLU()),
    "a module inserted in a list": lambda: minigrad.nn.ModuleList().insert(0, torch.nn.ReLU()),
    "a module in a dict": lambda: minigrad.nn.ModuleDict().update({"a": torch.nn.ReLU()}),
    "a tensor in a list of parameters": lambda: minigrad.nn.ParameterList().append(T),
    "a tensor in a dict of parameters": lambda: minigrad.nn.ParameterDict().setdefault("a", T),
    "a compiled module": lambda: minigrad.compile(torch.nn.Linear(2, 2)),
}


@pytest.mark.parametrize("name", CALLS)
def test_each_names_both_engines(name):
    with pytest.raises((TypeError, ValueError, RuntimeError, IndexError)) as error:
        CALLS[name]()
    assert names_both(error.value), error.value


def test_what_pytorch_would_not_register_may_be_kept():
    """A teacher's tensor, its optimizer, a list: PyTorch's own modules do not look into them either."""
    net = Net()
    net.seen, net.optimizer, net.teachers = T, torch.optim.SGD([torch.ones(2, requires_grad=True)]), [torch.nn.ReLU()]
    assert not net.state_dict()
    assert not list(net.children())


def test_what_is_taken():
    assert minigrad.tensor(T).tolist() == minigrad.tensor([T, T])[0].tolist() == [1.0, 1.0]
    assert torch.tensor(M).tolist() == torch.as_tensor(M).tolist() == torch.from_dlpack(M).tolist() == [1.0, 1.0]
    theirs, ours = torch.nn.Linear(2, 3), minigrad.nn.Linear(2, 3)
    ours.load_state_dict(theirs.state_dict())
    assert ours.weight.tolist() == theirs.weight.tolist()


def test_an_error_of_the_programs_own_stays_as_it_is():
    class Converts(minigrad.nn.Module):
        def forward(self, t):
            return minigrad.tensor(t.numpy()).reshape(3)

    with pytest.raises(RuntimeError, match="shape") as error:
        Converts()(T)
    assert "PyTorch" not in str(error.value)
    with pytest.raises(TypeError, match="missing"):
        Net()()


@pytest.mark.parametrize("given", [torch.nn.Linear(2, 2), minigrad.nn.Linear(2, 2)])
def test_parity_says_why_a_module_does_not_run(given):
    with pytest.raises(parity.Unanswerable, match=r"the module does not run\.\n.*missing 1 required"):
        parity.check(given)
    assert parity.check(given, np.ones((1, 2)))


@pytest.mark.parametrize("function", [parity.check, parity.page, parity.compare_runs])
def test_parity_wants_a_function(function, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TypeError, match=rf"parity.{function.__name__}\(\) takes a function.* not torch.Tensor"):
        function(T)


def test_parity_names_the_engine_of_what_a_program_returns(tmp_path):
    for engine, other in ((torch, "minigrad"), (minigrad, "PyTorch")):
        with pytest.raises(TypeError, match=f"run in {other} it returned {engine.__name__}.Tensor"):
            parity.page(lambda t, engine=engine: engine.ones(2, requires_grad=True).sum(), tmp_path / "page.html")


def test_other_engines_are_known_by_name_alone():
    """Neither minigrad nor its errors import PyTorch; tensors of JAX and TensorFlow are told too."""
    program = """
import sys, types, minigrad
for package, engine in (("torch", "PyTorch"), ("jaxlib._jax", "JAX"), ("tensorflow.python", "TensorFlow")):
    Tensor = type("Tensor", (), {"__module__": package, "__array__": lambda self, *more: None})
    try:
        minigrad.relu(Tensor())
    except TypeError as error:
        assert engine in str(error) and "minigrad.tensor(" in str(error), error
    else:
        raise AssertionError
assert not {"torch", "jax", "tensorflow"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
