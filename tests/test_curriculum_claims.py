"""A claim of a lesson that cannot fail says nothing: for each there is a change of the lesson that refutes it."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from curriculum import catalog, claims, planted, planted_by_hand, planted_table, runner
from curriculum.__main__ import main

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
LESSONS = catalog.lessons()
QUICK = [lesson for lesson in LESSONS if lesson.name.endswith(("_one_weight", "_linear_layers"))]
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
    assert by["the walk comes near"]["kind"] == "sign"
    assert by["the walk comes near"]["line"] == LESSON.splitlines().index("    return w - 0.1 * (w - 3)") + 1
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
    found = examined(lesson, tmp_path, 600)
    survive = {(lesson.name, c["text"]) for c in found["claims"] if not claims.noticed(c)}
    listed = {(name, text) for name, text in planted_table.SURVIVORS if name == lesson.name}
    assert survive == listed


def test_survivors_are_claims_of_their_lessons_and_have_a_reason():
    for (name, text), why in planted_table.SURVIVORS.items():
        lesson = catalog.find(name)
        assert lesson.name == name
        assert text in texts(lesson)
        assert why


def texts(lesson: catalog.Lesson) -> list[str]:
    """What the calls of record.claim in the lesson say, where it is written out."""
    calls = [node for node in ast.walk(ast.parse(lesson.path.read_text(encoding="utf-8"))) if planted.is_claim(node)]
    return [ast.literal_eval(call.args[0]) if isinstance(call.args[0], ast.Constant) else "" for call in calls]


def test_the_table_holds_every_lesson_and_names_each_claim_that_noticed_nothing():
    text = planted_table.README.read_text(encoding="utf-8")
    rows = planted_table.lessons_of(text)
    assert list(rows) == [lesson.number for lesson in LESSONS], "python -m curriculum claims --table renews it"
    named = planted_table.named(text)
    for lesson in LESSONS:
        count, tried, noticed = rows[lesson.number]
        if count >= 0:
            assert tried > 0, lesson.name
            assert count - named.count(lesson.number) == noticed, lesson.name
    for (name, claim), why in planted_table.SURVIVORS.items():
        assert f'- {name[:2]}, "{claim}": {why}' in text


def test_the_table_is_of_what_was_found(tmp_path, monkeypatch, capsys):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{planted_table.BEGIN}\nold\n{planted_table.END}\nafter\n")
    claim = {"text": "t", "passed": True}
    by = {"kind": "steps", "line": 1, "change": "2 → 1"}
    found = {"tried": 5, "claims": [claim | {"claim": [3, 0], "by": by}, claim | {"claim": [4, 0], "by": None}]}
    monkeypatch.setattr(planted_table, "README", readme)
    monkeypatch.setattr(catalog, "lessons", lambda: LESSONS[:3])

    monkeypatch.setattr(claims, "kept", lambda lesson, _: None if lesson == LESSONS[2] else found)
    assert main(["claims", "--table", "--out", str(tmp_path)]) == 1
    assert "no new figures: lesson 03 was not examined" in capsys.readouterr().out
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("-->\nafter\n")
    assert "old" not in text
    assert planted_table.lessons_of(text) == {"01": [2, 5, 1], "02": [2, 5, 1], "03": [-1, -1, -1]}
    open_before = planted_table.named(text)
    planted_table.write({}, catalog.lessons()[:3])  # nothing new: what was found before stays
    text = readme.read_text(encoding="utf-8")
    assert planted_table.lessons_of(text) == {"01": [2, 5, 1], "02": [2, 5, 1], "03": [-1, -1, -1]}
    assert planted_table.named(text) == open_before
    monkeypatch.setitem(planted_table.SURVIVORS, (LESSONS[0].name, "t"), "nothing decides it")
    main(["claims", "--table", "--out", str(tmp_path)])
    assert '- 01, "t": nothing decides it' in readme.read_text()
    assert planted_table.named(readme.read_text()) == ["01", "02"]
    monkeypatch.setattr(claims, "examine", lambda *_: found)
    assert main(["claims", "01", "--out", str(tmp_path)]) == 0
    assert "t: no change refutes it: nothing decides it" in capsys.readouterr().out
    assert main(["claims", "02", "--out", str(tmp_path)]) == 1


def test_what_was_left_alone_is_examined_again(tmp_path):
    path = tmp_path / "99_claims.py"
    path.write_text(LESSON)
    lesson = catalog.Lesson("99", path)
    first = examined(lesson, tmp_path)
    again = examined(lesson, tmp_path, 30)
    assert again["tried"] > first["tried"]
    assert [c["by"] for c in again["claims"]] == [c["by"] for c in first["claims"]]


def test_a_long_part_is_run_to_its_end_in_a_later_pass_alone(tmp_path):
    path = tmp_path / "99_long.py"
    path.write_text("""
