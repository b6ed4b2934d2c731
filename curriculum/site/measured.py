"""What the runs of the lessons showed in both engines: claims, losses, how far the engines lie apart. A page for each lesson, and an overview."""

import hashlib
import io
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from .. import compare, draw, files, runner
from ..catalog import HERE, Lesson
from ..commands import counted
from ..runner import Setting
from . import markup

ENGINES, DTYPES = ("minigrad", "torch"), ("float32", "float64")
RUN = "make lessons"


def done(lesson: Lesson, results: Path, seed: int = 0) -> dict[tuple[str, str], dict[str, Any]]:
    """The results that are there, by engine and dtype."""
    found = {}
    for dtype in DTYPES:
        for engine in ENGINES:
            there = runner.result(results, lesson, Setting(engine, dtype, seed))
            if there is not None:
                found[engine, dtype] = there
    return found


def _by_step(ours: Any, theirs: Any, dtype: str) -> dict[str, Any]:
    """How far two records lie apart at each step, by kind."""
    found: Any = getattr(compare.compare(ours, theirs, dtype), "by_step", None)
    apart: Any = getattr(compare, "by_step", None)
    return found if found is not None or apart is None else apart(ours, theirs)


# -- pictures


def _png(fig: Any) -> bytes:
    content = io.BytesIO()
    fig.savefig(content, format="png", dpi=100)
    draw.pyplot().close(fig)
    return content.getvalue()


def pictures(lesson: Lesson, results: Path, target: Path, seed: int = 0) -> list[tuple[str, str]]:
    """Draw the losses of both engines and their differences into `target`; (file name, what it shows) of each that is there.

    A picture that was drawn of the same results is left as it is.
    """
    there = done(lesson, results, seed)
    shown: list[tuple[str, str]] = []
    target.mkdir(parents=True, exist_ok=True)
    stamp = target / f"{lesson.name}.key"
    drawn_by = hashlib.sha256((HERE / "draw.py").read_bytes()).hexdigest()
    key = " ".join([drawn_by, *(f"{e}-{d}-{r['key']}-{r['seconds']}" for (e, d), r in there.items())])
    current = stamp.is_file() and stamp.read_text(encoding="utf-8") == key
    apart: dict[str, Any] = {}
    for dtype in DTYPES:
        records = {
            e: compare.load(Setting(e, dtype, seed).folder(results, lesson)) for e in ENGINES if (e, dtype) in there
        }
        losses: dict[str, dict[str, Any]] = {}
        for engine, record in records.items():
            for name, values in record.items():
                run, kind = name.rsplit("/", 1)
                if kind == "loss":
                    losses.setdefault(run, {})[engine] = values
        if losses:
            name = f"{lesson.name}-losses-{dtype}.png"
            if not current or not (target / name).is_file():
                files.write(target / name, _png(draw.overlay(losses, "")))
            runs = ", ".join(losses)
            shown.append(
                (
                    name,
                    f"Losses by step in {dtype}, {' and '.join(records)} over one another, a panel for each training: {runs}",
                )
            )
        if len(records) == 2:
            found = _by_step(records["minigrad"], records["torch"], dtype)
            if found:
                apart[dtype] = found
    if apart:
        name = f"{lesson.name}-apart.png"
        if not current or not (target / name).is_file():
            files.write(target / name, _png(draw.differences(apart)))
        shown.append((name, "How far the engines' losses, gradients and weights lie apart at each step"))
    files.write(stamp, key)
    return shown


def draw_all(lessons: list[Lesson], results: Path, target: Path, tell: Any) -> dict[str, list[tuple[str, str]]]:
    """The pictures of all lessons, two at a time."""
    found = {}
    with ProcessPoolExecutor(2) as pool:
        waiting = {lesson.name: pool.submit(pictures, lesson, results, target) for lesson in lessons}
        for number, (name, future) in enumerate(waiting.items(), 1):
            found[name] = future.result()
            if number % 5 == 0 or number == len(lessons):
                tell(f"curves of {number} of {counted(len(lessons), 'lesson')}")
    return found


# -- text


def _title(lesson: Lesson) -> str:
    return f"{int(lesson.number)}. {lesson.title}"


def _claims(there: dict[tuple[str, str], dict[str, Any]]) -> str:
    """Each claim once; what was measured in each run where the runs measured different numbers."""
    found: dict[str, list[tuple[str, str, bool]]] = {}
    for (engine, dtype), result in there.items():
        for claim in result["claims"]:
            found.setdefault(claim["text"], []).append((f"{engine} {dtype}", claim["measured"], claim["passed"]))
    rows = []
    for text, runs in found.items():
        failed = [name for name, _, passed in runs if not passed]
        verdict = f"**fails**: {markup.escape(', '.join(failed))}" if failed else "holds"
        if len({measured for _, measured, _ in runs}) == 1:
            measured = markup.escape(runs[0][1])
        else:
            each = "<br>".join(f"{markup.escape(name)}: {markup.escape(value)}" for name, value, _ in runs)
            measured = f"{markup.escape(runs[0][1])}<details><summary>in each run</summary>{each}</details>"
        rows.append([markup.escape(text), measured, verdict])
    return markup.table(("claim", "measured", ""), rows) if rows else "It claims nothing that is measured.\n"


