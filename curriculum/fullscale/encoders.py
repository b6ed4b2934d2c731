"""Encoders with a classification head, and their tokenizers, as transformers reads them: checked before anything is trained.

transformers fills what a file of weights lacks with random numbers, and makes a tokenizer that knows no word where a folder
has none; both train without a word, to no end. So what is missing, too much or of another size is looked at here.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Any

import torch
from torch import nn

from . import hub
from .errors import Refused

PREFIXES = r"^(?:module\.|_orig_mod\.)+"  # which DataParallel and torch.compile put before the names
OTHER_HEADS = re.compile(
    r"(^|\.)(cls|lm_head|vocab_\w+|qa_outputs|predictions|decoder|generator_\w+|discriminator_\w+)\."
)


def encoder(
    model: str | os.PathLike[str], classes: list[str], trained: bool = False, sha256: str | None = None
) -> nn.Module:
    """A pre-trained encoder with a classification head, by hub name or folder; any that AutoModelForSequenceClassification
    loads, with the attention that it supports best.

    The head is a fresh one where the weights have none for these classes. trained: they must have it, as those of a run.
    sha256: the checksum that the file of weights must have: a flipped bit in a number shows nowhere else.
    Errors: Refused where the weights do not fit the encoder, or hold NaN.
    """
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    name = os.fspath(model)
    if sha256 is not None:
        weights = Path(name, "model.safetensors")
        if weights.exists() and hashlib.sha256(weights.read_bytes()).hexdigest() != sha256:
            raise Refused(f"{weights} cannot be read (some bytes have changed): train again with --overwrite.")
    if not Path(name).is_dir():
        hub.look()
    try:
        made, found = AutoModelForSequenceClassification.from_pretrained(
            name, num_labels=len(classes), id2label=dict(enumerate(classes)), label2id={c: i for i, c in enumerate(classes)},
            dtype=torch.float32, output_loading_info=True, ignore_mismatched_sizes=True, key_mapping={PREFIXES: ""},
        )  # fmt: skip
    except Exception as error:  # many kinds, all of which mean: not to be had
        line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if trained:
            raise Refused(f"{name} could not be loaded ({line}): train again with --overwrite.") from None
        raise Refused(
            f"--model {name} could not be loaded ({line}): give the folder of an encoder that transformers reads, or a hub "
            "name such as distilbert-base-uncased and a network."
        ) from None
    _check_weights(name if trained else f"--model {name}", made, found, trained)
    if Path(name).is_dir() and (prefixed := _prefix(Path(name))):
        print(f"the names of {name}'s weights begin with {prefixed}, which was left out")
    return made


def untrained(model: str | os.PathLike[str], classes: list[str]) -> nn.Module:
    """An encoder of the shape of `model` (see `encoder`) that begins from random numbers, head and all."""
    from transformers import AutoConfig, AutoModelForSequenceClassification

    config = AutoConfig.from_pretrained(
        os.fspath(model), num_labels=len(classes), id2label=dict(enumerate(classes)), label2id={c: i for i, c in enumerate(classes)}
    )  # fmt: skip
    return AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)


def is_head(model: nn.Module, parameter: str) -> bool:
    """Whether a parameter belongs to the head that reads the encoder's answer, not to the encoder; poolers count to it."""
    body = f"{model.base_model_prefix}."
    return not parameter.startswith(body) or "pooler." in parameter


