"""The course as a site: every link leads somewhere, nothing is fetched, formulas are typeset, search finds, strange text stays text.

A small site of two lessons and a few operations is built (the whole one in the deep profile) and opened in Debian's chromium with the network
off. Its notebooks are made here, with outputs that a lesson might have: text with HTML in it, a picture, a page to embed.
"""

import base64
import io
import json
import logging
import os
import re
import shutil
import urllib.parse
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sphinx", reason="sphinx is not installed")
pytest.importorskip("myst_nb", reason="myst_nb is not installed")

from curriculum import catalog, notebook
from curriculum.runner import Setting
from curriculum.site import build, figures, formulas, glossary, markup, names
from curriculum.site import lessons as lesson_pages
from curriculum.site import operations as operation_pages

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
CHROMIUM = shutil.which("chromium")
HOSTILE = (
    '<script>window.hit = 1</script> "><img src=x onerror="window.hit = 1"> `*_[x](javascript:1) | {{raw}} $x$ ```'
)
OPERATIONS = ["activation.Gelu", "arithmetic.Mul", "piecewise.Relu", "softmax.Softmax"]


def picture() -> str:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    content = io.BytesIO()
    fig, _ = pyplot.subplots(figsize=(1, 1))
    fig.savefig(content)
    pyplot.close(fig)
    return base64.b64encode(content.getvalue()).decode()


def notebooks(folder: Path, lessons: list[catalog.Lesson]) -> None:
    """The lessons as notebooks, each with an output of every kind under its first cells."""
    folder.mkdir()
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": HOSTILE},
        {"output_type": "display_data", "metadata": {}, "data": {"image/png": picture(), "text/plain": "<Figure>"}},
        {
            "output_type": "display_data",
            "metadata": {"minigrad": {"page": "steps.html"}},
            "data": {"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'/>", "text/plain": HOSTILE},
        },
        {
            "output_type": "display_data",
            "metadata": {"minigrad": {"page": "lost.html"}},
            "data": {"text/plain": "the page is not there"},
        },
    ]
    for lesson in lessons:
        made = json.loads(json.dumps(notebook.read(lesson, lesson_pages.SETTING)))
        code = [cell for cell in made["cells"] if cell["cell_type"] == "code"]
        for cell, output in zip(code[1:], outputs, strict=False):
            cell["outputs"] = [output]
        (folder / f"{lesson.name}.ipynb").write_text(json.dumps(made))
        (folder / lesson.name).mkdir()
        (folder / lesson.name / "steps.html").write_text(
            "<!doctype html><html lang=en><title>s</title><p id=steps>step by step"
        )


def result(folder: Path) -> None:
    """A lesson's run as it may be: texts with HTML in them, ten trainings."""
    folder.mkdir(parents=True)
    claims = [
        {"text": HOSTILE, "measured": HOSTILE, "passed": True},
        {"text": "that fails", "measured": "1", "passed": False},
    ]
    told = {"key": "old", "seconds": 1.0, "claims": claims, "figures": [], "data": [HOSTILE], "skipped": ""}
    (folder / "result.json").write_text(json.dumps(told))
    record = {}
    for run in [HOSTILE.replace("/", "|"), *(f"training {n}" for n in range(9))]:
        record |= {
            f"{run}/loss": np.arange(3.0),
            f"{run}/kept": np.arange(3),
            f"{run}/gradient": np.ones((3, 2)),
            f"{run}/weight": np.ones((3, 2)),
        }
    np.savez(folder / "steps.npz", **record)


def compared(folder: Path) -> None:
    """What a comparison with PyTorch left, one case differing with an error that has HTML in it."""
    folder.mkdir()
    worst = {"value": {"relative": 1e-16, "ulp": 0.5}}
    one = {
        "family": "activation", "tolerance": "elementwise", "examples": 5, "raised": 0, "forms": {}, "worst": worst, "bins": {"value": {"-16": 2, "-99": 3}},
        "operations": [["Gelu", HOSTILE, "minigrad/ops/activation.py:1"]], "used": ["minigrad.ops.activation.Gelu"], "error": HOSTILE,
    }  # fmt: skip
    told = {
        "about": HOSTILE,
        "date": "2026-01-01",
        "cases": {"nn.functional.gelu": one, HOSTILE: one | {"family": HOSTILE, "error": None}},
    }
    (folder / "results.json").write_text(json.dumps(told))


