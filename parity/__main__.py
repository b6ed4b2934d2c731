"""`python -m parity [names] [--examples N] [--seed S] [--form FORM] [--json FILE]`: the case table against PyTorch."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import json
import sys
import time
import warnings
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from curriculum import commands
from minigrad import files
from minigrad.autograd.fused import Fused
from minigrad.counted import counted

from . import fuzz, html, kept
from .agreement import Mismatch, Tally, check_case
from .case import Case
from .cases import CASES
from .engines import POSITIONS
from .fuzz_calls import check_prefixes


def chosen(names: list[str]) -> list[Case]:
    """The cases of these names: a case, its variants ("add" means "add.mixed" too), a last part ("gelu") or a family."""
    if not names:
        return list(CASES.values())
    found: list[Case] = []
    for name in names:
        some = [
            c for c in CASES.values()
            if name in (c.name, c.family) or c.name.startswith(name + ".") or name in c.name.split(".") or name in c.covers
        ]  # fmt: skip
        if not some:
            near = [c.name for c in CASES.values() if name.lower() in c.name.lower()]
            near = near or difflib.get_close_matches(
                name, [*{n for c in CASES.values() for n in (c.name, c.name.split(".")[-1])}]
            )
            hint = (
                f"; similar: {', '.join(near[:8])}"
                if near
                else f"; families: {', '.join(sorted({c.family for c in CASES.values()}))}"
            )
            raise SystemExit(f"there is no case or family called {name!r}{hint}")
        found += some
    return list({c.name: c for c in found}.values())


def run(cases: list[Case], examples: int, seed: int, console: Console, form: str | None = None) -> dict[str, Any]:
    """Compare and show the progress; what was found, by case. form: of fused operations, drawn for each example if None."""
    results: dict[str, Any] = {}
    bar = Progress(
        TextColumn("{task.description:32}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    with bar, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        task = bar.add_task("", total=len(cases))
        for case in cases:
            bar.update(task, description=case.name)
            tally, error = Tally(), None
            used: dict[str, type] = {}
            try:
                with html.recording(used):
                    check_case(case, examples, seed, tally, form)
            except Mismatch as mismatch:
                error = str(mismatch)
            results[case.name] = {
                "family": case.family,
                "tolerance": case.tolerance.name,
                "examples": tally.examples,
                "raised": tally.raised,
                "forms": tally.forms,
                "positions": tally.positions,
                "fused": any(issubclass(cls, Fused) for cls in used.values()),
                "compiled": any(cls.__module__.startswith("minigrad.kernels.") for cls in used.values()),
                "worst": {kind: asdict(w) for kind, w in tally.worst.items()},
                "bins": tally.bins,
                "operations": html.documented(used),
                "used": kept.named(used),
                "error": error,
            }
            bar.advance(task)
    return results


def summary(results: dict[str, Any]) -> Table:
    """One line a family: cases, examples, the worst differences."""
    by_family: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for result in results.values():
        by_family[result["family"]].append(result)
    table = Table(
        title="minigrad against PyTorch: worst differences, relative (and in ulp)",
        title_justify="left",
    )
    for heading in (
        "family",
        "cases",
        "examples",
        "both raise",
        "value",
        "gradient",
        "second",
        "float32 value",
        "float32 gradient",
        "wrong",
    ):
        table.add_column(heading, justify="left" if heading == "family" else "right")
    for name, group in by_family.items():

        def worst(kind: str, group: list[dict[str, Any]] = group) -> str:
            found = [r["worst"][kind] for r in group if kind in r["worst"]]
            if not found:
                return "-"
            return f"{max(w['relative'] for w in found):.1e} ({max(w['ulp'] for w in found):.3g})"

        wrong = sum(r["error"] is not None for r in group)
        table.add_row(
            name, str(len(group)), str(sum(r["examples"] for r in group)), str(sum(r["raised"] for r in group)),
            *(worst(kind) for kind in html.KINDS),
            f"[red]{wrong}[/]" if wrong else "0",
        )  # fmt: skip
    return table


def told_forms(results: dict[str, Any]) -> str:
    """How many examples ran in each form of fused operations, and how many cases that concerns."""
    counts = {name: sum(r["positions"].get(name, 0) for r in results.values()) for name in POSITIONS}
    fused, compiled = (sum(r[kind] for r in results.values()) for kind in ("fused", "compiled"))
    return (
        f"examples by the form of fused operations: {', '.join(f'{name} {n}' for name, n in counts.items())}\n"
        f"{fused} of {counted(len(results), 'case')} apply fused operations, {compiled} of them a compiled one"
    )


def run_writes(examples: int, seed: int, path: Path | None, console: Console) -> int:
    """Random programs of views and in-place changes, with what was found in words."""
    from . import writes

    with Progress(
        TextColumn("{task.description:32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console, transient=True
    ) as bar:  # fmt: skip
        task = bar.add_task("views and in-place changes", total=examples)
        found = writes.run(examples, seed, lambda: bar.advance(task))
    share = found["answered"] / max(found["pytorch_answers"], 1)
    console.print(
        f"{counted(found['examples'], 'program')} of {counted(found['lines'], 'line')}, {found['raising_lines']} of which raise in both: "
        f"{len(found['failures'])} wrong; of {found['pytorch_answers']} that PyTorch answers minigrad answers {share:.2%}, and "
        f"rightly {found['extra']} that PyTorch refuses; {found['explained']} explained; worst difference {found['worst']:.1e}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    for failure in found["failures"]:
        console.print(f"\n{failure}", markup=False, highlight=False, soft_wrap=True)
    if path is not None:
        write_json(path, found)
    return 1 if found["failures"] else 0


def write_json(path: Path, found: dict[str, Any]) -> None:
    files.write(path, json.dumps(found, indent=1) + "\n")


def run_programs(examples: int, seed: int, path: Path | None, console: Console) -> int:
    """Random programs in both engines, with what was found in words."""
    from . import programs

    with Progress(
        TextColumn("{task.description:32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console, transient=True
    ) as bar:  # fmt: skip
        task = bar.add_task("random programs", total=examples)
        found = programs.run(examples, seed, lambda: bar.advance(task))
    told = ", ".join(f"{name} {n}" for name, n in found["positions"].items())
    console.print(f"programs by the form of fused operations: {told}", highlight=False)
    console.print(
        f"{counted(found['examples'], 'program')} of {counted(found['operations'], 'operation')}: {len(found['failures'])} wrong; worst difference "
        f"{found['worst']:.1e} over the program's condition, {found['worst_plain']:.1e} as it is (largest condition "
        f"{found['worst_condition']:.1e}); both engines refuse {found['both_refuse']}, one of them {found['one_refuses']}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    for failure in found["failures"]:
        console.print(f"\n{failure}", markup=False, highlight=False, soft_wrap=True)
    if path:
        write_json(path, found)
    return 1 if found["failures"] else 0


def run_third(console: Console) -> int:
    """The third opinion: how far JAX is from what two engines agree on, and where it chooses otherwise."""
    from . import third

    if not third.installed():
        raise SystemExit("the third opinion is JAX's, which is not installed: pip install jax")
    found = third.ask()
    wrong = {name: d for name, d in found["agreed"].items() if not max(d.values()) < 1e-12}
    worst = max(max(d.values()) for d in found["agreed"].values())
    console.print(
        f"{counted(len(found['agreed']), 'function')} and networks: worst difference of three engines {worst:.1e}",
        highlight=False,
    )
    table = Table(title="Conventions that minigrad and PyTorch share and JAX does not", title_justify="left")
    for heading in ("where", "minigrad and PyTorch", "JAX", "why"):
        table.add_column(heading)
    for convention in third.CONVENTIONS:
        given = found["conventions"][convention.opinion.name]
        table.add_row(
            convention.opinion.name,
            *(escape(", ".join(map(str, given[e]))) for e in ("minigrad", "JAX")),
            convention.why,
        )
    console.print(table)
    for name, d in wrong.items():
        console.print(f"[red]{name}[/]: {d}", highlight=False)
    return 1 if wrong else 0


def run_faults(console: Console) -> int:
    """The checker checked: each planted fault, by which check it was caught, and after how many examples.

    In the engine, one by one (mutants.py), and in every array that every compiled loop computes (kernels.py).
    """
    from . import kernels
    from .mutants import MUTANTS, caught

    found: dict[str, tuple[str, int] | None] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found |= {name: caught(name) for name in MUTANTS}
        console.print(_faults("Planted faults", found))
        in_kernels = {fault.name: kernels.caught(fault) for fault in kernels.faults()}
        console.print(_faults("Planted faults in compiled loops", in_kernels))
        never = kernels.never_compared()
    missed = [name for name, check in (found | in_kernels).items() if check is None]
    console.print(
        f"{counted(len(found) + len(in_kernels), 'fault')} ({len(found)} in the engine, {len(in_kernels)} in the arrays that "
        f"{len({fault.kernel for fault in kernels.faults()})} compiled loops compute), {len(missed)} not caught; "
        f"{len(never)} compiled loops without a comparison{': ' * bool(never)}{', '.join(never)}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    return 1 if missed or never else 0


def _faults(title: str, found: dict[str, tuple[str, int] | None]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in ("fault", "caught by", "after examples"):
        table.add_column(heading, justify="right" if heading == "after examples" else "left")
    for name, check in found.items():
        table.add_row(name, *(("[red]nothing[/]", "") if check is None else (check[0], str(check[1]))))
    return table


# What may be asked in the place of cases, and which options mean something there.
CASES_OPTIONS = ("examples", "seed", "json", "html", "dtype", "form", "list")
MEANING = {
    "fuzz": ("calls", "sweep", "prefixes", "seed", "json"),
    "fuzz --sweep": ("sweep", "prefixes", "json"),
    "programs": ("examples", "seed", "json"),
    "programs writes": ("examples", "seed", "json"),
    "faults": (),
    "third": (),
    "cases": CASES_OPTIONS,
    "cases --list": ("list", "dtype"),
}


def arguments(argv: list[str]) -> argparse.Namespace:
    """What was asked; its `mode` is one of MEANING."""
    parser = argparse.ArgumentParser(
        prog="python -m parity", description="Compare minigrad with PyTorch, case by case."
    )
    parser.add_argument(
        "names",
        nargs="*",
        help="cases, last parts of names (gelu) or families (pooling), all if none is given; or programs, programs writes (views and "
        "in-place changes), faults, third, fuzz",
    )
    parser.add_argument("--calls", type=commands.whole(), help="of fuzz: how many calls are tried (2000)")
    parser.add_argument(
        "--sweep",
        action="store_true",
        help="of fuzz: each argument of each name spoilt in every way, in the place of calls drawn",
    )
    parser.add_argument(
        "--names",
        dest="prefixes",
        nargs="+",
        default=[],
        metavar="PREFIX",
        help="of fuzz: only names that start so: torch. Tensor. nn.",
    )
    parser.add_argument("--examples", type=commands.whole(), default=50, help="drawn calls a case (50)")
    parser.add_argument("--seed", type=commands.seed, default=0, help="seed of the first draw (0)")
    parser.add_argument("--json", type=commands.file_to_write, metavar="FILE", help="write what was found here")
    parser.add_argument(
        "--html",
        type=commands.folder_to_write,
        metavar="FOLDER",
        help="write a report: index.html and a page for each case",
    )
    parser.add_argument("--dtype", choices=["float64", "float32"], help="compare in this type only (default: both)")
    parser.add_argument(
        "--form", choices=POSITIONS, help="of fused operations, in all examples (default: each example draws one)"
    )
    parser.add_argument("--list", action="store_true", help="name the cases and stop")
    options = parser.parse_args(argv)
    what = " ".join(options.names)
    options.mode = what if what in MEANING else "cases"
    if options.names and options.mode == "cases" and (first := options.names[0]) in {*MEANING} - {"cases"}:
        also = [mode.removeprefix(first + " ") for mode in MEANING if mode.startswith(first + " ") and "--" not in mode]
        parser.error(
            f"{first} is followed by {' or '.join([*also, 'no name'])}, not by {' '.join(options.names[1:])!r}"
        )
    for name in ("sweep", "list"):
        if f"{options.mode} --{name}" in MEANING and getattr(options, name):
            options.mode += f" --{name}"
    idle = [a.dest for a in parser._actions if a.option_strings and a.dest not in ("help", *MEANING[options.mode])]
    commands.refuse_beside(parser, argv, idle, f"of {options.mode}")
    try:
        check_prefixes(tuple(options.prefixes))
    except ValueError as problem:
        parser.error(str(problem))
    return options


def main(argv: list[str] | None = None) -> int:
    options = arguments(sys.argv[1:] if argv is None else argv)
    console = Console(width=None if sys.stdout.isatty() else 160)
    if options.mode.startswith("fuzz"):
        calls = None if options.sweep else 2000 if options.calls is None else options.calls
        return fuzz.main(calls, options.seed, options.json, tuple(options.prefixes))
    if options.mode == "third":
        return run_third(console)
    if options.mode == "faults":
        return run_faults(console)
    if options.mode == "programs writes":
        return run_writes(options.examples, options.seed, options.json, console)
    if options.mode == "programs":
        return run_programs(options.examples, options.seed, options.json, console)
    cases = chosen(options.names)
    if options.dtype == "float64":
        cases = [dataclasses.replace(case, float32=False) for case in cases]
    elif options.dtype == "float32":
        cases = [case for case in cases if case.float32]
    if options.list:
        for case in cases:
            console.print(f"{case.family:16} {case.name}", highlight=False)
        return 0
    start = time.perf_counter()
    results = run(cases, options.examples, options.seed, console, options.form)
    if options.dtype == "float32":
        for result in results.values():
            result["worst"] = {kind: worst for kind, worst in result["worst"].items() if kind.startswith("float32")}
            result["bins"] = {kind: bins for kind, bins in result["bins"].items() if kind.startswith("float32")}
    console.print(summary(results))
    errors = {name: r["error"] for name, r in results.items() if r["error"]}
    for name, error in errors.items():
        console.print(f"\n[red]{name}[/]", highlight=False)
        console.print(error, markup=False, highlight=False)
    total = sum(r["examples"] for r in results.values())
    console.print(f"\n{told_forms(results)}", highlight=False, soft_wrap=True)
    console.print(
        f"{counted(len(cases), 'case')}, {counted(total, 'example')}, {len(errors)} wrong, {time.perf_counter() - start:.1f} s",
        highlight=False,
    )
    if options.json:
        write_json(options.json, results)
        console.print(f"written: {options.json}", highlight=False)
    if options.html:
        console.print(f"report: {html.write(options.html, results)}", highlight=False, soft_wrap=True)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(commands.run(main))
