"""Own data: texts from a table with a column of texts and one of labels, pictures from a folder with a folder for each class."""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch

from curriculum.archives import why

from . import splits, tables
from .errors import Refused
from .images import Images, load
from .settings import Settings
from .text import Texts, clean, imdb

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
DEFAULTS = {"text_column": "text", "label_column": "label", "size": 28, "channels": 3, "test_share": 0.2}
MANY = 1000  # classes; a column with more different values is hardly one of labels


def add_arguments(parser: argparse.ArgumentParser, kind: str) -> None:
    """kind: "texts" or "pictures"."""
    group = parser.add_argument_group("own data")
    if kind == "texts":
        group.add_argument("--train", metavar="FILE", help="a .csv or .tsv with a header, to train on instead of IMDb")
        group.add_argument(
            "--test", metavar="FILE", help="one like it, to test with (else a part of --train is held out)"
        )
        group.add_argument("--text-column", help="name of the column with the texts (text)")
        group.add_argument("--label-column", help="name of the column with the classes (label)")
    else:
        group.add_argument(
            "--train", metavar="FOLDER", help="a folder with a folder of pictures for each class, to train on"
        )
        group.add_argument(
            "--test", metavar="FOLDER", help="one like it, to test with (else a part of --train is held out)"
        )
        group.add_argument("--size", type=int, help="pictures are made so many pixels wide and high (28)")
        group.add_argument("--channels", type=int, choices=[1, 3], help="1: grey, 3: colours (3)")
    group.add_argument("--test-share", type=float, help="share that is held out where there is no --test (0.2)")
    group.add_argument("--balanced-split", action="store_true", help="hold out as many samples of each class")
    group.add_argument(
        "--class-weights", action="store_true", help="let rare classes weigh more, so that all count alike"
    )


def given(settings: Settings) -> bool:
    """Whether a command was told to train on own data. Errors: Refused for what makes no sense without, beside it, or at all."""
    options = settings.options
    alone = [
        name
        for name in ("test", *DEFAULTS, "balanced_split")
        if not (options.get(name) is None or options.get(name) is False)
    ]
    if options.get("train") is None:
        if alone:
            raise Refused(f"--{alone[0].replace('_', '-')} belongs to own data: give --train as well.")
        return False
    others = {"--dataset": options.get("dataset"), "--data-dir": settings.data_dir, "--data": settings.data}
    if beside := [f"{name} {value}" for name, value in others.items() if value not in (None, "auto")]:
        raise Refused(f"{beside[0]} names other data than --train {options['train']}: leave one of them away.")
    if options.get("test") is not None and (split := {"test_share", "balanced_split"}.intersection(alone)):
        raise Refused(
            f"--{min(split).replace('_', '-')} says how to split --train, and --test is given: leave one away."
        )
    if not 0 < _asked(options, "test_share") < 1:
        raise Refused(f"--test-share {options['test_share']}: give a number between 0 and 1.")
    if not 8 <= _asked(options, "size") <= 512:
        raise Refused(f"--size {options['size']}: give a whole number from 8 to 512.")
    return True


def _asked(options: dict[str, Any], name: str) -> Any:
    return DEFAULTS[name] if options.get(name) is None else options[name]


def load_texts(settings: Settings) -> Texts:
    """Own texts where --train names some, else IMDb's reviews; as many as --limit says. Errors: Refused."""
    if not given(settings):
        return imdb(settings)
    return texts(settings.options, settings.seed).limited(settings.limit, seed=settings.seed)


def load_pictures(name: str, settings: Settings) -> Images:
    """Own pictures where --train names some, else those of the data set; as many as --limit says. Errors: Refused."""
    if not given(settings):
        return load(name, settings)
    return pictures(settings.options, settings.seed).limited(settings.limit, settings.seed)