class Page(HTMLParser):
    """The ids of a page, what it points at, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.without_alternative: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.ids |= {told[name] for name in ("id", "name") if name in told}
        if tag in ("a", "area") and "href" in told:
            self.links.append(told["href"])
        if tag == "link" and told.get("rel") not in ("index", "search", "next", "prev", "canonical"):
            self.loads.append(told["href"])
        if tag in ("script", "img", "iframe", "source", "video", "audio", "embed") and "src" in told:
            self.loads.append(told["src"])
        if tag == "img" and not told.get("alt"):
            self.without_alternative.append(told.get("src", ""))
        if tag == "iframe" and not told.get("title"):
            self.without_alternative.append(told.get("src", ""))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site, and its pages by path."""
    folder = tmp_path_factory.mktemp("site")
    lessons = [catalog.find("02"), catalog.find("04")]
    notebooks(folder / "notebooks", lessons)
    for engine in ("minigrad", "torch"):
        result(Setting(engine, "float64", 0).folder(folder / "results", lessons[0]))
    compared(folder / "results" / "parity")
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lesson_pages, "NOTEBOOKS", folder / "notebooks")
        # What other code of the process may have done before: logging shut off, and the promise of a terminal (Jupyter's kernel does).
        patch.setenv("FORCE_COLOR", "1")
        patch.setattr(logging.root.manager, "disable", logging.CRITICAL)
        for name in ("sphinx", "sphinx.sphinx.util.display"):
            patch.setattr(logging.getLogger(name), "disabled", True)
            patch.setattr(logging.getLogger(name), "filters", [lambda record: False])
            logging.getLogger(name).setLevel(logging.CRITICAL)
        problems = build.build(folder / "out", lessons, folder / "results", said.append, None if DEEP else OPERATIONS)
        assert logging.root.manager.disable == logging.CRITICAL, "it is not the site's to change"
    assert problems == []
    assert any("reading pages" in line for line in said)
    assert any("writing pages" in line for line in said)
    found = [
        path for path in (folder / "out").rglob("*.html") if ".build" not in path.parts and "_static" not in path.parts
    ]
    return folder / "out", {path: Page(path.read_text(encoding="utf-8")) for path in found}


def test_no_dead_link_and_nothing_from_outside(site):
    out, pages = site
    wrong = []
    for path, page in pages.items():
        for target in [*page.links, *page.loads]:
            parts = urllib.parse.urlsplit(target)
            if parts.scheme or parts.netloc:
                if target in page.loads and parts.scheme != "data":
                    wrong.append(f"{path.name} loads {target}")
                elif parts.scheme not in ("https", "http", "data"):
                    wrong.append(f"{path.name}: {target}")
                continue
            there = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
            if not there.exists():
                wrong.append(f"{path.name}: {target}")
            elif parts.fragment and there in pages and urllib.parse.unquote(parts.fragment) not in pages[there].ids:
                wrong.append(f"{path.name}: there is no #{parts.fragment} in {there.name}")
        wrong += [f"{path.name}: {src} has no alternative text" for src in page.without_alternative]
    assert wrong == []
    styles = "".join(path.read_text(encoding="utf-8") for path in out.rglob("*.css"))
    assert re.findall(r"""(?:@import|url\()\s*["']?(?:https?:)?//[^)]*""", styles) == []


def test_a_dead_link_would_be_seen():
    page = Page('<a href="x.html#y">x</a><img src="https://example.org/a.png"><p id="z">')
    assert (page.links, page.loads, page.ids, page.without_alternative) == (
        ["x.html#y"], ["https://example.org/a.png"], {"z"}, ["https://example.org/a.png"],
    )  # fmt: skip


