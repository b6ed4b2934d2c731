"""Rank films by their reviews: the share of favourable ones as the model reads them, with an interval that knows how few there are.

The rank follows the lower end of Wilson's 95 % interval, so that a film with three kind reviews does not stand above one
with three hundred. E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22, 1927.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import sys
from pathlib import Path

import numpy as np

from curriculum import draw, files

from .. import commands
from ..commands import counted
from . import rows as rows_of_file
from . import runs, text
from .errors import Refused
from .owned import MADE_BY, outputs
from .settings import add_data_arguments, differing, from_one, set_data_dir

DRAWN = 100  # films in the picture at most
COLUMNS = ["film", "reviews", "share", "low", "high"]  # of the ranking


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=Path, help="a .csv or .jsonl with the columns `film` and `text`")
    parser.add_argument("--run", type=Path, required=True, dest="folder", help="folder of a distilbert-imdb run, or of a training in a transfer run (.../seed-0/full)")  # fmt: skip
    parser.add_argument("--imdb", action="store_true", help="rank the films of IMDb's test part instead of a file's")
    parser.add_argument("--least", type=int, default=1, help="leave out films with fewer reviews (1)")
    parser.add_argument("--top", type=int, default=20, help="how many are printed and drawn (20)")
    parser.add_argument("--limit", type=int, help="read only so many reviews, drawn at random")
    parser.add_argument(
        "--out",
        type=commands.file_to_write,
        default=Path("recommended.csv"),
        help="the whole ranking (recommended.csv)",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object for each film instead of text")
    parser.add_argument("--overwrite", action="store_true", help="replace what --out wrote before")
    add_data_arguments(parser)


def wilson(favourable: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share of which `favourable` of `n` were seen; `favourable` may be a sum of probabilities."""
    p, spread = favourable / n, z * z / n
    middle = (p + spread / 2) / (1 + spread)
    half = z * math.sqrt(p * (1 - p) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def rank(films: list[str], favourable: list[float], least: int = 1) -> list[dict[str, float | int | str]]:
    """A row for each film, best first: film, reviews, share, and the interval's ends."""
    sums: dict[str, tuple[float, int]] = {}
    for film, p in zip(films, favourable, strict=True):
        total, n = sums.get(film, (0.0, 0))
        sums[film] = total + p, n + 1
    rows: list[dict[str, float | int | str]] = []
    for film, (total, n) in sums.items():
        if n >= least:
            low, high = wilson(total, n)
            rows.append(
                {"film": film, "reviews": n, "share": round(total / n, 4), "low": round(low, 4), "high": round(high, 4)}
            )
    return sorted(rows, key=lambda row: (-float(row["low"]), str(row["film"])))


def run(arguments: argparse.Namespace) -> int:
    set_data_dir(arguments.data_dir, arguments.data)
    from_one(arguments, "least", "top", "limit")
    if (arguments.file is None) != arguments.imdb:
        raise Refused("Give either a .csv file with `film` and `text`, or --imdb.")
    if not arguments.imdb and (alone := differing(arguments, add_arguments, "data", "data_dir")):
        raise Refused(f"{alone[0]} says where --imdb is, and {arguments.file} is a file of your own: leave it away.")
    if arguments.out.suffix.lower() == ".png" or not arguments.out.name:
        raise Refused(
            f"--out {arguments.out}: give the ranking a name such as ranking.csv; its picture is then ranking.png."
        )
    drawn_to = arguments.out.with_suffix(".png")
    outputs({arguments.out: ",".join(COLUMNS), drawn_to: MADE_BY}, overwrite=arguments.overwrite)
    found = runs.load(arguments.folder)
    if found.about_pictures:
        raise Refused(f"--run {arguments.folder} reads pictures; recommend takes a run of distilbert-imdb or transfer.")
    if "positive" not in found.classes:
        raise Refused(
            f"--run {arguments.folder} answers {', '.join(found.classes)[:100]}; recommend needs a run that answers positive."
        )
    if arguments.imdb:
        settings = argparse.Namespace(data=arguments.data, limit=None, seed=0)
        texts = text.imdb(settings)  # type: ignore[arg-type]
        films, reviews, truth = list(texts.test_films), texts.test, texts.test_labels
    else:
        rows = rows_of_file.read(arguments.file)
        if without := [number for number, row in enumerate(rows, start=1) if not isinstance(row.get("film"), str)]:
            raise Refused(
                f"{arguments.file}, review {without[0]}, has no `film`: it has {', '.join(rows[without[0] - 1])}."
            )
        films, reviews, truth = [row["film"] for row in rows], [row["text"] for row in rows], []
    if arguments.limit is not None and arguments.limit < len(reviews):  # the archive holds the unfavourable ones first
        drawn = np.random.default_rng(0).permutation(len(reviews))[: arguments.limit].tolist()
        films, reviews = [films[i] for i in drawn], [reviews[i] for i in drawn]
        truth = [truth[i] for i in drawn] if truth else []
    favourable = runs.probabilities(found, reviews, show="read")[:, found.classes.index("positive")].tolist()
    ranked = rank(films, favourable, arguments.least)
    if not ranked:
        raise Refused(f"No film has {arguments.least} reviews: lower --least, or read more of them (--limit).")
    content = io.StringIO()
    writer = csv.DictWriter(content, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(ranked)
    files.write(arguments.out, content.getvalue())
    files.write(drawn_to, picture(ranked[: min(arguments.top, DRAWN)]))
    for place, row in enumerate(ranked[: arguments.top], start=1):
        if arguments.json:
            print(json.dumps(row, ensure_ascii=False))
            continue
        shares = [100 * float(row[name]) for name in ("share", "low", "high")]
        print(
            "{:3}  {:30} {:4} reviews  {:5.1f} %  ({:.0f} to {:.0f})".format(
                place, row["film"], row["reviews"], *shares
            )
        )
    say = sys.stderr if arguments.json else sys.stdout
    if truth:
        right = sum((p > 0.5) == bool(t) for p, t in zip(favourable, truth, strict=True)) / len(truth)
        print(f"{100 * right:.2f} % of {counted(len(truth), 'review', form=',')} read as their stars say", file=say)
    print(f"{counted(len(ranked), 'film')}: {arguments.out}, {drawn_to}", file=say)
    return 0


def picture(rows: list[dict[str, float | int | str]]) -> bytes:
    fig, ax = draw.pyplot().subplots(figsize=(7, 0.8 + 0.28 * len(rows)))
    for place, row in enumerate(rows):
        share, low, high = (float(row[name]) for name in ("share", "low", "high"))
        ax.errorbar(
            share, place, xerr=[[max(0.0, share - low)], [max(0.0, high - share)]], fmt="o", color=draw.BLUE, capsize=3
        )
    ax.set(yticks=range(len(rows)), xlabel="share of favourable reviews, Wilson's 95 % interval", xlim=(0, 1.02))
    ax.set_yticklabels(
        [f"{draw.label(str(row['film']), 60)} ({row['reviews']})" for row in rows], fontsize=8, parse_math=False
    )
    ax.invert_yaxis()
    content = io.BytesIO()
    fig.savefig(content, format="png", dpi=110, bbox_inches="tight", metadata={"Software": MADE_BY})
    draw.pyplot().close(fig)
    return content.getvalue()
