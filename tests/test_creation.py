"""What a program says of a new tensor is obeyed or refused by name, by every function that makes one.

The functions are found, not listed, and PyTorch's counterpart decides which arguments each takes: a new function that
ignores one fails here.
"""

import copy
import inspect
import pickle

import numpy as np
import pytest
import torch

import minigrad
from minigrad import creation, memory_order, sampling

# How each function is called (x: a tensor of shape (2, 3)); one that is missing here fails the first test.
CALLS = {
    "arange": lambda t, x: (3.0,),
    "as_tensor": lambda t, x: ([1.0, 2.0],),
    "asarray": lambda t, x: ([1.0, 2.0],),
    "bernoulli": lambda t, x: (x,),
    "empty": lambda t, x: (2, 3),
    "empty_like": lambda t, x: (x,),
    "empty_strided": lambda t, x: ((2, 3), (3, 1)),
    "eye": lambda t, x: (2,),
    "from_dlpack": lambda t, x: (np.ones(3, np.float32),),
    "from_numpy": lambda t, x: (np.ones(3, np.float32),),
    "frombuffer": lambda t, x: (bytearray(12),),
    "full": lambda t, x: ((2, 3), 1.0),
    "full_like": lambda t, x: (x, 1.0),
    "linspace": lambda t, x: (0, 1, 5),
    "logspace": lambda t, x: (0, 1, 5),
    "multinomial": lambda t, x: (x, 2),
    "normal": lambda t, x: (0.0, 1.0, (2, 3)),
    "ones": lambda t, x: (2, 3),
    "ones_like": lambda t, x: (x,),
    "rand": lambda t, x: (2, 3),
    "rand_like": lambda t, x: (x,),
    "randint": lambda t, x: (5, (2, 3)),
    "randint_like": lambda t, x: (x, 5),
    "randn": lambda t, x: (2, 3),
    "randn_like": lambda t, x: (x,),
    "randperm": lambda t, x: (5,),
    "range": lambda t, x: (0, 3),
    "scalar_tensor": lambda t, x: (1.5,),
    "tensor": lambda t, x: ([1.0, 2.0],),
    "tril_indices": lambda t, x: (3, 3),
    "triu_indices": lambda t, x: (3, 3),
    "zeros": lambda t, x: (2, 3),
    "zeros_like": lambda t, x: (x,),
    "Tensor.new_empty": lambda t, x: (2, 3),
    "Tensor.new_empty_strided": lambda t, x: ((2, 3), (3, 1)),
    "Tensor.new_full": lambda t, x: ((2, 3), 1.0),
    "Tensor.new_ones": lambda t, x: (2, 3),
    "Tensor.new_tensor": lambda t, x: ([1.0, 2.0],),
    "Tensor.new_zeros": lambda t, x: (2, 3),
}
# What a function cannot do without, and takes by name only.
NEEDED = {"frombuffer": lambda t: {"dtype": t.float32}}
MAKERS = sorted(
    [name for name in (*creation.__all__, *sampling.__all__) if name not in ("get_rng_state", "set_rng_state")]
    + [f"Tensor.{name}" for name in dir(minigrad.Tensor) if name.startswith("new_")]
)
ORDERS = ("contiguous_format", "preserve_format", "channels_last")
NEUTRAL = {
    "dtype": lambda t: t.float32,
    "layout": lambda t: t.strided,
    "device": lambda t: "cpu",
    "requires_grad": lambda t: False,
    "pin_memory": lambda t: False,
    "memory_format": lambda t: t.contiguous_format,
}
REFUSED = [
    ("dtype", "float32"),
    ("dtype", 3),
    ("dtype", np.float32),
    ("layout", 3),
    ("layout", "strided"),
    ("device", "cuda"),
    ("device", "cuda:0"),
    ("device", "meta"),
    ("device", "nonsense"),
    ("device", 3.5),
    ("pin_memory", True),
    ("pin_memory", 1),
    ("requires_grad", 1),
    ("requires_grad", "yes"),
    ("memory_format", 3),
    ("memory_format", "channels_last"),
]


def make(engine, name, x=None, /, **options):
    x = engine.ones(2, 3) if x is None else x
    function = getattr(x, name.removeprefix("Tensor.")) if "." in name else getattr(engine, name)
    needed = NEEDED[name](engine) if name in NEEDED else {}
    return function(*CALLS[name](engine, x), **(needed | options))


def outcome(engine, name, x=None, /, **options):
    """What PyTorch and minigrad have to agree on: the error's type, or the new tensor's properties."""
    try:
        made = make(engine, name, x, **options)
    except Exception as error:
        return type(error).__name__
    return str(made.dtype).partition(".")[2], made.requires_grad, tuple(made.shape), made.stride(), made.is_leaf


