"""Checkpoints: whole or absent, the last two kept while a run goes on, a damaged one passed over."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import torch

from curriculum.archives import why

from .errors import Refused

NAMES = ("checkpoint.pt", "checkpoint.before.pt")
PARTS = {
    "step",
    "best",
    "best_model",
    "waited",
    "seconds",
    "seen",
    "tokens",
    "micro",
    "model",
    "optimizer",
    "scaler",
    "ended",
}


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write `state` as the folder's checkpoint; the one that was there becomes the one before.

    Errors: Refused where it cannot be written, as on a full disk; those that were there stay.
    """
    now, before = (folder / name for name in NAMES)
    from minigrad.files import replacing  # not above: see curriculum/files.py

    try:
        with replacing(now, sync=True, keep=before) as file:
            torch.save(state, file)
    except (OSError, RuntimeError) as error:  # PyTorch's writer makes a RuntimeError of a full disk
        cause = error if isinstance(error, OSError) or error.__context__ is None else error.__context__
        raise Refused(
            f"{now} could not be written ({why(cause)}): the checkpoint before is whole; make room, then --resume goes on from it."
        ) from None


def load(folder: Path) -> tuple[dict[str, Any], str] | None:
    """The newest checkpoint that can be read, and a remark where that is not the newest; None where there is none.

    Errors: Refused where checkpoints are there and none can be read.
    """
    remarks = []
    for name in NAMES:
        path = folder / name
        if not path.exists():
            continue
        try:
            state = _read(path)
        except Exception as error:  # whatever a damaged file comes to in zipfile, pickle and PyTorch
            remarks.append(f"{path} is damaged ({why(error).partition('. ')[0]})")
            continue
        remark = "; ".join(remarks)
        return state, f"{remark}: going on from the one before, step {state['step']}" if remark else ""
    if remarks:
        raise Refused(f"{'; '.join(remarks)}: begin anew with --overwrite.")
    return None


def newest_step(folder: Path) -> int | None:
    """The step of the checkpoint that would be gone on from; None where none can be read."""
    try:
        found = load(folder)
    except Refused:
        return None
    return None if found is None else found[0]["step"]


def finish(folder: Path, drop: bool) -> None:
    """Remove what a run that has ended needs no more: the checkpoint before, and with `drop` the last one.

    From the last one the run can be given more epochs.
    """
    for name in NAMES if drop else NAMES[1:]:
        (folder / name).unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:  # torch.load does not compare the checksums that torch.save wrote
        changed = archive.testzip()
    if changed is not None:
        raise ValueError(f"some bytes of {changed} have changed")
    state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, dict) or not state.keys() >= PARTS or type(state["step"]) is not int:
        raise ValueError("it holds no state of a training")
    return state
