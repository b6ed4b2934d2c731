"""The words that mattered to an answer, by integrated gradients (Captum), and how far they are to be trusted.

Sundararajan et al., Axiomatic Attribution for Deep Networks, ICML 2017. What moves in a straight line here is how much of a
word is there: attention sees each token with a weight, 1 for all of it, 0 for none, whose logarithm is added to the scores.
A word's share is what the way from none to all of it added to the answer's log-odds: about how far they would fall without it.
The words go this way in a few parts, each among all the others, since in a text of many words one may say what another said;
and at half the way one gradient stands for the whole of it (`without` measures how well).

A model that cannot weigh tokens so (one that reads from left to right, say) is asked by its embeddings instead, which move from
those of a text of masks to the text's own: far noisier. (The gradient at the text alone then says next to nothing: a layer
norm behind the embeddings takes away whatever lies along them.) The positions stay where they are.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from . import runs, tokens
from .errors import Refused
from .progress import shown as progress
from .reviews import logits_of
from .transfer import Encoder

BATCH = 8  # points of the line at once


def parts_for(words: int) -> int:
    """Parts in which so many words go their way; each takes a prediction and its gradient: within 3 predictions per 10 words."""
    return min(6, max(1, words // 20))


def steps_for(words: int) -> int:
    """Points of the line of a model that cannot weigh tokens: with each a prediction and its gradient."""
    return min(16, max(4, words // 10))


@dataclass(frozen=True)
class Word:
    text: str
    share: float  # of the answer's log-odds: above 0 it spoke for the answer
    places: tuple[int, ...]  # of its tokens in what the model read
    gap: bool = False  # whether something before it was not read


@dataclass(frozen=True)
class Judged:
    """An answer."""

    text: str
    label: str
    probability: float
    probabilities: list[float]
    words: list[Word]


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


def weighed(model: nn.Module, embeddings: Tensor, weights: Tensor) -> Tensor:
    """Logits (n, classes), where attention sees each token as if it stood there `weights` times. (n, length, width), (n, length).

    transformers' models take a mask of four dimensions as it is, and add it to the scores of attention.
    """
    n, length = weights.shape
    ready = weights if isinstance(model, Encoder) else weights.log()[:, None, None, :].expand(n, 1, length, length)
    out = model(inputs_embeds=embeddings, attention_mask=ready)
    return out if isinstance(out, Tensor) else out.logits


def by_presence(run: runs.Run, ids: Tensor, words: list[Word], logits: Tensor, label: int, steps: int) -> Tensor | None:
    """(length,): about how far the answer's log-odds fall as each token is left out; None for a model that cannot weigh tokens.

    That is told by the answer: weights of 1 must leave `logits` as they are, and a gradient must reach them.
    """
    from captum.attr import IntegratedGradients

    embeddings = run.model.get_input_embeddings()(ids).detach().requires_grad_()  # type: ignore[operator]
    # (without requires_grad_, torch.nn's own encoder would take its way for inference, through which no gradient goes)
    parts = parts_for(len(words))
    absent = torch.ones(parts, ids.shape[1], dtype=embeddings.dtype)
    for place, word in enumerate(words):  # neighbours into different parts
        absent[place % parts, list(word.places)] = 0.0

    def forward(weights: Tensor) -> Tensor:
        return log_odds(weighed(run.model, embeddings.expand(len(weights), -1, -1), weights), label)

    present = torch.ones_like(absent)
    try:
        with torch.no_grad():
            same = torch.allclose(weighed(run.model, embeddings, present[:1]), logits, rtol=1e-4, atol=1e-5)
        if not same:
            return None
        shares = IntegratedGradients(forward).attribute(
            present, absent, n_steps=steps, internal_batch_size=BATCH, method="gausslegendre"
        )
    except Exception:  # of many kinds, from models that read another mask: all mean that this one does not weigh tokens
        return None
    return shares.sum(0)


def by_embeddings(run: runs.Run, ids: Tensor, label: int, steps: int) -> Tensor:
    """(length,): what each token's part of the way from a text of masks added to the answer's log-odds; for any model."""
    from captum.attr import IntegratedGradients

    def forward(embeddings: Tensor) -> Tensor:  # (n, length, width) to (n,)
        mask = torch.ones(embeddings.shape[:2], dtype=torch.int64)
        out = run.model(inputs_embeds=embeddings, attention_mask=mask)
        return log_odds(out if isinstance(out, Tensor) else out.logits, label)

    embedding = run.model.get_input_embeddings()  # type: ignore[operator]
    return IntegratedGradients(forward).attribute(
        embedding(ids).detach(), embedding(nothing(run, ids)).detach(), n_steps=steps,
        internal_batch_size=BATCH, method="gausslegendre",
    )[0].sum(1)  # fmt: skip


def words_that_mattered(run: runs.Run, text: str, label: int | None = None, steps: int | None = None) -> Judged:
    """The answer (or what speaks for class `label`), and each word's share of it. The shares of a word's tokens are added up.

    steps: points of the straight line at which the gradient is taken; by default one, or `steps_for` of a model that cannot
    weigh tokens.
    """
    ids, words = read(run, whole(text))
    with torch.no_grad():
        logits = logits_of(run.model, ids, torch.ones_like(ids))
    label = int(logits.argmax()) if label is None else label
    shares = by_presence(run, ids, words, logits, label, steps or 1) if words else None
    if shares is None:
        shares = by_embeddings(run, ids, label, steps or steps_for(len(words)))
    p = logits[0].softmax(0)
    found = [Word(w.text, shares[list(w.places)].sum().item(), w.places, w.gap) for w in words]
    return Judged(text, run.classes[label], p[label].item(), p.tolist(), found)


def without(run: runs.Run, judged: Judged, size: int = 32) -> np.ndarray:
    """(words,): how far the answer's log-odds fall as each word is left out by itself. A prediction for each word: slow, and exact."""
    ids, _ = read(run, judged.text)
    label = run.classes.index(judged.label)
    every = list(range(ids.shape[1]))
    rows = [[i for i in every if i not in word.places] for word in judged.words]
    odds = np.zeros(len(rows))
    order = sorted(range(len(rows)), key=lambda k: len(rows[k]))
    with torch.no_grad():
        whole_text = log_odds(logits_of(run.model, ids, torch.ones_like(ids)), label).item()
        for start in range(0, len(order), size):
            part = order[start : start + size]
            length = len(rows[part[-1]])
            kept = torch.tensor([rows[k] + [0] * (length - len(rows[k])) for k in part])
            mask = (torch.arange(length) < torch.tensor([len(rows[k]) for k in part]).unsqueeze(1)).long()
            odds[part] = log_odds(logits_of(run.model, ids[0][kept], mask), label).double().numpy()
    return whole_text - odds


