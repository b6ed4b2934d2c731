"""The pictures and pages of the lessons. matplotlib is imported with the first picture, without a window."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import record

BLUE, ORANGE, GREY = "#1f5fa8", "#d9601a", "#8a8f98"  # blue: trained on; orange: held out
ROOM = 100_000  # bytes of a page's tensors: a site holds many pages
SIGNS = "RdBu"  # of numbers with a sign: red is negative, blue positive, as in every picture and page of the project
GREEN, VIOLET, BLACK = "#2b8a5a", "#7d4aa8", "#20242c"
CLASSES = (GREEN, VIOLET, "#b8860b")  # of three classes, none of them the colour of training, of held out, or of a sign
NEGATIVE, POSITIVE = "#b2182b", "#2166ac"  # of single marks, the red and blue of SIGNS


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
    for (name, values), color in zip(runs.items(), (BLUE, ORANGE, GREY, GREEN, VIOLET), strict=False):
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
    """How often each class was taken for each: right answers in blue, mistakes in orange."""
    counts = np.zeros((classes, classes), dtype=int)
    np.add.at(counts, (truth, guess), 1)
    fig, ax = pyplot().subplots(figsize=(5, 4.6))
    right = np.eye(classes, dtype=bool)
    for cells, colors in (
        (right, "Blues"),
        (~right, "Oranges"),
    ):  # each on a scale of its own: else rare mistakes are invisible
        shown = np.ma.masked_where(~cells | (counts == 0), counts)
        ax.imshow(shown, cmap=colors, vmin=0, vmax=1.6 * max(counts[cells].max(initial=1), 1))
    for row, column in zip(*np.nonzero(counts), strict=True):
        ax.text(column, row, counts[row, column], ha="center", va="center", color=BLACK)
    ax.hlines(np.arange(classes + 1) - 0.5, -0.5, classes - 0.5, color="#d5d8dd", linewidth=0.6)
    ax.vlines(np.arange(classes + 1) - 0.5, -0.5, classes - 0.5, color="#d5d8dd", linewidth=0.6)
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


def borders(
    scores: Mapping[str, np.ndarray], side: np.ndarray, points: np.ndarray, labels: Any, rule: Any = None
) -> Any:
    """What classifiers answer over the plane, a panel each: red where a score (k, k) is below 0, blue above, its border as a line.

    side: the k places along each axis. points (n, 2), labels (n,): what was trained on, in the same colours. rule: a score like the
    others, whose border is the truth, dashed.
    """
    columns = min(4, len(scores))
    rows = -(-len(scores) // columns)
    fig, axes = pyplot().subplots(
        rows, columns, figsize=(2.9 * columns, 2.9 * rows), squeeze=False, sharex=True, sharey=True
    )
    for ax in axes.flat[len(scores) :]:
        ax.remove()
    labels = np.asarray(labels) > 0.5
    for ax, (name, score) in zip(axes.flat, scores.items(), strict=False):
        ax.contourf(side, side, np.clip(score, -3.99, 3.99), levels=np.linspace(-4, 4, 17), cmap=SIGNS, alpha=0.55)
        ax.contour(side, side, score, levels=[0], colors="black", linewidths=1.5)
        if rule is not None:
            ax.contour(side, side, rule, levels=[0], colors="black", linewidths=1, linestyles="dashed")
        for which, color in ((~labels, "#a01b2c"), (labels, "#134a86")):
            ax.scatter(*np.asarray(points)[which].T, s=11, color=color, edgecolors="white", linewidths=0.4)
        ax.set_title(name, fontsize=10)
        ax.set(xlim=(side[0], side[-1]), ylim=(side[0], side[-1]), aspect="equal")
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


def paths(walks: Mapping[str, tuple[np.ndarray, Sequence[float]]], loss_of: Any, across: Any, up: Any) -> Any:
    """How rules walk through a valley of two weights: {rule: (path (steps, 2), losses)}, over the loss's contours."""
    from .engine import torch

    u, v = np.linspace(*across, 100), np.linspace(*up, 60)
    height = np.array([[loss_of(torch.tensor([a, b])).item() for a in u.tolist()] for b in v.tolist()])
    rows = -(-len(walks) // 2)
    fig, axes = pyplot().subplots(rows, 2, figsize=(9, 2.3 * rows), sharex=True, sharey=True, layout="constrained")
    for ax, (name, (path, losses)) in zip(axes.flat, walks.items(), strict=True):
        ax.contour(u, v, np.sqrt(height), 14, colors="#b0b0b0", linewidths=0.7)
        ax.plot(*path.T, ".-", color=ORANGE, linewidth=1, markersize=4)
        ax.plot(*path[0], "o", color=BLUE)
        ax.set(xlim=across, ylim=up)
        ax.set_title(f"{name}: loss {losses[-1]:.1e} at step {len(losses)}", fontsize=10)
    for ax in axes[-1]:
        ax.set_xlabel("weight 1")
    for ax in axes[:, 0]:
        ax.set_ylabel("weight 2")
    return fig


def heights(numbers_of: Mapping[str, Any], limits: tuple[float, float], points: Any) -> Any:
    """A number over the plane for each function of `numbers_of`, red below 0 and blue above, with what it is at `points` (n, 2).

    numbers_of: {title: function from (n, 2) to (n,)}.
    """
    from .engine import torch

    axis = np.linspace(*limits, 101)
    grid = torch.tensor([[a, b] for b in axis.tolist() for a in axis.tolist()])
    fig, axes = pyplot().subplots(1, len(numbers_of), figsize=(3 * len(numbers_of), 2.9), sharey=True, squeeze=False)
    for ax, (title, function) in zip(axes.flat, numbers_of.items(), strict=True):
        with torch.no_grad():
            values, at = function(grid).numpy().reshape(101, 101), function(points).numpy()
        most = max(np.abs(values).max(), 1e-9)
        ax.imshow(values, extent=(*limits, *limits), origin="lower", cmap=SIGNS, vmin=-1.3 * most, vmax=1.3 * most)
        for (a, b), value in zip(points.numpy(), at, strict=True):
            ax.plot(a, b, "o", color=BLACK)
            ax.annotate(f"{value:.3g}", (a, b), textcoords="offset points", xytext=(6, 5))
        ax.set(xlabel="a")
        ax.set_title(title, fontsize=10)
    axes.flat[0].set_ylabel("b")
    fig.tight_layout()
    return fig


def readers(means: np.ndarray, weights: np.ndarray) -> Any:
    """The mean picture of each of ten classes, and its weights, (10, rows, columns) both: blue for the class, red against it."""
    fig, axes = pyplot().subplots(2, 10, figsize=(9, 2.3))
    limit = np.abs(weights).max()
    for number, (above, below) in enumerate(axes.T):
        above.imshow(means[number], cmap="gray_r")
        below.imshow(weights[number], cmap=SIGNS, vmin=-limit, vmax=limit)
        above.set_title(str(number))
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
    axes[0, 0].set_ylabel("mean picture", fontsize=8)
    axes[1, 0].set_ylabel("weights", fontsize=8)
    fig.tight_layout()
    return fig


def against(panels: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]], xlabel: str, ylabel: str) -> Any:
    """Guesses against the truth, a panel for each title: {title: {"training": (guesses, truth), "held out": ...}}."""
    fig, axes = pyplot().subplots(
        1, len(panels), figsize=(4 * len(panels), 3.6), sharex=True, sharey=True, squeeze=False
    )
    for ax, (title, sets) in zip(axes.flat, panels.items(), strict=True):
        for (name, (guess, truth)), color in zip(sets.items(), (BLUE, ORANGE), strict=False):
            ax.plot(guess.ravel(), truth.ravel(), ".", color=color, markersize=5, label=name)
        ax.axline((0, 0), slope=1, color=BLACK, linewidth=0.8, linestyle=":")
        ax.set(xlabel=xlabel)
        ax.set_title(title, fontsize=10)
    axes.flat[0].set_ylabel(ylabel)
    axes.flat[-1].legend(frameon=False)
    fig.tight_layout()
    return fig


