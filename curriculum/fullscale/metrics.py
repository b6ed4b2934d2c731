"""What a training measures, step by step: kept as lines of JSON, and drawn."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from curriculum import archives, draw, files

from .errors import Refused
from .folder import Folder


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
