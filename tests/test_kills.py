"""Killed at any moment, or out of disk, a training goes on to the same bits, and nothing is left behind."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
ROOT = Path(__file__).parents[1]

if not sys.platform.startswith("linux"):
    pytest.skip("forks, limits and mounts are Linux's here", allow_module_level=True)


def command(kind, *more):
    """A process of killed.py, which has to import everything first."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    environment.pop("MINIGRAD_DATA", None)
    return {
        "args": [sys.executable, Path(__file__).with_name("killed.py"), kind, *more],
        "env": environment,
        "cwd": ROOT,
    }


def judged(answer):
    found = json.loads(answer)
    print(found)
    assert found["faults"] == []
    assert found["compared"] > 0
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """run(kind, how, count, folder): what comes of it in a process that the tests of the same kind share."""
    processes, said = {}, tmp_path_factory.mktemp("said")

    def ask(kind, how, count, folder):
        if kind not in processes:
            with (said / kind).open("w") as errors:
                pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": errors}
                processes[kind] = subprocess.Popen(**command(kind), **pipes, text=True)
        process = processes[kind]
        late = threading.Timer(3000, process.kill)
        late.start()
        process.stdin.write(json.dumps([how, count, 0, str(folder)]) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        late.cancel()
        if not answer:  # it has ended; the next test gets another
            processes.pop(kind).communicate()
            pytest.fail((said / kind).read_text()[-2000:])
        return judged(answer)

    yield ask
    for process in processes.values():
        process.communicate()


def test_kills_of_a_training(run, tmp_path):
    found = run("engine", "kill", 200 if DEEP else 30, tmp_path / "work")
    assert found["stopped"] == (200 if DEEP else 30)


def test_kills_of_a_run_of_the_command_line(run, tmp_path):
    found = run("fullscale", "kill", 200 if DEEP else 3, tmp_path / "work")
    assert found["stopped"] == (200 if DEEP else 3)
    if DEEP:
        assert found["inside_the_loop"] > 150


@pytest.mark.parametrize("kind", ["engine", "fullscale"])
def test_kills_before_each_change_of_a_file(kind, run, tmp_path):
    """Between the writing and the renaming, the renaming and the removal, in the test phase, and while it goes on."""
    count = 200 if DEEP else {"engine": 8, "fullscale": 2}[kind]
    found = run(kind, "moments", count, tmp_path / "work")
    assert found["stopped"] >= min(count, found["changes_of_files"]) > 0


@pytest.mark.parametrize("kind", ["engine", "fullscale"])
def test_kills_in_the_middle_of_a_write(kind, run, tmp_path):
    assert run(kind, "torn", 50 if DEEP else 1, tmp_path / "work")["stopped"] > 0


def test_files_that_may_not_grow(run, tmp_path):
    found = run("engine", "limit", 50 if DEEP else 8, tmp_path / "work")
    assert found["stopped"] > 3


def test_files_of_the_command_line_that_may_not_grow(run, tmp_path):
    run("fullscale", "limit", 20 if DEEP else 1, tmp_path / "work")


@pytest.mark.parametrize("kind", ["engine", "fullscale"])
def test_full_disks(tmp_path, kind):
    """On a file system of its own, in a namespace of its own."""
    apart = ["unshare", "--map-root-user", "--mount"]
    (tmp_path / "tried").mkdir()
    tried = [*apart, "mount", "-t", "tmpfs", "tmpfs", tmp_path / "tried"]
    if shutil.which("unshare") is None or subprocess.run(tried, capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system is not allowed here")
    count = 50 if DEEP else {"engine": 6, "fullscale": 1}[kind]
    process = command(kind, "disk", str(count), "0", tmp_path / "work")
    process["args"] = [*apart, *process["args"]]
    done = subprocess.run(**process, capture_output=True, text=True, check=False, timeout=3000)
    assert done.returncode == 0, done.stderr[-2000:]
    judged(done.stdout.splitlines()[-1])
