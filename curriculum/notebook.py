"""A lesson in percent format as a Jupyter notebook, with the outputs of a run."""

import asyncio
import base64
import io
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import files
from .catalog import HERE, Lesson
from .record import TIMED
from .runner import THREADS, Failed, Setting

FOLDER = HERE / "notebooks"  # those that lie here ready to open, made by `python -m curriculum notebooks`
READY = Setting("minigrad", "float32", 0)  # how those were made, on the data that every lesson brings

CHOICE = """# The engine of this notebook: minigrad or torch. To change it, restart the kernel.
import os
import sys

os.environ["MINIGRAD_ENGINE"] = "{engine}"
os.environ["MINIGRAD_DTYPE"] = "{dtype}"
os.environ["MINIGRAD_SEED"] = "{seed}"
sys.path.append("../..")  # from curriculum/notebooks of a checkout: where `curriculum` lies, if it is not installed"""

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

MARKED = re.compile(f"{TIMED[0]}([^{TIMED[1]}]*){TIMED[1]}")


def read(lesson: Lesson, setting: Setting = READY) -> Any:
    """The lesson as a notebook without outputs; a cell after the title chooses the engine."""
    try:
        import jupytext
        import nbformat
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"Notebooks need {error.name}, which is missing: pip install jupytext nbclient ipykernel."
        ) from None
    notebook = jupytext.reads(lesson.path.read_text(encoding="utf-8"), fmt="py:percent")
    choice = CHOICE.format(engine=setting.engine, dtype=setting.dtype, seed=setting.seed)
    notebook.cells.insert(1, nbformat.v4.new_code_cell(choice, metadata={"tags": ["engine"]}))
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # the same lesson gives the same file
        cell.metadata.pop("lines_to_next_cell", None)  # jupytext's, for the way back
        cell.source = cell.source.strip("\n")  # the lesson has blank lines before a function
    notebook.metadata = METADATA
    return notebook


def ready(lesson: Lesson) -> Path:
    """Where the lesson's notebook lies ready to open."""
    return FOLDER / f"{lesson.name}.ipynb"


