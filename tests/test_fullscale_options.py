"""No option is passed over in silence beside another: each changes what is done, or is refused by name.

In the short run each option beside what a command needs, own data and other ways to run it, and the pairs of the
commands that train nothing; in the deep run all pairs.

The pairs come from argparse. What a training would do is seen where its loop begins: the model, the first batch and its
loss, what learns and how fast, what it is tested with. What the other commands do is seen in what they print and write.
"""

import argparse
import contextlib
import csv
import importlib
import io
import itertools
import json
import os
import re
import shutil
import zlib
from pathlib import Path

import fullscale_runs
import numpy as np
import pytest
import torch
from PIL import Image

from curriculum import corpus
from curriculum.fullscale import (
    export,
    gpu,
    images,
    local_server,
    loop,
    own,
    pictures,
    predict,
    resnet18,
    reviews,
    text,
    transfer,
)
from curriculum.fullscale import settings as settings_of
from curriculum.fullscale.__main__ import COMMANDS, main

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
TRAINED = ["mnist-cnn", "resnet18", "distilbert-imdb", "transfer"]

# What a command is given in every case: one after the other.
TRANSFER = "--max-length 16 --width 8 --heads 2 --depth 1 --seeds 1 --vocabulary 150 --strategies"
BASES = {
    "mnist-cnn": ["--width 2", "--width 2 --train PICTURES"], "resnet18": ["--width 2", "--width 2 --train PICTURES"],
    "distilbert-imdb": ["--model ENCODER --max-length 16", "--model ENCODER --max-length 16 --train train.csv"],
    "transfer": [f"{TRANSFER} full,last", f"{TRANSFER} full,chosen", "--model ENCODER --max-length 16 --seeds 1 --strategies full,chosen"], "predict": ["--run REVIEWS fine", "--run REVIEWS --check 3"],
    "recommend": ["--run REVIEWS films.csv", "--run REVIEWS --imdb"], "export": ["--run REVIEWS --samples 2"], "serve": ["--run REVIEWS"],
    "gpu": ["--stages facts", "--pack packed"],
}  # fmt: skip
# A value for each option that is not its default; of what reads a name, one that is there. Where commands part: COMMAND --option.
VALUES = {
    "--accumulate": "2", "--balanced-split": "", "--batch-size": "7", "--channels": "1", "--check": "2", "--checkpointing": "", "--chosen": "norm.,head.",
    "--class-weights": "", "--compile": "", "--data": "embedded", "export --data": "hub", "predict --data": "hub", "--data-dir": "DATA", "--dataset": "cifar10", "--depth": "2", "--dropout": "0.4",
    "--epochs": "4", "--evaluate-every": "2", "--file": "more.csv", "--freeze": "0", "--freeze-embeddings": "", "--gradual": "1",
    "transfer --gradual": "", "--heads": "4", "--html": "page.html", "--imdb": "", "--json": "", "--keep": "head", "--label-column": "kind", "--layer-decay": "0.5",
    "--least": "4", "--test-limit": "5", "--limit": "15", "recommend --limit": "12", "--lora": "2", "--lr": "0.07", "--max-length": "12", "--mib": "3", "--minutes": "1", "--news-epochs": "2", "--no-augment": "",
    "--no-norm": "", "--no-skips": "", "--out": "OUT/b", "predict --out": "out.csv", "recommend --out": "ranking.csv", "gpu --out": "OUT/b", "--pack": "other", "--patience": "2",
    "--precision": "fp64", "--rehearse": "", "--reviews": "14", "--samples": "3", "--save-every": "3", "--seed": "5", "--seeds": "2", "--size": "9", "gpu --stages": "agree",
    "--strategies": "last,chosen", "--test-share": "0.5", "--text-column": "body", "--top": "1", "--vocabulary": "120", "--width": "4", "--words": "",
    "mnist-cnn --train": "PICTURES", "resnet18 --train": "PICTURES", "distilbert-imdb --train": "train.csv", "mnist-cnn --test": "PICTURES", "resnet18 --test": "PICTURES",
    "distilbert-imdb --test": "train.csv", "predict TEXT": "fine", "recommend FILE": "films.csv",
}  # fmt: skip
# What cannot be seen so, each for a reason.
UNSEEN = {
    "--resume": "needs a folder that holds a run; tests of resuming", "--overwrite": "allows, and says nothing of what is done",
    "--drop-checkpoint": "removes a file at the end; its test", "--device": "there is one here", "--find-batch": "looks at a GPU",
    "--run": "without it there is nothing to do", "--model": "a name of another encoder", "--again": "what was measured before is measured anew; its test", "--port": "where it listens; its test",
    "--checkpointing": "costs time and saves memory, and changes no number; its test", "--help": "",
}  # fmt: skip
# They ask for what may be there anyway, as their help says.
NOTHING_LEFT = {("predict", "--words")}


