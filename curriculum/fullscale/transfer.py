"""A transformer encoder pre-trained on the topics of news, then specialised on film reviews in four ways.

The encoder is built here, or is one that transformers loads (--model), which others have pre-trained on more than news. From
scratch, that is, from random numbers; full fine-tuning; the last layer alone; chosen layers. All on the same reviews, in the same number of steps,
over several seeds; one table and one picture of loss, accuracy, time and trained parameters. The strategies are those of
Howard and Ruder, Universal Language Model Fine-tuning for Text Classification, ACL 2018, who also unfreeze gradually.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from curriculum import draw, files

from . import checkpoint, distributed, encoders, finetune, reviews, text, tokens
from .errors import Refused
from .folder import Folder
from .loop import one_cycle
from .owned import MARKER, read_json
from .settings import Settings, differing, from_one, settle
from .settings import add_arguments as add_training_arguments

STRATEGIES = ("scratch", "full", "last", "chosen")


class Encoder(nn.Module):
    """Embedding, sinusoidal positions, transformer blocks, the mean over the tokens, a linear head.

    Positions: Vaswani et al., Attention Is All You Need, NeurIPS 2017, section 3.5.
    """

    positions: Tensor

    def __init__(
        self,
        vocabulary: int,
        classes: int,
        max_length: int,
        width: int,
        heads: int,
        depth: int,
        dropout: float,
        pad: int,
    ):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=pad)
        place = torch.arange(max_length).unsqueeze(1)
        angle = place / 10000 ** (torch.arange(0, width, 2) / width)
        self.register_buffer("positions", torch.stack([angle.sin(), angle.cos()], 2).reshape(max_length, width))
        layer = nn.TransformerEncoderLayer(width, heads, 4 * width, dropout, "gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)
        self.scale = math.sqrt(width)
        nn.init.normal_(self.embedding.weight, std=1 / self.scale)

    def get_input_embeddings(self) -> nn.Embedding:
        return self.embedding

    def forward(
        self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None, inputs_embeds: Tensor | None = None
    ) -> Tensor:
        """Logits (n, classes). attention_mask (n, length): 1 for a token, 0 for padding; as floats, how much each token counts."""
        if inputs_embeds is None:
            inputs_embeds = self.embedding(input_ids)  # (n, length, width)
        assert attention_mask is not None
        x = inputs_embeds * self.scale + self.positions[: inputs_embeds.shape[1]]
        weighs = attention_mask.is_floating_point()  # its logarithm is added to the scores of attention
        padding = attention_mask.log() if weighs else attention_mask == 0
        x = self.norm(self.encoder(x, src_key_padding_mask=padding))
        kept = attention_mask.unsqueeze(2).to(x.dtype)
        return self.head((x * kept).sum(1) / kept.sum(1))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_training_arguments(parser, epochs=3, lr=5e-4, batch_size=64, gpu_batch_size=128)
    group = parser.add_argument_group("model and strategies")
    group.add_argument(
        "--model",
        help="hub name or folder of a pre-trained encoder, instead of one built here (then --lr 1e-4 is usual)",
    )
    group.add_argument("--width", type=int, help="numbers that stand for a token (128)")
    group.add_argument("--depth", type=int, help="transformer blocks (2)")
    group.add_argument("--heads", type=int, help="of attention (4)")
    group.add_argument("--dropout", type=float, help="share of the values that a training step leaves out (0.1)")
    group.add_argument("--vocabulary", type=int, help="tokens of the tokenizer that is trained (8000)")
    group.add_argument("--max-length", type=int, default=200)
    group.add_argument("--news-epochs", type=int, default=5, help="of the pre-training (5)")
    group.add_argument("--seeds", type=int, default=3, help="repetitions, from --seed on (3)")
    group.add_argument("--strategies", default=",".join(STRATEGIES), help=f"which ({','.join(STRATEGIES)})")
    group.add_argument(
        "--chosen", default="", help="layers of `chosen`, as beginnings of their names (the last block, norm and head)"
    )
    group.add_argument(
        "--gradual", action="store_true", help="`chosen` unfreezes from the head down, a layer more each epoch"
    )
    group.add_argument("--reviews", type=int, help="use only so many reviews to learn from, and all news (all)")
    group.add_argument("--test-limit", type=int, help="use only so many reviews to test with")


def own_tokenizer(texts: list[str], size: int, folder: Path) -> Any:
    """A WordPiece tokenizer trained on the texts (library: tokenizers), kept in the folder; the same texts make the same one."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    path = folder / "tokenizer.json"
    if not path.exists():

        def pieces(vocabulary: dict[str, int] | None = None) -> Any:
            made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
            made.normalizer = normalizers.BertNormalizer(lowercase=True)
            made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
            made.decoder = decoders.WordPiece()
            return made

        # The library numbers the letters inside words in an order drawn anew by each process, and pieces of equal count by
        # these numbers. Named as special ones the letters have their numbers before; the tokenizer is then made without.
        trained = pieces()
        letters = sorted(set().union(*map(trained.normalizer.normalize_str, texts)))
        inside = [
            f"##{c}" for c in letters if len(trained.pre_tokenizer.pre_tokenize_str(f"a{c}")) == 1 and not c.isspace()
        ]
        first = [*special.values(), *inside]
        trained.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=size, special_tokens=first, show_progress=False))  # fmt: skip
        made = pieces(trained.get_vocab())
        made.add_special_tokens(list(special.values()))
        made.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            special_tokens=[("[CLS]", made.token_to_id("[CLS]")), ("[SEP]", made.token_to_id("[SEP]"))],
        )
        files.write(path, made.to_str())
    return PreTrainedTokenizerFast(tokenizer_file=str(path), **special)


