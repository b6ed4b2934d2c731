"""Damaged and hostile data sets, runs and checkpoints: one line each, with file, place and what was wanted; little memory."""

import gzip
import io
import json
import re
import struct
import tarfile
import tracemalloc

import numpy as np
import pytest
import torch

from curriculum import data
from curriculum.fullscale import checkpoint, images, runs, text, tokens
from curriculum.fullscale.__main__ import main
from curriculum.fullscale.errors import Refused

TINY = ["mnist-cnn", "--data", "embedded", "--limit", "320", "--epochs", "1", "--batch-size", "32", "--width", "4"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "data"


def one_line(function, *wanted, memory=300):
    """That it ends with one line in which all this stands, in so many MB at most."""
    tracemalloc.start()
    try:
        with pytest.raises((SystemExit, Refused)) as error:
            function()
        assert tracemalloc.get_traced_memory()[1] < memory * 2**20
    finally:
        tracemalloc.stop()
    said = str(error.value)
    assert "\n" not in said
    assert len(said) < 700
    for part in wanted:
        assert part in said


def short(value):
    """The name of a case: not all its bytes."""
    return value[:40] if isinstance(value, str) else f"{len(value)} bytes"


# -- MNIST


def idx(head, body, level=9):
    return gzip.compress(bytes((0, 0, 8, len(head))) + struct.pack(f">{len(head)}I", *head) + body, level)


def mnist(folder, **changed):
    (folder / "mnist").mkdir(exist_ok=True)
    whole = {}
    for part, n in (("train", 5), ("t10k", 3)):
        whole[f"{part}_images_idx3"] = idx((n, 28, 28), bytes(n * 784))
        whole[f"{part}_labels_idx1"] = idx((n,), bytes(range(n)))
    for name, content in (whole | changed).items():
        (folder / "mnist" / f"{name.replace('_', '-')}-ubyte.gz").write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("t10k_images_idx3", idx((4, 28, 28), bytes(4 * 784)), "4 pictures and 3 labels of t10k"),
        ("t10k_images_idx3", idx((3, 28, 28), bytes(2 * 784)), "2,352 bytes; there are 1,568"),
        ("t10k_images_idx3", idx((3, 28, 28), bytes(4 * 784)), "there are more than 2,352"),
        ("t10k_images_idx3", idx((3, 27, 28), bytes(3 * 27 * 28)), "wanted are pictures of 28 × 28"),
        ("t10k_images_idx3", idx((2**32 - 1, 28, 28), bytes(784)), "more bytes than it can hold"),
        ("t10k_images_idx3", idx((2**32 - 1, 2**32 - 1, 2**32 - 1), b""), "more bytes than it can hold"),
        ("t10k_images_idx3", idx((3,), bytes(3)), "wanted are [0, 0, 8, 3]"),
        ("t10k_images_idx3", idx((3, 28, 28), bytes(2**28)), "there are more than 2,352"),
        ("t10k_images_idx3", gzip.compress(bytes((0, 0, 13, 3)) + bytes(3000)), "wanted are [0, 0, 8, 3]"),
        ("t10k_images_idx3", gzip.compress(b""), "it begins with the bytes []"),
        ("t10k_images_idx3", b"", "it begins with the bytes []"),
        ("t10k_images_idx3", b"<html>", "Not a gzipped file"),
        ("t10k_images_idx3", idx((3, 28, 28), bytes(3 * 784))[:-9], "ended before"),
        ("t10k_images_idx3", (lambda b: b[:-8] + b"\xff" + b[-7:])(idx((3, 28, 28), bytes(3 * 784))), "CRC check failed"),
        ("t10k_labels_idx1", idx((3,), bytes((1, 10, 2))), "label 1 is 10; wanted are 0 to 9"),
        ("t10k_labels_idx1", idx((3,), bytes((1, 255, 255))), "label 1 is 255"),
        ("t10k_labels_idx1", idx((0,), b""), "3 pictures and 0 labels"),
    ],
    ids=short,
)  # fmt: skip
def test_mnist(folder, name, content, line):
    mnist(folder, **{name: content})
    one_line(data.mnist, line, "mnist", "fetch", memory=40)


