"""Which lessons there are, and where their parts lie."""

import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Lesson:
    number: str  # "01"
    path: Path

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def title(self) -> str:
        found = re.search(r"^# # \d+\. (.+)$", self.path.read_text(encoding="utf-8"), re.MULTILINE)
        return found.group(1) if found else self.name

    @property
    def question(self) -> str:
        found = re.search(r"^# \*\*(.+\?)\*\*$", self.path.read_text(encoding="utf-8"), re.MULTILINE)
        return found.group(1) if found else ""


@dataclass(frozen=True)
class Cell:
    kind: str  # "markdown" or "code"
    first: int  # the number of its first line in the file, from 1 on
    last: int
    text: str


def cells(source: str) -> list[Cell]:
    """The cells of a file in percent format: text without its "# ", and code. A file without marks is one cell."""
    lines = source.splitlines()
    marks = [number for number, line in enumerate(lines, start=1) if line.startswith("# %%")]
    found = []
    for first, end in zip([0, *marks], [*marks, len(lines) + 1], strict=True):
        body = lines[first : end - 1]
        if first and lines[first - 1].startswith("# %% [markdown]"):
            text = "\n".join(line[2:] for line in body if line.startswith("#"))
            found.append(Cell("markdown", first + 1, end - 1, text))
        elif any(line.strip() for line in body):
            found.append(Cell("code", first + 1, end - 1, "\n".join(body).strip("\n")))
    return found


def lessons() -> list[Lesson]:
    return [Lesson(path.name[:2], path) for path in sorted((HERE / "lessons").glob("[0-9][0-9]_*.py"))]


def find(name: str) -> Lesson:
    """The lesson called "1", "01", "01_tensors" or "curriculum/lessons/01_tensors.py"; SystemExit names those there are."""
    there = lessons()
    for lesson in there:
        if name in (lesson.number, lesson.name) or (name.isdecimal() and int(name) == int(lesson.number)):
            return lesson
        if Path(name).name in (f"{lesson.name}.py", f"{lesson.name}.ipynb"):
            return lesson
    alike = [lesson for lesson in there if len(name) > 2 and name.lower() in f"{lesson.name} {lesson.title}".lower()]
    meant = f" Did you mean {' or '.join(f'{lesson.number} ({lesson.title})' for lesson in alike)}?" if alike else ""
    raise SystemExit(
        f"There is no lesson {name!r}. There are {there[0].number} to {there[-1].number}: `python -m curriculum list` names them.{meant}"
    )


def find_all(names: list[str]) -> list[Lesson]:
    """The lessons of these names, each once; all, if there are no names."""
    return list(dict.fromkeys(find(name) for name in names)) or lessons()
