"""The playground: two spirals, learned by many networks, as one page. Boundary by step, and gradients by depth.

Every run is recorded beforehand, by minigrad, with the same points and the same seed: all that the page can show was computed.
`python -m curriculum playground` writes it; lesson 18 makes a smaller one.
"""

import base64
import functools
import itertools
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .commands import counted

ACTIVATIONS = ("ReLU", "Tanh", "Sigmoid")
INITS = ("Kaiming", "Xavier", "small", "large")
DEPTHS = (2, 4, 8)
RATE, WIDTH, POINTS, STEPS = 0.01, 16, 100, 200
SIDE, UP = 26, 16  # the grid, and the steps in which its values are told, up and down
REACH = 2.4  # the grid's ends

SAID = {
    "activation": "what bends between the layers",
    "init": "Kaiming: variance 2 / inputs; Xavier: 2 / (inputs + outputs); small: deviation 0.01; large: deviation 1",
    "depth": f"hidden layers of {counted(WIDTH, 'unit')}",
    "batch norm": "after each hidden linear layer",
    "dropout": "share of each hidden layer's outputs that is set to 0 in training",
}


def spirals(torch: Any) -> tuple[Any, Any]:
    """The points of lesson 13: two arms, wound around one another."""
    turn = torch.linspace(0.25, 1.0, POINTS) * 3 * math.pi
    arm = torch.stack([turn * turn.cos(), turn * turn.sin()], dim=1) / (3 * math.pi)
    x = 2 * (torch.cat([arm, -arm]) + 0.02 * torch.randn(2 * POINTS, 2))
    return x, torch.cat([torch.zeros(POINTS), torch.ones(POINTS)]).long()


