"""The words that mattered to an answer, by integrated gradients (Captum), and how far they are to be trusted.

Sundararajan et al., Axiomatic Attribution for Deep Networks, ICML 2017. The embeddings move in a straight line from those
of a text of masks to the text's own; a token's share is what its part of the way added to the answer's log-odds, so that
all shares together are how far the text moved them. (The gradient at the text alone says next to nothing: a layer norm
behind the embeddings takes away whatever lies along them.) Layer integrated gradients leave the positions where they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from . import runs, tokens
from .errors import Refused
from .reviews import logits_of

BATCH = 8  # points of the line at once


def steps_for(words: int) -> int:
    return min(24, max(4, words // 8))


@dataclass(frozen=True)
class Word:
    text: str
    share: float  # of the answer's log-odds: above 0 it spoke for the answer
    places: tuple[int, ...]  # of its tokens in what the model read
    gap: bool = False  # whether something before it was not read


@dataclass(frozen=True)
class Judged:
    """An answer. `moved` is how far the text moved the log-odds from those of masks, as the model itself says."""

    text: str
    label: str
    probability: float
    probabilities: list[float]
    words: list[Word]
    moved: float = 0.0


def whole(text: str) -> str:
    """The text. Errors: Refused where it holds half a character, which no model's tokenizer takes."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = ascii(text[error.start])
        raise Refused(
            f"The text holds half a character ({half} at {error.start + 1}): it is not whole Unicode."
        ) from None
    return text


def read(run: runs.Run, text: str) -> tuple[Tensor, list[Word]]:
    """The token numbers (1, length) that the model reads of a text, and its words, without shares."""
    max_length, keep = runs.reading(run)
    given = run.tokenizer(text, truncation=False, verbose=False, return_offsets_mapping=True)
    kept = tokens.cut(list(range(len(given["input_ids"]))), max_length, keep)
    words: list[Word] = []
    number_of, offsets, before, last = given.word_ids(0), given["offset_mapping"], None, -1
    for place, source in enumerate(kept):
        number = number_of[source]  # None for special tokens
        if number is not None:
            start, end = offsets[source]
            if number == before and source == last + 1:
                words[-1] = Word(words[-1].text + text[start:end], 0.0, (*words[-1].places, place), words[-1].gap)
            else:
                words.append(Word(text[start:end], 0.0, (place,), source != last + 1))
        before, last = number, source
    return torch.tensor([[given["input_ids"][source] for source in kept]]), words


def log_odds(logits: Tensor, label: int) -> Tensor:
    """(n,): log p / (1 - p) of a class. For two classes this is the difference of their logits."""
    others = [k for k in range(logits.shape[1]) if k != label]
    return logits[:, label] - logits[:, others].logsumexp(1)


def nothing(run: runs.Run, ids: Tensor) -> Tensor:
    """`ids` with masks (or padding, where the tokenizer knows no mask) instead of all but special tokens."""
    tokenizer = run.tokenizer
    blank = tokenizer.pad_token_id if tokenizer.mask_token_id is None else tokenizer.mask_token_id
    special = torch.isin(ids, torch.tensor([i for i in tokenizer.all_special_ids if i != tokenizer.unk_token_id]))
    return torch.where(special, ids, blank)


def words_that_mattered(run: runs.Run, text: str, label: int | None = None, steps: int | None = None) -> Judged:
    """The answer (or what speaks for class `label`), and each word's share of it. The shares of a word's tokens are added up.

    steps: points of the straight line at which the gradient is taken; by default as many as STEPS allows a text of its length.
    """
    from captum.attr import LayerIntegratedGradients

    ids, words = read(run, whole(text))
    mask = torch.ones_like(ids)
    with torch.no_grad():
        logits = logits_of(run.model, torch.cat([ids, nothing(run, ids)]), torch.cat([mask, mask]))
    label = int(logits[0].argmax()) if label is None else label
    p = logits[0].softmax(0)
    odds = log_odds(logits, label)

    def forward(ids: Tensor, mask: Tensor) -> Tensor:
        return log_odds(logits_of(run.model, ids, mask), label)

    embedding = run.model.get_input_embeddings()  # type: ignore[operator]
    shares = LayerIntegratedGradients(forward, embedding).attribute(
        ids, nothing(run, ids), additional_forward_args=(mask,), n_steps=steps or steps_for(len(words)),
        internal_batch_size=BATCH, method="gausslegendre",
    ).sum(2)[0]  # fmt: skip
    found = [Word(w.text, shares[list(w.places)].sum().item(), w.places, w.gap) for w in words]
    return Judged(text, run.classes[label], p[label].item(), p.tolist(), found, (odds[0] - odds[1]).item())
