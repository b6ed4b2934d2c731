"""Calls of every public name, good and bad: what PyTorch refuses is refused, what it answers is answered alike."""

import functools
import json
import os
import re
import sys

import numpy as np
import pytest
import torch

import minigrad
from parity import fuzz, fuzz_calls, fuzz_objects, fuzz_sweep
from parity.__main__ import main

CALLS = 20_000 if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else 600
X = fuzz_calls.T(fuzz_calls.X)
T33 = fuzz_calls.T(np.arange(9.0).reshape(3, 3))


def told(found, *verdicts):
    return [f"{f['verdict']}: {f['call']}: PyTorch {f['torch']}; minigrad {f['minigrad']}" for f in found if f["verdict"] in verdicts]  # fmt: skip


def test_no_call_is_answered_that_pytorch_refuses_or_answers_otherwise():
    found = fuzz.fuzz(CALLS, seed=1)
    assert len(found) == CALLS
    own = [f for f in found if "." not in f["name"] or f["name"].startswith("Tensor.")]  # functions and methods
    if CALLS == 600:
        assert told(own, "taken", "different") == []
    rare = told(found, "taken", "different")
    assert len(rare) <= max(4, CALLS // 300), "\n".join(rare)
    assert told(found, "crash") == []
    assert len(told(own, "stray")) <= CALLS // 2000
    assert len(told(found, "class", "stray")) <= CALLS // 100
    assert len(told(found, "refused")) <= CALLS // 200


def test_the_errors_are_of_pytorchs_class():
    """Of the errors that PyTorch raises too, at least 95 % are caught by the same `except`."""
    found = fuzz.of_errors(fuzz.fuzz(300, seed=2))
    assert found["both"] > 100
    assert found["of_class"] >= 0.95 * found["both"]
    assert found["on_purpose"] == found["both"]


def _raised(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except Exception as error:
        return error
    raise AssertionError("the call returned")


LINEAR = {t: t.nn.Linear(3, 2) for t in (minigrad, torch)}


@pytest.mark.parametrize(
    ("call", "own"),
    [
        (lambda t: t.func.vjp(functools.partial(fuzz_objects.FUNCTIONS["square"], t)), True),
        (lambda t: t.utils.checkpoint.checkpoint(functools.partial(fuzz_objects.FUNCTIONS["field"], t), 0.5, t.ones(2), use_reentrant=False), True),
        (lambda t: t.nn.DataParallel(LINEAR[t], device_ids=[0])(t.ones(2, 3), out=3), True),
        (lambda t: LINEAR[t](t.ones(2, 3), None, None), True),
        (lambda t: t.autograd.functional.hessian(object, t.ones(2)), True),
        (lambda t: _raise_in_minigrad(lambda: (0.5).sin()), False),  # the same words, and not the program's function
        (lambda t: _raise_in_minigrad(lambda: len(3)), False),
        (lambda t: _raise_in_minigrad(lambda: minigrad.size.has_parts()), False),  # a helper, called with too little
        (lambda t: _raise_in_minigrad(lambda: minigrad.signature.Union()), False),
    ],
)  # fmt: skip
def test_what_the_programs_function_does_and_how_it_is_called_is_the_programs(call, own):
    """Errors in minigrad's own code, and in calls of its own helpers, are not on purpose, whatever PyTorch says."""
    theirs, ours = _raised(call, torch), _raised(call, minigrad)
    assert type(ours) is type(theirs)
    assert str(ours) == str(theirs)
    assert fuzz.on_purpose(ours, theirs) == own
    assert not fuzz.on_purpose(ours)  # without PyTorch's error nothing is known of whose it is


def _raise_in_minigrad(fault):
    """Have a line of minigrad's own, that is no `raise`, fall over the fault."""
    space = {"fault": fault}
    exec(compile("def fallen():\n    return fault()\n", minigrad.size.__file__, "exec"), space)
    space["fallen"]()


def test_the_words_of_both_engines_must_be_the_same_refusal():
    """A refused call counts as the program's only where PyTorch refuses the same one."""
    ours = _raised(LINEAR[minigrad], minigrad.ones(2, 3), None)
    assert not fuzz.on_purpose(ours, _raised(LINEAR[torch], torch.ones(2, 3), None, None))
    assert not fuzz.on_purpose(ours, _raised(lambda: len(3)))
    assert fuzz.on_purpose(ours, _raised(LINEAR[torch], torch.ones(2, 3), None))


def test_the_report_and_its_file_count_the_errors_of_both_engines(monkeypatch, capsys, tmp_path):
    """What is of another class, or by chance, is counted also where a reason excuses it; what one engine answers is not."""
    calls = [fuzz_calls.Call("sum", [X, dim], {}) for dim in ("a", 5, 0, 7)]
    agreed = list(map(fuzz.judge, calls))
    assert fuzz.of_errors(agreed) == {"both": 3, "of_class": 3, "on_purpose": 3}
    monkeypatch.setattr(
        minigrad, "sum", lambda x, dim: minigrad.ops.sum(x, "a")
    )  # a TypeError, also where 0 is answered
    found = [*agreed, *map(fuzz.judge, calls)]
    monkeypatch.setattr(minigrad, "sum", lambda x, dim: minigrad.ops.tril("a"))  # by chance an AttributeError
    found.append({**fuzz.judge(calls[0]), "verdict": "agree", "reason": "why"})
    counted = {"both": 7, "of_class": 4, "on_purpose": 6}
    line = "errors in both engines: 7, of PyTorch's class or a subclass: 4, 57.1%; raised on purpose: 6, 85.7%"
    monkeypatch.setattr(fuzz, "fuzz", lambda calls, seed, prefixes: found)
    fuzz.main(len(found), 3, tmp_path / "found.json")
    assert line in capsys.readouterr().out.splitlines()
    said = json.loads((tmp_path / "found.json").read_text())
    assert (said["calls"], said["seed"], said["errors"]) == (len(found), 3, counted)
    assert [f["verdict"] for f in said["findings"]] == ["class", "refused", "class"]


def test_reasons_say_what_they_are_for():
    """A reason that no longer compiles, or that would excuse everything, is none."""
    harmless = "sum | sum(float32[2, 3]) | TypeError: no | returns | kind"
    for verdict, pattern, why, _ in fuzz.REASONS:
        assert why
        assert not re.search(pattern, harmless), (verdict, pattern)


def _own_functions():
    """Every function that a module or a class of the engine has under a name."""
    found = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "minigrad":
            for key, value in list(vars(module).items()):
                found[name, key] = value
                if isinstance(value, type) and value.__module__ == name:
                    found |= {(name, key, inner): each for inner, each in vars(value).items() if callable(each)}
    return found


def test_learning_puts_everything_back():
    fuzz_calls.learn(per_name=1)  # what is imported at the first use has been
    before = _own_functions()
    fuzz_calls.learn(per_name=1)
    after = _own_functions()
    ours = {
        name for name, f in after.items() if "fuzz_calls" in getattr(getattr(f, "__code__", None), "co_filename", "")
    }
    assert not ours
    assert before.keys() == after.keys()
    changed = {name for name in before if before[name] is not after[name] and name[-1] != "step"}  # (wrapped anew)
    assert not {name for name in changed if callable(before[name])}


def test_calls_of_nearly_every_name_are_learnt():
    names = {path + name for _, path, name in fuzz_calls.places()}
    learnt = {call.name for call in fuzz_calls.learn(per_name=1)}
    assert len(learnt) > 0.95 * len(names)
    assert {
        "sum",
        "Tensor.sum",
        "nn.functional.linear",
        "nn.Linear",
        "cat",
        "zeros",
        "linalg.inv",
        "fft.fftshift",
    } <= learnt
    assert {
        "optim.SGD",
        "optim.SGD.step",
        "optim.lr_scheduler.StepLR",
        "distributions.Normal.log_prob",
        "func.vmap",
    } <= learnt
    assert {
        "utils.data.DataLoader",
        "utils.checkpoint.checkpoint",
        "nn.init.uniform_",
        "nn.utils.clip_grad_norm_",
    } <= learnt
    assert {"nn.Linear.forward", "nn.LSTM.forward", "nn.utils.rnn.pad_sequence", "autograd.functional.hvp"} <= learnt
    assert minigrad.sum.__wrapped__.__name__ == "sum"  # learning has put everything back


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["--names", "nope."], "--names nope.: no public name begins so"),
        (["--calls", "0"], "--calls: 0: give a whole number from 1 on"),
    ],
)
def test_what_leaves_nothing_to_call_is_refused(more, line, capsys):
    with pytest.raises(SystemExit):
        main(["fuzz", *more])
    assert line in capsys.readouterr().err


