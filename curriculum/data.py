"""The data of the lessons."""

import contextlib
import csv
import hashlib
import json
import os
import random
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from . import archives, corpus, files, record


def full() -> bool:
    """Whether the long parts of the lessons are asked for: `run --full`, or MINIGRAD_FULL=1."""
    return os.environ.get("MINIGRAD_FULL", "") not in ("", "0")


def wanted_in_full(lesson: str) -> list[str]:
    """The real data that a lesson's long training needs, given the lesson's text; [] if it has none."""
    if "full()" not in lesson:
        return []
    files = {
        "mnist": "mnist",
        "imdb": "imdb/aclImdb_v1.tar.gz",
        "ag_news": "ag_news_csv",
    }  # read by the function of that name
    return [path for name, path in files.items() if re.search(rf"\b{name}\(", lesson)]


def real(name: str) -> Path | None:
    """The file or folder `name` in the folder of real data (`run --data-dir`, or MINIGRAD_DATA), if it is there."""
    folder = os.environ.get("MINIGRAD_DATA")
    if not folder:
        return None
    if not os.access(folder, os.R_OK | os.X_OK) or not Path(folder).is_dir():
        raise SystemExit(
            f"The data folder {folder} is not there or cannot be read: correct --data-dir or MINIGRAD_DATA."
        )
    path = Path(folder) / name
    return path if path.exists() else None


def _damaged(path: Path, error: BaseException) -> SystemExit:
    return SystemExit(f"{path} is damaged or only half downloaded ({archives.why(error)}): fetch it again.")