def measure(run: runs.Run, texts: list[str]) -> dict[str, float]:
    """How far the words that mattered agree with leaving out each word, on real texts, and what they cost.

    top_sign: in how many texts leaving out the word with the largest share moves the answer as the share's sign says.
    rank_correlation: Spearman's, of the shares and the falls, the mean over the texts.
    """
    import pandas

    right, ranks, predictions, seconds = [], [], [], []
    for text in progress(texts, "measured", "texts"):
        begin = time.perf_counter()
        judged = words_that_mattered(run, text)
        taken = time.perf_counter() - begin
        if len(judged.words) < 2:
            continue
        begin = time.perf_counter()
        runs.probabilities(run, [text])
        one = time.perf_counter() - begin
        shares, falls = np.array([word.share for word in judged.words]), without(run, judged)
        top = int(np.abs(shares).argmax())
        right.append(bool(shares[top] * falls[top] > 0))
        ranks.append(pandas.Series(shares).rank().corr(pandas.Series(falls).rank()))
        predictions.append(taken / one / (len(shares) / 10))
        seconds.append(taken)
    if not right:
        raise Refused("None of the texts has two words: nothing can be measured.")
    return {
        "texts": len(right), "top_sign": float(np.mean(right)), "rank_correlation": round(float(np.nanmean(ranks)), 4),
        "seconds": round(float(np.median(seconds)), 4), "predictions_per_ten_words": round(float(np.median(predictions)), 3),
    }  # fmt: skip
