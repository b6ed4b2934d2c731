"""A small local web page: draw a digit, or type a review, and see the answer."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from . import forms, local_server, runs, shown
from .errors import Refused
from .text import clean
from .words import Judged, words_that_mattered


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", type=Path, required=True, dest="folder", help="folder of a finished run")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one (8000)")


def centred(picture: torch.Tensor) -> torch.Tensor:
    """A drawing (1, 1, 28, 28) as MNIST's pictures are: the ink in a box of 20 x 20, its centre of mass in the middle."""
    ink = (picture[0, 0] > 20).nonzero()
    if not len(ink):
        return picture
    (top, left), (bottom, right) = ink.min(0).values.tolist(), ink.max(0).values.tolist()
    cut = picture[:, :, top : bottom + 1, left : right + 1]
    scale = 20 / max(cut.shape[2:])
    size = [max(1, round(side * scale)) for side in cut.shape[2:]]
    small = F.interpolate(cut, size=size, mode="bilinear", antialias=True)
    mass = small[0, 0] / small.sum()
    y = (mass.sum(1) * torch.arange(size[0])).sum().item()
    x = (mass.sum(0) * torch.arange(size[1])).sum().item()
    above, before = (min(max(0, round(13.5 - c)), 28 - side) for c, side in ((y, size[0]), (x, size[1])))
    return F.pad(small, (before, 28 - size[1] - before, above, 28 - size[0] - above))


def judge(run: runs.Run, asked: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request. Errors: Refused."""
    if run.about_pictures:
        pixels = asked.get("pixels")
        if (
            not isinstance(pixels, list)
            or len(pixels) != 784
            or not all(isinstance(p, int | float) and 0 <= p <= 255 for p in pixels)
        ):
            raise Refused("Wanted are `pixels`, 784 numbers from 0 to 255.")
        picture = torch.tensor(pixels, dtype=torch.float32).reshape(1, 1, 28, 28)
        if picture.max() < 20:
            raise Refused("Nothing is drawn.")
        with torch.no_grad():
            p = run.model(centred(picture)).softmax(1)[0]
        judged = Judged("", run.classes[int(p.argmax())], p.max().item(), p.tolist(), [])
        return {
            "label": judged.label,
            "probability": judged.probability,
            "classes": run.classes,
            "probabilities": judged.probabilities,
            "html": shown.answer(run.classes, judged),
        }
    text = asked.get("text")
    if not isinstance(text, str) or not clean(text):
        raise Refused("The review is empty.")
    judged = words_that_mattered(run, clean(text))
    return {
        "label": judged.label,
        "probability": judged.probability,
        "classes": run.classes,
        "probabilities": judged.probabilities,
        "words": [(word.text, word.share) for word in judged.words],
        "html": shown.answer(run.classes, judged),
    }


def server(run: runs.Run, port: int) -> local_server.Server:
    """Listens on this machine alone. Errors: Refused where the port is not to be had."""
    return local_server.Server(port, shown.page(run), forms.STATIC, lambda asked: judge(run, asked))


def run(arguments: argparse.Namespace) -> int:
    found = runs.load(arguments.folder)
    if found.about_pictures and found.results["picture"] != [1, 28, 28]:
        raise Refused(f"serve draws grey pictures of 28 x 28; {arguments.folder} reads {found.results['picture']}.")
    listening = server(found, arguments.port)
    print(f"{listening.address}   (Ctrl-C ends it)", flush=True)
    listening.serve_forever()
    return 0
