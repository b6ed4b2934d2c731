"""A run's folder: what was asked, what was measured, pictures, report, model card, the model."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from curriculum import archives, draw, files

from . import distributed
from .errors import Refused
from .settings import Settings

try:
    import resource
except ImportError:  # Windows does not tell
    resource = None  # type: ignore[assignment]


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


def _more_epochs(name: str, before: Any, now: Any) -> bool:
    """Whether a run is resumed to go on for longer."""
    return name == "epochs" and type(before) is int and now > before


class Folder:
    """The folder of a run; in processes other than the first it writes nothing."""

    def __init__(self, settings: Settings, rank: int = 0):
        self.path, self.writes = settings.out, rank == 0
        config = self.path / "config.json"
        begun = config.exists()
        if begun:
            if settings.resume:
                before = read_json(config, "command", advice="begin anew with --overwrite")
                now = json.loads(json.dumps(settings.comparable()))
                other = [k for k in now if before.get(k) != now[k] and not _more_epochs(k, before.get(k), now[k])]
                if other:
                    said = ", ".join(f"{k} {before.get(k)!r} then, {now[k]!r} now" for k in other)
                    raise Refused(
                        f"{self.path} holds a run with other settings ({said}): resume with the same, or take another --out."
                    )
            elif not settings.overwrite:
                raise Refused(
                    f"{self.path} holds a run: --resume goes on with it, --overwrite begins anew, --out takes another folder."
                )
        elif settings.resume:
            raise Refused(f"{self.path} holds no run to resume: leave --resume away, or correct --out.")
        elif self.path.exists() and (not self.path.is_dir() or not all(map(files.is_left, self.path.iterdir()))):
            raise Refused(f"{self.path} is there and is no run of ours: take another --out.")
        distributed.wait(settings.device)  # nobody changes the folder before every process has looked at it
        if begun and settings.overwrite and self.writes:
            self._empty()
        self.write("config.json", files.as_json(settings.comparable(), 1) + "\n")
        distributed.wait(settings.device)  # nor reads what is being removed

    def _empty(self) -> None:
        """Remove what is in it, the settings last: until then it is known as a run."""
        for path in sorted(self.path.iterdir(), key=lambda path: path.name == "config.json"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def write(self, name: str, content: str | bytes) -> None:
        if self.writes:
            files.write(self.path / name, content)

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
    fig.axes[0].set_xticklabels(classes, rotation=45 if max(map(len, classes)) > 2 else 0)
    fig.axes[0].set_yticklabels(classes)
    folder.figure("confusion.png", fig)
    if weights_at is None:
        weights = save({name: value.contiguous() for name, value in model.state_dict().items()})
        folder.write("model.safetensors", weights)
    else:
        weights = (folder.path / weights_at).read_bytes()
    kept = facts | {"model_sha256": hashlib.sha256(weights).hexdigest()}  # a flipped bit in a number shows nowhere else
    folder.write("results.json", files.as_json(kept, 1) + "\n")
    lines = "\n".join(f"| {name.replace('_', ' ')} | {value} |" for name, value in facts.items())
    card = f"# {facts['command']}\n\n| | |\n| --- | --- |\n{lines}\n\n```\n{report}```\n\n![curves](curves.png)\n![confusion](confusion.png)\n"
    folder.write("README.md", card)


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
