"""Full scale, texts: reading, tokens, and every command on the CPU with tiny settings."""

import csv
import io
import json
import os
import random
import re
import shutil
import subprocess
import tarfile
import threading
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the hub's library is imported: no test waits for a network

from benchmarks import throughput
from curriculum import corpus
from curriculum.fullscale import hub, recommend, runs, serve, text, tokens, transfer
from curriculum.fullscale.__main__ import main
from curriculum.fullscale.errors import Refused
from curriculum.fullscale.owned import MARKER

AUTO = SimpleNamespace(data="auto", limit=None, seed=0)


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DistilBERT of two narrow layers with random weights, and a tokenizer, as transformers saves them."""
    from transformers import DistilBertConfig, DistilBertModel

    folder = tmp_path_factory.mktemp("encoder")
    tokenizer = transfer.own_tokenizer(corpus.reviews(200, 0)[0], 300, folder)
    torch.manual_seed(0)
    config = DistilBertConfig(
        vocab_size=len(tokenizer),
        dim=32,
        hidden_dim=64,
        n_layers=2,
        n_heads=2,
        max_position_embeddings=64,
        pad_token_id=0,
    )
    DistilBertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_the_same_texts_make_the_same_tokenizer(tmp_path: Path) -> None:
    """The library's trainer numbers pieces in an order that it draws anew: a seed would not repeat a training of transfer."""
    made = []
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        tokenizer = transfer.own_tokenizer(
            ["Caf\u00e9 \u6620\u753b x-ray 9", *corpus.reviews(60, 0)[0]], 200, tmp_path / name
        )
        made.append((tmp_path / name / "tokenizer.json").read_bytes())
    assert made[0] == made[1] == made[2]
    pieces = tokenizer.tokenize("Wonderful, cafe9 ##a \u753b")  # letters inside words are never special ones
    assert "".join(piece.removeprefix("##") for piece in pieces) == "wonderful[UNK]cafe9[UNK][UNK]a\u753b"
    assert tokenizer.all_special_ids == [1, 3, 0, 2]


def archive(path: Path, members: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as file:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))


