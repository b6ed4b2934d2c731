"""What only a GPU can show: the command rehearsed on the CPU, and what is decided for CUDA alone, with stand-ins."""

import io
import json
import os
import sys
import tarfile
import time
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

os.environ["HF_HUB_OFFLINE"] = "1"

from curriculum import corpus
from curriculum.fullscale import cuda, find_batch, loop, pictures, settings
from curriculum.fullscale.__main__ import main
from curriculum.fullscale.errors import Refused
from curriculum.fullscale.gpu import STAGES, agreement, machine, pack
from curriculum.fullscale.gpu import context as contexts
from curriculum.fullscale.gpu import record as records
from curriculum.fullscale.gpu import stages as gpu_stages

TINY = ["mnist-cnn", "--data", "embedded", "--limit", "160", "--epochs", "2", "--batch-size", "32", "--width", "4"]


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


# -- the command


def test_the_whole_of_it_rehearsed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "gpu"
    arguments = ["gpu", "--rehearse", "--device", "cpu", "--out", str(out)]
    assert main(arguments) == 0, capsys.readouterr().out
    found = json.loads((out / "gpu.json").read_text(encoding="utf-8"))
    assert list(found["stages"]) == [stage.name for stage in STAGES]
    assert {stage["status"] for stage in found["stages"].values()} == {"done"}
    bars = [bar for stage in found["stages"].values() for bar in stage["bars"]]
    assert all(bar["met"] is not False for bar in bars)
    assert {bar["met"] for bar in bars} == {True, None}  # correctness is judged, speed is not
    assert found["stages"]["resume"]["figures"]["weights_apart"] == 0.0
    table = (out / "gpu.md").read_text(encoding="utf-8")
    assert "no figure here says anything" in table
    assert table in capsys.readouterr().out

    begin = time.monotonic()
    assert main(arguments) == 0  # all is there
    assert time.monotonic() - begin < 20
    assert capsys.readouterr().out.count("done before") == len(STAGES) - 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "--rehearse runs it small on a CPU"),
        (["--rehearse", "--stages", "speed"], "--stages speed: there are facts, agree"),
        (["--rehearse", "--minutes", "0"], "--minutes 0: give a number above 0"),
        (["--rehearse", "--minutes", "nan"], "--minutes nan: give a number above 0"),
        (["--rehearse", "--model", "absent"], "no encoder is there"),
        (["--rehearse", "--data-dir", "absent"], "no such folder"),
        (["--device", "cuda:99"], "--device cpu works"),
        (["--pack", "packed"], "mnist/ with its four files; imdb/aclImdb_v1.tar.gz; encoder/"),
    ],
)
def test_bad_input_gets_one_line(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["gpu", *arguments]) == 2
    said = capsys.readouterr().err
    assert line in said
    assert len(said.splitlines()) == 1


CHILD = """
import json, sys, time
print("loading weights")
print('@gpu {"first": 1.5}')
print('@gpu {"bar": {"name": "b", "value": 2.0, "kind": "at least", "bound": 1.0, "met": true}}')
%s
"""


def _with_child(monkeypatch: pytest.MonkeyPatch, ends: str) -> None:
    """Stages whose process says two figures and then does what `ends` says; the device is taken for a GPU."""
    from curriculum.fullscale import gpu

    monkeypatch.setattr(gpu, "STAGES", (contexts.Stage("facts", "first", 1, first=True), contexts.Stage("mnist", "second", 1)))  # fmt: skip
    monkeypatch.setattr(settings, "choose_device", lambda wanted: "cuda:0")
    monkeypatch.setattr(gpu, "command", lambda stage, context, before: [sys.executable, "-u", "-c", CHILD % ends, json.dumps(before)])  # fmt: skip