def broken(runs: Mapping[str, Sequence[float]], low: float, high: float) -> Any:
    """Losses of several trainings, a small panel each, between `low` and `high`; what leaves them, or is NaN, ends at an arrow."""
    rows = -(-len(runs) // 3)
    fig, axes = pyplot().subplots(rows, 3, figsize=(9, 2.2 * rows), sharex=True, sharey=True, squeeze=False)
    for ax, (name, losses) in zip(axes.flat, runs.items(), strict=True):
        values = np.array(losses)
        out = np.flatnonzero(~(values < high))
        end = out[0] if len(out) else len(values)
        ax.plot(values[:end], color=BLUE)
        if len(out):
            ax.annotate("to infinity", (end, high), xytext=(30, high / 30), arrowprops={"arrowstyle": "->"}, fontsize=9)
        ax.set(yscale="log", ylim=(low, high), xlim=(-3, len(values)))
        ax.set_title(name, fontsize=9)
    for ax in axes[-1]:
        ax.set_xlabel("step")
    for ax in axes[:, 0]:
        ax.set_ylabel("loss")
    fig.tight_layout()
    return fig


def surfaces(ws: np.ndarray, bs: np.ndarray, heights_of: Mapping[str, np.ndarray], paths_of: Mapping[str, Any]) -> Any:
    """Losses over a plane of two weights, (len(bs), len(ws)) each, in logarithmic colours and contours, with paths on them."""
    plt = pyplot()
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import FuncFormatter

    fig, axes = plt.subplots(1, len(heights_of), figsize=(9.6, 3.9), sharey=True, layout="constrained", squeeze=False)
    for ax, (name, surface) in zip(axes.flat, heights_of.items(), strict=True):
        levels = np.geomspace(surface.min(), surface.max(), 16)
        filled = ax.contourf(ws, bs, surface, levels, cmap="YlGnBu", norm=LogNorm(levels[0], levels[-1]))
        ax.contour(ws, bs, surface, levels, colors=BLACK, linewidths=0.4)
        bar = fig.colorbar(filled, ax=ax, ticks=levels[::3], format=FuncFormatter(lambda v, _: f"{v:.2g}"))
        bar.ax.minorticks_off()
        path = np.array(paths_of[name])
        ax.plot(*path.T, ".-", color=ORANGE, markersize=3, linewidth=1)
        ax.plot(*path[0], "o", color=BLUE, markeredgecolor="white", label="start")
        ax.plot(*path[-1], "*", color=ORANGE, markeredgecolor=BLACK, markersize=13, label="end")
        ax.set(title=name, xlabel="weight w", xlim=(ws[0], ws[-1]), ylim=(bs[0], bs[-1]))
    axes.flat[0].set_ylabel("bias b")
    axes.flat[-1].legend(loc="lower right", fontsize=8)
    return fig


def logistic(x: np.ndarray, y: np.ndarray, curves_of: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Any:
    """Answers 0 (red) and 1 (blue) at one feature, spread a little upward and downward, with curves {name: (x, p)} and where they cross 1/2."""
    fig, ax = pyplot().subplots(figsize=(6.6, 3.4))
    spread = y.ravel() + 0.05 * np.cos(7 * np.arange(y.size))
    for number, color in ((0, NEGATIVE), (1, POSITIVE)):
        here = y.ravel() == number
        ax.plot(x.ravel()[here], spread[here], ".", color=color, markersize=4, label=f"class {number}")
    for (name, (at, p)), style in zip(curves_of.items(), ("-", "--", ":"), strict=False):
        ax.plot(at, p, style, color=BLACK, label=name)
    at, p = next(iter(curves_of.values()))
    cross = at[np.flatnonzero(np.diff(np.sign(p - 0.5)))]
    for place in cross[:1]:
        ax.axvline(place, color=GREY, linewidth=0.8)
        ax.annotate("boundary", (place, 0.3), xytext=(6, 0), textcoords="offset points", color=GREY)
    ax.set(xlabel="feature x", ylabel="probability of class 1")
    ax.legend(frameon=False, fontsize=8, loc="center left")
    return fig


def regions(
    shown: Mapping[str, np.ndarray], limits: tuple[float, float], points: np.ndarray, classes: np.ndarray
) -> Any:
    """Which class a model answers where in the plane, a panel for each title: {title: (n, n) class numbers}, with points (m, 2) over it."""
    plt = pyplot()
    from matplotlib.colors import ListedColormap

    rows = -(-len(shown) // 2)
    fig, axes = plt.subplots(rows, 2, figsize=(7.4, 3.3 * rows), sharex=True, sharey=True, squeeze=False)
    most = int(classes.max())
    for ax, (title, region) in zip(axes.flat, shown.items(), strict=True):
        # each cell its own colour: contours of class numbers would pass through 1 on their way from 0 to 2
        ax.imshow(
            region, extent=(*limits, *limits), origin="lower", cmap=ListedColormap(CLASSES[: most + 1]), vmin=0, vmax=most,
            alpha=0.25, interpolation="nearest",
        )  # fmt: skip
        for k, color in zip(range(most + 1), CLASSES, strict=False):
            ax.plot(*points[classes == k].T, ".", color=color, markersize=5, label=f"class {k}")
        ax.set_title(title, fontsize=10)
    for ax in axes[-1]:
        ax.set_xlabel("first feature")
    for ax in axes[:, 0]:
        ax.set_ylabel("second feature")
    axes.flat[0].legend(loc="lower right", fontsize=8)
    fig.tight_layout()
    return fig


def boundaries(
    logits_of: Mapping[str, Any], limits: tuple[tuple[float, float], tuple[float, float]], points: Any, classes: Any
) -> Any:
    """The logit of class 1 over the plane, a panel for each model: red below 0, blue above, the boundary in black, with the points.

    logits_of: {title: function from (n, 2) to (n,)}; limits: ((left, right), (bottom, top)); points (n, 2), classes (n,).
    """
    from .engine import torch

    across, up = (np.linspace(*ends, 121) for ends in limits)
    grid = torch.tensor([[a, b] for b in up.tolist() for a in across.tolist()])
    rows = -(-len(logits_of) // 2)
    fig, axes = pyplot().subplots(rows, 2, figsize=(8.4, 2.9 * rows), sharex=True, sharey=True, squeeze=False)
    at, of = points.numpy(), classes.numpy().ravel()
    for ax, (title, function) in zip(axes.flat, logits_of.items(), strict=True):
        with torch.no_grad():
            z = function(grid).numpy().reshape(121, 121)
        extent = (*limits[0], *limits[1])
        ax.imshow(z, extent=extent, origin="lower", cmap=SIGNS, vmin=-8, vmax=8, alpha=0.5, aspect="auto")
        ax.contour(across, up, z, [0.0], colors=BLACK, linewidths=1.5)
        for number, color in ((0, NEGATIVE), (1, POSITIVE)):
            ax.plot(*at[of == number].T, ".", color=color, markersize=4, label=f"class {number}")
        ax.set_title(title, fontsize=10)
    for ax in axes[-1]:
        ax.set_xlabel("first feature")
    for ax in axes[:, 0]:
        ax.set_ylabel("second feature")
    axes.flat[0].legend(fontsize=8, loc="lower left")
    fig.tight_layout()
    return fig


def sizes(scores: Mapping[str, Sequence[float]], widths: Sequence[int], ylabel: str) -> Any:
    """What networks of several widths reach, a line for each depth."""
    fig, ax = pyplot().subplots(figsize=(6, 3.4))
    for (name, values), color in zip(scores.items(), (BLACK, GREEN, VIOLET), strict=False):
        ax.plot(widths, values, "o-", color=color, label=name)
    ax.set(xlabel="width: units in each hidden layer", ylabel=ylabel, xscale="log", xticks=widths, xticklabels=widths)
    ax.minorticks_off()
    ax.legend(frameon=False)
    return fig


def sweep(tried: Sequence[float], ends: Mapping[str, np.ndarray], limits: Any, xlabel: str, ylabel: str) -> Any:
    """What each value that was tried led to, a line for each of `ends`; both axes logarithmic, cut at `limits`."""
    fig, ax = pyplot().subplots(figsize=(6, 3.6))
    for (name, values), color in zip(ends.items(), (GREY, BLACK, GREEN, VIOLET, ORANGE), strict=False):
        ax.plot(tried, np.clip(values, *limits), ".-", color=color, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel, xscale="log", yscale="log", ylim=limits)
    ax.legend(frameon=False, fontsize=8)
    return fig
