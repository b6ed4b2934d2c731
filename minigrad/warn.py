"""Warnings that point at the user's line, however deep in minigrad they come up."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

_HERE = str(Path(__file__).parent)


def warn(text: str, category: type[Warning] = UserWarning) -> None:
    """Warn about the line outside minigrad that led here."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith((_HERE, "<the reader of ")):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, category, stacklevel=level)
