"""Judge texts: label, probability, and the words that mattered.

Texts are given as they are, or in a file; the answers go to the terminal, to a page (--html), or, row by row with the columns
that the file has, to a .csv or .jsonl (--out). How the words' shares are found, and checked: words.py.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from curriculum import files

from .. import commands
from ..commands import counted
from . import real_inputs, runs, shown, text, words
from . import rows as rows_of_file
from .errors import Refused
from .owned import MADE_BY, claim_in_run, outputs
from .progress import shown as progress
from .settings import add_data_arguments, differing, from_one, set_data_dir

ENDINGS = (".csv", ".jsonl")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="what to judge")
    parser.add_argument("--run", type=Path, required=True, dest="folder", help="folder of a distilbert-imdb run, or of a training in a transfer run (.../seed-0/full)")  # fmt: skip
    parser.add_argument("--file", type=Path, help="a text file with a text a line, or a .csv or .jsonl with a column `text`")  # fmt: skip
    parser.add_argument("--out", type=commands.file_to_write, help="write a row for each text here, .csv or .jsonl: the file's columns, label, probabilities")  # fmt: skip
    parser.add_argument("--words", action="store_true", help="also find the words that mattered where only --out or --json is written (slower)")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print a JSON object a line instead of text")
    parser.add_argument("--html", type=commands.file_to_write, help="also write a page with the words coloured")
    parser.add_argument("--check", type=int, metavar="N", help="measure on N texts of the test data how far the words are to be trusted; the pages show it")  # fmt: skip
    parser.add_argument("--overwrite", action="store_true", help="replace what --out and --html wrote before")
    add_data_arguments(parser, of_run=True)


def row_of(run: runs.Run, probabilities: list[float], found: words.Judged | None) -> dict[str, Any]:
    """What is written of an answer: label, its probability, that of each class, and words where they were looked for."""
    best = int(np.argmax(probabilities))
    row: dict[str, Any] = {"predicted": run.classes[best], "probability": round(probabilities[best], 6)}
    row |= {f"p_{name}": round(p, 6) for name, p in zip(run.classes, probabilities, strict=True)}
    if found is not None:
        row["words"] = [[word.text, round(word.share, 6)] for word in found.words]
    return row


def rows_judged(run: runs.Run, texts: list[str], with_words: bool) -> list[tuple[list[float], words.Judged | None]]:
    """The probabilities of each text's classes, and the words; without words in batches of like length."""
    if with_words:
        found = [words.words_that_mattered(run, each) for each in progress(texts, "judged", "texts")]
        return [(each.probabilities, each) for each in found]
    return [(p, None) for p in runs.probabilities(run, texts, show="judged").tolist()]


def check(run: runs.Run, arguments: argparse.Namespace) -> None:
    """Measure how far the words are to be trusted, and keep it in the run's folder."""
    source = real_inputs.texts_of(run, arguments)
    claim_in_run(run.folder, runs.MEASURED)
    drawn = np.random.default_rng([0, 8]).permutation(len(source.test))[: arguments.check].tolist()
    found: dict[str, Any] = {**words.measure(run, [source.test[i] for i in drawn])}
    found["model_sha256"] = run.results.get("model_sha256")
    files.write(run.folder / runs.MEASURED, json.dumps(found, indent=1) + "\n")
    print(
        f"{found['texts']} of {source.source}: leaving out the word named first moves the answer as its sign says in "
        f"{100 * found['top_sign']:.1f} %; rank correlation with leaving out each word {found['rank_correlation']:.2f} on average; "
        f"{found['seconds']:.3f} s a text, {found['predictions_per_ten_words']:.1f} predictions per 10 words\n"
        f"wrote {run.folder / runs.MEASURED}"
    )


