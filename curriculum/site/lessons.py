"""The lessons' pages: each is its notebook, with the exercise under it, and drawings of the backward pass where the notebook names them."""

import base64
import copy
import json
import re
import shutil
from html import escape
from pathlib import Path
from typing import Any

from .. import files, notebook, runner
from ..catalog import HERE, Lesson
from ..runner import Setting
from . import markup

SETTING = Setting("minigrad", "float32", 0)
NOTEBOOKS = HERE / "notebooks"


def _same_text(there: Any, lesson: Lesson) -> bool:
    """Whether a notebook holds the lesson as it is now; the cell that chooses the engine is its own."""

    def sources(cells: list[Any]) -> list[str]:
        told = ("engine" in cell.get("metadata", {}).get("tags", []) for cell in cells)
        return [
            "".join(cell["source"]).strip() for cell, engine in zip(cells, told, strict=True)
            if not engine and cell["cell_type"] in ("markdown", "code")
        ]  # fmt: skip

    return sources(there["cells"]) == sources(notebook.read(lesson, SETTING).cells)


def find(lesson: Lesson, cache: Path) -> tuple[Path, bool]:
    """The lesson's notebook with its outputs, and whether it had to be made: the one of the repository, or one that is run now."""
    kept = NOTEBOOKS / f"{lesson.name}.ipynb"
    if kept.is_file() and _same_text(json.loads(kept.read_text(encoding="utf-8")), lesson):
        return kept, False
    made, stamp = cache / f"{lesson.name}.ipynb", cache / f"{lesson.name}.key"
    wanted = runner.key(lesson, SETTING)
    if made.is_file() and stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return made, False
    cache.mkdir(parents=True, exist_ok=True)
    notebook.write(lesson, made, SETTING)
    files.write(stamp, wanted)
    return made, True


def _words(name: str) -> str:
    """A picture's name as words: 4_forward_stretches_backward_sums is "forward stretches backward sums"."""
    return " ".join(part for part in name.removesuffix(".png").split("_") if not part.isdecimal()) or name


def _alternative(cell: Any, lesson: Lesson, alts: dict[str, str]) -> str:
    """What is read instead of the pictures of a cell: what the lesson's run says of them, or the names under which it kept them."""
    names = [
        name
        for output in cell.get("outputs", [])
        if (name := output.get("metadata", {}).get("minigrad", {}).get("figure"))
    ]
    names = names or re.findall(r"record\.figure\(.*?[\"']([^\"']+)[\"']\s*\)", cell["source"], re.DOTALL)
    told = "; ".join(alts.get(f"{name}.png") or _words(name) for name in names)
    return (
        f"Lesson {lesson.number}, picture: {told}"
        if told
        else f"Lesson {lesson.number}: a picture that the code above draws"
    )


def _page(output: Any) -> str | None:
    """The page that an output stands for: `{"minigrad": {"page": "name.html"}}` in its metadata."""
    page = output.get("metadata", {}).get("minigrad", {}).get("page")
    return Path(str(page)).name if page else None


def _frame(lesson: Lesson, page: str, drawing: str) -> str:
    """The page within the lesson's; on paper the drawing that the notebook has in its place."""
    what = f"Lesson {lesson.number}: {_words(page.removesuffix('.html'))}"
    title, href = escape(what, quote=True), escape(f"{lesson.name}/{page}", quote=True)
    content = base64.b64encode(drawing.encode()).decode()
    paper = f'<img class="on-paper" alt="{title}, drawn" src="data:image/svg+xml;base64,{content}">' if drawing else ""
    return (
        f'<div class="stepper"><iframe src="{href}" title="{title}, step by step" loading="lazy"></iframe>'
        f'<p><a href="{href}">Open this on a page of its own</a></p>{paper}</div>'
    )


