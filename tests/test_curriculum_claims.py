"""A claim of a lesson that cannot fail says nothing: for each there is a change of the lesson that refutes it."""

import os
from pathlib import Path

import pytest

from curriculum import catalog, claims, runner

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
LESSONS = catalog.lessons()
QUICK = [lesson for lesson in LESSONS if lesson.name.endswith("_one_weight")]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="changes are tried in forked processes")

LESSON = """
# %%
from curriculum import record
from curriculum.engine import torch


def update(w):
    return w - 0.1 * (w - 3)


# %%
w = torch.zeros(1)
for step in range(60):
    w = update(w)
print("done")
record.claim("the walk comes near", float(w), abs(float(w) - 3) < 0.1)
record.claim("this cannot fail", float(w), abs(float(w)) >= 0)

# %%
given = [word for word in ("a", "b")]
for name in given:
    record.claim(f"each {name}", name, name < "c")
record.claim("nothing else decides this", len(given), True)
never = 1.0
record.claim("this does not hold", never, never > 1)
"""


def examined(lesson: catalog.Lesson, out: Path, seconds: float = 60) -> dict:
    return claims.examine(lesson, out, seconds)


def test_what_cannot_fail_is_found(tmp_path):
    path = tmp_path / "99_claims.py"
    path.write_text(LESSON)
    told = []
    lesson = catalog.Lesson("99", path)
    found = claims.examine(lesson, tmp_path, 60, lambda *part: told.append(part))
    by = {claim["text"]: claim["by"] for claim in found["claims"]}
    assert by["the walk comes near"]["kind"] == "steps"
    assert by["the walk comes near"]["line"] == LESSON.splitlines().index("for step in range(60):") + 1
    assert by["this cannot fail"] is None
    assert by["nothing else decides this"] is None
    assert by["this does not hold"] is None
    assert by["each a"]["kind"] == by["each b"]["kind"] == "value"
    assert told[-1][2].endswith("changes")
    assert claims.examine(lesson, tmp_path, 60) == found, "kept"


@pytest.mark.parametrize("lesson", QUICK, ids=lambda lesson: lesson.name)
def test_each_claim_of_a_lesson_fails_when_the_lesson_is_changed(lesson, tmp_path):
    found = examined(lesson, tmp_path)
    assert len(found["claims"]) >= 3
    assert [claim["text"] for claim in found["claims"] if claim["by"] is None or claim["by"]["kind"] == "value"] == []


@pytest.mark.skipif(not DEEP, reason="some minutes a lesson: with HYPOTHESIS_PROFILE=deep")
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_no_claim_of_any_lesson_holds_whatever_is_changed(lesson, tmp_path):
    try:
        found = examined(lesson, tmp_path, 600)
    except runner.Failed as problem:
        if "do not survive a fork" not in str(problem):  # JAX's; whatever else stops a lesson is a fault
            raise
        pytest.skip(str(problem))
    assert [claim["text"] for claim in found["claims"] if claim["by"] is None] == []


def test_a_lesson_that_does_not_run_is_refused_in_one_line(tmp_path):
    path = tmp_path / "99_broken.py"
    path.write_text("1 / 0\n")
    with pytest.raises(runner.Failed, match="does not run to its end"):
        examined(catalog.Lesson("99", path), tmp_path)
    path.write_text("print(1)\n")
    with pytest.raises(runner.Failed, match="claims nothing"):
        examined(catalog.Lesson("99", path), tmp_path)


def test_the_summary_counts_and_names():
    claim = {"claim": [3, 0], "text": "t", "passed": True}
    of = {"tried": 5, "claims": [claim | {"by": by} for by in (None, {"kind": "steps", "line": 1, "change": "2 → 1"}, {"kind": "value", "line": 3, "change": "other values for x"})]}  # fmt: skip
    said = claims.summary({"07": of})
    assert "| 07 | 3 | 1 | 1 | 1 | 5 |" in said
    assert "- 07, line 3: t (holds whatever is changed)" in said
    assert "- 07, line 3: t (fails with other values for x alone)" in said
