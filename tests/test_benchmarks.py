"""The benchmarks' own arithmetic and words; that they run is tried on the smallest workload."""

import json
import math
import re
import sys
from pathlib import Path

import pytest

import benchmarks
from benchmarks import calls, compare, engines, forms, lessons, operations, own, profile, report, scaling
from benchmarks.__main__ import arguments, main
from benchmarks.report import RESULTS
from benchmarks.workloads import GROUPS, WORKLOADS
from curriculum.catalog import Lesson

QUICK = ["--rounds", "1", "--seconds", "0.01", "--no-start", "--threads", "1"]
README = Path(benchmarks.__file__).parent / "README.md"


@pytest.fixture(autouse=True)
def no_workloads_stay():
    """What a test loads from a file is gone after it."""
    kept, path = dict(WORKLOADS), list(sys.path)
    yield
    WORKLOADS.clear()
    WORKLOADS.update(kept)
    own._loaded.clear()
    sys.path[:] = path


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["conv9d"], "unknown workload 'conv9d'; there are networks, operations, overheads, network_2_4_1"),
        (["chain", "--engines", "numpy"], "unknown engine 'numpy'; there are minigrad"),
        (["scaling", "height"], "unknown kind 'height'; there are rows"),
        (["profile", "lesson"], "unknown workload 'lesson'"),
        (["operations", "nn.functional.lesson"], "unknown operation 'nn.functional.lesson'; there are where"),
    ],
)
def test_bad_input_gets_one_line(arguments, line, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert line in capsys.readouterr().err


def test_a_workload_is_compared(tmp_path, capsys):
    path = tmp_path / "figures.json"
    assert main(["one_operation", "--rounds", "1", "--seconds", "0.01", "--no-start", "--json", str(path)]) == 0
    figures = json.loads(path.read_text())
    ours, theirs = (figures["workloads"]["one_operation"][engine] for engine in ("minigrad", "torch"))
    assert ours["ratio"] == pytest.approx(theirs["median_s"] / ours["median_s"])
    assert ours["steps"] >= 5
    assert 0 <= ours["peak_bytes"] < ours["process_peak_bytes"]
    assert figures["limits"]["matrix_rate"] > 1e8
    said = capsys.readouterr().out
    assert "one_operation" in said
    assert "GFLOP/s" in said
    assert "what the first three steps added" in said
    assert "one_operation" in report.markdown(figures)
    assert report.picture(figures).startswith(b"\x89PNG")


def test_unequal_results_are_not_timed():
    good, off = [1.0, 0.5], [1.0, 0.51]
    for ours in ("minigrad", "minigrad-compile"):
        with pytest.raises(
            compare.Failed, match=rf"{ours} and torch disagree.*\(does the workload set torch\.manual_seed\?\)"
        ):
            compare._unequal("mlp", {ours: off, "torch": good})
    assert compare._unequal("mlp", {"torch": good, "minigrad": [1.0, 0.500001], "jax": good}) == {}
    assert compare._unequal("mlp", {}) == {}
    for wrong in (off, [1.0, float("nan")]):
        left_out = compare._unequal("mlp", {"jax": wrong, "torch": good, "minigrad": good})
        assert list(left_out) == ["jax"]
        assert "jax and torch disagree" in left_out["jax"]


def test_a_third_engine_that_computes_something_else_is_left_out(monkeypatch):
    """The others are timed, and the table says why there is no time for it."""
    checks = {"torch": [1.0], "minigrad": [1.0], "jax": [2.0]}
    closed = []

    class Worker:
        def __init__(self, engine, *given):
            self.engine = engine
            self.first = {"check": checks[engine], "first_steps_s": 1.0, "peak": 1, "process_peak": 1}

        def round(self, seconds):
            assert self.engine != "jax"
            return {"median": 1.0, "low": 1.0, "high": 1.0, "cpu": 1.0, "steps": 5}

        def close(self):
            closed.append(self.engine)

    monkeypatch.setattr(compare, "Worker", Worker)
    figures = compare.measure("mlp", ["torch", "minigrad", "jax"], 1, 0.1, 1, {})
    assert figures["minigrad"]["ratio"] == 1.0
    assert "jax and torch disagree" in figures["jax"]["error"]
    assert sorted(closed) == ["jax", "minigrad", "torch"]
    checks["minigrad"] = [3.0]
    closed.clear()
    with pytest.raises(compare.Failed, match="minigrad and torch disagree"):
        compare.measure("mlp", ["torch", "minigrad", "jax"], 1, 0.1, 1, {})
    assert sorted(closed) == ["jax", "minigrad", "torch"]


def test_an_engine_that_cannot_run_says_why():
    with pytest.raises(compare.Failed, match="no_such in torch: KeyError"):
        compare.Worker("torch", "no_such", 1, compare.environment(1))


def test_the_children_may_choose_blas_kernels(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert "OPENBLAS_CORETYPE" not in compare.environment(2)
    assert compare.environment(2, "found")["OPENBLAS_CORETYPE"] == "Haswell"
    assert compare.environment(2)["OMP_NUM_THREADS"] == "2"


def test_share_of_the_limit():
    limits = {"matrix_rate": 100e9, "bandwidth": 10e9}
    assert compare.share("matmul", WORKLOADS["matmul"].flops / 50e9, limits) == pytest.approx(0.5)
    assert compare.share("gelu", WORKLOADS["gelu"].bytes / 2.5e9, limits) == pytest.approx(0.25)
    assert compare.share("chain", 1.0, limits) is None


def test_slope():
    sizes = [1, 10, 100, 1000]
    assert scaling.slope(sizes, [math.sqrt(s) for s in sizes]) == pytest.approx(0.5)


def test_profile_names_the_operations_and_leaves_nothing_behind(capsys):
    from minigrad.autograd import differentiate, graph
    from minigrad.ops.linear import Linear

    before = (vars(graph.Operation)["apply"], vars(Linear)["forward"], differentiate.walk)
    assert profile.main(["network_2_4_1", "--seconds", "0.01"]) == 0
    said = capsys.readouterr().out
    for name in ("Linear", "Relu", "BinaryCrossEntropy", "(optimizer Adam)", "(the walk)"):
        assert name in said
    assert (vars(graph.Operation)["apply"], vars(Linear)["forward"], differentiate.walk) == before


# -- a user's own file


def test_a_users_file_is_compared_and_leaves_the_kept_results_alone(tmp_path, monkeypatch, capsys):
    before = {path.name: path.read_bytes() for path in RESULTS.iterdir()}
    (tmp_path / "helper.py").write_text("SHAPE = (3, 4)\n")
    (tmp_path / "mine.py").write_text(
        "from helper import SHAPE\n"
        "from benchmarks.workloads import operation, workload\n\n"
        '@workload("sum of squares", bar=1.5)\n'
        "def squares(torch, prepare):\n"
        "    torch.manual_seed(0)\n"
        "    return operation(torch, prepare, lambda x: (x * x).sum(1), torch.randn(*SHAPE))\n"
    )
    root = Path(benchmarks.__file__).parent.parent
    monkeypatch.setenv("PYTHONPATH", str(root))  # the workers start in the user's folder
    monkeypatch.chdir(tmp_path)
    assert main(["--workloads", "mine.py", *QUICK, "--save", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "squares" in said
    assert "softmax" not in said  # the built-in ones are not asked for
    figures = json.loads((tmp_path / "runs/benchmarks/cpu.json").read_text())
    assert list(figures["workloads"]) == ["squares"]
    ours, theirs = (figures["workloads"]["squares"][engine] for engine in ("minigrad", "torch"))
    assert ours["ratio"] == pytest.approx(theirs["median_s"] / ours["median_s"])
    assert (
        ours["ran"]["operations"] == theirs["ran"]["operations"] == [["Mul", "operation", 1], ["Sum", "operation", 1]]
    )
    assert "| squares | minigrad |" in (tmp_path / "runs/benchmarks/cpu.md").read_text()
    assert (tmp_path / "runs/benchmarks/cpu.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name: path.read_bytes() for path in RESULTS.iterdir()} == before


@pytest.mark.parametrize("own", [False, True])
def test_figures_that_are_kept_are_not_lost_to_a_run_of_fewer(own, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "kept"
    monkeypatch.setattr(benchmarks.__main__, "RUNS" if own else "RESULTS", folder)
    folder.mkdir()
    kept = folder / "cpu.json"
    kept.write_text(json.dumps({"workloads": {"softmax": {}, "cnn": {}}}))
    (tmp_path / "mine.py").write_text("")
    chosen = ["--workloads", str(tmp_path / "mine.py")] if own else []
    monkeypatch.setattr(benchmarks.__main__.own, "load", lambda file: [])
    with pytest.raises(SystemExit) as stopped:
        main([*chosen, "softmax", *QUICK, "--save", "cpu"])
    assert stopped.value.code == 2
    assert "keeps figures of 1 more (cnn)" in capsys.readouterr().err
    assert arguments([*chosen, "softmax", "cnn", *QUICK, "--save", "cpu"]).save == "cpu"
    assert arguments([*chosen, "softmax", *QUICK, "--save", "another"]).save == "another"
    kept.write_text("{")  # damaged: there is nothing to lose
    assert arguments([*chosen, "softmax", *QUICK, "--save", "cpu"]).save == "cpu"


def test_the_example_is_the_readmes_and_the_helps_and_runs(tmp_path, capsys):
    assert f"```python\n{own.EXAMPLE}```" in README.read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["--help"])
    said = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert all(line.strip() in said for line in own.EXAMPLE.splitlines())
    (tmp_path / "mine.py").write_text(own.EXAMPLE)
    assert own.load(tmp_path / "mine.py") == ["rms", "small"]
    values = []
    for engine in ("minigrad", "torch"):
        make = engines.load(engine, 1)
        values.append([read(step()) for name in ("rms", "small") for step, read in [make(name)]])
    assert values[0] == pytest.approx(values[1], rel=1e-5)
    assert own.load(tmp_path / "mine.py") == ["rms", "small"]  # again: the same names are no duplicates of themselves


HEAD = "from benchmarks.workloads import workload\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (None, "mine.py: there is no such file; give the path of a Python file with workloads"),
        ("", 'mine.py has no workloads: put @workload("what a step does") above a function of (torch, prepare)'),
        ("x = 1\ndef f(:\n", "mine.py, line 2: SyntaxError: invalid syntax"),
        (HEAD + "import no_such_module\n", "mine.py, line 2: ModuleNotFoundError: No module named 'no_such_module'"),
        (HEAD + "1 / 0\n", "mine.py, line 2: ZeroDivisionError: division by zero"),
        (
            HEAD + '@workload("x")\ndef softmax(torch, prepare): ...\n',
            "mine.py, line 2: ValueError: there is a workload 'softmax' already: give the function another name",
        ),
        (
            HEAD + '@workload("x")\ndef f(torch, prepare): ...\n@workload("y")\ndef f(torch, prepare): ...\n',
            "mine.py, line 4: ValueError: there is a workload 'f' already: give the function another name",
        ),
        (HEAD + '@workload("x")\ndef networks(torch, prepare): ...\n', "there is a workload 'networks' already"),
        (HEAD + "@workload\ndef f(torch, prepare): ...\n", 'line 2: TypeError: write @workload("what a step does")'),
        (HEAD + '@workload("x")\ndef f(torch): ...\n', "line 2: TypeError: f must take (torch, prepare)"),
        (
            HEAD + '@workload("x", kind="loop")\ndef f(torch, prepare): ...\n',
            "line 2: ValueError: unknown kind 'loop'; there are network, operation, overhead",
        ),
    ],
)
@pytest.mark.parametrize("command", [[], ["profile", "f"]])
def test_a_file_that_cannot_be_used_gets_one_line(command, text, line, tmp_path, capsys):
    path = tmp_path / "mine.py"
    if text is not None:
        path.write_text(text)
    before = dict(WORKLOADS)
    with pytest.raises(SystemExit):
        main([*command, "--workloads", str(path)])
    last = capsys.readouterr().err.splitlines()[-1]
    assert line in last
    assert str(path) in last
    assert before == WORKLOADS  # nothing half-loaded stays


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("torch.ones(3)", "it returned NoneType and not a step: a function without arguments"),
        ("return lambda: 1.0", "its step returned float and not a tensor of"),
        ("import torch as other; return lambda: other.ones(3)", "its step returned torch.Tensor and not a tensor of minigrad"),
    ],
)  # fmt: skip
def test_a_step_that_cannot_be_compared_says_why(body, line, tmp_path):
    (tmp_path / "mine.py").write_text(HEAD + f'@workload("x")\ndef f(torch, prepare):\n    {body}\n')
    own.load(tmp_path / "mine.py")
    with pytest.raises(TypeError, match=re.escape(line)):
        step, read = engines.load("minigrad", 1)("f")
        read(step())


# -- what ran


def watched(name):
    """What a step of the workload runs in each engine, as the workers see it."""
    import minigrad

    found = {}
    threads, kernels = minigrad.get_num_threads(), minigrad.use_kernels
    for engine in ("minigrad", "torch"):
        step, _ = engines.load(engine, 1)(name)
        step()
        found[engine] = {"ran": forms.watch(engine, step)}
    with kernels(False):
        step, _ = engines._like_torch("minigrad-plain", minigrad, lambda function: function)(name)
        found["minigrad-plain"] = {"ran": forms.watch("minigrad-plain", step)}
    minigrad.set_num_threads(threads)
    return found


def test_what_ran_is_seen_in_the_step_itself():
    found = watched("mlp")
    names = ["Linear", "Relu", "Linear", "Relu", "Linear", "CrossEntropyLoss"]
    assert [name for name, *_ in found["minigrad"]["ran"]["operations"]] == names
    assert found["minigrad"]["ran"]["operations"][-1][1] == "fused"
    assert [name for name, *_ in found["torch"]["ran"]["operations"]] == [
        "Addmm", "Relu", "Addmm", "Relu", "Addmm", "LogSoftmax", "NllLossForward",
    ]  # fmt: skip
    ((loop, form),) = found["minigrad"]["ran"]["optimizer"]
    assert ("adam" in loop, form) == (True, "compiled")
    lines = forms.differences({engine: found[engine] for engine in ("minigrad", "torch")})
    assert lines[0] == "minigrad runs CrossEntropyLoss (fused) where torch composes LogSoftmax, NllLossForward"
    assert lines[1].startswith(f"minigrad updates by {loop} (compiled) where torch composes ")
    assert "Sqrt" in lines[1]
    assert len(lines) == 2
    assert forms.count(found["minigrad"]["ran"]).startswith("6 operations, ")
    assert forms.count(found["torch"]["ran"]) == "7 operations"


def test_a_compiled_loop_is_told_from_numpy_and_from_the_definition():
    found = watched("softmax")
    assert found["minigrad"]["ran"]["operations"] == [["Softmax", "compiled", 1]]
    assert found["torch"]["ran"]["operations"] == [["Softmax", "operation", 1]]
    plain = [name for name, form, _ in found["minigrad-plain"]["ran"]["operations"] if form == "operation"]
    assert {"Exp", "Sum", "Div"} <= set(plain)
    assert "Softmax" not in plain
    assert forms.count(found["minigrad"]["ran"]) == "1 operation, compiled"
    (line,) = forms.differences(found)  # between minigrad's kernel and PyTorch's there is nothing to say
    assert line.startswith("torch runs Softmax where minigrad-plain composes ")


def test_what_ran_is_seen_without_a_graph_and_in_an_optimizer_alone():
    import torch

    import minigrad

    def inference(engine):
        layer, x = engine.nn.Linear(3, 3), engine.ones(2, 3)

        def step():
            with engine.no_grad():
                return engine.nn.functional.rms_norm(layer(x), (3,)).reshape(-1)

        return step

    ours, theirs = forms.watch("minigrad", inference(minigrad)), forms.watch("torch", inference(torch))
    assert [name for name, *_ in ours["operations"]] == ["Linear", "RmsNorm"]
    assert ours["operations"][1] == ["RmsNorm", "fused", 1]
    assert theirs["operations"][0][0] == "Addmm"
    assert "Rsqrt" in [name for name, *_ in theirs["operations"]]
    assert not any(name in ("Reshape", "View", "T") for name, *_ in theirs["operations"])
    assert forms.watch("jax", lambda: None) is None
    assert sys.getprofile() is None


def test_a_compiled_graph_is_one_operation():
    import torch

    compiled = torch.compile(lambda x: torch.tanh(x).exp().sum(), backend="eager")
    x = torch.ones(3, requires_grad=True)
    compiled(x)
    found = forms.watch("torch-compile", lambda: compiled(x).backward())
    assert found["operations"] == [["Torch-Compiled Region", "compiled", 1]]
    ours = {"ran": ran("Tanh", "Exp", "Sum")}
    (line,) = forms.differences({"minigrad": ours, "torch-compile": {"ran": found}})
    assert line == "torch-compile runs Torch-Compiled Region (compiled) where minigrad composes Tanh, Exp, Sum"


def test_the_profile_hook_is_taken_away_where_a_step_raises():
    import minigrad

    x = minigrad.ones(2, requires_grad=True)
    with pytest.raises(ZeroDivisionError):
        forms.watch("minigrad", lambda: x.exp() / (1 // 0))
    assert sys.getprofile() is None


def ran(*names):
    return {"operations": [[name, "operation", 1] for name in names], "optimizer": []}


def test_unlike_learns_names_by_their_places():
    assert forms.unlike(ran("Linear", "Relu", "Loss"), ran("Addmm", "Relu", "Loss")) == []
    places = forms.unlike(ran("Linear", "Relu", "Linear", "Loss"), ran("Addmm", "Relu", "Addmm", "Log", "Nll"))
    assert places == [([("Loss", "operation")], [("Log", "operation"), ("Nll", "operation")])]
    places = forms.unlike(ran("Mul", "Erf", "Add"), ran("Gelu"))
    assert [(len(x), len(y)) for x, y in places] == [(3, 1)]
    twice = forms.unlike(ran("A", "X", "A", "X"), ran("B", "C", "X", "B", "C", "X"))
    assert len(twice) == 1  # each place once


def test_the_report_says_what_was_not_like_for_like():
    entry = {"median_s": 1.0, "low_s": 1.0, "high_s": 1.0, "peak_bytes": 0, "ratio": 1.0}
    ours = entry | {"ran": {"operations": [["CrossEntropyLoss", "compiled", 1]], "optimizer": []}}
    theirs = entry | {"ran": ran("LogSoftmax", "NllLossForward")}
    figures = {"minigrad": ours, "torch": theirs}
    results = {
        "machine": dict.fromkeys(("date", "cores", "cpu", "threads", "python", "numpy", "blas", "torch"), ""),
        "limits": {"matrix_rate": 1.0, "bandwidth": 1.0}, "workloads": {"cross_entropy": figures, "mlp": figures},
        "geometric_mean_of_operations": 1.0, "start": {e: {"cold_s": 1.0, "warm_s": 1.0} for e in ("minigrad", "torch")},
    }  # fmt: skip
    line = (
        "cross_entropy, mlp: minigrad runs CrossEntropyLoss (compiled) where torch composes LogSoftmax, NllLossForward"
    )
    assert line in report.markdown(results)
    assert f"- {line}" in report.quote(results)
    head, rows = report.table(results)
    assert head[-1] == "ran"
    assert [row[-1] for row in rows[:2]] == ["1 operation, compiled", "2 operations"]
    for figure in (ours, theirs):
        del figure["ran"]
    assert report.table(results)[0][-1] == "peak memory"  # figures of before, in which nobody looked
    assert "like for like" not in report.markdown(results)


def test_groups_and_kinds_are_one_table():
    assert {w.kind for w in WORKLOADS.values()} == set(GROUPS.values())


def test_every_workload_can_be_made():
    assert all(w.bar is None or w.bar >= 1 for w in WORKLOADS.values())
    for name in ("network_2_4_1", "sine", "mlp", "softmax", "one_operation"):
        step, read = engines.load("minigrad", 1)(name)
        assert math.isfinite(read(step()))


def test_the_readme_quotes_the_kept_results() -> None:
    results = json.loads((RESULTS / "cpu.json").read_text(encoding="utf-8"))
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    quoted = readme.split("<!-- python -m benchmarks quote -->\n")[1].split("\n<!-- end -->")[0]
    assert quoted == report.quote(results)
    assert (RESULTS / "cpu.md").read_text(encoding="utf-8") == report.markdown(results)


def test_operations_are_timed_in_both_engines(tmp_path, capsys):
    kept = tmp_path / "table.md"
    arguments = [
        "topk",
        "numel",
        "--elements",
        "1000",
        "2000",
        "--seconds",
        "0.001",
        "--rounds",
        "1",
        "--save",
        str(kept),
    ]
    assert main(["operations", *arguments]) == 0
    said = capsys.readouterr().out
    for size in ("1,000", "2,000"):
        assert f"| topk | its own | {size} | forward |" in said
        assert f"| topk | its own | {size} | and backward |" in said
        assert f"{size} elements: 2 measurements" in said
    assert "not timed: numel (no known way to call it in both engines)" in said
    assert kept.read_text() == said


def test_an_operation_that_takes_too_long_is_named():
    found, left = operations.measure(["topk", "exp"], [1000], 0.001, 1, 1e-3)
    assert found == []
    assert left == dict.fromkeys(("topk", "exp"), "torch takes longer than 0.001 s")


def test_there_is_a_way_to_call_nearly_every_operation():
    import torch

    names = calls.names()
    assert len(names) > 400
    strange = set(calls.special(torch, 100)) - set(names)
    assert all("pool" in name for name in strange), strange  # of these some stand in one place only


STEPS = """
from curriculum.engine import torch
x = torch.ones(400, 100, requires_grad=True)
x.sum().backward()
torch.softmax(x, -1)[0, 0].backward()  # its loop is compiled, unless it is kept
x.sum().backward()
"""


def test_the_step_that_waits_longest_for_an_empty_kernel_cache_is_found(tmp_path):
    pytest.importorskip("numba")
    path = tmp_path / "99_steps.py"
    path.write_text(STEPS, encoding="utf-8")
    step, empty, filled = lessons.measure(Lesson("99", path))
    assert step == 2
    assert empty - filled > 0.1  # seconds
    path.write_text("print('no step at all')", encoding="utf-8")
    assert lessons.measure(Lesson("99", path)) is None
    path.write_text("1 / 0", encoding="utf-8")
    with pytest.raises(SystemExit, match="lesson 99: ZeroDivisionError"):
        lessons.measure(Lesson("99", path))