def _cells(read: Any, lesson: Lesson, pages: set[str], alts: dict[str, str]) -> list[Any]:
    """The cells as the site shows them; `pages` are those whose files are there, `alts` pictures in words."""
    cells = []
    for cell in copy.deepcopy(read["cells"]):
        cell["source"] = "".join(cell["source"])
        cell.setdefault("metadata", {})
        if cell["cell_type"] == "code":
            if "engine" in cell["metadata"].get("tags", []):
                continue
            cell["metadata"]["mystnb"] = {"image": {"alt": _alternative(cell, lesson, alts)}}
            shown = []
            for output in cell.get("outputs", []):
                for kind in [k for k in output.get("data", {}) if k.startswith("application/vnd.jupyter")]:
                    del output["data"][kind]
                page = _page(output)
                if page in pages:
                    shown.append(
                        {
                            "output_type": "display_data",
                            "metadata": {},
                            "data": {
                                "text/html": _frame(lesson, str(page), "".join(output["data"].get("image/svg+xml", "")))
                            },
                        }
                    )
                else:
                    shown.append(output)
            cell["outputs"] = shown
        elif cell["cell_type"] != "markdown":
            continue
        cells.append(cell)
    return cells


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _exercise(lesson: Lesson, measured: bool) -> str:
    parts = []
    exercise, solution = HERE / "exercises" / lesson.path.name, HERE / "solutions" / lesson.path.name
    if exercise.is_file():
        parts += [
            "## The exercise's file\n",
            f"Fill in `curriculum/exercises/{lesson.path.name}`; `python -m curriculum check {lesson.number}` says whether it is right.\n",
            markup.block(exercise.read_text(encoding="utf-8"), "python"),
        ]
    if solution.is_file():
        parts.append(
            markup.directive("dropdown", "One solution", markup.block(solution.read_text(encoding="utf-8"), "python"))
        )
    if measured:
        parts.append(
            f"[What was measured](../measured/{lesson.name}.md): claims, losses and differences of both engines.\n"
        )
    return "\n".join(parts)


def write(lesson: Lesson, source: Path, cache: Path, results: Path, extra: Path) -> bool:
    """Write the page of a lesson; True if its notebook had to be run.

    Pages that the notebook names are looked for beside it and among the results of the lesson, and copied into `extra`.
    """
    note = ""
    try:
        path, made = find(lesson, cache)
        read = json.loads(path.read_text(encoding="utf-8"))
    except runner.Failed as problem:
        path, made = lesson.path, True
        read = json.loads(json.dumps(notebook.read(lesson, SETTING)))
        note = (
            f"The lesson did not run to its end here, so that its page has no outputs:\n\n{markup.block(str(problem))}"
        )
    there = set()
    for cell in read["cells"]:
        for output in cell.get("outputs", []):
            page = _page(output)
            places = (path.parent / lesson.name, path.parent, SETTING.folder(results, lesson), results / "alone")
            found = next((place / page for place in places if page and (place / page).is_file()), None)
            if page and found:
                target = extra / "lessons" / lesson.name / page
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(found, target)
                there.add(page)
    alts = (runner.result(results, lesson, SETTING) or {}).get("alts", {})
    read["cells"] = [
        *_cells(read, lesson, there, alts),
        *([_markdown(note)] if note else []),
        _markdown(_exercise(lesson, measured=True)),
    ]
    for number, cell in enumerate(read["cells"]):
        cell["id"] = f"cell-{number}"
    read["metadata"] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    files.write(source / "lessons" / f"{lesson.name}.ipynb", json.dumps(read, indent=1, ensure_ascii=False))
    return made


def index(lessons: list[Lesson], source: Path) -> None:
    """The list of the lessons, which is also their order."""
    rows = [
        [
            lesson.number,
            markup.link(markup.escape(lesson.title), f"{lesson.name}.ipynb"),
            markup.escape(lesson.question),
        ]
        for lesson in lessons
    ]
    order = markup.directive("toctree", "", "\n".join(lesson.name for lesson in lessons), [("hidden", "")])
    text = f"# Lessons\n\nEach lesson is one question.\n\n{markup.table(('', 'lesson', 'question'), rows)}\n{order}"
    files.write(source / "lessons" / "index.md", text)
