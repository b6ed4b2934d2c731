"""Every file that a command writes into a run's folder is listed as its own, and what was measured of other weights is not shown."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import fullscale_runs
import pytest

from curriculum.fullscale import export, owned, runs, shown
from curriculum.fullscale.__main__ import COMMANDS, main
from curriculum.fullscale.owned import MARKER, Owned

TINY = ["--data", "embedded", "--limit", "64", "--epochs", "1", "--batch-size", "32"]
OTHERS = {"recommend": "writes --out alone", "serve": "writes nothing", "gpu": "writes figures, not a run"}


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def not_listed(folder: Path) -> list[str]:
    """Files under a folder that its list, and those of the folders that it lists, do not name."""
    listed = json.loads((folder / MARKER).read_text())["files"]
    ours = {folder / MARKER}
    for name in listed:
        if name.endswith("/"):
            inner = folder / name
            if (inner / MARKER).exists():
                assert not_listed(inner) == []
                ours |= set(inner.rglob("*"))
        else:
            ours |= set(folder.glob(name))
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path not in ours]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fullscale_runs.reviews(tmp_path_factory.mktemp("encoder") / "run") / "encoder"


COMMAND_LINES = {
    "mnist-cnn": [*TINY, "--width", "4"],
    "resnet18": [*TINY, "--width", "2"],
    "distilbert-imdb": [*TINY, "--test-limit", "20", "--max-length", "16", "--lora", "2"],
    "transfer": [*TINY, "--test-limit", "20", "--max-length", "16", "--width", "8", "--heads", "2", "--depth", "1", "--seeds", "1", "--news-epochs", "1", "--vocabulary", "150", "--strategies", "last"],
}  # fmt: skip


def test_every_command_is_looked_at() -> None:
    assert COMMANDS.keys() == COMMAND_LINES.keys() | OTHERS.keys() | {"predict", "export"}


@pytest.mark.parametrize("command", COMMAND_LINES)
def test_all_that_a_training_writes_is_listed(command: str, encoder: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    more = ["--model", str(encoder)] if command == "distilbert-imdb" else []
    assert main([command, *COMMAND_LINES[command], *more, "--out", str(out)]) == 0
    assert not_listed(out) == []
    assert len([path for path in out.rglob("*") if path.is_file()]) > 8


def marked(folder: Path) -> Path:
    """A run of fullscale_runs, with the list that a training leaves."""
    found = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    (folder / MARKER).write_text(json.dumps({"kind": "run", "files": found}))
    return folder


def test_what_is_written_into_a_finished_run_is_listed_and_goes_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new training with --overwrite would else show words.json, and keep an export, of weights that are gone."""
    run = marked(fullscale_runs.reviews(tmp_path / "run"))
    assert main(["predict", "--run", str(run), "--check", "2", "--data", "embedded"]) == 0

    def programs(model: Any, names: list[str], example: Any, folder: Path, facts: Any) -> None:
        for name in names:
            (folder / name).write_bytes(b"1")

    def stops(*given: Any) -> str:
        raise owned.Refused("far enough")

    monkeypatch.setattr(export, "write_programs", programs)
    monkeypatch.setattr(export, "write_int8", lambda folder, calibration: None)
    monkeypatch.setattr(export, "another_program", stops)
    assert main(["export", "--run", str(run), "--samples", "2", "--data", "embedded"]) == 2
    assert (run / "words.json").exists()
    assert (run / "export" / "model.onnx").exists()
    assert not_listed(run) == []
    (run / "export" / "mine.txt").write_text("dear")
    Owned(run, "run", resume=False, overwrite=True).begin(anew=True)
    assert [str(path.relative_to(run)) for path in sorted(run.rglob("*")) if path.is_file()] == [
        MARKER,
        "export/mine.txt",
    ]


def test_what_was_measured_of_other_weights_is_not_shown(tmp_path: Path) -> None:
    run = fullscale_runs.reviews(tmp_path / "run")
    results = json.loads((run / "results.json").read_text())
    said = {"texts": 5, "top_sign": 1.0, "rank_correlation": 0.5, "model_sha256": "a"}
    (run / "words.json").write_text(json.dumps(said))
    assert "has not been measured" in shown.page(runs.load(run))
    (run / "words.json").write_text(json.dumps(said | {"model_sha256": results.get("model_sha256")}))
    assert "has not been measured" not in shown.page(runs.load(run))


def test_a_file_of_somebody_else_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = fullscale_runs.reviews(tmp_path / "run")
    for listed in (False, True):
        if listed:
            marked(run)
        (run / "words.json").write_text("mine")
        if listed:
            (run / MARKER).write_text(json.dumps({"kind": "run", "files": ["results.json"]}))
        assert main(["predict", "--run", str(run), "--check", "2", "--data", "embedded"]) == 2
        assert "move it away" in capsys.readouterr().err
        assert (run / "words.json").read_text() == "mine"
    (run / "words.json").unlink()
    (run / "export").mkdir()
    (run / "export" / "model.onnx").write_text("mine")
    assert main(["export", "--run", str(run), "--samples", "2", "--data", "embedded"]) == 2
    assert "is there and is no export of ours" in capsys.readouterr().err
    assert os.listdir(run / "export") == ["model.onnx"]


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    Owned(tmp_path / "made", "export", resume=False, overwrite=False).begin(anew=False)
    with pytest.raises(owned.Refused, match="holds an export, no run"):
        Owned(tmp_path / "made", "run", resume=False, overwrite=True)


def test_what_is_not_there_is_not_resumed(tmp_path: Path) -> None:
    with pytest.raises(owned.Refused, match="holds no run to resume"):
        Owned(tmp_path / "absent", "run", resume=True, overwrite=False)
    assert not (tmp_path / "absent").exists()


@pytest.mark.skipif(os.environ.get("HYPOTHESIS_PROFILE") != "deep", reason="takes minutes: in the deep run")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_planted_faults_are_noticed(tmp_path: Path) -> None:
    command = [sys.executable, str(Path(__file__).with_name("planted.py")), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3000)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1])["missed"] == []
