"""The pictures and pages of the lessons. matplotlib is imported with the first picture, without a window."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import record

BLUE, ORANGE, GREY = "#1f5fa8", "#d9601a", "#8a8f98"
ROOM = 100_000  # bytes of a page's tensors: a site holds many pages
SIGNS = "RdBu"  # of numbers with a sign: red is negative, blue positive, as in every picture and page of the project


def pyplot() -> Any:
    """matplotlib.pyplot, or one clear line where matplotlib is missing."""
    try:
        import matplotlib
    except ModuleNotFoundError:
        raise SystemExit("The lessons draw with matplotlib, which is missing: pip install matplotlib.") from None
    if "ipykernel" not in sys.modules:
        matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "font.size": 10})
    return plt


def curves(runs: dict[str, Sequence[float]], xlabel: str, ylabel: str, log: bool = True) -> Any:
    """One line per run over its step number."""
    fig, ax = pyplot().subplots(figsize=(6, 3.6))
    for (name, values), color in zip(runs.items(), (BLUE, ORANGE, GREY, "#2b8a5a", "#7d4aa8"), strict=False):
        ax.plot(range(len(values)), values, label=name, color=color)
    ax.set(xlabel=xlabel, ylabel=ylabel, yscale="log" if log else "linear")
    ax.legend(frameon=False)
    return fig


def walk(weights: Sequence[float], losses: Sequence[float], loss_of: Any) -> Any:
    """The loss as a function of one weight, with the path that the descent walked on it."""
    fig, ax = pyplot().subplots(figsize=(6, 3.6))
    low, high = min(weights), max(weights)
    margin = 0.6 * (high - low)
    grid = np.linspace(low - 0.2 * margin, high + margin, 200)
    ax.plot(grid, [loss_of(w) for w in grid], color=GREY, label="loss of the weight")
    ax.plot(weights, losses, "o-", color=ORANGE, markersize=4, label="the path walked")
    ax.annotate("start", (weights[0], losses[0]), textcoords="offset points", xytext=(8, 4))
    ax.set(xlabel="weight w", ylabel="loss")
    ax.legend(frameon=False)
    return fig


def matrices(parts: Mapping[str, Any], frames: Mapping[str, tuple[int, Sequence[int]]] | None = None) -> Any:
    """Small matrices with their numbers, side by side; of a part in `frames`, (row, columns) are framed in orange."""
    sizes = [np.shape(part) for part in parts.values()]
    fig, axes = pyplot().subplots(1, len(parts), figsize=(10, 2.4), width_ratios=[columns for _, columns in sizes])
    for ax, (name, part) in zip(axes, parts.items(), strict=True):
        values = np.asarray(part)
        ax.imshow(values, cmap=SIGNS, vmin=-24, vmax=24)
        for (row, column), value in np.ndenumerate(values):
            ax.text(column, row, f"{value:g}", ha="center", va="center", fontsize=9)
        row, columns = (frames or {}).get(name, (0, []))
        for column in columns:
            box = (column - 0.46, row - 0.46), 0.92, 0.92
            ax.add_patch(pyplot().Rectangle(*box, fill=False, edgecolor=ORANGE, linewidth=2))
        ax.set_title(name, fontsize=9)
        ax.set(xticks=[], yticks=[])
    fig.tight_layout()
    return fig


def twins(losses: Mapping[str, Sequence[float]], shares: Mapping[str, Sequence[float]]) -> Any:
    """Two losses over one another, the first thick, and beside them the shares that are right after each epoch."""
    fig, (left, right) = pyplot().subplots(1, 2, figsize=(9, 3.4))
    for (name, values), width, color in zip(losses.items(), (4, 1.2), (GREY, "black"), strict=True):
        left.plot(values, linewidth=width, color=color, label=name)
    for (name, values), color in zip(shares.items(), (BLUE, ORANGE), strict=True):
        right.plot(100 * np.asarray(values), "o-", markersize=4, color=color, label=name)
    left.set(xlabel="step", ylabel="loss", ylim=(0, None))
    right.set(xlabel="epoch", ylabel="read right, %", ylim=(0, 103))
    left.legend(frameon=False)
    right.legend(frameon=False, loc="lower right")
    fig.tight_layout()
    return fig


def graph(last: Any) -> Any:
    """The graph of a number: a box for each, to the right of what it was made from, with the slope at each arrow.

    Numbers have .name, .value, .grad and .parents, pairs of a number and the slope towards it.
    """
    depth: dict[Any, int] = {}

    def place(number: Any) -> int:
        if number not in depth:
            depth[number] = 1 + max((place(parent) for parent, _ in number.parents), default=-1)
        return depth[number]

    place(last)
    for number in sorted(depth, key=lambda n: -depth[n]):  # a leaf stands just before the first that uses it
        for parent, _ in number.parents:
            if not parent.parents:
                depth[parent] = min(depth[n] for n in depth if any(p is parent for p, _ in n.parents)) - 1
    columns = [[n for n in depth if depth[n] == level] for level in range(max(depth.values()) + 1)]
    fig, ax = pyplot().subplots(figsize=(2 * len(columns), 1.5 * max(map(len, columns)) + 0.4))
    spots = {n: (2.0 * x, (len(c) - 1) / 2 - i) for x, c in enumerate(columns) for i, n in enumerate(c)}
    for number, (x, y) in spots.items():
        text = f"{number.name}\nvalue {number.value:.3g}\ngrad {number.grad:.3g}"
        color = "#e8eef6" if number.parents else "#f3f3f3"
        ax.text(x, y, text, ha="center", va="center", fontsize=9, bbox={"boxstyle": "round", "fc": color, "ec": GREY})
        for parent, slope in number.parents:
            (px, py), arrow = spots[parent], {"arrowstyle": "->", "color": GREY, "shrinkA": 0, "shrinkB": 0}
            ax.annotate("", (x - 0.5, y + 0.1 * (py - y)), (px + 0.5, py), arrowprops=arrow)
            ax.text(
                (x + px) / 2, (y + py) / 2 + 0.1, f"· {slope:.3g}", ha="center", va="bottom", fontsize=8, color=BLUE
            )
    ax.set(xlim=(-0.8, 2 * len(columns) - 1.2), ylim=(-max(map(len, columns)) / 2, max(map(len, columns)) / 2))
    ax.axis("off")
    return fig


def plane(answer: Callable[[float, float], float], points: Any, wanted: Any, losses: Sequence[float]) -> Any:
    """A network's answer over a square, with the points in the colour that they should have; beside it the loss."""
    fig, (left, right) = pyplot().subplots(1, 2, figsize=(9, 3.7), width_ratios=(1, 1.2))
    ticks = np.linspace(-1.05, 1.05, 43)
    field = np.array([[answer(float(x), float(y)) for x in ticks] for y in ticks])
    left.pcolormesh(ticks, ticks, field, cmap=SIGNS, vmin=-1.6, vmax=1.6, shading="gouraud")
    left.contour(ticks, ticks, field, levels=[0], colors="black", linewidths=1.2)
    left.scatter(*np.asarray(points).T, c=wanted, cmap=SIGNS, vmin=-1.4, vmax=1.4, edgecolors="black", s=34)
    left.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    right.plot(losses, color=BLUE)
    right.set(xlabel="step", ylabel="loss", ylim=(0, None))
    fig.tight_layout()
    return fig


