"""`python -m curriculum claims --table`: which claims notice planted changes, lesson by lesson, as the table of curriculum/README.md.

SURVIVORS are the claims that no planted change of their lesson refutes, each with the reason; a test holds that they exist and that all others
are refuted.
"""

import re
from typing import Any

from . import files
from .catalog import HERE, Lesson
from .claims import noticed

README = HERE / "README.md"
BEGIN, END = "<!-- by `python -m curriculum claims --table`: -->", "<!-- the table of claims ends here -->"
HEAD = """| lesson | claims | planted | noticed | lesson | claims | planted | noticed |
| --- | ---: | ---: | ---: | --- | ---: | ---: | ---: |"""

OPEN = "not refuted yet"
# (lesson, the claim's text): why no change of the lesson refutes it
SURVIVORS: dict[tuple[str, str], str] = {}


def excused(lesson: Lesson, claim: dict[str, Any]) -> str:
    """Why no change refutes the claim; "" where that is not known, and where it holds by another value of its own alone."""
    return SURVIVORS.get((lesson.name, claim["text"]), "") if claim["passed"] else ""


def write(found: dict[Lesson, dict[str, Any]], lessons: list[Lesson]) -> list[str]:
    """Put the table into the README between its two marks; the lessons that were not examined, which keep what it has of them."""
    text = README.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise SystemExit(f"{README} has not the marks that the table goes between: {BEGIN} and {END}")
    rows, totals = [], [0, 0, 0]
    kept = {number: of for number, of in lessons_of(text).items() if -1 not in of}
    for lesson in lessons:
        of = found.get(lesson)
        if of is None and lesson.number not in kept:
            rows.append(f"{lesson.number} | not examined | |")
            continue
        numbers = [len(of["claims"]), of["tried"], sum(map(noticed, of["claims"]))] if of else kept[lesson.number]
        totals = [a + b for a, b in zip(totals, numbers, strict=True)]
        rows.append(f"{lesson.number} | {' | '.join(map(str, numbers))}")
    rows.append(f"all | {' | '.join(map(str, totals))}")
    rows += ["| | | "] * (len(rows) % 2)
    half = len(rows) // 2
    lines = [f"| {left} | {right} |" for left, right in zip(rows[:half], rows[half:], strict=True)]
    named = [f'- {name[:2]}, "{text}": {why}' for (name, text), why in SURVIVORS.items()]
    named += [
        f'- {lesson.number}, "{claim["text"]}": {OPEN}'
        for lesson, of in found.items()
        for claim in of["claims"]
        if not noticed(claim) and not excused(lesson, claim)
    ]
    table = text[text.index(BEGIN) : text.index(END)]
    examined = {lesson.number for lesson in found}
    named += [line for line in table.splitlines() if line.endswith(f": {OPEN}") and line[2:4] not in examined]
    named.sort(key=lambda line: line[2:4])
    lines += ["", "Those that noticed none (more are tried with `--seconds 600`):", "", *named] if named else []
    before, after = text[: text.index(BEGIN)], text[text.index(END) :]
    files.write(README, "\n".join([before + BEGIN, "", HEAD, *lines, "", after]))
    return [lesson.number for lesson in lessons if lesson not in found]


def lessons_of(text: str) -> dict[str, list[int]]:
    """Of each lesson in the table its claims, the changes planted, and the claims that notice one; -1 where it was not examined."""
    table = text[text.index(BEGIN) : text.index(END)]
    found = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for first in (0, 4):
            if len(cells) >= first + 4 and cells[first].isdecimal():
                found[cells[first]] = [int(cell) if cell.isdecimal() else -1 for cell in cells[first + 1 : first + 4]]
    return dict(sorted(found.items()))


def named(text: str) -> list[str]:
    """The numbers of the lessons of the claims below the table, which noticed nothing: one for each claim."""
    return re.findall(r'^- (\d\d), ".+": .+$', text[text.index(BEGIN) : text.index(END)], re.MULTILINE)
