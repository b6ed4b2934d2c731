"""Full scale, data and folders: what is never removed, what is read of hostile files, own data, calibration, mistakes."""

import json
import os
from pathlib import Path

import pytest

from curriculum.fullscale import folder
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
    listed = json.loads((out / folder.MARKER).read_text())["files"]
    left = [p for p in out.rglob("*") if p.is_file() and p.name != folder.MARKER]
    assert all(any(p in out.glob(name) for name in listed) for p in left), "a file of the run is not in its list"

    elsewhere.mkdir()
    theirs = ["thesis.tex", "tensorboard/letter.txt", "encoder/model.safetensors", "other run/config.json"]
    for name in theirs:
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text("theirs")
    (elsewhere / "x.txt").write_text("theirs")
    (out / "link").symlink_to(elsewhere)
    # a list that someone changed: what lies elsewhere stays there all the same
    marked = json.loads((out / folder.MARKER).read_text())
    marked["files"] += [
        "../elsewhere/x.txt",
        str(elsewhere / "x.txt"),
        "link/x.txt",
        "link/*",
        "../elsewhere/",
        "..",
        "link/",
    ]
    (out / folder.MARKER).write_text(json.dumps(marked))
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
    def begin(**asked: bool) -> folder.Owned:
        found = folder.Owned(tmp_path / "whole", "run", resume=False, overwrite=False, **asked)
        found.begin(anew=False)
        return found

    whole = begin()
    whole.claim("seed-0/news/")
    part = folder.Owned(tmp_path / "whole" / "seed-0" / "news", "run", resume=False, overwrite=False)
    part.begin(anew=False)
    part.write("deep/results.json", "{}")
    again = folder.Owned(tmp_path / "whole", "run", resume=False, overwrite=True)
    again.begin(anew=True)
    assert everything(tmp_path / "whole").keys() == {folder.MARKER}
    assert [p.name for p in (tmp_path / "whole").iterdir()] == [folder.MARKER]


def test_a_file_of_someone_else_in_a_run_s_folder_is_not_written_over(tmp_path: Path) -> None:
    found = folder.Owned(tmp_path / "run", "run", resume=False, overwrite=False)
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
    found = folder.Owned(tmp_path / "run", "run", resume=False, overwrite=False)
    found.begin(anew=False)

    def save(path: Path) -> None:
        (path / "deep").mkdir()
        (path / "deep" / "weights").write_bytes(b"1")
        (path / "deep" / "weights").chmod(0o600)

    (tmp_path / "run" / ".encoder.partial").mkdir()  # a process died while it wrote
    (tmp_path / "run" / ".encoder.partial" / "half").write_bytes(b"1")
    found.fill("encoder", save)
    assert everything(tmp_path / "run").keys() == {folder.MARKER, "encoder/deep/weights"}
    mask = os.umask(0o22)
    os.umask(mask)
    assert (tmp_path / "run" / "encoder" / "deep" / "weights").stat().st_mode & 0o777 == 0o666 & ~mask


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b'{"kind": "run", "files": 3}', b'{"kind": "run", "files": [3]}', b"[" * 10**5])  # fmt: skip
def test_a_damaged_marker_lets_nothing_be_removed(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / folder.MARKER).write_bytes(content)
    (tmp_path / "run" / "config.json").write_bytes(b"{}")
    before = everything(tmp_path / "run")
    for ask in (["--overwrite"], ["--resume"], []):
        assert "take another --out" in refused([*TINY, "--out", str(tmp_path / "run"), *ask], capsys)
    assert everything(tmp_path / "run") == before


MARKED = {"x.csv": "film,reviews", "x.png": folder.MADE_BY}


def test_files_that_a_command_names_are_replaced_only_where_it_wrote_them(tmp_path: Path) -> None:
    files = {tmp_path / name: mark for name, mark in MARKED.items()}
    folder.outputs(files, overwrite=False)
    (tmp_path / "x.csv").write_text("name,grade\n")
    with pytest.raises(Refused, match="give another name, or --overwrite"):
        folder.outputs(files, overwrite=False)
    with pytest.raises(Refused, match="not written by this command"):
        folder.outputs(files, overwrite=True)
    (tmp_path / "x.csv").write_text("film,reviews,share\n")
    folder.outputs(files, overwrite=True)
    with pytest.raises(Refused, match="written twice"):
        folder.outputs({tmp_path / "x.png": "a", tmp_path / "a" / ".." / "x.png": "b"}, overwrite=True)
    with pytest.raises(Refused, match="is a folder"):
        folder.outputs({tmp_path: "a"}, overwrite=True)
    with pytest.raises(Refused, match="no folder that may be written"):
        folder.outputs({tmp_path / "x.csv" / "y.csv": "a"}, overwrite=True)
    with pytest.raises(Refused, match="device"):
        folder.outputs({Path("/dev/null"): "a"}, overwrite=True)