def test_whatever_byte_of_mnist_is_wrong(folder):
    """gzip's checksum finds it, or it does not matter."""
    mnist(folder)
    expected = data.mnist()
    whole = idx((3,), bytes(range(3)))
    for place in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[place] ^= 1 << bit
            (folder / "mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(changed)
            try:
                found = data.mnist()
            except SystemExit as error:
                assert "\n" not in str(error)  # noqa: PT017
            else:
                assert found[1][1].tolist() == expected[1][1].tolist()


# -- archives


def archive(path, members, level=9):
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:gz", compresslevel=level) as file:
        for member, content in members:
            file.addfile(member, io.BytesIO(content) if member.size == len(content) else None)


def member(name, content=b"fine", **changed):
    found = tarfile.TarInfo(name)
    found.size = len(content)
    for attribute, value in changed.items():
        setattr(found, attribute, value)
    return found, content


GOOD = [
    member(f"aclImdb/{part}/{side}/{i}_9.txt")
    for part in ("train", "test")
    for side in ("pos", "neg")
    for i in range(2)
]


@pytest.mark.parametrize(
    ("bad", "line"),
    [
        (member("aclImdb/train/pos/7_7.txt", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "is a link"),
        (member("aclImdb/train/pos/7_7.txt", b"", type=tarfile.SYMTYPE, linkname="7_7.txt"), "is a link"),
        (member("aclImdb/train/pos/7_7.txt", b"", type=tarfile.LNKTYPE, linkname="../../x"), "is a link"),
        (member("aclImdb/train/pos/7_7.txt", b"", type=tarfile.FIFOTYPE), "is a link, a device"),
        (member("aclImdb/train/pos/7_7.txt", b"", type=tarfile.CHRTYPE), "is a link, a device"),
        (member("aclImdb/train/pos/7_7.txt", bytes(2**28)), "268,435,456 bytes"),
        (member("other/zeros", bytes(2**28)), "unpacks to more than"),
        (member("aclImdb/train/pos/7_7.txt", b"fine", size=2**40), "bytes"),
        (member("x" * 2**27, b""), "bytes"),  # its name is a part of its own
    ],
)  # fmt: skip
def test_archives_of_reviews(folder, bad, line):
    path = folder / "imdb" / "aclImdb_v1.tar.gz"
    archive(path, [*GOOD[:3], bad, *GOOD[3:]], level=1)
    one_line(lambda: data.imdb(4, 4), line, str(path), "fetch it again", memory=200)
    one_line(lambda: text.read_imdb(path), line, str(path), "fetch it again", memory=200)


def test_files_with_holes_are_refused(folder):
    """A sparse member says how long it is, and holds nothing: GNU's old form, whose header names the real size."""
    path = folder / "imdb" / "aclImdb_v1.tar.gz"
    found, _ = member("aclImdb/train/pos/7_7.txt", b"", type=tarfile.GNUTYPE_SPARSE)
    head = bytearray(found.tobuf(tarfile.GNU_FORMAT))
    head[483:495] = b"77777777777\0"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    path.parent.mkdir()
    path.write_bytes(gzip.compress(bytes(head) + bytes(10240)))
    one_line(lambda: data.imdb(1, 1), "holes")
    one_line(lambda: text.read_imdb(path), "holes")


def test_ids_and_texts_of_reviews(folder):
    path = folder / "imdb" / "aclImdb_v1.tar.gz"
    archive(path, [*GOOD, member(f"aclImdb/test/pos/{'1' * 5000}_9.txt")])
    one_line(lambda: text.read_imdb(path), "an id of 5000 digits", "aclImdb/test/pos/111")
    archive(
        path,
        [
            *GOOD,
            member("aclImdb/test/pos/٣_٣.txt"),
            member("../../aclImdb/test/pos/3_3.txt"),
            member("/aclImdb/test/pos/4_4.txt"),
        ],
    )
    assert len(text.read_imdb(path).test) == 4
    archive(path, [*GOOD, member("aclImdb/train/pos/8_8.txt", b"\xff\xfe")])
    one_line(lambda: data.imdb(4, 4), "aclImdb/train/pos/8_8.txt")
    archive(path, GOOD)
    whole = path.read_bytes()
    path.write_bytes(whole[:-6] + b"\xff" + whole[-5:])
    one_line(lambda: data.imdb(4, 4), "CRC")


def test_random_damage_of_an_archive(folder):
    path = folder / "imdb" / "aclImdb_v1.tar.gz"
    archive(path, GOOD)
    whole, expected = path.read_bytes(), text.read_imdb(path)
    rng = np.random.default_rng(0)
    for _ in range(200):
        changed = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            changed[rng.integers(len(changed))] = rng.integers(256)
        path.write_bytes(bytes(changed[: rng.integers(len(changed))] if rng.random() < 0.2 else changed))
        try:
            assert text.read_imdb(path) == expected
        except Refused as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_cifar(folder):
    path = folder / "cifar-10-binary.tar.gz"
    row = bytes(3073)
    for name, content, line in (
        ("data_batch_1.bin", bytes((10,)) + bytes(3072), "picture 0: the label 10; wanted are 0 to 9"), ("data_batch_1.bin", row[:-1], "rows of 3,073"),
        ("test_batch.bin", row + bytes((255,)) + bytes(3072), "picture 1: the label 255"), ("other.bin", row, "not CIFAR-10"),
    ):  # fmt: skip
        archive(path, [member(f"cifar/{name}", content)])
        one_line(images._cifar_folder, line)
    archive(
        path,
        [
            member("cifar/data_batch_2.bin", b"\2" + row[1:]),
            member("cifar/data_batch_1.bin", b"\1" + row[1:]),
            member("cifar/test_batch.bin", row),
        ],
    )
    assert images._cifar_folder().train_labels.tolist() == [1, 2]


# -- tables


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'"0","a","b"\n', "row 1: wanted are class (1 to 4), title, description; it has the class '0'"), (b'"1","a","b"\n"9","a","b"\n', "row 2"),
        (b'"5","a","b"\n', "'5'"), (b'"-1","a","b"\n', "'-1'"), (b'"' + b"9" * 5000 + b'","a","b"\n', "row 1"), (b'"1.0","a","b"\n', "'1.0'"),
        ('"١","a","b"\n'.encode(), "row 1"), (b'"1","a"\n', "2 columns"), (b"\n", "0 columns"), (b'"1","a","b","c"\n', "4 columns"),
        (b'"1","a","' + b"x" * 200_000 + b'"\n', "field larger"), (b'"1","\xff","b"\n', "utf-8"), (b'1,a,b\n1,"a,b\n', "row 2"),
    ],
    ids=short,
)  # fmt: skip
def test_news(folder, content, line):
    path = folder / "ag_news_csv" / "test.csv"
    path.parent.mkdir()
    path.write_bytes(content)
    one_line(lambda: data.ag_news(1, 1), line, str(path))
    one_line(lambda: text._news(path), line, str(path))


