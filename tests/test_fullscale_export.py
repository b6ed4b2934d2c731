"""Export: labels, tokenizer and preprocessing travel with the model, which is used where nothing of this project is."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import fullscale_runs
import numpy as np
import onnx
import pytest
import torch

from curriculum.fullscale import export, runs
from curriculum.fullscale.__main__ import main
from curriculum.fullscale.errors import Refused
from curriculum.fullscale.text import clean

# Any of these imported is an error: the place to which a model is carried has none of them.
ABSENT = "curriculum minigrad parity benchmarks torch transformers safetensors onnx captum"
ALONE = f"""
import runpy, sys
sys.modules.update(dict.fromkeys({ABSENT.split()!r}))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
TEXTS = ["the story is wonderful .", "caf\u00e9 <br /> the cast   is awful . " * 9, "\U0001f3ac"]


@pytest.fixture(autouse=True)
def no_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)


def alone(program: Path, *arguments: object) -> list[dict]:
    """The answers of a program that finds nothing of this project."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, str(program), *map(str, arguments)],
        capture_output=True, text=True, cwd="/", check=False, env={"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("export")
    rows = "".join(
        f"the story is {word} . {k},{label}\n" for k in range(9) for word, label in (("dull", "bad"), ("fine", "good"))
    )
    (place / "own.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    folder = fullscale_runs.reviews(place / "run", ("bad", "good"), train=place / "own.csv", depth=1)
    os.environ.pop("MINIGRAD_DATA", None)
    assert (
        main(["export", "--run", str(folder), "--samples", "1"]) == 0
    )  # an example with a batch of 1 would fix it for good
    return folder


def test_the_folder_judges_by_itself(exported: Path) -> None:
    run = runs.load(exported)
    wanted = runs.probabilities(run, [clean(text) for text in TEXTS])
    for model, bound in (("model.onnx", 1e-4), ("model.int8.onnx", 0.2)):
        found = alone(exported / "export" / "predict.py", *TEXTS, "--model", model)
        p = np.array([list(row["probabilities"].values()) for row in found])
        assert np.abs(p - wanted.numpy()).max() < bound
        assert list(found[0]["probabilities"]) == ["bad", "good"]
        if model == "model.onnx":
            assert [row["label"] for row in found] == [run.classes[k] for k in wanted.argmax(1).tolist()]


def test_names_and_labels_are_in_the_files(exported: Path) -> None:
    folder = exported / "export"
    for name in ("model.onnx", "model.int8.onnx"):
        graph = onnx.load(str(folder / name), load_external_data=False)
        assert [each.name for each in graph.graph.input] == ["input_ids", "attention_mask"]
        assert [each.name for each in graph.graph.output] == ["logits"]
    props = {each.key: each.value for each in onnx.load(str(folder / "model.onnx")).metadata_props}
    assert json.loads(props["labels"]) == ["bad", "good"]
    extra = {"preprocessing.json": ""}
    torch.export.load(str(folder / "model.pt2"), extra_files=extra)
    recipe = json.loads((folder / "preprocessing.json").read_text())
    assert json.loads(extra["preprocessing.json"]) == recipe
    assert recipe["labels"] == ["bad", "good"]
    assert recipe["max_length"] == 24
    compared = json.loads((folder / "compared.json").read_text())["files"]
    assert compared["model.onnx"]["logits_apart"] < 1e-3
    assert compared["model.int8.onnx"]["milliseconds"] > 0
    assert compared["model.int8.onnx"]["mib"] < compared["model.onnx"]["mib"]
    card = (folder / "README.md").read_text()
    assert "model.int8.onnx" in card
    assert "pipeline(" in card


def test_a_pipeline_answers_with_the_labels(exported: Path) -> None:
    from transformers import pipeline

    judge = pipeline(
        "text-classification", model=str(exported / "export" / "transformers"), truncation=True, device="cpu"
    )
    wanted = runs.probabilities(runs.load(exported), ["the story is wonderful ."])[0]
    (found,) = judge("the story is wonderful .")
    assert found["label"] == ["bad", "good"][int(wanted.argmax())]
    assert found["score"] == pytest.approx(wanted.max().item(), abs=1e-4)
    assert judge("the story is wonderful . " * 100)  # cut, not refused


def test_nothing_is_written_over_what_is_there(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again = ["export", "--run", str(exported), "--samples", "1"]
    (exported / "export" / "mine.txt").write_text("dear")
    assert main(again) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*again, "--overwrite", "--data", "embedded"]) == 2
    said = capsys.readouterr().err
    assert "--data embedded" in said
    assert "own.csv" in said
    assert (exported / "export" / "predict.py").exists()


def test_a_run_may_be_named_from_where_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other program begins in another folder than the command that starts it."""
    monkeypatch.chdir(tmp_path)
    Path("told.py").write_text("import sys; print(open(sys.argv[1]).read())")
    Path("x.txt").write_text("read")
    assert export.another_program(Path("told.py"), Path("x.txt")).strip() == "read"


