"""Fine-tune an encoder (DistilBERT, or any that transformers loads) on IMDb's film reviews.

Sanh et al., DistilBERT, 2019; the data: Maas et al., Learning Word Vectors for Sentiment Analysis, ACL 2011.
"""

from __future__ import annotations

import argparse

import torch

from . import distributed, encoders, find_batch, finetune, own, reviews, tokens
from .errors import Refused
from .folder import Folder
from .loop import one_cycle
from .settings import add_arguments as add_training_arguments
from .settings import from_one, settle


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_training_arguments(parser, epochs=2, lr=5e-5, batch_size=32, gpu_batch_size=64)
    own.add_arguments(parser, "texts")
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
    group.add_argument("--find-batch", action="store_true", help="first find and say what batch fits the GPU's memory")
    finetune.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    settings = settle(arguments)
    from_one(arguments, "test_limit", "gradual", "lora", "patience", "evaluate_every")
    finetune.check(arguments)
    if arguments.max_length < 8:
        raise Refused(f"--max-length {arguments.max_length}: give at least 8.")
    texts = own.load_texts(settings).limited(None, arguments.test_limit, settings.seed)
    tokenizer = tokens.tokenizer_of(arguments.model)
    torch.manual_seed(settings.seed)
    model = reviews.encoder(arguments.model, texts.classes)
    longest = encoders.longest(model)
    if longest is not None and arguments.max_length > longest:
        raise Refused(f"--max-length {arguments.max_length}: {arguments.model} reads at most {longest} tokens.")
    encoders.check_tokenizer(arguments.model, model, tokenizer, texts.train)
    numbers = sum(p.numel() for p in model.parameters())
    model, groups, before_epoch = finetune.prepared(model, arguments, settings.lr)
    optimizer = torch.optim.AdamW(groups, lr=settings.lr, fused=True)
    with distributed.group(settings.device) as (rank, world):
        folder = Folder(settings, rank, texts.fingerprint())
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
            settings, folder, model, optimizer, train, texts.train_labels, tokenizer.pad_token_id, one_cycle(0.06, "linear"), rank, world,
            arguments.patience, before_epoch, arguments.evaluate_every,
        )  # fmt: skip
        if rank > 0:
            return 0
        learned = sum(p.numel() for group in groups for p in group["params"])
        if arguments.lora:
            folder.fill("adapter", model.save_pretrained)  # type: ignore[arg-type]
        model = finetune.merged(model)
        held, _ = reviews.split(texts.train_labels, settings)
        validation = (
            reviews.predict(model, train, held, tokenizer.pad_token_id, settings),
            torch.tensor(texts.train_labels)[held],
        )

        def save() -> str:
            folder.fill("encoder", lambda path: encoders.save(model, tokenizer, path))
            return "encoder/model.safetensors"

        facts = reviews.test(
            settings, folder, metrics, result, model, other, texts, tokenizer.pad_token_id, world, save, validation,
            parameters=numbers, trained_parameters=learned, encoder=str(arguments.model).rstrip("/").split("/")[-1], max_length=arguments.max_length, keep=arguments.keep,
        )  # fmt: skip
        print(f"{texts.source}: {100 * facts['test_accuracy']:.2f} % of {len(texts.test):,} test reviews right")
        print(f"all of it: {settings.out}")
    return 0
