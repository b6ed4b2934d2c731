"""`python -m curriculum report --table`: how far the engines lie apart, lesson by lesson, as the table of curriculum/README.md."""

import contextlib
import datetime
import json
import os
import platform
import re
from collections.abc import Iterable
from pathlib import Path

from . import compare, files
from .catalog import HERE, Lesson
from .commands import counted
from .runner import Setting, key, result

README = HERE / "README.md"
BEGIN, END = "<!-- by `python -m curriculum report --table`: -->", "<!-- to here -->"
ENGINES, DTYPES = ("minigrad", "torch"), ("float32", "float64")
HEAD = """| lesson | question | apart in loss, gradient, weight | minigrad | PyTorch |
| --- | --- | --- | --- | --- |"""


def note(out: Path, seconds: float, jobs: int) -> None:
    """Note how long `run --all` took, so that the table can say it; it holds as long as no result is younger or older."""
    files.write(out / "all.json", json.dumps({"seconds": seconds, "jobs": jobs}))


def _kept(text: str) -> dict[str, str]:
    """By lesson what the table has of it: how far apart, with the date of the measurement, and the seconds of both engines."""
    date = re.search(r"on (\d{4}-\d\d-\d\d):", text)
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").rsplit("|", 3)]
        if re.match(r"\| \d\d ", line) and len(cells) == 4 and cells[3]:
            dated = cells[1] if "(" in cells[1] or not date else f"{cells[1]} ({date[1]})"
            found[cells[0][:2]] = " | ".join([dated, *cells[2:]])
    return found


def _row(lesson: Lesson, seed: int, out: Path, kept: dict[str, str]) -> tuple[str, str]:
    """The lesson's line of the table, and why it has no new figures ("" where it has): kept ones stay then."""
    begin = f"| {lesson.number} {lesson.title} | {lesson.question} |"
    settings = {(engine, dtype): Setting(engine, dtype, seed) for engine in ENGINES for dtype in DTYPES}
    found = {}
    for each, setting in settings.items():
        there = result(out, lesson, setting)
        if there is None or there["key"] != key(lesson, setting):
            state = "was not run" if there is None else "was run before something changed"
            return (
                f"{begin} {kept.get(lesson.number, 'not measured | |')} |",
                f"lesson {lesson.number} {state} in {setting.engine} {setting.dtype}",
            )
        if there["skipped"]:
            return f"{begin} {kept.get(lesson.number, 'skipped | |')} |", f"lesson {lesson.number}: {there['skipped']}"
        found[each] = there
    ours, theirs = (settings[engine, "float64"].folder(out, lesson) for engine in ENGINES)
    worst = compare.folders(ours, theirs, "float64").worst
    figures = ", ".join(f"{worst[kind]:.0e}" if worst[kind] else "0" for kind in compare.KINDS)
    times = [sum(found[engine, dtype]["seconds"] for dtype in DTYPES) for engine in ENGINES]
    return f"{begin} {figures} | {' | '.join(f'{seconds:.1f} s' for seconds in times)} |", ""


def _about(records: Iterable[Path], out: Path, kept: bool) -> str:
    """When and where the lessons were run. kept: others stand in the table too, with their dates."""
    times = [path.stat().st_mtime for path in records if path.is_file()]
    cores = f"{counted(os.cpu_count() or 1, 'core')} of {_processor()}"
    if not times:
        return f"Not measured yet on {cores}."
    date = datetime.datetime.fromtimestamp(max(times), tz=datetime.UTC).date()
    whole = ""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads((out / "all.json").read_text(encoding="utf-8"))
        began = (out / "all.json").stat().st_mtime - told["seconds"]
        if min(times) >= began - 1:  # nothing was reused
            minutes, seconds = divmod(round(told["seconds"]), 60)
            whole = f", {counted(told['jobs'], 'lesson')} at a time, {minutes} min {seconds} s in all"
    run = "runs of lessons" if kept else "a run of `make lessons`"
    dated = "; lines with a date were measured then, and not again" * kept
    return (
        f"From {run} on {date}: {cores}{whole}{dated}; seconds of both dtypes together; differences in float64, the worst "
        "over every step of every training."
    )


def _processor() -> str:
    with contextlib.suppress(OSError):
        if found := re.search(
            r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE
        ):
            return found[1].strip()
    return platform.processor() or platform.machine()


def write(readme: Path, lessons: list[Lesson], seed: int, out: Path) -> list[str]:
    """Put the table of what lies in `out` into the file, between its two marks; the lessons without new figures, and why.

    Those keep what the table has of them, with its date; where there are no new figures at all it stays as it is.
    """
    text = readme.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise SystemExit(f"{readme} has not the marks that the table goes between: {BEGIN} and {END}")
    before, old, after = text[: text.index(BEGIN)], text[text.index(BEGIN) : text.index(END)], text[text.index(END) :]
    kept = _kept(old)
    rows = [_row(lesson, seed, out, kept) for lesson in lessons]
    new = [lesson for lesson, (_, why) in zip(lessons, rows, strict=True) if not why]
    if not new and kept:
        return [why for _, why in rows]
    of = new if kept else lessons
    records = [
        Setting(e, d, seed).folder(out, lesson) / "result.json" for lesson in of for e in ENGINES for d in DTYPES
    ]
    beside = any(why and lesson.number in kept for lesson, (_, why) in zip(lessons, rows, strict=True))
    table = "\n".join([_about(records, out, beside), "", HEAD, *(row for row, _ in rows)])
    files.write(readme, f"{before}{BEGIN}\n\n{table}\n\n{after}")
    return [why for _, why in rows if why]


def lessons_of(readme: Path) -> list[str]:
    """The first column of the table."""
    text = readme.read_text(encoding="utf-8")
    table = text[text.index(BEGIN) : text.index(END)]
    return re.findall(r"^\| (\d\d [^|]+?) \|", table, re.MULTILINE)
