"""`transfer --model`: the four strategies on an encoder that others have trained, and what its folders are good for afterwards."""

import json
from pathlib import Path

import fullscale_runs
import pytest
import torch

from curriculum.fullscale import encoders, runs, transfer
from curriculum.fullscale.__main__ import main

GIVEN = ["transfer", "--data", "embedded", "--limit", "60", "--test-limit", "20", "--max-length", "16", "--epochs", "2", "--news-epochs", "1"]  # fmt: skip
GIVEN += ["--batch-size", "16", "--seeds", "1", "--lr", "1e-3"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fullscale_runs.reviews(tmp_path_factory.mktemp("made") / "run") / "encoder"


@pytest.fixture(scope="module")
def ended(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("transfer") / "run"
    assert main([*GIVEN, "--model", str(encoder), "--out", str(out)]) == 0
    return out


def moved(one: torch.nn.Module, other: torch.nn.Module) -> set[str]:
    """The layers in which two encoders differ."""
    found = set()
    for (name, a), b in zip(one.named_parameters(), other.parameters(), strict=True):
        if a.shape != b.shape or not torch.equal(a, b):
            found.add("head" if encoders.is_head(one, name) else name.split(".")[-3] if "embed" in name else name)
    return {name.partition("layer.")[2].partition(".")[0] or name for name in found}


def test_each_strategy_trains_what_it_says(ended: Path) -> None:
    news, *models = (runs.load(ended / "seed-0" / name).model for name in ("news", "scratch", "full", "last", "chosen"))
    scratch, full, last, chosen = (moved(news, model) for model in models)
    assert last == {"head"}
    assert chosen == {"head", "1"}, "the last block of two, and the head"
    assert {"0", "1", "head"} < full
    assert full <= scratch
    rows = {row["strategy"]: row for row in json.loads((ended / "transfer.json").read_text())}
    numbers = [rows[name]["trained_parameters"] for name in ("last", "chosen", "full", "scratch")]
    assert numbers[0] < numbers[1] < numbers[2] == numbers[3]


def test_from_scratch_is_from_random_numbers_of_the_same_shape(encoder: Path) -> None:
    torch.manual_seed(0)
    trained, random = (make(encoder, ["a", "b"]) for make in (encoders.encoder, encoders.untrained))
    assert [p.shape for p in trained.parameters()] == [p.shape for p in random.parameters()]
    bodies = [
        torch.cat([p.detach().flatten() for name, p in model.named_parameters() if p.ndim > 1 and not encoders.is_head(model, name)])
        for model in (trained, random)
    ]  # fmt: skip
    assert abs(float(torch.corrcoef(torch.stack(bodies))[0, 1])) < 0.1
    assert random.config.id2label == {0: "a", 1: "b"}


def test_what_it_trained_can_be_used(ended: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each part is a run of its own, news' topics included; the encoder's own tokenizer belongs to it."""
    for name, classes in (("full", ["negative", "positive"]), ("news", runs.NEWS)):
        capsys.readouterr()
        assert main(["predict", "--run", str(ended / "seed-0" / name), "--json", "a fine film"]) == 0
        row = json.loads(capsys.readouterr().out)
        assert [name for name in row if name.startswith("p_")] == [f"p_{each}" for each in classes]
    assert not (ended / "tokenizer.json").exists()


def test_it_goes_on_where_it_was(encoder: Path, ended: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train, count = transfer._train, iter(range(9))

    def stops(*given, **named):
        if next(count) == 3:
            raise KeyboardInterrupt
        return train(*given, **named)

    monkeypatch.setattr(transfer, "_train", stops)
    given = [*GIVEN, "--model", str(encoder), "--out", str(tmp_path / "run")]
    assert main(given) != 0
    monkeypatch.undo()
    assert main([*given, "--resume"]) == 0
    for name in ("scratch", "last", "chosen"):
        weights = f"seed-0/{name}/encoder/model.safetensors"
        assert (tmp_path / "run" / weights).read_bytes() == (ended / weights).read_bytes()


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["--width", "64"], "--width is for an encoder that is built here"),
        (["--depth", "2"], "--depth is for an encoder that is built here"),  # the usual number, said
        (["--max-length", "400"], "reads at most 40 tokens"),
        (["--chosen", "encoder.layers.0."], "no parameter's name begins so; there are distilbert.embeddings"),
    ],
)
def test_what_cannot_go_together_is_refused(more: list[str], line: str, encoder: Path, tmp_path: Path, capsys) -> None:
    assert main([*GIVEN, "--model", str(encoder), "--out", str(tmp_path / "run"), *more]) == 2
    assert line in capsys.readouterr().err
    assert not (tmp_path / "run").exists(), "refused before anything was written"


def test_weights_that_are_not_there_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*GIVEN, "--model", str(tmp_path), "--out", str(tmp_path / "run")]) == 2
    assert "--model" in capsys.readouterr().err
