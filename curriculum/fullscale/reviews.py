"""What the review commands share: encoders with a classification head, batches, evaluation, results."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from . import calibration, checkpoint, cuda, distributed, mistakes, splits
from .encoders import encoder
from .folder import Folder
from .loop import Job, Result, train
from .machine import machine
from .metrics import Metrics
from .results import write_results
from .settings import Settings
from .text import Texts
from .tokens import Tokens, by_length

Made = tuple[Tensor, Tensor, Tensor, int]  # ids (n, length), mask (n, length), labels (n); how many tokens, known here


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


def split(labels: list[int], settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the texts to validate on, a twentieth (at most 1,000) with each class's share, and of those to train on.

    Of own data, which is often little, 100 where that is no more than a fifth: too few calibrate nothing.
    """
    count = len(labels)
    least = min(100, count // 5) if settings.options.get("train") else 1
    return splits.stratified(np.array(labels), min(1000, max(1, least, count // 20)), settings.seed)


def fit(
    settings: Settings, folder: Folder, model: nn.Module, optimizer: torch.optim.Optimizer, tokens: Tokens, labels: list[int],
    pad: int, schedule: Callable[[float], float], rank: int = 0, world: int = 1, patience: int | None = None,
    before_epoch: Callable[[int], None] = lambda epoch: None, evaluate_every: int | None = None,
) -> tuple[Result, Metrics]:  # fmt: skip
    """Train on all but a twentieth (at most 1,000) of the texts, choose the epoch on that part."""
    validation, used = split(labels, settings)
    classes = torch.tensor(labels)
    weights = None
    if settings.options.get("class_weights"):
        weights = torch.from_numpy(splits.class_weights(np.array(labels)[used], max(labels) + 1))
    device = torch.device(settings.device)

    def batch(chosen: np.ndarray, part: slice, randomness: torch.Generator) -> Made:
        rows = used[chosen[part]]
        ids, mask = tokens.padded(rows, pad)
        moved = cuda.onto(device, ids, mask, classes[torch.from_numpy(rows)])
        return *moved, int(tokens.lengths[rows].sum())

    def loss(model: nn.Module, made: Made) -> Tensor:
        ids, mask, y, _ = made
        logits = logits_of(model, ids, mask)
        return F.cross_entropy(logits, y, None if weights is None else weights.to(logits), reduction="sum")

    def evaluate(model: nn.Module) -> dict[str, float]:
        logits, y = predict(model, tokens, validation, pad, settings), classes[torch.from_numpy(validation)]
        right = (logits.argmax(1) == y).float().mean().item()
        return {"validation_loss": F.cross_entropy(logits, y, weights).item(), "validation_accuracy": right}

    job = Job(
        model, optimizer, len(used), batch, loss, evaluate, schedule, by_length(tokens, used, settings.batch_size, settings.seed),
        patience=patience, evaluate_every=evaluate_every, clip=1.0, before_epoch=before_epoch, tokens=lambda made: made[3],
    )  # fmt: skip
    return train(job, settings, folder, rank, world)


def test(
    settings: Settings, folder: Folder, metrics: Metrics, result: Result, model: nn.Module, tokens: Tokens, texts: Texts, pad: int,
    world: int, save: Callable[[], str] | None, validation: tuple[Tensor, Tensor] | None, **facts: Any,
) -> dict[str, Any]:  # fmt: skip
    """Judge the model on the test part, once, and write everything into the folder; `save` writes the model and says where.

    validation: logits and classes that were not trained on, by which the calibration is chosen.
    """
    begin = time.perf_counter()
    logits = predict(model, tokens, np.arange(len(tokens)), pad, settings, show="test")
    seconds = time.perf_counter() - begin
    truth, guess = np.array(texts.test_labels), logits.argmax(1).numpy()
    if validation is not None:
        judged, fig = calibration.judge(validation, (logits, torch.tensor(texts.test_labels)), texts.classes)
        folder.figure("calibration.png", fig)
        probabilities = (logits / judged["temperature"]).softmax(1).numpy()
        mistakes.write(folder, truth, probabilities, texts.classes, lambda i: mistakes.text(texts.test[i]))
        facts = judged | facts
    held, used = split(texts.train_labels, settings)
    facts |= {"classes": texts.classes, "trained_on": len(used), "validated_on": len(held), "tested_on": len(truth)}
    facts = {
        "command": settings.command, "data": texts.source, "test_accuracy": float((guess == truth).mean()),
        "test_loss": F.cross_entropy(logits, torch.tensor(texts.test_labels)).item(), **result.facts(),
        "test_seconds": round(seconds, 1), "processes": world, "batch_size": settings.batch_size,
        "precision": settings.precision, "lr": settings.lr, "seed": settings.seed,
        "parameters": sum(p.numel() for p in model.parameters()),
        "trained_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad), "classes": texts.classes, **facts, **machine(settings.device),
    }  # fmt: skip
    weights_at = save() if save is not None else None
    write_results(folder, metrics, model, truth, guess, texts.classes, facts, weights_at)
    checkpoint.finish(folder.path, settings.drop_checkpoint)
    return facts


__all__ = ["distributed", "encoder", "fit", "logits_of", "predict", "test"]