import time
from curriculum import record
rate = 2.0
until = time.process_time() + 0.8
while time.process_time() < until:
    pass
record.claim("positive", rate, rate > 0)
""")
    program = """
import sys
from curriculum import claims, planted
planted.PASSES = tuple((limit, *rest) for limit, (_, *rest) in zip((60, 0.3, 0.5, 60), planted.PASSES))
claims.work(sys.argv[1], 60, [])
"""
    ran = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    *progress, last = map(json.loads, ran.stdout.splitlines())
    assert progress[0]["refuted"] == 0
    assert last["claims"][0]["by"]["change"] == "2.0 → -2.0"


@pytest.mark.parametrize("name", planted_by_hand.BY_HAND)
def test_what_is_planted_by_hand_fits_its_lesson(name):
    lesson = catalog.find(name)
    assert lesson.name == name
    source = lesson.path.read_text(encoding="utf-8")
    changes = planted_by_hand.changes(name, source)
    body = ast.parse(source).body
    for change, edit in zip(changes, planted_by_hand.BY_HAND[name], strict=True):
        assert edit.refutes
        assert len(change.refutes) == len(edit.refutes)
        assert min(change.refutes) >= body[change.statement].lineno, "it comes before the claims"
        # A claim that is itself changed would not be refuted by the lesson.
        of = {body[claims._statement(body, line)].lineno for line in change.refutes}
        altered = [n for n, (a, b) in enumerate(zip(body, change.body, strict=True)) if ast.dump(a) != ast.dump(b)]
        assert not of & {body[n].lineno for n in altered}
    assert len({change.text for change in changes}) == len(changes)


def test_what_is_planted_by_hand_is_tried_first(tmp_path, monkeypatch):
    path = tmp_path / "99_claims.py"
    path.write_text(LESSON)
    edits = (("range(60)", "range(9)"),)
    monkeypatch.setitem(planted_by_hand.BY_HAND, "99_claims", (planted_by_hand.Edit(edits, ("the walk comes",)),))
    [change] = planted_by_hand.changes("99_claims", LESSON)
    asked = claims._Lesson(str(path), 60, [], lambda **_: None)
    assert asked.changes[0].text == change.text
    assert asked._decided_by(change, False) == {(next(iter(change.refutes)), 0)}
    assert (change.kind, change.text) == ("hand", "range(60) → range(9)")
    assert change.line == LESSON.splitlines().index("for step in range(60):") + 1
    for old, new in (("range(61)", "1"), ("float(w)", "1"), ("range(60)", "range(\n9)")):
        monkeypatch.setitem(planted_by_hand.BY_HAND, "99_claims", (planted_by_hand.Edit(((old, new),), ()),))
        with pytest.raises(ValueError, match="times in the lesson, or has not as many lines"):
            planted_by_hand.changes("99_claims", LESSON)
    monkeypatch.setitem(planted_by_hand.BY_HAND, "99_claims", (planted_by_hand.Edit(edits, ("each",)),))
    with pytest.raises(ValueError, match="0 claims of the lesson begin with 'each'"):
        planted_by_hand.changes("99_claims", LESSON)


def test_a_lesson_that_computes_in_threads_is_forked_before_it_begins(tmp_path):
    lesson = catalog.Lesson("99", tmp_path / "99_threads.py")
    lesson.path.write_text("""
import threading
from curriculum import record
if not threading:
    import jax
total = False
lock = threading.Lock()
threading.Thread(target=lock.acquire, daemon=True).start()
for _ in range(3):
    total += 1
record.claim("three", total, total == 3)
""")
    found = examined(lesson, tmp_path)
    assert found["claims"][0]["by"] == {"kind": "steps", "line": 9, "change": "range(3) → range(0, 0 + 1)"}


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