def test_reviews_to_judge(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"text\n" + b"x" * 200_000 + b"\n")  # more than Python's own reader takes in one field
    assert text.read_reviews(path) == [{"text": "x" * 200_000}]
    path.write_text('text,film\n"one\ntwo\u2028three",a\n', encoding="utf-8")
    assert text.read_reviews(path) == [{"text": "one two three", "film": "a"}]
    one_line(lambda: text.read_reviews(tmp_path), "cannot be read")


def test_kept_tokens_and_draws_that_are_damaged_are_made_anew(folder, monkeypatch):
    path = folder / "imdb" / "aclImdb_v1.tar.gz"
    archive(path, GOOD)
    expected = data.imdb(2, 2)
    (kept,) = (folder.parent / "cache" / "minigrad").iterdir()
    for content in (
        b"",
        b"\xff",
        b"[" * 100_000,
        b"{}",
        b"[[],[]]",
        b'[[["a",1]],[["a",1]]]',
        b'[[["a",7],["b",1]],[["a",1],["b",0]]]',
        b"[1,2]",
    ):
        kept.write_bytes(content)
        assert data.imdb(2, 2) == expected

    class Words:
        class backend_tokenizer:
            @staticmethod
            def to_str():
                return "words"

        def __call__(self, texts, **_):
            return {"input_ids": [[len(word) for word in text.split()] for text in texts]}

    texts = ["a bb ccc", "dd e"]
    whole = tokens.tokenize(texts, Words(), 9)
    (kept,) = (folder.parent / "cache" / "minigrad").glob("tokens*")
    good = kept.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(150):
        content = bytearray(good)
        content[rng.integers(len(content))] = rng.integers(256)
        kept.write_bytes(content[: rng.integers(len(content))] if rng.random() < 0.2 else content)
        found = tokens.tokenize(texts, Words(), 9)
        assert (found.ids.tolist(), found.starts.tolist()) == (whole.ids.tolist(), whole.starts.tolist())


