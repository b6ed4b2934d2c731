"""The figures as a table for the terminal, as Markdown, and as a picture, and where they are kept."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from curriculum.commands import counted

from . import forms
from .workloads import WORKLOADS

RESULTS = Path(__file__).parent / "results"  # the figures that are kept with the code; the README quotes cpu.json
RUNS = Path("runs") / "benchmarks"  # below the current folder: those of a user's own workloads
LABEL = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}  # readable where a mark runs through it
HEAD = ("workload", "engine", "median", "spread", "ratio", "bar", "as found", "of limit", "peak memory", "ran")


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def _memory(entry: dict[str, Any]) -> str:
    growth = f"{entry['peak_bytes'] / 2**20:.0f} MiB"
    whole = entry.get("process_peak_bytes")
    return f"{growth} of {whole / 2**20:.0f} MiB" if whole else growth


def table(results: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """The head, and one row for each workload and engine; without "ran" where nobody looked at what ran."""
    rows = []
    for name, figures in results["workloads"].items():
        for engine, entry in figures.items():
            if "error" in entry:
                rows.append([name, engine, "failed", *[""] * (len(HEAD) - 3)])
                continue
            bar = WORKLOADS[name].bar
            ratio, again = entry.get("ratio"), entry.get("as_found", {}).get("ratio")
            rows.append(
                [
                    name,
                    engine,
                    _time(entry["median_s"]),
                    f"{_time(entry['low_s'])} to {_time(entry['high_s'])}",
                    f"{ratio:.2f}" if ratio and engine != "torch" else "",
                    f"{bar:g}" if bar and engine == "minigrad" else "",
                    f"{again:.2f}" if again and engine != "torch" else "",
                    f"{100 * entry['share']:.0f} %" if entry.get("share") else "",
                    _memory(entry),
                    forms.count(entry["ran"]) if "ran" in entry else "",
                ]
            )
    shown = len(HEAD) if _watched(results) else len(HEAD) - 1
    return list(HEAD[:shown]), [row[:shown] for row in rows]


def _watched(results: dict[str, Any]) -> bool:
    return any("ran" in entry for figures in results["workloads"].values() for entry in figures.values())


def unlike(results: dict[str, Any]) -> list[str]:
    """Where engines did not run like for like, one line for each difference and the workloads that share it."""
    workloads: dict[str, list[str]] = {}
    for name, figures in results["workloads"].items():
        for difference in forms.differences(figures):
            workloads.setdefault(difference, []).append(name)
    return [f"{', '.join(names)}: {difference}" for difference, names in workloads.items()]


def remarks(results: dict[str, Any]) -> list[str]:
    lines = []
    if _watched(results):
        lines.append(
            "ran: the operations of one step, as they were seen to run; compiled: in a loop compiled by Numba (or torch.compile), "
            "fused: by an operation that has a definition in others and computes it at once in NumPy"
        )
        different = unlike(results)
        lines.append(
            "not like for like:" if different else "like for like: no engine composed what the other ran at once"
        )
        lines += [f"    {line}" for line in different]
    if mean := results.get("geometric_mean_of_operations"):
        lines.append(f"geometric mean of the operations' ratios: {mean:.2f}")
    for engine, entry in results.get("start", {}).items():
        if "error" not in entry:
            lines.append(
                f"start of a process to the end of the CNN's first step, {engine}: {entry['warm_s']:.2f} s "
                f"(empty kernel cache: {entry['cold_s']:.2f} s)"
            )
    if any("process_peak_bytes" in entry for figures in results["workloads"].values() for entry in figures.values()):
        lines.append(
            "peak memory: what the first three steps added to the process at most, after each engine had loaded its libraries "
            "(PyTorch; Numba and the kernels), of the most that the whole process held, libraries included"
        )
    limits = results["limits"]
    lines.append(
        f"limits measured in this run: {limits['matrix_rate'] / 1e9:.0f} GFLOP/s, {limits['bandwidth'] / 1e9:.1f} GB/s"
    )
    lines.append(", ".join(f"{key} {value}" for key, value in results["machine"].items()))
    return lines


def show(results: dict[str, Any], console: Any) -> None:
    from rich.table import Table

    head, rows = table(results)
    shown = Table(title="One step, and the ratio to PyTorch eager (above 1: faster)")
    for column in head:
        shown.add_column(column, justify="left" if column in ("workload", "engine", "ran") else "right")
    last = ""
    for row in rows:
        shown.add_row(row[0] if row[0] != last else "", *row[1:])
        last = row[0]
    console.print(shown)
    for line in remarks(results):
        console.print(line, highlight=False)


def markdown(results: dict[str, Any]) -> str:
    head, rows = table(results)
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([*lines, "", *(f"{line}  " for line in remarks(results)), ""])


def quote(results: dict[str, Any]) -> str:
    """What the README says of the figures: each workload's ratio, and the aim."""
    machine = results["machine"]
    lines = [
        f"Measured on {machine['date']}: {counted(machine['cores'], 'core')} of an {machine['cpu']}, float32, {counted(machine['threads'], 'thread')}, "
        f"Python {machine['python']}, NumPy {machine['numpy']} with {machine['blas']}, PyTorch {machine['torch']}.",
        "",
        "| one training step, or forward and backward | minigrad | PyTorch eager | ratio | aim |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, figures in results["workloads"].items():
        ours, theirs, bar = figures["minigrad"], figures["torch"], WORKLOADS[name].bar
        cells = [
            WORKLOADS[name].what,
            _time(ours["median_s"]),
            _time(theirs["median_s"]),
            f"{ours['ratio']:.2f}",
            f"{bar:g}" if bar else "",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    mean, start = results["geometric_mean_of_operations"], results["start"]
    lines += [
        "",
        f"Geometric mean over the single operations: {mean:.2f}. From the start of a process to the end of the CNN's first step "
        f"minigrad takes {start['minigrad']['warm_s']:.2f} s ({start['minigrad']['cold_s']:.1f} s where the kernels must be compiled "
        f"first), PyTorch {start['torch']['warm_s']:.2f} s.",
    ]
    if _watched(results):
        different = [f"- {line}" for line in unlike(results)]
        lines += [
            "",
            "Where one engine runs one loop and the other composes several (seen in the step itself):",
            "",
            *different,
        ]
    return "\n".join(lines)


def picture(results: dict[str, Any]) -> bytes:
    """The ratio of each engine by workload, on a logarithmic axis, with the bars that are asked for."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FixedLocator, NullLocator

    names = [n for n, f in results["workloads"].items() if any("ratio" in e for k, e in f.items() if k != "torch")]
    others = list(dict.fromkeys(e for n in names for e in results["workloads"][n] if e != "torch"))
    fig, ax = plt.subplots(figsize=(8, 1.2 + 0.34 * len(names) * max(1, len(others) * 0.6)))
    height = 0.8 / max(len(others), 1)
    for k, engine in enumerate(others):
        places = [
            (i, results["workloads"][n][engine]["ratio"])
            for i, n in enumerate(names)
            if "ratio" in results["workloads"][n].get(engine, {})
        ]
        bars = ax.barh(
            [i + (k - (len(others) - 1) / 2) * height for i, _ in places],
            [r for _, r in places],
            height * 0.9,
            label=engine,
        )
        ax.bar_label(bars, [f"{r:.2f}" for _, r in places], padding=3, fontsize=8, bbox=LABEL, zorder=4)
    for i, name in enumerate(names):
        bar = WORKLOADS[name].bar
        if bar:
            ax.plot([bar, bar], [i - 0.45, i + 0.45], color="black", linewidth=1.2, label="aim" if i == 0 else None)
    ax.axvline(1, color="grey", linewidth=0.8)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator([0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set_xlabel("times as fast as PyTorch eager")
    ax.margins(x=0.12)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)
    content = io.BytesIO()
    fig.savefig(content, format="png", dpi=110, bbox_inches="tight")
    plt.close(fig)
    return content.getvalue()
