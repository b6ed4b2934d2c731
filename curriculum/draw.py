"""The pictures of the lessons. matplotlib is imported with the first picture, without a window."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

BLUE, ORANGE, GREY = "#1f5fa8", "#d9601a", "#8a8f98"


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
    fig, axes = pyplot().subplots(1, len(losses), figsize=(4.2 * len(losses), 3), squeeze=False)
    for ax, (run, engines) in zip(axes.flat, losses.items(), strict=True):
        for (engine, values), style, color in zip(engines.items(), ("-", "--"), (ORANGE, BLUE), strict=False):
            ax.plot(values, style, color=color, linewidth=4 if style == "-" else 1.4, label=engine)
        positive = all((values > 0).all() for values in engines.values())
        ax.set(title=run, xlabel="step", ylabel="loss", yscale="log" if positive else "linear")
        ax.legend(frameon=False)
    fig.suptitle(title)
    fig.tight_layout()
    return fig


def differences(apart: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]]) -> Any:
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