@pytest.fixture(scope="session")
def trained(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished distilbert-imdb run on easy reviews, in the published layout: no word of doubt in them."""
    folder, rng = tmp_path_factory.mktemp("easy"), random.Random(0)
    members = {}
    for part, number in (("train", 400), ("test", 60)):
        for i in range(number):
            words = corpus.GOOD if i % 2 else corpus.BAD
            review = " ".join(f"the {rng.choice(corpus.PARTS)} is {rng.choice(words)} ." for _ in range(3))
            members[f"aclImdb/{part}/{'pos' if i % 2 else 'neg'}/{i}_{9 if i % 2 else 2}.txt"] = review.encode()
    archive(folder / "imdb" / "aclImdb_v1.tar.gz", members)
    out = folder / "run"
    arguments = [
        "--data-dir",
        str(folder),
        "--epochs",
        "4",
        "--lr",
        "3e-3",
        "--max-length",
        "40",
        "--batch-size",
        "16",
        "--out",
        str(out),
    ]
    before = os.environ.get("MINIGRAD_DATA")
    try:
        assert main(["distilbert-imdb", "--model", str(encoder), *arguments]) == 0
    finally:
        os.environ.pop("MINIGRAD_DATA", None)
        if before is not None:
            os.environ["MINIGRAD_DATA"] = before
    return out


def test_imdb_is_read_with_its_films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path))
    path = tmp_path / "imdb" / "aclImdb_v1.tar.gz"
    archive(path, {
        "aclImdb/train/pos/0_9.txt": b"grand<br /><br />film", "aclImdb/train/neg/5_2.txt": b"poor", "aclImdb/train/pos/1_9.txt": b"  ",
        "aclImdb/test/pos/1_8.txt": b"fine \xff", "aclImdb/test/neg/2_1.txt": b"bad",
        "aclImdb/test/urls_pos.txt": b"http://x/title/tt0000001/usercomments\nhttp://x/title/tt0000002/usercomments\n",
        "../escaped/train/pos/0_9.txt": b"outside", "aclImdb/train/unsup/0_0.txt": b"unlabelled",
    })  # fmt: skip
    found = text.imdb(AUTO)  # type: ignore[arg-type]
    assert sorted(zip(found.train, found.train_labels, strict=True)) == [("grand film", 1), ("poor", 0)]
    assert dict(zip(found.test, found.test_films, strict=True)) == {"fine \ufffd": "tt0000002", "bad": "unknown"}
    assert not (tmp_path / "escaped").exists()
    path.write_bytes(path.read_bytes()[:150])
    with pytest.raises(Refused, match="damaged or only half downloaded"):
        text.imdb(AUTO)  # type: ignore[arg-type]
    archive(path, {"letters.txt": b"dear"})
    with pytest.raises(Refused, match="not the Large Movie Review Dataset"):
        text.imdb(AUTO)  # type: ignore[arg-type]


def test_news_with_a_wrong_row_say_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path))
    (tmp_path / "ag_news_csv").mkdir()
    path = tmp_path / "ag_news_csv" / "test.csv"
    path.write_text("".join(f'"{i % 4 + 1}","title {i}","text"\n' for i in range(20)))
    found = text.ag_news(AUTO)  # type: ignore[arg-type]
    assert (len(found.train), len(found.test)) == (16, 4)
    assert not set(found.train) & set(found.test)
    path.write_text('"1","title","text"\n"9","title","text"\n')
    with pytest.raises(Refused, match="row 2: wanted are class"):
        text.ag_news(AUTO)  # type: ignore[arg-type]


def test_without_data_the_three_ways_are_named() -> None:
    with pytest.raises(Refused, match="three ways to provide it: --data-dir"):
        text.imdb(SimpleNamespace(data="folder", limit=None, seed=0))  # type: ignore[arg-type]


def test_a_hub_that_cannot_be_reached_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    def refuse(*given: object, **named: object) -> None:
        raise OSError("no network")

    monkeypatch.setenv("HF_HUB_OFFLINE", "")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("socket.create_connection", refuse)
    monkeypatch.setattr("urllib.request.getproxies", dict)
    hub.look.__wrapped__()
    assert constants.HF_HUB_OFFLINE is True
    assert os.environ["HF_HUB_OFFLINE"] == "1"


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.csv", b"film,review\nx,y\n", "has no column `text`: its first row names film, review"),
        ("a.csv", b"text\n\n", "a header and no row below it"),
        ("a.txt", b"\n  \n", "holds no review"),
        ("a.txt", "caf\xe9".encode("latin-1"), "save it as UTF-8"),
    ],
)
def test_a_file_of_reviews_that_is_wrong_says_why(tmp_path: Path, name: str, content: bytes, line: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Refused, match=re.escape(line)):
        text.read_reviews(tmp_path / name)


def test_tokens_are_cut_kept_and_padded(encoder: Path, tmp_path: Path) -> None:
    tokenizer = tokens.tokenizer_of(str(encoder))
    texts = ["the story is wonderful .", "the old harbour . the acting is dull . the script is not clever ."]
    whole = tokenizer(texts)["input_ids"]
    made = tokens.tokenize(texts, tokenizer, 8, "both")
    assert made.lengths.tolist() == [len(whole[0]), 8]
    assert made.ids[made.starts[1] :].tolist() == whole[1][:4] + whole[1][-4:]
    assert tokens.tokenize(texts, tokenizer, 8, "head").ids[made.starts[1] :].tolist() == whole[1][:7] + whole[1][-1:]
    assert len(list((tmp_path / "cache" / "minigrad").glob("tokens-*.npz"))) == 2
    again = tokens.tokenize(texts, tokenizer, 8, "both")
    np.testing.assert_array_equal(again.ids, made.ids)
    ids, mask = made.padded(np.array([0, 1]), tokenizer.pad_token_id)
    assert ids.shape == mask.shape == (2, 8)
    assert mask.sum(1).tolist() == made.lengths.tolist()
    assert (ids[0, made.lengths[0] :] == tokenizer.pad_token_id).all()


def test_batches_hold_texts_of_like_length() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, 200, 999)
    made = tokens.Tokens(np.zeros(lengths.sum(), np.int32), np.concatenate([[0], np.cumsum(lengths)]))
    order = tokens.by_length(made, np.arange(999), 16, 0)
    batches = order(0)
    assert sorted(np.concatenate(batches).tolist()) == list(range(999))
    padded = sum(lengths[batch].max() * len(batch) for batch in batches)
    assert padded < 1.1 * lengths.sum()
    assert [b.tolist() for b in order(0)] == [b.tolist() for b in batches]
    assert [b.tolist() for b in order(1)] != [b.tolist() for b in batches]


def test_fine_tuning_leaves_everything(trained: Path) -> None:
    results = json.loads((trained / "results.json").read_text(encoding="utf-8"))
    assert results["test_accuracy"] > 0.95
    assert "400 and 60 reviews" in results["data"]
    assert results["tokens_per_second"] > 0
    names = {path.name for path in trained.iterdir()}
    assert names >= {
        "curves.png",
        "confusion.png",
        "report.txt",
        "README.md",
        "encoder",
        "metrics.jsonl",
    }
    assert "macro avg" in (trained / "report.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["distilbert-imdb", "--model", "absent/model", "--data", "embedded"], "No tokenizer for --model absent/model"),
        (
            ["distilbert-imdb", "--model", "/absent/model", "--data", "embedded"],
            "--model /absent/model: there is no such folder",
        ),
        (
            ["distilbert-imdb", "--model", "ENCODER", "--data", "embedded", "--max-length", "65"],
            "reads at most 64 tokens",
        ),
        (["distilbert-imdb", "--model", "ENCODER", "--data", "embedded", "--max-length", "2"], "at least 8"),
        (["transfer", "--data", "embedded", "--strategies", "best"], "there are scratch, full, last, chosen"),
        (["transfer", "--data", "embedded", "--chosen", "encoder.layers.7."], "no parameter's name begins so"),
        (["transfer", "--data", "embedded", "--width", "30"], "4 heads divide"),
        (["transfer", "--data", "embedded", "--heads", "0"], "--heads 0: give a whole number from 1 on"),
        (["transfer", "--data", "embedded", "--seeds", "0"], "--seeds 0"),
        (["transfer", "--data", "embedded", "--strategies", ","], "--strategies names none"),
        (["transfer", "--data", "embedded", "--vocabulary", "5"], "give at least 100"),
        (["transfer", "--data", "embedded", "--dropout", "1"], "from 0 to below 1"),
        (["distilbert-imdb", "--model", "ENCODER", "--data", "embedded", "--test-limit", "0"], "--test-limit 0"),
        (["recommend", "--run", "TRAINED", "--imdb", "--limit", "0"], "--limit 0"),
        (["export", "--run", "TRAINED", "--samples", "0"], "--samples 0"),
        (["predict", "--run", "absent", "fine"], "no finished run is there"),
        (["predict", "--run", "TRAINED"], "Give a TEXT"),
        (["predict", "--run", "TRAINED", " "], "A text is empty"),
        (["recommend", "--run", "TRAINED"], "or --imdb"),
        (["recommend", "--run", "TRAINED", "absent.csv"], "There is no file absent.csv"),
        (["serve", "--run", "absent"], "no finished run is there"),
        (["export", "--run", "absent"], "no finished run is there"),
    ],
)
def test_bad_input_gets_one_line(
    arguments: list[str],
    line: str,
    encoder: Path,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    places = {"ENCODER": str(encoder), "TRAINED": str(trained)}
    assert main([places.get(a, a) for a in arguments]) == 2
    said = capsys.readouterr().err
    assert line in said
    assert len(said.strip().splitlines()) == 1


def test_predict_names_the_words_that_mattered(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "page.html"
    assert (
        main(
            [
                "predict",
                "--run",
                str(trained),
                "the story is wonderful . the acting is wonderful .",
                "--html",
                str(path),
            ]
        )
        == 0
    )
    assert "positive" in capsys.readouterr().out
    content = path.read_text(encoding="utf-8")
    assert "wonderful" in content
    assert "<script" not in content


def test_texts_of_users_are_not_kept(trained: Path, tmp_path: Path) -> None:
    runs.probabilities(runs.load(trained), ["the story is wonderful ."])
    assert not (tmp_path / "cache").exists()


def test_some_of_the_reviews_are_some_of_both_kinds(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The archive holds all unfavourable reviews before the favourable ones; --limit must not take the first."""
    out = tmp_path / "ranking.csv"
    archive_folder = str(trained.parent)
    arguments = ["recommend", "--imdb", "--run", str(trained), "--limit", "20", "--out", str(out)]
    assert main([*arguments, "--data-dir", archive_folder]) == 0
    assert "of 20 reviews read as their stars say" in capsys.readouterr().out
    with out.open(encoding="utf-8", newline="") as file:
        shares = [float(row["share"]) for row in csv.DictReader(file)]
    assert 0.2 < np.mean(shares) < 0.8


def test_films_are_ranked_by_what_is_known(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "reviews.csv", tmp_path / "ranking.csv"
    good, bad = "the story is wonderful . the acting is brilliant .", "the story is awful . the acting is dull ."
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows(
            [("film", "text"), *[("much loved", good)] * 8, ("loved once", good), *[("hated", bad)] * 5, ("empty", " ")]
        )
    assert main(["recommend", str(path), "--run", str(trained), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "1 empty reviews" in said
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["film"] for row in rows] == ["much loved", "loved once", "hated"]
    assert out.with_suffix(".png").exists()
    assert main(["recommend", str(path), "--run", str(trained), "--out", str(out)]) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_wilson_s_interval_respects_how_few_there_are() -> None:
    assert recommend.wilson(3, 3)[0] < recommend.wilson(90, 100)[0]
    low, high = recommend.wilson(
        8, 10
    )  # 0.4901625 to 0.9433178, as statsmodels' proportion_confint(8, 10, method="wilson") gives
    assert (low, high) == (pytest.approx(0.49016, abs=1e-4), pytest.approx(0.94332, abs=1e-4))
    assert recommend.wilson(0, 5)[0] == 0


def test_gradual_unfreezing_lets_no_layer_learn_that_was_not_chosen() -> None:
    model = transfer.Encoder(50, 2, 16, width=8, heads=2, depth=2, dropout=0.0, pad=0)
    chosen = transfer.chosen_layers(model, "encoder.layers.1.linear1., head.")
    transfer.freeze(model, chosen)
    thaw = transfer._gradually(model, chosen)

    def learns() -> set[str]:
        return {name for name, p in model.named_parameters() if p.requires_grad}

    head = {"head.weight", "head.bias"}
    thaw(0)
    assert learns() == head
    thaw(1)
    assert learns() == head | {"encoder.layers.1.linear1.weight", "encoder.layers.1.linear1.bias"}


def unlisted(folder: Path) -> list[Path]:
    """Files in a folder of ours that its list, and those of its parts, do not name: --overwrite would leave them."""
    names = json.loads((folder / MARKER).read_text(encoding="utf-8"))["files"]
    parts = [folder / name for name in names if name.endswith("/")]
    known = {path for name in names for path in folder.glob(name)} | {folder / MARKER}
    own = [p for p in folder.rglob("*") if p.is_file() and not any(p.is_relative_to(part) for part in parts)]
    return [p for p in own if p not in known] + [p for part in parts for p in unlisted(part)]


def test_four_strategies_give_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    arguments = [
        "transfer", "--data", "embedded", "--limit", "128", "--test-limit", "64", "--epochs", "2", "--news-epochs", "1", "--seeds", "2",
        "--width", "16", "--heads", "2", "--depth", "2", "--max-length", "32", "--vocabulary", "300", "--gradual", "--out", str(out),
    ]  # fmt: skip
    assert main(arguments) == 0
    said = capsys.readouterr().out
    rows = json.loads((out / "transfer.json").read_text(encoding="utf-8"))
    assert [(row["strategy"], row["seed"]) for row in rows] == [(s, n) for n in (0, 1) for s in transfer.STRATEGIES]
    trained_numbers = {row["strategy"]: row["trained_parameters"] for row in rows}
    assert trained_numbers["last"] == 16 * 2 + 2
    assert trained_numbers["last"] < trained_numbers["chosen"] < trained_numbers["full"] == trained_numbers["scratch"]
    assert (out / "transfer.png").exists()
    assert len(re.findall("(?:confirmed|refuted|open, for the seeds' spread is larger) here", said)) == 4
    assert unlisted(out) == []

    shutil.rmtree(out / "seed-1" / "chosen")  # as if it had been interrupted there
    (out / "transfer.json").unlink()
    assert main([*arguments, "--resume"]) == 0
    again = json.loads((out / "transfer.json").read_text(encoding="utf-8"))
    assert [row["test_loss"] for row in again] == [row["test_loss"] for row in rows]


@pytest.mark.parametrize("way", ["ours", "trainer"])
def test_throughput_counts_real_tokens(way: str, encoder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if way == "trainer":
        pytest.importorskip("accelerate", reason="transformers.Trainer needs accelerate (pip install accelerate)")
    given = ["--model", str(encoder), "--max-length", "40", "--steps", "6", "--batch-size", "8", "--data", "embedded"]
    options = throughput.arguments([*given, "--device", "cpu", "--ways", way])
    found = throughput.measure(way, options)
    assert found["steps"] == 4
    assert found["tokens_per_second"] > 0
    assert 0 <= found["padding"] < 0.5
    assert 0 < found["share"] < 1
    assert "real tokens a second" in throughput.markdown({way: found})


@pytest.fixture
def site(trained: Path):
    listening = serve.server(runs.load(trained), 0)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield listening.address.rstrip("/")
    listening.shutdown()
    thread.join(10)


def post(site: str, body: bytes) -> tuple[int, dict]:
    try:
        with urllib.request.urlopen(
            urllib.request.Request(f"{site}/predict", body, {"Content-Type": "application/json"}), timeout=20
        ) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_the_page_answers(site: str) -> None:
    code, found = post(site, json.dumps({"text": "the story is wonderful . the acting is wonderful ."}).encode())
    assert (code, found["label"]) == (200, "positive")
    assert sum(found["probabilities"]) == pytest.approx(1)
    assert [word for word, _ in found["words"]][3] == "wonderful"
    for body, line in (
        (b'{"text": " "}', "empty"),
        (b"nothing", "Expecting value"),
        (b"[1]", "JSON object"),
        (b'{"text": 3}', "empty"),
        (rb'{"text": "half \ud83c of it"}', "half a character"),
    ):
        code, found = post(site, body)
        assert code == 400
        assert line in found["error"]


def test_the_page_works_in_a_browser(site: str) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs chromium, which is not installed")
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000", "--dump-dom", f"{site}/#the music is awful ."],
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert re.search(r"<h2>(negative|positive), [\d.]+ %</h2>", done.stdout)
    assert '<span class="word' in done.stdout


def test_a_drawing_is_centred_as_mnist_s_are() -> None:
    picture = torch.zeros(1, 1, 28, 28)
    picture[0, 0, 0:6, 0:3] = 255
    found = serve.centred(picture)
    assert found.shape == (1, 1, 28, 28)
    ink = (found[0, 0] > 20).nonzero().float()
    assert (ink.mean(0) - 13.5).abs().max() < 1
    assert ink[:, 0].max() - ink[:, 0].min() == 19
