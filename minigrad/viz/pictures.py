"""A watched training as a picture and as a film, drawn by matplotlib. data: as `film.told` gives them."""

from __future__ import annotations

import base64
import importlib
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import files
from .film import NOT_FINITE, WHOLE

MOMENTS = 50  # of a film
MOST = 12  # layers that are drawn


def png(data: dict[str, Any], path: Path, step: int | None = None) -> Path:
    """The training as a picture. step: whose state is shown, the last if left out, or the nearest that was kept."""
    _needed("matplotlib", "png")
    steps = [frame["step"] for frame in data["frames"]]
    at = len(steps) - 1 if step is None else min(range(len(steps)), key=lambda i: abs(steps[i] - step))
    drawn = io.BytesIO()
    picture = _Picture(data)
    picture.show(at)
    picture.figure.savefig(drawn, format="png", dpi=110)
    files.write(path, drawn.getvalue())
    return path


def gif(data: dict[str, Any], path: Path, seconds: float = 8.0) -> Path:
    """The training as a film, which runs again and again."""
    if not seconds > 0:
        raise ValueError(f"watch.gif: seconds is {seconds}; more than 0 is wanted")
    _needed("matplotlib", "gif")
    image = _needed("PIL.Image", "gif")
    n = len(data["frames"])
    chosen = range(n) if n <= MOMENTS else [round(i * (n - 1) / (MOMENTS - 1)) for i in range(MOMENTS)]
    pictures = [image.fromarray(frame).quantize(64) for frame in _film(data, chosen)]
    made = io.BytesIO()
    pause = max(20, round(1000 * seconds / len(pictures)))
    pictures[0].save(made, format="GIF", save_all=True, append_images=pictures[1:], duration=pause, loop=0)
    files.write(path, made.getvalue())
    return path


