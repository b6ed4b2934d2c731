"""Full scale, data and folders: what is never removed, what is read of hostile files, own data, calibration, mistakes."""

import contextlib
import copy
import csv
import errno
import gzip
import io
import itertools
import json
import os
import random
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the hub's library is imported: no test waits for a network

from curriculum import corpus
from curriculum.fullscale import calibration, folder, images, mistakes, own, owned, runs, splits, tables, text, transfer
from curriculum.fullscale.__main__ import main
from curriculum.fullscale.errors import Refused

TINY = ["mnist-cnn", "--data", "embedded", "--limit", "64", "--epochs", "1", "--batch-size", "32", "--width", "4"]


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def everything(path: Path) -> dict[str, bytes]:
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line with which a command refuses."""
    capsys.readouterr()
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1, said
    return said


# -- folders


def a_model(path: Path) -> None:
    """A folder as transformers leaves it, and a thesis in it."""
    path.mkdir()
    (path / "config.json").write_text('{"command": "mnist-cnn", "model_type": "bert", "options": {}}')
    (path / "model.safetensors").write_bytes(b"weights")
    (path / "thesis.tex").write_text("three years")


@pytest.mark.parametrize("ask", [[], ["--overwrite"], ["--resume"]])
def test_a_folder_that_holds_no_run_of_ours_is_left_as_it_is(
    tmp_path: Path, ask: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    a_model(tmp_path / "model")
    before = everything(tmp_path / "model")
    said = refused([*TINY, "--out", str(tmp_path / "model"), *ask], capsys)
    assert "no run" in said
    assert everything(tmp_path / "model") == before


def test_of_a_run_only_its_own_files_are_removed(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    assert main([*TINY, "--out", str(out)]) == 0
    listed = json.loads((out / owned.MARKER).read_text())["files"]
    left = [p for p in out.rglob("*") if p.is_file() and p.name != owned.MARKER]
    assert all(any(p in out.glob(name) for name in listed) for p in left), "a file of the run is not in its list"

    elsewhere.mkdir()
    theirs = ["thesis.tex", "tensorboard/letter.txt", "encoder/model.safetensors", "other run/config.json"]
    for name in theirs:
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text("theirs")
    (elsewhere / "x.txt").write_text("theirs")
    (out / "link").symlink_to(elsewhere)
    # a list that someone changed: what lies elsewhere stays there all the same
    marked = json.loads((out / owned.MARKER).read_text())
    marked["files"] += [
        "../elsewhere/x.txt",
        str(elsewhere / "x.txt"),
        "link/x.txt",
        "link/*",
        "../elsewhere/",
        "..",
        "link/",
    ]
    (out / owned.MARKER).write_text(json.dumps(marked))
    assert main([*TINY, "--out", str(out), "--overwrite"]) == 0
    assert all((out / name).read_text() == "theirs" for name in theirs)
    assert (elsewhere / "x.txt").read_text() == "theirs"


def test_a_run_inside_another_s_folder_is_not_removed_with_it(tmp_path: Path) -> None:
    assert main([*TINY, "--out", str(tmp_path / "run")]) == 0
    assert main([*TINY, "--out", str(tmp_path / "run" / "second")]) == 0
    inner = everything(tmp_path / "run" / "second")
    assert main([*TINY, "--out", str(tmp_path / "run"), "--overwrite"]) == 0
    assert everything(tmp_path / "run" / "second") == inner


def test_parts_of_a_run_are_removed_with_it(tmp_path: Path) -> None:
    def begin(**asked: bool) -> owned.Owned:
        found = owned.Owned(tmp_path / "whole", "run", resume=False, overwrite=False, **asked)
        found.begin(anew=False)
        return found

    whole = begin()
    whole.claim("seed-0/news/")
    part = owned.Owned(tmp_path / "whole" / "seed-0" / "news", "run", resume=False, overwrite=False)
    part.begin(anew=False)
    part.write("deep/results.json", "{}")
    again = owned.Owned(tmp_path / "whole", "run", resume=False, overwrite=True)
    again.begin(anew=True)
    assert everything(tmp_path / "whole").keys() == {owned.MARKER}
    assert [p.name for p in (tmp_path / "whole").iterdir()] == [owned.MARKER]


def test_a_file_of_someone_else_in_a_run_s_folder_is_not_written_over(tmp_path: Path) -> None:
    found = owned.Owned(tmp_path / "run", "run", resume=False, overwrite=False)
    found.begin(anew=False)
    (tmp_path / "run" / "report.txt").write_text("theirs")
    (tmp_path / "run" / "encoder").mkdir()
    (tmp_path / "run" / "encoder" / "model.safetensors").write_text("theirs")
    with pytest.raises(Refused, match="not ours"):
        found.write("report.txt", "ours")
    with pytest.raises(Refused, match="not ours"):
        found.fill("encoder", lambda path: (path / "model.safetensors").write_text("ours"))
    assert (tmp_path / "run" / "report.txt").read_text() == "theirs"
    assert (tmp_path / "run" / "encoder" / "model.safetensors").read_text() == "theirs"


def test_what_a_library_writes_is_listed_and_may_be_read_by_others(tmp_path: Path) -> None:
    found = owned.Owned(tmp_path / "run", "run", resume=False, overwrite=False)
    found.begin(anew=False)

    def save(path: Path) -> None:
        (path / "deep").mkdir()
        (path / "deep" / "weights").write_bytes(b"1")
        (path / "deep" / "weights").chmod(0o600)

    (tmp_path / "run" / ".encoder.minigrad-partial").mkdir()  # a process died while it wrote
    (tmp_path / "run" / ".encoder.minigrad-partial" / "half").write_bytes(b"1")
    found.fill("encoder", save)
    assert everything(tmp_path / "run").keys() == {owned.MARKER, "encoder/deep/weights"}
    mask = os.umask(0o22)
    os.umask(mask)
    assert (tmp_path / "run" / "encoder" / "deep" / "weights").stat().st_mode & 0o777 == 0o666 & ~mask


def test_what_the_dead_left_is_gone_when_somebody_goes_on(tmp_path: Path) -> None:
    owned.Owned(tmp_path / "run", "run", resume=False, overwrite=False).begin(anew=False)
    for name in (".programs.minigrad-partial", ".README.md.0.minigrad-partial"):
        path = tmp_path / "run" / name
        if "README" in name:
            path.write_text("half")
        else:
            path.mkdir()
            (path / "model.onnx").write_text("half")
    owned.Owned(tmp_path / "run", "run", resume=True, overwrite=False).begin(anew=False)
    assert [p.name for p in (tmp_path / "run").iterdir()] == [owned.MARKER]


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"3", b"{}", b'{"kind": "run", "files": 3}', b'{"kind": "run", "files": [3]}', b"[" * 10**5])  # fmt: skip
def test_a_damaged_marker_lets_nothing_be_removed(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / owned.MARKER).write_bytes(content)
    (tmp_path / "run" / "config.json").write_bytes(b"{}")
    before = everything(tmp_path / "run")
    for ask in (["--overwrite"], ["--resume"], []):
        assert "take another --out" in refused([*TINY, "--out", str(tmp_path / "run"), *ask], capsys)
    assert everything(tmp_path / "run") == before


MARKED = {"x.csv": "film,reviews", "x.png": owned.MADE_BY}


def test_files_that_a_command_names_are_replaced_only_where_it_wrote_them(tmp_path: Path) -> None:
    files = {tmp_path / name: mark for name, mark in MARKED.items()}
    owned.outputs(files, overwrite=False)
    (tmp_path / "x.csv").write_text("name,grade\n")
    with pytest.raises(Refused, match="give another name, or --overwrite"):
        owned.outputs(files, overwrite=False)
    with pytest.raises(Refused, match="not written by this command"):
        owned.outputs(files, overwrite=True)
    (tmp_path / "x.csv").write_text("film,reviews,share\n")
    owned.outputs(files, overwrite=True)
    with pytest.raises(Refused, match="written twice"):
        owned.outputs({tmp_path / "x.png": "a", tmp_path / "a" / ".." / "x.png": "b"}, overwrite=True)
    with pytest.raises(Refused, match="is a folder"):
        owned.outputs({tmp_path: "a"}, overwrite=True)
    with pytest.raises(Refused, match="no folder that may be written"):
        owned.outputs({tmp_path / "x.csv" / "y.csv": "a"}, overwrite=True)
    with pytest.raises(Refused, match="device"):
        owned.outputs({Path("/dev/null"): "a"}, overwrite=True)


def test_a_run_that_died_as_it_began_is_resumed(tmp_path: Path) -> None:
    begun = owned.Owned(tmp_path / "run", "run", resume=False, overwrite=False)
    begun.begin(anew=False)
    assert main([*TINY, "--out", str(tmp_path / "run"), "--resume"]) == 0


# -- tables

GOOD = "a fine film"
LONG = "x" * 200_000
# name: (the file, what is read of `text` and `label`) or (the file, a part of the line that refuses it)
HOSTILE: dict[str, tuple[bytes, list[tuple[str, str]] | str]] = {
    "plain": (b"text,label\na,b\n", [("a", "b")]),
    "names in capitals": (b"TEXT,Label\na,b\n", [("a", "b")]),
    "spaces around names": (b" text , label \na,b\n", [("a", "b")]),
    "names in quotes": (b'"text","label"\na,b\n', [("a", "b")]),
    "other order, more columns": (b"id,label,note,text\n1,b,,a\n", [("a", "b")]),
    "byte order mark": (b"\xef\xbb\xbftext,label\na,b\n", [("a", "b")]),
    "mark and quotes": (b'\xef\xbb\xbf"text",label\na,b\n', [("a", "b")]),
    "two marks": (b"\xef\xbb\xbf\xef\xbb\xbftext,label\na,b\n", [("a", "b")]),
    "UTF-16": ("text,label\nä,b\n".encode("utf-16"), [("ä", "b")]),
    "UTF-16, big end first": (b"\xfe\xff" + "text,label\nä,b\n".encode("utf-16-be"), [("ä", "b")]),
    "UTF-16 without a mark": ("text,label\na,b\n".encode("utf-16-le"), "null character"),
    "Latin-1": ("text,label\nä,b\n".encode("latin-1"), "line 2, cannot be read as UTF-8"),
    "cut inside a letter": ("text,label\nok,b\nä".encode()[:-1], "line 3, cannot be read as UTF-8"),
    "null character": (b"text,label\na\0,b\n", "line 2, holds a null character"),
    "semicolons": (b'text;label\n"a, b";c\n', [("a, b", "c")]),
    "tabs": (b"text\tlabel\na, b\tc\n", [("a, b", "c")]),
    "bars": (b"text|label\na, b|c\n", [("a, b", "c")]),
    "Excel's first line": (b"sep=;\r\ntext;label\r\na, b;c\r\n", [("a, b", "c")]),
    "Windows' line ends": (b"text,label\r\na,b\r\nc,d\r\n", [("a", "b"), ("c", "d")]),
    "old Mac's line ends": (b"text,label\ra,b\rc,d\r", [("a", "b"), ("c", "d")]),
    "no end of the last line": (b"text,label\na,b", [("a", "b")]),
    "line break in quotes": (b'text,label\n"a\nb",c\n', [("a\nb", "c")]),
    "Windows' line break in quotes": (b'text,label\r\n"a\r\nb",c\r\n', [("a\r\nb", "c")]),
    "blank line in quotes": (b'text,label\n"a\n\nb",c\n', [("a\n\nb", "c")]),
    "delimiter in quotes": (b'text,label\n"a,b",c\n', [("a,b", "c")]),
    "quotes in quotes": (b'text,label\n"a ""b"" c",d\n', [('a "b" c', "d")]),
    "quotes behind a backslash": (b'text,label\n"a \\"b\\" c",d\n', [('a "b" c', "d")]),
    "a quote inside a word": (b'text,label\n5" wide,d\n', [('5" wide', "d")]),
    "next line, U+0085": ("text,label\na\u0085b,c\n".encode(), [("a\u0085b", "c")]),
    "separators, U+2028, U+000B, U+001C": (
        "text,label\na\u2028b\u000bc\u001cd,e\n".encode(),
        [("a\u2028b\u000bc\u001cd", "e")],
    ),
    "words that mean nothing elsewhere": (b"text,label\nNA,null\nnan,None\n", [("NA", "null"), ("nan", "None")]),
    "numbers stay as they are written": (b"text,label\n007,1.50\n1e5,TRUE\n", [("007", "1.50"), ("1e5", "TRUE")]),
    "a formula": (b"text,label\n=1+1,@b\n", [("=1+1", "@b")]),
    "a number sign": (b"text,label\n#a,b\n", [("#a", "b")]),
    "blank lines": (b"text,label\n\na,b\n\n\nc,d\n,\n", [("a", "b"), ("c", "d")]),
    "200,000 characters": (b"text,label\n" + LONG.encode() + b",b\n", [(LONG, "b")]),
    "200,000 characters in quotes": (b'text,label\n"' + LONG.encode() + b'",b\n', [(LONG, "b")]),
    "a quote that is not closed": (
        b'text,label\na,b\n"c,d\ne,f\n',
        "row 3, which begins in line 3: a quote is not closed",
    ),
    "a quote that another one closes": (
        b'text,label\n"a,b\nc,"d"\n',
        "row 2, which begins in line 2: a quote is not closed",
    ),
    "a quote that is closed too early": (b'text,label\n"a" b,c\n', "a quote is not closed, or not doubled"),
    "a field too many": (b"text,label\na,b\na,b,c\n", "row 3: 3 fields, and the header has 2"),
    "a field too many in the first row": (b"text,label\na,b,c\na,b\n", "row 2: 3 fields"),
    "a field too few": (b"text,label\na,b\nc\n", "row 3: 1 fields, and the header has 2"),
    "a name twice": (b"text,text,label\na,b,c\n", "2 columns `text`"),
    "a name that is not there": (b"review,label\na,b\n", "no column `text`: its first row names review, label"),
    "no header": (b"a,b\nc,d\n", "no column `text`, `label`"),
    "a header alone": (b"text,label\n", "no row below it"),
    "empty": (b"", "no column `text`, `label`"),
    "line breaks alone": (b"\n\n\n", "no column `text`, `label`"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "cannot be read as UTF-8"),
    "a page": (b"<html>\n<body>\n", "no column `text`, `label`"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_table_is_read_right_or_refused_in_a_line(tmp_path: Path, name: str) -> None:
    content, wanted = HOSTILE[name]
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    if isinstance(wanted, str):
        with pytest.raises(Refused) as refusal:
            tables.read(path, "text", "label").column("text")
        assert wanted in str(refusal.value)
        assert len(str(refusal.value).splitlines()) == 1
        assert len(str(refusal.value)) < 500
    else:
        found = tables.read(path, "text", "label")
        assert list(zip(found.column("text"), found.column("label"), strict=True)) == wanted
    assert csv.field_size_limit() == 131_072, "other readers of this process are told otherwise"


def test_there_are_forty_hostile_tables() -> None:
    assert len(HOSTILE) >= 40


def test_what_python_writes_is_read_again(tmp_path: Path) -> None:
    """Any text, in each way in which Python's csv writes it."""
    rng = random.Random(0)
    letters = "ab \",;\t|\n\r\u0085\u2028'\\äß漢🎈#=\ufeff\x1c"
    for number in range(300):
        rows = [("".join(rng.choices(letters, k=rng.randint(1, 8))), "k") for _ in range(3)]
        content = io.StringIO(newline="")
        # with "\n" at the ends of lines and few quotes, Python 3.11 writes a "\r" that is text and looks like an end
        ends, quoting = rng.choice([("\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_MINIMAL)])
        writer = csv.writer(content, delimiter=rng.choice(",;\t|"), lineterminator=ends, quoting=quoting)
        writer.writerows([("text", "label"), *rows])
        path = tmp_path / "x.csv"
        path.write_bytes(content.getvalue().encode())
        found = tables.read(path, "text", "label")
        assert list(zip(found.column("text"), found.column("label"), strict=True)) == rows, number


def test_a_file_of_lines_is_cut_at_line_ends_alone(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes("one\u0085still\u2028one\r\ntwo\rthree\x0b3\nfour".encode())
    assert tables.lines(tmp_path / "x.txt") == ["one\u0085still\u2028one", "two", "three\x0b3", "four"]
    rows = text.read_reviews(tmp_path / "x.txt")
    assert [row["text"] for row in rows] == ["one still one", "two", "three 3", "four"]


def test_reviews_to_judge_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_bytes(b'Film\tTEXT\tnote\tnote\nJaws\ta, "b"\t1\t2\n')
    assert text.read_reviews(tmp_path / "x.tsv") == [{"film": "Jaws", "text": 'a, "b"'}]


def test_news_with_a_quote_that_is_not_closed_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path))
    (tmp_path / "ag_news_csv").mkdir()
    (tmp_path / "ag_news_csv" / "test.csv").write_text('"1","a","b"\n"2","c","d\n"3","e","f"\n')
    with pytest.raises(Refused, match="row 2"):
        text.ag_news(SimpleNamespace(data="auto", limit=None, seed=0))  # type: ignore[arg-type]


# -- own data


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import DistilBertConfig, DistilBertModel

    made = tmp_path_factory.mktemp("encoder")
    tokenizer = transfer.own_tokenizer(corpus.reviews(100, 0)[0] + ["red green blue house tree sea"] * 9, 300, made)
    torch.manual_seed(0)
    sizes = {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 2, "max_position_embeddings": 32}
    DistilBertModel(DistilBertConfig(vocab_size=len(tokenizer), pad_token_id=0, **sizes)).save_pretrained(made)
    tokenizer.save_pretrained(made)
    return made


HOSTILE_NAME = "<script>alert(1)</script> | $\\frac{1}$ & \"'"
COLOURS = {"red": "roses", "green": HOSTILE_NAME, "blue": "the sea"}


def a_table(path: Path, counts: dict[str, int], seed: int = 0) -> Path:
    """Texts that a class's colour stands in, with a column of the classes' names."""
    rng = random.Random(seed)
    rows = [
        (f"the {rng.choice(corpus.PARTS)} is {colour} {i} .", COLOURS[colour])
        for colour, n in counts.items()
        for i in range(n)
    ]
    rng.shuffle(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("Body", "Topic"), *rows])
    return path


def test_texts_of_a_table_are_trained_on_and_judged(
    tmp_path: Path, encoder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = a_table(tmp_path / "own.csv", {"red": 120, "green": 40, "blue": 80})
    out = tmp_path / "run"
    arguments = [
        "distilbert-imdb", "--model", str(encoder), "--train", str(table), "--text-column", "body", "--label-column", "topic",
        "--class-weights", "--max-length", "16", "--epochs", "12", "--lr", "3e-3", "--batch-size", "16", "--out", str(out),
    ]  # fmt: skip
    assert main(arguments) == 0
    assert f"{HOSTILE_NAME[:30]} 40" in capsys.readouterr().out
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert results["classes"] == sorted(COLOURS.values(), key=str.casefold)
    assert (results["trained_on"], results["validated_on"], results["tested_on"]) == (154, 38, 48)
    assert results["test_accuracy"] > 0.9
    page = (out / "mistakes.html").read_text(encoding="utf-8")
    assert "<script" not in page
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "<script>alert(1)</script> |" not in card.split("```")[0]
    assert "calibration.png" in card

    found = runs.load(out)
    assert found.classes[int(runs.probabilities(found, ["the story is blue 17 ."]).argmax())] == "the sea"

    # the same command with other data
    a_table(table, {"red": 120, "green": 40, "blue": 80}, seed=1)
    assert "trained on other data" in refused([*arguments, "--resume"], capsys)


TABLES: dict[str, tuple[bytes, list[str], str]] = {
    "an empty label": (b"text,label\na,x\nb,\n", [], "row 3: the label is empty"),
    "one class": (b"text,label\na,x\nb,x\n", [], "has the one class x: at least 2"),
    "every label another": (b"text,label\n" + b"".join(b"a,%d\n" % i for i in range(30)), [], "hardly the column of labels"),
    "labels that differ in case": (b"text,label\na,Yes\nb,no\nc,yes\n", [], "Yes and yes, which differ in case alone"),
    "a class of two": (b"text,label\n" + b"a,x\n" * 9 + b"b,y\n" * 2, [], "The class y has 2 sample(s)"),
    "texts alone empty": (b"text,label\n ,x\n<br />,y\n", [], "no class"),
    "a column that is not there": (b"text,label\na,x\n", ["--label-column", "stars"], "no column `stars`"),
    "a column that is its own label": (b"text,label\na,x\n", ["--label-column", "TEXT"], "are not their own labels"),
    "a share of everything": (b"text,label\na,x\n", ["--test-share", "1"], "between 0 and 1"),
    "a test's label that is not known": (b"text,label\n" + b"a,x\nb,y\n" * 9, ["--test", "OTHER"], "the label z, which is none of --train's: x, y"),
    "two ways to test": (b"text,label\na,x\nb,y\n", ["--test", "OTHER", "--balanced-split"], "leave one away"),
    "too few": (b"text,label\n" + b"a,x\nb,y\n" * 9, ["--limit", "1"], "at least 2 are needed"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_cannot_be_trained_on_says_why(
    tmp_path: Path, name: str, encoder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, more, wanted = TABLES[name]
    (tmp_path / "own.csv").write_bytes(content)
    (tmp_path / "other.csv").write_bytes(b"text,label\na,z\n")
    asked = [str(tmp_path / "other.csv") if each == "OTHER" else each for each in more]
    arguments = ["distilbert-imdb", "--model", str(encoder), "--max-length", "16", "--out", str(tmp_path / "run")]
    assert wanted in refused([*arguments, "--train", str(tmp_path / "own.csv"), *asked], capsys)


@pytest.mark.parametrize(
    "more", [["--text-column", "a"], ["--test-share", "0.1"], ["--balanced-split"], ["--test", "a.csv"]]
)
def test_what_belongs_to_own_data_is_not_passed_over(
    more: list[str], encoder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "give --train as well" in refused(["distilbert-imdb", "--model", str(encoder), "--max-length", "16", *more], capsys)  # fmt: skip


def test_texts_in_both_parts_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own.csv").write_bytes(b"text,label\n" + b"".join(b"%d,%d\n" % (i, i % 2) for i in range(20)))
    (tmp_path / "other.csv").write_bytes(b"text,label\n1,1\n2,0\n99,1\n")
    found = own.texts({"train": str(tmp_path / "own.csv"), "test": str(tmp_path / "other.csv")}, 0)
    assert "2 of the 3 texts to test with are also trained on" in capsys.readouterr().out
    assert (found.classes, found.test_labels) == (["0", "1"], [1, 0, 1])


def test_numbers_as_labels_keep_their_order(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_bytes(b"text,label\n" + b"".join(b"t%d,%d\n" % (i, i % 11) for i in range(66)))
    found = own.texts({"train": str(tmp_path / "own.csv")}, 0)
    assert found.classes == [str(i) for i in range(11)]
    assert all(int(t[1:]) % 11 == k for t, k in zip(found.train + found.test, found.train_labels + found.test_labels, strict=True))  # fmt: skip


# -- splits


def test_a_stratified_split_keeps_the_shares() -> None:
    labels = np.repeat([0, 1, 2, 3], [700, 250, 49, 1])
    held, used = splits.stratified(labels, 100, 0)
    assert sorted([*held, *used]) == list(range(1000))
    assert np.bincount(labels[held], minlength=4).tolist() == [70, 25, 5, 0]
    few, others = splits.stratified(labels[:999], 4, 0)
    assert set(labels[few].tolist()) == {0, 1, 2}
    assert set(labels[others].tolist()) == {0, 1, 2}
    assert not np.array_equal(held, splits.stratified(labels, 100, 1)[0])
    for count, part in ((1, 1), (5, 5), (5, 0)):
        with pytest.raises(Refused, match="at least 2 are needed"):
            splits.stratified(np.zeros(count, int), part, 0)


def test_a_balanced_split_holds_as_many_of_each() -> None:
    labels = np.repeat([0, 1, 2], [700, 250, 50])
    held, used = splits.balanced(labels, 60, 0)
    assert np.bincount(labels[held]).tolist() == [20, 20, 20]
    held, used = splits.balanced(labels, 300, 0)
    assert np.bincount(labels[held]).tolist() == [25, 25, 25]
    assert sorted([*held, *used]) == list(range(1000))


def test_class_weights_are_scikit_learn_s() -> None:
    np.testing.assert_allclose(splits.class_weights(np.array([0, 1, 1, 1]), 2), [2, 2 / 3], rtol=1e-6)
    from sklearn.utils.class_weight import compute_class_weight

    labels = np.repeat([0, 1, 2], [70, 25, 5])
    wanted = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    assert splits.class_weights(labels, 3) == pytest.approx(wanted)
    assert splits.class_weights(labels, 4)[labels].mean() == pytest.approx(1)


# -- calibration


def answers(n: int, sharp: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits, and classes drawn from softmax(logits / sharp)."""
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(n, 3, generator=generator)
    return logits * sharp, torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]


@pytest.mark.parametrize("sharp", [0.5, 1.0, 3.0])
def test_the_temperature_is_found_again(sharp: float) -> None:
    assert calibration.temperature(*answers(4000, sharp)) == pytest.approx(sharp, rel=0.08)


def test_the_expected_calibration_error_falls_with_it() -> None:
    facts, fig = calibration.judge(answers(4000, 3.0), answers(4000, 3.0), ["a", "b", "c"])
    assert len(fig.axes) == 2
    assert facts["calibration_error"] > 0.1
    assert facts["calibration_error_with_temperature"] < 0.03
    for row in facts["thresholds"]:
        assert row["accuracy"] >= row["wanted"]
    answered = [row["answered"] for row in facts["thresholds"]]
    assert answered == sorted(answered, reverse=True)


def test_the_expected_calibration_error_is_its_definition() -> None:
    rng = np.random.default_rng(0)
    confidence, right = rng.uniform(size=500), rng.uniform(size=500) < 0.4
    edges = np.linspace(0, 1, 11)
    wanted = 0.0
    for low, high in itertools.pairwise(edges):
        inside = (confidence > low) & (confidence <= high)
        wanted += abs(right[inside].mean() - confidence[inside].mean()) * inside.mean()
    assert calibration.expected_error(confidence, right, 10) == pytest.approx(wanted)


def test_too_little_calibrates_nothing() -> None:
    facts, _ = calibration.judge(answers(20, 3.0), answers(4000, 3.0), ["a", "b", "c"])
    assert facts["temperature"] == 1
    assert facts["thresholds"] == []
    assert "too few" in facts["calibrated_on"]


def test_a_folded_temperature_divides_the_logits() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 3))
    x = torch.randn(5, 4)
    before = model(x)
    assert calibration.fold(model, 2.5, 3)
    assert torch.allclose(model(x), before / 2.5)
    assert not calibration.fold(torch.nn.ReLU(), 2.5, 3)


# -- pictures


def a_folder(path: Path, counts: dict[str, int], suffix: str = ".png", mode: str = "RGB") -> Path:
    from PIL import Image

    colours = {"red": (220, 20, 20), "green": (20, 220, 20), "blue": (20, 20, 220)}
    rng = np.random.default_rng(0)
    for name, n in counts.items():
        (path / name).mkdir(parents=True)
        for i in range(n):
            noise = rng.integers(-20, 20, (12, 16, 3))
            values = (np.array(colours[name]) + noise).clip(0, 255).astype(np.uint8)
            Image.fromarray(values).convert(mode).save(path / name / f"{i}{suffix}")
    return path


def test_a_folder_of_pictures_is_trained_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = a_folder(tmp_path / "own", {"red": 30, "green": 20, "blue": 10})
    (made / "red" / "Thumbs.db").write_bytes(b"")
    (made / ".cache").mkdir()
    out = tmp_path / "run"
    arguments = ["mnist-cnn", "--train", str(made), "--size", "8", "--balanced-split", "--class-weights", "--width", "4", "--epochs", "4", "--lr", "1e-2", "--batch-size", "8", "--out", str(out)]  # fmt: skip
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "(blue 10, green 20, red 30)" in said
    assert "1 files" in said
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert results["picture"] == [3, 8, 8]
    assert (results["trained_on"], results["validated_on"], results["tested_on"]) == (44, 4, 12)
    assert len(runs.load(out).model(torch.zeros(1, 3, 8, 8))[0]) == 3
    assert main(["resnet18", "--train", str(made), "--size", "8", "--width", "2", "--epochs", "1", "--out", str(tmp_path / "resnet")]) == 0  # fmt: skip


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".gif", ".tiff", ".webp"])
def test_pictures_of_many_forms_are_read(tmp_path: Path, suffix: str) -> None:
    made = a_folder(tmp_path / "own", {"red": 3, "blue": 3}, suffix)
    found = own.pictures({"train": str(made), "test": str(made), "size": 8}, 0)
    assert found.classes == ["blue", "red"]
    assert found.train.shape == (6, 3, 8, 8)
    mean = found.train.float().mean((2, 3))
    assert (mean[found.train_labels == 1][:, 0] > 150).all()
    assert (mean[found.train_labels == 0][:, 2] > 150).all()


def test_pictures_are_seen_as_eyes_see_them(tmp_path: Path) -> None:
    """16 bits, what is transparent, palettes, and cameras held upright."""
    from PIL import Image

    def seen(picture: Image.Image, **more: object) -> np.ndarray:
        picture.save(tmp_path / "x.png", **more)
        return own._read([tmp_path / "x.png"], 8, 1)[0, 0]

    deep = Image.fromarray(np.full((8, 8), 128 * 256, np.uint16))
    assert (seen(deep) == 128).all()
    assert (seen(Image.new("RGBA", (8, 8), (0, 0, 0, 0))) == 255).all()
    assert (seen(Image.new("LA", (8, 8), (0, 255))) == 0).all()
    assert (seen(Image.new("L", (8, 8), 77).convert("P")) == 77).all()
    assert (seen(Image.new("1", (8, 8), 1)) == 255).all()
    half = np.zeros((8, 8), np.uint8)
    half[:, :4] = 255
    turned = Image.fromarray(half)
    exif = turned.getexif()
    exif[0x0112] = 6  # held upright: turn it by a quarter to the right
    assert seen(turned, exif=exif)[0].mean() > 200
    assert seen(turned, exif=exif)[7].mean() < 50


@pytest.mark.parametrize(
    ("name", "line"),
    [("absent", "is no folder"), ("empty", "holds no folder with pictures"), ("damaged", "3.png cannot be read as a picture"),
     ("large", "cannot be read as a picture"), ("one", "has the one class red"), ("few", "has 2 sample(s)")],
)  # fmt: skip
def test_a_folder_that_cannot_be_trained_on_says_why(
    tmp_path: Path, name: str, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    path = tmp_path / "own"
    counts = {"empty": {}, "one": {"red": 5}, "few": {"red": 5, "blue": 2}}.get(name, {"red": 5, "blue": 5})
    if name != "absent":
        path.mkdir()
        a_folder(path, counts)
    if name == "damaged":
        content = (path / "red" / "3.png").read_bytes()
        (path / "red" / "3.png").write_bytes(content[: len(content) // 2])
    if name == "large":
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # as if a small file claimed to be of a gigabyte
    assert line in refused(["mnist-cnn", "--train", str(path), "--out", str(tmp_path / "run")], capsys)


# -- the page of mistakes


def test_the_page_of_mistakes_shows_the_surest_first_and_escapes(tmp_path: Path) -> None:
    out = owned.Owned(tmp_path / "run", "run", resume=False, overwrite=False)
    out.begin(anew=False)
    truth = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.4, 0.6], [0.1, 0.9], [0.2, 0.8], [0.7, 0.3]])
    texts = ["unsure one", "</p><script>alert(1)</script>", "a right one", "\u202eevil \ud800 lone " + "long " * 1000]
    mistakes.write(out, truth, probabilities, [HOSTILE_NAME, "b"], lambda i: mistakes.text(texts[i]))  # type: ignore[arg-type]
    page = (tmp_path / "run" / "mistakes.html").read_text(encoding="utf-8")
    assert "3 of 4 test samples" in page
    assert "a right one" not in page
    assert page.index("&lt;script&gt;alert(1)&lt;/script&gt;</p>") < page.index("evil") < page.index("unsure one")
    assert "<script" not in page
    assert len(page) < 12_000
    none = np.array([1, 1, 1, 0])
    mistakes.write(out, none, probabilities, ["a", "b"], lambda i: mistakes.text(texts[i]))  # type: ignore[arg-type]
    assert "0 of 4 test samples" in (tmp_path / "run" / "mistakes.html").read_text(encoding="utf-8")


def test_the_page_of_mistakes_in_a_browser(tmp_path: Path) -> None:
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("needs chromium, which is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, which is not installed")
    out = owned.Owned(tmp_path / "run", "run", resume=False, overwrite=False)
    out.begin(anew=False)
    picture = np.zeros((3, 8, 8), np.uint8)
    mistakes.write(
        out, np.array([0, 1]), np.array([[0.1, 0.9], [0.8, 0.2]]), [HOSTILE_NAME, "x" * 300],
        lambda i: mistakes.picture(picture) | mistakes.text("<img src=x onerror=alert(1)> " + "y" * 900),
    )  # type: ignore[arg-type]  # fmt: skip
    with playwright.sync_playwright() as p:
        opened = p.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = opened.new_page(viewport={"width": 400, "height": 800})
        said: list[str] = []
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda message: said.append(message.text))
        page.goto((tmp_path / "run" / "mistakes.html").as_uri())
        assert page.locator(".mistake").count() == 2
        assert page.locator(".mistake img").evaluate_all("all => all.every(one => one.naturalWidth == 8)")
        assert page.locator(".mistake img").count() == 2
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it is wider than the screen"
        assert said == []
        opened.close()


# -- claims


def test_a_claim_is_judged_beyond_the_spread() -> None:
    assert transfer.verdict(np.array([0.1, 0.11, 0.12])) == "confirmed"
    assert transfer.verdict(np.array([-0.1, -0.11, -0.12])) == "refuted"
    assert transfer.verdict(np.array([0.1, 0.3, -0.1])).startswith("open")
    assert transfer.verdict(np.array([0.5])).startswith("open"), "one seed has no spread"
    assert transfer.verdict(np.array([0.1, 0.11]), np.array([-5.0, -5.1])) == "refuted"
    low, high = transfer.interval(np.array([1.0, 2.0, 3.0]))
    assert (low, high) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))


def test_the_four_claims_follow_the_figures() -> None:
    def figures(accuracy: float, loss: float, own_loss: float, seconds: float) -> dict[str, np.ndarray]:
        wobble = np.array([-0.001, 0.0, 0.001])
        return {
            "test_accuracy": accuracy + wobble, "test_loss": loss - wobble, "own_loss": own_loss + wobble,
            "training_seconds": seconds + 10 * wobble, "trained_parameters": np.ones(3),
        }  # fmt: skip

    values = {
        "scratch": figures(0.7, 0.8, 0.1, 100), "full": figures(0.85, 0.4, 0.3, 100), "last": figures(0.82, 0.5, 0.4, 30),
        "chosen": figures(0.83, 0.45, 0.4, 60),
    }  # fmt: skip
    assert [re.search(r": (\w+)", line)[1] for line in transfer.claims(values)] == ["confirmed"] * 4  # type: ignore[index]
    values["full"]["test_accuracy"] = np.array([0.6, 0.61, 0.6])
    assert [re.search(r": (\w+)", line)[1] for line in transfer.claims(values)] == ["confirmed", *["refuted"] * 3]  # type: ignore[index]


# -- the card counts what there is, and a run knows its data again


def test_the_card_says_how_many_pictures_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of MNIST's form that holds fewer than MNIST does."""
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    for part, n in (("train", 30), ("t10k", 7)):
        for name, shape in (("images-idx3", (n, 28, 28)), ("labels-idx1", (n,))):
            head = bytes((0, 0, 8, len(shape))) + b"".join(size.to_bytes(4, "big") for size in shape)
            with gzip.open(tmp_path / "mnist" / f"{part}-{name}-ubyte.gz", "wb") as file:
                file.write(head + bytes(int(np.prod(shape))))
    asked = SimpleNamespace(data="auto", limit=None, seed=0)
    assert images.load("mnist", asked).source == "MNIST, 30 and 7 pictures"  # type: ignore[arg-type]
    asked.limit = 9
    assert images.load("mnist", asked).source == "MNIST, 30 and 7 pictures, 9 of them to train on"  # type: ignore[arg-type]


def test_a_fingerprint_is_of_everything(tmp_path: Path) -> None:
    of = text.Texts(["a", "b"], [0, 1], ["c"], [0], ["x", "y"], "somewhere")
    others = [
        replace(of, train=["b", "a"]), replace(of, train=["ab", ""]), replace(of, train_labels=[1, 0]), replace(of, test=["d"]),
        replace(of, test_labels=[1]), replace(of, classes=["y", "x"]), replace(of, train=["a"], train_labels=[0]),
    ]  # fmt: skip
    assert len({each.fingerprint() for each in [of, *others]}) == 8
    assert replace(of, source="elsewhere").fingerprint() == of.fingerprint()
    pictures = images.Images(torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.tensor([0, 1]), torch.zeros(1, 1, 4, 4, dtype=torch.uint8), torch.tensor([0]), ["x", "y"], "s")  # fmt: skip
    changed = pictures.train.clone()
    changed[1, 0, 3, 3] = 1
    unlike = [replace(pictures, train=changed), replace(pictures, train=pictures.train.reshape(2, 1, 2, 8)), replace(pictures, classes=["y", "x"])]  # fmt: skip
    assert len({each.fingerprint() for each in [pictures, *unlike]}) == 4


def test_a_run_is_not_resumed_with_other_data(tmp_path: Path) -> None:
    def begin(data: str, resume: bool) -> folder.Folder:
        settings = SimpleNamespace(out=tmp_path / "run", resume=resume, overwrite=False, device="cpu", comparable=lambda: {"command": "x"})  # fmt: skip
        return folder.Folder(settings, 0, data)  # type: ignore[arg-type]

    begin("one", False)
    begin("one", True)
    with pytest.raises(Refused, match="trained on other data .one then, two now"):
        begin("two", True)


# -- one line


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["--limit", "1"], "at least 2 are needed"), (["--seed", "-1"], "from 0 on"), (["--out", "FILE/run"], "FILE"),
        (["--out", "/proc/run"], "/proc/run"), (["--out", "FILE"], "that is no folder"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_a_line(
    tmp_path: Path, more: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("theirs")
    file = str(tmp_path / "file")
    asked = [each.replace("FILE", file) for each in more]
    assert line.replace("FILE", file) in refused([*TINY, "--out", str(tmp_path / "run"), *asked], capsys)
    assert (tmp_path / "file").read_text() == "theirs"


@pytest.mark.parametrize("where", ["config.json", "metrics.jsonl", "model.safetensors", "report.txt"])
def test_a_full_disk_is_said_in_a_line(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from minigrad import files

    write = files.write

    def full(path: Path, content: bytes | str) -> None:
        if path.name == where:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        write(path, content)

    monkeypatch.setattr(files, "write", full)
    said = refused([*TINY, "--limit", "8", "--out", str(tmp_path / "run")], capsys)
    assert "No space left on device" in said


def test_what_cannot_be_read_or_written_has_the_name_that_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not that of a file in between, nor the option of another command."""
    import fullscale_runs

    from minigrad import files

    run = fullscale_runs.reviews(tmp_path / "run")
    opened = os.open

    def refuses(path: Any, flags: int, *rest: Any, **named: Any) -> int:
        if str(path).endswith(files.SUFFIX):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return opened(path, flags, *rest, **named)

    monkeypatch.setattr(files.os, "open", refuses)
    out = tmp_path / "judged.csv"
    assert refused(["predict", "--run", str(run), "a", "--out", str(out)], capsys).startswith(f"{out} cannot be")
    monkeypatch.undo()
    weights = run / "encoder" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:400])
    said = refused(["predict", "--run", str(run), "a"], capsys)
    assert said.startswith(f"{run / 'encoder'} could not be loaded")
    assert "train again with --overwrite" in said


@pytest.mark.parametrize("content", [b"", b"[]", b"3", b"{", b"\xff", b'{"options": {}}', b"[" * 10**5])
def test_a_damaged_config_is_said_in_a_line(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    out = owned.Owned(tmp_path / "run", "run", resume=False, overwrite=False)
    out.begin(anew=False)
    out.write("config.json", content)
    out.write("results.json", "{}")
    assert "config.json cannot be read" in refused([*TINY, "--out", str(tmp_path / "run"), "--resume"], capsys)
    assert "config.json cannot be read" in refused(["predict", "--run", str(tmp_path / "run"), "a"], capsys)


def test_what_a_run_says_of_itself_may_be_damaged_anywhere(tmp_path: Path) -> None:
    """Each value of a run's settings and results left out, or another: the run is loaded, or refused in a line."""
    out = tmp_path / "run"
    assert main([*TINY, "--limit", "8", "--out", str(out)]) == 0
    for name in ("config.json", "results.json"):
        whole = json.loads((out / name).read_text(encoding="utf-8"))
        places = [(key,) for key in whole] + [("options", key) for key in whole.get("options", {})]
        for place in places:
            for value in ("left out", None, [], "x", -1, {}):
                changed = copy.deepcopy(whole)
                part = changed if len(place) == 1 else changed[place[0]]
                part[place[-1]] = value
                if value == "left out":
                    del part[place[-1]]
                (out / name).write_text(json.dumps(changed))
                with contextlib.suppress(Refused):
                    runs.load(out)
        (out / name).write_text(json.dumps(whole))


@pytest.mark.parametrize("load", [text.imdb, text.ag_news, lambda asked: images.load("mnist", asked)])
def test_every_source_obeys_the_limit(load) -> None:
    made = [
        load(SimpleNamespace(data="embedded", limit=limit, seed=seed)) for limit, seed in ((37, 0), (37, 1), (None, 0))
    ]
    labels = [each.train_labels if isinstance(each, text.Texts) else each.train_labels.tolist() for each in made]
    assert [len(each) for each in labels[:2]] == [37, 37]
    assert len(labels[2]) > 37
    assert labels[0] != labels[1], "drawn by the seed"


@pytest.mark.parametrize("files", [["test.csv"], ["test.csv", "train.csv"]])
def test_the_limit_holds_for_a_folder_of_news(
    files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path))
    (tmp_path / "ag_news_csv").mkdir()
    for name in files:
        rows = "".join(f'"{1 + k % 4}","title {k}","text {k}"\n' for k in range(50))
        (tmp_path / "ag_news_csv" / name).write_text(rows)
    whole, some = (
        text.ag_news(SimpleNamespace(data="folder", limit=limit, seed=0))  # type: ignore[arg-type]
        for limit in (None, 12)
    )
    assert len(whole.train) == (50 if len(files) == 2 else 40)
    assert len(some.train) == len(some.train_labels) == 12
    assert set(some.train) < set(whole.train)
    assert some.test == whole.test
