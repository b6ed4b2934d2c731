"""A lesson in percent format as a Jupyter notebook, with the outputs of a run."""

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

from . import files
from .catalog import HERE, Lesson
from .runner import Failed, Setting

if TYPE_CHECKING:
    from pathlib import Path

CHOICE = """# The engine of this notebook: minigrad or torch. To change it, restart the kernel.
import os

os.environ["MINIGRAD_ENGINE"] = "{engine}"
os.environ["MINIGRAD_DTYPE"] = "{dtype}"
os.environ["MINIGRAD_SEED"] = "{seed}\""""


def read(lesson: Lesson, setting: Setting) -> Any:
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
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


def write(lesson: Lesson, path: "Path", setting: Setting, run: bool = True) -> None:
    """Write the lesson as a notebook to `path`; with `run`, as Jupyter shows it after "Run all".

    Errors: Failed with the lesson's own last lines where a cell ends early; nothing is written then.
    """
    notebook = read(lesson, setting)
    if run:
        execute(notebook)
    import nbformat

    nbformat.validate(notebook)
    files.write(path, nbformat.writes(notebook) + "\n")


def execute(notebook: Any) -> None:
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
    found = os.pathsep.join(p for p in (str(HERE.parent), os.environ.get("PYTHONPATH")) if p)
    environment = {name: value for name, value in os.environ.items() if name != "CURRICULUM_FOLDER"}
    client = NotebookClient(notebook, timeout=None, kernel_name="python3")
    try:
        client.execute(env=environment | {"PYTHONPATH": found})
    except CellExecutionError as error:
        raise Failed("\n".join(str(error).strip().splitlines()[-12:])) from None