def options_of(command: str) -> dict[str, argparse.Action]:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"curriculum.fullscale.{command.replace('-', '_')}").add_arguments(parser)
    return {(a.option_strings or [(a.metavar or a.dest).upper()])[0]: a for a in parser._actions}


def value_of(command: str, option: str) -> list[str]:
    given = VALUES.get(f"{command} {option}", VALUES.get(option))
    assert given is not None, f"give {command}'s {option} a value in VALUES, or a reason in UNSEEN"
    return [*([option] if option.startswith("-") else []), *given.split()]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    from transformers import DistilBertConfig, DistilBertModel

    root = tmp_path_factory.mktemp("options")
    encoder, data = root / "encoder", root / "data"
    encoder.mkdir()
    data.mkdir()
    texts, labels = corpus.reviews(60, 0)
    tokenizer = transfer.own_tokenizer(texts, 200, encoder)
    shape = {"dim": 8, "hidden_dim": 8, "n_layers": 2, "n_heads": 2, "max_position_embeddings": 32}
    DistilBertModel(DistilBertConfig(vocab_size=len(tokenizer), pad_token_id=0, **shape)).save_pretrained(encoder)
    tokenizer.save_pretrained(encoder)
    with (root / "train.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [
            (text, f"{text} so", int(k % 3 == 0), 1 - label)
            for k, (text, label) in enumerate(zip(texts, labels, strict=True))
        ]
        csv.writer(file).writerows([("text", "body", "label", "kind"), *rows[:45]])
    rng = np.random.default_rng(0)
    for kind in "ab":
        (root / "pictures" / kind).mkdir(parents=True)
        for k in range(10 if kind == "a" else 14):
            values = rng.integers(0, 256, (30, 30, 3), dtype=np.uint8)
            Image.fromarray(values).save(root / "pictures" / kind / f"{k}.png")
    (root / "films.csv").write_text(
        "film,text\n" + "".join(f"{'abbcccdddd'[k % 10]},fine {k}\n" for k in range(15)), encoding="utf-8"
    )
    (root / "more.csv").write_text("text\ndull\n", encoding="utf-8")
    run = fullscale_runs.reviews(root / "run")
    return {"ROOT": root, "ENCODER": encoder, "DATA": data, "PICTURES": root / "pictures", "REVIEWS": run}  # type: ignore[dict-item]


def seen_of_a_training(job: loop.Job, settings) -> dict:
    """What the loop is given, and what it begins with."""
    order = job.order(0)[0] if job.order else np.arange(min(job.samples, settings.batch_size))
    torch.manual_seed(1)
    job.model.to(settings.dtype)
    job.before_epoch(0)
    learns = [p.requires_grad for p in job.model.parameters()]
    made = job.batch(order, slice(0, len(order)), torch.Generator().manual_seed(2))
    with torch.no_grad():
        loss = float(job.loss(job.model.train(), made))
        judged = job.evaluate(job.model)
    job.before_epoch(1)
    groups = [(group["lr"], group["weight_decay"], sum(p.numel() for p in group["params"])) for group in job.optimizer.param_groups]  # fmt: skip
    own = {
        k: v
        for k, v in settings.plain().items()
        if k not in ("options", "data", "data_dir", "limit", "overwrite", "resume")
    }
    first = [float(value.double().sum()) for value in made[:2]]
    return own | {
        "samples": job.samples, "batch": first, "order": order.tolist()[:9], "loss": loss, "judged": judged, "groups": groups, "learns": learns,
        "then": [p.requires_grad for p in job.model.parameters()], "ends": [job.patience, job.evaluate_every, job.clip],
    }  # fmt: skip


