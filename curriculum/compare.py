"""One lesson in two engines: how far losses, gradients and weights lie apart.

A difference is |minigrad - torch| / max(1, |torch|): absolute for small numbers, relative for large ones.
In float64 losses and weights must agree to 1e-8 over the whole run. In float32 rounding shows sooner or later and is
carried on by the training itself; the comparison names the step of first rounding instead of passing judgement.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

FLOAT64_LIMIT = 1e-8
ROUNDING_SHOWS = 1e-6
KINDS = ("loss", "gradient", "weight")


@dataclass
class Comparison:
    dtype: str
    worst: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 0.0))
    first_rounding: str = ""  # float32: "step 12 of SGD"
    wrong: list[str] = field(default_factory=list)  # why the engines do not agree

    @property
    def agree(self) -> bool:
        return not self.wrong


def _distance(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        distance = np.abs(ours - theirs) / np.maximum(1.0, np.abs(theirs))
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    return np.where(same, 0.0, np.where(np.isfinite(distance), distance, np.inf))


def load(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "steps.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


def compare(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray], dtype: str) -> Comparison:
    """Compare what two engines recorded (`load`)."""
    found = Comparison(dtype)
    if set(ours) != set(theirs):
        found.wrong.append(f"recorded different trainings: {sorted(set(ours) ^ set(theirs))}")
        return found
    for name, a in ours.items():
        run, kind = name.rsplit("/", 1)
        b = theirs[name]
        if a.shape != b.shape or a.dtype != b.dtype:
            found.wrong.append(f"{name}: {a.dtype} {a.shape} against {b.dtype} {b.shape}")
            continue
        if kind == "kept" or a.size == 0:
            continue
        distance = _distance(a.astype(np.float64), b.astype(np.float64))
        found.worst[kind] = max(found.worst[kind], float(distance.max()))
        if dtype == "float64" and kind != "gradient" and distance.max() > FLOAT64_LIMIT:
            where = int(np.argmax(distance.reshape(len(a), -1).max(axis=1) > FLOAT64_LIMIT))
            step = where if kind == "loss" else int(ours[f"{run}/kept"][where])
            found.wrong.append(f"{run}: {kind} apart by more than {FLOAT64_LIMIT:g} from step {step} on")
        if dtype == "float32" and kind == "loss":
            with np.errstate(invalid="ignore", divide="ignore"):
                shows = np.flatnonzero((a != b) & ~(np.abs(a - b) <= ROUNDING_SHOWS * np.abs(b)))
            if len(shows):
                found.first_rounding += f"{', ' if found.first_rounding else ''}step {shows[0]} of {run}"
    return found


def by_step(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each kind (steps, worst difference at each step over all trainings of the lesson); {} where none is recorded."""
    worst: dict[str, dict[int, float]] = {kind: {} for kind in KINDS}
    for name in set(ours) & set(theirs):
        run, kind = name.rsplit("/", 1)
        a, b = ours[name], theirs[name]
        if kind == "kept" or a.shape != b.shape or a.size == 0:
            continue
        distance = _distance(a.astype(np.float64), b.astype(np.float64)).reshape(len(a), -1).max(axis=1)
        steps = range(len(a)) if kind == "loss" else ours[f"{run}/kept"]
        for step, value in zip(steps, distance, strict=True):
            worst[kind][int(step)] = max(worst[kind].get(int(step), 0.0), float(value))
    return {
        kind: (np.array(sorted(values)), np.array([values[step] for step in sorted(values)]))
        for kind, values in worst.items()
        if values
    }