def test_names_can_be_chosen():
    calls = [fuzz_calls.Call(name, [], {}) for name in ("sum", "Tensor.sum", "nn.Linear", "linalg.inv")]
    assert [c.name for c in fuzz_calls.chosen(calls, ())] == ["sum", "Tensor.sum", "nn.Linear", "linalg.inv"]
    assert [c.name for c in fuzz_calls.chosen(calls, ("torch.", "nn."))] == ["sum", "nn.Linear"]
    assert [c.name for c in fuzz_calls.chosen(calls, ("Tensor.s",))] == ["Tensor.sum"]


def test_calls_are_drawn_by_number():
    calls = fuzz_calls.learn(per_name=1)
    again = [str(fuzz_calls.drawn(calls, 3, i)) for i in range(20)]
    assert again == [str(fuzz_calls.drawn(calls, 3, i)) for i in range(20)]
    assert len(set(again)) > 15


SWEPT = fuzz_calls.Call(
    "Tensor.addr_", [X, fuzz_calls.T(fuzz_calls.X[:, 0]), fuzz_calls.T(fuzz_calls.X[0])], {"beta": 2}
)


def test_each_argument_is_spoilt_in_every_way():
    """Of one call: every argument but the tensor before the dot in the place of every other kind, type and size."""
    calls = list(fuzz_sweep.swept([SWEPT]))
    for place in (1, 2):
        put = [c.args[place] for c in calls if len(c.args) == 3 and c.args[place] is not SWEPT.args[place]]
        assert all(any(x is other for x in put) for other in fuzz_sweep.OTHERS if other is not None)
        tensors = [x.values for x in put if isinstance(x, fuzz_calls.T)]
        assert {v.dtype for v in tensors} == set(map(np.dtype, fuzz_calls.DTYPES))
        assert {0, 1, 2} <= {v.ndim for v in tensors}
    assert any(not v.size for v in tensors)
    assert {len(c.args) for c in calls} == {1, 2, 3, 4}  # fewer, surplus, by name
    assert any("beta" not in c.kwargs for c in calls)
    assert {"nonsense", "vec1", "vec2", "alpha"} <= {name for c in calls for name in c.kwargs}


