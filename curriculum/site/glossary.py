"""The glossary's page, from curriculum/glossary.md, whose entries lead to the lessons as files of the repository."""

import re
from pathlib import Path

from .. import files
from ..catalog import HERE, Lesson
from . import markup

ENTRY = re.compile(r"^- \*\*(?P<term>.+?)\*\*: (?P<text>.+) \[Lesson (?P<number>\d\d)\]\(lessons/(?P<name>\w+)\.py\)$")


def entries() -> list[dict[str, str]]:
    """Each with its term, text, number and name (of the lesson)."""
    lines = (HERE / "glossary.md").read_text(encoding="utf-8").splitlines()
    return [found.groupdict() for line in lines if (found := ENTRY.match(line))]


def write(source: Path, lessons: list[Lesson]) -> None:
    there = {lesson.name: lesson for lesson in lessons}
    parts = []
    for entry in entries():
        lesson = there.get(entry["name"])
        where = f"Lesson {entry['number']}" + (f", {markup.escape(lesson.title)}" if lesson else "")
        link = markup.link(where, f"lessons/{entry['name']}.ipynb") if lesson else where
        parts.append(f"{entry['term']}\n  {entry['text']} {link}\n")
    head = "# Glossary\n\nThe words of the field, each in a sentence or two, and the lesson that introduces it.\n\n"
    files.write(source / "glossary.md", head + markup.directive("glossary", "", "\n".join(parts)))
