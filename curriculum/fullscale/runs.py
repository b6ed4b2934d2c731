"""A finished run, loaded from its folder."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .errors import Refused

PICTURES, REVIEWS = ("mnist-cnn", "resnet18"), ("distilbert-imdb",)


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
        return self.results["classes"] if self.about_pictures else ["negative", "positive"]


def load(folder: Path) -> Run:
    """The run in `folder`. Errors: Refused where there is none, or it has not ended."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise Refused(f"--run {folder}: no finished run is there ({error}); train one, or resume it, first.") from None
    command = config["command"]
    if command in PICTURES:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from .pictures import Scaled

        module = importlib.import_module(f".{command.replace('-', '_')}", __package__)
        network = module.build(config["options"], len(results["classes"]), results["picture"][0])
        shape = (1, results["picture"][0], 1, 1)
        model: nn.Module = Scaled(network, torch.zeros(shape), torch.ones(shape))
        try:
            model.load_state_dict(load_file(folder / "model.safetensors"))
        except (OSError, SafetensorError, RuntimeError) as error:
            raise Refused(
                f"{folder}/model.safetensors cannot be read ({error}): train again with --overwrite."
            ) from None
        return Run(folder, config, results, model.float().eval())
    if command in REVIEWS:
        from .reviews import encoder
        from .tokens import tokenizer_of

        path = str(folder / "encoder")
        return Run(folder, config, results, encoder(path, ["negative", "positive"]).eval(), tokenizer_of(path))
    raise Refused(f"--run {folder} is a run of {command}; wanted is one of {', '.join((*PICTURES, *REVIEWS))}.")


def encode(run: Run, texts: list[str]) -> tuple[Tensor, Tensor]:
    """(ids, mask) of the texts, cut as the run's training cut them."""
    import numpy as np

    from .tokens import tokenized

    options = run.config["options"]
    made = tokenized(texts, run.tokenizer, options["max_length"], options["keep"])
    return made.padded(np.arange(len(texts)), run.tokenizer.pad_token_id)


def probabilities(run: Run, texts: list[str], size: int = 32) -> Tensor:
    """(texts, classes)."""
    from .reviews import logits_of

    with torch.no_grad():
        parts = [logits_of(run.model, *encode(run, texts[i : i + size])) for i in range(0, len(texts), size)]
    return torch.cat(parts).softmax(1)
