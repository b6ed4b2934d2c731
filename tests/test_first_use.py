"""The first use of a compiled loop: what waits for it, what takes NumPy's form meanwhile, and that no number shows when that was."""

import ast
import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad
from minigrad import random, sampling
from minigrad.autograd import fused
from minigrad.autograd.variable import Variable
from minigrad.ops import at

pytest.importorskip("numba")
F = minigrad.nn.functional
SPECIAL = [0.0, -0.0, np.nan, -np.nan, np.inf, -np.inf, 1e-45, -1e-45]


def below(cls):
    for c in cls.__subclasses__():
        yield c
        yield from below(c)


def pools(x):
    """Max pooling of windows of every kind: side by side, with gaps, in padding, that overlap."""
    for kernel, stride, padding, dilation in itertools.product((1, 2, (3, 2)), (1, 2, 3, (2, 4)), (0, 1), (1, 2)):
        if padding <= np.min(kernel) / 2:
            yield F.max_pool2d(x, kernel, stride, padding, dilation)
    yield F.max_pool1d(x[0], 3, 3, 1)
    yield F.max_pool2d(x, 2, 2, ceil_mode=True)


OPERATIONS = {
    "elementwise.Relu": lambda x: iter([F.relu(x), F.relu(x.transpose(1, 2)), F.relu(x[:, ::2])]),
    "pool.MaxPool": pools,
}
WITHOUT_CONDITION = {"pool.MaxPool"}  # the same bits for all that they serve


# On an array of shape (6, 5, 7), with an index of one dimension and one of as many as the array has, both among 5.
AT_PLACES = {
    "scatter.read_entries": lambda x, entries, each: at.read_entries(x, 1, entries),
    "scatter.read_along": lambda x, entries, each: at.read_at(x, at.grid_key(each, 1)),
    "scatter.add_entries": lambda x, entries, each: at.add_at(x, (slice(None), entries), x[:, entries][:, ::-1]),
    "scatter.add_along": lambda x, entries, each: at.add_at(x, at.grid_key(each, 1), x[:, [0, 1, 1, 4, 3, 2, 2, 0, 1]]),
}


