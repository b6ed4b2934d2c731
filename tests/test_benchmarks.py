"""The benchmarks' own arithmetic and words; that they run is tried on the smallest workload."""

import json
import math
from pathlib import Path

import pytest

from benchmarks import compare, engines, profile, report, scaling
from benchmarks.__main__ import RESULTS, main
from benchmarks.workloads import WORKLOADS


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["conv9d"], "unknown workload 'conv9d'; there are networks, operations, overheads, network_2_4_1"),
        (["chain", "--engines", "numpy"], "unknown engine 'numpy'; there are minigrad"),
        (["scaling", "height"], "unknown kind 'height'; there are rows"),
        (["profile", "lesson"], "unknown workload 'lesson'"),
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


def test_unequal_results_are_not_timed(monkeypatch):
    with pytest.raises(compare.Failed, match="minigrad and torch disagree"):
        compare._check_equal("mlp", {"torch": [1.0, 0.5], "minigrad": [1.0, 0.51]})
    compare._check_equal("mlp", {"torch": [1.0, 0.5], "minigrad": [1.0, 0.500001]})


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
