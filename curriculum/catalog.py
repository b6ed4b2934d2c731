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


def lessons() -> list[Lesson]:
    return [Lesson(path.name[:2], path) for path in sorted((HERE / "lessons").glob("[0-9][0-9]_*.py"))]


def find(name: str) -> Lesson:
    """The lesson called "1", "01" or "01_one_weight"; SystemExit names those there are."""
    for lesson in lessons():
        if name in (lesson.number, lesson.name) or (name.isdecimal() and int(name) == int(lesson.number)):
            return lesson
    raise SystemExit(f"There is no lesson {name!r}. There are: {', '.join(lesson.number for lesson in lessons())}.")