BUILT_HERE = {
    "width": 128,
    "depth": 2,
    "heads": 4,
    "dropout": 0.1,
    "vocabulary": 8000,
}  # what an encoder is where nothing is said


def layers(model: nn.Module) -> list[list[str]]:
    """What can be frozen, from the input to the head: of each layer the beginnings of its parameters' names."""
    if not isinstance(model, Encoder):
        return list(finetune.layers(model).values())
    blocks = [[f"encoder.layers.{i}."] for i in range(len(model.encoder.layers))]
    return [["embedding."], *blocks, ["norm."], ["head."]]


def _names(layers: list[list[str]]) -> list[str]:
    return [name for layer in layers for name in layer]


def chosen_layers(model: nn.Module, asked: str) -> list[str]:
    """The beginnings of names that --chosen gives, or the last block and what follows it. Errors: Refused for an unknown one."""
    there = layers(model)
    if not asked:
        return _names(there[-3 if isinstance(model, Encoder) else -2 :])
    names = [name for name, _ in model.named_parameters()]
    wanted = [part.strip() for part in asked.split(",") if part.strip()]
    for part in wanted:
        if not any(name.startswith(part) for name in names):
            raise Refused(
                f"--chosen {part}: no parameter's name begins so; there are {', '.join(layer[0] for layer in there)}."
            )
    return wanted


