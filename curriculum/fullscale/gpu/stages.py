"""The stages of `gpu`, in order of worth; each is a function that says its figures and is judged by its bars.

python -m curriculum.fullscale.gpu.stages NAME CONTEXT BEFORE     one of them, its figures as lines of JSON
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import told
from . import agreement, machine
from .context import ROOT, Context, Stage, encoder, environment, full_scale, in_a_line, losses, results

STAGES = (
    Stage("facts", "what is here, and its limits", 25, first=True),
    Stage("agree", "layers, models and commands compute what a CPU computes, in fp32, bf16 and fp16", 60),
    Stage("tests", "the tests of full scale, on the GPU", 75),
    Stage("mnist", "MNIST to 99.6 %", 40),
    Stage("throughput", "fine-tuning at DistilBERT's size, ours beside transformers.Trainer", 125),
    Stage("memory", "--find-batch against what memory really took", 35),
    Stage("reviews", "fine-tuning on real reviews, 256 tokens", 50),
    Stage("resume", "killed and resumed", 35),
    Stage("nccl", "nccl with one process, SyncBatchNorm", 35),
)


def run_stage(name: str, context: Context) -> tuple[str, str]:
    """The stage in this process, tracebacks on standard error; (status, what it said in the end)."""
    try:
        _FUNCTIONS[name](context)
    except Exception as error:
        traceback.print_exc()
        return "broke", in_a_line(error)
    return ("broke", f"these parts did: {', '.join(context.broken)}") if context.broken else ("done", "")


# -- the stages


def facts(context: Context) -> None:
    """Versions beside requirements.lock, the device, its measured limits."""
    with context.part("packages"):
        context.figures(**machine.packages())
    context.figures(**machine.device(context.device))
    with context.part("limits"):
        for name, value in machine.limits(context.device, size=256 if context.rehearse else 8192):
            context.figures(**{name: value})


def agree(context: Context) -> None:
    for precision in ("fp32", "bf16", "fp16") if context.cuda else ("fp32", "bf16"):
        for kind in ("layers", "models", "optimizers"):
            with context.part(f"{kind}_{precision}"):
                _agree(context, kind, precision)
    if context.cuda:
        with context.part("skipped_step"):
            context.figures(**agreement.skipped_step(context.device))
    with context.part("waits"):
        waits = agreement.waits(context.device)
        context.figures(waits_for_the_gpu_in_steps=waits)
        if context.cuda:  # on a CPU there is nothing to wait for, and the loop reads its loss at once
            ours = [place for place in waits if "curriculum" in place]
            context.bar("places in our code where a step waits", len(ours), "at most", 0)
    _commands(context)


def _agree(context: Context, kind: str, precision: str) -> None:
    worst: dict[str, float] = getattr(agreement, kind)(context.device, precision)
    if not worst:
        return
    context.figures(**{f"{kind}_{precision}": worst})
    bound, beside = agreement.BOUNDS[kind].get(precision, agreement.TIMES), "relative error"
    if precision not in agreement.BOUNDS[kind]:
        usual = agreement.models("cpu", precision) if context.cuda else worst
        worst, beside = {name: error / usual[name] for name, error in worst.items()}, "error beside the CPU's"
    name, largest = max(worst.items(), key=lambda pair: (pair[1] != pair[1], pair[1]))  # NaN is the largest
    context.bar(f"{kind} in {precision}, {beside}, largest of {len(worst)} ({name})", largest, "at most", bound)


def _commands(context: Context) -> None:
    """Every training on small data, in every precision: its losses beside the CPU's, its accuracy."""
    digits = ["--data", "embedded", "--limit", "320", "--epochs", "2", "--batch-size", "32", "--save-every", "1000"]
    tiny = ["--model", encoder(context), "--max-length", "40", "--limit", "128", "--test-limit", "32", "--epochs", "1"]
    several = {
        "mnist-cnn": [*digits, "--width", "8", "--dropout", "0"],
        "resnet18": [*digits, "--width", "4", "--epochs", "1"],
        "distilbert-imdb": ["--data", "embedded", *tiny, "--batch-size", "16"],
    }
    if context.rehearse:
        several = {"mnist-cnn": several["mnist-cnn"]}
    bounds = {"fp32": 2e-2, "bf16": 0.3, "fp16": 0.1}
    for name, arguments in several.items():
        if context.before.get(f"{name}_losses"):
            continue
        with context.part(name):
            out, apart = context.folder(f"agree-{name}"), {}
            full_scale(
                name, *arguments, "--device", "cpu", "--precision", "fp32", "--out", str(out / "cpu"), "--overwrite"
            )
            wanted = losses(out / "cpu")[:8]
            for precision in bounds if context.cuda else ("bf16",):
                with context.part(f"{name}_{precision}"):
                    here = [*arguments, "--device", context.device, "--precision", precision]
                    full_scale(name, *here, "--out", str(out / precision), "--overwrite")
                    pairs = zip(losses(out / precision), wanted, strict=False)
                    apart[precision] = max(abs(a - b) for a, b in pairs)
                    # dropout's masks are drawn by the device: an encoder's losses agree in distribution alone
                    if name != "distilbert-imdb":
                        beside = f"{name} in {precision}, first losses beside the CPU's"
                        context.bar(beside, apart[precision], "at most", bounds[precision])
            context.figures(**{f"{name}_losses": apart})


