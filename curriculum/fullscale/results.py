"""What a finished run leaves: report, pictures, the model, its figures, and a card to read them from."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from torch import nn

from curriculum import draw, files

from .folder import Folder
from .metrics import Metrics, curves


def write_results(
    folder: Folder,
    metrics: Metrics,
    model: nn.Module,
    truth: np.ndarray,
    guess: np.ndarray,
    classes: list[str],
    facts: dict[str, Any],
    weights_at: str | None = None,
) -> None:
    """Report, pictures, model and card. `facts` are the figures that the card names; `weights_at`: where the model is saved."""
    from safetensors.torch import save
    from sklearn.metrics import classification_report

    report = classification_report(
        truth, guess, labels=range(len(classes)), target_names=classes, digits=4, zero_division=0
    )
    numbers = classification_report(
        truth, guess, labels=range(len(classes)), target_names=classes, output_dict=True, zero_division=0
    )
    folder.write("report.txt", report)
    folder.write("report.json", files.as_json(numbers, 1) + "\n")
    folder.figure("curves.png", curves(metrics))
    fig = draw.confusion(truth, guess, len(classes))
    for axis in (fig.axes[0].xaxis, fig.axes[0].yaxis):
        turned = 45 if axis is fig.axes[0].xaxis and max(map(len, classes)) > 2 else 0
        axis.set_ticklabels([draw.label(name) for name in classes], rotation=turned, parse_math=False)
    folder.figure("confusion.png", fig)
    if weights_at is None:
        weights = save({name: value.contiguous() for name, value in model.state_dict().items()})
        folder.write("model.safetensors", weights)
    else:
        weights = (folder.path / weights_at).read_bytes()
    kept = facts | {"model_sha256": hashlib.sha256(weights).hexdigest()}  # a flipped bit in a number shows nowhere else
    folder.write("results.json", files.as_json(kept, 1) + "\n")
    lines = "\n".join(
        f"| {name.replace('_', ' ')} | {_cell(value)} |" for name, value in facts.items() if name != "thresholds"
    )
    card = f"# {facts['command']}\n\n| | |\n| --- | --- |\n{lines}\n\n```\n{report}```\n\n![curves](curves.png)\n![confusion](confusion.png)\n"
    if (folder.path / "calibration.png").exists():
        card += f"\n![calibration](calibration.png)\n\n{_thresholds(facts)}[What it takes for what it is not](mistakes.html)\n"
    folder.write("README.md", card)


def _thresholds(facts: dict[str, Any]) -> str:
    """The table of how sure it must be to be right as often as wanted: chosen on the validation part, measured on the test part."""
    rows = facts.get("thresholds") or []
    lines = [
        f"| {100 * row['wanted']:g} % | {row['least_confidence']} | {100 * row['answered']:.1f} % "
        f"| {'none' if row['accuracy'] is None else '%.2f %%' % (100 * row['accuracy'])} |"
        for row in rows
    ]
    head = [
        "| wanted | answer from a probability of | answered of the test part | right of these |",
        "| --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *lines]) + "\n\n" if rows else ""


def _cell(value: Any) -> str:
    """A value as it may stand in a table of Markdown."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")
