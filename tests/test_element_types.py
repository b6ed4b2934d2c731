"""Every function of one or two tensors, with elements of each type: refused where PyTorch has no kernel, else of its type."""

import enum
import operator
import warnings

import numpy as np
import pytest
import torch

import minigrad

ROOMS = ("", "special", "nn.functional", "linalg", "Tensor")
TYPES = ("float32", "float16", "int64", "uint8", "bool")
NOT_CALLED = {
    "set_printoptions": "takes anything and changes what is printed later",
    "manual_seed": "changes the stream of the other calls",
    "compile": "wraps what it is given",
    "vmap": "wraps what it is given",
    "pin_memory": "asks for a device",
    "bfloat16": "is of a type that NumPy has not",
    "set_": "shares memory",
}
# Where minigrad refuses what PyTorch computes; nothing is answered that PyTorch refuses.
REFUSED = {
    "nn.functional.gumbel_softmax": "a temperature is a number",
    "linalg.matrix_rank": "a tolerance is a number, or one for each matrix",
    "matrix_exp": "of half precision there are no matrix functions",
    "linalg.matrix_exp": "of half precision there are no matrix functions",
    "Tensor.matrix_exp": "of half precision there are no matrix functions",
    "linalg.matrix_norm": "of half precision there are no matrix functions",
}


def answer(torch_, name, d, count):
    """The types of the results of a call, or the error."""
    torch_.manual_seed(0)
    given = [torch_.tensor([[1.0, 0.5], [0.5, 1.0]]).to(getattr(torch_, d)) for _ in range(count)]
    try:
        found = operator.attrgetter(name)(torch_)(*given)
    except Exception as error:
        return error
    results = found if isinstance(found, list | tuple) else [found]
    kinds = [str(x.dtype).rpartition(".")[2] if isinstance(x, torch_.Tensor) else type(x).__name__ for x in results]
    return [type(found).__name__ if type(found) in (list, tuple) else "", *kinds]


def names(room):
    theirs = operator.attrgetter(room)(torch) if room else torch
    ours = operator.attrgetter(room)(minigrad) if room else minigrad
    for name in dir(theirs):
        function = getattr(theirs, name)
        if name.startswith("_") or name in NOT_CALLED or isinstance(function, type) or not callable(function):
            continue
        if callable(getattr(ours, name, None)):
            yield f"{room}.{name}" if room else name


@pytest.mark.parametrize("room", ROOMS)
def test_types_are_answered_and_refused_as_by_pytorch(room):
    wrong = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names(room):
            for d in TYPES:
                for count in (1, 2):
                    theirs, ours = answer(torch, name, d, count), answer(minigrad, name, d, count)
                    if isinstance(theirs, Exception):
                        fine = isinstance(ours, Exception)
                    else:
                        fine = ours == theirs or (isinstance(ours, Exception) and name in REFUSED)
                    if not fine:
                        wrong.append(f"{name} of {count} {d}: PyTorch {theirs!r}, minigrad {ours!r}")
    assert not wrong, "\n".join(wrong)


class Scale(float):
    """A number of a program's own."""


class Size(enum.IntEnum):
    TWO = 2


CALLS = {
    "x * s": lambda t, x, s: x * s,
    "s * x": lambda t, x, s: s * x,
    "x + s": lambda t, x, s: x + s,
    "x / s": lambda t, x, s: x / s,
    "x // s": lambda t, x, s: x // s,
    "x % s": lambda t, x, s: x % s,
    "s ** x": lambda t, x, s: s**x,
    "x ** s": lambda t, x, s: x**s,
    "x > s": lambda t, x, s: x > s,
    "maximum": lambda t, x, s: x.clamp(s),
    "where": lambda t, x, s: t.where(x > 1, x, s),
    "add": lambda t, x, s: t.add(x, x, alpha=int(s)) + s,
    "full": lambda t, x, s: t.full((2,), s),
    "full_like": lambda t, x, s: t.full_like(x, s),
    "tensor": lambda t, x, s: t.tensor([s, s]),
    "fill_": lambda t, x, s: x.clone().fill_(s),
    "mul_": lambda t, x, s: x.clone().mul_(int(s)),
    "masked_fill": lambda t, x, s: x.masked_fill(x > 1, s),
    "setitem": lambda t, x, s: (x.__setitem__(0, s), x)[1],
    "lerp": lambda t, x, s: t.lerp(x.float(), x.float(), s),
    "leaky_relu": lambda t, x, s: t.nn.functional.leaky_relu(x.float(), s),
    "remainder": lambda t, x, s: t.remainder(s, x),
    "fmod": lambda t, x, s: t.fmod(x, s),
    "xlogy": lambda t, x, s: t.xlogy(x, s),
}


@pytest.mark.parametrize("number", [Scale(2.0), Size.TWO, np.float64(2.0)], ids=repr)
@pytest.mark.parametrize("d", ["float32", "float16", "int8", "int64"])
def test_a_number_of_a_subclass_counts_as_its_own_type(number, d):
    """NumPy would take it for an array of 64 bits, and widen the other operand."""
    for what, call in CALLS.items():
        found = []
        for t in (torch, minigrad):
            x = t.tensor([1, 3]).to(getattr(t, d))
            try:
                found.append(call(t, x, number))
            except Exception as error:
                found.append(error)
        theirs, ours = found
        if isinstance(theirs, Exception):
            assert isinstance(ours, Exception), f"{what}: PyTorch {theirs!r}, minigrad {ours!r}"
            continue
        assert not isinstance(ours, Exception), f"{what}: {ours!r}"
        assert str(ours.dtype).rpartition(".")[2] == str(theirs.dtype).rpartition(".")[2], what
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), what)


@pytest.mark.parametrize("name", ["gcd", "lcm"])
def test_divisors_and_multiples_of_all_bytes(name):
    """Those that do not fit too."""
    every = np.arange(-128, 128, dtype=np.int8)
    theirs = getattr(torch, name)(torch.tensor(every)[:, None], torch.tensor(every)[None]).numpy()
    ours = getattr(minigrad, name)(minigrad.tensor(every)[:, None], minigrad.tensor(every)[None]).numpy()
    np.testing.assert_array_equal(ours, theirs)


LONG = {
    "roll": lambda t, x, n: x.roll([n], [0]),
    "vsplit": lambda t, x, n: x.vsplit([n]),
    "hsplit": lambda t, x, n: x.hsplit((1, n)),
    "tensor_split": lambda t, x, n: x.tensor_split([n], 1),
    "flip": lambda t, x, n: x.flip([n]),
    "sum": lambda t, x, n: x.sum((0, n)),
    "movedim": lambda t, x, n: x.movedim([n], [0]),
    "max_pool2d": lambda t, x, n: t.nn.functional.max_pool2d(x[None], [n, 1]),
    "layer_norm": lambda t, x, n: t.nn.functional.layer_norm(x, [n]),
}


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_whole_numbers_of_more_than_64_bits_in_a_sequence(name, number):
    for t in (torch, minigrad):
        x = t.ones(4, 4)
        LONG[name](t, x, 0) if name not in (
            "sum",
            "max_pool2d",
            "layer_norm",
        ) else None  # a call as it should be, before
        with pytest.raises((TypeError, IndexError)):
            LONG[name](t, x, number)