def test_a_sweep_runs_and_its_report_says_what_was_put_in_the_place_of_what(capsys):
    calls = [c for c in fuzz_sweep.swept([SWEPT, fuzz_calls.Call("trace", [T33], {})]) if c.name == "trace"]
    assert told(fuzz._found(calls.__getitem__, len(calls)), "taken", "different", "crash", "stray") == []
    found = [{**f, "verdict": "taken"} if f["how"] == "tensor: 'nonsense'" else f for f in map(fuzz.judge, calls)]
    assert "   1 tensor: 'nonsense': trace 1" in fuzz.report(found, by="how")


@pytest.mark.parametrize(
    ("change", "args", "verdict"),
    [
        (lambda x, dim: minigrad.ones(3), [X, 0], "different"),
        (lambda x, dim: minigrad.ops.sum(x, dim).double(), [X, 0], "different"),
        (lambda x, dim: minigrad.ops.sum(x, 0), [X, "a"], "taken"),
        (lambda x, dim: minigrad.ops.sum(x, "a"), [X, 0], "refused"),
        (lambda x, dim: minigrad.ops.sum(x, 5), [X, "a"], "class"),
        (lambda x, dim: minigrad.ops.tril("a"), [X, "a"], "stray"),
    ],
)
def test_faults_are_seen(monkeypatch, capsys, change, args, verdict):
    monkeypatch.setattr(minigrad, "sum", change)
    assert fuzz.judge(fuzz_calls.Call("sum", args, {}))["verdict"] == verdict


def _call(name, *args, then=(), **kwargs):
    return fuzz_calls.Call(name, list(args), kwargs, then=then)


NORMAL = fuzz_calls.New(_call("distributions.Normal", X, 2.0))
SGD = _call("optim.SGD", [fuzz_calls.T(fuzz_calls.X, grad=True)], lr=0.1)


@pytest.mark.parametrize(
    ("name", "change", "call"),
    [
        ("optim.SGD.update_all", lambda self, params, settings: None, SGD),
        ("distributions.Normal.log_prob", lambda self, value: value, _call("distributions.Normal", X, 2.0)),
        ("distributions.Normal.sample", lambda self, shape=(): self.loc.expand((*shape, 2, 3)), _call("distributions.Normal", X, 2.0)),
        ("nn.Tanh.forward", lambda self, x: x, _call("nn.Tanh", then=(X,))),
    ],
)  # fmt: skip
def test_faults_of_objects_are_seen_in_their_use(monkeypatch, capsys, name, change, call):
    assert fuzz.judge(call)["verdict"] == "agree"
    monkeypatch.setattr(f"minigrad.{name}", change)
    assert fuzz.judge(call)["verdict"] == "different"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (_call("distributions.Normal.expand", NORMAL, (2, 2, 3), _instance=5), "agree"),
        (_call("distributions.Normal.sample", NORMAL, nonsense=1), "agree"),
        (_call("optim.SGD.step", fuzz_calls.New(SGD), "nonsense"), "agree"),
        (_call("optim.SGD.step", fuzz_calls.New(SGD), nonsense=1), "agree"),
        (_call("nn.init.eye", X, out=X), "agree"),
        (
            _call("distributions.HalfNormal.icdf", fuzz_calls.New(_call("distributions.HalfNormal", 2.0)), value=X),
            "agree",
        ),
    ],
    ids=str,
)
def test_methods_of_objects_refuse_what_pytorch_refuses(capsys, call, error):
    found = fuzz.judge(call)
    assert (found["verdict"] if not fuzz.reason(found) else "agree") == error, found


@pytest.mark.parametrize(
    "call",
    [
        fuzz_calls.Call("sum", [X, 0], {}), fuzz_calls.Call("sum", [X, "a"], {}), fuzz_calls.Call("Tensor.reshape", [X, -1], {}),
        fuzz_calls.Call("nn.Linear", [3, 4], {}), fuzz_calls.Call("nn.Linear", ["3", 4], {}), fuzz_calls.Call("zeros", [2], {"dtype": fuzz_calls.Named("int64")}),
    ],
    ids=str,
)  # fmt: skip
def test_what_agrees_is_said_to_agree(capsys, call):
    assert fuzz.judge(call)["verdict"] == "agree"
