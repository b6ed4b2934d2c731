"""One place reads arguments: what annotations say is held, PyTorch's spellings and `out=` are taken, mistakes are named."""

import functools
import importlib
import inspect
import linecache
import pickle
import traceback
import warnings

import numpy as np
import pytest
import torch

import minigrad
from minigrad import out, signature
from minigrad.public import FUNCTIONAL, MINIGRAD

ENGINES = (torch, minigrad)
FUNCTIONS = {**{f"F.{n}": f for n, f in FUNCTIONAL.items()}, **MINIGRAD}
METHODS = {n: f for n, f in vars(minigrad.Tensor).items() if inspect.isfunction(f) and not n.startswith("_")}
# Annotations of what a function reads itself.
READ_THERE = {"Any", "Unpack", "object"}


def outcome(engine, call):
    """The error's class, or the result's type and values."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = call(engine)
    except Exception as error:
        return type(error).__name__
    return [(str(r.dtype).partition(".")[2], tuple(r.shape), np.round(r.tolist(), 6).tolist()) for r in (result if isinstance(result, tuple) else (result,))]  # fmt: skip


def test_every_public_function_is_read():
    for name, function in FUNCTIONS.items():
        assert hasattr(function, "__wrapped__"), name
    for name, method in METHODS.items():
        if len(inspect.signature(method).parameters) > 1:
            assert method.__code__.co_filename == signature.__file__ or method.__code__.co_filename.startswith(
                "<the reader"
            ), name


def test_every_annotation_is_of_a_known_kind():
    unknown = set()
    for name, function in {**FUNCTIONS, **METHODS}.items():
        for p in inspect.signature(function).parameters.values():
            if p.annotation is p.empty or p.kind is p.VAR_KEYWORD:
                continue
            for word in signature._words(p.annotation):
                inner = signature._words(word[word.index("[") + 1 : -1]) if "[" in word else [word]
                if word.partition("[")[0] in READ_THERE | {"Callable", "Iterable"}:
                    continue
                unknown |= {
                    (name, w) for w in inner if w not in {*signature.KINDS, *signature.UNIONS, *READ_THERE, "..."}
                }
    assert unknown == set()


@pytest.mark.parametrize("name", sorted(n for n in MINIGRAD if n in out.RULES))
def test_pytorch_has_out_too(name):
    """A function that took out= alone would be minigrad's own; PyTorch says of those that have none that it is unexpected."""
    with pytest.raises((TypeError, RuntimeError)) as caught:
        getattr(torch, name)(torch.ones(2, 2), torch.ones(2, 2), torch.ones(2, 2), out=torch.ones(2, 2), no_such=1)
    assert "argument 'out'" not in str(caught.value)


BAD = {
    "a number for a tensor": lambda t: t.sin(3),
    "an array for a tensor": lambda t: t.sin(np.ones(3)),
    "None for a tensor": lambda t: t.sum(None),
    "a list for a tensor": lambda t: t.ones(2).add([1, 2]),
    "nothing": lambda t: t.sin(),
    "one too many": lambda t: t.sin(t.ones(2), t.ones(2)),
    "no such name": lambda t: t.sin(t.ones(2), nonsense=1),
    "twice": lambda t: t.sum(t.ones(2), 0, dim=0),
    "twice, by another spelling": lambda t: t.sum(t.ones(2), 0, axis=0),
    "a word for a dimension": lambda t: t.ones(2).sum("a"),
    "a truth for a dimension": lambda t: t.ones(2).cumsum(True),
    "a float for a dimension": lambda t: t.ones(2).softmax(0.0),
    "a number for a truth": lambda t: t.ones(2).sum(0, keepdim=1),
    "a truth of NumPy": lambda t: t.ones(2, 3).sum(1, np.bool_(True)),
    "a word for a truth": lambda t: t.ones(2).sum(0, keepdim="False"),
    "sizes one by one": lambda t: t.reshape(t.ones(6), 2, 3),
    "one size alone": lambda t: t.reshape(t.ones(6), 6),
    "a float among sizes": lambda t: t.ones(6).reshape(2.0, 3),
    "a number among tensors": lambda t: t.cat([t.ones(2), 3]),
    "a number for two": lambda t: t.histogram(t.ones(2), 3, range=1.0),
    "one number for two": lambda t: t.histogram(t.ones(2), 3, range=(1.0,)),
    "a number for a generator": lambda t: t.randn(2, generator=3),
    "a word for a dtype": lambda t: t.ones(2).sum(dtype="float32"),
    "out that is no tensor": lambda t: t.sin(t.ones(2), out=3),
    "out of a method": lambda t: t.ones(2).add(1, out=t.ones(2)),
    "out that cannot hold it": lambda t: t.sin(t.ones(2), out=t.ones(2).long()),
    "out with a gradient": lambda t: t.sin(t.ones(2), out=t.ones(2, requires_grad=True)),
    "out of an input with a gradient": lambda t: t.sin(t.ones(2, requires_grad=True), out=t.ones(2)),
    "out of one for two": lambda t: t.max(t.ones(2), 0, out=t.ones(())),
    "out of another type": lambda t: t.mm(t.ones(2, 2), t.ones(2, 2), out=t.ones(2, 2).double()),
    "out of many places that are one": lambda t: t.sin(t.ones(2), out=t.ones(1).expand(2)),
}


