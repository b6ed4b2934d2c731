"""Every option of every command line that takes a number or a path: what it cannot be is refused in a line, with status 2.

The options are read from the parsers, so a new one is tried here without being named, and a new command line must be.
"""

import argparse
import contextlib
import io
import re
from pathlib import Path

import fullscale_runs
import pytest

import benchmarks.__main__
import curriculum.__main__
import curriculum.fullscale.__main__
import minigrad.kernels.__main__
import minigrad.viz.__main__
import parity.__main__
from curriculum import commands
from curriculum.fullscale import pictures, reviews

ROOT = Path(__file__).parents[1]
BENCHMARKS = ("", "scaling", "profile", "compile", "operations", "lessons", "throughput", "quote")
COURSE = ("list", "run", "report", "claims", "site", "notebook", "notebooks", "check", "playground")

# By what is typed after `python -m`: what is run, and arguments with which it has something to do.
LINES = {
    "minigrad.viz": (minigrad.viz.__main__.main, []),
    "minigrad.kernels": (minigrad.kernels.__main__.main, ["warm", "gelu"]),
    "parity": (parity.__main__.main, ["gelu"]),
    **{f"benchmarks {name}".strip(): (benchmarks.__main__.main, [name] * bool(name)) for name in BENCHMARKS},
    **{f"curriculum {name}": (curriculum.__main__.main, [name]) for name in COURSE},
    **{
        f"curriculum.fullscale {name}": (curriculum.fullscale.__main__.main, [name])
        for name in curriculum.fullscale.__main__.COMMANDS
    },
}
NEEDED = {
    "benchmarks profile": ["small"],
    "curriculum run": ["01"],
    "curriculum check": ["01"],
    "curriculum notebook": ["01", "--empty"],
    "curriculum.fullscale predict": ["--run", "RUN", "fine"],
    "curriculum.fullscale recommend": ["--run", "RUN", "films.csv"],
    "curriculum.fullscale export": ["--run", "RUN"],
    "curriculum.fullscale serve": ["--run", "RUN"],
    "curriculum.fullscale gpu": ["--rehearse"],
    **{f"curriculum.fullscale {name}": ["--data", "embedded"] for name in ("mnist-cnn", "resnet18", "distilbert-imdb", "transfer")},
}  # fmt: skip
# Options beside which another one must stand.
BESIDE = {
    "parity --calls": ["fuzz"], "curriculum.fullscale predict --check": [], "curriculum.fullscale predict --data-dir": ["--check", "2"],
    "curriculum.fullscale recommend --data-dir": ["--imdb"], "curriculum.fullscale gpu --mib": ["--pack", "packed"],
}  # fmt: skip
# What is right although it is neither there nor can be made.
READ_WHERE_IT_IS = {
    "curriculum.fullscale gpu --out": "what a GPU showed is not lost: it goes into another folder, which is said",
}
# Where 0 says something.
ZERO = {"--seed", "--worst", "--port", "--dropout"}


class Seen(Exception):
    def __init__(self, parser):
        self.parser = parser


def parser_of(line, monkeypatch):
    """The parser that reads the line."""

    def parse(self, *given, **more):
        raise Seen(self)

    main, given = LINES[line]
    with monkeypatch.context() as patch, pytest.raises(Seen) as seen:
        patch.setattr(argparse.ArgumentParser, "parse_args", parse)
        main(list(given))
    parser = seen.value.parser
    if parser._subparsers is not None:
        return parser._subparsers._group_actions[0].choices[given[0]]
    return parser


def asked(line, given):
    """Status and text of a command that is not let do anything."""
    main, first = LINES[line]
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            status = commands.run(lambda: main([*first, *given]))
        except SystemExit as ended:
            status = ended.code
        except AssertionError as error:
            status = str(error)
    return status, said.getvalue()


def name_of(action):
    return action.option_strings[-1] if action.option_strings else ""


def is_number(action):
    with contextlib.suppress(Exception):
        return isinstance(action.type("7"), int | float)
    return False


def is_path(action):
    return not is_number(action) and (action.type not in (None, str) or action.metavar in ("FILE", "FOLDER", "NAME"))


def options(line, wanted):
    """The options of a command line that are numbers, or paths; of one by its place, the name of that place."""
    with pytest.MonkeyPatch.context() as patch:
        return {name_of(a) or a.dest: a for a in parser_of(line, patch)._actions if wanted(a)}


def test_every_command_line_is_tried_here():
    own = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
        for folder in ("minigrad", "parity", "benchmarks", "curriculum")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"ArgumentParser\(|Parser\(prog", path.read_text(encoding="utf-8"))
        and "standalone" not in path.parts
    }
    inside = {
        "benchmarks.scaling",
        "benchmarks.profile",
        "benchmarks.compiled",
        "benchmarks.operations",
        "benchmarks.lessons",
        "benchmarks.throughput",
    }
    shared = {"curriculum.fullscale.settings", "curriculum.fullscale.gpu.stages"}  # (which read defaults)
    assert own - inside - shared == {line.split()[0] for line in LINES}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return fullscale_runs.reviews(tmp_path_factory.mktemp("a run") / "run")


@pytest.fixture
def place(tmp_path, monkeypatch, request):
    """A folder with a few files in it; and nothing is trained, should it be asked for."""

    def taken(*given, **more):
        raise AssertionError("it was taken")

    monkeypatch.setattr(pictures, "train", taken)
    monkeypatch.setattr(reviews, "train", taken)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    (tmp_path / "films.csv").write_text("film,text\na,fine\n", encoding="utf-8")
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    return tmp_path


def refused(line, option, action, value, run):
    """What is wrong with how the value is refused."""
    given = [str(run) if each == "RUN" and option != "--run" else each for each in NEEDED.get(line, [])]
    if option == "--run":
        given = [value if each == "RUN" else each for each in given]
    elif not action.option_strings:
        given = [value if each == "films.csv" else each for each in given] or [value]
    else:
        given = [*(given if option != "--mib" else []), *BESIDE.get(f"{line} {option}", []), f"{option}={value}"]
    status, said = asked(line, given)
    named = option in said or (value in said and not is_number(action))  # a path says by itself what it is
    if status != 2 or not named or "Traceback" in said:
        return [f"{line} {' '.join(given)}: status {status}: {said[-300:]}"]
    return []


@pytest.mark.parametrize("line", LINES)
def test_numbers_that_cannot_be(line, place, run):
    faults = []
    for option, action in options(line, is_number).items():
        whole = isinstance(action.type("7"), int)
        values = ["abc", "-1"] + ["0"] * (option not in ZERO) + (["1.5"] if whole else ["nan"])
        if option == "--seed":
            values.append("1" + "0" * 30)
        for value in values:
            faults += refused(line, option, action, value, run)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("line", LINES)
def test_paths_that_cannot_be(line, place, run):
    faults = []
    for option, action in options(line, is_path).items():
        if f"{line} {option}" in READ_WHERE_IT_IS:
            continue
        values = (
            ["/proc/nowhere/x", "file/x"]
            + ["folder"] * (action.metavar == "FILE")
            + ["file"] * (action.metavar == "FOLDER")
        )
        for value in values:
            faults += refused(line, option, action, value, run)
    assert not faults, "\n".join(faults)
