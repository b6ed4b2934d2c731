"""The backward page: one HTML file with everything in it, that asks for nothing from anywhere."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from .. import files
from .record import ROOM, record, to_json, walked

PACKED_FROM = 150_000  # characters of data from which they are compressed
STYLES = ("page.css",)
SCRIPTS = ("tensor.js", "graph.js", "explain.js", "page.js")
LIBRARIES = ("d3.min.js", "dagre.min.js")


def page(
    loss: Any,
    path: str | Path = "backward.html",
    *,
    names: Mapping[str, Any] | None = None,
    words: Sequence[str] | None = None,
    gradient: Any = None,
    title: str | None = None,
    room: int = ROOM,
) -> Path:
    """Write the backward page of a tensor: its forward and backward pass, step by step, with every number. The file's path.

        with viz.recording():
            loss = F.mse_loss(model(x), y)
        viz.page(loss, "backward.html", names=locals())

    loss: a tensor, or a function without arguments that computes one: it is run with everything kept, and its variables give their
    names. A tensor that was computed without `recording` is shown with the values that its graph has.
    names: variables whose names are shown, such as `locals()`; modules and parameters have theirs.
    words: the words of a text input, shown at the sides of attention maps. gradient: with which the walk begins, 1 if left out.
    room: about how many bytes the page may take for tensors whose every number is there; of larger ones a heat map, a histogram and the
    range are kept.

    The backward pass is walked anew: `.grad` stays as it is, and nothing is freed. Errors: RuntimeError, TypeError for what is no
    tensor; NotWritten (an OSError) where no file can be written, before anything is computed.
    """
    files.require_place(path)
    graph = walked(loss, names, gradient)
    data = record(
        graph, title=title or f"Backward pass of {graph.top.title}", words=words, gradient=gradient, room=room
    )
    return write(data, path)


def write(data: Mapping[str, Any], path: str | Path) -> Path:
    """The page of these data (see record.py). Errors: NotWritten."""
    target = Path(path)
    with files.replacing(target) as file:
        file.write(html(data).encode())
    return target


def html(data: Mapping[str, Any]) -> str:
    return assemble(data, "page.html", STYLES, SCRIPTS, LIBRARIES)


def assemble(
    data: Mapping[str, Any], page: str, styles: Sequence[str], scripts: Sequence[str], libraries: Sequence[str]
) -> str:
    """A page of `assets` with its parts and these data put in: it needs no other file."""
    text = to_json(dict(data))
    if len(text) > PACKED_FROM:
        packed = base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()
        held = f'<script id="data" type="application/gzip">{packed}</script>'
    else:
        inert = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
        held = f'<script id="data" type="application/json">{inert}</script>'
    parts = {
        "title": escape(str(data["title"])),
        "style": "\n".join(_file(name) for name in styles),
        "libraries": "\n".join(_script(f"vendor/{name}") for name in libraries),
        "licences": "\n".join(_file(f"vendor/{name.partition('.')[0]}.LICENSE.txt") for name in libraries),
        "scripts": "\n".join(_script(name) for name in scripts),
        "data": held,
    }
    out = []
    for piece in _file(page).split("{{"):  # a part is put in once, whatever it holds itself
        name, mark, rest = piece.partition("}}")
        out.append(parts[name] + rest if mark and name in parts else piece)
    return "".join(out)


def _script(name: str) -> str:
    return f"<script>{_file(name)}</script>"


def _file(name: str) -> str:
    text = resources.files(__package__).joinpath("assets", *name.split("/")).read_text(encoding="utf-8")
    return text.replace("</script", "<\\/script")
