"""Judge texts: label, probability, and the words that mattered, by gradient times input.

Shrikumar et al., Learning Important Features Through Propagating Activation Differences, ICML 2017, section 3.
"""

from __future__ import annotations

import argparse
from html import escape
from pathlib import Path

import torch

from curriculum import files

from . import runs, tokens
from .errors import Refused
from .folder import MADE_BY, outputs
from .text import clean, read_reviews


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="what to judge")
    parser.add_argument("--run", type=Path, required=True, dest="folder", help="folder of a distilbert-imdb run")
    parser.add_argument("--file", type=Path, help="a text file with a review a line, or a .csv with a column `text`")
    parser.add_argument("--html", type=Path, help="also write a page with the words coloured")
    parser.add_argument("--overwrite", action="store_true", help="replace a page of --html that was written before")


def words_that_mattered(run: runs.Run, text: str) -> tuple[str, float, list[tuple[str, float]]]:
    """The label, its probability, and each word with its share: the gradient of the label's logit margin times the input.

    A positive share speaks for the label. The shares of a word's tokens are added up; what is beyond the length that the
    model reads is left out.
    """
    options = run.config["options"]
    whole = run.tokenizer(text, truncation=False, verbose=False, return_offsets_mapping=True)
    kept = tokens.cut(list(range(len(whole["input_ids"]))), options["max_length"], options["keep"])
    ids = torch.tensor([[whole["input_ids"][place] for place in kept]])  # (1, length)
    mask = torch.ones_like(ids)
    embeddings = run.model.get_input_embeddings()(ids).detach().requires_grad_()  # type: ignore[operator]
    logits = run.model(inputs_embeds=embeddings, attention_mask=mask)
    logits = logits if isinstance(logits, torch.Tensor) else logits.logits
    label = int(logits.argmax())
    margin = logits[0, label] - logits[0, 1 - label]
    (gradient,) = torch.autograd.grad(margin, embeddings)
    shares = (gradient * embeddings).sum(2)[0].tolist()
    words: list[tuple[str, float]] = []
    number_of, before = whole.word_ids(0), None  # None for special tokens
    for place, share in zip(kept, shares, strict=True):
        number = number_of[place]
        if number is None:
            continue
        start, end = whole["offset_mapping"][place]
        if number == before:
            words[-1] = (words[-1][0] + text[start:end], words[-1][1] + share)
        else:
            words.append((text[start:end], share))
        before = number
    return run.classes[label], logits.softmax(1)[0, label].item(), words


def page(judged: list[tuple[str, float, list[tuple[str, float]]]]) -> str:
    """Words on blue ground spoke for the label, on orange ground against it."""
    parts = []
    for label, probability, words in judged:
        most = max((abs(share) for _, share in words), default=1) or 1
        spans = " ".join(
            f'<span style="background: rgba({"31,95,168" if share > 0 else "217,96,26"},{0.75 * abs(share) / most:.2f})">{escape(word)}</span>'
            for word, share in words
        )
        parts.append(f"<h2>{escape(label)}, {100 * probability:.1f} %</h2><p>{spans}</p>")
    style = "body { font: 17px/1.7 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem } span { padding: 0 .15em; border-radius: .2em }"
    legend = "<p>Blue: spoke for the answer. Orange: against it. By gradient times input, to first order.</p>"
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="generator" content="{MADE_BY}"><title>Judged</title><style>{style}</style><h1>Judged</h1>{legend}{"".join(parts)}</html>\n'


def run(arguments: argparse.Namespace) -> int:
    found = runs.load(arguments.folder)
    if found.about_pictures:
        raise Refused(
            f"--run {arguments.folder} reads pictures; predict takes a run of distilbert-imdb. For pictures: serve."
        )
    if arguments.html:
        outputs({arguments.html: MADE_BY}, overwrite=arguments.overwrite)
    texts = [clean(text) for text in arguments.texts]
    if any(not text for text in texts):
        raise Refused("A text is empty: there is nothing to judge.")
    if arguments.file is not None:
        texts += [row["text"] for row in read_reviews(arguments.file)]
    if not texts:
        raise Refused("Give a TEXT, or --file with reviews.")
    from rich.console import Console
    from rich.text import Text

    console = Console()
    judged = []
    for text in texts:
        label, probability, words = words_that_mattered(found, text)
        judged.append((label, probability, words))
        most = max((abs(share) for _, share in words), default=1) or 1
        line = Text()
        for word, share in words:
            strong = abs(share) > 0.35 * most
            line.append(
                word, style=("bold white on blue" if share > 0 else "bold white on dark_orange3") if strong else ""
            )
            line.append(" ")
        console.print(f"{label}  {100 * probability:.1f} %", style="bold")
        console.print(line)
    if arguments.html:
        files.write(arguments.html, page(judged))
        console.print(f"wrote {arguments.html}", highlight=False, soft_wrap=True)
    return 0
