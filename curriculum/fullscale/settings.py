"""The settings of a training, and their defaults by device."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch

from .. import commands
from . import cuda
from .errors import Refused

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16, "fp64": torch.float64}
UNCOMPARED = ("out", "resume", "overwrite", "data_dir", "drop_checkpoint")  # may differ when a run is resumed


@dataclass(frozen=True)
class Settings:
    command: str
    device: str
    precision: str  # bf16, fp16: of the products in forward and backward, weights stay float32; fp64: of everything
    compile: bool
    batch_size: int  # of one step, over all processes
    accumulate: int  # micro-batches that a process takes its part of a batch in
    epochs: int
    lr: float
    seed: int
    out: Path
    resume: bool
    overwrite: bool
    limit: int | None  # samples of the training part that are used
    data: str  # auto, folder, hub or embedded
    data_dir: Path | None
    save_every: int  # steps between checkpoints
    options: dict[str, Any]  # what belongs to one command alone
    drop_checkpoint: bool = False  # of a run that has ended

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        return torch.float64 if self.precision == "fp64" else torch.float32

    def autocast(self) -> torch.autocast:
        """The context of forward passes."""
        low = self.precision in ("bf16", "fp16")
        return torch.autocast(torch.device(self.device).type, PRECISIONS[self.precision] if low else None, enabled=low)

    def comparable(self) -> dict[str, Any]:
        """What must be the same for a run to be resumed, in every process: which card computes may differ."""
        kept = {k: v for k, v in self.plain().items() if k not in UNCOMPARED}
        return kept | {"device": torch.device(self.device).type}

    def plain(self) -> dict[str, Any]:
        return {k: str(v) if isinstance(v, Path) else v for k, v in asdict(self).items()}


def add_arguments(
    parser: argparse.ArgumentParser, *, epochs: int, lr: float, batch_size: int, gpu_batch_size: int
) -> None:
    """The arguments that every training has; `batch_size` and `gpu_batch_size` are the defaults by device."""
    add_data_arguments(parser)
    group = parser.add_argument_group("training")
    group.add_argument("--device", default="auto", help="cpu, cuda or cuda:N (a GPU where there is one)")
    group.add_argument(
        "--precision",
        choices=list(PRECISIONS),
        help="fp32 (on a GPU bf16 where it has it, else fp16); fp64 to compare runs",
    )
    group.add_argument("--compile", action="store_true", help="torch.compile the model")
    group.add_argument(
        "--batch-size", type=int, help=f"of one step, over all processes ({batch_size}; on a GPU {gpu_batch_size})"
    )
    group.add_argument("--accumulate", type=int, default=1, help="micro-batches that a batch is taken in (1)")
    group.add_argument("--epochs", type=int, default=epochs, help=f"passes over the data ({epochs})")
    group.add_argument("--lr", type=float, default=lr, help=f"largest learning rate ({lr:g})")
    group.add_argument("--limit", type=int, help="use only so many samples to train on")
    group.add_argument("--seed", type=int, default=0)
    group.add_argument("--save-every", type=int, default=200, help="steps between checkpoints (200)")
    group.add_argument("--out", type=commands.folder_to_write, help="the run's folder (runs/fullscale/COMMAND)")
    group.add_argument("--resume", action="store_true", help="go on where the run in --out stopped")
    group.add_argument("--overwrite", action="store_true", help="begin anew where --out holds a run")
    group.add_argument(
        "--drop-checkpoint", action="store_true",
        help="remove the checkpoint when the run has ended (it is kept for --resume with more --epochs)",
    )  # fmt: skip
    parser.set_defaults(cpu_batch_size=batch_size, gpu_batch_size=gpu_batch_size)


def add_data_arguments(parser: argparse.ArgumentParser, of_run: bool = False) -> None:
    """of_run: for a command that takes up a finished run, whose data are the default."""
    group = parser.add_argument_group("data")
    group.add_argument(
        "--data-dir", type=Path, help="folder of the data in its published layout (default: MINIGRAD_DATA)"
    )
    auto = "auto is as the run was trained" if of_run else "auto takes the folder, else the hub"
    group.add_argument(
        "--data", choices=["auto", "folder", "hub", "embedded"], default="auto",
        help=f"where from: {auto}; embedded is a small sample, for trying out",
    )  # fmt: skip


COMMON = {field.name for field in fields(Settings)} | {"cpu_batch_size", "gpu_batch_size", "run", "command"}


def settle(arguments: argparse.Namespace) -> Settings:
    """The settings of the given arguments. Errors: Refused."""
    given = vars(arguments)
    device = choose_device(given["device"])
    precision = given["precision"] or _precision_of_tests(device) or best_precision(device)
    if precision == "bf16" and device.startswith("cuda") and best_precision(device) != "bf16":
        print(
            f"{device} has no bf16 of its own and computes it slowly in float32: --precision {best_precision(device)} is faster"
        )
    if precision == "fp16" and device == "cpu":
        raise Refused("--precision fp16 needs a GPU; on a CPU take fp32, or bf16 where the CPU has it.")
    from_one(arguments, "epochs", "accumulate", "limit", "batch_size", "save_every")
    if not 0 < given["lr"] < math.inf:
        raise Refused(f"--lr {given['lr']}: give a number above 0.")
    if not 0 <= given["seed"] < 2**63:
        raise Refused(f"--seed {given['seed']}: give a whole number from 0 on.")
    if given["resume"] and given["overwrite"]:
        raise Refused("--resume goes on with a run, --overwrite deletes it: give one of them.")
    set_data_dir(given["data_dir"], given["data"])
    if device.startswith("cuda") and precision in ("fp32", "fp64"):
        cuda.exact_float32()
    if device == "cpu":
        import minigrad.process  # noqa: F401  the allocator keeps what is freed: 1.5 times the speed at 256 tokens
    batch = given["batch_size"] or (given["gpu_batch_size"] if device.startswith("cuda") else given["cpu_batch_size"])
    return Settings(
        command=given["command"], device=device, precision=precision, compile=given["compile"], batch_size=batch,
        accumulate=given["accumulate"], epochs=given["epochs"], lr=given["lr"], seed=given["seed"],
        out=given["out"] or Path("runs") / "fullscale" / given["command"], resume=given["resume"],
        overwrite=given["overwrite"], limit=given["limit"], data=given["data"], data_dir=given["data_dir"],
        save_every=given["save_every"], drop_checkpoint=given["drop_checkpoint"], options={k: v for k, v in given.items() if k not in COMMON},
    )  # fmt: skip


def _precision_of_tests(device: str) -> str | None:
    """MINIGRAD_PRECISION, by which the tests run on a GPU once in each precision."""
    wanted = os.environ.get("MINIGRAD_PRECISION")
    return wanted if device.startswith("cuda") and wanted in PRECISIONS else None


def best_precision(device: str) -> str:
    """What a device computes fastest in: bf16 where its matrix units have it, fp16 where they have only that, else fp32.

    NVIDIA's have bf16 from compute capability 8.0 on (Ampere) and fp16 from 7.0 on (V100, T4); older ones have none.
    torch.cuda.is_bf16_supported says yes to cards that emulate it.
    """
    if not device.startswith("cuda"):
        return "fp32"
    if torch.version.hip is not None:
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    major, _ = torch.cuda.get_device_capability(device)
    return "bf16" if major >= 8 else "fp16" if major == 7 else "fp32"


def from_one(arguments: argparse.Namespace, *names: str) -> None:
    """Check that what was given under these names is a whole number from 1 on. Errors: Refused."""
    for name in names:
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise Refused(f"--{name.replace('_', '-')} {value}: give a whole number from 1 on.")


def differing(
    arguments: argparse.Namespace, add_arguments: Callable[[argparse.ArgumentParser], None], *names: str
) -> list[str]:
    """Those of these options that were given another value than their default, as they are written."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return [f"--{name.replace('_', '-')}" for name in names if getattr(arguments, name) != parser.get_default(name)]


