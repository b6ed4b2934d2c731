"""A lesson in percent format as a notebook (nbformat 4.5)."""

import json
from pathlib import Path

from . import files
from .catalog import Lesson


def cells(text: str) -> list[tuple[str, str]]:
    """("markdown" or "code", source) for each part between `# %%` lines."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("# %%"):
            found.append(("markdown" if "[markdown]" in line else "code", []))
        elif found:
            kind, lines = found[-1]
            lines.append(line.removeprefix("#").removeprefix(" ") if kind == "markdown" else line)
        elif line.strip():
            raise ValueError(f"text before the first cell: {line!r}")
    return [(kind, "\n".join(lines).strip("\n")) for kind, lines in found if any(line.strip() for line in lines)]


def write(lesson: Lesson, path: Path) -> None:
    """Write the lesson as a notebook."""
    content: list[dict] = []
    for number, (kind, source) in enumerate(cells(lesson.path.read_text(encoding="utf-8"))):
        cell = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": source.splitlines(keepends=True)}
        content.append(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    notebook = {
        "cells": content,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    files.write(path, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