def test_a_cut_loses_nothing_and_the_next_call_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["gpu", "--out", str(tmp_path), "--minutes", "0.15"]
    _with_child(monkeypatch, "time.sleep(600)")
    begin = time.monotonic()
    assert main(arguments) == 1
    assert time.monotonic() - begin < 60
    found = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
    assert [stage["status"] for stage in found["stages"].values()] == ["cut", "cut"]
    assert found["stages"]["mnist"]["figures"] == {"first": 1.5}
    assert found["stages"]["mnist"]["bars"][0]["value"] == 2.0
    assert "its time was over" in (tmp_path / "gpu.md").read_text(encoding="utf-8")
    assert "loading weights" in (tmp_path / "gpu.log").read_text(encoding="utf-8")

    _with_child(monkeypatch, "assert json.loads(sys.argv[1]) == {'first': 1.5}, 'what was measured was not handed on'")
    assert main([*arguments[:3], "--minutes", "2"]) == 0
    _with_child(monkeypatch, "sys.exit('no GPU memory')")
    capsys.readouterr()
    assert main([*arguments[:3], "--stages", "mnist"]) == 1  # facts are measured anew, mnist was done
    assert "mnist: done before" in capsys.readouterr().out
    assert main([*arguments[:3], "--minutes", "2", "--again"]) == 1
    found = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
    assert found["stages"]["mnist"]["status"] == "broke"
    assert "no GPU memory" in found["stages"]["mnist"]["said"]