def set_data_dir(folder: Path | None, data: str = "auto") -> None:
    """Let `curriculum.data` find the folder that --data-dir names. Errors: Refused where it is none, or would not be read."""
    if folder is None:
        return
    if data in ("hub", "embedded"):
        raise Refused(f"--data {data} does not read --data-dir {folder}: leave one of them away.")
    if not folder.is_dir():
        raise Refused(f"--data-dir {folder}: there is no such folder.")
    os.environ["MINIGRAD_DATA"] = str(folder.resolve())


def choose_device(wanted: str) -> str:
    """The device, for this process of torchrun. Errors: Refused where it is not there."""
    if wanted == "cpu" or (wanted == "auto" and not torch.cuda.is_available()):
        return "cpu"
    local, together = os.environ.get("LOCAL_RANK"), int(os.environ.get("LOCAL_WORLD_SIZE") or 1)
    if wanted in ("auto", "cuda"):
        wanted = f"cuda:{local}" if local is not None else "cuda:0"
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise Refused(f"--device {wanted}: give cpu, cuda or cuda:N.") from None
    if device.type != "cuda":
        raise Refused(f"--device {wanted}: give cpu, cuda or cuda:N.")
    if together > 1 and device.index != int(local or 0):
        raise Refused(
            f"--device {wanted} would put {together} processes on one card: give --device cuda, and each takes its own."
        )
    if not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count():
        raise Refused(
            f"--device {wanted}: PyTorch sees {torch.cuda.device_count()} GPUs here; --device cpu works without."
        )
    return wanted
