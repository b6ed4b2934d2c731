"""A finished run, loaded from its folder."""

from __future__ import annotations

import hashlib
import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from curriculum.archives import why

from .calibration import fold
from .errors import Refused
from .folder import read_json

PICTURES, REVIEWS = ("mnist-cnn", "resnet18"), ("distilbert-imdb",)
MEASURED = "words.json"


@dataclass(frozen=True)
class Run:
    """A model with what it needs to be used."""

    folder: Path
    config: dict[str, Any]
    results: dict[str, Any]
    model: nn.Module  # in evaluation mode, on the CPU, float32
    tokenizer: Any = None  # of review runs

    @property
    def about_pictures(self) -> bool:
        return self.config["command"] in PICTURES

    @property
    def classes(self) -> list[str]:
        return self.results.get("classes", ["negative", "positive"])

    @property
    def measured(self) -> dict[str, Any] | None:
        """How far the words that mattered are to be trusted, where `predict --check` has measured it."""
        path = self.folder / MEASURED
        return read_json(path, "texts", "top_sign", "rank_correlation", advice="remove it") if path.exists() else None


def reading(run: Run) -> tuple[int, str]:
    """How many tokens of a text are read, and which: as the run's training did."""
    options = run.config["options"]
    return options["max_length"], options.get("keep", "both")


def load(folder: Path) -> Run:
    """The run in `folder`. Errors: Refused where there is none, or it has not ended."""
    if not (folder / "results.json").exists():
        raise Refused(f"--run {folder}: no finished run is there; train one, or resume it, first.")
    advice = "train again with --overwrite"
    config = read_json(folder / "config.json", "command", "options", advice=advice)
    command = config["command"]
    needed = ("classes", "picture") if command in PICTURES else ()
    results = read_json(folder / "results.json", "test_accuracy", "data", *needed, advice=advice)
    if command in PICTURES:
        from safetensors import SafetensorError
        from safetensors.torch import load as weights_of

        from .pictures import Scaled

        module = importlib.import_module(f".{command.replace('-', '_')}", __package__)
        network = module.build(config["options"], len(results["classes"]), results["picture"][0])
        shape = (1, results["picture"][0], 1, 1)
        model: nn.Module = Scaled(network, torch.zeros(shape), torch.ones(shape))
        try:
            weights = (folder / "model.safetensors").read_bytes()
            if results.get("model_sha256") not in (None, hashlib.sha256(weights).hexdigest()):
                raise ValueError("some bytes have changed")
            model.load_state_dict(weights_of(weights))
        except (OSError, SafetensorError, RuntimeError, ValueError) as error:
            raise Refused(f"{folder}/model.safetensors cannot be read ({why(error)}): {advice}.") from None
        _calibrate(model, results)
        return Run(folder, config, results, model.float().eval())
    if command in REVIEWS:
        from .reviews import encoder
        from .tokens import tokenizer_of

        path = str(folder / "encoder")
        classes = results.get("classes", ["negative", "positive"])
        model = encoder(path, classes, True, results.get("model_sha256")).eval()
        _calibrate(model, results)
        return Run(folder, config, results, model, tokenizer_of(path))
    raise Refused(f"--run {folder} is a run of {command}; wanted is one of {', '.join((*PICTURES, *REVIEWS))}.")


def _calibrate(model: nn.Module, results: dict[str, Any]) -> None:
    """Let the model answer as sure as the validation part showed that it may be."""
    t = results.get("temperature", 1.0)
    if isinstance(t, int | float) and 0 < t < 1000 and t != 1:
        fold(model, t, len(results.get("classes", ["negative", "positive"])))


def encode(run: Run, texts: list[str]) -> tuple[Tensor, Tensor]:
    """(ids, mask) of the texts, cut as the run's training cut them."""
    import numpy as np

    from .tokens import tokenized

    made = tokenized(texts, run.tokenizer, *reading(run))
    return made.padded(np.arange(len(texts)), run.tokenizer.pad_token_id)


def probabilities(run: Run, texts: list[str], size: int = 32) -> Tensor:
    """(texts, classes)."""
    from .reviews import logits_of

    with torch.no_grad():
        parts = [logits_of(run.model, *encode(run, texts[i : i + size])) for i in range(0, len(texts), size)]
    return torch.cat(parts).softmax(1)
