"""Which code is the engine's own, which a library's, and which line of the user's program is running."""

from __future__ import annotations

import linecache
import os
import sys
import sysconfig
from types import CodeType
from typing import Any

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_READERS = "<the reader of"
_LIBRARIES = tuple(
    {
        os.path.dirname(os.__file__) + os.sep,
        *(p + os.sep for p in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))),
    }
)


def of_engine(filename: str) -> bool:
    """Whether code of this file is minigrad's own."""
    return filename.startswith((_PACKAGE, _READERS))


def of_library(code: CodeType) -> bool:
    """Whether it is code of Python's library or of an installed package (or was made by one: a dataclass's __init__)."""
    name = code.co_filename
    return name.startswith((*_LIBRARIES, "<frozen")) or name == "<string>"


def line_of(code: CodeType, number: int | None, space: dict[str, Any] | None = None) -> str:
    """A line of a program, as it is told: file, number and text."""
    name = code.co_filename
    number = number or code.co_firstlineno
    text = linecache.getline(name, number, space).strip()
    return f"{os.path.basename(name)}:{number}: {text}" if text else f"{os.path.basename(name)}:{number}"


def line_of_program() -> str:
    """The line of the program that is running: the innermost outside of minigrad and of libraries."""
    frame: Any = sys._getframe(1)
    outside = None
    while frame is not None:
        if not of_engine(frame.f_code.co_filename):
            outside = outside or frame
            if not of_library(frame.f_code):
                break
        frame = frame.f_back
    frame = frame or outside
    return "" if frame is None else line_of(frame.f_code, frame.f_lineno, frame.f_globals)