@pytest.fixture
def spied(monkeypatch: pytest.MonkeyPatch, places, tmp_path: Path):
    """A command with these options -> what it does: a list of what is seen, or the line in which it is refused."""
    seen: list = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(places["ROOT"] / "cache"))
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)

    def train(job, settings, folder, rank=0, world=1):
        seen.append(seen_of_a_training(job, settings))
        return loop.Result(), None

    def results(folder, metrics, model, truth, guess, classes, facts, weights_at=None):
        seen.append([truth.tolist(), classes])

    def test(settings, folder, metrics, result, model, other, texts, pad, world, save, validation, **facts):
        seen.append([hash((*texts.test, *texts.test_labels)), texts.classes, len(other), facts.get("max_length")])
        return {"test_accuracy": 0.5}

    class Line(Exception):
        pass

    def asked(*what, **more):
        seen.append([repr(each) for each in what if not isinstance(each, gpu.Record)])
        raise Line

    def where(given) -> str:
        return f"{given.data} {os.environ.get('MINIGRAD_DATA')}"

    def some_pictures(name: str, given) -> images.Images:
        rng = np.random.default_rng(len(where(given)) + len(name))
        values, labels = torch.from_numpy(rng.integers(0, 256, (90, 1, 12, 12), np.uint8)), torch.arange(90) % 5 // 2
        made = images.Images(values[:60], labels[:60], values[60:], labels[60:], list("abc"), "none")
        return made.limited(given.limit, given.seed)

    def some_texts(given) -> text.Texts:
        (one, _), (two, other) = corpus.reviews(50, len(where(given))), corpus.reviews(25, 1)
        labels = [int(k % 3 == 0) for k in range(50)]  # for --class-weights to matter
        films = tuple(f"{where(given)}{'abbcccdddd'[k % 10]}" for k in range(25))
        made = text.Texts(
            one, labels, [f"{each} {where(given)}" for each in two], other, ["negative", "positive"], "none", films
        )
        return made.limited(given.limit, seed=given.seed)

    for module in (own, images):
        monkeypatch.setattr(module, "load", some_pictures)
    for module in (own, text):
        monkeypatch.setattr(module, "imdb", some_texts)
    monkeypatch.setattr(text, "ag_news", some_texts)
    for module in (pictures, reviews):
        monkeypatch.setattr(module, "train", train)
    monkeypatch.setattr(pictures, "write_results", results)
    monkeypatch.setattr(pictures.calibration, "judge", lambda *a: ({"temperature": 1.0}, None))
    monkeypatch.setattr(pictures.mistakes, "write", lambda *a: None)
    monkeypatch.setattr(pictures.Folder, "figure", lambda *a: None)
    monkeypatch.setattr(resnet18, "gradient_by_depth", lambda *a: {})
    monkeypatch.setattr(reviews, "test", test)
    monkeypatch.setattr(transfer, "_report", lambda *a: None)
    monkeypatch.setattr(export, "write_programs", lambda model, names, given, folder, facts: asked(given["input_ids"]))
    monkeypatch.setattr(predict.words, "measure", lambda run, texts: {"texts": 1, "top_sign": zlib.crc32(repr(texts).encode()), "rank_correlation": 0, "seconds": 0, "predictions_per_ten_words": 0})  # fmt: skip
    monkeypatch.setattr(
        gpu, "_all", lambda record, context, names, arguments: asked(record.folder, context, names, arguments.minutes)
    )
    monkeypatch.setattr(gpu.pack, "run", asked)
    monkeypatch.setattr(local_server, "Server", asked)
    count = itertools.count()

    def do(command: str, base: str, *options: str) -> tuple[str, str]:
        place = tmp_path / str(next(count))
        place.mkdir()
        for name in ("films.csv", "more.csv", "train.csv"):
            (place / name).write_bytes((places["ROOT"] / name).read_bytes())
        known = {str(k): str(v) for k, v in places.items()} | {"OUT": "out"}
        given = [
            command,
            *base.split(),
            *itertools.chain.from_iterable(value_of(command, each) for each in options),
        ]
        if command in TRAINED:
            given += ["--out", "out"] if "--out" not in options else []
        if command == "gpu":
            monkeypatch.setattr(settings_of, "choose_device", lambda wanted: "cuda:0")
        given = [re.sub("|".join(known), lambda found: known[found[0]], each) for each in given]
        seen.clear()
        said, wrong = io.StringIO(), io.StringIO()
        monkeypatch.chdir(place)
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(wrong):
            try:
                code = main(given)
            except Line:
                code = 0
        os.environ.pop("MINIGRAD_DATA", None)
        shutil.rmtree(places["REVIEWS"] / "export", ignore_errors=True)
        (places["REVIEWS"] / "words.json").unlink(missing_ok=True)
        if code == 2:
            return "refused", wrong.getvalue()
        assert code == 0, wrong.getvalue()
        kept = ("films.csv", "more.csv", "train.csv")
        written = {} if command in TRAINED else {str(path.relative_to(place)): path.read_bytes().hex() for path in sorted(place.rglob("*")) if path.is_file() and path.name not in kept}  # fmt: skip
        shown = "" if command in TRAINED else re.sub(r"\d+\.\d+ s\b", "", said.getvalue() + wrong.getvalue())
        return "done", json.dumps([seen, written, shown], default=str)

    return do


