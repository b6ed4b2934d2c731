"""A run's folder: whose it is, with which settings and data it was begun, and pictures in it."""

from __future__ import annotations

import io
import json
from typing import Any

from curriculum import draw, files

from . import checkpoint, distributed
from .errors import Refused
from .owned import Owned, read_json
from .settings import Settings


def _more_epochs(name: str, before: Any, now: Any) -> bool:
    """Whether a run is resumed to go on for longer."""
    return name == "epochs" and type(before) is int and now > before


class Folder(Owned):
    """The folder of a run; in processes other than the first it writes nothing."""

    def __init__(self, settings: Settings, rank: int = 0, data: str | None = None):
        """data: the fingerprint of what is trained and tested on; a run is not resumed with another."""
        super().__init__(settings.out, "run", resume=settings.resume, overwrite=settings.overwrite, writes=rank == 0)
        if self.begun and settings.resume and (self.path / "config.json").exists():  # else it died as it began
            before = read_json(self.path / "config.json", "command", advice="begin anew with --overwrite")
            now = json.loads(json.dumps(settings.comparable()))
            other = [k for k in now if before.get(k) != now[k] and not _more_epochs(k, before.get(k), now[k])]
            if other:
                said = ", ".join(f"{k} {before.get(k)!r} then, {now[k]!r} now" for k in other)
                raise Refused(
                    f"{self.path} holds a run with other settings ({said}): resume with the same, or take another --out."
                )
            if data is not None and self.marked.get("data") not in (None, data):
                raise Refused(
                    f"{self.path} holds a run that was trained on other data ({self.marked['data']} then, {data} now): "
                    "resume with the same data, or take another --out."
                )
        distributed.wait(settings.device)  # nobody changes the folder before every process has looked at it
        self.begin(anew=settings.overwrite, **({"data": data} if data is not None else {}))
        self.claim(*checkpoint.NAMES)
        self.write("config.json", files.as_json(settings.comparable(), 1) + "\n")
        distributed.wait(settings.device)  # nor reads what is being removed

    def figure(self, name: str, fig: Any) -> None:
        content = io.BytesIO()
        fig.savefig(content, format="png", dpi=110, bbox_inches="tight")
        draw.pyplot().close(fig)
        self.write(name, content.getvalue())
