"""A module's state: hooks, extra state, overridden parts, versions, assignment; whatever a class adds, as in PyTorch."""

import copy
import warnings
from collections import OrderedDict

import numpy as np
import pytest
import torch

import minigrad


def both(program, same_text=True):
    """Run a program in both engines; results, errors and warnings must be the same."""
    found = []
    for engine in (torch, minigrad):
        engine.manual_seed(0)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                result = plain(program(engine))
            except Exception as error:
                result = (type(error).__name__, str(error).replace("minigrad", "torch") if same_text else "")
        found.append((result, [w.category for w in told]))
    assert found[0] == found[1]
    return found[1][0]


def plain(value):
    if isinstance(value, torch.Tensor | minigrad.Tensor):
        return ("tensor", str(value.dtype).split(".")[1], value.requires_grad, np.asarray(value.tolist()).tolist())
    if isinstance(value, dict):
        return [type(value).__name__, [(k, plain(v)) for k, v in value.items()]]
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value if isinstance(value, int | float | str | bool | type(None)) else str(type(value).__name__)


def net(engine):
    nn = engine.nn
    return nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.BatchNorm1d(3), nn.ReLU()), nn.Linear(3, 1))


def test_versions_and_order():
    def run(engine):
        state = net(engine).state_dict()
        return state, state._metadata

    both(run)


def test_positional_arguments_warn():
    both(lambda engine: net(engine).state_dict(OrderedDict(a=1), "p."))
    both(lambda engine: net(engine).state_dict(None, "p.", True))


def test_extra_state():
    def run(engine):
        class Counted(engine.nn.Module):
            def __init__(self, count):
                super().__init__()
                self.count, self.inner = count, engine.nn.Linear(1, 1)

            def get_extra_state(self):
                return {"count": self.count}

            def set_extra_state(self, state):
                self.count = state["count"]

        m = engine.nn.Sequential(Counted(3), engine.nn.Linear(1, 1))
        state = m.state_dict()
        new = engine.nn.Sequential(Counted(0), engine.nn.Linear(1, 1))
        told = [str(new.load_state_dict(state)), new[0].count, list(state)]
        del state["0._extra_state"]
        state["1._extra_state"] = 5
        told.append(new.load_state_dict(state, strict=False))
        try:
            new.load_state_dict(state)
        except RuntimeError as error:
            told.append(str(error))
        return told

    both(run)


def test_extra_state_that_is_not_defined():
    both(lambda engine: net(engine).get_extra_state(), same_text=False)
    both(lambda engine: net(engine).set_extra_state(1), same_text=False)


def test_hooks_of_giving():
    def run(engine):
        m, told = net(engine), []
        m.register_state_dict_pre_hook(
            lambda module, prefix, keep: told.append(("pre", type(module).__name__, prefix, keep))
        )
        m[1].register_state_dict_post_hook(
            lambda module, state, prefix, about: told.append((prefix, len(state), about))
        )
        m[0]._register_state_dict_hook(lambda module, state, prefix, about: state.update({f"{prefix}note": 1}))
        handle = m._register_state_dict_hook(lambda module, state, prefix, about: OrderedDict(only=len(state)))
        first = m.state_dict(keep_vars=True)
        handle.remove()
        second = m.state_dict()
        copied = copy.deepcopy(m).state_dict()
        return told, first, list(second), list(copied)

    both(run)


def test_a_public_hook_returns_nothing():
    def run(engine):
        m = net(engine)
        m.register_state_dict_post_hook(lambda *_: {})
        m.state_dict()

    both(run)


def test_hooks_of_loading():
    def run(engine):
        m, told = net(engine), []

        def rename(state, prefix, about, strict, missing, unexpected, errors):
            told.append((prefix, about.get("version"), strict, sorted(state)))
            if f"{prefix}w" in state:
                state[f"{prefix}weight"] = state.pop(f"{prefix}w")

        def with_module(module, state, prefix, *rest):
            told.append((type(module).__name__, prefix, len(rest)))

        def after(module, keys):
            told.append((type(module).__name__, list(keys.missing_keys), list(keys.unexpected_keys)))
            keys.missing_keys.clear()

        m[0]._register_load_state_dict_pre_hook(rename)
        m[1].register_load_state_dict_pre_hook(with_module)
        m.register_load_state_dict_post_hook(after)
        state = {k: v + 1 for k, v in m.state_dict().items()}
        state["0.w"] = state.pop("0.weight")
        del state["2.bias"]
        told.append(str(m.load_state_dict(state)))
        return told, m.state_dict(), sorted(state)

    both(run)


