"""Random programs in both engines, and that a fault in the engine is found by them and printed as a short script."""

import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import find, given, settings

import minigrad
from parity import programs, strategies
from parity.agreement import Mismatch
from parity.mutants import planted

EXAMPLES = 50_000 if settings().max_examples >= 1000 else 1_000


@pytest.mark.parametrize("part", range(4))  # for the tests' processes to share
def test_random_programs(part):
    found = programs.run(EXAMPLES // 4, seed=part)
    assert not found["failures"], found["failures"][0]
    assert found["worst"] <= programs.LIMIT
    assert found["operations"] > 10 * found["examples"]
    assert min(found["positions"].values()) > 0.15 * found["examples"]  # each form of fused operations
    assert found["both_refuse"] + found["one_refuses"] < 0.1 * found["examples"]


@given(program=strategies.programs())
@settings(max_examples=50)
def test_programs_that_hypothesis_draws(program):
    programs.compare(program)


def test_programs_are_of_every_kind():
    text = "\n".join(line for i in range(150) for line in programs.draw(programs.Seeded(i)).lines)
    for pattern in (
        r"\[.*\] = ", r"\.mul_\(", r"for _ in range", r"if .*\.item\(\) >", r"\.transpose\(", r"\.expand\(", r" @ ", r"\.sum\(",
        r"\.index_select\(", r"torch\.cat\(", r"\.detach\(\) \*", r"torch\.softmax", r" \*= ", r"torch\.where",
    ):  # fmt: skip
        assert re.search(pattern, text), pattern


def fails(program):
    try:
        programs.compare(program)
    except Mismatch:
        return True
    return False


@pytest.mark.parametrize(
    "fault",
    [
        "unbroadcast: takes one row, where rows must be added",
        "index: assigns where it must add",
    ],
)
def test_a_fault_shrinks_to_a_short_program(fault, tmp_path):
    with planted(fault):
        program = find(strategies.programs(), fails, settings=settings(max_examples=500, deadline=None, database=None))
        with pytest.raises(Mismatch) as error:
            program = programs.shorten(program)
            programs.compare(program)
    assert len(program.lines) <= 2, program.script()
    script = str(error.value).partition("import minigrad\n")
    assert script[1]
    path = tmp_path / "difference.py"
    path.write_text(script[1] + script[2])
    assert "parity" not in path.read_text()
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    differences = [float(d) for d in re.findall(r"difference (\S+)", done.stdout)]
    assert differences
    assert max(differences) < 1e-12  # without the fault, the same script finds none


def test_both_engines_refuse_what_overwrites_a_saved_value():
    lines = ["v0 = torch.tanh(a)", "v1 = v0 * 2", "v0.mul_(0.7)"]
    program = programs.Program({"a": np.array([0.3, 0.4])}, set(), lines, ["v0", "v1"])
    assert programs.compare(program).raised
    for engine in (minigrad, torch):
        assert "modified by an inplace operation" in str(programs.execute(engine, program).error)
