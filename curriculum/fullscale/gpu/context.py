"""What the stages of `gpu` share: what they compute on, to whom they say what they find, and the commands of full scale."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .record import MARK

ROOT = Path(__file__).parents[3]


def environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return os.environ | {"PYTHONPATH": path, "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}


def in_a_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]


@dataclass(frozen=True)
class Stage:
    name: str
    title: str
    seconds: float  # of 8 minutes
    first: bool = False  # measured in every call: it says on what


@dataclass
class Context:
    """On what a stage computes, and to whom it says what it finds."""

    device: str
    rehearse: bool
    model: str  # folder of the encoder; "": there is none
    scratch: str
    until: float = math.inf  # time.time() at which the stage is cut
    before: dict[str, Any] = field(default_factory=dict)  # figures of this stage from a call that was cut
    broken: list[str] = field(default_factory=list)  # parts of the stage that raised
    say: Callable[[dict[str, Any]], None] = lambda found: print(MARK + json.dumps(found), flush=True)

    def to_json(self) -> str:
        return json.dumps({name: getattr(self, name) for name in ("device", "rehearse", "model", "scratch", "until")})

    @property
    def cuda(self) -> bool:
        return self.device.startswith("cuda")

    def figures(self, **found: Any) -> None:
        self.say(found)

    @property
    def left(self) -> float:
        """Seconds until the stage is cut."""
        return self.until - time.time()

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """A part of a stage that may break, and the others go on: its traceback is printed, and its name kept."""
        try:
            yield
        except Exception as error:
            self.broken.append(name)
            self.figures(**{f"{name}_broke": in_a_line(error)})
            print(f"-- {name}\n{traceback.format_exc()}", file=sys.stderr, flush=True)

    def bar(self, name: str, value: float, kind: str, bound: float, speed: bool = False) -> bool:
        """Judge a figure: `at least` or `at most` the bound. Speed, and what little data decides, says nothing in a rehearsal."""
        met = bool(value >= bound if kind == "at least" else value <= bound)
        judged = None if speed and self.rehearse else met
        self.say({"bar": {"name": name, "value": value, "kind": kind, "bound": bound, "met": judged}})
        return met

    def folder(self, name: str) -> Path:
        return Path(self.scratch) / name

    def data(self) -> list[str]:
        """Where commands take their data from."""
        return ["--data", "embedded" if self.rehearse else "auto"]


def full_scale(*arguments: str) -> str:
    """A command of full scale in this process; what it printed. Errors: RuntimeError where it ends otherwise than well."""
    from ..__main__ import main

    said, wrong = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(wrong):
        status = main(list(arguments))
    if status:
        words = wrong.getvalue().strip() or said.getvalue().strip() or "it said nothing"
        raise RuntimeError(f"{arguments[0]} ended with {status}: {words[-250:]}")
    return said.getvalue()


def results(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "results.json").read_bytes())


def losses(folder: Path) -> list[float]:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return [row["loss"] for row in rows if "loss" in row]


def encoder(context: Context) -> str:
    """The encoder's folder; where none was given, or in a rehearsal, one of two narrow layers with random weights."""
    if context.model and not context.rehearse:
        return context.model
    folder = context.folder("encoder")
    if not (folder / "config.json").exists():
        import torch
        from transformers import DistilBertConfig, DistilBertModel
        from transformers.utils import logging

        from curriculum import corpus

        from ..transfer import own_tokenizer

        logging.disable_progress_bar()
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer = own_tokenizer(corpus.reviews(200, 0)[0], 300, folder)
        torch.manual_seed(0)
        shape: dict[str, Any] = {
            "dim": 32,
            "hidden_dim": 64,
            "n_layers": 2,
            "n_heads": 2,
            "max_position_embeddings": 512,
        }
        DistilBertModel(DistilBertConfig(vocab_size=len(tokenizer), pad_token_id=0, **shape)).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return str(folder)
