"""`python -m benchmarks`: minigrad beside other engines. The ratio is PyTorch eager's time by the engine's: above 1 is faster.

    python -m benchmarks                                        every workload, minigrad and PyTorch
    python -m benchmarks conv2d cnn --engines minigrad,torch,jax
    python -m benchmarks --workloads mine.py                    every workload of a file of your own, see below
    python -m benchmarks scaling [rows width depth length graph]
    python -m benchmarks profile lesson10
    python -m benchmarks operations [topk cummax]               every public operation, the slowest beside PyTorch first
    python -m benchmarks compile                                compiled steps: minigrad, PyTorch, JAX
    python -m benchmarks lessons [22 23]                        steps of the course's lessons with an empty kernel cache
    python -m benchmarks throughput                             fine-tuning at full scale, beside transformers.Trainer
    python -m benchmarks quote                                  the kept figures as the README quotes them

Each engine runs in a process of its own with the same number of threads, in interleaved rounds; their first steps must
give the same numbers. The children are free of OPENBLAS_CORETYPE, so that OpenBLAS chooses its kernels for this CPU; where
the variable is set, a second column shows minigrad with the environment as it was found. The table says what ran: how many
operations a step has, which were compiled loops or fused, and where one engine runs one and the other composes several.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from curriculum import commands
from curriculum.files import write

from . import compare, engines, own, report, start
from .report import RESULTS, RUNS
from .workloads import GROUPS, WORKLOADS

OWN = f"""a file of your own for --workloads, mine.py:

{textwrap.indent(own.EXAMPLE, "    ")}
    python -m benchmarks --workloads mine.py                    all of its workloads
    python -m benchmarks --workloads mine.py rms softmax        one of them, beside a built-in one
    python -m benchmarks profile rms --workloads mine.py        where minigrad's time goes