def test_a_missed_bar_is_no_success(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    missed = 'print(\'@gpu {"bar": {"name": "c", "value": NaN, "kind": "at most", "bound": 1.0, "met": false}}\')'
    _with_child(monkeypatch, missed)
    assert main(["gpu", "--out", str(tmp_path), "--minutes", "2"]) == 1
    content = (tmp_path / "gpu.json").read_text(encoding="utf-8")
    assert json.loads(content, parse_constant=pytest.fail)["stages"]["mnist"]["bars"][1]["value"] == "nan"
    assert "**not met**" in (tmp_path / "gpu.md").read_text(encoding="utf-8")


def test_figures_of_one_card_are_not_mixed_with_another_s(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "gpu"

    def record(rehearsal: bool = False) -> records.Record:
        return records.Record(out, rehearsal=rehearsal, device="cuda:0")

    first = record()
    for name in ("facts", "mnist"):
        first.begin(name, name)
        first.take(name, {"gpu": "card A", "torch": "2.11.0"})
        first.end(name, "done", 1.0, "")
    again = record()
    again.take("facts", {"gpu": "card A", "torch": "2.11.0"})
    again.identify()
    again.take("facts", {"gpu": "card B"})
    again.identify()
    assert "figures of gpu card A, torch 2.11.0; here is gpu card B" in capsys.readouterr().out
    again.take("mnist", {"seconds": 2})
    kept, beside = (json.loads((folder / "gpu.json").read_text()) for folder in (out, tmp_path / "gpu-2"))
    assert kept["stages"]["facts"]["figures"]["gpu"] == "card A"
    assert kept["stages"]["mnist"]["figures"] == {"gpu": "card A", "torch": "2.11.0"}
    assert beside["stages"]["facts"]["figures"]["gpu"] == "card B"
    assert beside["stages"]["mnist"]["figures"] == {"seconds": 2}
    with pytest.raises(Refused, match="holds figures of a GPU, this is a rehearsal"):
        record(rehearsal=True)
    for damage in ("[]", "{}", '{"stages": {"facts": 3}, "rehearsal": false}', "{", "\x00"):
        first.path.write_text(damage)
        with pytest.raises(Refused, match=r"cannot be read|an array"):
            record()


def test_missing_packages_are_named_and_stop_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("torch==1.0\nnumpy==0.1 ; x\n")
    monkeypatch.setattr(machine, "NAMED", ("torch", "no-such-package", "pytest"))
    found = machine.packages(lock)
    assert found["packages_missing"] == ["no-such-package"]
    assert found["packages_of_other_versions"] == [f"torch {torch.__version__}, the lock has 1.0"]
    assert found["packages"] == [f"pytest {pytest.__version__}"]


def test_stages_name_what_packages_they_lack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said: list[dict[str, Any]] = []
    monkeypatch.setattr(gpu_stages.importlib.util, "find_spec", lambda name: None)
    context = contexts.Context("cuda:0", rehearse=False, model="", scratch=str(tmp_path), say=said.append)
    gpu_stages.tests(context)
    assert said == [{"left_out": "pytest, hypothesis missing"}]


# -- what breaks stops nothing else


@pytest.mark.parametrize("broken", [stage.name for stage in STAGES])
def test_a_stage_that_raises_stops_no_other(
    broken: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def compute(context: contexts.Context) -> None:
        context.figures(was_here=1)

    def planted(context: contexts.Context) -> None:
        context.figures(was_here=1)
        raise KeyError("planted\nin two lines")

    for stage in STAGES:
        monkeypatch.setitem(gpu_stages._FUNCTIONS, stage.name, planted if stage.name == broken else compute)
    assert main(["gpu", "--rehearse", "--device", "cpu", "--out", str(tmp_path / "gpu")]) == 1
    stages = json.loads((tmp_path / "gpu" / "gpu.json").read_text(encoding="utf-8"))["stages"]
    assert {name: stage["status"] for name, stage in stages.items()} == {
        stage.name: "broke" if stage.name == broken else "done" for stage in STAGES
    }
    assert all(stage["figures"] == {"was_here": 1} for stage in stages.values())
    log = (tmp_path / "gpu" / "gpu.log").read_text(encoding="utf-8")
    assert log.startswith(f"== {broken}\nTraceback")
    assert "raise KeyError" in log
    assert f"| {broken} | | | broke KeyError" in capsys.readouterr().out


def _stubs(said: list[dict[str, Any]], planted: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The stages that have parts, on stand-ins of which `planted` raises; the names of all that were called."""
    called: list[str] = []

    def stub(name: str, answer: Any) -> Any:
        def does(*given: Any, **named: Any) -> Any:
            full = ":".join([name, *[str(each) for each in given if isinstance(each, str | int | bool)]][:4])
            called.append(full)
            if full == planted:
                raise OSError(5, "planted")
            return answer

        return does

    for name in ("layers", "models", "optimizers"):
        monkeypatch.setattr(agreement, name, stub(name, {"one": 1e-9}))
    monkeypatch.setattr(agreement, "skipped_step", stub("skipped_step", {"apart": 0.0}))
    monkeypatch.setattr(agreement, "waits", stub("waits", {}))
    monkeypatch.setattr(agreement, "group_of_one", stub("group_of_one", {"backend": "nccl"}))
    monkeypatch.setattr(machine, "packages", stub("packages", {"packages": []}))
    monkeypatch.setattr(machine, "device", lambda name: {"gpu": "stand-in"})
    monkeypatch.setattr(machine, "limits", stub("limits", [("copy", 1.0)]))
    monkeypatch.setattr(gpu_stages, "encoder", lambda context: "encoder")
    monkeypatch.setattr(gpu_stages, "losses", lambda folder: [1.0])
    monkeypatch.setattr(gpu_stages, "full_scale", stub("full_scale", ""))
    monkeypatch.setattr(gpu_stages, "_measured", stub("measured", {"tokens_per_second": 1.0, "share": 0.5}))
    monkeypatch.setattr(gpu_stages, "_torchrun", stub("torchrun", None))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    for name in ("facts", "agree", "throughput", "nccl"):
        context = contexts.Context("cuda:0", rehearse=False, model="", scratch=str(tmp_path), say=said.append)
        status, words = gpu_stages.run_stage(name, context)
        said.append({"ended": (name, status, words)})
    return called


def test_a_part_that_raises_stops_no_other_part(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every stand-in of every part breaks once: the others are called all the same, and the traceback is said."""
    said: list[dict[str, Any]] = []
    called = _stubs(said, "", monkeypatch, tmp_path)
    assert len(set(called)) > 25
    assert [one["ended"][1:] for one in said if "ended" in one] == 4 * [("done", "")]
    whole_run = {"full_scale:mnist-cnn:--data:embedded"}  # what the others of its stage are held against
    for planted in sorted(set(called) - whole_run):
        found: list[dict[str, Any]] = []
        capsys.readouterr()
        others = _stubs(found, planted, monkeypatch, tmp_path)
        assert set(others) >= set(called), planted
        ended = [one["ended"] for one in found if "ended" in one]
        assert [status for _, status, _ in ended].count("broke") == 1, planted
        broke = [one for one in found if any(name.endswith("_broke") for name in one)]
        assert broke
        assert "planted" in str(broke)
        assert "Traceback" in capsys.readouterr().err


def test_a_stage_s_traceback_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _with_child(monkeypatch, "raise ValueError('planted')")
    assert main(["gpu", "--out", str(tmp_path), "--minutes", "2"]) == 1
    stages = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))["stages"]
    assert [(stage["status"], stage["figures"]) for stage in stages.values()] == 2 * [("broke", {"first": 1.5})]
    assert (tmp_path / "gpu.log").read_text(encoding="utf-8").count("Traceback") == 2


def test_a_folder_that_cannot_be_written_costs_no_figure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _with_child(monkeypatch, "")
    monkeypatch.setattr(records, "mkdtemp", lambda prefix: str(tmp_path / "other"))
    (tmp_path / "file").write_text("")
    assert main(["gpu", "--out", str(tmp_path / "file" / "gpu"), "--minutes", "2"]) == 0
    assert f"the figures go to {tmp_path / 'other'}" in capsys.readouterr().out
    assert json.loads((tmp_path / "other" / "gpu.json").read_text(encoding="utf-8"))["stages"]["mnist"]["bars"]

    def full(path: Path, content: str) -> None:
        if path.name != "gpu.probe":
            raise OSError(28, "No space left on device")
        path.touch()

    monkeypatch.setattr(records, "write", full)
    assert main(["gpu", "--out", str(tmp_path), "--minutes", "2"]) == 0
    said = capsys.readouterr().out
    assert said.count("No space left") == 1
    assert "| mnist | b | at least 1 | 2 | met |" in said


def test_pytest_tells_what_it_finds_as_it_comes(tmp_path: Path) -> None:
    import subprocess

    from curriculum.fullscale import told

    (tmp_path / "test_some.py").write_text(
        "import pytest\ndef test_good(): pass\ndef test_bad(): assert 1 == 2\ndef test_absent(): import no_such_package\n"
        "@pytest.mark.skip(reason='why')\ndef test_left(): pass\n"
    )
    (tmp_path / "test_other.py").write_text("import no_such_package\n")
    environment = contexts.environment() | {told.TO: str(tmp_path / "told")}
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", told.__name__, "--continue-on-collection-errors", "-p", "no:cacheprovider", str(tmp_path)],
        env=environment, cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert told.counted(tmp_path / "told") == {"passed": 1, "failed": 1, "lacking": 2, "skipped": 1}
    (failed,) = told.failed(tmp_path / "told")
    assert "test_bad" in failed


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="groups of processes, and /proc")
def test_nothing_outlives_who_asked_for_it() -> None:
    import signal
    import subprocess

    from curriculum.fullscale import gpu

    def gone(number: int) -> bool:
        path = Path(f"/proc/{number}/stat")
        return not path.exists() or path.read_text().rpartition(")")[2].split()[0] == "Z"

    def soon_gone(number: int) -> bool:
        deadline = time.monotonic() + 30
        while not gone(number) and time.monotonic() < deadline:
            time.sleep(0.05)
        return gone(number)

    starts = "import subprocess, time; print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid, flush=True); time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", starts], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert child.stdout is not None
    inner = int(child.stdout.readline())
    gpu._kill(child)
    child.wait()
    child.stdout.close()
    assert soon_gone(inner)

    get, put = os.pipe()
    parent = os.fork()
    if not parent:  # one who asks, and dies
        asked = os.fork()
        if not asked:
            os.setsid()
            gpu_stages._end_with(os.getppid())
            os.write(put, str(os.getpid()).encode())
            time.sleep(600)
            os._exit(0)
        time.sleep(600)
        os._exit(0)
    inner = int(os.read(get, 20))
    assert not gone(inner)
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    assert soon_gone(inner)


