"""What the project prints says "1 call" and "2 calls": a number of things is put in words by one function."""

import ast
import re
from pathlib import Path

import pytest

from minigrad.counted import counted

ROOT = Path(__file__).parents[1]
NOUNS = [
    "batches",
    "blocks",
    "calls",
    "cards",
    "cases",
    "changes",
    "checks",
    "claims",
    "classes",
    "copies",
    "cores",
    "differences",
    "elements",
    "epochs",
    "errors",
    "examples",
    "faults",
    "figures",
    "files",
    "films",
    "functions",
    "gradients",
    "hooks",
    "images",
    "inputs",
    "kernels",
    "layers",
    "leaves",
    "lessons",
    "lines",
    "loops",
    "modules",
    "names",
    "nodes",
    "operations",
    "outputs",
    "others",
    "parameters",
    "parts",
    "passes",
    "pictures",
    "places",
    "pixels",
    "processes",
    "programs",
    "questions",
    "reviews",
    "rounds",
    "rows",
    "samples",
    "seeds",
    "sentences",
    "shapes",
    "stages",
    "statements",
    "steps",
    "tensors",
    "texts",
    "threads",
    "tokens",
    "trainings",
    "units",
    "values",
    "weights",
    "words",
    "workloads",
]
# Of these there are always several, or what is printed is no sentence.
MANY = {
    "curriculum/data.py: pictures": "of a data set",
    "curriculum/site/figures.py: elements": "a thousand and more",
    "curriculum/site/figures.py: threads": "as it was kept, or nothing",
    "minigrad/config.py: threads": "as the library tells it",
    "minigrad/nn/functional.py: inputs": "the words of an error",
    "minigrad/ops/matrix.py: elements": "the words of an error, which are PyTorch's",
    "minigrad/out.py: tensors": "a tuple of several",
    "minigrad/viz/record.py: nodes": "more than can be drawn",
    "minigrad/viz/svg.py: nodes": "more than can be drawn",
    "minigrad/viz/text.py: nodes": "more than are shown",
    "minigrad/viz/watch.py: layers": "more than are looked at",
}


def found_in(source: str) -> list[str]:
    """The nouns that stand behind a number in a text that is put together, outside of errors (whose words are PyTorch's)."""
    tree = ast.parse(source)
    errors = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.Raise) for inner in ast.walk(node)}
    nouns = []
    for text in ast.walk(tree):
        if not isinstance(text, ast.JoinedStr) or id(text) in errors:
            continue
        for value, after in zip(text.values, text.values[1:], strict=False):
            if isinstance(value, ast.FormattedValue) and isinstance(after, ast.Constant):
                word = re.match(r" \w+\b", str(after.value))
                nouns += [w for w in re.findall(r"\w+", word[0]) if w in NOUNS] if word else []
    return nouns


def files() -> list[Path]:
    own = [p for folder in ("minigrad", "parity", "benchmarks", "curriculum") for p in (ROOT / folder).rglob("*.py")]
    # At full scale the numbers are sizes of data sets, models and texts, but for what `predict` and `recommend` are given.
    own = [p for p in own if "fullscale" not in p.parts or p.name in ("predict.py", "recommend.py")]
    return [p for p in own if not {"compiler", "lessons", "checks", "exercises", "solutions"} & set(p.parts)]


@pytest.mark.parametrize(("n", "said"), [(0, "0 boxes"), (1, "1 box"), (2, "2 boxes"), (1000, "1000 boxes")])
def test_one_is_no_plural(n, said):
    assert counted(n, "box", "boxes") == said


def test_the_scan_finds_a_plural_of_one():
    assert found_in('print(f"{n} calls of {m} names")') == ["calls", "names"]
    assert found_in('raise ValueError(f"{n} calls")') == []


def test_numbers_of_things_are_put_in_words_by_one_function():
    faults = []
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        faults += [f"{name}: {noun}" for noun in found_in(path.read_text(encoding="utf-8"))]
    assert sorted({f for f in faults if f not in MANY}) == []
    assert set(MANY) <= set(faults)