"""


def arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, epilog=OWN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("chosen", nargs="*", metavar="workload", help=f"any of {', '.join([*GROUPS, *WORKLOADS])}")
    parser.add_argument(
        "--workloads", action="append", default=[], metavar="FILE",
        help="take workloads from this Python file too; without names, these alone are run",
    )  # fmt: skip
    parser.add_argument("--engines", default="minigrad,torch", help=f"any of {','.join(engines.ENGINES)}, or all")
    parser.add_argument("--rounds", type=commands.whole(), default=5, help="rounds of each engine, in turn (5)")
    parser.add_argument("--seconds", type=commands.above_zero, default=0.5, help="length of a round (0.5)")
    parser.add_argument(
        "--threads",
        type=commands.whole(most=1024),
        default=min(2, os.cpu_count() or 1),
        help="threads of each engine (2)",
    )
    parser.add_argument("--no-start", action="store_true", help="do not time the start of a process")
    parser.add_argument(
        "--save", type=commands.plain_name, metavar="NAME",
        help=f"keep table, JSON and picture as benchmarks/results/NAME.*, with --workloads as {RUNS}/NAME.*",
    )  # fmt: skip
    parser.add_argument("--json", type=commands.file_to_write, metavar="FILE", help="write the figures to this file")
    options = parser.parse_args(given)
    try:
        of_files = [name for file in options.workloads for name in own.load(file)]
    except own.Unusable as problem:
        parser.error(str(problem))
    names, options.chosen = options.chosen or of_files or list(WORKLOADS), []
    for name in names:
        if name in GROUPS:
            options.chosen += [w.name for w in WORKLOADS.values() if w.kind == GROUPS[name]]
        elif name in WORKLOADS:
            options.chosen.append(name)
        else:
            parser.error(f"unknown workload {name!r}; there are {', '.join([*GROUPS, *WORKLOADS])}")
    asked = list(engines.ENGINES) if options.engines == "all" else options.engines.split(",")
    for name in asked:
        if name not in engines.ENGINES:
            parser.error(f"unknown engine {name!r}; there are {', '.join(engines.ENGINES)}")
    missing = [name for name in asked if not engines.installed(name)]
    if missing and options.engines != "all":
        names = ", ".join(engines.ENGINES[name].package for name in missing)
        parser.error(f"{', '.join(missing)} is not installed: pip install {names}")
    if options.save and (lost := _lost(_kept(options), options.chosen)):
        parser.error(
            f"--save {options.save}: {_kept(options)} keeps figures of {len(lost)} more ({', '.join(lost[:4])}{', ...' * (len(lost) > 4)}), which "
            "this run would not measure: give another name, or name these too"
        )
    options.missing = missing
    options.asked = [name for name in asked if name not in missing]
    return options


def _kept(options: argparse.Namespace) -> Path:
    folder = RUNS if options.workloads else RESULTS  # a user's figures are none of the README's
    return folder / f"{options.save}.json"


def _lost(kept: Path, chosen: list[str]) -> list[str]:
    """The workloads of which figures are kept there and would be overwritten by a run of others."""
    if not kept.exists():
        return []
    try:
        return [name for name in json.loads(kept.read_text(encoding="utf-8"))["workloads"] if name not in chosen]
    except (ValueError, KeyError, TypeError):
        return []  # not a file of figures that anything could be read from


def quote(given: list[str]) -> int:
    """Print kept figures as the README quotes them."""
    kept = sorted(path.stem for path in RESULTS.glob("*.json"))
    parser = argparse.ArgumentParser(prog="python -m benchmarks quote", description=quote.__doc__)
    parser.add_argument("name", nargs="?", default="cpu", choices=kept, help="under which name they were kept (cpu)")
    name = parser.parse_args(given).name
    print(report.quote(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))))
    return 0


def main(given: list[str] | None = None) -> int:
    given = sys.argv[1:] if given is None else given
    if given[:1] == ["scaling"]:
        from . import scaling

        return scaling.main(given[1:])
    if given[:1] == ["profile"]:
        from . import profile

        return profile.main(given[1:])
    if given[:1] == ["compile"]:
        from . import compiled

        return compiled.main(given[1:])
    if given[:1] == ["operations"]:
        from . import operations

        return operations.main(given[1:])
    if given[:1] == ["lessons"]:
        from . import lessons

        return lessons.main(given[1:])
    if given[:1] == ["throughput"]:
        from . import throughput

        return throughput.main(given[1:])
    if given[:1] == ["quote"]:
        return quote(given[1:])
    options = arguments(given)
    from rich.console import Console
    from rich.progress import Progress

    console = Console() if sys.stdout.isatty() else Console(width=150)
    env = compare.environment(options.threads)
    found = compare.environment(options.threads, "found") if "OPENBLAS_CORETYPE" in os.environ else None
    machine = json.loads(
        subprocess.run(
            [sys.executable, "-m", "benchmarks.machine", str(options.threads)], env=env, capture_output=True, text=True, check=True
        ).stdout
    )  # fmt: skip
    results: dict[str, Any] = {"machine": machine["facts"], "limits": machine["limits"], "workloads": {}}
    if found:
        results["machine"]["OPENBLAS_CORETYPE as found"] = os.environ["OPENBLAS_CORETYPE"]
    good, without = True, []
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("", total=len(options.chosen) * options.rounds * (2 if found else 1))
        for name in options.chosen:
            progress.update(task, description=name)
            able = [engine for engine in options.asked if engines.runs(engine, name)]
            without += [f"{engine} has no {name}" for engine in options.asked if engine not in able]
            if not able:
                continue
            setting = (options.rounds, options.seconds, options.threads)
            try:
                figures = compare.measure(name, able, *setting, env, lambda: progress.advance(task), watch=True)
                if found:
                    pair = [engine for engine in ("minigrad", "torch") if engine in able]
                    again = compare.measure(name, pair, *setting, found, lambda: progress.advance(task))
                    for engine in pair:
                        figures[engine]["as_found"] = {k: again[engine].get(k) for k in ("median_s", "ratio")}
            except compare.Failed as problem:
                console.print(str(problem), style="red")
                good = False
                continue
            for entry in figures.values():
                if "error" in entry:
                    console.print(entry["error"], style="red")
                    good = False
                else:
                    entry["share"] = compare.share(name, entry["median_s"], machine["limits"])
            results["workloads"][name] = figures
        if not options.no_start and "cnn" in options.chosen:
            progress.update(task, description="start of a process")
            results["start"] = start.measure(
                [e for e in options.asked if engines.runs(e, "cnn")], "cnn", options.threads, env
            )
    ratios = [
        f["minigrad"]["ratio"]
        for name, f in results["workloads"].items()
        if WORKLOADS[name].kind == "operation" and "ratio" in f.get("minigrad", {})
    ]
    if ratios:
        results["geometric_mean_of_operations"] = math.exp(sum(map(math.log, ratios)) / len(ratios))
    report.show(results, console)
    for name in options.missing:
        console.print(f"{name} was left out: it is not installed (pip install {engines.ENGINES[name].package})")
    if options.workloads and without:  # of the built-in ones the table below --engines in the help tells enough
        console.print("; ".join(without), highlight=False)
    if options.json:
        write(options.json, json.dumps(results, indent=1) + "\n")
    if options.save:
        kept = _kept(options)
        write(kept, json.dumps(results, indent=1) + "\n")
        write(kept.with_suffix(".md"), report.markdown(results))
        write(kept.with_suffix(".png"), report.picture(results))
        console.print(f"kept as {kept}, .md and .png", soft_wrap=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(commands.run(main))
