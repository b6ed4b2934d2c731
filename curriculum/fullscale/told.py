"""What pytest finds, told test by test: a plugin (-p) that appends a line of JSON for each to the file that TO names.

So that of what is cut the results so far are kept, and one can see which failed for want of a package alone. Not in gpu/, whose
libraries pytest and its workers would import.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

TO = "FULLSCALE_TOLD"
ABSENT = re.compile(r"No module named '([\w.]+)'|(\w+) is missing: pip install|could not import '([\w.]+)'")


def _tell(name: str, outcome: str, words: str) -> None:
    absent = ABSENT.search(words)
    row = {
        "test": name,
        "outcome": "lacking" if absent and outcome != "passed" else outcome,
        "said": next(filter(None, absent.groups())) if absent else words.strip().splitlines()[-1:],
    }
    with Path(os.environ[TO]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def pytest_configure(config: Any) -> None:
    """A worker of xdist tells nothing: the process that hands out the tests hears of all of them. (Asked of pytest, not of the
    environment, which a pytest that a worker started has too.)"""
    if hasattr(config, "workerinput"):
        os.environ.pop(TO, None)


def pytest_runtest_logreport(report: Any) -> None:
    if TO in os.environ and (report.when == "call" or not report.passed):
        _tell(report.nodeid, report.outcome, "" if report.passed else str(report.longrepr))


def pytest_collectreport(report: Any) -> None:
    if TO in os.environ and not report.passed:
        _tell(report.nodeid, report.outcome, str(report.longrepr))


def rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:  # it was being written
            continue
    return found


def counted(path: Path) -> dict[str, int]:
    """How many passed, failed, were skipped, or lack a package."""
    found: dict[str, int] = {}
    for row in rows(path):
        found[row["outcome"]] = found.get(row["outcome"], 0) + 1
    return found


def failed(path: Path) -> list[str]:
    return [f"{row['test']}: {' '.join(row['said'])}"[:240] for row in rows(path) if row["outcome"] == "failed"]
