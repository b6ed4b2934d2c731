"""A watched training as plain data: what its page draws, and nothing that the page would have to know of minigrad."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from ..autograd.variable import Array
from ..counted import counted
from ..quiet import quiet
from .probe import CURVES, POINTS, SIDE, classes_of, evenly
from .summary import plain

VERSION = 1  # of the format
WHOLE = 127  # a value of a map is told in as many steps up and down
NOT_FINITE = -128


@quiet
def told(seen: Any) -> dict[str, Any]:
    """Of a `watch`: title, notes, steps; loss by stretches; points of curves; frames; and the space in which the model was asked."""
    names = _order(seen)
    number = {name: i for i, name in enumerate(names)}
    parameters = list(seen.parameters)
    space, meaning = _space(seen)
    notes = [n for n in (seen.ended, *seen.notes, *_remarks(seen)) if n]
    return {
        "version": VERSION,
        "title": seen.title,
        "notes": notes,
        "steps": seen.steps,
        "every": {"loss": seen.losses.every, "points": seen.points.every, "frames": seen.frames.every},
        "loss": [
            [s, plain(v), *(None if e is None else plain(e) for e in ends), bad]
            for _, s, v, *ends, bad in seen.losses.stretches
        ],
        "layers": [{"name": name, "kind": seen.layers[name]} for name in names],
        "parameters": [
            {"name": name, "shape": p["shape"], "layer": number[p["layer"]], "frozen": p["frozen"]}
            for name, p in seen.parameters.items()
        ],
        "points": {
            "step": list(seen.points.steps),
            "lr": [point["lr"] for point in seen.points.kept],
            **{
                kind: [[point["norms"].get(name, (None,) * 3)[i] for point in seen.points.kept] for name in parameters]
                for i, kind in enumerate(("grad", "update", "weight"))
            },
        },
        "space": space,
        "frames": [
            {
                "step": step,
                "loss": frame["loss"],
                "weights": [frame["weights"].get(name) for name in parameters],
                "gradients": [frame["gradients"].get(name) for name in parameters],
                "outputs": [frame["outputs"].get(name) for name in names],
                **_asked(frame["asked"], meaning),
            }
            for step, frame in zip(seen.frames.steps, seen.frames.kept, strict=True)
        ],
    }


def _order(seen: Any) -> list[str]:
    """The layers in the model's order; what goes into a layer stands before it."""
    places = {name: i for i, (name, _) in enumerate(seen.model.named_modules())}

    def place(name: str) -> tuple[float, int]:
        own = name.removesuffix(" ←")
        return places.get(own, len(places)), int(own == name)

    return sorted(seen.layers, key=place)


def _remarks(seen: Any) -> list[str]:
    """What the reader has to know."""
    found = []
    if not seen.parameters:
        found.append("The model has no parameters: there is nothing that could learn.")
    frozen = [name for name, p in seen.parameters.items() if p["frozen"]]
    if frozen:
        found.append(
            f"Frozen, without gradient: {', '.join(frozen[:6])}{f' and {len(frozen) - 6} more' if len(frozen) > 6 else ''}."
        )
    if not seen.steps:
        found.append("No step was taken.")
    elif not seen.losses.stretches:
        found.append("No loss was seen: backward() was called on no tensor of one number. `step(loss)` tells it.")
    if seen.optimizer is not None:
        ours = {id(p) for p in seen.model.parameters()}
        others = sum(id(p) not in ours for group in seen.optimizer.param_groups for p in group["params"])
        if others:
            found.append(
                f"The optimizer moves {counted(others, 'tensor')} that are not the model's: they are not shown."
            )
    first = next((s for _, s, _, _, _, bad in seen.losses.stretches if bad), None)
    if first is not None:
        every = seen.losses.every
        where = f"at step {first}"
        if every > 1:
            where = f"up to step {first}, for the first time in the {counted(every, 'step')} that end there"
        found.append(f"The loss is not finite {where}.")
    if seen.probe.trouble:
        found.append(seen.probe.trouble)
    elif seen.probe.x and seen.probe.rows > len(seen.probe.x[0].array):
        found.append(
            f"Of the {counted(seen.probe.rows, 'row')} of data {len(seen.probe.x[0].array)}, evenly taken, are asked."
        )
    return found


