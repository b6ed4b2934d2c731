"""Checks an exercise by its lesson's file in checks/, which says what the mistake probably is."""

import runpy
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .catalog import HERE, Lesson


class Wrong(Exception):
    """The exercise is not solved; the text is a hint."""


def _checker(lesson: Lesson) -> Callable[[dict[str, Any]], None]:
    """`check(solution)` of the lesson: it raises Wrong with a hint, or returns."""
    return runpy.run_path(str(HERE / "checks" / lesson.path.name))["check"]


def check(lesson: Lesson, path: Path | None = None) -> tuple[bool, str]:
    """Whether the exercise is solved, and a line that says so or a hint."""
    path = path or HERE / "exercises" / lesson.path.name
    if not path.is_file():
        raise SystemExit(f"There is no file {path}.")
    try:
        _checker(lesson)(runpy.run_path(str(path)))
    except Wrong as hint:
        return False, f"Exercise {lesson.number}: not yet. {hint}"
    except NotImplementedError as error:
        return False, f"Exercise {lesson.number}: nothing written yet in {path} ({error})."
    except KeyError as error:
        return False, f"Exercise {lesson.number}: {error} was not found. Keep the names that the exercise gives."
    except Exception as error:
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        where = f", line {own[-1].lineno}: {own[-1].line}" if own else ""
        advice = _hint(error)
        return False, f"Exercise {lesson.number}: {type(error).__name__} in {path.name}{where}\n{error}{advice}"
    return True, f"Exercise {lesson.number}: solved."


def _hint(error: Exception) -> str:
    if "leaf" in str(error) and "in-place" in str(error):
        return "\nThe update is no part of the formula: write it inside `with torch.no_grad():`."
    if isinstance(error, TypeError) and "NoneType" in str(error):
        return "\nA gradient is None: it appears with backward(), and assigning w = w - ... makes a new tensor without one."
    return ""