def printed(run: runs.Run, found: list[words.Judged]) -> None:
    """In the terminal: blue and + for words that spoke for the answer, red and - for those against."""
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False)
    for each in found:
        most = max((abs(word.share) for word in each.words), default=0.0)
        line = Text()
        for word in each.words:
            strong = shown.strength(word.share, most) >= 2
            style = ("bold white on blue" if word.share > 0 else "bold white on red") if strong else ""
            line.append("[...] " if word.gap else "")
            line.append(("+" if word.share > 0 else "\N{MINUS SIGN}") + word.text if strong else word.text, style=style)
            line.append(" ")
        console.print(f"{each.label}  {100 * each.probability:.1f} %", style="bold")
        console.print(line)
    console.print("+ on blue spoke for the answer, \N{MINUS SIGN} on red against it: by a quarter of the strongest word's share, or more", style="dim")  # fmt: skip


def given_rows(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """A row with `text` for each text that is to be judged. Errors: Refused."""
    rows: list[dict[str, Any]] = [{"text": text.clean(words.whole(each))} for each in arguments.texts]
    if any(not row["text"] for row in rows):
        raise Refused("A text is empty: there is nothing to judge.")
    if arguments.file is not None:
        rows += rows_of_file.read(arguments.file)
    return rows


def run(arguments: argparse.Namespace) -> int:
    set_data_dir(arguments.data_dir, arguments.data)
    from_one(arguments, "check")
    if arguments.out is not None and arguments.out.suffix.lower() not in ENDINGS:
        raise Refused(f"--out {arguments.out}: give a name that ends in {' or '.join(ENDINGS)}.")
    marks = {arguments.html: MADE_BY, arguments.out: "predicted"}
    outputs({path: mark for path, mark in marks.items() if path is not None}, overwrite=arguments.overwrite)
    found = runs.load(arguments.folder)
    if found.about_pictures:
        raise Refused(
            f"--run {arguments.folder} reads pictures; predict takes a run of distilbert-imdb or transfer. For pictures: serve."
        )
    rows = given_rows(arguments)
    if not rows and arguments.check is None:
        raise Refused("Give a TEXT, or --file with texts.")
    if not rows and (alone := differing(arguments, add_arguments, "out", "html", "json", "words", "overwrite")):
        raise Refused(
            f"{alone[0]} is for texts that are judged: give a TEXT or --file beside --check, or leave it away."
        )
    if arguments.check is None and (alone := differing(arguments, add_arguments, "data", "data_dir")):
        raise Refused(f"{alone[0]} says on what --check measures: give --check as well, or leave it away.")
    if arguments.check is not None:
        with contextlib.redirect_stdout(sys.stderr if arguments.json else sys.stdout):
            check(found, arguments)
    if not rows:
        return 0
    shown_here = not arguments.json and arguments.out is None
    with_words = arguments.words or arguments.html is not None or shown_here
    judged = rows_judged(found, [row["text"] for row in rows], with_words)
    made = []
    for row, (p, each) in zip(rows, judged, strict=True):
        own = row_of(found, p, each if arguments.words else None)
        if both := own.keys() & row.keys():
            raise Refused(f"{arguments.file} has the column {min(both)}, which the answers need: rename it.")
        made.append(own | row)
    with_shares = [each for _, each in judged if each is not None]
    if arguments.json:
        for row in made:
            print(json.dumps(row, ensure_ascii=False, allow_nan=False))
    elif shown_here:
        printed(found, with_shares)
    say = sys.stderr if arguments.json else sys.stdout
    if arguments.out is not None:
        files.write(arguments.out, rows_of_file.written(made, arguments.out))
        count = {name: sum(row["predicted"] == name for row in made) for name in found.classes}
        print(
            f"{counted(len(made), 'text', form=',')}: {', '.join(f'{n:,} {name}' for name, n in count.items())}",
            file=say,
        )
        print(f"wrote {arguments.out}", file=say)
    if arguments.html is not None:
        files.write(arguments.html, shown.file(found, with_shares))
        print(f"wrote {arguments.html}", file=say)
    return 0