def freeze(model: nn.Module, trained: list[str]) -> int:
    """Let only parameters whose names begin with one of `trained` learn; how many numbers those are."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad = any(name.startswith(part) for part in trained)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def _part(whole: Folder, settings: Settings, name: str, **changed: Any) -> Settings:
    """The settings of one training inside the run, in a folder of its own; one that was begun is resumed."""
    whole.claim(f"{name}/")
    begun = (settings.out / name / MARKER).exists()
    return dataclasses.replace(
        settings, out=settings.out / name, resume=begun, overwrite=False, drop_checkpoint=False, **changed
    )


def run(arguments: argparse.Namespace) -> int:
    for name, usual in BUILT_HERE.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, None if arguments.model else usual)
        elif arguments.model:
            raise Refused(f"--{name} is for an encoder that is built here: leave it or --model away.")
    settings = settle(arguments)
    from_one(arguments, "width", "depth", "heads", "max_length", "news_epochs", "seeds", "reviews", "test_limit")
    if not arguments.model:
        _check_sizes(arguments)
    asked = [name.strip() for name in arguments.strategies.split(",") if name.strip()]
    if not asked:
        raise Refused(f"--strategies names none: there are {', '.join(STRATEGIES)}.")
    for name in asked:
        if name not in STRATEGIES:
            raise Refused(f"--strategies {name}: there are {', '.join(STRATEGIES)}.")
    if "chosen" not in asked and (alone := differing(arguments, add_arguments, "chosen", "gradual")):
        raise Refused(f"{alone[0]} is for the strategy `chosen`, which --strategies leaves out: name it there, too.")
    if arguments.reviews and settings.limit and arguments.reviews >= settings.limit:
        raise Refused(
            f"--reviews {arguments.reviews}: --limit {settings.limit} leaves no more; leave one of them away."
        )
    if arguments.max_length < 8:
        raise Refused(f"--max-length {arguments.max_length}: give at least 8.")
    news = text.ag_news(settings)
    films = text.imdb(settings).limited(arguments.reviews, arguments.test_limit, settings.seed)
    with distributed.group(settings.device) as (rank, world):
        if arguments.model:
            tokenizer = tokens.tokenizer_of(arguments.model)
            known = encoders.encoder(arguments.model, films.classes)
            longest = encoders.longest(known)
            if longest is not None and arguments.max_length > longest:
                raise Refused(f"--max-length {arguments.max_length}: {arguments.model} reads at most {longest} tokens.")
            encoders.check_tokenizer(arguments.model, known, tokenizer, films.train)
        else:
            known = Encoder(10, 2, 8, arguments.width, arguments.heads, arguments.depth, 0.0, 0)
        chosen_layers(known, arguments.chosen)  # an unknown name is refused before anything is trained
        whole = Folder(settings, rank, f"{news.fingerprint()}-{films.fingerprint()}")
        if not arguments.model:
            whole.claim("tokenizer.json")
            if rank == 0:
                own_tokenizer(news.train + films.train, arguments.vocabulary, settings.out)
            distributed.wait(settings.device)  # the others read what the first has written
            tokenizer = own_tokenizer([], arguments.vocabulary, settings.out)
        prepared = {
            name: tokens.tokenize(texts, tokenizer, arguments.max_length, show=name)
            for name, texts in (
                ("news", news.train),
                ("news to test", news.test),
                ("films", films.train),
                ("films to test", films.test),
            )
        }

        def network(classes: list[str], seed: int, random: bool = False) -> nn.Module:
            torch.manual_seed(seed)
            if arguments.model:
                return (encoders.untrained if random else encoders.encoder)(arguments.model, classes)
            sizes = (arguments.max_length, arguments.width, arguments.heads, arguments.depth, arguments.dropout)
            return Encoder(len(tokenizer), len(classes), *sizes, tokenizer.pad_token_id)

        rows: list[dict[str, Any]] = []
        for seed in range(settings.seed, settings.seed + arguments.seeds):
            first = _part(whole, settings, f"seed-{seed}/news", seed=seed, epochs=arguments.news_epochs)
            learned = network(news.classes, seed)
            topic = _train(first, learned, prepared["news"], prepared["news to test"], news, tokenizer, rank, world)
            for strategy in asked:
                part = _part(whole, settings, f"seed-{seed}/{strategy}", seed=seed)
                model = network(films.classes, seed, random=strategy == "scratch")
                by_layer = layers(model)
                if strategy != "scratch":
                    head = tuple(by_layer[-1])
                    kept = {k: v for k, v in learned.state_dict().items() if not k.startswith(head)}
                    model.load_state_dict(kept, strict=False)
                trained = {"last": by_layer[-1], "chosen": chosen_layers(model, arguments.chosen)}.get(
                    strategy, _names(by_layer)
                )
                gradual = _gradually(model, trained) if strategy == "chosen" and arguments.gradual else None
                numbers = freeze(model, trained)
                if rank == 0:
                    tqdm.write(f"seed {seed}, {strategy}: {numbers:,} parameters learn")
                facts = _train(
                    part, model, prepared["films"], prepared["films to test"], films, tokenizer, rank, world, gradual
                )
                rows.append({"strategy": strategy, "seed": seed, "topic_accuracy": topic.get("test_accuracy")} | facts)
        if rank == 0:
            _report(whole, settings, rows, films.source, news.source)
            for part_of in settings.out.glob("seed-*/*") if settings.drop_checkpoint else ():
                checkpoint.finish(part_of, drop=True)
    return 0


def _check_sizes(arguments: argparse.Namespace) -> None:
    if arguments.vocabulary < 100:
        raise Refused(f"--vocabulary {arguments.vocabulary}: give at least 100, for the letters come first.")
    if not 0 <= arguments.dropout < 1:
        raise Refused(f"--dropout {arguments.dropout}: give a number from 0 to below 1.")
    if arguments.width % arguments.heads or arguments.width % 2:
        raise Refused(f"--width {arguments.width}: give an even number that {arguments.heads} heads divide.")


def _gradually(model: nn.Module, trained: list[str]) -> Callable[[int], None]:
    """Before epoch n the last n + 1 of the trained layers are let learn."""

    def before_epoch(epoch: int) -> None:
        order = [
            layer for layer in layers(model) if any(name.startswith(t) or t.startswith(name) for t in trained for name in layer)
        ]  # fmt: skip
        now = _names(order[-(epoch + 1) :])
        for name, parameter in model.named_parameters():
            # what was chosen and is not yet unfrozen gets no gradient; the optimizer passes it over
            parameter.requires_grad = all(any(name.startswith(part) for part in parts) for parts in (trained, now))

    return before_epoch


def _train(
    settings: Settings, model: nn.Module, train: tokens.Tokens, other: tokens.Tokens, texts: text.Texts, tokenizer: Any, rank: int, world: int,
    before_epoch: Callable[[int], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Train or go on; results of a training that had ended are read again."""
    folder = Folder(settings, rank, texts.fingerprint())
    done = settings.out / "results.json"
    pad = tokenizer.pad_token_id
    optimizer = finetune.optimizer_of(model, settings.lr)

    def save() -> str:
        folder.fill("encoder", lambda path: encoders.save(model, tokenizer, path))
        return "encoder/model.safetensors"

    result, metrics = reviews.fit(
        settings, folder, model, optimizer, train, texts.train_labels, pad, one_cycle(0.1), rank, world,
        before_epoch=before_epoch or (lambda epoch: None),
    )  # fmt: skip
    if done.exists():
        before = read_json(
            done, "test_accuracy", "steps", advice=f"remove {done}; the same command with --resume writes it again"
        )
        if before["steps"] == result.steps:
            return before
    if rank > 0:
        return {}
    trained = sum(p.numel() for group in optimizer.param_groups for p in group["params"])
    own = reviews.predict(model, train, np.arange(len(train))[:2000], pad, settings)
    own_loss = nn.functional.cross_entropy(own, torch.tensor(texts.train_labels[: len(own)])).item()
    return reviews.test(
        settings,
        folder,
        metrics,
        result,
        model,
        other,
        texts,
        pad,
        world,
        None if isinstance(model, Encoder) else save,
        None,
        own_loss=own_loss,
        trained_parameters=trained,
    )