def _film(data: dict[str, Any], chosen: Sequence[int]) -> Iterator[Any]:
    """The moments as arrays of pixels. What stands still is drawn once, and what moves over it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    picture = _Picture(data, dpi=65)
    canvas = FigureCanvasAgg(picture.figure)
    picture.show(chosen[-1])
    canvas.draw()  # places the axes
    picture.figure.set_layout_engine("none")
    picture.clear()
    canvas.draw()
    still = canvas.copy_from_bbox(picture.figure.bbox)
    for at in chosen:
        canvas.restore_region(still)  # type: ignore[attr-defined]
        picture.show(at)
        for artist in picture.moving:
            artist.axes.draw_artist(artist) if artist.axes is not None else picture.figure.draw_artist(artist)
        yield np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _needed(name: str, what: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = "pillow" if name.startswith("PIL") else name
        raise ModuleNotFoundError(
            f"watch.{what} draws with {missing}, which is missing: pip install 'minigrad[lessons]'. The page, watch.html, needs neither.",
            name=error.name,
        ) from None


def _values(numbers: Sequence[Any]) -> Any:
    return np.array([math.nan if v is None else float(v) for v in numbers])


class _Picture:
    """A figure whose curves stand still, and which shows one moment at a time."""

    def __init__(self, data: dict[str, Any], dpi: int = 100) -> None:
        from matplotlib.figure import (
            Figure,
        )  # without pyplot: no window, and the program's own figures stay as they are

        self.data, self.moving = data, list[Any]()
        points = data["points"]
        states = [kind for kind in ("map", "curve", "confusion") if any(kind in f for f in data["frames"])]
        kinds = ["loss", "gradient", "ratio", *states]
        columns = min(3, len(kinds))
        rows = -(-len(kinds) // columns)
        self.figure = Figure(figsize=(4.2 * columns, 0.3 + 3.2 * rows), layout="constrained", dpi=dpi)
        self.axes = {kind: self.figure.add_subplot(rows, columns, place + 1) for place, kind in enumerate(kinds)}
        for kind in ("loss", "gradient", "ratio"):
            ax = self.axes[kind]
            if kind == "loss":
                _loss(ax, data)
            else:
                _by_layer(ax, data, kind)
            ax.set(xlim=(0, max(1, data["steps"], *points["step"][-1:])), xlabel="step")
            seen = [v for line in ax.lines for v in np.asarray(line.get_ydata()) if np.isfinite(v)]
            if seen and min(seen) > 0 and (kind != "loss" or max(seen) > 20 * min(seen)):
                ax.set_yscale("log")
        titles = {
            "loss": "loss",
            "gradient": "gradient norm, by layer",
            "ratio": "update / weight, by layer",
            "confusion": "confusion",
        }
        for kind, ax in self.axes.items():
            ax.set_title(titles.get(kind, "what the model says"), fontsize=10)
        self.figure.suptitle(" ", fontsize=11)  # keeps the room

    def clear(self) -> None:
        for artist in self.moving:
            artist.remove()
        self.moving = []

    def show(self, at: int) -> None:
        """The state of a moment in place of what was shown."""
        self.clear()
        frame = self.data["frames"][at]
        for kind, ax in self.axes.items():
            before = set(ax.get_children())
            if kind == "map":
                _plane(ax, self.data["space"], frame)
            elif kind == "curve":
                _curve(ax, self.data["space"], frame)
            elif kind == "confusion":
                _confusion(ax, frame)
            else:
                ax.axvline(frame["step"], color="#b35c00", linewidth=1)
            self.moving += [artist for artist in ax.get_children() if artist not in before]
        said = f"{_line(self.data['title'])}, step {frame['step']} of {self.data['steps']}"
        for name in ("loss", "accuracy"):
            if frame.get(name) is not None:
                said += f", {name} {_said(frame[name])}"
        self.moving.append(self.figure.text(0.5, 0.985, said, ha="center", va="top", fontsize=11, parse_math=False))


def _loss(ax: Any, data: dict[str, Any]) -> None:
    steps = [s[0] for s in data["loss"]]
    if data["every"]["loss"] > 1:
        low, high = (_values([s[i] for s in data["loss"]]) for i in (2, 3))
        ax.fill_between(steps, low, high, alpha=0.2, color="#1857b8")
    ax.plot(steps, _values([s[1] for s in data["loss"]]), color="#1857b8", linewidth=1)


def _said(x: Any) -> str:
    return x if isinstance(x, str) else f"{x:.4g}"


def _line(text: str, most: int = 70) -> str:
    said = " ".join(text.split())
    return said if len(said) <= most else said[: most - 1] + "…"


def _by_layer(ax: Any, data: dict[str, Any], kind: str) -> None:
    """A line for each layer that learns, thinned to a dozen; the first is dark, the last light."""
    points = data["points"]
    learning = [i for i, _ in enumerate(data["layers"]) if any(p["layer"] == i for p in data["parameters"])]
    if len(learning) > MOST:
        learning = [learning[round(k * (len(learning) - 1) / (MOST - 1))] for k in range(MOST)]
    for k, i in enumerate(learning):
        own = [j for j, p in enumerate(data["parameters"]) if p["layer"] == i]

        def together(what: str, own: list[int] = own) -> Any:
            parts = np.array([_values(points[what][j]) for j in own])
            return np.where(np.isnan(parts).all(0), np.nan, np.sqrt(np.nansum(np.square(parts), axis=0)))

        with np.errstate(all="ignore"):
            values = together("grad") if kind == "gradient" else together("update") / together("weight")
        color = (0.09 + 0.6 * k / max(1, len(learning) - 1), 0.34, 0.72 - 0.5 * k / max(1, len(learning) - 1))
        name = _line(data["layers"][i]["name"] or "(the model)", 14)
        ax.plot(
            points["step"],
            np.where(values > 0, values, np.nan),
            color=color,
            linewidth=1,
            linestyle=("-", "--", ":", "-.")[k % 4],
            label=name,
        )
    if learning:
        for text in ax.legend(frameon=False, fontsize=6.5, ncols=2).get_texts():
            text.set_parse_math(False)


def _plane(ax: Any, space: dict[str, Any], frame: dict[str, Any]) -> None:
    side, (across, up) = space["side"], space["ends"]
    if "map" in frame:
        cells = np.frombuffer(base64.b64decode(frame["map"]), np.int8).reshape(side, side).astype(float)
        cells[cells == NOT_FINITE] = np.nan
        xs, ys = (np.linspace(low, high, side) for low, high in (across, up))
        if space["scale"] == "class":
            ax.imshow(
                cells,
                origin="lower",
                extent=(*across, *up),
                cmap="tab10",
                vmin=0,
                vmax=9.99,
                alpha=0.5,
                aspect="auto",
                interpolation="nearest",
            )
        else:
            ax.imshow(
                cells,
                origin="lower",
                extent=(*across, *up),
                cmap="RdBu",
                vmin=-1.25 * WHOLE,
                vmax=1.25 * WHOLE,
                aspect="auto",
            )
            if space.get("of") != "values" and np.nanmin(cells) < 0 < np.nanmax(cells):
                ax.contour(xs, ys, cells, levels=[0], colors="black", linewidths=1.2)
    if "x" in space:
        x = np.array([[float(v) for v in row] for row in space["x"]])
        of = np.array([float(row[0]) for row in space["y"]]) if "y" in space else np.zeros(len(x))
        if space.get("of") == "classes":
            for c in np.unique(of):
                color = f"C{int(c) % 10}" if space["scale"] == "class" else ("#b2182b", "#2166ac")[int(c) % 2]
                own = of == c
                ax.scatter(
                    x[own, 0],
                    x[own, 1],
                    s=11,
                    marker="o^sPD*X"[int(c) % 7],
                    color=color,
                    edgecolors="white",
                    linewidths=0.4,
                )
        else:
            most = np.abs(of[np.isfinite(of)]).max(initial=0) or 1
            ax.scatter(
                x[:, 0], x[:, 1], s=9, c=of, cmap="RdBu", vmin=-most, vmax=most, edgecolors="white", linewidths=0.4
            )
    ax.set(xlim=across, ylim=up)


def _curve(ax: Any, space: dict[str, Any], frame: dict[str, Any]) -> None:
    low, high = space["ends"][0]
    values = [_values(c) for c in frame.get("curve", [])]
    if "y" in space and space.get("of") == "values":
        y = [float(row[0]) for row in space["y"]]
        ax.scatter([float(row[0]) for row in space["x"]], y, s=8, color="#888888")
        wide = 0.2 * (max(y) - min(y) or 1)
        if all(map(math.isfinite, (*y, wide))):
            ax.set_ylim(min(y) - wide, max(y) + wide)
    for k, v in enumerate(values):
        ax.plot(
            np.linspace(low, high, len(v)),
            v,
            linestyle=("-", "--", ":", "-.")[k % 4],
            linewidth=2,
            color="#2166ac" if len(values) == 1 else f"C{k}",
        )
    ax.set_xlim(low, high)


def _confusion(ax: Any, frame: dict[str, Any]) -> None:
    table = np.array(frame.get("confusion", [[0]]))
    ax.imshow(np.sqrt(table), cmap="Blues")  # the root: else the rare mistakes are invisible
    if len(table) <= 12:
        for (row, column), n in np.ndenumerate(table):
            if n:
                ax.text(
                    column,
                    row,
                    n,
                    ha="center",
                    va="center",
                    fontsize=7,
                    color="white" if n > table.max() / 3 else "black",
                )
    ax.set(xlabel="said", ylabel="true")
    ax.locator_params(integer=True)