def _space(seen: Any) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Where the model was asked, and what its outputs mean.

    meaning: {"classes": how many, 0 for none; "half": whether one number is a probability; "scale": "difference" of two
    probabilities, "value" or "class"}.
    """
    asked = [frame["asked"] for frame in seen.frames.kept if frame["asked"]]
    probe, meaning = seen.probe, {"classes": 0, "half": False, "scale": "value"}
    maps = [a["map"] for a in asked if "map" in a]
    curves = [a["curve"] for a in asked if "curve" in a]
    numbers = (maps or curves)[0].shape[1] if maps or curves else 0
    confusion = next((a["confusion"] for a in asked if "confusion" in a), None)
    if confusion is not None:
        meaning["classes"] = len(confusion)
        meaning["half"] = all(a["probability"] for a in asked if "probability" in a)
    elif probe.y is None:
        meaning["half"] = bool(maps)
    meaning["half"] = meaning["half"] and not any(((m < 0) | (m > 1)).any() for m in maps)
    if maps and numbers == 1 and (confusion is not None or meaning["half"]):
        meaning["scale"] = "difference"
    elif maps and numbers > 1:
        meaning["scale"] = "difference" if numbers == 2 else "class"
        meaning["classes"] = numbers
    if not (maps or curves):
        return None, meaning
    space = {
        "kind": probe.kind,
        "ends": [[plain(v) for v in ends] for ends in probe.ends],
        "side": SIDE,
        "numbers": numbers,
    }
    space |= {"classes": meaning["classes"], "scale": meaning["scale"], "half": meaning["half"]}
    if curves and numbers >= CURVES:
        space["most"] = CURVES
    if probe.x:
        x = probe.x[0].array
        chosen = evenly(len(x), POINTS)
        space["x"] = [[plain(v) for v in row] for row in x[chosen]]
        if probe.y is not None:
            classes = classes_of(probe.y, numbers) if meaning["classes"] else None
            y = probe.y if classes is None else classes
            if y.size == len(y) * (y.reshape(len(y), -1).shape[1] if len(y) else 1):
                space["y"] = [[plain(v) for v in row] for row in y.reshape(len(y), -1)[chosen, :CURVES]]
                space["of"] = "values" if classes is None else "classes"
    return space, meaning


def _asked(asked: dict[str, Any] | None, meaning: dict[str, Any]) -> dict[str, Any]:
    """The answers of one moment."""
    if not asked:
        return {}
    found: dict[str, Any] = {}
    if "map" in asked:
        found |= _map(asked["map"], meaning)
    if "curve" in asked:
        found["curve"] = [[plain(v) for v in column] for column in asked["curve"].T]
    if "confusion" in asked:
        table = asked["confusion_half"] if meaning["half"] and "confusion_half" in asked else asked["confusion"]
        found["confusion"] = table
        right, all_ = sum(table[i][i] for i in range(len(table))), sum(map(sum, table)) + asked.get("unknown", 0)
        found["accuracy"] = plain(right / all_) if all_ else None
        if "confusion_half" in asked:
            found["level"] = 0.5 if meaning["half"] else 0
        if "unknown" in asked:
            found["unknown"] = asked["unknown"]
    return found


def _map(said: Array, meaning: dict[str, Any]) -> dict[str, Any]:
    """The answers over a plane in a byte each: signed shares of `max`, or the classes."""
    bad = ~np.isfinite(said).all(1)
    if meaning["scale"] == "class":
        cells = np.where(bad, NOT_FINITE, said.argmax(1))
        return {"map": _bytes(cells)}
    if said.shape[1] == 2:
        value = _probability(said[:, 1], said[:, 0])
    elif meaning["scale"] == "difference":
        value = 2 * said[:, 0] - 1 if meaning["half"] else np.tanh(said[:, 0] / 2)
    else:
        value = said[:, 0]
    most = 1.0 if meaning["scale"] == "difference" else float(np.abs(value[~bad]).max(initial=0)) or 1.0
    cells = np.where(bad, NOT_FINITE, np.round(np.where(bad, 0, value) / most * WHOLE))
    return {"map": _bytes(cells), "max": plain(most)}


def _probability(one: Array, other: Array) -> Array:
    """The probability of the one minus that of the other: of logits, or of probabilities as they are."""
    finite = one[np.isfinite(one) & np.isfinite(other)] + other[np.isfinite(one) & np.isfinite(other)]
    if finite.size and np.abs(finite - 1).max() < 1e-4 and min(np.nanmin(one), np.nanmin(other)) >= 0:
        return one - other
    return np.tanh((one - other) / 2)


def _bytes(cells: Array) -> str:
    return base64.b64encode(cells.astype(np.int8).tobytes()).decode()