def network(torch: Any, activation: str, init: str, depth: int, normalized: bool, dropout: float) -> Any:
    """2 inputs, `depth` hidden layers, 2 classes."""
    nn = torch.nn
    fill = {
        "Kaiming": lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"), "Xavier": nn.init.xavier_normal_,
        "small": lambda w: nn.init.normal_(w, std=0.01), "large": lambda w: nn.init.normal_(w, std=1.0),
    }[init]  # fmt: skip
    layers: list[Any] = []
    for inputs in [2] + [WIDTH] * (depth - 1):
        layers.append(nn.Linear(inputs, WIDTH))
        layers += [nn.BatchNorm1d(WIDTH)] if normalized else []
        layers.append(getattr(nn, activation)())
        layers += [nn.Dropout(dropout)] if dropout else []
    layers.append(nn.Linear(WIDTH, 2))
    for layer in layers:
        if isinstance(layer, nn.Linear):
            fill(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def moments(steps: int) -> list[int]:
    """The steps that are shown: many at the beginning, where most happens."""
    return sorted({0, 1, 2, *(round(steps * (k / 14) ** 1.6) for k in range(1, 15)), steps})


def one(torch: Any, x: Any, y: Any, grid: Any, settings: tuple[Any, ...], steps: int) -> dict[str, Any]:
    """One training, at its moments: loss and gradients before the step, map and accuracy of the same weights, without dropout."""
    torch.manual_seed(0)
    model = network(torch, *settings)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    told: dict[str, Any] = {"loss": [], "accuracy": [], "gradient": []}
    maps, wanted = [], set(moments(steps))
    linear = [layer for layer in model if isinstance(layer, torch.nn.Linear)]
    for step in range(steps + 1):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        if step in wanted:
            told["loss"].append(number(loss.item()))
            told["gradient"].append([number(layer.weight.grad.norm().item()) for layer in linear])
            model.eval()
            with torch.no_grad():
                said, over = model(x), model(grid)
            model.train()
            told["accuracy"].append(number((said.argmax(dim=1) == y).float().mean().item()))
            difference = (over.softmax(dim=1) * torch.tensor([-1.0, 1.0])).sum(dim=1).numpy()
            cells = np.where(np.isfinite(difference), np.round(np.nan_to_num(difference) * UP), -128)
            maps.append(cells.astype(np.int8).tobytes())
        optimizer.step()
    told["maps"] = base64.b64encode(b"".join(maps)).decode()
    return told


def number(x: float) -> Any:
    """A number with four digits, as JSON has it; what is not finite as text."""
    return float(f"{x:.4g}") if math.isfinite(x) else "nan" if math.isnan(x) else "inf" if x > 0 else "-inf"


def each(items: Iterable[Any], text: str) -> Iterable[Any]:
    """The items, one after the other, in silence."""
    return items


def bar(items: Iterable[Any], text: str) -> Iterable[Any]:
    """The items, with a progress bar."""
    from rich.progress import track

    return track(items, text, transient=True)


@functools.cache
def recorded(
    steps: int = STEPS, activations: tuple[str, ...] = ACTIVATIONS, inits: tuple[str, ...] = INITS,
    depths: tuple[int, ...] = DEPTHS, progress: Callable[[Iterable[Any], str], Iterable[Any]] = each,
) -> dict[str, Any]:  # fmt: skip
    """All runs as plain data. The random stream of the caller stays where it is. progress: shows how far it is."""
    import minigrad as torch

    choices = {
        "activation": activations, "init": inits, "depth": depths, "batch norm": (False, True), "dropout": (0.0, 0.2),
    }  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        x, y = spirals(torch)
        ends = np.linspace(-REACH, REACH, SIDE)
        grid = torch.tensor(np.stack(np.meshgrid(ends, ends), -1).reshape(-1, 2), dtype=torch.get_default_dtype())
        places = list(itertools.product(*(range(len(values)) for values in choices.values())))
        runs = {}
        for place in progress(places, "trainings"):
            settings = tuple(values[i] for values, i in zip(choices.values(), place, strict=True))
            runs[".".join(map(str, place))] = one(torch, x, y, grid, settings, steps)

    def said(value: Any) -> str:
        return ("yes" if value else "no") if isinstance(value, bool) else "none" if value == 0 else str(value)

    return {
        "title": "Playground: two spirals",
        "about": f"{counted(len(runs), 'training')} of {counted(steps, 'step')}, recorded beforehand by minigrad: Adam at rate {RATE}, all {2 * POINTS} points at each step, one seed.",
        "choices": [
            {"name": name, "said": SAID[name], "values": [said(v) for v in values]}
            for name, values in choices.items()
        ],
        "steps": moments(steps),
        "space": {
            "kind": "plane", "ends": [[-REACH, REACH]] * 2, "side": SIDE, "steps": UP, "numbers": 2, "classes": 2, "scale": "difference",
            "of": "classes", "x": [[number(v) for v in row] for row in x.tolist()], "y": [[v] for v in y.tolist()],
        },
        "runs": runs,
        "begin": [_nearest(choices, ("Sigmoid", "Xavier", 8, False, 0.0)), _nearest(choices, ("Sigmoid", "Xavier", 8, True, 0.0))],
    }  # fmt: skip


def _nearest(choices: dict[str, tuple[Any, ...]], wanted: tuple[Any, ...]) -> list[int]:
    return [
        values.index(v) if v in values else len(values) - 1 for values, v in zip(choices.values(), wanted, strict=True)
    ]


def write(path: Path, **settings: Any) -> Path:
    """The playground page. settings: as for `recorded`."""
    from minigrad.viz.page import assemble

    from . import files

    scripts = ("tensor.js", "player.js", "chart.js", "playground.js")
    files.write(
        path, assemble(recorded(**settings), "playground.html", ("page.css", "watch.css"), scripts, ("d3.min.js",))
    )
    return path


def figure(**settings: Any) -> Any:
    """The boundaries at the end, of some of the runs, as a picture: what a notebook shows in the page's place."""
    from . import draw

    data = recorded(**settings)
    activations, _, depths = (data["choices"][i]["values"] for i in range(3))
    fig, axes = draw.pyplot().subplots(2, len(activations), figsize=(2.6 * len(activations), 5.4), squeeze=False)
    for (row, column), ax in np.ndenumerate(axes):
        run = data["runs"][f"{column}.0.{len(depths) - 1}.{row}.0"]
        cells = np.frombuffer(base64.b64decode(run["maps"]), np.int8).reshape(-1, SIDE, SIDE)[-1].astype(float)
        ax.imshow(
            cells, origin="lower", cmap="RdBu", vmin=-1.2 * UP, vmax=1.2 * UP, extent=(-REACH, REACH, -REACH, REACH)
        )
        points = np.array(data["space"]["x"])
        for c, (marker, color) in enumerate((("o", "#b2182b"), ("^", "#2166ac"))):
            own = points[[y == [c] for y in data["space"]["y"]]]
            ax.scatter(own[:, 0], own[:, 1], s=7, marker=marker, color=color, edgecolors="white", linewidths=0.3)
        ax.set(xticks=[], yticks=[])
        ax.set_title(
            f"{activations[column]}, depth {depths[-1]}{', batch norm' if row else ''}:\n{100 * run['accuracy'][-1]:.0f} % right",
            fontsize=9,
        )
    fig.tight_layout()
    return fig
