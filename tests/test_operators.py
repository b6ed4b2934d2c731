"""What Python's operators and built-in functions do with minigrad's objects is what they do with PyTorch's: special methods.

One that a class lacks fails in no obvious way: without `__iand__` Python makes `x &= y` a new tensor, and a view of x keeps its values.
"""

import functools
import operator

import pytest
import torch

import minigrad

CLASSES = (
    "Tensor", "Size", "Generator", "nn.Parameter", "nn.Module", "nn.Sequential", "nn.ModuleList", "nn.ModuleDict", "nn.ParameterList",
    "nn.ParameterDict", "optim.Optimizer", "optim.SGD", "utils.data.DataLoader", "utils.data.Dataset", "utils.data.IterableDataset",
    "utils.data.TensorDataset", "utils.data.Subset", "utils.data.ConcatDataset", "utils.data.ChainDataset", "utils.data.Sampler",
    "distributions.Normal",
)  # fmt: skip
# What of PyTorch's is not there, and why nothing is missed.
ABSENT = {
    "__array_wrap__": "NumPy's functions refuse a tensor, which they would take out of the graph without a word",
    "__complex__": "Python asks __float__",
    "__cuda_array_interface__": "there is no GPU",
    "__dlpack_c_exchange_api__": "of C++",
    "__setstate__": "a copy and a pickle are made by __reduce_ex__",
    "__torch_dispatch__": "of PyTorch's dispatcher",
    **dict.fromkeys(("__annotations__", "__orig_bases__", "__parameters__", "__slots__"), "how the class is written"),
    "__abstractmethods__": "how the class is written",
}
IN_PLACE = (
    "iadd",
    "isub",
    "imul",
    "itruediv",
    "ifloordiv",
    "imod",
    "ipow",
    "iand",
    "ior",
    "ixor",
    "ilshift",
    "irshift",
)
REFLECTED = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and_", "or_", "xor", "lshift", "rshift")
TYPES = ("bool", "uint8", "int8", "int32", "int64", "float32", "float64")


def special(engine, name):
    cls = functools.reduce(getattr, name.split("."), engine)
    return {n for n in dir(cls) if n.startswith("__") and n.endswith("__")}


@pytest.mark.parametrize("name", CLASSES)
def test_each_special_method_is_there(name):
    assert special(torch, name) - special(minigrad, name) <= set(ABSENT)


def test_what_is_absent_is_absent_somewhere():
    assert set(ABSENT) == {m for name in CLASSES for m in special(torch, name) - special(minigrad, name)}


def outcome(engine, compute):
    """What comes of it, as plain values; of an error that there is one, and whether it is one of types."""
    try:
        return compute(engine)
    except Exception as error:
        return "error", isinstance(error, TypeError)


def plain(x):
    return str(x.dtype).rpartition(".")[2], x.tolist()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", IN_PLACE)
def test_an_operator_in_place_writes_the_tensor(name, dtype):
    """Whoever else holds it, or a view of it, sees the new values; and what cannot be written raises."""
    for other in (2, True, 2.5, *TYPES):

        def compute(engine, other=other):
            x = engine.tensor([[5, 6, 7], [1, 0, 3]]).to(getattr(engine, dtype))
            held, view = x, x[0]
            if isinstance(other, str):
                other = engine.tensor([1, 2, 3]).to(getattr(engine, other))
            x = getattr(operator, name)(x, other)
            return plain(x), x is held, plain(view)

        assert outcome(minigrad, compute) == outcome(torch, compute), other


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", REFLECTED)
def test_a_number_may_stand_before_the_operator(name, dtype):
    for other in (2, 0, -1, True, 2.5):
        if name == "pow" and dtype == "bool" and other is True:
            continue  # PyTorch has no loop for it; minigrad's True ** x is all True

        def compute(engine, other=other):
            x = engine.tensor([[5, 6, 7], [1, 2, 3]]).to(getattr(engine, dtype))
            return plain(getattr(operator, name)(other, x))

        assert outcome(minigrad, compute) == outcome(torch, compute), other


@pytest.mark.parametrize("name", ["ifloordiv", "imod"])
def test_a_leaf_is_not_overwritten(name):
    def leaf(engine):
        return getattr(operator, name)(engine.ones(2, requires_grad=True), 2)

    assert outcome(torch, leaf) == outcome(minigrad, leaf) == ("error", False)