def tests(context: Context) -> None:
    """The tests of full scale; on a GPU, commands take it of themselves. In each precision, side by side.

    What they find is told as it comes: of those that take too long the others' results are kept.
    """
    import subprocess

    lacking = [name for name in ("pytest", "hypothesis") if importlib.util.find_spec(name) is None]
    if lacking:
        return context.figures(left_out=f"{', '.join(lacking)} missing")
    if context.rehearse:
        return context.figures(left_out="a rehearsal is one of them")
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").glob("test_fullscale_*.py"))
    files = [name for name in files if "fullscale_gpu" not in name]
    several = ["-n", "4"] if importlib.util.find_spec("xdist") else []
    import torch

    left = " and not browser" + (" and not processes" if torch.cuda.device_count() < 4 else "")
    children = {}
    for precision in ("bf16", "fp32", "fp16"):
        path = context.folder(f"tests-{precision}.txt")
        # a thread each: there are twelve processes of them
        more = {"MINIGRAD_PRECISION": precision, "OMP_NUM_THREADS": "1", told.TO: str(path.with_suffix(".jsonl"))}
        children[precision] = path, subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", told.__name__, "-k", f"not deep{left}", "--tb=short", "--continue-on-collection-errors", *several, *files],
            cwd=ROOT, env=environment() | more, stdout=path.open("w"), stderr=subprocess.STDOUT,
        )  # fmt: skip
    running = True
    while running and context.left > 4:
        running = any(child.poll() is None for _, child in children.values())
        time.sleep(0.2 if not running else 1.0)
        for precision, (path, _) in children.items():
            context.figures(**{f"tests_{precision}": told.counted(path.with_suffix(".jsonl"))})
    for precision, (path, child) in children.items():
        cut = child.poll() is None
        if cut:
            child.kill()
        failed = told.failed(path.with_suffix(".jsonl"))
        if cut or child.returncode not in (0, 1):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            last = [line for line in lines if line.strip()][-3:]
            context.figures(
                **{f"tests_{precision}_ended": "cut" if cut else f"exit status {child.returncode}: {last}"[:300]}
            )
            context.broken.append(precision)
        print(path.read_text(encoding="utf-8", errors="replace")[-4000:], file=sys.stderr, flush=True)
        context.figures(**{f"failed_{precision}": failed[:25]})
        context.bar(f"tests that fail in {precision}", len(failed), "at most", 0)


def mnist(context: Context) -> None:
    """The whole of MNIST, with the command's defaults on a GPU."""
    tiny = ["--data", "embedded", "--limit", "320", "--epochs", "2", "--batch-size", "64", "--width", "8"]
    arguments = [*tiny, *(["--precision", "bf16"])] if context.rehearse else [*context.data(), "--epochs", "14"]
    out = context.folder("mnist")
    begin = time.perf_counter()
    full_scale("mnist-cnn", *arguments, "--device", context.device, "--out", str(out), "--overwrite")
    found = results(out)
    names = (
        "data",
        "test_accuracy",
        "training_seconds",
        "samples_per_second",
        "epochs",
        "steps",
        "batch_size",
        "precision",
        "memory",
    )
    context.figures(
        whole_command_seconds=round(time.perf_counter() - begin, 1), **{n: found[n] for n in names if n in found}
    )
    if found["data"].startswith("MNIST") or context.rehearse:
        context.bar("MNIST, test accuracy", found["test_accuracy"], "at least", 0.996, speed=True)
        context.bar("MNIST, seconds of training", found["training_seconds"], "at most", 15, speed=True)


