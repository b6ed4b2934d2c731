"""What a learner meets when something is damaged, misnamed or ends early: one line that says what to do, and no stack trace."""

import json
from pathlib import Path

import numpy as np
import pytest

from curriculum import catalog, check, compare, runner
from curriculum.__main__ import main
from curriculum.runner import Setting

LESSONS = catalog.lessons()
LESSON = next(lesson for lesson in LESSONS if lesson.name.endswith("_the_graph"))

DAMAGED = {
    "empty": b"",
    "half": b'{"key": "x", "sec',
    "another kind": b"[]",
    "a number": b"3",
    "without parts": b'{"key": "x"}',
    "parts of another kind": b'{"key": "x", "seconds": "long", "claims": {}, "skipped": ""}',
    "no text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_result_is_none(content, tmp_path, capsys):
    setting = Setting("minigrad", "float32", 0)
    folder = setting.folder(tmp_path, LESSON)
    folder.mkdir(parents=True)
    (folder / "result.json").write_bytes(content)
    assert runner.result(tmp_path, LESSON, setting) is None
    assert main(["list", "--out", str(tmp_path)]) == 0
    assert LESSON.title in capsys.readouterr().out


def test_a_folder_where_the_result_should_be_is_none(tmp_path):
    setting = Setting("minigrad", "float32", 0)
    (setting.folder(tmp_path, LESSON) / "result.json").mkdir(parents=True)
    assert runner.result(tmp_path, LESSON, setting) is None


@pytest.mark.parametrize("damage", ["absent", "cut", "changed", "no zip", "empty"])
def test_a_damaged_record_is_named(damage, tmp_path):
    folders = [tmp_path / "minigrad-float64-0", tmp_path / "torch-float64-0"]
    arrays = {"a/loss": np.ones(3), "a/kept": np.array([0, 2]), "a/gradient": np.ones((2, 400)), "a/weight": np.ones((2, 400))}  # fmt: skip
    for folder in folders:
        folder.mkdir()
        np.savez(folder / "steps.npz", **arrays)
    assert compare.folders(*folders, "float64").agree
    path = folders[1] / "steps.npz"
    content = path.read_bytes()
    if damage == "absent":
        path.unlink()
    elif damage == "changed":
        path.write_bytes(content.replace(np.ones(50).tobytes(), np.full(50, 2.0).tobytes()))
    else:
        path.write_bytes({"cut": content[:-100], "no zip": b"steps", "empty": b""}[damage])
    with pytest.raises(SystemExit) as error:
        compare.folders(*folders, "float64")
    assert str(path) in str(error.value)
    assert str(error.value).endswith("run its lesson again, with --fresh.")
    assert "\n" not in str(error.value)


def test_a_result_whose_record_is_lost_is_made_again(tmp_path, monkeypatch):
    setting = Setting("minigrad", "float32", 0)
    path = tmp_path / "99_short.py"
    path.write_text("from curriculum.engine import torch\n")
    short = catalog.Lesson("99", path)
    monkeypatch.setattr("curriculum.processes.FORKS", False)
    assert [runner.run(short, setting, tmp_path, lambda *_: None)[1] for _ in range(2)] == [False, True]
    (setting.folder(tmp_path, short) / "steps.npz").write_bytes(b"")
    assert runner.run(short, setting, tmp_path, lambda *_: None)[1] is False


def test_a_result_without_pictures_is_made_again_where_they_are_wanted(tmp_path, monkeypatch):
    """And one with them serves a run that needs none. A run that draws nothing has all else: claims, steps, what is printed."""
    setting = Setting("minigrad", "float32", 0)
    path = tmp_path / "99_drawn.py"
    path.write_text(
        "from curriculum import draw, record\nfrom curriculum.engine import torch\nrecord.figure(draw.curves({'a': [1.0, 2.0]}, 'x', 'y'), 'p')\n"
        "draw.page(lambda path: path.write_text('page'), 'q')\nrecord.claim('two', 2, True)\n"
    )
    drawn = catalog.Lesson("99", path)
    monkeypatch.setattr("curriculum.processes.FORKS", False)
    seen = []
    for pictures in (False, False, True, False, True):
        there, reused = runner.run(drawn, setting, tmp_path / "out", lambda *_: None, pictures=pictures)
        seen.append((reused, there["figures"], there["pages"], len(there["claims"])))
    without, complete = ([], [], 1), (["p.png"], ["q.html"], 1)
    assert seen == [(False, *without), (True, *without), (False, *complete), (True, *complete), (True, *complete)]


def test_a_lesson_goes_by_many_names():
    for name in (LESSON.number, str(int(LESSON.number)), LESSON.name, f"{LESSON.name}.py", str(LESSON.path), f"curriculum/notebooks/{LESSON.name}.ipynb"):  # fmt: skip
        assert catalog.find(name) == LESSON
    assert catalog.find_all([LESSON.number, LESSON.name]) == [LESSON], "each once"
    assert catalog.find_all([]) == LESSONS
    with pytest.raises(SystemExit, match=f"Did you mean {LESSON.number} "):
        catalog.find("graph")


@pytest.mark.parametrize("command", [["run", LESSON.number], ["list"], ["report"], ["claims", LESSON.number], ["site"]])
def test_results_cannot_go_into_a_file(command, tmp_path):
    (tmp_path / "file").write_text("mine")
    for name in ("file", "file/below"):
        with pytest.raises(SystemExit, match="that is no folder"):
            main([*command, "--out", str(tmp_path / name)])
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exit()", "line 1: exit()\nanswer.py ends the program"),
        ("import sys\nsys.exit(0)", "line 2: sys.exit(0)\nanswer.py ends the program"),
        (
            "class Number:\n    def __init__(self, *_):\n        quit()\ndef backward(*_): pass",
            "line 3: quit()\nanswer.py ends the program",
        ),
        ("raise KeyboardInterrupt", "line 1: raise KeyboardInterrupt\nanswer.py was interrupted: does a loop"),
        ("x = 'a\0b'", "Python does not understand answer.py\n"),
    ],
)
def test_an_answer_that_ends_the_program_is_not_solved(text, said, tmp_path):
    answer = tmp_path / "answer.py"
    answer.write_text(text)
    good, hint = check.check(LESSON, answer)
    assert not good
    assert said in hint


