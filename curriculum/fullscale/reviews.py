"""What the review commands share: encoders with a classification head, batches, evaluation, results."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from . import cuda, distributed
from .errors import Refused
from .folder import Folder, Metrics, machine, write_results
from .loop import Job, Result, train
from .settings import Settings
from .text import Texts
from .tokens import Tokens, by_length

Made = tuple[Tensor, Tensor, Tensor, int]  # ids (n, length), mask (n, length), labels (n); how many tokens, known here


def encoder(model: str, classes: list[str]) -> nn.Module:
    """A pre-trained encoder with a fresh classification head, by hub name or folder. Errors: Refused."""
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        return AutoModelForSequenceClassification.from_pretrained(
            model, num_labels=len(classes), id2label=dict(enumerate(classes)), label2id={c: i for i, c in enumerate(classes)},
            attn_implementation="sdpa", dtype=torch.float32,
        )  # fmt: skip
    except Exception as error:  # many kinds, all of which mean: not to be had
        line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Refused(
            f"--model {model} could not be loaded ({line}): give the folder of an encoder that transformers reads, or a hub "
            "name such as distilbert-base-uncased and a network."
        ) from None


def logits_of(model: nn.Module, ids: Tensor, mask: Tensor) -> Tensor:
    """Logits (n, classes), from a model of transformers or one of our own."""
    out = model(input_ids=ids, attention_mask=mask)
    return out if isinstance(out, Tensor) else out.logits


def predict(
    model: nn.Module, tokens: Tokens, rows: np.ndarray, pad: int, settings: Settings, size: int = 64, show: str = ""
) -> Tensor:
    """Logits (len(rows), classes), in batches of like length."""
    model.eval()
    device = torch.device(settings.device)
    order = np.argsort(tokens.lengths[rows], kind="stable")
    found: list[Tensor] = []
    with torch.no_grad(), settings.autocast():
        for places in tqdm(
            np.array_split(order, -(-len(order) // size)), desc=show, disable=None if show else True, leave=False
        ):
            ids, mask = tokens.padded(rows[places], pad)
            found.append(logits_of(model, ids.to(device), mask.to(device)).float().cpu())
    back = np.argsort(order)
    return torch.cat(found)[torch.from_numpy(back)]


def split(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the texts to validate on, a twentieth (at most 1,000), and of those to train on."""
    order = np.random.default_rng([seed, 7]).permutation(count)
    held = min(1000, max(1, count // 20))
    return order[:held], order[held:]


def fit(
    settings: Settings, folder: Folder, model: nn.Module, optimizer: torch.optim.Optimizer, tokens: Tokens, labels: list[int],
    pad: int, schedule: Callable[[float], float], rank: int = 0, world: int = 1, patience: int | None = None,
    before_epoch: Callable[[int], None] = lambda epoch: None,
) -> tuple[Result, Metrics]:  # fmt: skip
    """Train on all but a twentieth (at most 1,000) of the texts, choose the epoch on that part."""
    validation, used = split(len(tokens), settings.seed)
    classes = torch.tensor(labels)
    device = torch.device(settings.device)

    def batch(chosen: np.ndarray, part: slice, randomness: torch.Generator) -> Made:
        rows = used[chosen[part]]
        ids, mask = tokens.padded(rows, pad)
        moved = cuda.onto(device, ids, mask, classes[torch.from_numpy(rows)])
        return *moved, int(tokens.lengths[rows].sum())

    def loss(model: nn.Module, made: Made) -> Tensor:
        ids, mask, y, _ = made
        return F.cross_entropy(logits_of(model, ids, mask), y, reduction="sum")

    def evaluate(model: nn.Module) -> dict[str, float]:
        logits, y = predict(model, tokens, validation, pad, settings), classes[torch.from_numpy(validation)]
        right = (logits.argmax(1) == y).float().mean().item()
        return {"validation_loss": F.cross_entropy(logits, y).item(), "validation_accuracy": right}

    job = Job(
        model, optimizer, len(used), batch, loss, evaluate, schedule, by_length(tokens, used, settings.batch_size, settings.seed),
        patience=patience, clip=1.0, before_epoch=before_epoch, tokens=lambda made: made[3],
    )  # fmt: skip
    return train(job, settings, folder, rank, world)


def test(
    settings: Settings, folder: Folder, metrics: Metrics, result: Result, model: nn.Module, tokens: Tokens, texts: Texts, pad: int,
    world: int, **facts: Any,
) -> dict[str, Any]:  # fmt: skip
    """Judge the model on the test part, once, and write everything into the folder."""
    begin = time.perf_counter()
    logits = predict(model, tokens, np.arange(len(tokens)), pad, settings, show="test")
    seconds = time.perf_counter() - begin
    truth, guess = np.array(texts.test_labels), logits.argmax(1).numpy()
    facts = {
        "command": settings.command, "data": texts.source, "test_accuracy": float((guess == truth).mean()),
        "test_loss": F.cross_entropy(logits, torch.tensor(texts.test_labels)).item(), "best_epoch": result.best.get("epoch"),
        "epochs": result.epochs, "steps": result.steps, "training_seconds": round(result.seconds, 1),
        "test_seconds": round(seconds, 1), "samples_per_second": round(result.samples_per_second, 1),
        "tokens_per_second": round(result.tokens_per_second or 0), "processes": world, "batch_size": settings.batch_size,
        "micro_batches": result.micro_batches, "precision": settings.precision, "lr": settings.lr, "seed": settings.seed,
        "parameters": sum(p.numel() for p in model.parameters()),
        "trained_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad), **facts, **machine(settings.device),
    }  # fmt: skip
    write_results(folder, metrics, model, truth, guess, texts.classes, facts)
    return facts


def save_encoder(model: nn.Module, tokenizer: Any, path: Path) -> None:
    """In the form that transformers loads."""
    model.save_pretrained(path)  # type: ignore[operator]
    tokenizer.save_pretrained(path)


__all__ = ["distributed", "encoder", "fit", "logits_of", "predict", "save_encoder", "test"]
