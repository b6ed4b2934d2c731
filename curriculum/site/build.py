"""`python -m curriculum site`: writes what Sphinx reads, runs Sphinx, says what is being made."""

import contextlib
import io
import logging
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

from .. import files
from ..catalog import HERE, Lesson
from ..commands import counted
from . import claims, figures, glossary, markup, measured, parity_pages, reference
from . import lessons as lesson_pages
from . import operations as operation_pages

HOME = HERE / "site"
TERMINAL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
)  # colours, and "erase the line": Sphinx sends both where it believes in a terminal


class Progress:
    """Lines with the time since the beginning."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say, self.start = say, time.perf_counter()

    def __call__(self, text: str) -> None:
        self.say(f"{time.perf_counter() - self.start:6.1f} s  {text}")


class _Status(io.TextIOBase):
    """What Sphinx says of its progress, as a line for every fifth part of a stage."""

    def __init__(self, tell: Progress) -> None:
        self.progress, self.rest, self.last = tell, "", ("", -1)

    def write(self, text: str) -> int:
        *lines, self.rest = re.split(r"[\r\n]", self.rest + text)
        for line in lines:
            found = re.match(r"(reading|writing|copying)\b.*?\[\s*(\d+)%\]", TERMINAL.sub("", line))
            if found and (found[1], int(found[2]) // 20) != self.last:
                self.last = (found[1], int(found[2]) // 20)
                self.progress(f"{found[1]} pages: {found[2]} %")
        return len(text)


@contextlib.contextmanager
def _sphinx_is_heard() -> Iterator[None]:
    """Python's logging as Sphinx needs it, whatever this process did to it: its progress and its warnings come through there."""
    before = logging.root.manager.disable
    logging.disable(logging.NOTSET)
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger) and (name == "sphinx" or name.startswith("sphinx.")):
            logger.disabled, logger.propagate = False, True
            logger.setLevel(logging.NOTSET)  # Sphinx sets the level of the topmost, and says all through that one
            logger.filters.clear()
    try:
        yield
    finally:
        logging.disable(before)


def _home(source: Path, parts: list[str]) -> None:
    order = markup.directive("toctree", "", "\n".join(parts), [("hidden", ""), ("maxdepth", "2")])
    text = (HOME / "home.md").read_text(encoding="utf-8")
    files.write(source / "index.md", f"{text}\n{order}")


def _renew(read: Path, source: Path) -> None:
    """Make `read` hold what `source` holds; files that are the same stay as they are, so that Sphinx reads only what changed."""
    wanted = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    for name in wanted:
        content = (source / name).read_bytes()
        if not (read / name).is_file() or (read / name).read_bytes() != content:
            files.write(read / name, content)
    for path in list(read.rglob("*")):
        if path.is_file() and path.relative_to(read) not in wanted:
            path.unlink()


def _forget(out: Path, record: Path, pages: set[str]) -> None:
    """Remove pages that an earlier build made and this one did not."""
    before = set(record.read_text(encoding="utf-8").splitlines()) if record.is_file() else set()
    for name in before - pages:
        (out / name).unlink(missing_ok=True)
    files.write(record, "\n".join(sorted(pages)))


def build(
    out: Path, lessons: list[Lesson], results: Path, say: Callable[[str], None], operations: list[str] | None = None
) -> list[str]:
    """Build the site into `out`, whose index.html is its beginning; Sphinx's warnings, of which there should be none.

    results: where the lessons were run, and where the comparison with PyTorch ("parity") and times of operations lie, if they were
    made. operations: the pages of these alone (all, if None), and of the reference only the inside of the engine.
    """
    try:
        from sphinx.application import Sphinx
    except ModuleNotFoundError as error:
        raise SystemExit(f"The site needs {error.name}, which is missing: pip install -e '.[site]'.") from None

    tell = Progress(say)
    work = out / ".build"
    read, source, extra = work / "read", work / "source", work / "extra"
    for folder in (source, extra):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    for number, lesson in enumerate(lessons, 1):
        made = lesson_pages.write(lesson, source, work / "notebooks", results, extra)
        if made or number % 5 == 0 or number == len(lessons):
            tell(f"lesson {lesson.number} ({number} of {len(lessons)}){': its notebook was run' if made else ''}")
    lesson_pages.index(lessons, source)
    measured.write(lessons, source, results, work / "curves", tell)
    glossary.write(source, lessons)
    claims.write(source, lessons)
    parity = figures.Parity(results / "parity")
    pages = operation_pages.write(source, parity, figures.Speed(results), operations)
    tell(counted(len(pages), "operation"))
    count = reference.write(source, whole=operations is None)
    tell(f"reference of {counted(count, 'name')}")
    parity_pages.write(source, parity)
    _home(
        source,
        [
            "lessons/index",
            "measured/index",
            "claims",
            "operations/index",
            "reference/index",
            "parity/index",
            "glossary",
        ],
    )

    _renew(read, source)
    warnings = io.StringIO()
    with _sphinx_is_heard():
        status = cast("IO[str]", _Status(tell))
        app = Sphinx(read, HOME, out, work / "doctrees", "html", status=status, warning=warnings, parallel=2)
        app.build()
    shutil.copytree(extra, out, dirs_exist_ok=True)
    _forget(out, work / "pages.txt", {f"{name}.html" for name in app.env.found_docs})
    tell(f"built {out / 'index.html'}")
    return [line for line in TERMINAL.sub("", warnings.getvalue()).splitlines() if line.strip()]


def main(out: Path, lessons: list[Lesson], results: Path) -> int:
    """Build the site, say what is being made; exit status 1 where Sphinx had something to complain of."""
    problems = build(out, lessons, results, lambda line: print(line, flush=True))
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"site: {out / 'index.html'}")
    return 1 if problems else 0
