"""Rows of texts to be judged, from a file, and with their answers into one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import text
from .errors import Refused
from .words import whole


def read(path: Path) -> list[dict[str, Any]]:
    """A row with `text` for each text of a .csv, a .jsonl, or a text file with a text a line. Errors: Refused, saying where."""
    found: list[dict[str, Any]] = _jsonl(path) if path.suffix.lower() == ".jsonl" else list(text.read_reviews(path))
    for number, row in enumerate(found, start=1):
        try:
            whole(row["text"])
        except Refused as refused:
            raise Refused(f"{path}, text {number}: {refused}") from None
    return found


def _jsonl(path: Path) -> list[dict[str, Any]]:
    """Line by line: pandas' reader makes other numbers of whole ones, and drops halves of characters in silence."""
    try:
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except FileNotFoundError:
        raise Refused(f"There is no file {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path} cannot be read as UTF-8 text ({error}): save it as UTF-8.") from None
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            why = "it is nested too deeply" if isinstance(error, RecursionError) else error
            raise Refused(f"{path}, line {number}, is no JSON ({why}): wanted is an object a line.") from None
        if not isinstance(row, dict) or not isinstance(row.get("text"), str) or not text.clean(row["text"]):
            raise Refused(f"{path}, line {number}: wanted is an object with a `text` that is not empty.")
        found.append(row | {"text": text.clean(row["text"])})
    if not found:
        raise Refused(f"{path} holds no text: each line is empty.")
    return found


def written(rows: list[dict[str, Any]], path: Path) -> str:
    """The rows, as .jsonl or .csv, as the file's ending says."""
    if path.suffix.lower() == ".jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    import pandas

    plain = [{k: json.dumps(v, ensure_ascii=False) if isinstance(v, list | dict) else v for k, v in row.items()} for row in rows]  # fmt: skip
    return pandas.DataFrame(plain, dtype=object).to_csv(index=False, lineterminator="\n")
