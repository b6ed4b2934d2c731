"""README's "Adding an operation", followed to the letter in a copy of the tree: its parts are put where they say, its commands run.

Then each is done wrongly: without its case, and with a wrong backward.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(python)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACE = re.compile(
    r"# (?:at the end of (?P<end>\S+)|in (?P<file>\S+), (?P<how>below|in place of): (?P<line>.*)|(?P<new>[\w/]+\.py))\n"
)


def recipes():
    """By its title in bold: the parts of a recipe, each with the match that says where it goes, and its commands."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("\n## Adding an operation\n")[2].partition("\n## ")[0]
    _, *rest = re.split(r"^\*\*([^*]+)\*\*", section, flags=re.MULTILINE)
    found = {}
    for title, text in zip(rest[::2], rest[1::2], strict=True):
        parts, commands = found[title.strip(".")] = [], []
        for language, block in BLOCK.findall(text):
            if not language:
                commands += block.splitlines()
                continue
            place = PLACE.match(block)
            assert place, f"{title}: the first line of a block says where it goes\n{block}"
            parts.append((place, block[place.end() :]))
    return found


RECIPES = recipes()
TITLES = [
    "A function that PyTorch has", "A function that PyTorch lacks", "A module", "A fused operation", "A benchmark of it",
]  # fmt: skip


def follow(tree, place, part):
    """Put a part where its first line says."""
    if place["new"]:
        path = tree / place["new"]
        assert not path.exists(), f"{path} is there already"
        path.write_text(part, encoding="utf-8")
        return
    path = tree / (place["end"] or place["file"])
    text = path.read_text(encoding="utf-8")
    if place["end"]:
        text += ("\n\n" if part.startswith(("class", "def", "@")) else "\n") + part
    else:
        (line,) = (line for line in text.splitlines(keepends=True) if line.strip() == place["line"])
        text = text.replace(line, (line if place["how"] == "below" else "") + part)
    path.write_text(text, encoding="utf-8")


def copied(to, without=()):
    """A copy of the tree in which the recipes were followed, without the parts that go to files named so."""

    for name in ("minigrad", "parity", "benchmarks", "curriculum", "tests"):
        shutil.copytree(ROOT / name, to / name)  # with what Python and Numba have compiled already
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, to)
    for parts, _ in RECIPES.values():
        for place, part in parts:
            if not (place["end"] or "").startswith(tuple(without)):
                follow(to, place, part)
    return to


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return copied(tmp_path_factory.mktemp("adding"))


ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")} | {"COLUMNS": "200"}


def run(tree, command):
    """Run a command of the README in the root of a tree; how it ended, and what it said."""
    python, *arguments = command.partition("  #")[0].split()
    assert python == "python"
    code = [sys.executable, *arguments]
    done = subprocess.run(code, cwd=tree, env=ENVIRONMENT, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_there_are_five_recipes():
    assert list(RECIPES) == TITLES
    for title, (parts, commands) in RECIPES.items():
        assert parts, title
        assert commands, title


@pytest.mark.parametrize("command", [command for _, commands in RECIPES.values() for command in commands])
def test_its_commands_succeed(tree, command):
    status, said = run(tree, command)
    assert status == 0, said
    if "-m parity" in command:
        assert re.search(r"1 case, 50 examples, 0 wrong", said), said
    if "pytest" in command:
        assert re.search(r"\d passed", said), said
    if "benchmarks" in command:
        assert "minigrad runs ReluSquared (compiled) where torch composes Relu, Pow" in said, said


def test_nothing_else_is_asked_for(tree):
    """No list that a test keeps by hand wants an entry, no case claims in vain, and the parts are written as all the rest."""
    code = """
import sys, pytest
from parity import cases, claims
for name in ("logaddexp2", "nn.functional.squareplus", "nn.LPPool3d", "nn.functional.relu_squared"):
    assert claims.idle(cases.CASES[name]) == {}, name
chosen = "not test_case and not test_a_failing_draw"  # these two are about cases of the table, and tried with the whole of it
sys.exit(pytest.main(["-q", "tests/test_parity_ops.py", "-k", chosen]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stdout + done.stderr
    if importlib.util.find_spec("ruff"):
        for command in ("check", "format --check"):
            status, said = run(tree, f"python -m ruff {command} minigrad parity mine.py")
            assert status == 0, said


def test_it_is_public_where_the_readme_says(tree):
    code = """
import minigrad, minigrad.nn.functional as F
x, y = minigrad.tensor([1.0, 2.0]), minigrad.tensor([3.0, 2.0])
assert minigrad.logaddexp2(x, y).tolist() == x.logaddexp2(y).tolist()
assert not hasattr(F, "logaddexp2") and not hasattr(minigrad, "squareplus") and not hasattr(minigrad, "relu_squared")
x = minigrad.ones(200, 200, requires_grad=True)
kinds = []
for form in ("fastest", "numpy", "definition"):
    with minigrad.use_kernels(form):
        kinds.append(type(F.relu_squared(x).grad_fn))
assert [kind.__module__ + "." + kind.__qualname__ for kind in kinds] == [
    "minigrad.kernels.elementwise.ReluSquared", "minigrad.ops.piecewise.ReluSquared", "minigrad.ops.arithmetic.Mul"
], kinds
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr


def test_without_their_cases_they_are_missed(tmp_path):
    tree = copied(tmp_path, without=["parity/cases/"])
    status, said = run(tree, "python -m pytest -vv tests/test_parity_ops.py -k test_everything_public_has_a_case")
    assert status == 1, said
    assert "1 failed" in said
    for name in (
        "logaddexp2",
        "Tensor.logaddexp2",
        "functional.squareplus",
        "nn.LPPool3d",
        "functional.relu_squared",
    ):
        assert f"{name}'" in said, said


FAULTS = {
    "logaddexp2": (TITLES[0], "minigrad/ops/exponential.py", "grad / (1 + exp2(a - b))", "grad / (1 + exp2(b - a))"),
    "squareplus": (TITLES[1], "minigrad/ops/power.py", "/ (out**2 + 1)", "/ (out**2 + 1.001)"),
    "LPPool3d": (TITLES[2], "minigrad/nn/pooling.py", "3d(input, self.norm_type", "3d(input.detach(), self.norm_type"),
    "relu_squared, NumPy": (TITLES[3], "minigrad/ops/piecewise.py", "return 2 * grad * np.max", "return grad * np.max"),
    "relu_squared, compiled": (TITLES[3], "minigrad/kernels/elementwise.py", "grad + grad)", "grad + 1.001 * grad)"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_backward_is_caught_by_its_commands(fault, tmp_path):
    title, file, right, wrong = FAULTS[fault]
    tree = copied(tmp_path)
    text = (tree / file).read_text(encoding="utf-8")
    assert text.count(right) == 1
    (tree / file).write_text(text.replace(right, wrong), encoding="utf-8")
    said = []
    for command in RECIPES[title][1]:
        status, output = run(tree, command)
        if status:
            assert "gradient" in output or "assert" in output, output
            return
        said.append(output)
    pytest.fail("no command noticed it\n" + "\n".join(said))