def takes(name, option):
    """Whether PyTorch's function has the argument."""
    try:
        make(torch, name, **{option: NEUTRAL[option](torch)})
    except TypeError:
        return False
    except NotImplementedError:  # tril_indices(dtype=float32): it has the argument, and not this value
        return True
    return True


def test_every_function_that_makes_a_tensor_is_called_here():
    assert sorted(CALLS) == MAKERS
    assert all(hasattr(torch, name) or hasattr(torch.Tensor, name.removeprefix("Tensor.")) for name in MAKERS)


@pytest.mark.parametrize("option", NEUTRAL)
@pytest.mark.parametrize("name", MAKERS)
def test_arguments_are_those_of_pytorch(name, option):
    if not takes(name, option):
        with pytest.raises(TypeError, match=option):
            make(minigrad, name, **{option: NEUTRAL[option](minigrad)})
        return
    given, none = ({option: value} for value in (NEUTRAL[option], lambda t: None))
    for options in (given, none):
        found, expected = (outcome(t, name, **{k: v(t) for k, v in options.items()}) for t in (minigrad, torch))
        assert found == expected


@pytest.mark.parametrize(
    ("name", "option", "value"), [(n, option, value) for n in MAKERS for option, value in REFUSED if takes(n, option)]
)
def test_what_minigrad_has_not_is_refused_by_name(name, option, value):
    with pytest.raises((TypeError, RuntimeError)) as caught:
        make(minigrad, name, **{option: value})
    text = str(caught.value)
    assert option in text or str(value) in text
    if value not in ("cuda", "cuda:0", "meta"):  # a machine with PyTorch's other devices has them
        assert not isinstance(outcome(torch, name, **{option: value}), tuple)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32", "uint8"])
@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("name", MAKERS)
def test_dtype_and_requires_grad_are_obeyed(name, dtype, requires_grad):
    has_dtype, has_grad = takes(name, "dtype"), takes(name, "requires_grad")
    results = []
    for t in (minigrad, torch):
        options = {"dtype": getattr(t, dtype)} if has_dtype else {}
        results.append(outcome(t, name, **options, **({"requires_grad": requires_grad} if has_grad else {})))
    assert results[0] == results[1]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("shape", ["matrix", "transposed", "image", "permuted"])
@pytest.mark.parametrize("name", [n for n in MAKERS if takes(n, "memory_format")])
def test_memory_format_is_obeyed(name, shape, order):
    results = []
    for t in (minigrad, torch):
        x = {
            "matrix": lambda t=t: t.ones(2, 3),
            "transposed": lambda t=t: t.ones(3, 2).t(),
            "image": lambda t=t: t.ones(2, 3, 4, 5),
            "permuted": lambda t=t: t.ones(2, 3, 4, 5).permute(0, 3, 1, 2),
        }[shape]()
        results.append(outcome(t, name, x, memory_format=getattr(t, order)))
        if name in ("rand_like", "randn_like", "randint_like") and isinstance(results[-1], tuple):
            t.manual_seed(3)
            results[-1] += (make(t, name, x, memory_format=getattr(t, order)).tolist(),)
    if name.startswith("randn") and len(results[0]) == 6:
        np.testing.assert_allclose(results[0][-1], results[1][-1], rtol=1e-6)
        results = [r[:-1] for r in results]
    assert results[0] == results[1]


def test_empty_in_channels_last():
    assert minigrad.empty(2, 3, 4, 5, memory_format=minigrad.channels_last).stride() == (60, 1, 15, 3)
    with pytest.raises(RuntimeError, match="Preserve"):
        minigrad.empty(2, memory_format=minigrad.preserve_format)


@pytest.mark.parametrize("name", [n for n in MAKERS if takes(n, "dtype")])
def test_an_unknown_argument_is_named(name):
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        make(minigrad, name, colour="red")


@pytest.mark.parametrize("name", ["rand_like", "randn_like", "randint_like"])
def test_generators_of_tensors_like_others(name):
    results = []
    for t in (minigrad, torch):
        g = t.Generator()
        g.manual_seed(5)
        results.append(np.asarray(make(t, name, generator=g)))
    np.testing.assert_allclose(*results, rtol=1e-6)


def test_a_tensor_decides_for_normal():
    x = minigrad.ones(2)
    for options in ({"dtype": minigrad.float32}, {"requires_grad": True}, {"size": (2,)}):
        with pytest.raises(TypeError, match=next(iter(options))):
            minigrad.normal(x, 1.0, **options)


