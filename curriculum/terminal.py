"""What the commands show in a terminal: a lesson's text as it runs, and that something is being done."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.syntax import Syntax
from rich.text import Text

from . import catalog, formulas
from .catalog import Lesson

SILENCE = 2.0  # seconds after which one wonders whether it still runs


class Voice(Console):
    """A console that knows when it spoke last."""

    last = time.monotonic()

    def print(self, *args: Any, **kwargs: Any) -> None:
        super().print(*args, **kwargs)
        self.last = time.monotonic()


class Working:
    """Shows what is being done: as bars in a terminal, elsewhere as a line whenever nothing was said for two seconds."""

    def __init__(self, console: Voice) -> None:
        self.console = console
        self.jobs: dict[object, tuple[str, float, str]] = {}
        self.done = threading.Event()
        self.bars = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[part]}"), TimeElapsedColumn(),
            console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip

    def __enter__(self) -> "Working":
        self.bars.start()
        if not self.console.is_terminal:
            threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.bars.stop()

    @contextmanager
    def on(self, title: str) -> Iterator[Callable[[int, int, str], None]]:
        """Something that is being done; it is told of its progress by `show(done, total, text)`."""
        bar = self.bars.add_task(title, total=None, part="")
        self.jobs[bar] = (title, time.monotonic(), "")

        def show(done: int, total: int, text: str) -> None:
            self.bars.update(bar, completed=done, total=total, part=text)
            self.jobs[bar] = (title, self.jobs[bar][1], f", {done} of {total} {text}".rstrip())

        try:
            yield show
        finally:
            self.bars.remove_task(bar)
            del self.jobs[bar]

    def _beat(self) -> None:
        while not self.done.wait(0.2):
            now = time.monotonic()
            if now - self.console.last > SILENCE - 0.3 and self.jobs:
                lines = [f"{title}{part} ({now - since:.0f} s)" for title, since, part in list(self.jobs.values())]
                self.console.print("… " + "; ".join(lines), highlight=False, markup=False, soft_wrap=True)


class Telling:
    """A lesson as it runs: its text, and below each piece of code what that printed."""

    def __init__(self, lesson: Lesson, console: Voice, code: bool = False) -> None:
        self.cells, self.console, self.code = catalog.cells(lesson.path.read_text(encoding="utf-8")), console, code
        self.told = 0

    def hear(self, number: int, line: str | None) -> None:
        """Cell `number` begins (`line` is None), or printed a line."""
        if line is not None:
            self.console.print(Text(f"  │ {line.rstrip()}"), soft_wrap=True)
            return
        self.tell(number)
        if self.code:
            text = Syntax(self.cells[number].text, "python", theme="ansi_dark", background_color="default")
            self.console.print(Padding(text, (0, 0, 1, 4)))
        self.told = number + 1

    def tell(self, until: int | None = None) -> None:
        """The text before cell `until`, or to the end."""
        until = len(self.cells) if until is None else until
        for cell in self.cells[self.told : until]:
            if cell.kind == "markdown":
                self.console.print()
                self.console.print(Markdown(readable(cell.text), code_theme="ansi_dark"))
                self.console.print()
        self.told = until

    def repeat(self, said: list[tuple[int, str]]) -> None:
        """A run that is over: [(cell, what it printed)]."""
        for number, text in said:
            self.hear(number, None)
            for line in text.splitlines():
                self.hear(number, line)


def readable(text: str) -> str:
    """A lesson's Markdown with its formulas in plain characters: those in the line as code, others on lines of their own."""

    def alone(found: re.Match[str]) -> str:
        lines = formulas.plain(re.sub(r"\s*\n\s*", " ", found[1])).splitlines()
        return "\n\n" + "\n".join(f"    {line.strip()}" for line in lines) + "\n\n"

    text = re.sub(r"\$\$(.+?)\$\$", alone, text, flags=re.DOTALL)
    return re.sub(r"(?<![\\$])\$(?!\s)([^$]+?)(?<!\s)\$", lambda found: f"`{formulas.plain(found[1])}`", text)
