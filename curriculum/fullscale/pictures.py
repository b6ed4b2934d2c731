"""What the picture commands share: split, augmentation, batches, evaluation, results."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import calibration, checkpoint, cuda, distributed, mistakes, splits
from .folder import Folder
from .images import Images
from .loop import Job, train
from .machine import machine
from .results import write_results
from .settings import Settings


def move(
    x: Tensor,
    randomness: torch.Generator,
    count: int,
    part: slice,
    degrees: float,
    scale: float,
    shift: float,
    flip: bool,
) -> Tensor:
    """Each picture turned, enlarged and shifted at random. x: the part's pictures; draws are for the whole batch of `count`.

    degrees, scale and shift are the largest changes: an angle, a share, and a share of half the picture's width.
    """
    n = part.stop - part.start
    drawn = (2 * torch.rand(4, count, generator=randomness) - 1)[:, part]
    turn, zoom = torch.deg2rad(degrees * drawn[0]), 1 + scale * drawn[1]
    cos, sin = torch.cos(turn) / zoom, torch.sin(turn) / zoom
    mirror = torch.where(torch.rand(count, generator=randomness)[part] < 0.5, -1.0, 1.0) if flip else torch.ones(n)
    theta = torch.stack([cos * mirror, -sin, shift * drawn[2], sin * mirror, cos, shift * drawn[3]], dim=1).reshape(
        n, 2, 3
    )
    grid = F.affine_grid(cuda.onto(x.device, theta, dtype=x.dtype), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


class Scaled(nn.Module):
    """A network with the scaling of its pictures: bytes (n, c, h, w) in, logits out. So a saved model needs no recipe."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, deviation: Tensor):
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean)  # (1, c, 1, 1)
        self.register_buffer("deviation", deviation)

    def forward(self, x: Tensor) -> Tensor:
        return self.network((x / 255 - self.mean) / self.deviation)


def predict(model: nn.Module, pictures: Tensor, settings: Settings, size: int = 500) -> Tensor:
    """Logits (n, classes) of the pictures."""
    model.eval()
    device = torch.device(settings.device)
    with (
        torch.no_grad(),
        settings.autocast(),
    ):
        return torch.cat([model(part.to(device, settings.dtype)).float().cpu() for part in pictures.split(size)])


def run(
    settings: Settings, images: Images, model: nn.Module, optimizer: torch.optim.Optimizer, augment: dict[str, Any],
    schedule: Callable[[float], float], patience: int | None, smoothing: float, also: Callable[[Folder], dict[str, Any]] = lambda folder: {},
) -> int:  # fmt: skip
    """Train on nine tenths (at most 5,000 pictures fewer), choose the epoch on the rest, test once, write everything."""
    with distributed.group(settings.device) as (rank, world):
        labels = images.train_labels.numpy()
        held, used = splits.stratified(labels, min(5000, max(1, len(labels) // 10)), settings.seed)
        validation = torch.from_numpy(held)
        weights = None
        if settings.options.get("class_weights"):
            weights = torch.from_numpy(splits.class_weights(labels[used], len(images.classes)))
        device = torch.device(settings.device)
        folder = Folder(settings, rank, images.fingerprint())
        facts = also(folder) if rank == 0 else {}

        def batch(chosen: np.ndarray, part: slice, randomness: torch.Generator) -> tuple[Tensor, Tensor]:
            rows = torch.from_numpy(used[chosen[part]])
            x, y = cuda.onto(device, images.train[rows], images.train_labels[rows])
            x = x.to(settings.dtype)  # there: a byte travels, not the four of a float
            return move(x, randomness, len(chosen), part, **augment) if augment else x, y

        def loss(model: nn.Module, made: tuple[Tensor, Tensor]) -> Tensor:
            x, y = made
            logits = model(x)
            by_class = None if weights is None else weights.to(logits)
            return F.cross_entropy(logits, y, by_class, reduction="sum", label_smoothing=smoothing)

        def evaluate(model: nn.Module) -> dict[str, float]:
            logits, y = predict(model, images.train[validation], settings), images.train_labels[validation]
            right = (logits.argmax(1) == y).float().mean().item()
            return {"validation_loss": F.cross_entropy(logits, y, weights).item(), "validation_accuracy": right}

        job = Job(model, optimizer, len(used), batch, loss, evaluate, schedule, patience=patience)
        result, metrics = train(job, settings, folder, rank, world)
        if rank > 0:
            return 0
        begin = time.perf_counter()
        logits = predict(model, images.test, settings)
        seconds = time.perf_counter() - begin
        guess, truth = logits.argmax(1).numpy(), images.test_labels.numpy()
        chosen_on = predict(model, images.train[validation], settings), images.train_labels[validation]
        judged, fig = calibration.judge(chosen_on, (logits, images.test_labels), images.classes)
        folder.figure("calibration.png", fig)
        mistakes.write(
            folder, truth, (logits / judged["temperature"]).softmax(1).numpy(), images.classes,
            lambda i: mistakes.picture(images.test[i].numpy()),
        )  # fmt: skip
        facts = {
            "command": settings.command, "data": images.source, "test_accuracy": float((guess == truth).mean()),
            "test_loss": F.cross_entropy(logits, images.test_labels).item(), **result.facts(), "test_seconds": round(seconds, 2),
            "processes": world, "batch_size": settings.batch_size, "precision": settings.precision, "seed": settings.seed,
            "parameters": sum(p.numel() for p in model.parameters()), "classes": images.classes,
            "picture": list(images.train.shape[1:]), "trained_on": len(used), "validated_on": len(held), "tested_on": len(truth),
            **judged, **facts, **machine(settings.device),
        }  # fmt: skip
        write_results(folder, metrics, model, truth, guess, images.classes, facts)
        checkpoint.finish(folder.path, settings.drop_checkpoint)
        print(
            f"{images.source}: {100 * facts['test_accuracy']:.2f} % of {len(truth):,} test pictures right, after {result.seconds:.1f} s of training"
        )
        print(f"all of it: {settings.out}")
        return 0