def _apart(
    lesson: Lesson, results: Path, there: dict[tuple[str, str], dict[str, Any]], seed: int = 0
) -> list[list[str]]:
    """By dtype the worst differences, and what is to be said of them."""
    rows = []
    for dtype in DTYPES:
        if all((engine, dtype) in there for engine in ENGINES):
            ours, theirs = (compare.load(Setting(e, dtype, seed).folder(results, lesson)) for e in ENGINES)
            found = compare.compare(ours, theirs, dtype)
            say = "; ".join(found.wrong) or (
                f"rounding shows first at {found.first_rounding}" if found.first_rounding else "agree"
            )
            mark = "**{}**" if found.wrong else "{}"
            rows.append(
                [dtype, *(f"{found.worst[kind]:.1e}" for kind in compare.KINDS), mark.format(markup.escape(say))]
            )
    return rows


def page(lesson: Lesson, results: Path, shown: list[tuple[str, str]], seed: int = 0) -> str:
    there = done(lesson, results, seed)
    parts = [
        f"# {markup.escape(_title(lesson))}: what was measured\n",
        f"{markup.escape(lesson.question)} {markup.link('The lesson', f'../lessons/{lesson.name}.ipynb')}\n",
    ]
    if not there:
        return "\n".join([*parts, f"It was not run here yet: {markup.code(RUN)}, then make the site again.\n"])
    skipped = sorted({result["skipped"] for result in there.values() if result["skipped"]})
    if skipped:
        return "\n".join([*parts, f"Skipped: {markup.escape('; '.join(skipped))}\n"])
    stale = [f"{e} {d}" for (e, d), result in there.items() if result["key"] != runner.key(lesson, Setting(e, d, seed))]
    if stale:
        parts.append(f"Older than the lesson or the engine: {markup.escape(', '.join(stale))}.\n")
    parts.append(_claims(there))
    rows = _apart(lesson, results, there, seed)
    if rows:
        parts += ["## How far the engines lie apart\n", markup.table(("worst difference", *compare.KINDS, ""), rows)]
    for name, text in shown:
        parts.append(markup.directive("image", f"images/{name}", "", [("alt", " ".join(text.split()))]))
        parts.append(f"{markup.escape(text)}.\n")
    parts += [
        "## Time and data\n",
        markup.table(
            ("engine", "seconds"), [[f"{e} {d}", f"{t['seconds']:.2f}"] for (e, d), t in there.items()], right=(1,)
        ),
    ]
    parts += [f"Data: {markup.escape(text)}.\n" for text in next(iter(there.values()))["data"]]
    return "\n".join(parts)


def write(lessons: list[Lesson], source: Path, results: Path, cache: Path, tell: Any) -> None:
    shown = draw_all(lessons, results, cache, tell)
    rows = []
    images = source / "measured" / "images"
    for lesson in lessons:
        for name, _ in shown[lesson.name]:
            files.write(images / name, (cache / name).read_bytes())
        files.write(source / "measured" / f"{lesson.name}.md", page(lesson, results, shown[lesson.name]))
        there = done(lesson, results)
        claims = [c for result in there.values() for c in result["claims"]]
        held = f"{sum(c['passed'] for c in claims)} of {len(claims)}" if there else "not run"
        worst = next((row for row in _apart(lesson, results, there) if row[0] == "float64"), None)
        rows.append([
            lesson.number, markup.link(markup.escape(lesson.title), f"{lesson.name}.md"), held, ", ".join(worst[1:4]) if worst else "",
            *(f"{sum(t['seconds'] for (e, _), t in there.items() if e == engine):.1f} s" if there else "" for engine in ENGINES),
        ])  # fmt: skip
    head = ("", "lesson", "claims that hold", "float64: apart in loss, gradient, weight", "minigrad", "PyTorch")
    listed = "\n".join(f"{_title(lesson)} <{lesson.name}>" for lesson in lessons)
    order = markup.directive("toctree", "", listed, [("hidden", "")])
    text = (
        "# What was measured\n\nEvery lesson is one text that runs in minigrad and in PyTorch, in float32 and float64. A difference is "
        "$|\\text{minigrad} - \\text{torch}| / \\max(1, |\\text{torch}|)$, the worst over all steps of every training. In float64 losses and "
        f"weights must agree to {compare.FLOAT64_LIMIT:g}; in float32 rounding shows sooner or later, and the training itself carries it on. "
        f"Seconds are those of both types together.\n\n{markup.table(head, rows, right=(2, 4, 5))}\n{order}"
    )
    files.write(source / "measured" / "index.md", text)
