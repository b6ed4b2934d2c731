"""The notebooks in curriculum/notebooks: they hold the lessons as they are now, and nothing of the machine that made them."""

import json
import re
from typing import Any

import pytest

from curriculum import catalog, notebook
from curriculum.record import TIMED

LESSONS = catalog.lessons()
NAMES = [lesson.name for lesson in LESSONS]

OF_A_MACHINE = {
    "a path": r"(?<![\w.:/])/(?:home|root|tmp|usr|work|var|opt|private|Users|mnt|data)/|\b[A-Z]:\\\\?\w",
    "an address": r"\b0x[0-9a-f]{6,}",
    "a warning": r"\w*Warning\b|\bWARNING\b",
    "a trace": r"Traceback \(most recent call last\)",
    "a mark": f"[{''.join(TIMED)}]",
}


def load(lesson: catalog.Lesson) -> Any:
    return json.loads(notebook.ready(lesson).read_text(encoding="utf-8"))


def texts(output: dict[str, Any]) -> list[str]:
    """What an output says, without its pictures."""
    said = ["".join(output.get("text", ""))]
    said += ["".join(value) for kind, value in output.get("data", {}).items() if not kind.startswith("image/png")]
    return [*said, json.dumps(output.get("metadata", {}))]


def test_there_is_one_for_each_lesson_and_no_other() -> None:
    assert sorted(path.name for path in notebook.FOLDER.iterdir() if path.is_file()) == [
        f"{name}.ipynb" for name in NAMES
    ]


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_it_holds_the_lesson(lesson: catalog.Lesson) -> None:
    assert notebook.is_current(lesson), "the lesson was changed: run `make notebooks`"


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_it_was_run_from_the_first_cell_to_the_last(lesson: catalog.Lesson) -> None:
    there = load(lesson)
    code = [cell for cell in there["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"stream", "display_data", "execute_result"}
    assert not [output for output in outputs if output.get("name") == "stderr"]
    said = "".join(text for output in outputs for text in texts(output))
    assert "holds: " in said
    assert "FAILS: " not in said


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_nothing_in_it_is_of_the_machine_that_made_it(lesson: catalog.Lesson) -> None:
    there = load(lesson)
    assert there["metadata"] == notebook.read(lesson).metadata  # no version of a Python, no name of an environment
    for cell in there["cells"]:
        assert set(cell["metadata"]) <= {"tags"}, "no times of execution"
        for output in cell.get("outputs", []):
            for text in texts(output):
                for what, pattern in OF_A_MACHINE.items():
                    assert not (found := re.search(pattern, text)), f"{cell['id']} shows {what}: {found}"


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_it_was_made_on_data_that_everybody_has(lesson: catalog.Lesson) -> None:
    """A lesson that reads real data where there is some says so; here it must have found none."""
    said = "".join(text for cell in load(lesson)["cells"] for o in cell.get("outputs", []) for text in texts(o))
    assert not re.search(r"Large Movie|IMDb reviews, |AG News, \d|MNIST, \d", said)


def test_together_they_are_small() -> None:
    assert sum(path.stat().st_size for path in notebook.FOLDER.iterdir()) < 6e6


def cell(text: str, number: int = 0, **output: Any) -> Any:
    import nbformat

    made = nbformat.v4.new_code_cell("print()", id=f"cell-{number}", execution_count=1)
    made.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text, **output)]
    return made


@pytest.mark.parametrize(
    ("new", "old", "kept"),
    [
        ("loss 3 after \x11  2.50\x12 s", "loss 3 after   1.25 s", "loss 3 after   1.25 s"),  # another time, nothing else
        ("loss 4 after \x11  2.50\x12 s", "loss 3 after   1.25 s", "loss 4 after   2.50 s"),  # another result
        ("loss 3 after \x11  2.50\x12 s", "loss 3", "loss 3 after   2.50 s"),
        ("loss 3", "loss 3", "loss 3"),
    ],
)  # fmt: skip
def test_a_time_measured_anew_leaves_the_file_as_it_was(new: str, old: str, kept: str) -> None:
    cells = [cell(new)]
    notebook.settle(cells, [cell(old)])
    assert cells[0].outputs[0].text == kept


def test_where_a_result_changed_times_of_other_cells_are_new_too() -> None:
    cells = [cell("\x112\x12 s", 0), cell("loss 4", 1)]
    notebook.settle(cells, [cell("1 s", 0), cell("loss 3", 1)])
    assert [made.outputs[0].text for made in cells] == ["2 s", "loss 4"]


def test_an_object_without_a_face_is_left_out() -> None:
    import nbformat

    made = cell("said")
    for text in ("<minigrad.random.Generator at 0x7f00aa00>", "tensor(1.)"):
        made.outputs.append(nbformat.v4.new_output("execute_result", data={"text/plain": text}, execution_count=1))
    notebook.settle([made], [])
    assert [output.get("data", {}).get("text/plain") for output in made.outputs] == [None, "tensor(1.)"]


def test_a_stream_in_pieces_becomes_one() -> None:
    import nbformat

    made = cell("one ")
    made.outputs.append(nbformat.v4.new_output("stream", name="stdout", text="two"))
    notebook.settle([made], [])
    assert [output["text"] for output in made.outputs] == ["one two"]