@pytest.mark.parametrize("name", BAD)
def test_mistakes_are_refused_as_by_pytorch(name):
    theirs, ours = (outcome(engine, BAD[name]) for engine in ENGINES)
    assert isinstance(theirs, str)
    assert ours == theirs


GOOD = {
    "axis": lambda t: t.sum(t.ones(2, 3), axis=1, keepdims=True),
    "axis of a method": lambda t: t.ones(2, 3).softmax(axis=1),
    "x": lambda t: t.sin(x=t.ones(2)),
    "x1, x2": lambda t: t.add(x1=t.ones(2), x2=t.ones(2)),
    "a": lambda t: t.tanh(a=t.ones(2)),
    "a size by name": lambda t: t.ones(6).reshape(shape=(2, 3)),
    "whole numbers of NumPy": lambda t: t.ones(2, 3).sum(np.int64(1)),
    "a tensor for a dimension": lambda t: t.ones(2, 3).sum(t.tensor(1)),
    "a tensor among sizes": lambda t: t.ones(6).reshape(t.tensor(2), 3),
    "a tensor for a number": lambda t: t.ones(2).add(t.ones(2), alpha=t.tensor(2.0)),
    "out": lambda t: t.add(t.ones(2), 1, out=t.zeros(2)),
    "out, wider": lambda t: t.sin(t.ones(2), out=t.zeros(2, dtype=t.float64)),
    "out, empty": lambda t: t.sin(t.ones(2), out=t.zeros(0)),
    "out, resized": lambda t: t.sin(t.ones(2), out=t.zeros(3, 4)),
    "out of two": lambda t: t.max(t.ones(2, 3), 1, out=(t.zeros(2), t.zeros(2).long())),
    "sizes one by one, of a method": lambda t: t.ones(3).broadcast_to(2, 3),
    "out says the type": lambda t: t.sum(t.ones(3).long(), 0, out=t.zeros((), dtype=t.float64)),
    "out says the type of numbers": lambda t: t.zeros(2, out=t.ones(2, dtype=t.int64)),
    "out of None": lambda t: t.sin(t.ones(2), out=None),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_pytorch_takes_is_taken(name):
    theirs, ours = (outcome(engine, GOOD[name]) for engine in ENGINES)
    assert not isinstance(theirs, str)
    assert ours == theirs


def test_out_is_returned_and_may_be_an_input():
    for engine in ENGINES:
        x = engine.arange(4.0)
        assert engine.exp(x, out=x) is x
        assert x[0] == 1
        values, indices = engine.zeros(2), engine.zeros(2, dtype=engine.int64)
        found = engine.max(engine.arange(4.0).reshape(2, 2), 1, out=(values, indices))
        assert found.values is values
        assert found.indices is indices
        assert values.tolist() == [1, 3]
        base = engine.zeros(6)
        engine.neg(engine.ones(2), out=base[:2])
        assert base.tolist() == [-1, -1, 0, 0, 0, 0]


def test_out_is_noticed_by_backward():
    """Memory that an operation saved is overwritten."""
    for engine in ENGINES:
        w, x = engine.ones(2, requires_grad=True), engine.ones(2)
        y = (w * x).sum()
        engine.exp(engine.ones(2), out=x)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward()


def test_the_warning_of_a_resized_out_is_pytorchs():
    said = []
    for engine in ENGINES:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            engine.sin(engine.ones(2), out=engine.zeros(3))
        said.append([(str(w.message).partition(".")[0], w.category, w.filename) for w in caught])
    assert said[1] == said[0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: minigrad.sum(minigrad.ones(2), "a"), ["sum()", "'dim' (position 2)", "int", "not str"]),
        (
            lambda: minigrad.ones(2).sum(0, keepdim="False"),
            ["sum()", "'keepdim' (position 2)", "must be bool", "not str"],
        ),
        (lambda: minigrad.cat([minigrad.ones(2), 3]), ["cat()", "'tensors'", "tuple of Tensors", "(Tensor, int)"]),
        (lambda: minigrad.sin(minigrad.ones(2), nonsense=1), ["sin()", "unexpected keyword argument 'nonsense'"]),
        (lambda: minigrad.sin(), ["sin()", "missing", '"input"']),
        (lambda: minigrad.ones(2).cumsum(minigrad.ones(2)), ["cumsum()", "'dim'", "shape [2]", "float32"]),
    ],
)
def test_errors_name_function_argument_given_and_wanted(call, words):
    with pytest.raises(TypeError) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


