"""Which code is the engine's own, and which line of the user's program is running."""

from __future__ import annotations

import linecache
import os
import sys
from typing import Any

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_READERS = "<the reader of"


def of_engine(filename: str) -> bool:
    """Whether code of this file is minigrad's own."""
    return filename.startswith((_PACKAGE, _READERS))


def line_of_program() -> str:
    """The line of the program that is running: the innermost outside of minigrad."""
    frame: Any = sys._getframe(1)
    while frame is not None and of_engine(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return ""
    name = frame.f_code.co_filename
    text = linecache.getline(name, frame.f_lineno, frame.f_globals).strip()
    return f"{os.path.basename(name)}:{frame.f_lineno}: {text}"
