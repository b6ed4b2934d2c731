"""Fine-tune an encoder (DistilBERT, or any that transformers loads) on IMDb's film reviews.

Sanh et al., DistilBERT, 2019; the data: Maas et al., Learning Word Vectors for Sentiment Analysis, ACL 2011.
"""

from __future__ import annotations

import argparse

import torch

from . import distributed, find_batch, reviews, text, tokens
from .errors import Refused
from .folder import Folder
from .loop import one_cycle
from .settings import add_arguments as add_training_arguments
from .settings import from_one, settle


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_training_arguments(parser, epochs=2, lr=5e-5, batch_size=32, gpu_batch_size=64)
    group = parser.add_argument_group("model")
    group.add_argument(
        "--model", default="distilbert-base-uncased", help="hub name or folder (distilbert-base-uncased)"
    )
    group.add_argument("--max-length", type=int, default=256, help="tokens of a review that are read (256)")
    group.add_argument(
        "--keep",
        choices=tokens.KEEP,
        default="both",
        help="what is read of a longer review: its head, or both ends (both)",
    )
    group.add_argument("--test-limit", type=int, help="use only so many reviews to test with")
    group.add_argument("--freeze-embeddings", action="store_true", help="do not train the embeddings: less to compute")
    group.add_argument("--find-batch", action="store_true", help="first find and say what batch fits the GPU's memory")


def optimizer_of(model: torch.nn.Module, lr: float) -> torch.optim.AdamW:
    """AdamW with weight decay on matrices alone, not on biases and norms."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": 0.01},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=lr, fused=True)


def run(arguments: argparse.Namespace) -> int:
    settings = settle(arguments)
    from_one(arguments, "test_limit")
    if arguments.max_length < 8:
        raise Refused(f"--max-length {arguments.max_length}: give at least 8.")
    tokenizer = tokens.tokenizer_of(arguments.model)
    torch.manual_seed(settings.seed)
    texts = text.imdb(settings).limited(None, arguments.test_limit, settings.seed)
    model = reviews.encoder(arguments.model, texts.classes)
    longest = getattr(model.config, "max_position_embeddings", arguments.max_length)
    if arguments.max_length > longest:
        raise Refused(f"--max-length {arguments.max_length}: {arguments.model} reads at most {longest} tokens.")
    if arguments.freeze_embeddings:
        for parameter in model.get_input_embeddings().parameters():  # type: ignore[operator]
            parameter.requires_grad = False
    with distributed.group(settings.device) as (rank, world):
        folder = Folder(settings, rank)
        if rank == 0:
            print(tokens.lesson_on_one(texts.train[0], tokenizer, arguments.max_length, arguments.keep))
        if arguments.find_batch:
            fits = find_batch.largest_batch(model, settings, arguments.max_length, model.config.vocab_size)  # type: ignore[union-attr, arg-type]
            print(
                "--find-batch looks at a GPU's memory; here is none"
                if fits is None
                else fits.line(arguments.max_length, settings.device)
            )
        train = tokens.tokenize(
            texts.train, tokenizer, arguments.max_length, arguments.keep, "tokenize what is trained on"
        )
        other = tokens.tokenize(
            texts.test, tokenizer, arguments.max_length, arguments.keep, "tokenize what is tested with"
        )
        result, metrics = reviews.fit(
            settings, folder, model, optimizer_of(model, settings.lr), train, texts.train_labels, tokenizer.pad_token_id,
            one_cycle(0.06, "linear"), rank, world,
        )  # fmt: skip
        if rank > 0:
            return 0
        facts = reviews.test(
            settings, folder, metrics, result, model, other, texts, tokenizer.pad_token_id, world,
            encoder=str(arguments.model).rstrip("/").split("/")[-1], max_length=arguments.max_length, keep=arguments.keep,
        )  # fmt: skip
        reviews.save_encoder(model, tokenizer, settings.out / "encoder")
        print(f"{texts.source}: {100 * facts['test_accuracy']:.2f} % of {len(texts.test):,} test reviews right")
        print(f"all of it: {settings.out}")
    return 0
