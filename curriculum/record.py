"""What a lesson leaves behind: numbers per step, claims, pictures, data sources.

Under `python -m curriculum run` the folder is named by CURRICULUM_FOLDER, and two engines' records are compared
afterwards; where CURRICULUM_PICTURES is "no" another run of the same command keeps the pictures and pages, and this one
leaves them out, since to draw takes as long as to train. A lesson run alone prints its claims and puts its pictures into runs/alone/; a notebook shows them.
"""

import base64
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from . import files
from .picture_words import words

EVERY_STEP_UNTIL, THEN_EVERY = 50, 10  # gradients and weights take room; losses are kept at every step
PROGRESS = "\x1eprogress "  # what a line for the parent's progress bar starts with
CELL = "\x1ecell "  # what a line says before a cell of the lesson begins
TIMED = "\x11", "\x12"  # around a number that another run measures anew, while notebooks are made

_runs: dict[str, dict[str, list[Any]]] = {}
_last: dict[str, tuple[int, np.ndarray, np.ndarray]] = {}
_claims: list[dict[str, Any]] = []
_figures: list[str] = []
_pages: list[str] = []
_alts: dict[str, str] = {}  # each picture in words
_marked = os.environ.get("CURRICULUM_TIMES") == "marked"  # set while notebooks are made, see notebook.settle
_data: list[str] = []


def draws() -> bool:
    """Whether this run keeps pictures and pages."""
    return os.environ.get("CURRICULUM_PICTURES") != "no"


def _folder() -> Path | None:
    folder = os.environ.get("CURRICULUM_FOLDER")
    return Path(folder) if folder else None


def _flat(tensors: Iterable[Any]) -> np.ndarray:
    return np.concatenate([np.array(t.detach().numpy(), copy=True).reshape(-1) for t in tensors])


def step(run: str = "training", *, loss: Any, model: Any = None, params: Iterable[Any] | None = None) -> None:
    """Store one step of a training: call it after the update, before the gradients are cleared.

    `run` names the training where a lesson has several. Pass the `model` or its `params`.
    """
    if (model is None) == (params is None):
        raise TypeError("record.step(): pass either model=... or params=[...]")
    leaves = list(model.parameters() if params is None else params)
    if any(p.grad is None for p in leaves):
        raise ValueError("record.step(): a parameter has no gradient; call record.step between backward and zero_grad")
    store = _runs.setdefault(run, {"loss": [], "kept": [], "gradient": [], "weight": []})
    number = len(store["loss"])
    store["loss"].append(float(loss))
    gradient, weight = _flat(p.grad for p in leaves), _flat(leaves)
    _last[run] = (number, gradient, weight)
    if number < EVERY_STEP_UNTIL or number % THEN_EVERY == 0:
        store["kept"].append(number)
        store["gradient"].append(gradient)
        store["weight"].append(weight)


def claim(text: str, measured: Any, passed: Any) -> None:
    """State what the lesson taught, with the number that was measured; a claim that fails fails the run."""
    measured = f"{float(measured):.6g}" if not isinstance(measured, str) else measured
    _claims.append({"text": text, "measured": measured, "passed": bool(passed)})
    print(f"{'holds' if passed else 'FAILS'}: {text} (measured: {measured})")


def timed(value: float, form: str) -> str:
    """A number that depends on how fast the machine is, written by the format `form` ("8.2f").

    Who makes notebooks can then tell what differs from run to run from what must not.
    """
    text = format(value, form)
    return f"{TIMED[0]}{text}{TIMED[1]}" if _marked else text


def data(text: str) -> None:
    """Name the data the lesson used, with source and size."""
    _data.append(text)


def figure(fig: Any, name: str, timed: bool = False) -> None:
    """Keep a matplotlib figure as `name`.png; `timed` says that it shows times that were measured."""
    if not draws():
        return
    image = io.BytesIO()
    fig.savefig(image, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None})
    _figures.append(f"{name}.png")
    _alts[f"{name}.png"] = words(fig, name)
    folder = _folder()
    if folder is None and "ipykernel" in sys.modules:
        _show(fig, image.getvalue(), name, timed)
        return
    target = (folder or Path("runs") / "alone") / f"{name}.png"
    files.write(target, image.getvalue())
    print(f"picture: {target if folder is None else target.name}")


def _show(fig: Any, image: bytes, name: str, timed: bool) -> None:
    """Show a picture in a notebook, here and not once more at the end of the cell."""
    import matplotlib.pyplot as plt
    from IPython.display import display

    content = {"image/png": base64.b64encode(image).decode(), "text/plain": f"picture {name}"}
    notes = {"figure": name} | ({"timed": True} if timed else {})
    display(content, raw=True, metadata={"minigrad": notes})  # type: ignore[no-untyped-call]
    plt.close(fig)


def page(write: Callable[[Path], Any], name: str) -> Path:
    """Keep an HTML page as `name`.html beside the pictures: `write(path)` makes the file. Its path."""
    target = (_folder() or Path("runs") / "alone") / f"{name}.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    write(target)
    _pages.append(target.name)
    if _folder() is None:
        # In a notebook the drawing below says what the page shows; who reads it on the web has no page, until the cell is run.
        print(f"page: running this makes {target}, to step through in a browser")
    return target


def progress(items: Iterable[Any], text: str) -> Iterator[Any]:
    """Go through `items` with a progress bar."""
    items = list(items)
    if _marked:  # a notebook is made: what moves would be left in it
        yield from items
        return
    if _folder() is None:
        from rich.progress import track

        yield from track(items, description=text)
        return
    for number, item in enumerate(items):
        print(f"{PROGRESS}{number} {len(items)} {text}", file=sys.__stdout__, flush=True)
        yield item


class Skipped(SystemExit):
    """A lesson that cannot run here; the text says why, and what to do."""


def skip(reason: str) -> NoReturn:
    """End the lesson: something that is optional is missing. `reason` says what, and what to do."""
    raise Skipped(reason)


def finish(seconds: float, key: str, skipped: str, said: list[tuple[int, str]]) -> None:
    """Write the record into the folder; result.json comes last, so that where it stands all else is there.

    `said`: each cell's number and what it printed.
    """
    folder = _folder()
    if folder is None:
        raise RuntimeError("record.finish(): CURRICULUM_FOLDER is not set")
    arrays: dict[str, np.ndarray] = {}
    for run, store in _runs.items():
        number, gradient, weight = _last[run]
        if store["kept"][-1] != number:
            store["kept"].append(number)
            store["gradient"].append(gradient)
            store["weight"].append(weight)
        for name, values in store.items():
            arrays[f"{run}/{name}"] = np.array(values)
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]
    files.write(folder / "steps.npz", content.getvalue())
    result = {
        "key": key, "seconds": seconds, "claims": _claims, "figures": _figures, "pages": _pages, "data": _data, "skipped": skipped,
        "said": said, "alts": _alts, "drawn": draws(),
    }  # fmt: skip
    files.write(folder / "result.json", json.dumps(result, indent=1, ensure_ascii=False))