def texts(options: dict[str, Any], seed: int) -> Texts:
    """The texts of --train and --test, with any number of classes. Errors: Refused."""
    found, labels = _table(options["train"], options)
    path = options["train"]
    if options.get("test") is None:
        known, numbers = _numbered(labels, path)
        held, used = _split(numbers, known, options, seed)
        _same({found[i] for i in used.tolist()}, [found[i] for i in held.tolist()])
        source = f"{Path(path).name}, {len(used):,} texts, and {len(held):,} held out to test with"
        return Texts(
            [found[i] for i in used.tolist()], numbers[used].tolist(), [found[i] for i in held.tolist()], numbers[held].tolist(), known, source
        )  # fmt: skip
    other, other_labels = _table(options["test"], options)
    known, numbers = _numbered(labels, path)
    _known(other_labels, known, options["test"])
    _same(set(found), other)
    source = f"{Path(path).name} and {Path(options['test']).name}, {len(found):,} and {len(other):,} texts"
    return Texts(found, numbers.tolist(), other, [known.index(label) for label in other_labels], known, source)


def _table(path: str, options: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Texts and their labels; empty texts are left out, an empty label is refused."""
    text_column, label_column = _asked(options, "text_column"), _asked(options, "label_column")
    if text_column.strip().casefold() == label_column.strip().casefold():
        raise Refused(f"--text-column and --label-column both say {text_column}: texts are not their own labels.")
    table = tables.read(Path(path), text_column, label_column)
    rows = zip(table.column(text_column), table.column(label_column), table.lines, strict=True)
    found, labels = [], []
    for text, label, number in rows:
        text, label = clean(text), clean(label)
        if not label:
            raise Refused(f"{path}, row {number}: the label is empty; give one, or remove the row.")
        if text:
            found.append(text)
            labels.append(label)
    if len(found) < len(table.rows):
        print(f"{len(table.rows) - len(found)} empty texts of {path} were left out")
    return found, labels


def _numbered(labels: list[str], path: str) -> tuple[list[str], np.ndarray]:
    """The classes, numbers in their order and else by name, and each label's number. Errors: Refused."""
    counts = Counter(labels)
    if len(counts) < 2:
        raise Refused(
            f"{path} has {'the one class ' + next(iter(counts))[:40] if counts else 'no class'}: at least 2 are needed."
        )
    if len(counts) > MANY or (len(counts) > 20 and len(counts) > len(labels) / 2):
        raise Refused(
            f"{path} has {len(counts):,} different labels in {len(labels):,} samples: that is hardly the column of labels."
        )
    folded: dict[str, str] = {}
    for label in counts:
        if (like := folded.setdefault(label.casefold(), label)) != label:
            raise Refused(
                f"{path} has the labels {like[:40]} and {label[:40]}, which differ in case alone: write them alike."
            )
    numeric = all(label.lstrip("-").isdecimal() and label.isascii() for label in counts)
    classes = sorted(
        counts, key=(lambda label: (int(label), label)) if numeric else (lambda label: (label.casefold(), label))
    )
    number = {label: i for i, label in enumerate(classes)}
    shown = ", ".join(f"{label[:30]} {counts[label]:,}" for label in classes[:12])
    print(f"{path}: {len(labels):,} samples of {len(classes)} classes ({shown}{', ...' if len(classes) > 12 else ''})")
    return classes, np.array([number[label] for label in labels])


def _known(labels: list[str], classes: list[str], path: str) -> None:
    unknown = [label for label in dict.fromkeys(labels) if label not in classes]
    if unknown:
        raise Refused(
            f"{path} has the label {unknown[0][:40]}, which is none of --train's: {', '.join(classes)[:200]}."
        )
    if not labels:
        raise Refused(f"{path} holds nothing to test with.")


def _split(
    numbers: np.ndarray, classes: list[str], options: dict[str, Any], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the samples to test with and of those to train on. Errors: Refused."""
    counts = np.bincount(numbers, minlength=len(classes))
    if counts.min() < 3:
        rare = classes[int(counts.argmin())][:40]
        raise Refused(
            f"The class {rare} has {counts.min()} sample(s): to train, to validate and to test, 3 of each are needed; give more, or --test."
        )
    held = max(len(classes), round(_asked(options, "test_share") * len(numbers)))
    split = splits.balanced if options.get("balanced_split") else splits.stratified
    return split(numbers, held, seed)


def _same(train: set[str], test: list[str]) -> None:
    """Say how much of the test is known from training: its figures flatter then."""
    if both := sum(text in train for text in test):
        print(
            f"{both:,} of the {len(test):,} texts to test with are also trained on, word for word: remove doubles for honest figures"
        )


def pictures(options: dict[str, Any], seed: int) -> Images:
    """The pictures of --train and --test. Errors: Refused."""
    path, size, channels = Path(options["train"]), _asked(options, "size"), _asked(options, "channels")
    files, labels = _folder(path)
    classes, numbers = _numbered(labels, str(path))
    if options.get("test") is None:
        held, used = _split(numbers, classes, options, seed)
        source = f"{path.name or path}, {len(used):,} pictures, and {len(held):,} held out to test with"
        values = _read(files, size, channels)
        parts = ((values[used], numbers[used]), (values[held], numbers[held]))
    else:
        other, other_labels = _folder(Path(options["test"]))
        _known(other_labels, classes, options["test"])
        source = f"{path.name or path} and {Path(options['test']).name}, {len(files):,} and {len(other):,} pictures"
        tested = np.array([classes.index(label) for label in other_labels])
        parts = ((_read(files, size, channels), numbers), (_read(other, size, channels), tested))
    (train, train_labels), (test, test_labels) = ((torch.from_numpy(x), torch.from_numpy(y)) for x, y in parts)
    return Images(train, train_labels, test, test_labels, classes, f"{source}, made {size} x {size}")


def _folder(path: Path) -> tuple[list[Path], list[str]]:
    """The pictures in the folders of a folder, and whose they are. Errors: Refused."""
    if not path.is_dir():
        raise Refused(f"{path} is no folder: give one with a folder of pictures for each class.")
    files: list[Path] = []
    labels: list[str] = []
    others = 0
    for folder in sorted(each for each in path.iterdir() if each.is_dir() and not each.name.startswith(".")):
        for file in sorted(each for each in folder.rglob("*") if each.is_file() and not each.name.startswith(".")):
            if file.suffix.lower() in SUFFIXES:
                files.append(file)
                labels.append(folder.name)
            else:
                others += 1
    if not files:
        raise Refused(f"{path} holds no folder with pictures ({', '.join(SUFFIXES)}): wanted is FOLDER/CLASS/PICTURE.")
    if others:
        print(f"{others} files in {path} that are no pictures by their names were left out")
    return files, labels


def _read(files: list[Path], size: int, channels: int) -> np.ndarray:
    """(n, channels, size, size), uint8. Pictures are turned as their cameras say, and cut to a square around the middle."""
    from PIL import Image, ImageOps
    from tqdm import tqdm

    found = np.empty((len(files), channels, size, size), np.uint8)
    for place, file in enumerate(tqdm(files, desc="read", unit="picture", disable=None, leave=False)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                with Image.open(file) as opened:
                    picture = ImageOps.exif_transpose(opened)
                    square = ImageOps.fit(_plain(picture, channels), (size, size), Image.Resampling.LANCZOS)
        except Exception as error:  # Pillow's readers raise many kinds, all of which mean: damaged, or no picture
            raise Refused(f"{file} cannot be read as a picture ({why(error)}): remove it, or save it again.") from None
        values = np.asarray(square)
        found[place] = values[None] if channels == 1 else values.transpose(2, 0, 1)
    return found


def _plain(picture: Any, channels: int) -> Any:
    """Grey or RGB of 8 bits. What is transparent lies on white; of 16 bits the upper 8 are kept."""
    from PIL import Image

    if picture.mode.startswith("I;16") or picture.mode == "I":
        values = np.asarray(picture).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError(f"its numbers go from {values.min()} to {values.max()}; wanted are 8 or 16 bits")
        picture = Image.fromarray((values >> 8).astype(np.uint8))
    elif picture.mode == "F":
        raise ValueError("it holds fractions; wanted are 8 or 16 bits")
    if picture.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("L" if channels == 1 else "RGB")