def test_readers_read_well():
    assert list(inspect.signature(minigrad.sum).parameters) == ["input", "dim", "keepdim", "dtype"]
    assert "PyTorch: torch.sum" in minigrad.sum.__doc__
    assert "class Sum" not in inspect.getsource(minigrad.sum)
    assert "def sum(input" in inspect.getsource(minigrad.sum)
    for function in (minigrad.sum, minigrad.nn.functional.relu, minigrad.nn.functional.gelu, minigrad.Tensor.sum):
        assert pickle.loads(pickle.dumps(function)) is function
    with pytest.raises(TypeError) as caught:
        minigrad.sum(minigrad.ones(2), "a")
    lines = [linecache.getline(f.filename, f.lineno) for f in traceback.extract_tb(caught.tb)]
    assert any("return _read(" in line for line in lines)


def test_classes_of_the_users_own_are_tensors():
    class Mine(minigrad.Tensor):
        pass

    x = Mine([1.0, 2.0])
    assert minigrad.sum(x).item() == 3
    assert minigrad.nn.functional.linear(minigrad.ones(1, 2), minigrad.nn.Parameter(minigrad.ones(1, 2))).item() == 2


ROOMS = ("special", "fft", "linalg", "func", "nn.init", "nn.utils", "nn.utils.rnn", "nn.utils.parametrizations",
         "nn.utils.parametrize", "nn.utils.prune", "nn.utils.fusion", "autograd", "autograd.functional", "utils.data",
         "optim.swa_utils")  # fmt: skip


@pytest.mark.parametrize("room", ROOMS)
def test_functions_of_every_room_are_read(room):
    importlib.import_module(f"minigrad.{room}")
    module = functools.reduce(getattr, room.split("."), minigrad)
    home = module.__name__
    listed = {
        n: f for n, f in vars(module).items()
        if inspect.isfunction(f) and not n.startswith("_") and (f.__module__ == home or n in getattr(module, "__all__", ()))
    }  # fmt: skip
    assert len(listed) >= 2
    for name, function in listed.items():
        assert hasattr(function, "reads"), name


def test_optimizers_and_schedulers_are_made_by_readers():
    rooms = (minigrad.optim, minigrad.optim.lr_scheduler)
    classes = {c for room in rooms for c in vars(room).values() if isinstance(c, type) and "__init__" in vars(c)}
    classes = {
        c for c in classes if c.__module__.startswith("minigrad.optim.") and c.__module__ != "minigrad.optim.optimizer"
    }
    assert len(classes) > 25
    for cls in classes:
        assert hasattr(cls.__init__, "reads"), cls


