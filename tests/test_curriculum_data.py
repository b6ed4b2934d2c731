"""The readers of real data: canonical layouts, half-downloaded files, no folder, and what is kept."""

import gzip
import io
import os
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest

from curriculum import data


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "data"


def idx(array: np.ndarray) -> bytes:
    """The IDX format of MNIST's files: two zeros, the type (8: unsigned byte), the rank, the sizes, the bytes."""
    return gzip.compress(struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes())


def write_mnist(folder: Path) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    arrays = {}
    (folder / "mnist").mkdir()
    for part, number in (("train", 5), ("t10k", 3)):
        arrays[f"{part}-images-idx3-ubyte"] = rng.integers(0, 256, (number, 28, 28)).astype(np.uint8)
        arrays[f"{part}-labels-idx1-ubyte"] = rng.integers(0, 10, number).astype(np.uint8)
    for name, array in arrays.items():
        (folder / "mnist" / f"{name}.gz").write_bytes(idx(array))
    return arrays


def write_imdb(folder: Path, texts: dict[str, str]) -> Path:
    path = folder / "imdb" / "aclImdb_v1.tar.gz"
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, text in texts.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


REVIEWS = {
    "aclImdb/train/pos/1_9.txt": "grand<br />film",
    "aclImdb/train/neg/1_2.txt": "poor film",
    "aclImdb/train/urls_pos.txt": "no review",
    "aclImdb/test/pos/3_8.txt": "fine",
    "aclImdb/test/neg/9_1.txt": "bad",
}


def test_mnist_is_read_from_its_four_files(folder: Path) -> None:
    arrays = write_mnist(folder)
    found = data.mnist()
    assert found is not None
    for (pictures, digits), part in zip(found, ("train", "t10k"), strict=True):
        np.testing.assert_array_equal(pictures, arrays[f"{part}-images-idx3-ubyte"])
        np.testing.assert_array_equal(digits, arrays[f"{part}-labels-idx1-ubyte"])
        assert digits.dtype == np.int64


@pytest.mark.parametrize("damage", [lambda b: b[:40], lambda b: b"", lambda b: b"<html>not found</html>"])
def test_half_a_file_gets_one_line(folder: Path, damage) -> None:
    write_mnist(folder)
    path = folder / "mnist" / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SystemExit, match=r"t10k-images.*damaged or only half downloaded.*fetch it again") as error:
        data.mnist()
    assert "\n" not in str(error.value)


def test_reviews_come_from_the_archive_and_are_kept(folder: Path) -> None:
    path = write_imdb(folder, REVIEWS)
    texts, labels, texts_test, labels_test = data.imdb(2, 2)
    assert sorted(zip(texts, labels, strict=True)) == [("grand film", 1), ("poor film", 0)]
    assert sorted(zip(texts_test, labels_test, strict=True)) == [("bad", 0), ("fine", 1)]
    kept = list((folder.parent / "cache" / "minigrad").iterdir())
    assert len(kept) == 1
    assert data.imdb(2, 2) == (texts, labels, texts_test, labels_test)

    write_imdb(folder, REVIEWS | {"aclImdb/train/pos/1_9.txt": "changed"})  # another file: read anew
    os.utime(path, ns=(1, 1))
    assert "changed" in data.imdb(2, 2)[0]

    with pytest.raises(SystemExit, match="holds 2 reviews in its train part, 3 are wanted"):
        data.imdb(3, 1)


def test_half_an_archive_gets_one_line(folder: Path) -> None:
    path = write_imdb(folder, {f"aclImdb/train/pos/{i}_9.txt": os.urandom(600).hex() for i in range(40)})
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(SystemExit, match="damaged or only half downloaded") as error:
        data.imdb(1, 1)
    assert "\n" not in str(error.value)


def test_news_come_from_the_file_that_is_there(folder: Path) -> None:
    path = folder / "ag_news_csv" / "test.csv"
    path.parent.mkdir()
    path.write_text("".join(f'"{i % 4 + 1}","title {i}","a ""quoted"" text\\\\here"\n' for i in range(8)))
    texts, topics, texts_test, topics_test = data.ag_news(5, 3)
    assert len(texts) == len(topics) == 5
    assert len(texts_test) == len(topics_test) == 3
    assert not set(texts) & set(texts_test)
    assert set(topics + topics_test) == {0, 1, 2, 3}
    with pytest.raises(SystemExit, match="holds 8 news, 9 are wanted"):
        data.ag_news(5, 4)
    path.write_text("no,topic\n")
    with pytest.raises(SystemExit, match="damaged"):
        data.ag_news(1, 1)


def test_without_a_folder_texts_are_generated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    assert data.mnist() is None
    texts, labels, *_ = data.imdb(10, 4)
    assert len(texts) == len(labels) == 10
    assert data.imdb(10, 4)[0] == texts
    assert data.tinyshakespeare().startswith("The ") or data.tinyshakespeare().startswith("At ")


def test_an_absent_folder_gets_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "absent"))
    with pytest.raises(SystemExit, match="correct --data-dir or MINIGRAD_DATA"):
        data.mnist()
