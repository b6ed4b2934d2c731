"""The words that mattered, and what uses a trained model on texts: predict, recommend, and the pages that show it."""

import csv
import json
import math
import re
import shutil
import threading
from pathlib import Path

import fullscale_runs
import pytest
import torch

from curriculum.fullscale import predict, progress, rows, runs, serve, shown, words
from curriculum.fullscale.__main__ import main
from curriculum.fullscale.reviews import logits_of

REVIEW = "the story is wonderful . the acting is dull but the music is brilliant ."


@pytest.fixture(autouse=True)
def no_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fullscale_runs.reviews(tmp_path_factory.mktemp("reviews") / "run")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fullscale_runs.reviews(tmp_path_factory.mktemp("three") / "run", ("bad", "middling", "good"))


@pytest.fixture(scope="module")
def transferred(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fullscale_runs.transferred(tmp_path_factory.mktemp("transfer") / "run")


def smooth(run: runs.Run) -> runs.Run:
    """In float64, without kinks and steep places on the way: a few points give the integral to many digits."""
    run.model.double()
    with torch.no_grad():
        for name, value in run.model.named_parameters():
            value *= 0.3 if value.ndim > 1 and not name.startswith(("classifier", "head")) else 1
            value += 5 if name == "pre_classifier.bias" else 0
    return run


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("kind", ["reviewed", "three", "transferred"])
def test_the_shares_of_a_part_are_how_far_the_answer_falls_without_it(
    kind: str, parts: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Integrated gradients are complete: shares add up to the log-odds of the text less those without these words."""
    monkeypatch.setattr(words, "parts_for", lambda count: parts)
    run = smooth(runs.load(request.getfixturevalue(kind)))
    judged = words.words_that_mattered(run, REVIEW, steps=40)
    assert [word.text for word in judged.words] == REVIEW.split()
    label = run.classes.index(judged.label)
    ids, _ = words.read(run, REVIEW)
    text = logits_of(run.model, ids, torch.ones_like(ids))
    for part in range(parts):
        unseen = torch.ones_like(ids)
        for word in judged.words[part::parts]:
            unseen[0, list(word.places)] = 0
        rest = logits_of(run.model, ids, unseen)
        fall = (words.log_odds(text, label) - words.log_odds(rest, label)).item()
        assert abs(fall) > 1e-4
        assert sum(word.share for word in judged.words[part::parts]) == pytest.approx(fall, rel=1e-4)
    p = text.softmax(1)[0]
    assert judged.probabilities == pytest.approx(p.tolist())
    assert judged.label == run.classes[int(p.argmax())]


@pytest.mark.parametrize("kind", ["reviewed", "three", "transferred"])
def test_all_shares_together_are_how_far_the_text_moved_the_answer(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a model that cannot weigh tokens: the shares add up to the log-odds of the text less those of masks."""
    monkeypatch.setattr(words, "by_presence", lambda *given: None)
    run = smooth(runs.load(request.getfixturevalue(kind)))
    judged = words.words_that_mattered(run, REVIEW, steps=40)
    assert [word.text for word in judged.words] == REVIEW.split()
    label = run.classes.index(judged.label)
    ids, _ = words.read(run, REVIEW)
    text, masks = (logits_of(run.model, each, torch.ones_like(ids)) for each in (ids, words.nothing(run, ids)))
    moved = (words.log_odds(text, label) - words.log_odds(masks, label)).item()
    assert abs(moved) > 0.01
    assert sum(word.share for word in judged.words) == pytest.approx(moved, rel=1e-5)


# Encoders of transformers, and whether they weigh tokens. GPT-2 reads from left to right; DeBERTa reads another mask.
@pytest.mark.parametrize(
    ("kind", "weighs"),
    [("Bert", True), ("Roberta", True), ("Electra", True), ("Albert", True), ("DistilBert", True), ("GPT2", False), ("DebertaV2", False)],
)  # fmt: skip
def test_which_models_weigh_tokens_is_told_by_their_answer(kind: str, weighs: bool, reviewed: Path) -> None:
    import transformers

    run = runs.load(reviewed)
    own = dict.fromkeys(["hidden_size", "n_embd", "dim", "embedding_size"], 16)
    own |= dict.fromkeys(["num_hidden_layers", "n_layer", "n_layers"], 2)
    own |= dict.fromkeys(["num_attention_heads", "n_head", "n_heads"], 2)
    own |= dict.fromkeys(["intermediate_size", "n_inner", "hidden_dim"], 32)
    attributes = getattr(transformers, f"{kind}Config")
    known = set(vars(attributes())) | set(attributes.attribute_map)
    mapped = set(attributes.attribute_map.values())
    sizes = {
        name: size
        for name, size in own.items()
        if name in known and (name in mapped or name not in attributes.attribute_map)
    }
    config = attributes(vocab_size=len(run.tokenizer), pad_token_id=0, num_labels=2, **sizes)
    torch.manual_seed(0)
    model = getattr(transformers, f"{kind}ForSequenceClassification")(config).eval()
    model.requires_grad_(False)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    other = runs.Run(run.folder, run.config, run.results, model, run.tokenizer)
    ids, found = words.read(other, REVIEW)
    logits = logits_of(model, ids, torch.ones_like(ids))
    assert (words.by_presence(other, ids, found, logits, 1, 1) is not None) == weighs
    judged = words.words_that_mattered(other, REVIEW)
    assert all(math.isfinite(word.share) for word in judged.words)
    assert any(word.share for word in judged.words)


def test_the_log_odds_of_a_class() -> None:
    logits = torch.randn(5, 3, dtype=torch.float64)
    p = logits.softmax(1)[:, 1]
    torch.testing.assert_close(words.log_odds(logits, 1), (p / (1 - p)).log())


def test_leaving_out_is_leaving_out(reviewed: Path) -> None:
    """In batches of unlike length, as by itself."""
    run = runs.load(reviewed)
    judged = words.words_that_mattered(run, REVIEW)
    ids, _ = words.read(run, REVIEW)
    label = run.classes.index(judged.label)
    for word, fall in zip(judged.words, words.without(run, judged, size=4), strict=True):
        rest = ids[:, [i for i in range(ids.shape[1]) if i not in word.places]]
        with torch.no_grad():
            odds = [words.log_odds(run.model(input_ids=x).logits, label).item() for x in (ids, rest)]
        assert fall == pytest.approx(odds[0] - odds[1], abs=1e-5)


def test_words_that_are_not_read_are_a_gap(reviewed: Path) -> None:
    judged = words.words_that_mattered(runs.load(reviewed), "The story is wonderful . " * 20)
    assert {word.text for word in judged.words} == {"The", "story", "is", "wonderful", "."}
    assert [word.gap for word in judged.words].count(True) == 1
    assert len(judged.words) == 22


def test_what_is_measured_stands_on_the_pages(
    reviewed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(reviewed, folder)
    assert "has not been measured" in shown.page(runs.load(folder))
    assert main(["predict", "--run", str(folder), "--check", "5", "--data", "embedded"]) == 0
    assert "rank correlation" in capsys.readouterr().out
    found = json.loads((folder / "words.json").read_text())
    assert found["texts"] == 5
    assert 0 <= found["top_sign"] <= 1
    assert "measured on 5 of this model's test texts" in re.sub(r"\s+", " ", shown.page(runs.load(folder)))


def test_nothing_of_a_user_is_markup(reviewed: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert main(["predict", "--run", str(reviewed), "<script>alert(1)</script> & <b>", "--html", str(page)]) == 0
    content = page.read_text(encoding="utf-8")
    assert "<script" not in content
    assert "&lt;" in content
    assert "<style>" in content
    assert "/static/" not in content
    assert main(["predict", "--run", str(reviewed), "x", "--html", str(page), "--overwrite"]) == 0


def test_signs_are_told_by_more_than_colour(reviewed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judged = words.Judged("a b", "positive", 0.9, [0.1, 0.9], [words.Word("a", 2.0, (1,)), words.Word("b", -1.5, (2,))])
    html = shown.answer(["negative", "positive"], judged)
    assert 'class="word for s4" title="+2.00"' in html
    assert 'class="word against s4"' in html
    assert "\u22121.50" in html
    style = (shown.STATIC / "page.css").read_text(encoding="utf-8")
    assert re.search(r"\.word\.for \{ text-decoration: underline solid", style)
    assert re.search(r"\.word\.against \{ text-decoration: underline dashed", style)
    predict.printed(runs.load(reviewed), [judged])
    said = capsys.readouterr().out
    assert "+a" in said
    assert "\u2212b" in said


@pytest.mark.parametrize("kind", ["reviewed", "transferred"])
@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_a_file_is_judged_row_by_row(kind: str, ending: str, request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    texts = ["the story is wonderful .", 'a "dull" film, with\u0085a break', "caf\u00e9 . " * 30, "the cast is awful ."]
    source, out = tmp_path / f"in{ending}", tmp_path / f"out{ending}"
    if ending == ".csv":
        with source.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("id", "text"), *enumerate(texts)])
    else:
        source.write_text("".join(json.dumps({"id": k, "text": t}) + "\n" for k, t in enumerate(texts)))
    folder = request.getfixturevalue(kind)
    assert main(["predict", "--run", str(folder), "--file", str(source), "--out", str(out)]) == 0
    assert "4 texts:" in capsys.readouterr().out
    wanted = runs.probabilities(runs.load(folder), [row["text"] for row in rows.read(source)])[:, 1]
    if ending == ".csv":
        with out.open(newline="", encoding="utf-8") as file:
            found = list(csv.DictReader(file))
    else:
        found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [str(row["id"]) for row in found] == ["0", "1", "2", "3"]
    assert [float(row["p_positive"]) for row in found] == pytest.approx(wanted.tolist(), abs=1e-5)
    assert main(["predict", "--run", str(folder), "--file", str(source), "--out", str(out)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    again = ["predict", "--run", str(folder), "--file", str(source), "--out", str(out), "--overwrite", "--json"]
    assert main(again) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["predicted"] for line in lines] == [row["predicted"] for row in found]


def test_json_is_json(three: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "--run", str(three), REVIEW, "x", "--json", "--words"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["text"] for row in found] == [REVIEW, "x"]
    assert sum(found[0][f"p_{name}"] for name in ("bad", "middling", "good")) == pytest.approx(1, abs=1e-5)
    assert [word for word, _ in found[0]["words"]] == REVIEW.split()


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (["predict", "--run", "RUN", "half \ud83c"], "half a character"),
        (["predict", "--run", "RUN", "--file", "half.jsonl"], "half a character"),
        (["predict", "--run", "RUN", "--file", "list.jsonl"], "line 2: wanted is an object with a `text`"),
        (["predict", "--run", "RUN", "--file", "no.jsonl"], "line 1, is no JSON"),
        (["predict", "--run", "RUN", "--file", "empty.jsonl"], "holds no text"),
        (["predict", "--run", "RUN", "--file", "taken.jsonl"], "has the column predicted"),
        (["predict", "--run", "RUN", "x", "--out", "x.txt"], "ends in .csv or .jsonl"),
        (["predict", "--run", "RUN", "x", "--out", "absent/../folder.csv"], "is a folder"),
        (["predict", "--run", "RUN", "x", "--html", "list.jsonl", "--overwrite"], "was not written by this command"),
        (["predict", "--run", "RUN", "--check", "0"], "--check 0"),
        (["predict", "--run", "MANY", "x"], "holds several trainings: give one of them"),
        (["recommend", "--run", "RUN", "films.csv", "--out", "x.png"], "its picture is then x.png"),
        (["recommend", "--run", "RUN", "films.csv", "--out", "."], "give the name of a file"),
        (["recommend", "--run", "RUN", "list.jsonl"], "line 2"),
        (["recommend", "--run", "RUN", "taken.jsonl"], "review 1, has no `film`"),
        (["recommend", "--run", "THREE", "films.csv"], "needs a run that answers positive"),
        (["serve", "--run", "RUN", "--port", "99999"], "--port 99999: give a number"),
        (["serve", "--run", "RUN", "--port", "-1"], "--port -1: give a number"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_a_line(command: list[str], line: str, reviewed: Path, three: Path, transferred: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "absent").mkdir()
    for name, content in {
        "half.jsonl": r'{"text": "half \ud83c"}', "list.jsonl": '{"text": "x", "film": "y"}\n[1]', "no.jsonl": "x", "empty.jsonl": "\n",
        "taken.jsonl": '{"text": "x", "predicted": 1}', "films.csv": "film,text\na,b\n",
    }.items():  # fmt: skip
        (tmp_path / name).write_text(content)
    places = {"RUN": str(reviewed), "THREE": str(three), "MANY": str(transferred.parents[1])}
    assert main([places.get(each, each) for each in command]) == 2
    said = capsys.readouterr().err
    assert line.replace("x.png", ".png").replace("ranking", "") in said.replace("ranking", "").replace("x.png", ".png")
    assert len(said.strip().splitlines()) == 1


def test_films_may_have_any_name(transferred: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "films.jsonl", tmp_path / "ranking.csv"
    names = ["$5 a $day", "x^2_{", "a, b", "\u6620\u753b"]
    source.write_text("".join(json.dumps({"film": name, "text": "fine ."}) + "\n" for name in names for _ in range(2)))
    assert main(["recommend", str(source), "--run", str(transferred), "--out", str(out), "--json"]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    with out.open(encoding="utf-8", newline="") as file:
        assert {row["film"] for row in csv.DictReader(file)} == {row["film"] for row in said} == set(names)
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_progress_is_seen_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "SECONDS", 0.0)
    assert list(progress.shown([3, 4, 5], "judged", "texts")) == [3, 4, 5]
    told = capsys.readouterr()
    assert told.out == ""
    assert "judged: 2 of 3 texts" in told.err
    assert "left" in told.err


@pytest.fixture
def browser():
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs chromium, which is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()


def test_the_pages_in_a_browser(browser, reviewed: Path, tmp_path: Path) -> None:
    """A pen that is let go outside the paper is let go; nothing is wider than a phone; no script is blocked."""
    servers = [serve.server(runs.load(folder), 0) for folder in (fullscale_runs.pictures(tmp_path / "run"), reviewed)]
    for each in servers:
        threading.Thread(target=each.serve_forever, daemon=True).start()
    try:
        page = browser.new_page(viewport={"width": 390, "height": 800})
        troubles: list[str] = []
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(servers[0].address)
        box = page.locator("#paper").bounding_box()
        assert box is not None
        ink = "() => document.getElementById('paper').getContext('2d').getImageData(0, 0, 280, 280).data.reduce((a, b) => a + b)"
        page.mouse.move(box["x"] + 60, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + 200, box["y"] + 70)
        page.mouse.move(box["x"] + 330, box["y"] + 320)
        page.mouse.up()
        page.wait_for_selector("#answer h2", timeout=30_000)
        drawn = page.evaluate(ink)
        page.mouse.move(box["x"] + 20, box["y"] + 250)
        page.mouse.move(box["x"] + 120, box["y"] + 200)
        assert page.evaluate(ink) == drawn > 0
        assert page.locator("svg.bar").count() == 10
        page.goto(f"{servers[1].address}#{REVIEW}")
        page.wait_for_selector("#answer h2", timeout=30_000)
        assert page.locator("#answer span.word").count() == len(REVIEW.split())
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        assert troubles == []
    finally:
        for each in servers:
            each.shutdown()