# -- runs


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("finished") / "run"
    threads = torch.get_num_threads()
    assert main([*TINY, "--out", str(out)]) == 0
    torch.set_num_threads(threads)
    return out


@pytest.fixture
def restored(finished):
    names = ("config.json", "metrics.jsonl", "results.json", "model.safetensors", *checkpoint.NAMES)
    kept = {name: (finished / name).read_bytes() for name in names if (finished / name).exists()}
    yield finished
    for name in names:
        (finished / name).unlink(missing_ok=True)
    for name, content in kept.items():
        (finished / name).write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *((f"{name}.json", content) for name in ("config", "results")
          for content in (b"", b"{", b"[]", b"3", b"\xff\xfe", b"{}", b"[" * 100_000, b"null", b'{"command": ' + b"9" * 5000 + b"}")),
        *(("metrics.jsonl", content) for content in (b"x\n", b"\n", b"[]\n", b"{}\n", b'{"step": "1"}\n', b"\xff\n", b"[" * 100_000 + b"\n", b"\0" * 99 + b"\n",
                                                     b'{"step": 1}\n{"st\n{"step": 2}\n')),
    ],
    ids=short,
)  # fmt: skip
def test_a_damaged_file_of_a_run(restored, name, content, capsys):
    (restored / name).write_bytes(content)
    if name == "results.json":
        one_line(lambda: runs.load(restored), name, "--overwrite")
        return
    assert main([*TINY, "--resume", "--out", str(restored)]) == 2
    said = capsys.readouterr().err.strip()
    assert name in said
    assert "--overwrite" in said
    assert "\n" not in said
    if name == "config.json":
        one_line(lambda: runs.load(restored), name, "--overwrite")


def test_the_last_line_of_the_measurements_may_be_half(restored, capsys):
    path = restored / "metrics.jsonl"
    path.write_bytes(path.read_bytes() + b'{"step": 11, "lo')
    assert main([*TINY, "--resume", "--out", str(restored)]) == 0
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_a_flipped_bit_in_numbers_is_noticed(restored):
    """PyTorch's own reader does not compare the checksum that its writer wrote."""
    newest = restored / checkpoint.NAMES[0]
    whole, expected = newest.read_bytes(), checkpoint.load(restored)[0]
    place = whole.index(next(iter(expected["model"].values())).numpy().tobytes()[:16])
    newest.write_bytes(whole[:place] + bytes((whole[place] ^ 1,)) + whole[place + 1 :])
    torch.load(newest, weights_only=True)
    if (restored / checkpoint.NAMES[1]).exists():
        _, remark = checkpoint.load(restored)
        assert re.search(r"some bytes of \S+ have changed", remark)
    else:
        one_line(lambda: checkpoint.load(restored), "have changed")
    model = restored / "model.safetensors"
    content = bytearray(model.read_bytes())
    content[-3] ^= 1
    model.write_bytes(content)
    one_line(lambda: runs.load(restored), "some bytes have changed", "--overwrite")


def test_checkpoints_that_are_none(restored):
    other = io.BytesIO()
    torch.save({"model": {}}, other)
    for content in (b"", b"PK\x03\x04", other.getvalue(), bytes(1000)):
        for name in checkpoint.NAMES:
            (restored / name).write_bytes(content)
        one_line(lambda: checkpoint.load(restored), "is damaged", "--overwrite")
        assert main([*TINY, "--resume", "--out", str(restored)]) == 2


def test_what_a_killed_start_leaves_is_no_other_program_s(tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    (out / ".config.json.0.minigrad-partial").write_bytes(b"{")
    assert main([*TINY, "--limit", "32", "--out", str(out)]) == 0
    assert not list(out.glob("*partial"))
