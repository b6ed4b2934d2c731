"""Folders of finished runs, in the form that trainings leave, without the training: small networks of random weights."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from curriculum import corpus
from curriculum.fullscale import transfer

FACTS = {"test_accuracy": 0.5}
REVIEWS = "1,000 generated reviews: no real ones"  # as the embedded data call themselves
DIGITS = "1,437 and 360 small digits of scikit-learn, enlarged to 28 x 28: not MNIST"


def _write(folder: Path, command: str, options: dict, results: dict) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"command": command, "options": options, "data": "embedded"}))
    data = DIGITS if command == "mnist-cnn" else REVIEWS
    (folder / "results.json").write_text(json.dumps(FACTS | {"data": data} | {"command": command} | results))
    return folder


def reviews(folder: Path, classes=("negative", "positive"), kind: str = "distilbert", max_length: int = 24, train: Path | None = None, depth: int = 2) -> Path:  # fmt: skip
    """A run of distilbert-imdb. kind: distilbert, or roberta, whose positions begin behind the padding's number. train: a table of own data."""
    from transformers import (
        DistilBertConfig,
        DistilBertForSequenceClassification,
        RobertaConfig,
        RobertaForSequenceClassification,
    )

    options = {"max_length": max_length, "keep": "both", "train": None if train is None else str(train)}
    _write(folder, "distilbert-imdb", options, {"classes": list(classes)})
    encoder = folder / "encoder"
    encoder.mkdir()
    tokenizer = transfer.own_tokenizer(corpus.reviews(60, 0)[0], 200, encoder)
    torch.manual_seed(0)
    named = {"num_labels": len(classes), "id2label": dict(enumerate(classes)), "label2id": {c: i for i, c in enumerate(classes)}}  # fmt: skip
    if kind == "roberta":
        sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
        config = RobertaConfig(vocab_size=len(tokenizer), max_position_embeddings=42, pad_token_id=1, **sizes, **named)
        model = RobertaForSequenceClassification(config)
    else:
        sizes = {"dim": 16, "hidden_dim": 32, "n_layers": depth, "n_heads": 2}
        config = DistilBertConfig(
            vocab_size=len(tokenizer), max_position_embeddings=40, pad_token_id=0, **sizes, **named
        )
        model = DistilBertForSequenceClassification(config)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(encoder)
    tokenizer.save_pretrained(encoder)
    return folder


def transferred(folder: Path, part: str = "full") -> Path:
    """One training inside a run of transfer: its tokenizer lies two folders above."""
    folder.mkdir(parents=True)
    tokenizer = transfer.own_tokenizer(corpus.reviews(60, 0)[0], 200, folder)
    sizes = {"width": 16, "heads": 2, "depth": 1, "dropout": 0.1, "max_length": 24}
    torch.manual_seed(0)
    model = transfer.Encoder(len(tokenizer), 4 if part == "news" else 2, 24, 16, 2, 1, 0.1, tokenizer.pad_token_id)
    torch.nn.init.normal_(model.head.weight, std=2.0)
    (folder / "transfer.json").write_text("[]")
    own = _write(folder / "seed-0" / part, "transfer", sizes, {})
    save_file(model.state_dict(), own / "model.safetensors")
    return own


def pictures(folder: Path) -> Path:
    """A run of mnist-cnn."""
    from curriculum.fullscale import mnist_cnn
    from curriculum.fullscale.pictures import Scaled

    options = {"width": 4, "dropout": 0.0, "no_norm": False, "blocks": 1}
    torch.manual_seed(0)
    network = mnist_cnn.build(options, 10, 1)
    model = Scaled(network, torch.full((1, 1, 1, 1), 0.13), torch.full((1, 1, 1, 1), 0.31))
    _write(folder, "mnist-cnn", options, {"classes": [str(k) for k in range(10)], "picture": [1, 28, 28]})
    save_file(model.state_dict(), folder / "model.safetensors")
    return folder
