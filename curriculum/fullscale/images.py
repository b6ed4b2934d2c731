"""Pictures to train on: MNIST, CIFAR-10, or the small digits that come with scikit-learn."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from curriculum import archives
from curriculum import data as lesson_data

from . import hub
from .errors import Refused
from .settings import Settings


@dataclass(frozen=True)
class Images:
    """Pictures (n, channels, height, width), uint8, and their classes (n,), int64."""

    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor
    classes: list[str]
    source: str

    def normalizer(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of each channel (1, channels, 1, 1) of the training pictures, on the scale 0 to 1."""
        values = self.train.double() / 255
        return values.mean((0, 2, 3), keepdim=True).float(), values.std((0, 2, 3), keepdim=True).float()

    def limited(self, train: int | None, seed: int) -> Images:
        """As many to train on as asked for, drawn by `seed`."""
        if train is None or train >= len(self.train):
            return self
        chosen = torch.from_numpy(np.random.default_rng(seed).permutation(len(self.train))[:train])
        source = f"{self.source}, {train:,} of them to train on"
        return replace(self, train=self.train[chosen], train_labels=self.train_labels[chosen], source=source)

    def fingerprint(self) -> str:
        """By which a run knows its data again: of the pictures, the classes, and their order."""
        parts = (self.train, self.train_labels, self.test, self.test_labels)
        said = f"{[(tuple(part.shape), str(part.dtype)) for part in parts]} {self.classes}"
        digest = hashlib.sha256(said.encode())
        for part in parts:
            digest.update(part.contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]


HUB = {"mnist": "ylecun/mnist", "cifar10": "uoft-cs/cifar10"}
CIFAR = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
THREE_WAYS = (
    "there are three ways to provide it: --data-dir FOLDER (or MINIGRAD_DATA) with the published files, a network and "
    "`pip install datasets` for the hub, or --data embedded for a small sample"
)


def load(name: str, settings: Settings) -> Images:
    """`mnist` or `cifar10`, from the folder, the hub, or the embedded digits. Errors: Refused."""
    found: Images | None = None
    if settings.data in ("auto", "folder"):
        found = _mnist_folder() if name == "mnist" else _cifar_folder()
        if found is None and settings.data == "folder":
            raise Refused(f"{name} is not in the data folder; {THREE_WAYS}.")
    if found is None and settings.data in ("auto", "hub"):
        found = _hub(name)
    if found is None:
        if name != "mnist":
            raise Refused(
                f"--data embedded is a sample of digits, not {name}: leave --dataset away, or give the files."
            )
        found = _digits()
    return found.limited(settings.limit, settings.seed)


def _mnist_folder() -> Images | None:
    parts = lesson_data.mnist()
    if parts is None:
        return None
    (train, train_labels), (test, test_labels) = parts
    return Images(
        torch.from_numpy(train.copy()).unsqueeze(1), torch.from_numpy(train_labels), torch.from_numpy(test.copy()).unsqueeze(1),
        torch.from_numpy(test_labels), [str(digit) for digit in range(10)], f"MNIST, {len(train):,} and {len(test):,} pictures",
    )  # fmt: skip


def _cifar_folder() -> Images | None:
    """From `cifar-10-binary.tar.gz`, the published binary version: rows of 1 label byte and 3,072 bytes."""
    path = lesson_data.real("cifar-10-binary.tar.gz") or lesson_data.real("cifar10/cifar-10-binary.tar.gz")
    if path is None:
        return None
    rows: dict[str, list[tuple[str, np.ndarray]]] = {"data": [], "test": []}
    wanted = re.compile(r"(?:.*/)?(data|test)_batch(?:_[0-9]+)?\.bin").fullmatch
    try:
        for name, match, content in archives.members(path, wanted):
            if not content or len(content) % 3073:
                raise ValueError(f"{name} has {len(content):,} bytes; wanted are rows of 3,073")
            part = np.frombuffer(content, np.uint8).reshape(-1, 3073)
            if part[:, 0].max() > 9:
                row = int((part[:, 0] > 9).argmax())
                raise ValueError(f"{name}, picture {row}: the label {part[row, 0]}; wanted are 0 to 9")
            rows[match[1]].append((name, part))
    except archives.DAMAGED as error:
        raise Refused(f"{path} is damaged or only half downloaded ({archives.why(error)}): fetch it again.") from None
    if not rows["data"] or not rows["test"]:
        raise Refused(f"{path} holds no data_batch_*.bin and test_batch.bin: it is not CIFAR-10's binary version.")
    train, test = (np.concatenate([part for _, part in sorted(rows[kind], key=lambda row: row[0])]) for kind in rows)

    def pictures(part: np.ndarray) -> Tensor:
        return torch.from_numpy(part[:, 1:].reshape(-1, 3, 32, 32).copy())

    def labels(part: np.ndarray) -> Tensor:
        return torch.from_numpy(part[:, 0].astype(np.int64))

    return Images(
        pictures(train),
        labels(train),
        pictures(test),
        labels(test),
        CIFAR,
        f"CIFAR-10, {len(train):,} and {len(test):,} pictures",
    )


def _hub(name: str) -> Images:
    try:
        from datasets import load_dataset

        hub.look()
        parts = load_dataset(HUB[name])
    except Exception as error:  # the hub's library raises many kinds, all of which mean: not to be had
        line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Refused(
            f"{name} is in no data folder and the hub did not give {HUB[name]} ({line}); {THREE_WAYS}."
        ) from None

    def arrays(part: Any) -> tuple[Tensor, Tensor]:
        picture, label = ("image", "label") if "image" in part.features else ("img", "label")
        values = np.stack([np.asarray(p) for p in part[picture]])
        values = values[:, None] if values.ndim == 3 else values.transpose(0, 3, 1, 2)
        return torch.from_numpy(np.ascontiguousarray(values)), torch.tensor(part[label])

    classes = CIFAR if name == "cifar10" else [str(digit) for digit in range(10)]
    return Images(*arrays(parts["train"]), *arrays(parts["test"]), classes, f"{HUB[name]} from the hub")


def _digits() -> Images:
    pictures, labels = lesson_data.digits()
    values = torch.nn.functional.interpolate(
        torch.tensor(pictures * (255 / 16)).float().unsqueeze(1), size=28, mode="bilinear"
    )
    values = values.round().to(torch.uint8)
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(values)))
    test, train = order[:360], order[360:]
    classes = torch.from_numpy(labels)
    return Images(
        values[train], classes[train], values[test], classes[test], [str(digit) for digit in range(10)],
        f"{len(train):,} and {len(test):,} small digits of scikit-learn, enlarged to 28 x 28: not MNIST",
    )  # fmt: skip
