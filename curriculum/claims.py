"""`python -m curriculum claims`: which planted change of a lesson makes each of its claims fail.

A claim that no change of the lesson makes fail may be one that cannot fail, and says nothing. The lesson runs once, and up to twice more for
what is left (the passes in planted.py), statement by statement, in minigrad and float32. Before a statement is run, a process is forked for each
change of it: that one goes on with the statement as it was changed, and tells which claims fail. So what comes before a change is computed once,
and what comes after the last claim that is still to be refuted not at all. First a change is held against the claims near it: little has
to be computed to come to them.
"""

import ast
import bisect
import contextlib
import hashlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import draw, files, planted, planted_by_hand, record
from .catalog import HERE, Lesson
from .commands import counted
from .runner import THREADS, Failed, Setting, key

Claim = tuple[int, int]  # the line of its call, and which of the calls from there


# -- the process that runs the lesson


class _Claims:
    """Instead of record.claim: keeps what was claimed, and hands it on at once."""

    def __init__(self) -> None:
        self.seen: dict[Claim, tuple[str, bool]] = {}
        self.count: Counter[int] = Counter()
        self.hand_on: Callable[[Claim, str, bool], Any] = lambda *_: None

    def __call__(self, text: str, measured: Any, passed: Any) -> None:
        line = sys._getframe(1).f_lineno
        claim = line, self.count[line]
        self.count[line] += 1
        self.seen[claim] = text, bool(passed)
        self.hand_on(claim, *self.seen[claim])


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


