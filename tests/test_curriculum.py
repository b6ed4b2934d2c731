"""The lessons: exercises, bad input, notebooks, and one lesson in both engines."""

import ast
import json
import os
import re
import runpy
import subprocess
import sys
import time
from pathlib import Path

import exercise_mutants
import numpy as np
import pytest

from curriculum import catalog, compare, formulas, notebook, runner, terminal
from curriculum.__main__ import main
from curriculum.check import check
from curriculum.files import write
from curriculum.runner import Setting

LESSONS = catalog.lessons()
ROOT = Path(__file__).parent.parent


def names(lessons: list[catalog.Lesson]) -> list[str]:
    return [lesson.name for lesson in lessons]


@pytest.mark.parametrize("lesson", LESSONS, ids=names(LESSONS))
def test_the_solution_passes_and_the_untouched_exercise_fails(lesson: catalog.Lesson) -> None:
    assert check(lesson, catalog.HERE / "solutions" / lesson.path.name) == (True, f"Exercise {lesson.number}: solved.")
    solved, text = check(lesson)
    assert not solved
    assert "nothing written yet" in text
    assert "of" not in text.splitlines()[0].split() or f"Exercise {lesson.number}: 0 of " in text  # none of several


MISTAKES = [
    (lesson, changes, hint)
    for lesson in LESSONS
    for changes, hint in runpy.run_path(str(ROOT / "tests" / "mistakes" / lesson.path.name))["MISTAKES"]
]


@pytest.mark.parametrize("lesson", LESSONS, ids=names(LESSONS))
def test_eight_mistakes_are_known(lesson: catalog.Lesson) -> None:
    assert sum(known is lesson for known, _, _ in MISTAKES) >= 8