def is_current(lesson: Lesson) -> bool:
    """Whether the notebook that lies ready holds the lesson as it is now."""
    try:
        there = json.loads(ready(lesson).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return _sources(there["cells"]) == _sources(read(lesson).cells)


def _sources(cells: Any) -> list[tuple[str, str, str]]:
    return [(cell["id"], cell["cell_type"], "".join(cell["source"])) for cell in cells]


def write(
    lesson: Lesson,
    path: Path,
    setting: Setting,
    run: bool = True,
    embedded: bool = False,
    show: Callable[[int, int, str], None] | None = None,
) -> None:
    """Write the lesson as a notebook to `path`; with `run`, as Jupyter shows it after "Run all".

    `embedded` runs it on the data that the lessons bring, whatever MINIGRAD_DATA says, and on one thread, so that
    another run gives the same. `show(cell, cells, "cells")` hears of the progress.
    Errors: Failed with the lesson's own last lines where a cell ends early; nothing is written then.
    """
    notebook = read(lesson, setting)
    if run:
        execute(notebook, embedded, show)
        try:
            old = json.loads(path.read_text(encoding="utf-8"))["cells"]
        except (OSError, ValueError, KeyError, TypeError):
            old = []
        settle(notebook.cells, old)
        notebook.metadata = METADATA  # without the version of the Python that ran it
    import nbformat

    nbformat.validate(notebook)
    files.write(path, nbformat.writes(notebook) + "\n")


def execute(notebook: Any, embedded: bool = False, show: Callable[[int, int, str], None] | None = None) -> None:
    """Run all cells in a kernel of this Python, and keep what they show."""
    try:
        import ipykernel  # noqa: F401
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError
    except ModuleNotFoundError as error:
        message = f"To run a notebook needs {error.name}, which is missing: pip install nbclient ipykernel. Without outputs: --empty."
        raise SystemExit(message) from None
    if sys.platform == "win32":
        asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
    left_out = {"CURRICULUM_FOLDER"} | ({"MINIGRAD_DATA", "MINIGRAD_FULL", "MINIGRAD_MODEL"} if embedded else set())
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    environment["PYTHONPATH"] = os.pathsep.join(p for p in (str(HERE.parent), os.environ.get("PYTHONPATH")) if p)
    environment["CURRICULUM_TIMES"] = "marked"
    if embedded:
        environment |= dict.fromkeys(THREADS, "1") | {"JAX_PLATFORMS": "cpu"}

    def started(cell: Any, cell_index: int) -> None:
        if show is not None:
            show(cell_index + 1, len(notebook.cells), "cells")

    client = NotebookClient(
        notebook, timeout=None, kernel_name="python3", record_timing=False, on_cell_start=started,
        extra_arguments=["--log-level=ERROR"],
    )  # fmt: skip
    try:
        client.execute(env=environment)
    except CellExecutionError as error:
        raise Failed("\n".join(str(error).strip().splitlines()[-12:])) from None


def settle(new: list[Any], old: list[Any]) -> None:
    """Drop objects that show nothing but their address; take the marks from times that were measured; where nothing but times differs from the old cells, keep the old.

    So a run that finds the same results leaves the same file, and the times in it stay those of one run.
    """
    pairs = []
    for cell in new:
        if "outputs" in cell:
            cell.outputs = _joined([output for output in cell.outputs if not _faceless(output)])
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    output["data"]["image/png"] = _with_a_palette(output["data"]["image/png"])
    same = _sources(new) == _sources(old) if all("id" in cell for cell in old) else False
    for number, cell in enumerate(new):
        before = old[number].get("outputs", []) if same else []
        for place, output in enumerate(cell.get("outputs", [])):
            pairs.append((output, before[place] if place < len(before) else {}))
    same &= all(_alike(output, before) for output, before in pairs)
    for output, before in pairs:
        if "text" in output:
            text = "".join(before["text"]) if same else MARKED.sub(r"\1", output["text"])
            output["text"] = text
        elif same and output.get("metadata", {}).get("minigrad", {}).get("timed"):
            output["data"] = before["data"]


def _with_a_palette(picture: str) -> str:
    """A PNG (base64) in at most 128 colours, as good to the eye and a third of the size: the notebooks lie in the repository."""
    from PIL import Image  # matplotlib, which drew it, needs it too

    image = Image.open(io.BytesIO(base64.b64decode(picture)))
    if image.mode == "P":
        return picture
    target = io.BytesIO()
    image.convert("RGB").quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        target, "png", optimize=True
    )
    return base64.b64encode(target.getvalue()).decode()


def _joined(outputs: list[Any]) -> list[Any]:
    """The outputs, with a stream in one piece where a slow kernel gave it in several."""
    joined: list[Any] = []
    for output in outputs:
        if output["output_type"] == "stream" and joined and joined[-1].get("name") == output["name"]:
            joined[-1]["text"] += output["text"]
        else:
            joined.append(output)
    return joined


def _faceless(output: Any) -> bool:
    """Whether it is the value of a cell's last line, and shows nothing but what it is and where: `<Generator at 0x...>`."""
    text = "".join(output.get("data", {}).get("text/plain", ""))
    return output["output_type"] == "execute_result" and re.fullmatch(r"<\S+ at 0x[0-9a-f]+>", text) is not None


def _alike(output: Any, before: Any) -> bool:
    """Whether two outputs are the same but for the times in them."""
    if output["output_type"] != before.get("output_type"):
        return False
    if "text" in output:
        parts = MARKED.split(output["text"])  # every second one is a time
        pattern = "".join(r"\s*[\d,.]+" if n % 2 else re.escape(part) for n, part in enumerate(parts))
        return re.fullmatch(pattern, "".join(before["text"])) is not None
    if output.get("metadata", {}).get("minigrad", {}).get("timed"):
        return output["metadata"] == before["metadata"]
    return True
