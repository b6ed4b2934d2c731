"""What `python -m parity --html FOLDER` found, kept beside its pages for those who show it elsewhere: the course's site."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

from minigrad import files

NAME = "results.json"


def keep(folder: Path, results: dict[str, dict[str, Any]], about: str) -> None:
    """Write the results by case, the day, and which versions ran."""
    told = {"about": about, "date": f"{datetime.date.today():%Y-%m-%d}", "cases": results}
    files.write(folder / NAME, json.dumps(told, indent=1) + "\n")


def read(folder: Path) -> dict[str, Any] | None:
    """What `keep` left there, with its "about", "date" and "cases"; None if nothing is there."""
    try:
        found = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return None
    for result in found["cases"].values():  # JSON's keys are texts
        result["bins"] = {kind: {int(b): n for b, n in bins.items()} for kind, bins in result["bins"].items()}
    return found


def textbook(cls: type) -> type:
    """The form whose formulas stand in its docstring: of a compiled one the NumPy form."""
    return next(base for base in cls.__mro__ if not base.__module__.startswith("minigrad.kernels."))


def named(used: dict[str, type]) -> list[str]:
    """All operations that a case used, by module and class."""
    return list(dict.fromkeys(f"{cls.__module__}.{cls.__qualname__}" for cls in map(textbook, used.values())))
