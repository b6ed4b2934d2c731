"""`python -m curriculum claims`: which planted change of a lesson makes each of its claims fail.

A claim that no change of the lesson makes fail may be one that cannot fail, and says nothing. The lesson runs once for each of the four
passes in planted.py, cell by cell, in minigrad and float32. Before a statement is run, a process is forked for each change of it: that one goes on
with the statement as it was changed, and tells which claims fail. So what comes before a change is computed once, and what comes after the last claim
that is still to be refuted not at all.
"""

import ast
import contextlib
import functools
import hashlib
import json
import os
import re
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from . import draw, files, planted, record
from .catalog import HERE, Lesson
from .runner import THREADS, Failed, Setting, key

Claim = tuple[int, int]  # the line of its call, and which of the calls from there


# -- the process that runs the lesson


class _Claims:
    """Instead of record.claim: keeps what was claimed, and ends the process after the last claim that it runs for."""

    def __init__(self) -> None:
        self.seen: dict[Claim, tuple[str, bool]] = {}
        self.count: Counter[int] = Counter()
        self.wanted: set[Claim] | None = None  # in a process with a change: those that are not refuted yet
        self.tell: Callable[[], NoReturn] | None = None

    def __call__(self, text: str, measured: Any, passed: Any) -> None:
        frame = sys._getframe(1)
        claim = frame.f_lineno, self.count[frame.f_lineno]
        self.count[frame.f_lineno] += 1
        self.seen[claim] = text, bool(passed)
        if self.wanted is not None and claim in self.wanted:
            self.wanted.discard(claim)
            if not self.wanted and self.tell is not None:
                self.tell()