def _check_weights(said: str, model: Any, found: dict[str, Any], trained: bool) -> None:
    missing = sorted(found["missing_keys"])
    lacking = [key for key in missing if trained or not is_head(model, key)]
    unexpected = sorted(found["unexpected_keys"])
    own = {key for key, _ in model.named_parameters()}
    body = sum(not is_head(model, key) for key in own)
    if lacking:
        given = f"; the weights hold {_some(unexpected)} instead" if unexpected else ""
        if len(lacking) >= body:
            raise Refused(
                f"{said}: none of the encoder's {body} weights is in the file, such as {lacking[-1]}{given}. It would "
                "start from random numbers: give weights of the architecture that config.json names."
            )
        raise Refused(
            f"{said}: {len(lacking)} of the encoder's weights are missing ({_some(lacking)}){given}. They would be "
            "random numbers: give weights that fit config.json."
        )
    blocks = re.compile(r"\.\d+\.")
    beyond = [key for key in unexpected if blocks.search(key) and not OTHER_HEADS.search(key)]
    if beyond:
        raise Refused(
            f"{said}: the weights hold {len(beyond)} that config.json leaves no place for ({_some(beyond)}): a larger "
            "model's, or another's. Give the configuration that belongs to them."
        )
    wrong = sorted(found["mismatched_keys"], key=lambda row: row[0])
    for key, there, wanted in wrong:
        if trained or not is_head(model, key):
            raise Refused(
                f"{said}: {key} has the shape {tuple(there)}, config.json wants {tuple(wanted)}: give the "
                "configuration that belongs to the weights."
            )
    if wrong:
        shape, classes = wrong[0][1], model.config.num_labels  # type: ignore[union-attr]
        print(
            f"{said} has a head for {shape.numel() if len(shape) == 1 else shape[-2]} classes: a fresh one for {classes} is trained"
        )
    for key, value in model.state_dict().items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise Refused(f"{said}: {key} holds NaN or infinite numbers: give weights that are whole.")


def _some(names: list[str]) -> str:
    return ", ".join(names[:2]) + (", ..." if len(names) > 2 else "")


def _prefix(folder: Path) -> str:
    """What the names in a folder's weights begin with and was left out."""
    from safetensors import SafetensorError, safe_open

    path = folder / "model.safetensors"
    try:
        with safe_open(path, "pt") as file:
            found = [match[0] for key in file.keys() if (match := re.match(PREFIXES, key))]  # noqa: SIM118
    except (OSError, SafetensorError):
        return ""
    return found[0] if found else ""


def check_tokenizer(name: str, model: nn.Module, tokenizer: Any, texts: list[str]) -> None:
    """Whether the tokenizer belongs to the encoder, as far as can be seen, and knows the texts. Errors: Refused.

    A tokenizer without a padding token gets its end mark for one.
    """
    rows = model.get_input_embeddings().weight.shape[0]  # type: ignore[operator, union-attr]
    highest = max(tokenizer.get_vocab().values(), default=-1)
    if highest >= rows:
        raise Refused(
            f"--model {name}: its tokenizer has numbers up to {highest:,}, its vocabulary ends at {rows - 1:,}: they belong to "
            "different models. Give the tokenizer that the encoder was trained with."
        )
    if tokenizer.pad_token_id is None:
        if tokenizer.eos_token_id is None:
            raise Refused(
                f"--model {name}: its tokenizer has no token to pad with: give it one (pad_token) and save it."
            )
        tokenizer.pad_token = tokenizer.eos_token
    if getattr(model.config, "pad_token_id", None) is None:
        model.config.pad_token_id = tokenizer.pad_token_id  # type: ignore[union-attr]
    ids = [i for row in tokenizer(texts[:200], add_special_tokens=False, verbose=False)["input_ids"] for i in row]
    unknown = sum(i == tokenizer.unk_token_id for i in ids)
    if not ids or unknown > len(ids) / 2:
        raise Refused(
            f"--model {name}: its tokenizer knows {len(ids) - unknown:,} of {len(ids):,} tokens of these texts (its vocabulary has "
            f"{len(tokenizer):,}): the folder lacks tokenizer.json or vocab.txt, or it is of another language."
        )


def longest(model: nn.Module) -> int | None:
    """The most tokens that an encoder has positions for; None where it counts without end.

    RoBERTa and its kin begin to count after the padding's number: of 514 positions they use 512.
    """
    table = getattr(model.config, "max_position_embeddings", None)
    if table is None or table < 1:
        return None
    for key, module in model.named_modules():
        if key.endswith("position_embeddings") and isinstance(module, nn.Embedding) and module.padding_idx is not None:
            return module.num_embeddings - module.padding_idx - 1
    return table


def save(model: nn.Module, tokenizer: Any, path: Path) -> None:
    """In the form that transformers loads, into an empty folder."""
    model.save_pretrained(path)  # type: ignore[operator]
    tokenizer.save_pretrained(path)
