"""Texts to token numbers, kept on disk by content; batches of texts of like length, padded no further than needed."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from curriculum import files

from . import hub
from .errors import Refused


@dataclass(frozen=True)
class Tokens:
    """The token numbers of many texts, one after the other; text i is `ids[starts[i]:starts[i + 1]]`."""

    ids: np.ndarray  # (all tokens,), int32
    starts: np.ndarray  # (texts + 1,), int64

    def __len__(self) -> int:
        return len(self.starts) - 1

    def fit_together(self) -> bool:
        """Whether the parts that `starts` names are there."""
        starts = self.starts
        return (
            (self.ids.dtype, self.ids.ndim, starts.dtype, starts.ndim) == (np.int32, 1, np.int64, 1)
            and bool((np.diff(starts) >= 0).all())
            and (starts[0], starts[-1]) == (0, len(self.ids))
        )

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.starts)

    def padded(self, rows: np.ndarray, pad: int) -> tuple[Tensor, Tensor]:
        """(ids, mask), both (len(rows), longest of them), int64; mask is 1 at tokens and 0 at padding."""
        longest = int(self.lengths[rows].max())
        ids = np.full((len(rows), longest), pad, np.int64)
        mask = np.zeros((len(rows), longest), np.int64)
        for place, row in enumerate(rows):
            own = self.ids[self.starts[row] : self.starts[row + 1]]
            ids[place, : len(own)] = own
            mask[place, : len(own)] = 1
        return torch.from_numpy(ids), torch.from_numpy(mask)


def tokenizer_of(model: str) -> Any:
    """The fast tokenizer that belongs to a model, by hub name or folder. Errors: Refused."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id
    from transformers import AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    if not Path(model).is_dir():
        try:
            validate_repo_id(model)
        except HFValidationError:
            raise Refused(f"--model {model}: there is no such folder, and the hub has no such names.") from None
        hub.look()
    try:
        return AutoTokenizer.from_pretrained(model)
    except Exception as error:  # many kinds, all of which mean: not to be had
        line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Refused(
            f"No tokenizer for --model {model} ({line}): give a folder with tokenizer.json, or a hub name and a network."
        ) from None


KEEP = ("head", "both")


def cut(ids: list[int], max_length: int, keep: str) -> list[int]:
    """At most `max_length` of the ids: the first ones and the last (the end mark), or as many from both ends.

    Both ends: C. Sun et al., How to Fine-Tune BERT for Text Classification, CCL 2019; reviews conclude at their end.
    """
    if len(ids) <= max_length:
        return ids
    tail = max_length // 2 if keep == "both" else 1
    return ids[: max_length - tail] + ids[-tail:]


def tokenized(texts: list[str], tokenizer: Any, max_length: int, keep: str = "both", show: str | None = None) -> Tokens:
    """The texts' tokens with the special ones, cut to `max_length`."""
    from tqdm import tqdm

    rows: list[np.ndarray] = []
    starts = range(0, len(texts), 1000)
    for start in tqdm(starts, desc=show, unit="thousand", disable=None if show else True, leave=False):
        part = tokenizer(texts[start : start + 1000], truncation=False, verbose=False)["input_ids"]
        rows += [np.array(cut(row, max_length, keep), np.int32) for row in part]
    return Tokens(np.concatenate(rows), np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64))


def tokenize(texts: list[str], tokenizer: Any, max_length: int, keep: str = "both", show: str = "tokenize") -> Tokens:
    """As `tokenized`, for the texts of a data set: kept in the cache folder by content."""
    recipe = f"{tokenizer.backend_tokenizer.to_str()} {max_length} {keep}"
    digest = hashlib.sha256(recipe.encode())
    for text in texts:
        digest.update(text.encode() + b"\0")
    cache = (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        / "minigrad"
        / f"tokens-{digest.hexdigest()[:24]}.npz"
    )
    with contextlib.suppress(Exception):  # NumPy and zipfile raise many kinds, all of which mean: not kept, or damaged
        with np.load(cache) as kept:
            found = Tokens(kept["ids"], kept["starts"])
        if len(found) == len(texts) and found.fit_together():
            return found
    found = tokenized(texts, tokenizer, max_length, keep, show)
    content = io.BytesIO()
    np.savez(content, ids=found.ids, starts=found.starts)
    try:
        files.write(cache, content.getvalue())
    except OSError as error:  # a cache that cannot be written costs time, no more
        print(f"the tokens could not be kept in {cache.parent} ({error})")
    return found


def by_length(tokens: Tokens, rows: np.ndarray, batch_size: int, seed: int) -> Callable[[int], list[np.ndarray]]:
    """Batches of an epoch, drawn from (seed, epoch): a random order, sorted by length within pools of 50 batches."""
    lengths = tokens.lengths[rows]

    def order(epoch: int) -> list[np.ndarray]:
        rng = np.random.default_rng([seed, epoch])
        places = rng.permutation(len(rows))
        # of nearly equal size: a last one of what is left could hold a single text, a batch with the weight of any other
        pools = np.array_split(places, -(-len(places) // (50 * batch_size)))
        batches: list[np.ndarray] = []
        for pool in pools:
            ordered = pool[np.argsort(lengths[pool], kind="stable")]
            batches += np.array_split(ordered, -(-len(ordered) // batch_size))
        return [batches[i] for i in rng.permutation(len(batches))]

    return order


def lesson_on_one(text: str, tokenizer: Any, max_length: int, keep: str) -> str:
    """How one text becomes tensors, to be read."""
    words = tokenizer.tokenize(text)
    encoded = cut(tokenizer(text, truncation=False, verbose=False)["input_ids"], max_length, keep)
    lines = [
        f"text:    {text[:110]}...",
        f"tokens:  {' '.join(words[:18])} ...   ({len(words)} of them)",
        f"ids:     {encoded[:14]} ...   ({len(encoded)}, with {tokenizer.cls_token} first and {tokenizer.sep_token} last, cut to {max_length})",
        f"tensors: ids and mask of shape (batch, longest of the batch), int64; {tokenizer.pad_token} is {tokenizer.pad_token_id}, the mask 0 there",
    ]
    return "\n".join(lines)
