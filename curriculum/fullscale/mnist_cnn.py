"""A convolutional network on MNIST: augmentation, dropout, batch norm, one-cycle rate, validation, early stopping."""

from __future__ import annotations

import argparse
from typing import Any

import torch
from torch import Tensor, nn

from . import own, pictures
from .errors import Refused
from .loop import one_cycle
from .settings import add_arguments as add_training_arguments
from .settings import from_one, settle


class CNN(nn.Module):
    """Two blocks of two 3x3 convolutions, each with batch norm, then pooling and dropout; two linear layers."""

    def __init__(self, classes: int = 10, channels: int = 1, width: int = 32, dropout: float = 0.3, norm: bool = True):
        super().__init__()

        def convolution(inputs: int, outputs: int) -> list[nn.Module]:
            bn = [nn.BatchNorm2d(outputs)] if norm else []
            return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=not norm), *bn, nn.ReLU()]

        self.body = nn.Sequential(
            *convolution(channels, width), *convolution(width, width), nn.MaxPool2d(2),  # (n, 32, 14, 14)
            *convolution(width, 2 * width), *convolution(2 * width, 2 * width), nn.MaxPool2d(2),  # (n, 64, 7, 7)
            *convolution(2 * width, 4 * width), nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Dropout(dropout),  # (n, 128 * 9)
        )  # fmt: skip
        self.head = nn.Sequential(
            nn.Linear(36 * width, 4 * width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(4 * width, classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_training_arguments(parser, epochs=10, lr=3e-3, batch_size=128, gpu_batch_size=512)
    own.add_arguments(parser, "pictures")
    group = parser.add_argument_group("network")
    group.add_argument("--width", type=int, default=32, help="channels of the first convolution (32)")
    group.add_argument("--dropout", type=float, default=0.3)
    group.add_argument("--no-norm", action="store_true", help="without batch normalization")
    group.add_argument("--no-augment", action="store_true", help="without turning, enlarging and shifting")
    group.add_argument("--patience", type=int, help="end after so many epochs without a better validation loss")


def build(options: dict[str, Any], classes: int, channels: int) -> nn.Module:
    """The network of a run's options."""
    return CNN(classes, channels, options["width"], options["dropout"], not options["no_norm"])


def run(arguments: argparse.Namespace) -> int:
    settings = settle(arguments)
    from_one(arguments, "width", "patience")
    if not 0 <= arguments.dropout < 1:
        raise Refused(f"--dropout {arguments.dropout}: give a number from 0 to below 1.")
    found = own.load_pictures("mnist", settings)
    torch.manual_seed(settings.seed)
    network = build(settings.options, len(found.classes), found.train.shape[1])
    model = pictures.Scaled(network, *found.normalizer()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.lr, weight_decay=1e-2, fused=True)
    augment = {} if arguments.no_augment else {"degrees": 12.0, "scale": 0.12, "shift": 0.14, "flip": False}
    return pictures.run(settings, found, model, optimizer, augment, one_cycle(0.2), arguments.patience, smoothing=0.05)
