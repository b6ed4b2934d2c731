"""Texts to train on: IMDb's film reviews and AG News, from the published files, the hub, or a small generated sample."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from curriculum import archives, corpus
from curriculum import data as lesson_data

from . import hub, tables
from .errors import Refused
from .images import THREE_WAYS
from .settings import Settings


@dataclass(frozen=True)
class Texts:
    """Texts and their classes, to train on and to test with."""

    train: list[str]
    train_labels: list[int]
    test: list[str]
    test_labels: list[int]
    classes: list[str]
    source: str
    test_films: tuple[str, ...] = ()  # what film each test review is about, where that is known

    def limited(self, train: int | None, test: int | None = None, seed: int = 0) -> Texts:
        """As many of each part as asked for, drawn by `seed`."""
        chosen = self
        if train is not None and train < len(self.train):
            rows = np.random.default_rng([seed, 5]).permutation(len(self.train))[:train].tolist()
            chosen = replace(
                chosen, train=[self.train[i] for i in rows], train_labels=[self.train_labels[i] for i in rows],
                source=f"{chosen.source}, {train:,} of them to train on",
            )  # fmt: skip
        if test is not None and test < len(self.test):
            rows = np.random.default_rng([seed, 6]).permutation(len(self.test))[:test].tolist()
            chosen = replace(
                chosen, test=[self.test[i] for i in rows], test_labels=[self.test_labels[i] for i in rows],
                test_films=tuple(self.test_films[i] for i in rows) if self.test_films else (),
                source=f"{chosen.source}, {test:,} to test with",
            )  # fmt: skip
        return chosen

    def fingerprint(self) -> str:
        """By which a run knows its data again: of the texts, the classes, and their order."""
        digest = hashlib.sha256()
        for part in (self.train, self.train_labels, self.test, self.test_labels, self.classes):
            digest.update(f"{len(part)} ".encode())
            for each in part:
                content = str(each).encode()
                digest.update(f"{len(content)} ".encode() + content)
        return digest.hexdigest()[:16]


def imdb(settings: Settings) -> Texts:
    """Film reviews; class 1 is favourable. Errors: Refused."""
    found = None
    if settings.data in ("auto", "folder"):
        path = lesson_data.real("imdb/aclImdb_v1.tar.gz") or lesson_data.real("aclImdb_v1.tar.gz")
        if path is not None:
            found = read_imdb(path)
        elif settings.data == "folder":
            raise Refused(f"imdb/aclImdb_v1.tar.gz is not in the data folder; {THREE_WAYS}.")
    if found is None and settings.data in ("auto", "hub"):
        found = _hub("stanfordnlp/imdb", "text", ["negative", "positive"])
    if found is None:
        train, labels = corpus.reviews(800, 0)
        test, test_labels = corpus.reviews(200, 1)
        films = tuple(text.split(" . ")[0] for text in test)
        found = Texts(
            train,
            labels,
            test,
            test_labels,
            ["negative", "positive"],
            f"{len(train) + len(test):,} generated reviews: no real ones",
            films,
        )
    return found.limited(settings.limit, seed=settings.seed)


def ag_news(settings: Settings) -> Texts:
    """News by topic, as many as --limit says. Where only test.csv is there, one fifth of it is held out to test with. Errors: Refused."""
    names = ["World", "Sports", "Business", "Science"]
    found = None
    if settings.data in ("auto", "folder"):
        train, test = lesson_data.real("ag_news_csv/train.csv"), lesson_data.real("ag_news_csv/test.csv")
        if train is not None and test is not None:
            found = Texts(*_news(train), *_news(test), names, "AG News")
        elif test is not None:
            texts, topics = _news(test)
            order = np.random.default_rng(0).permutation(len(texts)).tolist()
            held = len(order) // 5
            train_rows, test_rows = order[held:], order[:held]
            found = Texts(
                [texts[i] for i in train_rows], [topics[i] for i in train_rows], [texts[i] for i in test_rows],
                [topics[i] for i in test_rows], names, f"AG News, its test part, {held:,} of it held out",
            )  # fmt: skip
        elif settings.data == "folder":
            raise Refused(f"ag_news_csv/test.csv is not in the data folder; {THREE_WAYS}.")
    if found is None and settings.data in ("auto", "hub"):
        found = _hub("fancyzhx/ag_news", "text", names)
    if found is None:
        made, other = corpus.news(800, 0), corpus.news(200, 1)
        found = Texts(*made, *other, names, f"{len(made[0]) + len(other[0]):,} generated news: no real ones")
    return found.limited(settings.limit, seed=settings.seed)


def clean(text: str) -> str:
    """Without the markup of line breaks, and with single spaces for what separates words, U+0085 and line breaks among it."""
    return re.sub(r"\s+", " ", text.replace("<br />", " ")).strip()


def read_imdb(path: Path) -> Texts:
    """From aclImdb_v1.tar.gz; member by member, so that nothing is unpacked and no path can leave a folder."""
    reviews: dict[str, list[tuple[str, int, str]]] = {"train": [], "test": []}
    urls: dict[tuple[str, str], list[str]] = {}
    wanted = re.compile(
        r"(?:\./)?aclImdb/(train|test)/(?:(pos|neg)/([0-9]+)_[0-9]+\.txt|urls_(pos|neg)\.txt)"
    ).fullmatch
    try:
        for name, match, raw in archives.members(path, wanted):
            content = raw.decode("utf-8", errors="replace")
            if match[4]:
                urls[match[1], match[4]] = content.split("\n")
            elif len(match[3]) > 9:
                raise ValueError(f"{name[:60]}...: an id of {len(match[3])} digits; wanted are at most 9")
            elif text := clean(content):
                reviews[match[1]].append((text, int(match[2] == "pos"), match[3]))
    except archives.DAMAGED as error:
        raise Refused(f"{path} is damaged or only half downloaded ({archives.why(error)}): fetch it again.") from None
    if not reviews["train"] or not reviews["test"]:
        raise Refused(
            f"{path} holds no reviews at aclImdb/train/pos/ID_RATING.txt: it is not the Large Movie Review Dataset."
        )
    films = []
    for _, label, number in reviews["test"]:
        lines = urls.get(("test", "pos" if label else "neg"), [])
        film = re.search(r"tt\d+", lines[int(number)]) if int(number) < len(lines) else None
        films.append(film[0] if film else "unknown")
    (train, labels), (test, test_labels) = (
        ([t for t, _, _ in rows], [k for _, k, _ in rows]) for rows in reviews.values()
    )
    source = f"Large Movie Review Dataset, {len(train):,} and {len(test):,} reviews"
    return Texts(train, labels, test, test_labels, ["negative", "positive"], source, tuple(films))


def _news(path: Path) -> tuple[list[str], list[int]]:
    try:
        rows = [
            (clean(f"{title}. {text}".replace("\\", " ")), topic) for topic, title, text in lesson_data.news_rows(path)
        ]
    except archives.DAMAGED as error:
        raise Refused(f"{path}, {archives.why(error)}: fetch it again.") from None
    if not rows:
        raise Refused(f"{path} is empty: fetch it again.")
    return [text for text, _ in rows], [topic for _, topic in rows]


def _hub(name: str, column: str, classes: list[str]) -> Texts:
    try:
        from datasets import load_dataset

        hub.look()
        parts = load_dataset(name)
        train, test = parts["train"], parts["test"]
    except Exception as error:  # the hub's library raises many kinds, all of which mean: not to be had
        line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Refused(f"The data folder has it not and the hub did not give {name} ({line}); {THREE_WAYS}.") from None
    texts, other = list(map(clean, train[column])), list(map(clean, test[column]))
    return Texts(texts, list(train["label"]), other, list(test["label"]), classes, f"{name} from the hub")


def read_reviews(path: Path) -> list[dict[str, str]]:
    """Reviews to judge, as rows with `text` and perhaps `film`: a .csv or .tsv with a header, or a text file of a review a line.

    Names of columns are in small letters, whatever the file writes. Errors: Refused, with what is wrong and where.
    """
    rows: list[dict[str, str]]
    if path.suffix.lower() in tables.SUFFIXES:
        table = tables.read(path, "text")
        names = list(dict.fromkeys(name.casefold() for name in table.names if name))
        columns = {name: table.column(name) for name in names if name in ("text", "film") or table.once(name)}
        rows = [dict(zip(columns, fields, strict=True)) for fields in zip(*columns.values(), strict=True)]
    else:
        rows = [{"text": line} for line in tables.lines(path)]
    rows = [row | {"text": clean(row["text"])} for row in rows]
    kept = [row for row in rows if row["text"]]
    if not kept:
        raise Refused(f"{path} holds no review: each line, or each row's `text`, is empty.")
    if len(kept) < len(rows):
        print(f"{len(rows) - len(kept)} empty reviews of {path} were left out")
    return kept