def waiting():
    """The compiled forms that wait until they are worth compiling: by their operation's word, and by a third argument."""
    found = {c.compiled for c in below(fused.Fused) if c.compiled and c.same_bits is not fused.Fused.same_bits}
    for path in Path(minigrad.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            asked = isinstance(call, ast.Call) and ast.unparse(call.func) == "compiled_form"
            if asked and len(call.args) + len(call.keywords) == 3 and isinstance(call.args[0], ast.Constant):
                found.add(call.args[0].value)
    return found


def test_each_that_waits_is_tested():
    assert waiting() == {*OPERATIONS, *AT_PLACES, "swaps.swapped", "pairs.box_muller"}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_waits_gives_the_same_bits_in_both_forms(name, dtype, monkeypatch):
    """And the same strides, forward and backward; what says that it does not is not asked."""
    said = []
    (cls,) = {c for c in below(fused.Fused) if c.compiled == name and c.__module__.startswith("minigrad.ops")}
    original = cls.same_bits
    monkeypatch.setattr(cls, "same_bits", staticmethod(lambda *given: said.append(original(*given)) or said[-1]))

    def values(form):
        rng = np.random.default_rng(1)
        a = rng.standard_normal((3, 4, 11, 9)).astype(dtype)
        a[rng.random(a.shape) < 0.2] = rng.choice(SPECIAL, 1)
        a.reshape(-1)[: 4 * len(SPECIAL)] = np.repeat(SPECIAL, 4).astype(dtype)
        x = minigrad.from_numpy(a).requires_grad_()
        found = []
        with minigrad.use_kernels(form):
            outs = OPERATIONS[name](x)
            while (out := next(outs, None)) is not None:
                grad = rng.standard_normal(out.shape).astype(dtype)
                grad.reshape(-1)[: len(SPECIAL)] = np.array(SPECIAL, dtype)[: grad.size]
                (dx,) = minigrad.autograd.grad(out, x, minigrad.from_numpy(grad))
                found.append((out.stride(), out.detach().numpy().tobytes(), dx.stride(), dx.numpy().tobytes()))
        return found

    compiled, numpy = values("compiled"), values("numpy")
    assert len(said) == len(compiled)
    assert {*said} == ({True} if name in WITHOUT_CONDITION else {True, False})
    for same, a, b in zip(said, compiled, numpy, strict=True):
        assert not same or a == b


@pytest.mark.parametrize("name", AT_PLACES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_places_are_read_and_added_to_with_the_same_bits_in_both_forms(name, dtype, monkeypatch):
    asked = []
    original = at.compiled_form
    monkeypatch.setattr(at, "compiled_form", lambda *given: asked.append((given[0], f := original(*given))) or f)
    rng = np.random.default_rng(2)
    entries, each = rng.integers(0, 5, 9), rng.integers(0, 5, (6, 9, 7))
    found = []
    for form in ("numpy", "compiled"):
        x = np.random.default_rng(1).standard_normal((6, 5, 7)).astype(dtype)
        x.reshape(-1)[: len(SPECIAL) * 9 : 9] = np.array(SPECIAL, dtype)
        with minigrad.use_kernels(form), np.errstate(all="ignore"):
            out = AT_PLACES[name](x, entries, each)
        found.append(x if out is None else out)
    assert [f for n, f in asked if n == name and f is not None] == [f for _, f in asked[-1:]], (
        "once, in the second form"
    )
    one, other = found
    nan = np.isnan(one)
    assert (nan == np.isnan(other)).all()
    assert one[~nan].tobytes() == other[~nan].tobytes()


def test_draws_are_the_same_in_both_forms():
    for n in (1, 100, 5000):
        drawn = np.random.default_rng(n).integers(0, 1 << 32, n, np.uint32)
        with minigrad.use_kernels("compiled"):
            swaps, pairs = sampling._fast_swaps(n), sampling._fast_pairs(n)
        assert swaps(drawn).tobytes() == random.swapped(drawn).tobytes()
        u = np.random.default_rng(n).random((2, n, 8), np.float32)
        assert pairs(1 - u[0], u[1]).tobytes() == np.ascontiguousarray(random._box_muller_32(1 - u[0], u[1])).tobytes()


def trained():
    """The bits that a training of five steps leaves, which meets everything that waits."""
    minigrad.manual_seed(0)
    nn = minigrad.nn
    model = nn.Sequential(
        nn.Linear(20, 600), nn.ReLU(), nn.Unflatten(1, (6, 10, 10)), nn.MaxPool2d(3, 2, 1), nn.Flatten(),
        nn.Linear(150, 3),
    )  # fmt: skip
    optimizer = minigrad.optim.SGD(model.parameters(), lr=0.1)
    x = minigrad.randn(600, 20)
    for _ in range(5):
        order = minigrad.randperm(600)
        optimizer.zero_grad()
        F.cross_entropy(model(x[order]), order % 3).backward()
        optimizer.step()
    return [p.detach().numpy().tobytes() for p in model.parameters()]


def test_no_number_shows_when_a_loop_was_compiled(monkeypatch):
    """At once, never, or anywhere between: the same program with the same seed leaves the same bits."""
    monkeypatch.setattr(fused, "_kept", lambda name: False)  # else what lies on the disk would always be taken
    found = []
    for compiling in (0, 1 << 17, 1 << 19, 1 << 20, 1 << 40):
        monkeypatch.setattr(fused, "COMPILING", compiling)
        monkeypatch.setattr(fused, "_done_by_numpy", {})
        found.append(trained())
    assert all(bits == found[0] for bits in found)


def test_the_wait_ends_when_numpy_has_worked_as_long_as_compiling_takes(monkeypatch):
    monkeypatch.setattr(fused, "COMPILING", 3 << 16)
    monkeypatch.setattr(fused, "_done_by_numpy", {})
    monkeypatch.setattr(fused, "_kept", lambda name: False)

    def compiled(function, x):
        return type(function(x)._edge[0]).__module__.startswith("minigrad.kernels")

    x = minigrad.randn(1, 1 << 16).reshape(1, 1, 256, 256).requires_grad_()
    for setting in ((2,), (3, 2)):  # side by side, and with windows that overlap
        fused._done_by_numpy.clear()
        pooled = [compiled(lambda x, setting=setting: F.max_pool2d(x, *setting), x) for _ in range(5)]
        assert pooled == [False, False, False, True, True]
    fused._done_by_numpy.clear()
    assert compiled(lambda x: F.softmax(x, -1), x)  # its sums round otherwise, so it never waits
    with minigrad.use_kernels("compiled"):
        assert compiled(lambda x: F.max_pool2d(x, 2), x)
    assert isinstance(x, Variable)


def test_what_lies_on_the_disk_does_not_wait(tmp_path):
    """A loop that an earlier process compiled is taken at once, if Numba has been loaded for something else."""
    code = """
import sys
import minigrad as torch
F = torch.nn.functional
x = torch.randn(1, 1, 256, 256).requires_grad_()
def compiled():
    return type(F.max_pool2d(x, 2)._edge[0]).__module__.startswith("minigrad.kernels")
def load_numba():
    with torch.use_kernels("compiled"):
        F.softmax(x.detach(), -1)
said = [compiled()]
load_numba()
said.append(compiled())
with torch.use_kernels("compiled"):
    said.append(compiled())
print(said)
"""
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "MINIGRAD_KERNELS": ""}
    for expected in ("[False, False, True]", "[False, True, True]"):
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == expected


def test_a_first_use_compiles_only_what_rounds_otherwise(tmp_path):
    """In a fresh process with an empty cache; and nothing of Numba is imported for what waits."""
    code = """
import sys
import minigrad as torch
F = torch.nn.functional
x = torch.randn(64, 8, 28, 28).requires_grad_()
F.max_pool2d(F.relu(x), 2).sum().backward()
F.max_pool2d(x, 3, 2, 1).sum().backward()
torch.randperm(5000)
assert "numba" not in sys.modules
"""
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "MINIGRAD_KERNELS": ""}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.rglob("*.kernel"))


def test_what_kernels_alone_call_is_compiled_without_what_calls_it_from_python():
    """Converting arguments takes longer to compile than most of these functions."""
    dispatcher = pytest.importorskip("numba.core.dispatcher").Dispatcher
    compiled = pytest.importorskip("minigrad.kernels.compiled")
    files = {sys.modules[kernel.__module__] for kernel in compiled.all_kernels().values()} | {
        module for name, module in sys.modules.items() if name.startswith("minigrad.kernels.")
    }
    found = {f"{file.__name__}.{name}": value for file in files for name, value in vars(file).items()}
    called = {name: value.targetoptions for name, value in found.items() if isinstance(value, dispatcher)}
    assert len(called) > 50
    left = [
        name for name, options in called.items()
        if not (options.get("no_cpython_wrapper") and options.get("no_cfunc_wrapper"))
    ]  # fmt: skip
    assert not left