class _Lesson:
    """A lesson that is run with one change after the other, and what is known of its claims."""

    def __init__(self, path: str, seconds: float, known: list[dict[str, Any]], tell: Callable[..., None]) -> None:
        source = Path(path).read_text(encoding="utf-8")
        self.path, self.seconds, self.tell = path, seconds, tell
        self.body = ast.parse(source, path).body
        self.slices = planted.slices(self.body)
        blind = sorted(planted.changes(self.body), key=lambda change: planted.KINDS.index(change.kind))
        self.changes = [*planted_by_hand.changes(Path(path).stem, source), *blind]
        self.changes_of = [[c for c in self.changes if c.statement == number] for number in range(len(self.body))]
        nodes = ast.walk(ast.Module(self.body, []))
        calls = {node.lineno for node in nodes if isinstance(node, ast.Call) and planted.is_claim(node)}
        self.statement_of = {line: _statement(self.body, line) for line in calls}
        self.cell_of = [bisect.bisect(_marks(source), node.lineno) for node in self.body]
        self.whole = in_threads(source)
        self.globals: dict[str, Any] = {}
        self.hears = _Claims()
        self.took: list[float] | None = None  # each statement's seconds, where they are known
        self.claims: dict[Claim, tuple[str, bool]] = {}
        self.refuted: dict[Claim, dict[str, Any]] = {}
        self.tried: dict[planted.Change, int] = {}  # up to which statement each was run
        for claim in known:
            self.claims[tuple(claim["claim"])] = claim["text"], claim["passed"]
            if noticed(claim):
                self.refuted[tuple(claim["claim"])] = claim["by"]

    def left(self) -> set[Claim]:
        """The claims that hold and that nothing refuted yet; before the lesson ran, one for each of its calls."""
        known = {claim for claim, (_, passed) in self.claims.items() if passed}
        return (known or {(line, 0) for line in self.statement_of}) - set(self.refuted)

    def examine(self) -> None:
        if self.whole or not self.statement_of:  # without claims no pass would run it
            self._start()
            status, self.claims = _forked(lambda: self._run(self.body), self.hears, 3600)
            if status:
                raise Failed("the lesson does not run to its end")
        for limit, kinds, near in planted.PASSES:
            if self._needed(-1, limit, kinds, near):
                self._pass(limit, kinds, near)

    def _pass(self, limit: float, kinds: tuple[str, ...], near: bool) -> None:
        """Run the lesson once, with each of its changes in processes of their own that may compute for `limit` seconds."""
        self._start()
        took = []
        slow = False  # what comes next takes too long
        # Forked before it has begun the lesson runs whole each time: then nearest to the end first.
        for number, statement in list(enumerate(self.body))[:: -1 if self.whole else 1]:
            for change in self.changes_of[number]:
                if slow and change.kind not in ("hand", "steps"):
                    continue
                last = self._needed_until(change, limit, kinds, near)
                if last is not None and not self._try(change, last, limit):
                    slow |= self.took is None and change.kind not in ("hand", "steps")
            if self.whole:
                continue
            if self.took is not None and not self._needed(number, limit, kinds, near):
                return
            began = time.process_time()
            try:
                self._run([statement])
            except record.Skipped:
                del self.body[number + 1 :]
            except Exception:
                raise Failed("the lesson does not run to its end") from None
            took.append(time.process_time() - began)
            slow &= took[-1] < limit / 4
        if not self.whole:
            self.took, self.claims = took, self.hears.seen

    def _needed(self, number: int, limit: float, kinds: tuple[str, ...], near: bool) -> bool:
        """Whether a change of a later statement is still to be tried."""
        later = (change for change in self.changes if change.statement > number)
        return any(self._needed_until(change, limit, kinds, near) is not None for change in later)

    def _needed_until(self, change: planted.Change, limit: float, kinds: tuple[str, ...], near: bool) -> int | None:
        """The last statement that must run with the change; None if it is not to be tried."""
        wanted = self._decided_by(change, near) if change.kind in kinds else set()
        if not wanted or (change.kind not in ("hand", "value") and sum(os.times()[2:4]) > self.seconds):
            return None
        last = max(map(self._last, wanted))
        if self.tried.get(change, -1) >= last:
            return None
        # With fewer steps what follows may be quicker than it was.
        long = change.kind != "steps" and self.took is not None and sum(self.took[change.statement + 1 : last]) > limit
        return None if long else last

    def _decided_by(self, change: planted.Change, near: bool) -> set[Claim]:
        """The claims still to be refuted that the changed statement may decide."""
        if isinstance(change, planted_by_hand.Change):
            return {claim for claim in self.left() if claim[0] in change.refutes}
        left = {claim for claim in self.left() if change.statement in self.slices[self.statement_of[claim[0]]]}
        if change.kind == "value":
            return {claim for claim in left if claim[0] == change.line}
        if near:
            cells = [self.cell_of[number] for number in self.slices if number >= change.statement]
            left = {claim for claim in left if self.cell_of[self.statement_of[claim[0]]] == min(cells, default=None)}
        return left

    def _last(self, claim: Claim) -> int:
        """The last statement that must run for a claim to be heard."""
        number = self.statement_of[claim[0]]
        return len(self.body) - 1 if isinstance(self.body[number], ast.FunctionDef) else number

    def _try(self, change: planted.Change, last: int, limit: float) -> bool:
        """Run the lesson from here to its `last` statement with the change; whether it came to any claim."""
        number = change.statement
        rest = change.rest(self.body, last)
        if self.whole:
            rest, limit = [*self.body[:number], *rest], 3600
        before = set(self.hears.seen)
        status, found = _forked(lambda: self._run(rest), self.hears, limit)
        if status != -signal.SIGPROF:
            self.tried[change] = last
        for claim in set(found) - before:
            if not found[claim][1]:
                self.refuted.setdefault(claim, {"kind": change.kind, "line": change.line, "change": change.text})
        self.tell(tried=len(self.tried), refuted=len(self.refuted), of=len(self.refuted) + len(self.left()))
        return status != -signal.SIGPROF or not before.issuperset(found)

    def _start(self) -> None:
        """Begin a program that has run nothing yet."""
        from . import engine

        self.globals.clear()
        self.globals.update(__name__="__main__", __file__=self.path, **{planted.SPOIL: spoiled})
        engine.torch.manual_seed(engine.seed)
        record.claim = self.hears = _Claims()

    def _run(self, statements: list[ast.stmt]) -> None:
        exec(compile(ast.Module(statements, type_ignores=[]), self.path, "exec"), self.globals)


def work(path: str, seconds: float, known: list[dict[str, Any]]) -> None:
    """Run the lesson with one change after the other; what is found as lines of JSON, the last with all claims.

    known: what an earlier examination of the same lesson found.
    """
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

    lesson = _Lesson(path, seconds, known, tell)
    try:
        lesson.examine()
        if not lesson.claims:
            raise Failed("the lesson claims nothing")
    except Failed as problem:
        tell(problem=str(problem))
        return
    claims = [
        {"claim": claim, "text": text, "passed": passed, "by": lesson.refuted.get(claim) if passed else None}
        for claim, (text, passed) in lesson.claims.items()
    ]
    tell(claims=claims, tried=len(lesson.tried))


def noticed(claim: dict[str, Any]) -> bool:
    """Whether a change of the lesson refutes the claim; to give it another value says only that it can fail."""
    return claim["by"] is not None and claim["by"]["kind"] != "value"


def in_threads(source: str) -> bool:
    """Whether the lesson computes in a library whose threads do not survive a fork: it is forked before it has begun."""
    return bool(re.search(r"^\s*import (jax|tensorflow)\b", source, re.MULTILINE))


def _marks(source: str) -> list[int]:
    """The lines with which cells begin."""
    return [number for number, line in enumerate(source.splitlines(), start=1) if line.startswith("# %%")]