def test_what_the_check_itself_misses_is_said(tmp_path, monkeypatch):
    """SystemExit of the course's own, such as for a package that is missing, is not the learner's doing."""
    answer = tmp_path / "answer.py"
    answer.write_text("x = 1")
    monkeypatch.setattr(
        check, "_Solution", lambda _: (_ for _ in ()).throw(SystemExit("it is missing: pip install it"))
    )
    with pytest.raises(SystemExit, match="pip install it"):
        check.check(LESSON, answer)


def test_no_result_is_a_wrong_number(tmp_path):
    """Of a record that cannot be read the table gives no figure."""
    for engine in ("minigrad", "torch"):
        for dtype in ("float32", "float64"):
            setting = Setting(engine, dtype, 0)
            folder = setting.folder(tmp_path, LESSON)
            folder.mkdir(parents=True)
            (folder / "steps.npz").write_bytes(b"")
            told = {"key": runner.key(LESSON, setting), "seconds": 1.0, "claims": [], "skipped": ""}
            (folder / "result.json").write_text(json.dumps(told))
    from curriculum import apart

    readme = Path(tmp_path / "README.md")
    readme.write_text(f"{apart.BEGIN}\n{apart.END}\n")
    with pytest.raises(SystemExit, match="cannot be read"):
        apart.write(readme, [LESSON], 0, tmp_path)
    assert readme.read_text() == f"{apart.BEGIN}\n{apart.END}\n"