# -- what is carried


def test_what_is_packed_fits_and_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import gzip
    import struct

    data, out = tmp_path / "data", tmp_path / "packed"
    (data / "mnist").mkdir(parents=True)
    for part, count in (("train", 30), ("t10k", 10)):
        pictures_of = struct.pack(">IIII", 2051, count, 28, 28) + bytes(28 * 28 * count)
        labels_of = struct.pack(">II", 2049, count) + bytes(i % 10 for i in range(count))
        (data / "mnist" / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(pictures_of))
        (data / "mnist" / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels_of))
    (data / "imdb").mkdir()
    with tarfile.open(data / "imdb" / "aclImdb_v1.tar.gz", "w:gz") as file:
        for part in ("train", "test"):
            texts, labels = corpus.reviews(1200, 3)
            for i, (text, label) in enumerate(zip(texts, labels, strict=True)):
                member = tarfile.TarInfo(f"aclImdb/{part}/{'pos' if label else 'neg'}/{i}_{9 if label else 2}.txt")
                content = f"{text} {i} {os.urandom(20).hex()}".encode()
                member.size = len(content)
                file.addfile(member, io.BytesIO(content))
    context = contexts.Context("cpu", rehearse=True, model="", scratch=str(tmp_path))
    encoder = contexts.encoder(context)

    arguments = ["gpu", "--data-dir", str(data), "--model", encoder, "--pack"]
    assert main([*arguments, str(out), "--mib", "0.2"]) == 0
    said = capsys.readouterr().out
    assert "reviews)" in said
    assert "carried beside it" in said
    assert 0.1 * pack.MIB < pack.size_of(out) <= 0.2 * pack.MIB
    from curriculum.fullscale import images, reviews, text, tokens

    monkeypatch.setenv("MINIGRAD_DATA", str(out))
    auto: Any = SimpleNamespace(data="folder", limit=None, seed=0)
    assert len(images.load("mnist", auto).train) == 30
    found = text.imdb(auto)
    assert len(found.train) == pytest.approx(4 * len(found.test), abs=4)
    assert 0.3 < sum(found.train_labels) / len(found.train) < 0.7
    model = reviews.encoder(str(out / "encoder"), found.classes)
    assert next(model.parameters()).dtype == torch.float32
    assert len(tokens.tokenizer_of(str(out / "encoder"))) > 100
    again = tmp_path / "again"
    assert main([*arguments, str(again), "--mib", "0.2"]) == 0
    for path in sorted(p.relative_to(out) for p in out.rglob("*") if p.is_file()):
        assert (out / path).read_bytes() == (again / path).read_bytes()
    capsys.readouterr()
    assert main([*arguments, str(out)]) == 2
    assert "not empty" in capsys.readouterr().err
    assert main([*arguments, str(tmp_path / "small"), "--mib", "0.05"]) == 2
    assert "MiB for reviews" in capsys.readouterr().err
    assert not (tmp_path / "small").exists()