# How each function whose shape is given is called without it.
SIZED = {
    **dict.fromkeys(["zeros", "ones", "empty", "rand", "randn"], ()),
    **{f"Tensor.new_{name}": () for name in ("zeros", "ones", "empty")},
    "normal": (0.0, 1.0),
    "randint": (5,),
}
FILLED = {
    "full": {"fill_value": 1.0}, "Tensor.new_full": {"fill_value": 1.0}, "empty_strided": {"stride": (3, 1)},
    "Tensor.new_empty_strided": {"stride": (3, 1)},
}  # fmt: skip


@pytest.mark.parametrize("size", [(2, 3), [2, 3], (), (0,), 3, None, "text", (2.5,), (-1,)])
@pytest.mark.parametrize("name", [*SIZED, *FILLED])
def test_size_by_its_name(name, size):
    outcomes = []
    for t in (minigrad, torch):
        function = getattr(t.ones(1) if "." in name else t, name.removeprefix("Tensor."))
        try:
            outcomes.append(tuple(function(*SIZED.get(name, ()), size=size, **FILLED.get(name, {})).shape))
        except (TypeError, RuntimeError) as error:
            outcomes.append(type(error))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("name", [n for n in SIZED if not SIZED[n]])
def test_size_is_given_once(name):
    for t in (minigrad, torch):
        function = getattr(t.ones(1) if "." in name else t, name.removeprefix("Tensor."))
        with pytest.raises(TypeError, match="size"):
            function()
        with pytest.raises(TypeError, match="size"):
            function(2, size=(2,))


def test_every_function_of_a_size_takes_it_by_name():
    for name in MAKERS:
        try:
            make(torch, name, size=None)
        except TypeError as error:
            if "multiple values" in str(error) and "size" in str(error):
                assert name in SIZED or name in FILLED, name


@pytest.mark.parametrize("dtype", [None, "float32", "float64"])
@pytest.mark.parametrize("copied", [None, False, True, 1, "yes"])
@pytest.mark.parametrize("kind", ["list", "number", "array", "tensor", "number of NumPy's", "recorded"])
def test_asarray_copies_where_it_has_to_or_is_told(kind, copied, dtype):
    if (kind, copied, dtype) == ("number of NumPy's", True, "float64"):
        return  # PyTorch says that it cannot alias what it is told to copy
    outcomes = []
    for t in (minigrad, torch):
        obj = {
            "list": lambda t: [1.0, 2.0],
            "number": lambda t: 1.0,
            "array": lambda t: np.ones(2),
            "tensor": lambda t: t.ones(2),
            "number of NumPy's": lambda t: np.float32(1),
            "recorded": lambda t: t.ones(2, requires_grad=True) * 1,
        }[kind](t)
        try:
            result = t.asarray(obj, copy=copied, dtype=getattr(t, dtype) if dtype else None)
        except (TypeError, RuntimeError, ValueError) as error:
            outcomes.append(type(error))
            continue
        address = obj.ctypes.data if isinstance(obj, np.ndarray) else obj.data_ptr() if hasattr(obj, "data_ptr") else 0
        outcomes.append((str(result.dtype).partition(".")[2], result.data_ptr() == address, tuple(result.shape)))
    assert outcomes[0] == outcomes[1]


def test_asarray_and_requires_grad():
    for t in (minigrad, torch):
        x = t.ones(2, requires_grad=True)
        assert t.asarray(x * 2, requires_grad=True).grad_fn is not None
        assert not t.asarray(x * 2, requires_grad=False).requires_grad
        copied = t.asarray(x, copy=True, requires_grad=True)
        assert copied.grad_fn is not None
        assert copied.data_ptr() != x.data_ptr()
        assert t.asarray(np.ones(2), requires_grad=True).requires_grad


def test_named_constants_stay_themselves():
    for name in ("strided", *ORDERS):
        value = getattr(minigrad, name)
        assert repr(value) == f"minigrad.{name}"
        assert copy.deepcopy(value) is value
        assert pickle.loads(pickle.dumps(value)) is value


def test_no_maker_hides_its_options():
    """Each either says which options it takes or has them as arguments: no bare `**kwargs` that swallows what is given."""
    for name in MAKERS:
        function = getattr(minigrad.Tensor if "." in name else minigrad, name.removeprefix("Tensor."))
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind is parameter.VAR_KEYWORD:
                assert "Options" in str(parameter.annotation)