def test_what_was_written_has_a_gradient():
    def result(engine):
        x, n = engine.tensor([5.0, 7.5], requires_grad=True), engine.tensor([2.0, 4.0], requires_grad=True)
        y = x * 1
        y %= n
        y.sum().backward()
        return plain(y), plain(x.grad), plain(n.grad)

    assert outcome(minigrad, result) == outcome(torch, result)


def test_a_compiled_step_writes_the_tensor_too():
    def counted(wrap):
        mask, seen = minigrad.tensor([True, True, False]), []

        def step(x):
            nonlocal mask
            mask &= x > 0
            return (x * mask).sum()

        step, held = wrap(step), mask
        for k in range(4):
            seen.append(step(minigrad.tensor([1.0, 2.0 - k, 3.0])).item())
        return seen, held.tolist(), mask is held

    assert counted(minigrad.compile) == counted(lambda step: step) == ([3, 2, 1, 1], [True, False, False], True)


@pytest.mark.parametrize(
    "compute",
    [
        lambda e: plain(reversed(e.tensor([[1, 2], [3, 4]]))),
        lambda e: plain(reversed(e.tensor(3.0))),
        lambda e: [v.item() for v in reversed(e.tensor([1, 2, 3]))],
        lambda e: complex(e.tensor(2.5)),
        lambda e: (e.tensor(3.7).__long__(), e.tensor(0.0).__nonzero__()),
        lambda e: plain(e.tensor([1.0, 2.0]).__div__(4)) + plain(e.tensor([1.0, 2.0]).__rdiv__(4)),
        lambda e: "a" << e.tensor([1]),
        lambda e: list((1, 2) + e.Size([3])) + [type((1, 2) + e.Size([3])) is e.Size],
        lambda e: [type(s) is e.Size for s in (e.Size([3]) * 2, 2 * e.Size([3]), e.Size([3]) + e.Size([3]))],
        lambda e: e.Size([3]) + [1],
        lambda e: list({"c": 1} | e.nn.ParameterDict({"a": e.nn.Parameter(e.ones(1))})),
        lambda e: [
            b.tolist() for b in e.utils.data.DataLoader(e.utils.data.Subset([4, 5, 6, 7], [3, 1, 0]), batch_size=2)
        ],
        lambda e: bool(e.utils.data.DataLoader[int]),
    ],
)
def test_built_in_functions(compute):
    assert outcome(minigrad, compute) == outcome(torch, compute)


@pytest.mark.parametrize(
    "change",
    [
        lambda e, m: m * 2,
        lambda e, m: 3 * m,
        lambda e, m: m * 0,
        lambda e, m: m * 2.0,
        lambda e, m: operator.imul(m, 2),
        lambda e, m: operator.imul(m, 0),
        lambda e, m: operator.iadd(m, e.nn.Sequential(e.nn.Linear(2, 1))),
        lambda e, m: operator.iadd(m, 3),
        lambda e, m: m + m,
    ],
)
def test_sequential_is_added_and_repeated(change):
    """The same modules, not copies; and in place it stays the same object."""

    def compute(engine):
        model = engine.nn.Sequential(engine.nn.Linear(2, 3), engine.nn.Linear(3, 2))
        changed = change(engine, model)
        places = {id(m): i for i, m in reversed(list(enumerate(changed)))}
        return changed is model, len(model), [places[id(m)] for m in changed], list(changed.state_dict())

    assert outcome(minigrad, compute) == outcome(torch, compute)


def test_a_subset_asks_for_a_batch_at_once_where_its_data_can():
    def compute(engine):
        asked = []

        class Data(engine.utils.data.Dataset):
            def __len__(self):
                return 5

            def __getitems__(self, indices):
                asked.append(list(indices))
                return [float(i) for i in indices]

        subset = engine.utils.data.Subset(Data(), [4, 3, 2])
        return [b.tolist() for b in engine.utils.data.DataLoader(subset, batch_size=2)], asked

    assert outcome(minigrad, compute) == outcome(torch, compute) == ([[4.0, 3.0], [2.0]], [[4, 3], [2]])
