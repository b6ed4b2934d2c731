"""The page of a watched training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .page import assemble

STYLES = ("page.css", "watch.css")
SCRIPTS = ("tensor.js", "player.js", "chart.js", "watch.js")


def html(data: Mapping[str, Any]) -> str:
    """One file with everything in it: data as `film.told` gives them."""
    return assemble(data, "watch.html", STYLES, SCRIPTS, ("d3.min.js",))