def test_each_kind_of_page_says_what_it_is_for(site):
    out, _ = site

    def text(path: str) -> str:
        return (out / path).read_text(encoding="utf-8")

    lesson = text("lessons/04_broadcasting.html")
    assert 'rel="prev"' in lesson
    assert 'class="math' in lesson
    assert "One solution" in lesson
    assert "measured/04_broadcasting.html" in lesson
    assert '<iframe src="04_broadcasting/steps.html"' in lesson
    assert (out / "lessons" / "04_broadcasting" / "steps.html").is_file()
    assert 'class="on-paper"' in lesson
    assert "the page is not there" in lesson
    gelu = text("operations/activation.Gelu.html")
    for part in (
        "Kinks and conventions",
        "Against PyTorch",
        "differs",
        "PyTorch's time by minigrad's",
        "minigrad/ops/activation.py:",
    ):
        assert part in gelu, part
    assert "It was not run here yet" in text("measured/04_broadcasting.html")
    assert "Not timed by itself here yet" in text("operations/piecewise.Relu.html")
    assert "No case of the comparison" in text("operations/piecewise.Relu.html")
    assert "that fails" in text("measured/02_one_weight.html")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no chromium to open pages with")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_context(offline=True)
        browser.close()


@pytest.fixture
def opened(browser, site):
    """A function that opens a page of the site; whatever goes wrong on it fails the test."""
    page, wrong = browser.new_page(), []
    page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: wrong.append(str(e)))
    page.on("requestfailed", lambda r: wrong.append(f"failed: {r.url}"))
    page.on(
        "request",
        lambda r: wrong.append(f"asked for: {r.url}") if not r.url.startswith(("file:", "data:", "blob:")) else None,
    )

    def go(path: str, width: int = 1280, scheme: str = "light"):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.goto(f"file://{site[0]}/{path}")
        return page

    yield go
    page.close()
    assert wrong == []


def test_every_page_opens_without_the_network(opened, site):
    out, pages = site
    for path in pages:
        page = opened(str(path.relative_to(out)))
        assert page.evaluate("window.hit") is None, path
        assert page.locator(".katex-error").count() == 0, path
        assert page.locator(".math").count() == page.locator(".math .katex").count(), path
    assert opened("lessons/04_broadcasting.html").locator(".katex").count() > 5


@pytest.mark.parametrize(
    "page",
    ["lessons/04_broadcasting.html", "operations/activation.Gelu.html", "measured/02_one_weight.html", "glossary.html"],
)
def test_a_phone_shows_it_whole(opened, page):
    assert opened(page, width=390).evaluate("document.documentElement.scrollWidth") <= 390


def test_light_and_dark_differ_and_paper_has_no_sidebar(opened):
    def ground(scheme: str) -> str:
        return opened("index.html", scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")

    assert ground("light") != ground("dark")
    page = opened("lessons/02_one_weight.html")
    page.emulate_media(media="print")
    assert not page.locator(".sidebar-drawer").is_visible()
    assert not page.locator(".toc-drawer").is_visible()


def test_search_finds_lesson_and_reference(opened):
    page = opened("search.html?q=unbroadcast")
    page.wait_for_selector("#search-results li a")
    page.wait_for_function(
        "!document.querySelector('#search-progress') || document.querySelectorAll('#search-results li').length > 2"
    )
    page.wait_for_timeout(300)
    found = page.eval_on_selector_all("#search-results li a", "links => links.map(link => link.href)")
    assert any("lessons/04_broadcasting.html" in href for href in found)
    assert any("reference/engine.html" in href and "unbroadcast" in href for href in found)
    assert any("glossary.html" in href for href in found)


def test_strange_text_is_shown_as_text(opened):
    for path in (
        "lessons/02_one_weight.html",
        "measured/02_one_weight.html",
        "parity/activation.html",
        "parity/index.html",
        "operations/activation.Gelu.html",
    ):
        page = opened(path)
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert "<script>window.hit = 1</script>" in page.inner_text("article"), path
        assert page.evaluate("window.hit") is None
        assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE,
        "a | b",
        "# no heading",
        "    indented",
        "1. no list",
        "*a* _b_ **c**",
        "<b>&amp;",
        "\\",
        "$$x$$",
        "[a]: b",
        "```{raw} html",
    ],
)
def test_escaped_text_reads_as_it_was(text):
    from markdown_it import MarkdownIt

    shown = MarkdownIt().enable("table").render(markup.escape(text))
    assert re.sub(r"<p>|</p>", "", shown).strip() == escaped(" ".join(text.split()))
    row = MarkdownIt().enable("table").render(markup.table(("h",), [[markup.escape(text)]]))
    assert f"<td>{escaped(' '.join(text.split()))}</td>" in row


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


# -- formulas