def _statement(body: list[ast.stmt], line: int) -> int:
    """Which statement a line belongs to; of a claim inside a function, the function."""
    return next(number for number, node in enumerate(body) if node.lineno <= line <= (node.end_lineno or node.lineno))


def _forked(run: Callable[[], None], hears: _Claims, seconds: float) -> tuple[int, dict[Claim, tuple[str, bool]]]:
    """Run in a forked process, for at most so long: its exit status, 0 if it came to its end, and what it claimed."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        # Of the processor; the signal kills. What was claimed until then is known.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        hears.hand_on = lambda *told: os.write(write, json.dumps(told).encode() + b"\n")
        try:
            with contextlib.suppress(record.Skipped):
                run()
        except BaseException:
            os._exit(1)
        os._exit(0)
    os.close(write)
    told, end = b"", time.monotonic() + 20 * seconds + 60
    while select.select([read], [], [], max(0, end - time.monotonic()))[0]:
        part = os.read(read, 1 << 16)
        if not part:
            break
        told += part
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(read)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    lines = map(json.loads, told.decode().splitlines())
    return status, {tuple(claim): (text, passed) for claim, text, passed in lines}


# -- the command


def examine(
    lesson: Lesson, out: Path, seconds: float, show: Callable[[int, int, str], None] = lambda *_: None
) -> dict[str, Any]:
    """What became of the lesson's claims; kept in `out`. Where the lesson is the same, only what was left is examined again.

    seconds: of the processor; after that only the claims' own values are changed. Errors: Failed where the lesson does not run.
    """
    if not hasattr(os, "fork"):
        raise Failed("changes are tried in forked processes, which this system does not have")
    programs = (HERE / name for name in ("claims.py", "planted.py", "planted_by_hand.py"))
    parts = [repr(seconds).encode(), *(path.read_bytes() for path in programs)]
    how = hashlib.sha256(b"\0".join(parts)).hexdigest()
    there = kept(lesson, out) or {"how": "", "tried": 0, "claims": []}
    if there["how"] == how or (there["claims"] and all(map(noticed, there["claims"]))):
        return there
    tried, claims = _told(lesson.path, seconds, there["claims"], show)
    found = {"key": _key(lesson), "how": how, "tried": there["tried"] + tried, "claims": claims}
    files.write(_file(lesson, out), json.dumps(found, indent=1, ensure_ascii=False))
    return found


def kept(lesson: Lesson, out: Path) -> dict[str, Any] | None:
    """What was found of the lesson as it is now; None where it was not examined since it changed."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        found: dict[str, Any] = json.loads(_file(lesson, out).read_text(encoding="utf-8"))
        if found["key"] == _key(lesson):
            _forget_what_is_planted_no_more(lesson, found["claims"])
            return found
    return None


def _key(lesson: Lesson) -> str:
    return key(lesson, Setting("minigrad", "float32", 0))


def _file(lesson: Lesson, out: Path) -> Path:
    return out / "claims" / f"{lesson.name}.json"


def _forget_what_is_planted_no_more(lesson: Lesson, claims: list[dict[str, Any]]) -> None:
    """A change that refuted a claim counts as long as it is one of those that are planted."""
    source = lesson.path.read_text(encoding="utf-8")
    there = [*planted.changes(ast.parse(source).body), *planted_by_hand.changes(lesson.name, source)]
    planted_now = {(change.kind, change.line, change.text) for change in there}
    for claim in claims:
        if claim["by"] and (claim["by"]["kind"], claim["by"]["line"], claim["by"]["change"]) not in planted_now:
            claim["by"] = None


def _told(
    path: Path, seconds: float, known: list[dict[str, Any]], show: Callable[[int, int, str], None]
) -> tuple[int, list[dict[str, Any]]]:
    environment = os.environ | dict.fromkeys(THREADS, "1")
    environment |= {
        "MINIGRAD_ENGINE": "minigrad", "MINIGRAD_DTYPE": "float32", "MINIGRAD_SEED": "0",
        "PYTHONPATH": os.pathsep.join(p for p in (str(HERE.parent), os.environ.get("PYTHONPATH")) if p),
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "curriculum.claims", str(path), str(seconds)],
        env=environment, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, encoding="utf-8",
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(known))
            process.stdin.close()
            for line in process.stdout:
                news = json.loads(line)
                if "problem" in news:
                    raise Failed(news["problem"])
                if "claims" in news:
                    return news["tried"], news["claims"]
                show(news["refuted"], news["of"], f"claims, {counted(news['tried'], 'change')}")
        finally:
            process.kill()
    raise Failed(f"the process ended with status {process.returncode}")


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
    work(sys.argv[1], float(sys.argv[2]), json.load(sys.stdin))
