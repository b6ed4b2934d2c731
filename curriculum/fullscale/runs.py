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
from .owned import read_json

PICTURES, REVIEWS = ("mnist-cnn", "resnet18"), ("distilbert-imdb",)
MEASURED = "words.json"
NEWS = ["World", "Sports", "Business", "Science"]


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
        """How far the words that mattered are to be trusted, where `predict --check` has measured it of these weights."""
        path = self.folder / MEASURED
        if not path.exists():
            return None
        found = read_json(path, "texts", "top_sign", "rank_correlation", advice="remove it")
        return found if found.get("model_sha256") == self.results.get("model_sha256") else None


def reading(run: Run) -> tuple[int, str]:
    """How many tokens of a text are read, and which: as the run's training did."""
    options = run.config["options"]
    return options["max_length"], options.get("keep", "both")


def load(folder: Path) -> Run:
    """The run in `folder`. Errors: Refused where there is none, it has not ended, or what it says of itself makes no model."""
    try:
        found = _load(folder)
        classes, read = found.classes, 8 if found.about_pictures else reading(found)[0]
        if not isinstance(classes, list) or not all(isinstance(each, str) for each in classes) or type(read) is not int:
            raise ValueError("its classes are no names, or its length is no number")
    except (LookupError, TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        raise Refused(
            f"{folder}/config.json or results.json is damaged ({why(error)}): train again with --overwrite."
        ) from None
    return found


def _load(folder: Path) -> Run:
    if not (folder / "results.json").exists():
        if (folder / "transfer.json").exists():
            inner = sorted(path.parent for path in folder.glob("seed-*/*/results.json"))
            raise Refused(
                f"--run {folder} holds several trainings: give one of them, such as {inner[0] if inner else folder}."
            )
        raise Refused(f"--run {folder}: no finished run is there; train one, or resume it, first.")
    advice = "train again with --overwrite"
    config = read_json(folder / "config.json", "command", "options", advice=advice)
    command = config["command"]
    needed = ("classes", "picture") if command in PICTURES else ()
    results = read_json(folder / "results.json", "test_accuracy", "data", *needed, advice=advice)
    if command in PICTURES:
        from .pictures import Scaled

        module = importlib.import_module(f".{command.replace('-', '_')}", __package__)
        network = module.build(config["options"], len(results["classes"]), results["picture"][0])
        shape = (1, results["picture"][0], 1, 1)
        model: nn.Module = Scaled(network, torch.zeros(shape), torch.ones(shape))
        try:
            model.load_state_dict(_weights(folder, results, advice))
        except RuntimeError as error:
            raise Refused(f"{folder}/model.safetensors does not fit its settings ({why(error)}): {advice}.") from None
        _calibrate(model, results)
        return Run(folder, config, results, model.float().eval())
    if command in REVIEWS or (command == "transfer" and config["options"].get("model")):
        from .reviews import encoder
        from .tokens import tokenizer_of

        path = str(folder / "encoder")
        classes = results.get("classes", ["negative", "positive"])
        twice = (folder / "model.safetensors").exists()  # an older run: the sum is of that file, with other names in it
        model = (
            encoder(path, classes, True, None if twice else results.get("model_sha256")).eval().requires_grad_(False)
        )
        _calibrate(model, results)
        return Run(folder, config, results, model, tokenizer_of(path))
    if command == "transfer":
        from .transfer import Encoder, own_tokenizer

        options, tokenizer = config["options"], own_tokenizer([], 0, _above(folder, "tokenizer.json", advice))
        weights = _weights(folder, results, advice)
        sizes = {name: options[name] for name in ("max_length", "width", "heads", "depth", "dropout")}
        classes = len(weights["head.bias"])
        results.setdefault("classes", ["negative", "positive"] if folder.name != "news" else NEWS)
        try:
            own = Encoder(len(tokenizer), classes, **sizes, pad=tokenizer.pad_token_id)
            own.load_state_dict(weights)
        except RuntimeError as error:
            raise Refused(f"{folder}/model.safetensors does not fit its settings ({why(error)}): {advice}.") from None
        _calibrate(own, results)
        return Run(folder, config, results, own.float().eval().requires_grad_(False), tokenizer)
    raise Refused(
        f"--run {folder} is a run of {command}; wanted is one of {', '.join((*PICTURES, *REVIEWS))}, transfer."
    )


def _weights(folder: Path, results: dict[str, Any], advice: str) -> dict[str, Tensor]:
    """The weights of a run, which must be those that it wrote. Errors: Refused."""
    from safetensors import SafetensorError
    from safetensors.torch import load as weights_of

    try:
        weights = (folder / "model.safetensors").read_bytes()
        if results.get("model_sha256") not in (None, hashlib.sha256(weights).hexdigest()):
            raise ValueError("some bytes have changed")
        return weights_of(weights)
    except (OSError, SafetensorError, ValueError) as error:
        raise Refused(f"{folder}/model.safetensors cannot be read ({why(error)}): {advice}.") from None


def _above(folder: Path, name: str, advice: str) -> Path:
    """The folder, or the nearest above it within a run of transfer (RUN/seed-N/STRATEGY), that has a file `name`."""
    for place in (folder, *folder.resolve().parents[:2]):
        if (place / name).exists():
            return place
    raise Refused(f"{folder.resolve().parents[1]}/{name} is missing, without which the texts cannot be read: {advice}.")


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


def probabilities(run: Run, texts: list[str], size: int = 32, show: str = "") -> Tensor:
    """(texts, classes), read in batches of like length. show: what is being done, where its progress is to be seen."""
    import numpy as np

    from .progress import shown
    from .reviews import logits_of
    from .tokens import tokenized

    made = tokenized(texts, run.tokenizer, *reading(run))
    order = np.argsort(made.lengths, kind="stable")
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    found = torch.zeros(len(texts), len(run.classes))
    with torch.no_grad():
        for rows in shown(batches, show, f"batches of {size}") if show else batches:
            logits = logits_of(run.model, *made.padded(rows, run.tokenizer.pad_token_id))
            found[torch.from_numpy(rows)] = logits.float().softmax(1)
    return found
