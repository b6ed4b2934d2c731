"""parity.check, the strategies, the command, and the checker itself: planted faults must be found."""

import json
import re
import warnings
from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch
from hypothesis import given, settings

import minigrad
import parity
from parity import strategies
from parity.__main__ import MEANING, main
from parity.agreement import Example, Mismatch, Tally, check_case, differ
from parity.case import CASES
from parity.cases import FAMILIES
from parity.engines import ENGINES, POSITIONS
from parity.inputs import Input, Seeded
from parity.mutants import MUTANTS, caught, planted

assert FAMILIES
X = np.linspace(-1.5, 2.0, 6).reshape(2, 3)


# -- planted faults


@pytest.mark.parametrize("name", MUTANTS)
def test_planted_fault_is_found(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in MUTANTS[name].cases:
            check_case(CASES[case], 10)  # right before the fault is planted ...
        found = caught(name)
        for case in MUTANTS[name].cases:
            check_case(CASES[case], 5)  # ... and after it is taken out
    assert found, f"none of {MUTANTS[name].cases} noticed"


def test_there_are_enough_faults():
    assert len(MUTANTS) >= 100


# -- measuring


def test_differ_measures():
    a = np.array([1.0, 2.0, 1e-20])
    assert differ(a, a.copy(), per_element=True, floor=0.0).relative == 0
    d = differ(a + [0, 2e-10, 0], a, per_element=True, floor=0.0)
    assert d.relative == pytest.approx(1e-10, rel=1e-3)
    assert d.index == (1,)
    assert differ(a + [0, 0, 1e-20], a, per_element=True, floor=0.0).relative == pytest.approx(1.0)
    assert differ(a + [0, 0, 1e-20], a, per_element=True, floor=0.1).relative < 1e-18


@pytest.mark.parametrize(("got", "expected"), [
    ([np.nan], [1.0]), ([1.0], [np.nan]), ([np.inf], [1.0]), ([np.inf], [-np.inf]), ([np.nan], [np.inf]), ([1], [2]), ([True], [False]),
])  # fmt: skip
def test_differ_is_infinite(got, expected):
    assert differ(np.array(got), np.array(expected), per_element=False, floor=1.0).relative == np.inf


def test_differ_special_values_are_equal():
    a = np.array([np.nan, np.inf, -np.inf, 0.0])
    assert differ(a, a.copy(), per_element=True, floor=0.0).relative == 0


# -- what cancellation leaves

LARGE = "nn.functional.scaled_dot_product_attention.large"


def exact(q, k, v, attn_mask=None, is_causal=False, scale=None, *, cotangent):
    """Attention's gradients by q, k and v in numbers of 60 digits."""
    digits, exp = np.frompyfunc(lambda x: Decimal(float(x)), 1, 1), np.frompyfunc(Decimal.exp, 1, 1)
    with localcontext() as context:
        context.prec = 60
        s = 1 / Decimal(q.shape[-1]).sqrt() if scale is None else Decimal(scale)
        q, k, v, grad = (digits(x) for x in (q, k, v, cotangent))
        scores = s * (q @ k.swapaxes(-1, -2))
        if is_causal:
            attn_mask = np.tri(*scores.shape[-2:], dtype=bool)
        if attn_mask is not None and attn_mask.dtype == bool:
            scores = np.where(attn_mask, scores, Decimal("-Infinity"))
        elif attn_mask is not None:
            scores = scores + digits(attn_mask)
        p = exp(scores - scores.max(-1, keepdims=True))
        p = p / p.sum(-1, keepdims=True)
        dp = grad @ v.swapaxes(-1, -2)
        ds = p * (dp - (p * dp).sum(-1, keepdims=True))
        found = s * (ds @ k), s * (ds.swapaxes(-1, -2) @ q), p.swapaxes(-1, -2) @ grad
        return [x.astype(float) for x in found]


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("seed", [552, 318, 13, 99])  # the engines differ by more than 1e-10 of what is left
def test_gradients_of_attention_are_rounded_as_the_numbers_that_cancel(seed, position):
    example = Example(CASES[LARGE], Seeded(seed), Tally(), position)
    example.check()
    args, kwargs = [x.array for x in example.call.args], example.call.kwargs
    kwargs = {name: getattr(x, "array", x) for name, x in kwargs.items()}
    (given,) = example.cotangents
    truth = exact(*args, **kwargs, cotangent=given.array)
    sizes = CASES[LARGE].cancels(*args, **kwargs, cotangent=given.array)
    left = [np.abs(x).max() / size.max() for x, size in zip(truth, sizes, strict=False)]
    assert min(left) < 1e-3  # most has cancelled
    for engine in ENGINES:
        inputs = [engine.tensor(x) for x in example.call.args]
        with minigrad.use_kernels(position):
            out = engine.module.nn.functional.scaled_dot_product_attention(
                *inputs, **{n: engine.tensor(x) if isinstance(x, Input) else x for n, x in example.call.kwargs.items()}
            )
            found = engine.module.autograd.grad(out, inputs, engine.tensor(given, requires_grad=False))
        for g, expected, size in zip(found, truth, sizes, strict=False):
            error = np.abs(engine.array(g).astype(float) - expected).max()
            assert (
                error <= np.finfo(args[0].dtype).eps * size.max()
            )  # one rounding of the largest: the measure allows 8


@pytest.mark.parametrize("factor", [1 + 1e-9, 1 - 1e-3])
def test_a_small_fault_in_what_cancellation_leaves_is_found(factor, monkeypatch):
    operation = minigrad.ops.attention.ScaledDotProductAttention
    right = operation.backward
    wrong = staticmethod(lambda ctx, grad: tuple(None if g is None else g * factor for g in right(ctx, grad)))
    check_case(CASES[LARGE], 60, position="numpy")
    monkeypatch.setattr(operation, "backward", wrong)
    with pytest.raises(Mismatch, match="gradient of input"):
        check_case(CASES[LARGE], 60, position="numpy")


# -- the form of fused operations


def test_each_example_draws_a_form_and_says_it():
    tally = check_case(CASES["exp"], 80)
    assert set(tally.positions) == set(POSITIONS)
    assert min(tally.positions.values()) > 8
    assert sum(tally.positions.values()) == tally.examples == 80
    with planted("Gelu: an error of 1e-6"):
        check_case(CASES["nn.functional.gelu"], 40, position="definition")  # it is in another form
        with pytest.raises(Mismatch, match="fused operations: numpy") as error:
            check_case(CASES["nn.functional.gelu"], 40, position="numpy")
    assert str(error.value).endswith("--examples 1 --form numpy")


def test_the_command_runs_one_form_or_all(capsys):
    assert main(["gelu", "exp", "--examples", "30"]) == 0
    counts = re.search(r"fastest (\d+), definition (\d+), numpy (\d+), compiled (\d+)", capsys.readouterr().out)
    assert all(int(n) > 0 for n in counts.groups())
    assert main(["gelu", "--examples", "30", "--form", "compiled"]) == 0
    out = capsys.readouterr().out
    assert "fastest 0, definition 0, numpy 0, compiled 30" in out.replace("\n", " ")
    assert "1 of 1 case apply fused operations, 1 of them a compiled one" in out


# -- parity.check


class TorchSquare(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return torch.square(a)

    @staticmethod
    def backward(ctx, grad):
        (a,) = ctx.saved_tensors
        return 2 * a * grad


class TorchWrongSquare(TorchSquare):
    @staticmethod
    def backward(ctx, grad):
        (a,) = ctx.saved_tensors
        return 3 * a * grad


class MinigradCube(minigrad.autograd.Function):
    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return minigrad.pow(a, 3)

    @staticmethod
    def backward(ctx, grad):
        (a,) = ctx.saved_tensors
        return 3 * a**2 * grad


class MinigradWrongCube(MinigradCube):
    @staticmethod
    def backward(ctx, grad):
        (a,) = ctx.saved_tensors
        return 3 * a**2  # forgets the incoming gradient


@pytest.mark.parametrize("fn", [
    lambda x: (x.exp() + 1).log(),
    lambda torch, x: torch.tanh(x) * x,
    lambda x: (x**2).sum(),
    lambda x: (x, x * x),
    TorchSquare.apply,
    MinigradCube.apply,
])  # fmt: skip
def test_check_says_right(fn):
    report = parity.check(fn, X)
    assert report, str(report)
    assert "right" in str(report)


@pytest.mark.parametrize("fn", [TorchWrongSquare.apply, MinigradWrongCube.apply])
def test_check_says_wrong(fn):
    report = parity.check(fn, X)
    assert not report
    assert "WRONG" in str(report)
    assert "gradient by input 0: wrong at [" in str(report)
    assert "expected" in str(report)


def test_check_names_the_factor():
    assert "1.5 times what it should be" in str(parity.check(TorchWrongSquare.apply, X))


def test_check_takes_modules_and_tensors():
    assert parity.check(minigrad.nn.Linear(3, 2).double(), minigrad.tensor(X))
    assert parity.check(torch.nn.Linear(3, 2).double(), torch.tensor(X))


def test_check_names_the_input():
    class Product(minigrad.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return minigrad.mul(a, b)

        @staticmethod
        def backward(ctx, grad):
            a, b = ctx.saved_tensors
            return grad * b, grad * b

    text = str(parity.check(Product.apply, X, X + 3))
    assert "gradient by input 0: agrees" in text
    assert "gradient by input 1: wrong" in text


@pytest.mark.parametrize(("fn", "word"), [
    (lambda x: x.detach() * 2, "autograd recorded"),
    (lambda x: 3.0, "floating tensor"),
    (lambda x: x > 0, "floating tensor"),
    (lambda torch, x: x * torch.rand(x.shape), "random"),
    (lambda x: x.nonsense(), "neither engine"),
])  # fmt: skip
def test_check_says_why_not(fn, word):
    with pytest.raises(parity.Unanswerable, match=word):
        parity.check(fn, X)


def test_check_needs_floats():
    with pytest.raises(parity.Unanswerable, match="differentiate"):
        parity.check(lambda x: x * 2, np.arange(3))


# -- strategies


@given(xs=strategies.broadcastable(3))
def test_broadcastable(xs):
    np.broadcast_shapes(*xs)


@given(x=strategies.inputs(mode="ties", max_dims=3))
def test_layouts_hold_their_values(x):
    """Each engine sees the same values, whatever the layout."""
    from parity.engines import MINIGRAD, TORCH

    assert x.array.shape == x.shape
    for engine in (MINIGRAD, TORCH):
        np.testing.assert_array_equal(engine.array(engine.tensor(x)), x.array)


@given(x=strategies.tensors(minigrad, domain=strategies.POSITIVE))
def test_tensors_are_in_the_domain(x):
    assert isinstance(x, minigrad.Tensor)
    assert (x.detach().numpy() > 0).all()


@given(i=strategies.indices((3, 2), 5), m=strategies.masks((4,)))
def test_indices_and_masks(i, m):
    assert ((i.array >= 0) & (i.array < 5)).all()
    assert m.array.dtype == bool


@settings(max_examples=10)
@given(c=strategies.cotangents((3, 4)))
def test_cotangents_are_not_ones(c):
    assert np.unique(c.array).size > 1


# -- the command


def test_command(tmp_path, capsys):
    target = tmp_path / "report.json"
    assert main(["add", "--examples", "5", "--json", str(target)]) == 0
    out = capsys.readouterr().out
    assert "arithmetic" in out
    assert "0 wrong" in out
    found = json.loads(target.read_text())
    assert found["add"]["examples"] == 5
    assert found["add"]["error"] is None


def test_command_fails_on_a_fault(capsys):
    with planted("Mul: gradients swapped"):
        assert main(["mul", "--examples", "50"]) == 1
    out = capsys.readouterr().out
    assert "gradient of input" in out
    assert "--seed" in out


def test_command_names_what_is_near():
    with pytest.raises(SystemExit, match="similar: .*gelu"):
        main(["gel"])
    with pytest.raises(SystemExit, match="families"):
        main(["zzz"])


def test_the_report_has_a_page_for_each_case(tmp_path, capsys):
    from parity.__main__ import main

    assert (
        main(["gelu", "maximum", "--examples", "15", "--html", str(tmp_path), "--json", str(tmp_path / "a.json")]) == 0
    )
    index = (tmp_path / "index.html").read_text()
    page = (tmp_path / "cases" / "nn.functional.gelu.html").read_text()
    assert 'href="cases/nn.functional.gelu.html"' in index
    assert "none wrong" in index
    for part in (
        "dx = grad · (Φ(x) + x · φ(x))",
        "minigrad/ops/activation.py:",
        "<svg",
        "15 examples",
        "No jump was measured at 0",
    ):
        assert part in page
    assert "jumps" not in page
    assert "The derivative jumps at 0, 1." in (tmp_path / "cases" / "maximum.html").read_text()
    assert "0.5, 0.5" not in page
    assert "maximum, equal" in (tmp_path / "cases" / "maximum.html").read_text()
    assert "http" not in page
    assert json.loads((tmp_path / "a.json").read_text())["nn.functional.gelu"]["bins"]["value"]
    said = capsys.readouterr().out
    assert "report: " in said


def test_programs_on_the_command_line(tmp_path, capsys):
    from parity.__main__ import main

    assert main(["programs", "--examples", "20", "--json", str(tmp_path / "p.json")]) == 0
    assert "20 programs of" in capsys.readouterr().out
    assert json.loads((tmp_path / "p.json").read_text())["failures"] == []


def test_one_dtype_only(capsys):
    from parity.__main__ import main

    assert main(["gelu", "--examples", "10", "--dtype", "float32"]) == 0
    assert main(["gelu", "--examples", "10", "--dtype", "float64"]) == 0
    first, second = capsys.readouterr().out.split("1 case, 10 examples")[:2]
    assert "-" in first
    assert "e-1" not in first
    assert "e-1" in second


WRONG = """
def product(torch, x, y):
    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x * y.exp()

        @staticmethod
        def backward(ctx, grad):
            x, y = ctx.saved_tensors
            return grad * y.exp(), (grad * y.exp()).sum(0)  # x is forgotten

    return Product.apply(x, y)
"""


ITS_OWN_FILE = """
import minigrad as M
import minigrad as torch
import numpy as np
import parity

F = M.nn.functional
k = 3.0
layer = M.nn.Linear(3, 3)


class Swish(M.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x.sigmoid()

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x.sigmoid() * k


def g(x):
    return Swish.apply(x)


def h(x):
    return F.relu(x) * torch.ones(3) + g(x) * float(np.pi)


def value(x, weights=k):
    return [h(part) for part in (x,)][0] * weights


def made(step):
    def inputs(x):
        return g(x) * step
    return inputs


def with_a_layer(x):
    return g(x) + layer(x.float()).double()


found = made(2)
x = M.tensor([0.5, -1.0, 2.0], dtype=M.float64)
for fn in (Swish.apply, g, h, value, found, with_a_layer):
    print(parity.check(fn, x).script)
    print("-----")
"""


def test_a_script_brings_in_what_the_function_reads(tmp_path):
    """Modules under whatever name, numbers, other functions and classes, and what functions around it hold; names that are the
    script's own too. What cannot be written is named."""
    import os
    import subprocess
    import sys

    def run(file):
        env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run(
            [sys.executable, file], cwd=tmp_path, capture_output=True, text=True, env=env, check=False
        )

    (tmp_path / "mine.py").write_text(ITS_OWN_FILE)
    done = run("mine.py")
    assert done.returncode == 0, done.stderr
    *scripts, with_a_layer, _ = done.stdout.split("-----\n")
    assert len(scripts) == 5
    for i, script in enumerate(scripts):
        assert "Bring in" not in script
        (tmp_path / f"shows_{i}.py").write_text(script)
        shown = run(f"shows_{i}.py")
        assert shown.returncode == 0, f"{script}\n{shown.stderr}"
        backward, differences = (float(line.split()[-1]) for line in shown.stdout.splitlines())
        assert abs(backward - differences) > 1e-3
    assert "# Bring in here layer, a Linear." in with_a_layer


def test_what_is_asked_for_and_is_not_there_is_named(capsys):
    for asked, said in (
        (["programs", "wrties"], "programs is followed by writes or no name, not by 'wrties'"),
        (["faults", "gelu", "mul"], "faults is followed by no name, not by 'gelu mul'"),
    ):
        with pytest.raises(SystemExit) as stopped:
            main(asked)
        assert stopped.value.code == 2
        assert said in capsys.readouterr().err
    with pytest.raises(SystemExit, match="no case or family called 'geluu'; similar: gelu"):
        main(["geluu"])


def test_a_wrong_gradient_comes_with_a_script_that_shows_it(tmp_path, monkeypatch):
    import os
    import subprocess
    import sys

    (tmp_path / "mine.py").write_text(WRONG)
    monkeypatch.syspath_prepend(str(tmp_path))
    from mine import product

    report = parity.check(product, X, np.array([0.1, 0.2, 0.3]))
    assert not report
    place, index = report.wrong
    assert place == 1
    assert report.script in str(report)
    assert "parity" not in report.script
    assert "hypothesis" not in report.script
    (tmp_path / "shows.py").write_text(report.script)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "shows.py"], cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path},
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = {tuple(line.split()[:2]): float(line.split()[-1]) for line in done.stdout.splitlines()}
    for engine in ("minigrad", "torch"):
        backward, differences = found[engine, "backward:"], found[engine, "differences:"]
        assert abs(backward - differences) > 1e-3
    assert len(index) == 1


def test_modules_are_checked_by_their_parameters_too():
    for engine in (minigrad, torch):
        report = parity.check(engine.nn.Linear(3, 2), X)
        assert report, str(report)
        assert "gradient by parameter weight: agrees" in str(report)


def test_a_result_without_gradient_is_told():
    with pytest.raises(parity.Unanswerable, match="a tensor of minigrad.bool, which has no gradient"):
        parity.check(lambda x: x > 0, X)


@pytest.mark.parametrize(
    ("fn", "departs"),
    [
        (lambda x: (x.detach() * x).sum(), "gradient"),
        (lambda x: (x * x).sum(), ""),
    ],
)
def test_a_gradient_that_departs_from_the_values_is_not_headed_as_right(fn, departs):
    report = parity.check(fn, np.array([0.5, -1.5]))
    head = str(report).splitlines()[0]
    assert report
    assert report.departs == departs
    assert ("NOT the derivative of the function's values" in head) == bool(departs)
    assert ("right at these inputs" in head) == (not departs)


# What means something where: everything else is refused by its name.
@pytest.mark.parametrize("mode", MEANING)
def test_options_that_mean_nothing_are_refused_by_name(mode, capsys, tmp_path):
    values = {"calls": "3", "prefixes": "torch.", "examples": "3", "seed": "0", "json": str(tmp_path / "x"), "html": str(tmp_path), "dtype": "float32", "form": "numpy"}  # fmt: skip
    written = {"prefixes": "--names"}
    asked = mode.replace("cases", "gelu").split()
    for option in (*values, "sweep", "list"):
        more = [written.get(option, f"--{option}"), *([values[option]] if option in values else [])]
        if option in MEANING[mode] or f"{mode} {more[0]}" in MEANING:
            continue
        with pytest.raises(SystemExit) as ended:
            main([*asked, *more])
        assert ended.value.code == 2, (mode, option)
        assert f"{more[0]} means nothing of {mode}" in capsys.readouterr().err