@pytest.mark.parametrize(("lesson", "changes", "hint"), MISTAKES, ids=[f"{m[0].number}-{m[2]}" for m in MISTAKES])
def test_a_typical_mistake_fails_with_its_hint(
    lesson: catalog.Lesson, changes: list[tuple[str, str]], hint: str, tmp_path: Path
) -> None:
    text = (catalog.HERE / "solutions" / lesson.path.name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "attempt.py"
    path.write_text(text, encoding="utf-8")
    solved, answer = check(lesson, path)
    assert not solved
    assert hint in answer


def told(lesson: catalog.Lesson, name: str) -> dict[str, str]:
    """What the lesson's file in mistakes/ excuses: HARMLESS changes of one place, SPOILED answers that are right all the same."""
    return runpy.run_path(str(ROOT / "tests" / "mistakes" / lesson.path.name)).get(name, {})


def solution(lesson: catalog.Lesson) -> str:
    return (catalog.HERE / "solutions" / lesson.path.name).read_text(encoding="utf-8")


def exercise(lesson: catalog.Lesson) -> ast.Module:
    return ast.parse((catalog.HERE / "exercises" / lesson.path.name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("lesson", LESSONS, ids=names(LESSONS))
def test_a_solution_with_one_place_changed_does_not_pass(lesson: catalog.Lesson, tmp_path: Path) -> None:
    """All changes in the deep profile, every fourth and at least eight else."""
    changes = [
        c
        for c in exercise_mutants.changed(solution(lesson))
        if "strict" not in c[1].split(":")[0] and "True turned" not in c[0]
    ]
    harmless = told(lesson, "HARMLESS")
    changes = [c for c in changes if "without strict" not in c[0] and c[0] not in harmless]
    every = 1 if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else min(4, len(changes) // 8)
    path = tmp_path / "attempt.py"
    survivors = []
    for what, text in changes[::every]:
        path.write_text(text, encoding="utf-8")
        if check(lesson, path)[0]:
            survivors.append(what)
    assert len(changes[::every]) >= 8
    assert survivors == []


@pytest.mark.parametrize("how", exercise_mutants.SPOILED)
@pytest.mark.parametrize("lesson", LESSONS, ids=names(LESSONS))
def test_an_answer_of_the_wrong_kind_gets_a_hint(lesson: catalog.Lesson, how: str, tmp_path: Path) -> None:
    functions = [node.name for node in exercise(lesson).body if isinstance(node, ast.FunctionDef)]
    if how in (harmless := told(lesson, "SPOILED")):
        pytest.skip(harmless[how])
    path = tmp_path / "attempt.py"
    path.write_text(exercise_mutants.spoiled(solution(lesson), functions, how), encoding="utf-8")
    solved, text = check(lesson, path)
    assert not solved
    assert "not yet" in text or "attempt.py" in text
    assert "AttributeError" not in text
    assert "minigrad/" not in text  # no page of the engine's own


@pytest.mark.parametrize("lesson", LESSONS, ids=names(LESSONS))
def test_the_list_of_exercises_has_one_style(lesson: catalog.Lesson) -> None:
    """At the lesson's end: where they are, what each is and of which kind, and how to check them."""
    kinds = "Write it|Predict, then measure|Find the planted bug|Derive it|Change one thing"
    text = re.sub(r"^# ?", "", lesson.path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = re.search(
        r"^## Exercises\n\nIn `(\S+)`(?:, [^:]+)?:\n\n(.+?)\n\nCheck them: `(.+?)`\..*?^## ",
        text,
        re.DOTALL | re.MULTILINE,
    )
    assert found, "no list of exercises, or of another style"
    where, items, command = found.groups()
    assert (where, command) == (
        f"curriculum/exercises/{lesson.path.name}",
        f"python -m curriculum check {lesson.number}",
    )
    listed = re.findall(rf"^(\d)\. \*(?:{kinds}):\* [^*]+?[.?]$", items, re.MULTILINE | re.DOTALL)
    assert listed == [str(number) for number in range(1, len(listed) + 1)]
    assert len(listed) >= 3
    assert len(listed) == len(re.findall(r"^\d", items, re.MULTILINE))


@pytest.mark.parametrize("lesson", LESSONS, ids=names(LESSONS))
def test_the_lessons_own_lines_do_not_solve_its_exercise(lesson: catalog.Lesson, tmp_path: Path) -> None:
    """Functions and classes of the lesson that are called as in the exercise, pasted into it."""
    wanted = exercise(lesson)
    asked = {node.name for node in wanted.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own = ast.parse(lesson.path.read_text(encoding="utf-8")).body
    pasted = [node for node in own if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    kept = [node for node in wanted.body if getattr(node, "name", None) not in {p.name for p in pasted} & asked]
    lines = [
        "import math",
        "import numpy as np",
        "from curriculum.engine import torch",
        "nn = torch.nn",
        "F = nn.functional",
    ]
    path = tmp_path / "attempt.py"
    path.write_text("\n".join([*lines, ast.unparse(ast.Module([*pasted, *kept], []))]), encoding="utf-8")
    solved, text = check(lesson, path)
    assert not solved
    assert re.findall(r"^(.+): solved$", text, re.MULTILINE) == []  # none of several either


@pytest.mark.parametrize("lesson", LESSONS, ids=names(LESSONS))
def test_a_stub_does_not_give_the_answer_away(lesson: catalog.Lesson) -> None:
    """What a stub raises says what to write, and holds no formula and no name of a function that solves it."""
    for node in ast.walk(exercise(lesson)):
        if isinstance(node, ast.Raise):
            text = ast.literal_eval(node.exc.args[0])  # type: ignore[union-attr]
            assert not re.search(r"[=+*/²^()]|\bdim\b|torch\.|\d", text), text


@pytest.mark.parametrize("lesson", LESSONS, ids=names(LESSONS))
def test_a_lesson_asks_no_engine_for_its_name(lesson: catalog.Lesson) -> None:
    text = lesson.path.read_text(encoding="utf-8")
    assert lesson.question.endswith("?")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imported = [alias.name for alias in node.names] + [getattr(node, "module", "")]
            assert "from curriculum.engine import" in ast.unparse(node) or not {"torch", "minigrad"} & set(imported)
        if isinstance(node, ast.If | ast.IfExp):
            assert not any(word in ast.unparse(node.test) for word in ("engine", "torch", "minigrad", "environ"))


@pytest.mark.parametrize("lesson", LESSONS, ids=names(LESSONS))
def test_a_notebook_holds_the_whole_lesson(lesson: catalog.Lesson, tmp_path: Path) -> None:
    notebook.write(lesson, tmp_path / "lesson.ipynb", Setting("torch", "float64", 3), run=False)
    content = json.loads((tmp_path / "lesson.ipynb").read_text(encoding="utf-8"))
    assert (content["nbformat"], content["nbformat_minor"]) == (4, 5)
    assert content["cells"][0]["source"][0].startswith(f"# {int(lesson.number)}. ")
    choice, *code = ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]
    assert 'os.environ["MINIGRAD_ENGINE"] = "torch"' in choice
    ours = ast.parse("\n".join(code))
    assert ast.dump(ours) == ast.dump(ast.parse(lesson.path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("number", ["02", "03", "04", "05", "06", "09", "10", "12", "13", "18", "19", "21", "26"])
def test_a_backward_page_is_embedded(number: str) -> None:
    text = catalog.find(number).path.read_text(encoding="utf-8")
    assert re.search(rf'draw\.backward\(.*"{int(number)}_backward"', text)


def test_a_page_is_made_by_minigrad_and_both_engines_go_on_alike(tmp_path: Path) -> None:
    """What the function draws at random, and what it changes, is the same in both, and is done once."""
    program = """
from curriculum import draw
from curriculum.engine import torch
layer = torch.nn.BatchNorm1d(3)

def noisy():
    hidden = layer(torch.randn(4, 3))
    return (hidden * torch.rand(3, requires_grad=True)).sum()

draw.backward(noisy, "1_noisy")
print(*torch.randn(2, dtype=torch.float64).tolist(), *(round(v, 5) for v in layer.running_var.tolist()))
"""
    said = []
    for engine in ("minigrad", "torch"):
        folder = tmp_path / engine
        environment = {"MINIGRAD_ENGINE": engine, "MINIGRAD_DTYPE": "float64", "CURRICULUM_FOLDER": str(folder)}
        done = subprocess.run(
            [sys.executable, "-c", program], env=os.environ | environment, cwd=ROOT, capture_output=True, text=True, check=True
        )  # fmt: skip
        said.append(done.stdout)
        assert (folder / "1_noisy.html").is_file() == (engine == "minigrad")
    assert said[0] == said[1]
    page = (tmp_path / "minigrad" / "1_noisy.html").read_text(encoding="utf-8")
    assert "Backward pass of noisy" in page
    assert '"hidden"' in page
    assert len(page) < 600_000


@pytest.mark.parametrize("lesson", LESSONS, ids=names(LESSONS))
def test_signs_have_one_pair_of_colours(lesson: catalog.Lesson) -> None:
    other = {"RdBu", "coolwarm", "bwr", "seismic", "RdYlBu", "PiYG", "PRGn", "BrBG", "PuOr", "Spectral"}
    words = {
        n.value.removesuffix("_r")
        for n in ast.walk(ast.parse(lesson.path.read_text(encoding="utf-8")))
        if isinstance(n, ast.Constant) and isinstance(n.value, str)
    }
    assert not words & other, "use draw.SIGNS"


@pytest.mark.parametrize(
    "path", [*(lesson.path for lesson in LESSONS), catalog.HERE / "plots.py"], ids=lambda path: path.stem
)
def test_training_is_blue_and_held_out_orange(path: Path) -> None:
    """Wherever a line of code gives a colour to the one or the other by name."""
    for line in path.read_text(encoding="utf-8").splitlines():
        for name, colour in re.findall(
            r"\"(trained on|training|held out|new examples)\"[^()]*\b(BLUE|ORANGE)\b", line
        ) + [
            found[::-1]
            for found in re.findall(r"\b(BLUE|ORANGE)\b[^()]*\"(trained on|training|held out|new examples)\"", line)
        ]:
            assert colour == ("BLUE" if name.startswith("train") else "ORANGE"), line


def test_a_notebook_shows_what_a_run_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lesson.ipynb"
    assert main(["notebook", "03", "--engine", "torch", "--to", str(path)]) == 0
    assert f"wrote {path}" in capsys.readouterr().out.replace("\n", "")
    outputs = [o for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] for o in cell.get("outputs", [])]
    printed = "".join("".join(o["text"]) for o in outputs if o["output_type"] == "stream" and o["name"] == "stdout")
    assert "holds: the naive walk gives 6" in printed
    assert sum("image/png" in o.get("data", {}) for o in outputs) == 3


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run", "99"], "There is no lesson '99'"),
        (["run"], "Name the lessons"),
        (["run", "02", "--engine", "jax"], "invalid choice: 'jax'"),
        (["run", "02", "--dtype", "int8"], "invalid choice: 'int8'"),
        (["run", "02", "--seed", "-1"], "whole number"),
        (["run", "02", "--jobs", "0"], "--jobs 0"),
        (["check", "x"], "There is no lesson 'x'"),
        (["check", "02", "--file", "absent.py"], "There is no file absent.py"),
    ],
)
def test_bad_input_gets_one_line(arguments: list[str], line: str) -> None:
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [("MINIGRAD_ENGINE", "jax", "choose one of minigrad, torch"), ("MINIGRAD_SEED", "-3", "whole number")],
)
def test_a_bad_variable_gets_one_line(variable: str, value: str, line: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import curriculum.engine"],
        env=os.environ | {variable: value}, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert line in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("package", ["matplotlib", "sklearn"])
def test_a_missing_package_gets_one_line(package: str, tmp_path: Path) -> None:
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text(f"raise ModuleNotFoundError('absent', name={package!r})")
    call = "draw.pyplot()" if package == "matplotlib" else "data.digits()"
    done = subprocess.run(
        [sys.executable, "-c", f"from curriculum import data, draw; {call}"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "which is missing: pip install" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_lesson_that_misses_a_package_says_which(tmp_path: Path) -> None:
    lesson = tmp_path / "99_absent.py"
    lesson.write_text("import absent_package\n")
    done = subprocess.run(
        [sys.executable, "-m", "curriculum.worker", str(lesson), "key"],
        env=os.environ | {"CURRICULUM_FOLDER": str(tmp_path)}, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert done.stderr == "the lesson needs absent_package, which is not installed: pip install absent_package\n"
    assert not (tmp_path / "result.json").exists()


def record_of(**changes: np.ndarray) -> dict[str, np.ndarray]:
    arrays = {
        "loss": np.array([3.0, 2.0, 1.0]),
        "kept": np.array([0, 2]),
        "gradient": np.ones((2, 4)),
        "weight": np.ones((2, 4)),
    }
    return {f"training/{name}": values for name, values in (arrays | changes).items()}


def test_comparison_finds_a_difference_and_its_step() -> None:
    assert compare.compare(record_of(), record_of(), "float64").agree

    moved = np.ones((2, 4))
    moved[1, 2] += 1e-7
    found = compare.compare(record_of(weight=moved), record_of(), "float64")
    assert found.wrong == ["training: weight apart by more than 1e-08 from step 2 on"]
    assert found.worst["weight"] == pytest.approx(1e-7)

    lost = record_of(loss=np.array([3.0, np.nan, 1.0]))
    assert "loss apart" in compare.compare(lost, record_of(), "float64").wrong[0]
    assert not compare.compare(record_of(loss=np.ones(2)), record_of(), "float64").agree
    assert not compare.compare({}, record_of(), "float64").agree

    rounded = record_of(loss=np.array([3.0, 2.0, 1.00001]))
    found = compare.compare(rounded, record_of(), "float32")
    assert found.agree
    assert found.first_rounding == "step 2 of training"


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write(path, "old")

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        write(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_without_a_command_the_lessons_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert all(f"{lesson.number} {lesson.title}" in said for lesson in LESSONS)


def test_one_lesson_runs_in_both_engines_and_is_reused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", "03", "--dtype", "float64", "--out", str(tmp_path)]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "float64: losses and weights of both engines agree to 1e-08" in said
    assert "reused" not in said
    # The lesson is told as it runs: question, text with readable formulas, what each cell prints; then the table.
    told = [
        "In which order must",
        "b = a + a,",
        "│ naive walk: dc/da = 6",
        "Why 6?",
        "│ topological order",
        "What was learned",
    ]
    assert sorted(told, key=said.index) == told
    assert "number.grad +=" not in said
    assert "$" not in said
    folders = [tmp_path / "03_the_graph" / f"{engine}-float64-0" for engine in ("minigrad", "torch")]
    pages, pictures = ["3_backward.html"], ["3_neuron.png", "3_network.png", "3_zero_grad.png"]
    for folder, drawn in zip(folders, (True, False), strict=True):  # one run draws for all
        files = {"result.json", "steps.npz", "output.txt", *(pages + pictures if drawn else [])}
        assert {path.name for path in folder.iterdir()} == files
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        assert (result["pages"], sorted(result["figures"])) == ((pages, sorted(pictures)) if drawn else ([], []))
    ours, theirs = map(compare.load, folders)
    trainings = ("with zero_grad", "without zero_grad", "2-3-1 network")
    assert set(ours) == {f"{run}/{kind}" for run in trainings for kind in ("kept", *compare.KINDS)}
    assert ours["with zero_grad/weight"].dtype == theirs["with zero_grad/weight"].dtype == np.float64

    assert main(arguments) == 0
    again = capsys.readouterr().out
    assert again.count("reused, nothing changed") == 2
    assert [again.index(words) for words in told] == sorted(again.index(words) for words in told)
    assert main([*arguments, "--quiet"]) == 0
    quiet = capsys.readouterr().out
    assert "Why 6?" not in quiet
    assert "What was learned" in quiet

    # An engine that computes something else is found out: spoil the record that is reused.
    ours["with zero_grad/loss"][5] += 1e-6
    np.savez(folders[0] / "steps.npz", **ours)  # type: ignore[arg-type]
    assert main(arguments) == 1
    assert "do NOT agree: with zero_grad: loss apart by more than 1e-08 from step 5 on" in capsys.readouterr().out

    assert main(["report", "--dtype", "float64", "--out", str(tmp_path)]) == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 5  # both losses over one another, their differences, the pictures
    assert "http" not in page
    assert '<meta name="viewport"' in page
    assert 'alt="zero grad. loss over step: with zero_grad, without"' in page
    assert all(alt.strip() for alt in re.findall(r'<img alt="([^"]*)"', page))


def test_a_lesson_that_was_skipped_does_not_count_as_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lesson = LESSONS[13]
    for engine in ("minigrad", "torch"):
        setting = Setting(engine, "float64", 0)
        result = {"key": runner.key(lesson, setting), "seconds": 0.1, "claims": [], "figures": [], "data": []}
        result |= {"skipped": "JAX is away", "said": [], "alts": {}}
        write(setting.folder(tmp_path, lesson) / "result.json", json.dumps(result))
    assert main(["list", "--dtype", "float64", "--out", str(tmp_path)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "of 2" not in said
    assert "skipped: JAX is away" in said


@pytest.mark.parametrize(
    ("number", "folder", "line"),
    [
        ("22", None, "22: --full finds no mnist, since no folder is named (--data-dir, or MINIGRAD_DATA)"),
        ("28", "empty", "28: --full finds no imdb/aclImdb_v1.tar.gz and no ag_news_csv, in "),
        ("03", None, "03: --full changes nothing, this lesson has no long training."),
    ],
)  # fmt: skip
def test_full_says_that_it_found_no_data(
    number: str, folder: str | None, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path) if folder else "")
    monkeypatch.setattr("curriculum.__main__.run_lessons", lambda *_: True)
    monkeypatch.setenv("MINIGRAD_FULL", "")
    assert main(["run", number, "--full", "--out", str(tmp_path / "runs")]) == 0
    assert line in capsys.readouterr().out


def test_without_the_environment_one_line_says_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "rich").mkdir()
    (tmp_path / "rich" / "__init__.py").write_text("raise ModuleNotFoundError('absent', name='rich')")
    done = subprocess.run(
        [sys.executable, "-m", "curriculum"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "needs rich" in done.stderr
    assert "source .venv/bin/activate" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_is_done_is_told_where_no_bar_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    console = terminal.Voice(width=100)
    with terminal.Working(console) as working, working.on("something long") as show:
        show(3, 7, "parts")
        time.sleep(terminal.SILENCE + 0.5)
    assert "… something long, 3 of 7 parts" in capsys.readouterr().out


def test_formulas_in_the_terminal_are_plain() -> None:
    assert formulas.plain(r"\frac{dL}{dw} = \frac2n \sum_i (w x_i - y_i)\,x_i") == "dL/dw = 2/n Σᵢ (w xᵢ - yᵢ) xᵢ"
    for lesson in LESSONS:  # no command is left over, and no formula lost
        for cell in catalog.cells(lesson.path.read_text(encoding="utf-8")):
            if cell.kind == "markdown":
                shown = terminal.readable(cell.text)
                assert "$" not in shown
                assert not re.search(r"\\[a-zA-Z]", shown)


@pytest.mark.parametrize("lesson", LESSONS, ids=names(LESSONS))
def test_the_cells_hold_the_whole_lesson(lesson: catalog.Lesson) -> None:
    text = lesson.path.read_text(encoding="utf-8")
    found = catalog.cells(text)
    code = "\n".join(cell.text for cell in found if cell.kind == "code")
    assert ast.dump(ast.parse(code)) == ast.dump(ast.parse(text))
    tree = ast.parse(text).body
    for node in tree:  # each statement lies in one cell: the worker runs them cell by cell
        assert sum(c.first <= node.lineno <= c.last for c in found if c.kind == "code") == 1


def topics() -> list[tuple[str, str, str]]:
    """(topic, lesson, words that stand in it) from the table of curriculum/README.md."""
    text = (catalog.HERE / "README.md").read_text(encoding="utf-8")
    table = text.split("## Which lesson teaches what")[1]
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
    return [tuple(cell.strip() for cell in row.strip("|").split(" | ")) for row in rows]  # type: ignore[misc]


@pytest.mark.parametrize(("topic", "number", "words"), topics(), ids=[row[0] for row in topics()])
def test_each_topic_is_taught_where_the_table_says(topic: str, number: str, words: str) -> None:
    lesson = catalog.find(number).path.read_text(encoding="utf-8")
    assert words.strip("`").lower() in lesson.lower()


def test_every_lesson_teaches_a_topic_of_the_table() -> None:
    assert {number for _, number, _ in topics()} == {lesson.number for lesson in LESSONS}
    assert [lesson.number for lesson in LESSONS] == [f"{n:02}" for n in range(1, 1 + len(LESSONS))]


def test_differences_of_none_are_drawn_without_a_warning(recwarn):
    from curriculum import draw

    fig = draw.differences({"float64": {"loss": ([1, 2], [0.0, 0.0])}, "float32": {"loss": ([1, 2], [0.0, 1e-7])}})
    fig.canvas.draw()
    draw.pyplot().close(fig)
    assert [str(w.message) for w in recwarn] == []
    (low, high), (float32_low, float32_high) = (ax.get_ylim() for ax in fig.axes)
    assert low < 1e-17 < high
    assert float32_low < 1e-7 < float32_high
