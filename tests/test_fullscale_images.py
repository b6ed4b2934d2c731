"""Full scale, pictures: every command on the CPU with tiny settings; resuming, several processes, damaged files."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from curriculum.fullscale import checkpoint, loop, runs, serve, settings
from curriculum.fullscale.__main__ import main
from curriculum.fullscale.errors import Refused

ROOT = Path(__file__).parent.parent
TINY = ["mnist-cnn", "--data", "embedded", "--limit", "320", "--epochs", "2", "--batch-size", "32", "--width", "4"]


@pytest.fixture(autouse=True)
def no_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)


def start(arguments: list[str], processes: int = 0) -> subprocess.Popen[str]:
    several = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)] if processes else []
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, *several, "-m", "curriculum.fullscale", *arguments],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def losses(folder: Path) -> list[float]:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return [row["loss"] for row in rows if "loss" in row]


def test_a_run_leaves_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TINY, "--epochs", "4", "--width", "8", "--out", str(tmp_path / "run")]) == 0
    assert "not MNIST" in capsys.readouterr().out
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names >= {
        "config.json", "metrics.jsonl", "curves.png", "confusion.png", "report.txt", "report.json", "results.json",
        "README.md", "model.safetensors", "checkpoint.pt",
    }  # fmt: skip
    results = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
    assert results["test_accuracy"] > 0.5
    report = json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))
    assert report["accuracy"] == pytest.approx(results["test_accuracy"])
    assert set(report) >= {"0", "9", "macro avg", "weighted avg"}
    card = (tmp_path / "run" / "README.md").read_text(encoding="utf-8")
    assert "1,437" in card
    assert torch.__version__ in card
    losses_of = losses(tmp_path / "run")
    assert len(losses_of) == results["steps"] == 4 * 9
    assert losses_of[-1] < losses_of[0]


def test_a_digit_drawn_in_a_browser_is_judged(tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs chromium, which is not installed")
    assert main([*TINY, "--epochs", "4", "--width", "8", "--out", str(tmp_path / "run")]) == 0
    listening = serve.server(runs.load(tmp_path / "run"), 0)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    try:
        done = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000", "--dump-dom", f"{listening.address}#seven"],
            capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
    finally:
        listening.shutdown()
    assert re.search(r"<h2>\d, [\d.]+ %</h2>", done.stdout)
    assert done.stdout.count('class="bar"') == 10


def test_resnet18_runs_and_draws_the_gradient_by_depth(tmp_path: Path) -> None:
    arguments = [
        "resnet18",
        "--data",
        "embedded",
        "--limit",
        "64",
        "--epochs",
        "1",
        "--width",
        "4",
        "--out",
        str(tmp_path / "run"),
    ]
    assert main(arguments) == 0
    assert (tmp_path / "run" / "gradient_by_depth.png").exists()
    results = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
    assert results["gradient_first_by_last_50_plain"] != results["gradient_first_by_last_50_skips"]


def test_resnet18_has_its_published_number_of_parameters() -> None:
    from curriculum.fullscale.resnet18 import ResNet

    published = (
        11_689_512  # of the version for 224 x 224, which has a 7x7 convolution first: 9,408 numbers instead of 1,728
    )
    assert sum(p.numel() for p in ResNet(1000, 3).parameters()) == published - 9408 + 1728


def test_two_processes_compute_what_one_does(tmp_path: Path) -> None:
    """Batch norm, augmentation, batches of odd size; 50 steps to 1e-6.

    In float64: in float32 the processes' sums are rounded otherwise (6e-7 at the first step), and Adam carries that on.
    """
    arguments = [
        *TINY,
        "--limit",
        "333",
        "--batch-size",
        "31",
        "--epochs",
        "5",
        "--dropout",
        "0",
        "--precision",
        "fp64",
    ]
    run = start([*arguments, "--out", str(tmp_path / "2")], 2)
    threads = torch.get_num_threads()
    try:
        assert main([*arguments, "--out", str(tmp_path / "0")]) == 0
    finally:
        torch.set_num_threads(threads)
    said, _ = run.communicate(timeout=120)
    assert run.returncode == 0, said
    one, two = losses(tmp_path / "0"), losses(tmp_path / "2")
    assert len(one) == len(two) == 50
    assert max(abs(a - b) for a, b in zip(one, two, strict=True)) < 1e-6
    assert json.loads((tmp_path / "2" / "results.json").read_text(encoding="utf-8"))["processes"] == 2


def test_killed_and_resumed_it_ends_with_the_same_weights(tmp_path: Path) -> None:
    arguments = [*TINY, "--epochs", "6", "--save-every", "4"]
    assert main([*arguments, "--out", str(tmp_path / "whole")]) == 0
    killed = tmp_path / "killed"
    for after in (7, 30):
        run = start([*arguments, "--out", str(killed), *(["--resume"] if killed.exists() else [])])
        deadline = time.monotonic() + 90
        while run.poll() is None and time.monotonic() < deadline:
            if (killed / "metrics.jsonl").exists() and len(losses(killed)) >= after:
                break
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        run.wait()
        assert not (killed / "results.json").exists(), "it ended before it was killed"
    threads = torch.get_num_threads()
    try:
        assert main([*arguments, "--out", str(killed), "--resume"]) == 0
    finally:
        torch.set_num_threads(threads)
    assert losses(killed) == losses(tmp_path / "whole")
    ours, theirs = load_file(killed / "model.safetensors"), load_file(tmp_path / "whole" / "model.safetensors")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_an_interruption_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run = start([*TINY, "--epochs", "500", "--out", str(out)])
    deadline = time.monotonic() + 90
    while not ((out / "metrics.jsonl").exists() and len(losses(out)) > 3) and time.monotonic() < deadline:
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    said, _ = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "all is saved" in said
    assert "--resume" in said
    found = checkpoint.load(out)
    assert found is not None
    assert found[0]["step"] == len(losses(out))


def test_a_damaged_checkpoint_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    arguments = [*TINY, "--out", str(out)]
    monkeypatch.setattr(checkpoint, "finish", lambda folder, drop: None)  # as if it had been killed just before its end
    assert main(arguments) == 0
    whole = load_file(out / "model.safetensors")
    path = out / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:1000])
    assert main([*arguments, "--resume"]) == 0
    said = capsys.readouterr().out
    assert "checkpoint.pt is damaged" in said
    assert "going on from the one before, step 9" in said
    again = load_file(out / "model.safetensors")
    assert all(torch.equal(again[name], whole[name]) for name in whole)
    for name in checkpoint.NAMES:
        (out / name).write_bytes(b"nothing")
    assert main([*arguments, "--resume"]) == 2
    assert "begin anew with --overwrite" in capsys.readouterr().err


def test_where_memory_ends_smaller_parts_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from curriculum.fullscale.mnist_cnn import CNN

    forward = CNN.forward

    def small_memory(self: CNN, x: torch.Tensor) -> torch.Tensor:
        if self.training and len(x) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, x)

    monkeypatch.setattr(CNN, "forward", small_memory)
    most = 10
    arguments = [*TINY, "--epochs", "1", "--dropout", "0", "--no-norm"]
    assert main([*arguments, "--out", str(tmp_path / "small")]) == 0
    assert json.loads((tmp_path / "small" / "results.json").read_text(encoding="utf-8"))["micro_batches"] == 4
    most = 1000
    assert main([*arguments, "--out", str(tmp_path / "large")]) == 0
    assert losses(tmp_path / "small") == pytest.approx(losses(tmp_path / "large"), abs=1e-5)
    most = 0
    assert main([*arguments, "--out", str(tmp_path / "none")]) == 2
    assert "lower --batch-size" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "required: COMMAND"),
        (["mnist"], "invalid choice: 'mnist'"),
        ([*TINY, "--device", "tpu"], "give cpu, cuda or cuda:N"),
        ([*TINY, "--device", "cuda:99"], "--device cpu works"),
        ([*TINY, "--precision", "fp16", "--device", "cpu"], "needs a GPU"),
        ([*TINY, "--epochs", "0"], "from 1 on"),
        ([*TINY, "--lr", "-1"], "above 0"),
        ([*TINY, "--patience", "0"], "--patience 0: give a whole number from 1 on"),
        ([*TINY, "--dropout", "1"], "from 0 to below 1"),
        ([*TINY, "--resume", "--overwrite"], "give one of them"),
        ([*TINY, "--data-dir", "absent"], "does not read --data-dir"),
        ([*TINY, "--data", "folder", "--data-dir", "absent"], "no such folder"),
        ([*TINY, "--data", "folder"], "there are three ways to provide it"),
        ([*TINY, "--resume", "--out", "absent"], "holds no run to resume"),
        (["resnet18", "--dataset", "cifar10", "--data", "embedded"], "is a sample of digits, not cifar10"),
    ],
)
def test_bad_input_gets_one_line(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert line in said
    assert len(said.splitlines()) == 1


def test_nothing_is_overwritten_without_being_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    arguments = [*TINY, "--epochs", "1", "--out", str(out)]
    assert main(arguments) == 0
    assert main(arguments) == 2
    assert "--resume goes on with it, --overwrite begins anew" in capsys.readouterr().err
    assert main([*arguments, "--lr", "0.5", "--resume"]) == 2
    assert "lr 0.003 then, 0.5 now" in capsys.readouterr().err
    assert main([*arguments, "--overwrite"]) == 0
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("dear")
    assert main([*arguments[:-1], str(tmp_path / "other"), "--overwrite"]) == 2
    assert (tmp_path / "other" / "letter.txt").read_text() == "dear"


def test_the_schedule_warms_up_and_ends_at_zero() -> None:
    for shape in ("cosine", "linear"):
        factor = loop.one_cycle(0.1, shape)
        assert factor(0.1) == pytest.approx(1)
        assert factor(0.05) == pytest.approx(0.5)
        assert factor(1.0) == pytest.approx(0)


def test_an_epoch_takes_every_sample_once() -> None:
    batches = loop.random_order(103, 10, 0)(3)
    assert sorted(i for batch in batches for i in batch.tolist()) == list(range(103))
    assert {len(batch) for batch in batches} <= {9, 10}


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(Refused):
        settings.choose_device("mps")
