"""The HTML report of `python -m parity --html FOLDER`: an index by family, and a page for each case."""

from __future__ import annotations

import functools
import inspect
import math
import platform
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import minigrad
from minigrad import files
from minigrad.autograd.fused import Fused
from minigrad.autograd.graph import Operation
from minigrad.counted import counted

from . import kept
from .case import CASES, Case, resolve
from .kinks import JUMP, KINKS, SMOOTH, UNBOUNDED, measured
from .third import CONVENTIONS

KINDS = ("value", "gradient", "second", "float32 value", "float32 gradient")
ZERO = -99  # the bin of differences that are exactly 0


@contextmanager
def recording(used: dict[str, type]) -> Iterator[None]:
    """Note which operations of minigrad run, in the order of their first use."""
    original = vars(Operation)["apply"]

    def apply(cls: type, *inputs: Any) -> Any:
        used.setdefault(f"{cls.__module__}.{cls.__qualname__}", cls)
        return original.__func__(cls, *inputs)

    Operation.apply = classmethod(apply)  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Operation.apply = original  # type: ignore[method-assign]


def file_name(case: str) -> str:
    return re.sub(r"[^\w.]+", "_", case) + ".html"


def _page(title: str, body: str) -> str:
    parts = {"title": escape(title), "style": _asset("report.css"), "body": body}
    return re.sub(r"{{(\w+)}}", lambda found: parts[found.group(1)], _asset("report.html"))


@functools.cache
def _asset(name: str) -> str:
    return resources.files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def _table(head: tuple[str, ...], rows: list[list[str]]) -> str:
    def row(cells: Any, tag: str) -> str:
        return "".join(f"<{tag}{' class=n' if i else ''}>{cell}</{tag}>" for i, cell in enumerate(cells))

    body = "".join(f"<tr>{row(cells, 'td')}</tr>" for cells in rows)
    return f'<div class="wide"><table><tr>{row(head, "th")}</tr>{body}</table></div>'


def _worst(result: dict[str, Any], kind: str) -> str:
    found = result["worst"].get(kind)
    if found is None:
        return "-"
    relative, ulp = found["relative"], found["ulp"]
    return "0" if relative == 0 else f"{relative:.1e} <span class=note>{ulp:.2g} ulp</span>"


def histogram(bins: dict[int, int], label: str) -> str:
    """Counts by power of ten of the difference, as a drawing."""
    if not bins:
        return ""
    finite = [b for b in bins if b != ZERO]
    low, high = (min(finite), max(finite)) if finite else (-16, -16)
    columns = [ZERO, *range(low, high + 1)]
    width, height, most = 34, 90, max(bins.values())
    parts = []
    for i, b in enumerate(columns):
        n = bins.get(b, 0)
        tall = 0 if n == 0 else max(2, round(height * math.log1p(n) / math.log1p(most)))
        x = i * width
        name = "0" if b == ZERO else f"1e{b}"
        parts.append(f'<rect x="{x + 4}" y="{height - tall + 14}" width="{width - 8}" height="{tall}"/>')
        if n:
            parts.append(f'<text x="{x + width / 2}" y="{height - tall + 10}" text-anchor="middle">{n}</text>')
        parts.append(f'<text x="{x + width / 2}" y="{height + 28}" text-anchor="middle">{name}</text>')
    return (
        f'<figure><figcaption class="note">{escape(label)}</figcaption>'
        f'<svg width="{len(columns) * width}" height="{height + 34}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
        "</figure>"
    )


def _source(thing: Any) -> str:
    """Where it is written, as minigrad/ops/norm.py:12."""
    try:
        path, line = inspect.getsourcefile(thing), inspect.getsourcelines(thing)[1]
    except (OSError, TypeError):
        return ""
    root = Path(minigrad.__file__).parent.parent
    return f"{Path(path).resolve().relative_to(root.resolve())}:{line}" if path else ""


def _documentation(case: Case) -> str:
    """The docstrings of the public names that the case covers."""
    parts = []
    for name in case.covers or (case.name,):
        try:
            thing = resolve(minigrad, name)
        except AttributeError:
            continue
        text, at = inspect.getdoc(thing) or "", _source(thing)
        parts.append(f"<p><b>{escape(name)}</b> <span class=note>{escape(at)}</span></p>")
        if text:
            parts.append(f"<pre>{escape(text)}</pre>")
    return "".join(parts[:6])


def planted(case: Case) -> str:
    """What the derivative does at the points that are planted among the values."""
    found = measured(case)
    told = {
        JUMP: "The derivative jumps at {}.",
        UNBOUNDED: "The derivative grows without bound, or is there on one side only, at {}.",
        SMOOTH: "No jump was measured at {}.",
    }
    by_kind = {kind: [f"{k:g}" for k, v in found.items() if v == kind] for kind in told}
    said = " ".join(told[kind].format(", ".join(points)) for kind, points in by_kind.items() if points)
    return f"{said} The comparison draws these points on purpose."


