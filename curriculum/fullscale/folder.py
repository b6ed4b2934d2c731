"""A run's folder: what was asked, what was measured, pictures, report, model card, the model."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from curriculum import archives, draw, files

from . import checkpoint, distributed
from .errors import Refused
from .settings import Settings

try:
    import resource
except ImportError:  # Windows does not tell
    resource = None  # type: ignore[assignment]

MARKER = ".minigrad-fullscale.json"  # in every folder that is ours: what it holds and what of it we wrote
MADE_BY = "python -m curriculum.fullscale"  # the mark of a page or a picture that stands alone


def read_json(path: Path, *names: str, advice: str) -> dict[str, Any]:
    """The JSON object in a file, which must have these names. Errors: Refused, with the advice."""
    try:
        found = json.loads(path.read_bytes())
        if not isinstance(found, dict):
            raise ValueError(f"it holds a {type(found).__name__}, not an object")
        if lacking := [name for name in names if name not in found]:
            raise ValueError(f"it lacks {', '.join(lacking)}")
    except (OSError, ValueError, RecursionError) as error:
        raise Refused(f"{path} cannot be read ({archives.why(error)}): {advice}.") from None
    return found


def outputs(files_of: Mapping[Path, str], *, overwrite: bool) -> None:
    """Check, before anything is computed, that these files may be written: what each holds is its mark, by which it is known.

    A file that is there is replaced only with --overwrite, and only where its first bytes hold the mark: what this program
    did not write, it does not replace. Errors: Refused.
    """
    places: dict[Path, Path] = {}
    for path, mark in files_of.items():
        real = path.resolve()
        if real in places:
            raise Refused(f"{path} would be written twice, for two things: give a name with another ending.")
        places[real] = path
        if path.is_dir():
            raise Refused(f"{path} is a folder: give the name of a file in it.")
        if path.exists():
            if not overwrite:
                raise Refused(f"{path} is there: give another name, or --overwrite.")
            if not path.is_file():
                raise Refused(f"{path} is a device, a pipe or a socket: give the name of a file.")
            with path.open("rb") as file:
                if mark.encode() not in file.read(4096):
                    raise Refused(
                        f"{path} was not written by this command, and is not replaced: give another name, or move it away."
                    )
        above = next(parent for parent in (real, *real.parents) if parent.exists())
        if not os.access(above, os.W_OK) or (above != real and not above.is_dir()):
            raise Refused(f"{path} cannot be written: {above} is no folder that may be written.")


def _more_epochs(name: str, before: Any, now: Any) -> bool:
    """Whether a run is resumed to go on for longer."""
    return name == "epochs" and type(before) is int and now > before


class Owned:
    """A folder that this program writes in: what it wrote is listed in MARKER, and nothing else is replaced or removed.

    A name is listed before its file is written, so that a process that dies leaves nothing unlisted. A listed name may hold
    `*` (files that a library names) and may end in `/` (a folder with a list of its own, which belongs to this one).
    """

    def __init__(self, path: Path, kind: str, *, resume: bool, overwrite: bool, writes: bool = True):
        """Look at the folder, and change nothing. kind: "run", "export", ... Errors: Refused where it may not be used."""
        self.path, self.kind, self.writes, self.marked = path, kind, writes, {}
        self.names: list[str] = []
        self.begun = (path / MARKER).exists()
        if self.begun:
            advice = "nothing in this folder is touched; take another --out"
            self.marked = read_json(path / MARKER, "kind", "files", advice=advice)
            names = self.marked["files"]
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise Refused(f"{path / MARKER} is damaged: {advice}.")
            self.names = list(names)
            if self.marked["kind"] != kind:
                raise Refused(f"{path} holds a {self.marked['kind']}, no {kind}: take another --out.")
            if not resume and not overwrite:
                goes_on = "--resume goes on with it, " if kind == "run" else ""
                raise Refused(f"{path} holds a {kind}: {goes_on}--overwrite begins anew, --out takes another folder.")
        elif resume:
            raise Refused(f"{path} holds no {kind} to resume: leave --resume away, or correct --out.")
        elif path.is_symlink() and not path.exists():
            raise Refused(f"{path} is a link to nothing: take another --out.")
        elif path.exists() and (not path.is_dir() or not all(map(files.is_left, path.iterdir()))):
            raise Refused(f"{path} is there and is no {kind} of ours: take another --out.")

    def begin(self, *, anew: bool, **marked: Any) -> None:
        """Make it ours: remove what we wrote there (anew), and write the marker, with `marked` in it."""
        if not self.writes:
            return
        if anew and self.begun:
            _remove_own(self.path, self.names)
            self.names = []
        self.marked |= {"made_by": MADE_BY, "kind": self.kind} | marked
        self._mark()

    def _mark(self) -> None:
        files.write(self.path / MARKER, json.dumps(self.marked | {"files": self.names}, indent=1) + "\n")

    def claim(self, *names: str) -> None:
        """Say that these names are to be ours. Errors: Refused where one is there that we did not write."""
        new = [name for name in names if name not in self.names]
        if not self.writes or not new:
            return
        for name in new:
            for path in self.path.glob(name) if "*" in name else [self.path / name]:
                if os.path.lexists(path) and not files.is_left(path):
                    raise Refused(f"{path} is there and is not ours: move it away; nothing is written over it.")
        self.names += new
        self._mark()

    def write(self, name: str, content: str | bytes) -> None:
        """A file, whole or absent."""
        if self.writes:
            self.claim(name)
            files.write(self.path / name, content)

    def fill(self, name: str, writer: Callable[[Path], object]) -> None:
        """A folder of files that a library writes: `writer` gets an empty folder, whose files then become ours under `name`."""
        if not self.writes:
            return
        made = self.path / f".{name}.partial"
        if made.is_dir() and not made.is_symlink():  # a process died while it wrote
            shutil.rmtree(made)
        made.mkdir()
        try:
            writer(made)
            written = sorted(path for path in made.rglob("*") if path.is_file())
            to = {path: f"{name}/{path.relative_to(made).as_posix()}" for path in written}
            self.claim(*to.values())
            for path, place in to.items():
                (self.path / place).parent.mkdir(parents=True, exist_ok=True)
                # Copied, not renamed: some writers of weights let only the owner read.
                with files.replacing(self.path / place) as file, path.open("rb") as source:
                    shutil.copyfileobj(source, file)
        finally:
            shutil.rmtree(made, ignore_errors=True)


def _remove_own(folder: Path, names: list[str]) -> None:
    """Remove the listed files, and the folders in it that are empty then. Nothing that lies elsewhere, by `..` or by a link."""
    root = folder.resolve()
    folders: set[Path] = set()
    for name in names:
        for path in sorted(folder.glob(name)) if "*" in name else [folder / name]:
            parent = path.parent.resolve()
            if not parent.is_relative_to(root) or path.name in ("", "..", MARKER):
                continue
            if name.endswith("/"):
                if path.is_symlink() or not (path / MARKER).exists():
                    continue
                inner = read_json(path / MARKER, "files", advice=f"nothing in it is removed; move {path} away")
                _remove_own(path, [str(each) for each in inner["files"]])
                (path / MARKER).unlink()
                folders.add(path.resolve())
            elif path.is_symlink() or path.is_file():
                path.unlink()
            folders |= {above for above in (parent, *parent.parents) if above != root and above.is_relative_to(root)}
    for path in sorted(folders, key=lambda path: -len(path.parts)):
        with contextlib.suppress(OSError):  # something else lies in it
            path.rmdir()


class Folder(Owned):
    """The folder of a run; in processes other than the first it writes nothing."""

    def __init__(self, settings: Settings, rank: int = 0, data: str | None = None):
        """data: the fingerprint of what is trained and tested on; a run is not resumed with another."""
        super().__init__(settings.out, "run", resume=settings.resume, overwrite=settings.overwrite, writes=rank == 0)
        if self.begun and settings.resume and (self.path / "config.json").exists():  # else it died as it began
            before = read_json(self.path / "config.json", "command", advice="begin anew with --overwrite")
            now = json.loads(json.dumps(settings.comparable()))
            other = [k for k in now if before.get(k) != now[k] and not _more_epochs(k, before.get(k), now[k])]
            if other:
                said = ", ".join(f"{k} {before.get(k)!r} then, {now[k]!r} now" for k in other)
                raise Refused(
                    f"{self.path} holds a run with other settings ({said}): resume with the same, or take another --out."
                )
            if data is not None and self.marked.get("data") not in (None, data):
                raise Refused(
                    f"{self.path} holds a run that was trained on other data ({self.marked['data']} then, {data} now): "
                    "resume with the same data, or take another --out."
                )
        distributed.wait(settings.device)  # nobody changes the folder before every process has looked at it
        self.begin(anew=settings.overwrite, **({"data": data} if data is not None else {}))
        self.claim(*checkpoint.NAMES)
        self.write("config.json", files.as_json(settings.comparable(), 1) + "\n")
        distributed.wait(settings.device)  # nor reads what is being removed

    def figure(self, name: str, fig: Any) -> None:
        content = io.BytesIO()
        fig.savefig(content, format="png", dpi=110, bbox_inches="tight")
        draw.pyplot().close(fig)
        self.write(name, content.getvalue())


class Metrics:
    """One JSON line for each step and each evaluation; with TensorBoard's events beside it where that is installed."""

    def __init__(self, folder: Folder, from_step: int):
        self.path = folder.path / "metrics.jsonl"
        self.rows: list[dict[str, Any]] = []
        if self.path.exists():
            self.rows = [row for row in self._read() if row["step"] <= from_step]
        self.file, self.board = None, None
        if folder.writes:
            folder.claim("metrics.jsonl", "tensorboard/events.out.tfevents.*")
            files.write(self.path, "".join(files.as_json(row) + "\n" for row in self.rows))
            self.file = self.path.open("a", encoding="utf-8")
            try:
                from torch.utils.tensorboard import SummaryWriter

                self.board = SummaryWriter(str(folder.path / "tensorboard"), purge_step=from_step + 1)
            except ModuleNotFoundError:
                pass

    def _read(self) -> list[dict[str, Any]]:
        """The rows of the file. Errors: Refused at a line that is none, but for the last: a process died while it wrote that."""
        rows = []
        lines = self.path.read_bytes().split(b"\n")
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                if not isinstance(row, dict) or type(row.get("step")) is not int:
                    raise ValueError("wanted is a JSON object with a step")
            except (ValueError, RecursionError) as error:
                if number == len(lines):
                    break
                raise Refused(
                    f"{self.path}, line {number}, is damaged ({archives.why(error)}): remove that line, or begin anew with --overwrite."
                ) from None
            rows.append(row)
        return rows

    def add(self, **row: Any) -> None:
        self.rows.append(row)
        if self.file is None:
            return
        self.file.write(files.as_json(row) + "\n")
        self.file.flush()
        if self.board is not None:
            for name, value in row.items():
                if name not in ("step", "epoch") and isinstance(value, int | float):
                    self.board.add_scalar(name, value, row["step"])

    def close(self) -> None:
        if self.file is not None:
            self.file.close()
        if self.board is not None:
            self.board.close()

    def column(self, name: str) -> tuple[list[int], list[float]]:
        rows = [row for row in self.rows if row.get(name) is not None]
        return [row["step"] for row in rows], [row[name] for row in rows]


