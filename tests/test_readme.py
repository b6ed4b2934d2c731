"""What README.md and curriculum/README.md promise a newcomer: their commands, files, links and the first example."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from curriculum import catalog
from curriculum.__main__ import parser

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COURSE = (ROOT / "curriculum" / "README.md").read_text(encoding="utf-8")


def test_the_first_example_prints_what_stands_below_it() -> None:
    found = re.search(r"```python\n(.+?)```\n```\n(.+?)```", README, re.DOTALL)
    assert found is not None
    done = subprocess.run([sys.executable, "-c", found[1]], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == found[2]


def commands() -> list[str]:
    """Each `python -m curriculum ...` that the two files name, without its comment."""
    lines = []
    for text in (README, COURSE):
        lines += re.findall(r"^python -m curriculum(?: [^#\n]*)?", text, re.MULTILINE)
        lines += re.findall(r"`(python -m curriculum(?: [^`]*)?)`", text)
        lines += [
            f"python -m curriculum {rest}" for rest in re.findall(r"`((?:run|check|notebook) [0-9-][^`]*)`", text)
        ]
    return sorted({line.strip() for line in lines})


@pytest.mark.parametrize("command", commands())
def test_a_command_is_understood(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "FOLDER").mkdir()  # the reader's own
    monkeypatch.chdir(tmp_path)
    arguments = shlex.split(command)[3:]
    chosen = parser().parse_args(arguments or ["list"])
    for name in [getattr(chosen, "lesson", None), *getattr(chosen, "lessons", [])]:
        if name:
            catalog.find(name)


@pytest.mark.parametrize(("place", "text"), [(ROOT, README), (ROOT / "curriculum", COURSE)], ids=["README", "course"])
def test_links_lead_somewhere(place: Path, text: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        there = (place / path).read_text(encoding="utf-8") if path else text
        headings = [
            re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in re.findall(r"^#+ (.+)$", there, re.MULTILINE)
        ]
        assert not anchor or anchor in headings


def test_the_first_screen_says_what_it_is_and_where_to_go() -> None:
    first = "\n".join(README.splitlines()[:40])
    for words in ("written to be read", "| learn", "| read", "| ask whether the gradient", "| compare"):
        assert words in first


def test_the_lessons_end_where_the_course_says_the_solutions_are() -> None:
    assert "`curriculum/solutions/`" in COURSE
    for lesson in catalog.lessons():
        for folder in ("exercises", "solutions"):
            assert (catalog.HERE / folder / lesson.path.name).is_file()


def test_each_helper_that_lessons_call_is_explained() -> None:
    """`record.*` and `draw.*` are no part of PyTorch: whoever reads a lesson must find what they are."""
    used = {name for lesson in catalog.lessons() for name in re.findall(r"\brecord\.(\w+)\(", lesson.path.read_text())}
    explained = set(re.findall(r"`record\.(\w+)\(", COURSE))
    assert used - {"skip"} <= explained