def atoms(latex: str) -> list[str]:
    """Names and numbers of TeX in their order, without the commands around them."""
    latex = latex.replace(r"\top", " T ").replace(r"\tfrac12", " ")
    for name in (*formulas.ROMAN, "mathrm", "cdot", "times", "frac", "sqrt", "left", "right", "hat", "partial"):
        latex = re.sub(rf"\\{name}(?![A-Za-z])", f" {name} " if name in formulas.ROMAN else " ", latex)
    latex = re.sub(r"\\[A-Za-z]+", " ", latex.replace(r"\_", "_"))
    return re.findall(r"[A-Za-z]|\d", latex)


def docstrings() -> list[str]:
    import inspect

    found = [inspect.getdoc(cls) or "" for cls in names.operations().values()]
    found += [inspect.getdoc(value) or "" for value in names.public().values() if not names.is_constant(value)]
    return sorted({text for text in found if text})


def test_formulas_say_what_the_docstrings_say():
    """Nothing is lost, added or put in another order, in any docstring."""
    plain = str.maketrans({**formulas.SUPER, **formulas.SUB, **dict.fromkeys([*formulas.GREEK, "½"], " ")})
    count = 0
    for text in docstrings():
        for kind, content, _ in formulas.pieces(text):
            if kind == "math":
                count += 1
                assert content.count("{") == content.count("}"), text
        shown = " ".join(
            " ".join(atoms(c)) if k == "math" else " ".join(re.findall(r"[A-Za-z]|\d", c.translate(plain)))
            for k, c, _ in formulas.pieces(text)
        )
        wanted = " ".join(re.findall(r"[A-Za-z]|\d", text.replace("\u0302", "").translate(plain)))
        assert shown.split() == wanted.split(), text
    assert count > 700


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("grad · a / b²", r"\frac{\mathrm{grad} \cdot a}{b^{2}}"),
        ("a / b · c", r"\frac{a}{b} \cdot c"),
        ("a / (b · c)", r"\frac{a}{b \cdot c}"),
        ("(a + b) / 2", r"\frac{a + b}{2}"),
        ("(a + b) · c / 2", r"\frac{\left(a + b\right) \cdot c}{2}"),
        ("-x / 2 + 1", r"-\frac{x}{2} + 1"),
        ("e^(-x²)", r"{e}^{- x^{2}}"),
        ("√(x + 1)", r"\sqrt{x + 1}"),
        ("2/√π", r"\frac{2}{\sqrt{\pi}}"),
        ("dx = grad · (1 - out²)", r"\mathrm{d}x = \mathrm{grad} \cdot \left(1 - \mathrm{out}^{2}\right)"),
    ],
)
def test_precedence(text, latex):
    ((kind, content, _),) = formulas.pieces(text)
    assert (kind, content.replace("- \\frac", "-\\frac")) == ("math", latex)


@pytest.mark.parametrize(
    "text",
    [
        "input ^ other, bit by bit",
        "The mean of each window",
        "self-attention, and/or dim=1",
        "minigrad/ops/norm.py",
        "(N, C, H, W)",
        'mode "a = b"',
    ],
)
def test_what_is_no_formula(text):
    assert all(kind == "text" for kind, _, _ in formulas.pieces(text))


def test_katex_takes_every_formula(opened, site):
    """Its strict reading, of all operations and public names: no error, no unknown command."""
    all_of_them = sorted(
        {content for text in docstrings() for kind, content, _ in formulas.pieces(text) if kind == "math"}
    )
    page = opened("operations/activation.Gelu.html")
    refused = page.evaluate(
        "all => all.filter(tex => { try { katex.renderToString(tex, {strict: 'ignore'}); return false } catch { return true } })",
        all_of_them,
    )
    assert refused == []


# -- the lists that pages are made from


def test_every_operation_with_a_rule_has_a_page():
    from minigrad.autograd.graph import Operation
    from minigrad.ops.rule import Rule

    def below(cls):
        for inner in cls.__subclasses__():
            yield inner
            yield from below(inner)

    names.public()
    ruled = {
        cls for cls in below(Operation)
        if cls.__module__.startswith("minigrad.ops.") and cls is not Rule and not cls.__qualname__.startswith("_") and "dx = " in (cls.__dict__.get("__doc__") or "")
    }  # fmt: skip
    assert {cls.__qualname__ for cls in ruled if names.page_of(cls) is None} == set()
    assert len(names.operations()) > 200
    reached = names.names_by_operation()
    assert "exp" in reached["exponential.Exp"]
    assert "nn.functional.silu" in reached["activation.Silu"]


