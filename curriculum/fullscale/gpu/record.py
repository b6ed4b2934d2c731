"""The figures of `gpu`, written as they come: gpu.json, gpu.md and gpu.log."""

from __future__ import annotations

import copy
import datetime
import itertools
import json
import math
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from curriculum.files import write

from ..errors import Refused

MARK = "@gpu "


def parse(line: str) -> dict[str, Any] | None:
    """The figures in a line of a stage's output, or None: it is no such line."""
    if not line.startswith(MARK):
        return None
    try:
        found = json.loads(line[len(MARK) :])
    except ValueError:  # the stage was killed in the middle of it
        return None
    return found if isinstance(found, dict) else None


def as_line(found: dict[str, Any]) -> str:
    if "bar" in found:
        bar = found["bar"]
        met = {True: "met", False: "NOT MET", None: "not judged"}[bar["met"]]
        return f"{bar['name']}: {shown(bar['value'])} ({bar['kind']} {shown(bar['bound'])}): {met}"
    return ", ".join(f"{name} {shown(value)}" for name, value in found.items())


def shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 10000 else f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _plain(value: Any) -> Any:
    """With text in the place of NaN and infinity, which JSON has not."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _writable(folder: Path) -> Path:
    """The folder, or where nothing can be written in it, a new one in the system's place for what is temporary."""
    probe = folder / "gpu.probe"
    try:
        write(probe, "")
        probe.unlink()
    except OSError as error:
        other = Path(mkdtemp(prefix="gpu-figures-"))
        print(f"{folder} cannot be written ({error}): the figures go to {other}", flush=True)
        return other
    return folder


