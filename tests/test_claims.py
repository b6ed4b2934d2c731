"""curriculum/claims.md: what it quotes of the lessons is what their runs are held to."""

import ast
import re

import pytest

from curriculum import catalog

VERDICTS = {"holds", "fails", "depends", "not comparable", "holds, and is low"}
ROW = re.compile(
    r"^\| (?P<said>[^|]+) \| (?P<verdict>[^|]+) \| (?P<measured>[^|]+) \| (?P<where>[^|]*) ?\|$", re.MULTILINE
)
ROWS = [
    row
    for found in ROW.finditer((catalog.HERE / "claims.md").read_text(encoding="utf-8"))
    if not (row := found.groupdict())["said"].startswith(("---", "what is said"))
]


def claims(lesson: catalog.Lesson) -> set[str]:
    """The texts of a lesson's claims, those that are written out."""
    return {
        node.args[0].value
        for node in ast.walk(ast.parse(lesson.path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "record.claim"
        and isinstance(node.args[0], ast.Constant)
    }


@pytest.mark.parametrize("row", ROWS, ids=[row["said"][:40] for row in ROWS])
def test_what_is_quoted_is_claimed_by_the_lesson(row: dict[str, str]) -> None:
    assert row["verdict"] in VERDICTS
    named = [catalog.find(name) for name in re.findall(r"lessons/(\w+)\.py", row["where"])]
    theirs = {text for lesson in named for text in claims(lesson)}
    quoted = set(re.findall(r'"([^"]+)"', row["measured"]))
    assert quoted <= theirs
    # Without a quotation the figure stands in the full-scale results, or is somebody else's and named as such.
    assert quoted or "fullscale" in row["where"] or "Not measured here" in row["measured"] or named


def test_numbers_are_those_of_the_lessons_that_are_named() -> None:
    for row in ROWS:
        for number, name in re.findall(r"\[(\d\d)\]\(lessons/(\w+)\.py\)", row["where"]):
            assert name.startswith(f"{number}_")


def test_the_topics_of_the_sources_are_examined() -> None:
    text = " ".join(row["said"] for row in ROWS)
    for topic in (
        "0.62",
        "0.17",
        "0.67",
        "MSE outperforms BCE",
        "More data",
        "L2",
        "ReLU",
        "Kaiming",
        "Full fine-tuning",
        "synapses",
    ):
        assert topic in text