def test_every_option_has_a_value_or_a_reason() -> None:
    assert BASES.keys() == COMMANDS.keys()
    for command in COMMANDS:
        for option in options_of(command):
            if option not in ("-h", *UNSEEN):
                value_of(command, option)


@pytest.mark.parametrize(("command", "base"), [(command, base) for command, bases in BASES.items() for base in bases])
def test_no_option_is_passed_over_beside_another(command: str, base: str, spied) -> None:
    given = {each: options_of(command).get(each) for each in base.split()}
    names = [
        each
        for each in options_of(command)
        if each not in ("-h", "--imdb", "TEXT", "FILE", *UNSEEN) and (each not in given or VALUES.get(each))
    ]
    plain = spied(command, base)
    assert plain[0] == "done", plain
    alone = {name: spied(command, base, name) for name in names}
    faults = [
        f"{name} is passed over" for name in names if alone[name] == plain and (command, name) not in NOTHING_LEFT
    ]
    faults += [f"{name}: {what}" for name, (kind, what) in alone.items() if kind == "refused" and name not in what]
    names = [name for name in names if alone[name][0] == "done" or name in ("--test", "--train")]
    pairs = itertools.combinations(names, 2) if DEEP or command not in TRAINED else ()
    for one, two in pairs:
        kind, what = spied(command, base, one, two)
        if kind == "refused":
            if alone[one][0] == alone[two][0] == "done" and not (one in what and two in what):
                faults.append(f"{one} {two}: refused without both names: {what}")
            continue
        for kept, other in ((one, two), (two, one)):
            if alone[kept] == (kind, what) and (command, other) not in NOTHING_LEFT:
                faults.append(f"{other} is passed over beside {kept}")
    assert not faults, "\n".join(faults)


def test_what_leaves_another_nothing_to_do_is_refused(
    spied, places, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    given = ["distilbert-imdb", "--data", "embedded", "--model", str(places["ENCODER"]), "--max-length", "16", "--out", str(tmp_path / "run")]  # fmt: skip
    for more, line in (
        (["--freeze", "all", "--gradual", "1"], "--gradual is for layers below it"),
        (["--freeze", "embeddings,0-1", "--layer-decay", "0.9"], "--layer-decay is for layers below it"),
    ):
        assert main([*given, *more]) == 2
        assert line in capsys.readouterr().err