def spoiled(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return -3 * value - 1
    if isinstance(value, str):
        return f"not {value}"
    if isinstance(value, dict):
        return {key: spoiled(value[key]) for key in value}
    if isinstance(value, list | tuple):
        return type(value)(spoiled(part) for part in value)
    if hasattr(value, "dtype"):
        with contextlib.suppress(Exception):
            return -3 * value - 1
    return value


def work(path: str, seconds: float) -> None:
    """Run the lesson with one change after the other; a line of JSON for each claim and for each change that refutes one."""
    source = Path(path).read_text(encoding="utf-8")
    body = ast.parse(source, path).body
    slices = planted.slices(body)
    said = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    # Nothing is kept and nothing drawn: only claims are of interest.
    for module, name in ((record, "figure"), (record, "step"), (draw, "backward")):
        setattr(module, name, lambda *_, **__: None)
    record.page = lambda write, name: Path(name)
    record.progress = lambda items, text: iter(items)
    record._marked = True

    def tell(**news: Any) -> None:
        said.write(json.dumps(news) + "\n")
        said.flush()

    globals_: dict[str, Any] = {}
    hears = _start(path, globals_)
    status, claims = _forked(lambda: _rest(body, globals_, hears, set()), hears, 3600)
    if status or not claims:
        tell(problem="the lesson does not run to its end" if status else "the lesson claims nothing")
        return
    alone = sum(os.times()[2:4])
    statement_of = {claim: _statement(body, claim[0]) for claim in claims}
    for claim, (text, passed) in claims.items():
        tell(claim=claim, text=text, passed=passed)
    left = {claim for claim, (_, passed) in claims.items() if passed}
    tried = 0
    everything = list(planted.changes(body))
    for kinds in planted.PASSES:
        hears = _start(path, globals_)
        for number, statement in enumerate(body):
            if not left:
                break
            for change in everything:
                if change.statement != number or change.kind not in kinds:
                    continue
                if sum(os.times()[2:4]) > seconds and change.kind != "value":
                    continue
                wanted = {claim for claim in left if number in slices[statement_of[claim]]}
                if change.kind == "value":
                    wanted = {claim for claim in wanted if claim[0] == change.line}
                if not wanted:
                    continue
                rest = [*change.planted(statement), *body[number + 1 :]]
                _, found = _forked(functools.partial(_rest, rest, globals_, hears, wanted), hears, 3 * alone + 5)
                tried += 1
                failed = [claim for claim in sorted(left) if claim in found and not found[claim][1]]
                left -= set(failed)
                tell(tried=tried, failed=failed, kind=change.kind, line=change.line, change=change.text)
            _run([statement], globals_)


def _start(path: str, globals_: dict[str, Any]) -> _Claims:
    """A program that has run nothing yet."""
    from . import engine

    globals_.clear()
    globals_.update(__name__="__main__", __file__=path, **{planted.SPOIL: spoiled})
    engine.torch.manual_seed(engine.seed)
    record.claim = hears = _Claims()
    return hears


def _run(statements: list[ast.stmt], globals_: dict[str, Any]) -> None:
    with contextlib.suppress(record.Skipped):
        exec(compile(ast.Module(statements, type_ignores=[]), globals_["__file__"], "exec"), globals_)


def _rest(statements: list[ast.stmt], globals_: dict[str, Any], hears: _Claims, wanted: set[Claim]) -> None:
    hears.wanted = set(wanted) - set(hears.seen) or None
    _run(statements, globals_)


def _statement(body: list[ast.stmt], line: int) -> int:
    """Which statement a line belongs to; of a claim inside a function, the function."""
    return next(number for number, node in enumerate(body) if node.lineno <= line <= (node.end_lineno or node.lineno))


def _forked(run: Callable[[], None], hears: _Claims, seconds: float) -> tuple[int, dict[Claim, tuple[str, bool]]]:
    """Run in a forked process, for at most so long: its exit status, 0 if it came to its end, and what it claimed."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:

        def tell(status: int = 0) -> NoReturn:
            with os.fdopen(write, "w", encoding="utf-8") as file:
                json.dump([[*claim, *what] for claim, what in hears.seen.items()], file)
            os._exit(status)

        signal.setitimer(signal.ITIMER_PROF, seconds)  # of the processor; the signal kills
        hears.tell = tell
        try:
            run()
        except BaseException:
            tell(1)
        tell()
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as file:
        if not select.select([file], [], [], 20 * seconds + 60)[0]:
            os.kill(pid, signal.SIGKILL)
        told = file.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    found = json.loads(told) if told else []
    return status, {(line, number): (text, passed) for line, number, text, passed in found}


# -- the command


def examine(
    lesson: Lesson, out: Path, seconds: float, show: Callable[[int, int, str], None] = lambda *_: None
) -> dict[str, Any]:
    """What became of the lesson's claims; kept in `out`, and read from there as long as nothing changed.

    seconds: of the processor; after that only the claims' own values are changed. Errors: Failed where the lesson does not run.
    """
    if not hasattr(os, "fork"):
        raise Failed("changes are tried in forked processes, which this system does not have")
    source = lesson.path.read_text(encoding="utf-8")
    if re.search(r"^\s*import (jax|tensorflow)\b", source, re.MULTILINE):
        raise Failed("it computes in a library whose threads do not survive a fork: its claims were not examined")
    parts = [key(lesson, Setting("minigrad", "float32", 0)).encode(), repr(seconds).encode()]
    parts += [(HERE / name).read_bytes() for name in ("claims.py", "planted.py")]
    wanted = hashlib.sha256(b"\0".join(parts)).hexdigest()
    kept = out / "claims" / f"{lesson.name}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        there = json.loads(kept.read_text(encoding="utf-8"))
        if there["key"] == wanted:
            return there
    told = _told(lesson.path, seconds, show)
    found = {"key": wanted, "tried": told[0], "claims": told[1]}
    files.write(kept, json.dumps(found, indent=1, ensure_ascii=False))
    return found


def _told(path: Path, seconds: float, show: Callable[[int, int, str], None]) -> tuple[int, list[dict[str, Any]]]:
    environment = os.environ | dict.fromkeys(THREADS, "1")
    environment |= {
        "MINIGRAD_ENGINE": "minigrad", "MINIGRAD_DTYPE": "float32", "MINIGRAD_SEED": "0",
        "PYTHONPATH": os.pathsep.join(p for p in (str(HERE.parent), os.environ.get("PYTHONPATH")) if p),
    }  # fmt: skip
    claims: dict[Claim, dict[str, Any]] = {}
    tried = 0
    with subprocess.Popen(
        [sys.executable, "-m", "curriculum.claims", str(path), str(seconds)],
        env=environment, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, encoding="utf-8",
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            for line in process.stdout:
                news = json.loads(line)
                if "problem" in news:
                    raise Failed(news["problem"])
                if "claim" in news:
                    claims[tuple(news["claim"])] = news | {"by": None}
                else:
                    tried = news["tried"]
                    for claim in news["failed"]:
                        claims[tuple(claim)]["by"] = {name: news[name] for name in ("kind", "line", "change")}
                show(sum(c["by"] is not None for c in claims.values()), len(claims), f"claims, {tried} changes")
        finally:
            process.kill()
    if process.returncode != 0 and not claims:
        raise Failed(f"the process ended with status {process.returncode}")
    return tried, list(claims.values())


def summary(found: dict[str, dict[str, Any]]) -> str:
    """The lessons' claims, counted, and those that no change of the lesson refuted, as Markdown."""
    lines = [
        "| lesson | claims | fail by a change of the lesson | by another value alone | never | changes tried |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    total = [0] * 5
    survivors: list[str] = []
    for name, of in found.items():
        kinds = Counter(
            "never" if c["by"] is None else "value" if c["by"]["kind"] == "value" else "change" for c in of["claims"]
        )
        row = [len(of["claims"]), kinds["change"], kinds["value"], kinds["never"], of["tried"]]
        total = [a + b for a, b in zip(total, row, strict=True)]
        lines.append(f"| {name} | {' | '.join(map(str, row))} |")
        for claim in of["claims"]:
            if claim["by"] is None or claim["by"]["kind"] == "value":
                how = (
                    "holds whatever is changed" if claim["by"] is None else f"fails with {claim['by']['change']} alone"
                )
                survivors.append(f"- {name}, line {claim['claim'][0]}: {claim['text']} ({how})")
    lines.append(f"| all | {' | '.join(map(str, total))} |")
    return "\n".join([*lines, "", *survivors]) + "\n"


if __name__ == "__main__":
    work(sys.argv[1], float(sys.argv[2]))