def throughput(context: Context) -> None:
    """`python -m benchmarks throughput`, each way in a process of its own; the compiled one last, as it takes longest."""
    from benchmarks import throughput as bench

    rows = [(length, way, False) for length in (512, 256) for way in bench.WAYS] + [
        (512, "ours", True),
        (256, "ours", True),
    ]
    if context.rehearse:
        rows = [(40, "ours", False), (40, "trainer", False)]
    if importlib.util.find_spec("accelerate") is None:
        rows = [row for row in rows if row[1] == "ours"]
        context.figures(left_out="transformers.Trainer: accelerate is missing")
    found: dict[str, Any] = {}
    for number, (length, way, compiled) in enumerate(rows):
        name = f"{way}{'_compiled' if compiled else ''}_{length}"
        if (one := context.before.get(name)) is None:
            with context.part(name):
                # twice its share: that one hangs must not take the time of all others
                seconds = max(20.0, 2 * context.left / (len(rows) - number))
                one = _measured(context, length, way, compiled, min(seconds, context.left - 2))
                context.figures(**{name: one})
        if one is None:
            continue
        found[name] = one
        ours = {key: row for key, row in found.items() if key.startswith("ours") and key.endswith(f"_{length}")}
        best = max((row["tokens_per_second"] for row in ours.values()), default=0.0)
        for other, bound in (("trainer", 2.0), ("trainer-tuned", 1.0)):
            if ours and (base := found.get(f"{other}_{length}")):
                ratio = best / base["tokens_per_second"]
                context.bar(f"{length} tokens, ours beside {other}", ratio, "at least", bound, speed=True)
        if ours and way == "ours":
            share = max(row["share"] for row in ours.values())
            context.bar(f"{length} tokens, share of the matrix peak", share, "at least", 0.4, speed=True)


