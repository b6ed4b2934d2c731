"""The table of how far the engines lie apart is written by a command, and holds every lesson."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from curriculum import apart, catalog, runner
from curriculum.__main__ import main
from curriculum.runner import Setting

LESSONS = catalog.lessons()


def test_the_table_holds_the_lessons_there_are():
    wanted = [f"{lesson.number} {lesson.title}" for lesson in LESSONS]
    assert apart.lessons_of(apart.README) == wanted, "python -m curriculum report --table renews it"


def results(out: Path, lesson: catalog.Lesson, moved: float = 0.0, skipped: str = "") -> None:
    for engine in apart.ENGINES:
        for dtype in apart.DTYPES:
            setting = Setting(engine, dtype, 0)
            folder = setting.folder(out, lesson)
            folder.mkdir(parents=True)
            shift = moved if engine == "torch" else 0.0
            np.savez(folder / "steps.npz", **{
                "a/loss": np.array([1.0, 0.5]) + shift, "a/kept": np.array([0, 1]), "a/gradient": np.ones((2, 3)),
                "a/weight": np.ones((2, 3)),
            })  # fmt: skip
            told = {"key": runner.key(lesson, setting), "seconds": 1.25, "claims": [], "skipped": skipped}
            (folder / "result.json").write_text(json.dumps(told))


@pytest.fixture
def readme(tmp_path, monkeypatch):
    path = tmp_path / "README.md"
    path.write_text(f"# Before\n\n{apart.BEGIN}\nold\n{apart.END}\n\nafter\n")
    monkeypatch.setattr(apart, "README", path)
    return path


def test_the_table_is_of_what_was_run(readme, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(catalog, "lessons", lambda: LESSONS[:4])
    out = tmp_path / "runs"
    results(out, LESSONS[0])
    results(out, LESSONS[1], 2e-12)
    results(out, LESSONS[2], skipped="no such library")
    assert main(["report", "--table", "--out", str(out)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert f"no new figures: lesson {LESSONS[2].number}: no such library" in said
    assert f"no new figures: lesson {LESSONS[3].number} was not run" in said
    text = readme.read_text()
    assert text.startswith("# Before\n\n<!--")
    assert text.endswith("-->\n\nafter\n")
    assert "old" not in text
    assert apart.lessons_of(readme) == [f"{lesson.number} {lesson.title}" for lesson in LESSONS[:4]]
    assert f"| {LESSONS[0].question} | 0, 0, 0 | 2.5 s | 2.5 s |" in text
    assert f"| {LESSONS[1].question} | 2e-12, 0, 0 | 2.5 s | 2.5 s |" in text
    assert f"| {LESSONS[2].question} | skipped | | |" in text
    assert f"| {LESSONS[3].question} | not measured | | |" in text

    monkeypatch.setattr(catalog, "lessons", lambda: LESSONS[:2])
    apart.note(out, 125.0, 2)
    assert main(["report", "--table", "--out", str(out)]) == 0
    assert ", 2 lessons at a time, 2 min 5 s in all;" in readme.read_text()
    old = time.time() - 1000  # a result that the whole run found and did not make: its time is not that of all lessons
    os.utime(Setting("torch", "float32", 0).folder(out, LESSONS[0]) / "result.json", (old, old))
    assert main(["report", "--table", "--out", str(out)]) == 0
    assert "in all" not in readme.read_text()

    told = Setting("torch", "float64", 0).folder(out, LESSONS[1]) / "result.json"
    told.write_text(told.read_text().replace('"key": "', '"key": "stale'))
    assert main(["report", "--table", "--out", str(out)]) == 1
    assert "was run before something changed in torch float64" in " ".join(capsys.readouterr().out.split())


def test_without_its_marks_the_file_stays_as_it_is(readme, tmp_path):
    readme.write_text(apart.END + apart.BEGIN)
    with pytest.raises(SystemExit, match="has not the marks"):
        apart.write(readme, LESSONS, 0, tmp_path)
    assert readme.read_text() == apart.END + apart.BEGIN


def test_what_was_measured_before_stays_with_its_date(readme, tmp_path, monkeypatch):
    monkeypatch.setattr(catalog, "lessons", lambda: LESSONS[:3])
    old = "\n".join(
        f"| {each.number} {each.title} | {each.question} | 1e-16, 0, 0 | 0.9 s | 0.4 s |" for each in LESSONS[:2]
    )
    text = f"From a run of `make lessons` on 2026-01-02: 2 cores of a machine; more.\n\n{apart.HEAD}\n{old}\n"
    readme.write_text(f"{apart.BEGIN}\n\n{text}\n{apart.END}\n")
    before, out = readme.read_text(), tmp_path / "runs"
    assert main(["report", "--table", "--out", str(out)]) == 1
    assert readme.read_text() == before  # nothing new: nothing is written
    results(out, LESSONS[1])
    for _ in range(2):
        assert main(["report", "--table", "--out", str(out)]) == 1
        table = readme.read_text()
        assert f"| {LESSONS[0].question} | 1e-16, 0, 0 (2026-01-02) | 0.9 s | 0.4 s |" in table
        assert f"| {LESSONS[1].question} | 0, 0, 0 | 2.5 s | 2.5 s |" in table
        assert f"| {LESSONS[2].question} | not measured | | |" in table
        assert "From runs of lessons on" in table
    for option in (["--engine", "torch"], ["--dtype", "float32"]):
        with pytest.raises(SystemExit, match=f"{option[0]} means nothing beside --table"):
            main(["report", "--table", *option])