# -- the end of memory

SPELLINGS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    torch.cuda.OutOfMemoryError("CUDA out of memory."),
    torch.AcceleratorError("CUDA error: out of memory"),
    RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 31.75 GiB total capacity)"),
    RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
    RuntimeError("HIP out of memory. Tried to allocate 2 GiB"),
    RuntimeError("CUDA driver error: out of memory"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
    MemoryError("Unable to allocate 3.00 TiB for an array"),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED"),
    RuntimeError("cuFFT error: CUFFT_ALLOC_FAILED"),
    RuntimeError("CUDA driver error: CUDA_ERROR_OUT_OF_MEMORY"),
    RuntimeError("CUDA error: cudaErrorMemoryAllocation"),
]  # fmt: skip


@pytest.mark.parametrize("error", SPELLINGS, ids=lambda error: str(error)[:40])
def test_the_end_of_memory_is_known_in_every_spelling(error: BaseException) -> None:
    assert cuda.memory_ended(error)
    with pytest.raises(RuntimeError) as wrapped:
        raise RuntimeError("the compiled step failed") from error
    assert cuda.memory_ended(wrapped.value)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"),
        RuntimeError("CUDA error: device-side assert triggered"),
        torch.AcceleratorError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("cuDNN error: CUDNN_STATUS_BAD_PARAM"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_BAD_LAUNCH_PARAM"),
        ValueError("out of memory"),
        KeyError("out of memory"),
    ],
    ids=lambda error: str(error)[:40],
)
def test_other_errors_are_not_taken_for_it(error: BaseException) -> None:
    assert not cuda.memory_ended(error)


