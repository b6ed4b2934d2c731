"""Pictures that single lessons ask for, in the order of the lessons; they are called as draw.NAME."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .colours import BLACK, BLUE, CLASSES, GREEN, GREY, NEGATIVE, ORANGE, POSITIVE, SIGNS, VIOLET, pyplot


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


def paths(
    walks: Mapping[str, tuple[np.ndarray, Sequence[float]]],
    loss_of: Any,
    across: tuple[float, float],
    up: tuple[float, float],
) -> Any:
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


def fits(
    curves_of: Mapping[str, np.ndarray], at: np.ndarray, sets: Mapping[str, tuple[np.ndarray, np.ndarray]], ylim: Any
) -> Any:
    """A curve at the places `at`, a panel for each title, over points {"training": (x, y), "held out": (x, y)}."""
    rows = -(-len(curves_of) // 3)
    fig, axes = pyplot().subplots(rows, 3, figsize=(9, 2.4 * rows), sharex=True, sharey=True, squeeze=False)
    for ax, (title, curve) in zip(axes.flat, curves_of.items(), strict=True):
        for (name, (x, y)), color in zip(sets.items(), (BLUE, ORANGE), strict=False):
            ax.plot(x, y, ".", color=color, markersize=3, label=name)
        ax.plot(at, curve, color=BLACK, linewidth=1.8, label="network")
        ax.set(ylim=ylim)
        ax.set_title(title, fontsize=10)
    for ax in axes[-1]:
        ax.set_xlabel("x")
    for ax in axes[:, 0]:
        ax.set_ylabel("y")
    fig.legend(*axes.flat[0].get_legend_handles_labels(), loc="upper center", ncols=3, frameon=False, fontsize=9)
    fig.tight_layout(rect=(0, 0, 1, 0.95))
    return fig


def units(at: np.ndarray, layers: Mapping[str, np.ndarray], where: tuple[float, float]) -> Any:
    """The outputs of hidden units at the places `at`, a panel for each layer: {title: (places, units)}; grey where data are."""
    fig, axes = pyplot().subplots(1, len(layers), figsize=(9, 2.9), sharey=True, squeeze=False)
    for ax, (title, values) in zip(axes.flat, layers.items(), strict=True):
        ax.plot(at, values, linewidth=0.8)
        ax.axvspan(*where, color=GREY, alpha=0.12)
        ax.set(xlabel="x (grey: where data are)")
        ax.set_title(title, fontsize=10)
    axes.flat[0].set_ylabel("output of each unit")
    fig.tight_layout()
    return fig


ACTIVATIONS: dict[str, dict[str, Any]] = {  # some lie nearly on one another, such as ReLU and LeakyReLU: of each such pair one is thick and pale
    "Sigmoid": {"color": ORANGE}, "Tanh": {"color": BLUE, "linewidth": 5, "alpha": 0.35}, "ReLU": {"color": GREEN, "linewidth": 5, "alpha": 0.35},
    "LeakyReLU": {"color": GREEN, "linewidth": 1.2}, "ELU": {"color": VIOLET}, "SiLU": {"color": "#b8860b", "linewidth": 5, "alpha": 0.35},
    "GELU": {"color": BLACK, "linestyle": "--"},
}  # fmt: skip


def bends(shown: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Any:
    """Activation functions and their slopes, a panel for each: {name: (z, f, slope)}; the last panel looks closely at ReLU and LeakyReLU."""
    fig, axes = pyplot().subplots(2, 4, figsize=(9, 4.2))
    for ax, (name, (z, f, slope)) in zip(axes.flat, shown.items(), strict=False):
        ax.plot(z, f, color=BLACK, label="f(z)")
        ax.plot(z, slope, color=ORANGE, linestyle="--", label="slope f'(z)")
        ax.axhline(0, color=GREY, linewidth=0.5)
        ax.set(xlim=(-4, 4), ylim=(-1.4, 2.4))
        ax.set_title(name, fontsize=10)
    ax = axes.flat[-1]
    for name in ("ReLU", "LeakyReLU"):
        z, f, _ = shown[name]
        ax.plot(z, f, label=name, **ACTIVATIONS[name])
    ax.set(xlim=(-4, 1), ylim=(-0.06, 0.06))
    ax.set_title("closely: below 0 they differ", fontsize=9)
    ax.legend(frameon=False, fontsize=7, loc="upper left")
    axes.flat[0].legend(frameon=False, fontsize=8, loc="upper left")
    fig.tight_layout()
    return fig


def by_layer(values_of: Mapping[str, Sequence[float]], xlabel: str, ylabel: str) -> Any:
    """A number for each layer, a line for each activation function, logarithmic."""
    fig, ax = pyplot().subplots(figsize=(6.4, 3.6))
    for name, values in values_of.items():
        ax.plot(range(1, 1 + len(values)), values, marker="o", markersize=4, label=name, **ACTIVATIONS[name])
    ax.set(xlabel=xlabel, ylabel=ylabel, yscale="log", xticks=range(1, 1 + len(values)))
    ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return fig


def outputs(of: Mapping[str, Mapping[int, np.ndarray]]) -> Any:
    """What the units of some layers put out, a row of panels for each network: {name: {layer: (points, units)}}.

    A line of a panel is a point, a column a unit: where all lines are alike, the layer says the same of every point.
    """
    rows, columns = len(of), len(next(iter(of.values())))
    fig, axes = pyplot().subplots(rows, columns, figsize=(8.4, 1.9 * rows), squeeze=False, layout="constrained")
    for row, (name, layers) in zip(axes, of.items(), strict=True):
        for ax, (layer, values) in zip(row, layers.items(), strict=True):
            most = max(np.abs(values).max(), 1e-9)
            shown = ax.imshow(values, cmap=SIGNS, vmin=-most, vmax=most, aspect="auto", interpolation="nearest")
            fig.colorbar(shown, ax=ax, ticks=[-most, 0, most], format="%.2g")
            ax.set(xticks=[], yticks=[])
            ax.set_title(f"{name}, layer {layer}", fontsize=9)
        row[0].set_ylabel("points", fontsize=8)
    for ax in axes[-1]:
        ax.set_xlabel("units", fontsize=8)
    return fig


def trainings(runs: Mapping[str, Sequence[Sequence[float]]], guessing: float) -> Any:
    """Losses of several seeds, a panel for each network, with the loss of guessing dotted."""
    columns = 4
    rows = -(-len(runs) // columns)
    fig, axes = pyplot().subplots(rows, columns, figsize=(9, 2.1 * rows), sharex=True, sharey=True, squeeze=False)
    for ax in axes.flat[len(runs) :]:
        ax.remove()
    for ax, (name, seeds) in zip(axes.flat, runs.items(), strict=False):
        for losses in seeds:
            ax.plot(losses, color=BLUE, linewidth=1)
        ax.axhline(guessing, color=BLACK, linewidth=0.8, linestyle=":")
        ax.set(ylim=(0, 1.15 * guessing), xlabel="step")
        ax.set_title(name, fontsize=10)
    for ax in axes[:, 0]:
        ax.set_ylabel("loss")
    fig.tight_layout()
    return fig


def sweep(tried: Sequence[float], ends: Mapping[str, np.ndarray], limits: Any, xlabel: str, ylabel: str) -> Any:
    """What each value that was tried led to, a line for each of `ends`; both axes logarithmic, cut at `limits`."""
    fig, ax = pyplot().subplots(figsize=(6, 3.6))
    for (name, values), color in zip(ends.items(), (GREY, BLACK, GREEN, VIOLET, ORANGE), strict=False):
        ax.plot(tried, np.clip(values, *limits), ".-", color=color, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel, xscale="log", yscale="log", ylim=limits)
    ax.legend(frameon=False, fontsize=8)
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


def looks(weights: np.ndarray, tokens: Sequence[str], row: int, weights_of: Mapping[str, np.ndarray]) -> Any:
    """A map of attention (n, n) with one row framed, and beside it a dot for each text: what that row gives to some words."""
    fig, (left, right) = pyplot().subplots(1, 2, figsize=(9.5, 3.9), width_ratios=(1.15, 1), layout="constrained")
    left.imshow(weights, cmap="viridis", vmin=0, vmax=1)
    frame = (-0.5, row - 0.5), len(tokens), 1
    left.add_patch(pyplot().Rectangle(*frame, fill=False, edgecolor=ORANGE, linewidth=2, clip_on=False))
    left.set_xticks(range(len(tokens)), tokens, rotation=90)
    left.set_yticks(range(len(tokens)), tokens)
    left.set(xlabel="looks at", ylabel="word")
    for place, values in enumerate(weights_of.values()):
        beside = np.linspace(-0.25, 0.25, len(values))
        right.plot(place + beside, values, "o", color=BLUE, markersize=3, alpha=0.5)
        right.hlines(values.mean(), place - 0.32, place + 0.32, color=ORANGE, linewidth=2)
    right.set_xticks(range(len(weights_of)), list(weights_of))
    right.set(ylim=(0, 1), ylabel="weight given by the framed word")
    return fig
