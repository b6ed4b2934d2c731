"""What only a GPU can show, in one call of 8 minutes: agreement, MNIST, throughput, memory, reviews, resuming, nccl.

    python -m curriculum.fullscale gpu --data-dir FOLDER          on a machine with a GPU, no network needed
    python -m curriculum.fullscale gpu --pack FOLDER              before: what it needs, in at most 58 MiB
    python -m curriculum.fullscale gpu --rehearse                 on a CPU, tiny, in seconds: does it run?

Every figure is written as soon as it is known, so that who is cut off loses nothing; the same call goes on from there.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from ... import commands
from ..errors import Refused, Stopped
from . import pack
from .context import ROOT, Context, Stage, environment
from .record import Record, as_line, parse
from .stages import STAGES, run_stage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-dir", type=Path, help="folder with mnist/, imdb/ and encoder/ (default: MINIGRAD_DATA)")
    parser.add_argument("--model", type=Path, help="folder of the encoder (default: encoder/ in the data folder)")
    parser.add_argument("--device", default="auto", help="cpu, cuda or cuda:N (a GPU where there is one)")
    parser.add_argument("--minutes", type=float, default=8.0, help="for all stages together (8)")
    parser.add_argument("--stages", default="", help=f"some of {','.join(s.name for s in STAGES)} (all of them)")
    parser.add_argument("--again", action="store_true", help="measure these stages anew, also those that were done")
    parser.add_argument("--rehearse", action="store_true", help="tiny data and models, one process, no figure judged")
    parser.add_argument("--out", type=Path, help="where the figures go (benchmarks/fullscale/gpu)")
    parser.add_argument("--pack", type=Path, metavar="FOLDER", help="gather what is needed in this folder, and end")
    parser.add_argument("--mib", type=commands.above_zero, default=58.0, help="largest size of the packed folder (58)")


def run(arguments: argparse.Namespace) -> int:
    from ..settings import choose_device, differing, set_data_dir

    if arguments.pack is not None:
        names = ("device", "minutes", "stages", "again", "rehearse", "out")
        if beside := differing(arguments, add_arguments, *names):
            raise Refused(f"--pack gathers what is needed and measures nothing: leave {beside[0]} away.")
        return pack.run(arguments.pack, arguments.mib, arguments.data_dir, arguments.model)
    if differing(arguments, add_arguments, "mib"):
        raise Refused("--mib is how large the folder of --pack may be: give --pack, or leave it away.")
    if not arguments.minutes > 0:
        raise Refused(f"--minutes {arguments.minutes:g}: give a number above 0.")
    if arguments.rehearse and differing(arguments, add_arguments, "minutes"):
        raise Refused(
            "--minutes ends stages that take too long, and --rehearse runs all of them small: leave one away."
        )
    known = {stage.name: stage for stage in STAGES}
    asked = [name.strip() for name in arguments.stages.split(",") if name.strip()]
    for name in asked:
        if name not in known:
            raise Refused(f"--stages {name}: there are {', '.join(known)}.")

    device = choose_device(arguments.device)
    if device == "cpu" and not arguments.rehearse:
        raise Refused(
            f"PyTorch sees no GPU here{_why_no_gpu()}, and without one this shows nothing: --rehearse runs it small on a CPU."
        )
    set_data_dir(arguments.data_dir)
    data = os.environ.get("MINIGRAD_DATA")
    model = arguments.model or (Path(data) / "encoder" if data and (Path(data) / "encoder").is_dir() else None)
    if model is not None and not (model / "config.json").is_file():
        raise Refused(
            f"--model {model}: no encoder is there; wanted is a folder with config.json, weights and tokenizer."
        )
    default = Path("runs/fullscale/gpu-rehearsal") if arguments.rehearse else ROOT / "benchmarks/fullscale/gpu"
    record = Record(arguments.out or default, rehearsal=arguments.rehearse, device=device)
    print("; ".join(_data_found(data, model, arguments.rehearse)), flush=True)
    with tempfile.TemporaryDirectory(prefix="fullscale-gpu-", ignore_cleanup_errors=True) as scratch:
        context = Context(
            device=device, rehearse=arguments.rehearse, model=str(model.resolve()) if model else "", scratch=scratch
        )
        _all(record, context, asked, arguments)
    print(record.table(), end="")
    print(f"all of it: {record.folder}")
    return 0 if record.good() else 1


def _why_no_gpu() -> str:
    """What PyTorch says when it is asked for one, in brackets, or nothing."""
    import torch

    try:
        torch.cuda.init()
    except Exception as error:  # of many kinds: a build without CUDA, no driver, one that is too old
        return f" ({(str(error).strip().splitlines() or [''])[0].rstrip('.')})"
    return ""


def _data_found(data: str | None, model: Path | None, rehearse: bool) -> list[str]:
    """What of the data is there; without a part its stage breaks, and says so."""
    if rehearse:
        return ["a rehearsal, on the embedded data"]
    folder = Path(data) if data else None
    found = []
    for name in ("mnist", "imdb/aclImdb_v1.tar.gz"):
        there = folder is not None and (folder / name).exists()
        found.append(f"{name} is {'there' if there else f'MISSING in {folder}'}")
    return [*found, f"the encoder is {model}" if model else "the encoder is MISSING: a small one of random weights takes its place"]  # fmt: skip


def _all(record: Record, context: Context, asked: list[str], arguments: argparse.Namespace) -> None:
    """Run the stages one after the other, each until its deadline; what one leaves over, the next may use."""
    begin = time.monotonic()
    whole = sum(stage.seconds for stage in STAGES)
    allowed = 0.0
    for number, stage in enumerate(STAGES):
        chosen = not asked or stage.name in asked or stage.first
        done = record.done(stage.name)
        if not chosen or (done and not stage.first and not arguments.again):
            if chosen:
                print(f"{stage.name}: done before ({done})", flush=True)
            continue
        allowed += stage.seconds * 60 * arguments.minutes / whole
        left = allowed - (time.monotonic() - begin)
        before = {} if arguments.again else record.begin(stage.name, stage.title)
        if arguments.again:
            record.anew(stage.name, stage.title)
        print(f"{number + 1}/{len(STAGES)} {stage.name}: {stage.title}, until {allowed:.0f} s", flush=True)
        one(record, context, stage, before, left)
        if stage.first:
            record.identify()


def one(record: Record, context: Context, stage: Stage, before: dict[str, Any], seconds: float) -> None:
    """One stage, in a process of its own: what breaks there, a poisoned GPU too, breaks nothing else."""
    begin = time.monotonic()

    def end(status: str, said: str = "") -> None:
        record.end(stage.name, status, time.monotonic() - begin, said)
        print(f"   {status}, {time.monotonic() - begin:.1f} s {said}", flush=True)

    if context.rehearse:
        own = dataclasses.replace(context, before=before, say=lambda found: record.take(stage.name, found), broken=[])
        wrong = io.StringIO()
        with contextlib.redirect_stderr(wrong):
            status, said = run_stage(stage.name, own)
        if status != "done":
            for line in wrong.getvalue().splitlines():
                record.log(stage.name, line)
        return end(status, said)
    if seconds < 2:
        return end("cut", "no time was left")
    context = dataclasses.replace(context, until=time.time() + seconds)
    try:
        child = subprocess.Popen(
            command(stage, context, before), cwd=ROOT, env=environment(), text=True, errors="replace", bufsize=1,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        return end("broke", f"its process could not be started: {error}")
    cut = threading.Event()

    def stop() -> None:
        cut.set()
        _kill(child)

    clock = threading.Timer(seconds, stop)
    clock.start()
    last: list[str] = []
    try:
        assert child.stdout is not None
        for line in child.stdout:
            found = parse(line)
            if found is None:
                last = [*last, line.rstrip()][-60:]
                record.log(stage.name, line)
            else:
                record.take(stage.name, found)
                print(f"   {as_line(found)}", flush=True)
        child.wait()
    except KeyboardInterrupt:
        end("cut", "interrupted")
        raise Stopped(f"Interrupted; what was measured is in {record.folder}. The same call goes on.") from None
    finally:
        clock.cancel()
        _kill(child)
    if cut.is_set():
        return end("cut", "its time was over")
    if child.returncode:
        said = next((line for line in reversed(last) if line.strip()), "it said nothing")
        return end("broke", f"exit status {child.returncode}: {said[:300]}")
    return end("done")


def command(stage: Stage, context: Context, before: dict[str, Any]) -> list[str]:
    """What computes a stage. -u: its figures come as they are known."""
    return [
        sys.executable,
        "-u",
        "-m",
        "curriculum.fullscale.gpu",
        stage.name,
        context.to_json(),
        json.dumps(before),
    ]


def _kill(child: subprocess.Popen[str]) -> None:
    """End the process and all that it started: torchrun's processes are in groups of their own."""
    for number in _descendants(child.pid) if child.poll() is None else []:
        for end in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                end(number, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _descendants(number: int) -> list[int]:
    """The processes that a process started, and those that these started, where the system lists them in /proc."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(path.parent.name))
    found = list(children.get(number, []))
    for each in found:  # it grows meanwhile
        found += children.get(each, [])
    return found
