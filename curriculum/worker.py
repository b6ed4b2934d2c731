"""One lesson in one engine, in a process of its own: `python -m curriculum.worker LESSON KEY`."""

import ast
import io
import sys
import time
import types
from pathlib import Path

from . import draw, record
from .catalog import cells


class Listening(io.TextIOBase):
    """Standard output that also keeps what each cell of the lesson printed."""

    def __init__(self) -> None:
        self.said: list[tuple[int, str]] = []

    def begin(self, number: int) -> None:
        """From here on it is cell `number` that prints."""
        self.said.append((number, ""))
        print(f"{record.CELL}{number}", file=sys.__stdout__, flush=True)

    def write(self, text: str) -> int:
        number, before = self.said[-1]
        self.said[-1] = number, before + text
        assert sys.__stdout__ is not None
        return sys.__stdout__.write(text)

    def flush(self) -> None:
        assert sys.__stdout__ is not None
        sys.__stdout__.flush()


def run(path: str, listening: Listening) -> None:
    """Run the lesson as a program would run, cell by cell."""
    source = Path(path).read_text(encoding="utf-8")
    body = ast.parse(source, path).body
    main = types.ModuleType("__main__")
    main.__file__ = path
    sys.modules["__main__"] = main
    for number, cell in enumerate(cells(source)):
        if cell.kind == "code":
            listening.begin(number)
            part = ast.Module([node for node in body if cell.first <= node.lineno <= cell.last], type_ignores=[])
            exec(compile(part, path, "exec"), main.__dict__)


def main() -> None:
    path, key = sys.argv[1:]
    from . import engine  # noqa: F401

    draw.pyplot()
    # what was imported so far is not the lesson's time
    start = time.perf_counter()
    skipped = ""
    sys.stdout = listening = Listening()
    try:
        run(path, listening)
    except record.Skipped as reason:
        skipped = str(reason)
    except ModuleNotFoundError as missing:
        sys.exit(f"the lesson needs {missing.name}, which is not installed: pip install {missing.name}")
    sys.stdout = sys.__stdout__
    record.finish(time.perf_counter() - start, key, skipped, listening.said)


if __name__ == "__main__":
    main()