def test_a_full_disk_leaves_no_half_of_an_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """PyTorch's writer raises a RuntimeError, ONNX's an OSError, ONNX Runtime's one of its own."""
    folder = fullscale_runs.pictures(tmp_path / "digits")

    def half(model, names, example, place, facts) -> None:
        (place / "model.onnx").write_bytes(b"half")
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0")

    monkeypatch.setattr(export, "write_programs", half)
    again = ["export", "--run", str(folder), "--data", "embedded", "--samples", "4"]
    with pytest.raises(RuntimeError):  # there is room: something else is wrong
        main(again)
    usage = export.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(export.shutil, "disk_usage", lambda place: usage._replace(free=100))
    assert main([*again, "--overwrite"]) == 2
    said = capsys.readouterr().err
    assert "has no room left" in said
    assert len(said.strip().splitlines()) == 1
    assert not [path for path in (folder / "export").iterdir() if "model" in path.name or "partial" in path.name]


def test_positions_that_begin_behind_the_padding(tmp_path: Path) -> None:
    """RoBERTa's table has two rows that no token gets."""
    folder = fullscale_runs.reviews(tmp_path / "run", kind="roberta", max_length=40)
    run = runs.load(folder)
    assert export.longest(export.Texts(run.model)) == 40
    own = runs.load(fullscale_runs.transferred(tmp_path / "transfer"))
    assert export.longest(export.Texts(own.model)) == 24
    given = {name: torch.ones(2, 5, dtype=torch.long) for name in ("input_ids", "attention_mask")}
    (tmp_path / "out").mkdir()
    export.write_programs(export.Texts(run.model).eval(), ["model.pt2"], given, tmp_path / "out", export.recipe(run))
    program = torch.export.load(str(tmp_path / "out" / "model.pt2")).module()
    longest = torch.full((1, 40), 5)
    found = program(input_ids=longest, attention_mask=torch.ones_like(longest))
    torch.testing.assert_close(found, run.model(longest).logits)


@pytest.mark.parametrize("kind", ["pictures", "reviews"])
def test_a_run_is_judged_on_the_data_that_it_was_trained_on(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever data this machine has; and on others, asked for by name, not without a word."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "data"))  # nothing of a data set is in it
    run = runs.load(getattr(fullscale_runs, kind)(tmp_path / "run"))
    assert run.config["data"] == "embedded"
    given = ["export", "--run", str(run.folder)]
    found, truth = export.samples_of(run, arguments_of(given))
    assert len(found) == len(truth) > 0
    assert "measured on" not in capsys.readouterr().err
    with pytest.raises(Refused, match="three ways to provide it|no data folder|is not in"):
        export.samples_of(run, arguments_of([*given, "--data", "folder"]))
    run.results["data"] = "60,000 others"
    export.samples_of(run, arguments_of(given))
    assert "The run was trained and tested on 60,000 others" in capsys.readouterr().err


def arguments_of(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    export.add_arguments(parser)
    return parser.parse_args(given[1:])


def test_pictures(tmp_path: Path) -> None:
    folder = fullscale_runs.pictures(tmp_path / "digits")
    assert main(["export", "--run", str(folder), "--samples", "40"]) == 0
    picture = np.random.default_rng(0).uniform(0, 255, (2, 1, 28, 28)).astype(np.float32)
    np.save(tmp_path / "two.npy", picture)
    with torch.no_grad():
        wanted = runs.load(folder).model(torch.from_numpy(picture))
    found = alone(folder / "export" / "predict.py", tmp_path / "two.npy")
    np.testing.assert_allclose([row["logits"] for row in found], wanted.numpy(), atol=1e-4)
    assert list(found[0]["probabilities"]) == [str(k) for k in range(10)]
    compared = json.loads((folder / "export" / "compared.json").read_text())["files"]
    assert compared["model.int8.onnx"]["same"] > 30


def test_what_transfer_trained(tmp_path: Path) -> None:
    run = runs.load(fullscale_runs.transferred(tmp_path / "transfer"))
    given = dict(zip(("input_ids", "attention_mask"), runs.encode(run, ["fine ."]), strict=True))
    export.write_programs(export.Texts(run.model).eval(), ["model.onnx"], given, tmp_path, export.recipe(run))
    export.write_int8(tmp_path, None)
    (tmp_path / "tokenizer.json").write_text(run.tokenizer.backend_tokenizer.to_str())
    (tmp_path / "preprocessing.json").write_text(json.dumps(export.recipe(run)))
    (tmp_path / "predict.py").write_bytes((export.STANDALONE / "texts.py").read_bytes())
    wanted = runs.probabilities(run, [clean(text) for text in TEXTS])
    for model, bound in (("model.onnx", 1e-4), ("model.int8.onnx", 0.2)):
        found = alone(tmp_path / "predict.py", *TEXTS, "--model", model)
        p = np.array([list(row["probabilities"].values()) for row in found])
        assert np.abs(p - wanted.numpy()).max() < bound
