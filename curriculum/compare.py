"""One lesson in two engines: how far losses, gradients and weights lie apart.

A difference is |minigrad - torch| / max(1, |torch|): absolute for small numbers, relative for large ones.
In float64 losses and weights must agree to 1e-8 over the whole run. In float32 rounding shows sooner or later and is
carried on by the training itself; the comparison names the step of first rounding instead of passing judgement.
"""

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from . import files

FLOAT64_LIMIT = 1e-8
ROUNDING_SHOWS = 1e-6
KINDS = ("loss", "gradient", "weight")
AT_ONCE = 1 << 20  # elements that are compared at a time: records hold up to hundreds of megabytes


@dataclass
class Comparison:
    dtype: str
    worst: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 0.0))
    first_rounding: str = ""  # float32: "step 12 of SGD"
    wrong: list[str] = field(default_factory=list)  # why the engines do not agree
    # for each kind (steps, worst difference at each step over all trainings of the lesson); {} where none is recorded
    by_step: dict[str, tuple[list[int], list[float]]] = field(default_factory=dict)

    @property
    def agree(self) -> bool:
        return not self.wrong


def _distance(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        distance = np.abs(ours - theirs) / np.maximum(1.0, np.abs(theirs))
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    return np.where(same, 0.0, np.where(np.isfinite(distance), distance, np.inf))


def _worst_of_rows(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The worst distance in each row of two arrays of one shape."""
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    rows = max(1, AT_ONCE // max(1, a.shape[1]))
    parts = [
        _distance(a[start : start + rows].astype(np.float64), b[start : start + rows].astype(np.float64)).max(axis=1)
        for start in range(0, len(a), rows)
    ]
    return np.concatenate(parts)


class Unreadable(SystemExit):
    """A record that was damaged after the run."""


@contextmanager
def _arrays(path: Path) -> Iterator[Any]:
    """The arrays of a record. Errors: Unreadable, which says what to do."""
    try:
        with np.load(path) as arrays:
            yield arrays
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        why = " ".join(str(error).split())
        raise Unreadable(f"{path} cannot be read ({why}): run its lesson again, with --fresh.") from None


def load(folder: Path) -> dict[str, np.ndarray]:
    with _arrays(folder / "steps.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


def losses(folder: Path) -> dict[str, np.ndarray]:
    """Each training's loss at every step."""
    with _arrays(folder / "steps.npz") as arrays:
        return {name.removesuffix("/loss"): arrays[name] for name in arrays.files if name.endswith("/loss")}


def compare(ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray], dtype: str) -> Comparison:
    """Compare what two engines recorded."""
    found = Comparison(dtype)
    if set(ours) != set(theirs):
        found.wrong.append(f"recorded different trainings: {sorted(set(ours) ^ set(theirs))}")
        return found
    by_step: dict[str, dict[int, float]] = {kind: {} for kind in KINDS}
    for name in ours:
        run, kind = name.rsplit("/", 1)
        a, b = ours[name], theirs[name]
        if a.shape != b.shape or a.dtype != b.dtype:
            found.wrong.append(f"{name}: {a.dtype} {a.shape} against {b.dtype} {b.shape}")
            continue
        if kind == "kept" or a.size == 0:
            continue
        distance = _worst_of_rows(a, b)
        steps = range(len(a)) if kind == "loss" else ours[f"{run}/kept"].tolist()
        found.worst[kind] = max(found.worst[kind], float(distance.max()))
        for step, value in zip(steps, distance.tolist(), strict=True):
            by_step[kind][step] = max(by_step[kind].get(step, 0.0), value)
        if dtype == "float64" and kind != "gradient" and distance.max() > FLOAT64_LIMIT:
            step = steps[int(np.argmax(distance > FLOAT64_LIMIT))]
            found.wrong.append(f"{run}: {kind} apart by more than {FLOAT64_LIMIT:g} from step {step} on")
        if dtype == "float32" and kind == "loss":
            with np.errstate(invalid="ignore", divide="ignore"):
                shows = np.flatnonzero((a != b) & ~(np.abs(a - b) <= ROUNDING_SHOWS * np.abs(b)))
            if len(shows):
                found.first_rounding += f"{', ' if found.first_rounding else ''}step {shows[0]} of {run}"
    for kind, values in by_step.items():
        if values:
            found.by_step[kind] = sorted(values), [values[step] for step in sorted(values)]
    return found


def folders(ours: Path, theirs: Path, dtype: str) -> Comparison:
    """Compare what lies in two runs' folders. It is kept beside them for the next time: to read it all takes long."""
    records = [folder / "steps.npz" for folder in (ours, theirs)]
    for path in records:
        if not path.is_file():
            raise Unreadable(f"{path} is missing: run its lesson again, with --fresh.")
    stamp = [[path.stat().st_size, path.stat().st_mtime_ns] for path in (*records, Path(__file__))]
    kept = ours.parent / f"{ours.name} and {theirs.name}.json"
    try:
        there = json.loads(kept.read_text(encoding="utf-8"))
        if there.pop("stamp") == stamp:
            return Comparison(**there)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        pass  # not compared yet, or by another version
    with _arrays(records[0]) as first, _arrays(records[1]) as second:
        found = compare(first, second, dtype)
    files.write(kept, json.dumps(asdict(found) | {"stamp": stamp}))
    return found