@pytest.mark.parametrize(
    "name", ["function", "read", "tensors", "sequences", "rest", "more", "named", "missing", "special"]
)
def test_a_parameter_may_have_any_name(name):
    """The reader's own names do not meet it: one of `checkpoint`'s is called function."""
    made = {}
    exec(f"def f({name}: int, other: int = 3, *, last: float = 1.0): return {name} + other + last", made)
    f = signature.reader(made["f"], "function", "nowhere")
    assert f(2) == f(2, 3) == f(**{name: 2}) == f(np.int64(2), last=1) == 6
    with pytest.raises(TypeError, match=f"argument '{name}' .* must be int, not str"):
        f("a")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: minigrad.func.grad(3), ["grad()", "'func'", "must be callable, not int"]),
        (
            lambda: minigrad.nn.utils.clip_grad_norm_(3, 1.0),
            ["clip_grad_norm_()", "'parameters'", "iterable", "not int"],
        ),
        (
            lambda: minigrad.nn.utils.parametrizations.weight_norm(3),
            ["weight_norm()", "'module'", "must be Module, not int"],
        ),
        (lambda: minigrad.optim.Adam([minigrad.ones(2)], eps="a"), ["Adam()", "'eps'", "must be float, not str"]),
        (
            lambda: minigrad.optim.Adam([minigrad.ones(2)], betas=("a", 0.9)),
            ["Adam()", "'betas'", "tuple of (str, float)"],
        ),
        (lambda: minigrad.nn.GRUCell(2, 3)(1), ["GRUCell()", "'input'", "must be Tensor, not int"]),
    ],
)
def test_rooms_name_what_is_wanted(call, words):
    with pytest.raises(TypeError) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


def test_warnings_of_what_is_read_point_at_the_program():
    for make in (
        lambda e: e.optim.SGD([p := e.ones(2), p], lr=0.1),
        lambda e: e.nn.utils.clip_grad_norm([e.ones(2)], 1.0),
        lambda e: e.nn.utils.weight_norm(e.nn.Linear(2, 2)),
        lambda e: e.nn.init.normal(e.ones(2)),
        lambda e: e.utils.data.random_split([1, 2], [0.9, 0.1]),
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            make(minigrad)
        assert [w.filename for w in caught] == [__file__]


HOMES = {"minigrad": "torch", "minigrad.nn.functional": "torch.nn.functional", "minigrad.linalg": "torch.linalg", "minigrad.special": "torch.special"}  # fmt: skip


@pytest.mark.parametrize("home", HOMES)
def test_second_names_are_taken_where_pytorch_did_not_write_the_function_in_python(home):
    """`axis=` for `dim=`, `x=` for `input=`: its reader of arguments knows them, its Python code does not."""
    theirs, seen = importlib.import_module(HOMES[home]), 0
    for name, ours in vars(importlib.import_module(home)).items():
        function = getattr(theirs, name, None)
        if (
            function is None
            or not hasattr(ours, "reads")
            or signature.SPELLINGS.keys().isdisjoint(inspect.signature(ours).parameters)
        ):
            continue
        seen += 1
        in_python = inspect.isfunction(function) or not callable(function)
        assert signature.written_in_python(name, "function", home) == in_python, name
    assert seen > 5


def test_a_word_of_python_is_given_in_a_dictionary():
    """`uniform_(from=0)` cannot be written; another name in its place is refused, as PyTorch does."""
    for engine in ENGINES:
        engine.manual_seed(0)
        x = engine.empty(3).uniform_(**{"from": 1.0, "to": 2})
        assert ((x >= 1) & (x < 2)).all()
        with pytest.raises(TypeError, match=r"uniform_\(\) got an unexpected keyword argument 'from_'"):
            x.uniform_(from_=1.0)


SAID_TWICE = {
    "sum": lambda T, x: T.sum(x, 0, False, keepdims=True),
    "logsumexp": lambda T, x: T.special.logsumexp(x, 0, False, keepdims=True),
    "a method": lambda T, x: x.mean(0, False, keepdims=True),
    "None": lambda T, x: T.argmax(x, None, axis=1),
    "a number": lambda T, x: T.diff(x, 1, -1, axis=0),
    "an empty tuple": lambda T, x: T.amax(x, (), axis=1),
    "in nn.functional": lambda T, x: T.nn.functional.cosine_similarity(x, x, 1, axis=0),
    "in linalg": lambda T, x: T.linalg.norm(x, None, None, axis=1),
}


@pytest.mark.parametrize("name", SAID_TWICE)
def test_an_argument_that_is_given_by_two_names_is_refused(name):
    """Also where one of them is given what it would be anyway."""
    for engine in ENGINES:
        with pytest.raises(TypeError):
            SAID_TWICE[name](engine, engine.ones(2, 3))
