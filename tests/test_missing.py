"""What is said of names that minigrad has not: everywhere the same advice, and none that points at what is absent."""

import re
from importlib.util import find_spec

import numpy as np
import pytest

import minigrad
from minigrad import missing, nn
from parity import public
from parity.case import resolve
from parity.engines import TORCH

# Where a name in a piece of advice may stand.
PLACES = ("", "nn.", "nn.functional.", "nn.utils.", "nn.utils.rnn.", "linalg.", "Tensor.")
# What advice names beside minigrad's own: programs of this repository, PyTorch's and NumPy's (looked up there).
COMMANDS = {"python -m benchmarks profile"}
# Names of torch.fft, whose transforms minigrad has not: the module itself it has.
IN_FFT = {"fft"}


def named(advice):
    """The names of code in a piece of advice: in backticks, with dots, called, or listed after "nearest:"."""
    found = set(re.findall(r"`([^`]+)`", advice))
    rest = re.sub(r"`[^`]+`", " ", advice)
    found |= set(re.findall(r"(?<![\w.])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", rest))
    found |= set(re.findall(r"(?<![\w.])([A-Za-z_]\w*)\(", rest))
    for listed in re.findall(r"nearest:? (?:is )?([^;]+)", rest):
        found |= {name.strip() for name in listed.split(",")}
    if "minigrad itself:" in rest:
        found |= {name.strip() for name in rest.partition("itself:")[2].split(",")} - {"..."}
    return {name.removesuffix("()").removesuffix("(...)") for name in found if name}


def is_there(name):
    if name in COMMANDS:
        return True
    if name.startswith("torch."):
        return _found(TORCH.module, name.removeprefix("torch."))
    if name.startswith("numpy."):
        return _found(np, name.removeprefix("numpy."))
    if name.startswith("x."):  # a tensor
        return hasattr(minigrad.Tensor, name.removeprefix("x."))
    return any(_found(minigrad, place + name.removeprefix("minigrad.")) for place in PLACES)


def _found(root, path):
    try:
        resolve(root, path)
    except AttributeError:
        return root is TORCH.module and _is_importable(f"{root.__name__}.{path}")
    return True


def _is_importable(path):
    try:
        return find_spec(path) is not None
    except ImportError:
        return False


def test_names_are_found_in_advice():
    assert named("nearest: conv2d, linalg.inv; see `minigrad.load`") == {"conv2d", "linalg.inv", "minigrad.load"}
    assert named("use nn.functional.cross_entropy(nn.functional.linear(x), y)") == {
        "nn.functional.cross_entropy", "nn.functional.linear"
    }  # fmt: skip
    assert is_there("minigrad.load")
    assert is_there("linalg.inv")
    assert is_there("cross_entropy")
    assert not is_there("linalg.no_such")


@pytest.mark.parametrize("name", missing._INSTEAD)
def test_advice_points_at_what_is_there(name):
    assert [found for found in named(missing._INSTEAD[name]) if not is_there(found)] == []


@pytest.mark.parametrize("name", missing._INSTEAD)
def test_advice_is_of_what_is_missing(name):
    """What minigrad has needs none; what PyTorch has not either would never be asked for."""
    places = ("", "nn.", "nn.functional.", "nn.utils.rnn.") if name not in IN_FFT else ("fft.",)
    assert not any(_found(minigrad, place + name) for place in places)


@pytest.mark.parametrize("name", nn._NEAREST)
def test_the_nearest_layer_is_there(name):
    assert name not in vars(nn)
    assert hasattr(TORCH.module.nn, name)
    told = nn._NEAREST[name]
    assert [found for found in re.findall(r"nn\.\w+", told) if not is_there(found)] == []
    with pytest.raises(NotImplementedError, match=f"no nn.{name}"):
        getattr(nn, name)(1)


@pytest.mark.parametrize("path", public.modules())
def test_every_module_gives_advice(path):
    module = public.modules()[path]
    asked = "multi_head_attention_forward"
    with pytest.raises(AttributeError, match=re.escape(missing._INSTEAD[asked])) as error:
        getattr(module, asked)
    assert str(error.value).startswith(f"module '{module.__name__}' has no attribute '{asked}'")
    own = sorted((name for name in dir(module) if not name.startswith("_") and len(name) > 4), key=len)
    if own:
        with pytest.raises(AttributeError, match=f"nearest: .*{own[-1]}"):
            getattr(module, f"{own[-1]}x")
    assert not hasattr(module, "__wrapped__")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nn.functional.huber", "nearest: huber_loss"),
        ("nn.functional.conv2", "nearest: conv2d"),
        ("nn.init.xavier_unifrom_", "nearest: xavier_uniform_"),
        ("nn.modules.conv.Conv4d", "nearest: Conv3d"),
        ("nn.utils.parametrize.register_parametrisation", "nearest: register_parametrization"),
        ("zero", "nearest: zeros"),
        ("nn.utils.clip_grad_nrom_", "nearest: clip_grad_norm_"),
    ],
)
def test_a_missing_name_says_what_to_do(path, said):
    owner, _, name = path.rpartition(".")
    with pytest.raises(AttributeError, match=said):
        getattr(resolve(minigrad, owner) if owner else minigrad, name)
    assert not hasattr(minigrad, "no_such_thing")


# Every name of PyTorch's that minigrad lacks, in every room that both have: what is said of it.
ABSENT = [
    (path, name)
    for path, module in public.modules().items()
    for name in dir(resolve(TORCH.module, path) if path else TORCH.module)
    if not name.startswith("_") and not hasattr(module, name)
]
OF_TENSORS = [n for n in dir(TORCH.module.Tensor) if not n.startswith("_") and not hasattr(minigrad.Tensor, n)]


def test_every_absent_name_is_answered_with_advice():
    """Never a bare error, and never advice that points at what is absent too."""
    assert len(ABSENT) > 300
    silent, wrong = [], []
    modules = public.modules()
    for path, name in ABSENT:
        with pytest.raises(AttributeError) as error:
            getattr(modules[path], name)
        said = str(error.value).partition(f"has no attribute '{name}'")[2]
        if not said[2:]:
            silent.append(f"{path}.{name}")
        wrong += [
            (path, name, found) for found in named(said) if not is_there(found) and not hasattr(modules[path], found)
        ]
    assert silent == []
    assert wrong == []


@pytest.mark.parametrize("name", OF_TENSORS)
def test_an_absent_attribute_of_a_tensor_is_answered_with_advice(name):
    x = minigrad.ones(1)
    with pytest.raises(AttributeError, match=f"'Tensor' object has no attribute '{name}'(: |; )") as error:
        getattr(x, name)
    said = str(error.value).partition(f"has no attribute '{name}'")[2]
    assert [found for found in named(said) if not is_there(found) and not hasattr(x, found)] == []


def test_attributes_of_a_tensor_that_do_not_exist_stay_unknown():
    x = minigrad.ones(1)
    assert not hasattr(x, "no_such_thing")
    assert not hasattr(x, "__cuda_array_interface__")
    with pytest.raises(
        AttributeError, match=r"'Parameter' object has no attribute 'q_scale': there is no quantization"
    ):
        nn.Parameter(x).q_scale  # noqa: B018
