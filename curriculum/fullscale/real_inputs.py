"""The data that a finished run was tested with, found again: to compare, and to measure on."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from . import own, runs, text
from .errors import Refused
from .images import Images
from .text import Texts


def texts_of(run: runs.Run, arguments: argparse.Namespace) -> Texts:
    """Own texts where the run was trained on some, else news or film reviews, by its classes. Errors: Refused."""
    settings = _settings(run, arguments)
    if own.given(settings):
        return _fitting(own.load_texts(settings), run)
    return _fitting((text.ag_news if run.classes == runs.NEWS else text.imdb)(settings), run)


def pictures_of(run: runs.Run, arguments: argparse.Namespace) -> Images:
    """Own pictures where the run was trained on some, else its data set's. Errors: Refused."""
    settings = _settings(run, arguments)
    return _fitting(own.load_pictures(run.config["options"].get("dataset") or "mnist", settings), run)


def _settings(run: runs.Run, arguments: argparse.Namespace) -> Any:
    """What of its settings decides on the data: own data is split by the run's seed as it was for training."""
    options, data = dict(run.config["options"]), arguments.data
    if options.get("train") is not None:
        options["dataset"] = None
        for name in ("data", "data_dir"):
            if getattr(arguments, name) not in (None, "auto"):
                raise Refused(
                    f"--{name.replace('_', '-')} {getattr(arguments, name)}: the run in {run.folder} was trained on {options['train']} "
                    "and is judged on its like: leave it away."
                )
    elif data == "auto" and arguments.data_dir is None:  # what the command line leaves open is as it was for training
        data = run.config.get("data", "auto")
    seed = run.config.get("seed", 0)
    return argparse.Namespace(data=data, data_dir=None, limit=None, seed=seed, options=options)


def _fitting(found: Any, run: runs.Run) -> Any:
    """The data, if the run can answer for it; said where it is not what the run was tested with. Errors: Refused."""
    if list(found.classes) != list(run.classes):
        raise Refused(
            f"The run in {run.folder} answers {', '.join(run.classes)[:100]}, and {found.source} has the classes "
            f"{', '.join(found.classes)[:100]}: give the data that it was trained on."
        )
    before = str(run.results["data"])
    if not before.startswith(found.source):
        print(
            f"What follows is measured on {found.source}. The run was trained and tested on {before}.", file=sys.stderr
        )
    return found