def lines(xs: Any, ys: Any, weights: Mapping[str, float]) -> Any:
    """The data as points, and a line through the origin for each weight, the later the darker."""
    fig, ax = pyplot().subplots(figsize=(6, 3.8))
    ax.scatter(xs, ys, s=18, color=GREY, label="data")
    ends = np.array([np.min(xs), np.max(xs)])
    for shade, (name, weight) in zip(np.linspace(0.25, 1, len(weights)), weights.items(), strict=True):
        ax.plot(ends, weight * ends, color=BLUE, alpha=shade, label=name)
    ax.set(xlabel="x", ylabel="y")
    ax.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))
    return fig


def rates(paths: Mapping[float, Sequence[float]], loss_of: Callable[[float], float]) -> Any:
    """A panel for each learning rate: the loss as a function of the weight, and the descent on it."""
    fig, axes = pyplot().subplots(1, len(paths), figsize=(11, 2.7), sharey=True)
    grid = np.linspace(-3, 8, 120)
    for ax, (rate, path) in zip(axes, paths.items(), strict=True):
        ax.plot(grid, [loss_of(w) for w in grid], color=GREY, linewidth=1)
        ax.plot(path, [loss_of(w) for w in path], "o-", color=BLUE, markersize=3, linewidth=0.9)
        ax.plot(path[:1], [loss_of(path[0])], "o", color="black", markersize=5)
        ax.set(title=f"rate {rate:.2g}", xlabel="weight w", xlim=(-3, 8), ylim=(-1, 32))
    axes[0].set_ylabel("loss")
    fig.tight_layout()
    return fig


