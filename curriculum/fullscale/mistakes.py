"""The test part's mistakes as a page, the surest first: where a model is sure and wrong, the data or the model has a fault."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from markupsafe import Markup

from . import forms
from .folder import Folder
from .owned import MADE_BY

MOST = 100  # on the page
LONG = 1500  # characters of a text that are shown


def write(
    folder: Folder, truth: np.ndarray, probabilities: np.ndarray, classes: list[str], sample: Callable[[int], dict[str, Any]]
) -> None:  # fmt: skip
    """`mistakes.html`. probabilities (n, classes); `sample` gives of a number {"text": ...} or {"picture": ...}."""
    guess = probabilities.argmax(1)
    wrong = np.flatnonzero(guess != truth)
    sure = probabilities[np.arange(len(guess)), guess]
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:MOST].tolist()
    pairs, counts = np.unique(np.stack([truth[wrong], guess[wrong]], 1), axis=0, return_counts=True)
    often = [
        {"is": classes[pairs[i][0]], "taken_for": classes[pairs[i][1]], "times": int(counts[i])}
        for i in np.argsort(-counts, kind="stable")[:10].tolist()
    ]
    mistakes = [
        {
            "number": i + 1, "is": classes[truth[i]], "taken_for": classes[guess[i]], "sure": float(sure[i]),
            "of_truth": float(probabilities[i, truth[i]]),
        } | sample(i)
        for i in worst
    ]  # fmt: skip
    page = forms.render(
        "mistakes.html", title="Mistakes", made_by=MADE_BY, tested=len(truth), wrong=len(wrong), often=often, mistakes=mistakes,
        style=Markup((forms.STATIC / "page.css").read_text(encoding="utf-8") + (forms.STATIC / "mistakes.css").read_text(encoding="utf-8")),
    )  # fmt: skip
    folder.write("mistakes.html", page.encode("utf-8", errors="replace"))


def text(content: str) -> dict[str, Any]:
    return {"text": content[:LONG], "cut": len(content) > LONG}


def picture(values: np.ndarray) -> dict[str, Any]:
    """values (channels, height, width), uint8."""
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(values[0] if len(values) == 1 else values.transpose(1, 2, 0)).save(content, format="PNG")
    return {"picture": "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()}
