"""A page for each operation: both directions' formulas, kinks, its figures against PyTorch, its speed, its source."""

import inspect
import re
from collections import defaultdict
from pathlib import Path

from .. import files
from ..commands import counted
from . import figures, formulas, markup, names

COMPARE, MEASURE = "python -m parity --html runs/parity", "python -m benchmarks operations --json runs/operations.json"


def _directions(cls: type) -> str:
    """The first paragraph, a line for each equation that stands apart there; then the rest."""
    text = inspect.cleandoc(vars(cls).get("__doc__") or "")
    first, _, rest = text.partition("\n\n")
    lines = [
        part
        for part in re.split(r"(?<=\S) {2,}(?=\S)", " \n".join(first.splitlines()).replace(" \n", " "))
        if part.strip()
    ]
    shown = "\n".join(f"{formulas.markdown(line)}\\" for line in lines).removesuffix("\\")
    return markup.directive("div", "formulas", shown) + "\n" + (formulas.paragraphs(rest) if rest.strip() else "")


def _formula(cls: type) -> str:
    text = inspect.getdoc(cls) or ""
    whole = names.formula(cls)
    if whole is cls or whole is None:
        return _directions(cls)
    return f"{formulas.paragraphs(text)}\n{markup.code(whole.__qualname__)}, of which this is a special case:\n\n{_directions(whole)}"


def _kinks(paths: list[str]) -> str:
    own, other = figures.kinks(paths)
    parts = []
    for case in figures.cases_of(paths):
        if case.kinks:
            parts.append(f"{markup.code(case.name)}: {markup.escape(figures.planted(case.name))}\n")
        if case.note:
            parts.append(f"{markup.code(case.name)}: {formulas.markdown(case.note)}\n")
    if own:
        parts.append(
            markup.table(
                ("at a kink or tie", "point", "gradient, in both engines"),
                [[markup.escape(c) for c in row] for row in own],
            )
        )
    if other:
        head = ("where JAX chooses otherwise", "minigrad and PyTorch", "JAX", "why")
        parts.append(markup.table(head, [[markup.escape(c) for c in row] for row in other]))
    return (
        "\n".join(dict.fromkeys(parts))
        if parts
        else "None is listed: no point at which a choice had to be made is known, or none has a name of its own.\n"
    )


def _against(parity: figures.Parity, cls: type, paths: list[str]) -> str:
    if not parity.ran:
        return f"Not compared here yet: {markup.code(COMPARE)}, then make the site again.\n"
    cases = parity.of(f"{cls.__module__}.{cls.__qualname__}", paths)
    if not cases:
        return "No case of the comparison that was run uses it.\n"
    rows = []
    for name in cases:
        result = parity.cases[name]
        state = "**differs**" if result["error"] else "agrees"
        target = f"../parity/{markup.slug(result['family'])}.md#{anchor(name)}"
        rows.append(
            [
                markup.link(markup.code(name), target),
                str(result["examples"]),
                state,
                *(figures.worst(result, kind) for kind in figures.KINDS),
            ]
        )
    told = f"Worst differences from PyTorch, relative, and in units of the last place. {markup.escape(parity.about)}.\n"
    return f"{told}\n{markup.table(('case', 'examples', '', *figures.KINDS), rows, right=(1,))}"


def anchor(case: str) -> str:
    return "case-" + markup.slug(case).lower().replace(".", "-").replace("_", "-")


def _speed(speed: figures.Speed, cls: type, paths: list[str]) -> str:
    rows = speed.of(cls.__qualname__, paths)
    if not rows:
        return f"Not timed by itself here yet: {markup.code(MEASURE)}, then make the site again.\n"
    head = ("what", "minigrad", "PyTorch", "PyTorch's time by minigrad's")
    return f"{markup.table(head, [[markup.escape(row[0]), *row[1:]] for row in rows], right=(1, 2, 3))}\n{markup.escape(speed.machine)}. Above 1 minigrad is faster.\n"


def _source(cls: type) -> str:
    parts = [f"{markup.code(names.place(cls))}\n", markup.block(names.source(cls), "python")]
    whole = names.formula(cls)
    if whole is not None and whole is not cls:
        parts += [f"{markup.code(names.place(whole))}\n", markup.block(names.source(whole), "python")]
    fast = names.compiled_form(cls)
    if fast is not None:
        body = f"{markup.code(names.place(fast))}\n\n{markup.block(names.source(fast), 'python')}"
        parts.append(markup.directive("dropdown", "Its compiled form, for large arrays", body))
    return "\n".join(parts)


def page(
    name: str, cls: type, parity: figures.Parity, speed: figures.Speed, neighbours: tuple[str | None, str | None]
) -> str:
    paths, family = names.names_by_operation()[name], name.rpartition(".")[0]
    called = (
        ", ".join(f"{{py:obj}}`minigrad.{path}`" for path in paths)
        or "other operations and modules only: no public function names it itself"
    )
    return "\n".join([
        "---\norphan: true\n---\n",
        f"# {markup.escape(cls.__qualname__)}\n",
        f"[Operations](index.md), [{markup.escape(family.replace('_', ' '))}](index.md#{family.replace('_', '-')})\n",
        _formula(cls),
        f"Reached through {called}.\n",
        "## Kinks and conventions\n", _kinks(paths),
        "## Against PyTorch\n", _against(parity, cls, paths),
        "## Speed\n", _speed(speed, cls, paths),
        "## Source\n", _source(cls),
        _on(*neighbours),
    ])  # fmt: skip


def _on(before: str | None, after: str | None) -> str:
    """To the neighbours in the list."""
    parts = [f"[← {markup.escape(before.rpartition('.')[2])}]({before}.md)" if before else ""]
    parts.append(f"[{markup.escape(after.rpartition('.')[2])} →]({after}.md)" if after else "")
    return f"---\n\n{' · '.join(part for part in parts if part)}\n" if any(parts) else ""


def write(source: Path, parity: figures.Parity, speed: figures.Speed, wanted: list[str] | None = None) -> list[str]:
    """Write the pages (of those in `wanted`), and their list by family; the names of those that were written."""
    shown = {name: cls for name, cls in names.operations().items() if wanted is None or name in wanted}
    by_family: dict[str, list[str]] = defaultdict(list)
    order = list(shown)
    for number, (name, cls) in enumerate(shown.items()):
        around = (order[number - 1] if number else None, order[number + 1] if number + 1 < len(order) else None)
        by_family[name.rpartition(".")[0]].append(name)
        files.write(source / "operations" / f"{name}.md", page(name, cls, parity, speed, around))
    parts = [
        "# Operations\n",
        f"The {counted(len(shown), 'operation')} of which every graph is made, each with the formulas of both directions. `grad` is what arrives from the "
        "rest of the computation, $\\mathrm{d}x$ what goes on to $x$.\n",
    ]
    for family, members in by_family.items():
        rows = [[markup.link(markup.escape(shown[m].__qualname__), f"{m}.md"), _first_line(shown[m])] for m in members]
        parts += [f"## {markup.escape(family.replace('_', ' '))}\n", markup.table(("operation", "formula"), rows)]
    files.write(source / "operations" / "index.md", "\n".join(parts))
    return list(shown)


def _first_line(cls: type) -> str:
    text = inspect.cleandoc(vars(cls).get("__doc__") or "")
    return formulas.markdown(re.split(r" {2,}|\n\n", text)[0].replace("\n", " "))
