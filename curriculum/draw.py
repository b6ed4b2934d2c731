"""The pictures and pages of the lessons. matplotlib is imported with the first picture, without a window."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import record  # below: what lessons call as draw.NAME
from .colours import BLACK as BLACK
from .colours import BLUE as BLUE
from .colours import GREEN as GREEN
from .colours import GREY as GREY
from .colours import ORANGE as ORANGE
from .colours import SIGNS as SIGNS
from .colours import VIOLET as VIOLET
from .colours import pyplot as pyplot
from .plots import against as against
from .plots import bends as bends
from .plots import borders as borders
from .plots import boundaries as boundaries
from .plots import broken as broken
from .plots import by_layer as by_layer
from .plots import fits as fits
from .plots import found as found
from .plots import graph as graph
from .plots import grey as grey
from .plots import heights as heights
from .plots import lines as lines
from .plots import logistic as logistic
from .plots import looks as looks
from .plots import matrices as matrices
from .plots import outputs as outputs
from .plots import paths as paths
from .plots import plane as plane
from .plots import rates as rates
from .plots import readers as readers
from .plots import regions as regions
from .plots import sizes as sizes
from .plots import stretched as stretched
from .plots import surfaces as surfaces
from .plots import sweep as sweep
from .plots import trainings as trainings
from .plots import twins as twins
from .plots import units as units

ROOM = 100_000  # bytes of a page's tensors: a site holds many pages


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
        if all(
            max(values, default=0) <= foot for _, values in kinds.values()
        ):  # equal throughout: a scale needs two ends
            ax.set_ylim(foot / 10, foot * 1e6)
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

    minigrad's run makes the page; PyTorch's, and one that draws nothing, computes the same and leaves it out, so that all go on
    from the same state.
    """
    from .engine import engine

    if engine != "minigrad" or not record.draws():
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
    the output's metadata name the page: {"minigrad": {"page": "name.html"}}. PyTorch's run, and one that draws nothing, calls neither.
    """
    from .engine import engine

    notebook = "ipykernel" in sys.modules
    if engine != "minigrad" or not record.draws():
        if notebook:
            print(f"{name}.html: this page is made by minigrad's run of the lesson.")
        return
    record.page(write, name)
    if notebook and shown is not None:
        from IPython.display import display

        display(shown(), metadata={"minigrad": {"page": f"{name}.html"}})
