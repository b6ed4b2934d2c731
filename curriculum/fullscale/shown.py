"""Answers as they are shown: on the page of `serve`, in the file of `predict --html`, in a terminal. The forms are in templates/."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from . import runs
from .forms import STATIC, render
from .owned import MADE_BY
from .words import Judged, Word

SHOWN = 10  # words in the table of those that mattered most


def strength(share: float, most: float) -> int:
    """From 0, not marked, to 4, as strong as the strongest."""
    part = abs(share) / most if most else 0.0
    return sum(part >= bound for bound in (0.08, 0.25, 0.5, 0.75))


def _marked(words: list[Word]) -> list[dict[str, Any]]:
    most = max((abs(word.share) for word in words), default=0.0)
    return [
        {
            "text": word.text, "share": word.share, "gap": word.gap, "sign": "for" if word.share > 0 else "against",
            "strength": strength(word.share, most), "size": abs(word.share) / most if most else 0.0,
        }
        for word in words
    ]  # fmt: skip


def answer(classes: list[str], judged: Judged) -> str:
    """An answer as HTML, to be set into a page; all that comes from users is escaped."""
    words = _marked(judged.words)
    most = sorted((word for word in words if word["strength"]), key=lambda word: -word["size"])[:SHOWN]
    return render(
        "answer.html", label=judged.label, probability=judged.probability,
        classes=list(zip(classes, judged.probabilities, strict=True)), words=words, most=most,
    )  # fmt: skip


def facts(run: runs.Run) -> str:
    results = run.results
    return f"{run.config['command']}, {100 * results['test_accuracy']:.2f} % right on its test data ({results['data']})"


def page(run: runs.Run) -> str:
    """The page of `serve`."""
    if run.about_pictures:
        return render("draw.html", title="Which digit is it?", facts=facts(run))
    film = run.classes == ["negative", "positive"]
    title = "Is the review favourable?" if film else f"{', '.join(run.classes[:-1])} or {run.classes[-1]}?"
    invitation = "Type or paste a film review." if film else "Type or paste a text."
    return render("review.html", title=title, invitation=invitation, facts=facts(run), measured=run.measured)


def file(run: runs.Run, judged: list[Judged]) -> str:
    """The page of `predict --html`, whole in one file."""
    answers = [Markup(answer(run.classes, each)) for each in judged]
    style = Markup((STATIC / "page.css").read_text(encoding="utf-8"))
    return render(
        "judged.html",
        title="Judged",
        facts=facts(run),
        measured=run.measured,
        answers=answers,
        style=style,
        made_by=MADE_BY,
    )