def test_order_of_a_tensor_like_another():
    """Slices, expanded and permuted tensors: PyTorch's empty_like closes the gaps and keeps the order."""
    rng = np.random.default_rng(0)
    for _ in range(400):
        x = torch.zeros(*(int(n) for n in rng.integers(1, 5, int(rng.integers(1, 5)))))
        for _ in range(3):
            axis = int(rng.integers(x.dim()))
            kind = rng.integers(4)
            if kind == 0:
                x = x.permute(*rng.permutation(x.dim()).tolist())
            elif kind == 1:
                x = x[(slice(None),) * axis + (slice(None, None, 2),)]
            elif kind == 2 and x.size(axis) == 1:
                x = x.expand(*(3 if i == axis else n for i, n in enumerate(x.shape)))
            elif kind == 3 and x.dim() < 5:
                x = x.unsqueeze(axis)
        array = np.lib.stride_tricks.as_strided(np.zeros(1, np.float32), tuple(x.shape), [4 * n for n in x.stride()])
        found, expected = memory_order.empty_like(array, np.dtype(np.float32)), torch.empty_like(x)
        several = [i for i, n in enumerate(x.shape) if n > 1]  # a dimension of one element has no stride to speak of
        assert [found.strides[i] // 4 for i in several] == [expected.stride(i) for i in several]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(2, 3), (4, 6), (3, 4, 5, 6)])
@pytest.mark.parametrize("draw", ["uniform_", "normal_", "bernoulli_", "bernoulli_each", "random_", "exponential_", "cauchy_", "log_normal_", "geometric_"])  # fmt: skip
def test_draws_fill_memory_in_order(draw, shape, dtype):
    views = {
        "transposed": lambda x: x.transpose(0, 1),
        "sliced": lambda x: x[:, ::2],
        "both": lambda x: x[:, ::2].transpose(0, 1),
        "last to second": lambda x: x.movedim(-1, 1),
    }
    for view in views.values():
        results = []
        for t in (minigrad, torch):
            t.manual_seed(4)
            memory = t.zeros(*shape, dtype=getattr(t, dtype))
            x = view(memory)
            if draw == "bernoulli_each":
                x.bernoulli_((t.arange(x.numel(), dtype=x.dtype) / x.numel()).reshape(x.shape))
            else:
                getattr(x, draw)(*((0.3,) if draw == "geometric_" else ()))
            results.append((memory.numpy(), t.rand(2).numpy()))
        for found, expected in zip(*results, strict=True):
            np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-6)


def _lists(T):
    """Lists in which tensors and NumPy's numbers stand among Python's."""
    half, single, double = (T.tensor(0.1, dtype=d) for d in (T.float16, T.float32, T.float64))
    byte, ubyte, long, truth = T.tensor(3, dtype=T.int8), T.tensor(3, dtype=T.uint8), T.tensor(3), T.tensor(True)
    return [
        [double, False], [False, double], [double, 1], [double, 1.0], [1.0, double], [single, double], [half, False], [half, 1],
        [half, 1.0], [half, half], [byte, 1], [byte, False], [byte, byte], [truth, byte], [long, half], [[double], [1.0]], [double],
        [half], [byte], [truth], [long, 1.0], [np.float64(1), single], [np.float32(1), 1], [double, np.float32(1)], [np.float32(1)],
        [np.int8(1)], [np.int8(1), 1], [np.float16(1), 1.0], [1e300, single], [byte, 1000], [ubyte, byte], [70000, half], [2**63, double],
        [np.array([1, 2]), np.array([1.5, 2], np.float32)], [np.array([1, 2]), np.array([1, 2], np.float16)], [single.reshape(1), 1],
        [[single, 1], [double, 2]], [T.ones(2), 1], [1, T.ones(2)], [np.uint64(3)], [True, byte], [np.int32(1), np.int32(2)],
        [np.int32(1), 1.5], [half, np.float32(1)], [double, None], (double, 1), [(np.float32(1), 2)], [np.float64(0.1), half], [[]], [],
        [1, 2.5], [True, 1], [None], [[double, double], [single, single]],
    ]  # fmt: skip


@pytest.mark.parametrize("function", ["tensor", "as_tensor", "asarray", "new_tensor", "Tensor"])
@pytest.mark.parametrize("i", range(len(_lists(torch))))
def test_a_list_has_the_type_to_which_all_that_it_holds_is_promoted(function, i):
    """Of a double among Python's numbers the digits are kept: tensor([loss, 0.5]) is of the loss's type."""
    found = []
    for engine in (torch, minigrad):
        made = (
            engine.ones(1, dtype=engine.float64).new_tensor if function == "new_tensor" else getattr(engine, function)
        )
        try:
            x = made(_lists(engine)[i])
            found.append((str(x.dtype).partition(".")[2], str(x.tolist())))
        except Exception as error:
            found.append(type(error))
    assert found[0] == found[1]
