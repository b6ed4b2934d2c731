"""Whatever a file holds, `load` gives its content or one clear error, in little memory: 2,000 damaged files, 200 hostile ones.

The short run takes a part of them; HYPOTHESIS_PROFILE=deep takes all.
"""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hostile_files import SECONDS, damaged, digest, good_files, hostile

import minigrad

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
ROOT = Path(__file__).parents[1]

if not sys.platform.startswith("linux"):
    pytest.skip("the limit of memory is Linux's", allow_module_level=True)


class Loader:
    """A process of little memory that loads files; a new one after one that died."""

    def __init__(self):
        self.process = None

    def __call__(self, path, weights_only):
        if self.process is None:
            environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
            self.process = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("hostile_files.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                text=True, env=environment, cwd=ROOT,
            )  # fmt: skip
            assert self.process.stdout.readline() == "ready\n"
        watch = threading.Timer(4 * SECONDS, self.process.kill)
        watch.start()
        self.process.stdin.write(json.dumps([str(path), weights_only]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        watch.cancel()
        if not line:
            said = ["died", str(self.process.wait())]
            self.close()
            return said
        return json.loads(line)

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.stdout.close()
            self.process.wait()
        self.process = None


@pytest.fixture(scope="module")
def load():
    loader = Loader()
    yield loader
    loader.close()


def fault(said, path):
    """What is wrong with an answer, or nothing."""
    kind, text = said
    if kind == "content":
        return ""
    if kind != "minigrad.serialization.UnpicklingError":
        return f"{kind}: {text[:200]}"
    if path.name not in text or "\n" in text or len(text) > 1500 or "off ()" in text:
        return f"unclear: {text[:200]}"
    return ""


def test_damaged_files(load, tmp_path):
    """An error, or the content of the file before; where no checksum tells, a content."""
    files = good_files()
    contents = {}
    path = tmp_path / "spoiled.pt"
    for name, (data, _) in files.items():
        path.write_bytes(data)
        kind, contents[name] = load(path, False)
        assert kind == "content", name
    faults, untold = [], 0
    for seed in range(2000 if DEEP else 1000):
        name, data = damaged(seed, files)
        path.write_bytes(data)
        said = load(path, seed % 2 == 1)
        wrong = fault(said, path)
        if said[0] == "content" and said[1] not in contents.values():
            untold += 1
            wrong = "another content" if files[name][1] else ""
        if wrong:
            faults.append(f"{seed} ({name}): {wrong}")
    print(f"{untold} without a checksum have another content")
    assert faults == []


def test_hostile_files(load, tmp_path):
    faults = []
    path = tmp_path / "hostile.pt"
    for seed in range(200 if DEEP else 56):
        name, data = hostile(seed)
        path.write_bytes(data)
        for weights_only in (True, False):
            said = load(path, weights_only)
            if wrong := fault(said, path):
                faults.append(f"{name}, {len(data)} bytes, weights_only={weights_only}: {wrong}")
    assert faults == []


def test_the_digest_tells_numbers_apart():
    x = {"a": minigrad.ones(3), "b": [1, 2.0]}
    assert digest(x) == digest({"a": minigrad.ones(3), "b": [1, 2.0]})
    assert digest(x) != digest({"a": minigrad.tensor([1.0, 1.0, 2.0]), "b": [1, 2.0]})
    assert digest(x) != digest({"a": minigrad.ones(3), "b": [1, 2]})
