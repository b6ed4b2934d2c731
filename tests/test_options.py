"""What a program says of a module's parameters, or of a tensor that it converts, is obeyed or refused by name.

Classes and methods are found, not listed, and PyTorch's counterpart decides which arguments each takes: a new one that
ignores an argument fails here. (Functions that make tensors: test_creation.py.)
"""

import inspect
import re

import numpy as np
import pytest
import torch

import minigrad

ENGINES = (torch, minigrad)

# -- modules

# How each class is made; one that is missing here fails the first test.
ARGUMENTS = {
    **dict.fromkeys(["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"], (4,)),
    **dict.fromkeys(["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "LayerNorm", "RMSNorm"], (4,)),
    **dict.fromkeys([f"Conv{kind}{n}d" for kind in ("", "Transpose") for n in (1, 2, 3)], (2, 3, 2)),
    **dict.fromkeys([f"LazyConv{kind}{n}d" for kind in ("", "Transpose") for n in (1, 2, 3)], (3, 2)),
    **dict.fromkeys([f"Lazy{kind}Norm{n}d" for kind in ("Batch", "Instance") for n in (1, 2, 3)], ()),
    "AdaptiveLogSoftmaxWithLoss": (8, 6, [2, 4]),
    "LazyLinear": (3,),
    **dict.fromkeys(
        ["RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell", "Linear", "Embedding", "EmbeddingBag"], (3, 4)
    ),
    "Bilinear": (2, 3, 4),
    "GroupNorm": (2, 4),
    "MultiheadAttention": (4, 2),
    "PReLU": (3,),
    "Transformer": (4, 2, 1, 1, 8),
    "TransformerDecoderLayer": (4, 2, 8),
    "TransformerEncoderLayer": (4, 2, 8),
}
# Arguments with which a class has no parameters, or other ones.
WITH = {
    **{name: {"affine": True} for name in ("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d")},
    "BatchNorm1d": {"affine": False, "track_running_stats": False},
    "Embedding": {"_weight": lambda engine: engine.ones(3, 4)},
    "GroupNorm": {"affine": False},
    "LayerNorm": {"elementwise_affine": False},
    "MultiheadAttention": {"kdim": 3, "add_bias_kv": True},
    "RMSNorm": {"elementwise_affine": False},
    "Transformer": {"custom_encoder": lambda engine: engine.nn.Identity(), "custom_decoder": lambda engine: engine.nn.Identity()},
}  # fmt: skip


def parameters(cls):
    return set(inspect.signature(cls).parameters)


CLASSES = sorted(
    name
    for name, cls in vars(minigrad.nn).items()
    if inspect.isclass(cls)
    and issubclass(cls, minigrad.nn.Module)
    and inspect.isclass(getattr(torch.nn, name, None))
    and {"device", "dtype"}
    & (parameters(cls) | parameters(getattr(torch.nn, name)))  # torch.nn.RNN says (*args, **kwargs)
)


def made(engine, name, more, **options):
    more = {k: v(engine) if callable(v) else v for k, v in more.items()}
    return getattr(engine.nn, name)(*ARGUMENTS[name], **more, **options)


def tensors(module):
    def shape(t):
        return None if isinstance(t, UNSHAPED) else tuple(t.shape)

    return {name: (shape(t), str(t.dtype).partition(".")[2]) for name, t in module.state_dict().items()}


UNSHAPED = tuple(engine.nn.parameter.UninitializedTensorMixin for engine in ENGINES)  # of lazy layers


WAYS = [(name, more) for name in CLASSES for more in ({}, WITH.get(name)) if more is not None]


def test_every_module_that_takes_options_is_made_here():
    assert sorted(ARGUMENTS) == CLASSES
    for name in CLASSES:
        assert {"device", "dtype"} <= parameters(getattr(minigrad.nn, name)), name


@pytest.mark.parametrize("dtype", [None, "float32", "float64"])
@pytest.mark.parametrize(("name", "more"), WAYS)
def test_modules_obey_dtype_and_device(name, more, dtype):
    found, expected = (
        tensors(made(engine, name, more, dtype=getattr(engine, dtype) if dtype else None, device="cpu"))
        for engine in ENGINES
    )
    assert dict(found) == dict(expected)


@pytest.mark.parametrize(
    ("option", "value"),
    [("device", v) for v in ("cuda", "cuda:0", "meta", "nonsense", 3.5)] + [("dtype", v) for v in ("float32", 3, np.float32)],
)  # fmt: skip
@pytest.mark.parametrize(("name", "more"), WAYS)
def test_modules_refuse_what_minigrad_has_not(name, more, option, value):
    with pytest.raises((TypeError, RuntimeError)) as caught:
        made(minigrad, name, more, **{option: value})
    assert option in str(caught.value) or str(value) in str(caught.value)


@pytest.mark.parametrize("name", CLASSES)
def test_modules_of_whole_numbers(name):
    """Parameters cannot have gradients then; the running statistics of a layer without parameters can be whole."""
    outcomes = []
    for engine in ENGINES:
        try:
            outcomes.append(tensors(made(engine, name, {}, dtype=engine.int64)))
        except (RuntimeError, NotImplementedError) as error:
            outcomes.append(type(error).__name__)
    assert isinstance(outcomes[0], str) == isinstance(outcomes[1], str)


@pytest.mark.parametrize("options", [{"device": "nonsense"}, {"device": "cuda"}, {"dtype": "float32"}])
def test_the_mask_of_a_transformer_refuses_too(options):
    with pytest.raises((TypeError, RuntimeError), match=next(iter(options))):
        minigrad.nn.Transformer.generate_square_subsequent_mask(3, **options)


def test_the_mask_of_a_transformer():
    found, expected = (
        engine.nn.Transformer.generate_square_subsequent_mask(3, "cpu", engine.float64) for engine in ENGINES
    )
    assert found.tolist() == expected.tolist()
    assert str(found.dtype).partition(".")[2] == str(expected.dtype).partition(".")[2] == "float64"


# -- methods

VALUES = {
    "memory_format": [None, "contiguous_format", "preserve_format", "channels_last", 3, "text"],
    "non_blocking": [None, False, True, 1, "text"],
    "copy": [None, False, True, 1, "text"],
    "device": [None, "cpu", "nonsense", 3.5],
    "dtype": [None, "float32", "float64", "int64", "bool", 3, "text"],
}
CALLS = {"copy_": lambda engine, x: (x * 2,)}


def takes(name, option):
    """Whether PyTorch's method has the argument, by the calls in its documentation."""
    method = getattr(torch.Tensor, name, None)
    return callable(method) and re.search(rf"\b{name}\(.*\b{option}\b *[=,)]", method.__doc__ or "") is not None


CONVERSIONS = ["bfloat16", "bool", "byte", "char", "clone", "contiguous", "copy_", "cpu", "cuda", "double", "float", "half", "int", "is_contiguous", "long", "pin_memory", "short", "to", "type"]  # fmt: skip
METHODS = sorted(
    {
        name
        for name in dir(minigrad.Tensor)
        for option in ("memory_format", "non_blocking", "device")
        if not name.startswith(("_", "new_")) and hasattr(minigrad.Tensor, name) and takes(name, option)
    }
)
ELSEWHERE = ("bfloat16", "cuda", "pin_memory")  # minigrad has no such type, device and memory: below
SHAPES = {
    "matrix": lambda t: t.arange(6.0).reshape(2, 3),
    "transposed": lambda t: t.arange(6.0).reshape(2, 3).t(),
    "sliced": lambda t: t.arange(12.0).reshape(3, 4)[:, ::2],
    "image": lambda t: t.arange(120.0).reshape(2, 3, 4, 5),
    "channels last": lambda t: t.arange(120.0).reshape(2, 4, 5, 3).permute(0, 3, 1, 2),
    "sliced channels": lambda t: t.arange(120.0).reshape(2, 4, 5, 3).permute(0, 3, 1, 2)[:, ::2],
    "transposed image": lambda t: t.arange(120.0).reshape(2, 3, 4, 5).transpose(2, 3),
    "whole numbers": lambda t: t.arange(6).reshape(2, 3).t(),
}


def outcome(engine, name, shape, **options):
    """The error's class, or what the result is: a value, or a tensor and its place in memory."""
    x = SHAPES[shape](engine)
    for option, value in options.items():
        if option in ("memory_format", "dtype") and isinstance(value, str) and value != "text":
            options[option] = getattr(engine, value)
    try:
        result = getattr(x, name)(*CALLS.get(name, lambda engine, x: ())(engine, x), **options)
    except Exception as error:
        return type(error).__name__
    if not hasattr(result, "stride"):
        return str(result).replace("minigrad.", "torch.")
    return result is x, str(result.dtype).partition(".")[2], result.stride(), result.tolist()


def test_the_methods_that_take_options():
    """A method of PyTorch's with such an argument that minigrad gets is tried below without being named here."""
    assert {"to", "clone", "contiguous", "cpu", "float", "copy_", "type", "cuda"} <= set(METHODS)
    assert set(METHODS) <= set(CONVERSIONS) | {"resize_", "resize_as_"}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        (n, o, v) for n in CONVERSIONS for o, values in VALUES.items() for v in values
        if takes(n, o) and n not in ELSEWHERE and (n, o, v) != ("type", "dtype", "text")
    ],
)  # fmt: skip
def test_methods_obey_or_refuse_as_pytorch(name, option, value, shape):
    assert outcome(minigrad, name, shape, **{option: value}) == outcome(torch, name, shape, **{option: value})