def stretched(column: Any, row: Any, table: Any, slope: Any) -> Any:
    """A column and a row that made a table, and what their gradients are: sums of the slopes at the table."""
    fig, axes = pyplot().subplots(2, 4, figsize=(10, 4.6), width_ratios=(1, 7, 7, 1), height_ratios=(5, 1))
    shown = {
        (0, 0): ("column", column), (0, 1): ("table = column + row", table), (1, 1): ("row", row), (0, 2): ("slope at the table", slope),
        (0, 3): ("column.grad:\nsum of\neach row", column.grad), (1, 2): ("row.grad: sum of each column", row.grad),
    }  # fmt: skip
    for place, ax in np.ndenumerate(axes):
        if place not in shown:
            ax.remove()
            continue
        title, values = shown[place][0], shown[place][1].detach().numpy()
        ax.imshow(values, cmap=SIGNS, vmin=-5, vmax=5)
        ax.set_title(title, fontsize=9)
        ax.set(xticks=[], yticks=[])
        for spot, value in np.ndenumerate(values):
            ax.text(*spot[::-1], f"{np.round(value, 1) + 0.0:.1f}", ha="center", va="center", fontsize=7)
    fig.tight_layout()
    return fig


def found(losses: Sequence[float], truth: Any, values: Any, floor: float) -> Any:
    """A loss and the level below which it cannot fall; beside it what was found over what is true."""
    fig, (left, right) = pyplot().subplots(1, 2, figsize=(9, 3.5), width_ratios=(1.3, 1))
    left.plot(losses, color=BLUE, label="loss")
    left.axhline(floor, color=GREY, linestyle="--", label="what chance should leave")
    left.set(xlabel="step", ylabel="mean squared error", yscale="log")
    left.legend(frameon=False)
    ends = min(truth), max(truth)
    right.plot(ends, ends, color=GREY, linewidth=1)
    right.scatter(truth, values, s=22, color=BLUE)
    right.set(xlabel="true", ylabel="found")
    fig.tight_layout()
    return fig