def case_page(case: Case, result: dict[str, Any]) -> str:
    parts = [f'<p><a href="../index.html">all cases</a> · {escape(case.family)}</p><h1>{escape(case.name)}</h1>']
    if result["error"]:
        parts.append(f'<h2 class="bad">The engines differ</h2><pre>{escape(result["error"])}</pre>')
    parts.append(_documentation(case))
    formulas = [
        f"<pre>{escape(name)}  {escape(doc)}</pre><p class=note>{escape(at)}</p>"
        for name, doc, at in result["operations"]
    ]
    if formulas:
        parts += ["<h2>Formula, forward and backward</h2>", *formulas]
    kinks = []
    if case.kinks:
        kinks.append(f"<p>{planted(case)}</p>")
    word = case.name.rpartition(".")[2]
    rows = [
        [escape(name), escape(", ".join(map(str, k.at))), escape(", ".join(map(str, k.gradient)))]
        for name, k in KINKS.items()
        if re.match(rf"{re.escape(word)}\b", name)
    ]
    if rows:
        kinks.append(_table(("at a kink or tie", "point", "gradient, in both engines"), rows))
    chosen = [
        [escape(c.opinion.name), escape(str(list(c.ours))), escape(str(list(c.theirs))), escape(c.why)]
        for c in CONVENTIONS
        if re.match(rf"{re.escape(word)}\b", c.opinion.name)
    ]
    if chosen:
        kinks.append(_table(("where JAX chooses otherwise", "minigrad and PyTorch", "JAX", "why"), chosen))
    if kinks or case.note:
        parts += ["<h2>Kinks and conventions</h2>", *kinks, f"<p>{escape(case.note)}</p>" if case.note else ""]
    t = case.tolerance
    parts.append(f"<h2>What was found in {counted(result['examples'], 'example')}</h2>")
    parts.append(
        f"<p class=note>On {result['raised']} of them both engines raised. Tolerance “{escape(t.name)}”: {t.relative:g} in float64, "
        f"{t.ulp:g} ulp beside twice PyTorch's own in float32 ({escape(t.reason)}).</p>"
    )
    found = [[kind, _worst(result, kind)] for kind in KINDS if kind in result["worst"]]
    parts.append(_table(("worst difference from PyTorch", "relative, and in ulp"), found))
    parts += [histogram(result["bins"][kind], kind) for kind in KINDS if kind in result["bins"]]
    forms = [[escape(label), str(n)] for label, n in sorted(result["forms"].items(), key=lambda item: -item[1])]
    parts.append("<h2>Spellings that were called</h2>" + _table(("form", "examples"), forms))
    return _page(f"{case.name}: parity", "".join(parts))


def index_page(results: dict[str, dict[str, Any]], about: str) -> str:
    by_family: dict[str, list[str]] = defaultdict(list)
    for name, result in results.items():
        by_family[result["family"]].append(name)
    wrong = [name for name, result in results.items() if result["error"]]
    cases = counted(len(results), "case")
    verdict = (
        f'<p class="bad">{len(wrong)} of {cases} differ: {", ".join(map(escape, wrong))}</p>'
        if wrong
        else f"<p>{cases}, {counted(sum(r['examples'] for r in results.values()), 'example')}, none wrong.</p>"
    )
    head = ("case", "examples", *KINDS)
    parts = [
        "<h1>minigrad against PyTorch</h1>", verdict,
        "<p class=note>Differences are relative to the size of what was added up; one ulp is the spacing of the type. In float32 "
        "PyTorch's own double precision is the truth.</p>", f"<p class=note>{escape(about)}</p>",
    ]  # fmt: skip
    for family, names in by_family.items():
        rows = []
        for name in names:
            r = results[name]
            mark = ' <span class="bad">differs</span>' if r["error"] else ""
            link = f'<a href="cases/{file_name(name)}">{escape(name)}</a>{mark}'
            rows.append([link, str(r["examples"]), *(_worst(r, kind) for kind in KINDS)])
        parts.append(f"<h2>{escape(family)}</h2>" + _table(head, rows))
    return _page("minigrad against PyTorch", "".join(parts))


def write(folder: Path, results: dict[str, dict[str, Any]]) -> Path:
    """Write the report of `results` (as `parity.__main__.run` gives them); the path of its first page."""
    versions = ", ".join(f"{package} {metadata.version(package)}" for package in ("torch", "numpy", "hypothesis"))
    about = f"Python {platform.python_version()}, {versions}, {platform.system()} {platform.machine()}"
    (folder / "cases").mkdir(parents=True, exist_ok=True)
    kept.keep(folder, results, about)
    for name, result in results.items():
        files.write(folder / "cases" / file_name(name), case_page(CASES[name], result))
    files.write(folder / "index.html", index_page(results, about))
    return folder / "index.html"


def documented(used: dict[str, type]) -> list[tuple[str, str, str]]:
    """Name, docstring and place of the first operations that a case used: those that its page shows.

    Fused operations come first, as their definitions ran in other examples. One that ran compiled is shown where its
    formulas stand, as the NumPy form.
    """
    textbook = [kept.textbook(cls) for cls in used.values()]
    skipped = ("Clone", "Cast", "Expand", "Alias", "Reshape")
    shown = [cls for cls in dict.fromkeys(textbook) if cls.__doc__ and cls.__qualname__ not in skipped]
    shown.sort(key=lambda cls: not issubclass(cls, Fused))
    return [(cls.__qualname__, inspect.cleandoc(cls.__doc__ or ""), _source(cls)) for cls in shown[:2]]
