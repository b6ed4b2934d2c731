"""The comparison with PyTorch as pages: an overview, and a page for each family of cases."""

from collections import defaultdict
from pathlib import Path

from .. import files
from ..commands import counted
from . import figures, formulas, markup
from .operations import COMPARE, anchor


def write(source: Path, parity: figures.Parity) -> None:
    if not parity.ran:
        text = (
            "# Against PyTorch\n\nThe comparison was not run here yet. It takes some minutes:\n\n"
            f"{markup.block(COMPARE, 'text')}\nThen make the site again.\n"
        )
        files.write(source / "parity" / "index.md", text)
        return
    by_family: dict[str, list[str]] = defaultdict(list)
    for name, result in parity.cases.items():
        by_family[result["family"]].append(name)
    wrong = [name for name, result in parity.cases.items() if result["error"]]
    examples = sum(result["examples"] for result in parity.cases.values())
    verdict = (
        f"{len(wrong)} of {counted(len(parity.cases), 'case')} differ."
        if wrong
        else f"{counted(len(parity.cases), 'case')}, {counted(examples, 'example', form=',')}, none wrong."
    )
    rows = [
        [markup.link(markup.escape(family), f"{markup.slug(family)}.md"), str(len(members)),
         f"{sum(parity.cases[m]['examples'] for m in members):,}", *(_worst_of(parity, members, kind) for kind in figures.KINDS)]
        for family, members in sorted(by_family.items())
    ]  # fmt: skip
    parts = [
        "# Against PyTorch\n", f"{verdict}\n",
        "Every public operation, module, loss and optimizer is called with drawn inputs in both engines. Differences are relative to the size of what "
        "was added up; one ulp is the spacing of the type. In float32 PyTorch's own double precision is the truth.\n",
        f"{markup.escape(parity.about)}.\n",
        markup.table(("family", "cases", "examples", *(f"worst {kind}" for kind in figures.KINDS)), rows, right=(1, 2)),
        markup.directive("toctree", "", "\n".join(markup.slug(family) for family in sorted(by_family)), [("hidden", "")]),
    ]  # fmt: skip
    files.write(source / "parity" / "index.md", "\n".join(parts))
    for family, members in by_family.items():
        text = "\n".join(
            [
                f"# {markup.escape(family.capitalize())}, against PyTorch\n",
                *(_case(parity, name) for name in sorted(members)),
            ]
        )
        files.write(source / "parity" / f"{markup.slug(family)}.md", f"---\nnosearch: true\n---\n{text}")


def _worst_of(parity: figures.Parity, members: list[str], kind: str) -> str:
    found = [w["relative"] for m in members if (w := parity.cases[m]["worst"].get(kind))]
    return f"{max(found):.1e}" if found else ""


def _case(parity: figures.Parity, name: str) -> str:
    from parity import html
    from parity.case import CASES

    result = parity.cases[name]
    parts = [f"({anchor(name)})=\n## {markup.escape(name)}\n"]
    if result["error"]:
        parts.append(f"**The engines differ.**\n\n{markup.block(result['error'])}")
    said = f"{counted(result['examples'], 'example')}; on {result['raised']} of them both engines raised."
    if name in CASES:
        tolerance = CASES[name].tolerance
        said += (
            f" Tolerance “{tolerance.name}”: {tolerance.relative:g} in float64, {tolerance.ulp:g} ulp beside twice PyTorch's own in float32 "
            f"({tolerance.reason})."
        )
        covers = ", ".join(f"{{py:obj}}`minigrad.{path}`" for path in CASES[name].covers)
        parts.append(f"{covers}\n" if covers else "")
    parts.append(f"{markup.escape(said)}\n")
    for operation, text, at in result["operations"]:
        parts.append(f"{markup.code(operation)} {formulas.markdown(text)} {markup.code(at)}\n")
    rows = [[kind, figures.worst(result, kind)] for kind in figures.KINDS if kind in result["worst"]]
    if rows:
        parts.append(markup.table(("worst difference", "relative, and in ulp"), rows))
    drawn = "".join(
        html.histogram(result["bins"][kind], f"{name}: {kind}") for kind in figures.KINDS if kind in result["bins"]
    )
    if drawn:
        parts.append(
            markup.directive(
                "dropdown",
                "How often which difference",
                markup.directive("raw", "html", f'<div class="histograms">{drawn}</div>'),
            )
        )
    return "\n".join(parts)
