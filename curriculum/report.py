"""One HTML page with everything in it: claims, pictures, both engines' losses, differences, data, times."""

import base64
import functools
import io
import multiprocessing
import os
import platform
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from html import escape
from importlib import metadata
from pathlib import Path
from typing import Any

from . import compare, draw, files
from .catalog import HERE, Lesson
from .runner import Setting, key, result

STYLE = HERE / "assets" / "report.css"


def _image(content: bytes, text: str) -> str:
    return f'<p><img alt="{escape(text)}" src="data:image/png;base64,{base64.b64encode(content).decode()}"></p>'


def _table(head: list[str], rows: list[list[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{top}</tr>{body}</table></div>'


def _overlay(folders: dict[str, Path], title: str) -> str:
    losses: dict[str, dict[str, Any]] = {}
    for engine, folder in folders.items():
        for run, values in compare.losses(folder).items():
            losses.setdefault(run, {})[engine] = values
    if not losses:
        return ""
    ends = "; ".join(
        f"{run}: "
        + ", ".join(f"{engine} from {values[0]:.3g} to {values[-1]:.3g}" for engine, values in engines.items())
        for run, engines in losses.items()
        if all(len(values) for values in engines.values())
    )
    return _png(draw.overlay(losses, title), f"{title}: the loss by step. {ends}")


def _png(fig: Any, text: str) -> str:
    content = io.BytesIO()
    fig.savefig(content, format="png", dpi=100)
    draw.pyplot().close(fig)
    return _image(content.getvalue(), text)


def _claims(done: dict[tuple[str, str], dict[str, Any]]) -> str:
    """Each claim once, with what was measured; where the runs measured different numbers, all of them."""
    found: dict[str, list[tuple[str, str, bool]]] = {}
    for (engine, dtype), there in done.items():
        for claim in there["claims"]:
            found.setdefault(claim["text"], []).append((f"{engine} {dtype}", claim["measured"], claim["passed"]))
    rows = []
    for text, runs in found.items():
        failed = [name for name, _, passed in runs if not passed]
        verdict = f'<span class="bad">fails: {escape(", ".join(failed))}</span>' if failed else "holds"
        if len({measured for _, measured, _ in runs}) == 1:
            measured = escape(runs[0][1])
        else:
            lines = "<br>".join(f"{escape(name)}: {escape(measured)}" for name, measured, _ in runs)
            measured = f"{escape(runs[0][1])}<details><summary>in each run</summary>{lines}</details>"
        rows.append([escape(text), measured, verdict])
    return _table(["claim", "measured", ""], rows)


def _lesson(lesson: Lesson, engines: list[str], dtypes: list[str], seed: int, out: Path) -> str:
    parts = [
        f'<h2 id="{lesson.number}">{lesson.number}. {escape(lesson.title)}</h2>',
        f'<p class="question">{escape(lesson.question)}</p>',
    ]
    done: dict[tuple[str, str], dict[str, Any]] = {}
    for dtype in dtypes:
        for engine in engines:
            there = result(out, lesson, Setting(engine, dtype, seed))
            if there is not None:
                done[engine, dtype] = there
    if not done:
        return "".join(parts) + f'<p class="note">Not run yet with seed {seed}.</p>'
    stale = [f"{e} {d}" for (e, d), there in done.items() if there["key"] != key(lesson, Setting(e, d, seed))]
    if stale:
        parts.append(f'<p class="note">Older than the lesson or the engine: {escape(", ".join(stale))}.</p>')

    reasons = {there["skipped"] for there in done.values() if there["skipped"]}
    if reasons:
        return "".join(parts) + f'<p class="note">Skipped: {escape("; ".join(sorted(reasons)))}.</p>'
    parts.append(_claims(done))
    parts.append(_table(["engine", "seconds"], [[f"{e} {d}", f"{t['seconds']:.2f}"] for (e, d), t in done.items()]))

    rows, apart = [], {}
    for dtype in dtypes:
        folders = {e: Setting(e, dtype, seed).folder(out, lesson) for e in engines if (e, dtype) in done}
        parts.append(_overlay(folders, f"{lesson.title}, {dtype}"))
        if len(folders) == 2:
            ours, theirs = folders.values()
            found = compare.folders(ours, theirs, dtype)
            apart[dtype] = found.by_step
            say = "; ".join(found.wrong) or (
                f"rounding shows first at {found.first_rounding}" if found.first_rounding else "agree"
            )
            cells = [f"{found.worst[kind]:.1e}" for kind in compare.KINDS]
            rows.append([dtype, *cells, f'<span class="bad">{escape(say)}</span>' if found.wrong else escape(say)])
    if rows and any(apart.values()):
        parts.append("<h3>How far the engines lie apart</h3>")
        parts.append(_table(["worst difference", *compare.KINDS, ""], rows))
        worst = "; ".join(
            f"{dtype}: {', '.join(f'{k} {max(v[1]):.1e}' for k, v in kinds.items())}" for dtype, kinds in apart.items()
        )
        parts.append(_png(draw.differences(apart), f"{lesson.title}: differences by step, at most {worst}"))

    engine, dtype = max(done, key=lambda setting: bool(done[setting]["figures"]))  # one run has drawn for all
    folder = Setting(engine, dtype, seed).folder(out, lesson)
    parts.append(f"<h3>Pictures ({engine}, {dtype})</h3>")
    alts = done[engine, dtype].get("alts", {})
    parts += [_image((folder / name).read_bytes(), alts.get(name, name)) for name in done[engine, dtype]["figures"]]
    for text in done[engine, dtype]["data"]:
        parts.append(f'<p class="note">Data: {escape(text)}.</p>')
    return "".join(parts)


def _sections(lessons: list[Lesson], make: Callable[[Lesson], str]) -> Iterator[str]:
    """Each lesson's part of the page. Drawing takes a second a picture: many are drawn in as many processes as the machine runs."""
    if len(lessons) < 2 * (os.cpu_count() or 1):
        yield from map(make, lessons)
        return
    pool = ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn"))
    try:
        yield from pool.map(make, lessons)
    finally:
        pool.shutdown(cancel_futures=True)


def write(
    lessons: list[Lesson], engines: list[str], dtypes: list[str], seed: int, out: Path,
    show: Callable[[int, int, str], None] = lambda done, total, text: None,
) -> Path:  # fmt: skip
    """Write `out`/report.html from the results that are there, and return its path. `show` hears of the progress."""
    versions = []
    for package in ("minigrad", "torch", "numpy", "numba"):
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    about = f"Python {platform.python_version()}, {', '.join(versions)}, {platform.system()} {platform.machine()}, seed {seed}"
    links = " · ".join(f'<a href="#{lesson.number}">{lesson.number} {escape(lesson.title)}</a>' for lesson in lessons)
    sections = []
    made = _sections(lessons, functools.partial(_lesson, engines=engines, dtypes=dtypes, seed=seed, out=out))
    for number, lesson in enumerate(lessons):
        show(number, len(lessons), f"lessons, {lesson.title}")
        sections.append(next(made))
    body = "".join(sections)
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>Lessons in two engines</title>'
        f"<style>{STYLE.read_text(encoding='utf-8')}</style><body><h1>Lessons in two engines</h1>"
        f"<p>Every lesson is one text, run in minigrad and in PyTorch. A difference is "
        f"|minigrad − torch| / max(1, |torch|), the worst over all steps. In float64 losses and weights must agree "
        f'to {compare.FLOAT64_LIMIT:g}.</p><p class="note">{escape(about)}</p><p>{links}</p>{body}</body></html>\n'
    )
    path = out / "report.html"
    files.write(path, page)
    return path