def test_a_hook_after_loading_returns_nothing():
    def run(engine):
        m = net(engine)
        m.register_load_state_dict_post_hook(lambda *_: 1)
        m.load_state_dict(m.state_dict())

    both(run, same_text=False)


def test_overridden_parts():
    def run(engine):
        class Old(engine.nn.Module):
            _version = 3

            def __init__(self):
                super().__init__()
                self.w = engine.nn.Parameter(engine.ones(2))
                self.register_buffer("kept", engine.zeros(1))
                self.register_buffer("left", engine.zeros(1), persistent=False)

            def _save_to_state_dict(self, destination, prefix, keep_vars):
                super()._save_to_state_dict(destination, prefix, keep_vars)
                destination[f"{prefix}scaled"] = self.w.detach() * 10

            def _load_from_state_dict(self, state, prefix, about, strict, missing, unexpected, errors):
                told.append((about.get("version"), strict))
                if f"{prefix}scaled" in state:
                    state[f"{prefix}w"] = state.pop(f"{prefix}scaled") / 10
                super()._load_from_state_dict(state, prefix, about, strict, missing, unexpected, errors)
                if f"{prefix}bad" in state:
                    errors.append("something bad")

        told = []
        m = engine.nn.Sequential(Old(), engine.nn.Linear(1, 1))
        state = m.state_dict()
        state["0.scaled"] = engine.tensor([30.0, 40.0])
        told.append(str(m.load_state_dict(state)))
        told.append(m.state_dict())
        state["0.bad"] = engine.ones(1)
        try:
            m.load_state_dict(state, strict=False)
        except RuntimeError as error:
            told.append(str(error))
        return told

    both(run)


def test_batch_norm_of_the_first_version():
    """Without versions the count of batches may be missing, from either norm; with them not."""

    def run(engine):
        told = []
        for norm in (engine.nn.BatchNorm1d(2), engine.nn.InstanceNorm1d(2, affine=True, track_running_stats=True)):
            norm.num_batches_tracked += 3
            whole = norm.state_dict()
            old = {k: v for k, v in whole.items() if k != "num_batches_tracked"}
            told.append(str(norm.load_state_dict(old)))
            told.append(norm.num_batches_tracked)
            del whole["num_batches_tracked"]
            try:
                norm.load_state_dict(whole)
            except RuntimeError as error:
                told.append(str(error))
        return told

    both(run)


def test_assign():
    def run(engine):
        told = []
        m = net(engine)
        m[0].weight.requires_grad_(False)
        before = dict(m.named_parameters())
        state = {k: v.double() if v.is_floating_point() else v for k, v in m.state_dict().items()}
        state["0.bias"] = engine.nn.Parameter(engine.ones(3))
        given = state["0.bias"]
        told.append(str(m.load_state_dict(state, assign=True)))
        told.append([before[n] is p for n, p in m.named_parameters()])
        told.append(m[0].bias is given)
        told.append(m.state_dict(keep_vars=True))
        told.append([type(p).__name__ for p in m.parameters()])
        told.append(m[1][0].running_mean is state["1.0.running_mean"])
        return told

    both(run)


@pytest.mark.parametrize("value", [np.ones((3, 2), np.float32), [[1.0, 2.0]] * 3, 3.0, None, "x"], ids=str)
def test_what_is_no_tensor(value):
    def run(engine):
        m = net(engine)
        state = m.state_dict()
        state["0.weight"] = value
        m.load_state_dict(state)

    both(run)


def test_assignment_is_taken_back_where_something_does_not_fit():
    m = net(minigrad)
    before = dict(m.named_parameters())
    state = {k: v * 2 for k, v in m.state_dict().items()}
    state["2.bias"] = minigrad.ones(7)
    with pytest.raises(RuntimeError, match="size mismatch for 2.bias"):
        m.load_state_dict(state, assign=True)
    assert all(before[name] is p for name, p in m.named_parameters())


def test_set_submodule():
    for target, strict in (
        ("2", False),
        ("1.0", True),
        ("9", False),
        ("9", True),
        ("", False),
        ("1.x.y", False),
        ("0.weight", False),
    ):

        def run(engine, target=target, strict=strict):
            m = net(engine)
            m.set_submodule(target, engine.nn.Tanh(), strict)
            return repr(m)

        both(run, same_text=False)
    both(lambda engine: net(engine).set_submodule("0", 3), same_text=False)