def _measured(context: Context, length: int, way: str, compiled: bool, seconds: float) -> dict[str, Any]:
    """One row of `python -m benchmarks throughput`. Errors: RuntimeError with its last words, TimeoutExpired."""
    import subprocess

    from benchmarks import throughput as bench

    # as many steps as the reviews that are carried last for
    steps = 6 if context.rehearse else 60 if length > 256 else 36
    given = ["--max-length", str(length), "--steps", str(steps), "--device", context.device]
    given += ["--model" if context.rehearse else "--tokenizer", encoder(context)]
    small = ["--data", "embedded", "--batch-size", "8"]
    given += small if context.rehearse else ["--batch-size", str(64 * 512 // length)]
    given += ["--compile"] if compiled else []
    options = bench.arguments([*given, "--ways", way])
    if context.rehearse:
        one = bench.measure(way, options)
    else:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.throughput", way, json.dumps(vars(options))],
            cwd=ROOT, env=environment(), capture_output=True, text=True, errors="replace", timeout=seconds,
        )  # fmt: skip
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        print(done.stderr[-4000:], file=sys.stderr, flush=True)
        if done.returncode or not lines:
            words = (done.stderr.strip() or "it said nothing").splitlines()[-1]
            raise RuntimeError(f"exit status {done.returncode}: {words}")
        one = json.loads(lines[-1])
    kept = ("tokens_per_second", "share", "padding", "precision", "batch_size", "seconds", "steps", "memory")
    return {key: one[key] for key in kept if key in one}


def memory(context: Context) -> None:
    """The batch that --find-batch names, trained with; and one a quarter larger, which must not have fitted so easily."""
    import argparse

    import torch

    from .. import cuda, find_batch, reviews
    from ..distilbert_imdb import add_arguments
    from ..settings import settle

    length = 40 if context.rehearse else 256
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    settings = settle(parser.parse_args(["--device", context.device], argparse.Namespace(command="distilbert-imdb")))
    model = reviews.encoder(encoder(context), ["negative", "positive"])
    vocabulary: int = model.config.vocab_size  # type: ignore[union-attr, assignment]
    begin = time.perf_counter()
    sizes: dict[str, str] = {}

    def tried(size: int, fitted: bool) -> None:
        sizes[str(size)] = f"{'fits' if fitted else 'does not fit'} after {time.perf_counter() - begin:.1f} s"
        context.figures(tried=sizes)

    found = find_batch.largest_batch(model, settings, length, vocabulary, tried=tried)
    if found is None:
        return context.figures(left_out="--find-batch looks at a GPU's memory; here is none")
    gib = 2**30
    context.figures(
        batch=found.batch, length=length, total_gib=found.total / gib, peak_gib=found.peak / gib, reserved_gib=found.reserved / gib,
        refused=found.refused, seconds=round(time.perf_counter() - begin, 1),
    )  # fmt: skip
    context.bar(
        "predicted by the two smallest steps, of what it took", found.predicted / max(found.peak, 1), "at least", 0.9
    )
    device = torch.device(settings.device)
    model = model.to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    cuda.forget(device)
    cuda.begin_peak(device)
    for _ in range(3):
        ids = torch.randint(0, vocabulary, (found.batch, length), device=device)
        mask = torch.ones_like(ids)
        mask[0, -1] = 0
        with settings.autocast():
            loss = reviews.logits_of(model, ids, mask).float().square().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    cuda.finish(device)
    peak, reserved = torch.cuda.max_memory_allocated(device), torch.cuda.max_memory_reserved(device)
    context.figures(trained_peak_gib=peak / gib, trained_reserved_gib=reserved / gib)
    context.bar("what a step with the optimizer took, of what was found", peak / max(found.peak, 1), "at most", 1.03)
    context.bar("share of the memory that the batch uses", reserved / found.total, "at least", 0.75)


def reviews(context: Context) -> None:
    """`distilbert-imdb` as its user calls it."""
    out = context.folder("reviews")
    arguments = [
        "--model",
        encoder(context),
        "--device",
        context.device,
        "--out",
        str(out),
        "--overwrite",
        *context.data(),
    ]
    if context.rehearse:
        arguments += [
            "--max-length",
            "40",
            "--limit",
            "128",
            "--test-limit",
            "32",
            "--epochs",
            "1",
            "--batch-size",
            "16",
        ]
    else:
        arguments += ["--max-length", "256", "--epochs", "3", "--lr", "1e-4"]
    begin = time.perf_counter()
    full_scale("distilbert-imdb", *arguments)
    found = results(out)
    names = ("data", "test_accuracy", "training_seconds", "test_seconds", "tokens_per_second", "samples_per_second", "epochs", "steps", "batch_size", "precision", "memory")  # fmt: skip
    context.figures(
        whole_command_seconds=round(time.perf_counter() - begin, 1), **{n: found[n] for n in names if n in found}
    )
    few = "24,998 and" not in found["data"] or not context.model
    if "Large Movie" in found["data"] and context.model:
        context.bar("reviews, test accuracy", found["test_accuracy"], "at least", 0.86 if few else 0.912, speed=True)


def resume(context: Context) -> None:
    """A run that was killed and resumed beside two that were not: on a GPU those may differ, as sums are in any order."""
    import subprocess

    import torch

    size = ["--epochs", "30", "--width", "16", "--save-every", "20"]
    if context.rehearse:
        size = ["--limit", "320", "--epochs", "6", "--width", "4", "--save-every", "7"]
    arguments = [
        "mnist-cnn",
        "--data",
        "embedded",
        *size,
        "--batch-size",
        "64",
        "--device",
        context.device,
    ]
    arguments += ["--precision", "fp32"]
    whole, twin, killed = (context.folder(f"resume-{name}") for name in ("whole", "twin", "killed"))
    said = context.folder("resume-killed.txt")
    child = subprocess.Popen(
        [sys.executable, "-m", "curriculum.fullscale", *arguments, "--out", str(killed)],
        cwd=ROOT, env=environment() | {"OMP_NUM_THREADS": str(torch.get_num_threads())},  # sums in the same parts
        stdout=said.open("w"), stderr=subprocess.STDOUT,
    )  # fmt: skip
    deadline = time.monotonic() + min(60, 0.6 * context.left)
    while child.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError):
            if len(losses(killed)) >= (8 if context.rehearse else 60):
                break
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    if child.wait() > 0:
        raise RuntimeError(f"the run ended before it was killed: {said.read_text(errors='replace').strip()[-250:]}")
    context.figures(killed_after_steps=len(losses(killed)), it_had_ended=(killed / "results.json").exists())
    full_scale(*arguments, "--out", str(killed), "--resume")
    full_scale(*arguments, "--out", str(whole), "--overwrite")
    if context.cuda:
        full_scale(*arguments, "--out", str(twin), "--overwrite")
    else:
        twin = whole
    apart, usual = _apart(killed, whole), _apart(twin, whole)
    context.figures(
        weights_apart=apart, weights_apart_of_two_whole_runs=usual, steps=len(losses(whole)),
        test_accuracy={"whole": results(whole)["test_accuracy"], "resumed": results(killed)["test_accuracy"]},
    )  # fmt: skip
    context.bar("steps that the resumed run lacks", abs(len(losses(whole)) - len(losses(killed))), "at most", 0)
    context.bar(
        "weights of the resumed run, relative distance to the whole one's",
        apart,
        "at most",
        max(3 * usual, 1e-6 if context.cuda else 0.0),
    )


