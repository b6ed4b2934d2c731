"""What was measured against PyTorch, for the pages that show it: the comparison's figures by case, times by operation."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from ..catalog import HERE

KINDS = ("value", "gradient", "second", "float32 value", "float32 gradient")
RESULTS = HERE.parent / "benchmarks" / "results"


class Parity:
    """What `python -m parity --html FOLDER` left in its folder."""

    def __init__(self, folder: Path) -> None:
        from parity import kept

        self.folder = folder
        found = kept.read(folder)
        self.ran = found is not None
        self.about = f"{found['date']}, {found['about']}" if found else ""
        self.cases: dict[str, dict[str, Any]] = found["cases"] if found else {}

    def of(self, operation: str, names: list[str]) -> list[str]:
        """The cases that ran an operation ("minigrad.ops.arithmetic.Mul"): those of its own public names, or else the first few."""
        from parity.case import CASES

        used = [name for name, result in self.cases.items() if operation in result.get("used", ())]
        own = [name for name in used if name in CASES and set(CASES[name].covers) & set(names)]
        return own or used[:3]


def worst(result: dict[str, Any], kind: str) -> str:
    found = result["worst"].get(kind)
    if found is None:
        return ""
    return "0" if found["relative"] == 0 else f"{found['relative']:.1e} ({found['ulp']:.2g} ulp)"


def cases_of(names: list[str]) -> list[Any]:
    """The cases of the table that cover one of these public names."""
    import parity.cases  # noqa: F401  fills the table
    from parity.case import CASES

    return [case for case in CASES.values() if set(case.covers) & set(names)]


def kinks(names: list[str]) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str, str]]]:
    """At kinks and ties of functions of these names: (where, point, gradient of both engines), and where JAX chooses otherwise."""
    from parity.kinks import KINKS
    from parity.third import CONVENTIONS

    words = {name.rpartition(".")[2] for name in names}

    def meant(text: str) -> bool:
        return any(re.match(rf"{re.escape(word)}\b", text) for word in words)

    def said(values: Any) -> str:
        return ", ".join(map(str, values))

    own = [(name, said(k.at), said(k.gradient)) for name, k in KINKS.items() if meant(name)]
    other = [(c.opinion.name, said(c.ours), said(c.theirs), c.why) for c in CONVENTIONS if meant(c.opinion.name)]
    return own, other


@cache
def planted(name: str) -> str:
    """In words, what the derivative does at the points that the case of this name draws on purpose."""
    from parity import html
    from parity.case import CASES

    return html.planted(CASES[name])


class Speed:
    """Times beside PyTorch's: of single operations where `python -m benchmarks operations --json` was run, and of the benchmarks' table."""

    def __init__(self, results: Path) -> None:
        self.rows: list[dict[str, Any]] = []
        self.told = ""
        for path in (results / "operations.json", RESULTS / "operations.json"):
            if path.is_file():
                found = json.loads(path.read_text(encoding="utf-8"))
                self.rows = found["rows"] if isinstance(found, dict) else found
                self.told = str(path.name)
                break
        table = RESULTS / "cpu.json"
        self.table = (
            json.loads(table.read_text(encoding="utf-8")) if table.is_file() else {"workloads": {}, "machine": {}}
        )
        machine = self.table["machine"]
        self.machine = (
            f"{machine.get('date', '')}, {machine.get('cpu', '')}, {machine.get('threads', '')} threads"
            if machine
            else ""
        )

    def of(self, operation: str, names: list[str]) -> list[list[str]]:
        """Rows: what, minigrad's time, PyTorch's, the ratio. operation: the class's name."""
        rows = []
        for row in self.rows:
            if row["name"] in names:
                size = "" if row["elements"] is None else f", {row['elements']:,} elements"
                what = f"{row['name']}{size}, {_direction(row['what'])}"
                rows.append([what, _time(row["minigrad_s"]), _time(row["torch_s"]), f"{row['ratio']:.2f}"])
        for name, engines in self.table["workloads"].items():
            ours, theirs = engines.get("minigrad"), engines.get("torch")
            ran = {entry[0] for entry in (ours or {}).get("ran", {}).get("operations", [])}
            if ran == {operation} and ours and theirs:
                what = name.replace("_", " ")
                rows.append(
                    [
                        what,
                        _time(ours["median_s"]),
                        _time(theirs["median_s"]),
                        f"{theirs['median_s'] / ours['median_s']:.2f}",
                    ]
                )
        return rows


def _direction(what: str) -> str:
    return "forward and backward" if what.startswith("and") else what


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