class Record:
    """The folder of the figures; each change is written at once, under another name that is then renamed.

    A folder that cannot be written costs no measurement: another takes its place, or what is printed must do.

    Errors: Refused where the folder holds figures of another device, or something else than figures.
    """

    def __init__(self, folder: Path, *, rehearsal: bool, device: str):
        self.folder = _writable(folder)
        self.path = self.folder / "gpu.json"
        self.told_of = False
        self.state: dict[str, Any] = {"rehearsal": rehearsal, "device": device, "stages": {}}
        self.logged: dict[str, list[str]] = {}
        self.machine: dict[str, Any] | None = None
        self.facts: dict[str, Any] | None = None  # that were there before this call's
        if self.path.exists():
            try:
                before = json.loads(self.path.read_bytes())
                stages = before["stages"]
                whole = isinstance(stages, dict) and all(
                    isinstance(one, dict) and "status" in one for one in stages.values()
                )
                if not whole or before["rehearsal"] not in (True, False):
                    raise ValueError("other names than ours")
            except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
                raise Refused(f"{self.path} cannot be read ({error}): remove it, or take another --out.") from None
            if before["rehearsal"] != rehearsal:
                kinds = ("figures of a GPU", "a rehearsal")
                raise Refused(
                    f"{folder} holds {kinds[before['rehearsal']]}, this is {kinds[rehearsal]}: take another --out."
                )
            self.state = before | {"device": device}
            first = self.state["stages"].get("facts", {}).get("figures", {})
            self.facts = copy.deepcopy(self.state["stages"].get("facts"))
            self.machine = {name: first.get(name) for name in ("gpu", "torch")} if first.get("gpu") else None

    def _stage(self, name: str) -> dict[str, Any]:
        return self.state["stages"].setdefault(name, {"status": "begun", "bars": [], "figures": {}})

    def done(self, name: str) -> str:
        """The date on which the stage was measured to its end, or nothing."""
        found = self.state["stages"].get(name, {})
        return found.get("date", "") if found.get("status") == "done" else ""

    def begin(self, name: str, title: str) -> dict[str, Any]:
        """Begin the stage, or go on; the figures that it has."""
        stage = self._stage(name)
        stage |= {"title": title, "status": "begun", "date": datetime.date.today().isoformat()}
        self._write()
        return stage["figures"]

    def anew(self, name: str, title: str) -> None:
        self.state["stages"].pop(name, None)
        self.begin(name, title)

    def take(self, name: str, found: dict[str, Any]) -> None:
        """Keep a figure, or a bar with its judgement."""
        stage, found = self._stage(name), _plain(found)
        if "bar" in found:
            others = [bar for bar in stage["bars"] if bar["name"] != found["bar"]["name"]]
            stage["bars"] = [*others, found["bar"]]
        else:
            stage["figures"] |= found
        self._write()

    def log(self, name: str, line: str) -> None:
        """The last lines of what a stage says besides its figures."""
        kept = self.logged.setdefault(name, [])
        kept.append(line.rstrip())
        del kept[:-400]

    def end(self, name: str, status: str, seconds: float, said: str) -> None:
        self._stage(name).update(status=status, seconds=round(seconds, 1), said=said)
        self._write()

    def identify(self) -> None:
        """Leave the figures that are there alone where they are another GPU's, or another PyTorch's: go on in a folder beside."""
        figures = self.state["stages"]["facts"]["figures"]
        now = {name: figures.get(name) for name in ("gpu", "torch")}
        others = [name for name in self.state["stages"] if name != "facts"]
        if others and self.machine is not None and self.machine != now and now["gpu"]:
            new = self.state["stages"]["facts"]
            self.state["stages"]["facts"] = self.facts
            self._write()
            numbers = itertools.count(2)
            beside = next(p for n in numbers if not (p := self.folder.with_name(f"{self.folder.name}-{n}")).exists())
            print(f"{self.folder} holds figures of {shown(self.machine)}; here is {shown(now)}: these go to {beside}")
            self.folder, self.path = beside, beside / "gpu.json"
            self.state = self.state | {"stages": {"facts": new}}
            self._write()
        self.machine = now

    def good(self) -> bool:
        """Whether every stage that was begun ended, and no bar was missed."""
        stages = self.state["stages"].values()
        return all(s["status"] == "done" and all(bar["met"] is not False for bar in s["bars"]) for s in stages)

    def _write(self) -> None:
        """All of it. A disk that is full costs the file, not the measurement: everything is printed as well."""
        text = "".join(f"== {stage}\n" + "\n".join(lines) + "\n" for stage, lines in self.logged.items())
        try:
            write(self.path, json.dumps(self.state, indent=1, allow_nan=False) + "\n")
            write(self.folder / "gpu.md", self.table())
            if text:
                write(self.folder / "gpu.log", text)
        except OSError as error:
            if not self.told_of:
                print(f"{self.folder} cannot be written ({error}): what is printed here is all there is", flush=True)
            self.told_of = True

    def table(self) -> str:
        stages = self.state["stages"]
        facts = stages.get("facts", {}).get("figures", {})
        title = (
            "Rehearsal on a CPU: no figure here says anything" if self.state["rehearsal"] else "What only a GPU shows"
        )
        lines = [f"# {title}", ""]
        if facts:
            names = ("gpu", "memory_gib", "torch", "cuda", "cudnn", "driver", "python", "cpu")
            lines += [", ".join(f"{n.replace('_', ' ')} {shown(facts[n])}" for n in names if facts.get(n)) + ".", ""]
        lines += ["| stage | bar | wanted | found | |", "| --- " * 5 + "|"]
        for name, stage in stages.items():
            ended = "" if stage["status"] == "done" else f"{stage['status']} {stage.get('said', '')}".strip()
            if ended or not stage["bars"]:
                lines.append(f"| {name} | | | {_cell(ended or 'done')} | |")
            for bar in stage["bars"]:
                met = {True: "met", False: "**not met**", None: ""}[bar["met"]]
                lines.append(f"| {name} | {_cell(bar['name'])} | {bar['kind']} {shown(bar['bound'])} | {shown(bar['value'])} | {met} |")  # fmt: skip
        for name, stage in stages.items():
            lines += ["", f"## {name}: {stage.get('title', '')}", ""]
            spent = f", {stage['seconds']:g} s" if "seconds" in stage else ""
            lines += [f"{stage['status']}{spent}, {stage.get('date', '')}", ""]
            if stage["figures"]:
                lines += ["| | |", "| --- | --- |"]
                lines += [f"| {_cell(k.replace('_', ' '))} | {_cell(shown(v))} |" for k, v in stage["figures"].items()]
        return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