def _mnist_part(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (n, 28, 28) and digits (n,) of one part. SystemExit with one line where a file, or the two, are not that."""
    found = []
    for name, rank in ((f"{part}-images-idx3-ubyte.gz", 3), (f"{part}-labels-idx1-ubyte.gz", 1)):
        path = folder / name
        try:
            shape, content = archives.idx(path, rank)
            if rank == 3 and shape[1:] != (28, 28):
                raise ValueError(f"its header says {shape}; wanted are pictures of 28 × 28")
            if rank == 1 and content and max(content) > 9:
                place = next(i for i, digit in enumerate(content) if digit > 9)
                raise ValueError(f"label {place} is {content[place]}; wanted are 0 to 9")
        except archives.DAMAGED as error:
            raise _damaged(path, error) from None
        found.append(np.frombuffer(content, np.uint8).reshape(shape))
    pictures, digits = found
    if not len(pictures) or len(pictures) != len(digits):
        raise SystemExit(
            f"{folder} does not fit together: {len(pictures):,} pictures and {len(digits):,} labels of {part}; fetch both again."
        )
    return pictures, digits.astype(np.int64)


def mnist() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]] | None:
    """MNIST as ((pictures (60000, 28, 28) uint8, digits (60000,) int64), the same of the 10,000 test pictures).

    From the four `*-ubyte.gz` files in the data folder's `mnist`; None where they are not.
    """
    folder = real("mnist")
    if folder is None:
        return None
    parts = [_mnist_part(folder, part) for part in ("train", "t10k")]
    record.data(
        f"MNIST, {len(parts[0][1]):,} and {len(parts[1][1]):,} pictures of 28 × 28 (Y. LeCun, C. Cortes, C. Burges)"
    )
    return parts[0], parts[1]


def digits() -> tuple[np.ndarray, np.ndarray]:
    """1,797 handwritten digits: pictures (1797, 8, 8), float64 from 0 to 16, and what they show (1797,), int64.

    They come with scikit-learn; nothing is downloaded.
    """
    # The file that sklearn.datasets.load_digits reads: to import that module takes more than a second.
    package = find_spec("sklearn")
    path = Path((package and package.origin) or "").parent / "datasets" / "data" / "digits.csv.gz"
    if package is None or not path.is_file():
        raise SystemExit("The digits come with scikit-learn, which is missing: pip install scikit-learn.")
    table = np.loadtxt(path, delimiter=",")
    record.data(
        "Optical Recognition of Handwritten Digits, test part, 1,797 pictures of 8 × 8 "
        "(E. Alpaydin, C. Kaynak, UCI Machine Learning Repository, 1998, CC BY 4.0), as embedded in scikit-learn"
    )
    return table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype(np.int64)


def imdb(train: int, test: int, seed: int = 0) -> tuple[list[str], list[int], list[str], list[int]]:
    """Film reviews and whether they are favourable: (texts, labels) to train on, then (texts, labels) to test with.

    From `imdb/aclImdb_v1.tar.gz` in the data folder, as many of each part as asked for, drawn by `seed`; where it is
    not there, generated ones of `corpus.reviews`. Labels: 1 favourable, 0 not.
    """
    path = real("imdb/aclImdb_v1.tar.gz")
    if path is None:
        record.data(f"{train:,} and {test:,} film reviews, generated by the project's own grammar: no real reviews")
        return *corpus.reviews(train, 2 * seed), *corpus.reviews(test, 2 * seed + 1)
    chosen = _kept(path, (train, test, seed), lambda: _some_reviews(path, train, test, seed))
    record.data(f"Large Movie Review Dataset, {train:,} and {test:,} of its reviews (A. L. Maas et al., ACL 2011)")
    return (
        [text for text, _ in chosen[0]], [label for _, label in chosen[0]],
        [text for text, _ in chosen[1]], [label for _, label in chosen[1]],
    )  # fmt: skip


def _some_reviews(path: Path, train: int, test: int, seed: int) -> list[list[tuple[str, int]]]:
    reviews: dict[str, list[tuple[str, int]]] = {"train": [], "test": []}
    wanted = re.compile(r"(?:\./)?aclImdb/(train|test)/(pos|neg)/[^/]+\.txt").fullmatch
    try:
        for name, match, content in archives.members(path, wanted):
            try:
                text = content.decode("utf-8")
            except UnicodeDecodeError as error:
                raise ValueError(f"{name}: {error}") from None
            reviews[match[1]].append((text.replace("<br />", " "), int(match[2] == "pos")))
    except archives.DAMAGED as error:
        raise _damaged(path, error) from None
    chosen = []
    for part, number in (("train", train), ("test", test)):
        if len(reviews[part]) < number:
            raise SystemExit(f"{path} holds {len(reviews[part])} reviews in its {part} part, {number} are wanted.")
        chosen.append(random.Random(seed).sample(reviews[part], number))
    return chosen


def _kept(path: Path, asked: tuple[int, ...], read: Callable[[], Any]) -> Any:
    """What `read` draws from the archive, kept in the cache folder: to unpack it takes seconds, and four runs ask."""
    there = path.stat()
    name = hashlib.sha256(repr((str(path.resolve()), there.st_size, there.st_mtime_ns, asked)).encode()).hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minigrad" / f"{name[:16]}.json"
    with contextlib.suppress(OSError, ValueError, RecursionError):
        kept = json.loads(cache.read_text(encoding="utf-8"))
        if _is_draw(kept, asked):
            return kept
    drawn = read()
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time, no more
        files.write(cache, json.dumps(drawn, ensure_ascii=False))
    return drawn


def _is_draw(kept: Any, asked: tuple[int, ...]) -> bool:
    """Whether what was kept is as many (text, label) as asked for."""
    return (
        isinstance(kept, list)
        and [len(part) if isinstance(part, list) else -1 for part in kept] == list(asked[:2])
        and all(
            isinstance(row, list) and len(row) == 2 and isinstance(row[0], str) and row[1] in (0, 1)
            for part in kept
            for row in part
        )
    )


def news_rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """(topic from 0 to 3, title, description) of a .csv of AG News. Errors: those of archives.DAMAGED, with the row."""
    with path.open(encoding="utf-8", newline="") as file:
        number = 0
        try:
            for number, row in enumerate(csv.reader(file, strict=True), start=1):
                if len(row) != 3 or row[0] not in ("1", "2", "3", "4"):
                    first = f"the class {row[0][:20]!r}" if len(row) == 3 else f"{len(row)} columns"
                    raise ValueError(f"row {number}: wanted are class (1 to 4), title, description; it has {first}")
                yield int(row[0]) - 1, row[1], row[2]
        except csv.Error as error:
            raise ValueError(f"row {number + 1}: {error}") from None


def ag_news(train: int, test: int, seed: int = 0) -> tuple[list[str], list[int], list[str], list[int]]:
    """News and their topic (world, sports, business, science): to train on, then to test with; all from one file.

    From `ag_news_csv/train.csv` in the data folder, or `test.csv` where that alone is there, drawn by `seed`; where
    neither is there, generated ones of `corpus.news`. Labels: 0 to 3.
    """
    path = real("ag_news_csv/train.csv") or real("ag_news_csv/test.csv")
    if path is None:
        record.data(f"{train:,} and {test:,} short news, generated by the project's own grammar: no real news")
        return *corpus.news(train, 2 * seed), *corpus.news(test, 2 * seed + 1)
    try:
        rows = [(f"{title} . {text}".replace("\\", " "), topic) for topic, title, text in news_rows(path)]
    except archives.DAMAGED as error:
        raise _damaged(path, error) from None
    if len(rows) < train + test:
        raise SystemExit(f"{path} holds {len(rows)} news, {train + test} are wanted.")
    random.Random(seed).shuffle(rows)
    record.data(f"AG News, {train:,} and {test:,} of {path.name} (X. Zhang, J. Zhao, Y. LeCun, NIPS 2015)")
    first, second = rows[:train], rows[train : train + test]
    return [t for t, _ in first], [k for _, k in first], [t for t, _ in second], [k for _, k in second]


def pretrained() -> tuple[Path, bool]:
    """The folder of a pretrained DistilBERT, and whether it is the tiny one that comes with the course.

    From MINIGRAD_MODEL, a folder with config.json, tokenizer.json and model.safetensors, or a hub name (which needs a network
    and the package huggingface_hub); where it is not set, the tiny one of `curriculum/assets/tiny_encoder`.
    """
    name = os.environ.get("MINIGRAD_MODEL")
    if not name:
        record.data(
            "a tiny DistilBERT, pre-trained by the project on texts of its own grammar: it knows no real English"
        )
        return Path(__file__).parent / "assets" / "tiny_encoder", True
    wanted = ("config.json", "tokenizer.json", "model.safetensors")
    folder = Path(name)
    if not folder.is_dir():
        try:
            from huggingface_hub import snapshot_download

            folder = Path(snapshot_download(name, allow_patterns=list(wanted)))
        except Exception as error:  # many kinds, all of which mean: not to be had
            raise SystemExit(
                f"MINIGRAD_MODEL={name}: there is no such folder, and the hub did not give it ({type(error).__name__}): give the "
                "folder of a DistilBERT, or a hub name such as distilbert-base-uncased and a network."
            ) from None
    missing = [part for part in wanted if not (folder / part).is_file()]
    if missing:
        raise SystemExit(f"MINIGRAD_MODEL={name}: {missing[0]} is missing; wanted are {', '.join(wanted)}.")
    record.data(f"the pretrained encoder {folder.name}")
    return folder, False


def tinyshakespeare() -> str:
    """A text to learn writing from: `tinyshakespeare/input.txt` of the data folder, else a generated one."""
    path = real("tinyshakespeare/input.txt")
    if path is None:
        record.data("short sentences about animals, generated by the project's own grammar")
        return corpus.story(2000, 0)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"{path} cannot be read ({archives.why(error)}): fetch it again.") from None
    if not text.strip():
        raise SystemExit(f"{path} is empty: fetch it again.")
    record.data(f"tinyshakespeare, {len(text):,} characters of W. Shakespeare (A. Karpathy, 2015)")
    return text
