"""Kernels that are kept on disk: whatever is found there or happens there, programs run and their results are right.

A damaged cache is shown to a fresh process, which computes softmax and its gradient. HYPOTHESIS_PROFILE=deep shows every kind of
damage to a process of its own; 198 damaged caches are read by one process in any case.
"""

import io
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("numba")
DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"

PROGRAM = """
import sys
import numpy as np
import minigrad
prepare = sys.argv[2] if len(sys.argv) > 2 else ""
exec(prepare)
x = minigrad.from_numpy(np.random.default_rng(0).standard_normal((200, 300)).astype(np.float32)).requires_grad_()
out = minigrad.softmax(x, -1)
(out * out.detach()).sum().backward()
np.savez(sys.stdout.buffer, out=out.detach().numpy(), grad=x.grad.numpy())
"""


def expected():
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((200, 300)).astype(np.float32)).requires_grad_()
    out = torch.softmax(x, -1)
    (out * out.detach()).sum().backward()
    return {"out": out.detach().numpy(), "grad": x.grad.numpy()}


EXPECTED = expected()
NOWHERE = "compiled kernels cannot be kept"


def run(tmp_path, prepare="", within=240, **environment):
    """The program in a fresh process: what it said. It must end well, and with the right numbers."""
    process = start(tmp_path, prepare, **environment)
    return finish(process, within)


def start(tmp_path, prepare="", **environment):
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")} | environment
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "", prepare], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finish(process, within=240):
    out, err = process.communicate(timeout=within)
    said = err.decode()
    assert process.returncode == 0, (process.returncode, said[-3000:])
    assert "Traceback" not in said
    found = np.load(io.BytesIO(out))
    for name, wanted in EXPECTED.items():
        np.testing.assert_allclose(found[name], wanted, rtol=1e-5, atol=1e-7)
    return said


def entries(tmp_path):
    return sorted((tmp_path / "cache").rglob("*.kernel"))


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A sound cache."""
    folder = tmp_path_factory.mktemp("kept")
    run(folder)
    assert len(entries(folder)) == 2
    return folder


@pytest.fixture
def folder(kept, tmp_path):
    shutil.copytree(kept / "cache", tmp_path / "cache")
    return tmp_path


# -- damage: each changes one entry, or all


def flipped(path, rng, low, high):
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 1, 8])):
        content[rng.randrange(low, min(high, len(content)))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def replaced_by(make):
    def damage(path, rng):
        path.unlink()
        make(path)

    return damage


def with_digest(path, rng):
    """Another kernel's loop, or another version's, under a name that promises ours."""
    others = [p for p in path.parent.glob("*.kernel") if p != path]
    path.write_bytes(rng.choice(others).read_bytes())


def of_another_version(path, rng):
    """A digest that is right for what another version would be."""
    import hashlib

    body = path.read_bytes()[32:]
    path.write_bytes(hashlib.sha256(b"another version\0" + body).digest() + body)


DAMAGES = {
    "empty": lambda path, rng: path.write_bytes(b""),
    "cut short": lambda path, rng: path.write_bytes(path.read_bytes()[: rng.randrange(1, path.stat().st_size)]),
    "cut in the digest": lambda path, rng: path.write_bytes(path.read_bytes()[: rng.randrange(1, 33)]),
    "longer": lambda path, rng: path.write_bytes(path.read_bytes() + rng.randbytes(100)),
    "bits of the digest": lambda path, rng: flipped(path, rng, 0, 32),
    "bits of the head": lambda path, rng: flipped(path, rng, 32, 400),
    "bits of the body": lambda path, rng: flipped(path, rng, 400, 1 << 30),
    "zeros": lambda path, rng: path.write_bytes(bytes(path.stat().st_size)),
    "noise": lambda path, rng: path.write_bytes(rng.randbytes(path.stat().st_size)),
    "another kernel's": with_digest,
    "another version's": of_another_version,
    "a folder": replaced_by(Path.mkdir),
    "a folder with something in it": replaced_by(lambda path: (path / "a").mkdir(parents=True)),
    "a link to itself": replaced_by(lambda path: path.symlink_to(path)),
    "a link to nowhere": replaced_by(lambda path: path.symlink_to("nowhere")),
    "a link to endless zeros": replaced_by(lambda path: path.symlink_to("/dev/zero")),
    "a pipe": replaced_by(os.mkfifo),
    "too large": lambda path, rng: os.truncate(path, 1 << 33),
    "no permission": lambda path, rng: path.chmod(0),
}


# What makes permissions hold in a process that the tests start as root: it gives up the right to go round them.
WITHOUT_PRIVILEGES = """
import ctypes, os
if os.getuid() == 0:
    assert ctypes.CDLL(None).capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()) == 0