@pytest.mark.parametrize("order", ["contiguous_format", "preserve_format", "channels_last"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_to_with_several_options(shape, copy, dtype, order):
    options = {"copy": copy, "dtype": dtype, "memory_format": order}
    assert outcome(minigrad, "to", shape, **options) == outcome(torch, "to", shape, **options)


def test_ways_to_call_to():
    """By position: device, dtype, tensor, non_blocking, copy."""

    def tried(engine, *args, **kwargs):
        x = engine.ones(2)
        args = [engine.ones(1, dtype=engine.float64) if a == "tensor" else getattr(engine, a, a) if isinstance(a, str) and a != "cpu" else a for a in args]  # fmt: skip
        try:
            result = x.to(*args, **kwargs)
        except Exception as error:
            return type(error).__name__
        return result is x, str(result.dtype).partition(".")[2]

    for args, kwargs in [
        ((), {}), ((None,), {}), (("cpu",), {}), (("float64",), {}), (("cpu", "float64"), {}), (("tensor",), {}),
        (("float32", False, True), {}), (("float32", True), {}), (("cpu", "float32", False, True), {}), (("cpu", None), {}),
        (("tensor", False, True), {}), (("float64", 1), {}), (("float32", False, True, True), {}), ((float,), {}),
        (("cpu",), {"device": "cpu"}), (("cpu", 3), {}), ((), {"colour": 1}), (("float64",), {"copy": True}),
        (("tensor",), {"dtype": None}), (("nonsense",), {}), ((int,), {}), ((bool,), {}), (("strided",), {}),
        (("float64",), {"device": "cpu"}), (("cpu",), {"dtype": float}), (("tensor",), {"device": "cpu"}),
        (("float64",), {"memory_format": None}), (("tensor",), {"copy": True, "non_blocking": False}),
    ]:  # fmt: skip
        assert tried(minigrad, *args, **kwargs) == tried(torch, *args, **kwargs), (args, kwargs)


def test_methods_for_machines_with_other_devices():
    x = minigrad.ones(2)
    for options in ({}, {"device": None}, {"device": "cuda"}, {"device": 0}, {"device": "cpu"}, {"non_blocking": True}):
        with pytest.raises(RuntimeError, match="CPU only"):
            x.cuda(**options)
    for name in ("cuda", "pin_memory"):
        with pytest.raises(RuntimeError, match="nonsense"):
            getattr(x, name)(device="nonsense")
    with pytest.raises(RuntimeError, match="cuda"):
        x.to("cuda")
    with pytest.raises(RuntimeError, match="CPU only"):
        minigrad.nn.Linear(2, 2).cuda()


def test_a_type_by_its_name():
    x = minigrad.ones(2)
    assert x.type("torch.DoubleTensor").dtype is minigrad.float64
    assert x.type(x.long().type()).dtype is minigrad.int64
    for engine in ENGINES:
        with pytest.raises(ValueError, match="invalid type: 'nonsense'"):
            engine.ones(2).type("nonsense")


@pytest.mark.parametrize("order", ["contiguous_format", "preserve_format", "channels_last"])
@pytest.mark.parametrize("name", ["clone", "contiguous", "to", "double"])
def test_gradients_through_copies_in_another_order(name, order):
    results = []
    for engine in ENGINES:
        x = engine.arange(120.0).reshape(2, 3, 4, 5).requires_grad_()
        try:
            y = getattr(x, name)(memory_format=getattr(engine, order))
        except RuntimeError as error:
            results.append(type(error).__name__)
            continue
        (y * y).sum().backward()
        results.append((y.stride(), x.grad.tolist()))
    assert results[0] == results[1]


@pytest.mark.parametrize(
    "options",
    [
        {"memory_format": "channels_last"}, {"memory_format": "contiguous_format"}, {"memory_format": 3}, {"copy": True},
        {"dtype": "float64", "memory_format": "channels_last"}, {"non_blocking": 3}, {"non_blocking": True},
        {"device": "nonsense"}, {"dtype": "int64"}, {"dtype": "float64"}, {},
    ],
)  # fmt: skip
def test_modules_are_converted_as_by_pytorch(options):
    def converted(engine):
        module = engine.nn.Sequential(engine.nn.Conv2d(3, 4, 2), engine.nn.BatchNorm2d(4))
        given = {k: getattr(engine, v) if k in ("memory_format", "dtype") and isinstance(v, str) else v for k, v in options.items()}  # fmt: skip
        try:
            module.to(**given)
        except Exception as error:
            return type(error).__name__
        return {n: (t.stride(), str(t.dtype).partition(".")[2]) for n, t in module.state_dict().items()}

    assert converted(minigrad) == converted(torch)