def _apart(one: Path, other: Path) -> float:
    """Relative distance of two runs' weights."""
    import torch
    from safetensors.torch import load_file

    a, b = (load_file(folder / "model.safetensors") for folder in (one, other))
    first, second = (torch.cat([part[name].double().flatten() for name in sorted(a)]) for part in (a, b))
    return float((first - second).norm() / second.norm())


def nccl(context: Context) -> None:
    """One process is a group too: nccl, SyncBatchNorm and DistributedDataParallel beside what one process computes without."""
    import torch

    with context.part("group_of_one"):
        context.figures(**agreement.group_of_one(context))
    count = torch.cuda.device_count() if context.cuda else 0
    if context.rehearse:
        return
    small = ["mnist-cnn", "--data", "embedded", "--limit", "640", "--epochs", "2", "--batch-size", "64", "--width", "8"]
    arguments = [*small, "--dropout", "0", "--precision", "fp32", "--device", "cuda" if context.cuda else "cpu"]
    one = context.folder("nccl-none")
    full_scale(*arguments, "--out", str(one), "--overwrite")
    for processes in [1] + [n for n in (2, 4) if n <= count]:
        with context.part(f"torchrun_{processes}"):
            _torchrun(context, processes, arguments, losses(one))


def _torchrun(context: Context, processes: int, arguments: list[str], wanted: list[float]) -> None:
    import subprocess

    out = context.folder(f"nccl-{processes}")
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes),
         "-m", "curriculum.fullscale", *arguments, "--out", str(out), "--overwrite"],
        cwd=ROOT, env=environment() | {"OMP_NUM_THREADS": "4"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", timeout=max(context.left - 2, 5),
    )  # fmt: skip
    if done.returncode:
        print(done.stdout[-6000:], file=sys.stderr, flush=True)
        raise RuntimeError(f"torchrun with {processes}: {done.stdout.strip()[-300:]}")
    apart = max(abs(a - b) for a, b in zip(losses(out), wanted, strict=True))
    context.bar(f"torchrun with {processes}, losses beside none's", apart, "at most", 1e-2)


_FUNCTIONS: dict[str, Callable[[Context], None]] = {
    "facts": facts, "agree": agree, "tests": tests, "mnist": mnist, "throughput": throughput, "memory": memory, "reviews": reviews,
    "resume": resume, "nccl": nccl,
}  # fmt: skip
assert list(_FUNCTIONS) == [stage.name for stage in STAGES]


def main(given: list[str]) -> int:
    name, context, before = given
    _end_with(os.getppid())
    made = Context(**json.loads(context), before=json.loads(before))
    status, said = run_stage(name, made)
    if said:
        print(said, file=sys.stderr, flush=True)
    return int(status != "done")


def _end_with(parent: int) -> None:
    """Let this process and what it started not outlive who asked for it: the GPU would be busy for the next."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():  # the group is ours alone
        threading.Thread(target=watch, daemon=True).start()