"""


@pytest.mark.skipif(sys.platform != "linux", reason="links and pipes of Linux")
def test_damaged_entries_are_thrown_away(kept, tmp_path):
    """200 caches of which one entry is damaged, read in one process: that entry gives nothing, the other one its loop."""
    rng = random.Random(0)
    folders = []
    for i, name in enumerate([name for name in DAMAGES for _ in range(11)]):
        if name == "no permission":
            continue
        shutil.copytree(kept / "cache", tmp_path / str(i))
        DAMAGES[name](rng.choice(sorted((tmp_path / str(i)).rglob("*.kernel"))), rng)
        folders.append(str(tmp_path / str(i)))
    code = """
import sys, numpy as np, numba
import minigrad
from minigrad.kernels import rows
x = np.zeros((4, 4), np.float32)
for folder in sys.argv[1:]:
    numba.config.CACHE_DIR = folder
    found = []
    for kernel, n in ((rows._softmax, 2), (rows._softmax_backward, 3)):
        dispatcher = kernel.dispatcher
        types = tuple(dispatcher.typeof_pyval(x) for _ in range(n))
        found.append(dispatcher._cache.load_overload(types, dispatcher.targetctx) is not None)
    assert sum(found) == 1, (folder, found)
print("read", len(sys.argv) - 1)
"""
    done = subprocess.run([sys.executable, "-c", code, *folders], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"read {len(folders)}" in done.stdout
    assert len(folders) > 195


@pytest.mark.skipif(sys.platform != "linux", reason="links, pipes and capabilities of Linux")
@pytest.mark.parametrize(
    "name", DAMAGES if DEEP else ["bits of the body", "another kernel's", "a folder", "no permission"]
)
def test_with_a_damaged_entry_results_are_right_and_it_is_compiled_anew(name, folder):
    path = random.Random(name).choice(entries(folder))
    DAMAGES[name](path, random.Random(name))
    said = run(folder, WITHOUT_PRIVILEGES if name == "no permission" else "")
    sound = [p for p in entries(folder) if p.is_file() and 1000 < p.stat().st_size < 1 << 26]
    if "folder" in name:
        assert NOWHERE in said  # nothing can take its place
    else:
        assert len(sound) == 2
        assert NOWHERE not in said


def test_a_sound_cache_is_used_and_left_as_it_is(folder):
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in entries(folder)}
    run(folder)
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in entries(folder)} == before


# -- nowhere to write


@pytest.mark.skipif(sys.platform != "linux", reason="limits and capabilities of Linux")
@pytest.mark.parametrize(
    "how", ["a file in place of the folder", "a full disk", "nobody may write", "a link to itself"]
)
def test_without_a_place_to_write_it_compiles_in_memory_and_says_so_once(how, tmp_path):
    prepare, environment = "", {}
    if how == "a file in place of the folder":
        (tmp_path / "cache").write_text("")
    elif how == "a full disk":
        prepare = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))"
    elif how == "a link to itself":
        (tmp_path / "cache").symlink_to(tmp_path / "cache")
    else:
        (tmp_path / "cache").mkdir(mode=0o555)
        os.chmod(tmp_path, 0o755)
        environment = {"HOME": str(tmp_path / "cache")}
        prepare = WITHOUT_PRIVILEGES
    assert run(tmp_path, prepare, **environment).count(NOWHERE) == 1
    if how == "a full disk":
        assert not [p for p in (tmp_path / "cache").rglob("*") if p.is_file()], "something is left behind"


def test_where_the_package_cannot_be_written_the_user_s_folder_is(tmp_path):
    """Beside the sources first, whoever may write there; then the user's; what lies beside the sources is read in any case."""
    prepare = f"""
from pathlib import Path
from minigrad.kernels import disk
original = disk.folders
Path({str(tmp_path)!r}, "file").write_text("")
disk.folders = lambda source: [Path({str(tmp_path)!r}, "file", "__pycache__"), *list(original(source))[1:]]
"""
    said = run(tmp_path, prepare, NUMBA_CACHE_DIR="", XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert NOWHERE not in said
    assert len(entries(tmp_path)) == 2


def test_without_numba_s_compiler_operations_take_their_numpy_form(tmp_path):
    assert run(tmp_path, NUMBA_DISABLE_JIT="1") == ""
    missing = "import sys; sys.modules['numba'] = None"
    broken = """
import sys
class Broken:
    def find_spec(self, name, *rest):
        if name == "numba.core": raise ImportError("Numba needs another NumPy")
sys.meta_path.insert(0, Broken())
"""
    assert run(tmp_path, missing).count("Numba cannot be used") <= 1
    assert run(tmp_path, broken).count("Numba cannot be used") == 1
    assert entries(tmp_path) == []


def test_several_processes_may_write_at_once(tmp_path):
    processes = [start(tmp_path) for _ in range(6 if DEEP else 2)]
    for process in processes:
        finish(process)
    assert len(entries(tmp_path)) == 2
    assert len([p for p in (tmp_path / "cache").rglob("*") if p.is_file()]) == 2, "something is left behind"
    run(tmp_path)