@pytest.mark.parametrize("error", SPELLINGS[::6], ids=lambda error: str(error)[:40])
def test_a_step_that_finds_no_memory_is_let_go_before_the_next_try(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the failed step had computed is gone when memory is asked for anew: no `except` holds its frames."""
    import gc
    import weakref

    from curriculum.fullscale.mnist_cnn import CNN

    forward, held, forget = CNN.forward, [], cuda.forget
    at_forget: list[int] = []

    class Large:
        """A stand-in for what the step had computed."""

    def small_memory(self: CNN, x: torch.Tensor) -> torch.Tensor:
        if self.training and len(x) > 20:
            large = Large()
            held.append(weakref.ref(large))
            raise type(error)(str(error))
        return forward(self, x)

    def watched(device: Any) -> None:
        gc.collect()
        at_forget.append(sum(one() is not None for one in held))
        forget(device)

    monkeypatch.setattr(CNN, "forward", small_memory)
    monkeypatch.setattr(cuda, "forget", watched)
    assert main([*TINY, "--epochs", "1", "--dropout", "0", "--no-norm", "--out", str(tmp_path / "run")]) == 0
    assert at_forget == [0]
    assert json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))["micro_batches"] == 2


# -- the largest batch


@pytest.mark.parametrize("room", [0, 1, 7, 8, 9, 100, 1000, 1536, 40000, 65536, 10**9])
def test_the_largest_batch_is_found_to_an_eighth(room: int) -> None:
    tried: list[int] = []

    def fits(size: int) -> bool:
        tried.append(size)
        return size <= room

    good, bad = find_batch.largest(fits)
    assert len(tried) == len(set(tried)) <= 18
    if room >= 65536:
        assert (good, bad) == (65536, None)
    else:
        assert good <= room < bad <= good + max(1, good // 8)  # type: ignore[operator]


def test_the_search_survives_steps_that_find_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a stand-in for a GPU that has room for 100 samples, each refusal spelled otherwise."""
    taken = {"now": 0}
    spellings = iter(SPELLINGS * 3)

    def step(model: Any, settings: Any, size: int, *rest: Any) -> None:
        taken["now"] = 10 + 5 * size
        if size > 100:
            raise next(spellings)

    fake = SimpleNamespace(
        mem_get_info=lambda device: (10**9, 1000), max_memory_allocated=lambda device: taken["now"],
        max_memory_reserved=lambda device: taken["now"] + 5, reset_peak_memory_stats=lambda device: None,
        empty_cache=lambda: None, synchronize=lambda device: None,
    )  # fmt: skip
    monkeypatch.setattr(find_batch.torch, "cuda", fake)
    monkeypatch.setattr(find_batch, "_step", step)
    model = torch.nn.Linear(2, 2)
    monkeypatch.setattr(torch.nn.Module, "to", lambda self, *rest: self)
    given: Any = SimpleNamespace(device="cuda:0", dtype=torch.float32)
    told: dict[int, bool] = {}
    found = find_batch.largest_batch(model, given, 256, 100, tried=told.__setitem__)
    assert told[found.batch]
    assert not told[found.refused]
    assert found is not None
    assert 88 <= found.batch <= 100
    assert found.refused is not None
    assert found.refused > found.batch
    assert found.predicted == found.peak == 10 + 5 * found.batch
    assert f"a batch of {found.batch} samples of 256 tokens fits cuda:0" in found.line(256, "cuda:0")

    def wrong(*given: Any) -> None:
        raise RuntimeError("CUDA error: device-side assert triggered")

    monkeypatch.setattr(find_batch, "_step", wrong)
    with pytest.raises(RuntimeError, match="device-side assert"):
        find_batch.largest_batch(model, given, 256, 100)


# -- steps that nobody waits for


def test_a_step_asks_for_its_loss_alone() -> None:
    """In one place of our own; on a GPU that is after the next step has been given to it."""
    found = agreement.waits("cpu")
    ours = [place for place in found if "curriculum" in place]
    assert len(ours) == 1
    assert "loop.py" in ours[0]
    assert sum(found[place] for place in ours) == 8  # once a step


def test_a_loss_read_late_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.torch import load_file

    def losses(name: str) -> list[float]:
        rows = [
            json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        return [row["loss"] for row in rows if "loss" in row]

    arguments = [*TINY, "--save-every", "3", "--out"]
    assert main([*arguments, str(tmp_path / "at once")]) == 0
    monkeypatch.setattr(loop, "_late", lambda *given: 1)
    assert main([*arguments, str(tmp_path / "late")]) == 0
    assert losses("late") == losses("at once")
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("at once", "late"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert not [place for place in agreement.waits("cpu") if "curriculum" in place]


@pytest.mark.parametrize(
    ("command", "first"),  # resnet18 computes the gradient by depth of four networks first
    [(TINY, 3), (["resnet18", *TINY[1:], "--epochs", "1"], 4 + 3)],
    ids=["AdamW", "SGD"],
)
def test_a_loss_that_is_no_number_leaves_the_weights_as_they_were(
    command: list[str], first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Read late, it is found when the next step has been computed, and that one has changed nothing either."""
    from curriculum.fullscale import checkpoint

    module = pictures.Scaled
    forward, broken = module.forward, first

    def breaks(self: Any, x: torch.Tensor) -> torch.Tensor:
        nonlocal broken
        broken -= self.training
        return forward(self, x) * (float("nan") if self.training and broken == 0 else 1.0)

    monkeypatch.setattr(module, "forward", breaks)
    ends = []
    for name, late in (("at once", 0), ("late", 1)):
        monkeypatch.setattr(loop, "_late", lambda *given, late=late: late)
        broken = first
        assert main([*command, "--out", str(tmp_path / name)]) not in (0, 2)
        assert "Step 3 of" in capsys.readouterr().err
        found = checkpoint.load(tmp_path / name)
        assert found is not None
        assert found[0]["step"] == 2
        ends.append(found[0])
    one, other = ends
    weights = [name for name in one["model"] if "running" not in name and "num_batches" not in name]
    assert all(torch.equal(one["model"][name], other["model"][name]) for name in weights)
    for number, state in one["optimizer"]["state"].items():
        for name, value in state.items():
            assert torch.equal(torch.as_tensor(value), torch.as_tensor(other["optimizer"]["state"][number][name])), name


def test_the_loss_is_read_late_on_one_gpu_alone() -> None:
    weight = [torch.nn.Parameter(torch.ones(1))]
    fused, plain = torch.optim.AdamW(weight, fused=True), torch.optim.AdamW(weight)
    on, off = (SimpleNamespace(is_enabled=lambda value=value: value) for value in (True, False))
    gpu, cpu = torch.device("cuda:0"), torch.device("cpu")
    cases = [(gpu, 1, off, fused, 1), (cpu, 1, off, fused, 0), (gpu, 2, off, fused, 0), (gpu, 1, on, fused, 0), (gpu, 1, off, plain, 0)]  # fmt: skip
    for device, world, scaler, optimizer, wanted in cases:
        assert loop._late(device, world, scaler, optimizer) == wanted  # type: ignore[arg-type]


class FakeTensor:
    """A tensor of the CPU that writes down how it is copied to a GPU."""

    def __init__(self, dtype: torch.dtype, told: list[str]):
        self.dtype, self.told, self.device = dtype, told, torch.device("cpu")

    def is_floating_point(self) -> bool:
        return self.dtype.is_floating_point

    def pin_memory(self) -> "FakeTensor":
        self.told.append("pinned")
        return self

    def to(self, *where: Any, non_blocking: bool = False) -> "FakeTensor":
        self.told.append(f"to {' '.join(map(str, where))}{' without waiting' if non_blocking else ''}")
        return self


def test_batches_travel_from_pinned_memory_without_waiting() -> None:
    for dtype, asked, wanted in (
        (torch.uint8, torch.float32, ["pinned", "to cuda:0 without waiting"]),
        (torch.float32, torch.float64, ["pinned", "to cuda:0 without waiting", "to torch.float64"]),
        (torch.int64, None, ["pinned", "to cuda:0 without waiting"]),
    ):
        told: list[str] = []
        one: Any = FakeTensor(dtype, told)
        cuda.onto("cuda:0", one, dtype=asked)
        assert told == wanted
    x, n = cuda.onto("cpu", torch.ones(2), torch.ones(2, dtype=torch.int64), dtype=torch.float64)
    assert (x.dtype, n.dtype) == (torch.float64, torch.int64)


# -- settings of a GPU


@pytest.fixture
def precisions():
    """float32's settings, which belong to the process, as they were afterwards."""
    yield
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = True


def test_float32_is_float32_and_no_two_ways_of_saying_so_are_mixed(precisions: None) -> None:
    torch.backends.cuda.matmul.allow_tf32 = True
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cuda.exact_float32()
    # each of these raises an error where older and newer settings disagree
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32
    assert torch.get_float32_matmul_precision() == "highest"
    assert torch.backends.cuda.matmul.fp32_precision != "tf32"
    assert torch.backends.cudnn.conv.fp32_precision != "tf32"


@pytest.mark.parametrize(("precision", "exact"), [("fp32", True), ("fp64", True), ("bf16", False), (None, False)])
def test_exact_float32_is_for_fp32_alone(
    precision: str | None, exact: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import argparse

    asked: list[bool] = []
    monkeypatch.setattr(cuda, "exact_float32", lambda: asked.append(True))
    monkeypatch.setattr(settings, "choose_device", lambda wanted: "cuda:0")
    monkeypatch.setattr(settings, "best_precision", lambda device: "bf16")
    parser = argparse.ArgumentParser()
    settings.add_arguments(parser, epochs=1, lr=0.1, batch_size=8, gpu_batch_size=64)
    given = ["--out", str(tmp_path), *([] if precision is None else ["--precision", precision])]
    made = settings.settle(parser.parse_args(given, argparse.Namespace(command="mnist-cnn")))
    assert bool(asked) == exact
    assert made.batch_size == 64
    monkeypatch.setenv("MINIGRAD_PRECISION", "fp16")
    made = settings.settle(parser.parse_args(given, argparse.Namespace(command="mnist-cnn")))
    assert made.precision == (precision or "fp16")


def test_each_precision_s_errors_are_what_its_digits_cost() -> None:
    worst = {precision: agreement.layers("cpu", precision) for precision in ("fp32", "bf16")}
    for precision, errors in worst.items():
        assert max(errors.values()) < agreement.BOUNDS["layers"][precision]
    assert worst["bf16"]["linear"] > 100 * worst["fp32"]["linear"]  # it notices: bf16 is no float32
    assert max(agreement.optimizers("cpu", "fp32").values()) < agreement.BOUNDS["optimizers"]["fp32"]


def test_stages_have_a_time_and_a_function_each() -> None:
    assert sum(stage.seconds for stage in STAGES) == 480
    assert "PYTHONPATH" in contexts.environment()


def test_what_can_be_missing_stops_nothing_that_does_not_need_it() -> None:
    """Every module that trains, and all stages, are imported where only what they need is there."""
    import subprocess

    optional = ("captum", "datasets", "starlette", "uvicorn", "peft", "onnx", "onnxruntime", "onnxscript", "accelerate", "playwright", "tensorboard")  # fmt: skip
    program = (
        f"import sys\nfor name in {optional!r}: sys.modules[name] = None\n"
        "from curriculum.fullscale import mnist_cnn, resnet18, distilbert_imdb, transfer, loop, reviews, pictures, find_batch\n"
        "from curriculum.fullscale.gpu import stages, agreement, machine, pack\n"
        "print(machine.packages()['packages_missing'] is not None)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=contexts.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_stage_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    """By the command that is used on a GPU; its figures are lines that are understood."""
    import subprocess

    from curriculum.fullscale import gpu

    context = contexts.Context("cpu", rehearse=True, model="", scratch=str(tmp_path))
    done = subprocess.run(
        gpu.command(STAGES[0], context, {}), env=contexts.environment(), cwd=tmp_path, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = [records.parse(line) for line in done.stdout.splitlines()]
    assert None not in found
    assert "copy_gb_per_second" in found[-1]  # type: ignore[operator]
    assert not done.stderr