def curves(metrics: Metrics) -> Any:
    """Loss over the steps, the validation's beside it, and its accuracy."""
    fig, axes = draw.pyplot().subplots(1, 2, figsize=(10, 3.4))
    steps, losses = metrics.column("loss")
    axes[0].plot(steps, losses, color=draw.GREY, linewidth=0.5, alpha=0.5)
    if len(losses) > 20:
        width = max(2, len(losses) // 50)
        axes[0].plot(
            steps[width - 1 :],
            np.convolve(losses, np.ones(width) / width, "valid"),
            color=draw.ORANGE,
            label="trained on",
        )
    axes[0].plot(*metrics.column("validation_loss"), "o-", color=draw.BLUE, markersize=4, label="validation")
    axes[0].set(xlabel="step", ylabel="loss", yscale="log")
    axes[0].legend(frameon=False)
    axes[1].plot(*metrics.column("validation_accuracy"), "o-", color=draw.BLUE, markersize=4)
    axes[1].set(xlabel="step", ylabel="validation accuracy")
    fig.tight_layout()
    return fig


def write_results(
    folder: Folder,
    metrics: Metrics,
    model: nn.Module,
    truth: np.ndarray,
    guess: np.ndarray,
    classes: list[str],
    facts: dict[str, Any],
    weights_at: str | None = None,
) -> None:
    """Report, pictures, model and card. `facts` are the figures that the card names; `weights_at`: where the model is saved."""
    from safetensors.torch import save
    from sklearn.metrics import classification_report

    report = classification_report(
        truth, guess, labels=range(len(classes)), target_names=classes, digits=4, zero_division=0
    )
    numbers = classification_report(
        truth, guess, labels=range(len(classes)), target_names=classes, output_dict=True, zero_division=0
    )
    folder.write("report.txt", report)
    folder.write("report.json", files.as_json(numbers, 1) + "\n")
    folder.figure("curves.png", curves(metrics))
    fig = draw.confusion(truth, guess, len(classes))
    for axis in (fig.axes[0].xaxis, fig.axes[0].yaxis):
        turned = 45 if axis is fig.axes[0].xaxis and max(map(len, classes)) > 2 else 0
        axis.set_ticklabels([draw.label(name) for name in classes], rotation=turned, parse_math=False)
    folder.figure("confusion.png", fig)
    if weights_at is None:
        weights = save({name: value.contiguous() for name, value in model.state_dict().items()})
        folder.write("model.safetensors", weights)
    else:
        weights = (folder.path / weights_at).read_bytes()
    kept = facts | {"model_sha256": hashlib.sha256(weights).hexdigest()}  # a flipped bit in a number shows nowhere else
    folder.write("results.json", files.as_json(kept, 1) + "\n")
    lines = "\n".join(
        f"| {name.replace('_', ' ')} | {_cell(value)} |" for name, value in facts.items() if name != "thresholds"
    )
    card = f"# {facts['command']}\n\n| | |\n| --- | --- |\n{lines}\n\n```\n{report}```\n\n![curves](curves.png)\n![confusion](confusion.png)\n"
    if (folder.path / "calibration.png").exists():
        card += f"\n![calibration](calibration.png)\n\n{_thresholds(facts)}[What it takes for what it is not](mistakes.html)\n"
    folder.write("README.md", card)


def _thresholds(facts: dict[str, Any]) -> str:
    """The table of how sure it must be to be right as often as wanted: chosen on the validation part, measured on the test part."""
    rows = facts.get("thresholds") or []
    lines = [
        f"| {100 * row['wanted']:g} % | {row['least_confidence']} | {100 * row['answered']:.1f} % "
        f"| {'none' if row['accuracy'] is None else '%.2f %%' % (100 * row['accuracy'])} |"
        for row in rows
    ]
    head = [
        "| wanted | answer from a probability of | answered of the test part | right of these |",
        "| --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *lines]) + "\n\n" if rows else ""


def _cell(value: Any) -> str:
    """A value as it may stand in a table of Markdown."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")


def machine(device: str) -> dict[str, str]:
    """What computed, by name and version, and the most memory that was needed: of the GPU since the training began, or of the
    process."""
    facts = {"machine": _cpu(), "python": platform.python_version(), "torch": torch.__version__}
    if device.startswith("cuda"):
        gib = [n / 2**30 for n in (torch.cuda.max_memory_allocated(device), torch.cuda.mem_get_info(device)[1])]
        facts |= {"machine": torch.cuda.get_device_name(device), "memory": f"{gib[0]:.1f} of {gib[1]:.0f} GiB"}
    elif resource is not None:
        unit = 1 if sys.platform == "darwin" else 1024
        facts["memory"] = f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30:.1f} GiB"
    return facts


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        found = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        return f"{found[0]}, {torch.get_num_threads()} threads"
    except (OSError, IndexError):
        return f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads"