def grey(pictures: Mapping[str, np.ndarray], most: float) -> Any:
    """Pictures from 0 (white) to `most` (black), four in a row, each under its name and over its shape."""
    rows = -(-len(pictures) // 4)
    fig, axes = pyplot().subplots(rows, 4, figsize=(9, 2.75 * rows), squeeze=False, layout="constrained")
    for ax, (name, picture) in zip(axes.flat, pictures.items(), strict=True):
        ax.imshow(picture, cmap="gray_r", vmin=0, vmax=most)
        ax.set_title(name, fontsize=9)
        ax.set_xlabel(f"shape {picture.shape}", fontsize=8)
        ax.set(xticks=[], yticks=[])
    fig.get_layout_engine().set(hspace=0.08)
    return fig


def label(name: str, most: int = 24) -> str:
    """A name from data, as it may stand at an axis: of one line, not too long. (Set it with parse_math=False.)"""
    said = " ".join(name.split())
    return said if len(said) <= most else f"{said[: most - 1]}…"


def confusion(truth: np.ndarray, guess: np.ndarray, classes: int) -> Any:
    """How often each class was taken for each."""
    counts = np.zeros((classes, classes), dtype=int)
    np.add.at(counts, (truth, guess), 1)
    fig, ax = pyplot().subplots(figsize=(5, 4.6))
    ax.imshow(np.sqrt(counts), cmap="Blues")  # the root: else the rare mistakes are invisible
    for row, column in zip(*np.nonzero(counts), strict=True):
        dark = counts[row, column] > counts.max() / 3
        ax.text(column, row, counts[row, column], ha="center", va="center", color="white" if dark else "black")
    ax.set(xlabel="predicted", ylabel="true", xticks=range(classes), yticks=range(classes))
    return fig


def images(pictures: np.ndarray, truth: np.ndarray, guess: np.ndarray) -> Any:
    """A row or two of pictures with what they show and what they were taken for, mistakes in orange."""
    rows = (len(pictures) + 7) // 8
    fig, axes = pyplot().subplots(rows, 8, figsize=(8, 1.35 * rows), squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for ax, picture, true, predicted in zip(axes.flat, pictures, truth, guess, strict=False):
        ax.imshow(picture, cmap="gray_r")
        right = true == predicted
        text = f"{predicted}" if right else f"{predicted}, is {true}"
        ax.set_title(text, fontsize=9, color="black" if right else ORANGE)
    fig.tight_layout()
    return fig


def overlay(losses: dict[str, dict[str, np.ndarray]], title: str) -> Any:
    """Each training's loss, the engines over one another: {run: {engine: loss}}."""
    columns = min(3, len(losses))  # more would be too small to read on a page
    rows = -(-len(losses) // columns)
    fig, axes = pyplot().subplots(rows, columns, figsize=(3.3 * columns, 2.6 * rows), squeeze=False)
    for ax in axes.flat[len(losses) :]:
        ax.remove()
    for ax, (run, engines) in zip(axes.flat, losses.items(), strict=False):
        for (engine, values), style, color in zip(engines.items(), ("-", "--"), (ORANGE, BLUE), strict=False):
            ax.plot(values, style, color=color, linewidth=4 if style == "-" else 1.4, label=engine)
        positive = all((values > 0).all() for values in engines.values())
        ax.set(xlabel="step", ylabel="loss", yscale="log" if positive else "linear")
        ax.set_title(label(run, 32), fontsize=10, parse_math=False)
    axes.flat[0].legend(frameon=False)
    fig.suptitle(title)
    fig.tight_layout()
    return fig


def differences(apart: dict[str, dict[str, tuple[list[int], list[float]]]]) -> Any:
    """How far two engines lie apart at each step: {dtype: {kind: (steps, worst difference)}}; equal is drawn at the foot."""
    fig, axes = pyplot().subplots(1, len(apart), figsize=(4.2 * len(apart), 3), squeeze=False)
    for ax, (dtype, kinds) in zip(axes.flat, apart.items(), strict=True):
        foot = 1e-17 if dtype == "float64" else 1e-9
        for (kind, (steps, values)), color in zip(kinds.items(), (ORANGE, GREY, BLUE), strict=False):
            ax.plot(steps, np.maximum(values, foot), ".-", color=color, label=kind, linewidth=1, markersize=3)
        ax.axhline(foot, color="black", linewidth=0.6, linestyle=":")
        ax.set(title=dtype, xlabel="step", ylabel="worst difference", yscale="log")
        ax.legend(frameon=False)
    fig.tight_layout()
    return fig


def backward(
    loss: Any, name: str, *, names: Mapping[str, Any] | None = None, words: Sequence[str] | None = None
) -> None:
    """The backward page of a loss as `name`.html: its forward and backward pass, step by step, with every number.

    loss: a tensor, or a function without arguments that computes one: minigrad runs it with all values kept, and its variables give their
    names. names: more variables whose names are shown, such as locals(). words: of a text input, for attention maps.

    minigrad's run makes the page; PyTorch's computes the same and leaves it out, so that both go on from the same state.
    """
    from .engine import engine

    if engine != "minigrad":
        if callable(loss):
            loss()
        page(Path.touch, name)  # (says whose run makes it)
        return
    from minigrad import viz
    from minigrad.viz.recording import with_variables

    with viz.recording():
        result, own = with_variables(loss) if callable(loss) else (loss, {})
    own.update(names or {})
    page(
        lambda path: viz.page(result, path, names=own, words=words, room=ROOM), name, lambda: viz.svg(result, names=own)
    )


def page(write: Callable[[Path], Any], name: str, shown: Callable[[], Any] | None = None) -> None:
    """A page that minigrad's run of a lesson makes, as `name`.html beside its pictures.

    write: makes the file at the path that it is given. shown: makes what a notebook shows in the page's place, a figure or a drawing;
    the output's metadata name the page: {"minigrad": {"page": "name.html"}}. PyTorch's run calls neither.
    """
    from .engine import engine

    notebook = "ipykernel" in sys.modules
    if engine != "minigrad":
        if notebook:
            print(f"{name}.html: this page is made by minigrad's run of the lesson.")
        return
    record.page(write, name)
    if notebook and shown is not None:
        from IPython.display import display

        display(shown(), metadata={"minigrad": {"page": f"{name}.html"}})