def test_signatures_have_no_addresses():
    wrong = [path for path, value in names.public().items() if " at 0x" in names.signature(value)]
    assert wrong == []


def test_the_glossary_leads_to_lessons_that_use_the_word():
    entries = glossary.entries()
    lines = [
        line
        for line in (catalog.HERE / "glossary.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("- ")
    ]
    assert len(entries) == len(lines) >= 80
    for entry in entries:
        lesson = catalog.find(entry["number"])
        assert lesson.name == entry["name"]
        words = [w for w in re.findall(r"[a-z0-9]+", re.sub(r" \(.*", "", entry["term"].lower())) if len(w) > 1]
        text = lesson.path.read_text(encoding="utf-8").lower()
        assert any(word[:6] in text for word in words), entry["term"]


def test_anchors_of_cases_are_their_own():
    from parity.cases import CASES

    made = [operation_pages.anchor(name) for name in CASES]
    assert len(set(made)) == len(made)


def test_speed_is_shown_where_it_was_measured(tmp_path):
    row = {
        "name": "exp",
        "way": "x",
        "elements": 1000,
        "what": "and backward",
        "torch_s": 2e-6,
        "minigrad_s": 1e-6,
        "ratio": 2.0,
    }
    (tmp_path / "operations.json").write_text(json.dumps([row]))
    assert ["exp, 1,000 elements, forward and backward", "1 µs", "2 µs", "2.00"] in figures.Speed(tmp_path).of(
        "Exp", ["exp"]
    )


def test_a_second_build_keeps_what_did_not_change_and_forgets_what_is_gone(tmp_path):
    source, read, out = tmp_path / "source", tmp_path / "read", tmp_path / "out"
    for folder in (source, out):
        folder.mkdir()
    (source / "a.md").write_text("a")
    (source / "b.md").write_text("b")
    build._renew(read, source)
    before = (read / "a.md").stat().st_mtime_ns
    (source / "b.md").unlink()
    build._renew(read, source)
    assert [path.name for path in read.iterdir()] == ["a.md"]
    assert (read / "a.md").stat().st_mtime_ns == before
    for name in ("a.html", "b.html", "of_someone_else.html"):
        (out / name).write_text("")
    build._forget(out, tmp_path / "pages.txt", {"a.html", "b.html"})
    build._forget(out, tmp_path / "pages.txt", {"a.html"})
    assert sorted(path.name for path in out.iterdir()) == ["a.html", "of_someone_else.html"]


def test_a_lesson_that_does_not_run_has_a_page_that_says_so(tmp_path, monkeypatch):
    from curriculum import runner

    def fails(*arguments):
        raise runner.Failed(f"no data {HOSTILE}")

    monkeypatch.setattr(lesson_pages, "NOTEBOOKS", tmp_path / "none")
    monkeypatch.setattr(notebook, "write", fails)
    assert lesson_pages.write(catalog.find("04"), tmp_path, tmp_path / "cache", tmp_path, tmp_path / "extra")
    made = json.loads((tmp_path / "lessons" / "04_broadcasting.ipynb").read_text())
    assert any("did not run to its end" in cell["source"] and "no data" in cell["source"] for cell in made["cells"])


def test_what_a_comparison_found_is_read_as_it_was(tmp_path):
    from rich.console import Console

    from parity import html
    from parity.__main__ import chosen, run

    results = run(chosen(["nn.functional.softplus"]), 3, 0, Console(quiet=True))
    html.write(tmp_path, results)
    found = figures.Parity(tmp_path)
    assert found.ran
    bins = {name: result["bins"] for name, result in results.items()}
    assert {name: result["bins"] for name, result in found.cases.items()} == bins
    assert found.cases["nn.functional.softplus"]["worst"] == results["nn.functional.softplus"]["worst"]
    assert found.of("minigrad.ops.activation.Softplus", ["nn.functional.softplus"]) == ["nn.functional.softplus"]
    assert found.of("minigrad.ops.softmax.Softmax", ["softmax"]) == []
    assert not figures.Parity(tmp_path / "nothing").ran
