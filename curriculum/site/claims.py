"""The page of the sources' claims, from curriculum/claims.md, whose entries lead to the lessons as files of the repository."""

import re
from pathlib import Path

from .. import files
from ..catalog import HERE, Lesson

LESSON = re.compile(r"\]\(lessons/(\w+)\.py\)")


def write(source: Path, lessons: list[Lesson]) -> None:
    there = {lesson.name for lesson in lessons}
    text = (HERE / "claims.md").read_text(encoding="utf-8")

    def page(found: re.Match[str]) -> str:
        return f"](lessons/{found[1]}.ipynb)" if found[1] in there else "](measured/index.md)"

    text = LESSON.sub(page, text)
    # What lies beside the course is no page of the site: its name stays, without a link.
    files.write(source / "claims.md", re.sub(r"\[([^]]+)\]\(\.\./[^)]+\)", r"\1", text))
