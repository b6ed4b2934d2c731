"""Checkpoints: whole or absent, the last two kept, a damaged one passed over."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from .errors import Refused

NAMES = ("checkpoint.pt", "checkpoint.before.pt")


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write `state` as the folder's checkpoint; the one that was there becomes the one before."""
    now, before = (folder / name for name in NAMES)
    from minigrad.files import replacing  # not above: see curriculum/files.py

    with replacing(now, sync=True, keep=before) as file:
        torch.save(state, file)


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
            state = torch.load(path, map_location="cpu", weights_only=True)
        except (
            RuntimeError,
            EOFError,
            OSError,
            ValueError,
            KeyError,
            pickle.UnpicklingError,
            zipfile.BadZipFile,
        ) as error:
            remarks.append(f"{path} is damaged ({str(error).splitlines()[0] if str(error) else type(error).__name__})")
            continue
        remark = "; ".join(remarks)
        return state, f"{remark}: going on from the one before, step {state['step']}" if remark else ""
    if remarks:
        raise Refused(f"{'; '.join(remarks)}: begin anew with --overwrite.")
    return None