def _report(folder: Folder, settings: Settings, rows: list[dict[str, Any]], films: str, news: str) -> None:
    """The table, the claims of the source, and the picture."""
    names = list(dict.fromkeys(row["strategy"] for row in rows))
    columns = {
        "test_accuracy": "accuracy",
        "test_loss": "loss, others",
        "own_loss": "loss, own",
        "training_seconds": "seconds",
        "trained_parameters": "trained",
    }
    values = {n: {c: np.array([row[c] for row in rows if row["strategy"] == n], float) for c in columns} for n in names}
    lines = ["| strategy | accuracy, % | loss, others | loss, own | seconds | trained parameters |", "| --- " * 6 + "|"]
    for name in names:
        v = values[name]
        spread = f" ± {100 * v['test_accuracy'].std(ddof=1):.2f}" if len(v["test_accuracy"]) > 1 else ""
        lines.append(
            f"| {name} | {100 * v['test_accuracy'].mean():.2f}{spread} | {v['test_loss'].mean():.3f} | {v['own_loss'].mean():.3f} "
            f"| {v['training_seconds'].mean():.1f} | {v['trained_parameters'].mean():,.0f} |"
        )
    topic = 100 * np.mean([row["topic_accuracy"] for row in rows])
    lines += [
        "",
        f"Reviews: {films}. Pre-trained on: {news}, topics of held-out news {topic:.1f} % right. {len({r['seed'] for r in rows})} seed(s).",
    ]
    lines += ["", *(f"- {line}" for line in claims(values))]
    text_of = "\n".join(lines) + "\n"
    folder.write("transfer.md", text_of)
    folder.write("transfer.json", json.dumps(rows, indent=1) + "\n")
    fig, axes = draw.pyplot().subplots(1, 4, figsize=(12, 3.2))
    for ax, (column, title) in zip(axes, [c for c in columns.items() if c[0] != "own_loss"], strict=True):
        for place, name in enumerate(names):
            found = values[name][column]
            ax.bar(place, found.mean(), color=draw.BLUE, alpha=0.5)
            ax.plot([place] * len(found), found, "o", color="black", markersize=3)
        ax.set(title=title, xticks=range(len(names)), yscale="log" if column == "trained_parameters" else "linear")
        ax.set_xticklabels(names, rotation=30, ha="right")
        if column == "test_accuracy":
            ax.set_ylim(max(0, min(0.5, *(v[column].min() for v in values.values())) - 0.05), 1)
    fig.tight_layout()
    folder.figure("transfer.png", fig)
    print(text_of, end="")
    print(f"all of it: {settings.out}")


def interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean of a few repetitions, by Student's t; of one repetition it is everything.

    scipy.stats.t. W. S. Gosset, The Probable Error of a Mean, Biometrika 6, 1908.
    """
    from scipy.stats import t

    n = len(values)
    if n < 2:
        return -math.inf, math.inf
    half = float(t.ppf(0.975, n - 1)) * float(values.std(ddof=1)) / math.sqrt(n)
    return float(values.mean()) - half, float(values.mean()) + half


def verdict(*positive: np.ndarray) -> str:
    """Whether figures (one a seed) are above 0, all of them: beyond their spread over the seeds, or below it, or neither."""
    ends = [interval(values) for values in positive]
    if all(low > 0 for low, _ in ends):
        return "confirmed"
    return "refuted" if any(high < 0 for _, high in ends) else "open, for the seeds' spread is larger"


def claims(values: dict[str, dict[str, np.ndarray]]) -> list[str]:
    """The source's four claims, and whether the figures bear them out: seed by seed, beyond the spread over the seeds."""
    said = []

    def judge(text: str, holds: str, figures: str) -> None:
        said.append(f"{text}: {holds} here ({figures})")

    def share(difference: np.ndarray) -> str:
        low, high = interval(100 * difference)
        spread = "" if math.isinf(low) else f", 95 % interval {low:+.2f} to {high:+.2f}"
        return f"{100 * difference.mean():+.2f} points{spread}"

    accuracy = {name: columns["test_accuracy"] for name, columns in values.items()}
    seconds = {name: columns["training_seconds"] for name, columns in values.items()}
    if "scratch" in values and "full" in values:
        gap = {n: values[n]["test_loss"] - values[n]["own_loss"] for n in ("scratch", "full")}
        judge(
            "from scratch overfits more than pre-trained",
            verdict(gap["scratch"] - gap["full"]),
            f"loss on others minus own {gap['scratch'].mean():.3f} against {gap['full'].mean():.3f}",
        )
    if "full" in values and len(values) > 1:
        others = {name: accuracy["full"] - accuracy[name] for name in values if name != "full"}
        near = min(others, key=lambda name: float(others[name].mean()))
        judge(
            "full fine-tuning adapts best",
            verdict(*others.values()),
            f"full {100 * accuracy['full'].mean():.2f} %, against {near} {share(others[near])}",
        )
    if "last" in values and "full" in values:
        worse = accuracy["full"] - accuracy["last"]
        judge(
            "the last layer alone is cheap and a little worse",
            verdict(seconds["full"] - seconds["last"], worse, 0.05 - worse),
            f"{seconds['last'].mean():.0f} s against {seconds['full'].mean():.0f} s, full against last {share(worse)}",
        )
    if {"last", "chosen", "full"} <= set(values):
        above, below = accuracy["chosen"] - accuracy["last"], accuracy["full"] - accuracy["chosen"]
        judge(
            "chosen layers lie between",
            verdict(above, below),
            f"chosen against last {share(above)}; full against chosen {share(below)}",
        )
    return said
